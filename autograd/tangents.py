"""Forward mode: derivatives pushed along the recorded graph, from inputs to outputs.

    dy  =  sum over the inputs x of an operation:  dy/dx * dx

Backward pulls gradients from output to input, by the transpose of each operation's Jacobian. Here
the same graph is walked the other way, and *tangents* are pushed through the Jacobians themselves.
No operation needs a second rule for that:

- Where an operation is elementwise, its Jacobian is diagonal, hence its own transpose: the rule
  that pulls a gradient back pushes a tangent on.
- Any other rule is linear in dy: v -> J'v. So differentiate the rule, with respect to v: its pull
  is the transpose of the transpose, t -> Jt.
- A Function may bring a ``jvp`` of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping, Sequence
from typing import Any, Self
from weakref import WeakSet

import numpy as np

from autograd.differentiation import grad
from autograd.engine import freed, overwritten, pull_back
from autograd.fitting import fit
from autograd.function import Function
from autograd.function_node import FunctionNode
from autograd.grad_mode import forward_levels, set_recording
from autograd.levels import Level, NoGradBackward, behind_wall, sources
from autograd.node import FREED, Node, name_of, place_of
from autograd.record import node_of
from autograd.rules import pull_with_graph
from autograd.saved import Overwritten, unpack
from autograd.tensor import Tensor, wrap

# -- duals -----------------------------------------------------------------------------------------

# The tangent of each node's output: None if it has none, a tuple if the node has several outputs.
# As gradients in the engine, tangents are bare arrays, or tensors if they are to be differentiated.
Tangents = MutableMapping[Node, Any]


class ForwardLevel(Level):
    """A differentiation in forward mode: what enters carries a tangent."""

    changeable = True  # a change of what has entered is recorded, and the tangent changes with it

    def __init__(self) -> None:
        self.known: Tangents = {}
        self._dependent: WeakSet[Node] = WeakSet()  # nodes found to be

    def __enter__(self) -> Self:
        super().__enter__()
        forward_levels.append(self)
        return self

    def __exit__(self, *exception: object) -> None:
        forward_levels.remove(self)
        super().__exit__(*exception)
        self.known.clear()  # whose nodes are marks of this level, and refer to it

    def enter(self, x: Tensor, tangent: Any = True) -> Tensor:
        """``x`` as this level sees it, with its tangent: None if it has none, True if that is not
        given yet."""
        check_floats("primal", x)
        inside = super().enter(x)
        mark: Any = inside._node
        self.known[mark] = tangent
        return inside

    def depends(self, t: Tensor) -> bool:
        """Whether ``t`` has a tangent."""
        node = t.grad_fn
        if node is None or node in self.known:
            return node is not None and self.known[node] is not None
        if node not in self._dependent and _inputs_first([node], self.known):
            self._dependent.add(node)
        return node in self._dependent

    def tangent_of(self, t: Tensor) -> Tensor | None:
        """The tangent of ``t`` where it can be told already."""
        return None

    def follow(self, compute: Callable[[], Any]) -> Any:
        """What ``compute()`` returns in no_grad(): recorded nevertheless, for the tangents, but
        behind a wall."""
        previous = set_recording(True)
        try:
            found = compute()
        finally:
            set_recording(previous)
        results = [behind_wall(t) for t in (found if type(found) is tuple else (found,))]
        return tuple(results) if type(found) is tuple else results[0]


def check_fits(primal: Tensor, tangent: Tensor) -> None:
    """ValueError if one of the two is not of floats, RuntimeError if their shapes differ."""
    check_floats("primal", primal)
    check_floats("tangent", tangent)
    if tangent.shape != primal.shape:
        raise RuntimeError(
            "Trying to set a forward gradient that has a different size than that of the original "
            f"Tensor, this is not supported. Tensor is of size {list(primal.shape)} while the "
            f"given forward gradient is of size {list(tangent.shape)}."
        )


def check_floats(name: str, t: Tensor) -> None:
    """ValueError for integers, which have no tangents; TypeError for what is no tensor."""
    if not isinstance(t, Tensor):
        raise TypeError(f"Expected {name} to be a Tensor, but got {type(t).__name__}")
    if not t.is_floating_point():
        raise ValueError(f"Expected {name} to be floating point or complex, but got: {t.dtype}")


# -- the walk --------------------------------------------------------------------------------------


def push(
    outputs: Sequence[Tensor], known: Tangents, recorded: bool, past_walls: bool = True
) -> list[Any]:
    """The tangents of ``outputs``, from those of the nodes that are ``known``; None where an output
    depends on none of these. What is found on the way is known from then on.

    Tangents are arrays, or if ``recorded`` tensors with a graph of their own. They pass the walls
    that no_grad() has made, unless this is to stand for a derivative by backward."""
    nodes = [node_of(t) if t.requires_grad else None for t in outputs]
    previous = set_recording(recorded)
    try:
        with np.errstate(all="ignore"):  # inf and nan are values, as in backward
            for node in _inputs_first(nodes, known, past_walls):
                known[node] = _push_through(node, known, recorded)
    finally:
        set_recording(previous)
    return [_tangent_at(node, t._slot, known) for node, t in zip(nodes, outputs, strict=True)]


def _inputs_first(
    roots: Iterable[Node | None], known: Tangents, past_walls: bool = True
) -> list[Node]:
    """The nodes that lead from what is known to ``roots``, each after its inputs."""
    order: list[Node] = []
    leading = {node for node, tangent in known.items() if tangent is not None}
    seen = set(known)
    stack = [(root, False) for root in roots]
    while stack:
        node, inputs_done = stack.pop()
        if node is None or (node in seen and not inputs_done):
            continue
        before = sources(node)[0] if past_walls else node._inputs
        if not inputs_done:
            seen.add(node)
            stack.append((node, True))
            stack.extend((source, False) for source in before)
        elif not leading.isdisjoint(before):
            leading.add(node)
            order.append(node)
    return order


def _tangent_at(node: Node | None, slot: int, known: Tangents) -> Any:
    """The tangent of output ``slot`` of a node."""
    tangent = None if node is None else known.get(node)
    return tangent[slot] if type(tangent) is tuple else tangent


def _push_through(node: Node, known: Tangents, recorded: bool) -> Any:
    """The tangent of what ``node`` computed."""
    if node._kept is FREED:
        raise freed(node)
    incoming = [_tangent_at(*source, known) for source in zip(*sources(node), strict=True)]
    if type(node) is NoGradBackward:
        return behind_wall(incoming[0]) if recorded else incoming[0]
    try:
        if isinstance(node, FunctionNode):
            return _through_function(node, incoming, recorded)
        if node._op is not None and node._op.kind in ("elementwise", "bilinear"):
            return _along_diagonal(node, incoming, recorded)
        return _transposed(node, incoming, recorded)
    except Overwritten as error:
        raise overwritten(node, error) from None


def _along_diagonal(node: Node, incoming: list[Any], recorded: bool) -> Any:
    """Each input's own rule pushes its tangent on, once that has the shape and dtype of the output,
    to which the input was broadcast and promoted."""
    shape, dtype = node._shape, node._dtype
    total: Any = None
    for i, tangent in enumerate(incoming):
        if tangent is None:
            continue
        rule, kept = node._op.rule_of(i), node._kept[i]
        if tangent.shape != shape:
            tangent = tangent.expand(shape) if recorded else np.broadcast_to(tangent, shape)
        tangent = fit(tangent, shape, dtype)
        if recorded:
            part = pull_with_graph(rule, tangent, kept, node)
        else:
            needs = kept if len(rule.needs) > 1 else (kept,) * len(rule.needs)
            part = rule.function(tangent, *map(unpack, needs))
        part = fit(part, shape, dtype)
        total = part if total is None else total + part
    return total


def _transposed(node: Node, incoming: list[Any], recorded: bool) -> Any:
    """The tangent by the transpose of the node's own backward."""
    several = type(node._dtype) is tuple
    forms = zip(node._shape, node._dtype, strict=True) if several else [(node._shape, node._dtype)]
    vs = [_variable(shape, dtype) for shape, dtype in forms]
    previous = set_recording(True)
    try:
        pulled = _pull(node, tuple(vs) if several else vs[0], incoming)
    finally:
        set_recording(previous)
    weights = [t if recorded else wrap(t) for t in incoming if t is not None]
    pairs = [(g, t) for g, t in zip(pulled, weights, strict=True) if g is not None]
    moving = [(g, t) for g, t in pairs if g.requires_grad]
    wanted = [v for v in vs if v is not None]
    found: Any = [None] * len(wanted)
    if moving:
        gs, ts = zip(*moving, strict=True)
        found = grad(gs, wanted, ts, create_graph=recorded, allow_unused=True)
    found = [
        wrap(np.zeros_like(v._array)) if u is None else u
        for v, u in zip(wanted, found, strict=True)
    ]
    if isinstance(node, FunctionNode):
        _check_transpose(node, pairs, list(zip(wanted, found, strict=True)))
    rest = iter(found if recorded else [f._array for f in found])
    tangents = tuple([v if v is None else next(rest) for v in vs])
    return tangents if several else tangents[0]


