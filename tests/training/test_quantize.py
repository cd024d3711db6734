"""Quantization: a small network, close to the original, and the same bytes in every process."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx.helper import make_graph, make_model, make_node, make_tensor_value_info
from onnx.numpy_helper import from_array

from gazette.core.bundle import Bundle
from gazette.training.export import candidate, quantize

IDS = np.array([[1, 5, 3], [7, 2, 2]], np.int32)


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """A table, a product as Keras exports attention (a transposed `Gemm` of a computed weight), a product, softmax."""
    draw = np.random.default_rng(5)
    weights = {"table": (50, 16), "flat": (256,), "last": (16, 3)}
    constants = [from_array(draw.normal(size=size).astype(np.float32), name) for name, size in weights.items()]
    constants += [
        from_array(np.array(value, np.int64), name) for name, value in {"square": [16, 16], "ax": [1]}.items()
    ]
    nodes = [
        make_node("Gather", ["table", "ids"], ["vectors"]),
        make_node("ReduceMean", ["vectors"], ["mean"], axes=[1], keepdims=0),
        make_node("Reshape", ["flat", "square"], ["weight"]),
        make_node("Gemm", ["mean", "weight"], ["hidden"], alpha=1.0, beta=0.0, transB=1),
        make_node("MatMul", ["hidden", "last"], ["logits"]),
        make_node("Softmax", ["logits"], ["probabilities"]),
    ]
    described = (
        make_tensor_value_info("ids", onnx.TensorProto.INT32, ["batch", "length"]),
        make_tensor_value_info("probabilities", onnx.TensorProto.FLOAT, ["batch", 3]),
    )
    graph = make_graph(nodes, "network", [described[0]], [described[1]], constants)
    path = tmp_path / "model.onnx"
    onnx.save(make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 15)], ir_version=8), path)
    return path


def predict(path: Path) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {"ids": IDS})[0]


def test_tables_and_matrices_are_int8_and_predictions_close(network: Path) -> None:
    before = predict(network)
    quantize.quantize(network)
    model = onnx.load(network)
    wide = [
        tensor.name
        for tensor in model.graph.initializer
        if tensor.data_type == onnx.TensorProto.FLOAT and len(tensor.dims) > 1
    ]
    assert wide == []
    assert [node.op_type for node in model.graph.node].count("MatMulInteger") == 2
    assert 0 < np.abs(predict(network) - before).max() < 0.05


def test_weights_use_seven_bits_so_that_every_processor_computes_the_same(network: Path) -> None:
    quantize.quantize(network)
    constants = [onnx.numpy_helper.to_array(tensor) for tensor in onnx.load(network).graph.initializer]
    matrices = [array for array in constants if array.dtype == np.int8 and array.ndim == 2]
    assert len(matrices) == 2
    assert max(np.abs(array.astype(int)).max() for array in matrices) == 64


def test_two_processes_write_the_same_bytes(network: Path, capfd: pytest.CaptureFixture[str]) -> None:
    copy = network.with_name("copy.onnx")
    copy.write_bytes(network.read_bytes())
    quantize.quantize(network)
    program = (
        f"import pathlib; from gazette.training.export import quantize; quantize.quantize(pathlib.Path({str(copy)!r}))"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    assert copy.read_bytes() == network.read_bytes()
    assert capfd.readouterr() == ("", "")
    assert sorted(path.name for path in network.parent.iterdir()) == ["copy.onnx", "model.onnx"]


def test_a_quantized_bundle_reports_its_agreement(bundle: Path) -> None:
    (bundle / "weights.h5").write_bytes(b"those of Keras")
    texts = ["goal goal", "bank", "a goal", ""]
    before = Bundle(bundle, 1).probabilities(texts)
    after, agreement = candidate.quantize_bundle(bundle, texts, before, 1)
    assert not (bundle / "weights.h5").exists()
    assert agreement == {
        "int8_equal_labels": 1.0,
        "int8_largest_difference": pytest.approx(float(np.abs(after - before).max())),
    }
