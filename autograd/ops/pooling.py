"""Pooling: every window of a signal or an image becomes its largest value, or its mean.

Nothing is learned here, but the image gets smaller, and where exactly something is matters less.

**Max pooling** is a choice. Once it is known which tap of each window wins (a byte a window), it is
linear: backward puts the gradient where the winners stood, and the gradient of that picks what
stands there. Of equal values the first in row-major order wins, and nan wins over all numbers, as
in PyTorch.

**Average pooling** is linear from the start. A window is a product of intervals, so it can be
summed along one axis after the other, kH + kW additions instead of kH·kW. The adjoint hands each
sum back to all that went into it, again one axis after the other.

Both work tap by tap, on the view of the image that a tap has from all its places (see windows.py).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd.grad_mode import recording
from autograd.op import linear, op
from autograd.ops.arithmetic import array_of
from autograd.ops.gathering import add_along, picking
from autograd.ops.shape import reshape
from autograd.ops.windows import (
    Axes,
    Axis,
    Sizes,
    at_least,
    axes_of,
    last,
    middle,
    per_axis,
    require_tensor,
    room,
    surrounded,
    views,
)  # fmt: skip
from autograd.tensor import Tensor, wrap

__all__ = [  # in torch itself; nn.functional has all
    "adaptive_avg_pool1d", "adaptive_max_pool1d", "avg_pool1d", "max_pool1d", "max_pool2d",
    "max_pool3d",
]  # fmt: skip

# -- the largest of each window --------------------------------------------------------------------


def _largest(x: np.ndarray, axes: Axes) -> np.ndarray:
    seen = views(surrounded(x, axes, _lowest(x.dtype)), axes)
    largest = next(seen).copy()
    for values in seen:
        np.maximum(largest, values, out=largest)
    return largest


def _largest_and_winners(x: np.ndarray, axes: Axes) -> tuple[np.ndarray, np.ndarray]:
    """The largest value of each window, and the number of the tap that it is under."""
    seen = views(surrounded(x, axes, _lowest(x.dtype)), axes)
    largest = next(seen).copy()
    number = np.min_scalar_type(math.prod([axis.taps for axis in axes]) - 1).type
    winners = np.zeros(largest.shape, number)
    if any(axis.padding for axis in axes):
        winners[...] = _first_inside(axes)
    for tap, view in enumerate(seen, start=1):
        values = view.copy()  # what lies together is compared faster
        np.maximum(winners, (values > largest) * number(tap), out=winners)
        np.maximum(largest, values, out=largest)
    total = largest.sum()
    if total != total:  # there may be nan, than which nothing is greater, nor it than anything
        for tap, view in enumerate(views(surrounded(x, axes, 0), axes)):
            winners[view != view] = tap
    return largest, winners


def _lowest(dtype: np.dtype) -> float:
    return -math.inf if dtype.kind == "f" else np.iinfo(dtype).min


def _first_inside(axes: Axes) -> np.ndarray:
    """For each window, its first tap that is not under padding: it wins if all values are −∞."""
    first = np.zeros((), np.intp)
    for axis in axes:
        first = first[..., None] * axis.taps + np.maximum(-(axis.begins // axis.dilation), 0)
    return first


def _positions(winners: np.ndarray, axes: Axes, lengths: Sizes) -> np.ndarray:
    """Where the winners stand in the image, counted row by row."""
    found = np.zeros((), np.int64)
    numbers = np.unravel_index(winners, [axis.taps for axis in axes])
    for i, (axis, tap, length) in enumerate(zip(axes, numbers, lengths, strict=True)):
        begins = axis.begins.reshape(-1, *[1] * (len(axes) - 1 - i))
        found = found * length + begins + axis.dilation * tap
    return found


@op(dx=lambda dy, x_shape, winners, axes: _put_to_winners(dy, x_shape, winners, axes), kinds="iuf")
def _max_pool(x, largest, winners, axes):
    """The largest values, found out beforehand together with the winners."""
    return largest


@linear(dx=lambda dy, winners, axes: _pick_winners(dy, winners, axes))
def _put_to_winners(x, shape, winners, axes):
    """Each value where the winner of its window stands, in an image of zeros."""
    lengths = shape[-len(axes) :]
    y = np.zeros((*shape[: -len(axes)], *room(axes, lengths)), x.dtype)
    bits = np.ascontiguousarray(x).view(f"u{x.itemsize}")  # times 0 or 1: as a float, inf·0 is nan
    if all(axis.dilation * (axis.taps - 1) < axis.stride for axis in axes):  # windows do not meet
        for tap, view in enumerate(views(y.view(bits.dtype), axes)):
            np.multiply(bits, winners == tap, out=view)
    else:
        for tap, view in enumerate(views(y, axes)):
            view += (bits * (winners == tap)).view(x.dtype)
    return middle(y, axes, lengths)


@linear(dx=lambda dy, x_shape, winners, axes: _put_to_winners(dy, x_shape, winners, axes))
def _pick_winners(x, winners, axes):
    """What stands where the winners stood."""
    y = np.empty(winners.shape, x.dtype)
    for tap, view in enumerate(views(surrounded(x, axes, 0), axes)):
        np.copyto(y, view, where=winners == tap)
    return y


# -- the mean of each window -----------------------------------------------------------------------


@linear(dx=lambda dy, x_shape, axes, divisor: _hand_back(dy, x_shape, axes, divisor), kinds="iuf")
def _avg_pool(x, axes, divisor):
    """The sum of each window over ``divisor``: a number, or an array of one for each place."""
    sums = surrounded(x, axes, 0)
    if x.dtype == np.float16:
        sums = sums.astype(np.float32)
    for dim, axis in enumerate(axes, start=x.ndim - len(axes)):
        seen = _along(sums, dim, axis)
        sums = next(seen).copy()
        for values in seen:
            sums += values
    if x.dtype.kind != "f":
        return np.trunc(sums / divisor).astype(x.dtype)  # as integers are divided in C
    return (sums / _like(divisor, sums)).astype(x.dtype, copy=False)


@linear(dx=lambda dy, axes, divisor: _avg_pool(dy, axes, divisor))
def _hand_back(x, shape, axes, divisor):
    """Each value over ``divisor``, added to all that its window looks at: the adjoint."""
    lengths = shape[-len(axes) :]
    y = x / _like(divisor, x)
    sizes = (*shape[: -len(axes)], *room(axes, lengths))
    for dim, axis in reversed(list(enumerate(axes, start=x.ndim - len(axes)))):
        shares = y
        y = np.zeros((*shares.shape[:dim], sizes[dim], *shares.shape[dim + 1 :]), x.dtype)
        for view in _along(y, dim, axis):
            view += shares
    return middle(y, axes, lengths)


def _along(x: np.ndarray, dim: int, axis: Axis) -> Iterator[np.ndarray]:
    """What the taps along one axis see."""
    for tap in range(axis.taps):
        yield x[_part(dim, axis.under(tap))]


def _part(dim: int, which: slice | int) -> tuple[Any, ...]:
    """The index of a part of dimension ``dim``, and all of the others."""
    return (*[slice(None)] * dim, which)


def _like(divisor: Any, x: np.ndarray) -> Any:
    return divisor.astype(x.dtype) if isinstance(divisor, np.ndarray) else divisor


def _divisor(axes: Axes, lengths: Sizes, count_include_pad: bool) -> Any:
    """How many elements the windows have; what lies beyond the padding (ceil_mode) never counts."""
    product: np.ndarray = np.ones((), np.int64)
    for axis, length in zip(axes, lengths, strict=True):
        begins, ends = axis.begins, np.minimum(axis.begins + axis.taps, length + axis.padding)
        if not count_include_pad:
            begins, ends = np.maximum(begins, 0), np.minimum(ends, length)
        product = product[..., None] * (ends - begins)
    return int(product.flat[0]) if (product == product.flat[0]).all() else product


# -- windows that share out the image --------------------------------------------------------------


def _bins(length: int, size: int) -> list[slice]:
    """``size`` intervals that cover an axis, as equal as can be; they overlap where they must."""
    return [slice(i * length // size, -(-(i + 1) * length // size)) for i in range(size)]


@linear(dx=lambda dy, x_shape, size: _share_out(dy, x_shape, size), kinds="f")
def _adaptive_avg_pool(x, size):
    """The mean of each of the windows, one axis after the other."""
    for dim, places in enumerate(size, start=x.ndim - len(size)):
        y = np.empty((*x.shape[:dim], places, *x.shape[dim + 1 :]), x.dtype)
        for place, interval in enumerate(_bins(x.shape[dim], places)):
            y[_part(dim, place)] = x[_part(dim, interval)].mean(dim)
        x = y
    return x


@linear(dx=lambda dy, size: _adaptive_avg_pool(dy, size), kinds="f")
def _share_out(x, shape, size):
    """Each mean shared out over what it is the mean of: the adjoint."""
    for dim in reversed(range(x.ndim - len(size), x.ndim)):
        y = np.zeros((*x.shape[:dim], shape[dim], *x.shape[dim + 1 :]), x.dtype)
        for place, interval in enumerate(_bins(shape[dim], x.shape[dim])):
            share = x[_part(dim, slice(place, place + 1))] / (interval.stop - interval.start)
            y[_part(dim, interval)] += share
        x = y
    return x


_adaptive_max_pool = picking("_adaptive_max_pool", add_along)


def _largest_of_bins(x: np.ndarray, size: Sizes) -> np.ndarray:
    """Where the largest value of each window stands in the image, counted row by row."""
    others, lengths = x.shape[: -len(size)], x.shape[-len(size) :]
    found = np.empty((*others, math.prod(size)), np.int64)
    windows = itertools.product(*map(_bins, lengths, size))
    for place, window in enumerate(windows):
        values = x[last(*window)]
        size = values.shape[len(others) :]
        numbers = values.reshape(*others, math.prod(size)).argmax(-1)
        inside = np.unravel_index(numbers, size)
        at = [i + interval.start for i, interval in zip(inside, window, strict=True)]
        found[..., place] = np.ravel_multi_index(at, lengths)
    return found


# -- for users -------------------------------------------------------------------------------------


def max_pool1d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest value of every window of signals (N, C, L) or (C, L). See :func:`max_pool2d`."""
    settings = (kernel_size, stride, padding, dilation, ceil_mode)
    return _max_pooling(1, input, settings, return_indices)


