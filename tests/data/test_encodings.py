"""A file in any encoding is read as it was written, or its encoding is asked for; never is a wrong guess silent."""

import csv
import io
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from prefect_dvc.core.errors import ConfigError

from gazette.cli import app
from gazette.core import encodings
from gazette.core.corpus import Delimited, Folder, JsonLines
from gazette.data.coding import Hints
from gazette.data.readers.columns import Columns
from gazette.data.readers.read import read_file
from gazette.data.sniffing import detect_layout

NAMED = Columns(("text",), "label")
# A few sentences of news in each language, and the encodings in which such files are found: Python's codec, our name.
LINES = [
    line.split("\t") for line in Path(__file__).with_name("sentences.txt").read_text(encoding="utf-8").splitlines()
]
NEWS = {language: [text for name, text in LINES if name == language] for language, _ in LINES}
WAYS = [
    ("zh", "gb18030", "gb18030"), ("zh", "gbk", "gb18030"), ("zh", "gb2312", "gb18030"),
    ("zh-Hant", "big5", "big5"), ("zh-Hant", "cp950", "big5"),
    ("ja", "shift_jis", "shift_jis"), ("ja", "cp932", "shift_jis"), ("ja", "euc_jp", "euc-jp"),
    ("ja", "iso2022_jp", "iso-2022-jp"),
    ("ko", "euc_kr", "euc-kr"), ("ko", "cp949", "euc-kr"),
    ("ru", "koi8_r", "koi8-r"), ("ru", "cp1251", "windows-1251"),
    ("fr", "cp1252", "windows-1252"), ("en", "cp1252", "windows-1252"), ("fr", "latin-1", "iso-8859-1"),
    ("zh", "utf-8", "utf-8"), ("fr", "utf-8-sig", "utf-8"), ("ru", "utf-16", "utf-16"),
    ("zh", "utf-16-le", "utf-16-le"), ("en", "utf-16-be", "utf-16-be"), ("ja", "utf-32", "utf-32"),
]  # fmt: skip
FORMATS = ["csv", "tsv", "jsonl"]
Rows = list[tuple[str, str]]


def sentences(language: str, codec: str) -> list[str]:
    """Return what the codec can write."""
    return [text.encode(codec, "ignore").decode(codec) for text in NEWS[language]]


def write(path: Path, rows: Rows, codec: str) -> None:
    out = io.StringIO()
    if path.suffix == ".jsonl":
        out.writelines(json.dumps({"text": text, "label": label}, ensure_ascii=False) + "\n" for text, label in rows)
    else:
        delimiter = "," if path.suffix == ".csv" else "\t"
        csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerows([("text", "label"), *rows])
    path.write_bytes(out.getvalue().encode(codec))


