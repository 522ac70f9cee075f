"""Graphs of any depth come and go without recursion, and leave nothing to the garbage collector."""

from __future__ import annotations

import collections
import gc
import subprocess
import sys
import time
import tracemalloc
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from compare import OURS, THEIRS

torch, autograd, nn, F = OURS.torch, OURS.autograd, OURS.nn, OURS.functional

pytestmark = pytest.mark.skipif(OURS is THEIRS, reason="looks at this project's own objects")


def leaf(values: Any) -> Any:
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def ours(thing: object) -> bool:
    return str(type(thing).__module__).partition(".")[0] in ("autograd", "nn", __name__)


def census() -> collections.Counter[str]:
    """How many objects of each of this project's types the collector has in sight."""
    return collections.Counter(
        type(thing).__qualname__ for thing in gc.get_objects() if ours(thing)
    )


@contextmanager
def nothing_stays(*but: str) -> Iterator[None]:
    """Reference counts alone must take away all that was made inside, `but` for objects named."""
    gc.disable()
    gc.freeze()  # what there is already does not count
    try:
        yield
        left = {name: count for name, count in census().items() if name not in but}
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        in_cycles = collections.Counter(
            type(thing).__qualname__ for thing in gc.garbage if ours(thing)
        )
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.unfreeze()
        gc.enable()
    assert not in_cycles, f"caught in reference cycles: {dict(in_cycles)}"
    assert not left, f"still alive: {left}"


# Nothing is left ----------------------------------------------------------------------------------


class Square(autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        y = x * x
        ctx.save_for_backward(x, y)
        ctx.note = y
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        return 2 * ctx.saved_tensors[0] * dy


def in_place(x: Any) -> Any:
    y = x * 1
    y[0].mul_(2)
    row = y[1]
    row.add_(x[0]).sin_()
    y += x
    return y.sum() + row.sum()


def assignments(x: Any) -> Any:
    board = torch.zeros(3, 3, dtype=torch.float64)
    board[0] = x[0]
    board[:, 1] = x[:, 2] * 2
    board[board > 1] = x[0, 0]
    return board.sum()


def hooks(x: Any) -> Any:
    y = x.exp()
    y.retain_grad()
    y.register_hook(lambda g: g * 2)
    y.grad_fn.register_hook(lambda inner, outer: None)
    y.grad_fn.metadata["note"] = "kept with the node"
    return y.sum()


def network(x: Any) -> Any:
    image = x.reshape(1, 1, 3, 3)
    hidden = F.relu(F.conv2d(image, x.view(1, 1, 3, 3), padding=1))
    hidden = F.batch_norm(F.max_pool2d(hidden, 2, 1), None, None, training=True)
    return F.cross_entropy(F.dropout(hidden).flatten(1), torch.tensor([1]))


SCENES: dict[str, Callable[[Any], Any]] = {
    "arithmetic": lambda x: ((x + 1) * x / 3 - x**2).sum(),
    "saved outputs": lambda x: x.exp().tanh().sigmoid().softmax(1).sum(),
    "several outputs": lambda x: sum(
        part.sum() for part in (*x.split(1), *x.unbind(), x.max(1)[0], *torch.var_mean(x))
    ),
    "views": lambda x: x.t()[1:].reshape(-1).view(2, 3).unsqueeze(0).expand(2, 2, 3).sum(),
    "indexing": lambda x: x[[0, 2]].sum() + x[x > 0].sum() + x[1, torch.tensor([0, 1])].sum(),
    "reductions": lambda x: (
        x.amax() + x.std() + x.norm() + x.logsumexp(0).sum() + x.prod() + x.max()
    ),
    "matrices": lambda x: (x @ x @ x[0]).sum() + torch.einsum("ij,jk->", x, x),
    "joining": lambda x: (
        torch.cat((x, x)).sum() + torch.stack((x, x, x)).sum() + torch.where(x > 0, x, -x).sum()
    ),
    "in-place": in_place,
    "assignments": assignments,
    "hooks": hooks,
    "a Function": lambda x: Square.apply(Square.apply(x)).sum(),
    "a network": network,
    "detached": lambda x: (x * (x * x).detach()).sum(),
}


@pytest.mark.parametrize("scene", SCENES)
def test_a_finished_graph_leaves_nothing(scene: str) -> None:
    x = leaf(np.linspace(-1, 1, 9).reshape(3, 3) + 0.05)
    SCENES[scene](x).backward()  # makes the gradient of x, and whatever is made once
    with nothing_stays():
        for _ in range(3):
            loss = SCENES[scene](x)
            loss.backward()
        del loss


@pytest.mark.parametrize("scene", SCENES)
def test_a_graph_never_walked_leaves_nothing(scene: str) -> None:
    x = leaf(np.linspace(-1, 1, 9).reshape(3, 3) + 0.05)
    with nothing_stays():
        SCENES[scene](x)


@pytest.mark.parametrize("scene", [name for name in SCENES if name != "hooks"])
def test_a_graph_of_gradients_leaves_nothing(scene: str) -> None:
    x = leaf(np.linspace(-1, 1, 9).reshape(3, 3) + 0.05)
    with nothing_stays():
        loss = SCENES[scene](x)
        (g,) = autograd.grad(loss, x, create_graph=True)
        if g.requires_grad:
            autograd.grad(g.sum(), x, allow_unused=True)
        del loss, g


def test_a_refusal_leaves_nothing() -> None:
    x = leaf([1.0, 2.0])
    with nothing_stays():
        y = x.exp()
        loss = y.sum()
        loss.backward(retain_graph=True)
        with torch.no_grad():
            y.zero_()
        with pytest.raises(RuntimeError):
            loss.backward()
        with pytest.raises(RuntimeError):
            x @ torch.ones(3, dtype=torch.float64)
        x.grad = None
        del y, loss


def test_training_leaves_nothing_behind() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))
    optimizer = (
        nn.optim.Adam(net.parameters())
        if hasattr(nn, "optim")
        else torch.optim.Adam(net.parameters())
    )
    x, target = torch.ones(5, 4), torch.tensor([0, 1, 2, 0, 1])

    def step() -> float:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x), target)
        loss.backward()
        optimizer.step()
        return loss.item()

    for _ in range(2):
        step()
    with nothing_stays("Change"):  # every parameter remembers its last change
        for _ in range(5):
            step()
        optimizer.zero_grad()


