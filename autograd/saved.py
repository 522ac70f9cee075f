"""What a node keeps for backward, and how it is noticed that it was overwritten since.

An input is kept as the tensor itself, so that a gradient of the gradient can follow it further into
the graph. An output is kept as its bare array: the tensor would hold its node, which would hold the
tensor. Memory counts its changes (see ``tensor.storage``); what is kept remembers the count.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.node import Node
from autograd.tensor import Tensor, storage, wrap


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
    """A kept output of a Function: any of its outputs, perhaps changed before."""

    __slots__ = ("slot", "version")

    def __init__(self, output: Tensor) -> None:
        super().__init__(output._array, storage(output))
        self.slot = output._slot
        self.version = self.changes[0]


class Overwritten(Exception):
    """Something kept for backward was changed in place since. The engine turns it into a
    RuntimeError with the places."""

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


def keep(value: Any) -> Any:
    """What is kept of an input or a setting: a tensor stays itself, so that a gradient of the
    gradient can follow it."""
    if isinstance(value, Tensor) and value._storage is not None and value._storage[0]:
        return SavedInput(value)
    return value


def unpack(kept: Any) -> Any:
    """The kept value as an array, provided that it is still what it was."""
    if isinstance(kept, (Tensor, SavedInput, SavedOutput)):
        return verified(kept)
    return kept


def unpack_tensor(kept: Any, node: Node) -> Any:
    """The kept value as a tensor that leads on into the graph, under the same proviso."""
    if isinstance(kept, SavedOutput):
        t = wrap(verified(kept))
        t._node, t._slot, t._requires_grad, t._storage = node, kept.slot, True, kept.changes
        return t
    if isinstance(kept, (Tensor, SavedInput)):
        verified(kept)
        return kept.tensor if isinstance(kept, SavedInput) else kept
    return kept


def verified(kept: Tensor | SavedInput | SavedOutput) -> Any:
    """The array, if its memory has been left alone since it was kept. Raises Overwritten."""
    if isinstance(kept, SavedOutput):
        array, changes, version = kept.array, kept.changes, kept.version
    elif isinstance(kept, SavedInput):
        array, changes, version = kept.tensor._array, storage(kept.tensor), kept.version
    else:
        array, changes, version = kept._array, kept._storage or _UNCHANGED, 0
    if changes[0] != version:
        raise Overwritten(
            array.shape, array.dtype, changes[0], version, changes[1], isinstance(kept, SavedOutput)
        )
    return array


_UNCHANGED = [0, None]
