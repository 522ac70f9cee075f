"""The sign of an operation, where it has one; else its name."""

from __future__ import annotations

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
    return f"{op}({', '.join(operands)})"
