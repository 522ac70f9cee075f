"""What both kinds of picture share of the DOT language: attributes, frame, title and note."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from . import labels, style
from .model import GraphData


@dataclass(frozen=True, slots=True)
class Look:
    """How a picture is to be drawn, whatever it shows."""

    palette: style.Palette = style.LIGHT
    direction: str = "LR"
    precision: int = 2
    detail: int = 4  # index into DETAILS
    setting_chars: int = 50  # how much of a setting is shown
    graded: bool = True  # some gradient is there, so that a missing one is worth a word


@dataclass(frozen=True, slots=True)
class Spacing:
    """How far apart things stand, in inches, and the size of what does not say its own."""

    nodesep: float
    ranksep: float
    fontsize: float


DETAILS = ("op", "shape", "value", "grad", "formula", "saved")  # each adds to the one before
OP, SHAPE, VALUE, GRAD, FORMULA, SAVED = range(len(DETAILS))


def attributes(**values: object) -> str:
    """Return `[a="1", label=<...>]`; a value in `<...>` is an HTML-like label and stays bare."""
    return "[" + ", ".join(f"{key}={_quoted(value)}" for key, value in values.items()) + "]"


def _quoted(value: object) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    if text.startswith("<"):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def statement(name: str, **values: object) -> str:
    """Return one line of DOT: a node, an edge (`a -> b`), or defaults (`node`)."""
    return f"\t{name} {attributes(**values)}\n"


def document(body: Iterable[str], look: Look, spacing: Spacing, data: GraphData) -> list[str]:
    """Return the lines of a whole graph: its defaults, its caption, its body.

    The caption is the label of the graph, of which there is only one: the title, with the note
    below it, stands above the picture; a note alone stands at its foot.
    """
    palette = look.palette
    title = labels.gap(10, 2).join(
        words
        for words in (
            labels.span(data.title, palette.ink, 13, bold=True, limit=120),
            labels.span(data.facts, palette.faint, 10),
        )
        if words
    )
    note = labels.span(data.note, palette.faint, 10, limit=300)
    captioned: dict[str, object] = {}
    if title or note:
        rows = [
            labels.row(labels.cell(words + labels.gap(10, 2), align="left"))
            for words in (title, note)
            if words
        ]
        captioned["label"] = f"<{labels.table(*rows)}>"
        captioned["labeljust"] = "l"
        captioned["labelloc"] = "t" if title else "b"
    return [
        statement(
            "graph",
            rankdir=look.direction,
            nodesep=spacing.nodesep,
            ranksep=spacing.ranksep,
            bgcolor=palette.ground,
            pad=0.2,
            fontname=style.FONT,
            **captioned,
        ),
        statement(
            "node",
            shape="plain",
            fontname=style.FONT,
            fontsize=spacing.fontsize,
            fontcolor=palette.ink,
        ),
        statement("edge", color=palette.wire, penwidth=1, arrowsize=0.65, fontname=style.FONT),
        *body,
    ]
