"""The corners of backward: who is asked, who may change a gradient, who shares memory with whom.

Written in PyTorch's words; `SUBJECT=torch pytest` shows that PyTorch answers alike.
"""

from __future__ import annotations

import copy
import pickle
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from compare import OURS, SUBJECT

pytestmark = pytest.mark.filterwarnings(
    "ignore:Using backward.. with create_graph=True"
)  # which PyTorch advises against

torch, autograd = OURS.torch, OURS.autograd
Function, grad = autograd.Function, autograd.grad


def leaf(values: Any, dtype: Any = torch.float64) -> Any:
    return torch.tensor(values, dtype=dtype, requires_grad=True)


class Scale(Function):
    """5x, which counts how often it was differentiated."""

    backwards = 0

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x * 5

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        Scale.backwards += 1
        return dy * 5


# Who is asked -------------------------------------------------------------------------------------


def test_a_root_that_leads_nowhere_wanted_is_left_alone() -> None:
    x, y = leaf(1.0), leaf(2.0)
    calls = []
    unwanted = Scale.apply(y)
    unwanted.register_hook(calls.append)
    freed = y * y
    freed.backward()
    before = Scale.backwards
    assert grad([x * 2, unwanted, freed], x)[0].item() == 2
    assert (Scale.backwards, calls) == (before, [])


def test_an_output_that_was_not_used_has_no_gradient() -> None:
    x = leaf([1.0, 2.0])
    a, b = (x * 1).split(1)
    assert grad(a.sum(), b, allow_unused=True, retain_graph=True) == (None,)
    assert grad(a.sum(), b, materialize_grads=True, retain_graph=True)[0].tolist() == [0]
    with pytest.raises(RuntimeError, match=r"appears? to not have been used in the graph"):
        grad(a.sum(), b)


def test_an_input_named_twice_counts_once() -> None:
    x = leaf(2.0)
    (x * x).backward(inputs=[x, x])
    assert x.grad.item() == 4
    assert [g.item() for g in grad(x * x, [x, x])] == [4, 4]


def test_an_intermediate_result_named_as_input_retains_its_gradient() -> None:
    x = leaf(2.0)
    y = x * x
    (y * 3).backward(inputs=[y], retain_graph=True)
    assert (y.grad.item(), x.grad, y.retains_grad) == (3, None, True)
    y.backward()
    assert (y.grad.item(), x.grad.item()) == (4, 4)


def test_a_leaf_that_was_switched_off_since_gets_none() -> None:
    x, y = leaf(2.0), leaf(3.0)
    z = x * y
    x.requires_grad_(False)
    z.backward()
    assert (x.grad, y.grad.item()) == (None, 2)


# Hooks --------------------------------------------------------------------------------------------


def test_a_gradient_asked_for_is_caught_before_the_node_changes_it() -> None:
    x = leaf(2.0)
    y = x * x
    y.register_hook(lambda g: g + 1)  # a change of the tensor's gradient
    y.grad_fn.register_prehook(lambda grads: (grads[0] * 10,))  # a change of what the node does
    (of_y,) = grad(y * 3, y, retain_graph=True)
    assert of_y.item() == 4
    assert grad(y * 3, x, retain_graph=True)[0].item() == 4 * 40
    accumulator = y.grad_fn.next_functions[0][0]
    accumulator.register_prehook(lambda grads: (grads[0] * 10,))
    assert grad(y * 3, x, retain_graph=True)[0].item() == 4 * 40
    (y * 3).backward()
    assert x.grad.item() == 4 * 400


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize(
    ("wrong", "kind", "message"),
    [
        (lambda g: g.float(), RuntimeError, "changed the type of value"),
        (lambda g: g.sum(), RuntimeError, "changed the size of value"),
        (lambda g: g.expand(3, 2), RuntimeError, "changed the size of value"),
        (lambda g: 2.0, TypeError, "Tensor|Variable"),
        (lambda g: [g], TypeError, "Tensor|Variable"),
    ],
)  # fmt: skip
def test_hooks_are_held_to_shape_and_dtype(
    create_graph: bool, wrong: Callable[[Any], Any], kind: type[Exception], message: str
) -> None:
    def each(hook_up: Callable[[Any], Any]) -> None:
        x = leaf([1.0, 2.0])
        y = x * 2
        hook_up(y)
        with pytest.raises(kind, match=message):
            y.sum().backward(create_graph=create_graph)

    each(lambda y: y.register_hook(wrong))
    each(lambda y: y.grad_fn.register_prehook(lambda grads: (wrong(grads[0]),)))
    each(lambda y: y.grad_fn.register_hook(lambda inner, _: (wrong(inner[0]), *inner[1:])))


