"""Adam: steps scaled by running means of the gradient and of its square."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

import autograd
from autograd import Tensor

from .optimizer import Optimizer, blocks, check_not_negative

__all__ = ["Adam", "AdamW"]


class Adam(Optimizer):
    """m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², p ← p − lr · m̂ / (√v̂ + eps).

    m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ) make up for the start at zero. `amsgrad` divides by the
    largest v so far. `weight_decay` adds weight_decay·p to g, or with `decoupled_weight_decay` it
    takes lr·weight_decay·p from p; `maximize` climbs. `foreach` and `fused` choose among PyTorch's
    implementations and change nothing here. ValueError for settings out of range.

    Kingma and Ba, "Adam: A Method for Stochastic Optimization" (2015); Reddi et al. (2018).
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        check_not_negative(
            {
                "learning rate": lr,
                "epsilon value": eps,
                "weight_decay value": weight_decay,
            }
        )
        for i, beta in enumerate(betas):
            if not 0.0 <= beta < 1.0:
                raise ValueError(f"Invalid beta parameter at index {i}: {beta}")
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def _update(
        self, param: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        if not state:
            state["step"] = autograd.tensor(0.0)
            state["exp_avg"] = autograd.zeros_like(param)
            state["exp_avg_sq"] = autograd.zeros_like(param)
            if group["amsgrad"]:
                state["max_exp_avg_sq"] = autograd.zeros_like(param)
        state["step"] += 1
        t = state["step"].item()
        lr, eps, decay = float(group["lr"]), group["eps"], group["weight_decay"]
        beta1, beta2 = group["betas"]
        step_size, scale = lr / (1 - beta1**t), math.sqrt(1 - beta2**t)
        means = [state["exp_avg"], state["exp_avg_sq"]]
        if group["amsgrad"]:
            means.append(state["max_exp_avg_sq"])
        for p, g, m, v, *largest in blocks(param, grad, *means):
            if group["maximize"]:
                g = -g
            if decay and group["decoupled_weight_decay"]:
                p *= 1 - lr * decay
            elif decay:
                g = g + decay * p
            m *= beta1
            m += (1 - beta1) * g
            v *= beta2
            v += (1 - beta2) * g * g
            for h in largest:
                v = np.maximum(h, v, out=h)
            p -= step_size * m / (np.sqrt(v) / scale + eps)


class AdamW(Adam):
    """Adam whose weight decay shrinks the parameter directly: p ← p − lr·weight_decay·p.

    Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (2019).
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            fused=fused,
            decoupled_weight_decay=True,
        )
