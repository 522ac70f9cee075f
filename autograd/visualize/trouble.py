"""Where it first went wrong: the one operation from which infinities, nans or zeros spread."""

from __future__ import annotations

from collections import defaultdict

from .model import GraphData, OpNode, TensorNode


def mark(data: GraphData) -> None:
    """Mark the first operation that makes inf or nan of finite operands, and every dead ReLU."""
    nodes = {node.id: node for node in data.nodes}
    operands: dict[str, list[TensorNode]] = defaultdict(list)
    first = True
    for edge in data.edges:  # in the order in which the operations ran
        source, target = nodes[edge.source], nodes[edge.target]
        if isinstance(source, TensorNode):
            operands[edge.target].append(source)
        if not isinstance(source, OpNode) or not isinstance(target, TensorNode):
            continue
        value = target.value
        if value is None:
            continue
        if value.trouble and first:
            first = False
            before = [operand.value for operand in operands[source.id]]
            if None in before:
                source.trouble = f"here or just before, {value.trouble}"
            elif not any(known.trouble for known in before if known is not None):
                source.trouble = f"first {value.trouble}"
        elif source.op == "relu" and value.items is None and value.zeros == 1:
            source.trouble = "dead: every output is 0"
