"""What follows from alarms, labels and a challenger: properties of every decision, and the way of one version."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prefect_dvc.core.errors import ConfigError, parse
from root import ROOT

from gazette.core import files
from gazette.monitoring.cusum import CusumResult
from gazette.monitoring.observation import Observation
from gazette.monitoring.policy import Action, Challenger, History, Params, decide
from gazette.registry.verdict import ACCEPT, INCONCLUSIVE, REJECT

NOW = datetime(2026, 11, 29, 7, tzinfo=UTC)
SECTION = {
    "alarm_rows": 100, "min_new_rows": 500, "every_days": None, "cooldown_days": 7,
    "probation_days": 3, "min_shadow": 1000, "promote": True, "rollback_days": 28,
}  # fmt: skip
PARAMS = Params(**SECTION)


def days(number: float) -> datetime:
    return NOW - timedelta(days=number)


def observation(errs: bool = False, signals: tuple[str, ...] = (), new_rows: int = 0, labels: int = 40) -> Observation:
    cusum = CusumResult(np.array([0.0, 5.0 if errs else 1.0]), 4.0, 1 if errs else None)
    return Observation("one.dir", "1", [], list(signals), cusum, labels, new_rows)


QUIET, ERRS = observation(), observation(errs=True, new_rows=40)
STEADY = History(champion_since=days(100), can_roll_back=True, asked_at=days(1), alarm_asked_at=days(1))
CHALLENGER = Challenger("2", "two.dir", days(4), ACCEPT, shadow=1000)

ages = st.none() | st.floats(0, 60).map(days)
observations = st.builds(
    observation,
    st.booleans(),
    st.lists(st.sampled_from(["label shares", "confidence"]), unique=True).map(tuple),
    st.integers(0, 1000),
    st.integers(0, 1000),
)
challengers = st.none() | st.builds(
    Challenger,
    st.just("2"),
    st.sampled_from(["one.dir", "two.dir"]),
    st.floats(0, 10).map(days),
    st.sampled_from([ACCEPT, REJECT, INCONCLUSIVE]),
    st.just(""),
    st.none() | st.integers(0, 2000),
    st.booleans(),
)
digests = st.frozensets(st.sampled_from(["two.dir", "three.dir"]))
histories = st.builds(History, st.floats(0, 60).map(days), st.booleans(), ages, ages, ages, ages, digests, challengers)
sections = st.builds(
    Params,
    alarm_rows=st.integers(1, 200),
    min_new_rows=st.integers(1, 1000), every_days=st.none() | st.integers(1, 60), cooldown_days=st.integers(0, 30),
    probation_days=st.integers(0, 10), min_shadow=st.integers(0, 2000), promote=st.booleans(),
    rollback_days=st.integers(0, 60),
)  # fmt: skip


@given(observations, sections, histories)
def test_an_unlabeled_alarm_alone_never_trains(seen: Observation, params: Params, history: History) -> None:
    with_alarm = replace(seen, unlabeled_alarms=["label shares"])
    without = replace(seen, unlabeled_alarms=[])
    after = _settle(with_alarm, params, history)
    assert ("train" in after) == ("train" in _settle(without, params, history))


@given(observations, sections, histories)
def test_a_training_has_a_cause_and_keeps_the_cooldown(seen: Observation, params: Params, history: History) -> None:
    if decide(seen, params, history, NOW).kind != "train" or history.interrupted_at:
        return
    last = history.trained_at or history.champion_since
    is_due = params.every_days is not None and NOW - last >= timedelta(days=params.every_days)
    assert (seen.cusum.alarm_at is not None and seen.new_rows) or seen.new_rows >= params.min_new_rows or is_due
    assert not history.trained_at or NOW - history.trained_at >= timedelta(days=params.cooldown_days)


@given(observations, sections, histories)
def test_only_what_passed_everything_and_was_not_rolled_back_is_promoted(
    seen: Observation, params: Params, history: History
) -> None:
    kind, challenger = decide(seen, params, history, NOW).kind, history.challenger
    if kind not in ("promote", "propose"):
        return
    assert challenger and challenger.verdict == ACCEPT
    assert challenger.digest not in {seen.digest, *history.suppressed}
    assert NOW - challenger.since >= timedelta(days=params.probation_days)
    assert challenger.shadow is None or challenger.shadow >= params.min_shadow
    assert params.promote == (kind == "promote")


@given(observations, sections, histories)
def test_only_errors_soon_after_a_promotion_roll_back(seen: Observation, params: Params, history: History) -> None:
    is_recent = NOW - history.champion_since <= timedelta(days=params.rollback_days)
    expected = seen.cusum.alarm_at is not None and history.can_roll_back and is_recent
    assert (decide(seen, params, history, NOW).kind == "roll_back") == expected


@given(observations, sections, histories)
def test_every_run_comes_to_an_end_and_does_nothing_twice(seen: Observation, params: Params, history: History) -> None:
    kinds = _settle(seen, params, history)
    assert kinds[-1] == "wait"
    assert len(set(kinds)) == len(kinds)


def _settle(seen: Observation, params: Params, history: History) -> list[str]:
    """Return the kinds of the actions of a run, each done and noted before the next."""
    kinds = []
    while (action := decide(seen, params, history, NOW)).kind != "wait" and len(kinds) < 10:
        kinds.append(action.kind)
        seen, history = _act(action, seen, history)
    return [*kinds, action.kind]


def _act(action: Action, seen: Observation, history: History) -> tuple[Observation, History]:
    """Do and note an action: a new champion has no errors yet, and a training uses up the new rows."""
    match action.kind:
        case "ask":
            return seen, replace(history, asked_at=NOW, alarm_asked_at=NOW if action.rows else history.alarm_asked_at)
        case "train":
            return replace(seen, new_rows=0), replace(history, trained_at=NOW, interrupted_at=None)
        case "propose":
            assert history.challenger
            return seen, replace(history, challenger=replace(history.challenger, is_proposed=True))
        case "promote":
            assert history.challenger
            cusum = CusumResult(np.array([0.0]), 4.0, None)
            promoted = replace(seen, digest=history.challenger.digest, cusum=cusum)
            return promoted, replace(history, champion_since=NOW, can_roll_back=True)
        case _:
            cusum = CusumResult(np.array([0.0]), 4.0, None)
            return replace(seen, digest="zero.dir", cusum=cusum), replace(
                history, champion_since=NOW, can_roll_back=False, suppressed=history.suppressed | {seen.digest}
            )


def test_an_unlabeled_alarm_asks_for_labels_once_a_week() -> None:
    seen = observation(signals=("label shares", "confidence"))
    action = decide(seen, PARAMS, replace(STEADY, alarm_asked_at=None), NOW)
    assert (action.kind, action.rows) == ("ask", 100)
    assert action.reason == "label shares, confidence: only labels can tell whether it errs more"
    assert decide(seen, PARAMS, STEADY, NOW).kind == "wait"


def test_labels_are_asked_for_in_quiet_times_too() -> None:
    action = decide(QUIET, PARAMS, replace(STEADY, asked_at=days(7)), NOW)
    assert action == Action("ask", "the week's labels")


@pytest.mark.parametrize(
    ("seen", "history", "kind", "reason"),
    [
        (QUIET, STEADY, "wait", "quiet: 40 labels, 0 new rows"),
        (ERRS, STEADY, "train", "the CUSUM of errors reached 5.0 in 40 labels, and alarms at 4.0"),
        (observation(errs=True), STEADY, "wait", "no labeled row that no version was trained on"),
        (ERRS, replace(STEADY, trained_at=days(6)), "wait", "but the last training was 6.0 days ago"),
        (ERRS, replace(STEADY, trained_at=days(7)), "train", "CUSUM"),
        (observation(new_rows=500), STEADY, "train", "500 new rows"),
        (QUIET, replace(STEADY, interrupted_at=days(1), trained_at=days(2)), "train", "began on 2026-11-28 07:00 UTC"),
        (ERRS, replace(STEADY, champion_since=days(28)), "roll_back", "28.0 days after the promotion"),
        (ERRS, replace(STEADY, champion_since=days(9), can_roll_back=False), "train", "CUSUM"),
    ],
)
def test_labels_train_and_soon_after_a_promotion_roll_back(
    seen: Observation, history: History, kind: str, reason: str
) -> None:
    action = decide(seen, PARAMS, history, NOW)
    assert (action.kind, reason in action.reason) == (kind, True), action


def test_a_schedule_trains_whatever_labels_say() -> None:
    monthly = PARAMS.model_copy(update={"every_days": 30})
    assert decide(QUIET, monthly, replace(STEADY, trained_at=days(30)), NOW).kind == "train"
    assert decide(QUIET, monthly, replace(STEADY, trained_at=days(29)), NOW).kind == "wait"
    assert decide(observation(errs=True), monthly, replace(STEADY, trained_at=days(30)), NOW).kind == "train"


@pytest.mark.parametrize(
    ("challenger", "kind", "reason"),
    [
        (CHALLENGER, "promote", "the gate accepts version 2, and its probation is over"),
        (replace(CHALLENGER, since=days(1)), "wait", "on probation until 2026-12-01 07:00 UTC"),
        (replace(CHALLENGER, shadow=999), "wait", "has 999 of 1,000 answers beside the champion; `gazette serve"),
        (replace(CHALLENGER, shadow=None), "promote", ""),
        (replace(CHALLENGER, verdict=REJECT, why=": newest window"), "train", "500 new rows"),
        (replace(CHALLENGER, verdict=INCONCLUSIVE), "train", "500 new rows"),
        (replace(CHALLENGER, digest="one.dir"), "train", "500 new rows"),
    ],
)
def test_a_challenger_that_the_gate_accepts_comes_before_a_training(
    challenger: Challenger, kind: str, reason: str
) -> None:
    history = replace(STEADY, challenger=challenger)
    action = decide(observation(new_rows=500), PARAMS, history, NOW)
    assert (action.kind, reason in action.reason) == (kind, True), action


def test_a_verdict_that_cannot_tell_waits_and_says_how_many_rows_it_wants() -> None:
    why = "; 40 rows in the newest window, about 300 would be enough"
    history = replace(STEADY, challenger=replace(CHALLENGER, verdict=INCONCLUSIVE, why=why))
    reason = f"the gate cannot tell whether version 2 is good enough{why}"
    assert decide(QUIET, PARAMS, history, NOW) == Action("wait", reason, topic="inconclusive")


def test_a_server_that_answers_without_the_challenger_stops_no_training() -> None:
    history = replace(STEADY, challenger=replace(CHALLENGER, shadow=0))
    assert decide(QUIET, PARAMS, history, NOW).topic == "shadow"
    assert decide(ERRS, PARAMS, history, NOW).kind == "train"


def test_what_may_not_be_promoted_without_a_person_is_proposed_once_and_stops_no_training() -> None:
    params = PARAMS.model_copy(update={"promote": False})
    history = replace(STEADY, challenger=CHALLENGER)
    action = decide(QUIET, params, history, NOW)
    assert action.kind == "propose" and action.reason.endswith("`gazette promote 2`")
    proposed = replace(STEADY, challenger=replace(CHALLENGER, is_proposed=True))
    assert decide(QUIET, params, proposed, NOW).kind == "wait"
    assert decide(ERRS, params, proposed, NOW).kind == "train"


def test_what_was_rolled_back_is_not_considered() -> None:
    history = replace(STEADY, challenger=CHALLENGER, suppressed=frozenset({"two.dir"}))
    assert decide(QUIET, PARAMS, history, NOW).reason.startswith("quiet")


def test_the_section_of_params_is_valid_and_an_unknown_key_is_refused() -> None:
    section = files.read_yaml(ROOT / "params.yaml")["retrain"]
    assert parse(Params, section, "params.yaml, section retrain").promote is False
    with pytest.raises(ConfigError, match=r"section retrain: cooldown_day: no such key; did you mean cooldown_days\?"):
        parse(Params, section | {"cooldown_day": 1}, "params.yaml, section retrain")
    with pytest.raises(ConfigError, match="promote: expected true or false"):
        parse(Params, section | {"promote": "auto"}, "params.yaml, section retrain")
