"""Many numbers made one: sums, means, extremes, norms."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import dtypes
from autograd.op import linear
from autograd.ops.conversion import cast
from autograd.ops.dimensions import ndim_of, reduced
from autograd.ops.shape import _expand, _reshape

__all__ = ["sum"]

# -- sums -------------------------------------------------------------------------------------------------------------


def _restored(dy: Any, shape: tuple[int, ...], dim: Any) -> Any:
    """``dy`` of a reduction over ``dim`` with the reduced dimensions back, at length 1: it broadcasts against the input."""
    if dim is None or len(dy.shape) == len(shape):
        return dy
    if type(dim) is int:
        return _reshape(dy, shape[:dim] + (1,) + shape[dim + 1 :])
    return _reshape(dy, tuple([1 if i in dim else n for i, n in enumerate(shape)]))


@linear(dx=lambda dy, x_shape, dim: _expand(_restored(dy, x_shape, dim), x_shape))
def _sum(x, dim, keepdim):
    """The sum of ``x`` over ``dim``. Its adjoint hands every term the gradient of the sum."""
    if x.dtype.kind != "f":
        return np.add.reduce(x, axis=dim, dtype=np.int64, keepdims=keepdim)
    return np.add.reduce(x, axis=dim, keepdims=keepdim)


def sum(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The sum over ``dim`` (None: all). Integers and bools sum to int64; ``dtype`` converts first."""
    x = input if dtype is None else cast(input, dtype)
    return _sum(x, reduced(dim, ndim_of(x)), keepdim)
