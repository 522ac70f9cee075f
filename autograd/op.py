"""The one form of an operation: a NumPy function, and one line of calculus for each input.

    @bilinear(da=lambda dy, b: dy * b, db=lambda dy, a: dy * a)
    def mul(a, b):
        return a * b

From this the decorator makes three things: ``mul`` itself, which takes tensors and records them (and arrays, which it
just computes); the node class ``MulBackward``; and the *pulls*, the rules made ready for the engine, which pull the
gradient of the output back to an input.

A rule is named for its input (``da`` is the rule of ``a``). Its first parameter is ``dy``, the gradient that arrives; each
further one is the *name* of something it needs: an input, a setting (any other parameter), ``y`` (the output),
``a_shape`` or ``a_dtype``. That, and only that, is kept for backward. Rules are written in terms of operators and of
operations, so they run on bare arrays, which is fast, and on tensors, which makes a graph of the gradient.
"""

from __future__ import annotations

import inspect
import itertools
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import dtypes
from autograd.dtypes import result_dtype
from autograd.grad_mode import recording
from autograd.node import Node, accumulator, users_files, users_frame
from autograd.tensor import Cut, Take, Tensor, View, memory, refresh, storage, wrap

_new = object.__new__
_getframe = sys._getframe
ndarray = np.ndarray
_ARRAYS = (np.ndarray, np.generic)
_NUMBERS = (bool, int, float)


# -- declaring --------------------------------------------------------------------------------------------------------


class Rule:
    """The derivative of one input: the function as written, and the names of what it needs beside ``dy``."""

    __slots__ = ("input", "function", "needs")

    def __init__(self, input: str, function: Callable[..., Any]) -> None:
        self.input = input
        self.function = function
        self.needs = tuple(inspect.getfullargspec(function).args[1:])


class Op:
    """A declared operation. ``OPS`` lists them all, by name."""

    def __init__(self, function: Callable[..., Any], rules: dict[str, Callable[..., Any]], kind: str, **traits: Any) -> None:
        code = function.__code__
        self.name = function.__name__.lstrip("_")
        self.forward = function
        self.kind = kind
        self.parameters = code.co_varnames[: code.co_argcount]
        self.variadic = bool(code.co_flags & inspect.CO_VARARGS)
        if self.variadic:  # f(*xs, dim): every positional argument is a tensor, every keyword a setting
            self.inputs = (code.co_varnames[code.co_argcount + code.co_kwonlyargcount],)
            self.settings = code.co_varnames[: code.co_kwonlyargcount]
        else:
            tensors = traits.pop("tensors", 1)
            self.inputs = tuple(name for name in self.parameters if "d" + name in rules) or self.parameters[:tensors]
            self.settings = self.parameters[len(self.inputs) :]
        self.defaults = dict(zip(reversed(self.parameters), reversed(function.__defaults__ or ()), strict=False))
        self.floats: bool = traits.pop("floats", False)  # integers are computed as floats of the default dtype
        self.view: bool = traits.pop("view", False)  # the output may share the memory of the input
        self.kinds: str | None = traits.pop("kinds", None)  # the kinds of dtype it computes in, of NumPy's "b", "i", "u", "f"
        self.bools: bool = traits.pop("bools", True)  # whether it takes bool tensors, to be promoted, beside others
        self.rules = {name[1:]: Rule(name[1:], rule) for name, rule in rules.items()}
        self.apply: Callable[..., Any]
        self._check(traits)
        title = "".join(part[:1].upper() + part[1:] for part in self.name.split("_"))
        self.node: type[Node] = type(
            title + "Backward", (Node,), {"__slots__": (), "op": self, "__module__": function.__module__}
        )
        self.node.keeps = any(rule.needs for rule in self.rules.values())
        ordered = [self.rules[name] for name in self.inputs] if self.rules else []
        pulls, with_graph = list(map(_pull, ordered)), list(map(_pull_with_graph, ordered))
        if self.variadic:  # one rule serves the whole list of tensors
            self.node.pulls, self.node.pulls_with_graph = itertools.repeat(*pulls), itertools.repeat(*with_graph)
        else:
            self.node.pulls, self.node.pulls_with_graph = tuple(pulls), tuple(with_graph)
        self.plain_node: type[Node] = type(self.node.__name__, (self.node,), {"__slots__": (), "plain": True})
        OPS[self.name] = self

    def _check(self, unknown: dict[str, Any]) -> None:
        """A misspelt name is found here, when the module is imported."""
        where = f"@{self.kind} {self.name}"
        if unknown:
            raise TypeError(f"{where}: unknown traits {', '.join(unknown)}; known are floats, view, kinds, bools and tensors")
        if tuple(self.inputs) != tuple(self.rules) and self.rules:
            raise TypeError(
                f"{where}: rules are given for {', '.join(self.rules)}, but the parameters are {', '.join(self.inputs + self.settings)}; "
                "the tensor inputs come first, each with its rule, in order"
            )
        known = {"y", *self.inputs, *self.settings, *(["i"] if self.variadic else [])}
        known |= {name + what for name in self.inputs for what in ("_shape", "_dtype")}
        for rule in self.rules.values():
            for need in rule.needs:
                if need not in known:
                    raise TypeError(f"{where}: the rule d{rule.input} needs '{need}', which is none of {', '.join(sorted(known))}")


