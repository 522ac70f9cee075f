"""`python -m autograd`: what it prints, what it draws, and what it refuses, with the caret under
the character that is to blame."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from autograd.__main__ import main

Command = Callable[..., tuple[int, list[str], str]]


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Exit status, what was printed line by line, and what was complained about."""
    monkeypatch.chdir(tmp_path)

    def command(*words: str) -> tuple[int, list[str], str]:
        status = main(words)
        printed = capsys.readouterr()
        return status, printed.out.splitlines(), printed.err

    return command


# What is printed ----------------------------------------------------------------------------------


def test_the_seed(run: Command) -> None:
    status, lines, complaint = run("(x + y) * z", "x=-2", "y=5", "z=-4")
    assert (status, complaint) == (0, "")
    assert lines == [
        "             value  gradient",
        "x            -2     -4",
        "y            5      -4",
        "z            -4     3",
        "x + y        3      -4",
        "(x + y) * z  -12    1",
        "",
        "The graph is in graph.svg",
    ]
    assert Path("graph.svg").read_text().startswith("<svg")


def test_as_a_command(tmp_path: Path) -> None:
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-m", "autograd", "-x*y", "x=3", "y=2"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "-x * y  -6     1" in done.stdout
    assert (tmp_path / "graph.svg").exists()


def rows(lines: list[str]) -> dict[str, list[str]]:
    """The table as {what: [value, gradient]}."""
    table = [re.split(" {2,}", line) for line in lines[: lines.index("")]]
    return {row[0]: row[1:] for row in table if len(row) == 3}


@pytest.mark.parametrize(
    ("words", "value", "gradients"),
    [
        (["-x * 2", "x=3"], "-6", {"x": "-2"}),
        (["-x", "x=3"], "-3", {"x": "-1"}),
        (["--x", "x=3"], "3", {"x": "1"}),
        (["-x*2", "x=3"], "-6", {"x": "-2"}),
        (["-h * 2", "h=3"], "-6", {"h": "-2"}),
        (["x", "x=3"], "3", {"x": "1"}),
        (["x ** 2", "x=3"], "9", {"x": "6"}),
        (["2 ** x", "x=3"], "8", {"x": "5.5452"}),
        (["x / 4 - 1", "x=2"], "-0.5000", {"x": "0.2500"}),
        (["7 % x", "x=4"], "3", {"x": "-1"}),
        (["relu(x)", "x=-1"], "0", {"x": "0"}),
        (["x + 1", "x=3", "unused=1"], "4", {"x": "1", "unused": "-"}),
        (["x\n  + 1", "x=3"], "4", {"x": "1"}),
        (["  x + 1", "x = 3"], "4", {"x": "1"}),
        (["sum(w * x)", "w=[1, 2]", "x=[3, 4]"], "11", {"w": "[3., 4.]", "x": "[1., 2.]"}),
        (["sum(w @ x)", "w=[[1,2],[3,4]]", "x=[1,1]"], "10", {"x": "[4., 6.]"}),
        (["sum(x, dim=0)[1]", "x=[[1,2],[3,4]]"], "6", {}),
        (["sum(x, 0, keepdim=True)[0, 1]", "x=[[1,2],[3,4]]"], "6", {}),
        (["max(x, 0)[0]", "x=[5, 7]"], "7", {"x": "[0., 1.]"}),
        (["x[1:][0] * x[..., 0]", "x=[5, 7]"], "35", {"x": "[7., 5.]"}),
        (["sum(where(x > 0, x, 0))", "x=[5, -7]"], "5", {"x": "[1., 0.]"}),
        (["x + é", "x=1", "é=2"], "3", {"é": "1"}),
    ],
)  # fmt: skip
def test_values_and_gradients(
    run: Command, words: list[str], value: str, gradients: dict[str, str]
) -> None:
    status, lines, complaint = run(*words)
    assert (status, complaint) == (0, "")
    table = rows(lines)
    assert list(table.values())[-1] == [value, "1"]
    assert {name: table[name][1] for name in gradients} == gradients


