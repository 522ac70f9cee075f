"""Losses that ask how probable a model thought what was then observed: negative log-likelihoods.

Classes come along dimension 1 of the input (dimension 0 of a vector); the targets are classes, as integers, or
probabilities of classes. Reductions are those of ``loss.py``.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from autograd.op import elementwise, linear, op
from autograd.ops.activation import log_softmax, logsigmoid, softmax
from autograd.ops.arithmetic import array_of
from autograd.ops.comparison import masked
from autograd.ops.elementary import clamp, sigmoid
from autograd.ops.gathering import along, put_along
from autograd.ops.loss import reduced, reduction_of
from autograd.ops.powers import exp, log, xlogy
from autograd.ops.reduction import sum
from autograd.ops.shape import unsqueeze
from autograd.tensor import Tensor

__all__ = ["binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "kl_div", "nll_loss"]

# -- of one class in many ---------------------------------------------------------------------------------------------


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

    Shapes: input (C), (N, C) or (N, C, d1, ...), target () or (N) or (N, d1, ...), of int64; ``weight`` (C), all 1 by
    default. Targets equal to ``ignore_index`` do not count. The mean is Σ losses / Σ w[t].
    Raises ValueError and RuntimeError for shapes and dtypes that do not fit, IndexError for a target that is no class."""
    reduction = reduction_of(reduction, size_average, reduce)
    chosen = _Chosen(input, target, weight, ignore_index, reduction)
    return chosen.checked(_nll_loss(input, chosen.axis, chosen.index, chosen.share, reduction != "none"))


@linear(
    dx=lambda dy, x_shape, axis, index, share: put_along(_by_sample(dy, axis) * -share, x_shape, axis, index),
    kinds="f",
)
def _nll_loss(x, axis, index, share, summed):
    losses = x[along(index, axis)] * -share
    return losses.sum() if summed else losses.squeeze(axis)


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

    The target is either the class t that has all of q, for shapes and errors see :func:`nll_loss`, or q itself, of the
    shape of the input. ``label_smoothing`` ε mixes q with the uniform distribution: (1 - ε) q + ε / C. The mean divides
    by Σ w[t] for classes, by the number of samples for probabilities.
    """
    reduction = reduction_of(reduction, size_average, reduce)
    if not 0 <= label_smoothing <= 1:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    if input.shape == target.shape and len(input.shape):
        return _cross_entropy_of_probabilities(input, target, weight, reduction, label_smoothing)
    chosen = _Chosen(input, target, weight, ignore_index, reduction)
    if label_smoothing:
        return _smoothed_cross_entropy(input, chosen, weight, reduction, label_smoothing)
    x = array_of(input)
    # The parts of the softmax, exp(x - top) / total, that backward will need again.
    top = np.maximum.reduce(x, chosen.axis, keepdims=True, initial=-np.inf)
    total = np.add.reduce(np.exp(x - top), chosen.axis, keepdims=True)
    loss = _cross_entropy(input, chosen.axis, chosen.index, chosen.share, top, total, reduction != "none")
    return chosen.checked(loss)


@op(
    dx=lambda dy, x, axis, index, share, top, total: _cross_entropy_slope(
        x, _by_sample(dy, axis) * share, axis, index, top, total
    ),
    kinds="f",
)
def _cross_entropy(x, axis, index, share, top, total, summed):
    losses = (np.log(total) - (x[along(index, axis)] - top)) * share
    return losses.sum() if summed else losses.squeeze(axis)


def _cross_entropy_slope(x: Any, dy: Any, axis: int, index: np.ndarray, top: Any, total: Any) -> Any:
    """(softmax(x) - one_hot) · dy"""
    chosen = along(index, axis)
    if isinstance(x, Tensor):  # to be differentiated again, so from the beginning
        one_hot = np.zeros(x.shape, x._array.dtype)
        one_hot[chosen] = 1
        return (softmax(x, axis) - one_hot) * dy
    p = np.exp(x - top)
    p /= total
    p[chosen] -= 1
    p *= dy
    return p


def _by_sample(dy: Any, axis: int) -> Any:
    """The gradient of each sample's loss, shaped to be multiplied with the samples."""
    return unsqueeze(dy, axis) if dy.ndim else dy


