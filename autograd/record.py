"""What happens when an operation is called: compute and, if gradients will be due, record."""

from __future__ import annotations

import functools
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
    check_operands,
    constant,
    does_not_fit,
    not_implemented,
    promote,
)
from autograd.dtypes import result_dtype
from autograd.grad_mode import INFERENCE, carrying, forward_levels, recording, why_not
from autograd.node import How, Node, accumulator, users_files, users_frame
from autograd.observe import observers, tell_recorded
from autograd.out import into
from autograd.rules import Op
from autograd.saved import SavedOutput, hooked, keep, pack_all
from autograd.tensor import Cut, Tensor, Uncounted, View, memory, refresh, storage, wrap

_new = object.__new__
_getframe = sys._getframe
ndarray = np.ndarray
_NOTHING = (None, None)  # what a sum keeps for the derivatives by its two terms

# -- recording -------------------------------------------------------------------------------------


def record(
    node_class: type[Node],
    how: How,
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
    node._data = (how, inputs, slots, shape, dtype, code, frame.f_lasti, operands)
    node._kept = kept
    node._hooks = None
    if hooked:
        pack_all(node)
    t = _new(Tensor)
    t._array = y
    t._requires_grad = True
    t._node = node
    t._slot = 0
    t._view = None
    t._storage = None
    t._grad = None
    if observers:
        tell_recorded(node)
    return t


def _unrecorded(op: Op, y: Any, tensors: tuple[Any, ...]) -> Tensor:
    """The tensor around ``y``, outside the graph. If an input did require grad, it is noted what
    cut the chain."""
    if forward_levels and op.rules and carrying(tensors):
        return _recorded_if_due(op, tensors, tensors, y, None, _getframe(1))
    out = wrap(y)
    for t in tensors:
        if isinstance(t, Tensor) and (t._requires_grad or t._cut is not None):
            out._cut = _cut(op, tensors)
            break
    return out


def _cut(op: Op, tensors: tuple[Any, ...]) -> Cut:
    """What cut the chain: this operation, or the mode it runs in, or what cut it before."""
    if not op.has_slope:
        return Cut(f"{op.name}(), which has no derivative", lost=False)
    cuts = []
    for t in tensors:
        if isinstance(t, Tensor):
            if t._requires_grad:
                return Cut(why_not())
            if t._cut is not None:
                cuts.append(t._cut)
    return next((cut for cut in cuts if cut.lost), cuts[0])


def node_of(t: Tensor) -> Node:
    """Where the gradient of ``t`` goes."""
    if t._view is not None:
        refresh(t)
    return t._node or accumulator(t)


def record_several(
    node_class: type[Node],
    how: How,
    ys: tuple[Any, ...],
    inputs: Any,
    slots: Any,
    kept: Any,
    frame: Any,
) -> Any:
    """The tensors of an operation with several outputs, which share one node. Integer outputs need
    no gradient."""
    shapes, kinds = tuple(y.shape for y in ys), tuple(y.dtype for y in ys)
    node = record(node_class, how, ys[0], shapes, kinds, inputs, slots, kept, None, frame)._node
    outputs = tuple(map(wrap, ys))
    for slot, t in enumerate(outputs):
        if t._array.dtype.kind == "f":
            t._node, t._slot, t._requires_grad = node, slot, True
    return outputs


# -- the shapes an operation comes in --------------------------------------------------------------
#
# Small graphs spend their time not in NumPy but in what surrounds it, so the two commonest shapes,
# one tensor and two tensors, have a path of their own; general says the same for all others.


# Where an elementwise operation neither broadcasts nor promotes, its node takes over the very tuple
# that is the shape of the node before it. Then one look at the identity tells backward that a
# gradient needs no fitting (see engine.run).


def unary(op: Op) -> Callable[..., Any]:
    """y = f(x)."""
    floats, kinds = op.floats, op.kinds
    how = op.plain_how
    needs = op.rules[op.inputs[0]].needs if op.rules else ()
    needs_x, needs_y = needs == op.inputs, needs == ("y",)
    simple = bool(op.rules) and op.kind == "elementwise" and (not needs or needs_x or needs_y)

    def apply(input: Any, *, out: Any = None) -> Any:
        if out is not None:
            return into(out, op.name, apply(input))
        if not isinstance(input, Tensor):
            return op.forward(array_argument(op, input))
        if input._view is not None:
            refresh(input)
        x = input._array
        if not (input._requires_grad and recording()):
            if kinds and x.dtype.kind not in kinds:
                raise not_implemented(op, x.dtype)
            return _unrecorded(op, op.forward(as_float(x) if floats else x), (input,))
        y = op.forward(x)
        operands = None if type(y) is ndarray else (x,)
        if not simple or input._slot:
            return _recorded_if_due(op, (input,), (input,), y, operands, _getframe(1))
        before = input._node or accumulator(input)
        _, _, _, shape, dtype, _, _, _ = before._data
        if type(dtype) is tuple:
            shape, dtype = y.shape, y.dtype
        changes = kept = None
        if needs_y:
            changes = [0, None]
            kept = SavedOutput(y, changes)
        elif needs_x:
            kept = keep(input)
        out = record(
            op.node, how, y, shape, dtype, (before,), None, (kept,), operands, _getframe(1)
        )
        out._storage = changes
        return out

    return apply


def binary(op: Op, is_operator: bool = False) -> Callable[..., Any]:
    """y = f(a, b), elementwise: the inputs broadcast and are promoted; either may be a number.

    Python's operators give the other operand's class a chance, if it is no class of ours."""
    how = op.plain_how
    # Whether dtypes must be looked into even where both inputs have the same.
    particular = op.floats or op.kinds is not None or not op.bools
    name_a, name_b = op.inputs
    # The commonest rules need nothing, or the other input.
    needs_a, needs_b = (op.rules[n].needs if op.rules else ("-",) for n in (name_a, name_b))
    simple_a, simple_b = needs_a in ((), (name_b,)), needs_b in ((), (name_a,))
    b_needs_both = needs_b == (name_a, name_b)  # as of a quotient
    simple = simple_a and (simple_b or b_needs_both)
    simple_with_number = [simple_a and op.takes_number[1], simple_b and op.takes_number[0]]
    a_needs_b, b_needs_a = bool(needs_a), bool(needs_b)
    keeps = a_needs_b or b_needs_a

    def apply(input: Any, other: Any, *, out: Any = None) -> Any:
        if out is not None:
            return into(out, op.name, apply(input, other))
        if not isinstance(other, Tensor):
            return with_number(input, other, input, 0, _getframe(1))
        if not isinstance(input, Tensor):
            return with_number(input, other, other, 1, _getframe(1))
        if input._view is not None:
            refresh(input)
        if other._view is not None:
            refresh(other)
        a, b = input._array, other._array
        kind = type(a)
        if not simple or ((kind is ndarray or kind is not type(b)) and a.dtype is not b.dtype):
            return other_kinds(input, other, _getframe(1))
        if particular and a.dtype.kind != "f":
            return other_kinds(input, other, _getframe(1))
        try:
            y = op.forward(a, b)
        except ValueError as error:
            raise does_not_fit(op, (input, other), error) from None

        # Two tensors of one dtype: nothing is promoted, and the gradients will have that dtype too.
        node_a: Any = None
        node_b: Any = None
        kept_a: Any = None
        kept_b: Any = None
        slot_a = slot_b = 0
        if input._requires_grad:
            if not recording():
                return _unrecorded(op, y, (input, other))
            before = node_a = input._node or accumulator(input)
            if a_needs_b:
                kept_a = other if other._storage is None else keep(other)
            slot_a = input._slot
            if other._requires_grad:
                node_b = other._node or accumulator(other)
                if b_needs_a:
                    kept_b = input if input._storage is None else keep(input)
                    if b_needs_both:
                        kept_b = (kept_b, keep(other))
                slot_b = other._slot
        elif other._requires_grad and recording():
            before = node_b = other._node or accumulator(other)
            if b_needs_a:
                kept_b = (keep(input), keep(other)) if b_needs_both else keep(input)
            slot_b = other._slot
        else:
            return _unrecorded(op, y, (input, other))
        _, _, _, shape, dtype, _, _, _ = before._data
        if type(y) is ndarray:
            operands = None
            if type(dtype) is tuple or shape != y.shape:
                shape, dtype = y.shape, y.dtype
        else:
            operands = (a, b)
            if type(dtype) is tuple or shape:
                shape, dtype = y.shape, y.dtype
        return record(
            op.node,
            how,
            y,
            shape,
            dtype,
            (node_a, node_b),
            (slot_a, slot_b) if slot_a or slot_b else None,
            (kept_a, kept_b) if keeps else _NOTHING,
            operands,
            _getframe(1),
        )

    def with_number(input: Any, other: Any, t: Any, place: int, frame: Any) -> Any:
        """A tensor of floats and a number, which stays as it is: NumPy fits it to the tensor."""
        number = input if place else other
        if not isinstance(t, Tensor):
            if op.numbers == "all" and type(input) in NUMBERS and type(other) in NUMBERS:
                first = np.asarray(input, result_dtype(input, other))
                return wrap(op.forward(*promote(op, first, other)))
            check_operands(op, (input, other))
            return op.forward(input, other)  # arrays in, array out
        if (
            type(number) not in NUMBERS
            or t._array.dtype.kind != "f"
            or not simple_with_number[place]
        ):
            if is_operator and not isinstance(number, (*ARRAYS, *NUMBERS)):
                return NotImplemented
            return other_kinds(input, other, frame)
        if t._view is not None:
            refresh(t)
        number = constant(number, t._array)
        a, b = (number, t._array) if place else (t._array, number)
        y = op.forward(a, b)
        if not (t._requires_grad and recording()):
            return _unrecorded(op, y, (input, other))
        before = t._node or accumulator(t)
        _, _, _, shape, dtype, _, _, _ = before._data
        if type(dtype) is tuple:
            shape, dtype = y.shape, y.dtype
        kept = number if (b_needs_a if place else a_needs_b) else None
        inputs = (None, before) if place else (before, None)
        both = (None, kept) if place else (kept, None)
        slots = None if not t._slot else (0, t._slot) if place else (t._slot, 0)
        operands = None if type(y) is ndarray else (a, b)
        return record(op.node, how, y, shape, dtype, inputs, slots, both, operands, frame)

    def other_kinds(input: Any, other: Any, frame: Any) -> Any:
        """Dtypes that must be promoted, arrays as operands, and rules that need something else."""
        for t in (input, other):
            if isinstance(t, Tensor) and t._view is not None:
                refresh(t)
        a, b = (t._array if isinstance(t, Tensor) else t for t in (input, other))
        if a is not input and b is not other:
            alike = a.dtype is b.dtype and a.dtype.kind == "f"
        else:
            number, x = (a, b) if a is input else (b, a)
            takes_it = type(number) in NUMBERS and op.takes_number[a is not input]
            alike = takes_it and x.dtype.kind == "f"
        if not alike:
            a, b = promote(op, a, b)
        try:
            y = op.forward(a, b)
        except ValueError as error:
            raise does_not_fit(op, (input, other), error) from None
        if not op.rules:
            return _unrecorded(op, y, (input, other))
        operands = None if type(y) is ndarray else (a, b)
        return _recorded_if_due(op, (input, other), (input, other), y, operands, frame)

    def reflected(self: Any, other: Any) -> Any:
        """other * self."""
        if isinstance(other, Tensor) and isinstance(self, Tensor):
            return apply(other, self)
        return with_number(other, self, self, 1, _getframe(1))

    op.reflected = reflected
    return apply


def with_settings(op: Op) -> Callable[..., Any]:
    """y = f(x, ...): one tensor, and settings; one output, which may be a view of x, or a tuple."""
    total, how = len(op.parameters), op.how
    floats, kinds, view, needs_y = op.floats, op.kinds, op.view, op.needs_output
    plan = op.rule_of(0).plan if op.rules else None

    def apply(*args: Any, out: Any = None, **kwargs: Any) -> Any:
        if out is not None:
            return into(out, op.name, apply(*args, **kwargs))
        values = args if len(args) == total and not kwargs else bind(op, args, kwargs)
        input = values[0]
        if not isinstance(input, Tensor):
            return op.forward(array_argument(op, input), *map(_content, values[1:]))
        if input._view is not None:
            refresh(input)
        x = memory(input) if view else input._array
        if kinds and x.dtype.kind not in kinds:
            raise not_implemented(op, x.dtype)
        if floats:
            x = as_float(x)
        try:
            y = op.forward(x, *map(_content, values[1:]))
        except ValueError as error:
            raise does_not_fit(op, (input,), error) from None
        several = type(y) is tuple
        if plan is None or several or not (input._requires_grad and recording()):
            out = _recorded_if_due(op, (input,), values, y, None, _getframe(1))
        else:
            changes: Any = [0, None] if needs_y else None
            kept: list[Any] = []
            for what, index in plan:
                if what == "value":
                    kept.append(keep(values[index]))
                elif what == "shape":
                    kept.append(x.shape)
                else:
                    kept.append(x.dtype if what == "dtype" else SavedOutput(y, changes))
            out = record(
                op.node,
                how,
                y,
                y.shape,
                y.dtype,
                (input._node or accumulator(input),),
                (input._slot,) if input._slot else None,
                (kept[0] if len(kept) == 1 else tuple(kept) or None,),
                None if type(y) is ndarray else (x, *values[1:]),
                _getframe(1),
            )
            out._storage = changes
        if view:
            _mark_view(op, input, out)
        return out

    return apply


def general(op: Op) -> Callable[..., Any]:
    """Any number of tensor inputs (None: an optional one left out), any settings, one output or a
    tuple of them."""
    count, total = len(op.inputs), len(op.parameters)
    promotes = op.kind in ("elementwise", "bilinear")

    def apply(*args: Any, out: Any = None, **kwargs: Any) -> Any:
        if out is not None:
            return into(out, op.name, apply(*args, **kwargs))
        values = args if len(args) == total and not kwargs else bind(op, args, kwargs)
        tensors = values[:count]
        any_tensor = _refreshed(tensors)
        arrays = [v._array if isinstance(v, Tensor) else v for v in values]
        if not any_tensor:
            check_operands(op, tensors)
            return op.forward(*arrays)
        if promotes:
            arrays[:count] = promote(op, *arrays[:count])
        elif op.floats:
            arrays[0] = as_float(arrays[0])
        elif op.kinds and arrays[0].dtype.kind not in op.kinds:
            raise not_implemented(op, arrays[0].dtype)
        if op.view:
            arrays[0] = memory(tensors[0])
        try:
            y = op.forward(*arrays)
        except ValueError as error:
            raise does_not_fit(op, tensors, error) from None
        operands = None if type(y) in (ndarray, tuple) else tuple(arrays)
        out = _recorded_if_due(op, tensors, values, y, operands, _getframe(1))
        if op.view:
            _mark_view(op, tensors[0], out)
        return out

    return apply


def variadic(op: Op) -> Callable[..., Any]:
    """y = f(x1, x2, ..., setting=...): a list of tensors, as of cat and stack. The rule may ask for
    ``i``, its place."""

    def apply(*tensors: Any, **settings: Any) -> Any:
        any_tensor = _refreshed(tensors)
        arrays = [t._array if isinstance(t, Tensor) else t for t in tensors]
        if not any_tensor:
            return op.forward(*arrays, **settings)
        y = op.forward(*arrays, **settings)
        values = (tensors, *[settings.get(name, op.defaults.get(name)) for name in op.settings])
        return _recorded_if_due(op, tensors, values, y, None, _getframe(1))

    return apply


def _refreshed(tensors: tuple[Any, ...]) -> bool:
    """Bring the nodes of views up to date; returns whether there is a tensor at all."""
    any_tensor = False
    for t in tensors:
        if isinstance(t, Tensor):
            any_tensor = True
            if t._view is not None:
                refresh(t)
    return any_tensor


def _recorded_if_due(op: Op, tensors: Any, values: Any, y: Any, operands: Any, frame: Any) -> Any:
    """The result of an operation of any shape, recorded if an input requires grad. ``values`` are
    all its arguments, in the order of its parameters."""
    due = [isinstance(t, Tensor) and t._requires_grad for t in tensors]
    if not (True in due and op.rules and recording()):
        if forward_levels and op.rules and carrying(tensors):
            again = functools.partial(_recorded_if_due, op, tensors, values, y, operands, frame)
            return forward_levels[-1].follow(again)
        if type(y) is tuple:
            return tuple(_unrecorded(op, part, tensors) for part in y)
        return _unrecorded(op, y, tensors)
    inputs = tuple([node_of(t) if d else None for t, d in zip(tensors, due, strict=True)])
    places = tuple([t._slot if d else 0 for t, d in zip(tensors, due, strict=True)])
    slots = places if any(places) else None
    saved_y = SavedOutput(y, [0, None]) if op.needs_output else None
    kept = tuple(
        [_kept(op.rule_of(i).plan, values, saved_y, i) if d else None for i, d in enumerate(due)]
    )
    if type(y) is tuple:
        return record_several(op.node, op.how, y, inputs, slots, kept, frame)
    out = record(op.node, op.how, y, y.shape, y.dtype, inputs, slots, kept, operands, frame)
    if saved_y is not None:
        out._storage = saved_y.changes
    return out


def _kept(plan: tuple[tuple[str, int], ...], values: Any, saved_y: Any, i: int) -> Any:
    """What the rule of input number ``i`` needs, in its order: the thing itself if it is one, a
    tuple if several."""
    if len(plan) == 1:
        return _needed(*plan[0], values, saved_y, i)
    return tuple([_needed(what, index, values, saved_y, i) for what, index in plan]) or None


def _needed(what: str, index: int, values: Any, saved_y: Any, i: int) -> Any:
    if what == "value":
        return keep(values[index])
    if what == "y":
        return saved_y
    if what == "i":
        return i
    value = values[index]
    if isinstance(value, tuple):  # the list of a variadic op
        return tuple([getattr(_content(v), what) for v in value])
    content = _content(value)
    if isinstance(content, ARRAYS):
        return getattr(content, what)
    return () if what == "shape" else type(content)  # of a number


def _origin(several: bool) -> str:
    """How a view that is being taken came to be (see tensor.View)."""
    mode = recording()
    if mode:
        return "several" if several else "one"
    return "inference" if mode is INFERENCE else "no_grad"


def _content(value: Any) -> Any:
    return value._array if isinstance(value, Tensor) else value


def _mark_view(op: Op, base: Tensor, out: Any) -> None:
    """Note that ``out`` shares the memory of ``base``, if it does (reshape, for one, must sometimes
    copy)."""
    several = type(out) is tuple
    for t in out if several else (out,):
        array, owner = t._array, base._array
        if array.base is None or (
            array.base is not owner
            and array.base is not owner.base
            and not np.may_share_memory(array, owner)
        ):
            continue
        changes = storage(base)
        t._storage = changes
        if not op.rules or type(changes) is Uncounted:
            continue  # no view that gradients could follow
        parent = base._view
        origin = _origin(several)
        if parent is not None and origin == "one":
            origin = parent.origin  # a part of what may not be changed may not be changed
        t._view = View(base if parent is None else parent.base, changes[0], origin)
