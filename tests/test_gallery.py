"""Every computation of the gallery, drawn in every style."""

from __future__ import annotations

from typing import Any

import pytest
from gallery import THEMES, Picture, page, pictures
from pictures import groups, parse

from autograd.visualize.draw import VIEWS

PICTURES = list(pictures())
SECTIONS = list(dict.fromkeys(picture.title for picture in PICTURES))


def test_there_are_twelve_computations() -> None:
    assert len(SECTIONS) == 12


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("picture", PICTURES, ids=lambda p: f"{p.title}, {p.number}")
def test_each_is_drawn(picture: Picture, view: str) -> None:
    """In each theme the same picture in other colors, with a text in every node."""
    seen = set()
    for theme in THEMES:
        graph = picture.draw(view=view, theme=theme)
        root = parse(graph)
        nodes = groups(root, "node")
        assert nodes
        for node in nodes:
            assert "".join(node.itertext()).strip()
        seen.add(tuple(sorted(node.get("data-node") or "" for node in nodes)))
        assert graph.text().count("\n") >= 1
    assert len(seen) == 1


@pytest.mark.parametrize("title", SECTIONS)
def test_each_can_be_stepped_through(title: str) -> None:
    picture = next(p for p in PICTURES if p.title == title)
    steps = picture.draw(max_nodes=60).steps()
    assert any(step.phase == "backward" for step in steps)
    assert steps.html().startswith("<!DOCTYPE html>")


def test_the_page(tmp_path: Any) -> None:
    index = page(tmp_path)
    names = {file.name for file in tmp_path.iterdir()} - {"index.html"}
    text = index.read_text("utf-8")
    assert names
    assert all(f'src="{name}"' in text for name in names)
