"""Powers, exponentials and logarithms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.op import elementwise
from autograd.ops.arithmetic import square
from autograd.ops.comparison import masked
from autograd.ops.conversion import cast
from autograd.ops.elementary import sigmoid
from autograd.rules import no_slope

__all__ = [
    "exp", "exp2", "expm1", "float_power", "log", "log1p", "log2", "log10", "logaddexp",
    "logaddexp2", "pow", "xlogy",
]  # fmt: skip

# -- powers ----------------------------------------------------------------------------------------


def pow(input: Any, exponent: Any, *, out: Any = None) -> Any:
    """input ** exponent, elementwise with broadcasting; either may be a number. Also ``**``.

    0 ** 0 is 1. The derivative by the exponent, y log(input), is taken as 0 at input 0, where it
    has that limit.
    Raises RuntimeError for integers with a negative number as exponent."""
    if type(exponent) is int and exponent == 2:
        return square(input, out=out)
    return _pow(input, exponent, out=out)


@elementwise(
    da=lambda dy, a, b: dy * _slope_by_base(a, b),
    db=lambda dy, a, b, y: dy * _slope_by_exponent(a, b, y),
    kinds="iuf",
)
def _pow(a, b):
    """a ** b"""
    if isinstance(b, (int, float)) and b == 3:
        return a * a * a  # several times as fast as the general power
    if isinstance(b, float) and b == -0.5:
        return 1 / np.sqrt(a)
    try:
        return a**b
    except ValueError as error:
        if "negative integer powers" not in str(error):
            raise
    if isinstance(b, int):
        raise RuntimeError(
            f"Integers to negative integer powers are not allowed, but the exponent is {b}. "
            "Convert first: x.float()"
        )
    return _integer_power(a, b)


def _integer_power(a: Any, b: Any) -> Any:
    """Where an exponent is negative, 1 / a ** -b without what is behind the point: 0, but for a = 1
    and a = -1."""
    whole = a ** np.maximum(b, 0)
    reciprocal = np.where(a == 1, 1, np.where(a == -1, 1 - 2 * (b % 2), 0))
    return np.where(b >= 0, whole, reciprocal).astype(whole.dtype)


def _slope_by_base(a: Any, b: Any) -> Any:
    """∂aᵇ/∂a = b aᵇ⁻¹, which is 0 for b = 0 even where aᵇ⁻¹ is inf."""
    slope = b * pow(a, b - 1)
    if isinstance(b, (int, float)):
        return slope if b else 0.0
    return masked(slope, b != 0)


def _slope_by_exponent(a: Any, b: Any, y: Any) -> Any:
    """∂aᵇ/∂b = aᵇ log a, which is 0 for a = 0 and b >= 0."""
    return masked(y * _log(a), (a != 0) | (b < 0))


def float_power(input: Any, exponent: Any) -> Any:
    """input ** exponent, computed in float64."""
    base, exponent = (
        x if isinstance(x, (int, float)) else cast(x, np.float64) for x in (input, exponent)
    )
    return pow(base, exponent if not isinstance(exponent, int) else float(exponent))


# -- exponentials ----------------------------------------------------------------------------------


@elementwise(dx=lambda dy, y: dy * y, floats=True)
def exp(x):
    """eˣ, elementwise."""
    return np.exp(x)


@elementwise(dx=lambda dy, y: dy * y * math.log(2), floats=True)
def exp2(x):
    """2ˣ, elementwise."""
    return np.exp2(x)


@elementwise(dx=lambda dy, y: dy * (y + 1), floats=True)
def expm1(x):
    """eˣ - 1, elementwise, without loss of digits near x = 0."""
    return np.expm1(x)


# -- logarithms ------------------------------------------------------------------------------------


@elementwise(dx=lambda dy, x: dy / x, floats=True)
def log(x):
    """The natural logarithm, elementwise: -inf at 0, nan below."""
    return np.log(x)


@elementwise(dx=lambda dy, x: dy / (x + 1), floats=True)
def log1p(x):
    """log(1 + x), elementwise, without loss of digits near x = 0."""
    return np.log1p(x)


@elementwise(dx=lambda dy, x: dy / (x * math.log(2)), floats=True)
def log2(x):
    """The logarithm to base 2, elementwise."""
    return np.log2(x)


@elementwise(dx=lambda dy, x: dy / (x * math.log(10)), floats=True)
def log10(x):
    """The logarithm to base 10, elementwise."""
    return np.log10(x)


@elementwise(
    da=lambda dy, a, b: dy * sigmoid(a - b),
    db=lambda dy, a, b: dy * sigmoid(b - a),
    kinds="f",
    numbers="",
)
def logaddexp(a, b):
    """log(eᵃ + eᵇ), elementwise with broadcasting, where eᵃ and eᵇ may be too large to be written
    down."""
    return np.logaddexp(a, b)


@elementwise(
    da=lambda dy, a, b: dy * sigmoid((a - b) * math.log(2)),
    db=lambda dy, a, b: dy * sigmoid((b - a) * math.log(2)),
    kinds="f",
    numbers="",
)
def logaddexp2(a, b):
    """log₂(2ᵃ + 2ᵇ), elementwise with broadcasting."""
    return np.logaddexp2(a, b)


@elementwise(
    da=lambda dy, a, b: dy * _log_beside(a, b),
    db=lambda dy, a, b: dy * a / b,
    floats=True,
)
def xlogy(a, b):
    """a log b, elementwise with broadcasting; 0 where a is 0, whatever b is but nan."""
    return np.where((a == 0) & (b == b), 0, a * _log(b))


def _log_beside(a: Any, b: Any) -> Any:
    """log b, but 0 where a is 0 and b has no logarithm."""
    if isinstance(b, (int, float)):
        if b > 0:
            return math.log(b)
        b = no_slope(a) + b
    return masked(log(b), (a != 0) | (b > 0))


def _log(x: Any) -> Any:
    """log x, of a number too."""
    return float(np.log(x)) if isinstance(x, (int, float)) else log(x)
