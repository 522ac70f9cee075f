"""A picture in words: for screen readers, for tooltips, and for those who have only a terminal."""

from __future__ import annotations

from autograd.reading import figures

from . import labels
from .model import Edge, GraphData, GroupNode, OpNode, Summary, TensorNode

_FEW = 12  # operations that a description tells one by one


def title(data: GraphData) -> str:
    """Name the picture."""
    if data.title:
        return labels.clean(data.title, 120)
    outputs = [tensor.name for tensor in data.tensors if tensor.kind == "output"]
    return labels.clean(f"The graph of {', '.join(outputs) or 'a tensor'}", 120)


def description(data: GraphData) -> str:
    """Tell in a sentence each how the picture runs forward and backward."""
    steps = [op.expression or op.name for op in data.ops]
    forward = _few(steps) or "nothing is computed"
    given = [
        f"{tensor.name} has {_gradient(tensor)}"
        for tensor in reversed(data.tensors)
        if tensor.grad is not None and not tensor.copy_of
    ]
    backward = _few(given) or "no gradients yet"
    note = f" {data.note}." if data.note else ""
    return labels.clean(f"Forward: {forward}. Backward: {backward}.{note}", 4000)


def _few(parts: list[str]) -> str:
    more = [f"and {len(parts) - _FEW:,} more"] if len(parts) > _FEW else []
    return "; ".join(parts[:_FEW] + more)


def about_node(node: TensorNode | OpNode) -> str:
    """Say what a node is: `q = x + y: value 3.00, gradient -4.00`."""
    if isinstance(node, GroupNode):
        size = f"{node.ops:,} operations, {node.parameters:,} parameters"
        parts = [f"{node.name}: {node.expression}", node.about, size, node.trouble]
        return labels.clean(", ".join(filter(None, parts)), 200)
    if isinstance(node, OpNode):
        parts = [f"{node.name}: {node.expression}" if node.expression else node.name]
        parts += [node.trouble, node.source]
        return labels.clean(", ".join(filter(None, parts)), 200)
    about = figures.shape(node.shape, node.dtype) if node.shape or node.dtype != "float32" else ""
    parts = [about, _value(node), _gradient(node)]
    again = " (drawn again)" if node.copy_of else ""
    told = ", ".join(filter(None, parts))
    return labels.clean(f"{node.name}{again}: {told}" if told else node.name + again, 200)


def _value(tensor: TensorNode) -> str:
    return "" if tensor.value is None else f"value {statistics(tensor.value)}"


def _gradient(tensor: TensorNode) -> str:
    if tensor.grad is None:
        return ""
    if tensor.grad.shape:
        return f"gradient norm {figures.number(tensor.grad.norm)}"
    return f"gradient {figures.array(tensor.grad.items)}"


def about_edge(edge: Edge, nodes: dict[str, TensorNode | OpNode]) -> str:
    """Say what runs along an edge: `q into mul: ∂f/∂q = z = -4`."""
    source, target = nodes[edge.source].name, nodes[edge.target].name
    told = [] if edge.local is None else [derivative(edge)]
    if edge.share is not None:
        told.append(f"adds {figures.signed(edge.share)} to the gradient")
    if edge.flow is not None and edge.local is None and isinstance(nodes[edge.target], OpNode):
        told.append(f"a gradient of norm {figures.number(edge.flow)} comes back")
    joint = "into" if isinstance(nodes[edge.target], OpNode) else "gives"
    words = f"{source} {joint} {target}"
    return labels.clean(f"{words}: {', '.join(told)}" if told else words, 200)


# -- numbers and formulas -------------------------------------------------------------------------


def statistics(summary: Summary, precision: int = 2) -> str:
    """Write a few elements in full, many as mean and standard deviation."""
    if summary.items is not None:
        return figures.array(summary.items, precision)
    mean, deviation = (figures.number(x, precision) for x in (summary.mean, summary.std))
    return f"μ {mean}  σ {deviation}" + share_of_zeros(summary)


def gradient(summary: Summary, precision: int = 2) -> str:
    """Write a gradient: a scalar as it is, an array as its norm."""
    if not summary.shape:
        return f"∇ {figures.array(summary.items, precision)}"
    return f"‖∇‖ {figures.number(summary.norm, precision)}" + share_of_zeros(summary)


def share_of_zeros(summary: Summary) -> str:
    """Write how many elements are exactly 0, where that is worth a word."""
    return f"  ·  {summary.zeros:.0%} zero" if summary.zeros >= 0.01 else ""


def derivative(edge: Edge, precision: int = 2) -> str:
    """Write the local derivative on a wire: `∂f/∂q = z = -4`."""
    value = figures.short(edge.local, precision)
    return " = ".join(dict.fromkeys(part for part in (edge.partial, edge.formula, value) if part))
