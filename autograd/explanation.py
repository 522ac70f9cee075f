"""The chain rule of one tensor, written out: ``autograd.explain(loss, x)``.

The derivative of an output by a tensor is a sum over the paths between them, of products of the
local derivatives along each. That sum is written in symbols, then with formulas, then with numbers;
and its value is compared with what the engine makes of it, which never goes through paths at all.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.reading import figures, formula, latex, symbols
from autograd.reading.gradients import by_engine, is_freed, pulled
from autograd.reading.local import Locals
from autograd.reading.naming import Names
from autograd.reading.paths import Edge, Path, Paths
from autograd.reading.recorded import Recorded, Value
from autograd.tensor import Tensor

__all__ = ["Explanation", "Term", "explain"]

_WIDTH = 88
_FACTORS = 12  # of a product that are written; of more, those at both ends
_FEW = 6  # elements of a gradient that are told one by one


@dataclass(frozen=True, slots=True)
class Term:
    """One path, and the product of the local derivatives along it."""

    path: tuple[str, ...]  # the names on the way, from the tensor to the output
    symbols: tuple[str, ...]  # the factors: "∂f/∂q"
    formulas: tuple[str, ...]  # the factors as formulas, "z"; where there is none, the symbol again
    numbers: tuple[float, ...]  # the factors as numbers; none for arrays
    value: Any  # the product: a number, or an array in the shape of the tensor


@dataclass(frozen=True, slots=True)
class Explanation:
    """The chain rule of one tensor. Shows itself as text, and in a notebook as a formula."""

    output: str  # the names of what is differentiated,
    source: str  # and of what it is differentiated by
    shape: tuple[int, ...]  # of the tensor
    paths: int  # how many there are; `terms` has the weightiest
    terms: tuple[Term, ...]
    made_up: tuple[str, ...]  # what the names stand for that are not the user's: "t1 = cos(q)"
    steps: tuple[str, ...]  # for arrays: each factor with its rule and shapes
    value: Any  # the sum over all paths
    grad: Any  # the tensor's .grad, or None
    agrees: bool | None  # whether the paths' sum is the engine's gradient; None: cannot be told
    _latex: str

    @property
    def left_out(self) -> int:
        """How many paths are not among the terms."""
        return self.paths - len(self.terms)

    def __str__(self) -> str:
        return "\n".join([*self._sum(), "", *self._verdict()])

    __repr__ = __str__

    def _repr_latex_(self) -> str:
        return self._latex

    @property
    def _symbol(self) -> str:
        return f"∂{self.output}/∂{self.source}"

    def _sum(self) -> list[str]:
        of_shape = f", of shape {self.shape}" if self.shape else ""
        over = f"the sum over {_count(self.paths, 'path')} from {self.source} to {self.output}"
        head = f"{self._symbol}{of_shape}, {over}:"
        lines = [[_product(term.symbols) for term in self.terms]]
        if self.steps:
            return [head, "", *self._equation(lines), "", *self.steps, "", *self._contributions()]
        lines.append([_product(term.formulas) for term in self.terms])
        lines.append([_product(map(_in_brackets, term.numbers)) for term in self.terms])
        if self.paths > 1:
            lines.append([figures.compact(term.value) for term in self.terms])
        lines.append([figures.compact(self.value)])
        legend = ["", "with " + ", ".join(self.made_up)] if self.made_up else []
        return [head, "", *self._equation(lines), *legend]

    def _equation(self, lines: list[list[str]]) -> list[str]:
        """``∂f/∂x = ...`` and below it each further form of the same."""
        told: list[str] = []
        before = [self._symbol]  # which would say nothing
        for terms in lines:
            if terms != before:
                before = terms
                whole = terms is lines[-1] and not self.steps  # the result
                rest = [] if whole or not self.left_out else [self._rest(terms)]
                lead = f"{self._symbol} = " if not told else " " * len(self._symbol) + " = "
                told += _laid_out(lead, [*terms, *rest])
        return told

    def _rest(self, terms: list[str]) -> str:
        if not self.steps and terms == [figures.compact(term.value) for term in self.terms]:
            rest = self.value - math.fsum(term.value for term in self.terms)
            return f"{figures.compact(rest)} (the others)"
        return f"... ({_count(self.left_out, 'more path')})"

    def _contributions(self) -> list[str]:
        total = _norm(self.value)
        told = ["What the paths add, by norm:"] if self.paths > 1 else []
        for term in self.terms if self.paths > 1 else ():
            share = f", {_norm(term.value) / total:.0%} of the whole" if total else ""
            told.append(f"  {figures.compact(_norm(term.value))}{share}: {_way(term.path)}")
        if self.left_out:
            told.append(f"  ... and {_count(self.left_out, 'more path')}")
        return [*told, f"{self._symbol} = {_array(self.value)}"]

    def _verdict(self) -> list[str]:
        if self.agrees is None:
            told = "The engine has computed it before"
        elif self.agrees:
            told = "The engine computes the same"
        else:
            told = "The engine computes something else: a rule is wrong, or precision ran out"
        if self.grad is None:
            return [f"{told}. There is no {self.source}.grad yet."]
        if _same(self.grad, self.value):
            return [f"{told}, and {self.source}.grad agrees: {_array(self.grad)}."]
        return [
            f"{told}, but {self.source}.grad is {_array(self.grad)}: other backward() passes have "
            "added to it, or hooks changed it."
        ]


def explain(
    loss: Tensor,
    x: Tensor,
    *,
    names: Mapping[str, Any] | None = None,
    most: int = 6,
) -> Explanation:
    """The chain rule of ``x`` in ``loss`` written out: d loss / d x as the sum over all paths of
    the products of the local derivatives, in symbols, in formulas, in numbers.

    ``names`` names the tensors (``names=locals()``); others go by their ``name``, or by the names
    in the lines of the program that made them. At most ``most`` paths are written, those that add
    most; the others are counted. Where there are arrays, factors are told by their rules and
    shapes, and paths by the norm of what they add. No ``.grad`` is changed.

    Raises TypeError for what is no tensor, RuntimeError if ``loss`` is not a single number, has no
    graph, does not depend on ``x``, or if a backward() has freed what is needed, ValueError for a
    ``most`` below 1."""
    _check(loss, x)
    if most < 1:
        raise ValueError(f"explain(loss, x): most must be at least 1, but got {most}")
    named = {name: t for name, t in (names or {}).items() if isinstance(t, Tensor)}
    recorded = Recorded([loss], [*named.values(), x])
    source = recorded.find(x)
    if source is None or source.node is None or source is recorded.outputs[0]:
        raise RuntimeError(
            "the first tensor does not depend on the second: there is no path between them in the "
            "recorded graph. Pass the very tensor that was used, not a copy of it."
        )
    paths = Paths(recorded, source)
    found = [(name, value) for name, t in named.items() if (value := recorded.find(t)) is not None]
    writing = _Writing(recorded, paths, Names(recorded.values, recorded.steps, found))
    return writing.explanation(most, source.grad)


def _check(loss: Any, x: Any) -> None:
    for what, t in (("loss", loss), ("x", x)):
        if not isinstance(t, Tensor):
            raise TypeError(
                f"explain(loss, x): {what} must be a Tensor, but is a {type(t).__name__}"
            )
        if not t.requires_grad:
            raise RuntimeError(
                f"explain(loss, x): {what} does not require grad, so no derivative leads "
                f"{'from' if what == 'loss' else 'to'} it. Set requires_grad=True before computing."
            )
    if loss.numel() != 1:
        raise RuntimeError(
            f"explain(loss, x): loss must be a single number, but has shape {tuple(loss.shape)}. "
            "Take one element, or a sum."
        )


class _Writing:
    """Writes the paths of one graph."""

    def __init__(self, recorded: Recorded, paths: Paths, names: Names) -> None:
        self.recorded, self.paths, self.names = recorded, paths, names
        self.local = Locals()
        self.freed = is_freed(recorded)
        sizes = {math.prod(v.shape) for edge in paths.edges for v in (edge.output, edge.operand)}
        self.scalar = sizes == {1} and all(self._number(edge) is not None for edge in paths.edges)
        if self.freed and not self.scalar:
            raise RuntimeError(
                "explain() works the derivatives out anew, but what they need was freed by a "
                "backward() before. Explain first, or call backward(retain_graph=True)."
            )

    def explanation(self, most: int, grad: Any) -> Explanation:
        """Everything there is to tell."""
        if self.scalar:
            found = self.paths.weightiest(most, 1.0, self._times_number, abs)
        else:
            output = self.paths.output
            one = np.ones(output.shape, output.dtype)[()]
            found = self.paths.weightiest(most, one, self._times_jacobian, _norm)
        terms = [self._term(path) for path in found]
        value, engine = self._value(), self._by_engine()
        agrees = None if engine is None else _same(engine, value)
        return Explanation(
            output=self.names[self.paths.output],
            source=self.names[self.paths.source],
            shape=tuple(self.paths.source.shape),
            paths=self.paths.count(),
            terms=tuple(terms),
            made_up=tuple(self._made_up(found)),
            steps=() if self.scalar else tuple(self._steps(found)),
            value=value,
            grad=grad if grad is None or not self.scalar else float(grad.reshape(())),
            agrees=agrees,
            _latex=self._as_latex(found, terms, value),
        )

    # -- numbers -------------------------------------------------------------------------------

    def _number(self, edge: Edge) -> float | None:
        numbers = zip(edge.step.places, self.local.of(edge.step), strict=True)
        return dict(numbers)[edge.place]

    def _times_number(self, value: Value, derivative: float, edges: list[Edge]) -> list[float]:
        return [derivative * (self._number(edge) or 0.0) for edge in edges]

    def _times_jacobian(self, value: Value, derivative: Any, edges: list[Edge]) -> list[Any]:
        """The derivative by ``value``, pulled back by the operation that made it."""
        step = edges[0].step
        dy = derivative
        if isinstance(step.node._dtype, tuple):
            dy = tuple(
                derivative if other is value else np.zeros(other.shape, other.dtype)
                for other in step.outputs
            )
        with np.errstate(all="ignore"):
            gradients = pulled(step.node, dy)
        zero = np.zeros(())
        return [zero if gradients[e.place] is None else gradients[e.place] for e in edges]

    def _value(self) -> Any:
        """The sum over all paths, each value taken once: S(i) = Σ S(j) ∂j/∂i."""
        output = self.paths.output
        sums: dict[int, Any] = {id(output): 1.0 if self.scalar else np.ones(output.shape)[()]}
        carry: Any = self._times_number if self.scalar else self._times_jacobian
        for value, edges in self.paths.by_output():
            arrived = sums.pop(id(value))
            for edge, part in zip(edges, carry(value, arrived, edges), strict=True):
                known = sums.get(id(edge.operand))
                sums[id(edge.operand)] = part if known is None else known + part
        return sums[id(self.paths.source)]

    def _by_engine(self) -> Any:
        if self.freed:
            return None
        return by_engine(self.recorded).get(id(self.paths.source), 0.0)

    # -- words ---------------------------------------------------------------------------------

    def _term(self, path: Path) -> Term:
        names = [self.names[path.edges[0].output], *(self.names[e.operand] for e in path.edges)]
        symbols = [self._symbol(edge) for edge in path.edges]
        trees = [self._tree(edge) for edge in path.edges] if self.scalar else []
        formulas = [
            symbol if tree is None else formula.factor(tree)
            for symbol, tree in zip(symbols, trees, strict=False)
        ]
        numbers = [self._number(edge) or 0.0 for edge in path.edges] if self.scalar else []
        return Term(
            path=tuple(names[::-1]),
            symbols=tuple(symbols),
            formulas=tuple(formulas or symbols),
            numbers=tuple(numbers),
            value=path.derivative,
        )

    def _symbol(self, edge: Edge) -> str:
        return f"∂{self.names[edge.output]}/∂{self.names[edge.operand]}"

    def _tree(self, edge: Edge) -> Any:
        op = edge.step.node._op
        if op is None:
            return None
        return formula.simplified(op.rules[edge.name].written, self.names.given(edge.step))

    def _made_up(self, paths: Sequence[Path]) -> list[str]:
        """What the tensors on the way are that nobody has named."""
        shown = {id(edge.output) for path in paths for edge in path.edges}
        told = []
        for step in self.recorded.steps:
            for value in step.outputs:
                if id(value) in shown and id(value) in self.names.ours:
                    operands = [self.names[operand] for _, operand in step.operands]
                    told.append(f"{self.names[value]} = {symbols.expression(step.name, operands)}")
        return _cut(told, _FACTORS, "... {} more ...")

    def _steps(self, paths: Sequence[Path]) -> list[str]:
        """Each factor once: what the operation computes, its rule, the shapes of its Jacobian."""
        told: dict[str, str] = {}
        for edge in (edge for path in paths for edge in path.edges):
            op = edge.step.node._op
            operands = [self.names[value] for _, value in edge.step.operands]
            written = symbols.expression(edge.step.name, operands)
            rule = "" if op is None else formula.as_written(op.rules[edge.name].written)
            by = f"   d{edge.name} = {rule}" if rule else ""
            shapes = f"{tuple(edge.output.shape)} by {tuple(edge.operand.shape)}"
            line = f"{self._symbol(edge)}, {shapes}:   {self.names[edge.output]} = {written}{by}"
            told.setdefault(self._symbol(edge), "  " + figures.clean(line, 160))
        return _cut([*told.values()], 2 * _FACTORS, "  ... {} more factors ...")

    def _as_latex(self, paths: Sequence[Path], terms: Sequence[Term], value: Any) -> str:
        more = self.paths.count() - len(terms)
        rest = [rf"\underbrace{{\cdots}}_{{\text{{{more:,} more paths}}}}"] if more else []

        def line(products: Iterable[str]) -> str:
            return "&= " + " + ".join([*products, *rest])

        def product(factors: Iterable[str]) -> str:
            return r" \cdot ".join(_cut([*factors], _FACTORS, r"\cdots"))

        def fraction(edge: Edge) -> str:
            return latex.fraction(self.names[edge.output], self.names[edge.operand])

        lines = [line(product(map(fraction, path.edges)) for path in paths)]
        if self.scalar:
            trees = [[(edge, self._tree(edge)) for edge in path.edges] for path in paths]
            lines.append(
                line(
                    product(fraction(e) if tree is None else latex.factor(tree) for e, tree in path)
                    for path in trees
                )
            )
            numbers = [[latex.number(_in_brackets(n)) for n in term.numbers] for term in terms]
            lines.append(line(map(product, numbers)))
        result = figures.compact(value) if self.scalar else figures.compact(_norm(value))
        norm = latex.number(result) if self.scalar else rf"\text{{norm }} {latex.number(result)}"
        lines.append(f"&= {norm}" if self.scalar else rf"&\quad\text{{with }} {norm}")
        left = latex.fraction(self.names[self.paths.output], self.names[self.paths.source])
        return "$$\\begin{aligned}\n" + left + " " + " \\\\\n".join(lines) + "\n\\end{aligned}$$"


# -- how it is laid out ----------------------------------------------------------------------------


def _product(factors: Iterable[str]) -> str:
    return " · ".join(_cut([*factors], _FACTORS, "... ({} more factors) ..."))


def _way(path: Sequence[str]) -> str:
    return " → ".join(_cut([*path], _FACTORS, "... ({} more) ..."))


def _cut(parts: list[str], most: int, instead: str) -> list[str]:
    """The parts, or, if they are many, those at both ends and ``instead``, with their number."""
    if len(parts) <= most:
        return parts
    half = most // 2
    return [*parts[:half], instead.format(f"{len(parts) - 2 * half:,}"), *parts[-half:]]


def _laid_out(lead: str, terms: list[str]) -> list[str]:
    """``lead`` and the sum of the terms on one line, or on one line each."""
    whole = lead + terms[0] + "".join(map(_added, terms[1:]))
    if len(whole) <= _WIDTH or len(terms) == 1:
        return [whole]
    indent = " " * (len(lead) - 3)
    return [lead + terms[0], *(indent + _added(term) for term in terms[1:])]


def _added(term: str) -> str:
    """A further term of a sum, with its sign."""
    is_number = term.startswith("-") and " " not in term
    return f" - {term[1:]}" if is_number else f" + {term}"


def _in_brackets(number: float) -> str:
    text = figures.compact(number)
    return f"({text})" if text.startswith("-") else text


def _array(value: Any) -> str:
    array = np.asarray(value)
    if array.size <= _FEW:
        return figures.nested(array.tolist())
    largest = np.unravel_index(int(np.argmax(np.nan_to_num(np.abs(array)))), array.shape)
    place = ", ".join(map(str, largest))
    norm, top = figures.compact(_norm(array)), figures.compact(array[largest])
    return f"an array {array.shape} of norm {norm}, the largest at [{place}]: {top}"


def _same(gradient: Any, value: Any) -> bool:
    """Whether they agree as closely as numbers in float32 that were computed in another order."""
    size = np.abs(np.asarray(value))
    largest = np.max(size, initial=0, where=np.isfinite(size))
    return np.allclose(gradient, value, rtol=1e-4, atol=1e-6 + 1e-4 * largest, equal_nan=True)


def _norm(value: Any) -> float:
    return float(np.linalg.norm(np.asarray(value, np.float64).ravel()))


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("s" if number != 1 else "")
