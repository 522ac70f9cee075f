"""Normalization: shifted and scaled to mean 0 and variance 1, over the batch, over features, or
over groups of them.

With x̂ = (x - m) / s, where m is the mean and s² = variance + ε, both themselves functions of x,
the gradient is

    dx = (dx̂ - mean(dx̂) - x̂ · mean(dx̂ x̂)) / s

m and 1 / s are kept for backward, x̂ is computed anew. Both directions work in place in one new
array.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.function import Function
from autograd.grad_mode import recording
from autograd.ops.arithmetic import array_of, rsqrt, square
from autograd.ops.broadcasting import repeat
from autograd.ops.conversion import cast, clone
from autograd.ops.dimensions import ndim_of, sizes
from autograd.ops.elementary import clamp_min
from autograd.ops.norms import norm
from autograd.ops.padding import pad
from autograd.ops.pooling import avg_pool2d
from autograd.ops.powers import pow
from autograd.ops.reduction import mean, sum
from autograd.ops.shape import _reshape
from autograd.tensor import Tensor, wrap

# (torch.batch_norm and torch.instance_norm take their arguments in another order.)
__all__ = ["group_norm", "layer_norm", "local_response_norm", "normalize", "rms_norm"]


def _gradients(dy: Any, x: Any, weight: Any, over: Any, eps: float) -> tuple[Any, Any]:
    """The gradients of x̂ · weight, normalized ``over`` some dimensions, by x and (not yet summed)
    by the weight: in operations, to be differentiated again."""
    deviation = x - mean(x, over, True)
    inverse = rsqrt(mean(square(deviation), over, True) + eps)
    normalized = deviation * inverse
    d = dy if weight is None else dy * weight
    dx = (d - mean(d, over, True) - normalized * mean(d * normalized, over, True)) * inverse
    return dx, dy * normalized


def _check_dtypes(function: str, input: Any, *parameters: Any) -> None:
    dtype = array_of(input).dtype
    if dtype.kind != "f":
        raise NotImplementedError(f"{function} is not implemented for {dtype}: normalize x.float()")
    for values in parameters:
        # Half precision may have parameters of single precision.
        if values is not None and array_of(values).dtype not in (dtype, _wide(dtype)):
            raise RuntimeError(
                f"mixed dtype: {function} of {dtype} expects its parameters to have that dtype, "
                f"too, but got {array_of(values).dtype}"
            )


def _wide(dtype: np.dtype) -> np.dtype:
    """In what to compute: half precision is not enough for a mean."""
    return np.dtype(np.float32) if dtype == np.float16 else dtype


# -- over the batch --------------------------------------------------------------------------------


def batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-05,
) -> Any:
    """x̂ · weight + bias for each channel, dimension 1 of (N, C, ...) (Ioffe and Szegedy, 2015).

    In ``training`` mean and variance are those of the batch, and the running ones, if given, move
    towards them in place: r ← (1 - momentum) · r + momentum · (mean, or variance with Bessel's
    correction). Otherwise the running ones are used.
    Raises ValueError for training on a single value a channel, RuntimeError without what is needed
    and for other shapes.
    """
    x = array_of(input)
    _check_dtypes("batch_norm", input, running_mean, running_var, weight, bias)
    if not x.size:
        return clone(input)
    _check_channels(x, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    if training and x.size == x.shape[1]:
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size {input.shape}"
        )
    if not training and (running_mean is None or running_var is None):
        raise RuntimeError(
            "Expected running_mean and running_var to be defined when training=False"
        )
    return BatchNorm.apply(input, weight, bias, running_mean, running_var, training, momentum, eps)


def _check_channels(x: np.ndarray, **by_channel: Any) -> None:
    if x.ndim < 2:
        raise RuntimeError(
            "the input must have channels in dimension 1, (N, C, ...), but has shape "
            f"{tuple(x.shape)}"
        )
    for name, values in by_channel.items():
        if values is not None and tuple(values.shape) != (x.shape[1],):
            raise RuntimeError(
                f"{name} should contain {x.shape[1]} elements, one for each channel of the input "
                f"of shape {tuple(x.shape)}, not {array_of(values).size}"
            )


class BatchNorm(Function):
    """Batch normalization; inside, the shape is (N, C, L) and what belongs to a channel (C, 1)."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Any,
        weight: Any,
        bias: Any,
        running_mean: Any,
        running_var: Any,
        training: bool,
        momentum: float,
        eps: float,
    ) -> Any:
        """x̂ · weight + bias"""
        a = _with_length(array_of(x))
        if training:
            count = a.size // a.shape[1]
            average = _by_channel(np.einsum("ncl->c", a)) / count
            y = a - average
            variance = _by_channel(np.einsum("ncl,ncl->c", y, y)) / count
            _follow(running_mean, average, momentum)
            _follow(running_var, variance * (count / (count - 1)), momentum)
        else:
            average, variance = _by_channel(running_mean).copy(), _by_channel(running_var)
        inverse = 1 / np.sqrt(variance + variance.dtype.type(eps))
        scale = inverse if weight is None else inverse * _by_channel(weight)
        if training:
            y *= scale
            shift = 0 if bias is None else _by_channel(bias)
        else:
            y = a * scale
            shift = (0 if bias is None else _by_channel(bias)) - average * scale
        y += shift
        y = y.reshape(x.shape).astype(array_of(x).dtype, copy=False)
        if not isinstance(x, Tensor):
            return y
        ctx.save_for_backward(x, weight)
        ctx.average, ctx.inverse, ctx.training, ctx.eps = average, inverse, training, eps
        return wrap(y)

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        """The gradients of x, weight and bias"""
        x, weight = ctx.saved_tensors
        if recording():
            return *BatchNorm._recorded(ctx, x, weight, dy), *[None] * 5
        a, d = _with_length(x._array), _with_length(dy._array)
        dx = a - ctx.average
        dbias = np.einsum("ncl->c", d)
        dweight = np.einsum("ncl,ncl->c", d, dx) * ctx.inverse[:, 0]
        scale = ctx.inverse if weight is None else ctx.inverse * _by_channel(weight)
        if ctx.training:
            count = a.size // a.shape[1]
            dx *= ctx.inverse * _by_channel(dweight) / -count
            dx -= _by_channel(dbias) / count
            dx += d
            dx *= scale
        else:
            np.multiply(d, scale, out=dx)
        return wrap(dx.reshape(x._array.shape)), wrap(dweight), wrap(dbias), *[None] * 5

    @staticmethod
    def _recorded(ctx: Any, x: Tensor, weight: Any, dy: Tensor) -> tuple[Any, Any, Any]:
        over = (0, *range(2, x.ndim))
        if weight is not None:
            weight = _reshape(weight, (-1,) + (1,) * (x.ndim - 2))
        if ctx.training:
            dx, dweight = _gradients(dy, x, weight, over, ctx.eps)
        else:
            column = (-1,) + (1,) * (x.ndim - 2)
            inverse = ctx.inverse.reshape(column)
            dx = (dy if weight is None else dy * weight) * inverse
            dweight = dy * (x - ctx.average.reshape(column)) * inverse
        return dx, sum(dweight, over), sum(dy, over)


