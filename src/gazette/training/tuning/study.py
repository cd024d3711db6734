"""A study: which values are tried next, which are given up early, and what each came to. Optuna, kept in SQLite.

What is tried depends on the seed and on the trials that are finished: a study that was killed goes on as if it had not
been.
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

from gazette.core.errors import Misconfigured
from gazette.training.tuning.search_space import Range, Span

UNPRUNED = 4  # trials that run to their end before any is compared with their median
FIRST = 2  # epoch after which a trial may be given up; one epoch says too little

Watch = Callable[[dict[str, float]], None]
Judge = Callable[[dict[str, Any], Watch], dict[str, float]]


class Trial(NamedTuple):
    """A finished trial; `figures` are empty and `why` says something where it was given up."""

    number: int
    values: dict[str, Any]
    figures: dict[str, float]
    curve: list[dict[str, float]]
    why: str
    began: float
    seconds: float

    @property
    def score(self) -> float:
        """What trials are compared by."""
        return self.figures.get("macro_f1", 0.0)


def opened(storage: Path, name: str) -> optuna.Study:
    """The study of that name in a database, a new one where there is none; what a kill left half done is put aside."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage.parent.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        storage=f"sqlite:///{storage}",
        study_name=name,
        direction="maximize",
        load_if_exists=True,
        pruner=optuna.pruners.MedianPruner(UNPRUNED, FIRST, n_min_trials=UNPRUNED),
    )
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
    return study


def finished(study: optuna.Study) -> list[Trial]:
    """The trials that came to an end, in their order."""
    return [_told(one) for one in study.get_trials(False, (TrialState.COMPLETE, TrialState.PRUNED))]


def search(
    study: optuna.Study,
    ranges: dict[str, Range],
    current: dict[str, Any],
    judge: Judge,
    *,
    trials: int,
    seed: int,
    until: float = float("inf"),
) -> Iterator[Trial]:
    """Yields trials as they finish, until the study has so many, or until a time of `time.monotonic`.

    The current values are always tried. Values that were tried before are not learned again. Raises Misconfigured
    where the current values lead nowhere; others that do are given up.
    """
    distributions = {key: _distribution(one) for key, one in ranges.items()}
    while True:
        done = finished(study)
        untried = current not in [trial.values for trial in done]
        if not untried and (len(done) >= trials or time.monotonic() >= until):
            return
        if untried:
            study.enqueue_trial({key: _kept(ranges[key], value) for key, value in current.items()})
        study.sampler = optuna.samplers.TPESampler(seed=seed + len(done))
        trial = study.ask(distributions)
        drawn = {key: _drawn(ranges[key], value) for key, value in trial.params.items()}
        values = current if untried else drawn
        known = next((one for one in done if one.values == values), None)
        try:
            figures, why = _tried(trial, values, judge, known)
        except Misconfigured as error:
            if untried:
                raise
            figures, why = {}, str(error)
        trial.set_user_attr("values", values)
        trial.set_user_attr("figures", figures)
        trial.set_user_attr("why", why)
        study.tell(trial, figures.get("macro_f1"), TrialState.COMPLETE if figures else TrialState.PRUNED)
        yield finished(study)[-1]


def best(trials: list[Trial], current: dict[str, Any]) -> Trial:
    """The trial with the highest score; the one of the current values where no other is higher, else the first."""
    return max(trials, key=lambda trial: (trial.score, trial.values == current))


def _tried(
    trial: optuna.Trial, values: dict[str, Any], judge: Judge, known: Trial | None
) -> tuple[dict[str, float], str]:
    if known:
        return known.figures, known.why
    curve: list[dict[str, float]] = []

    def watch(point: dict[str, float]) -> None:
        curve.append(point)
        trial.set_user_attr("curve", curve)
        trial.report(point["valid_accuracy"], int(point["epoch"]))
        if trial.should_prune():
            raise optuna.TrialPruned

    try:
        return judge(values, watch), ""
    except optuna.TrialPruned:
        return {}, f"behind the others after {len(curve)} epochs"


def _told(trial: FrozenTrial) -> Trial:
    kept = trial.user_attrs
    began = trial.datetime_start or datetime.min
    seconds = ((trial.datetime_complete or began) - began).total_seconds()
    curve = kept.get("curve", [])
    return Trial(trial.number, kept["values"], kept["figures"], curve, kept["why"], began.timestamp(), seconds)


def _distribution(one: Range) -> BaseDistribution:
    if not isinstance(one, Span):
        return CategoricalDistribution(list(map(json.dumps, one.values)))
    if one.whole():
        return IntDistribution(int(one.low), int(one.high), log=one.log)
    return FloatDistribution(one.low, one.high, log=one.log)


def _kept(one: Range, value: Any) -> Any:
    """A value as Optuna keeps it: it has no lists."""
    return value if isinstance(one, Span) else json.dumps(value)


def _drawn(one: Range, value: Any) -> Any:
    return one.written(value) if isinstance(one, Span) else json.loads(value)
