"""The same elements in another arrangement.

Most of these are views: the result shares the memory of the input, seen with other strides. All are
linear, and the adjoint of an arrangement is the arrangement back; where elements were repeated the
adjoint sums, and where some were left out it puts zeros in their place.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from autograd import dtypes
from autograd.engine import sum_to_shape
from autograd.op import linear, op
from autograd.ops.conversion import clone
from autograd.ops.dimensions import flexible, ndim_of, numpy_names, one, several, sizes
from autograd.tensor import Size

__all__ = [
    "atleast_1d", "atleast_2d", "atleast_3d", "broadcast_shapes", "broadcast_tensors",
    "broadcast_to", "diag", "diag_embed", "diagflat", "diagonal", "diagonal_scatter", "expand",
    "expand_as", "flatten", "flip", "fliplr", "flipud", "meshgrid", "moveaxis", "movedim", "narrow",
    "permute", "ravel", "repeat", "reshape", "reshape_as", "roll", "rot90", "select",
    "select_scatter", "slice_scatter", "squeeze", "sum_to_size", "swapaxes", "swapdims", "t",
    "tile", "transpose", "tril", "triu", "unflatten", "unfold", "unsqueeze", "view", "view_as",
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
    return _reshape(input, (-1,) if input.size != 0 else (0,))


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
    exchanged."""
    if ndim_of(input) < 2:
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
TRANSPOSES = {"T": reversed_dims, "H": reversed_dims, "mT": mt, "mH": mt}


@flexible
def permute(input: Any, dims: Any) -> Any:
    """A view with the dimensions in the order ``dims``. RuntimeError unless each comes once."""
    ndim = ndim_of(input)
    order = several(dims, ndim)
    if len(order) != ndim:
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the "
            f"length of the desired ordering of dimensions i.e. input.dim() = {ndim} is not equal "
            f"to len(dims) = {len(order)}"
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

# -- copies along new and stretched dimensions, and their sum --------------------------------------


@linear(dx=lambda dy, x_shape: sum_to_size(dy, x_shape), view=True)
def _expand(x, shape):
    """``x`` broadcast to ``shape`` without copying: a dimension is stretched by stepping nowhere
    along it."""
    if isinstance(x, np.ndarray) and not x.flags.c_contiguous:
        return np.broadcast_to(x, shape)
    # What np.broadcast_to does, five times as fast.
    new = len(shape) - x.ndim
    steps = [
        0 if n == 1 and shape[new + i] != 1 else step
        for i, (n, step) in enumerate(zip(x.shape, x.strides, strict=True))
    ]
    y = np.ndarray(shape, x.dtype, np.asarray(x), 0, [0] * new + steps)
    y.flags.writeable = False
    return y


@linear(dx=lambda dy, x_shape: _expand(dy, x_shape))
def _sum_to_size(x, shape):
    """``x`` summed over the dimensions that broadcasting ``shape`` would make: the adjoint of
    expand."""
    return sum_to_shape(x, shape)


@flexible
def expand(input: Any, size: Any) -> Any:
    """A view in which dimensions of length 1 are stretched to ``size``, and new ones put in front;
    -1 keeps a length.

    RuntimeError if a length other than 1 would have to change."""
    shape, wanted = tuple(input.shape), sizes(size)
    new = len(wanted) - len(shape)
    if new < 0:
        raise RuntimeError(
            f"expand({list(shape)}, size={list(wanted)}): the number of sizes provided "
            f"({len(wanted)}) must be greater or equal to the number of dimensions in the tensor "
            f"({len(shape)})"
        )
    if -1 in wanted:
        wanted = wanted[:new] + tuple(
            [have if n == -1 else n for n, have in zip(wanted[new:], shape, strict=True)]
        )
    for dim, n in enumerate(wanted):
        if n < 0:
            raise RuntimeError(
                f"The expanded size of the tensor ({n}) isn't allowed in a leading, non-existing "
                f"dimension {dim}"
            )
        if dim >= new and shape[dim - new] not in (1, n):
            raise RuntimeError(
                f"The expanded size of the tensor ({n}) must match the existing size "
                f"({shape[dim - new]}) at non-singleton dimension {dim}. Target sizes: "
                f"{list(wanted)}. Tensor sizes: {list(shape)}"
            )
    return _expand(input, wanted)


@flexible
def broadcast_to(input: Any, size: Any) -> Any:
    """``input.expand(size)``."""
    return expand(input, size)


def expand_as(input: Any, other: Any) -> Any:
    """``input.expand(other.shape)``."""
    return expand(input, other.shape)


@flexible
def sum_to_size(input: Any, size: Any) -> Any:
    """``input`` summed over dimensions until it has the shape ``size``, from which broadcasting
    would lead back.

    RuntimeError if ``size`` does not broadcast to the shape of ``input``."""
    return _sum_to_size(input, sizes(size))


