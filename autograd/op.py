"""The one form of an operation: a NumPy function, and one line of calculus for each input.

    @bilinear(da=lambda dy, b: dy * b, db=lambda dy, a: dy * a)
    def mul(a, b):
        return a * b

From this the decorator makes three things: ``mul`` itself, which takes tensors and records them
(and arrays, which it just computes); the node class ``MulBackward``; and the *pulls*, the rules
made ready for the engine, which pull the gradient of the output back to an input.

A rule is named for its input (``da`` is the rule of ``a``). Its first parameter is ``dy``, the
gradient that arrives; each further one is the *name* of something it needs: an input, a setting
(any other parameter), ``y`` (the output), ``a_shape`` or ``a_dtype``. That, and only that, is kept
for backward. Rules are written in terms of operators and of operations, so they run on bare arrays,
which is fast, and on tensors, which makes a graph of the gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd.observe import observers, tell_of
from autograd.record import binary, general, unary, variadic, with_settings
from autograd.rules import OPS, Op


def op(_kind: str = "op", /, **declared: Any) -> Callable[[Callable[..., Any]], Any]:
    """Make a NumPy function a differentiable operation. Keywords: a rule ``d<input>`` for each
    tensor input, and traits: ``floats=True`` (integers are computed as floats), ``view=True`` (the
    output may share the input's memory), ``tensors=n`` (the first n parameters are tensors: for
    functions without a derivative), ``kinds="f"`` or ``"iuf"`` (only these dtypes are computed in),
    ``bools=False`` (bool tensors are refused even beside others) and ``numbers="b"`` (of the
    inputs only b may be a Python number; ``"all"``: even both).

    >>> @op(dx=lambda dy, x: 3 * dy * square(x))
    ... def cube(x): return x**3
    """
    rules = {name: value for name, value in declared.items() if callable(value)}
    traits = {name: value for name, value in declared.items() if name not in rules}

    def declare(function: Callable[..., Any]) -> Any:
        declared_op = Op(function, rules, _kind, **traits)
        apply: Any = _caller(declared_op)(declared_op)
        apply.__name__ = apply.__qualname__ = declared_op.name
        apply.__doc__ = function.__doc__
        apply.__module__ = function.__module__
        apply.__wrapped__ = function
        apply.op = declared_op
        declared_op.apply = apply
        OPS[declared_op.name] = declared_op
        if observers:
            tell_of(declared_op)
        return apply

    return declare


def _caller(op: Op) -> Callable[[Op], Callable[..., Any]]:
    """Which of the shapes in record.py a call of this operation has."""
    if op.variadic:
        return variadic
    if len(op.inputs) == 1 and not op.settings and not op.view:
        return unary
    pointwise = op.kind in ("elementwise", "bilinear")
    if len(op.inputs) == 2 and not op.settings and pointwise and "f" in (op.kinds or "f"):
        return binary
    return with_settings if len(op.inputs) == 1 and op.bools else general


def elementwise(**declared: Any) -> Callable[[Callable[..., Any]], Any]:
    """An op that works on each element alone: its Jacobian is diagonal. Inputs broadcast, and are
    promoted to one dtype."""
    return op("elementwise", **declared)


def linear(**declared: Any) -> Callable[[Callable[..., Any]], Any]:
    """An op that is linear in its tensor input L x; its rule is the adjoint: <Lx, y> = <x, L'y>."""
    return op("linear", **declared)


def bilinear(**declared: Any) -> Callable[[Callable[..., Any]], Any]:
    """An elementwise op that is linear in each of its two inputs: each one's rule multiplies by the
    other."""
    return op("bilinear", **declared)
