"""A module as a function of its parameters: ``functional_call`` lends it others for one call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from autograd.ops.joining import stack
from autograd.tensor import Tensor

__all__ = ["functional_call", "stack_module_state"]


def functional_call(
    module: Any,
    parameter_and_buffer_dicts: Any,
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """``module(*args, **kwargs)``, computed with the tensors of a dict (or of several) in place of
    its parameters and buffers of the same dotted names. The module is as before afterwards.

    ``args`` is a tuple, or the one argument. With ``tie_weights``, a tensor for one of the names of
    a shared parameter stands for all of them. ValueError for different ones, TypeError for what is
    no tensor; with ``strict``,
    RuntimeError where names are missing or unexpected."""
    lent = _one_dict(parameter_and_buffer_dicts)
    own = {
        name: t
        for members in (module.named_parameters, module.named_buffers)
        for name, t in members(remove_duplicate=False)
    }
    complete = _with_ties(own, lent) if tie_weights else lent
    unexpected, missing = sorted(lent.keys() - own), sorted(own.keys() - complete)
    if strict and (unexpected or missing):
        lists = [("Unexpected", unexpected), ("Missing", missing)]
        raise RuntimeError(
            f"Error(s) in reparametrizing for {type(module).__name__}:"
            + "".join(
                f"\n\t{what} key(s): {', '.join(map(repr, names))}."
                for what, names in lists
                if names
            )
        )
    arguments = () if args is None else args if isinstance(args, tuple) else (args,)
    with _lent(module, {name: t for name, t in complete.items() if name in own}):
        return module(*arguments, **(kwargs or {}))


def _one_dict(given: Any) -> dict[str, Any]:
    """The tensors of all the dicts. ValueError if they overlap, or if there is no dict."""
    dicts = given if isinstance(given, (list, tuple)) else [given]
    if not all(isinstance(tensors, Mapping) for tensors in dicts):
        raise ValueError(
            "Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got "
            f"{type(given)}"
        )
    names = [name for tensors in dicts for name in tensors]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(
            f"{repeated} appeared in multiple dictionaries; behavior of functional call is "
            "ambiguous"
        )
    merged = {name: t for tensors in dicts for name, t in tensors.items()}
    for t in merged.values():
        if not isinstance(t, Tensor):
            raise TypeError(f"{t} is not an instance of torch.Tensor")
    return merged


def _with_ties(own: dict[str, Tensor], lent: dict[str, Any]) -> dict[str, Any]:
    """What is lent, also under the other names that a shared parameter has in the module."""
    names_of: dict[int, list[str]] = {}
    for name, t in own.items():
        names_of.setdefault(id(t), []).append(name)
    complete = dict(lent)
    for names in names_of.values():
        given = [name for name in names if name in lent]
        if any(lent[name] is not lent[given[0]] for name in given):
            raise ValueError(
                f"functional_call got multiple values for keys {given}, which are tied. Consider "
                "using tie_weights=False"
            )
        if given:
            complete.update(dict.fromkeys(names, lent[given[0]]))
    return complete


@contextmanager
def _lent(module: Any, tensors: dict[str, Any]) -> Iterator[None]:
    """For the length of the block the tensors stand in the module's tables, where its parameters
    and buffers stood."""
    before = []
    for path, t in tensors.items():
        place, _, name = path.rpartition(".")
        owner = module.get_submodule(place)
        table = owner._parameters if name in owner._parameters else owner._buffers
        before.append((table, name, table[name]))
        table[name] = t
    try:
        yield
    finally:
        for table, name, t in reversed(before):
            table[name] = t


def stack_module_state(models: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters and the buffers of several models of one architecture, each stacked along a
    new first dimension, for ``vmap`` over ``functional_call``.

    The parameters are leaves that require grad as those of the models do. RuntimeError if there is
    no model, or if the models differ in class or in training mode."""
    models = list(models)
    if not models:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if any(model.training != models[0].training for model in models):
        raise RuntimeError(
            "stack_module_state: Expected all models to have the same training/eval mode."
        )
    if any(type(model) is not type(models[0]) for model in models):
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")
    return (
        _stacked([dict(model.named_parameters()) for model in models]),
        _stacked([dict(model.named_buffers()) for model in models]),
    )


def _stacked(states: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    stacked = {}
    for name, first in states[0].items():
        tensors = [state[name] for state in states]
        if any(t.requires_grad != first.requires_grad for t in tensors):
            raise RuntimeError(
                f"Expected {name} of all models to have the same requires_grad: it is not the same "
                "for all"
            )
        stacked[name] = stack([t.detach() for t in tensors]).requires_grad_(first.requires_grad)
    return stacked
