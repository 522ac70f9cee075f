"""Jacobians and Hessians, and products of them with vectors, of functions of tensors.

What ``torch.autograd.functional`` offers. Each function takes ``func`` and its ``inputs``, a tensor
or a tuple of tensors, and gives results of the same form. (:mod:`autograd.func` has the same as
functions of functions.) Two choices are common to all: with ``create_graph`` the results can be
differentiated; with ``strict``, RuntimeError is raised where a zero would be returned because an
output does not depend on an input.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd import differentiation
from autograd.grad_mode import enable_grad
from autograd.levels import Level
from autograd.ops.joining import stack
from autograd.tangents import ForwardLevel, push
from autograd.tensor import Tensor, alias, memory, wrap

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

Tensors = Tensor | tuple[Tensor, ...]


class _Evaluated(NamedTuple):
    """``func(*inputs)``, where the inputs have entered a level, each as a tuple."""

    inputs: tuple[Tensor, ...]
    marks: tuple[Any, ...]  # the nodes at which they entered
    outputs: tuple[Tensor, ...]
    one_input: bool  # whether they were given as a tensor, not a tuple
    one_output: bool


def _evaluate(
    level: Level, func: Callable[..., Any], inputs: Any, strict: bool, name: str
) -> _Evaluated:
    xs = _as_tuple(inputs, "inputs", name)
    with level, enable_grad():
        entered = tuple([level.enter(x) for x in xs])
        marks = tuple([x.grad_fn for x in entered])
        given = func(*entered)
    ys = _as_tuple(given, "outputs of the user-provided function", name)
    for i, y in enumerate(ys):
        if strict and not y.requires_grad:
            raise RuntimeError(
                f"Output {i} of the user-provided function does not require gradients. The outputs "
                "must be computed in a differentiable manner from the input when running in "
                "strict mode."
            )
    return _Evaluated(entered, marks, ys, isinstance(inputs, Tensor), isinstance(given, Tensor))


def _as_tuple(given: Any, what: str, name: str) -> tuple[Tensor, ...]:
    if isinstance(given, Tensor):
        return (given,)
    if isinstance(given, tuple) and all(isinstance(t, Tensor) for t in given):
        return given
    raise TypeError(
        f"The {what} given to {name} must be either a Tensor or a tuple of Tensors but the given "
        f"{what} has type {_type_of(given)}."
    )


def _type_of(given: Any) -> str:
    if isinstance(given, tuple):
        return f"tuple of {', '.join(type(t).__name__ for t in given)}"
    return str(type(given))


def _gradients(
    outputs: Sequence[Tensor], inputs: Sequence[Tensor], weights: Any, create_graph: bool
) -> tuple[Tensor | None, ...]:
    """v'J for each input, None where nothing depends on it."""
    pairs = [
        (y, v)
        for y, v in zip(outputs, weights or [None] * len(outputs), strict=True)
        if y.requires_grad
    ]
    if not pairs:
        return (None,) * len(inputs)
    ys, vs = zip(*pairs, strict=True)
    return differentiation.grad(ys, inputs, vs, True, create_graph, allow_unused=True)


def _filled_in(
    found: Sequence[Tensor | None], like: Sequence[Tensor], strict: bool, message: str
) -> tuple[Tensor, ...]:
    """Zeros where there is nothing; RuntimeError if ``strict``."""
    for i, t in enumerate(found):
        if strict and t is None:
            raise RuntimeError(message.format(i) + " This is not allowed in strict mode.")
    return tuple(
        [
            wrap(np.zeros_like(memory(x))) if t is None else t
            for t, x in zip(found, like, strict=True)
        ]
    )


def _check_graph(found: Sequence[Tensor], create_graph: bool, strict: bool, what: str) -> None:
    """With create_graph and strict: RuntimeError for a result that depends on nothing, so that its
    derivative would be zero."""
    for i, t in enumerate(found):
        if create_graph and strict and not t.requires_grad:
            raise RuntimeError(
                f"The {what} of the user-provided function is independent of input {i}. This is "
                "not allowed in strict mode when create_graph=True."
            )


def _given(tensors: Sequence[Tensor], one: bool, create_graph: bool) -> Any:
    """As they are returned: outside the graph unless that was asked for, alone or as a tuple."""
    free = tuple([t if create_graph or not t.requires_grad else alias(t) for t in tensors])
    return free[0] if one else free


_INDEPENDENT = "The output of the user-provided function is independent of input {}."


# -- products with vectors -------------------------------------------------------------------------


