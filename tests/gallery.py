"""The gallery in every style: `python -m tests.gallery FOLDER` makes a page of it.

The computations are those of notebooks/gallery.ipynb, which is run here, cell by cell; where it
draws one picture, all styles and themes are drawn.
"""

from __future__ import annotations

import argparse
import json
import linecache
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from autograd.visualize import Graph
from autograd.visualize import draw as draw_one
from autograd.visualize.draw import VIEWS

NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "gallery.ipynb"
THEMES = ("light", "dark")


@dataclass(frozen=True)
class Picture:
    """One picture that the notebook draws, and how to draw it in another style."""

    title: str  # of the section it stands in
    number: int  # which of the section's pictures
    draw: Callable[..., Graph]


def pictures() -> Iterator[Picture]:
    """Run the notebook, and yield its pictures as they come."""
    found: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def draw(*outputs: Any, **options: Any) -> Graph:
        found.append((outputs, options))
        return draw_one(*outputs, **options)

    names: dict[str, Any] = {}
    title, number = "", 0
    for cell in json.loads(NOTEBOOK.read_text("utf-8"))["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            if text.startswith("## "):
                title, number = text.splitlines()[0].lstrip("# "), 0
            continue
        run(text, f"<{title}, {number}>", names)
        names["draw"] = draw
        for outputs, options in found:

            def again(outputs: Any = outputs, options: Any = options, **changed: Any) -> Graph:
                return draw_one(*outputs, **{**options, **changed})

            yield Picture(title, number, again)
            number += 1
        found.clear()


def run(text: str, filename: str, names: dict[str, Any]) -> None:
    """Execute a cell, so that its lines can be read by those who name tensors after them."""
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    exec(compile(text, filename, "exec"), names)  # our own notebook


def page(folder: Path) -> Path:
    """Draw everything into a folder, with a page that shows it."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = []
    for n, picture in enumerate(pictures()):
        parts.append(f"<h2>{escape(picture.title)}</h2>" if not picture.number else "<hr>")
        for view in VIEWS:
            for theme in THEMES:
                name = f"{n:02d}-{view}-{theme}.svg"
                picture.draw(view=view, theme=theme).write(folder / name)
                told = f"{escape(picture.title)}: {view}, {theme}"
                parts.append(f'<p>{view}, {theme}</p><img src="{name}" alt="{told}">')
    index = folder / "index.html"
    style = "<style>img{max-width:700px}body{font-family:sans-serif}</style>"
    index.write_text(f"<!DOCTYPE html><title>Gallery</title>{style}{''.join(parts)}", "utf-8")
    return index


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.gallery", description=__doc__)
    parser.add_argument("folder", type=Path)
    print(page(parser.parse_args().folder))
