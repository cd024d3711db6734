"""DVC's `.dvc/tmp/rwlock`: which process reads and writes which paths.

DVC rewrites it in place, so a kill can leave it truncated, or naming a dead process. DVC believes an entry as long as
any process with that number exists.
"""

import json
from pathlib import Path
from typing import Any

import psutil

from gazette.core import atomic
from gazette.pipeline import state

Entries = dict[str, Any]  # {"write": {path: {"pid", "cmd"}}, "read": {path: [{"pid", "cmd"}, …]}}

HOLDER = {"pid": int, "cmd": str}
SLACK = 2  # seconds by which a process may seem younger than its entry


def read_entries(root: Path) -> Entries | None:
    """Read the entries, empty if the file is missing; None if it cannot be read."""
    path = path_of(root)
    if not path.exists():
        return {}
    try:
        entries = json.loads(path.read_bytes())
        return entries if _is_valid(entries) else None
    except (ValueError, AttributeError):  # not JSON, or a value that is not a mapping
        return None


def path_of(root: Path) -> Path:
    """Return the path of the file."""
    return state.dvc_root(root) / ".dvc" / "tmp" / "rwlock"


def living_holders(root: Path) -> set[int]:
    """Return the processes in the file that are still alive."""
    return {holder["pid"] for holder in _holders(read_entries(root) or {}) if is_alive(holder, path_of(root))}


def split_by_life(root: Path, entries: Entries) -> tuple[Entries, Entries]:
    """Return the entries of live processes, and those of dead ones."""
    alive: Entries = {}
    dead: Entries = {}
    for path, holder in entries.get("write", {}).items():
        (alive if is_alive(holder, path_of(root)) else dead).setdefault("write", {})[path] = holder
    for path, holders in entries.get("read", {}).items():
        for holder in holders:
            kind = alive if is_alive(holder, path_of(root)) else dead
            kind.setdefault("read", {}).setdefault(path, []).append(holder)
    return alive, dead


def is_alive(holder: dict[str, Any], path: Path) -> bool:
    """Check whether the process with that number is the one that made the entry in the file at `path`.

    It is not if it runs another command, as in another container, or started after the file was last written.
    """
    try:
        process = psutil.Process(holder["pid"])
        if process.status() == psutil.STATUS_ZOMBIE or process.create_time() > path.stat().st_mtime + SLACK:
            return False
        return _runs(process.cmdline(), holder["cmd"])
    except psutil.AccessDenied:
        return True  # another user's, which cannot be inspected; DVC will report that it is busy
    except (psutil.NoSuchProcess, FileNotFoundError):
        return False


def _runs(words: list[str], command: str) -> bool:
    """Check whether a process with these words calls itself `command`, which is its `sys.argv`."""
    scripts = [" ".join(words[start:]) for start in range(len(words))]
    if command in scripts or "--multiprocessing-fork" in words or ("-c" in words and command.startswith("-c")):
        return True
    if "-m" not in words:
        return False
    module, *arguments = words[words.index("-m") + 1 :]
    files = [f"{module.replace('.', '/')}{end}" for end in (".py", "/__main__.py")]
    return any(command.endswith(" ".join([file, *arguments])) for file in files)


def _holders(entries: Entries) -> list[dict[str, Any]]:
    readers = [holder for holders in entries.get("read", {}).values() for holder in holders]
    return [*entries.get("write", {}).values(), *readers]


def _is_valid(entries: Any) -> bool:
    """Check the entries against DVC's own schema; raises AttributeError if one is not a mapping."""
    return (
        entries.keys() <= {"read", "write"}
        and all(isinstance(holders, list) for holders in entries.get("read", {}).values())
        and all({key: type(value) for key, value in holder.items()} == HOLDER for holder in _holders(entries))
    )


def pids(entries: Entries) -> set[int]:
    """Return the processes in the entries."""
    return {holder["pid"] for holder in _holders(entries)}


def write_entries(root: Path, entries: Entries) -> None:
    """Write entries atomically; the caller holds DVC's lock on the file."""
    atomic.write_text(path_of(root), json.dumps(entries))
