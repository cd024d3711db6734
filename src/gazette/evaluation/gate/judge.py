"""Judging: this revision's bundle, or a given one, by the rules of params.yaml, on this revision's test rows."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from gazette.core import articles, files
from gazette.core import metrics as scoring
from gazette.core.bundle import Bundle
from gazette.core.errors import Misconfigured, parse
from gazette.data.paths import DESCRIPTIONS
from gazette.evaluation import slices as slicing
from gazette.evaluation.gate import baseline, behaviour, comparison, evidence, floors
from gazette.evaluation.gate.rules import Rules
from gazette.pipeline import cmdline, git, hashing
from gazette.registry import ledger
from gazette.registry.store import address
from gazette.registry.verdict import PASS, Finding, Verdict, word

TIMED = 50  # articles that are labelled one by one


def judge(against: str | None = None, bundle: Path | None = None) -> Verdict:
    """The verdict on the selected bundle, or on another in a folder; compared with `against`, or with the champion.

    `against` is a revision, NAME/VERSION, NAME@alias or an alias of the corpus. Raises Misconfigured where it is
    unknown, not at hand or of another corpus, and where there is nothing to judge.
    """
    numbers = files.read_yaml(Path("params.yaml"))
    if "gate" not in numbers:
        raise Misconfigured("params.yaml has no section gate, which says what a classifier must reach")
    rules = parse(Rules, numbers["gate"], "params.yaml, section gate")
    paths, corpus = cmdline.paths(numbers), str(numbers["corpus"])
    selected, test = Path(paths["evaluate"]["bundle"]), Path(paths["evaluate"]["test"])
    folder = bundle or selected
    for path in (folder, test):
        if not path.exists():
            raise Misconfigured(f"{path} is not here: `gazette run` makes it, `dvc pull` brings it")
    other = baseline.find(against, corpus, str(selected))
    threads, digest = numbers["evaluate"]["threads"], hashing.of_bundle(folder)
    rows, ours = articles.read(test), Bundle(folder, threads)
    findings, figures = _alone(ours, folder, rows, corpus, rules)
    is_selected = selected.exists() and digest == hashing.of_bundle(selected)
    metrics = Path(paths["evaluate"]["metrics"]) if is_selected else None
    proof = evidence.findings(paths["validate"]["raw"], metrics, figures["ours"], rows.height)
    if other is None:
        figures["compared"] = _nobody(corpus)
    else:
        same = Bundle(other.folder, threads) if other.digest != digest else None
        more, compared = _against(ours, same, rows, rules)
        findings, figures = findings + more, figures | compared
    every = [replace(one, blocks=one.blocks and one.rule not in rules.warn) for one in [*proof, *findings]]
    named = other.record() if other else None
    return Verdict(word(every), digest, git.commit("HEAD"), corpus, named, every, figures)


def _nobody(corpus: str) -> str:
    if not address.exists():
        return f"neither {ledger.PATH} nor a registry here knows a champion of {corpus}: floors and behaviour alone"
    return f"{corpus} has no champion yet: floors and behaviour alone"


def _alone(
    ours: Bundle, folder: Path, rows: pl.DataFrame, corpus: str, rules: Rules
) -> tuple[list[Finding], dict[str, Any]]:
    """Floors and behaviour. A class that the bundle does not know is one that it never finds."""
    labels = [*ours.labels, *sorted(set(rows["label"]) - set(ours.labels))]
    probabilities = ours.probabilities(rows["text"].to_list())
    probabilities = np.pad(probabilities, ((0, 0), (0, len(labels) - len(ours.labels))))
    actual, said = _numbers(rows["label"], labels), probabilities.argmax(axis=1)
    recalls = {name: one["recall"] for name, one in scoring.per_class(actual, said, labels).items()}
    found = _figures(actual, probabilities)
    observed = found | {
        "worst_recall": min(recalls.values()),
        "megabytes": sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6,
        "milliseconds": _milliseconds(ours, rows["text"].to_list()),
    }
    places = np.linspace(0, rows.height - 1, min(rules.behaviour_rows, rows.height)).astype(int)
    texts = rows["text"].gather(places).to_list()
    given = behaviour.cases(DESCRIPTIONS / f"{corpus}.cases.yaml")
    findings = [
        *floors.findings(observed, rules.floors),
        *behaviour.invariance(texts, said[places], ours.probabilities, ours.language, given, rules),
        *behaviour.written(given, ours.labels, ours.probabilities),
    ]
    return findings, {"rows": rows.height, "ours": found, "recalls": recalls}


def _figures(actual: Any, probabilities: Any) -> dict[str, float]:
    said = probabilities.argmax(axis=1)
    return {
        "accuracy": scoring.accuracy(actual, said),
        "macro_f1": scoring.macro_f1(actual, said, probabilities.shape[1]),
        "ece": scoring.calibration(actual, probabilities)[0]["ece"],
    }


def _against(
    ours: Bundle, theirs: Bundle | None, rows: pl.DataFrame, rules: Rules
) -> tuple[list[Finding], dict[str, Any]]:
    """No worse than the other (none: the other is the same bundle), on the whole and on slices.

    Of labels that differ, only the shared ones count: rows of others are left out, and neither may say another.
    """
    known = theirs.labels if theirs else ours.labels
    shared = [label for label in ours.labels if label in known]
    apart = sorted(set(ours.labels) ^ set(known))
    common = rows.filter(pl.col("label").is_in(shared))
    if len(shared) < 2 or common.is_empty():
        raise Misconfigured(f"the other bundle shares {shared or 'no'} labels with this one: nothing can be compared")
    texts, actual = common["text"].to_list(), _numbers(common["label"], shared)
    here = _among(ours, texts, shared)
    there = _among(theirs, texts, shared) if theirs else here
    pair = comparison.Pair(actual, here.argmax(axis=1), there.argmax(axis=1), len(shared))
    worse, figures = comparison.non_inferiority(pair, rules)
    if theirs is None:
        worse = replace(worse, outcome=PASS, observed=0.0, why="the same bundle: no answer can differ")
    slices, by_slice = comparison.by_slice(_in_slices(common, ours.language), pair, rules)
    left_out = f", {rows.height - common.height:,} rows left out" if apart else ""
    found = {
        "compared": f"on shared labels alone; not shared: {', '.join(apart)}{left_out}" if apart else "on all labels",
        "rows": common.height,
        "ours": _figures(actual, here),
        "theirs": _figures(actual, there),
        "difference": figures,
        "slices": by_slice,
    }
    return [worse, *slices], found


def _among(side: Bundle, texts: Sequence[str], shared: list[str]) -> Any:
    """The probabilities of the shared labels, of one in all."""
    part = side.probabilities(texts)[:, [side.labels.index(label) for label in shared]]
    return part / np.maximum(part.sum(axis=1, keepdims=True), 1e-12)


def _numbers(labels: pl.Series, known: list[str]) -> Any:
    return labels.replace_strict(known, range(len(known)), return_dtype=pl.Int64).to_numpy()


def _in_slices(rows: pl.DataFrame, language: str) -> pl.DataFrame:
    numbered = rows.with_row_index("row")
    parts = [
        numbered.select(pl.lit(kind).alias("slice"), value.alias("value"), "row")
        for kind, value in slicing.kinds(rows, language).items()
    ]
    return pl.concat(parts).sort("slice", "value", "row")


def _milliseconds(bundle: Bundle, texts: Sequence[str]) -> float:
    """The median time of one article by itself."""
    bundle.probabilities(texts[:1])
    times = []
    for text in texts[:TIMED]:
        began = time.perf_counter()
        bundle.probabilities([text])
        times.append(time.perf_counter() - began)
    return float(np.median(times)) * 1000
