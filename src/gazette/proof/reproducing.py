"""A revision made once more: a fresh clone, raw data alone, every stage; what came out is compared with its lock."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from gazette import digests, git, graph, records, revisions
from gazette.errors import BrokenContract, Misconfigured
from gazette.proof import comparing, environment
from gazette.proof.comparing import Difference

LOCK, PIPELINE, REQUIREMENTS = "dvc.lock", "dvc.yaml", "requirements.lock"
FINGERPRINTS = Path(".gazette/fingerprints")
LEFT_OUT = ("DVC_", "PYTHONPATH", "MLFLOW_", "GAZETTE_", "ONEDNN_", "DNNL_", "TF_", "OPENBLAS_", "OMP_", "GIT_")


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


Say = Callable[[str], object]


@contextmanager
def reproduced(revision: str, say: Say) -> Iterator[tuple[Reproduction, Path]]:
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
        _clone(commit, folder)
        _bring_raw(recorded, folder, say)
        python, same = _environment(folder, say)
        began = time.monotonic()
        failed = _run(folder, python, say)
        seconds = time.monotonic() - began
        found = _stages((folder / LOCK).read_text(encoding="utf-8")) if (folder / LOCK).exists() else {}
        order = [node.name for node in graph.read(folder) if not node.name.endswith(".dvc")]
        differences = [_measured(one, commit, folder) for one in comparing.first(recorded, found, order)]
        if failed:  # what comes after the stage that failed was not made, and that says nothing
            differences = [one for one in differences if one.kind != "stage"]
        machines = {path.stem: records.read(path) for path in sorted((folder / FINGERPRINTS).glob("*.json"))}
        outputs = sum(len(stage.get("outs", [])) for stage in found.values())
        (folder / LOCK).write_text(text, encoding="utf-8")  # the commit's, for whoever states what came of it
        yield Reproduction(commit, differences, failed, seconds, same, machines, outputs), folder


def identity(revision: str) -> tuple[str, str]:
    """The corpus of a revision (`project` where its params name none), and the hash of its selected bundle, if any."""
    numbers = YAML(typ="safe", pure=True).load(git.file(revision, "params.yaml") or "") or {}
    stages = _stages(git.file(revision, LOCK) or "stages: {}")
    outs = {out["path"]: str(out["md5"]) for stage in stages.values() for out in stage.get("outs", [])}
    return str(numbers.get("corpus", "project")), outs.get("models/selected", "")


def _stages(text: str) -> dict[str, Any]:
    stages: dict[str, Any] = YAML(typ="safe", pure=True).load(text).get("stages", {})
    return stages


def _clone(commit: str, folder: Path) -> None:
    top = git.said("rev-parse", "--show-toplevel")
    git.said("clone", "--quiet", "--shared", "--no-checkout", top, str(folder))
    git.said("checkout", "--quiet", "--detach", commit, folder=folder)
    graph.set_apart(Path(), folder)
    for entry in [
        out["path"] for stage in _stages((folder / LOCK).read_text()).values() for out in stage.get("outs", [])
    ]:
        made = folder / entry
        shutil.rmtree(made) if made.is_dir() else made.unlink(missing_ok=True)
    (folder / LOCK).unlink()


def _bring_raw(recorded: comparing.Lock, folder: Path, say: Say) -> None:
    """Brings what stages depend on and a `.dvc` file names into the clone, and hashes it again."""
    needed = {dep["path"] for stage in recorded.values() for dep in stage.get("deps", [])}
    for pointer in git.said("ls-files", "*.dvc", folder=folder).split("\n"):
        raw = pointer.removesuffix(".dvc")
        if raw not in needed:
            continue
        say(f"raw data {raw}")
        wanted = records.read_yaml(folder / pointer)["outs"][0]["md5"]
        pulled = _dvc(folder, "pull", "--quiet", "--remote", graph.CACHE, pointer)
        if pulled.returncode:
            pulled = _dvc(folder, "pull", "--quiet", pointer)
        if pulled.returncode:
            why = pulled.stderr.strip()
            raise Misconfigured(f"{raw} is neither in DVC's cache nor in its remote; run `dvc push` where it is\n{why}")
        here = folder / raw
        found = digests.of_bundle(here) if here.is_dir() else digests.of_file(here, "md5")
        if found != wanted:
            raise BrokenContract(f"{raw} as DVC keeps it has the hash {found}, {pointer} names {wanted}")


def _dvc(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dvc", *words], cwd=folder, env=_clean(), capture_output=True, text=True, check=False
    )


def _clean() -> dict[str, str]:
    """This process's environment without what would change what is made, or would make it in another project."""
    return {name: value for name, value in os.environ.items() if not name.startswith(LEFT_OUT)}


def _environment(folder: Path, say: Say) -> tuple[Path, bool]:
    """The Python to run with: this one where its packages are the recorded ones, else one made from the lock."""
    lock = folder / REQUIREMENTS
    differs = environment.differences(lock.read_text(encoding="utf-8")) if lock.exists() else []
    if not differs:
        say("its packages are this environment's" if lock.exists() else f"it has no {REQUIREMENTS}; with what is here")
        return Path(sys.executable), True
    say(f"other packages than here ({'; '.join(differs[:3])}{', …' if len(differs) > 3 else ''}): `make install`")
    made = subprocess.run(
        ["make", "install", f"PYTHON={sys.executable}"],
        cwd=folder,
        env=_clean(),
        stdout=sys.stderr,
        text=True,
        check=False,
    )
    if made.returncode:
        raise Misconfigured(f"`make install` ended with {made.returncode} in a clone of that revision")
    return folder / ".venv" / "bin" / "python", False


def _run(folder: Path, python: Path, say: Say) -> str:
    """Runs every stage; why that ended early, or nothing."""
    own = {
        "PATH": os.pathsep.join([str(python.parent), os.environ.get("PATH", os.defpath)]),
        "PYTHONPATH": os.pathsep.join([str(folder / "src"), str(folder)]),
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}",  # a registry that nobody keeps
        "DVC_NO_ANALYTICS": "1",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    process = subprocess.Popen(
        [python, "-m", "dvc", "repro", "--force"],
        cwd=folder,
        env=_clean() | own,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    last = ""
    for line in process.stdout:
        say(line.rstrip())
        last = line.strip() or last
    return last if process.wait() else ""


def _measured(difference: Difference, commit: str, folder: Path) -> Difference:
    """The same, and by how much the output differs, where the recorded one is at hand."""
    if difference.kind != "output" or not difference.recorded or not (folder / difference.name).exists():
        return difference
    with tempfile.TemporaryDirectory() as box:
        before = Path(box) / Path(difference.name).name
        try:
            revisions.fetch(commit, difference.name, before)
        except Misconfigured:
            return Difference(
                **difference.record() | {"by": ("the recorded one is not at hand to measure it against",)}
            )
        return Difference(**difference.record() | {"by": comparing.by_how_much(before, folder / difference.name)})
