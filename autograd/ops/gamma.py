"""Functions beyond the elementary ones: the error function, the gamma function and its derivatives.

Their values come from SciPy; their derivatives lead back to elementary functions or to each other.
"""

from __future__ import annotations

import functools
import math
from types import ModuleType
from typing import Any

from autograd.op import elementwise
from autograd.ops.powers import exp

__all__ = ["digamma", "erf", "erfc", "erfinv", "lgamma", "polygamma"]


@functools.cache
def _scipy() -> ModuleType:
    """scipy.special, when first needed: importing it takes longer than importing all the rest."""
    import scipy.special

    return scipy.special


def _like(y: Any, x: Any) -> Any:
    """``y``, computed in float32 if ``x`` is of float16, as the dtype of ``x``."""
    return y.astype(x.dtype, copy=False)


@elementwise(dx=lambda dy, x: dy * (2 / math.pi**0.5) * exp(-x * x), floats=True)
def erf(x):
    """The error function 2/√π ∫₀ˣ exp(-t²) dt, elementwise: a normal number of variance ½ lies
    within ±x with this probability."""
    return _like(_scipy().erf(x), x)


@elementwise(dx=lambda dy, x: -dy * (2 / math.pi**0.5) * exp(-x * x), floats=True)
def erfc(x):
    """1 - erf(x), elementwise, without loss of digits for large x."""
    return _like(_scipy().erfc(x), x)


@elementwise(dx=lambda dy, y: dy * (math.pi**0.5 / 2) * exp(y * y), floats=True)
def erfinv(x):
    """The number whose error function is x, elementwise; nan outside [-1, 1]."""
    return _like(_scipy().erfinv(x), x)


@elementwise(dx=lambda dy, x: dy * digamma(x), floats=True)
def lgamma(x):
    """log |Γ(x)|, elementwise, with Γ(n) = (n - 1)! and smooth between."""
    return _like(_scipy().gammaln(x), x)


@elementwise(dx=lambda dy, x: dy * polygamma(1, x), floats=True)
def digamma(x):
    """ψ(x), the derivative of log Γ(x), elementwise."""
    return _like(_scipy().digamma(x), x)


def polygamma(n: int, input: Any) -> Any:
    """The derivative of order n of ψ(x), elementwise."""
    return _polygamma(input, n) if n else digamma(input)


@elementwise(dx=lambda dy, x, n: dy * polygamma(n + 1, x), floats=True)
def _polygamma(x, n):
    return _like(_scipy().polygamma(n, x), x)
