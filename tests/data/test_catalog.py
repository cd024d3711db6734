"""Fifty-seven files that a user may call CSV: bad ones are refused or quarantined, good ones are read."""

import gzip
import io
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pytest
from prefect_dvc.core.errors import DataContractError

from gazette.core import articles, corpus
from gazette.data.readers.read import read_corpus

HEAD = b"label,text\n"
FIRST, LAST = b"trade,Shares fell.\n", b"sport,They won.\n"
BEFORE, AFTER = ("Shares fell.", "trade"), ("They won.", "sport")


@dataclass(frozen=True)
class Stops:
    """The file is refused as a whole, with these parts of the message."""

    parts: list[str]


@dataclass(frozen=True)
class Rejects:
    """Rows go to quarantine: line, and a part of reason and excerpt; every other row is an article."""

    rows: list[tuple[int, str, str]]
    accepted: list[tuple[str, str]] = field(default_factory=lambda: [BEFORE, AFTER])


@dataclass(frozen=True)
class Accepts:
    """Every row is an article: texts and labels, notes and unused columns."""

    rows: list[tuple[str, str]]
    notes: dict[str, int] = field(default_factory=dict)
    unused: list[str] = field(default_factory=list)


def between(*rows: bytes, head: bytes = HEAD) -> bytes:
    """Put the rows from line 3 on, between two good ones."""
    return head + FIRST + b"".join(rows) + LAST


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("articles.csv", HEAD + FIRST)
    return out.getvalue()


def parquet() -> bytes:
    out = io.BytesIO()
    pl.DataFrame({"label": ["trade"], "text": ["Shares fell."]}).write_parquet(out)
    return out.getvalue()


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a21\nsize 12345\n"
STRAY = "rows with quotes inside a field that is not quoted, kept as they are"
MIXED = "rows whose line end is not the first row's"
CONTROL = "texts with control characters, kept as they are"
TWO = [BEFORE, AFTER]

