"""What a stage reads and which code it runs, at its start and at its end.

DVC takes the hashes of a stage's dependencies after its command: what is edited meanwhile would be recorded as what its
outputs were made from. Here the stage fails instead, and DVC records nothing. Read off `dvc.yaml`, for any stage, under
DVC and without it; files are told by inode, size and times, so that a million rows cost what one costs.
"""

import marshal
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from gazette.errors import Misconfigured

PIPELINE, PARAMS = Path("dvc.yaml"), Path("params.yaml")
SMALL = 65_536  # bytes; the content of smaller files is kept, so that one that was only touched counts as unchanged
FEW = 50  # files at most in a folder whose contents are kept
TICK = 0.02  # seconds by which the start of a process, and the time of a file, can be off
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

    `options` are those on its command line, by which a stage of a matrix is told. Nothing happens where there is no
    `dvc.yaml`, or no such stage in it.
    """
    entry = _yaml(PIPELINE.read_bytes(), PIPELINE).get("stages", {}).get(stage) if PIPELINE.exists() else None
    if entry is None:
        yield
        return
    text = _text()
    numbers = _yaml(text, PARAMS)
    told = entry.get("do", entry)
    deps, keys = ([_fill(one, numbers, options) for one in _names(told.get(key, []))] for key in ("deps", "params"))
    start = Start(_files(deps), text, {key: _value(numbers, key) for key in keys})
    early = written_since(began(), loaded(start))
    yield
    text = _text()
    now = numbers if text == start.text else _yaml(text, PARAMS)
    end = Start(_files(deps), text, {key: _value(now, key) for key in keys})
    if changed := sorted({*early, *differences(start, end), *foreign(start)}):
        lines = "\n".join(f"  {one}" for one in changed)
        raise Misconfigured(
            f"{os.environ.get('DVC_STAGE', stage)}: what it is made from changed while it ran; DVC would record what "
            f"is there now, so nothing is recorded:\n{lines}\nrun it again, and edit when it has ended"
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
    for dep in deps:
        inside = list(_walk(dep))
        for path, mark in inside:
            kept = mark[2] <= SMALL and len(inside) <= FEW
            found[path] = Seen(mark, Path(path).read_bytes() if kept else None)
    return found


def _walk(path: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    if not Path(path).is_dir():
        if Path(path).exists():
            yield path, _mark(Path(path).stat())
        return
    with os.scandir(path) as entries:  # a Path for each file of a corpus would take longer than looking at it
        for entry in sorted(entries, key=lambda one: one.name):
            if not entry.is_dir():
                yield entry.path, _mark(os.stat(entry))  # noqa: PTH116
            elif entry.name != "__pycache__":
                yield from _walk(entry.path)


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
    for key in before.params.keys() | after.params.keys():
        was, now = before.params.get(key), after.params.get(key)
        found += [f"{PARAMS}, {name}: {was} → {now}" for name, was, now in _leaves(key, was, now)]
    return sorted(found)


def _leaves(key: str, was: Any, now: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(was, dict) and isinstance(now, dict):
        for inner in sorted(was.keys() | now.keys()):
            yield from _leaves(f"{key}.{inner}", was.get(inner), now.get(inner))
    elif was != now:
        yield key, was, now


def loaded(start: Start) -> dict[str, Path]:
    """The modules of Gazette that this process has imported and that are among the dependencies: path to file."""
    package = Path(__file__).parent.parent
    places = {}
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file and file.endswith(".py") and Path(file).is_relative_to(package):
            places[f"src/{package.name}/{Path(file).relative_to(package).as_posix()}"] = Path(file)
    return {path: file for path, file in places.items() if path in start.files}


def written_since(moment: float, files: Mapping[str, Path]) -> list[str]:
    """Files of code that were written after a moment, in seconds since 1970; a time to come says nothing."""
    times = {path: file.stat().st_ctime for path, file in files.items()}
    return [f"{path} was written" for path, ctime in times.items() if moment + TICK < ctime <= time.time()]


def began() -> float:
    """When this process began, in seconds since 1970; where the system does not say, now."""
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return time.time()
    ticks = int(Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19])
    booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return booted + ticks / os.sysconf("SC_CLK_TCK")


def foreign(start: Start) -> list[str]:
    """Modules that were imported and are other code than the file that the stage depends on.

    Either a copy of Gazette elsewhere ran, or Python ran what it once compiled of a file that was written since, in the
    same second and to the same length, which it does not notice.
    """
    found = []
    for path, file in loaded(start).items():
        if not file.samefile(path):
            if file.read_bytes() != Path(path).read_bytes():
                found.append(f"{path} is not what ran: {file} is, which differs")
        elif _is_stale(file):
            found.append(f"{path} is not what ran: an earlier one is, compiled at {cache_from_source(str(file))}")
    return found


def _is_stale(file: Path) -> bool:
    compiled = Path(cache_from_source(str(file)))
    if not compiled.exists() or file.stat().st_ctime_ns < compiled.stat().st_mtime_ns:
        return False
    header, code = compiled.read_bytes()[:16], compiled.read_bytes()[16:]
    stat = file.stat()
    noted = (int(stat.st_mtime) & 0xFFFFFFFF, stat.st_size & 0xFFFFFFFF)
    if (int.from_bytes(header[8:12], "little"), int.from_bytes(header[12:16], "little")) != noted:
        return False  # Python compiled the file anew
    now: object = compile(file.read_bytes(), str(file), "exec", dont_inherit=True)
    return bool(marshal.loads(code) != now)
