"""What is asked of complex numbers, of which the real ones are a case: here the only one.

A real number is its own real part and its own conjugate, and points along the axis, to the right or
to the left.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.op import elementwise
from autograd.ops.arithmetic import no_slope
from autograd.ops.dimensions import ndim_of

__all__ = [
    "angle", "conj", "conj_physical", "imag", "is_conj", "is_neg", "real", "resolve_conj",
    "resolve_neg",
]  # fmt: skip


def real(input: Any) -> Any:
    """The real part: ``input`` itself."""
    ndim_of(input)  # of a tensor, or it is a TypeError
    return input


conj = conj_physical = resolve_conj = resolve_neg = real


def imag(input: Any) -> Any:
    """Raises RuntimeError: a real tensor has no imaginary part to look at."""
    raise RuntimeError(
        f"imag is not implemented for tensors with non-complex dtypes, and this one is "
        f"{input.dtype}. It would be torch.zeros_like(x)."
    )


def is_conj(input: Any) -> bool:
    """Whether conjugation is put off until it is needed: never, here."""
    return False


is_neg = is_conj


@elementwise(dx=no_slope, floats=True)
def angle(x):
    """The angle in the complex plane, elementwise: π for negative numbers, else 0; nan for nan. The
    gradient is 0."""
    return np.where(x != x, x, (x < 0) * x.dtype.type(np.pi))
