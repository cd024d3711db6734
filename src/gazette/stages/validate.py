"""Turns the raw files of a corpus into valid articles and a quarantine, or stops."""

from pathlib import Path

import polars as pl
from pydantic import Field

from gazette import articles, corpus, expectations, profile, records
from gazette.errors import BrokenContract


class Params(expectations.Bounds, frozen=True, extra="forbid"):
    """The bounds of the corpus contract, and how many rows may break the row contract."""

    max_quarantined: float = Field(ge=0, le=1)


def run(
    params: Params, *, description: Path, raw: Path, valid_articles: Path, quarantine: Path, report: Path, docs: Path
) -> None:
    """Raises BrokenContract, after the report is written, where rows or the corpus are not what was agreed."""
    described = corpus.describe(description)
    table, unreadable = corpus.read(described, raw)
    labels = table.select(pl.col("label").unique().sort())
    table, unfit = articles.sort_out(table, described.labels)
    rejects = pl.concat([unreadable, unfit]).sort("split", "file", "line", maintain_order=True)
    keyed = profile.with_key(table)
    whole = profile.corpus_profile(keyed, rejects.height, described.language)
    classes = profile.class_profile(keyed, sorted(described.files), described.labels)
    findings = expectations.judge(whole, classes, labels, params, described.labels, docs)
    reasons = rejects.group_by("reason").agg(rows=pl.len()).sort("rows", "reason", descending=[True, False])
    records.write(
        {
            "corpus": whole.row(0, named=True),
            "classes": classes.to_dicts(),
            "quarantine": reasons.to_dicts(),
            "expectations": findings,
        },
        report,
    )
    articles.write_table(rejects, quarantine)
    _refuse(params, whole["quarantined"].item(), rejects, findings)
    articles.write(table.sort("split", "file", "line"), valid_articles)
    warned = sum(not finding["success"] for finding in findings)
    print(f"{table.height:,} valid articles, {rejects.height:,} rows in quarantine, {warned} warnings")


def _refuse(params: Params, quarantined: float, rejects: pl.DataFrame, findings: list[dict[str, object]]) -> None:
    if quarantined > params.max_quarantined:
        worst = [
            f"  {row['file']}, line {row['line']}: {row['reason']}" for row in rejects.head(10).iter_rows(named=True)
        ]
        raise BrokenContract(
            f"{rejects.height:,} rows ({quarantined:.1%}) break the row contract; validate.max_quarantined in "
            f"params.yaml allows {params.max_quarantined:.1%}. The first of them:\n" + "\n".join(worst) + "\n"
            "Correct these rows, or the corpus's description if every row is read wrongly."
        )
    breaches = [finding for finding in findings if finding["severity"] == "critical" and not finding["success"]]
    if breaches:
        lines = [f"  {breach['expects']} Observed: {breach['observed']}. {breach['meaning']}" for breach in breaches]
        raise BrokenContract(
            "the corpus breaks its contract:\n" + "\n".join(lines) + "\n"
            "Correct the corpus, or the bound in section validate of params.yaml if it is too strict for it."
        )
