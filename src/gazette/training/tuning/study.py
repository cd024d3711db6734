"""A study: sampling, pruning and results of trials, by Optuna in an SQLite database.

The next values depend only on the seed and the finished trials, so a killed study resumes where it was.
"""

import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState
from prefect_dvc.core.errors import ConfigError

from gazette.training.networks.family import EpochCallback
from gazette.training.tuning.search_space import Range, Span

STARTUP_TRIALS = 4  # trials that run to the end before any is compared with their median
WARMUP_EPOCHS = 2  # a trial is not pruned earlier; one epoch is too noisy

ScoreTrial = Callable[[dict[str, Any], EpochCallback], dict[str, float]]


class Trial(NamedTuple):
    """A finished trial; if it was pruned or failed, `figures` is empty and `why` has the reason."""

    number: int
    values: dict[str, Any]
    figures: dict[str, float]
    curve: list[dict[str, float]]
    why: str
    began: float
    seconds: float

    @property
    def score(self) -> float:
        """Return what trials are compared by."""
        return self.figures.get("macro_f1", 0.0)


def open_study(storage: Path, name: str) -> optuna.Study:
    """Load or create the study of that name in a database; trials that a kill interrupted are marked as failed."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage.parent.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        storage=f"sqlite:///{storage}",
        study_name=name,
        direction="maximize",
        load_if_exists=True,
        pruner=optuna.pruners.MedianPruner(STARTUP_TRIALS, WARMUP_EPOCHS, n_min_trials=STARTUP_TRIALS),
    )
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
    return study


def finished_trials(study: optuna.Study) -> list[Trial]:
    """Return the finished trials, in order."""
    return [_to_trial(trial) for trial in study.get_trials(False, (TrialState.COMPLETE, TrialState.PRUNED))]


def search(
    study: optuna.Study,
    ranges: dict[str, Range],
    current: dict[str, Any],
    evaluate: ScoreTrial,
    *,
    trials: int,
    seed: int,
    until: float = float("inf"),
) -> Iterator[Trial]:
    """Yield trials as they finish, until the study has `trials` of them or `time.monotonic()` reaches `until`.

    The current values are always evaluated, and no values are evaluated twice. Raises ConfigError if training fails for
    the current values; a trial with other values that fails is pruned.
    """
    distributions = {key: _distribution(space) for key, space in ranges.items()}
    while True:
        finished = finished_trials(study)
        is_current = current not in [trial.values for trial in finished]
        if not is_current and (len(finished) >= trials or time.monotonic() >= until):
            return
        if is_current:
            study.enqueue_trial({key: _encode(ranges[key], value) for key, value in current.items()})
        study.sampler = optuna.samplers.TPESampler(seed=seed + len(finished))
        trial = study.ask(distributions)
        sampled = {key: _decode(ranges[key], value) for key, value in trial.params.items()}
        values = current if is_current else sampled
        known = next((earlier for earlier in finished if earlier.values == values), None)
        try:
            figures, why = (known.figures, known.why) if known else _run_trial(trial, values, evaluate)
        except ConfigError as error:
            if is_current:
                raise
            figures, why = {}, str(error)
        for name, value in {"values": values, "figures": figures, "why": why}.items():
            trial.set_user_attr(name, value)
        study.tell(trial, figures.get("macro_f1"), TrialState.COMPLETE if figures else TrialState.PRUNED)
        yield finished_trials(study)[-1]


def best_trial(trials: list[Trial], current: dict[str, Any]) -> Trial:
    """Return the trial with the highest score; among ties the one with the current values, then the first."""
    return max(trials, key=lambda trial: (trial.score, trial.values == current))


def _run_trial(trial: optuna.Trial, values: dict[str, Any], evaluate: ScoreTrial) -> tuple[dict[str, float], str]:
    curve: list[dict[str, float]] = []

    def on_epoch(point: dict[str, float]) -> None:
        curve.append(point)
        trial.set_user_attr("curve", curve)
        trial.report(point["valid_accuracy"], int(point["epoch"]))
        if trial.should_prune():
            raise optuna.TrialPruned

    try:
        return evaluate(values, on_epoch), ""
    except optuna.TrialPruned:
        return {}, f"behind the others after {len(curve)} epochs"


def _to_trial(trial: FrozenTrial) -> Trial:
    began = trial.datetime_start or datetime.min
    seconds = ((trial.datetime_complete or began) - began).total_seconds()
    attributes = {"curve": []} | trial.user_attrs  # as `search` set them
    return Trial(number=trial.number, began=began.timestamp(), seconds=seconds, **attributes)


def _distribution(space: Range) -> BaseDistribution:
    if not isinstance(space, Span):
        return CategoricalDistribution(list(map(json.dumps, space.values)))
    if space.is_integer():
        return IntDistribution(int(space.low), int(space.high), log=space.log)
    return FloatDistribution(space.low, space.high, log=space.log)


def _encode(space: Range, value: Any) -> Any:
    """Return a value as Optuna stores it, which has no lists."""
    return value if isinstance(space, Span) else json.dumps(value)


def _decode(space: Range, value: Any) -> Any:
    return space.rounded(value) if isinstance(space, Span) else json.loads(value)
