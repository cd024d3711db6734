"""Saving of a candidate: its bundle, its learning curve, its validation score."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
from prefect_dvc.core.errors import ConfigError

from gazette.core import bundle_folder, files, tables
from gazette.core.bundle import Bundle
from gazette.core.corpus import Corpus
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
    with bundle_folder.atomic_bundle(outs.bundle) as partial:
        write_bundle(partial, learned, corpus)
        probabilities = verify_export(
            partial, valid.texts, learned.probabilities, params.export_tolerance, params.threads
        )
        agreement: dict[str, float] = {}
        if learned.precision == "int8":
            probabilities, agreement = quantize_bundle(partial, valid.texts, probabilities, params.threads)
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


def write_bundle(folder: Path, learned: learn.Learned, corpus: Corpus) -> None:
    """Write what was learned from a corpus as a bundle, to a new or an empty folder."""
    from gazette.training.export import onnx_export  # imports onnx, 0.5 s

    folder.mkdir(parents=True, exist_ok=True)
    onnx_export.export(learned.network, folder / "model.onnx")
    learned.network.optimizer = None  # its state is twice the size of the weights, and of no use in a bundle
    learned.network.save_weights(folder / "model.weights.h5")
    (folder / "model.weights.h5").rename(folder / "weights.h5")
    inputs = {}
    for name, tokenizer in learned.tokenizers.items():
        inputs[name] = "tokenizer.json" if len(learned.tokenizers) == 1 else f"{name}.tokenizer.json"
        tokenizer.save(str(folder / inputs[name]), pretty=False)
    about = {"labels": corpus.labels, "language": corpus.language, "inputs": inputs, "length": learned.length}
    files.write_json(folder / "bundle.json", about)


def verify_export(
    folder: Path, texts: list[str], fitted: npt.NDArray[np.float32], tolerance: float, threads: int
) -> npt.NDArray[np.float32]:
    """Return the probabilities of the bundle in `folder` for `texts`, texts × classes.

    Raises ConfigError if one differs from `fitted`, Keras' probabilities, by more than `tolerance`.
    """
    probabilities = Bundle(folder, threads).probabilities(texts)
    difference = float(np.abs(probabilities - fitted).max())
    if not difference <= tolerance:
        raise ConfigError(
            f"a probability of the exported network differs from the fitted one's by {difference:.2g}; "
            f"train.export_tolerance in params.yaml allows {tolerance:.2g}. Look for a layer that depends on padding "
            "or that ONNX rounds differently, or raise the tolerance."
        )
    return probabilities


def quantize_bundle(
    folder: Path, texts: list[str], before: npt.NDArray[np.float32], threads: int
) -> tuple[npt.NDArray[np.float32], dict[str, float]]:
    """Quantize the bundle in `folder`; return its new probabilities and their agreement with those `before`.

    Keras' weights are deleted: they belong to another classifier and are most of the bytes.
    """
    from gazette.training.export import quantize

    quantize.quantize(folder / "model.onnx")
    (folder / "weights.h5").unlink()
    after = Bundle(folder, threads).probabilities(texts)
    return after, {
        "int8_equal_labels": float((after.argmax(axis=1) == before.argmax(axis=1)).mean()),
        "int8_largest_difference": float(np.abs(after - before).max()),
    }
