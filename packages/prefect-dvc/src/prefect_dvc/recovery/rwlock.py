"""DVC's `.dvc/tmp/rwlock`: which process reads and writes which paths.

DVC rewrites it in place, so a kill can leave it truncated, or naming a dead process. DVC believes an entry as long as
any process with that number exists.
"""

from pathlib import Path

import psutil
from pydantic import BaseModel, ValidationError

from prefect_dvc import state
from prefect_dvc.core import atomic

SLACK = 2  # seconds by which a process may seem younger than its entry


class Holder(BaseModel, frozen=True, extra="forbid"):
    """A process, by its number and its `sys.argv`."""

    pid: int
    cmd: str


class Entries(BaseModel, frozen=True, extra="forbid"):
    """The process that writes each path, and those that read it."""

    write: dict[str, Holder] = {}
    read: dict[str, list[Holder]] = {}

    @property
    def holders(self) -> set[Holder]:
        """All processes."""
        return {*self.write.values(), *(holder for holders in self.read.values() for holder in holders)}


def read_entries(root: Path) -> Entries | None:
    """Read the entries, empty if the file is missing; None if it cannot be read."""
    path = path_of(root)
    try:
        return Entries.model_validate_json(path.read_bytes(), strict=True) if path.exists() else Entries()
    except ValidationError:
        return None


def path_of(root: Path) -> Path:
    """Return the path of the file."""
    return state.dvc_root(root) / ".dvc" / "tmp" / "rwlock"


def living_holders(root: Path) -> set[int]:
    """Return the processes in the file that are still alive."""
    entries = read_entries(root) or Entries()
    return {holder.pid for holder in entries.holders if is_alive(holder, path_of(root))}


def split_by_life(root: Path, entries: Entries) -> tuple[Entries, Entries]:
    """Return the entries of live processes, and those of dead ones."""
    living = {holder for holder in entries.holders if is_alive(holder, path_of(root))}
    return _select(entries, living), _select(entries, entries.holders - living)


def _select(entries: Entries, holders: set[Holder]) -> Entries:
    readers = {path: [reader for reader in several if reader in holders] for path, several in entries.read.items()}
    return Entries(
        write={path: writer for path, writer in entries.write.items() if writer in holders},
        read={path: several for path, several in readers.items() if several},
    )


def is_alive(holder: Holder, path: Path) -> bool:
    """Check whether the process with that number is the one that made the entry in the file at `path`.

    It is not if it runs another command, as in another container, or started after the file was last written.
    """
    try:
        process = psutil.Process(holder.pid)
        if process.status() == psutil.STATUS_ZOMBIE or process.create_time() > path.stat().st_mtime + SLACK:
            return False
        return _runs(process.cmdline(), holder.cmd)
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


def write_entries(root: Path, entries: Entries) -> None:
    """Write entries atomically; the caller holds DVC's lock on the file."""
    atomic.write_text(path_of(root), entries.model_dump_json())
