"""Factors in the form that LAPACK leaves them in: reflections for an orthogonal matrix, and a
symmetric one as L D Lᵀ.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import dtypes, return_types
from autograd.op import op
from autograd.ops.arithmetic import array_of
from autograd.ops.factorizations import lapack
from autograd.ops.inverses import check_equation, matrices, same_dtype, unit
from autograd.ops.linear_algebra import matmul
from autograd.ops.parts import _slice, tril
from autograd.ops.shape import _unsqueeze, mt

__all__ = ["geqrf", "orgqr", "ormqr"]

# -- QR as a product of reflections ----------------------------------------------------------------


@op()
def _reflections(a, mode):
    """R and the reflections whose product is Q in one matrix, and how strong each is."""
    packed, tau = np.linalg.qr(a, mode)
    return packed.swapaxes(-2, -1), tau


def geqrf(input: Any) -> Any:
    """``(a, tau)``: R in the upper triangle of ``a``, and below it the reflections whose product is
    Q, each without its leading 1; see :func:`householder_product`. It has no derivative."""
    return return_types.geqrf(*_reflections(matrices("geqrf", input, square=False), "raw"))


def householder_product(A: Any, tau: Any) -> Any:
    """The first columns of H₁ H₂ ⋯ Hₖ, where Hᵢ = 1 - τᵢ v vᵀ reflects along v, which is column i
    of A with a 1 on the diagonal and zeros above; as many columns as A has."""
    name = "householder_product"
    matrices(name, A, square=False)
    same_dtype(name, A, tau)
    if A.shape[-2] < A.shape[-1] or tau.shape[-1] > A.shape[-1]:
        raise RuntimeError(
            "torch.linalg.householder_product: A must have at least as many rows as columns, and "
            f"tau no more elements than A columns, but got shapes {list(A.shape)} and "
            f"{list(tau.shape)}"
        )
    if tuple(tau.shape[:-1]) != tuple(A.shape[:-2]):
        raise RuntimeError(
            "torch.linalg.householder_product: Expected batch dimensions of tau to be equal to "
            f"input.shape[:-2], but got shapes {list(tau.shape)} and {list(A.shape)}"
        )
    return _reflected(A, tau, unit(A), reversed(range(tau.shape[-1])))


def _reflected(a: Any, tau: Any, y: Any, order: Any) -> Any:
    """``y`` reflected along column i of ``a``, for one i after the other."""
    directions = tril(a, -1) + unit(a)
    for i in order:
        v = _slice(directions, (..., slice(i, i + 1)))
        scale = _unsqueeze(_slice(tau, (..., slice(i, i + 1))), tau.ndim)
        y = y - matmul(scale * v, matmul(mt(v), y))
    return y


orgqr = householder_product


def ormqr(input: Any, tau: Any, other: Any, left: bool = True, transpose: bool = False) -> Any:
    """Q ``other`` (or ``other`` Q, if not ``left``; Qᵀ for Q, if ``transpose``), for the square Q
    that ``input`` and ``tau`` describe, as :func:`geqrf` gives them."""
    matrices("ormqr", input, square=False)
    matrices("ormqr", other, square=False)
    same_dtype("ormqr", input, other)
    if not left:
        return mt(ormqr(input, tau, mt(other), True, not transpose))
    if other.shape[-2] != input.shape[-2] or tau.shape[-1] != min(input.shape[-2:]):
        raise RuntimeError(
            "torch.ormqr: other.shape[-2] must be equal to input.shape[-2], and tau.shape[-1] to "
            f"the smaller of the last two of input, but got shapes {list(other.shape)}, "
            f"{list(input.shape)} and {list(tau.shape)}"
        )
    order = range(tau.shape[-1])
    return _reflected(input, tau, other, order if transpose else reversed(order))


# -- L D Lᵀ ----------------------------------------------------------------------------------------


@op()
def _ldl_factor(a, hermitian):
    """The factors in one matrix, what was exchanged, and which block of D is the first that is
    singular, as LAPACK's ``sytrf`` gives them."""
    sytrf = lapack("sytrf", a)
    packed, info = a.copy(), np.zeros(a.shape[:-2], np.int32)
    pivots = np.empty(a.shape[:-1], np.int32)
    for i in np.ndindex(info.shape) if a.size else ():
        packed[i], pivots[i], info[i] = sytrf(a[i], lower=True)
    return np.tril(packed), pivots, info


