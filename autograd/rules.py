"""What is declared of an operation: its function, its rules, and the node class made from them."""

from __future__ import annotations

import functools
import inspect
import itertools
import operator
from collections.abc import Callable
from types import CodeType
from typing import Any

import numpy as np

from autograd.node import AccumulateGrad, How, Node, name_of, place_of
from autograd.saved import Packed, SavedOutput, unpack, unpack_tensor, verified
from autograd.saved_attributes import saved_attributes
from autograd.tensor import Tensor, wrap


class Rule:
    """The derivative of one input: the function as written, and the names of what it needs beside
    ``dy``."""

    __slots__ = ("function", "input", "needs", "passes_on", "plan", "written")

    plan: tuple[tuple[str, int], ...]  # where each need is found: (what, number of the argument)

    def __init__(self, input: str, function: Callable[..., Any]) -> None:
        code = getattr(function, "__code__", None)
        if code is None or not code.co_argcount:
            raise TypeError(
                f"the rule d{input} must be a Python function whose first parameter is dy, but got "
                f"{function!r}"
            )
        self.input = input
        self.written = function
        self.function = as_operator(function)
        self.needs = code.co_varnames[1 : code.co_argcount]
        self.passes_on = not self.needs and code.co_code == _PASS_ON  # lambda dy: dy


def no_slope(dy: Any) -> Any:
    """The rule of a function made of steps: its gradient is zero."""
    if isinstance(dy, Tensor):
        return wrap(no_slope(dy._array))
    return np.zeros(dy.shape, dy.dtype)


class Op:
    """A declared operation."""

    # The traits that a declaration may set.
    floats = False  # whether integers are computed as floats
    view = False  # whether the output may share the memory of the input
    kinds: str | None = None  # the kinds of dtype it computes in (letters of biuf); None: all
    bools = True  # whether it takes bool tensors beside others
    numbers: str | None = None  # the inputs that may be Python numbers; None: either, "all": both

    apply: Any  # the function that users call
    reflected: Callable[..., Any]  # for binary operations: with the two exchanged

    def __init__(
        self,
        function: Callable[..., Any],
        rules: dict[str, Callable[..., Any]],
        kind: str,
        tensors: int = 1,
        **traits: Any,
    ) -> None:
        self.name = function.__name__.lstrip("_")
        self.kind = kind
        self.module = function.__module__
        self.forward = as_operator(function)
        self.rules = {name[1:]: Rule(name[1:], rule) for name, rule in rules.items()}
        self.has_slope = any(rule.written is not no_slope for rule in self.rules.values())
        self._read_parameters(function, tensors)
        self._check(function.__code__, traits)
        vars(self).update(traits)
        numbers = self.inputs if self.numbers in (None, "all") else self.numbers.split()
        self.takes_number = [name in numbers for name in self.inputs]
        needs = set()
        for rule in self.rules.values():
            rule.plan = tuple([self._place(rule, need) for need in rule.needs])
            needs.update(rule.needs)
        self.needs_output = "y" in needs
        # Whether its nodes keep memory that backward should free; None: it depends on settings.
        keeps = True if needs & {"y", *self.inputs} else None if needs & {*self.settings} else False
        pulls = [pull_of(self.rules[name]) for name in self.inputs] if self.rules else []
        # One rule serves a whole list of tensors.
        each: Any = itertools.repeat(pulls[0]) if self.variadic and pulls else tuple(pulls)
        self.how: How = (each, False, keeps)
        self.plain_how: How = (each, kind in ("elementwise", "bilinear"), keeps)

    def _read_parameters(self, function: Callable[..., Any], tensors: int) -> None:
        """Which parameters are tensor inputs, which are settings."""
        code = function.__code__
        names = code.co_varnames
        self.parameters = names[: code.co_argcount]
        self.variadic = bool(code.co_flags & inspect.CO_VARARGS)
        self.inputs: tuple[str, ...]
        if self.variadic:
            # f(*xs, dim): every positional argument is a tensor, every keyword a setting.
            self.inputs = (names[code.co_argcount + code.co_kwonlyargcount],)
            self.settings = names[: code.co_kwonlyargcount]
        else:
            with_rule = tuple([name for name in self.parameters if name in self.rules])
            self.inputs = with_rule or self.parameters[:tensors]
            self.settings = self.parameters[len(self.inputs) :]
        self.defaults: dict[str, Any] = dict(function.__kwdefaults__ or {})
        if given := function.__defaults__:
            self.defaults.update(zip(self.parameters[-len(given) :], given, strict=True))

    @functools.cached_property
    def node(self) -> type[Node]:
        """The class of its nodes: ``mul -> MulBackward``. Made when first needed, which for most
        operations in most programs is never."""
        title = "".join([part[:1].upper() + part[1:] for part in self.name.split("_")])
        contents = {"__slots__": (), "_op": self, "__module__": self.module}
        contents |= saved_attributes(
            self.name, {name: rule.needs for name, rule in self.rules.items()}, self.inputs
        )
        contents["_pull_all"] = pull_all
        return type(title + "Backward", (Node,), contents)

    def rule_of(self, i: int) -> Rule:
        """The rule of input number ``i``."""
        return self.rules[self.inputs[0 if self.variadic else i]]

    def _place(self, rule: Rule, need: str) -> tuple[str, int]:
        """Where a rule's need is found when the operation is recorded. A misspelt one is found
        here, when the module is imported."""
        names = self.inputs + self.settings
        if need in names:
            return "value", names.index(need)
        if need == "y" or (need == "i" and self.variadic):
            return need, 0
        source, _, what = need.rpartition("_")
        if source in self.inputs and what in ("shape", "dtype"):
            return what, names.index(source)
        known = {"y", *names, *(["i"] if self.variadic else [])}
        known |= {name + what for name in self.inputs for what in ("_shape", "_dtype")}
        raise TypeError(
            f"@{self.kind} {self.name}: the rule d{rule.input} needs '{need}', which is none of "
            f"{', '.join(sorted(known))}"
        )

    def _check(self, code: CodeType, traits: dict[str, Any]) -> None:
        """Raise TypeError if the declaration does not fit the function."""
        where = f"@{self.kind} {self.name}"
        if self.parameters if self.variadic else code.co_kwonlyargcount:
            raise TypeError(
                f"{where}: an operation is either f(x, y, setting), called with its settings by "
                "position or by keyword, or f(*xs, setting)"
            )
        unknown = [name for name in traits if name not in _TRAITS]
        if unknown:
            raise TypeError(
                f"{where}: unknown traits {', '.join(unknown)}; known are {', '.join(_TRAITS)} and "
                "tensors"
            )
        first = self.inputs if self.variadic else self.parameters[: len(self.inputs)]
        if self.rules and not tuple(self.rules) == self.inputs == first:
            raise TypeError(
                f"{where}: rules are given for {', '.join(self.rules)}, but the parameters are "
                f"{', '.join(self.parameters or self.inputs)}; the tensor inputs come first, each "
                "with its rule, in order"
            )
        if "y" in self.inputs + self.settings:
            raise TypeError(
                f"{where}: y is the output, for whatever rule asks for it; call the parameter "
                "something else"
            )


