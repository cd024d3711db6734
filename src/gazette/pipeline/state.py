"""What this machine notes about runs, in `.gazette`, which git ignores: no hash of it enters dvc.lock."""

import json
from collections.abc import Mapping
from pathlib import Path

from gazette.core import atomic


def folder(root: Path) -> Path:
    """`.gazette` of a project, made where it is missing."""
    place = root / ".gazette"
    place.mkdir(exist_ok=True)
    ignored = place / ".gitignore"
    if not ignored.exists():
        ignored.write_text("*\n", encoding="utf-8")
    return place


def seconds(root: Path) -> dict[str, float]:
    """What each stage took when it ran last here."""
    path = root / ".gazette" / "seconds.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def note_seconds(root: Path, took: Mapping[str, float]) -> None:
    """Notes what stages took that ran."""
    kept = {stage: round(time, 1) for stage, time in sorted({**seconds(root), **took}.items())}
    atomic.write(json.dumps(kept, indent=2) + "\n", folder(root) / "seconds.json")


def new_challenger(root: Path, tree: Path) -> str:
    """Name and version of what `register` made the challenger in another tree of the project, if it was not before.

    It is noted, so that it is new once.
    """
    made, known = (folder(place) / "version.json" for place in (tree, root))
    told = folder(root) / "challenger.json"
    if not made.exists():
        return ""
    now = json.loads(made.read_text(encoding="utf-8"))
    before = told if told.exists() else known
    if not now["challenged"] or (before.exists() and json.loads(before.read_text(encoding="utf-8")) == now):
        return ""
    atomic.write(json.dumps(now) + "\n", told)
    return f"{now['name']} version {now['version']}"
