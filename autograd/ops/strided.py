"""The same memory, read with other steps.

Every view is that: a slice skips, a transpose takes the steps in another order, ``expand`` stands
still. ``as_strided`` spells the steps out, and so can take any view again. Its adjoint lays the
gradient out where it was read from, and reads it as the input was laid out; which is the same with
the two layouts exchanged.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.inplace import _copy_slices, _restride
from autograd.layout import Layout, layout_within, memory_of
from autograd.op import linear
from autograd.ops.dimensions import sizes
from autograd.tensor import Tensor, memory

__all__ = ["as_strided", "as_strided_scatter"]


@linear(dx=lambda dy, source, target: _shared_out(_restride(dy, target, source), source), view=True)
def _as_strided(x, source, target):
    """The memory of ``x``, which is laid out as ``source``, read as ``target``."""
    row = memory_of(x)
    return target.of(row) if layout_within(row, x) == source else _restride(x, source, target)


def _shared_out(dx: Any, source: Layout) -> Any:
    """A gradient for each element of the input: those that lie at one place share it."""
    if not source.overlaps():
        return dx
    ones = np.ones(source.size, dx.dtype if isinstance(dx, np.ndarray) else dx._array.dtype)
    return dx / _restride(ones, source, source)


def as_strided(input: Any, size: Any, stride: Any, storage_offset: int | None = None) -> Any:
    """The view of the memory of ``input`` with this shape and these steps (in elements), beginning
    at ``storage_offset`` (by default, where ``input`` begins).

    The gradient goes to the elements of ``input`` that were read, each as often as it was; what
    lies in its memory but does not belong to it takes none. RuntimeError for negative steps and for
    what would reach beyond the memory."""
    source, target = _layouts(input, size, stride, storage_offset)
    return _as_strided(input, source, target)


def as_strided_scatter(
    input: Any, src: Any, size: Any, stride: Any, storage_offset: int | None = None
) -> Any:
    """A copy of ``input`` with ``src`` in place of what :func:`as_strided` would read. RuntimeError
    unless ``src`` has the shape ``size``, and where elements to be written lie at one place."""
    source, target = _layouts(input, size, stride, storage_offset)
    if tuple(src.shape) != target.size:
        raise RuntimeError(
            "expected src to have a size equal to the slice of self. src size = "
            f"{list(src.shape)}, slice size = {list(target.size)}"
        )
    if source.overlaps() or target.overlaps():
        raise RuntimeError(
            "as_strided_scatter: several elements of the input, or of what is to be written, lie "
            "at one place in memory. Make the input .contiguous(), and let no two steps meet."
        )
    return _copy_slices(input, src, source, target)


def _layouts(input: Any, size: Any, stride: Any, offset: int | None) -> tuple[Layout, Layout]:
    """How ``input`` is laid out, and how it is to be read."""
    array = memory(input) if isinstance(input, Tensor) else input
    row = memory_of(array)
    source = layout_within(row, array)
    steps = (array.ctypes.data - row.ctypes.data, *array.strides)
    if array.size and any(step % array.itemsize for step in steps):
        raise RuntimeError(
            "as_strided: the elements of this tensor, which came from NumPy, do not lie at whole "
            f"steps of {array.itemsize} bytes in their memory. Take a .clone()"
        )
    target = Layout(sizes(size), sizes(stride), source.offset if offset is None else int(offset))
    if len(target.size) != len(target.stride):
        raise RuntimeError(
            f"mismatch in length of strides and shape: got the size {list(target.size)} and the "
            f"stride {list(target.stride)}"
        )
    if min(target.stride, default=0) < 0:
        raise RuntimeError(
            "as_strided: Negative strides are not supported at the moment, got strides: "
            f"{list(target.stride)}"
        )
    if min(target.size, default=0) < 0 or target.offset < 0:
        raise RuntimeError(
            f"as_strided: lengths and storage_offset must not be negative, but got "
            f"{list(target.size)} and {target.offset}"
        )
    if target.reach() > row.size:
        raise RuntimeError(
            f"setStorage: sizes {list(target.size)}, strides {list(target.stride)}, storage offset "
            f"{target.offset} require a storage of {target.reach()} elements, but this one has "
            f"{row.size}"
        )
    return source, target
