"""Gradient descent: a step down the slope, with momentum if wanted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import autograd
from autograd import Tensor

from .optimizer import Optimizer, blocks, check_not_negative

__all__ = ["SGD"]


class SGD(Optimizer):
    """p ← p − lr·g, or with momentum v ← momentum·v + (1 − dampening)·g, p ← p − lr·v.

    The first v is g itself. Nesterov's variant steps by g + momentum·v instead of v. `weight_decay`
    adds weight_decay·p to g; `maximize` climbs. `foreach` and `fused` choose among PyTorch's
    implementations and change nothing here. ValueError for settings out of range.

    Sutskever et al., "On the importance of initialization and momentum in deep learning" (2013).
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        fused: bool | None = None,
    ) -> None:
        check_not_negative(
            {
                "learning rate": lr,
                "momentum value": momentum,
                "weight_decay value": weight_decay,
            }
        )
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def _update(
        self, param: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        lr, momentum, decay = float(group["lr"]), group["momentum"], group["weight_decay"]
        tensors, fresh = [param, grad], 1.0
        if momentum:
            if state.get("momentum_buffer") is None:
                state["momentum_buffer"] = autograd.zeros_like(param)
            else:
                fresh = 1.0 - group["dampening"]
            tensors.append(state["momentum_buffer"])
        for p, g, *buffer in blocks(*tensors):
            if group["maximize"]:
                g = -g
            if decay:
                g = g + decay * p
            for v in buffer:
                v *= momentum
                v += fresh * g
                g = g + momentum * v if group["nesterov"] else v
            p -= lr * g
