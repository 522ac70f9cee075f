"""Sums, products and quotients, squares and signs."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.arguments import NUMBERS
from autograd.op import bilinear, elementwise
from autograd.rules import no_slope
from autograd.tensor import Tensor

__all__ = [
    "abs", "absolute", "add", "addcdiv", "addcmul", "copysign", "div", "divide", "floor_divide",
    "fmod", "lerp", "mul", "multiply", "neg", "negative", "positive", "reciprocal", "remainder",
    "rsqrt", "rsub", "sgn", "sign", "sqrt", "square", "sub", "subtract", "true_divide",
]  # fmt: skip


def array_of(x: Any) -> Any:
    """The array in a tensor; anything else as it is."""
    return x._array if isinstance(x, Tensor) else x


# -- sums ------------------------------------------------------------------------------------------


@elementwise(da=lambda dy: dy, db=lambda dy: dy, numbers="all")
def _add(a, b):
    """a + b"""
    return a + b


@elementwise(da=lambda dy: dy, db=lambda dy: -dy, bools=False, numbers="all")
def _sub(a, b):
    """a - b"""
    return a - b


def add(input: Any, other: Any, *, alpha: float = 1, out: Any = None) -> Any:
    """input + alpha · other, elementwise with broadcasting. Also ``+``. The sum of two bools is
    their ``or``."""
    return _add(input, other if alpha == 1 else _scaled(other, alpha, input), out=out)


def sub(input: Any, other: Any, *, alpha: float = 1, out: Any = None) -> Any:
    """input - alpha · other, elementwise with broadcasting. Also ``-``. Raises RuntimeError for
    bools."""
    return _sub(input, other if alpha == 1 else _scaled(other, alpha, input), out=out)


def rsub(input: Any, other: Any, *, alpha: float = 1) -> Any:
    """other - alpha · input: ``sub`` with its operands exchanged. TypeError if ``input`` is a
    number."""
    if type(input) in NUMBERS:
        raise TypeError(
            f"rsub(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}: a "
            "number can only be what is subtracted from"
        )
    return sub(other, input, alpha=alpha)


def _scaled(other: Any, alpha: float, input: Any) -> Any:
    """alpha · other, for what is to be added to ``input``."""
    if isinstance(alpha, float) and np.result_type(array_of(input), array_of(other)).kind != "f":
        raise RuntimeError(
            "For integral input tensors, argument alpha must not be a floating point number, but "
            f"got {alpha}. Convert a tensor first: x.float()"
        )
    return other * alpha if type(other) in NUMBERS else mul(other, alpha)


@elementwise(dx=lambda dy: -dy, kinds="iuf")
def neg(x):
    """-x, elementwise. Raises RuntimeError for bools, of which the opposite is ``~x``."""
    return -x


def positive(input: Any) -> Any:
    """``input`` itself. Also ``+x``. Raises RuntimeError for bools."""
    if array_of(input).dtype.kind == "b":
        raise RuntimeError(
            "The `+` operator, on a bool tensor is not supported. Convert it first: x.long()"
        )
    return input


# -- products and quotients ------------------------------------------------------------------------


@bilinear(da=lambda dy, b: dy * b, db=lambda dy, a: dy * a, numbers="all")
def mul(a, b):
    """a · b, elementwise with broadcasting. Also ``*``. The product of two bools is their
    ``and``."""
    return a * b


@elementwise(
    da=lambda dy, b: dy / b, db=lambda dy, a, b: -dy * (a / b / b), floats=True, numbers="all"
)
def _div(a, b):
    """a / b"""
    return a / b


def div(input: Any, other: Any, *, rounding_mode: str | None = None, out: Any = None) -> Any:
    """input / other, elementwise with broadcasting. Also ``/``; integers give floats.

    ``rounding_mode="floor"`` rounds down, ``"trunc"`` towards zero; both keep integers, and have
    gradient 0.
    Raises RuntimeError for another mode and for integers divided by zero."""
    if rounding_mode is None:
        return _div(input, other, out=out)
    if rounding_mode == "floor":
        return floor_divide(input, other, out=out)
    if rounding_mode == "trunc":
        return _trunc_divide(input, other, out=out)
    raise RuntimeError(
        "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found "
        f"{rounding_mode!r}"
    )


@elementwise(da=no_slope, db=no_slope, kinds="iuf", numbers="all")
def floor_divide(a, b):
    """⌊a / b⌋, elementwise with broadcasting. Also ``//``. The gradient is 0.

    Raises RuntimeError for integers divided by zero."""
    _refuse_zero(a, b)
    return a // b


@elementwise(da=no_slope, db=no_slope, kinds="iuf", numbers="all")
def _trunc_divide(a, b):
    """a / b without what is behind the point"""
    _refuse_zero(a, b)
    if np.result_type(a, b).kind == "f":
        return np.trunc(a / b)
    quotient = a // b  # rounded down: one too low where it is negative and not whole
    return quotient + ((quotient < 0) & (quotient * b != a))


@elementwise(da=lambda dy: dy, db=lambda dy, a, b: -dy * floor_divide(a, b), kinds="iuf")
def remainder(a, b):
    """The remainder of a / b with the sign of b, a - b · ⌊a / b⌋. Also ``%``.

    Raises RuntimeError for integers divided by zero."""
    _refuse_zero(a, b)
    return np.remainder(a, b)


@elementwise(
    da=lambda dy: dy, db=lambda dy, a, b: -dy * _trunc_divide(a, b), kinds="iuf", numbers="b"
)
def fmod(a, b):
    """The remainder of a / b with the sign of a.

    Raises RuntimeError for integers divided by zero."""
    _refuse_zero(a, b)
    return np.fmod(a, b)


def _refuse_zero(a: Any, b: Any) -> None:
    """For floats a division by zero is inf or nan; integers have no such numbers."""
    if np.result_type(a, b).kind != "f" and not np.all(b):
        raise RuntimeError(
            "ZeroDivisionError: integers were divided by zero. For inf or nan, divide floats: "
            "x.float()"
        )


@elementwise(dx=lambda dy, y: -dy * y * y, floats=True)
def reciprocal(x):
    """1 / x, elementwise."""
    return 1 / x


# -- squares and roots -----------------------------------------------------------------------------


@elementwise(dx=lambda dy, x: dy * (x + x))
def square(x):
    """x², elementwise."""
    return x * x if x.dtype.kind != "b" else x.astype(np.int64)


@elementwise(dx=lambda dy, y: dy / (y + y), floats=True)
def sqrt(x):
    """√x, elementwise; nan for negative x. Its derivative at 0 is inf."""
    return np.sqrt(x)


@elementwise(dx=lambda dy, y: -0.5 * dy * y * y * y, floats=True)
def rsqrt(x):
    """1 / √x, elementwise."""
    return 1 / np.sqrt(x)


# -- signs -----------------------------------------------------------------------------------------


@elementwise(dx=lambda dy, x: dy * sign(x), kinds="iuf")
def abs(x):
    """|x|, elementwise. Its derivative at 0 is 0."""
    return np.abs(x)


@elementwise(dx=no_slope)
def sign(x):
    """-1, 0 or 1, elementwise; 0 for nan. The gradient is 0."""
    return np.subtract(x > 0, x < 0, dtype=x.dtype) if x.dtype.kind != "b" else x.copy()


@elementwise(da=lambda dy, a, y: dy * sign(a) * sign(y), db=no_slope, floats=True, numbers="b")
def copysign(a, b):
    """|a| with the sign of b, elementwise; -0.0 counts as negative."""
    return np.copysign(a, b)


# -- combinations ----------------------------------------------------------------------------------


@elementwise(
    da=lambda dy: dy,
    dtensor1=lambda dy, tensor2, value: dy * tensor2 * value,
    dtensor2=lambda dy, tensor1, value: dy * tensor1 * value,
    kinds="iuf",
    numbers="",
)
def addcmul(a, tensor1, tensor2, value=1):
    """a + value · tensor1 · tensor2, elementwise with broadcasting."""
    return a + value * tensor1 * tensor2


@elementwise(
    da=lambda dy: dy,
    dtensor1=lambda dy, tensor2, value: dy * value / tensor2,
    dtensor2=lambda dy, tensor1, tensor2, value: -dy * value * tensor1 / (tensor2 * tensor2),
    kinds="f",
    numbers="",
)
def addcdiv(a, tensor1, tensor2, value=1):
    """a + value · tensor1 / tensor2, elementwise with broadcasting, for floats."""
    return a + value * tensor1 / tensor2


@elementwise(
    da=lambda dy, weight: dy * (1 - weight),
    dend=lambda dy, weight: dy * weight,
    dweight=lambda dy, a, end: dy * (end - a),
    kinds="f",
    numbers="weight",
)
def lerp(a, end, weight):
    """a + weight · (end - a), elementwise with broadcasting; ``weight`` is a tensor or a number."""
    return a + weight * (end - a)


subtract, multiply, divide, true_divide = sub, mul, div, _div
negative, absolute, sgn = neg, abs, sign
