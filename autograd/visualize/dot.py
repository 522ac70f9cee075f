"""What both kinds of picture share of the DOT language: attributes, frame, title and note."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from autograd.reading import figures

from . import flow, labels, style
from .model import NOTES_APART, GraphData


@dataclass(frozen=True, slots=True)
class Look:
    """How a picture is to be drawn, whatever it shows."""

    palette: style.Palette = style.LIGHT
    direction: str = "LR"
    precision: int = 2
    levels: frozenset[int] = frozenset(range(5))  # what is told, as indices into DETAILS
    view: str = "both"
    setting_chars: int = 50  # how much of a setting is shown
    graded: bool = True  # some gradient is there, so that a missing one is worth a word

    def shows(self, level: int) -> bool:
        """Whether what belongs to this level of detail is told."""
        return level in self.levels


@dataclass(frozen=True, slots=True)
class Spacing:
    """How far apart things stand, in inches, and the size of what does not say its own."""

    nodesep: float
    ranksep: float
    fontsize: float


_LINE = 110  # characters of a note that stand on one line
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
    rows = [labels.row(labels.cell(line, align="left")) for line in _caption(data, look)]
    captioned: dict[str, object] = {}
    if rows:
        captioned["label"] = f"<{labels.table(*rows)}>"
        captioned["labeljust"] = "l"
        captioned["labelloc"] = "t" if data.title or data.facts else "b"
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


def _caption(data: GraphData, look: Look) -> Iterator[str]:
    """Yield the lines of the caption: title and facts, what colors mean, the note."""
    palette = look.palette
    title = (
        labels.span(data.title, palette.ink, 13, bold=True, limit=120),
        labels.span(data.facts, palette.faint, 10, limit=120),
    )
    if any(title):
        yield labels.gap(10, 2).join(filter(None, title)) + labels.gap(10, 2)
    if any(op.of_backward for op in data.ops):
        yield _swatch("recorded forward", palette.op_line, palette.op, palette) + _swatch(
            "recorded by backward, create_graph=True",
            palette.second_line,
            palette.second_op,
            palette,
        )
    if look.view == "flow":
        yield flow.legend(palette)
        if extremes := flow.summary(data, look.precision):
            yield labels.span(extremes, palette.faint, 10, limit=200) + labels.gap(10, 2)
    for note in data.note.split(NOTES_APART):
        for line in textwrap.wrap(figures.clean(note, 1000), _LINE):
            yield labels.span(line, palette.faint, 10, limit=_LINE) + labels.gap(10, 2)


def _swatch(words: str, line: str, fill: str, palette: style.Palette) -> str:
    mark = labels.span("●", line, 12) + labels.gap(10)
    return mark + labels.span(words, palette.faint, 10) + labels.gap(10, 4)
