"""What made a nan: the numbers it was made of, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any

import numpy as np

from autograd.node import Node, name_of
from autograd.rules import Op
from autograd.saved import unpack
from autograd.tensor import Tensor

from . import figures, formula, source

Place = tuple[CodeType, int]  # where the user wrote something


@dataclass(frozen=True, slots=True)
class Birth:
    """A nan or an infinity that an operation made of better numbers."""

    op: str
    place: Place
    told: str  # "y[1] is nan, made of x[1] = -1"
    is_nan: bool

    def __str__(self) -> str:
        return f"It was born in {self.op}: {self.told}.\n{source.underlined(*self.place)}"


def birth(op: Op, inputs: Sequence[Any], y: Any, place: Place) -> Birth | None:
    """The first nan that ``op`` made of numbers, or the first infinity that it made of finite
    ones."""
    for part in y if type(y) is tuple else (y,):
        array = as_floats(part)
        if array is None or np.isfinite(array).all():
            continue
        given = [as_floats(value) for value in inputs]
        is_nan = bool(np.isnan(array).any())
        bad = np.isnan if is_nan else _is_not_finite
        if any(known is not None and bad(known).any() for known in given):
            return None
        index = _first(bad(array))
        names = [*op.inputs, *op.settings] if not op.variadic else [op.inputs[0]] * len(inputs)
        made_of = _told(zip(names, inputs, strict=False), index, array.shape, _is_pointwise(op))
        told = f"y{_subscript(index)} is {array[index]}, made of {made_of or 'nothing'}"
        return Birth(op.name, place, told, is_nan)
    return None


def message(
    node: Node,
    dy: Any,
    i: int,
    gradient: np.ndarray,
    births: Mapping[Node, Birth],
    choice: Place | None,
    inside: Birth | None,
) -> str:
    """What there is to say of the nan in gradient number ``i``, which ``node`` made of ``dy``.

    ``births`` are those of the forward pass; ``choice`` is the where() that ``dy`` came through;
    ``inside`` is what was born in the backward of a Function."""
    op = node._op
    index = _first(np.isnan(gradient))
    told = [f"Function '{name_of(node)}' returned nan values in its {i}th output."]
    told.append(source.underlined(*node._data[5:7]))
    if op is None:
        parts = [("dy", part) for part in (dy if type(dy) is tuple else (dy,))]
        made_of = _told(parts, index, gradient.shape, False)
        told.append(f"It was made of {made_of}." + (f" {inside}" if inside else ""))
        return "\n".join(told)
    rule = op.rule_of(i)
    kept = node._kept[i] if op.rules else None
    needs = [unpack(k) for k in ((kept,) if len(rule.needs) == 1 else kept or ())]
    known = [("dy", dy), *zip(rule.needs, needs, strict=True)]
    made_of = _told(known, index, gradient.shape, _is_pointwise(op))
    written = formula.as_written(rule.written)
    by = f" by the rule d{rule.input} = {written}" if written else ""
    told.append(f"d{rule.input}{_subscript(index)} is nan: it was made of {made_of}{by}.")
    if any(map(has_nan, dy if type(dy) is tuple else (dy,))):
        told.append(_ARRIVED)
    elif any(map(has_nan, needs)):
        told.append(f"The nan is older than backward. {_first_birth(node, births) or _OUTSIDE}")
    elif _is_zero(dy, index, gradient.shape, _is_pointwise(op)):
        told.append(_zero_times_infinity(op, choice))
    elif older := _first_birth(node, births):
        told.append(f"Something was amiss in the forward pass before. {older}")
    return "\n".join(told)


_ARRIVED = (
    "The gradient that arrived was nan already: backward was given a nan to start from, or the\n"
    "infinite gradients of several uses cancelled."
)
_OUTSIDE = (
    "It came with the data, or from a forward\npass outside anomaly mode; run that inside, too, to "
    "see where it was born."
)


def _zero_times_infinity(op: Op, choice: Place | None) -> str:
    told = (
        f"The gradient that arrived is 0 there, but the derivative of {op.name} is infinite or\n"
        "nan, and 0 times that is nan. "
    )
    if choice is None:
        return f"{told}Keep the input of {op.name} away from where it has no derivative."
    return (
        f"{told}That is the trap of where(condition, f(x), other): the\n"
        "branch not taken is differentiated, too, with a gradient of 0.\n"
        f"{source.underlined(*choice)}\n"
        "Keep f away from where it has no derivative:\n"
        "where(condition, f(where(condition, x, 1)), other)."
    )


def _first_birth(node: Node, births: Mapping[Node, Birth]) -> Birth | None:
    """Where among all that led to ``node`` a nan was born, or else an infinity: the earliest."""
    found: list[Birth] = []
    seen: set[Node] = set()
    stack: list[Node | None] = [node]
    while stack:
        before = stack.pop()
        if before is not None and before not in seen:
            seen.add(before)
            stack.extend(before._inputs)
            if before in births:
                found.append(births[before])
    return next((birth for birth in found[::-1] if birth.is_nan), found[-1] if found else None)


def _told(known: Any, index: Any, shape: Any, pointwise: bool) -> str:
    """The numbers at ``index`` of what an elementwise operation used; of what another used, where
    they lie: ``dy[1] = 0, y[1] = 0``."""
    told = []
    for name, value in known:
        array = as_floats(value)
        if pointwise and type(value) is int:
            told.append(f"{name} = {value}")
        elif array is None:
            continue
        elif not array.ndim:
            told.append(f"{name} = {array:.6g}")
        elif pointwise and _broadcasts(array, shape):
            told.append(f"{name}{_subscript(index)} = {np.broadcast_to(array, shape)[index]:.6g}")
        elif has_nan(array):
            told.append(f"{name} {array.shape} with nan at {_subscript(_first(np.isnan(array)))}")
        elif array.size:
            low, high = array.min(), array.max()
            told.append(f"{name} {figures.shape(array.shape)} from {low:.6g} to {high:.6g}")
    return ", ".join(told)


def _is_zero(dy: Any, index: Any, shape: Any, pointwise: bool) -> bool:
    dy = as_floats(dy)
    if dy is None:
        return False
    if pointwise and _broadcasts(dy, shape):
        return not np.broadcast_to(dy, shape)[index]
    return not dy.any()


def _is_pointwise(op: Any) -> bool:
    return op.kind in ("elementwise", "bilinear")


def _broadcasts(array: np.ndarray, shape: Any) -> bool:
    try:
        return np.broadcast_shapes(array.shape, shape) == tuple(shape)
    except ValueError:
        return False


def as_floats(value: Any) -> Any:
    """The numbers of something as an array, if they are floats; else None."""
    if isinstance(value, Tensor):
        value = value._array
    if isinstance(value, (np.ndarray, np.generic, float)):
        array = np.asarray(value)
        return array if array.dtype.kind == "f" else None
    return None


def has_nan(value: Any) -> bool:
    """Whether there is a nan among the numbers of something."""
    array = as_floats(value)
    return array is not None and bool(np.isnan(array).any())


def _is_not_finite(array: np.ndarray) -> Any:
    return ~np.isfinite(array)


def _first(bad: Any) -> tuple[int, ...]:
    return tuple(int(i) for i in np.argwhere(bad)[0])


def _subscript(index: tuple[int, ...]) -> str:
    return str(list(index)) if index else ""
