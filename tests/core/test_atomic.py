"""A file is complete or absent, and its temporary name is nobody else's."""

import json
from pathlib import Path

import pytest

from gazette.core import atomic
from gazette.core.errors import ConfigError


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


def bundle(folder: Path, **more: str) -> Path:
    folder.mkdir()
    for name, text in {"bundle.json": json.dumps({"labels": []}), "model.onnx": "", "tokenizer.json": ""}.items():
        (folder / name).write_text(text)
    for name, text in more.items():
        (folder / name.replace("__", ".")).write_text(text)
    return folder


def test_an_earlier_bundle_is_replaced(tmp_path: Path) -> None:
    bundle(tmp_path / "x", weights__h5="", ids__tokenizer__json="")
    with atomic.atomic_bundle(tmp_path / "x") as partial:
        (partial / "bundle.json").write_text("new")
    assert [(path.name, path.read_text()) for path in (tmp_path / "x").iterdir()] == [("bundle.json", "new")]
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize("name", ["notes.txt", "data.csv"])
def test_a_folder_with_more_than_a_bundle_is_not_replaced(tmp_path: Path, name: str) -> None:
    bundle(tmp_path / "x")
    (tmp_path / "x" / name).write_text("mine")
    with (
        pytest.raises(ConfigError, match=f"x/{name} is no part of a bundle"),
        atomic.atomic_bundle(tmp_path / "x"),
    ):
        pytest.fail("it has begun")
    assert (tmp_path / "x" / name).read_text() == "mine" and len(list(tmp_path.iterdir())) == 1


def test_a_link_or_a_file_is_not_replaced_by_a_bundle(tmp_path: Path) -> None:
    bundle(tmp_path / "disk")
    (tmp_path / "link").symlink_to("disk")
    (tmp_path / "file").write_text("mine")
    for name in ("link", "file"):
        with pytest.raises(ConfigError, match=f"{name} is no part"), atomic.atomic_bundle(tmp_path / name):
            pytest.fail("it has begun")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "disk" / "bundle.json").exists()
