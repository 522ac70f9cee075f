"""What every picture must satisfy, in every style and theme, looked up in its XML."""

from __future__ import annotations

import functools
import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import fields
from pathlib import Path

import pytest
from pictures import (
    PICTURES,
    by_node,
    fan_out,
    groups,
    inner_text,
    parse,
    tag,
    text_sizes,
    textbook,
)

from autograd.visualize import draw, style
from autograd.visualize.model import OpNode

every_style = pytest.mark.parametrize("name", PICTURES)


@functools.cache
def shown(name):
    """The picture of this name, and its XML."""
    graph = PICTURES[name]()
    return graph, parse(graph)


every_theme = pytest.mark.parametrize("theme", style.THEMES)


@every_style
def test_1_it_is_self_contained(name):
    assert "<!DOCTYPE" not in PICTURES[name]().svg()
    for element in shown(name)[1].iter():
        assert tag(element) not in ("script", "image", "foreignObject", "a")
        for attribute, value in element.attrib.items():
            assert not attribute.startswith("on")
            if attribute.rpartition("}")[2] in ("href", "src"):
                assert value.startswith("#")


def test_2_ids_are_unique_and_its_own():
    pictures = [[e.get("id") for e in shown(name)[1].iter() if e.get("id")] for name in PICTURES]
    for ids in pictures:
        assert len(set(ids)) == len(ids)
        assert re.fullmatch(r"ag-[0-9a-f]{10}", ids[0])
        assert all(name.startswith(ids[0]) for name in ids)
    everything = [name for ids in pictures for name in ids]
    assert len(set(everything)) == len(everything)


@every_style
def test_3_it_introduces_itself(name):
    _, root = shown(name)
    assert root.get("role") == "img"
    title, desc = root[0], root[1]
    assert (tag(title), tag(desc)) == ("title", "desc")
    assert title.text
    assert desc.text.startswith("Forward: ")
    assert "Backward: " in desc.text
    assert root.get("aria-labelledby") == f"{title.get('id')} {desc.get('id')}"


def test_3_in_these_words():
    desc = parse(draw(textbook()[0], grad=True))[1]
    assert "Forward: q = x + y; f = q · z." in desc.text
    assert "Backward: f has gradient 1.00" in desc.text


def test_4_seven_nodes_of_the_first_picture():
    nodes = groups(parse(draw(textbook()[0])), "node")
    assert {g.get("data-node") for g in nodes} == {"x", "y", "z", "q", "f", "add", "mul"}


@every_style
def test_4_each_node_has_a_title_and_a_text(name):
    nodes = groups(shown(name)[1], "node")
    titles = [next(t.text for t in g if tag(t) == "title") for g in nodes]
    assert all(titles)
    assert len(set(titles)) == len(titles)
    assert all(inner_text(g) for g in nodes)
    assert all(g.get("data-node") for g in nodes)


def test_5_values():
    assert by_node(parse(draw(textbook()[0])), "ag-val") == {
        "x": "-2.00",
        "y": "5.00",
        "z": "-4.00",
        "q": "3.00",
        "f": "-12.00",
    }


def test_6_gradients_once_they_are_there():
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


def test_7_value_above_the_line_gradient_below_and_left_to_right():
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


def test_8_edges_and_shares():
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


@every_style
def test_8_every_edge_is_one_of_the_data(name):
    graph, root = shown(name)
    names = {node.id: node.name for node in graph.data.nodes}
    known = Counter(f"{names[e.source]}>{names[e.target]}" for e in graph.data.edges)
    drawn = Counter(g.get("data-edge") for g in groups(root, "edge"))
    assert drawn
    assert drawn <= known


@every_style
@every_theme
def test_9_colors_of_the_palette_and_no_small_print(name, theme):
    root = parse(PICTURES[name](theme=theme, title="A title"))
    palette = style.THEMES[theme]
    known = {getattr(palette, role.name) for role in fields(palette)}
    paints = {e.get(paint) for e in root.iter() for paint in ("fill", "stroke")}
    assert paints <= known | {None, "none", "transparent"}
    assert min(text_sizes(root)) >= 10
    for element in root.iter():
        for scale in re.findall(r"scale\(([^)]*)\)", element.get("transform", "")):
            assert set(scale.split()) == {"1"}


@every_style
def test_9_nothing_lies_outside(name):
    _, root = shown(name)
    left, top, width, height = map(float, root.get("viewBox").split())
    assert (left, top) == (0, 0)
    (graph,) = (g for g in root if tag(g) == "g")
    shift = [
        float(n) for n in re.findall(r"translate\(([-\d.]+) ([-\d.]+)\)", graph.get("transform"))[0]
    ]
    for text in (e for e in graph.iter() if tag(e) == "text"):
        assert 0 <= float(text.get("x")) + shift[0] <= width
        assert 0 <= float(text.get("y")) + shift[1] <= height


def test_10_the_same_bytes_on_every_run():
    program = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from pictures import PICTURES\n"
        "for picture in PICTURES.values(): print(picture().svg(), picture().source)"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": "."},
            capture_output=True,
            check=True,
            cwd=Path(__file__).parent.parent,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1


@every_style
def test_the_text_tells_every_operation(name):
    graph, _ = shown(name)
    words = graph.text()
    assert words.strip()
    for node in graph.data.nodes:
        if isinstance(node, OpNode):
            assert node.expression.partition(" = ")[2][:100] in words
