"""dvc.lock as a race left it, put in the order of a serial run."""

from collections.abc import Callable
from pathlib import Path

import pytest
from projects import copy_stage

from prefect_dvc import git, state
from prefect_dvc.execution import lock_order
from prefect_dvc.execution.lock_order import preserve_lock_order

ORDER = ["start", "a", "b", "train@x", "end"]


def lock(*names: str) -> str:
    entries = "".join(
        f"  {name}:\n    cmd: make {name} ||\n      true\n    outs:\n    - path: {name}\n" for name in names
    )
    return f"schema: '2.0'\nstages:\n{entries}"


@pytest.fixture
def root(dvc_project: Callable[..., Path]) -> Path:
    return dvc_project({"a": copy_stage("a", "raw")})


def test_stages_that_are_new_stand_in_the_order_of_a_serial_run(root: Path) -> None:
    with preserve_lock_order(root, ORDER) as sort_locks:
        (root / "dvc.lock").write_text(lock("start", "b", "a"))
        sort_locks()
        assert (root / "dvc.lock").read_text() == lock("start", "a", "b")
        (root / "dvc.lock").write_text(lock("start", "a", "b", "end", "train@x"))
    assert (root / "dvc.lock").read_text() == lock("start", "a", "b", "train@x", "end")
    assert not (state.state_path(root) / lock_order.COPIES).exists()


def test_stages_that_were_there_keep_their_places_as_dvc_leaves_them(root: Path) -> None:
    (root / "dvc.lock").write_text(lock("end", "gone", "start"))
    with preserve_lock_order(root, ORDER):
        (root / "dvc.lock").write_text(lock("end", "gone", "start", "b", "a"))
    assert (root / "dvc.lock").read_text() == lock("end", "gone", "start", "a", "b")


def test_a_run_that_was_killed_leaves_the_order_to_the_next(root: Path) -> None:
    interrupted = preserve_lock_order(root, ORDER)
    interrupted.__enter__()
    (root / "dvc.lock").write_text(lock("start", "b"))
    with preserve_lock_order(root, ORDER):
        (root / "dvc.lock").write_text(lock("start", "b", "a"))
    assert (root / "dvc.lock").read_text() == lock("start", "a", "b")


def test_git_has_the_lock_in_order_if_dvc_stages_what_it_writes(root: Path) -> None:
    (root / ".dvc" / "config").write_text("[core]\n    autostage = true\n")
    with preserve_lock_order(root, ORDER):
        (root / "dvc.lock").write_text(lock("b", "a"))
        git.run("add", "dvc.lock", folder=root)
    assert git.run("show", ":dvc.lock", folder=root) + "\n" == lock("a", "b")


def test_a_killed_runs_order_on_another_branch_is_ignored(root: Path) -> None:
    (root / "dvc.lock").write_text(lock("start", "a"))
    preserve_lock_order(root, ORDER).__enter__()
    (root / "dvc.lock").write_text(lock("b", "start", "a"))
    with preserve_lock_order(root, ORDER):
        pass
    assert (root / "dvc.lock").read_text() == lock("b", "start", "a")


def test_each_lock_of_several_has_its_own_order(root: Path) -> None:
    (root / "part").mkdir()
    with preserve_lock_order(root, ["raw.dvc", "a", "part/dvc.yaml:x", "part/dvc.yaml:y", "b"]):
        (root / "dvc.lock").write_text(lock("b", "a"))
        (root / "part" / "dvc.lock").write_text(lock("y", "x"))
    assert (root / "dvc.lock").read_text() == lock("a", "b")
    assert (root / "part" / "dvc.lock").read_text() == lock("x", "y")
