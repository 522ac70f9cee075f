"""How numbers and names are written.

With an ASCII minus, so that they can be copied back into Python; thousands by a thin space.
"""

from __future__ import annotations

import math
import unicodedata
from typing import Any

THIN = "\N{THIN SPACE}"
LIMIT = 60


def number(x: Any, precision: int = 2) -> str:
    """Write one number: `-12.00`, `7`, `1 234.50`, `4.20e-05`, `nan`."""
    if isinstance(x, bool):
        return str(x)
    if isinstance(x, int):
        return f"{x:,}".replace(",", THIN)
    if x == 0:
        return f"{0:.{precision}f}"
    if not math.isfinite(x):
        return str(x)
    if 0.01 <= abs(x) < 9999.5:
        return f"{x:,.{precision}f}".replace(",", THIN)
    return f"{x:.{precision}e}"


def signed(x: Any, precision: int = 2) -> str:
    """Write a number that is added to others: `+3.00`."""
    text = number(x, precision)
    return text if text.startswith("-") else f"+{text}"


def short(x: Any, precision: int = 2) -> str:
    """Write a number inside a formula, without the zeros at its end: `-4`, `0.42`."""
    text = number(x, precision)
    if "." not in text or "e" in text:
        return text
    return text.rstrip("0").rstrip(".")


def literal(x: float) -> str:
    """Write a number that stands in the program itself: `3`, `0.1`, `1.0001`."""
    return f"{x:g}" if isinstance(x, float) else str(x)


def compact(x: Any) -> str:
    """Write a number in four figures, without zeros at its end: `-0.6023`, `2`, `1.2e-05`."""
    return f"{float(x):.4g}"


def nested(items: Any) -> str:
    """Write a number so, or nested lists of numbers."""
    return f"[{', '.join(map(nested, items))}]" if isinstance(items, list) else compact(items)


def array(items: Any, precision: int = 2) -> str:
    """Write a number, or nested lists of numbers in brackets."""
    if isinstance(items, list):
        return "[" + ", ".join(array(item, precision) for item in items) + "]"
    return number(items, precision)


def shape(dims: tuple[int, ...], dtype: str = "float32") -> str:
    """Write a shape as Python does, with the dtype where it is not the usual one."""
    return str(dims) if dtype == "float32" else f"{dims} {dtype}"


def size(nbytes: int) -> str:
    """Write a number of bytes: `656 B`, `2.0 KiB`, `7.7 MiB`."""
    amount = float(nbytes)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024 or unit == "GiB":
            break
        amount /= 1024
    return f"{nbytes} B" if unit == "B" else f"{amount:.1f} {unit}"


def clean(text: str, limit: int = LIMIT) -> str:
    """Return `text` on one line, without characters that XML forbids, at most `limit` long."""
    text = "".join(char if _allowed(char) else " " for char in text[: 4 * limit]).strip()
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _allowed(char: str) -> bool:
    """Whether it is none of: a control, a surrogate, unassigned (C); a line break (Zl, Zp)."""
    category = unicodedata.category(char)
    return category[0] != "C" and category not in ("Zl", "Zp")
