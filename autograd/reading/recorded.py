"""What the engine recorded, read off the graph behind some tensors.

A recorded graph holds what backward needs and no more. So the numbers of a tensor in its middle are
found where they happen to be: with the tensor itself if somebody still has it, among the operands
that a scalar operation remembers for the sake of pictures, or in what some rule kept.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from autograd.function import Function
from autograd.function_node import FunctionNode
from autograd.node import FREED, AccumulateGrad, Node, name_of
from autograd.record import node_of
from autograd.rules import Op
from autograd.saved import Overwritten, SavedInput, SavedOutput, unpack
from autograd.tensor import Tensor


class Value:
    """A tensor in the graph: an output of a node, a leaf, or a number that was an operand."""

    __slots__ = ("array", "dtype", "node", "shape", "slot", "step", "tensor")

    def __init__(self, node: Node | None, slot: int, tensor: Tensor | None, array: Any) -> None:
        self.node = node  # None: no gradient flows here
        self.slot = slot
        self.tensor = tensor  # where somebody still has it
        self.array = array  # None: its numbers are gone
        self.step: Step | None = None  # the operation that gave it
        if node is None:
            self.shape, self.dtype = np.shape(array), np.asarray(array).dtype
        elif isinstance(node._dtype, tuple):
            self.shape, self.dtype = node._shape[slot], node._dtype[slot]
        else:
            self.shape, self.dtype = node._shape, node._dtype

    @property
    def requires_grad(self) -> bool:
        """Whether a gradient flows here."""
        return self.node is not None

    @property
    def is_number(self) -> bool:
        """Whether it is a Python number, which an operation took as it is."""
        return type(self.array) in (bool, int, float) and self.tensor is None

    @property
    def grad(self) -> Any:
        """The gradient that backward left with the tensor, or None."""
        held = None if self.tensor is None else self.tensor._grad
        return None if held is None else held._array


class Step:
    """An operation in the graph."""

    __slots__ = ("known", "name", "node", "operands", "outputs", "places")

    def __init__(self, node: Node) -> None:
        self.node = node
        self.name = name_of_step(node)
        self.operands: list[tuple[str, Value]] = []  # with the name of the operation's parameter
        self.places: list[int] = []  # of the operands, among all arguments of the operation
        self.outputs: list[Value] = []
        self.known: dict[str, Any] = _known(node)  # what it keeps, by name

    @property
    def output(self) -> Value:
        """Its first output, which nearly always is the only one."""
        return self.outputs[0]


def name_of_step(node: Node) -> str:
    """Return what the operation of a node is called."""
    if isinstance(node, FunctionNode):
        return name_of_function(node._function)
    return str(node._op.name) if node._op is not None else name_of(node).removesuffix("Backward")


def name_of_function(what: Any) -> str:
    """Return what an Op is called, or a Function; one of the library's own as operations are."""
    if isinstance(what, Op):
        return what.name
    name = str(what.__name__)
    if what.__module__.startswith("autograd."):
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    return name


def _known(node: Node) -> dict[str, Any]:
    """Return what a node keeps for backward, by the names its rules use."""
    if node._kept is FREED or not node._kept:
        return {}
    if node._op is None:
        return {f"array {i}": kept for i, kept in enumerate(node._kept, 1) if kept is not None}
    if node._op.variadic:
        return {}
    known: dict[str, Any] = {}
    for name, target, kept in zip(node._op.inputs, node._inputs, node._kept, strict=True):
        needs = node._op.rules[name].needs
        if target is not None and needs:
            known |= zip(needs, kept if len(needs) > 1 else (kept,), strict=True)
    return known


def arrays_kept(node: Node) -> Iterator[np.ndarray]:
    """Yield the arrays that a node keeps for backward."""
    stack = [] if node._kept is FREED else list(node._kept or ())
    while stack:
        kept = stack.pop()
        if type(kept) in (tuple, list):
            stack.extend(kept)
        elif isinstance(array := kept_array(kept), np.ndarray):
            yield array


def kept_array(kept: Any) -> Any:
    """Return the array of something kept, or None if it is none, or was overwritten since."""
    try:
        array = unpack(kept)
    except Overwritten:
        return None
    return array if isinstance(array, (np.ndarray, np.generic)) else None


