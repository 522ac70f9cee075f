"""Products of matrices and vectors.

All rest on one fact: the derivative of a product by one factor is a product with the other. Y = A B
has dA = dY Bᵀ and dB = Aᵀ dY.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.op import op
from autograd.ops.arithmetic import array_of
from autograd.ops.broadcasting import broadcast_tensors, expand
from autograd.ops.dimensions import ndim_of, one
from autograd.ops.parts import _diagonal
from autograd.ops.reduction import sum
from autograd.ops.shape import _permute, _reshape, _unsqueeze, mt, roll

__all__ = [
    "addbmm", "addmm", "addmv", "addr", "adjoint", "baddbmm", "bmm", "chain_matmul", "cross", "dot",
    "ger", "linear", "matmul", "mm", "mv", "outer", "trace", "vdot",
]  # fmt: skip

# -- the product -----------------------------------------------------------------------------------


@op(
    da=lambda dy, b, a_shape: _by_left(dy, b, a_shape),
    db=lambda dy, a, b_shape: _by_right(dy, a, b_shape),
)
def matmul(a, b):
    """The product of matrices, ``a @ b``: (n, k) times (k, m) is (n, m).

    Further dimensions in front are batches, and broadcast. A vector on the left is a row, on the
    right a column, and its dimension disappears from the result. Raises RuntimeError for shapes
    that do not fit and for different dtypes."""
    try:
        if a.dtype != b.dtype:
            raise _different_dtypes(a, b)
    except AttributeError:
        raise TypeError(
            f"matmul(): argument 'other' (position 2) must be Tensor, not {type(b).__name__}"
        ) from None
    if not a.ndim or not b.ndim:
        raise RuntimeError(
            f"both arguments to matmul need to be at least 1D, but they are {a.ndim}D and {b.ndim}D"
        )
    if a.dtype.kind == "b":
        raise NotImplementedError(
            "\"addmm_impl_cpu_\" not implemented for 'Bool': convert the masks first, with "
            "x.float()"
        )
    try:
        if a.dtype == np.float16:  # which NumPy has no fast product for
            return product(a.astype(np.float32), b.astype(np.float32)).astype(np.float16)
        return product(a, b)
    except ValueError:
        raise _do_not_fit(a, b) from None


def product(a: np.ndarray, b: np.ndarray) -> Any:
    """``a @ b`` on arrays, by the fastest of NumPy's ways."""
    if b.ndim <= 2:
        if a.ndim <= 2:
            return a.dot(b)
        # A batch of products with one matrix is a single product with more rows.
        return _rows(a).dot(b).reshape(a.shape[:-1] + b.shape[1:])
    return np.matmul(a, b)


def _rows(x: np.ndarray) -> np.ndarray:
    """A batch of matrices as one matrix of all their rows."""
    return x if x.ndim == 2 else x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


def _by_left(dy: Any, b: Any, a_shape: tuple[int, ...]) -> Any:
    if b.ndim == 1:
        return (dy if len(a_shape) == 1 else _unsqueeze(dy, dy.ndim)) * b
    if len(a_shape) == 1:
        return matmul(b, dy) if b.ndim == 2 else sum(b * _unsqueeze(dy, dy.ndim - 1), -1)
    return matmul(dy, mt(b))


def _by_right(dy: Any, a: Any, b_shape: tuple[int, ...]) -> Any:
    if a.ndim == 1:
        return (dy if len(b_shape) == 1 else _unsqueeze(dy, dy.ndim - 1)) * (
            a if len(b_shape) == 1 else _unsqueeze(a, 1)
        )
    if len(b_shape) == 1:
        return _reshape(_over_rows(_unsqueeze(dy, dy.ndim), a), b_shape)
    if len(b_shape) == 2:
        return _over_rows(a, dy)
    return matmul(mt(a), dy)


def _different_dtypes(*operands: Any) -> RuntimeError:
    names = " != ".join(str(x.dtype) for x in operands)
    return RuntimeError(
        f"expected m1 and m2 to have the same dtype, but got: {names}. Convert one: y.to(x.dtype)"
    )


