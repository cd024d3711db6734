"""A version's way from an alarm to its rollback, and the same with a kill at every step: the next run goes on."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from prefect_dvc.core.errors import ConfigError, DataContractError

from gazette.monitoring import history, settle
from gazette.monitoring.cusum import CusumResult
from gazette.monitoring.observation import Observation
from gazette.monitoring.policy import PROPOSE, Action, Challenger, History, Params
from gazette.registry import ledger
from gazette.registry.ledger import VersionRef
from gazette.registry.promotion import RejectedError
from gazette.registry.verdict import ACCEPT, INCONCLUSIVE, REJECT

PARAMS = Params(
    alarm_rows=100, min_new_rows=500, every_days=None, cooldown_days=7, probation_days=3, min_shadow=0, promote=True,
    rollback_days=28,
)  # fmt: skip
START = datetime(2026, 11, 1, tzinfo=UTC)
ONE, TWO = (VersionRef(number, f"{number}.dir", "r" * 40) for number in "12")


class KilledError(BaseException):
    """The end of the process, which nothing in the code catches."""


class StoryWorld:
    """A world in which labels go bad on day 2; version 2 is trained, and is worse.

    What it does is on disk. At the `kill`-th step, before or after something is done, the process ends.
    """

    def __init__(self, root: Path, kill: int = -1) -> None:
        self.root, self.kill, self.steps, self.day = root, kill, 0, 0.0
        self.log = root / "log.json"

    @property
    def done(self) -> list[str]:
        return list(json.loads(self.log.read_text())) if self.log.exists() else []

    def step(self, what: str = "") -> None:
        if what:
            self.log.write_text(json.dumps([*self.done, what]))
        self.steps += 1
        if self.steps == self.kill:
            raise KilledError

    def observe(self, past: History, now: datetime) -> Observation:
        champion = ledger.current_champion(ledger.read_ledger(self.root / ledger.PATH), "news")
        assert champion
        is_trained = any(entry.startswith("train") for entry in self.done)
        bad = (champion == ONE and 2 <= self.day < 9) or (champion == TWO and self.day >= 12)
        cusum = CusumResult(np.array([5.0 if bad else 0.0]), 4.0, 0 if bad else None)
        alarms = ["label shares"] if 1 <= self.day < 2 else []
        return Observation(champion.digest, champion.version, [], alarms, cusum, 40, 0 if is_trained else 40)

    def find_challenger(self, observation: Observation, past: History, now: datetime) -> Challenger | None:
        if "train" not in self.done or TWO.digest in {observation.digest, *past.suppressed}:
            return None
        candidate = history.read_notes(self.root, "news").candidate
        if candidate is None:
            candidate = history.Candidate(digest=TWO.digest, since=now, word=ACCEPT)
            history.write_notes(self.root, "news", candidate=candidate)
        return Challenger(
            "2", TWO.digest, candidate.since, candidate.word, candidate.why, is_proposed=candidate.topic == PROPOSE
        )

    def ask(self, rows: int | None, when: datetime) -> str:
        self.step()
        if (what := f"ask {rows} {when:%dT%H}") not in self.done:
            self.step(what)
        return "asked"

    def train(self) -> str:
        self.step()
        self.step("train")
        return "trained"

    def promote(self, version: str, reason: str) -> str:
        self.step()
        self._append(ledger.PROMOTION, TWO, reason)
        self.step(f"promote {version}")
        return "promoted"

    def roll_back(self, reason: str) -> str:
        self.step()
        self._append(ledger.ROLLBACK, ONE, reason)
        self.step("roll back")
        return "rolled back"

    def tell(self, action: Action, outcome: str) -> None:
        self.step(f"tell {action.kind}")
        self.step()

    def _append(self, kind: str, to: VersionRef, reason: str) -> None:
        path = self.root / ledger.PATH
        when = START + timedelta(days=self.day)
        ledger.append_entry(
            ledger.next_entry(ledger.read_ledger(path), kind, "news", to, "watch", reason, "c" * 40, when=when), path
        )

    def run(self, day: float, params: Params = PARAMS) -> Action:
        """Run once and return what the run waits for."""
        self.day = day
        return settle.settle(self.root, "news", params, self, lambda: START + timedelta(days=day))[-1]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project whose ledger has a champion since long ago."""
    path = tmp_path / ledger.PATH
    entry = ledger.next_entry([], "promotion", "news", ONE, "t", "", "c" * 40, when=START - timedelta(days=100))
    ledger.append_entry(entry, path)
    return tmp_path