OPS: dict[str, Op] = {}


def op(_kind: str = "op", /, **declared: Any) -> Callable[[Callable[..., Any]], Any]:
    """Make a NumPy function a differentiable operation. Keywords: a rule ``d<input>`` for each tensor input, and traits:
    ``floats=True`` (integers are computed as floats), ``view=True`` (the output may share the input's memory),
    ``tensors=n`` (the first n parameters are tensors: for functions without a derivative), ``kinds="f"`` or ``"iuf"`` (only
    these dtypes are computed in) and ``bools=False`` (bool tensors are refused even beside others).

    >>> @op(dx=lambda dy, x: 3 * dy * square(x))
    ... def cube(x): return x**3
    """
    rules = {name: value for name, value in declared.items() if callable(value)}
    traits = {name: value for name, value in declared.items() if name not in rules}

    def declare(function: Callable[..., Any]) -> Any:
        declared_op = Op(function, rules, _kind, **traits)
        make = (
            _variadic
            if declared_op.variadic
            else _unary
            if (len(declared_op.inputs), declared_op.settings, declared_op.view) == (1, (), False)
            else _binary
            if (len(declared_op.inputs), declared_op.settings) == (2, ()) and _kind in ("elementwise", "bilinear")
            else _general
        )
        apply = make(declared_op)
        apply.__name__ = apply.__qualname__ = declared_op.name
        apply.__doc__ = function.__doc__
        apply.__module__ = function.__module__
        apply.__wrapped__ = function
        apply.op = declared_op
        declared_op.apply = apply
        return apply

    return declare


def elementwise(**declared: Any) -> Callable[[Callable[..., Any]], Any]:
    """An op that works on each element alone: its Jacobian is diagonal. Inputs broadcast, and are promoted to one dtype."""
    return op("elementwise", **declared)


def linear(**declared: Any) -> Callable[[Callable[..., Any]], Any]:
    """An op that is linear in its tensor input L x; its rule is the adjoint: <Lx, y> = <x, L'y>."""
    return op("linear", **declared)


def bilinear(**declared: Any) -> Callable[[Callable[..., Any]], Any]:
    """An elementwise op that is linear in each of its two inputs: each one's rule multiplies by the other."""
    return op("bilinear", **declared)


# -- what is kept for backward ----------------------------------------------------------------------------------------


class SavedInput:
    """A kept tensor whose memory had been shared or changed already: remembers how often, to notice a later change."""

    __slots__ = ("tensor", "version")

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor
        self.version = storage(tensor)[0]


class SavedOutput:
    """A kept output. Only the array: the tensor would hold its node, which would hold the tensor."""

    __slots__ = ("array", "changes", "slot", "version")

    def __init__(self, array: Any, changes: list[Any], slot: int = 0) -> None:
        self.array = array
        self.changes = changes
        self.slot = slot
        self.version = changes[0]


class Overwritten(Exception):
    """Something kept for backward was changed in place since. The engine turns it into a RuntimeError with the places."""

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype, version: int, expected: int, change: Any, output: bool):
        self.shape, self.dtype, self.version, self.expected = shape, dtype, version, expected
        self.change, self.output = change, output


