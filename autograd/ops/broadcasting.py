"""The same elements many times over, and the sum that undoes it.

To broadcast is to copy along new dimensions and such as have length 1. What one element gives to
many comes back from all of them: the adjoint sums.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from autograd.fitting import sum_to_shape
from autograd.layout import Layout, layout_of, memory_of
from autograd.op import linear
from autograd.ops.arithmetic import array_of
from autograd.ops.conversion import cast
from autograd.ops.dimensions import flexible, ndim_of, sizes
from autograd.ops.shape import _reshape
from autograd.tensor import Size

__all__ = [
    "broadcast_shapes", "broadcast_tensors", "broadcast_to", "expand", "expand_as", "meshgrid",
    "repeat", "sum_to_size", "tile",
]  # fmt: skip


@linear(dx=lambda dy, x_shape: sum_to_size(dy, x_shape), view=True)
def _expand(x, shape):
    """``x`` broadcast to ``shape`` without copying: a dimension is stretched by stepping nowhere
    along it."""
    new = len(shape) - x.ndim
    steps = [0] * new + [
        0 if n == 1 and shape[new + i] != 1 else step
        for i, (n, step) in enumerate(zip(x.shape, x.strides, strict=True))
    ]
    if x.flags.c_contiguous:  # what np.broadcast_to does, five times as fast
        y = np.ndarray(shape, x.dtype, np.asarray(x), 0, steps)
    else:
        stride = tuple([step // x.itemsize for step in steps])
        y = Layout(shape, stride, layout_of(x).offset).of(memory_of(x))
    y.flags.writeable = False
    return y


@linear(dx=lambda dy, x_shape: _expand(dy, x_shape))
def _sum_to_size(x, shape):
    """``x`` summed over the dimensions that broadcasting ``shape`` would make: the adjoint of
    expand."""
    return sum_to_shape(x, shape)


@flexible
def expand(input: Any, size: Any) -> Any:
    """A view in which dimensions of length 1 are stretched to ``size``, and new ones put in front;
    -1 keeps a length.

    RuntimeError if a length other than 1 would have to change."""
    shape, wanted = tuple(input.shape), sizes(size)
    new = len(wanted) - len(shape)
    if new < 0:
        raise RuntimeError(
            f"expand({list(shape)}, size={list(wanted)}): the number of sizes provided "
            f"({len(wanted)}) must be greater or equal to the number of dimensions in the tensor "
            f"({len(shape)})"
        )
    if -1 in wanted:
        wanted = wanted[:new] + tuple(
            [have if n == -1 else n for n, have in zip(wanted[new:], shape, strict=True)]
        )
    for dim, n in enumerate(wanted):
        if n < 0:
            raise RuntimeError(
                f"The expanded size of the tensor ({n}) isn't allowed in a leading, non-existing "
                f"dimension {dim}"
            )
        if dim >= new and shape[dim - new] not in (1, n):
            raise RuntimeError(
                f"The expanded size of the tensor ({n}) must match the existing size "
                f"({shape[dim - new]}) at non-singleton dimension {dim}. Target sizes: "
                f"{list(wanted)}. Tensor sizes: {list(shape)}"
            )
    return _expand(input, wanted)


@flexible
def broadcast_to(input: Any, size: Any) -> Any:
    """``input.expand(size)``."""
    return expand(input, size)


def expand_as(input: Any, other: Any) -> Any:
    """``input.expand(other.shape)``."""
    return expand(input, other.shape)


@flexible
def sum_to_size(input: Any, size: Any) -> Any:
    """``input`` summed over dimensions until it has the shape ``size``, from which broadcasting
    would lead back.

    Integers are summed as int64. RuntimeError if ``size`` does not broadcast to the shape of
    ``input``."""
    size = sizes(size)
    if size != tuple(input.shape) or not size:
        kept = input if array_of(input).dtype.kind == "f" else cast(input, np.int64)
        return _sum_to_size(kept, size)
    return input


def broadcast_shapes(*shapes: Any) -> Size:
    """The shape that tensors of these shapes (tuples, or ints for 1-d) broadcast to. RuntimeError
    if they do not."""
    try:
        return Size(np.broadcast_shapes(*shapes))
    except ValueError:
        raise RuntimeError(
            "Shape mismatch: objects cannot be broadcast to a single shape: "
            f"{', '.join(map(str, shapes))}. Lengths, counted from the last dimension, must be "
            "equal or 1."
        ) from None


def broadcast_tensors(*tensors: Any) -> tuple[Any, ...]:
    """Each tensor expanded to the shape they all broadcast to."""
    shape = broadcast_shapes(*(tuple(x.shape) for x in tensors))
    return tuple([expand(x, shape) for x in tensors])


@linear(dx=lambda dy, x_shape, counts: _sum_of_copies(dy, x_shape, counts))
def _repeat(x, counts):
    """``x`` laid out ``counts[i]`` times along each dimension i."""
    return np.tile(x, counts)


def _sum_of_copies(dy: Any, shape: tuple[int, ...], counts: tuple[int, ...]) -> Any:
    """The sum of all the copies that repeat made: dimension i of ``dy`` is counts[i] copies of
    shape[i] elements."""
    shape = (1,) * (len(counts) - len(shape)) + shape
    copies = itertools.chain.from_iterable(zip(counts, shape, strict=True))
    single = itertools.chain.from_iterable((1, n) for n in shape)
    return _reshape(_sum_to_size(_reshape(dy, tuple(copies)), tuple(single)), shape)


@flexible
def repeat(input: Any, repeats: Any) -> Any:
    """A copy of ``input`` laid out ``repeats[i]`` times along each dimension i; extra counts make
    new dimensions in front."""
    counts = sizes(repeats)
    if len(counts) < ndim_of(input):
        raise RuntimeError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of "
            f"tensor: got {list(counts)} for a tensor of shape {list(input.shape)}"
        )
    if min(counts, default=0) < 0:
        raise RuntimeError(
            f"Trying to create tensor with negative dimension: repeats are {list(counts)}"
        )
    return _repeat(input, counts)


@flexible
def tile(input: Any, dims: Any) -> Any:
    """As :func:`repeat`, but missing counts in front are 1."""
    counts = sizes(dims)
    return repeat(input, (1,) * (ndim_of(input) - len(counts)) + counts)


def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Any, ...]:
    """The coordinates of the grid that 1-d (or 0-d) tensors span, one tensor for each, all of the
    grid's shape, as views.

    ``indexing='ij'`` (the default): the shape is (len(x), len(y), ...); ``'xy'`` exchanges the
    first two."""
    axes = list(
        tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors
    )
    if indexing not in (None, "ij", "xy"):
        raise RuntimeError(
            f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}'
        )
    if any(ndim_of(x) > 1 for x in axes):
        raise RuntimeError(
            "torch.meshgrid: Expected 0D or 1D tensors, but got shapes "
            f"{[tuple(x.shape) for x in axes]}"
        )
    swap = indexing == "xy" and len(axes) > 1
    if swap:
        axes[:2] = axes[1::-1]
    shape = tuple([x.shape[0] if x.ndim else 1 for x in axes])
    grids = [
        _expand(_reshape(x, (1,) * i + (-1,) + (1,) * (len(axes) - i - 1)), shape)
        for i, x in enumerate(axes)
    ]
    if swap:
        grids[:2] = grids[1::-1]
    return tuple(grids)
