"""What a graph is made of: a Node for each recorded operation, and an AccumulateGrad where each
leaf begins.

A node knows four things: where its gradients go (``inputs``), what the derivatives need (``kept``),
what its output looks like (``shape``, ``dtype``), and where the user wrote it (``where``). The
picture to have in mind is the one of the textbook, with the arrows turned round: edges lead from an
output back to what it was computed from.
"""

from __future__ import annotations

import itertools
import linecache
import os
import weakref
from _thread import RLock  # as threading.RLock, but there already
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, NamedTuple


class Freed:
    """What a node keeps once backward has been through it and given the memory back."""

    def __repr__(self) -> str:
        return "freed"


FREED = Freed()


# How to run a node backward: the rule of each input, made ready by rules.py (None: the node is a
# Function, which has a backward of its own); whether it is plain, that is elementwise with nothing
# promoted, so that where shapes are equal gradients fit as they are; whether it keeps memory to be
# freed (None: look).
How = tuple[Any, bool, bool | None]

# No rules: the node computes the gradients of all its inputs together, in `_pull_all`.
TOGETHER: How = (None, False, True)


class Node:
    """One recorded operation. Each op has its own subclass, named for it: ``MulBackward``,
    ``Conv2dBackward``."""

    # The names begin with an underscore because a ctx is a node (see function.py), and users write
    # ctx.shape = x.shape.
    #
    # What does not change is one tuple, `_data`: nodes are of many classes, which makes their
    # attributes slow, and one tuple is sooner made and taken apart. In it are
    #   how      how to run it backward, one for all nodes of an operation (see How)
    #   inputs   for each input, the node that its gradient goes to; None where none is needed
    #   slots    which output of that node each input was; None: the first for all (nearly always)
    #   shape    of the output (of several outputs, a tuple of shapes)
    #   dtype    of the output, a NumPy dtype (of several outputs, a tuple)
    #   code, lasti   where the user wrote it
    #   operands      of a scalar operation: the numbers it was computed from, for pictures
    # What changes: `_kept`, for each input what its rule needs, or FREED; `_hooks`, None or Hooks.
    __slots__ = ("__weakref__", "_data", "_hooks", "_kept")

    _op: Any = None  # the operation's description (rules.Op), where there is one
    _fills_in_zeros = True  # whether an unused output's gradient arrives as zeros, or as None

    _data: tuple[How, tuple[Node | None, ...], tuple[int, ...] | None, Any, Any, CodeType, int, Any]
    _kept: Any
    _hooks: Hooks | None

    @property
    def _inputs(self) -> tuple[Node | None, ...]:
        """For each input of the operation, the node that its gradient goes to, or None."""
        return self._data[1]

    @property
    def _slots(self) -> tuple[int, ...] | None:
        """For each input, which output of its node it was; None: the first, for all."""
        return self._data[2]

    @property
    def _shape(self) -> Any:
        """The shape of the output, or a tuple of the shapes of several."""
        return self._data[3]

    @property
    def _dtype(self) -> Any:
        """The NumPy dtype of the output, or a tuple of the dtypes of several."""
        return self._data[4]

    @property
    def _operands(self) -> tuple[Any, ...] | None:
        """The numbers a scalar operation was computed from, for pictures."""
        return self._data[7]

    def name(self) -> str:
        """The name shown in ``grad_fn=<MulBackward>``."""
        return name_of(self)

    def __repr__(self) -> str:
        return f"<{name_of(self)} object at {hex(id(self))}>"

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """Where the gradients go: for each input of the operation its node (None: no gradient
        needed) and output number."""
        return tuple(zip(self._inputs, self._slots or (0,) * len(self._inputs), strict=True))

    @property
    def metadata(self) -> dict[Any, Any]:
        """A dictionary for the user's own notes on this node."""
        return self._hook_table().metadata

    def register_prehook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """``hook(grad_outputs) -> tuple or None`` is called before this node computes; it may
        replace its gradients."""
        return RemovableHandle(self._hook_table().before, hook)

    def register_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """``hook(grad_inputs, grad_outputs) -> tuple or None`` is called after; it may replace the
        gradients passed on."""
        return RemovableHandle(self._hook_table().after, hook)

    def _hook_table(self) -> Hooks:
        if self._hooks is None:
            self._hooks = Hooks()
        return self._hooks

    def where(self) -> str:
        """The user's line that this operation was written on: ``'train.py:12'``, with its text
        where it can be read."""
        return place_of(self)


def name_of(node: Node) -> str:
    """``node.name()``, even if ``node`` is a ctx on which the user has stored a name of their
    own."""
    return type(node).__name__


def place_of(node: Node) -> str:
    """``node.where()``, even if ``node`` is a ctx on which the user has stored ``ctx.where``."""
    return where(*node._data[5:7])


