"""Chains of small operations: what only hands a tensor on becomes one card, `mul → tanh → sum`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from autograd.reading.recorded import Step, Value

from .item import Item, Kind

SHORTEST = 3


def chains(
    items: list[Item], outputs: Iterable[Value], is_parameter: Callable[[Value], bool]
) -> dict[int, Kind]:
    """Return the card of each operation that is part of a chain, by id of the step.

    `items` are operations by themselves. In a chain each but the first takes nothing that an
    operation made but what the one before gives, and is the only one to take it; none has
    parameters, and all are of one module.
    """
    uses = Counter(id(value) for item in items for _, value in item.operands)
    wanted = {id(output) for output in outputs}
    ending: dict[int, list[Item]] = {}  # the chain that ends with a step, by id of the step
    for item in items:
        (step,) = item.steps
        if len(step.outputs) > 1 or any(is_parameter(value) for _, value in item.operands):
            continue
        taken = [value for _, value in item.operands if value.step is not None]
        chain: list[Item] = []
        if len(taken) == 1 and uses[id(taken[0])] == 1 and id(taken[0]) not in wanted:
            before = ending.get(id(taken[0].step), [])
            if before and before[0].path == item.path:
                chain = ending.pop(id(taken[0].step))
        ending[id(step)] = [*chain, item]

    cards: dict[int, Kind] = {}
    for number, chain in enumerate(ending.values()):
        if len(chain) >= SHORTEST:
            kind = Kind(str(number), _title(chain), path=chain[0].path)
            cards |= {id(item.steps[0]): kind for item in chain}
    return cards


def _title(chain: list[Item]) -> str:
    steps: list[Step] = [item.steps[0] for item in chain[:4]]
    return " → ".join(step.name for step in steps) + " → …" * (len(chain) > 4)