DAYS = (0, 1, 2, 3, 6, 7, 12, 13)


def live(world: StoryWorld) -> list[str]:
    """Live through the story, a run each day; after a kill there is another one two hours later."""
    for day in DAYS:
        try:
            world.run(day)
        except KilledError:
            world.run(day + 1 / 12)
    return world.done


def test_alarm_labels_training_promotion_and_rollback_follow_each_other(root: Path) -> None:
    assert live(StoryWorld(root)) == [
        "ask None 01T00", "tell ask", "ask 100 02T00", "tell ask", "train", "tell train", "promote 2", "tell promote",
        "roll back", "tell roll_back", "ask None 13T00", "tell ask",
    ]  # fmt: skip
    entries = ledger.read_ledger(root / ledger.PATH)
    assert [entry.kind for entry in entries] == ["promotion", "promotion", "rollback"]
    assert entries[-1].reason.startswith("the CUSUM of errors reached 5.0 in 40 labels")
    assert list(ledger.suppressed(entries, "news")) == [TWO.digest]


def test_a_kill_at_any_step_changes_nothing_but_what_is_told_twice(root: Path) -> None:
    undisturbed = StoryWorld(root)
    live(undisturbed)
    expected, before = traces(undisturbed), (root / ledger.PATH).read_text()
    for kill in range(1, undisturbed.steps + 1):
        (root / ledger.PATH).write_text(before.splitlines(keepends=True)[0])
        (root / "log.json").unlink()
        (root / ".gazette" / "watch" / "news.json").unlink()
        world = StoryWorld(root, kill)
        live(world)
        assert traces(world) == expected, kill
        assert world.done.count("train") <= 2, kill  # once more if it was not noted that it had ended


def traces(world: StoryWorld) -> tuple[list[str], str, list[VersionRef]]:
    """Return what was done but for trainings, the notes, and the champions, without the times of the day."""
    acts = [entry.partition("T")[0] for entry in world.done if not entry.startswith(("tell", "train"))]
    notes = re.sub(r"T[\d:.]+Z", "", history.read_notes(world.root, "news").model_dump_json())
    return acts, notes, [entry.to for entry in ledger.read_ledger(world.root / ledger.PATH)]


def test_a_training_that_breaks_the_contract_has_ended_and_others_are_tried_again(root: Path) -> None:
    world = StoryWorld(root)
    for day in (0, 1):
        world.run(day)

    def fail(error: Exception) -> None:
        def train() -> str:
            raise error

        world.train = train  # type: ignore[method-assign]

    fail(ConfigError("the remote does not answer"))
    with pytest.raises(ConfigError):
        world.run(2)
    assert history.read_notes(root, "news").training_since
    fail(DataContractError("row 7 is bad"))
    with pytest.raises(DataContractError):
        world.run(3)
    notes = history.read_notes(root, "news")
    assert (notes.training_since, notes.trained_at) == (None, START + timedelta(days=3))
    assert "the last training was 1.0 days ago" in world.run(4).reason


def test_what_fails_the_smoke_test_is_no_candidate_any_more(root: Path) -> None:
    world = StoryWorld(root)
    for day in (0, 1, 2):
        world.run(day)

    def promote(version: str, reason: str) -> str:
        raise RejectedError("news/2 is not promoted: it fails the smoke test")

    world.promote = promote  # type: ignore[method-assign]
    assert world.run(6).reason.startswith("the gate rejects version 2: news/2 is not promoted: it fails the smoke test")
    candidate = history.read_notes(root, "news").candidate
    assert candidate and candidate.word == REJECT


def test_what_a_person_has_to_promote_is_told_once(root: Path) -> None:
    world, params = StoryWorld(root), PARAMS.model_copy(update={"promote": False})
    for day in (0, 1, 2, 6, 6.5):
        wait = world.run(day, params)
    assert wait.reason.startswith("the gate accepts version 2, and its probation is over: `gazette promote 2`")
    assert world.done.count("tell propose") == 1


def test_what_a_challenger_waits_for_is_told_once_until_it_is_something_else(root: Path) -> None:
    world = StoryWorld(root)
    for day in (0, 1, 2):
        world.run(day)
    for word in (INCONCLUSIVE, REJECT):
        history.update_candidate(root, "news", word=word)
        for day in (3, 4):
            assert world.run(day).topic == word
    assert world.done.count("tell wait") == 2


def test_without_a_champion_there_is_nothing_to_watch(tmp_path: Path) -> None:
    assert StoryWorld(tmp_path).run(0).reason == "news has no champion to watch: `gazette promote`"
