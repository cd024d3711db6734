"""A bare script instead of the pipeline: read AG News, train a network of params.yaml, score it.

    python benchmarks/bare.py data/raw/ag_news cnn                 the same batches of similar length and early stopping
    python benchmarks/bare.py data/raw/ag_news lstm --plain        Keras' layers, Adam and `fit`, padded to the longest
    python benchmarks/bare.py data/raw/ag_news lstm --rows 8000 --epochs 2    a sample, and at most two epochs

Prints accuracy on test.csv, seconds of `fit`, and total seconds, imports included.
"""

import argparse
import importlib
import os
import time
from pathlib import Path

START = time.monotonic()
os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "1"}

import keras
import numpy as np
import polars as pl
from ruamel.yaml import YAML

from gazette.training.networks import training_loop
from gazette.training.networks.batches import Rows, pad
from gazette.training.networks.tokenizer import encode, set_max_length, train_tokenizer

parser = argparse.ArgumentParser()
parser.add_argument("raw", type=Path)
parser.add_argument("model")
parser.add_argument("--plain", action="store_true")
parser.add_argument("--rows", type=int)
parser.add_argument("--epochs", type=int)
arguments = parser.parse_args()
numbers = YAML(typ="safe", pure=True).load(Path("params.yaml"))["models"][arguments.model]
family = importlib.import_module(f"gazette.training.networks.families.{numbers['family']}")
params = family.Params(**numbers | ({"epochs": arguments.epochs} if arguments.epochs else {}))
training_loop.make_deterministic(seed=7, threads=2)

table = pl.read_csv(arguments.raw / "train.csv").sample(fraction=1, shuffle=True, seed=7).head(arguments.rows or 10**9)
texts, labels = table["text"].to_list(), table["class_index"].to_numpy() - 1
test_table = pl.read_csv(arguments.raw / "test.csv", has_header=False, new_columns=["label", "title", "description"])
test_texts = (test_table["title"] + "\n" + test_table["description"]).to_list()

tokenizer = train_tokenizer(texts, params.tokens, params.vocabulary, params.min_frequency)
ids = encode(tokenizer, texts)
length = set_max_length(tokenizer, ids, params.length_quantile, params.max_length)
rows = Rows([text[:length] for text in ids], labels)
cut = len(texts) // 10
valid, train = (Rows(rows.ids[part], labels[part]) for part in (slice(cut), slice(cut, None)))
test = Rows(encode(tokenizer, test_texts), test_table["label"].to_numpy() - 1)


def classic_lstm(vocabulary: int, classes: int) -> keras.Model:
    """Return the LSTM as in Keras' own examples."""
    steps = [
        keras.Input((None,), dtype="int32"),
        keras.layers.Embedding(vocabulary, params.embedding, mask_zero=True),
        keras.layers.SpatialDropout1D(params.dropout),
        *(keras.layers.LSTM(units, return_sequences=True) for units in params.units[:-1]),
        keras.layers.LSTM(params.units[-1]),
        keras.layers.Dropout(params.dropout),
        keras.layers.Dense(classes, activation="softmax"),
    ]
    return keras.Sequential(steps)


vocabulary = tokenizer.get_vocab_size()
classic = arguments.plain and numbers["family"] == "lstm"
network = classic_lstm(vocabulary, 4) if classic else family.build(params, vocabulary, 4)
began = time.monotonic()
if arguments.plain:
    network.compile(
        keras.optimizers.Adam(params.learning_rate, clipnorm=params.clipnorm or None),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    stop = keras.callbacks.EarlyStopping("val_accuracy", patience=params.patience, restore_best_weights=True)
    network.fit(
        pad(train.ids), train.labels, params.batch_size, params.epochs, verbose=2, callbacks=[stop],
        validation_data=(pad(valid.ids), valid.labels),
    )  # fmt: skip
else:
    training_loop.fit(network, params, train, valid, seed=7)
fitted = time.monotonic()
predicted = training_loop.probabilities(network, test).argmax(axis=1)
accuracy = np.mean(predicted == test.labels)
print(f"accuracy {accuracy:.4f}, fit {fitted - began:.0f} s, total {time.monotonic() - START:.0f} s")
