"""Orthogonal polynomials: Chebyshev's, Hermite's, Laguerre's, Legendre's.

Each family is 1, a polynomial of degree 1, and then all others by a recurrence over three terms,
p₍ₖ₊₁₎ = (aₖ x + bₖ) pₖ - cₖ p₍ₖ₋₁₎. The degree n is a tensor too, and broadcasts; digits behind its
point are dropped, and below 0 the polynomial is 0. As in PyTorch there are no derivatives.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.op import elementwise

__all__ = [
    "chebyshev_polynomial_t", "chebyshev_polynomial_u", "chebyshev_polynomial_v",
    "chebyshev_polynomial_w", "hermite_polynomial_h", "hermite_polynomial_he",
    "laguerre_polynomial_l", "legendre_polynomial_p", "shifted_chebyshev_polynomial_t",
    "shifted_chebyshev_polynomial_u", "shifted_chebyshev_polynomial_v",
    "shifted_chebyshev_polynomial_w",
]  # fmt: skip


def _polynomial(x: Any, n: Any, first: Any, following: Callable[..., Any]) -> Any:
    """The polynomial of degree ``n``, where ``first`` is that of degree 1 and
    ``following(k, p, q)`` that of degree k + 1, p being that of degree k and q the one before."""
    dtype = np.result_type(x, n)
    x, degree = np.broadcast_arrays(np.asarray(x, dtype), np.trunc(n))
    before, p = np.ones_like(x), np.broadcast_to(np.asarray(first, dtype), x.shape)
    y = np.where(degree == 0, before, np.where(degree == 1, p, np.zeros_like(x)))
    for k in range(1, int(degree.max(initial=0))):
        before, p = p, following(k, p, before)
        y = np.where(degree == k + 1, p, y)
    return y


@elementwise(tensors=2, floats=True)
def chebyshev_polynomial_t(x, n):
    """Tₙ(x), elementwise with broadcasting: Tₙ(cos φ) = cos nφ."""
    return _polynomial(x, n, x, lambda k, p, q: 2 * x * p - q)


@elementwise(tensors=2, floats=True)
def chebyshev_polynomial_u(x, n):
    """Uₙ(x), elementwise with broadcasting: Uₙ(cos φ) = sin (n + 1)φ / sin φ."""
    return _polynomial(x, n, 2 * x, lambda k, p, q: 2 * x * p - q)


@elementwise(tensors=2, floats=True)
def chebyshev_polynomial_v(x, n):
    """Vₙ(x), elementwise with broadcasting: Vₙ(cos φ) = cos (n + ½)φ / cos ½φ."""
    return _polynomial(x, n, 2 * x - 1, lambda k, p, q: 2 * x * p - q)


@elementwise(tensors=2, floats=True)
def chebyshev_polynomial_w(x, n):
    """Wₙ(x), elementwise with broadcasting: Wₙ(cos φ) = sin (n + ½)φ / sin ½φ."""
    return _polynomial(x, n, 2 * x + 1, lambda k, p, q: 2 * x * p - q)


@elementwise(tensors=2, floats=True)
def shifted_chebyshev_polynomial_t(x, n):
    """Tₙ(2x - 1), elementwise with broadcasting: orthogonal on [0, 1]."""
    return chebyshev_polynomial_t(2 * x - 1, n)


@elementwise(tensors=2, floats=True)
def shifted_chebyshev_polynomial_u(x, n):
    """Uₙ(2x - 1), elementwise with broadcasting: orthogonal on [0, 1]."""
    return chebyshev_polynomial_u(2 * x - 1, n)


@elementwise(tensors=2, floats=True)
def shifted_chebyshev_polynomial_v(x, n):
    """Vₙ(2x - 1), elementwise with broadcasting: orthogonal on [0, 1]."""
    return chebyshev_polynomial_v(2 * x - 1, n)


@elementwise(tensors=2, floats=True)
def shifted_chebyshev_polynomial_w(x, n):
    """Wₙ(2x - 1), elementwise with broadcasting: orthogonal on [0, 1]."""
    return chebyshev_polynomial_w(2 * x - 1, n)


@elementwise(tensors=2, floats=True)
def hermite_polynomial_h(x, n):
    """Hₙ(x), elementwise with broadcasting: (-1)ⁿ times the n-th derivative of exp(-x²) over
    exp(-x²)."""
    return _polynomial(x, n, 2 * x, lambda k, p, q: 2 * x * p - 2 * k * q)


@elementwise(tensors=2, floats=True)
def hermite_polynomial_he(x, n):
    """Heₙ(x), elementwise with broadcasting: as Hₙ(x), of exp(-x²/2)."""
    return _polynomial(x, n, x, lambda k, p, q: x * p - k * q)


@elementwise(tensors=2, floats=True)
def laguerre_polynomial_l(x, n):
    """Lₙ(x), elementwise with broadcasting: orthogonal under the weight exp(-x) for x > 0."""
    return _polynomial(x, n, 1 - x, lambda k, p, q: ((2 * k + 1 - x) * p - k * q) / (k + 1))


@elementwise(tensors=2, floats=True)
def legendre_polynomial_p(x, n):
    """Pₙ(x), elementwise with broadcasting: orthogonal on [-1, 1]."""
    return _polynomial(x, n, x, lambda k, p, q: ((2 * k + 1) * x * p - k * q) / (k + 1))
