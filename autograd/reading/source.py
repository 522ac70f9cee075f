"""What the user's own line says: the names in `q = x + y`, and the text of a rule.

A recorded operation remembers the instruction that called it. Python knows which characters of the
program that instruction came from, and the syntax tree knows what they mean: an addition whose
operands are called x and y, and whose result is given the name q.
"""

from __future__ import annotations

import ast
import functools
import linecache
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePath
from types import CodeType, ModuleType
from typing import Any

Span = tuple[int, int, int, int]  # line, end line, column, end column: as co_positions() has it

_OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
    ast.Pow: "pow",
    ast.MatMult: "matmul",
    ast.USub: "neg",
}


@dataclass(frozen=True, slots=True)
class Written:
    """An operation as it stands in the program."""

    op: str  # "add" for x + y, "relu" for F.relu(h)
    operands: tuple[str, ...]  # names; "" for an operand that is no plain name
    targets: tuple[str, ...]  # the names its results are given
    argument: str = ""  # of a call like `net(x)` or `self.conv(x)`: the name of what goes in


@dataclass(slots=True)
class _Index:
    """The expressions of one source text, by where they stand."""

    written: dict[Span, ast.expr] = field(default_factory=dict)
    targets: dict[Span, tuple[str, ...]] = field(default_factory=dict)
    modules: set[str] = field(default_factory=set)  # names bound by imports
    lambdas: list[ast.Lambda] = field(default_factory=list)


def written(code: CodeType, lasti: int) -> Written | None:
    """Return how the operation called by instruction `lasti` of `code` is written, if known."""
    span = _span(code, lasti)
    index = _index_of(code.co_filename)
    node = index.written.get(span) if span else None
    if node is None or span is None:
        return None
    targets = index.targets.get(span, ())
    match node:
        case ast.BinOp(left=left, op=sign, right=right):
            return Written(_OPERATORS.get(type(sign), ""), _names(left, right), targets)
        case ast.UnaryOp(op=sign, operand=operand):
            return Written(_OPERATORS.get(type(sign), ""), _names(operand), targets)
        case ast.Call(func=ast.Name(id=name)):
            return Written(name, _names(*node.args), targets, _only(node.args))
        case ast.Call(func=ast.Attribute(value=ast.Name(id=function), attr="apply")):
            return Written(function, _names(*node.args), targets)
        case ast.Call(func=ast.Attribute(value=owner, attr=name)):
            is_function = _is_module(_root(owner), index, code)  # F.relu(h), nn.functional.relu(h)
            operands = node.args if is_function else [owner, *node.args]
            argument = _only(node.args) if _root(owner) == "self" else ""
            return Written(name, _names(*operands), targets, argument)
    return None


def _only(arguments: list[ast.expr]) -> str:
    """The name of the only argument, if it is a plain name."""
    return _name(arguments[0]) if len(arguments) == 1 else ""


def _root(expression: ast.expr) -> str:
    """The name that `a.b.c` begins with; "" if it begins with something else."""
    while isinstance(expression, ast.Attribute):
        expression = expression.value
    return expression.id if isinstance(expression, ast.Name) else ""


def _is_module(name: str, index: _Index, code: CodeType) -> bool:
    """Whether a name is bound by an import: in this file or, for a notebook's cell, in another."""
    if name in index.modules:
        return True
    bound = vars(sys.modules["__main__"]).get(name) if _is_cell(code) else None
    return isinstance(bound, ModuleType)


def _is_cell(code: CodeType) -> bool:
    """Whether this is the code of a notebook's cell, whose file nobody has seen."""
    return "ipykernel_" in code.co_filename


def place(code: CodeType, lasti: int) -> str:
    """Return where an instruction stands: `train.py:12`."""
    span = _span(code, lasti)
    return f"{PurePath(code.co_filename).name}:{span[0] if span else code.co_firstlineno}"


def line(code: CodeType, lasti: int) -> int:
    """Return the number of the line that an instruction stands on."""
    lines = [number for start, end, number in code.co_lines() if start <= lasti < end]
    return lines[0] or code.co_firstlineno if lines else code.co_firstlineno


