"""explain: the paths are all there, their sum is the gradient, and what is written is true."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest

import autograd as torch
import nn
from autograd.explanation import Explanation, explain


def leaf(value: Any, name: str = "") -> torch.Tensor:
    t = torch.tensor(value, dtype=torch.float64, requires_grad=True)
    t.name = name or None
    return t


def lines(explanation: Explanation) -> list[str]:
    return [line for line in str(explanation).split("\n") if line]


def engines(loss: torch.Tensor, x: torch.Tensor) -> Any:
    return torch.autograd.grad(loss, x, retain_graph=True)[0].numpy()


# One number -------------------------------------------------------------------------------------


def test_one_path() -> None:
    x, y, z = leaf(-2.0), leaf(5.0), leaf(-4.0)
    q = x + y
    f = q * z
    assert lines(explain(f, x)) == [
        "∂f/∂x, the sum over 1 path from x to f:",
        "∂f/∂x = ∂f/∂q · ∂q/∂x",
        "      = z · 1",
        "      = (-4) · 1",
        "      = -4",
        "The engine computes the same. There is no x.grad yet.",
    ]
    f.backward()
    assert lines(explain(f, z))[1:] == [  # also afterwards
        "∂f/∂z = q",
        "      = 3",
        "The engine has computed it before, and z.grad agrees: 3.",
    ]
    f = (x + y) * z
    f.backward()
    assert lines(explain(f, z))[-1].startswith(
        "The engine has computed it before, but z.grad is 6:"
    )


def test_two_paths() -> None:
    w = leaf(1.0)
    q = w**2
    o = torch.cos(q) + torch.sin(q)
    assert lines(explain(o, w)) == [
        "∂o/∂w, the sum over 2 paths from w to o:",
        "∂o/∂w = ∂o/∂t1 · ∂t1/∂q · ∂q/∂w + ∂o/∂t2 · ∂t2/∂q · ∂q/∂w",
        "      = 1 · (-sin(q)) · 2·w + 1 · cos(q) · 2·w",
        "      = 1 · (-0.8415) · 2 + 1 · 0.5403 · 2",
        "      = -1.683 + 1.081",
        "      = -0.6023",
        "with t1 = cos(q), t2 = sin(q)",
        "The engine computes the same. There is no w.grad yet.",
    ]


def test_plain_data() -> None:
    w = leaf(3.0, "w")
    e = torch.explain(w * w, w)
    assert (e.paths, e.left_out, e.value, e.grad, e.agrees) == (2, 0, 6.0, None, True)
    assert [term.numbers for term in e.terms] == [(3.0,), (3.0,)]
    assert [term.value for term in e.terms] == [3.0, 3.0]
    assert {term.path for term in e.terms} == {("w", e.output)}


def test_by_a_tensor_in_the_middle() -> None:
    x = leaf(2.0)
    h = x * 3
    f = h * h * x
    e = explain(f, h)
    assert e.value == pytest.approx(24)
    assert e.agrees
    assert e.paths == 2


def test_names() -> None:
    a = leaf(2.0)
    b = torch.tanh(a)
    e = explain(b * b, a, names={"alpha": a, "beta": b})
    assert e.source == "alpha"
    assert e.terms[0].path[:2] == ("alpha", "beta")
    assert r"\frac{\partial \beta}{\partial \alpha}" in e._repr_latex_()


def test_latex() -> None:
    x1 = leaf(4.0)
    f = torch.sqrt(x1) / (x1 + 1)
    latex = explain(f, x1)._repr_latex_()
    assert latex.startswith("$$\\begin{aligned}\n\\frac{\\partial f}{\\partial x_{1}} &= ")
    assert latex.endswith("\n\\end{aligned}$$")
    assert latex.count(r"\\" + "\n") == 3
    assert r"\frac{1}{2 \, t_{1}}" in latex
    for left, right in ("{}", ("\\left", "\\right"), ("\\begin", "\\end")):
        assert latex.count(left) == latex.count(right)
    tiny = explain(x1 * 1e-9, x1)._repr_latex_()
    assert r"10^{-9}" in tiny


@pytest.mark.parametrize("seed", range(20))
def test_random_graphs(seed: int) -> None:
    """The sum over the paths is what the engine computes without them."""
    chance = random.Random(seed)
    x = leaf(chance.uniform(0.5, 1.5), "x")
    known = [x, leaf(0.7, "y")]
    unary = [torch.sin, torch.cos, torch.tanh, torch.exp, lambda t: -t, lambda t: (t + 1).sqrt()]
    binary = [torch.add, torch.sub, torch.mul, lambda a, b: a / (b * b + 1)]
    for _ in range(9):
        if chance.random() < 0.5:
            known.append(chance.choice(binary)(*chance.choices(known[-5:], k=2)))
        else:
            known.append(chance.choice(unary)(chance.choice(known[-3:]) ** 2))
    f = sum(known[2:], start=x * 1)
    e = explain(f, x, most=10**6)
    assert e.agrees
    assert e.left_out == 0
    assert e.value == pytest.approx(float(engines(f, x)), rel=1e-9)
    assert math.fsum(term.value for term in e.terms) == pytest.approx(e.value, rel=1e-9)
    assert math.prod(e.terms[0].numbers) == pytest.approx(e.terms[0].value)
    some = explain(f, x, most=3)
    assert some.paths == e.paths
    assert [t.value for t in some.terms] == pytest.approx([t.value for t in e.terms[:3]])
    shown = str(some)
    assert ("the others" in shown) == (some.left_out > 0)


# Many paths, and long ones ----------------------------------------------------------------------


def test_more_paths_than_anybody_could_write() -> None:
    w = leaf(1.0)
    h = w * 1
    for _ in range(100):
        h = h * h  # two paths lead from each to the next
    e = explain(h, w)
    assert e.paths == 2**100
    assert len(e.terms) == 6
    assert e.value == 2.0**100
    assert e.agrees
    assert f"... ({2**100 - 6:,} more paths)" in str(e)


def test_the_weightiest_are_shown() -> None:
    x = leaf(1.0)
    f = sum((i * torch.sin(x) for i in range(1, 30)), start=x * 0)
    e = explain(f, x, most=3)
    assert e.paths == 30
    assert [term.value for term in e.terms] == pytest.approx(
        [i * math.cos(1) for i in (29, 28, 27)]
    )


def test_a_long_way() -> None:
    x = h = leaf(1.0)
    for _ in range(5000):
        h = torch.sin(h)
    e = explain(h, x)
    assert e.agrees
    assert len(e.terms[0].numbers) == 5000
    assert "(4,988 more factors)" in str(e)
    assert max(map(len, lines(e))) < 400
    assert len(e._repr_latex_()) < 5000


# Arrays ------------------------------------------------------------------------------------------


def test_arrays() -> None:
    random = np.random.default_rng(0)
    X = torch.tensor(random.normal(size=(4, 3)))
    W, b = leaf(random.normal(size=(3, 5))), leaf(random.normal(size=5))
    a = X @ W + b
    h = torch.tanh(a)
    loss = (h * 2).mean() + 0.1 * W.sum()
    e = explain(loss, W)
    assert e.paths == 2
    assert e.agrees
    assert e.shape == (3, 5)
    np.testing.assert_allclose(e.value, engines(loss, W))
    np.testing.assert_allclose(sum(term.value for term in e.terms), e.value)
    assert [np.linalg.norm(t.value) for t in e.terms] == sorted(
        (np.linalg.norm(t.value) for t in e.terms), reverse=True
    )
    text = str(e)
    assert "∂h/∂a, (4, 5) by (4, 5):   h = tanh(a)   dx = dy * (1 - y * y)" in text
    assert "of the whole: W → " in text
    assert "an array (3, 5) of norm" in text
    assert e._repr_latex_().count(r"\frac{\partial h}{\partial a}") == 1
    short = explain(loss, b)
    assert f"∂loss/∂b = [{', '.join(f'{g:.4g}' for g in engines(loss, b))}]" in str(short)
    assert "of the whole" not in str(short)  # there is one path


def test_many_paths_of_arrays() -> None:
    x = leaf(np.linspace(-1, 1, 8))
    f = sum((torch.sin(i * x).sum() for i in range(1, 10)), start=torch.zeros(()))
    e = explain(f, x, most=8)
    assert (e.paths, e.left_out, e.agrees) == (9, 1, True)
    assert "... (1 more path)" in str(e)
    assert str(e).count("of the whole") == 8
    assert "an array (8,) of norm" in str(explain(f * float("nan"), x))


def test_several_outputs_lists_and_broadcasting() -> None:
    y = leaf([0.3, -0.5, 1.2, 0.8, 2.0])
    values, _ = y.sort()
    first, second = torch.split(values, [2, 3])
    f = (torch.cat([first * 2, second, first]) * leaf([[1.0], [2.0]])).prod()
    e = explain(f, y)
    assert e.paths == 3
    assert e.agrees
    np.testing.assert_allclose(e.value, engines(f, y))
    np.testing.assert_allclose(sum(term.value for term in e.terms), e.value)


def test_a_network() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(8, 3),
    )  # fmt: skip
    loss = nn.functional.cross_entropy(model(torch.randn(2, 1, 6, 6)), torch.tensor([0, 2]))
    names = dict(model.named_parameters())
    e = explain(loss, names["0.weight"], names=names)
    assert e.paths == 1
    assert e.agrees
    assert "∂loss/∂0.weight" in str(e)
    assert "conv2d(" in str(e)
    loss.backward()
    assert np.allclose(e.value, names["0.weight"].grad.numpy(), atol=1e-6)


def test_scalars_in_a_list() -> None:
    s = leaf(2.0)
    r = torch.stack([s, s * s]).sum()
    e = explain(r, s)
    assert e.paths == 3
    assert float(e.value) == 5
    assert e.agrees


def test_a_function_of_ones_own() -> None:
    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            (x,) = ctx.saved_tensors
            return 3 * x * x * dy

    x = leaf(2.0)
    y = Cube.apply(x)
    f = y * 2
    assert lines(explain(f, x))[1:5] == [
        "∂f/∂x = ∂f/∂y · ∂y/∂x",
        "      = 2 · ∂y/∂x",
        "      = 2 · 12",
        "      = 24",
    ]


# No trace is left, and what cannot be told is refused ---------------------------------------------


def test_nothing_is_touched() -> None:
    x = leaf([1.0, 2.0])
    called = []
    x.register_hook(called.append)
    f = (x * x).sum()
    explain(f, x)
    assert x.grad is None
    assert not called
    f.backward()  # the graph is still there
    assert x.grad.tolist() == [2, 4]
    assert len(called) == 1


def test_refusals() -> None:
    x, other = leaf([1.0, 2.0]), leaf(1.0)
    f = (x * x).sum()
    with pytest.raises(RuntimeError, match="must be a single number, but has shape \\(2,\\)"):
        explain(x * x, x)
    with pytest.raises(RuntimeError, match="does not depend on the second"):
        explain(f, other)
    with pytest.raises(RuntimeError, match="does not depend on the second"):
        explain(f, f)
    with pytest.raises(RuntimeError, match="x does not require grad"):
        explain(f, torch.ones(2))
    with pytest.raises(RuntimeError, match="loss does not require grad"):
        explain(torch.ones(()), x)
    with pytest.raises(ValueError, match="most must be at least 1"):
        explain(f, x, most=0)
    with pytest.raises(TypeError, match="loss must be a Tensor, but is a float"):
        explain(3.0, x)  # type: ignore[arg-type]
    f.backward()
    with pytest.raises(RuntimeError, match="Explain first"):
        explain(f, x)
