"""`draw` and `make_dot`: from tensors to a picture."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from autograd.reading.gradients import is_freed
from autograd.reading.recorded import Recorded, Value
from autograd.tensor import Tensor

from . import render, style
from .collect import Collector
from .derivatives import gradients
from .dot import DETAILS, GRAD, OP, SHAPE, Look
from .graph import Graph
from .model import NOTES_APART, GraphData
from .modules import Network, network_of
from .part import Extent
from .watch import data_of

CIRCUIT_LIMIT = 60  # nodes that a circuit still shows well, unless it is asked for
VIEWS = ("both", "forward", "backward", "flow")


def draw(
    *outputs: Any,
    params: Any = None,
    names: Mapping[str, Any] | None = None,
    view: str = "both",
    detail: str = "auto",
    show: Collection[str] | None = None,
    grad: bool | None = None,
    direction: str | None = None,
    depth: int | None = None,
    expand: str | Iterable[str] = (),
    fold: bool = True,
    focus: Tensor | str | None = None,
    max_nodes: int | None = 150,
    precision: int = 2,
    theme: str = "light",
    title: str | None = None,
    timeout: float | None = 20.0,
    renderer: str | None = None,
) -> Graph:
    """Draw the graph that was recorded behind `outputs`.

    A graph of single numbers is drawn as a circuit: a tensor is a wire with its value above and its
    gradient below, and on the way into an operation stands the local derivative. A graph of arrays
    is drawn as cards with shapes, statistics and gradient norms.

    **Names.** `params` is the network itself, or its parameters by name, as
    `dict(model.named_parameters())`; operations of one module then share a frame. `names` names any
    tensors: `names=locals()`. Others go by the names in the program's own lines.

    **What is told.** `view` is "both" ways; "forward" or "backward" alone, the latter with
    PyTorch's nodes, `MulBackward` and `AccumulateGrad`; or "flow", where the edges show how large
    the gradients are. `detail` is one of "op", "shape", "value", "grad", "formula", "saved", each
    adding to the one before, or "auto": "formula" for circuits, "grad" for cards; `show` instead
    is a set of these, and just these are told. `grad` is None to show the gradients that are there
    (in a circuit, with those in between), True to compute them for the picture alone, without
    touching any `.grad`, False to show none. To have in the picture what nobody else keeps, compute
    inside `with visualize.watch():`.

    **How much.** Modules at `depth` are closed, that is one card each, but for those that `expand`
    names. With `focus`, a tensor, its name or the path of a module, the picture is of what leads
    there and goes on from there. Of more than `max_nodes` nodes (None: no limit) repeats are drawn
    once, unless `fold` is False, then modules are closed, and if all that does not help, the nodes
    nearest the output are drawn. `.note` says what is hidden and how to see it, as does the
    picture.

    **How.** `direction` is "LR" or "TB", `precision` the number of decimals, `theme` "light",
    "dark" or "auto" (as the reader's system), `timeout` the seconds that a layout may take,
    `renderer` "pygraphviz" or "dot" (None: the first of these that is there).

    Raises TypeError for what is no tensor, RuntimeError for a tensor that has no graph, ValueError
    for an unknown option.
    """
    options = dict(locals())
    del options["outputs"]
    return _draw(list(_tensors(outputs, "draw")), Options(**options))


def make_dot(
    var: Any,
    params: Any = None,
    show_attrs: bool = False,
    show_saved: bool = False,
    max_attr_chars: int = 50,
) -> Graph:
    """Draw the graph behind `var`, a tensor or a tuple or list of them: torchviz's signature.

    The picture differs from torchviz's on purpose: operations go by their own names (`mul`, not
    `MulBackward0`), the inputs are shown with them, and there are no `AccumulateGrad` boxes.
    `show_attrs=True` adds the settings of operations, each at most `max_attr_chars` long;
    `show_saved=True` adds what each keeps for backward. `draw` offers more, and
    `draw(view="backward")` the picture that torchviz draws.
    """
    options = Options(
        params=params,
        detail="saved" if show_saved else "auto",
        setting_chars=max_attr_chars if show_attrs else 0,
    )
    return _draw(list(_tensors([var], "make_dot")), options)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The arguments of `draw`, checked."""

    params: Any = None
    names: Mapping[str, Any] | None = None
    view: str = "both"
    detail: str = "auto"
    show: Collection[str] | None = None
    grad: bool | None = None
    direction: str | None = None
    depth: int | None = None
    expand: str | Iterable[str] = ()
    fold: bool = True
    focus: Tensor | str | None = None
    max_nodes: int | None = 150
    precision: int = 2
    theme: str = "light"
    title: str | None = None
    timeout: float | None = 20.0
    renderer: str | None = None
    setting_chars: int = 50

    def __post_init__(self) -> None:
        for name, choices in (
            ("view", VIEWS),
            ("detail", (*DETAILS, "auto")),
            ("grad", (True, False, None)),
            ("direction", ("LR", "TB", None)),
            ("theme", tuple(style.THEMES)),
            ("renderer", (*render.RENDERERS, None)),
        ):
            if getattr(self, name) not in choices:
                raise ValueError(
                    f"{name} must be one of {', '.join(map(repr, choices))}, but got "
                    f"{getattr(self, name)!r}"
                )
        for name, least in (("depth", 1), ("max_nodes", 1), ("precision", 0), ("timeout", 0)):
            number = getattr(self, name)
            if number is not None and number < least:
                raise ValueError(f"{name} must be at least {least}, but got {number!r}")
        unknown = sorted(set(self.show or ()) - set(DETAILS))
        if unknown:
            raise ValueError(f"show must be a set of {', '.join(DETAILS)}, but got {unknown}")

    def levels(self, circuit: bool) -> frozenset[int]:
        """Return what is told, as indices into DETAILS."""
        if self.show is not None:
            return frozenset(DETAILS.index(name) for name in self.show)
        if self.detail == "auto" and self.view == "flow" and not circuit:
            return frozenset((OP, SHAPE, GRAD))
        auto = "value" if self.view == "forward" else "formula" if circuit else "grad"
        detail = DETAILS.index(auto if self.detail == "auto" else self.detail)
        return frozenset(range(detail + 1))


