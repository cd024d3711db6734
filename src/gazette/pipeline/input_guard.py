"""A stage's inputs and code, compared at its start and at its end.

DVC hashes a stage's dependencies after its command, so an edit made meanwhile would be recorded as what its outputs
were made from. Here the stage fails instead, and DVC records nothing. Reads `dvc.yaml`, works for any stage, under DVC
and without it. Files are compared by inode, size and times, so that large files cost as little as small ones.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from gazette.core import files
from gazette.core.errors import ConfigError
from gazette.pipeline import flatten, loaded

PIPELINE, PARAMS, DVCIGNORE = Path("dvc.yaml"), Path("params.yaml"), Path(".dvcignore")
MAX_CONTENT_BYTES = 65_536  # the content of smaller files is compared, so that one that was only touched is unchanged
MAX_CONTENT_FILES = 50  # in a folder
_TEMPLATE = re.compile(r"\$\{([\w.]+)\}")


@dataclass(frozen=True)
class FileState:
    """What shows that a file was modified (device, inode, size, times), and its content if it is small."""

    mark: tuple[int, ...]
    content: bytes | None = None


@dataclass(frozen=True)
class Inputs:
    """A stage's inputs at one moment: its files by path, the text of `params.yaml`, and its values of that."""

    files: dict[str, FileState]
    text: bytes
    params: dict[str, Any]


@contextmanager
def inputs_unchanged(stage: str, options: Mapping[str, str]) -> Iterator[None]:
    """Raise ConfigError at the end of the block if a dependency of `stage` in `dvc.yaml` was modified meanwhile.

    Raise it also if code of another tree runs. `options` are those on its command line; they tell which of several
    candidates it is. Does nothing if there is no `dvc.yaml`, or no such stage in it.
    """
    pipeline = files.read_yaml(PIPELINE) if PIPELINE.exists() else {}
    entry = pipeline.get("stages", {}).get(stage)
    if entry is None:
        yield
        return
    text = _params_text()
    params = _parse_params(text)
    definition = entry.get("do", entry)
    values = params | _foreach_values(entry, params, options)
    deps, keys = (
        [_fill(name, values, options) for name in _names(definition.get(key, []))] for key in ("deps", "params")
    )
    start = Inputs(_files(deps), text, {key: _value(params, key) for key in keys})
    early = loaded.modified_since(
        loaded.process_start(), {path: file for path, file in loaded.loaded_modules().items() if path in start.files}
    )
    _check_code(stage)
    yield
    _check_code(stage)
    text = _params_text()
    params = params if text == start.text else _parse_params(text)
    end = Inputs(_files(deps), text, {key: _value(params, key) for key in keys})
    if changes := sorted({*early, *diff_inputs(start, end)}):
        lines = "\n".join(f"  {change}" for change in changes)
        raise ConfigError(
            f"{os.environ.get('DVC_STAGE', stage)}: its inputs changed while it ran; DVC would record them as they are "
            f"now, so nothing is recorded:\n{lines}\nrun it again, and edit when it has ended"
        )


def _check_code(stage: str) -> None:
    if modules := loaded.foreign_modules():
        raise ConfigError(
            f"{stage}: the code that runs is {loaded.loaded_modules()[modules[0]]}, not this tree's {modules[0]}; DVC "
            f"would record this tree's. Set PYTHONPATH={loaded.SOURCE.parent.absolute()}, or `make install` here"
        )


def _params_text() -> bytes:
    return PARAMS.read_bytes() if PARAMS.exists() else b""


def _parse_params(text: bytes) -> dict[str, Any]:
    return files.parse_yaml(text, PARAMS) if text.strip() else {}


def _names(entries: Sequence[Any]) -> Iterator[str]:
    for entry in entries:  # `path`, or `path: {options}`
        yield from [entry] if isinstance(entry, str) else map(str, entry)


def _foreach_values(entry: Mapping[str, Any], params: Any, options: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of `${key}` and `${item}` in a stage that is defined for each entry of a mapping."""
    if "foreach" not in entry:
        return {}
    key, items = options["candidate"], _value(params, entry["foreach"].removeprefix("${").removesuffix("}"))
    return {"key": key, "item": (items or {}).get(key)}


def _fill(text: str, values: Mapping[str, Any], options: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name = match[1]
        return str(options.get(name.removeprefix("item.")) if name.startswith("item.") else _value(values, name))

    return _TEMPLATE.sub(value, text)


def _value(values: Any, key: str) -> Any:
    for word in key.split("."):
        values = values.get(word) if isinstance(values, dict) else None
    return values


def _files(deps: Iterable[str]) -> dict[str, FileState]:
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


def diff_inputs(before: Inputs, after: Inputs) -> list[str]:
    """Describe the files that appeared, disappeared or were modified, and the params with another value."""
    changes = []
    for path in before.files.keys() | after.files.keys():
        old, new = before.files.get(path), after.files.get(path)
        if old is None or new is None:
            changes.append(f"{path} {'appeared' if old is None else 'disappeared'}")
        elif old.mark != new.mark and (old.content is None or old.content != new.content):
            changes.append(f"{path} was modified")
    params = flatten.diff(before.params, after.params)
    return sorted([*changes, *(f"{PARAMS}, {key}: {old} → {new}" for key, old, new in params)])
