"""Backpropagation: one walk through the graph, from the outputs back to the leaves.

A node may hand its gradient on only when all of it has arrived: the sum over every path that leads
from the output to it. So first count, for each node, how many gradients it will receive; then start
at the outputs, run each node when its last gradient has come, and let its rules pull that gradient
back to the node's inputs. Each node runs once, however many paths there are. That is all of
reverse-mode differentiation:

    dL/dx  =  sum over the uses u of x:  dL/du * du/dx

Nothing here is recursive, so a graph may be a million operations deep.
"""

from __future__ import annotations

import functools
import itertools
import sys
import warnings
from _thread import RLock  # as threading.RLock, but there already
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from autograd.dtypes import of_numpy
from autograd.grad_mode import set_recording
from autograd.node import FREED, AccumulateGrad, Node, accumulator, name_of, place_of
from autograd.observe import observers, tell_pulled
from autograd.record import node_of
from autograd.rules import pull_with_graph
from autograd.saved import Overwritten, SavedInput
from autograd.tensor import Tensor, storage, wrap

ndarray = np.ndarray
_getrefcount = sys.getrefcount


def _count_of_one_name() -> int:
    """What getrefcount says of an object that one local variable refers to: up to Python 3.13 it
    counts its own argument too."""
    thing = object()
    return _getrefcount(thing)


_ONE_NAME = _count_of_one_name()

# The slots of a node whose inputs are all the first output of their nodes, and the "rules" for
# gradients that a node has computed all at once.
_FIRST = itertools.repeat(0)
_READY_MADE = itertools.repeat(lambda dy, gradient: gradient)


def run(
    roots: Sequence[tuple[Node, int, Any]],
    retain_graph: bool,
    create_graph: bool,
    wanted: Captures | None = None,
) -> None:
    """Backpropagate ``roots``, each (node, output number, gradient), to the leaves, or just to what
    is ``wanted``.

    Gradients are bare arrays, or with ``create_graph`` tensors, so that they are recorded in turn.
    """
    starts = _starts(roots)
    needed = None if wanted is None else _leading_to(wanted, starts)
    if needed is not None:
        starts = {root: start for root, start in starts.items() if root in needed}
    waiting = _count(starts, needed)
    ready: list[tuple[Node, Any]] = []
    for root, start in starts.items():
        if root in waiting:  # another root leads here
            waiting[root][1] = start
        else:
            ready.append((root, start))

    previous = set_recording(create_graph)
    observed = bool(observers)
    node: Any = None
    try:
        # As in the forward pass, inf and nan are values, not events.
        with np.errstate(all="ignore"):
            while ready:
                node, dy = ready.pop()
                if node._hooks is not None:
                    dy = _call_tensor_hooks(node, dy)
                if wanted is not None and needed is not None and node in wanted.places:
                    dy = wanted.catch(node, dy)
                    if needed.isdisjoint(node._inputs):
                        continue  # nothing wanted lies beyond
                if type(dy) is dict:
                    dy = _all_outputs(node, dy, create_graph)
                if node._hooks is not None and node._hooks.before:
                    dy = _call_before(node, dy)
                (pulls, plain, keeps), inputs, slots, shape, _, _, _, _ = node._data
                if pulls is None and type(node) is AccumulateGrad:
                    if dy is not None:
                        # No name but `dy`: the array is nobody else's, and may become the .grad.
                        mine = _getrefcount(dy) == _ONE_NAME
                        accumulate(node.variable, dy, mine)
                        if node._hooks is not None:
                            _call_after(node, dy, (), ())
                    continue
                kept = node._kept
                if kept is FREED and pulls is not None:  # (a Function notices in saved_tensors)
                    raise _freed(node)
                if dy is None:  # nothing arrived, and nothing will go on
                    pulls, kept = _READY_MADE, itertools.repeat(None)
                elif observed:
                    pulls, kept = _READY_MADE, _pull_and_tell(node, dy, create_graph, needed)
                elif pulls is None:
                    pulls, kept = _READY_MADE, node._pull_all(dy, create_graph)
                elif create_graph:
                    pulls, kept = _READY_MADE, _pull_tensors(node, dy, needed)
                if node._hooks is not None and node._hooks.after:
                    pulls, kept = _READY_MADE, _call_after(node, dy, pulls, kept)

                if not plain:
                    shape = None
                for target, slot, pull, k in zip(  # noqa: B905 (some are endless)
                    inputs, slots or _FIRST, pulls, kept
                ):
                    if target is None or (needed is not None and target not in needed):
                        continue
                    g = pull(dy, k)
                    # The very same tuple for a shape: nothing was broadcast, and g fits as it is.
                    its_shape = target._data[3]
                    if its_shape is not shape and g is not None:
                        its_dtype = target._data[4]
                        if type(its_dtype) is tuple:
                            _arrive_at_output(target, slot, g, waiting, ready)
                            continue
                        if g.shape != its_shape or g.dtype is not its_dtype:
                            g = fit(g, its_shape, its_dtype)
                    arrived = waiting.get(target)
                    if arrived is None:  # this is all that will arrive there
                        ready.append((target, g))
                        continue
                    known = arrived[1]
                    if known is None or g is None:
                        arrived[1] = g if known is None else known
                    elif (
                        type(known) is ndarray
                        and known.base is None
                        and _getrefcount(known) == _ONE_NAME + 1
                    ):
                        known += g  # nobody else can see this sum: only `arrived` and `known` do
                    else:
                        arrived[1] = known + g
                    arrived[0] -= 1
                    if not arrived[0]:
                        ready.append((target, arrived[1]))
                        arrived[1] = None
                g = known = dy = None  # so that they do not count as somebody else's references
                if not retain_graph and (keeps or (keeps is None and _holds_memory(node._kept))):
                    node._kept = FREED
    except Overwritten as error:
        raise _overwritten(node, error) from None
    except Exception as error:
        if type(node) is not AccumulateGrad and node is not None:
            error.add_note(
                f"(in the backward of {name_of(node)}, for the operation at {place_of(node)})"
            )
        raise
    finally:
        set_recording(previous)


