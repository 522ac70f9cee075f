"""Places in the graph, and hooks for several tensors at once: `torch.autograd.graph`."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
from compare import OURS

pytestmark = pytest.mark.filterwarnings("ignore:Using backward.. with create_graph=True")

torch, autograd = OURS.torch, OURS.autograd
GradientEdge = autograd.graph.GradientEdge
edge_of, grad = autograd.graph.get_gradient_edge, autograd.grad


def leaf(values: Any) -> Any:
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


# Edges --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("computed", [False, True])
def test_an_edge_stands_for_its_tensor(computed: bool) -> None:
    x = leaf([1.0, 2.0])
    x = x * 2 if computed else x
    y = (x**3).sum()
    assert grad(y, edge_of(x), retain_graph=True)[0].tolist() == grad(y, x)[0].tolist()


def test_the_edge_of_one_output_among_several() -> None:
    first, second = (leaf([1.0, 2.0]) * 1).unbind()
    assert edge_of(second)[:2] == GradientEdge(second.grad_fn, 1)[:2]
    found = grad(first * 5 + second * 3, (edge_of(first), edge_of(second)))
    assert [g.item() for g in found] == [5, 3]


def test_an_edge_outlives_a_change_in_place() -> None:
    x = leaf([1.0, 2.0]) * 1
    before = edge_of(x)
    x *= 2
    old, new = grad(x.sum(), (before, x))
    assert (old.tolist(), new.tolist()) == ([2, 2], [1, 1])


def test_backward_in_two_steps() -> None:
    x = leaf([1.0, 2.0])
    middle = x**2
    edge = edge_of(middle)
    (dmiddle,) = grad(middle.exp().sum(), edge)
    del middle
    (dx,) = grad(edge, x, dmiddle)
    assert dx.tolist() == pytest.approx((2 * x * (x**2).exp()).tolist())


def test_edges_and_tensors_together() -> None:
    x = leaf([1.0, 2.0])
    total, product = x.sum(), x.prod()
    autograd.backward((edge_of(total), product), retain_graph=True)
    assert x.grad.tolist() == [3, 2]
    y = x * 1
    autograd.backward(y.sum() + total, inputs=(edge_of(y), x))
    assert x.grad.tolist() == [5, 4]


def test_what_is_wrong_with_an_edge() -> None:
    x = leaf([1.0, 2.0])
    y, unused = x * 2, x * 3
    with pytest.raises(RuntimeError, match="does not require"):
        edge_of(torch.zeros(2))
    with pytest.raises(RuntimeError, match="implicitly created only for scalar output"):
        grad(edge_of(y), x)
    with pytest.raises(RuntimeError, match="Mismatch in shape"):
        autograd.backward(edge_of(y), torch.ones(4))
    with pytest.raises(RuntimeError, match="GradientEdge"):
        grad(y.sum(), edge_of(unused), materialize_grads=True)
    assert grad(y.sum(), edge_of(unused), allow_unused=True) == (None,)


# Hooks for several tensors ------------------------------------------------------------------------


def test_when_all_have_come() -> None:
    a, b, c, d = (leaf(float(i)) for i in range(1, 5))
    seen: list[Any] = []
    handle = autograd.graph.register_multi_grad_hook(
        (a, b, c, d), lambda gs: seen.append([None if g is None else g.item() for g in gs])
    )
    (a * b).backward()
    (a * b * c * d).backward(inputs=(a, c))
    (b + d).backward()
    assert seen == [[2, 1, None, None], [24, None, 8, None], [None, 1, None, 1]]
    handle.remove()
    (a + b).backward()
    assert len(seen) == 3


def test_intermediate_results_and_leaves() -> None:
    x = leaf([1.0, 2.0])
    y = x * 3
    seen: list[Any] = []
    autograd.graph.register_multi_grad_hook(
        (x, y), lambda gs: seen.append([g.tolist() for g in gs])
    )
    y.sum().backward(retain_graph=True)
    assert seen == [[[3, 3], [1, 1]]]
    y.register_hook(stop)
    with pytest.raises(RuntimeError, match="stop here"):
        y.sum().backward()
    assert len(seen) == 1


def stop(gradient: Any) -> None:
    raise RuntimeError("stop here")


def test_when_the_first_has_come() -> None:
    x = leaf([1.0, 2.0])
    seen: list[Any] = []
    y, z = x * 2, x * 3
    autograd.graph.register_multi_grad_hook((y, z), seen.append, mode="any")
    for count in (1, 2):
        (y * z).sum().backward(retain_graph=True)
        assert len(seen) == count
    z.sum().backward()
    assert seen[-1].tolist() == [1, 1]


def test_all_or_any() -> None:
    with pytest.raises(ValueError, match="mode"):
        autograd.graph.register_multi_grad_hook((leaf(1.0),), print, mode="some")


def test_hooks_for_several_tensors_go_with_them() -> None:
    def scope() -> list[weakref.ref[Any]]:
        x = leaf([1.0])
        y = x * 2
        fn = lambda gs: None  # noqa: E731
        autograd.graph.register_multi_grad_hook((x, y), fn)
        y.sum().backward()
        return [weakref.ref(x), weakref.ref(y), weakref.ref(fn)]

    gc.disable()
    try:
        alive = [reference() for reference in scope()]
    finally:
        gc.enable()
    # (PyTorch leaves a cycle.)
    assert torch.__name__ == "torch" or alive == [None] * 3
