"""Comparisons and logic, and choosing between two values by the answer.

Answers are bool tensors, and have no derivative. What is chosen has one: the gradient goes to the
chosen value, and nothing of it to the other.
"""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from autograd.arguments import check_operands
from autograd.dtypes import result_dtype
from autograd.op import elementwise, linear, op
from autograd.ops.arithmetic import array_of
from autograd.tensor import Tensor, wrap

__all__ = [
    "allclose", "bitwise_and", "bitwise_left_shift", "bitwise_not", "bitwise_or",
    "bitwise_right_shift", "bitwise_xor", "eq", "equal", "ge", "greater", "greater_equal", "gt",
    "isclose", "isfinite", "isinf", "isnan", "isneginf", "isposinf", "isreal", "le", "less",
    "less_equal", "logical_and", "logical_not", "logical_or", "logical_xor", "lt", "ne",
    "not_equal", "signbit", "where",
]  # fmt: skip

# -- between two tensors ---------------------------------------------------------------------------


@elementwise(tensors=2, numbers="b")
def eq(a, b):
    """a == b, elementwise with broadcasting."""
    return a == b


@elementwise(tensors=2, numbers="b")
def ne(a, b):
    """a != b, elementwise with broadcasting; nan differs from itself."""
    return a != b


@elementwise(tensors=2, numbers="b")
def lt(a, b):
    """a < b, elementwise with broadcasting."""
    return a < b


@elementwise(tensors=2, numbers="b")
def le(a, b):
    """a <= b, elementwise with broadcasting."""
    return a <= b


@elementwise(tensors=2, numbers="b")
def gt(a, b):
    """a > b, elementwise with broadcasting."""
    return a > b


@elementwise(tensors=2, numbers="b")
def ge(a, b):
    """a >= b, elementwise with broadcasting."""
    return a >= b


not_equal, less, less_equal, greater, greater_equal = ne, lt, le, gt, ge


@op(tensors=2, numbers="")
def isclose(a, b, rtol=1e-05, atol=1e-08, equal_nan=False):
    """|a - b| <= atol + rtol · |b|, elementwise with broadcasting; infinities are close to
    themselves, nan to nothing (with ``equal_nan`` to nan).

    Raises RuntimeError for different dtypes and negative tolerances, TypeError for numbers."""
    check_operands(isclose.op, (a, b))
    if a.dtype != b.dtype:
        raise RuntimeError(
            f"isclose compares tensors of one dtype, but got {a.dtype} and {b.dtype}. Convert one "
            "of them."
        )
    if rtol < 0 or atol < 0:
        raise RuntimeError(
            f"rtol and atol must be greater than or equal to zero, but got {rtol} and {atol}"
        )
    close = a == b
    if equal_nan:
        close = close | ((a != a) & (b != b))
    if a.dtype.kind != "f":
        a, b = a.astype(np.float64), b.astype(np.float64)
    difference = np.abs(a - b)
    return close | (np.isfinite(difference) & (difference <= atol + np.abs(rtol * b)))