def _with_length(a: np.ndarray) -> np.ndarray:
    """(N, C, ...) as (N, C, L)"""
    return a.reshape(a.shape[0], a.shape[1], -1).astype(_wide(a.dtype), copy=False)


def _by_channel(values: Any) -> np.ndarray:
    column: np.ndarray = array_of(values).reshape(-1, 1)
    return column


def _follow(running: Any, batch: np.ndarray, momentum: float) -> None:
    """Move the running statistics towards those of the batch."""
    if running is not None:
        r = array_of(running)
        r *= 1 - momentum
        r += momentum * batch[:, 0]


def instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-05,
) -> Any:
    """x̂ · weight + bias for each channel of each sample of (N, C, ...): :func:`batch_norm` on the
    samples one by one.

    The running statistics move towards the means over all samples; without ``use_input_stats`` they
    are used.
    Raises ValueError for a single value a channel and sample, RuntimeError as batch_norm does."""
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    x = array_of(input)
    _check_channels(x, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    samples, channels, *lengths = x.shape
    if x.size == samples * channels:
        raise ValueError(
            f"Expected more than 1 spatial element when training, got input size {input.shape}"
        )
    means, variances = (
        None if r is None else np.tile(array_of(r), samples) for r in (running_mean, running_var)
    )
    weight, bias = (None if w is None else repeat(w, (samples,)) for w in (weight, bias))
    channels_of_all = _reshape(input, (1, samples * channels, *lengths))
    y = batch_norm(channels_of_all, means, variances, weight, bias, True, momentum, eps)
    for running, each in ((running_mean, means), (running_var, variances)):
        if each is not None:
            array_of(running)[...] = each.reshape(samples, channels).mean(0)
    return _reshape(y, x.shape)


# -- over features ---------------------------------------------------------------------------------


def layer_norm(
    input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-05
) -> Any:
    """x̂ · weight + bias, normalized over the last dimensions, of shape ``normalized_shape``, which
    is also that of weight and bias (Ba, Kiros and Hinton, 2016). Raises RuntimeError for other
    shapes."""
    shape = _features(input, normalized_shape, weight=weight, bias=bias)
    _check_dtypes("layer_norm", input, weight, bias)
    return LayerNorm.apply(input, weight, bias, shape, eps)


def _features(input: Any, normalized_shape: Any, **parameters: Any) -> tuple[int, ...]:
    shape = sizes((normalized_shape,) if isinstance(normalized_shape, int) else normalized_shape)
    if not shape:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, but got an empty one."
        )
    if tuple(input.shape[-len(shape) :]) != shape:
        raise RuntimeError(
            f"Given normalized_shape={list(shape)}, expected input with shape [*, "
            f"{', '.join(map(str, shape))}], but got input of size{list(input.shape)}"
        )
    for name, values in parameters.items():
        if values is not None and tuple(values.shape) != shape:
            raise RuntimeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape "
                f"{list(values.shape)} and normalized_shape = {list(shape)}"
            )
    return shape