def max_pool2d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest value of every window of images (N, C, H, W) or (C, H, W).

    The height becomes ⌊(H + 2 padding − dilation (kH − 1) − 1) / stride⌋ + 1, the width likewise;
    ``ceil_mode`` rounds up, as long as windows begin inside. ``stride`` is ``kernel_size`` unless
    given; padding, at most half a window, never wins. With ``return_indices`` the result is a tuple
    of the values and of where in H·W each stood (int64). The gradient goes to the first of equal
    values.

    RuntimeError for shapes and settings that leave no window, TypeError for what are no ints,
    NotImplementedError for bool."""
    settings = (kernel_size, stride, padding, dilation, ceil_mode)
    return _max_pooling(2, input, settings, return_indices)


def max_pool3d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest value of every window of volumes (N, C, D, H, W) or (C, D, H, W).

    See :func:`max_pool2d`."""
    settings = (kernel_size, stride, padding, dilation, ceil_mode)
    return _max_pooling(3, input, settings, return_indices)


def _max_pooling(dims: int, input: Any, settings: tuple[Any, ...], return_indices: bool) -> Any:
    axes = _windows(f"max_pool{dims}d", dims, input, *settings)
    x = array_of(input)
    if x.dtype.kind == "b":
        raise NotImplementedError(
            f"max_pool{dims}d is not implemented for bool: pool x.float(), or x.to(torch.uint8)"
        )
    kept = isinstance(input, Tensor) and input.requires_grad and recording()
    if not (kept or return_indices):
        return _max_pool(input, _largest(x, axes), None, axes)
    largest, winners = _largest_and_winners(x, axes)
    y = _max_pool(input, largest, winners, axes)
    if not return_indices:
        return y
    indices = _positions(winners, axes, x.shape[-dims:])
    return y, wrap(indices) if isinstance(input, Tensor) else indices


