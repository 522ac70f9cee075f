"""What a picture gives: files, notebooks, text; and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pictures import by_node, fan_out, parse, scalar, tag, textbook

import autograd as torch
from autograd.visualize import draw, make_dot, style


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

    def test_it_is_a_tree_on_a_terminal(self):
        graph = draw(textbook()[0], grad=True)
        assert repr(graph) + "\n" == graph.text()
        x = scalar(1)
        for _ in range(500):
            x = x * 2
        shown = repr(draw(x, max_nodes=None)).splitlines()
        assert len(shown) == 101
        assert shown[-1].endswith("more lines")

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
