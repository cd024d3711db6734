"""Paths, read off the commands of a `dvc.yaml`."""

from pathlib import Path

import pytest

from gazette.pipeline import cmdline

PIPELINE = """
stages:
  validate:
    cmd: >-
      gazette validate
      --raw data/raw/${corpus}
      --valid-articles data/valid/articles.parquet
  train:
    matrix: {candidate: "${candidates}"}
    cmd: gazette train --candidate ${item.candidate} --bundle models/${item.candidate}
  fine_tune:
    foreach: ${further.fine_tuned}
    do:
      cmd: gazette fine_tune --candidate ${key} --pretrained data/${item}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dvc.yaml").write_text(PIPELINE)
    monkeypatch.chdir(tmp_path)


def test_options_are_words_with_underscores() -> None:
    command = 'gazette validate --valid-articles "a folder/b.parquet" --raw c'
    assert cmdline.options(command) == {"valid_articles": "a folder/b.parquet", "raw": "c"}


def test_an_option_without_its_value_is_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        cmdline.options("gazette validate --raw a --docs")


@pytest.mark.usefixtures("project")
def test_the_corpus_is_filled_in() -> None:
    found = cmdline.paths({"corpus": "tiny", "candidates": [], "further": {"fine_tuned": {}}})
    assert found == {"validate": {"raw": "data/raw/tiny", "valid_articles": "data/valid/articles.parquet"}}


@pytest.mark.usefixtures("project")
def test_every_candidate_has_its_own_paths() -> None:
    found = cmdline.paths({"corpus": "tiny", "candidates": ["cnn", "lstm"], "further": {"fine_tuned": {}}})
    assert found["train@cnn"] == {"candidate": "cnn", "bundle": "models/cnn"}
    assert found["train@lstm"] == {"candidate": "lstm", "bundle": "models/lstm"}
    assert "train" not in found


@pytest.mark.usefixtures("project")
def test_a_candidate_that_begins_with_something_has_its_paths_too() -> None:
    found = cmdline.paths({"corpus": "tiny", "candidates": [], "further": {"fine_tuned": {"one": "an_encoder"}}})
    assert found["fine_tune@one"] == {"candidate": "one", "pretrained": "data/an_encoder"}
