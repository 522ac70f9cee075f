"""The paths from a tensor to the output: how many there are, and the weightiest of them.

The derivative is a sum over paths of products of local derivatives. There may be very many paths: a
layer multiplies their number by its width. So nothing here goes through all of them. A value is
reached by as many paths as its operands together, which counts them one operation at a time; and
what is weighty from the output down to a value begins with what is weighty down to where it is
used.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .recorded import Recorded, Step, Value


@dataclass(frozen=True, slots=True)
class Edge:
    """One use of a tensor: the output of a step depends on this operand."""

    step: Step
    output: Value
    operand: Value
    name: str  # of the operation's parameter
    place: int  # of the operand among the operation's inputs


@dataclass(frozen=True, slots=True)
class Path:
    """A way from the output back to the source, and what the chain rule makes along it."""

    edges: tuple[Edge, ...]  # from the output on
    derivative: Any  # the product of the local derivatives


class Paths:
    """All paths from `source` to the one output of what was recorded."""

    def __init__(self, recorded: Recorded, source: Value) -> None:
        self.source = source
        (self.output,) = recorded.outputs
        self.edges: list[Edge] = []  # those on a path, in the order in which the operations ran
        reached = {id(source)}
        for step in recorded.steps:
            if id(source) in map(id, step.outputs):
                continue
            found = [
                Edge(step, output, operand, name, place)
                for (name, operand), place in zip(step.operands, step.places, strict=True)
                if id(operand) in reached and operand.requires_grad
                for output in step.outputs
            ]
            self.edges += found
            reached.update(id(edge.output) for edge in found)
        leading = {id(self.output)}
        for edge in reversed(self.edges):
            if id(edge.output) in leading:
                leading.add(id(edge.operand))
        self.edges = [edge for edge in self.edges if id(edge.output) in leading]

    def count(self) -> int:
        """Return how many there are."""
        counts: dict[int, int] = defaultdict(int, {id(self.source): 1})
        for edge in self.edges:
            counts[id(edge.output)] += counts[id(edge.operand)]
        return counts[id(self.output)]

    def weightiest(
        self,
        most: int,
        start: Any,
        carry: Callable[[Value, Any, list[Edge]], Iterable[Any]],
        weight: Callable[[Any], float],
    ) -> list[Path]:
        """Return the `most` paths of the greatest weight, the greatest first.

        `start` is the derivative of the output by itself; `carry` takes the derivative by a value
        on to the operands of the edges that lead to it. Of the paths down to each value only the
        `most` weightiest are followed: for products of numbers these are the right ones; for
        arrays, whose norms do not multiply, nearly always."""
        found: dict[int, list[_Part]] = {id(self.output): [_Part(start, weight(start), None)]}
        for value, edges in self.by_output():
            for part in _best(found.pop(id(value), []), most):
                for edge, derivative in zip(
                    edges, carry(value, part.derivative, edges), strict=True
                ):
                    follow = _Part(derivative, weight(derivative), (edge, part.way))
                    found.setdefault(id(edge.operand), []).append(follow)
        ways = _best(found.get(id(self.source), []), most)
        return [Path(tuple(_unrolled(part.way))[::-1], part.derivative) for part in ways]

    def by_output(self) -> Iterator[tuple[Value, list[Edge]]]:
        """Yield each value on the way with the edges that lead to it, from the output back."""
        leading: dict[int, list[Edge]] = {}
        for edge in reversed(self.edges):
            leading.setdefault(id(edge.output), []).append(edge)
        for edges in leading.values():
            yield edges[0].output, edges[::-1]


@dataclass(frozen=True, slots=True)
class _Part:
    """The end of a path: from some value on to the output."""

    derivative: Any
    weight: float
    way: Any  # its first edge and the rest, or None


def _best(parts: list[_Part], most: int) -> list[_Part]:
    return heapq.nlargest(most, parts, key=lambda part: part.weight)


def _unrolled(way: Any) -> Iterator[Edge]:
    while way is not None:
        edge, way = way
        yield edge