def avg_pool1d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0,
    ceil_mode: bool = False, count_include_pad: bool = True,
) -> Any:  # fmt: skip
    """The mean of every window of signals (N, C, L) or (C, L). See :func:`avg_pool2d`."""
    settings = (kernel_size, stride, padding, 1, ceil_mode)
    return _avg_pooling(1, input, settings, count_include_pad, None)


def avg_pool2d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0,
    ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: int | None = None,
) -> Any:  # fmt: skip
    """The mean of every window of images (N, C, H, W) or (C, H, W).

    Sizes as of :func:`max_pool2d`. The zeros of the padding count as elements of the window unless
    ``count_include_pad`` is False; ``divisor_override`` divides the sum by another number. Integers
    are divided as integers. Raises as :func:`max_pool2d`, and RuntimeError for a divisor of 0."""
    settings = (kernel_size, stride, padding, 1, ceil_mode)
    return _avg_pooling(2, input, settings, count_include_pad, divisor_override)


def avg_pool3d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0,
    ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: int | None = None,
) -> Any:  # fmt: skip
    """The mean of every window of volumes (N, C, D, H, W) or (C, D, H, W).

    See :func:`avg_pool2d`."""
    settings = (kernel_size, stride, padding, 1, ceil_mode)
    return _avg_pooling(3, input, settings, count_include_pad, divisor_override)


