"""Convolution: one small filter looks at every place of a signal, an image or a volume.

    y[n, o, q]  =  b[o]  +  Σ_c Σ_t  w[o, c, t] · x[n, c, s q + d t − p]

for image n and output channel o; q runs over the places where the filter stands and t over its
*taps* (in two dimensions each is a pair), with stride s, dilation d and padding p: outside of its
bounds x counts as 0. (Mathematicians call this a correlation; their convolution turns the filter
around. So does the gradient.)

**Three functions, one form.** ⟨dy, conv(x, w)⟩ is linear in each of x, w and dy, so its gradient by
one is a function of the other two:

    by dy    conv(x, w)              each place collects from what is under its taps
    by x     conv_transpose(dy, w)   each place gives back to what is under its taps
    by w     conv_weight(x, dy)      each tap sums up what it met in all places

and the gradients of each of these three are the other two: hence derivatives of any order.

**How it is computed.** As a product with a matrix in which every pixel stands once for every tap,
except that this matrix never exists. A block of images, few enough for the cache, is spread along
its last axis only,

    S[h, (c, j), (n, q)]  =  x[n, c, h, s q + d j − p]       row h, as the taps of column j see it

and then what all taps see from row r of the places, S[r], S[r + 1], ..., is one matrix as it lies
in memory. The matrices of the next rows overlap it, and cost nothing:

    y[:, :, r]  =  w · [S[r]; S[r + 1]; S[r + 2]]            for a filter of three rows

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

from autograd.op import op
from autograd.ops.shape import squeeze, unsqueeze
from autograd.ops.windows import (
    Axes,
    Axis,
    Sizes,
    at_least,
    axes_of,
    last,
    per_axis,
    require_tensor,
)

__all__ = [
    "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
]  # fmt: skip

# -- spreading -------------------------------------------------------------------------------------

_BLOCK = 1 << 21  # bytes of a block, spread: about what the second-level caches hold
_ROWS = 8  # rows of a block, at least: where blocks of one image meet, rows are spread twice


def _blocks(x: np.ndarray, axes: Axes) -> Iterator[tuple[slice, slice, Axes]]:
    """Some images and some places along the first axis, to work on at a time, and their axes."""
    images, channels = x.shape[:2]
    *rows, columns = axes
    size = (
        channels * columns.taps * columns.places * math.prod([a.reach for a in rows]) * x.itemsize
    )
    if len(rows) > 1 or axes[0].dilation > 1:  # rows that do not lie together must be copied
        size *= math.prod([a.taps for a in rows])
    if size <= _BLOCK:
        step = _BLOCK // max(size, 1)
        for start in range(0, images, step):
            yield slice(start, start + step), slice(None), axes
        return
    first = axes[0]
    step = max(_ROWS, first.places * _BLOCK // size)
    for image in range(images):
        for start in range(0, first.places, step):
            some = first._replace(
                places=min(step, first.places - start),
                padding=first.padding - first.stride * start,
            )
            yield slice(image, image + 1), slice(start, start + step), (some, *axes[1:])


def _spread(x: np.ndarray, axes: Axes, groups: int, rows_first: bool) -> np.ndarray:
    """S of shape (group, *rows, channel, tap, image, place), or with the rows after the taps."""
    images, channels, *lengths = x.shape
    *rows, columns = axes
    taps, places = columns.taps, columns.places
    heights = [axis.reach for axis in rows]
    inside = [_overlap(-a.padding, 1, a.reach, n) for a, n in zip(rows, lengths, strict=False)]
    seen = [
        _overlap(columns.dilation * tap - columns.padding, columns.stride, places, lengths[-1])
        for tap in range(taps)
    ]
    filled = [which.stop - which.start for which, _ in (*inside, *seen)]
    new = np.empty if filled == [*heights, *[places] * taps] else np.zeros

    channels //= groups
    row_axes = tuple(range(3, 3 + len(rows)))
    if rows_first:
        s = new((groups, *heights, channels, taps, images, places), x.dtype)
        by_rows = s
    else:
        s = new((groups, channels, taps, *heights, images, places), x.dtype)
        by_rows = s.transpose(0, *row_axes, 1, 2, -2, -1)
    x = x[last(*[where for _, where in inside], slice(None))]
    x = x.reshape(images, groups, channels, *x.shape[2:]).transpose(1, *row_axes, 2, 0, -1)
    s_inside = by_rows[(slice(None), *[which for which, _ in inside])]
    for tap, (which, where) in enumerate(seen):
        s_inside[..., tap, :, which] = x[..., where]
    return s


def _overlap(first: int, step: int, count: int, length: int) -> tuple[slice, slice]:
    """Of ``count`` elements at first, first + step, ...: which of them an axis has, and where."""
    start = max(0, -(first // step))
    stop = min(count, (length - 1 - first) // step + 1)
    if start >= stop:
        return slice(0, 0), slice(0, 0)
    return slice(start, stop), slice(first + step * start, first + step * (stop - 1) + 1, step)


def _seen(s: np.ndarray, axes: Axes) -> np.ndarray:
    """What all taps see, as matrices (tap, place), one for each group and row of places."""
    rows = axes[:-1]
    groups, *_, channels, taps, images, places = s.shape
    group, *row, _, tap, _, place = s.strides
    shape = (
        groups,
        *[a.places for a in rows],
        *[a.taps for a in rows],
        channels * taps,
        images * places,
    )
    strides = (
        group,
        *[a.stride * step for a, step in zip(rows, row, strict=True)],
        *[a.dilation * step for a, step in zip(rows, row, strict=True)],
        tap,
        place,
    )
    overlapping = np.ndarray(shape, s.dtype, s, strides=strides)
    height = math.prod([a.places for a in rows])
    depth = channels * math.prod([a.taps for a in axes])
    return overlapping.reshape(groups, height, depth, images * places)


# -- the three functions, on arrays ----------------------------------------------------------------


def _single_for_half(function: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """Compute float16 in float32, and round once at the end."""

    @functools.wraps(function)
    def call(x: np.ndarray, *args: Any) -> np.ndarray:
        if x.dtype != np.float16:
            return function(x, *args)
        wide = [a.astype(np.float32) if isinstance(a, np.ndarray) else a for a in (x, *args)]
        return function(*wide).astype(np.float16)

    return call


@_single_for_half
def _collect(x: np.ndarray, w: np.ndarray, b: Any, axes: Axes, groups: int) -> np.ndarray:
    """The convolution: each place collects from what is under its taps."""
    y = np.empty((len(x), len(w), *[axis.places for axis in axes]), x.dtype)
    _convolve(x, w, b, axes, groups, out=y)
    return y


def _convolve(
    x: np.ndarray, w: np.ndarray, b: Any, axes: Axes, groups: int, out: np.ndarray
) -> None:
    """Convolve into ``out``, which may be a view with strides of its own."""
    images, outputs, *places = out.shape
    outputs //= groups
    channels = w.shape[1]
    out = out.reshape(images, groups, outputs, *places)
    if b is not None:
        b = b.reshape(groups, outputs, *[1] * len(axes))
    if _is_pointwise(axes, x.shape[2:]) and out.flags.c_contiguous:
        pixels = x.reshape(images, groups, channels, math.prod(places))
        w = w.reshape(groups, outputs, channels)
        np.matmul(w, pixels, out=out.reshape(images, groups, outputs, math.prod(places)))
        if b is not None:
            out += b
        return
    row_axes = range(3, 2 + len(axes))
    depth = channels * math.prod(w.shape[2:])
    w = w.reshape(groups, outputs, channels, *w.shape[2:])
    w = w.transpose(0, 1, *row_axes, 2, -1).reshape(groups, 1, outputs, depth)
    for some, rows, block in _blocks(x, axes):
        part = out[some, :, :, rows]
        y = np.matmul(w, _seen(_spread(x[some], block, groups, rows_first=True), block))
        y = y.reshape(groups, *part.shape[3:-1], outputs, len(part), part.shape[-1])
        y = y.transpose(-2, 0, -3, *[axis - 2 for axis in row_axes], -1)
        if b is None:
            part[...] = y
        else:
            np.add(y, b, out=part)


def _is_pointwise(axes: Axes, lengths: Sizes) -> bool:
    """Whether there is a single tap, which sees every element where it is."""
    return all(a == (n, 1, 1, a.dilation, 0) for a, n in zip(axes, lengths, strict=True))


@_single_for_half
def _give_back(
    x: np.ndarray, w: np.ndarray, b: Any, size: Sizes, axes: Axes, groups: int
) -> np.ndarray:
    """The transposed convolution: each place gives back to what is under its taps.

    With stride s, element s m + a of an axis gets something from place q = m + (a + p − d t) / s,
    through those taps t for which that is an integer. So the elements of each phase a come from a
    convolution of stride 1, with some of the taps, the last one first."""
    inputs, channels, *taps = w.shape
    w = w.reshape(groups, inputs // groups, channels, *taps).swapaxes(1, 2)
    w = w.reshape(groups * channels, inputs // groups, *taps)
    y = np.zeros((len(x), groups * channels, *size), x.dtype)
    if b is not None:
        y += b.reshape(-1, *[1] * len(size))
    strides = [axis.stride for axis in axes]
    counts = [min(s, n) for s, n in zip(strides, size, strict=True)]
    for phases in itertools.product(*map(range, counts)):
        taps_of_phase, axes_of_phase = zip(*map(_phase, axes, phases, size), strict=True)
        if all(taps_of_phase):
            every = [slice(a, None, s) for a, s in zip(phases, strides, strict=True)]
            part = y[last(*every)]
            some = w[(slice(None), slice(None), *np.ix_(*taps_of_phase))]
            _convolve(x, some, b, axes_of_phase, groups, out=part)
    return y


def _phase(axis: Axis, a: int, length: int) -> tuple[list[int], Axis]:
    """The taps that give to elements a, s + a, 2 s + a, ..., which look back through them so."""
    s, d, start = axis.stride, axis.dilation, axis.padding + a
    taps = [t for t in reversed(range(axis.taps)) if (d * t - start) % s == 0]
    if not taps:
        return taps, axis
    apart = (taps[0] - taps[1]) * d // s if len(taps) > 1 else 1
    return taps, Axis(len(range(a, length, s)), len(taps), 1, apart, (d * taps[0] - start) // s)


_FEW = 1 << 12  # elements of a matrix that count as few
_PRODUCTS = 10**6  # BLAS is fastest on small matrices up to about so many multiplications


@_single_for_half
def _correlate(x: np.ndarray, dy: np.ndarray, axes: Axes, groups: int) -> np.ndarray:
    """The gradient by the weight: each tap sums up what it met, times the ``dy`` of the place."""
    outputs, channels = dy.shape[1] // groups, x.shape[1] // groups
    *row_taps, taps = [axis.taps for axis in axes]
    row_axes = range(3, 2 + len(axes))
    dw = np.zeros((*row_taps, groups, outputs, channels * taps), x.dtype)
    for some, rows, block in _blocks(x, axes):
        s = _spread(x[some], block, groups, rows_first=False)
        s = s.reshape(groups, channels * taps, *s.shape[3:])
        g = dy[some, :, rows]
        g = g.reshape(len(g), groups, outputs, *g.shape[2:]).transpose(1, 2, *row_axes, 0, -1)
        g = g.reshape(groups, outputs, math.prod(g.shape[2:]))
        for tap in itertools.product(*map(range, row_taps)):
            met = s[(slice(None), slice(None), *map(Axis.under, block, tap))]
            _add_product(dw[tap], g, met.reshape(groups, channels * taps, g.shape[-1]))
    dw = dw.reshape(*row_taps, groups * outputs, channels, taps)
    return np.moveaxis(dw, (-3, -2), (0, 1))


def _add_product(sums: np.ndarray, a: np.ndarray, b: np.ndarray) -> None:
    """sums += a bᵀ, for matrices with many more columns than rows."""
    few, columns = sums[0].size, a.shape[-1]
    step = _PRODUCTS // max(few, 1) if few < _FEW else max(columns, 1)
    for start in range(0, columns, step):
        piece = slice(start, start + step)
        sums += np.matmul(a[..., piece], b[..., piece].swapaxes(-1, -2))


# -- the operations --------------------------------------------------------------------------------

_GRADIENTS: dict[str, Callable[..., Any]] = {
    "dx": lambda dy, w, x_shape, axes, groups: _conv_transpose(
        dy, w, None, x_shape[2:], axes, groups
    ),
    "dw": lambda dy, x, axes, groups: _conv_weight(x, dy, axes, groups),
    "db": lambda dy: _sum_but_channels(dy),
}


@op(**_GRADIENTS, kinds="iuf")
def _conv1d(x, w, b, axes, groups):
    return _collect(x, w, b, axes, groups)


@op(**_GRADIENTS, kinds="iuf")
def _conv2d(x, w, b, axes, groups):
    return _collect(x, w, b, axes, groups)


@op(**_GRADIENTS, kinds="iuf")
def _conv3d(x, w, b, axes, groups):
    return _collect(x, w, b, axes, groups)


_CONV = {1: _conv1d, 2: _conv2d, 3: _conv3d}  # by the number of axes


@op(
    dx=lambda dy, w, axes, groups: _CONV[len(axes)](dy, w, None, axes, groups),
    dw=lambda dy, x, axes, groups: _conv_weight(dy, x, axes, groups),
    db=lambda dy: _sum_but_channels(dy),
    kinds="iuf",
)
def _conv_transpose(x, w, b, size, axes, groups):
    """The adjoint of convolution by the image: each output is handed back to its window."""
    return _give_back(x, w, b, size, axes, groups)


@op(
    dx=lambda dw, dy, x_shape, axes, groups: _conv_transpose(
        dy, dw, None, x_shape[2:], axes, groups
    ),
    ddy=lambda dw, x, axes, groups: _CONV[len(axes)](x, dw, None, axes, groups),
)
def _conv_weight(x, dy, axes, groups):
    """The adjoint of convolution by the filter: images correlated with gradients."""
    return _correlate(x, dy, axes, groups)


def _sum_but_channels(dy: Any) -> Any:
    return dy.sum(tuple(i for i in range(dy.ndim) if i != 1))


# -- for users -------------------------------------------------------------------------------------


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
    """The convolution of images (N, C, H, W), or of one, by ``weight`` (O, C/groups, kH, kW).

    The result has O channels, of height ⌊(H + 2 padding − dilation (kH − 1) − 1) / stride⌋ + 1 and
    a width likewise; ``bias`` (O) is added. ``padding`` may be "valid", for none, or with stride 1
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
    """The convolution of volumes (N, C, D, H, W), or of one.

    ``weight`` is (O, C/groups, kD, kH, kW). See :func:`conv2d`."""
    return _convolution(3, input, weight, bias, stride, padding, dilation, groups)


