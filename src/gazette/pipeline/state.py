"""Local state in `.gazette`, which git ignores; no hash of it enters dvc.lock."""

import json
from collections.abc import Mapping
from pathlib import Path

from gazette.core import atomic
from gazette.pipeline import ownership


def state_folder(root: Path) -> Path:
    """Return `.gazette` of a project, created if it is missing."""
    folder = root / ".gazette"
    ownership.check_folder(folder)
    folder.mkdir(exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")
    return folder


def dvc_root(root: Path) -> Path:
    """Return the folder with `.dvc`: that of a project, or the nearest above; the project's if there is none."""
    return next((folder for folder in (root, *root.resolve().parents) if (folder / ".dvc").is_dir()), root)


def read_seconds(root: Path) -> dict[str, float]:
    """Return the seconds that each stage took the last time it ran here."""
    path = root / ".gazette" / "seconds.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def record_seconds(root: Path, seconds: Mapping[str, float]) -> None:
    """Record the seconds of the stages that ran."""
    merged = {stage: round(time, 1) for stage, time in sorted({**read_seconds(root), **seconds}.items())}
    atomic.write_text(state_folder(root) / "seconds.json", json.dumps(merged, indent=2) + "\n")


def find_new_challenger(root: Path, tree: Path) -> str:
    """Return name and version of the challenger that `register` set in another tree; empty if it is not new.

    It is recorded, so that it is new once.
    """
    latest, known = (state_folder(folder) / "version.json" for folder in (tree, root))
    announced = state_folder(root) / "challenger.json"
    if not latest.exists():
        return ""
    now = json.loads(latest.read_text(encoding="utf-8"))
    before = announced if announced.exists() else known
    if not now["challenged"] or (before.exists() and json.loads(before.read_text(encoding="utf-8")) == now):
        return ""
    atomic.write_text(announced, json.dumps(now) + "\n")
    return f"{now['name']} version {now['version']}"
