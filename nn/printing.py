"""The layout of a module's repr: a name, its settings and, indented, its children."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["bracket", "indent"]


def indent(text: str) -> str:
    """Shift all lines but the first by two spaces."""
    return text.replace("\n", "\n  ")


def bracket(name: str, settings: Sequence[str], children: Sequence[str]) -> str:
    """`name(settings)` on one line, or one line for each setting and child."""
    lines = [*settings, *(indent(child) for child in children)]
    if len(lines) <= 1 and not children:
        return f"{name}({''.join(lines)})"
    return f"{name}(\n  " + "\n  ".join(lines) + "\n)"
