"""The numbers of an array, copied and condensed."""

from __future__ import annotations

from typing import Any

import numpy as np

from .model import Summary

FEW = 6  # elements that are told one by one


def summarize(array: Any) -> Summary:
    """Copy what a picture tells of `array`: its elements if they are few, else their statistics."""
    array = np.asarray(array)
    with np.errstate(all="ignore"):
        numbers = array.astype(np.float64, copy=False).ravel()
        norm = float(np.sqrt(numbers @ numbers))
        some = numbers if np.isfinite(norm) else numbers[np.isfinite(numbers)]
        if not np.isfinite(norm) and some.size == numbers.size:  # it was its square that was not
            norm = float(np.abs(some).max() * np.linalg.norm(some / np.abs(some).max()))
        return Summary(
            shape=array.shape,
            dtype=array.dtype.name,
            items=array.tolist() if array.size <= FEW else None,
            mean=float(some.mean()) if some.size else float("nan"),
            std=float(some.std()) if some.size else float("nan"),
            low=float(some.min()) if some.size else float("nan"),
            high=float(some.max()) if some.size else float("nan"),
            norm=norm,
            zeros=float(1 - np.count_nonzero(array) / array.size) if array.size else 0.0,
            trouble=_trouble(array, array.size - some.size),
        )


def _trouble(array: np.ndarray, count: int) -> str:
    if not count:
        return ""
    broken = array[~np.isfinite(array)].ravel()
    first = np.nan if np.isnan(broken).any() else broken[0]
    return f"{first}: {count:,} of {array.size:,} values" if array.size > 1 else str(first)
