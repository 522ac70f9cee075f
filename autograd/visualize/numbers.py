"""What is known of the numbers of a graph: values and gradients, each summarized once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd.reading.recorded import Recorded, Value

from .model import Summary
from .summary import summarize
from .watch import seen_of

Known = dict[int, Summary | None]


class Numbers:
    """The summaries of values and gradients: of arrays that are there, or as `watch` noted them."""

    def __init__(self, gradients: Mapping[int, Any], watched_gradients: bool) -> None:
        """`gradients` are arrays, by id of the value."""
        self._gradients = gradients
        self._watched_gradients = watched_gradients
        self._values: Known = {}
        self._grads: Known = {}

    def value(self, value: Value) -> Summary | None:
        """Return what is known of a tensor; None if its numbers are gone."""
        key = id(value)
        if key not in self._values:
            seen = None if value.array is not None else seen_of(value.node)
            if seen is not None and value.slot < len(seen.values):
                self._values[key] = seen.values[value.slot]
            else:
                self._values[key] = None if value.array is None else summarize(value.array)
        return self._values[key]

    def is_finite(self, value: Value) -> bool:
        """Whether a tensor is known to have neither inf nor nan, sooner told than all the rest."""
        return value.array is not None and bool(np.isfinite(value.array).all())

    def grad(self, value: Value) -> Summary | None:
        """Return what is known of a tensor's gradient; None if there is none."""
        key = id(value)
        if key not in self._grads:
            found = self._gradients.get(key)
            self._grads[key] = None if found is None else summarize(found)
            if found is None and self._watched_gradients:
                self._grads[key] = watched_gradient(value)
        return self._grads[key]


def watched_gradient(value: Value) -> Summary | None:
    """Return the gradient that was seen to arrive at a tensor."""
    seen = seen_of(value.node)
    return seen.grads[value.slot] if seen is not None and value.slot < len(seen.grads) else None


_ON_PURPOSE = ("masked_fill", "where")  # operations that are told to put -inf somewhere


def trouble(recorded: Recorded, numbers: Numbers) -> dict[int, str]:
    """Return what is wrong with operations, by id of the step: the first that makes inf of finite
    operands or nan of others, and every dead ReLU."""
    found: dict[int, str] = {}
    first = True
    for step in recorded.steps:
        if step.name != "relu" and all(map(numbers.is_finite, step.outputs)):
            continue  # nothing can be wrong, and there may be thousands
        known = [value for output in step.outputs if (value := numbers.value(output)) is not None]
        broken = max(known, key=_severity, default=None)
        if first and broken is not None and broken.trouble and step.name not in _ON_PURPOSE:
            before = [numbers.value(operand) for _, operand in step.operands]
            if any(_severity(operand) >= _severity(broken) for operand in before if operand):
                continue
            first = False
            place = "here or just before," if None in before else "first"
            found[id(step)] = f"{place} {broken.trouble}"
        elif step.name == "relu" and any(v.items is None and v.zeros == 1 for v in known):
            found[id(step)] = "dead: every output is 0"
    return found


def _severity(summary: Summary) -> int:
    return 0 if not summary.trouble else 2 if summary.trouble.startswith("nan") else 1
