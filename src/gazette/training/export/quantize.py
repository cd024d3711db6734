"""Quantization to int8 by ONNX Runtime's dynamic quantization: tables and matrices take a quarter of the bytes.

Activations stay float. So do convolutions, which are slower in int8 here.
"""

import logging
import tempfile
from pathlib import Path

import onnx
import onnxruntime
from onnx import TensorProto
from onnx.helper import make_node
from onnxruntime.quantization import QuantType, quantize_dynamic

from gazette.training.export.canonical import canonical

OPERATIONS = ["MatMul", "Gather"]


def quantize(path: Path) -> None:
    """Quantize the canonical network at `path` in place, in canonical form; the same bytes in every process.

    Weights use seven bits (`reduce_range`), so that no sum overflows on a processor without VNNI, and all processors
    compute the same.
    """
    logging.getLogger().addFilter(_is_not_advice)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        folded, out = Path(folder, "folded.onnx"), Path(folder, "quantized.onnx")
        _fold_constants(path, folded)
        quantize_dynamic(folded, out, OPERATIONS, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8)
        new = onnx.load(out)
    _expand_dequantize(new.graph)
    used = {node.domain for node in new.graph.node}
    for opset in [opset for opset in new.opset_import if opset.domain not in used]:
        new.opset_import.remove(opset)
    form = canonical(new, [tensor.name for tensor in new.graph.input])
    path.write_bytes(form.SerializeToString(deterministic=True))


def _fold_constants(path: Path, folded: Path) -> None:
    """Fold what depends only on weights, so that attention's matrix products are quantized too."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC  # the same on every machine
    options.optimized_model_filepath = str(folded)
    options.log_severity_level = 3
    onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    model = onnx.load(folded)
    for node in model.graph.node:
        if node.op_type == "Gemm" and len(node.input) < 3:
            for beta in [attribute for attribute in node.attribute if attribute.name == "beta"]:
                node.attribute.remove(beta)  # there is no bias to scale, and quantization accepts only the default
    onnx.save(model, folded)


def _expand_dequantize(graph: onnx.GraphProto) -> None:
    """Replace each `DequantizeLinear` by arithmetic: ONNX Runtime 1.32 crashes on one between a table and a loop."""
    for node in [node for node in graph.node if node.op_type == "DequantizeLinear"]:
        values, scale, zero = node.input
        (result,) = node.output
        graph.node.remove(node)
        graph.node.extend(
            [
                make_node("Cast", [values], [f"{result}_number"], to=TensorProto.FLOAT),
                make_node("Cast", [zero], [f"{result}_zero"], to=TensorProto.FLOAT),
                make_node("Sub", [f"{result}_number", f"{result}_zero"], [f"{result}_steps"]),
                make_node("Mul", [f"{result}_steps", scale], [result]),
            ]
        )


def _is_not_advice(record: logging.LogRecord) -> bool:
    return "pre-processing before quantization" not in record.getMessage()
