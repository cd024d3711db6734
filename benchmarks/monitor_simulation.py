"""How often the monitor is wrong, on streams of real rows whose days resemble each other.

    python benchmarks/monitor_simulation.py nyt ../shared/data/nyt_sample/headlines.csv 100
    python benchmarks/monitor_simulation.py ag ../shared/data/ag_news 100

The first trains `linear` on the headlines of 1996 to 1999 and takes those since 2000, in order, as the pool; the second
trains on 20,000 rows of AG News' train file and takes the test file. A stream repeats blocks of the pool of random
length (stationary bootstrap: D. Politis and J. Romano, JASA 1994), so nothing changes in ten years, but days resemble
each other. Prints false alarms a year of each signal and of the CUSUM, and how soon they detect injected changes, with
the numbers of params.yaml. The last argument is the number of streams for the signals; with 0 the CUSUM
alone is simulated.
"""

import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from prefect_dvc.core.errors import parse

from gazette.core import files
from gazette.core.arrays import Array
from gazette.monitoring import cusum, signals, windows
from gazette.monitoring.params import Params
from gazette.monitoring.thresholds import DAYS_A_YEAR
from gazette.serving.journal.scripts import language
from gazette.training.networks import learn, runtime
from gazette.training.networks.tokenizer import UNKNOWN

YEARS, ROWS_A_DAY, BLOCK_DAYS = 10, 20, (3, 10)
REFERENCE = windows.MAX_WINDOWS  # windows before the ten years
FIRST = datetime(2000, 1, 3, tzinfo=UTC)
LABELS_A_WINDOW, LOSS, QUIET, LOSSY = 25, 0.07, 300, 1000


@dataclass(frozen=True)
class Pool:
    """Predictions on real rows in the columns of the journal, in order, and which are right."""

    table: pl.DataFrame
    right: Array
    labels: list[str]


def main(kind: str, path: Path, streams: int) -> None:
    """Print the tables."""
    numbers = files.read_yaml(Path("params.yaml"))
    params = Params.model_validate(numbers["monitor"])
    pool = make_pool(*{"nyt": read_nyt, "ag": read_ag}[kind](path), numbers)
    error = round(1 - float(pool.right.mean()), 4)
    print(f"{kind}: {len(pool.right):,} rows, {len(pool.labels)} labels, accuracy {1 - error:.3f}\n")
    for days in BLOCK_DAYS if streams else ():
        show_signals(pool, params, streams, days)
    show_cusum(pool, params, error)


