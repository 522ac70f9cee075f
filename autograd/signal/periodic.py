"""The windows that are functions of ``torch`` itself: ``torch.hann_window`` and four more.

They are those of ``torch.signal.windows``, but periodic unless told otherwise, as spectra want
them. All raise RuntimeError for a negative length and for integer dtypes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.creation import creates
from autograd.signal import windows

__all__ = ["bartlett_window", "blackman_window", "hamming_window", "hann_window", "kaiser_window"]


def _numbers(window: Any, length: int, periodic: bool, dtype: np.dtype, **shape: Any) -> np.ndarray:
    if not isinstance(length, int):
        raise TypeError(f"window_length must be int, not {type(length).__name__}")
    if length < 0 or dtype.kind != "f":
        raise RuntimeError(
            "a window requires non-negative window_length and a floating point dtype, but got "
            f"window_length={length} and {dtype}"
        )
    return window.__wrapped__(length, sym=not periodic, dtype=np.dtype(np.float64), **shape).astype(
        dtype
    )


@creates
def bartlett_window(window_length: int, periodic: bool = True, *, dtype: np.dtype) -> np.ndarray:
    """A triangle: see :func:`autograd.signal.windows.bartlett`."""
    return _numbers(windows.bartlett, window_length, periodic, dtype)


@creates
def blackman_window(window_length: int, periodic: bool = True, *, dtype: np.dtype) -> np.ndarray:
    """Three cosines: see :func:`autograd.signal.windows.blackman`."""
    return _numbers(windows.blackman, window_length, periodic, dtype)


@creates
def hamming_window(
    window_length: int,
    periodic: bool = True,
    alpha: float = 0.54,
    beta: float = 0.46,
    *,
    dtype: np.dtype,
) -> np.ndarray:
    """α - β cos(2πn/N): see :func:`autograd.signal.windows.general_cosine`."""
    return _numbers(windows.general_cosine, window_length, periodic, dtype, a=(alpha, beta))


@creates
def hann_window(window_length: int, periodic: bool = True, *, dtype: np.dtype) -> np.ndarray:
    """A raised cosine: see :func:`autograd.signal.windows.hann`."""
    return _numbers(windows.hann, window_length, periodic, dtype)


@creates
def kaiser_window(
    window_length: int, periodic: bool = True, beta: float = 12.0, *, dtype: np.dtype
) -> np.ndarray:
    """A ratio of Bessel functions: see :func:`autograd.signal.windows.kaiser`."""
    return _numbers(windows.kaiser, window_length, periodic, dtype, beta=beta)
