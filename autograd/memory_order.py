"""In what order the elements of a tensor lie in memory: ``torch.channels_last`` and its siblings.

The shape says nothing about it, the strides do. *Contiguous*: the last dimension varies fastest.
*Channels last*: of images (N, C, H, W) the channels vary fastest, as if the shape were
(N, H, W, C).
"""

from __future__ import annotations

from typing import Any

import numpy as np


class memory_format:
    """An order of elements in memory. One object each, compared by identity."""

    __slots__ = ("_ndim", "name")

    def __init__(self, name: str, ndim: int | None = None) -> None:
        self.name = name
        self._ndim = ndim  # of the tensors whose channels, dimension 1, lie last; None: of any

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name

    def holds(self, array: np.ndarray) -> bool:
        """Whether ``array`` lies in memory so."""
        if self is preserve_format:
            return True
        if self._ndim is None:
            return bool(array.flags.c_contiguous)
        return array.ndim == self._ndim and bool(np.moveaxis(array, 1, -1).flags.c_contiguous)

    def arranged(self, array: Any) -> Any:
        """``array`` in this order; itself if it is already. RuntimeError for a wrong number of
        dimensions."""
        if self._ndim not in (None, array.ndim):
            raise RuntimeError(
                f"required rank {self._ndim} tensor to use {self.name} format, but got one of "
                f"shape {list(array.shape)}"
            )
        if self.holds(array):
            return array
        if self._ndim is None:
            return np.ascontiguousarray(array)
        return np.moveaxis(np.ascontiguousarray(np.moveaxis(array, 1, -1)), -1, 1)


preserve_format = memory_format("preserve_format")
contiguous_format = memory_format("contiguous_format")
channels_last = memory_format("channels_last", 4)
channels_last_3d = memory_format("channels_last_3d", 5)


class layout:
    """The kind of storage of a tensor: here always ``torch.strided``."""

    def __repr__(self) -> str:
        return "torch.strided"


strided = layout()


def check_layout(wanted: Any) -> None:
    """Raise ValueError unless ``wanted`` is None or ``torch.strided``."""
    if wanted is not None and wanted is not strided:
        raise ValueError(
            f"expected a strided layout, got: {wanted}. All tensors here are; leave layout= away."
        )
