"""A Keras network as ONNX, in the one form in which equal weights are equal bytes.

What Keras writes differs from process to process: names, the order of nodes, which of two equal
values is an `Identity` of the other. `canonical` keeps what is computed and nothing else.
"""

from __future__ import annotations

import hashlib
import itertools
import logging
import os
import re
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import AttributeProto, GraphProto, NodeProto, TensorProto, ValueInfoProto
from onnx.helper import make_graph, make_model, make_node
from onnx.numpy_helper import from_array, to_array

from gazette.core.errors import Misconfigured

if TYPE_CHECKING:
    import keras

OUTPUT = "probabilities"


def export(model: keras.Model, path: Path) -> None:
    """Writes `model` to `path` as canonical ONNX, or leaves `path` as it was.

    The inputs are token ids, int32 of shape (batch, length), called as the model calls them; the
    output is float32 of shape (batch, classes), called `probabilities`.

    Raises Misconfigured if the network holds an operation that ONNX does not have.
    """
    ids = [np.ones((1, tensor.shape[1] or 16), np.int32) for tensor in model.inputs]
    model(ids if len(ids) > 1 else ids[0])  # Keras exports only what has been called
    logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)  # the checker says it too, and stops
    os.environ["TF2ONNX_CATCH_ERRORS"] = "no"  # else it copies the graph, weights and all, before each of its passes

    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as folder:
        exported, written = Path(folder, "exported.onnx"), Path(folder, path.name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # Keras asks numpy for a name long gone
            model.export(exported, format="onnx", verbose=False)
        names = [tensor.name for tensor in model.inputs]
        form = canonical(onnx.load(exported), names, OUTPUT)
        try:
            onnx.checker.check_model(form)
        except onnx.checker.ValidationError as error:
            reason = str(error).splitlines()[0]
            raise Misconfigured(
                f"The network cannot be written as ONNX: {reason}. "
                "Put another layer or activation in its place (for gelu: its approximation)."
            ) from error
        written.write_bytes(form.SerializeToString(deterministic=True))
        written.replace(path)


def canonical(model: onnx.ModelProto, inputs: list[str], output: str) -> onnx.ModelProto:
    """Returns the model that predicts what `model` does and is equal for equal computations.

    `inputs` names its inputs, in the order of the new model (`ids` also finds `ids:0` and
    `ids_1`); `output` is the new name of its one output. Free dimensions are called `batch` and
    `length`; of several inputs each has its own, `<input>_length`.

    Raises `ValueError` if the model has other inputs, or not one output.
    """
    old = model.graph
    found = {name: _matched(name, old) for name in inputs}
    if len(old.input) != len(inputs) or len(old.output) != 1:
        raise ValueError(
            f"Expected inputs {inputs} and one output, got {len(old.input)} inputs and "
            f"{len(old.output)} outputs: name every input, merge outputs before the export."
        )
    graph = _Graph(old, {found[name].name: name for name in inputs})
    (made,) = graph.write()
    ending = graph.nodes[-1].output  # the last node makes the output, and no other reads it
    ending[list(ending).index(made)] = output

    length = "length" if len(inputs) == 1 else "{}_length"
    new = make_graph(
        graph.nodes,
        "network",
        [_described(found[name], name, "batch", length.format(name)) for name in inputs],
        [_described(old.output[0], output, "batch")],
        [graph.constants[name] for name in sorted(graph.constants)],
    )
    opsets = sorted(model.opset_import, key=lambda opset: opset.domain)
    return make_model(new, opset_imports=opsets, ir_version=model.ir_version, producer_name="gazette")


def _values() -> Iterator[str]:
    return map("value_{}".format, itertools.count())


@dataclass
class _Graph:
    """A graph or subgraph on its way to the new form.

    Nodes are written when a value is asked for, depth first from the outputs, so that order and
    names follow from what is computed. Subgraphs ask the graph around them for what they lack.
    """

    old: GraphProto
    names: dict[str, str]  # of each value known so far: the new name
    outer: _Graph | None = None
    constants: dict[str, TensorProto] = field(default_factory=dict)  # of the whole model
    values: Iterator[str] = field(default_factory=_values)  # new names, for the whole model
    nodes: list[NodeProto] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.names[""] = ""  # an optional input left out
        constants = [make_node("Constant", [], [t.name], value=t) for t in self.old.initializer]
        self.makers = {name: node for node in (*constants, *self.old.node) for name in node.output if name}

    def write(self) -> list[str]:
        """Writes all nodes that the outputs need; returns the new names of the outputs."""
        outputs: list[str] = []
        for value in self.old.output:
            name = self.value(value.name)
            made = any(name in node.output for node in self.nodes)
            if not made or name in outputs:  # nothing here makes it, or it is an output already
                self.nodes.append(make_node("Identity", [name], [name := next(self.values)]))
            outputs.append(name)
        return outputs

    def value(self, name: str) -> str:
        """Returns the new name of a value, once the nodes that it needs are written."""
        pending = [name]  # a stack, since networks are deeper than Python's
        while pending:
            last = pending[-1]
            if last in self.names:
                pending.pop()
            elif last in self.makers:
                node = self.makers[last]
                missing = [needed for needed in node.input if needed not in self.names]
                pending.extend(reversed(missing))
                if not missing:
                    self.node(node)
            elif self.outer:
                self.names[last] = self.outer.value(last)
            else:
                raise ValueError(f"The model reads {last!r}, which nothing makes: export it again.")
        return self.names[name]

    def node(self, old: NodeProto) -> None:
        """Writes one node whose inputs are known."""
        inputs = [self.names[name] for name in old.input]
        if old.op_type == "Identity":
            self.names[old.output[0]] = inputs[0]
        elif old.op_type == "Constant" and old.attribute[0].name == "value":
            self.names[old.output[0]] = self.constant(old.attribute[0].t)
        else:
            new = NodeProto(op_type=old.op_type, domain=old.domain, input=inputs)
            for attribute in sorted(old.attribute, key=lambda attribute: attribute.name):
                new.attribute.append(self.attribute(attribute))
            self.names.update((name, next(self.values)) for name in old.output if name)
            new.output.extend(self.names[name] for name in old.output)
            self.nodes.append(new)

    def attribute(self, old: AttributeProto) -> AttributeProto:
        new = AttributeProto()
        new.CopyFrom(old)
        new.ClearField("doc_string")
        if old.type == AttributeProto.TENSOR:
            new.t.CopyFrom(from_array(to_array(old.t)))
        elif old.type == AttributeProto.GRAPH:
            names = {value.name: next(self.values) for value in old.g.input}
            graph = _Graph(old.g, dict(names), self, self.constants, self.values)
            outputs = list(map(_described, old.g.output, graph.write()))
            inputs = list(map(_described, old.g.input, names.values()))
            new.g.CopyFrom(make_graph(graph.nodes, "subgraph", inputs, outputs))
        return new

    def constant(self, old: TensorProto) -> str:
        new = from_array(to_array(old))  # without name and remarks, its values as raw bytes
        name = f"constant_{hashlib.sha256(new.SerializeToString(deterministic=True)).hexdigest()[:32]}"
        new.name = name
        self.constants[name] = new
        return name


def _matched(name: str, graph: GraphProto) -> ValueInfoProto:
    """Finds the input called `name`, whatever suffix the export gave it."""
    pattern = rf"{re.escape(name)}(_\d+)?(:\d+)?"
    found = [value for value in graph.input if re.fullmatch(pattern, value.name)]
    if not found:
        there = [value.name for value in graph.input]
        raise ValueError(f"No input of the model is called {name!r}: it has {there}.")
    return min(found, key=lambda value: len(value.name))


def _described(old: ValueInfoProto, name: str, *free: str) -> ValueInfoProto:
    """Describes a value by a new name; its first dimensions, where free, are called `free`."""
    new = ValueInfoProto(name=name, type=old.type)
    for position, size in enumerate(new.type.tensor_type.shape.dim):
        if not size.dim_value:
            size.Clear()
            if position < len(free):
                size.dim_param = free[position]
    return new
