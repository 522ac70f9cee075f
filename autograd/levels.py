"""Levels: several differentiations at once, one inside the other, on one graph.

In ``grad(lambda x: x * grad(lambda y: x * y)(x))`` the inner derivative takes x for a constant, the
outer one does not. So each differentiation, a *level*, is given tensors of its own: its inputs
*enter* it, which makes an alias whose node is the level's mark in the graph. What leads to the mark
depends on the input as this level sees it; what goes past it is a constant. Below the mark the
graph goes on to where the input came from, an outer level perhaps. That is all it takes to keep
derivatives apart, however deep they are nested.

When the level is left, a result stays connected only if it leads further out: to a leaf of the
user's that requires grad, or to the mark of a level still under way.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from autograd.grad_mode import check_cut, recording, set_recording
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


class Level:
    """One differentiation. As a context manager it is under way, and operations are recorded."""

    # Whether its inputs may be changed in place. Backward ends at what they were when they entered.
    changeable = False

    def __enter__(self) -> Level:
        self._before = set_recording(True)
        _under_way.append(self)
        return self

    def __exit__(self, *exception: object) -> None:
        set_recording(self._before)
        _under_way.remove(self)

    def enter(self, x: Tensor) -> Tensor:
        """``x`` as this level sees it: an alias with a mark. RuntimeError for integers."""
        if x._array.dtype.kind != "f":
            raise RuntimeError(
                "only Tensors of floating point dtype can require gradients, but this one is "
                f"{x.dtype}. Convert it with .float()."
            )
        before = node_of(x) if x.requires_grad else None
        slots = (x._slot,) if before is not None and x._slot else None
        how, array, frame = _enter.op.plain_how, memory(x), sys._getframe(1)
        inside = record(
            EnterBackward,
            how,
            array,
            array.shape,
            array.dtype,
            (before,),
            slots,
            (None,),
            None,
            frame,
        )
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
    return any(
        type(node) is AccumulateGrad
        or (type(node) is EnterBackward and node.level is not besides and node.level in _under_way)
        for node in _below(tensors)
    )


def leave(t: Any) -> Any:
    """A result as it is seen outside the level it was computed in: without a graph, unless that
    leads further out. What is no tensor, or has no graph, stays itself."""
    if not isinstance(t, Tensor) or not t.requires_grad or (recording() and leads_out([t])):
        return t
    check_cut(t)
    return alias(t)


def _below(tensors: Iterable[Tensor]) -> Iterator[Node]:
    """All nodes that these tensors were computed by, each once."""
    stack = [node_of(t) for t in tensors if t.requires_grad]
    seen = set(stack)
    while stack:
        node = stack.pop()
        yield node
        for target in node._inputs:
            if target is not None and target not in seen:
                seen.add(target)
                stack.append(target)