Expected = Stops | Rejects | Accepts
CATALOG: list[tuple[str, bytes, Expected]] = [
    ("01 ok", between(), Accepts(TWO)),
    ("02 empty file", b"", Stops(["is empty (0 bytes)", "downloaded or exported completely?"])),
    ("03 header only", HEAD, Stops(["contains no rows below its header", "exported completely?"])),
    ("04 only newlines", b"\n\n\r\n", Stops(["contains nothing but blank lines"])),
    ("05 byte order mark of UTF-8", b"\xef\xbb\xbf" + between(), Accepts(TWO)),
    ("06 UTF-16", between().decode().encode("utf-16"), Stops(["encoded in UTF-16", "save it as UTF-8"])),
    (
        "07 Latin-1",
        between("trade,Café.\n".encode("latin-1")),
        Rejects([(3, "byte 0xe9 at position 10 (save the file as UTF-8, or name its encoding)", "Caf\\xe9")]),
    ),
    (
        "08 truncated UTF-8",
        between("trade,中".encode()[:-1] + b"\n"),
        Rejects([(3, "byte 0xe4 at position 7 (a character is cut off", "trade,\\xe4\\xb8")]),
    ),
    (
        "09 quotes of Windows-1252",
        between("trade,“Sold”\n".encode("cp1252")),
        Rejects([(3, "byte 0x93 at position 7 (save", "\\x93Sold\\x94")]),
    ),
    ("10 overlong UTF-8", between(b"trade,a\xc0\xafb\n"), Rejects([(3, "not UTF-8: byte 0xc0", "a\\xc0\\xafb")])),
    (
        "11 lone surrogate",
        between(b"trade,a\xed\xa0\x80b\n"),
        Rejects([(3, "not UTF-8: byte 0xed", "\\xed\\xa0\\x80")]),
    ),
    ("12 NUL in a field", between(b"trade,a\0b\n"), Rejects([(3, "NUL character", "a\\x00b")])),
    (
        "13 tail padded with NUL",
        between() + b"\0" * 512,
        Rejects([(4, "NUL character: the file was damaged, or truncated while it was written", "\\x00\\x00")]),
    ),
    (
        "14 unclosed quote",
        between(b'trade,"Shares\n'),
        Rejects([(3, "a quote that is never closed", 'trade,"Shares')]),
    ),
    # Rule: a quote inside a field that does not begin with one is an ordinary character, and such rows are counted.
    (
        "15 quote in unquoted",
        between(b'trade,A 5" disc\n'),
        Accepts([BEFORE, ('A 5" disc', "trade"), AFTER], {STRAY: 1}),
    ),
    (
        "16 quotes escaped by a backslash",
        between(b'trade,"The \\"crash\\" of May"\n'),
        Rejects([(3, "is written by doubling it, not by a backslash", 'The \\"crash\\"')]),
    ),
    (
        "17 text after a quote",
        between(b'trade,"Up" again\n'),
        Rejects([(3, "text after a closing quote", '"Up" again')]),
    ),
    ("18 too few fields", between(b"trade\n"), Rejects([(3, "1 field, expected 2 (is a column missing", "trade")])),
    ("19 too many fields", between(b"trade,a,b,c\n"), Rejects([(3, "4 fields, expected 2", "trade,a,b,c")])),
    (
        "20 unquoted comma",
        between(b"trade,Up, up\n"),
        Rejects([(3, "3 fields, expected 2 (is a ',' in a text not quoted?)", "trade,Up, up")]),
    ),
    ("21 CRLF", between().replace(b"\n", b"\r\n"), Accepts(TWO)),
    # Rule: lines that end in bare carriage returns are refused.
    ("22 CR only", between().replace(b"\n", b"\r"), Stops(["bare carriage returns", "save it with LF or CRLF"])),
    # Rule: LF and CRLF end a line, whichever the others end in; rows that end otherwise than the first are counted.
    ("23 mixed line ends", between(b"trade,Up.\r\n"), Accepts([BEFORE, ("Up.", "trade"), AFTER], {MIXED: 1})),
    (
        "24 line break in quotes",
        between(b'trade,"Up\n\nand up"\n'),
        Accepts([BEFORE, ("Up\n\nand up", "trade"), AFTER]),
    ),
    ("25 no line break at the end", between()[:-1], Accepts(TWO)),
    (
        "26 cut off in the last row",
        between() + b"tra",
        Rejects([(4, "1 field, expected 2 (the file ends here: was it truncated?)", "tra")]),
    ),
    (
        "27 a column twice",
        between(b"", head=b"label,label\n"),
        Stops(["line 1: no column 'text' among 'label', 'label'", "correct"]),
    ),
    ("28 no column of texts", b"label\nsport\n", Stops(["line 1: no column 'text' among 'label'", "correct"])),
    (
        "29 other names",
        between(head=b"Label,Text\n"),
        Stops(["line 1: no column 'text' among 'Label', 'Text' (did you mean 'Text'?)"]),
    ),
    # Rule: a column that the description does not name is not read, and the account of the file names it.
    ("30 a column too many", b"label,x,text\nsport,1,They won.\n", Accepts([AFTER], unused=["x"])),
    ("31 columns in another order", b"text,label\nShares fell.,trade\nThey won.,sport\n", Accepts(TWO)),
    (
        "32 no header",
        FIRST + LAST,
        Stops(["line 1: no column 'text' among 'trade', 'Shares fell.'", "looks like data", "positions, from 1"]),
    ),
    (
        "33 spaces in the header",
        between(head=b" label , text \n"),
        Stops(["line 1: no column 'text' among ' label ', ' text ' (there are spaces around ' text ')"]),
    ),
    ("34 semicolons", between(head=b"label;text\n"), Stops(["no column 'text'", "(is a semicolon the delimiter?)"])),
    (
        "35 tabs",
        between().replace(b",", b"\t"),
        Stops(["no column 'text'", "'label\\ttext'", "(is a tab the delimiter?)"]),
    ),
    (
        "36 no label",
        between(b",Up.\n"),
        Rejects([(3, "unknown label '': the description names sport, trade", ": Up.")]),
    ),
    ("37 no text", between(b"trade,\n"), Rejects([(3, "no word: a text needs at least one letter", "trade: ")])),
    (
        "38 texts that look like nulls",
        between(b"trade,NA\ntrade,null\ntrade,nan\n"),
        Accepts([BEFORE, ("NA", "trade"), ("null", "trade"), ("nan", "trade"), AFTER]),
    ),
    (
        "39 labels that are numbers",
        between(b"1.0,Up.\n2,Down.\n"),
        Rejects([(3, "unknown label '1.0': the description names", "1.0: Up."), (4, "unknown label '2'", "2: Down.")]),
    ),
    # Rule: white space around a label is not part of it, and such rows are counted.
    (
        "40 a space after the label",
        between(b"trade ,Up.\n"),
        Accepts([BEFORE, ("Up.", "trade"), AFTER], {"labels with white space around them, taken without it": 1}),
    ),
    (
        "41 zero width in the label",
        between("tr\u200bade,Up.\n".encode()),
        Rejects([(3, "unknown label 'tr\\u200bade' (U+200B): did you mean 'trade'?", "tr\\u200bade: Up.")]),
    ),
    (
        "42 homoglyph in the label",
        between("sp\u043ert,They won.\n".encode()),
        Rejects([(3, "(U+043E): did you mean 'sport'?", "They won.")]),
    ),
    (
        "43 field of 5 MB",
        between(b"trade," + b"x" * 5_000_000 + b"\n"),
        Rejects([(3, "too long: more than", "trade,xx")]),
    ),
    (
        "44 quoted field of 5 MB",
        between(b'trade,"' + b"x" * 5_000_000 + b'"\n'),
        Rejects([(3, "too long: more than", 'trade,"xx')]),
    ),
    ("45 gzip", gzip.compress(between()), Stops(["compressed with gzip; unpack it first"])),
    ("46 zip", zipped(), Stops(["a zip archive", "unpack it, or save the sheet as CSV in UTF-8"])),
    ("47 Parquet", parquet(), Stops(["is Parquet; use `format: parquet`"])),
    (
        "48 HTML",
        b"\n<!DOCTYPE html>\n<html><body>404</body></html>\n",
        Stops(["an HTML page", "download the file again"]),
    ),
    ("49 a pointer of Git LFS", POINTER, Stops(["a pointer of Git LFS, not the file itself; run `git lfs pull`"])),
    (
        "50 JSON lines",
        b'{"label": "sport", "text": "They won."}\n',
        Stops(["line 1: no column 'text'", "(this looks like JSON lines; use `format: jsonl`)"]),
    ),
    (
        "51 merge conflict",
        between(b"<<<<<<< HEAD\ntrade,Up.\n=======\ntrade,Down.\n>>>>>>> other\n"),
        Stops(["line 3: a merge conflict marker; resolve the conflict: '<<<<<<< HEAD"]),
    ),
    # Rule: control characters are kept as text, and such texts are counted; whatever shows them escapes them.
    (
        "52 control characters",
        between(b"trade,\x1b[31mUp\x07\n"),
        Accepts([BEFORE, ("\x1b[31mUp\x07", "trade"), AFTER], {CONTROL: 1}),
    ),
    (
        "53 line ends of Unicode",
        between("trade,One\u2028two\u0085three\x0b\n".encode()),
        Accepts([BEFORE, ("One\u2028two\u0085three\x0b", "trade"), AFTER], {CONTROL: 1}),
    ),
    (
        "54 a formula",
        between(b'trade,"=HYPERLINK(""http://x"",A1)"\n'),
        Accepts([BEFORE, ('=HYPERLINK("http://x",A1)', "trade"), AFTER]),
    ),
    (
        "55 ten thousand columns",
        b"label,text," + b",".join(b"c%d" % n for n in range(10_000)) + b"\n",
        Stops(["line 1: ", "10,002 columns; at most 1,000 are read"]),
    ),
    ("56 the header again", between(HEAD), Rejects([(3, "the header again: were files concatenated?", "label,text")])),
    (
        "57 comments first",
        b"# exported by hand\n" + between(),
        Stops(["line 1: no column 'text' among '# exported by hand' (a comment stands where the header is expected)"]),
    ),
]
GOOD = {"01", "05", "21", "24", "25", "31", "38", "53", "54"}
BY_RULE = {"15", "22", "23", "30", "40", "52"}
by_name = pytest.mark.parametrize(("name", "content", "expected"), CATALOG, ids=[name for name, *_ in CATALOG])


