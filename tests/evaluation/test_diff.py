"""What two revisions differ in."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from lineages import Run, begin, commit, forget, git, lay_down

from gazette.cli.app import gazette
from gazette.core.errors import Misconfigured
from gazette.evaluation.diff import changes
from gazette.evaluation.diff.difference import difference
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
    found = difference("HEAD", "HEAD")
    assert (found.data["changes"], found.params, found.code, found.packages, found.stages, found.flipped) == (
        {}, [], [], [], [], []
    )  # fmt: skip
    assert found.metrics["paired"]["mcnemar_p"] == 1
    assert not found.unknown and not found.weak


def test_each_kind_of_change_is_told() -> None:
    articles = [("match 0", "trade", "train"), *TRAIN[2:], ("a new one", "trade", "train"), *TEST]
    commit(Run(articles, seed=8, code="fit = 2\n", keras="3.16.0"))
    found = difference("HEAD~1", "HEAD")
    assert found.data["changes"] == {"added": 1, "gone": 1, "relabelled": 1, "moved": 0, "same": 32}
    assert [(one["change"], one["line"], one["label_before"], one["label"]) for one in found.data["articles"]] == [
        ("added", 5, None, "trade"), ("gone", 3, "sport", None), ("relabelled", 2, "sport", "trade"),
    ]  # fmt: skip
    assert found.params == [{"name": "train.seed", "before": 7, "after": 8}]
    assert {"path": "src/gazette/fit/fit.py", "state": "modified", "stages": ["train@one"]} in found.code
    assert found.packages == [{"name": "keras", "before": "3.15.1", "after": "3.16.0", "stages": ["train"]}]
    trained = next(one for one in found.stages if one["name"] == "train@one")
    assert {"src/gazette/fit", "train.seed", "environment.yaml.train.keras"} <= set(trained["inputs"])


def test_predictions_are_compared_on_the_articles_that_both_were_judged_on() -> None:
    wrong = {f"the goal {number}": "trade" for number in range(10)}
    commit(Run([*TRAIN, ("first now", "sport", "test"), *TEST[:29]], said=wrong))
    found = difference("HEAD~1", "HEAD")
    paired = found.metrics["paired"]
    assert (paired["articles"], paired["only before"], paired["only after"]) == (29, 1, 1)
    assert (paired["right before alone"], paired["right after alone"]) == (10, 0)
    assert paired["mcnemar_p"] == pytest.approx(2 / 2**10)
    assert paired["difference"]["accuracy"]["observed"] == pytest.approx(-10 / 29)
    assert [one["change"] for one in found.flipped] == ["now wrong"] * 10
    assert found.flipped[0] | {"line": 0} == {
        "change": "now wrong", "file": "all.csv", "line": 0, "label": "sport", "before": "sport", "after": "trade",
        "probability_before": 0.9, "probability": 0.9,
    }  # fmt: skip


def test_an_article_whose_label_changed_is_compared_by_neither() -> None:
    commit(Run([*TRAIN, ("the goal 0", "trade", "test"), *TEST[1:]]))
    paired = difference("HEAD~1", "HEAD").metrics["paired"]
    assert (paired["articles"], paired["labels differ"], paired["flipped"]) == (29, 1, 0)


def test_no_text_of_an_article_is_in_the_record() -> None:
    commit(Run([("a secret match", "trade", "train"), *TEST], said={"the goal 1": "trade"}))
    told = json.dumps(difference("HEAD~1", "HEAD").record())
    assert "secret" not in told and "goal" not in told and "match" not in told


def test_without_a_second_revision_it_is_the_tree_here() -> None:
    lay_down(Run([*TRAIN, *TEST], seed=9, said={"the goal 1": "trade"}))
    Path("src/gazette/new.py").write_text("")
    found = difference("HEAD")
    assert found.after["commit"] is None
    assert found.params[0]["after"] == 9
    assert found.code == [{"path": "src/gazette/new.py", "state": "added", "stages": []}]
    assert len(found.flipped) == 1


def test_what_is_nowhere_is_said_and_the_rest_compared() -> None:
    commit(Run([*TRAIN[1:], *TEST], seed=8))
    forget(str(dvclock.at(git("rev-parse", "HEAD~1")).hash_of("data/judged/predictions.parquet")))
    forget(str(dvclock.at(git("rev-parse", "HEAD~1")).hash_of("data/valid/articles.parquet")))
    found = difference("HEAD~1", "HEAD")
    assert [line.partition(":")[0] for line in found.unknown] == ["articles", "predictions"]
    assert "neither in DVC's cache nor in its remote" in found.unknown[0]
    assert found.params and found.metrics["paired"] == {} and found.metrics["before"]["accuracy"] == 1


def test_a_figure_that_no_stage_made_is_told() -> None:
    lay_down(FIRST)
    Path("reports/metrics.json").write_text('{"accuracy": 1.0}')
    git("commit", "-qam", "better figures")
    assert difference("HEAD~1", "HEAD").weak == [
        f"reports/metrics.json at {git('rev-parse', 'HEAD')[:9]} is not what evaluate made, by dvc.lock"
    ]


def test_a_revision_without_a_run_and_an_unknown_one_are_named() -> None:
    git("rm", "-q", "--cached", "dvc.lock")
    git("commit", "-qm", "no run")
    with pytest.raises(Misconfigured, match=r"no dvc\.lock at"):
        difference("HEAD")
    with pytest.raises(Misconfigured, match="git knows no revision 'nowhere'"):
        difference("nowhere")


def test_stages_that_came_or_went_are_told() -> None:
    state = dvclock.at(git("rev-parse", "HEAD"))
    fewer = dvclock.State(None, {name: one for name, one in state.stages.items() if name != "evaluate"})
    assert changes.stages(state, fewer) == [{"name": "evaluate", "state": "deleted", "inputs": [], "outputs": []}]


def test_the_command_shows_it() -> None:
    commit(Run([*TRAIN, *TEST], seed=8, said={"the goal 1": "trade"}))
    shown = CliRunner().invoke(gazette, ["diff", "HEAD~1", "HEAD", "--rows", "1"], catch_exceptions=False).output
    assert "train.seed" in shown and "McNemar p = 1" in shown and "now wrong" in shown and "data: the same" in shown
    told = CliRunner().invoke(gazette, ["diff", "HEAD~1", "--json"], catch_exceptions=False).output
    assert json.loads(told)["flipped"][0]["after"] == "trade"
