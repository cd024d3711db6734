"""The journal: what several writers append, of whom any may be killed, is read again as it was."""

import resource
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from predictions import HOUR, ids, make_record
from prefect_dvc.core.errors import DataContractError

from gazette.core.bundle import Bundle
from gazette.serving.answers import Answers, answer
from gazette.serving.journal import layout, read, records, write
from gazette.serving.journal.records import Prediction


def test_answers_become_records_with_rounded_probabilities() -> None:
    answers = Answers(np.array([[0.12345, 0.87655]], np.float32), np.array([7]), np.array([1 / 7]))
    options = {"hour": HOUR, "digest": "d.dir", "milliseconds": 2.0, "source": "score"}
    (record,) = records.make(answers, ["sport", "trade"], ["a#0"], ["und-Latn"], **options)  # type: ignore[arg-type]
    assert record == Prediction(HOUR, "d.dir", "a#0", "trade", [0.123, 0.877], 7, 0.143, "und-Latn", 2.0, "score")


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    write.append(tmp_path, [make_record(0)])
    (row,) = read.scan(tmp_path).collect().rows(named=True)
    assert row.pop("hour") == datetime(2026, 11, 28, 14, tzinfo=UTC)
    assert row.pop("unknown") == pytest.approx(0.333)
    assert row == {
        "digest": "d.dir", "id": "request#0", "label": "sport", "probabilities": [0.75, 0.25], "tokens": 3,
        "language": "", "milliseconds": 1.5, "source": "serve",
    }  # fmt: skip


def test_hours_come_in_order_and_a_span_excludes_its_end(tmp_path: Path) -> None:
    hours = ["2026-11-28T15", "2026-11-27T23", "2026-11-28T02"]
    write.append(tmp_path, [make_record(number, hour) for number, hour in enumerate(hours)])
    assert ids(tmp_path) == ["request#1", "request#2", "request#0"]
    span = datetime(2026, 11, 28, 2, tzinfo=UTC), datetime(2026, 11, 28, 15, tzinfo=UTC)
    assert ids(tmp_path, *span) == ["request#2"]
    assert ids(tmp_path, since=datetime(2027, 1, 1, tzinfo=UTC)) == []
    assert read.scan(tmp_path / "none").collect().schema == read.SCHEMA


def test_a_torn_line_costs_no_other(tmp_path: Path) -> None:
    write.append(tmp_path, [make_record(0)])
    path = layout.open_path(tmp_path, HOUR)
    with path.open("ab") as file:
        file.write(b'{"hour": "2026-11-2')
    assert ids(tmp_path) == ["request#0"]
    write.append(tmp_path, [make_record(1)])
    assert ids(tmp_path) == ["request#0", "request#1"] and b"11-2{" not in path.read_bytes()


def test_lines_that_are_no_records_are_left_out(tmp_path: Path) -> None:
    write.append(tmp_path, [make_record(0)])
    with layout.open_path(tmp_path, HOUR).open("ab") as file:
        file.write(b'\0\0\0\n{"hour": 5}\n[]\n')
    write.append(tmp_path, [make_record(1)])
    assert ids(tmp_path) == ["request#0", "request#1"]


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    write.append(tmp_path, [make_record(0)])
    path = layout.open_path(tmp_path, HOUR)
    before, limits = path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 50, limits[1]))
    try:
        with pytest.raises(OSError, match="the disk is full"):
            write.append(tmp_path, [make_record(1)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before


def test_a_large_file_is_closed_and_the_next_one_comes_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write, "MAX_BYTES", 300)
    for number in range(5):
        write.append(tmp_path, [make_record(number)])
    assert len(layout.list_segments(tmp_path)) == 3
    assert ids(tmp_path) == [f"request#{number}" for number in range(5)]


def test_lines_are_read_lazily_and_by_column(tmp_path: Path) -> None:
    write.append(tmp_path, [make_record(number) for number in range(100)])
    rows = read.scan(tmp_path).filter(pl.col("id") > "request#90").select("id", "tokens").head(3)
    assert rows.collect(engine="streaming")["id"].to_list() == ["request#91", "request#92", "request#93"]


def test_lines_longer_than_a_block_are_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "BLOCK", 100)
    write.append(tmp_path, [make_record(number) for number in range(10)])
    assert len(ids(tmp_path)) == 10


def test_a_part_of_a_scoring_that_is_written_twice_counts_once(tmp_path: Path) -> None:
    write.append(tmp_path, [make_record(0)])
    table = read.scan(tmp_path).collect()
    for _ in range(2):
        write.write_table(tmp_path, HOUR, "score-ab12-00000", table)
    assert ids(tmp_path) == ["request#0"] * 2


def test_labels_are_written_once_and_missing_ones_named(tmp_path: Path) -> None:
    write.write_labels(tmp_path, "d.dir", ["sport", "trade"])
    write.write_labels(tmp_path, "d.dir", ["others"])
    assert read.labels(tmp_path, "d.dir") == ["sport", "trade"]
    with pytest.raises(DataContractError, match=r"e\.dir\.json: no such file"):
        read.labels(tmp_path, "e.dir")


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    write.append(tmp_path / "journal", [make_record(0)])
    assert (tmp_path / "journal" / layout.RECORDS).stat().st_mode & 0o077 == 0
    assert layout.open_path(tmp_path / "journal", HOUR).stat().st_mode & 0o077 == 0


def test_an_hour_that_is_none_names_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected one such as"):
        write.append(tmp_path, [make_record(0, "../../x")])


def test_unknown_tokens_are_counted_text_by_text(bundle: Path) -> None:
    answers = answer(Bundle(bundle), ["goal of a bank", "", "goal"])
    assert answers.tokens.tolist() == [4, 0, 1] and answers.unknown.tolist() == [0.5, 0, 0]
    assert [part.tokens.tolist() for part in answers.split([1, 2])] == [[4], [0, 1]]
