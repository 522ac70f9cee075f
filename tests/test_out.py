"""`out=`: the same results in tensors that are there already, and PyTorch's refusals."""

from __future__ import annotations

import inspect
import operator
import re
import warnings
from typing import Any

import numpy as np
import pytest
from compare import OURS, THEIRS, array, tensors_in

torch = OURS.torch

CALLS = """
    torch.exp(x)
    torch.add(x, y, alpha=2)
    torch.sub(x, y)
    torch.div(x, y)
    torch.div(x, y, rounding_mode='floor')
    torch.pow(x, 2)
    torch.pow(2, x)
    torch.clamp(x, 0, 1)
    torch.eq(x, y)
    torch.sum(x, 0)
    torch.mean(x)
    torch.amax(x, dim=1, keepdim=True)
    torch.max(x, 1)
    torch.argmax(x, 1)
    torch.sort(x, descending=True)
    torch.topk(x, 2)
    torch.cumsum(x, 1)
    torch.cat((x, y))
    torch.stack([x, y], 1)
    torch.matmul(x, y.t())
    torch.where(x > y, x, y)
    torch.tril(x)
    torch.arange(5)
    torch.zeros(2, 3)
    torch.linspace(0, 1, 4)
"""


def inputs(library: Any) -> dict[str, Any]:
    random = np.random.default_rng(0)
    return {name: library.leaf(random.normal(size=(3, 3))) for name in "xy"}


@pytest.mark.parametrize("call", [line.strip() for line in CALLS.strip().splitlines()])
@pytest.mark.parametrize("start", ["empty", "right shape"])
def test_the_result_is_written_into_out(call: str, start: str) -> None:
    given = inputs(OURS)
    expected = tensors_in(OURS.evaluate(call, given))
    outs = [torch.zeros(y.shape if start == "right shape" else 0, dtype=y.dtype) for y in expected]
    versions = [t._version for t in outs]
    out = outs[0] if len(outs) == 1 else tuple(outs)
    result = OURS.evaluate(f"{call[:-1]}, out=out)", {**given, "out": out})
    assert all(y is t for y, t in zip(tensors_in(result), outs, strict=True))
    for y, values, before in zip(outs, expected, versions, strict=True):
        np.testing.assert_array_equal(array(y), array(values))
        assert y._version > before  # backward notices what it kept was overwritten


def test_out_may_be_an_operand() -> None:
    x = torch.tensor([1.0, 2.0, 3.0])
    torch.mul(x, x, out=x)
    torch.cumsum(x, 0, out=x)
    assert x.tolist() == [1.0, 5.0, 14.0]


def test_out_is_converted_to_if_its_category_allows() -> None:
    wide = torch.empty(2, dtype=torch.float64)
    assert torch.add(torch.ones(2), 1, out=wide).dtype == torch.float64
    assert torch.eq(torch.ones(2), 1, out=wide).tolist() == [1.0, 1.0]
    with pytest.raises(RuntimeError, match="can't be cast"):
        torch.exp(torch.ones(2), out=torch.empty(2, dtype=torch.int64))


def test_another_shape_is_given_new_memory_with_a_warning() -> None:
    out = torch.ones(5)
    with pytest.warns(UserWarning, match="was resized since it had shape"):
        torch.sum(torch.ones(2, 3), 0, out=out)
    assert out.tolist() == [2.0, 2.0, 2.0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        torch.exp(torch.zeros(2), out=torch.empty(0))


def test_a_view_given_as_out_is_written_through() -> None:
    x = torch.zeros(2, 3)
    torch.add(torch.ones(2), 1, out=x[:, 1])
    assert x.tolist() == [[0.0, 2.0, 0.0]] * 2


@pytest.mark.parametrize("call", ["torch.exp(x, out=out)", "torch.sum(x, 0, out=out)"])
def test_no_gradient_through_out(call: str) -> None:
    free, bound = torch.ones(3), torch.ones(3, requires_grad=True)
    for x, out in ((bound, torch.empty(0)), (free, torch.empty(3).requires_grad_())):
        with pytest.raises(RuntimeError, match="don't support automatic differentiation"):
            OURS.evaluate(call, {"x": x, "out": out})
    with torch.no_grad():
        OURS.evaluate(call, {"x": bound, "out": torch.empty(0)})
    torch.argmax(bound, out=torch.empty((), dtype=torch.int64))  # without a derivative anyway


@pytest.mark.parametrize(
    "call",
    [
        "torch.exp(x, out=[x])",
        "torch.max(x, 0, out=x)",
        "torch.sort(x, out=(x,))",
    ],
)
def test_what_is_no_tensor_is_refused(call: str) -> None:
    with pytest.raises(TypeError):
        OURS.evaluate(call, {"x": torch.ones(2)})


def test_one_number_in_many_places_is_refused() -> None:
    with pytest.raises(RuntimeError, match="more than one element of the written-to tensor"):
        torch.exp(torch.ones(3), out=torch.ones(1).expand(3))


@pytest.mark.skipif(OURS is THEIRS or THEIRS is None, reason="compares our names with PyTorch's")
@pytest.mark.parametrize(
    ("module", "at_least"), [("torch", 100), ("torch.linalg", 30), ("torch.special", 35)]
)
def test_whatever_takes_out_in_pytorch_takes_it_here(module: str, at_least: int) -> None:
    ours, theirs = (operator.attrgetter(module)(library) for library in (OURS, THEIRS))
    documented = [
        name
        for name in dir(theirs)
        if re.search(
            rf"^(\w+\.)?{name}\(.*\bout=None", str(getattr(theirs, name).__doc__), re.MULTILINE
        )
    ]
    assert len(documented) > at_least
    without = [
        name
        for name in documented
        if hasattr(ours, name)
        and name != "histogramdd"  # which does not take it, whatever its documentation says
        and "out" not in inspect.signature(getattr(ours, name), follow_wrapped=False).parameters
    ]
    assert without == []
