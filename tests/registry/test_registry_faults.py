"""A real MLflow server fails at every request that matters: one version per digest, one move of an alias, all the same.

The short form runs with the tests; `pytest -m faults tests/registry/test_registry_faults.py` runs all fifty and prints
a table.
"""

import itertools
import json
import shutil
import sqlite3
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from bundles import make_bundle
from faulty import Fault, Proxy, locked, mlflow_server, moves
from prefect_dvc import hashing
from prefect_dvc.core.errors import ConfigError

from gazette.registry import ledger, promotion, resolve
from gazette.registry.promotion import Decision, PromotionResult, RejectedError
from gazette.registry.verdict import Verdict

pytestmark = pytest.mark.slow

NAME = "tiny"
WHO = Decision("t <t@x>", "the tests")
HOW = ["500 before", "500 after", "dropped before", "dropped after", "late"]
AT_REGISTER = [("registered-models/create", ""), ("model-versions/create", ""), ("model-versions/search", "")]
AT_PROMOTE = [
    ("registered-models/get", ""),
    ("registered-models/set-tag", ""),
    ("model-versions/set-tag", "revision"),
    ("registered-models/alias", "previous"),
    ("registered-models/alias", "champion"),
]
ONCE, ALWAYS = 1, 10**6
POINTS = [("register", *point) for point in AT_REGISTER] + [("promote", *point) for point in AT_PROMOTE]
FAULTS = [
    (*point, how, ALWAYS if (place + number) % 2 else ONCE)
    for (place, point), (number, how) in itertools.product(enumerate(POINTS), enumerate(HOW))
]
OTHERS = ["down"] * 4 + ["locked"] * 2 + ["together"] * 4
SHORT = [FAULTS[6], FAULTS[8], FAULTS[33], FAULTS[38]]


@dataclass
class World:
    """The server behind its proxy, versions 1 and 2 of `tiny` with real bundles, and a logged model for more."""

    proxy: Proxy
    database: Path
    client: Any
    model: Any
    accepted: set[str]
    count: int = 2

    def register(self) -> str:
        from gazette.registry.store import client as registry

        return registry.create_version(self.client, NAME, self.model, {"digest": f"{self.count}.dir"}, "about")

    def judge(self, folder: Path) -> Verdict:
        digest = hashing.dvc_hash(folder)
        word = "accept" if digest in self.accepted else "reject"
        return Verdict(word, digest, "c" * 40, NAME, None, [], {})

    def promote(self, number: str) -> PromotionResult:
        return promotion.promote(NAME, number, WHO, self.judge, lambda *_: [])

    def target(self) -> str:
        champion = ledger.current_champion(ledger.read_ledger(), NAME)
        return "1" if champion and champion.version == "2" else "2"

    def rows(self, digest: str) -> int:
        query = "SELECT count(*) FROM model_version_tags t JOIN model_versions v USING (name, version) WHERE "
        with sqlite3.connect(self.database, timeout=60) as connection:
            wanted = query + "t.key = 'digest' AND t.value = ? AND v.current_stage <> 'Deleted_Internal'"
            return int(connection.execute(wanted, [digest]).fetchone()[0])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    box = tmp_path_factory.mktemp("registry")
    git = "git init -q && git -c user.name=t -c user.email=t@x commit -q --allow-empty -m start"
    subprocess.run(git, shell=True, cwd=box, check=True)
    with pytest.MonkeyPatch.context() as patch, mlflow_server(box) as (port, database):
        proxy = Proxy(port)
        patch.chdir(box)
        patch.setenv("MLFLOW_TRACKING_URI", proxy.address)
        from gazette.registry.store import client as registry
        from gazette.registry.store import retry

        patch.setattr(resolve, "list_revisions", lambda digest: ["r" * 40])
        client = registry.connect()
        bundle = make_bundle(box)
        accepted, model = set(), None
        for number in (1, 2, 3):
            about = json.loads((bundle / "bundle.json").read_text()) | {"number": number}
            (bundle / "bundle.json").write_text(json.dumps(about))
            tags = {"digest": hashing.dvc_hash(bundle)}
            accepted |= {tags["digest"]} if number < 3 else set()
            run: dict[str, Any] = {"experiment": NAME, "name": "linear", "metrics": {}, "files": [], "candidates": []}
            model = registry.log_run(registry.Run(tags=tags, examples=["goal"], **run), bundle)
            registry.create_version(client, NAME, model, tags, "about")
        ready = World(proxy, database, client, model, accepted)
        ready.promote("1")
        ready.promote("2")
        patch.setattr(retry, "RETRY_SECONDS", 1)
        patch.setattr(retry, "PAUSE", 0.1)
        for name, value in (("MAX_RETRIES", "2"), ("BACKOFF_FACTOR", "0"), ("BACKOFF_JITTER", "0"), ("TIMEOUT", "2")):
            patch.setenv(f"MLFLOW_HTTP_REQUEST_{name}", value)
        yield ready
        proxy.shutdown()


def tries(work: Callable[[], object]) -> int:
    """How often a person has to type a command until it succeeds; a failure that is not clear is none that counts."""
    try:
        work()
    except ConfigError as error:
        assert "the same command" in str(error) or "another promotion is running" in str(error)
        return 1
    return 0


def once(world: World, what: str) -> tuple[Callable[[], object], Callable[[], None]]:
    """Something to do that was not done yet, and the question whether it was done once."""
    world.count += 1
    moves(world.database)
    target, before = world.target(), len(ledger.read_ledger())

    def done_once() -> None:
        if what == "register":
            assert world.rows(f"{world.count}.dir") == 1
            assert moves(world.database) == []
        else:
            assert len(ledger.read_ledger()) == before + 1
            assert [move[2] for move in moves(world.database) if move[0] == "champion"] == [int(target)]

    return world.register if what == "register" else lambda: world.promote(target), done_once