class Recorded:
    """The graph behind `outputs`: its operations in the order they ran, its tensors."""

    def __init__(
        self,
        outputs: Sequence[Tensor],
        others: Iterable[Tensor] = (),
        noted: Callable[[Node, int], Any] = lambda node, place: None,
    ) -> None:
        """`noted` gives the array of an operand that the operation did not keep, if it is known
        from elsewhere."""
        self._noted = noted
        self.steps: list[Step] = []
        self._values: dict[tuple[int, int], Value] = {}  # by identity of node or tensor, and slot
        self._alive = {_identity(t): t for t in [*others, *outputs]}
        self._by_array = {id(t._array): t for t in others}
        for node in _in_order([t.grad_fn for t in outputs]):
            self.steps.append(self._read(node))
        self.outputs = [self._of_tensor(t) for t in outputs]
        self.values = list(self._values.values())

    def _read(self, node: Node) -> Step:
        step = Step(node)
        slots = node._slots or (0,) * len(node._inputs)
        names = _operand_names(node)
        for i, (target, slot, name) in enumerate(zip(node._inputs, slots, names, strict=True)):
            number = node._operands[i] if node._operands is not None else None
            kept = step.known.get(name)
            if target is not None:
                value = self._of_node(target, slot)
            elif isinstance(kept, (Tensor, SavedInput)):
                value = self._of_tensor(kept if isinstance(kept, Tensor) else kept.tensor)
            elif number is not None or kept is not None:
                value = self._of_number(number if number is not None else kept)
            elif (array := self._noted(node, i)) is not None:
                value = self._of_array(array)
            else:
                continue  # it needs no gradient and nobody kept it, or it was left out
            if value.array is None:
                value.array = number if number is not None else kept_array(kept)
            step.operands.append((name, value))
            step.places.append(i)
        for name, kept in step.known.items():  # tensors that have no derivative: indices, targets
            if isinstance(kept, (Tensor, SavedInput)) and node._op and name in node._op.settings:
                tensor = kept if isinstance(kept, Tensor) else kept.tensor
                step.operands.append((name, self._of_tensor(tensor)))
                step.places.append(node._op.parameters.index(name))
        several = isinstance(node._dtype, tuple)
        step.outputs = [self._of_node(node, i) for i in range(len(node._dtype) if several else 1)]
        for output in step.outputs:
            output.step = step
        for kept in step.known.values():
            if isinstance(kept, SavedOutput):
                output = step.outputs[kept.slot]
                output.array = kept_array(kept) if output.array is None else output.array
        return step

    def _of_node(self, node: Node, slot: int) -> Value:
        key = id(node), slot
        if key not in self._values:
            tensor = self._alive.get(key)
            if isinstance(node, AccumulateGrad):
                tensor = node.variable
            elif tensor is None and node._hooks is not None and slot in node._hooks.retain:
                tensor = node._hooks.retain[slot]()
            array = None if tensor is None else tensor._array
            self._values[key] = Value(node, slot, tensor, array)
        return self._values[key]

    def _of_tensor(self, t: Tensor) -> Value:
        if t.requires_grad:
            return self._of_node(node_of(t), t._slot)
        key = id(t), -1
        if key not in self._values:
            self._values[key] = Value(None, 0, t, t._array)
        return self._values[key]

    def find(self, t: Tensor) -> Value | None:
        """Return the place of a tensor in the graph, if it has one."""
        if t.grad_fn is not None:
            return self._values.get((id(t.grad_fn), t._slot))
        accumulator = t._accumulator() if hasattr(t, "_accumulator") else None
        return self._values.get((id(t), -1) if accumulator is None else (id(accumulator), 0))

    def _of_array(self, array: Any) -> Value:
        named = self._by_array.get(id(array))
        if named is not None:
            return self._of_tensor(named)
        return self._values.setdefault((id(array), -3), Value(None, 0, None, array))

    def _of_number(self, number: Any) -> Value:
        named = self._by_array.get(id(number))
        if named is not None:
            return self._of_tensor(named)
        if isinstance(number, np.ndarray) and not number.ndim:
            number = number.item()  # Python's, in the form that is fastest beside an array
        value = Value(None, 0, None, number)
        self._values[id(value), -2] = value
        return value


def _identity(t: Tensor) -> tuple[int, int]:
    return (id(t), -1) if t.grad_fn is None else (id(t.grad_fn), t._slot)


def _in_order(roots: Iterable[Node | None]) -> list[Node]:
    """Return the operations that lead to `roots`, each after those it takes its operands from."""
    order: list[Node] = []
    seen: set[int] = set()
    stack = [(root, False) for root in reversed(list(roots)) if root is not None]
    while stack:
        node, operands_done = stack.pop()
        if operands_done:
            order.append(node)
        elif id(node) not in seen and not isinstance(node, AccumulateGrad):
            seen.add(id(node))
            stack.append((node, True))
            stack += [(target, False) for target in reversed(node._inputs) if target is not None]
    return order


def _operand_names(node: Node) -> list[str]:
    """Return what the operation calls its operands."""
    count = len(node._inputs)
    if node._op is not None:
        return [node._op.inputs[0]] * count if node._op.variadic else list(node._op.inputs)
    if isinstance(node, FunctionNode):
        names = list(inspect.signature(node._function.forward).parameters)
        if node._function.setup_context is Function.setup_context:
            names = names[1:]  # without ctx
        return [names[place] if place < len(names) else "" for place in node._places]
    return [""] * count
