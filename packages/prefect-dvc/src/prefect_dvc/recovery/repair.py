"""Repair of what a killed run leaves in a DVC project; nothing else is touched.

DVC rewrites `dvc.lock` and `.dvc/tmp/rwlock` in place, so a kill can leave either empty or truncated, and every later
run fails on it. Each run therefore begins with `repair`, which is idempotent and can itself be killed.
"""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from prefect_dvc import git, lock_record, locks, state
from prefect_dvc.core import atomic
from prefect_dvc.core.errors import ConfigError
from prefect_dvc.recovery import lock_check, orphans, rwlock

COPIES = "locks"  # folder of the copies of dvc.lock, in one named after the commit they are based on
BROKEN = "broken"  # folder of replaced files
_DVC_TEMPORARY = re.compile(r"\.[A-Za-z0-9_-]{22}\.tmp$")
_COMMIT = re.compile(r"[0-9a-f]{40}|none")
LAST_RUN = "the copy of the last run"


def repair(root: Path, interrupted: bool = False) -> list[str]:
    """Repair what a kill left in the project at `root`; returns a line for each repair.

    The caller keeps other runs out. `interrupted`: the last run did not end by itself. Raises ConfigError if DVC,
    started by hand, is at work.
    """
    return orphans.end_orphans(root) + repair_files(root, interrupted)


def repair_files(root: Path, interrupted: bool) -> list[str]:
    """Repair the files only, which a run also does that continues after one of its stages was killed."""
    repairs: list[str] = []
    with ExitStack() as stack:
        for name in ("lock", "rwlock.lock"):  # in DVC's order: it writes neither file meanwhile
            if (lock := rwlock.path_of(root).with_name(name)).exists():
                stack.enter_context(locks.file_lock(lock, "DVC is at work in this folder, process"))
        entries = rwlock.read_entries(root)
        alive, dead = rwlock.split_by_life(root, entries or rwlock.Entries())
        for lock in list_locks(root):
            repairs += _repair_lock(root, lock, interrupted)
        if not alive.holders:
            repairs += _repair_outputs(root, dead)
        if interrupted or entries is None or dead.holders:
            repairs += _repair_runs(root)
        if entries is None:
            rwlock.path_of(root).unlink()
            repairs.append(".dvc/tmp/rwlock was truncated: removed")
        if dead.holders:
            rwlock.write_entries(root, alive)
            gone = ", ".join(map(str, sorted({holder.pid for holder in dead.holders})))
            repairs.append(f".dvc/tmp/rwlock named processes that are gone: {gone}")
    return repairs


def back_up_locks(root: Path) -> None:
    """Copy each complete `dvc.lock` to a folder named after the commit it is based on; removes older copies."""
    head = _head(root)
    copies = state.state_folder(root) / COPIES
    for lock in list_locks(root):
        copy, text = copies / head / lock.relative_to(root), lock.read_bytes() if lock.exists() else b""
        if text and not _is_copied(copy, text) and _is_complete(root, lock, text):
            _write(copy, text)
    for folder in copies.glob("*"):
        if folder.name != head and _COMMIT.fullmatch(folder.name) and not folder.is_symlink():
            shutil.rmtree(folder)


def _is_complete(root: Path, lock: Path, text: bytes) -> bool:
    return lock_record.read_written(root, lock) is not None or lock_check.stage_names(text) is not None


def _is_copied(copy: Path, text: bytes) -> bool:
    """Check whether a lock is as it was copied, and so complete; parsing one takes a third of a second."""
    return copy.exists() and copy.read_bytes() == text


def _head(root: Path) -> str:
    return git.output("rev-parse", "HEAD", folder=root).decode().strip() or "none"


def list_locks(root: Path) -> list[Path]:
    """Return the lock file of each dvc.yaml that git sees, and of the one in the top folder."""
    pipelines = ("-z", "dvc.yaml", "*/dvc.yaml")
    listing = git.output("ls-files", "--cached", "--others", "--exclude-standard", *pipelines, folder=root)
    names = {os.fsdecode(name) for name in listing.split(b"\0") if name} | {"dvc.yaml"}
    return [(root / name).with_suffix(".lock") for name in sorted(names)]


