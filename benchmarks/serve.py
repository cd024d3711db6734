"""Figures of `gazette serve`, with the client on the same machine: `python benchmarks/serve.py FIGURE [BUNDLE]`.

FIGURE is rivals, rates, moves, overload, refusals, kills, edge, journal or start. BUNDLE is the folder of a linear
bundle, by default the selected one.
"""

import asyncio
import itertools
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

from load import Load, closed_loop, open_loop
from prefect_dvc import hashing
from servers import Server

RECORD = {"texts": ["Shares in the oil company fell after the bank cut its forecast for the year, analysts said."]}
SECONDS = float(os.environ.get("SECONDS", "10"))
SLOW = "import time\nfrom gazette.core.bundle import Bundle\nreal = Bundle.encode\n" \
       "def slow(self, texts):\n    time.sleep(0.02 * len(texts))\n    return real(self, texts)\n" \
       "Bundle.encode = slow\n"  # fmt: skip


def make_registry(box: Path, bundle: Path) -> tuple[Callable[[str], None], Callable[[Path, str], str]]:
    """Make a registry with two versions of `news`; return what moves its champion, and what adds a version."""
    os.chdir(box)
    os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{box}/mlflow.db"
    from gazette.registry.store import client as store

    client = store.connect()

    def add(folder: Path, digest: str) -> str:
        run = store.Run("news", "linear", [store.Candidate("linear", {}, [], {})], {}, {}, [], ["goal"])
        return store.create_version(client, "news", store.log_run(run, folder), {"digest": digest}, "about")

    second = box / "second"
    shutil.copytree(bundle, second)
    about = json.loads((second / "bundle.json").read_text())
    (second / "bundle.json").write_text(json.dumps(about | {"length": about["length"] + 1}))
    for folder in (bundle, second):
        add(folder, hashing.dvc_hash(folder))
    store.set_alias(client, "news", "champion", "1")
    return lambda number: store.set_alias(client, "news", "champion", number), add


def rivals(box: Path, bundle: Path) -> None:
    make_registry(box, bundle)
    command = ["mlflow", "models", "serve", "-m", "models:/news/1", "--env-manager", "local", "-p", "5099"]
    theirs = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    mine = Server(box, "news/1")
    record = {"inputs": RECORD["texts"]}
    try:
        while asyncio.run(closed_loop("http://127.0.0.1:5099", "/invocations", record, 1, 0.2)).statuses[200] == 0:
            time.sleep(0.5)
        places = (("mlflow", "http://127.0.0.1:5099", "/invocations", record),
                  ("gazette", mine.address, "/invocations", record),
                  ("gazette", mine.address, "/v1/predict", RECORD))  # fmt: skip
        for _, (name, address, path, body) in itertools.product(range(3), places):
            show(f"{name} {path}", asyncio.run(closed_loop(address, path, body, 32, SECONDS / 2)))
    finally:
        theirs.terminate()
        mine.end()


def rates(box: Path, bundle: Path) -> None:
    server = Server(box, "--folder", str(bundle))
    for rate in (200, 500, 1000, 500, 1000):
        show(f"{rate} a second", asyncio.run(open_loop(server.address, "/v1/predict", RECORD, rate, SECONDS)))
    server.end()


def moves(box: Path, bundle: Path) -> None:
    move, _ = make_registry(box, bundle)
    server, times, answers = Server(box, "news", "--workers", "2"), [], []
    statuses: Counter[int] = Counter()

    def move_often() -> None:
        for number in range(100):
            time.sleep(2.5)
            move(str(2 - number % 2))
            times.append(time.perf_counter())

    thread = threading.Thread(target=move_often)
    thread.start()
    while thread.is_alive():
        load = asyncio.run(open_loop(server.address, "/v1/predict", RECORD, 100, 5))
        answers += load.answers
        statuses += load.statuses
    lags = []
    for number, (begin, until) in enumerate(itertools.pairwise([*times, times[-1] + 2.5])):
        old = str(1 + number % 2)
        lags.append(max((end - begin for at, end, _, version in answers if begin <= end < until and version == old),
                        default=0.0))  # fmt: skip
    swaps = [datetime.fromisoformat(line["time"]) for line in server.lines("swap")]
    apart = max((b - a).total_seconds() for a, b in zip(swaps[::2], swaps[1::2], strict=True))
    print(f"moves {len(lags)}, answers {len(answers)}, statuses {dict(statuses)}")
    print(f"last answer by the old version {statistics.median(lags):.2f} s after the move, at most {max(lags):.2f} s; "
          f"all workers within {apart:.2f} s; load {os.getloadavg()[0]:.1f}")  # fmt: skip
    server.end()


def overload(box: Path, bundle: Path) -> None:
    (box / "sitecustomize.py").write_text(SLOW)
    server = Server(box, "--folder", str(bundle), "--deadline", "1", environment={"PYTHONPATH": str(box)})
    (worker,) = server.workers()
    began = time.monotonic()
    while time.monotonic() - began < SECONDS:
        load = asyncio.run(open_loop(server.address, "/v1/predict", RECORD, 250, 20))  # it can 50
        memory = worker.memory_info().rss >> 20
        show(f"250 a second, memory {memory} MiB, 503 p99 {load.percentile(0.99, 503):.0f} ms", load)
    server.end()


