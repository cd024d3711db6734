"""Split validated articles into clean train, valid and test splits and a quarantine of conflicting labels."""

from pathlib import Path

import numpy as np
import polars as pl
from pydantic import BaseModel, Field

from gazette.core import articles, files, normalization, tables
from gazette.core.arrays import Array
from gazette.core.corpus import read_description
from gazette.core.errors import DataContractError
from gazette.core.escape import MAX_NAMED, format_places, quote
from gazette.data import dedup, splits

LABELS = ("label", "train_label")
SPLITS = ("train", "valid", "test")


class Params(BaseModel, frozen=True, extra="forbid"):
    """Shares of the splits that the corpus does not provide."""

    valid_share: float = Field(gt=0, lt=0.5)
    test_share: float = Field(gt=0, lt=0.5)


def run(
    params: Params,
    *,
    description: Path,
    validated: Path,
    train: Path,
    valid: Path,
    test: Path,
    quarantine: Path,
    report: Path,
) -> None:
    """Put every row of `validated` in one split or in quarantine, or count it as dropped in the report."""
    corpus = read_description(description)
    published = sorted(corpus.files)
    texts, rows = _add_keys(articles.read_articles(validated))
    shares = params.valid_share, params.test_share
    is_corrected = "train_label" in rows.columns
    rows, corrections = splits.apply_volunteered(rows, published, *shares) if is_corrected else (rows, {})
    unique, conflicts = splits.split_conflicts(rows, published)
    counts = {"conflicts": conflicts.height}
    for name, drop in {"duplicates": splits.drop_duplicates, "overlap": splits.drop_overlap}.items():
        before = unique.height
        unique = drop(unique, published)
        counts[name] = before - unique.height
    clean = splits.assign_splits(unique, published, *shares)
    _check_classes(clean, rows, corpus.labels)
    sizes = {}
    for split, path in {"train": train, "valid": valid, "test": test}.items():
        part = clean.filter(pl.col("split") == split)
        articles.write_articles(path, _add_texts(part, texts))
        sizes[split] = part.height
    reason = pl.lit("the same text under two labels")
    tables.write_parquet(quarantine, _add_texts(conflicts, texts).with_columns(reason=reason))
    about = {"corrections": corrections} if is_corrected else {}
    files.write_json(report, {"read": rows.height, **sizes, "left_out": counts, **about})
    print(", ".join(f"{count:,} {name}" for name, count in (sizes | counts | corrections).items()))


def _add_keys(table: pl.DataFrame) -> tuple[pl.Series, pl.DataFrame]:
    """Return the texts, and the rows without them; `key` is the first row with the same text, `place` its hash."""

    def hash_part(texts: pl.Series) -> tuple[Array, pl.Series]:
        keys = normalization.normalize(texts)
        return dedup.hash_keys(keys), splits.hash_positions(keys)

    digests, places = zip(*dedup.map_parts(table["text"], hash_part), strict=True)
    key = dedup.first_occurrences(np.concatenate(digests))
    label = pl.Enum(pl.concat([table[name] for name in LABELS if name in table]).drop_nulls().unique().sort())
    kinds = {name: label for name in LABELS if name in table}
    kinds |= {name: pl.Enum(table[name].unique().sort()) for name in ("split", "file")}
    names = (pl.col(name).cast(kind) for name, kind in kinds.items())
    rows = table.with_row_index("row").select("row", *names, "line", key=key, place=pl.concat(places))
    return table["text"].rechunk(), rows  # contiguous, so that rows are gathered without copying texts


def _add_texts(rows: pl.DataFrame, texts: pl.Series) -> pl.DataFrame:
    return rows.select(texts.gather(rows["row"]), pl.col("label", "split", "file").cast(pl.String), "line")


def _check_classes(clean: pl.DataFrame, validated: pl.DataFrame, labels: list[str]) -> None:
    """Raise DataContractError if a class has no article in a split; says where its articles are."""
    present = set(clean.select("split", "label").unique().iter_rows())
    needed = [(split, label) for label in labels for split in SPLITS]
    missing = [(split, label) for split, label in needed if (split, label) not in present]
    if missing:
        lines = [_describe_missing(split, label, clean, validated) for split, label in missing[:MAX_NAMED]]
        more = [f"  and {len(missing) - MAX_NAMED:,} more"] if len(missing) > MAX_NAMED else []
        raise DataContractError(
            "a class has no article in a split; every class needs articles to train on and to evaluate on:\n"
            + "\n".join([*lines, *more])
            + "\nAdd articles, or raise valid_share and test_share in section preprocess of params.yaml."
        )


def _describe_missing(split: str, label: str, clean: pl.DataFrame, validated: pl.DataFrame) -> str:
    rows, left = (table.filter(pl.col("label").cast(pl.String) == label) for table in (validated, clean))
    counts = {name: left.filter(pl.col("split") == name).height for name in SPLITS}
    lost = rows.height - left.height
    parts = [f"{count:,} in {name}" for name, count in counts.items() if count]
    parts += [f"{lost:,} left out as duplicates, conflicts or overlap"] if lost else []
    places = f". The first: {format_places(rows.sort('file', 'line').head(3).to_dicts())}" if rows.height else ""
    return (
        f"  class {quote(label)} in {split}: 0 of its {rows.height:,} articles ({', '.join(parts) or 'none'}){places}"
    )
