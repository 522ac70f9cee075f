"""How far apart vectors are: in pairs, and each from each.

A distance is the norm of a difference, and where two vectors coincide its gradient is 0, as that of
a norm is. The Euclidean distances of many vectors from many come from one matrix product,
‖a - b‖² = ‖a‖² + ‖b‖² - 2 a · b, and so do their gradients: no array of all differences is made.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import dtypes
from autograd.op import op
from autograd.ops.arithmetic import array_of
from autograd.ops.broadcasting import broadcast_tensors
from autograd.ops.gathering import index_select
from autograd.ops.linear_algebra import matmul
from autograd.ops.norms import norm
from autograd.ops.reduction import quotient, sum
from autograd.ops.shape import transpose, unsqueeze
from autograd.tensor import Tensor

__all__ = ["cdist", "cosine_similarity", "pairwise_distance", "pdist"]

# -- in pairs --------------------------------------------------------------------------------------


def pairwise_distance(
    x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-06, keepdim: bool = False
) -> Any:
    """‖x1 - x2 + ``eps``‖ₚ along the last dimension."""
    return norm(x1 - x2 + eps, p, -1, keepdim)


def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-08) -> Any:
    """x1 · x2 / (‖x1‖ ‖x2‖) along ``dim``, the cosine of the angle between the two, which
    broadcast; norms below ``eps`` count as ``eps``."""
    x1, x2 = broadcast_tensors(x1, x2)
    return sum(_direction(x1, dim, eps) * _direction(x2, dim, eps), dim)


def _direction(x: Any, dim: int, eps: float) -> Any:
    length = norm(x, 2, dim, True)
    array = array_of(length)
    return x / (length + (np.maximum(array, eps) - array))


# -- each from each --------------------------------------------------------------------------------

_MODES = (
    "use_mm_for_euclid_dist_if_necessary",
    "use_mm_for_euclid_dist",
    "donot_use_mm_for_euclid_dist",
)


def cdist(x1: Any, x2: Any, p: float = 2.0, compute_mode: str = _MODES[0]) -> Any:
    """‖x1ᵢ - x2ⱼ‖ₚ for the rows i and j of matrices (..., P, M) and (..., R, M): (..., P, R).

    p = 0 counts the elements that differ, p = ∞ takes the largest difference (several that are
    equal share its gradient). Where rows coincide the gradient is 0. ``compute_mode`` says when
    Euclidean distances are found by a matrix product, which loses digits where rows are nearly the
    same: if there are more than 25 rows, always, or never.
    Raises RuntimeError for other shapes, for dtypes other than one floating-point one and for a
    negative p, ValueError for another mode."""
    _check_vectors("cdist", p, X1=x1, X2=x2)
    for name, x in (("X1", x1), ("X2", x2)):
        if x.ndim < 2:
            raise RuntimeError(
                f"cdist only supports at least 2D tensors, {name} got: {x.ndim}D. Make a vector a "
                "matrix of one row: x.unsqueeze(0)"
            )
    if x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError(
            f"X1 and X2 must have the same number of columns. X1: {x1.shape[-1]} X2: {x2.shape[-1]}"
        )
    if compute_mode not in _MODES:
        raise ValueError(
            f"{compute_mode} is not a valid value for compute_mode: it is one of {_MODES}"
        )
    many = max(x1.shape[-2], x2.shape[-2]) > 25
    if p == 2 and (compute_mode == _MODES[1] or (many and compute_mode == _MODES[0])):
        return _euclidean(x1, x2)
    return _lengths(unsqueeze(x1, -2) - unsqueeze(x2, -3), p)


def pdist(input: Any, p: float = 2) -> Any:
    """‖xᵢ - xⱼ‖ₚ for all rows i < j of a matrix (N, M): a vector of N (N - 1) / 2 distances.

    That is the triangle of ``cdist(x, x, p)`` above the diagonal, row by row. Raises RuntimeError
    for other shapes, for integers and for a negative p."""
    _check_vectors("pdist", p, input=input)
    if input.ndim != 2:
        raise RuntimeError(
            f"pdist only supports 2D tensors, got: {input.ndim}D, of shape {tuple(input.shape)}"
        )
    i, j = np.triu_indices(input.shape[0], 1)
    return _lengths(index_select(input, 0, i) - index_select(input, 0, j), p)


def _lengths(differences: Any, p: float) -> Any:
    """The norms of vectors; vectors without elements have length 0, in the ∞-norm too."""
    return norm(differences, p if differences.shape[-1] else 2, -1)


@op(
    dx1=lambda dy, x1, x2, y: _toward(quotient(dy, y), x1, x2),
    dx2=lambda dy, x1, x2, y: _toward(transpose(quotient(dy, y), -2, -1), x2, x1),
)
def _euclidean(x1, x2):
    """The Euclidean distance of each row of x1 from each row of x2. Where it is 0, so is the
    gradient."""
    y = np.matmul(x1, x2.swapaxes(-2, -1))
    y *= -2
    y += np.vecdot(x1, x1)[..., :, None]
    y += np.vecdot(x2, x2)[..., None, :]
    return np.sqrt(np.maximum(y, 0, out=y), out=y)


def _toward(share: Any, x1: Any, x2: Any) -> Any:
    """Σⱼ shareᵢⱼ (x1ᵢ - x2ⱼ)"""
    return x1 * sum(share, -1, True) - matmul(share, x2)


def _check_vectors(function: str, p: float, **tensors: Any) -> None:
    for name, x in tensors.items():
        if not isinstance(x, (Tensor, np.ndarray)):
            raise TypeError(
                f"{function}(): argument '{name.lower()}' must be Tensor, not {type(x).__name__}"
            )
        if array_of(x).dtype.kind != "f":
            raise RuntimeError(
                f"{function} only supports floating-point dtypes, {name} got: "
                f"{dtypes.of_array(array_of(x))._title}"
            )
    found = [array_of(x).dtype for x in tensors.values()]
    if len(set(found)) > 1:
        raise RuntimeError(
            f"{function} expects tensors of one dtype, but got {' and '.join(map(str, found))}. "
            "Convert one of them: x.to(y.dtype)"
        )
    if p < 0:
        raise RuntimeError(f"{function} only supports non-negative p values, but got {p}")
