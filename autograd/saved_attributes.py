"""What a node keeps, to be looked at: ``y.grad_fn._saved_self``, ``y.grad_fn._raw_saved_self``.

The attributes are named as PyTorch's: ``self`` or ``input`` for the first tensor, ``other`` for the
second, ``result`` for the output, settings by their own names. Every name that the rules of the
operation use will do as well (``_saved_x``, ``_saved_y``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd.node import FREED, Node, name_of, place_of
from autograd.saved import KEPT, Packed, replace_kept, unpack_tensor

# Where something is found among all that a node keeps: the number of the input by whose rule it is
# kept, and its number among the needs of that rule (None: the rule needs nothing else).
Place = tuple[int, int | None]


SECOND = {"pow": "exponent", "matmul": "mat2"}  # what PyTorch calls the second input: else, other


def saved_attributes(
    operation: str, needs: dict[str, tuple[str, ...]], inputs: tuple[str, ...]
) -> dict[str, Any]:
    """The properties for the node class of an operation with these tensor inputs, whose rules have
    these ``needs``."""
    places: dict[str, list[Place]] = {}
    for i, names in enumerate(needs.values()):
        for j, name in enumerate(names):
            places.setdefault(name, []).append((i, j if len(names) > 1 else None))
    their_names = {"y": {"result"}}
    known = ({"self", "input"}, {"other", SECOND.get(operation, "other")})
    for ours, theirs in zip(inputs, known, strict=False):
        their_names |= {ours: theirs, f"{ours}_shape": {f"{name}_sym_sizes" for name in theirs}}
    properties = {}
    for ours, where in places.items():
        for name in {ours, *their_names.get(ours, ())}:
            properties[f"_saved_{name}"] = property(_value(where))
            properties[f"_raw_saved_{name}"] = property(_handle(where))
    return properties


def _value(places: list[Place]) -> Callable[[Node], Any]:
    return lambda node: unpack_tensor(_find(node, places), node)


def _handle(places: list[Place]) -> Callable[[Node], SavedTensor]:
    return lambda node: SavedTensor(node, places)


def _find(node: Node, places: list[Place]) -> Any:
    """The first that is kept; None if no gradient was due for which it would be needed."""
    if node._kept is FREED:
        raise RuntimeError(
            "Trying to backward through the graph a second time (or directly access saved tensors "
            f"after they have already been freed). What {name_of(node)} kept (the operation at "
            f"{place_of(node)}) was freed by backward() or grad(). Specify retain_graph=True there "
            "if you need to access saved tensors afterwards."
        )
    for i, j in places:
        kept = node._kept[i]
        if kept is not None:
            return kept if j is None else kept[j]
    return None


class SavedTensor:
    """Something that a node keeps for backward, as ``node._raw_saved_self`` shows it."""

    def __init__(self, node: Node, places: list[Place]) -> None:
        self._node = node
        self._places = places

    def register_hooks(
        self, pack_hook: Callable[[Any], Any], unpack_hook: Callable[[Any], Any]
    ) -> None:
        """Keep ``pack_hook(tensor)`` in its stead; ``unpack_hook`` makes it the tensor again when
        backward needs it. Raises RuntimeError if there are hooks already, or no tensor is kept."""
        if not (callable(pack_hook) and callable(unpack_hook)):
            raise TypeError(
                "register_hooks takes two functions, pack_hook and unpack_hook, but got "
                f"{type(pack_hook).__name__} and {type(unpack_hook).__name__}"
            )
        if self._node._kept is FREED:
            raise RuntimeError(
                "Calling register_hooks on a saved tensor after it has been freed. Specify "
                "retain_graph=True in backward() or grad() if you need it afterwards."
            )
        kept = _find(self._node, self._places)
        if isinstance(kept, Packed):
            raise RuntimeError(
                "Calling register_hooks on a saved tensor whose hooks have already been set. "
                "There can be one pair of hooks at a time."
            )
        if not isinstance(kept, KEPT):
            raise RuntimeError(
                "Calling register_hooks on a saved tensor with value None is forbidden: no tensor "
                "is kept here, for no gradient is due that would need it."
            )
        self._replace(Packed(kept, (pack_hook, unpack_hook)))

    def _replace(self, packed: Packed) -> None:
        everything = list(self._node._kept)
        for i, j in self._places:
            mine = everything[i]
            if mine is not None:
                everything[i] = packed if j is None else (*mine[:j], packed, *mine[j + 1 :])
        replace_kept(self._node, tuple(everything))
