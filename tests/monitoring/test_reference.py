"""What a version did on its own valid and test rows, with what the journal would say of them."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from prefect_dvc import hashing
from prefect_dvc.core.errors import ConfigError
from ruamel.yaml import YAML

from gazette.core import articles
from gazette.monitoring import reference
from gazette.monitoring.reference import Version

DAY = datetime(2026, 1, 5, tzinfo=UTC)


def entry(command: str, **outs: str) -> dict[str, object]:
    """Return a stage of dvc.lock."""
    return {"cmd": command, "outs": [{"path": path, "md5": md5} for path, md5 in outs.items()]}


@pytest.fixture
def version(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Version:
    """A project whose dvc.lock selected the bundle; one of its three rows is wrong."""
    monkeypatch.chdir(tmp_path)
    texts = {"valid": [("goal goal", "sport")], "test": [("bank", "trade"), ("goal 球", "trade")]}
    for split, rows in texts.items():
        rest = {"split": split, "file": "f.csv", "line": 1, "date": DAY}
        table = pl.DataFrame([{"text": text, "label": label} | rest for text, label in rows])
        articles.write_articles(Path(f"{split}.parquet"), table.with_columns(pl.col("date").dt.cast_time_unit("us")))
    digest = hashing.dvc_hash(bundle)
    md5 = {split: hashing.hash_file(Path(f"{split}.parquet"), "md5") for split in texts}
    stages = {
        "preprocess": entry("gazette preprocess --valid valid.parquet", **{"valid.parquet": md5["valid"]}),
        "select": entry(f"gazette select --bundle {bundle.name}", **{bundle.name: digest}),
        "evaluate": entry("gazette evaluate --test test.parquet", **{"test.parquet": md5["test"]}),
    }
    with Path("dvc.lock").open("w") as file:
        YAML().dump({"schema": "2.0", "stages": stages}, file)
    return Version(digest, "1", None)


def test_its_rows_are_predicted_once(version: Version, tmp_path: Path) -> None:
    table = reference.predict(version, "tiny", tmp_path / "remembered", 1)
    assert table.select("label", "actual").rows() == [("sport", "sport"), ("trade", "trade"), ("sport", "trade")]
    assert table["tokens"].to_list() == [2, 1, 2]
    assert table["unknown"].to_list() == [0, 0, 0.5]
    assert table["language"].to_list() == ["und-Latn", "und-Latn", "und-Hani"]
    assert table["hour"].to_list() == [DAY] * 3
    Path("valid.parquet").unlink()
    assert reference.predict(version, "tiny", tmp_path / "remembered", 1).equals(table)


def test_another_bundle_than_the_selected_one_or_the_champion_is_refused(version: Version, tmp_path: Path) -> None:
    stranger = Version("0" * 32 + ".dir", "2", None)
    with pytest.raises(ConfigError, match="neither selected here nor champion"):
        reference.predict(stranger, "tiny", tmp_path, 1)
