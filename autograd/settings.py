"""Settings of PyTorch's machinery that scripts make at their beginning.

Most have nothing to act on here. They are accepted where ignoring them cannot make a result wrong,
remembered for whoever asks, and checked as PyTorch checks them.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any

from autograd.device import check_device, cpu

_now: dict[str, Any] = {
    "threads": os.cpu_count() or 1,
    "deterministic": False,
    "precision": "highest",
}


def get_num_threads() -> int:
    """How many threads PyTorch would use. NumPy's own number is fixed when it is loaded, by the
    variables OPENBLAS_NUM_THREADS or OMP_NUM_THREADS."""
    return _now["threads"]


def set_num_threads(threads: int) -> None:
    """Remember a number of threads: see :func:`get_num_threads`. RuntimeError unless positive."""
    if threads <= 0:
        raise RuntimeError(f"set_num_threads expects a positive integer, but got {threads}")
    _now["threads"] = threads


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Nothing to choose: the same operations on the same numbers give the same results."""
    _now["deterministic"] = bool(mode)


def are_deterministic_algorithms_enabled() -> bool:
    """What :func:`use_deterministic_algorithms` was told."""
    return _now["deterministic"]


def set_float32_matmul_precision(precision: str) -> None:
    """How roughly a GPU may multiply float32 matrices; here they are always multiplied in float32.
    Anything but 'highest', 'high' and 'medium' is ignored with a warning."""
    if precision not in ("highest", "high", "medium"):
        warnings.warn(
            f"{precision} is not one of 'highest', 'high', or 'medium'; the call has no effect",
            stacklevel=2,
        )
        return
    _now["precision"] = precision


def get_float32_matmul_precision() -> str:
    """What :func:`set_float32_matmul_precision` was told."""
    return _now["precision"]


def get_default_device() -> Any:
    """The CPU."""
    return cpu


def set_default_device(device: Any) -> None:
    """Where tensors are made from now on. RuntimeError for any device but the CPU."""
    check_device(device)


def compile(model: Callable[..., Any] | None = None, **options: Any) -> Any:
    """``model`` itself, a function or a module: there is no compiler here, and results are the same
    without. As a decorator, with or without options, it changes nothing either."""
    return (lambda function: function) if model is None else model
