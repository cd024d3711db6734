"""What the gate makes of a bundle's probabilities on the test rows; the bundles are tables of words."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from gates import RULES
from prefect_dvc.core.errors import ConfigError

from gazette.evaluation.gate import judge


class Table:
    """A bundle whose probabilities are those of the first word that it knows, even ones without any."""

    language = "en"

    def __init__(self, labels: str, **words: Sequence[float]) -> None:
        self.labels = labels.split()
        self.words = words

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        even = [1 / len(self.labels)] * len(self.labels)
        rows = [next((row for word, row in self.words.items() if word in text.split()), even) for text in texts]
        return np.array(rows, np.float32)


GOOD = Table("sport trade", goal=(0.9, 0.1), bank=(0.2, 0.8))
ROWS = pl.DataFrame(
    {
        "text": [f"{'goal' if n % 2 else 'bank'} number {n}" for n in range(60)],
        "label": ["sport" if n % 2 else "trade" for n in range(60)],
        "file": [f"{n // 30}.csv" for n in range(60)],
        "line": range(60),
    }
)


def alone(bundle: Any, rows: pl.DataFrame, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    findings, figures = judge._judge_alone(bundle, folder, rows, "tiny", RULES)
    return {finding.rule: finding for finding in findings}, figures


def test_the_floors_are_those_of_all_rows_and_the_size_of_all_files(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "model").write_bytes(b"x" * 1_500_000)
    (tmp_path / "inner/more").write_bytes(b"x" * 250_000)
    findings, figures = alone(GOOD, ROWS, tmp_path)
    assert figures == {
        "rows": 60,
        "ours": {"accuracy": 1.0, "macro_f1": 1.0, "ece": pytest.approx(0.15)},  # a tenth unsure, and a fifth
        "recalls": {"sport": 1.0, "trade": 1.0},
    }
    assert findings["megabytes"].observed == 1.75 and findings["megabytes"].outcome == "fail"
    assert findings["worst_recall"].observed == findings["accuracy"].observed == 1.0


def test_a_label_that_a_bundle_does_not_know_has_a_recall_of_0_and_none_of_its_probability(tmp_path: Path) -> None:
    rows = ROWS.with_columns(label=pl.when(pl.int_range(60) < 6).then(pl.lit("art")).otherwise("label"))
    findings, figures = alone(GOOD, rows, tmp_path)
    assert figures["recalls"] == {"sport": 1.0, "trade": 1.0, "art": 0.0}
    assert figures["ours"]["accuracy"] == 0.9 and findings["worst_recall"].observed == 0
    assert figures["ours"]["macro_f1"] == pytest.approx((2 * 54 / 57 + 0) / 3)  # 27 of 27 found, among 30
    assert figures["ours"]["ece"] == pytest.approx((30 * (27 / 30 - 0.9) + 30 * (27 / 30 - 0.8)) / 60, abs=1e-6)


def test_texts_for_perturbations_are_taken_from_the_first_row_to_the_last(tmp_path: Path) -> None:
    queries: list[str] = []

    class Recording(Table):
        def probabilities(self, texts: Sequence[str]) -> np.ndarray:
            queries.extend(text for text in texts if text.isupper())
            return super().probabilities(texts)

    alone(Recording("sport trade", goal=(0.9, 0.1), bank=(0.2, 0.8)), ROWS, tmp_path)
    numbers = [int(text.split()[-1]) for text in queries]
    assert numbers == [0, 6, 13, 19, 26, 32, 39, 45, 52, 59]  # ten of sixty
    queries.clear()
    alone(Recording("sport trade", goal=(0.9, 0.1), bank=(0.2, 0.8)), ROWS.head(4), tmp_path)
    assert [int(text.split()[-1]) for text in queries] == [0, 1, 2, 3]


def test_another_bundle_is_compared_row_by_row_and_slice_by_slice() -> None:
    theirs = Table("trade sport", goal=(0.1, 0.9), bank=(0.4, 0.6))  # its labels in another order; all for sport
    (overall, slices), figures = judge._judge_against(GOOD, theirs, ROWS, RULES)
    assert (overall.outcome, slices.outcome, figures["compared"]) == ("pass", "pass", "on all labels")
    assert figures["rows"] == 60 and figures["ours"]["accuracy"] == 1.0 and figures["theirs"]["accuracy"] == 0.5
    assert figures["theirs"]["ece"] == pytest.approx((30 * 0.1 + 30 * 0.6) / 60)
    assert (figures["difference"]["lost"], figures["difference"]["won"]) == (0, 30)
    assert [(row["slice"], row["value"], row["rows"], row["theirs"]) for row in figures["slices"]] == [
        ("class", "sport", 30, 1.0), ("class", "trade", 30, 0.0), ("digits", "some", 60, 0.5),
        ("file", "0.csv", 30, 0.5), ("file", "1.csv", 30, 0.5), ("length", "short", 60, 0.5),
        ("script", "home", 60, 0.5),
    ]  # fmt: skip


def test_the_same_bundle_passes_however_few_rows_there_are() -> None:
    (overall, _), figures = judge._judge_against(GOOD, None, ROWS.head(4), RULES)
    assert (overall.outcome, overall.observed) == ("pass", 0.0)
    assert overall.why == "the same bundle: no prediction can differ"
    assert figures["ours"] == figures["theirs"]
    (overall, _), _ = judge._judge_against(GOOD, GOOD, ROWS.head(4), RULES)
    assert overall.outcome == "unknown"


def test_only_rows_of_shared_labels_are_compared_and_no_other_label_is_predicted() -> None:
    ours = Table("sport art trade", goal=(0.3, 0.6, 0.1), bank=(0.0, 0.6, 0.4))
    rows = ROWS.with_columns(label=pl.when(pl.int_range(60) < 10).then(pl.lit("music")).otherwise("label"))
    theirs = Table("trade sport music", goal=(0.1, 0.3, 0.6), bank=(0.3, 0.1, 0.6))
    _, figures = judge._judge_against(ours, theirs, rows, RULES)
    assert figures["compared"] == "on shared labels only; not shared: art, music, 10 rows left out"
    assert figures["rows"] == 50 and figures["ours"]["accuracy"] == figures["theirs"]["accuracy"] == 1.0
    assert figures["ours"]["ece"] == pytest.approx((25 * 0.25 + 25 * 0) / 50, abs=1e-6)  # 0.3 of 0.4, and 0.4 of 0.4
    assert figures["theirs"]["ece"] == pytest.approx(0.25, abs=1e-6)


@pytest.mark.parametrize(
    ("labels", "rows", "shared"),
    [
        ("sport art", ROWS, r"\['sport'\]"),
        ("art music", ROWS, "no"),
        ("sport trade", ROWS.head(0), r"\['sport', 'trade'\]"),
    ],
)
def test_bundles_with_too_little_in_common_cannot_be_compared(labels: str, rows: pl.DataFrame, shared: str) -> None:
    with pytest.raises(ConfigError, match=rf"the baseline shares {shared} labels with this bundle"):
        judge._judge_against(GOOD, Table(labels), rows, RULES)


def test_the_latency_is_the_median_of_fifty_single_articles_after_one_that_does_not_count() -> None:
    calls: list[list[str]] = []

    class Slow:
        def probabilities(self, texts: list[str]) -> None:
            calls.append(texts)
            time.sleep(0.2 if len(calls) == 1 else 0.002)

    texts = [f"text {number}" for number in range(60)]
    assert 2 <= judge._median_latency(Slow(), texts) < 100  # type: ignore[arg-type]
    assert calls == [["text 0"], *([text] for text in texts[:50])]


def test_rows_that_only_theirs_classifies_right_are_lost() -> None:
    ours = Table("trade sport", goal=(0.1, 0.9), bank=(0.4, 0.6))
    (overall, *_), figures = judge._judge_against(ours, GOOD, ROWS, RULES)
    assert (figures["difference"]["lost"], figures["difference"]["won"]) == (30, 0) and overall.outcome == "fail"


def test_a_row_that_is_surely_of_a_label_that_is_not_shared_is_no_number_of_nothing() -> None:
    ours = Table("sport art trade", goal=(0.0, 1.0, 0.0), bank=(0.1, 0.5, 0.4))
    _, figures = judge._judge_against(ours, GOOD, ROWS, RULES)
    assert figures["ours"]["ece"] == pytest.approx((30 * 1 + 30 * 0.2) / 60, abs=1e-6)


def test_each_row_is_in_a_slice_of_each_kind() -> None:
    table = judge._slice_rows(ROWS, "en")
    assert table.columns == ["slice", "value", "row"]
    assert table.group_by("slice").len().sort("slice").rows() == [
        (kind, 60) for kind in ("class", "digits", "file", "length", "script")
    ]
    assert table.filter(value="1.csv")["row"].to_list() == list(range(30, 60))
    assert table.equals(table.sort("slice", "value", "row"))
