"""Dates become instants in UTC, by one format for a file; what cannot be one is named with its place."""

import json
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from itertools import product
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prefect_dvc.core.errors import ConfigError

from gazette.core import corpus
from gazette.data.date_formats import AmbiguousDatesError, detect_format
from gazette.data.readers.dates import parse_dates
from gazette.data.readers.read import read_corpus

UNTIL = date(2026, 11, 29)
moments = st.datetimes(datetime(1980, 1, 1), datetime(2026, 1, 1)).map(lambda moment: moment.replace(microsecond=0))
offsets = st.integers(-14 * 60, 14 * 60)


def parsed(text: str | None, form: str, zone: str = "UTC") -> datetime | None:
    return parse_dates(pl.Series([text], dtype=pl.String), form, zone)[0]


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


def detected(*dates: str | None) -> str:
    return detect_format(pl.Series(dates, dtype=pl.String), UNTIL, "news.csv, column 'date'")


@given(moments, offsets)
def test_a_moment_is_read_back_from_every_standard_in_any_zone(moment: datetime, minutes: int) -> None:
    aware = moment.replace(tzinfo=UTC)
    local = (moment + timedelta(minutes=minutes)).isoformat(" ")
    sign, ahead = "-" if minutes < 0 else "+", abs(minutes)
    offset = f"{sign}{ahead // 60:02}:{ahead % 60:02}"
    assert parsed(f"{local}{offset}", "iso") == aware
    assert parsed(format_datetime(aware), "rfc2822") == aware
    assert parsed(str(int(aware.timestamp())), "seconds") == aware
    assert parsed(str(int(aware.timestamp()) * 1000), "milliseconds") == aware
    day = (moment + timedelta(minutes=minutes)).strftime("%d/%m/%Y %I:%M:%S %p")
    assert parsed(f"{day} {offset}", "%d/%m/%Y") == aware


@pytest.mark.parametrize(
    ("text", "form", "moment"),
    [
        ("2004-01-02T03:04:05.123456789Z", "iso", utc(2004, 1, 2, 3, 4, 5, 123456)),
        ("2004-01-02 03:04 UTC", "iso", utc(2004, 1, 2, 3, 4)),
        ("20040102", "iso", utc(2004, 1, 2)),
        ("2004-W05-1", "iso", utc(2004, 1, 26)),
        ("03 Jan 2005 10:00 EST", "rfc2822", utc(2005, 1, 3, 15)),
        ("1716550000.5", "seconds", utc(2024, 5, 24, 11, 26, 40, 500000)),
        ("1-Jan-96", "%d-%b-%y", utc(1996, 1, 1)),
        ("01-JAN-06", "%d-%b-%y", utc(2006, 1, 1)),
        ("Thursday, January 3rd, 2004 10:00 p.m.", "%B %d, %Y", utc(2004, 1, 3, 22)),
        ("12/31/2004 12:05 AM", "%m/%d/%Y", utc(2004, 12, 31, 0, 5)),
        ("2004年1月3日 10:00", "%Y年%m月%d日", utc(2004, 1, 3, 10)),
        ("31/12/2004, 12:30:10 +0530", "%d/%m/%Y", utc(2004, 12, 31, 7, 0, 10)),
    ],
)
def test_the_ways_in_which_people_write_dates(text: str, form: str, moment: datetime) -> None:
    assert parsed(text, form) == moment


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("2004-02-30", "iso"), ("12", "iso"), ("yesterday", "iso"), ("31/12/2004", "%m/%d/%Y"),
        ("01/02/04", "%d/%m/%Y"), ("01/02/2004 25:00", "%d/%m/%Y"), ("01/02/2004 13:00 pm", "%d/%m/%Y"),
        ("1e30", "seconds"), ("x", "seconds"),
        ("32 Jan 2005 10:00", "rfc2822"), ("x", "rfc2822"),
    ],
)  # fmt: skip
def test_what_is_no_date_in_the_format_is_null(text: str, form: str) -> None:
    assert parsed(text, form) is None


@given(st.text(max_size=30), st.sampled_from(["iso", "rfc2822", "seconds", "milliseconds", "%d/%m/%Y", "%b %d %Y"]))
def test_no_text_stops_the_parser(text: str, form: str) -> None:
    date_ = parsed(text, form)
    assert date_ is None or date_.tzinfo is not None


def test_a_time_without_an_offset_is_in_the_zone_and_a_day_stays_that_day() -> None:
    assert parsed("2004-07-01 10:00", "iso", "Europe/London") == utc(2004, 7, 1, 9)
    assert parsed("2004-07-01 10:00+02:00", "iso", "Europe/London") == utc(2004, 7, 1, 8)
    assert parsed("2004-07-01", "iso", "Asia/Tokyo") == parsed("1/7/2004", "%d/%m/%Y", "Asia/Tokyo") == utc(2004, 7, 1)
    assert parsed("1/7/2004 10:00", "%d/%m/%Y", "Asia/Tokyo") == utc(2004, 7, 1, 1)


