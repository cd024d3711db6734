"""A revision made once more: a fresh clone, raw data alone, every stage; what came out is compared with its lock."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from gazette.core import files
from gazette.core.errors import Misconfigured
from gazette.lineage.proof import clone, compare
from gazette.lineage.proof.compare import Difference
from gazette.pipeline import dvclock, git, graph, revisions
from gazette.pipeline.dvclock import State

LOCK = dvclock.LOCK.name
FINGERPRINTS = Path(".gazette/fingerprints")


@dataclass(frozen=True)
class Reproduction:
    """What came of it: nothing differs, or what does in the first stage that does, and what the machine has to do."""

    revision: str
    differences: list[Difference]
    failed: str  # why the run ended early
    seconds: float
    same_packages: bool  # it ran in this environment
    machines: dict[str, Any]  # fingerprints of this machine, by candidate
    outputs: int

    @property
    def identical(self) -> bool:
        """Whether every output has the recorded hash."""
        return not self.differences and not self.failed

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "revision": self.revision,
            "identical": self.identical,
            "outputs": self.outputs,
            "seconds": round(self.seconds, 1),
            "environment": "this one" if self.same_packages else "made from the revision's lock",
            "failed": self.failed,
            "differences": [one.record() for one in self.differences],
        }


@contextmanager
def reproduced(revision: str, say: clone.Say) -> Iterator[tuple[Reproduction, Path]]:
    """Makes a revision once more, in a clone that is gone when the block ends: what came of it, and the clone.

    Raises Misconfigured where the revision has no `dvc.lock`, or its raw data are not at hand; BrokenContract where
    they are not what their pointer names.
    """
    commit = git.commit(revision)
    text = git.file(commit, LOCK)
    if text is None:
        raise Misconfigured(f"revision {commit[:9]} has no {LOCK}: nothing was recorded that could be made again")
    recorded = _stages(text)
    with tempfile.TemporaryDirectory(prefix="gazette-") as box:
        folder = Path(box).resolve() / "clone"
        say(f"a clone of {commit[:9]} at {folder}")
        clone.clone(commit, recorded, folder)
        clone.bring_raw(recorded, folder, say)
        python, same = clone.python(folder, say)
        began = time.monotonic()
        failed = clone.run(folder, python, say)
        seconds = time.monotonic() - began
        found = _stages((folder / LOCK).read_text(encoding="utf-8")) if (folder / LOCK).exists() else {}
        order = [node.name for node in graph.read(folder) if not node.name.endswith(".dvc")]
        differences = [_measured(one, commit, folder) for one in compare.first(recorded, found, order)]
        if failed:  # what comes after the stage that failed was not made, and that says nothing
            differences = [one for one in differences if one.kind != "stage"]
        machines = {path.stem: files.read(path) for path in sorted((folder / FINGERPRINTS).glob("*.json"))}
        (folder / LOCK).write_text(text, encoding="utf-8")  # the commit's, for whoever states what came of it
        yield Reproduction(commit, differences, failed, seconds, same, machines, len(dvclock.outputs(found))), folder


def identity(revision: str) -> tuple[str, str]:
    """The corpus of a revision (`project` where its params name none), and the hash of its selected bundle, if any."""
    state = dvclock.of(revision) or State(revision, {})
    return str(state.yaml("params.yaml").get("corpus", "project")), state.bundle or ""


def _stages(text: str) -> dict[str, Any]:
    stages: dict[str, Any] = YAML(typ="safe", pure=True).load(text).get("stages", {})
    return stages


def _measured(difference: Difference, commit: str, folder: Path) -> Difference:
    """The same, and by how much the output differs, where the recorded one is at hand."""
    if difference.kind != "output" or not difference.recorded or not (folder / difference.name).exists():
        return difference
    with tempfile.TemporaryDirectory() as box:
        before = Path(box) / Path(difference.name).name
        try:
            revisions.fetch(commit, difference.name, before)
        except revisions.Missing:
            return Difference(
                **difference.record() | {"by": ("the recorded one is not at hand to measure it against",)}
            )
        return Difference(**difference.record() | {"by": compare.by_how_much(before, folder / difference.name)})