def keep(value: Any) -> Any:
    """What is kept of an input or a setting: a tensor stays itself, so that a gradient of the gradient can follow it."""
    return SavedInput(value) if isinstance(value, Tensor) and value._storage is not None else value


def unpack(kept: Any) -> Any:
    """The kept value as an array, provided that it is still what it was."""
    if isinstance(kept, (Tensor, SavedInput, SavedOutput)):
        return _verified(kept)
    return kept


def unpack_tensor(kept: Any, node: Node) -> Any:
    """The kept value as a tensor that leads on into the graph, under the same proviso."""
    if isinstance(kept, SavedOutput):
        t = wrap(_verified(kept))
        t._node, t._slot, t._requires_grad, t._storage = node, kept.slot, True, kept.changes
        return t
    if isinstance(kept, (Tensor, SavedInput)):
        _verified(kept)
        return kept.tensor if isinstance(kept, SavedInput) else kept
    return kept


def _verified(kept: Tensor | SavedInput | SavedOutput) -> Any:
    if isinstance(kept, SavedOutput):
        array, changes, version = kept.array, kept.changes, kept.version
    elif isinstance(kept, SavedInput):
        array, changes, version = kept.tensor._array, storage(kept.tensor), kept.version
    else:
        array, changes, version = kept._array, kept._storage or _UNCHANGED, 0
    if changes[0] != version:
        raise Overwritten(array.shape, array.dtype, changes[0], version, changes[1], isinstance(kept, SavedOutput))
    return array


_UNCHANGED = [0, None]
_pass_on = lambda dy: dy  # noqa: E731 (to be compared with rules, which are lambdas)


def _pull(rule: Rule) -> Callable[[Any, Any], Any]:
    """``pull(dy, kept)``: the rule on arrays. One need is kept as it is, several as a tuple."""
    function = rule.function
    if function.__code__.co_code == _pass_on.__code__.co_code:
        return lambda dy, kept: dy  # the rule `lambda dy: dy`, spared a call
    if not rule.needs:
        return lambda dy, kept: function(dy)
    if len(rule.needs) > 1:
        return lambda dy, kept: function(dy, *[unpack(k) for k in kept])
    if rule.needs == ("y",):

        def pull_y(dy: Any, kept: SavedOutput) -> Any:
            return function(dy, kept.array if kept.changes[0] == kept.version else _verified(kept))

        return pull_y

    def pull(dy: Any, kept: Any) -> Any:
        if type(kept) is Tensor and kept._storage is None:  # the short way: nobody shares or changed its memory
            return function(dy, kept._array)
        return function(dy, unpack(kept))

    return pull


def _pull_with_graph(rule: Rule) -> Callable[[Any, Any, Node], Any]:
    """``pull(dy, kept, node)``: the rule on tensors, for create_graph=True."""
    function = rule.function
    if not rule.needs:
        return lambda dy, kept, node: function(dy)
    if len(rule.needs) > 1:
        return lambda dy, kept, node: function(dy, *[unpack_tensor(k, node) for k in kept])
    return lambda dy, kept, node: function(dy, unpack_tensor(kept, node))


# -- recording --------------------------------------------------------------------------------------------------------


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
    """The tensor around ``y`` and the node that says how it came to be. ``frame`` called the operation."""
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
    """The tensor around ``y``, outside the graph. If an input did require grad, it is noted what cut the chain."""
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


# -- the shapes an operation comes in ---------------------------------------------------------------------------------
#
# Small graphs spend their time not in NumPy but in what surrounds it, so the two commonest shapes, one tensor and two
# tensors, have a path of their own; _general says the same for all others.


# Where an elementwise operation neither broadcasts nor promotes, its node takes over the very tuple that is the shape of
# the node before it. Then one look at the identity tells backward that a gradient needs no fitting (see engine.run).


