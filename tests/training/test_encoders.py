"""Candidates that start from an encoder or a teacher, on a tiny Chinese BERT with random weights."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from encoders import CONFIG, expected_vector, make_encoder
from families import FAMILIES, TOKENS
from generating import generated
from prefect_dvc.core.errors import ConfigError
from root import ROOT
from safetensors.numpy import load_file

from gazette.core import articles, files
from gazette.core.bundle import Bundle
from gazette.training.export.candidate import CandidateFiles
from gazette.training.networks import learn, runtime
from gazette.training.networks.tokenizer import encode

pytestmark = pytest.mark.slow  # TensorFlow's import alone takes ten seconds

SHARED = {"seed": 1, "threads": 2, "onednn": True, "export_tolerance": 1e-4, "resamples": 100}
TUNED: dict[str, Any] = {
    "family": "bert", "max_length": 20, "trainable_layers": 2, "dropout": 0.0, "learning_rate": 0.02,
    "layer_decay": 0.8,    "weight_decay": 0.01, "warmup_ratio": 0.1, "batch_size": 8, "epochs": 6, "max_steps": 1000,
}  # fmt: skip
STUDENT = {"family": "linear", **TOKENS, **FAMILIES["linear"]}
UNSEEN = "鲸鲨"  # characters that the encoder knows and no article has
MODELS = {
    "tuned": TUNED,
    "probe": {"family": "bert", "l2": 1e-4, "max_iter": 50},
    "student": STUDENT,
    "static": {
        "family": "static",
        **TOKENS,
        **FAMILIES["linear"],
        "vocabulary": 1000,
        "max_features": 2000,
        "buckets": 50_021,
        "dimensions": 4,
        "vector_length": 0.5,
    },
}


class Project:
    """A folder with rows and an encoder, and the arguments of the stages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.params = {"train": SHARED, "models": MODELS, "extract_features": {"max_length": 20, "max_rows": None}}
        self.paths = {name: folder / f"{name}.parquet" for name in ("train_rows", "valid_rows")}
        self.paths |= {"description": folder / "tiny.yaml", "pretrained": folder / "encoder"}

    def options(self, candidate: str) -> dict[str, Any]:
        outs = {name: self.folder / candidate / name for name in ("curve", "score", "fingerprint")}
        (self.folder / candidate).mkdir(exist_ok=True)
        return {"candidate": candidate, "outs": CandidateFiles(self.folder / "models" / candidate, **outs)}


@pytest.fixture(scope="module", autouse=True)
def started() -> None:
    runtime.configure_tensorflow(seed=1, threads=2, onednn=True)  # before anything else sets the number of threads


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project(tmp_path_factory.mktemp("pretrained"))
    table = generated("zh", 80)
    for name, rows in (("train_rows", table[:60]), ("valid_rows", table[60:])):
        articles.write_articles(project.paths[name], rows)
    project.paths["description"].write_text(
        "language: zh\nlabels: [体育, 财经]\nsource: here\nterms: none\n"
        "files: {train: [{format: csv, path: a.csv, header: true, text: [text], label: label}]}\n"
    )
    make_encoder(project.paths["pretrained"], "".join(table["text"]) + UNSEEN)
    return project


@pytest.fixture(scope="module")
def tuned(project: Project) -> Path:
    from gazette.stages import fine_tune

    shared = {name: project.params[name] for name in ("train", "models")}
    fine_tune.run(**shared, **project.paths, **project.options("tuned"))
    return project.folder / "models" / "tuned"


def classifier(project: Project) -> Any:
    from gazette.training.encoders import bert, fine_tuning
    from gazette.training.networks import training_loop

    training_loop.make_deterministic(1, 2)
    return fine_tuning.build_classifier(bert.build_encoder(project.paths["pretrained"]), 2)


def fine_tuned(project: Project, **changes: Any) -> tuple[Any, learn.Learned]:
    """The weights of each layer before, and the result of the training."""
    from gazette.training.encoders import fine_tuning
    from gazette.training.networks import training_loop

    before = {layer.name: layer.get_weights() for layer in classifier(project).layers}
    rows = [learn.read_split(project.paths[name], ["体育", "财经"]) for name in ("train_rows", "valid_rows")]
    training_loop.make_deterministic(1, 2)
    params = fine_tuning.Params(**(TUNED | changes))
    return before, fine_tuning.train_fine_tuned(project.paths["pretrained"], params, *rows, 1)


