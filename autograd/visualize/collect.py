"""From the recorded graph to plain data: what is drawn, and what is told of it."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from autograd.node import is_of_backward, name_of
from autograd.reading import figures, formula, source, symbols
from autograd.reading.naming import Names, Unique
from autograd.reading.recorded import Recorded, Step, Value, kept_array
from autograd.tensor import Tensor

from .derivatives import FREED_NOTE, Gradients
from .dot import FORMULA, GRAD, SAVED, VALUE
from .item import Item
from .model import (
    NOTES_APART,
    Edge,
    GraphData,
    GroupNode,
    Module,
    OpNode,
    Saved,
    TensorKind,
    TensorNode,
)
from .modules import Modules, Network, ancestry
from .numbers import Numbers, trouble
from .part import Extent, Part

MANY_USES, FAR = 3, 4  # a leaf used more often, or further apart, is drawn anew near each use
NOT_KEPT = (
    "some values were kept by nobody: compute inside `with visualize.watch():` to see them all"
)


class Collector:
    """Gathers what one picture shows."""

    def __init__(
        self,
        recorded: Recorded,
        *,
        circuit: bool,
        levels: frozenset[int],
        view: str,
        gradients: Gradients,
        named: Iterable[tuple[str, Value]],
        parameters: Mapping[str, Value],
        network: Network,
        extent: Extent,
    ) -> None:
        self.recorded = recorded
        self.circuit = circuit
        self.levels = levels
        self.with_values = VALUE in levels and view in ("both", "forward")
        self.with_flow = view in ("flow", "backward")
        self.with_rules = FORMULA in levels and (view == "backward" or not circuit)
        self.gradients = gradients
        self.numbers = Numbers(gradients.arrays, gradients.watched)
        self.parameters = {id(value): name for name, value in parameters.items()}
        self.modules = Modules(recorded.steps, self.parameters, network)
        self.part = Part(recorded, circuit, extent, self.modules, self._is_parameter)
        self.items = self.part.items
        self.uses = Counter(id(value) for item in self.items for _, value in item.operands)
        self.all_uses = Counter(id(v) for step in recorded.steps for _, v in step.operands)
        self.made = {id(value) for item in self.items for value in item.outputs}
        self.used_out_of_sight = self.part.used_out_of_sight()
        self.shown = self._shown()
        steps = [step for item in self.items for step in item.steps]
        self.names = Names(self.shown.values(), steps, named)
        self.repeated = self._repeated()
        self.trouble = trouble(recorded, self.numbers) if GRAD in levels else {}
        self.ids: dict[int, str] = {}  # of the node that shows a value
        self.node_names = Unique()
        self.data = GraphData(nodes=[], edges=[])

    def collect(self) -> GraphData:
        """Return the picture's data."""
        for item in self.items:
            self._draw(item)
        for output in self.recorded.outputs:
            if id(output) not in self.ids and not (self.items and output.step is not None):
                self._tensor(output)  # a leaf, drawn alone
        self.data.modules = self._frames()
        self._caption()
        if not self.circuit:
            self.data.facts = self._facts()
        self.data.note = NOTES_APART.join(filter(None, (self.part.note, self.gradients.note)))
        gone = any(t.value is None and t.kind in ("value", "output") for t in self.data.tensors)
        if gone and self.with_values and self.gradients.note != FREED_NOTE:
            self.data.note = NOTES_APART.join(filter(None, (self.data.note, NOT_KEPT)))
        return self.data

    def _shown(self) -> dict[int, Value]:
        """Return the values that are drawn, in order: all but outputs that nobody uses."""
        shown: dict[int, Value] = {}
        wanted = {id(output) for output in self.recorded.outputs}
        for item in self.items:
            outputs = [v for v in item.outputs if self.uses[id(v)] or id(v) in wanted]
            outputs = outputs or item.outputs[:1]  # what uses them is hidden
            shown |= {id(v): v for v in [*(value for _, value in item.operands), *outputs]}
        leaves = [output for output in self.recorded.outputs if output.step is None]
        return shown | {id(leaf): leaf for leaf in leaves}

    def _repeated(self) -> set[int]:
        """Return the leaves that are drawn anew at each use: long edges are slow, and unsightly."""
        depth: dict[int, int] = {}  # by id of the value
        reach: dict[int, list[int]] = defaultdict(list)
        for item in self.items:
            here = 1 + max((depth.get(id(value), 0) for _, value in item.operands), default=0)
            depth |= {id(value): here for value in item.outputs}
            for _, value in item.operands:
                if id(value) not in self.made:
                    reach[id(value)].append(here)
        return {
            value
            for value, depths in reach.items()
            if len(depths) > MANY_USES or max(depths) - min(depths) > FAR
        }

    def _caption(self) -> None:
        """Write on the card of an operation what its module is, if there is nothing else in it."""
        around = Counter(path for op in self.data.ops for path in ancestry(op.module))
        modules = {module.path: module for module in self.data.modules}
        kinds = {tensor.id: tensor.kind for tensor in self.data.tensors}
        learning = {e.target for e in self.data.edges if kinds.get(e.source) == "parameter"}
        for op in self.data.ops:
            if around[op.module] == 1 and op.id not in learning and not isinstance(op, GroupNode):
                module = modules[op.module]
                op.caption, op.about = module.label, module.description

    def _frames(self) -> list[Module]:
        """Return the modules around what is drawn, outer ones first."""
        paths = dict.fromkeys(path for op in self.data.ops for path in ancestry(op.module))
        return [Module(path, *self.part.frame(path)) for path in paths]

    # -- nodes and edges -------------------------------------------------------------------------

    def _draw(self, item: Item) -> None:
        sources = [self._operand(value) for _, value in item.operands]
        op = self._group(item) if item.is_group else self._operation(item)
        self.data.nodes.append(op)
        for node, (name, value) in zip(sources, item.operands, strict=True):
            self.data.edges.append(Edge(self._edge_id(), node, op.id, operand=name))
            if self.with_flow:
                self.data.edges[-1].flow = self.gradients.flow(item.steps, value)
        if self.circuit and not item.is_group:
            self._differentiate(item.steps[0], self.data.edges[-len(sources) :])
        for output in item.outputs:
            if id(output) in self.shown:
                target = self._tensor(output)
                grad = self.numbers.grad(output)
                self.data.edges.append(Edge(self._edge_id(), op.id, target.id))
                self.data.edges[-1].flow = None if grad is None else grad.norm

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
            value=self.numbers.value(value) if VALUE in self.levels else None,
            grad=self.numbers.grad(value) if GRAD in self.levels else None,
            requires_grad=value.requires_grad,
            named=id(value) not in self.names.ours,
            uses=self.uses[id(value)] if value.step else self.all_uses[id(value)],
            hidden_uses=id(value) in self.used_out_of_sight and not copy_of,
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
            return (
                "value" if self.uses[id(value)] or id(value) in self.used_out_of_sight else "output"
            )
        return "parameter" if self._is_parameter(value) else "input"

    def _is_parameter(self, value: Value) -> bool:
        """Whether a tensor is to be learned: given as a parameter, or of a class of its own."""
        of_module = value.requires_grad and value.tensor is not None
        return id(value) in self.parameters or (of_module and type(value.tensor) is not Tensor)

    def _operation(self, item: Item) -> OpNode:
        (step,) = item.steps
        return OpNode(
            id=f"n{len(self.data.nodes)}",
            name=self.node_names.claim(step.name),
            op=step.name,
            symbol=symbols.sign(step.name),
            settings=tuple(_settings(step)),
            saved=tuple(self._saved(step)) if SAVED in self.levels else (),
            rules=tuple(_rules(step)) if self.with_rules else (),
            expression=self._expression(item, step.name),
            source=source.place(*step.node._data[5:7]),
            module=item.path,
            node=name_of(step.node),
            of_backward=is_of_backward(step.node),
            trouble=self.trouble.get(id(step), ""),
        )

    def _group(self, item: Item) -> GroupNode:
        operands = (value for step in item.steps for _, value in step.operands)
        weights = {id(value): value for value in operands if self._is_parameter(value)}
        norms = [grad.norm for w in weights.values() if (grad := self.numbers.grad(w)) is not None]
        kept = {key: saved for step in item.steps for saved, key in _kept(step)}
        name = figures.clean(item.label)
        troubled = [s for s in item.steps if id(s) in self.trouble]
        return GroupNode(
            id=f"n{len(self.data.nodes)}",
            name=self.node_names.claim(name),
            op=name,
            symbol=name,
            saved=tuple(kept.values()) if SAVED in self.levels else (),
            expression=self._expression(item, name),
            module=item.path,
            node=name,
            of_backward=all(is_of_backward(step.node) for step in item.steps),
            trouble=f"{troubled[0].name}: {self.trouble[id(troubled[0])]}" if troubled else "",
            about=item.about,
            ops=len(item.steps),
            parameters=sum(math.prod(value.shape) for value in weights.values()),
            weights_grad=math.hypot(*norms) if norms and GRAD in self.levels else None,
        )

    def _expression(self, item: Item, name: str) -> str:
        operands = [self.names[value] for _, value in item.operands]
        given = ", ".join(self.names[value] for value in item.outputs if id(value) in self.shown)
        return f"{given} = {symbols.expression(name, operands)}"

    def _differentiate(self, step: Step, edges: list[Edge]) -> None:
        """Write on the wires into an operation what calculus has to say of them."""
        given: dict[str, str | float] = {"y": self._name(step.output)}
        for operand, other in step.operands:
            given[operand] = other.array if other.is_number else self._name(other)
        arrived = self.gradients.arrays.get(id(step.output))
        derivatives = self.gradients.locals.of(step)
        for edge, (name, value), local in zip(edges, step.operands, derivatives, strict=True):
            if local is None:
                continue
            edge.local = local
            edge.partial = f"∂{given['y']}/∂{self._name(value)}"
            if step.node._op is not None:
                edge.formula = formula.local_derivative(step.node._op.rules[name].written, given)
            if arrived is not None:
                edge.flow = abs(local * float(np.sum(arrived)))
                if self.uses[id(value)] > 1:
                    edge.share = local * float(np.sum(arrived))

    def _name(self, value: Value) -> str:
        return self.names[self.part.shown_for(value)]

    def _saved(self, step: Step) -> Iterable[Saved]:
        """Yield what an operation keeps; in a circuit under the names that are seen there."""
        seen = {"y": self.names[step.output]} if id(step.output) in self.shown else {}
        seen |= {name: self._name(value) for name, value in step.operands}
        for saved, _ in _kept(step):
            yield replace(saved, name=seen.get(saved.name, saved.name)) if self.circuit else saved

    def _facts(self) -> str:
        """Tell the size of the whole graph, drawn or not."""
        steps = self.recorded.steps
        facts = [f"{len(steps):,} op{'s' * (len(steps) != 1)}"]
        parameters = [v for v in self.recorded.values if self._kind(v) == "parameter"]
        if parameters:
            facts.append(f"{sum(v.array.size for v in parameters):,} parameters")
        if SAVED in self.levels:
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
        text = formula.as_written(op.rules[name].written) if value.requires_grad else ""
        if text and not re.search(r"\b_", text):  # what the library does inside says little
            yield f"d{name} = {text}"
