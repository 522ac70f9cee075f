"""Dotted paths: where in the tree of modules something is, or went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .module import Module

__all__ = ["join", "name_the_place"]


def join(path: str, name: str) -> str:
    """The path of `name` inside the module at `path`."""
    return f"{path}.{name}" if path else name


def name_the_place(error: Exception, module: Module) -> None:
    """Note on an exception in which module it arose.

    Every module that the exception leaves adds itself, so the note grows from "in Linear(2, 3)" to
    "in Net, at classifier.0: Linear(2, 3)". Nothing of this costs anything while all goes well.
    """
    trail: list[Module] = vars(error).setdefault("_modules_left", [])
    if trail:
        error.__notes__.remove(_describe(trail))
    trail.append(module)
    error.add_note(_describe(trail))


def _describe(trail: list[Module]) -> str:
    innermost, outermost = trail[0], trail[-1]
    what = innermost._get_name() if innermost._modules else repr(innermost)
    path = ""
    for parent, child in zip(trail[:0:-1], trail[-2::-1], strict=True):
        path = join(path, _name_in(parent, child))
    return f"in {outermost._get_name()}, at {path}: {what}" if path else f"in {what}"


def _name_in(parent: Module, child: Module) -> str:
    return next((path for path, m in parent.named_modules() if m is child and path), "?")
