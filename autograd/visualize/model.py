"""What a picture knows: plain data, copied out of the recorded graph when it is drawn.

Everything after this point (DOT, SVG, text) reads only these classes, so a picture does not change
when tensors later do, holds no tensor alive, and can be tested without any renderer.

Tensors and operations are both nodes, and edges run from tensor to operation and from operation to
tensor: a computation reads left to right as `x, y -> add -> q`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

NOTES_APART = "  "  # between the notes of a picture

TensorKind = Literal["input", "parameter", "constant", "value", "output", "cut"]


@dataclass(frozen=True, slots=True)
class Summary:
    """The numbers of one array: all of them if they are few, else their statistics."""

    shape: tuple[int, ...]
    dtype: str
    items: Any  # a number or nested lists of numbers; None when there are too many
    mean: float
    std: float
    low: float
    high: float
    norm: float  # the 2-norm of all elements
    zeros: float  # the share of elements that are exactly 0
    trouble: str  # "" or what is wrong with it: "-inf: 12 of 320 values"


@dataclass(slots=True)
class TensorNode:
    """A tensor: a leaf, or what an operation gave."""

    id: str  # "n0", "n1", ... in topological order
    name: str  # unique in the picture
    label: str  # what is written: the name, but for copies
    kind: TensorKind
    shape: tuple[int, ...]
    dtype: str
    value: Summary | None = None  # None: the numbers are gone, or were not asked for
    grad: Summary | None = None  # None: there is no gradient, which is not the same as 0
    requires_grad: bool = False
    named: bool = True  # False: the name is ours ("t3"), not the user's
    uses: int = 1
    hidden_uses: bool = False  # something that uses it is not drawn
    copy_of: str = ""  # id of the leaf this one repeats; one used far apart is drawn near each use

    @property
    def lacks_grad(self) -> bool:
        """Whether backward should have left a gradient here and did not."""
        is_leaf = self.kind in ("input", "parameter") and not self.copy_of
        return is_leaf and self.requires_grad and self.grad is None


@dataclass(frozen=True, slots=True)
class Saved:
    """An array an operation keeps for its backward."""

    name: str
    nbytes: int


@dataclass(slots=True)
class OpNode:
    """An operation: one node of the recorded graph."""

    id: str
    name: str  # unique in the picture: "mul", "mul_2", ...
    op: str  # "mul"
    symbol: str  # "×"
    settings: tuple[tuple[str, str], ...] = ()
    saved: tuple[Saved, ...] = ()
    rules: tuple[str, ...] = ()  # its derivatives as the book has them: "∂y/∂x = 1 - y²"
    expression: str = ""  # "q = x + y"
    source: str = ""  # where the user wrote it: "train.py:12"
    module: str = ""  # path of the module it belongs to: "layers.0"
    caption: str = ""  # its module, if that is nothing but this operation, and needs no frame
    about: str = ""  # what that module is: "Tanh()"; of a card for many, "Linear(64, 10)"
    node: str = ""  # its node in the recorded graph: "MulBackward"
    of_backward: bool = False  # recorded by a backward with create_graph=True
    trouble: str = ""  # "first -inf: 12 of 320 values", "dead: every output is 0"

    @property
    def is_broken(self) -> bool:
        """Whether inf or nan came into the graph here, which is worse than zeros."""
        return bool(self.trouble) and "dead: " not in self.trouble


@dataclass(slots=True)
class GroupNode(OpNode):
    """Many operations on one card: a module that is not opened, repeats, a chain."""

    ops: int = 1
    parameters: int = 0  # elements
    weights_grad: float | None = None  # the norm of the gradients of all its parameters


@dataclass(slots=True)
class Edge:
    """A wire: from a tensor into an operation, or from an operation to what it gives."""

    id: str
    source: str
    target: str
    operand: str = ""  # name of the operation's parameter: "a", "weight"; "" for an output
    local: float | None = None  # the local derivative, for scalars
    partial: str = ""  # what it is the derivative of, and by what: "∂f/∂q"
    formula: str = ""  # the local derivative in names: "z"
    share: float | None = None  # what this wire adds to the gradient of its tensor, at a fan-out
    flow: float | None = None  # the norm of the gradient that comes back along it


@dataclass(frozen=True, slots=True)
class Module:
    """A frame around the operations of one module."""

    path: str
    label: str = ""  # what is written: the path, or "Block × 12"
    description: str = ""


@dataclass(slots=True)
class GraphData:
    """A whole picture, before it is drawn."""

    nodes: list[TensorNode | OpNode]
    edges: list[Edge]
    modules: list[Module] = field(default_factory=list)
    title: str = ""
    facts: str = ""  # "6 ops · 690 parameters"
    note: str = ""

    @property
    def tensors(self) -> list[TensorNode]:
        """The nodes that are tensors, in topological order."""
        return [node for node in self.nodes if isinstance(node, TensorNode)]

    @property
    def ops(self) -> list[OpNode]:
        """The nodes that are operations, in topological order."""
        return [node for node in self.nodes if isinstance(node, OpNode)]

    @property
    def groups(self) -> list[GroupNode]:
        """The nodes that stand for many operations."""
        return [node for node in self.nodes if isinstance(node, GroupNode)]

    def node(self, name: str) -> TensorNode | OpNode:
        """Return the node called `name`."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(f"no node is called {name!r}; there are {[n.name for n in self.nodes]}")
