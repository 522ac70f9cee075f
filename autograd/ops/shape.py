"""The same elements in another arrangement.

Most of these are views: the result shares the memory of the input, seen with other strides. All are
linear, and the adjoint of an arrangement is the arrangement back.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd import dtypes
from autograd.op import linear, op
from autograd.ops.conversion import clone
from autograd.ops.dimensions import flexible, ndim_of, numpy_names, one, several, sizes

__all__ = [
    "atleast_1d", "atleast_2d", "atleast_3d", "flatten", "flip", "fliplr", "flipud", "moveaxis",
    "movedim", "permute", "ravel", "reshape", "reshape_as", "roll", "rot90", "squeeze", "swapaxes",
    "swapdims", "t", "transpose", "unflatten", "unsqueeze", "view", "view_as",
]  # fmt: skip

# -- the same elements in the same order -----------------------------------------------------------


@linear(dx=lambda dy, x_shape: _reshape(dy, x_shape), view=True)
def _reshape(x, shape):
    """The elements of ``x`` in another shape: a view where strides allow, else a copy."""
    try:
        return x.reshape(shape)
    except ValueError:
        raise _no_such_shape(x, shape) from None


@linear(dx=lambda dy, x_shape: _reshape(dy, x_shape), view=True)
def _view(x, shape):
    """The elements of ``x`` in another shape, never copied."""
    y = _reshape(x, shape)
    if y.base is not x and (y.base is None or y.base is not x.base) and y.size:
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride: a tensor of shape "
            f"{list(x.shape)} with strides {[step // x.itemsize for step in x.strides]} cannot be "
            f"seen as {list(shape)} without copying (at least one dimension spans across two "
            "contiguous subspaces). Use .reshape(...) instead."
        )
    return y


@linear(dx=lambda dy, x_shape: _shaped(dy, x_shape))
def _shaped(x, shape):
    """A result that nobody else has yet, in another shape. What the user gets is no view."""
    return x.reshape(shape)


@op(view=True)
def _view_as_dtype(x, dtype):
    """The bytes of ``x``, read as another dtype."""
    try:
        return x.view(dtype)
    except ValueError as error:
        raise RuntimeError(
            f"self.size(-1) and strides do not allow to view {x.dtype} as {dtype}: {error}"
        ) from None


def _no_such_shape(x: np.ndarray, shape: tuple[int, ...]) -> RuntimeError:
    if shape.count(-1) > 1:
        return RuntimeError(
            f"only one dimension can be inferred, but the shape {list(shape)} has more than one -1"
        )
    if not x.size and -1 in shape:
        return RuntimeError(
            f"cannot reshape tensor of 0 elements into shape {list(shape)} because the unspecified "
            "dimension size -1 can be any value and is ambiguous"
        )
    return RuntimeError(
        f"shape '{list(shape)}' is invalid for input of size {x.size}: the lengths must multiply "
        f"to {x.size}, the number of elements of the input, which has shape {list(x.shape)}"
    )


@flexible
def reshape(input: Any, shape: Any) -> Any:
    """The elements of ``input`` in order, in another shape; one length may be -1, for what remains.

    A view where strides allow, else a copy. RuntimeError if the number of elements is not the same.
    """
    return _reshape(input, _lengths(shape))


@flexible
def view(input: Any, size: Any) -> Any:
    """The elements of ``input`` in another shape, in the same memory; or, given a dtype, its bytes
    read as that dtype.

    RuntimeError where that is impossible without a copy, as it often is after ``transpose``: use
    ``reshape`` there."""
    if size and isinstance(size[0], dtypes.dtype):
        return _view_as_dtype(input, size[0].numpy)
    return _view(input, _lengths(size))


def _lengths(shape: Any) -> tuple[int, ...]:
    """``shape`` as ints, of which only -1 may be negative."""
    lengths = sizes(shape)
    if min(lengths, default=0) < -1:
        raise RuntimeError(
            f"invalid shape dimension {min(lengths)}: lengths are not negative; -1 stands for what "
            "remains"
        )
    return lengths


def view_as(input: Any, other: Any) -> Any:
    """``input.view(other.shape)``."""
    return _view(input, tuple(other.shape))


def reshape_as(input: Any, other: Any) -> Any:
    """``input.reshape(other.shape)``."""
    return _reshape(input, tuple(other.shape))


def ravel(input: Any) -> Any:
    """All elements along one dimension: a view if ``input`` is contiguous, else a copy."""
    return _reshape(input, (-1,))


def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """The dimensions from ``start_dim`` to ``end_dim`` joined into one; a 0-d tensor becomes 1-d.

    RuntimeError if ``start_dim`` comes after ``end_dim``."""
    ndim = ndim_of(input)
    first, last = one(start_dim, ndim), one(end_dim, ndim)
    if first > last:
        raise RuntimeError(
            f"flatten() has invalid args: start_dim ({start_dim}) cannot come after end_dim "
            f"({end_dim})"
        )
    if first == last and ndim:
        return input
    shape = tuple(input.shape)
    return _reshape(input, (*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :]))


def unflatten(input: Any, dim: int, sizes: Any) -> Any:
    """Dimension ``dim`` split into several, of lengths ``sizes`` (one may be -1). RuntimeError if
    they do not multiply to it."""
    dim = one(dim, ndim_of(input))
    shape, parts = tuple(input.shape), tuple(sizes)
    inferred = _inferred(parts, shape[dim])
    if math.prod(inferred) != shape[dim]:
        raise RuntimeError(
            f"unflatten: Provided sizes {list(parts)} don't multiply up to the size of dim {dim} "
            f"({shape[dim]}) in the input tensor"
        )
    return _reshape(input, shape[:dim] + inferred + shape[dim + 1 :])


def _inferred(parts: tuple[int, ...], total: int) -> tuple[int, ...]:
    """``parts`` with a -1 among them replaced by what is missing to ``total``."""
    if -1 not in parts:
        return parts
    rest = total // max(-math.prod(parts), 1)
    return tuple(rest if n == -1 else n for n in parts)


# -- dimensions of length 1 ------------------------------------------------------------------------


@linear(dx=lambda dy, x_shape: _reshape(dy, x_shape), view=True)
def _squeeze(x, shape):
    """``x`` without some dimensions of length 1."""
    return x.reshape(shape)


@linear(dx=lambda dy, x_shape: _reshape(dy, x_shape), view=True)
def _unsqueeze(x, dim):
    """``x`` with a dimension of length 1 put in before ``dim``."""
    shape = x.shape
    return x.reshape(shape[:dim] + (1,) + shape[dim:])


@numpy_names
def squeeze(input: Any, dim: Any = None) -> Any:
    """A view without the dimensions of length 1: all, or those among ``dim`` (an int or several)
    that have length 1."""
    ndim = ndim_of(input)
    chosen = range(ndim) if dim is None else several(dim, ndim)
    return _squeeze(
        input, tuple([n for i, n in enumerate(input.shape) if n != 1 or i not in chosen])
    )


@numpy_names
def unsqueeze(input: Any, dim: int) -> Any:
    """A view with a new dimension of length 1 at place ``dim`` of the result."""
    return _unsqueeze(input, one(dim, ndim_of(input) + 1))


def atleast_1d(*tensors: Any) -> Any:
    """Views with at least one dimension: of one tensor a tensor, of several (or a sequence) a
    tuple."""
    return _each(tensors, lambda x: x if ndim_of(x) else _reshape(x, (1,)))


def atleast_2d(*tensors: Any) -> Any:
    """Views with at least two dimensions, new ones in front: of one tensor a tensor, of several a
    tuple."""
    return _each(tensors, lambda x: x if ndim_of(x) > 1 else _reshape(x, (1, -1)))


def atleast_3d(*tensors: Any) -> Any:
    """Views with at least three dimensions, (n,) as (1, n, 1) and (m, n) as (m, n, 1): of one
    tensor a tensor, of several a tuple."""

    def raised(x: Any) -> Any:
        if ndim_of(x) > 2:
            return x
        return _unsqueeze(x, 2) if x.ndim == 2 else _reshape(x, (1, -1, 1))

    return _each(tensors, raised)


def _each(tensors: tuple[Any, ...], function: Any) -> Any:
    if len(tensors) == 1 and not isinstance(tensors[0], (tuple, list)):
        return function(tensors[0])
    return tuple(map(function, tensors[0] if len(tensors) == 1 else tensors))


# -- dimensions in another order -------------------------------------------------------------------


@linear(dx=lambda dy, dim0, dim1: _transpose(dy, dim0, dim1), view=True)
def _transpose(x, dim0, dim1):
    """``x`` with two dimensions exchanged."""
    return x.swapaxes(dim0, dim1)


@linear(dx=lambda dy, dims: _permute(dy, _inverse(dims)), view=True)
def _permute(x, dims):
    """``x`` with its dimensions in the order ``dims``."""
    return x.transpose(dims)


def _inverse(dims: tuple[int, ...]) -> tuple[int, ...]:
    """The permutation that undoes ``dims``."""
    back = [0] * len(dims)
    for place, dim in enumerate(dims):
        back[dim] = place
    return tuple(back)


def transpose(input: Any, dim0: int, dim1: int) -> Any:
    """A view with dimensions ``dim0`` and ``dim1`` exchanged."""
    ndim = ndim_of(input)
    dim0, dim1 = one(dim0, ndim), one(dim1, ndim)
    return _transpose(input, dim0, dim1) if ndim else _permute(input, ())


swapaxes = swapdims = transpose


def t(input: Any) -> Any:
    """The transpose of a matrix, as a view; of fewer dimensions the tensor itself. RuntimeError for
    more than two."""
    ndim = ndim_of(input)
    if ndim > 2:
        raise RuntimeError(
            f"t() expects a tensor with <= 2 dimensions, but self is {ndim}D. Use .mT or "
            ".transpose(...)"
        )
    return _transpose(input, 0, 1) if ndim == 2 else _permute(input, tuple(range(ndim)))


def mt(input: Any) -> Any:
    """``Tensor.mT``: a view of a matrix, or of a batch of matrices, with the last two dimensions
    exchanged. A 0-d tensor stays as it is."""
    if not ndim_of(input):
        return input
    if input.ndim < 2:
        raise RuntimeError(
            f"tensor.mT is only supported on matrices or batches of matrices. Got {input.ndim}-D "
            "tensor."
        )
    return _transpose(input, input.ndim - 2, input.ndim - 1)


def reversed_dims(input: Any) -> Any:
    """``Tensor.T``: a view with all dimensions in reverse order; of a matrix, the transpose."""
    ndim = ndim_of(input)
    return _transpose(input, 0, 1) if ndim == 2 else _permute(input, tuple(range(ndim))[::-1])


# Properties of a tensor. Of real numbers, the conjugate transposes H and mH are no more than
# transposes.
TRANSPOSES = {"T": reversed_dims, "H": t, "mT": mt, "mH": mt}


@flexible
def permute(input: Any, dims: Any) -> Any:
    """A view with the dimensions in the order ``dims``. RuntimeError unless each comes once."""
    ndim = ndim_of(input)
    order = several(dims, ndim)
    if len(order) != ndim:
        raise RuntimeError(
            "permute: the number of dimensions in the tensor input does not match the length of "
            f"the desired ordering of dimensions i.e. input.dim() = {ndim} is not equal to "
            f"len(dims) = {len(order)}"
        )
    return _permute(input, order)


def movedim(input: Any, source: Any, destination: Any) -> Any:
    """A view with the dimensions ``source`` (an int or several) moved to the places
    ``destination``, the others in order."""
    ndim = ndim_of(input)
    moved, places = several(source, ndim), several(destination, ndim)
    if len(moved) != len(places):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({list(moved)} dims) should "
            f"contain the same number of dims as destination ({list(places)} dims)"
        )
    to_place = dict(zip(places, moved, strict=True))
    others = (dim for dim in range(ndim) if dim not in moved)
    return _permute(
        input, tuple([to_place[i] if i in to_place else next(others) for i in range(ndim)])
    )


moveaxis = movedim

# -- dimensions turned and rolled ------------------------------------------------------------------


@linear(dx=lambda dy, dims: _flip(dy, dims))
def _flip(x, dims):
    """``x`` in reverse along ``dims``; a copy, since no tensor has negative strides."""
    return np.flip(x, dims).copy("K")


@linear(dx=lambda dy, shifts, dims: _roll(dy, tuple([-n for n in shifts]), dims))
def _roll(x, shifts, dims):
    """``x`` with the elements moved on along ``dims``, those that fall off the end coming in at the
    start."""
    return np.ascontiguousarray(np.roll(x, shifts, dims)).reshape(x.shape)


@flexible
def flip(input: Any, dims: Any) -> Any:
    """A copy with the order of the elements reversed along each of ``dims``."""
    ndim = ndim_of(input)
    dims = several(dims, ndim)
    return _flip(input, dims if ndim else ())


def fliplr(input: Any) -> Any:
    """``input.flip(1)``: columns in reverse order. RuntimeError below two dimensions."""
    if ndim_of(input) < 2:
        raise RuntimeError(f"Input must be >= 2-d, but has shape {list(input.shape)}")
    return _flip(input, (1,))


def flipud(input: Any) -> Any:
    """``input.flip(0)``: rows in reverse order. RuntimeError for 0 dimensions."""
    if not ndim_of(input):
        raise RuntimeError("Input must be >= 1-d, but is 0-d")
    return _flip(input, (0,))


def roll(input: Any, shifts: Any, dims: Any = None) -> Any:
    """The elements moved ``shifts`` places on along ``dims``, around the end; without ``dims``, in
    the flattened tensor."""
    steps = tuple(shifts) if isinstance(shifts, (tuple, list)) else (shifts,)
    if dims is None or dims == () or dims == []:
        if len(steps) != 1:
            raise RuntimeError(f"shifts and dimensions must align. shifts: {len(steps)}, dims:0")
        return reshape(_roll(ravel(input), steps, (0,)), input.shape)
    axes = [
        one(dim, ndim_of(input)) for dim in (dims if isinstance(dims, (tuple, list)) else (dims,))
    ]
    if len(steps) != len(axes):
        raise RuntimeError(
            f"shifts and dimensions must align. shifts: {len(steps)}, dims:{len(axes)}"
        )
    return _roll(input, steps, tuple(axes))


def rot90(input: Any, k: int = 1, dims: Any = (0, 1)) -> Any:
    """The plane of two dimensions turned by ``k`` quarters, from the first of ``dims`` towards the
    second."""
    if len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    a, b = several(dims, ndim_of(input))
    quarters = k % 4
    if quarters == 0:
        return clone(input)
    if quarters == 2:
        return _flip(input, (a, b))
    return _transpose(_flip(input, (b if quarters == 1 else a,)), a, b)
