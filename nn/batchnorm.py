"""Batch normalization: every channel gets mean 0 and variance 1 over the batch.

Ioffe and Szegedy, "Batch Normalization: Accelerating Deep Network Training" (2015).
"""

from __future__ import annotations

from typing import Any

import autograd
from autograd import Tensor

from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter

__all__ = ["BatchNorm1d", "BatchNorm2d"]


class _BatchNorm(Module):
    ranks: tuple[int, ...]  # how many dimensions an input may have

    weight: Parameter | None
    bias: Parameter | None
    running_mean: Any  # these three are tensors, or None where nothing is tracked
    running_var: Any
    num_batches_tracked: Any

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats

        def parameter() -> Parameter:
            return Parameter(autograd.empty(num_features, device=device, dtype=dtype))

        self.register_parameter("weight", parameter() if affine else None)
        self.register_parameter("bias", parameter() if affine and bias else None)
        tracked = self.track_running_stats
        new = {"device": device, "dtype": dtype}
        self.register_buffer(
            "running_mean", autograd.zeros(num_features, **new) if tracked else None
        )
        self.register_buffer("running_var", autograd.ones(num_features, **new) if tracked else None)
        self.register_buffer(
            "num_batches_tracked", autograd.tensor(0, dtype=autograd.int64) if tracked else None
        )
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget what was learned of mean and variance."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Start as the identity on normalized values: weight 1, bias 0."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def _check_input(self, input: Tensor) -> None:
        if input.dim() not in self.ranks:
            expected = " or ".join(f"{rank}D" for rank in self.ranks)
            raise ValueError(
                f"expected {expected} input (got {input.dim()}D input of shape {input.shape})"
            )

    def forward(self, input: Tensor) -> Tensor:
        """Normalize by the batch while training, by the running statistics afterwards."""
        self._check_input(input)
        momentum = self.momentum
        if self.training and self.track_running_stats:
            self.num_batches_tracked.add_(1)
            if momentum is None:  # the plain mean of all batches so far
                momentum = 1.0 / self.num_batches_tracked.item()
        to_learn_or_use = self.track_running_stats or not self.training
        return F.batch_norm(
            input,
            self.running_mean if to_learn_or_use else None,
            self.running_var if to_learn_or_use else None,
            self.weight,
            self.bias,
            self.training or self.running_mean is None,
            0.0 if momentum is None else momentum,
            self.eps,
        )

    def extra_repr(self) -> str:
        """The settings."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(_BatchNorm):
    """y = (x − mean) / √(var + eps) · weight + bias for each channel of (N, C) or (N, C, L).

    In training mean and (biased) variance are those of the batch, and the running statistics move
    towards them: r ← (1 − momentum)·r + momentum·batch, with the unbiased variance; with
    momentum=None they are the mean over all batches. In evaluation the running statistics are used,
    or the batch's where none are tracked. ValueError for another number of dimensions.
    """

    ranks = (2, 3)


class BatchNorm2d(_BatchNorm):
    """`BatchNorm1d` for the channels of images (N, C, H, W)."""

    ranks = (4,)