def moved(before: dict[str, Any], network: Any) -> set[str]:
    """The layers whose weights have changed."""
    after = {layer.name: layer.get_weights() for layer in network.layers}
    return {
        name for name in after if any((old != new).any() for old, new in zip(before[name], after[name], strict=True))
    }


def test_the_shipped_encoders_of_params_yaml_are_accepted() -> None:
    from gazette.training.encoders import fine_tuning, heads, static

    models = files.read_yaml(ROOT / "params.yaml")["models"]
    fine_tuning.Params(**models["minilm"])
    heads.Params(**models["probe"])
    static.Params(**models["static"])


def test_an_encoder_computes_what_the_paper_defines_whatever_the_padding(tmp_path: Path) -> None:
    from gazette.training.encoders import bert

    weights = make_encoder(tmp_path / "encoder", "央行上调利率")
    network, tokenizer = bert.build_encoder(tmp_path / "encoder"), bert.load_tokenizer(tmp_path / "encoder", 20)
    ids = encode(tokenizer, ["央行上调利率", "利率"])
    assert [len(text) for text in ids] == [8, 4]  # [CLS] and [SEP] with them, no padding
    np.testing.assert_allclose(bert.embed(network, ids), [expected_vector(weights, text) for text in ids], atol=1e-5)


def test_a_fine_tuned_encoder_tells_chinese_classes_apart_as_a_bundle(project: Project, tuned: Path) -> None:
    score = files.read_json(project.folder / "tuned" / "score")
    assert score["accuracy"] > 0.9
    assert pl.read_csv(project.folder / "tuned" / "curve").columns == [
        "epoch", "train_accuracy", "train_loss", "valid_accuracy", "valid_loss",
    ]  # fmt: skip
    assert Bundle(tuned).probabilities(["主队在星期天赢了第3场比赛"]).argmax() == 0


@pytest.fixture(scope="module")
def briefly(project: Project) -> tuple[Any, learn.Learned]:
    return fine_tuned(project, trainable_layers=1, max_steps=3)


def test_blocks_below_those_that_learn_stay_as_they_are(briefly: tuple[Any, learn.Learned]) -> None:
    changed = moved(briefly[0], briefly[1].network)
    assert {name[: len("block_1")] for name in changed if name.startswith("block_")} == {"block_1"}
    assert {name for name in changed if not name.startswith("block_")} == {"probabilities"}


def test_a_cap_on_steps_ends_a_long_corpus(briefly: tuple[Any, learn.Learned]) -> None:
    assert briefly[1].network.optimizer.iterations == 3
    assert len(briefly[1].curve) == 1


def test_fine_tuning_twice_learns_the_same_weights(project: Project, briefly: tuple[Any, learn.Learned]) -> None:
    _, again = fine_tuned(project, trainable_layers=1, max_steps=3)
    assert not moved({layer.name: layer.get_weights() for layer in briefly[1].network.layers}, again.network)


def test_lower_blocks_take_smaller_steps_and_the_vectors_of_tokens_none(project: Project) -> None:
    before, learned = fine_tuned(project, layer_decay=0.1, max_steps=1, warmup_ratio=0.0, weight_decay=0.0)
    names = [f"block_{block}_query" for block in (0, 1)]
    after = [learned.network.get_layer(name).get_weights()[0] for name in names]
    steps = [np.abs(new - before[name][0]).max() for name, new in zip(names, after, strict=True)]
    assert steps[1] / steps[0] == pytest.approx(10, rel=0.1)
    assert not moved(before, learned.network) & {"token_embeddings", "position_embeddings", "embeddings_norm"}


def test_a_linear_probe_is_what_its_bundle_predicts(project: Project) -> None:
    from gazette.stages import extract_features, linear_probe

    paths = {name: path for name, path in project.paths.items() if name != "description"}
    features = project.folder / "features" / "probe.safetensors"
    extract_features.run(
        extract_features.Params(max_length=20, max_rows=None),
        train=SHARED,
        candidate="probe",
        **paths,
        features=features,
    )
    assert {name: array.shape for name, array in load_file(features).items()} == {
        "rows": (60,), "train": (60, 8), "valid": (20, 8),
    }  # fmt: skip
    before = features.read_bytes()
    extract_features.run(
        extract_features.Params(max_length=20, max_rows=None),
        train=SHARED,
        candidate="probe",
        **paths,
        features=features,
    )
    assert features.read_bytes() == before
    linear_probe.run(**project.params, **project.paths, features=features, **project.options("probe"))
    assert files.read_json(project.folder / "probe" / "score")["accuracy"] > 0.9


