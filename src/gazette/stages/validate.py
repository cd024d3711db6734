"""Validate the raw files of a corpus: validated articles and a quarantine, or an error."""

from pathlib import Path

from gazette.core import articles, corpus, files, tables
from gazette.core.errors import DataContractError
from gazette.data.validation import inspect

Params = inspect.Params


def run(
    params: Params,
    *,
    description: Path,
    raw: Path,
    validated: Path,
    quarantine: Path,
    examples: Path,
    report: Path,
    docs: Path,
) -> None:
    """Raise DataContractError, after writing the report, if rows or the corpus break their contract."""
    inspection = inspect.inspect_corpus(corpus.read_description(description), raw, params, docs)
    files.write_json(
        report,
        {
            "corpus": inspection.whole.row(0, named=True),
            "classes": inspection.classes.to_dicts(),
            "drift": inspection.drift.to_dicts(),
            "personal_data": inspection.personal,
            "files": inspection.files,
            "quarantine": articles.count_reasons(inspection.rejects).select("reason", "rows").to_dicts(),
            "expectations": inspection.findings,
        },
    )
    tables.write_parquet(quarantine, inspection.rejects)
    tables.write_parquet(examples, inspection.examples)
    _check_contract(params, inspection)
    articles.write_articles(validated, inspection.articles.sort("split", "file", "line"))
    quarantined, warnings = inspection.rejects.height, sum(not finding["success"] for finding in inspection.findings)
    print(f"{inspection.articles.height:,} validated articles, {quarantined:,} rows in quarantine, {warnings} warnings")


def _check_contract(params: Params, inspection: inspect.Inspection) -> None:
    rejects, share = inspection.rejects, inspection.whole["quarantined"].item()
    if share > params.max_quarantined:
        first = [
            f"  {row['file']}, line {row['line']}: {row['reason']}; seen: {row['seen']}"
            for row in rejects.head(10).iter_rows(named=True)
        ]
        raise DataContractError(
            f"{rejects.height:,} rows ({share:.1%}) break the row contract; validate.max_quarantined in params.yaml "
            f"allows {params.max_quarantined:.1%}. The first of them:\n" + "\n".join(first) + "\n"
            "Correct these rows, or the corpus description if every row is read wrongly."
        )
    critical = [finding for finding in inspection.findings if finding["severity"] == "critical"]
    if breaches := [finding for finding in critical if not finding["success"]]:
        lines = [f"  {breach['expects']} Observed: {breach['observed']}. {breach['meaning']}" for breach in breaches]
        raise DataContractError(
            "the corpus breaks its contract:\n" + "\n".join(lines) + "\n"
            "Correct the corpus, or the bound in section validate of params.yaml if it is too strict."
        )
