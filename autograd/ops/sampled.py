"""Calculus of functions known at some places only: differences, slopes, areas.

A chord joins two neighboring samples, a parabola three; what lies under the chords is the
trapezoidal rule.
"""

from __future__ import annotations

from typing import Any

from autograd.ops.arithmetic import array_of
from autograd.ops.comparison import logical_xor
from autograd.ops.conversion import clone
from autograd.ops.cumulative import cumsum
from autograd.ops.dimensions import ndim_of, one, several
from autograd.ops.joining import cat
from autograd.ops.parts import _slice
from autograd.ops.reduction import sum
from autograd.ops.shape import _reshape

__all__ = ["cumulative_trapezoid", "diff", "gradient", "trapezoid", "trapz"]

# -- differences -----------------------------------------------------------------------------------


def diff(input: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """The differences xₖ₊₁ - xₖ along ``dim``, taken ``n`` times over (0: a copy); ``prepend`` and
    ``append`` are joined on first. Of bools, whether neighbors differ."""
    if not ndim_of(input):
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    dim = one(dim, input.ndim)
    if n == 0:
        return clone(input)
    if prepend is not None or append is not None:
        input = cat([x for x in (prepend, input, append) if x is not None], dim)
    for _ in range(min(n, input.shape[dim])):
        later, earlier = _part(input, dim, 1), _part(input, dim, 0, -1)
        input = (
            logical_xor(later, earlier) if array_of(input).dtype.kind == "b" else later - earlier
        )
    return input


def _part(x: Any, dim: int, start: int, stop: int | None = None) -> Any:
    """``x[start:stop]`` along ``dim``."""
    return _slice(x, (*(slice(None),) * dim, slice(start, stop)))


def _places(x: Any, dim: int, ndim: int) -> Any:
    """``x``, if it is a vector, laid along ``dim`` of ``ndim``."""
    return _reshape(x, (-1,) + (1,) * (ndim - dim - 1)) if x.ndim == 1 else x


# -- slopes ----------------------------------------------------------------------------------------


def gradient(
    input: Any, *, spacing: Any = 1, dim: Any = None, edge_order: int = 1
) -> tuple[Any, ...]:
    """The slope ∂input/∂xᵢ at every sample, along each dimension in ``dim`` (None: all): a tuple
    of tensors.

    ``spacing`` is the distance between samples (1 by default): one number, a number for each
    dimension, or a vector of the samples' places for each. The slope is that of the parabola
    through a sample and its two neighbors; at the edges that of the chord to the neighbor or, for
    ``edge_order=2``, of the nearest parabola.
    Raises RuntimeError for fewer than edge_order + 1 samples."""
    dims = several(tuple(range(ndim_of(input))) if dim is None else dim, input.ndim)
    if array_of(input).dtype.name == "uint8":
        raise RuntimeError(
            "torch.gradient does not support uint8 input, in which differences wrap around: "
            "convert it first, with x.float()"
        )
    if edge_order not in (1, 2):
        raise RuntimeError(
            f"torch.gradient only supports edge_order=1 and edge_order=2, but got {edge_order}"
        )
    short = [n for n in (input.shape[d] for d in dims) if n <= edge_order]
    if short:
        raise RuntimeError(
            "torch.gradient expected each dimension size to be at least edge_order+1 = "
            f"{edge_order + 1}, but got {short[0]} in {list(input.shape)}"
        )
    steps = _steps(spacing, len(dims), dim is None)
    return tuple([_slope(input, d, h, edge_order) for d, h in zip(dims, steps, strict=True)])


def _steps(spacing: Any, count: int, all_dims: bool) -> list[Any]:
    """What lies between samples along each dimension: a number, or a vector of differences."""
    if not isinstance(spacing, (tuple, list)):
        return [1 if spacing is None else spacing] * count
    if len(spacing) != count:
        reason = "the number of dimensions" if all_dims else "the number of dims"
        raise RuntimeError(
            "torch.gradient expected spacing to be unspecified, a scalar, or a list of length "
            f"equal to {reason}, {count}, but got a list of length {len(spacing)}"
        )
    for places in spacing:
        if getattr(places, "ndim", 1) != 1:
            raise RuntimeError(
                "torch.gradient expected each element of spacing to have one dimension, but got "
                f"an element with {places.ndim} dimensions"
            )
    return [diff(x) if hasattr(x, "ndim") else x for x in spacing]


def _slope(x: Any, dim: int, step: Any, edge_order: int) -> Any:
    """The slope along ``dim``: at the end of a parabola's two chords their own slopes, corrected by
    how fast it bends."""
    before = after = step
    if hasattr(step, "ndim"):
        step = _places(step, dim, x.ndim)
        before, after = _part(step, 0, 0, -1), _part(step, 0, 1)
    chords = (_part(x, dim, 1) - _part(x, dim, 0, -1)) / step
    earlier, later = _part(chords, dim, 0, -1), _part(chords, dim, 1)
    bend = (later - earlier) / (before + after)
    middle = earlier + before * bend
    if edge_order == 1:
        first, last = _part(chords, dim, 0, 1), _part(chords, dim, -1)
    else:
        first = _part(earlier - before * bend, dim, 0, 1)
        last = _part(later + after * bend, dim, -1)
    return cat([first, middle, last], dim)


# -- areas -----------------------------------------------------------------------------------------


def trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Any:
    """∫ y by the trapezoidal rule, along ``dim``, at the places ``x`` or every ``dx`` (1 by
    default)."""
    return sum(_twice_the_areas(y, x, dx, dim), dim) / 2


trapz = trapezoid


def cumulative_trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Any:
    """The running ∫ y by the trapezoidal rule, along ``dim``, at the places ``x`` or every ``dx``
    (1 by default)."""
    return cumsum(_twice_the_areas(y, x, dx, dim), dim) / 2


def _twice_the_areas(y: Any, x: Any, dx: Any, dim: int) -> Any:
    """Of the trapezoids between each element and the next. (Divided after they are summed, whole
    numbers stay whole for as long.)"""
    dim = one(dim, ndim_of(y))
    heights = _part(y, dim, 1) + _part(y, dim, 0, -1)
    if x is None:
        return heights if dx is None else heights * dx
    if x.ndim == 1 and x.shape[0] != y.shape[dim]:
        raise RuntimeError(
            f"trapezoid: There must be one `x` value for each sample point, but got {x.shape[0]} "
            f"for the {y.shape[dim]} along dimension {dim}"
        )
    return heights * diff(_places(x, dim, y.ndim), dim=dim - y.ndim)
