"""What happens when an operation is called: compute and, if gradients will be due, record."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.arguments import (
    ARRAYS,
    NUMBERS,
    array_argument,
    as_float,
    bind,
    does_not_fit,
    not_implemented,
    promote,
)
from autograd.grad_mode import recording
from autograd.node import Node, accumulator, users_files, users_frame
from autograd.rules import Op, Rule
from autograd.saved import SavedInput, SavedOutput, keep
from autograd.tensor import Cut, Take, Tensor, View, memory, refresh, storage, wrap

_new = object.__new__
_getframe = sys._getframe
ndarray = np.ndarray

# -- recording -------------------------------------------------------------------------------------


def record(
    node_class: type[Node],
    y: Any,
    shape: Any,
    dtype: Any,
    inputs: tuple[Node | None, ...],
    slots: Any,
    kept: Any,
    operands: Any,
    frame: Any,
) -> Tensor:
    """The tensor around ``y`` and the node that says how it came to be. ``frame`` called the
    operation."""
    code = frame.f_code
    if code.co_filename not in users_files:
        frame = users_frame(frame)
        code = frame.f_code
    node: Any = node_class()
    node.inputs = inputs
    node.slots = slots
    node.kept = kept
    node.shape = shape
    node.dtype = dtype
    node.code = code
    node.lasti = frame.f_lasti
    node.operands = operands
    node.hooks = None
    t = _new(Tensor)
    t._array = y
    t._requires_grad = True
    t._node = node
    t._slot = 0
    t._view = None
    t._storage = None
    t._grad = None
    return t


def _unrecorded(op: Op, y: Any, tensors: tuple[Any, ...]) -> Tensor:
    """The tensor around ``y``, outside the graph. If an input did require grad, it is noted what
    cut the chain."""
    out = wrap(y)
    for t in tensors:
        if isinstance(t, Tensor):
            if t._requires_grad:
                out._cut = Cut("no_grad()" if op.rules else f"{op.name}(), which has no derivative")
            elif t._cut is not None:
                out._cut = t._cut
    return out


def node_of(t: Tensor) -> Node:
    """Where the gradient of ``t`` goes."""
    return t._node or accumulator(t)


def record_several(
    node_class: type[Node], ys: tuple[Any, ...], inputs: Any, slots: Any, kept: Any, frame: Any
) -> Any:
    """The tensors of an operation with several outputs, which share one node. Integer outputs need
    no gradient."""
    shapes, kinds = tuple(y.shape for y in ys), tuple(y.dtype for y in ys)
    first = record(node_class, ys[0], shapes, kinds, inputs, slots, kept, None, frame)
    node = first._node
    outputs = [first]
    for slot, y in enumerate(ys[1:], start=1):
        t = wrap(y)
        t._node, t._slot, t._requires_grad = node, slot, True
        outputs.append(t)
    return tuple(outputs)


# -- the shapes an operation comes in --------------------------------------------------------------
#
# Small graphs spend their time not in NumPy but in what surrounds it, so the two commonest shapes,
# one tensor and two tensors, have a path of their own; general says the same for all others.


# Where an elementwise operation neither broadcasts nor promotes, its node takes over the very tuple
# that is the shape of the node before it. Then one look at the identity tells backward that a
# gradient needs no fitting (see engine.run).


def unary(op: Op) -> Callable[..., Any]:
    """y = f(x)."""
    forward, node_class, floats, kinds = op.forward, op.node, op.floats, op.kinds
    needs = op.rules[op.inputs[0]].needs if op.rules else ()
    nothing, needs_x, needs_y = needs == (), needs == op.inputs, needs == ("y",)
    simple = nothing or needs_x or needs_y
    same_shape = op.kind == "elementwise"
    differentiable = bool(op.rules)

    def apply(input: Any) -> Any:
        if not isinstance(input, Tensor):
            return forward(array_argument(op, input))
        if input._view is not None:
            refresh(input)
        x = input._array
        if not (input._requires_grad and recording() and differentiable):
            if kinds and x.dtype.kind not in kinds:
                raise not_implemented(op, x.dtype)
            return _unrecorded(op, forward(as_float(x) if floats else x), (input,))
        y = forward(x)
        operands = None if type(y) is ndarray else (x,)
        if not simple:
            return _record_general(op, (input,), (input,), y, operands, _getframe(1))
        before = input._node or accumulator(input)
        if input._slot or not same_shape or type(before.dtype) is tuple:
            slots, shape, dtype = (input._slot,), y.shape, y.dtype
        else:
            slots, shape, dtype = None, before.shape, before.dtype
        changes = None
        kept: Any = None
        if needs_y:
            changes = [0, None]
            kept = SavedOutput(y, changes)
        elif needs_x:
            kept = input if input._storage is None else SavedInput(input)
        out = record(node_class, y, shape, dtype, (before,), slots, (kept,), operands, _getframe(1))
        out._storage = changes
        return out

    return apply


def binary(op: Op) -> Callable[..., Any]:
    """y = f(a, b), elementwise: the inputs broadcast and are promoted; either may be a number."""
    forward, node_class = op.forward, op.node
    only_floats = (
        op.floats or op.kinds is not None or not op.bools
    )  # or else it must be looked into
    name_a, name_b = op.inputs
    needs_a, needs_b = (op.rules[n].needs if op.rules else () for n in (name_a, name_b))
    # The commonest rules need nothing, or the other input.
    simple = needs_a in ((), (name_b,)) and needs_b in ((), (name_a,))
    a_needs_b, b_needs_a = bool(needs_a), bool(needs_b)
    differentiable = bool(op.rules)

    def apply(input: Any, other: Any) -> Any:
        promoted = False
        if isinstance(input, Tensor):
            if input._view is not None:
                refresh(input)
            a, a_needs_grad = input._array, input._requires_grad
            if isinstance(other, Tensor):
                if other._view is not None:
                    refresh(other)
                b, b_needs_grad = other._array, other._requires_grad
                if a.dtype is not b.dtype or (only_floats and b.dtype.kind != "f"):
                    a, b = promote(op, a, b)
                    promoted = True
            else:
                b, b_needs_grad = other, False
                if a.dtype.kind != "f" or type(b) not in NUMBERS:
                    a, b = promote(op, a, b)
                    promoted = True
        elif isinstance(other, Tensor):
            if other._view is not None:
                refresh(other)
            a, a_needs_grad = input, False
            b, b_needs_grad = other._array, other._requires_grad
            if b.dtype.kind != "f" or type(a) not in NUMBERS:
                a, b = promote(op, a, b)
                promoted = True
        else:
            return forward(input, other)  # arrays in, array out
        try:
            y = forward(a, b)
        except ValueError as error:
            raise does_not_fit(op, (input, other), error) from None
        if not ((a_needs_grad or b_needs_grad) and differentiable and recording()):
            return _unrecorded(op, y, (input, other))
        operands = None if type(y) is ndarray else (a, b)
        if not simple:
            return _record_general(op, (input, other), (input, other), y, operands, _getframe(1))
        node_a = node_b = kept_a = kept_b = slots = None
        if a_needs_grad:
            before = node_a = input._node or accumulator(input)
            if a_needs_b:
                kept_a = (
                    keep(other) if promoted or b is other or other._storage is not None else other
                )
            if input._slot:
                slots = (input._slot, 0)
        if b_needs_grad:
            before = node_b = other._node or accumulator(other)
            if b_needs_a:
                kept_b = (
                    keep(input) if promoted or a is input or input._storage is not None else input
                )
            if other._slot:
                slots = (input._slot if a_needs_grad else 0, other._slot)
        shape, dtype = before.shape, before.dtype
        if (
            promoted
            or type(dtype) is tuple
            or not (
                (node_a is not None and node_b is not None and node_a.shape is node_b.shape)
                or shape == y.shape
            )
        ):
            shape, dtype = y.shape, y.dtype
        return record(
            op.node if promoted else node_class,
            y,
            shape,
            dtype,
            (node_a, node_b),
            slots,
            (kept_a, kept_b),
            operands,
            _getframe(1),
        )

    return apply


def general(op: Op) -> Callable[..., Any]:
    """Any number of tensor inputs (None: an optional one left out), any settings, one output or a
    tuple of them."""
    forward, count, total = op.forward, len(op.inputs), len(op.parameters)
    promotes = op.kind in ("elementwise", "bilinear")
    differentiable = bool(op.rules)

    def apply(*args: Any, **kwargs: Any) -> Any:
        values = args if len(args) == total and not kwargs else bind(op, args, kwargs)
        tensors = values[:count]
        needs_grad = any_tensor = False
        for t in tensors:
            if isinstance(t, Tensor):
                any_tensor = True
                if t._view is not None:
                    refresh(t)
                needs_grad = needs_grad or t._requires_grad
        arrays = [v._array if isinstance(v, Tensor) else v for v in values]
        if not any_tensor:
            return forward(*arrays)
        if promotes:
            arrays[:count] = promote(op, *arrays[:count])
        elif op.floats:
            arrays[0] = as_float(arrays[0])
        elif op.kinds and arrays[0].dtype.kind not in op.kinds:
            raise not_implemented(op, arrays[0].dtype)
        if op.view:
            arrays[0] = memory(tensors[0])
        try:
            y = forward(*arrays)
        except ValueError as error:
            raise does_not_fit(op, tensors, error) from None
        if not (needs_grad and differentiable and recording()):
            out = (
                tuple(_unrecorded(op, part, tensors) for part in y)
                if type(y) is tuple
                else _unrecorded(op, y, tensors)
            )
        else:
            operands = None if type(y) in (ndarray, tuple) else tuple(arrays)
            out = _record_general(op, tensors, values, y, operands, _getframe(1))
        if op.view:
            _mark_view(op, tensors[0], values[count:], out)
        return out

    return apply


def variadic(op: Op) -> Callable[..., Any]:
    """y = f(x1, x2, ..., setting=...): a list of tensors, as of cat and stack. The rule may ask for
    ``i``, its place."""
    forward = op.forward

    def apply(*tensors: Any, **settings: Any) -> Any:
        needs_grad = any_tensor = False
        for t in tensors:
            if isinstance(t, Tensor):
                any_tensor = True
                if t._view is not None:
                    refresh(t)
                needs_grad = needs_grad or t._requires_grad
        arrays = [t._array if isinstance(t, Tensor) else t for t in tensors]
        if not any_tensor:
            return forward(*arrays, **settings)
        y = forward(*arrays, **settings)
        if not (needs_grad and recording()):
            return _unrecorded(op, y, tensors)
        values = (tensors, *(settings[name] for name in op.settings))
        return _record_general(op, tensors, values, y, None, _getframe(1))

    return apply


def _record_general(op: Op, tensors: Any, values: Any, y: Any, operands: Any, frame: Any) -> Any:
    """Record an operation of any shape: ``values`` are all its arguments, in the order of its
    parameters."""
    needing = [isinstance(t, Tensor) and t._requires_grad for t in tensors]
    given = dict(zip(op.inputs + op.settings, values, strict=True))
    saved_y = (
        SavedOutput(y, [0, None]) if any("y" in rule.needs for rule in op.rules.values()) else None
    )
    rules = [op.rules[op.inputs[0 if op.variadic else i]] for i in range(len(tensors))]
    kept = tuple(
        _kept(op, rule, given, saved_y, i) if needed else None
        for i, (rule, needed) in enumerate(zip(rules, needing, strict=True))
    )
    inputs = tuple(
        node_of(t) if needed else None for t, needed in zip(tensors, needing, strict=True)
    )
    places = tuple(t._slot if needed else 0 for t, needed in zip(tensors, needing, strict=True))
    slots = places if any(places) else None
    if type(y) is tuple:
        return record_several(op.node, y, inputs, slots, kept, frame)
    out = record(op.node, y, y.shape, y.dtype, inputs, slots, kept, operands, frame)
    if saved_y is not None:
        out._storage = saved_y.changes
    return out


def _kept(op: Op, rule: Rule, given: dict[str, Any], saved_y: Any, i: int) -> Any:
    """What the rule of input number ``i`` needs, in its order: the thing itself if it is one, a
    tuple if several."""
    kept = tuple(_needed(need, given, saved_y, i) for need in rule.needs)
    return kept[0] if len(kept) == 1 else kept or None


def _needed(need: str, given: dict[str, Any], saved_y: Any, i: int) -> Any:
    if need == "y":
        return saved_y
    if need in given:
        return keep(given[need])
    if need == "i":
        return i
    source, _, what = need.rpartition("_")
    value = given[source]
    if isinstance(value, tuple):  # the list of a variadic op
        return tuple(getattr(v._array if isinstance(v, Tensor) else v, what) for v in value)
    array = value._array if isinstance(value, Tensor) else value
    return (
        getattr(array, what)
        if isinstance(array, ARRAYS)
        else ()
        if what == "shape"
        else type(array)
    )


def _mark_view(op: Op, base: Tensor, settings: tuple[Any, ...], out: Any) -> None:
    """Note that ``out`` shares the memory of ``base``, if it does (reshape, for one, must sometimes
    copy)."""
    several = type(out) is tuple
    for slot, t in enumerate(out if several else (out,)):
        array, owner = t._array, base._array
        if array.base is None or (array.base is not owner and array.base is not owner.base):
            continue
        changes = storage(base)
        t._storage = changes
        parent = base._view
        take = Take(
            None if parent is None else parent.take,
            _one_of(op, slot) if several else op.apply,
            settings,
        )
        t._view = View(base if parent is None else parent.base, take, changes[0], several)


def _one_of(op: Op, slot: int) -> Callable[..., Any]:
    return lambda x, *settings: op.apply(x, *settings)[slot]
