"""`gazette serve` itself: it follows the registry, survives its workers, and ends in order."""

import http.client
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flow_runs import until
from servers import Server

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(registry: tuple[Path, Any]) -> Iterator[Server]:
    folder, _ = registry
    server = Server(folder, "tiny", "--workers", "2", "--shadow", "tiny/2")
    yield server
    server.end()


def version(server: Server) -> str:
    return str(server.ask("/v1/predict", {"texts": ["goal"]})[2]["gazette-version"])


@pytest.fixture
def champion(registry: tuple[Path, Any], server: Server) -> Iterator[Callable[[str], None]]:
    """Moves the alias; the first version is champion again afterwards."""
    from gazette.registry.store import client as store

    _, client = registry

    def move(number: str) -> None:
        store.set_alias(client, "tiny", "champion", number)

    yield move
    move("1")
    until(lambda: {version(server) for _ in range(10)} == {"1"})


def test_a_move_of_the_champion_is_live_in_every_worker_and_loses_no_request(
    server: Server, champion: Callable[[str], None]
) -> None:
    answers: list[tuple[int, str]] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            status, _, headers = server.ask("/v1/predict", {"texts": ["goal"]})
            answers.append((status, headers["gazette-version"]))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in ("2", "1", "2"):
        champion(number)
        until(lambda: {version(server) for _ in range(10)} == {number})  # noqa: B023
    stop.set()
    for thread in threads:
        thread.join()
    assert {status for status, _ in answers} == {200} and {number for _, number in answers} == {"1", "2"}


def test_an_answer_on_a_kept_connection_waits_for_no_acknowledgement(server: Server) -> None:
    connection = http.client.HTTPConnection(server.address.removeprefix("http://"))
    seconds = []
    for _ in range(30):
        began = time.perf_counter()
        connection.request("POST", "/v1/predict", '{"texts": ["goal"]}')
        assert connection.getresponse().read()
        seconds.append(time.perf_counter() - began)
    assert sorted(seconds)[15] < 0.03  # an acknowledgement that the client delays takes 40 ms


def test_a_version_that_is_not_what_was_registered_never_answers(
    server: Server, champion: Callable[[str], None], registry: tuple[Path, Any], bundles: list[Path]
) -> None:
    folder, client = registry
    from gazette.registry.store import client as store

    damaged = folder / "damaged"
    shutil.copytree(bundles[0], damaged)
    run = store.Run("tiny", "linear", [store.Candidate("linear", {}, [], {})], {}, {}, [], ["goal and bank"])
    model = store.log_run(run, damaged)
    number = store.create_version(client, "tiny", model, {"digest": "0" * 32 + ".dir"}, "about")
    champion(number)
    until(lambda: f"tiny/{number}" in server.ask("/health/ready")[1]["refused"])
    assert {version(server) for _ in range(10)} == {"1"}
    (line,) = server.lines("refused")
    assert line["version"] == number and "must not be trusted" in line["reason"]


def test_a_registry_that_is_gone_leaves_the_last_version_answering(server: Server, registry: tuple[Path, Any]) -> None:
    database = registry[0] / "mlflow.db"
    content = database.read_bytes()
    try:
        database.write_bytes(b"no database" * 4096)
        until(lambda: server.ask("/health/ready")[1]["source"]["unreachable_since"])
        assert version(server) == "1"
    finally:
        database.write_bytes(content)
    until(lambda: not server.ask("/health/ready")[1]["source"]["unreachable_since"])


def test_the_shadow_answers_aside_and_is_counted(server: Server) -> None:
    for _ in range(20):
        server.ask("/v1/predict", {"texts": ["goal"]})
    until(lambda: server.lines("shadow"))
    line = server.lines("shadow")[0]
    assert line["agreed"] and line["labels"] == ["sport", "sport"] and line["versions"] == ["1", "2"]
    assert 'gazette_shadow_texts_total{agreed="true"}' in server.ask("/metrics")[1]


def test_a_killed_worker_is_replaced_and_the_others_go_on(server: Server) -> None:
    before = {worker.pid for worker in server.workers()}
    victim = server.workers()[0]
    victim.send_signal(signal.SIGKILL)
    until(lambda: len(after := {worker.pid for worker in server.workers()}) == 2 and after != before)
    assert server.ask("/v1/predict", {"texts": ["goal"]})[0] == 200


def test_sigterm_answers_what_is_under_way_and_ends_with_0(bundles: list[Path], tmp_path: Path) -> None:
    server = Server(tmp_path, "--folder", str(bundles[0]))
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(server.ask("/v1/predict", {"texts": ["goal"] * 100})[0]))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    assert server.end() == 0
    for thread in threads:
        thread.join()
    assert set(answers) == {200}


def fail_to_serve(folder: Path, *words: str) -> str:
    """Return why a server does not start."""
    command = [sys.executable, "-m", "gazette", "serve", "--port", "0", *words]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 2, ended.stderr
    return ended.stderr


def test_what_cannot_be_served_ends_with_2_and_a_reason(
    bundles: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert "no bundle at nowhere" in fail_to_serve(tmp_path, "--folder", "nowhere")
    assert "there is no registry here" in fail_to_serve(tmp_path, "tiny")
    (tmp_path / "key.pem").write_text("no key")
    certificate = ("--tls-cert", "key.pem", "--tls-key", "key.pem")
    assert "expected PEM files" in fail_to_serve(tmp_path, "--folder", str(bundles[0]), *certificate)


def test_an_address_that_cannot_be_had_is_named_with_the_reason_alone(bundles: list[Path], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        reason = fail_to_serve(tmp_path, "--folder", str(bundles[0]), "--port", port)
    assert reason == (
        f"gazette: --host 127.0.0.1, --port {port}: cannot listen there: Address already in use; choose another one\n"
    )
    assert "--host is empty" in fail_to_serve(tmp_path, "--folder", str(bundles[0]), "--host", "")


def test_a_version_that_is_not_there_ends_with_those_that_are(registry: tuple[Path, Any]) -> None:
    assert "there is tiny@champion (version 1): choose one" in fail_to_serve(registry[0], "tiny@nobody")
