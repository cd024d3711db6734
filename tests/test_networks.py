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
from pydantic import ValidationError

from gazette.errors import Misconfigured

pytestmark = pytest.mark.slow  # TensorFlow's import alone takes ten seconds

TOKENS = {"tokens": "words", "vocabulary": 200, "min_count": 1, "length_quantile": 1.0, "length_cap": 30}
STEPS = {
    "optimizer": "adam",
    "learning_rate": 0.01,
    "schedule": "constant",
    "clip_norm": 0.0,
    "batch": 16,
    "epochs": 12,
    "patience": 12,
    "class_weights": False,
    "l1": 0.0,
    "l2": 0.0,
    "dropout": 0.0,
}
FAMILIES: dict[str, dict[str, Any]] = {
    "linear": {
        "ngrams": 3, "buckets": 512, "min_rows": 1, "smoothing": 1.0, "class_weights": False, "l2": 1e-4,
        "iterations": 20,
    },
    "mlp": {**STEPS, "embedding": 8, "hidden": [8], "activation": "relu"},
    "cnn": {**STEPS, "embedding": 8, "filters": 8, "widths": [2, 3], "activation": "relu"},
    "lstm": {**STEPS, "embedding": 8, "units": [8, 4], "bidirectional": False, "activation": "tanh"},
    "transformer": {
        **STEPS, "embedding": 8, "heads": 2, "blocks": 1, "feed_forward": 16, "positions": 40, "activation": "gelu"
    },
}  # fmt: skip
WORDS = {"sports": ["goal", "match", "coach", "league"], "business": ["shares", "bank", "profit", "market"]}
OTHERS = ["the", "of", "after", "year", "said", "new"]


def articles(rows: int) -> tuple[list[str], list[str]]:
    draw = np.random.default_rng(3)
    labels = [("sports", "business")[number % 2] for number in range(rows)]
    texts = [" ".join(draw.choice(WORDS[label] + OTHERS, size=draw.integers(4, 20))) for label in labels]
    return texts, labels


@pytest.fixture(scope="module")
def rows() -> Any:
    from gazette import tokenizing
    from gazette.networks import fitting

    fitting.fix(seed=1, threads=2)
    texts, labels = articles(120)
    tokenizer = tokenizing.learn(texts, "words", 200, 1)
    numbers = np.array([label == "business" for label in labels], np.int64)
    return fitting.Rows(tokenizing.encode(tokenizer, texts), numbers)


def built(family: str, **changes: Any) -> tuple[Any, Any, Any]:
    module = importlib.import_module(f"gazette.networks.{family}")
    params = module.Params(family=family, **TOKENS, **(FAMILIES[family] | changes))
    return module, params, module.build(params, 200, 2)


def fitted(family: str, rows: Any, **changes: Any) -> tuple[Any, list[dict[str, float]]]:
    from gazette.networks import fitting

    module, params, network = built(family, **changes)
    return network, getattr(module, "fit", fitting.fit)(network, params, rows, rows, 1, 0)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_learns_what_a_word_gives_away(family: str, rows: Any) -> None:
    _, curve = fitted(family, rows)
    assert max(point["valid_accuracy"] for point in curve) > 0.95


