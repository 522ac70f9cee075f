"""The stepper: its story, and the page, the moving picture and the strip that are made of it."""

from __future__ import annotations

import os
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from browser import CHROMIUM, Page

import autograd as torch
import nn
from autograd.visualize import Graph, RendererNotFound, draw, render
from autograd.visualize.steps import tell


def leaves(*numbers: float) -> list[Any]:
    return [torch.tensor(float(n), requires_grad=True) for n in numbers]


def product() -> Graph:
    x, y, z = leaves(-2, 5, -4)
    q = x + y
    f = q * z
    f.backward()
    return draw(f, names={"x": x, "y": y, "z": z, "q": q, "f": f})


def fan_out() -> Graph:
    x, y = leaves(3, 2)
    f = x * x + x * y
    f.backward()
    return draw(f, names={"x": x, "y": y, "f": f})


def network() -> Graph:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    loss = nn.functional.cross_entropy(model(torch.randn(5, 4)), torch.tensor([0, 1, 0, 1, 0]))
    return draw(loss, params=dict(model.named_parameters()), names={"loss": loss}, grad=True)


# The story ----------------------------------------------------------------------------------------


def test_the_steps_of_the_first_picture() -> None:
    assert [(step.title, *step.lines) for step in product().steps()] == [
        (
            "Start",
            "Given: x = -2, y = 5, z = -4",
            "Values run forward, above the wires; gradients run backward, below them.",
        ),
        ("Forward 1 of 2: +", "q = x + y = -2 + 5 = 3"),
        ("Forward 2 of 2: ×", "f = q · z = 3 · (-4) = -12"),
        ("Backward 1 of 3: the end", "∂f/∂f = 1"),
        (
            "Backward 2 of 3: ×",
            "∂f/∂q = ∂f/∂f · z = 1 · (-4) = -4",
            "∂f/∂z = ∂f/∂f · q = 1 · 3 = 3",
        ),
        (
            "Backward 3 of 3: +",
            "∂f/∂x = ∂f/∂q · ∂q/∂x = -4 · 1 = -4",
            "∂f/∂y = ∂f/∂q · ∂q/∂y = -4 · 1 = -4",
        ),
    ]


def test_a_fan_out_waits_and_then_adds() -> None:
    graph = fan_out()
    story = tell(graph.data)
    x = graph.data.node("x")
    assert story.waiting == {x.id: [(6, 1, 3)]}
    assert story.gradients[x.id] == 7
    assert "x waits: 1 of 3 gradients are here" in story.steps[6].lines
    assert story.steps[7].lines[-1] == "∂f/∂x = 2 + 3 + 3 = 8"


def test_numbers_appear_when_they_are_computed() -> None:
    graph = product()
    story = tell(graph.data)
    appear = {t.name: (story.values[t.id], story.gradients[t.id]) for t in graph.data.tensors}
    assert appear == {"x": (0, 5), "y": (0, 5), "z": (0, 4), "q": (1, 4), "f": (2, 3)}


def test_arrays_are_told_by_shapes_and_norms() -> None:
    told = network().steps().text()
    assert re.search(r"Forward 2 of 4: relu\n    t\d = relu\(t\d\)   \(5, 3\)   μ", told)
    assert re.search(r"∇2\.weight   ‖∇‖ \d\.\d\d", told)


def test_without_gradients_the_story_ends_forward() -> None:
    x, y = leaves(1, 2)
    steps = draw(x * y, names={"x": x, "y": y}).steps()
    assert [step.phase for step in steps] == ["start", "forward"]


def test_two_hundred_steps_are_enough() -> None:
    (x,) = leaves(0.5)
    y = x
    for _ in range(150):
        y = y * 0.9
    y.backward()
    with pytest.raises(ValueError, match=r"at most 200 steps; this graph has 302\. Pick a part"):
        draw(y, detail="formula", max_nodes=None).steps()


# What is made of it -------------------------------------------------------------------------------


