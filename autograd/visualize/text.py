"""The picture as an indented tree, from the output down to the leaves.

    f = q × z = -12.00  ∇ 1.00
    ├─ q = x + y = 3.00  ∇ -4.00  ∂f/∂q = z = -4
    │  ├─ x = -2.00  ∇ -4.00  ∂q/∂x = 1
    │  └─ y = 5.00  ∇ -4.00  ∂q/∂y = 1
    └─ z = -4.00  ∇ 3.00  ∂f/∂z = q = 3

What is used in several places is told in full at the first; at the others `↑` points up to it.
"""

from __future__ import annotations

from collections import defaultdict

from autograd.reading import figures

from . import labels, words
from .dot import FORMULA, GRAD, SHAPE, VALUE, Look
from .model import Edge, GraphData, OpNode, TensorNode

_WIDEST_INDENT = 120  # a chain of thousands goes straight down from here


def tree(data: GraphData, look: Look) -> str:
    """Return the tree, a line for each use of a tensor."""
    nodes = {node.id: node for node in data.nodes}
    producer: dict[str, OpNode] = {}
    operands: dict[str, list[Edge]] = defaultdict(list)
    for edge in data.edges:
        source = nodes[edge.source]
        if isinstance(source, OpNode):
            producer[edge.target] = source
        else:
            operands[edge.target].append(edge)

    lines = [line for line in (f"{data.title}  {data.facts}".strip(), data.note) if line]
    told: set[str] = set()
    used = {edge.source for edge in data.edges}
    roots = [tensor.id for tensor in data.tensors if tensor.id not in used]
    todo: list[tuple[str, Edge | None, str, str]] = [(root, None, "", "") for root in roots[::-1]]
    while todo:
        drawn, use, mark, indent = todo.pop()
        tensor = _original(nodes[drawn], nodes)
        first = tensor.id not in told
        told.add(tensor.id)
        op = producer.get(tensor.id)
        lines.append(indent + mark + _line(tensor, op, use, look, first))
        if op is None or not first:
            continue
        if len(indent) < _WIDEST_INDENT:
            indent += {"": "", "├─ ": "│  ", "└─ ": "   "}[mark]
        last = operands[op.id][-1:]
        todo += [(edge.source, edge, "└─ ", indent) for edge in last]
        todo += [(edge.source, edge, "├─ ", indent) for edge in operands[op.id][-2::-1]]
    return "\n".join(lines) + "\n"


def _original(node: TensorNode | OpNode, nodes: dict[str, TensorNode | OpNode]) -> TensorNode:
    """Return the tensor itself, where `node` is one of its copies."""
    assert isinstance(node, TensorNode)
    return _original(nodes[node.copy_of], nodes) if node.copy_of else node


def _line(tensor: TensorNode, op: OpNode | None, edge: Edge | None, look: Look, first: bool) -> str:
    """Tell a tensor, and what it does to the operation above it."""
    parts = [labels.clean(tensor.label)]
    if first:
        if op is not None:
            parts = [labels.clean(op.expression, 120)]
        if look.shows(SHAPE) and tensor.shape:
            parts.append(figures.shape(tensor.shape, tensor.dtype))
        if look.shows(VALUE) and tensor.value is not None:
            value = words.statistics(tensor.value, look.precision)
            if tensor.value.items is not None:
                parts[0] += f" = {value}" if tensor.kind != "constant" else ""
            else:
                parts.append(value)
        if look.shows(GRAD) and tensor.grad is not None:
            parts.append(words.gradient(tensor.grad, look.precision))
        if look.shows(GRAD) and op is not None and op.trouble:
            parts.append(f"⚠ {op.trouble}")
        if tensor.kind == "cut":
            parts.append("…")
    else:
        parts[0] = f"↑ {parts[0]}"
    if look.shows(FORMULA) and edge is not None and edge.local is not None:
        parts.append(words.derivative(edge, look.precision))
        if edge.share is not None:
            parts.append(figures.signed(edge.share, look.precision))
    return "  ".join(parts)