def make_wrong(bundle: Path, folder: Path, number: int) -> tuple[Path, str]:
    """Make a bundle and the digest it is registered with: damaged afterwards, another one, or broken from the start."""
    shutil.copytree(bundle, folder)
    about = json.loads((folder / "bundle.json").read_text())
    (folder / "bundle.json").write_text(json.dumps(about | {"length": 1000 + number}))
    digest, model = hashing.dvc_hash(folder), folder / "model.onnx"
    content = bytearray(model.read_bytes())
    if number % 3 == 0:
        content[len(content) * number // 25] ^= 1
    elif number % 3 == 1:
        (folder / "bundle.json").write_text(json.dumps(about | {"labels": about["labels"][::-1]}))
    else:
        content = content[: len(content) * number // 25]
    model.write_bytes(content)
    return folder, digest if number % 3 < 2 else hashing.dvc_hash(folder)


def refusals(box: Path, bundle: Path) -> None:
    move, add = make_registry(box, bundle)
    server, wrong = Server(box, "news"), 0
    for number in range(25):
        version = add(*make_wrong(bundle, box / "wrong", number))
        shutil.rmtree(box / "wrong")
        move(version)
        while f"news/{version}" not in server.ask("/health/ready")[1]["refused"]:
            load = asyncio.run(closed_loop(server.address, "/v1/predict", RECORD, 4, 0.2))
            wrong += sum(answer[3] != "1" for answer in load.answers)
        wrong += sum(answer[3] != "1" for answer in asyncio.run(
            closed_loop(server.address, "/v1/predict", RECORD, 4, 0.2)).answers)  # fmt: skip
    print(f"refused {len(server.lines('refused'))} of 25, answers by them or failed: {wrong}")
    server.end()


def kills(box: Path, bundle: Path) -> None:
    server, back = Server(box, "--folder", str(bundle), "--workers", "2"), []
    loads: list[Load] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            loads.append(asyncio.run(closed_loop(server.address, "/v1/predict", RECORD, 8, 2)))

    thread = threading.Thread(target=ask)
    thread.start()
    for _ in range(20):
        time.sleep(1)
        before = {worker.pid for worker in server.workers()}
        began, lines = time.monotonic(), server.log.read_text().count("worker ready")
        os.kill(min(before), signal.SIGKILL)
        while server.log.read_text().count("worker ready") == lines:
            time.sleep(0.02)
        back.append(time.monotonic() - began)
    done.set()
    thread.join()
    statuses = sum((load.statuses for load in loads), Counter())
    print(f"kills 20, back after {sorted(back)[10]:.2f} s, at most {max(back):.2f} s, statuses {dict(statuses)}")
    server.end()


def edge(box: Path, bundle: Path) -> None:
    import numpy as np

    from gazette.serving.online import log, metrics

    metrics.use_folder(box / "metrics")
    counted, texts = metrics.get(), np.array([[0.9, 0.1]], np.float32)
    who = {"name": "news", "version": "3", "digest": "5" * 36, "ledger": "f" * 64}
    with (box / "log").open("w") as sys.stderr:
        for _ in range(3):
            began = time.process_time()
            for _ in range(20_000):
                counted.count_answers("3", ["a", "b"], texts)
                counted.count_request("/v1/predict", 200, 0.001)
                log.write("request", request_id="5" * 32, method="POST", route="/v1/predict", status=200,
                          milliseconds=1.234, texts=1, **who)  # fmt: skip
            seconds = (time.process_time() - began) / 20_000
            print(f"metrics and log: {seconds * 1e6:.1f} µs a request, load {os.getloadavg()[0]:.1f}")


def journal(box: Path, bundle: Path) -> None:
    servers = {name: Server(box, "--folder", str(bundle), *words) for name, words in
               {"with a journal": (), "without one": ("--no-journal",)}.items()}  # fmt: skip
    for _, (name, server) in itertools.product(range(4), servers.items()):
        for connections in (1, 32):
            load = asyncio.run(closed_loop(server.address, "/v1/predict", RECORD, connections, SECONDS / 4))
            show(f"{name}, {connections} connections", load)
    for server in servers.values():
        server.end()


def start(box: Path, bundle: Path) -> None:
    command = [sys.executable, "-m", "gazette", "serve", "--port", "8093", "--folder", str(bundle)]
    for _ in range(5):
        began = time.perf_counter()
        server = subprocess.Popen(command, cwd=box, stderr=subprocess.DEVNULL)
        while asyncio.run(closed_loop("http://127.0.0.1:8093", "/v1/predict", RECORD, 1, 0.01)).statuses[200] == 0:
            time.sleep(0.01)
        print(f"start to first answer: {time.perf_counter() - began:.2f} s")
        server.terminate()
        server.wait()


def show(what: str, load: Load) -> None:
    p50, p99 = (load.percentile(share) for share in (0.5, 0.99))
    rate = load.statuses[200] / load.wall
    print(f"{what}: {rate:.0f} answers a second, p50 {p50:.1f} ms, p99 {p99:.1f} ms, statuses {dict(load.statuses)}, "
          f"load {os.getloadavg()[0]:.1f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(sys.argv[2] if len(sys.argv) > 2 else "models/selected").resolve()
        globals()[sys.argv[1]](Path(folder), bundle)
