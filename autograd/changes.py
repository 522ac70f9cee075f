"""Writing into a tensor's memory, and counting it.

The memory counts its changes, so that backward notices when something it kept was overwritten, and
remembers the last of them, so that it can say by what.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd.grad_mode import INFERENCE, check_not_carrying, recording
from autograd.layout import Layout, layout_of, memory_of
from autograd.node import users_frame, where
from autograd.tensor import Tensor, Uncounted, memory, storage


class Change:
    """The last in-place operation on some memory: its name and the user's line, for messages."""

    __slots__ = ("code", "lasti", "name")

    def __init__(self, name: str, frame: Any) -> None:
        frame = users_frame(frame)
        self.name, self.code, self.lasti = name, frame.f_code, frame.f_lasti

    def __str__(self) -> str:
        return f"{self.name} at {where(self.code, self.lasti)}"


def check_changeable(t: Tensor) -> None:
    """RuntimeError for an inference tensor, outside of ``inference_mode()``."""
    if type(t._storage) is Uncounted and recording() is not INFERENCE:
        raise RuntimeError(
            "Inplace update to inference tensor outside InferenceMode is not allowed. You can make "
            "a clone to get a normal tensor before doing inplace update."
        )


def touch(t: Tensor, name: str, frame: Any) -> None:
    """Count a change of the memory of ``t``."""
    check_not_carrying(t)
    changes = storage(t)
    if type(changes) is Uncounted:
        return
    changes[0] += 1
    changes[1] = Change(name, frame)


def fill(target: np.ndarray, values: Any, uniform: bool = False) -> None:
    """Replace the contents of an array. RuntimeError where :func:`opened` raises one."""
    opened(target, uniform)[...] = values


def opened(array: np.ndarray, uniform: bool = False) -> np.ndarray:
    """``array``, to be written to. RuntimeError if its memory is read-only; or if several elements
    lie at one place, unless all will be the same (``uniform``)."""
    flags = array.flags
    if flags.writeable and flags.c_contiguous:
        return array
    if not uniform and Layout(array.shape, array.strides, 0).overlaps():
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a "
            "single memory location (it was made by expand, unfold or as_strided). Please clone() "
            "the tensor before performing the operation."
        )
    if not flags.writeable:  # it may have been closed only because it was stretched
        array = layout_of(array).of(memory_of(array))
        if not array.flags.writeable:
            raise RuntimeError(
                "the memory of the written-to tensor is read-only: it belongs to a NumPy array "
                "that is. Please clone() the tensor before performing the operation."
            )
    return array


def check_apart(t: Tensor, others: Iterable[Any], name: str, part: Any = None) -> None:
    """Raise RuntimeError if a tensor among ``others`` lies in part where ``t`` is to be written (or
    only ``part`` of its array)."""
    for other in others:
        if (
            isinstance(other, Tensor)
            and (other is not t or part is not None)
            and other._storage is not None
            and other._storage is t._storage
            and layout_of(memory(t) if part is None else part).meets_in_part(
                layout_of(memory(other))
            )
        ):
            raise RuntimeError(
                "unsupported operation: some elements of the input tensor and the written-to "
                f"tensor refer to a single memory location ({name} would read what it has already "
                "written). Please clone() the input before performing the operation."
            )
