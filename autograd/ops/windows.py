"""Windows that slide over an image: what convolution and pooling have in common.

Along an axis a window has k *taps*, d apart (the dilation), and stands at o *places*, s apart (the
stride), the first of them p before the axis begins (the padding):

    tap t of the window at place q looks at element  s q + d t − p

so that all taps at all places together reach over  s (o − 1) + d (k − 1) + 1  elements. What one
tap sees from all places is a strided view, which costs nothing; unfold, fold and pooling work tap
by tap on these views.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd.op import linear
from autograd.ops.shape import squeeze, unsqueeze
from autograd.tensor import Tensor

__all__: list[str] = []  # torch.unfold is Tensor.unfold; this one is nn.functional.unfold

Sizes = tuple[int, ...]


class Axis(NamedTuple):
    """How windows stand along one axis."""

    places: int
    taps: int
    stride: int = 1
    dilation: int = 1
    padding: int = 0

    @property
    def reach(self) -> int:
        """The number of elements from the first tap at the first place to the last at the last."""
        return self.stride * (self.places - 1) + self.dilation * (self.taps - 1) + 1

    @property
    def begins(self) -> np.ndarray:
        """Where on the axis the window at each place begins."""
        return self.stride * np.arange(self.places) - self.padding

    def under(self, tap: int) -> slice:
        """What ``tap`` sees of an axis that begins where the reach begins: one element a place."""
        first = self.dilation * tap
        return slice(first, first + self.stride * (self.places - 1) + 1, self.stride)


Axes = tuple[Axis, ...]


def views(x: np.ndarray, axes: Axes) -> Iterator[np.ndarray]:
    """Tap by tap, in row-major order, what it sees of ``x``, which must be :func:`surrounded`."""
    for under in itertools.product(*[[a.under(tap) for tap in range(a.taps)] for a in axes]):
        yield x[last(*under)]


def surrounded(x: np.ndarray, axes: Axes, value: Any) -> np.ndarray:
    """``x`` with ``value`` around it as far as the windows look; if nowhere, ``x`` itself."""
    others, lengths = x.shape[: -len(axes)], x.shape[-len(axes) :]
    sizes = room(axes, lengths)
    if sizes == lengths:
        return x
    wide = np.full((*others, *sizes), value, x.dtype)
    middle(wide, axes, lengths)[...] = x
    return wide


def room(axes: Axes, lengths: Sizes) -> Sizes:
    """The size of what :func:`surrounded` makes of axes of these ``lengths``."""
    return tuple([max(a.reach, a.padding + n) for a, n in zip(axes, lengths, strict=True)])


def middle(wide: np.ndarray, axes: Axes, lengths: Sizes) -> np.ndarray:
    """The view of what was surrounded, without its surroundings."""
    parts = [slice(a.padding, a.padding + n) for a, n in zip(axes, lengths, strict=True)]
    return wide[last(*parts)]


def last(*parts: Any) -> tuple[Any, ...]:
    """The index of these parts of the last axes."""
    return (..., *parts)


# -- every window as a column ----------------------------------------------------------------------


@linear(dx=lambda dy, axes, x_shape: _col2im(dy, axes, x_shape[2:]), kinds="bf")
def _im2col(x, axes):
    """The images' windows as columns: (image, channel and tap, place)."""
    taps, places = [axis.taps for axis in axes], [axis.places for axis in axes]
    columns = np.empty((*x.shape[:2], math.prod(taps), *places), x.dtype)
    for tap, view in enumerate(views(surrounded(x, axes, 0), axes)):
        columns[:, :, tap] = view
    return columns.reshape(len(x), x.shape[1] * math.prod(taps), math.prod(places))


