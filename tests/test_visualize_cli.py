"""`python -m autograd.visualize`, and the files that both command lines write."""

from __future__ import annotations

import os
import subprocess
import sys
import webbrowser
from pathlib import Path

import pytest

from autograd.__main__ import main as expression
from autograd.visualize.__main__ import main

SCRIPT = """
import autograd as torch
import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
x = torch.randn(5, 3)

def loss():
    return net(x).square().mean()

def trained():
    value = loss()
    value.backward()
    return value, net

def number():
    return 3

if __name__ == "__main__":
    raise SystemExit("this is not for the picture")
"""


@pytest.fixture(autouse=True)
def script(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    (tmp_path / "train.py").write_text(SCRIPT)


@pytest.mark.parametrize("function", ["loss", "trained"])
def test_what_a_function_returns_is_drawn(function, capsys):
    assert main([f"train.py:{function}"]) == 0
    assert capsys.readouterr().out == "The graph is in graph.svg\n"
    svg = Path("graph.svg").read_text()
    assert "0.weight" in svg, "the network is found among the names of the script"
    assert "gradient norm" in svg
    assert "Linear(3, 4)" in svg


def test_options_of_the_picture(capsys):
    assert main(["train.py:loss", "--view", "backward", "--title", "Hello", "--svg", "b.svg"]) == 0
    svg = Path("b.svg").read_text()
    assert "LinearBackward" in svg
    assert "Hello" in svg
    assert main(["train.py:loss", "--depth", "1", "--detail", "op"]) == 0
    assert "collapsed to" in capsys.readouterr().out


def test_as_a_command(tmp_path):
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-m", "autograd.visualize", "train.py:loss", "--png", "p.png"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "The graph is in p.png\n"
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("train.py", "expected SCRIPT.py:FUNCTION, as in train.py:loss, but got 'train.py'"),
        ("train.py:", "expected SCRIPT.py:FUNCTION"),
        ("tain.py:loss", "there is no file 'tain.py'"),
        ("train.py:los", "train.py has no function 'los'; did you mean loss?"),
        ("train.py:x", "train.py has no function 'x'"),
        ("train.py:number", "it returned int"),
    ],
)
def test_what_cannot_be_found_is_told(target, words, capsys):
    assert main([target]) == 2
    assert words in capsys.readouterr().err
    assert not Path("graph.svg").exists()


def test_every_file(capsys, monkeypatch):
    opened = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    files = {"--svg": "a.svg", "--png": "a.png", "--pdf": "a.pdf", "--html": "a.html"}
    words = [word for pair in files.items() for word in pair]
    assert expression(["x * y", "x=2", "y=3", *words, "--steps=s.txt", "--open"]) == 0
    for name in (*files.values(), "s.txt"):
        assert Path(name).stat().st_size > 50
        assert Path(name).absolute().as_uri() in opened
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2:] == ["The graph is in a.html", "The steps are in s.txt"]
    assert not Path("graph.svg").exists()


def test_a_file_that_cannot_be_written(capsys):
    assert expression(["x * 2", "x=2", "--png", "nowhere/a.png"]) == 1
    assert "error: no picture" in capsys.readouterr().err
    assert expression(["x * 2", "x=2", "--svg", "a.jpg"]) == 1
    assert "must be one of .svg" in capsys.readouterr().err
