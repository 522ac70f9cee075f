"""The numbers of a view, in memory of their own.

For each operation that returns a view there is one that returns a copy instead: ``view_copy`` for
``view``, ``select_copy`` for ``select``. Programs that are translated, and must not share memory,
are written in these.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from autograd.dtypes import dtype
from autograd.ops.broadcasting import expand
from autograd.ops.conversion import clone
from autograd.ops.dimensions import ndim_of, one
from autograd.ops.joining import split, split_with_sizes, unbind
from autograd.ops.parts import _slice, diagonal, narrow, select, unfold
from autograd.ops.shape import permute, reshape, squeeze, t, transpose, unsqueeze, view
from autograd.ops.strided import as_strided

VIEWS = (
    as_strided, diagonal, expand, narrow, permute, select, split, split_with_sizes, squeeze, t,
    transpose, unbind, unfold, unsqueeze,
)  # fmt: skip

__all__ = [*[f"{function.__name__}_copy" for function in VIEWS], "slice_copy", "view_copy"]


def copying(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function``, which returns a view or several, made to return copies."""

    @functools.wraps(function)
    def call(*args: Any, **settings: Any) -> Any:
        seen = function(*args, **settings)
        return tuple(map(clone, seen)) if isinstance(seen, tuple) else clone(seen)

    call.__name__ = call.__qualname__ = f"{function.__name__}_copy"
    call.__doc__ = f"As :func:`{function.__name__}`, but a copy."
    return call


globals().update({f"{function.__name__}_copy": copying(function) for function in VIEWS})


def view_copy(input: Any, size: Any) -> Any:
    """The elements of ``input`` in another shape (or its bytes read as another dtype), copied."""
    return clone(view(input, size) if isinstance(size, dtype) else reshape(input, size))


def slice_copy(
    input: Any, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Any:
    """A copy of the elements ``start:end:step`` along ``dim``."""
    key = (*(slice(None),) * one(dim, ndim_of(input)), slice(start, end, step))
    return clone(_slice(input, key))
