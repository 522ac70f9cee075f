"""From the recorded graph to plain data: what is drawn, and what is told of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from autograd.reading import figures, formula, source, symbols
from autograd.reading.local import Locals
from autograd.reading.naming import Names, Unique
from autograd.reading.recorded import Recorded, Step, Value, kept_array
from autograd.tensor import Tensor

from . import trouble
from .derivatives import gradients
from .dot import FORMULA, GRAD, SAVED, VALUE
from .model import Edge, GraphData, OpNode, Saved, Summary, TensorKind, TensorNode
from .modules import frames, module_paths
from .part import Part
from .summary import summarize

MANY_USES, FAR = 3, 4  # a leaf used more often, or further apart, is drawn anew near each use


class Collector:
    """Gathers what one picture shows."""

    def __init__(
        self,
        recorded: Recorded,
        *,
        circuit: bool,
        detail: int,
        grad: bool | None,
        named: Iterable[tuple[str, Value]],
        parameters: Mapping[str, Value],
        max_nodes: int | None,
    ) -> None:
        self.recorded = recorded
        self.circuit = circuit
        self.detail = detail
        self.part = Part(recorded, circuit, max_nodes)
        self.locals = Locals()
        self.gradients, grad_note = gradients(
            recorded, grad if detail >= GRAD else False, circuit, self.locals
        )
        steps = self.part.steps
        self.uses = Counter(id(value) for step in steps for _, value in step.operands)
        self.made = {id(value) for step in steps for value in step.outputs}
        self.shown = self._shown()
        self.names = Names(self.shown.values(), steps, named)
        self.parameters = {id(value): name for name, value in parameters.items()}
        self.modules = module_paths(steps, self.parameters)
        self.repeated = self._repeated()
        self.ids: dict[int, str] = {}  # of the node that shows a value
        self.node_names = Unique()
        self.data = GraphData(nodes=[], edges=[])
        self.data.note = "  ".join(note for note in (self.part.note, grad_note) if note)

    def collect(self) -> GraphData:
        """Return the picture's data."""
        for step in self.part.steps:
            self._draw(step)
        for output in self.recorded.outputs:
            if id(output) not in self.ids:
                self._tensor(output)  # a leaf, drawn alone
        self.data.modules = frames(op.module for op in self.data.ops)
        trouble.mark(self.data)
        if not self.circuit:
            self.data.facts = self._facts()
        return self.data

    def _shown(self) -> dict[int, Value]:
        """Return the values that are drawn, in order: all but outputs that nobody uses."""
        shown: dict[int, Value] = {}
        wanted = {id(output) for output in self.recorded.outputs}
        for step in self.part.steps:
            outputs = [v for v in step.outputs if self.uses[id(v)] or id(v) in wanted]
            shown |= {id(v): v for v in [*(value for _, value in step.operands), *outputs]}
        return shown | {id(output): output for output in self.recorded.outputs}

    def _repeated(self) -> set[int]:
        """Return the leaves that are drawn anew at each use: long edges are slow, and unsightly."""
        depth: dict[int, int] = {}
        reach: dict[int, list[int]] = defaultdict(list)
        for step in self.part.steps:
            below = [depth.get(id(value.step), 0) for _, value in step.operands]
            depth[id(step)] = 1 + max(below, default=0)
            for _, value in step.operands:
                if id(value) not in self.made:
                    reach[id(value)].append(depth[id(step)])
        return {
            value
            for value, depths in reach.items()
            if len(depths) > MANY_USES or max(depths) - min(depths) > FAR
        }

    # -- nodes and edges -------------------------------------------------------------------------

    def _draw(self, step: Step) -> None:
        sources = [self._operand(value) for _, value in step.operands]
        op = self._operation(step)
        locals_ = self.locals.of(step) if self.circuit else [None] * len(sources)
        for node, (name, value), local in zip(sources, step.operands, locals_, strict=True):
            edge = Edge(self._edge_id(), node, op.id, operand=name)
            if local is not None:
                self._differentiate(edge, step, name, value, local)
            self.data.edges.append(edge)
        for output in step.outputs:
            if id(output) in self.shown:
                target = self._tensor(output)
                self.data.edges.append(Edge(self._edge_id(), op.id, target.id))

    def _edge_id(self) -> str:
        return f"e{len(self.data.edges)}"

    def _operand(self, value: Value) -> str:
        """Return the id of the node that shows an operand, drawing it where that is due."""
        if id(value) not in self.ids:
            return self._tensor(value).id
        if id(value) not in self.repeated:
            return self.ids[id(value)]
        return self._tensor(value, copy_of=self.ids[id(value)]).id

    def _tensor(self, value: Value, copy_of: str = "") -> TensorNode:
        label = self.names[value]
        node = TensorNode(
            id=f"n{len(self.data.nodes)}",
            name=self.node_names.claim(label),
            label=label,
            kind=self._kind(value),
            shape=tuple(value.shape),
            dtype=value.dtype.name,
            value=self._summary(value.array, VALUE),
            grad=self._summary(self.gradients.get(id(value)), GRAD),
            requires_grad=value.requires_grad,
            named=id(value) not in self.names.ours,
            uses=self.uses[id(value)],
            copy_of=copy_of,
        )
        self.data.nodes.append(node)
        self.ids.setdefault(id(value), node.id)
        return node

    def _kind(self, value: Value) -> TensorKind:
        if value.is_number:
            return "constant"
        if value.step is not None:
            if id(value) not in self.made:
                return "cut"
            return "value" if self.uses[id(value)] else "output"
        of_module = value.requires_grad and type(value.tensor) is not Tensor
        return "parameter" if of_module or id(value) in self.parameters else "input"

    def _summary(self, array: Any, level: int) -> Summary | None:
        return None if array is None or self.detail < level else summarize(array)

    def _operation(self, step: Step) -> OpNode:
        operands = [self.names[value] for _, value in step.operands]
        given = ", ".join(self.names[value] for value in step.outputs if id(value) in self.shown)
        node = OpNode(
            id=f"n{len(self.data.nodes)}",
            name=self.node_names.claim(step.name),
            op=step.name,
            symbol=symbols.sign(step.name),
            settings=tuple(_settings(step)),
            saved=tuple(self._saved(step)) if self.detail >= SAVED else (),
            rules=() if self.circuit or self.detail < FORMULA else tuple(_rules(step)),
            expression=f"{given} = {symbols.expression(step.name, operands)}",
            source=source.place(*step.node._data[5:7]),
            module=self.modules[id(step)],
        )
        self.data.nodes.append(node)
        return node

    def _differentiate(self, edge: Edge, step: Step, name: str, value: Value, local: float) -> None:
        """Write on a wire what calculus has to say of it."""
        edge.local = local
        edge.partial = f"∂{self.names[step.output]}/∂{self.names[value]}"
        if step.node._op is not None:
            rule = step.node._op.rules[name].written
            edge.formula = formula.local_derivative(rule, self.names.given(step))
        arrived = self.gradients.get(id(step.output))
        if arrived is not None and self.uses[id(value)] > 1:
            edge.share = local * float(np.sum(arrived))

    def _saved(self, step: Step) -> Iterable[Saved]:
        """Yield what an operation keeps; in a circuit under the names that are seen there."""
        seen = {"y": self.names[step.output]} if id(step.output) in self.shown else {}
        seen |= {name: self.names[value] for name, value in step.operands}
        for saved, _ in _kept(step):
            yield replace(saved, name=seen.get(saved.name, saved.name)) if self.circuit else saved

    def _facts(self) -> str:
        """Tell the size of the whole graph, drawn or not."""
        steps = self.recorded.steps
        facts = [f"{len(steps):,} op{'s' * (len(steps) != 1)}"]
        parameters = [v for v in self.recorded.values if self._kind(v) == "parameter"]
        if parameters:
            facts.append(f"{sum(v.array.size for v in parameters):,} parameters")
        if self.detail >= SAVED:
            kept = {key: saved.nbytes for step in steps for saved, key in _kept(step)}
            facts.append(f"{figures.size(sum(kept.values()))} kept for backward")
        return " · ".join(facts)


def _settings(step: Step) -> Iterable[tuple[str, str]]:
    """Yield the settings of an operation that are not the usual ones, as far as it kept them."""
    op = step.node._op
    for name, value in step.known.items():
        if op is not None and name in op.settings:
            written = symbols.setting(name, value)
            if written and op.defaults.get(name) != value:
                yield name, written


def _kept(step: Step) -> Iterable[tuple[Saved, int]]:
    """Yield what an operation keeps for backward: each array once, with what identifies it."""
    seen = set()
    for name, kept in step.known.items():
        array = kept_array(kept)
        if array is not None and id(array) not in seen:
            seen.add(id(array))
            yield Saved(name, array.nbytes), id(array)


def _rules(step: Step) -> Iterable[str]:
    """Yield the derivatives of an operation as they stand in the source: `da = dy * b`."""
    op = step.node._op
    if op is None or op.variadic:
        return
    for name, value in step.operands:
        if value.requires_grad and (text := formula.as_written(op.rules[name].written)):
            yield f"d{name} = {text}"
