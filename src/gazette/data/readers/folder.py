"""A folder with one folder per class: a file is an article, its folder the label."""

import os
import stat
from pathlib import Path

from gazette.core.errors import BrokenContract
from gazette.core.escape import shown
from gazette.core.limits import MAX_LINE
from gazette.data.readers.lines import not_utf8
from gazette.data.readers.open import HEAD, kind
from gazette.data.readers.rows import Contents, Sheet

MAX_PATH = 50_000  # characters, when every byte of the longest path is an escape


def read(raw: Path, name: str, labelled: bool = True) -> Contents:
    """Every file below the folder `name`, but for hidden ones; without classes (`labelled` false) at any depth."""
    top = raw / name
    if not top.is_dir():
        raise BrokenContract(f"{top} is no folder; the description names it. Is the corpus fetched or pulled?")
    if not top.resolve().is_relative_to(raw.resolve()):
        raise BrokenContract(
            f"{top} is a link out of {raw}; a corpus is whole in its folder: put the folder itself there"
        )
    sheet = Sheet(name)
    for path in _files(top):
        place = os.fsencode(path.relative_to(top)).decode("utf-8", "backslashreplace")
        fault = "not in a folder of its class: expected <class>/<file>" if labelled and place.count("/") != 1 else None
        content = fault or _content(path, top)
        if isinstance(content, str):
            sheet.reject(1, content, str(path.readlink()) if path.is_symlink() else "", shown(place, MAX_PATH))
            continue
        _take(sheet, content, place, labelled)
    if sheet.rows == 0:
        raise BrokenContract(f"{top}: no files in folders; expected one folder per class with one file per article")
    return sheet.contents()


def _files(top: Path) -> list[Path]:
    found = []
    for folder, inner, files in os.walk(top):  # does not follow links to folders
        inner[:] = [name for name in inner if not name.startswith(".")]
        links = [name for name in inner if (Path(folder) / name).is_symlink()]
        found += [Path(folder) / name for name in [*files, *links] if not name.startswith(".")]
    return sorted(found)


def _content(path: Path, top: Path) -> bytes | str:
    """The bytes of a file, or why they are not read."""
    if not path.exists():
        return "a link to nothing"
    if not path.resolve().is_relative_to(top.resolve()):
        return "a link out of the corpus: put the file itself there"
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        return "no regular file"
    if found.st_size > MAX_LINE:
        return f"too long: {found.st_size:,} bytes, at most {MAX_LINE:,} are read as one article"
    return path.read_bytes()


def _take(sheet: Sheet, content: bytes, place: str, labelled: bool) -> None:
    where = shown(place, MAX_PATH)
    if said := kind(content[:HEAD]):
        sheet.reject(1, f"not text: {said}", content[:100].decode("utf-8", "backslashreplace"), where)
        return
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        start = max(error.start - 60, 0)
        around = content[start : error.start + 100].decode("utf-8", "backslashreplace")
        sheet.reject(line, not_utf8(content, error), around, where)
        return
    if "\0" in text:
        sheet.reject(text.count("\n", 0, text.index("\0")) + 1, "NUL character: this is no text", text[:200], where)
        return
    sheet.accept(text.replace("\r\n", "\n").strip(), place.split("/")[0] if labelled else None, 1, where)