class Elements(HTMLParser):
    """Every element of a page, with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize("make", [product, fan_out, network])
def test_the_page_needs_nothing_else(make: Any) -> None:
    page = make().html()
    found = Elements(page).found
    for tag, attributes in found:
        assert tag not in ("link", "img", "iframe", "object")
        assert "src" not in attributes
        assert (attributes.get("href") or "#").startswith("#")
    assert "url(" not in page
    assert "@import" not in page
    ids = [attributes["id"] for _, attributes in found if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert sum(tag == "script" for tag, _ in found) == 1


def test_names_of_the_user_stay_text() -> None:
    x, y = leaves(1, 2)
    evil = "</script><b onclick='x'>&\"\n\0"
    f = x * y
    f.backward()
    page = draw(f, names={evil: x, "y": y}, title="<i>$title</i>").html()
    tags = {tag for tag, _ in Elements(page).found}
    assert not tags & {"b", "i"}
    assert "&lt;/script&gt;" in page
    assert "$title" in page


def test_without_a_renderer_the_page_has_the_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = product()

    def none(*_: Any, **__: Any) -> bytes:
        raise RendererNotFound

    monkeypatch.setattr(render, "render", none)
    page = graph.html()
    assert "<pre>f = q · z" in page
    assert "∂f/∂q = ∂f/∂f · z" in page


def test_in_a_notebook_it_is_a_frame_apart() -> None:
    bundle = product().steps()._repr_mimebundle_()
    assert set(bundle) == {"text/html", "image/svg+xml", "text/plain"}
    ((tag, attributes),) = Elements(bundle["text/html"]).found
    assert tag == "iframe"
    assert attributes["sandbox"] == "allow-scripts"
    assert "<!DOCTYPE html>" in (attributes["srcdoc"] or "")
    assert "Backward 3 of 3" in bundle["text/plain"]


def test_the_moving_picture() -> None:
    text = fan_out().steps().svg()
    root = ET.fromstring(text)
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert not tags & {"script", "image"}
    spans = set(re.findall(r"@keyframes (\S+?)\{", text))
    shown = {name for e in root.iter() for name in (e.get("class") or "").split()}
    assert spans
    assert spans <= shown
    assert "prefers-reduced-motion" in text
    at_rest = set(
        re.findall(r"\.([\w-]+)(?=[^{}]*\{visibility:hidden\})", text.partition("@media")[0])
    )
    texts = [element for element in root if element.tag.endswith("text")]
    seen = [t for t in texts if not set((t.get("class") or "").split()) & at_rest]
    assert len([t for t in seen if "Backward" in (t.text or "")]) == 1, "the last step alone"
    assert not [t for t in seen if "Forward" in (t.text or "")]
    words = ["".join(element.itertext()) for element in root if element.tag.endswith("text")]
    assert "∂f/∂x = 2 + 3 + 3 = 8" in words


@pytest.mark.parametrize("make", [product, network])
def test_every_format(make: Any, tmp_path: Path) -> None:
    steps = make().steps()
    starts = {".html": b"<!DOCTYPE html>", ".svg": b"<svg", ".pdf": b"%PDF", ".txt": b"Start"}
    for suffix, start in starts.items():
        assert steps.write(tmp_path / f"steps{suffix}").read_bytes().startswith(start)
    with pytest.raises(ValueError, match=r"suffix must be one of \.html"):
        steps.write(tmp_path / "steps.gif")


# In a browser -------------------------------------------------------------------------------------


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_by_keyboard_in_a_browser(tmp_path: Path) -> None:
    """Forward with the arrow, back again, to both ends; what is to come is hidden; links work."""
    graph = fan_out()
    file = graph.steps().write(tmp_path / "stepper.html")
    story = tell(graph.data)
    last = len(story.steps) - 1
    shown = (
        "[...document.querySelectorAll('svg [data-from]')]"
        ".filter(e => getComputedStyle(e).visibility === 'visible').map(e => e.textContent)"
    )
    with Page(tmp_path / "profile") as page:
        page.open(file.as_uri())
        for k, step in enumerate(story.steps):
            assert page.evaluate(
                "document.querySelector('[aria-current=step] th').textContent"
            ) == (step.title)
            assert page.evaluate("says.querySelectorAll('p').length") == len(step.lines)
            assert page.evaluate("location.hash") == f"#step={k}"
            assert ("Σ 8.00" in page.evaluate(shown)) == (k == last)
            assert ("1 of 3" in page.evaluate(shown)) == (k == 6)
            page.press("ArrowRight")
        assert page.evaluate("count.textContent") == f"{last} / {last}"
        page.press("ArrowLeft")
        assert page.evaluate("count.textContent") == f"{last - 1} / {last}"
        page.press("Home")
        assert page.evaluate(shown) == []
        assert page.evaluate("document.getElementById('back').disabled") is True
        page.press("End")
        page.evaluate("location.hash = '#step=3'")
        assert page.evaluate("new Promise(r => setTimeout(r, 50)) && slider.value") in ("3", "7")
        page.evaluate("document.getElementById('next').click()")
        assert page.evaluate("says.getAttribute('aria-live')") == "polite"
        heights = "[...document.querySelectorAll('button')].map(b => b.offsetHeight)"
        assert min(page.evaluate(heights)) >= 36
        assert len(page.happened("Network.requestWillBeSent")) == 1
        assert not page.happened("Runtime.exceptionThrown")
        assert not page.happened("Log.entryAdded")
    assert os.path.exists(file)


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_a_high_picture_goes_to_where_something_happens(tmp_path: Path) -> None:
    file = network().steps().write(tmp_path / "stepper.html")
    seen = (
        "[...document.querySelectorAll('.ag-now')].every(e => "
        "e.getBoundingClientRect().top >= 0 && "
        "e.getBoundingClientRect().bottom <= panel.getBoundingClientRect().top)"
    )
    with Page(tmp_path / "profile") as page:
        window = {"width": 800, "height": 560, "deviceScaleFactor": 1, "mobile": False}
        page.ask("Emulation.setDeviceMetricsOverride", **window)
        page.open(file.as_uri())
        assert page.evaluate("document.getElementById('picture').offsetHeight") > 500
        for _ in range(len(network().steps()) - 1):
            page.press("ArrowRight")
            assert page.evaluate(seen), page.evaluate("count.textContent")