def read(raw: Path, content: bytes) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, object]]:
    """Return articles, quarantine and counts of a file as `validate` reads them."""
    (raw / "all.csv").write_bytes(content)
    file = corpus.Delimited(format="csv", path="all.csv", delimiter=",", header=True, text=["text"], label="label")
    described = corpus.Corpus(
        language="en", labels=["sport", "trade"], files={"train": [file]}, source="made here", terms="none"
    )
    table, unreadable, accounts = read_corpus(described, raw)
    accepted, invalid = articles.split_invalid(table, described.labels)
    return accepted, pl.concat([unreadable, invalid]).sort("line", maintain_order=True), accounts[0]


def content_of(accepted: pl.DataFrame) -> list[tuple[str, str]]:
    return accepted.select("text", "label").rows()


@by_name
def test_each_file_of_the_catalog_is_refused_quarantined_or_read(
    tmp_path: Path, name: str, content: bytes, expected: Expected
) -> None:
    if isinstance(expected, Stops):
        with pytest.raises(DataContractError) as stop:
            read(tmp_path, content)
        message = str(stop.value)
        assert message.startswith(f"{tmp_path / 'all.csv'}")
        assert [part for part in expected.parts if part not in message] == []
        assert message.isprintable()
        return
    accepted, quarantine, account = read(tmp_path, content)
    if isinstance(expected, Rejects):
        assert content_of(accepted) == expected.accepted
        assert quarantine["line"].to_list() == [line for line, *_ in expected.rows]
        for (_, reason, seen), row in zip(expected.rows, quarantine.iter_rows(named=True), strict=True):
            assert row["file"] == "all.csv"
            assert reason in row["reason"]
            assert seen in row["seen"]
            assert len(row["seen"]) <= 200
            assert (row["reason"] + row["seen"]).isprintable()
    else:
        assert content_of(accepted) == expected.rows
        assert quarantine.is_empty()
        assert (account["notes"], account["unused"]) == (expected.notes, expected.unused)