def conv_transpose1d(
    input: Any, weight: Any, bias: Any = None,
    stride: Any = 1, padding: Any = 0, output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
) -> Any:  # fmt: skip
    """The adjoint of :func:`conv1d`, from (N, C, L) or (C, L), by ``weight`` (C, O/groups, K).

    See :func:`conv_transpose2d`."""
    settings = (stride, padding, output_padding, groups, dilation)
    return _transposed_convolution(1, input, weight, bias, *settings)


def conv_transpose2d(
    input: Any, weight: Any, bias: Any = None,
    stride: Any = 1, padding: Any = 0, output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
) -> Any:  # fmt: skip
    """The adjoint of :func:`conv2d`: from its places, (N, C, H, W) or (C, H, W), back to images.

    Each place gives to a window of the result, by ``weight`` (C, O/groups, kH, kW). The height is
    (H − 1) stride − 2 padding + dilation (kH − 1) + output_padding + 1, the width likewise: with a
    stride, images of several heights have H places, and ``output_padding`` (less than stride or
    dilation) chooses among them. Raises as :func:`conv2d`."""
    settings = (stride, padding, output_padding, groups, dilation)
    return _transposed_convolution(2, input, weight, bias, *settings)


def conv_transpose3d(
    input: Any, weight: Any, bias: Any = None,
    stride: Any = 1, padding: Any = 0, output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
) -> Any:  # fmt: skip
    """The adjoint of :func:`conv3d`, from (N, C, D, H, W) or (C, D, H, W).

    ``weight`` is (C, O/groups, kD, kH, kW). See :func:`conv_transpose2d`."""
    settings = (stride, padding, output_padding, groups, dilation)
    return _transposed_convolution(3, input, weight, bias, *settings)