def test_when_clocks_change_a_time_that_occurs_twice_is_the_earlier_and_one_left_out_is_no_date() -> None:
    assert parsed("2004-10-31 01:30", "iso", "Europe/London") == utc(2004, 10, 31, 0, 30)
    assert parsed("2004-03-28 01:30", "iso", "Europe/London") is None


# The format


@pytest.mark.parametrize(
    ("dates", "form"),
    [
        (["2004-01-02"], "iso"),
        (["2004-01-02T10:00:00Z", "2004-01-03"], "iso"),
        (["20040102"], "iso"),
        (["Mon, 03 Jan 2005 10:00:00 +0100"], "rfc2822"),
        (["1716550000"], "seconds"),
        (["1716550000123"], "milliseconds"),
        (["1/2/2004", "31/1/2004"], "%d/%m/%Y"),
        (["1/2/2004", "1/31/2004 4:05 PM"], "%m/%d/%Y"),
        (["1.2.04", "13.2.04", "31.1.04"], "%d.%m.%y"),
        (["1-Jan-96"], "%d-%b-%y"),
        (["5/5/2004"], "%d/%m/%Y"),
        (["01/02/2025", "11/28/2026"], "%m/%d/%Y"),
        ([None, "", "NULL", "2004-01-02"], "iso"),
        (["x", "2004-01-02", "2004-01-03"], "iso"),
        (["unknown", "2004-01-01T10:00:00.028Z", "2004-01-02T10:00:00.5Z"], "iso"),
        (["2099-01-01 00:00:00.000001", "2004-01-01 10:00:00.028000"], "iso"),
    ],
)
def test_the_format_is_found_out(dates: list[str | None], form: str) -> None:
    assert detected(*dates) == form


def test_one_row_among_thousands_decides_between_day_and_month() -> None:
    numbers = product(range(1, 13), range(1, 13), range(1990, 2020))
    unclear = [f"{first:02}/{second:02}/{year}" for first, second, year in numbers]
    assert detected(*unclear, "13/01/2004") == "%d/%m/%Y"
    assert detected(*unclear, "01/13/2004") == "%m/%d/%Y"


def test_rows_that_contradict_each_other_decide_nothing() -> None:
    with pytest.raises(AmbiguousDatesError):
        detected("01/02/2004", "13/02/2004", "02/13/2004")


def test_the_future_decides_too() -> None:
    assert detected("01/12/2026", "02/10/2026") == "%m/%d/%Y"  # the first of December is after the files were made


def test_dates_that_can_be_read_in_two_ways_are_a_question_with_the_options_that_decide() -> None:
    with pytest.raises(AmbiguousDatesError) as question:
        detected("01/02/2004", "02/03/2004")
    assert question.value.formats == ["%d/%m/%Y", "%m/%d/%Y"]
    assert str(question.value) == (
        "news.csv, column 'date': the dates can be read in 2 ways, and nothing in the file decides: '01/02/2004' is "
        "1 February 2004 with --date-format %d/%m/%Y (day first); 2 January 2004 with --date-format %m/%d/%Y "
        "(month first)"
    )


@pytest.mark.parametrize("dates", [["x", "y"], ["x", "y", "2004-01-02"], [None, "-"]])
def test_a_column_that_is_no_date_is_refused(dates: list[str | None]) -> None:
    with pytest.raises(ConfigError, match=r"news\.csv, column 'date'"):
        detected(*dates)


def test_dates_after_the_files_were_made_are_named_as_such() -> None:
    with pytest.raises(ConfigError, match=r"most dates are later than 2026-11-29 \(--until\), or no dates"):
        detected("2027-01-01", "2027-01-02")


@pytest.mark.parametrize(
    "text", ["2004-01-02" + " " * 100_000 + "x", "1" * 100_000, "1 Jan 2004 10:00" + "(" * 100_000]
)
def test_a_text_of_any_length_is_no_date_at_once(text: str) -> None:
    assert all(parsed(text, form) is None for form in ("iso", "rfc2822", "seconds", "%d/%m/%Y"))


days = st.dates(date(1970, 1, 1), date(2025, 12, 31))


@given(st.lists(days, min_size=1, max_size=30), st.sampled_from(["%d/%m/%Y", "%m/%d/%Y", "%d.%m.%y", "%Y/%m/%d"]))
def test_a_format_that_is_found_out_reads_every_date_as_it_was_written(dates: list[date], form: str) -> None:
    written = [day.strftime(form) for day in dates]
    try:
        found_out = detected(*written)
    except AmbiguousDatesError as question:
        assert form in question.formats
        return
    assert parse_dates(pl.Series(written), found_out, "UTC").dt.date().to_list() == dates


# Files


