"""Images sampled where a grid says: at any place, in between the pixels too.

A sample is a mean of the pixels around its place, and their weights are products of one for each
axis. The gradient goes to the pixels, as to those of an indexed tensor, and through the weights to
the places, so that a network can learn where to look (Jaderberg et al., 2015). All is made of
operations; only that picking pixels is linear, and its adjoint, is said here.
"""

from __future__ import annotations

import itertools
import math
import warnings
from typing import Any

import numpy as np

from autograd.op import linear
from autograd.ops.arithmetic import abs, array_of
from autograd.ops.comparison import masked, where
from autograd.ops.conversion import cast
from autograd.ops.indexing import _sum_rows
from autograd.ops.linear_algebra import matmul
from autograd.ops.resizing import cubic_far, cubic_near
from autograd.ops.shape import mt, reshape, unsqueeze
from autograd.ops.windows import require_tensor
from autograd.tensor import Tensor, wrap

__all__: list[str] = []  # nn.functional.grid_sample, affine_grid


def grid_sample(
    input: Any,
    grid: Any,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Any:
    """The images ``input`` (N, C, H, W) at the places ``grid`` (N, h, w, 2): (N, C, h, w).

    A place is (x, y), from -1, the left or upper edge, to 1; with ``align_corners`` these are the
    centers of the outermost pixels. Likewise volumes (N, C, D, H, W) at places (N, d, h, w, 3), (x,
    y, z). ``mode`` is "bilinear" (trilinear, of volumes), "nearest" or, of images, "bicubic".
    Beyond the edge there are zeros, or it goes on as it is at the "border", or in its "reflection".
    ValueError for other modes, RuntimeError for shapes and dtypes that do not fit together."""
    if mode not in ("bilinear", "nearest", "bicubic"):
        raise ValueError(
            "nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', "
            f"but got: '{mode}'"
        )
    if padding_mode not in ("zeros", "border", "reflection"):
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or "
            f"'reflection', but got: '{padding_mode}'"
        )
    align = _aligned(align_corners)
    _check_grid(input, grid, mode)
    if array_of(input).dtype == np.float16:
        wide, places = (cast(x, np.dtype(np.float32)) for x in (input, grid))
        y = grid_sample(wide, places, mode, padding_mode, align)
        return cast(y, np.dtype(np.float16))
    lengths = tuple(input.shape[2:])
    places = reshape(grid, (grid.shape[0], math.prod(grid.shape[1:-1]), len(lengths)))
    taps = [
        _taps(_unnormalized(places[..., -1 - dim], n, align), n, mode, padding_mode, align)
        for dim, n in enumerate(lengths)
    ]
    pixels = reshape(input, (*input.shape[:2], math.prod(lengths)))
    y = None
    for corner in itertools.product(*taps):
        number, inside, weight = np.zeros((), np.int64), np.ones((), bool), 1.0
        for n, (place, share) in zip(lengths, corner, strict=True):
            number = number * n + place.clip(0, n - 1)
            inside = inside & (place >= 0) & (place < n)
            weight = share * weight
        part = masked(_pixels(pixels, number), inside[:, None]) * unsqueeze(weight, 1)
        y = part if y is None else y + part
    return reshape(y, (*input.shape[:2], *grid.shape[1:-1]))


@linear(dx=lambda dy, x_shape, number: _put_pixels(dy, x_shape, number))
def _pixels(x, number):
    """The pixels of each image (C, L) with these numbers."""
    y = np.empty((*x.shape[:2], number.shape[1]), x.dtype)
    for i, at in enumerate(number):
        y[i] = x[i].take(at, 1)
    return y


@linear(dx=lambda dy, number: _pixels(dy, number))
def _put_pixels(x, shape, number):
    """Each pixel added to those of its number: the adjoint."""
    y = np.empty(shape, x.dtype)
    for i, at in enumerate(number):
        y[i] = _sum_rows(x[i], shape[1:], 1, at)
    return y


# -- along one axis --------------------------------------------------------------------------------


def _unnormalized(g: Any, n: int, align: bool) -> Any:
    """Places from -1 to 1 as numbers of pixels"""
    return (g + 1) * ((n - 1) / 2) if align else ((g + 1) * n - 1) / 2


def _taps(x: Any, n: int, mode: str, padding: str, align: bool) -> list[tuple[np.ndarray, Any]]:
    """The numbers of the pixels around ``x``, and their weights."""
    if mode != "bicubic":
        x = _padded(x, n, padding, align)
        if mode == "nearest":
            return [(np.rint(array_of(x)).astype(np.int64), np.ones_like(array_of(x)))]
    first = np.floor(array_of(x))
    rest = x - first
    if mode == "bilinear":
        place = first.astype(np.int64)
        return [(place, 1 - rest), (place + 1, rest)]
    weights = (
        cubic_far(rest + 1, -0.75),
        cubic_near(rest, -0.75),
        cubic_near(1 - rest, -0.75),
        cubic_far(2 - rest, -0.75),
    )
    places = (_padded(first + i, n, padding, align).astype(np.int64) for i in range(-1, 3))
    return list(zip(places, weights, strict=True))


