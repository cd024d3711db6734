"""The result of a clean process against the recorded predictions and the budget."""

import json
import subprocess
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from prefect_dvc import hashing, revisions
from prefect_dvc.core.errors import ConfigError
from ruamel.yaml import YAML

from gazette.registry import resolve, smoke_test
from gazette.registry.smoke_test import Articles, Params
from gazette.registry.versions import ResolvedModel

PARAMS = Params(articles=2, tolerance=1e-5, seconds_to_load=60, milliseconds_per_article=50, megabytes=1)
LABELS = ["sport", "trade"]
KNOWN = Articles(["goal", "bank"], [[0.75, 0.25], [0.25, 0.75]])


def result(**changed: Any) -> dict[str, Any]:
    answers = [{"probabilities": dict(zip(LABELS, row, strict=True))} for row in KNOWN.probabilities]
    sound = {"answers": answers, "seconds_to_load": 5.0, "milliseconds_per_article": 1.0, "imported": ["numpy"]}
    return sound | changed


def failed(words: dict[str, Any]) -> list[str]:
    findings = smoke_test.check_answers(PARAMS, words, KNOWN, LABELS)
    return [finding.rule for finding in findings if finding.outcome == "fail"]


def answers(*rows: list[float]) -> list[dict[str, Any]]:
    return [{"probabilities": dict(zip(LABELS, row, strict=True))} for row in rows]


def test_equal_answers_within_the_budget_pass() -> None:
    assert failed(result()) == []
    assert failed(result(answers=answers([0.750004, 0.249996], [0.25, 0.75]))) == []


@pytest.mark.parametrize(
    "rows",
    [
        answers([0.7501, 0.2499], [0.25, 0.75]),
        answers([0.75, 0.25]),
        answers([float("nan"), 0.25], [0.25, 0.75]),
        [{"probabilities": {"sport": 0.75}}, {"probabilities": {"sport": 0.25}}],
        [],
    ],
    ids=["another probability", "an answer short", "no number", "a label short", "none"],
)
def test_different_answers_fail(rows: list[dict[str, Any]]) -> None:
    assert failed(result(answers=rows)) == ["known articles"]


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"imported": ["numpy", "tensorflow"]}, "imports"),
        ({"seconds_to_load": 61.0}, "seconds to load"),
        ({"milliseconds_per_article": 51.0}, "milliseconds per article"),
    ],
)
def test_what_costs_too_much_fails(changed: dict[str, Any], rule: str) -> None:
    assert failed(result(**changed)) == [rule]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    git("init", "-q", "-b", "main")
    return tmp_path


def git(*words: str) -> None:
    who = ("-c", "user.name=t", "-c", "user.email=t@x")
    subprocess.run(["git", *who, *words], check=True, capture_output=True)


def commit(selected: str, candidate: str = "") -> str:
    command = "gazette evaluate --bundle models/selected --test test.parquet --predictions said.parquet"
    deps = [{"path": "models/selected", "md5": selected}, {"path": "models/candidates", "md5": candidate}]
    select = {"cmd": "gazette select --bundle models/selected", "outs": [{**deps[0]}]}
    stages = {"select": select, "evaluate": {"cmd": command, "deps": [{**dep} for dep in deps]}}
    with Path("dvc.lock").open("w") as file:
        YAML().dump({"stages": stages}, file)
    git("add", ".")
    git("commit", "-qm", selected)
    done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_revision_is_the_first_commit_in_which_the_bundle_was_selected(project: Path) -> None:
    commit("one.dir", candidate="two.dir")
    second = commit("two.dir", candidate="one.dir")
    commit("two.dir", candidate="other.dir")
    assert resolve.find_revision(ResolvedModel("tiny/2", project, "two.dir")) == second


def test_recorded_predictions_are_read_with_their_texts(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {"file": ["a"] * 3, "line": [1, 2, 3]}
    tables = {
        "said.parquet": pl.DataFrame(rows | {"probabilities": [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]}),
        "test.parquet": pl.DataFrame(rows | {"text": ["goal", "none", "bank"]}).reverse(),
    }

    def fetch_file(revision: str, path: str, target: Path) -> Path:
        tables[path].write_parquet(target)
        return target

    monkeypatch.setattr(revisions, "fetch_file", fetch_file)
    revision = commit("one.dir")
    assert smoke_test.read_recorded(revision, 2) == Articles(["goal", "bank"], [[1.0, 0.0], [0.0, 1.0]])
    tables["test.parquet"] = tables["test.parquet"].head(2)
    with pytest.raises(ConfigError, match=f"said.parquet of {revision[:9]} has other rows than test.parquet"):
        smoke_test.read_recorded(revision, 2)


def test_a_bundle_that_no_lock_names_has_no_revision(project: Path) -> None:
    commit("one.dir", candidate="two.dir")
    for digest in ("two.dir", "three.dir"):
        with pytest.raises(ConfigError, match="has no revision"):
            resolve.find_revision(ResolvedModel("tiny/2", project, digest))


def test_a_commit_that_is_on_no_branch_is_no_revision(project: Path) -> None:
    commit("one.dir")
    git("checkout", "-q", "--detach")
    experiment = commit("two.dir")
    git("update-ref", "refs/exps/one", experiment)
    git("checkout", "-q", "main")
    with pytest.raises(ConfigError, match="has no revision"):
        resolve.find_revision(ResolvedModel("tiny/2", project, "two.dir"))


@pytest.mark.slow
def test_a_real_version_is_tried_in_a_process_without_gazette_and_tensorflow(
    project: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{project}/registry.db")
    from gazette.core.bundle import Bundle
    from gazette.registry.store import client as registry

    client = registry.connect()
    tags = {"digest": hashing.dvc_hash(bundle)}
    about: dict[str, Any] = {"experiment": "tiny", "name": "linear", "metrics": {}, "files": [], "candidates": []}
    number = registry.create_version(
        client, "tiny", registry.log_run(registry.Run(tags=tags, examples=["goal"], **about), bundle), tags, "about"
    )
    model = ResolvedModel("tiny/1", bundle, tags["digest"], "tiny", number)
    known = Articles(KNOWN.texts, Bundle(bundle).probabilities(KNOWN.texts).tolist())
    generous = PARAMS.model_copy(update={"seconds_to_load": 600.0, "milliseconds_per_article": 5000.0})
    assert {
        finding.rule: finding.outcome for finding in smoke_test.run_smoke_test(generous, model, known)
    } == dict.fromkeys(
        ("digest", "megabytes", "imports", "known articles", "seconds to load", "milliseconds per article"), "pass"
    )
    wrong = smoke_test.run_smoke_test(generous, model, KNOWN)
    assert [finding.rule for finding in wrong if finding.outcome == "fail"] == ["known articles"]
    json.dumps([finding.observed for finding in wrong], allow_nan=False)
    foreign = smoke_test.run_smoke_test(generous, ResolvedModel("tiny/1", bundle, "other.dir", "tiny", number), known)
    assert foreign[0].outcome == "fail"
