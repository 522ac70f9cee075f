"""What users write themselves: `Function`, its ctx, and what is checked of what it returns."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from compare import OURS
from tables import better_than_torch

torch, autograd = OURS.torch, OURS.autograd
Function, grad = autograd.Function, autograd.grad


def leaf(values: Any) -> Any:
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def doubling(backward: Callable[..., Any]) -> Any:
    """A Function that doubles x, with this backward."""

    class Doubled(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, *others: Any) -> Any:
            return x * 2

    Doubled.backward = staticmethod(backward)
    return Doubled


# What backward returns ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("returned", "others", "message"),
    [
        (lambda ctx, dy: torch.ones(10), (), r"expected shape compatible with \[2, 2\]"),
        (lambda ctx, dy: torch.ones(3, 2, 3), (), "expected shape compatible with"),
        (lambda ctx, dy: dy, (1,), "returned an incorrect number of gradients"),
        (lambda ctx, dy: (dy, dy), (), "returned an incorrect number of gradients"),
        (lambda ctx, dy: 3.0, (), "(got float)|None"),
        (lambda ctx, dy: (dy, dy), (5,), "returned a gradient different than None at position 2"),
    ],
)
def test_wrong_gradients_are_refused(
    returned: Callable[..., Any], others: tuple[Any, ...], message: str
) -> None:
    y = doubling(returned).apply(leaf([[1.0, 2.0], [3.0, 4.0]]), *others)
    with pytest.raises(RuntimeError, match=message):
        y.sum().backward()


@pytest.mark.parametrize(
    ("returned", "others", "expected"),
    [
        (lambda ctx, dy: (dy, None, None), (), [1, 1]),  # more than needed, but nothing
        (lambda ctx, dy: (dy, dy), (torch.ones(2),), [1, 1]),  # one that nobody needs
        (lambda ctx, dy: dy.float(), (), [1, 1]),
        (lambda ctx, dy: torch.ones(3, 2), (), [3, 3]),  # broadcasting undone
        (lambda ctx, dy: None, (), None),
    ],
)
def test_gradients_that_can_be_made_to_fit(
    returned: Callable[..., Any], others: tuple[Any, ...], expected: Any
) -> None:
    x = leaf([1.0, 2.0])
    doubling(returned).apply(x, *others).sum().backward()
    assert expected is None if x.grad is None else x.grad.tolist() == expected
    assert x.grad is None or x.grad.dtype == torch.float64


def test_no_gradient_is_no_zero() -> None:
    x = leaf([1.0])
    nothing = doubling(lambda ctx, dy: None)
    nothing.apply(x**2).sum().backward()
    assert x.grad is None
    assert grad(nothing.apply(x), x, allow_unused=True) == (None,)
    with pytest.raises(RuntimeError, match="not have been used"):
        grad(nothing.apply(x), x)
    (nothing.apply(x * x) * x).sum().backward()
    assert x.grad.item() == 2


# Arguments and outputs of any kind ----------------------------------------------------------------


def test_arguments_and_outputs_that_are_no_tensors() -> None:
    class Mixed(Function):
        @staticmethod
        def forward(ctx: Any, a: Any, scale: Any, b: Any) -> Any:
            ctx.save_for_backward(a, b)
            ctx.scale = scale
            return scale, a * b * scale, None, "text", a

        @staticmethod
        def backward(ctx: Any, *gradients: Any) -> Any:
            assert [g is None for g in gradients] == [True, False, True, True, False]
            _, b = ctx.saved_tensors
            return gradients[1] * b * ctx.scale + gradients[4], None, None

    a, b = leaf([1.0, 2.0]), torch.ones(2, dtype=torch.float64) * 3
    scale, product, none, text, same = Mixed.apply(a, 5, b)
    assert (scale, none, text) == (5, None, "text")
    (product.sum() + same.sum()).backward()
    assert a.grad.tolist() == [16, 16]


def test_an_output_returned_twice_is_one_tensor() -> None:
    class Twice(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            y = x * 2
            return y, y

        @staticmethod
        def backward(ctx: Any, first: Any, second: Any) -> Any:
            return first * 2 + second * 2

    x = leaf([1.0, 2.0])
    a, b = Twice.apply(x)
    assert a is b
    (a + b).sum().backward()
    assert x.grad.tolist() == [4, 4]


def test_a_view_changed_in_place_is_the_only_output() -> None:
    class Changed(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.mark_dirty(x.mul_(2))
            return x, x.sum()

        @staticmethod
        def backward(ctx: Any, dx: Any, total: Any) -> Any:
            return dx * 2 + total * 2

    x = leaf([1.0, 2.0])
    changed, total = Changed.apply(x.clone())
    (changed.sum() + total).backward()
    assert x.grad.tolist() == [4, 4]
    with pytest.raises(RuntimeError, match="view"):
        Changed.apply(x.clone()[:1])


def test_zeros_or_none_for_outputs_that_were_not_used() -> None:
    seen = []

    class Pair(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, materialized: bool) -> Any:
            ctx.set_materialize_grads(materialized)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx: Any, first: Any, second: Any) -> Any:
            seen.append([None if g is None else g.tolist() for g in (first, second)])
            return first * 2, None

    for materialized in (True, False):
        Pair.apply(leaf([1.0]), materialized)[0].sum().backward()
    assert seen == [[[1.0], [0.0]], [[1.0], None]]


# What must be written, and what is not called -----------------------------------------------------


def test_what_is_not_implemented() -> None:
    class Empty(Function):
        pass

    with pytest.raises(NotImplementedError, match="forward"):
        Empty.apply(leaf(1.0))

    class OneWay(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

    with pytest.raises(NotImplementedError, match="backward or vjp"):
        OneWay.apply(leaf(1.0)).backward()

    class TwoWays(OneWay):
        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return dy * 2

        @staticmethod
        def vjp(ctx: Any, dy: Any) -> Any:
            return dy * 2

    with pytest.raises(RuntimeError, match="only implement one"):
        TwoWays.apply(leaf(1.0)).backward()


def test_backward_may_be_called_vjp() -> None:
    class Doubled(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def vjp(ctx: Any, dy: Any) -> Any:
            return dy * 2

    x = leaf(1.0)
    Doubled.apply(x).backward()
    assert x.grad.item() == 2


def test_functions_are_not_instantiated() -> None:
    doubled = doubling(lambda ctx, dy: dy * 2)
    with pytest.warns(DeprecationWarning, match="should not be instantiated"):
        instance = doubled()
    with pytest.raises(RuntimeError, match="Legacy autograd function"):
        instance(leaf(1.0))


# The ctx ------------------------------------------------------------------------------------------


def test_the_ctx_is_the_users() -> None:
    names = ["_shape", "_dtype", "_inputs", "_data", "_kept", "_hooks", "_slots", "_op", "_places"]

    class Named(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            for name in names:
                setattr(ctx, name, name)
            return x * 2

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            assert [getattr(ctx, name) for name in names] == names
            return dy * 2

    x = leaf([1.0, 2.0])
    Named.apply(x).sum().backward()
    assert x.grad.tolist() == [2, 2]


def test_the_node_hands_on_what_the_ctx_has() -> None:
    class Scaled(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, scale: float) -> Any:
            ctx.scale = scale
            ctx.save_for_backward(x)
            return x * scale

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return dy * ctx.scale, None

    x = leaf([1.0])
    node = Scaled.apply(x, 3).grad_fn
    assert node.scale == 3
    assert node.saved_tensors[0] is x
    assert node.needs_input_grad == (True, False)
    assert node.name() == "ScaledBackward"
    with pytest.raises(AttributeError):
        _ = node.nothing


def test_a_ctx_that_outlives_its_graph() -> None:
    kept = []

    class Keeping(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            kept.append(ctx)
            return x * 2

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return dy * ctx.saved_tensors[0]

    Keeping.apply(leaf([1.0])).sum().backward()
    with pytest.raises(RuntimeError, match="already been freed"):
        _ = kept[0].saved_tensors


# Derivatives of higher order through what forward stored ------------------------------------------


def square_with(store: Callable[[Any, Any], None], use: Callable[[Any], Any]) -> Any:
    class Square(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            y = x * x
            store(ctx, x)
            ctx.output = y
            return y

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return dy * use(ctx)

    return Square


def keep_double(ctx: Any, x: Any) -> None:
    ctx.double = x * 2


def save_double(ctx: Any, x: Any) -> None:
    ctx.save_for_backward(x * 2)


def keep_a_list(ctx: Any, x: Any) -> None:
    ctx.things = {"list": [x.exp().log() * 2]}


STORED = {
    "an attribute": (keep_double, lambda ctx: ctx.double),
    "a saved tensor": (save_double, lambda ctx: ctx.saved_tensors[0]),
    "in a list": (keep_a_list, lambda ctx: ctx.things["list"][0]),
}


@better_than_torch
@pytest.mark.parametrize("how", STORED)
def test_an_intermediate_result_of_forward_has_no_second_derivative(how: str) -> None:
    square = square_with(*STORED[how])
    x = leaf([3.0])
    square.apply(x).sum().backward()
    assert x.grad.tolist() == [6]
    (g,) = grad(square.apply(x).sum(), x, create_graph=True)
    assert g.tolist() == [6]
    with pytest.raises(RuntimeError, match="a derivative of higher order is missing"):
        grad(g, x)
    with autograd.graph.saved_tensors_hooks(lambda t: t.clone(), lambda t: t):
        y = square.apply(x)
    (g,) = grad(y.sum(), x, create_graph=True)
    assert g.tolist() == [6]
    with pytest.raises(RuntimeError, match="a derivative of higher order is missing"):
        grad(g, x)


def test_what_loses_no_derivative_is_allowed() -> None:
    def store(ctx: Any, x: Any) -> None:
        ctx.x = x
        ctx.sign = x.sign()
        ctx.mask = (x.exp() > 1).double() * (x != 0)
        ctx.steps = torch.floor(x * 2)
        ctx.explicit = x.detach() * 2
        ctx.constant = torch.full((1,), 2.0, dtype=torch.float64)

    square = square_with(
        store, lambda ctx: ctx.x.abs() * ctx.sign * ctx.mask * ctx.constant + 0 * ctx.steps
    )
    x = leaf([3.0])
    (g,) = grad(square.apply(x).sum(), x, create_graph=True)
    assert grad(g, x)[0].tolist() == [2]
    constant = square_with(store, lambda ctx: ctx.explicit)
    (g,) = grad(constant.apply(x).sum() + x**2, x, create_graph=True)
    assert grad(g, x)[0].tolist() == [2]  # detached by the user, and so a constant


def test_what_is_missing_matters_only_where_it_is_asked_for() -> None:
    square = square_with(*STORED["an attribute"])
    x, dy = leaf([3.0]), leaf([1.0])
    (g,) = grad(square.apply(x), x, dy, create_graph=True)
    assert grad(g, dy)[0].tolist() == [6]


def test_what_backward_notes_on_ctx_stays() -> None:
    class Noted(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.log, ctx.counts, ctx.half = [x * 2], {"calls": 0}, x / 2
            ctx.input = x
            return x * x

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            ctx.counts["calls"] += 1
            ctx.half = None
            return dy * 2 * ctx.input

    x = leaf([3.0])
    y = Noted.apply(x)
    node = y.grad_fn
    for _ in range(2):
        grad(y, x, create_graph=True)
    assert node.counts == {"calls": 2}
    assert node.half is None
    assert not node.log[0].requires_grad


def test_an_output_stored_on_ctx_is_the_output() -> None:
    class Exp(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.y = x.exp()
            return ctx.y

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return dy * ctx.y

    x = leaf([1.0])
    y = Exp.apply(x)
    (g,) = grad(y, x, create_graph=True)
    (h,) = grad(g, x, create_graph=True)
    assert h.item() == pytest.approx(y.item())


@better_than_torch
def test_a_stored_output_makes_no_cycle() -> None:
    square = square_with(keep_double, lambda ctx: ctx.output)

    def scope() -> list[weakref.ref[Any]]:
        x = leaf([3.0])
        y = square.apply(x)
        grad(y, x, create_graph=True)
        return [weakref.ref(x), weakref.ref(y), weakref.ref(y.grad_fn)]

    gc.disable()
    try:
        assert [reference() for reference in scope()] == [None] * 3
    finally:
        gc.enable()


# In place -----------------------------------------------------------------------------------------


class Increment(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.mark_dirty(x.add_(1))
        ctx.save_for_backward(x)
        return x

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        return dy * ctx.saved_tensors[0]


def test_a_saved_output_that_is_a_view_makes_no_cycle() -> None:
    def scope() -> list[weakref.ref[Any]]:
        x = leaf([1.0, 2.0])
        base = x * 1
        view = base.view(2, 1)
        changed = Increment.apply(view)
        changed.sum().backward(retain_graph=True)
        assert x.grad.tolist() == [2, 3]
        return [weakref.ref(base), weakref.ref(view)]

    gc.disable()
    try:
        assert [reference() for reference in scope()] == [None, None]
    finally:
        gc.enable()


def test_what_may_not_be_changed() -> None:
    x = leaf([1.0, 2.0])
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        Increment.apply(x)
    with pytest.raises(RuntimeError, match="a view of a leaf Variable"):
        Increment.apply(x.view(2, 1))
    with pytest.raises(RuntimeError, match=r"returns? multiple views"):
        Increment.apply(x.clone().unbind()[0])


@pytest.mark.parametrize("view", [False, True])
def test_only_inputs_are_marked_dirty(view: bool) -> None:
    class Wrong(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            y = x * 2
            y = y.view(2, 1) if view else y
            ctx.mark_dirty(y)
            return y

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return dy * 2

    if view:
        with pytest.raises(RuntimeError, match="not an input"):
            Wrong.apply(leaf([1.0, 2.0]))
    else:
        with pytest.warns(UserWarning, match="not an input"):
            Wrong.apply(leaf([1.0, 2.0]))
