"""What the graph promises: backward, grad, flags, modes, hooks, views, in-place changes, Functions.

Written in PyTorch's words; `SUBJECT=torch pytest` shows that PyTorch keeps the same promises.
"""

from __future__ import annotations

import copy
import pickle
import threading
from typing import Any

import numpy as np
import pytest
from compare import OURS, THEIRS, array

pytestmark = pytest.mark.filterwarnings(
    "ignore:Using backward.. with create_graph=True"
)  # which PyTorch advises against

torch, autograd = OURS.torch, OURS.autograd
Function, grad = autograd.Function, autograd.grad


def leaf(values: Any) -> Any:
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def numbers(tensor: Any) -> Any:
    return tensor.tolist()


def node_name(node: Any) -> str:
    return node.name().rstrip("0123456789")


def share_memory(a: Any, b: Any) -> bool:
    return np.shares_memory(array(a), array(b))


class Double(Function):
    """2x, and a count of how often it was differentiated."""

    backwards = 0

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return 2 * x

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        Double.backwards += 1
        return 2 * dy


class Unwanted(Function):
    """Must not be differentiated."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        raise AssertionError("differentiated, though nobody asked for it")


# backward() ---------------------------------------------------------------------------------------


def test_backward_adds_to_the_leaves() -> None:
    x, y, z = leaf(-2.0), leaf(5.0), leaf(-4.0)
    f = (x + y) * z
    f.backward()
    assert (f.item(), x.grad.item(), y.grad.item(), z.grad.item()) == (-12, -4, -4, 3)


def test_backward_with_gradient() -> None:
    x = leaf([1.0, 2.0, 3.0])
    (x * x).backward(torch.tensor([1.0, 10.0, 100.0], dtype=torch.float64))
    assert numbers(x.grad) == [2, 40, 600]
    x.grad = None
    (x * x).backward(gradient=torch.ones_like(x))
    assert numbers(x.grad) == [2, 4, 6]


def test_backward_of_a_one_element_tensor_needs_no_gradient() -> None:
    x = leaf([[3.0]])
    (x * x).backward()
    assert numbers(x.grad) == [[6]]


def test_backward_of_a_leaf() -> None:
    x = leaf(3.0)
    x.backward()
    x.backward()
    assert x.grad.item() == 2


def test_backward_of_several_outputs() -> None:
    x = leaf(2.0)
    a, b = x * x, x * 5
    autograd.backward([a, b, a], [None, torch.tensor(10.0, dtype=torch.float64), None])
    assert x.grad.item() == 4 + 50 + 4


def test_outputs_that_depend_on_each_other() -> None:
    x = leaf(2.0)
    a = x * x
    b = a * a
    autograd.backward([b, a])
    assert x.grad.item() == 4 * 2**3 + 2 * 2


def test_gradients_accumulate() -> None:
    x = leaf([1.0, 2.0])
    for times in (1, 2, 3):
        (x * 3).sum().backward()
        assert numbers(x.grad) == [3 * times] * 2


def test_backward_twice_with_retain_graph() -> None:
    x = leaf(2.0)
    y = x.exp() * x
    y.backward(retain_graph=True)
    once = x.grad.item()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.item() == pytest.approx(3 * once, rel=1e-15)
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()


def test_a_graph_that_keeps_nothing_can_be_walked_again() -> None:
    x = leaf([1.0, 2.0])
    y = (x + 1).sum()
    y.backward()
    y.backward()
    assert numbers(x.grad) == [2, 2]


def test_two_losses_over_one_trunk() -> None:
    x = leaf(2.0)
    trunk = x.exp()
    first, second = trunk * 2, trunk * 3
    first.backward(retain_graph=True)
    second.backward()
    assert x.grad.item() == pytest.approx(5 * np.exp(2.0), rel=1e-15)


def test_backward_to_chosen_inputs_only() -> None:
    x, y = leaf(2.0), leaf(3.0)
    between = x * y
    (between * y).backward(inputs=[y, between])
    assert x.grad is None
    assert y.grad.item() == 2 * 2 * 3
    assert between.grad.item() == 3


def test_backward_does_not_visit_what_leads_to_no_input() -> None:
    x, y = leaf(2.0), leaf(3.0)
    (Unwanted.apply(x) * y).backward(inputs=[y])
    assert y.grad.item() == 2


def test_every_node_runs_once_after_all_its_gradients_came() -> None:
    """A diamond of 2³⁰ paths, and a shortcut from the top to the bottom."""
    Double.backwards = 0
    x = leaf(1.0)
    y = bottom = Double.apply(x)
    for _ in range(30):
        y = y + y
    (y + bottom).backward()
    assert x.grad.item() == 2 * (2**30 + 1)
    assert Double.backwards == 1


def test_backward_under_no_grad() -> None:
    x = leaf(3.0)
    y = x * x
    with torch.no_grad():
        y.backward()
    assert x.grad.item() == 6
    assert not x.grad.requires_grad


def test_backward_within_backward() -> None:
    """A hook may run a graph of its own, as checkpointing does."""
    inner, x = leaf(2.0), leaf(3.0)

    def hook(gradient: Any) -> Any:
        with torch.enable_grad():
            (inner * inner).backward()
        return gradient * 10

    y = x * x
    y.register_hook(hook)
    y.backward()
    assert (inner.grad.item(), x.grad.item()) == (4, 60)


def test_an_error_in_a_rule_reaches_the_caller_and_leaves_no_trace() -> None:
    class Failing(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x.clone()

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            raise ZeroDivisionError("on purpose")

    x = leaf(1.0)
    with pytest.raises(ZeroDivisionError, match="on purpose"):
        Failing.apply(x).backward()
    assert torch.is_grad_enabled()
    assert x.grad is None
    (x * 2).backward()
    assert x.grad.item() == 2


# grad() -------------------------------------------------------------------------------------------


def test_grad_returns_and_touches_no_leaf() -> None:
    x, y = leaf(2.0), leaf(3.0)
    dx, dy = grad(x * y * y, (x, y))
    assert (dx.item(), dy.item()) == (9, 12)
    assert x.grad is None
    assert y.grad is None


def test_grad_of_one_input_is_a_tuple_too() -> None:
    x = leaf(2.0)
    assert numbers(grad(x * x, x)[0]) == 4
    assert isinstance(grad(x * x, x), tuple)


def test_grad_by_an_intermediate_result() -> None:
    x, z = leaf(-2.0), leaf(-4.0)
    q = x + 5
    f = q * z
    assert [g.item() for g in grad(f, (q, z, f, x), retain_graph=True)] == [-4, 3, 1, -4]
    assert [g.item() for g in grad(f, (q, q))] == [-4, -4]


def test_grad_stops_at_the_inputs_asked_for() -> None:
    q = Unwanted.apply(leaf(2.0))
    assert grad(q * q, q)[0].item() == 4


def test_grad_with_grad_outputs() -> None:
    x = leaf([1.0, 2.0])
    v = torch.tensor([10.0, 100.0], dtype=torch.float64)
    assert numbers(grad(x * x, x, v)[0]) == [20, 400]
    assert numbers(grad([x * x, x.sum()], x, [v, None])[0]) == [21, 401]


def test_grad_of_what_is_not_used() -> None:
    x, y = leaf(2.0), leaf([3.0, 4.0])
    with pytest.raises(RuntimeError, match="not have been used"):
        grad(x * x, (x, y))
    assert grad(x * x, (x, y), allow_unused=True)[1] is None
    zeros = grad(x * x, (x, y), materialize_grads=True)[1]
    assert numbers(zeros) == [0, 0]


def test_create_graph_gives_derivatives_of_any_order() -> None:
    x = leaf(2.0)
    y = x**4
    for expected in (32, 48, 48, 24):
        (y,) = grad(y, x, create_graph=True)
        assert y.item() == expected


def test_gradient_of_a_gradient_penalty() -> None:
    """∂/∂w of ‖∂(w·x²)/∂x‖², the way a Wasserstein critic is trained."""
    x, w = leaf([1.0, 2.0]), leaf(3.0)
    (dx,) = grad((w * x**2).sum(), x, create_graph=True)
    (dx**2).sum().backward()
    assert w.grad.item() == 2 * 3 * 4 * (1 + 4)
    assert numbers(x.grad) == [2 * 4 * 9 * 1, 2 * 4 * 9 * 2]


def test_create_graph_makes_grad_a_part_of_the_graph() -> None:
    x = leaf(3.0)
    (x**3).backward(create_graph=True)
    assert x.grad.requires_grad
    assert grad(x.grad, x)[0].item() == 18


def test_without_create_graph_gradients_have_no_history() -> None:
    x = leaf(3.0)
    (g,) = grad(x**3, x)
    assert not g.requires_grad
    assert g.is_leaf


def test_second_gradient_by_grad_outputs() -> None:
    """The gradient is linear in grad_outputs: its derivative by them is the forward one."""
    x, v, tangent = (
        leaf([1.0, 2.0]),
        leaf([0.0, 0.0]),
        torch.tensor([5.0, 7.0], dtype=torch.float64),
    )
    (g,) = grad(x**3, x, v, create_graph=True)
    assert numbers(grad(g, v, tangent)[0]) == [3 * 5, 12 * 7]


# Memory of gradients ------------------------------------------------------------------------------


def test_gradients_share_no_memory() -> None:
    """Neither with each other, nor with the gradient passed in, nor with any input."""
    x, y, v = leaf([1.0, 2.0]), leaf([3.0, 4.0]), torch.tensor([1.0, 1.0], dtype=torch.float64)
    outputs = [x + y, x - y, x.clone() + y.expand(2)]
    if OURS is not THEIRS:  # PyTorch takes a view of the gradient passed in for its own
        outputs += [x + y.view(2), x.reshape(2) + y]
    for output in outputs:
        x.grad = y.grad = None
        output.backward(v)
        tensors = [x, y, x.grad, y.grad, v]
        assert not any(share_memory(a, b) for i, a in enumerate(tensors) for b in tensors[:i])


def test_a_gradient_can_be_written_to() -> None:
    """Also where a rule broadcasts: the gradient of a sum is not one number seen many times."""
    for function in (
        lambda x: x.sum(),
        lambda x: x.mean(),
        lambda x: x.t().sum(1)[0],
        lambda x: x.expand(5, 2, 2).sum(),
    ):
        x = leaf([[1.0, 2.0], [3.0, 4.0]])
        function(x).backward()
        before = array(x.grad).copy()
        x.grad[0, 0] += 100
        before[0, 0] += 100
        np.testing.assert_array_equal(array(x.grad), before)


def test_changing_the_given_gradient_later_changes_nothing() -> None:
    x, v = leaf([1.0, 2.0]), torch.tensor([1.0, 1.0], dtype=torch.float64)
    (x + 0).backward(v)
    v.mul_(7)
    assert numbers(x.grad) == [1, 1]


def test_accumulation_is_in_place() -> None:
    x = leaf([1.0, 2.0])
    (x * 2).sum().backward()
    kept = x.grad
    (x * 3).sum().backward()
    assert x.grad is kept
    assert numbers(kept) == [5, 5]
    x.grad.zero_()
    (x * 3).sum().backward()
    assert x.grad is kept
    assert numbers(kept) == [3, 3]


def test_accumulation_leaves_an_earlier_gradient_of_the_graph_alone() -> None:
    x = leaf([1.0, 2.0])
    (g,) = grad((x**3).sum(), x, create_graph=True)
    x.grad = g
    (x**2).sum().backward(create_graph=True)
    assert numbers(g) == [3, 12]
    assert numbers(x.grad) == [5, 16]


def test_grad_can_be_assigned_and_deleted() -> None:
    x = leaf([1.0, 2.0])
    mine = torch.tensor([10.0, 20.0], dtype=torch.float64)
    x.grad = mine
    (x * 1).sum().backward()
    assert numbers(x.grad) == [11, 21]
    x.grad = None
    assert x.grad is None
    (x * 1).sum().backward()
    assert numbers(mine) == [11, 21]


def test_zero_dimensional_gradients_accumulate() -> None:
    x = leaf(1.0)
    (x * 2).backward()
    kept = x.grad
    (x * 3).backward()
    assert x.grad is kept
    assert kept.item() == 5
    assert kept.shape == ()


def test_unused_leaves_have_no_gradient() -> None:
    x, y = leaf(1.0), leaf(2.0)
    (x * 2 + y.detach()).backward()
    assert y.grad is None


# Flags and the graph ------------------------------------------------------------------------------


def test_leaves() -> None:
    x, constant = leaf([1.0, 2.0]), torch.ones(2)
    assert x.is_leaf
    assert x.requires_grad
    assert x.grad_fn is None
    assert constant.is_leaf
    assert (constant * 2).is_leaf
    assert not (x * 2).is_leaf
    assert (x * 2).requires_grad
    assert x.detach().is_leaf
    assert not x.detach().requires_grad


def test_only_floating_point_results_require_grad() -> None:
    x = leaf([1.0, 2.0])
    for result in (x > 1, x.argmax(), x.long(), x == x, x.isnan()):
        assert not result.requires_grad
        assert result.grad_fn is None
    values, indices = x.max(0)
    assert values.requires_grad
    assert not indices.requires_grad


def test_requires_grad_can_be_set_on_leaves_only() -> None:
    x = torch.ones(2)
    assert x.requires_grad_() is x
    assert x.requires_grad
    x.requires_grad = False
    assert not x.requires_grad
    x.requires_grad_(True)
    y = x * 2
    y.requires_grad_()  # it does already
    with pytest.raises(RuntimeError, match="leaf"):
        y.requires_grad_(False)


def test_the_graph_can_be_walked() -> None:
    x, y = leaf(2.0), leaf(3.0)
    f = (x + y) * x
    assert node_name(f.grad_fn) == "MulBackward"
    (added, slot), (accumulator, _) = f.grad_fn.next_functions
    assert (node_name(added), slot) == ("AddBackward", 0)
    assert node_name(accumulator) in ("AccumulateGrad", "torch::autograd::AccumulateGrad")
    assert accumulator.variable is x
    assert added.next_functions[0][0] is accumulator
    assert added.next_functions[1][0].variable is y
    assert accumulator.next_functions == ()


def test_constants_leave_a_gap_in_the_graph() -> None:
    x = leaf(2.0)
    assert [node is None for node, _ in (x * torch.ones(())).grad_fn.next_functions] == [
        False,
        True,
    ]


def test_outputs_of_one_node_are_numbered() -> None:
    first, second = leaf([2.0, 3.0]).unbind()
    (a, i), (b, j) = (first * second).grad_fn.next_functions
    assert a is b
    assert (i, j) == (0, 1)
    assert second.output_nr == 1


# fmt: off
NODE_NAMES = [
    ("x + 1", "Add"), ("x - 1", "Sub"), ("x * 2", "Mul"), ("x / 2", "Div"), ("x ** 3", "Pow"),
    ("-x", "Neg"), ("x.exp()", "Exp"),
    ("x.sum()", "Sum"), ("x.mean()", "Mean"), ("x.relu()", "Relu"),
    ("x.sigmoid()", "Sigmoid"), ("x.tanh()", "Tanh"),
    ("x.clone()", "Clone"), ("x.unsqueeze(0)", "Unsqueeze"), ("torch.cat((x, x))", "Cat"),
    ("torch.stack((x, x))", "Stack"),
]
# fmt: on


@pytest.mark.parametrize(("expression", "name"), NODE_NAMES)
def test_names_of_nodes(expression: str, name: str) -> None:
    assert (
        node_name(OURS.evaluate(expression, {"x": leaf([[1.0, 2.0]])}).grad_fn) == f"{name}Backward"
    )


# Modes --------------------------------------------------------------------------------------------


def test_no_grad_records_nothing_and_changes_no_tensor() -> None:
    x = leaf(2.0)
    with torch.no_grad():
        y = x * x
        assert not torch.is_grad_enabled()
        assert x.requires_grad
        assert torch.ones(2, requires_grad=True).requires_grad
        with torch.enable_grad():
            z = x * x
    assert torch.is_grad_enabled()
    assert not y.requires_grad
    assert y.is_leaf
    assert z.requires_grad


def test_modes_are_restored_after_an_exception() -> None:
    with pytest.raises(KeyError), torch.no_grad():
        raise KeyError
    assert torch.is_grad_enabled()


def test_no_grad_as_decorator_also_of_recursive_functions() -> None:
    @torch.no_grad()
    def power(x: Any, n: int) -> Any:
        return power(x, n - 1) * x if n else x * 0 + 1

    x = leaf(2.0)
    assert not power(x, 3).requires_grad
    assert torch.is_grad_enabled()
    assert power.__name__ == "power"


def test_no_grad_decorates_generators() -> None:
    @torch.no_grad()
    def generator(x: Any) -> Any:
        received = yield x * x
        yield torch.is_grad_enabled(), received

    running = generator(leaf(2.0))
    assert not next(running).requires_grad
    assert torch.is_grad_enabled()
    assert running.send("seen") == (False, "seen")
    assert torch.is_grad_enabled()
    running.close()
    assert torch.is_grad_enabled()


def test_set_grad_enabled_as_call_context_and_decorator() -> None:
    try:
        torch.set_grad_enabled(False)
        assert not torch.is_grad_enabled()
        with torch.set_grad_enabled(True):
            assert torch.is_grad_enabled()
        assert not torch.is_grad_enabled()
    finally:
        torch.set_grad_enabled(True)

    @torch.set_grad_enabled(False)
    def silent(x: Any) -> Any:
        return x * x

    assert torch.is_grad_enabled()
    assert not silent(leaf(2.0)).requires_grad
    assert torch.is_grad_enabled()


def test_one_switch_can_be_nested_in_itself() -> None:
    switch = torch.no_grad()
    with switch:
        pass
    with switch:
        assert not torch.is_grad_enabled()
    assert torch.is_grad_enabled()


def test_modes_belong_to_their_thread() -> None:
    seen = []
    with torch.no_grad():
        thread = threading.Thread(target=lambda: seen.append(torch.is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]


def test_detach_shares_memory_but_no_history() -> None:
    x = leaf([1.0, 2.0])
    y = x * 3
    d = y.detach()
    assert share_memory(d, y)
    assert not d.requires_grad
    (d * x).sum().backward()
    assert numbers(x.grad) == [3, 6]


def test_detach_in_place() -> None:
    x = leaf(2.0)
    y = x * x
    assert y.detach_() is y
    assert not y.requires_grad
    assert y.is_leaf


# Hooks --------------------------------------------------------------------------------------------


def test_a_hook_on_a_leaf_sees_and_may_replace_the_whole_gradient() -> None:
    x, seen = leaf(2.0), []
    x.register_hook(lambda g: seen.append(g.item()))
    x.register_hook(lambda g: g * 10)
    x.register_hook(lambda g: seen.append(g.item()))
    (x * x + x).backward()
    assert seen == [5, 50]
    assert x.grad.item() == 50


def test_a_hook_on_an_intermediate_result_acts_on_all_before_it() -> None:
    x = leaf(2.0)
    y = x * 3
    y.register_hook(lambda g: g * 100)
    y.retain_grad()
    y.register_hook(lambda g: g + 1)
    (y * 5).backward()
    assert x.grad.item() == 3 * 501
    assert y.grad.item() == 501


def test_hooks_can_be_removed() -> None:
    x, seen = leaf(2.0), []
    handle = x.register_hook(lambda g: seen.append("removed"))
    with x.register_hook(lambda g: seen.append("context")):
        handle.remove()
        handle.remove()
        (x * 2).backward()
    (x * 2).backward()
    assert seen == ["context"]


def test_hooks_run_for_grad_too() -> None:
    x = leaf(2.0)
    y = x * x
    x.register_hook(lambda g: g * 10)
    y.register_hook(lambda g: g * 3)
    assert grad(y, x, retain_graph=True)[0].item() == 120
    assert grad(y, y)[0].item() == 3


def test_hooks_take_part_in_higher_derivatives() -> None:
    x = leaf(2.0)
    y = x**3
    y.register_hook(lambda g: g * x)
    (g,) = grad(y, x, create_graph=True)
    assert g.item() == 3 * 2**3
    assert grad(g, x)[0].item() == 9 * 2**2


def test_the_last_word_on_a_leaf_belongs_to_post_accumulate_hooks() -> None:
    x, seen = leaf([1.0, 2.0]), []

    def step(p: Any) -> None:
        seen.append(numbers(p.grad))
        with torch.no_grad():
            p -= 0.5 * p.grad
        p.grad = None

    handle = x.register_post_accumulate_grad_hook(step)
    (x * x).sum().backward()
    (x * x).sum().backward()
    assert numbers(x) == [0, 0]
    assert x.grad is None
    assert seen == [[2, 4], [0, 0]]
    handle.remove()
    (x * x).sum().backward()
    assert x.grad is not None


def test_hooks_of_nodes() -> None:
    x, y, seen = leaf(2.0), leaf(3.0), []
    f = x * y

    def before(outer: Any) -> Any:
        seen.append(("before", [g.item() for g in outer]))
        return (outer[0] * 10,)

    def after(inner: Any, outer: Any) -> Any:
        seen.append(("after", [g.item() for g in inner], [g.item() for g in outer]))
        return inner[0] + 1, inner[1]

    f.grad_fn.register_hook(after)
    f.grad_fn.register_prehook(before)
    f.register_hook(lambda g: seen.append(("tensor", g.item())))
    f.backward()
    assert seen == [("tensor", 1), ("before", [1]), ("after", [30, 20], [10])]
    assert (x.grad.item(), y.grad.item()) == (31, 20)


def test_hooks_of_nodes_with_gaps() -> None:
    x, seen = leaf(2.0), []
    f = x * torch.tensor(3.0, dtype=torch.float64)
    f.grad_fn.register_hook(lambda inner, outer: seen.append([g is None for g in inner]))
    f.backward()
    assert seen == [[False, True]]


def test_a_hook_of_an_accumulator() -> None:
    x, seen = leaf(2.0), []
    f = x * x
    accumulator = f.grad_fn.next_functions[0][0]
    accumulator.register_hook(
        lambda inner, outer: seen.append((inner, outer[0].item(), x.grad.item()))
    )
    f.backward()
    assert seen == [((), 4, 4)]


def test_retain_grad() -> None:
    x = leaf(2.0)
    y = x * x
    y.retain_grad()
    y.retain_grad()
    assert y.retains_grad
    x.retain_grad()
    assert not x.retains_grad
    z = y * 3
    z.backward(retain_graph=True)
    z.backward()
    assert y.grad.item() == 6
    assert x.grad.item() == 24


def test_hooks_stay_with_the_value_they_were_registered_on() -> None:
    """retain_grad moves on to the value after an in-place change; other hooks do not."""
    x, seen = leaf(2.0), []
    y = x * 2
    y.register_hook(lambda g: seen.append(g.item()))
    y.retain_grad()
    y.mul_(3)
    y.backward()
    assert seen == [3]
    assert y.grad.item() == 1
    assert x.grad.item() == 6


# In-place changes ---------------------------------------------------------------------------------


def test_in_place_chain() -> None:
    x = leaf([1.0, 2.0])
    y = x.clone()
    same = y
    y += x
    y *= 3
    y.sub_(1).div_(2)
    assert y is same
    assert node_name(y.grad_fn) == "DivBackward"
    y.sum().backward()
    assert numbers(y) == [2.5, 5.5]
    assert numbers(x.grad) == [3, 3]


def test_a_leaf_refuses_and_under_no_grad_allows() -> None:
    x = leaf([1.0, 2.0])
    with pytest.raises(RuntimeError, match="leaf"):
        x.add_(1)
    with pytest.raises(RuntimeError, match="leaf"):
        x[0] = 5
    with pytest.raises(RuntimeError, match="leaf"):
        x.view(2).mul_(2)
    assert numbers(x) == [1, 2]
    with torch.no_grad():
        x.add_(1)
        x[0] = 5
    assert numbers(x) == [5, 3]
    assert x.is_leaf
    assert x.requires_grad


def test_a_constant_written_into_becomes_part_of_the_graph() -> None:
    x, board = leaf([1.0, 2.0]), torch.zeros(3, dtype=torch.float64)
    board[1:] = x * 2
    assert board.requires_grad
    assert not board.is_leaf
    (board * torch.tensor([1.0, 10.0, 100.0], dtype=torch.float64)).sum().backward()
    assert numbers(x.grad) == [20, 200]


def test_a_view_of_a_constant_written_into() -> None:
    x, board = leaf(3.0), torch.ones(2, 2, dtype=torch.float64)
    row = board[0]
    row.mul_(x)
    assert board.requires_grad
    board.sum().backward()
    assert numbers(board) == [[3, 3], [1, 1]]
    assert x.grad.item() == 2


def test_in_place_on_a_view_changes_the_base() -> None:
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    y = x * 1
    y[0].mul_(10)
    assert numbers(y) == [[10, 20], [3, 4]]
    y.sum().backward()
    assert numbers(x.grad) == [[10, 10], [1, 1]]


def test_in_place_on_the_base_changes_its_views() -> None:
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    y = x * 1
    row = y[1]
    y.mul_(10)
    assert numbers(row) == [30, 40]
    row.sum().backward()
    assert numbers(x.grad) == [[0, 0], [10, 10]]


def test_in_place_on_a_view_changes_the_other_views() -> None:
    x = leaf([1.0, 2.0, 3.0])
    y = x * 1
    head, tail = y[:2], y[1:]
    head.mul_(10)
    tail.pow_(2)
    assert numbers(y) == [10, 400, 9]
    head.sum().backward()
    assert numbers(x.grad) == [10, 2 * 20 * 10, 0]


def test_a_chain_of_views() -> None:
    x = leaf(np.arange(6.0).reshape(2, 3))
    y = x * 1
    corner = y.t()[1:].view_as(y.t()[1:])[0][1:]
    corner.mul_(100)
    assert numbers(y) == [[0, 1, 2], [3, 400, 5]]
    y.sum().backward()
    assert numbers(x.grad) == [[1, 1, 1], [1, 100, 1]]


# fmt: off
VIEWS = [
    "y.t()", "y.view(-1)", "y.transpose(0, 1)[1]", "y[:, 1:]",
    "y[..., None]", "y.unsqueeze(0)", "y.squeeze()",
    "y.diagonal()", "y.permute(1, 0)", "y.narrow(0, 0, 1)",
    "y.select(1, 0)", "y[1]", "y.flatten()[::2]", "y.detach()",
    "y.reshape(4)", "y.expand(2, 2)", "y.movedim(0, 1)",
    "y.unflatten(0, (1, 2))", "y.view(2, 2)", "y.T", "y.mT",
    "y.split(1)[0]", "y.unbind()[0]", "y.chunk(2)[1]",
    "y.swapaxes(0, 1)", "y.view_as(y)"
]
# fmt: on


@pytest.mark.parametrize("view", VIEWS)
def test_views_share_memory(view: str) -> None:
    y = leaf([[1.0, 2.0], [3.0, 4.0]]) * 1
    assert share_memory(OURS.evaluate(view, {"y": y}), y)


# fmt: off
COPIES = [
    "y.clone()", "y.t().reshape(4)", "y[[0, 1]]", "y[y > 0]",
    "y + 0", "y.repeat(1, 1)", "y.flip(0)",
    "y.t().contiguous()", "y.tril()", "y.t().flatten()"
]
# fmt: on


@pytest.mark.parametrize("copied", COPIES)
def test_copies_share_no_memory(copied: str) -> None:
    y = leaf([[1.0, 2.0], [3.0, 4.0]]) * 1
    assert not share_memory(OURS.evaluate(copied, {"y": y}), y)


def test_several_views_at_once_cannot_be_changed() -> None:
    """Of split, chunk and unbind PyTorch allows no in-place change under gradients."""
    for split in ("y.unbind()", "y.split(1)", "y.chunk(2)"):
        y = leaf([1.0, 2.0]) * 1
        with pytest.raises(RuntimeError, match="multiple views"):
            OURS.evaluate(split, {"y": y})[0].mul_(2)


def test_a_view_made_under_no_grad_cannot_be_changed_outside() -> None:
    y = leaf([1.0, 2.0]) * 1
    with torch.no_grad():
        head = y[:1]
    with pytest.raises(RuntimeError, match="no_grad"):
        head.mul_(2)


def test_expanded_memory_cannot_be_written() -> None:
    with pytest.raises(RuntimeError, match=r"clone|more than one element"):
        torch.ones(1).expand(3).add_(1)
    with pytest.raises(RuntimeError, match=r"clone|more than one element"):
        torch.ones(1).expand(3).copy_(torch.arange(3.0))


def test_versions_count_changes_and_are_shared() -> None:
    y = torch.zeros(2, 2)
    assert y._version == 0
    row, detached = y[0], y.detach()
    y.add_(1)
    row.mul_(2)
    detached[0, 0] = 5
    assert y._version == row._version == detached._version == 3
    y.data.zero_()
    assert y._version == 3
    assert y.clone()._version == 0


# fmt: off
SAVES = [
    ("torch.exp(y)", "out"), ("torch.tanh(y)", "out"), ("torch.sigmoid(y)", "out"),
    ("torch.sqrt(y)", "out"), ("torch.softmax(y, 0)", "out"),
    ("y * y", "in"), ("y * x", "in"), ("torch.sin(y)", "in"), ("torch.log(y)", "in"),
    ("y ** 3", "in"), ("y @ y", "in"), ("y / x", "in"),
    ("x / y", "in"), ("torch.relu(y)", "out"), ("y + y", None), ("y.sum()", None), ("y * 3", None),
    ("y - x", None), ("y.view(1, -1)", None),
    ("torch.cat((y, y))", None), ("y.mean()", None), ("torch.abs(y)", "in"),
    ("torch.maximum(x, y)", "in"), ("torch.var(y)", "in"),
]
# fmt: on


@pytest.mark.parametrize(("function", "change"), SAVES)
def test_what_is_saved_is_guarded(function: str, change: str | None) -> None:
    """Changing what a rule needs is an error in backward; changing what it does not need is not."""
    x = leaf([1.0, 2.0])
    for changed in ("in", "out"):
        y = x * 2
        out = OURS.evaluate(function, {"x": x, "y": y})
        with torch.no_grad():
            (y if changed == "in" else out).add_(1)
        if changed == change:
            with pytest.raises(RuntimeError, match="modified by an inplace operation"):
                out.sum().backward()
        else:
            out.sum().backward()


def test_a_change_through_an_alias_is_noticed() -> None:
    x = leaf([1.0, 2.0])
    for alias in ("y.detach()", "y[0]", "y.view(2, 1)"):
        y = x * 2
        z = y * y
        with torch.no_grad():
            OURS.evaluate(alias, {"y": y}).zero_()
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            z.sum().backward()


def test_a_change_of_a_leaf_between_forward_and_backward_is_noticed() -> None:
    w, x = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    loss = (w * x).sum()
    with torch.no_grad():
        w -= 0.1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_a_change_that_is_not_needed_is_no_error() -> None:
    """Only the gradient of x needs y, and nobody asks for it."""
    x, y = torch.ones(2, dtype=torch.float64), leaf([1.0, 2.0]) * 1
    z = (x * y).sum()
    with torch.no_grad():
        y.zero_()
    z.backward()


def test_a_product_with_itself_in_place() -> None:
    y = leaf([1.0, 2.0]) * 1
    y.mul_(y)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_changing_data_goes_unnoticed() -> None:
    x = leaf([1.0, 2.0])
    y = x * 1
    z = (y * y).sum()
    y.data.mul_(10)
    z.backward()
    assert numbers(x.grad) == [20, 40]


def test_assignment_takes_and_gives_gradients() -> None:
    x, v = leaf([1.0, 2.0, 3.0]), leaf([10.0])
    y = x * 2
    y[:2] = v
    y[2] += v[0]
    assert numbers(y) == [10, 10, 16]
    (y * torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)).sum().backward()
    assert numbers(x.grad) == [0, 0, 6]
    assert numbers(v.grad) == [1 + 2 + 3]


def test_assignment_by_mask_and_by_indices() -> None:
    x, v = leaf([1.0, 2.0, 3.0, 4.0]), leaf(7.0)
    y = x * 1
    y[y > 2.5] = v
    y[torch.tensor([0, 0])] = v * 2
    assert numbers(y) == [14, 2, 7, 7]
    (y * torch.tensor([1.0, 10.0, 100.0, 1000.0], dtype=torch.float64)).sum().backward()
    assert numbers(x.grad) == [0, 10, 0, 0]


def test_rows_can_be_swapped() -> None:
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    y = x * 1
    y[[0, 1]] = y[[1, 0]]
    assert numbers(y) == [[3, 4], [1, 2]]
    y[0].sum().backward()
    assert numbers(x.grad) == [[0, 0], [1, 1]]


def test_copy_keeps_the_dtype_of_each_side() -> None:
    single, double = torch.zeros(2), leaf([1.0, 2.0])
    single.copy_(double)
    assert single.dtype == torch.float32
    (single * 3).sum().backward()
    assert numbers(double.grad) == [3, 3]
    assert double.grad.dtype == torch.float64


def test_zero_and_fill_cut_the_past() -> None:
    x = leaf([1.0, 2.0])
    for change in ("zero_()", "fill_(3.)"):
        x.grad = None
        y = x * 2
        OURS.evaluate(f"y.{change}", {"y": y})
        (y * x).sum().backward()
        assert numbers(x.grad) == numbers(y)


def test_double_backward_through_in_place_changes() -> None:
    x = leaf([1.0, 2.0])
    y = x**2
    y[0] = y[0] * 3
    y.mul_(2)
    (g,) = grad(y.sum(), x, create_graph=True)
    assert numbers(g) == [12, 8]
    assert numbers(grad(g.sum(), x)[0]) == [12, 4]


# Function -----------------------------------------------------------------------------------------


class Cube(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (x,) = ctx.saved_tensors
        return 3 * x**2 * dy


class CubeInTwoSteps(Function):
    """The same in the newer form: forward without ctx, and setup_context."""

    @staticmethod
    def forward(x: Any) -> Any:
        return x**3

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        return 3 * ctx.saved_tensors[0] ** 2 * dy


@pytest.mark.parametrize("cube", [Cube, CubeInTwoSteps])
def test_function_to_any_order(cube: Any) -> None:
    x = leaf(2.0)
    y = cube.apply(x)
    assert y.item() == 8
    assert node_name(y.grad_fn) == f"{cube.__name__}Backward"
    (g,) = grad(y, x, create_graph=True)
    (h,) = grad(g, x)
    assert (g.item(), h.item()) == (12, 12)
    assert autograd.gradcheck(cube.apply, (leaf([1.0, -2.0]),))
    assert autograd.gradgradcheck(cube.apply, (leaf([1.0, -2.0]),))


def test_function_without_graph() -> None:
    assert not Cube.apply(torch.ones(2)).requires_grad
    with torch.no_grad():
        assert not Cube.apply(leaf(2.0)).requires_grad


def test_function_forward_records_nothing() -> None:
    class Curious(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.enabled = torch.is_grad_enabled()
            ctx.inside = (x * x).requires_grad
            return x * x

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            assert not ctx.enabled
            assert not ctx.inside
            assert not torch.is_grad_enabled()
            return dy * 5

    x = leaf(2.0)
    Curious.apply(x).backward()
    assert x.grad.item() == 5


def test_function_with_settings_and_needs_input_grad() -> None:
    seen = []

    class Scale(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, factor: float, y: Any, label: str = "none") -> Any:
            ctx.factor = factor
            ctx.save_for_backward(x, y)
            return x * y * factor

        @staticmethod
        def backward(ctx: Any, dout: Any) -> Any:
            seen.append(ctx.needs_input_grad)
            x, y = ctx.saved_tensors
            by_y = dout * x * ctx.factor if ctx.needs_input_grad[2] else None
            return dout * y * ctx.factor, None, by_y, None

    x, y = leaf(2.0), leaf(3.0)
    Scale.apply(x, 10.0, y, "label").backward()
    assert (x.grad.item(), y.grad.item()) == (30, 20)
    Scale.apply(x, 10.0, y.detach(), "label").backward()
    assert seen == [(True, False, True, False), (True, False, False, False)]


def test_function_with_several_outputs() -> None:
    class SumAndDifference(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            return x + y, x - y

        @staticmethod
        def backward(ctx: Any, plus: Any, minus: Any) -> Any:
            return plus + minus, plus - minus

    x, y = leaf(2.0), leaf(3.0)
    total, difference = SumAndDifference.apply(x, y)
    (total * 10 + difference).backward()
    assert (x.grad.item(), y.grad.item()) == (11, 9)
    x.grad = y.grad = None
    SumAndDifference.apply(x, y)[1].backward()  # the unused output arrives as zeros
    assert (x.grad.item(), y.grad.item()) == (1, -1)


def test_function_without_materialized_gradients() -> None:
    seen = []

    class Two(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.set_materialize_grads(False)
            return x.clone(), x.clone()

        @staticmethod
        def backward(ctx: Any, first: Any, second: Any) -> Any:
            seen.append((first is None, second is None))
            return second

    x = leaf(2.0)
    Two.apply(x)[1].backward()
    assert seen == [(True, False)]
    assert x.grad.item() == 1


def test_function_with_a_non_differentiable_output() -> None:
    class SortedWithOrder(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            order = x.argsort()
            ctx.mark_non_differentiable(order)
            ctx.save_for_backward(order)
            ctx.n = x.shape[0]
            return x[order], order

        @staticmethod
        def backward(ctx: Any, dy: Any, unused: Any) -> Any:
            (order,) = ctx.saved_tensors
            dx = torch.zeros(ctx.n, dtype=dy.dtype)
            dx[order] = dy
            return dx

    x = leaf([3.0, 1.0, 2.0])
    y, order = SortedWithOrder.apply(x)
    assert not order.requires_grad
    (y * torch.tensor([1.0, 10.0, 100.0], dtype=torch.float64)).sum().backward()
    assert numbers(x.grad) == [100, 1, 10]


def test_function_that_changes_its_input() -> None:
    class DoubleInPlace(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            x.mul_(2)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return dy * 2

    x = leaf([1.0, 2.0])
    y = x * 1
    before = y._version
    z = DoubleInPlace.apply(y)
    assert z is y
    assert y._version > before
    (y * y).sum().backward()
    assert numbers(x.grad) == [8, 16]
    with pytest.raises(RuntimeError, match="leaf"):
        DoubleInPlace.apply(x)


def test_function_that_is_differentiable_once() -> None:
    once_differentiable = (
        OURS.autograd.function.once_differentiable
        if hasattr(OURS.autograd, "function")
        else OURS.autograd.once_differentiable
    )

    class Once(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @once_differentiable
        def backward(ctx: Any, dy: Any) -> Any:
            return 2 * ctx.saved_tensors[0] * dy

    x = leaf(3.0)
    assert grad(Once.apply(x), x)[0].item() == 6
    (g,) = grad(Once.apply(x) * x, x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        g.backward()


def test_function_may_save_its_output() -> None:
    class Exp(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return dy * ctx.saved_tensors[0]

    x = leaf(0.5)
    y = Exp.apply(x)
    (g,) = grad(y, x, create_graph=True)
    (h,) = grad(g, x)
    assert g.item() == h.item() == y.item()
    y = Exp.apply(x)
    with torch.no_grad():
        y.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_function_saves_are_guarded_and_freed() -> None:
    x = leaf([1.0, 2.0])
    y = x * 1
    z = Cube.apply(y).sum()
    with torch.no_grad():
        y.zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.backward()
    z = Cube.apply(x).sum()
    z.backward()
    with pytest.raises(RuntimeError, match="second time"):
        z.backward()


def test_function_must_return_as_many_gradients_as_inputs() -> None:
    class Wrong(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            return x * y

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return dy, dy, dy

    with pytest.raises(RuntimeError, match="incorrect number of gradients"):
        Wrong.apply(leaf(1.0), leaf(2.0)).backward()


def test_function_may_return_none_for_any_input() -> None:
    class Blocks(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            return x * y

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return None, dy

    x, y = leaf(1.0), leaf(2.0)
    Blocks.apply(x, y).backward()
    assert x.grad is None
    assert y.grad.item() == 1


def test_function_gradients_must_fit_their_inputs() -> None:
    class Ill(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 1

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return dy.repeat(2)

    with pytest.raises(RuntimeError, match="shape"):
        Ill.apply(leaf([1.0, 2.0])).sum().backward()


def test_function_that_returns_its_input() -> None:
    class Identity(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return dy * 7

    x = leaf(2.0)
    y = Identity.apply(x)
    assert y is not x
    y.backward()
    assert x.grad.item() == 7
    assert x.is_leaf


def test_straight_through_estimator() -> None:
    class Round(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x.round()

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return dy

    x = leaf([0.4, 0.6])
    y = Round.apply(x)
    (y * y).sum().backward()
    assert numbers(x.grad) == [0, 2]


# gradcheck ----------------------------------------------------------------------------------------


def test_gradcheck_finds_a_wrong_rule() -> None:
    class WrongCube(Cube):
        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return 3 * ctx.saved_tensors[0] * dy

    x = leaf([1.5, -2.0])
    with pytest.raises(RuntimeError, match="Jacobian mismatch"):
        autograd.gradcheck(WrongCube.apply, (x,))
    assert not autograd.gradcheck(WrongCube.apply, (x,), raise_exception=False)


def test_gradgradcheck_finds_a_rule_that_forgets_its_graph() -> None:
    class DetachedCube(Cube):
        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return 3 * ctx.saved_tensors[0].detach() ** 2 * dy

    x = leaf([1.5, -2.0])
    assert autograd.gradcheck(DetachedCube.apply, (x,))
    with pytest.raises(RuntimeError, match="Jacobian mismatch"):
        autograd.gradgradcheck(DetachedCube.apply, (x,))


def test_gradcheck_of_several_inputs_and_outputs() -> None:
    assert autograd.gradcheck(
        lambda x, y, n: (x * y, (x * n).sum()), (leaf([1.0, 2.0]), leaf(3.0), 2)
    )


# Copies of leaves ---------------------------------------------------------------------------------


def test_leaves_can_be_copied_and_pickled() -> None:
    x = leaf([1.0, 2.0])
    (x * 3).sum().backward()
    for twin in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert twin.requires_grad
        assert twin.is_leaf
        assert numbers(twin) == [1, 2]
        assert not share_memory(twin, x)
    assert numbers(copy.deepcopy(x).grad) == [3, 3]
    with pytest.raises(RuntimeError, match=r"leaves|leaf"):
        copy.deepcopy(x * 2)


def test_shared_leaves_stay_shared_in_a_copy() -> None:
    x = leaf([1.0, 2.0])
    first, second = copy.deepcopy([x, x])
    assert first is second


# Operators ----------------------------------------------------------------------------------------


def test_operators_leave_strangers_to_their_own_class() -> None:
    class Stranger:
        def __radd__(self, other: Any) -> str:
            return "radd"

        def __rmul__(self, other: Any) -> str:
            return "rmul"

        def __gt__(self, other: Any) -> str:
            return "gt"

    x = leaf([1.0, 2.0])
    assert (x + Stranger(), x * Stranger(), x < Stranger()) == ("radd", "rmul", "gt")
    for stranger in (None, "a", [1.0, 2.0], Stranger):
        assert (x == stranger) is False
        assert (x != stranger) is True
        with pytest.raises(TypeError):
            x - stranger
        with pytest.raises(TypeError):
            stranger - x
    assert x not in [None, "a"]
