"""How far the articles that judge are from those that are learned from: distances between 0 and 1."""

import numpy as np
import polars as pl
from scipy.spatial.distance import jensenshannon
from scipy.stats import ks_2samp

from gazette.core import normalization

TOKEN = r"\p{Han}|[\p{L}\p{N}--\p{Han}]+"  # a Chinese character, a word or number
KNOWN = 1000  # the commonest tokens of train; all others are one more
MOST = 20_000  # rows of a split, drawn with a fixed seed, whose tokens are counted
FOLDS = 5  # parts of train that show what chance alone does


def between(articles: pl.DataFrame) -> pl.DataFrame:
    """One row for valid and for test, where they have rows: split, classes, lengths, vocabulary, each against train.

    classes: Jensen-Shannon distance (base 2) of the shares of the classes. lengths: Kolmogorov-Smirnov statistic of
    the lengths in characters. vocabulary: Jensen-Shannon distance of the frequencies of train's commonest words (for
    Chinese, characters), less the divergence that parts of train as small have from the rest of it. So it is about 0
    for a split drawn at random and does not grow as the split gets smaller; the other two have their chance in them,
    about 0.1 for 200 rows.
    """

    def rows(split: str) -> pl.DataFrame:
        return articles.select("text", "label").filter(articles["split"] == split)

    others = {split: other for split in ("valid", "test") if (other := rows(split)).height}
    train = rows("train") if others else articles.head(0)
    found = [
        {
            "split": split,
            "classes": _classes(train["label"], other["label"]),
            "lengths": float(ks_2samp(_lengths(train), _lengths(other), method="asymp").statistic),
            "vocabulary": _vocabulary(_drawn(train["text"]), _drawn(other["text"])),
        }
        for split, other in others.items()
        if train.height > 1
    ]
    schema = {"split": pl.String, "classes": pl.Float64, "lengths": pl.Float64, "vocabulary": pl.Float64}
    return pl.DataFrame(found, schema=schema).with_columns(pl.col(pl.Float64).round(6))


def _classes(train: pl.Series, other: pl.Series) -> float:
    labels = pl.concat([train, other]).unique().sort()
    shares = [[(column == label).mean() for label in labels] for column in (train, other)]
    return float(jensenshannon(*shares, base=2))


def _lengths(articles: pl.DataFrame) -> np.ndarray:
    return articles["text"].str.len_chars().to_numpy()


def _drawn(texts: pl.Series) -> pl.Series:
    return normalization.normalised(texts.sample(min(MOST, texts.len()), shuffle=True, seed=7))


def _vocabulary(train: pl.Series, other: pl.Series) -> float:
    fold = min(other.len(), train.len() // 2)
    folds = min(FOLDS, train.len() // fold)
    learned = _tokens(train).with_columns(fold=(pl.col("row") // fold).clip(upper_bound=folds))
    frequent = learned.group_by("token").len().sort("len", "token", descending=[True, False])["token"].head(KNOWN)
    known = pl.DataFrame({"token": frequent}).with_row_index("place")
    counts = np.array([_counts(learned.filter(pl.col("fold") == part), known) for part in range(folds + 1)])
    whole = counts.sum(axis=0)
    chance = np.mean([jensenshannon(part, whole - part, base=2) ** 2 for part in counts[:folds]])
    # A divergence by chance is as 1/n + 1/m, and the rest of train is smaller than train.
    chance *= (1 / train.len() + 1 / other.len()) / (1 / fold + 1 / (train.len() - fold))
    seen = jensenshannon(whole, _counts(_tokens(other), known), base=2) ** 2
    return float(np.sqrt(max(0, seen - chance)))


def _tokens(keys: pl.Series) -> pl.DataFrame:
    """A row for every token: its text's row, and the token."""
    return pl.DataFrame({"token": keys.str.extract_all(TOKEN)}).with_row_index("row").explode("token").drop_nulls()


def _counts(tokens: pl.DataFrame, known: pl.DataFrame) -> np.ndarray:
    """How often each known token stands there, and all the others together."""
    places = tokens.join(known, on="token", how="left")["place"].fill_null(known.height)
    return np.bincount(places.to_numpy(), minlength=known.height + 1)
