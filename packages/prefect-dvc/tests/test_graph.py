"""DVC projects of a few short stages: what is stale, why, and the outcome of a stage. Real DVC, no server."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import warm
from click.testing import CliRunner
from flow_runs import until
from projects import copy_stage, make_project

from prefect_dvc import graph, state
from prefect_dvc.cli import app
from prefect_dvc.core.errors import ConfigError
from prefect_dvc.environment import child_environment
from prefect_dvc.execution import forkserver
from prefect_dvc.execution import run as running
from prefect_dvc.execution.scheduler import FAILED, RAN, RESTORED, UNCHANGED, StageOutcome
from prefect_dvc.plan import Node, plan
from prefect_dvc.recovery import orphans, repair

Make = Callable[..., Path]


def repro(root: Path, *more: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "dvc", "repro", "--quiet", *more],
        cwd=root,
        env=child_environment({}) | warm.environment(),
        check=True,
    )


def reasons(root: Path, *targets: str) -> dict[str, list[str]]:
    return {node.name: [str(change) for change in node.changes] for node in graph.read_graph(root, targets)}


def run(root: Path, stage: str, **more: object) -> StageOutcome:
    return running.run_stage(root, stage, [].append, **more)  # type: ignore[arg-type]


def test_a_stage_that_never_ran_is_new_and_one_that_ran_is_unchanged(
    dvc_project: Make, wide: dict[str, object]
) -> None:
    root = dvc_project(wide, raw="1\n")
    assert reasons(root)["start"] == ["stage start is new"]
    repro(root)
    assert set(map(tuple, reasons(root).values())) == {()}


def test_a_change_is_named_with_what_it_was_and_is(dvc_project: Make) -> None:
    stages = {
        "train": copy_stage("model", "raw", params=["train", {"one.yaml": ["depth"]}]),
        "judge": copy_stage("judged", "made_model"),
    }
    root = dvc_project(
        stages, raw="1\n", params__yaml="train: {seed: 7, deep: {rate: 1, depth: 2}}\n", one__yaml="depth: 3"
    )
    repro(root)
    (root / "params.yaml").write_text("train: {seed: 8, deep: {rate: 1.5, depth: 2}, new: 1}\n")
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
    root = dvc_project({"a": copy_stage("a", "raw")}, raw="1\n")
    repro(root)
    (root / "dvc.yaml").write_text((root / "dvc.yaml").read_text().replace("&& true", "&& echo"))
    (change,) = graph.read_graph(root)[0].changes
    assert (change.kind, change.before, change.after) == (
        "command",
        "cat raw > made_a && true",
        "cat raw > made_a && echo",
    )


def test_a_target_brings_its_upstream_and_nothing_else(dvc_project: Make, wide: dict[str, object]) -> None:
    root = dvc_project(wide, raw="1\n")
    assert list(reasons(root, "c")) == ["start", "c"]
    with pytest.raises(ConfigError, match="nowhere"):
        graph.read_graph(root, ["nowhere"])


def test_stages_of_a_matrix_of_another_file_and_data_sources_have_the_names_that_dvc_gives(dvc_project: Make) -> None:
    train = {"matrix": {"who": ["a", "b"]}, **copy_stage("${item.who}", "raw")}
    root = dvc_project({"train": train}, raw="1\n")
    (root / "part").mkdir()
    (root / "part" / "dvc.yaml").write_text("stages: {judge: {cmd: cat ../made_a > j, deps: [../made_a], outs: [j]}}\n")
    subprocess.run(
        "git rm -q --cached raw && dvc add -q raw", shell=True, cwd=root, env=child_environment({}), check=True
    )
    repro(root, "-P")
    assert {node.name: node.upstream for node in graph.read_graph(root)} == {
        "train@a": (),
        "train@b": (),
        "part/dvc.yaml:judge": ("train@a",),
    }
    (root / "raw").write_text("2\n")
    nodes = {node.name: node.upstream for node in graph.read_graph(root)}
    assert nodes["train@a"] == ("raw.dvc",) and nodes["raw.dvc"] == ()
    assert run(root, "raw.dvc").state == RAN
    assert run(root, "train@a").state == RAN
    assert run(root, "part/dvc.yaml:judge").state == RAN


def test_hints_are_under_meta_and_change_nothing(dvc_project: Make) -> None:
    root = dvc_project({"a": copy_stage("a", "raw")}, raw="1\n")
    repro(root)
    hinted = copy_stage("a", "raw", meta={"owner": "me", "prefect": {"retries": 2, "timeout": 5, "mutex": "gpu"}})
    (root / "dvc.yaml").write_text(f"stages: {{a: {hinted!r}}}\n")
    (node,) = graph.read_graph(root)
    assert node.changes == () and (node.hints.retries, node.hints.timeout, node.hints.mutex) == (2, 5, "gpu")
    (root / "dvc.yaml").write_text((root / "dvc.yaml").read_text().replace("retries", "retrys"))
    with pytest.raises(ConfigError, match=r"meta.prefect of a: retrys"):
        graph.read_graph(root)


def test_outputs_in_the_run_cache_are_predicted_and_restored(dvc_project: Make) -> None:
    root = dvc_project({"a": copy_stage("a", "raw")}, raw="1\n")
    repro(root)
    (root / "raw").write_text("2\n")
    assert not graph.read_graph(root)[0].restorable
    assert run(root, "a").state == RAN
    (root / "raw").write_text("1\n")
    assert graph.read_graph(root)[0].restorable
    assert run(root, "a").state == RESTORED
    assert (root / "made_a").read_text() == "1\n"


def test_an_output_that_is_gone_but_cached_is_restored(dvc_project: Make) -> None:
    root = dvc_project({"a": copy_stage("a", "raw")}, raw="1\n")
    repro(root)
    (root / "made_a").unlink()
    assert graph.read_graph(root)[0].restorable
    assert run(root, "a").state == RESTORED


def test_a_stage_that_dvc_always_runs_is_never_unchanged(dvc_project: Make) -> None:
    root = dvc_project({"a": copy_stage("a", "raw", always_changed=True), "b": {"cmd": "true"}}, raw="1\n")
    repro(root)
    assert reasons(root) == {"a": ["stage a always changes"], "b": ["stage b always changes"]}
    assert (run(root, "a").state, run(root, "b").state) == (RAN, RAN)


def test_a_project_that_dvc_cannot_read_is_refused_with_what_dvc_says(dvc_project: Make) -> None:
    root = dvc_project({"a": copy_stage("a", "made_b"), "b": copy_stage("b", "made_a")})
    with pytest.raises(ConfigError, match="both a dependency and an output"):
        graph.read_graph(root)


def test_a_param_that_does_not_fit_its_template_is_a_configuration_error(dvc_project: Make) -> None:
    stages: dict[str, object] = {"train": {"matrix": {"name": "${names}"}, "cmd": "echo ${item.name}"}}
    with pytest.raises(ConfigError, match=r"cannot fill in a dvc.yaml of .*; is a param of another type\?"):
        graph.read_graph(dvc_project(stages, params__yaml="names: linear\n"))


@pytest.mark.parametrize("override", ["b=4", "x=[1", "=3", "a=1,2", "a=é", "nope.yaml:a=1"])
def test_an_override_that_dvc_does_not_take_is_named(dvc_project: Make, override: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"--set {override}: ")):
        graph.set_params(dvc_project({}, params__yaml="a: 1\n"), [override])


def test_an_override_never_edits_a_file_outside_its_tree(dvc_project: Make, tmp_path: Path) -> None:
    root = dvc_project({}, params__yaml="a: 1\n")
    (tmp_path / "mine.yaml").write_text("a: 1\n")
    with pytest.raises(ConfigError, match=r"mine\.yaml is outside of the project"):
        graph.set_params(root, [f"{tmp_path}/mine.yaml:a=2"])
    assert (tmp_path / "mine.yaml").read_text() == "a: 1\n"


def test_what_dvc_lacks_for_a_kind_of_storage_is_named(dvc_project: Make) -> None:
    pointer = "deps:\n- path: gs://bucket/raw\nouts:\n- path: far\n"
    with pytest.raises(ConfigError, match="requires 'dvc-gs' to be installed"):
        graph.read_graph(dvc_project({}, far__dvc=pointer))


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
def forked(request: pytest.FixtureRequest) -> bool:
    """Fork stages from a DVC that was started ahead, or not."""
    if request.param == "forked":
        forkserver.start(Path())
    return bool(request.param == "forked")


def test_a_stages_output_arrives_while_it_runs(dvc_project: Make, forked: bool) -> None:
    root = dvc_project({"a": copy_stage("a", "raw", then="echo one && sleep 1 && echo two")}, raw="1\n")
    lines: list[tuple[str, float]] = []
    outcome = running.run_stage(root, "a", lambda line: lines.append((line, time.monotonic())), forked=forked)
    moments = dict(lines)
    assert outcome.state == RAN and outcome.seconds > 1
    assert moments["two"] - moments["one"] > 0.5
    assert run(root, "a", forked=forked).state == UNCHANGED
    assert run(root, "a", forked=forked, force=True, extra={"A": "b"}).state == RAN


LONG = "echo 'a word and a word' " + "and another one " * 12 + "> long"


@pytest.mark.parametrize("before", ["nothing", "a lock of another writer"])
def test_a_forked_stage_writes_the_lock_that_dvc_writes(tmp_path: Path, before: str) -> None:
    stages = {
        "first": copy_stage("first", "raw", params=["rates", {"one.yaml": ["depth"]}]),
        "long": {"cmd": LONG, "deps": ["raw"], "outs": ["long"]},
        "many": {"foreach": ["1", "é"], "do": {"cmd": ["mkdir many${item}", "cp raw many${item}"], "deps": ["raw"]}},
        "last": copy_stage("last", "long"),
    }
    stages["many"]["do"]["outs"] = ["many${item}"]  # type: ignore[index]
    files = {"raw": "1\n", "params__yaml": "rates: {a: 1e-3, b: [1, {c: null}]}\n", "one__yaml": "depth: 3"}
    root, twin = (make_project(tmp_path / name, stages, **files) for name in ("forked", "twin"))
    names = ["first", "long", "many@1", "many@é", "last"]
    if before != "nothing":
        for folder in (root, twin):
            (folder / "dvc.lock").write_text(f"schema: '2.0'\nstages:\n  gone:\n    cmd: {LONG}\n")
    forkserver.start(root)
    for text in ("1\n", "2\n"):
        for folder in (root, twin):
            (folder / "raw").write_text(text)
        repro(twin)
        assert not [name for name in names if run(root, name, forked=True).code]
        assert (root / "dvc.lock").read_text() == (twin / "dvc.lock").read_text()


@pytest.mark.parametrize(("ending", "code"), [("exit 3", 3), ("exit 1", 1), ("kill -9 $$", 137)])
def test_a_failed_stage_has_its_own_exit_code_and_its_last_words(
    dvc_project: Make, forked: bool, ending: str, code: int
) -> None:
    root = dvc_project({"a": copy_stage("a", "raw", then=f"echo 'it exited with 7' && {ending}")}, raw="1\n")
    outcome = run(root, "a", forked=forked)
    assert (outcome.state, outcome.code) == (FAILED, code)
    assert "it exited with 7\n" in outcome.message


def test_a_stage_that_collided_with_another_run_in_the_shared_cache_is_retried(dvc_project: Make) -> None:
    root = dvc_project({"a": copy_stage("a", "raw")}, raw="1\n")
    assert run(root, "a").state == RAN
    (root / "dvc.lock").unlink()
    (entry,) = (root / ".dvc/cache/runs").glob("*/*/*")
    theirs = entry.with_name(".theirs.tmp")  # which is listed, and moved to its own name before it is looked at
    theirs.symlink_to("moved")
    outcome = running.run_stage(root, "a", lambda line: theirs.unlink(missing_ok=True) if "theirs" in line else None)
    assert outcome.state == RESTORED

    theirs.symlink_to("moved")
    (root / "dvc.lock").unlink()
    lines: list[str] = []
    assert running.run_stage(root, "a", lines.append).state == FAILED
    assert sum("theirs" in line for line in lines) == running.MAX_TRIES


def test_a_stage_that_cannot_start_is_a_configuration_error(dvc_project: Make) -> None:
    root = dvc_project({"a": copy_stage("a", "missing")})
    outcome = run(root, "a")
    assert (outcome.state, outcome.code) == (FAILED, 2) and "missing" in outcome.message


def test_a_stage_that_times_out_is_ended_whole_and_leaves_no_lock(dvc_project: Make, forked: bool) -> None:
    root = dvc_project({"a": copy_stage("a", "raw", then="sleep 60.25")}, raw="1\n")
    outcome = run(root, "a", timeout=4, forked=forked)
    assert (outcome.state, outcome.code, outcome.seconds < 15) == (FAILED, 124, True)
    assert outcome.message.endswith("ended after 4 seconds, its timeout")
    assert not running_commands("sleep 60.25")
    assert run(root, "a", timeout=4, forked=forked).code == 124  # not: blocked by what was left behind


def running_commands(words: str) -> list[str]:
    commands = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            shell = path.read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        commands += [shell] if words in shell and "pytest" not in shell else []
    return commands


PARENT = """
import pathlib, sys
from prefect_dvc.execution import forkserver, run
if sys.argv[2]:
    forkserver.start(pathlib.Path(sys.argv[1]))
