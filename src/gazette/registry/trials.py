"""Trials in MLflow: a parent run for the study and a nested run for each finished trial."""

import json
from typing import TYPE_CHECKING, Any

from mlflow.entities import Metric, Param

from gazette.registry.store import client
from gazette.registry.store.retry import call_with_retries

if TYPE_CHECKING:
    from gazette.training.tuning.study import Trial

PARENT = "mlflow.parentRunId"
MAX_METRICS = 1000  # metrics that MLflow accepts at once


class TrialRuns:
    """The runs of a study; a resumed study continues the runs with its name."""

    def __init__(self, corpus: str, candidate: str, study: str) -> None:
        self.client = client.connect()
        self.experiment = client.open_experiment(self.client, f"{corpus} tuning")
        parents = self._search(f"tags.study = '{study}'")
        tags = {"study": study, "candidate": candidate}
        parent = parents[0] if parents else self._create(f"{candidate} {study}", tags)
        self.parent = parent.info.run_id
        call_with_retries(self.client.update_run, self.parent, "RUNNING")
        runs = self._search(f"tags.`{PARENT}` = '{self.parent}'")
        for run in runs:
            if run.info.status == "RUNNING":  # a killed study left it incomplete
                call_with_retries(self.client.delete_run, run.info.run_id)
        self.logged = {int(run.data.tags["trial"]) for run in runs if run.info.status != "RUNNING"}

    def log(self, trials: "list[Trial]") -> None:
        """Log the trials that are not logged yet."""
        for trial in trials:
            if trial.number not in self.logged:
                self._log(trial)
                self.logged.add(trial.number)

    def end(self, best: "Trial") -> None:
        """Record the best trial in the parent run and end that."""
        self._metrics(self.parent, best)
        call_with_retries(self.client.set_tag, self.parent, "best_trial", str(best.number))
        call_with_retries(self.client.set_terminated, self.parent)

    def _log(self, trial: "Trial") -> None:
        began, ended = (int(1000 * at) for at in (trial.began, trial.began + trial.seconds))
        tags = {PARENT: self.parent, "trial": str(trial.number), "why": trial.why}
        run = self._create(f"trial {trial.number}", tags, start_time=began).info.run_id
        params = [Param(key, json.dumps(value)) for key, value in trial.values.items()]
        call_with_retries(self.client.log_batch, run, params=params)
        self._metrics(run, trial)
        call_with_retries(self.client.set_terminated, run, "FINISHED" if trial.figures else "KILLED", ended)

    def _metrics(self, run: str, trial: "Trial") -> None:
        at = int(1000 * (trial.began + trial.seconds))
        metrics = [Metric(f"valid_{name}", value, at, 0) for name, value in trial.figures.items()]
        for point in trial.curve:
            step = int(point["epoch"])
            metrics += [Metric(name, value, at, step) for name, value in point.items() if name != "epoch"]
        for start in range(0, len(metrics), MAX_METRICS):
            call_with_retries(self.client.log_batch, run, metrics=metrics[start : start + MAX_METRICS])

    def _create(self, name: str, tags: dict[str, str], **more: Any) -> Any:
        return call_with_retries(self.client.create_run, self.experiment, tags=tags, run_name=name, **more)

    def _search(self, terms: str) -> list[Any]:
        return list(call_with_retries(self.client.search_runs, [self.experiment], terms) or [])
