"""Separated values: widths, quotes and line ends, row by row."""

from pathlib import Path
from typing import Any

import pytest
from prefect_dvc.core.errors import DataContractError

from gazette.core.corpus import Delimited
from gazette.core.limits import MAX_COLUMNS, MAX_FIELD
from gazette.data.readers.delimited import read_delimited
from gazette.data.readers.rows import ReadResult


def described(text: list[str] | list[int], label: str | int, header: bool = True, **options: Any) -> Delimited:
    return Delimited(format="csv", path="raw.csv", header=header, text=list(text), label=label, **options)


def read(
    raw: Path, content: str | bytes, *, delimiter: str = ",", quotes: bool = True, bare: bool = False
) -> ReadResult:
    """Read label and text of a file with a header, or of one without, by position."""
    (raw / "raw.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    text, label = ([2], 1) if bare else (["text"], "label")
    return read_delimited(raw, described(list(text), label, delimiter=delimiter, quotes=quotes, header=not bare))


def reason(raw: Path, row: str) -> str:
    result = read(raw, f"label,text\na,x\n{row}")
    assert result.rejects["line"][0] == 3
    return str(result.rejects["reason"][0])


# Widths


@pytest.mark.parametrize(
    ("rows", "width"),
    [
        ("a\n" * 50 + "a,x\n" * 50, 1),  # of two widths as common, that of the first row
        ("a\n" * 50 + "a,x\n" * 60, 1),  # the rows after the first hundred do not count
        ("a\n" * 49 + "a,x\n" * 51, 2),
        ("a\n" * 49 + "a,x\n" * 50 + "a\n" + "a,x\n" * 50, 1),
    ],
)
def test_the_commonest_width_of_the_first_hundred_rows_is_expected(tmp_path: Path, rows: str, width: int) -> None:
    (tmp_path / "raw.csv").write_text(rows)
    result = read_delimited(tmp_path, described([1], 1, header=False), labeled=False)
    assert (result.articles.height, result.unused) == (
        rows.count("\n") - rows.count(",x") if width == 1 else rows.count(",x"),
        ["2"][: width - 1],
    )


def test_a_row_of_another_width_has_a_hint(tmp_path: Path) -> None:
    assert reason(tmp_path, "b,y,z\n") == "3 fields, expected 2 (is a ',' in a text not quoted?)"
    assert reason(tmp_path, "b\na,y\n") == (
        "1 field, expected 2 (is a column missing, or a line break in a text not quoted?)"
    )
    assert reason(tmp_path, "b") == "1 field, expected 2 (the file ends here: was it truncated?)"


@pytest.mark.parametrize("bare", [False, True])
def test_a_thousand_columns_are_read_and_one_more_is_not(tmp_path: Path, bare: bool) -> None:
    for count in (MAX_COLUMNS, MAX_COLUMNS + 1):
        more = count - 2
        head = "" if bare else f"label,text{',x' * more}\n"
        content = f"{head}a,x{',1' * more}\n"
        if count == MAX_COLUMNS:
            assert read(tmp_path, content, bare=bare).articles.height == 1
        else:
            with pytest.raises(DataContractError, match="1,001 columns; at most 1,000 are read"):
                read(tmp_path, content, bare=bare)


def test_a_field_of_the_most_characters_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, f"label,text\na,{'x' * MAX_FIELD}\n").articles["text"].str.len_chars().to_list() == [
        MAX_FIELD
    ]
    assert reason(tmp_path, f"a,{'x' * (MAX_FIELD + 1)}\n") == "field too long: more than 100,000 characters"


# Quotes


def test_a_quote_that_is_never_closed_names_the_next_one(tmp_path: Path) -> None:
    assert reason(tmp_path, 'a,"y\nb,z\na,"w"\n') == (
        "a quote that is never closed (the next one is in line 5, with text after it; a quote inside quotes is written "
        "by doubling it)"
    )
    assert reason(tmp_path, 'a,"y\n') == "a quote that is never closed (within 100,000 characters)"
    assert (
        reason(tmp_path, 'a,"y" z\n') == "text after a closing quote (a quote inside quotes is written by doubling it)"
    )
    assert reason(tmp_path, 'a,"y \\"z\\" w"\n').endswith("written by doubling it, not by a backslash)")
    assert reason(tmp_path, "a,y\rz\n").startswith("a bare carriage return outside quotes")


