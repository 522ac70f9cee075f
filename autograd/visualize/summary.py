"""The numbers of an array, copied and condensed."""

from __future__ import annotations

from typing import Any

import numpy as np

from .model import Summary

FEW = 6  # elements that are told one by one


def summarize(array: Any) -> Summary:
    """Copy what a picture tells of `array`: its elements if they are few, else their statistics."""
    array = np.asarray(array)
    finite = array[np.isfinite(array)] if array.dtype.kind == "f" else array
    with np.errstate(all="ignore"):
        some = finite.astype(np.float64, copy=False).ravel() if finite.size else np.zeros(0)
        return Summary(
            shape=array.shape,
            dtype=array.dtype.name,
            items=array.tolist() if array.size <= FEW else None,
            mean=float(some.mean()) if some.size else float("nan"),
            std=float(some.std()) if some.size else float("nan"),
            low=float(some.min()) if some.size else float("nan"),
            high=float(some.max()) if some.size else float("nan"),
            norm=float(np.linalg.norm(array.astype(np.float64, copy=False).ravel())),
            zeros=float((array == 0).mean()) if array.size else 0.0,
            trouble=_trouble(array, array.size - finite.size),
        )


def _trouble(array: np.ndarray, count: int) -> str:
    if not count:
        return ""
    first = array[~np.isfinite(array)].ravel()[0]
    return f"{first}: {count:,} of {array.size:,} values" if array.size > 1 else str(first)
