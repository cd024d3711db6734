"""Whether this process runs the code of this tree, and as it was when the process started."""

import os
import sys
import sysconfig
import time
from collections.abc import Mapping
from pathlib import Path

import prefect_dvc
from prefect_dvc.environment import source_folders

TICK = 0.02  # seconds by which the start of a process, and the time of a file, can be off
SOURCES = {  # of each of our packages, in a project that has its own code, and where it runs from
    Path("src/gazette"): Path(__file__).parent.parent,
    Path("packages/prefect-dvc/src/prefect_dvc"): Path(prefect_dvc.__file__).parent,
}
NAMES = ("__main__", *(folder.name for folder in SOURCES))


def reexec_in_tree() -> None:
    """Start this command again with the code of this tree, if it has any and other code is running.

    DVC runs the stages of a worktree with the `gazette` on the path.
    """
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sources = search_path()
    if foreign_modules() and paths[: len(sources)] != sources:
        path = os.pathsep.join([*sources, *filter(None, paths)])
        os.execve(sys.executable, [sys.executable, "-m", "gazette", *sys.argv[1:]], {**os.environ, "PYTHONPATH": path})


def search_path() -> list[str]:
    """Return the folders of this tree's code."""
    return list(map(str, source_folders(Path())))


def loaded_modules() -> dict[str, Path]:
    """Return the file of each module of ours that this process has imported, by its path in a project."""
    modules = [  # few of thousands, so a Path for each is cheap
        module for name, module in list(sys.modules.items()) if name.partition(".")[0] in NAMES
    ]
    files = [Path(file) for module in modules if (file := getattr(module, "__file__", None))]
    return {
        (source / file.relative_to(package)).as_posix(): file
        for source, package in SOURCES.items()
        for file in files
        if file.is_relative_to(package)
    }


def foreign_modules() -> list[str]:
    """List the modules that were imported from outside this tree, of packages whose code it has."""
    own = [f"{source}/" for source in SOURCES if source.is_dir()]
    return [
        path
        for path, file in loaded_modules().items()
        if path.startswith(tuple(own)) and not (Path(path).exists() and file.samefile(path))
    ]


def shadowed_packages() -> dict[str, Path]:
    """Return the file of each package that was imported from a folder on PYTHONPATH, though it is installed too."""
    folders = [Path(entry).absolute() for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    modules = [(name, getattr(module, "__file__", None)) for name, module in list(sys.modules.items())]
    files = {name: Path(file) for name, file in modules if file and "." not in name}
    return {
        name: file
        for name, file in files.items()
        if any(file.is_relative_to(folder) for folder in folders) and _is_other(file, name)
    }


def _is_other(file: Path, name: str) -> bool:
    """Check whether the installed module of this name is another file, and this one is not installed itself."""
    installed = Path(sysconfig.get_path("purelib"))
    if file.is_relative_to(installed):  # a module under a second name, as toolz gives itself
        return False
    places = [installed / name / "__init__.py", installed / f"{name}.py"]
    return any(place.exists() and not place.samefile(file) for place in places)


def modified_since(moment: float, files: Mapping[str, Path]) -> list[str]:
    """List the files of code modified after a moment, in seconds since 1970; a time in the future is ignored."""
    times = {path: file.stat().st_ctime for path, file in files.items()}
    return [f"{path} was modified" for path, ctime in times.items() if moment + TICK < ctime <= time.time()]


def process_start() -> float:
    """Return the start of this process in seconds since 1970; now, if the system does not tell."""
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return time.time()
    ticks = int(Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19])
    booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return booted + ticks / os.sysconf("SC_CLK_TCK")
