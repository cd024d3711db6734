"""What breaks the corpus contract in single classes and splits, in words."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from gazette.core.escape import MAX_NAMED, name_first, quote, tally
from gazette.data.validation.checks import Check
from gazette.data.validation.facts import Facts, first_places

QUARANTINED = "are in quarantine"
_UNKNOWN = re.compile(r"unknown label '(.*?)'(?: \(U\+[^)]*\))?: ")
Explanation = tuple[str, str, list[dict[str, Any]]]  # what, cure, rows
Classes = Sequence[dict[str, Any]]


def _explain_classes(facts: Facts, column: str, check: Check) -> Iterator[Explanation]:
    yield from (_explain_few if column == "rows" else _explain_dominant)(facts, check)


def _explain_few(facts: Facts, check: Check) -> Iterator[Explanation]:
    """Explain, for each split, the classes with too few articles."""
    classes, bound = facts.report["classes"], facts.bounds[check.bound]
    for split in dict.fromkeys(row["split"] for row in classes):
        of_split = [row for row in classes if row["split"] == split]
        few = sorted((row for row in of_split if row["rows"] < bound), key=lambda row: row["rows"])
        if not few:
            continue
        names = [row["label"] for row in few]
        lost = facts.rejects.filter(pl.col("split") == split)
        lost = lost.filter(pl.col("label").is_in(names) | pl.col("label").is_null())
        where = facts.first("few_articles", split=split) or first_places(lost)
        what = f"{_few(split, few, len(of_split), bound)}{_elsewhere(few, classes)}"
        what += f"; {_count_lost(lost)} {QUARANTINED}" if lost.height else ""
        yield what, check.cure, _unnamed(where, few)


def _few(split: str, few: Classes, classes: int, bound: int) -> str:
    expected = f"expected at least {bound:,} (validate.min_rows_per_class)"
    if len(few) == 1:
        return f"class {quote(few[0]['label'])} in {split} has {tally(few[0]['rows'], 'article')}, {expected}"
    if len(few) == classes and not any(row["rows"] for row in few):
        return f"{split} has no articles of any of its {classes:,} classes, {expected} of each"
    first = ", ".join(f"{quote(row['label'])} {row['rows']:,}" for row in few[:MAX_NAMED])
    more = f" and {len(few) - MAX_NAMED:,} more" if len(few) > MAX_NAMED else ""
    return f"{len(few):,} of {classes:,} classes in {split} have too few articles, {expected} of each: {first}{more}"


def _elsewhere(few: Classes, classes: Classes) -> str:
    """Return where the articles of the only class are, if it has none in this split."""
    if len(few) > 1 or few[0]["rows"]:
        return ""
    places = [
        f"{row['rows']:,} in {row['split']}" for row in classes if row["label"] == few[0]["label"] and row["rows"]
    ]
    return f"; it has {', '.join(places)}" if places else ""


def _count_lost(lost: pl.DataFrame) -> str:
    known = lost["label"].drop_nulls()
    if known.is_empty():
        return f"{tally(lost.height, 'row')} of unknown class"
    return f"{len(known):,} more of {name_first(known.unique(maintain_order=True), 3)}"


def _unnamed(places: Classes, classes: Classes) -> list[dict[str, Any]]:
    """Return places without the class if only one is meant, which the sentence names."""
    return [place | {"label": None} if len(classes) == 1 else place for place in places]


def _explain_dominant(facts: Facts, check: Check) -> Iterator[Explanation]:
    """Explain, for each split, the class whose share is too large."""
    least, bound = facts.bounds["min_rows_per_class"], facts.bounds[check.bound]
    rare = {row["split"] for row in facts.report["classes"] if row["rows"] < least}
    for row in facts.report["classes"]:
        if row["share"] > bound:
            what = (
                f"class {quote(row['label'])} has {row['share']:.1%} of the articles in {row['split']} "
                f"({row['rows']:,}), expected at most {bound:.1%} (validate.max_class_share)"
            )
            if row["split"] in rare:
                yield f"{what}: for lack of the others", "", []
            else:
                yield what, check.cure, _unnamed(facts.first("dominant_class", split=row["split"]), [row])


def _explain_labels(facts: Facts, column: str, check: Check) -> Iterator[Explanation]:
    """Explain how the labels in the files differ from those in the description."""
    rows = facts.rejects.filter(pl.col("reason").str.contains("unknown label", literal=True))
    name = pl.col("reason").str.extract(_UNKNOWN.pattern)
    unknown = rows.group_by(name.alias("name"), maintain_order=True)
    parts = []
    for (name,), part in list(unknown)[:MAX_NAMED]:
        splits = ", ".join(part["split"].unique().sort())
        parts.append(f"{quote(name)} is in {splits} ({tally(part.height, 'row')}) and not in the description")
    classes = facts.report["classes"]
    present = {row["label"] for row in classes if row["rows"]}
    if absent := [name for name in dict.fromkeys(row["label"] for row in classes) if name not in present]:
        parts.append(f"no article has {name_first(absent)}, which the description names")
    what = f"the classes in the files and in the description differ: {'; '.join(parts)}"
    yield what, check.cure, first_places(rows)


def _explain_drift(facts: Facts, column: str, check: Check) -> Iterator[Explanation]:
    """Explain the distance of each split that is too far from train, with the class whose share differs most."""
    bound = facts.bounds[check.bound]
    shares = {(row["split"], row["label"]): row["share"] for row in facts.report["classes"]}
    for row in (row for row in facts.report["drift"] if row[column] > bound):
        split = row["split"]
        what = f"{check.name} in {split}: {row[column]:.3f}, expected at most {bound:g} ({check.key})"
        if column == "classes":
            pairs = {
                label: (share, shares.get(("train", label), 0))
                for (name, label), share in shares.items()
                if name == split
            }
            label, (here, train) = max(pairs.items(), key=lambda pair: abs(pair[1][0] - pair[1][1]))
            what += f"; class {quote(label)} has {here:.1%} there and {train:.1%} in train"
        yield what, check.cure, facts.first("split", split=split)


EXPLAIN = {"classes": _explain_classes, "labels": _explain_labels, "drift": _explain_drift}