def _repair_lock(root: Path, lock: Path, interrupted: bool) -> Iterator[str]:
    if not lock.exists():
        return
    text = lock.read_bytes()
    name = lock.relative_to(root)
    if b"\n<<<<<<< " in text:
        raise ConfigError(f"{name} has merge conflicts: `git checkout --ours {name}`, or --theirs, picks a side")
    if _is_copied(state.state_folder(root) / COPIES / _head(root) / name, text):
        return
    stages = lock_check.stage_names(text)
    if stages is not None and not (interrupted and _lost_stages(root, name, text, stages)):
        return
    _write(state.state_folder(root) / BROKEN / name, text)
    for copy, source in _copies(root, name):
        if lock_check.stage_names(copy) is not None:
            _write(lock, copy)
            yield f"{name} was truncated: restored from {source}"
            return
    lock.unlink()
    yield f"{name} was truncated, and there is no copy: removed; DVC writes a new one from its cache"


def _lost_stages(root: Path, name: Path, text: bytes, stages: set[str]) -> bool:
    """Check whether a lock was truncated between two stages: no run removes a stage, and git does not have it so."""
    copy, source = next(_copies(root, name), (b"", ""))
    lost = source == LAST_RUN and not stages >= (lock_check.stage_names(copy) or set())
    return lost and text != git.show_bytes("HEAD", str(name), root)


def _copies(root: Path, name: Path) -> Iterator[tuple[bytes, str]]:
    """Yield earlier contents of a lock, the best first: the copy based on HEAD, HEAD's own, any other copy."""
    copies = state.state_folder(root) / COPIES
    latest = copies / _head(root) / name
    if latest.exists():
        yield latest.read_bytes(), LAST_RUN
    yield git.show_bytes("HEAD", str(name), root), "the last commit"
    yield from ((copy.read_bytes(), "the copy of an earlier run") for copy in sorted(copies.glob(f"*/{name}")))


def _repair_outputs(root: Path, dead: rwlock.Entries) -> Iterator[str]:
    """Remove what is half-written: temporary files beside outputs, and outputs that a run was writing when it died.

    An output stays if a lock or the cache knows it, if `dvc add` or `dvc commit` died, and if it persists: the stage
    builds on it, and nothing else has what it was.
    """
    recorded = lock_check.locked_outputs(list_locks(root))
    outputs = {Path(path) for path, holder in dead.write.items() if {"repro", "run"} & set(holder.cmd.split())}
    outputs = {path for path in outputs if _is_inside(root, path)}
    inside = {path for path in outputs | recorded.keys() if _is_inside(root, path)}
    for path in sorted({path for output in inside for path in _temporary_files(output)}):
        yield _remove(root, path)
    doubtful = [path for path in sorted(outputs) if path.exists()]
    if doubtful:
        from prefect_dvc.recovery import cache  # DVC, which takes a second to import

        for path, persists in cache.list_unrecorded(root, doubtful, recorded).items():
            if persists:
                yield f"{_name(root, path)} may be half-written; it persists, so it stays as it is"
            else:
                yield _remove(root, path)


def _is_inside(root: Path, path: Path) -> bool:
    """Whether a path is in the project, also if a folder on the way is a symlink."""
    return path.parent.resolve().is_relative_to(root.resolve())


def _temporary_files(output: Path) -> Iterator[Path]:
    """Yield files with the names that our stages and DVC give to what they are about to rename."""
    if output.parent.is_dir():
        yield from (path for path in output.parent.iterdir() if atomic.final_name(path.name) == output.name)
    near = [*output.parent.glob("*.tmp"), *(output.rglob("*.tmp") if output.is_dir() else [])]
    yield from (path for path in near if _DVC_TEMPORARY.search(path.name))


def _repair_runs(root: Path) -> Iterator[str]:
    from prefect_dvc.recovery import cache  # DVC, which takes a second to import

    for path in cache.list_unfinished_entries(root):
        yield _remove(root, path)


def _remove(root: Path, path: Path) -> str:
    atomic.remove(path)
    return f"removed {_name(root, path)}, half-written"


def _name(root: Path, path: Path) -> str:
    return os.path.relpath(path, root.resolve())


def _write(path: Path, content: bytes) -> None:
    with atomic.atomic_path(path) as partial:
        partial.write_bytes(content)
