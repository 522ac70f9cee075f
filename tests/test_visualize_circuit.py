"""Circuits: graphs of single numbers."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from pictures import by_node, fan_out, groups, inner_text, parse, scalar, tag, textbook

import autograd as torch
from autograd.reading import figures, formula
from autograd.visualize import draw


class TestCircuits:
    def test_names_come_from_the_program(self):
        f, _ = textbook()
        assert [t.name for t in draw(f).data.tensors] == ["x", "y", "q", "z", "f"]
        a = scalar(2)
        graph = draw(torch.tanh(a) + 1)
        assert [t.name for t in graph.data.tensors] == ["a", "t1", "1", "t2"]
        assert [t.named for t in graph.data.tensors] == [True, False, True, False]

    def test_given_names_come_first(self):
        f, tensors = textbook()
        graph = draw(f, names={"hidden": tensors["q"], "other": 3}, params={"w": tensors["x"]})
        assert {t.name for t in graph.data.tensors} == {"w", "y", "z", "hidden", "f"}
        tensors["z"].name = "my z"
        assert "my z" in {t.name for t in draw(f).data.tensors}

    def test_two_things_of_one_name_are_told_apart(self):
        h = scalar(2)
        for _ in range(2):
            h = h * h
        assert [t.name for t in draw(h).data.tensors] == ["h", "h_2", "h_3"]

    def test_local_derivatives_with_their_formulas(self):
        x, y = scalar(3), scalar(2)
        f = x * y - y / x
        edges = {(e.partial, e.formula, round(e.local, 3)) for e in draw(f).data.edges if e.partial}
        assert ("∂t1/∂x", "y", 2.0) in edges
        assert ("∂t2/∂y", "1/x", 0.333) in edges
        assert ("∂f/∂t2", "-1", -1.0) in edges

    def test_they_are_still_there_after_backward_has_freed_the_graph(self):
        f, _ = textbook()
        before = [(e.local, e.formula) for e in draw(f).data.edges]
        f.backward()
        assert [(e.local, e.formula) for e in draw(f).data.edges] == before

    def test_a_gradient_that_is_not_there_is_not_zero(self):
        x, y = scalar(2), scalar(3)
        f = x * 0 + y
        graph = draw(f, grad=True)
        assert by_node(parse(graph), "ag-grad")["x"] == "0.00"
        w = torch.ones(9, requires_grad=True)
        cards = draw((w * x).sum(), names={"w": w, "x": x}, detail="grad")
        assert "no grad" not in inner_text(parse(cards)).replace("no gradients yet", "")
        x.grad = torch.tensor(1.0)
        cards = draw((w * x).sum(), names={"w": w, "x": x}, detail="grad")
        assert inner_text(parse(cards)).count("no grad") == 1

    def test_numbers_are_shown_as_they_are(self):
        x = scalar(2)
        f = 3 * x + 3
        constants = [t for t in draw(f, detail="op").data.tensors if t.kind == "constant"]
        assert [t.label for t in constants] == ["3", "3"]
        assert by_node(parse(draw(f, detail="op")), "ag-val") == {"3": "3", "3_2": "3"}

    def test_a_leaf_used_often_is_drawn_near_each_use(self):
        w = scalar(2)
        s = w * 1
        for i in range(2, 8):
            s = s + w * i
        graph = draw(s, grad=True)
        uses = [t for t in graph.data.tensors if t.label == "w"]
        assert len(uses) == 7
        assert uses[0].uses == 7
        assert all(t.copy_of == uses[0].id for t in uses[1:])
        assert sum(e.share for e in graph.data.edges if e.share) == 28
        assert "↻ w" in inner_text(parse(graph))

    def test_gradients_of_another_backward_are_not_mixed_in(self):
        x = scalar(3)
        q = x * 2
        (q * 5).backward(retain_graph=True)
        h = q * q
        graph = draw(h)
        assert by_node(parse(graph), "ag-grad") == {"x": "10.00"}
        assert graph.note.startswith("the gradients are not those of this graph alone")
        assert by_node(parse(draw(h, grad=True)), "ag-grad")["x"] == "24.00"

    def test_gradients_for_the_picture_leave_no_trace(self):
        f, tensors = textbook()
        called = []
        tensors["q"].retain_grad()
        tensors["q"].register_hook(called.append)
        tensors["x"].register_hook(called.append)
        draw(f, grad=True)
        assert not called
        assert all(t._grad is None for t in tensors.values())
        f.backward()
        assert len(called) == 2

    def test_detail_levels_each_add_to_the_one_before(self):
        f, _ = fan_out()
        seen = []
        for detail in ("op", "value", "grad", "formula", "saved"):
            root = parse(draw(f, grad=True, detail=detail))
            seen.append({t.get("class") for t in root.iter() if tag(t) == "text"})
        assert seen[0] == {"ag-ink", None}
        assert [added - before for before, added in itertools.pairwise(seen)] == [
            {"ag-val"},
            {"ag-grad"},
            {"ag-local"},
            set(),
        ]
        assert "keeps" in inner_text(parse(draw(f, detail="saved")))

    def test_top_down(self):
        root = parse(draw(textbook()[0], grad=True, direction="TB"))
        at = {
            g.get("data-node"): float(next(t for t in g.iter() if tag(t) == "text").get("y"))
            for g in groups(root, "node")
        }
        assert at["x"] < at["add"] < at["q"] < at["mul"] < at["f"]
        assert "∂f/∂q = z = -4" in inner_text(root)

    def test_a_leaf_alone_is_a_picture_too(self):
        x = scalar(2)
        graph = draw(x, names={"x": x})
        assert [n.name for n in graph.data.nodes] == ["x"]
        assert by_node(parse(graph), "ag-val") == {"x": "2.00"}

    def test_a_function_of_the_users(self):
        class Cube(torch.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x * x * x

            @staticmethod
            def backward(ctx, dy):
                (x,) = ctx.saved_tensors
                return dy * 3 * x * x

        x = scalar(2)
        graph = draw(Cube.apply(x), grad=True)
        assert graph.data.ops[0].op == "Cube"
        assert graph.data.edges[0].local == 12
        assert graph.data.node("x").grad.items == 12


class TestFigures:
    @pytest.mark.parametrize(
        ("x", "text"),
        [
            (0.0, "0.00"),
            (-0.0, "0.00"),
            (-4.0, "-4.00"),
            (1234.5, "1\N{THIN SPACE}234.50"),
            (0.001, "1.00e-03"),
            (-123456.0, "-1.23e+05"),
            (float("nan"), "nan"),
            (float("-inf"), "-inf"),
            (7, "7"),
            (True, "True"),
        ],
    )
    def test_number(self, x, text):
        assert figures.number(x) == text

    def test_short_drops_the_zeros_at_the_end(self):
        assert [figures.short(x) for x in (-4.0, 0.5, 1 / 3, 100, 0.0)] == [
            "-4",
            "0.5",
            "0.33",
            "100",
            "0",
        ]

    def test_size(self):
        assert [figures.size(n) for n in (0, 656, 2048, 3 * 2**20)] == [
            "0 B",
            "656 B",
            "2.0 KiB",
            "3.0 MiB",
        ]


class TestFormulas:
    def test_the_derivative_is_the_rule_for_dy_1(self):
        rules = {
            "z": lambda dy, b: dy * b,
            "1 - h²": lambda dy, y: dy * (1 - y * y),
            "-d/z": lambda dy, b, y: -dy * y / b,
            "2·z": lambda dy, b: dy * (b + b),
            "cos(z)": lambda dy, b: dy * cos(b),  # noqa: F821
            "1/(2·z)": lambda dy, b: dy / (2 * b),
            "3·z²": lambda dy, b, c: dy * c * b ** (c - 1),
            "3·z^d": lambda dy, b, c, y: dy * c * pow(b, y),
            "-0.5·z³": lambda dy, b: -0.5 * dy * b * b * b,
        }
        given = {"b": "z", "y": "h", "c": 3}
        for expected, rule in rules.items():
            names = {**given, "y": "d"} if "d" in expected else given
            assert formula.local_derivative(rule, names) == expected

    def test_what_is_more_than_arithmetic_has_none(self):
        assert formula.local_derivative(lambda dy, x: dy * (x > 0), {"x": "x"}) == ""
        assert formula.local_derivative(lambda dy, x: dy * np.cos(x), {"x": "x"}) == ""
        assert formula.local_derivative(textbook, {}) == ""
