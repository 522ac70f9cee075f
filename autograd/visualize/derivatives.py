"""The gradients on a picture.

The chain rule over the picture gives the gradients of scalars from the local derivatives, even
after backward has freed the graph. For arrays the engine itself walks, and is watched: it neither
touches `.grad` nor calls hooks.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd.node import FREED
from autograd.reading.gradients import by_engine, is_freed, pulled
from autograd.reading.local import Locals
from autograd.reading.recorded import Recorded, Step, Value

from .numbers import watched_gradient
from .summary import summarize

FREED_NOTE = (
    "backward() has freed what the operations kept: to see it, draw before, call "
    "backward(retain_graph=True), or compute inside `with visualize.watch():`"
)
NO_GRADIENTS = "no gradients yet: call .backward(), or draw(..., grad=True)"
OTHER_GRADIENTS = (
    "the gradients are not those of this graph alone, as after several backward(): draw(..., "
    "grad=True) shows these"
)


@dataclass(slots=True)
class Gradients:
    """The gradients that a picture shows."""

    locals: Locals
    arrays: dict[int, Any] = field(default_factory=dict)  # by id of the value
    watched: bool = False  # whether those that `watch` noted are shown, where there is no array
    note: str = ""
    _contributions: dict[int, list[float | None]] = field(default_factory=dict)  # by id of the step

    def flow(self, steps: Iterable[Step], value: Value) -> float | None:
        """Return the norm of the gradient that `steps`, together, hand back to an operand."""
        norms = [
            norm
            for step in steps
            for place, (_, operand) in zip(step.places, step.operands, strict=True)
            for norm in self._handed_back(step)[place : place + 1]
            if operand is value and norm is not None
        ]
        if norms:
            return math.hypot(*norms)
        known = self.arrays.get(id(value))
        if known is not None:
            return summarize(known).norm
        seen = watched_gradient(value) if self.watched else None
        return None if seen is None else seen.norm

    def _handed_back(self, step: Step) -> list[float | None]:
        """Return the norms of the gradients that an operation hands back to its inputs."""
        if id(step) not in self._contributions:
            arrived = [self.arrays.get(id(output)) for output in step.outputs]
            found: list[Any] = []
            if step.node._kept is not FREED and all(dy is not None for dy in arrived):
                with contextlib.suppress(Exception):  # of a user's backward; the picture goes on
                    found = pulled(step.node, arrived[0] if len(arrived) == 1 else tuple(arrived))
            norms = [None if gradient is None else summarize(gradient).norm for gradient in found]
            self._contributions[id(step)] = norms
        return self._contributions[id(step)]


def gradients(recorded: Recorded, wanted: bool | None, scalars: bool) -> Gradients:
    """Return the gradients to show.

    `wanted` is True to compute all, None to show those that are there (of scalars, with those in
    between where these explain them), False to show none.
    """
    local = Locals()
    if wanted is False:
        return Gradients(local)
    if wanted:
        return _computed(recorded, scalars, local)
    there = {id(value): value.grad for value in recorded.values if value.grad is not None}
    watched = any(watched_gradient(value) is not None for value in recorded.values)
    if not there and not watched:
        return Gradients(local, note=NO_GRADIENTS)
    if not scalars:
        note = FREED_NOTE if is_freed(recorded) and not watched else ""
        return Gradients(local, there, watched=watched, note=note)
    chained = _by_chain_rule(recorded, local)
    if all(np.allclose(chained[key], there[key]) for key in chained.keys() & there.keys()):
        return Gradients(local, chained | there)
    return Gradients(local, there, note=OTHER_GRADIENTS)


def _computed(recorded: Recorded, scalars: bool, local: Locals) -> Gradients:
    if scalars:
        chained = _by_chain_rule(recorded, local)
        if len(chained) == sum(value.requires_grad for value in recorded.values):
            return Gradients(local, chained)
    if is_freed(recorded):
        if any(watched_gradient(value) is not None for value in recorded.values):
            return gradients(recorded, None, scalars)
        raise RuntimeError(
            "draw(..., grad=True) works the gradients out anew, but what they need was freed by a "
            "backward() before. Draw first, call backward(retain_graph=True), or compute inside "
            "`with visualize.watch():`."
        )
    summed = any(math.prod(output.shape) != 1 for output in recorded.outputs)
    note = "gradients are those of the sum of all outputs" if summed else ""
    return Gradients(local, by_engine(recorded), note=note)


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
