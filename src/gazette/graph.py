"""DVC: running the graph of stages, and the hashes by which it knows files. The only module that imports it."""

import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

from dvc.exceptions import ReproductionError
from dvc.repo import Repo
from dvc_data.hashfile.build import build
from ruamel.yaml import YAML


@dataclass(frozen=True)
class Outcome:
    """What became of the stages, in the order of the graph; `code` is the exit code of the one that failed."""

    states: dict[str, str] = field(default_factory=dict)  # stage: ran, unchanged, failed, not reached
    code: int = 0


def reproduce() -> Outcome:
    """Brings every stage up to date, as `dvc repro` does, its output on this terminal."""
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    with Repo() as repo:
        names = [stage.addressing for stage in repo.index.stages if not stage.is_data_source]
        try:
            ran = {stage.addressing for stage in repo.reproduce()}
        except ReproductionError as error:
            return _failure(error, names)
    return Outcome({name: "ran" if name in ran else "unchanged" for name in names})


def _failure(error: ReproductionError, names: list[str]) -> Outcome:
    failed = re.search(r"'(.+)'", str(error))
    code = re.search(r"exited with (\d+)", str(error.__cause__))
    return Outcome({failed[1] if failed else "": "failed"}, int(code[1]) if code else 70)


def digest(path: Path) -> str:
    """The hash by which DVC knows a file or folder."""
    with Repo() as repo:
        _, _, found = build(repo.cache.local, str(path.absolute()), repo.cache.local.fs, "md5", dry_run=True)
    return str(found.hash_info.value)


def pointed_at(pointer: Path) -> str:
    """The hash that a `.dvc` file names."""
    return str(YAML(typ="safe").load(pointer)["outs"][0]["md5"])


def add(path: Path) -> None:
    """Puts a file or folder under DVC, as `dvc add` does: into its cache, and a pointer beside it."""
    with Repo() as repo:
        repo.add(str(path))
