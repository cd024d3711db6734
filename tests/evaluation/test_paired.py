"""Two classifiers on the articles that both predicted, worked by hand."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from gazette.evaluation.diff import paired
from gazette.evaluation.gate import paired_tests

SETTINGS = {"resamples": 400, "seed": 7, "confidence": 0.9}
COLUMNS = ["key", "label", "predicted", "probability", "split", "file", "line"]


def predictions(*rows: tuple[str, str, str, float]) -> pl.DataFrame:
    """Rows of (key, label, predicted, probability), one below the other in a file."""
    placed = [(*row, "test", "all.csv", number) for number, row in enumerate(rows, 1)]
    schema = {name: pl.Float64 if name == "probability" else pl.String for name in COLUMNS} | {"line": pl.Int64}
    return pl.DataFrame(placed, schema=schema, orient="row")


def test_articles_are_counted_by_where_they_are_and_whether_their_label_is_the_same() -> None:
    before = predictions(("a", "x", "x", 0.9), ("b", "x", "x", 0.9), ("gone", "x", "x", 0.9), ("b", "x", "y", 0.9))
    after = predictions(("a", "y", "x", 0.9), ("new", "x", "x", 0.9), ("newer", "x", "x", 0.9), ("b", "x", "x", 0.9))
    statistics, flipped = paired.compare_predictions(before, after, SETTINGS)
    counts = {"articles": 1, "labels differ": 1, "only before": 1, "only after": 2}
    assert {name: statistics[name] for name in counts} == counts
    assert statistics["before"] == statistics["after"] == {"accuracy": 1, "macro_f1": 1}
    assert flipped.is_empty()


def test_without_a_shared_article_there_is_nothing_but_the_counts() -> None:
    statistics, flipped = paired.compare_predictions(
        predictions(("a", "x", "x", 0.9)), predictions(("b", "x", "x", 0.9)), SETTINGS
    )
    assert statistics == {"articles": 0, "labels differ": 0, "only before": 1, "only after": 1}
    assert flipped.is_empty() and "change" in flipped.columns


def test_the_difference_is_after_minus_before_with_the_interval_of_the_confidence() -> None:
    lost, won = 9, 4
    keys = [f"{number:02}" for number in range(60)]
    labels = ["x" if number % 2 else "y" for number in range(60)]
    swap = {"x": "y", "y": "x"}
    old = [swap[label] if number >= 60 - won else label for number, label in enumerate(labels)]
    new = [swap[label] if number < lost else label for number, label in enumerate(labels)]
    tables = [predictions(*((*row, 0.9) for row in zip(keys, labels, column, strict=True))) for column in (old, new)]
    statistics, flipped = paired.compare_predictions(*tables, SETTINGS)
    assert (statistics["right before alone"], statistics["right after alone"]) == (lost, won)
    assert statistics["mcnemar_p"] == pytest.approx(2 * (1 + 13 + 78 + 286 + 715) / 2**13)
    assert statistics["before"]["accuracy"] == 56 / 60 and statistics["after"]["accuracy"] == 51 / 60
    assert statistics["confidence"] == 0.9
    numbers = [np.array([label == "y" for label in column]).astype(int) for column in (labels, new, old)]
    expected = paired_tests.bootstrap_differences(paired_tests.Pair(*numbers, 2), 400, 7)
    for name, difference in statistics["difference"].items():
        assert difference["observed"] == pytest.approx(statistics["after"][name] - statistics["before"][name])
        bounds = np.quantile(expected[name].samples, [0.05, 0.95])
        assert (difference["low"], difference["high"]) == pytest.approx(tuple(bounds))
    assert flipped["change"].to_list() == ["now wrong"] * lost + ["now right"] * won


def test_flipped_articles_come_with_the_worst_and_surest_first_then_by_place() -> None:
    rows: list[tuple[str, str, str, str, float]] = [  # key, label, before, after, probability
        ("a", "x", "y", "z", 0.9),
        ("b", "x", "y", "x", 0.8),
        ("c", "x", "x", "y", 0.5),
        ("d", "x", "x", "z", 0.71236),
        ("e", "x", "x", "y", 0.5),
        ("f", "x", "y", "y", 0.9),
        ("g", "x", "x", "x", 0.9),
    ]
    before = predictions(*((key, label, old, 0.66666) for key, label, old, *_ in rows))
    after = predictions(*((key, label, new, chance) for key, label, _, new, chance in rows))
    flipped: list[dict[str, Any]] = paired.compare_predictions(before.reverse(), after.reverse(), SETTINGS)[
        1
    ].to_dicts()
    assert [(row["change"], row["line"]) for row in flipped] == [
        ("now wrong", 4), ("now wrong", 3), ("now wrong", 5), ("now right", 2), ("otherwise wrong", 1),
    ]  # fmt: skip
    assert list(flipped[0])[:4] == ["change", "file", "line", "label"]
    assert flipped[0] == {
        "change": "now wrong", "file": "all.csv", "line": 4, "label": "x", "before": "x", "after": "z",
        "probability_before": 0.6667, "probability": 0.7124,
    }  # fmt: skip


def test_of_an_article_that_stands_twice_the_first_row_counts() -> None:
    after = predictions(("a", "x", "x", 0.9), ("a", "x", "y", 0.9), ("b", "x", "x", 0.9))
    before = predictions(("a", "x", "x", 0.9), ("b", "x", "x", 0.9), ("b", "x", "y", 0.9))
    statistics, flipped = paired.compare_predictions(before, after, SETTINGS)
    assert statistics["articles"] == 2 and flipped.is_empty()
