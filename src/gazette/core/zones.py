"""Time zones, by the names of the IANA database that polars contains: the same on every machine."""

from datetime import datetime


def check_zone(name: str) -> str:
    """Return the name of a time zone; raises ValueError if there is none of this name."""
    import polars as pl

    try:
        pl.Series([datetime(2000, 1, 1)]).dt.replace_time_zone(name)
    except pl.exceptions.ComputeError:
        raise ValueError(f"{name!r} is no time zone; expected a name such as Europe/London") from None
    return name