class AccumulateGrad(Node):
    """Where the graph ends: adds what arrives to the ``.grad`` of a leaf tensor.

    The leaf holds this node weakly and it holds the leaf, so the two make no cycle: the node lives
    as long as a graph that leads here."""

    __slots__ = ("variable",)

    def __init__(self, variable: Any) -> None:
        self.variable = variable
        self._kept = None
        self._hooks = None
        self.measure()

    def measure(self) -> None:
        """Note what the gradient must look like: as the leaf does now."""
        array = self.variable._array
        self._data = ((None, False, False), (), None, array.shape, array.dtype, *NOWHERE)


def accumulator(variable: Any) -> AccumulateGrad:
    """The one AccumulateGrad of a leaf: the living one, or a new one. (A view that requires grad
    only because its base does has none of its own: what it is given leads nowhere.)"""
    try:
        node = variable._accumulator()
    except AttributeError:  # the leaf's first use
        node = None
    if node is None:
        with _meeting:
            if variable._view is not None and not variable._view.own:
                return AccumulateGrad(variable.detach())
            known = getattr(variable, "_accumulator", _nobody)()
            node = known or AccumulateGrad(variable)
            variable._accumulator = weakref.ref(node)
    return node


def measure_again(variable: Any) -> None:
    """The shape or the dtype of a leaf has changed: so does that of the gradients it takes."""
    node = getattr(variable, "_accumulator", _nobody)()
    if node is not None and variable._requires_grad:
        node.measure()


_meeting = RLock()  # where threads that use a leaf for the first time agree on its node


def _nobody() -> None:
    return None


class GradientEdge(NamedTuple):
    """A place in the graph where a gradient goes: a node, and which of its outputs. It can stand
    for a tensor in :func:`autograd.grad` and :func:`autograd.backward`."""

    node: Node
    output_nr: int
    ownership_token: Any = None  # of PyTorch's, whose Python nodes do not own their graph


class HookDict(dict[int, Any]):
    """Hooks by number, in the order they were registered; a dict that can be referred to weakly."""

    __slots__ = ("__weakref__",)


class RemovableHandle:
    """What registering a hook returns: ``handle.remove()`` takes the hook off again. Also a context
    manager."""

    _numbers = itertools.count(1)

    def __init__(self, hooks: HookDict, hook: Any) -> None:
        self.id = next(self._numbers)
        self._hooks = weakref.ref(hooks)
        hooks[self.id] = hook

    def remove(self) -> None:
        """Take the hook off. Doing so twice, or after its owner is gone, is harmless."""
        hooks = self._hooks()
        if hooks is not None:
            hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


class Hooks:
    """The rare things of a node: hooks, tensors that retain their gradient, the user's notes."""

    __slots__ = ("after", "before", "metadata", "retain", "tensor")

    def __init__(self) -> None:
        self.before = HookDict()
        self.tensor = HookDict()  # (output number, hook of the tensor there)
        self.retain: dict[int, Any] = {}  # output number -> weak reference to the tensor
        self.after = HookDict()
        self.metadata: dict[Any, Any] = {}


# -- where the user wrote it -----------------------------------------------------------------------


_OURS = tuple(
    os.path.join(os.path.dirname(os.path.dirname(__file__)), package) + os.sep
    for package in ("autograd", "nn")
)
# Source files seen that are not this library's, and those that are: a set is the quickest to ask.
users_files: set[str] = set()
_our_files: set[str] = set()
NOWHERE = ((lambda: None).__code__, 0, None)


def users_frame(frame: FrameType) -> FrameType:
    """The nearest frame, from ``frame`` outwards, that is not this library's own (the outermost one
    if all are)."""
    while frame.f_code.co_filename not in users_files:
        filename = frame.f_code.co_filename
        if filename not in _our_files:
            (_our_files if filename.startswith(_OURS) else users_files).add(filename)
        elif frame.f_back is not None:
            frame = frame.f_back
        else:
            break
    return frame


# The instructions of users' programs that have asked for a graph of gradients (create_graph=True).
_asked: weakref.WeakKeyDictionary[CodeType, set[int]] = weakref.WeakKeyDictionary()


def asked_for_graph(frame: FrameType) -> None:
    """Note that what is recorded now, called from ``frame``, belongs to a backward."""
    frame = users_frame(frame)
    _asked.setdefault(frame.f_code, set()).add(frame.f_lasti)


def is_of_backward(node: Node) -> bool:
    """Whether an operation was recorded by a backward with create_graph=True."""
    code, lasti = node._data[5:7]
    return lasti in _asked.get(code, ())


def where(code: CodeType, lasti: int) -> str:
    """``file:line`` and the text of a recorded place in the user's program."""
    if code is NOWHERE[0]:
        return "a leaf tensor"
    line = next(
        (line for start, end, line in code.co_lines() if start <= lasti < end), code.co_firstlineno
    )
    text = linecache.getline(code.co_filename, line or 0).strip()
    return f"{code.co_filename}:{line}" + (f"  {text}" if text else "")
