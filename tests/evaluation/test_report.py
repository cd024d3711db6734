"""The report: one self-contained page with every result, which runs nothing from the corpus."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import vl_convert
from bundles import make_bundle
from prefect_dvc.core.errors import ConfigError
from root import ROOT

from gazette.core import files
from gazette.data.validation.checks import CHECKS, KINDS
from gazette.evaluation.report import page as report
from gazette.evaluation.report import render

ATTACK = "<script>alert(1)</script>"
OVERRIDE = "\u202e"
CHINESE = "央行宣布下调存款准备金率"
LABELS = ["finance", "</script><b>sports"]
PARAMS: dict[str, Any] = {
    "corpus": "tiny",
    "candidates": ["plain"],
    "models": {"plain": {"family": "linear", "ngrams": 2}},
    "validate": files.read_yaml(ROOT / "params.yaml")["validate"],
    "evaluate": {"confidence": 0.95, "min_slice_rows": 1},
}
SECTIONS = ["corpus", "validation", "candidates", "result", "slices", "calibration", "mistakes", "reproduce"]
CHARTS = {"classes", "loss", "accuracy", "confusion", "slices", "calibration"}


class Page(HTMLParser):
    """The page as a browser parses it: tags with attributes, scripts, styles, and text outside of both."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.content: dict[str, list[str]] = {"script": [], "style": [], "text": []}
        self.feed(html)
        self.text = " ".join(" ".join(self.content["text"]).split())
        self.charts = json.loads(self.content["script"][0])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.inside = tag if tag in ("script", "style") else "text"

    def handle_endtag(self, tag: str) -> None:
        self.inside = "text"

    def handle_data(self, data: str) -> None:
        self.content[getattr(self, "inside", "text")].append(data)


def finding(**changes: Any) -> dict[str, Any]:
    expectation = {"table": "corpus", "expects": "rows must be at least 2.", "meaning": "Too few articles."}
    return expectation | {"severity": "critical", "success": True, "observed": "4"} | changes


