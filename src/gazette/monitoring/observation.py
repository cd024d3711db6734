"""What the monitor saw of a version: the one record that the command line, the page and the policy read."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from gazette.monitoring.cusum import CusumResult


@dataclass(frozen=True)
class Observation:
    """A version's windows of traffic, the alarms of signals without labels, and the errors that labels show.

    `windows` are the rows of the table, the oldest first. `unlabeled_alarms` name the signals that are above their
    threshold in the newest window. `cusum` is over the `labels` answers about randomly drawn articles that this digest
    labeled since it became champion; `hours` are those of the articles. `new_rows` are answers since the last training,
    `records` all of the version in the journal, `unanswered` questions without an answer. `error` is that of the
    reference, None if unknown; then `cusum` cannot alarm. On the day `next_end` the next window is complete.
    """

    digest: str
    version: str
    windows: list[dict[str, Any]]
    unlabeled_alarms: list[str]
    cusum: CusumResult
    labels: int
    new_rows: int
    name: str = ""
    records: int = 0
    unanswered: int = 0
    hours: list[datetime] = field(default_factory=list)
    error: float | None = None
    reference: str = ""
    next_end: date | None = None
    accuracy: dict[str, float] | None = None
    notes: list[str] = field(default_factory=list)

    def record(self) -> dict[str, Any]:
        """Return the observation for JSON."""
        sums = {"statistic": self.cusum.statistic.tolist(), "alarm_at": self.cusum.alarm_at}
        interval = None if self.error is None else self.cusum.interval
        return vars(self) | {"cusum": sums | {"interval": interval}, "is_alarm": self.is_alarm}

    @property
    def alarm_hour(self) -> datetime | None:
        """The hour of the article at which the CUSUM alarmed."""
        return None if self.cusum.alarm_at is None else self.hours[self.cusum.alarm_at]

    @property
    def is_alarm(self) -> bool:
        """Whether anything alarms: a signal, or the errors."""
        return bool(self.unlabeled_alarms) or self.cusum.alarm_at is not None
