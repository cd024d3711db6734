"""The flow `watch` on a real project with a real Prefect server: from an alarm without labels to a rollback."""

import json
import signal
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from clones import Project, clone
from flow_runs import Flow, until

from gazette.monitoring import answers
from gazette.monitoring.answers import Draw
from gazette.registry import ledger
from gazette.serving.journal import layout, write
from gazette.serving.journal.records import Prediction, Source, hour_of

pytestmark = pytest.mark.slow

RUN = "from flows.watch import watch; print(watch(return_state=True).message)"
GATE = {
    "margin": 0.5, "slice_margin": 0.9, "min_slice_rows": 500, "invariance_rows": 5, "min_invariance": 0.0,
    "floors": {
        "accuracy": 0.1, "macro_f1": 0.1, "worst_recall": 0.0, "ece": 1.0, "megabytes": 200, "milliseconds": 500,
    },
}  # fmt: skip
RETRAIN = {"alarm_rows": 40, "cooldown_days": 0, "probation_days": 0, "min_shadow": 0, "promote": True}
MONITOR = {"window_days": 1, "loss": 0.3, "disagreement": 0.0}
NEW_WORDS = "console stream arena avatar level quest boss patch"


class Watched:
    """A project with a champion, its journal, and a remote."""

    def __init__(self, project: Project, flow: Flow) -> None:
        self.project, self.flow, self.folder = project, flow, project.folder
        self.journal, self.questions = (self.folder / ".gazette" / name for name in ("journal", "monitor"))

    @property
    def entries(self) -> list[ledger.Entry]:
        return ledger.read_ledger(self.folder / ledger.PATH)

    @property
    def champion(self) -> ledger.VersionRef:
        champion = ledger.current_champion(self.entries, "tiny")
        assert champion
        return champion

    def start(self) -> "subprocess.Popen[str]":
        paths = f"{self.project.environment['PYTHONPATH']}:{self.folder}"
        return self.flow.start(self.folder, "-c", RUN, **{**self.project.environment, "PYTHONPATH": paths})

    def run(self) -> list[str]:
        """Run the flow and return the kinds of its actions."""
        output, _ = self.start().communicate(timeout=600)
        state: dict[str, Any] = next(
            run["state"]
            for run in self.flow.ask("flow_runs", sort="START_TIME_DESC")
            if run["name"] and run["parent_task_run_id"] is None
        )
        assert state["type"] == "COMPLETED", output
        print(state["message"])
        return [line.split(":")[0] for line in state["message"].splitlines()]

    def predict(self, hour: str, label: str, numbers: range, source: Source = "serve") -> list[str]:
        """Write predictions of the champion to the journal, and return their ids."""
        ids = [f"{hour}-{number}#0" for number in numbers]
        shares = [0.9, 0.1] if label == "business" else [0.1, 0.9]
        write.write_labels(self.journal, self.champion.digest, ["business", "sports"])
        write.append(
            self.journal,
            [Prediction(hour, self.champion.digest, key, label, shares, 9, 0.0, "", 1.0, source) for key in ids],
        )
        return ids

    def sample(self, hour: str, ids: list[str]) -> None:
        """Write texts of predictions, as of the journal's sample."""
        path = self.journal / layout.TEXTS / f"{hour}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        texts = [{"id": key, "hour": hour, "text": f"{NEW_WORDS} {number}"} for number, key in enumerate(ids)]
        path.write_text("".join(json.dumps(text) + "\n" for text in texts))

    def answer(self, questions: pl.DataFrame, label: str) -> None:
        labels = dict.fromkeys(questions["id"], label)
        answers.record(self.questions, self.folder / "feedback", labels, "a person", datetime.now(UTC))

    def subjects(self) -> list[str]:
        return self.project("git -C ../origin.git log --format=%s main").splitlines()


@pytest.fixture
def watched(tmp_path: Path, flow: Flow) -> Watched:
    project = clone(tmp_path / "project", tmp_path / "guard")
    project.set(candidates=["linear"], gate=GATE, retrain=RETRAIN, monitor=MONITOR)
    project("git branch -M main && git init -q --bare -b main ../origin.git && git remote add origin ../origin.git")
    project("gazette run && git add -A && git commit -qm ran && git push -q origin main")
    project("gazette promote --because first")
    return Watched(project, flow)


def test_alarm_labels_training_promotion_and_rollback_follow_each_other(watched: Watched) -> None:
    now, first = datetime.now(UTC), watched.champion
    for day in range(9, 0, -1):  # the newest day has another mix of labels
        for hour in (3, 9, 15):
            when = f"{now - timedelta(days=day):%Y-%m-%d}T{hour:02}"
            watched.predict(when, "business", range(20))
            watched.predict(when, "sports", range(20, 140 if day == 1 else 40))
    later = hour_of(now + timedelta(hours=1))  # than the promotion
    watched.sample(later, watched.predict(later, "business", range(60)))

    assert watched.run() == ["ask", "wait"]
    questions = answers.read_questions(watched.questions)
    assert questions.height == 40
    assert list(watched.questions.glob("asked/*.csv"))
    assert watched.run() == ["wait"]  # asked once; no label has come, so nothing is trained
    assert watched.subjects() == ["ran", "start"]

    watched.answer(questions, "sports")
    process = watched.start()
    until(lambda: watched.subjects()[0].startswith("Correct the corpus tiny"), within=300)
    process.send_signal(signal.SIGKILL)  # in the training
    process.wait()
    assert watched.run() == ["train", "promote", "wait"]
    assert [subject.split(":")[0] for subject in watched.subjects()[:3]] == [
        "Retrained",
        "Correct the corpus tiny",
        "ran",
    ]
    second = watched.champion
    assert second.digest != first.digest and watched.entries[-1].who.startswith("the flow watch")

    latest = hour_of(now + timedelta(hours=2))
    watched.sample(latest, watched.predict(latest, "business", range(60)))
    draw = Draw(40, 0.0, 7)
    watched.answer(answers.ask(watched.journal, watched.questions, second.digest, draw, datetime.now(UTC)), "sports")
    assert watched.run()[0] == "roll_back"
    assert watched.champion == first
    assert watched.entries[-1].reason.startswith("the CUSUM of errors reached")
    assert "promote" not in watched.run()
    assert "rolled it back" in watched.project("gazette promote 2", code=1)
