"""JSON lines, or one array of objects, read strictly: no NaN, no lone surrogates, bounded depth."""

import json
from pathlib import Path
from typing import Any

import orjson

from gazette.core.encodings import PLAIN, Coding
from gazette.core.errors import DataContractError
from gazette.core.escape import quote
from gazette.core.limits import MAX_COLUMNS, MAX_FIELD
from gazette.data.readers.columns import list_columns, missing_column_hint
from gazette.data.readers.jsonarray import iter_elements
from gazette.data.readers.lines import Line, iter_lines
from gazette.data.readers.open import check_kind, open_raw
from gazette.data.readers.rows import EMPTY, WHITE, ReadResult, RowCollector


def read_jsonlines(
    raw: Path, name: str, text: list[str], label: str | None, coding: Coding = PLAIN, is_array: bool = False
) -> ReadResult:
    """Read the keys `text` (nulls are skipped, the rest joined by a line break) and `label`, a string or an integer.

    A key that an object lacks is a null. Raises DataContractError if no object has it.
    """
    path, rows = raw / name, RowCollector(name)
    columns = text if label is None else [*text, label]
    keys: dict[str, None] = {}
    absent = set(columns)
    with open_raw(raw, name, coding) as file:
        check_kind(file, path)
        for line in iter_elements(file, path) if is_array else iter_lines(file):
            if not is_array and line.number == 1 and line.text.lstrip().startswith("["):
                raise DataContractError(
                    f"{path} is one JSON array; expected JSON lines, an object on each line (or set `format: json`)"
                )
            if not line.fault and not line.text.strip():
                rows.skip("blank lines, skipped")
                continue
            record = _parse(line, columns)
            if label is not None and isinstance(record, dict) and _is_empty(record):
                rows.skip(EMPTY)
                continue
            fault = record if isinstance(record, str) else _fault(record, text, label)
            if fault or isinstance(record, str):
                rows.reject(line.number, str(fault), line.text.rstrip("\r\n"))
                continue
            if len(keys) < MAX_COLUMNS:
                keys.update(dict.fromkeys(record))
            absent -= record.keys()
            joined = "\n".join(part for key in text if (part := record.get(key)))
            rows.accept(joined, None if label is None else str(record[label]), line.number)
    if rows.rows == 0:
        raise DataContractError(f"{path} contains no rows; was it exported completely?")
    if absent and rows.rows > rows.rejected:
        missing = next(key for key in columns if key in absent)
        hint = missing_column_hint(missing, list(keys), "")
        raise DataContractError(
            f"{path}: no object has the key {missing!r} (keys: {list_columns(list(keys))}){hint}; correct the corpus's "
            "description or the file"
        )
    rows.unused = sorted(keys.keys() - set(columns))
    return rows.result()


def _parse(line: Line, columns: list[str]) -> dict[str, Any] | str:
    """Return the object on a line, or why there is none."""
    if line.fault:
        return line.fault
    try:
        record = orjson.loads(line.text)
    except orjson.JSONDecodeError as error:
        return f"not JSON: {error.msg} at character {error.pos + 1}"
    if not isinstance(record, dict):
        return f"{type(record).__name__}, expected an object with keys and values"
    if any(line.text.count(f'"{key}"') > 1 for key in columns) and (repeated := _repeated_key(line.text, columns)):
        return f"a key twice: {repeated!r}"
    return record


def _repeated_key(text: str, columns: list[str]) -> str | None:
    """Find a column that the object has twice; a parser silently takes the last."""
    pairs = json.loads(text, object_pairs_hook=list)
    keys = [key for key, _ in pairs]
    return next((key for key in columns if keys.count(key) > 1), None)


def _is_empty(record: dict[str, Any]) -> bool:
    return all(value is None or (isinstance(value, str) and not value.strip(WHITE)) for value in record.values())


def _fault(record: dict[str, Any], text: list[str], label: str | None) -> str | None:
    columns = text if label is None else [*text, label]
    if len(record) > MAX_COLUMNS:
        return f"{len(record):,} keys; at most {MAX_COLUMNS:,} are read"
    missing = [key for key in columns if key not in record]
    if missing and (label in missing or len(missing) == len(text)):
        present = ", ".join(quote(key, 40) for key in list(record)[:20])
        return f"no key {', '.join(map(repr, missing))} (keys: {present})"
    for key in text:
        value = record.get(key)
        if not isinstance(value, str | None):
            return f"not a string: {key!r} is {type(value).__name__}"
        if value and len(value) > MAX_FIELD:
            return f"too long: {key!r} has more than {MAX_FIELD:,} characters"
        if value and "\0" in value:
            return f"NUL character in {key!r}"
    if label is not None and (isinstance(record[label], bool) or not isinstance(record[label], str | int)):
        several = "; an article has one class: keep one label" if isinstance(record[label], list) else ""
        return f"no label: {label!r} is {type(record[label]).__name__}, expected a string or an integer{several}"
    return None
