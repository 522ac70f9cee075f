"""How variables vary together: covariance and correlation."""

from __future__ import annotations

import warnings
from typing import Any

from autograd import dtypes
from autograd.ops.arithmetic import array_of, sqrt
from autograd.ops.conversion import cast
from autograd.ops.dimensions import ndim_of
from autograd.ops.elementary import clamp
from autograd.ops.linear_algebra import matmul
from autograd.ops.parts import diagonal
from autograd.ops.reduction import sum
from autograd.ops.shape import _reshape, _unsqueeze, mt

__all__ = ["corrcoef", "cov"]


def cov(input: Any, *, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Any:
    """The covariances (n, n) of n variables, the rows of ``input``, whose columns are observations:
    Σ w (x - x̄)(y - ȳ) / (Σ w - correction), where x̄ = Σ w x / Σ w. A vector is one variable; the
    variance of a single one is 0-d.

    Weights w of the observations: ``fweights`` (integers: how often each was made) times
    ``aweights`` (floats: how much each counts; the correction is then multiplied by Σ w a / Σ w).
    Raises RuntimeError for bools, for more than two dimensions, and for weights of another length
    or dtype or below 0."""
    if ndim_of(input) > 2:
        raise RuntimeError(
            "cov(): expected input to have two or fewer dimensions but got an input with "
            f"{input.ndim} dimensions"
        )
    if array_of(input).dtype.kind == "b":
        raise RuntimeError("cov(): bool dtype is not supported for input. Use x.float()")
    x = _reshape(input, (1, -1)) if input.ndim < 2 else input
    count = x.shape[1]
    _check_weights("fweights", fweights, "integral", "iu", count)
    _check_weights("aweights", aweights, "floating point", "f", count)
    if array_of(x).dtype.kind != "f":
        x = cast(x, dtypes.get_default_dtype())
    w = fweights if aweights is None else aweights
    if fweights is not None and aweights is not None:
        w = fweights * aweights
    total = count if w is None else sum(w)
    mean = (sum(x, 1, True) if w is None else sum(x * w, 1, True)) / total
    scale = 1.0 if aweights is None else sum(w * aweights) / total
    freedom = total - correction * scale
    if not (array_of(freedom) > 0 if count else False):
        warnings.warn(
            "cov(): degrees of freedom is <= 0. Correction should be strictly less than the number "
            "of observations.",
            stacklevel=2,
        )
        freedom = 0.0
    centered = x - mean
    y = matmul(centered if w is None else centered * w, mt(centered)) / freedom
    return _reshape(y, ()) if x.shape[0] == 1 else y


def _check_weights(name: str, weights: Any, kind: str, kinds: str, count: int) -> None:
    if weights is None:
        return
    array = array_of(weights)
    if array.ndim > 1:
        raise RuntimeError(
            f"cov(): expected {name} to have one or fewer dimensions but got {name} with "
            f"{array.ndim} dimensions"
        )
    if array.dtype.kind not in kinds:
        raise RuntimeError(
            f"cov(): expected {name} to have {kind} dtype but got {name} with "
            f"{dtypes.of_array(array)} dtype"
        )
    if array.size != count:
        raise RuntimeError(
            f"cov(): expected {name} to have the same numel as there are observations in the input "
            f"but got {array.size} != {count}"
        )
    if (array < 0).any():
        raise RuntimeError(f"cov(): {name} cannot be negative")


def corrcoef(input: Any) -> Any:
    """Pearson's correlation coefficients: the covariances divided by the standard deviations of
    both variables, in [-1, 1]. See :func:`cov`."""
    if ndim_of(input) > 2:
        raise RuntimeError(
            "corrcoef(): expected input to have two or fewer dimensions but got an input with "
            f"{input.ndim} dimensions"
        )
    covariance = cov(input)
    if not covariance.ndim:
        return covariance / covariance
    deviation = sqrt(diagonal(covariance))
    return clamp(covariance / _unsqueeze(deviation, 1) / _unsqueeze(deviation, 0), -1, 1)
