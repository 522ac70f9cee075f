"""A graph of scalars, drawn as a circuit.

A tensor is a wire: its value above the line, its gradient below. An operation is a circle with its
symbol. Between tensor and operation the wire carries the local derivative, above the line, and
where the tensor feeds several operations, what this branch adds to its gradient, below. So what
runs forward stands above a line, what runs backward below it, and the chain rule reads along the
wire.

A wire is a table of two rows of equal height with a line between them. The line to the next node
goes on from its end, at the middle of the node's side; which is why an empty half still holds a
blank of full height.
"""

from __future__ import annotations

from collections.abc import Iterator

from autograd.reading import figures

from . import flow, labels, words
from .dot import FORMULA, GRAD, SAVED, VALUE, Look, Spacing, statement
from .model import Edge, GraphData, OpNode, TensorNode

SIZE = 14  # of values and gradients
SMALL = 11  # of local derivatives
SPACING = Spacing(nodesep=0.15, ranksep=0.25, fontsize=SIZE)


def lines(data: GraphData, look: Look) -> Iterator[str]:
    """Return the DOT of a circuit, line by line."""
    ops = {op.id: op for op in data.ops}
    for node in data.nodes:
        yield operation(node, look) if isinstance(node, OpNode) else wire(node, look)
    for edge in data.edges:
        if edge.source in ops:
            yield from outlet(edge, ops[edge.source], look)
        else:
            yield from branch(edge, look)


def operation(op: OpNode, look: Look) -> str:
    """Draw an operation: a circle around a symbol, a rounded box around a word."""
    palette = look.palette
    symbol = len(op.symbol) <= 2
    extra: dict[str, object] = (
        {"shape": "circle", "width": 0.5, "fixedsize": "true", "style": "filled"}
        if symbol
        else {"shape": "box", "height": 0.4, "margin": "0.12,0.04", "style": "rounded,filled"}
    )
    broken = op.is_broken and look.shows(GRAD)
    return statement(
        op.id,
        id=op.id,
        label=f"<{labels.span(op.symbol, palette.ink, 20 if symbol else SIZE)}>",
        fillcolor=palette.second_op if op.of_backward else palette.op,
        color=palette.trouble
        if broken
        else palette.second_line
        if op.of_backward
        else palette.op_line,
        peripheries=2 if op.of_backward else 1,
        penwidth=2.5 if broken else 1,
        ordering="in",
        **extra,
    )


def wire(tensor: TensorNode, look: Look) -> str:
    """Draw a tensor: name, value, line, gradient."""
    palette = look.palette
    mark = {"cut": "… "}.get(tensor.kind, "↻ " if tensor.copy_of else "")
    name = labels.span(
        mark + tensor.label + " …" * tensor.hidden_uses,
        palette.ink if tensor.named else palette.faint,
        SIZE,
        bold=tensor.named,
    )
    inside, left, right = name, "", ""
    if tensor.kind == "output":
        inside, right = "", labels.cell(labels.gap(SIZE) + name, rowspan=3, align="left")
    elif tensor.kind == "constant":
        inside = ""
    elif tensor.kind != "value":
        inside, left = "", labels.cell(name + labels.gap(SIZE), rowspan=3, align="right")
    value = _value(tensor, look)
    above = labels.gap(SIZE, 2).join(text for text in (inside, value) if text)
    return statement(
        tensor.id,
        id=tensor.id,
        label=_line(
            left, above, right, _gradient(tensor, look), _ink(tensor, look), SIZE, padding=3
        ),
    )


def _ink(carrier: TensorNode | Edge, look: Look) -> dict[str, object]:
    """Return the color and the height of a line: those of its gradient, in the view of these."""
    ink: dict[str, object] = {"height": 1, "bgcolor": look.palette.wire}
    if look.view == "flow":
        if isinstance(carrier, Edge):
            norm = carrier.flow
        else:
            norm = None if carrier.grad is None else carrier.grad.norm
        drawn = flow.ink(norm, look.palette)
        ink = {"height": max(1, round(float(str(drawn["penwidth"])))), "bgcolor": drawn["color"]}
    return ink


