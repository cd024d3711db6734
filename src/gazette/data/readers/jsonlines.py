"""JSON lines: an object per line, read strictly (no NaN, no lone surrogates, bounded depth)."""

import json
from pathlib import Path
from typing import Any

import orjson

from gazette.core.errors import BrokenContract
from gazette.core.escape import quoted
from gazette.core.limits import MAX_COLUMNS, MAX_FIELD, MAX_ROWS
from gazette.data.readers.lines import Line, lines
from gazette.data.readers.open import opened, refuse_other_kinds
from gazette.data.readers.rows import Contents, Sheet


def read(raw: Path, name: str, text: list[str], label: str | None) -> Contents:
    """`text` and `label` are keys; a null among several texts is left out. A label is a string or a whole number."""
    path, sheet = raw / name, Sheet(name)
    wanted = text if label is None else [*text, label]
    others: dict[str, None] = {}
    with opened(raw, name) as file:
        refuse_other_kinds(file, path)
        for line in lines(file):
            if line.number == 1 and line.text.lstrip().startswith("["):
                raise BrokenContract(f"{path} is one JSON array; expected JSON lines, an object on each line")
            if not line.fault and not line.text.strip():
                sheet.note("blank lines, skipped")
                continue
            found = _parsed(line, wanted)
            fault = found if isinstance(found, str) else _fault(found, text, label)
            if fault or isinstance(found, str):
                sheet.reject(line.number, str(fault), line.text.rstrip("\r\n"))
                continue
            if len(others) < MAX_COLUMNS:
                others.update(dict.fromkeys(found))
            joined = "\n".join(part for key in text if (part := found[key]))
            sheet.accept(joined, None if label is None else str(found[label]), line.number)
            if sheet.rows > MAX_ROWS:
                raise BrokenContract(f"{path} has more than {MAX_ROWS:,} rows; split it into several files")
    if sheet.rows == 0:
        raise BrokenContract(f"{path} holds no rows; was it exported whole?")
    sheet.unused = sorted(others.keys() - {*text, label})
    return sheet.contents()


def _parsed(line: Line, wanted: list[str]) -> dict[str, Any] | str:
    """The object on a line, or why there is none."""
    if line.fault:
        return line.fault
    try:
        found = orjson.loads(line.text)
    except orjson.JSONDecodeError as error:
        return f"not JSON: {error.msg} at character {error.pos + 1}"
    if any(line.text.count(f'"{key}"') > 1 for key in wanted) and (twice := _twice(line.text, wanted)):
        return f"a key twice: {twice!r}"
    return found if isinstance(found, dict) else f"{type(found).__name__}, expected an object with keys and values"


def _twice(text: str, wanted: list[str]) -> str | None:
    """A wanted key that the object has twice, of which a parser keeps the last without a word."""
    pairs = json.loads(text, object_pairs_hook=list)
    keys = [key for key, _ in pairs]
    return next((key for key in wanted if keys.count(key) > 1), None)


def _fault(found: dict[str, Any], text: list[str], label: str | None) -> str | None:
    wanted = text if label is None else [*text, label]
    if len(found) > MAX_COLUMNS:
        return f"{len(found):,} keys; at most {MAX_COLUMNS:,} are read"
    if missing := [key for key in wanted if key not in found]:
        there = ", ".join(quoted(key, 40) for key in list(found)[:20])
        return f"no key {', '.join(map(repr, missing))} (there are: {there})"
    for key in text:
        if not isinstance(found[key], str | None):
            return f"not a string: {key!r} is {type(found[key]).__name__}"
        if found[key] and len(found[key]) > MAX_FIELD:
            return f"too long: {key!r} has more than {MAX_FIELD:,} characters"
        if found[key] and "\0" in found[key]:
            return f"NUL character in {key!r}"
    if label is not None and (isinstance(found[label], bool) or not isinstance(found[label], str | int)):
        return f"no label: {label!r} is {type(found[label]).__name__}, expected a string or a whole number"
    return None