def vjp(
    func: Callable[..., Any],
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """``func(*inputs)`` and v'J, for a v of the form of the output (None: 1, for a single
    number)."""
    at = _evaluate(Level(), func, inputs, strict, "vjp")
    weights = _vector(
        v,
        at.outputs,
        "vjp",
        "The vector v can only be None if the user-provided function returns a single Tensor with "
        "a single element.",
    )
    found = _gradients(at.outputs, at.inputs, weights, create_graph)
    filled = _filled_in(found, at.inputs, strict, _INDEPENDENT)
    _check_graph(filled, create_graph, strict, "gradient")
    return (
        _given(at.outputs, at.one_output, create_graph),
        _given(filled, at.one_input, create_graph),
    )


def jvp(
    func: Callable[..., Any],
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """``func(*inputs)`` and J v, for a v of the form of the inputs (None: 1, for a single number),
    pushed along the graph. (As in PyTorch, which gets it by backward twice, what is computed in
    no_grad() counts as a constant; :func:`autograd.func.jvp` sees through that.)"""
    vector = _vector(v, _as_tuple(inputs, "inputs", "jvp"), "jvp", _NEEDS_V)
    at = _evaluate(Level(), func, inputs, strict, "jvp")
    if strict:
        found = _gradients(at.outputs, at.inputs, [wrap(memory(y)) for y in at.outputs], False)
        _filled_in(found, at.inputs, strict, _INDEPENDENT)
    pushed = _pushed(at, at.outputs, vector, create_graph)
    filled = _filled_in(pushed, at.outputs, strict, "Output {} is independent of the inputs.")
    _check_graph(filled, create_graph, strict, "jacobian")
    return (
        _given(at.outputs, at.one_output, create_graph),
        _given(filled, at.one_output, create_graph),
    )


def vhp(
    func: Callable[..., Any],
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """``func(*inputs)``, a single number, and v'H, by backward through backward; v has the form of
    the inputs."""
    vector = _vector(v, _as_tuple(inputs, "inputs", "vhp"), "vhp", _NEEDS_V)
    at, slopes = _with_slopes(func, inputs, strict, "vhp")
    found = _gradients(slopes, at.inputs, vector, create_graph)
    return _second_order(at, found, create_graph, strict)


def hvp(
    func: Callable[..., Any],
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """``func(*inputs)``, a single number, and H v, by forward mode through backward; v has the form
    of the inputs."""
    vector = _vector(v, _as_tuple(inputs, "inputs", "hvp"), "hvp", _NEEDS_V)
    at, slopes = _with_slopes(func, inputs, strict, "hvp")
    found = _pushed(at, slopes, vector, create_graph)
    return _second_order(at, found, create_graph, strict)


def _with_slopes(
    func: Callable[..., Any], inputs: Any, strict: bool, name: str
) -> tuple[_Evaluated, tuple[Tensor, ...]]:
    """The function evaluated, and its gradient, recorded."""
    at = _evaluate(Level(), func, inputs, strict, name)
    if not at.one_output:
        raise RuntimeError(f"The function given to {name} should return a single Tensor")
    if at.outputs[0].numel() != 1:
        raise RuntimeError(
            f"The Tensor returned by the function given to {name} should contain a single element"
        )
    found = _gradients(at.outputs, at.inputs, None, create_graph=True)
    slopes = _filled_in(found, at.inputs, strict, _INDEPENDENT)
    for i, t in enumerate(slopes):
        if strict and not t.requires_grad:
            raise RuntimeError(
                f"While computing the {name}, found that the jacobian of the user-provided "
                f"function with respect to input {i} is independent of the input. This is not "
                "allowed in strict mode. You should ensure that your function is twice "
                "differentiable."
            )
    return at, slopes


def _second_order(
    at: _Evaluated, found: Sequence[Tensor | None], create_graph: bool, strict: bool
) -> tuple[Any, Any]:
    filled = _filled_in(
        found, at.inputs, strict, "The hessian of the user-provided function is zero for input {}."
    )
    _check_graph(filled, create_graph, strict, "hessian")
    return (
        _given(at.outputs, at.one_output, create_graph),
        _given(filled, at.one_input, create_graph),
    )


_NEEDS_V = (
    "The vector v can only be None if the input to the user-provided function is a single Tensor "
    "with a single element."
)


def _vector(v: Any, like: tuple[Tensor, ...], name: str, needs: str) -> tuple[Tensor, ...]:
    """v as a tuple of tensors shaped like those of ``like``; ones if it is None, where ``like`` is
    a single number."""
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise RuntimeError(needs)
        return (wrap(np.ones_like(memory(like[0]))),)
    vector = _as_tuple(v, "v", name)
    if len(vector) != len(like):
        raise RuntimeError(
            "The given v should contain a single Tensor."
            if len(like) == 1
            else f"v is a tuple of invalid length: should be {len(like)} but got {len(vector)}."
        )
    for i, (its_v, t) in enumerate(zip(vector, like, strict=True)):
        if its_v.shape != t.shape:
            entry = f"Entry {i} in " if len(like) > 1 else ""
            raise RuntimeError(
                f"{entry}v has invalid size: should be {t.shape} but got {its_v.shape}."
            )
    return vector


def _pushed(
    at: _Evaluated,
    outputs: Sequence[Tensor],
    vector: Sequence[Tensor | None],
    recorded: bool,
    past_walls: bool = False,
) -> list[Tensor | None]:
    """J v, pushed from the inputs to what was computed from them."""
    start = [v if v is None or recorded else v._array for v in vector]
    known = dict(zip(at.marks, start, strict=True))
    pushed = push(outputs, known, recorded, past_walls)
    return [t if t is None or recorded else wrap(t) for t in pushed]


# -- Jacobians -------------------------------------------------------------------------------------


def jacobian(
    func: Callable[..., Any],
    inputs: Tensors,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The Jacobian of each output y by each input x, of shape ``y.shape + x.shape``: one tensor, or
    a tuple for several inputs, or a tuple of these for several outputs.

    ``strategy`` "reverse-mode" computes it row by row, "forward-mode" column by column. PyTorch's
    refusals are kept: the second needs ``vectorize=True`` and neither goes with ``strict``
    (RuntimeError, NotImplementedError), though ``vectorize`` makes no difference here."""
    _check_strategy(strategy, create_graph, strict, vectorize)
    if strategy == "forward-mode":
        at = _evaluate(ForwardLevel(), func, inputs, strict, "jacobian")
        blocks = _by_columns(at)
    else:
        at = _evaluate(Level(), func, inputs, strict, "jacobian")
        with enable_grad():
            blocks = _by_rows(at, create_graph, strict)
    rows = tuple([_given(row, at.one_input, create_graph) for row in blocks])
    return rows[0] if at.one_output else rows


def hessian(
    func: Callable[..., Any],
    inputs: Tensors,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The second derivatives of ``func``, a single number, by each pair of inputs: the Jacobian of
    the gradient, computed by ``outer_jacobian_strategy`` (see :func:`jacobian`)."""

    def gradient(*xs: Tensor) -> Any:
        _, slopes = _with_slopes(func, xs, strict, "hessian")
        return slopes[0] if isinstance(inputs, Tensor) else slopes

    return jacobian(
        gradient, inputs, create_graph, strict, vectorize, strategy=outer_jacobian_strategy
    )


def _check_strategy(strategy: str, create_graph: bool, strict: bool, vectorize: bool) -> None:
    """PyTorch's refusals, one by one."""
    name = "torch.autograd.functional.jacobian"
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError(
            'Expected strategy to be either "forward-mode" or "reverse-mode". If your function has '
            "more outputs than inputs, the first is quicker, else the second."
        )
    if strategy == "forward-mode":
        both = '`strategy="forward-mode"` are not supported together. Please leave out one of them.'
        if create_graph:
            raise NotImplementedError(f"{name}: `create_graph=True` and {both}")
        if strict:
            raise RuntimeError(f"{name}: `strict=True` and {both}")
        if not vectorize:
            raise NotImplementedError(
                "Computing Jacobian using forward-AD or forward-over-reverse Hessian is only "
                "implemented for `vectorize=True`."
            )
    if strict and vectorize:
        raise RuntimeError(
            f"{name}: `strict=True` and `vectorized=True` are not supported together. Please "
            "either set `strict=False` or `vectorize=False`."
        )


def _by_rows(at: _Evaluated, create_graph: bool, strict: bool) -> list[list[Tensor]]:
    """One backward for each element of each output."""
    blocks = []
    for number, y in enumerate(at.outputs):
        zero = f"Output {number} of the user-provided function is independent of input {{}}."
        rows = []
        for e in unit_vectors(y):
            found = _gradients([y], at.inputs, [e], create_graph)
            rows.append(_filled_in(found, at.inputs, strict, zero))
            _check_graph(rows[-1], create_graph, strict, "jacobian")
        blocks.append([block([row[i] for row in rows], 0, y, x) for i, x in enumerate(at.inputs)])
    return blocks


def _by_columns(at: _Evaluated) -> list[list[Tensor]]:
    """One tangent for each element of each input."""
    blocks: list[list[Tensor]] = [[] for _ in at.outputs]
    for i, x in enumerate(at.inputs):
        columns = []
        for e in unit_vectors(x):
            vector = [e if j == i else None for j in range(len(at.inputs))]
            pushed = _pushed(at, at.outputs, vector, recorded=False, past_walls=True)
            columns.append(_filled_in(pushed, at.outputs, False, ""))
        for number, y in enumerate(at.outputs):
            blocks[number].append(block([column[number] for column in columns], -1, y, x))
    return blocks


def unit_vectors(t: Tensor) -> Iterator[Tensor]:
    """For each element of ``t`` a tensor of its shape that is 1 there and 0 elsewhere."""
    for i in range(t.numel()):
        e = np.zeros(t.shape, memory(t).dtype)
        e.reshape(-1)[i] = 1
        yield wrap(e)


def block(parts: list[Tensor], dim: int, y: Tensor, x: Tensor) -> Tensor:
    """The Jacobian of y by x from its rows (dim 0) or its columns (dim -1)."""
    shape = (*y.shape, *x.shape)
    return stack(parts, dim).reshape(shape) if parts else wrap(np.zeros(shape, memory(y).dtype))
