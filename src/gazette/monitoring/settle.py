"""A run of the flow `watch`: observe, decide and act until nothing is left to do. Does not use Prefect.

Every act is noted, in an order in which the next run, after a kill, repeats what may not have been done.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from prefect_dvc.core.errors import DataContractError

from gazette.monitoring import history, policy
from gazette.monitoring.observation import Observation
from gazette.monitoring.policy import Action, Challenger, History, Params
from gazette.registry.promotion import RejectedError
from gazette.registry.verdict import REJECT

CHANGING = (policy.TRAIN, policy.PROMOTE, policy.ROLL_BACK)  # after which the champion is observed anew


class World(Protocol):
    """What is observed and done; acts return what a person should know, such as a path or what to type, if anything."""

    def observe(self, past: History, now: datetime) -> Observation:
        """Return what the monitor sees of the champion."""

    def find_challenger(self, observation: Observation, past: History, now: datetime) -> Challenger | None:
        """Return the challenger with its verdict; None if there is none to consider."""

    def ask(self, rows: int | None, when: datetime) -> str:
        """Draw articles for people to label, None: as many as in a week; not again if that was done at `when`."""

    def train(self) -> str:
        """Add people's answers to the corpus and train."""

    def promote(self, version: str, reason: str) -> str:
        """Make a version champion; raises RejectedError if it is not promoted after all."""

    def roll_back(self, reason: str) -> str:
        """Make the previous champion the champion again."""

    def tell(self, action: Action, outcome: str) -> None:
        """Tell people of an action and its outcome."""


def settle(root: Path, name: str, params: Params, world: World, clock: Callable[[], datetime]) -> list[Action]:
    """Act until nothing is left to do, and return the actions, the last one `wait`; none happens twice in a run."""
    actions: list[Action] = []
    observation = None
    while True:
        now = clock()
        past = history.read_history(root, name)
        if past is None:
            return [*actions, Action(policy.WAIT, f"{name} has no champion to watch: `gazette promote`")]
        observation = observation or world.observe(past, now)
        past = replace(past, challenger=world.find_challenger(observation, past, now))
        action = policy.decide(observation, params, past, now)
        if action.kind in {earlier.kind for earlier in actions}:
            action = Action(policy.WAIT, f"in the next run: {action.reason}")
        actions.append(action)
        if action.kind == policy.WAIT:
            _tell_once(root, name, action, world)
            return actions
        _act(root, name, action, past.challenger, world, now)
        if action.kind in CHANGING:
            observation = None


def _act(root: Path, name: str, action: Action, challenger: Challenger | None, world: World, now: datetime) -> None:
    """Do what was decided, tell of it and note it; what a kill leaves unnoted is finished and told again."""
    match action.kind:
        case policy.ASK:
            when = history.read_notes(root, name).asking_since or now
            history.write_notes(root, name, asking_since=when)
            if outcome := world.ask(action.rows, when):
                world.tell(action, outcome)
            changes = {"asked_at": when} if action.rows is None else {"asked_at": when, "alarm_asked_at": when}
            history.write_notes(root, name, asking_since=None, **changes)
        case policy.TRAIN:
            history.write_notes(root, name, training_since=now)
            world.tell(action, _train(root, name, world, now))
            history.write_notes(root, name, training_since=None, trained_at=now)
        case policy.PROPOSE:
            world.tell(action, "")
            history.update_candidate(root, name, topic=policy.PROPOSE)
        case policy.PROMOTE:
            assert challenger is not None
            world.tell(action, _promote(root, name, challenger.version, action.reason, world))
        case policy.ROLL_BACK:
            world.tell(action, world.roll_back(action.reason))


def _tell_once(root: Path, name: str, action: Action, world: World) -> None:
    """Tell what a challenger waits for, unless a person was told of it last time."""
    candidate = history.read_notes(root, name).candidate
    if action.topic and candidate and candidate.topic != action.topic:
        world.tell(action, "")
        history.update_candidate(root, name, topic=action.topic)


def _train(root: Path, name: str, world: World, now: datetime) -> str:
    """Train; one that breaks the data contract has ended, since it would break it again."""
    try:
        return world.train()
    except DataContractError:
        history.write_notes(root, name, training_since=None, trained_at=now)
        raise


def _promote(root: Path, name: str, version: str, reason: str, world: World) -> str:
    """Promote; what is rejected after all, as by the smoke test, is no candidate any more."""
    try:
        return world.promote(version, reason)
    except RejectedError as error:
        history.update_candidate(root, name, word=REJECT, why=f": {error}")
        return str(error)
