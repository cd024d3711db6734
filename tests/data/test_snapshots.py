"""A corpus as it is here, and as it was at a revision."""

import subprocess
from pathlib import Path

import pytest
from prefect_dvc import storage
from prefect_dvc.core.errors import ConfigError

from gazette.data import snapshots

pytestmark = pytest.mark.usefixtures("warm_commands")

DESCRIPTION = """\
language: en
labels: [a, b]
files: {train: [{format: csv, path: all.csv, header: true, text: [text], label: label}]}
source: made here
terms: none
"""


def run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git and DVC project whose corpus had one article in its first commit and has two now."""
    monkeypatch.chdir(tmp_path)
    for words in (["init", "-q"], ["config", "user.email", "a@b.c"], ["config", "user.name", "a"]):
        run("git", *words)
    run("dvc", "init", "-q")
    Path("data/corpora").mkdir(parents=True)
    Path("data/raw/tiny").mkdir(parents=True)
    Path("data/corpora/tiny.yaml").write_text(DESCRIPTION)
    Path("params.yaml").write_text("corpus: tiny\n")
    for number, content in enumerate(("label,text\na,one\n", "label,text\na,one\nb,two\n")):
        Path("data/raw/tiny/all.csv").write_text(content)
        storage.dvc_add(Path("data/raw/tiny"))
        run("git", "add", "-A")
        run("git", "commit", "-q", "-m", str(number))
    return tmp_path


@pytest.mark.slow
def test_a_name_is_the_corpus_here_and_a_revision_the_one_of_then(project: Path, tmp_path: Path) -> None:
    box = tmp_path / "box"
    assert snapshots.find_snapshot("tiny", box)[1] == Path("data/raw/tiny")
    for word in ("HEAD~1", "tiny@HEAD~1"):
        described, raw = snapshots.find_snapshot(word, box / word)
        assert described.labels == ["a", "b"]
        assert (raw / "all.csv").read_text() == "label,text\na,one\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("nothing", "git knows no revision 'nothing'"),
        ("other@HEAD", r"data/corpora/other\.yaml does not exist at revision [0-9a-f]{40}"),
    ],
)
def test_what_is_neither_a_corpus_nor_a_revision_is_named(
    project: Path, tmp_path: Path, word: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        snapshots.find_snapshot(word, tmp_path / "box")


@pytest.mark.slow
def test_files_that_no_cache_has_say_what_brings_them(project: Path, tmp_path: Path) -> None:
    run("rm", "-rf", ".dvc/cache")
    with pytest.raises(ConfigError, match="neither in DVC's cache nor in its remote"):
        snapshots.find_snapshot("HEAD~1", tmp_path / "box")
