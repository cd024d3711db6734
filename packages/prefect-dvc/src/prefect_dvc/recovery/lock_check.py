"""`dvc.lock` as DVC writes it: its stages, its outputs, and whether it is complete."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

_MD5 = re.compile(r"[0-9a-f]{32}(\.dir)?")


def parse_stages(text: str) -> dict[str, Any]:
    """Return the stages of a lock, which is complete; read as DVC reads it, by the parser in C."""
    return dict((YAML(typ="safe").load(text) or {}).get("stages") or {})


def stage_names(text: bytes) -> set[str] | None:
    """Return the names of the stages in a lock; None if it is incomplete: a last line without its end was cut off."""
    try:
        lock = YAML(typ="safe").load(text.decode("utf-8")) if text.endswith(b"\n") else None
    except (YAMLError, UnicodeDecodeError):
        return None
    stages = lock.get("stages", {}) if isinstance(lock, dict) and lock.get("schema") == "2.0" else None
    return set(stages) if isinstance(stages, dict) and all(map(_is_complete, stages.values())) else None


def locked_outputs(locks: Sequence[Path]) -> dict[Path, str]:
    """Return the hash of each output in the locks, which are complete."""
    return {path: digest for lock in locks if lock.exists() for path, digest in _outputs(lock)}


def _outputs(lock: Path) -> Iterator[tuple[Path, str]]:
    for stage in parse_stages(lock.read_text(encoding="utf-8")).values():
        for out in stage.get("outs", []):
            yield lock.parent.resolve() / out["path"], str(out.get("md5"))


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
