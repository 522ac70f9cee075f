"""Forward alone, backward alone, the flow of gradients, and the graph of a gradient."""

from __future__ import annotations

import pytest
from pictures import (
    by_node,
    fan_out,
    groups,
    inner_text,
    parse,
    scalar,
    second_order,
    tag,
    textbook,
    tower,
    vanishing,
)

import autograd as torch
import nn
from autograd.visualize import draw, flow, style


class TestForward:
    def test_it_tells_values_and_no_gradients(self):
        f, _ = textbook()
        f.backward()
        root = parse(draw(f, view="forward"))
        assert by_node(root, "ag-val")["f"] == "-12.00"
        assert by_node(root, "ag-grad") == {}
        assert inner_text(root, "ag-local") == ""

    def test_it_does_not_miss_what_it_does_not_show(self):
        assert draw(textbook()[0], view="forward").note == ""


class TestBackward:
    def test_nodes_are_called_as_in_pytorch(self):
        f, _ = textbook()
        told = {
            g.get("data-node"): inner_text(g)
            for g in groups(parse(draw(f, grad=True, view="backward")), "node")
        }
        assert told["mul"] == "MulBackward f = q · z da = dy * b db = dy * a"
        assert told["add"].startswith("AddBackward q = x + y")
        assert told["x"] == "AccumulateGrad x.grad ()"
        assert told["f"] == "f ()"
        assert "q" not in told, "what lies between two operations is an arrow"

    def test_the_names_are_those_of_the_graph(self):
        f, _ = textbook()
        names = {op.op: op.node for op in draw(f).data.ops}
        assert names == {"mul": f.grad_fn.name(), "add": f.grad_fn.next_functions[0][0].name()}

    def test_gradients_run_along_the_arrows_from_the_output_to_the_leaves(self):
        f, _ = fan_out()
        root = parse(draw(f, grad=True, view="backward"))
        (x,) = [g for g in groups(root, "node") if g.get("data-node") == "x"]
        assert inner_text(x) == "AccumulateGrad x.grad () Σ ∇ 8.00"
        on_edges = sorted(inner_text(g) for g in groups(root, "edge"))
        assert on_edges == ["+2.00", "+3.00", "+3.00", *["∇ 1.00"] * 3, "∇ 3.00"]
        at = {
            g.get("data-node"): float(next(t for t in g.iter() if tag(t) == "text").get("y"))
            for g in groups(root, "node")
        }
        assert at["f"] < at["add"] < at["mul"] < at["x"]

    def test_what_needs_no_gradient_is_not_there(self):
        w, x = torch.ones(3, requires_grad=True), torch.ones(3)
        graph = draw((w * x).sum(), names={"w": w, "x": x}, view="backward")
        drawn = {g.get("data-node") for g in groups(parse(graph), "node")}
        assert "w" in drawn
        assert "x" not in drawn

    def test_norms_of_arrays(self):
        loss, net = tower(blocks=1)
        root = parse(draw(loss, params=net, grad=True, view="backward"))
        loss.backward()
        (edge,) = [g for g in groups(root, "edge") if g.get("data-edge", "").startswith("1.bias>")]
        assert inner_text(edge) == f"‖∇‖ {float(net[1].bias.grad.norm()):.2f}"