def _do_not_fit(a: np.ndarray, b: np.ndarray) -> RuntimeError:
    if a.ndim == b.ndim == 1:
        return RuntimeError(
            f"inconsistent tensor size, expected tensor [{a.size}] and src [{b.size}] to have the "
            f"same number of elements, but got {a.size} and {b.size} elements respectively"
        )
    inner = a.shape[-1], b.shape[-2 if b.ndim > 1 else 0]
    rule = (
        f"(the last dimension of the first, {inner[0]}, must equal the last but one of the second, "
        f"{inner[1]})"
    )
    if b.ndim > 1 and inner[0] == b.shape[-1]:
        rule += "; x @ y.mT would fit"
    elif a.ndim > 1 and a.shape[-2] == inner[1]:
        rule += "; x.mT @ y would fit"
    if inner[0] == inner[1]:
        return RuntimeError(
            f"The batches do not broadcast: shapes {list(a.shape)} and {list(b.shape)}. The size "
            "of each dimension in front of the matrices must match, or be 1."
        )
    if a.ndim <= 2 and b.ndim <= 2:
        shapes = " and ".join(
            "x".join(map(str, shape)) for shape in (((1,) + a.shape)[-2:], (b.shape + (1,))[:2])
        )
        return RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({shapes}) {rule}")
    return RuntimeError(f"shapes cannot be multiplied: {list(a.shape)} and {list(b.shape)} {rule}")


@op(da=lambda dy, b: matmul(b, mt(dy)), db=lambda dy, a: matmul(a, dy))
def _over_rows(a, b):
    """Aᵀ B, in which all dimensions but the last of each are rows: how the gradient by a matrix
    collects what all rows of a batch say."""
    return _rows(a).T.dot(_rows(b))


# One node for all of a layer, with no intermediate result to keep.
@op(
    dinput=lambda dy, weight: matmul(dy, weight),
    dweight=lambda dy, input: _over_rows(dy, input),
    dbias=lambda dy: dy,
)
def _linear(input, weight, bias):
    """y = x Wᵀ + b"""
    if input.dtype != weight.dtype or (bias is not None and bias.dtype != weight.dtype):
        raise _different_dtypes(*[x for x in (input, weight, bias) if x is not None])
    try:
        y = matmul(input, weight.T)
        if bias is not None:
            y += bias
    except (ValueError, RuntimeError):
        raise _no_layer(input, weight, bias) from None
    return y


def _no_layer(input: np.ndarray, weight: np.ndarray, bias: Any) -> RuntimeError:
    """What to raise where a linear layer does not fit its input."""
    if not input.ndim or weight.ndim != 2:
        return RuntimeError(
            "linear takes an input of at least 1 dimension and a weight of shape (out_features, "
            f"in_features), but they have shapes {list(input.shape)} and {list(weight.shape)}"
        )
    columns, rows = weight.shape
    if input.shape[-1] != rows:
        return RuntimeError(
            "mat1 and mat2 shapes cannot be multiplied "
            f"({math.prod(input.shape[:-1])}x{input.shape[-1]} and {rows}x{columns}): linear of an "
            f"input of shape {list(input.shape)} and a weight of shape {list(weight.shape)}, which "
            "is (out_features, in_features). The last dimension of the input must be in_features."
        )
    return RuntimeError(
        f"The expanded size of the tensor ({columns}) must match the existing size of the bias, "
        f"which has shape {list(bias.shape)}: linear with out_features {columns} takes a bias of "
        f"shape [{columns}]"
    )


def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """y = x Wᵀ + b: (..., in) to (..., out), for a weight of shape (out, in) and a bias of shape
    (out). A weight of shape (in) makes the last dimension disappear.

    Raises RuntimeError for shapes that do not fit and for different dtypes."""
    if weight.ndim == 1:
        y = matmul(input, weight)
        return y if bias is None else y + bias
    return _linear(input, weight, bias)


# -- the product under its other names -------------------------------------------------------------


