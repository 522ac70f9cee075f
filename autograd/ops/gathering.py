"""Elements gathered along one dimension, and scattered along one.

``gather`` reads x[i, index[i, j]], ``scatter`` writes there. Reading and adding are adjoint; the
rest are variations: overwriting instead of adding, whole slices instead of single elements, other
ways to reduce than the sum.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.op import linear, op
from autograd.ops.arithmetic import array_of
from autograd.ops.broadcasting import expand
from autograd.ops.conversion import clone
from autograd.ops.dimensions import ndim_of, one
from autograd.ops.indexing import _index_put, _sum_rows, masked_fill
from autograd.ops.parts import _slice
from autograd.ops.shape import _reshape, _shaped, flatten, unsqueeze
from autograd.tensor import Tensor, wrap

__all__ = [
    "gather", "index_add", "index_copy", "index_fill", "index_reduce", "index_select",
    "repeat_interleave", "scatter", "scatter_add", "scatter_reduce", "take_along_dim",
]  # fmt: skip

# -- single elements -------------------------------------------------------------------------------


def along(index: np.ndarray, dim: int) -> tuple[np.ndarray, ...]:
    """The key for ``x[i, index[i, j], ...]``: counting along all dimensions but ``dim``."""
    ndim = index.ndim
    return tuple(
        [
            index if i == dim else np.arange(n).reshape((-1,) + (1,) * (ndim - i - 1))
            for i, n in enumerate(index.shape)
        ]
    )


@linear(dx=lambda dy, x_shape, dim, index: add_along(dy, x_shape, dim, index))
def _gather(x, dim, index):
    """``y[i, j] = x[i, index[i, j]]``, for dim = 1."""
    return x[along(index, dim)]


@linear(dx=lambda dy, dim, index: _gather(dy, dim, index))
def add_along(x, shape, dim, index):
    """``y[i, index[i, j]] += x[i, j]``, starting from zeros: the adjoint of gather."""
    y = np.zeros(shape, x.dtype)
    _add_into(y, x, dim, index)
    return y


def _add_into(y: np.ndarray, x: np.ndarray, dim: int, index: np.ndarray) -> None:
    steps = [step // y.itemsize for step in y.strides]
    places = sum(places * step for places, step in zip(along(index, dim), steps, strict=True))
    np.add.at(
        y.reshape(-1),
        np.broadcast_to(places, index.shape).reshape(-1),
        np.broadcast_to(x, index.shape).reshape(-1),
    )


@linear(dx=lambda dy, dim, index: _gather(dy, dim, index))
def put_along(x, shape, dim, index):
    """``x`` put at the places it was picked from, among zeros."""
    y = np.zeros(shape, x.dtype)
    y[along(index, dim)] = x
    return y


def picking(name: str, adjoint: Callable[..., Any]) -> Callable[..., Any]:
    """An operation that picks, along a dimension, elements at indices found out before: sort, topk,
    median, cummax, ...

    They differ in name, and in the adjoint: ``put_along`` if no element is picked twice, else
    ``add_along``. Without ``keepdim`` a single index is meant, and the dimension disappears."""

    def pick(x, dim, index, keepdim):
        """The elements of x at the places ``index`` along ``dim``."""
        y = x[along(index, dim)]
        return y if keepdim else y.squeeze(dim)

    pick.__name__ = name
    picked = linear(
        dx=lambda dy, x_shape, dim, index, keepdim: adjoint(
            dy if keepdim else unsqueeze(dy, dim), x_shape, dim, index
        )
    )(pick)
    # The user is given the index too, and may change it: backward keeps a copy.
    return lambda x, dim, index, keepdim: picked(x, dim, index.copy(), keepdim)


def gather(input: Any, dim: int, index: Any, *, sparse_grad: bool = False) -> Any:
    """``y[i, j] = x[i, index[i, j]]`` for dim = 1, and likewise for others; the shape is that of
    ``index``.

    ``index`` (int64 or int32) has as many dimensions as ``input`` and is no longer in any but
    ``dim``. RuntimeError otherwise, and for indices out of bounds."""
    if not array_of(index).size:  # of any shape and dtype
        return _shaped(_slice(_reshape(input, (-1,)), (slice(0),)), tuple(index.shape))
    x, at, dim = _aligned("gather", input, dim, index)
    return _as_shaped(_gather(x, dim, at), index.shape)


def take_along_dim(input: Any, indices: Any, dim: int | None = None) -> Any:
    """:func:`gather` with ``indices`` and ``input`` broadcast against each other; without ``dim``,
    from the flattened tensor."""
    if dim is None:
        return take_along_dim(_reshape(input, (-1,)), _reshape(indices, (-1,)), 0)
    ndim = ndim_of(input)
    if indices.ndim != ndim:
        raise RuntimeError(
            "torch.take_along_dim(): input and indices should have the same number of dimensions, "
            f"but got {ndim} dimensions for input, and {indices.ndim} dimensions for indices"
        )
    dim = one(dim, ndim)
    common = np.broadcast_shapes(
        *(x.shape[:dim] + (1,) + x.shape[dim + 1 :] for x in (array_of(input), array_of(indices)))
    )
    x, at = (
        expand(x, common[:dim] + (x.shape[dim],) + common[dim + 1 :]) for x in (input, indices)
    )
    numbers = array_of(at)
    return gather(x, dim, np.where(numbers < 0, numbers + x.shape[dim], numbers))


def scatter(
    input: Any,
    dim: int,
    index: Any,
    src: Any = None,
    *,
    value: Any = None,
    reduce: str | None = None,
) -> Any:
    """A copy of ``input`` with ``y[i, index[i, j]] = src[i, j]`` for dim = 1; ``src`` may be a
    number.

    Where several values go to one place, any may win, unless ``reduce`` is ``'add'`` or
    ``'multiply'``. Shapes as in :func:`gather`; RuntimeError for others, for another dtype and for
    indices out of bounds."""
    if reduce not in (None, "add", "multiply"):
        raise RuntimeError("reduce argument must be either add or multiply.")
    src = value if src is None else src
    if reduce is not None:
        if not isinstance(src, (Tensor, np.ndarray)):
            src = expand(np.asarray(src, array_of(input).dtype), index.shape)
        return scatter_reduce(input, dim, index, src, "sum" if reduce == "add" else "prod")
    x, at, dim = _aligned("scatter", input, dim, index)
    return _as_shaped(_scatter(x, _source("scatter", input, src, at), dim, at), input.shape)


def scatter_add(input: Any, dim: int, index: Any, src: Any) -> Any:
    """A copy of ``input`` with ``y[i, index[i, j]] += src[i, j]`` for dim = 1, as often as a place
    is named.

    Shapes as in :func:`gather`; RuntimeError for others, for another dtype and for indices out of
    bounds."""
    if not isinstance(src, (Tensor, np.ndarray)):
        raise TypeError(
            f"scatter_add(): argument 'src' (position 3) must be Tensor, not {type(src).__name__}"
        )
    x, at, dim = _aligned("scatter_add", input, dim, index)
    return _as_shaped(_scatter_add(x, _source("scatter_add", input, src, at), dim, at), input.shape)


@op(
    dx=lambda dy, dim, index: _scatter(dy, 0, dim, index),
    dsrc=lambda dy, dim, index: _gather(dy, dim, index),
)
def _scatter(x, src, dim, index):
    y = np.array(x)
    y[along(index, dim)] = src
    return y


@op(dx=lambda dy: dy, dsrc=lambda dy, dim, index: _gather(dy, dim, index))
def _scatter_add(x, src, dim, index):
    y = np.array(x, order="C")
    _add_into(y, src, dim, index)
    return y


def _aligned(name: str, input: Any, dim: int, index: Any) -> tuple[Any, Any, int]:
    """``input``, ``index`` and ``dim``, fit for each other: at least 1-d, of as many dimensions,
    and in bounds."""
    dim = one(dim, ndim_of(input))
    x = input if input.ndim else _reshape(input, (1,))
    at = index if index.ndim else _reshape(index, (1,))
    numbers = array_of(at)
    if numbers.dtype not in (np.int64, np.int32):
        raise RuntimeError(
            f"{name}(): Expected dtype int32/int64 for index, but got {numbers.dtype}"
        )
    if at.ndim != x.ndim:
        raise RuntimeError(
            "Index tensor must have the same number of dimensions as input tensor, but got shapes "
            f"{list(index.shape)} and {list(input.shape)}"
        )
    for other in range(x.ndim):
        if other != dim and at.shape[other] > x.shape[other]:
            raise RuntimeError(
                f"Size does not match at dimension {other} expected index {list(at.shape)} to be "
                f"no larger than self {list(x.shape)} apart from dimension {dim}"
            )
    check_bounds(
        numbers,
        x.shape[dim],
        RuntimeError,
        f"index {{}} is out of bounds for dimension {dim} with size {{}}",
    )
    return x, at, dim


_OUTSIDE = "{}(): index {{}} is out of bounds for dimension {} with size {{}}"


def check_bounds(index: np.ndarray, count: int, error: type[Exception], message: str) -> None:
    """Raise ``error`` unless all of ``index`` is in [0, count - 1]. The message is given the bad
    index and the count."""
    if index.size and (index.min() < 0 or index.max() >= count):
        bad = index[(index < 0) | (index >= count)].flat[0]
        raise error(message.format(bad, count))


def _source(name: str, input: Any, src: Any, index: Any) -> Any:
    """The part of ``src`` that ``index`` speaks about."""
    if not isinstance(src, (Tensor, np.ndarray)):
        return src
    if array_of(src).dtype != array_of(input).dtype:
        raise RuntimeError(
            f"{name}(): Expected self.dtype to be equal to src.dtype, but got {input.dtype} and "
            f"{src.dtype}"
        )
    src = src if src.ndim else _reshape(src, (1,))
    if src.ndim != index.ndim or any(n > m for n, m in zip(index.shape, src.shape, strict=True)):
        raise RuntimeError(
            f"Expected index {list(index.shape)} to be no larger size than src {list(src.shape)}"
        )
    return src if src.shape == index.shape else _slice(src, (*[slice(n) for n in index.shape], ...))


def _as_shaped(y: Any, shape: Any) -> Any:
    return y if y.shape == shape else _shaped(y, tuple(shape))


# -- other ways to reduce --------------------------------------------------------------------------


def scatter_reduce(
    input: Any, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True
) -> Any:
    """``y[k]`` = the sum, prod, mean, amax or amin of all ``src[i]`` with ``index[i] == k``, and of
    ``input[k]`` if ``include_self``, along ``dim``; where no index leads, ``input[k]``.

    Tied extremes share the gradient equally. Shapes as in :func:`gather`; RuntimeError for others
    and for another ``reduce``."""
    if reduce not in _NEUTRAL:
        raise RuntimeError(
            f"reduce argument must be either {', '.join(_NEUTRAL)}, but got {reduce}"
        )
    x, at, dim = _aligned("scatter_reduce", input, dim, index)
    src, numbers = _source("scatter_reduce", input, src, at), array_of(at)
    if not include_self:
        named = np.zeros(tuple(x.shape), bool)
        named[along(numbers, dim)] = True
        x = masked_fill(x, named, _NEUTRAL[reduce](array_of(x).dtype))
    if reduce == "sum":
        y = _scatter_add(x, src, dim, at)
    elif reduce == "mean":
        count = (
            add_along(np.ones(numbers.shape, np.int64), tuple(x.shape), dim, numbers) + include_self
        )
        y = _scatter_mean(_scatter_add(x, src, dim, at), np.maximum(count, 1))
    elif reduce == "prod":
        y = _scatter_prod(x, src, dim, at)
    else:
        y = _scatter_extreme(x, src, dim, at, np.maximum if reduce == "amax" else np.minimum)
    return _as_shaped(y, input.shape)


# What changes nothing: it takes the place of the input where that is not to be included.
_NEUTRAL: dict[str, Callable[[np.dtype], Any]] = {
    "sum": lambda dtype: 0,
    "prod": lambda dtype: 1,
    "mean": lambda dtype: 0,
    "amax": lambda dtype: _bounds(dtype)[0],
    "amin": lambda dtype: _bounds(dtype)[1],
}


def _bounds(dtype: np.dtype) -> tuple[Any, Any]:
    """Below and above all numbers of a dtype."""
    if dtype.kind == "f":
        return -np.inf, np.inf
    return (False, True) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)


@linear(dtotal=lambda dy, count: dy / count)
def _scatter_mean(total, count):
    """total / count: sums that have become means."""
    return (total / count if total.dtype.kind == "f" else total // count).astype(total.dtype)


@op(
    dx=lambda dy, x, src, dim, index: dy * _product_of_others(x, src, dim, index)[0],
    dsrc=lambda dy, x, src, dim, index: (
        _gather(dy, dim, index) * _product_of_others(x, src, dim, index)[1]
    ),
)
def _scatter_prod(x, src, dim, index):
    """x, multiplied at the places ``index`` along ``dim`` by the elements of src."""
    y = np.array(x)
    np.multiply.at(y, along(index, dim), src)
    return y


def _product_of_others(x: Any, src: Any, dim: int, index: Any) -> tuple[Any, Any]:
    """For each element of ``x`` and of ``src`` the product of all others that meet at its place.

    That is the product of all that are not zero, without the element itself, if no other one is
    zero. If one is, the product is that one times the others: zero, but not its derivative. (With
    several zeros, derivatives beyond the second are missed.)"""
    zero_x, zero_src = array_of(x) == 0, array_of(src) == 0
    at = array_of(index)
    zeros = _scatter_add.__wrapped__(zero_x.astype(np.int64), zero_src, dim, at)
    product = _scatter_prod(masked_fill(x, zero_x, 1), masked_fill(src, zero_src, 1), dim, index)
    zero = _scatter_add(masked_fill(x, ~zero_x, 0), masked_fill(src, ~zero_src, 0), dim, index)

    def others(v: Any, is_zero: Any, zeros: Any, product: Any, zero: Any) -> Any:
        further = zeros - is_zero
        one_more = (zero - masked_fill(v, ~is_zero, 0)) * (further == 1)
        return product / masked_fill(v, is_zero, 1) * ((further == 0) + one_more)

    there = [_gather(t, dim, i) for t, i in ((zeros, at), (product, index), (zero, index))]
    return others(x, zero_x, zeros, product, zero), others(src, zero_src, *there)


@op(
    dx=lambda dy, x, y, src, dim, index: _share(dy, x, y, src, dim, index) * (x == y),
    dsrc=lambda dy, x, y, src, dim, index: (
        _gather(_share(dy, x, y, src, dim, index), dim, index) * (src == _gather(y, dim, index))
    ),
)
def _scatter_extreme(x, src, dim, index, extreme):
    """The largest (or smallest) of x and of the elements of src that go to the same place. Equal
    ones share the gradient equally."""
    y = np.array(x)
    extreme.at(y, along(index, dim), src)
    return y


def _share(dy: Any, x: Any, y: Any, src: Any, dim: int, index: Any) -> Any:
    """``dy`` divided among all that reach the extreme value ``y``."""
    x, y, src, index = map(array_of, (x, y, src, index))
    reached = (x == y).astype(dy.dtype if isinstance(dy, np.ndarray) else dy._array.dtype)
    return dy / np.maximum(
        _scatter_add(reached, (src == _gather(y, dim, index)).astype(reached.dtype), dim, index), 1
    )


# -- whole slices ----------------------------------------------------------------------------------


@linear(dx=lambda dy, x_shape, dim, index: _add_slices(dy, x_shape, dim, index))
def _index_select(x, dim, index):
    """The slices of ``x`` at ``index`` along ``dim``."""
    return x.take(index, dim)


@linear(dx=lambda dy, dim, index: _index_select(dy, dim, index))
def _add_slices(x, shape, dim, index):
    """The slices of ``x`` added up at the places ``index``: the adjoint of index_select."""
    return _sum_rows(x, shape, dim, index)


@op(dx=lambda dy: dy, dsource=lambda dy, dim, index, alpha: _index_select(dy, dim, index) * alpha)
def _index_add(x, source, dim, index, alpha):
    return x + np.asarray(alpha).astype(x.dtype) * _add_slices(source, x.shape, dim, index)


def index_select(input: Any, dim: int, index: Any) -> Any:
    """The slices of ``input`` at ``index``, a vector of ints, along ``dim``: a copy. IndexError if
    out of bounds."""
    dim = one(dim, ndim_of(input))
    at = _vector("index_select", index)
    x = input if input.ndim else _reshape(input, (1,))
    check_bounds(
        array_of(at), x.shape[dim], IndexError, "index out of range in self: {} is not in [0, {})"
    )
    y = _index_select(x, dim, at)
    return y if input.ndim else _shaped(y, ())


def index_add(input: Any, dim: int, index: Any, source: Any, *, alpha: float = 1) -> Any:
    """A copy of ``input`` with ``alpha`` times the slices of ``source`` added at ``index`` along
    ``dim``, as often as a place is named. RuntimeError for other shapes and dtypes, IndexError for
    indices out of bounds."""
    dim = one(dim, ndim_of(input))
    x = _at_least_1d(input)
    at = _slices("index_add", x, dim, index, source, RuntimeError)
    check_bounds(
        array_of(at), x.shape[dim], IndexError, "index out of range in self: {} is not in [0, {})"
    )
    return _as_shaped(_index_add(x, source, dim, at, alpha), input.shape)


def index_reduce(
    input: Any, dim: int, index: Any, source: Any, reduce: str, *, include_self: bool = True
) -> Any:
    """A copy of ``input`` in which the slices at ``index`` along ``dim`` are the prod, mean, amax
    or amin of all slices of ``source`` that belong there, and of their own if ``include_self``.

    Errors as of :func:`index_add`; RuntimeError for another ``reduce``."""
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise RuntimeError(
            "index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got "
            f"{reduce}."
        )
    dim = one(dim, ndim_of(input))
    x = _at_least_1d(input)
    at = np.array(array_of(_slices("index_reduce", x, dim, index, source, RuntimeError)))
    source = _at_least_1d(source)
    at = np.broadcast_to(at.reshape((-1,) + (1,) * (x.ndim - dim - 1)), source.shape)
    y = scatter_reduce(x, dim, as_given(at, input), source, reduce, include_self=include_self)
    return _as_shaped(y, input.shape)


def index_copy(input: Any, dim: int, index: Any, source: Any) -> Any:
    """A copy of ``input`` with the slices at ``index`` along ``dim`` replaced by those of
    ``source``.

    RuntimeError for another dtype, IndexError for other shapes and for indices out of bounds."""
    dim = one(dim, ndim_of(input))
    x = _at_least_1d(input)
    at = _slices("index_copy", x, dim, index, source, IndexError)
    numbers = np.array(array_of(at))
    check_bounds(numbers, x.shape[dim], IndexError, _OUTSIDE.format("index_copy", dim))
    key = (*(slice(None),) * dim, numbers)
    return _as_shaped(_index_put(x, source, (...,), key), input.shape)


def index_fill(input: Any, dim: int, index: Any, value: Any) -> Any:
    """A copy of ``input`` with ``value``, a number or 0-d tensor, in the slices at ``index`` along
    ``dim``. IndexError for indices out of bounds; negative ones count from the end."""
    dim = one(dim, ndim_of(input))
    at = np.array(array_of(_vector("index_fill", index)))
    if isinstance(value, (Tensor, np.ndarray)) and value.ndim:
        raise RuntimeError(
            "index_fill only supports a 0-dimensional value tensor, but got tensor with "
            f"{value.ndim} dimension(s)."
        )
    x = _at_least_1d(input)
    at = np.unique(np.where(at < 0, at + x.shape[dim], at))  # so that each counts once backward
    check_bounds(at, x.shape[dim], IndexError, _OUTSIDE.format("index_fill", dim))
    return _as_shaped(_index_put(x, value, (...,), (*(slice(None),) * dim, at)), input.shape)


def _at_least_1d(input: Any) -> Any:
    return input if input.ndim else _reshape(input, (1,))


def _vector(name: str, index: Any) -> Any:
    if array_of(index).dtype not in (np.int64, np.int32):
        raise RuntimeError(
            f"{name}(): Expected dtype int32 or int64 for index, but got {index.dtype}"
        )
    if index.ndim > 1:
        raise IndexError(
            f"{name}(): Index is supposed to be a vector, but has shape {list(index.shape)}"
        )
    return index if index.ndim else _reshape(index, (1,))


def _slices(
    name: str, input: Any, dim: int, index: Any, source: Any, error: type[Exception]
) -> Any:
    """``index`` as a vector, provided that the slices of ``source`` can go there in ``input``."""
    at = _vector(name, index)
    if array_of(source).dtype != array_of(input).dtype:
        raise RuntimeError(
            f"{name}(): self ({input.dtype}) and source ({source.dtype}) must have the same scalar "
            "type"
        )
    expected = (*input.shape[:dim], at.shape[0], *input.shape[dim + 1 :])
    if source.ndim and tuple(source.shape) != expected:
        raise error(
            f"{name}(): Number of indices ({at.shape[0]}) should be equal to source.size(dim), and "
            f"the other dimensions to those of self: expected a source of shape {list(expected)}, "
            f"but got {list(source.shape)}"
        )
    return at


def repeat_interleave(
    input: Any, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Any:
    """Each slice of ``input`` along ``dim`` repeated ``repeats`` times, an int or a vector of them;
    without ``dim``, each element of the flattened tensor. Of one argument:
    ``repeat_interleave(repeats)`` repeats 0, 1, 2, ..."""
    if repeats is None:
        counts = array_of(input)
        return as_given(np.repeat(np.arange(counts.size), counts), input)
    x = flatten(input) if dim is None else input
    dim = 0 if dim is None else one(dim, ndim_of(input))
    counts = np.asarray(array_of(repeats))
    if counts.size and counts.min() < 0:
        raise RuntimeError("Repeats must be non-negative")
    if not counts.ndim:
        return _repeated(x, dim, int(counts))
    if counts.size not in (1, x.shape[dim]):
        raise RuntimeError(
            "repeats must have the same size as input along dim, but got repeats.size(0) = "
            f"{counts.size} and input.size({dim}) = {x.shape[dim]}"
        )
    return _index_select(x, dim, np.repeat(np.arange(x.shape[dim]), counts))


def _repeated(x: Any, dim: int, count: int) -> Any:
    if count == 1:
        return clone(x)
    shape = tuple(x.shape)
    copies = expand(unsqueeze(x, dim + 1), (*shape[: dim + 1], count, *shape[dim + 1 :]))
    return _reshape(copies, (*shape[:dim], shape[dim] * count, *shape[dim + 1 :]))


def as_given(array: np.ndarray, input: Any) -> Any:
    """``array`` as a tensor if ``input`` is one."""
    return wrap(array) if isinstance(input, Tensor) else array
