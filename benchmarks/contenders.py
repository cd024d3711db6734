"""The classifiers that `bench.py` compares, in the few lines that a user would write, and ours.

A contender is a module-level class with

    __init__(options)                    settings, and heavy imports, which are not timed
    train(train, valid, labels, folder)  train and save a model; tables with the columns text and label
    load(folder)                         return a function from texts to labels
"""

import gc
import importlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

Predict = Callable[[list[str]], list[str]]
# What the first training of a process imports, and the next does not.
_LATE = (
    "gazette.training.export.onnx_export", "pandera.backends.polars.container", "pandera.strategies.base_strategies",
    "sklearn.svm", "tf2onnx.convert",
)  # fmt: skip
HAN = re.compile(r"([㐀-鿿])")


def spaced(text: str) -> str:
    """Return a text with spaces between words, lower-cased, Han characters and punctuation separated, on one line."""
    return " ".join(re.findall(r"\w+|[^\w\s]", HAN.sub(r" \1 ", text.lower())))


class FastText:
    """fastText, supervised, with its own defaults except for the settings."""

    def __init__(self, options: dict[str, Any]) -> None:
        import fasttext

        self.fasttext, self.settings = fasttext, options["settings"]

    def train(self, train: pl.DataFrame, valid: pl.DataFrame, labels: list[str], folder: Path) -> None:
        numbers = {label: number for number, label in enumerate(labels)}
        rows = train.sample(fraction=1, shuffle=True, seed=7).iter_rows(named=True)  # it trains in the file's order
        lines = [f"__label__{numbers[row['label']]} {spaced(row['text'])}\n" for row in rows]
        (folder / "lines.txt").write_text("".join(lines), encoding="utf-8")
        model = self.fasttext.train_supervised(str(folder / "lines.txt"), thread=2, verbose=0, **self.settings)
        model.save_model(str(folder / "model.bin"))
        (folder / "lines.txt").unlink()
        (folder / "labels.json").write_text(json.dumps(labels))

    def load(self, folder: Path) -> Predict:
        model = self.fasttext.load_model(str(folder / "model.bin"))
        labels = json.loads((folder / "labels.json").read_text())

        def predict(texts: list[str]) -> list[str]:
            predicted, _ = model.predict([spaced(text) for text in texts])
            return [labels[int(best[0].removeprefix("__label__"))] for best in predicted]

        return predict


class ScikitLearn:
    """TF-IDF and a linear model."""

    def __init__(self, options: dict[str, Any]) -> None:
        import joblib
        from sklearn import feature_extraction, linear_model, pipeline, svm

        self.joblib, self.options, self.settings = joblib, options, options["settings"]
        self.vectorizer, self.join = feature_extraction.text.TfidfVectorizer, pipeline.make_pipeline
        self.solvers = {"LinearSVC": svm.LinearSVC, "LogisticRegression": linear_model.LogisticRegression}

    def train(self, train: pl.DataFrame, valid: pl.DataFrame, labels: list[str], folder: Path) -> None:
        chosen = self.settings
        words = self.vectorizer(
            analyzer=chosen["analyzer"], ngram_range=tuple(chosen["ngrams"]), min_df=chosen["min_df"],
            sublinear_tf=True,
            preprocessor=spaced if chosen["analyzer"] == "word" else None,
            token_pattern=r"\S+" if chosen["analyzer"] == "word" else None,
        )  # fmt: skip
        solver = self.solvers[self.options["solver"]](C=chosen["C"], max_iter=1000)
        model = self.join(words, solver).fit(train["text"].to_list(), train["label"].to_list())
        self.joblib.dump(model, folder / "model.joblib")

    def load(self, folder: Path) -> Predict:
        model = self.joblib.load(folder / "model.joblib")
        return lambda texts: model.predict(texts).tolist()


