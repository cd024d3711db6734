"""`make schedule`: a server, the deployments and a worker, as a person starts them."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import prefect_homes
import psutil
import pytest
from flow_runs import Flow, until
from prefect_dvc import storage
from prefect_dvc.environment import child_environment
from prefect_dvc.flows.server import home
from projects import PUBLISHED, ask_remote, make_published, push_files, shell
from root import ROOT

from gazette.pipeline import announce
from gazette.pipeline.state import state_folder

pytestmark = pytest.mark.slow

WHO = {f"GIT_{who}_{what}": "t@t" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that is up to date and has this one's flows and deployments."""
    for name, value in WHO.items():
        monkeypatch.setenv(name, value)
    root = make_published(tmp_path)
    (root / "flows").symlink_to(ROOT / "flows")
    (root / "prefect.yaml").write_text((ROOT / "prefect.yaml").read_text())
    return root


@pytest.fixture
def serving(project: Path) -> Iterator[tuple[psutil.Popen, Flow]]:
    """The process that serves, and the server."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "flows.schedule", "--port", str(port), "--every", "2"]
    environment = child_environment({"PYTHONPATH": str(ROOT)})
    log = state_folder(project) / "serving.log"
    prefect_homes.prepare(home(project))
    with log.open("w") as file:
        process = psutil.Popen(command, cwd=project, env=environment, stdout=file, stderr=file, start_new_session=True)
    until(lambda: "serving on" in log.read_text())
    yield process, Flow(f"http://127.0.0.1:{port}/api", project.parent / "home")
    if process.is_running():
        process.terminate()
        process.wait(60)


def prefect(server: Flow, *words: str) -> None:
    subprocess.run([sys.executable, "-m", "prefect", *words], env=server.environment, check=True, capture_output=True)


def below(process: psutil.Popen, words: str) -> list[psutil.Process]:
    """Return the processes below a process whose command has the words."""
    matches = []
    for child in process.children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # ended meanwhile
            matches += [child] if words in " ".join(child.cmdline()) else []
    return matches


def state(server: Flow, run: dict[str, Any]) -> str:
    return str(server.ask("flow_runs", flow_runs={"id": {"any_": [run["id"]]}})[0]["state_type"])


def test_a_run_whose_machine_went_down_is_crashed_in_two_minutes_and_run_again_makes_one_commit(
    project: Path, serving: tuple[psutil.Popen, Flow], monkeypatch: pytest.MonkeyPatch
) -> None:
    process, server = serving
    deployments = {deployment["name"]: deployment["id"] for deployment in server.ask("deployments")}
    assert set(deployments) == {"retrain-nightly", "retrain-on-data", "watch", "score"}
    waiting = {**PUBLISHED["train"], "cmd": "sleep 600.5"}  # type: ignore[dict-item]
    push_files(project, dvc__yaml=json.dumps({"stages": {**PUBLISHED, "train": waiting}}))
    prefect(server, "deployment", "run", "retrain/retrain-nightly")
    until(lambda: bool(below(process, "sleep 600.5")))
    stages = below(process, "sleep 600.5")
    (crashed,) = (run for run in server.ask("flow_runs") if run["state_type"] == "RUNNING" and run["deployment_id"])
    run, worker = below(process, "prefect.engine"), below(process, "prefect worker")
    for killed in [*worker, *run]:  # the worker too, which would otherwise report it
        os.kill(killed.pid, signal.SIGKILL)
    began = time.monotonic()
    psutil.wait_procs(stages, timeout=15)
    assert not any(stage.is_running() for stage in stages)
    until(lambda: state(server, crashed) == "CRASHED")
    print(f"crashed after {time.monotonic() - began:.0f} s")

    push_files(project, dvc__yaml=json.dumps({"stages": PUBLISHED}), params__yaml="seed: 8\n")
    before = int(ask_remote(project, "git rev-list --count main"))
    prefect(server, "flow-run", "retry", crashed["id"])
    until(lambda: state(server, crashed) == "COMPLETED")
    assert crashed["name"] in ask_remote(project, "git log -1 --format=%B main")
    for name in ("PREFECT_API_URL", "PREFECT_HOME"):
        monkeypatch.setenv(name, server.environment[name])
    monkeypatch.chdir(project)
    assert announce.emit_change("news")

    def messages() -> list[str]:
        runs = server.ask("flow_runs", flow_runs={"deployment_id": {"any_": [deployments["retrain-on-data"]]}})
        return [run["state"]["message"] or "" for run in runs if run["state_type"] == "COMPLETED"]

    until(lambda: messages() == ["nothing new for main: nothing changed"])
    assert int(ask_remote(project, "git rev-list --count main")) == before + 1

    shell(project, "git checkout -q . && git fetch -q && git branch -q -u origin/main && git pull -q --rebase")
    (project / "raw").write_text("2\n")
    storage.dvc_add(Path("raw"))
    announce.publish_pointer(Path("raw.dvc"), "Correct the corpus news")
    announce.publish_pointer(Path("raw.dvc"), "a second time changes nothing")
    assert ask_remote(project, "git log -1 --format=%s main") == "Correct the corpus news"
    announce.emit_change("news")
    until(lambda: len(messages()) == 2)
    assert ask_remote(project, "git log -1 --format=%s main").startswith("Retrained: start, train")


def test_an_interrupt_ends_all_of_it(serving: tuple[psutil.Popen, Flow]) -> None:
    process, _ = serving
    started = process.children(recursive=True)
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(60) == 0
    _, alive = psutil.wait_procs(started, timeout=15)
    assert not alive
