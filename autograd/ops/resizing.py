"""Images made larger or smaller: each new element is a mean of the old ones around its place.

Along an axis that is a product with a matrix, which has few numbers that are not zero in a row: the
weights of the old elements in the new one. Axes are resized one after the other, and the adjoint is
the product with the transposed matrices. Only the weights differ between the modes:

    nearest     1 for the element that the place is in
    linear      1 - d, where d < 1 is the distance to the element
    cubic       a cubic spline of the distance, d < 2 (Keys, 1981)
    area        equal ones for all elements in a window (this is adaptive pooling)

With antialiasing, what is made smaller is measured in larger steps, so that no element is lost.
"""

from __future__ import annotations

import functools
import operator
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.op import linear, op
from autograd.ops import pooling
from autograd.ops.arithmetic import array_of
from autograd.ops.gathering import _index_select
from autograd.ops.windows import require_tensor

__all__: list[str] = []  # nn.functional.interpolate

_DIMS = {"linear": 1, "bilinear": 2, "trilinear": 3, "bicubic": 2, "lanczos": 2}
_ANY_DIMS = ("nearest", "nearest-exact", "area")


def interpolate(
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Any:
    """Signals (N, C, L), images (N, C, H, W) or volumes (N, C, D, H, W) of another ``size``, or of
    ⌊length · ``scale_factor``⌋: one number for all axes, or a tuple.

    ``mode`` is "nearest", "nearest-exact" (which rounds as others do) or "area", or for 1, 2 or 3
    axes "linear", "bilinear" or "trilinear", or for 2 "bicubic" or "lanczos". ``align_corners``
    takes elements as points, of which first and last stay in place, not as squares side by side.
    ``recompute_scale_factor`` takes the ratio of the lengths for the scale, as with ``size``.
    ``antialias`` (for images) is for making smaller. uint8 is computed in fixed point.
    ValueError for settings that do not fit together, NotImplementedError for other dimensions,
    dtypes and modes, RuntimeError for empty images."""
    require_tensor(input, "interpolate")
    if mode in _ANY_DIMS and align_corners is not None:
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear "
            f"| bicubic | trilinear, but mode is {mode}"
        )
    sizes, scales = _sizes(input, size, scale_factor)
    if recompute_scale_factor and size is not None:
        raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
    if recompute_scale_factor:
        scales = (None,) * len(sizes)
    _check_mode(input, mode, bool(align_corners), antialias)
    if mode == "area":
        return _AREA[len(sizes)](input, sizes)
    lengths = tuple(input.shape[2:])
    if min(lengths + sizes) <= 0 or not input.shape[1]:
        raise RuntimeError(
            "Input and output sizes should be greater than 0, but got input of shape "
            f"{tuple(input.shape)} and output size {sizes}"
        )
    dtype = array_of(input).dtype
    if dtype.kind != "f" and (dtype != np.uint8 or mode in ("linear", "trilinear")):
        raise NotImplementedError(
            f"interpolate in mode {mode} is not implemented for {dtype}: resize x.float()"
        )
    if mode.startswith("nearest"):
        return _nearest(input, sizes, scales, mode == "nearest-exact")
    exact = np.float32 if dtype.kind == "f" and dtype.itemsize < 8 else np.float64
    matrices = tuple(
        _matrix(mode, n, m, scale, bool(align_corners), antialias, exact)
        for n, m, scale in zip(lengths, sizes, scales, strict=True)
    )
    return (_resize_bytes if dtype == np.uint8 else _resize)(input, matrices)


_AREA: dict[int, Callable[..., Any]] = {
    1: pooling.adaptive_avg_pool1d,
    2: pooling.adaptive_avg_pool2d,
    3: pooling.adaptive_avg_pool3d,
}


