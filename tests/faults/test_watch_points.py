"""Kills of the flow `watch` at named points of a run that trains and promotes: the next run goes on."""

import shutil
import signal
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import stopping
from clones import GUARD
from flow_runs import Flow
from watched import RUN, Watched, make_watched, write_traffic

from gazette.monitoring import answers, history

pytestmark = pytest.mark.faults

PLACES = ("project", "origin.git")


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, flow: Flow) -> Watched:
    """A project whose champion errs, by labels that people gave; nothing was trained yet. A copy to go back to."""
    box = tmp_path_factory.mktemp("watch")
    watched = make_watched(box, flow)
    (box / "guard" / "sitecustomize.py").write_text(GUARD + Path(stopping.__file__).read_text())
    write_traffic(watched, datetime.now(UTC))
    assert watched.run() == ["ask", "wait"]
    watched.answer(answers.read_questions(watched.questions), "sports")
    for place in PLACES:
        shutil.copytree(box / place, box / "saved" / place, symlinks=True)
    return watched


def go_back(watched: Watched) -> None:
    box = watched.folder.parent
    for place in PLACES:
        shutil.rmtree(box / place)
        shutil.copytree(box / "saved" / place, box / place, symlinks=True)


def state(watched: Watched) -> dict[str, Any]:
    """Return what a run leaves: the ledger, the registry's aliases, the branch, and what is noted as begun."""
    notes = history.read_notes(watched.folder, "tiny")
    return {
        "ledger": [(entry.kind, entry.to.digest) for entry in watched.entries],
        "aliases": watched.project.ask("print(client.get_registered_model('tiny').aliases)"),
        "branch": [subject.partition(":")[0] for subject in watched.subjects()],
        "begun": (notes.training_since, notes.asking_since),
        "worktrees": watched.project("git worktree list --porcelain").count("worktree "),
    }


@pytest.fixture(scope="module")
def undisturbed(watched: Watched) -> dict[str, Any]:
    assert watched.run() == ["train", "promote", "wait"]
    return state(watched)


@pytest.mark.parametrize("point", stopping.WATCH_POINTS)
def test_a_kill_at_a_named_point_is_made_good_by_the_next_run(
    watched: Watched, undisturbed: dict[str, Any], point: str
) -> None:
    go_back(watched)
    reached = watched.folder.parent / "reached"
    reached.unlink(missing_ok=True)
    process = watched.start(GAZETTE_STOP_AT=point, GAZETTE_STOP_IN=RUN, GAZETTE_STOP_FILE=str(reached))
    while not reached.exists():
        assert process.poll() is None, process.stdout and process.stdout.read()
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    watched.run()
    assert state(watched) == undisturbed
