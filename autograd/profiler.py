"""Where the time goes: of each operation how often it ran, how long it took forward and backward,
and how much memory it kept for backward.

    with torch.autograd.profile() as p:
        loss = model(x)
        loss.backward()
    print(p)
"""

from __future__ import annotations

import enum
import functools
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from autograd import observe
from autograd.node import Node
from autograd.reading import figures, table
from autograd.reading.recorded import arrays_kept, name_of_function, name_of_step

__all__ = ["ProfilerActivity", "Row", "Rows", "profile", "record_function"]


@dataclass(slots=True)
class Row:
    """What was measured of one operation, or between the brackets of one label. Seconds are those
    of the operation itself; what a label took includes what ran inside."""

    name: str
    calls: int = 0
    forward: float = 0.0  # seconds
    backward_calls: int = 0
    backward: float = 0.0  # seconds
    kept: int = 0  # bytes kept for backward, each array counted once, where it was kept first
    is_label: bool = False

    @property
    def total(self) -> float:
        """The seconds forward and backward."""
        return self.forward + self.backward

    # The names that PyTorch has for them; its times are microseconds.

    @property
    def key(self) -> str:
        """The name."""
        return self.name

    @property
    def count(self) -> int:
        """The calls, forward and backward."""
        return self.calls + self.backward_calls

    @property
    def cpu_time_total(self) -> float:
        """The time of all calls, in microseconds."""
        return self.total * 1e6

    @property
    def self_cpu_time_total(self) -> float:
        """The same, for an operation; 0 for a label."""
        return 0.0 if self.is_label else self.cpu_time_total

    @property
    def cpu_time(self) -> float:
        """The mean time of a call, in microseconds."""
        return self.cpu_time_total / self.count if self.count else 0.0


# What the rows may be sorted by, and what PyTorch calls it.
_ORDERS: dict[str, Callable[[Row], Any]] = {
    "total": lambda row: -row.total,
    "forward": lambda row: -row.forward,
    "backward": lambda row: -row.backward,
    "calls": lambda row: -row.calls,
    "kept": lambda row: -row.kept,
    "name": lambda row: row.name,
    "count": lambda row: -row.count,
    "cpu_time": lambda row: -row.cpu_time,
    "cpu_time_total": lambda row: -row.total,
    "self_cpu_time_total": lambda row: -row.self_cpu_time_total,
    "cpu_memory_usage": lambda row: -row.kept,
    "self_cpu_memory_usage": lambda row: -row.kept,
}
_HEAD = ("operation", "calls", "forward", "backward", "kept")


class Rows(list[Row]):
    """The rows of a profile, those that took longest first."""

    def table(self, sort_by: str | None = None, row_limit: int = 100) -> str:
        """The rows as text, sorted by one of the columns (``"total"``, ``"forward"``,
        ``"backward"``, ``"calls"``, ``"kept"``, ``"name"``, or PyTorch's name for one), the
        largest first; at most ``row_limit`` of them (-1: all). The last line has the sums."""
        shown = self._shown(sort_by, row_limit)
        return table.aligned(_HEAD, [*shown, _cells(self.total_average())], right=1)

    def total_average(self) -> Row:
        """The sum of all operations, as one row."""
        ops = [row for row in self if not row.is_label]
        return Row(
            "all",
            sum(row.calls for row in ops),
            sum(row.forward for row in ops),
            sum(row.backward_calls for row in ops),
            sum(row.backward for row in ops),
            sum(row.kept for row in ops),
        )

    def _shown(self, sort_by: str | None, row_limit: int) -> list[tuple[str, ...]]:
        if sort_by is not None and sort_by not in _ORDERS:
            raise ValueError(f"sort_by is one of {', '.join(_ORDERS)}, but got {sort_by!r}")
        rows = self if sort_by is None else sorted(self, key=_ORDERS[sort_by])
        shown = [_cells(row) for row in (rows if row_limit < 0 else rows[:row_limit])]
        left = len(rows) - len(shown)
        return [*shown, (f"... {left} more", "", "", "", "")] if left else shown

    def __str__(self) -> str:
        return self.table()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return table.as_html(_HEAD, [*self._shown(None, 100), _cells(self.total_average())])


def _cells(row: Row) -> tuple[str, ...]:
    backward = _duration(row.backward) if row.backward_calls else ""
    kept = figures.size(row.kept) if row.kept else ""
    name = f"{row.name} (label)" if row.is_label else row.name
    return (name, str(row.calls), _duration(row.forward), backward, kept)


