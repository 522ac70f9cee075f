"""Cards: graphs of arrays."""

from __future__ import annotations

import re

import numpy as np
import pytest
from pictures import groups, inner_text, parse, scalar

import autograd as torch
import nn
from autograd.visualize import draw, make_dot, watch


class TestCards:
    def net(self):
        """Two layers of a network, with a target, as far as multiplication carries."""
        torch.manual_seed(0)
        names = ("stem.weight", "layers.0.weight", "layers.0.bias", "head.weight")
        params = {name: torch.randn(8, requires_grad=True) for name in names}
        x = torch.randn(4, 8)
        h = torch.relu(x * params["stem.weight"])
        h = torch.relu(h * params["layers.0.weight"] + params["layers.0.bias"])
        scores = (h * params["head.weight"]).log_softmax(1)
        target = torch.tensor([[1], [2], [3], [0]])
        loss = -scores.gather(1, target).mean()
        return loss, params

    def test_shapes_and_parameters_by_name(self):
        loss, params = self.net()
        root = parse(draw(loss, params=params, grad=True))
        told = {g.get("data-node"): inner_text(g) for g in groups(root, "node")}
        assert told["log_softmax"].startswith("log_softmax dim=1 (4, 8) scores")
        assert told["mul parameters"].startswith("weight (8,) ‖∇‖")
        assert told["target"] == "target (4, 1) int64 [[1], [2], [3], [0]]"
        assert told["neg"].endswith("∇ 1.00")
        assert re.search(r"‖∇‖ \d", told["relu"])

    def test_running_means_stand_with_the_parameters(self):
        model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
        with watch():
            loss = model(torch.ones(2, 3)).sum()
        root = parse(draw(loss, params=model))
        told = {g.get("data-node"): inner_text(g) for g in groups(root, "node")}
        card = told["batch_norm parameters"]
        assert re.fullmatch(r"weight .*bias .*running_mean \(4,\) .*running_var \(4,\)", card)
        assert not any("running" in text for text in told.values() if text != card)

    def test_a_module_called_twice_has_a_frame_around_each_call(self):
        class Twice(nn.Module):
            def __init__(self):
                super().__init__()
                self.gate = nn.Linear(3, 3)

            def forward(self, x):
                return self.gate(self.gate(x).tanh())

        model = Twice()
        graph = draw(model(torch.ones(2, 3)).sum(), params=model)
        modules = {op.op: op.module for op in graph.data.ops}
        assert modules == {"linear": "gate", "tanh": "", "sum": ""}
        frames = groups(parse(graph), "cluster")
        assert len(frames) == 2

    def test_frames_around_modules_are_entered_and_left_once(self):
        loss, params = self.net()
        graph = draw(loss, params=params)
        assert [m.path for m in graph.data.modules] == ["stem", "layers", "layers.0", "head"]
        assert [op.module for op in graph.data.ops][:5] == ["stem", "", "layers.0", "layers.0", ""]
        frames = groups(parse(graph), "cluster")
        assert len(frames) == 4
        titles = [t.text for t in parse(graph).iter() if t.get("paint-order") == "stroke"]
        assert {"stem", "layers", "layers.0", "head"} <= set(titles)

    def test_a_convolutional_network(self):
        net = nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(64, 10),
        )
        x, target = torch.randn(2, 1, 8, 8), torch.tensor([3, 7])
        loss = nn.functional.cross_entropy(net(x), target)
        graph = make_dot(loss, params=dict(net.named_parameters()))
        assert [op.op for op in graph.data.ops] == [
            "conv2d",
            "relu",
            "max_pool",
            "reshape",
            "linear",
            "cross_entropy",
        ]
        assert [m.path for m in graph.data.modules] == ["0", "4"]
        assert graph.data.facts == "6 ops · 690 parameters"
        told = {g.get("data-node"): inner_text(g) for g in groups(parse(graph), "node")}
        assert told["conv2d parameters"] == "weight (4, 1, 3, 3) bias (4,)"
        assert told["linear parameters"] == "weight (10, 64) bias (10,)"
        assert told["conv2d"] == "conv2d (2, 4, 8, 8)"
        assert told["cross_entropy"].startswith("cross_entropy () loss 2.")

    def test_statistics_are_those_of_the_array(self):
        w = torch.tensor([0.0, 0, 0, 0, 2, 2, 4], requires_grad=True)
        (leaf,) = [t for t in draw(w * 2, names={"w": w}).data.tensors if t.name == "w"]
        assert leaf.value.items is None
        assert leaf.value.mean == pytest.approx(8 / 7)
        assert leaf.value.std == pytest.approx(np.std([0, 0, 0, 0, 2, 2, 4]))
        assert leaf.value.zeros == pytest.approx(4 / 7)
        text = inner_text(parse(draw(w * 2, names={"w": w})))
        assert "μ 1.14  σ 1.46  ·  57% zero" in text

    def test_gradients_equal_those_of_backward(self):
        loss, params = self.net()
        drawn = {t.name: t.grad for t in draw(loss, params=params, grad=True).data.tensors}
        assert all(p.grad is None for p in params.values())
        loss.backward()
        for name, p in params.items():
            assert drawn[name].norm == pytest.approx(float(np.linalg.norm(p.grad.numpy())))

    def test_after_backward_the_leaves_tell_theirs(self):
        loss, params = self.net()
        loss.backward()
        graph = draw(loss, params=params)
        assert all(graph.data.node(name).grad is not None for name in params)
        assert graph.note.startswith("backward() has freed what the operations kept")

    def test_what_is_kept_and_its_size(self):
        loss, params = self.net()
        graph = draw(loss, params=params, detail="saved", title="Net")
        kept = {op.name: {s.name: s.nbytes for s in op.saved} for op in graph.data.ops}
        assert kept["relu"] == {"y": 128}
        assert kept["log_softmax"] == {"y": 128}
        assert "kept for backward" in graph.data.facts
        assert "Net" in inner_text(parse(graph))

    def test_rules_as_they_stand_in_the_source(self):
        w = torch.randn(8, requires_grad=True)
        rules = draw(torch.tanh(w), detail="formula").data.ops[0].rules
        assert rules == ("dx = dy * (1 - y * y)",)

    def test_the_first_inf_is_marked_and_nothing_after_it(self):
        w = torch.tensor([1.0, 2, 0, 4, 5, 6, 7], requires_grad=True)
        y = torch.log(torch.relu(w))
        marked = draw(y, names={"y": y}).data.ops
        assert [op.trouble for op in marked] == ["", "first -inf: 1 of 7 values"]
        dead = draw(torch.relu(-w), grad=True)
        assert dead.data.ops[-1].trouble == "dead: every output is 0"
        assert "⚠ dead: every output is 0" in inner_text(parse(dead))

    def test_several_outputs(self):
        w = torch.randn(4, 6, requires_grad=True)
        a, b = w.split(3, dim=1)
        graph = draw(a * b)
        assert graph.data.ops[0].expression == "a, b = split(w)"
        assert "(4, 3), (4, 3)" in inner_text(parse(graph))

    def test_several_roots(self):
        x = scalar(2)
        a, b = x * 2, x * 3
        assert {t.name for t in draw(a, b).data.tensors if t.kind == "output"} == {"a", "b"}
        assert {t.name for t in make_dot((a, [b])).data.tensors if t.kind == "output"} == {"a", "b"}

    def test_settings_only_where_asked_for(self):
        w = torch.randn(4, 6, requires_grad=True)
        assert "dim=1" not in inner_text(parse(make_dot(w.sum(1))))
        assert "dim=1" in inner_text(parse(make_dot(w.sum(1), show_attrs=True)))
        assert "keeps" in inner_text(parse(make_dot(torch.tanh(w), show_saved=True)))

    def test_many_parameters_of_one_operation_are_abridged(self):
        params = {f"w{i}": torch.ones(2, requires_grad=True) for i in range(40)}
        graph = draw(torch.cat(list(params.values())).sum(), params=params)
        told = {g.get("data-node"): inner_text(g) for g in groups(parse(graph), "node")}
        assert told["cat parameters"].endswith("w11 (2,) … 28 more")

    def test_what_goes_into_a_layer_has_its_name(self):
        net = nn.Linear(3, 2)
        data = torch.ones(4, 3)
        graph = draw(net(data).sum(), params=net)
        assert {t.name for t in graph.data.tensors if t.kind == "input"} == {"data"}

    def test_a_network_among_the_names_serves_as_params(self):
        net = nn.Sequential(nn.Linear(3, 2))
        loss = net(torch.ones(4, 3)).sum()
        graph = draw(loss, names=locals())
        assert [m.description for m in graph.data.modules] == ["Linear(3, 2)"]
        assert graph.data.title == "Sequential"

    def test_other_params_are_refused(self):
        net = nn.Linear(3, 2)
        with pytest.raises(TypeError, match=r"params must be a network, or its parameters by name"):
            draw(net(torch.ones(4, 3)).sum(), params=list(net.parameters()))

    def test_a_parameter_without_a_gradient_is_marked(self):
        net = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2))
        loss = net(torch.ones(4, 3)).sum()
        loss.backward()
        net[0].bias.grad = None
        told = inner_text(parse(draw(loss, params=net)))
        assert told.count("⚠ no grad") == 1
        assert "bias (2,) ⚠ no grad" in told

    def test_minus_infinity_on_purpose_is_no_trouble(self):
        scores = torch.randn(3, 3, requires_grad=True)
        masked = scores.masked_fill(torch.tril(torch.ones(3, 3)) == 0, float("-inf"))
        weights = torch.softmax(masked, 1)
        graph = draw(weights, names={"masked": masked})
        assert not any(op.trouble for op in graph.data.ops)
        broken = torch.log(weights) * 0
        graph = draw(broken, names={"masked": masked, "broken": broken})
        assert any("-inf" in op.trouble or "nan" in op.trouble for op in graph.data.ops)
