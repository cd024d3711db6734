"""What was learned into a candidate: its bundle, its learning curve, its score on the valid rows."""

from pathlib import Path

import polars as pl

from gazette import learning, machine, packing, records
from gazette.corpus import Corpus


def ship(
    learned: learning.Learned,
    valid: learning.Split,
    described: Corpus,
    params: learning.Params,
    *,
    bundle: Path,
    curve: Path,
    score: Path,
    fingerprint: Path,
) -> str:
    """Says what it came to. Raises Misconfigured where ONNX lacks what the network needs, or says something else."""
    partial = bundle.with_name(bundle.name + ".partial")
    packing.write(partial, learned.network, learned.tokenizers, described, learned.length)
    found = packing.shipped(partial, valid.texts, learned.probabilities, params.tolerance, params.threads)
    agreement: dict[str, float] = {}
    if learned.precision == "int8":
        found, agreement = packing.quantised(partial, valid.texts, found, params.threads)
    epochs = int(learned.curve[-1]["epoch"])
    figures = learning.figures(valid.labels, found, params.resamples, params.seed)
    figures |= {"bytes": packing.size(partial), "epochs": epochs} | agreement
    records.write_csv(pl.DataFrame(learned.curve), curve)
    records.write(figures, score)
    records.write(machine.fingerprint(params.threads, params.onednn), fingerprint)
    packing.publish(partial, bundle)
    said = f"{bundle.name}: macro-F1 {figures['macro_f1']:.4f} on {len(found):,} valid rows after {epochs} epochs"
    if not agreement:
        return said
    equal, largest = agreement.values()
    return f"{said}; int8 gives {equal:.2%} of float32's labels, each probability within {largest:.2g}"
