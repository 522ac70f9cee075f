"""A part of a tensor: slices, diagonals, triangles, windows.

To take a part is linear; its adjoint puts the part back in its place, among zeros. And where a part
is replaced, the gradient of what was there before is zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.layout import Layout, layout_of, memory_of
from autograd.op import linear, op
from autograd.ops.conversion import clone
from autograd.ops.dimensions import ndim_of, one
from autograd.ops.shape import _reshape, ravel
from autograd.tensor import Tensor

__all__ = [
    "diag", "diag_embed", "diagflat", "diagonal", "diagonal_scatter", "fill", "narrow", "select",
    "select_scatter", "slice_scatter", "tril", "triu", "unfold",
]  # fmt: skip

# -- a part of the elements, and that part among zeros ---------------------------------------------


@linear(dx=lambda dy, x_shape, key: _place(dy, x_shape, key), view=True)
def _slice(x, key):
    """The part of ``x`` that the slices and ints in ``key`` select; an Ellipsis among them makes it
    a view."""
    try:
        return x[key]
    except IndexError as error:
        raise no_such_index(x, error) from None


@linear(dx=lambda dy, x_shape, key: _place(dy, x_shape, key), view=True)
def _select(x, key):
    """As :func:`_slice`, for a single index: the dimension disappears."""
    try:
        return x[key]
    except IndexError as error:
        raise no_such_index(x, error) from None


def no_such_index(x: np.ndarray, error: IndexError) -> IndexError:
    """NumPy's IndexError in PyTorch's words."""
    if not x.ndim:
        return IndexError(
            "invalid index of a 0-dim tensor. Use `tensor.item()` to convert a 0-dim tensor to a "
            "number, or tensor[...]"
        )
    if "too many" in str(error):
        return IndexError(
            f"too many indices for tensor of dimension {x.ndim} (its shape is {list(x.shape)})"
        )
    return IndexError(f"{str(error).replace('axis', 'dimension')} (the shape is {list(x.shape)})")


@linear(dx=lambda dy, key: _slice(dy, key))
def _place(x, shape, key):
    """``x`` as the part ``key`` of zeros: the adjoint of slicing."""
    y = np.zeros(shape, x.dtype)
    y[key] = x
    return y


@linear(
    dx=lambda dy, x_shape, offset, dim1, dim2: _place_diagonal(dy, x_shape, offset, dim1, dim2),
    view=True,
)
def _diagonal(x, offset, dim1, dim2):
    """The elements of ``x`` whose indices along dim1 and dim2 differ by ``offset``, along a new
    last dimension."""
    y = x.diagonal(offset, dim1, dim2)
    y.flags.writeable = x.flags.writeable  # NumPy is careful here; PyTorch writes through it
    return y


@linear(dx=lambda dy, offset, dim1, dim2: _diagonal(dy, offset, dim1, dim2))
def _place_diagonal(x, shape, offset, dim1, dim2):
    """``x`` as a diagonal of zeros: the adjoint of diagonal."""
    y = np.zeros(shape, x.dtype)
    _diagonal(y, offset, dim1, dim2)[...] = x
    return y


@linear(dx=lambda dy, diagonal: _tril(dy, diagonal))
def _tril(x, diagonal):
    """``x`` with zeros above a diagonal."""
    return np.tril(x, diagonal)


@linear(dx=lambda dy, diagonal: _triu(dy, diagonal))
def _triu(x, diagonal):
    """``x`` with zeros below a diagonal."""
    return np.triu(x, diagonal)


@linear(dx=lambda dy, x_shape, dim, step: _add_windows(dy, x_shape, dim, step), view=True)
def _unfold(x, dim, size, step):
    """The windows of ``size`` elements along ``dim``, one every ``step``, each along a new last
    dimension."""
    lengths, strides, offset = layout_of(x)
    count = (lengths[dim] - size) // step + 1
    windows = Layout(
        (*lengths[:dim], count, *lengths[dim + 1 :], size),
        (*strides[:dim], strides[dim] * step, *strides[dim + 1 :], strides[dim]),
        offset,
    )
    return windows.of(memory_of(x))


@linear(dx=lambda dy, dim, step, x_shape: _unfold(dy, dim, x_shape[-1], step))
def _add_windows(x, shape, dim, step):
    """Windows added up at the places they were taken from: the adjoint of unfold."""
    y = np.zeros(shape, x.dtype)
    count = x.shape[dim]
    before = (slice(None),) * dim
    for i in range(x.shape[-1]):
        y[(*before, slice(i, i + step * (count - 1) + 1, step))] += x[..., i]
    return y


def select(input: Any, dim: int, index: int) -> Any:
    """The view at ``index`` of dimension ``dim``, without that dimension. IndexError if there is no
    such index."""
    ndim = ndim_of(input)
    if not ndim:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    dim, index = one(dim, ndim), int(index)
    n = input.shape[dim]
    if not -n <= index < n:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(input.shape)} at "
            f"dimension {dim}"
        )
    return _select(input, (*(slice(None),) * dim, index % n, ...))


def narrow(input: Any, dim: int, start: Any, length: int) -> Any:
    """The view of ``length`` elements along ``dim``, from ``start`` on. RuntimeError if there are
    not so many."""
    ndim = ndim_of(input)
    if not ndim:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    if isinstance(start, Tensor) and (start.ndim or start._array.dtype.kind not in "iu"):
        raise RuntimeError(f"start must be an 0-dim integral Tensor, but got {start}.")
    dim, start = one(dim, ndim), int(start)
    n = input.shape[dim]
    if length < 0:
        raise RuntimeError(f"narrow(): length must be non-negative, but got {length}.")
    if not -n <= start <= n:
        raise IndexError(
            f"start out of range (expected to be in range of [{-n}, {n}], but got {start})"
        )
    start += n if start < 0 else 0
    if start + length > n:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({n}).")
    return _slice(input, (*(slice(None),) * dim, slice(start, start + length)))


def diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """The view of the elements whose indices along ``dim1`` and ``dim2`` differ by ``offset``
    (positive: above the main diagonal), along a new last dimension."""
    first, second = _plane(input, dim1, dim2)
    return _diagonal(input, offset, first, second)


def _plane(input: Any, dim1: int, dim2: int) -> tuple[int, int]:
    ndim = ndim_of(input)
    first, second = one(dim1, ndim), one(dim2, ndim)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return first, second


def diag_embed(input: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """The elements of the last dimension as a diagonal of zeros, in the plane of the dimensions
    ``dim1`` and ``dim2`` of the result."""
    ndim = ndim_of(input) + 1
    first, second = one(dim1, ndim), one(dim2, ndim)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    side = input.shape[-1] + abs(offset)
    others = iter(input.shape[:-1])
    shape = tuple([side if dim in (first, second) else next(others) for dim in range(ndim)])
    return _place_diagonal(input, shape, offset, first, second)


def diag(input: Any, diagonal: int = 0) -> Any:
    """Of a vector the matrix with it as a diagonal; of a matrix a copy of that diagonal.
    RuntimeError for other tensors."""
    ndim = ndim_of(input)
    if ndim == 1:
        return diag_embed(input, diagonal)
    if ndim != 2:
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {ndim}D")
    return clone(_diagonal(input, diagonal, 0, 1))


def diagflat(input: Any, offset: int = 0) -> Any:
    """The matrix with all elements of ``input`` as a diagonal."""
    return diag_embed(ravel(input), offset)


def tril(input: Any, diagonal: int = 0) -> Any:
    """The lower triangle of matrices: zeros above the given diagonal (positive: more of the matrix
    stays)."""
    return _tril(_matrices(input, "tril"), diagonal)


def triu(input: Any, diagonal: int = 0) -> Any:
    """The upper triangle of matrices: zeros below the given diagonal (positive: less of the matrix
    stays)."""
    return _triu(_matrices(input, "triu"), diagonal)


def _matrices(input: Any, name: str) -> Any:
    if ndim_of(input) < 2:
        raise RuntimeError(
            f"{name}: input tensor must have at least 2 dimensions, but has shape "
            f"{list(input.shape)}"
        )
    return input


def unfold(input: Any, dimension: int, size: int, step: int) -> Any:
    """``Tensor.unfold``: the view of all windows of ``size`` elements along ``dimension``, one
    every ``step``, each along a new last dimension. RuntimeError if the dimension is shorter than a
    window. (For images see nn.functional.unfold.)"""
    ndim = ndim_of(input)
    dim = one(dimension, ndim)
    x = input if ndim else _reshape(input, (1,))
    if size > x.shape[dim]:
        raise RuntimeError(
            f"maximum size for tensor at dimension {dim} is {x.shape[dim]} but size is {size}"
        )
    if size < 0 or step <= 0:
        raise RuntimeError(f"size is {size} but must be >= 0, and step is {step} but must be > 0")
    return _unfold(x, dim, size, step) if ndim else _slice(x, (slice(size),))


# -- a part replaced -------------------------------------------------------------------------------


def with_leading_ones(dy: Any, shape: tuple[int, ...]) -> Any:
    """``dy`` with as many dimensions as ``shape``: what is written somewhere may have further ones
    in front, of length 1."""
    extra = len(shape) - dy.ndim
    return _reshape(dy, (1,) * extra + tuple(dy.shape)) if extra > 0 else dy


@op(
    dx=lambda dy, key: _replace(dy, 0, key),
    dpart=lambda dy, key, part_shape: with_leading_ones(_slice(dy, key), part_shape),
)
def _replace(x, part, key):
    """A copy of ``x`` with the part that ``key`` selects replaced (``part`` broadcasts)."""
    y = np.array(x)
    overwrite(y, key, part)
    return y


def fill(input: Any, value: Any) -> Any:
    """A copy of ``input`` with ``value``, a number or a 0-d tensor, everywhere. RuntimeError for
    more than one value."""
    check_single(value)
    return _replace(input, value, ...)


def check_single(value: Any) -> None:
    """Raise TypeError or RuntimeError unless ``value`` is a number or a 0-d tensor."""
    if not isinstance(value, (Tensor, int, float, np.ndarray, np.generic)):
        raise TypeError(
            f"fill(): argument 'value' (position 2) must be Number, not {type(value).__name__}"
        )
    if not isinstance(value, (int, float)) and value.ndim:
        raise RuntimeError(
            f"fill_ only supports 0-dimension value tensor but got tensor with {value.ndim} "
            "dimensions. Use copy_()."
        )


def overwrite(array: np.ndarray, key: Any, part: Any) -> None:
    """``array[key] = part``. RuntimeError if ``part`` does not broadcast."""
    try:
        array[key] = part
    except ValueError:
        raise RuntimeError(
            "The size of the source must match the size of what it replaces: "
            f"{list(np.shape(part))} does not broadcast to {list(array[key].shape)}. Lengths, "
            "counted from the last dimension, must be equal or 1."
        ) from None


@op(
    dx=lambda dy, offset, dim1, dim2: _replace_diagonal(dy, 0, offset, dim1, dim2),
    dpart=lambda dy, offset, dim1, dim2: _diagonal(dy, offset, dim1, dim2),
)
def _replace_diagonal(x, part, offset, dim1, dim2):
    """A copy of ``x`` with a diagonal replaced."""
    y = np.array(x)
    _diagonal(y, offset, dim1, dim2)[...] = part
    return y


def select_scatter(input: Any, src: Any, dim: int, index: int) -> Any:
    """A copy of ``input`` with ``src`` at ``index`` of dimension ``dim``. RuntimeError unless the
    shapes fit."""
    part = select(input, dim, index)
    _same_shape(src, part, "slice")
    dim = one(dim, input.ndim)
    return _replace(input, src, (*(slice(None),) * dim, int(index), ...))


def slice_scatter(
    input: Any,
    src: Any,
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
) -> Any:
    """A copy of ``input`` with ``src`` in place of the elements ``start:end:step`` along ``dim``.
    RuntimeError unless the shapes fit."""
    key = (*(slice(None),) * one(dim, ndim_of(input)), slice(start, end, step))
    _same_shape(src, np.broadcast_to(0, input.shape)[key], "slice")
    return _replace(input, src, key)


def diagonal_scatter(input: Any, src: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """A copy of ``input`` with ``src`` as the diagonal that :func:`diagonal` would return.
    RuntimeError unless the shapes fit."""
    first, second = _plane(input, dim1, dim2)
    _same_shape(src, np.broadcast_to(0, input.shape).diagonal(offset, first, second), "diagonal")
    return _replace_diagonal(input, src, offset, first, second)


def _same_shape(src: Any, part: Any, what: str) -> None:
    if tuple(src.shape) != tuple(part.shape):
        raise RuntimeError(
            f"expected src to have a size equal to the {what} of self. src size = "
            f"{list(src.shape)}, {what} size = {list(part.shape)}"
        )