def _draw(outputs: list[Tensor], options: Options) -> Graph:
    params, buffers, network, title = _parameters(options)
    names = {name: t for name, t in (options.names or {}).items() if isinstance(t, Tensor)}
    given = [*names.items(), *params.items(), *buffers.items()]
    tensors = [t for _, t in given if isinstance(t, Tensor)]
    recorded = Recorded(outputs, tensors, data_of)
    named = [
        (name, value)
        for name, t in given
        if isinstance(t, Tensor) and (value := recorded.find(t)) is not None
    ]
    parameters = {name: value for name, value in named if name in params}

    scalar = all(math.prod(value.shape) == 1 for value in recorded.values)
    few = len(recorded.steps) + len(recorded.values) <= CIRCUIT_LIMIT
    circuit = scalar and (few or options.detail != "auto")
    levels = options.levels(circuit)
    wanted = options.grad
    if wanted is None and options.view == "flow" and (circuit or not is_freed(recorded)):
        wanted = True  # there is nothing to see without
    if GRAD not in levels or options.view == "forward":
        wanted = False
    data = Collector(
        recorded,
        circuit=circuit,
        levels=levels,
        view=options.view,
        gradients=gradients(recorded, wanted, circuit),
        named=named,
        parameters=parameters,
        network=network,
        extent=_extent(options, recorded, dict(named)),
    ).collect()
    data.title = title
    _note_strangers(data, params, parameters)
    look = Look(
        palette=style.THEMES[options.theme],
        direction=options.direction or ("LR" if circuit and options.view != "backward" else "TB"),
        precision=options.precision,
        levels=levels,
        view=options.view,
        graded=any(tensor.grad is not None for tensor in data.tensors),
        setting_chars=options.setting_chars,
    )
    how = "backward" if options.view == "backward" else "circuit" if circuit else "cards"
    return Graph(data, look, how, options.theme, options.timeout, options.renderer)


def _parameters(options: Options) -> tuple[dict[str, Any], dict[str, Any], Network, str]:
    """Return the parameters and the buffers by name, their network, and the picture's title.

    A network that is among the `names` serves as well as one given as `params`."""
    model = options.params
    if model is None:
        found = (options.names or {}).values()
        networks = [v for v in found if hasattr(v, "named_modules") and not isinstance(v, type)]
        networks = [v for v in networks if next(v.parameters(), None) is not None]
        model = networks[0] if len(networks) == 1 else {}
    if hasattr(model, "named_modules"):
        title = type(model).__name__ if options.title is None else options.title
        parameters, buffers = dict(model.named_parameters()), dict(model.named_buffers())
        return parameters, buffers, network_of(model), title
    if not isinstance(model, Mapping):
        raise TypeError(
            "params must be a network, or its parameters by name, as "
            f"dict(model.named_parameters()), but got a {type(model).__name__}"
        )
    return dict(model), {}, Network(), options.title or ""


def _extent(options: Options, recorded: Recorded, named: Mapping[str, Value]) -> Extent:
    focus: Value | str | None = None
    name = ""
    if isinstance(options.focus, str):
        name, focus = options.focus, named.get(options.focus, options.focus)
    elif options.focus is not None:
        is_tensor = isinstance(options.focus, Tensor)
        focus = recorded.find(options.focus) if is_tensor else None
        if focus is None:
            raise ValueError(
                "focus must be a tensor of this graph, its name, or the path of a module, but got "
                f"{options.focus!r}"
            )
        name = next((known for known, value in named.items() if value is focus), "focus")
    expand = (options.expand,) if isinstance(options.expand, str) else tuple(options.expand)
    return Extent(
        limit=options.max_nodes,
        depth=options.depth,
        expand=expand,
        fold=options.fold,
        focus=focus,
        focus_name=name,
    )


def _note_strangers(
    data: GraphData, params: Mapping[str, Any], parameters: Mapping[str, Value]
) -> None:
    strangers = [name for name in params if name not in parameters]
    if strangers:
        some = ", ".join(strangers[:3]) + (", ..." if len(strangers) > 3 else "")
        data.note = NOTES_APART.join(filter(None, (data.note, f"params not in this graph: {some}")))


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
