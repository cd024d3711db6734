"""The scheduled run, with a real Prefect server, git and DVC remotes that are folders, and notifications."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from flow_runs import Flow
from projects import PUBLISHED, ask_remote, make_published, push_files, push_params, shell

pytestmark = pytest.mark.slow

RUN = "from flows.retrain import retrain; print(retrain(return_state=True).message)"
WHO = {f"GIT_{who}_{what}": "t@t" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
Posts = list[dict[str, str]]
Run = Callable[[], str]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in WHO.items():
        monkeypatch.setenv(name, value)
    return make_published(tmp_path)


@pytest.fixture
def notifications() -> Iterator[tuple[str, Posts]]:
    """Yield an address for Apprise, and the posts it received."""
    posts: Posts = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posts.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *words: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"json://127.0.0.1:{server.server_port}", posts
    server.shutdown()


@pytest.fixture
def run(flow: Flow, project: Path, notifications: tuple[str, Posts]) -> Run:
    """Return a function that runs the flow once and returns its state's message."""

    def retrain() -> str:
        output = flow(project, "-c", RUN, GAZETTE_NOTIFY=notifications[0], **WHO)
        return output.strip().splitlines()[-1]

    return retrain


def stages(project: Path, train: str) -> None:
    """Push another command for `train`."""
    edited = {**PUBLISHED, "train": {**PUBLISHED["train"], "cmd": train}}  # type: ignore[dict-item]
    push_files(project, dvc__yaml=json.dumps({"stages": edited}))


def test_a_run_pushes_a_commit_that_names_it_and_notifies_of_a_new_challenger_once(
    project: Path, run: Run, flow: Flow, notifications: tuple[str, Posts]
) -> None:
    command = str(PUBLISHED["train"]["cmd"])  # type: ignore[index]
    version = '{"name": "news", "version": "3", "challenged": true}'
    stages(project, f"{command} && mkdir -p .gazette && echo '{version}' > .gazette/version.json")
    output = run()
    assert output == f"{ask_remote(project, 'git rev-parse main')[:9]} on main"
    text = ask_remote(project, "git log -1 --format=%B main")
    assert text.endswith("Stages-Run: train") and f"({parent(flow)})" in text
    assert [post["title"] for post in notifications[1]] == ["new challenger: news version 3"]
    assert run().startswith("nothing new for main") and len(notifications[1]) == 1


def parent(flow: Flow) -> str:
    """Return the flow run that ran the pipeline last."""
    runs = flow.ask("flow_runs", sort="START_TIME_DESC", limit=2)
    return str(next(run["id"] for run in runs if run["parent_task_run_id"] is None))


@pytest.mark.parametrize(("code", "text"), [(1, "train ended with 1"), (3, "broken data contract")])
def test_a_failure_and_a_broken_contract_are_notified_and_nothing_is_pushed(
    project: Path, run: Run, notifications: tuple[str, Posts], code: int, text: str
) -> None:
    stages(project, f"echo row 7 is bad && exit {code}")
    before = ask_remote(project, "git for-each-ref")
    run()
    (post,) = notifications[1]
    assert post["title"].split()[0] == "retrain" and "row 7 is bad" in post["message"]
    assert text in post["message"] and ask_remote(project, "git for-each-ref") == before


def test_an_address_that_does_not_answer_fails_no_run(project: Path, flow: Flow) -> None:
    push_params(project)
    output = flow(project, "-c", RUN, GAZETTE_NOTIFY="json://127.0.0.1:9", **WHO)
    assert output.strip().endswith("on main")


def test_a_scheduled_run_of_a_fresh_clone_brings_its_raw_data(project: Path, flow: Flow) -> None:
    shell(project, "cp raw ../spare && rm -rf raw .dvc/cache ../store")
    push_params(project)
    spare = project.parent / "spare"
    call = RUN.replace("retrain(", f"retrain(prepare=['cp {spare} raw', 'dvc add -q raw'], ")
    assert flow(project, "-c", call, **WHO).strip().endswith("on main")


@pytest.mark.parametrize("call", ["branch='none', ", "revision='none', ", ""])
def test_an_expected_failure_is_an_entry_of_the_log_and_no_traceback(project: Path, flow: Flow, call: str) -> None:
    if not call:
        shell(project, "rm -rf raw .dvc/cache ../store")
    output = flow(project, "-c", RUN.replace("retrain(", f"retrain({call}"), **WHO)
    assert "Traceback" not in output
    assert flow.last()["state"]["message"].split("\n")[0] in output
    assert flow.last()["state"]["type"] == "FAILED"


def test_a_graph_that_cannot_be_read_fails_the_pipeline_without_a_traceback(project: Path, flow: Flow) -> None:
    push_files(project, dvc__yaml="stages: [")
    output = flow(project, "-c", RUN, **WHO)
    assert "Traceback" not in output and "dvc.yaml" in output
