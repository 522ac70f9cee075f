"""`watch()`: what is computed inside, a picture can tell in full."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from pictures import tower

import autograd as torch
import nn
from autograd import observe
from autograd.visualize import draw, watch
from autograd.visualize.watch import describe


def inner(graph):
    return [t for t in graph.data.tensors if t.kind in ("value", "output")]


def test_every_value_is_known():
    loss, net = tower()
    without = draw(loss, params=net)
    assert any(t.value is None for t in inner(without))
    assert "compute inside `with visualize.watch():`" in without.note
    with watch():
        loss, net = tower()
    graph = draw(loss, params=net)
    assert all(t.value is not None for t in inner(graph))
    assert "watch" not in graph.note


def test_values_are_those_of_the_tensors():
    with watch():
        w = torch.arange(9.0, requires_grad=True)
        h = w + 1
        y = (h * 0 + h).sum()
    value = draw(y, names={"h": h}).data.node("h").value
    assert value.mean == 5
    assert value.std == pytest.approx(np.arange(9).std())


def test_gradients_of_everything_after_backward():
    with watch():
        loss, net = tower()
        loss.backward()
    after = {t.name: t.grad.norm for t in draw(loss, params=net).data.tensors if t.grad}
    loss, net = tower()
    computed = draw(loss, params=net, grad=True)
    before = {t.name: t.grad.norm for t in computed.data.tensors if t.grad}
    assert after == pytest.approx(before)
    assert len(after) > len(list(net.parameters()))


def test_a_value_is_noted_when_it_is_computed():
    with watch():
        w = torch.zeros(9, requires_grad=True)
        h = w + 1
        h.mul_(5)
        y = h.sum()
    values = [t.value.mean for t in inner(draw(y))][:2]
    assert values == [1, 5]


def test_data_that_goes_in_is_there_even_after_backward():
    def step(data):
        net = nn.Sequential(nn.LayerNorm(3), nn.Linear(3, 2))
        loss = net(data).sum()
        loss.backward()
        return loss

    with watch():
        loss = step(torch.arange(6.0).reshape(2, 3))
    (leaf,) = [t for t in draw(loss).data.tensors if t.kind == "input"]
    assert (leaf.name, leaf.shape, leaf.value.items) == ("data", (2, 3), [[0, 1, 2], [3, 4, 5]])
    with watch():
        x = torch.arange(6.0).reshape(2, 3)
        loss = step(x)
    (leaf,) = [t for t in draw(loss, names={"x": x}).data.tensors if t.kind == "input"]
    assert leaf.name == "x"


def test_modules_are_seen_at_work():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.lift = nn.Linear(2, 3)
            self.bend = nn.Tanh()

        def forward(self, x):
            return self.bend(self.lift(x)).sum()

    with watch():
        y = Net()(torch.ones(1, 2))
    graph = draw(y)
    assert [(op.op, op.module) for op in graph.data.ops] == [
        ("linear", "lift"),
        ("tanh", "bend"),
        ("sum", ""),
    ]
    assert {m.path: m.description for m in graph.data.modules}["lift"] == "Linear(2, 3)"


def test_nothing_is_left_when_the_graph_is_gone():
    with watch():
        x = torch.ones(3, requires_grad=True)
        y = x.tanh()
    node = weakref.ref(y.grad_fn)
    gc.disable()
    try:
        del y
        assert node() is None
    finally:
        gc.enable()


def test_it_ends_with_the_block():
    before = list(observe.observers)
    with watch():
        assert len(observe.observers) == len(before) + 1
    with pytest.raises(ZeroDivisionError), watch():
        raise ZeroDivisionError
    assert observe.observers == before


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (nn.Linear(64, 10), "Linear(64, 10)"),
        (nn.Linear(3, 4, bias=False), "Linear(3, 4, bias=False)"),
        (nn.Conv2d(1, 4, 3, padding=1), "Conv2d(1, 4, 3, padding=1)"),
        (nn.Conv2d(1, 4, (3, 5), stride=2), "Conv2d(1, 4, (3, 5), stride=2)"),
        (nn.MaxPool2d(2), "MaxPool2d(2)"),
        (nn.LayerNorm(32), "LayerNorm((32,))"),
        (nn.Dropout(0.1), "Dropout(p=0.1)"),
        (nn.ReLU(), "ReLU()"),
        (nn.Sequential(nn.ReLU()), "Sequential"),
    ],
)
def test_a_module_in_few_words(module, words):
    assert describe(module) == words