@pytest.mark.parametrize("many", [0, 2])
def test_hooks_of_nodes_are_held_to_their_number(many: int) -> None:
    y = leaf([1.0, 2.0]) * 2
    y.grad_fn.register_prehook(lambda grads: grads * many)
    with pytest.raises(RuntimeError, match=f"incorrect number of values .got {many}, but expected"):
        y.sum().backward()


def test_what_a_hook_of_a_node_sees_fits_the_inputs() -> None:
    seen: list[Any] = []
    a, b = leaf([[1.0], [2.0]]), leaf([1.0, 2.0, 3.0])
    y = a * b
    y.grad_fn.register_hook(lambda inner, outer: seen.extend([*inner, *outer]))
    y.sum().backward()
    assert [tuple(g.shape) for g in seen] == [(2, 1), (3,), (2, 3)]


def test_a_hook_of_an_output_that_was_not_used() -> None:
    a, b = (leaf([1.0, 2.0]) * 1).split(1)
    seen = []
    if SUBJECT != "torch":  # which calls it with None
        b.register_hook(seen.append)
    b.retain_grad()
    a.sum().backward()
    assert (seen, b.grad) == ([], None) or SUBJECT == "torch"


def test_hooks_on_and_off() -> None:
    y = leaf(1.0) * 2
    seen: list[Any] = []
    handles = [y.register_hook(lambda g, i=i: seen.append(i)) for i in range(3)]
    handles[1].remove()
    handles[1].remove()  # harmless
    with handles[0]:
        y.backward(retain_graph=True)
    y.backward()
    assert seen == [0, 2, 2]


def test_retained_gradients_follow_in_place_changes_of_views() -> None:
    x = leaf([1.0, 2.0])
    base = x * 2
    view = base[0]
    view.retain_grad()
    base.retain_grad()
    view.mul_(3)
    base.sum().backward()
    assert base.grad.tolist() == [1, 1]  # of its new value
    assert view.grad is None  # whose new value base.sum() does not come from
    assert x.grad.tolist() == [6, 2]


# Backward within backward -------------------------------------------------------------------------


def test_backward_in_a_hook() -> None:
    x, w = leaf(2.0), leaf(5.0)

    def hook(g: Any) -> None:
        with torch.enable_grad():
            (w * w * w).backward()

    y = x * w
    y.register_hook(hook)
    (y * 3).backward()
    assert (x.grad.item(), w.grad.item()) == (15, 75 + 6)
    assert torch.is_grad_enabled()


def test_checkpointing_by_hand() -> None:
    class Recomputed(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, w: Any) -> Any:
            ctx.save_for_backward(x, w)
            return (x * w).exp()

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            x, w = (t.detach().requires_grad_() for t in ctx.saved_tensors)
            with torch.enable_grad():
                y = (x * w).exp()
            y.backward(dy)
            return x.grad, w.grad

    x, w = leaf([0.5, 1.0]), leaf([2.0, 3.0])
    expected = grad((x * w).exp().sum(), (x, w))
    y = x
    found = grad(Recomputed.apply(y, w).sum(), (x, w))
    assert [g.tolist() for g in found] == [g.tolist() for g in expected]


# Gradients that accumulate ------------------------------------------------------------------------


@pytest.mark.parametrize("value", [3.0, [3.0]])
def test_what_uses_a_gradient_notices_its_accumulation(value: Any) -> None:
    x, w = leaf(value), leaf(value)
    (x * x).sum().backward()
    h = x.grad * w
    (x * 2).sum().backward()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        h.sum().backward()


@pytest.mark.parametrize("value", [3.0, [3.0]])
def test_accumulation_into_a_gradient_with_a_graph(value: Any) -> None:
    x = leaf(value)
    (x**3).sum().backward(create_graph=True)
    g = x.grad
    h = (g * g).sum()
    (x * 2).sum().backward()
    assert x.grad is g
    assert g.sum().item() == 29
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        h.backward()


