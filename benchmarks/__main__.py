"""The runner: lets the libraries take turns and prints the table of ratios."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from functools import partial
from statistics import median, quantiles
from typing import Any

from benchmarks.work import Work
from benchmarks.works import WORKS

#: A turn repeats the step until about this many seconds have gone.
TURN = 0.05
#: Steps longer than this many seconds get few turns, and so does memory, which is steadier.
LONG = 1.0
FEW = 5

IMPORT = "import"
IMPORT_AIM = 1.3

#: Seconds (or bytes) by phase.
Figures = dict[str, float]


@dataclass(frozen=True)
class Comparison:
    """One line of the table: a work, our figure, theirs, and the ratio of the two."""

    work: str
    unit: str
    ours: float
    against: str
    theirs: float
    ratio: float  # the median over pairs of turns,
    quartiles: tuple[float, float]  # and where half of them lie
    aim: float | None


class Worker:
    """The process of one library."""

    def __init__(self, library: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", library],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, **request: Any) -> Any:
        """Send a request and wait for the answer."""
        assert self.process.stdin
        assert self.process.stdout
        print(json.dumps(request), file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the worker died of {request}; its traceback stands above")
        return json.loads(answer)

    def close(self) -> None:
        """End the process."""
        self.process.communicate()


def take_turns(sides: Sequence[Callable[[], Figures]], repeat: int) -> list[list[Figures]]:
    """Per side, what it measured in each turn; who begins alternates."""
    turns: list[list[Figures]] = [[] for _ in sides]
    for turn in range(repeat):
        order = list(range(len(sides)))
        for side in order if turn % 2 else reversed(order):
            turns[side].append(sides[side]())
    return turns


def compare(
    work: str,
    libraries: list[str],
    turns: list[list[Figures]],
    unit: str,
    aims: Callable[[str], float | None],
    per: int = 1,
) -> Iterator[Comparison]:
    """Our turns (the first side's) against those of every other side, phase by phase."""
    ours, *others = turns
    for against, theirs in zip(libraries[1:], others, strict=True):
        for phase in ours[0]:
            pairs = [(a[phase] / per, b[phase] / per) for a, b in zip(ours, theirs, strict=True)]
            ratios = [a / b for a, b in pairs]
            low, _, high = quantiles(ratios) if len(ratios) > 1 else ratios * 3
            yield Comparison(
                work=f"{work}, {phase}" if phase else work,
                unit=unit,
                ours=median(a for a, _ in pairs),
                against=against,
                theirs=median(b for _, b in pairs),
                ratio=median(ratios),
                quartiles=(low, high),
                aim=aims(against),
            )


def compare_times(
    work: Work, workers: list[Worker], libraries: list[str], repeat: int
) -> Iterator[Comparison]:
    """The time of a step."""

    def slowest() -> float:
        return max(sum(worker.ask(work=work.name, times=1).values()) for worker in workers)

    once = slowest()
    if once < LONG:  # then what is loaded on first use may have been a good part of it
        once = slowest()
    times = max(1, round(TURN / once))
    sides = [partial(worker.ask, work=work.name, times=times) for worker in workers]
    turns = take_turns(sides, repeat if once < LONG else min(repeat, FEW))
    return compare(work.name, libraries, turns, "s", work.aims.get, work.per)


def compare_memory(work: Work, libraries: list[str], repeat: int) -> Iterator[Comparison]:
    """The peak memory of a step; every measurement gets a fresh process."""

    def peak(library: str) -> Figures:
        with closing(Worker(library)) as worker:
            return {"peak memory": worker.ask(work=work.name)}

    turns = take_turns([partial(peak, library) for library in libraries], min(repeat, FEW))
    return compare(work.name, libraries, turns, "B", lambda _: 1.0, work.per)


def compare_imports(library: str, repeat: int) -> Iterator[Comparison]:
    """`import autograd` against the `import numpy` it contains."""

    def import_seconds(module: str) -> Figures:
        code = (
            f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
        )
        output = subprocess.check_output([sys.executable, "-c", code], text=True)
        return {"": float(output)}

    libraries = [library, "numpy"]
    sides = [partial(import_seconds, module) for module in libraries]
    take_turns(sides, 1)  # compiles the modules, warms the disk cache
    turns = take_turns(sides, repeat)
    return compare(f"{IMPORT} {library}", libraries, turns, "s", lambda _: IMPORT_AIM)


def measure(names: list[str], libraries: list[str], repeat: int) -> Iterator[Comparison]:
    """All comparisons of the works named."""
    if IMPORT in names:
        yield from compare_imports(libraries[0], repeat)
    with ExitStack() as stack:
        workers = [stack.enter_context(closing(Worker(library))) for library in libraries]
        for name in names:
            if name == IMPORT:
                continue
            work = WORKS[name]
            able = [i for i, library in enumerate(libraries) if library in work.libraries]
            who = [libraries[i] for i in able]
            yield from compare_times(work, [workers[i] for i in able], who, repeat)
            if work.small is not None and os.path.exists("/proc/self/clear_refs"):
                yield from compare_memory(work, who, repeat)


def readable(figure: float, unit: str) -> str:
    """Three digits and a prefix: 1.23 ms, 456 KB."""
    prefixes = ["n", "µ", "m", ""] if unit == "s" else ["", "K", "M", "G"]
    scaled = figure * 1e9 if unit == "s" else figure
    for prefix in prefixes:
        if scaled < 999.5 or prefix == prefixes[-1]:
            break
        scaled /= 1000
    return f"{scaled:#.3g}".rstrip(".") + f" {prefix}{unit}"


def row(comparison: Comparison) -> str:
    """A line of the table; an aim that is missed is marked."""
    c = comparison
    aim = ""
    if c.aim is not None:
        aim = f"{c.aim:.2f}" + ("" if round(c.ratio, 2) <= c.aim else " <- missed")
    return (
        f"{c.work:<42} {readable(c.ours, c.unit):>9}   {c.against:<17}"
        f"{readable(c.theirs, c.unit):>9}   {c.ratio:5.2f}  "
        f"{c.quartiles[0]:5.2f} .. {c.quartiles[1]:<5.2f}  {aim}"
    ).rstrip()


HEADER = f"{'':<42} {'ours':>9}   {'against':<17}{'theirs':>9}   ratio  quartiles       aim"


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Compare this project with PyTorch."
    )
    parser.add_argument("words", nargs="*", help="measure works that have one of these in the name")
    parser.add_argument("--repeat", type=int, default=15, help="turns each library takes (15)")
    parser.add_argument("--threads", type=int, default=2, help="threads each library gets (2)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    parser.add_argument(
        "--libraries",
        nargs="+",
        metavar="MODULE",
        default=["autograd", "torch", "micrograd.engine"],
        help="ours, then what to compare it with; `torch torch` shows the noise",
    )
    options = parser.parse_args()

    names = [
        name
        for name in [IMPORT, *WORKS]
        if not options.words or any(word in name for word in options.words)
    ]
    if options.list:
        print(*names, sep="\n")
        return
    if not names:
        parser.error(
            f"no work has {' or '.join(options.words)} in its name; --list tells the names"
        )
    # What the workers inherit: BLAS and OpenMP read the number of threads when they are loaded,
    # and an import is measured with compiled modules, as every import but the first is.
    threads = str(options.threads)
    os.environ.update(OPENBLAS_NUM_THREADS=threads, OMP_NUM_THREADS=threads)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0
    if load > 0.5:  # threads that wait for each other suffer most, so that ratios go astray
        print(
            f"this machine is busy (load {load:.1f}): measure again on an idle one", file=sys.stderr
        )
    installed = [library for library in options.libraries if is_installed(library)]
    comparisons = measure(names, installed, options.repeat)
    if options.json:
        print(json.dumps([asdict(comparison) for comparison in comparisons], indent=2))
        return
    print(HEADER)
    for comparison in comparisons:
        print(row(comparison), flush=True)


def is_installed(module: str) -> bool:
    """Whether a module, maybe of a package, can be imported."""
    return importlib.util.find_spec(module.partition(".")[0]) is not None


if __name__ == "__main__":
    main()
