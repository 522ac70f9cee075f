"""Looking on while a network runs, so that a picture of it can tell everything.

A recorded graph keeps what its derivatives need and no more: of most tensors in its middle nothing
is left when it is drawn, and which module made them was never written down. Inside `with watch():`
both are noted, a few numbers of each tensor, for as long as its graph lives.
"""

from __future__ import annotations

import contextlib
import inspect
import re
import sys
import threading
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import numpy as np

from autograd import observe
from autograd.function import FunctionNode
from autograd.node import Node
from autograd.tensor import Tensor

from .model import Summary
from .summary import summarize


@dataclass(slots=True)
class Seen:
    """What was noted of one operation."""

    values: list[Summary] = field(default_factory=list)  # of each output
    grads: list[Summary | None] = field(default_factory=list)  # that arrived at each output
    data: dict[int, Any] = field(default_factory=dict)  # arrays without a gradient, by place
    modules: list[tuple[str, str]] = field(
        default_factory=list
    )  # path and description, outer first


_SEEN: weakref.WeakKeyDictionary[Node, Seen] = weakref.WeakKeyDictionary()


def seen_of(node: Node | None) -> Seen | None:
    """Return what was noted of an operation, if anybody looked on."""
    return _SEEN.get(node) if _SEEN and node is not None else None


def data_of(node: Node, place: int) -> Any:
    """Return the array that an operation took at a place, if it was noted: data, which needs no
    gradient."""
    seen = seen_of(node)
    return None if seen is None else seen.data.get(place)


@contextlib.contextmanager
def watch() -> Iterator[None]:
    """Note, of what is computed inside, all that a picture may tell: the numbers of every tensor,
    its module, and the gradients, if `backward()` runs inside too.

    >>> with visualize.watch():
    ...     loss = criterion(model(x), target)
    ...     loss.backward()
    >>> draw(loss)

    Each operation takes some ten times as long.
    """
    onlooker = _Onlooker()
    observe.enter(onlooker)
    try:
        yield
    finally:
        observe.leave(onlooker)


class _Onlooker(observe.Observer):
    """Notes what it is told."""

    def __init__(self) -> None:
        self._last = threading.local()  # what was computed last: the node to come is of this
        self._paths: weakref.WeakKeyDictionary[Any, dict[int, str]] = weakref.WeakKeyDictionary()

    def computed(self, what: Any, inputs: Sequence[Any], y: Any, seconds: float) -> None:
        self._last.computed = what, inputs, y

    def recorded(self, node: Node) -> None:
        seen = _SEEN[node] = Seen(modules=self._modules(sys._getframe(1)))
        what, inputs, y = getattr(self._last, "computed", (None, (), None))
        if what is not None and what in (node._op, getattr(node, "_function", None)):
            seen.values = [summarize(_array(part)) for part in (y if type(y) is tuple else (y,))]
            if isinstance(node, FunctionNode):
                inputs = [inputs[place] for place in node._places]
            for place, (target, given) in enumerate(zip(node._inputs, inputs, strict=False)):
                array = _array(given)
                if target is None and isinstance(array, np.ndarray) and array.ndim:
                    seen.data[place] = array

    def pulled(self, node: Node, dy: Any, gradients: Sequence[Any], seconds: float) -> None:
        seen = _SEEN.get(node)
        if seen is not None:
            parts = dy if type(dy) is tuple else (dy,)
            seen.grads = [None if part is None else summarize(_array(part)) for part in parts]

    def _modules(self, frame: FrameType | None) -> list[tuple[str, str]]:
        """Return the modules that are being called, the outermost first."""
        calls = []
        while frame is not None:
            if frame.f_code.co_name == "__call__":
                caller = frame.f_locals.get("self")
                if hasattr(caller, "named_modules"):
                    calls.append(caller)
            frame = frame.f_back
        if not calls:
            return []
        paths = self._paths_in(calls[-1])
        inner = [module for module in calls[-2::-1] if id(module) in paths]
        return [(paths[id(module)], describe(module)) for module in inner]

    def _paths_in(self, root: Any) -> dict[int, str]:
        """Return the paths of the modules in a network, by id. Those of a second network begin with
        its class, for both may have a module "0"."""
        if root not in self._paths:
            prefix = f"{type(root).__name__}." if len(self._paths) else ""
            found = ((id(module), prefix + path) for path, module in root.named_modules() if path)
            if paths := dict(found):
                self._paths[root] = paths
            return paths
        return self._paths[root]


def describe(module: Any) -> str:
    """Return what a module is, on one line: a layer with its settings as far as they are not the
    usual ones, `Conv2d(1, 4, 3, padding=1)`; what holds other modules by its class."""
    name = type(module).__name__
    if next(module.children(), None) is not None:
        return name
    parameters = inspect.signature(type(module).__init__).parameters
    written = []
    for part in _SETTING.findall(module.extra_repr()):
        key, _, value = part.strip().rpartition("=")
        value = _SAME_TWICE.sub(r"\1", value)
        default = parameters[key].default if key in parameters else inspect.Parameter.empty
        if default is None or repr(default) == value:
            continue
        is_optional = key and default is not inspect.Parameter.empty
        written.append(f"{key}={value}" if is_optional else value)
    return f"{name}({', '.join(written)})"


_SETTING = re.compile(r"(?:[^,(\[]|\([^)]*\)|\[[^]]*\])+(?=,\s|$)")  # a part between commas
_SAME_TWICE = re.compile(r"^\((\d+)(?:, \1)+\)$")  # (3, 3), which is 3


def _array(value: Any) -> Any:
    return value._array if isinstance(value, Tensor) else value
