"""What was learned into a candidate: its bundle, its learning curve, its score on the valid rows."""

from pathlib import Path

import polars as pl

from gazette.core import files
from gazette.core.corpus import Corpus
from gazette.training.export import bundle_writer
from gazette.training.export import fingerprint as machine
from gazette.training.networks import learn


def ship(
    learned: learn.Learned,
    valid: learn.Split,
    described: Corpus,
    params: learn.Params,
    *,
    bundle: Path,
    curve: Path,
    score: Path,
    fingerprint: Path,
) -> str:
    """Says what it came to. Raises Misconfigured where ONNX lacks what the network needs, or says something else."""
    partial = bundle.with_name(bundle.name + ".partial")
    bundle_writer.write(partial, learned.network, learned.tokenizers, described, learned.length)
    found = bundle_writer.shipped(partial, valid.texts, learned.probabilities, params.tolerance, params.threads)
    agreement: dict[str, float] = {}
    if learned.precision == "int8":
        found, agreement = bundle_writer.quantised(partial, valid.texts, found, params.threads)
    epochs = int(learned.curve[-1]["epoch"])
    figures = learn.figures(valid.labels, found, params.resamples, params.seed)
    figures |= {"bytes": bundle_writer.size(partial), "epochs": epochs} | agreement
    files.write_csv(pl.DataFrame(learned.curve), curve)
    files.write(figures, score)
    files.write(machine.fingerprint(params.threads, params.onednn), fingerprint)
    bundle_writer.publish(partial, bundle)
    said = f"{bundle.name}: macro-F1 {figures['macro_f1']:.4f} on {len(found):,} valid rows after {epochs} epochs"
    if not agreement:
        return said
    equal, largest = agreement.values()
    return f"{said}; int8 gives {equal:.2%} of float32's labels, each probability within {largest:.2g}"
