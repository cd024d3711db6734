"""Drift of the published valid and test splits from train: distances between 0 and 1."""

import numpy as np
import polars as pl
from scipy.spatial.distance import jensenshannon

from gazette.core import normalization

TOKEN = r"\p{Han}|[\p{L}\p{N}--\p{Han}]+"  # a Chinese character, a word or number
MAX_TOKENS = 1000  # the most frequent of train; all others count as one more
MAX_ROWS_SAMPLED = 20_000  # of a split, with a fixed seed, whose tokens are counted
FOLDS = 5  # parts of train that estimate the divergence by chance


def measure_drift(lengths: pl.DataFrame, classes: pl.DataFrame, sample: pl.DataFrame) -> pl.DataFrame:
    """Measure valid and test, if they have rows, against train: split, classes, lengths, vocabulary.

    classes: Jensen-Shannon distance (base 2) of the class shares. lengths: Kolmogorov-Smirnov statistic of the lengths
    in characters. vocabulary: Jensen-Shannon distance of the frequencies of train's most frequent words (for Chinese,
    characters), minus the divergence of parts of train of the same size. So it is about 0 for a random split, however
    small; the other two include chance, about 0.1 for 200 rows.

    `lengths` has the rows of each split and number of characters, `classes` those of each split and label; words are
    counted in `sample`.
    """
    texts = {split: sample.filter(split=split)["text"] for split in ("train", "valid", "test")}
    distances = [
        {
            "split": split,
            "classes": _compare_classes(classes, split),
            "lengths": _compare_lengths(lengths, split),
            "vocabulary": _vocabulary(_sample(texts["train"]), _sample(texts[split])),
        }
        for split in ("valid", "test")
        if texts[split].len() and texts["train"].len() > 1
    ]
    schema = {"split": pl.String, "classes": pl.Float64, "lengths": pl.Float64, "vocabulary": pl.Float64}
    return pl.DataFrame(distances, schema=schema).with_columns(pl.col(pl.Float64).round(6))


def _compare_classes(classes: pl.DataFrame, split: str) -> float:
    counts = _side_by_side(classes, "label", split)
    return float(jensenshannon(*(counts / counts.sum(axis=1, keepdims=True)), base=2))


def _compare_lengths(lengths: pl.DataFrame, split: str) -> float:
    counts = _side_by_side(lengths, "characters", split)
    train, compared = np.cumsum(counts, axis=1) / counts.sum(axis=1, keepdims=True)
    return float(np.abs(train - compared).max())


def _side_by_side(table: pl.DataFrame, values: str, split: str) -> np.ndarray:
    """Return the rows of train and of a split with each value, in order: 2 × values."""
    rows = table.filter(pl.col("split").is_in(["train", split]), pl.col("rows") > 0)
    counts = [pl.col("rows").filter(split=name).sum() for name in ("train", split)]
    ordered = rows.group_by(values).agg(train=counts[0], compared=counts[1]).sort(values)
    return ordered.select("train", "compared").to_numpy().T


def _sample(texts: pl.Series) -> pl.Series:
    return normalization.normalize(texts.sample(min(MAX_ROWS_SAMPLED, texts.len()), shuffle=True, seed=7))


def _vocabulary(train: pl.Series, split: pl.Series) -> float:
    fold = min(split.len(), train.len() // 2)
    folds = min(FOLDS, train.len() // fold)
    tokens = _tokens(train).with_columns(fold=(pl.col("row") // fold).clip(upper_bound=folds))
    frequent = tokens.group_by("token").len().sort("len", "token", descending=[True, False])["token"].head(MAX_TOKENS)
    known = pl.DataFrame({"token": frequent}).with_row_index("place")
    counts = np.array([_counts(tokens.filter(pl.col("fold") == part), known) for part in range(folds + 1)])
    whole = counts.sum(axis=0)
    chance = np.mean([jensenshannon(part, whole - part, base=2) ** 2 for part in counts[:folds]])
    # Divergence by chance is proportional to 1/n + 1/m, and the rest of train is smaller than train.
    chance *= (1 / train.len() + 1 / split.len()) / (1 / fold + 1 / (train.len() - fold))
    divergence = jensenshannon(whole, _counts(_tokens(split), known), base=2) ** 2
    return float(np.sqrt(max(0, divergence - chance)))


def _tokens(keys: pl.Series) -> pl.DataFrame:
    return pl.DataFrame({"token": keys.str.extract_all(TOKEN)}).with_row_index("row").explode("token").drop_nulls()


def _counts(tokens: pl.DataFrame, known: pl.DataFrame) -> np.ndarray:
    """Count each known token, and all others together."""
    places = tokens.join(known, on="token", how="left")["place"].fill_null(known.height)
    return np.bincount(places.to_numpy(), minlength=known.height + 1)
