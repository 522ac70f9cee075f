"""The state of a module as a flat dictionary, and the way back.

Keys are dotted paths ("features.0.weight"), values are tensors. A module class that defines
`get_extra_state` and `set_extra_state` adds one entry of its own making, "_extra_state".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from autograd import Tensor, no_grad

from .parameter import Parameter
from .paths import join

if TYPE_CHECKING:
    from .module import Module

__all__ = ["IncompatibleKeys", "load_state", "save_state"]

EXTRA = "_extra_state"


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict` found on one side only."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return (
            f"IncompatibleKeys(missing_keys={self.missing_keys}, "
            f"unexpected_keys={self.unexpected_keys})"
        )


def save_state(
    root: Module, destination: dict[str, Any], prefix: str, keep_vars: bool
) -> dict[str, Any]:
    """Fill `destination` with the state of `root` and all below it."""
    for path, module in root.named_modules(remove_duplicate=False):
        for name, tensor in _own_tensors(module):
            destination[prefix + join(path, name)] = tensor if keep_vars else tensor.detach()
        if _has_extra_state(module):
            destination[prefix + join(path, EXTRA)] = module.get_extra_state()
    return destination


def load_state(
    root: Module, state: Mapping[str, Any], strict: bool, assign: bool
) -> IncompatibleKeys:
    """Check every entry first, then move all of them in: a load that fails has changed nothing."""
    if not isinstance(state, Mapping):
        raise TypeError(f"Expected state_dict to be dict-like, got {type(state)}.")
    wanted = {
        join(path, name): (module, name)
        for path, module in root.named_modules(remove_duplicate=False)
        for name in _own_names(module)
    }
    missing = [key for key in wanted if key not in state]
    unexpected = [key for key in state if key not in wanted]
    present = {key: place for key, place in wanted.items() if key in state}
    problems = [_misfit(key, *place, state[key]) for key, place in present.items()]
    _raise_if_any(root, missing if strict else [], unexpected if strict else [], problems)
    for key, (module, name) in present.items():
        _move(module, name, state[key], assign)
    # Like PyTorch's, the answer of a strict load is empty: what was amiss has been raised.
    return IncompatibleKeys(missing, unexpected)


def _own_tensors(module: Module) -> Iterator[tuple[str, Tensor]]:
    """The parameters and persistent buffers of this module alone."""
    for name, param in module._parameters.items():
        if param is not None:
            yield name, param
    for name, buffer in module._buffers.items():
        if buffer is not None and name not in module._non_persistent_buffers_set:
            yield name, buffer


def _has_extra_state(module: Module) -> bool:
    return hasattr(type(module), "get_extra_state")


def _own_names(module: Module) -> list[str]:
    names = [name for name, _ in _own_tensors(module)]
    return [*names, EXTRA] if _has_extra_state(module) else names


def _misfit(key: str, module: Module, name: str, value: Any) -> str:
    """Why `value` cannot become the entry `name` of `module`; "" if it can."""
    if name == EXTRA:
        return ""
    if not isinstance(value, Tensor):
        return (
            f'While copying the parameter named "{key}", expected a Tensor from the checkpoint '
            f"but received {type(value)}"
        )
    expected = getattr(module, name).shape
    if value.shape != expected:
        return (
            f"size mismatch for {key}: copying a param with shape {value.shape} from checkpoint, "
            f"the shape in current model is {expected}."
        )
    return ""


def _raise_if_any(
    root: Module, missing: list[str], unexpected: list[str], problems: list[str]
) -> None:
    lines = list(filter(None, problems))
    for what, keys in (("Unexpected", unexpected), ("Missing", missing)):
        if keys:
            quoted = ", ".join(f'"{key}"' for key in keys)
            lines.insert(0, f"{what} key(s) in state_dict: {quoted}. ")
    if lines:
        raise RuntimeError(
            f"Error(s) in loading state_dict for {root._get_name()}:\n\t" + "\n\t".join(lines)
        )


def _move(module: Module, name: str, value: Any, assign: bool) -> None:
    if name == EXTRA:
        module.set_extra_state(value)
        return
    present = getattr(module, name)
    if not assign:
        with no_grad():
            present.copy_(value)
    elif isinstance(present, Parameter):
        setattr(module, name, Parameter(value.detach(), requires_grad=present.requires_grad))
    else:
        setattr(module, name, value)
