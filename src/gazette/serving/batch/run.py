"""Labels for a file or folder of new articles, in parts: killed at any instant, the same command does what is missing.

In the folder of results `plan.json` says what is asked and that the articles lie in `staged`; parts are written whole,
by a rename; `manifest.json` comes last and says that all is done. What a row gets depends on the articles before it in
its block of `parts.BLOCK` rows and on nothing else: not on the size of parts, not on who scored them, not on how often.
"""

import fcntl
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gazette.core import files
from gazette.core.errors import Misconfigured, Stop
from gazette.registry.versions import Model
from gazette.serving.batch import manifest, parts, staging
from gazette.serving.batch.parts import MANIFEST
from gazette.serving.batch.staging import Options

Tell = Callable[[int, int], None]


def score(
    path: Path, to: Path, model: Model, options: Options, pool: Executor, tell: Tell, force: bool = False
) -> dict[str, Any]:
    """The manifest, once every part that was missing is scored; `tell` is told how many parts of how many are there.

    With `force` what the folder has for other articles, another model or other options is scored anew.
    """
    with alone(to):
        plan = staging.prepare(path, to, model, options, force)
        if not (to / MANIFEST).exists():
            _score_missing(to, plan, pool, tell)
            manifest.write(to, plan)
        staging.clear(to)
        return files.read(to / MANIFEST)


def _score_missing(to: Path, plan: dict[str, Any], pool: Executor, tell: Tell) -> None:
    waiting = parts.missing(to, plan)
    there = plan["parts"] - len(waiting)
    tell(there, plan["parts"])
    futures = [pool.submit(parts.score, str(to.absolute()), number) for number in waiting]
    try:
        for done, future in enumerate(as_completed(futures), there + 1):
            future.result()
            tell(done, plan["parts"])
    except BrokenExecutor:
        raise Stop(
            f"{to}: a worker was killed, perhaps for want of memory; the same command does what is missing"
        ) from None


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keeps a second run out of a folder; the lock goes with the process, however that ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / staging.LOCK).open("w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Misconfigured(f"{folder}: another run writes its results here; wait for it, or end it") from None
        yield
