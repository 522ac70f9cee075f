"""The largest singular values of a matrix, found in a random subspace.

A few random columns, multiplied by the matrix now and then by its transpose, turn towards its
largest singular vectors; the rest is a small decomposition (Halko, Martinsson and Tropp, 2011).
"""

from __future__ import annotations

from typing import Any

from autograd.creation import randn
from autograd.ops.factorizations import linalg_qr
from autograd.ops.linear_algebra import matmul
from autograd.ops.reduction import mean
from autograd.ops.shape import mt
from autograd.ops.spectra import linalg_svd

__all__ = ["pca_lowrank", "svd_lowrank"]


def svd_lowrank(A: Any, q: int | None = 6, niter: int | None = 2, M: Any = None) -> Any:
    """The ``q`` largest singular values and their vectors, approximately: ``(U, S, V)`` with
    A ≈ U diag(S) Vᵀ, after ``niter`` rounds; of A - M, if ``M`` (which broadcasts) is given.

    Values whose distance from the next is large are found best. A is a matrix or a batch."""
    a = A if M is None else A - M
    wide = a.shape[-2] < a.shape[-1]
    if wide:
        a = mt(a)
    basis = _range(a, 6 if q is None else q, 2 if niter is None else niter)
    u, s, vh = linalg_svd(matmul(mt(basis), a), full_matrices=False)
    u, v = matmul(basis, u), mt(vh)
    return (v, s, u) if wide else (u, s, v)


def _range(a: Any, q: int, rounds: int) -> Any:
    """``q`` orthonormal columns that span, nearly, what the largest singular vectors span."""
    basis = linalg_qr(matmul(a, randn(a.shape[-1], q, dtype=a.dtype))).Q
    for _ in range(rounds):
        basis = linalg_qr(matmul(mt(a), basis)).Q
        basis = linalg_qr(matmul(a, basis)).Q
    return basis


def pca_lowrank(A: Any, q: int | None = None, center: bool = True, niter: int = 2) -> Any:
    """Principal components: :func:`svd_lowrank` of A without the means of its columns, which are
    subtracted unless ``center`` is False. The columns of V are the directions of largest variance.

    ``q`` is by default 6, or the smaller side of A. Raises ValueError for one that is larger, and
    for a negative ``niter``."""
    most = min(A.shape[-2:])
    q = min(6, most) if q is None else q
    if not 0 <= q <= most:
        raise ValueError(
            f"q(={q}) must be non-negative integer and not greater than min(m, n)={most}"
        )
    if niter < 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    return svd_lowrank(A - mean(A, -2, keepdim=True) if center else A, q, niter)
