"""A gradient has the shape and dtype of what it is the gradient of.

Broadcasting copies a value along new or stretched dimensions; its adjoint sums over them. This is
the one place where that is undone, for all operations, and where promotion is undone too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.tensor import Tensor


def fit(gradient: Any, shape: tuple[int, ...], dtype: np.dtype) -> Any:
    """The gradient, array or tensor, brought to the shape and dtype of what it is the gradient
    of."""
    if isinstance(gradient, Tensor):
        if gradient._array.shape != shape:
            gradient = gradient.sum_to_size(shape)
        return gradient if gradient._array.dtype == dtype else gradient._cast(dtype)
    if gradient.shape != shape:
        gradient = sum_to_shape(gradient, shape)
    return gradient if gradient.dtype == dtype else gradient.astype(dtype)


def sum_to_shape(array: Any, shape: tuple[int, ...]) -> Any:
    """Sum ``array`` over the dimensions along which ``shape`` would be broadcast to it."""
    extra = array.ndim - len(shape)
    stretched = tuple(
        i for i in range(array.ndim) if i < extra or (shape[i - extra] == 1 and array.shape[i] != 1)
    )
    if extra < 0 or any(
        array.shape[i] != shape[i - extra]
        for i in range(max(extra, 0), array.ndim)
        if i not in stretched
    ):
        raise RuntimeError(
            f"invalid gradient: got shape {list(array.shape)} but expected shape compatible with "
            f"{list(shape)}, one that can be summed to it"
        )
    return array.sum(axis=stretched).reshape(shape) if stretched else array.reshape(shape)