def read_nyt(path: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return train rows and the pool: topics of at least thirty headlines."""
    table = pl.read_csv(path, schema_overrides={"topic": pl.String}).sort("date", maintain_order=True)
    text = pl.col("title") + "\n" + pl.col("summary").fill_null("")
    table = table.select("date", text=text, label="topic").filter(pl.len().over("label") >= 30)
    return table.filter(pl.col("date") < "2000"), table.filter(pl.col("date") >= "2000")


def read_ag(path: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return 20,000 train rows and the test rows."""
    columns = {"has_header": False, "new_columns": ["label", "title", "body"], "schema_overrides": {"label": pl.String}}
    tables = [pl.read_csv(path / f"{name}.csv", **columns) for name in ("train", "test")]
    texts = [table.select("label", text=pl.col("title") + "\n" + pl.col("body")) for table in tables]
    return texts[0].sample(20_000, seed=7), texts[1]


def make_pool(train: pl.DataFrame, rows: pl.DataFrame, numbers: dict[str, Any]) -> Pool:
    """Train on nine tenths of the train rows, calibrate on the rest, and predict the pool."""
    shared = parse(learn.Params, numbers["train"], "params.yaml, section train")
    runtime.configure_tensorflow(shared.seed, shared.threads, shared.onednn)
    labels = sorted(set(train["label"]))
    rows = rows.filter(pl.col("label").is_in(labels))
    parts = [train.gather_every(10, 9), train.filter(pl.int_range(pl.len()) % 10 != 9)]
    valid, rest = (
        learn.Split(part["text"].to_list(), np.array([labels.index(label) for label in part["label"]]), len(labels))
        for part in parts
    )
    learned = learn.train_candidate(numbers["models"]["linear"], "models.linear", rest, valid, shared.seed)
    texts = rows["text"].to_list()
    p, tokenizer = learn.predict_proba(learned, texts), learned.tokenizers["inputs"]
    ids = [np.array(encoding.ids) for encoding in tokenizer.encode_batch(texts)]
    predicted = [labels[number] for number in p.argmax(axis=1)]
    table = pl.DataFrame(
        {
            "label": predicted,
            "probabilities": pl.Series(p.round(3).tolist(), dtype=pl.List(pl.Float32)),
            "tokens": [len(row) for row in ids],
            "unknown": [float((row == tokenizer.token_to_id(UNKNOWN)).mean()) if len(row) else 0.0 for row in ids],
            "language": [language(text) for text in texts],
        }
    )
    return Pool(table, np.array(predicted) == rows["label"].to_numpy(), labels)


def draw_rows(pool: Pool, days: int, block_days: int, draw: np.random.Generator) -> Array:
    """Return the row of the pool that each article of a stream is: blocks whose length is geometric."""
    total, begins = days * ROWS_A_DAY, draw.random(days * ROWS_A_DAY) < 1 / (block_days * ROWS_A_DAY)
    begins[0] = True
    block = np.cumsum(begins) - 1
    first = draw.integers(len(pool.right), size=block[-1] + 1)
    return np.asarray((first[block] + np.arange(total) - np.flatnonzero(begins)[block]) % len(pool.right))


def to_days(pool: Pool, table: pl.DataFrame, days: int) -> signals.Days:
    """Return a stream as the monitor counts it."""
    hours = pl.Series(np.repeat(np.arange(days), ROWS_A_DAY)).cast(pl.Int64) * 86_400_000_000
    hour = FIRST + hours.cast(pl.Duration("us"))
    counts = signals.count(table.with_columns(hour=hour).lazy())
    languages = sorted({*pool.table["language"], "und-Hani"})
    result = signals.to_days(counts, pool.labels, languages)
    assert result is not None
    return result


CHANGES = {
    "labels": "the share of the largest class doubles",
    "unknown": "a tenth of the tokens become unknown",
    "length": "texts become a third longer",
    "confidence": "confidence falls by five points",
    "language": "one article in twenty is in another script",
}


def change(table: pl.DataFrame, name: str, draw: np.random.Generator) -> pl.DataFrame:
    """Return a stream's rows with an injected change of one signal."""
    confidence = pl.col("probabilities").list.max()
    if name == "labels":
        largest = table["label"].value_counts(sort=True)["label"][0]
        doubled = table.filter(label=largest)
        moved = draw.random(table.height) < doubled.height / table.height / (1 - doubled.height / table.height)
        label = pl.when(pl.Series(moved)).then(pl.lit(largest)).otherwise("label")
        return table.with_columns(label=label)
    expressions = {
        "unknown": (pl.col("unknown") + 0.1 * (1 - pl.col("unknown"))).alias("unknown"),
        "length": (pl.col("tokens") * 4 / 3).round().cast(pl.Int64).alias("tokens"),
        "confidence": pl.concat_list((confidence - 0.05).clip(0)).alias("probabilities"),
        "language": pl.when(pl.Series(draw.random(table.height) < 0.05)).then(pl.lit("und-Hani")).otherwise("language")
        .alias("language"),
    }  # fmt: skip
    return table.with_columns(expressions[name])


def show_signals(pool: Pool, params: Params, streams: int, block_days: int) -> None:
    """Print false alarms a year of each signal, and how many streams with a change alarm within so many windows."""
    draw, width = np.random.default_rng(block_days), params.window_days
    quiet_days = (REFERENCE + round(YEARS * DAYS_A_YEAR / width)) * width
    alarms, judged = dict.fromkeys([*signals.SIGNALS, "any"], 0), 0
    later = {name: np.zeros(3) for name in CHANGES}
    for _ in range(streams):
        table = pool.table[draw_rows(pool, quiet_days + width, block_days, draw)]
        rows = build(pool, table, quiet_days + width, params)
        judged += sum(bool(row["thresholds"]) for row in rows)
        for row in rows:
            alarms["any"] += bool(row["alarms"])
            for name in row["alarms"]:
                alarms[name] += 1
        for name in CHANGES:
            begin = (REFERENCE + 1) * width * ROWS_A_DAY  # a window more, since the first may be cut off
            part = table[: begin + 6 * width * ROWS_A_DAY]
            changed = pl.concat([part[:begin], change(part[begin:], name, draw)], how="vertical_relaxed")
            after = [name in row["alarms"] for row in build(pool, changed, changed.height // ROWS_A_DAY, params)[-5:]]
            later[name] += [any(after[:number]) for number in (1, 3, 5)]
    years, each = judged * width / DAYS_A_YEAR, params.unlabeled_alarms_a_year / len(signals.SIGNALS)
    print(f"blocks of {block_days} days on average, {streams} streams, {years:,.0f} years\n")
    print("| signal | stated | false alarms a year | injected change | 1 window | 3 windows | 5 windows |")
    print("|---|---|---|---|---|---|---|")
    for name in signals.SIGNALS:
        shares = " | ".join(f"{share:.0%}" for share in later[name] / streams)
        print(f"| {name} | {each:g} | {alarms[name] / years:.3f} | {CHANGES[name]} | {shares} |")
    print(f"| any | {params.unlabeled_alarms_a_year:g} | {alarms['any'] / years:.3f} | | | | |\n", flush=True)


def build(pool: Pool, table: pl.DataFrame, days: int, params: Params) -> list[windows.Row]:
    """Return the windows of a stream, by the code of the monitor."""
    counted = to_days(pool, table, days)
    return windows.build_windows(counted, counted.first + timedelta(days=days), None, params)


def show_cusum(pool: Pool, params: Params, error: float) -> None:
    """Print false alarms a year of the CUSUM and the share of losses that it detects within the stated delay."""
    head = "days a block | stated a year | false alarms a year | as if independent | stated delay | detected within it"
    print(f"| labels a window | {head} |\n|---|---|---|---|---|---|---|")
    for labels, rate, days in product((LABELS_A_WINDOW, 100), (0.1, 0.5), BLOCK_DAYS):
        show_losses(pool, params, error, labels, rate, days)
    a_year = _labels_a_year(LABELS_A_WINDOW, params)
    print(f"\nIf the error is not that of the reference ({LABELS_A_WINDOW} labels a window, 0.1 alarms stated):\n")
    print("| error above the reference | alarms a year |\n|---|---|")
    interval = cusum.decision_interval(error, LOSS, 0.1, a_year)
    for more in (-0.02, -0.01, 0.0, 0.01, 0.02, 0.03):
        print(f"| {100 * more:+g} points | {cusum.alarms_a_year(error + more, error, LOSS, interval, a_year):.3f} |")


def show_losses(pool: Pool, params: Params, error: float, labels: int, rate: float, block_days: int) -> None:
    """Print a row: alarms of streams without a change, and of streams with a loss within the stated delay."""
    width, draw = params.window_days, np.random.default_rng(9)
    clusters, a_year = cusum.Clusters(labels, params.error_correlation), _labels_a_year(labels, params)
    interval = cusum.decision_interval(error, LOSS, rate, a_year, clusters)
    plain = cusum.decision_interval(error, LOSS, rate, a_year)
    needed = cusum.labels_to_detect(error + LOSS, error, LOSS, interval, 0.95, clusters)
    assert needed
    count, delay = round(YEARS * DAYS_A_YEAR / width), -(-needed // labels)
    alarms, naive, hits = 0, 0, 0
    for _ in range(QUIET):
        quiet = ~pool.right[draw_rows(pool, count * width, block_days, draw)]
        labeled = ask_labels(quiet, labels, width, draw)
        alarms, naive = alarms + count_alarms(labeled, error, interval), naive + count_alarms(labeled, error, plain)
    for _ in range(LOSSY):
        stream = ~pool.right[draw_rows(pool, delay * width, block_days, draw)]
        lossy = stream | (draw.random(len(stream)) < LOSS / (1 - error))
        hits += cusum.run(ask_labels(lossy, labels, width, draw), error, LOSS, interval).alarm_at is not None
    rates = " | ".join(f"{total / QUIET / YEARS:.3f}" for total in (alarms, naive))
    stated = f"{delay} windows ({needed:,} labels)"
    print(f"| {labels} | {block_days} | {rate:g} | {rates} | {stated} | {hits / LOSSY:.1%} |", flush=True)


def _labels_a_year(labels: int, params: Params) -> float:
    return labels * DAYS_A_YEAR / params.window_days


def ask_labels(wrong: Array, labels: int, width: int, draw: np.random.Generator) -> Array:
    """Return whether randomly drawn articles of each window are wrong, in the order of their hours."""
    per_window = wrong.reshape(-1, width * ROWS_A_DAY)
    return np.concatenate([row[np.sort(draw.choice(len(row), labels, replace=False))] for row in per_window])


def count_alarms(wrong: Array, error: float, interval: float) -> int:
    """Return how often the sum alarms if it starts again after each alarm."""
    alarms = 0
    while (at := cusum.run(wrong, error, LOSS, interval).alarm_at) is not None:
        alarms, wrong = alarms + 1, wrong[at + 1 :]
    return alarms


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
