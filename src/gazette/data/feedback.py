"""Corrections and answers of people: one JSON line each, in a file of its day."""

import codecs
import json
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from prefect_dvc.core.errors import DataContractError

from gazette.core import files
from gazette.core.escape import quote
from gazette.pipeline import lines

How = Literal["volunteered", "asked", "disagreement"]  # only what was asked of articles drawn at random is an estimate


@dataclass(frozen=True)
class Feedback:
    """What a person says the label of a text is; `digest` is of the bundle that predicted `predicted`.

    `when` is in UTC; `who` is a name or the beginning of a token's hash.
    """

    text: str
    label: str
    predicted: str
    digest: str
    when: str
    who: str
    how: How


def append(folder: Path, record: Feedback) -> Path:
    """Append a record to the file of its day and return that file.

    Once this returns, the line survives a kill, and lines of several processes do not mix: see `pipeline.lines`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{record.when[:10]}.jsonl"
    lines.append(path, (json.dumps(asdict(record), ensure_ascii=False) + "\n").encode())
    return path


def read(path: Path) -> tuple[list[tuple[int, Feedback]], int]:
    """Return the records of a file with their lines, and how many lines are no JSON: those were written in part.

    Raises DataContractError if a line is JSON and no record, or the file is UTF-16.
    """
    records, torn = [], 0
    names = [field.name for field in fields(Feedback)]
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            place = f"{path}, line {number}"
            if line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                raise DataContractError(f"{place}: UTF-16, expected UTF-8, as JSON lines are; convert the file")
            if not line.strip():
                continue
            try:
                record: dict[str, Any] = files.parse_line(line, names, place)
            except files.NotJsonError:
                torn += 1
                continue
            if record["how"] not in get_args(How):
                expected = " or ".join(get_args(How))
                raise DataContractError(f"{place}: `how` is {quote(record['how'])}, expected {expected}")
            records.append((number, Feedback(**record)))
    return records, torn


def now() -> str:
    """Return the time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
