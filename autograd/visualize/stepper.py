"""The stepper: a picture that goes forward and backward one operation at a time.

As one HTML file that needs nothing else, as an SVG that moves by itself, or as a PDF with a picture
for each step. The picture is always the finished one, of which every number knows at which step it
appears (see `steps.py`); so nothing shifts from one step to the next.
"""

from __future__ import annotations

import os
import string
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from html import escape
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import dot, files, labels, render, style, words
from .model import GraphData, OpNode, TensorNode
from .steps import Step, Story, tell

if TYPE_CHECKING:
    from .graph import Graph

SECONDS = 2.0  # that the moving picture rests on a step
CAPTION = 13  # its font size there


class Steps:
    """The steps of a picture: a sequence of `Step`, which shows itself as a stepper in a notebook.

    `write(path)` saves them in the format that the suffix names: .html, the stepper; .svg, a moving
    picture; .pdf, a strip with a picture for each step; .txt, the steps in words.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.story: Story = tell(graph.data, graph._look.precision)

    def __len__(self) -> int:
        return len(self.story.steps)

    def __getitem__(self, index: int) -> Step:
        return self.story.steps[index]

    def __iter__(self) -> Iterator[Step]:
        return iter(self.story.steps)

    def __repr__(self) -> str:
        return self.text()

    def text(self) -> str:
        """Return the steps in words."""
        return "".join(
            f"{step.title}\n" + "".join(f"    {line}\n" for line in step.lines) for step in self
        )

    def html(self) -> str:
        """Return the stepper: one page, which loads nothing. Without a renderer the picture in it
        is the text tree."""
        graph, palette = self._graph, self._graph._look.palette
        try:
            root = ET.fromstring(graph.svg())
            annotate(root, self.story, palette)
            picture = ET.tostring(root, encoding="unicode")
        except (render.RendererNotFound, render.LayoutTimeout, render.LayoutCrashed):
            picture = f"<pre>{escape(graph.text())}</pre>"
        dark = graph._theme == "auto"
        page = resources.files(__package__).joinpath("stepper.html").read_text("utf-8")
        return string.Template(page).substitute(
            title=escape(words.title(graph.data)),
            hidden=' class="unseen"' if graph.data.title else "",  # the picture shows it
            colors=_colors(palette),
            dark=_DARK.replace("COLORS", _colors(style.DARK)) if dark else "",
            picture=picture,
            last=len(self) - 1,
            last_title=escape(self[-1].title),
            last_lines=_paragraphs(self[-1]),
            rows="\n".join(
                f'<tr data-phase="{step.phase}"><th scope="row">{escape(step.title)}</th>'
                f"<td>{_paragraphs(step)}</td></tr>"
                for step in self
            ),
        )

    def svg(self) -> str:
        """Return the picture as an SVG that goes through the steps by itself, over and over; where
        the reader asks for less motion it shows the last step."""
        palette = self._graph._look.palette
        root = ET.fromstring(self._graph.svg())
        annotate(root, self.story, palette)
        return _moving(root, self.story, palette)

    def pdf(self) -> bytes:
        """Return a PDF with a picture for each step, one below the other."""
        lines = strip(self._graph, self.story)
        source = "digraph {\n" + "".join(lines) + "}\n"
        size = len(self._graph.data.nodes) * len(self)
        return render.render(source, "pdf", render.Effort(size, 0), self._graph._timeout)

    def write(self, path: str | os.PathLike[str]) -> Path:
        """Save the steps in the format that the suffix of `path` names, and return the path."""
        makers: dict[str, Callable[[], str | bytes]] = {
            ".html": self.html,
            ".svg": self.svg,
            ".pdf": self.pdf,
            ".txt": self.text,
        }
        return files.write(path, makers)

    def _repr_mimebundle_(self, *_: Any, **__: Any) -> dict[str, str]:
        # A frame of its own keeps the page's styles and scripts and the notebook's apart.
        height = 420 + 24 * sum(len(step.lines) for step in self) + 18 * len(self)
        frame = (
            f'<iframe srcdoc="{escape(self.html())}" sandbox="allow-scripts" title="Stepper" '
            f'style="width:100%;height:{min(height, 900)}px;border:0"></iframe>'
        )
        return {**self._graph._repr_mimebundle_(), "text/html": frame, "text/plain": self.text()}


_DARK = "@media (prefers-color-scheme: dark) { :root { COLORS } }"


def _colors(palette: style.Palette) -> str:
    return " ".join(f"--{role.name}: {getattr(palette, role.name)};" for role in fields(palette))


def _paragraphs(step: Step) -> str:
    return "".join(f"<p>{escape(line)}</p>" for line in step.lines)


# -- when each part of the picture appears ---------------------------------------------------------


def annotate(root: ET.Element, story: Story, palette: style.Palette) -> None:
    """Write into a finished SVG when what appears, and at which steps each part is talked about.

    `data-from` and `data-until` are steps; `data-steps` lists those that are about a group."""
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    root.set("xmlns", "http://www.w3.org/2000/svg")
    prefix = root.get("id", "") + "-"
    for group in list(root.iter("g")):
        name = group.get("id", "").removeprefix(prefix)
        about = [i for i, step in enumerate(story.steps) if name in step.active]
        if about:
            group.set("data-steps", " ".join(map(str, about)))
        for text in group.findall("text"):
            start = _appears(text.get("class", ""), name, story)
            if start:
                text.set("data-from", str(start))
            if text.get("class") == "ag-grad" and name in story.waiting:
                for waiting in _waits(text, story.waiting[name], story.gradients[name]):
                    waiting.set("fill", palette.faint)
                    group.append(waiting)


def _appears(kind: str, name: str, story: Story) -> int | None:
    if kind == "ag-val":
        return story.values.get(name)
    if kind == "ag-grad":
        return story.gradients.get(name, story.locals.get(name))
    return story.locals.get(name) if kind == "ag-local" else None


def _waits(
    gradient: ET.Element, waits: list[tuple[int, int, int]], complete: int
) -> Iterator[ET.Element]:
    """Yield what stands where the gradient will be while parts of it are missing: `1 of 3`."""
    ends = [step for step, _, _ in waits[1:]] + [complete]
    for (start, come, due), end in zip(waits, ends, strict=True):
        kept = {key: v for key, v in gradient.attrib.items() if key not in _OF_A_GRADIENT}
        waiting = ET.Element("text", kept)
        waiting.set("class", "ag-wait")
        waiting.set("data-from", str(start))
        waiting.set("data-until", str(end))
        waiting.text = f"{come} of {due}"
        yield waiting


_OF_A_GRADIENT = ("class", "data-from", "font-style")


# -- by itself -------------------------------------------------------------------------------------


def _moving(root: ET.Element, story: Story, palette: style.Palette) -> str:
    """Return the SVG with a caption, and with an animation for each span of steps."""
    _add_captions(root, story, palette)
    count = len(story.steps) + 2  # it rests on the last step for three
    scope = f"#{root.get('id')}"
    rules: dict[tuple[int, int], str] = {}
    for text in root.iter("text"):
        if text.get("data-from") is None:
            continue
        span = int(text.attrib.pop("data-from")), int(text.attrib.pop("data-until", count))
        name = rules.setdefault(span, f"{root.get('id')}-{span[0]}-{span[1]}")
        text.set("class", f"{text.get('class', '')} {name}".strip())
    css = [
        f"@keyframes {name}{{0%,100%{{visibility:hidden}}{100 * start / count:.3f}%"
        f"{{visibility:visible}}{100 * min(end, count) / count - 0.001:.3f}%{{visibility:visible}}"
        + ("}" if end >= count else f"{100 * end / count:.3f}%{{visibility:hidden}}}}")
        + f"{scope} .{name}{{animation:{name} {SECONDS * count:g}s step-end infinite}}"
        for (start, end), name in rules.items()
    ]
    gone = [f"{scope} .{name}" for (_, end), name in rules.items() if end < count - 2]
    if gone:  # what shows no animation shows the last step
        css.append(f"{','.join(gone)}{{visibility:hidden}}")
    still = f"{scope} text{{animation:none!important}}"
    sheet = root.find("style")
    assert sheet is not None
    sheet.text = (sheet.text or "") + "".join(css)
    sheet.text += f"@media (prefers-reduced-motion:reduce){{{still}}}"
    for group in root.iter("g"):
        group.attrib.pop("data-steps", None)
    return ET.tostring(root, encoding="unicode") + "\n"


def _add_captions(root: ET.Element, story: Story, palette: style.Palette) -> None:
    """Make room below the picture, and write there what each step says."""
    left, top, width, height = map(float, root.get("viewBox", "0 0 0 0").split())
    longest = max(len(line) for step in story.steps for line in (step.title, *step.lines))
    wide = max(width, min(longest, 90) * CAPTION * 0.56 + 24)
    room = (1 + max(len(step.lines) for step in story.steps)) * CAPTION * 1.45 + 10
    root.set("viewBox", f"{left} {top} {wide:g} {height + room:g}")
    for side, size in (("width", wide), ("height", height + room)):
        root.set(side, f"{size * 4 / 3:.0f}")
    ground = ET.Element("rect", x=f"{left}", y=f"{top}", width=f"{wide:g}")
    ground.set("height", f"{height + room:g}")
    ground.set("fill", palette.ground)
    first = next(i for i, child in enumerate(root) if child.tag == "g")
    root.insert(first, ground)
    for number, step in enumerate(story.steps):
        for row, line in enumerate((step.title, *step.lines)):
            text = ET.SubElement(root, "text", x=f"{left + 14:g}")
            text.set("y", f"{top + height + CAPTION * (1.45 * row + 0.8):g}")
            text.set("font-family", style.FONT)
            text.set("font-size", str(CAPTION))
            text.set("fill", palette.faint if row == 0 else palette.ink)
            text.set("data-from", str(number))
            if number + 1 < len(story.steps):
                text.set("data-until", str(number + 1))
            text.text = labels.clean(line, 100)


# -- on paper --------------------------------------------------------------------------------------

_HIDDEN = "#00000000"


def strip(graph: Graph, story: Story) -> list[str]:
    """Return the lines of a DOT document with a picture for each step: every picture is the whole
    one, what is to come in no color at all."""
    look = graph._look
    kind = graph.drawing
    body: list[str] = []
    numbered = list(enumerate(story.steps))
    if look.direction == "LR":
        numbered.reverse()  # Graphviz begins at the foot of the page
    for number, step in numbered:
        caption = labels.span(step.title, look.palette.faint, CAPTION, bold=True)
        rows = [
            caption,
            *(labels.span(line, look.palette.ink, CAPTION, limit=110) for line in step.lines),
        ]
        table = labels.table(
            *(
                labels.row(labels.cell(text + labels.gap(CAPTION, 2), align="left"))
                for text in rows
                if text
            )
        )
        body.append(f"\tsubgraph cluster_step{number} {{\n")
        body.append(
            dot.statement(
                "graph",
                label=f"<{table}>",
                labeljust="l",
                color=look.palette.frame,
                style="rounded",
                margin=12,
            )
        )
        body += _frame(graph.data, story, number, kind, look)
        body.append("\t}\n")
    return dot.document(body, look, kind.SPACING, GraphData([], [], title=graph.data.title))


def _frame(data: GraphData, story: Story, number: int, kind: Any, look: dot.Look) -> Iterator[str]:
    """Yield the picture as it is after a step, under ids of its own."""
    palette, mine = look.palette, f"s{number}_"
    again = replace(
        data,
        nodes=[_renamed(node, mine) for node in data.nodes],
        edges=[
            replace(e, id=mine + e.id, source=mine + e.source, target=mine + e.target)
            for e in data.edges
        ],
    )
    for line in kind.lines(again, look):
        name = line.rpartition('id="')[2].partition('"')[0].removeprefix(mine).rstrip("m")
        for role in ("value", "grad", "local"):
            start = _appears(f"ag-{role[:3] if role == 'value' else role}", name, story)
            if start is not None and start > number:
                line = line.replace(f'COLOR="{getattr(palette, role)}"', f'COLOR="{_HIDDEN}"')
        yield line.replace("subgraph cluster_", f"subgraph cluster_{mine}")


def _renamed(node: TensorNode | OpNode, mine: str) -> TensorNode | OpNode:
    if isinstance(node, OpNode):
        return replace(node, id=mine + node.id)
    copied = mine + node.copy_of if node.copy_of else ""
    return replace(node, id=mine + node.id, copy_of=copied)
