"""Where the elements of an array lie in memory.

Memory is one long row of numbers. An array is a way to read it: how many steps to take along each
dimension, how wide they are, and where to start. All views of one memory differ in nothing else, so
this says everything about a view: given the layouts of a tensor and of a view of it, the view can
be taken again, of anything laid out in the same way.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np


class Layout(NamedTuple):
    """Lengths and steps along each dimension, and the place of the first element; steps and places
    are counted in elements from the start of the memory."""

    size: tuple[int, ...]
    stride: tuple[int, ...]
    offset: int

    def reach(self) -> int:
        """How many elements the memory must have at least."""
        if 0 in self.size:
            return 0
        steps = zip(self.size, self.stride, strict=True)
        return self.offset + sum((n - 1) * step for n, step in steps) + 1

    def overlaps(self) -> bool:
        """Whether several elements lie at one place."""
        if 0 in self.size:
            return False
        width = 1  # of what the dimensions with the shorter steps reach over
        steps = sorted((step, n) for n, step in zip(self.size, self.stride, strict=True) if n > 1)
        for step, n in steps:
            if step < width:  # as never in a slice: count them
                return step == 0 or np.unique(self.places()).size < math.prod(self.size)
            width += (n - 1) * step
        return False

    def is_dense(self) -> bool:
        """Whether the elements fill their stretch of memory, each place once."""
        return not self.overlaps() and self.reach() - self.offset == math.prod(self.size)

    def meets_in_part(self, other: Layout) -> bool:
        """Whether some of several elements lie where ``other`` has some, but not each at the same
        place. Told for dense layouts only."""
        mine, its = self._without_ones(), other._without_ones()
        if not (its.size and mine.is_dense() and its.is_dense()):
            return False
        if (mine.offset, mine.reach()) == (its.offset, its.reach()):
            return mine.stride != its.stride
        return mine.offset < its.reach() and its.offset < mine.reach()

    def _without_ones(self) -> Layout:
        long = [(n, step) for n, step in zip(self.size, self.stride, strict=True) if n != 1]
        size, stride = zip(*long, strict=True) if long else ((), ())
        return Layout(size, stride, self.offset)

    def places(self) -> np.ndarray:
        """The place of each element."""
        places = np.full((), self.offset)
        for n, step in zip(self.size, self.stride, strict=True):
            places = places[..., None] + np.arange(n) * step
        return places

    def of(self, memory: np.ndarray) -> np.ndarray:
        """The view of ``memory``, one-dimensional, that is laid out like this."""
        width = memory.itemsize
        start = self.offset * width if self.reach() else 0
        return np.ndarray(
            self.size, memory.dtype, memory, start, [step * width for step in self.stride]
        )


def memory_of(array: np.ndarray) -> np.ndarray:
    """All the memory that ``array`` is a part of, as a one-dimensional array of its dtype."""
    root = array
    while isinstance(root.base, np.ndarray):
        root = root.base
    if root.ndim == 1 and root.flags.c_contiguous and root.dtype == array.dtype:
        return root
    row = root.ravel("K")
    if row.size and not np.may_share_memory(row, root):  # a root with gaps: from its first element
        count = layout_within(root, root).reach()
        return np.lib.stride_tricks.as_strided(root, (count,), (root.itemsize,))
    if row.dtype != array.dtype:
        bytes_ = row.view(np.uint8)
        row = bytes_[: bytes_.size // array.itemsize * array.itemsize].view(array.dtype)
    return row


def layout_of(array: np.ndarray) -> Layout:
    """Where ``array`` lies in its memory."""
    return layout_within(memory_of(array), array)


def layout_within(memory: np.ndarray, array: np.ndarray) -> Layout:
    """Where ``array`` lies in ``memory``, of which it is a view."""
    width = array.itemsize
    start = array.__array_interface__["data"][0] - memory.__array_interface__["data"][0]
    return Layout(array.shape, tuple([step // width for step in array.strides]), start // width)


def laid_out(array: np.ndarray, layout: Layout, room: int = 0) -> np.ndarray:
    """A new memory (of at least ``room`` elements), zeros but for the elements of ``array``, which
    are laid out as told. Those that meet at one place are added up."""
    memory = np.zeros(max(layout.reach(), room), array.dtype)
    still = tuple([i for i, step in enumerate(layout.stride) if not step])
    if still:  # stretched along these dimensions: all meet
        array = array.sum(still, keepdims=True)
        size = tuple([1 if i in still else n for i, n in enumerate(layout.size)])
        layout = layout._replace(size=size)
    if layout.overlaps():
        np.add.at(memory, layout.places(), array)
    else:
        layout.of(memory)[...] = array
    return memory
