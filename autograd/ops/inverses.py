"""Square matrices: inverses, equations, determinants, powers and exponentials.

Each operation takes a matrix, or a batch of matrices in the last two dimensions. The gradients are
those of Giles, "An extended collection of matrix derivative results" (2008), written with the
operations themselves.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd import dtypes, return_types
from autograd.op import op
from autograd.ops.arithmetic import array_of
from autograd.ops.comparison import where
from autograd.ops.conversion import clone
from autograd.ops.dimensions import ndim_of
from autograd.ops.gathering import as_given
from autograd.ops.indexing import _index
from autograd.ops.joining import cat
from autograd.ops.linear_algebra import matmul
from autograd.ops.parts import _slice, tril, triu
from autograd.ops.powers import log
from autograd.ops.shape import _permute, _reshape, _squeeze, _unsqueeze, mt
from autograd.rules import no_slope

__all__ = ["det", "inverse", "logdet", "matrix_exp", "matrix_power", "slogdet", "triangular_solve"]


class LinAlgError(RuntimeError):
    """Raised for matrices that have no inverse or no decomposition of the kind asked for."""


def matrices(name: str, a: Any, square: bool = True, kinds: str = "fd") -> Any:
    """``a``, provided that it is a batch of (square) matrices of floats, by default such that
    LAPACK takes; RuntimeError otherwise."""
    if ndim_of(a) < 2:
        raise RuntimeError(
            f"linalg.{name}: The input tensor A must have at least 2 dimensions, but has shape "
            f"{list(a.shape)}."
        )
    if square and a.shape[-1] != a.shape[-2]:
        raise RuntimeError(
            f"linalg.{name}: A must be batches of square matrices, but they are {a.shape[-2]} by "
            f"{a.shape[-1]} matrices"
        )
    if array_of(a).dtype.char not in kinds:
        raise RuntimeError(
            f"linalg.{name}: Expected a tensor of float32 or float64, but got one of "
            f"{dtypes.of_array(array_of(a))}. Convert it first: A.float()"
        )
    return a


def same_dtype(name: str, a: Any, b: Any) -> None:
    """RuntimeError unless both have one dtype, TypeError for what is no tensor."""
    ndim_of(a), ndim_of(b)  # which complain of what is no tensor
    if array_of(a).dtype != array_of(b).dtype:
        raise RuntimeError(
            f"linalg.{name}: Expected A and B to have the same dtype, but found A of type "
            f"{array_of(a).dtype} and B of type {array_of(b).dtype} instead. Convert one: "
            "B.to(A.dtype)"
        )


# -- inverses --------------------------------------------------------------------------------------


@op(da=lambda dy, y: -matmul(matmul(mt(y), dy), mt(y)))  # d(A⁻¹) = -A⁻¹ dA A⁻¹
def _inv(a):
    """A⁻¹"""
    try:
        return np.linalg.inv(a)
    except np.linalg.LinAlgError:
        raise _singular("linalg.inv", "the inversion could not be completed", a) from None


def zero_pivots(a: np.ndarray) -> np.ndarray:
    """For each matrix which pivot of its elimination is the first to be 0, counted from 1; 0 if it
    is invertible."""
    from scipy.linalg import get_lapack_funcs

    (getrf,) = get_lapack_funcs(("getrf",), (a,))
    info = np.zeros(a.shape[:-2], np.int32)
    for i in np.ndindex(info.shape) if a.size else ():
        info[i] = getrf(a[i])[-1]
    return info


def _singular(name: str, failed: str, a: np.ndarray) -> LinAlgError:
    """The error that says which matrix of the batch has no inverse, and how it shows."""
    info = zero_pivots(a)
    at = tuple(map(int, np.argwhere(info)[0]))
    where_ = f"(Batch element {at[0] if len(at) == 1 else at}): " if at else ""
    return LinAlgError(
        f"{name}: {where_}The diagonal element {info[at]} is zero, {failed} because the input "
        "matrix is singular. Use linalg.pinv or linalg.lstsq, or add a little to the diagonal."
    )


def inverse(input: Any) -> Any:
    """The inverse A⁻¹. Raises LinAlgError, a RuntimeError, if there is none."""
    return _inv(matrices("inv", input))


def inv_ex(A: Any, *, check_errors: bool = False) -> Any:
    """``(inverse, info)``: as :func:`inverse`, but where there is none, the inverse is nan and
    ``info`` (int32) not 0, unless ``check_errors``."""
    a = matrices("inv", A)
    if check_errors:
        return return_types.linalg_inv_ex(_inv(a), as_given(np.zeros(a.shape[:-2], np.int32), A))
    info = zero_pivots(array_of(a))
    fine = as_given((info == 0)[..., None, None], A)
    inverses = where(fine, _inv(where(fine, a, unit(a))), math.nan)
    return return_types.linalg_inv_ex(inverses, as_given(info, A))


@op(da=no_slope)
def unit(a):
    """The unit matrix, with the shape of ``a``."""
    return np.broadcast_to(np.eye(*a.shape[-2:], dtype=a.dtype), a.shape).copy()


# -- equations -------------------------------------------------------------------------------------


@op(da=lambda dy, a, y: -matmul(_solve(mt(a), dy), mt(y)), db=lambda dy, a: _solve(mt(a), dy))
def _solve(a, b):
    """A⁻¹ B"""
    try:
        return np.linalg.solve(a, b)
    except np.linalg.LinAlgError:
        raise _singular("torch.linalg.solve", "the solver failed", a) from None


def solve(A: Any, B: Any, *, left: bool = True) -> Any:
    """The solution X of A X = B (or of X A = B, if not ``left``); B is a batch of matrices or of
    vectors.

    Raises LinAlgError, a RuntimeError, if A is singular."""
    matrices("solve", A)
    same_dtype("solve", A, B)
    vector = ndim_of(B) == 1 or (B.ndim == A.ndim - 1 and tuple(B.shape) == tuple(A.shape[:-1]))
    if vector and not left:
        raise RuntimeError(
            "linalg.solve: Vector broadcasting of the left hand side is not supported for "
            "left=False. In this case linalg.solve is equivalent to B / A.squeeze(-1)"
        )
    b = _unsqueeze(B, B.ndim) if vector else B
    check_equation("solve", A, b, left)
    x = _solve(A, b) if left else mt(_solve(mt(A), mt(b)))
    return _squeeze(x, tuple(x.shape[:-1])) if vector else x


def check_equation(name: str, a: Any, b: Any, left: bool = True) -> None:
    """RuntimeError unless A X = B (X A = B, if not ``left``) has a meaning."""
    if b.shape[-2 if left else -1] != a.shape[-1]:
        raise RuntimeError(
            f"linalg.{name}: Incompatible shapes of A and B for the equation "
            f"{'AX' if left else 'XA'} = B: {list(a.shape)} and {list(b.shape)}"
        )


def solve_ex(A: Any, B: Any, *, left: bool = True, check_errors: bool = False) -> Any:
    """``(result, info)``: as :func:`solve`, but where A is singular, the result is nan and ``info``
    (int32) not 0, unless ``check_errors``."""
    a = matrices("solve", A)
    if check_errors:
        x = solve(a, B, left=left)
        return return_types.linalg_solve_ex(x, as_given(np.zeros(a.shape[:-2], np.int32), A))
    info = zero_pivots(array_of(a))
    fine = as_given((info == 0)[..., None, None], A)
    x = solve(where(fine, a, unit(a)), B, left=left)
    if x.ndim < a.ndim:
        fine = _squeeze(fine, tuple(fine.shape[:-1]))
    return return_types.linalg_solve_ex(where(fine, x, math.nan), as_given(info, A))


@op(
    da=lambda dy, a, y, upper, ones: _triangle(
        -matmul(_solve_triangular(mt(a), dy, not upper, ones), mt(y)), upper, ones
    ),
    db=lambda dy, a, upper, ones: _solve_triangular(mt(a), dy, not upper, ones),
)
def _solve_triangular(a, b, upper, ones):
    """T⁻¹ B, where T is a triangle of A; with ``ones`` its diagonal is taken to be 1."""
    from scipy.linalg import get_blas_funcs

    (trsm,) = get_blas_funcs(("trsm",), (a, b))
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = (np.broadcast_to(x, batch + x.shape[-2:]) for x in (a, b))
    y = np.empty(b.shape, b.dtype)
    for i in np.ndindex(batch) if y.size else ():
        y[i] = trsm(1.0, a[i], b[i], lower=not upper, diag=ones)
    return y


def _triangle(x: Any, upper: bool, ones: bool) -> Any:
    """The part of ``x`` that is looked at."""
    return triu(x, int(ones)) if upper else tril(x, -int(ones))


def solve_triangular(
    A: Any, B: Any, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Any:
    """As :func:`solve`, for a triangular A: what is on the other side of its diagonal (with
    ``unitriangular`` the diagonal too, taken to be 1) is not looked at. B is a batch of matrices.

    A zero on the diagonal makes the solution inf or nan."""
    matrices("solve_triangular", A)
    matrices("solve_triangular", B, square=False)
    same_dtype("solve_triangular", A, B)
    check_equation("solve_triangular", A, B, left)
    if left:
        return _solve_triangular(A, B, upper, unitriangular)
    return mt(_solve_triangular(mt(A), mt(B), not upper, unitriangular))


def triangular_solve(
    b: Any, A: Any, upper: bool = True, transpose: bool = False, unitriangular: bool = False
) -> Any:
    """The X of A X = b (of Aᵀ X = b, if ``transpose``) for a triangular A, and a copy of
    A: ``(solution, cloned_coefficient)``. See :func:`autograd.linalg.solve_triangular`."""
    a, side = (mt(A), not upper) if transpose else (A, upper)
    x = solve_triangular(a, b, upper=side, unitriangular=unitriangular)
    return return_types.triangular_solve(x, clone(A))


def tensorinv(A: Any, ind: int = 2) -> Any:
    """The inverse of A as a map from its last dimensions to its first ``ind``: B with
    ``tensordot(A, B, A.ndim - ind)`` the unit. Raises RuntimeError if the two have different sizes,
    LinAlgError if there is no inverse."""
    if ind <= 0:
        raise RuntimeError(f"Expected a strictly positive integer for 'ind', but got {ind}")
    to, from_ = tuple(A.shape[:ind]), tuple(A.shape[ind:])
    square = _as_square(A, to, from_, "ind")
    return _reshape(inverse(square), from_ + to)


def tensorsolve(A: Any, B: Any, dims: Any = None) -> Any:
    """The X with ``tensordot(A, X, X.ndim) == B``, after the dimensions ``dims`` of A have been
    moved to its end. Raises as :func:`tensorinv`."""
    if dims is not None:
        moved = [d % A.ndim for d in dims]
        A = _permute(A, (*(d for d in range(A.ndim) if d not in moved), *moved))
    to, from_ = tuple(A.shape[: B.ndim]), tuple(A.shape[B.ndim :])
    square = _as_square(A, to, from_, "other.ndim")
    return _reshape(solve(square, _reshape(B, (-1,))), from_)


def _as_square(a: Any, to: tuple[int, ...], from_: tuple[int, ...], at: str) -> Any:
    rows, columns = math.prod(to), math.prod(from_)
    if rows != columns:
        raise RuntimeError(
            f"Expected self to satisfy the requirement prod(self.shape[{at}:]) == "
            f"prod(self.shape[:{at}]), but got {columns} != {rows} for shape {list(a.shape)}"
        )
    return _reshape(a, (rows, columns))


# -- determinants ----------------------------------------------------------------------------------


@op(da=lambda dy, a, y: _unsqueeze(_unsqueeze(dy, dy.ndim), dy.ndim + 1) * _cofactors(a, y))
def _det(a):
    """det A"""
    return np.linalg.det(a)


def _cofactors(a: Any, y: Any) -> Any:
    """The derivatives of the determinant ``y`` by each element: y A⁻ᵀ. For a singular matrix, the
    determinant of what is left without the element's row and column, with alternating signs, which
    is a polynomial and right to any order."""
    if array_of(y).all():
        return _unsqueeze(_unsqueeze(y, y.ndim), y.ndim + 1) * mt(_inv(a))
    n = a.shape[-1]
    others = np.array([[k for k in range(n) if k != i] for i in range(n)], np.int64)
    before = (slice(None),) * (a.ndim - 2)
    minors = _index(a, (*before, others[:, None, :, None], others[None, :, None, :]))
    signs = (-1.0) ** np.add.outer(np.arange(n), np.arange(n))
    return _det(minors) * signs.astype(array_of(a).dtype)


@op(da=lambda dy, a: _unsqueeze(_unsqueeze(dy, dy.ndim), dy.ndim + 1) * mt(_inv(a)))
def _logabsdet(a):
    """log |det A|"""
    return np.linalg.slogdet(a)[1]


@op(da=lambda dy, a: no_slope(a))
def _sign_of_det(a):
    """The sign of det A. The gradient is 0."""
    return np.linalg.slogdet(a)[0]


def det(input: Any) -> Any:
    """The determinant. Its gradient is right for singular matrices too."""
    return _det(matrices("det", input))


def slogdet(input: Any) -> Any:
    """The sign and the logarithm of the absolute determinant: ``(sign, logabsdet)``."""
    a = matrices("slogdet", input)
    return return_types.slogdet(_sign_of_det(a), _logabsdet(a))


def logdet(input: Any) -> Any:
    """The logarithm of the determinant; nan if that is negative."""
    sign, logarithm = slogdet(input)
    return logarithm + log(sign) if (array_of(sign) <= 0).any() else logarithm


# -- powers and exponentials -----------------------------------------------------------------------


def matrix_power(input: Any, n: int) -> Any:
    """The n-th power of square matrices, by repeated squaring; a negative one is a power of the
    inverse."""
    square = (
        matrices("matrix_power", input) if n < 0 or array_of(input).dtype.kind == "f" else input
    )
    if square.shape[-1] != square.shape[-2]:
        raise RuntimeError(
            "linalg.matrix_power: A must be batches of square matrices, but they are "
            f"{square.shape[-2]} by {square.shape[-1]} matrices"
        )
    if n < 0:
        square, n = inverse(square), -n
    if n == 0:
        return unit(square)
    power = None
    while True:
        if n & 1:
            power = square if power is None else matmul(power, square)
        n >>= 1
        if not n:
            return power
        square = matmul(square, square)


# The exponential of [[X, E], [0, X]] has, in its upper right corner, the derivative of that of X in
# direction E (Najfeld and Havel, 1995); its adjoint is the derivative at Xᵀ.
@op(da=lambda dy, a: _exponential_in_direction(mt(a), dy))
def _matrix_exp(a):
    """e^A = Σ Aᵏ / k!"""
    from scipy.linalg import expm

    return expm(a.astype(np.float64)).astype(a.dtype) if a.size else a.copy()


def _exponential_in_direction(a: Any, direction: Any) -> Any:
    n = a.shape[-1]
    zeros = as_given(np.zeros(a.shape, array_of(a).dtype), a)
    both = cat((cat((a, direction), -1), cat((zeros, a), -1)), -2)
    return _slice(_matrix_exp(both), (..., slice(0, n), slice(n, 2 * n)))


def matrix_exp(input: Any) -> Any:
    """The exponential of square matrices, Σ Aᵏ / k!, by scaling and squaring (Al-Mohy and Higham,
    2009)."""
    return _matrix_exp(matrices("matrix_exp", input, kinds="efd"))
