"""Graphviz's HTML-like labels, built so that no text can break one.

A label with a bare `&`, a control character or an empty `<B></B>` is not refused: the node is drawn
without its text. So all text passes through `clean` and `html.escape`, and an empty text makes no
tag. Two no-break spaces end each text, since its width is measured with the fonts of this machine
and drawn with those of another.
"""

from __future__ import annotations

from html import escape

from autograd.reading.figures import LIMIT, clean

NBSP = "\N{NO-BREAK SPACE}"


def span(
    text: str,
    color: str,
    size: float,
    *,
    bold: bool = False,
    italic: bool = False,
    limit: int = LIMIT,
) -> str:
    """Return a run of text in one color, size and cut."""
    text = clean(text, limit)
    if not text:
        return ""
    markup = escape(text, quote=False).replace("  ", NBSP * 2)
    markup = markup.replace("\\", "\\\\")  # for \\N would be the node's id
    if bold:
        markup = f"<B>{markup}</B>"
    if italic:
        markup = f"<I>{markup}</I>"
    return f'<FONT COLOR="{color}" POINT-SIZE="{size:g}">{markup}</FONT>'


def gap(size: float, count: int = 1) -> str:
    """Return no-break spaces of the given font size, so that they do not make the line higher."""
    return f'<FONT POINT-SIZE="{size:g}">{NBSP * count}</FONT>'


def cell(content: str, **attributes: object) -> str:
    """Return a table cell."""
    return _tag("TD", content, attributes)


def row(*cells: str) -> str:
    """Return a table row."""
    return _tag("TR", "".join(cells), {})


def table(*rows: str, **attributes: object) -> str:
    """Return a table without lines or gaps, save for those asked for."""
    defaults: dict[str, object] = {"border": 0, "cellborder": 0, "cellspacing": 0, "cellpadding": 2}
    return _tag("TABLE", "".join(rows), defaults | attributes)


def _tag(name: str, content: str, attributes: dict[str, object]) -> str:
    written = "".join(f' {key.upper()}="{value}"' for key, value in attributes.items())
    return f"<{name}{written}>{content}</{name}>"
