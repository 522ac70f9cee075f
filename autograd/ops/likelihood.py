"""Losses that ask how probable a model thought what was then observed: negative log-likelihoods.

Classes come along dimension 1 of the input (dimension 0 of a vector); the targets are classes, as
integers, or probabilities of classes. Reductions are those of ``loss.py``.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from autograd.arguments import not_implemented
from autograd.op import elementwise, linear, op
from autograd.ops.activation import logsigmoid
from autograd.ops.arithmetic import array_of, square
from autograd.ops.elementary import clamp, sigmoid
from autograd.ops.gathering import along, put_along
from autograd.ops.linear_algebra import linear as linear_map
from autograd.ops.loss import reduced, reduction_of
from autograd.ops.powers import exp, log, xlogy
from autograd.ops.reduction import sum
from autograd.ops.shape import reshape, unsqueeze
from autograd.ops.softmax import log_softmax, softmax
from autograd.tensor import Tensor

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "kl_div",
    "nll_loss",
]

# -- of one class in many --------------------------------------------------------------------------


def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """-w[t] x[t], reduced: the negative log-likelihood of class t, from log-probabilities x.

    Shapes: input (C), (N, C) or (N, C, d1, ...), target () or (N) or (N, d1, ...), of int64;
    ``weight`` (C), all 1 by default. Targets equal to ``ignore_index`` do not count. The mean is Σ
    losses / Σ w[t].
    Raises ValueError and RuntimeError for shapes and dtypes that do not fit, IndexError for a
    target that is no class."""
    reduction = reduction_of(reduction, size_average, reduce)
    chosen = _Chosen(input, target, weight, ignore_index, reduction == "mean")
    return chosen.checked(
        _nll_loss(input, chosen.axis, chosen.index, chosen.share, reduction != "none")
    )


@linear(
    dx=lambda dy, x_shape, axis, index, share: put_along(
        _by_sample(dy, axis) * -share, x_shape, axis, index
    ),
    kinds="f",
)
def _nll_loss(x, axis, index, share, summed):
    losses = x[along(index, axis)] * -share
    return losses.sum() if summed else losses.squeeze(axis)


def _by_sample(dy: Any, axis: int) -> Any:
    """The gradient of each sample's loss, shaped to be multiplied with the samples."""
    return unsqueeze(dy, axis) if dy.ndim else dy


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """-Σ q[c] w[c] log softmax(x)[c], reduced: how badly the logits x predict the distribution q.

    The target is either the class t that has all of q, for shapes and errors see :func:`nll_loss`,
    or q itself, of the shape of the input. ``label_smoothing`` ε mixes q with the uniform
    distribution: (1 - ε) q + ε / C. The mean divides by Σ w[t] for classes, by the number of
    samples for probabilities.
    """
    reduction = reduction_of(reduction, size_average, reduce)
    if not 0 <= label_smoothing <= 1:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    x = array_of(input)
    if x.shape == array_of(target).shape and x.ndim:
        return _of_probabilities(input, target, weight, reduction, label_smoothing)
    chosen = _Chosen(input, target, weight, ignore_index, reduction == "mean")
    if label_smoothing:
        losses = _cross_entropy_of(input, chosen.smoothed(weight, label_smoothing), chosen.axis)
        return chosen.checked(losses if reduction == "none" else sum(losses))
    if x.dtype.kind != "f":
        raise not_implemented(_cross_entropy.op, x.dtype)
    # The parts of softmax(x) = exp(x - top) / total are found here: backward will want them again.
    top = np.maximum.reduce(x, chosen.axis, keepdims=True, initial=-np.inf)
    total = np.add.reduce(np.exp(x - top), chosen.axis, keepdims=True)
    key = along(chosen.index, chosen.axis)
    return chosen.checked(
        _cross_entropy(input, chosen.axis, key, chosen.share, top, total, reduction != "none")
    )


@op(
    dx=lambda dy, x, axis, key, share, top, total: _excess(
        x, axis, key, top, total, _by_sample(dy, axis) * share
    ),
    kinds="f",
)
def _cross_entropy(x, axis, key, share, top, total, summed):
    losses = (np.log(total) - (x[key] - top)) * share
    return losses.sum() if summed else losses.squeeze(axis)


