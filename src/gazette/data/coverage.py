"""Whether every class has articles in every split, and if not, where they are."""

from collections.abc import Mapping, Sequence

import polars as pl
from prefect_dvc.core.errors import DataContractError

from gazette.core.escape import MAX_NAMED, format_places, quote
from gazette.data.splits import SPLITS

Counts = Mapping[tuple[str, str], int]  # rows by split and label


def list_missing(clean: Counts, labels: Sequence[str]) -> dict[str, list[str]]:
    """Return for each split the classes that have no article in it; splits that have all are left out."""
    missing = {split: [label for label in labels if not clean.get((split, label))] for split in SPLITS}
    return {split: labels for split, labels in missing.items() if labels}


def check_classes(missing: Mapping[str, list[str]], clean: Counts, validated: pl.LazyFrame, *, has_ended: bool) -> None:
    """Raise DataContractError if a class has no article in a split, and say where its articles are.

    With `has_ended`, a class may be missing in valid and test: its last article may be older than they are.
    """
    pairs = [(split, label) for split, labels in missing.items() for label in labels]
    if has_ended:
        pairs = [(split, label) for split, label in pairs if split == "train"]
    if pairs:
        lines = [_describe(split, label, clean, validated) for split, label in pairs[:MAX_NAMED]]
        more = [f"  and {len(pairs) - MAX_NAMED:,} more"] if len(pairs) > MAX_NAMED else []
        cure = (
            "Move valid_from or valid_share in section preprocess of params.yaml, or leave out a class that is new."
            if has_ended
            else "Add articles, or raise valid_share and test_share in section preprocess of params.yaml."
        )
        raise DataContractError(
            "a class has no article in a split; every class needs articles to train on and to evaluate on:\n"
            + "\n".join([*lines, *more, cure])
        )


def _describe(split: str, label: str, clean: Counts, validated: pl.LazyFrame) -> str:
    rows = validated.filter(label=label)
    total = rows.select(pl.len()).collect().item()
    first = rows.select("file", "line", "label").sort("file", "line").head(3).collect().to_dicts()
    counts = {name: clean.get((name, label), 0) for name in SPLITS}
    lost = total - sum(counts.values())
    parts = [f"{count:,} in {name}" for name, count in counts.items() if count]
    parts += [f"{lost:,} left out as duplicates, conflicts or overlap"] if lost else []
    places = f". The first: {format_places(first)}" if first else ""
    return f"  class {quote(label)} in {split}: 0 of its {total:,} articles ({', '.join(parts) or 'none'}){places}"
