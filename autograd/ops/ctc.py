"""Connectionist temporal classification: how probable is a text, if at each of T times a symbol, or
none of them (the *blank*), was heard (Graves et al., 2006)?

A way to hear "cat" is c c - a t t, say: symbols last for some time, and there may be blanks between
them. So a way walks through the states

    -  c  -  a  -  t  -

and at each time it stays, goes on to the next state, or skips a blank between unequal symbols.
The probability to be in a state is the sum of those of the states from which it is reached, times
that of its symbol: *forward* in time given what came before, and in the same way *backward* given
what will come. Together they say how probable each symbol was at each time, given the whole text;
the gradient is the difference from what the network thought. All is done in logarithms.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import dtypes
from autograd.function import Function
from autograd.grad_mode import recording
from autograd.op import op
from autograd.ops.arithmetic import array_of
from autograd.ops.loss import reduction_of
from autograd.ops.reduction import mean, sum
from autograd.ops.shape import squeeze, unsqueeze
from autograd.ops.windows import require_tensor
from autograd.tensor import Tensor, wrap

__all__: list[str] = []  # nn.functional.ctc_loss; torch.ctc_loss takes a number for the reduction


def ctc_loss(
    log_probs: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Any:
    """-log p of the ``targets`` under ``log_probs``, reduced; "mean" is that of the losses, each
    divided by the length of its target.

    ``log_probs`` (T, N, C), or (T, C), are the result of :func:`log_softmax`, of which the first
    ``input_lengths`` times count. ``targets`` are integers other than ``blank``, (N, S), of which
    the first ``target_lengths`` count, or all one after the other; the lengths are vectors or
    tuples of ints. A text that does not fit into the time costs ∞ (and has no gradient), or 0 with
    ``zero_infinity``. The gradient by log_probs is p - (how probable each symbol was): PyTorch's,
    which has the gradient by the input of log_softmax in mind, and log_softmax does not change it.
    Raises RuntimeError for shapes, lengths and symbols that do not fit together, and when
    differentiated twice; NotImplementedError for other dtypes."""
    reduction = reduction_of(reduction)
    for name, x in (("log_probs", log_probs), ("targets", targets)):
        require_tensor(x, "ctc_loss", name)
    single = log_probs.ndim == 2
    if single:
        log_probs = unsqueeze(log_probs, 1)
    p = array_of(log_probs)
    _check_probabilities(p, blank)
    times = _lengths("input_lengths", input_lengths, p.shape[1])
    lengths = _lengths("target_lengths", target_lengths, p.shape[1])
    if times.max() > p.shape[0]:
        raise RuntimeError(
            f"Expected input_lengths to have value at most {p.shape[0]}, but got value "
            f"{times.max()}"
        )
    labels = _by_sample(array_of(targets), lengths)
    counted = np.arange(labels.shape[1]) < lengths[:, None]
    labels = np.where(counted, labels, blank).astype(np.int64)
    if labels.size and not 0 <= labels.min() <= labels.max() < p.shape[2]:
        raise RuntimeError(
            f"targets must be symbols, 0 to {p.shape[2] - 1}, but go from {labels.min()} to "
            f"{labels.max()}"
        )
    losses = CtcLoss.apply(log_probs, labels, times, lengths, blank, zero_infinity)
    if reduction == "mean":
        return mean(losses / np.maximum(lengths, 1).astype(p.dtype))
    if reduction == "sum":
        return sum(losses)
    return squeeze(losses, 0) if single else losses


class CtcLoss(Function):
    """The loss of each sample. Inside, arrays are (time, sample, state)."""

    @staticmethod
    def forward(
        ctx: Any,
        log_probs: Any,
        labels: np.ndarray,
        times: np.ndarray,
        lengths: np.ndarray,
        blank: int,
        zero_infinity: bool,
    ) -> Any:
        """-log of the probability of all ways"""
        p = array_of(log_probs)
        states = np.full((len(labels), 2 * labels.shape[1] + 1), blank)
        states[:, 1::2] = labels
        heard = _heard(p, states, times)
        ends = 2 * lengths
        number = np.arange(states.shape[1])
        begin = np.broadcast_to(number < 2, states.shape)
        forward = _ways(heard, states, blank, np.zeros_like(times), begin)
        end = (number <= ends[:, None]) & (number >= ends[:, None] - 1)
        final = forward[times - 1, np.arange(len(states))]
        probability = np.logaddexp.reduce(np.where(end, final, -np.inf), 1)
        # In no time nothing is heard, for certain.
        probability = np.where(times > 0, probability, np.where(lengths > 0, -np.inf, 0))
        impossible = probability == -np.inf
        y = np.where(impossible & zero_infinity, 0, -probability).astype(p.dtype)
        if not isinstance(log_probs, Tensor):
            return y
        ctx.save_for_backward(log_probs)
        ctx.forward_ways, ctx.probability = forward, probability
        ctx.states, ctx.times, ctx.end, ctx.blank = states, times, end, blank
        ctx.ignored = impossible & zero_infinity
        return wrap(y)

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        """p - (how probable each symbol was at each time, given the text)"""
        (log_probs,) = ctx.saved_tensors
        p, states, times = log_probs._array, ctx.states, ctx.times
        heard = _heard(p, states, times)
        # Backward is forward, with time and states reversed.
        mirrored = heard[::-1, :, ::-1], states[:, ::-1]
        backward = _ways(*mirrored, ctx.blank, len(p) - times, ctx.end[:, ::-1])[::-1, :, ::-1]
        # Both count what is heard now.
        with_text = np.exp(ctx.forward_ways + backward - heard - ctx.probability[:, None])
        with_text[heard == -np.inf] = 0
        symbols = states[:, :, None] == np.arange(p.shape[2])
        given_text = np.matmul(with_text.swapaxes(0, 1), symbols.astype(p.dtype)).swapaxes(0, 1)
        counted = (np.arange(len(p))[:, None] < times) & ~ctx.ignored
        slopes = np.where(counted[..., None], np.exp(p) - given_text, 0).astype(p.dtype)
        if recording():
            return _scaled(log_probs, dy, slopes), *[None] * 5
        return wrap(_scaled(p, dy._array, slopes)), *[None] * 5


def _refused() -> None:
    raise RuntimeError(
        "ctc_loss cannot be differentiated twice: the derivative of its gradient is not "
        "implemented (nor is it in PyTorch)"
    )


@op(dp=lambda dy: _refused(), dshare=lambda dy, slopes: sum(dy * slopes, (0, 2)))
def _scaled(p, share, slopes):
    """The slopes, a function of ``p`` that has no derivative here, times each sample's share."""
    return slopes * share[:, None]