def write_outputs(folder: Path, findings: list[dict[str, Any]]) -> dict[str, dict[str, str]]:
    """Write the outputs of the stages, with hostile text wherever a corpus has a say; return their paths."""
    paths = {name: str(folder / name) for name in ("validation.json", "rejects.parquet", "corpus.yaml", "metrics.json")}
    (folder / "corpus.yaml").write_text(
        json.dumps(
            {
                "language": "zh",
                "labels": LABELS,
                "files": {"train": [{"format": "folder"}]},
                "source": ATTACK,
                "terms": "free",
            }
        )
    )
    lengths = {f"characters_{quantile}": 12.0 for quantile in ("05", "50", "95")}
    files.write_json(
        folder / "validation.json",
        {
            "corpus": {"rows": 4, "quarantined": 0.0, **lengths},
            "classes": [],
            "drift": [{"split": "test", "classes": 0.123, "lengths": 0.0, "vocabulary": 0.0}],
            "personal_data": {"email": 3},
            "sampled": {"train": {"rows": 300_000, "sampled": 100_000}},
            "files": [
                {"split": "train", "file": f"{ATTACK}.csv", "rows": 4, "articles": 3, "rejected": 1}
                | {"unused": [ATTACK], "notes": {"blank lines, skipped": 7}}
            ],
            "quarantine": [{"reason": f"unknown label {ATTACK}", "rows": 1}],
            "expectations": findings,
        },
    )
    place = {"file": [f"{ATTACK}.txt"], "line": [1234]}
    pl.DataFrame({"split": ["train"], **place, "reason": ["odd"], "seen": [f"{OVERRIDE}{ATTACK}\x07"]}).write_parquet(
        paths["rejects.parquet"]
    )
    example = {"kind": ["markup"], "split": ["train"], **place, "seen": [f"{ATTACK}{OVERRIDE}"]}
    pl.DataFrame(example).write_parquet(folder / "examples.parquet")
    articles = pl.DataFrame({"text": [f"{ATTACK} {OVERRIDE}\n" + CHINESE * 60, CHINESE], "label": LABELS})
    for split in report.SPLITS:
        articles.write_parquet(folder / f"{split}.parquet")
    pl.DataFrame({"text": ["x"], "label": ["finance"], **place, "reason": ["two labels"]}).write_parquet(
        folder / "conflicts.parquet"
    )
    files.write_json(folder / "preprocessing.json", {"left_out": {"conflicts": 1, "duplicates": 0, "overlap": 0}})
    score = {"accuracy": 0.75, "macro_f1": 0.7, "standard_error": 0.1, "bytes": 1234567, "epochs": 2}
    files.write_json(folder / "score.json", score)
    (folder / "curve.csv").write_text(
        "epoch,train_accuracy,train_loss,valid_accuracy,valid_loss\n1,0.5,1,0.4,1.1\n2,0.7,0.8,0.6,0.9\n"
    )
    files.write_json(folder / "selection.json", {"selected": "plain"})
    figures = {"precision": 0.5, "recall": 0.5, "f1": 0.5, "rows": 2}
    interval = {"low": 0.25, "high": 1.0}
    files.write_json(
        folder / "metrics.json",
        {"accuracy": 0.5, "macro_f1": 0.5, "ece": 0.2, "brier": 0.6, "rows": 4}
        | {"interval": {"accuracy": interval, "macro_f1": interval}, "classes": dict.fromkeys(LABELS, figures)},
    )
    pairs = [(actual, predicted) for actual in LABELS for predicted in LABELS]
    pl.DataFrame(pairs, schema=["actual", "predicted"], orient="row").with_columns(rows=1).write_csv(
        folder / "confusion.csv"
    )
    pl.DataFrame({"slice": ["class"], "value": [LABELS[1] + OVERRIDE], "rows": [4], "accuracy": [0.5]}).write_csv(
        folder / "slices.csv"
    )
    pl.DataFrame({"bin": [0.55], "confidence": [0.55], "accuracy": [0.5], "rows": [4]}).write_csv(
        folder / "calibration.csv"
    )
    articles.with_columns(
        file=pl.lit(ATTACK), line=1, predicted=pl.lit(LABELS[1]), probability=pl.Series([0.9, 0.8], dtype=pl.Float32)
    ).write_parquet(folder / "mistakes.parquet")
    files.write_json(folder / "receipt.json", {"name": "tiny", "digest": "abc123.dir"})
    files.write_json(folder / "version.json", {"name": "tiny", "version": "7"})
    names = {
        "validate": {"report": "validation.json", "description": "corpus.yaml"}
        | {"quarantine": "rejects.parquet", "examples": "examples.parquet"},
        "preprocess": {split: f"{split}.parquet" for split in report.SPLITS}
        | {"report": "preprocessing.json", "quarantine": "conflicts.parquet"},
        "train@plain": {"score": "score.json", "curve": "curve.csv"},
        "select": {"selection": "selection.json"},
        "evaluate": {name: f"{name}.csv" for name in ("confusion", "slices", "calibration")}
        | {"metrics": "metrics.json", "mistakes": "mistakes.parquet", "bundle": "bundle"},
        "register": {"receipt": "receipt.json", "version": "version.json"},
    }
    return {stage: {option: str(folder / name) for option, name in options.items()} for stage, options in names.items()}


def write_page(folder: Path, findings: list[dict[str, Any]]) -> str:
    return report.write_report(write_outputs(folder, findings), PARAMS).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_page(tmp_path_factory.mktemp("outputs"), [finding()])


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_the_page_is_self_contained(page: Page) -> None:
    links = [
        attrs[key] for _, attrs in page.tags for key in ("src", "href", "srcset", "data", "action") if key in attrs
    ]
    assert [link for link in links if not (link or "").startswith(("#", "data:"))] == []
    assert not re.search(r"url\(|@import", " ".join(page.content["style"]))
    assert not {"iframe", "object", "embed", "img"} & {tag for tag, _ in page.tags}


def test_the_page_says_what_was_estimated_on_how_many_articles(page: Page) -> None:
    assert "those of a sample: 100,000 of 300,000 articles of train." in page.text


def test_the_page_has_files_examples_drift_and_personal_data(page: Page) -> None:
    for part in ("7 blank lines, skipped", "Examples of findings", "0.123", "3 × e-mail address", "texts with HTML"):
        assert part in page.text


