"""Operations with a backward of their own: PyTorch's ``Function``.

For what users write, and for operations whose gradients share so much work that one rule an input
would do it twice.
"""

from __future__ import annotations

import functools
import inspect
import sys
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.changes import touch
from autograd.function_node import FunctionCtx, FunctionNode, Marks
from autograd.grad_mode import (
    INFERENCE,
    Off,
    carrying,
    forward_levels,
    recording,
    set_recording,
)
from autograd.inplace import check_in_place, rebase
from autograd.node import TOGETHER, users_frame
from autograd.observe import observers, tell_function, tell_recorded
from autograd.record import node_of
from autograd.saved import SavedOutputOf, keep, packed
from autograd.tensor import Tensor, View, alias, memory, storage, wrap


class Function:
    """A differentiable operation with a backward of its own. Subclass it, call ``apply``:

    >>> class Square(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x
    ...     @staticmethod
    ...     def backward(ctx, dy):
    ...         (x,) = ctx.saved_tensors
    ...         return 2 * x * dy

    ``forward(ctx, *args)`` runs without recording; alternatively ``forward(*args)`` and
    ``setup_context(ctx, inputs, output)``. ``backward(ctx, *gradients)`` gets one gradient an
    output and returns one an argument (None where none is due). What backward computes is recorded
    under ``create_graph=True``, so double backward works if it is made of tensor operations.
    """

    _node_class: type[FunctionNode] = FunctionNode

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._node_class = type(
            cls.__name__ + "Backward",
            (FunctionNode,),
            {"__slots__": (), "_function": cls, "__module__": cls.__module__},
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        warnings.warn(
            f"{type(self).__name__} should not be instantiated. Methods on autograd functions are "
            f"all static: call {type(self).__name__}.apply(...).",
            DeprecationWarning,
            stacklevel=2,
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Raises RuntimeError: this was PyTorch's way before version 0.4."""
        raise RuntimeError(
            "Legacy autograd function with non-static forward method is deprecated. Make forward "
            f"and backward static methods, and call {type(self).__name__}.apply(...)."
        )

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """To be overridden: compute the output, or a tuple of them."""
        raise NotImplementedError(
            "You must implement the forward function for custom autograd.Function: a static method "
            "forward(ctx, ...) in your subclass."
        )

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """May be overridden: save what backward needs, when forward takes no ctx."""

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        """To be overridden: from the gradient of each output, the gradient of each argument of
        forward. Also under the name ``vjp``."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom "
            "autograd.Function to use it with backward mode AD: a static method backward(ctx, ...)."
        )

    vjp = backward

    generate_vmap_rule = False  # accepted, and not needed: vmap goes sample by sample

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        """May be overridden, for forward mode: from the tangent of each argument of forward (None
        for what is no tensor), the tangent of each output. If it is not, backward is transposed."""
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it with "
            "forward mode AD: a static method jvp(ctx, *tangents)."
        )

    @classmethod
    def _backward(cls) -> Callable[..., Any]:
        """The one of the two names that was overridden."""
        if cls.vjp is Function.vjp:
            return cls.backward
        if cls.backward is Function.backward:
            return cls.vjp
        raise RuntimeError(
            "Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You "
            "should only implement one of them."
        )

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Compute forward, and record it if an argument requires grad."""
        separate = cls.setup_context is not Function.setup_context
        if kwargs or separate:
            args = _all_positional(cls.forward, args if separate else (None, *args), kwargs)
            args = args if separate else args[1:]
        ctx = FunctionCtx()
        ctx.needs_input_grad = tuple(isinstance(a, Tensor) and a.requires_grad for a in args)
        recorded = recording() and True in ctx.needs_input_grad
        if forward_levels and carrying(args):
            return forward_levels[-1].follow(functools.partial(cls.apply, *args))
        before = recording()
        inside = before if before is INFERENCE else Off(f"the forward of {cls.__name__}")
        set_recording(inside)
        try:
            forward = functools.partial(cls.forward, *args if separate else (ctx, *args))
            output = tell_function(cls, args, forward) if observers else forward()
            if separate:
                cls.setup_context(ctx, args, output)
        finally:
            set_recording(before)
        outputs = output if isinstance(output, tuple) else (output,)
        for t in ctx._marks.dirty:
            _check_dirty(t, args)
            if not any(t is o for o in outputs):
                raise RuntimeError(
                    "Some elements marked as dirty during the forward method were not returned as "
                    "output. The inputs that are modified inplace must all be outputs of the "
                    "Function."
                )
            if recorded:
                check_in_place(t, cls._node_class.__name__)
            touch(t, f"{cls.__name__}.apply()", sys._getframe(1))
        if recorded:
            outputs = _recorded(cls._node_class(), ctx, inside, args, outputs, sys._getframe(1))
        return outputs if isinstance(output, tuple) else outputs[0]


def _check_dirty(t: Tensor, args: tuple[Any, ...]) -> None:
    if any(t is a for a in args):
        return
    message = (
        "ctx.mark_dirty() received a tensor that was not an input. It says which inputs forward "
        "changed in place; what forward made itself need not be told."
    )
    if t._view is not None:
        raise RuntimeError(message)
    warnings.warn(message, UserWarning, stacklevel=3)


def _all_positional(
    forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, ...]:
    """The arguments in the order of forward's parameters, defaults included: backward has a
    gradient to return for each."""
    bound = inspect.signature(forward).bind(*args, **kwargs)
    bound.apply_defaults()
    return bound.args


def _recorded(
    node: FunctionNode,
    ctx: FunctionCtx,
    inside: Any,
    args: tuple[Any, ...],
    outputs: tuple[Any, ...],
    frame: Any,
) -> tuple[Any, ...]:
    """Connect the node: to the inputs, to the outputs, and to what is kept."""
    marks = ctx._marks
    node.ctx, marks.node = ctx, weakref.ref(node)
    node._hooks, node._inside = None, inside
    node._fills_in_zeros = marks.materialize
    node._places = tuple(i for i, a in enumerate(args) if isinstance(a, Tensor))
    node._settings = tuple(
        i for i, a in enumerate(args) if a is not None and not isinstance(a, Tensor)
    )
    node._output_numbers = {id(o): slot for slot, o in enumerate(outputs)}
    tensors = [args[i] for i in node._places]
    inputs = tuple(node_of(t) if t._requires_grad else None for t in tensors)
    slots = tuple(t._slot if t._requires_grad else 0 for t in tensors)
    arrays = [o._array if isinstance(o, Tensor) else None for o in outputs]
    shapes = tuple([None if a is None else a.shape for a in arrays])
    kinds = tuple([None if a is None else a.dtype for a in arrays])
    shape, dtype = (shapes, kinds) if len(outputs) > 1 else (shapes[0], kinds[0])
    frame = users_frame(frame)
    node._data = (TOGETHER, inputs, slots, shape, dtype, frame.f_code, frame.f_lasti, None)
    connected: dict[int, Any] = {}  # by identity: what was returned twice stays one
    for slot, o in enumerate(outputs):
        if id(o) in connected and isinstance(o, Tensor):
            connected[id(o)]._slot = slot
        else:
            connected[id(o)] = _output(node, marks, o, slot, tensors, len(outputs))
    results = tuple([connected[id(o)] for o in outputs])
    node._kept = tuple([_saved(node, t, outputs, results) for t in marks.to_save])
    if node._function.jvp is not Function.jvp:
        _prepare_for_jvp(node, marks, tensors, outputs, results)
    marks.to_save = marks.dirty = marks.non_differentiable = ()
    if observers:
        tell_recorded(node)
    return results


def _prepare_for_jvp(
    node: FunctionNode, marks: Marks, inputs: list[Tensor], outputs: Any, results: Any
) -> None:
    """Keep what jvp needs."""
    to_save, node._kept_for_forward = marks.to_save_for_forward, None
    if to_save is not None:
        node._kept_for_forward = tuple([_saved(node, t, outputs, results) for t in to_save])
        marks.to_save_for_forward = None
    zero = lambda t: wrap(np.zeros_like(memory(t))) if t._array.dtype.kind == "f" else None  # noqa: E731
    node._zeros = [zero(t) if marks.materialize else None for t in inputs]


def _output(
    node: FunctionNode, marks: Marks, output: Any, slot: int, inputs: list[Tensor], count: int
) -> Any:
    if not isinstance(output, Tensor) or output._array.dtype.kind != "f":
        return output
    if any(output is t for t in marks.non_differentiable):
        return output.detach() if output._requires_grad else output
    if any(output is t for t in marks.dirty):
        if count > 1 and output._view is not None:
            raise RuntimeError(
                "If your Function modifies inplace an input that is a view of another Tensor, your "
                "Function cannot return more than one Tensor. Return one, or work on a clone()."
            )
        rebase(output, node, slot)
        return output
    # An alias: forward may have stored the tensor itself on ctx, and the node, which holds the ctx,
    # and its output would then hold each other.
    connected = alias(output)
    connected._node, connected._slot, connected._requires_grad = node, slot, True
    for t in inputs:
        if t._storage is connected._storage:
            base = t if t._view is None else t._view.base
            connected._view = View(base, storage(t)[0], "function")
    return connected


def _saved(node: FunctionNode, t: Tensor | None, outputs: Any, connected: Any) -> Any:
    if t is None:
        return None
    kept = keep(t)
    for slot, (output, result) in enumerate(zip(outputs, connected, strict=True)):
        if output is t and result._requires_grad:
            kept = SavedOutputOf(result, slot)
    return packed(kept)


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator for a ``backward`` that computes outside the graph (with NumPy, say): its result is
    not recorded, and a second differentiation raises RuntimeError instead of being silently wrong.
    """

    @functools.wraps(backward)
    def once(ctx: Any, *gradients: Any) -> Any:
        recorded = recording() and any(isinstance(g, Tensor) and g.requires_grad for g in gradients)
        before = set_recording(Off("once_differentiable()"))
        try:
            returned = backward(ctx, *gradients)
        finally:
            set_recording(before)
        if not recorded:
            return returned
        results = returned if isinstance(returned, tuple) else (returned,)
        barred = tuple(_Once.apply(g, *gradients) if isinstance(g, Tensor) else g for g in results)
        return barred if isinstance(returned, tuple) else barred[0]

    return once


class _Once(Function):
    """Passes a gradient on and refuses to be differentiated."""

    @staticmethod
    def forward(ctx: Any, gradient: Any, *origins: Any) -> Any:
        return gradient.detach()

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        raise RuntimeError(
            "trying to differentiate twice a function that was marked with @once_differentiable: "
            "its backward was not recorded"
        )
