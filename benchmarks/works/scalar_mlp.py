"""The network of micrograd's demo, one scalar at a time: 2-16-16-1, two moons, hinge loss.

It is written in what micrograd's `Value` and a tensor of shape () have in common, so that the
same lines run on all three libraries.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

from benchmarks.work import Step, Work

#: A scalar that can be differentiated.
Scalar = Any


def two_moons(points: int) -> list[tuple[float, float, int]]:
    """(x, y, label): two interleaved half circles, labels +1 and -1."""
    moons = []
    for i in range(points):
        angle = random.uniform(0, math.pi)
        label = 1 if i % 2 else -1
        x, y = math.cos(angle), math.sin(angle)
        moons.append((x, y, label) if label == 1 else (1 - x, 0.5 - y, label))
    return moons


class Layer:
    """Rows of weights and a bias each: relu(w·x + b), the last layer without relu."""

    def __init__(
        self, inputs: int, outputs: int, relu: bool, leaf: Callable[[float], Scalar]
    ) -> None:
        self.weights = [
            [leaf(random.uniform(-1, 1)) for _ in range(inputs)] for _ in range(outputs)
        ]
        self.biases = [leaf(0.0) for _ in range(outputs)]
        self.relu = relu

    def __call__(self, inputs: list[Scalar]) -> list[Scalar]:
        """The layer's outputs for one point."""
        outputs = [
            sum((w * x for w, x in zip(row, inputs, strict=True)), bias)
            for row, bias in zip(self.weights, self.biases, strict=True)
        ]
        return [y.relu() for y in outputs] if self.relu else outputs

    def parameters(self) -> list[Scalar]:
        """Every weight, every bias."""
        return [w for row in self.weights for w in row] + self.biases


def scalar_mlp(library: Any, points: int) -> Step:
    """One step of gradient descent on all the points."""
    if hasattr(library, "tensor"):
        constant, leaf = library.tensor, partial(library.tensor, requires_grad=True)
    else:
        constant = leaf = library.Value

    random.seed(0)
    data = [([constant(x), constant(y)], label) for x, y, label in two_moons(points)]
    sizes = [2, 16, 16, 1]
    layers = [
        Layer(inputs, outputs, relu=outputs > 1, leaf=leaf) for inputs, outputs in pairwise(sizes)
    ]
    parameters = [p for layer in layers for p in layer.parameters()]
    no_gradient = parameters[0].grad  # 0 in micrograd, None in PyTorch

    def score(point: list[Scalar]) -> Scalar:
        for layer in layers:
            point = layer(point)
        return point[0]

    def step() -> None:
        for p in parameters:
            p.grad = no_gradient
        losses = [(1 + -label * score(point)).relu() for point, label in data]
        decay = 1e-4 * sum(p * p for p in parameters)
        loss = sum(losses) * (1.0 / len(losses)) + decay
        loss.backward()
        for p in parameters:
            p.data = p.data - 0.01 * p.grad

    return step


WORKS = [
    Work(
        "scalar mlp",
        scalar_mlp,
        {"points": 10},
        {"torch": 0.7, "micrograd.engine": 1.1},
        libraries=("autograd", "torch", "micrograd.engine"),
    )
]
