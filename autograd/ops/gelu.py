"""The Gaussian error linear unit: x times the probability Φ(x) that a normal number is below x
(Hendrycks and Gimpel, 2016).

    Φ(x) = (1 + erf(x / √2)) / 2        Φ'(x) = φ(x) = exp(-x² / 2) / √(2π)

so that gelu has the slope Φ + x φ, and that the slope φ (2 - x²).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.op import elementwise
from autograd.ops.elementary import tanh
from autograd.ops.gamma import erf
from autograd.ops.powers import exp

__all__: list[str] = []  # nn.functional.gelu


def gelu(input: Any, approximate: str = "none") -> Any:
    """x Φ(x), elementwise. In single precision Φ is exact to 5e-7.

    ``approximate="tanh"``: Φ(x) ≈ (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2. Raises RuntimeError for
    another word."""
    if approximate == "none":
        return _gelu(input)
    if approximate == "tanh":
        return _gelu_tanh(input)
    raise RuntimeError(f"approximate argument must be either none or tanh, but got {approximate!r}")


@elementwise(dx=lambda dy, x: dy * _slope(x), kinds="f")
def _gelu(x):
    return x * _probability_below(x)


@elementwise(dx=lambda dy, x: dy * _density(x) * (2 - x * x))
def _slope(x):
    """Φ(x) + x φ(x)"""
    y = _density(x)
    y *= x
    y += _probability_below(x)
    return y


def _density(x: Any) -> Any:
    """φ(x)"""
    return exp(x * x * -0.5) * (2 * math.pi) ** -0.5


def _probability_below(x: Any) -> Any:
    """Φ(x)"""
    if x.dtype == np.float64 or x.size < 500:
        return (erf(x * x.dtype.type(0.5**0.5)) + 1) * x.dtype.type(0.5)
    flat = x.reshape(-1).astype(np.float32, copy=False)
    y = np.empty_like(flat)
    for begin in range(0, flat.size, _BLOCK):
        _by_logistic(flat[begin : begin + _BLOCK], y[begin : begin + _BLOCK])
    return y.reshape(x.shape).astype(x.dtype, copy=False)


_BLOCK = 8192  # numbers that stay in the cache while a polynomial is made of them


def _by_logistic(x: np.ndarray, y: np.ndarray) -> None:
    """Φ(x) into ``y``: a third of the time that erf takes.

    The logarithm of Φ / (1 - Φ) is an odd function and nearly straight: x P(x²), with a polynomial
    P that is fitted for |x| < 6, and constant beyond, where Φ is 0 or 1 to single precision."""
    square = np.minimum(x * x, 36)
    np.multiply(square, _P[-1], out=y)
    for coefficient in _P[-2:0:-1]:
        y += coefficient
        y *= square
    y += _P[0]
    y *= x
    np.negative(y, out=y)
    np.exp(y, out=y)
    y += 1
    np.reciprocal(y, out=y)


_P = np.array(
    [1.595777182, 7.26381202e-2, -3.808227757e-5, -1.212408195e-4, 9.951047749e-6, -4.640873723e-7,
     1.372179678e-8, -2.529728996e-10, 2.649126617e-12, -1.20109693e-14], np.float32,
)  # fmt: skip


# -- the approximation -----------------------------------------------------------------------------


def _bent(x: Any) -> Any:
    return tanh((x + x * x * x * 0.044715) * (2 / math.pi) ** 0.5)


def _gelu_tanh_slope(x: Any) -> Any:
    bent = _bent(x)
    return (1 + bent) * 0.5 + x * (1 - bent * bent) * (1 + 3 * 0.044715 * x * x) * (
        0.5 / math.pi
    ) ** 0.5


@elementwise(dx=lambda dy, x: dy * _gelu_tanh_slope(x), kinds="f")
def _gelu_tanh(x):
    """x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2, elementwise."""
    return x * (1 + _bent(x)) * 0.5
