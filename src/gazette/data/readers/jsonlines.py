"""JSON lines, or one array of objects, read strictly: no NaN, no lone surrogates, bounded depth."""

import json
import re
from pathlib import Path
from typing import Any

import orjson
from prefect_dvc.core.errors import DataContractError

from gazette.core.corpus import JsonArray, JsonLines
from gazette.core.escape import quote
from gazette.core.limits import MAX_COLUMNS, MAX_FIELD
from gazette.data.readers.columns import list_columns, missing_column_hint, quote_columns
from gazette.data.readers.jsonarray import iter_elements
from gazette.data.readers.lines import Line, iter_lines
from gazette.data.readers.open import check_kind, open_raw
from gazette.data.readers.rows import EMPTY, WHITE, ReadResult, RowCollector, Take

NO_JSON = re.compile(r"(-?NaN|-?Infinity|,)\s*(?:[,}\]]|$)")  # of Python, or after the object
MAX_DEPTH = 500  # of lists and objects in each other; Python's own functions fail at 1,000


def read_json(
    raw: Path, file: JsonLines | JsonArray, labeled: bool = True, take: Take | None = None, skip_empty: bool = True
) -> ReadResult:
    """Read the text's keys (nulls are skipped, the rest joined by a line break) and the label, a string or an integer.

    A key that an object lacks is a null. Raises DataContractError if no object has it.
    """
    path, columns = raw / file.path, list_columns(file, labeled)
    rows = RowCollector(file.path, labeled and file.date is not None, take)
    is_array = isinstance(file, JsonArray)
    keys: dict[str, None] = {}
    absent = set(columns)
    with open_raw(raw, file.path, file.coding) as content:
        check_kind(content, path)
        for line in iter_elements(content, path) if is_array else iter_lines(content):
            if not is_array and line.number == 1 and line.text.lstrip().startswith("["):
                raise DataContractError(
                    f"{path} is one JSON array; expected JSON lines, an object on each line (or set `format: json`)"
                )
            if not line.fault and not line.text.strip():
                rows.skip("blank lines, skipped")
                continue
            record = _parse(line, columns)
            if labeled and skip_empty and isinstance(record, dict) and _is_empty(record):
                rows.skip(EMPTY)
                continue
            fault = record if isinstance(record, str) else _fault(record, file, labeled)
            if fault or isinstance(record, str):
                rows.reject(line.number, str(fault), line.text.rstrip("\r\n"))
                continue
            if len(keys) < MAX_COLUMNS:
                keys.update(dict.fromkeys(record))
            absent -= record.keys()
            joined = "\n".join(part for key in file.text if (part := record.get(key)))
            date = None if file.date is None or record.get(str(file.date)) is None else str(record[str(file.date)])
            rows.accept(joined, str(record[file.label]) if labeled else None, line.number, date=date)
    if rows.rows == 0:
        raise DataContractError(f"{path} contains no rows; was it exported completely?")
    if absent and rows.rows > rows.rejected:
        missing = next(key for key in columns if key in absent)
        hint = missing_column_hint(missing, list(keys), "")
        raise DataContractError(
            f"{path}: no object has the key {missing!r} (keys: {quote_columns(list(keys))}){hint}; correct the "
            "corpus's description or the file"
        )
    rows.unused = sorted(keys.keys() - set(columns))
    return rows.result()


def _parse(line: Line, columns: list[str]) -> dict[str, Any] | str:
    """Return the object on a line, or why there is none."""
    if line.fault:
        return line.fault
    try:
        record = orjson.loads(line.text.removeprefix("\ufeff"))  # between files that were concatenated
    except orjson.JSONDecodeError as error:
        if line.text.strip() == "{":
            return "not JSON: an object over several lines, expected a whole one on each (`jq -c .` writes them so)"
        word = NO_JSON.match(str(error.doc), error.pos)
        return f"not JSON: {error.msg} at character {error.pos + 1}" + (f", {word[1]!r}" if word else "")
    if not isinstance(record, dict):
        return f"{type(record).__name__}, expected an object with keys and values"
    if line.text.count("[") + line.text.count("{") > MAX_DEPTH and _is_deep(record):
        return f"nested too deeply: more than {MAX_DEPTH:,} lists or objects in each other"
    if any(line.text.count(f'"{key}"') > 1 for key in columns) and (repeated := _repeated_key(line.text, columns)):
        return f"a key twice: {repeated!r}"
    return record


def _is_deep(record: dict[str, Any]) -> bool:
    level: list[Any] = [record]
    for _ in range(MAX_DEPTH):
        nested = (value.values() if isinstance(value, dict) else value for value in level)
        level = [value for values in nested for value in values if isinstance(value, dict | list)]
    return bool(level)


def _repeated_key(text: str, columns: list[str]) -> str | None:
    """Find a column that the object has twice; a parser silently takes the last."""
    pairs = json.loads(text.removeprefix("\ufeff"), object_pairs_hook=list)
    keys = [key for key, _ in pairs]
    return next((key for key in columns if keys.count(key) > 1), None)


def _is_empty(record: dict[str, Any]) -> bool:
    return all(value is None or (isinstance(value, str) and not value.strip(WHITE)) for value in record.values())


def _fault(record: dict[str, Any], file: JsonLines | JsonArray, labeled: bool) -> str | None:
    if len(record) > MAX_COLUMNS:
        return f"{len(record):,} keys; at most {MAX_COLUMNS:,} are read"
    missing = [key for key in list_columns(file, labeled) if key not in record and key != file.date]
    if missing and ((labeled and file.label in missing) or len(missing) == len(file.text)):
        present = ", ".join(quote(key, 40) for key in list(record)[:20])
        return f"no key {', '.join(map(repr, missing))} (keys: {present})"
    for key in file.text:
        value = record.get(key)
        if not isinstance(value, str | None):
            hint = "; is this a table by columns? Write an object for each article"
            return f"not a string: {key!r} is {type(value).__name__}{hint if isinstance(value, dict | list) else ''}"
        if value and len(value) > MAX_FIELD:
            return f"too long: {key!r} has more than {MAX_FIELD:,} characters"
        if value and "\0" in value:
            return f"NUL character in {key!r}"
    label = record[file.label] if labeled else ""
    if isinstance(label, bool) or not isinstance(label, str | int):
        return f"no value: {file.label!r} is {_describe(label)}"
    return None


def _describe(label: Any) -> str:
    if isinstance(label, float) and abs(label) >= 2**63:  # orjson reads longer integers as floats
        return "a number of more than 64 bits, expected a string or an integer; write it as a string, in quotes"
    several = "; an article has one: keep one of the list" if isinstance(label, list) else ""
    return f"{type(label).__name__}, expected a string or an integer{several}"
