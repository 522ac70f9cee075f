"""Anomaly mode: which nan it stops at, and what it tells of it.

Written in PyTorch's words; `SUBJECT=torch pytest` shows that PyTorch stops where we do. The story
is told in our own words.
"""

from __future__ import annotations

import gc
import io
import re
import warnings
import weakref
from collections.abc import Callable
from contextlib import redirect_stderr
from typing import Any

import pytest
from compare import OURS
from tables import better_than_torch

torch, autograd = OURS.torch, OURS.autograd

pytestmark = pytest.mark.filterwarnings("ignore:Anomaly Detection has been enabled")


def leaf(*values: float) -> Any:
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


class Spoiled(autograd.Function):
    """x, with a gradient of nan."""

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> Any:
        return x + y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        return dy, dy * float("nan")


def backward_of(function: Callable[..., Any], *inputs: Any) -> tuple[str, list[str]]:
    """The error, and the warnings, of a backward in anomaly mode."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(RuntimeError) as raised, autograd.detect_anomaly():
            function(*inputs).sum().backward()
    return str(raised.value), [str(warning.message) for warning in caught]


def chosen(x: Any) -> Any:
    return torch.where(x > 0, x.sqrt(), torch.zeros_like(x))


# The switch ---------------------------------------------------------------------------------------


def test_off_at_first() -> None:
    assert not torch.is_anomaly_enabled()
    assert torch.is_anomaly_check_nan_enabled()


def test_blocks_switch_it_on_and_back() -> None:
    with autograd.detect_anomaly(check_nan=False):
        assert torch.is_anomaly_enabled()
        assert not torch.is_anomaly_check_nan_enabled()
        with autograd.set_detect_anomaly(False):
            assert not torch.is_anomaly_enabled()
            assert torch.is_anomaly_check_nan_enabled()
        assert torch.is_anomaly_enabled()
        assert not torch.is_anomaly_check_nan_enabled()
        with autograd.detect_anomaly():
            assert torch.is_anomaly_check_nan_enabled()
    assert not torch.is_anomaly_enabled()
    assert torch.is_anomaly_check_nan_enabled()


def test_a_plain_call_switches_it() -> None:
    autograd.set_detect_anomaly(True)
    try:
        assert torch.is_anomaly_enabled()
    finally:
        autograd.set_detect_anomaly(False)
    assert not torch.is_anomaly_enabled()


def test_an_error_inside_switches_it_off() -> None:
    with pytest.raises(KeyError), autograd.detect_anomaly():
        raise KeyError
    assert not torch.is_anomaly_enabled()


def test_entering_warns() -> None:
    with pytest.warns(UserWarning, match="should only be enabled for debugging"):
        autograd.detect_anomaly()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with autograd.set_detect_anomaly(True):
            pass


def test_names() -> None:
    assert autograd.anomaly_mode.detect_anomaly is autograd.detect_anomaly
    assert autograd.anomaly_mode.set_detect_anomaly is autograd.set_detect_anomaly


# Where it stops -----------------------------------------------------------------------------------


def test_which_function_and_which_output() -> None:
    error, told = backward_of(lambda x: Spoiled.apply(x, x), leaf(1.0, 2.0))
    assert re.search(r"Function 'SpoiledBackward' returned nan values in its 1th output\.", error)
    assert "Error detected in SpoiledBackward" in told[1]
    assert "Spoiled.apply(x, x)" in told[1]


@better_than_torch
def test_a_gradient_that_nobody_needs() -> None:
    x = leaf(1.0)
    with autograd.detect_anomaly():
        Spoiled.apply(x, torch.ones(1, dtype=torch.float64)).sum().backward()
    assert x.grad.tolist() == [1]


def test_infinities_pass() -> None:
    x = leaf(0.0)
    with autograd.detect_anomaly():
        x.sqrt().sum().backward()
    assert x.grad.tolist() == [float("inf")]


def test_without_looking_for_nan() -> None:
    x = leaf(0.0, 1.0)
    with autograd.detect_anomaly(check_nan=False):
        y = chosen(x).sum()
        y.backward(retain_graph=True)
        with autograd.detect_anomaly(), pytest.raises(RuntimeError, match="returned nan"):
            y.backward(retain_graph=True)
        y.backward()
    assert x.grad.isnan().tolist() == [True, False]


def test_gradients_are_the_same() -> None:
    x, y = leaf(1.0, 2.0), leaf(1.0, 2.0)

    def function(x: Any) -> Any:
        return (torch.softmax(x * x, 0) @ x + x.sort()[0][0]).exp()

    function(x).backward()
    with autograd.detect_anomaly():
        function(y).backward()
    assert x.grad.tolist() == y.grad.tolist()


def test_of_gradients_too() -> None:
    def function(x: Any) -> Any:
        (slope,) = autograd.grad((x**1.5).sum(), x, create_graph=True)
        return slope * torch.tensor([0.0, 1.0], dtype=torch.float64)

    error, told = backward_of(function, leaf(0.0, 1.0))
    assert "returned nan values in its 0th output" in error
    assert "autograd.grad(" in told[1]
    assert "forward call that induced the previous calculation" in told[2]
    assert "x**1.5" in told[2]


class Outer(autograd.Function):
    """x, whose backward is recorded as Inner."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x * 1

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        return Inner.apply(dy)


