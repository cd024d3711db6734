"""The outputs of validation from which its breaches are explained."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
from prefect_dvc.core.escape import escape

MAX_ROWS = 5  # of a breach


@dataclass(frozen=True)
class Facts:
    """The outputs of validation: its report, its quarantine with the probable classes, its examples, its bounds."""

    report: Mapping[str, Any]
    rejects: pl.DataFrame
    examples: pl.DataFrame
    bounds: Mapping[str, Any]

    def rows_of(self, split: str | None = None) -> int:
        """Return the number of articles, of one split or of all."""
        classes: list[dict[str, Any]] = self.report["classes"]
        return sum(row["rows"] for row in classes if split in (None, row["split"]))

    def first(self, *kinds: str, split: str | None = None) -> list[dict[str, Any]]:
        """Return the places of the first examples of these kinds."""
        rows = self.examples.filter(pl.col("kind").is_in(kinds) & (pl.col("file") != ""))
        chosen = (rows if split is None else rows.filter(pl.col("split") == split)).head(MAX_ROWS)
        labels = {escape(row["label"]): row["label"] for row in self.report["classes"]}
        return [
            {"file": row["file"], "line": row["line"], "label": _label_of(row["seen"], labels)}
            for row in chosen.iter_rows(named=True)
        ]


def _label_of(seen: str, labels: Mapping[str, str]) -> str | None:
    starts = [shown for shown in labels if seen.startswith((f"{shown}: ", f"{shown}, near "))]
    return labels[max(starts, key=len)] if starts else None


def first_places(rows: pl.DataFrame) -> list[dict[str, Any]]:
    """Return file, line and probable class of the first rejected rows."""
    return rows.select("file", "line", "label").head(MAX_ROWS).to_dicts()
