"""A local derivative in names: from the rule `dy * b` of a product to `z`.

With dy = 1, a rule is the derivative itself. What multiplies by 1 falls away, numbers are reckoned
out, and the rest is written as in a book: `1 - h²`. A rule that is more than arithmetic and calls
has no formula, and the picture shows its number alone.
"""

from __future__ import annotations

import ast
import copy
import operator
from collections.abc import Callable, Mapping
from typing import Any

from . import figures, source

# What stands for each name in a rule: another name, or a number.
Given = Mapping[str, str | float]

_LONGEST = 24
_RECKON: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Pow: operator.pow,
}
_SIGNS: dict[type[ast.operator], tuple[str, int]] = {  # how it is written, how strongly it binds
    ast.Add: (" + ", 1),
    ast.Sub: (" - ", 1),
    ast.Mult: ("·", 2),
    ast.Div: ("/", 2),
    ast.Pow: ("^", 4),
}
_ATOM = 5
_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


class _NoFormulaError(Exception):
    """The rule says more than a formula can."""


def local_derivative(rule: Callable[..., Any], given: Given) -> str:
    """Return the formula of a rule for dy = 1, or "" if it has none that is short enough."""
    tree = simplified(rule, given)
    return "" if tree is None else _write(tree)[0]


def simplified(rule: Callable[..., Any], given: Given) -> ast.expr | None:
    """Return the same as a syntax tree, or None."""
    tree = source.lambda_of(rule)
    if tree is None or not tree.args.args:
        return None
    try:
        simple = _simplify(_plain(tree.body), {**given, tree.args.args[0].arg: 1})
        return simple if len(_write(simple)[0]) <= _LONGEST else None
    except (_NoFormulaError, ArithmeticError):
        return None


def factor(tree: ast.expr) -> str:
    """Write a formula as a factor of a product: a sum in brackets."""
    return _bracketed(tree, 2)


def as_written(rule: Callable[..., Any]) -> str:
    """Return the right-hand side of a rule as it stands in the source, or "" if it is no lambda."""
    tree = source.lambda_of(rule)
    return "" if tree is None else ast.unparse(_plain(tree.body))


def called(rule: Callable[..., Any]) -> list[str]:
    """Return the names of the functions that a rule calls, in order; none if it is no lambda."""
    tree = source.lambda_of(rule)
    calls = [] if tree is None else [n for n in ast.walk(_plain(tree.body)) if type(n) is ast.Call]
    names = [call.func.id for call in calls if isinstance(call.func, ast.Name)]
    return list(dict.fromkeys(names))


def _plain(body: ast.expr) -> ast.expr:
    plain: ast.expr = _Constants().visit(copy.deepcopy(body))
    return plain


class _Constants(ast.NodeTransformer):
    """Writes the number for `constant(number, x)`, which makes of it what is fastest beside x."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        is_constant = isinstance(node.func, ast.Name) and node.func.id == "constant"
        return node.args[0] if is_constant else node


def _simplify(node: ast.expr, given: Given) -> ast.expr:
    match node:
        case ast.Constant(value=int() | float()):
            return node
        case ast.Name(id=name) if name in given:
            stands_for = given[name]
            if isinstance(stands_for, str):
                return ast.Name(stands_for)
            return ast.Constant(stands_for)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            match _simplify(operand, given):
                case ast.Constant(value=int() | float() as value):
                    return ast.Constant(-value)
                case inner:
                    return ast.UnaryOp(ast.USub(), inner)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _SIGNS:
            return _combine(_simplify(left, given), op, _simplify(right, given))
        case ast.Call(func=ast.Name(id="pow"), args=[base, exponent]):
            return _combine(_simplify(base, given), ast.Pow(), _simplify(exponent, given))
        case ast.Call(func=ast.Name(id=name) as function, args=args, keywords=[]):
            if name.startswith("_"):
                raise _NoFormulaError
            return ast.Call(function, [_simplify(argument, given) for argument in args], [])
    raise _NoFormulaError


def _combine(left: ast.expr, op: ast.operator, right: ast.expr) -> ast.expr:
    """Reckon out what can be: two numbers, a product with 1, a sum with 0, a power of 1."""
    match left, right:
        case ast.Constant(value=a), ast.Constant(value=b) if type(op) in _RECKON:
            return ast.Constant(_RECKON[type(op)](a, b))
    match op:
        case ast.Mult() if _is_number(left, 1):
            return right
        case ast.Mult() | ast.Div() | ast.Pow() if _is_number(right, 1):
            return left
        case ast.Add() if _is_number(left, 0):
            return right
        case ast.Add() | ast.Sub() if _is_number(right, 0):
            return left
        case ast.Mult() if power := _power(left, right):
            return power
        case ast.Add() if isinstance(left, ast.Name) and _same(left, right):
            return ast.BinOp(ast.Constant(2), ast.Mult(), left)
        case ast.Mult() | ast.Div() if isinstance(left, ast.UnaryOp):
            return ast.UnaryOp(left.op, _combine(left.operand, op, right))
        case ast.Mult() if _is_number(left, -1):
            return ast.UnaryOp(ast.USub(), right)
    return ast.BinOp(left, op, right)


def _power(left: ast.expr, right: ast.expr) -> ast.expr | None:
    """Return `x · x`, `x² · x` or `c · x · x` as a power of x; None for another product."""
    match left:
        case ast.Name() if _same(left, right):
            return ast.BinOp(left, ast.Pow(), ast.Constant(2))
        case ast.BinOp(base, ast.Pow(), ast.Constant(int() as exponent)) if _same(base, right):
            return ast.BinOp(base, ast.Pow(), ast.Constant(exponent + 1))
        case ast.BinOp(factor, ast.Mult(), rest) if power := _power(rest, right):
            return ast.BinOp(factor, ast.Mult(), power)
    return None


def _same(a: ast.expr, b: ast.expr) -> bool:
    return ast.dump(a) == ast.dump(b)


def _is_number(node: ast.expr, value: float) -> bool:
    return isinstance(node, ast.Constant) and node.value == value


def _write(node: ast.expr) -> tuple[str, int]:
    """Return the text of a simplified rule, and how strongly its outermost sign binds."""
    match node:
        case ast.Constant(value=int() | float() as value):
            return figures.literal(value), _ATOM if value >= 0 else 2
        case ast.Name(id=name):
            return name, _ATOM
        case ast.UnaryOp(operand=operand):
            return "-" + _bracketed(operand, 2), 1
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int() as exponent)):
            return _bracketed(left, _ATOM) + str(exponent).translate(_RAISED), 4
        case ast.BinOp(left=left, op=op, right=right):
            sign, binds = _SIGNS[type(op)]
            tighter = isinstance(op, (ast.Sub, ast.Div, ast.Pow))
            return _bracketed(left, binds) + sign + _bracketed(right, binds + tighter), binds
        case ast.Call(func=ast.Name(id=name), args=args):
            return f"{name}({', '.join(_write(argument)[0] for argument in args)})", _ATOM
    raise _NoFormulaError


def _bracketed(node: ast.expr, binds: int) -> str:
    text, strength = _write(node)
    return text if strength >= binds else f"({text})"
