"""Dates of articles: text, all of a file in one format, as instants in UTC.

ISO 8601 and RFC 2822 are parsed by the standard library, days by polars, which knows English names of months whatever
the locale; a time of day may follow a day. A day without a time is midnight in UTC, so that no zone moves it to another
day. Names of time zones are those of polars' own database.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from datetime import date as Day
from email.utils import parsedate_to_datetime

import polars as pl
from prefect_dvc.core.escape import escape

from gazette.core.corpus import Delimited, JsonArray, JsonLines, Parquet
from gazette.core.escape import quote
from gazette.data.readers.rows import ReadResult

MISSING = ("", "null", "none", "nan", "nat", "na", "n/a", "<na>", "\\n", "-", "0000-00-00", "0000-00-00 00:00:00")
UNDATED = "articles without a date"
INSTANT = pl.Datetime("us", "UTC")
MAX_DATE = 100  # characters; what is longer is no date
FIRST_YEAR = 1000  # `%Y` reads 96 as the year 96
EPOCH = {"seconds": 1_000_000, "milliseconds": 1_000}  # microseconds
_ISO = re.compile(r"\d{4}(-?\d\d-?\d\d|-?W\d\d(-?\d)?)([T ]\d.*)?", re.ASCII)
_MAIL = re.compile(r"([A-Za-z]{3},?\s+)?\d{1,2}\s+[A-Za-z]{3}\s+\d{2,4}\s+\d{1,2}:\d\d.*", re.ASCII)
_WEEKDAY = r"(?i)^(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+)?"
_DAY_AND_TIME = (
    r"^(?P<day>.+?)(?:(?:\s*[T,]\s*|\s+)(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,]\d+)?)?"
    r"\s*(?P<half>[AaPp])?(?:\.?[Mm]\.?)?\s*(?P<zone>Z|UTC|GMT|[+-]\d\d:?\d\d)?)?$"
)


def add_dates(result: ReadResult, file: Delimited | JsonLines | JsonArray | Parquet, until: Day) -> ReadResult:
    """Return the rows with their dates parsed; a date that cannot be parsed, or is later than `until`, is a reject."""
    form = str(file.date_format)
    dates = parse_dates(result.articles["date"], form, file.time_zone or "UTC")
    rows = result.articles.with_columns(written="date", date=dates)
    is_missing, late = _is_missing(pl.col("written")), pl.col("date").dt.date() > until
    reason = pl.when(~is_missing & pl.col("date").is_null()).then(pl.lit("unreadable")).when(late).then(pl.lit("late"))
    rows = rows.with_columns(reason=reason)
    bad = rows.filter(pl.col("reason").is_not_null())
    rejects = pl.DataFrame(
        [
            {"file": row["file"], "line": row["line"], "reason": _explain(row, file, until),
             "seen": escape(f"{row['label']}: {row['text']}")}
            for row in bad.iter_rows(named=True)
        ],
        schema=result.rejects.schema,
    )  # fmt: skip
    missing = rows.select(is_missing.sum()).item()
    notes = dict(sorted({**result.notes, **({UNDATED: missing} if missing else {})}.items()))
    articles = rows.filter(pl.col("reason").is_null()).drop("written", "reason")
    return ReadResult(articles, pl.concat([result.rejects, rejects]), result.unused, notes)


def _explain(row: dict[str, str], file: Delimited | JsonLines | JsonArray | Parquet, until: Day) -> str:
    value = f"{quote(row['written'])} in column {quote(str(file.date))}"
    if row["reason"] == "late":
        return f"date in the future: {value} is later than {until}, `until` of the description"
    return f"unreadable date: {value}, expected {file.date_format}"


def _is_missing(column: pl.Expr) -> pl.Expr:
    return column.is_null() | column.str.strip_chars().str.to_lowercase().is_in(MISSING)


def parse_dates(values: pl.Series, form: str, zone: str) -> pl.Series:
    """Return dates in a format as instants in UTC; null if one is missing, or not in that format.

    `zone` is the time zone of times without an offset. Of a time that occurs twice when clocks go back, the earlier is
    meant; one that is left out when they go forward is null.
    """
    distinct = values.alias("written").unique(maintain_order=True).to_frame()
    is_short = pl.col("written").str.len_chars() <= MAX_DATE
    written = distinct.filter(~_is_missing(pl.col("written")) & is_short)["written"]
    local, offset = _parse_local(written.str.strip_chars(), form)
    known = pl.DataFrame({"written": written, "local": local, "offset": offset})
    exact = (pl.col("local") - pl.duration(seconds="offset")).dt.replace_time_zone("UTC")
    here = pl.col("local").dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    instant = pl.when(pl.col("offset").is_null()).then(here.dt.convert_time_zone("UTC")).otherwise(exact)
    known = known.select("written", date=pl.when(pl.col("local").dt.year() >= FIRST_YEAR).then(instant).cast(INSTANT))
    return values.alias("written").to_frame().join(known, on="written", how="left", maintain_order="left")["date"]


def _parse_local(text: pl.Series, form: str) -> tuple[pl.Series, pl.Series]:
    """Return the time on the clock, and its offset from UTC in seconds (null if it has none)."""
    if form in EPOCH:
        number = text.cast(pl.Float64, strict=False) * EPOCH[form]
        in_range = pl.select(pl.when(number.abs() < 2**60).then(number)).to_series()  # of microseconds
        return in_range.round().cast(pl.Int64).cast(pl.Datetime("us")), pl.zeros(text.len(), pl.Int64, eager=True)
    if form in PARSERS:
        moments = [_read(value, PARSERS[form]) for value in text]
        local = [moment and moment.replace(tzinfo=None) for moment in moments]
        offsets = [None if moment is None or moment.tzinfo is None else _seconds(moment) for moment in moments]
        return pl.Series(local, dtype=pl.Datetime("us")), pl.Series(offsets, dtype=pl.Int64)
    return _parse_days(text, form)


def _parse_iso(text: str) -> datetime:
    if not _ISO.fullmatch(text):
        raise ValueError(text)
    moment = datetime.fromisoformat(re.sub(r"\s*(UTC|GMT|Z)$", "+00:00", text.upper()))
    return moment if " " in text or "T" in text.upper() else moment.replace(tzinfo=UTC)


def _parse_mail(text: str) -> datetime:
    if not _MAIL.fullmatch(text):
        raise ValueError(text)
    return parsedate_to_datetime(text)


PARSERS: dict[str, Callable[[str], datetime]] = {"iso": _parse_iso, "rfc2822": _parse_mail}


def _read(text: str, parser: Callable[[str], datetime]) -> datetime | None:
    try:
        return parser(text)
    except (ValueError, OverflowError):
        return None


def _seconds(moment: datetime) -> int:
    return int((moment.utcoffset() or timedelta()).total_seconds())


def _parse_days(text: pl.Series, pattern: str) -> tuple[pl.Series, pl.Series]:
    """Parse days by a pattern, each with the time of day that may follow it."""
    text = text.str.replace(_WEEKDAY, "").str.replace(r"(\d)(?:st|nd|rd|th)\b", "$1")
    parts = text.str.extract_groups(_DAY_AND_TIME).struct.unnest()
    hour, minute, second = (pl.col(name).cast(pl.Int64) for name in ("hour", "minute", "second"))
    is_afternoon, half = pl.col("half").str.to_lowercase() == "p", pl.col("half")
    hours = pl.when(half.is_null()).then(hour).otherwise(hour % 12 + pl.when(is_afternoon).then(12).otherwise(0))
    is_hour = pl.when(half.is_null()).then(hour < 24).otherwise(hour.is_between(1, 12))
    is_time = hour.is_null() | (is_hour & (minute < 60) & (second.fill_null(0) < 60))
    day = pl.col("day").str.to_date(pattern, strict=False).cast(pl.Datetime("us"))
    time = pl.duration(hours=hours.fill_null(0), minutes=minute.fill_null(0), seconds=second.fill_null(0))
    zone = pl.col("zone")
    digits = zone.str.replace(":", "")
    sign = pl.when(zone.str.starts_with("-")).then(-1).otherwise(1)
    hours_ahead, minutes_ahead = (digits.str.slice(start, 2).cast(pl.Int64, strict=False) for start in (1, 3))
    is_utc = zone.is_in(["Z", "UTC", "GMT"]) | hour.is_null()
    offset = pl.when(is_utc).then(0).otherwise(sign * (hours_ahead * 60 + minutes_ahead) * 60)
    columns = parts.select(local=pl.when(is_time).then(day + time), offset=offset)
    return columns["local"], columns["offset"]
