"""What users call: ``backward`` and ``grad``.

Both find where in the graph to start and with what, check it, and send the engine on its walk.
"""

from __future__ import annotations

import functools
import math
import threading
import warnings
from collections.abc import Callable, Sequence
from contextvars import copy_context
from typing import Any

import numpy as np

from autograd.engine import Captures, depth, pull_back, run
from autograd.grad_mode import forward_levels, recording
from autograd.node import GradientEdge, Node
from autograd.record import node_of
from autograd.tensor import Size, Tensor, wrap

ndarray = np.ndarray

Output = Tensor | GradientEdge  # what can be differentiated, or differentiated by


def backward(
    tensors: Output | Sequence[Output],
    grad_tensors: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Tensor | Sequence[Tensor | None] | None = None,
    inputs: Output | Sequence[Output] | None = None,
) -> None:
    """Compute the gradients of ``tensors`` and add them to the ``.grad`` of the leaves (or of
    ``inputs``, if given, which retain their gradients even if they are no leaves).

    ``grad_tensors`` are the gradients to start from, the v of the vector-Jacobian product v'J; None
    is allowed for one-element tensors and means 1. The graph is freed unless ``retain_graph``; with
    ``create_graph`` the gradients are recorded themselves, for derivatives of higher order. A
    tensor may be given by its place in the graph, a ``graph.GradientEdge``.

    Raises RuntimeError if a tensor does not require grad, is not a scalar and got no gradient, got
    one of another shape, or if its graph was freed or something it kept was overwritten."""
    if grad_variables is not None:
        warnings.warn(
            "`grad_variables` is deprecated. Use `grad_tensors` instead.",
            FutureWarning,
            stacklevel=2,
        )
        if grad_tensors is not None:
            raise RuntimeError(
                "`grad_tensors` and `grad_variables` (deprecated) arguments both passed to "
                "`backward()`. Please only use `grad_tensors`."
            )
        grad_tensors = grad_variables
    outputs = _sequence(tensors, "tensors")
    targets = None if inputs is None else _sequence(inputs, "inputs")
    if targets is not None and not targets:
        raise RuntimeError(
            "'inputs' argument to 'backward' cannot be empty. Leave it out to reach all leaves."
        )
    for t in targets or ():
        if isinstance(t, Tensor) and t.requires_grad and not t.is_leaf:
            t.retain_grad()
    nodes = None if targets is None else {edge.node for edge in _edges(targets)}
    if create_graph:
        _warn_of_cycles()
    create_graph, retain = _options(create_graph, retain_graph, outputs, grad_tensors)
    roots = _roots(outputs, grad_tensors, create_graph)
    _run(roots, retain, create_graph, None, nodes)


@functools.cache  # once is enough
def _warn_of_cycles() -> None:
    warnings.warn(
        "Using backward() with create_graph=True will create a reference cycle between the "
        "parameter and its gradient, which can cause a memory leak: x.grad leads to its graph, and "
        "the graph to x. Use autograd.grad() when creating the graph, or set x.grad = None after "
        "use.",
        UserWarning,
        stacklevel=4,
    )