def underlined(code: CodeType, lasti: int) -> str:
    """Return where an instruction stands as a traceback does: the file, the line, and its text with
    the characters underlined that the instruction came from."""
    span, number = _span(code, lasti), line(code, lasti)
    file = "Cell" if _is_cell(code) else f'File "{code.co_filename}"'
    told = f"  {file}, line {number}, in {code.co_name}"
    text = linecache.getline(code.co_filename, number).rstrip()
    if not text.strip():
        return told
    told += f"\n    {text.lstrip()}"
    if span is None:
        return told
    start, end = (len(text.encode()[:byte].decode(errors="replace")) for byte in span[2:])
    if span[1] > number:  # of an expression of several lines, the first
        end = len(text)
    indent = len(text) - len(text.lstrip())
    return f"{told}\n    {' ' * (start - indent)}{'^' * (end - start)}"


def lambda_of(function: Callable[..., Any]) -> ast.Lambda | None:
    """Return the syntax tree of a lambda, found by where its body stands."""
    code = function.__code__
    starts = []
    for i in range(0, len(code.co_code), 2):
        span = _span(code, i)
        if span is not None and (span[0], span[2]) != (span[1], span[3]):  # not a mere place
            starts.append((span[0], span[2]))
    first = min(starts, default=None)
    for candidate in _index_of(code.co_filename).lambdas:
        if (candidate.body.lineno, candidate.body.col_offset) == first:
            return candidate
    return None


def _span(code: CodeType, lasti: int) -> Span | None:
    positions = _positions(code)
    span = positions[lasti // 2] if 0 <= lasti // 2 < len(positions) else (None,) * 4
    line, end_line, column, end_column = span
    if line is None or end_line is None or column is None or end_column is None:
        return None
    return line, end_line, column, end_column


@functools.lru_cache(maxsize=512)
def _positions(code: CodeType) -> tuple[tuple[int | None, int | None, int | None, int | None], ...]:
    return tuple(code.co_positions())


def _index_of(filename: str) -> _Index:
    """Return the index of a file; it is made anew when the file has been read anew."""
    lines = linecache.getlines(filename)
    if filename not in _INDICES or _INDICES[filename][0] is not lines:
        _INDICES[filename] = lines, _index("".join(lines))
    return _INDICES[filename][1]


_INDICES: dict[str, tuple[list[str], _Index]] = {}


def _index(text: str) -> _Index:
    index = _Index()
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return index  # not Python, or not all of it: then nothing is known, which is no harm
    for node in ast.walk(tree):
        match node:
            case ast.BinOp() | ast.UnaryOp() | ast.Call():
                index.written[_place(node)] = node
            case ast.Lambda():
                index.lambdas.append(node)
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                index.modules |= {name.asname or name.name.partition(".")[0] for name in names}
            case (
                ast.Assign(targets=[target], value=value)
                | ast.AnnAssign(target=target, value=ast.expr() as value)
                | ast.NamedExpr(target=target, value=value)
            ):
                _assign(index, target, value)
    return index


def _assign(index: _Index, target: ast.expr, value: ast.expr) -> None:
    match target, value:
        case ast.Tuple(elts=names), ast.Tuple(elts=values) if len(names) == len(values):
            for name, part in zip(names, values, strict=True):
                _assign(index, name, part)
        case ast.Tuple(elts=names), _:
            index.targets[_place(value)] = _names(*names)
        case _:
            index.targets[_place(value)] = _names(target)


def _place(node: ast.expr) -> Span:
    end_line, end_column = node.end_lineno, node.end_col_offset
    assert end_line is not None
    assert end_column is not None
    return node.lineno, end_line, node.col_offset, end_column


def _names(*nodes: ast.expr) -> tuple[str, ...]:
    return tuple(_name(node) for node in nodes)


def _name(node: ast.expr) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *parts[::-1]]) if isinstance(node, ast.Name) else ""