def _avg_pooling(
    dims: int, input: Any, settings: tuple[Any, ...], count_include_pad: bool, divisor: Any
) -> Any:
    axes = _windows(f"avg_pool{dims}d", dims, input, *settings)
    if divisor == 0:
        raise RuntimeError(f"divisor must be not zero, but avg_pool{dims}d got divisor_override=0")
    if divisor is None:
        divisor = _divisor(axes, tuple(input.shape[-dims:]), count_include_pad)
    return _avg_pool(input, axes, divisor)


def adaptive_avg_pool1d(input: Any, output_size: Any) -> Any:
    """The means of ``output_size`` windows that cover signals (N, C, L) or (C, L).

    See :func:`adaptive_avg_pool2d`."""
    return _adaptive_avg_pool(input, _adaptive_size("adaptive_avg_pool1d", 1, input, output_size))


def adaptive_avg_pool2d(input: Any, output_size: Any) -> Any:
    """The means of windows that cover images (N, C, H, W) or (C, H, W): (N, C, *output_size).

    Window i of n covers ⌊i H / n⌋ up to ⌈(i + 1) H / n⌉. None in ``output_size`` keeps a length.
    RuntimeError for shapes that do not fit, NotImplementedError for integers."""
    return _adaptive_avg_pool(input, _adaptive_size("adaptive_avg_pool2d", 2, input, output_size))


def adaptive_avg_pool3d(input: Any, output_size: Any) -> Any:
    """The means of windows that cover volumes (N, C, D, H, W) or (C, D, H, W).

    See :func:`adaptive_avg_pool2d`."""
    return _adaptive_avg_pool(input, _adaptive_size("adaptive_avg_pool3d", 3, input, output_size))


def adaptive_max_pool1d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The maxima of ``output_size`` windows that cover signals (N, C, L) or (C, L).

    See :func:`adaptive_max_pool2d`."""
    return _adaptive_max_pooling(1, input, output_size, return_indices)


def adaptive_max_pool2d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The maxima of windows that cover images (N, C, H, W) or (C, H, W): (N, C, *output_size).

    The windows of :func:`adaptive_avg_pool2d`; with ``return_indices`` also where in H·W the maxima
    stand. Raises as that does."""
    return _adaptive_max_pooling(2, input, output_size, return_indices)


