"""Each light stage on few rows: its declared outputs and nothing else, and every row accounted for."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from prefect_dvc.core.errors import DataContractError

from gazette.core import articles
from gazette.core.files import read_json, write_json
from gazette.core.tables import write_csv
from gazette.stages import evaluate, preprocess, select, validate

LayDown = Callable[..., tuple[Path, Path]]
Table = Callable[..., pl.DataFrame]

BOUNDS = validate.Params(
    max_quarantined=0.1,
    min_rows=10,
    min_rows_per_class=2,
    max_class_share=0.9,
    max_duplicates=0.1,
    max_conflicts=0.1,
    max_overlap=0.1,
    near_duplicate_similarity=1,  # these articles are made from two sentences
    max_other_language=0.1,
    max_corrupted=0.1,
    leakage_min_share=1,
    leakage_purity=0.9,
    max_class_distance=0.5,
    max_length_distance=0.5,
    max_vocabulary_distance=0.5,
    max_missing_dates=0.1,
    personal_data="keep",
    min_median_characters=5,
    max_median_characters=1000,
)


def list_files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


# validate


def run_validate(paths: tuple[Path, Path], out: Path, params: validate.Params = BOUNDS) -> dict[str, Any]:
    description, raw = paths
    outs = {
        "validated": out / "articles.parquet",
        "quarantine": out / "quarantine.parquet",
        "examples": out / "examples.parquet",
    }
    validate.run(
        params,
        description=description,
        raw=raw,
        erased=out / "erased",
        **outs,
        report=out / "report.json",
        docs=out.parent / "docs",
    )
    return read_json(out / "report.json")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_validate_leaves_articles_a_quarantine_and_a_report(
    lay_down: LayDown, out: Path, request: pytest.FixtureRequest, language: str
) -> None:
    corpus = request.getfixturevalue({"en": "english", "zh": "chinese"}[language])
    report = run_validate(lay_down(corpus, language), out)
    assert list_files(out) == ["articles.parquet", "examples.parquet", "quarantine.parquet", "report.json"]
    assert articles.read_articles(out / "articles.parquet").drop("file").equals(corpus.drop("file"))
    assert pl.read_parquet(out / "quarantine.parquet").is_empty()
    assert all(finding["success"] for finding in report["expectations"])


def test_validate_accounts_for_every_row(lay_down: LayDown, out: Path, english: pl.DataFrame) -> None:
    report = run_validate(lay_down(english, extra="trade\nsports,A misspelt label.\nsport,?!\n"), out)
    quarantine = pl.read_parquet(out / "quarantine.parquet")
    assert articles.read_articles(out / "articles.parquet").height == 60
    assert quarantine["line"].to_list() == [62, 63, 64]
    assert [part["rows"] for part in report["quarantine"]] == [1, 1, 1]
    assert report["corpus"]["quarantined"] == round(3 / 63, 6)


def test_too_many_quarantined_rows_stop_after_the_report(lay_down: LayDown, out: Path, english: pl.DataFrame) -> None:
    with pytest.raises(DataContractError, match=r"7 rows \(10\.4%\).*\n +train\.csv, line 62: 1 field, expected 2"):
        run_validate(lay_down(english, extra="trade\n" * 7), out)
    assert list_files(out) == ["examples.parquet", "quarantine.parquet", "report.json"]
    assert read_json(out / "report.json")["quarantine"][0]["rows"] == 7


def test_a_corpus_that_breaks_its_contract_stops_after_the_report(
    lay_down: LayDown, out: Path, english: pl.DataFrame
) -> None:
    with pytest.raises(
        DataContractError,
        match=r"(?s)60 articles, expected at least 61 .*60 rows in train\.csv.*Add articles.*or its bound \(",
    ):
        run_validate(lay_down(english), out, BOUNDS.model_copy(update={"min_rows": 61}))
    assert list_files(out) == ["examples.parquet", "quarantine.parquet", "report.json"]


def test_a_warning_stops_nothing(
    lay_down: LayDown, out: Path, english: pl.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    run_validate(lay_down(english), out, BOUNDS.model_copy(update={"max_class_share": 0.4}))
    counts, *warnings = capsys.readouterr().out.splitlines()
    assert counts == "60 articles validated, 0 in quarantine; warnings: 1"
    assert warnings[0].startswith("  warning: class 'sport' has 50.0% of the articles in train (30), expected at most")


# preprocess


def run_preprocess(corpus: pl.DataFrame, lay_down: LayDown, out: Path) -> dict[str, Any]:
    description, raw = lay_down(corpus)
    articles.write_articles(raw / "articles.parquet", corpus)
    outs = {name: out / f"{name}.parquet" for name in ("train", "valid", "test", "quarantine")}
    preprocess.run(
        preprocess.Params(valid_share=0.2, test_share=0.2),
        description=description,
        validated=raw / "articles.parquet",
        **outs,
        report=out / "report.json",
    )
    return read_json(out / "report.json")


def test_preprocess_leaves_three_splits_a_quarantine_and_a_report(
    english: pl.DataFrame, lay_down: LayDown, out: Path
) -> None:
    report = run_preprocess(english, lay_down, out)
    assert list_files(out) == ["quarantine.parquet", "report.json", "test.parquet", "train.parquet", "valid.parquet"]
    parts = {split: articles.read_articles(out / f"{split}.parquet") for split in ("train", "valid", "test")}
    assert {split: set(part["split"]) for split, part in parts.items()} == {split: {split} for split in parts}
    assert pl.concat(parts.values()).drop("split").sort("line").equals(english.drop("split"))
    assert {split: part.height for split, part in parts.items()} == {split: report[split] for split in parts}


def test_preprocess_accounts_for_every_row(table: Table, lay_down: LayDown, out: Path) -> None:
    rows = [(f"Text number {number}.", "trade", "train") for number in range(20)]
    rows += [(f"Match number {number}.", "sport", "train") for number in range(20)]
    rows += [("TEXT number 1.", "trade", "train"), ("Both.", "trade", "train"), ("both.", "sport", "train")]
    rows += [
        ("Text number 2.", "trade", "test"),
        ("Text number 2.", "trade", "test"),
        ("Text number 2.", "sport", "test"),
    ]
    report = run_preprocess(table(*rows), lay_down, out)
    assert report["left_out"] == {"conflicts": 2, "duplicates": 1, "overlap": 1}
    assert report["read"] == len(rows) == report["train"] + report["valid"] + report["test"] + 4
    assert articles.read_articles(out / "test.parquet")["line"].to_list() == [44, 45, 46]
    quarantine = pl.read_parquet(out / "quarantine.parquet")
    assert quarantine.select("line", "reason").rows() == [(line, "the same text under two labels") for line in (42, 43)]


def test_preprocess_writes_the_same_bytes_whatever_the_order_of_rows(
    english: pl.DataFrame, lay_down: LayDown, out: Path
) -> None:
    run_preprocess(english, lay_down, out)
    before = (out / "train.parquet").read_bytes()
    description, raw = out.parent / "tiny.yaml", out.parent / "raw"
    articles.write_articles(raw / "articles.parquet", english.reverse())
    outs = {name: out / f"{name}.parquet" for name in ("train", "valid", "test", "quarantine")}
    paths = {"description": description, "validated": raw / "articles.parquet", "report": out / "report.json"}
    preprocess.run(preprocess.Params(valid_share=0.2, test_share=0.2), **paths, **outs)
    assert (out / "train.parquet").read_bytes() == before


# select


def score(macro_f1: float, size: int = 100, error: float = 0.02) -> dict[str, float]:
    return {"macro_f1": macro_f1, "standard_error": error, "bytes": size}


@pytest.mark.parametrize(
    ("scores", "tie", "selected"),
    [
        ({"one": score(0.8), "two": score(0.9)}, 0.5, "two"),
        ({"one": score(0.9), "two": score(0.8)}, 0.5, "one"),
        ({"one": score(0.895, 50), "two": score(0.9, 100)}, 0.5, "one"),
        ({"one": score(0.885, 50), "two": score(0.9, 100)}, 0.5, "two"),
        ({"one": score(0.895, 50), "two": score(0.9, 100)}, 0, "two"),
        ({"one": score(0.895, 50, error=9), "two": score(0.9, 100, error=0)}, 0.5, "two"),
        ({"one": score(0.9), "two": score(0.9)}, 0, "one"),
        ({"two": score(0.9), "one": score(0.9)}, 0, "two"),
    ],
    ids=[
        "best last",
        "best first",
        "tie, fewer bytes",
        "no tie",
        "no tie at 0",
        "the best's error",
        "order",
        "order 2",
    ],
)
def test_the_best_wins_and_among_equals_the_smallest_then_the_first(
    scores: dict[str, dict[str, float]], tie: float, selected: str
) -> None:
    assert select.choose(scores, tie) == selected


def test_select_copies_the_best_bundle_and_names_leftovers(tmp_path: Path, out: Path) -> None:
    for name, macro_f1 in {"one": 0.8, "two": 0.9, "gone": 0.99}.items():
        write_json(tmp_path / "bundles" / name / "bundle.json", {"name": name})
        write_json(tmp_path / "scores" / f"{name}.json", score(macro_f1))
        write_csv(tmp_path / "curves" / f"{name}.csv", pl.DataFrame({"epoch": [1]}))
    write_json(out / "bundle/bundle.json", {})
    paths = {name: tmp_path / name for name in ("bundles", "scores", "curves")}
    listed = {
        "candidates": ["one"],
        "pretrained": {"fine_tune": {"two": "an encoder"}, "linear_probe": {}},
        "teachers": {},
    }
    assert [str(path.relative_to(tmp_path)) for path in select.leftovers(listed, **paths)] == [
        "bundles/gone", "scores/gone.json", "curves/gone.csv"
    ]  # fmt: skip
    select.run(
        select.Params(tie_standard_errors=0.5), **listed, **paths, bundle=out / "bundle", selection=out / "chosen.json"
    )
    assert list_files(out) == ["bundle/bundle.json", "chosen.json"]
    assert read_json(out / "bundle/bundle.json") == {"name": "two"}
    assert read_json(out / "chosen.json")["selected"] == "two"


# evaluate


def run_evaluate(bundle: Path, rows: pl.DataFrame, out: Path, mistakes: int = 5) -> dict[str, Any]:
    articles.write_articles(bundle.parent / "test.parquet", rows)
    params = evaluate.Params(seed=7, threads=1, resamples=200, confidence=0.95, min_slice_rows=2, mistakes=mistakes)
    outs: dict[str, Path] = {name: out / f"{name}.csv" for name in ("slices", "confusion", "calibration")}
    outs |= {name: out / f"{name}.parquet" for name in ("predictions", "mistakes")}
    evaluate.run(params, bundle=bundle, test=bundle.parent / "test.parquet", metrics=out / "metrics.json", **outs)
    return read_json(out / "metrics.json")


@pytest.fixture
def rows(table: Table) -> pl.DataFrame:
    return table(
        ("goal goal", "sport", "test"),
        ("bank", "trade", "test"),
        ("one goal", "trade", "test"),
        ("bank bank bank", "sport", "test"),
        ("a goal", "sport", "test"),
    )


def test_evaluate_leaves_what_it_declares(bundle: Path, rows: pl.DataFrame, out: Path) -> None:
    run_evaluate(bundle, rows, out)
    tables = [
        "calibration.csv",
        "confusion.csv",
        "metrics.json",
        "mistakes.parquet",
        "predictions.parquet",
        "slices.csv",
    ]
    assert list_files(out) == tables


def test_rows_with_dates_have_figures_by_period_and_rows_without_have_none(
    bundle: Path, rows: pl.DataFrame, out: Path
) -> None:
    assert "periods" not in run_evaluate(bundle, rows, out)
    days = pl.Series([datetime(2026, month, 1, tzinfo=UTC) for month in (1, 1, 2, 2, 2)])
    figures = run_evaluate(bundle, rows.with_columns(date=days.cast(pl.Datetime("us", "UTC"))), out)
    assert {period: (row["rows"], row["accuracy"]) for period, row in figures["periods"].items()} == {
        "2026-01": (2, 1.0), "2026-02": (3, pytest.approx(1 / 3)),
    }  # fmt: skip
    assert pl.read_csv(out / "slices.csv").filter(slice="period")["rows"].to_list() == [2, 3]


def test_evaluate_covers_every_row(bundle: Path, rows: pl.DataFrame, out: Path) -> None:
    metrics = run_evaluate(bundle, rows, out)
    assert (metrics["rows"], metrics["accuracy"]) == (5, 0.6)
    assert metrics["macro_f1"] == pytest.approx((2 / 3 + 1 / 2) / 2, abs=1e-6)
    assert metrics["interval"]["accuracy"]["low"] < 0.6 < metrics["interval"]["accuracy"]["high"]
    assert pl.read_csv(out / "confusion.csv")["rows"].to_list() == [2, 1, 1, 1]
    predictions = pl.read_parquet(out / "predictions.parquet")
    assert predictions["predicted"].to_list() == ["sport", "trade", "sport", "trade", "sport"]
    assert "text" not in predictions.columns


def test_the_most_confident_mistakes_come_first(bundle: Path, rows: pl.DataFrame, out: Path) -> None:
    run_evaluate(bundle, rows, out)
    mistakes = pl.read_parquet(out / "mistakes.parquet")
    assert mistakes["text"].to_list() == ["bank bank bank", "one goal"]
    assert mistakes["probability"].to_list() == pytest.approx([0.9975, 0.8808], abs=1e-3)
    run_evaluate(bundle, rows, out, mistakes=1)
    assert pl.read_parquet(out / "mistakes.parquet").height == 1


def test_evaluate_is_the_same_bytes_again(bundle: Path, rows: pl.DataFrame, out: Path) -> None:
    run_evaluate(bundle, rows, out)
    before = {name: (out / name).read_bytes() for name in list_files(out)}
    run_evaluate(bundle, rows, out)
    assert {name: (out / name).read_bytes() for name in list_files(out)} == before
