"""`dvc.lock` as DVC writes it: its stages, its outputs, and whether it is complete."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gazette.core import files
from gazette.core.errors import ConfigError
from gazette.pipeline import dvclock

_MD5 = re.compile(r"[0-9a-f]{32}(\.dir)?")


def stage_names(text: bytes) -> set[str] | None:
    """Return the names of the stages in a lock; None if it is incomplete: a last line without its end was cut off."""
    try:
        lock = files.parse_yaml(text.decode("utf-8"), "dvc.lock") if text.endswith(b"\n") else {}
    except (ConfigError, UnicodeDecodeError):
        return None
    stages = lock.get("stages", {}) if lock.get("schema") == "2.0" else None
    return set(stages) if isinstance(stages, dict) and all(map(_is_complete, stages.values())) else None


def locked_outputs(root: Path, locks: Sequence[Path]) -> dict[Path, str]:
    """Return the hash of each output in the locks, which are complete."""
    return {
        lock.parent.resolve() / path: digest
        for lock in locks
        if lock.exists()
        for path, digest in dvclock.list_outputs(dvclock.parse_stages(lock.read_text(encoding="utf-8"), root)).items()
    }


def _is_complete(entry: Any) -> bool:
    if not isinstance(entry, dict) or "cmd" not in entry:
        return False
    sides = [entry.get(side, []) for side in ("deps", "outs")]
    if not all(isinstance(side, list) for side in sides):
        return False
    return all(
        isinstance(item, dict)
        and "path" in item
        and (item.get("hash") != "md5" or _MD5.fullmatch(str(item.get("md5"))) is not None)
        for side in sides
        for item in side
    )
