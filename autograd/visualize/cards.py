"""A graph of tensors, drawn as cards.

An operation and the tensor it gives are one card: the operation's name and the shape it puts out in
the head, then what its numbers are like, what their gradient is like, what backward keeps. Its
parameters stand beside it in one card, so that the computation itself runs down in a straight
spine. Operations of one call of a module share a frame.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator

from autograd.reading import figures

from . import flow, labels, words
from .dot import FORMULA, GRAD, SAVED, SHAPE, VALUE, Look, Spacing, statement
from .model import Edge, GraphData, GroupNode, Module, OpNode, TensorNode

NAME, BODY, SMALL = 12, 11, 10  # font sizes
OF_BACKWARD = "of backward"  # for those who do not see it by the color
MANY = 12  # parameters that one card tells of one by one
SPACING = Spacing(nodesep=0.3, ranksep=0.3, fontsize=BODY)


class Plan:
    """Which tensors are shown on the card of which operation."""

    def __init__(self, data: GraphData) -> None:
        # By id of an operation: what it gives, its own parameters, data that joins the spine there,
        # and numbers.
        self.outputs: dict[str, list[TensorNode]] = defaultdict(list)
        self.beside: dict[str, list[TensorNode]] = defaultdict(list)
        self.near: dict[str, list[TensorNode]] = defaultdict(list)
        self.inside: dict[str, list[tuple[str, TensorNode]]] = defaultdict(list)
        self.host: dict[str, str] = {}  # id of a tensor -> id of the card that shows it
        self.edges: list[Edge] = []  # those that are drawn
        self.flow: dict[tuple[str, str], list[float | None]] = defaultdict(list)  # along each
        nodes = {node.id: node for node in data.nodes}
        self.fan_out = Counter(edge.source for edge in data.edges)
        for edge in data.edges:  # from an operation to what it gives
            source, target = nodes[edge.source], nodes[edge.target]
            if isinstance(target, TensorNode):
                self.outputs[source.id].append(target)
                self.host[target.id] = source.id
        # Operations that go on from others, on the spine:
        self.continued = {edge.target for edge in data.edges if edge.source in self.host}
        for edge in data.edges:  # from an operand to an operation
            source, target = nodes[edge.source], nodes[edge.target]
            if isinstance(source, TensorNode) and isinstance(target, OpNode):
                self._seat(source, target, edge)
        self._gather()

    def _gather(self) -> None:
        """Put the data of an operation that has parameters, as running means, on their card."""
        for op, parameters in self.beside.items():
            data = {tensor.id for tensor in self.near[op]}
            parameters += self.near.pop(op)
            self.host |= dict.fromkeys(data, f"{op}p")
            self.edges = [edge for edge in self.edges if edge.source not in data]

    def _seat(self, tensor: TensorNode, op: OpNode, edge: Edge) -> None:
        """Give an operand its place: inside the card, beside it, or at the end of an edge."""
        if tensor.kind == "constant":
            self.inside[op.id].append((edge.operand, tensor))
            self.host[tensor.id] = op.id
            return
        if tensor.kind == "parameter" and self.fan_out[tensor.id] == 1:
            self.beside[op.id].append(tensor)
            self.host[tensor.id] = f"{op.id}p"
            self.flow[f"{op.id}p", op.id].append(edge.flow)
            if len(self.beside[op.id]) > 1:
                return  # one line for all parameters of an operation
        elif self._is_data(tensor) and op.id in self.continued:
            self.near[op.id].append(tensor)
            self.host[tensor.id] = tensor.id
        self.edges.append(edge)

    def _is_data(self, tensor: TensorNode) -> bool:
        """Whether a leaf is given rather than learned, and to one operation only."""
        given = tensor.kind == "input" and not tensor.requires_grad
        return given and self.fan_out[tensor.id] == 1


def lines(data: GraphData, look: Look) -> Iterator[str]:
    """Return the DOT of cards, line by line."""
    plan = Plan(data)
    for tensor in data.tensors:
        if tensor.id not in plan.host:
            yield leaf_card(tensor, look)

    def card(op: OpNode) -> Iterator[str]:
        if isinstance(op, GroupNode):
            yield group_card(op, plan, look)
        else:
            yield operation_card(op, plan, look)
        if parameters := plan.beside[op.id]:
            yield parameter_card(op, parameters, look)
            yield f"\t{{rank=same; {op.id}p; {op.id}}}\n"
        for leaf in plan.near[op.id]:
            yield leaf_card(leaf, look)
            yield f"\t{{rank=same; {leaf.id}; {op.id}}}\n"

    yield from module_frames(data, look, card)
    leaves = {tensor.id for tensor in data.tensors if tensor.kind not in ("value", "output")}
    for edge in plan.edges:
        weight = 1 if edge.source in leaves else 100  # the spine is to be straight
        yield arrow(edge, weight, plan, look)


def arrow(edge: Edge, weight: int, plan: Plan, look: Look) -> str:
    """Draw the line from a card to the next; in the view of gradients, in their color."""
    source = plan.host.get(edge.source, edge.source)
    extra: dict[str, object] = {}
    if look.view == "flow":
        norms = plan.flow.get((source, edge.target), [edge.flow])
        known = [norm for norm in norms if norm is not None]
        extra = flow.ink(math.hypot(*known) if known else None, look.palette)
        share = flow.label(edge, look.precision, look.palette)
        if plan.fan_out[edge.source] > 1 and share:
            extra["label"] = f"<{labels.gap(SMALL)}{share}{labels.gap(SMALL)}>"
    return statement(f"{source} -> {edge.target}", id=edge.id, weight=weight, **extra)


def module_frames(
    data: GraphData, look: Look, card: Callable[[OpNode], Iterator[str]]
) -> Iterator[str]:
    """Draw the operations of each module by `card`, and a frame around each call of it."""
    inner: dict[str, list[Module]] = defaultdict(list)  # modules in modules
    for module in data.modules:
        inner[module.path.rpartition(".")[0]].append(module)
    unframed = {op.module for op in data.ops if op.caption}
    sources = _sources(data)
    numbers = itertools.count()

    def inside(path: str, ops: list[OpNode]) -> Iterator[str]:
        for op in ops:
            if op.module == path:
                yield from card(op)
        for module in inner[path]:
            its = [op for op in ops if f"{op.module}.".startswith(f"{module.path}.")]
            if module.path in unframed:
                yield from inside(module.path, its)
                continue
            name = labels.span(module.label, look.palette.ink, BODY, bold=True)
            about = labels.span(module.description, look.palette.faint, SMALL, limit=80)
            for call in _calls(its, sources):
                yield f"\tsubgraph cluster_{next(numbers)} {{\n"
                yield statement(
                    "graph",
                    label=f"<{name}{labels.gap(BODY)}{about}{labels.gap(BODY, 2)}>",
                    labeljust="l",
                    style="rounded",
                    color=look.palette.frame,
                    margin=8,
                )
                yield from inside(module.path, call)
                yield "\t}\n"

    yield from inside("", data.ops)


def _sources(data: GraphData) -> dict[str, list[str]]:
    """Return, for each operation, those that it takes from."""
    makers: dict[str, str] = {}
    sources: dict[str, list[str]] = defaultdict(list)
    ops = {op.id for op in data.ops}
    for edge in data.edges:
        if edge.source in ops:
            makers[edge.target] = edge.source
    for edge in data.edges:
        if edge.source in makers:
            sources[edge.target].append(makers[edge.source])
    return sources


def _calls(ops: list[OpNode], sources: dict[str, list[str]]) -> Iterable[list[OpNode]]:
    """Return the operations of a module call by call: what takes from each other is one call."""
    order = {op.id: number for number, op in enumerate(ops)}
    number_of: dict[str, int] = {}  # of the call that an operation is in
    calls: dict[int, list[OpNode]] = {}
    for op in ops:
        joined = {number_of[before] for before in sources[op.id] if before in number_of}
        number = min(joined, default=order[op.id])
        call = calls.setdefault(number, [])
        more = [op, *(member for other in joined - {number} for member in calls.pop(other))]
        call += more
        number_of |= {member.id: number for member in more}
    return [sorted(call, key=lambda op: order[op.id]) for call in calls.values()]


def group_card(group: GroupNode, plan: Plan, look: Look) -> str:
    """Draw many operations as one card: what they are, what comes out, how much is in it."""
    palette = look.palette
    troubled = bool(group.trouble) and look.shows(GRAD)
    title = labels.span(f"▸ {group.op}", palette.ink, NAME, bold=True)
    title += labels.gap(NAME) + labels.span(group.about, palette.faint, SMALL, limit=80)
    rows = [card_row(title)]
    size = [f"{group.ops:,} op{'s' * (group.ops != 1)}"]
    if group.parameters:
        size.append(f"{group.parameters:,} params")
    facts = labels.span(" · ".join(size), palette.faint, SMALL)
    if look.shows(SHAPE):
        shapes = [figures.shape(o.shape, o.dtype) for o in plan.outputs[group.id]]
        shown = labels.span("→ " + ", ".join(shapes), palette.ink, BODY, limit=120)
        facts = shown + labels.gap(BODY, 3) + facts
    rows.append(card_row(facts))
    for output in plan.outputs[group.id]:
        rows += _numbers(output, look, output.label if output.named else "")
    if group.weights_grad is not None and look.shows(GRAD):
        norm = f"‖∇W‖ {figures.number(group.weights_grad, look.precision)}"
        rows.append(card_row(labels.span(norm, palette.grad, BODY, italic=True)))
    if look.shows(SAVED) and group.saved:
        total = figures.size(sum(saved.nbytes for saved in group.saved))
        rows.append(card_row(labels.span(f"keeps {total}", palette.local, SMALL)))
    if troubled:
        rows.append(_warning(group, look))
    line = palette.second_line if group.of_backward else palette.module_line
    if troubled and group.is_broken:
        line = palette.trouble
    return rounded(group.id, rows, line, palette.module, dashed=False)


def operation_card(op: OpNode, plan: Plan, look: Look) -> str:
    """Draw an operation and what it gives."""
    palette = look.palette
    troubled = bool(op.trouble) and look.shows(GRAD)
    broken = troubled and op.is_broken
    line = palette.second_line if op.of_backward else palette.op_line
    ground = palette.second if op.of_backward else palette.head
    rows = [_head(op, plan, look, palette.trouble if broken else ground)]
    if op.caption:
        rows.append(caption_row(op, look))
    for output in plan.outputs[op.id]:
        rows += _numbers(output, look, output.label if output.named else "")
    if look.shows(FORMULA):
        rows += [card_row(labels.span(rule, palette.local, SMALL, limit=80)) for rule in op.rules]
    if look.shows(SAVED) and op.saved:
        names = ", ".join(saved.name for saved in op.saved)
        total = figures.size(sum(saved.nbytes for saved in op.saved))
        rows.append(card_row(labels.span(f"keeps {names} · {total}", palette.local, SMALL)))
    if troubled:
        rows.append(_warning(op, look))
    card = labels.table(
        *rows,
        border=2 if broken else 1,
        color=palette.trouble if broken else line,
        bgcolor=palette.trouble_card if broken else palette.card,
    )
    return statement(op.id, id=op.id, label=f"<{card}>")


def caption_row(op: OpNode, look: Look) -> str:
    """Return the line that tells what the module of an operation is."""
    name = labels.span(op.caption, look.palette.ink, SMALL, bold=True)
    about = labels.span(op.about, look.palette.faint, SMALL, limit=80)
    return card_row(name + labels.gap(SMALL) + about)


def _warning(op: OpNode, look: Look) -> str:
    words = labels.span(f"⚠ {op.trouble}", look.palette.trouble_ink, BODY, bold=True)
    return card_row(words, bgcolor=look.palette.trouble_row)


def _head(op: OpNode, plan: Plan, look: Look, ground: str) -> str:
    palette = look.palette
    left = labels.span(op.op, palette.head_ink, NAME, bold=True)
    right = ""
    if look.shows(SHAPE):
        limit = look.setting_chars
        settings = [f"{name}={labels.clean(value, limit)}" for name, value in op.settings if limit]
        for operand, constant in plan.inside[op.id]:
            settings.append(f"{operand}={constant.label}")
        if op.of_backward:
            settings.insert(0, OF_BACKWARD)
        about = labels.span(", ".join(settings), palette.head_faint, SMALL, limit=200)
        left += labels.gap(NAME) * bool(about) + about
        shapes = [figures.shape(output.shape, output.dtype) for output in plan.outputs[op.id]]
        right = labels.span(", ".join(shapes), palette.head_ink, SMALL)
    inner = labels.table(
        labels.row(
            labels.cell(labels.gap(NAME) + left + labels.gap(NAME, 3), align="left"),
            labels.cell(right + labels.gap(SMALL), align="right"),
        ),
        cellpadding=0,
    )
    # A border of its own, for Graphviz leaves a hair's breadth between a fill and the card's line.
    return labels.row(labels.cell(inner, colspan=2, bgcolor=ground, border=1, color=ground))


def leaf_card(tensor: TensorNode, look: Look) -> str:
    """Draw a tensor that no operation in the picture gave."""
    palette = look.palette
    rows = [card_row(_title(tensor, tensor.label, look)), *_numbers(tensor, look)]
    if tensor.kind == "parameter":
        line, fill = palette.parameter_line, palette.parameter
    else:
        line, fill = palette.input_line, palette.input
    dashed = bool(tensor.copy_of) or tensor.kind == "cut"
    return rounded(tensor.id, rows, line, fill, dashed)


def parameter_card(op: OpNode, parameters: list[TensorNode], look: Look) -> str:
    """Draw the parameters of an operation, a row for each, without the path of their frame."""
    rows = []
    for parameter in parameters[:MANY]:
        name = parameter.label.removeprefix(f"{op.module}.")
        grad = _gradient(parameter, look, SMALL)
        title = labels.gap(BODY) + _title(parameter, name, look) + labels.gap(BODY, 2)
        cells = [labels.cell(title, align="left")]
        if grad:
            cells.append(labels.cell(grad + labels.gap(SMALL, 2), align="right"))
        rows.append(labels.row(*cells))
    palette = look.palette
    if len(parameters) > MANY:
        more = f"… {len(parameters) - MANY:,} more"
        rows.append(card_row(labels.span(more, palette.faint, SMALL)))
    dashed = any(parameter.copy_of for parameter in parameters)
    return rounded(f"{op.id}p", rows, palette.parameter_line, palette.parameter, dashed)


def _title(tensor: TensorNode, name: str, look: Look) -> str:
    palette = look.palette
    mark = {"cut": "… "}.get(tensor.kind, "↻ " if tensor.copy_of else "")
    color = palette.ink if tensor.named else palette.faint
    title = labels.span(mark + name + " …" * tensor.hidden_uses, color, BODY, bold=tensor.named)
    if look.shows(SHAPE):
        about = figures.shape(tensor.shape, tensor.dtype)
        title += labels.gap(BODY) + labels.span(about, palette.faint, SMALL)
    if tensor.uses > 1 and not tensor.copy_of:
        used = labels.span(f"used {tensor.uses} times", palette.faint, SMALL)
        title += labels.gap(SMALL, 2) + used
    return title


def _numbers(tensor: TensorNode, look: Look, name: str = "") -> list[str]:
    """Return the rows that tell a tensor's value and its gradient."""
    palette = look.palette
    name += " …" * tensor.hidden_uses
    parts = [labels.span(name.strip(), palette.ink, BODY, bold=True)] if name else []
    if look.shows(VALUE) and tensor.value is not None:
        value = words.statistics(tensor.value, look.precision)
        parts.append(labels.span(value, palette.value, BODY))
    grad = _gradient(tensor, look, BODY)
    rows = [card_row(text) for text in (labels.gap(BODY, 2).join(parts), grad) if text]
    if grad and tensor.grad is not None and look.view == "flow":
        gauge = flow.gauge(tensor.grad.norm, palette)
        rows.append(labels.row(labels.cell(gauge, colspan=2)))
    return rows


def _gradient(tensor: TensorNode, look: Look, size: float) -> str:
    if not look.shows(GRAD) or tensor.copy_of:
        return ""
    if tensor.grad is not None:
        text = words.gradient(tensor.grad, look.precision)
        return labels.span(text, look.palette.grad, size, italic=True)
    if look.graded and tensor.lacks_grad:
        return labels.span("⚠ no grad", look.palette.trouble_ink, size, bold=True)
    return ""


def card_row(content: str, **attributes: object) -> str:
    """Return one line of a card."""
    text = labels.gap(BODY) + content + labels.gap(BODY, 2)
    return labels.row(labels.cell(text, align="left", colspan=2, **attributes))


def rounded(node: str, rows: list[str], line: str, fill: str, dashed: bool) -> str:
    """Return a card with round corners."""
    style = "rounded,dashed" if dashed else "rounded"
    card = labels.table(*rows, border=1, color=line, bgcolor=fill, style=style)
    return statement(node, id=node, label=f"<{card}>")