run.run_stage(pathlib.Path(sys.argv[1]), "a", print, forked=bool(sys.argv[2]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
@pytest.mark.parametrize("ahead", ["", "ahead"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_stage_dies_with_the_process_that_started_it(dvc_project: Make, number: int, ahead: str) -> None:
    root = dvc_project({"a": copy_stage("a", "raw", then=f"sleep 60.{number}")}, raw="1\n")
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(root), ahead], stdout=subprocess.DEVNULL)
    until(lambda: bool(running_commands(f"sleep 60.{number}")))
    children = psutil.Process(parent.pid).children(recursive=True)
    os.kill(parent.pid, number)
    parent.wait()
    until(lambda: not any(orphans.is_running(child) for child in children), within=10)


def test_a_stage_under_way_is_left_alone_when_another_is_repaired(dvc_project: Make, forked: bool) -> None:
    root = dvc_project({"a": copy_stage("a", "raw", then="sleep 4.25 && test -f made_a")}, raw="1\n")
    with ThreadPoolExecutor() as pool:
        outcome = pool.submit(run, root, "a", forked=forked)
        until(lambda: bool(running_commands("sleep 4.25")))
        assert repair.repair_files(root, interrupted=True) == []
        assert outcome.result().state == RAN


TWO_RUNS = """
import pathlib, sys
from prefect_dvc.execution import forkserver, run
from prefect_dvc.recovery import guard
print(__name__)
root = pathlib.Path(sys.argv[1])
for _ in range(2 if __name__ == "__main__" else 0):
    with guard.exclusive_run(root) as repairs:
        forkserver.start(root)
        print(run.run_stage(root, "a", str, forked=True).state, repairs)
"""


@pytest.mark.parametrize("command", [["-m", "program"], ["program.py"]])
def test_a_second_run_in_a_process_uses_its_fork_server_and_none_imports_the_program(
    dvc_project: Make, command: list[str]
) -> None:
    root = dvc_project({"a": copy_stage("a", "raw")}, raw="1\n", program__py=TWO_RUNS)
    result = subprocess.run([sys.executable, *command, "."], cwd=root, capture_output=True, text=True, check=True)
    assert (result.stdout.split("\n"), result.stderr) == (["__main__", "ran []", "unchanged []", ""], "")


def test_stages_under_way_can_be_ended_together_and_say_so(dvc_project: Make, forked: bool) -> None:
    root = dvc_project({"a": copy_stage("a", "raw", then="sleep 60.5")}, raw="1\n")
    with ThreadPoolExecutor() as pool:
        outcome = pool.submit(run, root, "a", forked=forked)
        until(lambda: bool(running_commands("sleep 60.5")))
        running.terminate_all()
        assert outcome.result(10).code == running.INTERRUPTED


def test_a_plan_is_read_without_running_anything(dvc_project: Make, wide: dict[str, object]) -> None:
    root = dvc_project(wide, raw="1\n")
    before = sorted(path.name for path in root.iterdir())
    nodes: list[Node] = graph.read_graph(root)
    assert [step.wave for step in plan(nodes, {})] == [1, 2, 2, 2, 2, 3]
    assert sorted(path.name for path in root.iterdir()) == before


def test_the_command_plan_shows_waves_reasons_and_durations(
    dvc_project: Make, wide: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = dvc_project(wide, raw="1\n")
    repro(root)
    (root / "raw").write_text("2\n")
    state.record_seconds(root, {"start": 1.23})
    monkeypatch.chdir(root)
    text = CliRunner().invoke(app.prefect_dvc, ["plan", "a"]).output
    assert "dep raw: b026324c → 26ab0db9" in text and "1.2 s" in text and "upstream start" in text
    stages = json.loads(CliRunner().invoke(app.prefect_dvc, ["plan", "--json"]).output)["stages"]
    assert [stage["wave"] for stage in stages] == [1, 2, 2, 2, 2, 3]


@pytest.mark.parametrize("name", ["dvc.yaml", "dvc.lock", "raw.dvc"])
def test_a_merge_conflict_is_named_with_its_file_and_line(dvc_project: Make, name: str) -> None:
    root = dvc_project({"a": copy_stage("a", "raw")}, raw="1\n")
    (root / name).write_text("schema: '2.0'\n<<<<<<< HEAD\na: 1\n=======\na: 2\n>>>>>>> main\n")
    with pytest.raises(ConfigError, match=f": {name}, line 2: a merge conflict marker; resolve the conflict$"):
        graph.read_graph(root)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("dvc.lock", "", "'./dvc.lock' validation failed\nschema: required key not provided\nthe next run restores it"),
        (
            "dvc.lock",
            "a: [1",
            "line 2, column 1: did not find expected ',' or ']'\nthe next run restores it",
        ),
        ("dvc.yaml", "stages: {a: {cmd: x, dep: [y]}}", "stages -> a -> dep: extra keys not allowed"),
        ("dvc.yaml", "stages:\n  a: {cmd: x}\n  a: {cmd: y}\n", "corrupted\nline 3, column 3: found duplicate key"),
        ("dvc.yaml", "stages: {a: {cmd: caf\udce9}}\n", "not valid utf-8\nsave the file as UTF-8"),
        (".git/info/exclude", "*.yaml\n", "'dvc.yaml' is git-ignored.\n`git check-ignore -v --no-index"),
        (".git/info/exclude", "*.lock\n", "dvc.lock' is git-ignored.\n`git check-ignore -v --no-index"),
    ],
)
def test_a_file_that_dvc_refuses_or_passes_over_comes_with_the_fault_and_what_to_do(
    dvc_project: Make, name: str, text: str, message: str
) -> None:
    root = dvc_project({"a": copy_stage("a", "raw")}, raw="1\n")
    repro(root)
    (root / name).write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ConfigError, match=re.escape(message)):
        graph.read_graph(root)


def test_data_that_are_missing_come_with_the_commands_that_bring_them(dvc_project: Make) -> None:
    root = dvc_project({"a": copy_stage("a", "raw")})
    (root / "raw").write_text("1\n")
    subprocess.run([sys.executable, "-m", "dvc", "add", "-q", "raw"], cwd=root, check=True)
    (root / "raw").unlink()
    outcome = running.run_stage(root, "raw.dvc", lambda line: None)
    assert outcome.code == 2 and "missing data 'source': raw\nbring it back with `dvc checkout`" in outcome.message
