"""A chain of a million nodes: recorded, walked backward, and let go, without recursion."""

from collections.abc import Iterator
from typing import Any

from benchmarks.work import Step, Work

LENGTH = 1_000_000


def deep_chain(torch: Any, length: int) -> Step:
    """Figures are per node."""
    x = torch.tensor(1.0, requires_grad=True)

    def step() -> Iterator[str]:
        y = x
        for _ in range(length):
            y = y * 0.999999
        yield "forward"
        y.backward()
        yield "backward"
        del y
        x.grad = None
        yield "deletion"

    return step


WORKS = [Work("deep chain", deep_chain, {"length": LENGTH}, small={"length": 10}, per=LENGTH)]
