"""A Function's ``ctx``, and its node in the graph.

The ``ctx`` belongs to the users, who may store on it what they like. The node holds it, calls their
backward with it, checks what that returns, and hands on what it is asked
(``y.grad_fn.saved_tensors``).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from autograd.grad_mode import Off
from autograd.node import FREED, Node, name_of
from autograd.saved import unpack_tensor
from autograd.saved_attributes import SavedTensor
from autograd.stashed import barred
from autograd.tensor import Tensor, wrap

Saved = tuple[Tensor | None, ...]


class Marks:
    """What forward said about its inputs and outputs."""

    __slots__ = (
        *("dirty", "materialize", "node", "non_differentiable", "to_save"),
        "to_save_for_forward",
    )

    def __init__(self) -> None:
        self.to_save: Saved = ()
        self.to_save_for_forward: Saved | None = None
        self.dirty: tuple[Tensor, ...] = ()
        self.non_differentiable: tuple[Tensor, ...] = ()
        self.materialize = True
        self.node: Callable[[], FunctionNode | None] | None = None  # weakly: it holds the ctx


class FunctionCtx:
    """What ``forward`` leaves for ``backward``. Users may store on it what they like."""

    needs_input_grad: tuple[bool, ...] = ()  # for each argument of forward

    def __init__(self) -> None:
        self._marks = Marks()

    # -- for forward -------------------------------------------------------------------------------

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep ``tensors`` (inputs or outputs of forward, or None) for ``saved_tensors`` in
        backward."""
        self._marks.to_save = _savable(tensors)

    def save_for_forward(self, *tensors: Tensor | None) -> None:
        """Keep ``tensors`` for ``saved_tensors`` in jvp, where these are to be others than in
        backward."""
        self._marks.to_save_for_forward = _savable(tensors)

    def mark_dirty(self, *tensors: Tensor) -> None:
        """Say that forward changed these inputs in place (and returns them)."""
        self._marks.dirty = tensors

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """Say that these outputs have no gradient, as indices have none."""
        self._marks.non_differentiable = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether an unused output's gradient reaches backward as zeros (True, the default) or as
        None."""
        self._marks.materialize = value

    # -- for backward ------------------------------------------------------------------------------

    @property
    def saved_tensors(self) -> Saved:
        """What ``save_for_backward`` kept, provided that it was not changed in place since."""
        if self._marks.node is None:
            return ()  # forward is not through yet
        node = self._marks.node()
        if node is None or node._kept is FREED:
            raise RuntimeError(
                "Trying to backward through the graph a second time (or directly access saved "
                "tensors after they have already been freed). Saved intermediate values of the "
                "graph are freed when you call .backward() or autograd.grad(). Specify "
                "retain_graph=True if you need to backward through the graph a second time or if "
                "you need to access saved tensors after calling backward."
            )
        return tuple(unpack_tensor(kept, node) for kept in node._kept)


def _savable(tensors: Saved) -> Saved:
    for t in tensors:
        if t is not None and not isinstance(t, Tensor):
            raise TypeError(
                "save_for_backward can only save tensors, but one argument is a "
                f"{type(t).__name__}. Store anything else on ctx: ctx.scale = 2"
            )
    return tensors


class FunctionNode(Node):
    """A call of a Function in the graph."""

    __slots__ = (
        *("_fills_in_zeros", "_inside", "_output_numbers", "_places", "_settings", "ctx"),
        *("_kept_for_forward", "_zeros"),
    )

    _function: Any
    _places: tuple[int, ...]  # which arguments of forward were tensors
    _settings: tuple[int, ...]  # and which were neither tensors nor None, a tensor left out
    _inside: Off  # why nothing was recorded in forward: what it computed bears this mark
    _output_numbers: dict[int, int]  # which output each tensor returned by forward is, by identity
    _kept_for_forward: tuple[Any, ...] | None  # if it is not the same as for backward
    _zeros: list[Tensor | None]  # the tangents of inputs that have none, as jvp is given them
    ctx: FunctionCtx

    def __getattr__(self, name: str) -> Any:
        return getattr(self.ctx, name)

    @property
    def _raw_saved_tensors(self) -> tuple[SavedTensor, ...]:
        self.ctx.saved_tensors  # noqa: B018 (raises if they were freed)
        return tuple(SavedTensor(self, [(i, None)]) for i in range(len(self._kept)))

    def _pull_all(self, dy: Any, create_graph: bool) -> list[Any]:
        """Called by the engine: the gradient for each tensor that went into forward."""
        gradients = dy if type(dy) is tuple else (dy,)
        as_tensors = [g if g is None or isinstance(g, Tensor) else wrap(g) for g in gradients]
        backward = self._function._backward()
        if create_graph:
            with barred(self):
                returned = backward(self.ctx, *as_tensors)
        else:
            returned = backward(self.ctx, *as_tensors)
        results = returned if isinstance(returned, (tuple, list)) else (returned,)
        self._check(results)
        return [self._gradient(results[place], place, create_graph) for place in self._places]

    def _push_all(self, tangents: list[Tensor | None], recorded: bool) -> Any:
        """Called by forward mode: the tangent of each output by the Function's jvp, from those of
        the tensors that went into forward."""
        given: list[Any] = [None] * len(self.ctx.needs_input_grad)
        for place, tangent, zero in zip(self._places, tangents, self._zeros, strict=True):
            given[place] = zero if tangent is None else tangent.clone()  # jvp may work in place
        kept = self._kept
        if self._kept_for_forward is not None:
            self._kept = self._kept_for_forward
        try:
            with barred(self) if recorded else nullcontext():
                returned = self._function.jvp(self.ctx, *given)
        finally:
            self._kept = kept
        several = type(self._dtype) is tuple
        results = returned if isinstance(returned, tuple) else (returned,)
        shapes = self._shape if several else (self._shape,)
        if len(results) != len(shapes):
            raise RuntimeError(
                f"the jvp of {name_of(self)} returned {len(results)} tangents, but forward has "
                f"{len(shapes)} outputs: return one for each, None for those that have none"
            )
        for tangent, shape in zip(results, shapes, strict=True):
            if tangent is not None and tangent._array.shape != shape:
                raise RuntimeError(
                    f"the jvp of {name_of(self)} returned a tangent of shape "
                    f"{list(tangent.shape)} for an output of shape {list(shape)}"
                )
        return results if several else results[0]

    def _check(self, results: Any) -> None:
        expected = len(self.ctx.needs_input_grad)
        if len(results) < expected or any(extra is not None for extra in results[expected:]):
            raise RuntimeError(
                f"function {name_of(self)} returned an incorrect number of gradients (expected "
                f"{expected}, got {len(results)}): one for each argument of forward, None for "
                "those that need none"
            )
        for place, gradient in enumerate(results[:expected]):
            if gradient is not None and place in self._settings:
                raise RuntimeError(
                    f"function {name_of(self)} returned a gradient different than None at position "
                    f"{place + 1}, but the corresponding forward input was not a Tensor"
                )

    def _gradient(self, gradient: Any, place: int, create_graph: bool) -> Any:
        if gradient is None or not self.ctx.needs_input_grad[place]:
            return None
        if not isinstance(gradient, Tensor):
            raise RuntimeError(
                f"function {name_of(self)}: expected a Tensor or None as gradient number "
                f"{place + 1} (got {type(gradient).__name__})"
            )
        return gradient if create_graph else gradient._array
