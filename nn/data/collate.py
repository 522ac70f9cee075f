"""Collating: many samples become one batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import autograd
from autograd import Tensor

__all__ = ["default_collate"]


def default_collate(batch: Sequence[Any]) -> Any:
    """Stack samples along a new first dimension.

    Tensors, arrays and numbers become one tensor, strings stay a list, and dicts, tuples and lists
    are collated entry by entry. TypeError for anything else; RuntimeError if lengths differ.
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return autograd.stack(list(batch))
    if isinstance(first, (np.ndarray, np.generic)) and first.dtype.kind in "buif":
        return autograd.as_tensor(np.stack(batch))
    if isinstance(first, float):
        return autograd.tensor(batch, dtype=autograd.float64)
    if isinstance(first, int):
        return autograd.tensor(batch)
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        return {key: default_collate([sample[key] for sample in batch]) for key in first}
    if isinstance(first, Sequence):
        return _collate_sequences(batch)
    raise TypeError(
        "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found "
        f"{type(first)}. Give the DataLoader a collate_fn of your own."
    )


def _collate_sequences(batch: Sequence[Sequence[Any]]) -> Any:
    first = batch[0]
    if any(len(sample) != len(first) for sample in batch):
        raise RuntimeError(
            "each element in list of batch should be of equal size, but the lengths are "
            f"{[len(sample) for sample in batch]}"
        )
    entries = [default_collate(entry) for entry in zip(*batch, strict=True)]
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*entries)
    return entries