def test_a_gradient_is_nobody_elses_memory() -> None:
    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    seen: list[Any] = []
    y = x + w  # whose rules pass on the very gradient
    y.register_hook(seen.append)
    y.retain_grad()
    v = torch.tensor([1.0, 1.0], dtype=torch.float64)
    y.backward(v)
    for t in (x.grad, w.grad, y.grad, v):
        t.mul_(10)
    assert [t.tolist() for t in (x.grad, w.grad, y.grad, v)] == [[10, 10]] * 4


def test_a_gradient_lies_in_memory_as_its_leaf() -> None:
    transposed = torch.ones(2, 3).t().requires_grad_()
    last = torch.ones(2, 4, 5, 3).permute(0, 3, 1, 2).requires_grad_()
    gaps = torch.ones(3, 4)[:, ::2].requires_grad_()
    for x, steps in ((transposed, (1, 3)), (last, (60, 1, 15, 3)), (gaps, (2, 1))):
        for use in (lambda x: x.sum(), lambda x: (x * torch.ones(x.shape)).sum()):
            x.grad = None
            use(x).backward()
            assert x.grad.stride() == steps
            assert (x.grad == 1).all()


def test_gradients_with_a_graph_are_nobody_elses_memory_either() -> None:
    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    y = x + w
    y.retain_grad()
    v = torch.tensor([1.0, 1.0], dtype=torch.float64)
    y.backward(v, create_graph=True)
    (x * 3).sum().backward()  # adds to x.grad in place
    assert [t.tolist() for t in (x.grad, w.grad, y.grad, v)] == [[4, 4], [1, 1], [1, 1], [1, 1]]
    x.backward(v, create_graph=True)
    assert x.grad is not v


def test_a_batch_of_gradients() -> None:
    x = leaf([1.0, 2.0])
    y = x * x
    batch = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], dtype=torch.float64)
    (jacobian,) = grad(y, x, batch, is_grads_batched=True, retain_graph=True)
    assert jacobian.tolist() == [[2, 0], [0, 4], [2, 4]]
    unused = leaf([1.0])
    settings = {"is_grads_batched": True, "materialize_grads": True, "retain_graph": True}
    assert not grad(y, unused, batch, **settings)[0].any()
    assert grad(y, unused, batch, is_grads_batched=True, allow_unused=True) == (None,)


def test_only_inputs_is_ignored() -> None:
    x = leaf(2.0)
    with pytest.warns(FutureWarning, match="only_inputs"):
        assert grad(x * x, x, only_inputs=False)[0].item() == 4


# Threads ------------------------------------------------------------------------------------------


