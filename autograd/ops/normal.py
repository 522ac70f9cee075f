"""The bell curve: probabilities of a normal variable, what undoes them, and what goes with them.

Φ(x) = ½ erfc(-x/√2) is the probability that a standard normal variable is below x.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.op import elementwise
from autograd.ops.comparison import masked
from autograd.ops.gamma import like, no_derivative, scipy_special
from autograd.ops.powers import exp, log, log1p
from autograd.rules import no_slope

__all__ = ["entr", "erfcx", "log_ndtr", "ndtr", "ndtri", "xlog1py", "zeta"]

_ROOT_TWO_PI = math.sqrt(2 * math.pi)


@elementwise(dx=lambda dy, x: dy * exp(-0.5 * x * x) / _ROOT_TWO_PI, floats=True)
def ndtr(x):
    """Φ(x), the probability that a standard normal variable is below x, elementwise."""
    return like(scipy_special().ndtr(x), x)


@elementwise(dx=lambda dy, y: dy * exp(0.5 * y * y) * _ROOT_TWO_PI, floats=True)
def ndtri(x):
    """The number below which a standard normal variable is with probability x, elementwise; nan
    outside [0, 1]."""
    return like(scipy_special().ndtri(x), x)


# Φ' / Φ = √(2/π) exp(-x²/2) / erfc(-x/√2)
@elementwise(dx=lambda dy, x: dy * math.sqrt(2 / math.pi) / erfcx(-x / math.sqrt(2)), floats=True)
def log_ndtr(x):
    """log Φ(x), elementwise, also where Φ(x) is too small to be written down."""
    return like(scipy_special().log_ndtr(x), x)


@elementwise(dx=lambda dy, x, y: dy * (2 * x * y - 2 / math.sqrt(math.pi)), floats=True)
def erfcx(x):
    """exp(x²) erfc(x), elementwise, also where erfc(x) is too small to be written down."""
    return like(scipy_special().erfcx(x), x)


# -- logarithms and sums ---------------------------------------------------------------------------


@elementwise(dx=lambda dy, x: -dy * (1 + log(x)), floats=True)
def entr(x):
    """-x log x, what a probability x adds to the entropy, elementwise: 0 at 0 and -inf below."""
    return like(scipy_special().entr(x), x)


@elementwise(
    da=lambda dy, a, b: dy * _log1p_beside(a, b),
    db=lambda dy, a, b: dy * a / (b + 1),
    floats=True,
)
def xlog1py(a, b):
    """a log(1 + b), elementwise with broadcasting; 0 where a is 0, whatever b is but nan."""
    return np.where((a == 0) & (b == b), 0, a * _log1p(b))


def _log1p_beside(a: Any, b: Any) -> Any:
    """log (1 + b), but 0 where a is 0 and 1 + b has no logarithm."""
    if isinstance(b, (int, float)):
        if b > -1:
            return math.log1p(b)
        b = no_slope(a) + b
    return masked(log1p(b), (a != 0) | (b > -1))


def _log1p(x: Any) -> Any:
    """log (1 + x), of a number too."""
    return float(np.log1p(x)) if isinstance(x, (int, float)) else log1p(x)


@elementwise(
    da=no_derivative("zeta", "input"), db=lambda dy, a, b: -dy * a * zeta(a + 1, b), floats=True
)
def zeta(a, b):
    """Hurwitz's zeta function Σ (k + b)⁻ᵃ over k = 0, 1, ..., elementwise with broadcasting;
    Riemann's for b = 1."""
    return like(scipy_special().zeta(a, b), b if isinstance(a, (int, float)) else a)
