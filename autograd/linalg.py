"""Linear algebra, under the names of ``torch.linalg``.

``eig`` and ``eigvals`` are missing: the eigenvalues of a matrix that is not symmetric are complex,
and there is no complex dtype here.
"""

from __future__ import annotations

from typing import Any

from autograd import return_types
from autograd.ops import factorizations, inverses, linear_algebra, parts
from autograd.ops.blocks import linalg_vander as vander
from autograd.ops.factorizations import cholesky_ex, lu_factor, lu_factor_ex
from autograd.ops.factorizations import linalg_lu as lu
from autograd.ops.factorizations import linalg_lu_solve as lu_solve
from autograd.ops.factorizations import linalg_qr as qr
from autograd.ops.inverses import (
    LinAlgError,
    det,
    inv_ex,
    matrix_exp,
    matrix_power,
    solve,
    solve_ex,
    solve_triangular,
    tensorinv,
    tensorsolve,
)
from autograd.ops.inverses import inverse as inv
from autograd.ops.linear_algebra import matmul, multi_dot
from autograd.ops.norms import cond, matrix_norm, vector_norm
from autograd.ops.norms import floats as _floats
from autograd.ops.norms import linalg_norm as norm
from autograd.ops.reduction import sum as _sum
from autograd.ops.reflections import householder_product, ldl_factor, ldl_factor_ex, ldl_solve
from autograd.ops.spectra import eigh, eigvalsh, lstsq, matrix_rank, pinv, svdvals
from autograd.ops.spectra import linalg_svd as svd
from autograd.out import takes_out as _takes_out

__all__ = [
    "LinAlgError", "cholesky", "cholesky_ex", "cond", "cross", "det", "diagonal", "eigh",
    "eigvalsh", "householder_product", "inv", "inv_ex", "ldl_factor", "ldl_factor_ex", "ldl_solve",
    "lstsq", "lu", "lu_factor", "lu_factor_ex", "lu_solve", "matmul", "matrix_exp", "matrix_norm",
    "matrix_power", "matrix_rank", "multi_dot", "norm", "pinv", "qr", "slogdet", "solve",
    "solve_ex", "solve_triangular", "svd", "svdvals", "tensorinv", "tensorsolve", "vander",
    "vecdot", "vector_norm",
]  # fmt: skip


def cholesky(A: Any, *, upper: bool = False) -> Any:
    """The lower triangular L with A = L Lᵀ (or its transpose, if ``upper``), of a symmetric
    positive-definite A. Raises LinAlgError, a RuntimeError, for other matrices."""
    return factorizations.cholesky(A, upper)


def cross(input: Any, other: Any, *, dim: int = -1) -> Any:
    """The vector product along ``dim``, of length 3; the other dimensions broadcast."""
    return linear_algebra.cross(input, other, dim)


def diagonal(A: Any, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """The view of the diagonal of matrices, along a new last dimension. See
    :func:`autograd.diagonal`."""
    return parts.diagonal(A, offset, dim1, dim2)


def slogdet(A: Any) -> Any:
    """The sign and the logarithm of the absolute determinant: ``(sign, logabsdet)``."""
    return return_types.linalg_slogdet(*inverses.slogdet(A))


def vecdot(x: Any, y: Any, *, dim: int = -1) -> Any:
    """Σ x y along ``dim``; the other dimensions broadcast. RuntimeError for integers."""
    return _sum(_floats("vecdot", x * y), dim)


_WITHOUT_OUT = ("LinAlgError", "diagonal", "matmul", "matrix_exp", "vander")
globals().update(
    {name: _takes_out(globals()[name]) for name in __all__ if name not in _WITHOUT_OUT}
)