def _excess(x: Any, axis: int, key: Any, top: Any, total: Any, scale: Any) -> Any:
    """(softmax(x) - one_hot) · scale: by how much each probability is too large."""
    if isinstance(x, Tensor):  # to be differentiated again: top and total are functions of x
        one_hot = np.zeros(x.shape, array_of(x).dtype)
        one_hot[key] = 1
        return (softmax(x, axis) - one_hot) * scale
    p = np.exp(x - top)
    p /= total
    p[key] -= 1
    p *= scale
    return p


@op(
    dx=lambda dy, x, q, axis: (softmax(x, axis) * sum(q, axis, True) - q) * unsqueeze(dy, axis),
    dq=lambda dy, x, axis: -log_softmax(x, axis) * unsqueeze(dy, axis),
    kinds="f",
)
def _cross_entropy_of(x, q, axis):
    """-Σ q log softmax(x)"""
    return -np.add.reduce(q * log_softmax(x, axis), axis)


def _of_probabilities(
    input: Any, target: Any, weight: Any, reduction: str, smoothing: float
) -> Any:
    if array_of(target).dtype.kind != "f":
        raise RuntimeError(
            "Expected floating point type for target with class probabilities, got "
            f"{array_of(target).dtype}. A target of the shape of the input holds probabilities; "
            "for classes, drop the dimension of classes."
        )
    axis = min(1, input.ndim - 1)
    classes = input.shape[axis]
    if smoothing:
        target = target * (1 - smoothing) + smoothing / classes
    if weight is not None:
        target = target * _by_class(weight, input.shape, axis)
    losses = _cross_entropy_of(input, target, axis)
    if reduction == "none":
        return losses
    return sum(losses) if reduction == "sum" else sum(losses) / array_of(losses).size


def linear_cross_entropy(
    input: Any,
    linear_weight: Any,
    target: Any,
    *,
    linear_bias: Any = None,
    weight: Any = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: Any = None,
) -> Any:
    """``cross_entropy(linear(input, linear_weight, linear_bias), target, ...)``, for an input (N,
    features) or (features).

    ``linear_weight`` is (C, features), or (C, d1, ..., features) for logits (N, C, d1, ...).
    ``options`` say how PyTorch computes it in pieces, which changes no result: they are not looked
    at. RuntimeError for shapes that do not fit together, and for an ``ignore_index`` with
    probabilities; else see :func:`cross_entropy`."""
    width, shape = linear_weight.shape[-1], tuple(linear_weight.shape[:-1])
    if input.ndim not in (1, 2) or not shape or input.shape[-1] != width:
        raise RuntimeError(
            "expected input (N, in_features) or (in_features) and linear_weight (C, ..., "
            f"in_features), but got {tuple(input.shape)} and {tuple(linear_weight.shape)}"
        )
    if linear_bias is not None and tuple(linear_bias.shape) != shape:
        raise RuntimeError(f"expected linear_bias shape {shape}, got {tuple(linear_bias.shape)}")
    if len(shape) > 1 and input.ndim == 1:
        raise RuntimeError(
            f"linear_weight of shape {tuple(linear_weight.shape)} requires a batch of inputs, (N, "
            f"{width}), but got shape {tuple(input.shape)}"
        )
    logits = linear_map(
        input,
        reshape(linear_weight, (math.prod(shape), width)),
        None if linear_bias is None else reshape(linear_bias, (math.prod(shape),)),
    )
    logits = reshape(logits, (*input.shape[:-1], *shape))
    if ignore_index is not None and tuple(target.shape) == tuple(logits.shape):
        raise RuntimeError("ignore_index cannot be specified when target contains probabilities")
    return cross_entropy(
        logits,
        target,
        weight,
        ignore_index=-100 if ignore_index is None else ignore_index,
        reduction=reduction,
        label_smoothing=label_smoothing,
    )


