"""What operations keep for backward can be looked at, and passes through the users' hooks."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from compare import OURS
from tables import better_than_torch

torch, autograd = OURS.torch, OURS.autograd
saved_tensors_hooks = autograd.graph.saved_tensors_hooks


def leaf(values: Any) -> Any:
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def same(t: Any) -> Any:
    return t


class Cube(autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        square = x * x
        y = square * x
        ctx.save_for_backward(x, y, None)
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        x, y, _ = ctx.saved_tensors
        return 3 * y / x * dy


PROGRAMS: dict[str, Callable[[Any], Any]] = {
    "inputs": lambda x: x * (x + 1) * x,
    "outputs": lambda x: x.exp().tanh(),
    "both": lambda x: x**3 / (1 + x).sqrt(),
    "reductions": lambda x: x.prod() + x.norm() + x.logsumexp(0),
    "several outputs": lambda x: x.sort()[0] * torch.var_mean(x)[0],
    "indices": lambda x: x[torch.tensor([0, 0, 1])] * x.max(),
    "views": lambda x: x.view(3, 1) * x[1:],
    "in place": lambda x: (x * 2).mul_(x).exp_(),
    "a Function": Cube.apply,
    "matrices": lambda x: torch.outer(x, x) @ x,
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_hooks_change_nothing_if_unpack_undoes_pack(program: str) -> None:
    def derivatives() -> list[Any]:
        x = leaf([0.5, 2.0, 1.5])
        y = PROGRAMS[program](x).sum()
        (g,) = autograd.grad(y, x, create_graph=True)
        (h,) = autograd.grad((g * g).sum(), x, retain_graph=True)
        y.backward()
        return [g.detach().numpy(), h.numpy(), x.grad.numpy()]

    def pack(t: Any) -> Any:
        assert not torch.is_grad_enabled()
        packed.append(t.detach().numpy().copy())
        return len(packed) - 1

    expected, packed = derivatives(), []
    with saved_tensors_hooks(pack, lambda i: torch.tensor(packed[i])):
        found = derivatives()
    assert packed
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs)


def test_what_is_unpacked_is_what_backward_uses() -> None:
    x = leaf([1.0, 2.0])
    with saved_tensors_hooks(lambda t: t * 2, same):
        y = x * x
    y.sum().backward()
    assert x.grad.tolist() == [4.0, 8.0]


def test_something_kept_twice_under_one_name_is_packed_once() -> None:
    count: list[int] = []
    x = leaf([2.0, 3.0])
    with saved_tensors_hooks(lambda t: count.append(1) or t.clone(), same):
        y = x / (x + 1)  # keeps both, its denominator for either derivative
    assert len(count) == 2
    y.sum().backward()


def test_the_innermost_hooks_count() -> None:
    log: list[str] = []

    def hooks(name: str) -> Any:
        return saved_tensors_hooks(lambda t: log.append(name) or t.detach(), same)

    x = leaf([1.0])
    with hooks("outer"):
        x.exp()
        with hooks("inner"):
            x.exp()
        x.exp()
    x.exp()
    assert log == ["outer", "inner", "outer"]


def test_hooks_belong_to_their_thread() -> None:
    log: list[Any] = []
    x = leaf([1.0])
    with saved_tensors_hooks(lambda t: log.append(t) or t, same):
        thread = threading.Thread(target=lambda: (x * x).sum().backward())
        thread.start()
        thread.join()
    assert not log
    assert x.grad.item() == 2


def test_an_unpacked_leaf_is_still_the_leaf() -> None:
    x = leaf([2.0, 3.0])
    with saved_tensors_hooks(lambda t: t.detach().clone(), same):
        y = x**3
    saved = y.grad_fn._saved_self
    assert (saved.is_leaf, saved.requires_grad, saved.tolist()) == (True, True, [2.0, 3.0])
    (g,) = autograd.grad(y.sum(), x, create_graph=True)
    g.sum().backward()
    assert x.grad.tolist() == [12.0, 18.0]


def test_a_pack_hook_may_not_change_its_argument() -> None:
    with (
        pytest.raises(RuntimeError, match="pack hook is modifying its input in place"),
        saved_tensors_hooks(lambda t: t.mul_(2), same),
    ):
        leaf([1.0]).exp()


def test_an_unpack_hook_returns_a_tensor() -> None:
    with saved_tensors_hooks(lambda t: 1, same):
        y = leaf(1.0).exp()
    with pytest.raises(TypeError, match="expected to be a Tensor but got result of type"):
        y.backward()


def test_an_error_in_a_hook_reaches_the_caller() -> None:
    def refuse(t: Any) -> Any:
        raise KeyError("no room")

    x = leaf([1.0])
    with pytest.raises(KeyError, match="no room"), saved_tensors_hooks(refuse, same):
        x.exp()
    x.exp().sum().backward()  # and leaves no trace
    assert torch.is_grad_enabled()


@better_than_torch
def test_hooks_that_keep_the_very_memory_notice_changes() -> None:
    x = leaf([1.0]) * 1
    with saved_tensors_hooks(same, same):
        y = x * x
    x.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_hooks_can_be_forbidden() -> None:
    forbidden = autograd.graph.disable_saved_tensors_hooks
    with (
        forbidden("not here"),
        pytest.raises(RuntimeError, match="not here"),
        saved_tensors_hooks(same, same),
    ):
        pass
    with (
        saved_tensors_hooks(same, same),
        pytest.raises(RuntimeError, match="nor here"),
        forbidden("nor here"),
    ):
        pass
    with forbidden("outer"):
        with forbidden("inner"):
            pass
        with pytest.raises(RuntimeError, match="outer"), saved_tensors_hooks(same, same):
            pass
    with saved_tensors_hooks(same, same):
        leaf([1.0]).exp()


def test_save_on_cpu() -> None:
    x = leaf([1.0, 2.0])
    with autograd.graph.save_on_cpu():
        y = x * x
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 4.0]


def test_mutation_allowed() -> None:
    x = leaf([1.0, 2.0])
    with autograd.graph.allow_mutation_on_saved_tensors():
        y = x * 1
        loss = (y**2).sum() + y.exp().mul_(2).sum()
        y.zero_()
        loss.backward(retain_graph=True)
    np.testing.assert_allclose(x.grad, 2 * x.detach() + 2 * x.detach().exp())
    with pytest.raises(AssertionError, match="allow_mutation_on_saved_tensors"):
        loss.backward()


# Attributes of nodes ------------------------------------------------------------------------------


def test_saved_attributes() -> None:
    a, b = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    product = (a * 2) * b
    assert product.grad_fn._saved_self.tolist() == [2.0, 4.0]
    assert product.grad_fn._saved_self.grad_fn is not None
    assert product.grad_fn._saved_other is b
    y = a.exp()
    assert y.grad_fn._saved_result.grad_fn is y.grad_fn
    assert a.softmax(0).grad_fn._saved_dim in (0, 2**64 - 1, -1)
    assert (a * 2.0).grad_fn._saved_self is None  # 2 needs no gradient


def test_saved_attributes_once_freed() -> None:
    a = leaf([1.0, 2.0])
    y = a.exp()
    handle = y.grad_fn._raw_saved_result
    y.sum().backward()
    with pytest.raises(RuntimeError, match="after they have already been freed"):
        _ = y.grad_fn._saved_result
    with pytest.raises(RuntimeError, match="after it has been freed"):
        handle.register_hooks(same, same)


def test_hooks_on_one_saved_tensor() -> None:
    x = leaf([1.0, 2.0])
    y = x.exp()
    handle = y.grad_fn._raw_saved_result
    handle.register_hooks(lambda t: t * 2, lambda t: t * 3)
    with pytest.raises(RuntimeError, match="hooks have already been set"):
        handle.register_hooks(same, same)
    y.sum().backward()
    np.testing.assert_allclose(x.grad, 6 * x.detach().exp())


def test_hooks_on_what_is_not_kept() -> None:
    y = leaf([1.0]) * 2
    with pytest.raises(RuntimeError, match="value None is forbidden"):
        y.grad_fn._raw_saved_self.register_hooks(same, same)
    with pytest.raises(TypeError):
        y.exp().grad_fn._raw_saved_result.register_hooks(1, 2)


def test_hooks_on_what_a_function_saved() -> None:
    x = leaf([2.0])
    y = Cube.apply(x)
    first, second, nothing = y.grad_fn._raw_saved_tensors
    first.register_hooks(lambda t: t.numpy(force=True), torch.tensor)
    second.register_hooks(lambda t: t * 2, same)
    with pytest.raises(RuntimeError, match="value None is forbidden"):
        nothing.register_hooks(same, same)
    y.sum().backward()
    assert x.grad.item() == 24.0


def test_hooks_keep_nothing_alive() -> None:
    def scope() -> list[weakref.ref[Any]]:
        x = leaf([1.0, 2.0])
        with saved_tensors_hooks(lambda t: t.detach().clone(), unpack := lambda t: t):
            y = x.exp() * x
        y.sum().backward()
        return [weakref.ref(unpack), weakref.ref(x)]

    gc.disable()
    try:
        assert [reference() for reference in scope()] == [None, None]
    finally:
        gc.enable()
