"""A corpus as its overlay corrects it, at once or part by part."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from gazette.core.corpus import OVERLAY, Corpus
from gazette.data.overlay import Corrections, check_labels, drop_unneeded, parse_overlay, summarize
from gazette.data.readers import read


def read_corrected(
    corpus: Corpus, raw: Path
) -> tuple[pl.DataFrame, pl.DataFrame, list[dict[str, Any]], dict[str, Any]]:
    """Return articles with their corrections, rejects, counts per file, and what was corrected; see `read_corpus`.

    The last is empty without an overlay. Raises DataContractError if the overlay is broken or contradicts itself.
    """
    parts: list[tuple[pl.DataFrame, pl.DataFrame]] = []
    accounts, corrections = read_parts(corpus, raw, lambda *part: parts.append(part))
    articles, rejects = map(pl.concat, zip(*parts, strict=True))
    return drop_unneeded(articles), rejects, accounts, corrections


def read_parts(
    corpus: Corpus, raw: Path, take: Callable[[pl.DataFrame, pl.DataFrame], None]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Read as `read_corrected` does, but pass articles and rejects on to `take`, part by part; return the rest.

    With an overlay, all parts have the column `train_label`, even if it is empty.
    """
    path = raw / OVERLAY
    if not path.exists():
        return read.read_parts(corpus, raw, take), {}
    content = path.read_bytes()
    overlay = parse_overlay(content, path)
    check_labels(overlay, corpus.labels)
    corrections, empty = Corrections(overlay), list[pl.DataFrame]()

    def correct(articles: pl.DataFrame, rejects: pl.DataFrame) -> None:
        corrected = corrections.apply(articles)
        take(corrected, rejects)
        empty[:] = corrected.clear(), rejects.clear()

    accounts = read.read_parts(corpus, raw, correct)
    new, outcomes = corrections.finish()
    take(pl.concat([empty[0], new], how="diagonal"), empty[1])
    account = {
        "split": "train",
        "file": OVERLAY,
        "rows": new.height,
        "articles": new.height,
        "rejected": 0,
        "unused": [],
    }
    notes = {"other lines": overlay.height - new.height} if new.height < overlay.height else {}
    return [*accounts, {**account, "notes": notes}], summarize(outcomes, content)
