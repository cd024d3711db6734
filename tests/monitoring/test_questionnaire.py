"""A person fills in a CSV in any spreadsheet; what cannot be meant is refused with its line."""

from pathlib import Path

import polars as pl
import pytest
from prefect_dvc.core.errors import DataContractError

from gazette.data.coding import Hints
from gazette.monitoring import questionnaire

LABELS = ["sport", "trade"]
QUESTIONS = pl.DataFrame(
    {"id": ["a#0", "-b#1", "c#2"], "text": ["goal, goal", "=bank", "球\n赛"], "predicted": ["trade"] * 3}
)


def test_what_was_predicted_is_not_shown(tmp_path: Path) -> None:
    questionnaire.write_questions(tmp_path / "q.csv", QUESTIONS)
    assert "trade" not in (tmp_path / "q.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize(("encoding", "named"), [("utf-8-sig", None), ("utf-16", None), ("gb18030", "gb18030")])
def test_answers_survive_a_spreadsheet(tmp_path: Path, encoding: str, named: str | None) -> None:
    path = tmp_path / "q.csv"
    questionnaire.write_questions(path, QUESTIONS)
    content = path.read_text(encoding="utf-8-sig")
    content = content.replace('goal, goal",""', 'goal, goal",sport').replace('\'=bank,""', "'=bank,trade")
    content = content.replace(",", ";") if encoding == "utf-16" else content
    path.write_text(content, encoding=encoding)
    labels = questionnaire.read_labels(path, QUESTIONS, LABELS, Hints(encoding=named))
    assert labels == {"a#0": "sport", "-b#1": "trade"}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a#0,sports\n", r"line 2: unknown label 'sports': did you mean 'sport'\?"),
        ("z#9,sport\n", r"line 2: 'z#9' is no question that is still kept"),
        ("a#0,sport\na#0,trade\n", r"line 3: 'a#0' has the label 'sport' further up"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_line(tmp_path: Path, rows: str, message: str) -> None:
    path = tmp_path / "q.csv"
    path.write_text(f"id,label\n{rows}")
    with pytest.raises(DataContractError, match=message):
        questionnaire.read_labels(path, QUESTIONS, LABELS)
