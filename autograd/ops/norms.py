"""Lengths of vectors and sizes of matrices.

‖x‖ₚ = (Σ |xᵢ|ᵖ)^(1/p). A norm has a kink at 0, where its gradient is taken to be 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import dtypes
from autograd.op import elementwise, op
from autograd.ops.arithmetic import abs, array_of, sign
from autograd.ops.comparison import where
from autograd.ops.conversion import cast
from autograd.ops.dimensions import ndim_of, one, reduced, several
from autograd.ops.gathering import as_given
from autograd.ops.inverses import inv_ex, matrices
from autograd.ops.parts import _select
from autograd.ops.powers import pow
from autograd.ops.reduction import amax, amin, count, quotient, restored, sum
from autograd.ops.shape import _shaped, movedim
from autograd.ops.spectra import svdvals
from autograd.rules import no_slope

__all__ = ["dist", "norm", "renorm"]


@op(dx=lambda dy, x, y, x_shape, dim: x * restored(quotient(dy, y), x_shape, dim))
def _norm(x, dim, keepdim):
    """√Σ x²: its gradient is x / ‖x‖, the unit vector."""
    wide = _wide(x)
    if dim is None and not keepdim:
        flat = wide.reshape(-1)
        return np.sqrt(flat.dot(flat)).astype(x.dtype, copy=False)
    return np.sqrt(np.add.reduce(wide * wide, axis=dim, keepdims=keepdim)).astype(
        x.dtype, copy=False
    )


@op(
    dx=lambda dy, x, y, x_shape, dim, p: (
        _powers(x, p) * restored(quotient(dy, pow(y, p - 1)), x_shape, dim)
    )
)
def _p_norm(x, dim, keepdim, p):
    """(Σ |x|ᵖ)^(1/p)"""
    y = np.add.reduce(np.abs(_wide(x)) ** p, axis=dim, keepdims=keepdim) ** (1 / p)
    return y.astype(x.dtype, copy=False)


def _wide(x: np.ndarray) -> np.ndarray:
    """``x`` in a dtype that its squares fit in: float32 for float16."""
    return x if x.dtype != np.float16 else x.astype(np.float32)


def _powers(x: Any, p: float) -> Any:
    """sign(x) |x|ᵖ⁻¹, and 0 at 0 also where the power is infinite there."""
    if p == 1:
        return sign(x)
    return sign(x) * pow(abs(x) + (array_of(x) == 0), p - 1)


def vector_norm(
    x: Any, ord: float = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Any:
    """‖x‖ of order ``ord`` over ``dim`` (None: all): 2 is the length, 1 the sum of absolute values,
    inf the largest and -inf the smallest of these, 0 the number of elements that are not 0 (which
    has no slope). RuntimeError for integers."""
    x = floats("vector_norm", x, dtype)
    dims = reduced(dim, ndim_of(x))
    if ord == 2:
        return _norm(x, dims, keepdim)
    if ord == 0:
        return sum(_not_zero(x), dim, keepdim)
    if (ord < 0 or ord == np.inf) and not count(tuple(x.shape), dims):
        raise RuntimeError(
            f"linalg.vector_norm cannot compute the {ord} norm on an empty tensor because the "
            "operation does not have an identity"
        )
    if ord in (np.inf, -np.inf):
        return (amax if ord > 0 else amin)(abs(x), dim, keepdim)
    return _p_norm(x, dims, keepdim, ord)


@elementwise(dx=no_slope)
def _not_zero(x):
    """1 where ``x`` is not 0, and 0 where it is."""
    return (x != 0).astype(x.dtype)


def matrix_norm(
    A: Any, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None
) -> Any:
    """The norm of matrices in the two dimensions ``dim``: 'fro' is the root of the sum of squares,
    'nuc' the sum of singular values, 2 and -2 the largest and smallest of these, 1 and -1 the
    largest and smallest column sum of absolute values, inf and -inf those of the rows. RuntimeError
    for other orders."""
    a = floats("matrix_norm", A, dtype)
    if ndim_of(a) < 2:
        raise RuntimeError(
            "linalg.matrix_norm: The input tensor A must have at least 2 dimensions, but has shape "
            f"{list(a.shape)}."
        )
    dims = several(dim, a.ndim) if isinstance(dim, (tuple, list)) else (dim,)
    if len(dims) != 2:
        raise RuntimeError(
            f"linalg.matrix_norm: dim must be a 2-tuple. Got {' '.join(map(str, dims))}"
        )
    if ord == "fro":
        return _norm(a, dims, keepdim)
    a = movedim(a, dims, (-2, -1))
    if ord == "nuc":
        y = sum(svdvals(a), -1)
    elif ord in (2, -2):
        y = _extreme(svdvals(a), ord)
    elif ord in (1, -1, np.inf, -np.inf):
        y = _extreme(sum(abs(a), -2 if ord in (1, -1) else -1), ord)
    else:
        raise RuntimeError(
            f"linalg.matrix_norm: Order {ord} not supported. Choose 'fro', 'nuc', 1, -1, 2, -2, "
            "inf or -inf."
        )
    kept = tuple([1 if d in dims else n for d, n in enumerate(A.shape)])
    return _shaped(y, kept) if keepdim else y


def _extreme(sizes: Any, ord: float) -> Any:
    """The largest of ``sizes``, 0 if there is none; or, for a negative ``ord``, the smallest."""
    if ord < 0:
        return amin(sizes, -1)
    return amax(sizes, -1) if sizes.shape[-1] else sum(sizes, -1)


def linalg_norm(
    A: Any, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Any:
    """A vector norm (:func:`vector_norm`) or a matrix norm (:func:`matrix_norm`): the latter if
    ``ord`` is a word or if two dimensions are meant; without ``ord``, the root of the sum of all
    squares."""
    if ord is None:
        return vector_norm(A, 2, dim, keepdim, dtype=dtype)
    if dim is None and ndim_of(A) > 2:
        raise RuntimeError(
            "linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got "
            f"{A.ndim}D."
        )
    if isinstance(dim, (tuple, list)) and len(dim) not in (1, 2):
        raise RuntimeError(
            f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {list(dim)}"
        )
    two = len(dim) == 2 if isinstance(dim, (tuple, list)) else dim is None and ndim_of(A) == 2
    if two or isinstance(ord, str):
        return matrix_norm(A, ord, (-2, -1) if dim is None else dim, keepdim, dtype=dtype)
    return vector_norm(A, ord, dim, keepdim, dtype=dtype)


def norm(
    input: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Any:
    """‖x‖ₚ of all elements, or over ``dim``: 'fro' or 2 is the root of the sum of squares; other
    orders as in :func:`autograd.linalg.vector_norm`; 'nuc' is the sum of a matrix's singular
    values.

    The gradient is 0 where the norm is. RuntimeError for integers and for other words."""
    if p == "nuc":
        return matrix_norm(
            input, "nuc", tuple(range(ndim_of(input))) if dim is None else dim, keepdim, dtype=dtype
        )
    if isinstance(p, str) and p != "fro":
        raise RuntimeError(f"linalg.matrix_norm: Order {p} not supported.")
    return vector_norm(input, 2 if p in ("fro", None) else p, dim, keepdim, dtype=dtype)


def dist(input: Any, other: Any, p: float = 2) -> Any:
    """‖input - other‖ₚ"""
    return vector_norm(input - other, p)


def cond(A: Any, p: Any = None) -> Any:
    """How much A may magnify a relative error: ‖A‖ₚ ‖A⁻¹‖ₚ, and inf if there is no inverse. For p =
    2 (None) and -2 the ratio of the largest to the smallest singular value (or the inverse), also
    of a matrix that is not square; 0 for an empty one. Raises RuntimeError for what is no order of
    a matrix norm."""
    if p in (None, 2, -2):
        values = svdvals(matrices("cond", A, square=False))
        if not values.shape[-1]:
            return sum(values, -1)
        largest, smallest = _select(values, (..., 0)), _select(values, (..., -1))
        return smallest / largest if p == -2 else largest / smallest
    if p not in ("fro", "nuc", 1, -1, np.inf, -np.inf):
        raise RuntimeError(
            f"linalg.cond got an invalid norm type: {p}. Choose 'fro', 'nuc', 1, -1, 2, -2, inf or "
            "-inf"
        )
    found = inv_ex(matrices(f"cond(ord={p})", A))
    size = matrix_norm(A, p) * matrix_norm(found.inverse, p)
    return where(as_given(array_of(found.info) == 0, A), size, np.inf)


def renorm(input: Any, p: float, dim: int, maxnorm: float) -> Any:
    """``input`` with each of its slices along ``dim`` whose p-norm is larger than ``maxnorm``
    scaled down to it. Raises RuntimeError for vectors, for p <= 0 and for a negative maxnorm."""
    if ndim_of(input) < 2:
        raise RuntimeError(
            f"renorm: input needs at least 2 dimensions, got {input.ndim} dimensions"
        )
    if p <= 0:
        raise RuntimeError(f"renorm: non-positive-norm not supported, got {p}")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm}")
    kept = one(dim, input.ndim)
    others = tuple([d for d in range(input.ndim) if d != kept])
    size = vector_norm(input, p, others, keepdim=True)
    return input * where(size > maxnorm, maxnorm / (size + 1e-7), 1.0)


def floats(name: str, x: Any, dtype: Any = None) -> Any:
    """``x``, as ``dtype`` if that is given. RuntimeError for integers, and for a dtype that is
    narrower."""
    ndim_of(x)  # which complains of what is no tensor
    if array_of(x).dtype.kind != "f":
        title = dtypes.of_array(array_of(x))._title
        raise RuntimeError(
            f"linalg.{name}: Expected a floating point or complex tensor as input. Got {title}"
        )
    if dtype is None:
        return x
    wanted = dtypes.to_numpy(dtype)
    if wanted.kind != "f" or not np.can_cast(array_of(x).dtype, wanted):
        raise RuntimeError(
            f"linalg.{name}: the dtype of the input ({dtypes.of_array(array_of(x))}) should be "
            f"convertible without narrowing to the specified dtype ({dtype}), a floating point one"
        )
    return cast(x, dtype)
