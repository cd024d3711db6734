"""The files of ours that a module runs, and the packages they import, read from the source without running it."""

import ast
import re
from pathlib import Path

import prefect_dvc

SOURCES = {"gazette": Path(__file__).parent.parent, "prefect_dvc": Path(prefect_dvc.__file__).parent}


def imported_modules(path: Path) -> set[str]:
    """Return every module that a file imports, inside functions too."""
    modules = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    return modules


def imported_files(path: Path) -> set[Path]:
    """Return the files of ours that a file imports, by name or by a folder in an f-string, or reads."""
    words = [name.split(".") for name in imported_modules(path)]
    places = [SOURCES[package].joinpath(*inside) for package, *inside in words if package in SOURCES]
    files = {place.with_name(f"{place.name}.py") for place in places}
    text = path.read_text(encoding="utf-8")
    for folder in re.findall(r'import_module\(f"gazette\.([\w.]+)\.', text):
        files |= set((SOURCES["gazette"] / folder.replace(".", "/")).glob("*.py"))
    files |= {path.parent / name for name in re.findall(r'_HERE / "([\w.]+)"', text)}
    return {file for file in files if file.exists() and file.name != "__init__.py"}


def closure(path: Path) -> set[Path]:
    """Return a file of ours and all files that it runs, without `__init__.py`, which do nothing."""
    files, queue = {path}, [path]
    while queue:
        new = imported_files(queue.pop()) - files
        files |= new
        queue += new
    return files


def name_of(file: Path) -> str:
    """Return the path of a file of ours from the folder of its package, such as `prefect_dvc/git.py`."""
    source = next(source for source in SOURCES.values() if file.is_relative_to(source))
    return file.relative_to(source.parent).as_posix()
