"""`dvc.lock` as DVC writes it: which stages it has, which outputs it knows, and whether it is whole."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

_MD5 = re.compile(r"[0-9a-f]{32}(\.dir)?")


def stages(text: bytes) -> set[str] | None:
    """The names of the stages in a lock; None where it is not whole."""
    try:
        loaded = YAML(typ="safe", pure=True).load(text.decode("utf-8")) if text.endswith(b"\n") else None
    except (YAMLError, UnicodeDecodeError):
        return None
    if not isinstance(loaded, dict) or loaded.get("schema") != "2.0":
        return None
    entries = loaded.get("stages", {})
    whole = isinstance(entries, dict) and all(_is_whole(entry) for entry in entries.values())
    return set(entries) if whole else None


def outputs(root: Path, locks: Sequence[Path]) -> dict[Path, str]:
    """The outputs that the locks know, and the hash of each."""
    found = {}
    for lock in locks:
        text = lock.read_bytes() if lock.exists() else b""
        for stage in YAML(typ="safe", pure=True).load(text.decode("utf-8"))["stages"].values() if stages(text) else []:
            for out in stage.get("outs", []):
                found[(lock.parent.resolve() / out["path"])] = str(out.get("md5"))
    return found


def _is_whole(entry: Any) -> bool:
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
