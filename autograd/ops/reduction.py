"""Many numbers made one: sums, means, products, variances, extremes.

A reduction over ``dim`` (an int, several, or None for all) drops these dimensions, or keeps them
with length 1 (``keepdim``). Going back, the gradient of the one result is handed to all it was made
from.
"""

from __future__ import annotations

import builtins
import math
import warnings
from typing import Any

import numpy as np

from autograd import dtypes, return_types
from autograd.op import elementwise, linear, op
from autograd.ops.arithmetic import array_of
from autograd.ops.broadcasting import _expand
from autograd.ops.conversion import cast
from autograd.ops.cumulative import _cumprod, cumprod_gradient
from autograd.ops.dimensions import ndim_of, numpy_names, one, reduced
from autograd.ops.elementary import maximum, minimum
from autograd.ops.gathering import as_given, picking, put_along
from autograd.ops.parts import _place
from autograd.ops.powers import exp
from autograd.ops.shape import _reshape
from autograd.tensor import Tensor

__all__ = [
    "all", "amax", "amin", "aminmax", "any", "argmax", "argmin", "count_nonzero", "logsumexp",
    "max", "mean", "min", "nanmean", "nansum", "prod", "std", "std_mean", "sum", "var", "var_mean",
]  # fmt: skip


def restored(y: Any, shape: tuple[int, ...], dim: Any) -> Any:
    """``y``, reduced over ``dim`` from ``shape``, with the lost dimensions back at length 1: it
    broadcasts to ``shape``."""
    if dim is None or len(y.shape) == len(shape):
        return y
    if type(dim) is int:
        return _reshape(y, shape[:dim] + (1,) + shape[dim + 1 :])
    return _reshape(y, tuple([1 if i in dim else n for i, n in enumerate(shape)]))


def count(shape: tuple[int, ...], dim: Any) -> int:
    """How many elements each result of a reduction over ``dim`` is made from."""
    if dim is None:
        return math.prod(shape)
    return shape[dim] if type(dim) is int else math.prod([shape[d] for d in dim])


# -- sums and means --------------------------------------------------------------------------------


_LONGEST = 4096
_ONES = {kind: np.ones(_LONGEST, kind) for kind in "fd"}


def _add_up(x: Any, dim: Any, keepdim: Any) -> Any:
    """np.add.reduce for float32 and float64. Rows of memory are summed as a product with ones: BLAS
    takes a third of the time for it, and a fiftieth if they are short. Only short ones, so that
    rounding errors stay as small as when NumPy sums by halves; its sum adds up the rows."""
    last = dim is not None and dim == x.ndim - 1
    n = x.shape[-1] if last else 1024
    if x.size < 1024 or not (last or dim is None) or n > _LONGEST or not x.flags.c_contiguous:
        return np.add.reduce(x, axis=dim, keepdims=keepdim)
    ones = _ONES[x.dtype.char][:n]
    if last:
        return (x.reshape(-1, n) @ ones).reshape(x.shape[:-1] + (1,) * keepdim)
    row, whole = x.reshape(-1), x.size - x.size % n
    y = np.add.reduce(row[:whole].reshape(-1, n) @ ones) + np.add.reduce(row[whole:])
    return y.reshape((1,) * x.ndim) if keepdim else y


@linear(dx=lambda dy, x_shape, dim: _expand(restored(dy, x_shape, dim), x_shape))
def _sum(x, dim, keepdim):
    """The sum over ``dim``. Its adjoint hands every term the gradient of the sum."""
    if x.dtype.char in "fd":
        return _add_up(x, dim, keepdim)
    wide = np.float32 if x.dtype.kind == "f" else np.int64
    return np.add.reduce(x, axis=dim, dtype=wide, keepdims=keepdim).astype(
        x.dtype if wide is np.float32 else wide
    )


