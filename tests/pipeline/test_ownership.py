"""What proves that a file in a folder is ours."""

from pathlib import Path

import pytest
from prefect_dvc.core import atomic

from gazette.pipeline import ownership


def test_a_marker_is_read_back_and_owns_what_it_lists(tmp_path: Path) -> None:
    marker = ownership.write_marker(tmp_path, "score", ["a"])
    assert ownership.read_marker(tmp_path) == marker
    more = ownership.add_files(tmp_path, marker, ["b"])
    assert (more.run, more.files) == (marker.run, ["a", "b"])
    partial = atomic.temporary_path(tmp_path / "b").name
    assert [more.owns(name) for name in ("a", "b", "_gazette", partial, "c", "b.partial")] == [True] * 4 + [False] * 2


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff", b"[]", b"null", b'{"owner": "another team"}',
     b'{"gazette": "score", "run": "1", "began": "", "files": []}',
     b'{"gazette": "score", "run": "' + b"a" * 32 + b'", "began": "", "files": [1]}'],
)  # fmt: skip
def test_a_file_with_the_name_of_the_marker_is_not_one(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ownership.MARKER).write_bytes(content)
    assert ownership.read_marker(tmp_path) is None
    assert ownership.find_stranger(tmp_path, None) == ownership.MARKER


def test_a_marker_behind_a_symlink_is_not_one(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    ownership.write_marker(tmp_path / "other", "score", [])
    (tmp_path / ownership.MARKER).symlink_to(tmp_path / "other" / ownership.MARKER)
    assert ownership.read_marker(tmp_path) is None
