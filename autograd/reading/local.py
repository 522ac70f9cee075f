"""Local derivatives in numbers: a rule called with dy = 1 gives the slope of its operation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.function_node import FunctionNode
from autograd.node import FREED

from .recorded import Step, Value, kept_array


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
        if isinstance(step.node, FunctionNode):
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