class Inner(autograd.Function):
    """x, whose backward divides nothing by nothing."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x * 1

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        return (dy * 0) / 0


def test_a_function_in_the_backward_of_a_function() -> None:
    def function(x: Any) -> Any:
        weight = torch.ones_like(x).requires_grad_()
        (slope,) = autograd.grad(Outer.apply(x), x, weight, create_graph=True)
        return slope

    error, told = backward_of(function, leaf(1.0, 2.0))
    assert "Function 'InnerBackward' returned nan values in its 0th output." in error
    assert len(told) == 3
    assert "Inner.apply(dy)" in told[1]
    assert "induced the previous calculation" in told[2]
    assert "Outer.apply(x)" in told[2]


@better_than_torch
def test_where_in_the_backward_of_a_function() -> None:
    x = leaf(1.0, 2.0)
    y = Inner.apply(x)
    with (
        pytest.warns(UserWarning, match="Error detected"),
        pytest.raises(RuntimeError) as raised,
        autograd.detect_anomaly(),
    ):
        y.sum().backward()
    assert "It was born in div: y[0] is nan, made of a[0] = 0, b = 0." in str(raised.value)
    assert "return (dy * 0) / 0" in str(raised.value)


# What is told of any error ------------------------------------------------------------------------


def overwritten() -> None:
    x = leaf(1.0)
    y = x + 1
    z = y**2
    y += 1
    autograd.grad(z.sum(), x)


def test_every_error_in_backward_is_told_with_its_forward_call() -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with pytest.raises(RuntimeError, match="modified by an inplace"), autograd.detect_anomaly():
            overwritten()
    assert len(told) == 2
    assert re.search(r"Error detected in (Pow|Square)Backward", str(told[1].message))
    assert "z = y**2" in str(told[1].message)


def test_warnings_that_are_errors_hide_nothing() -> None:
    printed = io.StringIO()
    with autograd.set_detect_anomaly(True), warnings.catch_warnings(), redirect_stderr(printed):
        warnings.simplefilter("error")
        with pytest.raises(RuntimeError, match="modified by an inplace"):
            overwritten()
    assert "Error detected in" in printed.getvalue()


def test_forward_outside() -> None:
    y = Spoiled.apply(leaf(1.0), leaf(1.0))
    with (
        pytest.warns(UserWarning, match="No forward pass information"),
        pytest.raises(RuntimeError, match="returned nan"),
        autograd.detect_anomaly(),
    ):
        y.sum().backward()


def test_nothing_is_kept_alive() -> None:
    class Note:
        pass

    gc.disable()
    try:
        y = leaf(1.0).exp()
        with autograd.detect_anomaly():
            autograd.grad(y, y, torch.ones_like(y), create_graph=True)
            z = leaf(1.0).exp()
        for t in (y, z):
            t.grad_fn.metadata["note"] = Note()
        notes = [weakref.ref(t.grad_fn.metadata["note"]) for t in (y, z)]
        del y, z, t
        assert [note() for note in notes] == [None, None]
    finally:
        gc.enable()


def test_a_block_that_is_entered_again() -> None:
    mode = autograd.detect_anomaly()
    with mode, mode:
        pass
    assert not torch.is_anomaly_enabled()


# The story ----------------------------------------------------------------------------------------


@better_than_torch
def test_the_trap_of_where() -> None:
    error, _ = backward_of(chosen, leaf(1.0, 0.0, 4.0))
    assert "Function 'SqrtBackward' returned nan values in its 0th output." in error
    sqrt, where = re.findall(r"    (return .*)\n    ( *\^+)\n", error)
    assert [line[marks.index("^") : len(marks)] for line, marks in (sqrt, where)] == [
        "x.sqrt()",
        "torch.where(x > 0, x.sqrt(), torch.zeros_like(x))",
    ]
    assert "dx[1] is nan: it was made of dy[1] = 0, y[1] = 0 by the rule dx = dy / (y + y)" in error
    assert "where(condition, f(where(condition, x, 1)), other)" in error


@better_than_torch
def test_the_way_out_of_the_trap() -> None:
    x = leaf(1.0, 0.0, 4.0)
    with autograd.detect_anomaly():
        torch.where(x > 0, torch.where(x > 0, x, 1.0).sqrt(), 0.0).sum().backward()
    assert x.grad.tolist() == [0.5, 0, 0.25]


@better_than_torch
def test_zero_times_infinity_without_where() -> None:
    error, _ = backward_of(lambda x: (x * x).sum().sqrt() * 0, leaf(0.0, 0.0))
    assert "dx is nan: it was made of dy = 0, y = 0" in error
    assert "0 times that is nan. Keep the input of sqrt away" in error


@better_than_torch
def test_born_in_the_forward_pass() -> None:
    def function(x: Any) -> Any:
        y = torch.log(x * 2)
        return y * y

    error, told = backward_of(function, leaf(1.0, -1.0))
    birth = "It was born in log: y[1] is nan, made of x[1] = -2."
    assert birth in told[1]
    assert f"The nan is older than backward. {birth}" in error
    assert "^" * len("torch.log(x * 2)") in error


@better_than_torch
def test_infinities_that_cancel() -> None:
    error, told = backward_of(lambda x: (x / 0 - x / 0) * x, leaf(1.0))
    assert "born in sub: y[0] is nan, made of a[0] = inf, b[0] = inf" in told[1]
    assert "It was born in sub" in error


@better_than_torch
def test_an_infinity_in_the_forward_pass() -> None:
    error, _ = backward_of(lambda x: (x.exp() * 0.5).sigmoid().exp() * x.exp() * x, leaf(1e3))
    assert "returned nan" in error
    assert "It was born in exp: y[0] is inf, made of x[0] = 1000." in error


@better_than_torch
def test_nan_that_came_with_the_data() -> None:
    error, _ = backward_of(lambda x: x * x, leaf(float("nan")))
    assert "It came with the data" in error


@better_than_torch
def test_nan_that_arrives() -> None:
    x = leaf(2.0)
    y = x * x
    with pytest.raises(RuntimeError, match="arrived was nan already"), autograd.detect_anomaly():
        y.backward(torch.full_like(y, float("nan")))


@better_than_torch
def test_an_operation_that_is_not_elementwise() -> None:
    x, nan = leaf(3.0, 4.0), float("nan")
    error, _ = backward_of(lambda x: x @ torch.tensor([1.0, nan], dtype=torch.float64), x)
    assert "dy = 1" in error
    assert "with nan at [1]" in error


@better_than_torch
def test_a_nan_in_the_forward_pass_alone_is_warned_of() -> None:
    warned = pytest.warns(UserWarning, match="There is a nan in the forward pass")
    with warned, autograd.set_detect_anomaly(True):
        y = leaf(-1.0).log()
    assert y.isnan().all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with autograd.set_detect_anomaly(True):  # what was given is not born
            leaf(0.0, 1.0).masked_fill(torch.tensor([True, False]), float("nan")) * 2
