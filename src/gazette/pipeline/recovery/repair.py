"""What a killed run leaves in a DVC project, and how it is put right, with nothing else touched.

DVC rewrites `dvc.lock` and `.dvc/tmp/rwlock` in place, so that a kill can leave either empty or cut off, and every
later run fails on it. Each run therefore begins with `heal`, which may itself be killed, or run twice.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from gazette.core import atomic
from gazette.core.errors import Misconfigured
from gazette.pipeline import state
from gazette.pipeline.recovery import filelock, lock_check, orphans, rwlock

COPIES = "locks"  # folder of the copies of dvc.lock, in one named after the commit that they stand on
BROKEN = "broken"  # folder of what was replaced
_OF_DVC = re.compile(r"\.[A-Za-z0-9_-]{22}\.tmp$")
LAST_RUN = "the copy of the last run"


def heal(root: Path, interrupted: bool = False) -> list[str]:
    """Puts right what a kill left in the project at `root`; a line for each deed. The caller keeps other runs out.

    `interrupted`: the last run did not end by itself. Raises Misconfigured where DVC, called by hand, is at work.
    """
    return orphans.end(root) + mend(root, interrupted)


def mend(root: Path, interrupted: bool) -> list[str]:
    """The files alone: also for a run that goes on when one of its stages was ended; what is at work is left alone."""
    deeds: list[str] = []
    with ExitStack() as stack:
        for name in ("lock", "rwlock.lock"):  # DVC's own, in its order: it writes neither file meanwhile
            if (root / ".dvc" / "tmp" / name).exists():
                stack.enter_context(
                    filelock.held(root / ".dvc" / "tmp" / name, "DVC is at work in this folder, process")
                )
        entries = rwlock.read(root)
        alive, dead = rwlock.split(root, entries or {})
        for lock in _locks(root):
            deeds += _heal_lock(root, lock, interrupted)
        if not alive:
            deeds += _heal_outputs(root, dead)
        if interrupted or entries is None or dead:
            deeds += _heal_runs(root)
        deeds += _heal_rwlock(root)
    return deeds


def remember(root: Path) -> None:
    """Keeps a copy of each `dvc.lock` that is whole, beside the name of the commit that it stands on."""
    head = _git(root, "rev-parse", "HEAD").decode().strip() or "none"
    kept = state.folder(root) / COPIES
    for lock in _locks(root):
        if lock.exists() and lock_check.stages(lock.read_bytes()) is not None:
            _write(lock.read_bytes(), kept / head / lock.relative_to(root))
    for other in kept.glob("*"):
        if other.name != head:
            shutil.rmtree(other)


def _locks(root: Path) -> list[Path]:
    """The lock file of each dvc.yaml that git sees, or of the one in the top folder."""
    found = _git(root, "ls-files", "--cached", "--others", "--exclude-standard", "-z", "dvc.yaml", "*/dvc.yaml")
    names = {name for name in found.decode().split("\0") if name} | {"dvc.yaml"}
    return [(root / name).with_suffix(".lock") for name in sorted(names)]


def _heal_lock(root: Path, lock: Path, interrupted: bool) -> Iterator[str]:
    if not lock.exists():
        return
    text = lock.read_bytes()
    name = lock.relative_to(root)
    if b"\n<<<<<<< " in text:
        raise Misconfigured(f"{name} holds both sides of a merge: `git checkout --ours {name}`, or --theirs, picks one")
    found = lock_check.stages(text)
    if found is not None and not (interrupted and _lost_stages(root, name, text, found)):
        return
    _write(text, state.folder(root) / BROKEN / name)
    for copy, source in _copies(root, name):
        if lock_check.stages(copy) is not None:
            _write(copy, lock)
            yield f"{name} was cut off: put back from {source}"
            return
    lock.unlink()
    yield f"{name} was cut off, and no copy is left: removed; DVC writes it anew from its cache"


def _lost_stages(root: Path, name: Path, text: bytes, found: set[str]) -> bool:
    """Whether a lock was cut off between two stages: no run takes one out, and git does not have it like this."""
    copy, source = next(_copies(root, name), (b"", ""))
    lost = source == LAST_RUN and not found >= (lock_check.stages(copy) or set())
    return lost and text != _git(root, "show", f"HEAD:./{name}")


def _copies(root: Path, name: Path) -> Iterator[tuple[bytes, str]]:
    """What a lock was, the best first: the copy that stands on today's commit, that commit's, any other copy."""
    kept = state.folder(root) / COPIES
    today = kept / (_git(root, "rev-parse", "HEAD").decode().strip() or "none") / name
    if today.exists():
        yield today.read_bytes(), LAST_RUN
    yield _git(root, "show", f"HEAD:./{name}"), "the last commit"
    yield from ((other.read_bytes(), "the copy of an earlier run") for other in sorted(kept.glob(f"*/{name}")))


def _heal_outputs(root: Path, dead: rwlock.Entries) -> Iterator[str]:
    """Removes what was half-written: unfinished files beside outputs, and outputs that a run was making when it died.

    An output stays where a lock or the cache knows it, and where it was `dvc add` or `dvc commit` that died.
    """
    recorded = lock_check.outputs(root, _locks(root))
    making = {path for path, holder in dead.get("write", {}).items() if {"repro", "run"} & set(holder["cmd"].split())}
    written = {path for path in map(Path, making) if path.is_relative_to(root.resolve())}
    for path in sorted({path for out in written | recorded.keys() for path in _unfinished(out)}):
        yield _remove(root, path)
    doubtful = [path for path in sorted(written) if path.exists()]
    if doubtful:
        from gazette.pipeline.recovery import cache  # DVC, which takes a second to import

        for path in cache.unknown(root, doubtful, recorded):
            yield _remove(root, path)


def _unfinished(out: Path) -> Iterator[Path]:
    """Under the names that our stages and DVC give to what they are about to rename."""
    partial = out.with_name(out.name + ".partial")
    if partial.exists():
        yield partial
    near = [*out.parent.glob("*.tmp"), *(out.rglob("*.tmp") if out.is_dir() else [])]
    yield from (path for path in near if _OF_DVC.search(path.name))


def _heal_runs(root: Path) -> Iterator[str]:
    """Removes what DVC was noting of a run when it was killed."""
    from gazette.pipeline.recovery import cache  # DVC, which takes a second to import

    for path in cache.half_noted(root):
        yield _remove(root, path)


def _remove(root: Path, path: Path) -> str:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
    return f"removed {os.path.relpath(path, root.resolve())}, half-written"


def _heal_rwlock(root: Path) -> Iterator[str]:
    entries = rwlock.read(root)
    if entries is None:
        rwlock.place(root).unlink()
        yield ".dvc/tmp/rwlock was cut off: removed"
        return
    alive, dead = rwlock.split(root, entries)
    if dead:
        rwlock.write(root, alive)
        yield f".dvc/tmp/rwlock named processes that are gone: {', '.join(map(str, sorted(rwlock.pids(dead))))}"


def _write(content: bytes, path: Path) -> None:
    with atomic.written(path) as partial:
        partial.write_bytes(content)


def _git(root: Path, *words: str) -> bytes:
    """What git says; nothing where it fails, as outside a repository or before the first commit."""
    done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else b""