def adaptive_max_pool3d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The maxima of windows that cover volumes (N, C, D, H, W) or (C, D, H, W).

    See :func:`adaptive_max_pool2d`."""
    return _adaptive_max_pooling(3, input, output_size, return_indices)


def _adaptive_max_pooling(dims: int, input: Any, output_size: Any, return_indices: bool) -> Any:
    function = f"adaptive_max_pool{dims}d"
    size = _adaptive_size(function, dims, input, output_size)
    x = array_of(input)
    if x.dtype.kind != "f":
        raise NotImplementedError(f"{function} is not implemented for {x.dtype}: pool x.float()")
    shape = (*x.shape[:-dims], *size)
    found = _largest_of_bins(x, size)
    pixels = reshape(input, (*x.shape[:-dims], -1))
    y = reshape(_adaptive_max_pool(pixels, x.ndim - dims, found, True), shape)
    if not return_indices:
        return y
    indices = found.reshape(shape)
    return y, wrap(indices) if isinstance(input, Tensor) else indices


# -- settings --------------------------------------------------------------------------------------


def _windows(
    function: str, dims: int, input: Any,
    kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool,
) -> Axes:  # fmt: skip
    """The axes along which the windows slide. RuntimeError where nothing comes of it."""
    _check_input(function, dims, input)
    if stride is None or (isinstance(stride, (tuple, list)) and not stride):
        stride = kernel_size
    lengths = tuple(input.shape[-dims:])
    axes = axes_of(function, lengths, kernel_size, stride, dilation, padding)
    for axis in axes:
        if 2 * axis.padding > axis.dilation * (axis.taps - 1) + 1:
            raise RuntimeError(
                f"pad should be at most half of effective kernel size, but {function} got "
                f"pad={axis.padding}, kernel_size={axis.taps} and dilation={axis.dilation}"
            )
    if ceil_mode:
        axes = tuple(map(_rounded_up, axes, lengths))
    if any(axis.places < 1 for axis in axes):
        channels = input.shape[-dims - 1]
        before, after = (
            "x".join(map(str, (channels, *sizes)))
            for sizes in (lengths, [axis.places for axis in axes])
        )
        raise RuntimeError(
            f"Given input size: ({before}). Calculated output size: ({after}). Output size is too "
            f"small: {function} got kernel_size={kernel_size} and padding={padding} for an input "
            f"of shape {list(input.shape)}. Use a larger input, a smaller kernel or more padding."
        )
    return axes


def _rounded_up(axis: Axis, length: int) -> Axis:
    """With a place more if elements remain, and the window there begins in the input or before."""
    rest = length + 2 * axis.padding - axis.dilation * (axis.taps - 1) - 1
    places = -(-rest // axis.stride) + 1
    if (places - 1) * axis.stride >= length + axis.padding:
        places -= 1
    return axis._replace(places=places)


def _adaptive_size(function: str, dims: int, input: Any, output_size: Any) -> Sizes:
    """``output_size`` for each axis, None replaced by its length."""
    require_tensor(input, function)
    if isinstance(output_size, (tuple, list)) and input.ndim <= len(output_size) > 1:
        raise ValueError(
            f"Input dimension should be at least {len(output_size) + 1} for {function} to size "
            f"{tuple(output_size)}, but the input has shape {list(input.shape)}"
        )
    _check_input(function, dims, input)
    lengths = input.shape[-dims:]
    if isinstance(output_size, (tuple, list)) and len(output_size) == dims > 1:
        output_size = [n if s is None else s for s, n in zip(output_size, lengths, strict=True)]
    size = per_axis(output_size, dims, "output_size", function)
    at_least(0, size, "output_size", function)
    return size


def _check_input(function: str, dims: int, input: Any) -> None:
    require_tensor(input, function)
    if input.ndim not in (dims + 1, dims + 2) or 0 in input.shape[-dims - 1 :]:
        raise RuntimeError(
            f"Expected {dims + 1}D or {dims + 2}D (batch mode) tensor with optional 0 dim batch "
            f"size for input of {function}, but got: {list(input.shape)}"
        )
