"""What is declared of an operation: its function, its rules, and the node class made from them."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable
from typing import Any

from autograd.node import Node
from autograd.saved import SavedOutput, unpack, unpack_tensor, verified
from autograd.tensor import Tensor


class Rule:
    """The derivative of one input: the function as written, and the names of what it needs beside
    ``dy``."""

    __slots__ = ("function", "input", "needs")

    def __init__(self, input: str, function: Callable[..., Any]) -> None:
        self.input = input
        self.function = function
        self.needs = tuple(inspect.getfullargspec(function).args[1:])


class Op:
    """A declared operation."""

    def __init__(
        self,
        function: Callable[..., Any],
        rules: dict[str, Callable[..., Any]],
        kind: str,
        **traits: Any,
    ) -> None:
        code = function.__code__
        self.name = function.__name__.lstrip("_")
        self.forward = function
        self.kind = kind
        self.parameters = code.co_varnames[: code.co_argcount]
        self.variadic = bool(code.co_flags & inspect.CO_VARARGS)
        if self.variadic:
            # f(*xs, dim): every positional argument is a tensor, every keyword a setting.
            list_name = code.co_varnames[code.co_argcount + code.co_kwonlyargcount]
            self.inputs: tuple[str, ...] = (list_name,)
            self.settings = code.co_varnames[: code.co_kwonlyargcount]
        else:
            tensors = traits.pop("tensors", 1)
            with_rule = tuple(name for name in self.parameters if "d" + name in rules)
            self.inputs = with_rule or self.parameters[:tensors]
            self.settings = self.parameters[len(self.inputs) :]
        self.defaults = dict(
            zip(reversed(self.parameters), reversed(function.__defaults__ or ()), strict=False)
        )
        # Traits: whether integers are computed as floats; whether the output may share the memory of
        # the input; which kinds of dtype (NumPy's letters b, i, u, f; None: all) it computes in;
        # whether it takes bool tensors beside others.
        self.floats: bool = traits.pop("floats", False)
        self.view: bool = traits.pop("view", False)
        self.kinds: str | None = traits.pop("kinds", None)
        self.bools: bool = traits.pop("bools", True)
        self.rules = {name[1:]: Rule(name[1:], rule) for name, rule in rules.items()}
        self.apply: Callable[..., Any]
        self._check(traits)
        title = "".join(part[:1].upper() + part[1:] for part in self.name.split("_"))
        self.node: type[Node] = type(
            title + "Backward",
            (Node,),
            {"__slots__": (), "op": self, "__module__": function.__module__},
        )
        self.node.keeps = self._keeps()
        ordered = [self.rules[name] for name in self.inputs] if self.rules else []
        pulls, with_graph = list(map(_pull, ordered)), list(map(_pull_with_graph, ordered))
        if self.variadic:  # one rule serves the whole list of tensors
            self.node.pulls = itertools.repeat(*pulls)
            self.node.pulls_with_graph = itertools.repeat(*with_graph)
        else:
            self.node.pulls = tuple(pulls)
            self.node.pulls_with_graph = tuple(with_graph)
        self.plain_node: type[Node] = type(
            self.node.__name__, (self.node,), {"__slots__": (), "plain": True}
        )

    def _keeps(self) -> bool | None:
        """Whether its nodes keep memory that backward should free: inputs or the output; None: it
        depends on settings."""
        needs = {need for rule in self.rules.values() for need in rule.needs}
        return True if needs & {"y", *self.inputs} else None if needs & {*self.settings} else False

    def _check(self, unknown: dict[str, Any]) -> None:
        """A misspelt name is found here, when the module is imported."""
        where = f"@{self.kind} {self.name}"
        if unknown:
            raise TypeError(
                f"{where}: unknown traits {', '.join(unknown)}; known are floats, view, kinds, "
                "bools and tensors"
            )
        if tuple(self.inputs) != tuple(self.rules) and self.rules:
            raise TypeError(
                f"{where}: rules are given for {', '.join(self.rules)}, but the parameters are "
                f"{', '.join(self.inputs + self.settings)}; "
                "the tensor inputs come first, each with its rule, in order"
            )
        known = {"y", *self.inputs, *self.settings, *(["i"] if self.variadic else [])}
        known |= {name + what for name in self.inputs for what in ("_shape", "_dtype")}
        for rule in self.rules.values():
            for need in rule.needs:
                if need not in known:
                    raise TypeError(
                        f"{where}: the rule d{rule.input} needs '{need}', which is none of "
                        f"{', '.join(sorted(known))}"
                    )


# -- rules made ready for the engine ---------------------------------------------------------------

_pass_on = lambda dy: dy  # noqa: E731 (to be compared with rules, which are lambdas)


def _pull(rule: Rule) -> Callable[[Any, Any], Any]:
    """``pull(dy, kept)``: the rule on arrays. One need is kept as it is, several as a tuple."""
    function = rule.function
    if function.__code__.co_code == _pass_on.__code__.co_code:
        return lambda dy, kept: dy  # the rule `lambda dy: dy`, spared a call
    if not rule.needs:
        return lambda dy, kept: function(dy)
    if len(rule.needs) > 1:
        return lambda dy, kept: function(dy, *[unpack(k) for k in kept])
    if rule.needs == ("y",):

        def pull_y(dy: Any, kept: SavedOutput) -> Any:
            return function(dy, kept.array if kept.changes[0] == kept.version else verified(kept))

        return pull_y

    def pull(dy: Any, kept: Any) -> Any:
        if (
            type(kept) is Tensor and kept._storage is None
        ):  # the short way: nobody shares or changed its memory
            return function(dy, kept._array)
        return function(dy, unpack(kept))

    return pull


def _pull_with_graph(rule: Rule) -> Callable[[Any, Any, Node], Any]:
    """``pull(dy, kept, node)``: the rule on tensors, for create_graph=True."""
    function = rule.function
    if not rule.needs:
        return lambda dy, kept, node: function(dy)
    if len(rule.needs) > 1:
        return lambda dy, kept, node: function(dy, *[unpack_tensor(k, node) for k in kept])
    return lambda dy, kept, node: function(dy, unpack_tensor(kept, node))
