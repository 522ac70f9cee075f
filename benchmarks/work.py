"""What a work is, and how a worker times it or weighs it."""

from __future__ import annotations

import gc
import inspect
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from types import ModuleType
from typing import Any

#: Does the work once. A generator function ends a phase, and names it, at each `yield`.
Step = Callable[[], Any]


@dataclass(frozen=True)
class Work:
    """Something to do with a library: `setup(library, **settings)` returns the step to repeat."""

    name: str
    setup: Callable[..., Step]
    settings: Mapping[str, Any] = field(default_factory=dict)
    #: The ratios (ours / theirs) to stay below, by library.
    aims: Mapping[str, float] = field(default_factory=dict)
    #: Settings of a small first run, which loads what libraries load lazily, before memory is
    #: counted. None: the memory of this work is not of interest.
    small: Mapping[str, Any] | None = None
    #: Times and bytes are given per so many.
    per: int = 1
    #: The libraries that speak enough of PyTorch's API.
    libraries: tuple[str, ...] = ("autograd", "torch")

    def prepare(self, library: ModuleType, **changed: Any) -> Step:
        """The step, on data of its own."""
        return self.setup(library, **{**self.settings, **changed})


def seconds(step: Step, times: int) -> dict[str, float]:
    """Seconds one run of the step takes, by phase; the phase of an ordinary function is ""."""
    if not inspect.isgeneratorfunction(step):
        start = perf_counter()
        for _ in range(times):
            step()
        return {"": (perf_counter() - start) / times}
    total: defaultdict[str, float] = defaultdict(float)
    for _ in range(times):
        start = perf_counter()
        for phase in step():
            total[phase] += perf_counter() - start
            start = perf_counter()
    return {phase: spent / times for phase, spent in total.items()}


def peak_bytes(work: Work, library: ModuleType) -> int:
    """How far the process grows at most in two steps, beyond library, data and parameters."""
    assert work.small is not None
    seconds(work.prepare(library, **work.small), times=1)
    step = work.prepare(library)
    gc.collect()
    # Linux keeps a high-water mark of the resident memory and lowers it to the present on demand.
    # (`getrusage` tells it too, but counts in what the parent held when it started this process.)
    Path("/proc/self/clear_refs").write_text("5")
    before = _status_bytes("VmRSS")
    seconds(step, times=2)  # the second meets the gradients of the first
    return _status_bytes("VmHWM") - before


def _status_bytes(key: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) * 1024
    raise OSError(f"/proc/self/status does not tell {key}")
