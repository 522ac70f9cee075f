"""Forward-mode differentiation, as ``torch.autograd.forward_ad`` has it: dual tensors.

A dual number x + t eps, with eps**2 = 0, carries a derivative along: f(x + t eps) = f(x) + f'(x) t
eps. Here a dual tensor is an alias of x, recorded, whose mark in the graph remembers the tangent t.
Computing with it costs nothing extra, for the graph is recorded as ever; the tangent of a result is
found when it is asked for, by walking the graph between the marks and the result (tangents.py).

>>> with fwAD.dual_level():
...     y = f(fwAD.make_dual(x, t))
...     y, jvp = fwAD.unpack_dual(y)                      # jvp = J t

As in PyTorch, ``no_grad()`` concerns gradients and not tangents. Unlike there, dual tensors and
what is computed from them have ``requires_grad=True``: they are in the graph.
"""

from __future__ import annotations

from typing import NamedTuple
from weakref import WeakKeyDictionary

from autograd.levels import leave
from autograd.tangents import ForwardLevel, check_fits, push
from autograd.tensor import Tensor

__all__ = [
    "UnpackedDualTensor",
    "dual_level",
    "enter_dual_level",
    "exit_dual_level",
    "make_dual",
    "unpack_dual",
]


class UnpackedDualTensor(NamedTuple):
    """What :func:`unpack_dual` returns: the primal, and the tangent or None."""

    primal: Tensor
    tangent: Tensor | None


class _DualLevel(ForwardLevel):
    """The level that dual tensors belong to."""

    def __init__(self) -> None:
        super().__init__()
        self.known = WeakKeyDictionary()  # a tangent lives no longer than the dual tensor

    def tangent_of(self, t: Tensor) -> Tensor | None:
        (tangent,) = push([t], self.known, recorded=True)
        return leave(tangent, self, recorded=True)


_levels: list[_DualLevel] = []  # one at most
_current_level = -1  # its number


def enter_dual_level() -> int:
    """Begin a level in which dual tensors can be made; returns its number, which is 0.

    RuntimeError if one has begun already (``autograd.func.jvp`` can be nested)."""
    if _levels:
        raise RuntimeError(
            "Nested forward mode AD is not supported at the moment. Nest autograd.func.jvp instead."
        )
    level = _DualLevel()
    _levels.append(level)
    level.__enter__()
    return _count()


def exit_dual_level(*, level: int | None = None) -> None:
    """End the level: all its tangents are gone. RuntimeError if ``level`` is not the present
    one."""
    if level not in (None, len(_levels) - 1) or not _levels:
        raise RuntimeError(
            "Trying to exit a forward AD level that was not the last one that was created. This is "
            "not supported."
        )
    _levels.pop().__exit__()
    _count()


def _count() -> int:
    """The number of the present level, -1 if there is none."""
    global _current_level
    _current_level = len(_levels) - 1
    return _current_level


class dual_level:
    """A level for the length of a ``with`` block: see :func:`enter_dual_level`."""

    def __enter__(self) -> int:
        return enter_dual_level()

    def __exit__(self, *exception: object) -> None:
        exit_dual_level()


def make_dual(tensor: Tensor, tangent: Tensor, *, level: int | None = None) -> Tensor:
    """An alias of ``tensor`` that carries ``tangent``, of the same shape.

    Gradients pass through it to ``tensor``, and what is computed with the tangent can be
    differentiated by ``tangent``. RuntimeError outside a level, for another shape, and where one of
    the two is dual already; ValueError for integers."""
    if not _levels:
        raise RuntimeError(
            "Trying to create a dual Tensor for forward AD but no level exists, make sure to "
            "enter_dual_level() first."
        )
    check_fits(tensor, tangent)
    level_ = _levels[-1]
    for what, t in (("based on a Tensor", tensor), ("with a tangent", tangent)):
        if level_.depends(t):
            raise RuntimeError(
                f"Making a dual Tensor {what} that already has a forward gradient at the same "
                "level 0 is not supported."
            )
    return level_.enter(tensor, tangent)


def unpack_dual(tensor: Tensor, *, level: int | None = None) -> UnpackedDualTensor:
    """The primal and the tangent of ``tensor``; the tangent is None if it depends on no dual tensor
    of this level, or outside any.

    Both can be differentiated by what the primal and the tangents that were given came from.
    RuntimeError if something that the graph kept was overwritten."""
    if not isinstance(tensor, Tensor):
        raise TypeError(f"unpack_dual takes a Tensor, but got {type(tensor).__name__}")
    if not _levels:
        return UnpackedDualTensor(tensor, None)
    level_ = _levels[-1]
    tangent = level_.tangent_of(tensor)
    if tangent is None:
        return UnpackedDualTensor(tensor, None)
    primal = leave(tensor, level_)
    if primal.requires_grad:
        primal = level_.enter(primal, None)
    return UnpackedDualTensor(primal, tangent)