def _variable(shape: tuple[int, ...], dtype: np.dtype | None) -> Tensor | None:
    """A v to differentiate by; None for an output that has no gradient. Its value does not matter,
    for what is linear in it, but it serves to check that."""
    if dtype is None or dtype.kind != "f":
        return None
    values = np.cos(np.arange(1, 1 + np.prod(shape, dtype=int))).reshape(shape)
    return wrap(values.astype(dtype)).requires_grad_()


def _pull(node: Any, dy: Any, incoming: list[Any]) -> list[Any]:
    """J'dy, recorded, for each of the inputs that has a tangent."""
    needed = {n for n, t in zip(node._inputs, incoming, strict=True) if t is not None}
    return [
        g if g is None else fit(g, t.shape, t._array.dtype if isinstance(t, Tensor) else t.dtype)
        for g, t in zip(pull_back(node, dy, True, needed), incoming, strict=True)
        if t is not None
    ]


# -- Functions -------------------------------------------------------------------------------------


def _through_function(node: FunctionNode, incoming: list[Any], recorded: bool) -> Any:
    """The tangent of what a Function computed: by its jvp if it has one, else by transposing its
    backward."""
    if node._function.jvp is Function.jvp:
        return _transposed(node, incoming, recorded)
    tensors = [t if t is None or recorded else wrap(t) for t in incoming]
    pushed = node._push_all(tensors, recorded)
    several = type(pushed) is tuple
    bare = tuple(
        [t if t is None or recorded else t._array for t in (pushed if several else (pushed,))]
    )
    return bare if several else bare[0]


def _check_transpose(node: FunctionNode, pulled: list[Any], pushed: list[Any]) -> None:
    """Raise if <J'v, t> is not <v, Jt>: then backward is not linear in the gradient it is given, or
    some of it was computed outside the graph."""
    left = [g._array * t._array for g, t in pulled]
    right = [v._array * u._array for v, u in pushed]
    difference = abs(sum(map(np.sum, left)) - sum(map(np.sum, right)))
    scale = sum(np.abs(part).sum() for part in left + right)
    precision = max([float(np.finfo(v._array.dtype).eps) for v, _ in pushed]) ** 0.5
    if difference > precision * scale:
        raise NotImplementedError(
            f"{name_of(node)} (the operation at {place_of(node)}) cannot be differentiated in "
            "forward mode by transposing its backward, which is not linear in the gradient it is "
            "given, or is computed outside the graph. You must implement the jvp function for a "
            "custom autograd.Function like this to use it with forward mode AD: "
            "jvp(ctx, *tangents of the inputs) -> tangents of the outputs."
        )
