"""Validate the raw files of a corpus: validated articles and a quarantine, or an error."""

from dataclasses import asdict
from pathlib import Path

from prefect_dvc.core import atomic
from prefect_dvc.core.errors import DataContractError

from gazette.core import articles, corpus, files, tables
from gazette.core.escape import tally
from gazette.data import overlay
from gazette.data.erased import read_erased
from gazette.data.validation import breaches, inspect, part_records
from gazette.data.validation.bounds import Params
from gazette.data.validation.checks import CRITICAL


def run(
    params: Params,
    *,
    description: Path,
    raw: Path,
    erased: Path,
    validated: Path,
    quarantine: Path,
    examples: Path,
    report: Path,
    docs: Path,
) -> None:
    """Raise DataContractError, after writing the report, if rows or the corpus break their contract."""
    with part_records.interruptible_folder(validated.with_name(f".{validated.name}.parts")) as folder:
        described, removed = corpus.read_description(description), read_erased(erased)
        inspection = inspect.inspect_corpus(described, raw, params, docs, folder, removed)
        facts = inspection.report
        unmet = breaches.explain_breaches(facts, inspection.rejects, inspection.examples, params.model_dump())
        stops = any(breach.severity == CRITICAL for breach in unmet)
        files.write_json(report, facts | ({"breaches": [asdict(breach) for breach in unmet]} if stops else {}))
        tables.write_parquet(quarantine, inspection.rejects)
        tables.write_parquet(examples, inspection.examples)
        if stops:
            raise DataContractError(breaches.render_message(unmet, inspection.rejects))
        with atomic.temporary_folder(validated) as ordered:
            articles.write_articles(validated, inspection.sorted_articles(ordered))
        lines = [f"  {line}" for line in breaches.render_breaches(unmet)]
        lines += [f"  corrections {line}" for line in overlay.describe(inspection.corrections)]
        lines += [f"  {dates}" for dates in inspection.dates]
    lines += [
        f"  estimated on {counts['sampled']:,} of {counts['rows']:,} articles of {split}: languages, phrases, words, "
        "near duplicates"
        for split, counts in inspection.sampled.items()
    ]
    lines += [f"  skipped: {check}; {why}" for check, why in inspection.skipped.items()]
    quarantined, warnings = inspection.rejects.height, sum(not finding["success"] for finding in inspection.findings)
    rows = inspection.whole["rows"].item()
    print(f"{tally(rows, 'article')} validated, {quarantined:,} in quarantine; warnings: {warnings}", *lines, sep="\n")
