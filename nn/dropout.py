"""Dropout: in training, values are switched off at random, so that none can rely on another.

Hinton et al., "Improving neural networks by preventing co-adaptation of feature detectors" (2012).
"""

from __future__ import annotations

from autograd import Tensor

from . import functional as F
from .module import Module

__all__ = ["Dropout", "Dropout1d", "Dropout2d"]


class _Dropout(Module):
    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def extra_repr(self) -> str:
        """The settings."""
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """Training: each value becomes 0 with probability p, else it is multiplied by 1/(1−p).

    In evaluation mode the identity. ValueError unless 0 ≤ p ≤ 1.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Drop values."""
        return F.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_Dropout):
    """Dropout of whole channels of signals (N, C, L)."""

    def forward(self, input: Tensor) -> Tensor:
        """Drop channels."""
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_Dropout):
    """Dropout of whole channels of images (N, C, H, W)."""

    def forward(self, input: Tensor) -> Tensor:
        """Drop channels."""
        return F.dropout2d(input, self.p, self.training, self.inplace)
