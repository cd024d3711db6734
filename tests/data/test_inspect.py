"""A corpus inspected: every row is somewhere, and personal data are treated as the params say."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from root import ROOT

from gazette.core import corpus, files
from gazette.data import dedup
from gazette.data.readers import read
from gazette.data.validation import bounds, inspect

NUMBERS = files.read_yaml(ROOT / "params.yaml")["validate"]
LayDown = Callable[..., tuple[Path, Path]]


def inspected(paths: tuple[Path, Path], folder: Path, **changes: Any) -> inspect.Inspection:
    description, raw = paths
    parts = Path(tempfile.mkdtemp(dir=folder))
    params = bounds.Params(**NUMBERS | changes)
    return inspect.inspect_corpus(corpus.read_description(description), raw, params, folder / "docs", parts)


@pytest.fixture
def letters(english: pl.DataFrame) -> pl.DataFrame:
    """Articles of which the second and the fifth hold an address."""
    mail = (
        pl.when(pl.int_range(pl.len()).is_in([1, 4]))
        .then(pl.lit(" Write to jane.doe@example.org."))
        .otherwise(pl.lit(""))
    )
    return english.with_columns(text=pl.col("text") + mail)


def test_kept_personal_data_are_counted_warned_of_and_shown_masked(
    lay_down: LayDown, letters: pl.DataFrame, tmp_path: Path
) -> None:
    inspection = inspected(lay_down(letters), tmp_path)
    assert inspection.personal == {"email": 2}
    assert inspection.whole["personal_data"].item() == round(2 / 60, 6)
    assert "personal_data" in [f["expects"].split()[0] for f in inspection.findings if not f["success"]]
    assert inspection.examples.filter(pl.col("kind") == "email").height == 2
    assert not inspection.examples["seen"].str.contains("jane.doe").any()


def test_masked_personal_data_are_gone_from_the_articles(
    lay_down: LayDown, letters: pl.DataFrame, tmp_path: Path
) -> None:
    inspection = inspected(lay_down(letters), tmp_path, personal_data="mask")
    assert inspection.parts.rows == 60
    assert inspection.articles().collect()["text"].str.contains("<email>").sum() == 2
    assert not inspection.articles().collect()["text"].str.contains("jane.doe").any()
    assert inspection.whole["personal_data"].item() == 0


def test_rows_with_personal_data_can_go_to_quarantine(lay_down: LayDown, letters: pl.DataFrame, tmp_path: Path) -> None:
    inspection = inspected(lay_down(letters), tmp_path, personal_data="quarantine")
    assert inspection.rejects.select("line", "reason").rows() == [
        (3, "personal data: email"),
        (6, "personal data: email"),
    ]
    assert inspection.parts.rows + inspection.rejects.height == 60
    assert not inspection.rejects["seen"].str.contains("jane").any()


def test_parts_change_nothing(
    lay_down: LayDown, english: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = english.with_columns(text=pl.col("text") + pl.when(pl.int_range(pl.len()) % 7 == 0).then(pl.lit(" <b>")))
    rows = rows.with_columns(text=pl.coalesce("text", english["text"]))
    paths = lay_down(pl.concat([rows, rows.head(5)]))
    whole = inspected(paths, tmp_path)
    monkeypatch.setattr(dedup, "PART_ROWS", 4)
    parts = inspected(paths, tmp_path)
    assert parts.whole.equals(whole.whole)
    assert whole.whole["markup"].item() > 0 < whole.whole["exact_duplicates_train"].item()
    assert parts.examples.equals(whole.examples)


lines = st.lists(
    st.sampled_from(
        [
            "sport,A goal in the last minute",
            "trade,Shares fell",
            "sport",
            'sport,"open',
            "sports,x",
            "trade,?!",
            "",
            "a,b,c",
        ]
    ),
    min_size=1,
    max_size=15,
)


@given(lines)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_row_of_a_file_is_an_article_or_in_quarantine(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    raw = tmp_path_factory.mktemp("raw")
    (raw / "all.csv").write_text("label,text\nsport,first\n" + "\n".join(lines) + "\n")
    layout = {"format": "csv", "path": "all.csv", "header": True, "text": ["text"], "label": "label"}
    described = corpus.Corpus.model_validate(
        {"language": "en", "labels": ["sport", "trade"], "files": {"train": [layout]}, "source": "x", "terms": "y"}
    )
    table, rejects, (account,) = read.read_corpus(described, raw)
    blank = account["notes"].get("blank lines, skipped", 0)
    assert account["rows"] == account["articles"] + account["rejected"] == table.height + rejects.height
    assert account["rows"] + blank == len(lines) + 1