_TRAITS = ("floats", "view", "kinds", "bools", "numbers")


OPS: dict[str, Op] = {}  # every declared operation, by name


# -- rules made ready for the engine ---------------------------------------------------------------

_PASS_ON = (lambda dy: dy).__code__.co_code

# A Python function that only applies an operator costs twice what the operator costs. They are
# known by their bytecode, which is the same whatever the parameters are called.
_OPERATORS = {
    (function.__code__.co_code, function.__code__.co_argcount): its_operator
    for function, its_operator in [
        (lambda a, b: a + b, operator.add),
        (lambda a, b: a - b, operator.sub),
        (lambda a, b: a * b, operator.mul),
        (lambda a, b: a / b, operator.truediv),
        (lambda a: -a, operator.neg),
    ]
}


def as_operator(function: Callable[..., Any]) -> Callable[..., Any]:
    """The operator that ``function`` consists of, if it does; else the function."""
    code = function.__code__
    known: Any = _OPERATORS.get((code.co_code, code.co_argcount))
    return known or function


def pull_of(rule: Rule) -> Callable[[Any, Any], Any]:
    """``pull(dy, kept)``: the rule on arrays. One need is kept as it is, several as a tuple."""
    function = rule.function
    if rule.passes_on:
        return lambda dy, kept: dy
    if not rule.needs:
        return lambda dy, kept: function(dy)
    if len(rule.needs) > 1:
        return lambda dy, kept: function(dy, *[unpack(k) for k in kept])
    if rule.needs == ("y",):

        def pull_y(dy: Any, kept: SavedOutput) -> Any:
            return function(dy, kept.array if kept.changes[0] == kept.version else verified(kept))

        return pull_y

    def pull(dy: Any, kept: Any) -> Any:
        if type(kept) is Tensor:  # the short way, for memory that has not been changed
            changes = kept._storage
            if changes is None or changes[0] == 0:
                return function(dy, kept._array)
        return function(dy, unpack(kept))

    return pull


def pull_with_graph(rule: Rule, dy: Any, kept: Any, node: Node) -> Any:
    """The rule on tensors, for create_graph=True."""
    if len(rule.needs) == 1:
        kept = (kept,)
    needs = [unpack_tensor(k, node) for k in kept or ()]
    for (what, index), need in zip(rule.plan, needs, strict=True):
        if what == "value" and isinstance(need, Tensor) and not need._requires_grad:
            _check_still_attached(node, index)
    return rule.function(dy, *needs)


def pull_all(node: Any, dy: Any, create_graph: bool) -> list[Any]:
    """The gradients of all inputs of a node that keeps something packed: it is unpacked once, for
    all rules that need it."""
    done: dict[int, Any] = {}

    def once(kept: Any) -> Any:
        if not isinstance(kept, Packed):
            return unpack_tensor(kept, node) if create_graph else unpack(kept)
        if id(kept) not in done:
            done[id(kept)] = unpack_tensor(kept, node)
        return done[id(kept)] if create_graph else done[id(kept)]._array

    gradients: list[Any] = []
    for i, (target, kept) in enumerate(zip(node._inputs, node._kept, strict=True)):
        rule = node._op.rule_of(i)
        needs = kept if len(rule.needs) > 1 else (kept,) * len(rule.needs)
        gradients.append(rule.function(dy, *map(once, needs)) if target is not None else None)
    return gradients


def _check_still_attached(node: Node, index: int) -> None:
    """Raise if what was kept came with a graph, which it no longer has."""
    before = node._inputs[index] if index < len(node._inputs) else None
    if before is not None and not isinstance(before, AccumulateGrad):
        raise RuntimeError(
            "Trying to use a saved tensor that has been detached in-place, i.e. with .detach_(). "
            f"{name_of(node)} kept it for backward (the operation at {place_of(node)}), and the "
            "gradient of the gradient would miss its past. Use the out-of-place .detach() instead."
        )
