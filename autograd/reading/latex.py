"""Formulas in LaTeX: of names, of numbers, and of derivatives that formula.py has simplified."""

from __future__ import annotations

import ast
import re

from . import figures

_GREEK = re.compile(
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|"
    "upsilon|phi|chi|psi|omega"
)
_FUNCTIONS = {"sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "log", "max", "min"}
_SUM, _PRODUCT, _POWER, _ATOM = 1, 2, 4, 5  # how strongly a sign binds


def name(text: str) -> str:
    """Write a name: `x`, `x_{1}`, `\\alpha`, `\\mathit{loss}`."""
    match = re.fullmatch(r"([A-Za-z]+)_?(\d*)", text)
    if match is None:
        return r"\mathit{" + re.sub(r"([_&%$#{}])", r"\\\1", text) + "}"
    word, number = match.groups()
    greek, single = _GREEK.fullmatch(word), len(word) == 1
    letter = f"\\{word}" if greek else word if single else rf"\mathit{{{word}}}"
    return f"{letter}_{{{number}}}" if number else letter


def number(text: str) -> str:
    """Write a number that is written already: `1e-05` as a power of ten."""
    mantissa, e, exponent = text.partition("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if e else text.replace("inf", r"\infty")


def fraction(above: str, below: str) -> str:
    """Write the derivative of one name by another."""
    return rf"\frac{{\partial {name(above)}}}{{\partial {name(below)}}}"


def factor(tree: ast.expr) -> str:
    """Write a formula as a factor of a product."""
    return _bracketed(tree, _PRODUCT)


def _write(node: ast.expr) -> tuple[str, int]:
    match node:
        case ast.Constant(value=int() | float() as value):
            return number(figures.literal(value)), _ATOM if value >= 0 else _SUM
        case ast.Name(id=text):
            return name(text), _ATOM
        case ast.UnaryOp(operand=operand):
            return "-" + _bracketed(operand, _PRODUCT), _SUM
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return f"{_bracketed(left, _ATOM)}^{{{_write(right)[0]}}}", _POWER
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return rf"\frac{{{_write(left)[0]}}}{{{_write(right)[0]}}}", _ATOM
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return rf"{_bracketed(left, _PRODUCT)} \, {_bracketed(right, _PRODUCT)}", _PRODUCT
        case ast.BinOp(left=left, op=op, right=right):
            plus = isinstance(op, ast.Add)
            return f"{_write(left)[0]} {'+' if plus else '-'} {_bracketed(right, _PRODUCT)}", _SUM
        case ast.Call(func=ast.Name(id="sqrt"), args=[inner]):
            return rf"\sqrt{{{_write(inner)[0]}}}", _ATOM
        case ast.Call(func=ast.Name(id=text), args=args):
            called = "\\" + text if text in _FUNCTIONS else rf"\operatorname{{{text}}}"
            return rf"{called}\left({', '.join(_write(a)[0] for a in args)}\right)", _ATOM
    raise AssertionError(ast.dump(node))


def _bracketed(node: ast.expr, binds: int) -> str:
    text, strength = _write(node)
    return text if strength >= binds else rf"\left({text}\right)"
