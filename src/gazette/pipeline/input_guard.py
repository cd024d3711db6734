"""A stage's inputs and code, compared at its start and at its end.

DVC hashes a stage's dependencies after its command, so an edit made meanwhile would be recorded as what its outputs
were made from. Here the stage fails instead, and DVC records nothing. Reads `dvc.yaml`, works for any stage, under DVC
and without it. Files are compared by inode, size and times, so that large files cost as little as small ones.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from prefect_dvc import flatten
from prefect_dvc.core.errors import ConfigError

from gazette.core import files
from gazette.pipeline import cmdline, loaded

PIPELINE, PARAMS, DVCIGNORE = Path("dvc.yaml"), Path("params.yaml"), Path(".dvcignore")
MAX_CONTENT_BYTES = 65_536  # the content of smaller files is compared, so that one that was only touched is unchanged
MAX_CONTENT_FILES = 50  # in a folder


@dataclass(frozen=True)
class FileState:
    """What shows that a file was modified (device, inode, size, times), and its content if it is small."""

    mark: tuple[int, ...]
    content: bytes | None = None


@contextmanager
def inputs_unchanged(stage: str, options: Mapping[str, str]) -> Iterator[None]:
    """Raise ConfigError at the end of the block if a dependency of `stage` in `dvc.yaml` was modified meanwhile.

    Raise it also if code of another tree runs. `options` are those on its command line; they tell which of several
    candidates it is. Does nothing if there is no `dvc.yaml`, or no such stage in it.
    """
    definition = _read(PIPELINE).get("stages", {}).get(stage)
    if definition is None:
        yield
        return
    before = _read(PARAMS)
    values = before | _template_values(definition, before, options)
    deps, keys = (
        [cmdline.fill_template(name, values) for name in _names(definition.get("do", definition).get(key, []))]
        for key in ("deps", "params")
    )
    start = _states(deps)
    code = {path: file for path, file in loaded.loaded_modules().items() if path in start}
    early = loaded.modified_since(loaded.process_start(), code)
    _check_code(stage)
    yield
    _check_code(stage)
    changes = {*early, *_diff_files(start, _states(deps)), *_diff_params(keys, before, _read(PARAMS))}
    if changes:
        lines = "\n".join(f"  {change}" for change in sorted(changes))
        raise ConfigError(
            f"{os.environ.get('DVC_STAGE', stage)}: its inputs changed while it ran; DVC would record them as they are "
            f"now, so nothing is recorded:\n{lines}\nrun it again, and edit when it has ended"
        )


def _check_code(stage: str) -> None:
    if modules := loaded.foreign_modules():
        raise ConfigError(
            f"{stage}: the code that runs is {loaded.loaded_modules()[modules[0]]}, not this tree's {modules[0]}; DVC "
            f"would record this tree's. Set PYTHONPATH={':'.join(loaded.search_path())}, or `make install` here"
        )
    for name, file in loaded.shadowed_packages().items():
        raise ConfigError(
            f"{stage}: {name} is that of {file}, not the installed one, whose version DVC would record; remove the "
            "folder from PYTHONPATH"
        )


def _read(path: Path) -> dict[str, Any]:
    return files.read_yaml(path) if path.exists() else {}


def _names(entries: Sequence[Any]) -> Iterator[str]:
    for entry in entries:  # `path`, or `path: {options}`
        yield from [entry] if isinstance(entry, str) else map(str, entry)


def _template_values(definition: dict[str, Any], params: Any, options: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of `${key}` and `${item}` for the candidate in the options."""
    if "foreach" not in definition:
        return {"item": options}
    items = cmdline.look_up(params, definition["foreach"].strip("${}")) or {}
    return {"key": options["candidate"], "item": items.get(options["candidate"])}


def _states(deps: Iterable[str]) -> dict[str, FileState]:
    states: dict[str, FileState] = {}
    lines = DVCIGNORE.read_text(encoding="utf-8").splitlines() if DVCIGNORE.exists() else []
    ignored = [line.removeprefix("\\") for line in lines if line and not line.startswith("#")]
    for dep in deps:
        marks = list(_walk(dep, ignored))
        for path, mark in marks:
            small = mark[2] <= MAX_CONTENT_BYTES and len(marks) <= MAX_CONTENT_FILES
            states[path] = FileState(mark, Path(path).read_bytes() if small else None)
    return states


def _walk(path: str, ignored: Sequence[str]) -> Iterator[tuple[str, tuple[int, ...]]]:
    if not Path(path).is_dir():
        if Path(path).exists():
            yield path, _mark(Path(path).stat())
        return
    with os.scandir(path) as entries:  # creating a Path for each file of a corpus would take longer than its stat
        for entry in sorted(entries, key=lambda entry: entry.name):
            if any(fnmatch(entry.name, pattern) for pattern in ignored):
                continue
            if entry.is_dir():
                yield from _walk(entry.path, ignored)
            else:
                yield entry.path, _mark(os.stat(entry))  # noqa: PTH116


def _mark(stat: os.stat_result) -> tuple[int, ...]:
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def _diff_files(before: Mapping[str, FileState], after: Mapping[str, FileState]) -> Iterator[str]:
    for path in before.keys() | after.keys():
        old, new = before.get(path), after.get(path)
        if old is None or new is None:
            yield f"{path} {'appeared' if old is None else 'disappeared'}"
        elif old.mark != new.mark and (old.content is None or old.content != new.content):
            yield f"{path} was modified"


def _diff_params(keys: Iterable[str], before: Any, after: Any) -> Iterator[str]:
    sides = ({key: cmdline.look_up(side, key) for key in keys} for side in (before, after))
    for key, old, new in flatten.diff(*sides):
        yield f"{PARAMS}, {key}: {old} → {new}"