def test_a_result_of_several_numbers(run: Command) -> None:
    status, lines, _ = run("x * x", "x=[1, 2]")
    assert status == 0
    assert lines[0] == "The result has shape (2,): these are the gradients of its sum."
    assert rows(lines)["x"] == ["[1., 2.]", "[2., 4.]"]


def test_matrices_stand_in_their_columns(run: Command) -> None:
    _, lines, _ = run("x * 2", "x=[[1, 2], [3, 4]]")
    assert lines[1:6] == [
        "       value       gradient",
        "x      [[1., 2.],  [[2., 2.],",
        "        [3., 4.]]   [2., 2.]]",
        "x * 2  [[2., 4.],  [[1., 1.],",
        "        [6., 8.]]   [1., 1.]]",
    ]


# What is drawn ------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [["--svg", "deep.svg"], ["--svg=deep.svg"]])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_picture_goes_where_it_is_told(run: Command, words: list[str], place: int) -> None:
    command = ["-x", "x=1"]
    status, lines, _ = run(*command[:place], *words, *command[place:])
    assert status == 0
    assert lines[-1] == "The graph is in deep.svg"
    assert "</svg>" in Path("deep.svg").read_text()
    assert not Path("graph.svg").exists()


@pytest.mark.parametrize("path", ["missing/graph.svg", ".", "graph.xyz"])
def test_a_picture_that_cannot_be_written(run: Command, path: str) -> None:
    status, lines, complaint = run("x * 2", "x=1", "--svg", path)
    assert status == 1
    assert "x * 2  2      1" in lines  # the numbers are there all the same
    assert complaint.startswith("error: no picture: ")
    assert "Traceback" not in complaint


# What is refused ----------------------------------------------------------------------------------

REFUSED = [
    # words, part of the message; the caret is under the character after ‸
    ("x + ‸q", "unknown name 'q' (known: x, y). Give it a value: q=1"),
    ("‸tahn(x)", "unknown function 'tahn'. The functions are those of autograd: tan, tanh"),
    ("2 * ‸_add(x, y)", "unknown function '_add'"),
    ("‸x(1)", "unknown function 'x'"),
    ("x +‸", "not an expression: invalid syntax"),
    ("‸(x + y", "not an expression: '(' was never closed"),
    ("x ‸y", "not an expression"),
    ("x ‸= y", "not an expression"),
    ("‸", "not an expression"),
    ("x + ‸'text'", "'text' is not a number"),
    ("x + ‸1j", "1j is not a number"),
    ("x ‸@ 2", "matmul"),
    ("é + x‸@y", "matmul"),
    ("(x)  ‸+ (1, 2)", "unsupported operand"),
    ("x‸[0]", "invalid index of a 0-dim tensor"),
    ("x ‸< y < 1", "compare two things at a time"),
    ("x ‸<< 1", "the operator LShift is not understood"),
    ("x ‸== y", "the operator Eq is not understood"),
    ("‸not x", "the operator Not is not understood"),
    ("x * (1‸/0)", "division by zero"),
    ("‸3 + 4", "the expression uses no variable"),
    ("‸x > y", "the result has no gradient"),
    ("‸split(stack([x, y]), 1)", "the result is several tensors"),
    ("‸sum(x, 5)", "Dimension out of range"),
    ("‸sum(x, unknown=1)", "unexpected keyword argument 'unknown'"),
    ("‸sum(**x)", "** is not understood in a call"),
    ("sum(‸*x)", "*x is not understood"),
    ("x * ‸repeat(y, 10000000000000000)", ""),
]  # fmt: skip


@pytest.mark.parametrize(("marked", "message"), REFUSED)
def test_refusals_point_at_the_character(run: Command, marked: str, message: str) -> None:
    expression = marked.replace("‸", "")
    status, lines, complaint = run(expression, "x=1", "y=2", *(["é=1"] if "é" in marked else []))
    first, second, third = complaint.splitlines()
    assert (status, lines) == (2, [])
    assert first.startswith("error: ")
    assert message in first
    assert second == "    " + expression
    assert third == " " * (4 + marked.index("‸")) + "^"
    assert not Path("graph.svg").exists()


