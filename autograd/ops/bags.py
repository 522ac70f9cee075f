"""Bags of symbols: the vectors of all of them made one, by their mean, their sum or their largest
numbers.

Words in any order make a bag. It is a lookup in a table (embedding.py) and a sum of what was found,
without the need for bags of one length.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from autograd.ops.arithmetic import array_of
from autograd.ops.comparison import masked
from autograd.ops.embedding import _embedding, check_index, check_sparse, factors_of, shorten
from autograd.ops.gathering import _add_slices, _gather, index_select
from autograd.ops.shape import _reshape, unsqueeze

__all__: list[str] = []  # nn.functional.embedding_bag; torch.embedding_bag is something else


def embedding_bag(
    input: Any,
    weight: Any,
    offsets: Any = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Any:
    """The mean, the sum or (``mode="max"``) the largest numbers of the rows of ``weight`` (V, D) at
    the integers of each bag: (bags, D).

    A bag is a row of a 2-D ``input``, or a part of a 1-D one: they begin at ``offsets``, of which
    the last, with ``include_last_offset``, only ends the last bag. ``per_sample_weights``, of the
    shape of ``input``, multiply the rows to be summed. Integers equal to ``padding_idx`` are left
    out. An empty bag gives zeros. The gradient of a maximum goes to the first of equal numbers. The
    other settings are those of :func:`embedding`.
    Raises ValueError for shapes and settings that do not fit together, RuntimeError for integers
    that are no rows, other dtypes and offsets that are no beginnings of bags, NotImplementedError
    for weighted means and maxima."""
    if array_of(input).dtype.kind == "f" and array_of(weight).dtype == np.int64:
        warnings.warn(
            "Argument order of nn.functional.embedding_bag was changed: pass the integers first, "
            "then the table.",
            stacklevel=2,
        )
        input, weight = weight, input
    index, table = array_of(input), array_of(weight)
    _check_bag_settings(index, table, offsets, mode, scale_grad_by_freq, sparse, per_sample_weights)
    begins = _beginnings(index, offsets, include_last_offset)
    index = index.reshape(-1)
    if table.dtype.kind != "f":
        raise RuntimeError(
            f"embedding_bag expects a floating-point 'weight', but got {table.dtype}. Convert it "
            "with .float()"
        )
    check_index(index, len(table), RuntimeError)
    if max_norm is not None:
        shorten(weight, index, max_norm, norm_type)
    bag = np.repeat(np.arange(len(begins)), np.diff(begins, append=len(index)))
    index = index[: len(bag)]  # which is all of them, unless there is no bag at all
    counted = np.ones(len(bag), bool)
    if padding_idx is not None:
        counted = index != _row_number(padding_idx, len(table))
    index, bag = index[counted], bag[counted]
    if mode == "max":
        return _largest_of_bags(weight, index, bag, len(begins))
    rows = _embedding(weight, index, factors_of(index, None, scale_grad_by_freq, table))
    if per_sample_weights is not None:
        weights = index_select(_reshape(per_sample_weights, (-1,)), 0, np.flatnonzero(counted))
        rows = rows * unsqueeze(weights, -1)
    sums = _add_slices(rows, (len(begins), table.shape[1]), 0, bag)
    if mode == "sum":
        return sums
    counts = np.maximum(np.bincount(bag, minlength=len(begins)), 1)
    return sums / counts[:, None].astype(table.dtype)


def _largest_of_bags(weight: Any, index: np.ndarray, bag: np.ndarray, bags: int) -> Any:
    """For each bag and each column of the table, the largest number in the bag's rows."""
    table = array_of(weight)
    winners = np.zeros((bags, table.shape[1]), np.int64)
    lengths = np.bincount(bag, minlength=bags)
    ends = np.cumsum(lengths)
    for number in np.flatnonzero(lengths):
        rows = index[ends[number] - lengths[number] : ends[number]]
        winners[number] = rows[table[rows].argmax(0)]
    return masked(_gather(weight, 0, winners), (lengths > 0)[:, None])


def _row_number(padding_idx: int, rows: int) -> int:
    if not -rows <= padding_idx < rows:
        raise RuntimeError(
            f"padding_idx must be within the number of embeddings, {-rows} through {rows - 1}, but "
            f"got {padding_idx}"
        )
    return padding_idx % rows


def _check_bag_settings(
    index: np.ndarray,
    table: np.ndarray,
    offsets: Any,
    mode: str,
    by_frequency: bool,
    sparse: bool,
    weights: Any,
) -> None:
    if weights is not None and tuple(weights.shape) != index.shape:
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({tuple(weights.shape)}) is not None, then it "
            f"must have the same shape as the input ({index.shape})"
        )
    if table.ndim != 2:
        raise ValueError(f"weight has to be a 2D Tensor, but got Tensor of dimension {table.ndim}")
    if index.ndim not in (1, 2):
        raise ValueError(
            f"input has to be 1D or 2D Tensor, but got Tensor of dimension {index.ndim}"
        )
    if index.ndim == 2 and offsets is not None:
        raise ValueError(
            "if input is 2D, then offsets has to be None, as each of its rows is a bag. However, "
            f"found offsets of type {type(offsets)}"
        )
    if index.ndim == 1 and (offsets is None or offsets.ndim != 1):
        raise ValueError(
            "offsets has to be a 1D Tensor but got "
            + ("None" if offsets is None else f"shape {tuple(offsets.shape)}")
        )
    if mode not in ("sum", "mean", "max"):
        raise ValueError(f"mode has to be one of sum, mean or max, but got {mode!r}")
    if mode == "max" and by_frequency:
        raise ValueError("max mode does not support scaling the gradient by the frequency")
    if mode == "max" and sparse:
        raise ValueError("max mode does not support sparse weights")
    check_sparse(sparse)
    if weights is not None and mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported "
            f"for mode='sum' (got mode='{mode}')."
        )
    if weights is not None and array_of(weights).dtype != table.dtype:
        raise RuntimeError(
            f"embedding_bag expects per_sample_weights of the dtype of weight, {table.dtype}, but "
            f"got {array_of(weights).dtype}"
        )


def _beginnings(index: np.ndarray, offsets: Any, include_last: bool) -> np.ndarray:
    """Where in the flattened integers each bag begins."""
    if index.ndim == 2:
        return np.arange(index.shape[0]) * index.shape[1]
    begins: np.ndarray = array_of(offsets)
    if begins.dtype not in (np.int64, np.int32):
        raise RuntimeError(
            "Expected tensor for argument #1 'offsets' to have one of the following scalar types: "
            f"Long, Int; but got {begins.dtype} instead. Convert it with .long()"
        )
    if include_last:
        if not begins.size:
            raise RuntimeError("include_last_offset: number of offset should be at least 1")
        begins = begins[:-1]
    if begins.size and begins[0]:
        raise RuntimeError(
            "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from "
            f"position 0. However, got {begins[0]}"
        )
    if begins.size and begins[-1] > index.size:
        raise RuntimeError(
            f"offsets[-1] can not be greater than input's length {index.size} but got offsets[-1] "
            f"of {begins[-1]}"
        )
    if (np.diff(begins) < 0).any():
        raise RuntimeError(f"offsets must not decrease, but got {begins.tolist()}")
    return begins
