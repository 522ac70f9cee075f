"""A Jacobian three times: by differences, by backward, by forward mode.

A row for each element of the output, a column for each element of the input. Differences and
forward mode find it column by column, backward row by row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograd.differentiation import grad
from autograd.tensor import Tensor, memory, wrap

Outputs = Callable[[tuple[Any, ...]], list[Tensor]]  # the outputs of a function, by its arguments


@contextmanager
def moved(x: Tensor, place: Any, step: Any) -> Iterator[None]:
    """Inside, the element at ``place`` (or all, by an array of steps) is moved by ``step``."""
    values = memory(x)
    before = values[place].copy()
    values[place] = before + step
    try:
        yield
    finally:
        values[place] = before


def kink(left: Any, here: Any, right: Any, step: float) -> str:
    """Words for a function that has a kink where it is ``here``, ``step`` from its left and right
    neighbours; or that is not finite there; "" for others."""
    if not np.isfinite([left, here, right]).all():
        return "The function is not finite there: move the input to where it is."
    before, after = (here - left) / step, (right - here) / step
    if abs(after - before) > 0.01 * max(abs(before), abs(after)):
        return (
            f"It is a kink: the slope is {before:.4g} on its left and {after:.4g} on its right. "
            "Move the input away from it."
        )
    return ""


def beside(
    outputs: Outputs, args: tuple[Any, ...], x: Tensor, place: Any, step: Any, number: int
) -> np.ndarray:
    """Output ``number``, flattened, for an ``x`` among ``args`` that is moved at ``place``."""
    with moved(x, place, step):
        return np.array(outputs(args)[number]._array, np.float64).reshape(-1)


def by_differences(
    outputs: Outputs, args: tuple[Any, ...], x: Tensor, number: int, y: Tensor, eps: float
) -> np.ndarray:
    """The Jacobian of output ``number``, ``y``, by ``x``, from central differences."""
    jacobian = np.zeros((y.numel(), x.numel()))
    for column, place in enumerate(np.ndindex(*x.shape)):
        right, left = (beside(outputs, args, x, place, side, number) for side in (eps, -eps))
        jacobian[:, column] = (right - left) / (2 * eps)
    return jacobian


def by_backward(x: Tensor, y: Tensor) -> np.ndarray:
    """The Jacobian of ``y`` by ``x``, from backpropagation."""
    jacobian = np.zeros((y.numel(), x.numel()))
    for row in range(y.numel()):
        one = np.zeros(y.numel(), memory(y).dtype)
        one[row] = 1
        jacobian[row] = pulled_back(x, y, one.reshape(y.shape)).reshape(-1)
    return jacobian


def by_forward(
    outputs: Outputs, args: tuple[Any, ...], x: Tensor, number: int, y: Tensor
) -> np.ndarray:
    """The Jacobian of output ``number``, ``y``, by ``x``, from dual numbers."""
    jacobian = np.zeros((y.numel(), x.numel()))
    for column in range(x.numel()):
        one = np.zeros(x.numel(), memory(x).dtype)
        one[column] = 1
        pushed = pushed_forward(outputs, args, x, one.reshape(x.shape), number)
        jacobian[:, column] = 0 if pushed is None else pushed.reshape(-1)
    return jacobian


def pulled_back(x: Tensor, y: Tensor, v: np.ndarray) -> np.ndarray:
    """v'J, the gradient by ``x`` of the outputs ``y`` weighed by ``v``."""
    (gradient,) = grad(y, x, wrap(v), retain_graph=True, allow_unused=True)
    return np.zeros(x.shape) if gradient is None else memory(gradient)


def pushed_forward(
    outputs: Outputs, args: tuple[Any, ...], x: Tensor, u: np.ndarray, number: int
) -> np.ndarray | None:
    """J u, the slope of output ``number`` along the direction ``u`` of ``x``; None for none."""
    from autograd.forward_ad import dual_level, make_dual, unpack_dual  # rarely needed

    with dual_level():
        dual = make_dual(x, wrap(u))
        y = outputs(tuple(dual if a is x else a for a in args))[number]
        tangent = unpack_dual(y).tangent
        return None if tangent is None else memory(tangent)