class LayerNorm(Function):
    """Layer normalization; inside, the shape is (rows, features)."""

    @staticmethod
    def forward(
        ctx: Any, x: Any, weight: Any, bias: Any, shape: tuple[int, ...], eps: float
    ) -> Any:
        """x̂ · weight + bias"""
        a = _as_rows(x, shape)
        count = a.shape[1]
        average = np.einsum("rf->r", a)[:, None] / count
        y = a - average
        variance = np.vecdot(y, y)[:, None] / count
        inverse = 1 / np.sqrt(variance + variance.dtype.type(eps))
        y *= inverse
        if weight is not None:
            y *= array_of(weight).reshape(-1)
        if bias is not None:
            y += array_of(bias).reshape(-1)
        y = y.reshape(x.shape).astype(array_of(x).dtype, copy=False)
        if not isinstance(x, Tensor):
            return y
        ctx.save_for_backward(x, weight)
        ctx.average, ctx.inverse, ctx.shape_of_features, ctx.eps = average, inverse, shape, eps
        return wrap(y)

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        """The gradients of x, weight and bias"""
        x, weight = ctx.saved_tensors
        shape = ctx.shape_of_features
        if recording():
            dx, dweight = _gradients(dy, x, weight, tuple(range(-len(shape), 0)), ctx.eps)
            return dx, dweight, dy, None, None
        a, d = _as_rows(x, shape), _as_rows(dy, shape)
        dx = a - ctx.average
        dx *= ctx.inverse
        dbias = np.add.reduce(d, 0)
        dweight = np.einsum("rf,rf->f", d, dx)
        if weight is not None:
            d = d * weight._array.reshape(-1)
        dx *= np.vecdot(d, dx)[:, None] / -a.shape[1]
        dx -= np.einsum("rf->r", d)[:, None] / a.shape[1]
        dx += d
        dx *= ctx.inverse
        return (
            wrap(dx.reshape(x._array.shape)),
            wrap(dweight.reshape(shape)),
            wrap(dbias.reshape(shape)),
            None,
            None,
        )