def broadcast_shapes(*shapes: Any) -> Size:
    """The shape that tensors of these shapes (tuples, or ints for 1-d) broadcast to. RuntimeError
    if they do not."""
    try:
        return Size(np.broadcast_shapes(*shapes))
    except ValueError:
        raise RuntimeError(
            "Shape mismatch: objects cannot be broadcast to a single shape: "
            f"{', '.join(map(str, shapes))}. Lengths, counted from the last dimension, must be "
            "equal or 1."
        ) from None


def broadcast_tensors(*tensors: Any) -> tuple[Any, ...]:
    """Each tensor expanded to the shape they all broadcast to."""
    shape = broadcast_shapes(*(tuple(x.shape) for x in tensors))
    return tuple([expand(x, shape) for x in tensors])


@linear(dx=lambda dy, x_shape, counts: _sum_of_copies(dy, x_shape, counts))
def _repeat(x, counts):
    """``x`` laid out ``counts[i]`` times along each dimension i."""
    return np.tile(x, counts)


def _sum_of_copies(dy: Any, shape: tuple[int, ...], counts: tuple[int, ...]) -> Any:
    """The sum of all the copies that repeat made: dimension i of ``dy`` is counts[i] copies of
    shape[i] elements."""
    shape = (1,) * (len(counts) - len(shape)) + shape
    copies = itertools.chain.from_iterable(zip(counts, shape, strict=True))
    single = itertools.chain.from_iterable((1, n) for n in shape)
    return _reshape(_sum_to_size(_reshape(dy, tuple(copies)), tuple(single)), shape)


@flexible
def repeat(input: Any, repeats: Any) -> Any:
    """A copy of ``input`` laid out ``repeats[i]`` times along each dimension i; extra counts make
    new dimensions in front."""
    counts = sizes(repeats)
    if len(counts) < ndim_of(input):
        raise RuntimeError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of "
            f"tensor: got {list(counts)} for a tensor of shape {list(input.shape)}"
        )
    if min(counts, default=0) < 0:
        raise RuntimeError(
            f"Trying to create tensor with negative dimension: repeats are {list(counts)}"
        )
    return _repeat(input, counts)


@flexible
def tile(input: Any, dims: Any) -> Any:
    """As :func:`repeat`, but missing counts in front are 1."""
    counts = sizes(dims)
    return repeat(input, (1,) * (ndim_of(input) - len(counts)) + counts)


def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Any, ...]:
    """The coordinates of the grid that 1-d (or 0-d) tensors span, one tensor for each, all of the
    grid's shape, as views.

    ``indexing='ij'`` (the default): the shape is (len(x), len(y), ...); ``'xy'`` exchanges the
    first two."""
    axes = list(
        tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors
    )
    if indexing not in (None, "ij", "xy"):
        raise RuntimeError(
            f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}'
        )
    if any(ndim_of(x) > 1 for x in axes):
        raise RuntimeError(
            "torch.meshgrid: Expected 0D or 1D tensors, but got shapes "
            f"{[tuple(x.shape) for x in axes]}"
        )
    swap = indexing == "xy" and len(axes) > 1
    if swap:
        axes[:2] = axes[1::-1]
    shape = tuple([x.shape[0] if x.ndim else 1 for x in axes])
    grids = [
        _expand(_reshape(x, (1,) * i + (-1,) + (1,) * (len(axes) - i - 1)), shape)
        for i, x in enumerate(axes)
    ]
    if swap:
        grids[:2] = grids[1::-1]
    return tuple(grids)


# -- dimensions turned and rolled ------------------------------------------------------------------


@linear(dx=lambda dy, dims: _flip(dy, dims))
def _flip(x, dims):
    """``x`` in reverse along ``dims``; a copy, since no tensor has negative strides."""
    return np.flip(x, dims).copy()


@linear(dx=lambda dy, shifts, dims: _roll(dy, tuple([-n for n in shifts]), dims))
def _roll(x, shifts, dims):
    """``x`` with the elements moved on along ``dims``, those that fall off the end coming in at the
    start."""
    return np.roll(x, shifts, dims)


@flexible
def flip(input: Any, dims: Any) -> Any:
    """A copy with the order of the elements reversed along each of ``dims``."""
    return _flip(input, several(dims, ndim_of(input)))


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
    count = (x.shape[dim] - size) // step + 1
    shape = (*x.shape[:dim], count, *x.shape[dim + 1 :], size)
    steps = (*x.strides[:dim], x.strides[dim] * step, *x.strides[dim + 1 :], x.strides[dim])
    return np.lib.stride_tricks.as_strided(x, shape, steps)


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
    try:
        y[key] = part
    except ValueError:
        raise RuntimeError(
            "The size of the source must match the size of what it replaces: "
            f"{list(np.shape(part))} does not broadcast to {list(y[key].shape)}. Lengths, counted "
            "from the last dimension, must be equal or 1."
        ) from None
    return y


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
