"""Names from the user: whatever they are, they appear as text, break nothing and inject nothing."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pictures import groups, inner_text, parse, scalar, tag

import autograd as torch
from autograd.visualize import draw, labels

HOSTILE = [
    '<b>&"\n\x00:',
    "\nleading",
    "x" * 10_000,
    "",
    "   ",
    "a:b",
    "\\N",
    "\\",
    "]]>",
    "\ud800",
    "<",
    "</text><script>alert(1)</script>",
    "--><!--",
    "&lt;&#0;&#x1F600;",
    "%s {0} $HOME `id`",
    "C:\\new\\table",
    "🎈👩‍👩‍👧‍👦🇸🇪",
    "שלום עולם",
    "\u202eabc\u202c",
    "a\u0301\u0301\u0301",
    "\u2028\u2029\x85\x7f",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_shown_as_text(name):
    x, y = scalar(1), scalar(2)
    graph = draw(x * y, params={name: x}, title=name)
    (leaf,) = [
        g for g in groups(parse(graph), "node") if g.get("data-node") not in ("y", "mul", "t1")
    ]
    expected = labels.clean(name) or "x"  # the program's own name, where this one is empty
    assert inner_text(leaf) == f"{expected} 1.00"
    assert len(expected) <= labels.LIMIT
    assert graph.text()


def kinds(name):
    """Pictures of every style with `name` wherever a name can stand."""
    x, w = scalar(1), torch.ones(9, requires_grad=True)
    path = f"{name}.{name}"
    yield draw(x * x, params={name: x}, title=name)
    yield draw(x * x, params={name: x}, title=name, view="backward", grad=True)
    yield draw((w * w).sum(), params={path: w}, title=name, detail="saved", grad=True)
    yield draw((w * w).sum(), params={path: w}, title=name, view="flow")
    yield draw((w * w).sum(), params={path: w}, title=name, view="backward")
    if labels.clean(name) and not set(name) & {".", "*"}:
        yield draw((w * w).sum(), params={path: w}, depth=1)


@pytest.mark.parametrize("name", HOSTILE)
def test_no_style_is_broken_by_one(name):
    for graph in kinds(name):
        root = parse(graph)
        assert all(inner_text(g) for g in groups(root, "node"))
        assert not {tag(e) for e in root.iter()} & {"script", "image", "a", "foreignObject"}
        assert graph.text()


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=80))
@example("..")
@example("*0")
def test_no_text_breaks_a_label(name):
    for graph in kinds(name):
        assert all(inner_text(g) for g in groups(parse(graph), "node"))


def test_no_name_adds_markup_to_the_text_of_the_page():
    """What a browser makes of it has as many elements as with a harmless name."""

    def count(name):
        x = scalar(1)
        graph = draw(x * x, names={name: x}, title=name)
        return len(list(ET.fromstring(graph.svg()).iter()))

    assert count("<svg onload=alert(1)>") == count("harmless")
