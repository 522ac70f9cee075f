"""Methods that fill a tensor with random numbers in place: ``x.uniform_(-1, 1)``, ``x.normal_()``.

They follow the rules of every in-place operation, so initializing a parameter, a leaf that requires
grad, happens inside ``torch.no_grad()``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import sampling
from autograd.creation import integer
from autograd.inplace import write
from autograd.ops.broadcasting import broadcast_to
from autograd.ops.parts import _replace
from autograd.random import Generator
from autograd.tensor import Tensor, memory, wrap


def _refill(t: Tensor, draw: Callable[..., np.ndarray], *settings: Any) -> Tensor:
    """Replace the elements of ``t``, in the order of its memory, by what ``draw`` returns."""
    drawn = wrap(sampling.fill(np.empty_like(memory(t)), draw, *settings))

    def compute(old: Tensor) -> Any:
        # Nothing is left of the old value: if it had a past, that gets a gradient of zero.
        return _replace(old, drawn, ...) if old.requires_grad else drawn

    frame = sys._getframe(1)
    return write(t, compute, frame.f_code.co_name, frame)


def uniform_(
    self: Tensor, from_: float = 0, to: float = 1, *, generator: Generator | None = None
) -> Tensor:
    """Fill with numbers uniform in [from, to). RuntimeError if from > to."""
    return _refill(self, sampling.uniform, from_, to, generator)


def normal_(
    self: Tensor, mean: float = 0, std: float = 1, *, generator: Generator | None = None
) -> Tensor:
    """Fill with normal numbers. RuntimeError if std < 0."""
    return _refill(self, sampling.normal_for(memory(self)), mean, std, generator)


def log_normal_(
    self: Tensor, mean: float = 1, std: float = 2, *, generator: Generator | None = None
) -> Tensor:
    """Fill with exp of normal numbers, whose mean and std are given. RuntimeError if std <= 0."""
    return _refill(self, sampling.log_normal, mean, std, generator)


def exponential_(self: Tensor, lambd: float = 1, *, generator: Generator | None = None) -> Tensor:
    """Fill with exponential numbers, of density lambd exp(-lambd x). RuntimeError if lambd <= 0."""
    return _refill(self, sampling.exponential, lambd, generator)


def cauchy_(
    self: Tensor, median: float = 0, sigma: float = 1, *, generator: Generator | None = None
) -> Tensor:
    """Fill with Cauchy numbers, of density σ / (π (σ² + (x - median)²)). RuntimeError if σ <= 0."""
    return _refill(self, sampling.cauchy, median, sigma, generator)


def geometric_(self: Tensor, p: float, *, generator: Generator | None = None) -> Tensor:
    """Fill with k = 1, 2, ... of probability (1 - p)**(k-1) p. RuntimeError unless 0 < p < 1."""
    return _refill(self, sampling.geometric, p, generator)


def bernoulli_(
    self: Tensor, p: float | Tensor = 0.5, *, generator: Generator | None = None
) -> Tensor:
    """Fill with 1 of probability ``p``, else 0; a tensor ``p`` is broadcast.

    Raises RuntimeError for a probability outside [0, 1].
    """
    chances: Any = p
    if isinstance(p, Tensor):
        chances = sampling.in_order_of(memory(self), broadcast_to(memory(p), self.shape))
    return _refill(self, sampling.bernoulli, chances, generator)


def random_(
    self: Tensor,
    from_: int | None = None,
    to: int | None = None,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Fill with whole numbers: ``random_(to)`` from 0 to to - 1, ``random_(from, to)`` likewise.

    Without bounds: from 0 to the largest of the dtype (of a floating one, the largest up to which
    it holds every whole number). Raises RuntimeError if from >= to or beyond the dtype.
    """
    if from_ is None and to is None:
        return _refill(self, sampling.any_integers, generator)
    low, high = (0, from_) if to is None else (from_ or 0, to)
    return _refill(self, sampling.integers, integer(low, "from"), integer(high, "to"), generator)


for _method in (
    uniform_,
    normal_,
    log_normal_,
    exponential_,
    cauchy_,
    geometric_,
    bernoulli_,
    random_,
):
    setattr(Tensor, _method.__name__, _method)
