"""Pictures of the graph: what they show, read from their XML, and what happens when they cannot."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import autograd as torch
import nn
from autograd import visualize
from autograd.reading import figures, formula
from autograd.visualize import draw, labels, make_dot, render, style
from autograd.visualize.graph import effort

NBSP = "\N{NO-BREAK SPACE}"
HOSTILE = ['<b>&"\n\x00:', "\nleading", "x" * 10_000, "", "   ", "a:b", "\\N", "]]>", "\ud800", "<"]


def scalar(x):
    return torch.tensor(float(x), requires_grad=True)


def textbook():
    """(x + y) * z at x = -2, y = 5, z = -4."""
    x, y, z = scalar(-2), scalar(5), scalar(-4)
    q = x + y
    f = q * z
    return f, {"x": x, "y": y, "z": z, "q": q, "f": f}


def fan_out():
    """x x + x y at x = 3, y = 2."""
    x, y = scalar(3), scalar(2)
    f = x * x + x * y
    return f, x


def parse(graph):
    return ET.fromstring(graph.svg())


def groups(root, kind):
    return [g for g in root.iter() if tag(g) == "g" and g.get("class") == kind]


def tag(element):
    return element.tag.rpartition("}")[2]


def inner_text(element, css_class=None):
    words = [
        (t.text or "").replace(NBSP, " ").strip()
        for t in element.iter()
        if tag(t) == "text" and (css_class is None or t.get("class") == css_class)
    ]
    return " ".join(words)


def by_node(root, css_class):
    found = {g.get("data-node"): inner_text(g, css_class) for g in groups(root, "node")}
    return {name: text for name, text in found.items() if text}


class TestTheTenChecks:
    """What every picture must satisfy, looked up in its XML."""

    def test_1_it_is_self_contained(self):
        f, _ = textbook()
        svg = draw(f, grad=True).svg()
        assert "<!DOCTYPE" not in svg
        for element in ET.fromstring(svg).iter():
            assert tag(element) not in ("script", "image", "foreignObject")
            for name, value in element.attrib.items():
                if name.rpartition("}")[2] in ("href", "src"):
                    assert value.startswith("#")

    def test_2_ids_are_unique_and_its_own(self):
        def ids(graph):
            return [e.get("id") for e in parse(graph).iter() if e.get("id")]

        first, second = ids(draw(textbook()[0])), ids(draw(fan_out()[0]))
        assert len(set(first)) == len(first)
        prefix = first[0]
        assert re.fullmatch(r"ag-[0-9a-f]{10}", prefix)
        assert all(name.startswith(prefix) for name in first)
        assert not set(first) & set(second)

    def test_3_it_introduces_itself(self):
        root = parse(draw(textbook()[0], grad=True))
        assert root.get("role") == "img"
        title, desc = root[0], root[1]
        assert (tag(title), tag(desc)) == ("title", "desc")
        assert title.text
        assert desc.text
        assert root.get("aria-labelledby") == f"{title.get('id')} {desc.get('id')}"
        assert "Forward: q = x + y; f = q · z." in desc.text
        assert "Backward: f has gradient 1.00" in desc.text

    def test_4_seven_nodes_each_with_a_title_and_a_text(self):
        nodes = groups(parse(draw(textbook()[0])), "node")
        assert {g.get("data-node") for g in nodes} == {"x", "y", "z", "q", "f", "add", "mul"}
        titles = [next(t.text for t in g if tag(t) == "title") for g in nodes]
        assert len(set(titles)) == 7
        assert all(titles)
        assert all(inner_text(g) for g in nodes)

    def test_5_values(self):
        assert by_node(parse(draw(textbook()[0])), "ag-val") == {
            "x": "-2.00",
            "y": "5.00",
            "z": "-4.00",
            "q": "3.00",
            "f": "-12.00",
        }

    def test_6_gradients_once_they_are_there(self):
        f, _ = textbook()
        before = draw(f)
        assert by_node(parse(before), "ag-grad") == {}
        assert before.note == "no gradients yet: call .backward(), or draw(..., grad=True)"
        assert before.note in inner_text(parse(before))
        f.backward()
        gradients = {"x": "-4.00", "y": "-4.00", "z": "3.00", "q": "-4.00", "f": "1.00"}
        assert by_node(parse(draw(f)), "ag-grad") == gradients
        assert draw(f).note == ""
        assert by_node(parse(draw(f, grad=False)), "ag-grad") == {}
        assert by_node(parse(draw(textbook()[0], grad=True)), "ag-grad") == gradients

    def test_7_value_above_the_line_gradient_below_and_left_to_right(self):
        root = parse(draw(textbook()[0], grad=True))
        middle = {}
        for group in groups(root, "node"):
            name = group.get("data-node")
            xs = [float(t.get("x")) for t in group.iter() if tag(t) == "text"]
            middle[name] = xs[0]
            if name in ("add", "mul"):
                continue
            at = {t.get("class"): float(t.get("y")) for t in group.iter() if tag(t) == "text"}
            line = max(
                float(point.split(",")[1])
                for shape in group
                if tag(shape) == "polygon"
                for point in shape.get("points").split()
            )
            assert at["ag-val"] < line < at["ag-grad"] - 5
        assert middle["add"] < middle["mul"]
        assert middle["x"] < middle["add"] < middle["q"] < middle["mul"] < middle["f"]
        for edge in groups(root, "edge"):
            paths = [p.get("d") for p in edge if tag(p) == "path"]
            numbers = [float(n) for d in paths for n in re.findall(r"-?[\d.]+(?=,)", d)]
            assert min(numbers) < max(numbers)

    def test_8_edges_and_shares(self):
        edges = Counter(g.get("data-edge") for g in groups(parse(draw(textbook()[0])), "edge"))
        assert edges == Counter(["x>add", "y>add", "add>q", "q>mul", "z>mul", "mul>f"])
        f, x = fan_out()
        graph = draw(f, grad=True)
        edges = groups(parse(graph), "edge")
        assert Counter(g.get("data-edge") for g in edges)["x>mul"] == 2
        shares = [inner_text(g, "ag-grad") for g in edges if g.get("data-edge").startswith("x>")]
        assert sorted(shares) == ["+2.00", "+3.00", "+3.00"]
        assert by_node(parse(graph), "ag-grad")["x"] == "Σ 8.00"
        assert x.grad is None

    @pytest.mark.parametrize("theme", ["light", "dark", "auto"])
    def test_9_colors_of_the_palette_and_no_small_print(self, theme):
        f, _ = fan_out()
        root = parse(draw(f, grad=True, theme=theme, title="A title"))
        palette = style.THEMES[theme]
        known = {getattr(palette, role.name) for role in fields(palette)}
        for text in (e for e in root.iter() if tag(e) == "text"):
            assert text.get("fill") in known
            assert float(text.get("font-size")) >= 10
        for element in root.iter():
            for scale in re.findall(r"scale\(([^)]*)\)", element.get("transform", "")):
                assert set(scale.split()) == {"1"}

    def test_10_the_same_bytes_on_every_run(self):
        program = (
            "import autograd as torch; from autograd.visualize import draw\n"
            "x = torch.tensor(2., requires_grad=True); y = torch.tensor(3., requires_grad=True)\n"
            "f = x * x + torch.tanh(x * y)\n"
            "print(draw(f, grad=True).svg()); print(draw(f, names={'y': y}).source)"
        )
        runs = {
            subprocess.run(
                [sys.executable, "-c", program],
                env={**os.environ, "PYTHONHASHSEED": seed},
                capture_output=True,
                check=True,
                cwd=Path(__file__).parent.parent,
            ).stdout
            for seed in ("1", "2")
        }
        assert len(runs) == 1

    @pytest.mark.parametrize("name", HOSTILE)
    def test_10_hostile_names_are_shown_as_text(self, name):
        x, y = scalar(1), scalar(2)
        graph = draw(x * y, params={name: x}, title=name)
        (leaf,) = [
            g for g in groups(parse(graph), "node") if g.get("data-node") not in ("y", "mul", "t1")
        ]
        expected = labels.clean(name) or "x"  # the program's own name, where this one is empty
        assert inner_text(leaf) == f"{expected} 1.00"
        assert len(expected) <= labels.LIMIT
        assert graph.text()


def contrast(a, b):
    def luminance(color):
        parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("palette", [style.LIGHT, style.DARK], ids=["light", "dark"])
def test_every_text_is_readable_on_its_ground(palette):
    body = [palette.ink, palette.faint, palette.value, palette.grad]
    grounds = {
        palette.ground: [*body, palette.local],
        palette.card: [*body, palette.local],
        palette.parameter: body,
        palette.input: body,
        palette.op: [palette.ink],
        palette.head: [palette.head_ink, palette.head_faint],
        palette.trouble: [palette.head_ink, palette.head_faint],
        palette.trouble_row: [palette.trouble_ink],
        palette.trouble_card: [palette.ink, palette.value, palette.grad],
    }
    for ground, inks in grounds.items():
        for ink in inks:
            assert contrast(ink, ground) >= 4.5, (ink, ground)


def test_the_palettes_translate_color_by_color():
    lights = [getattr(style.LIGHT, role.name) for role in fields(style.Palette)]
    assert len(set(lights)) == len(lights), "the dark CSS finds a role by its light color"


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


class TestOutputs:
    def test_write_by_suffix(self, tmp_path):
        graph = draw(textbook()[0], grad=True)
        starts = {
            "svg": b"<svg ",
            "png": b"\x89PNG",
            "pdf": b"%PDF",
            "dot": b"digraph {",
            "txt": b"f = q",
        }
        for suffix, start in starts.items():
            path = graph.write(tmp_path / f"f.{suffix}")
            assert path.read_bytes().startswith(start)
        assert graph.write(str(tmp_path / "F.SVG")).exists()

    @pytest.mark.parametrize("name", ["f.jpg", "f", "f.svg.bak"])
    def test_an_unknown_suffix_is_refused_before_anything_is_written(self, tmp_path, name):
        with pytest.raises(ValueError, match=r"must be one of \.svg, \.png, \.pdf, \.html, \.dot"):
            draw(textbook()[0]).write(tmp_path / name)
        assert not list(tmp_path.iterdir())

    @settings(max_examples=40, deadline=None)
    @given(st.text(max_size=80), st.text(max_size=80))
    @example("..", "")
    def test_no_name_breaks_a_label(self, name, title):
        x, w = scalar(1), torch.ones(9, requires_grad=True)
        for graph in (
            draw(x * x, params={name: x}, title=title),
            draw(w * w, params={f"{name}.{name}": w}, title=title),
        ):
            assert all(inner_text(g) for g in groups(parse(graph), "node"))
            assert graph.text()

    def test_a_png_that_graphviz_would_shrink_is_refused(self, monkeypatch):
        graph = draw(textbook()[0])
        monkeypatch.setattr("autograd.visualize.graph.PNG_LIMIT", 1000)
        with pytest.raises(
            ValueError, match=r"PNG would be 1,\d{3} px wide \(limit 1,000\)\. Save SVG"
        ):
            graph.png()

    def test_the_text_is_a_tree(self):
        f, _ = textbook()
        assert draw(f, grad=True).text() == (
            "f = q · z = -12.00  ∇ 1.00\n"
            "├─ q = x + y = 3.00  ∇ -4.00  ∂f/∂q = z = -4\n"
            "│  ├─ x = -2.00  ∇ -4.00  ∂q/∂x = 1\n"
            "│  └─ y = 5.00  ∇ -4.00  ∂q/∂y = 1\n"
            "└─ z = -4.00  ∇ 3.00  ∂f/∂z = q = 3\n"
        )
        assert draw(fan_out()[0]).text().count("↑ x") == 2

    def test_it_shows_itself_in_a_notebook(self):
        bundle = draw(textbook()[0])._repr_mimebundle_()
        assert set(bundle) == {"image/svg+xml", "text/plain"}
        assert bundle["image/svg+xml"].startswith("<svg ")
        assert "f = q · z" in bundle["text/plain"]

    def test_it_is_a_digraph_and_needs_no_dot(self, tmp_path, monkeypatch):
        graphviz = pytest.importorskip("graphviz")
        monkeypatch.setenv("PATH", str(tmp_path))
        graph = draw(textbook()[0])
        assert isinstance(graph, graphviz.Digraph)
        assert graph.pipe("svg", encoding="utf-8") == graph.svg()
        rendered = graph.render("picture", tmp_path, format="png", cleanup=True)
        assert Path(rendered) == tmp_path / "picture.png"
        assert [p.name for p in tmp_path.iterdir()] == ["picture.png"]
        twin = graph.copy()
        twin.node("more")
        assert "more" in twin.source
        assert "more" not in graph.source
        with pytest.raises(graphviz.ExecutableNotFound):
            graph.pipe("gif")

    def test_it_scales_to_its_column(self):
        root = parse(draw(textbook()[0]))
        assert root.get("style") == "max-width:100%;height:auto"
        assert float(root.get("width")) > float(root.get("height"))

    def test_a_picture_does_not_change_with_the_tensors(self):
        f, tensors = textbook()
        graph = draw(f)
        f.backward()
        with torch.no_grad():
            tensors["x"] += 100
        assert by_node(parse(graph), "ag-val")["x"] == "-2.00"
        assert by_node(parse(graph), "ag-grad") == {}

    def test_an_automatic_theme_carries_both(self):
        root = parse(draw(textbook()[0], theme="auto"))
        (css,) = [e.text for e in root.iter() if tag(e) == "style"]
        assert "prefers-color-scheme: dark" in css
        assert style.DARK.value in css


class TestRendering:
    def big(self, steps=200):
        x = scalar(1)
        for _ in range(steps):
            x = x * 1.01
        return draw(x, max_nodes=None, detail="value")

    def test_a_child_that_dies_does_not_take_us_along(self, monkeypatch):
        monkeypatch.setattr(render, "_CHILD", "import os; os.kill(os.getpid(), 11)")
        with pytest.raises(visualize.LayoutCrashed) as raised:
            self.big().svg()
        words = str(raised.value)
        assert words.startswith("Graphviz stopped with signal 11 while laying out 601 nodes.")
        assert "Your session is unaffected" in words

    def test_a_child_that_fails_says_why(self, monkeypatch):
        monkeypatch.setattr(render, "_CHILD", "raise SystemExit('no good')")
        with pytest.raises(visualize.LayoutCrashed, match="exit code 1: no good"):
            self.big().svg()

    def test_a_layout_is_given_up_in_time(self, monkeypatch):
        monkeypatch.setattr(render, "_CHILD", "import time; time.sleep(60)")
        x = scalar(1)
        for _ in range(200):
            x = x * 1.01
        graph = draw(x, max_nodes=None, detail="value", timeout=0.6)
        start = time.monotonic()
        with pytest.raises(visualize.LayoutTimeout, match=r"no layout within 0\.6 s \(601 nodes"):
            graph.svg()
        assert time.monotonic() - start < 5
        assert "0.6 s" in graph._repr_mimebundle_()["text/plain"]

    def test_a_huge_one_is_announced(self, monkeypatch):
        monkeypatch.setattr(render, "_CHILD", "raise SystemExit(1)")
        with (
            pytest.warns(UserWarning, match="layout may take a minute"),
            pytest.raises(visualize.LayoutCrashed),
        ):
            self.big(1000).svg()

    def test_c_libraries_keep_quiet(self, capfd):
        draw(textbook()[0]).svg()
        os.write(2, b"heard again")
        assert capfd.readouterr().err == "heard again"

    def test_large_graphs_go_to_a_child_and_come_back(self):
        root = parse(self.big(60))
        assert len(groups(root, "node")) == 181

    def test_without_any_renderer_it_says_what_to_install(self, monkeypatch, tmp_path):
        monkeypatch.setitem(sys.modules, "pygraphviz", None)
        monkeypatch.setenv("PATH", str(tmp_path))
        graph = draw(textbook()[0])
        with pytest.raises(visualize.RendererNotFound) as raised:
            graph.svg()
        words = (
            "nothing here can lay out graphs. pip install pygraphviz  (brings Graphviz with it on "
            "Linux, macOS and Windows), or install Graphviz and put dot on PATH. Without either: "
            '.text(), .source, .write("graph.dot").'
        )
        assert str(raised.value) == words
        bundle = graph._repr_mimebundle_()
        assert set(bundle) == {"text/plain"}
        assert bundle["text/plain"].startswith(words)
        assert "f = q · z" in bundle["text/plain"]
        assert graph._repr_svg_() is None
        assert graph.write(tmp_path / "f.dot").exists()
        assert graph.write(tmp_path / "f.txt").exists()

    def test_dot_on_the_path_serves_where_pygraphviz_is_missing(self, monkeypatch, tmp_path):
        fake = tmp_path / "dot"
        drawn = '<svg xmlns="http://www.w3.org/2000/svg" width="9pt" height="9pt"><g/></svg>'
        fake.write_text(
            f"#!{sys.executable}\n"
            "import sys\n"
            "assert sys.argv[1:] == ['-Tsvg'] and sys.stdin.buffer.read().startswith(b'digraph')\n"
            f"print({drawn!r})\n"
        )
        fake.chmod(0o755)
        monkeypatch.setitem(sys.modules, "pygraphviz", None)
        monkeypatch.setenv("PATH", str(tmp_path))
        assert parse(draw(textbook()[0])).get("width") == "12"

    def test_importing_the_library_loads_no_graphviz(self):
        program = (
            "import sys, autograd\n"
            "assert not {'graphviz', 'pygraphviz', 'autograd.visualize'} & set(sys.modules)\n"
            "autograd.visualize.draw\n"
            "assert 'pygraphviz' not in sys.modules"
        )
        root = Path(__file__).parent.parent
        subprocess.run([sys.executable, "-c", program], check=True, cwd=root)


class TestLargeGraphs:
    def test_what_is_nearest_the_output_is_shown(self):
        x = scalar(1)
        for _ in range(100):
            x = x * 1.01
        graph = draw(x, max_nodes=20, detail="value")
        assert len(graph.data.nodes) <= 20
        assert graph.note == (
            "301 nodes, no modules to collapse: showing the 19 nearest the output, 282 hidden "
            'behind "…". Use focus=tensor or max_nodes=None.'
        )
        cut = [t for t in graph.data.tensors if t.kind == "cut"]
        assert len(cut) == 1
        assert f"… {cut[0].label}" in inner_text(parse(graph))

    def test_a_deep_graph_is_no_trouble(self):
        x = scalar(1)
        for _ in range(10_000):
            x = x * 1.0001
        assert len(draw(x).data.ops) < 150
        assert draw(x).note.startswith("10,001 nodes: drawn as 4, repeats folded (× 9,999).")
        assert draw(x, fold=False).note.startswith(
            "10,001 nodes, no modules to collapse: showing the 150 nearest the output, 9,851 hidden"
        )
        everything = draw(x, max_nodes=None, grad=True)
        assert len(everything.data.ops) == 10_000
        assert everything.text().count("\n") > 10_000

    def test_a_long_recurrence_has_no_long_edges(self):
        """Its shared weights would have edges over all of its steps, which Graphviz dies of."""
        w, u = (torch.ones(3, 3, requires_grad=True) for _ in range(2))
        h = torch.zeros(1, 3)
        x = torch.ones(1, 3)
        for _ in range(60):
            h = h * w[0] + x * u[0]
        graph = draw(h, params={"w": w, "u": u}, max_nodes=None, detail="shape")
        assert effort(graph.data).long == 0
        assert len(groups(parse(graph), "node")) > 300


class TestErrors:
    def test_a_module_is_not_a_tensor(self):
        class Linear:
            def named_parameters(self):
                return []

        with pytest.raises(TypeError) as raised:
            make_dot(Linear())
        assert str(raised.value) == (
            "make_dot draws the graph behind a tensor, but got a Linear. Call it first: "
            "make_dot(model(x), params=dict(model.named_parameters()))."
        )

    @pytest.mark.parametrize("wrong", [3, None, np.ones(2), "x"])
    def test_neither_is_anything_else(self, wrong):
        with pytest.raises(TypeError, match="draws the graph behind a tensor, but got a"):
            draw(wrong)

    def test_what_has_no_graph(self):
        words = (
            "this tensor has no graph: nothing it was computed from requires grad "
            r"\(or it was made under no_grad / detach\)."
        )
        for tensor in (torch.tensor(1.0), scalar(1).detach(), torch.tensor(1.0) * 2):
            with pytest.raises(RuntimeError, match=words):
                draw(tensor)

    @pytest.mark.parametrize(
        ("option", "value"),
        [
            ("detail", "everything"),
            ("direction", "up"),
            ("theme", "pink"),
            ("max_nodes", 0),
            ("precision", -1),
            ("timeout", -1),
            ("grad", 3),
        ],
    )
    def test_unknown_options(self, option, value):
        with pytest.raises(ValueError, match=f"{option} must be"):
            draw(textbook()[0], **{option: value})

    def test_grad_after_the_graph_was_freed(self):
        w = torch.ones(3, requires_grad=True)
        loss = (w * w).sum()
        loss.backward()
        with pytest.raises(RuntimeError, match=r"backward\(retain_graph=True\)"):
            draw(loss, grad=True)

    def test_params_that_are_not_in_the_graph_are_told(self):
        x = scalar(1)
        graph = draw(x * x, params={"x": x, "bias": scalar(2), "no tensor": 3}, grad=True)
        assert graph.note == "params not in this graph: bias, no tensor"