def _line(
    left: str,
    above: str,
    right: str,
    below: str,
    ink: dict[str, object],
    size: float,
    padding: int,
) -> str:
    """Return a table whose middle is a line with text above and below it.

    The line is made of flat cells. Graphviz lets an edge begin one point off the port it
    is to begin at, so the port ends one point before the line does.
    """
    blank = labels.gap(size)
    ink = {**ink, "cellpadding": 0}
    end, beside = labels.cell("", width=1, **ink), labels.cell("", width=1, cellpadding=0)
    table = labels.table(
        labels.row(
            left, beside, labels.cell(blank + above + blank, cellpadding=padding), beside, right
        ),
        labels.row(end, labels.cell("", port="line", **ink), end),
        labels.row(beside, labels.cell(blank + below + blank, cellpadding=padding), beside),
    )
    return f"<{table}>"


def _value(tensor: TensorNode, look: Look) -> str:
    if tensor.kind == "constant":  # it has no other name
        return labels.span(tensor.label, look.palette.value, SIZE)
    if not look.shows(VALUE) or tensor.value is None:
        return ""
    return labels.span(words.statistics(tensor.value, look.precision), look.palette.value, SIZE)


def _gradient(tensor: TensorNode, look: Look) -> str:
    if not look.shows(GRAD) or tensor.copy_of:
        return ""
    if tensor.grad is not None:
        text = words.statistics(tensor.grad, look.precision)
        summed = "Σ " if tensor.uses > 1 and not tensor.copy_of else ""
        return labels.span(summed + text, look.palette.grad, SIZE, italic=True)
    if look.graded and tensor.lacks_grad:
        return labels.span("no grad", look.palette.faint, SIZE, italic=True)
    return ""


def branch(edge: Edge, look: Look) -> Iterator[str]:
    """Draw the line from a wire into an operation: the local derivative, the share of a sum."""
    above = below = ""
    if look.shows(FORMULA) and edge.local is not None:
        derivative = words.derivative(edge, look.precision)
        above = labels.span(derivative, look.palette.local, SMALL)
        if edge.share is not None:
            share = figures.signed(edge.share, look.precision)
            below = labels.span(share, look.palette.grad, SMALL, italic=True)
    yield from _connection(edge, look, above, below, into_operation=True)


def outlet(edge: Edge, op: OpNode, look: Look) -> Iterator[str]:
    """Draw the line from an operation to the wire of its output: what is kept for the way back."""
    below = ""
    if look.shows(SAVED) and op.saved:
        kept = ", ".join(saved.name for saved in op.saved)
        below = labels.span(f"keeps {kept}", look.palette.local, SMALL)
    yield from _connection(edge, look, "", below, into_operation=False)


def _connection(
    edge: Edge, look: Look, above: str, below: str, *, into_operation: bool
) -> Iterator[str]:
    """Draw a line with words above and below it.

    The words are a small wire of their own, so that they sit on their line however this bends; the
    finishing pass over the SVG joins the three parts to one edge. A line that runs down cannot
    carry words above and below itself; there they stand beside it.
    """
    extra: dict[str, object] = flow.ink(edge.flow, look.palette) if look.view == "flow" else {}
    out, into = ("line:e", "line:w") if look.direction == "LR" else ("s", "n")
    start: dict[str, object] = {"tailclip": "false", "weight": 2} | extra
    end: dict[str, object] = {"weight": 2} | extra
    tail, head = f"{edge.source}:{out}", edge.target
    if not into_operation:
        start = {"weight": 100} | extra
        end = {"headclip": "false", "arrowhead": "none", "weight": 100} | extra
        tail, head = edge.source, f"{edge.target}:{into}"
    if look.direction == "TB" or not (above or below):
        lines = "<BR/>".join(labels.gap(SMALL, 2) + text for text in (above, below) if text)
        label = {"label": f"<{lines}>"} if lines else {}
        yield statement(f"{tail} -> {head}", id=edge.id, **label, **start | end)
        return
    middle = f"{edge.id}m"
    yield statement(
        middle, id=middle, label=_line("", above, "", below, _ink(edge, look), SMALL, padding=1)
    )
    start |= {"headclip": "false", "arrowhead": "none"}
    end |= {"tailclip": "false"}
    yield statement(f"{tail} -> {middle}:line:w", id=f"{edge.id}a", **start)
    yield statement(f"{middle}:line:e -> {head}", id=f"{edge.id}b", **end)
