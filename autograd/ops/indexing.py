"""Elements picked by number or by mask, and put back.

Picking is linear, and its adjoint adds: where an element was picked twice, both gradients go to it.
So each way to pick has a partner that adds things up at the places they were picked from, and the
two are each other's derivative.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from autograd import dtypes
from autograd.changes import check_apart, opened
from autograd.op import linear, op
from autograd.ops.arithmetic import array_of
from autograd.ops.broadcasting import broadcast_tensors
from autograd.ops.conversion import clone
from autograd.ops.dimensions import sizes
from autograd.ops.parts import _select, _slice, no_such_index, overwrite, with_leading_ones
from autograd.ops.shape import _reshape, _shaped
from autograd.tensor import Tensor, memory

__all__ = [
    "__getitem__", "argwhere", "index_put", "masked_fill", "masked_scatter", "masked_select",
    "nonzero", "nonzero_static", "put", "take", "unravel_index",
]  # fmt: skip

_EVERYTHING = slice(None)

# -- adding rows up: the heart of every adjoint here -----------------------------------------------


def add_rows(count: int, index: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """``y[index[i]] += rows[i]``, starting from ``count`` rows of zeros."""
    if rows.dtype == np.float16:  # many small terms would be lost
        return add_rows(count, index, rows.astype(np.float32)).astype(np.float16)
    width = rows.size // (index.size or 1)
    if rows.size > 30_000 and width > 1:
        # Many rows: a product with the matrix that has a one at (index[i], i).
        from scipy.sparse import csc_array  # takes a moment to load, so only where it pays

        ones = np.ones(index.size, rows.dtype)
        picks = csc_array(
            (ones, index.reshape(-1) % count, np.arange(index.size + 1)), (count, index.size)
        )
        return (picks @ rows.reshape(index.size, width)).reshape(count, *rows.shape[index.ndim :])
    y = np.zeros((count, *rows.shape[index.ndim :]), rows.dtype)
    places = index.reshape(-1)
    if width != 1:
        places = (places[:, None] * width + np.arange(width)).reshape(-1)
    np.add.at(y.reshape(-1), places, rows.reshape(-1))  # one-dimensional add.at is the fast one
    return y


# -- x[...] ----------------------------------------------------------------------------------------


@linear(dx=lambda dy, x_shape, key: _add_at(dy, x_shape, key))
def _index(x, key):
    """The elements of ``x`` at the index arrays and masks in ``key``, as NumPy picks them."""
    arrays = [item for item in key if item is not _EVERYTHING]
    try:
        if len(arrays) == 1 and arrays[0].dtype.kind != "b":
            return x.take(arrays[0], len(key) - 1)
        return np.ascontiguousarray(x[key])
    except IndexError as error:
        raise _no_such_elements(x, arrays, error) from None


def _no_such_elements(x: np.ndarray, arrays: list[np.ndarray], error: IndexError) -> IndexError:
    if "broadcast" not in str(error):
        return no_such_index(x, error)
    shapes = ", ".join(str(list(array.shape)) for array in arrays)
    return IndexError(
        f"shape mismatch: indexing tensors could not be broadcast together with shapes {shapes}"
    )


@linear(dx=lambda dy, key: _index(dy, key))
def _add_at(x, shape, key):
    """``x`` added up at the places ``key`` of zeros: the adjoint of indexing."""
    arrays = [item for item in key if item is not _EVERYTHING]
    if len(arrays) == 1 and arrays[0].dtype.kind != "b":
        return _sum_rows(x, shape, len(key) - 1, arrays[0])
    y = np.zeros(shape, x.dtype)
    if len(arrays) == 1:  # a mask picks nothing twice
        y[key] = x
    else:
        places = np.arange(y.size).reshape(shape)[key]
        np.add.at(y.reshape(-1), places.reshape(-1), x.reshape(-1))
    return y


def _sum_rows(x: np.ndarray, shape: tuple[int, ...], dim: int, index: np.ndarray) -> np.ndarray:
    """Add ``x`` up along ``dim`` at the places ``index`` of zeros."""
    if not dim:
        return add_rows(shape[0], index, x)
    last = tuple(range(dim, dim + index.ndim)), tuple(range(index.ndim))
    rows = np.moveaxis(x, *last)
    return np.moveaxis(add_rows(shape[dim], index, rows), 0, dim)


def __getitem__(input: Any, index: Any) -> Any:
    """``input[index]``, for ints, slices, None and Ellipsis (a view), and for integer and bool
    tensors, arrays and lists (a copy), together as in NumPy; ints next to index tensors are taken
    first, as slices are.

    Raises IndexError for what is out of bounds, too much or no index, and ValueError for negative
    steps."""
    if type(index) is int:
        return _select(input, (index, ...))
    if is_basic_index(index):
        return _slice(input, _basic_key(index if type(index) is tuple else (index,)))
    basic, advanced = split_index(tuple(input.shape), index)
    part = input if basic is None else _slice(input, basic)
    return _index(part, advanced) if advanced else part


_BASIC = {int, slice, type(None), type(...)}


def is_basic_index(index: Any) -> bool:
    """Whether ``x[index]`` is a view: ints, slices, None and Ellipsis only."""
    for item in index if type(index) is tuple else (index,):
        if type(item) not in _BASIC and not _is_int(item):
            return False
    return True


def _basic_key(items: tuple[Any, ...]) -> tuple[Any, ...]:
    """The key for NumPy: Python's ints, no negative steps, and an Ellipsis, which makes the result
    a view always."""
    ellipsis = False
    for item in items:
        if type(item) is slice:
            if item.step is not None and int(item.step) < 0:
                raise ValueError(
                    "step must be greater than zero: use torch.flip(x, (dim,)) to turn a dimension "
                    "round"
                )
        elif item is ...:
            ellipsis = True
        elif item is not None and type(item) is not int:
            items = tuple([int(item) if _is_int(item) else item for item in items])
    return items if ellipsis else (*items, ...)


def _is_int(item: Any) -> bool:
    """Whether an item of an index picks one element: an int, or a 0-d tensor of ints."""
    if isinstance(item, (Tensor, np.ndarray)):
        return not item.ndim and array_of(item).dtype.kind == "i"
    return isinstance(item, (int, np.integer)) and not isinstance(item, bool)


def split_index(shape: tuple[int, ...], index: Any) -> tuple[Any, Any]:
    """``x[index]`` as ``x[basic][advanced]``: first slices, ints and new dimensions, a view of
    ``x``, or None if there are none; then the arrays of indices and masks, each at its place among
    full slices."""
    items = _items(index)
    known = [_dimensions_used(item) for item in items]
    rest = len(shape) - sum(known)
    if rest < 0:
        raise IndexError(
            f"too many indices for tensor of dimension {len(shape)}: {sum(known)} were given"
        )
    basic: list[Any] = []
    advanced: list[Any] = []
    dim = 0
    for item, used in zip(items, known, strict=True):
        if item is ...:
            used, rest = rest, 0
            basic += [_EVERYTHING] * used
            advanced += [_EVERYTHING] * used
        elif isinstance(item, np.ndarray):
            _check_mask(item, shape, dim)
            basic += (
                [_EVERYTHING] * used if item.ndim else [None]
            )  # a lone True is a new dimension, of which it picks all
            advanced.append(item if item.ndim else item.reshape(1))
        else:
            basic.append(item)
            if item is None or isinstance(item, slice):
                advanced.append(_EVERYTHING)
        dim += used
    while advanced and advanced[-1] is _EVERYTHING:
        advanced.pop()
    plain = all(item is _EVERYTHING for item in basic)
    return None if plain else _basic_key(tuple(basic)), tuple(advanced)


def _items(index: Any) -> list[Any]:
    """The items of an index, one for each dimension: ints, slices, None, Ellipsis, or arrays (of
    ints or bools)."""
    if isinstance(index, list) and any(
        item is None or item is ... or isinstance(item, (list, tuple, slice, Tensor, np.ndarray))
        for item in index
    ):
        warnings.warn(
            "Using a non-tuple sequence for multidimensional indexing is deprecated. Write "
            "x[tuple(index)], or, for an index of several dimensions, x[torch.tensor(index)].",
            stacklevel=4,
        )
        index = tuple(index)
    return [_item(item) for item in (index if isinstance(index, tuple) else (index,))]


def _item(item: Any) -> Any:
    if item is None or item is ... or isinstance(item, slice):
        return item
    if _is_int(item):
        return int(item)
    if isinstance(item, (Tensor, np.ndarray)):
        array = np.array(array_of(item))  # a copy: backward will need it as it is now
    elif isinstance(item, (bool, np.bool_, list, tuple, range)):
        array = np.array(item)
        array = array if array.size else array.astype(np.int64)
    else:
        error = TypeError if isinstance(item, str) else IndexError  # as PyTorch
        raise error(
            "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are "
            f"valid indices (got {type(item).__name__})"
        )
    if array.dtype.kind not in "biu":
        raise IndexError(
            "tensors used as indices must be long, int, byte or bool tensors, but got "
            f"{array.dtype}. Convert it: i.long()"
        )
    return array.astype(bool) if array.dtype == np.uint8 else array


def _dimensions_used(item: Any) -> int:
    if item is None or item is ...:
        return 0
    return item.ndim if isinstance(item, np.ndarray) and item.dtype.kind == "b" else 1


def _check_mask(mask: np.ndarray, shape: tuple[int, ...], dim: int) -> None:
    if mask.dtype.kind == "b" and mask.shape != shape[dim : dim + mask.ndim]:
        raise IndexError(
            f"The shape of the mask {list(mask.shape)} at index 0 does not match the shape of the "
            f"indexed tensor {list(shape)} at index {dim}"
        )


# -- x[...] = values -------------------------------------------------------------------------------


@op(
    dx=lambda dy, basic, advanced: _index_put(dy, 0, basic, advanced),
    dvalues=lambda dy, basic, advanced, values_shape: with_leading_ones(
        _index(_slice(dy, basic), advanced), values_shape
    ),
)
def _index_put(x, values, basic, advanced):
    """A copy of ``x`` with ``x[basic][advanced]`` replaced by ``values``."""
    y = np.array(x)
    _put(y[basic], values, advanced)
    return y


@op(
    dx=lambda dy: dy,
    dvalues=lambda dy, basic, advanced, values_shape: with_leading_ones(
        _index(_slice(dy, basic), advanced), values_shape
    ),
)
def _index_accumulate(x, values, basic, advanced):
    """A copy of ``x`` with ``values`` added to ``x[basic][advanced]``, as often as a place is
    named."""
    y = np.array(x)
    part = y[basic]
    np.add.at(part, advanced, np.asarray(values, x.dtype))
    return y


def _put(part: np.ndarray, values: Any, key: tuple[Any, ...]) -> None:
    try:
        part[key] = values
    except ValueError:
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(np.shape(values))} cannot be broadcast "
            f"to indexing result of shape {list(part[key].shape)}"
        ) from None
    except IndexError as error:
        raise _no_such_elements(
            part, [item for item in key if item is not _EVERYTHING], error
        ) from None


def index_put_values(input: Any, index: Any, values: Any) -> Any:
    """A copy of ``input`` with ``input[index]``, an index with arrays or masks in it, replaced by
    ``values``."""
    basic, advanced = split_index(tuple(input.shape), index)
    _same_dtype("Index put", input, values)
    return _index_put(input, values, basic or (...,), advanced)


def assign(input: Tensor, index: Any, values: Any) -> None:
    """``input[index] = values``, straight into the memory, with nothing recorded."""
    x, numbers = memory(input), array_of(values)
    if is_basic_index(index):
        part = _slice(x, _basic_key(index if type(index) is tuple else (index,)))
        check_apart(input, (values,), "__setitem__", part)
        overwrite(opened(part), ..., numbers)
    else:
        basic, advanced = split_index(x.shape, index)
        _same_dtype("Index put", input, values)
        part = x if basic is None else x[basic]
        _put(opened(part, uniform=not np.ndim(numbers)), numbers, advanced)


def index_put(input: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """A copy of ``input`` with ``input[indices]`` replaced by ``values`` (which broadcast), or with
    ``values`` added to it.

    Of several values for one place any may win, unless they are added. Raises RuntimeError for
    values of another dtype or shape, IndexError for indices out of bounds."""
    basic, advanced = split_index(tuple(input.shape), tuple(indices))
    _same_dtype("Index put", input, values)
    put = _index_accumulate if accumulate else _index_put
    return put(input, values, basic or (...,), advanced or (...,))


def _same_dtype(what: str, destination: Any, source: Any) -> None:
    if isinstance(source, (Tensor, np.ndarray)) and source.dtype != destination.dtype:
        names = [dtypes.of_array(array_of(x))._title for x in (destination, source)]
        raise RuntimeError(
            f"{what} requires the source and destination dtypes match, got {names[0]} for the "
            f"destination and {names[1]} for the source. Convert the source: values.to(x.dtype)."
        )


# -- masks -----------------------------------------------------------------------------------------


@op(dx=lambda dy, mask: _masked_fill(dy, 0, mask), dvalue=lambda dy, mask: dy * mask)
def _masked_fill(x, value, mask):
    """A copy of ``x`` (broadcast with ``mask``) with ``value`` where ``mask`` is True."""
    y = (
        np.array(x)
        if x.shape == mask.shape
        else np.array(np.broadcast_arrays(x, mask)[0], order="C")
    )
    np.copyto(y, value, where=mask, casting="unsafe")
    return y


def masked_fill(input: Any, mask: Any, value: Any) -> Any:
    """A copy of ``input`` with ``value``, a number or 0-d tensor, where ``mask`` is True; the two
    broadcast.

    RuntimeError for a mask that is not of dtype bool."""
    check_masked_fill(mask, value)
    return _masked_fill(input, value, mask)


def check_masked_fill(mask: Any, value: Any) -> None:
    """Raise RuntimeError unless ``mask`` is one, and ``value`` is single and real."""
    _check_bool("masked_fill", mask)
    if isinstance(value, complex):
        raise RuntimeError(
            f"value cannot be converted without its imaginary part: {value}. There are no complex "
            "tensors here."
        )
    if isinstance(value, (Tensor, np.ndarray)) and value.ndim:
        raise RuntimeError(
            "masked_fill only supports a 0-dimensional value tensor, but got tensor with "
            f"{value.ndim} dimension(s). Use torch.where(mask, value, x)."
        )


def masked_select(input: Any, mask: Any) -> Any:
    """The elements of ``input`` where ``mask`` is True, along one dimension; the two broadcast."""
    _check_bool("masked_select", mask)
    x, where = broadcast_tensors(input, mask)
    return _index(x, (np.array(array_of(where)),))


def masked_scatter(input: Any, mask: Any, source: Any) -> Any:
    """A copy of ``input`` with the elements of ``source``, in order, where ``mask`` is True; the
    first two broadcast.

    RuntimeError if ``source`` has not enough elements, or another dtype."""
    _check_bool("masked_scatter", mask)
    x, where = broadcast_tensors(input, mask)
    numbers = np.array(array_of(where))
    count = int(np.count_nonzero(numbers))
    if source.numel() < count if isinstance(source, Tensor) else source.size < count:
        raise RuntimeError("Number of elements of source < number of ones in mask")
    _same_dtype("masked_scatter", input, source)
    return _index_put(x, _slice(_reshape(source, (-1,)), (slice(count),)), (...,), (numbers,))


def _check_bool(name: str, mask: Any) -> None:
    if array_of(mask).dtype.kind != "b":
        raise RuntimeError(
            f"{name} only supports boolean masks, but got mask with dtype {mask.dtype}. Use "
            "mask.bool(), or a comparison."
        )


# -- where, and which ------------------------------------------------------------------------------


@op()
def _nonzero(x):
    return np.argwhere(x)


@op()
def _nonzero_by_dimension(x, as_tuple):
    """The indices of the elements that are not zero, an array for each dimension."""
    return tuple(np.argwhere(np.atleast_1d(x)).T)


def nonzero(input: Any, *, as_tuple: bool = False) -> Any:
    """The indices of the elements that are not zero, int64: a row for each, or (``as_tuple``) a
    tensor for each dimension, with which ``input`` can be indexed."""
    return _nonzero_by_dimension(input, True) if as_tuple else _nonzero(input)


def argwhere(input: Any) -> Any:
    """The indices of the elements that are not zero, a row for each."""
    return _nonzero(input)


def nonzero_static(input: Any, *, size: int, fill_value: int = -1) -> Any:
    """As :func:`nonzero`, with ``size`` rows: the first so many, or followed by rows of
    ``fill_value``."""
    if size < 0:
        raise RuntimeError(f"nonzero_static: 'size' must be a non-negative integer, but got {size}")
    return _nonzero_static(input, size, fill_value)


@op()
def _nonzero_static(x, size, fill_value):
    found = np.argwhere(x)[:size]
    rest = np.full((size - len(found), x.ndim), fill_value)
    return np.concatenate([found, rest])


def unravel_index(indices: Any, shape: Any) -> tuple[Any, ...]:
    """Where in a tensor of this ``shape`` the elements at ``indices``, numbered in order, are: for
    each dimension a tensor of ints. TypeError for floats, ValueError for negative lengths."""
    if array_of(indices).dtype.kind not in "iu":
        raise TypeError(f"expected 'indices' to be integer dtype, but got {indices.dtype}")
    lengths = sizes((shape,) if isinstance(shape, (int, np.integer)) else shape)
    if min(lengths, default=0) < 0:
        raise ValueError(f"'shape' cannot have negative values, but got {lengths}")
    return _unravel_index(indices, lengths)


@op()
def _unravel_index(x, lengths):
    steps = np.cumprod((1, *lengths[:0:-1]), dtype=np.int64)[::-1]
    return tuple([np.asarray(x // step % n) for n, step in zip(lengths, steps, strict=True)])


# -- numbered in order -----------------------------------------------------------------------------


def take(input: Any, index: Any) -> Any:
    """The elements of the flattened ``input`` at ``index``, in the shape of ``index``. IndexError
    if out of bounds."""
    return _index(_reshape(input, (-1,)), (_places(input, index),))


def put(input: Any, index: Any, source: Any, accumulate: bool = False) -> Any:
    """A copy of ``input`` with the elements of ``source`` at ``index`` of the flattened tensor, or
    added to what is there.

    RuntimeError for another dtype, IndexError unless ``source`` has as many elements as ``index``
    and for what is out of bounds."""
    places = _places(input, index).reshape(-1)
    _same_dtype("put", input, source)
    if places.size != array_of(source).size:
        raise IndexError(
            "put_(): Expected source and index to have the same number of elements, but got "
            f"source.numel() = {array_of(source).size}, index.numel() = {places.size}"
        )
    if not places.size:
        return clone(input)
    written = _index_accumulate if accumulate else _index_put
    y = written(_reshape(input, (-1,)), _reshape(source, (-1,)), (...,), (places,))
    return _shaped(y, tuple(input.shape))


def _places(input: Any, index: Any) -> np.ndarray:
    """``index``, provided that it is within the flattened ``input``."""
    places = np.array(array_of(index))
    count = array_of(input).size
    if places.dtype != np.int64:
        raise RuntimeError(
            f"Expected a long tensor for index, but got {index.dtype}. Convert it: index.long()"
        )
    if places.size and (places.min() < -count or places.max() >= count):
        raise IndexError(
            f"out of range: tried to access index {np.abs(places).max()} on a tensor of {count} "
            "elements."
        )
    return places
