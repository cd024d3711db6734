"""The canonical form of an ONNX model, in which equal computations are equal bytes.

An exported network differs between processes: names, the order of nodes, and which of two equal values is an `Identity`
of the other. The canonical form keeps only what is computed.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import onnx
from onnx import AttributeProto, GraphProto, NodeProto, TensorProto, ValueInfoProto
from onnx.helper import make_graph, make_model, make_node
from onnx.numpy_helper import from_array, to_array

OUTPUT = "probabilities"


def canonical(
    model: onnx.ModelProto, inputs: list[str], constants: Mapping[str, np.ndarray] = MappingProxyType({})
) -> onnx.ModelProto:
    """Return the canonical model that computes what `model` does.

    `inputs` names its inputs, in the order of the new model (`ids` also matches `ids:0` and `ids_1`); its single output
    becomes `probabilities`. Its other inputs become `constants`, by their exact names. Free dimensions are called
    `batch` and `length`; with several inputs each has its own, `<input>_length`.

    Raises ValueError if the model has other inputs or more than one output.
    """
    old = model.graph
    matches = {name: _match_input(name, old) for name in inputs}
    if len(old.input) != len(inputs) + len(constants) or len(old.output) != 1:
        raise ValueError(
            f"Expected inputs {[*inputs, *constants]} and one output, got {len(old.input)} inputs and "
            f"{len(old.output)} outputs: name every input, merge outputs before the export."
        )
    graph = _Graph(old, {matches[name].name: name for name in inputs})
    graph.names |= {name: graph.constant(value) for name, value in constants.items()}
    (result,) = graph.write()
    last = graph.nodes[-1].output  # the last node produces the output, and no other node reads it
    last[list(last).index(result)] = OUTPUT

    length = "length" if len(inputs) == 1 else "{}_length"
    new = make_graph(
        graph.nodes,
        "network",
        [_rename(matches[name], name, "batch", length.format(name)) for name in inputs],
        [_rename(old.output[0], OUTPUT, "batch")],
    )
    opsets = sorted(model.opset_import, key=lambda opset: opset.domain)
    form = make_model(new, opset_imports=opsets, ir_version=model.ir_version, producer_name="gazette")
    form.graph.initializer.extend(graph.constants[name] for name in sorted(graph.constants))  # copied only once
    return form


@dataclass
class _Graph:
    """A graph or subgraph that is being rewritten.

    Nodes are written when their value is needed, depth first from the outputs, so that order and names depend only on
    what is computed. Subgraphs look up missing values in the outer graph.
    """

    old: GraphProto
    names: dict[str, str]  # old name of each known value: new name
    outer: _Graph | None = None
    constants: dict[str, TensorProto] = field(default_factory=dict)  # of the whole model
    values: Iterator[str] = field(default_factory=lambda: map("value_{}".format, itertools.count()))  # new names
    nodes: list[NodeProto] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.names[""] = ""  # an omitted optional input
        constants = [make_node("Constant", [], [t.name], value=t) for t in self.old.initializer]
        self.producers = {name: node for node in (*constants, *self.old.node) for name in node.output if name}

    def write(self) -> list[str]:
        """Write all nodes that the outputs need; return the new names of the outputs."""
        outputs: list[str] = []
        for value in self.old.output:
            name = self.value(value.name)
            is_produced = any(name in node.output for node in self.nodes)
            if not is_produced or name in outputs:  # from an outer graph, or an output already
                self.nodes.append(make_node("Identity", [name], [name := next(self.values)]))
            outputs.append(name)
        return outputs

    def value(self, name: str) -> str:
        """Return the new name of a value after writing the nodes that it needs."""
        pending = [name]  # a stack, since networks are deeper than Python's recursion limit
        while pending:
            last = pending[-1]
            if last in self.names:
                pending.pop()
            elif last in self.producers:
                node = self.producers[last]
                missing = [needed for needed in node.input if needed not in self.names]
                pending.extend(reversed(missing))
                if not missing:
                    self.node(node)
            elif self.outer:
                self.names[last] = self.outer.value(last)
            else:
                raise ValueError(f"The model reads {last!r}, which no node produces: export it again.")
        return self.names[name]

    def node(self, old: NodeProto) -> None:
        """Write one node whose inputs are known."""
        inputs = [self.names[name] for name in old.input]
        if old.op_type == "Identity":
            self.names[old.output[0]] = inputs[0]
        elif old.op_type == "Constant" and old.attribute[0].name == "value":
            self.names[old.output[0]] = self.constant(to_array(old.attribute[0].t))
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
            outputs = list(map(_rename, old.g.output, graph.write()))
            inputs = list(map(_rename, old.g.input, names.values()))
            new.g.CopyFrom(make_graph(graph.nodes, "subgraph", inputs, outputs))
        return new

    def constant(self, value: np.ndarray) -> str:
        new = from_array(value)  # without name and doc string, its values as raw bytes
        name = f"constant_{hashlib.sha256(new.SerializeToString(deterministic=True)).hexdigest()[:32]}"
        new.name = name
        self.constants[name] = new
        return name


def _match_input(name: str, graph: GraphProto) -> ValueInfoProto:
    """Return the input called `name`, with or without a suffix from the export."""
    pattern = rf"{re.escape(name)}(_\d+)?(:\d+)?"
    matches = [value for value in graph.input if re.fullmatch(pattern, value.name)]
    if not matches:
        names = [value.name for value in graph.input]
        raise ValueError(f"No input of the model is called {name!r}: it has {names}.")
    return min(matches, key=lambda value: len(value.name))


def _rename(old: ValueInfoProto, name: str, *free: str) -> ValueInfoProto:
    """Return a value description with a new name; its leading dimensions, if free, are called `free`."""
    new = ValueInfoProto(name=name, type=old.type)
    for position, size in enumerate(new.type.tensor_type.shape.dim):
        if not size.dim_value:
            size.Clear()
            if position < len(free):
                size.dim_param = free[position]
    return new
