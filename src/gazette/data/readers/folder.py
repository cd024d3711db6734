"""A folder with one folder per class: a file is an article, its folder the label."""

import os
import re
import stat
from collections.abc import Sequence
from fnmatch import translate
from pathlib import Path

from prefect_dvc.core.errors import ConfigError, DataContractError
from prefect_dvc.core.escape import escape

from gazette.core.corpus import OVERLAY, Folder
from gazette.core.encodings import CODECS
from gazette.core.limits import MAX_LINE
from gazette.data.readers.lines import encoding_fault
from gazette.data.readers.open import HEAD_BYTES, check_inside, detect_kind, find_outside
from gazette.data.readers.rows import ReadResult, RowCollector, Take

WIDE = (b"\xff\xfe", b"\xfe\xff")  # byte order marks of UTF-16
# Names of what is no article: hidden files, and what editors and systems leave. DVC leaves out those of .dvcignore.
LEFTOVERS = (".*", "*~", "#*#", "*.orig", "*.rej", "__pycache__", "desktop.ini", "Thumbs.db")
_IS_LEFTOVER = re.compile("|".join(map(translate, LEFTOVERS))).match
MAX_PATH = 50_000  # characters, when every byte of the longest path is an escape


def read_folder(raw: Path, folder: Folder, labeled: bool = True, take: Take | None = None) -> ReadResult:
    """Read every file below the folder but `LEFTOVERS`; without labels, files may lie at any depth.

    The overlay of the corpus is none of them. A file is in the first of the encodings that can decode it.
    """
    top, rows = raw / folder.path, RowCollector(folder.path, take=take)
    if not top.is_dir():
        raise DataContractError(f"{top} is not a folder; the description names it. Is the corpus fetched or pulled?")
    check_inside(top, raw)
    for path in list_files(top):
        if path == raw / OVERLAY:
            continue
        place = os.fsencode(path.relative_to(top)).decode("utf-8", "backslashreplace")
        if labeled and place.count("/") != 1:
            content: bytes | str = "not in the folder of a class: expected <class>/<file>"
        else:
            content = _read(path, top)
        if isinstance(content, str):
            rows.reject(1, content, str(path.readlink()) if path.is_symlink() else "", escape(place, MAX_PATH))
        else:
            _add(rows, content, place, labeled, folder.encodings)
    if rows.rows == 0:
        expected = "one folder per class with one file per article" if labeled else "a file per article, or tables"
        raise DataContractError(f"{top} has no files; expected {expected}")
    return rows.result()


def list_files(top: Path) -> list[Path]:
    """List, sorted, what lies below a folder but `LEFTOVERS`; a symlink to a folder is an entry, not followed."""
    entries = []
    for folder, inner, files in os.walk(top, onerror=_raise):
        inner[:] = [name for name in inner if not _IS_LEFTOVER(name)]
        links = [name for name in inner if (Path(folder) / name).is_symlink()]
        entries += [Path(folder) / name for name in [*files, *links] if not _IS_LEFTOVER(name)]
    return sorted(entries)


def count_leftovers(top: Path) -> int:
    """Count the files that are passed over by their names, but for hidden ones."""
    number = 0
    for _, inner, files in os.walk(top):
        inner[:] = [name for name in inner if not name.startswith(".")]
        number += sum(not name.startswith(".") and _IS_LEFTOVER(name) is not None for name in files)
    return number


def _raise(error: OSError) -> None:
    """Raise what `os.walk` would pass over: a folder that may not be read."""
    raise ConfigError(f"{error.filename}: {error.strerror}") from error


def _read(path: Path, top: Path) -> bytes | str:
    """Return the bytes of a file, or why they are not read."""
    if not path.exists():
        return "broken symlink"
    if fault := find_outside(path, top):
        return fault
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        return "not a regular file"
    if status.st_size > MAX_LINE:
        return f"too long: {status.st_size:,} bytes, at most {MAX_LINE:,} are read as one article"
    return path.read_bytes()


def _decode(content: bytes, encodings: Sequence[str]) -> tuple[str, UnicodeDecodeError | None]:
    """Return the text in the first encoding that fits, or the error of the first."""
    errors = []
    for encoding in encodings:
        try:
            return content.decode(CODECS[encoding]).removeprefix("\ufeff"), None
        except UnicodeDecodeError as error:
            errors.append(error)
    return "", errors[0]


def _add(rows: RowCollector, content: bytes, place: str, labeled: bool, encodings: Sequence[str]) -> None:
    name = escape(place, MAX_PATH)
    if (kind := detect_kind(content[:HEAD_BYTES])) and not (content.startswith(WIDE) and "utf-16" in encodings):
        rows.reject(1, f"not text: {kind}", content[:100].decode("utf-8", "backslashreplace"), name)
        return
    text, error = _decode(content, encodings)
    if error:
        line = content.count(b"\n", 0, error.start) + 1
        around = content[max(error.start - 60, 0) : error.start + 100].decode("utf-8", "backslashreplace")
        reason = encoding_fault(content, error) if encodings[0] == "utf-8" else f"not {' or '.join(encodings)}: {error}"
        rows.reject(line, reason, around, name)
        return
    if "\0" in text:
        rows.reject(text.count("\n", 0, text.index("\0")) + 1, "NUL character: not text", text[:200], name)
        return
    rows.accept(text.replace("\r\n", "\n").strip(), place.split("/")[0] if labeled else None, 1, name)
