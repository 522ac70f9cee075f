"""Tables of text: for a terminal, for Markdown and for HTML."""

from __future__ import annotations

import html
from collections.abc import Sequence

Rows = Sequence[Sequence[str]]


def aligned(head: Sequence[str], rows: Rows, right: int = 0) -> str:
    """Return a table for a terminal: columns two spaces apart, the first of them and those before
    number ``right`` to the left, the others to the right; a cell may have several lines."""
    cells = [[cell.split("\n") for cell in row] for row in [head, *rows]]
    widths = [max(len(line) for row in cells for line in row[i]) for i in range(len(head))]
    lines = []
    for row in cells:
        for i in range(max(map(len, row))):
            parts = [cell[i] if i < len(cell) else "" for cell in row]
            padded = [
                part.rjust(width) if right and column >= right else part.ljust(width)
                for column, (part, width) in enumerate(zip(parts, widths, strict=True))
            ]
            lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)


def as_markdown(head: Sequence[str], rows: Rows) -> str:
    """Return the table as Markdown has it."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(_on_one_line, row)) + " |" for row in lines)


def as_html(head: Sequence[str], rows: Rows) -> str:
    """Return the table as HTML, for a notebook."""
    lines = [_row("th", head), *(_row("td", row) for row in rows)]
    return "<table>\n" + "\n".join(lines) + "\n</table>"


def _on_one_line(cell: str) -> str:
    return cell.replace("|", "\\|").replace("\n", "<br>")


def _row(tag: str, cells: Sequence[str]) -> str:
    marked = (html.escape(cell).replace("\n", "<br>") for cell in cells)
    style = ' style="text-align: left"'
    return "<tr>" + "".join(f"<{tag}{style}>{cell}</{tag}>" for cell in marked) + "</tr>"
