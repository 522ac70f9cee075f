"""Sorting, and what it tells: ranks, medians, quantiles.

A sort only rearranges, and picks by rank: each value's gradient goes back to the element it came
from. Where equal elements compete, the first counts (but for ``mode``, the last).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import return_types
from autograd.op import op
from autograd.ops.arithmetic import array_of
from autograd.ops.dimensions import ndim_of, one
from autograd.ops.gathering import as_given, gather, picking, put_along
from autograd.ops.reduction import not_empty, shared_with_nan
from autograd.ops.shape import _reshape, _shaped, movedim
from autograd.tensor import Tensor

__all__ = [
    "argsort", "kthvalue", "median", "mode", "msort", "nanmedian", "nanquantile", "quantile",
    "sort", "topk",
]  # fmt: skip

# -- sorting ---------------------------------------------------------------------------------------

_sort = picking("_sort", put_along)
_topk = picking("_topk", put_along)


def _order(x: np.ndarray, dim: int, descending: bool) -> np.ndarray:
    """The indices that sort ``x`` along ``dim``, equal elements staying in order; nan is the
    largest."""
    if not descending:
        return x.argsort(axis=dim, kind="stable")
    backwards = np.flip(x, dim).argsort(axis=dim, kind="stable")
    return x.shape[dim] - 1 - np.flip(backwards, dim)


def sort(input: Any, dim: int = -1, descending: bool = False, *, stable: bool = True) -> Any:
    """The elements in order along ``dim``, and their indices: ``(values, indices)``. nan is larger
    than all; equal elements stay in order (always, whatever ``stable`` says)."""
    x, dim = _at_least_1d(input, dim)
    index = _order(array_of(x), dim, descending)
    return return_types.sort(*_like_input(input, _sort(x, dim, index, True), index))


def argsort(input: Any, dim: int = -1, descending: bool = False, stable: bool = True) -> Any:
    """The indices that put ``input`` in order along ``dim``, equal elements staying in order."""
    x, dim = _at_least_1d(input, dim)
    return as_given(_order(array_of(x), dim, descending).reshape(input.shape), input)


def msort(input: Any) -> Any:
    """The elements in order along the first dimension."""
    return sort(input, 0).values


def topk(input: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """The ``k`` largest (or smallest) elements along ``dim`` in order, and their indices:
    ``(values, indices)``.

    RuntimeError if there are not so many."""
    x, dim = _at_least_1d(input, dim)
    if not 0 <= k <= x.shape[dim]:
        raise RuntimeError(
            f"selected index k out of range: k is {k}, but dimension {dim} has length "
            f"{x.shape[dim]}"
        )
    index = _first(array_of(x), dim, k, largest)
    values = _topk(x, dim, index, True)
    return return_types.topk(*_like_input(input, values, index))


def _first(x: np.ndarray, dim: int, k: int, descending: bool) -> np.ndarray:
    """The first ``k`` of the indices that sort ``x`` along ``dim``. Of a long dimension the ``k``
    are picked out first, in linear time, and only they are sorted."""
    n = x.shape[dim]
    if n <= 50 or 4 * k > n or k == 0:
        return _order(x, dim, descending).take(np.arange(k), dim)
    border = n - k if descending else k - 1
    chosen = np.arange(border, n) if descending else np.arange(k)
    index = x.argpartition(border, dim).take(chosen, dim)
    return np.take_along_axis(
        index, _order(np.take_along_axis(x, index, dim), dim, descending), dim
    )


def _at_least_1d(input: Any, dim: int) -> tuple[Any, int]:
    dim = one(dim, ndim_of(input))
    return input if input.ndim else _reshape(input, (1,)), dim


def _like_input(input: Any, values: Any, index: np.ndarray) -> tuple[Any, Any]:
    """Values and indices; of a 0-d tensor 0-d ones."""
    if input.ndim:
        return values, as_given(index, input)
    return _shaped(values, ()), as_given(index.reshape(()), input)


# -- a single rank ---------------------------------------------------------------------------------

_kthvalue = picking("_kthvalue", put_along)
_median_along = picking("_median_along", put_along)
_mode = picking("_mode", put_along)


@op(dx=lambda dy, x, y: shared_with_nan(dy, x, y))
def _median(x):
    """The median of all; nan if there is one, or nothing at all"""
    if not x.size:
        return np.full((), np.nan).astype(x.dtype)
    return x.reshape(-1)[_median_index(x.reshape(-1), 0)[0]]


@op(dx=lambda dy, x, y: shared_with_nan(dy, x, y))
def _nanmedian(x):
    """The median of all that is not nan; nan if that is nothing"""
    if not x.size:
        return np.full((), np.nan).astype(x.dtype)
    return x.reshape(-1)[_nanmedian_index(x.reshape(-1), 0)[0]]


def _median_index(x: np.ndarray, dim: int) -> np.ndarray:
    """Where the median along ``dim`` is: the lower one of two; nan if there is one."""
    middle = _order(x, dim, False).take([(x.shape[dim] - 1) // 2], dim)
    nan = x != x
    return np.where(nan.any(dim, keepdims=True), nan.argmax(dim, keepdims=True), middle)


def _nanmedian_index(x: np.ndarray, dim: int) -> np.ndarray:
    """Where the median of what is not nan is, which a sort leaves at the end."""
    count = (x == x).sum(dim, keepdims=True)
    return np.take_along_axis(_order(x, dim, False), np.maximum(count - 1, 0) // 2, dim)


def median(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The median of all (equal elements share the gradient); or, along ``dim``, the medians and
    their indices: ``(values, indices)``. Of an even number the lower of the two in the middle; nan
    if there is one."""
    if dim is None:
        return _median(input)
    return return_types.median(
        *_by_index("median", _median_along, _median_index, input, dim, keepdim)
    )


