import dataclasses
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from families import FAMILIES, TOKENS
from prefect_dvc.core.errors import ConfigError
from pydantic import ValidationError
from root import ROOT

from gazette.training.tuning import search_space

pytestmark = pytest.mark.slow  # TensorFlow's import alone takes ten seconds

INT8 = ["linear", "lstm", "transformer"]  # two scales in a table, a loop, attention
WORDS = {"sports": ["goal", "match", "coach", "league"], "business": ["shares", "bank", "profit", "market"]}
COMMON = ["the", "of", "after", "year", "said", "new"]


def articles(rows: int) -> tuple[list[str], list[str]]:
    draw = np.random.default_rng(3)
    labels = [("sports", "business")[number % 2] for number in range(rows)]
    texts = [" ".join(draw.choice(WORDS[label] + COMMON, size=draw.integers(4, 20))) for label in labels]
    return texts, labels


@pytest.fixture(scope="module")
def rows() -> Any:
    from gazette.training.networks import training_loop
    from gazette.training.networks.batches import Rows
    from gazette.training.networks.tokenizer import encode, train_tokenizer

    training_loop.make_deterministic(seed=1, threads=2)
    texts, labels = articles(120)
    tokenizer = train_tokenizer(texts, "words", 200, 1)
    numbers = np.array([label == "business" for label in labels], np.int64)
    return Rows(encode(tokenizer, texts), numbers)


def built(family: str, **changes: Any) -> tuple[Any, Any, Any]:
    module = importlib.import_module(f"gazette.training.networks.families.{family}")
    params = module.Params(family=family, **TOKENS, **(FAMILIES[family] | changes))
    return module, params, module.build(params, 200, 2)


def fitted(family: str, rows: Any, **changes: Any) -> tuple[Any, list[dict[str, float]]]:
    from gazette.training.networks import training_loop

    module, params, network = built(family, **changes)
    return network, getattr(module, "fit", training_loop.fit)(network, params, rows, rows, 1)


@pytest.fixture(scope="module", params=FAMILIES)
def fit(request: pytest.FixtureRequest, rows: Any) -> tuple[Any, list[dict[str, float]]]:
    """Each family's network, fitted, and its learning curve."""
    return fitted(request.param, rows)


def test_a_family_learns_what_a_word_gives_away(fit: tuple[Any, list[dict[str, float]]]) -> None:
    _, curve = fit
    assert max(point["valid_accuracy"] for point in curve) > 0.95


def test_probabilities_sum_to_one_and_do_not_depend_on_padding(
    fit: tuple[Any, list[dict[str, float]]], rows: Any
) -> None:
    from gazette.training.networks import training_loop

    network, _ = fit
    text = rows.ids[0]
    short, long = (np.pad(text, (0, zeros))[None] for zeros in (0, 17))
    alone, padded = (np.asarray(network(array)) for array in (short, long))
    np.testing.assert_allclose(alone, padded, atol=1e-5)
    np.testing.assert_allclose(training_loop.probabilities(network, rows).sum(axis=1), 1, atol=1e-5)