def _count(roots: Iterable[Node], needed: set[Node] | None) -> dict[Node, list[Any]]:
    """For each node that will receive several gradients from other nodes: [how many, their sum so
    far]. A root that other roots lead to counts as such a node too."""
    roots = set(roots)
    seen = set(roots)
    waiting: dict[Node, list[Any]] = {}
    stack = list(seen)
    while stack:
        for target in stack.pop()._data[1]:
            if target is None or (needed is not None and target not in needed):
                continue
            if target not in seen:
                seen.add(target)
                stack.append(target)
            elif target in waiting:
                waiting[target][0] += 1
            else:
                waiting[target] = [1 if target in roots else 2, None]
    return waiting


def _holds_memory(kept: Any) -> bool:
    """Whether arrays or tensors are among kept settings (masks, indices), or just numbers and
    shapes."""
    if isinstance(kept, tuple):
        return any(map(_holds_memory, kept))
    return isinstance(kept, (ndarray, Tensor, SavedInput))


def _leading_to(wanted: Captures, roots: Iterable[Node]) -> set[Node]:
    """The nodes from which something wanted can be reached: only these need to run."""
    needed: set[Node] = set(wanted.places)
    seen: set[Node] = set()
    stack: list[tuple[Node, bool]] = [(root, False) for root in roots]
    while stack:
        node, inputs_done = stack.pop()
        if inputs_done:
            if any(target in needed for target in node._inputs):
                needed.add(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((target, False) for target in node._inputs if target is not None)
    return needed


def fit(gradient: Any, shape: tuple[int, ...], dtype: np.dtype) -> Any:
    """The gradient brought to the shape and dtype of what it is the gradient of.

    Broadcasting copies a value along new or stretched dimensions; its adjoint sums over them. This
    is the one place where that is undone, for all operations."""
    if isinstance(gradient, Tensor):
        if gradient._array.shape != shape:
            gradient = gradient.sum_to_size(shape)
        return gradient if gradient._array.dtype == dtype else gradient._cast(dtype)
    if gradient.shape != shape:
        gradient = sum_to_shape(gradient, shape)
    return gradient if gradient.dtype == dtype else gradient.astype(dtype)


def sum_to_shape(array: Any, shape: tuple[int, ...]) -> Any:
    """Sum ``array`` over the dimensions along which ``shape`` would be broadcast to it."""
    extra = array.ndim - len(shape)
    stretched = tuple(
        i for i in range(array.ndim) if i < extra or (shape[i - extra] == 1 and array.shape[i] != 1)
    )
    if extra < 0 or any(
        array.shape[i] != shape[i - extra]
        for i in range(max(extra, 0), array.ndim)
        if i not in stretched
    ):
        raise RuntimeError(
            f"a gradient of shape {tuple(array.shape)} arrived for a tensor of shape "
            f"{tuple(shape)}, to which it cannot be summed"
        )
    return array.sum(axis=stretched).reshape(shape) if stretched else array.reshape(shape)


# -- gradients on their way ------------------------------------------------------------------------


def _starts(roots: Sequence[tuple[Node, int, Any]]) -> dict[Node, Any]:
    """What each root starts with: the sum, if the same tensor was given twice."""
    starts: dict[Node, Any] = {}
    for root, slot, gradient in roots:
        if type(root._dtype) is tuple:
            _add_part(starts.setdefault(root, {}), _part(root, slot, gradient))
        else:
            start = fit(gradient, root._shape, root._dtype)
            starts[root] = starts[root] + start if root in starts else start
    return starts


def _part(node: Node, slot: int, gradient: Any) -> dict[int, Any]:
    """The gradient of one output of a node that has several, by its number."""
    return {slot: fit(gradient, node._shape[slot], node._dtype[slot])}


def _arrive_at_output(
    node: Node, slot: int, gradient: Any, waiting: dict[Node, list[Any]], ready: list[Any]
) -> None:
    """What ``run`` does with a gradient, for one output of a node that has several."""
    part = _part(node, slot, gradient)
    arrived = waiting.get(node)
    if arrived is None:
        ready.append((node, part))
        return
    if arrived[1] is None:
        arrived[1] = part
    else:
        _add_part(arrived[1], part)
    arrived[0] -= 1
    if not arrived[0]:
        ready.append((node, arrived[1]))


def _add_part(parts: dict[int, Any], part: dict[int, Any]) -> None:
    for slot, gradient in part.items():
        parts[slot] = parts[slot] + gradient if slot in parts else gradient


def _all_outputs(node: Any, parts: dict[int, Any], create_graph: bool) -> tuple[Any, ...]:
    """The gradients of all outputs of a node: zeros for an output that was not used."""
    gradients: list[Any] = [parts.get(slot) for slot in range(len(node._dtype))]
    for slot, gradient in enumerate(gradients):
        if gradient is None and node._fills_in_zeros:
            zero = np.zeros(node._shape[slot], node._dtype[slot])
            gradients[slot] = wrap(zero) if create_graph else zero
    return tuple(gradients)


def _pull_tensors(node: Node, dy: Any, needed: set[Node] | None) -> list[Any]:
    return [
        None
        if target is None or (needed is not None and target not in needed)
        else pull_with_graph(node._op.rule_of(i), dy, k, node)
        for i, (target, k) in enumerate(zip(node._inputs, node._kept, strict=True))
    ]


def _pull_and_tell(node: Any, dy: Any, create_graph: bool, needed: set[Node] | None) -> Any:
    """What ``run`` does with a node of any kind, all inputs at once, while somebody looks on."""
    pulls = node._data[0][0]

    def gradients() -> list[Any]:
        if pulls is None:
            return node._pull_all(dy, create_graph)
        if create_graph:
            return _pull_tensors(node, dy, needed)
        return [
            None if target is None or (needed is not None and target not in needed) else pull(dy, k)
            for target, pull, k in zip(node._inputs, pulls, node._kept)  # noqa: B905 (endless)
        ]

    return tell_pulled(node, dy, gradients, on_arrays=pulls is not None and not create_graph)


_accumulating = RLock()  # several threads may be at the same leaf


def accumulate(leaf: Tensor, gradient: Any, mine: bool = False) -> None:
    """Add ``gradient`` to ``leaf.grad``, in place if there is one and nothing is being recorded, as
    PyTorch does.

    ``mine`` says that the array belongs to the caller alone and may be kept without a copy."""
    if not leaf._requires_grad:
        return  # switched off since
    if leaf._leaf_hooks:
        gradient = _through(list(leaf._leaf_hooks.values()), gradient)
        mine = False
    with _accumulating:
        known = leaf._grad
        if isinstance(gradient, Tensor):
            # A copy, for other leaves may be given the same tensor.
            leaf._grad = gradient.clone() if known is None else known + gradient
        elif known is None:
            if type(gradient) is ndarray and not (mine and gradient.base is None):
                gradient = gradient.copy()
            leaf._grad = wrap(gradient)
        else:
            storage(known)[0] += 1
            if type(known._array) is ndarray and known._array.flags.writeable:
                known._array += gradient
            else:
                known._array = known._array + gradient  # a NumPy scalar, which nobody can share
    if leaf._post_accumulate_hooks:
        for hook in list(leaf._post_accumulate_hooks.values()):
            hook(leaf)


class Captures:
    """The gradients that ``grad()`` asked for: caught where they pass instead of being added to
    leaves."""

    def __init__(self, tensors: Sequence[Tensor]) -> None:
        self.places: dict[Node, list[tuple[int, int]]] = {}
        self.found: list[Any] = [None] * len(tensors)
        for index, t in enumerate(tensors):
            t.grad_fn  # noqa: B018 (brings the node of a view up to date)
            self.places.setdefault(node_of(t), []).append((t._slot, index))

    def catch(self, node: Node, dy: Any) -> Any:
        """Note what passes through ``node``, and let it pass."""
        if type(node) is AccumulateGrad and node.variable._leaf_hooks and dy is not None:
            dy = _through(list(node.variable._leaf_hooks.values()), dy)
        for slot, index in self.places[node]:
            self.found[index] = dy.get(slot) if type(dy) is dict else dy
        return dy


# -- hooks -----------------------------------------------------------------------------------------


def _call_tensor_hooks(node: Node, dy: Any) -> Any:
    """The gradient of each output after the hooks of the tensor there, which may retain it."""
    hooks = node._hooks
    assert hooks is not None
    parts = dy if type(dy) is dict else {0: dy} if dy is not None else {}
    for slot, hook in list(hooks.tensor.values()):
        if slot in parts:
            parts[slot] = _through([hook], parts[slot])
    for slot, reference in hooks.retain.items():
        t = reference()
        if t is not None and slot in parts:
            part = _as_tensor(parts[slot])
            t._grad = part.clone() if t._grad is None else t._grad + part
    return dy if type(dy) is dict else parts.get(0)


def _through(hooks: list[Any], gradient: Any) -> Any:
    """The gradient after each hook in turn has seen it and perhaps replaced it."""
    for hook in hooks:
        replacement = hook(_as_tensor(gradient))
        if replacement is not None:
            gradient = _accepted(hook, replacement, gradient)
    return gradient


def _call_before(node: Node, dy: Any) -> Any:
    """What the prehooks of a node make of the gradients of its outputs."""
    assert node._hooks is not None
    several = type(dy) is tuple
    parts = dy if several else (dy,)
    for before in list(node._hooks.before.values()):
        parts = _all_accepted(before, before(tuple(map(_as_tensor, parts))), parts)
    return parts if several else parts[0]


def _call_after(node: Node, dy: Any, pulls: Any, kept: Any) -> tuple[Any, ...]:
    """What the hooks of a node make of the gradients of its inputs."""
    assert node._hooks is not None
    gradients: tuple[Any, ...] = tuple(
        _fitted(target, slot, pull(dy, k)) if target is not None else None
        for target, slot, pull, k in zip(  # noqa: B905 (some are endless)
            node._inputs, node._slots or _FIRST, pulls, kept
        )
    )
    outer = tuple(map(_as_tensor, dy if type(dy) is tuple else (dy,)))
    for after in list(node._hooks.after.values()):
        gradients = _all_accepted(after, after(tuple(map(_as_tensor, gradients)), outer), gradients)
    return gradients


def _fitted(target: Node, slot: int, gradient: Any) -> Any:
    if gradient is None:
        return None
    shape, dtype = target._shape, target._dtype
    return (
        fit(gradient, shape[slot], dtype[slot])
        if type(dtype) is tuple
        else fit(gradient, shape, dtype)
    )


def _as_tensor(gradient: Any) -> Any:
    return gradient if gradient is None or isinstance(gradient, Tensor) else wrap(gradient)


def _all_accepted(hook: Any, replacement: Any, gradients: tuple[Any, ...]) -> tuple[Any, ...]:
    """The gradients, or what a hook of a node returned in their place."""
    if replacement is None:
        return gradients
    news = replacement if isinstance(replacement, tuple) else (replacement,)
    if len(news) != len(gradients):
        raise RuntimeError(
            f"hook '{_name_of(hook)}' has returned an incorrect number of values (got {len(news)}, "
            f"but expected {len(gradients)})"
        )
    return tuple([_accepted(hook, new, old) for new, old in zip(news, gradients, strict=True)])


def _accepted(hook: Any, new: Any, old: Any) -> Any:
    """What a hook returned in place of a gradient, in the form the walk is using, provided that it
    is alike in shape and dtype."""
    if old is None and new is None:
        return None
    name = f"hook '{_name_of(hook)}'"
    if old is None:
        raise RuntimeError(f"{name} can't replace a None gradient with a non-None value")
    if not isinstance(new, Tensor):
        raise TypeError(
            f"{name} must return None or the new gradient as a Tensor, but returned "
            f"'{type(new).__name__}'"
        )
    recorded = isinstance(old, Tensor)
    was, now = old._array if recorded else old, new._array
    if now.dtype != was.dtype:
        raise RuntimeError(
            f"{name} has changed the type of value (was {of_numpy(was.dtype)} got {new.dtype})"
        )
    if now.shape != was.shape:
        raise RuntimeError(f"{name} has changed the size of value: {was.shape} became {now.shape}")
    return new if recorded else now


def _name_of(hook: Any) -> str:
    return getattr(hook, "__name__", type(hook).__name__)


# -- what can go wrong -----------------------------------------------------------------------------


def _freed(node: Node) -> RuntimeError:
    return RuntimeError(
        "Trying to backward through the graph a second time (or directly access saved tensors "
        f"after they have already been freed). What {name_of(node)} kept for backward (the "
        f"operation at {place_of(node)}) was freed by the first backward() or grad(). Specify "
        "retain_graph=True the first time if you need to backward through the graph twice; or, if "
        "a tensor from an earlier iteration was carried over, detach() it or compute the loss anew."
    )


def _overwritten(node: Node, error: Overwritten) -> RuntimeError:
    kind = of_numpy(error.dtype)._title + "Tensor"
    which = "the output of" if error.output else "an input of"
    changed = f" It was changed by {error.change}." if error.change else ""
    return RuntimeError(
        "one of the variables needed for gradient computation has been modified by an inplace "
        f"operation: [torch.{kind} {list(error.shape)}], {which} {name_of(node)} (the operation at "
        f"{place_of(node)}), is at version {error.version}; expected version {error.expected} "
        f"instead.{changed} Use the out-of-place form (x = x + 1 for x += 1), clone() the tensor "
        "before changing it, or change it after backward()."
    )


# -- what users call -------------------------------------------------------------------------------


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Compute the gradients of ``tensors`` and add them to the ``.grad`` of the leaves (or of
    ``inputs``, if given).

    ``grad_tensors`` are the gradients to start from, the v of the vector-Jacobian product v'J; None
    is allowed for one-element tensors and means 1. The graph is freed unless ``retain_graph``; with
    ``create_graph`` the gradients are recorded themselves, for derivatives of higher order.

    Raises RuntimeError if a tensor does not require grad, is not a scalar and got no gradient, got
    one of another shape, or if its graph was freed or something it kept was overwritten."""
    outputs = _sequence(tensors, "tensors")
    targets = None if inputs is None else list(dict.fromkeys(_sequence(inputs, "inputs")))
    for t in targets or ():
        if t.requires_grad and not t.is_leaf:
            t.retain_grad()
    if targets is not None and not targets:
        raise RuntimeError(
            "'inputs' argument to 'backward' cannot be empty. Leave it out to reach all leaves."
        )
    roots = _roots(outputs, grad_tensors, create_graph)
    wanted = None if targets is None else Captures(_requiring_grad(targets))
    retain = create_graph if retain_graph is None else retain_graph
    run(roots, retain, create_graph, wanted)
    if wanted is not None and targets is not None:
        for t, gradient in zip(targets, wanted.found, strict=True):
            if gradient is not None and t.is_leaf:
                hooks, t._leaf_hooks = t._leaf_hooks, None  # these have seen it already
                try:
                    accumulate(t, gradient)
                finally:
                    t._leaf_hooks = hooks


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
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
    retain = create_graph if retain_graph is None else retain_graph
    if is_grads_batched:
        grad_with = functools.partial(
            grad,
            ys,
            xs,
            create_graph=create_graph,
            allow_unused=allow_unused,
            materialize_grads=materialize_grads,
        )
        return _each_of(_sequence(grad_outputs, "grad_outputs"), grad_with, retain)
    _requiring_grad(xs)
    wanted = Captures(xs)
    run(_roots(ys, grad_outputs, create_graph), retain, create_graph, wanted)
    found: list[Tensor | None] = []
    for index, (x, gradient) in enumerate(zip(xs, wanted.found, strict=True)):
        if gradient is None and materialize_grads:
            gradient = np.zeros(x._array.shape, x._array.dtype)
        if gradient is None and not allow_unused:
            raise RuntimeError(
                "One of the differentiated Tensors appears to not have been used in the graph: "
                f"input {index}, of shape {tuple(x.shape)}. Set allow_unused=True if this is the "
                "desired behavior."
            )
        found.append(
            gradient if gradient is None or isinstance(gradient, Tensor) else wrap(_own(gradient))
        )
    return tuple(found)


def _each_of(
    batch: list[Tensor], grad_with: Callable[..., tuple[Tensor | None, ...]], retain: bool
) -> tuple[Tensor | None, ...]:
    """The gradients with each v of the batch, stacked along a new first dimension."""
    last = len(batch[0]) - 1
    rows = [grad_with([v[i] for v in batch], retain or i < last) for i in range(last + 1)]
    return tuple(
        None if column[0] is None else column[0]._stack(column)  # a static method from methods.py
        for column in zip(*rows, strict=True)
    )


def _own(gradient: Any) -> Any:
    """The array, or a copy of a view: whoever gets it may write to it, and it should not keep
    something larger alive."""
    view = type(gradient) is ndarray and gradient.base is not None
    return gradient.copy() if view else gradient


def _roots(
    outputs: list[Tensor], gradients: Any, create_graph: bool
) -> list[tuple[Node, int, Any]]:
    if gradients is None:
        given: list[Any] = [None] * len(outputs)
    else:
        given = [gradients] if isinstance(gradients, Tensor) else list(gradients)
    if len(given) != len(outputs):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(given)} gradients")
    roots = []
    for index, (y, gradient) in enumerate(zip(outputs, given, strict=True)):
        node = y.grad_fn
        if not y._requires_grad:
            raise RuntimeError(_does_not_require_grad(y, index))
        roots.append((node or accumulator(y), y._slot, _start(y, gradient, index, create_graph)))
    return roots


def _start(y: Tensor, gradient: Any, index: int, create_graph: bool) -> Any:
    """The gradient to start from: the given one, or 1 for a single element."""
    array = y._array
    if gradient is None:
        if array.size != 1:
            raise RuntimeError(
                "grad can be implicitly created only for scalar outputs, but this one has shape "
                f"{tuple(array.shape)}. Reduce it first (loss.sum() or loss.mean()), or pass "
                "gradient=torch.ones_like(y)."
            )
        one = array.dtype.type(1) if not array.ndim else np.ones(array.shape, array.dtype)
        return wrap(one) if create_graph else one
    if not isinstance(gradient, Tensor):
        raise TypeError(
            f"gradients can be either Tensors or None, but got {type(gradient).__name__}"
        )
    if gradient._array.shape != array.shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[{index}] has a shape of {gradient.shape} and "
            f"output[{index}] has a shape of {y.shape}."
        )
    return gradient if create_graph else gradient._array


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


def _requiring_grad(tensors: list[Tensor]) -> list[Tensor]:
    for index, t in enumerate(tensors):
        if not t.requires_grad:
            raise RuntimeError(
                f"One of the differentiated Tensors does not require grad: input {index}, of shape "
                f"{tuple(t.shape)}. Call x.requires_grad_() on it before computing the outputs."
            )
    return tensors


def _sequence(tensors: Any, what: str) -> list[Tensor]:
    found = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    for t in found:
        if not isinstance(t, Tensor):
            raise TypeError(
                f"{what} must be a Tensor or a sequence of Tensors, but got {type(t).__name__}"
            )
    return found