def allclose(
    input: Any, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> builtins.bool:
    """Whether all elements are close: see :func:`isclose`."""
    return builtins.bool(array_of(isclose(input, other, rtol, atol, equal_nan)).all())


def equal(input: Any, other: Any) -> builtins.bool:
    """Whether two tensors have the same shape and the same elements."""
    a, b = array_of(input), array_of(other)
    return a.shape == b.shape and builtins.bool((a == b).all())


# -- kinds of number -------------------------------------------------------------------------------


@op()
def isnan(x):
    """Whether each element is nan."""
    return np.isnan(x)


@op()
def isinf(x):
    """Whether each element is inf or -inf."""
    return np.isinf(x)


@op()
def isfinite(x):
    """Whether each element is neither infinite nor nan."""
    return np.isfinite(x)


@op()
def isposinf(x):
    """Whether each element is inf."""
    return x == np.inf


@op()
def isneginf(x):
    """Whether each element is -inf."""
    return x == -np.inf


@op()
def isreal(x):
    """Whether each element is a real number: here they all are."""
    return np.ones(x.shape, np.bool_)


@op()
def signbit(x):
    """Whether each element is negative; -0.0 is."""
    return np.signbit(x) if x.dtype.kind != "b" else np.zeros(x.shape, np.bool_)


# -- logic -----------------------------------------------------------------------------------------


@elementwise(tensors=2, numbers="")
def logical_and(a, b):
    """Whether a and b are both not zero, elementwise with broadcasting."""
    return np.logical_and(a, b)


@elementwise(tensors=2, numbers="")
def logical_or(a, b):
    """Whether a or b is not zero, elementwise with broadcasting."""
    return np.logical_or(a, b)


@elementwise(tensors=2, numbers="")
def logical_xor(a, b):
    """Whether just one of a and b is not zero, elementwise with broadcasting."""
    return np.logical_xor(a, b)


@op()
def logical_not(x):
    """Whether each element is zero."""
    return np.logical_not(x)


@elementwise(tensors=2, kinds="biu")
def bitwise_and(a, b):
    """a and b, bit by bit. Also ``&``. Raises RuntimeError for floats."""
    return a & b


@elementwise(tensors=2, kinds="biu")
def bitwise_or(a, b):
    """a or b, bit by bit. Also ``|``. Raises RuntimeError for floats."""
    return a | b


@elementwise(tensors=2, kinds="biu")
def bitwise_xor(a, b):
    """Either a or b, bit by bit. Also ``^``. Raises RuntimeError for floats."""
    return a ^ b


@op(kinds="biu")
def bitwise_not(x):
    """Every bit turned over. Also ``~``. Raises RuntimeError for floats."""
    return ~x


@elementwise(tensors=2, kinds="iu")
def bitwise_left_shift(a, b):
    """The bits of a, moved up by b places: a · 2ᵇ. Also ``<<``. Raises RuntimeError for floats."""
    return a << b


@elementwise(tensors=2, kinds="iu")
def bitwise_right_shift(a, b):
    """The bits of a, moved down by b places: ⌊a / 2ᵇ⌋. Also ``>>``. Raises RuntimeError for
    floats."""
    return a >> b


# -- choosing --------------------------------------------------------------------------------------


def where(condition: Any, input: Any = None, other: Any = None) -> Any:
    """``input`` where ``condition`` holds and ``other`` elsewhere; all three broadcast, and the two
    may be numbers.

    The gradient goes to the chosen values; nan and inf in the others do not leak into it. With one
    argument, the indices at which it is not zero: a tuple of int64 tensors, one a dimension.
    Raises RuntimeError for a condition that is not bool."""
    mask = array_of(condition)
    if input is None or other is None:
        places = np.nonzero(np.atleast_1d(mask))
        return tuple(map(wrap, places)) if isinstance(condition, Tensor) else places
    if mask.dtype.kind != "b":
        raise RuntimeError(
            "where expected condition to be a boolean tensor, but got a tensor with dtype "
            f"{mask.dtype}. Compare it with something: x != 0"
        )
    if isinstance(input, (int, float)) and isinstance(other, (int, float)):
        number = np.asarray(input, result_dtype(input, other))
        input = wrap(number) if isinstance(condition, Tensor) else number
    return _where(input, other, condition)


@elementwise(
    da=lambda dy, condition: masked(dy, condition), db=lambda dy, condition: masked(dy, ~condition)
)
def _where(a, b, condition):
    return choose(condition, a, b)


def choose(condition: Any, a: Any, b: Any) -> Any:
    """np.where, for arrays of one dtype and numbers.

    np.where branches at every element, which, if the condition has no pattern, costs ten times as
    much as arithmetic on the bits: b ^ (a ^ b) is a."""
    if condition.size < 1000:
        return np.where(condition, a, b)
    dtype = np.result_type(a, b)
    a, b = (np.asarray(x, dtype).view(_BITS[dtype.itemsize]) for x in (a, b))
    return (b ^ (a ^ b) * condition).view(dtype)


_BITS = {1: np.int8, 2: np.int16, 4: np.int32, 8: np.int64}  # the integers as wide as a number


def masked(x: Any, mask: Any) -> Any:
    """``x`` where ``mask`` holds, 0 elsewhere: not 0 · x, which would let inf and nan through.
    Linear in x."""
    return _masked(x, mask) if isinstance(x, Tensor) else _zero_outside(x, mask)


def _zero_outside(x: Any, mask: Any) -> Any:
    if not mask.ndim:
        return +x if mask else np.zeros(x.shape, x.dtype)
    return (x.view(_BITS[x.itemsize]) * mask).view(x.dtype)


@linear(dx=lambda dy, mask: masked(dy, mask))
def _masked(x, mask):
    """x where mask holds, 0 elsewhere."""
    return _zero_outside(x, mask)
