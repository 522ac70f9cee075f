"""Eigenvalues and singular values, and what rests on them: rank, pseudoinverse, least squares.

Each operation takes a matrix, or a batch of matrices in the last two dimensions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import return_types
from autograd.function import Function
from autograd.op import op
from autograd.ops.arithmetic import array_of, square
from autograd.ops.dimensions import ndim_of
from autograd.ops.gathering import as_given
from autograd.ops.inverses import LinAlgError, matrices, same_dtype
from autograd.ops.linear_algebra import matmul
from autograd.ops.parts import _slice, diag_embed
from autograd.ops.reduction import sum
from autograd.ops.shape import _reshape, _squeeze, _unsqueeze, mt

__all__ = ["pinverse", "svd"]


def _converging(name: str, decompose: Callable[..., Any]) -> Callable[..., Any]:
    """``decompose``, whose failure is our LinAlgError and so a RuntimeError; NumPy's is none."""

    def tried(a: np.ndarray, *args: Any, **settings: Any) -> Any:
        try:
            return decompose(a, *args, **settings)
        except np.linalg.LinAlgError:
            why = "is ill-conditioned" if np.isfinite(a).all() else "contained non-finite values"
            raise LinAlgError(
                f"linalg.{name}: The algorithm failed to converge because the input matrix {why}."
            ) from None

    return tried


_svd = _converging("svd", np.linalg.svd)
_eigh = _converging("eigh", np.linalg.eigh)
_eigvalsh = _converging("eigh", np.linalg.eigvalsh)


class Eigh(Function):
    """A = V diag(w) Vᵀ, of a symmetric A."""

    @staticmethod
    def forward(ctx: Any, a: Any, side: Any) -> Any:
        w, v = (as_given(x, a) for x in _eigh(array_of(a), side))
        ctx.save_for_backward(w, v)
        return w, v

    @staticmethod
    def backward(ctx: Any, dw: Any, dv: Any) -> Any:
        w, v = ctx.saved_tensors
        inner = _divided_off_diagonal(
            matmul(mt(v), dv), _unsqueeze(w, w.ndim - 1) - _unsqueeze(w, w.ndim)
        ) + diag_embed(dw)
        da = matmul(matmul(v, inner), mt(v))
        return (da + mt(da)) / 2, None  # what is read of A stands for both of its triangles


def _divided_off_diagonal(x: Any, gaps: Any) -> Any:
    """``x / gaps`` off the diagonal, and 0 on it."""
    unit = np.eye(x.shape[-1], dtype=array_of(x).dtype)
    return x * (1 - unit) / (gaps + unit)


