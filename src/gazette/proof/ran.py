"""Whether the code that this process runs is the code in its files."""

import marshal
import os
import sys
import time
from collections.abc import Collection, Mapping
from importlib.util import cache_from_source
from pathlib import Path

TICK = 0.02  # seconds by which the start of a process, and the time of a file, can be off


def loaded(deps: Collection[str]) -> dict[str, Path]:
    """The modules of Gazette that this process has imported and that are among `deps`: path to file."""
    package = Path(__file__).parent.parent
    places = {}
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file and file.endswith(".py") and Path(file).is_relative_to(package):
            places[f"src/{package.name}/{Path(file).relative_to(package).as_posix()}"] = Path(file)
    return {path: file for path, file in places.items() if path in deps}


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


def foreign(deps: Collection[str]) -> list[str]:
    """Modules that were imported and are other code than the file that the stage depends on.

    Either a copy of Gazette elsewhere ran, or Python ran what it once compiled of a file that was written since, in the
    same second and to the same length, which it does not notice.
    """
    found = []
    for path, file in loaded(deps).items():
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
