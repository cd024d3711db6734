"""Dated streams of labeled news for replay.py: two real ones, and AG News with changes that are known.

AG News has no dates. Its rows are dealt out in blocks of five as they follow each other in its file, so neighbors are
alike as in real news: a stream of rows drawn one by one would make every monitor look good.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zlib import crc32

import numpy as np
import polars as pl

BLOCK = 5
AG_LABELS = ["World", "Sports", "Business", "Sci/Tech"]
AG_MONTHLY = 300
COMPANIES = r"(?i)microsoft|google|intel|ibm|oracle|apple|yahoo|nokia|sony|dell|hewlett|cisco|amazon|ebay|computer|chip"

Stream = pl.DataFrame  # date (UTC), text, label; in order of time


@dataclass(frozen=True)
class Scene:
    """A stream, and the first live day; `changed` is the day of a known change."""

    rows: pl.DataFrame
    live: datetime
    changed: datetime | None = None


def scene(name: str, data: Path) -> Scene:
    """Return a stream by its name."""
    if name == "nyt":
        return Scene(nyt(data), _day(1999, 1, 1))
    if name == "reuters":
        return Scene(reuters(data), _day(1987, 3, 20))
    months, before = (140, 70) if name == "nothing" else (48, 30)
    rows = ag_news(data, name, months, before)
    first = rows["date"][0]
    changed = None if name == "nothing" else first + timedelta(days=30 * before)
    return Scene(rows, first + timedelta(days=30 * 20), changed)


def _day(*numbers: int) -> datetime:
    return datetime(*numbers, tzinfo=UTC)


def windows(scene: Scene) -> list[pl.DataFrame]:
    """Return the live articles of each week; weeks without an article are left out."""
    live = scene.rows.filter(pl.col("date") >= scene.live)
    step = (pl.col("date") - scene.live).dt.total_days() // 7
    return live.with_columns(step=step).partition_by("step", maintain_order=True)


def nyt(data: Path, topics: int = 7) -> Stream:
    """Return the dated headlines of the most frequent topics of a front page, 1996 to 2006."""
    rows = pl.read_csv(data / "nyt_sample/headlines.csv", schema_overrides={"topic": pl.String})
    text = pl.concat_str("title", "summary", separator=". ", ignore_nulls=True)
    return _most_frequent(
        rows.select(date=pl.col("date").str.to_datetime("%Y-%m-%d"), text=text, label="topic"), topics
    )


def reuters(data: Path, topics: int = 8) -> Stream:
    """Return the dated stories of the most frequent topics of an agency, 1987."""
    rows = pl.read_csv(data / "reuters21578/stories.csv.gz")
    text = pl.concat_str("title", "body", separator=". ", ignore_nulls=True)
    return _most_frequent(rows.select(date=pl.col("date").str.to_datetime(), text=text, label="topic"), topics)


def ag_news(data: Path, change: str, months: int, before: int, seed: int = 7) -> Stream:
    """Return `months` months of 30 days, of AG_MONTHLY articles each; from month `before` on, `change` is in force."""
    rows = pl.read_csv(data / "ag_news/train.csv").unique("text", maintain_order=True)
    label = pl.col("class_index").cast(pl.String).replace_strict({str(n): name for n, name in enumerate(AG_LABELS, 1)})
    rows = rows.select("text", label=label).filter(pl.col("text").str.len_chars() > 20)
    order = np.random.default_rng(seed).permutation(-(-rows.height // BLOCK))
    places = (order[:, None] * BLOCK + np.arange(BLOCK)).ravel()
    rows = rows[places[places < rows.height].tolist()]
    first, later = rows.head(before * AG_MONTHLY), rows.slice(before * AG_MONTHLY)
    later = CHANGES[change](later, (months - before) * AG_MONTHLY, seed)
    rows = pl.concat([first, later.head((months - before) * AG_MONTHLY)])
    if rows.height < months * AG_MONTHLY:
        raise ValueError(f"{change}: {rows.height:,} articles are too few for {months} months")
    start, step = datetime(2000, 1, 1), timedelta(days=30) / AG_MONTHLY
    dates = pl.Series([start + step * number for number in range(rows.height)]).dt.replace_time_zone(str(UTC))
    return rows.select(date=dates, text="text", label="label")


def _nothing(rows: Stream, count: int, seed: int) -> Stream:
    return rows


def _double_a_share(rows: Stream, count: int, seed: int) -> Stream:
    """Return the rows with Business at half of all: two of three rows of the other classes are left out."""
    thinned = np.random.default_rng(seed).random(rows.height) < 1 / 3
    return rows.filter((pl.col("label") == "Business") | pl.Series(thinned))


def _replace_words(rows: Stream, count: int, seed: int) -> Stream:
    """Return the rows with a tenth of the vocabulary replaced by words that nobody has read before."""
    words = {word for text in rows["text"] for word in text.split()}
    new = {word: f"{word[::-1]}q" for word in words if crc32(word.lower().encode()) % 10 == seed % 10}
    return rows.with_columns(
        text=pl.Series([" ".join(new.get(word, word) for word in text.split()) for text in rows["text"]])
    )


def _move_labels(rows: Stream, count: int, seed: int) -> Stream:
    """Return the rows with articles of Sci/Tech on companies filed under Business, more and more over a year."""
    chance = np.arange(rows.height) / (12 * AG_MONTHLY)
    moved = pl.Series(np.random.default_rng(seed).random(rows.height) < chance)
    is_company = (pl.col("label") == "Sci/Tech") & pl.col("text").str.contains(COMPANIES)
    return rows.with_columns(label=pl.when(is_company & moved).then(pl.lit("Business")).otherwise("label"))


CHANGES: dict[str, Callable[[Stream, int, int], Stream]] = {
    "nothing": _nothing, "share": _double_a_share, "words": _replace_words, "labels": _move_labels,
}  # fmt: skip


def _most_frequent(rows: Stream, topics: int) -> Stream:
    rows = (
        rows.drop_nulls().filter(pl.col("text").str.len_chars() > 10).unique("text", keep="first", maintain_order=True)
    )
    top = rows["label"].value_counts().sort("count", "label", descending=[True, False]).head(topics)["label"]
    dated = rows.filter(pl.col("label").is_in(top.to_list())).sort("date", maintain_order=True)
    return dated.with_columns(pl.col("date").dt.replace_time_zone(str(UTC)))
