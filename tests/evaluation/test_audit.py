"""An audit of labels, from articles to a spreadsheet."""

from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from families import LINEAR, SHARED
from prefect_dvc.core.errors import ConfigError
from root import ROOT

from gazette.cli import corpus_diff
from gazette.cli.app import gazette
from gazette.evaluation.audit import audit, spreadsheet

pytestmark = pytest.mark.slow  # it imports TensorFlow


def audited(articles: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    return audit.audit_labels(articles, LINEAR, SHARED, 3)


@pytest.fixture
def flipped(english: pl.DataFrame) -> pl.DataFrame:
    """Lines 7 and 8, one of each class, with each other's label."""
    swapped = pl.col("label").replace({"sport": "trade", "trade": "sport"})
    return english.with_columns(label=pl.when(pl.col("line").is_in([7, 8])).then(swapped).otherwise("label"))


def test_flipped_labels_are_listed_with_the_right_one(flipped: pl.DataFrame) -> None:
    suspects, estimates = audited(flipped)
    rows = suspects.sort("line").select("line", "label", "likely").rows()
    assert rows == [(7, "sport", "trade"), (8, "trade", "sport")]
    assert estimates.rows() == [("sport", 30, 1, "trade"), ("trade", 30, 1, "sport")]


def test_a_copy_under_another_label_is_listed(english: pl.DataFrame) -> None:
    copy = english.head(1).with_columns(label=pl.lit("trade"), line=pl.lit(99, pl.Int64))
    suspects, _ = audited(pl.concat([english, copy]))
    assert suspects["line"].to_list() == [99]


def test_the_order_of_articles_changes_no_byte(english: pl.DataFrame, tmp_path: Path) -> None:
    wrong = english.head(1).with_columns(label=pl.lit("trade"))
    copies = [wrong.with_columns(line=pl.lit(line, pl.Int64)) for line in (98, 99)]  # equally suspect
    articles = pl.concat([english, *copies])
    for path, rows in ((tmp_path / "a.csv", articles), (tmp_path / "b.csv", articles.reverse())):
        spreadsheet.write_spreadsheet(path, audited(rows)[0])
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert pl.read_csv(tmp_path / "a.csv")["line"].to_list() == [98, 99]


def test_a_param_of_the_wrong_type_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(text.replace("\n  threads: ", "\n  threads: many  # ", 1))
    result = CliRunner().invoke(gazette, ["corpus", "audit"])
    assert isinstance(result.exception, ConfigError)
    assert "params.yaml, section train: threads: " in str(result.exception)


def test_a_list_without_suspects_asks_for_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    estimate = pl.DataFrame([("sport", 3, 0, "")], schema=["label", "articles", "errors", "mostly"], orient="row")
    corpus_diff.show_estimate(estimate, 0, Path("list.csv"), "tiny")
    assert "No suspects: list.csv is a header without rows." in capsys.readouterr().out
    corpus_diff.show_estimate(estimate, 2, Path("list.csv"), "tiny")
    assert "gazette corpus correct tiny list.csv" in capsys.readouterr().out