def _padded(x: Any, n: int, padding: str, align: bool) -> Any:
    """Places brought inside; those that already were have a slope, and those in a reflection."""
    if padding == "zeros":
        return x
    if padding == "reflection":
        x = _reflected(x, *((0, n - 1) if align else (-0.5, n)))
    a = array_of(x)
    inside = (a > 0) & (a < n - 1)
    return where(inside, x, np.fmin(np.fmax(a, 0), n - 1))  # nan, too, goes to an edge


def _reflected(x: Any, low: float, span: float) -> Any:
    """``x`` in an interval from ``low`` on, between two mirrors ``span`` apart."""
    if not span:
        return array_of(x) * 0
    distance = abs(x - low)
    turns = np.floor(array_of(distance) / span)
    rest = distance - turns * span
    return where(turns % 2 == 1, span - rest, rest) + low


# -- grids -----------------------------------------------------------------------------------------


def affine_grid(theta: Any, size: Any, align_corners: bool | None = None) -> Any:
    """The grid (N, H, W, 2) for :func:`grid_sample` of images of ``size`` (N, C, H, W), moved by
    the matrices ``theta`` (N, 2, 3); or (N, D, H, W, 3) for (N, C, D, H, W) and (N, 3, 4).

    Pixel (x, y) looks at ``theta @ (x, y, 1)``. Raises ValueError for shapes and dtypes that do not
    fit together, NotImplementedError for a size of other dimensions."""
    require_tensor(theta, "affine_grid", "theta")
    align = _aligned(align_corners)
    if array_of(theta).dtype.kind != "f":
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype}")
    if len(size) not in (4, 5):
        raise NotImplementedError(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, "
            f"respectively. Got size {tuple(size)}."
        )
    dims = len(size) - 2
    if theta.ndim != 3 or tuple(theta.shape[1:]) != (dims, dims + 1):
        raise ValueError(
            f"Expected a batch of {dims}D affine matrices of shape Nx{dims}x{dims + 1} for size "
            f"{tuple(size)}. Got {tuple(theta.shape)}."
        )
    if min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {tuple(size)}")
    if align and min(size[2:]) == 1:
        warnings.warn(
            "Since version 1.3.0, affine_grid behavior has changed for unit-size grids when "
            "align_corners=True. This is not an intended use case of affine_grid.",
            stacklevel=2,
        )
    if theta.shape[0] != size[0]:
        raise RuntimeError(
            f"Expected {size[0]} matrices, for size {tuple(size)}, but got {len(theta)}"
        )
    dtype = array_of(theta).dtype
    axes = [_even(n, align, dtype) for n in size[2:]]
    along = np.meshgrid(*axes, indexing="ij")[::-1]  # x is the last axis
    points = np.stack([*map(np.ravel, along), np.ones(math.prod(size[2:]), dtype)], -1)
    points = np.broadcast_to(points, (size[0], *points.shape))
    given = wrap(points) if isinstance(theta, Tensor) else points
    return reshape(matmul(given, mt(theta)), (size[0], *size[2:], dims))


def _even(n: int, align: bool, dtype: np.dtype) -> np.ndarray:
    """The centers of n pixels between -1 and 1."""
    if n == 1:
        return np.zeros(1, dtype)
    return np.linspace(-1, 1, n, dtype=dtype) * dtype.type(1 if align else (n - 1) / n)


# -- what fits together ----------------------------------------------------------------------------


def _aligned(align_corners: bool | None) -> bool:
    if align_corners is None:
        warnings.warn(
            "Default grid_sample and affine_grid behavior has changed to align_corners=False since "
            "1.3.0. Please specify align_corners=True if the old behavior is desired.",
            stacklevel=3,
        )
    return bool(align_corners)


def _check_grid(input: Any, grid: Any, mode: str) -> None:
    for name, x in (("input", input), ("grid", grid)):
        require_tensor(x, "grid_sample", name)
    found = f"got input with sizes {list(input.shape)} and grid with sizes {list(grid.shape)}"
    if input.ndim not in (4, 5) or grid.ndim != input.ndim:
        raise RuntimeError(
            "grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, but "
            f"{found}"
        )
    if input.shape[0] != grid.shape[0]:
        raise RuntimeError(
            f"grid_sampler(): expected grid and input to have same batch size, but {found}"
        )
    if grid.shape[-1] != input.ndim - 2:
        raise RuntimeError(
            f"grid_sampler(): expected grid to have size {input.ndim - 2} in last dimension, but "
            f"{found}"
        )
    if 0 in input.shape[2:]:
        raise RuntimeError(
            f"grid_sampler(): expected input to have non-empty spatial dimensions, but {found}"
        )
    if mode == "bicubic" and input.ndim != 4:
        raise RuntimeError(
            f"grid_sampler(): bicubic interpolation only supports 4D input, but {found}"
        )
    kinds = array_of(input).dtype, array_of(grid).dtype
    if kinds[0] != kinds[1]:
        raise RuntimeError(
            f"expected input and grid of one dtype, but got {kinds[0]} and {kinds[1]}"
        )
    if kinds[0].kind != "f":
        raise NotImplementedError(
            f"grid_sample is not implemented for {kinds[0]}: sample x.float() with a floating grid"
        )