def ldl_factor_ex(A: Any, *, hermitian: bool = False, check_errors: bool = False) -> Any:
    """``(LD, pivots, info)`` of symmetric matrices, whose lower triangles are read: A = L D Lᵀ with
    blocks of 1 or 2 rows in D, for :func:`ldl_solve`. It has no derivative. RuntimeError, if
    ``check_errors``, where D has no inverse."""
    packed, pivots, info = _ldl_factor(matrices("ldl_factor_ex", A), hermitian)
    if check_errors and array_of(info).any():
        raise RuntimeError(
            "torch.linalg.ldl_factor_ex: the input is singular, and its factors solve nothing"
        )
    return return_types.linalg_ldl_factor_ex(packed, pivots, info)


def ldl_factor(A: Any, *, hermitian: bool = False) -> Any:
    """``(LD, pivots)``: see :func:`ldl_factor_ex`."""
    return return_types.linalg_ldl_factor(*ldl_factor_ex(A, check_errors=True)[:2])


@op(tensors=3)
def _ldl_solve(packed, pivots, b):
    """(L D Lᵀ)⁻¹ B"""
    sytrs = lapack("sytrs", packed)
    batch = np.broadcast_shapes(packed.shape[:-2], b.shape[:-2])
    packed, b = (np.broadcast_to(x, batch + x.shape[-2:]) for x in (packed, b))
    pivots = np.broadcast_to(pivots, batch + pivots.shape[-1:])
    y = np.empty(b.shape, b.dtype)
    for i in np.ndindex(batch) if y.size else ():
        y[i] = sytrs(packed[i], pivots[i], b[i], lower=True)[0]
    return y


def ldl_solve(LD: Any, pivots: Any, B: Any, *, hermitian: bool = False) -> Any:
    """The solution X of A X = B for an A of which :func:`ldl_factor` gave ``LD`` and ``pivots``. It
    has no derivative."""
    matrices("ldl_solve", LD)
    matrices("ldl_solve", B, square=False)
    same_dtype("ldl_solve", LD, B)
    check_equation("ldl_solve", LD, B)
    _check_pivots(LD, array_of(pivots))
    return _ldl_solve(LD, pivots, B)


def _check_pivots(packed: Any, pivots: np.ndarray) -> None:
    """RuntimeError for what :func:`ldl_factor` cannot have given. LAPACK believes its pivots: with
    others it would exchange rows with memory that is not the matrix's."""
    rows = packed.shape[-1]
    if pivots.dtype.kind != "i":
        raise RuntimeError(
            f"linalg.ldl_solve: Expected pivots to be integers, but got {dtypes.of_array(pivots)}"
        )
    if pivots.shape != packed.shape[:-1]:
        raise RuntimeError(
            "linalg.ldl_solve: Expected LD.shape[:-1] and pivots.shape to be the same, but got LD "
            f"of shape {list(packed.shape)} and pivots of shape {list(pivots.shape)}"
        )
    row = np.abs(pivots.astype(np.int64))
    wrong = ((row < 1) | (row > rows)).any()
    half = np.zeros(pivots.shape[:-1], bool)  # a block of two rows, both negative, has begun
    for pivot in np.moveaxis(pivots, -1, 0):
        wrong |= (half & (pivot > 0)).any()
        half = (pivot < 0) & ~half
    if wrong or half.any():
        raise RuntimeError(
            f"linalg.ldl_solve: pivots are rows from 1 to {rows}, or two beside each other that "
            "are negative, as linalg.ldl_factor gives them"
        )
