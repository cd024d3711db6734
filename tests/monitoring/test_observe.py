"""The observation of a champion: the same from the same files, and quiet as long as it knows too little."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from journals import DIGEST, FIRST, LABELS, fill, make_watched, promote, record_answers, traffic
from prefect_dvc.core.errors import ConfigError

from gazette.monitoring import accuracy, cusum, observe, reference
from gazette.registry.ledger import VersionRef


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a champion whose own rows are not available; its recorded error is a tenth."""
    monkeypatch.chdir(tmp_path)
    make_watched(tmp_path)

    def unavailable(*_: Any) -> pl.DataFrame:
        raise ConfigError("not here")

    monkeypatch.setattr(reference, "predict", unavailable)
    monkeypatch.setattr(reference, "recorded_error", lambda version: 0.1)
    return tmp_path


def look(root: Path, day: int, **more: Any) -> observe.Observation:
    return observe.observe(root, "bbc_news", FIRST + timedelta(days=day), **more)


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
    assert [row["rows"] for row in look(project, 60).windows] == [27 * 50, 28 * 50]  # champion a day before


def test_a_period_of_the_journal_can_be_the_reference(project: Path) -> None:
    fill(project, traffic(260, changed_from=0))
    begin = FIRST.date()
    observation = look(project, 260, period=(begin, begin + timedelta(days=200)))
    assert observation.reference == f"the journal from {begin} to before {begin + timedelta(days=200)}"
    assert not observation.is_alarm


def test_errors_of_random_answers_alarm_and_those_of_disagreement_never_do(project: Path) -> None:
    fill(project, traffic(60))
    record_answers(project, [True] * 300, how="disagreement")
    quiet = look(project, 60)
    assert (quiet.labels, quiet.cusum.alarm_at, quiet.new_rows) == (0, None, 300)
    record_answers(project, [False] * 20 + [True] * 60)
    alarm = look(project, 60)
    assert alarm.labels == 80
    assert alarm.cusum.alarm_at is not None
    assert alarm.alarm_hour == FIRST + timedelta(hours=alarm.cusum.alarm_at)
    params, clusters = observe.read_params(), cusum.Clusters(100, 0.01)  # 25 a week, four weeks a window
    a_year = params.labels_a_week * accuracy.WEEKS_A_YEAR
    assert alarm.cusum.interval == cusum.decision_interval(
        0.1, params.loss, params.labeled_alarms_a_year, a_year, clusters
    )
    assert alarm.accuracy
    assert alarm.accuracy["accuracy"] == 0.25


def test_answers_about_articles_before_the_promotion_do_not_count(project: Path) -> None:
    record_answers(project, [True] * 100)
    promote(VersionRef("3", DIGEST, "c" * 40), FIRST + timedelta(hours=90))
    assert look(project, 60).labels == 10


def test_answers_about_articles_of_the_hour_of_the_promotion_count(project: Path) -> None:
    record_answers(project, [True] * 100)
    promote(VersionRef("3", DIGEST, "c" * 40), FIRST + timedelta(hours=90, minutes=34))
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
    assert (
        look(project, 60).reference == "the first windows of the journal, since valid and test rows are without dates"
    )


def test_dated_rows_of_a_few_weeks_are_no_reference(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "predict", lambda *_: traffic(60).with_columns(actual=pl.col("label")))
    fill(project, traffic(60))
    assert look(project, 60).reference.endswith("since valid and test rows are of too few weeks")


def test_a_period_without_records_is_refused(project: Path) -> None:
    fill(project, traffic(60))
    begin = FIRST.date() - timedelta(days=300)
    with pytest.raises(ConfigError, match="the journal has no records of this version then"):
        look(project, 60, period=(begin, begin + timedelta(days=200)))


def test_an_unknown_name_is_refused(project: Path) -> None:
    with pytest.raises(ConfigError, match=r"no champion in ledger\.jsonl and no selected bundle"):
        observe.observe(project, "nothing", FIRST)


def test_the_selected_bundle_of_another_corpus_is_not_watched(project: Path) -> None:
    lock = {"validate": ("gazette validate --description data/corpora/mine.yaml", "articles"),
            "select": ("gazette select --bundle models/selected", "models/selected")}  # fmt: skip
    stages = {name: {"cmd": command, "outs": [{"path": out, "md5": DIGEST}]} for name, (command, out) in lock.items()}
    Path("dvc.lock").write_text(json.dumps({"schema": "2.0", "stages": stages}))
    assert observe.find_version("mine")[0].digest == DIGEST
    with pytest.raises(ConfigError, match="nothing has no champion"):
        observe.find_version("nothing")