# Nothing is kept for longer than it is needed -----------------------------------------------------


def test_backward_frees_what_was_kept() -> None:
    x = leaf([1.0, 2.0])
    hidden = x * 3
    seen = weakref.ref(hidden)
    loss = (hidden * hidden).sum()
    del hidden
    assert seen() is not None
    loss.backward()
    assert seen() is None
    assert loss.requires_grad


def test_retain_graph_keeps_it() -> None:
    x = leaf([1.0, 2.0])
    hidden = x * 3
    seen = weakref.ref(hidden)
    loss = (hidden * hidden).sum()
    del hidden
    loss.backward(retain_graph=True)
    assert seen() is not None
    del loss
    assert seen() is None


def test_what_no_rule_needs_is_not_kept() -> None:
    x = leaf([1.0, 2.0])
    hidden = x * 3
    seen = weakref.ref(hidden)
    loss = (hidden + 1).reshape(2, 1).sum()
    del hidden
    assert seen() is None
    loss.backward()


def test_without_gradients_nothing_is_kept() -> None:
    x = leaf([1.0, 2.0])
    with torch.no_grad():
        hidden = x * 3
        seen = weakref.ref(hidden)
        out = hidden * hidden
        del hidden
    assert seen() is None
    assert not out.requires_grad


def test_neither_leaf_nor_detached_tensor_keeps_a_graph_alive() -> None:
    x = leaf([1.0, 2.0])
    y = x * x
    node = weakref.ref(y.grad_fn)
    detached, value = y.detach(), y.sum().item()
    del y
    assert node() is None
    assert detached.sum().item() == value


# Depth and width ----------------------------------------------------------------------------------


def through_list(y: Any) -> Any:
    return torch.stack((y, y))[0]


