"""What is known of a project on this machine: in `.dvc/tmp/prefect-dvc`, which git ignores.

No hash of it enters dvc.lock. A project below the folder with `.dvc` has a folder of its own there, named after its
path.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from prefect_dvc.core import atomic
from prefect_dvc.core.errors import ConfigError

FOLDER = Path(".dvc", "tmp", "prefect-dvc")
SECONDS = "seconds.json"


def state_folder(root: Path) -> Path:
    """Return the folder of the project at `root`, created if it is missing.

    Raises ConfigError outside a DVC project, which a folder `.dvc` would seem to make, and if a file is in its place.
    """
    if not (dvc_root(root) / ".dvc").is_dir():
        raise ConfigError(f"{root.absolute()} is in no DVC project: `dvc init` makes it one, or go to its folder")
    folder = state_path(root)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise ConfigError(f"{folder} cannot be made, since a file is in its place; move the file") from None
    ignore = folder / ".gitignore"
    if not ignore.exists():
        atomic.write_text(ignore, "*\n")
    return folder


def state_path(root: Path) -> Path:
    """Return the path of that folder, whether it exists or not."""
    top = dvc_root(root)
    inside = root.resolve().relative_to(top.resolve()).as_posix()
    return top / FOLDER if inside == "." else top / FOLDER / "below" / inside.replace("%", "%25").replace("/", "%2F")


def dvc_root(root: Path) -> Path:
    """Return the folder with `.dvc`: that of a project, or the nearest above; the project's if there is none."""
    return next((folder for folder in (root, *root.resolve().parents) if (folder / ".dvc").is_dir()), root)


def read_seconds(root: Path) -> dict[str, float]:
    """Return the seconds that each stage took the last time it ran here."""
    path = state_path(root) / SECONDS
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def record_seconds(root: Path, seconds: Mapping[str, float]) -> None:
    """Record the seconds of the stages that ran."""
    merged = {stage: round(time, 1) for stage, time in sorted({**read_seconds(root), **seconds}.items())}
    atomic.write_text(state_folder(root) / SECONDS, json.dumps(merged, indent=2) + "\n")