def mm(input: Any, mat2: Any) -> Any:
    """The product of two matrices. RuntimeError for what is no matrix."""
    _expect_ndim("self", input, 2, "matrix")
    _expect_ndim("mat2", mat2, 2, "matrix")
    return matmul(input, mat2)


def bmm(input: Any, mat2: Any) -> Any:
    """The products of two batches of matrices, (b, n, k) and (b, k, m). RuntimeError for other
    shapes."""
    _check_batches(input, mat2)
    return matmul(input, mat2)


def _check_batches(input: Any, mat2: Any) -> None:
    _expect_ndim("batch1", input, 3, "3D tensor")
    _expect_ndim("batch2", mat2, 3, "3D tensor")
    expected = [input.shape[0], input.shape[2]]
    if list(mat2.shape[:2]) != expected:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: {expected} but got: "
            f"{list(mat2.shape[:2])}. (batch1 has the shape {list(input.shape)})"
        )


def mv(input: Any, vec: Any) -> Any:
    """The product of a matrix and a vector. RuntimeError for other tensors."""
    if ndim_of(input) != 2 or ndim_of(vec) != 1:
        raise RuntimeError(
            f"vector + matrix @ vector expected, got shapes {list(input.shape)} and "
            f"{list(vec.shape)}"
        )
    return matmul(input, vec)


def dot(input: Any, tensor: Any) -> Any:
    """Σ xᵢ yᵢ, for two vectors of equal length. RuntimeError for other tensors, and for different
    dtypes."""
    if ndim_of(input) != 1 or ndim_of(tensor) != 1:
        raise RuntimeError(f"1D tensors expected, but got {input.ndim}D and {tensor.ndim}D tensors")
    return matmul(input, tensor)


vdot = dot  # of real numbers


def outer(input: Any, vec2: Any) -> Any:
    """xᵢ yⱼ, for two vectors. RuntimeError for other tensors."""
    for name, x in (("self", input), ("vec2", vec2)):
        if ndim_of(x) != 1:
            raise RuntimeError(f"outer: Expected 1-D argument {name}, but got {x.ndim}-D")
    return _unsqueeze(input, 1) * vec2


ger = outer


