"""The scheduled run, with a real Prefect server, git and DVC remotes that are folders, and somebody who is told."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from flow_runs import Flow
from projects import PUBLISHED, at_remote, changed, make_published, pushed

pytestmark = pytest.mark.slow

RUN = "from flows.retrain import retrain; print(retrain(return_state=True).message)"
WHO = {f"GIT_{who}_{what}": "t@t" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
Told = list[dict[str, str]]
Run = Callable[[], str]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in WHO.items():
        monkeypatch.setenv(name, value)
    return make_published(tmp_path)


@pytest.fixture
def told() -> Iterator[tuple[str, Told]]:
    """An address that takes what Apprise posts, and what was posted."""
    heard: Told = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *words: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"json://127.0.0.1:{server.server_port}", heard
    server.shutdown()


@pytest.fixture
def run(flow: Flow, project: Path, told: tuple[str, Told]) -> Run:
    """Runs the flow once; what its state says."""

    def retrain() -> str:
        said = flow(project, "-c", RUN, GAZETTE_NOTIFY=told[0], **WHO)
        return said.strip().splitlines()[-1]

    return retrain


def stages(project: Path, train: str) -> None:
    """Another command for `train`, pushed by somebody."""
    changed = {**PUBLISHED, "train": {**PUBLISHED["train"], "cmd": train}}  # type: ignore[dict-item]
    pushed(project, dvc__yaml=json.dumps({"stages": changed}))


def test_a_run_pushes_a_commit_that_names_it_and_tells_of_a_new_challenger_once(
    project: Path, run: Run, flow: Flow, told: tuple[str, Told]
) -> None:
    command = str(PUBLISHED["train"]["cmd"])  # type: ignore[index]
    version = '{"name": "news", "version": "3", "challenged": true}'
    stages(project, f"{command} && mkdir -p .gazette && echo '{version}' > .gazette/version.json")
    said = run()
    assert said == f"{at_remote(project, 'git rev-parse main')[:9]} on main"
    text = at_remote(project, "git log -1 --format=%B main")
    assert text.endswith("Stages-Run: train") and f"({parent(flow)})" in text
    assert [one["title"] for one in told[1]] == ["new challenger: news version 3"]
    assert run().startswith("nothing new for main") and len(told[1]) == 1


def parent(flow: Flow) -> str:
    """The flow run that ran the pipeline last."""
    runs = flow.ask("flow_runs", sort="START_TIME_DESC", limit=2)
    return str(next(run["id"] for run in runs if run["parent_task_run_id"] is None))


@pytest.mark.parametrize(("code", "said"), [(1, "train ended with 1"), (3, "broken data contract")])
def test_a_failure_and_a_broken_contract_are_told_and_nothing_is_pushed(
    project: Path, run: Run, told: tuple[str, Told], code: int, said: str
) -> None:
    stages(project, f"echo row 7 is bad && exit {code}")
    before = at_remote(project, "git for-each-ref")
    run()
    assert [one["title"].split()[0] for one in told[1]] == ["retrain"] and "row 7 is bad" in told[1][0]["message"]
    assert said in told[1][0]["message"] and at_remote(project, "git for-each-ref") == before


def test_an_address_that_does_not_answer_fails_no_run(project: Path, flow: Flow) -> None:
    changed(project)
    said = flow(project, "-c", RUN, GAZETTE_NOTIFY="json://127.0.0.1:9", **WHO)
    assert said.strip().endswith("on main")