def test_words_that_no_article_has_count_by_the_encoders_vectors(project: Project) -> None:
    from gazette.stages import fine_tune

    shared = {name: project.params[name] for name in ("train", "models")}
    fine_tune.run(**shared, **project.paths, **project.options("static"))
    bundle = Bundle(project.folder / "models" / "static")
    assert files.read_json(project.folder / "static" / "score")["accuracy"] > 0.9
    nothing, *probabilities = bundle.probabilities(["", *UNSEEN])
    assert all(np.abs(row - nothing).max() > 1e-4 for row in probabilities)


def test_a_words_vector_is_centered_reduced_and_weighs_more_if_it_is_rare() -> None:
    from gazette.training.encoders.static import weigh_vectors

    answers = np.array([[9, 9], [9, 9], [2, 0], [0, 3], [0, 5]], np.float32)
    texts = [np.array([2, 3]), np.array([2]), np.array([2])]
    vectors = weigh_vectors(answers, texts, 1)
    assert vectors.shape == (5, 1)
    assert not vectors[:2].any()
    assert vectors[2] * vectors[3] < 0
    assert abs(vectors[4]) > abs(vectors[3]) > abs(vectors[2])


def test_a_part_of_the_rows_is_drawn_the_same_each_time() -> None:
    assert articles.sample_rows(5, None, seed=1).tolist() == [0, 1, 2, 3, 4]
    few = articles.sample_rows(100, 10, seed=1)
    assert few.tolist() == sorted(set(few.tolist())) == articles.sample_rows(100, 10, seed=1).tolist()
    assert few.tolist() != articles.sample_rows(100, 10, seed=2).tolist()


@pytest.fixture
def distilled(project: Project, tuned: Path) -> Callable[..., np.ndarray]:
    """Trains the student of a teacher that predicts the opposite of every label; its probabilities on valid."""

    def distill_with(weight: float, rows: int | None = None) -> np.ndarray:
        from safetensors.numpy import save_file

        from gazette.stages import distill, soft_labels

        path = project.folder / "soft_labels" / "student.safetensors"
        train_rows = project.paths["train_rows"]
        settings = soft_labels.Params(max_rows=rows, seed=1, threads=2)
        soft_labels.run(settings, candidate="student", teacher=tuned, train_rows=train_rows, soft_labels=path)
        arrays = load_file(path)
        assert len(arrays["rows"]) == len(arrays["probabilities"]) == (rows or 60)
        save_file(arrays | {"probabilities": arrays["probabilities"][:, ::-1].copy()}, path)
        shared = {name: project.params[name] for name in ("train", "models")}
        paths = {name: path for name, path in project.paths.items() if name != "pretrained"}
        params = distill.Params(teacher_weight=weight)
        distill.run(params, **shared, **paths, soft_labels=path, **project.options("student"))
        valid = learn.read_split(project.paths["valid_rows"], ["体育", "财经"])
        probabilities = Bundle(project.folder / "models" / "student").probabilities(valid.texts)
        return probabilities[np.arange(20), valid.labels]

    return distill_with


def test_a_student_learns_what_the_teacher_predicts(distilled: Callable[..., np.ndarray]) -> None:
    assert distilled(weight=0.9).max() < 0.5  # the teacher was reversed


def test_rows_that_the_teacher_did_not_label_keep_their_labels(distilled: Callable[..., np.ndarray]) -> None:
    assert distilled(weight=1.0, rows=6).mean() > 0.6


@pytest.mark.parametrize("file", ["config.json", "model.safetensors", "tokenizer.json"])
def test_an_encoder_that_is_not_whole_is_refused_with_the_cure(tmp_path: Path, file: str) -> None:
    from gazette.training.encoders import bert

    make_encoder(tmp_path / "encoder", "央行")
    (tmp_path / "encoder" / file).unlink()
    with pytest.raises(ConfigError, match=rf"encoder has no {file}; run `gazette pretrained fetch`"):
        bert.build_encoder(tmp_path / "encoder")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "roberta"}, "model_type"),
        ({"hidden_act": "gelu_new"}, "hidden_act"),
        ({"num_hidden_layers": 3}, r"does not match config\.json .*layer\.2"),
        ({"intermediate_size": 12}, r"does not match config\.json"),
    ],
)
def test_an_encoder_of_another_kind_or_shape_is_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    from gazette.training.encoders import bert

    make_encoder(tmp_path / "encoder", "央行")
    (tmp_path / "encoder" / "config.json").write_text(json.dumps(CONFIG | {"vocab_size": 6} | change))
    with pytest.raises(ConfigError, match=message):
        bert.build_encoder(tmp_path / "encoder")
