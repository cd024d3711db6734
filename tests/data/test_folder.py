"""A folder of files, each an article or a reject."""

import errno
import os
from pathlib import Path

import pytest
from prefect_dvc.core.errors import ConfigError, DataContractError
from root import ROOT

from gazette.core.corpus import Folder
from gazette.core.limits import MAX_LINE
from gazette.data.ingest import inspect_file
from gazette.data.readers.columns import Columns
from gazette.data.readers.folder import LEFTOVERS, count_leftovers, list_files, read_folder
from gazette.data.readers.open import check_inside

WHOLE = Folder(format="folder")


def lay(raw: Path, **files: bytes) -> None:
    for name, content in files.items():
        (raw / name).parent.mkdir(parents=True, exist_ok=True)
        (raw / name).write_bytes(content)


def test_a_file_of_the_most_bytes_is_an_article(tmp_path: Path) -> None:
    lay(tmp_path, **{"a/1": b"x" * MAX_LINE, "a/2": b"x" * (MAX_LINE + 1)})
    result = read_folder(tmp_path, WHOLE)
    assert result.articles.select("file", "line").rows() == [("a/1", 1)]
    assert result.rejects["reason"].to_list() == [
        "too long: 1,048,577 bytes, at most 1,048,576 are read as one article"
    ]


def test_what_is_hidden_is_not_listed_and_a_linked_folder_is_an_entry(tmp_path: Path) -> None:
    lay(tmp_path, **{"a/2": b"x", "a/1": b"x", "a/.h": b"x", ".git/a/1": b"x", "b/.x/1": b"x", "b/c/1": b"x"})
    (tmp_path / "a/z").symlink_to("../b")
    (tmp_path / "a/.z").symlink_to("../b")
    names = [str(path.relative_to(tmp_path)) for path in list_files(tmp_path)]
    assert names == ["a/1", "a/2", "a/z", "b/c/1"]


def test_what_editors_and_systems_leave_is_no_article_and_counted(tmp_path: Path) -> None:
    names = ["a/1", "a/1~", "a/#1#", "a/1.orig", "a/1.rej", "a/desktop.ini", "__pycache__/1"]
    lay(tmp_path, **dict.fromkeys([*names, "a/.1", ".git/1.orig"], b"x"))
    assert [str(path.relative_to(tmp_path)) for path in list_files(tmp_path)] == ["a/1"]
    assert count_leftovers(tmp_path) == 5
    result = inspect_file("train", tmp_path, Columns(("text",), "label")).contents
    assert (result.articles.height, result.rejects.height) == (1, 0)
    assert list(result.notes.values()) == [5]


def test_what_dvc_leaves_out_is_no_article() -> None:
    patterns = [line for line in (ROOT / ".dvcignore").read_text().splitlines() if line and not line.startswith("#")]
    hidden = {pattern for pattern in patterns if pattern.startswith(".")}
    assert {pattern.removeprefix("\\") for pattern in patterns} - hidden <= set(LEFTOVERS)


def test_a_folder_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may read all, so the system's answer stands in for it."""
    lay(tmp_path, **{"a/1": b"x", "b/1": b"x"})
    scandir = os.scandir

    def refuse(path: str) -> object:
        if Path(path).name == "b":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(ConfigError, match="/b: Permission denied"):
        list_files(tmp_path)


def test_without_labels_files_lie_at_any_depth(tmp_path: Path) -> None:
    lay(tmp_path, **{"1": b"one", "a/b/2": b"two\r\n"})
    result = read_folder(tmp_path, WHOLE, labeled=False)
    assert result.articles.select("text", "label", "file").rows() == [("one", None, "1"), ("two", None, "a/b/2")]
    labeled = read_folder(tmp_path, WHOLE)
    assert labeled.rejects.select("file", "line", "reason").rows() == [
        (name, 1, "not in the folder of a class: expected <class>/<file>") for name in ("1", "a/b/2")
    ]
    assert labeled.rejects["seen"].to_list() == ["", ""]


def test_the_line_and_the_surroundings_of_a_bad_byte_are_shown(tmp_path: Path) -> None:
    before, after = b"b" * 80, b"a" * 120
    lay(
        tmp_path,
        **{"a/1": b"one\n\n" + before + b"\xff" + after, "a/2": b"\xffx\n", "a/3": b"one\ntwo\0\n" + b"x" * 300},
    )
    rejects = read_folder(tmp_path, WHOLE).rejects
    assert rejects["line"].to_list() == [3, 1, 2]
    assert rejects["reason"].to_list() == [
        "not UTF-8: byte 0xff at position 86 (save the file as UTF-8, or name its encoding)",
        "not UTF-8: byte 0xff at position 1 (save the file as UTF-8, or name its encoding)",
        "NUL character: not text",
    ]
    assert rejects["seen"].to_list()[:2] == ["b" * 60 + "\\xff" + "a" * 99, "\\xffx\\n"]
    assert rejects["seen"][2].startswith("one\\ntwo\\x00\\nxxx") and len(rejects["seen"][2]) == 200


