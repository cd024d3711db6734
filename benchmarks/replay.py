"""Replay a dated corpus week by week: what do policies of retraining cost, and what do they gain?

    python benchmarks/replay.py ../shared/data labels --policies never,monthly,labels --out replay

Streams: nyt, reuters, and AG News with a change halfway (share, words, labels) or none (nothing). A policy begins with
the classifier of the months before the first live one. Each week the champion answers, then the policy decides. A
training reads every article up to then, as an archive that was labeled for it; the gate judges the result by the rules
of params.yaml and the bounds below. A challenger becomes champion unless the gate finds it worse or below a floor: with
the few rows of a week or month "cannot tell" is the usual answer, and no policy would ever promote.

never, yearly, monthly   by the calendar
drift                    when a signal without labels alarms, as monitors that people use do
labels                   Gazette's: by the answers to randomly drawn articles, see gazette.monitoring.policy
"""

import argparse
import shutil
import time
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import streams
import yaml
from retraining import ROOT, Project
from streams import Scene
from watched import Trained, Watch, describe

from gazette.core import files
from gazette.core.bundle import Bundle
from gazette.monitoring.params import Params as MonitorParams
from gazette.monitoring.policy import Params as RetrainParams
from gazette.registry.verdict import ACCEPT, FAIL

AG = {"max_class_share": 0.9, "max_conflicts": 0.1, "max_vocabulary_distance": 1.0, "max_length_distance": 1.0}
LOOSE = {
    "max_quarantined": 0.05,
    "max_duplicates": 0.3,
    "max_class_distance": 1.0,
    "min_rows": 100,
    "min_rows_per_class": 1,
}
NO_FLOORS = {"accuracy": 0.0, "macro_f1": 0.0, "worst_recall": 0.0, "ece": 1.0}
BOUNDS: dict[str, Any] = {
    "validate": AG | LOOSE,
    "gate": {"floors": NO_FLOORS, "min_invariance": 0.0},
}
RESAMPLES = 2_000


@dataclass
class Replay:
    """What a policy did: a row per live article, the weeks at which it trained and promoted, and its actions.

    `reference` is what the first champion says of the test rows of its training, `labels` counts those asked for.
    """

    steps: list[pl.DataFrame] = field(default_factory=list)
    reference: pl.DataFrame = field(default_factory=pl.DataFrame)
    trained: list[int] = field(default_factory=list)
    promoted: list[int] = field(default_factory=list)
    actions: list[tuple[int, str, str]] = field(default_factory=list)
    labels: int = 0
    seconds: float = 0.0


def replay(scene: Scene, policy: str, box: Path) -> Replay:
    """Run a policy through a stream; the project, its bundles and its journal are in `box`."""
    began, result = time.monotonic(), Replay()
    project = Project(box, scene.rows["label"].unique().to_list(), BOUNDS)

    def train(now: datetime, champion: Trained) -> tuple[Trained, bool]:
        bundle = project.train(scene.rows.filter(pl.col("date") < now))
        passes = all(finding.outcome != FAIL for finding in project.judge(bundle, champion.folder))
        result.trained.append(week_of(now, scene.live))
        return describe(bundle, project.held_out()), passes

    first = describe(project.train(scene.rows.filter(pl.col("date") < scene.live)), project.held_out())
    result.reference = answer(first.folder, project.test_rows().with_columns(step=-1))
    watch = Watch(box, *settings(), first, scene.live, train)
    for rows in streams.windows(scene):
        result.steps.append(answer(watch.champion.folder, rows))
        week, before = rows["step"][0], watch.champion.digest
        end = scene.live + timedelta(days=7 * (week + 1))
        if policy in ("drift", "labels"):
            watch.note(rows)
        if policy == "labels":
            result.actions += [(week, *action) for action in watch.act(end)]
        elif is_due(policy, week) or (policy == "drift" and is_drift(watch, end, result)):
            watch.now = end
            watch.begin(*train(end, watch.champion))
            if watch.history.challenger.verdict == ACCEPT:
                watch.crown(watch.challenger, can_roll_back=False)
        if watch.champion.digest != before:
            result.promoted.append(week)
    result.labels, result.seconds = watch.labels, time.monotonic() - began
    return result