def upsample(
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Any:
    """An old name of :func:`interpolate`."""
    _warn_of_old_name("upsample", "")
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """An old name of :func:`interpolate`."""
    _warn_of_old_name("upsample_nearest", "")
    return interpolate(input, size, scale_factor, "nearest")


def upsample_bilinear(input: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """An old name of :func:`interpolate`, bilinear and with ``align_corners``."""
    _warn_of_old_name("upsample_bilinear", "mode='bilinear', align_corners=True")
    return interpolate(input, size, scale_factor, "bilinear", True)


def _warn_of_old_name(name: str, settings: str) -> None:
    warnings.warn(
        f"`nn.functional.{name}` is deprecated. Use `nn.functional.interpolate({settings})` "
        "instead.",
        stacklevel=3,
    )


# -- products with matrices ------------------------------------------------------------------------


@linear(dx=lambda dy, matrices: _resize(dy, tuple([matrix.T for matrix in matrices])))
def _resize(x, matrices):
    """Each of the last axes multiplied by its matrix."""
    y = x.astype(matrices[0].dtype, copy=False)
    for dim, matrix in reversed(list(enumerate(matrices, start=x.ndim - len(matrices)))):
        y = _product(matrix, y, dim)
    return np.ascontiguousarray(y, x.dtype)


@op()
def _resize_bytes(x, matrices):
    """The same for uint8: weights are integers of 15 bits, and each axis is rounded."""
    for dim, matrix in reversed(list(enumerate(matrices, start=x.ndim - len(matrices)))):
        bits = 0
        while bits < 22 and int(0.5 + matrix.data.max() * 2 ** (bits + 1)) < 2**15:
            bits += 1
        weights = matrix.copy()
        weights.data = np.trunc(matrix.data * 2**bits + np.copysign(0.5, matrix.data))
        sums = _product(weights, x, dim).astype(np.int64)
        x = ((sums + (1 << (bits - 1))) >> bits).clip(0, 255).astype(np.uint8)
    return np.ascontiguousarray(x)


def _product(matrix: Any, x: np.ndarray, dim: int) -> np.ndarray:
    rows = np.moveaxis(x, dim, 0)
    y = matrix @ rows.reshape(len(rows), -1)
    return np.moveaxis(y.reshape(matrix.shape[0], *rows.shape[1:]), 0, dim)


def _nearest(x: Any, sizes: tuple[int, ...], scales: Sequence[Any], exact: bool) -> Any:
    for dim, (m, scale) in enumerate(zip(sizes, scales, strict=True), start=2):
        n = x.shape[dim]
        if x.ndim == 4 and not exact and m in (n, 2 * n):
            scale = None  # PyTorch does not look at the factor then
        step = np.float32(n / m if scale is None else 1 / scale)
        places = (np.arange(m, dtype=np.float32) + (np.float32(0.5) if exact else 0)) * step
        x = _index_select(x, dim, np.minimum(places.astype(np.int64), n - 1))
    return x


# -- weights ---------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=128)
def _matrix(
    mode: str, n: int, m: int, scale: float | None, align: bool, antialias: bool, dtype: Any
) -> Any:
    """The weights of n old elements in each of m new ones."""
    from scipy.sparse import csr_array  # takes a moment to load

    if m == n and (antialias or mode != "bicubic"):
        scale = None  # PyTorch does not look at the factor then
    step = dtype(1 / scale if scale else n / m)  # from one new element to the next
    if align:
        step = dtype((n - 1) / (m - 1) if m > 1 else 0)
    if antialias:
        places, weights = _antialiased(mode, n, m, step)
    else:
        half = dtype(0.5)
        at = np.arange(m, dtype=dtype) * step if align else (np.arange(m) + half) * step - half
        places, weights = (_cubic if mode == "bicubic" else _linear)(at, n)
    rows = np.broadcast_to(np.arange(m)[:, None], places.shape)
    return csr_array((weights.reshape(-1), (rows.reshape(-1), places.reshape(-1))), (m, n))


def _linear(at: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    at = np.maximum(at, 0)
    first = np.minimum(np.floor(at), n - 1)
    rest = np.minimum(at - first, 1)
    places = np.stack((first, np.minimum(first + 1, n - 1)), 1).astype(np.int64)
    return places, np.stack((1 - rest, rest), 1)


def _cubic(at: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    first = np.floor(at)
    places = first[:, None] + np.arange(-1, 3, dtype=at.dtype)
    weights = _cubic_weight(places - at[:, None], -0.75)
    return places.clip(0, n - 1).astype(np.int64), weights  # beyond the edge is the edge


def _antialiased(mode: str, n: int, m: int, step: Any) -> tuple[np.ndarray, np.ndarray]:
    reach, weight = _FILTERS[mode]
    unit = max(step, type(step)(1))
    at = (np.arange(m, dtype=type(step)) + type(step)(0.5)) * step
    first = np.maximum((at - reach * unit + 0.5).astype(np.int64), 0)[:, None]
    end = np.minimum((at + reach * unit + 0.5).astype(np.int64), n)[:, None]
    places = first + np.arange((end - first).max())
    weights = weight((places - at[:, None] + type(step)(0.5)) / unit) * (places < end)
    weights /= weights.sum(1, keepdims=True)
    return np.minimum(places, n - 1), weights.astype(type(step))


def _cubic_weight(x: Any, a: float) -> Any:
    d = np.abs(x)
    return np.where(d < 1, cubic_near(d, a), np.where(d < 2, cubic_far(d, a), 0))


def cubic_near(d: Any, a: float) -> Any:
    """The weight at a distance below 1; ``a`` is the slope of the spline at 1."""
    return (d * (a + 2) - (a + 3)) * d * d + 1


def cubic_far(d: Any, a: float) -> Any:
    """The weight at a distance from 1 to 2"""
    return ((d - 5) * d + 8) * d * a - 4 * a


_FILTERS: dict[str, tuple[int, Callable[[Any], Any]]] = {
    "bilinear": (1, lambda x: np.maximum(1 - np.abs(x), 0)),
    "bicubic": (2, lambda x: _cubic_weight(x, -0.5)),
    "lanczos": (3, lambda x: np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)),
}


# -- settings --------------------------------------------------------------------------------------


def _sizes(input: Any, size: Any, scale_factor: Any) -> tuple[tuple[int, ...], Sequence[Any]]:
    """The new length of each axis, and the factors, None where they follow from the lengths."""
    lengths = tuple(input.shape[2:])
    if (size is None) == (scale_factor is None):
        raise ValueError(
            ("either size or scale_factor" if size is None else "only one of size or scale_factor")
            + " should be defined"
        )
    given = scale_factor if size is None else size
    each = tuple(given) if isinstance(given, (tuple, list)) else (given,) * len(lengths)
    if len(each) != len(lengths):
        raise ValueError(
            f"Input and {'scale_factor' if size is None else 'output'} must have the same number "
            f"of spatial dimensions, but got input with spatial dimensions of {list(lengths)} and "
            f"{'scale_factor' if size is None else 'output size'} of {given}. The input is (N, C, "
            "d1, d2, ...)."
        )
    if size is None:
        return tuple([int(n * scale) for n, scale in zip(lengths, each, strict=True)]), each
    try:
        return tuple(map(operator.index, each)), (None,) * len(each)
    except TypeError:
        raise TypeError(
            "expected size to be one of int or Tuple[int] or Tuple[int, int] or Tuple[int, int, "
            f"int], but got {size!r}"
        ) from None


def _check_mode(input: Any, mode: str, align_corners: bool, antialias: bool) -> None:
    if antialias and not (mode in _FILTERS and input.ndim == 4):
        raise ValueError(
            "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires "
            f"a 4-D tensor as input, but mode is {mode} and the input has {input.ndim} dimensions"
        )
    if mode in _DIMS and _DIMS[mode] + 2 != input.ndim and input.ndim in (3, 4, 5):
        raise NotImplementedError(
            f"Got {input.ndim}D input, but {mode} mode needs {_DIMS[mode] + 2}D input"
        )
    if mode not in (*_DIMS, *_ANY_DIMS) or input.ndim not in (3, 4, 5):
        raise NotImplementedError(
            f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {input.ndim}D) for the "
            f"modes: {' | '.join((*_ANY_DIMS, *_DIMS))} (got {mode})"
        )
    if mode == "lanczos" and (align_corners or not antialias):
        raise ValueError(
            "Lanczos mode requires antialias=True, and does not support align_corners=True"
        )
