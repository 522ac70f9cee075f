"""Hooks: where users look at gradients on their way, and may replace them.

In the order in which a gradient meets them: the hooks of the tensor it is the gradient of, the
prehooks of the node that computed that tensor, and, when the node has computed the gradients of its
inputs, its posthooks.
"""

from __future__ import annotations

import itertools
from typing import Any

from autograd.dtypes import of_numpy
from autograd.fitting import fit
from autograd.node import Node
from autograd.tensor import Tensor, wrap

# The slots of a node whose inputs are all the first output of their nodes.
FIRST = itertools.repeat(0)


def call_tensor_hooks(node: Node, dy: Any) -> Any:
    """The gradient of each output after the hooks of the tensor there, which may retain it."""
    hooks = node._hooks
    assert hooks is not None
    parts = dy if type(dy) is dict else {0: dy} if dy is not None else {}
    for slot, hook in list(hooks.tensor.values()):
        if slot in parts:
            parts[slot] = through([hook], parts[slot])
    for slot, reference in hooks.retain.items():
        t = reference()
        if t is not None and slot in parts:
            part = as_tensor(parts[slot])
            t._grad = part.clone() if t._grad is None else t._grad + part
    return dy if type(dy) is dict else parts.get(0)


def through(hooks: list[Any], gradient: Any) -> Any:
    """The gradient after each hook in turn has seen it and perhaps replaced it."""
    for hook in hooks:
        replacement = hook(as_tensor(gradient))
        if replacement is not None:
            gradient = _accepted(hook, replacement, gradient)
    return gradient


def call_before(node: Node, dy: Any) -> Any:
    """What the prehooks of a node make of the gradients of its outputs."""
    assert node._hooks is not None
    several = type(dy) is tuple
    parts = dy if several else (dy,)
    for before in list(node._hooks.before.values()):
        parts = _all_accepted(before, before(tuple(map(as_tensor, parts))), parts)
    return parts if several else parts[0]


def call_after(
    node: Node, dy: Any, pulls: Any, kept: Any, needed: set[Node] | None
) -> tuple[Any, ...]:
    """What the hooks of a node make of the gradients of its inputs: None where none is needed."""
    assert node._hooks is not None
    gradients: tuple[Any, ...] = tuple(
        _fitted(target, slot, pull(dy, k))
        if target is not None and (needed is None or target in needed)
        else None
        for target, slot, pull, k in zip(  # noqa: B905 (some are endless)
            node._inputs, node._slots or FIRST, pulls, kept
        )
    )
    outer = tuple(map(as_tensor, dy if type(dy) is tuple else (dy,)))
    for after in list(node._hooks.after.values()):
        gradients = _all_accepted(after, after(tuple(map(as_tensor, gradients)), outer), gradients)
    return gradients


def _fitted(target: Node, slot: int, gradient: Any) -> Any:
    if gradient is None:
        return None
    shape, dtype = target._shape, target._dtype
    return (
        fit(gradient, shape[slot], dtype[slot])
        if type(dtype) is tuple
        else fit(gradient, shape, dtype)
    )


def as_tensor(gradient: Any) -> Any:
    """What a hook is shown of a gradient."""
    return gradient if gradient is None or isinstance(gradient, Tensor) else wrap(gradient)


def _all_accepted(hook: Any, replacement: Any, gradients: tuple[Any, ...]) -> tuple[Any, ...]:
    """The gradients, or what a hook of a node returned in their place."""
    if replacement is None:
        return gradients
    if not isinstance(replacement, tuple):
        raise TypeError(
            f"hook '{_name_of(hook)}' of a node: expected tuple, but hook returned "
            f"'{type(replacement).__name__}'. Return one gradient for each, or None."
        )
    news = replacement
    if len(news) != len(gradients):
        raise RuntimeError(
            f"hook '{_name_of(hook)}' has returned an incorrect number of values (got {len(news)}, "
            f"but expected {len(gradients)})"
        )
    return tuple([_accepted(hook, new, old) for new, old in zip(news, gradients, strict=True)])


def _accepted(hook: Any, new: Any, old: Any) -> Any:
    """What a hook returned in place of a gradient, in the form the walk is using, provided that it
    is alike in shape and dtype."""
    if old is None and new is None:
        return None
    name = f"hook '{_name_of(hook)}'"
    if old is None:
        raise RuntimeError(f"{name} can't replace a None gradient with a non-None value")
    if not isinstance(new, Tensor):
        raise TypeError(
            f"{name} must return None or the new gradient as a Tensor, but returned "
            f"'{type(new).__name__}'"
        )
    recorded = isinstance(old, Tensor)
    was, now = old._array if recorded else old, new._array
    if now.dtype != was.dtype:
        raise RuntimeError(
            f"{name} has changed the type of value (was {of_numpy(was.dtype)} got {new.dtype})"
        )
    if now.shape != was.shape:
        raise RuntimeError(f"{name} has changed the size of value: {was.shape} became {now.shape}")
    return new if recorded else now


def _name_of(hook: Any) -> str:
    return getattr(hook, "__name__", type(hook).__name__)
