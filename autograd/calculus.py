"""The table of derivatives, read off the declarations: ``autograd.derivatives()``.

Nothing in it is written twice. What an operation computes is the first sentence of its docstring;
its rules are the lines of source that the engine runs; what it keeps is what these lines name; and
the orders are those that the tests verified by central differences, and wrote down.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import json
import pkgutil
import re
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

from autograd import ops
from autograd.reading import formula, table
from autograd.rules import OPS, Op, Rule

__all__ = ["Derivative", "Derivatives", "derivatives"]

_PACKAGE = Path(__file__).parent
_WIDTH = 100
_HEAD = ("operation", "what it computes", "rule", "keeps", "orders", "source")


@dataclass(frozen=True, slots=True)
class Derivative:
    """What is declared of one operation."""

    name: str
    kind: str  # "elementwise", "linear", "bilinear" or "op"
    chapter: str  # the title of the chapter it stands in
    formula: str  # what it computes
    rules: tuple[str, ...]  # "dx = dy * (1 - y * y)", one an input; none: it has no derivative
    slopes: tuple[str, ...]  # for elementwise operations, where it is short: "∂y/∂x = 1 - y²"
    helpers: tuple[str, ...]  # "name: what it does, where", for functions in the rules
    keeps: tuple[str, ...]  # the names of what is kept for backward
    conventions: str  # what its docstring says of the gradient: at kinks, ties, zeros
    verified: int  # the highest order verified by central differences; 0: none
    source: str  # "autograd/ops/elementary.py:120"

    def __str__(self) -> str:
        facts = [
            *(("slope", slope) for slope in self.slopes),
            *(("where", helper) for helper in self.helpers),
            *([("keeps", ", ".join(self.keeps) or "nothing")] if self.rules else []),
            *([("orders", self.orders)] if self.rules else []),
            *([("note", self.conventions)] if self.conventions else []),
            ("source", self.source),
        ]
        return "\n".join(
            [
                textwrap.fill(f"{self.name} ({self.kind}): {self.formula}", _WIDTH),
                *(f"    {rule}" for rule in self.rules or ("no derivative",)),
                *(_fact(name, told) for name, told in facts),
            ]
        )

    __repr__ = __str__

    @property
    def orders(self) -> str:
        """To which order it can be differentiated, and how that is known."""
        if not self.rules:
            return ""
        if self.verified < 2:
            return "1, verified by central differences" if self.verified else "not verified"
        return f"any; verified by central differences: {self._verified_orders()}"

    def _verified_orders(self) -> str:
        return ", ".join(str(order + 1) for order in range(self.verified))

    def _cells(self) -> tuple[str, ...]:
        rules = "\n".join(self.rules) or "none"
        keeps, verified = ", ".join(self.keeps), self._verified_orders()
        return (self.name, self.formula, rules, keeps, verified, self.source)

    def _repr_html_(self) -> str:
        return Derivatives([self])._repr_html_()

    def _repr_markdown_(self) -> str:
        return Derivatives([self])._repr_markdown_()


def _fact(name: str, told: str) -> str:
    return textwrap.fill(told, _WIDTH, initial_indent=f"  {name:<8}", subsequent_indent=" " * 10)


class Derivatives(Sequence[Derivative]):
    """The table: a row for each operation, in the order of the book."""

    def __init__(self, rows: Sequence[Derivative]) -> None:
        self.rows = tuple(rows)

    @overload
    def __getitem__(self, index: int) -> Derivative: ...
    @overload
    def __getitem__(self, index: slice) -> Derivatives: ...
    def __getitem__(self, index: int | slice) -> Derivative | Derivatives:
        """A row by its number, or some of them."""
        found = self.rows[index]
        return Derivatives(found) if isinstance(found, tuple) else found

    def __len__(self) -> int:
        return len(self.rows)

    def __str__(self) -> str:
        told: list[str] = []
        chapter = ""
        for row in self.rows:
            if row.chapter != chapter:
                chapter = row.chapter
                told.append(f"{chapter}\n{'=' * len(chapter)}")
            told.append(str(row))
        return "\n\n".join(told)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return table.as_html(_HEAD, [row._cells() for row in self.rows])

    def _repr_markdown_(self) -> str:
        return table.as_markdown(_HEAD, [row._cells() for row in self.rows])


@overload
def derivatives() -> Derivatives: ...
@overload
def derivatives(name: str | Callable[..., Any]) -> Derivative: ...
def derivatives(name: str | Callable[..., Any] | None = None) -> Derivatives | Derivative:
    """The table of derivatives, or the row of one operation: ``derivatives("tanh")`` or
    ``derivatives(torch.tanh)``.

    For each operation: what it computes, the rule for each input as it stands in the source, what
    is kept for backward, the convention at kinks, the orders verified, and the place. Raises
    KeyError for a name that has no rule of its own."""
    _load_all_chapters()
    if name is None:
        return Derivatives([_row(op) for op in OPS.values()])
    if not (isinstance(name, str) or hasattr(name, "__name__")):
        raise TypeError(
            "derivatives() takes an operation or its name, as in derivatives('tanh'), but got "
            f"{type(name).__name__}"
        )
    op = getattr(name, "op", None) if callable(name) else OPS.get(name)
    if op is None:
        raise KeyError(_unknown(name if isinstance(name, str) else name.__name__))
    return _row(op)


@functools.cache
def _load_all_chapters() -> None:
    """Chapters that are rarely needed are loaded when they are; here all are."""
    for chapter in pkgutil.iter_modules(ops.__path__, "autograd.ops."):
        importlib.import_module(chapter.name)


def _unknown(name: str) -> str:
    function = getattr(ops, name, None)
    if callable(function) and hasattr(function, "__code__"):
        place = _place(function.__code__)
        return (
            f"'{name}' has no rule of its own: it is made of other operations, at {place}. "
            f"torch.{name}(...).grad_fn shows the last of them."
        )
    near = ", ".join(difflib.get_close_matches(name, OPS)) or "tanh, matmul, softmax, ..."
    return f"there is no operation '{name}'. Near it: {near}"


def _row(op: Op) -> Derivative:
    names = [*op.inputs, "y", *op.settings]
    needs = dict.fromkeys(need for rule in op.rules.values() for need in rule.needs)
    given = dict(zip(names, names, strict=True))
    told = {rule: formula.local_derivative(rule.written, given) for rule in op.rules.values()}
    slopes = [f"∂y/∂{rule.input} = {slope}" for rule, slope in told.items() if slope]
    return Derivative(
        name=op.name,
        kind=op.kind,
        chapter=_title(op.module),
        formula=next(iter(_docs(op)), [""])[0],
        rules=tuple(_written(rule) for rule in op.rules.values()),
        slopes=tuple(slopes) if op.kind in ("elementwise", "bilinear") else (),
        helpers=tuple(dict.fromkeys(h for rule in op.rules.values() for h in _helpers(rule))),
        keeps=tuple(sorted(needs, key=[*names, *needs].index)),
        conventions=" ".join(_conventions(op)),
        verified=_verified().get(op.name, 0),
        source=_place(op.apply.__wrapped__.__code__),
    )


def _written(rule: Rule) -> str:
    """The rule as it stands in the source; of one that is a function, its name and place."""
    text = formula.as_written(rule.written)
    if text:
        return f"d{rule.input} = {text}"
    code = rule.written.__code__
    return f"d{rule.input} = {code.co_name}({', '.join(('dy', *rule.needs))}), at {_place(code)}"


def _helpers(rule: Rule) -> Iterator[str]:
    """What the functions do that a rule calls and that are no operations themselves."""
    for name in formula.called(rule.written):
        function: Any = rule.written.__globals__.get(name)
        ours = getattr(function, "__module__", "").startswith("autograd.ops.")
        if ours and not hasattr(function, "op") and getattr(ops, name, None) is not function:
            does = _sentences(function.__doc__)[0].rstrip(".") + ", " if function.__doc__ else ""
            yield f"{name}: {does}{_place(function.__code__)}"


def _docs(op: Op) -> list[list[str]]:
    """The sentences of the operation's docstring, and of that of the function that users call."""
    functions = (op.apply, getattr(ops, op.name, None))
    return [_sentences(f.__doc__) for f in functions if f is not None and f.__doc__]


