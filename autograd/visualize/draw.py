"""`draw` and `make_dot`: from tensors to a picture."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from autograd.reading.recorded import Recorded
from autograd.tensor import Tensor

from . import style
from .collect import Collector
from .dot import DETAILS, Look
from .graph import Graph

CIRCUIT_LIMIT = 60  # nodes that a circuit still shows well, unless it is asked for


def draw(
    *outputs: Any,
    params: Mapping[str, Tensor] | None = None,
    names: Mapping[str, Any] | None = None,
    detail: str = "auto",
    grad: bool | None = None,
    direction: str | None = None,
    max_nodes: int | None = 150,
    precision: int = 2,
    theme: str = "light",
    title: str | None = None,
    timeout: float | None = 20.0,
) -> Graph:
    """Draw the graph that was recorded behind `outputs`.

    A graph of single numbers is drawn as a circuit: a tensor is a wire with its value above and its
    gradient below, and on the way into an operation stands the local derivative. A graph of arrays
    is drawn as cards with shapes, statistics and gradient norms.

    `params` names the parameters, as `dict(model.named_parameters())` does; operations of one
    module then share a frame. `names` names any tensors: `names=locals()`. Others go by the names
    in the lines of the program that made them.

    `detail` is one of "op", "shape", "value", "grad", "formula", "saved", each adding to the one
    before, or "auto": "formula" for circuits, "grad" for cards. `grad` is None to show the
    gradients that are there (in a circuit, with those in between), True to compute them for the
    picture alone, without touching any `.grad`, False to show none. `direction` is "LR" or "TB".
    Of more than `max_nodes` nodes those nearest the output are drawn, and `.note` says so.
    `precision` is the number of decimals, `theme` "light", "dark" or "auto" (as the reader's
    system), `timeout` the seconds that a layout may take.

    Raises TypeError for what is no tensor, RuntimeError for a tensor that has no graph, ValueError
    for an unknown option.
    """
    options = Options(
        params=params,
        names=names,
        detail=detail,
        grad=grad,
        direction=direction,
        max_nodes=max_nodes,
        precision=precision,
        theme=theme,
        title=title,
        timeout=timeout,
    )
    return _draw(list(_tensors(outputs, "draw")), options)


def make_dot(
    output: Any,
    params: Mapping[str, Tensor] | None = None,
    show_attrs: bool = False,
    show_saved: bool = False,
    max_attr_chars: int = 50,
) -> Graph:
    """Draw the graph behind `output`, a tensor or a tuple or list of them: torchviz's signature.

    The picture differs from torchviz's on purpose: operations go by their own names (`mul`, not
    `MulBackward0`), the inputs are shown with them, and there are no `AccumulateGrad` boxes.
    `show_attrs=True` adds the settings of operations, each at most `max_attr_chars` long;
    `show_saved=True` adds what each keeps for backward. `draw` offers more.
    """
    options = Options(
        params=params,
        detail="saved" if show_saved else "auto",
        setting_chars=max_attr_chars if show_attrs else 0,
    )
    return _draw(list(_tensors([output], "make_dot")), options)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The arguments of `draw`, checked."""

    params: Mapping[str, Tensor] | None = None
    names: Mapping[str, Any] | None = None
    detail: str = "auto"
    grad: bool | None = None
    direction: str | None = None
    max_nodes: int | None = 150
    precision: int = 2
    theme: str = "light"
    title: str | None = None
    timeout: float | None = 20.0
    setting_chars: int = 50

    def __post_init__(self) -> None:
        for name, choices in (
            ("detail", (*DETAILS, "auto")),
            ("grad", (True, False, None)),
            ("direction", ("LR", "TB", None)),
            ("theme", tuple(style.THEMES)),
        ):
            if getattr(self, name) not in choices:
                raise ValueError(
                    f"{name} must be one of {', '.join(map(repr, choices))}, but got "
                    f"{getattr(self, name)!r}"
                )
        for name, least in (("max_nodes", 1), ("precision", 0), ("timeout", 0)):
            number = getattr(self, name)
            if number is not None and number < least:
                raise ValueError(f"{name} must be at least {least}, but got {number!r}")


def _draw(outputs: list[Tensor], options: Options) -> Graph:
    params, names = options.params or {}, options.names or {}
    tensors = {**params, **names}
    recorded = Recorded(outputs, [t for t in tensors.values() if isinstance(t, Tensor)])
    named = [
        (name, value)
        for name, t in [*names.items(), *params.items()]
        if isinstance(t, Tensor) and (value := recorded.find(t)) is not None
    ]
    parameters = {name: value for name, value in named if name in params}

    scalar = all(math.prod(value.shape) == 1 for value in recorded.values)
    few = len(recorded.steps) + len(recorded.values) <= CIRCUIT_LIMIT
    circuit = scalar and (few or options.detail != "auto")
    detail = options.detail if options.detail != "auto" else "formula" if circuit else "grad"
    data = Collector(
        recorded,
        circuit=circuit,
        detail=DETAILS.index(detail),
        grad=options.grad,
        named=named,
        parameters=parameters,
        max_nodes=options.max_nodes,
    ).collect()
    data.title = options.title or ""
    strangers = [name for name in params if name not in parameters]
    if strangers:
        some = ", ".join(strangers[:3]) + (", ..." if len(strangers) > 3 else "")
        data.note = "  ".join(filter(None, (data.note, f"params not in this graph: {some}")))
    look = Look(
        palette=style.THEMES[options.theme],
        direction=options.direction or ("LR" if circuit else "TB"),
        precision=options.precision,
        detail=DETAILS.index(detail),
        graded=any(tensor.grad is not None for tensor in data.tensors),
        setting_chars=options.setting_chars,
    )
    return Graph(data, look, circuit=circuit, theme=options.theme, timeout=options.timeout)


def _tensors(outputs: Iterable[Any], caller: str) -> Iterator[Tensor]:
    """Yield the tensors in `outputs` and in tuples and lists there; refuse what has no graph."""
    for output in outputs:
        if isinstance(output, (tuple, list)):
            yield from _tensors(output, caller)
        elif not isinstance(output, Tensor):
            kind = type(output).__name__
            if hasattr(output, "named_parameters"):
                advice = (
                    f"Call it first: {caller}(model(x), params=dict(model.named_parameters()))."
                )
            else:
                advice = "Give it what was computed from tensors that require grad."
            raise TypeError(f"{caller} draws the graph behind a tensor, but got a {kind}. {advice}")
        elif not output.requires_grad:
            raise RuntimeError(
                "this tensor has no graph: nothing it was computed from requires grad (or it was "
                "made under no_grad / detach)."
            )
        else:
            yield output