class PlainKeras:
    """Keras as in its own examples: TextVectorization, every text padded to one length, `fit`, early stopping."""

    def __init__(self, options: dict[str, Any]) -> None:
        import keras
        import tensorflow

        keras.utils.set_random_seed(7)
        self.keras, self.tensorflow, self.options, self.settings = keras, tensorflow, options, options["settings"]

    def train(self, train: pl.DataFrame, valid: pl.DataFrame, labels: list[str], folder: Path) -> None:
        layers, chosen = self.keras.layers, self.settings
        texts = {"train": [*map(spaced, train["text"])], "valid": [*map(spaced, valid["text"])]}
        words = sorted(len(text.split()) for text in texts["train"])
        cut = layers.TextVectorization(
            max_tokens=30_000, standardize=None, output_sequence_length=min(256, words[int(len(words) * 0.95)])
        )
        cut.adapt(texts["train"])
        ids = self.keras.Input((None,), dtype="int64")
        vectors = layers.Embedding(30_000, chosen["embedding"], mask_zero=self.options["network"] == "average")(ids)
        if self.options["network"] == "average":
            values = layers.GlobalAveragePooling1D()(vectors)
        else:
            values = layers.Concatenate()(
                [
                    layers.GlobalMaxPooling1D()(layers.Conv1D(128, width, activation="relu")(vectors))
                    for width in (2, 3, 4)
                ]
            )
        answer = layers.Dense(len(labels), activation="softmax")(layers.Dropout(0.4)(values))
        network = self.keras.Model(ids, answer)
        network.compile(
            self.keras.optimizers.Adam(chosen["rate"]), "sparse_categorical_crossentropy", metrics=["accuracy"]
        )
        numbers = {label: number for number, label in enumerate(labels)}
        rows = {
            split: (cut(self.tensorflow.constant(texts[split])), table["label"].replace_strict(numbers).to_numpy())
            for split, table in {"train": train, "valid": valid}.items()
        }
        network.fit(
            *rows["train"], batch_size=chosen["batch_size"], epochs=30, verbose=0, validation_data=rows["valid"],
            callbacks=[self.keras.callbacks.EarlyStopping("val_accuracy", patience=2, restore_best_weights=True)],
        )  # fmt: skip
        whole = self.keras.Sequential([self.keras.Input((1,), dtype="string"), cut, network])
        whole.save(folder / "model.keras")
        (folder / "labels.json").write_text(json.dumps(labels))

    def load(self, folder: Path) -> Predict:
        model = self.keras.models.load_model(folder / "model.keras")
        labels = json.loads((folder / "labels.json").read_text())

        def predict(texts: list[str]) -> list[str]:
            lines = self.tensorflow.constant([[spaced(text)] for text in texts])
            return [labels[number] for number in model.predict(lines, batch_size=256, verbose=0).argmax(axis=1)]

        return predict


class Ours:
    """A model of params.yaml, trained by the pipeline's stage."""

    def __init__(self, options: dict[str, Any]) -> None:
        from gazette.stages import train
        from gazette.training.export.candidate import CandidateFiles
        from gazette.training.networks import runtime

        gc.set_threshold(20_000)  # as in our processes
        self.options, self.stage, self.files = options, train, CandidateFiles
        self.params = train.Params(**options["params"])
        runtime.configure_tensorflow(self.params.seed, self.params.threads, self.params.onednn)
        for module in _LATE:  # after TensorFlow, as in the stage, or Keras would look for garbage in all of it
            importlib.import_module(module)

    def train(self, train: pl.DataFrame, valid: pl.DataFrame, labels: list[str], folder: Path) -> None:
        self.stage.run(
            self.params, models=self.options["models"], candidate=self.options["candidate"],
            description=Path(self.options["description"]), train=Path(self.options["rows"], "train.parquet"),
            valid=Path(self.options["rows"], "valid.parquet"),
            outs=self.files(
                folder / "bundle", folder / "curve.csv", folder / "score.json", folder / "fingerprint.json"
            ),
        )  # fmt: skip

    def load(self, folder: Path) -> Predict:
        from gazette.core.bundle import Bundle

        bundle = Bundle(folder / "bundle", 2)
        return lambda texts: [bundle.labels[number] for number in bundle.probabilities(texts).argmax(axis=1)]


BY = {"fasttext": FastText, "scikit_learn": ScikitLearn, "plain_keras": PlainKeras, "ours": Ours}
