"""What things are called in a picture, and in an explanation.

A tensor has the name the user gives it there; else that of its `name` attribute; else the
one it goes by in the line that made or used it; and if none can be found, `t1`, `t2`, ... All names
are unique: the second `h` is `h_2`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from autograd.node import is_of_backward
from autograd.tensor import Tensor

from . import figures, source
from .recorded import Step, Value

_SPECIAL = {"pow": "square"}  # x ** 2 is recorded as a square


class Unique:
    """Gives out names, each once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._counts: Counter[str] = Counter()

    def claim(self, name: str) -> str:
        """Return `name`, or, if that is taken, `name_2`, `name_3`, ..."""
        chosen = name
        while chosen in self._taken:
            self._counts[name] += 1
            chosen = f"{name}_{self._counts[name] + 1}"
        self._taken.add(chosen)
        return chosen


class Names:
    """The names of the values of a picture, by id of the value."""

    def __init__(
        self, values: Iterable[Value], steps: Iterable[Step], given: Iterable[tuple[str, Value]]
    ) -> None:
        self._unique = Unique()
        self._names: dict[int, str] = {}
        self.ours: set[int] = set()  # those whose name we made up
        values, steps = list(values), list(steps)
        for name, value in given:
            self._give(value, name)
        for value in values:
            self._give(value, None if value.tensor is None else value.tensor.name)
        inner = _inner(steps)
        for step in steps:
            self._from_source(step, id(step) in inner, id(step) in inner.values())
        for step in steps:
            self._from_operation(step)
        self._make_up(values)

    def __getitem__(self, value: Value) -> str:
        return self._names[id(value)]

    def given(self, step: Step) -> dict[str, str | float]:
        """What the names in a rule of this operation stand for: names, and numbers."""
        given: dict[str, str | float] = {"y": self[step.output]}
        for operand, value in step.operands:
            given[operand] = value.array if value.is_number else self[value]
        return given

    def _give(self, value: Value, name: str | None) -> None:
        if id(value) in self._names:
            return
        if value.is_number:  # it goes by itself, however often it comes
            self._names[id(value)] = figures.literal(value.array)
        elif name := figures.clean(name or ""):
            self._names[id(value)] = self._unique.claim(name)

    def _from_source(self, step: Step, is_inner: bool, is_last: bool) -> None:
        written = source.written(*step.node._data[5:7])
        if written is None:
            return
        as_written = step.name in (written.op, _SPECIAL.get(written.op))
        if as_written:
            for place, (_, value) in zip(step.places, step.operands, strict=True):
                if value.step is None and place < len(written.operands):
                    self._give(value, written.operands[place])
        elif written.argument:
            self._into_module(step, written.argument)
        if len(written.targets) > 1 and is_of_backward(step.node):
            return  # of several gradients it is not known which this one is
        if (as_written or is_last) and not is_inner:
            for name, value in zip(written.targets, step.outputs, strict=False):
                self._give(value, name)

    def _into_module(self, step: Step, argument: str) -> None:
        """What goes into a layer, `self.conv(x)`, is the data that its operation takes."""
        data = [v for _, v in step.operands if v.step is None and not v.requires_grad]
        if len(data) == 1:
            self._give(data[0], argument)

    def _from_operation(self, step: Step) -> None:
        """What nobody named may go by what it is to the operation: `weight`, `bias`, `index`."""
        for name, value in step.operands:
            is_parameter = value.tensor is not None and type(value.tensor) is not Tensor
            is_setting = step.node._op is not None and name in step.node._op.settings
            if value.step is None and (is_parameter or is_setting):
                self._give(value, name)

    def _make_up(self, values: list[Value]) -> None:
        number = 0
        for value in values:
            if value.is_number:
                self._give(value, None)
            elif id(value) not in self._names:
                number += 1
                self._give(value, f"t{number}")
                self.ours.add(id(value))


def _inner(steps: list[Step]) -> dict[int, int]:
    """Of calls that are recorded as several operations, as a loss and its mean are: each operation
    but the last, with the last (by id). The result of the call is the result of the last."""
    inner: dict[int, int] = {}
    for step in steps:
        place = step.node._data[5:7]
        for _, value in step.operands:
            before = value.step
            if before is None or before.node._data[5:7] != place:
                continue
            if before.name != step.name or is_of_backward(step.node):  # else it is a loop
                inner[id(before)] = id(step)
    return inner