def addmm(input: Any, mat1: Any, mat2: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """beta · input + alpha · mat1 @ mat2; ``input`` broadcasts."""
    _expect_ndim("mat1", mat1, 2, "matrix")
    _expect_ndim("mat2", mat2, 2, "matrix")
    return _plus_alike(input, matmul(mat1, mat2), beta, alpha)


def addmv(input: Any, mat: Any, vec: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """beta · input + alpha · mat @ vec; ``input`` broadcasts."""
    return _plus_alike(input, mv(mat, vec), beta, alpha)


def addr(input: Any, vec1: Any, vec2: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """beta · input + alpha · outer(vec1, vec2); ``input`` broadcasts."""
    return _plus(input, outer(vec1, vec2), beta, alpha)


def baddbmm(input: Any, batch1: Any, batch2: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """beta · input + alpha · batch1 @ batch2, for batches of matrices; ``input`` broadcasts."""
    return _plus_alike(input, bmm(batch1, batch2), beta, alpha)


def addbmm(input: Any, batch1: Any, batch2: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """beta · input + alpha · Σ batch1[i] @ batch2[i]; ``input`` broadcasts."""
    _check_batches(batch1, batch2)
    # A sum of products is one product: of the first ones side by side, and the second ones stacked.
    rows = _reshape(_permute(batch1, (1, 0, 2)), (batch1.shape[1], -1))
    y = matmul(rows, _reshape(batch2, (-1, batch2.shape[2])))
    return _plus_alike(input, y, beta, alpha)


def _plus_alike(input: Any, y: Any, beta: float, alpha: float) -> Any:
    """:func:`_plus` of equal dtypes only."""
    if array_of(input).dtype != array_of(y).dtype:
        raise _different_dtypes(array_of(input), array_of(y))
    return _plus(input, y, beta, alpha)


def _plus(input: Any, y: Any, beta: float, alpha: float) -> Any:
    """beta · input + alpha · y, in the shape and dtype of y. Nothing of ``input`` is looked at, not
    even nan, if beta is 0; and of integers only whole multiples are taken."""
    kind = array_of(y).dtype.kind
    if kind != "f":
        whole = bool if kind == "b" else int
        beta, alpha = whole(beta), whole(alpha)
    y = y if alpha == 1 else y * alpha
    if beta == 0:
        return y
    scaled = input if beta == 1 else input * beta
    return (scaled if scaled.shape == y.shape else expand(scaled, y.shape)) + y


def _expect_ndim(name: str, x: Any, ndim: int, what: str) -> None:
    if ndim_of(x) != ndim:
        raise RuntimeError(f"{name} must be a {what}, but has the shape {list(x.shape)}")


def trace(input: Any) -> Any:
    """The sum of the diagonal of a matrix. RuntimeError for other tensors."""
    if ndim_of(input) != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input.ndim}")
    if array_of(input).dtype.kind == "b":
        raise NotImplementedError("\"trace\" not implemented for 'Bool': count with x.long()")
    return sum(_diagonal(input, 0, 0, 1))


def adjoint(input: Any) -> Any:
    """The transpose of matrices, of real numbers: a view. RuntimeError for what is no matrix."""
    return mt(input)


def cross(input: Any, other: Any, dim: int | None = None) -> Any:
    """The vector product along ``dim``, of length 3 (by default the first that is); other
    dimensions broadcast."""
    if ndim_of(input) != ndim_of(other):
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    if dim is None:
        dim = next((d for d, n in enumerate(input.shape) if n == 3), None)
        if dim is None:
            raise RuntimeError(f"no dimension of size 3 in input: its shape is {list(input.shape)}")
    dim = one(dim, input.ndim)
    if input.shape[dim] != 3 or other.shape[dim] != 3:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {input.shape[dim]} and "
            f"{other.shape[dim]}"
        )
    a, b = broadcast_tensors(input, other)
    return roll(a, -1, dim) * roll(b, 1, dim) - roll(a, 1, dim) * roll(b, -1, dim)


def chain_matmul(*matrices: Any) -> Any:
    """The product of several matrices, multiplied in the order that takes the fewest operations."""
    if len(matrices) == 1 and isinstance(matrices[0], (tuple, list)):
        (matrices,) = matrices
    return matrices[0] if len(matrices) == 1 else multi_dot(matrices)


def multi_dot(tensors: Sequence[Any]) -> Any:
    """The product of two or more matrices, multiplied in the order that takes the fewest
    operations; the first may be a vector (a row), and so may the last (a column)."""
    if not isinstance(tensors, (tuple, list)):
        raise TypeError(
            "multi_dot(): argument 'tensors' must be tuple of Tensors, not "
            f"{type(tensors).__name__}"
        )
    factors = list(tensors)
    if len(factors) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(factors)}")
    for i, x in enumerate(factors):
        if not (ndim_of(x) == 2 or (x.ndim == 1 and i in (0, len(factors) - 1))):
            raise RuntimeError(
                f"multi_dot(): tensor {i} must be 2D, or 1D at either end, but got {x.ndim}D"
            )
    rows = [factors[0].shape[0] if factors[0].ndim > 1 else 1, *(x.shape[0] for x in factors[1:])]
    sizes = [*rows, factors[-1].shape[1] if factors[-1].ndim > 1 else 1]

    @functools.cache
    def cheapest(first: int, last: int) -> tuple[int, int]:
        """The cost of multiplying the factors from ``first`` to ``last``, and after which of them
        to part them."""
        if first == last:
            return 0, first
        return min(
            (
                cheapest(first, k)[0]
                + cheapest(k + 1, last)[0]
                + sizes[first] * sizes[k + 1] * sizes[last + 1],
                k,
            )
            for k in range(first, last)
        )

    def multiply(first: int, last: int) -> Any:
        if first == last:
            return factors[first]
        k = cheapest(first, last)[1]
        return matmul(multiply(first, k), multiply(k + 1, last))

    return multiply(0, len(factors) - 1)