LINKS: dict[str, Callable[[Any], Any]] = {
    "a product": lambda y: y * 0.9999,
    "a sum with itself": lambda y: (y + y) * 0.5,
    "a function of the output": lambda y: y.tanh(),
    "a function of the input": lambda y: y.sin(),
    "a view": lambda y: y.view(1, 1).view(1),
    "a view of several": lambda y: y.unbind()[0].unsqueeze(0),
    "a list": through_list,
    "an in-place change": lambda y: y.mul_(0.9999),
    "a change of a view": lambda y: (y[:1].mul_(0.9999), y)[1],
    "a Function": lambda y: Square.apply(y) * 0.5,
    "a matrix product": lambda y: (y.view(1, 1) @ y.view(1, 1)).view(1),
}


@pytest.mark.parametrize("link", LINKS)
def test_deep_chains(link: str) -> None:
    """Forward, backward, a graph of gradients, repr, deletion: far beyond the recursion limit."""
    x = leaf([0.5])
    with nothing_stays():
        y = x * 1
        for _ in range(4000):
            y = LINKS[link](y)
        assert "grad_fn" in repr(y)
        y.sum().backward(retain_graph=True)
        (g,) = autograd.grad(y.sum(), x, create_graph=True)
        np.testing.assert_allclose(g.detach().numpy(), x.grad.numpy(), 1e-12)
        x.grad = None
        del y, g


def chain(length: int) -> None:
    """A chain of `length` nodes: forward, backward, deletion."""
    x = torch.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(length // 2):
        y = y * 0.5
        y = y + x
    y.backward()
    assert abs(x.grad.item() - 2) < 1e-6
    del y


def test_a_chain_of_100_000_nodes() -> None:
    with nothing_stays():
        chain(100_000)


def test_memory_of_a_node() -> None:
    """Under 1.2 KB a node, tensor and array included."""
    count = 20_000
    x = torch.tensor(1.0, requires_grad=True)
    tracemalloc.start()
    try:
        y = x
        for _ in range(count // 2):
            y = y * 0.5
            y = y + x
        size, _ = tracemalloc.get_traced_memory()
        y.backward()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size / count < 1200, f"{size / count:.0f} bytes a node"
    assert peak / count < 1200, f"{peak / count:.0f} bytes a node at the peak"


MILLION = """
import resource, sys
import autograd as torch
unit = 1 if sys.platform == "darwin" else 1024
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
x = torch.tensor(1.0, requires_grad=True)
before = peak()
y = x
for _ in range(500_000):
    y = y * 0.5
    y = y + x
y.backward()
del y
assert abs(x.grad.item() - 2) < 1e-6
print((peak() - before) / 1e6)
"""


@pytest.mark.slow
def test_a_chain_of_a_million_nodes() -> None:
    """In a process of its own, whose peak memory is the chain's."""
    root = Path(__file__).parent.parent
    run = subprocess.run(
        [sys.executable, "-c", MILLION], cwd=root, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert float(run.stdout) < 1200, f"{run.stdout} bytes a node"


def best_time(action: Callable[[int], Any], size: int) -> float:
    times = []
    for _ in range(3):
        start = time.process_time()
        action(size)
        times.append(time.process_time() - start)
    return min(times)


def use_a_leaf(times: int) -> None:
    x = leaf([1.0])
    total = x * 0
    for _ in range(times):
        total = total + x * 2
    total.backward()
    assert x.grad.item() == 2 * times


def one_wide_node(width: int) -> None:
    x = leaf(1.0)
    torch.stack([x] * width).sum().backward()
    assert x.grad.item() == width


def many_outputs(width: int) -> None:
    x = torch.ones(width, dtype=torch.float64, requires_grad=True)
    sum(x.unbind()).backward()
    assert x.grad.sum().item() == width


@pytest.mark.parametrize("shape", [use_a_leaf, one_wide_node])
def test_ten_times_the_graph_takes_ten_times_as_long(shape: Callable[[int], None]) -> None:
    """Quadratic would be a hundred times as long."""
    assert best_time(shape, 50_000) < 30 * best_time(shape, 5_000) + 0.05


def test_a_node_of_many_outputs_is_linear() -> None:
    assert best_time(many_outputs, 10_000) < 30 * best_time(many_outputs, 1_000) + 0.05
