"""The canonical form of an exported network, for graphs by hand and for networks of every kind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from prefect_dvc.core.errors import ConfigError

from gazette.training.export.canonical import canonical
from gazette.training.export.onnx_export import export
from gazette.training.networks.runtime import configure_tensorflow

FAMILIES = ["linear", "mlp", "cnn", "lstm", "bilstm", "transformer", "two_views"]
SHAPES = [(1, 5), (3, 9), (7, 17)]

# Graphs by hand


def network(nodes: str, constants: str = "float[2] w = {2.0, 3.0}") -> onnx.ModelProto:
    header = '<ir_version: 8, opset_import: ["": 15]>'
    return onnx.parser.parse_model(f"{header} net (float[n, 2] x) => (float[n, 2] y) <{constants}> {{ {nodes} }}")


def form(model: onnx.ModelProto) -> bytes:
    return canonical(model, ["x"]).SerializeToString(deterministic=True)


def predicted(model: bytes, **inputs: np.ndarray) -> np.ndarray:
    return onnxruntime.InferenceSession(model).run(None, inputs)[0]


PLAIN = network("a = Mul(x, w) b = Sigmoid(x) c = Add(a, b) y = Sub(c, w)")
SAME = {
    "nodes in another order": network("b = Sigmoid(x) a = Mul(x, w) c = Add(a, b) y = Sub(c, w)"),
    "values renamed": network("q = Mul(x, v) a = Sigmoid(x) z = Add(q, a) y = Sub(z, v)", "float[2] v = {2.0, 3.0}"),
    "an identity": network("a = Mul(x, w) b = Sigmoid(x) i = Identity(b) c = Add(a, i) y = Sub(c, w)"),
    "an identity at the start": network("i = Identity(x) a = Mul(x, w) b = Sigmoid(i) c = Add(a, b) y = Sub(c, w)"),
    "an identity at the end": network("a = Mul(x, w) b = Sigmoid(x) c = Add(a, b) i = Sub(c, w) y = Identity(i)"),
    "a constant twice": network(
        "a = Mul(x, v) b = Sigmoid(x) c = Add(a, b) y = Sub(c, w)", "float[2] w = {2.0, 3.0}, float[2] v = {2.0, 3.0}"
    ),
    "a constant as a node": network(
        "v = Constant <value = float[2] {2.0, 3.0}> () a = Mul(x, v) b = Sigmoid(x) c = Add(a, b) y = Sub(c, v)", ""
    ),
    "a dead node": network("a = Mul(x, w) b = Sigmoid(x) d = Relu(b) c = Add(a, b) y = Sub(c, w)"),
}
DIFFERENT = {
    "another weight": network("a = Mul(x, w) b = Sigmoid(x) c = Add(a, b) y = Sub(c, w)", "float[2] w = {2.0, 4.0}"),
    "another operation": network("a = Mul(x, w) b = Tanh(x) c = Add(a, b) y = Sub(c, w)"),
    "inputs swapped": network("a = Mul(x, w) b = Sigmoid(x) c = Add(a, b) y = Sub(w, c)"),
}


@pytest.mark.parametrize("variant", SAME)
def test_equal_computations_are_equal_bytes(variant: str) -> None:
    assert form(SAME[variant]) == form(PLAIN)


@pytest.mark.parametrize("variant", DIFFERENT)
def test_different_computations_are_different_bytes(variant: str) -> None:
    assert form(DIFFERENT[variant]) != form(PLAIN)


def test_doc_strings_and_names_of_nodes_leave_no_trace() -> None:
    annotated = onnx.ModelProto()
    annotated.CopyFrom(PLAIN)
    annotated.doc_string, annotated.producer_version, annotated.graph.name = "now", "1.2", "other"
    annotated.metadata_props.add(key="at", value="0x7f")
    annotated.graph.node[0].name = annotated.graph.node[0].doc_string = "einsum140299"
    annotated.graph.initializer[0].doc_string = "0x7f"
    annotated.graph.value_info.append(onnx.helper.make_tensor_value_info("a", 1, ["unk__12", 2]))
    annotated.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "unk__13"
    assert form(annotated) == form(PLAIN)


def test_order_of_attributes_and_opsets_leaves_no_trace() -> None:
    body = "h = HardSigmoid <{}> (x) s = Shape(x) f = ConstantOfShape <value = float[1] {{1.0}}> (s) y = Add(h, f)"
    model, reordered = (network(body.format(order)) for order in ("alpha = 0.3, beta = 0.4", "beta = 0.4, alpha = 0.3"))
    reordered.graph.node[2].attribute[0].t.name = reordered.graph.node[0].attribute[0].doc_string = "0x7f"
    model.opset_import.append(onnx.helper.make_opsetid("ai.onnx.ml", 2))
    reordered.opset_import.insert(0, onnx.helper.make_opsetid("ai.onnx.ml", 2))
    assert form(reordered) == form(model)


def test_constants_are_sorted_by_name() -> None:
    constants = [f"c{number}" for number in range(9)]
    sums = " ".join(f"s{number + 1} = Add(s{number}, c{number})" for number in range(9))
    model = network(
        f"s0 = Relu(x) {sums} y = Relu(s9)", ", ".join(f"float {name} = {{{name[1]}.0}}" for name in constants)
    )
    names = [constant.name for constant in canonical(model, ["x"]).graph.initializer]
    assert len(names) == 9
    assert names == sorted(names)


def test_an_input_with_a_value_is_the_constant_that_it_would_be() -> None:
    model = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["": 15]> net (float[n, 2] x, float[2] w) => (float[n, 2] y)'
        " { a = Mul(x, w) b = Sigmoid(x) c = Add(a, b) y = Sub(c, w) }"
    )
    new = canonical(model, ["x"], {"w": np.array([2, 3], np.float32)})
    assert new.SerializeToString(deterministic=True) == form(PLAIN)


def test_form_of_a_form_is_itself() -> None:
    once = canonical(PLAIN, ["x"])
    assert form(once) == once.SerializeToString(deterministic=True)


def test_form_predicts_what_the_model_did() -> None:
    x = np.array([[0.5, -1.0], [2.0, 0.0]], np.float32)
    assert np.array_equal(predicted(form(PLAIN), x=x), predicted(PLAIN.SerializeToString(), x=x))


def branches(then: str, otherwise: str, before: str = "") -> onnx.ModelProto:
    return network(
        "s = ReduceSum <keepdims = 0> (x) zero = Constant <value = float {0.0}> () positive = Greater(s, zero)"
        f" outside = Mul(x, w) {before} y = If (positive) <"
        f" then_branch = yes () => (float[n, 2] t) {{ {then} }},"
        f" else_branch = no () => (float[n, 2] e) {{ {otherwise} }} >"
    )


def test_subgraphs_read_values_from_outside() -> None:
    direct = branches("t = Add(outside, w)", "r = Relu(x) e = Sub(r, outside)")
    detours = branches(
        "t = Add(again, w)",
        "o = Identity(again) v = Identity(x) r = Relu(v) e = Sub(r, o)",
        "again = Identity(outside)",
    )
    assert form(detours) == form(direct)
    for x in np.array([[[0.5, 1.0]], [[-2.0, 0.0]]], np.float32):
        assert np.array_equal(predicted(form(direct), x=x), predicted(direct.SerializeToString(), x=x))


def test_a_subgraph_can_return_a_value_from_outside() -> None:
    model = branches("t = Identity(outside)", "e = Identity(w2)", "w2 = Add(x, w)")
    onnx.checker.check_model(canonical(model, ["x"]))
    for x in np.array([[[0.5, 1.0]], [[-2.0, 0.0]]], np.float32):
        assert np.array_equal(predicted(form(model), x=x), predicted(model.SerializeToString(), x=x))


def test_a_loop_keeps_its_state() -> None:
    model = network(
        "times = Constant <value = int64 {3}> () go = Constant <value = bool {1}> ()"
        " state, other = Loop(times, go, x, x) <"
        " body = b (int64 i, bool c, float[n, 2] s, float[n, 2] k) => (bool c2, float[n, 2] s2, float[n, 2] k2)"
        " { c2 = Identity(c) m = Mul(s, w) s2 = Add(m, x) k2 = Identity(k) } > y = Add(state, other)"
    )
    x = np.array([[0.5, -1.0], [2.0, 0.0]], np.float32)
    assert np.allclose(predicted(form(model), x=x), (x + [2, 3] * (x + [2, 3] * (x + [2, 3] * x))) + x)


def test_inputs_come_in_the_requested_order_and_lose_their_suffixes() -> None:
    model = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["": 15]> net (float[a, b] words_1, float[c, d] words) => (float[e, f] y)'
        " { y = Sub(words, words_1) }"
    )
    model.graph.input[0].name = model.graph.node[0].input[1] = "characters_7:0"
    model.graph.input[1].name = model.graph.node[0].input[0] = "words:0"
    new = canonical(model, ["words", "characters"])
    shapes = {v.name: [d.dim_param for d in v.type.tensor_type.shape.dim] for v in new.graph.input}
    assert list(shapes.items()) == [
        ("words", ["batch", "words_length"]),
        ("characters", ["batch", "characters_length"]),
    ]
    assert list(new.graph.node[0].input) == ["words", "characters"]


def test_of_two_matching_inputs_the_exact_one_is_taken() -> None:
    model = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["": 15]> net (float[a] x_1, float[a] x) => (float[a] y) { y = Sub(x, x_1) }'
    )
    assert list(canonical(model, ["x", "x_1"]).graph.node[0].input) == ["x", "x_1"]


def test_a_missing_input_is_named() -> None:
    with pytest.raises(ValueError, match=r"'ids'.*'x'"):
        canonical(PLAIN, ["ids"])


def test_a_second_output_is_rejected() -> None:
    model = onnx.ModelProto()
    model.CopyFrom(PLAIN)
    model.graph.output.append(onnx.helper.make_tensor_value_info("a", 1, None))
    with pytest.raises(ValueError, match="one output"):
        canonical(model, ["x"])


# Networks built by Keras, exported in separate processes: this file, run with a FOLDER, exports them all


def networks() -> dict[str, Any]:
    import keras
    from keras import layers, ops

    words, classes, width = 10, 3, 4

    def ids(name: str = "ids") -> Any:
        return keras.Input((None,), dtype="int32", name=name)

    def classifier(inputs: Any, features: Any) -> Any:
        return keras.Model(inputs, layers.Dense(classes, activation="softmax")(features))

    def mask(ids: Any) -> Any:
        return ops.cast(ids > 0, "float32")[..., None]

    def mean(vectors: Any, ids: Any) -> Any:
        return ops.sum(vectors * mask(ids), axis=1) / ops.maximum(ops.sum(mask(ids), axis=1), 1.0)

    def linear() -> Any:
        inputs = ids()
        following = ops.pad(inputs[:, 1:], ((0, 0), (0, 1)))
        pairs = ops.where(following > 0, ops.mod(inputs * 31 + following, 7) + words, 0)
        grams = ops.concatenate([inputs, pairs], axis=1)
        total = ops.sum(layers.Embedding(words + 7, classes)(grams) * mask(grams), axis=1)
        count = ops.maximum(ops.sum(mask(grams), axis=1), 1.0)
        return keras.Model(inputs, layers.Softmax()(total / ops.sqrt(count)))

    def mlp() -> Any:
        inputs = ids()
        hidden = layers.Dense(8, activation="relu")(mean(layers.Embedding(words, width)(inputs), inputs))
        return classifier(inputs, layers.Dropout(0.5)(hidden))

    def cnn() -> Any:
        inputs = ids()
        vectors = layers.Embedding(words, width)(inputs) * mask(inputs)
        convolved = [layers.Conv1D(4, size, padding="same", activation="relu")(vectors) for size in (2, 3, 4, 5)]
        pooled = [layers.GlobalMaxPooling1D()(values * mask(inputs)) for values in convolved]
        return classifier(inputs, layers.Concatenate()(pooled))

    def lstm() -> Any:
        inputs = ids()
        vectors = layers.Embedding(words, width, mask_zero=True)(inputs)
        return classifier(inputs, layers.LSTM(4)(layers.LSTM(4, return_sequences=True)(vectors)))

    def bilstm() -> Any:
        inputs = ids()
        vectors = layers.Embedding(words, width, mask_zero=True)(inputs)
        return classifier(inputs, layers.Bidirectional(layers.LSTM(4))(vectors))

    def transformer(activation: Any = lambda x: ops.gelu(x, approximate=True)) -> Any:
        inputs = ids()
        positions = ops.cumsum(ops.ones_like(inputs), axis=1) - 1
        x = layers.Embedding(words, width)(inputs) + layers.Embedding(32, width)(positions)
        attended = layers.MultiHeadAttention(num_heads=2, key_dim=2)(x, x, attention_mask=(inputs > 0)[:, None, :])
        x = layers.LayerNormalization()(x + attended)
        x = layers.LayerNormalization()(x + layers.Dense(width)(layers.Dense(8, activation=activation)(x)))
        return classifier(inputs, mean(x, inputs))

    def two_views() -> Any:
        views = [ids("words"), ids("characters")]
        return classifier(
            views, layers.Concatenate()([mean(layers.Embedding(words, width)(view), view) for view in views])
        )

    built = (linear, mlp, cnn, lstm, bilstm, transformer, two_views)
    models = {}
    for seed, build in enumerate(built):
        keras.utils.set_random_seed(seed)
        models[build.__name__] = build()
    return {**models, "exact_gelu": transformer("gelu")}


def texts(shape: tuple[int, int], seed: int) -> np.ndarray:
    """Ids with padding at the end, in the last row nothing else."""
    ids = np.random.default_rng(seed).integers(1, 10, shape, dtype=np.int32)
    ids[np.arange(shape[1]) >= shape[1] - np.arange(shape[0])[:, None]] = 0
    return ids


def export_all(folder: Path) -> None:
    configure_tensorflow(1, 2, onednn=True)
    models = networks()
    for name in FAMILIES:
        model = models[name]
        export(model, folder / f"{name}.onnx")
        for shape in SHAPES:
            inputs = [texts(shape, seed) for seed in range(len(model.inputs))]
            predictions = np.asarray(model(inputs if len(inputs) > 1 else inputs[0]))
            np.save(folder / f"{name}-{shape[0]}x{shape[1]}.npy", predictions)
    existing = folder / "existing.onnx"
    existing.write_text("unchanged")
    with pytest.raises(ConfigError, match="Erfc") as error:
        export(models["exact_gelu"], existing)
    (folder / "error.txt").write_text(str(error.value))


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Export in this process, and in another one with another seed of its hashes."""
    here, there = (tmp_path_factory.mktemp(name) for name in ("here", "there"))
    export_all(here)
    environment = {**os.environ, "PYTHONHASHSEED": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    ran = subprocess.run(
        [sys.executable, __file__, str(there)], env=environment, text=True, capture_output=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    (there / "output.txt").write_text(ran.stdout + ran.stderr)
    return [there, here]


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_two_processes_export_the_same_bytes(exported: list[Path], family: str) -> None:
    first, second = [(folder / f"{family}.onnx").read_bytes() for folder in exported]
    assert first == second


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("family", FAMILIES)
def test_onnx_runtime_predicts_what_keras_does(exported: list[Path], family: str, shape: tuple[int, int]) -> None:
    session = onnxruntime.InferenceSession(exported[0] / f"{family}.onnx")
    inputs = {tensor.name: texts(shape, seed) for seed, tensor in enumerate(session.get_inputs())}
    (probabilities,) = session.run(["probabilities"], inputs)
    expected = np.load(exported[0] / f"{family}-{shape[0]}x{shape[1]}.npy")
    assert np.abs(probabilities - expected).max() < 1e-5
    assert np.allclose(probabilities.sum(axis=1), 1)


@pytest.mark.slow
def test_inputs_and_output_have_our_names(exported: list[Path]) -> None:
    def interface(family: str) -> list[tuple[str, list[str | int]]]:
        session = onnxruntime.InferenceSession(exported[0] / f"{family}.onnx")
        return [(tensor.name, tensor.shape) for tensor in (*session.get_inputs(), *session.get_outputs())]

    assert interface("lstm") == [("ids", ["batch", "length"]), ("probabilities", ["batch", 3])]
    assert [name for name, _ in interface("two_views")] == ["words", "characters", "probabilities"]


@pytest.mark.slow
def test_an_operation_that_onnx_lacks_is_rejected_and_nothing_is_written(exported: list[Path]) -> None:
    assert "gelu: its approximation" in (exported[0] / "error.txt").read_text()
    assert (exported[0] / "existing.onnx").read_text() == "unchanged"
    assert not list(exported[0].glob(".*"))


@pytest.mark.slow
def test_export_prints_nothing(exported: list[Path]) -> None:
    output = (exported[0] / "output.txt").read_text()
    assert not [word for word in ("Saved artifact", "tf2onnx", "FutureWarning", "Erfc") if word in output]


if __name__ == "__main__":
    export_all(Path(sys.argv[1]))