def read_back(rows: Rows, codec: str, form: str, language: str | None, encoding: str | None) -> tuple[Any, Rows]:
    """Write rows to a file, find its layout out and read it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"raw.{form}"
        write(path, rows, codec)
        file = detect_layout(path, NAMED, Hints(language, encoding))
        result = read_file(file, Path(folder))
        assert result.rejects.is_empty()
        return file, result.articles.select("text", "label").rows()


@pytest.mark.parametrize(("language", "codec", "name"), WAYS)
@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_a_file_comes_back_as_it_was_written_or_is_asked_for(
    language: str, codec: str, name: str, form: str, data: st.DataObject
) -> None:
    texts = st.tuples(st.sampled_from(sentences(language, codec)), st.integers(2, 60)).map(lambda cut: cut[0][: cut[1]])
    rows = data.draw(st.lists(st.tuples(texts.map(str.strip), st.sampled_from("ab")), min_size=1, max_size=60))
    known = data.draw(st.sampled_from([language, None, "en", "zh"]))
    rows = [row for row in rows if row[0]] or [("1", "a")]
    try:
        _, articles = read_back(rows, codec, form, known, None)
    except ConfigError as question:
        assert "not certain" in str(question) or "more than one encoding" in str(question)
    else:
        assert articles == rows


@pytest.mark.parametrize(("language", "codec", "name"), WAYS)
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("size", [40, 4_000])
def test_the_encoding_of_a_file_of_news_is_found_out(
    language: str, codec: str, name: str, form: str, size: int
) -> None:
    texts = sentences(language, codec)
    rows = [(f"{texts[number % len(texts)]} {number}", "ab"[number % 2]) for number in range(size)]
    file, articles = read_back(rows, codec, form, language, None)
    assert articles == rows
    assert file.encoding == (name if name != "iso-8859-1" else "windows-1252")  # alike but for C1 controls


NAMES = sorted(encodings.CODECS)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_whatever_an_encoding_can_write_is_read_by_its_name(name: str, data: st.DataObject) -> None:
    codec = encodings.CODECS[name]
    letters = st.characters(exclude_categories=["Cs", "Cc"]).map(lambda letter: letter.encode(codec, "ignore"))
    words = st.lists(letters, min_size=1, max_size=20).map(
        lambda parts: b"".join(parts).decode(codec, "ignore").strip()
    )
    rows = data.draw(
        st.lists(st.tuples(words.filter(lambda word: bool(word.strip("\ufeff "))), st.just("a")), min_size=1)
    )
    rows = [(text, label) for text, label in rows if text.encode(codec).decode(codec) == text]
    if rows:
        assert read_back(rows, codec, "jsonl", None, name)[1] == rows


# A guess is held against the whole file


def lay(folder: Path, name: str, *parts: bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(parts))
    return path


def chinese(rows: int, codec: str = "gb18030") -> bytes:
    texts = NEWS["zh"]
    return "".join(f"{texts[n % len(texts)]}{n}\ta\n" for n in range(rows)).encode(codec)


HEAD = b"text\tlabel\n"
ENGLISH = b"Shares fell after the bank cut its forecast again.\tb\n"


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            [chinese(40_000, "utf-8"), chinese(20_000)],
            "more than one encoding: UTF-8 in 40,000 lines.* the first 40,002",
        ),
        ([chinese(40_000), chinese(20_000, "utf-8")], "more than one encoding: UTF-8 in 20,000 lines"),
        (
            [chinese(40_000), "".join(f"{t}\ta\n" for t in NEWS["zh-Hant"] * 5000).encode("big5")],
            "not certain",
        ),
        ([chinese(40_000), "".join(f"{t}\ta\n" for t in NEWS["ru"] * 5000).encode("koi8_r")], "not certain"),
        ([chinese(300), b"\xd6\xff\ta\n", chinese(300)], r"gb18030 .*\(1 line cannot be decoded, the first 302\)"),
    ],
    ids=["UTF-8 first", "GB 18030 first", "then Big5", "then KOI8-R", "a bad byte"],
)
def test_an_encoding_that_stops_being_true_is_told(tmp_path: Path, parts: list[bytes], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        detect_layout(lay(tmp_path, "raw.tsv", HEAD, *parts), NAMED, Hints("zh"))


def test_lines_of_two_encodings_in_turn_are_not_read_as_one(tmp_path: Path) -> None:
    hant = [f"{text}\ta\n".encode("big5") for text in NEWS["zh-Hant"]]
    hans = [f"{text}\ta\n".encode("gbk") for text in NEWS["zh"]]
    mixed = [line for pair in zip(hans, hant, strict=True) for line in pair] * 10
    with pytest.raises(ConfigError, match="not certain"):
        detect_layout(lay(tmp_path, "raw.tsv", HEAD, *mixed), NAMED, Hints("zh"))


def test_an_encoding_that_begins_after_a_megabyte_of_ascii_is_found(tmp_path: Path) -> None:
    file = detect_layout(lay(tmp_path, "raw.tsv", HEAD, ENGLISH * 30_000, chinese(50)), NAMED, Hints("zh"))
    assert isinstance(file, Delimited)
    assert file.encoding == "gb18030"
    assert read_file(file, tmp_path).articles["text"][-1].endswith("意犹未尽49")


def test_a_damaged_line_of_a_utf8_file_is_a_reject_and_no_question(tmp_path: Path) -> None:
    for head in (chinese(50, "utf-8"), ENGLISH * 200):
        file = detect_layout(lay(tmp_path, "raw.tsv", HEAD, head, b"caf\x81\tb\n"), NAMED, Hints("en"))
        assert isinstance(file, Delimited)
        assert file.encoding == "utf-8"
        assert read_file(file, tmp_path).rejects.height == 1


def test_a_byte_that_the_encoding_lacks_costs_its_row_and_is_shown_in_its_line(tmp_path: Path) -> None:
    path = lay(tmp_path, "raw.tsv", HEAD, chinese(30), b"\xd6\xff\ta\n", chinese(3))
    file = detect_layout(path, NAMED, Hints("zh", "gb18030"))
    result = read_file(file, tmp_path)
    assert (result.articles.height, result.rejects["line"].to_list()) == (33, [32])
    assert result.rejects["reason"].item() == "not in the file's encoding: byte 0xd6; is `encoding:` right?"
    assert "\\xd6\\xff" in result.rejects["seen"].item()


def test_the_question_shows_how_a_line_would_read_and_names_the_option(tmp_path: Path) -> None:
    path = lay(tmp_path, "raw.csv", "text,label\nGenève,a\n".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"line 2.*\n(.*\n)*  --encoding windows-1252   Genève,a"):
        detect_layout(path, NAMED)
    with pytest.raises(ConfigError, match=r"--test-encoding windows-1252"):
        detect_layout(path, Columns(("text",), "label", "--test-"))


# Folders


@pytest.mark.parametrize("text", ["Déjà vu", "Noël à la plage", "Événement à Orléans"])
def test_a_few_words_are_no_evidence_of_another_script_than_that_of_the_language(tmp_path: Path, text: str) -> None:
    path = lay(tmp_path, "raw.csv", b"text,label\n", f"{text},a\n".encode("cp1252") * 100)
    with pytest.raises(ConfigError, match="Windows-1252 is likely"):
        detect_layout(path, NAMED, Hints("fr"))


def test_a_folder_may_hold_files_in_two_encodings(tmp_path: Path) -> None:
    for number, text in enumerate(NEWS["zh"]):
        lay(tmp_path, f"a/{number}", text.encode("gb18030" if number % 4 == 0 else "utf-8"))
    file = detect_layout(tmp_path, NAMED, Hints("zh"))
    assert file == Folder(format="folder", encoding="utf-8", other_encoding="gb18030")
    assert sorted(read_file(file, tmp_path).articles["text"]) == sorted(NEWS["zh"])


def test_a_folder_of_files_in_utf16_is_read(tmp_path: Path) -> None:
    for number, text in enumerate(NEWS["fr"]):
        lay(tmp_path, f"a/{number}", text.encode("utf-16"))
    file = detect_layout(tmp_path, NAMED, Hints("fr"))
    assert file == Folder(format="folder", encoding="utf-16")
    assert sorted(read_file(file, tmp_path).articles["text"]) == sorted(NEWS["fr"])


# Descriptions and options


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("GBK", "gb18030"), ("gb2312", "gb18030"), ("cp936", "gb18030"), ("latin1", "iso-8859-1"),
        ("Windows-1252", "windows-1252"), ("cp1252", "windows-1252"), ("SJIS", "shift_jis"), ("cp949", "euc-kr"),
        ("utf8", "utf-8"), ("UTF-8-SIG", "utf-8"), ("koi8_r", "koi8-r"), ("Big5", "big5"), ("cp950", "big5"),
        ("EUC-KR", "euc-kr"), ("UTF-16", "utf-16"), ("us-ascii", "utf-8"),
    ],
)  # fmt: skip
def test_an_encoding_is_known_by_the_names_that_people_use(word: str, name: str) -> None:
    assert encodings.canonical_name(word) == name


@pytest.mark.parametrize("word", ["utf-9", "rot13", "base64", "idna", "punycode", "unicode_escape", "utf-7", ""])
def test_what_is_no_encoding_of_files_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match="unknown encoding"):
        encodings.canonical_name(word)
    about = {"format": "jsonl", "path": "a", "text": ["text"], "label": "label", "encoding": word}
    with pytest.raises(ValueError, match="unknown encoding"):
        JsonLines.model_validate(about)


def test_an_unknown_encoding_on_the_command_line_is_a_usage_error(tmp_path: Path) -> None:
    path = lay(tmp_path, "raw.csv", b"text,label\n")
    words = ["corpus", "add", "x", "--lang", "en", "--train", str(path), "--encoding", "utf-9", "--dry-run"]
    result = CliRunner().invoke(app.gazette, words)
    assert result.exit_code == 2
    assert "unknown encoding 'utf-9'; known are utf-8, utf-16" in result.output
