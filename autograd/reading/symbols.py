"""How an operation is written: its sign where it has one, its settings where they say something."""

from __future__ import annotations

from typing import Any

_SIGNS = {
    "add": "+",
    "sub": "−",
    "mul": "×",
    "div": "÷",
    "neg": "−",
    "matmul": "@",
    "sum": "Σ",
    "sigmoid": "σ",
    "sqrt": "√",
    "square": "x²",
    "exp": "eˣ",
    "pow": "xⁿ",
    "reciprocal": "1/x",
    "abs": "|x|",
}
_INFIX = {"add": "+", "sub": "-", "mul": "·", "div": "/", "matmul": "@"}
_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")

_INSIDE = ("axes", "share")  # settings that the library worked out for itself
_USUAL = {"stride": "1", "dilation": "1", "groups": "1", "padding": "0", "keepdim": "False"}


def setting(name: str, value: Any) -> str:
    """Write a setting, `2` for `(2, 2)`; "" for what everybody expects, or is no one's business."""
    values = list(value) if type(value) in (tuple, list) else [value]
    if not all(isinstance(part, (bool, int, float, str)) for part in values):
        return ""
    written = str(values[0] if values and values.count(values[0]) == len(values) else value)
    return "" if name in _INSIDE or written == _USUAL.get(name) else written


def sign(op: str) -> str:
    """Return what stands in the circle of an operation."""
    return _SIGNS.get(op, op)


def expression(op: str, operands: list[str]) -> str:
    """Write an operation with its operands: `x + y`, `-x`, `x²`, `relu(h)`."""
    match op, operands:
        case (("add" | "sub" | "mul" | "div" | "matmul"), [a, b]):
            return f"{a} {_INFIX[op]} {b}"
        case "neg", [a]:
            return f"-{a}"
        case "pow", [a, b] if b.lstrip("-").isdigit():
            return a + b.translate(_RAISED)
        case "pow", [a, b]:
            return f"{a}^{b}"
    return f"{op}({', '.join(operands)})"