def _smoothed_cross_entropy(input: Any, chosen: _Chosen, weight: Any, reduction: str, smoothing: float) -> Any:
    log_p = log_softmax(input, chosen.axis)
    likelihood = _nll_loss(log_p, chosen.axis, chosen.index, chosen.share, reduction != "none")
    to_all = -sum(log_p if weight is None else log_p * chosen.by_class(weight), chosen.axis) * chosen.counted
    share_of_all = smoothing / input.shape[chosen.axis]
    loss = likelihood * (1 - smoothing) + (to_all if reduction == "none" else sum(to_all)) * share_of_all
    return chosen.checked(loss)


def _cross_entropy_of_probabilities(input: Any, target: Any, weight: Any, reduction: str, smoothing: float) -> Any:
    if array_of(target).dtype.kind != "f":
        raise RuntimeError(
            "Expected floating point type for target with class probabilities, got "
            f"{array_of(target).dtype}. A target of the shape of the input holds probabilities; for classes, drop dimension 1."
        )
    axis = min(1, len(input.shape) - 1)
    classes = input.shape[axis]
    if smoothing:
        target = target * (1 - smoothing) + smoothing / classes
    terms = log_softmax(input, axis) * target
    if weight is not None:
        terms = terms * _by_class(_checked_weight(weight, classes), input.shape, axis)
    losses = -sum(terms, axis)
    if reduction == "none":
        return losses
    return sum(losses) if reduction == "sum" else sum(losses) / (array_of(input).size / classes)


class _Chosen:
    """The class of each sample and its weight in the result, with length 1 in place of the dimension of classes."""

    def __init__(self, input: Any, target: Any, weight: Any, ignore_index: int, reduction: str) -> None:
        x, t = array_of(input), array_of(target)
        self.shape = x.shape
        self.axis = min(1, x.ndim - 1)
        self._check_shapes(t)
        classes = x.shape[self.axis]
        self.index, ignored = _classes(np.expand_dims(t, self.axis), classes, ignore_index)
        if weight is None:
            self.share = np.ones(self.index.shape, x.dtype)
        else:
            self.share = _checked_weight(weight, classes).astype(x.dtype, copy=False)[self.index]
        counted = np.ones(t.shape, x.dtype)
        if ignored is not None:
            self.share = masked(self.share, ~ignored)
            counted = masked(counted, ~ignored.squeeze(self.axis))
        self.nothing = False  # whether it is the mean of nothing
        if reduction == "mean":
            total = np.add.reduce(self.share, None)
            self.nothing = not counted.any()
            if not self.nothing:
                self.share, counted = self.share / total, counted / total
        self.counted = counted  # the weight of each sample but for that of its class

    def checked(self, loss: Any) -> Any:
        """The loss; but the mean of nothing is nan (and has gradient 0)."""
        return loss + math.nan if self.nothing else loss

    def by_class(self, weight: Any) -> Any:
        """A weight for each class, shaped to be multiplied with the samples."""
        return _by_class(array_of(weight), self.shape, self.axis)

    def _check_shapes(self, t: np.ndarray) -> None:
        shape, expected = self.shape, self.shape[: self.axis] + self.shape[self.axis + 1 :]
        if t.dtype not in (np.int64, np.uint8):
            raise RuntimeError(
                f"expected scalar type Long but found {t.dtype}: classes are int64. Convert the target with .long(); for "
                f"probabilities it must have the shape of the input, {tuple(shape)}, but it has {tuple(t.shape)}."
            )
        if not shape:
            raise RuntimeError("the input must have at least one dimension, that of the classes, but it is 0-d")
        if self.axis and t.shape[:1] != shape[:1]:
            raise ValueError(
                f"Expected input batch_size ({shape[0]}) to match target batch_size ({t.shape[0] if t.ndim else 'none'}): the "
                f"input has shape {tuple(shape)}, the target {tuple(t.shape)}."
            )
        if t.shape != expected:
            raise RuntimeError(
                f"Expected target size {list(expected)}, got {list(t.shape)}: the target has the shape of the input, "
                f"{tuple(shape)}, without the dimension of the classes, {self.axis}."
            )