def test_the_catalog_is_complete() -> None:
    assert [name[:2] for name, *_ in CATALOG] == [f"{number:02}" for number in range(1, 58)]
    accepted = {name[:2] for name, _, expected in CATALOG if isinstance(expected, Accepts)}
    assert (GOOD - accepted, accepted - GOOD - BY_RULE) == (set(), set())


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_good_file_holds_the_same_whether_its_lines_end_in_lf_or_crlf(tmp_path: Path, name: str) -> None:
    content = next(content for called, content, _ in CATALOG if called.startswith(name)).replace(b"\r\n", b"\n")
    with_lf, _, _ = read(tmp_path, content)
    with_crlf, _, _ = read(tmp_path, content.replace(b"\n", b"\r\n"))
    assert with_lf.equals(with_crlf)


@by_name
def test_every_row_of_the_catalog_is_an_article_or_a_reject(
    tmp_path: Path, name: str, content: bytes, expected: Expected
) -> None:
    if isinstance(expected, Stops):
        return
    accepted, quarantine, account = read(tmp_path, content)
    lines = Counter([*accepted["line"], *quarantine["line"]])
    assert set(lines.values()) == {1}, "no row twice"
    assert account["rows"] == accepted.height + quarantine.height
    assert max(lines) <= content.count(b"\n") + 1