def test_a_file_that_is_no_text_is_shown_by_its_first_hundred_bytes(tmp_path: Path) -> None:
    lay(tmp_path, **{"a/1": b"%PDF" + b"x" * 200})
    rejects = read_folder(tmp_path, WHOLE).rejects
    assert rejects.rows() == [("a/1", 1, "not text: a PDF; only text can be read", "%PDF" + "x" * 96)]


def test_a_link_is_shown_with_its_target(tmp_path: Path) -> None:
    lay(tmp_path, **{"a/1": b"one"})
    (tmp_path / "a/2").symlink_to("nowhere")
    assert read_folder(tmp_path, WHOLE).rejects.rows() == [("a/2", 1, "broken symlink", "nowhere")]


def test_a_link_into_a_cache_of_dvc_comes_with_the_command_that_replaces_it(tmp_path: Path) -> None:
    raw, cached = tmp_path / "raw", f"files/md5/ab/{'0' * 30}"
    lay(raw, **{"a/1": b"Shares fell."})
    lay(tmp_path, **{cached: b"They won."})
    (raw / "a/2").symlink_to(tmp_path / cached)
    (reason,) = read_folder(raw, WHOLE).rejects["reason"]
    assert "symlink into DVC's cache" in reason and "`dvc checkout --relink`" in reason
    with pytest.raises(DataContractError, match=r"raw/a/2: symlink into DVC's cache"):
        check_inside(raw / "a/2", raw)


def test_what_is_no_file_of_the_folder_is_a_reject(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    lay(raw, **{"a/1": b"\xef\xbb\xbfTitle\r\n\r\nBody\r\n"})
    lay(tmp_path, **{"secret": b"x"})
    os.mkfifo(raw / "a/2")
    (raw / "a/3").symlink_to("../../secret")
    result = read_folder(raw, WHOLE)
    assert result.articles.rows() == [("Title\n\nBody", "a", "a/1", 1)]
    assert result.rejects.select("file", "reason").rows() == [
        ("a/2", "not a regular file"),
        ("a/3", "symlink points outside the corpus folder; copy the target into it"),
    ]
    (raw / "out").symlink_to(tmp_path)
    with pytest.raises(DataContractError, match="out: symlink points outside the corpus folder"):
        read_folder(raw, Folder(format="folder", path="out"))


def test_lines_are_counted_from_the_first_byte(tmp_path: Path) -> None:
    lay(tmp_path, **{"a/1": b"\n\xff", "a/2": b"\n\0", "a/3": b"x" * 300 + b"\0"})
    rejects = read_folder(tmp_path, WHOLE).rejects
    assert rejects["line"].to_list() == [2, 2, 1] and rejects["seen"][2] == "x" * 200


def test_a_file_in_utf16_is_text_if_the_folder_may_hold_it(tmp_path: Path) -> None:
    lay(tmp_path, **{"a/1": "中".encode("utf-16"), "a/2": "中".encode(), "a/3": b"%PDF-1.7 \xff\xfe"})
    assert read_folder(tmp_path, WHOLE).rejects["file"].to_list() == ["a/1", "a/3"]
    result = read_folder(tmp_path, Folder(format="folder", encoding="utf-8", other_encoding="utf-16"))
    assert result.articles["text"].to_list() == ["中", "中"] and result.rejects["file"].to_list() == ["a/3"]


def test_of_several_encodings_the_first_that_fits_is_taken(tmp_path: Path) -> None:
    lay(tmp_path, **{"a/1": "中文".encode(), "a/2": "中文".encode("gbk"), "a/3": b"\xff\xff"})
    result = read_folder(tmp_path, Folder(format="folder", encoding="utf-8", other_encoding="gb18030"))
    assert result.articles["text"].to_list() == ["中文", "中文"]
    assert "byte 0xff at position 1" in result.rejects["reason"].item()
    swapped = read_folder(tmp_path, Folder(format="folder", encoding="gb18030", other_encoding="utf-8"))
    assert swapped.articles["text"][0] != "中文" and swapped.rejects["reason"].item().startswith(
        "not gb18030 or utf-8: "
    )


def test_a_folder_without_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(DataContractError, match="has no files; expected one folder per class"):
        read_folder(tmp_path, WHOLE)
    with pytest.raises(DataContractError, match="has no files; expected a file per article"):
        read_folder(tmp_path, WHOLE, labeled=False)
    with pytest.raises(DataContractError, match="is not a folder"):
        read_folder(tmp_path, Folder(format="folder", path="b"))
