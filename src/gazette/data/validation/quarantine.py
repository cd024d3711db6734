"""Rows in quarantine as the cause of a breach: how many of which class and split, why, and the first of them."""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

import polars as pl

from gazette.core.articles import count_reasons
from gazette.core.escape import quote

MAX_KINDS = 5
_MEANT = re.compile(r"did you mean '(.+)'\?")
_FIELD = re.compile(r"""[,;|"'{}]|\\t|\t""")


def attribute_rejects(rejects: pl.DataFrame, labels: Sequence[str]) -> pl.DataFrame:
    """Add column `label`: the class that a rejected row is probably of, null if that cannot be said."""
    names = {name.casefold(): name for name in labels}
    classes = [
        _attribute(file, reason, seen, names) for file, reason, seen in rejects.select("file", "reason", "seen").rows()
    ]
    return rejects.with_columns(label=pl.Series(classes, dtype=pl.String))


def _attribute(file: str, reason: str, seen: str, names: dict[str, str]) -> str | None:
    """Tell the class by the label that was meant, by the folder, or by the only field that is a label."""
    meant = _MEANT.search(reason)
    if meant or "unknown label" in reason:
        return names.get(meant[1].casefold()) if meant else None
    folder = PurePosixPath(file).parent.name.casefold()
    if folder in names:
        return names[folder]
    first = seen.partition(": ")[0].casefold()
    if first in names:
        return names[first]
    labels = {names[field] for part in _FIELD.split(seen) if (field := part.strip().casefold()) in names}
    return labels.pop() if len(labels) == 1 else None


def describe_rejects(rejects: pl.DataFrame) -> str:
    """Return how many rows of which class and split have which kind of reason, the most frequent first."""
    parts = []
    for (split, label), rows in rejects.group_by("split", "label", maintain_order=True):
        of_class = f" of class {quote(label)}" if label is not None else ""
        parts += [
            (count, f"{count:,}{of_class} in {split} ({reason})")
            for reason, count in count_reasons(rows).select("reason", "rows").rows()
        ]
    ranked = [words for _, words in sorted(parts, key=lambda part: -part[0])]
    more = [f"{len(ranked) - MAX_KINDS:,} more kinds"] if len(ranked) > MAX_KINDS else []
    return ", ".join([*ranked[:MAX_KINDS], *more])
