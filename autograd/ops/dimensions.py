"""Which dimensions an operation is about: PyTorch's ``dim`` arguments, counted from the front and
checked."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.tensor import Tensor

_ARRAYS = (Tensor, np.ndarray, np.generic)


def ndim_of(x: Any) -> int:
    """The number of dimensions of a tensor or array. TypeError for anything else."""
    if isinstance(x, _ARRAYS):
        return x.ndim
    raise TypeError(f"argument 'input' (position 1) must be Tensor, not {type(x).__name__}")


def one(dim: Any, ndim: int) -> int:
    """``dim`` counted from the front. A 0-d tensor counts as having one dimension.

    Raises IndexError outside [-ndim, ndim - 1] and TypeError for what is no integer."""
    reach = ndim or 1
    try:
        if -reach <= dim < reach:
            return int(dim) % reach if type(dim) is not int or dim < 0 else dim
    except TypeError:
        raise TypeError(f"argument 'dim' must be int, not {type(dim).__name__}") from None
    raise IndexError(
        f"Dimension out of range (expected to be in range of [{-reach}, {reach - 1}], but got "
        f"{dim})"
    )


def several(dim: Any, ndim: int) -> tuple[int, ...]:
    """Some dimensions, each counted from the front: ``dim`` may be one or a sequence.

    Raises as :func:`one`, and RuntimeError for one that comes twice."""
    if not isinstance(dim, (tuple, list)):
        return (one(dim, ndim),)
    found = tuple([one(d, ndim) for d in dim])
    if len(set(found)) < len(found):
        twice = next(d for d in found if found.count(d) > 1)
        raise RuntimeError(f"dim {twice} appears multiple times in the list of dims {list(dim)}")
    return found


def reduced(dim: Any, ndim: int) -> Any:
    """The dimensions a reduction is over, as NumPy wants them: None for all (``dim`` None or
    empty), else a number or a tuple."""
    if dim is None:
        return None
    if type(dim) is int and ndim:
        return one(dim, ndim)
    dims = several(dim, ndim)
    return dims if dims and ndim else None


def sizes(shape: Any) -> tuple[int, ...]:
    """A shape as a tuple of Python ints. TypeError for what is none."""
    try:
        return tuple([n if type(n) is int else n.__index__() for n in shape])
    except (TypeError, AttributeError):
        raise TypeError(f"a shape must be a tuple of ints, but got {shape!r}") from None


def flexible(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let the list of ints that is a function's last argument be written out: ``x.flip(0, 1)`` for
    ``x.flip((0, 1))``."""

    @functools.wraps(function)
    def call(input: Any, *given: Any, **named: Any) -> Any:
        if given and not isinstance(given[0], (tuple, list)):
            given = (given,)
        return function(input, *given, **named)

    return call


def numpy_names(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a function be called with NumPy's ``axis`` and ``keepdims`` too, as PyTorch's may."""

    @functools.wraps(function)
    def call(*args: Any, **named: Any) -> Any:
        if "axis" in named:
            named["dim"] = named.pop("axis")
        if "keepdims" in named:
            named["keepdim"] = named.pop("keepdims")
        return function(*args, **named)

    return call