@pytest.fixture
def _busy() -> Any:
    """Threads that change places as often as possible."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def in_threads(work: Callable[[int], Any]) -> list[Any]:
    start = threading.Barrier(4)

    def job(i: int) -> Any:
        start.wait(10)
        return work(i)

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(job, range(4)))


@pytest.mark.usefixtures("_busy")
@pytest.mark.parametrize("shape", [(), (16,), (100, 100)])
def test_threads_that_share_a_leaf(shape: tuple[int, ...]) -> None:
    w = torch.ones(shape, dtype=torch.float64).requires_grad_()

    def work(i: int) -> None:
        for _ in range(30):
            (w * 2).sum().backward()

    in_threads(work)
    assert (w.grad == 4 * 30 * 2).all()


@pytest.mark.usefixtures("_busy")
def test_threads_that_meet_at_a_new_leaf() -> None:
    for _ in range(30):
        x = leaf([1.0, 2.0])
        found = in_threads(lambda i, x=x: grad((x * x).sum(), x)[0].tolist())  # type: ignore[misc]
        assert found == [[2, 4]] * 4


@pytest.mark.usefixtures("_busy")
def test_threads_that_share_a_graph() -> None:
    x = leaf([1.0, 2.0])
    y = (x * x).sum()
    in_threads(lambda i: [y.backward(retain_graph=True) for _ in range(20)])
    assert x.grad.tolist() == [160, 320]


# Function -----------------------------------------------------------------------------------------


def test_a_function_that_needs_nothing_kept_can_be_walked_again() -> None:
    x = leaf(1.0)
    y = Scale.apply(x)
    y.backward()
    y.backward()
    assert x.grad.item() == 10


def test_a_function_may_forget_what_it_saved() -> None:
    class Forgetful(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            ctx.calls = 0
            return x * 5

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            ctx.calls += 1
            return dy * ctx.saved_tensors[0] if ctx.calls > 1 else dy

    y = Forgetful.apply(leaf(1.0))
    y.backward()  # without looking at what it saved
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        y.backward()


# `ctx.apply = ...` would break PyTorch's own.
NAMES = ["shape", "dtype", "data", "name", "where", "op", "node", "kept", "hooks", "inputs",
         "outputs", "slots", "args", "saved", "tensors", "function", "variable", "grad", "places",
         "dirty", "pull", "rule", "y", "x"]  # fmt: skip


def test_the_users_names_on_ctx_are_the_users() -> None:
    class Named(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, w: Any) -> Any:
            for name in NAMES:
                setattr(ctx, name, name)
            ctx.save_for_backward(x, w)
            return x * w

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            assert all(getattr(ctx, name) == name for name in NAMES)
            x, w = ctx.saved_tensors
            return dy * w, dy * x

    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    y = Named.apply(x, w)
    assert "NamedBackward" in repr(y)
    assert "NamedBackward" in repr(y.grad_fn)
    y.sum().backward(retain_graph=True)
    assert (x.grad.tolist(), w.grad.tolist()) == ([3, 4], [1, 2])
    y.grad_fn.register_hook(lambda inner, outer: (inner[0],))
    with pytest.raises(RuntimeError, match="incorrect number of values"):
        y.sum().backward()


def test_keyword_arguments() -> None:
    class Power(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, w: Any = 1.0, n: int = 1) -> Any:
            ctx.scale = n
            return x * w * n

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return dy * ctx.scale, dy * 7, None

    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    y = Power.apply(x, n=3, w=w)
    assert y.tolist() == [9, 24]
    y.sum().backward()
    assert x.grad.tolist() == [3, 3]
    with pytest.raises(TypeError, match="unexpected keyword argument 'm'"):
        Power.apply(x, m=3)


def test_setup_context_gets_defaults_too() -> None:
    class Power(Function):
        @staticmethod
        def forward(x: Any, n: int = 2) -> Any:
            return x**n

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
            x, ctx.n = inputs
            ctx.save_for_backward(x)

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            (x,) = ctx.saved_tensors
            return dy * ctx.n * x ** (ctx.n - 1), None

    x = leaf(3.0)
    assert grad(Power.apply(x), x)[0].item() == 6
    assert grad(Power.apply(x, n=3), x)[0].item() == 27


@pytest.mark.parametrize("output", [lambda x: x, lambda x: x.view_as(x), lambda x: x[:1]])
def test_an_output_that_shares_memory_with_the_input(output: Callable[[Any], Any]) -> None:
    class Sharing(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return output(x)

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return torch.zeros(2, dtype=torch.float64) + dy * 5

    x = leaf([1.0, 2.0])
    y = Sharing.apply(x * 1)
    y.sum().backward()
    assert x.grad.tolist() == [5, 5]
    for change in (lambda y, h: y.mul_(2), lambda y, h: y[0].mul_(2)):
        h = x * 1
        with pytest.raises(RuntimeError, match="custom Function"):
            change(Sharing.apply(h), h)
    h = x * 1
    y = Sharing.apply(h)
    h.mul_(2)  # behind its back
    with pytest.raises(RuntimeError, match="custom Function"):
        y.sum().backward()


def test_an_input_returned_as_not_differentiable() -> None:
    class Constant(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.mark_non_differentiable(x)
            return x

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            raise AssertionError

    x = leaf(1.0)
    y = Constant.apply(x)
    assert not y.requires_grad
    assert x.requires_grad


@pytest.mark.parametrize("base", [True, False])
def test_a_view_that_a_function_changes(base: bool) -> None:
    class Doubled(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.mark_dirty(x)
            return x.mul_(2)

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return dy * 2

    x = leaf([1.0, 2.0])
    h = x * 1
    view = h[0]
    assert Doubled.apply(view) is view
    (h.sum() if base else view).backward()
    assert x.grad.tolist() == [2, 1 if base else 0]


# Views and in-place changes -----------------------------------------------------------------------


def test_a_saved_tensor_detached_in_place() -> None:
    w = leaf(3.0)
    h = w * 2
    z = h * h
    h.detach_()
    with pytest.raises(RuntimeError, match="detached in-place"):
        grad(z, w, create_graph=True)


def test_operations_without_derivative_in_place() -> None:
    for change in ("eq_", "gt_", "ne_", "le_"):
        x = leaf([1.0, 2.0])
        h = x * 1
        getattr(h, change)(1.0)
        assert h.requires_grad
        h.sum().backward()
        assert x.grad.tolist() == [0, 0]


def test_a_view_taken_under_no_grad_cannot_follow() -> None:
    for base in (leaf([1.0, 2.0]), leaf([1.0, 2.0]) * 1):
        with torch.no_grad():
            view = base[0]
            base.mul_(3)
            assert (view * 2).item() == 6  # as a constant it can
            view.add_(1)
        assert base.tolist() == [4, 6]
        with pytest.raises(RuntimeError, match="view was created in no_grad mode"):
            view * 2
        assert repr(view) == "tensor(4., dtype=torch.float64, grad_fn=<Invalid>)"


def test_windows_are_views() -> None:
    x, c = leaf([1.0, 2.0, 3.0, 4.0]), leaf(5.0)
    h = x * 1
    windows = h.unfold(0, 2, 2)
    windows[1] = c
    assert h.tolist() == [1, 2, 5, 5]
    h.sum().backward()
    assert (x.grad.tolist(), c.grad.item()) == ([1, 1, 0, 0], 2)


def test_a_part_of_something_stretched_can_be_written() -> None:
    x = torch.tensor([[1.0, 2.0]])
    stretched = x.expand(3, 2)
    stretched[1].mul_(2)
    assert x.tolist() == [[2, 4]]
    with pytest.raises(RuntimeError, match="single memory location"):
        stretched.mul_(2)


# Numbers: tensors without dimensions have memory too ----------------------------------------------


@pytest.mark.parametrize("make", [lambda: torch.tensor(2.0), lambda: torch.ones(2).sum()])
def test_numbers_share_memory(make: Callable[[], Any]) -> None:
    for alias in (
        lambda t: t.data, lambda t: t.detach(), lambda t: t.view(1), lambda t: t.reshape(()),
        lambda t: t.numpy(), lambda t: t[...], lambda t: t.unsqueeze(0), lambda t: t.view_as(t),
    ):  # fmt: skip
        t = make()
        other = alias(t)
        other += 1
        assert t.item() == 3
        t.mul_(2)
        assert other.item() == 6
        t.data.fill_(1)
        assert other.item() == 1


def test_what_data_is_set_to_is_shared() -> None:
    p, a = leaf(2.0), torch.tensor(5.0, dtype=torch.float64)
    p.data = a
    a.add_(1)
    assert p.item() == 6
    p.data = p.data - 1
    p.data.mul_(2)
    assert (p.item(), a.item()) == (10, 6)


COPIES = [
    "clone()", "cumsum(0)", "cumprod(0)", "sort(0)[0]", "flip(0)", "repeat(1)", "roll(1)", "sum(0)",
    "repeat_interleave(1)", "max(0)[0]", "mean()", "prod()", "abs()", "relu()", "round()",
    "clamp(0, 9)", "nan_to_num()", "double()", "pow(1)", "softmax(0)", "unique()", "median()",
    "index_select(0, torch.tensor([0]))", "take(torch.tensor([0]))", "masked_fill(x > 9, 0.)",
    "topk(1, 0)[0]", "kthvalue(1, 0)[0]", "where(x > 0, x)",
]  # fmt: skip


@pytest.mark.parametrize("shape", [(), (3,)])
@pytest.mark.parametrize("operation", COPIES)
def test_what_is_computed_has_its_own_memory(operation: str, shape: tuple[int, ...]) -> None:
    x = torch.full(shape, 2.0)
    eval(f"x.{operation}", {"x": x, "torch": torch}).zero_()
    assert (x == 2).all()


# Copies, subclasses, numbers ----------------------------------------------------------------------


def test_copies_carry_the_users_notes() -> None:
    x = leaf([1.0, 2.0])
    x.note = {"words": [1]}
    x.register_hook(lambda g: g * 100)
    (x * x).sum().backward()
    for y in (copy.deepcopy(x), pickle.loads(pickle.dumps(x.detach().requires_grad_()))):
        assert y.tolist() == [1, 2]
        assert y.requires_grad
        y.grad = None
        (y * y).sum().backward()
        assert y.grad.tolist() == [2, 4]  # hooks stay where they are
    y = copy.deepcopy(x)
    assert y.note == x.note
    assert y.note["words"] is not x.note["words"]
    assert y.grad.tolist() == [200, 400]
    assert pickle.loads(pickle.dumps(torch.tensor(3)))
    x = torch.ones(1)
    x.note = 3
    assert pickle.loads(pickle.dumps(x)).note == 3


def test_a_subclass_stays_in_the_graph() -> None:
    class Special(torch.Tensor):
        pass

    x = leaf([1.0, 2.0], torch.float32)
    for y in (x.as_subclass(Special), Special(x), torch.Tensor(x)):
        assert not y.is_leaf
        assert y.requires_grad
        (y * 3).sum().backward()
    assert type(x.as_subclass(Special)) is Special
    assert x.grad.tolist() == [9, 9]
    plain = torch.ones(2).as_subclass(Special)
    assert plain.is_leaf
    assert plain.requires_grad_().requires_grad


def test_numbers_are_formatted_as_numbers() -> None:
    x = torch.tensor(0.5)
    assert (f"{x}", f"{x:.2f}", str(x)) == ("0.5", "0.50", "tensor(0.5000)")
    assert f"{torch.tensor([0.5])}" == "tensor([0.5000])"
    assert f"{leaf(3.0)}" == "3.0"
    with pytest.raises(TypeError, match="unsupported format string"):
        f"{torch.tensor([0.5]):.2f}"


def test_indices_into_python_lists() -> None:
    words = ["a", "b", "c"]
    assert words[torch.tensor(1)] == "b"
    assert words[torch.tensor([2])] == "c"
    for wrong in (torch.tensor([0, 1]), torch.tensor(1.0)):
        with pytest.raises(TypeError, match="only integer tensors of a single element"):
            words[wrong]


# Backward within backward -------------------------------------------------------------------------


class Countdown(Function):
    """The identity, whose backward calls the backward of a Countdown from one less."""

    @staticmethod
    def forward(ctx: Any, x: Any, count: int) -> Any:
        ctx.count = count
        return x.clone()

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        if ctx.count == 0:
            if Countdown.fails:
                raise KeyError("at the bottom")
            return dy, None
        with torch.enable_grad():
            x = leaf(1.0)
            Countdown.apply(x, ctx.count - 1).backward()
        return dy * x.grad, None

    fails = False


@pytest.mark.parametrize("levels", [1, 100, 500])
def test_backward_within_backward_to_any_depth(levels: int) -> None:
    x = leaf(2.0)
    (Countdown.apply(x, levels) * 3).backward()
    assert x.grad.item() == 3


def test_an_error_at_any_depth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Countdown, "fails", True)
    with pytest.raises(KeyError, match="at the bottom"):
        Countdown.apply(leaf(2.0), 100).backward()
    assert torch.is_grad_enabled()


def test_zero_has_a_gradient_too() -> None:
    x, y = leaf(2.0), leaf(3.0)
    (first,) = grad(x * y, x, create_graph=True)
    (second,) = grad(first, x, create_graph=True, materialize_grads=True)
    (third,) = grad(second, x, materialize_grads=True)
    assert (second.item(), third.item()) == (0, 0)


def test_nodes_can_be_called() -> None:
    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    y = x * w
    dx, dw = y.grad_fn(torch.ones(2, dtype=torch.float64))
    assert (dx.tolist(), dw.tolist()) == ([3, 4], [1, 2])
    assert y.exp().grad_fn(y.detach()).tolist() == (y.exp() * y).tolist()
    with pytest.raises(TypeError, match="expected 1 arguments, got 2 instead"):
        y.grad_fn(x, x)
