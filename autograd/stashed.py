"""What a Function's forward stored on ctx, and its second derivative.

Nothing that forward computes is recorded. If backward uses such an intermediate result, the first
derivative is right; but in the gradient of that gradient it counts as a constant, although it
depends on the inputs. PyTorch returns the wrong number without a word. Here, while a gradient is
recorded, such a tensor is connected to a node that leads to the inputs of the Function and refuses
to be differentiated. So it is refused only where something would really be missing.

An output of forward that was stored on ctx is what it would be if it had been saved: connected to
the node of the Function.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from autograd.node import FREED, TOGETHER, Node, name_of, place_of
from autograd.saved import Packed, SavedInput
from autograd.tensor import Tensor, alias


class MissingDerivative(Node):
    """The way back through an intermediate result of a forward, which was not recorded."""

    __slots__ = ()

    def _pull_all(self, dy: Any, create_graph: bool) -> list[Any]:
        name, function, place = self._kept
        raise RuntimeError(
            f"a derivative of higher order is missing: forward of {function} (called at {place}) "
            f"kept an intermediate result as {name}, and backward used it. What forward computes "
            "is not recorded, so the result counts as a constant in the gradient, although it "
            "depends on the inputs. Compute it again in backward, from inputs saved with "
            "ctx.save_for_backward(); or return it from forward as a further output and save that."
        )


@contextmanager
def barred(node: Any) -> Iterator[None]:
    """While the backward of a Function runs and is recorded, what its forward left on ctx is
    connected as it should be."""
    notes, kept = vars(node.ctx), node._kept
    stored = {name: value for name, value in notes.items() if name != "_marks"}
    lent = {name: _connected(value, node, f"ctx.{name}") for name, value in stored.items()}
    notes.update(lent)
    if kept is not FREED:
        node._kept = tuple([_connected(k, node, "a saved tensor") for k in kept])
    try:
        yield
    finally:
        if kept is not FREED and node._kept is not FREED:
            node._kept = kept
        for name, value in stored.items():
            if notes.get(name) is lent[name]:  # not replaced by backward
                notes[name] = value


def _connected(value: Any, node: Any, name: str) -> Any:
    """The value, its tensors connected where that was lost in this very forward."""
    if isinstance(value, Tensor):
        if value._cut is None or value._cut.by is not node._inside:
            return value
        slot = node._output_numbers.get(id(value))
        return _output_of(node, slot, value) if slot is not None else _missing(value, node, name)
    if isinstance(value, SavedInput):
        saved = SavedInput(_connected(value.tensor, node, name))
        saved.version = value.version
        return saved
    if isinstance(value, Packed) and value.cut is not None and value.cut.by is node._inside:
        return _missing(value.unpacked(), node, name)
    if type(value) in (list, tuple):
        parts = [_connected(v, node, f"{name}[{i}]") for i, v in enumerate(value)]
        # The very same list, if nothing in it is lent: backward may append to it.
        same = all(part is v for part, v in zip(parts, value, strict=True))
        return value if same else type(value)(parts)
    if type(value) is dict:
        values = {key: _connected(v, node, f"{name}[{key!r}]") for key, v in value.items()}
        return value if all(values[key] is v for key, v in value.items()) else values
    return value


def _missing(t: Tensor, node: Node, name: str) -> Tensor:
    way_back = MissingDerivative()
    shape_and_dtype = t._array.shape, t._array.dtype
    way_back._data = (TOGETHER, node._inputs, node._slots, *shape_and_dtype, *node._data[5:])
    way_back._kept = (name, name_of(node).removesuffix("Backward"), place_of(node))
    way_back._hooks = None
    return _output_of(way_back, 0, t)


def _output_of(node: Node, slot: int, t: Tensor) -> Tensor:
    output: Tensor = alias(t)
    output._node, output._slot, output._requires_grad = node, slot, True
    return output
