"""Levels: several differentiations at once, one inside the other, on one graph.

In ``grad(lambda x: x * grad(lambda y: x * y)(x))`` the inner derivative takes x for a constant, the
outer one does not. So each differentiation, a *level*, is given tensors of its own: its inputs
*enter* it, which makes an alias whose node is the level's mark in the graph. What leads to the mark
depends on the input as this level sees it; what goes past it is a constant. Below the mark the
graph goes on to where the input came from, an outer level perhaps. That is all it takes to keep
derivatives apart, however deep they are nested.

A wall, a node that forward mode passes and backward does not, stands behind what was computed in
no_grad(): that concerns gradients, not tangents.

When the level is left, a result stays connected only if it leads further out: to a leaf of the
user's that requires grad, or to the mark of a level still under way.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from autograd.grad_mode import carrying, forward_levels, recording
from autograd.node import AccumulateGrad, Node
from autograd.op import op
from autograd.record import node_of, record
from autograd.tensor import Tensor, View, alias, memory, storage

_under_way: list[Level] = []


@op("elementwise", dx=lambda dy: dy)
def _enter(x: Any) -> Any:
    """``x`` itself, as a level sees it."""
    return x


class EnterBackward(_enter.op.node):  # type: ignore[name-defined]
    """The mark of a level: the node of a tensor that has entered it."""

    __slots__ = ("level",)


class NoGradBackward(_enter.op.node):  # type: ignore[name-defined]
    """A wall: forward mode finds the way on from ``source``, backward ends here."""

    __slots__ = ("slot", "source")


def behind_wall(t: Tensor) -> Tensor:
    """``t``, from which no gradient flows back, while tangents flow on."""
    if not t._requires_grad:
        return t
    out = _noted(NoGradBackward, t._array, None, 0)
    wall: Any = out._node
    wall.source, wall.slot, out._storage = node_of(t), t._slot, t._storage
    return out


def sources(node: Any) -> tuple[tuple[Node | None, ...], tuple[int, ...]]:
    """The nodes that tangents come from, and which outputs of these."""
    if type(node) is NoGradBackward:
        return (node.source,), (node.slot,)
    return node._inputs, node._slots or (0,) * len(node._inputs)


def _noted(kind: type[Node], array: Any, before: Node | None, slot: int) -> Tensor:
    """A tensor around ``array``, with a node of this kind in the graph after ``before``."""
    slots, frame = (slot,) if slot else None, sys._getframe(2)
    how, shape, dtype = _enter.op.plain_how, array.shape, array.dtype
    return record(kind, how, array, shape, dtype, (before,), slots, (None,), None, frame)


class Level:
    """One differentiation; as a context manager, under way."""

    # Whether its inputs may be changed in place. Backward ends at what they were when they entered.
    changeable = False

    def __enter__(self) -> Level:
        _under_way.append(self)
        return self

    def __exit__(self, *exception: object) -> None:
        _under_way.remove(self)

    def enter(self, x: Tensor) -> Tensor:
        """``x`` as this level sees it: an alias with a mark. RuntimeError for integers."""
        if x._array.dtype.kind != "f":
            raise RuntimeError(
                "only Tensors of floating point dtype can require gradients, but this one is "
                f"{x.dtype}. Convert it with .float()."
            )
        before = node_of(x) if x.requires_grad else None
        inside = _noted(EnterBackward, memory(x), before, x._slot)
        mark: Any = inside._node
        mark.level = self
        inside._storage = storage(x)
        if before is not None or not self.changeable:
            base = x if x._view is None else x._view.base
            inside._view = View(base, storage(x)[0], "level")
        return inside


def leads_out(tensors: Iterable[Any], besides: Level | None = None) -> bool:
    """Whether something further out depends on these tensors' gradients: a leaf, or a level under
    way."""
    outer = [level for level in _under_way if level is not besides]
    return any(
        type(node) is AccumulateGrad or (type(node) is EnterBackward and node.level in outer)
        for node in _below(tensors)
    ) or any(level.depends(t) for level in forward_levels if level in outer for t in tensors)


def concern_others(tensors: Sequence[Any]) -> bool:
    """Whether what is computed from these tensors now must be recorded: something further out
    depends on it, for gradients if operations are recorded at all, and for tangents anyway."""
    return (bool(recording()) and leads_out(tensors)) or carrying(tensors)


def leave(t: Any, level: Level | None = None, recorded: bool | None = None) -> Any:
    """A result as it is seen outside the ``level`` it was computed in: without a graph, unless that
    leads further out. What is no tensor, or has no graph, stays itself. ``recorded`` says whether
    operations are recorded outside."""
    if not isinstance(t, Tensor) or not t.requires_grad:
        return t
    if (recording() if recorded is None else recorded) and leads_out([t], level):
        return t
    carries = any(outer.depends(t) for outer in forward_levels if outer is not level)
    return behind_wall(t) if carries else alias(t)


def _below(tensors: Iterable[Tensor]) -> Iterator[Node]:
    """All nodes that these tensors were computed by, up to walls, each once."""
    stack = [node_of(t) for t in tensors if t.requires_grad]
    seen = set(stack)
    while stack:
        node = stack.pop()
        yield node
        for target in node._inputs:
            if target is not None and target not in seen:
                seen.add(target)
                stack.append(target)