@linear(dx=lambda dy, axes: _im2col(dy, axes), kinds="bf")
def _col2im(x, axes, lengths):
    """Columns added up where their windows were: the adjoint."""
    taps, places = [axis.taps for axis in axes], [axis.places for axis in axes]
    columns = x.reshape(len(x), x.shape[1] // math.prod(taps), math.prod(taps), *places)
    images = np.zeros((*columns.shape[:2], *room(axes, lengths)), x.dtype)
    for tap, view in enumerate(views(images, axes)):
        view += columns[:, :, tap]
    return middle(images, axes, lengths)


def unfold(
    input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Any:
    """Every window of images (N, C, H, W), or of one, as a column: (N, C kH kW, places).

    A convolution is then a matrix product: ``w.flatten(1) @ unfold(x, k)``, its places unflattened.
    Raises RuntimeError if the images have no place for a window, and for settings that make no
    sense; NotImplementedError for integers."""
    require_tensor(input, "unfold")
    if input.ndim == 3:
        return squeeze(unfold(unsqueeze(input, 0), kernel_size, dilation, padding, stride), 0)
    if input.ndim != 4 or 0 in input.shape[1:]:
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero "
            f"dimensions for input of unfold, but got: {list(input.shape)}"
        )
    axes = _patches("unfold", tuple(input.shape[2:]), kernel_size, stride, dilation, padding)
    return _im2col(input, axes)


def fold(
    input: Any, output_size: Any, kernel_size: Any,
    dilation: Any = 1, padding: Any = 0, stride: Any = 1,
) -> Any:  # fmt: skip
    """Columns (N, C kH kW, places), or (C kH kW, places), added up where their windows stand.

    The adjoint of ``unfold`` for images of ``output_size``: the result is (N, C, *output_size).
    Raises RuntimeError if the number of rows is no multiple of kH kW, or that of columns is not the
    number of places; NotImplementedError for integers."""
    require_tensor(input, "fold")
    if input.ndim == 2:
        settings = (output_size, kernel_size, dilation, padding, stride)
        return squeeze(fold(unsqueeze(input, 0), *settings), 0)
    if input.ndim != 3 or 0 in input.shape[1:]:
        raise RuntimeError(
            "Expected 2D or 3D (batch mode) tensor with possibly 0 batch size and other non-zero "
            f"dimensions for input of fold, but got: {list(input.shape)}"
        )
    lengths = per_axis(output_size, 2, "output_size", "fold")
    at_least(1, lengths, "output_size", "fold")
    axes = _patches("fold", lengths, kernel_size, stride, dilation, padding)
    taps, places = math.prod([a.taps for a in axes]), [a.places for a in axes]
    if input.shape[1] % taps:
        raise RuntimeError(
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, "
            f"but fold got input.size(1)={input.shape[1]} and kernel_size={kernel_size}"
        )
    if input.shape[2] != math.prod(places):
        raise RuntimeError(
            f"Given output_size={lengths}, kernel_size={kernel_size}, dilation={dilation}, "
            f"padding={padding}, stride={stride}, expected size of input's dimension 2 to match "
            f"the calculated number of sliding blocks {places[0]} * {places[1]} = "
            f"{math.prod(places)}, but got input.size(2)={input.shape[2]}"
        )
    return _col2im(input, axes, lengths)


def _patches(
    function: str, lengths: Sizes, kernel: Any, stride: Any, dilation: Any, padding: Any
) -> Axes:
    """The axes of unfold and fold. RuntimeError if no window has a place."""
    axes = axes_of(function, lengths, kernel, stride, dilation, padding)
    places = tuple([axis.places for axis in axes])
    if min(places) < 1:
        raise RuntimeError(
            f"Given input with spatial size {lengths}, kernel_size={kernel}, dilation={dilation}, "
            f"padding={padding}, {function} calculated the shape of the array of sliding blocks as "
            f"{places}, but its components must be at least one"
        )
    return axes


# -- settings --------------------------------------------------------------------------------------


def axes_of(
    function: str, lengths: Sizes, kernel: Any, stride: Any, dilation: Any, padding: Any
) -> Axes:
    """The axes of windows with these settings on images of these ``lengths``.

    Raises TypeError for what are no ints; RuntimeError for wrong numbers of them, for a kernel,
    stride or dilation below 1 and for a padding below 0. The number of places may be 0 or less."""
    found = {
        "kernel_size": per_axis(kernel, len(lengths), "kernel_size", function),
        "stride": per_axis(stride, len(lengths), "stride", function),
        "dilation": per_axis(dilation, len(lengths), "dilation", function),
        "padding": per_axis(padding, len(lengths), "padding", function),
    }
    for setting, values in found.items():
        at_least(0 if setting == "padding" else 1, values, setting, function)
    return tuple(
        Axis((n + 2 * p - d * (k - 1) - 1) // s + 1, k, s, d, p)
        for n, k, s, d, p in zip(lengths, *found.values(), strict=True)
    )


def per_axis(value: Any, axes: int, setting: str, function: str) -> Sizes:
    """A setting for each of the ``axes``: one int (or a sequence of one) stands for all.

    Raises TypeError for what are no ints, RuntimeError for a sequence of another length."""
    if type(value) is int:
        return (value,) * axes
    given = value if isinstance(value, (tuple, list)) else (value,)
    try:
        found = tuple([operator.index(n) for n in given])
    except TypeError:
        raise TypeError(
            f"{function}(): argument '{setting}' must be int or tuple of ints, but got {value!r}"
        ) from None
    if len(found) == 1:
        return found * axes
    if len(found) != axes:
        raise RuntimeError(
            f"{function}: expected {setting} to be a single integer value or a list of {axes} "
            f"values, one for each axis that the windows slide along, but got {list(found)}"
        )
    return found


def at_least(least: int, values: Sequence[int], setting: str, function: str) -> None:
    """Raise RuntimeError if one of ``values`` is below ``least``, which is 0 or 1."""
    if min(values) < least:
        raise RuntimeError(
            f"{'non-positive' if least else 'negative'} {setting} is not supported: {function} "
            f"needs at least {least}, but got {setting}={list(values)}"
        )


def require_tensor(x: Any, function: str, argument: str = "input") -> None:
    """Raise TypeError unless ``x`` is a tensor (or an array)."""
    if not isinstance(x, (Tensor, np.ndarray)):
        raise TypeError(
            f"{function}(): argument '{argument}' must be Tensor, not {type(x).__name__}"
        )
