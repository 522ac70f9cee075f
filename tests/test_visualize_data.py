"""What a picture knows, as plain data: all of it, for small pictures."""

from __future__ import annotations

import linecache
import sys
from dataclasses import asdict

import pytest
from pictures import PICTURES, fan_out, textbook, tower

import autograd as torch
import nn
from autograd.visualize import draw, watch
from autograd.visualize.model import GroupNode, OpNode, TensorNode


def brief(tensor):
    return (
        tensor.name,
        tensor.kind,
        tensor.shape,
        tensor.value and tensor.value.items,
        tensor.grad and tensor.grad.items,
    )


def test_the_first_picture():
    data = draw(textbook()[0], grad=True).data
    assert [brief(t) for t in data.tensors] == [
        ("x", "input", (), -2.0, -4.0),
        ("y", "input", (), 5.0, -4.0),
        ("q", "value", (), 3.0, -4.0),
        ("z", "input", (), -4.0, 3.0),
        ("f", "output", (), -12.0, 1.0),
    ]
    assert [(op.id, op.name, op.symbol, op.expression, op.node) for op in data.ops] == [
        ("n2", "add", "+", "q = x + y", "AddBackward"),
        ("n5", "mul", "×", "f = q · z", "MulBackward"),
    ]
    names = {node.id: node.name for node in data.nodes}
    edges = [(names[e.source], names[e.target], e.partial, e.formula, e.local) for e in data.edges]
    assert edges == [
        ("x", "add", "∂q/∂x", "1", 1.0),
        ("y", "add", "∂q/∂y", "1", 1.0),
        ("add", "q", "", "", None),
        ("q", "mul", "∂f/∂q", "z", -4.0),
        ("z", "mul", "∂f/∂z", "q", 3.0),
        ("mul", "f", "", "", None),
    ]
    assert data.modules == []
    assert (data.title, data.facts, data.note) == ("", "", "")


def test_a_fan_out():
    data = draw(fan_out()[0], grad=True).data
    (x,) = (t for t in data.tensors if t.name == "x")
    assert x.uses == 3
    assert [e.share for e in data.edges if e.source == x.id] == [3.0, 3.0, 2.0]
    assert sum(e.share for e in data.edges if e.source == x.id) == x.grad.items


def test_a_network():
    loss, net = tower(blocks=1)
    data = draw(loss, params=net, detail="saved", grad=True).data
    assert data.title == "Sequential"
    assert data.facts.startswith("7 ops · 323 parameters · ")
    assert data.facts.endswith(" kept for backward")
    assert [(m.path, m.label, m.description) for m in data.modules] == [
        ("0", "0", "Block"),
        ("0.norm", "0.norm", "LayerNorm((8,))"),
        ("0.mlp", "0.mlp", "Sequential"),
        ("0.mlp.0", "0.mlp.0", "Linear(8, 16)"),
        ("0.mlp.2", "0.mlp.2", "Linear(16, 8)"),
        ("1", "1", "Linear(8, 3)"),
    ]
    assert [(op.op, op.module) for op in data.ops] == [
        ("layer_norm", "0.norm"),
        ("linear", "0.mlp.0"),
        ("gelu", "0.mlp"),
        ("linear", "0.mlp.2"),
        ("add", "0"),
        ("linear", "1"),
        ("cross_entropy", ""),
    ]
    weights = {t.name: t.shape for t in data.tensors if t.kind == "parameter"}
    assert weights == {name: tuple(p.shape) for name, p in net.named_parameters()}


def test_a_closed_network():
    loss, net = tower(blocks=2)
    block, head, end = draw(loss, params=net, depth=1, grad=True).data.ops
    assert isinstance(block, GroupNode)
    assert (block.op, block.about, block.ops) == ("Block × 2", "0 to 1", 5)
    assert (head.op, head.about, head.ops, head.parameters) == ("2", "Linear(8, 3)", 1, 27)
    assert (end.op, end.module) == ("cross_entropy", "")


def test_buffers_go_by_their_own_names():
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    with watch():
        loss = net(torch.ones(4, 2)).sum()
    data = draw(loss, params=net).data
    names = {t.name: t.kind for t in data.tensors}
    assert names["1.running_mean"] == names["1.running_var"] == "input"
    assert names["1.weight"] == "parameter"


def test_a_module_that_another_cell_imported_is_no_operand(monkeypatch):
    """In a notebook, `torch.cat([x, h])` calls neither x nor h torch."""
    monkeypatch.setattr(sys.modules["__main__"], "torch", torch, raising=False)
    cell = "/tmp/ipykernel_1/1.py"
    text = "y = torch.cat([a, b]).mul(c)\n"
    monkeypatch.setitem(linecache.cache, cell, (len(text), None, [text], cell))
    space = {name: torch.ones(2, requires_grad=True) for name in "ab"} | {"c": torch.ones(4)}
    exec(compile(text, cell, "exec"), space | {"torch": torch}, space)
    assert {t.name for t in draw(space["y"]).data.tensors} == {"t1", "t2", "t3", "c", "y"}


@pytest.mark.parametrize("name", PICTURES)
def test_it_is_plain(name):
    """Numbers, words and tuples only: no tensor, no array, nothing of the engine."""

    def look(value):
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, (list, tuple)):
            for part in value:
                look(part)
        else:
            assert type(value) in (str, int, float, bool, type(None)), value

    look(asdict(PICTURES[name]().data))


@pytest.mark.parametrize("name", PICTURES)
def test_it_holds_together(name):
    data = PICTURES[name]().data
    nodes = {node.id: node for node in data.nodes}
    assert list(nodes) == [f"n{i}" for i in range(len(nodes))]
    assert [edge.id for edge in data.edges] == [f"e{i}" for i in range(len(data.edges))]
    assert len({node.name for node in data.nodes}) == len(nodes)
    place = {node.id: i for i, node in enumerate(data.nodes)}
    paths = {module.path for module in data.modules}
    for edge in data.edges:
        assert place[edge.source] < place[edge.target]
        kinds = {type(nodes[edge.source]) is TensorNode, type(nodes[edge.target]) is TensorNode}
        assert kinds == {True, False}, "edges run between tensors and operations"
    for op in data.ops:
        assert isinstance(op, OpNode)
        assert op.module in paths | {""}
