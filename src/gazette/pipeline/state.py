"""Local state in `.gazette`, which git ignores; no hash of it enters dvc.lock."""

import json
from pathlib import Path
from typing import Any

from prefect_dvc.core import atomic

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


def read_state(root: Path, name: str) -> dict[str, Any]:
    """Return the content of a JSON file in `.gazette`; empty if there is none."""
    path = root / ".gazette" / name
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def find_new_challenger(root: Path, tree: Path) -> str:
    """Return name and version of the challenger that `register` set in another tree; empty if it is not new.

    It is recorded, so that it is new once.
    """
    now = read_state(tree, "version.json")
    before = read_state(root, "challenger.json") or read_state(root, "version.json")
    if not now.get("challenged") or before == now:
        return ""
    atomic.write_text(state_folder(root) / "challenger.json", json.dumps(now) + "\n")
    return f"{now['name']} version {now['version']}"
