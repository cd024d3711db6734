"""Turns the raw files of a corpus into valid articles and a quarantine, or stops."""

from pathlib import Path

from gazette.core import articles, corpus, files
from gazette.core.errors import BrokenContract
from gazette.data.validation import inspect

Params = inspect.Params


def run(
    params: Params,
    *,
    description: Path,
    raw: Path,
    valid_articles: Path,
    quarantine: Path,
    examples: Path,
    report: Path,
    docs: Path,
) -> None:
    """Raises BrokenContract, after the report is written, where rows or the corpus are not what was agreed."""
    found = inspect.inspect(corpus.describe(description), raw, params, docs)
    files.write(
        {
            "corpus": found.whole.row(0, named=True),
            "classes": found.classes.to_dicts(),
            "drift": found.drift.to_dicts(),
            "personal_data": found.personal,
            "files": found.files,
            "quarantine": articles.kinds(found.rejects).select("reason", "rows").to_dicts(),
            "expectations": found.findings,
        },
        report,
    )
    articles.write_table(found.rejects, quarantine)
    articles.write_table(found.examples, examples)
    _refuse(params, found)
    articles.write(found.articles.sort("split", "file", "line"), valid_articles)
    warned = sum(not finding["success"] for finding in found.findings)
    print(f"{found.articles.height:,} valid articles, {found.rejects.height:,} rows in quarantine, {warned} warnings")


def _refuse(params: Params, found: inspect.Inspection) -> None:
    quarantined = found.whole["quarantined"].item()
    if quarantined > params.max_quarantined:
        worst = [
            f"  {row['file']}, line {row['line']}: {row['reason']}; seen: {row['seen']}"
            for row in found.rejects.head(10).iter_rows(named=True)
        ]
        raise BrokenContract(
            f"{found.rejects.height:,} rows ({quarantined:.1%}) break the row contract; validate.max_quarantined in "
            f"params.yaml allows {params.max_quarantined:.1%}. The first of them:\n" + "\n".join(worst) + "\n"
            "Correct these rows, or the corpus's description if every row is read wrongly."
        )
    breaches = [finding for finding in found.findings if finding["severity"] == "critical" and not finding["success"]]
    if breaches:
        lines = [f"  {breach['expects']} Observed: {breach['observed']}. {breach['meaning']}" for breach in breaches]
        raise BrokenContract(
            "the corpus breaks its contract:\n" + "\n".join(lines) + "\n"
            "Correct the corpus, or the bound in section validate of params.yaml if it is too strict for it."
        )
