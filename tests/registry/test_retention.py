"""What is old and nobody needs goes; what a version that stays needs for its proof stays."""

import json
import os
import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import mlflow
import pytest
import registry_databases
from click.testing import CliRunner
from lineages import Run, begin, commit, git, make_shallow
from prefect_dvc import hashing
from prefect_dvc.core.errors import ConfigError

from gazette.cli.app import gazette
from gazette.monitoring import observe
from gazette.registry import ledger
from gazette.registry.ledger import VersionRef
from gazette.registry.store import client as store
from gazette.serving.journal import layout, write

ARTICLES = [("match 1", "sport", "train"), ("match 2", "sport", "train"), ("the goal", "sport", "test")]
OLD = datetime.now(UTC) - timedelta(days=400)


@pytest.fixture
def digests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Digests of five versions, each of a revision of its own, a year old but the last; 2 and 3 are in the ledger."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    begin()
    registry_databases.prepare(tmp_path / "mlflow.db")
    monkeypatch.setenv("GIT_COMMITTER_DATE", OLD.isoformat())
    bundles = []
    for seed in range(5):
        if seed == 4:
            monkeypatch.delenv("GIT_COMMITTER_DATE")
        commit(Run([*ARTICLES, (f"another {seed}", "trade", "train")], seed=seed))
        bundles.append(hashing.dvc_hash(Path("models/selected")))
        register(seed, bundles[-1])
    for number in (2, 3):
        to = VersionRef(str(number), bundles[number - 1], "c" * 40)
        ledger.append_entry(ledger.next_entry(ledger.read_ledger(), "promotion", "tiny", to, "t", "", "c" * 40))
    for name in bundles:
        (folder := Path(".gazette/bundles") / name).mkdir(parents=True)
        (folder / "bundle.json").write_text("{}")
        os.utime(folder, (OLD.timestamp(), OLD.timestamp()))
    for day in (OLD, datetime.now(UTC)):
        write.append_lines(layout.open_path(observe.JOURNAL, f"{day:%Y-%m-%dT%H}"), b"{}\n")
    return bundles


def register(seed: int, digest: str) -> None:
    """A version with a file, whose run, with a candidate's in it, has one too; as old as its commit."""
    client: Any = store.connect()
    mlflow.set_experiment("tiny")
    with mlflow.start_run() as run, mlflow.start_run(nested=True) as inner:
        Path("file.txt").write_text("file")
        mlflow.log_artifact("file.txt")
    if seed == 0:
        client.create_registered_model("tiny")
    model = mlflow.initialize_logged_model("classifier", source_run_id=run.info.run_id)
    client.log_model_artifact(model.model_id, "file.txt")
    client.create_model_version("tiny", f"models:/{model.model_id}", run.info.run_id, tags={"digest": digest})
    if seed < 4:
        age(run.info.run_id, inner.info.run_id, str(seed + 1))


def age(*names: str) -> None:
    import sqlite3

    *runs, number = names
    with sqlite3.connect("mlflow.db") as database:
        moment = int(OLD.timestamp() * 1000)
        for run in runs:
            database.execute("UPDATE runs SET start_time = ?, end_time = ? WHERE run_uuid = ?", (moment, moment, run))
        database.execute("UPDATE model_versions SET creation_time = ? WHERE version = ?", (moment, number))


def gc(*words: str) -> dict[str, Any]:
    result = CliRunner().invoke(gazette, ["gc", "--json", *words], catch_exceptions=False)
    record: dict[str, Any] = json.loads(result.stdout)
    return record


def count(record: dict[str, Any]) -> dict[str, int]:
    kinds = [item["kind"] for item in record["items"]]
    return {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}


def test_a_dry_run_lists_what_goes_and_changes_nothing(digests: list[str]) -> None:
    before = {str(path): path.stat().st_mtime_ns for path in Path(".dvc/cache").rglob("*")}
    record = gc("--keep", "tiny/1")
    assert record["kept"] == {
        "tiny/1": "named",
        "tiny/2": "in the ledger",
        "tiny/3": "in the ledger",
        "tiny/5": "young",
    }
    assert count(record) == {"version": 1, "run": 2, "bundle": 1, "object": 6, "journal": 1}
    assert {str(path): path.stat().st_mtime_ns for path in Path(".dvc/cache").rglob("*")} == before
    assert len(list(Path(".gazette/bundles").iterdir())) == 5 and gc("--keep", "tiny/1") == record
    assert "Nothing was changed" in CliRunner().invoke(gazette, ["gc"]).output


def test_what_goes_is_gone_and_what_a_version_needs_stays(digests: list[str]) -> None:
    wanted = {path for path in Path(".dvc/cache").rglob("*") if path.is_file()}
    artifacts = len(list(Path("mlruns").rglob("file.txt")))
    gc("--keep", "tiny/1", "--yes")
    assert count(gc("--keep", "tiny/1")) == {}
    client: Any = store.connect()
    assert sorted(store.get_model(client, "tiny").versions) == ["1", "2", "3", "5"]
    assert len(list(Path("mlruns").rglob("file.txt"))) == artifacts - len(["of the run", "of the version"])
    assert sorted(path.name for path in Path(".gazette/bundles").iterdir()) == sorted({*digests} - {digests[3]})
    assert len(list((observe.JOURNAL / layout.RECORDS).iterdir())) == 1
    gone = {path for path in wanted if not path.exists()}
    assert len(gone) == 6
    for revision in (0, 1, 2, 4):
        name = git("log", "--reverse", "--format=%H").split()[revision]
        lock = json.loads(git("show", f"{name}:dvc.lock"))
        outs = [out["md5"] for stage in lock["stages"].values() for out in stage["outs"]]
        assert all(not out.endswith(".dir") or has_all(out) for out in outs), revision


