"""Looking after the graph: what ``torch.autograd.graph`` offers."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from autograd.changes import touch
from autograd.node import Node
from autograd.tensor import Tensor

__all__ = ["Node", "increment_version"]


def increment_version(tensor: Tensor | Iterable[Tensor]) -> None:
    """Say that the memory of ``tensor`` (or of several) was changed by other means than its own
    methods, as through ``tensor.detach().numpy()``: a backward that kept the old value will refuse
    instead of being silently wrong."""
    frame = sys._getframe(1)
    for t in [tensor] if isinstance(tensor, Tensor) else tensor:
        if not isinstance(t, Tensor):
            raise TypeError(f"increment_version takes tensors, but got {type(t).__name__}")
        touch(t, "increment_version()", frame)
