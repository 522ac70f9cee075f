"""What is drawn as one: an operation, or many that were put into one card.

Operations may be put into one card only if no path leaves the card and comes back; else the picture
would have a circle, and no order to read it in. A module that is called twice becomes two cards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from autograd.reading.recorded import Step, Value

Stands = Mapping[int, Value]  # by id of a value: another that is drawn in its place


@dataclass(eq=False, slots=True)
class Item:
    """One or several operations that are drawn as one."""

    steps: list[Step]
    label: str = ""  # "" for an operation by itself; else what the card is called
    about: str = ""
    path: str = ""  # of the module that it lies in
    key: str = ""  # what it is of its kind: the path of the module that it is
    operands: list[tuple[str, Value]] = field(default_factory=list)
    outputs: list[Value] = field(default_factory=list)

    @property
    def is_group(self) -> bool:
        """Whether it is a card for many operations (or for one, by the name of its module)."""
        return bool(self.label)


@dataclass(frozen=True, slots=True)
class Kind:
    """Which card an operation goes into: those of one kind go into one, as far as they can."""

    key: str
    label: str
    about: str = ""
    path: str = ""


def items_of(
    steps: Iterable[Step],
    kind_of: Callable[[Step], Kind | None],
    path_of: Callable[[Step], str],
    stands: Stands,
    wanted: Iterable[Value],
    is_parameter: Callable[[Value], bool],
) -> list[Item]:
    """Return the items of `steps`, each after those it takes from.

    `kind_of` says which card an operation goes into, None for one by itself; `stands` what is drawn
    in place of a value; `wanted` are the outputs of the whole, which stay to be seen.
    """
    makers = _assigned(list(steps), kind_of, path_of, stands)
    items = list(dict.fromkeys(makers.values()))
    used_outside = {id(value) for value in wanted}
    for item in items:
        seen: set[int] = set()
        for step in item.steps:
            for name, original in step.operands:
                value = stands.get(id(original), original)
                if value.step is not None and makers.get(id(value.step)) is item:
                    continue
                used_outside.add(id(value))
                if item.is_group and kept_inside(value, step, is_parameter):
                    continue
                if id(value) in seen and (item.is_group or value is not original):
                    continue  # one line is enough, but where an operation does take a thing twice
                seen.add(id(value))
                item.operands.append((name, value))
    for item in items:
        everything = [output for step in item.steps for output in step.outputs]
        item.outputs = [v for v in everything if id(v) in used_outside or not item.is_group]
    return _in_order(items, makers)


def kept_inside(value: Value, step: Step, is_parameter: Callable[[Value], bool]) -> bool:
    """Whether a card for many operations keeps this operand to itself: a number, a parameter, or
    data that only joins what comes from another operation, as a mask does."""
    if value.step is not None:
        return False
    joins = any(other.step is not None for _, other in step.operands)
    return value.is_number or is_parameter(value) or (joins and not value.requires_grad)


def _assigned(
    steps: list[Step],
    kind_of: Callable[[Step], Kind | None],
    path_of: Callable[[Step], str],
    stands: Stands,
) -> dict[int, Item]:
    """Return the item of each step, by id of the step."""
    makers: dict[int, Item] = {}
    parents: dict[Item, dict[Item, None]] = {}
    first: dict[Item, int] = {}  # the number of an item's first step, and of its last
    last: dict[Item, int] = {}
    latest: dict[Kind, Item] = {}

    def leads_to(target: Item, sources: Iterable[Item]) -> bool:
        """Whether `target` is among the ancestors of `sources`, other than itself."""
        stack = [source for source in sources if source is not target]
        seen = set(stack)
        while stack:
            for parent in parents[stack.pop()]:
                if parent is target:
                    return True
                if parent not in seen and last[parent] > first[target]:
                    seen.add(parent)
                    stack.append(parent)
        return False

    for number, step in enumerate(steps):
        operands = (stands.get(id(value), value) for _, value in step.operands)
        sources = [
            makers[id(value.step)] for value in operands if value.step and id(value.step) in makers
        ]
        kind = kind_of(step)
        item = latest.get(kind) if kind is not None else None
        if item is None or leads_to(item, sources):
            if kind is None:
                item = Item([], path=path_of(step))
            else:
                item = latest[kind] = Item([], kind.label, kind.about, kind.path, kind.key)
            parents[item], first[item] = {}, number
        last[item] = number
        item.steps.append(step)
        makers[id(step)] = item
        parents[item] |= {source: None for source in sources if source is not item}
    return makers


def _in_order(items: list[Item], makers: Mapping[int, Item]) -> list[Item]:
    """Return the items so that each stands behind those it takes from."""
    order: list[Item] = []
    seen: set[Item] = set()
    stack = [(item, False) for item in reversed(items)]
    while stack:
        item, operands_done = stack.pop()
        if operands_done:
            order.append(item)
        elif item not in seen:
            seen.add(item)
            stack.append((item, True))
            for _, value in reversed(item.operands):
                if value.step is not None and id(value.step) in makers:
                    stack.append((makers[id(value.step)], False))
    return order
