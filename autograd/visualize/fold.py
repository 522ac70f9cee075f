"""Repeats, drawn once: `Block × 12` for twelve equal blocks, `× 300` for the steps of a recurrence.

A run is a row of equal parts, each of which goes on from the one before. The first part is drawn,
and stands for all: who takes from the last is drawn as taking from the first.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from autograd.reading.recorded import Step, Value

from .modules import Modules, ancestry, common

FEWEST = 3  # parts that make a run; of modules, which are larger, 2
LONGEST = 200  # operations in a part that is no module


@dataclass(frozen=True, slots=True)
class Run:
    """Equal parts, one after the other."""

    parts: list[list[Step]]
    path: str  # of the frame around the part that is drawn
    label: str
    about: str


class Folded:
    """The operations that are left when repeats are drawn once."""

    def __init__(self, steps: list[Step], modules: Modules, outputs: Iterable[Value] = ()) -> None:
        """`outputs` are those of the whole: they are drawn as they are."""
        self.steps = steps
        self.ends = {id(output.step) for output in outputs}
        self.stands: dict[int, Value] = {}  # by id of a value: what is drawn in its place
        self.stood_for: list[Value] = []
        self.runs: list[Run] = []
        self.paths = {id(step): modules.path(step) for step in steps}
        for run in _of_modules(self.steps, modules, self.ends):
            self._fold(run)
        while (found := self._next_of_steps()) is not None:
            for step in found.parts[0]:
                inner = self.paths[id(step)].removeprefix(found.path.rpartition(".")[0])
                self.paths[id(step)] = f"{found.path}.{inner.lstrip('.')}".rstrip(".")
            self._fold(found)

    def _fold(self, run: Run) -> None:
        self.runs.append(run)
        first = run.parts[0]
        for part in run.parts[1:]:
            for step, drawn in zip(part, first, strict=True):
                for output, instead in zip(step.outputs, drawn.outputs, strict=True):
                    self.stands[id(output)] = instead
                    self.stood_for.append(output)
        gone = {id(step) for part in run.parts[1:] for step in part}
        self.steps = [step for step in self.steps if id(step) not in gone]

    def _next_of_steps(self) -> Run | None:
        row = Row(self.steps, self)
        return row.run(self.paths, len(self.runs))

    def shown_for(self, value: Value) -> Value:
        """Return what is drawn in place of a value: mostly itself."""
        while id(value) in self.stands:
            value = self.stands[id(value)]
        return value


# -- runs of modules -------------------------------------------------------------------------------


def _of_modules(steps: list[Step], modules: Modules, ends: set[int]) -> Iterator[Run]:
    """Yield the runs of equal modules side by side, the outer ones first."""
    members: dict[str, list[Step]] = {}
    for step in steps:
        for path in ancestry(modules.path(step)):
            members.setdefault(path, []).append(step)
    siblings: dict[str, list[str]] = {}
    for path in members:
        siblings.setdefault(path.rpartition(".")[0], []).append(path)
    gone: set[str] = set()
    for parent in sorted(siblings, key=lambda path: path.count(".") if path else -1):
        if gone.intersection(ancestry(parent)):
            continue
        row: list[str] = []
        for path in [*siblings[parent], ""]:
            is_end = any(id(step) in ends for step in members.get(path, ()))
            if row and path and not is_end and _goes_on(members, row, path, modules):
                row.append(path)
                continue
            if len(row) > 1 and len(members[row[0]]) > 1:
                gone.update(row[1:])
                yield _run(members, row, modules)
            row = [path]


def _goes_on(members: dict[str, list[Step]], row: list[str], path: str, modules: Modules) -> bool:
    """Whether a module is equal to those in `row`, and takes only from the last of them, or what
    the first took too."""
    first, before, this = members[row[0]], members[row[-1]], members[path]
    if _shape_of(first, modules) != _shape_of(this, modules):
        return False
    produced = {id(output) for step in before for output in step.outputs}
    known = {id(value) for value in _taken(first)}
    taken = {id(value) for value in _taken(this)}
    return bool(taken & produced) and taken <= produced | known


def _taken(part: list[Step]) -> list[Value]:
    """Return what a part takes from operations outside."""
    inside = {id(step) for step in part}
    operands = (value for step in part for _, value in step.operands)
    return [v for v in operands if v.step is not None and id(v.step) not in inside]


def _shape_of(part: list[Step], modules: Modules) -> Hashable:
    """Return what two equal parts have in common: the operations, and how they hang together. What
    comes from outside may be a leaf for the one, and what an operation made for the other."""
    number = {id(step): i for i, step in enumerate(part)}

    def place(value: Value) -> Hashable:
        from_outside = value.step is None and not value.is_number and not modules.owns(value)
        return "outside" if from_outside else _place(value, number.get(id(value.step)))

    return tuple((_kind(step), *(place(value) for _, value in step.operands)) for step in part)


def _run(members: dict[str, list[Step]], row: list[str], modules: Modules) -> Run:
    about = f"{row[0]} to {row[-1]}"
    label = f"{modules.name_of_class(row[0]) or row[0]} × {len(row)}"
    return Run([members[path] for path in row], row[0], label, about)


# -- runs of operations ----------------------------------------------------------------------------


class Row:
    """The operations in the order they ran, to look for repeats in."""

    def __init__(self, steps: list[Step], folded: Folded) -> None:
        self.steps = steps
        self.number = {id(step): i for i, step in enumerate(steps)}
        self.operands = [[folded.shown_for(v) for _, v in step.operands] for step in steps]
        kinds: dict[Hashable, int] = {}
        self.kinds = [  # equal numbers for equal operations in equal places
            -i - 1
            if id(step) in folded.ends
            else kinds.setdefault((_kind(step), self._places(i)), len(kinds))
            for i, step in enumerate(steps)
        ]

    def _places(self, user: int) -> Hashable:
        places = []
        for value in self.operands[user]:
            made_by = self._made_by(value)
            places.append(_place(value, None if made_by is None else user - made_by))
        return tuple(places)

    def _made_by(self, value: Value) -> int | None:
        return self.number.get(id(value.step))

    def run(self, paths: dict[int, str], count: int) -> Run | None:
        """Return the run that saves most, if there is any."""
        best = (0, 0, 0)  # saved operations, start, length of a part
        for length in range(1, min(LONGEST, len(self.kinds) // FEWEST) + 1):
            for start, end in self._stretches(length):
                if end - start - length <= best[0]:
                    continue
                start = self._best_start(start, end, length)
                saved = (end - start) // length * length - length
                if saved > best[0] and self._is_chain(start, length):
                    best = saved, start, length
        saved, start, length = best
        if not saved:
            return None
        times = saved // length + 1
        parts = [self.steps[start + i * length : start + (i + 1) * length] for i in range(times)]
        around = common(paths[id(step)] for step in parts[0])
        path = f"{around}.*{count}".lstrip(".")
        names = " → ".join(step.name for step in parts[0][:6]) + " → …" * (length > 6)
        return Run(parts, path, f"× {times:,}", names)

    def _stretches(self, length: int) -> Iterator[tuple[int, int]]:
        """Yield the stretches [start, end) that repeat themselves after `length`, often enough."""
        kinds = np.array(self.kinds)
        differs = np.flatnonzero(kinds[:-length] != kinds[length:])
        edges = [-1, *differs.tolist(), len(kinds) - length]
        for before, after in itertools.pairwise(edges):
            start, end = before + 1, after + length
            if end - start >= FEWEST * length:
                yield start, end

    def _best_start(self, start: int, end: int, length: int) -> int:
        """Return where parts are best begun: where the fewest values pass from one to the next,
        and what stands first in the program comes first."""

        def passing(first: int) -> int:
            boundary = first + length
            users = range(boundary, min(boundary + length, len(self.steps)))
            taken = (value for user in users for value in self.operands[user])
            return len({id(v) for v in taken if self.number.get(id(v.step), boundary) < boundary})

        spare = min(length - 1, end - start - FEWEST * length)
        starts = range(start, start + spare + 1)
        return min(starts, key=lambda first: (passing(first), self.steps[first].node._data[6]))

    def _is_chain(self, start: int, length: int) -> bool:
        """Whether the second part goes on from the first, and takes from no other operation."""
        users = range(start + length, start + 2 * length)
        made_by = [self._made_by(v) for i in users for v in self.operands[i] if v.step is not None]
        before = [maker for maker in made_by if maker is None or maker < start + length]
        return bool(before) and all(maker is not None and maker >= start for maker in before)


def _kind(step: Step) -> Hashable:
    return step.name, tuple(output.shape for output in step.outputs)


def _place(value: Value, made_by: int | None) -> Hashable:
    """Return what an operand is: a leaf of some shape, a number, or what some operation made, given
    by its number in the part or its distance."""
    if value.is_number:
        return value.array
    if value.step is None:
        return value.requires_grad, value.shape
    return "outside" if made_by is None else made_by
