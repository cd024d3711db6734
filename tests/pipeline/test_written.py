"""A file at a path that the user gives is replaced only if it is as Gazette wrote it."""

from pathlib import Path

import pytest
from prefect_dvc.core.errors import ConfigError

from gazette.evaluation.ci import comment
from gazette.pipeline import state, written


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_we_wrote_is_replaced_and_what_was_edited_since_is_not() -> None:
    path = Path("docs/card.md")
    written.write_text(path, "1")
    written.write_text(path.absolute(), "2")
    path.write_text("2, and my remarks")
    with pytest.raises(ConfigError, match=r"docs/card\.md exists and is not as Gazette wrote it"):
        written.write_text(path, "3")
    assert path.read_text() == "2, and my remarks"


def test_a_file_of_somebody_elses_stays() -> None:
    Path("README.md").write_text("mine")
    with pytest.raises(ConfigError, match="is not replaced"):
        written.check_replaceable(Path("README.md"))


def test_an_empty_file_is_filled() -> None:
    Path("new").touch()
    written.write_text(Path("new"), "text")
    assert Path("new").read_text() == "text"


@pytest.mark.parametrize("target", ["precious", "nowhere", "/dev/null"])
def test_a_symlink_stays_a_symlink(target: str) -> None:
    Path("precious").touch()
    Path("link").symlink_to(target)
    with pytest.raises(ConfigError, match="link exists"):
        written.write_text(Path("link"), "text")
    assert Path("link").is_symlink() and Path("precious").read_text() == ""


@pytest.mark.parametrize("path", ["folder", "file/inside"])
def test_a_folder_in_the_place_of_a_file_or_the_other_way_round_is_named(path: str) -> None:
    Path("folder").mkdir()
    Path("file").write_text("mine")
    with pytest.raises(ConfigError, match=path.partition("/")[0]):
        written.write_text(Path(path), "text")


def test_a_comment_is_known_by_its_content() -> None:
    assert comment.is_comment(comment.UNFINISHED.encode())
    text = "## ✅ Accepted\n\nJudged: 012345678 with 2 uncommitted files"
    assert comment.is_comment(text.encode()) and not comment.is_comment(f"# Notes\n{text}".encode())


def test_a_file_in_the_place_of_our_folder_is_named() -> None:
    Path(".gazette").write_text("mine")
    with pytest.raises(ConfigError, match=r"\.gazette is not a folder"):
        state.state_folder(Path())
    assert Path(".gazette").read_text() == "mine"
