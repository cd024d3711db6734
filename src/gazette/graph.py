"""DVC: running the graph of stages, and the hashes by which it knows files. The only module that imports it."""

import logging
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dvc.exceptions import DvcException, ReproductionError
from dvc.repo import Repo
from dvc_data.hashfile.build import build
from ruamel.yaml import YAML

from gazette import records
from gazette.errors import Misconfigured


@dataclass(frozen=True)
class Outcome:
    """What became of the stages, `ran` or `unchanged` in the order of dvc.yaml, or why the run ended early."""

    states: dict[str, str] = field(default_factory=dict)
    code: int = 0  # the exit code of the stage that failed
    message: str = ""


def reproduce() -> Outcome:
    """Brings every stage up to date, as `dvc repro` does, its output on this terminal.

    Raises Misconfigured where DVC cannot start: another run holds its lock, `dvc.yaml` is not valid.
    """
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    try:
        with Repo() as repo:
            names = [stage.addressing for stage in repo.index.stages if not stage.is_data_source]
            ran = {stage.addressing for stage in repo.reproduce()}
    except ReproductionError as error:
        return Outcome(code=_exit_code(error.__cause__), message=f"{error}: {error.__cause__}")
    except DvcException as error:
        raise Misconfigured(f"DVC cannot run the stages: {error}") from error
    return Outcome({name: "ran" if name in ran else "unchanged" for name in names})


def _exit_code(cause: BaseException | None) -> int:
    """What the stage ended with, as DVC's message says it; 128 + n after signal n; 2 where it was not even started."""
    found = re.search(r"exited with (-?\d+)", str(cause))
    if not found:
        return Misconfigured.code
    return int(found[1]) if int(found[1]) >= 0 else 128 - int(found[1])


def changed_outputs() -> list[str]:
    """Outputs whose hash in dvc.lock is not the one of the last commit's; none where there is no such commit."""
    committed = subprocess.run(["git", "show", "HEAD:dvc.lock"], capture_output=True, text=True, check=False)
    if committed.returncode:
        return []
    before, after = (_outputs(YAML(typ="safe").load(text)) for text in (committed.stdout, Path("dvc.lock")))
    return sorted(path for path, found in after.items() if before.get(path, found) != found)


def _outputs(lock: dict[str, Any]) -> dict[str, str]:
    return {out["path"]: out["md5"] for stage in lock["stages"].values() for out in stage.get("outs", [])}


def digest(path: Path) -> str:
    """The hash by which DVC knows a file or folder."""
    with Repo() as repo:
        _, _, found = build(repo.cache.local, str(path.absolute()), repo.cache.local.fs, "md5", dry_run=True)
    return str(found.hash_info.value)


def pointed_at(pointer: Path) -> str:
    """The hash that a `.dvc` file names."""
    return str(records.read_yaml(pointer)["outs"][0]["md5"])


def add(path: Path) -> None:
    """Puts a file or folder under DVC, as `dvc add` does: into its cache, and a pointer beside it.

    Raises Misconfigured where DVC cannot: another command holds its lock, this is no project of DVC's.
    """
    logging.getLogger("dvc").setLevel(logging.WARNING)  # without advice on git, where the pointer stays as it was
    try:
        with Repo() as repo:
            repo.add(str(path))
    except DvcException as error:
        raise Misconfigured(f"DVC cannot take in {path}: {error}") from error
