"""A project with a champion, its journal and a remote, which the flow `watch` watches."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from clones import Project, clone
from flow_runs import Flow

from gazette.monitoring import answers
from gazette.registry import ledger
from gazette.serving.journal import layout, write
from gazette.serving.journal.records import Prediction, hour_of

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

    def start(self, **extra: str) -> "subprocess.Popen[str]":
        """Start the flow; whoever kills it ends what it runs too."""
        return self._start(self.project.cold() | extra)

    def _start(self, environment: dict[str, str]) -> "subprocess.Popen[str]":
        paths = f"{self.project.environment['PYTHONPATH']}:{self.folder}"
        return self.flow.start(self.folder, "-c", RUN, **{**environment, "PYTHONPATH": paths})

    def run(self) -> list[str]:
        """Run the flow and return the kinds of its actions."""
        output, _ = self._start(self.project.environment | self.flow.warm).communicate(timeout=600)
        state: dict[str, Any] = next(
            run["state"]
            for run in self.flow.ask("flow_runs", sort="START_TIME_DESC")
            if run["name"] and run["parent_task_run_id"] is None
        )
        assert state["type"] == "COMPLETED", output
        print(state["message"])
        return [line.split(":")[0] for line in state["message"].splitlines()]

    def predict(self, hour: str, label: str, numbers: range) -> list[str]:
        """Write predictions of the champion to the journal, and return their ids."""
        ids = [f"{hour}-{number}#0" for number in numbers]
        shares = [0.9, 0.1] if label == "business" else [0.1, 0.9]
        write.write_labels(self.journal, self.champion.digest, ["business", "sports"])
        write.append(
            self.journal,
            [Prediction(hour, self.champion.digest, key, label, shares, 9, 0.0, "", 1.0, "serve") for key in ids],
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


def make_watched(box: Path, flow: Flow) -> Watched:
    """Run the pipeline in a new project, and promote its first version."""
    project = clone(box / "project", box / "guard")
    project.set(candidates=["linear"], gate=GATE, retrain=RETRAIN, monitor=MONITOR)
    project("git branch -M main && git init -q --bare -b main ../origin.git && git remote add origin ../origin.git")
    project("gazette run && git add -A && git commit -qm ran && git push -q origin main")
    project("gazette promote --because first")
    return Watched(project, flow)


def write_traffic(watched: Watched, now: datetime) -> None:
    """Write nine days of predictions, the newest with another mix of labels, and texts of after the promotion."""
    for day in range(9, 0, -1):
        for hour in (3, 9, 15):
            when = f"{now - timedelta(days=day):%Y-%m-%d}T{hour:02}"
            watched.predict(when, "business", range(20))
            watched.predict(when, "sports", range(20, 140 if day == 1 else 40))
    later = hour_of(now + timedelta(hours=1))
    watched.sample(later, watched.predict(later, "business", range(60)))