def endure(world: World, what: str, hurt: Callable[[], None], heal: Callable[[], None]) -> int:
    """One failure: what is begun under it, and the second try; the tries that it took."""
    work, done_once = once(world, what)
    hurt()
    failed = tries(work)
    heal()
    if failed:
        assert tries(work) == 0
    done_once()
    return failed + 1


def fail(world: World, fault: tuple[str, str, str, str, int]) -> int:
    what, path, word, how, times = fault
    injected = Fault(path, word, how, times)
    took = endure(
        world, what, lambda: setattr(world.proxy, "fault", injected), lambda: setattr(world.proxy, "fault", None)
    )
    assert injected.met, f"{path} was never requested"
    return took


def be_down(world: World, what: str) -> int:
    return endure(world, what, lambda: setattr(world.proxy, "down", True), lambda: setattr(world.proxy, "down", False))


def be_together(world: World, what: str) -> int:
    """Two at once, in threads; those that must wait try again."""
    work, done_once = once(world, what)
    again: list[int] = []
    both = [threading.Thread(target=lambda: again.append(tries(work))) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert len(again) == 2
    if any(again):
        assert tries(work) == 0
    done_once()
    return max(again) + 1


def be_locked(world: World, what: str, seconds: float = 20) -> int:
    """The database itself, without the server, kept by another process."""
    from gazette.registry.store import client as registry
    from gazette.registry.store import retry

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{world.database}")
        patch.setattr(retry, "RETRY_SECONDS", 60)
        through, world.client = world.client, registry.connect()
        work, done_once = once(world, what)
        try:
            with locked(world.database, seconds):
                failed = tries(work)
            if failed:
                assert tries(work) == 0
            done_once()
            return failed + 1
        finally:
            world.client = through
            registry.mlflow.set_tracking_uri(world.proxy.address)


@pytest.mark.parametrize("fault", SHORT, ids=str)
def test_a_request_that_fails_leaves_one_version_and_one_move(world: World, fault: Any) -> None:
    assert fail(world, fault) <= 2


def test_two_at_once_end_with_one_version_and_one_move(world: World) -> None:
    assert be_together(world, "register") <= 2
    assert be_together(world, "promote") <= 2


@pytest.mark.faults
def test_fifty_failures_of_fifty_end_well(world: World) -> None:
    lines, well = [], 0
    for number, fault in enumerate([*FAULTS, *OTHERS], 1):
        what = fault[0] if isinstance(fault, tuple) else ("register", "promote")[number % 2]
        began = time.monotonic()
        if isinstance(fault, tuple):
            took = fail(world, fault)
        else:
            took = {"down": be_down, "locked": be_locked, "together": be_together}[fault](world, what)
        name = fault if isinstance(fault, str) else describe(fault)
        lines.append(f"{number:2} {what:8} {name}: {took} tries, {time.monotonic() - began:.1f} s")
        print(lines[-1], flush=True)
        well += took <= 2
    assert well == len(lines) == 50


def describe(fault: tuple[str, str, str, str, int]) -> str:
    _, path, word, how, times = fault
    return f"{path} {word}: {how}, {'once' if times == ONCE else 'until the second try'}"


def read_on(address: str, stop: threading.Event, reads: list[str]) -> None:
    """Asks the server for the champion as fast as it answers."""
    while not stop.is_set():
        url = f"{address}/api/2.0/mlflow/registered-models/alias?name={NAME}&alias=champion"
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                reads.append(str(json.load(answer)["model_version"]["version"]))
        except urllib.error.HTTPError as error:  # 404: no such alias
            reads.append(f"absent: {error}")


def swing(world: World, times: int) -> tuple[int, int]:
    """Moves the champion so often, a rejected version between; how many reads, and of other than accepted versions."""
    stop, reads = threading.Event(), list[str]()
    reader = threading.Thread(target=read_on, args=(f"http://127.0.0.1:{world.proxy.upstream}", stop, reads))
    moves(world.database)
    reader.start()
    for number in range(times):
        if number % 10 == 0:
            with pytest.raises(RejectedError):
                world.promote("3")
        world.promote(world.target())
    stop.set()
    reader.join()
    changes = [move for move in moves(world.database) if move[0] == "champion"]
    assert len(changes) == times
    assert all(to is not None for _, _, to in changes)
    return len(reads), len([number for number in reads if number not in ("1", "2")])


def test_a_reader_finds_an_accepted_champion_while_it_moves(world: World) -> None:
    reads, wrong = swing(world, 5)
    assert reads > 5
    assert wrong == 0


@pytest.mark.faults
def test_a_reader_finds_an_accepted_champion_while_it_moves_a_hundred_times(world: World) -> None:
    reads, wrong = swing(world, 100)
    print(f"{reads} reads during 100 moves: {wrong} absent or of a version that was not accepted")
    assert reads > 100
    assert wrong == 0


def test_a_bundle_is_pulled_pinned_and_pulled_again_as_pinned(world: World, tmp_path: Path) -> None:
    from gazette.serving import pull

    lock, to = tmp_path / "gazette.lock", tmp_path / "models" / "news"
    pin = pull.pull(f"{NAME}@champion", to, lock)
    assert hashing.dvc_hash(to) == pin.digest
    assert pin.revision == "r" * 40
    world.promote(world.target())
    shutil.rmtree(to.parent)
    assert pull.pull_locked(lock)[to.as_posix()] == pin
    assert hashing.dvc_hash(to) == pin.digest
