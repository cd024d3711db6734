"""A bundle's folder is replaced as a whole, and only if it holds a bundle."""

import json
from pathlib import Path

import pytest
from prefect_dvc.core.errors import ConfigError

from gazette.core import bundle_folder


def bundle(folder: Path, **more: str) -> Path:
    folder.mkdir()
    for name, text in {"bundle.json": json.dumps({"labels": []}), "model.onnx": "", "tokenizer.json": ""}.items():
        (folder / name).write_text(text)
    for name, text in more.items():
        (folder / name.replace("__", ".")).write_text(text)
    return folder


def test_an_earlier_bundle_is_replaced(tmp_path: Path) -> None:
    bundle(tmp_path / "x", weights__h5="", ids__tokenizer__json="")
    with bundle_folder.atomic_bundle(tmp_path / "x") as partial:
        (partial / "bundle.json").write_text("new")
    assert [(path.name, path.read_text()) for path in (tmp_path / "x").iterdir()] == [("bundle.json", "new")]
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize("name", ["notes.txt", "data.csv"])
def test_a_folder_with_more_than_a_bundle_is_not_replaced(tmp_path: Path, name: str) -> None:
    bundle(tmp_path / "x")
    (tmp_path / "x" / name).write_text("mine")
    with (
        pytest.raises(ConfigError, match=f"x/{name} is no part of a bundle"),
        bundle_folder.atomic_bundle(tmp_path / "x"),
    ):
        pytest.fail("it has begun")
    assert (tmp_path / "x" / name).read_text() == "mine" and len(list(tmp_path.iterdir())) == 1


def test_a_link_or_a_file_is_not_replaced_by_a_bundle(tmp_path: Path) -> None:
    bundle(tmp_path / "disk")
    (tmp_path / "link").symlink_to("disk")
    (tmp_path / "file").write_text("mine")
    for name in ("link", "file"):
        with pytest.raises(ConfigError, match=f"{name} is no part"), bundle_folder.atomic_bundle(tmp_path / name):
            pytest.fail("it has begun")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "disk" / "bundle.json").exists()
