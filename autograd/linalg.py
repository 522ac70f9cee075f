"""Linear algebra, under the names of ``torch.linalg``."""

from __future__ import annotations

from typing import Any

from autograd.ops import decompositions, linear_algebra, parts
from autograd.ops.decompositions import (
    LinAlgError,
    det,
    eigh,
    eigvalsh,
    matrix_power,
    matrix_rank,
    slogdet,
    solve,
    solve_triangular,
    svdvals,
)
from autograd.ops.decompositions import inverse as inv
from autograd.ops.decompositions import linalg_qr as qr
from autograd.ops.decompositions import linalg_svd as svd
from autograd.ops.decompositions import pinverse as pinv
from autograd.ops.linear_algebra import matmul, multi_dot
from autograd.ops.norms import linalg_norm as norm
from autograd.ops.norms import matrix_norm, vector_norm
from autograd.ops.reduction import sum as _sum

__all__ = [
    "LinAlgError", "cholesky", "cross", "det", "diagonal", "eigh", "eigvalsh", "inv", "matmul",
    "matrix_norm", "matrix_power", "matrix_rank", "multi_dot", "norm", "pinv", "qr", "slogdet",
    "solve", "solve_triangular", "svd", "svdvals", "vecdot", "vector_norm",
]  # fmt: skip


def cholesky(A: Any, *, upper: bool = False) -> Any:
    """The lower triangular L with A = L Lᵀ (or its transpose, if ``upper``), of a symmetric
    positive-definite A. Raises LinAlgError, a RuntimeError, for other matrices."""
    return decompositions.cholesky(A, upper)


def cross(input: Any, other: Any, *, dim: int = -1) -> Any:
    """The vector product along ``dim``, of length 3; the other dimensions broadcast."""
    return linear_algebra.cross(input, other, dim)


def diagonal(A: Any, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """The view of the diagonal of matrices, along a new last dimension. See
    :func:`autograd.diagonal`."""
    return parts.diagonal(A, offset, dim1, dim2)


def vecdot(x: Any, y: Any, *, dim: int = -1) -> Any:
    """Σ x y along ``dim``; the other dimensions broadcast."""
    return _sum(x * y, dim)
