"""A fitted network into a candidate's bundle, once what is shipped says what was fitted."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from gazette.core import corpus
from gazette.core import files as records
from gazette.core.bundle import Bundle
from gazette.core.errors import Misconfigured

if TYPE_CHECKING:
    import keras


def write(
    folder: Path, network: "keras.Model", tokenizers: Mapping[str, Tokenizer], described: corpus.Corpus, length: int
) -> None:
    """Writes a bundle; `tokenizers` by the name of the network's input that each feeds."""
    from gazette.training.export import onnx_export  # imports onnx, 0.5 s

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    onnx_export.export(network, folder / "model.onnx")
    network.optimizer = None  # what it remembers is twice the weights, and of no use in a bundle
    network.save_weights(folder / "model.weights.h5")
    (folder / "model.weights.h5").rename(folder / "weights.h5")
    files = {name: "tokenizer.json" if len(tokenizers) == 1 else f"{name}.tokenizer.json" for name in tokenizers}
    for name, file in files.items():
        tokenizers[name].save(str(folder / file), pretty=False)
    about = {"labels": described.labels, "language": described.language, "inputs": files, "length": length}
    records.write(about, folder / "bundle.json")


def shipped(
    folder: Path, texts: list[str], fitted: npt.NDArray[np.float32], tolerance: float, threads: int
) -> npt.NDArray[np.float32]:
    """Probabilities of the bundle in `folder` for `texts`, texts × classes, all within `tolerance` of `fitted`.

    Raises Misconfigured where one is not.
    """
    found = Bundle(folder, threads).probabilities(texts)
    difference = float(np.abs(found - fitted).max())
    if not difference <= tolerance:
        raise Misconfigured(
            f"the exported network differs from the fitted one by {difference:.2g} in a probability; train.tolerance "
            f"in params.yaml allows {tolerance:.2g}. Look for a layer that depends on padding or that ONNX rounds "
            "otherwise, or raise the tolerance."
        )
    return found


def quantised(
    folder: Path, texts: list[str], found: npt.NDArray[np.float32], threads: int
) -> tuple[npt.NDArray[np.float32], dict[str, float]]:
    """Puts the bundle in `folder` into eight bits; its probabilities then, and how far they agree with `found`.

    The weights of Keras go: they are those of another classifier, and most of the bytes.
    """
    from gazette.training.export import quantize

    quantize.quantise(folder / "model.onnx")
    (folder / "weights.h5").unlink()
    new = Bundle(folder, threads).probabilities(texts)
    return new, {
        "int8_equal_labels": float((new.argmax(axis=1) == found.argmax(axis=1)).mean()),
        "int8_largest_difference": float(np.abs(new - found).max()),
    }


def size(folder: Path) -> int:
    """Bytes of a bundle."""
    return sum(file.stat().st_size for file in folder.iterdir())


def publish(partial: Path, bundle: Path) -> None:
    """Puts a bundle that was written aside in its place."""
    shutil.rmtree(bundle, ignore_errors=True)
    partial.rename(bundle)
