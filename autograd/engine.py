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
from _thread import RLock  # as threading.RLock, but there already
from collections.abc import Collection, Iterable, Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np

from autograd.dtypes import of_numpy
from autograd.fitting import fit
from autograd.grad_mode import set_recording
from autograd.hooks import FIRST, call_after, call_before, call_tensor_hooks, through
from autograd.layout import layout_of
from autograd.node import (
    FREED,
    AccumulateGrad,
    GradientEdge,
    Node,
    asked_for_graph,
    name_of,
    place_of,
)
from autograd.observe import observers, tell_pulled
from autograd.rules import pull_with_graph
from autograd.saved import Overwritten, Packed, SavedInput
from autograd.tensor import Tensor, storage, wrap

ndarray = np.ndarray
_getrefcount = sys.getrefcount


def _count_of_one_name() -> int:
    """What getrefcount says of an object that one local variable refers to: up to Python 3.13 it
    counts its own argument too."""
    thing = object()
    return _getrefcount(thing)


_ONE_NAME = _count_of_one_name()

# The "rules" for gradients that a node has computed all at once.
_READY_MADE = itertools.repeat(lambda dy, gradient: gradient)


def run(
    roots: Sequence[tuple[Node, int, Any]],
    retain_graph: bool,
    create_graph: bool,
    wanted: Captures | None = None,
    targets: Collection[Node] | None = None,
) -> None:
    """Backpropagate ``roots``, each (node, output number, gradient), to the leaves, or just as far
    as the nodes that are ``targets``, or just to what is ``wanted``, which is caught.

    Gradients are bare arrays, or with ``create_graph`` tensors, so that they are recorded in turn.
    """
    if create_graph:
        asked_for_graph(sys._getframe(1))
    starts = _starts(roots)
    if wanted is not None:
        targets = wanted.places
    needed = None if targets is None else _leading_to(targets, starts)
    if needed is not None:
        starts = {root: start for root, start in starts.items() if root in needed}
    walk = Walk(starts)
    waiting = _count(walk.nodes, needed)
    ready: list[tuple[Node, Any]] = []
    for root, start in starts.items():
        if root in waiting:  # another root leads here
            waiting[root][1] = start
        else:
            ready.append((root, start))

    previous = set_recording(create_graph)
    observed = bool(observers)
    before = _walk.set(walk)
    node: Any = None
    try:
        # As in the forward pass, inf and nan are values, not events.
        with np.errstate(all="ignore"):
            while ready:
                node, dy = ready.pop()
                if node._hooks is not None:
                    dy = call_tensor_hooks(node, dy)
                if wanted is not None and needed is not None and node in wanted.places:
                    dy = wanted.catch(node, dy)
                    if needed.isdisjoint(node._inputs):
                        continue  # nothing wanted lies beyond
                if type(dy) is dict:
                    dy = _all_outputs(node, dy, create_graph)
                (pulls, plain, keeps), inputs, slots, shape, _, _, _, _ = node._data
                if pulls is None and type(node) is AccumulateGrad:
                    if dy is not None:
                        # No name but `dy`: the array is nobody else's, and may become the .grad.
                        mine = _getrefcount(dy) == _ONE_NAME
                        accumulate(node, dy, mine)
                    continue
                if node._hooks is not None and node._hooks.before:
                    dy = call_before(node, dy)
                kept = node._kept
                if kept is FREED and node._op is not None:  # (a Function notices in saved_tensors)
                    raise freed(node)
                if dy is None:  # nothing arrived, and nothing will go on
                    pulls, kept = _READY_MADE, itertools.repeat(None)
                elif observed:
                    gradients = functools.partial(pull_back, node, dy, create_graph, needed)
                    on_arrays = pulls is not None and not create_graph
                    pulls, kept = _READY_MADE, tell_pulled(node, dy, gradients, on_arrays)
                elif pulls is None:
                    pulls, kept = _READY_MADE, node._pull_all(dy, create_graph)
                elif create_graph:
                    pulls, kept = _READY_MADE, _pull_tensors(node, dy, needed)
                if node._hooks is not None and node._hooks.after:
                    pulls, kept = _READY_MADE, call_after(node, dy, pulls, kept, needed)

                if not plain:
                    shape = None
                for target, slot, pull, k in zip(  # noqa: B905 (some are endless)
                    inputs, slots or FIRST, pulls, kept
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
        raise overwritten(node, error) from None
    except Exception as error:
        if type(node) is not AccumulateGrad and node is not None:
            error.add_note(
                f"(in the backward of {name_of(node)}, for the operation at {place_of(node)})"
            )
        raise
    finally:
        set_recording(previous)
        _walk.reset(before)


class Walk:
    """A walk under way: the nodes that it will come through, at first just its roots; and within
    how many others it was begun, by a hook or a backward that called backward."""

    __slots__ = ("__weakref__", "depth", "nodes")

    def __init__(self, roots: Iterable[Node]) -> None:
        self.nodes = set(roots)
        self.depth = depth()


_walk: ContextVar[Walk] = ContextVar("the walk under way in this thread")
current_walk = _walk.get  # for hooks that want to know which backward they are called in


def depth() -> int:
    """How many walks are under way in this thread, each within the one before."""
    outer = _walk.get(None)
    return 0 if outer is None else outer.depth + 1


def _count(seen: set[Node], needed: set[Node] | None) -> dict[Node, list[Any]]:
    """For each node that will receive several gradients from other nodes: [how many, their sum so
    far]. A root that other roots lead to counts as such a node too.

    ``seen`` are the roots, and afterwards all nodes that are reached."""
    roots = set(seen)
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
    return isinstance(kept, (ndarray, Tensor, SavedInput, Packed))


def _leading_to(targets: Collection[Node], roots: Iterable[Node]) -> set[Node]:
    """The nodes from which a target can be reached: only these need to run."""
    needed: set[Node] = set(targets)
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
        if gradient is None and node._fills_in_zeros and node._dtype[slot] is not None:
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


def pull_back(node: Any, dy: Any, create_graph: bool, needed: set[Node] | None = None) -> list[Any]:
    """What ``run`` does with a node of any kind, for all inputs at once: their gradients."""
    pulls = node._data[0][0]
    if node._kept is FREED and node._op is not None:
        raise freed(node)
    if pulls is None:
        return node._pull_all(dy, create_graph)
    if create_graph:
        return _pull_tensors(node, dy, needed)
    return [
        None if target is None or (needed is not None and target not in needed) else pull(dy, k)
        for target, pull, k in zip(node._inputs, pulls, node._kept)  # noqa: B905 (endless)
    ]


_accumulating = RLock()  # several threads may be at the same leaf


def accumulate(node: AccumulateGrad, gradient: Any, mine: bool = False) -> None:
    """Add ``gradient`` to the ``.grad`` of a leaf, with all the hooks around that: those of the
    tensor, of its node, and once more.

    ``mine`` says that the array belongs to the caller alone and may be kept without a copy."""
    leaf, hooks = node.variable, node._hooks
    if not leaf._requires_grad:
        return  # switched off since
    if leaf._node is not None or (leaf._view is not None and not leaf.is_leaf):
        raise RuntimeError(
            "leaf variable has been moved into the graph interior: it was changed in place since, "
            "by what requires grad, and is the result of that now. Change a copy, x.clone()."
        )
    if leaf._leaf_hooks:
        gradient = through(list(leaf._leaf_hooks.values()), gradient)
        mine = False
    if hooks is not None:
        mine = False
        if hooks.before:
            gradient = call_before(node, gradient)
    _add_to_grad(leaf, gradient, mine)
    if leaf._post_accumulate_hooks:
        for hook in list(leaf._post_accumulate_hooks.values()):
            if hook(leaf) is not None:
                raise RuntimeError("Tensor post accumulate grad hooks should return None.")
    if hooks is not None and hooks.after:
        call_after(node, gradient, (), (), None)


def _add_to_grad(leaf: Tensor, gradient: Any, mine: bool) -> None:
    """In place if there is a gradient and nothing is being recorded, as PyTorch does."""
    with _accumulating:
        known = leaf._grad
        if isinstance(gradient, Tensor):
            # A copy, for other leaves may be given the same tensor.
            leaf._grad = gradient.clone() if known is None else known + gradient
        elif known is None:
            if type(gradient) is ndarray:
                contiguous = leaf._array.flags.c_contiguous and gradient.flags.c_contiguous
                if not (mine and contiguous and gradient.base is None):
                    gradient = _copy_laid_out_as(leaf._array, gradient)
            leaf._grad = wrap(gradient)
        else:
            storage(known)[0] += 1
            if type(known._array) is ndarray and known._array.flags.writeable:
                known._array += gradient
            else:
                known._array = known._array + gradient  # a NumPy scalar, which nobody can share


def _copy_laid_out_as(array: ndarray, gradient: ndarray) -> ndarray:
    """A copy whose elements lie in memory as those of the leaf, if these lie close together: then
    the two are one run of memory each to an optimizer."""
    if array.flags.c_contiguous or not layout_of(array).is_dense():
        return gradient.copy()
    copy = np.empty_like(array, gradient.dtype)
    copy[...] = gradient
    return copy


class Captures:
    """The gradients that ``grad()`` asked for: caught where they pass instead of being added to
    leaves."""

    def __init__(self, edges: Sequence[GradientEdge]) -> None:
        self.places: dict[Node, list[tuple[int, int]]] = {}
        self.found: list[Any] = [None] * len(edges)
        for index, edge in enumerate(edges):
            self.places.setdefault(edge.node, []).append((edge.output_nr, index))

    def catch(self, node: Node, dy: Any) -> Any:
        """Note what passes through ``node``, and let it pass."""
        if type(node) is AccumulateGrad and node.variable._leaf_hooks and dy is not None:
            dy = through(list(node.variable._leaf_hooks.values()), dy)
        for slot, index in self.places[node]:
            self.found[index] = dy.get(slot) if type(dy) is dict else dy
        return dy


# -- what can go wrong -----------------------------------------------------------------------------


def freed(node: Node) -> RuntimeError:
    """What ``node`` kept is needed, and gone."""
    return RuntimeError(
        "Trying to backward through the graph a second time (or directly access saved tensors "
        f"after they have already been freed). What {name_of(node)} kept for backward (the "
        f"operation at {place_of(node)}) was freed by the first backward() or grad(). Specify "
        "retain_graph=True the first time if you need to backward through the graph twice; or, if "
        "a tensor from an earlier iteration was carried over, detach() it or compute the loss anew."
    )


def overwritten(node: Node, error: Overwritten) -> RuntimeError:
    """What ``node`` kept is needed, and was changed."""
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
