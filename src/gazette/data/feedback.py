"""Corrections and answers of people: one JSON line each, in a file of its day."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from gazette.core import files
from gazette.core.errors import DataContractError
from gazette.core.escape import quote

How = Literal["volunteered", "asked"]  # only those that were asked at random estimate accuracy


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

    One write with O_APPEND: once this returns, the line survives a kill, and lines of several processes do not mix.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{record.when[:10]}.jsonl"
    line = (json.dumps(asdict(record), ensure_ascii=False) + "\n").encode()
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        if os.write(descriptor, line) != len(line):
            raise OSError(f"{path}: the disk is full; the record was not written")
    finally:
        os.close(descriptor)
    return path


def read(path: Path) -> Iterator[tuple[int, Feedback]]:
    """Yield the records of a file with their lines; raises DataContractError if a line is not one."""
    names = [field.name for field in fields(Feedback)]
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            place = f"{path}, line {number}"
            record: dict[str, Any] = files.parse_line(line, names, place)
            if record["how"] not in get_args(How):
                raise DataContractError(f"{place}: `how` is {quote(record['how'])}, expected volunteered or asked")
            yield number, Feedback(**record)


def now() -> str:
    """Return the time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
