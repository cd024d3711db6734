"""Paths, read off the commands of a `dvc.yaml`."""

from pathlib import Path

import pytest
from prefect_dvc.core.errors import ConfigError

from gazette.pipeline import cmdline

PIPELINE = """
stages:
  validate:
    cmd: >-
      gazette validate
      --raw data/raw/${corpus}
      --validated data/validated/articles.parquet
  train:
    matrix: {candidate: "${candidates}"}
    cmd: gazette train --candidate ${item.candidate} --bundle models/${item.candidate}
  fine_tune:
    foreach: ${pretrained.fine_tune}
    do:
      cmd: gazette fine_tune --candidate ${key} --pretrained data/${item}
"""

NOT_WORDS = ['"ti ny"', '"ti\'ny"', "my model", '""', '"-x"', "tiny; touch made"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dvc.yaml").write_text(PIPELINE)
    monkeypatch.chdir(tmp_path)


def test_options_are_words_with_underscores() -> None:
    command = 'gazette validate --validated "a folder/b.parquet" --raw c'
    assert cmdline.parse_options(command) == {"validated": "a folder/b.parquet", "raw": "c"}


def test_an_option_without_its_value_is_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        cmdline.parse_options("gazette validate --raw a --docs")


@pytest.mark.usefixtures("project")
def test_the_corpus_is_filled_in() -> None:
    paths = cmdline.stage_paths({"corpus": "tiny", "candidates": [], "pretrained": {"fine_tune": {}}})
    assert paths == {"validate": {"raw": "data/raw/tiny", "validated": "data/validated/articles.parquet"}}


@pytest.mark.usefixtures("project")
def test_every_candidate_has_its_own_paths() -> None:
    paths = cmdline.stage_paths({"corpus": "tiny", "candidates": ["cnn", "lstm"], "pretrained": {"fine_tune": {}}})
    assert paths["train@cnn"] == {"candidate": "cnn", "bundle": "models/cnn"}
    assert paths["train@lstm"] == {"candidate": "lstm", "bundle": "models/lstm"}
    assert "train" not in paths


@pytest.mark.usefixtures("project")
def test_a_pretrained_candidate_has_its_own_paths() -> None:
    paths = cmdline.stage_paths(
        {"corpus": "tiny", "candidates": [], "pretrained": {"fine_tune": {"tuned": "an_encoder"}}}
    )
    assert paths["fine_tune@tuned"] == {"candidate": "tuned", "pretrained": "data/an_encoder"}


@pytest.mark.usefixtures("project")
def test_a_section_that_lists_candidates_and_is_missing_is_named() -> None:
    with pytest.raises(ConfigError, match=r"no pretrained\.fine_tune, which stage fine_tune"):
        cmdline.stage_paths({"corpus": "tiny", "candidates": []})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("corpus: [a]", r"corpus: expected the name of a corpus, got \['a'\]"),
        ("corpus: 7", "corpus: expected the name of a corpus, got 7"),
        ("candidates: linear", "candidates: expected a list of names, such as .*, got 'linear'"),
        (
            "candidates: []\npretrained: {fine_tune: {}, linear_probe: {}}\nteachers: {}",
            "candidates: none; list one",
        ),
        ("candidates: [linear, cnn, linear]", "candidates: linear is listed twice"),
        ("candidates:", "candidates: expected a list of names, such as .*, got None"),
        (
            "validate:\npreprocess: {}",
            "section validate: expected keys and values, got nothing: is what is below it ind",
        ),
        (
            "pretrained: {fine_tune: [minilm]}",
            r"pretrained: fine_tune: expected a candidate and its encoder.*\['minilm'\]",
        ),
        ("preprocess: {test_from: 2026-01-01}", "preprocess.test_from: put the date in quotes"),
        *((f"corpus: {name}", "corpus: .*: a name has lower-case letters") for name in NOT_WORDS),
        *((f"candidates: [{name}]", "candidate or encoder .*: a name has letters") for name in NOT_WORDS),
        *((f"teachers: {{{name}: cnn}}", "candidate or encoder .*: a name has letters") for name in NOT_WORDS),
        ("pretrained: {fine_tune: {minilm: all minilm}}", "candidate or encoder 'all minilm': a name has"),
        ("models: [1]", r"section models: expected keys and values, got \[1\]"),
    ],
)
def test_a_value_of_the_wrong_kind_in_params_is_named(project: None, text: str, message: str) -> None:
    Path("params.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"^params\.yaml.*" + message):
        cmdline.read_params()


def test_a_candidate_without_a_section_of_models_is_named() -> None:
    params = {"models": {"linear": {}, "cnn": {}}, "pretrained": {"fine_tune": {}, "linear_probe": {}}, "teachers": {}}
    cmdline.check_candidates({"candidates": ["cnn"], **params})
    with pytest.raises(ConfigError, match=r"candidates: cnnn: section models has none .*; it has linear, cnn"):
        cmdline.check_candidates({"candidates": ["cnnn"], **params})


@pytest.mark.parametrize(("key", "message"), [("corpus", "`gazette corpus list`"), ("models", "no section models")])
def test_what_params_lack_is_named_when_it_is_needed(project: None, key: str, message: str) -> None:
    Path("params.yaml").write_text("seed: 7")
    params = cmdline.read_params()
    assert (params["seed"], params.get(key), key in params) == (7, None, False)
    with pytest.raises(ConfigError, match=message):
        params[key]
