"""Rendering that cannot hurt: children that die, layouts that never end, no renderer at all."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pictures import groups, parse, scalar, textbook

from autograd import visualize
from autograd.visualize import draw, render


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

    def test_a_renderer_can_be_forced(self, monkeypatch, tmp_path):
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(visualize.RendererNotFound):
            draw(textbook()[0], renderer="dot").svg()
        monkeypatch.setenv("GRADBOOK_RENDERER", "dot")
        with pytest.raises(visualize.RendererNotFound):
            draw(textbook()[0]).svg()
        assert draw(textbook()[0], renderer="pygraphviz").svg()
        monkeypatch.setenv("GRADBOOK_RENDERER", "crayon")
        with pytest.raises(ValueError, match="GRADBOOK_RENDERER must be pygraphviz or dot"):
            draw(textbook()[0]).svg()

    def test_without_fonts_it_warns_where_letters_would_be_boxes(self, monkeypatch, tmp_path):
        monkeypatch.setattr(render, "FONT_FOLDERS", (str(tmp_path),))
        monkeypatch.setattr(sys, "platform", "linux")
        graph = draw(textbook()[0])
        with pytest.warns(UserWarning, match="No fonts found: PNG and PDF would show empty boxes"):
            graph.png()
        with pytest.warns(UserWarning, match="apt install fonts-dejavu-core"):
            graph.pdf()
        graph.svg()
        (tmp_path / "deep").mkdir()
        (tmp_path / "deep" / "any.ttf").touch()
        graph.png()

    def test_a_notebook_shows_text_where_nothing_can_be_drawn(self, monkeypatch):
        monkeypatch.setattr(render, "_CHILD", "import os; os.kill(os.getpid(), 9)")
        graph = self.big()
        bundle = graph._repr_mimebundle_()
        assert set(bundle) == {"text/plain"}
        assert bundle["text/plain"].startswith("Graphviz stopped with signal 9")
        assert "x_200" in bundle["text/plain"]
        assert graph._repr_svg_() is None