def _conventions(op: Op) -> list[str]:
    """What these docstrings say of the gradient beside what the operation computes."""
    rest = [sentence for doc in _docs(op) for sentence in doc[1:]]
    about = [s for s in rest if _ABOUT.search(s) and not s.startswith("Raises")]
    return list(dict.fromkeys(about))


_ABOUT = re.compile(r"\b(gradient|derivative|adjoint)\b|qual ones share")


def _sentences(doc: str) -> list[str]:
    """The sentences of a docstring, each with a full stop."""
    text = " ".join(doc.replace("``", "").split())
    return [s if s.endswith(".") else f"{s}." for s in re.split(r"(?<=\.)\s+(?=[A-Z])", text)]


@functools.cache
def _verified() -> dict[str, int]:
    """By operation, the highest order verified by tests/verification.py."""
    known: dict[str, int] = json.loads((_PACKAGE / "verified.json").read_text(encoding="utf-8"))
    return known


def _title(module: str) -> str:
    """The title of a chapter: the first sentence of the module's docstring."""
    doc = getattr(sys.modules.get(module), "__doc__", None)
    return _sentences(doc or str(module))[0].rstrip(".")


def _place(code: Any) -> str:
    path = Path(code.co_filename)
    if _PACKAGE in path.parents:
        path = path.relative_to(_PACKAGE.parent)
    return f"{path.as_posix()}:{code.co_firstlineno}"
