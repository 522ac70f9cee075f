"""Windows: weights that fade a stretch of a signal in and out, under the names of
``torch.signal.windows``.

Each is 1 in the middle. It is symmetric over its M points, or, with ``sym=False``, periodic: as if
it had one point more, with which the next one begins. All take ``dtype`` (float32 or float64),
``layout``, ``device`` and ``requires_grad``, and raise ValueError for a negative M and for other
dtypes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from autograd.creation import creates

__all__ = [
    "bartlett", "blackman", "cosine", "exponential", "gaussian", "general_cosine",
    "general_hamming", "hamming", "hann", "kaiser", "nuttall",
]  # fmt: skip


def _places(M: int, sym: bool, dtype: np.dtype) -> tuple[np.ndarray, float]:
    """The M places, counted from 0, and where the window ends. A single one is in the middle."""
    if dtype.char not in "fd":
        raise ValueError(f"a window expects float32 or float64 dtypes, got: {dtype}")
    if M < 0:
        raise ValueError(f"a window requires non-negative window length, got M={M}")
    if M == 1:
        return np.array([0.5]), 1.0
    return np.arange(M, dtype=np.float64), M - 1 if sym else M


@creates
def general_cosine(M: int, *, a: Iterable[float], sym: bool = True, dtype: np.dtype) -> np.ndarray:
    """Σₖ (-1)ᵏ aₖ cos(2πk n/N), for n from 0 to the end N. Raises TypeError unless ``a`` is a list
    or tuple, ValueError if it is empty."""
    if not isinstance(a, (list, tuple)):
        raise TypeError(f"Coefficients must be a list/tuple, but got {type(a).__name__}")
    if not a:
        raise ValueError("Coefficients cannot be empty")
    return _cosines(M, a, sym, dtype)


def _cosines(M: int, a: Iterable[float], sym: bool, dtype: np.dtype) -> np.ndarray:
    n, end = _places(M, sym, dtype)
    y = np.zeros(len(n))
    for k, weight in enumerate(a):
        y += (-1) ** k * weight * np.cos(2 * math.pi * k * n / end)
    return y.astype(dtype)


@creates
def general_hamming(
    M: int, *, alpha: float = 0.54, sym: bool = True, dtype: np.dtype
) -> np.ndarray:
    """α - (1 - α) cos(2πn/N)"""
    return _cosines(M, (alpha, 1 - alpha), sym, dtype)


@creates
def hamming(M: int, *, sym: bool = True, dtype: np.dtype) -> np.ndarray:
    """0.54 - 0.46 cos(2πn/N)"""
    return _cosines(M, (0.54, 0.46), sym, dtype)


@creates
def hann(M: int, *, sym: bool = True, dtype: np.dtype) -> np.ndarray:
    """½ - ½ cos(2πn/N) = sin²(πn/N)"""
    return _cosines(M, (0.5, 0.5), sym, dtype)


@creates
def blackman(M: int, *, sym: bool = True, dtype: np.dtype) -> np.ndarray:
    """0.42 - 0.5 cos(2πn/N) + 0.08 cos(4πn/N)"""
    return _cosines(M, (0.42, 0.5, 0.08), sym, dtype)


@creates
def nuttall(M: int, *, sym: bool = True, dtype: np.dtype) -> np.ndarray:
    """Nuttall's sum of four cosines, with side lobes of -93 dB."""
    return _cosines(M, (0.3635819, 0.4891775, 0.1365995, 0.0106411), sym, dtype)


@creates
def bartlett(M: int, *, sym: bool = True, dtype: np.dtype) -> np.ndarray:
    """1 - |2n/N - 1|, a triangle."""
    n, end = _places(M, sym, dtype)
    return (1 - np.abs(2 * n / end - 1)).astype(dtype)


@creates
def cosine(M: int, *, sym: bool = True, dtype: np.dtype) -> np.ndarray:
    """sin(π (n + ½) / (N + 1)), half a wave."""
    n, end = _places(M, sym, dtype)
    return np.sin(math.pi * (n + 0.5) / (end + 1)).astype(dtype)


@creates
def exponential(
    M: int,
    *,
    center: float | None = None,
    tau: float = 1.0,
    sym: bool = True,
    dtype: np.dtype,
) -> np.ndarray:
    """exp(-|n - c| / τ), where the center c is N/2 unless given. Raises ValueError if τ is not
    positive, and for a center of a symmetric window."""
    if tau <= 0:
        raise ValueError(f"Tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise ValueError("Center must be None for symmetric windows: give sym=False")
    n, end = _places(M, sym, dtype)
    return np.exp(-np.abs(n - (end / 2 if center is None else center)) / tau).astype(dtype)


@creates
def gaussian(M: int, *, std: float = 1.0, sym: bool = True, dtype: np.dtype) -> np.ndarray:
    """exp(-(n - N/2)² / 2σ²). Raises ValueError if σ is not positive."""
    if std <= 0:
        raise ValueError(f"Standard deviation must be positive, got: {std} instead.")
    n, end = _places(M, sym, dtype)
    return np.exp(-0.5 * ((n - end / 2) / std) ** 2).astype(dtype)


@creates
def kaiser(M: int, *, beta: float = 12.0, sym: bool = True, dtype: np.dtype) -> np.ndarray:
    """I₀(β √(1 - (2n/N - 1)²)) / I₀(β). Raises ValueError for a negative β."""
    if beta < 0:
        raise ValueError(f"beta must be non-negative, got: {beta} instead.")
    n, end = _places(M, sym, dtype)
    arch = np.sqrt(np.maximum(1 - (2 * n / end - 1) ** 2, 0))
    return (np.i0(beta * arch) / np.i0(np.float64(beta))).astype(dtype)
