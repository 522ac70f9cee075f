"""Convolution: one small filter looks at every place of a signal, an image or a volume.

    y[n, o, q]  =  b[o]  +  Σ_c Σ_t  w[o, c, t] · x[n, c, s q + d t − p]

for image n and output channel o; q runs over the places where the filter stands and t over its
*taps* (in two dimensions each is a pair), with stride s, dilation d and padding p: outside of its
bounds x counts as 0. (Mathematicians call this a correlation; their convolution turns the filter
around. So does the gradient.)

**Three functions, one form.** ⟨dy, conv(x, w)⟩ is linear in each of x, w and dy, so its gradient by
one is a function of the other two:

    by dy    conv(x, w)              each place collects from the inputs under its taps
    by x     conv_transpose(dy, w)   each place scatters to these inputs, with the same weights
    by w     conv_weight(x, dy)      each tap sums up what it met at all places

The gradients of each of these three are the other two; hence derivatives of any order.

**How it is computed.** As a product with a matrix in which every pixel appears once for every tap,
except that this matrix never exists. A block of images, few enough for the cache, is spread along
its last axis only,

    S[h, (c, j), (n, q)]  =  x[n, c, h, s q + d j − p]       row h, as the taps of column j see it

and then what the taps of all rows see from output row r, S[r], S[r + 1], ..., is one matrix as it
lies in memory. The matrices of successive rows overlap there, and cost nothing:

    y[:, :, r]  =  w · [S[r]; S[r + 1]; S[r + 2]]            for a filter three rows high

(Cho & Brand 2017, "MEC: memory-efficient convolution for deep neural network".) Stride and padding
disappear in the spreading. Backward spreads once more rather than have S kept.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from autograd.op import linear, op
from autograd.ops.shape import squeeze, unsqueeze
from autograd.ops.windows import (
    Axis, Sizes, at_least, axes_of, middle, overlap, per_axis, require_tensor, room, surrounded,
    views,
)  # fmt: skip

__all__ = [
    "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
]  # fmt: skip

# -- spreading --------------------------------------------------------------------------------------------------------

_BLOCK = 1 << 20  # bytes of a block, spread: about the size of a second-level cache
_ROWS = 8  # output rows of a block, at least: where blocks of one image meet, some rows are spread twice


def _blocks(x: np.ndarray, axes: list[Axis]) -> Iterator[tuple[slice, slice, list[Axis]]]:
    """Which images and which places along the first axis to work on at a time, and the axes of just these."""
    images, channels = x.shape[:2]
    first, last = axes[0], axes[-1]
    one_image = channels * last.taps * last.places * x.itemsize
    one_image *= math.prod([axis.reach for axis in axes[:-1]])
    if len(axes) > 2 or first.dilation > 1:  # rows that do not lie together are copied together
        one_image *= math.prod([axis.taps for axis in axes[:-1]])
    if one_image <= _BLOCK:
        step = _BLOCK // max(one_image, 1)
        for start in range(0, images, step):
            yield slice(start, start + step), slice(None), axes
    else:
        step = max(_ROWS, first.places * _BLOCK // one_image)
        for image in range(images):
            for start in range(0, first.places, step):
                here = first._replace(
                    places=min(step, first.places - start),
                    before=first.before - first.stride * start,
                )
                yield slice(image, image + 1), slice(start, start + step), [here, *axes[1:]]


def _spread(x: np.ndarray, axes: list[Axis], groups: int, rows_first: bool) -> np.ndarray:
    """S of shape (group, *rows, channel, tap, image, place), or (group, channel, tap, *rows, image, place)."""
    images, channels, *lengths = x.shape
    *rows, last = axes
    inside = [overlap(-a.before, 1, a.reach, n) for a, n in zip(rows, lengths, strict=False)]
    columns = [
        overlap(last.dilation * tap - last.before, last.stride, last.places, lengths[-1])
        for tap in range(last.taps)
    ]
    heights = [axis.reach for axis in rows]
    filled = [which.stop - which.start for which, _ in (*inside, *columns)]
    new = np.empty if filled == [*heights, *[last.places] * last.taps] else np.zeros

    of_rows = tuple(range(3, 3 + len(rows)))
    per_group = channels // groups
    if rows_first:
        s = by_rows = new((groups, *heights, per_group, last.taps, images, last.places), x.dtype)
    else:
        s = new((groups, per_group, last.taps, *heights, images, last.places), x.dtype)
        by_rows = s.transpose(0, *of_rows, 1, 2, -2, -1)
    x = x[(..., *[where for _, where in inside], slice(None))]
    x = x.reshape(images, groups, per_group, *x.shape[2:]).transpose(1, *of_rows, 2, 0, -1)
    to_rows = [which for which, _ in inside]
    for tap, (which, where) in enumerate(columns):
        by_rows[(slice(None), *to_rows, slice(None), tap, slice(None), which)] = x[..., where]
    return s


def _windows(s: np.ndarray, axes: list[Axis]) -> np.ndarray:
    """What all taps see from each row of places: matrices of shape (tap, place), which overlap in memory."""
    *rows, last = axes
    groups, per_group, images = s.shape[0], s.shape[-4], s.shape[-2]
    of_rows = s.strides[1:-4]
    matrices = as_strided(
        s,
        (
            groups,
            *[axis.places for axis in rows],
            *[axis.taps for axis in rows],
            per_group * last.taps,
            images * last.places,
        ),
        (
            s.strides[0],
            *[axis.stride * step for axis, step in zip(rows, of_rows, strict=True)],
            *[axis.dilation * step for axis, step in zip(rows, of_rows, strict=True)],
            s.strides[-3],
            s.strides[-1],
        ),
        writeable=False,
    )
    height = math.prod([axis.places for axis in rows])
    all_taps = math.prod([axis.taps for axis in axes])
    return matrices.reshape(groups, height, per_group * all_taps, images * last.places)


# -- the three functions, on arrays -----------------------------------------------------------------------------------


def _single_for_half(function: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """Compute float16 in float32 and round once, at the end."""

    @functools.wraps(function)
    def call(x: np.ndarray, *args: Any) -> np.ndarray:
        if x.dtype != np.float16:
            return function(x, *args)
        wide = [a.astype(np.float32) if isinstance(a, np.ndarray) else a for a in (x, *args)]
        return function(*wide).astype(np.float16)

    return call


@_single_for_half
def _collect(x, w, b, size, stride, padding, dilation, groups):
    """The convolution: y of shape (image, output channel, *size)."""
    y = np.empty((len(x), len(w), *size), x.dtype)
    _fill(y, x, w, b, axes_of(size, w.shape[2:], stride, dilation, padding), groups)
    return y


def _fill(y: np.ndarray, x: np.ndarray, w: np.ndarray, b: Any, axes: list[Axis], groups: int) -> None:
    """Compute a convolution into ``y``, which may be a view of something larger."""
    images, channels, *places = y.shape
    outputs, inputs = channels // groups, w.shape[1]
    if b is not None:
        b = b.reshape(groups, outputs, *[1] * len(axes))
    if y.shape[2:] == x.shape[2:] and y.flags.c_contiguous and _pointwise(axes):
        pixels = x.reshape(images, groups, inputs, math.prod(places))
        y = y.reshape(images, groups, outputs, math.prod(places))
        np.matmul(w.reshape(groups, outputs, inputs), pixels, out=y)
        if b is not None:
            y += b.reshape(groups, outputs, 1)
        return
    rows = range(3, 2 + len(axes))
    w = w.reshape(groups, 1, outputs, inputs, *w.shape[2:])
    w = w.transpose(0, 1, 2, *[axis + 1 for axis in rows], 3, -1).reshape(groups, 1, outputs, -1)
    y = y.reshape(images, groups, outputs, *places)
    for some, span, block in _blocks(x, axes):
        seen = _windows(_spread(x[some], block, groups, rows_first=True), block)
        part = y[some, :, :, span]
        product = np.matmul(w, seen)
        product = product.reshape(groups, *part.shape[3:-1], outputs, len(part), part.shape[-1])
        product = product.transpose(-2, 0, -3, *[axis - 2 for axis in rows], -1)
        if b is None:
            part[...] = product
        else:
            np.add(product, b, out=part)


def _pointwise(axes: list[Axis]) -> bool:
    """Whether the filter is a single tap that sees every element where it is."""
    return all((axis.taps, axis.stride, axis.before) == (1, 1, 0) for axis in axes)


@_single_for_half
def _scatter(x, w, b, size, stride, padding, dilation, groups):
    """The transposed convolution: y of shape (image, output channel, *size), by convolutions of stride 1.

    With stride s, place s m + a of y is reached from place q = m + (a + p − d t) / s of x, through
    those taps t for which that is an integer. So each phase a of the places is a convolution with
    some of the taps, the last one first.
    """
    inputs, per_group, *kernel = w.shape
    w = w.reshape(groups, inputs // groups, per_group, *kernel).swapaxes(1, 2)
    w = w.reshape(groups * per_group, inputs // groups, *kernel)
    y = np.zeros((len(x), len(w), *size), x.dtype)
    if b is not None:
        y += b.reshape(-1, *[1] * len(size))
    whole = axes_of(size, kernel, stride, dilation, padding)
    for phases in itertools.product(*[range(min(s, n)) for s, n in zip(stride, size, strict=True)]):
        taps, axes = zip(*map(_phase, whole, phases), strict=True)
        if all(taps):
            part = y[(..., *[slice(a, None, s) for a, s in zip(phases, stride, strict=True)])]
            _fill(part, x, w[(slice(None), slice(None), *np.ix_(*taps))], b, list(axes), groups)
    return y


def _phase(axis: Axis, a: int) -> tuple[list[int], Axis]:
    """The taps that reach the places a, a + s, a + 2 s, ..., and how these look back through them."""
    s, d, start = axis.stride, axis.dilation, axis.before + a
    taps = [t for t in reversed(range(axis.taps)) if (d * t - start) % s == 0]
    if not taps:
        return taps, axis
    apart = (taps[0] - taps[1]) * d // s if len(taps) > 1 else 1
    places = len(range(a, axis.places, s))
    return taps, Axis(places, len(taps), 1, apart, (d * taps[0] - start) // s)


_PRODUCTS = 10**6  # BLAS is fastest on small matrices up to about so many multiplications


@_single_for_half
def _correlate(x, dy, kernel, stride, padding, dilation, groups):
    """The gradient by the weight: for each tap, the sum over all places of what it met, times dy."""
    outputs, inputs = dy.shape[1] // groups, x.shape[1] // groups
    axes = axes_of(dy.shape[2:], kernel, stride, dilation, padding)
    rows = tuple(range(3, 2 + len(axes)))
    dw = np.zeros((*kernel[:-1], groups, outputs, inputs * kernel[-1]), x.dtype)
    for some, span, block in _blocks(x, axes):
        s = _spread(x[some], block, groups, rows_first=False)
        s = s.reshape(groups, inputs * kernel[-1], *s.shape[3:])
        g = dy[some, :, span]
        g = g.reshape(len(g), groups, outputs, *g.shape[2:]).transpose(1, 2, *rows, 0, -1)
        g = g.reshape(groups, outputs, -1)
        for tap in itertools.product(*map(range, kernel[:-1])):
            under = map(Axis.under, block, tap)
            met = s[(slice(None), slice(None), *under)].reshape(groups, inputs * kernel[-1], -1)
            _add_product(dw[tap], g, met)
    dw = dw.reshape(*kernel[:-1], groups * outputs, inputs, kernel[-1])
    return np.moveaxis(dw, (-3, -2), (0, 1))


def _add_product(sums: np.ndarray, a: np.ndarray, b: np.ndarray) -> None:
    """sums += a bᵀ, for matrices much longer than high: piece by piece."""
    length = a.shape[-1]
    small = sums[0].size * 256 < _PRODUCTS
    step = _PRODUCTS // max(sums[0].size, 1) if small else max(length, 1)
    for start in range(0, length, step):
        piece = slice(start, start + step)
        sums += np.matmul(a[..., piece], b[..., piece].swapaxes(-1, -2))


# -- the operations ---------------------------------------------------------------------------------------------------
#
# Each takes the size of its output rather than the padding behind: that also says how much of it there is.

_GRADIENTS: dict[str, Callable[..., Any]] = {
    "dx": lambda dy, w, x_shape, stride, padding, dilation, groups: _conv_transpose(
        dy, w, None, x_shape[2:], stride, padding, dilation, groups
    ),
    "dw": lambda dy, x, w_shape, stride, padding, dilation, groups: _conv_weight(
        x, dy, w_shape[2:], stride, padding, dilation, groups
    ),
    "db": lambda dy: _sum_but_channels(dy),
}


@op(**_GRADIENTS)
def _conv1d(x, w, b, size, stride, padding, dilation, groups):
    return _collect(x, w, b, size, stride, padding, dilation, groups)


@op(**_GRADIENTS)
def _conv2d(x, w, b, size, stride, padding, dilation, groups):
    return _collect(x, w, b, size, stride, padding, dilation, groups)


@op(**_GRADIENTS)
def _conv3d(x, w, b, size, stride, padding, dilation, groups):
    return _collect(x, w, b, size, stride, padding, dilation, groups)


_CONV = {1: _conv1d, 2: _conv2d, 3: _conv3d}  # by the number of axes


@op(
    dx=lambda dy, w, x_shape, stride, padding, dilation, groups: _CONV[len(x_shape) - 2](
        dy, w, None, x_shape[2:], stride, padding, dilation, groups
    ),
    dw=lambda dy, x, w_shape, stride, padding, dilation, groups: _conv_weight(
        dy, x, w_shape[2:], stride, padding, dilation, groups
    ),
    db=lambda dy: _sum_but_channels(dy),
)
def _conv_transpose(x, w, b, size, stride, padding, dilation, groups):
    return _scatter(x, w, b, size, stride, padding, dilation, groups)


@op(
    dx=lambda dw, dy, x_shape, stride, padding, dilation, groups: _conv_transpose(
        dy, dw, None, x_shape[2:], stride, padding, dilation, groups
    ),
    ddy=lambda dw, x, dy_shape, stride, padding, dilation, groups: _CONV[len(dy_shape) - 2](
        x, dw, None, dy_shape[2:], stride, padding, dilation, groups
    ),
)
def _conv_weight(x, dy, kernel, stride, padding, dilation, groups):
    return _correlate(x, dy, kernel, stride, padding, dilation, groups)


def _sum_but_channels(dy: Any) -> Any:
    return dy.sum(tuple(i for i in range(dy.ndim) if i != 1))


# -- patches ----------------------------------------------------------------------------------------------------------


@linear(
    dx=lambda dy, x_shape, size, kernel, stride, padding, dilation: _col2im(
        dy, x_shape[2:], size, kernel, stride, padding, dilation
    ),
    kinds="bf",
)
def _im2col(x, size, kernel, stride, padding, dilation):
    """Every window of the images as a column, (image, channel and tap, place). ``size``: the places."""
    axes = axes_of(size, kernel, stride, dilation, padding)
    columns = np.empty((*x.shape[:2], math.prod(kernel), *size), x.dtype)
    for tap, view in enumerate(views(surrounded(x, axes, 0), axes)):
        columns[:, :, tap] = view
    return columns.reshape(len(x), x.shape[1] * math.prod(kernel), math.prod(size))


@linear(
    dx=lambda dy, size, kernel, stride, padding, dilation: _im2col(
        dy, size, kernel, stride, padding, dilation
    ),
    kinds="bf",
)
def _col2im(x, lengths, size, kernel, stride, padding, dilation):
    """Columns added up at the places they came from: the adjoint of im2col."""
    axes = axes_of(size, kernel, stride, dilation, padding)
    channels = x.shape[1] // math.prod(kernel)
    columns = x.reshape(len(x), channels, math.prod(kernel), *size)
    images = np.zeros((len(x), channels, *room(axes, lengths)), x.dtype)
    for tap, view in enumerate(views(images, axes)):
        view += columns[:, :, tap]
    return middle(images, axes, lengths)


# -- for users --------------------------------------------------------------------------------------------------------


def conv1d(
    input: Any, weight: Any, bias: Any = None,
    stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1,
) -> Any:  # fmt: skip
    """The convolution of signals (N, C, L), or of one (C, L), by ``weight`` (O, C/groups, K).

    See :func:`conv2d`."""
    return _convolution(1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Any, weight: Any, bias: Any = None,
    stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1,
) -> Any:  # fmt: skip
    """The convolution of images (N, C, H, W), or of one (C, H, W), by ``weight`` (O, C/groups, kH, kW).

    The result has O channels, of height ⌊(H + 2 padding − dilation (kH − 1) − 1) / stride⌋ + 1 and a
    width likewise; ``bias`` (O) is added. ``padding`` may be "valid", for none, or with stride 1
    "same", for as much as keeps the size (an odd one goes behind). With ``groups``, each group of
    outputs sees its own group of inputs only. All tensors have one dtype; float16 is computed in
    float32 and rounded once.

    RuntimeError for shapes, dtypes and settings that do not go together, TypeError for what are no
    tensors or no ints, NotImplementedError for bool."""
    return _convolution(2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Any, weight: Any, bias: Any = None,
    stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1,
) -> Any:  # fmt: skip
    """The convolution of volumes (N, C, D, H, W), or of one, by ``weight`` (O, C/groups, kD, kH, kW).

    See :func:`conv2d`."""
    return _convolution(3, input, weight, bias, stride, padding, dilation, groups)


def conv_transpose1d(
    input: Any, weight: Any, bias: Any = None,
    stride: Any = 1, padding: Any = 0, output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
) -> Any:  # fmt: skip
    """The adjoint of :func:`conv1d`, for (N, C, L) or (C, L), by ``weight`` (C, O/groups, K).

    See :func:`conv_transpose2d`."""
    return _transposed(
        1, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def conv_transpose2d(
    input: Any, weight: Any, bias: Any = None,
    stride: Any = 1, padding: Any = 0, output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
) -> Any:  # fmt: skip
    """The adjoint of :func:`conv2d`: from its outputs (N, C, H, W) or (C, H, W) back to its inputs.

    Each element is spread over a window of the result, by ``weight`` (C, O/groups, kH, kW). The
    height is (H − 1) stride − 2 padding + dilation (kH − 1) + output_padding + 1, the width likewise:
    a convolution of stride s takes several heights to H, among which ``output_padding`` (less than
    stride or dilation) chooses. Raises as :func:`conv2d`."""
    return _transposed(
        2, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def conv_transpose3d(
    input: Any, weight: Any, bias: Any = None,
    stride: Any = 1, padding: Any = 0, output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
) -> Any:  # fmt: skip
    """The adjoint of :func:`conv3d`, for (N, C, D, H, W) or one, by ``weight`` (C, O/groups, kD, kH, kW).

    See :func:`conv_transpose2d`."""
    return _transposed(
        3, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def unfold(
    input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Any:
    """Every window of images (N, C, H, W), or of one, as a column: (N, C kH kW, places), row by row.

    What convolution multiplies its weights with, if it is written out: conv2d(x, w) is
    (w.flatten(1) @ unfold(x, k)).unflatten(-1, (H', W')). Raises RuntimeError if there is no place,
    and as :func:`conv2d`."""
    require_tensor(input, "unfold")
    if input.ndim == 3:
        return squeeze(unfold(unsqueeze(input, 0), kernel_size, dilation, padding, stride), 0)
    if input.ndim != 4 or 0 in input.shape[1:]:
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero "
            f"dimensions for input of unfold, but got: {list(input.shape)}"
        )
    settings = _patch_settings("unfold", kernel_size, stride, padding, dilation)
    size = _patches("unfold", tuple(input.shape[2:]), *settings)
    return _im2col(input, size, *settings)


def fold(
    input: Any, output_size: Any, kernel_size: Any,
    dilation: Any = 1, padding: Any = 0, stride: Any = 1,
) -> Any:  # fmt: skip
    """Columns (N, C kH kW, places), or (C kH kW, places), added up at the places of their windows.

    The adjoint of :func:`unfold` of images of ``output_size``: the result is (N, C, *output_size).
    RuntimeError if the number of rows is no multiple of kH kW, or that of columns not the number of
    places."""
    require_tensor(input, "fold")
    if input.ndim == 2:
        settings = (output_size, kernel_size, dilation, padding, stride)
        return squeeze(fold(unsqueeze(input, 0), *settings), 0)
    if input.ndim != 3 or 0 in input.shape[1:]:
        raise RuntimeError(
            "Expected 2D or 3D (batch mode) tensor for input of fold with possibly 0 batch size and "
            f"non-zero dimensions, but got: {list(input.shape)}"
        )
    lengths = per_axis(output_size, 2, "output_size", "fold")
    at_least(1, lengths, "output_size", "fold")
    settings = _patch_settings("fold", kernel_size, stride, padding, dilation)
    kernel = settings[0]
    if input.shape[1] % math.prod(kernel):
        raise RuntimeError(
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, "
            f"but got input.size(1)={input.shape[1]} and kernel_size={kernel} in fold"
        )
    size = _patches("fold", lengths, *settings)
    if input.shape[2] != math.prod(size):
        raise RuntimeError(
            f"Given output_size={lengths}, kernel_size={kernel}, stride={settings[1]}, padding="
            f"{settings[2]} and dilation={settings[3]}, expected size of input's dimension 2 to "
            f"match the calculated number of sliding blocks {_times(size)} = {math.prod(size)}, but "
            f"got input.size(2)={input.shape[2]}"
        )
    return _col2im(input, lengths, size, *settings)


def _patch_settings(
    function: str, kernel: Any, stride: Any, padding: Any, dilation: Any
) -> tuple[Sizes, Sizes, Sizes, Sizes]:
    """The settings of fold and unfold for each of the two axes."""
    found = (
        per_axis(kernel, 2, "kernel_size", function),
        per_axis(stride, 2, "stride", function),
        per_axis(padding, 2, "padding", function),
        per_axis(dilation, 2, "dilation", function),
    )
    for least, name, values in zip(
        (1, 1, 0, 1), ("kernel_size", "stride", "padding", "dilation"), found, strict=True
    ):
        at_least(least, values, name, function)
    return found


def _patches(
    function: str, lengths: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
) -> Sizes:
    """How many windows fit along each axis. RuntimeError if none."""
    size = tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, s, p, d in zip(lengths, kernel, stride, padding, dilation, strict=True)
    )
    if min(size) < 1:
        raise RuntimeError(
            f"Given input with spatial size {lengths}, kernel_size={kernel}, dilation={dilation} and "
            f"padding={padding}, {function} calculated the shape of the array of sliding blocks as "
            f"{size}, but its components must be at least one"
        )
    return size


def _convolution(axes, input, weight, bias, stride, padding, dilation, groups):
    function = f"conv{axes}d"
    _check_tensors(function, axes, input, weight, bias)
    if input.ndim == axes + 1:
        batch = unsqueeze(input, 0)
        y = _convolution(axes, batch, weight, bias, stride, padding, dilation, groups)
        return squeeze(y, 0)
    stride, dilation = _steps(function, axes, stride, dilation, groups)
    _check_channels(function, input, weight, bias, weight.shape[1] * groups, weight.shape[0], groups)
    lengths = tuple(input.shape[2:])
    windows = [d * (k - 1) + 1 for d, k in zip(dilation, weight.shape[2:], strict=True)]
    if isinstance(padding, str):
        both = _padding_called(function, padding, stride, windows)
        before = tuple([p // 2 for p in both])
    else:
        before = per_axis(padding, axes, "padding", function)
        at_least(0, before, "padding", function)
        both = [2 * p for p in before]
    padded = [n + p for n, p in zip(lengths, both, strict=True)]
    if any(n < k for n, k in zip(padded, windows, strict=True)):
        raise RuntimeError(
            f"Calculated padded input size per channel: ({_times(padded)}). "
            f"Kernel size: ({_times(windows)}). Kernel size can't be greater than actual input size: "
            f"{function} got an input of shape {list(input.shape)} and a weight of shape "
            f"{list(weight.shape)}, with dilation={list(dilation)}. Give it a larger input, more "
            "padding or a smaller kernel."
        )
    size = tuple([(n - k) // s + 1 for n, k, s in zip(padded, windows, stride, strict=True)])
    return _CONV[axes](input, weight, bias, size, stride, before, dilation, groups)


def _transposed(axes, input, weight, bias, stride, padding, output_padding, groups, dilation):
    function = f"conv_transpose{axes}d"
    _check_tensors(function, axes, input, weight, bias)
    if input.ndim == axes + 1:
        settings = (stride, padding, output_padding, groups, dilation)
        return squeeze(_transposed(axes, unsqueeze(input, 0), weight, bias, *settings), 0)
    stride, dilation = _steps(function, axes, stride, dilation, groups)
    before = per_axis(padding, axes, "padding", function)
    more = per_axis(output_padding, axes, "output_padding", function)
    at_least(0, before, "padding", function)
    at_least(0, more, "output_padding", function)
    _check_channels(function, input, weight, bias, weight.shape[0], weight.shape[1] * groups, groups)
    if any(extra >= max(steps) for extra, *steps in zip(more, stride, dilation, strict=True)):
        raise RuntimeError(
            f"output padding must be smaller than either stride or dilation, but {function} got "
            f"output_padding={list(more)}, stride={list(stride)} and dilation={list(dilation)}"
        )
    size = tuple(
        (n - 1) * s - 2 * p + d * (k - 1) + extra + 1
        for n, s, p, d, k, extra in zip(
            input.shape[2:], stride, before, dilation, weight.shape[2:], more, strict=True
        )
    )
    if min(size) < 0:
        raise RuntimeError(
            f"Calculated output size per channel: ({_times(size)}), which is negative: {function} "
            f"got an input of shape {list(input.shape)}, a weight of shape {list(weight.shape)} and "
            f"padding={list(before)}. Give it less padding."
        )
    return _conv_transpose(input, weight, bias, size, stride, before, dilation, groups)


# -- what cannot be convolved -----------------------------------------------------------------------------------------


def _check_tensors(function: str, axes: int, input: Any, weight: Any, bias: Any) -> None:
    """The types, numbers of dimensions and dtypes."""
    require_tensor(input, function)
    require_tensor(weight, function, "weight")
    if bias is not None:
        require_tensor(bias, function, "bias")
    if weight.ndim != axes + 2:
        raise RuntimeError(
            f"Expected {axes + 2}D weight for {function} (two numbers of channels and the size of "
            f"the kernel), but got weight of size: {list(weight.shape)}"
        )
    if input.ndim not in (axes + 1, axes + 2):
        raise RuntimeError(
            f"Expected {axes + 1}D (unbatched) or {axes + 2}D (batched) input to {function}, but "
            f"got input of size: {list(input.shape)}"
        )
    for name, x in (("weight", weight), ("bias", bias)):
        if x is not None and x.dtype != input.dtype:
            raise RuntimeError(
                f"Input type ({input.dtype}) and {name} type ({x.dtype}) should be the same: "
                f"{function} needs one dtype; convert with input.to({name}.dtype) for example"
            )
    if 0 in input.shape[-axes:] or 0 in weight.shape[2:]:
        raise RuntimeError(
            f"Only zero batch or zero channel inputs are supported, but {function} got an input of "
            f"shape {list(input.shape)} and a weight of shape {list(weight.shape)}"
        )


def _steps(function: str, axes: int, stride: Any, dilation: Any, groups: Any) -> tuple[Sizes, Sizes]:
    """Stride and dilation for each axis, checked together with ``groups``."""
    stride = per_axis(stride, axes, "stride", function)
    dilation = per_axis(dilation, axes, "dilation", function)
    at_least(1, stride, "stride", function)
    at_least(1, dilation, "dilation", function)
    at_least(1, per_axis(groups, 1, "groups", function), "groups", function)
    return stride, dilation


def _check_channels(
    function: str, input: Any, weight: Any, bias: Any, channels: int, outputs: int, groups: int
) -> None:
    """The numbers of channels that the weight makes of ``input`` and ``bias`` demand."""
    kind = "transposed=1" if function.startswith("conv_transpose") else f"groups={groups}"
    given = f"Given {kind}, weight of size {list(weight.shape)}"
    if weight.shape[0] < groups or weight.shape[0] % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be at least {groups} and divisible by "
            f"{groups} at dimension 0, but got weight of size {list(weight.shape)} instead"
        )
    if input.shape[1] != channels:
        raise RuntimeError(
            f"{given}, expected input{list(input.shape)} to have {channels} channels, but got "
            f"{input.shape[1]} channels instead (dimension 1 of the input of {function})"
        )
    if bias is not None and tuple(bias.shape) != (outputs,):
        raise RuntimeError(
            f"{given}, expected bias to be 1-dimensional with {outputs} elements, one for each "
            f"output channel of {function}, but got bias of size {list(bias.shape)} instead"
        )


def _padding_called(function: str, name: str, stride: Sizes, windows: list[int]) -> list[int]:
    """How much padding "valid" or "same" means, before and behind each axis together."""
    if name == "valid":
        return [0] * len(windows)
    if name != "same":
        raise RuntimeError(
            f"Invalid padding string: '{name}'. {function} knows padding='valid', 'same' or numbers"
        )
    if max(stride) > 1:
        raise RuntimeError(
            f"padding='same' is not supported for strided convolutions: {function} got stride="
            f"{list(stride)}. Give the padding in numbers."
        )
    return [window - 1 for window in windows]


def _times(sizes: Any) -> str:
    return " x ".join(map(str, sizes))
