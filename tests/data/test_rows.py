"""Rows of a raw file as they are collected: articles, rejects, what is counted, and when there are too many."""

import polars as pl
import pytest
from prefect_dvc.core.errors import DataContractError

from gazette.data.readers import rows
from gazette.data.readers.rows import RowCollector, strip_labels


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_batches_change_nothing(monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    monkeypatch.setattr(rows, "BATCH_ROWS", batch)
    collector = RowCollector("all.csv")
    for number in range(1, 9):
        if number % 4:
            collector.accept(f"text {number}", "a", number)
        else:
            collector.reject(number, "no", f"seen {number}", "other.csv")
    result = collector.result()
    assert result.articles.rows() == [(f"text {n}", "a", "all.csv", n) for n in (1, 2, 3, 5, 6, 7)]
    assert result.rejects.rows() == [("other.csv", n, "no", f"seen {n}") for n in (4, 8)]
    assert (collector.rows, collector.rejected, collector.skipped) == (8, 2, 0)
    assert {name: result.account[name] for name in ("rows", "articles", "rejected")} == {
        "rows": 8, "articles": 6, "rejected": 2
    }  # fmt: skip


def test_rows_are_python_objects_for_a_batch_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "BATCH_ROWS", 4)
    collector, pending = RowCollector("all.csv"), []
    for number in range(1, 10):
        collector.accept("x", "a", number)
        pending.append(len(collector._articles))
    assert pending == [1, 2, 3, 0, 1, 2, 3, 0, 1]


def test_rows_are_passed_on_while_a_file_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "BATCH_ROWS", 4)
    parts: list[rows.ReadResult] = []
    collector, taken = RowCollector("all.csv", take=parts.append), []
    for number in range(1, 10):
        collector.accept("x\a" if number in (2, 9) else "x", "a", number)
        taken.append(sum(part.articles.height for part in parts))
    result = collector.result()
    assert taken == [0, 0, 0, 4, 4, 4, 4, 8, 8]
    assert pl.concat(part.articles for part in parts)["line"].to_list() == [*range(1, 10)]
    assert result.articles.is_empty() and result.articles.columns == parts[0].articles.columns
    assert result.notes == {rows.CONTROLS: 2}


def test_tables_and_single_rows_come_in_order_and_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "BATCH_ROWS", 4)
    parts: list[rows.ReadResult] = []
    collector = RowCollector("all.csv", take=parts.append)
    collector.accept("x", "a", 1)
    collector.reject(2, "no", "x")
    for first, size in ((3, 3), (6, 1), (7, 9)):
        table = pl.DataFrame({"text": ["x"] * size, "label": "a", "line": range(first, first + size), "date": None})
        collector.accept_table(table)
    collector.accept("x", "a", 16)
    collector.result()
    assert [part.articles["line"].to_list() for part in parts] == [[1, 3, 4, 5], [*range(6, 16)], [16], []]
    assert (collector.rows, collector.rejected) == (16, 1)


def test_a_file_with_too_many_rejects_is_broken_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    assert rows.MAX_REJECTS == 200_000
    monkeypatch.setattr(rows, "MAX_REJECTS", 2)
    collector = RowCollector("all.csv")
    collector.reject(1, "no", "x")
    collector.reject(2, "no", "x")
    with pytest.raises(
        DataContractError, match=r"more than 2 rows cannot be read; .* The last, line 7: bad; seen: \\x1b"
    ):
        collector.reject(7, "bad", "\x1b")


def test_a_file_has_a_most_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MAX_ROWS", 3)
    collector = RowCollector("all.csv")
    for number in (1, 2, 3):
        collector.accept("x", "a", number)
    with pytest.raises(DataContractError, match="has more than 3 rows; split it into several files"):
        collector.reject(4, "no", "x")


def test_oddities_and_skipped_rows_are_counted_and_come_in_order() -> None:
    collector = RowCollector("all.csv")
    collector.skip("z skipped")
    collector.skip("z skipped")
    collector.note("odd")
    collector.accept("a\x07b\x1b", "a", 3)
    collector.accept("a\nb\tc", "a", 4)
    collector.accept("\x00", "a", 5)
    collector.unused = ["n" * 70, "\u202e"]
    account = collector.result().account
    assert (collector.skipped, collector.rows) == (2, 3)
    assert account["notes"] == {"odd": 1, "texts with control characters, kept as they are": 2, "z skipped": 2}
    assert list(account["notes"]) == sorted(account["notes"])
    assert [len(name) for name in account["unused"]] == [60, 6]


def test_labels_lose_the_white_space_around_them_unless_they_are_known_with_it() -> None:
    collector = RowCollector("all.csv")
    for number, label in enumerate([" a", "b\u3000", "c", " d ", None, "e f"], 1):
        collector.accept("x", label, number)
    result = strip_labels(collector.result(), [" d "])
    assert result.articles["label"].to_list() == ["a", "b", "c", " d ", None, "e f"]
    assert result.notes == {rows.PADDED: 2}
    clean = collector.result().articles.filter(pl.col("line") == 3)
    untouched = rows.ReadResult(clean, collector.result().rejects)
    assert strip_labels(untouched) is untouched