def test_the_page_forbids_itself_any_request_and_any_other_script(page: Page) -> None:
    policy = next(attrs["content"] for tag, attrs in page.tags if tag == "meta" and "http-equiv" in attrs) or ""
    digest = base64.b64encode(hashlib.sha256(page.content["script"][1].encode()).digest()).decode()
    assert policy.startswith("default-src 'none';")
    assert re.findall(r"script-src ([^;]+)", policy) == [f"'sha256-{digest}'"]


def test_every_section_is_there_and_in_the_contents(page: Page) -> None:
    assert [attrs["id"] for tag, attrs in page.tags if tag == "section"] == SECTIONS
    assert [attrs["href"] for tag, attrs in page.tags if tag == "a" and "href" in attrs] == [
        f"#{name}" for name in SECTIONS
    ]


def test_every_chart_has_a_place_and_every_place_a_chart(page: Page) -> None:
    assert {attrs["data-chart"] for _, attrs in page.tags if "data-chart" in attrs} == set(page.charts) == CHARTS


def test_nothing_from_the_corpus_is_executable(page: Page) -> None:
    assert [attrs for tag, attrs in page.tags if tag == "script"] == [{"type": "application/json", "id": "specs"}, {}]
    assert not [tag for tag, attrs in page.tags if any(key.startswith("on") for key in attrs)]
    assert ATTACK in page.text
    assert page.charts["confusion"]["layer"]


def test_text_that_would_hide_or_reorder_is_escaped(html: str, page: Page) -> None:
    assert not re.search(
        "[\u202a-\u202e\u2066-\u2069\x00-\x08]", html + json.dumps(page.charts["slices"], ensure_ascii=False)
    )
    assert "\\u202e" in page.text
    assert "\\u0007" in page.text


def test_an_article_has_its_language_as_an_attribute(page: Page) -> None:
    assert [attrs["lang"] for _, attrs in page.tags if "lang" in attrs].count("zh") >= 3
    assert CHINESE in page.text


def test_a_long_article_is_cut_and_its_rest_collapsed(page: Page) -> None:
    assert "400 more characters" in page.text


