"""Looking on while others compute: who wants to know is told of every operation, forward and back.

Anomaly mode and the profiler look on. When nobody does, it must cost nothing: so the functions of
the operations are exchanged for ones that tell while somebody looks on, and only then; the engine
asks once a walk. It concerns the whole process, as in PyTorch: all threads are looked at.
"""

from __future__ import annotations

from _thread import RLock, _local  # as threading.local, but there already
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

import numpy as np

from autograd.node import Node
from autograd.rules import OPS, Op, as_operator


class Observer:
    """Somebody who looks on. Override what you want to be told; seconds are those of the operation
    itself, without what it called that was told of separately."""

    def computed(self, what: Any, inputs: Sequence[Any], y: Any, seconds: float) -> None:
        """``what``, an Op on arrays or a Function on tensors, has computed ``y``."""

    def recorded(self, node: Node) -> None:
        """``node`` has come into the graph, and keeps what its derivatives need."""

    def pulled(self, node: Node, dy: Any, gradients: Sequence[Any], seconds: float) -> None:
        """``node`` has pulled ``dy`` back to ``gradients``, one an input (None: not wanted). They
        are arrays, or tensors under create_graph."""

    def failed(self, node: Node, error: Exception) -> None:
        """The backward of ``node`` has raised ``error``."""


observers: list[Observer] = []  # those who look on now; ask it before calling what is below


def enter(observer: Observer) -> None:
    """``observer`` looks on from now on."""
    with _coming_and_going:
        if not observers:
            for op in OPS.values():
                tell_of(op)
        observers.append(observer)


def leave(observer: Observer) -> None:
    """``observer`` looks on no longer."""
    with _coming_and_going:
        observers.remove(observer)
        if not observers:
            for op in OPS.values():
                op.forward = as_operator(op.apply.__wrapped__)


_coming_and_going = RLock()


class _Thread(_local):
    """What a thread is at."""

    inside = False  # an operation: what that calls, on arrays, is part of it
    told = 0.0  # the seconds of all that was told so far
    node: Node | None = None  # the node whose backward is running


_thread = _Thread()


def tell_of(op: Op) -> None:
    """From now on ``op`` tells, until the last observer leaves."""
    function = op.forward

    def forward(*arrays: Any, **settings: Any) -> Any:
        if _thread.inside:
            return function(*arrays, **settings)
        with np.errstate(all="ignore"):
            y, seconds = _timed(lambda: function(*arrays, **settings), whole=True)
        for observer in observers[:]:
            observer.computed(op, arrays, y, seconds)
        return y

    op.forward = forward


def tell_function(function: Any, tensors: Sequence[Any], compute: Callable[[], Any]) -> Any:
    """``compute()``, which is what a Function does forward; the operations in it are told of as
    well."""
    y, seconds = _timed(compute, whole=False)
    for observer in observers[:]:
        observer.computed(function, tensors, y, seconds)
    return y


def tell_recorded(node: Node) -> None:
    """A node has come into the graph."""
    for observer in observers[:]:
        observer.recorded(node)


def tell_pulled(
    node: Node, dy: Any, pull: Callable[[], Sequence[Any]], on_arrays: bool
) -> Sequence[Any]:
    """``pull()``, the gradients that ``node`` makes of ``dy``; if ``on_arrays``, what it calls is
    part of it."""
    before, _thread.node = _thread.node, node
    try:
        gradients, seconds = _timed(pull, whole=on_arrays)
    except Exception as error:
        for observer in observers[:]:
            observer.failed(node, error)
        raise
    finally:
        _thread.node = before
    for observer in observers[:]:
        observer.pulled(node, dy, gradients, seconds)
    return gradients


def node_at_work() -> Node | None:
    """The node whose backward is running in this thread: what is recorded now is part of its
    gradient's own graph."""
    return _thread.node


def _timed(compute: Callable[[], Any], whole: bool) -> tuple[Any, float]:
    """What ``compute`` returns, and the seconds it took itself. As a ``whole``, nothing in it is
    told of."""
    inside, told = _thread.inside, _thread.told
    _thread.inside = whole
    start = perf_counter()
    try:
        y = compute()
    finally:
        _thread.inside = inside
        seconds = perf_counter() - start - (_thread.told - told)
        _thread.told += seconds
    return y, seconds