class _Chosen:
    """The class of each sample and its share in the result, with length 1 in place of the dimension
    of classes.

    ``share`` is w[t], or 0 for a sample that is ignored; for the mean, divided by the sum of all.
    It may be a number."""

    def __init__(
        self, input: Any, target: Any, weight: Any, ignore_index: int, average: bool
    ) -> None:
        x, t = array_of(input), array_of(target)
        self.axis = axis = 1 if x.ndim > 1 else 0
        self.like = x
        _check_classes(x.shape, t, axis)
        index = t.reshape((*t.shape[:axis], 1, *t.shape[axis:]))
        self.index, self.ignored = _separated(index, x.shape[axis], ignore_index)
        share: Any = 1.0
        if weight is not None:
            share = _by_class(weight, x.shape, axis).reshape(-1)[self.index]
        counted = self.index.size
        if self.ignored is not None:
            share = np.where(self.ignored, 0, share).astype(x.dtype)
            counted -= int(np.count_nonzero(self.ignored))
        self.nothing = average and not counted  # the mean of nothing
        self.total: Any = 1
        if average and counted:
            self.total = counted if weight is None else np.add.reduce(share, None)
        self.share = share / self.total

    def checked(self, loss: Any) -> Any:
        """The loss; but the mean of nothing is nan (and its gradient 0)."""
        return loss + math.nan if self.nothing else loss

    def smoothed(self, weight: Any, smoothing: float) -> np.ndarray:
        """The distribution q · w of each sample, times its share: mostly the class, a little of all
        classes."""
        classes = self.like.shape[self.axis]
        q = np.full_like(self.like, smoothing / classes / self.total)
        if weight is not None:
            q *= _by_class(weight, q.shape, self.axis)
        if self.ignored is not None:
            q *= ~self.ignored
        q[along(self.index, self.axis)] += (1 - smoothing) * self.share
        return q


def _check_classes(shape: tuple[int, ...], t: np.ndarray, axis: int) -> None:
    if not shape:
        raise RuntimeError("the input has no dimensions, but must have one, that of the classes")
    expected = shape[:axis] + shape[axis + 1 :]
    fits = t.shape == expected
    if fits and t.dtype in (np.int64, np.uint8):
        return
    message = (
        f"Expected target size {list(expected)}, got {list(t.shape)}: the target has the shape of "
        f"the input, {tuple(shape)}, without the dimension of the classes, {axis}."
    )
    if axis and t.shape[:1] != shape[:1]:
        raise ValueError(
            f"Expected input batch_size ({shape[0]}) to match target batch_size "
            f"({t.shape[0] if t.ndim else 0}). {message}"
        )
    if fits or t.dtype != np.int64:
        raise RuntimeError(
            f"expected scalar type Long but found {t.dtype}: classes are int64. Convert the target "
            f"with .long(); for probabilities it must have the shape of the input, {tuple(shape)}, "
            f"but it has {tuple(t.shape)}."
        )
    raise RuntimeError(message)


def _separated(index: np.ndarray, classes: int, ignore_index: int) -> tuple[np.ndarray, Any]:
    """The targets, with 0 in place of those to be ignored, and where these are (None: nowhere)."""
    index = index.astype(np.int64, copy=False)
    # Seen as uint64, negative numbers are large: one look finds all that is no class.
    all_classes = not index.size or np.maximum.reduce(index.view(np.uint64), None) < classes
    if all_classes and not 0 <= ignore_index < classes:
        return index, None
    ignored = index == ignore_index
    wrong = ((index < 0) | (index >= classes)) & ~ignored
    if wrong.any():
        raise IndexError(
            f"Target {index[wrong][0]} is out of bounds: there are {classes} classes, 0 to "
            f"{classes - 1} (and {ignore_index}, which is ignored)."
        )
    return np.where(ignored, 0, index), ignored


def _by_class(weight: Any, shape: tuple[int, ...], axis: int) -> np.ndarray:
    """The weights of the classes, shaped to be multiplied with the samples."""
    w: np.ndarray = array_of(weight)
    if w.shape != (shape[axis],):
        raise RuntimeError(
            f"weight tensor should be defined either for all {shape[axis]} classes or no classes "
            f"but got weight tensor of shape: {list(w.shape)}"
        )
    return w.reshape((-1,) + (1,) * (len(shape) - axis - 1))


# -- of yes or no ----------------------------------------------------------------------------------


