"""Fractional max pooling: windows at random distances, so that an image can shrink by any factor, a
little each time (Graham, 2014).

Along an axis of n elements, windows of k begin at ⌊(i + u) α⌋ - ⌊u α⌋, where α = (n - k) / (places
- 1) and the random u in [0, 1) is each channel's own; the last ends with the axis.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from autograd import sampling
from autograd.ops.arithmetic import array_of
from autograd.ops.gathering import add_along, picking
from autograd.ops.shape import reshape
from autograd.ops.windows import Sizes, per_axis, require_tensor
from autograd.tensor import Tensor, wrap

__all__: list[str] = []  # nn.functional.fractional_max_pool2d, fractional_max_pool3d


def fractional_max_pool2d(
    input: Any,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Any = None,
) -> Any:
    """The largest value of windows at random distances, of images (N, C, H, W) or (C, H, W), which
    become ``output_size`` large, or ``output_ratio`` times as large (a tuple).

    With ``return_indices`` also where in H·W each stood. ``_random_samples`` (N, C, 2) in [0, 1)
    move the windows along W and H. The gradient goes to the first of equal values.
    ValueError without a size, RuntimeError for shapes and settings that leave no window,
    NotImplementedError for integers."""
    return _fractional_max_pooling(
        2, input, kernel_size, output_size, output_ratio, return_indices, _random_samples
    )


def fractional_max_pool3d(
    input: Any,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Any = None,
) -> Any:
    """The largest value of windows at random distances, of volumes (N, C, D, H, W) or (C, D, H, W).

    ``_random_samples`` (N, C, 3) are for D, H and W. See :func:`fractional_max_pool2d`."""
    return _fractional_max_pooling(
        3, input, kernel_size, output_size, output_ratio, return_indices, _random_samples
    )


_fractional_max_pool = picking("_fractional_max_pool", add_along)


def _fractional_max_pooling(
    dims: int, input: Any, kernel: Any, size: Any, ratio: Any, return_indices: bool, samples: Any
) -> Any:
    function = f"fractional_max_pool{dims}d"
    require_tensor(input, function)
    if size is None and ratio is None:
        raise ValueError(f"{function} requires specifying either an output_size or an output_ratio")
    x = array_of(input)
    if x.ndim not in (dims + 1, dims + 2) or 0 in x.shape[-dims - 1 :]:
        raise (IndexError if x.ndim <= dims else RuntimeError)(
            f"{function}(): Expected input with channels and {dims} more dimensions, empty at most "
            f"in that of the batch, but got {list(x.shape)}"
        )
    if x.dtype.kind != "f":
        raise NotImplementedError(f"{function} is not implemented for {x.dtype}: pool x.float()")
    lengths = x.shape[-dims:]
    if size is None:
        size = [int(n * r) for n, r in zip(lengths, ratio, strict=True)]
    size = per_axis(size, dims, "output_size", function)
    taps = per_axis(kernel, dims, "kernel_size", function)
    for n, places, k in zip(lengths, size, taps, strict=True):
        if places + k - 1 > n:
            raise RuntimeError(
                f"{function}(): {places} windows of {k} are too large for a dimension of length {n}"
            )
    planes = (math.prod(x.shape[:-dims]), *lengths)
    u = _samples(function, x, dims, samples).reshape(planes[0], dims)
    order = (1, 0) if dims == 2 else (0, 1, 2)  # PyTorch takes those of an image for W and H
    begins = [_begins(u[:, order[i]], lengths[i], size[i], taps[i]) for i in range(dims)]
    found = _largest(x.reshape(planes), begins, taps)
    flat = reshape(input, (planes[0], math.prod(lengths)))
    shape = (*x.shape[:-dims], *size)
    y = reshape(_fractional_max_pool(flat, 1, found, True), shape)
    if not return_indices:
        return y
    indices = found.reshape(shape)
    return y, wrap(indices) if isinstance(input, Tensor) else indices


def _samples(function: str, x: np.ndarray, dims: int, given: Any) -> np.ndarray:
    expected = (x.shape[0] if x.ndim == dims + 2 else 1, x.shape[-dims - 1], dims)
    if given is None:
        return sampling.unit(expected, x.dtype)
    samples: np.ndarray = array_of(given)
    if samples.dtype != x.dtype:
        raise RuntimeError(
            f"Expect _random_samples to have the same dtype as input, {x.dtype}; got "
            f"{samples.dtype}"
        )
    if samples.shape != expected and (
        samples.ndim != 3 or samples.shape[0] < expected[0] or samples.shape[1:] != expected[1:]
    ):
        raise RuntimeError(
            f"{function}: expect _random_samples of shape {expected}; got {samples.shape}"
        )
    return samples[: expected[0]]


def _begins(u: np.ndarray, n: int, places: int, taps: int) -> np.ndarray:
    """Where the windows of each plane begin: (planes, places)."""
    begins = np.full((len(u), places), n - taps)
    if places > 1:
        step = u.dtype.type((n - taps) / (places - 1))
        moved = (np.arange(places - 1, dtype=u.dtype) + u[:, None]) * step
        begins[:, :-1] = moved.astype(np.int64) - (u * step).astype(np.int64)[:, None]
    return begins


def _largest(x: np.ndarray, begins: list[np.ndarray], taps: Sizes) -> np.ndarray:
    """Where the largest value of each window stands in its plane, counted row by row."""
    pixels = x.reshape(len(x), math.prod(x.shape[1:]))
    largest = found = None
    for tap in itertools.product(*map(range, taps)):
        place = np.zeros((len(x), 1), np.int64)
        for begin, t, n in zip(begins, tap, x.shape[1:], strict=True):
            place = (place * n)[:, :, None] + (begin + t)[:, None]
            place = place.reshape(len(x), math.prod(place.shape[1:]))
        values = np.take_along_axis(pixels, place, 1)
        if largest is None or found is None:
            largest, found = values, place
            continue
        better = (values > largest) | np.isnan(values)
        largest, found = np.where(better, values, largest), np.where(better, place, found)
    assert found is not None
    return found
