"""Which module an operation belongs to, as the names of parameters tell.

`layers.0.weight` belongs to module `layers.0`, and so does the operation that uses it. An operation
without parameters belongs to the innermost module that holds those before and after it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from .model import Module
from .recorded import Step

_DEEPEST = 8  # frames in frames

Path = tuple[str, ...]


def module_paths(steps: list[Step], parameters: Mapping[int, str]) -> dict[int, str]:
    """Return the path of each operation's module, by id; `parameters` are the names, by id."""
    own: dict[int, Path] = {}
    for step in steps:
        names = [parameters[id(v)] for _, v in step.operands if id(v) in parameters]
        if names:
            own[id(step)] = tuple(names[0].split(".")[:-1][:_DEEPEST])

    before: dict[int, list[Step]] = {}
    after: dict[int, list[Step]] = defaultdict(list)
    drawn = {id(step) for step in steps}
    for step in steps:
        sources = [v.step for _, v in step.operands if v.step is not None and id(v.step) in drawn]
        before[id(step)] = sources
        for source in sources:
            after[id(source)].append(step)

    down: dict[int, Path] = dict(own)
    for step in steps:
        down.setdefault(id(step), _shared(down[id(source)] for source in before[id(step)]))
    up: dict[int, Path] = dict(own)
    for step in reversed(steps):
        up.setdefault(id(step), _shared(up[id(user)] for user in after[id(step)]))
    return {id(step): ".".join(_shared([down[id(step)], up[id(step)]])) for step in steps}


def _shared(paths: Iterable[Path]) -> Path:
    """Return the innermost module that holds all of these; none holds nothing."""
    shared: Path | None = None
    for path in paths:
        if shared is None:
            shared = path
        while shared != path[: len(shared)]:
            shared = shared[:-1]
    return shared or ()


def frames(paths: Iterable[str]) -> list[Module]:
    """Return the modules of these paths and those around them, outer ones first."""
    found: dict[str, None] = {}
    for path in paths:
        parts = path.split(".") if path else []
        for depth in range(1, len(parts) + 1):
            found.setdefault(".".join(parts[:depth]))
    return [Module(path) for path in found]
