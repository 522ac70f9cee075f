"""Numbers as they are written: mantissa and exponent, the next number there is; and what whole
numbers divide by."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import return_types
from autograd.op import elementwise
from autograd.ops.arithmetic import array_of, mul, no_slope
from autograd.ops.comparison import masked
from autograd.ops.dimensions import ndim_of
from autograd.ops.gathering import as_given
from autograd.ops.powers import pow

__all__ = ["frexp", "gcd", "lcm", "ldexp", "nextafter"]

# -- mantissa and exponent -------------------------------------------------------------------------


def frexp(input: Any) -> Any:
    """``(mantissa, exponent)`` with input = mantissa · 2^exponent, elementwise, ½ <= |mantissa| < 1
    and a whole exponent (int32); 0 and 0 for 0. Between the jumps of the exponent the derivative of
    the mantissa is 2^-exponent. Raises RuntimeError for integers."""
    mantissa = _mantissa(input)
    _, exponent = np.frexp(array_of(input))
    return return_types.frexp(mantissa, as_given(np.asarray(exponent, np.int32), input))


@elementwise(dx=lambda dy, x: dy * _scale(x), kinds="f")
def _mantissa(x):
    """x · 2^-exponent"""
    return np.frexp(x)[0]


def _scale(x: Any) -> Any:
    """2^-exponent: constant but for its jumps."""
    numbers = array_of(x)
    return as_given(np.ldexp(numbers.dtype.type(1), -np.frexp(numbers)[1]), x)


def ldexp(input: Any, other: Any) -> Any:
    """input · 2^other, elementwise with broadcasting; of integers a float. TypeError if ``input``
    is a number."""
    ndim_of(input)
    return mul(input, pow(2.0, other))


@elementwise(da=lambda dy, a, b: masked(dy, a != b), db=no_slope, kinds="f", numbers="")
def nextafter(a, b):
    """The next number after a, of those its dtype has, towards b; elementwise with broadcasting.
    The derivative by a is 1 (0 where a is b), by b 0."""
    return np.nextafter(a, b)


# -- divisors --------------------------------------------------------------------------------------


@elementwise(tensors=2, kinds="iu", numbers="")
def gcd(a, b):
    """The greatest common divisor of integers, elementwise with broadcasting; of 0 and 0 it is
    0."""
    return np.gcd(a, b)


@elementwise(tensors=2, kinds="iu", numbers="")
def lcm(a, b):
    """The least common multiple of integers, elementwise with broadcasting; beside a 0 it is 0."""
    return np.lcm(a, b)
