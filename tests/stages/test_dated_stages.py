"""A corpus with dates: what the data stages check, and how they split it in time."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from prefect_dvc.core.errors import ConfigError, DataContractError
from test_data_stages import NUMBERS, SMALL, WORDS

from gazette.core import articles
from gazette.core.corpus import OVERLAY
from gazette.stages import preprocess, validate

START = datetime(2020, 1, 1, 12, tzinfo=UTC)
DAYS = 60
Row = tuple[str, str, str]


def news(days: int = DAYS) -> list[Row]:
    """Two articles a day, one of each class."""
    words = WORDS.split()
    return [
        (f"{label} {words[n % 15]} {words[n * 7 % 13]} {words[n * 3 % 11]} {n * 7919}", label,
         f"{START + timedelta(n):%Y-%m-%d %H:%M}")
        for n in range(days) for label in ("sport", "trade")
    ]  # fmt: skip


def validated(folder: Path, rows: list[Row], **bounds: float) -> dict[str, Any]:
    """The report of `validate`."""
    (folder / "raw").mkdir(exist_ok=True)
    pl.DataFrame(rows, schema=["text", "label", "when"], orient="row").write_csv(folder / "raw/news.csv")
    (folder / "tiny.yaml").write_text(
        "language: en\nlabels: [sport, trade]\nsource: made here\nterms: none\nuntil: 2020-12-31\nfiles:\n"
        "  train: [{format: csv, path: news.csv, header: true, text: [text], label: label, date: when, "
        "date_format: iso}]\n"
    )
    outs = {name: folder / name for name in ("erased", "validated", "quarantine", "examples", "report", "docs")}
    params = validate.Params(**NUMBERS["validate"] | SMALL | bounds)
    validate.run(params, description=folder / "tiny.yaml", raw=folder / "raw", **outs)
    report: dict[str, Any] = json.loads((folder / "report").read_text())
    return report


def preprocessed(folder: Path, **params: Any) -> tuple[dict[str, Any], dict[str, pl.DataFrame]]:
    """The report of `preprocess`, and its tables."""
    names = ("train", "valid", "test", "quarantine")
    preprocess.run(
        preprocess.Params(**{"valid_share": 0.2, "test_share": 0.2, "split": "time"} | params),
        description=folder / "tiny.yaml",
        validated=folder / "validated",
        **{name: folder / f"{name}.parquet" for name in names},
        report=folder / "preprocessing",
    )
    return json.loads((folder / "preprocessing").read_text()), {
        name: pl.read_parquet(folder / f"{name}.parquet") for name in names
    }


def first_day(table: pl.DataFrame) -> date | None:
    return table.select(pl.col("date").min().dt.date()).item()


def test_dates_go_through_validation_into_every_split(tmp_path: Path) -> None:
    report = validated(tmp_path, news())
    assert articles.read_articles(tmp_path / "validated").schema["date"] == pl.Datetime("us", "UTC")
    assert report["corpus"]["missing_dates"] == 0
    _, tables = preprocessed(tmp_path, split="hash")
    assert all(table["date"].null_count() == 0 for name, table in tables.items() if name != "quarantine")


def test_shares_cut_at_a_day_and_the_report_names_it(tmp_path: Path) -> None:
    validated(tmp_path, news())
    report, tables = preprocessed(tmp_path)
    assert [tables[name].height for name in ("train", "valid", "test")] == [72, 24, 24]
    assert report["time"] == {
        "valid_from": "2020-02-06", "test_from": "2020-02-18", "train_not_before_test": 0, "train_without_date": 0,
        "near_duplicates_of_earlier_splits": 0,
    }  # fmt: skip
    assert [first_day(tables["valid"]), first_day(tables["test"])] == [date(2020, 2, 6), date(2020, 2, 18)]


def test_boundaries_that_are_days_count_more_than_shares(tmp_path: Path) -> None:
    validated(tmp_path, news())
    _, tables = preprocessed(tmp_path, valid_from="2020-02-01", test_from="2020-02-20")
    assert [first_day(tables["valid"]), first_day(tables["test"])] == [date(2020, 2, 1), date(2020, 2, 20)]


def test_a_near_duplicate_across_a_boundary_and_a_row_without_a_date_are_counted_and_stay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    long = (
        "the minister opened the new bridge over the river on a cold morning in front of many people and said that it "
        "had taken nine years to build"
    )
    rows = [*news(), (f"{long} first", "trade", "2020-01-02"), (f"{long} again", "trade", "2020-02-27"),
            ("an article of some day", "sport", "")]  # fmt: skip
    report = validated(tmp_path, rows)
    assert report["files"][0]["notes"] == {"articles without a date": 1}
    assert "dates from 2020-01-01 to 2020-02-29; 1 article without one" in capsys.readouterr().out
    report, tables = preprocessed(tmp_path)
    assert report["time"]["near_duplicates_of_earlier_splits"] == 1
    assert report["time"]["train_without_date"] == 1
    assert "an article of some day" in tables["train"]["text"]
    assert "near duplicates of earlier splits: 1" in capsys.readouterr().out


def test_too_many_missing_dates_break_the_contract_with_the_first_rows(tmp_path: Path) -> None:
    rows = [(text, label, "" if number % 10 == 0 else when) for number, (text, label, when) in enumerate(news())]
    with pytest.raises(DataContractError) as stop:
        validated(tmp_path, rows, max_missing_dates=0.05)
    assert "articles without a date: 10.00% (12 of 120 articles), expected at most 5.00%" in str(stop.value)
    assert "news.csv, line 2, 12" in str(stop.value)
    validated(tmp_path, rows, max_missing_dates=0.2)


def test_dates_that_are_none_or_in_the_future_are_in_quarantine(tmp_path: Path) -> None:
    bad = [("one more", "sport", "2020-02-30"), ("and another", "trade", "2021-01-01")]
    validated(tmp_path, [*news(), *bad])
    rejects = pl.read_parquet(tmp_path / "quarantine")
    assert rejects["line"].to_list() == [122, 123]
    assert [reason.split(":")[0] for reason in rejects["reason"]] == ["unreadable date", "date in the future"]


def test_an_article_that_volunteers_add_or_correct_is_never_a_test_row(tmp_path: Path) -> None:
    rows = news()
    lines = [
        {"text": rows[-1][0], "label": "sport", "source": "volunteered", "kind": "label"},
        {"text": rows[0][0], "label": "trade", "source": "volunteered", "kind": "label"},
        {"text": "an article that is new", "label": "trade", "source": "volunteered", "kind": "article"},
    ]
    (tmp_path / "raw").mkdir()
    written = [json.dumps(line | {"when": "2020-03-01T00:00:00+00:00", "who": "anna"}) for line in lines]
    (tmp_path / "raw" / OVERLAY).write_text("\n".join(written))
    validated(tmp_path, rows)
    report, tables = preprocessed(tmp_path)
    assert report["corrections"] == {"corrected": 1, "withheld": 1, "added": 1}
    assert "an article that is new" in tables["train"]["text"]
    assert tables["test"].filter(text=rows[-1][0])["label"].to_list() == ["trade"]


def test_a_class_that_has_ended_is_named_and_does_not_stop_the_run(tmp_path: Path) -> None:
    rows = [row for row in news() if row[1] == "sport" or row[2] < "2020-01-15"]
    validated(tmp_path, rows)
    report, tables = preprocessed(tmp_path)
    assert "trade" in tables["train"]["label"] and "trade" not in tables["test"]["label"]
    assert report["time"]["classes_without_valid"] == report["time"]["classes_without_test"] == ["trade"]


def test_a_class_that_is_new_stops_the_run(tmp_path: Path) -> None:
    validated(tmp_path, [row for row in news() if row[1] == "sport" or row[2] > "2020-02-22"])
    with pytest.raises(DataContractError, match=r"class 'trade' in train: 0 of its \d+ articles"):
        preprocessed(tmp_path)


def test_splitting_a_corpus_without_dates_in_time_says_what_is_missing(tmp_path: Path) -> None:
    validated(tmp_path, news())
    table = articles.read_articles(tmp_path / "validated").drop("date")
    articles.write_articles(tmp_path / "validated", table)
    with pytest.raises(ConfigError, match="split: time needs dates"):
        preprocessed(tmp_path)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"valid_from": "2020-02-01"}, "go together"),
        ({"valid_from": "2020-02-01", "test_from": "2020-02-01"}, "is not before"),
        ({"valid_from": "2020-02-30", "test_from": "2020-03-01"}, "day is out of range"),
    ],
)
def test_boundaries_are_both_named_and_in_order(params: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        preprocess.Params(valid_share=0.1, test_share=0.1, **params)
