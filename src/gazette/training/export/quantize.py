"""A network in eight bits: tables and matrices as int8, a quarter of the bytes; ONNX Runtime's dynamic quantisation.

What is computed between them stays float. Convolutions stay float too: in int8 they are slower here.
"""

import logging
import tempfile
from pathlib import Path

import onnx
import onnxruntime
from onnx import TensorProto
from onnx.helper import make_node
from onnxruntime.quantization import QuantType, quantize_dynamic

from gazette.training.export.onnx_export import OUTPUT, canonical

OPERATIONS = ["MatMul", "Gather"]


def quantise(path: Path) -> None:
    """Puts the canonical network at `path` into eight bits, in canonical form; the same bytes in every process.

    Weights keep seven bits (`reduce_range`), so that no sum overflows where a processor lacks VNNI, and all processors
    say the same.
    """
    logging.getLogger().addFilter(_is_no_advice)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as box:
        folded, written = Path(box, "folded.onnx"), Path(box, path.name)
        _fold(path, folded)
        quantize_dynamic(folded, written, OPERATIONS, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8)
        new = onnx.load(written)
        _spell_out(new.graph)
        used = {node.domain for node in new.graph.node}
        for opset in [opset for opset in new.opset_import if opset.domain not in used]:
            new.opset_import.remove(opset)
        form = canonical(new, [tensor.name for tensor in new.graph.input], OUTPUT)
        written.write_bytes(form.SerializeToString(deterministic=True))
        written.replace(path)


def _fold(path: Path, folded: Path) -> None:
    """Computes what depends on weights alone, so that attention's are found; its products become those of matrices."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC  # same on every machine
    options.optimized_model_filepath = str(folded)
    options.log_severity_level = 3
    onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    model = onnx.load(folded)
    for node in model.graph.node:
        if node.op_type == "Gemm" and len(node.input) < 3:
            for beta in [attribute for attribute in node.attribute if attribute.name == "beta"]:
                node.attribute.remove(beta)  # of nothing that is added; quantisation knows none but the default
    onnx.save(model, folded)


def _spell_out(graph: onnx.GraphProto) -> None:
    """Writes each `DequantizeLinear` as what it does: ONNX Runtime 1.32 dies of one between a table and a loop."""
    for node in [node for node in graph.node if node.op_type == "DequantizeLinear"]:
        values, scale, zero = node.input
        (made,) = node.output
        graph.node.remove(node)
        graph.node.extend(
            [
                make_node("Cast", [values], [f"{made}_number"], to=TensorProto.FLOAT),
                make_node("Cast", [zero], [f"{made}_zero"], to=TensorProto.FLOAT),
                make_node("Sub", [f"{made}_number", f"{made}_zero"], [f"{made}_steps"]),
                make_node("Mul", [f"{made}_steps", scale], [made]),
            ]
        )


def _is_no_advice(record: logging.LogRecord) -> bool:
    return "pre-processing before quantization" not in record.getMessage()