def is_drift(watch: Watch, now: datetime, result: Replay) -> bool:
    """Whether a signal without labels alarms, and the last training was four weeks ago."""
    watch.now = now
    alarms = watch.observe().unlabeled_alarms
    if alarms:
        result.actions.append((week_of(now, watch.began), "alarm", ", ".join(alarms)))
    trained_at = watch.history.trained_at
    return bool(alarms) and (trained_at is None or now - trained_at >= timedelta(days=28))


def settings() -> tuple[MonitorParams, RetrainParams]:
    """Return the sections of params.yaml; nobody waits for a person, a probation or a shadow."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    retrain = params["retrain"] | {"promote": True, "probation_days": 0, "min_shadow": 0}
    return MonitorParams(**params["monitor"] | {"sample": 1.0}), RetrainParams(**retrain)


def week_of(now: datetime, live: datetime) -> int:
    """Return the week that ends now."""
    return (now - live).days // 7 - 1


def answer(bundle: Path, rows: pl.DataFrame) -> pl.DataFrame:
    """Return for each article the step, its label, and what the bundle says of it."""
    classifier = Bundle(bundle)
    probabilities = classifier.probabilities(rows["text"].to_list())
    predicted = pl.Series([classifier.labels[index] for index in probabilities.argmax(axis=1)])
    return rows.select(
        "step",
        "date",
        "text",
        "label",
        right=pl.col("label") == predicted,
        predicted=predicted,
        confidence=probabilities.max(axis=1),
        words=pl.col("text").str.count_matches(" ") + 1,
        **{f"p_{label}": column for label, column in zip(classifier.labels, probabilities.T, strict=True)},
    )


def is_due(policy: str, week: int) -> bool:
    """Whether a policy by the calendar trains after this week."""
    every = {"yearly": 52, "monthly": 4}.get(policy, 0)
    return every > 0 and week % every == every - 1


def compare(ours: pl.DataFrame, theirs: pl.DataFrame) -> dict[str, float]:
    """Return the difference of mean accuracy on the same live articles, with a 95% interval.

    Blocks of four weeks are resampled, not articles: errors within a month depend on each other.
    """
    table = ours.select("step", ours="right").with_columns(theirs=theirs["right"])
    gain = (pl.col("ours").cast(int) - pl.col("theirs").cast(int)).sum()
    by_step = table.group_by(pl.col("step") // 4).agg(rows=pl.len(), gain=gain).sort("step")
    rows, gains = by_step["rows"].to_numpy(), by_step["gain"].to_numpy()
    drawn = np.random.default_rng(7).integers(len(rows), size=(RESAMPLES, len(rows)))
    low, high = np.quantile(gains[drawn].sum(axis=1) / rows[drawn].sum(axis=1), [0.025, 0.975])
    return {"difference": gains.sum() / rows.sum(), "low": float(low), "high": float(high)}


def main() -> None:
    """Run the policies on a stream that have not run yet, and print a line for each and how it compares with others."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("stream", choices=["nyt", "reuters", *streams.CHANGES])
    parser.add_argument("--policies", default="never,yearly,monthly,drift,labels")
    parser.add_argument("--out", type=Path, default=Path("replay"))
    options = parser.parse_args()
    out, stream = options.out.resolve() / options.stream, streams.scene(options.stream, options.data)
    out.mkdir(parents=True, exist_ok=True)
    tables = {}
    for policy in options.policies.split(","):
        figures = out / f"{policy}.json"
        if not figures.exists():
            shutil.rmtree(out / policy, ignore_errors=True)
            result = replay(stream, policy, out / policy)
            pl.concat(result.steps).write_parquet(out / f"{policy}.parquet")
            result.reference.write_parquet(out / "reference.parquet")
            files.write_json(
                figures, {key: value for key, value in asdict(result).items() if key not in ("steps", "reference")}
            )
            shutil.rmtree(out / policy)
        tables[policy] = pl.read_parquet(out / f"{policy}.parquet")
        print(policy, f"{tables[policy]['right'].mean():.4f}", figures.read_text())
    for ours, theirs in combinations(tables, 2):
        print(theirs, "against", ours, compare(tables[theirs], tables[ours]))


if __name__ == "__main__":
    main()
