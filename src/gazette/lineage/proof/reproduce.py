"""Reproduce a revision: a fresh clone, only raw data, every stage; the outputs are compared with its lock."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from prefect_dvc import git, graph, revisions
from prefect_dvc.core.errors import ConfigError

from gazette.core import files
from gazette.lineage.proof import clone, compare
from gazette.lineage.proof.compare import StageDifference
from gazette.pipeline import dvclock
from gazette.pipeline.dvclock import DvcLock

LOCK = dvclock.LOCK.name
FINGERPRINTS = Path(".gazette/fingerprints")


@dataclass(frozen=True)
class Reproduction:
    """The result: the differences of the first stage that differs, if any, and the conditions of the run."""

    revision: str
    differences: list[StageDifference]
    failed: str  # why the run failed, or empty
    seconds: float
    same_packages: bool  # it ran in this environment
    machines: dict[str, Any]  # fingerprints of this machine, by candidate
    outputs: int

    @property
    def identical(self) -> bool:
        """Whether every output has the recorded hash."""
        return not self.differences and not self.failed

    def record(self) -> dict[str, Any]:
        """Return the result for JSON."""
        return {
            "revision": self.revision,
            "identical": self.identical,
            "outputs": self.outputs,
            "seconds": round(self.seconds, 1),
            "environment": "this one" if self.same_packages else "installed from the revision's lock",
            "failed": self.failed,
            "differences": [asdict(difference) for difference in self.differences],
        }


@contextmanager
def reproduce_revision(revision: str, say: clone.OnLine) -> Iterator[tuple[Reproduction, Path]]:
    """Reproduce a revision in a clone that is deleted at the end of the block; yields the result and the clone.

    Any revision works, since its own code runs. Raises ConfigError if it has no `dvc.lock`, or if its raw data are not
    available; DataContractError if these differ from their pointer.
    """
    commit = git.resolve_commit(revision)
    text = git.show(commit, LOCK)
    if text is None:
        raise ConfigError(f"revision {commit[:9]} has no {LOCK}: there is nothing to reproduce")
    recorded = dvclock.parse_stages(text)
    with tempfile.TemporaryDirectory(prefix="gazette-") as temporary:
        top = Path(temporary).resolve() / "clone"
        say(f"cloning {commit[:9]} to {top}")
        folder = clone.clone_revision(commit, recorded, top)
        clone.fetch_raw(recorded, folder, say)
        python, same = clone.choose_python(folder, say)
        began = time.monotonic()
        failed = clone.run_stages(folder, python, say)
        seconds = time.monotonic() - began
        actual = dvclock.parse_stages((folder / LOCK).read_text(encoding="utf-8")) if (folder / LOCK).exists() else {}
        order = [node.name for node in graph.read_graph(folder) if not node.name.endswith(".dvc")]
        differences = [
            _measure(difference, commit, folder) for difference in compare.first_difference(recorded, actual, order)
        ]
        if failed:  # later stages were not run, so their absence means nothing
            differences = [difference for difference in differences if difference.kind != "stage"]
        machines = {path.stem: files.read_json(path) for path in sorted((folder / FINGERPRINTS).glob("*.json"))}
        (folder / LOCK).write_text(text, encoding="utf-8")  # the commit's, for a statement on the result
        yield (
            Reproduction(commit, differences, failed, seconds, same, machines, len(dvclock.list_outputs(actual))),
            folder,
        )


def revision_identity(revision: str) -> tuple[str, str]:
    """Return a revision's corpus (`project` if its params name none) and the hash of its selected bundle, if any."""
    lock = dvclock.load_or_none(revision) or DvcLock(revision, {})
    return str(lock.yaml("params.yaml").get("corpus", "project")), lock.bundle or ""


def _measure(difference: StageDifference, commit: str, folder: Path) -> StageDifference:
    """Add by how much an output differs, if the recorded one is available."""
    if difference.kind != "output" or not difference.recorded or not (folder / difference.name).exists():
        return difference
    with tempfile.TemporaryDirectory() as temporary:
        before = Path(temporary) / Path(difference.name).name
        try:
            revisions.fetch_file(commit, difference.name, before)
        except revisions.MissingFileError:
            return replace(difference, by=("the recorded one is not available to measure it against",))
        return replace(difference, by=compare.measure_difference(before, folder / difference.name))
