"""`gazette monitor`: quiet or alarm by the exit code, questions to a person and back, a page that asks for nothing."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result
from journals import DIGEST, FIRST, LABELS, fill, make_watched, record_answers, traffic
from prefect_dvc.core.errors import ConfigError

from gazette.cli import app
from gazette.monitoring import answers, observe, reference
from gazette.serving.journal import layout, write
from gazette.serving.journal.records import Prediction

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run commands in a project with a champion whose own rows are not available; its recorded error is a tenth."""
    monkeypatch.chdir(tmp_path)
    make_watched(tmp_path)
    labels = json.dumps({"language": "en", "labels": LABELS, "source": "x", "terms": "x", "files": {"train": []}})
    (tmp_path / "data" / "corpora").mkdir(parents=True)
    (tmp_path / "data" / "corpora" / "bbc_news.yaml").write_text(labels.replace("[]", '[{"format": "folder"}]'))

    def unavailable(*_: Any) -> pl.DataFrame:
        raise ConfigError("not here")

    for name in ("predict", "read_articles"):
        monkeypatch.setattr(reference, name, unavailable)
    monkeypatch.setattr(reference, "recorded_error", lambda version: 0.1)
    return lambda *words: CliRunner().invoke(app.gazette, ["monitor", *words], catch_exceptions=False)


def sample(root: Path, count: int) -> None:
    """Let the champion label articles that are all in the sample."""
    hour = datetime.now(UTC) - timedelta(hours=1)
    name = hour.strftime("%Y-%m-%dT%H")
    ids = [f"r{number}#0" for number in range(count)]
    write.append(
        root / observe.JOURNAL,
        [Prediction(name, DIGEST, key, "sport", [0.9, 0.1], 5, 0.0, "", 1.0, "serve") for key in ids],
    )
    write.write_labels(root / observe.JOURNAL, DIGEST, LABELS)
    texts = root / observe.JOURNAL / layout.TEXTS
    texts.mkdir()
    rows = (json.dumps({"id": key, "hour": name, "text": f"goal {key}"}) + "\n" for key in ids)
    (texts / f"{name[:10]}.jsonl").write_text("".join(rows))


def test_the_exit_code_says_whether_anything_alarms(run: Run, tmp_path: Path) -> None:
    fill(tmp_path, traffic(200))
    quiet = run()
    assert (quiet.exit_code, "bbc_news, version 3: quiet" in quiet.stdout) == (0, True)
    record_answers(tmp_path, [True] * 50)
    alarm = run()
    assert (alarm.exit_code, "bbc_news, version 3: alarm (errors)" in alarm.stdout) == (1, True)
    assert "50 labels, 0.0% right" in alarm.stdout


@pytest.mark.parametrize(
    ("days", "message"),
    [
        (10, "500 records, and no window is complete; the next one is on 20"),
        (70, "No thresholds yet: the reference needs 6 windows"),
    ],
)
def test_what_is_not_known_yet_is_said(run: Run, tmp_path: Path, days: int, message: str) -> None:
    fill(tmp_path, traffic(days).with_columns(pl.col("hour") + (datetime.now(UTC) - FIRST) - timedelta(days=days)))
    result = run()
    assert (result.exit_code, message in result.stdout) == (0, True)


def test_json_has_what_the_page_shows(run: Run, tmp_path: Path) -> None:
    fill(tmp_path, traffic(200))
    record_answers(tmp_path, [True] * 50)
    result = run("--json", "--page", "m.html", "--since", "2025-06-01")
    record = json.loads(result.stdout)
    assert (record["is_alarm"], record["labels"], record["cusum"]["alarm_at"] > 0) == (True, 50, True)
    assert all(row["from"] >= "2025-06-01" for row in record["windows"])
    html = Path("m.html").read_text(encoding="utf-8")
    assert "It errs more than on the reference" in html
    assert not re.search(r"(?:src|href)=\"(?!data:|#)", re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL))
    assert run("--page", "m.html").exit_code == 1  # a page replaces a page
    Path("m.html").write_text("mine")
    with pytest.raises(ConfigError, match="not as Gazette wrote it"):
        run("--page", "m.html")


def test_a_journal_without_the_champion_is_not_quiet(run: Run) -> None:
    with pytest.raises(ConfigError, match="has no predictions of the bundle"):
        run()


NO_DAYS = [("--since", "May"), ("--reference", "2026-01-01"), ("--reference", "2026-02-01..2026-01-01")]


@pytest.mark.parametrize("words", NO_DAYS)
def test_days_are_days(run: Run, words: tuple[str, ...]) -> None:
    assert run(*words).exit_code == 2


def test_questions_go_to_a_person_and_come_back(run: Run, tmp_path: Path) -> None:
    sample(tmp_path, 10)
    printed = run("ask", "4", "--to", "q.csv")
    assert printed.stdout == "Fill in column label, then: gazette monitor answer q.csv\n"
    table = pl.read_csv("q.csv")
    assert table.columns == ["id", "text", "label"]
    assert all(text.startswith("goal") for text in table["text"])
    table.with_columns(label=pl.Series(["sport", "trade", "", "trade"])).write_csv("q.csv")
    taken = run("answer", "q.csv", "--who", "ann")
    assert taken.stdout == "3 labels recorded; 0 were recorded before.\n"
    assert run("answer", "q.csv", "--who", "ann").stdout == "0 labels recorded; 3 were recorded before.\n"
    observation = observe.observe(tmp_path, "bbc_news", datetime.now(UTC))
    assert (observation.labels, observation.unanswered, observation.new_rows) == (3, 1, 3)
    with pytest.raises(ConfigError, match="not as Gazette wrote it"):  # what a person filled in is not replaced
        run("ask", "4", "--to", "q.csv")


def test_a_sample_that_is_used_up_says_what_to_change(run: Run, tmp_path: Path) -> None:
    sample(tmp_path, 2)
    assert run("ask", "5").exit_code == 0
    with pytest.raises(ConfigError, match=r"nobody was asked about.*monitor\.sample"):
        run("ask", "5")


def test_questions_are_removed_with_the_texts_of_their_time(run: Run, tmp_path: Path) -> None:
    sample(tmp_path, 3)
    folder = tmp_path / observe.FOLDER / answers.ASKED
    run("ask", "1")
    old = next(folder.glob("*.jsonl"))
    old.rename(folder / "2020-01-01T000000.000000.jsonl")
    run("ask", "1")
    assert [path.name[:4] for path in folder.glob("*.jsonl")] != ["2020"]
    assert FIRST.year not in {int(path.name[:4]) for path in folder.glob("*")}