def test_equal_inputs_make_equal_bytes_in_any_folder(html: str, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    assert write_page(tmp_path / "elsewhere", [finding()]) == html


@pytest.mark.parametrize(("severity", "word"), [("critical", "✗ broken"), ("warning", "! warning")])
def test_an_unmet_expectation_is_named(severity: str, word: str, tmp_path: Path) -> None:
    findings = [finding(), finding(severity=severity, success=False, meaning="Files were lost.")]
    text = Page(write_page(tmp_path, findings)).text
    assert f"{word} articles must be at least 2. 4 articles, expected at least 500 (validate.min_rows): " in text
    assert "Add articles, or lower the bound for a trial. 4 Files were lost." in text
    assert ("The corpus breaks its contract." in text) == (severity == "critical")


def test_the_head_says_how_good_it_is_in_a_sentence(page: Page) -> None:
    assert "plain classifies 50.0% of 4 test articles correctly (95% CI 25.0–100.0%)." in page.text
    assert "version 7 of tiny" in page.text


def test_stages_that_have_not_run_are_named(tmp_path: Path) -> None:
    paths = write_outputs(tmp_path, [finding()])
    for file in tmp_path.iterdir():
        if file.name not in ("validation.json", "corpus.yaml"):
            file.unlink()
    page = Page(report.write_report(paths, PARAMS).read_text(encoding="utf-8"))
    assert [attrs["id"] for tag, attrs in page.tags if tag == "section"] == SECTIONS
    assert page.text.count("evaluate has not run") == 4
    assert not page.charts


def test_a_corpus_with_dates_has_its_articles_and_its_accuracy_over_time(tmp_path: Path) -> None:
    paths = write_outputs(tmp_path, [finding()])
    dates = pl.Series("date", [datetime(2004, 1, 1, tzinfo=UTC), None], dtype=pl.Datetime("us", "UTC"))
    for split in report.SPLITS:
        pl.read_parquet(tmp_path / f"{split}.parquet").with_columns(dates).write_parquet(tmp_path / f"{split}.parquet")
    figure = {"rows": 4, "accuracy": 0.5, "low": 0.25, "high": 0.75}
    record = files.read_json(tmp_path / "metrics.json") | {"periods": {"2004-01": figure}}
    files.write_json(tmp_path / "metrics.json", record)
    time = {"test_from": "2004-02-01", "train_without_date": 1, "near_duplicates_of_earlier_splits": 2}
    files.write_json(tmp_path / "preprocessing.json", {"left_out": {}, "time": time})
    page = Page(report.write_report(paths, PARAMS).read_text(encoding="utf-8"))
    assert {attrs["data-chart"] for _, attrs in page.tags if "data-chart" in attrs} == set(page.charts)
    assert set(page.charts) == CHARTS | {"volume", "periods"}
    assert (
        "test begins on 2004-02-01. In train, 1 article without a date. In valid and test, 2 articles nearly"
        in page.text
    )
    assert "2004-01 50.0% 25.0% 75.0% 4" in page.text
    test_nothing_from_the_corpus_is_executable(page)


def test_words_that_explain_a_mistake_are_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = write_outputs(tmp_path, [finding()])
    make_bundle(tmp_path)
    why = {"for_predicted": [(ATTACK + OVERRIDE, 1.5)], "for_label": [], "is_exact": True}
    monkeypatch.setattr(report, "reasons_of", lambda mistakes, folder: [why])
    page = Page(report.write_report(paths, PARAMS).read_text(encoding="utf-8"))
    assert f"For {LABELS[1]} : {ATTACK}\\u202e 1.50" in page.text
    test_nothing_from_the_corpus_is_executable(page)


def test_corrections_are_counted_by_source(tmp_path: Path) -> None:
    paths = write_outputs(tmp_path, [finding()])
    report_path = Path(paths["validate"]["report"])
    corrections = {"file": "f", "md5": "0", "lines": 3, "sources": {"audit": {"relabeled": 2, "absent": 1}}}
    files.write_json(report_path, files.read_json(report_path) | {"corrections": corrections})
    text = Page(report.write_report(paths, PARAMS).read_text(encoding="utf-8")).text
    assert "Corrections audit: 3 (2 relabeled, 1 absent)" in text


def test_without_validation_there_is_no_page(tmp_path: Path) -> None:
    paths = write_outputs(tmp_path, [])
    (tmp_path / "validation.json").unlink()
    with pytest.raises(ConfigError, match="gazette run"):
        report.write_report(paths, PARAMS)


def test_no_private_name_of_a_check_or_finding_is_on_the_page(tmp_path: Path) -> None:
    findings = [
        finding(table=table, expects=f"{column} maximum value must be less than or equal to 0.")
        for table, columns in CHECKS.items()
        for column in columns
    ]
    text = Page(write_page(tmp_path, findings)).text
    names = {*KINDS, *(column for columns in CHECKS.values() for column in columns)}
    assert [name for name in names if "_" in name and re.search(rf"(?<![.\w]){name}", text)] == []
    assert "phrases that give the class away at most 0." in text and "giveaways" not in text


def test_rows_in_quarantine_that_may_be_the_cause_come_first_on_the_page(tmp_path: Path) -> None:
    paths = write_outputs(tmp_path, [finding(table="classes", expects="rows at least 10.", success=False)])
    report_path = Path(paths["validate"]["report"])
    classes = [{"split": "train", "label": label, "rows": 2, "share": 0.5} for label in LABELS]
    files.write_json(report_path, files.read_json(report_path) | {"classes": classes})
    text = Page(report.write_report(paths, PARAMS).read_text(encoding="utf-8")).text
    validation = text[text.index("Expectations not met") :]
    cause, consequence = validation.index("1 row (0.00%) went to quarantine"), validation.index("classes in train have")
    assert cause < consequence


def test_a_param_of_the_wrong_type_is_named_with_its_section(tmp_path: Path) -> None:
    params = PARAMS | {"validate": PARAMS["validate"] | {"max_quarantined": "many"}}
    with pytest.raises(ConfigError, match=r"params\.yaml, section validate: max_quarantined: .*got 'many'"):
        report.write_report(write_outputs(tmp_path, [finding()]), params)


def test_the_script_is_bundled_once_in_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    render.bundle_script.cache_clear()
    script = render.bundle_script()
    monkeypatch.delattr(vl_convert, "javascript_bundle")
    render.bundle_script.cache_clear()
    assert render.bundle_script() == script and "vega" in script
