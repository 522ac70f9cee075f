"""What a node keeps for backward, and how it is noticed that it was overwritten since.

An input is kept as the tensor itself, so that a gradient of the gradient can follow it further into
the graph. An output is kept as its bare array: the tensor would hold its node, which would hold the
tensor. Memory counts its changes (see ``tensor.storage``); what is kept remembers the count.

Users may put hooks between (``graph.saved_tensors_hooks``): a *pack* hook turns each tensor that is
to be kept into whatever it likes, and an *unpack* hook turns that into the tensor again.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import numpy as np

from autograd.grad_mode import set_recording
from autograd.node import TOGETHER, AccumulateGrad, Node, accumulator
from autograd.tensor import Tensor, Uncounted, alias, storage, wrap


class SavedInput:
    """A kept tensor whose memory had been changed before: remembers how often, to notice a later
    change. (A tensor that is kept as itself had not been changed.)"""

    __slots__ = ("tensor", "version")

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor
        self.version = storage(tensor)[0]


class SavedOutput:
    """A kept output. Only the array: the tensor would hold its node, which would hold the
    tensor."""

    __slots__ = ("array", "changes")

    slot = 0  # which output it is
    version = 0  # the number of changes when it was kept

    def __init__(self, array: Any, changes: list[Any]) -> None:
        self.array = array
        self.changes = changes


class SavedOutputOf(SavedOutput):
    """A kept output of a Function, or of an operation in place: any of several outputs, in memory
    that was perhaps changed before."""

    __slots__ = ("slot", "version")

    def __init__(self, output: Tensor, slot: int) -> None:
        super().__init__(output._array, storage(output))
        self.slot = slot
        self.version = self.changes[0]


class Overwritten(RuntimeError):
    """Something kept for backward was changed in place since. The engine knows more, and tells of
    the places."""

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: np.dtype,
        version: int,
        expected: int,
        change: Any,
        output: bool,
    ):
        self.shape, self.dtype, self.version, self.expected = shape, dtype, version, expected
        self.change, self.output = change, output
        super().__init__(
            "one of the variables needed for gradient computation has been modified by an inplace "
            f"operation: {dtype} {list(shape)} is at version {version}; expected version "
            f"{expected} instead." + (f" It was changed by {change}." if change else "")
        )


KEPT = (Tensor, SavedInput, SavedOutput)  # what hooks apply to


class Packed:
    """What a pack hook made of something kept, the hook that undoes it, and the place in the graph
    of the tensor that it was (or what cut it off)."""

    __slots__ = (
        *("content", "cut", "memory", "node", "requires_grad", "slot", "undo"),
        "version_then",
    )

    def __init__(self, kept: Tensor | SavedInput | SavedOutput, hooks: Hooks) -> None:
        pack, self.undo = hooks
        self.node: Node | None = None  # of an output, the very node that keeps it
        self.requires_grad = True
        if isinstance(kept, SavedOutput):
            seen, self.slot = _detached(kept), kept.slot
        else:
            seen = kept.tensor if isinstance(kept, SavedInput) else kept
            self.slot, self.requires_grad = seen._slot, seen._requires_grad
            if seen._requires_grad:
                self.node = seen._node or accumulator(seen)
        self.cut = seen._cut
        self.memory = storage(seen)
        self.version_then = self.memory[0]
        recorded = set_recording(False)
        try:
            self.content = pack(seen)
        finally:
            set_recording(recorded)
        if self.memory[0] != self.version_then:
            raise RuntimeError(
                "A saved tensor pack hook is modifying its input in place. That is the very memory "
                "of the computation: let the hook work on a copy, x.clone()."
            )

    def unpacked(self) -> Tensor:
        """What the unpack hook returns."""
        t = self.undo(self.content)
        if not isinstance(t, Tensor):
            raise TypeError(
                "Output of saved tensor unpack_hook expected to be a Tensor but got result of type "
                f"{type(t).__name__}. It must turn what pack_hook returned into the tensor again."
            )
        if t._storage is self.memory:  # not a copy: it may have been overwritten
            _check_version(t._array, self.memory, self.version_then, False)
        return t

    def in_graph(self, node: Node | None) -> Tensor:
        """The tensor, at its old place in the graph. ``node`` keeps it."""
        t = self.unpacked()
        if not self.requires_grad:
            return t
        connected = alias(t)
        connected._requires_grad = True
        if isinstance(self.node, AccumulateGrad):
            connected._accumulator = weakref.ref(self.node)
        else:
            connected._node, connected._slot = self.node or node, self.slot
        return connected


def keep(value: Any) -> Any:
    """What is kept of an input or a setting: a tensor stays itself, so that a gradient of the
    gradient can follow it."""
    if isinstance(value, Tensor) and value._storage is not None:
        if type(value._storage) is Uncounted:
            raise RuntimeError(
                "Inference tensors cannot be saved for backward: this one was made in "
                "inference_mode(). Make a clone to get a normal tensor."
            )
        if value._storage[0]:
            return SavedInput(value)
    return value


def keep_instead(node: Node, output: Tensor, t: Tensor) -> None:
    """What ``node`` kept of its ``output`` has been written to ``t``: keep that memory instead."""
    node._kept = _replaced(node._kept, output._storage, SavedOutputOf(alias(t), output._slot))


def _replaced(kept: Any, memory: Any, it: SavedOutput) -> Any:
    # (No closure: one that calls itself would be a reference cycle, with all that it refers to.)
    if isinstance(kept, tuple):
        return tuple([_replaced(k, memory, it) for k in kept])
    return it if isinstance(kept, SavedOutput) and kept.changes is memory else kept


def unpack(kept: Any) -> Any:
    """The kept value as an array, provided that it is still what it was."""
    if isinstance(kept, Packed):
        return kept.unpacked()._array
    return verified(kept) if isinstance(kept, KEPT) else kept


def unpack_tensor(kept: Any, node: Node | None) -> Any:
    """What ``node`` keeps (None: an input of something else) as a tensor that leads on into the
    graph, under the same proviso."""
    if isinstance(kept, Packed):
        return kept.in_graph(node)
    if isinstance(kept, SavedOutput):
        verified(kept)
        t = _detached(kept)
        t._node, t._slot, t._requires_grad = node, kept.slot, True
        return t
    if isinstance(kept, (Tensor, SavedInput)):
        verified(kept)
        return kept.tensor if isinstance(kept, SavedInput) else kept
    return kept


def _detached(output: SavedOutput) -> Tensor:
    """A kept output as a tensor without history."""
    t: Tensor = wrap(output.array)
    t._storage = output.changes
    return t


def verified(kept: Tensor | SavedInput | SavedOutput) -> Any:
    """The array, if its memory has been left alone since it was kept. Raises Overwritten."""
    if isinstance(kept, SavedOutput):
        array, changes, version = kept.array, kept.changes, kept.version
    elif isinstance(kept, SavedInput):
        array, changes, version = kept.tensor._array, storage(kept.tensor), kept.version
    else:
        array, changes, version = kept._array, kept._storage or _UNCHANGED, 0
    _check_version(array, changes, version, isinstance(kept, SavedOutput))
    return array


_UNCHANGED = [0, None]


def _check_version(array: Any, changes: list[Any], version: int, output: bool) -> None:
    if changes[0] != version:
        raise Overwritten(array.shape, array.dtype, changes[0], version, changes[1], output)


# -- hooks -----------------------------------------------------------------------------------------


Hooks = tuple[Callable[[Tensor], Any], Callable[[Any], Tensor]]  # pack, unpack

# One entry for each pair of hooks in force, in whatever thread: a look at whether the list is empty
# is all that they cost while there are none.
hooked: list[None] = []
_hooks: ContextVar[tuple[Hooks, ...]] = ContextVar("hooks of this thread", default=())


_forbidden: ContextVar[str | None] = ContextVar("why hooks are forbidden", default=None)


def push_hooks(hooks: Hooks) -> None:
    """From now on, what this thread keeps goes through ``hooks``."""
    if (reason := _forbidden.get()) is not None:
        raise RuntimeError(reason)
    _hooks.set((*_hooks.get(), hooks))
    hooked.append(None)


def pop_hooks() -> None:
    """Back to the hooks before these, if there are any."""
    if mine := _hooks.get():
        _hooks.set(mine[:-1])
        hooked.pop()


def forbid_hooks(reason: str | None) -> str | None:
    """From now on, hooks are a RuntimeError that says ``reason``; allow them again if it is None.
    Returns what was set before."""
    if reason is not None and hooks_in_force():
        raise RuntimeError(reason)
    previous = _forbidden.get()
    _forbidden.set(reason)
    return previous


def hooks_in_force() -> Hooks | None:
    """The innermost hooks of this thread."""
    mine = _hooks.get()
    return mine[-1] if mine else None


def packed(kept: Any) -> Any:
    """Something kept, passed through the hooks in force if there are any."""
    hooks = hooks_in_force() if hooked else None
    return Packed(kept, hooks) if hooks and isinstance(kept, KEPT) else kept


def pack_all(node: Node) -> None:
    """Pass all that a node keeps through the hooks in force; what several rules need, once."""
    if not hooks_in_force():
        return
    done: dict[str, Any] = {}

    def once(need: str, kept: Any) -> Any:
        if need not in done:
            done[need] = packed(kept)
        return done[need]

    def each(needs: tuple[str, ...], kept: Any) -> Any:
        if kept is None or not needs:
            return kept
        return tuple(map(once, needs, kept)) if len(needs) > 1 else once(needs[0], kept)

    needs = [node._op.rule_of(i).needs for i in range(len(node._kept))]
    replace_kept(node, tuple(map(each, needs, node._kept)))


def replace_kept(node: Node, kept: Any) -> None:
    """Let ``node`` keep something packed. Then it computes all its gradients together, so that each
    thing need be unpacked but once."""
    node._kept = kept
    node._data = (TOGETHER, *node._data[1:])
