"""Bessel's functions, and Airy's: the waves of a drum, and their exponential kin.

The modified ones of the first kind have derivatives; of the others PyTorch has values only, and so
have we: what they return needs no gradient.
"""

from __future__ import annotations

from typing import Any

from autograd.op import elementwise
from autograd.ops.arithmetic import sign
from autograd.ops.comparison import where
from autograd.ops.gamma import i0, i1, like, scipy_special

__all__ = [
    "airy_ai", "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "i0", "i0e", "i1", "i1e",
    "modified_bessel_i0", "modified_bessel_i1", "modified_bessel_k0", "modified_bessel_k1",
    "scaled_modified_bessel_k0", "scaled_modified_bessel_k1", "spherical_bessel_j0",
]  # fmt: skip

# -- with derivatives ------------------------------------------------------------------------------


@elementwise(dx=lambda dy, x, y: dy * (i1e(x) - sign(x) * y), floats=True)
def i0e(x):
    """exp(-|x|) i0(x), elementwise, also where i0(x) is too large to be written down."""
    return like(scipy_special().i0e(x), x)


@elementwise(dx=lambda dy, x: dy * _slope_of_i1e(x), floats=True)
def i1e(x):
    """exp(-|x|) i1(x), elementwise, also where i1(x) is too large to be written down."""
    return like(scipy_special().i1e(x), x)


def _slope_of_i1e(x: Any) -> Any:
    """i0e - (sign x + 1/x) i1e, which is ½ at 0."""
    nonzero = where(x == 0, 1.0, x)
    slope = i0e(nonzero) - (sign(nonzero) + 1 / nonzero) * i1e(nonzero)
    return where(x == 0, 0.5, slope)


# -- without ---------------------------------------------------------------------------------------


@elementwise(floats=True)
def bessel_j0(x):
    """The Bessel function of the first kind and order 0, elementwise. It has no derivative here."""
    return like(scipy_special().j0(x), x)


@elementwise(floats=True)
def bessel_j1(x):
    """The Bessel function of the first kind and order 1, elementwise. It has no derivative here."""
    return like(scipy_special().j1(x), x)


@elementwise(floats=True)
def bessel_y0(x):
    """The Bessel function of the second kind and order 0, elementwise; nan for negative x. It has
    no derivative here."""
    return like(scipy_special().y0(x), x)


@elementwise(floats=True)
def bessel_y1(x):
    """The Bessel function of the second kind and order 1, elementwise; nan for negative x. It has
    no derivative here."""
    return like(scipy_special().y1(x), x)


@elementwise(floats=True)
def modified_bessel_i0(x):
    """As :func:`i0`, without a derivative."""
    return like(scipy_special().i0(x), x)


@elementwise(floats=True)
def modified_bessel_i1(x):
    """As :func:`i1`, without a derivative."""
    return like(scipy_special().i1(x), x)


@elementwise(floats=True)
def modified_bessel_k0(x):
    """The modified Bessel function of the second kind and order 0, elementwise; nan for negative x.
    It has no derivative here."""
    return like(scipy_special().k0(x), x)


@elementwise(floats=True)
def modified_bessel_k1(x):
    """The modified Bessel function of the second kind and order 1, elementwise; nan for negative x.
    It has no derivative here."""
    return like(scipy_special().k1(x), x)


@elementwise(floats=True)
def scaled_modified_bessel_k0(x):
    """exp(x) times :func:`modified_bessel_k0`, elementwise."""
    return like(scipy_special().k0e(x), x)


@elementwise(floats=True)
def scaled_modified_bessel_k1(x):
    """exp(x) times :func:`modified_bessel_k1`, elementwise."""
    return like(scipy_special().k1e(x), x)


@elementwise(floats=True)
def spherical_bessel_j0(x):
    """sin(x) / x, elementwise, and 1 at 0. It has no derivative here: :func:`autograd.sinc` has."""
    return like(scipy_special().spherical_jn(0, x), x)


@elementwise(floats=True)
def airy_ai(x):
    """Airy's function Ai(x), the solution of y'' = x y that vanishes for large x, elementwise. It
    has no derivative here."""
    return like(scipy_special().airy(x)[0], x)
