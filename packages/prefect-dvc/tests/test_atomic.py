"""A file is complete or absent, and its temporary name is nobody else's."""

from pathlib import Path

import pytest

from prefect_dvc.core import atomic


def test_two_writers_of_one_file_have_two_temporary_names(tmp_path: Path) -> None:
    mine = tmp_path / "a.json.partial"
    mine.write_text("mine")
    with atomic.atomic_path(tmp_path / "a.json") as first, atomic.atomic_path(tmp_path / "a.json") as second:
        assert first != second and atomic.final_name(first.name) == "a.json"
        first.write_text("1")
        second.write_text("2")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "a.json.partial"]
    assert mine.read_text() == "mine"


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("before")
    with pytest.raises(KeyboardInterrupt), atomic.atomic_path(tmp_path / "a") as partial:
        partial.write_text("half")
        raise KeyboardInterrupt
    assert [path.read_text() for path in tmp_path.iterdir()] == ["before"]
