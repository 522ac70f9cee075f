"""Trees of tuples, lists and dicts: taken apart into their leaves, and put together again.

Functions take and return such trees (a dict of parameters, a tuple of losses), derivatives work on
the tensors in them. So: flatten, work on the leaves, unflatten by the structure that was found.
Whatever is not a tuple, a list or a dict is a leaf, None included.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple


class Structure(NamedTuple):
    """What is left of a tree without its leaves: the kind of container (None: a leaf), the keys of
    a dict, and the structures of the parts."""

    kind: type | None
    keys: tuple[Any, ...]
    parts: tuple[Structure, ...]

    def __str__(self) -> str:
        if self.kind is None:
            return "*"
        parts = list(map(str, self.parts))
        if self.keys:
            parts = [f"{key!r}: {part}" for key, part in zip(self.keys, parts, strict=True)]
        return f"{self.kind.__name__}({', '.join(parts)})"


LEAF = Structure(None, (), ())


def flatten(tree: Any) -> tuple[list[Any], Structure]:
    """The leaves of a tree, in order, and its structure."""
    leaves: list[Any] = []
    return leaves, _take_apart(tree, leaves)


def _take_apart(tree: Any, leaves: list[Any]) -> Structure:
    keys, parts = _opened(tree)
    if parts is None:
        leaves.append(tree)
        return LEAF
    return Structure(type(tree), keys, tuple([_take_apart(part, leaves) for part in parts]))


def _opened(tree: Any) -> tuple[tuple[Any, ...], Any]:
    """The keys and the parts of a container; no parts for a leaf."""
    kind = type(tree)
    if kind in (dict, OrderedDict):
        return tuple(tree), tree.values()
    named = isinstance(tree, tuple) and hasattr(tree, "_fields")
    return (), tree if kind in (tuple, list) or named else None


def unflatten(leaves: list[Any], structure: Structure) -> Any:
    """The tree of this structure with these leaves."""
    return _put_together(iter(leaves), structure)


def _put_together(leaves: Any, structure: Structure) -> Any:
    kind, keys, parts = structure
    if kind is None:
        return next(leaves)
    built = [_put_together(leaves, part) for part in parts]
    if kind in (dict, OrderedDict):
        return kind(zip(keys, built, strict=True))
    return kind(built) if kind in (tuple, list) else kind(*built)


def tree_map(function: Callable[[Any], Any], tree: Any) -> Any:
    """The tree with ``function`` of each leaf in its place."""
    leaves, structure = flatten(tree)
    return unflatten([function(leaf) for leaf in leaves], structure)


def spread(prefix: Any, tree: Any, stop: Callable[[Any], bool]) -> list[Any] | None:
    """For each leaf of ``tree``, the part of ``prefix`` that stands for it. Where ``stop(prefix)``,
    one part stands for a whole subtree. None if the two do not fit together."""
    if stop(prefix):
        return [prefix] * len(flatten(tree)[0])
    keys, parts = _opened(tree)
    given_keys, given = _opened(prefix)
    if parts is None or given is None or type(prefix) is not type(tree) or given_keys != keys:
        return None
    if len(given) != len(parts):
        return None
    found: list[Any] = []
    for its_prefix, part in zip(given, parts, strict=True):
        below = spread(its_prefix, part, stop)
        if below is None:
            return None
        found += below
    return found
