"""The table of derivatives: it says what is declared, and verified is what was verified."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import verification
from cases import CASES

import autograd as torch
from autograd.__main__ import main
from autograd.calculus import Derivative, Derivatives, derivatives
from autograd.op import OPS

ROOT = Path(__file__).parent.parent


def test_a_row_says_what_is_declared() -> None:
    row = torch.derivatives("tanh")
    assert row.kind == "elementwise"
    assert row.formula == "The hyperbolic tangent sinh x / cosh x, elementwise."
    assert row.rules == ("dx = dy * (1 - y * y)",)
    assert row.slopes == ("∂y/∂x = 1 - y²",)
    assert row.keeps == ("y",)
    assert row.verified == 3
    path, line = row.source.split(":")
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    assert "def tanh" in "".join(lines[int(line) - 2 : int(line) + 2])
    assert row.chapter.startswith("Elementary functions")


def test_several_inputs() -> None:
    row = derivatives(torch.mul)
    assert row.rules == ("da = dy * b", "db = dy * a")
    assert row.slopes == ("∂y/∂a = b", "∂y/∂b = a")
    assert row.keeps == ("a", "b")
    assert derivatives("add").keeps == ()


@pytest.mark.parametrize(
    ("name", "convention"),
    [
        ("relu", "The derivative at 0 is 0."),
        ("abs", "Its derivative at 0 is 0."),
        ("maximum", "half to each where they are equal"),
        ("clamp", "The gradient goes to the input between the bounds and at them"),
        ("norm", "0 where the norm is"),
    ],
)
def test_conventions_at_kinks(name: str, convention: str) -> None:
    assert convention in derivatives(name).conventions


def test_functions_that_a_rule_calls_are_told_of() -> None:
    (helper,) = (h for h in derivatives("clamp").helpers if h.startswith("masked"))
    assert "x where mask holds, 0 elsewhere" in helper
    assert "autograd/ops/comparison.py:" in helper


def test_without_a_derivative() -> None:
    row = derivatives("eq")
    assert row.rules == row.keeps == ()
    assert "no derivative" in str(row)
    assert "orders" not in str(row)


def test_every_operation_has_its_row() -> None:
    table = derivatives()
    assert [row.name for row in table] == list(OPS)
    assert len(table) == len(OPS)
    for row in table:
        if not str(OPS[row.name].module).startswith("autograd."):
            continue  # another test's
        assert row.formula.strip(". "), f"{row.name} has no docstring"
        assert len(row.rules) == len(OPS[row.name].rules), row.name
        assert row.name in str(row)
        assert row.source.startswith("autograd/"), row.name


def test_as_text_markdown_and_html() -> None:
    table = derivatives()[:3]
    assert isinstance(table, Derivatives)
    assert str(table).count("source  autograd/ops/") == 3
    assert repr(table[0]) == str(table[0])
    assert table._repr_markdown_().count("\n") == 4
    assert table._repr_html_().count("<tr>") == 4
    row = derivatives("abs")
    assert isinstance(row, Derivative)
    assert "<td" in row._repr_html_()
    assert row._repr_markdown_().splitlines()[2].startswith("| abs | \\|x\\|, elementwise.")


def test_unknown_names() -> None:
    with pytest.raises(KeyError, match=r"Near it: .*tanh"):
        derivatives("tahn")
    with pytest.raises(KeyError, match=r"made of other operations, at autograd/ops/activation\.py"):
        derivatives("glu")
    with pytest.raises(KeyError, match="made of other operations"):
        derivatives(torch.glu)
    with pytest.raises(TypeError, match="but got Tensor"):
        derivatives(torch.ones(2))


def test_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--derivatives", "tanh"]) == 0
    assert capsys.readouterr().out == f"{derivatives('tanh')}\n"
    assert main(["--derivatives"]) == 0
    assert capsys.readouterr().out == f"{derivatives()}\n"
    assert main(["--derivatives", "tahn"]) == 2
    assert "tanh" in capsys.readouterr().err


# What is verified ---------------------------------------------------------------------------------


def recorded() -> dict[str, int]:
    known: dict[str, int] = json.loads(verification.RECORD.read_text(encoding="utf-8"))
    return known


def test_the_record_names_operations_there_are() -> None:
    assert recorded().keys() <= OPS.keys(), "run python -m tests.verification"


@pytest.mark.parametrize("name", ["tanh", "matmul", "sort", "conv2d"])
def test_the_record_is_true_of_some(name: str) -> None:
    some = [case for case in CASES if f".{name}(" in case.spellings[0]]
    found = verification.verified(some, lambda complaint: None)
    assert found[name] == recorded()[name] == 3


@pytest.mark.slow
def test_the_record_is_true_of_all() -> None:
    found = verification.verified(verification.ALL, lambda complaint: None)
    untrue = {name for name, order in recorded().items() if found.get(name, 0) < order}
    assert not untrue, "run python -m tests.verification"


def test_what_is_wrong_is_not_verified() -> None:
    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):  # type: ignore[no-untyped-def]
            ctx.save_for_backward(x)
            return x * x * x

        @staticmethod
        def backward(ctx, dy):  # type: ignore[no-untyped-def]
            (x,) = ctx.saved_tensors
            return 3 * dy * (x * x).detach()  # the slope is right, the slope of the slope is not

    verification.OURS.torch.wrong = Wrong.apply
    try:
        slopes = verification.Slopes("torch.wrong(x)", {"x": verification.np.ones(3)}, ["x"])
        assert slopes.highest() == 1
    finally:
        del verification.OURS.torch.wrong
