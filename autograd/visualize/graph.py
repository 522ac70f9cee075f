"""What `draw` returns: a `graphviz.Digraph` that renders itself, with or without a `dot` binary."""

from __future__ import annotations

import copy
import os
import struct
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import graphviz

from . import backward, cards, circuit, dot, files, render, svg, text
from .model import GraphData
from .render import PNG_DPI
from .stepper import Steps

MANY_LINES = 100  # of text, on a terminal
PNG_LIMIT = 32767  # Graphviz shrinks, without a word, what would be larger
STYLES: dict[str, Any] = {"circuit": circuit, "cards": cards, "backward": backward}


class Graph(graphviz.Digraph):
    """A picture of a recorded graph.

    In a notebook it shows itself. `svg()`, `png()`, `pdf()` and `text()` give it in one format,
    `write(path)` saves it in that of the path's suffix. `data` holds what it shows, as plain
    dataclasses; `note` says what it hides, if anything, and how to see it. `source` is the DOT, and
    what `graphviz.Digraph` offers beside (`render`, `pipe`, `view`, `save`) works too.
    """

    def __init__(
        self,
        data: GraphData,
        look: dot.Look,
        style: str,
        theme: str = "light",
        timeout: float | None = 20.0,
        renderer: str | None = None,
    ) -> None:
        """`style` is one of STYLES."""
        self._style = style
        lines = self.drawing.lines(data, look)
        super().__init__(body=dot.document(lines, look, self.drawing.SPACING, data))
        self.data = data
        self._look = look
        self._theme = theme
        self._timeout = timeout
        self._renderer = renderer

    @property
    def note(self) -> str:
        """What the picture does not show, and how to see it; "" if it shows everything."""
        return self.data.note

    @property
    def drawing(self) -> Any:
        """The module that draws it: circuit, cards or backward."""
        return STYLES[self._style]

    def svg(self) -> str:
        """Return the picture as SVG: one file that needs nothing else."""
        return svg.finish(
            self._draw("svg"), self.source, self.data, self._look.palette, self._theme
        )

    def png(self) -> bytes:
        """Return the picture as PNG, at 192 dots per inch. ValueError if it is too large."""
        drawn = self._draw("png")
        width, height = struct.unpack(">II", drawn[16:24])
        if max(width, height) < PNG_LIMIT:
            return drawn
        root = ET.fromstring(self._draw("svg"))
        points = [float(root.attrib[side].removesuffix("pt")) for side in ("width", "height")]
        wide, high = (length * PNG_DPI / 72 for length in points)
        size = f"{wide:,.0f} px wide" if wide > high else f"{high:,.0f} px high"
        raise ValueError(
            f"PNG would be {size} (limit {PNG_LIMIT:,}). Save SVG or PDF, or collapse with depth=."
        )

    def pdf(self) -> bytes:
        """Return the picture as PDF, its text selectable."""
        return self._draw("pdf")

    def text(self) -> str:
        """Return the picture in words, as an indented tree. Needs no renderer."""
        return text.tree(self.data, self._look)

    def steps(self) -> Steps:
        """Return the steps, forward then backward, one operation at a time: in a notebook a
        stepper. ValueError for more than 200."""
        return Steps(self)

    def html(self) -> str:
        """Return the stepper as a page of HTML that needs nothing else."""
        return self.steps().html()

    def write(self, path: str | os.PathLike[str]) -> Path:
        """Save the picture in the format that the suffix of `path` names, and return the path.

        The suffixes are .svg, .png, .pdf, .html (the stepper), .dot (the source) and .txt (the
        text); any other is a ValueError. Nothing is written unless the whole picture could be made.
        """
        makers: dict[str, Callable[[], str | bytes]] = {
            ".svg": self.svg,
            ".png": self.png,
            ".pdf": self.pdf,
            ".html": self.html,
            ".dot": lambda: self.source,
            ".txt": self.text,
        }
        return files.write(path, makers)

    def __repr__(self) -> str:
        """The picture in words, for a terminal: no more of it than can be read."""
        lines = self.text().splitlines()
        more = [f"... {len(lines) - MANY_LINES:,} more lines"] if len(lines) > MANY_LINES else []
        return "\n".join(lines[:MANY_LINES] + more)

    def _draw(self, kind: str) -> bytes:
        work = effort(self.data)
        if work.is_huge:
            stop = f"; stopping after {self._timeout:g} s (timeout=)" if self._timeout else ""
            warnings.warn(f"{work}: layout may take a minute{stop}.", stacklevel=3)
        return render.render(self.source, kind, work, self._timeout, self._renderer)

    def _repr_svg_(self) -> str | None:
        try:
            return self.svg()
        except (render.RendererNotFound, render.LayoutTimeout, render.LayoutCrashed):
            return None

    def _repr_mimebundle_(self, *_: Any, **__: Any) -> dict[str, str]:
        try:
            return {"image/svg+xml": self.svg(), "text/plain": self.text()}
        except (render.RendererNotFound, render.LayoutTimeout, render.LayoutCrashed) as error:
            return {"text/plain": f"{error}\n\n{self.text()}"}

    def pipe(self, format: str | None = None, **options: Any) -> Any:
        """As `graphviz.Digraph.pipe`; svg, png and pdf need no `dot` binary."""
        kind = format or self.format
        encoding = options.pop("encoding", None)
        if kind not in render.FORMATS or options:
            return super().pipe(kind, encoding=encoding, **options)
        drawn = self.svg().encode() if kind == "svg" else getattr(self, kind)()
        return drawn if encoding is None else drawn.decode(encoding)

    def render(
        self,
        filename: str | os.PathLike[str] | None = None,
        directory: str | os.PathLike[str] | None = None,
        view: bool = False,
        cleanup: bool = False,
        format: str | None = None,
        **options: Any,
    ) -> str:
        """As `graphviz.Digraph.render`; svg, png and pdf need no `dot` binary."""
        kind = format or self.format
        if kind not in render.FORMATS or options:
            where = {"filename": filename, "directory": directory, "view": view, "cleanup": cleanup}
            return str(super().render(**where, format=kind, **options))
        saved = Path(self.save(filename=filename, directory=directory))
        rendered = saved.with_name(f"{saved.name}.{kind}")
        rendered.write_bytes(self.pipe(kind))
        if cleanup:
            saved.unlink()
        if view:
            graphviz.view(rendered)
        return str(rendered)

    def copy(self) -> Graph:
        """Return a picture of the same, to be changed on its own."""
        return copy.deepcopy(self)


def effort(data: GraphData) -> render.Effort:
    """Estimate the work of a layout. A node stands one rank above the highest it leads to."""
    targets: dict[str, list[str]] = {node.id: [] for node in data.nodes}
    for edge in data.edges:
        targets[edge.source].append(edge.target)
    height: dict[str, int] = {}
    for node in reversed(data.nodes):
        height[node.id] = 1 + max((height[target] for target in targets[node.id]), default=-1)
    long = sum(height[edge.source] - height[edge.target] - 1 for edge in data.edges)
    return render.Effort(len(data.nodes), long)