def _classes(index: np.ndarray, classes: int, ignore_index: int) -> tuple[np.ndarray, Any]:
    """The targets with 0 in place of those to be ignored, and where these are (None: nowhere)."""
    index = index.astype(np.int64, copy=False)
    unusual = not index.size or np.maximum.reduce(index.view(np.uint64), None) >= classes  # the negative ones are large there
    if not unusual and not 0 <= ignore_index < classes:
        return index, None
    ignored = index == ignore_index
    wrong = ((index < 0) | (index >= classes)) & ~ignored
    if wrong.any():
        raise IndexError(
            f"Target {index[wrong][0]} is out of bounds: there are {classes} classes, 0 to {classes - 1} "
            f"(and {ignore_index}, which is ignored)."
        )
    return np.where(ignored, 0, index), ignored


def _checked_weight(weight: Any, classes: int) -> np.ndarray:
    w: np.ndarray = array_of(weight)
    if w.shape != (classes,):
        raise RuntimeError(
            f"weight tensor should be defined either for all {classes} classes or no classes but got weight tensor of "
            f"shape: {list(w.shape)}"
        )
    return w


def _by_class(weight: np.ndarray, shape: tuple[int, ...], axis: int) -> np.ndarray:
    return weight.reshape((-1,) + (1,) * (len(shape) - axis - 1))


# -- of yes or no -----------------------------------------------------------------------------------------------------


def binary_cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """-w (t log x + (1 - t) log(1 - x)), reduced: the negative log-likelihood of what happened with probability t and was
    predicted with probability x. Logarithms below -100 count as -100.

    Raises ValueError for different shapes, RuntimeError for an ``input`` outside [0, 1]."""
    if tuple(input.shape) != tuple(target.shape):
        raise ValueError(
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}) is deprecated. "
            "Please ensure they have the same size."
        )
    x = array_of(input)
    if not ((x >= 0) & (x <= 1)).all():
        raise RuntimeError(
            f"all elements of input should be between 0 and 1, but they are between {x.min()} and {x.max()}. Apply a sigmoid "
            "first, or better use binary_cross_entropy_with_logits."
        )
    losses = _binary_cross_entropy(input, target)
    return reduced(losses if weight is None else losses * weight, reduction, size_average, reduce)


@elementwise(
    dx=lambda dy, x, target: dy * (x - target) / _at_least(x * (1 - x), float(np.float32(1e-12))),
    dtarget=lambda dy, x: dy * (_bounded_log(1 - x) - _bounded_log(x)),
    kinds="f",
)
def _binary_cross_entropy(x, target):
    return (target - 1) * np.maximum(np.log1p(-x), -100) - target * np.maximum(np.log(x), -100)


def _at_least(x: Any, bound: float) -> Any:
    """max(x, bound), with the gradient passing through."""
    a = array_of(x)
    return x + (np.maximum(a, bound) - a)


def _bounded_log(x: Any) -> Any:
    """max(log x, -100)"""
    return clamp(log(x), min=-100)


def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Any:
    """-w (p t log σ(x) + (1 - t) log(1 - σ(x))), reduced, without loss of digits for large |x|; p is ``pos_weight``.

    Raises ValueError for different shapes of input and target."""
    if tuple(input.shape) != tuple(target.shape):
        raise ValueError(f"Target size ({target.shape}) must be the same as input size ({input.shape})")
    losses = _binary_cross_entropy_with_logits(input, target, 1 if pos_weight is None else pos_weight)
    return reduced(losses if weight is None else losses * weight, reduction, size_average, reduce)


@elementwise(
    dx=lambda dy, x, target, positive: dy * (1 - target - (1 + (positive - 1) * target) * sigmoid(-x)),
    dtarget=lambda dy, x, positive: -dy * (x + (positive - 1) * logsigmoid(x)),
    dpositive=lambda dy, x, target: -dy * target * logsigmoid(x),
    kinds="f",
)
def _binary_cross_entropy_with_logits(x, target, positive):
    # log(1 - σ(x)) = log σ(x) - x
    log_probability = np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))
    return (1 - target) * x - (1 + (positive - 1) * target) * log_probability


# -- between distributions --------------------------------------------------------------------------------------------


def kl_div(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Any:
    """t (log t - x), reduced: the Kullback-Leibler divergence of probabilities t from log-probabilities x, term by term;
    with ``log_target`` t is given by its logarithm, too. ``reduction="batchmean"`` divides the sum by the length of
    dimension 0, and so gives the mean divergence; "mean" divides by the number of classes as well, and warns."""
    losses = exp(target) * (target - input) if log_target else xlogy(target, target) - target * input
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
