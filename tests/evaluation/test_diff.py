"""What two revisions differ in."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from click.testing import CliRunner
from lineages import Run, begin, commit, forget, git, lay_down
from prefect_dvc.core.errors import ConfigError

from gazette.cli.app import gazette
from gazette.evaluation.diff import changes
from gazette.evaluation.diff.difference import diff_revisions
from gazette.pipeline import dvclock

TRAIN = [(f"match {number}", "sport", "train") for number in range(4)]
TEST = [(f"the goal {number}", "sport", "test") for number in range(30)]
FIRST = Run([*TRAIN, *TEST])


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose first run is committed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    begin()
    commit(FIRST)
    return tmp_path


def test_the_same_is_no_difference() -> None:
    diff = diff_revisions("HEAD", "HEAD")
    assert (diff.data["changes"], diff.params, diff.code, diff.packages, diff.stages, diff.flipped) == (
        {}, [], [], [], [], []
    )  # fmt: skip
    assert diff.metrics["paired"]["mcnemar_p"] == 1
    assert not diff.unknown and not diff.weak


def test_each_kind_of_change_is_listed() -> None:
    articles = [("match 0", "trade", "train"), *TRAIN[2:], ("a new one", "trade", "train"), *TEST]
    commit(Run(articles, seed=8, code="fit = 2\n", keras="3.16.0"))
    diff = diff_revisions("HEAD~1", "HEAD")
    assert diff.data["changes"] == {"added": 1, "gone": 1, "relabeled": 1, "moved": 0, "same": 32}
    assert [(row["change"], row["line"], row["label_before"], row["label"]) for row in diff.data["articles"]] == [
        ("added", 5, None, "trade"), ("gone", 3, "sport", None), ("relabeled", 2, "sport", "trade"),
    ]  # fmt: skip
    assert diff.params == [{"name": "train.seed", "before": 7, "after": 8}]
    assert {"path": "src/gazette/fit/fit.py", "from": None, "state": "modified", "stages": ["train@one"]} in diff.code
    assert diff.packages == [{"name": "keras", "before": "3.15.1", "after": "3.16.0", "stages": ["train"]}]
    trained = next(stage for stage in diff.stages if stage["name"] == "train@one")
    assert {"src/gazette/fit", "train.seed", "environment.yaml:train.keras"} <= set(trained["inputs"])


def test_predictions_are_compared_on_shared_articles() -> None:
    wrong = {f"the goal {number}": "trade" for number in range(10)}
    commit(Run([*TRAIN, ("first now", "sport", "test"), *TEST[:29]], predicted=wrong))
    diff = diff_revisions("HEAD~1", "HEAD")
    paired = diff.metrics["paired"]
    assert (paired["articles"], paired["only before"], paired["only after"]) == (29, 1, 1)
    assert (paired["right before alone"], paired["right after alone"]) == (10, 0)
    assert paired["mcnemar_p"] == pytest.approx(2 / 2**10)
    assert paired["difference"]["accuracy"]["observed"] == pytest.approx(-10 / 29)
    assert [row["change"] for row in diff.flipped] == ["now wrong"] * 10
    assert diff.flipped[0] | {"line": 0} == {
        "change": "now wrong", "file": "all.csv", "line": 0, "label": "sport", "before": "sport", "after": "trade",
        "probability_before": 0.9, "probability": 0.9,
    }  # fmt: skip


def test_an_article_whose_label_changed_is_not_compared() -> None:
    commit(Run([*TRAIN, ("the goal 0", "trade", "test"), *TEST[1:]]))
    paired = diff_revisions("HEAD~1", "HEAD").metrics["paired"]
    assert (paired["articles"], paired["labels differ"], paired["flipped"]) == (29, 1, 0)


def test_no_text_of_an_article_is_in_the_record() -> None:
    commit(Run([("a secret match", "trade", "train"), *TEST], predicted={"the goal 1": "trade"}))
    record = json.dumps(asdict(diff_revisions("HEAD~1", "HEAD")))
    assert "secret" not in record and "goal" not in record and "match" not in record


def test_without_a_second_revision_it_is_the_tree_here() -> None:
    lay_down(Run([*TRAIN, *TEST], seed=9, predicted={"the goal 1": "trade"}))
    Path("src/gazette/new.py").write_text("")
    diff = diff_revisions("HEAD")
    assert diff.after["commit"] is None
    assert diff.params[0]["after"] == 9
    assert diff.code == [{"path": "src/gazette/new.py", "from": None, "state": "added", "stages": []}]
    assert len(diff.flipped) == 1


def test_missing_files_are_listed_and_the_rest_is_compared() -> None:
    commit(Run([*TRAIN[1:], *TEST], seed=8))
    forget(str(dvclock.load(git("rev-parse", "HEAD~1")).hash_of("data/predictions/predictions.parquet")))
    forget(str(dvclock.load(git("rev-parse", "HEAD~1")).hash_of("data/validated/articles.parquet")))
    diff = diff_revisions("HEAD~1", "HEAD")
    assert [line.partition(":")[0] for line in diff.unknown] == ["articles", "predictions"]
    assert "neither in DVC's cache nor in its remote" in diff.unknown[0]
    assert diff.params and diff.metrics["paired"] == {} and diff.metrics["before"]["accuracy"] == 1


def test_a_metric_that_no_stage_made_is_reported() -> None:
    lay_down(FIRST)
    Path("reports/metrics.json").write_text('{"accuracy": 1.0}')
    git("commit", "-qam", "better figures")
    assert diff_revisions("HEAD~1", "HEAD").weak == [
        f"reports/metrics.json at {git('rev-parse', 'HEAD')[:9]} is not the output of evaluate that dvc.lock recorded"
    ]


def test_a_revision_without_a_run_and_an_unknown_one_are_named() -> None:
    git("rm", "-q", "--cached", "dvc.lock")
    git("commit", "-qm", "no run")
    with pytest.raises(ConfigError, match=r"no dvc\.lock at"):
        diff_revisions("HEAD")
    with pytest.raises(ConfigError, match="git knows no revision 'nowhere'"):
        diff_revisions("nowhere")


@pytest.mark.parametrize("sides", [("", "HEAD"), ("HEAD", ""), ("",)])
def test_an_empty_revision_as_from_an_unset_variable_is_not_the_tree_here(sides: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="git knows no revision ''"):
        diff_revisions(*sides)


@pytest.mark.parametrize("text", ["", "schema: '2.0'\n"])
def test_a_lock_without_stages_is_named_and_is_no_revision_in_which_nothing_flipped(text: str) -> None:
    Path("dvc.lock").write_text(text)
    with pytest.raises(ConfigError, match=r"dvc\.lock here has no stages: `gazette run` restores them"):
        diff_revisions("HEAD")


def test_articles_that_could_not_be_compared_are_not_called_the_same() -> None:
    forget(str(dvclock.load(git("rev-parse", "HEAD")).hash_of("data/predictions/predictions.parquet")))
    output = CliRunner().invoke(gazette, ["diff", "HEAD", "HEAD"], catch_exceptions=False).output
    assert "flipped: unknown" in output and "no article flipped" not in output


def test_a_moved_file_is_a_rename_and_names_the_stages_that_run_it() -> None:
    Path("src/gazette/fit/fit.py").rename("src/gazette/fit/solver.py")
    git("add", "-A")
    git("commit", "-qm", "moved")
    assert diff_revisions("HEAD~1", "HEAD").code == [
        {"path": "src/gazette/fit/solver.py", "from": "src/gazette/fit/fit.py", "state": "renamed",
         "stages": ["train@one"]},
    ]  # fmt: skip
    output = CliRunner().invoke(gazette, ["diff", "HEAD~1", "HEAD"], catch_exceptions=False).output
    assert "renamed" in output and "fit.py" in output and "solver.py" in output


def test_added_and_removed_stages_are_listed() -> None:
    state = dvclock.load(git("rev-parse", "HEAD"))
    fewer = dvclock.DvcLock(None, {name: stage for name, stage in state.stages.items() if name != "evaluate"})
    assert changes.stage_changes(state, fewer) == [
        {"name": "evaluate", "state": "deleted", "inputs": [], "outputs": []}
    ]


def test_the_command_shows_it() -> None:
    commit(Run([*TRAIN, *TEST], seed=8, predicted={"the goal 1": "trade"}))
    output = CliRunner().invoke(gazette, ["diff", "HEAD~1", "HEAD", "--rows", "1"], catch_exceptions=False).output
    assert "train.seed" in output and "McNemar p = 1" in output and "now wrong" in output and "data: the same" in output
    record = CliRunner().invoke(gazette, ["diff", "HEAD~1", "--json"], catch_exceptions=False).output
    assert json.loads(record)["flipped"][0]["after"] == "trade"
