"""A table that a person opens in a spreadsheet."""

from pathlib import Path

import polars as pl
import pytest

from gazette.evaluation.audit import spreadsheet


def written(path: Path, *texts: str) -> list[str]:
    spreadsheet.write_spreadsheet(path, pl.DataFrame({"text": texts}))
    return pl.read_csv(path, infer_schema=False)["text"].to_list()


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_no_cell_is_a_formula(start: str, tmp_path: Path) -> None:
    formula = f'{start}HYPERLINK("http://example.org","here")'
    assert written(tmp_path / "table.csv", formula) == ["'" + formula]


@pytest.mark.parametrize("text", ["a = b", "1+1", "“quoted”", 'He said "no", twice', "两\n行", "'s-Hertogenbosch", " "])
def test_any_other_text_stays_as_it_is(text: str, tmp_path: Path) -> None:
    assert written(tmp_path / "table.csv", text) == [text]


def test_a_spreadsheet_can_tell_that_it_is_unicode(tmp_path: Path) -> None:
    written(tmp_path / "table.csv", "体育")
    assert (tmp_path / "table.csv").read_bytes().startswith(b"\xef\xbb\xbf")


def test_numbers_stay_numbers_and_an_open_answer_is_an_empty_cell(tmp_path: Path) -> None:
    table = pl.DataFrame({"rank": [-1], "p": [0.123456789], "answer": [None], "text": ["-"]})
    table = table.cast({"answer": pl.String})
    spreadsheet.write_spreadsheet(tmp_path / "new" / "table.csv", table)
    assert (tmp_path / "new" / "table.csv").read_text("utf-8-sig") == "rank,p,answer,text\n-1,0.123457,,'-\n"
