"""Gazette's monitor and policy on a replayed stream: journal, questions, answers, observation, decision."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
from prefect_dvc import hashing

from gazette.core.bundle import Bundle
from gazette.monitoring import answers, observe, policy, reference
from gazette.monitoring.observation import Observation
from gazette.monitoring.params import Params
from gazette.monitoring.policy import Challenger, History
from gazette.monitoring.reference import Version
from gazette.registry.verdict import ACCEPT, REJECT
from gazette.serving.answers import answer
from gazette.serving.journal import prune, records, write
from gazette.serving.journal.sample import Sample

NAME = WHO = "replay"


@dataclass(frozen=True)
class Trained:
    """A bundle with its digest, and what it says of the valid and test rows of its training."""

    folder: Path
    digest: str
    labeled: pl.DataFrame


def describe(folder: Path, rows: pl.DataFrame) -> Trained:
    """Return a bundle with its predictions on the valid and test rows of its training."""
    return Trained(folder, hashing.dvc_hash(folder), reference.to_records(Bundle(folder), rows))


@dataclass
class Watch:
    """A champion, the journal of its answers in `root`, and what the policy has done so far."""

    root: Path
    monitor: Params
    retrain: policy.Params
    champion: Trained
    now: datetime
    train: Callable[[datetime, Trained], tuple[Trained, bool]]  # a challenger, and whether the gate lets it pass
    previous: Trained | None = None
    challenger: Trained | None = None
    labels: int = 0
    actual: dict[str, str] = field(default_factory=dict)  # label by id
    history: History = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.now
        self.journal, self.folder = self.root / observe.JOURNAL, self.root / observe.FOLDER
        self.sample = Sample(self.journal, 1.0)
        self.history = History(self.now, can_roll_back=False)

    def note(self, rows: pl.DataFrame) -> None:
        """Let the champion answer, and write the week's answers and texts to the journal, all with its first hour."""
        bundle, digest = Bundle(self.champion.folder), self.champion.digest
        write.write_labels(self.journal, digest, bundle.labels)
        hour, texts = f"{rows['date'][0]:%Y-%m-%d}T12", rows["text"].to_list()
        ids = [f"{hour}#{number}" for number in range(len(texts))]
        languages = [reference.language(text) for text in texts]
        about: dict[str, Any] = {"hour": hour, "digest": digest, "milliseconds": 1.0, "source": "serve"}
        write.append(self.journal, records.make(answer(bundle, texts), bundle.labels, ids, languages, **about))
        self.sample.append(hour, list(zip(ids, texts, strict=True)), "en")
        self.actual |= dict(zip(ids, rows["label"], strict=True))
        prune.tidy(self.journal, self.monitor, self.now)

    def observe(self) -> Observation:
        """Observe the champion, as `gazette monitor` does."""
        version, trained_at = Version(self.champion.digest, "", None), self.history.trained_at
        subject = observe.Subject(NAME, version, self.history.champion_since, self.champion.labeled, None, trained_at)
        return observe.observe_version(self.root, subject, self.now, self.monitor)

    def ask(self, count: int) -> None:
        """Ask for the labels of articles, and answer."""
        draw = answers.Draw(count, 0.0, self.monitor.seed)
        questions = answers.ask(self.journal, self.folder, self.champion.digest, draw, self.now)
        self.labels += questions.height
        labels = {key: self.actual[key] for key in questions["id"]}
        answers.record(self.folder, self.root / "feedback", labels, WHO, self.now)

    def act(self, now: datetime) -> list[tuple[str, str]]:
        """Do what the policy decides at the end of a week; return what was done, and why."""
        self.now, done = now, list[tuple[str, str]]()
        while (action := policy.decide(self.observe(), self.retrain, self.history, now)).kind != policy.WAIT:
            done.append((action.kind, action.reason))
            if action.kind == policy.ASK:
                self.ask(action.rows or self.monitor.labels_a_week)
                key = "asked_at" if action.rows is None else "alarm_asked_at"
                self.history = replace(self.history, **{key: now})
            elif action.kind == policy.TRAIN:
                self.begin(*self.train(now, self.champion))
            elif action.kind == policy.PROMOTE:
                self.crown(self.challenger, can_roll_back=True)
            elif action.kind == policy.ROLL_BACK:
                self.history = replace(self.history, suppressed=self.history.suppressed | {self.champion.digest})
                self.crown(self.previous, can_roll_back=False)
        return done

    def begin(self, challenger: Trained, passes: bool) -> None:
        """Note a training and what the gate says of its result."""
        self.challenger = challenger
        verdict = ACCEPT if passes else REJECT
        self.history = replace(
            self.history, trained_at=self.now, challenger=Challenger("2", challenger.digest, self.now, verdict)
        )

    def crown(self, champion: Trained | None, *, can_roll_back: bool) -> None:
        """Make a bundle the champion."""
        assert champion is not None
        self.previous, self.champion = self.champion, champion
        self.history = replace(
            self.history, champion_since=self.now, can_roll_back=can_roll_back, challenger=None, alarm_asked_at=None
        )
