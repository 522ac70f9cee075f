"""Activations: the bends that make a network more than one linear map.

At a kink the derivative is PyTorch's choice: the one of the flat side (0 for relu at 0).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import sampling
from autograd.inplace import in_place, write
from autograd.op import elementwise
from autograd.ops.arithmetic import abs, array_of
from autograd.ops.comparison import choose, masked, where
from autograd.ops.dimensions import ndim_of, one
from autograd.ops.elementary import sigmoid, tanh
from autograd.ops.parts import narrow
from autograd.ops.powers import exp

__all__ = [
    "celu", "celu_", "elu", "glu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh",
    "leaky_relu", "logsigmoid", "mish", "prelu", "relu", "relu6", "rrelu", "rrelu_", "selu",
    "selu_", "silu", "softplus", "softshrink", "softsign", "tanhshrink", "threshold", "threshold_",
]  # fmt: skip


def _applied(activation: Callable[..., Any], x: Any, inplace: bool, *settings: Any) -> Any:
    """``activation(x, *settings)``, written over x if it is to be in place."""
    if not inplace:
        return activation(x, *settings)
    name = activation.__name__ + "_"
    return write(x, lambda old: activation(old, *settings), name, sys._getframe(2))


# -- made of straight pieces -----------------------------------------------------------------------


def relu(input: Any, inplace: bool = False) -> Any:
    """max(x, 0), elementwise. The derivative at 0 is 0."""
    return _applied(_relu, input, True) if inplace else _relu(input)


@elementwise(dx=lambda dy, y: masked(dy, y != 0), kinds="iuf")
def _relu(x):
    if not x.ndim:
        return x[()] if x > 0 or x != x else x.dtype.type(0)
    if x.size < 5000 or x.dtype.kind != "f":
        return np.maximum(x, 0)
    return x.clip(0, np.inf)  # a third of the time of np.maximum with a number, once it has begun


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """x where x > 0, else ``negative_slope`` · x, elementwise."""
    return _applied(_leaky_relu, input, inplace, negative_slope)


@elementwise(dx=lambda dy, x, slope: where(x > 0, dy, dy * slope), kinds="f")
def _leaky_relu(x, slope):
    return np.maximum(x, x * slope) if 0 < slope <= 1 else choose(x > 0, x, x * slope)


def prelu(input: Any, weight: Any) -> Any:
    """x where x > 0, else ``weight`` · x, elementwise. ``weight`` holds one number, or one for each
    channel (dimension 1).

    Raises RuntimeError for any other number of weights."""
    ndim = ndim_of(input)
    channels = input.shape[1] if ndim > 1 else 1
    if ndim_of(weight) > 1 or (weight.shape and weight.shape[0] not in (1, channels)):
        raise RuntimeError(
            f"prelu takes one weight, or one for each of the {channels} channels (dimension 1 of "
            f"the input, of shape {tuple(input.shape)}), but got weights of shape "
            f"{tuple(weight.shape)}"
        )
    if ndim > 1 and weight.shape:
        weight = weight.reshape((-1,) + (1,) * (ndim - 2))
    elif not ndim:
        weight = weight.reshape(())
    return _prelu(input, weight)


@elementwise(
    dx=lambda dy, x, weight: where(x > 0, dy, dy * weight),
    dweight=lambda dy, x: masked(dy * x, ~(x > 0)),
    kinds="f",
)
def _prelu(x, weight):
    return choose(x > 0, x, x * weight)


def rrelu(
    input: Any,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Any:
    """x where x > 0, else a · x, elementwise, with a random a from [``lower``, ``upper``] for each
    element in ``training``, and else their mean (Xu et al., 2015).

    Raises RuntimeError for bounds that are not finite or in the wrong order."""
    if not -math.inf < lower <= upper < math.inf:
        raise RuntimeError(
            "Lower bound should be less than or equal to the upper bound, and both finite, but got "
            f"{lower} and {upper}"
        )
    if not training:
        return _applied(_leaky_relu, input, inplace, (lower + upper) / 2)
    x = array_of(input)
    slopes = np.ones_like(x)
    bent = ~(x > 0)
    slopes[bent] = sampling.uniform(int(bent.sum()), np.dtype(np.float64), lower, upper)
    return _applied(_prelu, input, inplace, slopes)


def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    """x between ``min_val`` and ``max_val``, and these beyond, elementwise. The derivative at the
    bounds is 0.

    Raises ValueError if the bounds are in the wrong order."""
    if min_val > max_val:
        raise ValueError(f"min_val cannot be greater than max_val, but got {min_val} and {max_val}")
    return _applied(_hardtanh, input, inplace, min_val, max_val)


def relu6(input: Any, inplace: bool = False) -> Any:
    """min(max(x, 0), 6), elementwise. The derivative at 0 and at 6 is 0."""
    return _applied(_hardtanh, input, inplace, 0, 6)


@elementwise(dx=lambda dy, x, low, high: masked(dy, (x > low) & (x < high)), kinds="iuf")
def _hardtanh(x, low, high):
    return np.clip(x, x.dtype.type(low), x.dtype.type(high))


def hardsigmoid(input: Any, inplace: bool = False) -> Any:
    """min(max(x + 3, 0), 6) / 6, elementwise: a sigmoid of straight pieces. The derivative at ±3 is
    0."""
    return _applied(_hardsigmoid, input, inplace)


@elementwise(dx=lambda dy, x: masked(dy / 6, (x > -3) & (x < 3)), kinds="f")
def _hardsigmoid(x):
    return np.clip(x + 3, 0, 6) / 6


def hardshrink(input: Any, lambd: float = 0.5) -> Any:
    """x where |x| > ``lambd``, else 0, elementwise."""
    return _hardshrink(input, lambd)


@elementwise(dx=lambda dy, x, lambd: masked(dy, abs(x) > lambd), kinds="f")
def _hardshrink(x, lambd):
    return masked(x, ~(np.abs(x) <= lambd))


def softshrink(input: Any, lambd: float = 0.5) -> Any:
    """x, brought nearer to 0 by ``lambd`` or, where it is nearer than that, to 0, elementwise.

    Raises RuntimeError for a negative ``lambd``."""
    if not lambd >= 0:
        raise RuntimeError(f"lambda must be greater or equal to 0, but found to be {lambd}.")
    return _softshrink(input, lambd)


@elementwise(dx=lambda dy, x, lambd: masked(dy, abs(x) > lambd), kinds="f")
def _softshrink(x, lambd):
    return x - np.clip(x, -lambd, lambd)


def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Any:
    """x where x > ``threshold``, else ``value``, elementwise."""
    return _applied(_threshold, input, inplace, threshold, value)


@elementwise(dx=lambda dy, x, threshold: masked(dy, ~(x <= threshold)), kinds="iuf")
def _threshold(x, threshold, value):
    return choose(x <= threshold, x.dtype.type(value), x)


# -- smooth ----------------------------------------------------------------------------------------


def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """x where x > 0, else ``alpha`` (eˣ - 1), elementwise (Clevert, Unterthiner and Hochreiter,
    2015)."""
    return _applied(_elu, input, inplace, alpha, 1, 1)


def selu(input: Any, inplace: bool = False) -> Any:
    """1.0507 · elu(x, 1.6733), elementwise: it keeps mean 0 and variance 1 (Klambauer et al.,
    2017)."""
    alpha, scale = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946
    return _applied(_elu, input, inplace, alpha, scale, 1)


def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """x where x > 0, else ``alpha`` (e^(x / alpha) - 1), elementwise: an elu without a kink
    (Barron, 2017).

    Raises RuntimeError for alpha 0."""
    if alpha == 0:
        raise RuntimeError("celu: ZeroDivisionError: alpha cannot be 0 for CELU")
    return _applied(_elu, input, inplace, alpha, 1, 1 / alpha)


@elementwise(
    dx=lambda dy, x, alpha, scale, rate: where(
        x <= 0, dy * (alpha * scale * rate) * exp(masked(x, x < 0) * rate), dy * scale
    ),
    kinds="f",
)
def _elu(x, alpha, scale, rate):
    """scale · x where x > 0, else scale · alpha (e^(rate x) - 1)"""
    return (np.maximum(x, 0) + alpha * np.expm1(np.minimum(x, 0) * rate)) * scale


def silu(input: Any, inplace: bool = False) -> Any:
    """x σ(x), elementwise (Elfwing, Uchibe and Doya, 2017). Also known as swish."""
    return _applied(_silu, input, inplace)


def _silu_slope(x: Any) -> Any:
    s = sigmoid(x)
    return s * (1 + x * (1 - s))


@elementwise(dx=lambda dy, x: dy * _silu_slope(x), kinds="f")
def _silu(x):
    return x / (1 + np.exp(-x))


def hardswish(input: Any, inplace: bool = False) -> Any:
    """x min(max(x + 3, 0), 6) / 6, elementwise: a silu of straight pieces and a parabola (Howard et
    al., 2019)."""
    return _applied(_hardswish, input, inplace)


@elementwise(dx=lambda dy, x: dy * masked(where(x < 3, x / 3 + 0.5, 1.0), ~(x <= -3)), kinds="f")
def _hardswish(x):
    return x * np.clip(x + 3, 0, 6) / 6


def mish(input: Any, inplace: bool = False) -> Any:
    """x tanh(softplus(x)), elementwise (Misra, 2019)."""
    return _applied(_mish, input, inplace)


def _mish_slope(x: Any) -> Any:
    t = tanh(softplus(x))
    return t + x * sigmoid(x) * (1 - t * t)


@elementwise(dx=lambda dy, x: dy * _mish_slope(x), kinds="f")
def _mish(x):
    return x * np.tanh(np.log1p(np.exp(x)))


def softplus(input: Any, beta: float = 1, threshold: float = 20) -> Any:
    """log(1 + exp(``beta`` x)) / ``beta``, elementwise: a smooth relu. Where ``beta`` x >
    ``threshold``, x itself."""
    return _softplus(input, beta, threshold)


@elementwise(
    dx=lambda dy, x, beta, threshold: where(x * beta > threshold, dy, dy * sigmoid(x * beta)),
    kinds="f",
)
def _softplus(x, beta, threshold):
    scaled = x * beta
    return choose(scaled > threshold, x, np.log1p(np.exp(np.minimum(scaled, threshold))) / beta)


def softsign(input: Any) -> Any:
    """x / (1 + |x|), elementwise."""
    return input / (1 + abs(input))


@elementwise(dx=lambda dy, x: dy * sigmoid(-x), kinds="f")
def logsigmoid(x):
    """log σ(x), elementwise, without loss of digits for large |x|."""
    return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))


def tanhshrink(input: Any) -> Any:
    """x - tanh(x), elementwise."""
    return input - tanh(input)


def glu(input: Any, dim: int = -1) -> Any:
    """a · σ(b), where a and b are the halves of ``input`` along ``dim`` (Dauphin et al., 2016).

    Raises RuntimeError if they do not come out equally long."""
    dim = one(dim, ndim_of(input))
    length = input.shape[dim] if input.shape else 1
    if length % 2:
        raise RuntimeError(
            f"Halving dimension must be even, but dimension {dim} of the input, of shape "
            f"{tuple(input.shape)}, is size {length}"
        )
    if array_of(input).dtype.kind != "f":
        raise NotImplementedError(f"glu is not implemented for {input.dtype}: use x.float()")
    return narrow(input, dim, 0, length // 2) * sigmoid(
        narrow(input, dim, length // 2, length // 2)
    )


# -- in place --------------------------------------------------------------------------------------

celu_ = in_place(celu, "celu_")
elu_ = in_place(elu, "elu_")
hardtanh_ = in_place(hardtanh, "hardtanh_")
leaky_relu_ = in_place(leaky_relu, "leaky_relu_")
relu_ = in_place(relu, "relu_")
rrelu_ = in_place(rrelu, "rrelu_")
selu_ = in_place(selu, "selu_")
threshold_ = in_place(threshold, "threshold_")
