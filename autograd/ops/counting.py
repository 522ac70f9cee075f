"""Counting: distinct values, membership, places in an order, histograms, combinations."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from autograd import return_types
from autograd.arguments import NUMBERS
from autograd.ops.arithmetic import array_of
from autograd.ops.dimensions import ndim_of, one
from autograd.ops.gathering import as_given, index_select
from autograd.ops.shape import _reshape

__all__ = [
    "bincount", "bucketize", "combinations", "histc", "histogram", "histogramdd", "isin",
    "searchsorted", "unique", "unique_consecutive",
]  # fmt: skip

# -- distinct values -------------------------------------------------------------------------------


def unique(
    input: Any,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The distinct elements in order (or, along ``dim``, the distinct slices); and, if asked for,
    the index in them of every element, and how often each occurs. Every nan is distinct. Without a
    derivative."""
    axis = None if dim is None else one(dim, ndim_of(input))
    values, inverse, counts = np.unique(
        array_of(input), return_inverse=True, return_counts=True, axis=axis, equal_nan=False
    )
    inverse = inverse.reshape(-1 if axis is not None else input.shape)
    return _asked_for(input, values, (return_inverse, inverse), (return_counts, counts))


def unique_consecutive(
    input: Any, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The elements (or, along ``dim``, slices) without those that equal the one before; and, if
    asked for, the index in them of every element, and the length of each run. Without a derivative.
    """
    x = array_of(input)
    rows = x.reshape(-1) if dim is None else np.moveaxis(x, one(dim, ndim_of(input)), 0)
    changes = (rows[1:] != rows[:-1]).any(tuple(range(1, rows.ndim)))
    starts = np.flatnonzero(np.concatenate(([True][: len(rows)], changes)))
    values = rows[starts] if dim is None else np.moveaxis(rows[starts], 0, one(dim, input.ndim))
    inverse = np.cumsum(np.concatenate(([0][: len(rows)], changes)), dtype=np.int64)
    inverse = inverse.reshape(x.shape) if dim is None else inverse
    counts = np.diff(np.append(starts, len(rows)))
    return _asked_for(input, values, (return_inverse, inverse), (return_counts, counts))


def _asked_for(input: Any, values: np.ndarray, *extras: tuple[bool, np.ndarray]) -> Any:
    results = [
        as_given(np.asarray(x, order="C"), input)
        for x in (values, *[x for wanted, x in extras if wanted])
    ]
    return results[0] if len(results) == 1 else tuple(results)


# -- membership ------------------------------------------------------------------------------------


def isin(
    elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False
) -> Any:
    """Whether each of ``elements`` is among ``test_elements`` (``invert``: is not). One of the two
    may be a number; TypeError if both are. nan is never among them."""
    if type(elements) in NUMBERS and type(test_elements) in NUMBERS:
        raise TypeError(
            "isin(): one of elements and test_elements must be Tensor, not both numbers"
        )
    x, among = array_of(elements), array_of(test_elements)
    found = np.isin(x, among, assume_unique=assume_unique, invert=invert)
    return as_given(found, test_elements if type(elements) in NUMBERS else elements)


# -- places in an order ----------------------------------------------------------------------------


def searchsorted(
    sorted_sequence: Any,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Any = None,
) -> Any:
    """Where in ``sorted_sequence`` each element of ``input`` belongs: before equal ones, or after
    (``right``), int64.

    The sequence is a vector, or has one row for each row of ``input``; ``sorter`` are the indices
    that put it in order. RuntimeError for other shapes."""
    if side not in (None, "left", "right"):
        raise RuntimeError(
            f"torch.searchsorted(): side can only be 'left' or 'right' but got {side}"
        )
    side = side or ("right" if right else "left")
    sequence = array_of(sorted_sequence)
    if sorter is not None:
        sequence = np.take_along_axis(sequence, array_of(sorter), -1)
    x = np.asarray(array_of(input))
    if sequence.ndim == 1:
        places = np.asarray(sequence.searchsorted(x, side))
    elif sequence.ndim == x.ndim and sequence.shape[:-1] == x.shape[:-1]:
        places = np.empty(x.shape, np.int64)
        for row in np.ndindex(x.shape[:-1]):
            places[row] = sequence[row].searchsorted(x[row], side)
    else:
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 "
            "dimensions of boundaries tensor and input value tensor must match, but we got "
            f"boundaries tensor {list(sequence.shape)} and input value tensor {list(x.shape)}"
        )
    return as_given(places.astype(np.int32 if out_int32 else np.int64, copy=False), sorted_sequence)


def bucketize(input: Any, boundaries: Any, *, out_int32: bool = False, right: bool = False) -> Any:
    """The number of the interval between ``boundaries``, a sorted vector, that each element lies
    in; an element on a boundary is in the lower one, or the upper (``right``)."""
    if ndim_of(boundaries) != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({boundaries.ndim})")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


# -- histograms ------------------------------------------------------------------------------------


def bincount(input: Any, weights: Any = None, minlength: int = 0) -> Any:
    """How often each number from 0 to the largest (at least to ``minlength`` - 1) occurs in a
    vector of integers; or the sum of their ``weights``. RuntimeError for negative numbers."""
    x = array_of(input)
    if x.dtype.kind not in "iu":
        raise NotImplementedError(
            f'"bincount_cpu" not implemented for {input.dtype}: it counts integers'
        )
    if x.ndim != 1 or (x.size and x.min() < 0):
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    w = None if weights is None else array_of(weights)
    if w is not None and w.shape != x.shape:
        raise RuntimeError(
            "weights should be 1-d and have the same length as input, but have shape "
            f"{list(w.shape)}"
        )
    if minlength < 0:
        raise RuntimeError(f"bincount(): minlength should be >= 0, but got {minlength}")
    counts = np.bincount(x, w, minlength)
    return as_given(
        counts.astype(
            np.int64 if w is None else np.float32 if w.dtype == np.float32 else np.float64
        ),
        input,
    )


def histc(input: Any, bins: int = 100, min: float = 0, max: float = 0) -> Any:
    """How many elements lie in each of ``bins`` equal intervals from ``min`` to ``max`` (if both
    are 0, from the smallest to the largest element), in the dtype of ``input``. Without a
    derivative."""
    x = array_of(input)
    if bins <= 0:
        raise RuntimeError(f"torch.histc(): bins must be > 0, but got {bins}")
    if x.dtype.kind != "f":
        raise NotImplementedError(
            f'"histogram_cpu" not implemented for {input.dtype}: convert it first, with x.float()'
        )
    if min == max == 0 and x.size:
        min, max = float(x.min()), float(x.max())
    if min == max:
        min, max = min - 1, max + 1
    if not min < max:
        raise RuntimeError("torch.histc(): max must be larger than min")
    inside = x[(x >= min) & (x <= max)]
    return as_given(np.histogram(inside, bins, (min, max))[0].astype(x.dtype), input)


def histogram(
    input: Any, bins: Any, *, range: Any = None, weight: Any = None, density: bool = False
) -> Any:
    """How many elements lie in each bin (or the sum of their ``weight``), and the edges of the
    bins: ``(hist, bin_edges)``.

    ``bins`` are so many equal intervals over ``range`` (by default from the smallest to the largest
    element), or a vector of their edges; the last bin has both of its edges. With ``density`` the
    area under the histogram is 1. For float32 and float64; without a derivative."""
    x = _numbers("histogram", input)
    edges = [_edges("histogram", x.reshape(-1), bins, range)]
    hist = _fill_bins("histogram", x.reshape(-1, 1), edges, weight, density)
    return return_types.histogram(as_given(hist, input), as_given(edges[0], input))


def histogramdd(
    input: Any, bins: Any, *, range: Any = None, weight: Any = None, density: bool = False
) -> Any:
    """As :func:`histogram`, of points: the last dimension of ``input`` holds their coordinates.
    ``bins`` (a number for all, or a list of numbers or edges) and ``range`` (a flat list of bounds)
    are told for each coordinate: ``(hist, bin_edges)``, with a vector of edges for each."""
    x = _numbers("histogramdd", input)
    if x.ndim < 2:
        raise RuntimeError(
            f"torch.histogramdd: input tensor should have at least 2 dimensions, but got {x.ndim}"
        )
    x = x.reshape(-1, x.shape[-1])
    count = x.shape[1]
    bins = list(bins) if isinstance(bins, (tuple, list)) else [bins] * count
    if len(bins) != count:
        raise RuntimeError(
            "histogramdd: The size of bins must be equal to the innermost dimension of the input, "
            f"{count}, but got {len(bins)}"
        )
    ranges = [None] * count if range is None else np.reshape(range, (count, 2)).tolist()
    edges = [
        _edges("histogramdd", column, n, bounds)
        for column, n, bounds in zip(x.T, bins, ranges, strict=True)
    ]
    hist = _fill_bins("histogramdd", x, edges, weight, density)
    return return_types.histogramdd(
        as_given(hist, input), tuple([as_given(each, input) for each in edges])
    )


def _numbers(name: str, input: Any) -> np.ndarray:
    x = np.asarray(array_of(input))
    if x.dtype.char not in "fd":
        raise NotImplementedError(
            f'"{name}_cpu" not implemented for {x.dtype}: it takes float32 and float64'
        )
    return x


def _edges(name: str, x: np.ndarray, bins: Any, bounds: Any) -> np.ndarray:
    """The edges of the bins: given, or at equal distances."""
    if type(bins) is not int:
        edges = np.asarray(array_of(bins))
        if edges.ndim != 1 or edges.dtype != x.dtype:
            raise RuntimeError(
                f"torch.{name}(): bins tensor should be one-dimensional and of the dtype of the "
                f"input, {x.dtype}, but got {edges.dtype}{list(edges.shape)}"
            )
        return edges
    if bins <= 0:
        raise RuntimeError(f"torch.{name}(): bins must be > 0, but got {bins}")
    low, high = bounds or ((x.min(), x.max()) if x.size else (0, 1))
    if not (np.isfinite(low) and np.isfinite(high) and low <= high):
        raise RuntimeError(f"torch.{name}(): range of [{low}, {high}] is not finite or empty")
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, bins + 1, dtype=x.dtype)


def _fill_bins(
    name: str, x: np.ndarray, edges: list[np.ndarray], weight: Any, density: bool
) -> np.ndarray:
    """The weight in each bin of the points that are the rows of ``x``."""
    if weight is not None:
        weight = np.asarray(array_of(weight))
        if weight.size != len(x) or weight.dtype != x.dtype:
            raise RuntimeError(
                f"torch.{name}(): if weight tensor is provided it should have the shape and the "
                f"dtype of the input, {x.dtype}, but got {weight.dtype}{list(weight.shape)}"
            )
        weight = weight.reshape(-1)
    shape = tuple([len(each) - 1 for each in edges])
    inside = np.ones(len(x), bool)
    place = np.zeros(len(x), np.int64)
    for column, each in zip(x.T, edges, strict=True):
        inside &= (each[0] <= column) & (column <= each[-1])
        bins = np.minimum(each.searchsorted(column, "right"), len(each) - 1) - 1
        place = place * (len(each) - 1) + bins
    weight = None if weight is None else weight[inside]
    hist = np.bincount(place[inside], weight, math.prod(shape)).reshape(shape).astype(x.dtype)
    if density:
        hist /= hist.sum()
        for axis, each in enumerate(edges):
            hist /= np.diff(each).reshape((-1,) + (1,) * (len(shape) - axis - 1))
    return hist


# -- combinations ----------------------------------------------------------------------------------


def combinations(input: Any, r: int = 2, with_replacement: bool = False) -> Any:
    """All combinations of ``r`` elements of a vector, as rows; ``with_replacement`` an element may
    come again. RuntimeError for other shapes and negative ``r``."""
    if ndim_of(input) != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(input.shape)}")
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    rows = np.array(list(choose(range(len(input)), r)), np.int64)
    if not r:
        return input[:0]
    return _reshape(index_select(input, 0, as_given(rows.reshape(-1), input)), (-1, r))
