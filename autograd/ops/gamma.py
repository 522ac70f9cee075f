"""Functions beyond the elementary ones: the error function, the gamma function and its kin, and
Bessel's function of imaginary argument.

Their values come from SciPy; their derivatives lead back to elementary functions or to each other.
Rarer ones have chapters of their own, which ``torch.special`` opens.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from autograd.dtypes import get_default_dtype
from autograd.op import elementwise
from autograd.ops.arithmetic import array_of
from autograd.ops.comparison import where
from autograd.ops.gathering import as_given
from autograd.ops.powers import exp, xlogy
from autograd.ops.reduction import sum
from autograd.ops.shape import unsqueeze

__all__ = [
    "digamma", "erf", "erfc", "erfinv", "i0", "igamma", "igammac", "lgamma", "mvlgamma",
    "polygamma",
]  # fmt: skip


@functools.cache
def scipy_special() -> ModuleType:
    """scipy.special, when first needed: importing it takes longer than importing all the rest."""
    import scipy.special

    return scipy.special


def like(y: Any, x: Any) -> Any:
    """``y``, computed in float32 if ``x`` is of float16, as the dtype of ``x``."""
    return y.astype(x.dtype, copy=False)


@elementwise(dx=lambda dy, x: dy * (2 / math.pi**0.5) * exp(-x * x), floats=True)
def erf(x):
    """The error function 2/√π ∫₀ˣ exp(-t²) dt, elementwise: a normal number of variance ½ lies
    within ±x with this probability."""
    return like(scipy_special().erf(x), x)


@elementwise(dx=lambda dy, x: -dy * (2 / math.pi**0.5) * exp(-x * x), floats=True)
def erfc(x):
    """1 - erf(x), elementwise, without loss of digits for large x."""
    return like(scipy_special().erfc(x), x)


@elementwise(dx=lambda dy, y: dy * (math.pi**0.5 / 2) * exp(y * y), floats=True)
def erfinv(x):
    """The number whose error function is x, elementwise; nan outside [-1, 1]."""
    return like(scipy_special().erfinv(x), x)


@elementwise(dx=lambda dy, x: dy * digamma(x), floats=True)
def lgamma(x):
    """log |Γ(x)|, elementwise, with Γ(n) = (n - 1)! and smooth between."""
    return like(scipy_special().gammaln(np.where(np.isinf(x), np.inf, x)), x)


@elementwise(dx=lambda dy, x: dy * polygamma(1, x), floats=True)
def digamma(x):
    """ψ(x), the derivative of log Γ(x), elementwise."""
    return like(scipy_special().digamma(x), x)


def polygamma(n: int, input: Any) -> Any:
    """The derivative of order n of ψ(x), elementwise. Raises RuntimeError for a negative n."""
    if n < 0:
        raise RuntimeError(f"polygamma(n, x) does not support negative n, but got {n}.")
    return _polygamma(input, n) if n else digamma(input)


@elementwise(dx=lambda dy, x, n: dy * polygamma(n + 1, x), floats=True)
def _polygamma(x, n):
    """ψ⁽ⁿ⁾(x)"""
    return like(scipy_special().polygamma(n, x), x)


def mvlgamma(input: Any, p: int) -> Any:
    """The logarithm of the gamma function of p dimensions, elementwise: the sum of log Γ(x - j/2)
    for j = 0, ..., p - 1, and p (p - 1) log(π) / 4. Raises RuntimeError for p < 1."""
    if p < 1:
        raise RuntimeError(f"p has to be greater than or equal to 1, but got {p}")
    dtype = array_of(input).dtype
    if dtype.kind != "f":
        dtype = get_default_dtype().numpy
    steps = as_given(np.arange(p, dtype=dtype) / 2, input)
    terms = lgamma(unsqueeze(input, -1) - steps)
    return sum(terms, -1) + p * (p - 1) / 4 * math.log(math.pi)


def no_derivative(name: str, by: str) -> Callable[..., Any]:
    """The rule for an input by which there is no closed form of the derivative."""

    def refuse(dy: Any) -> Any:
        raise NotImplementedError(
            f"the derivative for '{name}: {by}' is not implemented: it is no function that has a "
            f"name. Detach it: {by}.detach()"
        )

    return refuse


@elementwise(
    da=no_derivative("igamma", "input"),
    db=lambda dy, a, b: dy * _gamma_density(a, b),
    kinds="f",
    numbers="",
)
def igamma(a, b):
    """The regularized lower incomplete gamma function ∫₀ᵇ tᵃ⁻¹ e⁻ᵗ dt / Γ(a), elementwise with
    broadcasting, for a and b >= 0: the probability that a gamma variable is below b."""
    return like(scipy_special().gammainc(a, b), a)


@elementwise(
    da=no_derivative("igammac", "input"),
    db=lambda dy, a, b: -dy * _gamma_density(a, b),
    kinds="f",
    numbers="",
)
def igammac(a, b):
    """1 - igamma(a, b), elementwise with broadcasting, without loss of digits where that is
    small."""
    return like(scipy_special().gammaincc(a, b), a)


def _gamma_density(a: Any, b: Any) -> Any:
    """bᵃ⁻¹ e⁻ᵇ / Γ(a)"""
    return exp(xlogy(a - 1, b) - b - lgamma(a))


# -- Bessel ----------------------------------------------------------------------------------------


@elementwise(dx=lambda dy, x: dy * i1(x), floats=True)
def i0(x):
    """The modified Bessel function of the first kind and order 0, Σ (x/2)²ᵏ / k!², elementwise."""
    return like(scipy_special().i0(x), x)


@elementwise(dx=lambda dy, x: dy * _slope_of_i1(x), floats=True)
def i1(x):
    """The modified Bessel function of the first kind and order 1, the derivative of i0,
    elementwise."""
    return like(scipy_special().i1(x), x)


def _slope_of_i1(x: Any) -> Any:
    """i0 - i1 / x, which is ½ at 0."""
    nonzero = where(x == 0, 1.0, x)
    return where(x == 0, 0.5, i0(nonzero) - i1(nonzero) / nonzero)
