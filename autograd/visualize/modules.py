"""Which module an operation belongs to, as the names of parameters tell.

`layers.0.weight` belongs to module `layers.0`, and so does the operation that uses it. An operation
without parameters belongs to the innermost module that it lies inside of: one with operations both
before it and after it. So no edge leaves a frame and comes back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from autograd.reading.recorded import Step

from .model import Module

_DEEPEST = 8  # frames in frames


def module_paths(steps: list[Step], parameters: Mapping[int, str]) -> dict[int, str]:
    """Return the path of each operation's module, by id; `parameters` are the names, by id."""
    own: dict[int, list[str]] = {}  # its module, and all those around that, innermost last
    for step in steps:
        names = [parameters[id(v)] for _, v in step.operands if id(v) in parameters]
        own[id(step)] = _ancestry(names[0].rpartition(".")[0]) if names else []

    before: dict[
        int, set[str]
    ] = {}  # modules with operations that lead to this one, or with itself
    after: dict[int, set[str]] = defaultdict(set)
    for step in steps:
        reached = [before[id(v.step)] for _, v in step.operands if id(v.step) in before]
        before[id(step)] = set(own[id(step)]).union(*reached)
    for step in reversed(steps):
        after[id(step)] |= set(own[id(step)])
        for _, value in step.operands:
            after[id(value.step)] |= after[id(step)]

    paths = {}
    for step in steps:
        around = own[id(step)] or sorted(before[id(step)] & after[id(step)], key=_depth)
        paths[id(step)] = around[-1] if around else ""
    return paths


def _ancestry(path: str) -> list[str]:
    """Return the modules around and at a path: `layers`, `layers.0`."""
    parts = [part for part in path.split(".") if part][:_DEEPEST]
    return [".".join(parts[: depth + 1]) for depth in range(len(parts))]


def _depth(path: str) -> tuple[int, str]:
    return path.count("."), path


def frames(paths: Iterable[str]) -> list[Module]:
    """Return the modules of these paths and those around them, outer ones first."""
    found = dict.fromkeys(module for path in paths for module in _ancestry(path))
    return [Module(path) for path in found]
