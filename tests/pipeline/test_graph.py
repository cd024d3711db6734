"""DVC projects of a few short stages: what is stale, why, what a stage came to. Real DVC, no server."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from projects import copying

from gazette.cli import app
from gazette.core.errors import Misconfigured
from gazette.pipeline import graph, state
from gazette.pipeline.execution import forkserver
from gazette.pipeline.execution import run as running
from gazette.pipeline.execution.scheduler import FAILED, RAN, RESTORED, UNCHANGED, Outcome
from gazette.pipeline.plan import Node, plan

Make = Callable[..., Path]


def repro(root: Path, *more: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "dvc", "repro", "--quiet", *more], cwd=root, env=running.environment({}), check=True
    )


def reasons(root: Path, *targets: str) -> dict[str, list[str]]:
    return {node.name: [str(change) for change in node.changes] for node in graph.read(root, targets)}


def run(root: Path, stage: str, **more: object) -> Outcome:
    return running.run(root, stage, [].append, **more)  # type: ignore[arg-type]


def test_a_stage_that_never_ran_is_new_and_one_that_ran_is_unchanged(
    dvc_project: Make, wide: dict[str, object]
) -> None:
    root = dvc_project(wide, raw="1\n")
    assert reasons(root)["start"] == ["stage start is new"]
    repro(root)
    assert set(map(tuple, reasons(root).values())) == {()}


def test_a_change_is_named_with_what_it_was_and_is(dvc_project: Make) -> None:
    stages = {
        "train": copying("model", "raw", params=["train", {"one.yaml": ["depth"]}]),
        "judge": copying("judged", "made_model"),
    }
    root = dvc_project(
        stages, raw="1\n", params__yaml="train: {seed: 7, deep: {rate: 1, kept: 2}}\n", one__yaml="depth: 3"
    )
    repro(root)
    (root / "params.yaml").write_text("train: {seed: 8, deep: {rate: 1.5, kept: 2}, new: 1}\n")
    (root / "one.yaml").write_text("depth: 4\n")
    (root / "raw").write_text("2\n")
    (root / "made_judged").unlink()
    assert reasons(root) == {
        "train": [
            "dep raw: b026324c → 26ab0db9",
            "param train.seed: 7 → 8",
            "param train.deep.rate: 1 → 1.5",
            "param train.new is new",
            "param one.yaml:depth: 3 → 4",
        ],
        "judge": ["out made_judged is deleted"],
    }


def test_a_changed_command_is_named(dvc_project: Make) -> None:
    root = dvc_project({"a": copying("a", "raw")}, raw="1\n")
    repro(root)
    (root / "dvc.yaml").write_text((root / "dvc.yaml").read_text().replace("&& true", "&& echo"))
    (change,) = graph.read(root)[0].changes
    assert (change.kind, change.before, change.after) == (
        "command",
        "cat raw > made_a && true",
        "cat raw > made_a && echo",
    )


def test_a_target_brings_its_upstream_and_nothing_else(dvc_project: Make, wide: dict[str, object]) -> None:
    root = dvc_project(wide, raw="1\n")
    assert list(reasons(root, "c")) == ["start", "c"]
    with pytest.raises(Misconfigured, match="nowhere"):
        graph.read(root, ["nowhere"])


def test_stages_of_a_matrix_of_another_file_and_data_sources_have_the_names_that_dvc_gives(dvc_project: Make) -> None:
    train = {"matrix": {"who": ["a", "b"]}, **copying("${item.who}", "raw")}
    root = dvc_project({"train": train}, raw="1\n")
    (root / "part").mkdir()
    (root / "part" / "dvc.yaml").write_text("stages: {judge: {cmd: cat ../made_a > j, deps: [../made_a], outs: [j]}}\n")
    subprocess.run(
        "git rm -q --cached raw && dvc add -q raw", shell=True, cwd=root, env=running.environment({}), check=True
    )
    repro(root, "-P")
    assert {node.name: node.upstream for node in graph.read(root)} == {
        "train@a": (),
        "train@b": (),
        "part/dvc.yaml:judge": ("train@a",),
    }
    (root / "raw").write_text("2\n")
    nodes = {node.name: node.upstream for node in graph.read(root)}
    assert nodes["train@a"] == ("raw.dvc",) and nodes["raw.dvc"] == ()
    assert run(root, "raw.dvc").state == RAN
    assert run(root, "train@a").state == RAN
    assert run(root, "part/dvc.yaml:judge").state == RAN


def test_hints_stand_under_meta_and_change_nothing(dvc_project: Make) -> None:
    root = dvc_project({"a": copying("a", "raw")}, raw="1\n")
    repro(root)
    hinted = copying("a", "raw", meta={"owner": "me", "prefect": {"retries": 2, "timeout": 5, "mutex": "gpu"}})
    (root / "dvc.yaml").write_text(f"stages: {{a: {hinted!r}}}\n")
    (node,) = graph.read(root)
    assert node.changes == () and (node.hints.retries, node.hints.timeout, node.hints.mutex) == (2, 5, "gpu")
    (root / "dvc.yaml").write_text((root / "dvc.yaml").read_text().replace("retries", "retrys"))
    with pytest.raises(Misconfigured, match=r"meta.prefect of a: retrys"):
        graph.read(root)


def test_what_the_run_cache_has_is_foretold_and_restored(dvc_project: Make) -> None:
    root = dvc_project({"a": copying("a", "raw")}, raw="1\n")
    repro(root)
    (root / "raw").write_text("2\n")
    assert not graph.read(root)[0].restorable
    assert run(root, "a").state == RAN
    (root / "raw").write_text("1\n")
    assert graph.read(root)[0].restorable
    assert run(root, "a").state == RESTORED
    assert (root / "made_a").read_text() == "1\n"


def test_an_output_that_is_gone_but_cached_is_restored(dvc_project: Make) -> None:
    root = dvc_project({"a": copying("a", "raw")}, raw="1\n")
    repro(root)
    (root / "made_a").unlink()
    assert graph.read(root)[0].restorable
    assert run(root, "a").state == RESTORED


def test_a_stage_that_dvc_always_runs_is_never_unchanged(dvc_project: Make) -> None:
    root = dvc_project({"a": copying("a", "raw", always_changed=True), "b": {"cmd": "true"}}, raw="1\n")
    repro(root)
    assert reasons(root) == {"a": ["stage a always changes"], "b": ["stage b always changes"]}
    assert (run(root, "a").state, run(root, "b").state) == (RAN, RAN)


def test_a_project_that_dvc_cannot_read_is_refused_with_what_dvc_says(dvc_project: Make) -> None:
    root = dvc_project({"a": copying("a", "made_b"), "b": copying("b", "made_a")})
    with pytest.raises(Misconfigured, match="both a dependency and an output"):
        graph.read(root)


def test_metrics_are_compared_with_the_last_commit(dvc_project: Make) -> None:
    stage = {"cmd": "cp raw m.json", "deps": ["raw"], "metrics": [{"m.json": {"cache": False}}]}
    root = dvc_project({"a": stage}, raw='{"f1": 0.5, "rows": 3}')
    repro(root)
    subprocess.run(
        "git add -A && git -c user.name=t -c user.email=t@t commit -qm ran", shell=True, cwd=root, check=True
    )
    assert graph.metrics_diff(root) == []
    (root / "raw").write_text('{"f1": 0.75, "rows": 3}')
    repro(root)
    assert graph.metrics_diff(root) == [("m.json", "f1", 0.5, 0.75)]


@pytest.fixture(params=["started anew", "forked"])
def template(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str | None]:
    """Whether stages are forked from a DVC that was started ahead."""
    if request.param == "started anew":
        yield None
        return
    with forkserver.template(tmp_path, running.environment({})) as address:
        until(lambda: Path(address).exists())
        yield address


def test_a_stage_is_heard_while_it_runs_and_says_what_became_of_it(dvc_project: Make, template: str | None) -> None:
    root = dvc_project({"a": copying("a", "raw", then="echo one && sleep 1 && echo two")}, raw="1\n")
    heard: list[tuple[str, float]] = []
    outcome = running.run(root, "a", lambda line: heard.append((line, time.monotonic())), template=template)
    moments = dict(heard)
    assert outcome.state == RAN and outcome.seconds > 1
    assert moments["two"] - moments["one"] > 0.5
    assert run(root, "a", template=template).state == UNCHANGED
    assert run(root, "a", template=template, force=True, extra={"A": "b"}).state == RAN


@pytest.mark.parametrize(("ending", "code"), [("exit 3", 3), ("exit 1", 1), ("kill -9 $$", 137)])
def test_a_failed_stage_has_its_own_exit_code_and_its_last_words(
    dvc_project: Make, template: str | None, ending: str, code: int
) -> None:
    root = dvc_project({"a": copying("a", "raw", then=f"echo 'it exited with 7' && {ending}")}, raw="1\n")
    outcome = run(root, "a", template=template)
    assert (outcome.state, outcome.code) == (FAILED, code)
    assert "it exited with 7\n" in outcome.message


def test_a_stage_that_met_another_run_in_the_cache_they_share_is_asked_for_again(dvc_project: Make) -> None:
    root = dvc_project({"a": copying("a", "raw")}, raw="1\n")
    assert run(root, "a").state == RAN
    (root / "dvc.lock").unlink()
    (entry,) = (root / ".dvc/cache/runs").glob("*/*/*")
    theirs = entry.with_name(".theirs.tmp")  # which is listed, and moved to its own name before it is looked at
    theirs.symlink_to("moved")
    outcome = running.run(root, "a", lambda line: theirs.unlink(missing_ok=True) if "theirs" in line else None)
    assert outcome.state == RESTORED

    theirs.symlink_to("moved")
    (root / "dvc.lock").unlink()
    heard: list[str] = []
    assert running.run(root, "a", heard.append).state == FAILED
    assert sum("theirs" in line for line in heard) == running.TRIES


def test_a_stage_that_cannot_even_start_is_a_matter_of_configuration(dvc_project: Make) -> None:
    root = dvc_project({"a": copying("a", "missing")})
    outcome = run(root, "a")
    assert (outcome.state, outcome.code) == (FAILED, 2) and "missing" in outcome.message


def test_a_stage_that_takes_too_long_is_ended_whole_and_leaves_no_lock(dvc_project: Make, template: str | None) -> None:
    root = dvc_project({"a": copying("a", "raw", then="sleep 60.25")}, raw="1\n")
    outcome = run(root, "a", timeout=4, template=template)
    assert (outcome.state, outcome.code, outcome.seconds < 15) == (FAILED, 124, True)
    assert outcome.message.endswith("ended after 4 seconds, its time-out")
    assert not running_commands("sleep 60.25")
    assert run(root, "a", timeout=4, template=template).code == 124  # not: blocked by what was left behind


def running_commands(words: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            said = path.read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        found += [said] if words in said and "pytest" not in said else []
    return found


PARENT = """
import contextlib, pathlib, sys, time
from gazette.pipeline.execution import run as running, forkserver as warm
root = pathlib.Path(sys.argv[1])
with warm.template(root, running.environment({})) if sys.argv[2] else contextlib.nullcontext() as address:
    while address and not pathlib.Path(address).exists():
        time.sleep(0.1)
    running.run(root, "a", print, template=address)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
