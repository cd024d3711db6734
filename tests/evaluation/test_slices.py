"""Accuracy on kinds of articles."""

import polars as pl
import pytest

from gazette.evaluation.slices import by_slice


def judged(texts: list[str], right: list[bool], files: list[str] | None = None) -> pl.DataFrame:
    predicted = ["a" if hit else "b" for hit in right]
    return pl.DataFrame({"text": texts, "label": "a", "predicted": predicted, "file": files or ["f"] * len(texts)})


def slices(table: pl.DataFrame, kind: str, language: str = "en", least: int = 1) -> dict[str, tuple[int, float]]:
    found = by_slice(table, language, least).filter(slice=kind)
    return {value: (rows, accuracy) for value, rows, accuracy in found.drop("slice").iter_rows()}


def test_a_class_has_its_rows_and_its_accuracy() -> None:
    table = judged(["x"] * 4, [True, True, False, True]).with_columns(label=pl.Series(["a", "a", "a", "c"]))
    assert slices(table, "class") == {"a": (3, pytest.approx(2 / 3)), "c": (1, 0)}


def test_length_is_in_thirds() -> None:
    table = judged(["x" * length for length in range(1, 11)], [True] * 4 + [False] * 6)
    assert slices(table, "length") == {"short": (4, 1), "medium": (3, 0), "long": (3, 0)}


def test_digits_of_any_script_are_digits() -> None:
    assert slices(judged(["in 2005", "٣", "none"], [True, False, True]), "digits") == {"some": (2, 0.5), "none": (1, 1)}


@pytest.mark.parametrize(("language", "home"), [("en", (2, 1)), ("zh", (2, 0.5))])
def test_home_is_where_half_of_the_letters_are_of_the_language(language: str, home: tuple[int, float]) -> None:
    table = judged(["word", "五五", "ab五五"], [True, False, True])
    assert slices(table, "script", language)["home"] == home


def test_files_are_slices_unless_there_is_one_for_each_article() -> None:
    few, many = [f"{n % 2}" for n in range(30)], [f"{n}" for n in range(30)]
    assert slices(judged(["x"] * 30, [True] * 30, few), "file") == {"0": (15, 1), "1": (15, 1)}
    assert slices(judged(["x"] * 30, [True] * 30, many), "file") == {}


def test_small_slices_are_left_out() -> None:
    table = judged(["1", "1", "x"], [True] * 3)
    assert slices(table, "digits", least=2) == {"some": (2, 1)}


def test_slices_are_sorted_whatever_the_order_of_rows() -> None:
    table = judged([f"{'x' * n} {n % 3}" for n in range(30)], [n % 2 == 0 for n in range(30)])
    found = by_slice(table, "en", 1)
    assert found.equals(by_slice(table.reverse(), "en", 1))
    assert found.select("slice", "value").rows() == sorted(found.select("slice", "value").rows())
