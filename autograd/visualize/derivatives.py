"""The numbers of calculus on a picture: local derivatives, and gradients of everything.

Both come from the rules as they are. A rule called with dy = 1 gives the local derivative; the
chain rule over the picture gives the gradients of scalars, even after backward has freed the graph.
For arrays the engine itself walks, and is watched: it neither touches `.grad` nor calls hooks.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd import engine
from autograd.function import FunctionCtx
from autograd.node import FREED, Node

from .recorded import Recorded, Step, Value, kept_array

FREED_NOTE = (
    "backward() has freed what the operations kept: to see it, draw before, or call "
    "backward(retain_graph=True)"
)
NO_GRADIENTS = "no gradients yet: call .backward(), or draw(..., grad=True)"
OTHER_GRADIENTS = (
    "the gradients are not those of this graph alone, as after several backward(): draw(..., "
    "grad=True) shows these"
)


class Locals:
    """The local derivatives of scalar operations, each worked out when first asked for."""

    def __init__(self) -> None:
        self._of: dict[int, list[float | None]] = {}

    def of(self, step: Step) -> list[float | None]:
        """Return the local derivative by each operand; None where it cannot be told."""
        if id(step) not in self._of:
            self._of[id(step)] = _local_derivatives(step)
        return self._of[id(step)]


def _local_derivatives(step: Step) -> list[float | None]:
    unknown: list[float | None] = [None] * len(step.operands)
    sizes = {math.prod(value.shape) for _, value in step.operands} | {math.prod(step.output.shape)}
    if sizes != {1} or len(step.outputs) > 1:
        return unknown
    with np.errstate(all="ignore"):
        one = np.ones(step.output.shape, step.output.dtype)[()]
        if isinstance(step.node, FunctionCtx):
            if step.node._kept is FREED:
                return unknown
            try:
                gradients = step.node._pull_all(one, create_graph=False)
            except Exception:  # a backward of the user's, which a picture need not stop at
                return unknown
            found = [gradients[place] for place in step.places]
            return [None if g is None else float(np.sum(g)) for g in found]
        if step.node._op is None or step.node._op.variadic:
            return unknown
        return [_local_derivative(step, name, value, one) for name, value in step.operands]


def _local_derivative(step: Step, name: str, value: Value, one: Any) -> float | None:
    rule = step.node._op.rules.get(name)
    if rule is None or not value.requires_grad:
        return None
    needs = [_need(step, need) for need in rule.needs]
    if any(need is None for need in needs):
        return None
    return float(np.sum(rule.function(one, *needs)))


def _need(step: Step, need: str) -> Any:
    """Return what a rule asks for, as an array: an operand, the output, a setting, a shape."""
    operands = dict(step.operands)
    if need == "y":
        return step.output.array
    if need in operands:
        return operands[need].array
    if need in step.known:
        kept = step.known[need]
        array = kept_array(kept)
        return kept if array is None else array
    operand, _, what = need.rpartition("_")
    return getattr(operands[operand], what) if operand in operands else None


def gradients(
    recorded: Recorded, wanted: bool | None, scalars: bool, local: Locals
) -> tuple[dict[int, Any], str]:
    """Return the gradients to show, by id of the value, and a note.

    `wanted` is True to compute all, None to show those that are there (of scalars, with those in
    between where these explain them), False to show none.
    """
    if wanted is False:
        return {}, ""
    if wanted:
        return _computed(recorded, scalars, local)
    there = {id(value): value.grad for value in recorded.values if value.grad is not None}
    if not there:
        return {}, NO_GRADIENTS
    if not scalars:
        return there, FREED_NOTE if _is_freed(recorded) else ""
    chained = _by_chain_rule(recorded, local)
    if all(np.allclose(chained[key], there[key]) for key in chained.keys() & there.keys()):
        return chained | there, ""
    return there, OTHER_GRADIENTS


def _computed(recorded: Recorded, scalars: bool, local: Locals) -> tuple[dict[int, Any], str]:
    if scalars:
        chained = _by_chain_rule(recorded, local)
        if len(chained) == sum(value.requires_grad for value in recorded.values):
            return chained, ""
    if _is_freed(recorded):
        raise RuntimeError(
            "draw(..., grad=True) works the gradients out anew, but what they need was freed by a "
            "backward() before. Draw first, or call backward(retain_graph=True)."
        )
    summed = any(math.prod(output.shape) != 1 for output in recorded.outputs)
    return _by_engine(recorded), "gradients are those of the sum of all outputs" if summed else ""


def _is_freed(recorded: Recorded) -> bool:
    return any(step.node._kept is FREED for step in recorded.steps)


def _by_chain_rule(recorded: Recorded, local: Locals) -> dict[int, Any]:
    """Return the gradients of scalars from the local derivatives alone, where these are known."""
    found: dict[int, Any] = {}
    for output in recorded.outputs:
        _add(found, output, 1.0)
    lost: set[int] = set()
    for step in reversed(recorded.steps):
        arrived = found.get(id(step.output))
        for (_, operand), derivative in zip(step.operands, local.of(step), strict=True):
            if not operand.requires_grad:
                continue
            if arrived is None or derivative is None or id(step.output) in lost:
                lost.add(id(operand))
            else:
                _add(found, operand, arrived * derivative)
    return {key: np.float64(gradient) for key, gradient in found.items() if key not in lost}


def _add(found: dict[int, Any], value: Value, gradient: float) -> None:
    found[id(value)] = found.get(id(value), 0.0) + gradient


class _Watch:
    """What `engine.run` takes for the gradients that `grad()` asks for: here, of every node."""

    def __init__(self, nodes: list[Node]) -> None:
        self.places = dict.fromkeys(nodes)
        self.seen: dict[int, Any] = {}

    def catch(self, node: Node, gradient: Any) -> Any:
        self.seen[id(node)] = gradient
        return gradient


def _by_engine(recorded: Recorded) -> dict[int, Any]:
    """Return the gradients of everything, from a walk of the engine that leaves no trace."""
    nodes = list({id(v.node): v.node for v in recorded.values if v.node is not None}.values())
    watch: Any = _Watch(nodes)
    roots = [
        (output.node, output.slot, np.ones(output.shape, output.dtype)[()])
        for output in recorded.outputs
        if output.node is not None
    ]
    hooks = {node: node._hooks for node in nodes}
    try:
        for node in nodes:
            node._hooks = None  # nobody asked for this walk
        engine.run(roots, retain_graph=True, create_graph=False, wanted=watch)
    finally:
        for node, held in hooks.items():
            node._hooks = held
    found = {}
    for value in recorded.values:
        if value.node is not None:
            gradient = watch.seen.get(id(value.node))
            if isinstance(gradient, tuple):
                gradient = gradient[value.slot]
            if gradient is not None:
                found[id(value)] = gradient
    return found