@pytest.mark.parametrize("ahead", ["", "ahead"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_stage_dies_with_the_process_that_started_it(dvc_project: Make, number: int, ahead: str) -> None:
    root = dvc_project({"a": copying("a", "raw", then=f"sleep 60.{number}")}, raw="1\n")
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(root), ahead], stdout=subprocess.DEVNULL)
    until(lambda: bool(running_commands(f"sleep 60.{number}")))
    os.kill(parent.pid, number)
    parent.wait()
    until(lambda: not running_commands(f"sleep 60.{number}"), within=10)
    until(lambda: not running_commands(str(root)), within=10)


def until(happened: Callable[[], bool], within: float = 30) -> None:
    end = time.monotonic() + within
    while not happened():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


def test_stages_under_way_can_be_ended_together_and_say_so(dvc_project: Make, template: str | None) -> None:
    root = dvc_project({"a": copying("a", "raw", then="sleep 60.5")}, raw="1\n")
    outcomes: list[Outcome] = []
    thread = threading.Thread(target=lambda: outcomes.append(run(root, "a", template=template)))
    thread.start()
    until(lambda: bool(running_commands("sleep 60.5")))
    running.end_all()
    thread.join(10)
    assert outcomes[0].code == running.INTERRUPTED


def test_a_plan_is_read_without_running_anything(dvc_project: Make, wide: dict[str, object]) -> None:
    root = dvc_project(wide, raw="1\n")
    before = sorted(path.name for path in root.iterdir())
    nodes: list[Node] = graph.read(root)
    assert [step.wave for step in plan(nodes, {})] == [1, 2, 2, 2, 2, 3]
    assert sorted(path.name for path in root.iterdir()) == before


def test_the_command_plan_tells_waves_reasons_and_durations(
    dvc_project: Make, wide: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = dvc_project(wide, raw="1\n")
    repro(root)
    (root / "raw").write_text("2\n")
    state.note_seconds(root, {"start": 1.23})
    monkeypatch.chdir(root)
    text = CliRunner().invoke(app.gazette, ["plan", "a"]).output
    assert "dep raw: b026324c → 26ab0db9" in text and "1.2 s" in text and "upstream start" in text
    stages = json.loads(CliRunner().invoke(app.gazette, ["plan", "--json"]).output)["stages"]
    assert [stage["wave"] for stage in stages] == [1, 2, 2, 2, 2, 3]
