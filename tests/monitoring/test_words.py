"""The words that differ between sampled texts and the version's own rows."""

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from gazette.monitoring import reference, words
from gazette.monitoring.reference import Version
from gazette.serving.journal import layout

VERSION, OLD, NEW = Version("d.dir", "1", None), datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def journal(tmp_path: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sample of old texts like the version's rows, and of new ones with another word."""
    own = pl.DataFrame({"text": ["goal by ann@example.org", "bank"] * 60})
    monkeypatch.setattr(reference, "read_articles", lambda version: own)
    monkeypatch.setattr(reference, "find_folder", lambda version, name: bundle)
    for when, texts in ((OLD, ["goal by <email>", "bank"]), (NEW, ["goal by <email>", "omicron bank"])):
        lines = (
            json.dumps({"id": str(number), "hour": f"{when:%Y-%m-%dT%H}", "text": texts[number % 2]}) + "\n"
            for number in range(120)
        )
        path = tmp_path / layout.TEXTS / f"{when:%Y-%m-%d}.jsonl"
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(lines))
    return tmp_path


def test_a_new_word_is_named_and_masked_data_is_none(journal: Path) -> None:
    difference = words.compare_words(journal, VERSION, "tiny", NEW, 7)
    assert difference
    assert [row["word"] for row in difference.words if row["weight"] > 0.1] == ["omicron"]
    assert "example" not in {row["word"] for row in difference.words}


def test_texts_before_the_moment_do_not_count(journal: Path) -> None:
    assert words.compare_words(journal, VERSION, "tiny", datetime(2026, 4, 1, tzinfo=UTC), 7) is None
