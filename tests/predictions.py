"""Records of a journal."""

from datetime import datetime
from pathlib import Path

from gazette.serving.journal import read
from gazette.serving.journal.records import Prediction

HOUR = "2026-11-28T14"


def make_record(number: int, hour: str = HOUR) -> Prediction:
    """A record of the request `request#NUMBER`."""
    return Prediction(hour, "d.dir", f"request#{number}", "sport", [0.75, 0.25], 3, 0.333, "", 1.5, "serve")


def ids(folder: Path, since: datetime | None = None, until: datetime | None = None) -> list[str]:
    """The ids of a journal's records, in order."""
    return read.scan(folder, since, until).collect()["id"].to_list()