def _unary(op: Op) -> Callable[..., Any]:
    """y = f(x)."""
    forward, node_class, floats, kinds = op.forward, op.node, op.floats, op.kinds
    needs = op.rules[op.inputs[0]].needs if op.rules else ()
    nothing, needs_x, needs_y = needs == (), needs == op.inputs, needs == ("y",)
    simple = nothing or needs_x or needs_y
    same_shape = op.kind == "elementwise"
    differentiable = bool(op.rules)

    def apply(input: Any) -> Any:
        if not isinstance(input, Tensor):
            return forward(_array_argument(op, input))
        if input._view is not None:
            refresh(input)
        x = input._array
        if not (input._requires_grad and recording() and differentiable):
            if kinds and x.dtype.kind not in kinds:
                raise _not_implemented(op, x.dtype)
            return _unrecorded(op, forward(_as_float(x) if floats else x), (input,))
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
        if needs_y:
            changes = [0, None]
            kept = SavedOutput(y, changes)
        elif needs_x:
            kept = input if input._storage is None else SavedInput(input)
        else:
            kept = None
        out = record(node_class, y, shape, dtype, (before,), slots, (kept,), operands, _getframe(1))
        out._storage = changes
        return out

    return apply


def _binary(op: Op) -> Callable[..., Any]:
    """y = f(a, b), elementwise: the inputs broadcast and are promoted; either may be a number."""
    forward, node_class = op.forward, op.node
    only_floats = op.floats or op.kinds is not None or not op.bools  # or else it must be looked into
    name_a, name_b = op.inputs
    needs_a, needs_b = (op.rules[name].needs for name in op.inputs) if op.rules else ((), ())
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
                    a, b = _promoted(op, a, b)
                    promoted = True
            else:
                b, b_needs_grad = other, False
                if a.dtype.kind != "f" or type(b) not in _NUMBERS:
                    a, b = _promoted(op, a, b)
                    promoted = True
        elif isinstance(other, Tensor):
            if other._view is not None:
                refresh(other)
            a, a_needs_grad = input, False
            b, b_needs_grad = other._array, other._requires_grad
            if b.dtype.kind != "f" or type(a) not in _NUMBERS:
                a, b = _promoted(op, a, b)
                promoted = True
        else:
            return forward(input, other)  # arrays in, array out
        try:
            y = forward(a, b)
        except ValueError as error:
            raise _does_not_fit(op, (input, other), error) from None
        if not ((a_needs_grad or b_needs_grad) and differentiable and recording()):
            return _unrecorded(op, y, (input, other))
        operands = None if type(y) is ndarray else (a, b)
        if not simple:
            return _record_general(op, (input, other), (input, other), y, operands, _getframe(1))
        node_a = node_b = kept_a = kept_b = slots = None
        if a_needs_grad:
            before = node_a = input._node or accumulator(input)
            if a_needs_b:
                kept_a = keep(other) if promoted or b is other or other._storage is not None else other
            if input._slot:
                slots = (input._slot, 0)
        if b_needs_grad:
            before = node_b = other._node or accumulator(other)
            if b_needs_a:
                kept_b = keep(input) if promoted or a is input or input._storage is not None else input
            if other._slot:
                slots = (input._slot if a_needs_grad else 0, other._slot)
        shape, dtype = before.shape, before.dtype
        if promoted or type(dtype) is tuple or not (
            (node_a is not None and node_b is not None and node_a.shape is node_b.shape) or shape == y.shape
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


def _general(op: Op) -> Callable[..., Any]:
    """Any number of tensor inputs (None: an optional one left out), any settings, one output or a tuple of them."""
    forward, count, total = op.forward, len(op.inputs), len(op.parameters)
    promotes = op.kind in ("elementwise", "bilinear")
    differentiable = bool(op.rules)

    def apply(*args: Any, **kwargs: Any) -> Any:
        values = args if len(args) == total and not kwargs else _bind(op, args, kwargs)
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
            arrays[:count] = _promoted(op, *arrays[:count])
        elif op.floats:
            arrays[0] = _as_float(arrays[0])
        elif op.kinds and arrays[0].dtype.kind not in op.kinds:
            raise _not_implemented(op, arrays[0].dtype)
        if op.view:
            arrays[0] = memory(tensors[0])
        try:
            y = forward(*arrays)
        except ValueError as error:
            raise _does_not_fit(op, tensors, error) from None
        if not (needs_grad and differentiable and recording()):
            out = tuple(_unrecorded(op, part, tensors) for part in y) if type(y) is tuple else _unrecorded(op, y, tensors)
        else:
            operands = None if type(y) in (ndarray, tuple) else tuple(arrays)
            out = _record_general(op, tensors, values, y, operands, _getframe(1))
        if op.view:
            _mark_view(op, tensors[0], values[count:], out)
        return out

    return apply


def _variadic(op: Op) -> Callable[..., Any]:
    """y = f(x1, x2, ..., setting=...): a list of tensors, as of cat and stack. The rule may ask for ``i``, its place."""
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
    """Record an operation of any shape: ``values`` are all its arguments, in the order of its parameters."""
    needing = [isinstance(t, Tensor) and t._requires_grad for t in tensors]
    given = dict(zip(op.inputs + op.settings, values, strict=True))
    saved_y = SavedOutput(y, [0, None]) if any("y" in rule.needs for rule in op.rules.values()) else None
    rules = [op.rules[op.inputs[0 if op.variadic else i]] for i in range(len(tensors))]
    kept = tuple(
        _kept(op, rule, given, saved_y, i) if needed else None
        for i, (rule, needed) in enumerate(zip(rules, needing, strict=True))
    )
    inputs = tuple(node_of(t) if needed else None for t, needed in zip(tensors, needing, strict=True))
    slots = tuple(t._slot if needed else 0 for t, needed in zip(tensors, needing, strict=True))
    slots = slots if any(slots) else None
    if type(y) is tuple:
        return record_several(op.node, y, inputs, slots, kept, frame)
    out = record(op.node, y, y.shape, y.dtype, inputs, slots, kept, operands, frame)
    if saved_y is not None:
        out._storage = saved_y.changes
    return out


def record_several(node_class: type[Node], ys: tuple[Any, ...], inputs: Any, slots: Any, kept: Any, frame: Any) -> Any:
    """The tensors of an operation with several outputs, which share one node. Integer outputs need no gradient."""
    shapes, kinds = tuple(y.shape for y in ys), tuple(y.dtype for y in ys)
    first = record(node_class, ys[0], shapes, kinds, inputs, slots, kept, None, frame)
    node = first._node
    outputs = [first]
    for slot, y in enumerate(ys[1:], start=1):
        t = wrap(y)
        t._node, t._slot, t._requires_grad = node, slot, True
        outputs.append(t)
    return tuple(outputs)


def _kept(op: Op, rule: Rule, given: dict[str, Any], saved_y: Any, i: int) -> Any:
    """What the rule of input number ``i`` needs, in its order: the thing itself if it is one, a tuple if several."""
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
    return getattr(array, what) if isinstance(array, _ARRAYS) else () if what == "shape" else type(array)


def _mark_view(op: Op, base: Tensor, settings: tuple[Any, ...], out: Any) -> None:
    """Note that ``out`` shares the memory of ``base``, if it does (reshape, for one, must sometimes copy)."""
    several = type(out) is tuple
    for slot, t in enumerate(out if several else (out,)):
        array, owner = t._array, base._array
        if array.base is None or (array.base is not owner and array.base is not owner.base):
            continue
        changes = storage(base)
        t._storage = changes
        parent = base._view
        take = Take(None if parent is None else parent.take, _one_of(op, slot) if several else op.apply, settings)
        t._view = View(base if parent is None else parent.base, take, changes[0], several)


def _one_of(op: Op, slot: int) -> Callable[..., Any]:
    return lambda x, *settings: op.apply(x, *settings)[slot]


# -- arguments --------------------------------------------------------------------------------------------------------

_MISSING = object()
_ALIASES = {"axis": "dim", "keepdims": "keepdim"}  # NumPy's words, which PyTorch takes too


def _bind(op: Op, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
    """The values of all parameters in order, from positional and keyword arguments and defaults."""
    names = op.parameters
    if len(args) > len(names):
        raise TypeError(f"{op.name}() takes {len(names)} arguments ({', '.join(names)}) but {len(args)} were given")
    values = list(args) + [_MISSING] * (len(names) - len(args))
    for name, value in kwargs.items():
        position = _position(op, name)
        if position is None:
            raise TypeError(f"{op.name}() got an unexpected keyword argument '{name}'; it takes {', '.join(names)}")
        if values[position] is not _MISSING:
            raise TypeError(f"{op.name}() got multiple values for argument '{names[position]}'")
        values[position] = value
    for position, value in enumerate(values):
        if value is _MISSING:
            if names[position] not in op.defaults:
                raise TypeError(f"{op.name}() missing required argument '{names[position]}'")
            values[position] = op.defaults[names[position]]
    return values


def _position(op: Op, name: str) -> int | None:
    """Which parameter a keyword means. PyTorch calls the first two tensors of any operation input and other."""
    name = _ALIASES.get(name, name)
    if name in op.parameters:
        return op.parameters.index(name)
    return {"input": 0, "other": 1}.get(name)


def _promoted(op: Op, *operands: Any) -> list[Any]:
    """The operands in their common dtype. Python numbers stay what they are: NumPy fits them to the arrays."""
    present = [x for x in operands if x is not None]
    for position, x in enumerate(present):
        if not isinstance(x, (*_ARRAYS, *_NUMBERS)):
            raise TypeError(
                f"{op.name}(): argument '{('input', 'other')[position] if position < 2 else op.parameters[position]}' "
                f"(position {position + 1}) must be Tensor, not {type(x).__name__}"
            )
    common = result_dtype(*present)
    if not op.bools:
        refused = [x.dtype for x in present if isinstance(x, _ARRAYS) and x.dtype.kind == "b"]
        if refused:
            raise _not_implemented(op, refused[0])
    if op.kinds and common.kind not in op.kinds:
        raise _not_implemented(op, common)
    if op.floats and common.kind != "f":
        common = dtypes.get_default_dtype().numpy
    return [x.astype(common, copy=False) if isinstance(x, _ARRAYS) else x for x in operands]


def _as_float(x: Any) -> Any:
    return x if x.dtype.kind == "f" else x.astype(dtypes.get_default_dtype().numpy)


def _array_argument(op: Op, x: Any) -> Any:
    if isinstance(x, _ARRAYS):
        return x
    raise TypeError(f"{op.name}(): argument 'input' (position 1) must be Tensor, not {type(x).__name__}")


def _not_implemented(op: Op, dtype: np.dtype) -> NotImplementedError:
    """What to raise for a dtype that an operation makes no sense of (or PyTorch none)."""
    kinds = op.kinds or "iuf"
    names = {"b": "bool", "i": "integer", "f": "floating-point"}
    return NotImplementedError(
        f'"{op.name}" not implemented for \'{dtypes.of_array(np.empty(0, dtype))._title}\': it takes '
        f"{' and '.join(names[kind] for kind in names if kind in kinds)} tensors. Convert this {dtype} one first, "
        f"with {'x.float()' if 'f' in kinds else 'x.long()'} for example"
        + (", or compute with it as a mask: ~x, x & y, torch.where(x, a, b)." if dtype.kind == "b" else ".")
    )


def _does_not_fit(op: Op, tensors: Any, error: ValueError) -> Exception:
    """What to raise for a ValueError of NumPy: for shapes that do not broadcast, PyTorch's words and all the shapes."""
    shapes = [t._array.shape if isinstance(t, Tensor) else np.shape(t) for t in tensors]
    if "broadcast" not in str(error) or len(shapes) < 2:
        return error
    ndim = max(map(len, shapes))
    padded = [(1,) * (ndim - len(shape)) + tuple(shape) for shape in shapes]
    for dim in reversed(range(ndim)):
        lengths = {shape[dim] for shape in padded} - {1}
        if len(lengths) > 1:
            a, b = padded[0][dim], next(s[dim] for s in padded[1:] if s[dim] not in (1, padded[0][dim]))
            return RuntimeError(
                f"The size of tensor a ({a}) must match the size of tensor b ({b}) at non-singleton dimension {dim}: "
                f"{op.name} of shapes {' and '.join(str(tuple(s)) for s in shapes)} does not broadcast. Lengths, counted "
                "from the last dimension, must be equal or 1; unsqueeze, reshape or transpose one of them."
            )
    return error