def test_files_that_two_versions_share_stay_with_the_second(digests: list[str]) -> None:
    client: Any = store.connect()
    fourth = client.get_model_version("tiny", "4")
    client.create_model_version("tiny", fourth.source, fourth.run_id)
    gc("--only", "version", "--yes")
    place = Path(client.get_model_version_download_uri("tiny", "6"))
    assert (place / "file.txt").exists() and "4" not in store.get_model(client, "tiny").versions


def test_what_an_experiment_of_dvc_needs_stays(digests: list[str]) -> None:
    old, head = git("log", "--reverse", "--format=%H").split()[3], git("rev-parse", "HEAD").strip()
    git("update-ref", f"refs/exps/{head[:2]}/{head[2:]}/flow-1", old)
    gc("--yes")
    lock = json.loads(git("show", f"{old}:dvc.lock"))
    outs = [out["md5"] for stage in lock["stages"].values() for out in stage["outs"]]
    assert all(not out.endswith(".dir") or has_all(out) for out in outs)


def test_objects_that_a_revision_names_stay_though_dvc_cannot_read_its_stages(digests: list[str]) -> None:
    old, lock = git("log", "--reverse", "--format=%H").split()[3], Path("dvc.lock").read_text()
    Path("dvc.lock").write_text(git("show", f"{old}:dvc.lock"))
    stages = Path("dvc.yaml").read_text()
    Path("dvc.yaml").write_text("stages: [")
    git("commit", "-qam", "broken")
    Path("dvc.lock").write_text(lock)
    Path("dvc.yaml").write_text(stages)
    git("commit", "-qam", "mended")
    gc("--yes")
    assert has_all(digests[3])


def test_without_the_lock_of_a_revision_that_stays_nothing_goes(digests: list[str]) -> None:
    blob = git("rev-parse", "HEAD:dvc.lock").strip()
    git("commit", "-q", "--allow-empty", "-m", "later")
    Path(".git/objects", blob[:2], blob[2:]).unlink()
    before = sorted(Path(".dvc/cache").rglob("*"))
    with pytest.raises(ConfigError, match="the repository lacks objects: `git fsck` names them"):
        gc("--only", "object", "--yes")
    assert sorted(Path(".dvc/cache").rglob("*")) == before


def has_all(digest: str) -> bool:
    path = Path(".dvc/cache/files/md5") / digest[:2] / digest[2:]
    return path.exists() and all(
        (Path(".dvc/cache/files/md5") / entry["md5"][:2] / entry["md5"][2:]).exists()
        for entry in json.loads(path.read_text())
    )


def test_a_cache_outside_of_the_project_is_left_alone(
    digests: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("cache")
    Path(".dvc/config.local").write_text(f"[cache]\n    dir = {outside}\n")
    record = gc("--only", "object")
    assert record["items"] == [] and "may be shared" in record["notes"][0]


def test_a_shallow_clone_loses_no_object(digests: list[str]) -> None:
    make_shallow()
    before = sorted(Path(".dvc/cache").rglob("*"))
    with pytest.raises(ConfigError, match="shallow clone; `git fetch --unshallow`"):
        gc("--yes")
    assert "tiny/4" not in gc("--only", "version", "--yes")["kept"]
    assert sorted(Path(".dvc/cache").rglob("*")) == before


def test_the_copy_of_a_project_removes_nothing_of_the_original(
    digests: list[str], tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, before = Path.cwd(), sorted(Path("mlruns").rglob("*"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI")  # MLflow set it in this process
    monkeypatch.chdir(shutil.copytree(original, tmp_path_factory.mktemp("copy") / "project"))
    with pytest.raises(ConfigError, match="`gazette registry relocate`"):
        gc("--only", "version", "--yes")
    monkeypatch.chdir(original)
    assert sorted(Path("mlruns").rglob("*")) == before and "4" in store.get_model(store.connect(), "tiny").versions


def test_somebodys_deleted_experiment_is_not_purged(digests: list[str]) -> None:
    client: Any = store.connect()
    client.delete_experiment(client.create_experiment("theirs"))
    assert "run it yourself" in gc("--only", "run", "--only", "version", "--yes")["notes"][0]
    assert [experiment.name for experiment in client.search_experiments(view_type=2)] == ["theirs"]


def test_a_run_at_work_stops_it(digests: list[str]) -> None:
    from prefect_dvc.recovery import guard

    began = time.monotonic()
    with guard.without_runs(Path()), pytest.raises(ConfigError, match="another run is at work"):
        gc("--yes")
    assert time.monotonic() - began < 20
