"""Losses that compare numbers with numbers: how far a prediction is from what was wanted.

Every loss can be reduced: ``reduction="mean"`` (the default) or ``"sum"`` over all elements, or
``"none"``. The arguments ``size_average`` and ``reduce`` are PyTorch's old way to say the same.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from autograd.op import elementwise, op
from autograd.ops.arithmetic import abs, array_of, square
from autograd.ops.broadcasting import broadcast_tensors
from autograd.ops.comparison import choose, where
from autograd.ops.conversion import cast
from autograd.ops.elementary import clamp
from autograd.ops.powers import exp, log, xlogy
from autograd.ops.reduction import mean, sum

__all__ = [
    "gaussian_nll_loss", "huber_loss", "l1_loss", "mse_loss", "poisson_nll_loss", "smooth_l1_loss",
]  # fmt: skip

# -- many losses made one --------------------------------------------------------------------------


def reduction_of(
    reduction: str, size_average: bool | None = None, reduce: bool | None = None
) -> str:
    """The reduction that is meant: ``reduction``, unless one of the two old arguments is given.

    Raises ValueError for what is none."""
    if size_average is not None or reduce is not None:
        reduction = "none" if reduce is False else "sum" if size_average is False else "mean"
        warnings.warn(
            f"size_average and reduce args will be deprecated, please use reduction='{reduction}' "
            "instead.",
            stacklevel=4,
        )
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(
            f"{reduction} is not a valid value for reduction: it is 'mean', 'sum' or 'none'"
        )
    return reduction


def reduced(
    losses: Any, reduction: str, size_average: bool | None = None, reduce: bool | None = None
) -> Any:
    """The losses, or their mean, or their sum."""
    reduction = reduction_of(reduction, size_average, reduce)
    return losses if reduction == "none" else mean(losses) if reduction == "mean" else sum(losses)


def weighted(losses: Any, weight: Any) -> Any:
    """The losses, each times its weight if there are weights. ValueError for other shapes."""
    if weight is None:
        return losses
    if tuple(weight.shape) != tuple(losses.shape):
        raise ValueError(
            f"Weights and input must have the same size, but got {tuple(weight.shape)} and "
            f"{tuple(losses.shape)}."
        )
    return losses * weight


def _weighted_mean(losses: Any, weight: Any, reduction: str) -> Any:
    """The weighted losses reduced, where the mean divides by the sum of the weights."""
    losses = weighted(losses, weight)
    if weight is None or reduction != "mean":
        return reduced(losses, reduction)
    return sum(losses) / sum(weight)


def broadcast(input: Any, target: Any) -> tuple[Any, Any]:
    """Input and target in their common shape. That they differ is nearly always a mistake, so a
    warning says it."""
    if input.shape == target.shape:
        return input, target
    warnings.warn(
        f"Using a target size ({target.shape}) that is different to the input size "
        f"({input.shape}). This will likely lead to incorrect results due to broadcasting. Please "
        "ensure they have the same size.",
        stacklevel=3,
    )
    return broadcast_tensors(input, target)


# -- squares and absolute values -------------------------------------------------------------------


def mse_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Any:
    """(x - t)², reduced. With ``weight`` the mean is Σ w (x - t)² / Σ w.

    Warns if the shapes differ; raises RuntimeError if they do not broadcast, and
    NotImplementedError for integers."""
    x, target = broadcast(input, target)
    reduction = reduction_of(reduction, size_average, reduce)
    if weight is not None or reduction == "none":
        return _weighted_mean(_squared_error(x, target), weight, reduction)
    if array_of(x).dtype != array_of(target).dtype:
        x, target = (cast(z, np.result_type(array_of(x), array_of(target))) for z in (x, target))
    count = array_of(x).size if reduction == "mean" else 1
    return _mse_loss(x, target, 2 / count if count else math.nan)


@elementwise(
    dx=lambda dy, x, target: (dy + dy) * (x - target),
    dtarget=lambda dy, x, target: (dy + dy) * (target - x),
    kinds="f",
)
def _squared_error(x, target):
    """(x - target)², elementwise."""
    return np.square(x - target)


@op(
    dx=lambda dy, x, target, slope: dy * slope * (x - target),
    dtarget=lambda dy, x, target, slope: dy * slope * (target - x),
    kinds="f",
)
def _mse_loss(x, target, slope):
    """The sum of the squared errors, times slope / 2"""
    error = (x - target).reshape(-1)
    return np.dot(error, error) * (slope / 2)


def l1_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Any:
    """|x - t|, reduced. The derivative at x = t is 0. With ``weight`` the mean is Σ w |x - t| / Σ
    w.

    Warns if the shapes differ; raises RuntimeError if they do not broadcast."""
    x, target = broadcast(input, target)
    reduction = reduction_of(reduction, size_average, reduce)
    return _weighted_mean(abs(x - target), weight, reduction)


def huber_loss(
    input: Any, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None
) -> Any:
    """(x - t)² / 2 where |x - t| <= ``delta``, and from there on straight: ``delta`` (|x - t| -
    ``delta`` / 2), reduced (Huber, 1964). Warns if the shapes differ; raises RuntimeError for
    a ``delta`` that is not positive."""
    if delta <= 0:
        raise RuntimeError(
            f"huber_loss does not support non-positive values for delta, but got {delta}"
        )
    x, target = broadcast(input, target)
    return reduced(weighted(_huber(x - target, delta), weight), reduction)


def smooth_l1_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Any:
    """|x - t| - ``beta`` / 2, and where that is no longer smooth, for |x - t| < ``beta``, (x - t)²
    / 2 ``beta``, reduced: huber_loss / beta. Warns if the shapes differ; raises RuntimeError for a
    negative ``beta``."""
    if beta < 0:
        raise RuntimeError(
            f"smooth_l1_loss does not support negative values for beta, but got {beta}"
        )
    x, target = broadcast(input, target)
    losses = _huber(x - target, beta) / beta if beta else abs(x - target)
    return reduced(losses, reduction, size_average, reduce)


@elementwise(dx=lambda dy, x, delta: dy * clamp(x, -delta, delta), kinds="f")
def _huber(x, delta):
    """x² / 2 between -delta and delta, and straight beyond"""
    size = np.abs(x)
    return choose(size < delta, 0.5 * x * x, delta * (size - 0.5 * delta))


# -- likelihoods of numbers ------------------------------------------------------------------------


def gaussian_nll_loss(
    input: Any,
    target: Any,
    var: Any,
    full: bool = False,
    eps: float = 1e-06,
    reduction: str = "mean",
) -> Any:
    """(log v + (x - t)² / v) / 2, reduced: the negative log-likelihood of t under a normal
    distribution of mean x and variance v = max(``var``, ``eps``), with ``full`` including the
    constant log(2π) / 2.

    ``var`` is a number or has the shape of ``input``, without its last dimension or with length 1
    there.
    Raises ValueError for other shapes and negative variances."""
    if isinstance(var, (int, float)):
        var = np.full(input.shape, var, array_of(input).dtype)
    if tuple(var.shape) == tuple(input.shape[:-1]) and len(input.shape):
        var = var.reshape((*var.shape, 1))
    if var.shape not in (input.shape, (*input.shape[:-1], 1)):
        raise ValueError(
            f"var is of incorrect size: {tuple(var.shape)} fits neither the input, of shape "
            f"{tuple(input.shape)}, nor it without its last dimension"
        )
    variances = array_of(var)
    if variances.dtype.kind != "f":
        raise RuntimeError(f"var must be floating-point, but is {variances.dtype}: use var.float()")
    if (variances < 0).any():
        raise ValueError(f"var has negative entry/entries: the least is {variances.min()}")
    var = var + (
        np.maximum(variances, variances.dtype.type(eps)) - variances
    )  # clamped, with the gradient passing through
    losses = 0.5 * (log(var) + square(input - target) / var)
    return reduced(losses + 0.5 * math.log(2 * math.pi) if full else losses, reduction)


def poisson_nll_loss(
    input: Any,
    target: Any,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-08,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """eˣ - t x, reduced: the negative log-likelihood of the count t where eˣ are expected (x, with
    ``log_input=False``), up to log t!, of which ``full`` adds Stirling's approximation t log t - t
    + log(2πt) / 2 where t > 1."""
    losses = exp(input) - target * input if log_input else input - target * log(input + eps)
    if full:
        stirling = xlogy(target, target) - target + 0.5 * log(2 * math.pi * target)
        losses = losses + where(target > 1, stirling, 0.0)
    return reduced(losses, reduction, size_average, reduce)
