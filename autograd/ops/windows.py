"""What convolution, pooling and patches share: windows that slide along the last axes of an input.

Along an axis a window has k *taps*, d apart (the dilation), and stands at o *places*, s apart (the
stride), the first of them p before the axis begins (the padding):

    tap t of the window at place q looks at element  s q + d t − p

so that all taps at all places together reach over  s (o − 1) + d (k − 1) + 1  elements.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd.tensor import Tensor

__all__: list[str] = []  # nothing for users

Sizes = tuple[int, ...]


class Axis(NamedTuple):
    """How windows stand along one axis."""

    places: int
    taps: int
    stride: int = 1
    dilation: int = 1
    before: int = 0  # elements missing in front of the axis, which the first window looks at

    @property
    def reach(self) -> int:
        """The number of elements from the first tap at the first place to the last at the last."""
        return self.stride * (self.places - 1) + self.dilation * (self.taps - 1) + 1

    def under(self, tap: int) -> slice:
        """The elements that ``tap`` looks at, one for each place, counted from where the reach begins."""
        first = self.dilation * tap
        return slice(first, first + self.stride * (self.places - 1) + 1, self.stride)


def axes_of(
    places: Sizes, taps: Sizes, stride: Sizes, dilation: Sizes, before: Sizes
) -> list[Axis]:
    """The axes of windows whose settings are given one by one."""
    return list(map(Axis, places, taps, stride, dilation, before))


def overlap(first: int, step: int, count: int, length: int) -> tuple[slice, slice]:
    """Of ``count`` elements at first, first + step, ..., those that an axis of ``length`` has: which, and where."""
    start = max(0, -(first // step))
    stop = min(count, (length - 1 - first) // step + 1)
    if start >= stop:
        return slice(0, 0), slice(0, 0)
    return slice(start, stop), slice(first + step * start, first + step * (stop - 1) + 1, step)


def views(x: np.ndarray, axes: Sequence[Axis]) -> Iterator[np.ndarray]:
    """Tap by tap, in row-major order, what it sees of ``x``, a :func:`surrounded` one: views."""
    for tap in itertools.product(*[range(axis.taps) for axis in axes]):
        yield x[(..., *map(Axis.under, axes, tap))]


def room(axes: Sequence[Axis], lengths: Sizes) -> Sizes:
    """The sizes of an array that has axes of these lengths in it, and all that the windows look at."""
    return tuple(
        [max(axis.reach, axis.before + n) for axis, n in zip(axes, lengths, strict=True)]
    )


def surrounded(x: np.ndarray, axes: Sequence[Axis], value: Any) -> np.ndarray:
    """``x`` with ``value`` around it, wherever else the windows look."""
    others, lengths = x.shape[: x.ndim - len(axes)], x.shape[x.ndim - len(axes) :]
    sizes = room(axes, lengths)
    if sizes == lengths:
        return x
    wide = np.full((*others, *sizes), value, x.dtype)
    middle(wide, axes, lengths)[...] = x
    return wide


def middle(wide: np.ndarray, axes: Sequence[Axis], lengths: Sizes) -> np.ndarray:
    """The view of a :func:`surrounded` array without its surroundings."""
    return wide[(..., *[slice(a.before, a.before + n) for a, n in zip(axes, lengths, strict=True)])]


# -- settings ---------------------------------------------------------------------------------------------------------


def require_tensor(x: Any, function: str, argument: str = "input") -> None:
    """Raise TypeError unless ``x`` is a tensor (or an array)."""
    if not isinstance(x, (Tensor, np.ndarray)):
        raise TypeError(
            f"{function}(): argument '{argument}' must be Tensor, not {type(x).__name__}"
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
            f"{function}(): argument '{setting}' must be an int or a tuple of ints, but got {value!r}"
        ) from None
    if len(found) == 1:
        return found * axes
    if len(found) != axes:
        raise RuntimeError(
            f"{function}: expected {setting} to be a single int or {axes} ints, one for each axis "
            f"that the windows slide along, but got {setting}={list(found)}"
        )
    return found


def at_least(least: int, values: Sizes, setting: str, function: str) -> None:
    """Raise RuntimeError if one of ``values`` is below ``least``, which is 0 or 1."""
    if min(values) < least:
        raise RuntimeError(
            f"{'non-positive' if least else 'negative'} {setting} is not supported: {function} "
            f"needs at least {least}, but got {setting}={list(values)}"
        )
