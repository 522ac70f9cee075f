"""Padding: more elements around a signal or an image, in the way that the mode says.

    constant     0 0 | a b c d | 0 0       the same value everywhere
    replicate    a a | a b c d | d d       the nearest element
    reflect      c b | a b c d | c b       the mirror image, the element at the edge not repeated
    circular     c d | a b c d | a b       the signal again

Padding with zeros and cropping are each other's adjoint. The other modes take every element of the
result from some element of the input, so their adjoint adds up, for each element of the input, all
that was taken from it. Several axes are padded one after the other.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.op import linear, op
from autograd.ops.arithmetic import array_of
from autograd.ops.windows import last, per_axis, require_tensor

__all__: list[str] = []  # nn.functional.pad

Widths = tuple[tuple[int, int], ...]  # before and behind each of the last axes; if negative, less


@op(dx=lambda dy, widths: _constant_pad(dy, tuple([(-a, -b) for a, b in widths]), 0))
def _constant_pad(x, widths, value):
    """``value`` around ``x``; where a width is negative, less of ``x``."""
    ndim = x.ndim - len(widths)
    shape, of_x, of_y = [*x.shape[:ndim]], [], []
    for n, (before, behind) in zip(x.shape[ndim:], widths, strict=True):
        shape.append(n + before + behind)
        of_x.append(slice(max(-before, 0), n - max(-behind, 0)))
        of_y.append(slice(max(before, 0), shape[-1] - max(behind, 0)))
    y = np.full(shape, value, x.dtype)
    y[last(*of_y)] = x[last(*of_x)]
    return y


@linear(dx=lambda dy, x_shape, widths, mode: _sum_of_copies(dy, x_shape, widths, mode))
def _copy_pad(x, widths, mode):
    """Elements of ``x`` around ``x``."""
    for axis, width in enumerate(widths, start=x.ndim - len(widths)):
        x = x.take(_sources(x.shape[axis], width, mode), axis)
    return x


@linear(dx=lambda dy, widths, mode: _copy_pad(dy, widths, mode))
def _sum_of_copies(x, shape, widths, mode):
    """For each element of an array of this ``shape``, the sum of its copies by _copy_pad."""
    for axis, width in enumerate(widths, start=x.ndim - len(widths)):
        sources = _sources(shape[axis], width, mode)
        copied, begins = np.unique(np.sort(sources), return_index=True)
        y = np.zeros((*x.shape[:axis], shape[axis], *x.shape[axis + 1 :]), x.dtype)
        of_copied = (slice(None),) * axis + (copied,)
        ordered = x.take(np.argsort(sources, kind="stable"), axis)
        y[of_copied] = np.add.reduceat(ordered, begins, axis)
        x = y
    return x


def _sources(length: int, width: tuple[int, int], mode: str) -> np.ndarray:
    """From where on an axis each element of the padded one is taken."""
    before, behind = width
    places = np.arange(-before, length + behind)
    if mode == "replicate":
        return places.clip(0, length - 1)
    if mode == "reflect":
        return length - 1 - np.abs(length - 1 - np.abs(places))
    first, end = max(-before, 0), length + min(behind, 0)  # of what is left and goes around
    return first + (places - first) % (end - first)


def pad(input: Any, pad: Any, mode: str = "constant", value: float | None = None) -> Any:
    """``input`` with more elements around its last dimensions.

    ``pad`` counts them, before and behind, the *last* dimension first: (left, right, top, bottom,
    ...). Negative counts cut off. ``mode`` is "constant" (``value``, 0 unless given; any number of
    dimensions), or "reflect", "replicate" or "circular" (the last 1 to 3 dimensions, behind one or
    two more: images are (N, C, H, W) or (C, H, W)).

    RuntimeError for counts that are odd in number, too many or too large, NotImplementedError for
    modes and numbers of dimensions other than these, TypeError for what are no ints."""
    require_tensor(input, "pad")
    widths = _widths(input, pad)
    if mode == "constant":
        _check_what_remains(input, widths)
        return _constant_pad(input, widths, 0 if value is None else value)
    if mode not in ("reflect", "replicate", "circular"):
        raise NotImplementedError(
            f"Unrecognised padding mode {mode}: pad() knows constant, reflect, replicate, circular"
        )
    if value:
        raise RuntimeError(
            f'Padding mode "{mode}" doesn\'t take in value argument, but got value={value}'
        )
    if len(widths) not in (1, 2, 3) or input.ndim - len(widths) not in (1, 2):
        raise NotImplementedError(
            f"Padding size {2 * len(widths)} is not supported for {input.ndim}D input tensor in "
            f"mode '{mode}': it pads the last 1, 2 or 3 dimensions, with one or two more before. "
            "Use unsqueeze or reshape to make the input so."
        )
    if mode != "circular" and array_of(input).dtype.kind == "b":
        raise NotImplementedError(
            f"pad() in mode '{mode}' is not implemented for bool: pad x.to(torch.uint8)"
        )
    _check_what_is_copied(input, widths, mode)
    return _copy_pad(input, widths, mode)


def _widths(input: Any, pad: Any) -> Widths:
    """The pairs of widths in the order of the dimensions."""
    if not isinstance(pad, (tuple, list)):
        raise TypeError(f"pad(): argument 'pad' must be tuple of ints, not {type(pad).__name__}")
    if len(pad) % 2:
        raise RuntimeError(
            "Padding length must be divisible by 2, two numbers for each dimension from the last "
            f"one on, but got {list(pad)}"
        )
    if len(pad) > 2 * input.ndim:
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got "
            f"padding length {len(pad)} and input of dimension {input.ndim}"
        )
    numbers = per_axis(pad, len(pad), "pad", "pad") if pad else ()
    return tuple(zip(numbers[-2::-2], numbers[::-2], strict=True))


def _check_what_remains(input: Any, widths: Widths) -> None:
    for n, width in zip(input.shape[input.ndim - len(widths) :], widths, strict=True):
        if n + sum(min(number, 0) for number in width) < 0:
            raise RuntimeError(
                f"pad(): cannot cut {width} off a dimension of length {n}: what remains must not "
                f"have a negative length (the input has shape {list(input.shape)})"
            )


def _check_what_is_copied(input: Any, widths: Widths, mode: str) -> None:
    first = input.ndim - len(widths)
    for dim, (n, width) in enumerate(zip(input.shape[first:], widths, strict=True), start=first):
        given = f"padding {width} at dimension {dim} of input {list(input.shape)}"
        if mode == "reflect" and max(width) >= n:
            raise RuntimeError(
                "Padding size should be less than the corresponding input dimension, but got: "
                f"{given}"
            )
        if mode == "circular" and max(width) > n + sum(min(number, 0) for number in width):
            raise RuntimeError(f"Padding value causes wrapping around more than once: {given}")
        if n == 0 or n + sum(width) < 1:
            raise RuntimeError(f"pad() in mode '{mode}' has nothing to copy or to keep: {given}")
