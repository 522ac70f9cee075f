"""Special functions, under the names of ``torch.special``."""

from __future__ import annotations

from typing import Any

from autograd.ops.bessel import (
    airy_ai,
    bessel_j0,
    bessel_j1,
    bessel_y0,
    bessel_y1,
    i0,
    i0e,
    i1,
    i1e,
    modified_bessel_i0,
    modified_bessel_i1,
    modified_bessel_k0,
    modified_bessel_k1,
    scaled_modified_bessel_k0,
    scaled_modified_bessel_k1,
    spherical_bessel_j0,
)
from autograd.ops.elementary import expit, logit, round, sinc
from autograd.ops.gamma import digamma, erf, erfc, erfinv, polygamma
from autograd.ops.gamma import igamma as gammainc
from autograd.ops.gamma import igammac as gammaincc
from autograd.ops.gamma import lgamma as gammaln
from autograd.ops.gamma import mvlgamma as multigammaln
from autograd.ops.normal import (
    entr,
    erfcx,
    log_ndtr,
    ndtr,
    ndtri,
    xlog1py,
    zeta,
)
from autograd.ops.polynomials import (
    chebyshev_polynomial_t,
    chebyshev_polynomial_u,
    chebyshev_polynomial_v,
    chebyshev_polynomial_w,
    hermite_polynomial_h,
    hermite_polynomial_he,
    laguerre_polynomial_l,
    legendre_polynomial_p,
    shifted_chebyshev_polynomial_t,
    shifted_chebyshev_polynomial_u,
    shifted_chebyshev_polynomial_v,
    shifted_chebyshev_polynomial_w,
)
from autograd.ops.powers import exp2, expm1, log1p, xlogy
from autograd.ops.reduction import logsumexp
from autograd.ops.softmax import log_softmax as _log_softmax
from autograd.ops.softmax import softmax as _softmax
from autograd.out import takes_out as _takes_out

psi = digamma

__all__ = [
    "airy_ai", "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "chebyshev_polynomial_t",
    "chebyshev_polynomial_u", "chebyshev_polynomial_v", "chebyshev_polynomial_w", "digamma", "entr",
    "erf", "erfc", "erfcx", "erfinv", "exp2", "expit", "expm1", "gammainc", "gammaincc", "gammaln",
    "hermite_polynomial_h", "hermite_polynomial_he", "i0", "i0e", "i1", "i1e",
    "laguerre_polynomial_l", "legendre_polynomial_p", "log1p", "log_ndtr", "log_softmax", "logit",
    "logsumexp", "modified_bessel_i0", "modified_bessel_i1", "modified_bessel_k0",
    "modified_bessel_k1", "multigammaln", "ndtr", "ndtri", "polygamma", "psi", "round",
    "scaled_modified_bessel_k0", "scaled_modified_bessel_k1", "shifted_chebyshev_polynomial_t",
    "shifted_chebyshev_polynomial_u", "shifted_chebyshev_polynomial_v",
    "shifted_chebyshev_polynomial_w", "sinc", "softmax", "spherical_bessel_j0", "xlog1py", "xlogy",
    "zeta",
]  # fmt: skip


def softmax(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """exp(x) / Σ exp(x) along ``dim``; ``dtype`` converts first."""
    return _softmax(input, dim, dtype=dtype)


def log_softmax(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """log softmax(x) along ``dim``; ``dtype`` converts first."""
    return _log_softmax(input, dim, dtype=dtype)


_PYTHON_FUNCTIONS = ("logit", "logsumexp", "multigammaln", "polygamma", "round")
globals().update({name: _takes_out(globals()[name]) for name in _PYTHON_FUNCTIONS})
