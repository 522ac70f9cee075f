"""Which part of a graph is drawn, and how far its modules are opened: as much as can be read.

What is too much to read is made less, in this order: repeats are drawn once; chains of small
operations become one card; modules become cards, the innermost first; and if all that is not
enough, what lies nearest to the outputs is drawn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from autograd.reading.recorded import Recorded, Step, Value

from .chains import chains
from .fold import Folded
from .item import Item, Kind, items_of
from .modules import Modules, ancestry

EASY = 0.4  # share of the allowed nodes that is read with ease


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of a graph is wanted."""

    limit: int | None = 150  # nodes
    depth: int | None = None  # modules at this depth are not opened
    expand: tuple[str, ...] = ()  # but these are
    fold: bool = True
    focus: Value | str | None = None  # a tensor, or the path of a module
    focus_name: str = ""


class Part:
    """The items that are drawn, in order."""

    def __init__(
        self,
        recorded: Recorded,
        circuit: bool,
        extent: Extent,
        modules: Modules,
        is_parameter: Callable[[Value], bool],
    ) -> None:
        self.outputs = recorded.outputs
        self.circuit = circuit
        self.extent = extent
        self.modules = modules
        self.is_parameter = is_parameter
        self.labels: dict[str, tuple[str, str]] = {}  # of frames, where they are not the module's
        self._focus = extent.focus if isinstance(extent.focus, Value) else None
        self._actions: list[str] = []  # what was done to make it less
        self._ways_out: list[str] = []  # how to see more
        self._closed: tuple[int, str] | None = None  # depth of closed modules, and one of them

        self._folded = Folded([], modules)
        self._all_steps = recorded.steps
        self._steps = self._steps_in_focus = recorded.steps
        self._path_of = modules.path
        self.items = self._build(lambda step: None)
        self.total = self.size(self.items)
        if extent.focus is not None:
            self._steps = self._steps_in_focus = self._in_focus(recorded.steps)
            self.items = self._build(lambda step: None)
        if extent.depth is not None or extent.expand:
            self._fold()
            self._collapse(extent.depth or 1)
        elif self._is_too_large():
            self._reduce()
        self.shown = self.size(self.items)
        if self._is_too_large():
            self._keep_nearest()
        self.note = self._note()

    def shown_for(self, value: Value) -> Value:
        """Return what is drawn in place of a value: mostly itself."""
        return self._folded.shown_for(value)

    def used_out_of_sight(self) -> set[int]:
        """Return the values (by id) that operations use which are not drawn, nor stood for."""
        drawn = {id(step) for item in self.items for step in item.steps}
        stood_for = {id(value.step) for value in self._folded.stood_for}
        return {
            id(value)
            for step in self._all_steps
            if id(step) not in drawn and id(step) not in stood_for
            for _, value in step.operands
        }

    def frame(self, path: str) -> tuple[str, str]:
        """Return what is written on a module's frame: what it is called, what it is."""
        label, about = self._title(path)
        return label, "the first is drawn" if path in self.labels else about

    def _title(self, path: str) -> tuple[str, str]:
        """Return what is written on the card of a module, or of repeats."""
        if path in self.labels:
            return self.labels[path]
        path = ".".join(part for part in path.split(".") if not part.startswith("*"))
        return path, self.modules.description(path)

    def size(self, items: Iterable[Item]) -> int:
        """Count nodes. A node is a tensor; in a circuit, where tensors and operations are drawn
        apart, an operation is one too, as is a number. A parameter that only one operation uses is
        a line on a card, and no node."""
        items = list(items)
        uses = Counter(id(value) for item in items for _, value in item.operands)
        nodes = {id(value): value for item in items for value in item.outputs}
        nodes |= {id(value): value for item in items for _, value in item.operands}
        nodes |= {id(output): output for output in self.outputs}
        if self.circuit:
            return len(nodes) + len(items)
        return sum(
            not value.is_number and not (self.is_parameter(value) and uses[id(value)] == 1)
            for value in nodes.values()
        )

    def _is_too_large(self, share: float = 1.0) -> bool:
        limit = self.extent.limit
        return limit is not None and self.size(self.items) > limit * share

    def _build(self, kind_of: Callable[[Step], Kind | None]) -> list[Item]:
        stands = {key: self.shown_for(value) for key, value in self._folded.stands.items()}
        return items_of(
            self._steps, kind_of, self._path_of, stands, self.outputs, self.is_parameter
        )

    # -- ways to make it less ----------------------------------------------------------------------

    def _reduce(self) -> None:
        """Make the graph small enough by whatever hides least; modules are closed until it can be
        read with ease."""
        whole = self.items
        self._fold()
        if self.extent.fold and self._is_too_large() and not self.circuit:
            self._shorten()
        if self.modules.depth and self._is_too_large(EASY):
            self._close_modules()
        elif not self.modules.depth and self._is_too_large():
            # What is folded, but large still, is harder to read than a part as it is.
            self._folded, self._steps = Folded([], self.modules), self._steps_in_focus
            self._path_of, self.items = self.modules.path, whole
            self._actions, self._ways_out, self.labels = [], [], {}

    def _in_focus(self, steps: list[Step]) -> list[Step]:
        """Keep what belongs to the module in focus, or leads to or from the tensor there."""
        if isinstance(self.extent.focus, str):
            path = self.extent.focus
            inside = [step for step in steps if path in ancestry(self.modules.path(step))]
            if not inside:
                raise ValueError(f"focus: no tensor and no module of this graph is called {path!r}")
            return inside
        if self._focus is None:
            return steps
        leading, led = {id(self._focus.step)}, {id(self._focus)}
        for step in reversed(steps):
            if id(step) in leading:
                leading |= {id(value.step) for _, value in step.operands}
        for step in steps:
            if any(id(value) in led for _, value in step.operands):
                led |= {id(output) for output in step.outputs}
        return [s for s in steps if id(s) in leading or any(id(v) in led for v in s.outputs)]

    def _fold(self) -> None:
        if self.circuit or not self.extent.fold:  # a circuit has no frame to say `× 300` on
            return
        folded = Folded(self._steps, self.modules, self.outputs)
        if not folded.runs:
            return
        self._folded, self._steps = folded, folded.steps
        self._path_of = lambda step: folded.paths.get(id(step), "")
        self.labels |= {run.path: (run.label, run.about) for run in folded.runs}
        self.items = self._build(lambda step: None)
        labels = [run.label for run in folded.runs]
        some = ", ".join(labels[:3]) + (", …" if len(labels) > 3 else "")
        self._actions.append(f"repeats folded ({some})")
        self._ways_out.append("fold=False")

    def _shorten(self) -> None:
        """Make one card of each chain of small operations."""
        cards = chains(self.items, self.outputs, self.is_parameter)
        if cards:
            self.items = self._build(lambda step: cards.get(id(step)))
            self._actions.append("chains of small operations in one card")
            self._ways_out = ["fold=False"]

    def _close_modules(self) -> None:
        deepest = max((len(ancestry(self._path_of(step))) for step in self._steps), default=0)
        for depth in range(deepest, 0, -1):
            self._collapse(depth)
            if not self._is_too_large(EASY):
                break

    def _collapse(self, depth: int) -> None:
        """Draw modules at `depth` as one card each, but for those that are to be expanded."""
        known = {path for step in self._steps for path in ancestry(self._path_of(step))}
        opened = {path for module in self.extent.expand for path in ancestry(module)}
        unknown = [path for path in self.extent.expand if path not in known]
        if unknown:
            raise ValueError(
                f"expand: this graph has no module {unknown[0]!r}; it has "
                f"{', '.join(map(repr, sorted(known)[:12])) or 'none'}"
            )

        def kind_of(step: Step) -> Kind | None:
            for level, path in enumerate(ancestry(self._path_of(step)), 1):
                if level >= depth and path not in opened:
                    label, about = self._title(path)
                    return Kind(path, label, about, path.rpartition(".")[0])
            return None

        self.items = self._build(kind_of)
        closed = {item.key: len(item.steps) for item in self.items if item.is_group}
        if closed:
            named = [path for path in closed if "*" not in path]
            self._closed = depth, max(named, key=closed.__getitem__, default="")

    def _keep_nearest(self) -> None:
        """Take items breadth first from the outputs, or from the focus, until there are enough."""
        limit = self.extent.limit
        assert limit is not None
        makers = {id(value): item for item in self.items for value in item.outputs}
        users: dict[int, list[Item]] = {}
        for item in self.items:
            for _, value in item.operands:
                users.setdefault(id(value), []).append(item)
        queue: list[Item] = []
        for start in self.outputs if self._focus is None else [self._focus]:
            queue += [makers[id(start)]] if id(start) in makers else users.get(id(start), [])
        queue = list(dict.fromkeys(queue))
        queued = set(queue)
        chosen: list[Item] = []
        for item in queue:  # grows as we go
            if chosen and self.size([*chosen, item]) > limit:
                break
            chosen.append(item)
            near = [makers[id(v)] for _, v in item.operands if id(v) in makers]
            if self._focus is not None:
                near += [user for v in item.outputs for user in users.get(id(v), [])]
            fresh = [other for other in dict.fromkeys(near) if other not in queued]
            queue += fresh
            queued.update(fresh)
        kept = set(chosen)
        self.items = [item for item in self.items if item in kept]

    # -- what is said of it ------------------------------------------------------------------------

    def _note(self) -> str:
        """Say what is hidden, and how to see it."""
        drawn = self.size(self.items)
        said, ways = [], []
        if self._closed is not None:
            depth, example = self._closed
            said.append(f"collapsed to {self.shown:,} (modules to depth {depth})")
            ways += [f"depth={depth + 1}", *([f'expand="{example}"'] if example else [])]
        elif self._actions:
            said.append(f"drawn as {self.shown:,}, {', '.join(self._actions)}")
            ways += self._ways_out
        name, nearest = self.extent.focus_name, drawn < self.shown
        if nearest:
            near = f'"{name}"' if self._focus is not None else "the output"
            hidden = self.shown - drawn
            said.append(f'showing the {drawn:,} nearest {near}, {hidden:,} hidden behind "…"')
            ways.append("focus=tensor")
        elif self._focus is not None and drawn < self.total:
            said.append(f'showing the {drawn:,} that lead to and from "{name}"')
        elif self.extent.focus is not None:
            said.append(f'showing the {drawn:,} of module "{name}"')
        if not said:
            return ""
        ways.append("focus=None" if self.extent.focus is not None else "max_nodes=None")
        total = f"{self.total:,} nodes"
        if nearest and self._closed is None and self.modules.depth == 0:
            total += ", no modules to collapse"
        verb = "See more with" if self._closed or self._actions else "Use"
        return f"{total}: {', '.join(said)}. {verb} {_either(ways)}."


def _either(ways: Sequence[str]) -> str:
    return " or ".join(filter(None, [", ".join(ways[:-1]), ways[-1]]))
