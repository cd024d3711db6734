"""What is changed of DVC in our processes does what DVC does."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from dvc.lock import LockError, make_lock
from projects import copy_stage, make_project, shell

from prefect_dvc import dvc_internals, graph

HOLD = """import sys, time
from dvc.lock import make_lock
with make_lock(sys.argv[1]):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


@pytest.fixture
def path(tmp_path: Path) -> Iterator[str]:
    yield str(tmp_path / "lock")


def hold(path: str, seconds: float) -> "subprocess.Popen[str]":
    process = subprocess.Popen([sys.executable, "-c", HOLD, path, str(seconds)], stdout=subprocess.PIPE, text=True)
    assert process.stdout and process.stdout.readline() == "held\n"
    return process


def test_a_lock_in_use_is_waited_for_as_long_as_it_takes(path: str) -> None:
    lock = make_lock(path, wait=True)
    with hold(path, 4) as holder, dvc_internals.locked(lock):
        assert lock.is_locked and holder.wait(5) == 0
    assert not lock.is_locked


def test_a_lock_that_is_not_to_be_waited_for_is_tried_as_long_as_dvc_tries(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dvc_internals, "DEFAULT_TIMEOUT", 0.3)
    with hold(path, 2), pytest.raises(LockError):
        began = time.monotonic()
        dvc_internals.wait_for_lock(make_lock(path))
    assert time.monotonic() - began >= 0.3


def test_a_lock_by_hard_links_works_as_dvcs_do(path: str, tmp_path: Path) -> None:
    lock = make_lock(path, tmp_dir=str(tmp_path), hardlink_lock=True)
    with dvc_internals.locked(lock):
        assert lock.is_locked
    assert not lock.is_locked


def test_status_within_one_lock_is_that_of_dvc(tmp_path: Path) -> None:
    stages = {"a": copy_stage("a", "raw"), "b": copy_stage("b", "raw"), "c": copy_stage("c", "made_a")}
    root = make_project(tmp_path, stages, raw="1\n")
    shell(root, "dvc repro -q a c")
    (root / "made_a").write_text("2\n")
    with graph.open_repo(root) as repo, repo.lock:
        own = graph.own_stages(repo)
        expected = [stage.status() for stage in own]
        with dvc_internals.status_lock(repo, own):
            assert [dvc_internals.status_of(stage) for stage in own] == expected
    assert [bool(status) for status in expected] == [True, True, True]


def test_what_another_process_writes_is_refused_as_dvc_refuses_it(tmp_path: Path) -> None:
    root = make_project(tmp_path, {"a": copy_stage("a", "raw")}, raw="1\n")
    shell(root, "dvc status -q || true")
    entry = f'{{"write": {{"{root}/made_a": {{"pid": 1, "cmd": "dvc repro"}}}}}}'
    (root / ".dvc" / "tmp" / "rwlock").write_text(entry)
    with graph.open_repo(root) as repo, repo.lock:
        lock = dvc_internals.status_lock(repo, graph.own_stages(repo))
        with pytest.raises(LockError), lock:
            pytest.fail("it was not refused")
