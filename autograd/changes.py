"""Writing into a tensor's memory, and counting it.

The memory counts its changes, so that backward notices when something it kept was overwritten, and
remembers the last of them, so that it can say by what.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.node import users_frame, where
from autograd.tensor import Tensor, storage


class Change:
    """The last in-place operation on some memory: its name and the user's line, for messages."""

    __slots__ = ("code", "lasti", "name")

    def __init__(self, name: str, frame: Any) -> None:
        frame = users_frame(frame)
        self.name, self.code, self.lasti = name, frame.f_code, frame.f_lasti

    def __str__(self) -> str:
        return f"{self.name} at {where(self.code, self.lasti)}"


def touch(t: Tensor, name: str, frame: Any) -> None:
    """Count a change of the memory of ``t``."""
    changes = storage(t)
    changes[0] += 1
    changes[1] = Change(name, frame)


def fill(target: np.ndarray, values: Any) -> None:
    """Replace the contents of an array. RuntimeError if elements lie on top of each other."""
    if not target.flags.writeable and not _made_writeable(target):
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a "
            "single memory location (it was made by expand or broadcast), or its memory is "
            "read-only. Please clone() the tensor before performing the operation."
        )
    target[...] = values


def _made_writeable(view: np.ndarray) -> bool:
    """Whether the view could be opened for writing: one element of something stretched, say, that
    is not stretched itself."""
    stretched = any(not step and n > 1 for step, n in zip(view.strides, view.shape, strict=True))
    if stretched or view.base is None:
        return False
    try:
        view.flags.writeable = True
    except ValueError:  # the memory itself is read-only
        return False
    return True