def _duration(seconds: float) -> str:
    """``812 µs``, ``3.4 ms``, ``1.20 s``."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} µs"
    return f"{seconds * 1e3:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


class profile:
    """Measures the operations inside this block, in all threads::

        with torch.autograd.profile() as p:
            model(x).sum().backward()
        print(p)
        p.table(sort_by="kept", row_limit=5)

    The times are those of each operation itself. What happens between them is not counted, but is
    part of ``p.seconds``, the time of the whole block: Python's own work, and what a function finds
    out before it calls its operation, as max pooling finds out which elements win. What a Function
    computes with operations is counted with these. ``use_cuda`` and the like are taken and do
    nothing: there is only the CPU, and all else is recorded always.
    """

    def __init__(
        self,
        enabled: bool = True,
        *,
        activities: Iterable[ProfilerActivity] | None = None,
        use_cuda: bool = False,
        use_cpu: bool = True,
        record_shapes: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_flops: bool = False,
        with_modules: bool = False,
    ) -> None:
        self.enabled = enabled
        self.seconds = 0.0
        self._measure = _Measure()

    def __enter__(self) -> profile:
        if self.enabled:
            if self._measure in observe.observers:
                raise RuntimeError(
                    "this profile measures already. Nest another: with profile() as inner: ..."
                )
            self._measure = _Measure()
            self._start = perf_counter()
            observe.enter(self._measure)
        return self

    def __exit__(self, *exception: object) -> None:
        if self.enabled:
            observe.leave(self._measure)
            self.seconds = perf_counter() - self._start

    def key_averages(self, group_by_input_shape: bool = False) -> Rows:
        """What was measured: a row for each operation and each label, those that took longest
        first."""
        if group_by_input_shape:
            raise NotImplementedError(
                "key_averages(group_by_input_shape=True): the inputs' shapes are not recorded. "
                "Leave the argument out, or set labels with record_function()."
            )
        rows = sorted(self._measure.rows.values(), key=_ORDERS["total"])
        return Rows([row for row in rows if row.count or row.kept])

    @property
    def rows(self) -> Rows:
        """The same."""
        return self.key_averages()

    def table(self, sort_by: str | None = None, row_limit: int = 100) -> str:
        """The rows as text: see :meth:`Rows.table`."""
        return self.key_averages().table(sort_by, row_limit)

    def total_average(self) -> Row:
        """The sum of all operations, as one row."""
        return self.key_averages().total_average()

    @property
    def self_cpu_time_total(self) -> float:
        """The time of all operations, in microseconds."""
        return self.total_average().cpu_time_total

    def __str__(self) -> str:
        return f"{self.table()}\n{_duration(self.seconds)} in all"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.key_averages()._repr_html_() + f"\n{_duration(self.seconds)} in all"


class record_function:
    """Gives what runs inside this block (or, as a decorator, in the function) a row of its own in
    every :class:`profile` that is on."""

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name = name
        self._starts: list[float] = []

    def __enter__(self) -> record_function:
        self._starts.append(perf_counter())
        return self

    def __exit__(self, *exception: object) -> None:
        seconds = perf_counter() - self._starts.pop()
        for observer in observe.observers:
            if isinstance(observer, _Measure):
                observer.labelled(self.name, seconds)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """``function``, each call of which is measured under this name."""

        @functools.wraps(function)
        def measured(*args: Any, **kwargs: Any) -> Any:
            with record_function(self.name):
                return function(*args, **kwargs)

        return measured


class ProfilerActivity(enum.Enum):
    """What ``torch.profiler`` can be told to measure; here there is only the CPU."""

    CPU = 0
    CUDA = 2


class _Measure(observe.Observer):
    """Adds up what it is told of."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, bool], Row] = {}
        # The arrays that are kept, by id, for as long as they live.
        self._known: dict[int, weakref.ref[Any]] = {}
        self._adding = threading.RLock()

    def _row(self, name: str, is_label: bool = False) -> Row:
        return self.rows.setdefault((name, is_label), Row(name, is_label=is_label))

    def computed(self, what: Any, inputs: Sequence[Any], y: Any, seconds: float) -> None:
        with self._adding:
            row = self._row(name_of_function(what))
            row.calls += 1
            row.forward += seconds

    def recorded(self, node: Node) -> None:
        with self._adding:
            self._row(name_of_step(node)).kept += sum(self._new_bytes(node))

    def _new_bytes(self, node: Node) -> Iterator[int]:
        """The sizes of the arrays that ``node`` keeps and no other node kept before."""
        for array in arrays_kept(node):
            owner = array
            while isinstance(owner.base, np.ndarray):
                owner = owner.base
            if isinstance(owner, np.ndarray) and id(owner) not in self._known:
                forget = functools.partial(_forget, self._known, id(owner))
                self._known[id(owner)] = weakref.ref(owner, forget)
                yield owner.nbytes

    def pulled(self, node: Node, dy: Any, gradients: Sequence[Any], seconds: float) -> None:
        with self._adding:
            row = self._row(name_of_step(node))
            row.backward_calls += 1
            row.backward += seconds

    def labelled(self, name: str, seconds: float) -> None:
        with self._adding:
            row = self._row(name, is_label=True)
            row.calls += 1
            row.forward += seconds


def _forget(known: dict[int, Any], key: int, reference: object) -> None:
    known.pop(key, None)
