"""Matrices laid out by a plan: Kronecker's product, blocks along a diagonal, Vandermonde's."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from autograd.dtypes import get_default_dtype
from autograd.ops.arithmetic import array_of
from autograd.ops.dimensions import ndim_of
from autograd.ops.gathering import as_given
from autograd.ops.joining import cat
from autograd.ops.parts import _place
from autograd.ops.powers import pow
from autograd.ops.shape import _reshape, _unsqueeze, atleast_2d
from autograd.tensor import wrap

__all__ = ["block_diag", "kron", "vander"]


def kron(input: Any, other: Any) -> Any:
    """Kronecker's product: every element of ``input`` times all of ``other``, laid out block by
    block."""
    ndim = max(ndim_of(input), ndim_of(other))
    left, right = ((1,) * (ndim - x.ndim) + tuple(x.shape) for x in (input, other))
    blocks = _reshape(input, _interleaved(left, (1,) * ndim)) * _reshape(
        other, _interleaved((1,) * ndim, right)
    )
    return _reshape(blocks, tuple([n * m for n, m in zip(left, right, strict=True)]))


def _interleaved(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    return tuple([n for pair in zip(a, b, strict=True) for n in pair])


def block_diag(*tensors: Any) -> Any:
    """A matrix with the given ones along its diagonal, and zeros elsewhere; a vector is a row, and
    a 0-d tensor a matrix of one element. Raises RuntimeError for more dimensions."""
    for i, x in enumerate(tensors):
        if ndim_of(x) > 2:
            raise RuntimeError(
                "torch.block_diag: Input tensors must have 2 or fewer dimensions. Input "
                f"{i} has {x.ndim} dimensions"
            )
    if not tensors:
        return wrap(np.empty((1, 0), get_default_dtype().numpy))
    blocks = [atleast_2d(x) for x in tensors]
    ends = list(itertools.accumulate(block.shape[1] for block in blocks))
    return cat(
        [
            _place(block, (block.shape[0], ends[-1]), (..., slice(end - block.shape[1], end)))
            for block, end in zip(blocks, ends, strict=True)
        ]
    )


def linalg_vander(x: Any, *, N: int | None = None) -> Any:
    """Vandermonde's matrix: 1, x, x², ..., xᴺ⁻¹ along a new last dimension, as many as the last one
    has elements unless ``N`` is given. Raises RuntimeError for bools, 0-d tensors and N < 2."""
    size = (x.shape[-1] if ndim_of(x) else 1) if N is None else N
    if size <= 1:
        raise RuntimeError(f"N must be greater than 1, but it is {size}")
    if array_of(x).dtype.kind == "b":
        raise RuntimeError(
            "linalg.vander supports floating point, complex, and integer tensors, but got Bool. "
            "Convert the mask first: x.long()"
        )
    return _vander(x if x.ndim else _reshape(x, (1,)), np.arange(size))


def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """Vandermonde's matrix of a vector: xᴺ⁻¹, ..., x, 1, or in ``increasing`` order."""
    if ndim_of(x) != 1:
        raise RuntimeError(f"x must be a one-dimensional tensor, but has shape {list(x.shape)}.")
    powers = np.arange(len(x) if N is None else N)
    return _vander(x, powers if increasing else powers[::-1])


def _vander(x: Any, powers: np.ndarray) -> Any:
    return pow(_unsqueeze(x, x.ndim), as_given(powers, x))
