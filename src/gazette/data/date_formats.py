"""The format of a column of dates, found out over all of its values."""

from datetime import date as Day
from itertools import product

import polars as pl
from prefect_dvc.core.errors import ConfigError

from gazette.core.dates import FORMATS
from gazette.core.escape import quote
from gazette.data.readers.dates import EPOCH, MISSING, parse_dates

ORDERS = ("%d{0}%m{0}%Y", "%m{0}%d{0}%Y", "%Y{0}%m{0}%d", "%d{0}%m{0}%y", "%m{0}%d{0}%y", "%y{0}%m{0}%d")
NAMED = ("%d{0}%b{0}%Y", "%d{0}%b{0}%y", "%d{0}%B{0}%Y", "%b{0}%d,{0}%Y", "%B{0}%d,{0}%Y", "%b{0}%d{0}%Y")
PATTERNS = [order.format(mark) for order, mark in product((*ORDERS, *NAMED), "/-. ")] + ["%Y年%m月%d日"]
DIGITS = {"seconds": r"^\d{9,10}(\.\d+)?$", "milliseconds": r"^\d{12,13}(\.\d+)?$"}  # from the seventies on
SAMPLE = 500  # distinct values that choose the formats by which all are read
MIN_SHARE = 0.5  # of the dates that the format must read
MARGIN = 10  # times more dates only the first of two formats must read, for the second to be ruled out
WORDS = {
    "iso": "ISO 8601", "rfc2822": "RFC 2822, as in mail and feeds", "seconds": "seconds since 1970",
    "milliseconds": "milliseconds since 1970",
}  # fmt: skip


class AmbiguousDatesError(ConfigError):
    """Dates can be read in several ways; `formats` has them."""

    def __init__(self, message: str, formats: list[str]) -> None:
        super().__init__(message)
        self.formats = formats


def detect_format(values: pl.Series, until: Day, place: str) -> str:
    """Return the format of the dates of a file (`place` names the file and the column).

    Raises AmbiguousDatesError if they can be read in two ways that differ; no date after `until` counts as read. Raises
    ConfigError if no format reads most of them.
    """
    written = values.drop_nulls().str.strip_chars()
    counts = written.filter(~written.str.to_lowercase().is_in(MISSING)).alias("written").value_counts().sort("written")
    if counts.is_empty():
        raise ConfigError(f"{place}: no row has a date; is that the column of the dates?")
    written_rows, stride = int(counts["count"].sum()), -(-counts.height // SAMPLE)
    formats = [*FORMATS, *PATTERNS]
    sampled = counts["written"].gather_every(stride)
    if _read(sampled, "iso", until).null_count() == 0:
        formats = ["iso"]  # nothing else is written so
    likely = [form for form in formats if _read(sampled, form, until).count()]
    readings = {form: _read(counts["written"], form, until) for form in likely}
    rows = {form: _count(counts, reading.is_not_null()) for form, reading in readings.items()}
    best = max(rows, key=lambda form: rows[form], default=None)
    if best is None or rows[best] < MIN_SHARE * written_rows:
        first = ", ".join(map(quote, counts["written"].head(3)))
        if any(_count(counts, _read(counts["written"], form, Day.max).is_not_null()) for form in FORMATS):
            raise ConfigError(f"{place}: most dates are later than {until} (--until), or no dates: {first}")
        raise ConfigError(
            f"{place}: the dates are in no known format: {first}. --date-format names it: {', '.join(FORMATS)}, "
            "or a pattern such as %d.%m.%Y"
        )
    rivals = [form for form in readings if form != best and _is_rival(counts, readings[best], readings[form])]
    if rivals:
        raise AmbiguousDatesError(_ask(counts, readings, [best, *rivals], place), [best, *rivals])
    return best


def _read(written: pl.Series, form: str, until: Day) -> pl.Series:
    dates = parse_dates(written, form, "UTC")
    possible = pl.select(pl.when(dates.dt.date() <= until).then(dates)).to_series()
    if form in EPOCH:
        return pl.select(pl.when(written.str.contains(DIGITS[form])).then(possible)).to_series()
    return possible


def _count(counts: pl.DataFrame, chosen: pl.Series) -> int:
    return int(counts.filter(chosen)["count"].sum())


def _is_rival(counts: pl.DataFrame, best: pl.Series, rival: pl.Series) -> bool:
    """Tell whether a reading gives other dates than the best one, and too few rows speak against it."""
    if not _differ(best, rival).any():
        return False
    against, for_it = (_count(counts, only) for only in (rival.is_null() & best.is_not_null(),
                                                         best.is_null() & rival.is_not_null()))  # fmt: skip
    return against < max(1, MARGIN * for_it)


def _differ(dates: pl.Series, others: pl.Series) -> pl.Series:
    """Tell where two readings give different seconds; patterns leave fractions out."""
    return (dates.dt.truncate("1s") != others.dt.truncate("1s")).fill_null(False)


def _ask(counts: pl.DataFrame, readings: dict[str, pl.Series], formats: list[str], place: str) -> str:
    first = _differ(readings[formats[0]], readings[formats[1]]).arg_true()[0]
    ways = "; ".join(
        f"{_describe(readings[form][first])} with --date-format {describe_format(form)}" for form in formats
    )
    return (
        f"{place}: the dates can be read in {len(formats)} ways, and nothing in the file decides: "
        f"{quote(counts['written'][first])} is {ways}"
    )


def _describe(date: object) -> str:
    return "nothing" if date is None else f"{date:%-d %B %Y}"


def describe_format(form: str) -> str:
    """Return in words how dates are written."""
    if form in WORDS:
        return WORDS[form]
    names = {"d": "day", "m": "month", "b": "month", "B": "month", "Y": "year", "y": "year"}
    order = [names[letter] for letter in form.replace("%", " ").split() for letter in letter[:1] if letter in names]
    return f"{form} ({order[0]} first)" if order else form
