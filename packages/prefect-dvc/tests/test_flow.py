"""The flow as a command, on small DVC projects, with a real Prefect server."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import warm
from flow_runs import Flow, until
from projects import SOMEBODY, copy_stage

from prefect_dvc import state
from prefect_dvc.environment import child_environment
from prefect_dvc.flows import server

pytestmark = pytest.mark.slow

Make = Callable[..., Path]


def serial(root: Path, *options: str) -> bytes:
    """Return the dvc.lock of a serial `dvc repro`."""
    command = [sys.executable, "-m", "dvc", "repro", "--quiet", *options]
    subprocess.run(command, cwd=root, env=child_environment({}) | warm.environment(), check=True)
    return (root / "dvc.lock").read_bytes()


def from_nothing(root: Path) -> None:
    """Remove the outputs of the stages, and what DVC knows of them."""
    subprocess.run("rm -rf dvc.lock made_* .dvc/cache .dvc/tmp", shell=True, cwd=root, check=True)


@pytest.mark.parametrize("options", [["--workers", "2"], ["--workers", "4"], ["--runner", "dask"]])
def test_the_lock_is_that_of_a_serial_run_whatever_ran_side_by_side(
    flow: Flow, dvc_project: Make, wide: dict[str, object], options: list[str]
) -> None:
    wide["b"] = copy_stage("b", "made_start", then="sleep 2")  # so that c and d end before it
    root = dvc_project(wide, raw="1\n")
    expected = serial(root)
    from_nothing(root)
    flow(root, *options)
    assert (root / "dvc.lock").read_bytes() == expected
    assert set(flow.states().values()) == {"Ran"} and set(flow.states()) == set(wide)


def test_nothing_changed_starts_no_process_and_says_so(flow: Flow, dvc_project: Make, wide: dict[str, object]) -> None:
    root = dvc_project(wide, raw="1\n")
    before = serial(root)
    output = flow(root)
    assert flow.states() == dict.fromkeys(wide, "Unchanged")
    assert "6 unchanged" in str(flow.last()["state"]["message"])
    assert "didn't change" not in output and (root / "dvc.lock").read_bytes() == before
    assert "| start | unchanged |" in flow.page() and "No metric differs" in flow.page()


def test_each_stage_has_its_own_task_with_its_state(flow: Flow, dvc_project: Make) -> None:
    train = {
        "matrix": {"who": ["cnn", "lstm"]},
        "cmd": "python -c \"print('half way')\" && cp raw_${item.who} made_${item.who}",
        "deps": ["raw_${item.who}"],
        "outs": ["made_${item.who}"],
    }
    metric = {"cmd": "cp made_cnn m.json", "deps": ["made_cnn"], "metrics": [{"m.json": {"cache": False}}]}
    root = dvc_project({"train": train, "judge": metric}, raw_cnn='{"f1": 0.5}', raw_lstm="1")
    serial(root)
    (root / "raw_cnn").write_text('{"f1": 0.75}')
    serial(root)
    git = "git add -A && git -c user.name=t -c user.email=t@example.org commit -qm ran"
    subprocess.run(git, shell=True, cwd=root, check=True)
    (root / "raw_cnn").write_text('{"f1": 0.5}')
    (root / "raw_lstm").write_text("2")
    flow(root)
    assert flow.states() == {"train@cnn": "Restored from cache", "train@lstm": "Ran", "judge": "Restored from cache"}
    assert "half way" in flow.log("train@lstm")
    assert "| m.json f1 | 0.7500 | 0.5000 | -0.2500 |" in flow.page()
    assert "train@lstm" in json.loads((state.state_path(root) / state.SECONDS).read_text())


def test_a_failure_ends_the_run_with_the_stages_own_code(
    flow: Flow, dvc_project: Make, wide: dict[str, object]
) -> None:
    wide["a"] = copy_stage("a", "made_start", then="echo row 7 is bad && exit 3", meta={"prefect": {"retries": 3}})
    root = dvc_project(wide, raw="1\n")
    flow(root, "--workers", "1", code=3)
    assert flow.states() == {
        "start": "Ran",
        "a": "Failed",
        "b": "Not reached",
        "c": "Not reached",
        "d": "Not reached",
        "end": "Not reached",
    }
    task = flow.tasks()["a"]
    assert task["run_count"] == 1, "a broken contract is not tried again"
    assert "row 7 is bad" in task["state"]["message"] and "exited with 3" in task["state"]["message"]
    assert flow.tasks()["end"]["state"]["message"] == "a failed"
    assert flow.last()["state_type"] == "FAILED" and "a ended with 3" in flow.last()["state"]["message"]
    assert "row 7 is bad" in flow.page()


def test_keep_going_runs_what_does_not_depend_on_the_failure(
    flow: Flow, dvc_project: Make, wide: dict[str, object]
) -> None:
    wide["a"] = copy_stage("a", "made_start", then="exit 1")
    root = dvc_project(wide, raw="1\n")
    flow(root, "--keep-going", code=1)
    assert flow.states() == {"start": "Ran", "a": "Failed", "b": "Ran", "c": "Ran", "d": "Ran", "end": "Not reached"}
    flow(root, "--keep-going", "--target", "b", "--target", "c")
    assert flow.states() == {"start": "Unchanged", "b": "Unchanged", "c": "Unchanged"}


def test_a_stage_is_retried_as_its_meta_says(flow: Flow, dvc_project: Make) -> None:
    flaky = copy_stage("a", "raw", then="mkdir tried", meta={"prefect": {"retries": 2, "retry_delay": 0.1}})
    flaky["cmd"] = f"{str(flaky['cmd']).replace('mkdir tried', 'test -d tried || (mkdir tried; exit 1)')}"
    root = dvc_project({"a": flaky}, raw="1\n")
    flow(root)
    assert (flow.states(), flow.tasks()["a"]["run_count"]) == ({"a": "Ran"}, 2)


def test_a_timeout_and_a_mutex_are_respected(flow: Flow, dvc_project: Make) -> None:
    alone = "mkdir gpu && sleep 1 && rmdir gpu"  # fails where another is at it
    stages: dict[str, object] = {
        name: copy_stage(name, "raw", then=alone, meta={"prefect": {"mutex": "gpu"}}) for name in "ab"
    }
    stages["slow"] = copy_stage("slow", "raw", then="sleep 99", meta={"prefect": {"timeout": 4}})
    root = dvc_project(stages, raw="1\n")
    flow(root, "--workers", "3", "--keep-going", code=124)
    assert flow.states() == {"a": "Ran", "b": "Ran", "slow": "Failed"}
    assert flow.tasks()["slow"]["state"]["message"].endswith("ended after 4 seconds, its timeout")


def test_overrides_are_an_experiment_and_leave_the_tree_unchanged(flow: Flow, dvc_project: Make) -> None:
    stages = {
        "start": copy_stage("start", "raw"),
        "train": {
            "cmd": "cat made_start > made_train && echo ${seed} >> made_train",
            "deps": ["made_start"],
            "params": ["seed"],
            "outs": ["made_train"],
        },
    }
    root = dvc_project(stages, raw="1\n", params__yaml="seed: 7  # why\n")
    serial(root)
    git = "git add -A && git -c user.name=t -c user.email=t@example.org commit -qm ran"
    subprocess.run(git, shell=True, cwd=root, check=True)
    (root / "raw").write_text("2\n")  # not committed, and part of the experiment all the same
    identity = {f"GIT_{who}_{what}": "t@t" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    flow(root, "--set", "seed=8", **identity)
    assert flow.states() == {"start": "Ran", "train": "Ran"}
    assert (root / "params.yaml").read_text() == "seed: 7  # why\n" and (root / "made_train").read_text() == "1\n7\n"

    def ask(command: str) -> str:
        result = subprocess.run(
            command, shell=True, cwd=root, env=child_environment({}), capture_output=True, text=True
        )
        assert result.returncode == 0, result.stderr
        return result.stdout

    assert ask("git status --porcelain") == " M raw\n" and ask("git worktree list").count("\n") == 1
    name = ask("dvc exp list --name-only").strip()
    assert name in str(flow.last()["state"]["message"]) and f"dvc exp apply {name}" in flow.page()
    ask(f"git checkout -q . && dvc exp apply {name}")
    assert (root / "made_train").read_text() == "2\n8\n"


def test_an_experiment_that_is_not_whole_is_not_saved(flow: Flow, dvc_project: Make) -> None:
    """DVC would record what the other stages made with other params as theirs."""
    stages: dict[str, object] = {
        "fit": {"cmd": "test ${seed} -lt 9 && echo ${seed} > made_fit", "params": ["seed"], "outs": ["made_fit"]},
        "rest": {"cmd": "echo ${size} > made_rest", "params": ["size"], "outs": ["made_rest"], "deps": ["made_fit"]},
    }
    root = dvc_project(stages, params__yaml="seed: 7\nsize: 1\n")
    serial(root)
    subprocess.run(f"git add -A && git {SOMEBODY} commit -qm ran", shell=True, cwd=root, check=True)
    identity = {f"GIT_{who}_{what}": "t@t" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    flow(root, "--set", "seed=9", "--set", "size=2", code=1, **identity)
    assert "leave --target out" in flow(root, "--set", "size=2", "--target", "fit", code=2, **identity)
    listed = subprocess.run(
        ["dvc", "exp", "list"], cwd=root, env=child_environment({}), capture_output=True, check=True
    )
    assert listed.stdout == b""
    (root / "params.yaml").write_text("seed: 7\nsize: 2\n")
    serial(root)
    assert (root / "made_rest").read_text() == "2\n"


@pytest.mark.parametrize(
    "broken", ["stages: {a: {cmd: 1, what: 2}}", "stages: {a: {cmd: x, meta: {prefect: {no: 1}}}}"]
)
def test_an_invalid_dvc_yaml_ends_with_2(flow: Flow, dvc_project: Make, broken: str) -> None:
    root = dvc_project({})
    (root / "dvc.yaml").write_text(broken)
    assert "prefect-dvc: " in flow(root, code=2)
    assert flow.last()["state_type"] == "FAILED"


def processes(*words: str) -> list[str]:
    lines = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout.splitlines()
    return [line for line in lines if any(word in line for word in words) and "pytest" not in line]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_ended_takes_its_stages_with_it_and_the_next_one_finishes(
    flow: Flow, dvc_project: Make, number: int
) -> None:
    slow = f"if [ ! -e go ]; then sleep 60.{number}; fi"
    root = dvc_project({name: copy_stage(name, "raw", then=slow) for name in "ab"}, raw="1\n")
    process = flow.start(root)
    until(lambda: len(processes(f"sleep 60.{number}")) >= 2)
    began = time.monotonic()
    os.kill(process.pid, number)
    process.wait(30)
    until(lambda: not processes(f"sleep 60.{number}"), within=10)
    assert time.monotonic() - began < 15
    (root / "go").touch()
    flow(root)
    assert flow.states() == {"a": "Ran", "b": "Ran"}


def test_without_a_server_one_is_started_for_the_run(flow: Flow, dvc_project: Make) -> None:
    root = dvc_project({"a": copy_stage("a", "raw", then="exit 3")}, raw="1\n")
    home = state.state_path(root) / "prefect"
    output = flow(root, code=3, PREFECT_API_URL="", PREFECT_HOME="")
    assert "a ended with 3" in output and (home / "prefect.db").exists()
    address = str(output.split("View at http://")[1].split("/")[0])
    until(lambda: not processes(f"--port {address.rpartition(':')[2]}"), within=10)
    assert not (root / "home").exists() and "telemetry" not in (home / server.LOG).read_text()
