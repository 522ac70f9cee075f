"""Which module an operation belongs to.

Who looked on while the network ran (`watch`) has seen it. Else the names of parameters tell:
`layers.0.weight` belongs to module `layers.0`, and so does the operation that uses it. An operation
without parameters belongs to the innermost module that it lies inside of: one with operations both
before it and after it (unless it was called more than once). So no edge leaves a frame and comes
back.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

from autograd.reading.recorded import Step, Value

from .watch import describe, seen_of

_DEEPEST = 8  # frames in frames


@dataclass(frozen=True, slots=True)
class Network:
    """What is known of the modules of a network from the network itself."""

    descriptions: Mapping[str, str] = field(default_factory=dict)  # by path
    forwards: Mapping[CodeType, set[str]] = field(default_factory=dict)  # paths, by code of forward


class Modules:
    """The modules of a graph: where each operation belongs, and what each module is."""

    def __init__(self, steps: list[Step], parameters: Mapping[int, str], network: Network) -> None:
        """`parameters` are the names of parameters, by id of the value."""
        self._parameters = parameters
        self.descriptions = dict(network.descriptions)
        watched = _watched(steps, self.descriptions)
        if watched is None:
            watched = _by_parameters(steps, parameters, network.forwards) if parameters else {}
        self._paths = watched

    def path(self, step: Step) -> str:
        """Return the path of an operation's module; "" if it belongs to none."""
        return self._paths.get(id(step), "")

    def owns(self, value: Value) -> bool:
        """Whether a tensor is a parameter of some module."""
        return id(value) in self._parameters

    def description(self, path: str) -> str:
        """Return what is known of a module: `Linear(64, 10)`, `Block`."""
        return self.descriptions.get(path, "")

    def name_of_class(self, path: str) -> str:
        """Return the name of a module's class, or "" where that is not known."""
        return self.description(path).partition("(")[0]

    @property
    def depth(self) -> int:
        """Return how many modules stand inside one another."""
        return max((len(ancestry(path)) for path in self._paths.values()), default=0)


def network_of(model: Any) -> Network:
    """Return what there is to know of the modules in `model`."""
    descriptions, forwards = {}, defaultdict(set)
    for path, module in model.named_modules():
        descriptions[path] = describe(module)
        if code := getattr(type(module).forward, "__code__", None):
            forwards[code].add(path)
    return Network(descriptions, forwards)


def _watched(steps: list[Step], descriptions: dict[str, str]) -> dict[int, str] | None:
    """Return the paths of modules that were seen at work, or None if nobody looked on."""
    paths = {}
    for step in steps:
        seen = seen_of(step.node)
        if seen is not None:
            path = [part for part, _ in seen.modules]
            paths[id(step)] = path[-1] if path else ""
            for part, description in seen.modules:
                descriptions.setdefault(part, description)
    return paths if any(paths.values()) else None


def _by_parameters(
    steps: list[Step], parameters: Mapping[int, str], forwards: Mapping[CodeType, set[str]]
) -> dict[int, str]:
    own: dict[int, list[str]] = {}  # its module, and all those around that, innermost last
    latest: dict[str, int] = {}  # how far the forward of a module has come, by path
    learning = set()  # operations that have parameters: there is no doubt of their module
    again = _called_again(steps, parameters)
    for step in steps:
        names = [parameters[id(v)] for _, v in step.operands if id(v) in parameters]
        if names:
            learning.add(id(step))
            own[id(step)] = ancestry(names[0].rpartition(".")[0])
        else:
            own[id(step)] = _by_forward(step, own, latest, forwards)

    before: dict[int, frozenset[str]] = {}  # modules with operations that lead to this one, or here
    after: dict[int, frozenset[str]] = defaultdict(frozenset)
    for step in steps:
        reached = [before[id(v.step)] for _, v in step.operands if id(v.step) in before]
        before[id(step)] = _union([frozenset(own[id(step)]), *reached])
    for step in reversed(steps):
        after[id(step)] = _union([after[id(step)], frozenset(own[id(step)])])
        for _, value in step.operands:
            after[id(value.step)] = _union([after[id(value.step)], after[id(step)]])

    paths = {}
    for step in steps:
        around = own[id(step)][-1:]
        if id(step) not in learning:
            inside = around[0] + "." if around else ""
            both = [
                path
                for path in (before[id(step)] & after[id(step)]) - again
                if path.startswith(inside)
            ]
            around = sorted([*around, *both], key=lambda path: (path.count("."), path))
        paths[id(step)] = around[-1] if around else ""
    return paths


def _called_again(steps: list[Step], parameters: Mapping[int, str]) -> set[str]:
    """Return the modules of which every parameter is used more than once, as in a recurrent
    network. What lies between two calls does not lie inside."""
    uses = Counter(id(v) for step in steps for _, v in step.operands if id(v) in parameters)
    once: set[str] = set()
    several: set[str] = set()
    for parameter, count in uses.items():
        paths = ancestry(parameters[parameter].rpartition(".")[0])
        (once if count == 1 else several).update(paths)
    return several - once


def _by_forward(
    step: Step,
    own: Mapping[int, list[str]],
    latest: dict[str, int],
    forwards: Mapping[CodeType, set[str]],
) -> list[str]:
    """Return the module whose `forward` the operation stands in, and those around that. Of several
    modules with this `forward` it is the one that an operand comes from, if its `forward` has not
    come further already; else it is not known."""
    code, lasti = step.node._data[5:7]
    for _, value in step.operands if code in forwards else ():
        for path in reversed(own.get(id(value.step), [])):
            if path in forwards[code] and latest.get(path, -1) < lasti:
                latest[path] = lasti
                return ancestry(path)
    return []


def _union(sets: list[frozenset[str]]) -> frozenset[str]:
    """Return the union; one of the sets themselves where it holds all, so that chains share it."""
    largest = max(sets, key=len)
    return largest if all(each <= largest for each in sets) else largest.union(*sets)


def ancestry(path: str) -> list[str]:
    """Return the modules around and at a path: `layers`, `layers.0`."""
    parts = [part for part in path.split(".") if part][:_DEEPEST]
    return [".".join(parts[: depth + 1]) for depth in range(len(parts))]


def common(paths: Iterable[str]) -> str:
    """Return the innermost module that holds all of `paths`."""
    shared = set.intersection(*({"", *ancestry(path)} for path in paths))
    return max(shared, key=len)