def _convolution(
    dims: int, input: Any, weight: Any, bias: Any,
    stride: Any, padding: Any, dilation: Any, groups: Any,
) -> Any:  # fmt: skip
    function = f"conv{dims}d"
    _check(function, dims, input, weight, bias, groups)
    if input.ndim == dims + 1:
        settings = (stride, padding, dilation, groups)
        return squeeze(_convolution(dims, unsqueeze(input, 0), weight, bias, *settings), 0)
    lengths, kernel = tuple(input.shape[2:]), tuple(weight.shape[2:])
    if isinstance(padding, str):
        axes = axes_of(function, lengths, kernel, stride, dilation, 0)
        axes = _padded(function, padding, axes, lengths)
    else:
        axes = axes_of(function, lengths, kernel, stride, dilation, padding)
    if any(axis.places < 1 for axis in axes):
        raise RuntimeError(
            "Calculated padded input size per channel: "
            f"({_times([n + 2 * a.padding for a, n in zip(axes, lengths, strict=True)])}). Kernel "
            f"size: ({_times([a.dilation * (a.taps - 1) + 1 for a in axes])}). Kernel size can't "
            f"be greater than actual input size: {function} got an input of shape "
            f"{list(input.shape)} and a weight of shape {list(weight.shape)}. Give it a larger "
            "input, more padding, or a smaller kernel or dilation."
        )
    return _CONV[dims](input, weight, bias, axes, groups)


