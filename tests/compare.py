"""One expression, two libraries: evaluate it in both, and set what comes out side by side.

A test subject is an expression in PyTorch's own words, such as `torch.add(x, y, alpha=2)`, in which
the name `torch` stands for whichever library evaluates it.

`SUBJECT=torch pytest tests` puts PyTorch itself in our place. Whatever these tests demand must hold
there too: that is how we know that they are right about PyTorch before they judge us.
"""

from __future__ import annotations

import functools
import importlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType, ModuleType
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Library:
    """The modules that a program in PyTorch's words needs."""

    torch: ModuleType
    autograd: ModuleType
    nn: ModuleType
    functional: ModuleType

    def evaluate(self, expression: str, inputs: Mapping[str, Any]) -> Any:
        words = {"torch": self.torch, "nn": self.nn, "F": self.functional}
        return eval(compiled(expression), {**VOCABULARY, **words, **inputs})  # our own tables only

    def leaf(self, array: np.ndarray, requires_grad: bool = False) -> Any:
        return self.torch.tensor(array, requires_grad=requires_grad)


def put(x: Any, index: Any, value: Any) -> Any:
    """`x[index] = value` as an expression, on a copy of x."""
    x = x.clone()
    x[index] = value
    return x


VOCABULARY = {"put": put, "s_": np.s_, "inf": np.inf, "nan": np.nan, "np": np}


@functools.cache
def compiled(expression: str) -> CodeType:
    return compile(expression, expression, "eval")


def load(name: str) -> Library | None:
    """The library "torch", or "autograd" for ours; None where it is not installed."""
    try:
        torch = importlib.import_module(name)
    except ModuleNotFoundError:
        if name == "torch":
            return None
        raise
    if name == "torch":
        torch.set_num_threads(1)  # the samples are small, and threads only get in each other's way
        return Library(torch, torch.autograd, torch.nn, torch.nn.functional)
    nn = importlib.import_module("nn")
    return Library(torch, torch, nn, importlib.import_module("nn.functional"))


THEIRS = load("torch")
SUBJECT = os.environ.get("SUBJECT", "autograd")
OURS = THEIRS if SUBJECT == "torch" else load(SUBJECT)


def is_tensor(value: Any) -> bool:
    return hasattr(value, "requires_grad")


def tensors_in(result: Any) -> list[Any]:
    """The tensors of a result in order: an op may return one, a tuple of them, or no tensor."""
    if is_tensor(result):
        return [result]
    if isinstance(result, tuple | list):
        return [tensor for item in result for tensor in tensors_in(item)]
    return []


def array(tensor: Any) -> np.ndarray:
    return np.asarray(tensor.numpy(force=True))


def dtype_name(tensor: Any) -> str:
    return str(tensor.dtype).rpartition(".")[2]


def plain(value: Any) -> Any:
    """A result with shapes, dtypes and flags in place of its tensors, to compare with `==`."""
    if is_tensor(value):
        return tuple(value.shape), dtype_name(value), value.requires_grad
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value


def cotangents(outputs: Iterable[Any], seed: int) -> list[np.ndarray]:
    """For every output one fixed random gradient of its shape and dtype."""
    random = np.random.default_rng(seed)
    return [np.asarray(random.normal(size=array(y).shape), array(y).dtype) for y in outputs]


@dataclass(frozen=True)
class Derivatives:
    """First gradients by input, second by input and by cotangent; None where nothing flows."""

    first: dict[str, np.ndarray | None]
    second: dict[str, np.ndarray | None]


def differentiate(
    library: Library,
    expression: str,
    arrays: Mapping[str, np.ndarray],
    wanted: Iterable[str],
    order: int,
) -> Derivatives:
    """Gradients of Σ⟨cotangent, output⟩ and, for order 2, of Σ⟨weight, gradient⟩."""
    wanted = list(wanted)
    leaves = {name: library.leaf(value, name in wanted) for name, value in arrays.items()}
    outputs = [y for y in tensors_in(library.evaluate(expression, leaves)) if y.requires_grad]
    if not outputs:
        return Derivatives({}, {})
    inputs = [leaves[name] for name in wanted]
    first, second = gradients(library, outputs, inputs, order)
    names = [*wanted, *(f"cotangent {i}" for i in range(len(outputs)))]
    as_array: Callable[[Any], np.ndarray | None] = lambda g: None if g is None else array(g)  # noqa: E731
    return Derivatives(
        dict(zip(wanted, map(as_array, first), strict=True)),
        dict(zip(names, map(as_array, second), strict=True)),
    )


def gradients(
    library: Library, outputs: list[Any], inputs: list[Any], order: int
) -> tuple[Sequence[Any], Sequence[Any]]:
    """The first gradients by input, and for order 2 the second by input and by cotangent, as
    tensors: of Σ⟨cotangent, output⟩ and of Σ⟨weight, gradient⟩. None where nothing flows."""
    seeds = [library.leaf(value, order > 1) for value in cotangents(outputs, seed=1)]
    grad = library.autograd.grad
    first = grad(outputs, inputs, seeds, create_graph=order > 1, allow_unused=True)
    # A weight for every first gradient, whichever of them depend on anything.
    weights = cotangents(inputs, seed=2)
    smooth = [
        (g, library.leaf(w))
        for g, w in zip(first, weights, strict=True)
        if g is not None and g.requires_grad
    ]
    if not smooth:
        return first, (None,) * (len(inputs) + len(seeds))
    slopes, weights = map(list, zip(*smooth, strict=True))
    return first, grad(slopes, [*inputs, *seeds], weights, allow_unused=True)


PRECISION = {"float64": (1e-10, 1e-12), "float32": (2e-6, 1e-7), "float16": (2e-3, 1e-4)}


def assert_close(
    actual: Any, expected: Any, what: str, rtol: float | None = None, atol: float | None = None
) -> None:
    """Equal shapes, dtypes and numbers, to the precision of the dtype where no other is given."""
    usual = PRECISION.get(expected.dtype.name, (0, 0))
    rtol, atol = (
        own if given is None else given for given, own in zip((rtol, atol), usual, strict=True)
    )
    assert actual.shape == expected.shape, f"{what}: shape {actual.shape}, not {expected.shape}"
    assert actual.dtype == expected.dtype, f"{what}: dtype {actual.dtype}, not {expected.dtype}"
    np.testing.assert_allclose(actual, expected, rtol, atol, err_msg=what)
