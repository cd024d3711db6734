"""Formats of dates, and time zones by the names of the IANA database in polars, the same on every machine."""

import re
from datetime import datetime

FORMATS = ("iso", "rfc2822", "seconds", "milliseconds")
UNDECIDED = "%"  # the format of dates, until their file is read
DAY = {"d", "m", "Y"}  # what a pattern needs, after ALIKE
ALIKE = {"b": "m", "B": "m", "h": "m", "y": "Y", "e": "d"}


def check_format(form: str) -> str:
    """Return a format of dates: one of FORMATS, or the pattern of a day; raises ValueError if it is neither."""
    if form in (*FORMATS, UNDECIDED):
        return form
    directives = re.findall(r"%-?(.)", form)
    if {ALIKE.get(letter, letter) for letter in directives} != DAY or len(directives) != len(DAY):
        raise ValueError(
            f"{form!r} is none of {', '.join(FORMATS)}, and no pattern of day, month and year such as %d/%m/%Y (a time "
            "after them is read without one)"
        )
    return form


def check_zone(name: str) -> str:
    """Return the name of a time zone; raises ValueError if there is none of this name."""
    import polars as pl

    try:
        pl.Series([datetime(2000, 1, 1)]).dt.replace_time_zone(name)
    except pl.exceptions.ComputeError:
        raise ValueError(f"{name!r} is no time zone; expected a name such as Europe/London") from None
    return name
