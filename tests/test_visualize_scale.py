"""Large graphs: what is drawn once, closed, or left out, and what is said of it."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from pictures import groups, inner_text, parse, recurrence, scalar, tower

import autograd as torch
import nn
from autograd.visualize import draw
from autograd.visualize.graph import effort
from autograd.visualize.model import GroupNode


def chain(length):
    x = scalar(1)
    for _ in range(length):
        x = x * 1.0001
    return x


def scalar_network(sizes=(2, 16, 16, 1)):
    """A network of single numbers, as micrograd has them."""
    rng = np.random.default_rng(0)
    layer = [scalar(0.5), scalar(-1.5)]
    for width in sizes[1:]:
        neurons = []
        for _ in range(width):
            a = scalar(rng.normal())
            for x in layer:
                a = a + scalar(rng.normal()) * x
            neurons.append(torch.tanh(a))
        layer = neurons
    return layer[0]


class Bottleneck(nn.Module):
    def __init__(self, before, inside, after, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(before, inside, 1), nn.BatchNorm2d(inside)
        self.conv2 = nn.Conv2d(inside, inside, 3, stride=stride, padding=1)
        self.bn2 = nn.BatchNorm2d(inside)
        self.conv3, self.bn3 = nn.Conv2d(inside, after, 1), nn.BatchNorm2d(after)
        self.down = None
        if stride > 1 or before != after:
            self.down = nn.Conv2d(before, after, 1, stride=stride)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))
        y = torch.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return torch.relu(y + (x if self.down is None else self.down(x)))


class ResNet50(nn.Module):
    """As deep as ResNet-50, and narrow."""

    def __init__(self, width=4):
        super().__init__()
        self.stem, self.bn = nn.Conv2d(3, width, 3, padding=1), nn.BatchNorm2d(width)
        stages, before = [], width
        for number, blocks in enumerate((3, 4, 6, 3)):
            inside = width * 2**number
            stage = []
            for block in range(blocks):
                stride = 2 if number and not block else 1
                stage.append(Bottleneck(before, inside, 4 * inside, stride))
                before = 4 * inside
            stages.append(nn.Sequential(*stage))
        self.layers = nn.Sequential(*stages)
        self.fc = nn.Linear(before, 10)

    def forward(self, x):
        x = self.layers(torch.relu(self.bn(self.stem(x))))
        return self.fc(x.mean((2, 3)))


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        b, t, c = x.shape
        parts = self.qkv(x).split(c, 2)
        q, k, v = (p.reshape(b, t, self.heads, c // self.heads).transpose(1, 2) for p in parts)
        scores = (q @ k.transpose(-2, -1)) * (1 / math.sqrt(c // self.heads))
        scores = scores.masked_fill(torch.tril(torch.ones(t, t)) == 0, float("-inf"))
        y = torch.softmax(scores, -1) @ v
        return self.proj(y.transpose(1, 2).reshape(b, t, c))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.ln1, self.attn = nn.LayerNorm(width), Attention(width, heads)
        self.ln2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x):
        x = x + self.attn(self.ln1(x))
        return x + self.mlp(self.ln2(x))


class GPT(nn.Module):
    """As deep as GPT-2, and narrow."""

    def __init__(self, vocabulary=32, length=8, width=16, heads=4, blocks=12):
        super().__init__()
        self.tok, self.pos = nn.Embedding(vocabulary, width), nn.Embedding(length, width)
        self.blocks = nn.Sequential(*[Block(width, heads) for _ in range(blocks)])
        self.ln, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)

    def forward(self, idx):
        x = self.tok(idx) + self.pos(torch.arange(idx.shape[1]))
        return self.head(self.ln(self.blocks(x)))


def resnet():
    torch.manual_seed(0)
    net = ResNet50()
    return net(torch.randn(2, 3, 16, 16)).square().mean(), net


def gpt():
    torch.manual_seed(0)
    net = GPT()
    return net(torch.randint(0, 32, (2, 8))).square().mean(), net


def cpu_seconds(work):
    start = time.process_time()
    work()
    return time.process_time() - start


class TestInTime:
    """Drawn in less than 3 seconds on a machine that draws a chain of a hundred in 0.04 (a time
    that depends on the machine is no test), with what is hidden said in the picture."""

    @pytest.mark.parametrize(
        ("make", "note"),
        [
            (resnet, "nodes: collapsed to"),
            (gpt, "nodes: drawn as"),
            (lambda: recurrence(300), "1,806 nodes: drawn as"),
            (
                lambda: (scalar_network((2, 20, 24, 1)), None),
                "nodes, no modules to collapse: showing the 150 nearest the output",
            ),
            (lambda: (chain(10_000), None), "10,001 nodes: drawn as 4, repeats folded (× 9,998)"),
        ],
        ids=["ResNet-50", "GPT", "RNN, 300 steps", "scalar MLP", "chain of 10,000"],
    )
    def test_it(self, make, note):
        loss, params = make()
        unit = cpu_seconds(lambda: parse(draw(chain(100), grad=True)))
        drawn = []
        taken = cpu_seconds(lambda: drawn.append(draw(loss, params=params, grad=True)))
        assert taken < 75 * unit
        (graph,) = drawn
        root = parse(graph)
        assert note in graph.note
        assert note.partition("(")[0].strip() in inner_text(root)
        assert len(groups(root, "node")) <= 240


class TestNearest:
    def test_what_is_nearest_the_output_is_shown(self):
        graph = draw(chain(100), max_nodes=20, detail="value")
        assert len(graph.data.nodes) <= 20
        assert graph.note == (
            "301 nodes, no modules to collapse: showing the 19 nearest the output, 282 hidden "
            'behind "…". Use focus=tensor or max_nodes=None.'
        )
        cut = [t for t in graph.data.tensors if t.kind == "cut"]
        assert len(cut) == 1
        assert f"… {cut[0].label}" in inner_text(parse(graph))

    def test_a_deep_graph_is_no_trouble(self):
        x = chain(10_000)
        assert draw(x, fold=False).note.startswith(
            "10,001 nodes, no modules to collapse: showing the 150 nearest the output, 9,851 hidden"
        )
        everything = draw(x, max_nodes=None, grad=True)
        assert everything.note == ""
        assert len(everything.data.ops) == 10_000
        assert everything.text().count("\n") > 10_000

    def test_a_long_recurrence_has_no_long_edges(self):
        """Its shared weights would have edges over all of its steps, which Graphviz dies of."""
        loss, params = recurrence(60)
        graph = draw(loss, params=params, max_nodes=None, detail="shape")
        assert effort(graph.data).long == 0
        assert len(groups(parse(graph), "node")) > 300


class TestFold:
    def test_equal_blocks_are_drawn_once(self):
        loss, net = tower(blocks=40)
        graph = draw(loss, params=net)
        assert "repeats folded (Block × 40)" in graph.note
        (frame,) = [m for m in graph.data.modules if "×" in m.label]
        assert (frame.path, frame.label, frame.description) == (
            "0",
            "Block × 40",
            "the first is drawn",
        )
        assert [op.op for op in graph.data.ops] == [
            "layer_norm",
            "linear",
            "gelu",
            "linear",
            "add",
            "linear",
            "cross_entropy",
        ]

    def test_what_follows_takes_from_the_one_that_is_drawn(self):
        loss, net = tower(blocks=40)
        data = draw(loss, params=net).data
        (head,) = [op for op in data.ops if op.module == "40"]
        (spine,) = [e for e in data.edges if e.target == head.id and e.operand == "input"]
        (source,) = [e.source for e in data.edges if e.target == spine.source]
        assert next(op.op for op in data.ops if op.id == source) == "add"

    def test_the_steps_of_a_recurrence(self):
        loss, params = recurrence(300)
        graph = draw(loss, params=params)
        (frame,) = graph.data.modules
        assert frame.label == "× 299"
        inside = [op.op for op in graph.data.ops if op.module == frame.path]
        assert inside == ["matmul", "matmul", "add", "add", "tanh"]
        assert next(t for t in graph.data.tensors if t.name == "W").uses == 300

    def test_all_steps_stacked_are_one_line(self):
        W = torch.randn(3, 3, requires_grad=True)
        h, states = torch.ones(1, 3), []
        for _ in range(200):
            h = torch.tanh(h @ W)
            states.append(h)
        graph = draw(torch.stack(states).sum(), params={"W": W})
        (stack,) = [op for op in graph.data.ops if op.op == "stack"]
        assert len([e for e in graph.data.edges if e.target == stack.id]) <= 2
        assert len(graph.data.ops) < 10

    def test_the_numbers_of_the_output_are_its_own(self):
        x = chain(1000)
        output = draw(x).data.tensors[-1]
        assert output.kind == "output"
        assert output.value.items == pytest.approx(x.item())

    def test_what_differs_is_not_folded(self):
        torch.manual_seed(0)
        widths = range(4, 60)
        net = nn.Sequential(*[nn.Linear(w, w + 1) for w in widths])
        graph = draw(net(torch.ones(1, 4)).sum(), params=net, max_nodes=20)
        assert "×" not in graph.note

    def test_parallel_branches_are_no_repeats(self):
        w = torch.ones(3, requires_grad=True)
        total = sum((torch.tanh(w * float(i)) for i in range(40)), torch.zeros(3))
        graph = draw(total.sum(), max_nodes=30)
        assert graph.data.nodes

    def test_small_graphs_are_shown_as_they_are(self):
        loss, net = tower(blocks=4)
        graph = draw(loss, params=net)
        assert "×" not in inner_text(parse(graph))

    def test_not_if_unwanted(self):
        loss, net = tower(blocks=40)
        graph = draw(loss, params=net, fold=False)
        assert "folded" not in graph.note
        assert "collapsed to" in graph.note

    def test_gradients_are_those_of_the_first(self):
        loss, net = tower(blocks=40)
        graph = draw(loss, params=net, grad=True)
        loss.backward()
        for name in ("0.norm.weight", "0.mlp.0.weight", "40.weight"):
            norm = np.linalg.norm(net.get_parameter(name).grad.numpy())
            assert graph.data.node(name).grad.norm == pytest.approx(float(norm), rel=1e-5)

    def test_chains_of_small_operations_become_one_card(self):
        w = torch.ones(2, 3, requires_grad=True)
        total = w.sum()
        for i in range(12):
            h = torch.tanh(torch.exp((w * float(i)).sin().cos()))
            total = total + (h.sum() if i % 2 else h.mean())
        graph = draw(total, max_nodes=45)
        chains = [group for group in graph.data.groups if group.ops >= 3]
        assert chains
        assert "mul → sin → cos → exp → …" in chains[0].op
        assert "chains of small operations in one card" in graph.note


class TestDepth:
    def test_modules_are_closed(self):
        loss, net = tower()
        graph = draw(loss, params=net, depth=1, fold=False, grad=True)
        assert [g.op for g in graph.data.groups] == ["0", "1", "2", "3", "4"]
        assert [g.about for g in graph.data.groups] == ["Block"] * 4 + ["Linear(8, 3)"]
        assert [g.ops for g in graph.data.groups] == [5, 5, 5, 5, 1]
        first = graph.data.groups[0]
        of_block = [p for name, p in net.named_parameters() if name.startswith("0.")]
        assert first.parameters == sum(p.numel() for p in of_block)
        loss.backward()
        norm = math.hypot(*(float(p.grad.norm()) for p in of_block))
        assert first.weights_grad == pytest.approx(norm, rel=1e-5)

    def test_the_note_tells_how_to_see_more(self):
        loss, net = tower()
        note = draw(loss, params=net, depth=1, grad=True).note
        assert note.startswith("23 nodes: collapsed to ")
        assert 'See more with depth=2, expand="0" or max_nodes=None.' in note

    def test_equal_closed_modules_are_one_card(self):
        loss, net = tower()
        graph = draw(loss, params=net, depth=1)
        assert [g.op for g in graph.data.groups] == ["Block × 4", "4"]
        assert graph.data.groups[0].about == "0 to 3"

    def test_one_can_be_expanded(self):
        loss, net = tower()
        graph = draw(loss, params=net, depth=1, expand="1.mlp", fold=False)
        assert [g.op for g in graph.data.groups] == [
            "0",
            "1.norm",
            "1.mlp.0",
            "1.mlp.2",
            "2",
            "3",
            "4",
        ]
        assert [m.path for m in graph.data.modules] == ["1", "1.mlp"]

    def test_an_unknown_module_is_refused(self):
        loss, net = tower()
        with pytest.raises(ValueError, match=r"this graph has no module 'layers\.9'"):
            draw(loss, params=net, expand="layers.9")
        with pytest.raises(ValueError, match="depth must be at least 1"):
            draw(loss, params=net, depth=0)

    def test_a_module_that_is_called_twice_is_two_cards(self):
        torch.manual_seed(0)
        cell = nn.Sequential(nn.Linear(3, 3), nn.Tanh())
        x = torch.ones(1, 3)
        y = cell(torch.exp(cell(x))).sum()
        params = {f"cell.{name}": p for name, p in cell.named_parameters()}
        graph = draw(y, params=params, depth=1)
        _assert_ordered(graph.data)

    @pytest.mark.parametrize("depth", [1, 2, 3])
    @pytest.mark.parametrize("make", [resnet, gpt, tower])
    def test_a_closed_graph_has_no_circle(self, make, depth):
        loss, net = make()
        for fold in (True, False):
            _assert_ordered(draw(loss, params=net, depth=depth, fold=fold, max_nodes=None).data)

    def test_trouble_inside_is_told_outside(self):
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(9, 9), nn.ReLU(), nn.Linear(9, 2))
        with torch.no_grad():
            net[0].bias.fill_(-100.0)
        params = {f"body.{name}": p for name, p in net.named_parameters()}
        graph = draw(net(torch.rand(4, 9)).sum(), params=params, depth=1)
        (body,) = graph.data.groups
        assert body.trouble == "relu: dead: every output is 0"
        assert "⚠ relu: dead: every output is 0" in inner_text(parse(graph))

    def test_modules_without_the_network(self):
        """With the names of parameters alone."""
        loss, net = tower()
        graph = draw(loss, params=dict(net.named_parameters()), depth=1, fold=False)
        assert {g.op for g in graph.data.groups} == {"0", "1", "2", "3", "4"}


class TestFocus:
    def test_a_tensor(self):
        x = scalar(1)
        h = x
        for i in range(200):
            h = h * 1.01
            if i == 100:
                middle = h
        graph = draw(h, names={"middle": middle}, focus=middle, max_nodes=20, detail="value")
        assert "middle" in {t.name for t in graph.data.tensors}
        assert 'nearest "middle"' in graph.note
        assert len(graph.data.nodes) <= 20
        again = draw(h, names={"middle": middle}, focus="middle", max_nodes=20, detail="value")
        assert [n.name for n in again.data.nodes] == [n.name for n in graph.data.nodes]

    def test_what_goes_on_out_of_sight_is_marked(self):
        a = scalar(2)
        b = a * 3
        c = b.exp() + b.tanh()
        graph = draw(c, names={"b": b, "c": c}, focus=b, max_nodes=4, detail="value")
        assert any(t.hidden_uses for t in graph.data.tensors)
        assert "b …" in inner_text(parse(graph))

    def test_other_branches_are_left_out(self):
        a, b = scalar(2), scalar(3)
        left, right = a.exp(), b.tanh()
        graph = draw(left * right, names={"left": left}, focus=left)
        assert {op.op for op in graph.data.ops} == {"exp", "mul"}

    def test_a_module(self):
        loss, net = tower()
        graph = draw(loss, params=net, focus="1.mlp", grad=True)
        assert [op.op for op in graph.data.ops] == ["linear", "gelu", "linear"]
        assert graph.note.startswith("23 nodes: showing the ")
        assert 'of module "1.mlp". Use focus=None.' in graph.note

    @pytest.mark.parametrize("focus", ["nowhere", torch.ones(1), 3])
    def test_what_is_not_there_is_refused(self, focus):
        loss, net = tower()
        with pytest.raises(ValueError, match="focus"):
            draw(loss, params=net, focus=focus)


def _assert_ordered(data):
    """Every edge leads to what comes later."""
    number = {node.id: i for i, node in enumerate(data.nodes)}
    assert all(number[edge.source] < number[edge.target] for edge in data.edges)
    fed = {edge.target for edge in data.edges}
    assert all(node.id in fed for node in data.nodes if isinstance(node, GroupNode))