@pytest.mark.parametrize(
    ("marked", "message"),
    [
        ("‸x", "expected NAME=VALUE"),
        ("‸2x=1", "expected NAME=VALUE"),
        ("x.y=1".replace("x", "‸x"), "expected NAME=VALUE"),
        ("x=‸", "the value of x is not a number or a list of numbers"),
        ("x=‸one", "the value of x is not a number"),
        ("x =  ‸y", "the value of x is not a number"),
        ("x=‸[1, [2]]", "the value of x is not a number"),
        ("x=‸'1'", "the value of x is not a number"),
        ("x=‸{1: 2}", "the value of x is not a number"),
        ("x=‸1j", "the value of x is not a number"),
        ("x=‸[].append(1)", "the value of x is not a number"),
        ("x=‸__import__('os')", "the value of x is not a number"),
        ("x=‸" + "(" * 300 + "1" + ")" * 300, "the value of x is not a number"),
        ("x=‸" + "9" * 5000, "the value of x is not a number"),
        ("‸y=3", "y was given a value before"),
    ],
)
def test_values_that_are_none(run: Command, marked: str, message: str) -> None:
    assignment = marked.replace("‸", "")
    status, lines, complaint = run("x + y", "y=2", assignment)
    first, second, third = complaint.splitlines()
    assert (status, lines) == (2, [])
    assert message in first
    assert second == "    " + assignment
    assert third == " " * (4 + marked.index("‸")) + "^"


# Nothing is run that was not meant to be run ------------------------------------------------------


@pytest.mark.parametrize(
    "expression",
    [
        "x.numpy()",
        "x._array",
        "x.__class__.__base__.__subclasses__()",
        "().__class__",
        "__import__('os').system('touch graph.svg')",
        "eval('x')",
        "exec('x')",
        "open('graph.svg', 'w')",
        "__getitem__(x, 0)",
        "getattr(x, 'grad')",
        "print(x)",
        "(lambda: x)()",
        "[x for x in (1, 2)]",
        "{x: x}",
        "{x}",
        "x if x > 0 else y",
        "x and y",
        "x is y",
        "x in y",
        "f'{x}'",
        "b'x'",
        "(x := 3)",
        "x; y",
        "import os",
        "await x",
        "(yield x)",
        "x \\",
        "x # \N{FULLWIDTH NUMBER SIGN}",
        "x\0",
        "\ud800",
    ],
)
def test_nothing_is_executed(run: Command, expression: str) -> None:
    status, lines, complaint = run(expression, "x=1", "y=2")
    if expression.startswith("x #"):  # a comment harms nobody
        assert status == 0
        return
    assert (status, lines) == (2, [])
    assert complaint.startswith("error: ")
    assert not Path("graph.svg").exists()


@pytest.mark.parametrize(
    "expression",
    [
        "x * 9**9**9**9",
        "x ** 9**9**9",
        "9**9**9**9",
        "x * " + "9" * 400,
        "x * " + "9" * 5000,
        "x * 99999999999999999999 * 99999999999999999999" + " * 99999999999999999999" * 40,
        "(" * 5000 + "x" + ")" * 5000,
        "-" * 20000 + "x",
        "x" + " + x" * 20000,
        "x" + "[0]" * 20000,
        "sum(" * 150 + "x" + ")" * 150,
        "sum(" * 1500 + "x" + ")" * 1500,
    ],
)
def test_large_things_are_harmless_and_quick(run: Command, expression: str) -> None:
    start = time.perf_counter()
    status, _, complaint = run(expression, "x=1")
    assert time.perf_counter() - start < 10
    assert status in (0, 2)
    assert complaint.startswith("error: ") or status == 0


def test_help(run: Command, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run("--help")
    assert caught.value.code == 0
    assert "NAME=VALUE" in capsys.readouterr().out


def test_no_expression(run: Command, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run()
    assert caught.value.code == 2
    assert "expression" in capsys.readouterr().err
