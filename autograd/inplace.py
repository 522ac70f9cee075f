"""Operations that change a tensor in place: ``x.add_(y)``, ``x += y``, ``x[i] = v``.

One idea carries all of them: compute the result out of place, write it into the memory, and move
the tensor to its new place in the graph (*rebase* it). If the tensor is a view, what really changed
is its base: the base's new value is the old one with the viewed part replaced (``copy_slices``),
and every view of it, this one included, is a view of that new value; ``tensor.refresh`` sees to
that when a view is next used. Where a part lies is told by layouts (see layout.py). The memory
counts its changes, so that backward notices when something it kept was overwritten.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.changes import check_apart, check_changeable, fill, touch
from autograd.dtypes import can_cast
from autograd.grad_mode import check_not_carrying, recording
from autograd.layout import laid_out, layout_of
from autograd.node import Node, measure_again, name_of, users_frame
from autograd.op import linear, op
from autograd.record import node_of, record
from autograd.saved import keep_instead
from autograd.tensor import Tensor, memory, move, refresh, storage, take_again, wrap


def in_place(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The in-place form of an out-of-place operation: ``add`` -> ``add_``."""
    primitive = getattr(function, "op", None)

    def apply(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        others = (*args, *kwargs.values()) if kwargs else args
        check_apart(self, others, name)
        return write(
            self,
            lambda old: function(old, *args, **kwargs),
            name,
            sys._getframe(1),
            keeps=_keeps_old(primitive, self, others),
        )

    apply.__name__ = apply.__qualname__ = name
    apply.__doc__ = f"In-place version of :func:`{name.rstrip('_')}`."
    return apply


def _keeps_old(primitive: Any, t: Tensor, others: tuple[Any, ...]) -> bool:
    """Whether backward may need the old value of ``t``: where a gradient is due to an input whose
    rule asks for it. (Of a function that is no primitive, all that is known is whether any is.)"""
    if not recording():
        return False
    due = [isinstance(x, Tensor) and x.requires_grad for x in (t, *others)]
    if True not in due:
        return False
    if primitive is None or len(due) < len(primitive.inputs):
        return True
    first, *_ = primitive.inputs
    return any(
        d and name in primitive.rules and first in primitive.rules[name].needs
        for d, name in zip(due, primitive.inputs, strict=False)
    )


def write(
    t: Tensor,
    compute: Callable[[Tensor], Any],
    name: str,
    frame: Any,
    *,
    keeps: bool = True,
    uniform: bool = False,
) -> Tensor:
    """Replace the contents of ``t`` by ``compute(t)``, recorded if gradients are due.

    ``keeps`` says that backward may need the old value, ``uniform`` that all elements will be the
    same number, and a constant."""
    check_changeable(t)
    old = _as_it_was(t, keeps)
    new = compute(old)
    _check_result(t, new, name)
    recorded = recording() and (new._requires_grad or t.requires_grad)
    if recorded:
        check_in_place(t, name)
        if old._requires_grad and not new._requires_grad:  # an operation without a derivative
            new = _forget(old, new)
    else:
        check_not_carrying(new)
    fill(memory(t), new._array, uniform)
    touch(t, name, frame)
    if recorded and new._requires_grad:
        if new._array.dtype != t._array.dtype:
            new = new._cast(t._array.dtype)
        node = node_of(new)
        rebase(t, node, new._slot)
        if new._storage is not None:
            keep_instead(node, new, t)
    return t


def _as_it_was(t: Tensor, keeps: bool) -> Tensor:
    """The old value, as a tensor of its own. If it may be kept for backward, it is a copy, for the
    memory is about to change. Otherwise the same array will do."""
    if not recording():
        return wrap(t._array)
    node = t.grad_fn
    old = wrap(t._array.copy() if keeps else t._array)
    base = None if t._view is None else t._view.base
    past = None if base is None else base._node
    if base is not None and past and node and node._inputs[0] is not past:
        # A view of a view, and it may reach beyond that one: but all of it is part of the base.
        take_again(t, base)
        node = t._node
    if t._requires_grad:
        old._node, old._slot, old._requires_grad = node or node_of(t), t._slot, True
    return old


def reshape_in_place(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The in-place form of an operation that returns a view: ``transpose`` -> ``transpose_``. The
    tensor becomes that view of what it was; its memory stays as it is."""

    def apply(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        check_changeable(self)
        if recording() and self.requires_grad:
            check_in_place(self, name)
        seen = function(self, *args, **kwargs)
        touch(self, name, sys._getframe(1))
        self._array = memory(seen)
        measure_again(self)
        if seen._node is not None:
            move(self, seen._node, seen._slot)
            if self._view is not None:
                self._view.version = storage(self)[0]  # its node is up to date
        return self

    apply.__name__ = apply.__qualname__ = name
    apply.__doc__ = f"In-place version of :func:`{name.rstrip('_')}`."
    return apply


def check_in_place(t: Tensor, name: str) -> None:
    """Raise RuntimeError where a recorded in-place change has no meaning: on leaves that require
    grad and their views, and on views that cannot be taken again."""
    view = t._view
    if view is not None and view.origin in _NOT_IN_PLACE:
        source = "A tensor" if t._node is None else f"Output {t._slot} of {name_of(t._node)}"
        raise RuntimeError(
            f"{source} is a view and is being modified inplace ({name}). "
            + _NOT_IN_PLACE[view.origin]
        )
    if view is not None and t.requires_grad and view.base._node is None:
        raise RuntimeError(
            "a view of a leaf Variable that requires grad is being used in an in-place operation "
            f"({name}). Change it inside torch.no_grad(), or work on a copy: y = x.clone(); y[0] = "
            "1."
        )
    if view is None and t._requires_grad and t._node is None:
        raise RuntimeError(
            "a leaf Variable that requires grad is being used in an in-place operation "
            f"({name}). Its gradient is defined at the value it had. Update parameters inside "
            "torch.no_grad(), or write the out-of-place form: y = x + 1."
        )


_NOT_IN_PLACE = {
    "several": "This view is the output of a function that returns multiple views. Such functions "
    "do not allow the output views to be modified inplace. You should replace the inplace "
    "operation by an out-of-place one.",
    "no_grad": "This view was created in no_grad mode and is being modified inplace with grad mode "
    "enabled, so its history is not known. Either take the view outside no_grad(), or change it "
    "inside.",
    "inference": "A view was created in inference mode and is being modified inplace outside of "
    "it, so its history is not known. Take the view outside of inference_mode().",
    "function": "This view was created inside a custom Function (or because an input was returned "
    "as-is), and its backward would know nothing of the change. Return a copy from forward: "
    "output.clone().",
    "level": "It is an input of a function being differentiated (or the primal of a dual tensor, "
    "or a part of one of these), and stands for a leaf Variable that requires grad. Work on a "
    "copy: y = x.clone().",
}


def rebase(t: Tensor, node: Node, slot: int) -> None:
    """``t`` is now what ``node`` computed. For a view, its base is now its old self with this part
    replaced."""
    if t._view is None:
        move(t, node, slot)
        return
    base = t._view.base
    old = node_of(base) if base._requires_grad else None
    slots = (base._slot if old else 0, slot)
    array = memory(base)
    layouts = layout_of(array), layout_of(memory(t))
    frame = users_frame(sys._getframe(1))
    changed = record(
        _copy_slices.op.node,
        _copy_slices.op.how,
        array,
        array.shape,
        array.dtype,
        (old, node),
        slots if any(slots) else None,
        (layouts, layouts),
        None,
        frame,
    )
    move(base, node_of(changed), 0)
    t._view.version = -1  # out of date, like every other view of this base
    refresh(t)  # at once, for it keeps this past even if the base is detached next


@op(
    dbase=lambda dy, source, target: _copy_slices(dy, 0, source, target),
    dpart=lambda dy, source, target: _restride(dy, source, target),
)
def _copy_slices(base, part, source, target):
    """``base``, laid out in memory as ``source``, with ``part`` written to where ``target``
    reads."""
    row = laid_out(base, source, target.reach())
    target.of(row)[...] = part
    return source.of(row)


@linear(dx=lambda dy, source, target: _restride(dy, target, source))
def _restride(x, source, target):
    """The elements of ``x`` laid out as ``source`` among zeros, and read as ``target``; those that
    meet at one place are added up. The adjoint of that is the same with the two exchanged."""
    return target.of(laid_out(x, source, target.reach()))


@op(dold=lambda dy: _zeros_like(dy))
def _forget(old: Any, new: Any) -> Any:
    """``new``, of which no slope leads back to ``old``, though it was computed from it."""
    return new


def _zeros_like(dy: Any) -> Any:
    return wrap(np.zeros_like(dy._array)) if isinstance(dy, Tensor) else np.zeros_like(dy)


def _check_result(t: Tensor, new: Any, name: str) -> None:
    if new._array.shape != t._array.shape:
        raise RuntimeError(
            f"output with shape {list(t.shape)} doesn't match the broadcast shape "
            f"{list(new.shape)}: {name} cannot change the shape of a tensor. Use the out-of-place "
            "form."
        )
    if not can_cast(new.dtype, t.dtype):
        raise RuntimeError(
            f"result type {new.dtype._title} can't be cast to the desired output type "
            f"{t.dtype._title}: {name} cannot change the dtype of a tensor. Use the out-of-place "
            "form, or convert the tensor first."
        )
