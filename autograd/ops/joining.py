"""Tensors put together, and taken apart: joining and splitting are each other's adjoint."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.dtypes import result_dtype
from autograd.op import linear
from autograd.ops.arithmetic import array_of
from autograd.ops.broadcasting import meshgrid
from autograd.ops.dimensions import ndim_of, numpy_names, one
from autograd.ops.parts import _select, _slice
from autograd.ops.shape import _reshape, atleast_1d, atleast_2d, atleast_3d, flatten
from autograd.tensor import Tensor

__all__ = [
    "cartesian_prod", "cat", "chunk", "column_stack", "concat", "concatenate", "dsplit", "dstack",
    "hsplit", "hstack", "row_stack", "split", "split_with_sizes", "stack", "tensor_split", "unbind",
    "vsplit", "vstack",
]  # fmt: skip

# -- joining ---------------------------------------------------------------------------------------


@linear(dxs=lambda dy, i, places: _slice(dy, places[i]))
def _cat(*xs, dim, dtype, places):
    """The tensors ``xs`` one after the other along ``dim``; ``places`` are the keys under which
    they are found again."""
    return np.ascontiguousarray(np.concatenate(xs, axis=dim, dtype=dtype))


@linear(dxs=lambda dy, i, dim: _select(dy, (*(slice(None),) * dim, i, ...)))
def _stack(*xs, dim, dtype):
    """The tensors ``xs`` next to each other along a new dimension ``dim``."""
    return np.ascontiguousarray(np.stack(xs, dim, dtype=dtype))


@numpy_names
def cat(tensors: Any, dim: int = 0) -> Any:
    """The tensors one after the other along ``dim``, promoted to one dtype. All other lengths must
    be the same (but 1-d tensors of no elements are passed over).

    Raises ValueError for an empty list, RuntimeError for shapes that do not fit."""
    xs = _sequence("cat", tensors)
    if not xs:
        raise ValueError("torch.cat(): expected a non-empty list of Tensors")
    dtype = result_dtype(*map(array_of, xs))
    xs = [x for x in xs if tuple(x.shape) != (0,)] or xs[:1]
    ndim = xs[0].ndim
    dim = one(dim, ndim)
    _check_joinable(xs, dim)
    before = (slice(None),) * dim
    ends = list(itertools.accumulate([x.shape[dim] for x in xs]))
    places = tuple(
        [(*before, slice(start, end)) for start, end in zip([0, *ends], ends, strict=False)]
    )
    return _cat(*xs, dim=dim, dtype=dtype, places=places)


concat = concatenate = cat


@numpy_names
def stack(tensors: Any, dim: int = 0) -> Any:
    """Tensors of one shape next to each other along a new dimension ``dim``, promoted to one dtype.

    Raises RuntimeError for an empty list and for different shapes."""
    xs = _sequence("stack", tensors)
    if not xs:
        raise RuntimeError("stack expects a non-empty TensorList")
    for i, x in enumerate(xs):
        if x.shape != xs[0].shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(xs[0].shape)} at entry "
                f"0 and {list(x.shape)} at entry {i}"
            )
    return _stack(*xs, dim=one(dim, xs[0].ndim + 1), dtype=result_dtype(*map(array_of, xs)))


def hstack(tensors: Any) -> Any:
    """The tensors side by side: joined along the second dimension, or the first if they are 1-d."""
    xs = atleast_1d(_some("hstack", tensors))
    return cat(xs, 0 if xs[0].ndim == 1 else 1)


def vstack(tensors: Any) -> Any:
    """The tensors below each other: joined along the first dimension, 1-d ones being rows."""
    return cat(atleast_2d(_some("vstack", tensors)), 0)


row_stack = vstack


def dstack(tensors: Any) -> Any:
    """The tensors behind each other: joined along the third dimension."""
    return cat(atleast_3d(_some("dstack", tensors)), 2)


def column_stack(tensors: Any) -> Any:
    """The tensors side by side, 1-d ones being columns."""
    return hstack(
        [_reshape(x, (-1, 1)) if x.ndim < 2 else x for x in _sequence("column_stack", tensors)]
    )


def cartesian_prod(*tensors: Any) -> Any:
    """All combinations of an element of each 1-d tensor, as rows; of one, the tensor itself."""
    if len(tensors) == 1:
        return tensors[0]
    return stack([flatten(grid) for grid in meshgrid(*tensors, indexing="ij")], 1)


def _sequence(name: str, tensors: Any) -> list[Any]:
    if not isinstance(tensors, (tuple, list)):
        raise TypeError(
            f"{name}(): argument 'tensors' (position 1) must be tuple of Tensors, not "
            f"{type(tensors).__name__}"
        )
    for i, x in enumerate(tensors):
        if not isinstance(x, (Tensor, np.ndarray, np.generic)):
            raise TypeError(
                f"{name}(): expected Tensor as element {i} in argument 0, but got "
                f"{type(x).__name__}"
            )
    return list(tensors)


def _some(name: str, tensors: Any) -> list[Any]:
    xs = _sequence(name, tensors)
    if not xs:
        raise RuntimeError(f"{name} expects a non-empty TensorList")
    return xs


def _check_joinable(xs: list[Any], dim: int) -> None:
    first = xs[0].shape
    for i, x in enumerate(xs):
        if not x.ndim:
            raise RuntimeError(
                f"zero-dimensional tensor (at position {i}) cannot be concatenated: use torch.stack"
            )
        if x.ndim != len(first):
            raise RuntimeError(
                f"Tensors must have same number of dimensions: got {len(first)} and {x.ndim}, "
                f"shapes {list(first)} and {list(x.shape)}"
            )
        for other, (n, expected) in enumerate(zip(x.shape, first, strict=True)):
            if n != expected and other != dim:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {dim}. Expected size "
                    f"{expected} but got size {n} for tensor number {i} in the list: shapes "
                    f"{list(first)} and {list(x.shape)}."
                )


# -- splitting -------------------------------------------------------------------------------------


@linear(dx=lambda dy, dim: cat(dy, dim), view=True)
def _split(x, sizes, dim):
    """Views of ``sizes`` elements each, one after the other along ``dim``."""
    ends = list(itertools.accumulate(sizes))
    before = (slice(None),) * dim
    return tuple(
        [x[(*before, slice(start, end))] for start, end in zip([0, *ends], ends, strict=False)]
    )


@linear(dx=lambda dy, dim: stack(dy, dim), view=True)
def _unbind(x, dim):
    """The views at each index of ``dim``, without that dimension."""
    before = (slice(None),) * dim
    return tuple([x[(*before, i, ...)] for i in range(x.shape[dim])])


def split(tensor: Any, split_size_or_sections: Any, dim: int = 0) -> tuple[Any, ...]:
    """Views of ``split_size_or_sections`` elements each along ``dim`` (the last may be shorter);
    or, given a list, of as many elements as it says. RuntimeError if these do not add up to the
    length."""
    if isinstance(split_size_or_sections, (tuple, list)):
        return split_with_sizes(tensor, split_size_or_sections, dim)
    size = int(split_size_or_sections)
    if not ndim_of(tensor):
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    if size < 0:
        raise RuntimeError(f"split expects split_size be non-negative, but got split_size={size}")
    dim = one(dim, tensor.ndim)
    count = tensor.shape[dim]
    if not size and count:
        raise RuntimeError(
            f"split_size can only be 0 if dimension size is 0, but got dimension size of {count}"
        )
    whole, rest = divmod(count, size) if size else (0, 0)
    return _split(tensor, (size,) * whole + (rest,) * (rest > 0 or not whole), dim)


def split_with_sizes(input: Any, split_sizes: Sequence[int], dim: int = 0) -> tuple[Any, ...]:
    """Views of ``split_sizes[0]``, ``split_sizes[1]``, ... elements along ``dim``. RuntimeError
    unless these add up to its length."""
    if not ndim_of(input):
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    dim = one(dim, input.ndim)
    if min(split_sizes, default=0) < 0:
        raise RuntimeError(
            "split_with_sizes expects split_sizes have only non-negative entries, but got "
            f"split_sizes={list(split_sizes)}"
        )
    if sum(split_sizes) != input.shape[dim]:
        raise RuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {input.shape[dim]} (input "
            f"tensor's size at dimension {dim}), but got split_sizes={list(split_sizes)}"
        )
    return _split(input, tuple(split_sizes), dim)


def chunk(input: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """At most ``chunks`` views of equal length along ``dim`` (the last may be shorter, and there
    may be fewer)."""
    if not ndim_of(input):
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    dim = one(dim, input.ndim)
    size = -(-input.shape[dim] // chunks)
    return split(input, size, dim) if size else _split(input, (0,) * chunks, dim)


def tensor_split(input: Any, indices_or_sections: Any, dim: int = 0) -> tuple[Any, ...]:
    """That many views along ``dim``, the first ones longer by one if need be; or views split before
    the given indices."""
    if not ndim_of(input):
        raise RuntimeError(
            "tensor_split received a rank zero tensor, but expected a tensor of rank one or "
            "greater!"
        )
    dim = one(dim, input.ndim)
    if isinstance(indices_or_sections, Tensor):
        indices_or_sections = indices_or_sections.tolist()
    if isinstance(indices_or_sections, int):
        if indices_or_sections <= 0:
            raise RuntimeError(
                f"number of sections must be larger than 0, got {indices_or_sections}"
            )
        size, longer = divmod(input.shape[dim], indices_or_sections)
        lengths = [size + (i < longer) for i in range(indices_or_sections - 1)]
        borders = list(itertools.accumulate(lengths))
    else:
        borders = list(indices_or_sections)
    before = (slice(None),) * dim
    return tuple(
        [
            _slice(input, (*before, slice(a, b)))
            for a, b in zip([0, *borders], [*borders, None], strict=True)
        ]
    )


def hsplit(input: Any, indices_or_sections: Any) -> tuple[Any, ...]:
    """Split side by side: along the second dimension, or the first if ``input`` is 1-d."""
    return _split_evenly("hsplit", input, indices_or_sections, 0 if ndim_of(input) == 1 else 1, 1)


def vsplit(input: Any, indices_or_sections: Any) -> tuple[Any, ...]:
    """Split along the first dimension."""
    return _split_evenly("vsplit", input, indices_or_sections, 0, 2)


def dsplit(input: Any, indices_or_sections: Any) -> tuple[Any, ...]:
    """Split along the third dimension."""
    return _split_evenly("dsplit", input, indices_or_sections, 2, 3)


def _split_evenly(name: str, input: Any, parts: Any, dim: int, least: int) -> tuple[Any, ...]:
    if ndim_of(input) < least:
        raise RuntimeError(
            f"torch.{name} requires a tensor with at least {least} dimension, but got a tensor "
            f"with {input.ndim}!"
        )
    if isinstance(parts, int) and (parts <= 0 or input.shape[dim] % parts):
        raise RuntimeError(
            f"torch.{name} attempted to split along dimension {dim}, but the size of the dimension "
            f"{input.shape[dim]} is not divisible by the split_size {parts}!"
        )
    return tensor_split(input, parts, dim)


def unbind(input: Any, dim: int = 0) -> tuple[Any, ...]:
    """The views at each index of ``dim``, without that dimension."""
    if not ndim_of(input):
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    dim = one(dim, input.ndim)
    return _unbind(input, dim) if input.shape[dim] else ()
