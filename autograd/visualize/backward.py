"""The way back alone, as those know it who have met PyTorch's graphs.

Each box is a node of the recorded graph, `MulBackward`, which takes the gradient of what the
operation gave and makes of it the gradients of what it took; along each arrow runs a gradient. At
the end of every way stands an `AccumulateGrad`, which adds what arrives to the `.grad` of a leaf.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from autograd.reading import figures

from . import flow, labels
from .cards import BODY, NAME, OF_BACKWARD, SMALL, caption_row, card_row, module_frames, rounded
from .dot import FORMULA, GRAD, SAVED, SHAPE, Look, Spacing, statement
from .model import Edge, GraphData, GroupNode, OpNode, TensorNode

SPACING = Spacing(nodesep=0.3, ranksep=0.4, fontsize=BODY)


def lines(data: GraphData, look: Look) -> Iterator[str]:
    """Return the DOT of the way back, line by line."""
    nodes = {node.id: node for node in data.nodes}
    makers = {edge.target: edge.source for edge in data.edges if _is_outlet(edge, nodes)}
    uses = Counter(edge.source for edge in data.edges if not _is_outlet(edge, nodes))
    for end in data.tensors:
        if end.id in makers and not uses[end.id]:
            yield _root(end, look)
        elif end.id not in makers and end.requires_grad:
            yield _end(end, look)

    def card(op: OpNode) -> Iterator[str]:
        yield _node(op, look)

    yield from module_frames(data, look, card)
    for edge in data.edges:
        tensor = nodes[edge.target if _is_outlet(edge, nodes) else edge.source]
        if not isinstance(tensor, TensorNode) or not tensor.requires_grad:
            continue
        if not _is_outlet(edge, nodes):
            target = makers.get(tensor.id, tensor.id)
            yield _arrow(edge.target, target, edge, tensor, look, uses[tensor.id] > 1)
        elif not uses[tensor.id]:
            yield _arrow(tensor.id, edge.source, edge, tensor, look, False)


def _is_outlet(edge: Edge, nodes: dict[str, TensorNode | OpNode]) -> bool:
    """Whether it runs from an operation to what that gives."""
    return isinstance(nodes[edge.source], OpNode)


def _arrow(
    source: str, target: str, edge: Edge, tensor: TensorNode, look: Look, is_share: bool
) -> str:
    """Draw a gradient on its way, with its number, or its norm if it is an array."""
    words = ""
    if look.shows(GRAD):
        if edge.share is not None:
            words = figures.signed(edge.share, look.precision)
        elif is_share and edge.flow is not None:
            words = f"‖∇‖ {figures.number(edge.flow, look.precision)}"
        elif tensor.grad is not None:
            words = gradient_words(tensor, look)
    attributes: dict[str, object] = {"id": edge.id, "weight": 8 if edge.target != target else 1}
    if words:
        text = labels.span(words, look.palette.grad, SMALL, italic=True)
        attributes["label"] = f"<{labels.gap(SMALL)}{text}{labels.gap(SMALL, 2)}>"
    if look.view == "flow":
        attributes |= flow.ink(edge.flow, look.palette)
    return statement(f"{source} -> {target}", **attributes)


def gradient_words(tensor: TensorNode, look: Look) -> str:
    """Write a gradient: a number as it is, an array as its norm."""
    assert tensor.grad is not None
    if tensor.grad.items is not None and not isinstance(tensor.grad.items, list):
        return f"∇ {figures.number(tensor.grad.items, look.precision)}"
    return f"‖∇‖ {figures.number(tensor.grad.norm, look.precision)}"


def _root(tensor: TensorNode, look: Look) -> str:
    """Draw the tensor that the way back begins at."""
    palette = look.palette
    row = card_row(_title(tensor, tensor.label, look))
    return rounded(tensor.id, [row], palette.op_line, palette.op, dashed=False)


def _end(tensor: TensorNode, look: Look) -> str:
    """Draw the AccumulateGrad of a leaf, or the place where the picture ends."""
    palette = look.palette
    dashed = bool(tensor.copy_of) or tensor.kind == "cut"
    if tensor.kind == "cut":
        rows = [card_row(_title(tensor, f"… {tensor.label}", look))]
        return rounded(tensor.id, rows, palette.input_line, palette.input, dashed)
    mark = "↻ " if tensor.copy_of else ""
    head = labels.span(f"{mark}AccumulateGrad", palette.ink, NAME, bold=True)
    rows = [card_row(head), card_row(_title(tensor, f"{tensor.label}.grad", look))]
    if tensor.uses > 1 and tensor.grad is not None and look.shows(GRAD) and not tensor.copy_of:
        total = f"Σ {gradient_words(tensor, look)}"
        rows.append(card_row(labels.span(total, palette.grad, BODY, italic=True)))
    return rounded(tensor.id, rows, palette.parameter_line, palette.parameter, dashed)


def _title(tensor: TensorNode, name: str, look: Look) -> str:
    palette = look.palette
    title = labels.span(name, palette.ink, BODY, bold=tensor.named)
    if look.shows(SHAPE):
        about = figures.shape(tensor.shape, tensor.dtype)
        title += labels.gap(BODY) + labels.span(about, palette.faint, SMALL)
    return title


def _node(op: OpNode, look: Look) -> str:
    palette = look.palette
    ground = palette.second if op.of_backward else palette.head
    name = labels.span(op.node, palette.head_ink, NAME, bold=True)
    order = labels.span(OF_BACKWARD, palette.head_faint, SMALL) if op.of_backward else ""
    head = labels.gap(NAME) + name + labels.gap(NAME) + order + labels.gap(NAME)
    rows = [
        labels.row(
            labels.cell(head, align="left", colspan=2, bgcolor=ground, border=1, color=ground)
        )
    ]
    if isinstance(op, GroupNode):
        about = f"{op.about}  {op.ops:,} ops".strip()
        rows.append(card_row(labels.span(about, palette.faint, SMALL)))
    else:
        rows.append(card_row(labels.span(op.expression, palette.faint, SMALL)))
    if op.caption:
        rows.append(caption_row(op, look))
    if look.shows(FORMULA):
        rows += [card_row(labels.span(rule, palette.local, SMALL, limit=80)) for rule in op.rules]
    if look.shows(SAVED) and op.saved:
        names = ", ".join(saved.name for saved in op.saved)
        total = figures.size(sum(saved.nbytes for saved in op.saved))
        rows.append(card_row(labels.span(f"kept {names} · {total}", palette.local, SMALL)))
    card = labels.table(*rows, border=1, color=ground, bgcolor=palette.card)
    return statement(op.id, id=op.id, label=f"<{card}>")
