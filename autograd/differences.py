"""Differences: what becomes of a function if one element of a tensor is moved a little.

Calculus before there was calculus: ``gradcheck_at`` puts it beside what backward says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.differentiation import grad
from autograd.jacobians import kink, moved
from autograd.tensor import Tensor, memory

__all__ = ["ElementCheck", "gradcheck_at"]

# By dtype: the step at which rounding and curvature harm least, and how close two slopes should be.
_STEPS = {"float16": 1e-1, "float32": 5e-3, "float64": 1e-6}
_TOLERANCES = {"float16": 0.1, "float32": 0.01, "float64": 1e-5}


@dataclass(frozen=True, slots=True)
class ElementCheck:
    """One element of a gradient, by backward and by central differences."""

    index: tuple[int, ...]
    at: float  # the element of x
    step: float
    analytic: float
    numerical: float
    left: float  # the slope to the left,
    right: float  # and to the right
    difference: float  # between the two, relative to the larger
    agrees: bool
    note: str  # what may be amiss

    def __bool__(self) -> bool:
        return self.agrees

    def __str__(self) -> str:
        place = str(list(self.index)) if self.index else ""
        step = f"step {self.step:g}"
        rows = [
            (f"d loss / d x{place}, at x{place} =", f"{self.at:.8g}", ""),
            ("  by backward", f"{self.analytic:.8g}", ""),
            ("  by central differences", f"{self.numerical:.8g}", step),
            ("  relative difference", f"{self.difference:.2g}", self._verdict()),
        ]
        width = max(len(name) for name, _, _ in rows)
        column = max(len(number) for _, number, _ in rows)
        told = [f"{name:<{width}}  {number:<{column}}  {more}" for name, number, more in rows]
        return "\n".join([*map(str.rstrip, told), *([self.note] if self.note else [])])

    __repr__ = __str__

    def _verdict(self) -> str:
        return "they agree" if self.agrees else "they do not agree"


def gradcheck_at(
    loss_fn: Callable[[Tensor], Any], x: Tensor, index: Any = (), *, eps: float | None = None
) -> ElementCheck:
    """A second opinion on one element of a gradient: d loss_fn(x) / d x[index] by backward, and by
    moving that element a little to either side.

    ``loss_fn`` returns a single number. The element is moved in place (and put back), so for a
    parameter ``loss_fn`` may as well ignore its argument: ``gradcheck_at(lambda _: loss_of(model),
    model.weight, (0, 1))``. ``eps`` is the step, by default one that suits the dtype. The result
    is true if the two agree, and prints both with what may be amiss: a kink, or float32. Raises
    RuntimeError if ``x`` requires no grad or there is more than one number, IndexError for an index
    that is not that of an element."""
    if not x.requires_grad:
        raise RuntimeError("gradcheck_at needs an x that requires grad: call x.requires_grad_().")
    place = _place(x, index)
    dtype = memory(x).dtype.name
    step = _STEPS.get(dtype, 1e-6) if eps is None else eps
    y = loss_fn(x)
    if not isinstance(y, Tensor) or y.numel() != 1:
        given = f"shape {tuple(y.shape)}" if isinstance(y, Tensor) else type(y).__name__
        raise RuntimeError(f"loss_fn must return a tensor with one number, but returned {given}")
    (gradient,) = grad(y, x, allow_unused=True) if y.requires_grad else (None,)
    analytic = 0.0 if gradient is None else float(memory(gradient)[place])
    at = float(memory(x)[place])
    values, steps = [], []
    for side in (-step, 0.0, step):
        with moved(x, place, side):
            steps.append(float(memory(x)[place]) - at)  # as it was rounded
            values.append(float(loss_fn(x)))
    left, here, right = values
    with np.errstate(all="ignore"):
        numerical = float(np.float64(right - left) / (steps[2] - steps[0]))
        slopes = [float(np.float64(v - here) / s) for v, s in ((left, steps[0]), (right, steps[2]))]
        larger = max(abs(analytic), abs(numerical))
        difference = abs(analytic - numerical) / larger if larger else 0.0
    tolerance = _TOLERANCES.get(dtype, 1e-5)
    agrees = bool(abs(analytic - numerical) <= tolerance * (1 + larger) if larger else True)
    note = "" if agrees else _note(y, kink(left, here, right, step), dtype)
    return ElementCheck(
        index=place,
        at=at,
        step=step,
        analytic=analytic,
        numerical=numerical,
        left=slopes[0],
        right=slopes[1],
        difference=difference,
        agrees=agrees,
        note=note,
    )


def _place(x: Tensor, index: Any) -> tuple[int, ...]:
    """The index of an element, all its numbers counted from the front."""
    given = tuple(index) if isinstance(index, (tuple, list)) else (index,)
    shape = tuple(x.shape)
    if len(given) != len(shape) or not all(
        isinstance(i, (int, np.integer)) and -n <= i < n for i, n in zip(given, shape, strict=True)
    ):
        raise IndexError(f"{index!r} is not the index of an element of a tensor of shape {shape}")
    return tuple(int(i) % n for i, n in zip(given, shape, strict=True))


def _note(y: Tensor, amiss: str, dtype: str) -> str:
    if not y.requires_grad:
        return (
            "The loss does not require grad: somewhere it was cut off, by detach(), no_grad() or a "
            "way through NumPy."
        )
    if amiss:
        return amiss.replace("It is a kink", "This looks like a kink")
    if dtype != "float64":
        return f"x is {dtype}: use float64, differences in {dtype} are coarse."
    return "The function is smooth there: the rule of some operation is wrong."
