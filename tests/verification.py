"""To which order the derivatives of each operation are verified by central differences.

    python -m tests.verification      # writes autograd/verified.json, for the table of derivatives

Every line of `cases.py` becomes a number: the sum of its outputs, weighed at random. Its slope
along a random direction is computed by backward and by central differences; if the two agree, order
1 is verified for the operations in its graph. The slope is again a number, whose slope along
another direction is order 2, and so on. What is in the graph of the first slope only, as the
adjoint of an operation is, is verified to one order less.
"""

from __future__ import annotations

import json
import sys
import warnings
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

if __package__:  # run as a program: this folder's other files are its neighbors
    sys.path.insert(0, str(Path(__file__).parent))
from cases import CASES, Case, Input, distinct, positive, real
from compare import OURS, tensors_in

RECORD = Path(__file__).parent.parent / "autograd" / "verified.json"
HIGHEST = 3
STEP = 1e-5

Point = list[np.ndarray]

# What no line of `cases.py` differentiates.
MORE: dict[str, Input] = {
    "torch.lgamma(x) + torch.digamma(x)": positive(3),
    "torch.nan_to_num(x)": real(3),
    "torch.nanmedian(x)": distinct(5),
    "torch.mode(x)[0]": distinct(5),
    "torch.as_strided(x, (2, 3), (4, 1))": real(3, 4),
    "F.hardsigmoid(x)": real(3, 4),
    "F.adaptive_max_pool1d(x, 3)": distinct(2, 8),
}
ALL = [*CASES, *(Case((line,), ({"x": given},), True) for line, given in MORE.items())]


def main() -> None:
    """Verify every operation, and write down to which order."""
    record = verified(ALL, print)
    RECORD.write_text(json.dumps(record, indent=0, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{len(record)} operations in {RECORD.name}")


def verified(cases: list[Case], complain: Callable[[str], None]) -> dict[str, int]:
    """For each operation the highest order that some sample verifies. Where a line is not smooth
    everywhere (kinks, jumps), its samples away from there still count."""
    orders: dict[str, int] = {}
    for case in cases:
        for sample in case.samples:
            wanted = [name for name, given in sample.items() if given.differentiable]
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                slopes = Slopes(case.spellings[0], case.arrays(sample), wanted)
                if not slopes.weights:
                    continue
                reached = slopes.highest()
                for name, order in slopes.operations(reached):
                    orders[name] = max(orders.get(name, 0), order)
            if case.smooth and reached < HIGHEST:
                complain(f"{case.spellings[0]}: only order {reached}")
    return orders


class Slopes:
    """The weighed sum of what an expression gives, its slope along a direction, the slope of that
    along another, ..."""

    def __init__(self, expression: str, arrays: dict[str, np.ndarray], wanted: list[str]) -> None:
        self.expression, self.arrays = expression, arrays
        self.wanted = [name for name in wanted if arrays[name].dtype.kind == "f"]
        random = np.random.default_rng(zlib.crc32(expression.encode()))
        inputs = [np.float64(arrays[name]) for name in self.wanted]
        self.weights = [random.normal(size=y.shape) for y in self._outputs(as_leaves(inputs))]
        self.point = [*inputs, *self.weights]
        self.directions = [
            [random.normal(size=p.shape) for p in self.point] for _ in range(HIGHEST)
        ]

    def highest(self) -> int:
        """The order to which backward agrees with central differences."""
        for order, direction in enumerate(self.directions):
            try:
                right, left = (
                    float(self.at(moved(self.point, direction, step), order))
                    for step in (STEP, -STEP)
                )
            except RuntimeError:  # the point lies on the border of where the expression is defined
                return order
            expected, found = (right - left) / (2 * STEP), float(self.at(self.point, order + 1))
            if not abs(found - expected) <= 1e-6 * max(1, abs(expected), abs(right)):
                return order
        return HIGHEST

    def at(self, point: Point, order: int) -> Any:
        """The slope along the first ``order`` directions, as a tensor."""
        leaves = as_leaves(point)
        ys = self._outputs(leaves)
        value = sum((w * y).sum() for w, y in zip(leaves[-len(ys) :], ys, strict=True))
        for direction in self.directions[:order]:
            if not value.requires_grad:
                return OURS.torch.zeros(())
            gradients = OURS.autograd.grad(value, leaves, create_graph=True, allow_unused=True)
            terms = zip(gradients, direction, strict=True)
            value = sum((g * OURS.leaf(d)).sum() for g, d in terms if g is not None)
        return value

    def operations(self, reached: int) -> Iterator[tuple[str, int]]:
        """The operations that have a part in it, each with the order to which it is verified."""
        for behind in range(reached):
            for name in names_behind(self.at(self.point, behind)):
                yield name, reached - behind

    def _outputs(self, leaves: list[Any]) -> list[Any]:
        OURS.torch.manual_seed(0)  # where there is chance in it, the same chance each time
        inputs = {name: OURS.leaf(value) for name, value in self.arrays.items()}
        inputs.update(zip(self.wanted, leaves, strict=False))
        result = OURS.evaluate(self.expression, inputs)
        return [y for y in tensors_in(result) if y.requires_grad]


def moved(point: Point, direction: Point, step: float) -> Point:
    return [p + step * d for p, d in zip(point, direction, strict=True)]


def as_leaves(point: Point) -> list[Any]:
    return [OURS.leaf(p, requires_grad=True) for p in point]


def names_behind(t: Any) -> set[str]:
    """The operations that a tensor was computed by."""
    seen, stack, names = set(), [t.grad_fn], set()
    while stack:
        node = stack.pop()
        if node is not None and node not in seen:
            seen.add(node)
            stack.extend(target for target, _ in node.next_functions)
            if node._op is not None:
                names.add(node._op.name)
    return names


if __name__ == "__main__":
    main()
