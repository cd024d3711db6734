"""Saving of a candidate: its bundle, its learning curve, its validation score."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from gazette.core import atomic, files, tables
from gazette.core.corpus import Corpus
from gazette.training.export import bundle_writer
from gazette.training.export.fingerprint import fingerprint
from gazette.training.networks import learn


@dataclass(frozen=True)
class CandidateFiles:
    """The files of a candidate, each an option of the stages that train one."""

    bundle: Path
    curve: Path
    score: Path
    fingerprint: Path


def save_candidate(
    learned: learn.Learned, valid: learn.Split, corpus: Corpus, params: learn.Params, outs: CandidateFiles
) -> str:
    """Write the files of a candidate and return a one-line summary.

    Raises ConfigError if ONNX lacks an operation of the network, or the exported network predicts something else.
    """
    with atomic.atomic_bundle(outs.bundle) as partial:
        bundle_writer.write_bundle(partial, learned, corpus)
        probabilities = bundle_writer.verify_export(
            partial, valid.texts, learned.probabilities, params.export_tolerance, params.threads
        )
        agreement: dict[str, float] = {}
        if learned.precision == "int8":
            probabilities, agreement = bundle_writer.quantize_bundle(
                partial, valid.texts, probabilities, params.threads
            )
        epochs = int(learned.curve[-1]["epoch"])
        score = learn.validation_metrics(valid.labels, probabilities, params.resamples, params.seed)
        score |= {"bytes": sum(file.stat().st_size for file in partial.iterdir()), "epochs": epochs} | agreement
        tables.write_csv(outs.curve, pl.DataFrame(learned.curve))
        files.write_json(outs.score, score)
        files.write_json(outs.fingerprint, fingerprint(params.threads, params.onednn))
    rows = f"{len(probabilities):,} validation rows"
    summary = f"{outs.bundle.name}: macro-F1 {score['macro_f1']:.4f} on {rows} after {epochs} epochs"
    if not agreement:
        return summary
    equal, largest = agreement.values()
    return f"{summary}; int8 gives {equal:.2%} of float32's labels, each probability within {largest:.2g}"
