"""Running sums, products and extremes."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import return_types
from autograd.op import linear, op
from autograd.ops.arithmetic import array_of
from autograd.ops.conversion import cast
from autograd.ops.dimensions import ndim_of, numpy_names, one
from autograd.ops.gathering import add_along, as_given, picking
from autograd.ops.powers import exp
from autograd.ops.shape import _flip, _reshape, _shaped

__all__ = ["cummax", "cummin", "cumprod", "cumsum", "logcumsumexp"]

# -- sums ------------------------------------------------------------------------------------------


@linear(dx=lambda dy, dim: _sum_from_end(dy, dim))
def _cumsum(x, dim):
    """yₖ = x₁ + ... + xₖ"""
    return np.add.accumulate(x, dim, dtype=None if x.dtype.kind == "f" else np.int64)


@linear(dx=lambda dy, dim: _cumsum(dy, dim))
def _sum_from_end(x, dim):
    """yₖ = xₖ + ... + xₙ: the adjoint of the running sum."""
    return np.flip(np.add.accumulate(np.flip(x, dim), dim), dim).copy()


@numpy_names
def cumsum(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """The running sum along ``dim``: yₖ = x₁ + ... + xₖ. Integers and bools sum to int64; ``dtype``
    converts first."""
    return _along(_cumsum, input if dtype is None else cast(input, dtype), dim)


def _along(function: Any, x: Any, dim: int, *settings: Any) -> Any:
    """``function`` along ``dim`` of ``x``; a 0-d tensor is taken for one of a single element."""
    dim = one(dim, ndim_of(x))
    return (
        function(x, dim, *settings)
        if x.ndim
        else _shaped(function(_reshape(x, (1,)), dim, *settings), ())
    )


# -- recurrences -----------------------------------------------------------------------------------
#
# The derivative of a running product, y' = Σ dyᵢ · (product of all others up to i), is usually
# computed by dividing the product by xₖ, and breaks where xₖ is zero. A recurrence needs no
# division.


@op(
    du=lambda dy, a, dim: _recur_from_end(dy, a, dim),
    da=lambda dy, a, y, dim: _recur_from_end(dy, a, dim) * _shift(y, dim, 1),
)
def _recur(u, a, dim):
    """yₖ = uₖ + aₖ yₖ₋₁, with y₀ = 0."""
    y = np.array(u)
    rows, factors = np.moveaxis(y, dim, 0), np.moveaxis(a, dim, 0)
    for k in range(1, len(rows)):
        rows[k] += factors[k] * rows[k - 1]
    return y


def _recur_from_end(u: Any, a: Any, dim: int) -> Any:
    """yₖ = uₖ + aₖ₊₁ yₖ₊₁: how gradients run back through the recurrence."""
    return _flip(_recur(_flip(u, (dim,)), _flip(_shift(a, dim, -1), (dim,)), dim), (dim,))


@linear(dx=lambda dy, dim, by: _shift(dy, dim, -by))
def _shift(x, dim, by):
    """``x`` moved on (by = 1) or back (-1) by one place along ``dim``; a zero moves in."""
    y = np.zeros_like(x)
    to, fro = np.moveaxis(y, dim, 0), np.moveaxis(x, dim, 0)
    if by > 0:
        to[1:] = fro[:-1]
    else:
        to[:-1] = fro[1:]
    return y


@op(dx=lambda dy, x, y, dim: cumprod_gradient(dy, x, y, dim))
def _cumprod(x, dim):
    """yₖ = x₁ ⋯ xₖ"""
    return np.multiply.accumulate(x, dim, dtype=None if x.dtype.kind == "f" else np.int64)


def cumprod_gradient(dy: Any, x: Any, y: Any, dim: int) -> Any:
    """The gradient of the running product ``y`` of ``x``, right to any order where there are zeros
    too."""
    if x.shape[dim] == 1:
        return dy
    if array_of(x).all():
        return _sum_from_end(dy * y, dim) / x
    return _before(y, dim) * _recur_from_end(dy, x, dim)


def _before(y: Any, dim: int) -> Any:
    """Of a running product the products up to the element before: yₖ₋₁, with y₀ = 1."""
    numbers = array_of(y)
    first = np.zeros(numbers.shape, numbers.dtype)
    np.moveaxis(first, dim, 0)[:1] = 1
    return _shift(y, dim, 1) + first


@numpy_names
def cumprod(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """The running product along ``dim``: yₖ = x₁ ⋯ xₖ. Of integers and bools int64; ``dtype``
    converts first.

    The gradient is right where there are zeros too."""
    return _along(_cumprod, input if dtype is None else cast(input, dtype), dim)


# dyₖ/dxⱼ = exp(xⱼ - yₖ), and exp(yₖ - yₖ₊₁) <= 1 leads from one k to the next without overflow.
@op(
    dx=lambda dy, x, y, dim: exp(x - y) * _recur_from_end(dy, exp(_shift(y, dim, 1) - y), dim),
    floats=True,
)
def _logcumsumexp(x, dim):
    """yₖ = log(exp x₁ + ... + exp xₖ)"""
    return np.logaddexp.accumulate(x, dim)


def logcumsumexp(input: Any, dim: int) -> Any:
    """yₖ = log(exp x₁ + ... + exp xₖ) along ``dim``, computed without overflow."""
    return _along(_logcumsumexp, input, dim)


# -- extremes --------------------------------------------------------------------------------------

_cummax = picking("_cummax", add_along)
_cummin = picking("_cummin", add_along)


def cummax(input: Any, dim: int) -> Any:
    """The running maximum along ``dim`` and its index: ``(values, indices)``. Of equal elements the
    last counts."""
    return return_types.cummax(*_running(_cummax, np.maximum, input, dim))


def cummin(input: Any, dim: int) -> Any:
    """The running minimum along ``dim`` and its index: ``(values, indices)``. Of equal elements the
    last counts."""
    return return_types.cummin(*_running(_cummin, np.minimum, input, dim))


def _running(pick: Any, extreme: np.ufunc, input: Any, dim: int) -> tuple[Any, Any]:
    x = np.atleast_1d(array_of(input))
    dim = one(dim, ndim_of(input))
    here = (x == extreme.accumulate(x, dim)) | (x != x)
    places = np.arange(x.shape[dim]).reshape((-1,) + (1,) * (x.ndim - dim - 1))
    index = np.maximum.accumulate(np.where(here, places, 0), dim)
    values = pick(_reshape(input, x.shape), dim, index, True)
    return _shaped(values, tuple(input.shape)), as_given(index.reshape(input.shape), input)
