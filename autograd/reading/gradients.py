"""Gradients worked out for the reader alone: no ``.grad`` is touched, and no hook is called."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from autograd import engine
from autograd.fitting import fit
from autograd.node import FREED, Node

from .recorded import Recorded


def is_freed(recorded: Recorded) -> bool:
    """Whether a backward() has freed what some operation kept."""
    return any(step.node._kept is FREED for step in recorded.steps)


class _Watch:
    """What `engine.run` takes for the gradients that `grad()` asks for: here, of every node."""

    def __init__(self, nodes: list[Node]) -> None:
        self.places = dict.fromkeys(nodes)
        self.seen: dict[int, Any] = {}

    def catch(self, node: Node, gradient: Any) -> Any:
        self.seen[id(node)] = gradient
        return gradient


def by_engine(recorded: Recorded) -> dict[int, Any]:
    """Return the gradients of everything, from a walk of the engine that leaves no trace."""
    nodes = list({id(v.node): v.node for v in recorded.values if v.node is not None}.values())
    watch: Any = _Watch(nodes)
    roots = [
        (output.node, output.slot, np.ones(output.shape, output.dtype)[()])
        for output in recorded.outputs
        if output.node is not None
    ]
    hooks = {node: node._hooks for node in nodes}
    try:
        for node in nodes:
            node._hooks = None  # nobody asked for this walk
        engine.run(roots, retain_graph=True, create_graph=False, wanted=watch)
    finally:
        for node, held in hooks.items():
            node._hooks = held
    found = {}
    for value in recorded.values:
        if value.node is not None:
            gradient = watch.seen.get(id(value.node))
            if isinstance(gradient, dict):  # by number, of an operation with several outputs
                gradient = gradient.get(value.slot)
            if gradient is not None:
                found[id(value)] = gradient
    return found


def pulled(node: Node, dy: Any) -> list[Any]:
    """Return the gradient of each input of an operation for the gradient of its output, or for a
    tuple of gradients of its outputs; None where no gradient flows."""
    pulls = node._data[0][0]
    if pulls is None:
        found = list(node._pull_all(dy, create_graph=False))  # type: ignore[attr-defined]
    else:
        found = [
            None if target is None else pull(dy, kept)
            for target, pull, kept in zip(node._inputs, pulls, node._kept, strict=False)
        ]
    slots = node._slots or itertools.repeat(0)
    return [
        None if target is None or gradient is None else _fitted(gradient, target, slot)
        for gradient, target, slot in zip(found, node._inputs, slots, strict=False)
    ]


def _fitted(gradient: Any, target: Node, slot: int) -> Any:
    shape, dtype = target._shape, target._dtype
    if isinstance(dtype, tuple):
        shape, dtype = shape[slot], dtype[slot]
    return fit(gradient, shape, dtype)
