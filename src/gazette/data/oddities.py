"""Labels and texts that are probably not what they seem: several labels in one cell, words that stand for a null."""

import re
from collections.abc import Iterable
from itertools import islice

import polars as pl
from prefect_dvc.core.errors import ConfigError

from gazette.core.escape import quote

NULLS = [
    "null", "none", "nan", "na", "n/a", "#n/a", "#na", "<na>", "<null>", "(null)", "[null]", "nil", "\\n", "-", "--",
    "—", "?", "undefined", "#value!", "#ref!", "#name?", "#null!", "#div/0!",
]  # fmt: skip
SEPARATORS = ["|", ";", ",", "/", "&", "+", "、", "，", "；", "\t", "\n"]
LIST = re.compile(r"\s*(?:\[.*\]|\(.*,.*\)|\{.*\})\s*", re.DOTALL)
MANY = 0.5  # share of labels with a separator from which its parts need not be labels themselves


def check_single(places: dict[str, str]) -> None:
    """Raise ConfigError if labels seem to be several in one cell; `places` maps each to where it first occurs."""
    lists = [label for label in places if LIST.fullmatch(label)]
    if suspects := lists or list(islice(_joined(list(places)), 20)):
        label = suspects[0]
        more = f" (and {', '.join(map(quote, suspects[1:4]))})" if suspects[1:] else ""
        raise ConfigError(
            f"{places[label]}: the label {quote(label)}{more} seems to be several labels in one cell. An article has "
            "one class: keep one label of each cell, for instance the first. If it is one class, list the classes in a "
            "file: --classes FILE"
        )


def _joined(labels: list[str]) -> Iterable[str]:
    """Yield labels that a separator parts into labels that also stand alone, or into parts that recur."""
    for separator in SEPARATORS:
        parts = {label: [part.strip() for part in label.split(separator)] for label in labels if separator in label}
        alone = {label.strip() for label in labels} - {label.strip() for label in parts}
        counts: dict[str, int] = {}
        for part in (part for several in parts.values() for part in set(several)):
            counts[part] = counts.get(part, 0) + 1
        for label, several in parts.items():
            is_known = [part in alone for part in several if part]
            recurs = len(parts) >= MANY * len(labels) and all(counts[part] > 1 for part in several if part)
            if len(is_known) > 1 and (all(is_known) or (len(parts) > 2 and recurs)):
                yield label


def count_nulls(articles: pl.DataFrame) -> list[tuple[str, str, int]]:
    """Count labels and texts that look like a null: column, word, rows."""
    counts = []
    for column in ("label", "text"):
        rows = articles.filter(pl.col(column).str.strip_chars().str.to_lowercase().is_in(NULLS))
        words = rows.group_by(column, maintain_order=True).agg(pl.len()).sort("len", column, descending=[True, False])
        counts += [(column, word, count) for word, count in words.iter_rows()]
    return counts