def _as_rows(x: Any, shape: tuple[int, ...]) -> np.ndarray:
    count = math.prod(x.shape[: len(x.shape) - len(shape)])
    rows: np.ndarray = array_of(x).reshape(count, math.prod(shape))
    return rows.astype(_wide(rows.dtype), copy=False)


def group_norm(
    input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-05
) -> Any:
    """x̂ · weight + bias, where x̂ is normalized over ``num_groups`` groups of the channels of (N,
    C, ...), each with all that follows, and weight and bias have an element for each channel (Wu
    and He, 2018).

    Raises RuntimeError for channels that cannot be divided into the groups, and for other
    shapes."""
    _check_channels(array_of(input), weight=weight, bias=bias)
    samples, channels, *lengths = input.shape
    if num_groups <= 0 or channels % num_groups:
        raise RuntimeError(
            "Expected number of channels in input to be divisible by num_groups, but got input of "
            f"shape {list(input.shape)} and num_groups={num_groups}"
        )
    groups = _reshape(input, (samples, num_groups, channels // num_groups, *lengths))
    y = _reshape(layer_norm(groups, groups.shape[2:], eps=eps), tuple(input.shape))
    column = (-1,) + (1,) * len(lengths)
    if weight is not None:
        y = y * _reshape(weight, column)
    return y if bias is None else y + _reshape(bias, column)


def rms_norm(
    input: Any, normalized_shape: Any, weight: Any = None, eps: float | None = None
) -> Any:
    """x / √(mean(x²) + ε) · weight, over the last dimensions, of shape ``normalized_shape`` (Zhang
    and Sennrich, 2019). By default ε is the machine epsilon of the dtype. Raises RuntimeError for
    other shapes."""
    shape = _features(input, normalized_shape, weight=weight)
    _check_dtypes("rms_norm", input)
    dtype = array_of(input).dtype
    x = input if _wide(dtype) == dtype else cast(input, _wide(dtype))
    eps = float(np.finfo(dtype).eps) if eps is None else eps
    y = x * rsqrt(mean(square(x), tuple(range(-len(shape), 0)), True) + eps)
    y = y if weight is None else y * weight
    return y if x is input else cast(y, dtype)


def normalize(input: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Any:
    """x / max(‖x‖ₚ, ε) along ``dim``: vectors of length 1."""
    return input / clamp_min(norm(input, p, dim, True), eps)


def local_response_norm(
    input: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Any:
    """x / (k + alpha · m)ᵝ, where m is the mean of x² over the ``size`` channels around each one
    of (N, C, ...), with zeros beyond the first and last (Krizhevsky, Sutskever and Hinton, 2012).

    Raises ValueError for less than 3 dimensions."""
    ndim = ndim_of(input)
    if ndim < 3:
        raise ValueError(
            f"Expected 3D or higher dimensionality input (got {ndim} dimensions): (N, C, ...)"
        )
    if 0 in input.shape:
        return input
    samples, channels, *lengths = input.shape
    squares = _reshape(square(input), (samples, 1, channels, math.prod(lengths)))
    squares = pad(squares, (0, 0, size // 2, (size - 1) // 2))
    around = _reshape(avg_pool2d(squares, (size, 1), 1), tuple(input.shape))
    return input / pow(around * alpha + k, beta)
