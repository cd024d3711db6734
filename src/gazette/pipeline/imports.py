"""Which files of Gazette a module runs, and which packages these import, read off the source without running it."""

import ast
import re
from pathlib import Path

SOURCE = Path(__file__).parent.parent


def imported(path: Path) -> set[str]:
    """Every module that a file imports, inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    return found


def own_files(path: Path) -> set[Path]:
    """The files of Gazette that a file imports, by name, by a folder's name in an f-string, or by reading them."""
    places = [SOURCE / name.replace(".", "/").removeprefix("gazette/") for name in imported(path)]
    files = {file for place in places for file in (place.with_name(f"{place.name}.py"), place / "__init__.py")}
    text = path.read_text(encoding="utf-8")
    for folder in re.findall(r'import_module\(f"gazette\.([\w.]+)\.', text):
        files |= set((SOURCE / folder.replace(".", "/")).glob("*.py"))
    files |= {path.parent / name for name in re.findall(r'_HERE / "([\w.]+)"', text)}
    return {file for file in files if file.exists() and file.name != "__init__.py"}


def closure(path: Path) -> set[Path]:
    """A file of Gazette and all that it runs; an `__init__` holds a docstring and nothing else, so it is no part."""
    found, open_ends = {path}, [path]
    while open_ends:
        new = own_files(open_ends.pop()) - found
        found |= new
        open_ends += new
    return found
