"""The files of Gazette that a module runs, and the packages they import, read from the source without running it."""

import ast
import re
from pathlib import Path

SOURCE = Path(__file__).parent.parent


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
    """Return the files of Gazette that a file imports, by name or by a folder in an f-string, or reads."""
    places = [SOURCE / name.replace(".", "/").removeprefix("gazette/") for name in imported_modules(path)]
    files = {file for place in places for file in (place.with_name(f"{place.name}.py"), place / "__init__.py")}
    text = path.read_text(encoding="utf-8")
    for folder in re.findall(r'import_module\(f"gazette\.([\w.]+)\.', text):
        files |= set((SOURCE / folder.replace(".", "/")).glob("*.py"))
    files |= {path.parent / name for name in re.findall(r'_HERE / "([\w.]+)"', text)}
    return {file for file in files if file.exists() and file.name != "__init__.py"}


def closure(path: Path) -> set[Path]:
    """Return a file of Gazette and all files that it runs, without `__init__.py`, which hold only a docstring."""
    files, queue = {path}, [path]
    while queue:
        new = imported_files(queue.pop()) - files
        files |= new
        queue += new
    return files
