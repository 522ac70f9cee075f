"""Elementary functions: waves and hyperbolas, rounding and bounds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.arguments import constant
from autograd.op import elementwise
from autograd.ops.arithmetic import sqrt
from autograd.ops.comparison import isfinite, isnan, masked, where
from autograd.rules import no_slope

__all__ = [
    "acos", "acosh", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh",
    "asin", "asinh", "atan", "atan2", "atanh", "ceil", "clamp", "clamp_max", "clamp_min", "clip",
    "cos", "cosh", "deg2rad", "expit", "fix", "floor", "fmax", "fmin", "frac", "heaviside", "hypot",
    "logit", "maximum", "minimum", "nan_to_num", "rad2deg", "round", "sigmoid", "sin", "sinc",
    "sinh", "tan", "tanh", "trunc",
]  # fmt: skip

# -- waves -----------------------------------------------------------------------------------------


@elementwise(dx=lambda dy, x: dy * cos(x), floats=True)
def sin(x):
    """The sine of x (in radians), elementwise."""
    return np.sin(x)


@elementwise(dx=lambda dy, x: -dy * sin(x), floats=True)
def cos(x):
    """The cosine of x (in radians), elementwise."""
    return np.cos(x)


@elementwise(dx=lambda dy, y: dy * (1 + y * y), floats=True)
def tan(x):
    """The tangent of x (in radians), elementwise."""
    return np.tan(x)


@elementwise(dx=lambda dy, x: dy / sqrt(1 - x * x), floats=True)
def asin(x):
    """The angle in [-π/2, π/2] whose sine is x, elementwise; nan outside [-1, 1]."""
    return np.arcsin(x)


@elementwise(dx=lambda dy, x: -dy / sqrt(1 - x * x), floats=True)
def acos(x):
    """The angle in [0, π] whose cosine is x, elementwise; nan outside [-1, 1]."""
    return np.arccos(x)


@elementwise(dx=lambda dy, x: dy / (1 + x * x), floats=True)
def atan(x):
    """The angle in (-π/2, π/2) whose tangent is x, elementwise."""
    return np.arctan(x)


@elementwise(
    da=lambda dy, a, b: dy * b * _inverse_square(a, b),
    db=lambda dy, a, b: -dy * a * _inverse_square(a, b),
    floats=True,
    numbers="",
)
def atan2(a, b):
    """The angle in (-π, π] of the point with height a and width b, elementwise with broadcasting.

    The gradient at the origin, which has no direction, is 0."""
    return np.arctan2(a, b)


def _inverse_square(a: Any, b: Any) -> Any:
    """1 / (a² + b²), and 0 at the origin."""
    square = a * a + b * b
    return masked(1 / square, square != 0)


@elementwise(da=lambda dy, a, y: dy * a / y, db=lambda dy, b, y: dy * b / y, kinds="f", numbers="")
def hypot(a, b):
    """√(a² + b²), elementwise with broadcasting, where a² may be too large to be written down."""
    return np.hypot(a, b)


@elementwise(dx=lambda dy: dy * (math.pi / 180), floats=True)
def deg2rad(x):
    """Degrees to radians, elementwise."""
    return x * (math.pi / 180)


@elementwise(dx=lambda dy: dy * (180 / math.pi), floats=True)
def rad2deg(x):
    """Radians to degrees, elementwise."""
    return x * (180 / math.pi)


@elementwise(dx=lambda dy, x: dy * masked((cos(math.pi * x) - sinc(x)) / x, x != 0), floats=True)
def sinc(x):
    """sin(πx) / πx, elementwise, and 1 at 0."""
    angle = math.pi * x.astype(np.promote_types(x.dtype, np.float32))
    return np.where(angle == 0, 1, np.sin(angle) / angle).astype(x.dtype)


# -- hyperbolas ------------------------------------------------------------------------------------


@elementwise(dx=lambda dy, x: dy * cosh(x), floats=True)
def sinh(x):
    """The hyperbolic sine (eˣ - e⁻ˣ) / 2, elementwise."""
    return np.sinh(x)


@elementwise(dx=lambda dy, x: dy * sinh(x), floats=True)
def cosh(x):
    """The hyperbolic cosine (eˣ + e⁻ˣ) / 2, elementwise."""
    return np.cosh(x)


@elementwise(dx=lambda dy, y: dy * (constant(1, y) - y * y), floats=True)
def tanh(x):
    """The hyperbolic tangent sinh x / cosh x, elementwise."""
    return np.tanh(x)


@elementwise(dx=lambda dy, x: dy / sqrt(x * x + 1), floats=True)
def asinh(x):
    """The number whose hyperbolic sine is x, elementwise."""
    return np.arcsinh(x)


@elementwise(dx=lambda dy, x: dy / sqrt(x * x - 1), floats=True)
def acosh(x):
    """The number >= 0 whose hyperbolic cosine is x, elementwise; nan below 1."""
    return np.arccosh(x)


@elementwise(dx=lambda dy, x: dy / (1 - x * x), floats=True)
def atanh(x):
    """The number whose hyperbolic tangent is x, elementwise; nan outside [-1, 1]."""
    return np.arctanh(x)


@elementwise(dx=lambda dy, y: dy * y * (constant(1, y) - y), floats=True)
def sigmoid(x):
    """σ(x) = 1 / (1 + e⁻ˣ), elementwise."""
    one = constant(1, x)
    return one / (one + np.exp(-x))


@elementwise(dx=lambda dy, x: dy / (x * (1 - x)), floats=True)
def _logit(x):
    return np.log(x / (1 - x))


def logit(input: Any, eps: float | None = None) -> Any:
    """log(x / (1 - x)), the inverse of the sigmoid, elementwise; nan outside [0, 1]. With ``eps`` x
    is first clamped to [eps, 1 - eps]."""
    return _logit(input if eps is None else clamp(input, eps, 1 - eps))


# -- rounding --------------------------------------------------------------------------------------


def round(input: Any, *, decimals: int = 0) -> Any:
    """The nearest number with ``decimals`` digits behind the point, elementwise; of two equally
    near, the one whose last digit is even. The gradient is 0."""
    return _round(input, decimals)


@elementwise(dx=no_slope, kinds="iuf")
def _round(x, decimals):
    return np.round(x, decimals)


@elementwise(dx=no_slope, kinds="iuf")
def floor(x):
    """⌊x⌋, elementwise: rounded down. The gradient is 0."""
    return np.floor(x)


@elementwise(dx=no_slope, kinds="iuf")
def ceil(x):
    """⌈x⌉, elementwise: rounded up. The gradient is 0."""
    return np.ceil(x)


@elementwise(dx=no_slope, kinds="iuf")
def trunc(x):
    """x without what is behind the point, elementwise: rounded towards zero. The gradient is 0."""
    return np.trunc(x)


@elementwise(dx=lambda dy: dy, kinds="f")
def frac(x):
    """What is behind the point of x, with its sign, elementwise."""
    return x - np.trunc(x)


# -- bounds ----------------------------------------------------------------------------------------


def clamp(input: Any, min: Any = None, max: Any = None) -> Any:
    """``input``, elementwise no less than ``min`` and no more than ``max``: numbers or tensors,
    which broadcast, or None.

    Where both bounds apply at once, ``max`` wins. The gradient goes to the input between the bounds
    and at them, and to the bound (if a tensor) beyond. Raises RuntimeError without any bound."""
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    return _clamp(input, min, max)


@elementwise(
    dx=lambda dy, x, low, high: masked(dy, _between(x, low, high)),
    dlow=lambda dy, x, low, high: masked(dy, x < low if high is None else (x < low) & (low < high)),
    dhigh=lambda dy, x, low, high: masked(
        dy, x > high if low is None else (x > high) | (low > high)
    ),
    numbers="low high",
)
def _clamp(x, low, high):
    if high is None:
        return np.maximum(x, low)
    return np.minimum(x, high) if low is None else np.clip(x, low, high)


def _between(x: Any, low: Any, high: Any) -> Any:
    if high is None:
        return x >= low
    return x <= high if low is None else (x >= low) & (x <= high)


def clamp_min(input: Any, min: Any) -> Any:
    """The larger of ``input`` and ``min``, elementwise: see :func:`clamp`."""
    return _clamp(input, min, None)


def clamp_max(input: Any, max: Any) -> Any:
    """The smaller of ``input`` and ``max``, elementwise: see :func:`clamp`."""
    return _clamp(input, None, max)


def _to_the_winner(dy: Any, lost: Any, tie: Any) -> Any:
    """What goes to one of two competitors: half of ``dy`` where they are equal, and nothing where
    it lost."""
    return masked(where(tie, dy * 0.5, dy), ~lost)


@elementwise(
    da=lambda dy, a, b: _to_the_winner(dy, a < b, a == b),
    db=lambda dy, a, b: _to_the_winner(dy, b < a, a == b),
    numbers="",
)
def maximum(a, b):
    """The larger of a and b, elementwise with broadcasting; nan if one is nan.

    The gradient goes to the larger one, and half to each where they are equal."""
    return np.maximum(a, b)


@elementwise(
    da=lambda dy, a, b: _to_the_winner(dy, a > b, a == b),
    db=lambda dy, a, b: _to_the_winner(dy, b > a, a == b),
    numbers="",
)
def minimum(a, b):
    """The smaller of a and b, elementwise with broadcasting; nan if one is nan.

    The gradient goes to the smaller one, and half to each where they are equal."""
    return np.minimum(a, b)


@elementwise(
    da=lambda dy, a, b: masked(dy, (a >= b) | isnan(b)),
    db=lambda dy, a, b: masked(dy, ~((a >= b) | isnan(b))),
    numbers="",
)
def fmax(a, b):
    """The larger of a and b, elementwise with broadcasting; of a number and nan, the number.

    The gradient goes to the larger one, and to a where they are equal."""
    return np.fmax(a, b)


@elementwise(
    da=lambda dy, a, b: masked(dy, (a <= b) | isnan(b)),
    db=lambda dy, a, b: masked(dy, ~((a <= b) | isnan(b))),
    numbers="",
)
def fmin(a, b):
    """The smaller of a and b, elementwise with broadcasting; of a number and nan, the number.

    The gradient goes to the smaller one, and to a where they are equal."""
    return np.fmin(a, b)


@elementwise(dx=lambda dy, x: masked(dy, isfinite(x)))
def nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    """x with 0 (or ``nan``) for nan, and the largest and smallest numbers of its dtype (or
    ``posinf`` and ``neginf``) for the infinities, elementwise. The gradient there is 0."""
    return np.nan_to_num(x, nan=nan or 0.0, posinf=posinf, neginf=neginf)


@elementwise(da=no_slope, db=no_slope, numbers="")
def heaviside(a, b):
    """0 where a is negative, b where a is 0, 1 where a is positive, elementwise with broadcasting.
    The gradient is 0."""
    return np.where(a == 0, b, (a > 0).astype(a.dtype))


expit, clip, fix = sigmoid, clamp, trunc
arcsin, arccos, arctan, arctan2 = asin, acos, atan, atan2
arcsinh, arccosh, arctanh = asinh, acosh, atanh
