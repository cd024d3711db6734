"""The graph of `model.onnx`, read by the few fields of the ONNX format that an explanation needs, without onnx.

Field numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto; protobuf keeps the other fields.
"""

from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_MESSAGES = {
    "Model": [("graph", 7, "Graph")],
    "Graph": [("node", 1, "Node"), ("output", 12, "Value")],
    "Node": [("input", 1, ""), ("output", 2, ""), ("op_type", 4, "")],
    "Value": [("name", 1, "")],
}
_REPEATED = {("Graph", "node"), ("Graph", "output"), ("Node", "input"), ("Node", "output")}

# The end of a linear classifier: rows of its table are summed, divided by the norm in the last column, and shifted.
_LINEAR = ("Softmax", 0, "Add", 0, "Div", 0, "Slice", 0, "ReduceSum")


def expose_linear_rows(path: Path) -> tuple[bytes, str, str] | None:
    """Return the model with two more outputs, and their names: the n-grams' rows of the table, and the logits.

    Return None if the model is not linear in its n-grams.
    """
    model = _message("Model").FromString(path.read_bytes())
    makers = {name: node for node in model.graph.node for name in node.output}
    node = makers.get(model.graph.output[0].name)
    logits = node.input[0] if node else ""
    for operation, place in zip(_LINEAR[::2], (*_LINEAR[1::2], 0), strict=True):
        if node is None or node.op_type != operation:
            return None
        rows = node.input[place]
        node = makers.get(rows)
    if node is None or node.op_type not in ("Gather", "DequantizeLinear", "Mul"):
        return None
    for name in (rows, logits):
        model.graph.output.add(name=name)
    return model.SerializeToString(), rows, logits


@cache
def _message(name: str) -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="gazette/onnx.proto", package="gazette.onnx", syntax="proto2")
    kinds = descriptor_pb2.FieldDescriptorProto
    for message, fields in _MESSAGES.items():
        described = file.message_type.add(name=message)
        for field, number, kind in fields:
            described.field.add(
                name=field,
                number=number,
                label=kinds.LABEL_REPEATED if (message, field) in _REPEATED else kinds.LABEL_OPTIONAL,
                type=kinds.TYPE_MESSAGE if kind else kinds.TYPE_STRING,
                type_name=f".gazette.onnx.{kind}" if kind else None,
            )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"gazette.onnx.{name}"))
