"""Whether the code that this process runs is the code of this tree, and as it was when the process began."""

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

TICK = 0.02  # seconds by which the start of a process, and the time of a file, can be off
PACKAGE = Path(__file__).parent.parent
HERE = Path("src") / PACKAGE.name  # of a project that has code of its own


def start_over() -> None:
    """Starts this command again with the code of this tree, if it has any and other code is running.

    DVC runs the stages of a worktree, or of an experiment in a folder of its own, with the `gazette` on the path.
    """
    source = str(HERE.parent.absolute())
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if foreign() and paths[0] != source:
        path = os.pathsep.join([source, *filter(None, paths)])
        os.execve(
            sys.executable, [sys.executable, "-m", PACKAGE.name, *sys.argv[1:]], {**os.environ, "PYTHONPATH": path}
        )


def loaded() -> dict[str, Path]:
    """The modules of Gazette that this process has imported: their paths in a project, and their files."""
    files = [Path(file) for module in list(sys.modules.values()) if (file := getattr(module, "__file__", None))]
    return {(HERE / file.relative_to(PACKAGE)).as_posix(): file for file in files if file.is_relative_to(PACKAGE)}


def foreign() -> list[str]:
    """Modules that were imported from elsewhere than this tree's `src`, if it has one."""
    if not HERE.is_dir():
        return []
    return [path for path, file in loaded().items() if not (Path(path).exists() and file.samefile(path))]


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
