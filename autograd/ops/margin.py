"""Losses that are content once something is far enough from something else.

Reductions are those of ``loss.py``. At the margin itself losses of pairs and triplets have the
slope of what is not content yet, losses of classes have slope 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.ops.activation import logsigmoid, relu
from autograd.ops.arithmetic import array_of, sqrt
from autograd.ops.broadcasting import broadcast_shapes
from autograd.ops.comparison import masked
from autograd.ops.dimensions import ndim_of
from autograd.ops.distance import pairwise_distance
from autograd.ops.elementary import clamp_min, minimum
from autograd.ops.gathering import gather, index_select
from autograd.ops.loss import reduced, reduction_of
from autograd.ops.powers import pow
from autograd.ops.reduction import mean, sum
from autograd.ops.shape import reshape, unsqueeze

__all__ = [
    "cosine_embedding_loss", "hinge_embedding_loss", "margin_ranking_loss",
    "multi_margin_loss", "multilabel_margin_loss", "multilabel_soft_margin_loss",
    "soft_margin_loss", "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]  # fmt: skip

# -- of pairs and triplets -------------------------------------------------------------------------


def cosine_embedding_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """1 - cos for pairs with t = 1, max(0, cos - ``margin``) for pairs with t = -1, reduced; cos is
    the cosine of the angle between the two. Shapes: inputs (N, D) or (D), target (N) or ()."""
    product, square1, square2 = (
        sum(a * b, -1) for a, b in ((input1, input2), (input1, input1), (input2, input2))
    )
    cosine = product / sqrt((square1 + 1e-12) * (square2 + 1e-12))
    broadcast_shapes(cosine.shape, target.shape)  # which complains of what does not fit
    losses = masked(1 - cosine, target == 1) + masked(clamp_min(cosine - margin, 0), target == -1)
    return reduced(losses, reduction, size_average, reduce)


def hinge_embedding_loss(
    input: Any,
    target: Any,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """The distance x for pairs with t = 1, max(0, ``margin`` - x) for pairs with t = -1,
    reduced."""
    broadcast_shapes(input.shape, target.shape)  # which complains of what does not fit
    losses = masked(clamp_min(margin - input, 0), target != 1) + masked(input, target != -1)
    return reduced(losses, reduction, size_average, reduce)


def margin_ranking_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """max(0, ``margin`` - t (x1 - x2)), reduced: t = 1 asks for x1 > x2, t = -1 for x1 < x2.

    Raises RuntimeError unless all have as many dimensions."""
    if not ndim_of(input1) == ndim_of(input2) == ndim_of(target):
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {tuple(input1.shape)}, input2: {tuple(input2.shape)}, target: "
            f"{tuple(target.shape)}"
        )
    losses = clamp_min(-target * (input1 - input2) + float(margin), 0)
    return reduced(losses, reduction, size_average, reduce)


def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-06,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """max(0, ``margin`` + d(a, p) - d(a, n)), reduced: the positive example is to be nearer to the
    anchor than the negative one. With ``swap`` the smaller of d(a, n) and d(p, n) counts. d is the
    p-norm distance."""
    losses = _triplet(
        anchor, positive, negative, lambda a, b: pairwise_distance(a, b, p, eps), margin, swap
    )
    return reduced(losses, reduction, size_average, reduce)


def triplet_margin_with_distance_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    distance_function: Callable[[Any, Any], Any] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Any:
    """triplet_margin_loss with any ``distance_function``."""
    return reduced(
        _triplet(anchor, positive, negative, distance_function or pairwise_distance, margin, swap),
        reduction,
    )


def _triplet(
    anchor: Any,
    positive: Any,
    negative: Any,
    distance: Callable[[Any, Any], Any],
    margin: float,
    swap: bool,
) -> Any:
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    to_negative = distance(anchor, negative)
    if swap:
        to_negative = minimum(to_negative, distance(positive, negative))
    return clamp_min(margin + distance(anchor, positive) - to_negative, 0)


# -- of classes ------------------------------------------------------------------------------------


def soft_margin_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """log(1 + exp(-t x)) for t = 1 and t = -1, reduced."""
    return reduced(-logsigmoid(target * input), reduction, size_average, reduce)


def multi_margin_loss(
    input: Any,
    target: Any,
    p: int = 1,
    margin: float = 1.0,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """Σ max(0, ``margin`` - x[t] + x[c])ᵖ / C over the classes c other than t, reduced. Shapes:
    input (N, C) or (C), target (N) or (), of int64; ``weight`` (C) multiplies by w[t]. Raises
    ValueError for a p other than 1 and 2, RuntimeError for other shapes, dtypes and classes."""
    reduction = reduction_of(reduction, size_average, reduce)
    if p not in (1, 2):
        raise ValueError(f"only p == 1 and p == 2 supported, but got {p}")
    x = _rows("multi_margin_loss", input)
    rows, classes = x.shape
    labels = array_of(target)
    if weight is not None and weight.ndim != 1:
        raise ValueError(f"weight must be one-dimensional, but has {weight.ndim} dimensions")
    if weight is not None and weight.shape[0] != classes:
        raise RuntimeError(
            f"inconsistent weight size, expected {classes} but got {list(weight.shape)}"
        )
    if labels.ndim > 1 or labels.size != rows:
        raise RuntimeError(
            "multi_margin_loss: target tensor should be 1-D with size equal to the number of input "
            f"samples (batch size). Expected target size [{rows}], but got {list(labels.shape)}. "
            f"Input has shape {list(input.shape)}."
        )
    _check_labels(labels, 0, classes)
    index = labels.reshape(rows, 1)
    lead = relu(margin - gather(x, 1, index) + x)
    losses = mean(masked(pow(lead, p), index != np.arange(classes)), 1)
    if weight is not None:
        losses = losses * index_select(weight, 0, index[:, 0])
    return reduced(reshape(losses, labels.shape), reduction)


def multilabel_margin_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """Σ max(0, 1 - x[t] + x[c]) / C over the classes t that hold and c that do not, reduced.
    Shapes: input and target (N, C) or (C); a row of the target (int64) lists the classes that hold,
    ended by -1. Raises RuntimeError for other shapes, dtypes and classes."""
    reduction = reduction_of(reduction, size_average, reduce)
    x, labels = _rows("multilabel_margin_loss", input), array_of(target)
    rows, classes = x.shape
    if labels.shape != tuple(input.shape):
        raise RuntimeError(
            f"inconsistent target size: {list(labels.shape)} for input of size: {list(input.shape)}"
        )
    _check_labels(labels, -1, classes)
    labels = labels.reshape(rows, classes)
    listed = np.logical_and.accumulate(labels >= 0, axis=1)
    labels = np.where(listed, labels, 0)
    holds = ((labels[:, :, None] == np.arange(classes)) & listed[:, :, None]).any(1)
    lead = relu(1 - unsqueeze(gather(x, 1, labels), 2) + unsqueeze(x, 1))
    pairs = masked(lead, listed[:, :, None] & ~holds[:, None, :])
    losses = reshape(sum(pairs, (1, 2)) / classes, tuple(input.shape[:-1]))
    return reduced(losses, reduction)


def _rows(function: str, input: Any) -> Any:
    """The input as (N, C); a vector is one row."""
    shape = tuple(input.shape)
    if len(shape) > 2 or 0 in shape[-1:]:
        raise RuntimeError(
            "Expected non-empty vector or matrix with optional 0-dim batch size, but got: "
            f"{list(shape)}"
        )
    if array_of(input).dtype.kind != "f":
        raise NotImplementedError(
            f"{function} is not implemented for {input.dtype}: convert the input with .float()"
        )
    return input if len(shape) == 2 else reshape(input, (1, shape[0] if shape else 1))


def _check_labels(labels: np.ndarray, least: int, classes: int) -> None:
    if labels.dtype != np.int64:
        raise RuntimeError(
            f"expected scalar type Long but found {labels.dtype}: convert the target with .long()"
        )
    if labels.size and not least <= labels.min() <= labels.max() < classes:
        raise RuntimeError(
            f"target out of range: classes are {least} to {classes - 1}, but the target goes from "
            f"{labels.min()} to {labels.max()}"
        )


def multilabel_soft_margin_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """-Σ w (t log σ(x) + (1 - t) log σ(-x)) / C over the classes, the last dimension, reduced."""
    terms = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    return reduced(
        mean(terms if weight is None else terms * weight, -1), reduction, size_average, reduce
    )
