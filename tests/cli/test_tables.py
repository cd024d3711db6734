"""Tables on a terminal."""

import pytest

from gazette.cli import tables


def test_a_table_is_escaped_and_cut_and_without_color_off_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"name": "\x1b[31m[bold]a", "items": ["b", "c"], "text": "x" * 100, "none": None, "extra": 1}]
    tables.show(tables.build_table(rows, ("name", "items", "text", "none"), limits={"text": 5}), "x" * 200)
    header, row, line = capsys.readouterr().out.splitlines()
    assert header.split() == ["name", "items", "text", "none"]
    assert row.split() == ["\\x1b[31m[bold]a", "b,", "c", "xxxxx", "—"]
    assert line == "x" * 200


def test_a_table_without_rows_has_headings(capsys: pytest.CaptureFixture[str]) -> None:
    tables.show(tables.build_table([], {"before": "HEAD~1", "after": "HEAD"}))
    assert capsys.readouterr().out.split() == ["HEAD~1", "HEAD"]


@pytest.mark.parametrize("columns", ["0", "20"])
def test_a_table_can_be_read_where_the_terminal_has_no_width_or_hardly_any(
    columns: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    tables.show(tables.build_table([{"version": 1, "digest": "b0b7ae6766e4", "revision": "aff57bac5"}]))
    assert capsys.readouterr().out.split() == ["version", "digest", "revision", "1", "b0b7ae6766e4", "aff57bac5"]
