"""Looking after the graph: what ``torch.autograd.graph`` offers.

Its parts are elsewhere: nodes in ``node``, what they keep in ``saved``, the walk in ``engine``.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from autograd import saved
from autograd.changes import touch
from autograd.engine import Walk, current_walk
from autograd.node import GradientEdge, Node, RemovableHandle
from autograd.record import node_of
from autograd.tensor import Tensor

__all__ = [
    "GradientEdge",
    "Node",
    "allow_mutation_on_saved_tensors",
    "disable_saved_tensors_hooks",
    "get_gradient_edge",
    "increment_version",
    "register_multi_grad_hook",
    "save_on_cpu",
    "saved_tensors_hooks",
]


# -- places in the graph ---------------------------------------------------------------------------


def get_gradient_edge(tensor: Tensor | GradientEdge) -> GradientEdge:
    """Where the gradient of ``tensor`` goes: its node (for a leaf, the one that accumulates) and
    which output of it. :func:`autograd.grad` and :func:`autograd.backward` take it in place of the
    tensor, which may meanwhile be gone, or changed in place.

    Raises RuntimeError if the tensor does not require grad."""
    if isinstance(tensor, GradientEdge):
        return tensor
    if not isinstance(tensor, Tensor):
        raise TypeError(
            f"get_gradient_edge() takes a Tensor that requires grad, but got "
            f"{type(tensor).__name__}"
        )
    if not tensor.requires_grad:
        raise RuntimeError(
            "It is not possible to get the gradient edge for a Tensor that does not require "
            "gradients: no gradient goes there."
        )
    return GradientEdge(node_of(tensor), tensor.output_nr)


def increment_version(tensor: Tensor | Iterable[Tensor]) -> None:
    """Say that the memory of ``tensor`` (or of several) was changed by other means than its own
    methods, as through ``tensor.detach().numpy()``: a backward that kept the old value will refuse
    instead of being silently wrong."""
    frame = sys._getframe(1)
    for t in [tensor] if isinstance(tensor, Tensor) else tensor:
        if not isinstance(t, Tensor):
            raise TypeError(f"increment_version takes tensors, but got {type(t).__name__}")
        touch(t, "increment_version()", frame)


# -- what nodes keep -------------------------------------------------------------------------------


class saved_tensors_hooks:
    """While the block lasts, whatever an operation keeps for backward is kept as
    ``pack_hook(tensor)``, and ``unpack_hook`` makes it the tensor again when backward needs it.

    To keep activations on disk, say, or as float16:

    >>> with torch.autograd.graph.saved_tensors_hooks(lambda t: t.half(), lambda t: t.float()):
    ...     loss = net(x).sum()

    Of nested blocks the inner one counts. Neither hook may change its argument in place."""

    def __init__(
        self, pack_hook: Callable[[Tensor], Any], unpack_hook: Callable[[Any], Tensor]
    ) -> None:
        self.pack_hook = pack_hook
        self.unpack_hook = unpack_hook

    def __enter__(self) -> Any:
        saved.push_hooks((self.pack_hook, self.unpack_hook))

    def __exit__(self, *exception: object) -> None:
        saved.pop_hooks()


class save_on_cpu(saved_tensors_hooks):
    """Keeps on the CPU what operations keep for backward. Here all tensors are there anyway."""

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        super().__init__(lambda tensor: tensor, lambda tensor: tensor)


@contextmanager
def disable_saved_tensors_hooks(error_message: str) -> Iterator[None]:
    """While the block lasts, saved-tensors hooks are a RuntimeError with this message: for code
    that would not work with them."""
    previous = saved.forbid_hooks(error_message)
    try:
        yield
    finally:
        saved.forbid_hooks(previous)


@contextmanager
def allow_mutation_on_saved_tensors() -> Iterator[None]:
    """While the block lasts, tensors kept for backward may be changed in place: operations keep
    copies. (PyTorch copies only what is about to be changed. That saves memory, not work.)"""
    if _allowing.get():
        raise RuntimeError("allow_mutation_on_saved_tensors contexts cannot be nested")
    inside = True

    def original(copy: Tensor) -> Tensor:
        if not inside:
            raise AssertionError(  # as in PyTorch
                "Trying to backward outside of the 'allow_mutation_on_saved_tensors' context in "
                "which the graph was originally recorded. Call backward() inside the block."
            )
        return copy

    before = _allowing.set(True)
    try:
        with saved_tensors_hooks(lambda tensor: tensor.clone(), original):
            yield
    finally:
        inside = False
        _allowing.reset(before)


_allowing: ContextVar[bool] = ContextVar("mutation on saved tensors is allowed", default=False)


# -- a hook for several tensors --------------------------------------------------------------------


class _Handles(RemovableHandle):
    """Takes off the hooks of several tensors at once."""

    def __init__(self, handles: Sequence[RemovableHandle]) -> None:
        self._handles = handles

    def remove(self) -> None:
        for handle in self._handles:
            handle.remove()


def register_multi_grad_hook(
    tensors: Sequence[Tensor], fn: Callable[[Any], None], *, mode: str = "all"
) -> RemovableHandle:
    """Call ``fn`` once a backward: with ``mode="all"`` when the gradients of all ``tensors`` are
    there, as ``fn([grad or None, ...])``, None for those that this backward does not reach; with
    ``mode="any"`` when the first of them is, as ``fn(grad)``.

    ``fn`` only looks: what it returns is ignored."""
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    hook = _when_all(tensors, fn) if mode == "all" else _when_any(fn)
    return _Handles([t.register_hook(hook(i)) for i, t in enumerate(tensors)])


Hook = Callable[[Tensor], None]


def _when_all(
    tensors: Sequence[Tensor], fn: Callable[[list[Tensor | None]], None]
) -> Callable[[int], Hook]:
    nodes = [_node_of_weakly(t) for t in tensors]
    # For each backward under way, the gradients that have arrived, by number; None if none will.
    arrived: weakref.WeakKeyDictionary[Walk, dict[int, Tensor | None]] = weakref.WeakKeyDictionary()

    def hook(i: int) -> Hook:
        def note(gradient: Tensor) -> None:
            walk = current_walk()
            if walk not in arrived:
                arrived[walk] = {
                    i: None for i, node in enumerate(nodes) if node() not in walk.nodes
                }
            gradients = arrived[walk]
            gradients[i] = gradient
            if len(gradients) == len(nodes):
                fn([gradients[i] for i in range(len(nodes))])

        return note

    return hook


def _node_of_weakly(t: Tensor) -> Callable[[], Node | None]:
    """The node of ``t``, found when it is asked for: a hook lives on the tensor or its node, and
    would keep both alive for ever if it held them."""
    if not t.is_leaf:
        return weakref.ref(get_gradient_edge(t).node)
    leaf = weakref.ref(t)
    return lambda: None if (alive := leaf()) is None else node_of(alive)


def _when_any(fn: Callable[[Tensor], None]) -> Callable[[int], Hook]:
    called: weakref.WeakSet[Walk] = weakref.WeakSet()

    def note(gradient: Tensor) -> None:
        walk = current_walk()
        if walk not in called:
            called.add(walk)
            fn(gradient)

    return lambda i: note
