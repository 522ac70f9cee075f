"""Derivatives of functions, as functions: ``grad``, ``vjp``, ``jvp``, ``jacrev``, ``jacfwd``,
``hessian``.

Each takes a function of tensors and gives another, so they can be nested as one likes:
``jacfwd(jacrev(f))`` is the Hessian, ``vmap(grad(loss), (None, 0))`` one gradient a sample. All of
them do the same: the inputs enter a level of their own (levels.py), the function is called,
gradients are pulled back or tangents pushed on, and the results leave the level.

Inputs and outputs may be trees: tuples, lists and dicts of tensors (pytree.py).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd import differentiation
from autograd.batching import check_randomness, vmap
from autograd.functional import block, unit_vectors
from autograd.grad_mode import enable_grad
from autograd.levels import Level, concern_others, leave
from autograd.pytree import flatten, tree_map, unflatten
from autograd.stateless import functional_call, stack_module_state
from autograd.tangents import ForwardLevel, check_fits, push
from autograd.tensor import Tensor, memory, wrap

__all__ = [
    "functional_call",
    "grad",
    "grad_and_value",
    "hessian",
    "jacfwd",
    "jacrev",
    "jvp",
    "linearize",
    "stack_module_state",
    "vjp",
    "vmap",
]


class _Call:
    """``func(*primals)``, where the primals have entered a level. ``name`` is for messages."""

    def __init__(
        self, level: Level, func: Callable[..., Any], primals: Any, has_aux: bool, name: str
    ) -> None:
        xs, self.structure = flatten(primals)
        for x in xs:
            if not isinstance(x, Tensor):
                raise ValueError(f"Thing passed to transform API must be Tensor, got {type(x)}")
        with level, enable_grad():
            self.inputs = [level.enter(x) for x in xs]
            # Found now: in forward mode the function may change its inputs in place.
            self.marks: list[Any] = [x.grad_fn for x in self.inputs]
            output = func(*unflatten(self.inputs, self.structure))
        self.aux = None
        if has_aux:
            if not (isinstance(output, tuple) and len(output) == 2):
                raise RuntimeError(
                    f"{name}: output of function f should be a tuple: (output, aux) if has_aux is "
                    f"True, got {type(output)}"
                )
            output, self.aux = output
        self.outputs, self.form = flatten(output)
        for y in self.outputs:
            if not isinstance(y, Tensor):
                raise RuntimeError(
                    f"{name}: expected f(*args) to return only tensors, got unsupported type "
                    f"{type(y)}"
                )

    def results(self, *derivative: Any, has_aux: bool) -> tuple[Any, ...]:
        """(output, derivative), with aux at the end if there is one, outside the level."""
        output = unflatten([leave(y) for y in self.outputs], self.form)
        aux = (tree_map(leave, self.aux),) if has_aux else ()
        return output, *derivative, *aux

    def pull(
        self,
        outputs: list[Tensor],
        vs: list[Tensor],
        retain_graph: bool = True,
        create_graph: bool | None = None,
    ) -> list[Tensor]:
        """v'J for each input, zero where ``outputs`` do not depend on it; recorded only if
        something outside depends on it."""
        for number, (y, v) in enumerate(zip(outputs, vs, strict=True)):
            if v.shape != y.shape:
                raise RuntimeError(
                    f"Mismatch in shape: grad_output[{number}] has a shape of {v.shape} and "
                    f"output[{number}] has a shape of {y.shape}."
                )
        due = [(y, v) for y, v in zip(outputs, vs, strict=True) if y.requires_grad]
        if not due:
            return [_zeros(x) for x in self.inputs]
        if create_graph is None:
            create_graph = concern_others([*outputs, *vs])
        ys, weights = zip(*due, strict=True)
        retain = retain_graph or create_graph  # the derivatives of what is pulled need it too
        gradients = differentiation.grad(
            ys, self.inputs, weights, retain, create_graph, allow_unused=True
        )
        return [
            _zeros(x) if g is None else leave(g)
            for x, g in zip(self.inputs, gradients, strict=True)
        ]

    def push(self, tangents: Sequence[Tensor | None]) -> list[Tensor | None]:
        """J t for each output, None where it depends on no input that has a tangent; recorded only
        if something outside depends on it."""
        given = [t for t in tangents if t is not None]
        recorded = concern_others([*self.outputs, *given])
        start = [t if t is None or recorded else t._array for t in tangents]
        pushed = push(self.outputs, dict(zip(self.marks, start, strict=True)), recorded)
        return [t if t is None else leave(t) if recorded else wrap(t) for t in pushed]


def _zeros(t: Tensor) -> Tensor:
    return wrap(np.zeros_like(memory(t)))


# -- gradients -------------------------------------------------------------------------------------


def grad(
    func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """The function that computes the gradient of ``func``, whose result is a single number, with
    respect to the arguments numbered ``argnums`` (a tuple of numbers gives a tuple of gradients).

    With ``has_aux``, ``func`` returns (output, aux), and the result is (gradient, aux).
    RuntimeError if the output is no 0-d tensor."""
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def gradient_of(*args: Any, **kwargs: Any) -> Any:
        gradient, value = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return gradient_of


def grad_and_value(
    func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """As :func:`grad`, with the result (gradient, value), or (gradient, (value, aux))."""
    name = "grad_and_value(f)(*args)"

    @functools.wraps(func)
    def gradient_and_value_of(*args: Any, **kwargs: Any) -> Any:
        function, chosen = _of_chosen(func, args, kwargs, argnums)
        call = _Call(Level(), function, chosen, has_aux, name)
        output = call.outputs[0] if call.form.kind is None else None
        if output is None or output.dim():
            found = "a tree of tensors" if output is None else f"tensor with {output.dim()} dims"
            raise RuntimeError(
                f"{name}: Expected f(*args) to return a scalar Tensor, got {found}. Maybe you "
                "wanted to use the vjp or jacrev APIs instead?"
            )
        gradients = call.pull([output], [wrap(np.ones_like(memory(output)))], retain_graph=False)
        value, *aux = call.results(has_aux=has_aux)
        return (
            _as_chosen(unflatten(gradients, call.structure), argnums),
            (value, *aux) if has_aux else value,
        )

    return gradient_and_value_of


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """``func(*primals)``, and a function of v that computes v'J for each of the primals, as a
    tuple: (output, vjp_fn), or with ``has_aux`` (output, vjp_fn, aux).

    v has the structure of the output. vjp_fn can be called again and again."""
    call = _Call(Level(), func, primals, has_aux, "vjp(f, *primals)")

    def vjp_fn(
        cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None
    ) -> tuple[Any, ...]:
        vs, form = flatten(cotangents)
        if form != call.form:
            raise RuntimeError(
                "Expected pytree structure of cotangents to be the same as pytree structure of "
                f"outputs to the function. cotangents: {form}, primal output: {call.form}"
            )
        return unflatten(call.pull(call.outputs, vs, retain_graph, create_graph), call.structure)

    return call.results(vjp_fn, has_aux=has_aux)


def _numbers(args: tuple[Any, ...], argnums: Any) -> tuple[int, ...]:
    """``argnums`` as a tuple of numbers counted from the front."""
    if not isinstance(argnums, (int, tuple)):
        raise RuntimeError(f"argnums must be int or Tuple[int, ...], got: {type(argnums)}")
    numbers = argnums if isinstance(argnums, tuple) else (argnums,)
    if not numbers:
        raise RuntimeError("argnums must be non-empty")
    for number in numbers:
        if not isinstance(number, int):
            raise RuntimeError(f"argnums must be int or Tuple[int, ...], got: {argnums}")
        if not -len(args) <= number < len(args):
            raise RuntimeError(f"Got argnum={number}, but only {len(args)} positional inputs")
    counted = tuple([number % len(args) for number in numbers])
    if len(set(counted)) < len(counted):
        raise RuntimeError(f"argnums elements must be unique, got {argnums}")
    return counted


def _of_chosen(
    func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], argnums: Any
) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """``func`` as a function of the chosen arguments alone, and these."""
    numbers = _numbers(args, argnums)

    def function(*chosen: Any) -> Any:
        full = list(args)
        for number, arg in zip(numbers, chosen, strict=True):
            full[number] = arg
        return func(*full, **kwargs)

    return function, tuple([args[number] for number in numbers])


def _as_chosen(derivatives: tuple[Any, ...], argnums: int | tuple[int, ...]) -> Any:
    """One derivative for one number, a tuple for a tuple of them."""
    return derivatives if isinstance(argnums, tuple) else derivatives[0]


# -- tangents --------------------------------------------------------------------------------------


def jvp(
    func: Callable[..., Any],
    primals: Any,
    tangents: Any,
    *,
    strict: bool = False,
    has_aux: bool = False,
) -> Any:
    """``func(*primals)`` and J t, by forward mode: (output, tangent), or with ``has_aux`` (output,
    tangent, aux). Primals and tangents are tuples.

    An output that does not depend on the primals has a zero tangent, or with ``strict`` raises
    RuntimeError."""
    name = "jvp(f, primals, tangents)"
    xs, expected = flatten(primals)
    ts, structure = flatten(tangents)
    if not isinstance(primals, tuple):
        raise RuntimeError(
            f"{name}: Expected primals to be a tuple. E.g. it should be valid to call f(*primals)."
        )
    if structure != expected:
        raise RuntimeError(
            f"{name}: Expected primals and tangents to have the same python structure. For "
            "example, if primals is a tuple of 3 tensors, tangents also must be. Got primals with "
            f"structure {expected} and tangents with structure {structure}"
        )
    if not xs:
        raise RuntimeError(f"{name}: Expected primals to contain at least one Tensor.")
    for what, leaves in (("primals", xs), ("tangents", ts)):
        for t in leaves:
            if not isinstance(t, Tensor):
                raise RuntimeError(
                    f"{name}: Expected {what} to only contain Tensors, got {type(t)}"
                )
    for x, t in zip(xs, ts, strict=True):
        check_fits(x, t)
    call = _Call(ForwardLevel(), func, primals, has_aux, name)
    pushed = call.push(ts)
    if strict and None in pushed:
        raise RuntimeError(
            "jvp(f, primals, tangents, strict=True): The output of f is independent of the inputs. "
            "This is not allowed with strict=True."
        )
    return call.results(_filled_in(call, pushed), has_aux=has_aux)


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """``func(*primals)``, and a function of t that computes J t, as often as one likes: ``func``
    is called once, its graph is walked anew.

    RuntimeError for tangents of another structure, shape or dtype than the primals."""
    call = _Call(ForwardLevel(), func, primals, False, "linearize(f, *primals)")

    def jvp_fn(*tangents: Any) -> Any:
        ts, structure = flatten(tangents)
        if structure != call.structure:
            raise RuntimeError(
                f"Expected the tangents {structure} to have the same argspec as the primals "
                f"{call.structure}"
            )
        for number, (t, mark) in enumerate(zip(ts, call.marks, strict=True)):
            if tuple(t.shape) != mark._shape or memory(t).dtype != mark._dtype:
                raise RuntimeError(
                    f"tangent:{number} with shape {list(t.shape)} and dtype {t.dtype} in flattened "
                    f"pytree doesn't match the shape {list(mark._shape)} and dtype {mark._dtype} "
                    "of the corresponding primal."
                )
        return _filled_in(call, call.push(ts))

    output, _ = call.results(jvp_fn, has_aux=False)
    return output, jvp_fn


def _filled_in(call: _Call, pushed: list[Tensor | None]) -> Any:
    """The tangents in the form of the output, zeros where there is none."""
    tangents = [_zeros(y) if t is None else t for y, t in zip(call.outputs, pushed, strict=True)]
    return unflatten(tangents, call.form)


# -- Jacobians -------------------------------------------------------------------------------------


def jacrev(
    func: Callable[..., Any],
    argnums: int | tuple[int, ...] = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
    _preallocate_and_copy: bool = False,
) -> Callable[..., Any]:
    """The function that computes the Jacobian row by row: one backward an element of the output.
    The better choice where the output is smaller than the input.

    The Jacobian of y by x has the shape ``y.shape + x.shape``; of trees, it is a tree of trees.
    ``chunk_size`` spares memory in PyTorch; here the rows come one at a time anyway."""
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError("jacrev: `chunk_size` should be greater than 0.")

    @functools.wraps(func)
    def jacobian_of(*args: Any) -> Any:
        function, chosen = _of_chosen(func, args, {}, argnums)
        call = _Call(Level(), function, chosen, has_aux, "jacrev(f)(*args)")
        blocks = []
        for y in call.outputs:
            rows = [call.pull([y], [e]) for e in unit_vectors(y)]
            by_input = [block([row[i] for row in rows], 0, y, x) for i, x in enumerate(call.inputs)]
            blocks.append(_as_chosen(unflatten(by_input, call.structure), argnums))
        return _jacobian(call, blocks, has_aux)

    return jacobian_of


def jacfwd(
    func: Callable[..., Any],
    argnums: int | tuple[int, ...] = 0,
    has_aux: bool = False,
    *,
    randomness: str = "error",
) -> Callable[..., Any]:
    """The function that computes the Jacobian column by column: one tangent an element of the
    input, pushed through the same graph. The better choice where the input is smaller than the
    output.

    Its shape is that of :func:`jacrev`. ``func`` is called once, so ``randomness`` decides
    nothing."""
    check_randomness(randomness)

    @functools.wraps(func)
    def jacobian_of(*args: Any) -> Any:
        function, chosen = _of_chosen(func, args, {}, argnums)
        call = _Call(ForwardLevel(), function, chosen, has_aux, "jacfwd(f)(*args)")
        columns = []  # for each input a list of columns, each with a part for each output
        for i, x in enumerate(call.inputs):
            others = [None] * len(call.inputs)
            columns.append([call.push([*others[:i], e, *others[i + 1 :]]) for e in unit_vectors(x)])
        blocks = []
        for j, y in enumerate(call.outputs):
            by_input = [
                block([_zeros(y) if (t := c[j]) is None else t for c in its_columns], -1, y, x)
                for its_columns, x in zip(columns, call.inputs, strict=True)
            ]
            blocks.append(_as_chosen(unflatten(by_input, call.structure), argnums))
        return _jacobian(call, blocks, has_aux)

    return jacobian_of


def hessian(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """The function that computes the matrix of second derivatives: ``jacfwd(jacrev(func))``."""
    return jacfwd(jacrev(func, argnums), argnums)


def _jacobian(call: _Call, blocks: list[Any], has_aux: bool) -> Any:
    jacobian = unflatten(blocks, call.form)
    _, *aux = call.results(has_aux=has_aux)
    return (jacobian, *aux) if has_aux else jacobian