def _heard(p: np.ndarray, states: np.ndarray, times: np.ndarray) -> np.ndarray:
    """The log-probability of each state's symbol at each time; -∞ when time is over."""
    heard = np.take_along_axis(p, np.broadcast_to(states, (len(p), *states.shape)), 2)
    heard[np.arange(len(p))[:, None] >= times] = -np.inf
    return heard


def _ways(
    heard: np.ndarray, states: np.ndarray, blank: int, start: np.ndarray, begin: np.ndarray
) -> np.ndarray:
    """The logarithm of the probability of all ways to each state at each time, for ways that
    begin at the time ``start`` in one of the states ``begin``."""
    may_skip = np.zeros(states.shape, bool)
    may_skip[:, 2:] = (states[:, 2:] != states[:, :-2]) & (states[:, 2:] != blank)
    ways = np.empty_like(heard)
    before = np.full((len(states), states.shape[1] + 2), -np.inf, heard.dtype)
    for time, now in enumerate(heard):
        stay, step, skip = before[:, 2:], before[:, 1:-1], before[:, :-2]
        reached = np.logaddexp(stay, np.logaddexp(step, np.where(may_skip, skip, -np.inf)))
        reached[(start == time)[:, None] & begin] = 0
        ways[time] = reached + now
        before[:, 2:] = ways[time]
    return ways


# -- what fits together ----------------------------------------------------------------------------


def _check_probabilities(p: np.ndarray, blank: int) -> None:
    if p.ndim != 3:
        raise RuntimeError(
            f"Expected log_probs of shape (T, N, C) or (T, C), but got {p.ndim} dimensions"
        )
    if not p.size:
        raise RuntimeError(f"log_probs tensor must not be empty, but has shape {p.shape}")
    if p.dtype not in (np.float32, np.float64):
        raise NotImplementedError(
            f"\"ctc_loss_cpu\" not implemented for '{dtypes.of_array(p)._title}': it takes float32 "
            "and float64. Convert log_probs first, with .float()"
        )
    if not 0 <= blank < p.shape[2]:
        raise RuntimeError(f"blank must be in label range, 0 to {p.shape[2] - 1}, but got {blank}")


def _lengths(name: str, given: Any, samples: int) -> np.ndarray:
    if not isinstance(given, (Tensor, np.ndarray, tuple, list)):
        raise TypeError(f"{name} must be Tensor or tuple of ints, not {type(given).__name__}")
    found = np.asarray(array_of(given)).reshape(-1)
    if found.dtype.kind not in "iu" and found.size:
        raise RuntimeError(f"{name} must be integral, but got {found.dtype}")
    if len(found) != samples:
        raise RuntimeError(f"{name} must be of size batch_size {samples}, but got {len(found)}")
    if found.min() < 0:
        raise RuntimeError(f"Expected {name} to have value at least 0, but got value {found.min()}")
    return found.astype(np.int64)


def _by_sample(targets: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The targets as (N, S)."""
    if targets.ndim == 2:
        if len(targets) != len(lengths) or targets.shape[1] < lengths.max():
            raise RuntimeError(
                f"Expected targets of shape ({len(lengths)}, at least {lengths.max()}), as many as "
                f"target_lengths say, but got {targets.shape}"
            )
        return targets
    if targets.ndim != 1:
        raise RuntimeError(
            f"Expected 1 to 2 dimensions, but got {targets.ndim}-dimensional tensor for targets"
        )
    if len(targets) != lengths.sum():
        raise RuntimeError(
            f"Expected {lengths.sum()} targets, the sum of target_lengths, but got {len(targets)}"
        )
    rows = np.zeros((len(lengths), lengths.max()), targets.dtype)
    rows[np.arange(lengths.max()) < lengths[:, None]] = targets
    return rows