def grad(
    outputs: Output | Sequence[Output],
    inputs: Output | Sequence[Output],
    grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradients of the sum of ``outputs`` with respect to each of ``inputs``, as a tuple; no
    ``.grad`` is touched.

    ``grad_outputs`` weighs the outputs (the v of v'J; with ``is_grads_batched`` a batch of v's
    along the first dimension). An input that the outputs do not depend on raises RuntimeError,
    unless ``allow_unused`` (its gradient is None) or ``materialize_grads`` (it is zero). Otherwise
    as :func:`backward`."""
    ys, xs = _sequence(outputs, "outputs"), _sequence(inputs, "inputs")
    if not xs:
        raise RuntimeError(
            "`inputs` argument to `grad()` cannot be empty. Use backward() to reach all leaves."
        )
    if not only_inputs:
        warnings.warn(
            "only_inputs=False is ignored, as in PyTorch. Use backward() to reach all leaves.",
            FutureWarning,
            stacklevel=2,
        )
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: "
            "allow_unused=False."
        )
    create_graph, retain = _options(create_graph, retain_graph, ys, grad_outputs)
    if is_grads_batched:
        grad_with = functools.partial(
            grad,
            ys,
            xs,
            create_graph=create_graph,
            allow_unused=allow_unused,
            materialize_grads=materialize_grads,
        )
        return _each_of(_batches(ys, grad_outputs), grad_with, retain)
    wanted = Captures(_edges(xs))
    _run(_roots(ys, grad_outputs, create_graph), retain, create_graph, wanted)
    found: list[Tensor | None] = []
    for index, (x, gradient) in enumerate(zip(xs, wanted.found, strict=True)):
        if gradient is None and materialize_grads:
            # Under create_graph it has a gradient to be asked for, like any other: zero again.
            gradient = wrap(_zeros(x)).requires_grad_(create_graph)
        if gradient is None and not allow_unused:
            raise RuntimeError(
                "One of the differentiated Tensors appears to not have been used in the graph: "
                f"input {index}, of shape {_shape_and_dtype(x)[0]}. Set allow_unused=True if this "
                "is the desired behavior."
            )
        found.append(
            gradient if gradient is None or isinstance(gradient, Tensor) else wrap(_own(gradient))
        )
    return tuple(found)


def _options(
    create_graph: bool, retain_graph: bool | None, outputs: list[Output], gradients: Any
) -> tuple[bool, bool]:
    """create_graph and retain_graph, of which the second defaults to the first. The gradients of
    what carries tangents carry tangents too: forward mode needs both."""
    if forward_levels:
        given = gradients if isinstance(gradients, (list, tuple)) else [gradients]
        for t in [*outputs, *given]:
            edge = isinstance(t, GradientEdge)
            if edge or (t is not None and any(level.depends(t) for level in forward_levels)):
                return True, True
    return create_graph, create_graph if retain_graph is None else retain_graph


_DEEP = 30  # backwards within each other, for which Python's stack will do


def _run(*args: Any) -> None:
    """``run``; but the backward within a backward within a backward ... now and then in a thread of
    its own, which has a stack of its own."""
    if depth() % _DEEP != _DEEP - 1:
        run(*args)
        return
    raised: list[BaseException] = []
    context = copy_context()  # with the modes and hooks of this thread

    def work() -> None:
        try:
            context.run(run, *args)
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if raised:
        raise raised[0]


def _batches(ys: list[Output], gradients: Any) -> list[Tensor | None]:
    """The batches of gradients of the outputs, provided that they fit."""
    given = [gradients] if isinstance(gradients, Tensor) else list(gradients)
    for index, (y, v) in enumerate(zip(ys, given, strict=True)):
        shape = _shape_and_dtype(y)[0]
        if v is not None and v._array.shape[1:] != shape:
            raise RuntimeError(
                "If `is_grads_batched=True`, we interpret the first dimension of each grad_output "
                "as the batch dimension. The sizes of the remaining dimensions are expected to "
                "match the shape of corresponding output, but a mismatch was detected: "
                f"grad_output[{index}] has a shape of {v.shape} and output[{index}] has a shape of "
                f"{Size(shape)}."
            )
    return given


def _each_of(
    batches: list[Tensor | None],
    grad_with: Callable[..., tuple[Tensor | None, ...]],
    retain: bool,
) -> tuple[Tensor | None, ...]:
    """The gradients with each v of the batch, stacked along a new first dimension."""
    last = next((len(v) for v in batches if v is not None), 1) - 1
    rows = [
        grad_with([None if v is None else v[i] for v in batches], retain or i < last)
        for i in range(last + 1)
    ]
    return tuple(
        None if column[0] is None else column[0]._stack(column)  # a static method from methods.py
        for column in zip(*rows, strict=True)
    )


def _own(gradient: Any) -> Any:
    """The array, or a copy of a view: whoever gets it may write to it, and it should not keep
    something larger alive."""
    view = type(gradient) is ndarray and gradient.base is not None
    return gradient.copy() if view else gradient


def _zeros(x: Output) -> Any:
    if isinstance(x, GradientEdge):
        raise RuntimeError(
            "materialize_grads cannot be used when the given input is a GradientEdge. Give the "
            "tensor, or leave materialize_grads out."
        )
    return np.zeros(x._array.shape, x._array.dtype)


def _edges(inputs: list[Output]) -> list[GradientEdge]:
    """Where the gradients of ``inputs`` arrive."""
    edges = []
    for index, x in enumerate(inputs):
        if isinstance(x, Tensor):
            if not x.requires_grad:
                raise RuntimeError(
                    f"One of the differentiated Tensors does not require grad: input {index}, of "
                    f"shape {tuple(x.shape)}. Call x.requires_grad_() on it before computing the "
                    "outputs."
                )
            x = GradientEdge(node_of(x), x._slot)
        edges.append(x)
    return edges


def _roots(
    outputs: list[Output], gradients: Any, create_graph: bool
) -> list[tuple[Node, int, Any]]:
    if gradients is None:
        given: list[Any] = [None] * len(outputs)
    else:
        given = [gradients] if isinstance(gradients, Tensor) else list(gradients)
    if len(given) != len(outputs):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(given)} gradients")
    roots = []
    for index, (y, gradient) in enumerate(zip(outputs, given, strict=True)):
        if isinstance(y, Tensor):
            if not y.requires_grad:
                raise RuntimeError(_does_not_require_grad(y, index))
            node, slot = node_of(y), y._slot
        else:
            node, slot = y.node, y.output_nr
        roots.append((node, slot, _start(y, gradient, index, create_graph)))
    return roots


def _start(y: Output, gradient: Any, index: int, create_graph: bool) -> Any:
    """The gradient to start from: the given one, or 1 for a single element."""
    shape, dtype = _shape_and_dtype(y)
    if gradient is None:
        if math.prod(shape) != 1:
            raise RuntimeError(
                "grad can be implicitly created only for scalar outputs, but this one has shape "
                f"{shape}. Reduce it first (loss.sum() or loss.mean()), or pass "
                "gradient=torch.ones_like(y)."
            )
        one = np.ones(shape, dtype) if shape else dtype.type(1)
        return wrap(one) if create_graph else one
    if not isinstance(gradient, Tensor):
        raise TypeError(
            f"gradients can be either Tensors or None, but got {type(gradient).__name__}"
        )
    if gradient._array.shape != shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[{index}] has a shape of {gradient.shape} and "
            f"output[{index}] has a shape of {Size(shape)}."
        )
    return gradient if create_graph else gradient._array


def _shape_and_dtype(y: Output) -> tuple[tuple[int, ...], Any]:
    if isinstance(y, Tensor):
        return y._array.shape, y._array.dtype
    shape, dtype = y.node._shape, y.node._dtype
    return (shape[y.output_nr], dtype[y.output_nr]) if type(dtype) is tuple else (shape, dtype)


def _does_not_require_grad(y: Tensor, index: int) -> str:
    if y._cut is not None:
        cause = f"The chain was cut by {y._cut}."
    elif y._array.dtype.kind != "f":
        cause = f"It is of dtype {y.dtype}, and only floating-point tensors have gradients."
    else:
        cause = (
            "Nothing it was computed from requires grad: make a leaf with requires_grad=True, or "
            "call x.requires_grad_()."
        )
    return f"element {index} of tensors does not require grad and does not have a grad_fn. {cause}"


def _sequence(tensors: Any, what: str) -> list[Output]:
    found = [tensors] if isinstance(tensors, (Tensor, GradientEdge)) else list(tensors)
    for t in found:
        if not isinstance(t, (Tensor, GradientEdge)):
            raise TypeError(
                f"{what} must be a Tensor or a sequence of Tensors, but got {type(t).__name__}"
            )
    return found


def call(node: Node, *gradients: Tensor | None) -> Any:
    """``y.grad_fn(dy)``: the gradients of the inputs of one node, without any hooks. One gradient
    is taken for each output, and one tensor returned, or a tuple, None where none is due."""
    several = type(node._dtype) is tuple
    count = len(node._dtype) if several else 1
    if len(gradients) != count:
        raise TypeError(f"expected {count} arguments, got {len(gradients)} instead")
    recorded = bool(recording())
    given = [g if recorded or g is None else g._array for g in gradients]
    found = tuple(
        [
            g if g is None or isinstance(g, Tensor) else wrap(g)
            for g in pull_back(node, tuple(given) if several else given[0], recorded)
        ]
    )
    return found[0] if len(found) == 1 else found
