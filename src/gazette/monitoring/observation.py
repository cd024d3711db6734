"""What the monitor saw of a version: the one record that the command line, the page and the policy read."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gazette.monitoring.cusum import CusumResult


@dataclass(frozen=True)
class Observation:
    """A version's windows of traffic, the alarms of signals without labels, and the errors that labels show.

    `windows` are the rows of the table, the oldest first. `unlabeled_alarms` name the signals that are above their
    threshold in the newest window. `cusum` is over the `labels` answers for randomly drawn articles of this digest;
    `alarm_hour` is that of the article at which it alarmed. `new_rows` are labeled rows that no version has trained on.
    """

    digest: str
    version: str
    windows: list[dict[str, Any]]
    unlabeled_alarms: list[str]
    cusum: CusumResult
    labels: int
    new_rows: int
    alarm_hour: datetime | None = None
    estimates: dict[str, Any] = field(default_factory=dict)

    @property
    def is_alarm(self) -> bool:
        """Whether anything alarms: a signal, or the errors."""
        return bool(self.unlabeled_alarms) or self.cusum.alarm_at is not None
