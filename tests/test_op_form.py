"""The form of an operation: a NumPy function, and one line of calculus for each input.

What the decorators make of the two is held against what they promise; what does not fit is refused
where it is declared, with the reason.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import autograd as torch
import nn
from autograd.gradcheck import gradcheck, gradgradcheck
from autograd.op import OPS, bilinear, elementwise, linear, op
from autograd.saved import SavedOutput


@pytest.fixture(autouse=True)
def _no_trace() -> Iterator[None]:
    """What is declared here is forgotten."""
    before = dict(OPS)
    yield
    OPS.clear()
    OPS.update(before)


def leaf(values: Any, dtype: Any = torch.float64) -> Any:
    return torch.tensor(values, dtype=dtype, requires_grad=True)


def same(x: Any) -> Any:
    return x


def declared(function: Callable[..., Any], **declaration: Any) -> Any:
    return op(**declaration)(function)


# What the decorator makes -------------------------------------------------------------------------


def test_the_example_of_the_docstring() -> None:
    @op(dx=lambda dy, x: 3 * dy * torch.square(x))
    def cube(x: Any) -> Any:
        """x³"""
        return x**3

    x = leaf([1.0, 2.0])
    y = cube(x)
    assert repr(y) == "tensor([1., 8.], dtype=torch.float64, grad_fn=<CubeBackward>)"
    (g,) = torch.grad(y.sum(), x, create_graph=True)
    assert g.tolist() == [3, 12]
    assert torch.grad(g.sum(), x)[0].tolist() == [6, 12]
    assert (cube.__name__, cube.__doc__, cube.__module__) == ("cube", "x³", __name__)
    assert cube.op.kind == "op"
    assert OPS["cube"] is cube.op


@pytest.mark.parametrize(
    ("name", "node"),
    [("mul", "MulBackward"), ("conv2d", "Conv2dBackward"), ("max_pool", "MaxPoolBackward"),
     ("_sum", "SumBackward"), ("log_1p", "Log1pBackward"), ("logSumExp", "LogSumExpBackward")],
)  # fmt: skip
def test_nodes_are_named_for_their_function(name: str, node: str) -> None:
    def function(x: Any) -> Any:
        return x * 1

    function.__name__ = name
    made = declared(function, dx=lambda dy: dy)
    grad_fn = made(leaf([1.0])).grad_fn
    assert grad_fn.name() == type(grad_fn).__name__ == node
    assert type(grad_fn) is made.op.node
    assert type(grad_fn).__module__ == __name__
    assert repr(grad_fn).startswith(f"<{node} object at 0x")


def test_arrays_in_array_out_tensors_in_tensor_out() -> None:
    @op(dx=lambda dy, n: dy * n)
    def times(x: Any, n: int) -> Any:
        return x * n

    @elementwise(dx=lambda dy: dy * 2)
    def twice(x: Any) -> Any:
        return x * 2

    @bilinear(da=lambda dy, b: dy * b, db=lambda dy, a: dy * a)
    def product(a: Any, b: Any) -> Any:
        return a * b

    @op(dxs=lambda dy: dy)
    def total(*xs: Any) -> Any:
        return sum(xs)

    array = np.array([1.0, 2.0])
    for result in (times(array, 3), twice(array), product(array, array), total(array, array)):
        assert type(result) is np.ndarray
    assert type(twice(np.float32(3))) is np.float32
    assert type(product(np.float32(3), 2)) is np.float32
    x = torch.tensor(array)
    for tensor in (times(x, 3), twice(x), product(x, x), product(x, array), total(x, array)):
        assert type(tensor) is torch.Tensor
        assert tensor.grad_fn is None
    x.requires_grad_()
    for tensor in (times(x, 3), twice(x), product(x, x), product(array, x), total(x, array)):
        assert tensor.grad_fn is not None


@pytest.mark.parametrize("wrong", [[1.0, 2.0], (1.0,), "text", object(), None])
def test_what_is_neither_is_refused(wrong: Any) -> None:
    @op(dx=lambda dy: dy)
    def setting(x: Any, n: int = 1) -> Any:
        return x

    @elementwise(dx=lambda dy: dy)
    def one(x: Any) -> Any:
        return x

    @elementwise(da=lambda dy: dy, db=lambda dy: dy)
    def two(a: Any, b: Any) -> Any:
        return a + b

    for function in (setting, one):
        with pytest.raises(TypeError, match=r"argument 'input' \(position 1\) must be Tensor, not"):
            function(wrong)
    if wrong is not None:
        with pytest.raises(TypeError, match=r"argument 'input' \(position 1\) must be Tensor, not"):
            two(wrong, leaf([1.0]))
        for first in (leaf([1.0]), np.ones(1), 2):
            with pytest.raises(TypeError, match=r"'other' \(position 2\) must be Tensor, not"):
                two(first, wrong)


# What is declared wrongly -------------------------------------------------------------------------


def two(a: Any, b: Any) -> Any:
    return a + b


def setting(x: Any, dim: int = 0) -> Any:
    return x


def only_by_keyword(x: Any, *, dim: int) -> Any:
    return x


def many(*xs: Any, dim: int) -> Any:
    return xs[0]


def one_and_many(x: Any, *xs: Any) -> Any:
    return x


WRONG: list[tuple[Callable[..., Any], dict[str, Any], str]] = [
    (same, {"dx": lambda dy, xx: dy},
     "@op same: the rule dx needs 'xx', which is none of x, x_dtype, x_shape, y"),
    (setting, {"dx": lambda dy, dims: dy},
     "@op setting: the rule dx needs 'dims', which is none of dim, x, x_dtype, x_shape, y"),
    (setting, {"dx": lambda dy, dim_shape: dy}, "the rule dx needs 'dim_shape'"),
    (same, {"dx": lambda dy, i: dy}, "the rule dx needs 'i'"),
    (many, {"dxs": lambda dy, xs_sizes: dy},
     "@op many: the rule dxs needs 'xs_sizes', which is none of dim, i, xs, xs_dtype, xs_shape, y"),
    (same, {"dz": lambda dy: dy},
     "@op same: rules are given for z, but the parameters are x; the tensor inputs come first"),
    (two, {"da": lambda dy: dy, "dc": lambda dy: dy}, "rules are given for a, c, but"),
    (two, {"db": lambda dy: dy, "da": lambda dy: dy}, "rules are given for b, a, but"),
    (two, {"db": lambda dy: dy}, "rules are given for b, but the parameters are a, b"),
    (same, {"dx": lambda dy: dy, "veiw": True},
     "@op same: unknown traits veiw; known are floats, view, kinds, bools, numbers and tensors"),
    (same, {"dx": 3}, "@op same: unknown traits dx"),
    (same, {"dx": lambda: 0}, "the rule dx must be a Python function whose first parameter is dy"),
    (same, {"dx": np.negative}, "a Python function whose first parameter is dy, but got <ufunc"),
    (only_by_keyword, {"dx": lambda dy: dy},
     "@op only_by_keyword: an operation is either f(x, y, setting), called with its settings by "),
    (one_and_many, {"dxs": lambda dy: dy}, "or f(*xs, setting)"),
]  # fmt: skip


@pytest.mark.parametrize(("function", "declaration", "message"), WRONG)
def test_declarations_that_do_not_fit(
    function: Callable[..., Any], declaration: dict[str, Any], message: str
) -> None:
    before = dict(OPS)
    with pytest.raises(TypeError) as caught:
        op(**declaration)(function)
    assert message in str(caught.value)
    assert before == OPS


def test_the_kind_is_named() -> None:
    for decorator in (elementwise, linear, bilinear):
        with pytest.raises(TypeError, match=f"@{decorator.__name__} same: the rule dx needs 'q'"):
            decorator(dx=lambda dy, q: dy)(same)


# What is kept -------------------------------------------------------------------------------------


def kept_by(rule: Callable[..., Any], function: Callable[..., Any] | None = None) -> Any:
    """What a node keeps for a rule, of f(x, dim) at x = [1, 2, 3] and dim = 7."""

    def triple(x: Any, dim: int) -> Any:
        return x * 3

    made = declared(triple, dx=rule)
    return made(leaf([1.0, 2.0, 3.0], torch.float32), 7).grad_fn._kept[0]


def test_only_what_is_asked_for_is_kept() -> None:
    assert kept_by(lambda dy: dy) is None
    assert kept_by(lambda dy, dim: dy) == 7
    assert kept_by(lambda dy, x_shape: dy) == (3,)
    assert kept_by(lambda dy, x_dtype: dy) == np.float32
    assert kept_by(lambda dy, x: dy).tolist() == [1, 2, 3]
    y = kept_by(lambda dy, y: dy)
    assert isinstance(y, SavedOutput)
    assert y.array.tolist() == [3, 6, 9]
    assert kept_by(lambda dy, x_shape, dim, x_dtype: dy) == ((3,), 7, np.float32)


def test_what_no_rule_of_the_moment_needs_is_not_kept() -> None:
    @op(da=lambda dy, b: dy * b, db=lambda dy, a: dy * a)
    def product(a: Any, b: Any, unused: int = 0) -> Any:
        return a * b

    x, constant = leaf([1.0]), torch.tensor([2.0], dtype=torch.float64)
    assert product(x, constant).grad_fn._kept == (constant, None)
    assert product(constant, x).grad_fn._kept == (None, constant)
    assert product(constant, x).grad_fn._inputs[0] is None


def test_rules_run_only_where_a_gradient_is_needed() -> None:
    calls = []

    @op(da=lambda dy: calls.append("a") or dy, db=lambda dy: calls.append("b") or dy)
    def both(a: Any, b: Any) -> Any:
        return a + b

    x, y, constant = leaf([1.0]), leaf([1.0]), torch.ones(1)
    both(x, constant).backward()
    assert calls == ["a"]
    calls.clear()
    torch.grad(both(x, y), y)
    assert calls == ["b"]


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_rule_gets_what_it_asks_for(create_graph: bool) -> None:
    got: dict[str, Any] = {}

    def rule(dy: Any, y: Any, dim: Any, x_dtype: Any, x: Any, mask: Any, x_shape: Any) -> Any:
        got.update(locals())
        return dy

    @op(dx=rule)
    def function(x: Any, mask: Any, dim: int = 5) -> Any:
        assert type(x) is type(mask) is np.ndarray
        return x * mask

    x, mask = leaf([[1.0], [2.0]]), torch.tensor([1.0, 0.0])
    y = function(x, mask)
    torch.grad(y.sum(), x, create_graph=create_graph)
    assert (got["dim"], got["x_shape"], got["x_dtype"]) == (5, (2, 1), np.float64)
    of_kind = torch.Tensor if create_graph else np.ndarray
    assert all(isinstance(got[name], of_kind) for name in ("dy", "x", "y", "mask"))
    assert got["y"].tolist() == y.tolist()
    if create_graph:
        assert got["x"] is x
        assert got["y"].grad_fn is y.grad_fn


def test_a_setting_that_was_changed_is_noticed() -> None:
    @op(dx=lambda dy, mask: dy * mask)
    def masked(x: Any, mask: Any) -> Any:
        return x * mask

    mask = torch.ones(2, dtype=torch.float64)
    y = masked(leaf([1.0, 2.0]), mask)
    mask.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


# How it is called ---------------------------------------------------------------------------------


@op(dx=lambda dy, n: n * dy)
def scaled(x: Any, n: float = 2, dim: int = 0, keepdim: bool = False) -> Any:
    assert (dim, keepdim) in [(0, False), (1, True)]
    return x * n


@pytest.mark.parametrize(
    "call",
    [
        lambda x: scaled(x, 3),
        lambda x: scaled(x, n=3),
        lambda x: scaled(n=3, x=x),
        lambda x: scaled(input=x, n=3),
        lambda x: scaled(x, 3, dim=1, keepdim=True),
        lambda x: scaled(x, 3, axis=1, keepdims=True),
        lambda x: scaled(x, keepdim=True, axis=1, n=3),
    ],
)
def test_settings_by_position_by_keyword_and_by_default(call: Callable[..., Any]) -> None:
    x = leaf([1.0, 2.0])
    y = call(x)
    assert y.tolist() == [3, 6]
    assert torch.grad(y.sum(), x)[0].tolist() == [3, 3]
    assert scaled(x).tolist() == [2, 4]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: scaled(), "scaled() missing required argument 'x'"),
        (lambda x: scaled(x, m=3), "unexpected keyword argument 'm'; it takes x, n, dim, keepdim"),
        (lambda x: scaled(x, 3, n=3), "scaled() got multiple values for argument 'n'"),
        (lambda x: scaled(x, input=x), "scaled() got multiple values for argument 'x'"),
        (lambda x: scaled(x, axis=0, dim=0), "got multiple values for argument 'dim'"),
        (lambda x: scaled(x, 1, 0, False, 5),
         "scaled() takes 4 arguments (x, n, dim, keepdim) but 5 were given"),
    ],
)  # fmt: skip
def test_calls_that_do_not_fit(call: Callable[..., Any], message: str) -> None:
    with pytest.raises(TypeError) as caught:
        call(leaf([1.0]))
    assert message in str(caught.value)


def test_the_second_tensor_is_other() -> None:
    @op(da=lambda dy: dy, db=lambda dy: -dy)
    def difference(a: Any, b: Any, n: int = 1) -> Any:
        return a - b

    x, y = leaf([3.0]), leaf([1.0])
    for z in (difference(x, other=y), difference(other=y, input=x), difference(b=y, a=x)):
        assert z.item() == 2


# Several tensors, several outputs -----------------------------------------------------------------


@op(dxs=lambda dy, i, weight, xs_shape: dy * weight**i * len(xs_shape))
def weighed(*xs: Any, weight: float = 2.0) -> Any:
    return sum(x * weight**i for i, x in enumerate(xs)) * len(xs)


def test_a_list_of_tensors() -> None:
    x, y, constant = leaf([1.0]), leaf([1.0]), torch.ones(1)
    z = weighed(x, constant, y)
    assert z.item() == 3 * (1 + 2 + 4)
    z.backward()
    assert (x.grad.item(), y.grad.item()) == (3, 12)
    assert z.grad_fn._kept[1] is None
    assert torch.grad(weighed(x, y, weight=5), y)[0].item() == 10
    assert gradgradcheck(weighed, (leaf([1.0, 2.0]), leaf([3.0, 4.0])))
    with pytest.raises(TypeError, match="unexpected keyword argument 'wait'"):
        weighed(x, wait=3)


def test_an_optional_tensor() -> None:
    @op(dx=lambda dy: dy, dbias=lambda dy: dy)
    def shifted(x: Any, bias: Any = None, n: int = 0) -> Any:
        return x if bias is None else x + bias

    x, bias = leaf([1.0]), leaf([2.0])
    assert torch.grad(shifted(x), x)[0].item() == 1
    assert torch.grad(shifted(x, None), x)[0].item() == 1
    assert torch.grad(shifted(x, bias), bias)[0].item() == 1


def test_several_outputs() -> None:
    @op(dx=lambda dy: dy[0] + 10 * dy[1])
    def both(x: Any) -> Any:
        return x * 1, x * 10

    x = leaf([1.0, 2.0])
    a, b = both(x)
    assert (a.grad_fn, a.output_nr, b.output_nr) == (b.grad_fn, 0, 1)
    for y, expected in ((a, 1), (b, 10), (a + b, 11), (b * 2, 20)):
        assert torch.grad(y.sum(), x, retain_graph=True)[0].tolist() == [expected] * 2
    assert torch.grad([a.sum(), b.sum()], x, retain_graph=True)[0].tolist() == [11] * 2
    assert torch.grad(a.sum(), b, allow_unused=True) == (None,)  # not zeros: it was not used
    assert gradgradcheck(both, leaf([1.0, 2.0]))


def test_whole_numbers_among_several_outputs() -> None:
    @op(dx=lambda dy: dy[0])
    def with_count(x: Any) -> Any:
        return x * 1, np.arange(x.size)

    value, count = with_count(leaf([1.0, 2.0]))
    assert value.requires_grad
    assert not count.requires_grad
    assert count.dtype is torch.int64
    value.sum().backward()


# Views, broadcasting, dtypes ----------------------------------------------------------------------


def test_a_view_is_known_as_one() -> None:
    @linear(dx=lambda dy, x_shape: np.zeros(x_shape), view=True)
    def tail(x: Any, n: int) -> Any:
        return x[n:]

    @linear(dx=lambda dy: dy, view=True)
    def copied(x: Any) -> Any:
        return x.copy()

    base = torch.arange(4.0)
    assert tail(base, 1)._is_view()
    assert tail(base, 1)._base is base
    assert not copied(base)._is_view()
    tail(base, 2).zero_()
    assert base.tolist() == [0, 1, 0, 0]
    assert base._version == 1


def test_in_place_on_a_view_finds_its_way_back() -> None:
    @linear(dx=lambda dy, x_shape, n: padded(dy, x_shape, n), view=True)
    def tail(x: Any, n: int) -> Any:
        return x[n:]

    @linear(dx=lambda dy, n: tail(dy, n))
    def padded(x: Any, shape: Any, n: int) -> Any:
        y = np.zeros(shape)
        y[n:] = x
        return y

    x = leaf([1.0, 2.0, 3.0])
    y = x * 1
    tail(y, 1).mul_(5)
    assert y.tolist() == [1, 10, 15]
    (y * y).sum().backward()
    assert x.grad.tolist() == [2, 2 * 2 * 25, 2 * 3 * 25]


def test_broadcasting_is_undone_on_the_edge() -> None:
    @bilinear(da=lambda dy, b: dy * b, db=lambda dy, a: dy * a)
    def product(a: Any, b: Any) -> Any:
        return a * b

    a, b = leaf([[1.0], [2.0]]), leaf([3.0, 4.0, 5.0])
    product(a, b).sum().backward()
    assert a.grad.tolist() == [[12], [12]]
    assert b.grad.tolist() == [3, 3, 3]
    number = leaf(2.0)
    product(number, b).sum().backward()
    assert number.grad.item() == 12
    assert gradgradcheck(product, (a, b))
    with pytest.raises(RuntimeError, match=r"product of shapes \(2, 1\) and \(3, 2\)"):
        product(a, torch.ones(3, 2))


@pytest.mark.parametrize("other", [torch.float16, torch.float32, torch.float64, torch.int64])
def test_each_gradient_has_the_dtype_of_its_input(other: Any) -> None:
    @elementwise(da=lambda dy, b: dy * b, db=lambda dy, a: dy * a)
    def product(a: Any, b: Any) -> Any:
        return a * b

    a, b = leaf([2.0], torch.float32), torch.tensor([3], dtype=other)
    if other.is_floating_point:
        b.requires_grad_()
    y = product(a, b)
    assert y.dtype is torch.promote_types(torch.float32, other)
    y.backward()
    assert (a.grad.item(), a.grad.dtype) == (3, torch.float32)
    if b.requires_grad:
        assert (b.grad.item(), b.grad.dtype) == (2, other)


def test_whole_numbers_computed_as_floats_or_refused() -> None:
    @elementwise(dx=lambda dy: dy / 2, floats=True)
    def half(x: Any) -> Any:
        return x / 2

    @elementwise(dx=lambda dy: dy, kinds="f")
    def fine(x: Any) -> Any:
        return x

    whole = torch.tensor([1, 2])
    assert half(whole).dtype is torch.float32
    torch.set_default_dtype(torch.float64)
    try:
        assert half(whole).dtype is torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    with pytest.raises(NotImplementedError, match="\"fine\" not implemented for 'Long': it takes"):
        fine(whole)


def test_an_operation_without_derivative() -> None:
    @op(tensors=2)
    def larger(a: Any, b: Any) -> Any:
        return a > b

    x = leaf([1.0, 3.0])
    mask = larger(x, torch.tensor([2.0, 2.0]))
    assert mask.tolist() == [False, True]
    assert not mask.requires_grad
    with pytest.raises(RuntimeError, match=r"cut by larger\(\), which has no derivative at .*py:"):
        mask.sum().backward()


# The kinds that promise more ----------------------------------------------------------------------


def test_linear_operations_are_declared_so() -> None:
    """⟨Lx, y⟩ = ⟨x, Lᵀy⟩, for an adjoint written as an operation with an adjoint of its own."""

    @linear(dx=lambda dy: spread(dy))
    def gathered(x: Any) -> Any:
        return x[..., ::2] + x[..., 1::2]

    @linear(dx=lambda dy: gathered(dy))
    def spread(x: Any) -> Any:
        return np.repeat(x, 2, -1)

    assert gathered.op.kind == spread.op.kind == "linear"
    x, y = np.arange(4.0), np.array([3.0, 5.0])
    assert np.vdot(gathered(x), y) == np.vdot(x, spread(y))
    for function, size in ((gathered, 4), (spread, 2)):
        assert gradcheck(function, leaf(np.arange(float(size)).tolist()))
        assert gradgradcheck(function, leaf(np.arange(float(size)).tolist()))


# Where it was written -----------------------------------------------------------------------------


def here() -> str:
    frame = sys._getframe(1)
    return f"{__file__}:{frame.f_lineno}  "


def test_a_node_knows_the_users_line() -> None:
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    y, place = x * 2, here()
    assert y.grad_fn.where() == place + "y, place = x * 2, here()"
    for y, place in (
        (x @ x, here()),
        (2 - x, here()),
        (x.sum(0), here()),
        (torch.softmax(x, dim=0), here()),
        (torch.cat((x, x)), here()),
        (x[0], here()),
        (x[[0, 1]], here()),
        (x.std(), here()),
        (torch.nn.functional.cross_entropy(x, torch.tensor([0, 1])), here()),
    ):
        assert y.grad_fn.where().startswith(place), y.grad_fn


def test_through_modules_and_in_place_too() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.BatchNorm1d(3), nn.Linear(3, 1))
    y, place = model(torch.ones(4, 2)), here()
    node = y.grad_fn
    while node.next_functions:
        assert node.where().startswith(place), node
        node = next(n for n, _ in node.next_functions if n is not None)
    z = y * 1
    z += 1
    z, place = z.mul_(3), here()
    assert z.grad_fn.where().startswith(place)
    z[0] = 5
    assert z.grad_fn.where().startswith(f"{__file__}:")


def test_a_leaf_was_written_nowhere() -> None:
    x = leaf([1.0])
    assert (x * 1).grad_fn.next_functions[0][0].where() == "a leaf tensor"


def test_an_error_in_a_rule_names_operation_and_line() -> None:
    @op(dx=lambda dy: dy.no_such_thing)
    def broken(x: Any) -> Any:
        return x * 1

    y, place = broken(leaf([1.0])), here()
    with pytest.raises(AttributeError) as caught:
        y.backward()
    (note,) = caught.value.__notes__
    assert note.startswith(f"(in the backward of BrokenBackward, for the operation at {place}")


def test_a_gradient_that_does_not_fit_names_them_too() -> None:
    @op(dx=lambda dy: np.ones(3))
    def broken(x: Any) -> Any:
        return x * 1

    with pytest.raises(RuntimeError, match=r"got shape \[3\] but expected .* \[2\]") as caught:
        broken(leaf([1.0, 2.0])).sum().backward()
    assert "BrokenBackward" in caught.value.__notes__[0]
