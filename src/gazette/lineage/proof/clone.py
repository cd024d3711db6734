"""A fresh clone of a revision: only raw data, the packages of its lock, every stage run."""

import os
import sys
from collections.abc import Callable
from functools import partial
from importlib.metadata import distributions
from pathlib import Path

from packaging.requirements import Requirement
from prefect_dvc import dvc_command, git, git_environment, hashing, remote, storage
from prefect_dvc.core import atomic
from prefect_dvc.core.errors import ConfigError, DataContractError
from prefect_dvc.environment import source_folders
from prefect_dvc.execution import signals
from prefect_dvc.supervisor import start_command

from gazette.core import pointers
from gazette.lineage.proof.compare import Lock
from gazette.pipeline import dvclock, inheritance
from gazette.pipeline.variables import THREADS

DROPPED = ("DVC_", "PYTHONPATH", "MLFLOW_", "GAZETTE_", *THREADS)
REQUIREMENTS = "requirements.lock"

OnLine = Callable[[str], object]


def clone_revision(commit: str, recorded: Lock, top: Path) -> Path:
    """Clone a commit to `top`, with its own cache and without any output of a stage; returns the project in it."""
    no_hooks = ("--template=", "--config", "=".join(git_environment.NO_HOOKS))
    git.run("clone", "--quiet", "--shared", "--no-checkout", *no_hooks, str(git.top()), str(top))
    git.run("checkout", "--quiet", "--detach", commit, folder=top)
    folder = git.project_in(top, Path(), commit)
    storage.isolate_cache(Path(), folder)
    outputs = [folder / path for path in dvclock.list_outputs(recorded)]
    if outside := next((out for out in outputs if not out.parent.resolve().is_relative_to(folder.resolve())), None):
        raise ConfigError(
            f"{outside.relative_to(folder) if outside.is_relative_to(folder) else outside}: an output outside the "
            "project, which a reproduction would replace; only a project whose outputs are inside it is reproduced"
        )
    for output in outputs:
        atomic.remove(output)
    (folder / dvclock.LOCK).unlink()
    return folder


def fetch_raw(recorded: Lock, folder: Path, say: OnLine) -> None:
    """Fetch the raw data that stages depend on into the clone, and hash them again.

    Raises ConfigError if they are not available, DataContractError if they differ from their pointer.
    """
    pointers_here = {
        name.removesuffix(".dvc"): name for name in git.list_names("ls-files", "-z", "*.dvc", folder=folder)
    }
    for raw in sorted(pointers_here.keys() & dvclock.list_inputs(recorded).keys()):
        pointer = pointers_here[raw]
        say(f"raw data {raw}")
        recorded_hash = pointers.read_hash(folder / pointer)
        pull = partial(dvc_command.run_or_error, "pull", "--quiet", folder=folder, environment=_clean_environment())
        if pull("--remote", storage.CACHE, "--", pointer) and (
            why := remote.describe_problem(folder) or pull("--", pointer)
        ):
            raise ConfigError(
                f"{raw} is neither in DVC's cache nor in its remote; run `dvc push` on a machine that has it\n{why}"
            )
        if (actual := hashing.dvc_hash_or_none(folder / raw)) != recorded_hash:
            raise DataContractError(f"{raw} in DVC's cache has the hash {actual}, {pointer} names {recorded_hash}")


def _clean_environment() -> dict[str, str]:
    """Return what passes of this process's environment, without what would redirect outputs to this tree.

    The constants are left to the revision, which may have had others.
    """
    return {name: value for name, value in inheritance.clean(os.environ).items() if not name.startswith(DROPPED)}


def choose_python(folder: Path, say: OnLine) -> tuple[Path, bool]:
    """Return this Python if its packages are the recorded ones, else one installed from the lock; and which it is."""
    lock = folder / REQUIREMENTS
    differences = package_differences(lock.read_text(encoding="utf-8")) if lock.exists() else []
    if not differences:
        say("same packages as this environment" if lock.exists() else f"no {REQUIREMENTS}: using this environment")
        return Path(sys.executable), True
    rest = ", …" if len(differences) > 3 else ""
    say(f"other packages than in this environment ({'; '.join(differences[:3])}{rest}): `make install`")
    command = ["make", "install", f"PYTHON={sys.executable}"]
    if code := start_command(command, folder, _clean_environment(), sys.stderr, sys.stderr).wait():
        raise ConfigError(f"`make install` ended with {code} in a clone of that revision")
    return folder / ".venv" / "bin" / "python", False


def package_differences(lock: str) -> list[str]:
    """List the packages of `requirements.lock` that this environment lacks or has in another version, a line each."""
    differences = []
    for pin in (Requirement(line.rstrip(" \\")) for line in lock.splitlines() if line[:1].isalnum()):
        if pin.marker and not pin.marker.evaluate():
            continue
        installed = next((package.version for package in distributions(name=pin.name)), None)
        if installed is None or not pin.specifier.contains(installed, prereleases=True):
            differences.append(f"{pin.name}{pin.specifier}, here {installed or 'none'}")
    return differences


def run_stages(folder: Path, python: Path, say: OnLine) -> str:
    """Run every stage; returns why that failed, or an empty string."""
    environment = _clean_environment() | {
        "PATH": os.pathsep.join([str(python.parent), os.environ.get("PATH", os.defpath)]),
        "PYTHONPATH": os.pathsep.join([*map(str, source_folders(folder)), str(folder)]),
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}",  # a registry that is removed with the clone
        "DVC_NO_ANALYTICS": "1",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    process = start_command([str(python), "-m", "dvc", "repro", "--force"], folder, environment)
    last = ""
    for line in process.stdout or ():
        say(line.rstrip())
        last = line.strip() or last
    return signals.append_signal(last) if process.wait() else ""
