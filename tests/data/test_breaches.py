"""A breach names class, split, figure, bound, the first rows and what to do, whatever expectation broke."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from prefect_dvc.core.escape import escape
from root import ROOT

from gazette.core import files
from gazette.data.validation import breaches, checkpoint
from gazette.data.validation.bounds import Bounds
from gazette.data.validation.checks import CHECKS, CRITICAL, column_of

BOUNDS: dict[str, Any] = files.read_yaml(ROOT / "params.yaml")["validate"]
LIMITS = Bounds(**{name: BOUNDS[name] for name in Bounds.model_fields})
SUITES = {table: checkpoint.build_expectations(CHECKS[table], LIMITS, ["sport", "weather"]) for table in CHECKS}
EXPECTATIONS = [(table, item) for table, items in SUITES.items() for item in items]
HOSTILE = "<b>|`x` [a](b)\u202e\n" + "字" * 200


def report(labels: tuple[str, ...] = ("sport", "weather"), **more: Any) -> dict[str, Any]:
    """The report of a corpus that breaks everything: its second class has three articles."""
    columns = {getattr(item, "column", "") for table, item in EXPECTATIONS if table == "corpus"}
    classes = [
        {"split": split, "label": label} | ({"rows": 97, "share": 0.97} if not number else {"rows": 3, "share": 0.03})
        for split in ("test", "train")
        for number, label in enumerate(labels)
    ]
    return {
        "corpus": dict.fromkeys(columns, 0.9) | {"rows": 200, "quarantined": 0.0, "giveaways": 2, "characters_50": 3},
        "classes": classes,
        "drift": [{"split": "test", "classes": 0.9, "lengths": 0.9, "vocabulary": 0.9}],
        "personal_data": {"email": 3},
        "files": [{"split": "train", "file": "news.csv", "rows": 100}],
        "quarantine": [],
        "expectations": [],
    } | more


def finding(table: str, expectation: Any) -> dict[str, Any]:
    severity = getattr(expectation.severity, "value", expectation.severity)
    return {"table": table, "expects": f"{expectation.column} …", "severity": severity, "success": False}


def examples(labels: tuple[str, ...] = ("sport", "weather")) -> pl.DataFrame:
    kinds = ["email", "split", "few_articles", "dominant_class", "near_duplicates", "near_overlap"]
    kinds += [getattr(item, "column", "") for table, item in EXPECTATIONS if table == "corpus"]
    rows = [
        {"kind": kind, "split": split, "file": "news.csv", "line": 7, "seen": f"{labels[1]}: a text"}
        for kind in dict.fromkeys(kinds)
        for split in ("train", "valid", "test")
    ]
    return pl.DataFrame(rows)


def rejects(*rows: tuple[str, str, int, str, str]) -> pl.DataFrame:
    schema = {"split": pl.String, "file": pl.String, "line": pl.Int64, "reason": pl.String, "seen": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


UNKNOWN = ("train", "news.csv", 7, "unknown label 'wether': did you mean 'weather'?", "wether: rain")


IDS = [f"{table}-{item.column}-{item.severity}" for table, item in EXPECTATIONS]


@pytest.mark.parametrize(("table", "expectation"), EXPECTATIONS, ids=IDS)
def test_every_expectation_names_what_broke(table: str, expectation: Any) -> None:
    facts = report(expectations=[finding(table, expectation)])
    for row in facts["classes"]:
        row["rows"] += 20 if expectation.column == "share" else 0
    lost = rejects(UNKNOWN) if table == "labels" else rejects()
    unmet = [breach for breach in breaches.explain_breaches(facts, lost, examples(), BOUNDS)
             if breach.check == f"{table}.{expectation.column}"]  # fmt: skip
    line = " ".join(breaches.render_breaches(unmet))
    column = column_of(finding(table, expectation))
    assert unmet and all(breach.cure for breach in unmet)
    assert any(char.isdigit() for char in line)
    assert "expected" in line or table == "labels"
    assert "news.csv" in line
    assert "line 7" in line or column in ("rows", "giveaways")
    assert f" {column} " not in line or "_" not in column
    if table in ("classes", "drift"):
        assert "train" in line or "test" in line
    if column.startswith("exact") and expectation.severity == "warning":
        assert "expected none" in line


def test_a_rare_class_is_named_with_its_split_its_rows_and_the_bound() -> None:
    facts = report(expectations=[finding("classes", SUITES["classes"][0])])
    lines = breaches.render_breaches(breaches.explain_breaches(facts, rejects(), examples(), BOUNDS))
    expected = "has 3 articles, expected at least 10 (validate.min_rows_per_class). The first: news.csv, line 7"
    assert lines[1].startswith(f"class 'weather' in train {expected}")


def test_a_class_that_dominates_for_lack_of_the_others_says_so_and_no_more() -> None:
    facts = report(expectations=[finding("classes", item) for item in SUITES["classes"]])
    lines = breaches.render_breaches(breaches.explain_breaches(facts, rejects(), examples(), BOUNDS))
    assert lines[2].startswith("warning: class 'sport' has 97.0% of the articles in test (97), expected at most 70.0%")
    assert lines[2].endswith("for lack of the others")


def test_a_class_that_is_in_test_only_says_where_its_articles_are() -> None:
    facts = report(expectations=[finding("classes", SUITES["classes"][0])])
    facts["classes"][3]["rows"] = 0
    lines = breaches.render_breaches(breaches.explain_breaches(facts, rejects(), examples().clear(), BOUNDS))
    assert "class 'weather' in train has 0 articles, expected at least 10" in lines[1]
    assert "it has 3 in test" in lines[1]


def test_of_forty_classes_the_rarest_are_named_and_the_rest_counted() -> None:
    labels = tuple(f"class {number}" for number in range(40))
    facts = report(labels, expectations=[finding("classes", SUITES["classes"][0])])
    line = breaches.render_breaches(breaches.explain_breaches(facts, rejects(), examples(labels), BOUNDS))[0]
    assert line.startswith("39 of 40 classes in test have too few articles, expected at least 10")
    assert "and 31 more" in line and len(line) < 500


@pytest.mark.parametrize(
    ("file", "reason", "seen"),
    [
        ("weather/7.txt", "not UTF-8: byte 0xd0", ""),
        ("news.csv", "not UTF-8: byte 0xd0", "weather,\\xd0\\xcf"),
        ("news.jsonl", "not UTF-8: byte 0xd0", '{"text": "\\xd0", "label": "weather"}'),
        ("news.csv", "no word: a text needs", "weather: ?"),
        ("news.csv", "unknown label 'Weather': did you mean 'weather'?", "Weather: rain"),
    ],
)  # fmt: skip
def test_rows_that_cannot_be_used_come_first_if_a_class_lacks_them(file: str, reason: str, seen: str) -> None:
    facts = report(expectations=[finding("classes", SUITES["classes"][0])])
    lost = rejects(*(("train", file, line, reason, seen) for line in range(1, 61)))
    first, *rest = breaches.explain_breaches(facts, lost, examples(), BOUNDS)
    assert first.check == breaches.QUARANTINE and first.severity == CRITICAL
    assert "60 of class 'weather' in train" in first.what and first.rows[0]["file"] == file
    assert "60 more of 'weather' are in quarantine" in rest[1].what
    message = breaches.render_message([first, *rest], lost)
    assert message.index("60 of class 'weather'") < message.index("the corpus breaks its contract:")


def test_rows_in_quarantine_that_explain_nothing_are_not_named_as_the_cause() -> None:
    facts = report(expectations=[finding("corpus", SUITES["corpus"][1])])
    unmet = breaches.explain_breaches(facts, rejects(UNKNOWN), examples(), BOUNDS)
    assert [breach.check for breach in unmet] == ["corpus.exact_duplicates_train"]


def test_one_cause_is_named_once() -> None:
    facts = report(
        expectations=[finding("corpus", item) for item in SUITES["corpus"] if "duplicates_train" in item.column]
    )
    lines = breaches.render_breaches(breaches.explain_breaches(facts, rejects(), examples(), BOUNDS))
    assert lines[1] == "warning: near duplicates in train: the same rows"
    conflicts = [finding("corpus", item) for item in SUITES["corpus"] if item.column == "exact_conflicts"]
    unmet = breaches.explain_breaches(report(expectations=conflicts), rejects(), examples(), BOUNDS)
    assert [breach.severity for breach in unmet] == ["critical"]


def test_however_much_breaks_the_message_is_short_and_counts_the_rest() -> None:
    facts = report(("sport", HOSTILE), expectations=[finding(table, item) for table, item in EXPECTATIONS])
    lost = rejects(*(("train", f"{HOSTILE}.csv", line, "not UTF-8", escape(HOSTILE)) for line in range(9)))
    facts["corpus"]["quarantined"] = 0.5
    unmet = breaches.explain_breaches(facts, lost, examples(), BOUNDS)
    message = breaches.render_message(unmet, lost)
    severities = [breach.severity for breach in unmet]
    assert severities == sorted(severities)  # critical before warning
    assert len(message.splitlines()) < 20
    assert len(message) < 6_000
    assert f"and {len(unmet) - 1 - breaches.MAX_BREACHES} more, listed in the report" in message


def test_no_class_name_hides_or_reorders_the_message(tmp_path: Path) -> None:
    facts = report(("sport", HOSTILE), expectations=[finding(table, item) for table, item in EXPECTATIONS])
    lines = breaches.render_breaches(breaches.explain_breaches(facts, rejects(), examples(("sport", HOSTILE)), BOUNDS))
    assert [line for line in lines if not line.isprintable()] == []
    assert not any("字" * 60 in line for line in lines)