def nanmedian(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """As :func:`median`, passing over nan."""
    if dim is None:
        return _nanmedian(input)
    return return_types.nanmedian(
        *_by_index("nanmedian", _median_along, _nanmedian_index, input, dim, keepdim)
    )


def kthvalue(input: Any, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """The ``k``-th smallest element along ``dim``, counted from 1, and its index: ``(values,
    indices)``.

    RuntimeError if there are not so many, IndexError if there are none."""
    n = input.shape[one(dim, ndim_of(input))] if input.ndim else 1
    if not n:
        raise IndexError(f"kthvalue(): Expected reduction dim {dim} to have non-zero size.")
    if not 1 <= k <= n:
        raise RuntimeError(
            f"kthvalue(): selected number k out of range for dimension {dim}: k is {k}, the length "
            f"{n}"
        )

    def find(x: np.ndarray, dim: int) -> np.ndarray:
        return _order(x, dim, False).take([k - 1], dim)

    return return_types.kthvalue(*_by_index("kthvalue", _kthvalue, find, input, dim, keepdim))


def mode(input: Any, dim: int = -1, keepdim: bool = False) -> Any:
    """The most frequent value along ``dim``, the smallest of several, and its last index:
    ``(values, indices)``."""
    return return_types.mode(*_by_index("mode", _mode, _mode_index, input, dim, keepdim))


def _mode_index(x: np.ndarray, dim: int) -> np.ndarray:
    order = _order(x, dim, False)
    ordered = np.moveaxis(np.take_along_axis(x, order, dim), dim, 0)
    # How often each value has come up to here in the order: the first to reach the highest number
    # is the mode.
    runs = np.zeros(ordered.shape, np.int64)
    for k in range(1, len(runs)):
        runs[k] = np.where(ordered[k] == ordered[k - 1], runs[k - 1] + 1, 0)
    return np.take_along_axis(order, np.moveaxis(runs, 0, dim).argmax(dim, keepdims=True), dim)


def _by_index(
    name: str, pick: Any, find: Any, input: Any, dim: int, keepdim: bool
) -> tuple[Any, Any]:
    """What is picked along ``dim`` at the index that ``find`` finds, and the index."""
    x, dim = _at_least_1d(input, dim)
    keepdim = keepdim and input.ndim > 0
    not_empty(name, x, dim)
    index = find(array_of(x), dim)
    return pick(x, dim, index, keepdim), as_given(index if keepdim else index.squeeze(dim), input)


# -- quantiles -------------------------------------------------------------------------------------


def quantile(
    input: Any,
    q: Any,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Any:
    """The value below which a share ``q`` of the elements along ``dim`` (None: all) lies: of the
    sorted elements the one with index q (n - 1), interpolated (or the 'lower', 'higher' or
    'nearest', or their 'midpoint'); nan if there is one.

    ``q`` may be a vector, which makes a first dimension; the derivative by it is the distance of
    the elements it lies between, times n - 1. Raises RuntimeError for integers and for q
    outside [0, 1]."""
    return _quantile("quantile", input, q, dim, keepdim, interpolation, ignore_nan=False)


def nanquantile(
    input: Any,
    q: Any,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Any:
    """As :func:`quantile`, passing over nan."""
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation, ignore_nan=True)


_RANK: dict[str, Callable[[Any], Any]] = {  # what to make of a rank that is no whole number
    "linear": lambda rank: rank,
    "lower": np.floor,
    "higher": np.ceil,
    "midpoint": lambda rank: (np.floor(rank) + np.ceil(rank)) / 2,
    "nearest": np.round,
}


def _quantile(
    name: str,
    input: Any,
    q: Any,
    dim: int | None,
    keepdim: bool,
    interpolation: str,
    ignore_nan: bool,
) -> Any:
    _check_quantile(name, input, q, interpolation)
    shape = tuple(input.shape)
    dim = None if dim is None else one(dim, len(shape))
    ordered = sort(
        _reshape(input, (-1,)) if dim is None or not shape else movedim(input, dim, -1)
    ).values
    numbers = array_of(ordered)
    last = np.full(numbers.shape[:-1] + (1,), numbers.shape[-1] - 1)
    last_number = (numbers == numbers).sum(-1, keepdims=True) - 1  # nan comes after all numbers
    reach = np.maximum(last_number, 0) if ignore_nan else last
    shares = q if isinstance(q, Tensor) else as_given(np.asarray(array_of(q), numbers.dtype), input)
    rank = _reshape(shares, (-1,)) * as_given(reach.astype(numbers.dtype), input)
    places = _RANK[interpolation](array_of(rank))
    if not ignore_nan:
        places = np.where(last_number < last, last, places)
    below = np.floor(places).astype(np.int64)
    above = np.minimum(below + 1, last)
    # A rank between two elements interpolates them, and has a derivative by q.
    whole = as_given(below.astype(numbers.dtype), input)
    if interpolation != "linear":
        rank = as_given(places.astype(numbers.dtype), input)
    weight = rank - whole
    low, high = (
        gather(ordered, -1, as_given(below, input)),
        gather(ordered, -1, as_given(above, input)),
    )
    y = movedim(low + (high - low) * weight, -1, 0)
    kept = (
        tuple([1 if dim in (None, i) else n for i, n in enumerate(shape)])
        if keepdim
        else tuple(y.shape[1:])
    )
    return _shaped(y, (*tuple(shares.shape), *kept))


def _check_quantile(name: str, input: Any, q: Any, interpolation: str) -> None:
    if array_of(input).dtype.char not in "fd":
        raise RuntimeError(
            f"{name}() input tensor must be either float or double dtype, but got {input.dtype}"
        )
    if not array_of(input).size:
        raise RuntimeError(f"{name}() input tensor must be non-empty")
    shares = np.asarray(array_of(q))
    if isinstance(q, Tensor) and q.dtype is not input.dtype:
        raise RuntimeError(
            f"{name}() q tensor must be same dtype as the input tensor, {input.dtype}, but got "
            f"{q.dtype}"
        )
    if shares.ndim > 1:
        raise RuntimeError(
            f"{name}() q must be a scalar or 1D tensor, but has shape {list(shares.shape)}"
        )
    if shares.size and not ((shares >= 0) & (shares <= 1)).all():
        raise RuntimeError(f"{name}() q must be in the range [0, 1] but got {q}")
    if interpolation not in _RANK:
        raise RuntimeError(
            f"{name}() interpolation must be one of {', '.join(_RANK)}, but got {interpolation}"
        )
