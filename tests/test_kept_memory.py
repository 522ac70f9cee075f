"""What an operation keeps for backward, over the whole table of operations (cases.py): it goes when
the result goes, without the garbage collector, and it is no more than what PyTorch keeps.

The second is a question of distinct memory: what is kept twice counts once, and of a view all that
it keeps alive. PyTorch's is what passes through its saved-tensors hooks.
"""

from __future__ import annotations

import gc
import warnings
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from cases import CASES, Case
from compare import OURS, THEIRS, tensors_in

from autograd.function_node import FunctionNode
from autograd.node import AccumulateGrad
from autograd.saved import SavedInput, SavedOutput

pytestmark = pytest.mark.skipif(OURS is THEIRS, reason="looks at this project's own objects")

# These keep masks, indices or sums that PyTorch computes again, or does not count.
MORE = ("cross_entropy", "embedding", "frexp", "interpolate", "scaled_dot_product_attention")
NUMBERS = 16  # bytes: a number or two that PyTorch keeps outside of tensors


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.spellings[0])
def test_memory_kept_for_backward(case: Case) -> None:
    expression = case.spellings[0]
    for sample in case.samples:
        arrays = case.arrays(sample)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                theirs = kept_by_torch(expression, arrays)
            except Exception:  # one of the table's refusals, or PyTorch lacks this dtype
                continue
            ours, operations = kept_by_us(expression, arrays)
        # (What is composed of several operations here may have a kernel of its own in PyTorch.)
        if operations == 1 and not any(f".{name}(" in expression for name in MORE):
            assert ours <= theirs + NUMBERS, f"{ours} bytes; PyTorch keeps {theirs}"


def kept_by_torch(expression: str, arrays: dict[str, np.ndarray]) -> int:
    if THEIRS is None:
        pytest.skip("compares with PyTorch, which is not installed")
    kept: dict[int, Any] = {}

    def pack(t: Any) -> Any:
        kept[t.untyped_storage().data_ptr()] = t.untyped_storage()
        return t

    with THEIRS.torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        THEIRS.evaluate(expression, leaves(THEIRS, arrays))
    return sum(memory.nbytes() for memory in kept.values())


def kept_by_us(expression: str, arrays: dict[str, np.ndarray]) -> tuple[int, int]:
    """The bytes, and the number of nodes, which must all be gone with the results."""
    inputs = leaves(OURS, arrays)
    gc.disable()
    try:
        size, nodes = size_and_nodes(tensors_in(OURS.evaluate(expression, inputs)))
        alive = [type(node).__name__ for reference in nodes if (node := reference())]
    finally:
        gc.enable()
    assert not alive, "held by a reference cycle"
    return size, len(nodes)


def size_and_nodes(outputs: list[Any]) -> tuple[int, list[weakref.ref[Any]]]:
    graph = list(graph_of(outputs))
    kept = {id(a): a for node in graph for a in arrays_in([node._kept, ctx_of(node)])}
    return sum(array.nbytes for array in kept.values()), list(map(weakref.ref, graph))


def ctx_of(node: Any) -> Any:
    """What a Function stored for its backward."""
    stored = vars(node.ctx) if isinstance(node, FunctionNode) else {}
    return {name: value for name, value in stored.items() if name != "_marks"}


def leaves(library: Any, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    return {name: library.leaf(a, a.dtype.kind == "f") for name, a in arrays.items()}


def graph_of(outputs: list[Any]) -> Iterator[Any]:
    seen: set[Any] = set()
    stack = [t.grad_fn for t in outputs]
    while stack:
        node = stack.pop()
        if node is not None and node not in seen:
            seen.add(node)
            if not isinstance(node, AccumulateGrad):  # which live as long as the leaves
                yield node
                stack += [target for target, _ in node.next_functions]


def arrays_in(kept: Any) -> Iterator[np.ndarray]:
    """The arrays that own the memory that something kept refers to."""
    if isinstance(kept, np.ndarray):
        while isinstance(kept.base, np.ndarray):
            kept = kept.base
        yield kept
    elif isinstance(kept, tuple | list):
        for part in kept:
            yield from arrays_in(part)
    elif isinstance(kept, dict):
        yield from arrays_in(list(kept.values()))
    elif hasattr(kept, "_array"):
        yield from arrays_in(kept._array)
    elif isinstance(kept, SavedInput):
        yield from arrays_in(kept.tensor)
    elif isinstance(kept, SavedOutput):
        yield from arrays_in(kept.array)
