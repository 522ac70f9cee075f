"""Inverses, determinants, and matrices taken apart into simpler ones.

Each takes a matrix, or a batch of matrices in the last two dimensions. The gradients are those of
Giles, "An extended collection of matrix derivative results" (2008), written with the operations
themselves.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import dtypes, return_types
from autograd.function import Function
from autograd.op import op
from autograd.ops.arithmetic import array_of
from autograd.ops.dimensions import ndim_of
from autograd.ops.gathering import as_given
from autograd.ops.indexing import _index
from autograd.ops.joining import cat
from autograd.ops.linear_algebra import matmul
from autograd.ops.parts import _slice, diag_embed, diagonal, tril, triu
from autograd.ops.powers import log
from autograd.ops.shape import _squeeze, _unsqueeze, mt
from autograd.rules import no_slope

__all__ = [
    "cholesky", "det", "inverse", "logdet", "matrix_power", "pinverse", "qr", "slogdet", "svd",
]  # fmt: skip


class LinAlgError(RuntimeError):
    """Raised for matrices that have no inverse or no decomposition of the kind asked for."""


def _matrices(name: str, a: Any, square: bool = True) -> Any:
    """``a``, provided that it is a batch of (square) matrices of floats."""
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
    if array_of(a).dtype.char not in "fd":
        title = dtypes.of_array(array_of(a))._title
        raise RuntimeError(
            f"linalg.{name}: Expected a floating point or complex tensor as input. Got {title}"
        )
    return a


# -- inverses --------------------------------------------------------------------------------------


@op(da=lambda dy, y: -matmul(matmul(mt(y), dy), mt(y)))  # d(A⁻¹) = -A⁻¹ dA A⁻¹
def _inv(a):
    """A⁻¹"""
    try:
        return np.linalg.inv(a)
    except np.linalg.LinAlgError:
        raise LinAlgError(
            "linalg.inv: The inversion could not be completed because the input matrix is "
            "singular. Use linalg.pinv, or solve a regularised problem."
        ) from None


@op(da=lambda dy, a, y: -matmul(_solve(mt(a), dy), mt(y)), db=lambda dy, a: _solve(mt(a), dy))
def _solve(a, b):
    """A⁻¹ B"""
    try:
        return np.linalg.solve(a, b)
    except np.linalg.LinAlgError:
        raise LinAlgError(
            "torch.linalg.solve: The solver failed because the input matrix is singular."
        ) from None


# dY = -Y dA Y + Y Yᵀ dAᵀ (1 - A Y) + (1 - Y A) dAᵀ Yᵀ Y  (Golub and Pereyra, 1973)
@op(da=lambda dy, a, y: _pinv_gradient(dy, a, y))
def _pinv(a, rcond):
    """A⁺, the pseudoinverse: singular values below ``rcond`` times the largest count as 0."""
    return np.linalg.pinv(a, rcond)


def _pinv_gradient(dy: Any, a: Any, y: Any) -> Any:
    gram, grow = matmul(y, mt(y)), matmul(mt(y), y)
    outside = mt(dy) - matmul(a, matmul(y, mt(dy)))
    beside = mt(dy) - matmul(mt(dy), matmul(y, a))
    return matmul(outside, gram) + matmul(grow, beside) - matmul(matmul(mt(y), dy), mt(y))


def inverse(input: Any) -> Any:
    """The inverse A⁻¹. Raises LinAlgError, a RuntimeError, if there is none."""
    return _inv(_matrices("inv", input))


def solve(A: Any, B: Any, *, left: bool = True) -> Any:
    """The solution X of A X = B (or of X A = B, if not ``left``); B is a batch of matrices or of
    vectors.

    Raises LinAlgError, a RuntimeError, if A is singular."""
    _matrices("solve", A)
    vector = ndim_of(B) == 1 or (B.ndim == A.ndim - 1 and tuple(B.shape) == tuple(A.shape[:-1]))
    b = _unsqueeze(B, B.ndim) if vector else B
    if b.shape[-2 if left else -1] != A.shape[-1]:
        raise RuntimeError(
            "linalg.solve: Incompatible shapes of A and B for the equation AX = B: "
            f"{list(A.shape)} and {list(B.shape)}"
        )
    x = _solve(A, b) if left else mt(_solve(mt(A), mt(b)))
    return _squeeze(x, tuple(x.shape[:-1])) if vector else x


def solve_triangular(
    A: Any, B: Any, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Any:
    """As :func:`solve`, for a triangular A: what is on the other side of its diagonal (with
    ``unitriangular`` the diagonal too, taken to be 1) is not looked at."""
    outside = 1 if unitriangular else 0
    part = triu(A, outside) if upper else tril(A, -outside)
    if unitriangular:
        part = part + as_given(np.eye(A.shape[-1], dtype=array_of(A).dtype), A)
    return solve(part, B, left=left)


def pinverse(input: Any, rcond: float = 1e-15) -> Any:
    """The Moore-Penrose inverse, by which A X = B is solved in the sense of least squares; singular
    values below ``rcond`` times the largest count as 0."""
    return _pinv(_matrices("pinv", input, square=False), rcond)


def matrix_power(input: Any, n: int) -> Any:
    """The n-th power of square matrices, by repeated squaring; a negative one is a power of the
    inverse."""
    square = (
        _matrices("matrix_power", input) if n < 0 or array_of(input).dtype.kind == "f" else input
    )
    if square.shape[-1] != square.shape[-2]:
        raise RuntimeError(
            "linalg.matrix_power: A must be batches of square matrices, but they are "
            f"{square.shape[-2]} by {square.shape[-1]} matrices"
        )
    if n < 0:
        square, n = inverse(square), -n
    if n == 0:
        unit = np.broadcast_to(np.eye(square.shape[-1], dtype=array_of(square).dtype), square.shape)
        return as_given(unit.copy(), input)
    power = None
    while True:
        if n & 1:
            power = square if power is None else matmul(power, square)
        n >>= 1
        if not n:
            return power
        square = matmul(square, square)


# -- determinants ----------------------------------------------------------------------------------


@op(da=lambda dy, a, y: _unsqueeze(_unsqueeze(dy, dy.ndim), dy.ndim + 1) * _cofactors(a, y))
def _det(a):
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
    return _det(_matrices("det", input))


def slogdet(input: Any) -> Any:
    """The sign and the logarithm of the absolute determinant: ``(sign, logabsdet)``."""
    a = _matrices("slogdet", input)
    return return_types.linalg_slogdet(_sign_of_det(a), _logabsdet(a))


def logdet(input: Any) -> Any:
    """The logarithm of the determinant; nan if that is negative."""
    sign, logarithm = slogdet(input)
    return logarithm + log(sign) if (array_of(sign) <= 0).any() else logarithm


# -- decompositions --------------------------------------------------------------------------------


# With L⁻¹ dA L⁻ᵀ = S, dL = L Φ(S), where Φ takes the lower triangle and half the diagonal.
@op(da=lambda dy, y: _cholesky_gradient(dy, y))
def _cholesky(a):
    try:
        return np.linalg.cholesky(a)
    except np.linalg.LinAlgError:
        raise LinAlgError(
            "linalg.cholesky: The factorization could not be completed because the input is not "
            "positive-definite."
        ) from None


def _cholesky_gradient(dy: Any, y: Any) -> Any:
    x = matmul(mt(y), dy)
    half = tril(x) - diag_embed(diagonal(x, 0, -2, -1)) / 2
    inverted = _inv(y)
    s = matmul(matmul(mt(inverted), half), inverted)
    return (s + mt(s)) / 2


def cholesky(input: Any, upper: bool = False) -> Any:
    """The lower triangular L with A = L Lᵀ (or its transpose, if ``upper``), of a symmetric
    positive-definite A.

    Raises LinAlgError, a RuntimeError, for other matrices."""
    lower = _cholesky(_matrices("cholesky", input))
    return mt(lower) if upper else lower


class QR(Function):
    """A = Q R, with orthonormal columns in Q and an upper triangular R."""

    @staticmethod
    def forward(ctx: Any, a: Any, mode: Any) -> Any:
        q, r = (as_given(x, a) for x in np.linalg.qr(array_of(a), mode))
        ctx.save_for_backward(q, r)
        ctx.set_materialize_grads(True)
        return q, r

    @staticmethod
    def backward(ctx: Any, dq: Any, dr: Any) -> Any:
        q, r = ctx.saved_tensors
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
    return mt(_solve(r, mt(dq + matmul(q, symmetric))))


def qr(input: Any, some: bool = True) -> Any:
    """``torch.qr``: see :func:`autograd.linalg.qr`."""
    return linalg_qr(input, "reduced" if some else "complete")


def linalg_qr(A: Any, mode: str = "reduced") -> Any:
    """A = Q R, with orthonormal columns in Q and an upper triangular R: ``(Q, R)``.

    ``mode``: 'reduced' (Q has as many columns as A, or rows if these are fewer), 'complete' (Q is
    square) or 'r' (R alone, without a derivative)."""
    _matrices("qr", A, square=False)
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', "
            "or 'complete'"
        )
    if mode == "r":
        r: Any = np.linalg.qr(array_of(A), "r")
        return return_types.linalg_qr(as_given(np.empty(0, r.dtype), A), as_given(r, A))
    return return_types.linalg_qr(*QR.apply(A, mode))


class Eigh(Function):
    """A = V diag(w) Vᵀ, of a symmetric A."""

    @staticmethod
    def forward(ctx: Any, a: Any, side: Any) -> Any:
        w, v = (as_given(x, a) for x in np.linalg.eigh(array_of(a), side))
        ctx.save_for_backward(w, v)
        return w, v

    @staticmethod
    def backward(ctx: Any, dw: Any, dv: Any) -> Any:
        w, v = ctx.saved_tensors
        inner = _divided_off_diagonal(
            matmul(mt(v), dv), _unsqueeze(w, w.ndim - 1) - _unsqueeze(w, w.ndim)
        ) + diag_embed(dw)
        return matmul(matmul(v, inner), mt(v)), None


def _divided_off_diagonal(x: Any, gaps: Any) -> Any:
    """``x / gaps`` off the diagonal, and 0 on it."""
    unit = np.eye(x.shape[-1], dtype=array_of(x).dtype)
    return x * (1 - unit) / (gaps + unit)


def eigh(A: Any, UPLO: str = "L") -> Any:
    """The eigenvalues, in ascending order, and eigenvectors (columns) of symmetric matrices, of
    which the lower (``'L'``) or upper (``'U'``) triangle is read. The gradient by the vectors
    exists only if the values are distinct."""
    return return_types.linalg_eigh(*Eigh.apply(_matrices("eigh", A), UPLO))


def eigvalsh(A: Any, UPLO: str = "L") -> Any:
    """The eigenvalues of symmetric matrices, in ascending order."""
    return eigh(A, UPLO).eigenvalues


class SVD(Function):
    """A = U diag(S) Vᵀ, with orthonormal columns in U and V."""

    @staticmethod
    def forward(ctx: Any, a: Any, full_matrices: bool) -> Any:
        u, s, vh = (as_given(x, a) for x in np.linalg.svd(array_of(a), full_matrices=full_matrices))
        ctx.save_for_backward(u, s, vh)
        ctx.set_materialize_grads(False)
        return u, s, vh

    @staticmethod
    def backward(ctx: Any, du: Any, ds: Any, dvh: Any) -> Any:
        u, s, vh = ctx.saved_tensors
        k = s.shape[-1]
        u, vh = _slice(u, (..., slice(k))), _slice(vh, (..., slice(k), slice(None)))
        row, column = _unsqueeze(s, s.ndim - 1), _unsqueeze(s, s.ndim)
        inner = None if ds is None else diag_embed(ds)
        if du is not None or dvh is not None:
            gaps = row * row - column * column
            turn = 0
            if du is not None:
                du = _slice(du, (..., slice(k)))
                turn = turn + _divided_off_diagonal(_skew(matmul(mt(u), du)), gaps) * row
            if dvh is not None:
                dvh = _slice(dvh, (..., slice(k), slice(None)))
                turn = turn + column * _divided_off_diagonal(_skew(matmul(vh, mt(dvh))), gaps)
            inner = turn if inner is None else inner + turn
        da = matmul(matmul(u, inner), vh)
        if du is not None and u.shape[-2] > k:  # what of dU leads out of the space that U spans
            da = da + matmul((du - matmul(u, matmul(mt(u), du))) / row, vh)
        if dvh is not None and vh.shape[-1] > k:
            da = da + matmul(u, (dvh - matmul(matmul(dvh, mt(vh)), vh)) / column)
        return da, None


def _skew(x: Any) -> Any:
    return x - mt(x)


def linalg_svd(A: Any, full_matrices: bool = True) -> Any:
    """A = U diag(S) Vh, with orthonormal columns in U and rows in Vh, and the singular values S in
    descending order:
    ``(U, S, Vh)``. Unless ``full_matrices``, only as many columns and rows as there are singular
    values. The gradient by U and Vh exists only if the values are distinct."""
    return return_types.linalg_svd(*SVD.apply(_matrices("svd", A, square=False), full_matrices))


def svd(input: Any, some: bool = True) -> tuple[Any, Any, Any]:
    """``torch.svd``: (U, S, V), where V is not transposed. See :func:`autograd.linalg.svd`."""
    u, s, vh = linalg_svd(input, not some)
    return u, s, mt(vh)


def svdvals(A: Any) -> Any:
    """The singular values, in descending order."""
    return linalg_svd(A, full_matrices=False).S


def matrix_rank(
    A: Any, *, atol: float | None = None, rtol: float | None = None, hermitian: bool = False
) -> Any:
    """The number of singular values above ``max(atol, rtol * the largest)``, int64."""
    a = array_of(_matrices("matrix_rank", A, square=False))
    values = np.abs(np.linalg.eigvalsh(a)) if hermitian else np.linalg.svd(a, compute_uv=False)
    relative = (
        (np.finfo(a.dtype).eps * max(a.shape[-2:]) if atol is None else 0.0)
        if rtol is None
        else rtol
    )
    least = np.maximum(atol or 0.0, relative * values.max(-1, initial=0, keepdims=True))
    return as_given(np.asarray((values > least).sum(-1)), A)
