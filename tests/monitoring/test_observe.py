"""The observation of a champion: the same from the same files, and quiet as long as it knows too little."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from journals import records
from projects import ROOT

from gazette.core.errors import ConfigError
from gazette.monitoring import answers, observe, reference
from gazette.registry import ledger
from gazette.registry.ledger import VersionRef
from gazette.serving.journal import write

LABELS, DIGEST = ["sport", "trade"], "d" * 32 + ".dir"
FIRST = datetime(2025, 1, 13, 12, tzinfo=UTC)
SINCE = FIRST - timedelta(days=1)


def traffic(days: int, seed: int = 0, changed_from: int = 10**9) -> pl.DataFrame:
    """Return fifty articles a day; from one on, nine in ten are of the first label, before it half."""
    draw, rows = np.random.default_rng(seed), []
    for day in range(days):
        share = 0.9 if day >= changed_from else 0.5
        picks = draw.random(50) > share
        rows += [{"hour": FIRST + timedelta(days=day), "label": LABELS[int(pick)], "digest": DIGEST} for pick in picks]
    return records(rows, LABELS)


def fill(root: Path, table: pl.DataFrame) -> None:
    """Write records to the journal of a project, an hour after another."""
    journal = root / observe.JOURNAL
    for (hour,), part in table.group_by("hour", maintain_order=True):
        assert isinstance(hour, datetime)
        write.write_table(journal, hour.strftime("%Y-%m-%dT%H"), "score-1", part)
    write.write_labels(journal, DIGEST, LABELS)


def promote(version: VersionRef, when: datetime) -> None:
    """Make a version champion."""
    entry = ledger.next_entry(ledger.read_ledger(), "promotion", "bbc_news", version, "t", "", "c" * 40, None, when)
    ledger.append_entry(entry)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a champion whose own rows are not available; its recorded error is a tenth."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    promote(VersionRef("3", DIGEST, "c" * 40), SINCE)

    def unavailable(*_: Any) -> pl.DataFrame:
        raise ConfigError("not here")

    monkeypatch.setattr(reference, "predict", unavailable)
    monkeypatch.setattr(reference, "recorded_error", lambda version: 0.1)
    return tmp_path


def look(root: Path, day: int, **more: Any) -> observe.Observation:
    return observe.observe(root, "bbc_news", FIRST + timedelta(days=day), **more)


def answer(root: Path, errors: list[bool], how: str = "asked", first: int = 0) -> None:
    """Record answers about articles of successive hours."""
    rows = []
    for number, wrong in enumerate(errors, first):
        hour = (FIRST + timedelta(hours=number)).strftime(answers.HOUR)
        rows.append({"id": f"{how}{number}", "hour": hour, "digest": DIGEST, "predicted": "sport", "how": how,
                     "when": "2025-06-01T00:00:00+00:00", "label": "trade" if wrong else "sport"})  # fmt: skip
    folder = root / observe.FOLDER / answers.ANSWERS
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "2025-06-01.jsonl").open("a") as file:
        file.writelines(map(answers._line, rows))


def test_a_change_in_the_newest_window_alarms(project: Path) -> None:
    fill(project, traffic(260, changed_from=220))
    observation = look(project, 260)
    assert observation.unlabeled_alarms == ["labels"]
    assert observation.is_alarm
    assert observation.reference.startswith("the first windows of the journal")
    assert (observation.version, observation.digest) == ("3", DIGEST)


def test_traffic_that_does_not_change_is_quiet_and_looks_the_same_again(project: Path) -> None:
    fill(project, traffic(260))
    first, again = look(project, 260), look(project, 260)
    assert not first.is_alarm
    assert first.windows == again.windows
    assert first.windows[-1]["thresholds"].keys() == {"labels", "confidence", "unknown", "length", "language"}


def test_a_champion_without_records_is_quiet_with_a_note(project: Path) -> None:
    observation = look(project, 1)
    assert (observation.windows, observation.is_alarm) == ([], False)
    assert any("no predictions of the bundle" in note for note in observation.notes)


def test_records_of_other_versions_and_of_shadows_do_not_count(project: Path) -> None:
    stranger = traffic(60).with_columns(digest=pl.lit("e" * 32 + ".dir"))
    fill(project, pl.concat([traffic(60), stranger, traffic(60).with_columns(source=pl.lit("shadow"))]).sort("hour"))
    assert {row["rows"] for row in look(project, 60).windows} == {28 * 50}


def test_a_period_of_the_journal_can_be_the_reference(project: Path) -> None:
    fill(project, traffic(260, changed_from=0))
    begin = FIRST.date()
    observation = look(project, 260, period=(begin, begin + timedelta(days=200)))
    assert observation.reference == f"the journal from {begin} to before {begin + timedelta(days=200)}"
    assert not observation.is_alarm


def test_errors_of_random_answers_alarm_and_those_of_disagreement_never_do(project: Path) -> None:
    fill(project, traffic(60))
    answer(project, [True] * 300, how="disagreement")
    quiet = look(project, 60)
    assert (quiet.labels, quiet.cusum.alarm_at, quiet.new_rows) == (0, None, 300)
    answer(project, [False] * 20 + [True] * 60)
    alarm = look(project, 60)
    assert alarm.labels == 80
    assert alarm.cusum.alarm_at is not None
    assert alarm.alarm_hour == FIRST + timedelta(hours=alarm.cusum.alarm_at)
    assert alarm.accuracy
    assert alarm.accuracy["accuracy"] == 0.25


def test_answers_about_articles_before_the_promotion_do_not_count(project: Path) -> None:
    answer(project, [True] * 100)
    promote(VersionRef("3", DIGEST, "c" * 40), FIRST + timedelta(hours=90))
    assert look(project, 60).labels == 10


def test_dated_rows_of_the_version_are_the_reference(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = traffic(200, seed=3).with_columns(pl.col("hour") - timedelta(days=300), actual=pl.col("label"))
    own = table.with_columns(actual=pl.when(pl.int_range(pl.len()) % 10 == 0).then(pl.lit("x")).otherwise("actual"))
    monkeypatch.setattr(reference, "predict", lambda *_: own)
    fill(project, traffic(60, changed_from=0))
    observation = look(project, 60)
    assert observation.reference == "the dated valid and test rows of the version"
    assert observation.error == pytest.approx(0.1)
    assert observation.unlabeled_alarms == ["labels"]
    newest = observation.windows[-1]
    assert newest["unlabeled"]["cbpe"] == pytest.approx(0.9, abs=0.01)
    assert newest["mix"]["shares"].keys() == {*LABELS}


def test_rows_without_dates_leave_the_journal_as_reference_and_say_so(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = traffic(20).with_columns(hour=pl.lit(None, pl.Datetime("us", "UTC")), actual=pl.col("label"))
    monkeypatch.setattr(reference, "predict", lambda *_: own)
    fill(project, traffic(60))
    assert look(project, 60).reference == "the first windows of the journal, since valid and test rows have no dates"


def test_an_unknown_name_is_refused(project: Path) -> None:
    with pytest.raises(ConfigError, match=r"no champion in ledger\.jsonl and no selected bundle"):
        observe.observe(project, "nothing", FIRST)