def _padded(function: str, padding: str, axes: Axes, lengths: Sizes) -> Axes:
    """The axes with the padding that "valid" or "same" means."""
    if padding == "valid":
        return axes
    if padding != "same":
        raise RuntimeError(
            f"Invalid padding string: '{padding}'; {function} takes 'valid', 'same' or numbers"
        )
    if any(axis.stride > 1 for axis in axes):
        raise RuntimeError(
            f"padding='same' is not supported for strided convolutions: {function} got stride="
            f"{[axis.stride for axis in axes]}. Give the padding in numbers."
        )
    return tuple(
        axis._replace(places=n, padding=axis.dilation * (axis.taps - 1) // 2)
        for axis, n in zip(axes, lengths, strict=True)
    )


def _transposed_convolution(
    dims: int, input: Any, weight: Any, bias: Any,
    stride: Any, padding: Any, output_padding: Any, groups: Any, dilation: Any,
) -> Any:  # fmt: skip
    function = f"conv_transpose{dims}d"
    _check(function, dims, input, weight, bias, groups)
    if input.ndim == dims + 1:
        batch = unsqueeze(input, 0)
        settings = (stride, padding, output_padding, groups, dilation)
        return squeeze(_transposed_convolution(dims, batch, weight, bias, *settings), 0)
    lengths, kernel = tuple(input.shape[2:]), tuple(weight.shape[2:])
    axes = axes_of(function, lengths, kernel, stride, dilation, padding)
    axes = tuple(axis._replace(places=n) for axis, n in zip(axes, lengths, strict=True))
    more = per_axis(output_padding, dims, "output_padding", function)
    at_least(0, more, "output_padding", function)
    if any(n >= max(axis.stride, axis.dilation) for axis, n in zip(axes, more, strict=True)):
        raise RuntimeError(
            f"output padding must be smaller than either stride or dilation, but {function} got "
            f"output_padding={list(more)}, stride={[axis.stride for axis in axes]} and dilation="
            f"{[axis.dilation for axis in axes]}"
        )
    size = tuple([a.reach - 2 * a.padding + n for a, n in zip(axes, more, strict=True)])
    if min(size) < 1:
        raise RuntimeError(
            f"Given input size per channel: ({_times(lengths)}). Calculated output size per "
            f"channel: ({_times(size)}). Output size is too small: {function} got padding="
            f"{[axis.padding for axis in axes]}. Give it less, or a larger kernel."
        )
    return _conv_transpose(input, weight, bias, size, axes, groups)


def _check(function: str, dims: int, input: Any, weight: Any, bias: Any, groups: Any) -> None:
    """Whether these fit together: types, numbers of dimensions, dtypes, numbers of channels."""
    require_tensor(input, function)
    require_tensor(weight, function, "weight")
    if bias is not None:
        require_tensor(bias, function, "bias")
    if weight.ndim != dims + 2:
        raise RuntimeError(
            f"Expected {dims + 2}D weight for {function}, two numbers of channels and the size of "
            f"the kernel, but got weight of size: {list(weight.shape)}"
        )
    if input.ndim not in (dims + 1, dims + 2):
        raise RuntimeError(
            f"Expected {dims + 1}D (unbatched) or {dims + 2}D (batched) input to {function}, but "
            f"got input of size: {list(input.shape)}"
        )
    for name, x in (("weight", weight), ("bias", bias)):
        if x is not None and x.dtype != input.dtype:
            raise RuntimeError(
                f"Input type ({input.dtype}) and {name} type ({x.dtype}) should be the same in "
                f"{function}: convert one of them, with .to(dtype)"
            )
    if 0 in input.shape[-dims:]:
        raise RuntimeError(
            f"Only zero batch or zero channel inputs are supported by {function}, but got input "
            f"shape: {list(input.shape)}"
        )
    at_least(1, per_axis(groups, 1, "groups", function), "groups", function)
    _check_channels(function, dims, input, weight, bias, groups)


def _check_channels(
    function: str, dims: int, input: Any, weight: Any, bias: Any, groups: int
) -> None:
    given = f"Given groups={groups}, weight of size {list(weight.shape)}"
    if weight.shape[0] < groups or weight.shape[0] % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be at least {groups} at dimension 0 and "
            f"divisible by it, but {function} got weight of size {list(weight.shape)}"
        )
    outputs, channels = weight.shape[0], weight.shape[1] * groups
    if function.startswith("conv_transpose"):
        outputs, channels = channels, outputs
    found = input.shape[input.ndim - dims - 1]
    if found != channels:
        raise RuntimeError(
            f"{given}, expected input{list(input.shape)} to have {channels} channels, but got "
            f"{found} channels instead (in {function}, of an input with {dims} dimensions behind "
            "its channels)"
        )
    if bias is not None and tuple(bias.shape) != (outputs,):
        raise RuntimeError(
            f"{given}, expected bias to be 1-dimensional with {outputs} elements, one for each "
            f"output channel of {function}, but got bias of size {list(bias.shape)} instead"
        )


def _times(sizes: Any) -> str:
    return " x ".join(map(str, sizes))
