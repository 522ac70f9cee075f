"""Vectors for symbols: a table that is looked up, and what else turns integers into vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.op import linear
from autograd.ops.arithmetic import array_of
from autograd.ops.gathering import _add_slices
from autograd.tensor import Tensor, memory, wrap

__all__: list[str] = []  # nn.functional; torch.embedding takes the table first

# -- one symbol, one vector ------------------------------------------------------------------------


def embedding(
    input: Any,
    weight: Any,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    """The rows of ``weight`` (V, D) at ``input``, integers of any shape S: a tensor of shape (*S,
    D).

    The row ``padding_idx`` gets no gradient. ``max_norm`` first scales the rows used down to that
    ``norm_type``-norm, in place. ``scale_grad_by_freq`` divides a row's gradient by how often it
    was used.
    Raises IndexError for an index that is not in the table, RuntimeError for indices that are no
    integers, and for ``sparse`` gradients, which there are none of."""
    index, table = array_of(input), array_of(weight)
    check_sparse(sparse)
    if table.ndim != 2:
        raise RuntimeError(
            f"'weight' must be 2-D, a row for each symbol, but got shape {tuple(table.shape)}"
        )
    check_index(index, len(table), IndexError)
    if padding_idx is not None:
        if not -len(table) <= padding_idx < len(table):
            raise AssertionError(
                f"padding_idx must be within the {len(table)} rows of weight, but got {padding_idx}"
            )
        padding_idx %= len(table)
    if max_norm is not None:
        shorten(weight, index, max_norm, norm_type)
    return _embedding(weight, input, factors_of(index, padding_idx, scale_grad_by_freq, table))


def check_sparse(sparse: bool) -> None:
    if sparse:
        raise RuntimeError("sparse gradients are not supported: leave sparse=False")


def check_index(index: np.ndarray, rows: int, error: type[Exception]) -> None:
    if index.dtype not in (np.int64, np.int32):
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: "
            f"Long, Int; but got {index.dtype} instead. Convert it with .long()"
        )
    if index.size and not 0 <= index.min() <= index.max() < rows:
        wrong = index[(index < 0) | (index >= rows)][0]
        raise error(
            f"index out of range in self: {wrong} is no row of the table, which has {rows}: 0 to "
            f"{rows - 1}"
        )


def factors_of(
    index: np.ndarray, padding_idx: int | None, by_frequency: bool, table: np.ndarray
) -> Any:
    """By what to multiply the gradient of each row that was looked up; None for 1."""
    factors = None
    if by_frequency:
        factors = (1 / np.bincount(index.reshape(-1), minlength=len(table)))[index]
    if padding_idx is not None:
        used = index != padding_idx
        factors = used if factors is None else factors * used
    return None if factors is None else factors[..., None].astype(table.dtype)


@linear(
    dtable=lambda dy, table_shape, index, factors: _add_slices(
        dy if factors is None else dy * factors, table_shape, 0, index
    )
)
def _embedding(table, index, factors):
    return table.take(index, 0)


def shorten(weight: Any, index: np.ndarray, max_norm: float, norm_type: float) -> None:
    """Scale the rows that are used and too long down to ``max_norm``, in place."""
    table = memory(weight) if isinstance(weight, Tensor) else weight
    used = np.unique(index)
    lengths = np.linalg.norm(table[used], norm_type, axis=1)
    long = lengths > max_norm
    table[used[long]] *= (max_norm / (lengths[long] + 1e-7))[:, None].astype(table.dtype)


# -- one symbol, one place -------------------------------------------------------------------------


def one_hot(tensor: Any, num_classes: int = -1) -> Any:
    """For each integer i of shape S a vector of ``num_classes`` zeros with a 1 at place i: int64,
    of shape (*S, classes).

    By default as many classes as the largest integer needs. Raises RuntimeError for integers
    outside of these, and for what is not int64."""
    index = array_of(tensor)
    if index.dtype != np.int64:
        raise RuntimeError(
            f"one_hot is only applicable to index tensor of type LongTensor, but got {index.dtype}."
        )
    if not index.size and num_classes <= 0:
        raise RuntimeError(
            "Can not infer total number of classes from empty tensor. Pass num_classes."
        )
    if index.size and index.min() < 0:
        raise RuntimeError(f"Class values must be non-negative, but got {index.min()}.")
    if num_classes == -1:
        num_classes = int(index.max()) + 1
    elif index.size and index.max() >= num_classes:
        raise RuntimeError(
            f"Class values must be smaller than num_classes: got {index.max()} for {num_classes} "
            "classes."
        )
    y = (index[..., None] == np.arange(num_classes)).astype(np.int64)
    return wrap(y) if isinstance(tensor, Tensor) else y
