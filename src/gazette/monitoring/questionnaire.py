"""Questions as a CSV for a person, and the labels that the person filled in."""

import re
from pathlib import Path

import polars as pl
from prefect_dvc.core.errors import DataContractError

from gazette.core.articles import unknown_label_reason
from gazette.core.escape import quote
from gazette.data import ingest
from gazette.data.coding import NO_HINTS, Hints
from gazette.data.readers.columns import Columns
from gazette.evaluation.audit.spreadsheet import write_spreadsheet

_FORMULA = re.compile(r"^'(?=[=+\-@\t\r\n＝＋－＠])")  # what `write_spreadsheet` puts before a cell


def write_questions(path: Path, questions: pl.DataFrame) -> None:
    """Write id and text of questions with an empty column `label`; what was predicted would bias the person."""
    write_spreadsheet(path, questions.select("id", "text", label=pl.lit("")))


def read_labels(path: Path, questions: pl.DataFrame, labels: list[str], hints: Hints = NO_HINTS) -> dict[str, str]:
    """Return the label of each id with one; rows without are left out.

    Raises DataContractError if an id is of no question or has two labels, or if a label is unknown.
    """
    rows = ingest.inspect_file("train", path, Columns(("id",), "label"), hints).contents.articles
    known, filled = set(questions["id"]), dict[str, str]()
    for cell, label, line in rows.filter(pl.col("label") != "").select("text", "label", "line").iter_rows():
        place, key = f"{path}, line {line}", _FORMULA.sub("", cell)
        if key not in known:
            raise DataContractError(
                f"{place}: {quote(key)} is no question that is still kept; `gazette monitor ask` writes new ones"
            )
        if label not in labels:
            raise DataContractError(f"{place}: {unknown_label_reason(label, labels)}")
        if filled.setdefault(key, label) != label:
            raise DataContractError(f"{place}: {quote(key)} has the label {quote(filled[key])} further up; keep one")
    return filled
