"""Elements of images rearranged: from channels to pixels, from pixels to channels, from channel to
channel.

Nothing is computed: dimensions are split, exchanged and joined. The adjoint does the same backward.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from autograd.op import linear
from autograd.ops.windows import require_tensor

__all__ = ["channel_shuffle", "pixel_shuffle", "pixel_unshuffle"]


@linear(
    dx=lambda dy, x_shape, parts, order: _rearrange(
        dy, tuple([parts[i] for i in order]), tuple(np.argsort(order)), x_shape
    )
)
def _rearrange(x, parts, order, shape):
    """The dimensions split into ``parts``, these put into another ``order``, and joined again."""
    return x.reshape(parts).transpose(order).copy().reshape(shape)


def pixel_shuffle(input: Any, upscale_factor: int) -> Any:
    """Images r times as high and wide, whose pixels come from r² channels: (..., C r², H, W) to
    (..., C, H r, W r) (Shi et al., 2016).

    Raises RuntimeError for a number of channels that r² does not divide, for less than 3 dimensions
    and unless r > 0."""
    r = _factor("pixel_shuffle", "upscale_factor", input, upscale_factor)
    *others, channels, height, width = input.shape
    if channels % r**2:
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square "
            f"of upscale_factor, but input.size(-3)={channels} is not divisible by {r**2}"
        )
    n, parts = len(others), (*others, channels // r**2, r, r, height, width)
    order = (*range(n + 1), n + 3, n + 1, n + 4, n + 2)
    return _rearrange(input, parts, order, (*others, channels // r**2, height * r, width * r))


def pixel_unshuffle(input: Any, downscale_factor: int) -> Any:
    """What :func:`pixel_shuffle` does, undone: (..., C, H r, W r) to (..., C r², H, W).

    Raises RuntimeError for a height or width that r does not divide, for less than 3 dimensions and
    unless r > 0."""
    r = _factor("pixel_unshuffle", "downscale_factor", input, downscale_factor)
    *others, channels, height, width = input.shape
    for name, length, dim in (("height", height, -2), ("width", width, -1)):
        if length % r:
            raise RuntimeError(
                f"pixel_unshuffle expects {name} to be divisible by downscale_factor, but "
                f"input.size({dim})={length} is not divisible by {r}"
            )
    n, parts = len(others), (*others, channels, height // r, r, width // r, r)
    order = (*range(n + 1), n + 2, n + 4, n + 1, n + 3)
    return _rearrange(input, parts, order, (*others, channels * r**2, height // r, width // r))


def _factor(function: str, name: str, input: Any, factor: Any) -> int:
    require_tensor(input, function)
    if input.ndim < 3:
        raise RuntimeError(
            f"{function} expects input to have at least 3 dimensions, but got input with "
            f"{input.ndim} dimension(s)"
        )
    try:
        r = operator.index(factor)
    except TypeError:
        raise TypeError(
            f"{function}(): argument '{name}' (position 2) must be int, not {type(factor).__name__}"
        ) from None
    if r <= 0:
        raise RuntimeError(f"{function} expects a positive {name}, but got {r}")
    return r


def channel_shuffle(input: Any, groups: int) -> Any:
    """The channels of (N, C, ...), seen as ``groups`` groups, dealt out to as many new ones like
    cards: the first of each group, the second of each, ... (Zhang et al., 2017).

    Raises RuntimeError for channels that cannot be divided into the groups, and for less than 3
    dimensions."""
    require_tensor(input, "channel_shuffle")
    shape = tuple(input.shape)
    if len(shape) < 3:
        raise RuntimeError(
            f"channel_shuffle expects input with > 2 dims, but got input with sizes {list(shape)}"
        )
    if groups <= 0:
        raise RuntimeError(
            f"Number of groups to divide channels in must be positive. Value of groups:{groups}"
        )
    if shape[1] % groups:
        raise RuntimeError(
            f"Number of channels must be divisible by groups. Got {shape[1]} channels and {groups} "
            "groups."
        )
    parts = (shape[0], groups, shape[1] // groups, *shape[2:])
    return _rearrange(input, parts, (0, 2, 1, *range(3, len(parts))), shape)
