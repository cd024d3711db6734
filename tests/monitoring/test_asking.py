"""Questions of the flow `watch`: drawn once for each request, also if a kill came before that was noted."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from prefect_dvc.core.errors import ConfigError
from root import ROOT

from gazette.monitoring import answers, asking, observe
from gazette.registry import ledger
from gazette.registry.ledger import VersionRef
from gazette.serving.journal import layout, write
from gazette.serving.journal.records import Prediction

NOW = datetime(2026, 11, 29, 7, 30, 12, 345, tzinfo=UTC)
HOUR = "2026-11-29T06"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a champion that labeled 40 articles whose texts are in the journal's sample."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "params.yaml", tmp_path)
    champion = VersionRef("1", "one.dir", "r" * 40)
    ledger.append_entry(ledger.next_entry([], "promotion", "news", champion, "t", "", "c" * 40))
    journal = tmp_path / observe.JOURNAL
    ids = [f"{number}#0" for number in range(40)]
    write.append(journal, [Prediction(HOUR, "one.dir", key, "sport", [1.0], 9, 0.0, "", 1.0, "serve") for key in ids])
    texts = journal / layout.TEXTS / f"{HOUR}.jsonl"
    texts.parent.mkdir()
    texts.write_text("".join(json.dumps({"id": key, "hour": HOUR, "text": f"text {key}"}) + "\n" for key in ids))
    return tmp_path


def questions(root: Path) -> pl.DataFrame:
    return answers.read_questions(root / observe.FOLDER)


def test_a_request_that_was_not_noted_is_answered_by_the_questions_that_it_drew(root: Path) -> None:
    first = asking.ask(root, "news", 10, NOW)
    path = root / observe.FOLDER / "asked" / "2026-11-29T073012.000000.csv"
    assert first == f"10 articles to label: fill in {path}, then `gazette monitor answer {path}`"
    ids = questions(root)["id"].to_list()
    path.unlink()
    assert asking.ask(root, "news", 10, NOW) == first
    assert questions(root)["id"].to_list() == ids
    assert path.read_text(encoding="utf-8-sig").count("\n") == 11


def test_a_weeks_questions_are_as_many_as_params_say_and_none_is_asked_twice(root: Path) -> None:
    assert asking.ask(root, "news", None, NOW).startswith("25 articles")
    assert asking.ask(root, "news", None, NOW + timedelta(days=7)).startswith("15 articles")
    assert asking.ask(root, "news", None, NOW + timedelta(days=14)) == ""
    assert questions(root)["id"].n_unique() == 40


def test_questions_of_the_flow_are_removed_with_their_texts(root: Path) -> None:
    asking.ask(root, "news", 10, NOW)
    answers.remove_questions(root / observe.FOLDER, NOW + timedelta(days=30))
    assert list((root / observe.FOLDER / "asked").iterdir()) == []


def test_without_a_champion_there_is_nothing_to_ask_about(root: Path) -> None:
    with pytest.raises(ConfigError, match="sport has no champion, so there is nothing to ask about"):
        asking.ask(root, "sport", 10, NOW)
