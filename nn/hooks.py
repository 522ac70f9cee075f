"""Hooks: what users attach to a module's call and to the gradients that come back through it.

A forward hook is a function called before or after `forward`. A backward hook needs the gradients
at the module's two ends, so the tensors that enter and leave the module pass through an identity
that hands the gradients to the hooks on their way back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from autograd import Function, Tensor
from autograd.node import HookDict, RemovableHandle

if TYPE_CHECKING:
    from .module import Module

__all__ = ["Hooks", "RemovableHandle"]


class Hooks:
    """The hooks of one module, in the order in which they run."""

    def __init__(self) -> None:
        self.forward_pre = HookDict()  # each entry: hook, whether it takes keyword arguments too
        self.forward = HookDict()  # likewise
        self.backward_pre = HookDict()
        self.backward = HookDict()

    @staticmethod
    def add(table: HookDict, hook: Any, prepend: bool) -> RemovableHandle:
        """Attach a hook, behind those already in the table or before them."""
        earlier = list(table)
        handle = RemovableHandle(table, hook)
        for key in earlier if prepend else ():
            table[key] = table.pop(key)
        return handle

    def call(self, module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """`module.forward(*args, **kwargs)` with everything that was attached to it."""
        args, kwargs = self._before(module, args, kwargs)
        if not (self.backward or self.backward_pre):
            return self._after(module, args, kwargs, module.forward(*args, **kwargs))
        gate = _Gate(self, module)
        args = gate.enter(args)
        output = self._after(module, args, kwargs, module.forward(*args, **kwargs))
        return gate.leave(output)

    def _before(
        self, module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        for hook, with_kwargs in tuple(self.forward_pre.values()):
            changed = hook(module, args, kwargs) if with_kwargs else hook(module, args)
            if changed is None:
                continue
            if with_kwargs:
                args, kwargs = _as_pair(changed)
            else:
                args = changed if isinstance(changed, tuple) else (changed,)
        return args, kwargs

    def _after(
        self, module: Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any
    ) -> Any:
        for hook, with_kwargs in tuple(self.forward.values()):
            given = (args, kwargs) if with_kwargs else (args,)
            changed = hook(module, *given, output)
            if changed is not None:
                output = changed
        return output


def _as_pair(changed: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if not (isinstance(changed, tuple) and len(changed) == 2):
        raise RuntimeError(
            "forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got "
            f"{changed}."
        )
    return changed


class _Gate:
    """The two ends of one call of a module, as backward sees them."""

    def __init__(self, hooks: Hooks, module: Module) -> None:
        self.hooks = hooks
        self.module = module
        self.inputs = 0
        self.watched_inputs = False
        # None until backward comes in through the outputs. (A derivative of the gradient may reach
        # the inputs on other ways; that is no backward of this call.)
        self.grad_output: tuple[Any, ...] | None = None

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        self.inputs = len(args)
        self.watched_inputs = any(isinstance(a, Tensor) and a.requires_grad for a in args)
        return _watch(self._run_backward_hooks, args)

    def leave(self, output: Any) -> Any:
        if isinstance(output, tuple):
            return _watch(self._at_outputs, output)
        return _watch(self._at_outputs, (output,))[0]

    def _at_outputs(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in tuple(self.hooks.backward_pre.values()):
            grads = _replaced(grads, hook(self.module, grads), "backward pre-hook")
        self.grad_output = grads
        if not self.watched_inputs:
            # No gradient will ever reach the inputs: what is known, is known now.
            self._run_backward_hooks((None,) * self.inputs)
        return grads

    def _run_backward_hooks(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        outer, self.grad_output = self.grad_output, None
        if outer is not None:
            for hook in tuple(self.hooks.backward.values()):
                grads = _replaced(grads, hook(self.module, grads, outer), "backward hook")
        return grads


def _replaced(grads: tuple[Any, ...], changed: Any, who: str) -> tuple[Any, ...]:
    """The gradients after a hook: its answer where it gave one."""
    if changed is None:
        return grads
    if not isinstance(changed, tuple):
        changed = (changed,)
    if len(changed) != len(grads):
        raise RuntimeError(
            f"{who} returned {len(changed)} gradients, but {len(grads)} were expected: return one "
            "for each, or None to change nothing"
        )
    return changed


def _watch(look: Callable[[tuple[Any, ...]], tuple[Any, ...]], values: Sequence[Any]) -> Any:
    """`values`, its tensors passed through an identity whose backward asks `look`.

    `look` receives and returns one gradient for each value, None for what is no tensor.
    """
    places = [i for i, value in enumerate(values) if isinstance(value, Tensor)]
    if not any(values[i].requires_grad for i in places):
        return tuple(values)

    def look_at_tensors(grads: tuple[Any, ...]) -> tuple[Any, ...]:
        spread: list[Any] = [None] * len(values)
        for place, grad in zip(places, grads, strict=True):
            spread[place] = grad
        seen = look(tuple(spread))
        return tuple(seen[place] for place in places)

    passed = list(values)
    watched = _Watch.apply(look_at_tensors, *(values[i] for i in places))
    for place, tensor in zip(places, watched, strict=True):
        passed[place] = tensor
    return tuple(passed)


class _Watch(Function):
    """The identity; on the way back it lets `look` see, and exchange, the gradients."""

    @staticmethod
    def forward(ctx: Any, look: Callable[..., Any], *tensors: Tensor) -> tuple[Tensor, ...]:
        ctx.look = look
        return tensors

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Any, ...]:
        return None, *ctx.look(grads)
