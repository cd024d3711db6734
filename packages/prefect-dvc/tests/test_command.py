"""The command `prefect-dvc`, as a person types it."""

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import prefect_homes
import pytest
from flow_runs import Flow, until
from projects import copy_stage, make_published, push_params, shell

from prefect_dvc import __version__, state
from prefect_dvc.environment import child_environment
from prefect_dvc.flows import server

Make = Callable[..., Path]


def prefect_dvc(root: Path, *words: str, code: int = 0) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "prefect_dvc", *words]
    ended = subprocess.run(command, cwd=root, env=child_environment(), capture_output=True, text=True, check=False)
    assert ended.returncode == code, ended
    return ended


@pytest.mark.parametrize("words", [[], ["run"], ["plan"], ["doctor"], ["serve"]])
def test_every_command_has_help_with_an_example(tmp_path: Path, words: list[str]) -> None:
    text = prefect_dvc(tmp_path, *words, "--help").stdout
    assert not words or f"\n    prefect-dvc {words[0]}" in text, text


def test_it_has_a_version(tmp_path: Path) -> None:
    assert prefect_dvc(tmp_path, "--version").stdout == f"prefect-dvc, version {__version__}\n"


@pytest.mark.parametrize(
    ("words", "reason"),
    [(["run", "--workers", "0"], "0 is not in the range"), (["flow"], "No such command 'flow'"),
     (["serve", "--remote", "origin"], "--remote and --prepare belong to a --branch"),
     (["plan"], "DVC cannot read the stages of"), (["doctor"], "is in no DVC project: `dvc init` makes it one"),
     (["run"], "is in no DVC project: `dvc init` makes it one")],
)  # fmt: skip
def test_a_mistake_ends_with_2_and_a_reason(tmp_path: Path, words: list[str], reason: str) -> None:
    ended = prefect_dvc(tmp_path, *words, code=2)
    assert reason in ended.stderr and ended.stdout == "" and "Traceback" not in ended.stderr
    assert list(tmp_path.iterdir()) == []  # no folder that would make it seem a DVC project


def test_a_plan_is_a_table_or_a_record(dvc_project: Make, wide: dict[str, object]) -> None:
    root = dvc_project(wide, raw="1\n")
    lines = prefect_dvc(root, "plan", "a").stdout.splitlines()
    assert [line.split()[:2] for line in lines[1:3]] == [["1", "start"], ["2", "a"]] and "stage start is new" in lines[
        1
    ]
    assert lines[-1] == "unchanged: nothing"
    stages = json.loads(prefect_dvc(root, "plan", "--json").stdout)["stages"]
    assert [(stage["stage"], stage["wave"]) for stage in stages][:2] == [("start", 1), ("a", 2)]


def test_doctor_repairs_and_warns(dvc_project: Make) -> None:
    root = dvc_project({"a": copy_stage("a", "raw")}, raw="1\n")
    shell(root, "dvc repro -q")
    (root / "dvc.lock").write_text("")
    (state.state_folder(root) / "run.lock").write_text("process 1, of which nothing is known\n")
    shell(root, "dvc config cache.type hardlink")
    text = prefect_dvc(root, "doctor").stdout
    assert "dvc.lock was truncated" in text and "warning: cache.type has hardlink" in text
    assert json.loads(prefect_dvc(root, "doctor", "--verify", "--json").stdout)["damaged"] == []


def test_doctor_names_a_damaged_object_and_ends_with_3(dvc_project: Make) -> None:
    root = dvc_project({"a": copy_stage("a", "raw")}, raw="1\n")
    shell(root, "dvc repro -q")
    (stored,) = (root / ".dvc" / "cache" / "files").rglob("*/*/*")
    stored.chmod(0o644)
    stored.write_text("damaged")
    assert f"damaged: {stored}" in prefect_dvc(root, "doctor", "--verify", code=3).stdout


def serving(root: Path, *words: str) -> tuple["subprocess.Popen[str]", str]:
    """Start `prefect-dvc serve` on a free port, and return it with the address of its server."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    roles = [f"GIT_{role}" for role in ("AUTHOR", "COMMITTER")]
    who = {f"{role}_NAME": "s" for role in roles} | {f"{role}_EMAIL": "s@example.org" for role in roles}
    command = [sys.executable, "-m", "prefect_dvc", "serve", "--port", str(port), *words]
    prefect_homes.prepare(server.home(root))
    log = (root.parent / "log").open("w")
    process = subprocess.Popen(command, cwd=root, env=child_environment(who), stdout=log, stderr=log, text=True)
    return process, f"http://127.0.0.1:{port}/api"


@pytest.mark.parametrize(("words", "name"), [(["none"], "none"), (["main", "--remote", "nowhere"], "nowhere")])
def test_a_branch_or_remote_that_does_not_exist_is_named_before_it_is_served(
    tmp_path: Path, words: list[str], name: str
) -> None:
    ended = prefect_dvc(make_published(tmp_path), "serve", "--branch", *words, code=2)
    assert name in ended.stderr and ended.stdout == "" and "Traceback" not in ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize("branch", ["", "main"])
def test_a_served_project_runs_by_hand_and_ends_with_ctrl_c(tmp_path: Path, branch: str) -> None:
    root = make_published(tmp_path)
    (root / "params.yaml").write_text("seed: 9\n")
    if branch:
        push_params(root)
    process, address = serving(root, *(["--branch", branch] if branch else []))
    until(lambda: (root.parent / "log").read_text().startswith("serving on"))
    flow = Flow(address, root.parent / "home")
    until(lambda: flow.ask("deployments") != [])
    deployment = flow.ask("deployments")[0]
    request = urllib.request.Request(
        f"{address}/deployments/{deployment['id']}/create_flow_run", b"{}", {"Content-Type": "application/json"}
    )
    urllib.request.urlopen(request).close()
    of_it = {"sort": "START_TIME_ASC", "flow_runs": {"deployment_id": {"any_": [deployment["id"]]}}}
    until(lambda: flow.ask("flow_runs", **of_it)[0]["state_type"] in ("COMPLETED", "FAILED", "CRASHED"))
    assert flow.ask("flow_runs", **of_it)[0]["state_type"] == "COMPLETED", (root.parent / "log").read_text()
    assert shell(root.parent / "origin.git", "git rev-list --count main") == ("4" if branch else "2")
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0 and time.monotonic() - began < 30
