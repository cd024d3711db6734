"""Fine-tuning: an encoder and its head learn the classes of a corpus, lower blocks by smaller steps.

After J. Howard and S. Ruder, "Universal Language Model Fine-tuning for Text Classification", ACL 2018.
"""

import contextlib
import math
import re
import sys
from pathlib import Path
from typing import Any, Literal

import keras
from pydantic import BaseModel, Field

from gazette.training.encoders import bert
from gazette.training.networks import layers, training_loop
from gazette.training.networks import learn as learning


class Params(BaseModel, frozen=True, extra="forbid"):
    """How an encoder is fine-tuned; the vectors of tokens and places stay as they are."""

    family: Literal["bert"]
    length: int = Field(ge=3, le=65_536)  # in tokens, the first and the last included; longer texts are cut
    blocks: int = Field(ge=1)  # the highest, which learn; those below stay as they are
    dropout: float = Field(ge=0, lt=1)
    learning_rate: float = Field(gt=0)
    layer_decay: float = Field(gt=0, le=1)  # a block's learning rate is this times that of the block above it
    weight_decay: float = Field(ge=0)
    warm_up: float = Field(ge=0, lt=1)  # share of the steps in which the learning rate rises; after that it falls
    batch: int = Field(ge=1, le=4096)
    epochs: int = Field(ge=1, le=1000)
    max_steps: int = Field(ge=1)  # so that a large corpus ends too
    precision: learning.Precision = "float32"


def learn(
    folder: Path, params: Params, train: learning.Split, valid: learning.Split, classes: int, seed: int
) -> learning.Learned:
    """Fine-tunes the encoder in `folder`; the best epoch's weights are kept."""
    tokenizer = bert.tokenizer(folder, params.length)
    seen, held_out = (training_loop.Rows(bert.encode(tokenizer, split.texts), split.labels) for split in (train, valid))
    network = classifier(bert.encoder(folder, params.dropout), classes, params.dropout)
    with contextlib.redirect_stdout(sys.stderr):
        curve = fine_tune(network, params, seen, held_out, seed, 1 if sys.stderr.isatty() else 2)
    found = bert.said(network, held_out.ids)
    return learning.Learned(network, {"inputs": tokenizer}, params.length, params.precision, curve, found)


def classifier(encoding: keras.Model, classes: int, dropout: float = 0.0) -> keras.Model:
    """The encoder with a head: token ids to a probability per class."""
    said = keras.layers.Dropout(dropout)(encoding.output)
    return keras.Model(encoding.input, layers.probabilities(classes, None)(said))


class _ByHeight(keras.optimizers.AdamW):
    """AdamW that steps less in lower blocks, and decays neither biases nor normalisations."""

    def __init__(self, rate: Any, weight_decay: float, layer_decay: float, top: int) -> None:
        super().__init__(rate, weight_decay=weight_decay, clipnorm=1.0, name="by_height")
        self.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        self.layer_decay, self.top = layer_decay, top

    def build(self, variables: list[Any]) -> None:
        super().build(variables)
        heights = [_height(variable.path.split("/")[0], self.top) for variable in variables]
        self.shares = [self.layer_decay ** (self.top - height) for height in heights]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        super().update_step(gradient, variable, learning_rate * self.shares[self._get_variable_index(variable)])


def _height(layer: str, top: int) -> int:
    """0 for what is below the blocks, 1 for the lowest of them, `top` for the head."""
    found = re.match(r"block_(\d+)_", layer)
    return int(found[1]) + 1 if found else top if layer == "probabilities" else 0


def fine_tune(
    network: keras.Model, params: Params, train: training_loop.Rows, valid: training_loop.Rows, seed: int, verbose: int
) -> list[dict[str, float]]:
    """Fits a `classifier` in place and returns its learning curve; the best epoch's weights are kept."""
    top = 1 + max(_height(layer.name, 0) for layer in network.layers)
    for layer in network.layers:
        layer.trainable = _height(layer.name, top) >= max(1, top - params.blocks)
    batches = training_loop.Batches(train.ids, train.answers(network.output_shape[-1]), params.batch, seed)
    steps = min(params.epochs * len(batches), params.max_steps)
    epochs = math.ceil(steps / len(batches))
    rising = int(params.warm_up * steps)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, steps - rising, warmup_target=params.learning_rate, warmup_steps=rising
    )
    if not rising:
        rate = keras.optimizers.schedules.CosineDecay(params.learning_rate, steps)
    optimizer = _ByHeight(rate, params.weight_decay, params.layer_decay, top)
    return training_loop.descend(
        network, optimizer, batches, valid, epochs, epochs, verbose, steps=math.ceil(steps / epochs)
    )
