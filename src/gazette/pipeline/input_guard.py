"""What a stage reads and which code it runs, at its start and at its end.

DVC takes the hashes of a stage's dependencies after its command: what is edited meanwhile would be recorded as what its
outputs were made from. Here the stage fails instead, and DVC records nothing. Read off `dvc.yaml`, for any stage, under
DVC and without it; files are told by inode, size and times, so that a million rows cost what one costs.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from gazette.core.errors import Misconfigured
from gazette.pipeline import flatten
from gazette.pipeline import loaded as ran

PIPELINE, PARAMS, IGNORED = Path("dvc.yaml"), Path("params.yaml"), Path(".dvcignore")
SMALL = 65_536  # bytes; the content of smaller files is kept, so that one that was only touched counts as unchanged
FEW = 50  # files at most in a folder whose contents are kept
_HOLE = re.compile(r"\$\{([\w.]+)\}")


@dataclass(frozen=True)
class Seen:
    """A file: what tells that it was written since (device, inode, size, times), and its content where it is small."""

    mark: tuple[int, ...]
    content: bytes | None = None


@dataclass(frozen=True)
class Start:
    """What is there when a stage begins or ends: its files by path, the text of `params.yaml`, its values of it."""

    files: dict[str, Seen]
    text: bytes
    params: dict[str, Any]


@contextmanager
def held(stage: str, options: Mapping[str, str]) -> Iterator[None]:
    """Raises Misconfigured at the block's end where what `stage` of `dvc.yaml` depends on was written since its start.

    Raises it too where code of another tree runs. `options` are those on its command line, by which one of several of
    a stage is told. Nothing happens where there is no `dvc.yaml`, or no such stage in it.
    """
    entry = _yaml(PIPELINE.read_bytes(), PIPELINE).get("stages", {}).get(stage) if PIPELINE.exists() else None
    if entry is None:
        yield
        return
    text = _text()
    numbers = _yaml(text, PARAMS)
    told = entry.get("do", entry)
    known = numbers | _each(entry, numbers, options)
    deps, keys = ([_fill(one, known, options) for one in _names(told.get(key, []))] for key in ("deps", "params"))
    start = Start(_files(deps), text, {key: _value(numbers, key) for key in keys})
    early = ran.written_since(ran.began(), {path: file for path, file in ran.loaded().items() if path in start.files})
    _refuse_foreign(stage)
    yield
    _refuse_foreign(stage)
    text = _text()
    now = numbers if text == start.text else _yaml(text, PARAMS)
    end = Start(_files(deps), text, {key: _value(now, key) for key in keys})
    if changed := sorted({*early, *differences(start, end)}):
        lines = "\n".join(f"  {one}" for one in changed)
        raise Misconfigured(
            f"{os.environ.get('DVC_STAGE', stage)}: what it is made from changed while it ran; DVC would record what "
            f"is there now, so nothing is recorded:\n{lines}\nrun it again, and edit when it has ended"
        )


def _refuse_foreign(stage: str) -> None:
    if others := ran.foreign():
        raise Misconfigured(
            f"{stage}: the code that runs is {ran.loaded()[others[0]]}, not this tree's {others[0]}; DVC would record "
            f"this tree's. Run it with PYTHONPATH={ran.HERE.parent.absolute()}, or `make install` here"
        )


def _text() -> bytes:
    return PARAMS.read_bytes() if PARAMS.exists() else b""


def _yaml(text: bytes, path: Path) -> dict[str, Any]:
    try:
        loaded: dict[str, Any] = YAML(typ="safe", pure=True).load(text) or {}
    except YAMLError as error:
        raise Misconfigured(f"{path} is not YAML: {error}") from None
    return loaded


def _names(entries: Sequence[Any]) -> Iterator[str]:
    for entry in entries:  # `path`, or `path: {options}`
        yield from [entry] if isinstance(entry, str) else map(str, entry)


def _each(entry: Mapping[str, Any], numbers: Any, options: Mapping[str, str]) -> dict[str, Any]:
    """What `${key}` and `${item}` stand for in a stage that is done for each entry of a mapping."""
    if "foreach" not in entry:
        return {}
    key, items = options["candidate"], _value(numbers, entry["foreach"].removeprefix("${").removesuffix("}"))
    return {"key": key, "item": (items or {}).get(key)}


def _fill(text: str, numbers: Mapping[str, Any], options: Mapping[str, str]) -> str:
    def found(hole: re.Match[str]) -> str:
        name = hole[1]
        return str(options.get(name.removeprefix("item.")) if name.startswith("item.") else _value(numbers, name))

    return _HOLE.sub(found, text)


def _value(numbers: Any, key: str) -> Any:
    for word in key.split("."):
        numbers = numbers.get(word) if isinstance(numbers, dict) else None
    return numbers


def _files(deps: Iterable[str]) -> dict[str, Seen]:
    found: dict[str, Seen] = {}
    lines = IGNORED.read_text(encoding="utf-8").splitlines() if IGNORED.exists() else []
    ignored = [line.removeprefix("\\") for line in lines if line and not line.startswith("#")]
    for dep in deps:
        inside = list(_walk(dep, ignored))
        for path, mark in inside:
            kept = mark[2] <= SMALL and len(inside) <= FEW
            found[path] = Seen(mark, Path(path).read_bytes() if kept else None)
    return found


def _walk(path: str, ignored: Sequence[str]) -> Iterator[tuple[str, tuple[int, ...]]]:
    if not Path(path).is_dir():
        if Path(path).exists():
            yield path, _mark(Path(path).stat())
        return
    with os.scandir(path) as entries:  # a Path for each file of a corpus would take longer than looking at it
        for entry in sorted(entries, key=lambda one: one.name):
            if any(fnmatch(entry.name, pattern) for pattern in ignored):
                continue
            if entry.is_dir():
                yield from _walk(entry.path, ignored)
            else:
                yield entry.path, _mark(os.stat(entry))  # noqa: PTH116


def _mark(stat: os.stat_result) -> tuple[int, ...]:
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def differences(before: Start, after: Start) -> list[str]:
    """What came, went or was written between two looks, and params that have another value."""
    found = []
    for path in before.files.keys() | after.files.keys():
        one, two = before.files.get(path), after.files.get(path)
        if one is None or two is None:
            found.append(f"{path} {'appeared' if one is None else 'is gone'}")
        elif one.mark != two.mark and (one.content is None or one.content != two.content):
            found.append(f"{path} was written")
    changes = flatten.differing(before.params, after.params)
    return sorted([*found, *(f"{PARAMS}, {key}: {was} → {now}" for key, was, now in changes)])