class TestFlow:
    def test_bands_by_order_of_magnitude(self):
        norms = [1e-9, 1e-5, 0.5, 100.0, 1e7]
        assert [flow.band(norm) for norm in norms] == list(flow.BANDS)
        assert flow.band(float("inf")) is flow.band(float("nan")) is flow.BANDS[-1]

    def test_vanishing_gradients_are_seen_in_the_edges(self):
        loss, net = vanishing()
        graph = draw(loss, params=net, view="flow")
        flows = [e.flow for e in graph.data.edges if e.target == "n1" or e.operand == "weight"]
        assert flows == sorted(flows)
        colors = {
            shape.get("stroke")
            for g in groups(parse(graph), "edge")
            for shape in g
            if tag(shape) == "path"
        }
        assert {style.LIGHT.flow_lost, style.LIGHT.flow_small, style.LIGHT.flow_usual} <= colors

    def test_it_works_the_gradients_out_and_leaves_no_trace(self):
        loss, net = vanishing()
        draw(loss, params=net, view="flow").svg()
        assert all(p.grad is None for p in net.parameters())

    def test_the_picture_says_what_colors_mean_and_how_far_it_goes(self):
        loss, net = vanishing()
        words = inner_text(parse(draw(loss, params=net, view="flow")))
        for band in flow.BANDS:
            assert band.words in words
        assert "of the parameters: smallest ‖∇‖" in words
        assert "(0.bias)" in words

    def test_at_a_fan_out_each_branch_has_its_own(self):
        shares = [e.flow for e in draw(fan_out()[0], view="flow").data.edges if e.share]
        assert sorted(shares) == [2.0, 3.0, 3.0]

    def test_contributions_of_arrays_at_a_fan_out(self):
        w = torch.ones(8, requires_grad=True)
        h = w * 2
        graph = draw((h * 3).sum() + (h * 100).sum(), view="flow", names={"h": h})
        (h_id,) = [t.id for t in graph.data.tensors if t.name == "h"]
        flows = [e.flow for e in graph.data.edges if e.source == h_id]
        assert flows == pytest.approx([3 * 8**0.5, 100 * 8**0.5])

    def test_after_backward_it_shows_what_is_left(self):
        loss, net = vanishing()
        loss.backward()
        graph = draw(loss, params=net, view="flow")
        assert graph.note.startswith("backward() has freed")
        assert any(e.flow is not None for e in graph.data.edges)

    def test_no_gradient_at_all_is_a_dotted_line(self):
        x = scalar(2)
        graph = draw(x * 0, view="flow")
        assert 'style="dotted"' in graph.source


class TestSecondOrder:
    def test_what_backward_recorded_is_told_apart(self):
        graph = draw(second_order(), grad=True)
        orders = [op.of_backward for op in graph.data.ops]
        assert not orders[0]
        assert all(orders[1:])
        words = inner_text(parse(graph))
        assert "recorded forward" in words
        assert "recorded by backward, create_graph=True" in words

    def test_not_by_color_alone(self):
        """What backward recorded is a double circle."""
        graph = draw(second_order(), grad=True)
        second = {op.name for op in graph.data.ops if op.of_backward}
        for group in groups(parse(graph), "node"):
            circles = sum(tag(shape) == "ellipse" for shape in group)
            if group.get("data-node") in {op.name for op in graph.data.ops}:
                assert circles == (2 if group.get("data-node") in second else 1)

    def test_the_numbers_are_right(self):
        graph = draw(second_order(), grad=True)
        (x,) = [t for t in graph.data.tensors if t.name == "x"]
        assert x.grad.items == pytest.approx(12.0)  # 6 x

    def test_an_ordinary_graph_has_one_order(self):
        f, _ = textbook()
        graph = draw(f, grad=True)
        assert not any(op.of_backward for op in graph.data.ops)
        assert "recorded" not in inner_text(parse(graph))

    def test_a_gradient_penalty(self):
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
        x = torch.randn(5, 3, requires_grad=True)
        (dx,) = torch.autograd.grad(net(x).sum(), x, create_graph=True)
        penalty = (dx.norm(dim=1) - 1).square().mean()
        graph = draw(penalty, params=net, grad=True)
        order = {op.op: op.of_backward for op in graph.data.ops}
        assert not order["mean"]
        assert not order["tanh"]
        assert any(order.values())

    def test_what_a_gradient_is_called(self):
        x = scalar(2)
        (slope,) = torch.autograd.grad(x * x * x, x, create_graph=True)
        graph = draw(slope)
        assert [t.name for t in graph.data.tensors if t.kind == "output"] == ["slope"]
        assert "slope_2" not in {t.name for t in graph.data.tensors}
