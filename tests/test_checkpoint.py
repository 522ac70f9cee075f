"""Checkpointing: the same gradients, computed with less memory."""

from __future__ import annotations

import contextlib
import gc
import importlib
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from compare import OURS
from tables import better_than_torch

torch, autograd, nn = OURS.torch, OURS.autograd, OURS.nn
if torch.__name__ == "torch":
    module = importlib.import_module("torch.utils.checkpoint")
else:
    module = torch.checkpoint
CheckpointError = module.CheckpointError


def checkpoint(function: Any, *args: Any, **kwargs: Any) -> Any:
    return module.checkpoint(function, *args, use_reentrant=False, **kwargs)


def leaf(values: Any) -> Any:
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def count_calls(function: Callable[..., Any]) -> Any:
    def counted(*args: Any, **kwargs: Any) -> Any:
        counted.calls += 1
        return function(*args, **kwargs)

    counted.calls = 0
    return counted


def wave(x: Any) -> Any:
    return (x.sin() * x.exp()).tanh()


def test_first_and_second_derivatives() -> None:
    def derivatives(f: Callable[[Any], Any]) -> list[Any]:
        x = leaf([0.3, -1.0, 2.0])
        y = f(f(x)).sum()
        (g,) = autograd.grad(y, x, create_graph=True)
        (h,) = autograd.grad((g**2).sum(), x)
        return [y.item(), g.tolist(), h.tolist()]

    expected = derivatives(wave)
    for ours, theirs in zip(derivatives(lambda x: checkpoint(wave, x)), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_the_function_runs_once_more_a_backward() -> None:
    f = count_calls(wave)
    y = checkpoint(f, leaf([1.0])).sum()
    assert f.calls == 1
    y.backward(retain_graph=True)
    assert f.calls == 2
    y.backward()
    assert f.calls == 3


def test_nothing_is_kept_meanwhile() -> None:
    inside: list[weakref.ref[Any]] = []

    def f(x: Any) -> Any:
        y = x.exp()
        inside.append(weakref.ref(y))
        return y * y.sin()

    gc.disable()
    try:
        loss = checkpoint(f, leaf([1.0, 2.0])).sum()
        assert inside[0]() is None
        loss.backward()
        assert [reference() for reference in inside] == [None, None]
    finally:
        gc.enable()


def test_it_stops_when_it_has_enough() -> None:
    log: list[str] = []

    def f(x: Any) -> Any:
        y = x.exp()
        log.append("after")
        return y + 1

    checkpoint(f, leaf(1.0)).backward()
    assert log == ["after"]
    checkpoint(f, leaf(1.0), early_stop=False).backward()
    assert log == ["after"] * 3
    with module.set_checkpoint_early_stop(False):
        y = checkpoint(f, leaf(1.0))
    y.backward()
    assert log == ["after"] * 5


def test_parameters_keywords_and_several_outputs() -> None:
    net = nn.Linear(3, 3)
    x = torch.ones(2, 3)

    def f(x: Any, *, scale: float, other: Any) -> Any:
        h = net(x).tanh() * scale
        return h * other, {"h": h}

    other = torch.full((2, 3), 2.0, requires_grad=True)
    y, more = checkpoint(f, x, scale=0.5, other=other)
    (y + more["h"] ** 2).sum().backward()
    found = net.weight.grad.tolist(), other.grad.tolist()
    net.zero_grad()
    other.grad = None
    y, more = f(x, scale=0.5, other=other)
    (y + more["h"] ** 2).sum().backward()
    assert found == (net.weight.grad.tolist(), other.grad.tolist())


def test_the_same_random_numbers() -> None:
    x = torch.ones(100, requires_grad=True)
    torch.manual_seed(0)
    y = checkpoint(lambda x: nn.functional.dropout(x * 3, 0.5) * x, x)
    following = torch.rand(1).item()
    torch.manual_seed(1)
    before = torch.get_rng_state()
    y.sum().backward()
    assert x.grad.tolist() == (2 * y).tolist()  # of 3 x² or 0
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(0)
    nn.functional.dropout(x, 0.5)
    assert torch.rand(1).item() == following


def test_without_gradients() -> None:
    f = count_calls(wave)
    with torch.no_grad():
        assert not checkpoint(f, leaf([1.0])).requires_grad
    assert not checkpoint(f, torch.ones(2)).requires_grad


def test_nested() -> None:
    f = count_calls(wave)
    x = leaf([0.3, 1.0])
    y = checkpoint(lambda x: checkpoint(f, checkpoint(f, x)) * x, x)
    y.sum().backward()
    found = x.grad.tolist()
    assert f.calls > 4
    x.grad = None
    (wave(wave(x)) * x).sum().backward()
    np.testing.assert_allclose(found, x.grad)


@pytest.mark.parametrize("early_stop", [True, False])
def test_derivatives_inside_and_outside(early_stop: bool) -> None:
    def slope(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda x: autograd.grad(f(x).sum(), x, create_graph=True)[0]

    def kept(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda x: checkpoint(f, x)

    x = leaf([0.3, 1.0])
    expected = slope(slope(slope(wave)))(x).tolist()
    with module.set_checkpoint_early_stop(early_stop):
        for way in (
            slope(kept(slope(slope(kept(wave))))),
            slope(kept(slope(kept(slope(kept(wave)))))),
            kept(slope(slope(slope(wave)))),
        ):
            np.testing.assert_allclose(way(x).tolist(), expected)


def test_a_backward_inside() -> None:
    def f(x: Any) -> Any:
        with torch.enable_grad():
            z = x.detach().requires_grad_()
            (g,) = autograd.grad((z**3).sum(), z)
        return x.exp() * g

    x = leaf([1.0, 2.0])
    checkpoint(f, x).sum().backward()
    np.testing.assert_allclose(x.grad, (x.exp() * 3 * x**2).detach())


class Cube(autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x, x * x)
        return x**3

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        return 3 * ctx.saved_tensors[1] * dy


def test_a_function_inside() -> None:
    x = leaf([2.0])
    checkpoint(lambda x: Cube.apply(x.exp()).log(), x).backward()
    assert x.grad.item() == pytest.approx(3)


def test_contexts() -> None:
    log: list[str] = []

    @contextlib.contextmanager
    def note(what: str) -> Iterator[None]:
        log.append(f"in {what}")
        try:
            yield
        finally:
            log.append(f"out {what}")

    y = checkpoint(wave, leaf([1.0]), context_fn=lambda: (note("first"), note("second")))
    assert log == ["in first", "out first"]
    y.sum().backward()
    assert log[2:] == ["in second", "out second"]


def test_an_input_changed_meanwhile() -> None:
    x = leaf([1.0, 2.0]) * 1
    y = checkpoint(wave, x)
    x.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_an_error_on_the_second_run() -> None:
    calls: list[int] = []

    def f(x: Any) -> Any:
        calls.append(1)
        if len(calls) > 1:
            raise KeyError("not again")
        return x.exp()

    x = leaf([1.0])
    with pytest.raises(KeyError, match="not again"):
        checkpoint(f, x).sum().backward()
    x.exp().sum().backward()  # no hooks are left behind
    assert x.grad is not None


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (lambda x: x + 1, "A different number of tensors was saved"),
        (lambda x: x[:1].exp(), "different metadata"),
        (lambda x: x.float().exp(), "different metadata"),
    ],
)
def test_a_second_run_that_differs(second: Callable[[Any], Any], message: str) -> None:
    functions = [torch.exp, second]
    y = checkpoint(lambda x: functions.pop(0)(x), leaf([1.0, 2.0]))
    with pytest.raises(CheckpointError, match=message):
        y.sum().backward()


def test_a_second_run_that_keeps_more() -> None:
    functions = [torch.exp, lambda x: x.exp() + x.sin().sin()]
    y = checkpoint(lambda x: functions.pop(0)(x), leaf([1.0, 2.0]), early_stop=False)
    with pytest.raises(CheckpointError, match="trying to save more tensors during recomputation"):
        y.sum().backward()


def test_differences_unchecked() -> None:
    functions = [torch.exp, lambda x: x.float().exp()]
    x = leaf([1.0, 2.0])
    checkpoint(lambda x: functions.pop(0)(x), x, determinism_check="none").sum().backward()
    np.testing.assert_allclose(x.grad, x.detach().exp(), rtol=1e-6)


@better_than_torch
def test_differences_listed() -> None:
    functions = [torch.exp, lambda x: x.float().exp()]
    y = checkpoint(lambda x: functions.pop(0)(x), leaf([1.0, 2.0]), debug=True)
    with pytest.raises(CheckpointError, match=r"(?s)first run:\n  0: torch.float64 \[2\].*second"):
        y.sum().backward()


def test_wrong_arguments() -> None:
    x = leaf([1.0])
    with pytest.raises(ValueError, match="determinism_check"):
        checkpoint(wave, x, determinism_check="some")
    with pytest.raises(ValueError, match="Unexpected keyword arguments"):
        module.checkpoint(wave, x, use_reentrant=True, scale=2)
    with pytest.raises(ValueError, match="only supported when use_reentrant=False"):
        module.checkpoint(wave, x, use_reentrant=True, debug=True)
    with pytest.warns(UserWarning, match="use_reentrant parameter should be passed explicitly"):
        module.checkpoint(wave, x)


def test_what_is_kept_can_be_looked_at() -> None:
    f = count_calls(torch.exp)
    y = checkpoint(f, leaf([0.0]))
    assert y.grad_fn._saved_result.tolist() == [1.0]
    assert f.calls == 2


@pytest.mark.parametrize("segments", [1, 2, 3])
def test_a_chain(segments: int) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 1))
    x = torch.ones(2, 3, requires_grad=True)
    net(x).sum().backward()
    expected = x.grad.tolist(), net[0].weight.grad.tolist()
    net.zero_grad()
    x.grad = None
    module.checkpoint_sequential(net, segments, x, use_reentrant=False).sum().backward()
    assert (x.grad.tolist(), net[0].weight.grad.tolist()) == expected


@better_than_torch
def test_the_module_can_be_called() -> None:
    x = leaf([1.0])
    torch.checkpoint(torch.exp, x, use_reentrant=False).backward()
    assert torch.utils.checkpoint is torch.checkpoint
    assert x.grad.item() == pytest.approx(np.e)
