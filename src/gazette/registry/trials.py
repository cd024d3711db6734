"""Trials in MLflow: a parent run for the study, in it a run for each finished trial, where `register` logs too."""

import json
from typing import TYPE_CHECKING, Any

from mlflow.entities import Metric, Param

from gazette.registry.store import client
from gazette.registry.store.retry import steadily

if TYPE_CHECKING:
    from gazette.training.tuning.study import Trial

PARENT = "mlflow.parentRunId"
MOST = 1000  # metrics that MLflow takes at once


class Runs:
    """The runs of a study; opened again, those of before are found by its name."""

    def __init__(self, corpus: str, candidate: str, study: str) -> None:
        self.client = client.connect()
        name = f"{corpus} tuning"
        steadily(self.client.create_experiment, name, besides="RESOURCE_ALREADY_EXISTS")
        found: Any = steadily(self.client.get_experiment_by_name, name)
        self.experiment = found.experiment_id
        known = self._search(f"tags.study = '{study}'")
        parent = known[0] if known else self._create(f"{candidate} {study}", {"study": study, "candidate": candidate})
        self.parent = parent.info.run_id
        steadily(self.client.update_run, self.parent, "RUNNING")
        runs = self._search(f"tags.`{PARENT}` = '{self.parent}'")
        for run in runs:
            if run.info.status == "RUNNING":  # a kill left it half written
                steadily(self.client.delete_run, run.info.run_id)
        self.logged = {int(run.data.tags["trial"]) for run in runs if run.info.status != "RUNNING"}

    def log(self, trials: "list[Trial]") -> None:
        """Logs those that are not."""
        for trial in trials:
            if trial.number not in self.logged:
                self._log(trial)
                self.logged.add(trial.number)

    def end(self, best: "Trial") -> None:
        """Notes the best trial at the parent run and ends that."""
        self._metrics(self.parent, best)
        steadily(self.client.set_tag, self.parent, "best_trial", str(best.number))
        steadily(self.client.set_terminated, self.parent)

    def _log(self, trial: "Trial") -> None:
        began, ended = (int(1000 * at) for at in (trial.began, trial.began + trial.seconds))
        tags = {PARENT: self.parent, "trial": str(trial.number), "why": trial.why}
        run = self._create(f"trial {trial.number}", tags, start_time=began).info.run_id
        params = [Param(key, json.dumps(value)) for key, value in trial.values.items()]
        steadily(self.client.log_batch, run, params=params)
        self._metrics(run, trial)
        steadily(self.client.set_terminated, run, "FINISHED" if trial.figures else "KILLED", ended)

    def _metrics(self, run: str, trial: "Trial") -> None:
        at = int(1000 * (trial.began + trial.seconds))
        metrics = [Metric(f"valid_{name}", value, at, 0) for name, value in trial.figures.items()]
        for point in trial.curve:
            step = int(point["epoch"])
            metrics += [Metric(name, value, at, step) for name, value in point.items() if name != "epoch"]
        for start in range(0, len(metrics), MOST):
            steadily(self.client.log_batch, run, metrics=metrics[start : start + MOST])

    def _create(self, name: str, tags: dict[str, str], **more: Any) -> Any:
        return steadily(self.client.create_run, self.experiment, tags=tags, run_name=name, **more)

    def _search(self, terms: str) -> list[Any]:
        return list(steadily(self.client.search_runs, [self.experiment], terms) or [])
