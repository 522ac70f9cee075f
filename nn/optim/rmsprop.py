"""RMSprop: steps divided by the root mean square of the recent gradients."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

import autograd
from autograd import Tensor

from .optimizer import Optimizer, blocks, check_not_negative

__all__ = ["RMSprop"]


class RMSprop(Optimizer):
    """s ← alpha·s + (1 − alpha)·g², p ← p − lr·g / (√s + eps).

    `centered` subtracts from s the square of the mean gradient; with momentum the quotient is
    gathered in v ← momentum·v + g / (√s + eps), and p ← p − lr·v. `weight_decay` adds
    weight_decay·p to g; `maximize` climbs. `foreach` chooses among PyTorch's implementations and
    changes nothing here. ValueError for settings out of range.

    Hinton, "Neural Networks for Machine Learning", lecture 6 (2012); centered: Graves (2013).
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        check_not_negative(
            {
                "learning rate": lr,
                "epsilon value": eps,
                "momentum value": momentum,
                "weight_decay value": weight_decay,
                "alpha value": alpha,
            }
        )
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _update(
        self, param: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        lr, alpha, eps = float(group["lr"]), group["alpha"], group["eps"]
        momentum, centered, decay = group["momentum"], group["centered"], group["weight_decay"]
        names = ["square_avg"]
        names += ["grad_avg"] if centered else []
        names += ["momentum_buffer"] if momentum else []
        if not state:
            state["step"] = autograd.tensor(0.0)
            state.update((name, autograd.zeros_like(param)) for name in names)
        state["step"] += 1
        for p, g, square, *others in blocks(param, grad, *(state[name] for name in names)):
            if group["maximize"]:
                g = -g
            if decay:
                g = g + decay * p
            square *= alpha
            square += (1 - alpha) * g * g
            spread = square
            if centered:
                mean = others[0]
                mean *= alpha
                mean += (1 - alpha) * g
                spread = square - mean * mean
            g = g / (np.sqrt(spread) + eps)
            if momentum:
                v = others[-1]
                v *= momentum
                v += g
                g = v
            p -= lr * g
