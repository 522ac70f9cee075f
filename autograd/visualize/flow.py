"""The gradient-flow view: each edge in the color and the width of the gradient that comes back on
it, so that one sees at a glance where gradients vanish and where they explode.

What counts is the order of magnitude of the 2-norm. In the middle of the scale an edge is gray;
below it the edges turn blue and thin, above it orange, red and wide. A gradient of exactly 0 is a
dotted line.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from autograd.reading import figures

from . import labels
from .model import Edge, GraphData
from .style import Palette


@dataclass(frozen=True, slots=True)
class Band:
    """A range of norms that look alike."""

    role: str  # of its color in the palette
    width: float  # in points
    words: str
    below: float  # its upper end


BANDS = (
    Band("flow_lost", 1.0, "below 1e-6: vanishing", 1e-6),
    Band("flow_small", 2.0, "to 1e-3", 1e-3),
    Band("flow_usual", 3.0, "to 10", 10.0),
    Band("flow_large", 5.0, "to 1e+4", 1e4),
    Band("flow_wild", 8.0, "above: exploding", math.inf),
)


def band(norm: float) -> Band:
    """Return the range that a norm lies in; nan and inf are in the last."""
    return next((band for band in BANDS if norm < band.below), BANDS[-1])


def ink(norm: float | None, palette: Palette) -> dict[str, object]:
    """Return the attributes of an edge."""
    if norm is None:
        return {"penwidth": 0.8, "color": palette.frame}
    if norm == 0:
        return {"penwidth": 1.2, "color": palette.flow_lost, "style": "dotted"}
    its = band(norm)
    return {"penwidth": its.width, "color": getattr(palette, its.role), "arrowsize": 0.5}


def legend(palette: Palette) -> str:
    """Return a table that tells what colors and widths mean."""
    cells = [labels.cell(labels.span("‖∇‖ along an edge:", palette.faint, 10), align="left")]
    for its in BANDS:
        bar = labels.table(
            labels.row(
                labels.cell(
                    "",
                    width=26,
                    height=max(1, round(its.width)),
                    fixedsize="true",
                    cellpadding=0,
                    bgcolor=getattr(palette, its.role),
                )
            )
        )
        cells.append(labels.cell(bar))
        cells.append(labels.cell(labels.span(its.words, palette.faint, 10) + labels.gap(10, 2)))
    return labels.table(labels.row(*cells))


def gauge(norm: float, palette: Palette) -> str:
    """Return a gauge of a norm: from 1e-12 at its left end to 1e+8 at its right."""
    decades = math.log10(norm) if 0 < norm < math.inf else -12.0 if norm == 0 else 8.0
    filled = max(2, round(6 * (min(max(decades, -12), 8) + 12)))
    inks = ((filled, getattr(palette, band(norm).role)), (121 - filled, palette.op))
    cells = (
        labels.cell("", width=width, height=5, fixedsize="true", cellpadding=0, bgcolor=color)
        for width, color in inks
    )
    return labels.table(labels.row(*cells))


def summary(data: GraphData, precision: int) -> str:
    """Say how much the gradient changes from one end of the picture to the other."""
    known = [t for t in data.tensors if t.grad is not None and not t.copy_of]
    learned = [t for t in known if t.kind == "parameter"]
    norms = {t.name: t.grad.norm for t in learned or known if t.grad is not None}
    norms |= {g.name: g.weights_grad for g in data.groups if g.weights_grad is not None}
    if len(norms) < 2:
        return ""
    least, most = min(norms, key=norms.__getitem__), max(norms, key=norms.__getitem__)
    return (
        ("of the parameters: " if learned else "")
        + f"smallest ‖∇‖ {figures.number(norms[least], precision)} ({least}), "
        f"largest {figures.number(norms[most], precision)} ({most})"
    )


def label(edge: Edge, precision: int, palette: Palette) -> str:
    """Return what is written at an edge: the norm."""
    if edge.flow is None:
        return ""
    text = figures.number(edge.flow, precision)
    return labels.span(text, palette.grad, 10, italic=True)
