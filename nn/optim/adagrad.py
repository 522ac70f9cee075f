"""Adagrad: steps that shrink with all the gradients a parameter has seen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

import autograd
from autograd import Tensor

from .optimizer import Optimizer, blocks, check_not_negative

__all__ = ["Adagrad"]


class Adagrad(Optimizer):
    """s ← s + g², p ← p − lrₜ·g / (√s + eps), with lrₜ = lr / (1 + (t − 1)·lr_decay).

    `weight_decay` adds weight_decay·p to g; `maximize` climbs. `foreach` and `fused` choose among
    PyTorch's implementations and change nothing here. ValueError for settings out of range.

    Duchi, Hazan and Singer, "Adaptive Subgradient Methods" (2011).
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_not_negative(
            {
                "learning rate": lr,
                "lr_decay value": lr_decay,
                "weight_decay value": weight_decay,
                "initial_accumulator_value value": initial_accumulator_value,
                "epsilon value": eps,
            }
        )
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def _update(
        self, param: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        if not state:
            start = group["initial_accumulator_value"]
            state["step"] = autograd.tensor(0.0)
            state["sum"] = autograd.full_like(param, start)
        state["step"] += 1
        lr = float(group["lr"]) / (1 + (state["step"].item() - 1) * group["lr_decay"])
        for p, g, squares in blocks(param, grad, state["sum"]):
            if group["maximize"]:
                g = -g
            if group["weight_decay"]:
                g = g + group["weight_decay"] * p
            squares += g * g
            p -= lr * g / (np.sqrt(squares) + group["eps"])
