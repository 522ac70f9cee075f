"""A picture as a story: forward, one operation after the other, then backward the same way.

Each step says in formulas what happens, with the numbers put in, and which parts of the picture it
is about; the story as a whole knows when every number first appears. Like all of a picture it is
made from plain data alone.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from autograd.reading import figures, symbols

from . import words
from .model import Edge, GraphData, OpNode, TensorNode

LIMIT = 200


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what it is called, what it says, and the nodes and edges (by id) it is about."""

    phase: str  # "start", "forward" or "backward"
    title: str
    lines: tuple[str, ...]
    active: frozenset[str] = frozenset()


@dataclass(slots=True)
class Story:
    """All steps, and at which of them each number of the picture appears."""

    steps: list[Step] = field(default_factory=list)
    values: dict[str, int] = field(default_factory=dict)  # id of a node -> step of its value
    gradients: dict[str, int] = field(default_factory=dict)  # ... of its whole gradient
    locals: dict[str, int] = field(default_factory=dict)  # id of an edge -> of its derivative
    # id of a node -> [(step, gradients that have come, of how many)], while it waits for more
    waiting: dict[str, list[tuple[int, int, int]]] = field(default_factory=dict)


def tell(data: GraphData, precision: int = 2) -> Story:
    """Return the story of a picture. ValueError if it would have more than 200 steps."""
    graded = any(tensor.grad is not None for tensor in data.tensors)
    count = 1 + len(data.ops) * (1 + graded) + graded
    if count > LIMIT:
        raise ValueError(
            f"stepper shows at most {LIMIT} steps; this graph has {count:,}. Pick a part with "
            "focus=."
        )
    return _Teller(data, precision).tell(graded)


