"""From DOT to bytes: laid out by Graphviz, wherever it can be found, without putting us at risk.

pygraphviz carries Graphviz in its wheel, so no `dot` need be installed; it runs inside our process,
though, holds the interpreter's lock, knows no time limit, and a crash of it is a crash of ours. So
only small graphs are laid out in this process, which takes milliseconds; others in a child.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FORMATS = ("svg", "png", "pdf")
RENDERERS = ("pygraphviz", "dot")
PNG_DPI = 192
_LOCK = threading.Lock()  # Graphviz promises nothing about threads

_CHILD = """
import sys
import pygraphviz
source = sys.stdin.buffer.read().decode()
graph = pygraphviz.AGraph(string=source)
sys.stdout.buffer.write(graph.draw(format=sys.argv[1], prog="dot"))
"""


class RendererNotFound(RuntimeError):
    """There is nothing on this machine that can lay out graphs."""

    def __init__(self) -> None:
        super().__init__(
            "nothing here can lay out graphs. pip install pygraphviz  (brings Graphviz with it on "
            "Linux, macOS and Windows), or install Graphviz and put dot on PATH. Without either: "
            '.text(), .source, .write("graph.dot").'
        )


class LayoutTimeout(TimeoutError):
    """Graphviz did not finish in the time it was given."""


class LayoutCrashed(RuntimeError):
    """Graphviz died, in a process of its own."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much work a layout is: nodes, and the ranks that edges pass without a stop.

    What kills `dot` is not many nodes but long edges: it puts a virtual node wherever one passes a
    rank.
    """

    nodes: int
    long: int

    @property
    def is_small(self) -> bool:
        """Whether it is done in milliseconds, and safe to do in this process."""
        return self.nodes <= 150 and self.long <= 500

    @property
    def is_huge(self) -> bool:
        """Whether it may take a minute."""
        return self.nodes > 2000 or self.long > 7000

    def __str__(self) -> str:
        return f"{self.nodes:,} nodes, {self.long:,} long-edge segments"


def renderer(wanted: str | None = None) -> str:
    """Return what lays out graphs: `wanted`, or what the environment variable GRADBOOK_RENDERER
    names, or the first of "pygraphviz" and "dot" that is there. Raises RendererNotFound."""
    wanted = wanted or os.environ.get("GRADBOOK_RENDERER")
    if wanted and wanted not in RENDERERS:
        raise ValueError(f"GRADBOOK_RENDERER must be pygraphviz or dot, but it is {wanted!r}")
    if wanted in (None, "", "pygraphviz"):
        with contextlib.suppress(ImportError):
            importlib.import_module("pygraphviz")
            return "pygraphviz"
    if wanted in (None, "", "dot") and shutil.which("dot") is not None:
        return "dot"
    raise RendererNotFound


def render(
    source: str, kind: str, effort: Effort, timeout: float | None, wanted: str | None = None
) -> bytes:
    """Lay out a graph in DOT and draw it as `kind`, by the renderer that is `wanted`.

    A layout that takes too long is tried once more with less care for edges, about ten times
    faster, before it is given up. Raises RendererNotFound, LayoutTimeout, LayoutCrashed.
    """
    if kind not in FORMATS:
        raise ValueError(f"cannot draw as {kind!r}; the formats are {', '.join(FORMATS)}")
    if kind == "png":
        source = source.replace("{", f"{{\n\tgraph [dpi={PNG_DPI}]", 1)
    chosen = renderer(wanted)
    if kind != "svg" and not has_fonts():
        warnings.warn(NO_FONTS, stacklevel=4)
    if chosen == "pygraphviz" and effort.is_small:
        return _render_here(source, kind)
    command = (
        [sys.executable, "-c", _CHILD, kind] if chosen == "pygraphviz" else ["dot", f"-T{kind}"]
    )
    start = time.monotonic()
    try:
        return _render_in_child(command, source, effort, None if timeout is None else timeout / 2)
    except subprocess.TimeoutExpired:
        hasty = source.replace("{", '{\n\tgraph [nslimit=1, splines="false"]', 1)
        left = None if timeout is None else timeout - (time.monotonic() - start)
    try:
        return _render_in_child(command, hasty, effort, left)
    except subprocess.TimeoutExpired:
        raise LayoutTimeout(
            f"no layout within {timeout:g} s ({effort}). Try depth=1, max_nodes=150 or "
            "timeout=None. The DOT is in .source, the text in .text()."
        ) from None


NO_FONTS = (
    "No fonts found: PNG and PDF would show empty boxes. Save SVG, or install a font (apt install "
    "fonts-dejavu-core)."
)
FONT_FOLDERS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "/usr/X11R6/lib/X11/fonts",
    "~/.fonts",
    "~/.local/share/fonts",
)


def has_fonts() -> bool:
    """Whether there is any font to draw with. Windows and macOS always have some."""
    if not sys.platform.startswith("linux"):
        return True
    files = (file for folder in FONT_FOLDERS for file in Path(folder).expanduser().rglob("*"))
    return any(file.suffix.lower() in (".ttf", ".otf", ".ttc", ".pfb", ".pcf") for file in files)


def _render_here(source: str, kind: str) -> bytes:
    import pygraphviz

    with _LOCK, _quiet():
        drawn: bytes = pygraphviz.AGraph(string=source).draw(format=kind, prog="dot")
    return drawn


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep from the reader what the C libraries write to stderr: complaints about font settings."""
    try:
        stderr = os.dup(2)
    except OSError:  # there is none
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nowhere)


def _render_in_child(
    command: list[str], source: str, effort: Effort, timeout: float | None
) -> bytes:
    done = subprocess.run(
        command, input=source.encode(), capture_output=True, timeout=timeout, check=False
    )
    if done.returncode == 0:
        return done.stdout
    if done.returncode < 0:
        reason = f"signal {-done.returncode}"
    else:
        reason = f"exit code {done.returncode}: {done.stderr.decode(errors='replace').strip()}"
    raise LayoutCrashed(
        f"Graphviz stopped with {reason} while laying out {effort.nodes:,} nodes. Your session is "
        "unaffected. Try depth=1; the DOT is in .source."
    )
