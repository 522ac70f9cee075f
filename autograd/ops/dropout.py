"""Dropout: forget a random part while training, so that no part is relied upon (Srivastava et al.,
2014).

What is kept is scaled up, so that the expectation stays; the masks come from the default generator.
"""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import sampling
from autograd.inplace import write
from autograd.op import linear
from autograd.ops.arithmetic import array_of
from autograd.ops.dimensions import ndim_of

__all__ = [
    "alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout",
    "feature_dropout",
]  # fmt: skip

_BOOL = np.dtype(np.bool_)

# -- zeros -----------------------------------------------------------------------------------------


def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Each element is 0 with probability ``p``, else scaled by 1 / (1 - ``p``); the input itself
    unless ``training``.

    Raises ValueError for a ``p`` outside [0, 1]."""
    return _drop(_with_zeros, input, p, training, inplace)


def feature_dropout(
    input: Any, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Any:
    """As :func:`dropout`, but for whole channels: dimensions 0 and 1 of (N, C, ...)."""
    return _drop(_with_zeros, input, p, training, inplace, 2)


def dropout1d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """As :func:`dropout`, but for whole channels of (N, C, L) or (C, L). Raises RuntimeError for
    other shapes."""
    ndim = ndim_of(input)
    if ndim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {ndim}D input of shape "
            f"{tuple(input.shape)}: channels, then 1 dimension, before them perhaps one for the "
            "batch."
        )
    return _drop(_with_zeros, input, p, training, inplace, ndim - 1)


def dropout2d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """As :func:`dropout`, but for whole channels of (N, C, H, W). Three dimensions are (N, C, L),
    as in PyTorch, which warns of it, and of other numbers of them."""
    ndim = ndim_of(input)
    if ndim == 3:
        warnings.warn(
            "dropout2d: Received a 3D input, which is taken as (N, C, L), not as (C, H, W). Use "
            "dropout1d for the one, x.unsqueeze(0) for the other.",
            stacklevel=2,
        )
    elif ndim != 4:
        _warn_of_dimensions("dropout2d", ndim, 2)
    return _drop(_with_zeros, input, p, training, inplace, 2)


def dropout3d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """As :func:`dropout`, but for whole channels of (N, C, D, H, W) or (C, D, H, W). Warns of other
    numbers of dimensions, of which the first is that of the channels."""
    ndim = ndim_of(input)
    if ndim not in (4, 5):
        _warn_of_dimensions("dropout3d", ndim, 3)
    return _drop(_with_zeros, input, p, training, inplace, 2 if ndim == 5 else 1)


def _warn_of_dimensions(function: str, ndim: int, spatial: int) -> None:
    warnings.warn(
        f"{function}: Received a {ndim}-D input, which is deprecated and will result in an error "
        f"in a future release. It is for {spatial} dimensions after that of the channels, and one "
        "before it. Use dropout instead.",
        stacklevel=3,
    )


def _drop(
    how: Callable[[Any, np.ndarray, float], Any],
    x: Any,
    p: float,
    training: bool,
    inplace: bool,
    count: int | None = None,
) -> Any:
    """``how(x, kept, p)`` with a random mask of what is kept, of single elements or (``count``) of
    all that has the same first indices."""
    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    if not training or p == 0:
        return x
    shape = array_of(x).shape
    if count is not None:
        shape = _of_channels(shape, count)
    kept = sampling.bernoulli(shape, _BOOL, 1 - p)
    return (
        write(x, lambda old: how(old, kept, p), "dropout_", sys._getframe(2))
        if inplace
        else how(x, kept, p)
    )


def _of_channels(shape: tuple[int, ...], count: int) -> tuple[int, ...]:
    """The shape of a mask with one element for each index of the first ``count`` dimensions."""
    if len(shape) < count:
        raise RuntimeError(
            f"Feature dropout requires at least {count} dimensions in the input, but got shape "
            f"{shape}"
        )
    return shape[:count] + (1,) * (len(shape) - count)


def _with_zeros(x: Any, kept: np.ndarray, p: float) -> Any:
    return _dropout(x, kept, 1 / (1 - p) if p < 1 else 0.0)


@linear(dx=lambda dy, kept, scale: _dropout(dy, kept, scale), kinds="f")
def _dropout(x, kept, scale):
    y = x * kept
    y *= scale
    return y


# -- noise that keeps mean and variance ------------------------------------------------------------


def alpha_dropout(input: Any, p: float = 0.5, training: bool = False, inplace: bool = False) -> Any:
    """Dropout for selu (Klambauer et al., 2017): elements become its lower limit -1.7581, not 0,
    and the result is scaled and shifted to keep mean 0 and variance 1. Raises ValueError for a
    ``p`` outside [0, 1]."""
    return _drop(_with_limits, input, p, training, inplace)


def feature_alpha_dropout(
    input: Any, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Any:
    """As :func:`alpha_dropout`, but for whole channels: dimensions 0 and 1 of (N, C, ...)."""
    return _drop(_with_limits, input, p, training, inplace, 2)


def _with_limits(x: Any, kept: np.ndarray, p: float) -> Any:
    limit = -1.7580993408473766
    scale = 1 / math.sqrt((limit * limit * p + 1) * (1 - p)) if p < 1 else 0.0
    shift = np.where(kept, -limit * scale * p, (limit - limit * p) * scale).astype(
        array_of(x).dtype
    )
    return _dropout(x, kept, scale) + shift
