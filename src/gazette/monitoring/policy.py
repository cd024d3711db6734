"""When to ask for labels, to train, to promote and to roll back; pure.

An alarm of a signal without labels only asks. Labels decide: the CUSUM of errors, or enough new rows, begin a training;
the gate, a probation and answers beside the champion precede a promotion; the same CUSUM undoes it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import BaseModel, Field

from gazette.core.escape import tally
from gazette.monitoring.observation import Observation
from gazette.registry.verdict import ACCEPT, INCONCLUSIVE, REJECT

WEEK = timedelta(days=7)
WAIT, ASK, TRAIN, PROPOSE, PROMOTE, ROLL_BACK = KINDS = ("wait", "ask", "train", "propose", "promote", "roll_back")


class Params(BaseModel, frozen=True, extra="forbid"):
    """How many labels an alarm asks for, what begins a training, and what a challenger needs."""

    alarm_rows: int = Field(ge=1)
    min_new_rows: int = Field(ge=1)
    every_days: int | None = Field(ge=1)
    cooldown_days: int = Field(ge=0)
    probation_days: int = Field(ge=0)
    min_shadow: int = Field(ge=0)
    promote: bool
    rollback_days: int = Field(ge=0)


@dataclass(frozen=True)
class Challenger:
    """A version that may become champion: since when it is known, what the gate says and why.

    `shadow` counts its answers beside the champion; None if no server answers. `is_proposed`: a person was told of it.
    """

    version: str
    digest: str
    since: datetime
    verdict: str
    why: str = ""
    shadow: int | None = None
    is_proposed: bool = False


@dataclass(frozen=True)
class History:
    """What happened before, by the ledger and by the notes of earlier runs.

    `champion_since` is when the champion became one, `can_roll_back` whether a promotion made it champion in place of a
    version that was not rolled back itself. `interrupted_at` is when a training began that did not end, `suppressed`
    the digests that were rolled back.
    """

    champion_since: datetime
    can_roll_back: bool
    trained_at: datetime | None = None
    interrupted_at: datetime | None = None
    asked_at: datetime | None = None
    alarm_asked_at: datetime | None = None
    suppressed: frozenset[str] = frozenset()
    challenger: Challenger | None = None


@dataclass(frozen=True)
class Action:
    """What to do now, and why.

    `rows` are the articles to ask for, None those of a week (`monitor.labels_a_week`). `topic` is what a person is told
    once of a challenger that waits; empty: nothing.
    """

    kind: str  # of KINDS
    reason: str
    rows: int | None = None
    topic: str = ""


def decide(observation: Observation, params: Params, history: History, now: datetime) -> Action:
    """Return the next action; after it is done and noted, the next call goes on, until one says `wait`."""
    situation = (observation, params, history, now)
    urgent = _roll_back(*situation) or _finish_training(history) or _ask(*situation)
    if urgent:
        return urgent
    challenger = _consider_challenger(*situation)
    training = None if challenger and _is_on_trial(history) else _train(*situation)
    steps = [step for step in (challenger, training) if step]
    quiet = f"quiet: {tally(observation.labels, 'label')}, {observation.new_rows:,} new rows"
    reason = "; ".join(step.reason for step in steps) or quiet
    waiting = Action(WAIT, reason, topic=challenger.topic if challenger else "")
    return next((step for step in steps if step.kind != WAIT), waiting)


def describe_errors(observation: Observation) -> str:
    """Return that the CUSUM of errors alarms, with its figures."""
    cusum = observation.cusum
    highest = max(cusum.statistic, default=0.0)
    labels = f"{tally(observation.labels, 'label')}"
    return f"the CUSUM of errors reached {highest:.1f} in {labels}, and alarms at {cusum.interval:.1f}"


def _roll_back(observation: Observation, params: Params, history: History, now: datetime) -> Action | None:
    is_recent = now - history.champion_since <= timedelta(days=params.rollback_days)
    if observation.cusum.alarm_at is None or not history.can_roll_back or not is_recent:
        return None
    age = _days(now - history.champion_since)
    return Action(ROLL_BACK, f"{describe_errors(observation)}, {age} after the promotion")


def _ask(observation: Observation, params: Params, history: History, now: datetime) -> Action | None:
    if observation.unlabeled_alarms and _is_over(history.alarm_asked_at, WEEK, now):
        signals = ", ".join(observation.unlabeled_alarms)
        return Action(ASK, f"{signals}: only labels can tell whether it errs more", params.alarm_rows)
    return Action(ASK, "the week's labels") if _is_over(history.asked_at, WEEK, now) else None


def _consider_challenger(observation: Observation, params: Params, history: History, now: datetime) -> Action | None:
    """Return what a challenger waits for, or that it can be promoted; None if there is none to consider."""
    challenger = history.challenger
    if challenger is None or challenger.digest == observation.digest or challenger.digest in history.suppressed:
        return None
    name = f"version {challenger.version}"
    if challenger.verdict == REJECT:
        return Action(WAIT, f"the gate rejects {name}{challenger.why}", topic=REJECT)
    if challenger.verdict != ACCEPT:
        return Action(WAIT, f"the gate cannot tell whether {name} is good enough{challenger.why}", topic=INCONCLUSIVE)
    end = challenger.since + timedelta(days=params.probation_days)
    if now < end:
        return Action(WAIT, f"{name} is on probation until {end:%Y-%m-%d %H:%M} UTC")
    if challenger.shadow is not None and challenger.shadow < params.min_shadow:
        answers = f"{challenger.shadow:,} of {tally(params.min_shadow, 'answer')} beside the champion"
        return Action(
            WAIT, f"{name} has {answers}; `gazette serve --shadow NAME@challenger` makes them", topic="shadow"
        )
    if params.promote:
        return Action(PROMOTE, f"the gate accepts {name}, and its probation is over")
    kind = WAIT if challenger.is_proposed else PROPOSE
    return Action(kind, f"the gate accepts {name}, and its probation is over: `gazette promote {challenger.version}`")


def _is_on_trial(history: History) -> bool:
    """Whether no training may begin, since a challenger that the gate accepts is on its way."""
    challenger = history.challenger
    if challenger is None or challenger.verdict != ACCEPT or challenger.is_proposed:
        return False
    return challenger.shadow != 0  # a server that answers without it may do so forever


def _finish_training(history: History) -> Action | None:
    if history.interrupted_at is None:
        return None
    return Action(TRAIN, f"the training that began on {history.interrupted_at:%Y-%m-%d %H:%M} UTC did not end")


def _train(observation: Observation, params: Params, history: History, now: datetime) -> Action | None:
    """Return that a training begins, or what it waits for; None if nothing calls for one."""
    reason = _reason_to_train(observation, params, history, now)
    if not reason:
        why = f"{describe_errors(observation)}, but there is no labeled row that no version was trained on"
        return Action(WAIT, why) if observation.cusum.alarm_at is not None else None
    if history.trained_at and not _is_over(history.trained_at, timedelta(days=params.cooldown_days), now):
        return Action(WAIT, f"{reason}, but the last training was {_days(now - history.trained_at)} ago")
    return Action(TRAIN, reason)


def _reason_to_train(observation: Observation, params: Params, history: History, now: datetime) -> str:
    """Return why a training would teach something; empty if nothing says so."""
    if observation.cusum.alarm_at is not None and observation.new_rows:
        return describe_errors(observation)
    if observation.new_rows >= params.min_new_rows:
        return f"{observation.new_rows:,} new rows"
    last = history.trained_at or history.champion_since
    if params.every_days and _is_over(last, timedelta(days=params.every_days), now):
        return f"the last training was {_days(now - last)} ago"
    return ""


def _is_over(since: datetime | None, span: timedelta, now: datetime) -> bool:
    return since is None or now - since >= span


def _days(span: timedelta) -> str:
    return f"{span / timedelta(days=1):.1f} days"
