"""``python -m autograd "(x + y) * z" x=-2 y=5 z=-4``: each value, each gradient, and the picture;
``python -m autograd --derivatives tanh``: how an operation is differentiated.

The expression is read as Python, but never run as Python: its syntax tree is walked, and only
numbers, the names given on the command line, arithmetic, indexing and the operations of this
package are understood."""

from __future__ import annotations

import argparse
import ast
import difflib
import itertools
import operator
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any

from autograd import ops
from autograd.calculus import derivatives
from autograd.creation import tensor
from autograd.reading.table import aligned
from autograd.tensor import Tensor
from autograd.visualize import draw, saving

_OPERATORS: dict[type, Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.MatMult: operator.matmul,
    ast.Mod: operator.mod,
    ast.FloorDiv: operator.floordiv,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


class ExpressionError(Exception):
    """Something in the expression that cannot be computed, with the place."""

    def __init__(self, message: str, expression: str, column: int) -> None:
        super().__init__(message)
        self.message, self.expression, self.column = message, expression, column

    def __str__(self) -> str:
        return f"error: {self.message}\n    {self.expression}\n    {' ' * self.column}^"


class Evaluation:
    """Computes an expression bottom-up and remembers each step: the text of the part, and its
    tensor."""

    def __init__(self, expression: str, variables: dict[str, Tensor]) -> None:
        self.expression = expression = re.sub(r"\s", " ", expression).strip()  # one line
        self.variables = variables
        self.steps: list[tuple[str, Tensor]] = []
        try:
            self.result = self._value(ast.parse(expression, mode="eval").body)
        except SyntaxError as error:
            column = (error.offset or len(expression) + 1) - 1  # 0: something is missing at the end
            raise ExpressionError(f"not an expression: {error.msg}", expression, column) from None
        except (RecursionError, MemoryError):
            raise ExpressionError("nested too deeply, or too large", expression, 0) from None
        except ValueError as error:  # of characters that are none
            raise ExpressionError(f"not an expression: {error}", ascii(expression), 0) from None
        if isinstance(self.result, tuple):
            raise ExpressionError(
                "the result is several tensors: take one of them, as in max(x, 0)[0]",
                expression,
                0,
            )
        if not isinstance(self.result, Tensor):
            raise ExpressionError(
                "the expression uses no variable, so there is nothing to differentiate",
                expression,
                0,
            )

    def _value(self, part: ast.expr) -> Any:
        compute = getattr(self, f"_{type(part).__name__.lower()}", None)
        if compute is None:
            raise self._error(
                f"{ast.unparse(part)} is not understood here; use numbers, names, + - * / ** @, "
                "indexing and functions",
                part,
            )
        return compute(part)

    def _constant(self, part: ast.Constant) -> Any:
        if part.value is not None and part.value is not ...:  # which stand in indices
            if not isinstance(part.value, (int, float)):
                raise self._error(f"{part.value!r} is not a number", part)
            if abs(part.value) > sys.float_info.max:
                raise self._error("too large for a number", part)
        return part.value

    def _name(self, part: ast.Name) -> Tensor:
        if part.id not in self.variables:
            known = ", ".join(self.variables) or "none are given"
            raise self._error(
                f"unknown name '{part.id}' (known: {known}). Give it a value: {part.id}=1", part
            )
        return self.variables[part.id]

    def _binop(self, part: ast.BinOp) -> Any:
        return self._apply(
            part, self._operator(part.op, part), [self._value(part.left), self._value(part.right)]
        )

    def _unaryop(self, part: ast.UnaryOp) -> Any:
        return self._apply(part, self._operator(part.op, part), [self._value(part.operand)])

    def _compare(self, part: ast.Compare) -> Any:
        if len(part.ops) > 1:
            raise self._error("compare two things at a time", part)
        both = [self._value(part.left), self._value(part.comparators[0])]
        return self._apply(part, self._operator(part.ops[0], part), both)

    def _call(self, part: ast.Call) -> Any:
        known = {name: f for name, f in vars(ops).items() if callable(f) and name[0] != "_"}
        name = ast.unparse(part.func)
        if name not in known:
            near = ", ".join(difflib.get_close_matches(name, known)) or "exp, tanh, sum, matmul"
            raise self._error(
                f"unknown function '{name}'. The functions are those of autograd: {near}, ...", part
            )
        settings = {}
        for keyword in part.keywords:
            if keyword.arg is None:
                raise self._error("** is not understood in a call", part)
            settings[keyword.arg] = self._value(keyword.value)
        return self._apply(part, known[name], [self._value(a) for a in part.args], settings)

    def _subscript(self, part: ast.Subscript) -> Any:
        return self._apply(
            part, operator.getitem, [self._value(part.value), self._value(part.slice)]
        )

    def _slice(self, part: ast.Slice) -> slice:
        return slice(
            *(
                None if bound is None else self._value(bound)
                for bound in (part.lower, part.upper, part.step)
            )
        )

    def _tuple(self, part: ast.Tuple) -> tuple[Any, ...]:
        return tuple(self._value(element) for element in part.elts)

    def _list(self, part: ast.List) -> list[Any]:
        return [self._value(element) for element in part.elts]

    def _operator(self, symbol: Any, part: ast.expr) -> Callable[..., Any]:
        if type(symbol) not in _OPERATORS:
            raise self._error(f"the operator {type(symbol).__name__} is not understood here", part)
        return _OPERATORS[type(symbol)]

    def _apply(
        self, part: ast.expr, function: Callable[..., Any], args: list[Any], settings: Any = None
    ) -> Any:
        numbers = all(isinstance(a, (int, float)) for a in args)
        if numbers and (function is operator.pow or any(abs(a) > 2**53 for a in args)):
            args = [float(a) for a in args]  # whole numbers could grow without end
        try:
            value = function(*args, **(settings or {}))
        except RecursionError:
            raise
        except OverflowError:
            raise self._error("the result is too large for a number", part) from None
        except (
            ArithmeticError,
            AttributeError,
            LookupError,
            MemoryError,
            RuntimeError,
            TypeError,
            ValueError,
        ) as error:
            raise self._error(str(error), part) from None
        if isinstance(value, Tensor):
            self.steps.append((ast.unparse(part), value))
        return value

    def _error(self, message: str, part: ast.expr) -> ExpressionError:
        column = self._column(part.col_offset)
        if isinstance(part, (ast.BinOp, ast.Compare)):
            column = self._behind(part.left)  # the operator
        elif isinstance(part, (ast.Attribute, ast.Subscript)):
            column = self._behind(part.value)  # the dot, the bracket
        return ExpressionError(message, self.expression, column)

    def _behind(self, part: ast.expr) -> int:
        end = self._column(part.end_col_offset or 0)
        rest = self.expression[end:]
        return end + len(rest) - len(rest.lstrip(" )"))

    def _column(self, offset: int) -> int:
        """The parser counts bytes of UTF-8, the caret characters."""
        return len(self.expression.encode()[:offset].decode())


def variable(assignment: str) -> tuple[str, Tensor]:
    """``"x=-2"`` or ``"w=[[1, 2], [3, 4]]"`` as a name and a leaf that requires grad."""
    name, equals, text = assignment.partition("=")
    if not equals or not name.strip().isidentifier():
        raise ExpressionError("expected NAME=VALUE, as in x=-2 or w=[[1,2],[3,4]]", assignment, 0)
    try:
        value = tensor(ast.literal_eval(text.strip())) * 1.0
    except (ArithmeticError, MemoryError, RuntimeError, SyntaxError, TypeError, ValueError):
        raise ExpressionError(
            f"the value of {name.strip()} is not a number or a list of numbers",
            assignment,
            len(name) + 1 + len(text) - len(text.lstrip()),
        ) from None
    return name.strip(), value.requires_grad_()


def _variables(assignments: Sequence[str]) -> dict[str, Tensor]:
    variables: dict[str, Tensor] = {}
    for assignment in assignments:
        name, value = variable(assignment)
        if name in variables:
            raise ExpressionError(f"{name} was given a value before", assignment, 0)
        variables[name] = value
    return variables


def table(evaluation: Evaluation) -> str:
    """Each variable and each step: its value, and the gradient of the result with respect to it."""
    rows = [("", "value", "gradient")]
    for text, t in [*evaluation.variables.items(), *evaluation.steps]:
        rows.append((text, _short(t), "-" if t.grad is None else _short(t.grad)))
    return aligned(rows[0], rows[1:])


def _short(t: Tensor) -> str:
    text = repr(t.detach())[len("tensor(") : -1].partition(", dtype=")[0]
    return text.replace("\n" + " " * len("tensor("), "\n").removesuffix(".")


_FLAGS = ("-h", "--help", "--derivatives", "--open")


def _options_first(words: Sequence[str]) -> list[str]:
    """The words of the command line with its options in front and ``--`` behind them, so that the
    expression may begin with a minus."""
    options, others = [], []
    rest = iter(words)
    for word in rest:
        if word in saving.FILES:
            options += [word, *itertools.islice(rest, 1)]
        elif word in _FLAGS or word.partition("=")[0] in saving.FILES:
            options.append(word)
        elif word != "--":
            others.append(word)
    return [*options, "--", *others]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit status is 0, 1 (no picture) or 2 (not understood)."""
    parser = argparse.ArgumentParser(
        prog="python -m autograd", description="Values, gradients and the graph of an expression."
    )
    parser.add_argument(
        "expression", nargs="?", help='for example "(x + y) * z" or "sum(relu(w @ x))"'
    )
    parser.add_argument(
        "variables", nargs="*", metavar="NAME=VALUE", help='for example x=-2 or w="[[1,2],[3,4]]"'
    )
    saving.add_options(parser)
    parser.add_argument(
        "--derivatives",
        action="store_true",
        help="print the table of derivatives, or its row of one operation: --derivatives tanh",
    )
    options = parser.parse_args(_options_first(sys.argv[1:] if argv is None else argv))
    if options.derivatives:
        return _print_derivatives(options.expression)
    if options.expression is None:
        parser.error("the following arguments are required: expression")
    try:
        evaluation = Evaluation(options.expression, _variables(options.variables))
        result = evaluation.result
        for _, t in evaluation.steps:
            if t.requires_grad:
                t.retain_grad()
        if not result.requires_grad:
            raise ExpressionError(
                "the result has no gradient: it is a comparison, an index or a constant",
                options.expression,
                0,
            )
        if result.dim():
            print(
                f"The result has shape {tuple(result.shape)}: these are the gradients of its sum."
            )
            result.sum().backward()
        else:
            result.backward()
    except ExpressionError as error:
        print(error, file=sys.stderr)
        return 2
    print(table(evaluation))
    print()
    return saving.save(draw(result, names=evaluation.variables), options)


def _print_derivatives(name: str | None) -> int:
    try:
        print(derivatives() if name is None else derivatives(name))
    except KeyError as error:
        print(f"error: {error.args[0]}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