class _Teller:
    """Goes through the operations of a picture in order, and back."""

    def __init__(self, data: GraphData, precision: int) -> None:
        self.data = data
        self.precision = precision
        self.tensors = {tensor.id: tensor for tensor in data.tensors}
        self.inputs: dict[str, list[Edge]] = defaultdict(list)  # of an operation
        self.outputs: dict[str, list[Edge]] = defaultdict(list)
        self.due: dict[str, int] = defaultdict(int)  # how many gradients a tensor will receive
        for edge in data.edges:
            if edge.source in self.tensors:
                self.inputs[edge.target].append(edge)
            else:
                self.outputs[edge.source].append(edge)
        self.copies: dict[str, list[str]] = defaultdict(list)
        for tensor in data.tensors:
            self.copies[tensor.copy_of or tensor.id].append(tensor.id)
        roots = [t.label for t in data.tensors if t.id not in {e.source for e in data.edges}]
        self.root = roots[0] if len(roots) == 1 else "Σ"
        self.story = Story()

    def tell(self, graded: bool) -> Story:
        self._start()
        for number, op in enumerate(self.data.ops, 1):
            self._forward(op, f"Forward {number} of {len(self.data.ops)}: {op.symbol}")
        if graded:
            reached = [op for op in reversed(self.data.ops) if self._is_reached(op)]
            for op in reached:
                for edge in self._differentiated(op):
                    self.due[self._original(edge)] += 1
            self._seed(f"Backward 1 of {len(reached) + 1}: the end")
            arrived: dict[str, list[str]] = defaultdict(list)
            for number, op in enumerate(reached, 2):
                title = f"Backward {number} of {len(reached) + 1}: {op.symbol}"
                self._backward(op, title, arrived)
        return self.story

    # -- the four kinds of step ------------------------------------------------------------------

    def _start(self) -> None:
        made = {edge.target for edges in self.outputs.values() for edge in edges}
        leaves = [t for t in self.data.tensors if t.id not in made and t.kind != "constant"]
        for tensor in self.data.tensors:
            if tensor.id not in made:
                self.story.values[tensor.id] = 0
        given = [self._given(t) for t in leaves if not t.copy_of and t.value is not None]
        lines = ["Values are computed forward; then gradients run backward."]
        if any(edge.local is not None for edge in self.data.edges):
            lines = ["Values run forward, above the wires; gradients run backward, below them."]
        if given:
            lines.insert(0, "Given: " + ", ".join(given[:8]) + (", …" if len(given) > 8 else ""))
        self.story.steps.append(Step("start", "Start", tuple(lines)))

    def _forward(self, op: OpNode, title: str) -> None:
        step = len(self.story.steps)
        line = op.expression
        results = [self.tensors[edge.target] for edge in self.outputs[op.id]]
        operands = [self.tensors[edge.source] for edge in self.inputs[op.id]]
        if all(_is_number(t) for t in (*operands, *results)) and len(results) == 1:
            numbers = [self._number(t.value, first=i == 0) for i, t in enumerate(operands)]
            put_in = symbols.expression(op.op, numbers)
            line = f"{line} = {put_in} = {self._number(results[0].value)}"
        else:
            line += "".join(f"   {self._told(t)}" for t in results)
        for tensor in results:
            self.story.values[tensor.id] = step
        self.story.values[op.id] = step
        around = {edge.id for edge in (*self.inputs[op.id], *self.outputs[op.id])}
        self.story.steps.append(
            Step("forward", title, (line,), frozenset({op.id, *around, *(t.id for t in results)}))
        )

    def _seed(self, title: str) -> None:
        used = {edge.source for edge in self.data.edges}
        ends = [t for t in self.data.tensors if t.id not in used and t.grad is not None]
        lines = []
        for tensor in ends:
            self._complete(tensor.id, len(self.story.steps))
            gradient = words.statistics(tensor.grad, self.precision) if tensor.grad else ""
            if tensor.grad is not None and _is_number(tensor):
                gradient = self._number(tensor.grad)
            lines.append(f"{self._by(tensor)} = {gradient}")
        active = frozenset(tensor.id for tensor in ends)
        self.story.steps.append(Step("backward", title, tuple(lines), active))

    def _backward(self, op: OpNode, title: str, arrived: dict[str, list[str]]) -> None:
        step = len(self.story.steps)
        lines: list[str] = []
        edges = self._differentiated(op)
        targets = list(dict.fromkeys(self._original(edge) for edge in edges))
        result = self.tensors[self.outputs[op.id][0].target]
        for edge in edges:
            target = self._original(edge)
            contribution = self._contribution(edge, op, result)
            arrived[target].append(contribution[1])
            lines.append(contribution[0])
            self.story.locals[edge.id] = step
        for target in targets:
            come, due = len(arrived[target]), self.due[target]
            tensor = self.tensors[target]
            if come < due:
                self.story.waiting.setdefault(target, []).append((step, come, due))
                lines.append(f"{tensor.label} waits: {come} of {due} gradients are here")
            else:
                self._complete(target, step)
                if due > 1:
                    lines.append(self._sum(tensor, arrived[target]))
        around = {edge.id for edge in edges} | {edge.source for edge in edges}
        beside = f"{op.id}p"  # the card of its parameters
        self.story.gradients[beside] = step
        self.story.steps.append(
            Step("backward", title, tuple(lines), frozenset({op.id, beside, *around, *targets}))
        )

    # -- what a step says ------------------------------------------------------------------------

    def _contribution(self, edge: Edge, op: OpNode, result: TensorNode) -> tuple[str, str]:
        """Tell what goes along a wire, and its number: `∂f/∂q = ∂f/∂f · z = 1 · (-4) = -4`."""
        tensor = self.tensors[edge.source]
        if edge.local is None or result.grad is None or not _is_number(result):
            rule = next((r for r in op.rules if r.startswith(f"d{edge.operand} = ")), "")
            told = f"   {words.gradient(tensor.grad, self.precision)}" if tensor.grad else ""
            return f"∇{tensor.label}{told}" + (f"   {rule}" if rule else ""), ""
        arriving = float(result.grad.mean)
        number = figures.short(arriving * edge.local, self.precision)
        factor = edge.formula if edge.formula and not _is_figure(edge.formula) else edge.partial
        if any(sign in factor for sign in (" + ", " - ")):
            factor = f"({factor})"
        which = ""
        if self.due[self._original(edge)] > 1:
            which = f", by {op.expression.partition(' = ')[2]}"
        product = f"{figures.short(arriving, self.precision)} · {self._bracketed(edge.local)}"
        named = f"{self._by(result)} · {factor}" if factor else self._by(result)
        return f"{self._by(tensor)}{which} = {named} = {product} = {number}", number

    def _sum(self, tensor: TensorNode, parts: list[str]) -> str:
        if not all(parts) or tensor.grad is None:
            return f"{tensor.label} has all {len(parts)} gradients: their sum goes on"
        total = figures.short(tensor.grad.mean, self.precision)
        bracketed = [
            p if i == 0 or not p.startswith("-") else f"({p})" for i, p in enumerate(parts)
        ]
        return f"{self._by(tensor)} = {' + '.join(bracketed)} = {total}"

    def _by(self, tensor: TensorNode) -> str:
        return f"∂{self.root}/∂{tensor.label}"

    def _given(self, tensor: TensorNode) -> str:
        if _is_number(tensor):
            return f"{tensor.label} = {self._number(tensor.value)}"
        return f"{tensor.label} {figures.shape(tensor.shape, tensor.dtype)}"

    def _told(self, tensor: TensorNode) -> str:
        parts = [figures.shape(tensor.shape, tensor.dtype)] if tensor.shape else []
        if tensor.value is not None:
            parts.append(words.statistics(tensor.value, self.precision))
        return "   ".join(parts)

    def _number(self, summary: object, first: bool = True) -> str:
        number = float(getattr(summary, "mean", float("nan")))
        return figures.short(number, self.precision) if first else self._bracketed(number)

    def _bracketed(self, number: float) -> str:
        text = figures.short(number, self.precision)
        return f"({text})" if text.startswith("-") else text

    # -- where the gradients go ------------------------------------------------------------------

    def _differentiated(self, op: OpNode) -> list[Edge]:
        """Return the edges along which gradients go back."""
        return [edge for edge in self.inputs[op.id] if self.tensors[edge.source].requires_grad]

    def _is_reached(self, op: OpNode) -> bool:
        return any(self.tensors[edge.target].requires_grad for edge in self.outputs[op.id])

    def _original(self, edge: Edge) -> str:
        return self.tensors[edge.source].copy_of or edge.source

    def _complete(self, tensor: str, step: int) -> None:
        """The whole gradient of a tensor is there: on each of its copies."""
        for copy in self.copies[tensor]:
            self.story.gradients[copy] = step
        for op, edges in self.outputs.items():
            if any(edge.target == tensor for edge in edges):
                self.story.gradients[op] = step  # on cards, the result stands in the operation


def _is_number(tensor: TensorNode) -> bool:
    return tensor.value is not None and isinstance(tensor.value.items, (int, float))


def _is_figure(text: str) -> bool:
    return text.lstrip("-").replace(".", "").isdigit()