def test_a_field_in_quotes_that_are_ordinary_characters_is_counted_if_it_has_two(tmp_path: Path) -> None:
    content = 'label\ttext\na\t"x"\na\t""\na\t"\na\t"x\na\tx"\n"a"\ty\n'
    result = read(tmp_path, content, delimiter="\t", quotes=False)
    assert result.articles["text"].to_list() == ['"x"', '""', '"', '"x', 'x"', "y"]
    assert result.notes == {"rows with a field in double quotes, kept with them (`quotes: false`)": 3}


def test_a_quoted_field_that_goes_on_for_lines_is_one_that_is_never_closed(tmp_path: Path) -> None:
    assert (
        reason(tmp_path, 'a,"' + ("x" * 60_000 + "\n") * 2)
        == "a quote that is never closed (within 100,000 characters)"
    )


def test_a_quote_inside_one_field_is_counted_though_another_is_quoted_well(tmp_path: Path) -> None:
    notes = read(tmp_path, 'label,text\n"a ""x""",5" disc\na,"5"" disc"\n').notes
    assert notes == {"rows with quotes inside a field that is not quoted, kept as they are": 1}


def test_bytes_that_cannot_be_read_are_the_reason_before_a_quote_that_is_open(tmp_path: Path) -> None:
    result = read(tmp_path, b'label,text\na,"\xff\na,y\nb,"z" w\n')
    assert result.rejects["line"].to_list() == [2, 4] and result.rejects["reason"][0].startswith("not UTF-8")
    assert result.articles["line"].to_list() == [3]


# Line ends


def test_rows_that_end_unlike_the_first_are_counted_but_not_the_last_without_an_end(tmp_path: Path) -> None:
    note = "rows whose line end is not the first row's"
    assert read(tmp_path, "label,text\na,x\r\na,y\nb,z\r\nb,w").notes == {note: 2}
    assert read(tmp_path, "label,text\r\na,x\na,y\r\nb,z").notes == {note: 1}


def test_a_line_break_in_a_text_is_lf_in_a_file_of_crlf_lines_alone(tmp_path: Path) -> None:
    assert read(tmp_path, 'label,text\r\na,"x\r\ny\nz"\r\n').articles["text"].to_list() == ["x\ny\nz"]
    assert read(tmp_path, 'label,text\na,"x\r\ny"\n').articles["text"].to_list() == ["x\r\ny"]


# What is no row


def test_a_merge_conflict_is_refused_with_its_line(tmp_path: Path) -> None:
    for mark in ("<<<<<<< HEAD", ">>>>>>> theirs"):
        marker = f"{mark:x<70}"
        shown = f"line 3: a merge conflict marker; resolve the conflict: '{marker[:60]}'"
        with pytest.raises(DataContractError, match=shown):
            read(tmp_path, f"label,text\na,x\n{marker}\na,y\n")


def test_a_file_of_a_header_alone_has_no_rows(tmp_path: Path) -> None:
    with pytest.raises(DataContractError, match=r"contains no rows below its header; was it exported"):
        read(tmp_path, "label,text\n")
    with pytest.raises(DataContractError, match=r"contains nothing but blank lines"):
        read(tmp_path, "\n \n", bare=True)


def test_a_header_that_cannot_be_read_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(DataContractError, match=r"line 2: the header cannot be read: a quote that is never closed"):
        read(tmp_path, '\nlabel,"text\n')
    with pytest.raises(DataContractError, match=r"line 1: the header cannot be read: not UTF-8"):
        read(tmp_path, b'label,"te\xff\nxt"\na,x\n')


def test_a_header_of_two_lines_that_comes_again_is_a_reject_at_its_first(tmp_path: Path) -> None:
    (tmp_path / "raw.csv").write_text('label,"te\nxt"\na,x\nlabel,"te\nxt"\n')
    result = read_delimited(tmp_path, described(["te\nxt"], "label"))
    assert result.rejects.select("line", "reason").rows() == [(4, "the header again: were files concatenated?")]


def test_several_columns_are_text_and_the_last_that_is_named_the_label(tmp_path: Path) -> None:
    (tmp_path / "raw.csv").write_text("label,title,body\na,T,B\nb,,B\n")
    result = read_delimited(tmp_path, described(["body", "title"], "label"))
    assert result.articles.select("text", "label").rows() == [("B\nT", "a"), ("B", "b")]


def test_what_is_no_text_is_refused_before_a_row_is_read(tmp_path: Path) -> None:
    with pytest.raises(DataContractError, match=r"raw\.csv is a PDF; only text can be read"):
        read(tmp_path, b"%PDF-1.7,x\na,b\n")
