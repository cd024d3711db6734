"""Observation of a version: from the journal, the answers and the reference, computed anew each time."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from prefect_dvc.core.errors import ConfigError, parse

from gazette.monitoring import accuracy, answers, cusum, reference, signals, thresholds, windows
from gazette.monitoring.observation import Observation
from gazette.monitoring.params import Params
from gazette.monitoring.reference import Version
from gazette.monitoring.signals import Days
from gazette.pipeline import cmdline, dvclock
from gazette.registry import ledger
from gazette.serving.journal import read as journal_read

JOURNAL, FOLDER = Path(".gazette/journal"), Path(".gazette/monitor")
LOSSES, WEEKLY = (0.03, 0.05, 0.1), (10, 25, 50, 100)  # of the table of delays
MLLS_ROWS = 100_000  # of the newest window; more change nothing
Period = tuple[date, date]  # from, until; the second is not in it


@dataclass(frozen=True)
class Reference:
    """What windows are compared with: a name for people, and its days; None for the first windows of the journal."""

    name: str
    days: Days | None


@dataclass(frozen=True)
class Subject:
    """A version to observe, since when, its own rows with its predictions (None: not available), and its error."""

    name: str
    version: Version
    since: datetime
    labeled: pl.DataFrame | None
    error: float | None
    trained_at: datetime | None = None


def observe(
    root: Path, name: str, now: datetime, *, trained_at: datetime | None = None, period: Period | None = None
) -> Observation:
    """Observe the champion of a corpus, or the selected bundle if there is none, until the last whole day before `now`.

    `root` is the project, the working directory. Answers since `trained_at`, or since the version is champion, are new
    rows. A `period` of the journal is the reference instead of the version's own rows.
    """
    notes: list[str] = []
    version, since = find_version(name)
    labeled = _read_labeled(version, name, root / FOLDER / "reference", notes)
    error = reference.recorded_error(version) if labeled is None else None
    observation = observe_version(root, Subject(name, version, since, labeled, error, trained_at), now, period=period)
    return replace(observation, notes=notes + observation.notes)


def observe_version(
    root: Path, subject: Subject, now: datetime, params: Params | None = None, *, period: Period | None = None
) -> Observation:
    """Observe a version; by default with section `monitor` of params.yaml."""
    params, folder, notes = params or read_params(), root / FOLDER, list[str]()
    digest = subject.version.digest
    about = accuracy.summarize_reference(subject.labeled) if subject.labeled is not None else None
    error = about["error"] if about else subject.error
    records = scan_records(root / JOURNAL, digest)
    counts = signals.count(records, about["cut"] if about else 1.0)
    rows: list[dict[str, Any]] = []
    compared, next_end = "", None
    if counts.height:
        labels = journal_read.labels(root / JOURNAL, digest)
        chosen, days = _to_days(counts, subject.labeled, labels, period, params.window_days)
        compared = chosen.name
        today = now.astimezone(UTC).date()
        anchor = days.first if subject.since.date() < signals.EPOCH else subject.since.date()  # without a champion
        rows = windows.build_windows(days, today, chosen.days, params, anchor)
        next_end = signals.next_end(days.first, today, params.window_days, anchor)
    else:
        notes.append(f"{root / JOURNAL} has no predictions of the bundle {digest} yet")
    if rows and about:
        for row in rows:
            row["unlabeled"] = accuracy.estimate_unlabeled(row, about)
        rows[-1]["mix"] = accuracy.estimate_mix(_sample_newest(records, rows[-1]), labels, about)
    every_reply = answers.read(folder)
    replies = every_reply.filter(digest=digest)
    questions = answers.read_questions(folder).filter(digest=digest)
    random = replies.filter(how=answers.RANDOM)
    for row in rows:
        row["labeled"] = accuracy.estimate(accuracy.within(random, row), params.confidence)
    hour = subject.since.replace(minute=0, second=0, microsecond=0)  # the journal has no minutes
    recent = random.filter(pl.col("hour") >= hour)
    is_new = pl.col("when").str.to_datetime(time_zone="UTC") >= (subject.trained_at or subject.since)
    return Observation(
        name=subject.name,
        records=int(counts["rows"].sum()),
        digest=digest,
        version=subject.version.number,
        windows=rows,
        unlabeled_alarms=rows[-1]["alarms"] if rows else [],
        cusum=accuracy.sum_errors(recent, error, params),
        labels=recent.height,
        new_rows=every_reply.filter(is_new).height,
        unanswered=questions.join(replies, on="id", how="anti").height,
        hours=recent["hour"].to_list(),
        error=error,
        reference=compared,
        next_end=next_end,
        accuracy=accuracy.estimate(recent, params.confidence),
        notes=notes,
    )


def list_delays(observation: Observation, params: Params) -> list[dict[str, Any]]:
    """Return for each loss within how many weeks it is detected, nine times in ten, by labels a week.

    There are none if the error of the reference is not known.
    """
    if observation.error is None:
        return []
    losses = [loss for loss in sorted({*LOSSES, params.loss}) if observation.error + loss < 1 - cusum.MIN_ERROR]
    weekly = sorted({*WEEKLY, params.labels_a_week})
    weeks, false = params.window_days / 7, params.labeled_alarms_a_year
    error = round(observation.error, 4)
    rows = cusum.detection_table(error, losses, weekly, false, weeks, params.error_correlation)
    return [
        {
            "points": f"{100 * loss:g}",
            "weeks": {row["labels_a_week"]: row["weeks"] for row in rows if row["loss"] == loss},
        }
        for loss in losses
    ]


def read_params() -> Params:
    """Return section `monitor` of params.yaml."""
    return parse(Params, cmdline.read_params()["monitor"], "params.yaml, section monitor")


def find_version(name: str) -> tuple[Version, datetime]:
    """Return the champion by the ledger, or else the selected bundle, and since when it is the one to watch.

    Raises ConfigError if there is neither.
    """
    if entry := ledger.last_entry(ledger.read_ledger(), name):
        return Version(entry.to.digest, entry.to.version, entry.to.revision), datetime.fromisoformat(entry.when)
    lock = dvclock.load(None) if dvclock.LOCK.is_file() else None
    if lock and lock.corpus == name and lock.bundle:
        return Version(lock.bundle, "", None), datetime.min.replace(tzinfo=UTC)
    raise ConfigError(f"{name} has no champion in {ledger.PATH} and no selected bundle: `gazette run` makes one")


def scan_records(journal: Path, digest: str) -> pl.LazyFrame:
    """Return the journal's records of a version, without what it answered aside as a shadow."""
    return journal_read.scan(journal).filter((pl.col("digest") == digest) & (pl.col("source") != "shadow"))


