"""How long a scoring took here: `run.json`, which differs from run to run and is not part of the result."""

import os
import platform
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gazette.core import files
from gazette.serving.batch.parts import RUN


@contextmanager
def record_timing(to: Path, record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Write the duration of the block to `to`, with `record` and what the block adds to it; not if the block fails."""
    began, start = datetime.now(UTC), time.monotonic()
    yield record
    measured = {
        "began": began.isoformat(timespec="seconds"),
        "seconds": time.monotonic() - start,
        "host": platform.node(),
        "load": os.getloadavg()[0],
        "peak_mebibytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    files.write_json(to / RUN, record | measured)
