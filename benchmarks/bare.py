"""What a person would write instead of the pipeline: read AG News, train the cnn of params.yaml, score it.

    python benchmarks/bare.py data/raw/ag_news          the same batches of like length, the same early stopping
    python benchmarks/bare.py data/raw/ag_news plain    Keras' own `fit`, every text padded to the longest

Prints accuracy on test.csv and seconds, imports included.
"""

import os
import sys
import time
from pathlib import Path

START = time.monotonic()
os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "1"}

import keras
import numpy as np
import polars as pl
from ruamel.yaml import YAML

from gazette import tokenizing
from gazette.networks import cnn, fitting

raw, plain = Path(sys.argv[1]), sys.argv[2:] == ["plain"]
params = cnn.Params(**YAML(typ="safe", pure=True).load(Path("params.yaml"))["models"]["cnn"])
fitting.fix(seed=7, threads=2)

table = pl.read_csv(raw / "train.csv").sample(fraction=1, shuffle=True, seed=7)
texts, labels = table["text"].to_list(), table["class_index"].to_numpy() - 1
held = pl.read_csv(raw / "test.csv", has_header=False, new_columns=["label", "title", "description"])
test_texts = (held["title"] + "\n" + held["description"]).to_list()

tokenizer = tokenizing.learn(texts, params.tokens, params.vocabulary, params.min_count)
tokenizing.limit(tokenizer, texts, params.length_quantile, params.length_cap)
rows = fitting.Rows(tokenizing.encode(tokenizer, texts), labels)
cut = len(texts) // 10
valid, train = (fitting.Rows(rows.ids[part], labels[part]) for part in (slice(cut), slice(cut, None)))
test = fitting.Rows(tokenizing.encode(tokenizer, test_texts), held["label"].to_numpy() - 1)

network = cnn.build(params, tokenizer.get_vocab_size(), 4)
if plain:
    network.compile(
        keras.optimizers.Adam(params.learning_rate), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    stop = keras.callbacks.EarlyStopping("val_accuracy", patience=params.patience, restore_best_weights=True)
    network.fit(
        fitting.padded(train.ids), train.labels, params.batch, params.epochs, verbose=2, callbacks=[stop],
        validation_data=(fitting.padded(valid.ids), valid.labels),
    )  # fmt: skip
else:
    fitting.fit(network, params, train, valid, seed=7, verbose=2)
predicted = fitting.probabilities(network, test).argmax(axis=1)
print(f"accuracy {np.mean(predicted == test.labels):.4f}, {time.monotonic() - START:.0f} s")
