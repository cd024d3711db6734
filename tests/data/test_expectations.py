"""The corpus contract: each expectation, broken once, is found under its severity."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

from gazette.data.validation import checkpoint
from gazette.data.validation.bounds import Bounds
from gazette.data.validation.checks import CORPUS as CHECKS

BOUNDS = Bounds(
    min_rows=10,
    min_rows_per_class=2,
    max_class_share=0.8,
    max_duplicates=0.1,
    max_conflicts=0.1,
    max_overlap=0.1,
    max_other_language=0.1,
    max_corrupted=0.1,
    max_class_distance=0.1,
    max_length_distance=0.1,
    max_vocabulary_distance=0.1,
    max_missing_dates=0.1,
    min_median_characters=5,
    max_median_characters=100,
)
SHARES = [column for column in CHECKS if column not in ("rows", "characters_50", "missing_dates")]
CORPUS = {"rows": 10, "quarantined": 0.0, **dict.fromkeys(SHARES, 0.0)} | {
    f"characters_{q}": 50 for q in ("05", "50", "95")
}
CLASSES = {"split": ["train", "train"], "label": ["a", "b"], "rows": [8, 2], "share": [0.8, 0.2]}
READ = pl.DataFrame({"label": ["a", "b"]})
DRIFT = {"split": ["test"], "classes": [0.1], "lengths": [0.1], "vocabulary": [0.1]}


def judge(
    docs: Path,
    corpus: dict[str, Any] | None = None,
    classes: dict[str, Any] | None = None,
    read: tuple[str, ...] = ("a", "b"),
    drift: dict[str, Any] | None = None,
) -> list[dict[str, Any]]:
    tables = CORPUS | (corpus or {}), CLASSES | (classes or {}), {"label": read}, DRIFT | (drift or {})
    return checkpoint.run_checkpoint(*map(pl.DataFrame, tables), BOUNDS, ["a", "b"], docs)


def breaches(findings: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [
        (finding["table"], finding["expects"].split()[0], finding["severity"])
        for finding in findings
        if not finding["success"]
    ]


def test_a_corpus_on_its_bounds_keeps_the_contract_and_gets_its_documents(tmp_path: Path) -> None:
    findings = judge(tmp_path / "docs")
    assert len(findings) == 33
    assert breaches(findings) == []
    assert (tmp_path / "docs/index.html").exists()
    assert len(list((tmp_path / "docs/validations").rglob("*.html"))) == 4


def test_documents_go_to_a_folder_with_a_dollar_in_its_name(tmp_path: Path) -> None:
    judge(tmp_path / "a$b")
    assert (tmp_path / "a$b/index.html").exists()


def test_every_figure_past_its_bound_is_found_with_its_severity(tmp_path: Path) -> None:
    findings = breaches(judge(tmp_path, dict.fromkeys(SHARES, 0.11) | {"rows": 9, "characters_50": 4}))
    critical = sorted(column for _, column, severity in findings if severity == "critical")
    warned = sorted(column for _, column, severity in findings if severity == "warning")
    overlaps = [f"exact_overlap_{pair}" for pair in ("train_test", "train_valid", "valid_test")]
    assert critical == sorted(["exact_conflicts", "exact_duplicates_train", *overlaps, "rows"])
    assert warned == sorted([*(column for column in SHARES if column != "exact_duplicates_train"), "characters_50"])


def test_missing_dates_are_checked_if_the_corpus_has_dates(tmp_path: Path) -> None:
    assert len(judge(tmp_path / "none", {"missing_dates": 0.1})) == 34
    assert breaches(judge(tmp_path / "many", {"missing_dates": 0.11})) == [("corpus", "missing_dates", "critical")]


def test_conflicts_and_overlap_within_their_bound_are_a_warning(tmp_path: Path) -> None:
    findings = breaches(judge(tmp_path, dict.fromkeys(SHARES, 0.01) | {"characters_50": 101}))
    assert sorted(column for _, column, severity in findings if severity == "warning") == [
        "characters_50",
        "exact_conflicts",
        "exact_duplicates_test",
        "exact_duplicates_valid",
        "exact_overlap_train_test",
        "exact_overlap_train_valid",
        "exact_overlap_valid_test",
        "giveaways",
        "personal_data",
    ]
    assert [column for _, column, severity in findings if severity == "critical"] == []


@pytest.mark.parametrize("column", ["rows", "exact_duplicates_train"])
def test_one_figure_past_its_bound_is_the_only_breach(tmp_path: Path, column: str) -> None:
    change = {"rows": 9} if column == "rows" else {column: 0.11}
    assert breaches(judge(tmp_path, change)) == [("corpus", column, "critical")]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"rows": [9, 1]}, ("classes", "rows", "critical")),
        ({"share": [0.81, 0.19]}, ("classes", "share", "warning")),
    ],
    ids=str,
)
def test_a_class_past_its_bound_is_found(
    tmp_path: Path, change: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    assert breaches(judge(tmp_path, classes=change)) == [expected]


@pytest.mark.parametrize("distance", ["classes", "lengths", "vocabulary"])
def test_a_published_split_too_far_from_train_is_a_warning(tmp_path: Path, distance: str) -> None:
    assert breaches(judge(tmp_path, drift={distance: [0.11]})) == [("drift", distance, "warning")]


def test_without_a_published_split_nothing_is_expected_of_it(tmp_path: Path) -> None:
    tables = map(pl.DataFrame, (CORPUS, CLASSES))
    findings = checkpoint.run_checkpoint(*tables, READ, pl.DataFrame(DRIFT).clear(), BOUNDS, ["a", "b"], tmp_path)
    assert "drift" not in {finding["table"] for finding in findings}


def test_a_finding_says_what_is_expected_observed_and_meant(tmp_path: Path) -> None:
    finding = next(finding for finding in judge(tmp_path, {"rows": 9}) if not finding["success"])
    assert finding["expects"] == "rows minimum value must be greater than or equal to 10."
    assert finding["observed"] == "9"
    assert "Too few articles" in finding["meaning"]


def test_an_unknown_class_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    finding = next(f for f in judge(tmp_path, read=("a", "b", "c")) if not f["success"])
    assert (finding["table"], finding["severity"]) == ("labels", "warning")
    assert '"c"' in finding["observed"]
    (page,) = tmp_path.glob("validations/labels/**/*.html")
    assert "33.33% of 3 total rows" in page.read_text(encoding="utf-8")
    assert not [record for record in caplog.records if record.levelname == "ERROR"], "Data Docs are written whole"


def test_the_same_profile_gives_the_same_findings(tmp_path: Path) -> None:
    assert judge(tmp_path / "one", {"rows": 9}) == judge(tmp_path / "two", {"rows": 9})


@pytest.mark.parametrize("column", ["exact_conflicts", "characters_50"])
def test_a_column_that_is_not_there_is_no_pass(tmp_path: Path, column: str) -> None:
    corpus = pl.DataFrame(CORPUS).drop(column)
    with pytest.raises(RuntimeError, match=f"{column}.*could not be evaluated"):
        checkpoint.run_checkpoint(
            corpus, pl.DataFrame(CLASSES), READ, pl.DataFrame(DRIFT), BOUNDS, ["a", "b"], tmp_path
        )


@pytest.mark.parametrize("empty", ["corpus", "classes"])
def test_an_empty_profile_is_no_pass(tmp_path: Path, empty: str) -> None:
    tables = {
        "corpus": pl.DataFrame(CORPUS),
        "classes": pl.DataFrame(CLASSES),
        "labels": READ,
        "drift": pl.DataFrame(DRIFT),
    }
    tables[empty] = tables[empty].clear()
    try:
        findings = checkpoint.run_checkpoint(*tables.values(), BOUNDS, ["a", "b"], tmp_path)
    except RuntimeError:
        return
    assert (empty, "rows", "critical") in breaches(findings)


def test_a_misspelt_bound_is_refused_by_name() -> None:
    with pytest.raises(ValidationError, match="max_forein"):
        Bounds(**BOUNDS.model_dump(), max_forein=0.1)
