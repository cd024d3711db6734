"""DVC's `.dvc/tmp/rwlock`: which process reads and writes which paths; a kill leaves it truncated, or naming the dead.

DVC rewrites it in place, and believes an entry as long as a process of that number exists, whatever it is.
"""

import json
from pathlib import Path
from typing import Any

import psutil

from gazette.core import atomic

Entries = dict[str, Any]  # {"write": {path: {"pid", "cmd"}}, "read": {path: [{"pid", "cmd"}, …]}}

SLACK = 2  # seconds by which a process may seem younger than what it wrote


def read(root: Path) -> Entries | None:
    """What the file says, nothing where it is missing; None where it cannot be read."""
    path = place(root)
    if not path.exists():
        return {}
    try:
        entries = json.loads(path.read_bytes())
    except ValueError:
        return None
    return entries if _is_sound(entries) else None


def place(root: Path) -> Path:
    """Where the file is."""
    return root / ".dvc" / "tmp" / "rwlock"


def named(root: Path) -> set[int]:
    """The processes that the file names and that are still there."""
    return {holder["pid"] for holder in _holders(read(root) or {}) if is_alive(holder, place(root))}


def split(root: Path, entries: Entries) -> tuple[Entries, Entries]:
    """The entries of processes that are alive, and those of the dead."""
    alive: Entries = {}
    dead: Entries = {}
    for path, holder in entries.get("write", {}).items():
        (alive if is_alive(holder, place(root)) else dead).setdefault("write", {})[path] = holder
    for path, holders in entries.get("read", {}).items():
        for holder in holders:
            kind = alive if is_alive(holder, place(root)) else dead
            kind.setdefault("read", {}).setdefault(path, []).append(holder)
    return alive, dead


def is_alive(holder: dict[str, Any], written: Path) -> bool:
    """Whether the process of that number is the one that wrote itself into the file at `written`.

    It is another one where it runs another command, as in another container, or began after the file was last written.
    """
    try:
        process = psutil.Process(holder["pid"])
        if process.status() == psutil.STATUS_ZOMBIE or process.create_time() > written.stat().st_mtime + SLACK:
            return False
        return _runs(process.cmdline(), holder["cmd"])
    except psutil.AccessDenied:
        return True  # somebody else's: cannot be told, so DVC shall say that it is busy
    except (psutil.NoSuchProcess, FileNotFoundError):
        return False


def _runs(words: list[str], command: str) -> bool:
    """Whether a process with these words calls itself `command`, which is what it found in `sys.argv`."""
    scripts = [" ".join(words[place:]) for place in range(len(words))]
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


def _is_sound(entries: object) -> bool:
    """As DVC's own schema has it."""
    if not isinstance(entries, dict) or not entries.keys() <= {"read", "write"}:
        return False
    if not all(isinstance(part, dict) for part in entries.values()):
        return False
    if not all(isinstance(holders, list) for holders in entries.get("read", {}).values()):
        return False
    return all(
        isinstance(holder, dict)
        and holder.keys() == {"pid", "cmd"}
        and isinstance(holder["pid"], int)
        and isinstance(holder["cmd"], str)
        for holder in _holders(entries)
    )


def pids(entries: Entries) -> set[int]:
    """The processes that entries name."""
    return {holder["pid"] for holder in _holders(entries)}


def write(root: Path, entries: Entries) -> None:
    """Writes entries whole; the caller holds DVC's lock on the file."""
    atomic.write(json.dumps(entries), place(root))