def eigh(A: Any, UPLO: str = "L") -> Any:
    """The eigenvalues, in ascending order, and eigenvectors (columns) of symmetric matrices, of
    which the lower (``'L'``) or upper (``'U'``) triangle is read. The gradient by the vectors
    exists only if the values are distinct."""
    if UPLO not in ("L", "U", "l", "u"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {UPLO!r}")
    return return_types.linalg_eigh(*Eigh.apply(matrices("eigh", A), UPLO))


def eigvalsh(A: Any, UPLO: str = "L") -> Any:
    """The eigenvalues of symmetric matrices, in ascending order."""
    return eigh(A, UPLO).eigenvalues


class SVD(Function):
    """A = U diag(S) Vᵀ, with orthonormal columns in U and V."""

    @staticmethod
    def forward(ctx: Any, a: Any, full_matrices: bool) -> Any:
        u, s, vh = (as_given(x, a) for x in _svd(array_of(a), full_matrices=full_matrices))
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


def linalg_svd(A: Any, full_matrices: bool = True, *, driver: str | None = None) -> Any:
    """A = U diag(S) Vh, with orthonormal columns in U and rows in Vh, and the singular values S in
    descending order: ``(U, S, Vh)``. Unless ``full_matrices``, only as many columns and rows as
    there are singular values. The gradient by U and Vh exists only if the values are distinct."""
    if driver is not None:
        raise RuntimeError(
            "torch.linalg.svd: keyword argument `driver=` is only supported on CUDA inputs with "
            f"cuSOLVER backend, but got {driver!r}. Leave it out."
        )
    return return_types.linalg_svd(*SVD.apply(matrices("svd", A, square=False), full_matrices))


def svd(input: Any, some: bool = True, compute_uv: bool = True) -> Any:
    """``torch.svd``: ``(U, S, V)``, where V is not transposed; U and V are square unless ``some``,
    and zeros unless ``compute_uv``. See :func:`autograd.linalg.svd`."""
    if not compute_uv:
        (*batch, rows, columns), dtype = input.shape, array_of(input).dtype
        u, v = (as_given(np.zeros((*batch, n, n), dtype), input) for n in (rows, columns))
        return return_types.svd(u, svdvals(input), v)
    u, s, vh = linalg_svd(input, not some)
    return return_types.svd(u, s, mt(vh))


def svdvals(A: Any, *, driver: str | None = None) -> Any:
    """The singular values, in descending order."""
    return linalg_svd(A, full_matrices=False, driver=driver).S


# -- rank, pseudoinverse, least squares ------------------------------------------------------------


def _least(values: np.ndarray, shape: tuple[int, ...], atol: Any, rtol: Any) -> np.ndarray:
    """Up to which size singular values count as 0: ``max(atol, rtol * the largest)``. The relative
    tolerance is by default what rounding may leave of a 0, or 0 where an absolute one is given."""
    absolute = np.asarray(0.0 if atol is None else array_of(atol))[..., None]
    if rtol is None:
        rounding = float(np.finfo(values.dtype).eps) * max(shape[-2:])
        relative = np.where(absolute > 0, 0.0, rounding)
    else:
        relative = np.asarray(array_of(rtol))[..., None]
    largest = values.max(-1, initial=0, keepdims=True)
    return np.maximum(absolute, relative * largest).astype(values.dtype, copy=False)


def matrix_rank(
    A: Any, tol: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None
) -> Any:
    """The number of singular values above ``max(atol, rtol * the largest)``, int64; ``tol`` is an
    ``atol`` without an ``rtol``. Of ``hermitian`` matrices one triangle is read."""
    a = array_of(matrices("matrix_rank", A, square=hermitian))
    if tol is not None:
        atol, rtol = tol, 0.0
    values = np.abs(_eigvalsh(a)) if hermitian else _svd(a, compute_uv=False)
    rank = (values > _least(values, a.shape, atol, rtol)).sum(-1)
    return as_given(np.asarray(rank, np.int64), A)


# dY = -Y dA Y + Y Yᵀ dAᵀ (1 - A Y) + (1 - Y A) dAᵀ Yᵀ Y  (Golub and Pereyra, 1973)
@op(da=lambda dy, a, y: _pinv_gradient(dy, a, y))
def _pinv(a, atol, rtol, hermitian):
    """A⁺, the pseudoinverse: singular values up to the tolerances count as 0."""
    if hermitian:
        s, u = _eigh(a)
        vh = u.swapaxes(-2, -1)
    else:
        u, s, vh = _svd(a, full_matrices=False)
    size = np.abs(s)
    large = size > _least(size, a.shape, atol, rtol)
    inverted = np.where(large, 1 / np.where(large, s, 1), 0)[..., None]
    return vh.swapaxes(-2, -1) @ (inverted * u.swapaxes(-2, -1))


def _pinv_gradient(dy: Any, a: Any, y: Any) -> Any:
    gram, grow = matmul(y, mt(y)), matmul(mt(y), y)
    outside = mt(dy) - matmul(a, matmul(y, mt(dy)))
    beside = mt(dy) - matmul(mt(dy), matmul(y, a))
    return matmul(outside, gram) + matmul(grow, beside) - matmul(matmul(mt(y), dy), mt(y))


def pinv(
    A: Any, rcond: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None
) -> Any:
    """The Moore-Penrose inverse, by which A X = B is solved in the sense of least squares; singular
    values up to ``max(atol, rtol * the largest)`` count as 0; ``rcond`` is another name of
    ``rtol``. Of ``hermitian`` matrices one triangle is read."""
    a = matrices("pinv", A, square=hermitian)
    return _pinv(a, atol, rtol if rcond is None else rcond, hermitian)


def pinverse(input: Any, rcond: float = 1e-15) -> Any:
    """``torch.pinverse``: see :func:`autograd.linalg.pinv`."""
    return pinv(input, rcond)


def lstsq(A: Any, B: Any, rcond: float | None = None, *, driver: str | None = None) -> Any:
    """The X for which the columns of A X - B are shortest (and of several such, the shortest
    itself): ``(solution, residuals, rank, singular_values)``.

    ``driver`` names LAPACK's way: 'gels' takes A to be of full rank and tells none, 'gelsy' (the
    default) tells the rank (int64), 'gelsd' and 'gelss' the singular values too. All but 'gelsy'
    tell the residuals, the squared lengths, if A has full rank and more rows than columns. What is
    not told is empty. B is a batch of matrices or of vectors. Raises RuntimeError for shapes and
    dtypes that do not fit."""
    a, vector = matrices("lstsq", A, square=False), A.ndim - ndim_of(B) == 1
    same_dtype("lstsq", A, B)
    if driver not in (None, "gels", "gelsy", "gelsd", "gelss"):
        raise RuntimeError(
            "torch.linalg.lstsq: parameter `driver` should be one of (gels, gelsy, gelsd, gelss), "
            f"but got {driver!r}"
        )
    b = _unsqueeze(B, B.ndim) if vector else B
    if b.ndim != a.ndim or b.shape[-2] != a.shape[-2]:
        raise RuntimeError(
            "torch.linalg.lstsq: input.size(-2) should match other.size(-2), and batches are "
            f"batches of both, but got shapes {list(A.shape)} and {list(B.shape)}"
        )
    rows, columns = a.shape[-2:]
    array, empty = array_of(a), np.empty(0, array_of(a).dtype)
    rtol = 0.0 if driver == "gels" else rcond
    x = matmul(pinv(a, rtol), b)
    rank, full = as_given(empty.astype(np.int64), a), True
    if driver != "gels":
        rank = matrix_rank(a, rtol=rtol)
        full = (array_of(rank) == columns).all()
    if driver in ("gels", "gelsd", "gelss") and rows > columns and full:
        residuals = sum(square(matmul(a, x) - b), -2)
    else:
        residuals = _slice(_reshape(x, (-1,)), (..., slice(0, 0)))
    told = driver in ("gelsd", "gelss")
    values = as_given(_svd(array, compute_uv=False) if told else empty, a)
    if vector:
        x = _squeeze(x, tuple(x.shape[:-1]))
    return return_types.linalg_lstsq(x, residuals, rank, values)
