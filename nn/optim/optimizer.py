"""Optimizer: what all methods of descent share.

An optimizer holds its parameters in groups, each with its own settings (learning rate and the
like), and for each parameter a little state of its own (a momentum, a mean). A method is one
function, `_update`, that moves one parameter against its gradient.
"""

from __future__ import annotations

import copy
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

import numpy as np

from autograd import Tensor, enable_grad, no_grad
from autograd.graph import increment_version

__all__ = ["Optimizer", "blocks", "check_not_negative"]

BLOCK = 1 << 16  # numbers; a quarter of a megabyte in float32: a few such pieces fit into a cache


class Optimizer:
    """Base class of all optimizers: a method of its own defines `_update`.

    `params` is an iterable of leaf tensors, of (name, tensor) pairs as from `named_parameters()`,
    or of dicts {"params": ..., "lr": ...}, one for each group; `defaults` are the settings of
    groups that say nothing else. TypeError and ValueError for anything that cannot be optimized.
    """

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        if isinstance(params, (Tensor, Mapping)):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, "
                f"but got {type(params).__name__}: write [{type(params).__name__.lower()}]"
            )
        self.defaults = defaults
        self.state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        self.steps_taken = 0
        given = list(params)
        if not given:
            raise ValueError("optimizer got an empty parameter list")
        for group in given if isinstance(given[0], dict) else [{"params": given}]:
            self.add_param_group(group)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Optimize more parameters, with settings of their own: {"params": ..., "lr": ...}."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        params = param_group["params"]
        if isinstance(params, (set, frozenset)):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the "
                "ordering of tensors in sets will change between runs. Please use a list instead."
            )
        params = [params] if isinstance(params, Tensor) else list(params)
        group = {**param_group, **_split_names(params)}
        for param in group["params"]:
            _check_param(param)
        for name, value in self.defaults.items():
            group.setdefault(name, value)
        self._check_new(group["params"])
        self.param_groups.append(group)

    def _check_new(self, params: list[Tensor]) -> None:
        if len(set(params)) < len(params):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters: each of them "
                "takes several steps at once",
                stacklevel=4,
            )
        known = {param for group in self.param_groups for param in group["params"]}
        if not known.isdisjoint(params):
            raise ValueError("some parameters appear in more than one parameter group")

    # --- stepping ---------------------------------------------------------------------------------

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move every parameter that has a gradient.

        `closure`, if given, computes the loss and its gradients first; its value is returned.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        with no_grad(), np.errstate(all="ignore"):  # inf and nan are values, not events
            for group in self.param_groups:
                for param in group["params"]:
                    if param.grad is not None:
                        self._update(param, param.grad, self.state[param], group)
                        increment_version(param)
        self.steps_taken += 1
        return loss

    def _update(
        self, param: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        """Move one parameter. Each method defines its own."""
        raise NotImplementedError(f"{type(self).__name__} defines no _update")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or fill them with zeros."""
        for group in self.param_groups:
            for param in group["params"]:
                if set_to_none:
                    param.grad = None
                elif param.grad is not None:
                    param.grad.detach_().zero_()

    # --- saving -----------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """{"state": ..., "param_groups": ...}, with parameters replaced by their numbers."""
        number = {param: i for i, param in enumerate(self._params())}
        return {
            "state": {number[param]: dict(state) for param, state in self.state.items() if state},
            "param_groups": [
                {**group, "params": [number[param] for param in group["params"]]}
                for group in self.param_groups
            ],
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take settings and state over from `state_dict()` of an optimizer of the same shape.

        ValueError if its groups differ in number or size.
        """
        groups = copy.deepcopy(state_dict["param_groups"])
        if len(groups) != len(self.param_groups):
            raise ValueError(
                f"loaded state dict has a different number of parameter groups: {len(groups)}, but "
                f"the optimizer has {len(self.param_groups)}"
            )
        for saved, own in zip(groups, self.param_groups, strict=True):
            if len(saved["params"]) != len(own["params"]):
                raise ValueError(
                    "loaded state dict contains a parameter group that doesn't match the size of "
                    f"optimizer's group: {len(saved['params'])} instead of {len(own['params'])}"
                )
        param_of = dict(zip(chain(*(g["params"] for g in groups)), self._params(), strict=True))
        self.state = defaultdict(dict)
        for key, state in state_dict["state"].items():
            self.state[param_of[key]] = {
                name: _fitted(name, value, param_of[key]) for name, value in state.items()
            }
        self.param_groups = [
            {**saved, "params": own["params"]}
            for saved, own in zip(groups, self.param_groups, strict=True)
        ]

    def _params(self) -> Iterator[Tensor]:
        return chain.from_iterable(group["params"] for group in self.param_groups)

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return "\n".join([*lines, ")"])


def blocks(*tensors: Tensor) -> Iterator[list[np.ndarray]]:
    """The arrays of these tensors in matching pieces, to be changed in place one after the other.

    A formula of several steps passes over its arrays several times. Piece by piece, these passes
    stay in the cache, and what they set aside meanwhile is small.
    """
    arrays = [tensor.detach().numpy() for tensor in tensors]
    size = arrays[0].size
    if size <= BLOCK:
        yield arrays
        return
    rows = max(1, BLOCK * len(arrays[0]) // size)
    for start in range(0, len(arrays[0]), rows):
        yield [array[start : start + rows] for array in arrays]


def check_not_negative(settings: dict[str, Any]) -> None:
    """ValueError for the first setting that is negative, or nan, by the name it has here."""
    for name, value in settings.items():
        if not value >= 0:
            raise ValueError(f"Invalid {name}: {value}")


def _split_names(params: list[Any]) -> dict[str, list[Any]]:
    """Parameters, and beside them their names, if they came with names."""
    named = [isinstance(param, tuple) for param in params]
    if not any(named):
        return {"params": params}
    if not all(named):
        raise ValueError(
            "all optimizer params should be with/without names. Some param names are missing"
        )
    return {"params": [p for _, p in params], "param_names": [name for name, _ in params]}


def _check_param(param: Any) -> None:
    if not isinstance(param, Tensor):
        raise TypeError(
            f"optimizer can only optimize Tensors, but one of the params is {type(param).__name__}"
        )
    if not param.is_leaf:
        raise ValueError(
            "can't optimize a non-leaf Tensor: it is computed from others. Give the optimizer "
            "those, or make a leaf of it with detach().requires_grad_()."
        )


def _fitted(name: str, value: Any, param: Tensor) -> Any:
    """A value of a loaded state in the dtype of its parameter; step counters keep their own."""
    if isinstance(value, Tensor):
        return value.clone() if name == "step" else value.to(param.dtype, copy=True)
    return copy.deepcopy(value)