def binary_cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """-w (t log x + (1 - t) log(1 - x)), reduced: the negative log-likelihood of what happened with
    probability t and was predicted with probability x. Logarithms below -100 count as -100.

    Raises ValueError for different shapes, RuntimeError for an ``input`` outside [0, 1]."""
    if tuple(input.shape) != tuple(target.shape):
        raise ValueError(
            f"Using a target size ({target.shape}) that is different to the input size "
            f"({input.shape}) is deprecated. Please ensure they have the same size."
        )
    x = array_of(input)
    if not ((x >= 0) & (x <= 1)).all():
        raise RuntimeError(
            f"all elements of input should be between 0 and 1, but they are between {x.min()} and "
            f"{x.max()}. Apply a sigmoid first, or better use binary_cross_entropy_with_logits."
        )
    losses = _binary_cross_entropy(input, target)
    return reduced(losses if weight is None else losses * weight, reduction, size_average, reduce)


@elementwise(
    dx=lambda dy, x, target: dy * _binary_slope(x, target),
    dtarget=lambda dy, x: dy * (clamp(log(1 - x), min=-100) - clamp(log(x), min=-100)),
    kinds="f",
)
def _binary_cross_entropy(x, target):
    return (target - 1) * np.maximum(np.log1p(-x), -100) - target * np.maximum(np.log(x), -100)


@elementwise(
    dx=lambda dy, x, target: (
        dy * (x * x - 2 * x * target + target) / square(clamp(x * (1 - x), min=1e-12))
    ),
    dtarget=lambda dy, x: -dy / clamp(x * (1 - x), min=1e-12),
)
def _binary_slope(x, target):
    """(x - t) / x (1 - x), where the denominator is at least 1e-12"""
    return (x - target) / np.maximum(x * (1 - x), 1e-12)


def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Any:
    """-w (p t log σ(x) + (1 - t) log(1 - σ(x))), reduced, without loss of digits for large |x|; p
    is ``pos_weight``.

    Raises ValueError for different shapes of input and target."""
    if tuple(input.shape) != tuple(target.shape):
        raise ValueError(
            f"Target size ({target.shape}) must be the same as input size ({input.shape})"
        )
    losses = _binary_cross_entropy_with_logits(
        input, target, 1 if pos_weight is None else pos_weight
    )
    return reduced(losses if weight is None else losses * weight, reduction, size_average, reduce)


@elementwise(
    dx=lambda dy, x, target, positive: (
        dy * (1 - target - (1 + (positive - 1) * target) * sigmoid(-x))
    ),
    dtarget=lambda dy, x, positive: -dy * (x + (positive - 1) * logsigmoid(x)),
    dpositive=lambda dy, x, target: -dy * target * logsigmoid(x),
    kinds="f",
)
def _binary_cross_entropy_with_logits(x, target, positive):
    # log(1 - σ(x)) = log σ(x) - x
    log_probability = np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))
    return (1 - target) * x - (1 + (positive - 1) * target) * log_probability


# -- between distributions -------------------------------------------------------------------------


def kl_div(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Any:
    """t (log t - x), reduced: the Kullback-Leibler divergence of probabilities t from
    log-probabilities x, term by term; with ``log_target`` t is given by its logarithm, too.
    ``reduction="batchmean"`` divides the sum by the length of dimension 0, and so gives the mean
    divergence; "mean" divides by the number of classes as well, and warns."""
    if any(array_of(x).dtype.kind != "f" for x in (input, target)):
        raise RuntimeError(
            f"kl_div: Integral inputs not supported, but got {input.dtype} and {target.dtype}. "
            "Convert them with .float()"
        )
    losses = (
        exp(target) * (target - input) if log_target else xlogy(target, target) - target * input
    )
    if reduction == "batchmean" and size_average is None and reduce is None:
        return sum(losses) / input.shape[0]
    if reduction == "mean" and size_average is None and reduce is None:
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size."
            "'batchmean' divides only by the batch size, and aligns with the KL math definition."
            "'mean' will be changed to behave the same as 'batchmean' in the next major release.",
            stacklevel=2,
        )
    return reduced(losses, reduction, size_average, reduce)