def test_the_linear_graph_computes_the_solution(rows: Any) -> None:
    from gazette.training.networks import training_loop

    network, [point] = fitted("linear", rows)
    correct = training_loop.probabilities(network, rows)[np.arange(len(rows.ids)), rows.labels]
    assert -np.log(correct).mean() == pytest.approx(point["valid_loss"], rel=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_text_without_a_token_gets_finite_probabilities(family: str, rows: Any) -> None:
    _, _, network = built(family)
    assert np.isfinite(np.asarray(network(np.zeros((1, 8), np.int32)))).all()


@pytest.mark.parametrize("optimizer", ["sgd", "adagrad", "adam", "lazy_adam", "adamw", "rmsprop"])
def test_every_optimizer_lowers_the_loss(optimizer: str, rows: Any) -> None:
    _, curve = fitted("mlp", rows, optimizer=optimizer, learning_rate=0.05, schedule="cosine", epochs=6)
    assert curve[-1]["train_loss"] < curve[0]["train_loss"]


def test_lazy_adam_updates_only_the_rows_that_a_batch_reads() -> None:
    import keras
    import tensorflow as tf

    from gazette.training.networks import optimizers

    table = keras.Variable(np.ones((4, 2), np.float32))
    optimizer = optimizers.optimizer("lazy_adam", 0.1, 0.0)
    slopes = tf.constant([[0.1, 0.5], [0.2, -2], [0.2, 0.5]])
    optimizer.apply([tf.IndexedSlices(slopes, tf.constant([1, 2, 1]), tf.constant([4, 2]))], [table])
    np.testing.assert_allclose(table, [[1, 1], [0.9, 0.9], [0.9, 1.1], [1, 1]], atol=1e-5)  # row 1 once, by its sum


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_an_lstm_is_fitted_by_the_values_and_gradients_of_keras_own(sequences: bool, bidirectional: bool) -> None:
    import keras
    import tensorflow as tf

    from gazette.training.networks import recurrent

    def build(kind: Any) -> Any:
        layer = kind(5, return_sequences=sequences)
        layer = keras.layers.Bidirectional(layer) if bidirectional else layer
        layer.build((None, None, 3))
        return layer

    def values_and_gradients(layer: Any) -> list[Any]:
        with tf.GradientTape() as tape:
            tape.watch(vectors)
            values = layer(vectors, mask=mask, training=True)
            values *= tf.cast(mask, tf.float32)[..., None] if sequences else 1.0  # padding is not read
            total = tf.reduce_sum(values**2)
        return [values, *tape.gradient(total, [vectors, *(weight.value for weight in layer.trainable_variables)])]

    vectors = tf.constant(np.random.default_rng(1).normal(size=(4, 6, 3)), tf.float32)
    mask = tf.sequence_mask([6, 3, 1, 0], 6)
    keras_own, ours = build(keras.layers.LSTM), build(recurrent.LSTM)
    ours.set_weights(keras_own.get_weights())
    for expected, value in zip(values_and_gradients(keras_own), values_and_gradients(ours), strict=True):
        np.testing.assert_allclose(value, expected, atol=1e-6)


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh", "gelu", "elu", "selu", "silu"])
def test_every_activation_builds(activation: str, rows: Any) -> None:
    for family in ("mlp", "cnn", "transformer"):
        assert built(family, activation=activation)[2].output_shape == (None, 2)


def test_the_best_epochs_weights_are_kept(rows: Any) -> None:
    from gazette.training.networks import training_loop

    network, curve = fitted("mlp", rows, learning_rate=0.5, epochs=6, patience=6)
    correct = training_loop.probabilities(network, rows).argmax(axis=1) == rows.labels
    assert correct.mean() == pytest.approx(max(point["valid_accuracy"] for point in curve))


def test_a_loss_that_is_not_finite_stops_with_the_cure(rows: Any) -> None:
    with pytest.raises(ConfigError, match="Lower learning_rate"):
        fitted("mlp", rows, optimizer="sgd", learning_rate=1e30)


def test_soft_labels_are_learned_and_accuracy_stays_that_of_the_labels(rows: Any) -> None:
    from gazette.training.networks import training_loop

    doubtful = dataclasses.replace(rows, soft_labels=np.array([[0.7, 0.3], [0.2, 0.8]], np.float32)[1 - rows.labels])
    _, params, network = built("mlp", learning_rate=0.05, epochs=20, patience=20)
    curve = training_loop.fit(network, params, doubtful, rows, 1)
    assert curve[-1]["train_accuracy"] < 0.1  # the soft labels are the opposite of the labels
    assert 0.6 < training_loop.probabilities(network, rows).max(axis=1).mean() < 0.9


def test_label_smoothing_leaves_doubt(rows: Any) -> None:
    from gazette.training.networks import training_loop

    sure, doubtful = (
        training_loop.probabilities(fitted("mlp", rows, label_smoothing=share)[0], rows).max(axis=1).mean()
        for share in (0.0, 0.4)
    )
    assert doubtful < 0.9 < sure
    np.testing.assert_allclose(rows.to_targets(2, smoothing=0.4)[0, 2:].max(), 0.8)


def test_class_weights_make_up_for_a_rare_class(rows: Any) -> None:
    from gazette.training.networks import training_loop

    few = dataclasses.replace(rows, labels=np.arange(len(rows.ids)) % 10 // 9)  # unrelated to the texts
    plain, weighted = (
        training_loop.probabilities(fitted("mlp", few, class_weight=weight, epochs=4, learning_rate=0.05)[0], few)[
            :, 1
        ].mean()
        for weight in (None, "balanced")
    )
    assert plain < 0.15 < 0.25 < weighted


def test_a_fit_is_the_same_after_another_and_with_a_callback(rows: Any) -> None:
    from gazette.training.networks import training_loop

    points: list[dict[str, float]] = []
    probabilities = []
    for on_epoch in (None, points.append):
        training_loop.make_deterministic(seed=1, threads=2)
        _, params, network = built("cnn", epochs=2, dropout=0.3)
        curve = training_loop.fit(network, params, rows, rows, 1, on_epoch)
        probabilities.append(training_loop.probabilities(network, rows))
    assert np.array_equal(*probabilities)
    assert points == curve


def test_regularization_shrinks_the_weights(rows: Any) -> None:
    free, shrunk = (fitted("mlp", rows, l1=l1, l2=0.0)[0].get_layer("probabilities").kernel for l1 in (0.0, 0.1))
    assert np.abs(np.asarray(shrunk)).sum() < np.abs(np.asarray(free)).sum()


@pytest.mark.parametrize("family", ["linear", "average"])
def test_a_table_without_a_row_is_rejected(family: str, rows: Any) -> None:
    with pytest.raises(ConfigError, match="occurs in 1000 of the 120 training rows"):
        fitted(family, rows, min_df=1000)


def test_the_n_grams_of_most_rows_have_the_linear_tables_rows(rows: Any) -> None:
    network, _ = fitted("linear", rows, ngrams=1, max_features=5)
    lookup, table = (network.get_layer(name).get_weights()[0] for name in ("lookup", "table"))
    counts = np.bincount(np.concatenate([np.unique(text) for text in rows.ids]), minlength=len(lookup))
    assert table.shape == (6, 3)
    assert not table[0].any()
    assert lookup[lookup > 0].tolist() == [1, 2, 3, 4, 5]
    assert counts[lookup > 0].min() >= counts[lookup == 0].max()


@pytest.mark.parametrize("ngrams", [1, 2, 3])
def test_a_table_is_no_larger_than_the_n_grams_of_the_rows_and_has_room_for_all(ngrams: int) -> None:
    from gazette.training.networks.batches import Rows
    from gazette.training.networks.ngrams import ngram_matrix

    ids = [np.array(text, np.int32) for text in ([3, 4, 5, 6], [], [7])]
    rows = Rows(ids, np.zeros(3, np.int64), pieces=ids[::-1])
    _, params, network = built("linear", subword_vocabulary=20, ngrams=ngrams)
    different = len(np.unique(ngram_matrix(network, rows).indices))
    assert different <= params.bounded_by(rows).max_features <= 10 * ngrams + 6 * (ngrams - 1)
    assert params.model_copy(update={"max_features": 3}).bounded_by(rows).max_features == 3
    assert params.bounded_by(Rows([], np.zeros(0, np.int64))).max_features == 1


def test_a_number_out_of_bounds_is_refused_by_name() -> None:
    with pytest.raises(ValidationError, match="dropout"):
        built("cnn", dropout=1.0)
    with pytest.raises(ValidationError, match="epocs"):
        built("cnn", epocs=3)


def test_batches_hold_every_row_once_and_are_shuffled_anew_from_one_seed(rows: Any) -> None:
    from gazette.training.networks.batches import Batches

    first, second = (Batches(rows.ids, rows.to_targets(2), 16, seed=5) for _ in range(2))
    epochs = [[ids.tolist() for ids, _ in first] for _ in range(2)]
    assert sum(len(targets) for _, targets in first) == len(rows.ids)
    assert epochs[0] != epochs[1]
    assert epochs[0] == [ids.tolist() for ids, _ in second]


@pytest.mark.parametrize(("least", "steps"), [(1, 4), (4, 4), (7, 7)])
def test_an_epoch_reads_a_small_corpus_until_it_has_the_steps_that_params_ask_for(
    least: int, steps: int, rows: Any
) -> None:
    network, curve = fitted(
        "mlp", rows, batch_size=32, epochs=2, patience=2, schedule="cosine", min_steps_per_epoch=least
    )
    assert len(curve) == 2
    assert int(network.optimizer.iterations.numpy()) == 2 * steps
    assert network.optimizer.get_config()["learning_rate"]["config"]["decay_steps"] == 2 * steps


def test_no_thread_tunes_the_batches_for_which_the_end_of_an_epoch_would_wait(
    rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keras

    datasets: list[Any] = []
    fit = keras.Model.fit

    def note(network: Any, batches: Any, **options: Any) -> Any:
        datasets.extend([batches, options["validation_data"]])
        return fit(network, batches, **options)

    monkeypatch.setattr(keras.Model, "fit", note)
    fitted("mlp", rows, epochs=1)
    assert [dataset.options().autotune.enabled for dataset in datasets] == [False, False]


def test_n_grams_are_hashed_below_two_to_the_thirty_first_and_a_texts_ends_are_tokens() -> None:
    from gazette.training.networks.ngrams import HashedNgrams

    last, buckets = (1 << 17) - 1, 1 << 22
    grams = np.asarray(HashedNgrams(3, buckets, last + 1)(np.array([[last, last, 0]], np.int32)))
    pairs = [last, last * 16_381 + last, last * 16_381]  # the beginning, both, the end
    threes = [(pairs[0] * 509 + last) % buckets, (pairs[1] % buckets * 509) % buckets]
    expected = [last, last, 0, *(pair % buckets + last + 1 for pair in pairs), 0]
    assert grams.tolist() == [[*expected, *(three + last + 1 for three in threes), 0]]


def test_a_second_view_stands_behind_the_first_and_no_n_gram_crosses() -> None:
    from gazette.training.networks.families.linear import ConcatViews
    from gazette.training.networks.ngrams import HashedNgrams

    views = np.array([[3, 4], [5, 0]], np.int32), np.array([[2, 0], [6, 7]], np.int32)
    joined = ConcatViews(10)(*views)
    assert np.asarray(joined).tolist() == [[3, 4, 0, 0, 12, 0], [5, 0, 0, 0, 16, 17]]
    apart = {number for view in (views[0], joined[:, 4:]) for number in np.unique(HashedNgrams(3, 512, 20)(view))}
    assert set(np.unique(HashedNgrams(3, 512, 20)(joined))) == apart


def test_the_views_of_rows_count_apart_what_they_count_together() -> None:
    from gazette.training.networks.batches import Rows
    from gazette.training.networks.ngrams import ngram_matrix

    ids = [np.array(text, np.int32) for text in ([3, 4], [], [5])]
    rows = Rows(ids, np.zeros(3, np.int64), pieces=ids[::-1])
    _, _, network = built("linear", subword_vocabulary=20)
    words, pieces = (ngram_matrix(network, view) for view in rows.views())
    assert words.sum() == pieces.sum() > 0
    np.testing.assert_array_equal((words + pieces).toarray(), ngram_matrix(network, rows).toarray())


def test_a_token_of_no_row_has_a_weight_if_there_are_vectors(rows: Any) -> None:
    unseen = np.setdiff1d(np.arange(200), np.concatenate(rows.ids))
    for vectors in (None, np.random.default_rng(4).normal(size=(200, 3))):
        module, params, network = built("linear")
        module.solve(network, params, rows, rows, 1, vectors, 0.5)
        lookup, table = (network.get_layer(name).get_weights()[0] for name in ("lookup", "table"))
        weighted = table[lookup[unseen], :2].any(axis=1)
        assert weighted.all() if vectors is not None else not weighted.any()


def test_the_shipped_models_and_ranges_of_params_yaml_are_accepted() -> None:
    from ruamel.yaml import YAML

    numbers = YAML(typ="safe", pure=True).load(ROOT / "params.yaml")
    for section in (model for model in numbers["models"].values() if model["family"] not in ("bert", "static")):
        importlib.import_module(f"gazette.training.networks.families.{section['family']}").Params(**section)
    for name, section in numbers["tune"].items():
        model = numbers["models"][name]
        accepted = importlib.import_module(f"gazette.training.networks.families.{model['family']}").Params
        for key, space in search_space.read_space(section, model, name).items():
            for end in space.ends():
                accepted(**search_space.with_values(model, {key: end}))


TRAIN = """
import json, sys
from pathlib import Path
from gazette.stages import train
from gazette.training.export.candidate import CandidateFiles
folder, families = Path(sys.argv[1]), json.loads(sys.argv[2])
for family in families:
    train.run(
        train.Params(seed=7, threads=2, onednn=True, export_tolerance=1e-4, resamples=100),
        models=families, candidate=family,
        description=folder / "corpus.yaml", train=folder / "train.parquet", valid=folder / "valid.parquet",
        outs=CandidateFiles(
            folder / "out" / family, folder / "out" / (family + ".csv"), folder / "out" / (family + ".json"),
            folder / "fingerprint.json",
        ),
    )
"""


def test_two_processes_train_every_family_to_the_same_bytes(tmp_path: Path) -> None:
    outputs = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        folder.mkdir()
        texts, labels = articles(60)
        table = pl.DataFrame({"text": texts, "label": labels, "split": "train", "file": "a", "line": range(1, 61)})
        table.write_parquet(folder / "train.parquet")
        table.with_columns(split=pl.lit("valid")).write_parquet(folder / "valid.parquet")
        (folder / "corpus.yaml").write_text(
            "language: en\nlabels: [business, sports]\nsource: a\nterms: b\n"
            "files: {train: [{format: csv, path: a, header: true, text: [text], label: label}]}\n"
        )
        families = {name: {"family": name, **TOKENS, **numbers} for name, numbers in FAMILIES.items()}
        families["pieces"] = families["linear"] | {"subword_vocabulary": 100}
        families |= {f"{name}_int8": families[name] | {"precision": "int8"} for name in INT8}
        for numbers in families.values():
            numbers.update({"epochs": 2} if "epochs" in numbers else {})
        subprocess.run(
            [sys.executable, "-c", TRAIN, str(folder), json.dumps(families)],
            check=True,
            capture_output=True,
            env=os.environ | {"PYTHONHASHSEED": seed},
        )
        files = (path for path in (folder / "out").rglob("*") if path.is_file())
        outputs.append({path.relative_to(folder).as_posix(): path.read_bytes() for path in files})
    assert len(outputs[0]) == len(FAMILIES) * 6 + 7 + len(INT8) * 5  # two tokenizers; int8 has none of Keras' weights
    scores = {name: json.loads(outputs[0][f"out/{name}.json"]) for name in [*INT8, *(f"{name}_int8" for name in INT8)]}
    for name in INT8:
        assert scores[f"{name}_int8"]["bytes"] < scores[name]["bytes"] / 2
        assert scores[f"{name}_int8"]["int8_equal_labels"] > 0.9
    assert [name for name in outputs[0] if outputs[0][name] != outputs[1][name]] == []
