"""Judge a bundle by the rules of params.yaml, on this revision's test rows."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from prefect_dvc import git, hashing
from prefect_dvc.core.errors import ConfigError, parse

from gazette.core import articles, metrics
from gazette.core.bundle import Bundle
from gazette.core.escape import tally
from gazette.data.paths import DESCRIPTIONS
from gazette.evaluation import slices
from gazette.evaluation.gate import baseline, behavior, evidence, floors, looks, non_inferiority
from gazette.evaluation.gate import newest as newest_window
from gazette.evaluation.gate.paired_tests import Pair
from gazette.evaluation.gate.rules import LOOKS, Rules
from gazette.pipeline import cmdline
from gazette.registry import ledger
from gazette.registry.store import address
from gazette.registry.verdict import FAIL, PASS, Finding, Verdict, decide

TIMED = 50  # articles whose latency is measured one by one


def judge(against: str | None = None, bundle: Path | None = None) -> Verdict:
    """Judge the selected bundle, or the one in a folder, against a baseline: `against`, or else the champion.

    `against` is a revision, NAME/VERSION, NAME@alias or an alias of the corpus. Raises ConfigError if it is unknown,
    not available or of another corpus, and if there is nothing to judge.
    """
    params = cmdline.read_params()
    if "gate" not in params:
        raise ConfigError("params.yaml has no section gate, which sets the rules for a classifier")
    rules = parse(Rules, params["gate"], "params.yaml, section gate")
    paths, corpus = cmdline.stage_paths(params), str(params["corpus"])
    selected, test = Path(paths["evaluate"]["bundle"]), Path(paths["evaluate"]["test"])
    folder, commit = bundle or selected, git.resolve_commit("HEAD")
    for path in (folder, test):
        if not path.exists():
            raise ConfigError(f"{path} does not exist: `gazette run` makes it, `dvc pull` fetches it")
    base = baseline.find_baseline(against, corpus, str(selected))
    threads, digest = params["evaluate"]["threads"], hashing.dvc_hash(folder)
    rows, ours = articles.read_articles(test), Bundle(folder, threads)
    findings, figures = _judge_alone(ours, folder, rows, corpus, rules)
    is_selected = selected.exists() and digest == hashing.dvc_hash(selected)
    recorded = Path(paths["evaluate"]["metrics"]) if is_selected else None
    findings = evidence.check_provenance(paths["validate"]["raw"], recorded, figures["ours"], rows.height) + findings
    if base is None:
        figures["compared"] = _why_no_baseline(corpus)
    else:
        theirs = Bundle(base.folder, threads) if base.digest != digest else None
        judged = looks.list_looks(str(test), digest, hashing.hash_file(test, "md5"))
        spending, spent = _spend(judged.index(digest) + 1, rules)
        compared, more = _judge_against(ours, theirs, rows, spending)
        findings, figures = findings + spent + compared, figures | more
        figures["looks"] = {"number": judged.index(digest) + 1, "bundles": len(judged), "alpha": spending.alpha}
    findings = [replace(finding, blocks=finding.blocks and finding.rule not in rules.warn_only) for finding in findings]
    record = base.record() if base else None
    return Verdict(decide(findings), digest, commit, corpus, record, findings, figures)


def _spend(look: int, rules: Rules) -> tuple[Rules, list[Finding]]:
    """Return the rules at the level of this look, and whether one is left; the rules as they are without `looks`."""
    if rules.looks is None:
        return rules, []
    planned, is_left = rules.looks, look <= rules.looks
    why = "" if is_left else "the level is spent: bring new test rows, or plan more looks (gate.looks in params.yaml)"
    finding = Finding(LOOKS, PASS if is_left else FAIL, look, f"at most {planned}", why)
    return rules.model_copy(update={"alpha": looks.level_of(min(look, planned), planned, rules.alpha)}), [finding]


def _why_no_baseline(corpus: str) -> str:
    if not address.registry_exists():
        return f"no champion of {corpus} in {ledger.PATH}, and no registry: only floors and behavior"
    return f"{corpus} has no champion yet: only floors and behavior"


def _judge_alone(
    ours: Bundle, folder: Path, rows: pl.DataFrame, corpus: str, rules: Rules
) -> tuple[list[Finding], dict[str, Any]]:
    """Check floors and behavior; a class that the bundle does not know counts as never predicted."""
    labels = [*ours.labels, *sorted(set(rows["label"]) - set(ours.labels))]
    texts = rows["text"].to_list()
    probabilities = ours.probabilities(texts)
    probabilities = np.pad(probabilities, ((0, 0), (0, len(labels) - len(ours.labels))))
    actual, predicted = articles.encode_labels(rows["label"], labels), probabilities.argmax(axis=1)
    by_class = metrics.per_class(actual, predicted, labels)
    recalls = {name: row["recall"] for name, row in by_class.items() if row["rows"]}
    figures = _metrics(actual, probabilities)
    observed = figures | {
        "worst_recall": min(recalls.values()),
        "megabytes": sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6,
        "milliseconds": _median_latency(ours, texts),
    }
    sample = np.linspace(0, rows.height - 1, min(rules.invariance_rows, rows.height)).astype(int)
    sampled = rows["text"].gather(sample).to_list()
    places = rows.select("file", "line")[sample].to_dicts()
    cases = behavior.read_cases(DESCRIPTIONS / f"{corpus}.cases.yaml")
    findings = [
        *floors.check_floors(observed, rules.floors, floors.explain_weakest(rows, actual, predicted, labels)),
        *behavior.check_invariance(sampled, predicted[sample], ours.probabilities, ours.language, cases, rules, places),
        *behavior.check_cases(cases, ours.labels, ours.probabilities),
    ]
    return findings, {"rows": rows.height, "ours": figures, "recalls": recalls}


def _metrics(actual: Any, probabilities: Any) -> dict[str, float]:
    predicted = probabilities.argmax(axis=1)
    return {
        "accuracy": metrics.accuracy(actual, predicted),
        "macro_f1": metrics.macro_f1(actual, predicted, probabilities.shape[1]),
        "ece": metrics.calibration(actual, probabilities)[0]["ece"],
    }


def _judge_against(
    ours: Bundle, theirs: Bundle | None, rows: pl.DataFrame, rules: Rules
) -> tuple[list[Finding], dict[str, Any]]:
    """Check non-inferiority to the baseline (None if it is the same bundle), on all rows and on slices.

    Only shared labels count: rows with another label are left out, and neither classifier may predict one.
    """
    known = theirs.labels if theirs else ours.labels
    shared = [label for label in ours.labels if label in known]
    unshared = sorted(set(ours.labels) ^ set(known))
    common = rows.filter(pl.col("label").is_in(shared))
    if len(shared) < 2 or common.is_empty():
        raise ConfigError(f"the baseline shares {shared or 'no'} labels with this bundle: nothing can be compared")
    texts, actual = common["text"].to_list(), articles.encode_labels(common["label"], shared)
    our_probabilities = _restricted_probabilities(ours, texts, shared)
    their_probabilities = _restricted_probabilities(theirs, texts, shared) if theirs else our_probabilities
    pair = Pair(actual, our_probabilities.argmax(axis=1), their_probabilities.argmax(axis=1), len(shared))
    is_dated = "date" in common.columns and common["date"].count() > 0
    tests = non_inferiority.TESTS + is_dated
    overall, difference = non_inferiority.check_non_inferiority(pair, rules, tests)
    by_slice, statistics = non_inferiority.compare_slices(_slice_rows(common, ours.language), pair, rules, tests)
    newest, window = newest_window.check_newest(common["date"], pair, rules, tests) if is_dated else (None, None)
    whole = [finding for finding in (overall, newest) if finding]
    if theirs is None:
        why = "the same bundle: no prediction can differ"
        whole = [replace(finding, outcome=PASS, observed=0.0, why=why) for finding in whole]
    left_out = tally(rows.height - common.height, "row")
    compared = f"on shared labels only; not shared: {', '.join(unshared)}, {left_out} left out"
    figures = {
        "compared": compared if unshared else "on all labels",
        "rows": common.height,
        "ours": _metrics(actual, our_probabilities),
        "theirs": _metrics(actual, their_probabilities),
        "difference": difference,
        "slices": statistics,
        **({"newest": window} if window else {}),
    }
    return [*whole, *by_slice], figures


def _restricted_probabilities(side: Bundle, texts: Sequence[str], shared: list[str]) -> Any:
    """Return the probabilities of the shared labels, normalized to a sum of 1; rows × labels."""
    part = side.probabilities(texts)[:, [side.labels.index(label) for label in shared]]
    return part / np.maximum(part.sum(axis=1, keepdims=True), 1e-12)


def _slice_rows(rows: pl.DataFrame, language: str) -> pl.DataFrame:
    """Return slice, value and row number, one line for each slice of each row."""
    numbered = rows.with_row_index("row")
    parts = [
        numbered.select(pl.lit(kind).alias("slice"), value.alias("value"), "row")
        for kind, value in slices.slice_kinds(rows, language).items()
    ]
    return pl.concat(parts).sort("slice", "value", "row")


def _median_latency(bundle: Bundle, texts: Sequence[str]) -> float:
    bundle.probabilities(texts[:1])
    times = []
    for text in texts[:TIMED]:
        began = time.perf_counter()
        bundle.probabilities([text])
        times.append(time.perf_counter() - began)
    return float(np.median(times)) * 1000
