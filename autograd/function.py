"""Operations with a backward of their own: PyTorch's ``Function`` and its ``ctx``.

For what users write, and for operations whose gradients share so much work that one rule an input
would do it twice. The ``ctx`` that ``forward`` and ``backward`` are given *is* the node in the
graph.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.changes import touch
from autograd.grad_mode import no_grad, recording
from autograd.inplace import check_in_place, rebase
from autograd.node import FREED, NOWHERE, TOGETHER, Node, name_of, users_frame
from autograd.observe import observers, tell_function, tell_recorded
from autograd.record import node_of
from autograd.saved import SavedOutputOf, keep, packed, unpack_tensor
from autograd.saved_attributes import SavedTensor
from autograd.tensor import Tensor, View, alias, storage, wrap


class FunctionCtx(Node):
    """What ``forward`` leaves for ``backward``, and the node that calls it. Users may store on it
    what they like, under names without an underscore in front."""

    __slots__ = ("__dict__",)

    _function: type[Function]

    def __init__(self) -> None:
        self._data = (TOGETHER, (), None, (), None, *NOWHERE)
        self._kept = ()
        self._hooks = None
        self.needs_input_grad: tuple[bool, ...] = ()
        self._to_save: tuple[Tensor | None, ...] = ()
        self._dirty: tuple[Tensor, ...] = ()
        self._non_differentiable: tuple[Tensor, ...] = ()
        self._materialize = True
        self._places: tuple[int, ...] = ()  # which arguments of forward were tensors

    # -- for forward -------------------------------------------------------------------------------

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep ``tensors`` (inputs or outputs of forward, or None) for ``saved_tensors`` in
        backward."""
        for t in tensors:
            if t is not None and not isinstance(t, Tensor):
                raise TypeError(
                    "save_for_backward can only save tensors, but one argument is a "
                    f"{type(t).__name__}. Store anything else on ctx: ctx.scale = 2"
                )
        self._to_save = tensors

    def mark_dirty(self, *tensors: Tensor) -> None:
        """Say that forward changed these inputs in place (and returns them)."""
        self._dirty = tensors

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """Say that these outputs have no gradient, as indices have none."""
        self._non_differentiable = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether an unused output's gradient reaches backward as zeros (True, the default) or as
        None."""
        self._materialize = value

    # -- for backward ------------------------------------------------------------------------------

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        """What ``save_for_backward`` kept, provided that it was not changed in place since."""
        if self._kept is FREED:
            raise RuntimeError(
                "Trying to backward through the graph a second time (or directly access saved "
                "tensors after they have already been freed). Saved intermediate values of the "
                "graph are freed when you call .backward() or autograd.grad(). Specify "
                "retain_graph=True if you need to backward through the graph a second time or if "
                "you need to access saved tensors after calling backward."
            )
        return tuple(unpack_tensor(kept, self) for kept in self._kept)

    @property
    def _raw_saved_tensors(self) -> tuple[SavedTensor, ...]:
        return tuple(SavedTensor(self, [(i, None)]) for i in range(len(self._kept)))

    def _pull_all(self, dy: Any, create_graph: bool) -> list[Any]:
        """Called by the engine: the gradient for each tensor that went into forward."""
        gradients = dy if type(dy) is tuple else (dy,)
        as_tensors = [g if g is None or isinstance(g, Tensor) else wrap(g) for g in gradients]
        returned = self._function.backward(self, *as_tensors)
        results = returned if isinstance(returned, (tuple, list)) else (returned,)
        return [_as_gradient(self, results, place, create_graph) for place in self._places]


def _as_gradient(ctx: FunctionCtx, results: Any, place: int, create_graph: bool) -> Any:
    expected = len(ctx.needs_input_grad)
    if len(results) < expected or any(extra is not None for extra in results[expected:]):
        raise RuntimeError(
            f"function {name_of(ctx)} returned an incorrect number of gradients (expected "
            f"{expected}, got {len(results)}): one for each argument of forward, None for those "
            "that need none"
        )
    gradient = results[place]
    if gradient is None or not ctx.needs_input_grad[place]:
        return None
    if not isinstance(gradient, Tensor):
        raise TypeError(
            f"function {name_of(ctx)}: expected a Tensor or None as gradient number {place}, got "
            f"{type(gradient).__name__}"
        )
    return gradient if create_graph else gradient._array


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

    _node_class: type[FunctionCtx] = FunctionCtx

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._node_class = type(
            cls.__name__ + "Backward",
            (FunctionCtx,),
            {"_function": cls, "__module__": cls.__module__},
        )

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """To be overridden: compute the output, or a tuple of them."""
        raise TypeError(
            "a Function needs a static method forward(ctx, ...): write one in your subclass"
        )

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """May be overridden: save what backward needs, when forward takes no ctx."""

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        """To be overridden: from the gradient of each output, the gradient of each argument of
        forward."""
        raise TypeError(
            "a Function needs a static method backward(ctx, ...): write one in your subclass"
        )

    vjp = backward

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Compute forward, and record it if an argument requires grad."""
        separate = cls.setup_context is not Function.setup_context
        if kwargs or separate:
            args = _all_positional(cls.forward, args if separate else (None, *args), kwargs)
            args = args if separate else args[1:]
        ctx = cls._node_class()
        recorded = recording() and any(isinstance(a, Tensor) and a.requires_grad for a in args)
        ctx.needs_input_grad = tuple(isinstance(a, Tensor) and a.requires_grad for a in args)
        with no_grad():
            forward = functools.partial(cls.forward, *args if separate else (ctx, *args))
            output = tell_function(cls, args, forward) if observers else forward()
            if separate:
                cls.setup_context(ctx, args, output)
        outputs = output if isinstance(output, tuple) else (output,)
        for t in ctx._dirty:
            if not any(t is o for o in outputs):
                raise RuntimeError(
                    "Some elements marked as dirty during the forward method were not returned as "
                    "output. The inputs that are modified inplace must all be outputs of the "
                    "Function."
                )
            touch(t, f"{cls.__name__}.apply()", sys._getframe(1))
        if recorded:
            outputs = _recorded(ctx, args, outputs, sys._getframe(1))
        return outputs if isinstance(output, tuple) else outputs[0]


