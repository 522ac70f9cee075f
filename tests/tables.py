"""Whole tables of expressions, one a line, in which PyTorch and we must agree in everything that
can be seen.

An expression is evaluated in both libraries on the same inputs. Either both raise, ours an
exception of the same type (or a more specific one), or the results have the same values, dtypes,
shapes and strides, and share memory with the inputs or not alike; and where they depend on inputs
that require grad, their first and second gradients are the same. Where PyTorch has no gradient, or
a wrong one that it refuses itself, finite differences must do.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from compare import OURS, THEIRS, Library, array, assert_close, differentiate, plain, tensors_in

better_than_torch = pytest.mark.skipif(OURS is THEIRS, reason="PyTorch does not keep this promise")


def lines(table: str) -> list[str]:
    """The expressions of a table: its lines, without comments and empty ones."""
    stripped = (line.partition("  #")[0].strip() for line in table.splitlines())
    return [line for line in stripped if line]


def assert_agreement(
    expression: str, arrays: Mapping[str, np.ndarray], second: bool = True, strides: bool = True
) -> None:
    """Fail where the two libraries differ; floating inputs are differentiated, to the second order
    unless told otherwise."""
    results = []
    for library in (OURS, THEIRS):
        inputs = {name: library.leaf(a, a.dtype.kind == "f") for name, a in arrays.items()}
        results.append((evaluate(library, expression, inputs), inputs))
    (ours, our_inputs), (theirs, their_inputs) = results
    if isinstance(theirs, Exception) or isinstance(ours, Exception):
        # (PyTorch's LinAlgError is a RuntimeError, and so is ours.)
        expected = RuntimeError if isinstance(theirs, RuntimeError) else type(theirs)
        assert isinstance(ours, expected), f"ours: {ours!r}\nPyTorch: {theirs!r}"
        assert len(str(ours)) > 10, "say what was given and what was expected"
        return
    assert plain(ours) == plain(theirs)
    for actual, expected in zip(tensors_in(ours), tensors_in(theirs), strict=True):
        assert_close(array(actual), array(expected), expression)
        assert not strides or steps(actual) == steps(expected), (
            f"strides {actual.stride()}, not {expected.stride()}"
        )
        assert shared(actual, our_inputs) == shared(expected, their_inputs), "a view, or not a view"
    if any(t.requires_grad for t in tensors_in(theirs)):
        assert_same_derivatives(expression, arrays, 2 if second else 1)


def evaluate(library: Library, expression: str, inputs: Mapping[str, Any]) -> Any:
    """The result, or the exception."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return library.evaluate(expression, inputs)
        except Exception as error:
            return error


def steps(t: Any) -> list[int]:
    """The strides of dimensions along which there is somewhere to go."""
    return [step for step, n in zip(t.stride(), t.shape, strict=True) if n > 1 and array(t).size]


def shared(t: Any, inputs: Mapping[str, Any]) -> list[str]:
    """The inputs that share memory with ``t``."""
    return [name for name, x in inputs.items() if np.shares_memory(array(t), array(x))]


def assert_same_derivatives(expression: str, arrays: Mapping[str, np.ndarray], order: int) -> None:
    wanted = [name for name, a in arrays.items() if a.dtype.kind == "f"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            theirs = differentiate(THEIRS, expression, arrays, wanted, order)
        except (RuntimeError, NotImplementedError):
            if OURS is not THEIRS:
                assert_finite_differences(expression, arrays, wanted)
            return
        ours = differentiate(OURS, expression, arrays, wanted, order)
    for level in ("first", "second"):
        for name, expected in getattr(theirs, level).items():
            actual = getattr(ours, level)[name]
            what = f"{level} gradient of {expression} by {name}"
            if actual is None or expected is None:
                assert all(g is None or not np.any(g) for g in (actual, expected)), what
            else:
                exact = ".float()" not in expression  # or else it is only as exact as float32
                assert_close(actual, expected, what, rtol=1e-9 if exact else 1e-5, atol=1e-11)


def assert_finite_differences(
    expression: str, arrays: Mapping[str, np.ndarray], wanted: list[str]
) -> None:
    fixed = {name: OURS.leaf(a) for name, a in arrays.items() if name not in wanted}

    def function(*moving: Any) -> tuple[Any, ...]:
        result = OURS.evaluate(expression, {**fixed, **dict(zip(wanted, moving, strict=True))})
        return tuple(y for y in tensors_in(result) if y.requires_grad)

    assert OURS.autograd.gradcheck(
        function, tuple(OURS.leaf(arrays[name], True) for name in wanted)
    )