def described(**file: Any) -> corpus.Corpus:
    files = {"train": [{"path": "raw", "text": ["text"], "label": "label", "date": "when"} | file]}
    about = {"language": "en", "labels": ["a", "b"], "source": "here", "terms": "none", "until": date(2005, 1, 1)}
    return corpus.Corpus.model_validate({**about, "files": files})


CSV = "text,label,when\nGoal,a,31/12/2004\nBank,b,\nLate,a,2/1/2005\nBad,b,31/31/2004\n"


def test_a_date_that_is_none_or_in_the_future_goes_to_quarantine_with_its_place_and_reason(tmp_path: Path) -> None:
    (tmp_path / "raw").write_text(CSV)
    articles, rejects, accounts = read_corpus(described(format="csv", header=True, date_format="%d/%m/%Y"), tmp_path)
    assert articles.select("text", "date").rows() == [("Goal", utc(2004, 12, 31)), ("Bank", None)]
    assert rejects.select("file", "line", "reason", "seen").rows() == [
        ("raw", 4, "date in the future: '2/1/2005' in column 'when' is later than 2005-01-01, `until` of the "
         "description",
         "a: Late"),
        ("raw", 5, "unreadable date: '31/31/2004' in column 'when', expected %d/%m/%Y", "b: Bad"),
    ]  # fmt: skip
    assert accounts[0]["notes"] == {"articles without a date": 1}
    assert accounts[0]["unused"] == []


def test_json_has_dates_as_strings_or_numbers_and_nulls(tmp_path: Path) -> None:
    rows = [{"text": "Goal", "label": "a", "when": 1000000000}, {"text": "Bank", "label": "b", "when": "1000000060"},
            {"text": "Match", "label": "a", "when": None}, {"text": "Law", "label": "b"}]  # fmt: skip
    for form, content in (("jsonl", "\n".join(map(json.dumps, rows))), ("json", json.dumps(rows))):
        (tmp_path / "raw").write_text(content)
        articles = read_corpus(described(format=form, date_format="seconds"), tmp_path)[0]
        assert articles["date"].to_list() == [utc(2001, 9, 9, 1, 46, 40), utc(2001, 9, 9, 1, 47, 40), None, None]


@pytest.mark.parametrize(
    ("values", "form"),
    [
        (pa.array([date(2004, 1, 2), None]), "iso"),
        (pa.array([datetime(2004, 1, 2), None], pa.timestamp("ns")), "iso"),
        (pa.array([datetime(2004, 1, 2, 5, 30), None], pa.timestamp("s")).cast(pa.timestamp("s", "UTC")), "iso"),
        (pa.array(["2004-01-02", None]), "iso"),
        (pa.array([1073001600, None]), "seconds"),
    ],
)
def test_parquet_has_dates_timestamps_strings_or_integers(tmp_path: Path, values: pa.Array, form: str) -> None:
    pq.write_table(pa.table({"text": ["Goal", "Bank"], "label": ["a", "b"], "when": values}), tmp_path / "raw")
    articles = read_corpus(described(format="parquet", date_format=form), tmp_path)[0]
    assert [moment and moment.date() for moment in articles["date"]] == [date(2004, 1, 2), None]


def test_an_int96_timestamp_of_any_year_is_that_year_and_not_one_that_wraps(tmp_path: Path) -> None:
    values = pa.array([datetime(2004, 1, 2), datetime(9999, 12, 31)], pa.timestamp("us"))
    table = pa.table({"text": ["Goal", "Bank"], "label": ["a", "b"], "when": values})
    pq.write_table(table, tmp_path / "raw", use_deprecated_int96_timestamps=True)
    articles, rejects, _ = read_corpus(described(format="parquet", date_format="iso"), tmp_path)
    assert articles["date"].to_list() == [utc(2004, 1, 2)]
    assert "date in the future: '9999-12-31 00:00:00.000000'" in rejects["reason"].item()


def test_a_corpus_without_dates_has_no_such_column(tmp_path: Path) -> None:
    (tmp_path / "raw").write_text(CSV)
    articles = read_corpus(described(format="csv", header=True, date=None), tmp_path)[0]
    assert articles.columns == ["text", "label", "split", "file", "line"]


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ({"date_format": None}, "go together"),
        ({"date_format": "roughly"}, "no pattern"),
        ({"date_format": "%d/%Y"}, "no pattern"),
        ({"date_format": "%d/%m/%Y %H:%M"}, "no pattern"),
        ({"date_format": "iso", "time_zone": "Mars/Olympus"}, "no time zone"),
    ],
)
def test_a_description_of_dates_is_checked(file: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        described(format="jsonl", **file)


def test_a_description_with_dates_names_the_day_that_none_may_be_later_than() -> None:
    with pytest.raises(ValueError, match="`until` is missing"):
        corpus.Corpus.model_validate({**described(format="jsonl", date_format="iso").model_dump(), "until": None})