def _read_labeled(version: Version, name: str, folder: Path, notes: list[str]) -> pl.DataFrame | None:
    """Return the version's own rows with its predictions; None, and a note, if they are not available."""
    try:
        return reference.predict(version, name, folder, cmdline.read_params()["evaluate"]["threads"])
    except ConfigError as error:
        notes.append(f"no predictions on valid and test rows: {error}")
        return None


def _to_days(
    counts: pl.DataFrame, labeled: pl.DataFrame | None, labels: list[str], period: Period | None, window: int
) -> tuple[Reference, Days]:
    """Return the reference and the journal's days, with equal columns; raises ConfigError if a period has no records.

    Dated rows that span too few windows are no reference.
    """
    dated = labeled.drop_nulls("hour") if labeled is not None and period is None else pl.DataFrame()
    own = signals.count(dated.lazy()) if dated.height else counts.clear()
    languages = sorted({*counts["language"], *own["language"]})
    days, before = (signals.to_days(table, labels, languages) for table in (counts, own))
    assert days is not None
    if period is not None:
        first, until = period
        part = days.part(first, (until - first).days)
        if not part.rows.any():
            raise ConfigError(f"--reference {first}..{until}: the journal has no records of this version then")
        return Reference(f"the journal from {first} to before {until}", part), days
    if before is not None and len(before.rows) >= thresholds.MIN_WINDOWS * window:
        return Reference("the dated valid and test rows of the version", before), days
    why = "not available" if labeled is None else "of too few weeks" if dated.height else "without dates"
    return Reference(f"the first windows of the journal, since valid and test rows are {why}", None), days


def _sample_newest(records: pl.LazyFrame, window: dict[str, Any]) -> pl.Series:
    """Return the probabilities of at most MLLS_ROWS records of a window, evenly spread over it."""
    begin = datetime.fromisoformat(f"{window['from']}T00:00+00:00")
    end = datetime.fromisoformat(f"{window['to']}T00:00+00:00") + timedelta(days=1)
    part = records.filter(pl.col("hour").is_between(begin, end, closed="left")).select("probabilities")
    return part.gather_every(-(-window["rows"] // MLLS_ROWS)).collect(engine="streaming")["probabilities"]
