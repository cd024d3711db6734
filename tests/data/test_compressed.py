"""Compressed files are read as what is in them, within bounds; what is no single table is named for what it is."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from prefect_dvc.core.errors import DataContractError

from gazette.core.corpus import Delimited, JsonLines
from gazette.data.coding import Hints
from gazette.data.readers.columns import Columns
from gazette.data.readers.read import read_file
from gazette.data.sniffing import detect_layout

NAMED = Columns(("text",), "label")
CSV = b"text,label\nShares fell.,trade\nThey won.,sport\n"
ROWS = [("Shares fell.", "trade"), ("They won.", "sport")]
MB = 1 << 20


def zstd(content: bytes) -> bytes:
    out = pa.BufferOutputStream()
    with pa.CompressedOutputStream(out, "zstd") as file:
        file.write(content)
    return out.getvalue().to_pybytes()


def zipped(content: bytes, *more: str, name: str = "news.csv") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
        for entry in more:
            archive.writestr(entry, b"junk")
    return out.getvalue()


PACKERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": (".gz", gzip.compress),
    "bzip2": (".bz2", bz2.compress),
    "xz": (".xz", lzma.compress),
    "zstd": (".zst", zstd),
    "zip": (".zip", zipped),
}
each = pytest.mark.parametrize("kind", PACKERS)


def lay(folder: Path, name: str, content: bytes) -> Path:
    (folder / name).write_bytes(content)
    return folder / name


def read(path: Path) -> list[tuple[str, str]]:
    return read_file(detect_layout(path, NAMED, Hints("en")), path.parent).articles.select("text", "label").rows()


@each
def test_a_compressed_file_is_read_and_described(tmp_path: Path, kind: str) -> None:
    suffix, pack = PACKERS[kind]
    path = lay(tmp_path, f"news.csv{suffix}", pack(CSV))
    file = detect_layout(path, NAMED)
    assert isinstance(file, Delimited)
    assert (file.path, file.compression, file.encoding) == (path.name, kind, "utf-8")
    assert read(path) == ROWS


@each
def test_the_name_of_a_compressed_file_claims_the_format_below_its_suffix(tmp_path: Path, kind: str) -> None:
    suffix, pack = PACKERS[kind]
    path = lay(tmp_path, f"news.jsonl{suffix}", pack(b'{"text": "Shares fell.", "label": "trade"}\n'))
    assert isinstance(detect_layout(path, NAMED), JsonLines)
    with pytest.raises(DataContractError, match="contains separated values, but its name says JSON lines"):
        detect_layout(lay(tmp_path, f"news.jsonl{suffix}", pack(CSV)), NAMED)


@each
def test_a_compressed_file_is_transcoded_too_whatever_its_name(tmp_path: Path, kind: str) -> None:
    content = "".join(f"央行下调利率 市场反应积极{n},财经\n" for n in range(50))
    path = lay(tmp_path, "news.csv", PACKERS[kind][1](f"text,label\n{content}".encode("gb18030")))
    file = detect_layout(path, NAMED, Hints("zh"))
    assert isinstance(file, Delimited)
    assert (file.encoding, file.compression) == ("gb18030", kind)
    assert read_file(file, tmp_path).articles["text"][49] == "央行下调利率 市场反应积极49"


@each
def test_a_long_file_comes_back_whole_and_its_rejects_have_the_lines_of_the_content(tmp_path: Path, kind: str) -> None:
    rows = [b"text number %d,trade\n" % number for number in range(200_000)]
    rows[150_000] = b"one,two,three\n"
    path = lay(tmp_path, "news.csv", PACKERS[kind][1](b"text,label\n" + b"".join(rows)))
    result = read_file(detect_layout(path, NAMED), tmp_path)
    assert (result.articles.height, result.rejects["line"].to_list()) == (199_999, [150_002])
    assert result.articles["text"][-1] == "text number 199999"


@each
@pytest.mark.parametrize(
    "damage", [lambda packed: packed[: len(packed) // 2], lambda packed: packed[:-9] + b"\xff" * 9]
)
def test_a_damaged_file_is_refused(tmp_path: Path, kind: str, damage: Callable[[bytes], bytes]) -> None:
    content = b"text,label\n" + b"".join(b"text number %d,trade\n" % (number * 7919) for number in range(5_000))
    path = lay(tmp_path, "news.csv", damage(PACKERS[kind][1](content)))
    with pytest.raises(
        DataContractError, match=rf"news\.csv cannot be unpacked \({kind}\).*was it copied completely\?"
    ):
        read(path)


@each
def test_a_bomb_is_refused_before_it_fills_the_memory(tmp_path: Path, kind: str) -> None:
    path = lay(tmp_path, "news.csv", PACKERS[kind][1](b"text,label\n" + b"x" * 100 * MB))
    with pytest.raises(DataContractError, match="decompresses to more than 50 times its size"):
        read(path)


def test_parts_that_follow_each_other_are_one_file(tmp_path: Path) -> None:
    for kind in ("gzip", "bzip2", "xz", "zstd"):
        pack = PACKERS[kind][1]
        assert read(lay(tmp_path, "news.csv", pack(CSV[:20]) + pack(CSV[20:]))) == ROWS, kind


def test_frames_that_hold_no_content_are_passed_over(tmp_path: Path) -> None:
    skippable = b"\x50\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"size"  # pzstd writes one before each frame
    content = skippable + zstd(CSV[:20]) + skippable + zstd(CSV[20:])
    assert read(lay(tmp_path, "news.csv", content)) == ROWS


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"7z\xbc\xaf\x27\x1c\0\4", "a 7z archive; unpack it"),
        (b"ARROW1\0\0", "Arrow or Feather; save it as Parquet"),
        (b"\xff\xff\xff\xff\x80\1\0\0", "Arrow or Feather; save it as Parquet"),  # a stream, as of datasets
        (b"FEA1\0\0\0\0", "Arrow or Feather; save it as Parquet"),
        (b"\x04\x22\x4d\x18\x64", "compressed with lz4; unpack it"),
        (b"Rar!\x1a\7\1\0", "a RAR archive; unpack it"),
    ],
)
def test_what_is_not_read_is_named_with_the_cure(tmp_path: Path, content: bytes, kind: str) -> None:
    with pytest.raises(DataContractError, match=f"news.csv is {kind}"):
        read(lay(tmp_path, "news.csv", content + b"\xff\xfe\0" * 40))


def test_what_a_mac_adds_to_a_zip_is_no_file_of_its(tmp_path: Path) -> None:
    content = zipped(CSV, "__MACOSX/._news.csv", ".DS_Store", "folder/")
    assert read(lay(tmp_path, "news.zip", content)) == ROWS


def sheet(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names or ("[Content_Types].xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml"):
            archive.writestr(name, "<xml/>")
    return out.getvalue()


def tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        entry = tarfile.TarInfo("news.csv")
        entry.size = len(CSV)
        archive.addfile(entry, io.BytesIO(CSV))
    return out.getvalue()


def parquet() -> bytes:
    out = io.BytesIO()
    pl.DataFrame({"text": ["x"], "label": ["a"]}).write_parquet(out)
    return out.getvalue()


def locked() -> bytes:
    content = bytearray(zipped(CSV))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1  # its flag says that it is encrypted
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (sheet(), "is an Excel workbook, not separated values; save the sheet as CSV in UTF-8"),
        (sheet("[Content_Types].xml", "word/document.xml"), "is a Word document; save it as plain text in UTF-8"),
        (
            sheet("mimetype", "content.xml", "META-INF/manifest.xml"),
            "is an OpenDocument file, not separated values; save",
        ),
        (
            sheet("Index/Document.iwa", "Index/Tables/DataList.iwa"),
            "is an Apple Numbers or Pages document, not separated",
        ),
        (
            zipped(CSV, "more.csv"),
            "is a zip archive of 2 files: 'news.csv', 'more.csv'; only one with one file is read",
        ),
        (zipped(b"", name="a/"), "is a zip archive of 0 files; only one"),
        (tar(), "is a tar archive; unpack it, and pass the files in it"),
        (gzip.compress(parquet()), r"is Parquet, compressed once more \(gzip\); unpack it first"),
        (gzip.compress(gzip.compress(CSV)), "is compressed with gzip; unpack it first"),
        (gzip.compress(b""), "is empty"),
        (
            gzip.compress(b"<!DOCTYPE html>\n<html>\n"),
            "an HTML page, perhaps a saved error page; download the file again",
        ),
        (locked(), r"cannot be unpacked \(zip\): .*encrypted"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a21\nsize 12345\n", "a pointer of Git LFS"),
        (b"outs:\n- md5: abc\n  path: news.csv\n", "a pointer of DVC, not the file itself; run `dvc pull`"),
        (b"\xef\xbb\xbf", "contains nothing but blank lines|is empty"),
        (b"%PDF-1.7\n", "a PDF; only text can be read"),
    ],
    ids=[
        "sheet",
        "Word",
        "OpenDocument",
        "Numbers",
        "two files",
        "no file",
        "tar",
        "Parquet",
        "twice",
        "nothing",
        "HTML",
        "locked",
        "LFS",
        "DVC",
        "mark",
        "PDF",
    ],
)
def test_what_is_no_table_is_named_for_what_it_is(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(DataContractError, match=message):
        read(lay(tmp_path, "news.csv", content))
