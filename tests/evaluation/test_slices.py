"""Accuracy on kinds of articles."""

from statistics import NormalDist

import polars as pl
import pytest

from gazette.evaluation.report.rows import add_intervals
from gazette.evaluation.slices import slice_accuracy


def judged(texts: list[str], right: list[bool], files: list[str] | None = None) -> pl.DataFrame:
    predicted = ["a" if hit else "b" for hit in right]
    return pl.DataFrame({"text": texts, "label": "a", "predicted": predicted, "file": files or ["f"] * len(texts)})


def slices(table: pl.DataFrame, kind: str, language: str = "en", least: int = 1) -> dict[str, tuple[int, float]]:
    rows = slice_accuracy(table, language, least).filter(slice=kind)
    return {value: (count, accuracy) for value, count, accuracy in rows.drop("slice").iter_rows()}


def test_a_class_has_its_rows_and_its_accuracy() -> None:
    table = judged(["x"] * 4, [True, True, False, True]).with_columns(label=pl.Series(["a", "a", "a", "c"]))
    assert slices(table, "class") == {"a": (3, pytest.approx(2 / 3)), "c": (1, 0)}


def test_length_is_in_thirds() -> None:
    table = judged(["x" * length for length in range(1, 11)], [True] * 4 + [False] * 3 + [True] * 3)
    assert slices(table, "length") == {"short": (4, 1), "medium": (3, 0), "long": (3, 1)}


def test_digits_of_any_script_are_digits() -> None:
    assert slices(judged(["in 2005", "٣", "none"], [True, False, True]), "digits") == {"some": (2, 0.5), "none": (1, 1)}


@pytest.mark.parametrize(("language", "home"), [("en", (2, 1)), ("zh", (2, 0.5))])
def test_home_is_where_half_of_the_letters_are_of_the_language(language: str, home: tuple[int, float]) -> None:
    table = judged(["word", "五五", "ab五五"], [True, False, True])
    assert slices(table, "script", language)["home"] == home


def test_foreign_is_where_less_than_half_of_the_letters_are_of_the_language() -> None:
    assert slices(judged(["abc五五五五", "2005"], [False, True]), "script") == {"foreign": (1, 0), "home": (1, 1)}


def test_files_are_slices_unless_there_is_one_for_each_article() -> None:
    few, many = [f"{n % 2}" for n in range(30)], [f"{n}" for n in range(30)]
    assert slices(judged(["x"] * 30, [True] * 30, few), "file") == {"0": (15, 1), "1": (15, 1)}
    assert slices(judged(["x"] * 30, [True] * 30, many), "file") == {}


def test_a_kind_has_at_most_twenty_slices() -> None:
    for files in (20, 21):
        table = judged(["x"] * 42, [True] * 42, [f"{n % files}" for n in range(42)])
        assert len(slices(table, "file")) == (files if files == 20 else 0)


def test_small_slices_are_left_out() -> None:
    table = judged(["1", "1", "x"], [True] * 3)
    assert slices(table, "digits", least=2) == {"some": (2, 1)}


def test_slices_are_sorted_whatever_the_order_of_rows() -> None:
    table = judged([f"{'x' * n} {n % 3}" for n in range(30)], [n % 2 == 0 for n in range(30)])
    result = slice_accuracy(table, "en", 1)
    assert result.equals(slice_accuracy(table.reverse(), "en", 1))
    assert result.columns == ["slice", "value", "rows", "accuracy"]
    assert result.select("slice", "value").rows() == sorted(result.select("slice", "value").rows())


@pytest.mark.parametrize(("share", "rows"), [(0.0, 3), (1.0, 7), (0.9, 10), (0.491172, 4701)])
def test_the_interval_of_a_slice_is_wilsons(share: float, rows: int) -> None:
    (row,) = add_intervals([{"slice": "class", "value": "a", "accuracy": share, "rows": rows}], 0.95)
    z2 = NormalDist().inv_cdf(0.975) ** 2
    center = (share + z2 / (2 * rows)) / (1 + z2 / rows)
    half = (z2 * (share * (1 - share) / rows + z2 / (4 * rows**2))) ** 0.5 / (1 + z2 / rows)
    assert (row["low"], row["high"]) == pytest.approx((max(center - half, 0), min(center + half, 1)), abs=1e-12)
