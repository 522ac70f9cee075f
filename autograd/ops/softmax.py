"""Softmax: any numbers made probabilities.

    softmax(x)ᵢ = exp(xᵢ) / Σⱼ exp(xⱼ)

Numerator and denominator are divided by the exponential of the largest number, so that none
overflows.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from autograd import sampling
from autograd.op import op
from autograd.ops.arithmetic import array_of
from autograd.ops.conversion import cast
from autograd.ops.dimensions import ndim_of, reduced
from autograd.ops.powers import exp
from autograd.ops.reduction import sum

__all__ = ["gumbel_softmax", "log_softmax", "softmax", "softmin"]


def softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """exp(xᵢ) / Σⱼ exp(xⱼ) along ``dim``: positive numbers that sum to 1. ``dtype`` converts the
    input first."""
    return _softmax(*_along(input, dim, dtype, "softmax", _stacklevel))


def log_softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """log softmax(x) = xᵢ - log Σⱼ exp(xⱼ) along ``dim``, without loss of digits. ``dtype``
    converts the input first."""
    return _log_softmax(*_along(input, dim, dtype, "log_softmax", _stacklevel))


def softmin(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """softmax(-x) along ``dim``."""
    return _softmax(*_along(-input, dim, dtype, "softmin", _stacklevel))


def _along(input: Any, dim: int | None, dtype: Any, name: str, stacklevel: int) -> tuple[Any, Any]:
    """The input as ``dtype``, and the dimension as NumPy wants it."""
    ndim = ndim_of(input)
    if dim is None:
        warnings.warn(
            f"Implicit dimension choice for {name} has been deprecated. Change the call to include "
            "dim=X as an argument.",
            stacklevel=stacklevel,
        )
        dim = 0 if ndim in (0, 1, 3) else 1
    return input if dtype is None else cast(input, dtype), reduced(dim, ndim)


@op(dx=lambda dy, y, dim: through_softmax(dy, y, dim), kinds="f")
def _softmax(x, dim):
    y = np.exp(_below_largest(x, dim))
    y /= _sums(y, dim)
    return y


@op(
    da=lambda dy, p, dim: through_softmax(dy, p, dim),  # ∂pᵢ/∂xⱼ is symmetric
    dp=lambda dy, a, p, dim: (
        dy * (a - sum(a * p, dim, keepdim=True)) - a * sum(dy * p, dim, keepdim=True)
    ),
)
def through_softmax(a, p, dim):
    """The gradient ``a`` of p = softmax(x), pulled back to x: ∂pᵢ/∂xⱼ = pᵢ (δᵢⱼ - pⱼ)."""
    if dim is None:  # of a number
        return (a - a * p) * p
    dots = np.vecdot(a.swapaxes(dim, -1), p.swapaxes(dim, -1))
    y = a - dots[..., None].swapaxes(dim, -1)
    y *= p
    return y


@op(dx=lambda dy, y, dim: _through_log_softmax(dy, y, dim), kinds="f")
def _log_softmax(x, dim):
    y = _below_largest(x, dim)
    y -= np.log(_sums(np.exp(y), dim))
    return y


@op(
    da=lambda dy, logs, dim: dy - sum(dy * exp(logs), dim, keepdim=True),
    dlogs=lambda dy, a, logs, dim: -dy * exp(logs) * sum(a, dim, keepdim=True),
)
def _through_log_softmax(a, logs, dim):
    """The gradient ``a`` of y = log softmax(x), pulled back to x: ∂yᵢ/∂xⱼ = δᵢⱼ - exp(yⱼ)."""
    y = np.exp(logs)
    y *= _sums(a, dim)
    return a - y if dim is None else np.subtract(a, y, out=y)


def _sums(x: np.ndarray, dim: int | None) -> np.ndarray:
    """The sums along ``dim``, which stays. Many short rows NumPy sums faster by einsum."""
    if dim == x.ndim - 1 and x.size > 4000 and x.shape[dim] < 2000:
        return np.einsum("...i->...", x)[..., None]
    return np.add.reduce(x, dim, keepdims=True)


def _below_largest(x: Any, dim: int | None) -> Any:
    return x - np.maximum.reduce(x, dim, keepdims=True, initial=-np.inf)


def gumbel_softmax(
    logits: Any, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Any:
    """softmax((logits + g) / ``tau``) along ``dim`` with random g: the smaller ``tau``, the nearer
    to one-hot samples from the distribution softmax(logits) (Jang, Gu and Poole, 2016). ``hard``
    returns one-hot vectors with that gradient."""
    x = array_of(logits)
    noise = -np.log(sampling.exponential(x.shape, x.dtype, 1))
    soft = softmax((logits + noise) / tau, dim)
    if not hard:
        return soft
    y = array_of(soft)
    one_hot = np.zeros(y.shape, y.dtype)
    np.put_along_axis(one_hot, y.argmax(dim, keepdims=True), 1, dim)
    return soft + (one_hot - y)
