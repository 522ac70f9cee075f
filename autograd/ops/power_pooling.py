"""Power pooling: every window becomes the p-norm of its elements, (Σ xᵖ)^(1/p).

p = 1 sums, p = ∞ takes the largest. It is average pooling of powers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from autograd.ops.activation import relu
from autograd.ops.arithmetic import abs, sign
from autograd.ops.pooling import (
    avg_pool1d,
    avg_pool2d,
    avg_pool3d,
    max_pool1d,
    max_pool2d,
    max_pool3d,
)
from autograd.ops.powers import pow
from autograd.ops.windows import per_axis

__all__: list[str] = []  # nn.functional.lp_pool1d, ...


def lp_pool1d(
    input: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Any:
    """(Σ xᵖ)^(1/p), p = ``norm_type``, of every window of signals (N, C, L) or (C, L).

    See :func:`lp_pool2d`."""
    return _power_pooling(1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Any:
    """(Σ xᵖ)^(1/p), p = ``norm_type``, of every window of images (N, C, H, W) or (C, H, W).

    x is not made positive first: odd powers of negative numbers are negative, and other roots of
    them nan. p = ±∞ takes the largest or smallest |x|. The gradient of a sum of 0 is 0. Windows,
    sizes and errors are those of avg_pool2d."""
    return _power_pooling(2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(
    input: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Any:
    """(Σ xᵖ)^(1/p), p = ``norm_type``, of every window of volumes (N, C, D, H, W) or (C, D, H, W).

    See :func:`lp_pool2d`."""
    return _power_pooling(3, input, norm_type, kernel_size, stride, ceil_mode)


_AVG: dict[int, Callable[..., Any]] = {1: avg_pool1d, 2: avg_pool2d, 3: avg_pool3d}
_MAX: dict[int, Callable[..., Any]] = {1: max_pool1d, 2: max_pool2d, 3: max_pool3d}


def _power_pooling(dims: int, x: Any, p: float, kernel: Any, stride: Any, ceil_mode: bool) -> Any:
    if p in (math.inf, -math.inf):
        side = 1 if p > 0 else -1
        return side * _MAX[dims](side * abs(x), kernel, stride, 0, 1, ceil_mode)
    means = _AVG[dims](pow(x, p), kernel, stride, 0, ceil_mode)
    elements = math.prod(per_axis(kernel, dims, "kernel_size", f"lp_pool{dims}d"))
    # relu and sign have slope 0 at 0, where the root's is infinite.
    return pow(sign(means) * relu(abs(means)) * elements, 1 / p)