@pytest.mark.parametrize("family", FAMILIES)
def test_probabilities_sum_to_one_and_do_not_depend_on_padding(family: str, rows: Any) -> None:
    from gazette.networks import fitting

    network, _ = fitted(family, rows, **({"epochs": 2} if family != "linear" else {}))
    text = rows.ids[0]
    short, long = (np.pad(text, (0, zeros))[None] for zeros in (0, 17))
    alone, padded = (np.asarray(network(array)) for array in (short, long))
    np.testing.assert_allclose(alone, padded, atol=1e-5)
    np.testing.assert_allclose(fitting.probabilities(network, rows).sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_text_without_a_token_gets_finite_probabilities(family: str, rows: Any) -> None:
    _, _, network = built(family)
    assert np.isfinite(np.asarray(network(np.zeros((1, 8), np.int32)))).all()


@pytest.mark.parametrize("optimizer", ["sgd", "adagrad", "adam", "adamw", "rmsprop"])
def test_every_optimizer_lowers_the_loss(optimizer: str, rows: Any) -> None:
    _, curve = fitted("mlp", rows, optimizer=optimizer, learning_rate=0.05, schedule="cosine", epochs=6)
    assert curve[-1]["train_loss"] < curve[0]["train_loss"]


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh", "gelu", "elu", "selu", "silu"])
def test_every_activation_builds(activation: str, rows: Any) -> None:
    for family in ("mlp", "cnn", "transformer"):
        assert built(family, activation=activation)[2].output_shape == (None, 2)


def test_the_best_epochs_weights_are_kept(rows: Any) -> None:
    from gazette.networks import fitting

    network, curve = fitted("mlp", rows, learning_rate=0.5, epochs=6, patience=6)
    right = fitting.probabilities(network, rows).argmax(axis=1) == rows.labels
    assert right.mean() == pytest.approx(max(point["valid_accuracy"] for point in curve))


def test_a_loss_that_is_not_finite_stops_with_the_cure(rows: Any) -> None:
    with pytest.raises(Misconfigured, match="Lower learning_rate"):
        fitted("mlp", rows, optimizer="sgd", learning_rate=1e30)


def test_regularization_shrinks_the_weights(rows: Any) -> None:
    free, held = (fitted("mlp", rows, l1=l1, l2=0.0)[0].get_layer("probabilities").kernel for l1 in (0.0, 0.1))
    assert np.abs(np.asarray(held)).sum() < np.abs(np.asarray(free)).sum()


def test_l2_holds_the_linear_table_back(rows: Any) -> None:
    free, held = (fitted("linear", rows, l2=l2)[0].get_layer("table").get_weights()[0] for l2 in (1e-5, 1.0))
    assert np.abs(held).sum() < np.abs(free).sum()


def test_a_number_out_of_bounds_is_refused_by_name() -> None:
    with pytest.raises(ValidationError, match="dropout"):
        built("cnn", dropout=1.0)
    with pytest.raises(ValidationError, match="epocs"):
        built("cnn", epocs=3)


def test_batches_hold_every_row_once_and_are_shuffled_anew_from_one_seed(rows: Any) -> None:
    from gazette.networks import fitting

    first, second = (fitting.Batches(rows, 16, seed=5) for _ in range(2))
    epochs = [[ids.tolist() for ids, _ in first] for _ in range(2)]
    assert sum(len(labels) for _, labels in first) == len(rows.ids)
    assert epochs[0] != epochs[1]
    assert epochs[0] == [ids.tolist() for ids, _ in second]


def test_n_grams_are_hashed_below_two_to_the_thirty_first() -> None:
    from gazette.networks import linear

    ids = np.array([[65_535, 65_535, 65_535]], np.int32)
    grams = np.asarray(linear.NGrams(3, 1 << 20, 65_536)(ids))
    second = (65_535 * 31_337 + 65_535) % (1 << 20)
    third = (second * 2_039 + 65_535) % (1 << 20)
    assert grams.tolist() == [[65_535] * 3 + [0, *[65_536 + second] * 2] + [0, 0, 65_536 + third]]


def test_the_shipped_models_of_params_yaml_are_accepted() -> None:
    from ruamel.yaml import YAML

    models = YAML(typ="safe", pure=True).load(Path(__file__).parent.parent / "params.yaml")["models"]
    for section in models.values():
        importlib.import_module(f"gazette.networks.{section['family']}").Params(**section)


TRAIN = """
import json, sys
from pathlib import Path
from gazette.stages import train
folder, families = Path(sys.argv[1]), json.loads(sys.argv[2])
for family in families:
    train.run(
        train.Params(seed=7, threads=2, onednn=True, tolerance=1e-4, resamples=100), models=families, candidate=family,
        description=folder / "corpus.yaml", train=folder / "train.parquet", valid=folder / "valid.parquet",
        bundle=folder / "out" / family, curve=folder / "out" / (family + ".csv"),
        score=folder / "out" / (family + ".json"), fingerprint=folder / "fingerprint.json",
    )
"""


def test_two_processes_train_every_family_to_the_same_bytes(tmp_path: Path) -> None:
    found = []
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
        for numbers in families.values():
            numbers.update({"epochs": 2} if "epochs" in numbers else {})
        subprocess.run(
            [sys.executable, "-c", TRAIN, str(folder), json.dumps(families)],
            check=True,
            capture_output=True,
            env=os.environ | {"PYTHONHASHSEED": seed},
        )
        made = (path for path in (folder / "out").rglob("*") if path.is_file())
        found.append({path.relative_to(folder).as_posix(): path.read_bytes() for path in made})
    assert len(found[0]) == len(FAMILIES) * 6
    assert [name for name in found[0] if found[0][name] != found[1][name]] == []
