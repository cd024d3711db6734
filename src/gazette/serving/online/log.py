"""The access log: a line of JSON for each request, and never a text."""

import json
import os
import sys
from datetime import UTC, datetime
from typing import Any


def write(event: str, **fields: Any) -> None:
    """Write a line to standard error in one call, so that lines of several processes do not mix."""
    record = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **fields}
    os.write(sys.stderr.fileno(), (json.dumps(record, ensure_ascii=True) + "\n").encode())