def _all_positional(
    forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, ...]:
    """The arguments in the order of forward's parameters, defaults included: backward has a
    gradient to return for each."""
    bound = inspect.signature(forward).bind(*args, **kwargs)
    bound.apply_defaults()
    return bound.args


def _recorded(
    ctx: FunctionCtx, args: tuple[Any, ...], outputs: tuple[Any, ...], frame: Any
) -> tuple[Any, ...]:
    """Connect the node: to the inputs, to the outputs, and to what is kept."""
    ctx._places = tuple(i for i, a in enumerate(args) if isinstance(a, Tensor))
    tensors = [args[i] for i in ctx._places]
    inputs = tuple(node_of(t) if t._requires_grad else None for t in tensors)
    slots = tuple(t._slot if t._requires_grad else 0 for t in tensors)
    arrays = [o._array if isinstance(o, Tensor) else np.empty(0) for o in outputs]
    shapes, kinds = tuple(a.shape for a in arrays), tuple(a.dtype for a in arrays)
    several = len(outputs) > 1
    frame = users_frame(frame)
    shape, dtype = (shapes, kinds) if several else (shapes[0], kinds[0])
    ctx._data = (TOGETHER, inputs, slots, shape, dtype, frame.f_code, frame.f_lasti, None)
    ctx._fills_in_zeros = ctx._materialize
    connected = tuple(_output(ctx, o, slot, tensors) for slot, o in enumerate(outputs))
    ctx._kept = tuple(_saved(ctx, t, outputs, connected) for t in ctx._to_save)
    ctx._to_save = ctx._dirty = ctx._non_differentiable = ()
    if observers:
        tell_recorded(ctx)
    return connected


def _output(ctx: FunctionCtx, output: Any, slot: int, inputs: list[Tensor]) -> Any:
    if not isinstance(output, Tensor) or output._array.dtype.kind != "f":
        return output
    if any(output is t for t in ctx._non_differentiable):
        return output.detach() if output._requires_grad else output
    if any(output is t for t in ctx._dirty):
        check_in_place(output, type(ctx).__name__)
        rebase(output, ctx, slot)
        return output
    # An alias: forward may have stored the tensor itself on ctx, and ctx and its output would then
    # hold each other.
    connected = alias(output)
    connected._node, connected._slot, connected._requires_grad = ctx, slot, True
    for t in inputs:
        if t._storage is connected._storage:
            base = t if t._view is None else t._view.base
            connected._view = View(base, None, storage(t)[0], "function")
    return connected


def _saved(ctx: FunctionCtx, t: Tensor | None, outputs: Any, connected: Any) -> Any:
    if t is None:
        return None
    kept = keep(t)
    for output, result in zip(outputs, connected, strict=True):
        if output is t and result._node is ctx:
            kept = SavedOutputOf(result)
    return packed(kept)


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator for a ``backward`` that computes outside the graph (with NumPy, say): its result is
    not recorded, and a second differentiation raises RuntimeError instead of being silently wrong.
    """

    @functools.wraps(backward)
    def once(ctx: Any, *gradients: Any) -> Any:
        recorded = recording() and any(isinstance(g, Tensor) and g.requires_grad for g in gradients)
        with no_grad():
            returned = backward(ctx, *gradients)
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
