"""Matrices taken apart into triangular and orthogonal factors: Cholesky, LU, QR.

Each operation takes a matrix, or a batch of matrices in the last two dimensions. The factors, being
simpler, solve at little cost the equations that the matrix itself stands in.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import dtypes, return_types
from autograd.function import Function
from autograd.op import op
from autograd.ops.arithmetic import array_of
from autograd.ops.comparison import where
from autograd.ops.gathering import as_given
from autograd.ops.inverses import (
    LinAlgError,
    _inv,
    _solve_triangular,
    check_equation,
    matrices,
    same_dtype,
    solve_triangular,
    unit,
)
from autograd.ops.joining import cat
from autograd.ops.linear_algebra import matmul
from autograd.ops.parts import _slice, diag_embed, diagonal, tril, triu
from autograd.ops.shape import mt

__all__ = [
    "cholesky", "cholesky_inverse", "cholesky_solve", "lu", "lu_solve", "lu_unpack", "qr",
]  # fmt: skip


def lapack(name: str, a: np.ndarray) -> Callable[..., Any]:
    """LAPACK's routine for one matrix of the dtype of ``a``. What SciPy calls a pivot it counts
    from 0, PyTorch from 1."""
    from scipy.linalg import get_lapack_funcs

    return get_lapack_funcs((name,), (a,))[0]


# -- Cholesky --------------------------------------------------------------------------------------


# With L⁻¹ dA L⁻ᵀ = S, dL = L Φ(S), where Φ takes the lower triangle and half the diagonal.
@op(da=lambda dy, y: _cholesky_gradient(dy, y))
def _cholesky(a):
    """The lower triangular L with A = L Lᵀ"""
    try:
        y = np.linalg.cholesky(a)
    except np.linalg.LinAlgError:
        raise _not_positive_definite(a) from None
    if not np.isfinite(np.diagonal(y, 0, -2, -1)).all():
        raise _not_positive_definite(a)
    return y


def _not_positive_definite(a: np.ndarray) -> LinAlgError:
    """The error that says which matrix of the batch has no factors, and how it shows."""
    info = _bad_minors(a)
    at = tuple(map(int, np.argwhere(info)[0]))
    place = f"(Batch element {at[0] if len(at) == 1 else at}): " if at else ""
    return LinAlgError(
        f"linalg.cholesky: {place}The factorization could not be completed because the input is "
        f"not positive-definite (the leading minor of order {info[at]} is not positive-definite)."
    )


def _bad_minors(a: np.ndarray) -> np.ndarray:
    """For each matrix the order of the first leading minor that is not positive-definite, or 0."""
    potrf = lapack("potrf", a)
    info = np.zeros(a.shape[:-2], np.int32)
    for i in np.ndindex(info.shape) if a.size else ():
        y, info[i] = potrf(a[i], lower=True)
        endless = ~np.isfinite(y.diagonal())
        if not info[i] and endless.any():  # LAPACK does not always notice what is inf or nan
            info[i] = 1 + endless.argmax()
    return info


def _cholesky_gradient(dy: Any, y: Any) -> Any:
    x = matmul(mt(y), dy)
    half = tril(x) - diag_embed(diagonal(x, 0, -2, -1)) / 2
    inverted = _inv(y)
    s = matmul(matmul(mt(inverted), half), inverted)
    return (s + mt(s)) / 2


def cholesky(input: Any, upper: bool = False) -> Any:
    """The lower triangular L with A = L Lᵀ (or its transpose, if ``upper``), of a symmetric
    positive-definite A, of which that triangle is read.

    Raises LinAlgError, a RuntimeError, for other matrices."""
    a = matrices("cholesky", input)
    return mt(_cholesky(mt(a))) if upper else _cholesky(a)


def cholesky_ex(A: Any, *, upper: bool = False, check_errors: bool = False) -> Any:
    """``(L, info)``: as :func:`cholesky`, but where A is not positive-definite, L is nan and
    ``info`` (int32) not 0, unless ``check_errors``."""
    a = matrices("cholesky_ex", A)
    a = mt(a) if upper else a
    info = _bad_minors(array_of(a))
    if info.any() and not check_errors:
        fine = as_given((info == 0)[..., None, None], A)
        lower = where(fine, _cholesky(where(fine, a, unit(a))), math.nan)
    else:
        lower = _cholesky(a)
    return return_types.linalg_cholesky_ex(mt(lower) if upper else lower, as_given(info, A))


# The gradient is that of (L Lᵀ)⁻¹ B for an L without a given shape: it has numbers also where L has
# zeros, which go nowhere if that L was computed as a triangle.
@op(
    db=lambda dy, factor: _cholesky_solve(dy, factor),
    dfactor=lambda dy, y, factor: matmul(
        _twice(-matmul(_cholesky_solve(dy, factor), mt(y))), factor
    ),
)
def _cholesky_solve(b, factor):
    """(L Lᵀ)⁻¹ B"""
    half = _solve_triangular(factor, b, False, False)
    return _solve_triangular(mt(factor), half, True, False)


def _twice(x: Any) -> Any:
    return x + mt(x)


def cholesky_solve(input: Any, L: Any, upper: bool = False) -> Any:
    """The solution X of L Lᵀ X = B (of Lᵀ L X = B, if ``upper``), where B is ``input``."""
    matrices("cholesky_solve", L)
    matrices("cholesky_solve", input, square=False)
    same_dtype("cholesky_solve", L, input)
    check_equation("cholesky_solve", L, input)
    return _cholesky_solve(input, mt(L) if upper else L)


def cholesky_inverse(L: Any, upper: bool = False) -> Any:
    """The inverse of L Lᵀ (of Lᵀ L, if ``upper``)."""
    return cholesky_solve(unit(matrices("cholesky_inverse", L)), L, upper)


# -- LU --------------------------------------------------------------------------------------------


class LU(Function):
    """P A = L U: rows exchanged, then a unit lower triangle times an upper one, in one matrix."""

    @staticmethod
    def forward(ctx: Any, a: Any) -> Any:
        packed, pivots, info = (as_given(x, a) for x in _eliminated(array_of(a)))
        ctx.save_for_backward(packed, pivots)
        return packed, pivots, info

    @staticmethod
    def backward(ctx: Any, dy: Any, *_: Any) -> Any:
        packed, pivots = ctx.saved_tensors
        permutation, lower, upper = lu_unpack(packed, pivots)
        return matmul(permutation, _lu_gradient(dy, lower, upper))


def _eliminated(a: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """L and U in one matrix, the rows that were exchanged, and which pivot is the first to be 0."""
    getrf = lapack("getrf", a)
    batch, size = a.shape[:-2], min(a.shape[-2:])
    packed, pivots = np.empty(a.shape, a.dtype), np.empty((*batch, size), np.int32)
    info = np.zeros(batch, np.int32)
    for i in np.ndindex(batch) if a.size else ():
        packed[i], pivots[i], info[i] = getrf(a[i])
    return packed, pivots + np.int32(1), info


def _lu_gradient(dy: Any, lower: Any, upper: Any) -> Any:
    """The gradient of P A from that of L and U in one matrix. For a square A it is L⁻ᵀ S U⁻ᵀ, where
    S has the triangles of Lᵀ dL (below the diagonal) and dU Uᵀ. What sticks out below or on the
    right follows from the square: L₂ = A₂ U⁻¹, U₂ = L⁻¹ A₂."""
    rows, columns = dy.shape[-2:]
    size = min(rows, columns)
    top, left = (..., slice(0, size), slice(None)), (..., slice(0, size))
    below, right = (..., slice(size, None), slice(None)), (..., slice(size, None))
    l1, u1 = _slice(lower, top), _slice(upper, left)
    square = _slice(dy, (..., slice(0, size), slice(0, size)))
    inner = tril(matmul(mt(l1), tril(square, -1)), -1) + triu(matmul(triu(square), mt(u1)))
    rest = None
    if rows > columns:
        rest = _slice(dy, below)
        inner = inner - triu(matmul(mt(_slice(lower, below)), rest))
        rest = mt(_solve_triangular(u1, mt(rest), True, False))
    elif columns > rows:
        rest = _slice(dy, right)
        inner = inner - tril(matmul(rest, mt(_slice(upper, right))), -1)
        rest = _solve_triangular(mt(l1), rest, True, True)
    first = mt(_solve_triangular(u1, mt(inner), True, False))
    da = _solve_triangular(mt(l1), first, True, True)
    return da if rest is None else cat((da, rest), -2 if rows > columns else -1)


def lu_factor_ex(A: Any, *, pivot: bool = True, check_errors: bool = False) -> Any:
    """``(LU, pivots, info)`` with P A = L U: L below the diagonal and U above it in one matrix, in
    which row i was exchanged with row ``pivots[i]`` (int32, from 1), one after the other; ``info``
    says which diagonal element of U is the first to be 0.

    RuntimeError without ``pivot``, and, if ``check_errors``, where ``info`` is not 0."""
    matrices("lu_factor", A, square=False)
    if not pivot:
        raise RuntimeError("linalg.lu_factor: LU without pivoting is not implemented on the CPU")
    packed, pivots, info = LU.apply(A)
    if check_errors and array_of(info).any():
        raise RuntimeError(
            "torch.linalg.lu_factor_ex: a diagonal element of U is zero (that number "
            f"{array_of(info).max()}), and using it on lu_solve would result in a division by zero"
        )
    return return_types.linalg_lu_factor_ex(packed, pivots, info)


def lu_factor(A: Any, *, pivot: bool = True) -> Any:
    """``(LU, pivots)``: see :func:`lu_factor_ex`. RuntimeError if U has a zero on its diagonal."""
    return return_types.linalg_lu_factor(*lu_factor_ex(A, pivot=pivot, check_errors=True)[:2])


def linalg_lu(A: Any, *, pivot: bool = True) -> Any:
    """A = P L U: ``(P, L, U)``, a permutation, a lower triangle with ones on its diagonal, and an
    upper one."""
    packed, pivots, _ = lu_factor_ex(A, pivot=pivot)
    return return_types.linalg_lu(*lu_unpack(packed, pivots))


def lu(A: Any, pivot: bool = True, get_infos: bool = False) -> Any:
    """``torch.lu``: (LU, pivots), and info if ``get_infos``. See :func:`lu_factor_ex`."""
    found = lu_factor_ex(A, pivot=pivot, check_errors=not get_infos)
    return tuple(found) if get_infos else tuple(found[:2])


def lu_unpack(
    LU_data: Any, LU_pivots: Any, unpack_data: bool = True, unpack_pivots: bool = True
) -> Any:
    """The P, L and U of A = P L U, from what :func:`lu_factor` gives: ``(P, L, U)``. What is not
    asked for is empty. Raises RuntimeError for pivots that are no int32."""
    if unpack_pivots and array_of(LU_pivots).dtype != np.int32:
        raise RuntimeError(
            "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 "
            f"dtype, but it is of {dtypes.of_array(array_of(LU_pivots))}"
        )
    dtype, size = array_of(LU_data).dtype, min(LU_data.shape[-2:])
    permutation: Any = as_given(np.empty(0, dtype), LU_data)
    lower = upper = permutation
    if unpack_pivots:
        order = _order(array_of(LU_pivots), LU_data.shape[-2])
        permutation = as_given(
            np.eye(LU_data.shape[-2], dtype=dtype)[order].swapaxes(-2, -1), LU_data
        )
    if unpack_data:
        left = _slice(LU_data, (..., slice(0, size)))
        lower = tril(left, -1) + unit(left)
        upper = triu(_slice(LU_data, (..., slice(0, size), slice(None))))
    return return_types.lu_unpack(permutation, lower, upper)


def _order(pivots: np.ndarray, rows: int) -> np.ndarray:
    """Which row stands where, after one exchange after the other. RuntimeError for a row that is
    not there."""
    if ((pivots < 1) | (pivots > rows)).any():
        raise RuntimeError(
            f"lu_unpack: LU_pivots are rows from 1 to {rows}, as linalg.lu_factor gives them, but "
            f"go from {pivots.min()} to {pivots.max()}"
        )
    order = np.broadcast_to(np.arange(rows), (*pivots.shape[:-1], rows)).copy()
    for i in range(pivots.shape[-1]):
        other = pivots[..., i, None].astype(np.int64) - 1
        moved = np.take_along_axis(order, other, -1)
        np.put_along_axis(order, other, order[..., i : i + 1].copy(), -1)
        order[..., i : i + 1] = moved
    return order


def linalg_lu_solve(
    LU: Any, pivots: Any, B: Any, *, left: bool = True, adjoint: bool = False
) -> Any:
    """The solution X of A X = B (X A = B, if not ``left``; Aᵀ for A, if ``adjoint``), for an A of
    which :func:`lu_factor` gave ``LU`` and ``pivots``."""
    same_dtype("lu_solve", LU, B)
    if not left:
        return mt(linalg_lu_solve(LU, pivots, mt(B), adjoint=not adjoint))
    matrices("lu_solve", LU)
    matrices("lu_solve", B, square=False)
    permutation, lower, upper = lu_unpack(LU, pivots)
    if adjoint:
        y = solve_triangular(mt(upper), B, upper=False)
        y = solve_triangular(mt(lower), y, upper=True, unitriangular=True)
        return matmul(permutation, y)
    y = solve_triangular(lower, matmul(mt(permutation), B), upper=False, unitriangular=True)
    return solve_triangular(upper, y, upper=True)


def lu_solve(input: Any, LU_data: Any, LU_pivots: Any) -> Any:
    """``torch.lu_solve``: the solution X of A X = ``input``. See :func:`lu_factor`."""
    return linalg_lu_solve(LU_data, LU_pivots, input)


# -- QR --------------------------------------------------------------------------------------------


class QR(Function):
    """A = Q R, with orthonormal columns in Q and an upper triangular R."""

    @staticmethod
    def forward(ctx: Any, a: Any, mode: Any) -> Any:
        found: Any = np.linalg.qr(array_of(a), mode)
        empty = np.empty(0, array_of(a).dtype)
        q, r = (as_given(x, a) for x in (found if mode != "r" else (empty, found)))
        ctx.save_for_backward(q, r)
        ctx.set_materialize_grads(True)
        ctx.mode = mode
        return q, r

    @staticmethod
    def backward(ctx: Any, dq: Any, dr: Any) -> Any:
        q, r = ctx.saved_tensors
        if ctx.mode == "r":
            raise RuntimeError(
                "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. "
                "Please use linalg.qr(A, mode='reduced') if you are going to require gradients."
            )
        rows, columns = r.shape[-2:]
        if q.shape[-1] > min(q.shape[-2], columns):
            raise RuntimeError(
                "linalg.qr: with mode='complete' there are derivatives only if A has at least as "
                "many columns as rows"
            )
        if columns <= rows:
            return _qr_gradient(q, r, dq, dr), None
        # A = [X | Y] = Q [U | V]: Q and U come from X alone, and V = Qᵀ Y.
        head, tail = (..., slice(None, rows)), (..., slice(rows, None))
        v, du, dv = _slice(r, tail), _slice(dr, head), _slice(dr, tail)
        y = matmul(q, v)
        dx = _qr_gradient(q, _slice(r, head), dq + matmul(y, mt(dv)), du)
        return cat((dx, matmul(q, dv)), -1), None


def _qr_gradient(q: Any, r: Any, dq: Any, dr: Any) -> Any:
    m = matmul(r, mt(dr)) - matmul(mt(dq), q)
    symmetric = tril(m) + mt(tril(m, -1))
    return mt(_solve_triangular(r, mt(dq + matmul(q, symmetric)), True, False))


def qr(input: Any, some: bool = True) -> Any:
    """``torch.qr``: see :func:`autograd.linalg.qr`."""
    return return_types.qr(*linalg_qr(input, "reduced" if some else "complete"))


def linalg_qr(A: Any, mode: str = "reduced") -> Any:
    """A = Q R, with orthonormal columns in Q and an upper triangular R: ``(Q, R)``.

    ``mode``: 'reduced' (Q has as many columns as A, or rows if these are fewer), 'complete' (Q is
    square) or 'r' (R alone, without a derivative)."""
    matrices("qr", A, square=False)
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', "
            "or 'complete'"
        )
    return return_types.linalg_qr(*QR.apply(A, mode))
