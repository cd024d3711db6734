"""The log: a line of JSON for each request, and never a text."""

import logging
import os
import sys
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import orjson


def write(event: str, **fields: Any) -> None:
    """Write a line to standard error in one call, so that lines of several processes do not mix.

    If nobody reads it any more or the disk is full, the line is lost and the request is not.
    """
    record = {"time": datetime.now(UTC), "event": event, **fields}
    with suppress(OSError):
        os.write(sys.stderr.fileno(), orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))


def write_error(event: str, error: BaseException, **fields: Any) -> None:
    """Write what kind of error it was and where it was raised; its message may have a text in it."""
    error = error.__cause__ or error
    frames = traceback.extract_tb(error.__traceback__)
    where = [f"{frame.filename}:{frame.lineno}" for frame in frames[-3:]]
    write(event, kind=type(error).__name__, where=where, **fields)


def capture() -> None:
    """Turn warnings of libraries into lines of this log, without what they quote of a request."""
    logging.basicConfig(handlers=[_Lines()], level=logging.WARNING, force=True)


class _Lines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        write("warning", logger=record.name, message=str(record.msg).partition("\n")[0])