@linear(
    dx=lambda dy, x_shape, dim: _expand(
        restored(dy / (count(x_shape, dim) or 1), x_shape, dim), x_shape
    )
)
def _mean(x, dim, keepdim):
    """The sum over ``dim``, divided by how many there are."""
    if x.dtype.char in "fd":
        return _add_up(x, dim, keepdim) / count(x.shape, dim)
    return (
        np.add.reduce(x, axis=dim, dtype=np.float32, keepdims=keepdim) / count(x.shape, dim)
    ).astype(x.dtype)


@linear(dx=lambda dy, x, x_shape, dim: restored(dy, x_shape, dim) * (x == x))
def _nansum(x, dim, keepdim):
    return np.nansum(x, axis=dim, keepdims=keepdim, dtype=None if x.dtype.kind == "f" else np.int64)


@numpy_names
def sum(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The sum over ``dim`` (None: all). Integers sum to int64; ``dtype`` converts first."""
    x = input if dtype is None else cast(input, dtype)
    return _sum(x, reduced(dim, ndim_of(x)), keepdim)


@numpy_names
def nansum(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The sum over ``dim`` (None: all) in which nan counts as 0."""
    x = input if dtype is None else cast(input, dtype)
    return _nansum(x, reduced(dim, ndim_of(x)), keepdim)


@numpy_names
def mean(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The mean over ``dim`` (None: all); of no elements nan. ``dtype`` converts first. RuntimeError
    for integers."""
    x = input if dtype is None else cast(input, dtype)
    dim = reduced(dim, ndim_of(x))
    if array_of(x).dtype.kind != "f":
        raise RuntimeError(
            "mean(): could not infer output dtype. Input dtype must be either a floating point or "
            f"complex dtype. Got: {dtypes.of_array(array_of(x))._title}. Convert it first: "
            "x.float().mean()"
        )
    return _mean(x, dim, keepdim)


@numpy_names
def nanmean(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The mean over ``dim`` (None: all) of what is not nan. RuntimeError for integers."""
    x = input if dtype is None else cast(input, dtype)
    numbers = array_of(x)
    if numbers.dtype.kind != "f":
        raise RuntimeError(
            f"nanmean(): expected input to have floating point or complex dtype but got {x.dtype}"
        )
    there = (numbers == numbers).sum(axis=reduced(dim, ndim_of(x)), keepdims=keepdim)
    return nansum(x, dim, keepdim) / there.astype(numbers.dtype)


@numpy_names
def logsumexp(input: Any, dim: Any, keepdim: bool = False) -> Any:
    """log Σ exp(x) over ``dim``, computed without overflow. Integers are computed as floats."""
    return _logsumexp(input, reduced(dim, ndim_of(input)), keepdim)


@op(
    dx=lambda dy, x, y, x_shape, dim: (
        restored(dy, x_shape, dim) * exp(x - restored(y, x_shape, dim))
    ),
    floats=True,
)
def _logsumexp(x, dim, keepdim):
    """log Σ exp(x - top) + top, where top, the largest, keeps exp from overflowing"""
    if not x.size:
        return np.log(np.add.reduce(x, axis=dim, keepdims=keepdim))
    top = np.maximum.reduce(x, axis=dim, keepdims=True)
    top = np.where(np.isinf(top), 0, top)
    y = np.log(np.add.reduce(np.exp(x - top), axis=dim, keepdims=keepdim))
    return y + top.reshape(y.shape)


# -- products --------------------------------------------------------------------------------------


@op(
    dx=lambda dy, x, y, x_shape, dim: _product_gradient(
        restored(dy, x_shape, dim), x, restored(y, x_shape, dim), dim
    )
)
def _prod(x, dim, keepdim):
    """The product over ``dim``"""
    return np.multiply.reduce(
        x, axis=dim, dtype=None if x.dtype.kind == "f" else np.int64, keepdims=keepdim
    )


def _product_gradient(dy: Any, x: Any, y: Any, dim: int | None) -> Any:
    """∂y/∂xₖ is the product of all others: y / xₖ, or, where there are zeros, the last running
    product's derivative."""
    if count(x.shape, dim) == 1:
        return _reshape(dy, tuple(x.shape))
    if array_of(x).all():
        return dy * y / x
    if dim is None:
        return _reshape(
            _product_gradient(_reshape(dy, (1,)), _reshape(x, (-1,)), y, 0), tuple(x.shape)
        )
    last = _place(dy, tuple(x.shape), (*(slice(None),) * dim, slice(-1, None)))
    return cumprod_gradient(last, x, _cumprod(x, dim), dim)


@numpy_names
def prod(input: Any, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The product over ``dim`` (None: all). Of integers and bools int64; ``dtype`` converts first.

    The gradient is right where there are zeros too, to any order."""
    x = input if dtype is None else cast(input, dtype)
    return _prod(x, None if dim is None or not ndim_of(x) else one(dim, x.ndim), keepdim)


# -- variances -------------------------------------------------------------------------------------


@op(
    dx=lambda dy, x, x_shape, dim, correction: (
        _deviation(x, x_shape, dim, correction) * restored(2 * dy, x_shape, dim)
    )
)
def _var(x, dim, correction, keepdim):
    """Σ (x - mean)² / (n - correction)"""
    deviation = x - np.add.reduce(x, axis=dim, keepdims=True) / count(x.shape, dim)
    return np.add.reduce(deviation * deviation, axis=dim, keepdims=keepdim) / _freedom(
        x.shape, dim, correction
    )


@op(
    dx=lambda dy, x, y, x_shape, dim, correction: (
        _deviation(x, x_shape, dim, correction) * restored(quotient(dy, y), x_shape, dim)
    )
)
def _std(x, dim, correction, keepdim):
    """The square root of the variance. Where it is 0, so is the gradient."""
    return np.sqrt(_var(x, dim, correction, keepdim))


def _deviation(x: Any, shape: tuple[int, ...], dim: Any, correction: float) -> Any:
    return (x - _mean(x, dim, True)) / _freedom(shape, dim, correction)


def _freedom(shape: tuple[int, ...], dim: Any, correction: float) -> float:
    """The degrees of freedom that the squares are divided by."""
    return builtins.max(0, count(shape, dim) - correction)


@elementwise(da=lambda dy, b: quotient(dy, b), db=lambda dy, b, y: -quotient(dy * y, b))
def quotient(a, b):
    """a / b, and 0 where b is 0: for slopes at kinks, where 0 is the convention."""
    zero = b == 0
    return a / (b + zero) * ~zero


@numpy_names
def var(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Any:
    """The variance over ``dim`` (None: all), Σ (x - mean)² / (n - correction), where correction is
    1 by default (Bessel's); ``unbiased=False`` means 0. Of n <= correction elements it is nan or
    inf. RuntimeError for integers."""
    return _var(*_spread_arguments(input, dim, unbiased, keepdim, correction))


@numpy_names
def std(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Any:
    """The standard deviation: the square root of :func:`var`. Where it is 0, its gradient is taken
    to be 0."""
    return _std(*_spread_arguments(input, dim, unbiased, keepdim, correction))


@numpy_names
def var_mean(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Any, Any]:
    """The variance and the mean over ``dim`` (None: all). See :func:`var`."""
    return var(input, dim, unbiased, keepdim, correction=correction), mean(
        input, _dim_of(dim), keepdim
    )


@numpy_names
def std_mean(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Any, Any]:
    """The standard deviation and the mean over ``dim`` (None: all). See :func:`std`."""
    return std(input, dim, unbiased, keepdim, correction=correction), mean(
        input, _dim_of(dim), keepdim
    )


def _dim_of(dim: Any) -> Any:
    """``dim``, unless it is the bool ``unbiased``, which may take its place: ``x.var(False)``."""
    return None if isinstance(dim, bool) else dim


def _spread_arguments(
    input: Any, dim: Any, unbiased: bool | None, keepdim: bool, correction: float | None
) -> tuple[Any, ...]:
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if correction is None:
        correction = 0 if unbiased is False else 1
    dim = reduced(dim, ndim_of(input))
    if array_of(input).dtype.kind != "f":
        raise RuntimeError(
            f"std and var only support floating point and complex dtypes, but got {input.dtype}"
        )
    if count(tuple(input.shape), dim) <= correction:
        warnings.warn(
            "var(): degrees of freedom is <= 0. Correction should be strictly less than the "
            "reduction factor (input numel divided by output numel): "
            f"{count(tuple(input.shape), dim)} elements, correction {correction}.",
            stacklevel=3,
        )
    return input, dim, correction, keepdim


# -- extremes --------------------------------------------------------------------------------------


@op(
    dx=lambda dy, x, y, x_shape, dim: shared(
        restored(dy, x_shape, dim), x, restored(y, x_shape, dim), dim
    )
)
def _amax(x, dim, keepdim):
    """The largest over ``dim``"""
    return np.maximum.reduce(x, axis=dim, keepdims=keepdim)


@op(
    dx=lambda dy, x, y, x_shape, dim: shared(
        restored(dy, x_shape, dim), x, restored(y, x_shape, dim), dim
    )
)
def _amin(x, dim, keepdim):
    """The smallest over ``dim``"""
    return np.minimum.reduce(x, axis=dim, keepdims=keepdim)


@op(dx=lambda dy, x, y: shared_with_nan(dy, x, y))
def _max(x):
    """The largest of all"""
    return np.maximum.reduce(x, axis=None)


@op(dx=lambda dy, x, y: shared_with_nan(dy, x, y))
def _min(x):
    """The smallest of all"""
    return np.minimum.reduce(x, axis=None)


def shared(dy: Any, x: Any, y: Any, dim: Any) -> Any:
    """``dy`` shared equally by all elements of ``x`` that are equal to ``y``."""
    return _divided(dy, array_of(x) == array_of(y), dim)


def shared_with_nan(dy: Any, x: Any, y: Any) -> Any:
    """As :func:`shared`, for one ``y`` of all, which, if it is nan, hands its gradient to the
    elements that are."""
    x, y = array_of(x), array_of(y)
    return _divided(dy, x == y if y == y else x != x, None)


def _divided(dy: Any, winners: np.ndarray, dim: Any) -> Any:
    number = np.add.reduce(winners, axis=dim, keepdims=True)
    return dy / number.astype(array_of(dy).dtype) * winners


_max_along = picking("_max_along", put_along)
_min_along = picking("_min_along", put_along)


@numpy_names
def amax(input: Any, dim: Any = (), keepdim: bool = False) -> Any:
    """The largest elements over ``dim`` (none: all); nan if there is one. Equal ones share the
    gradient equally."""
    return _amax(input, not_empty("amax", input, reduced(dim, ndim_of(input))), keepdim)


@numpy_names
def amin(input: Any, dim: Any = (), keepdim: bool = False) -> Any:
    """The smallest elements over ``dim`` (none: all); nan if there is one. Equal ones share the
    gradient equally."""
    return _amin(input, not_empty("amin", input, reduced(dim, ndim_of(input))), keepdim)


def aminmax(input: Any, *, dim: int | None = None, keepdim: bool = False) -> Any:
    """The smallest and the largest elements along ``dim`` (None: of all): ``(min, max)``."""
    return return_types.aminmax(amin(input, dim, keepdim), amax(input, dim, keepdim))


@numpy_names
def max(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """``max(x)``: the largest element; equal ones share the gradient equally.
    ``max(x, dim)``: the largest along ``dim`` and their indices, ``(values, indices)``; of equal
    ones the first counts.
    ``max(x, y)``: the larger, elementwise, as :func:`maximum`. nan, if there is one, is the
    largest.

    Raises RuntimeError or IndexError if there are no elements to choose from."""
    if other is not None or isinstance(dim, (Tensor, np.ndarray)):
        return maximum(input, dim if other is None else other)
    if dim is None:
        not_empty("max", input, None)
        return _max(input)
    return return_types.max(*_along("max", _max_along, np.argmax, input, dim, keepdim))


@numpy_names
def min(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """``min(x)``: the smallest element; equal ones share the gradient equally.
    ``min(x, dim)``: the smallest along ``dim`` and their indices, ``(values, indices)``; of equal
    ones the first counts.
    ``min(x, y)``: the smaller, elementwise, as :func:`minimum`. nan, if there is one, is the
    smallest.

    Raises RuntimeError or IndexError if there are no elements to choose from."""
    if other is not None or isinstance(dim, (Tensor, np.ndarray)):
        return minimum(input, dim if other is None else other)
    if dim is None:
        not_empty("min", input, None)
        return _min(input)
    return return_types.min(*_along("min", _min_along, np.argmin, input, dim, keepdim))


def _along(name: str, pick: Any, find: Any, input: Any, dim: int, keepdim: bool) -> tuple[Any, Any]:
    dim = one(dim, ndim_of(input))
    x, keepdim = (input, keepdim) if input.ndim else (_reshape(input, (1,)), False)
    not_empty(name, x, dim)
    index = find(array_of(x), axis=dim, keepdims=True)
    return pick(x, dim, index, keepdim), as_given(index if keepdim else index.squeeze(dim), input)


def not_empty(name: str, input: Any, dim: Any, error: type[Exception] = RuntimeError) -> Any:
    """``dim``, provided that a reduction over it has something to choose from."""
    shape = tuple(input.shape)
    if dim is None:
        if 0 in shape:
            raise error(
                f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify "
                f"the reduction dim with the 'dim' argument (the shape is {list(shape)})."
            )
    elif not count(shape, dim):
        empty = dim if type(dim) is int else next(d for d in dim if not shape[d])
        raise IndexError(
            f"{name}(): Expected reduction dim {empty} to have non-zero size (the shape is "
            f"{list(shape)})."
        )
    return dim


@op()
def _argmax(x, dim, keepdim):
    return np.argmax(x, axis=dim, keepdims=keepdim)


@op()
def _argmin(x, dim, keepdim):
    return np.argmin(x, axis=dim, keepdims=keepdim)


@numpy_names
def argmax(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The index, int64, of the largest element along ``dim`` (None: in the flattened tensor): the
    first of equal ones, or of nan."""
    return _argmax(
        input, not_empty("argmax", input, reduced(dim, ndim_of(input)), IndexError), keepdim
    )


@numpy_names
def argmin(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The index, int64, of the smallest element along ``dim`` (None: in the flattened tensor): the
    first of equal ones, or of nan."""
    return _argmin(
        input, not_empty("argmin", input, reduced(dim, ndim_of(input)), IndexError), keepdim
    )


# -- counts ----------------------------------------------------------------------------------------


@op()
def _all(x, dim, keepdim):
    return np.logical_and.reduce(x, axis=dim, keepdims=keepdim).astype(_truth(x), copy=False)


@op()
def _any(x, dim, keepdim):
    return np.logical_or.reduce(x, axis=dim, keepdims=keepdim).astype(_truth(x), copy=False)


def _truth(x: np.ndarray) -> Any:
    """bool; but bytes, which served for it once, stay bytes."""
    return np.uint8 if x.dtype == np.uint8 else np.bool_


@op()
def _count_nonzero(x, dim):
    return np.add.reduce(x != 0, axis=dim, dtype=np.int64)


@numpy_names
def all(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Whether all elements over ``dim`` (None: all) are true, or not zero; of no elements True."""
    return _all(input, reduced(dim, ndim_of(input)), keepdim)


@numpy_names
def any(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Whether any element over ``dim`` (None: all) is true, or not zero; of no elements False."""
    return _any(input, reduced(dim, ndim_of(input)), keepdim)


def count_nonzero(input: Any, dim: Any = None) -> Any:
    """How many elements over ``dim`` (None: all) are not zero, int64."""
    return _count_nonzero(input, reduced(dim, ndim_of(input)))
