"""A fresh clone of a revision: raw data alone, the packages of its lock, every stage run."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from gazette.core.errors import BrokenContract, Misconfigured
from gazette.lineage.proof import packages
from gazette.lineage.proof.compare import Lock
from gazette.pipeline import dvclock, git, hashing, storage

LEFT_OUT = ("DVC_", "PYTHONPATH", "MLFLOW_", "GAZETTE_", "ONEDNN_", "DNNL_", "TF_", "OPENBLAS_", "OMP_", "GIT_")
REQUIREMENTS = "requirements.lock"

Say = Callable[[str], object]


def clone(commit: str, recorded: Lock, folder: Path) -> None:
    """A clone at a commit, with a cache of its own and nothing that stages make."""
    top = git.said("rev-parse", "--show-toplevel")
    git.said("clone", "--quiet", "--shared", "--no-checkout", top, str(folder))
    git.said("checkout", "--quiet", "--detach", commit, folder=folder)
    storage.set_apart(Path(), folder)
    for path in dvclock.outputs(recorded):
        made = folder / path
        shutil.rmtree(made) if made.is_dir() else made.unlink(missing_ok=True)
    (folder / dvclock.LOCK).unlink()


def bring_raw(recorded: Lock, folder: Path, say: Say) -> None:
    """Brings what stages depend on and a `.dvc` file names into the clone, and hashes it again.

    Raises Misconfigured where it is not at hand, BrokenContract where it is not what the `.dvc` file names.
    """
    needed = {dep["path"] for stage in recorded.values() for dep in stage.get("deps", [])}
    for pointer in git.said("ls-files", "*.dvc", folder=folder).split("\n"):
        raw = pointer.removesuffix(".dvc")
        if raw not in needed:
            continue
        say(f"raw data {raw}")
        wanted = storage.pointed_at(folder / pointer)
        pulled = _dvc(folder, "pull", "--quiet", "--remote", storage.CACHE, pointer)
        if pulled.returncode:
            pulled = _dvc(folder, "pull", "--quiet", pointer)
        if pulled.returncode:
            why = pulled.stderr.strip()
            raise Misconfigured(f"{raw} is neither in DVC's cache nor in its remote; run `dvc push` where it is\n{why}")
        if (found := hashing.of_path(folder / raw)) != wanted:
            raise BrokenContract(f"{raw} as DVC keeps it has the hash {found}, {pointer} names {wanted}")


def _dvc(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dvc", *words], cwd=folder, env=_clean(), capture_output=True, text=True, check=False
    )


def _clean() -> dict[str, str]:
    """This process's environment without what would change what is made, or would make it in another project."""
    return {name: value for name, value in os.environ.items() if not name.startswith(LEFT_OUT)}


def python(folder: Path, say: Say) -> tuple[Path, bool]:
    """The Python to run with: this one where its packages are the recorded ones, else one made from the lock."""
    lock = folder / REQUIREMENTS
    differs = packages.differences(lock.read_text(encoding="utf-8")) if lock.exists() else []
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


def run(folder: Path, python: Path, say: Say) -> str:
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
