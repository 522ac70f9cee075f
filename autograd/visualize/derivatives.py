"""The gradients on a picture.

The chain rule over the picture gives the gradients of scalars from the local derivatives, even
after backward has freed the graph. For arrays the engine itself walks, and is watched: it neither
touches `.grad` nor calls hooks.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.reading.gradients import by_engine, is_freed
from autograd.reading.local import Locals
from autograd.reading.recorded import Recorded, Value

FREED_NOTE = (
    "backward() has freed what the operations kept: to see it, draw before, or call "
    "backward(retain_graph=True)"
)
NO_GRADIENTS = "no gradients yet: call .backward(), or draw(..., grad=True)"
OTHER_GRADIENTS = (
    "the gradients are not those of this graph alone, as after several backward(): draw(..., "
    "grad=True) shows these"
)


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
        return there, FREED_NOTE if is_freed(recorded) else ""
    chained = _by_chain_rule(recorded, local)
    if all(np.allclose(chained[key], there[key]) for key in chained.keys() & there.keys()):
        return chained | there, ""
    return there, OTHER_GRADIENTS


def _computed(recorded: Recorded, scalars: bool, local: Locals) -> tuple[dict[int, Any], str]:
    if scalars:
        chained = _by_chain_rule(recorded, local)
        if len(chained) == sum(value.requires_grad for value in recorded.values):
            return chained, ""
    if is_freed(recorded):
        raise RuntimeError(
            "draw(..., grad=True) works the gradients out anew, but what they need was freed by a "
            "backward() before. Draw first, or call backward(retain_graph=True)."
        )
    summed = any(math.prod(output.shape) != 1 for output in recorded.outputs)
    return by_engine(recorded), "gradients are those of the sum of all outputs" if summed else ""


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
