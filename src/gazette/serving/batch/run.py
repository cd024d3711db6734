"""Scoring of a file or folder of new articles in parts; a killed run is completed by the same command.

The folder of results has a marker that lists what is ours, `plan.json`, which describes the request, and `staged` with
the articles; parts are written atomically; `manifest.json` comes last and marks the end. A row's result depends on the
articles before it in its block of `parts.BLOCK` rows and on nothing else: not on the size of parts, the workers, or the
number of tries.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prefect_dvc import locks
from prefect_dvc.core.errors import CommandError

from gazette.registry.versions import ResolvedModel
from gazette.serving.batch import manifest, parts, results, staging
from gazette.serving.batch.journaling import Journal
from gazette.serving.batch.parts import MANIFEST, STAGED
from gazette.serving.batch.staging import Options

OnProgress = Callable[[int, int], None]


def score_files(
    path: Path,
    to: Path,
    model: ResolvedModel,
    options: Options,
    pool: Executor,
    on_progress: OnProgress,
    force: bool = False,
    journal: Journal | None = None,
) -> dict[str, Any]:
    """Score every missing part and return the manifest; `on_progress` gets the number of finished parts and of all.

    A part that cannot be recorded in the journal is scored all the same, and a fault of the journal. With `force`,
    results for other articles, another model or other options in the folder are replaced.
    """
    staging.check_apart(path, to, model)
    with folder_lock(to):
        plan = staging.prepare_plan(path, to, model, options, force)
        if not (to / MANIFEST).exists():
            if journal:
                journal.write_request(to / STAGED)
            faults = _score_missing(to, plan, pool, on_progress)
            if journal:
                journal.faults += faults
            manifest.write_manifest(to, plan)
        results.remove_staged(to)
        return results.read_record(to / MANIFEST)


def _score_missing(to: Path, plan: dict[str, Any], pool: Executor, on_progress: OnProgress) -> list[str]:
    """Score the missing parts and return why parts of them are not in the journal."""
    missing = parts.missing_parts(to, plan)
    finished = plan["parts"] - len(missing)
    on_progress(finished, plan["parts"])
    faults = []
    futures = [pool.submit(parts.score_part, str(to.absolute()), number) for number in missing]
    try:
        for done, future in enumerate(as_completed(futures), finished + 1):
            faults.append(future.result())
            on_progress(done, plan["parts"])
    except BrokenExecutor:
        raise CommandError(
            f"{to}: a worker was killed, perhaps because memory ran out; the same command completes the scoring"
        ) from None
    return [fault for fault in faults if fault]


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Keep a second run out of a folder, whose files are all results of scoring; the lock ends with the process.

    Raises ConfigError, before anything is changed, if the folder has a file that no run of ours wrote.
    """
    results.check_ours(folder)
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder / results.LOCK
    busy = f"{folder}: another run writes its results here; wait for it, or end it"
    with locks.file_lock(lock, busy, seconds=0):
        results.mark(folder)
        with locks.signed(lock):
            yield
