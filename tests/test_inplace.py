"""Tensors changed in place: themselves, their views, the bases of views; contents, and shapes."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from compare import OURS
from tables import better_than_torch

torch: Any = OURS.torch


def leaf(*numbers: float) -> Any:
    return torch.tensor(numbers, dtype=torch.float64, requires_grad=True)


def matrix() -> Any:
    return leaf(0, 1, 2, 3, 4, 5).view(2, 3).detach().requires_grad_()


# -- the shape ------------------------------------------------------------------------------------


@better_than_torch
def test_memory_that_no_stride_counts() -> None:
    """A field of records lies 12 bytes apart: there is no such step of 8."""
    records = np.zeros(3, [("a", "f4"), ("b", "f8")])
    with pytest.raises(RuntimeError, match="whole steps of 8 bytes"):
        torch.from_numpy(records["b"]).as_strided((3,), (1,))


def test_a_tensor_transposed_in_place() -> None:
    x = matrix()
    y = x * 1
    assert y.t_() is y
    assert (y.shape, y._version, y._is_view(), y.is_contiguous()) == ((3, 2), 1, False, False)
    (y * torch.arange(6.0).view(3, 2)).sum().backward()
    assert x.grad.tolist() == [[0, 2, 4], [1, 3, 5]]


@pytest.mark.parametrize(
    ("change", "shape"),
    [
        (lambda y: y.transpose_(0, -1), (3, 1, 2)),
        (lambda y: y.swapaxes_(1, 2), (2, 3, 1)),
        (lambda y: y.swapdims_(1, 2), (2, 3, 1)),
        (lambda y: y.squeeze_(), (2, 3)),
        (lambda y: y.squeeze_(1), (2, 3)),
        (lambda y: y.squeeze_(0), (2, 1, 3)),
        (lambda y: y.unsqueeze_(-1), (2, 1, 3, 1)),
        (lambda y: y.as_strided_((2, 2), (1, 1)), (2, 2)),
    ],
)
def test_shapes_change_in_place(change: Any, shape: tuple[int, ...]) -> None:
    x = matrix()
    y = (x * 2).unsqueeze(1).clone()
    assert change(y) is y
    assert (tuple(y.shape), y._version) == (shape, 1)
    again = matrix()
    z = (again * 2).unsqueeze(1).clone()
    name = y.grad_fn.name()
    assert name.startswith(("Transpose", "Squeeze", "Unsqueeze", "AsStrided"))
    y.pow(2).sum().backward()
    change(z).pow(2).sum().backward()
    assert x.grad.tolist() == again.grad.tolist()
    assert x.grad.sum() > 0


def test_views_of_what_is_reshaped_in_place_stay_where_they_are() -> None:
    x = matrix()
    y = x * 1
    row, flat = y[0], y.view(-1)
    y.t_()
    flat.mul_(torch.arange(6.0, dtype=torch.float64))
    assert y.tolist() == [[0, 9], [1, 16], [4, 25]]
    assert row.tolist() == [0, 1, 4]
    (row.sum() + (y * torch.arange(6.0).view(3, 2)).sum()).backward()
    assert x.grad.tolist() == [[0, 3, 10], [3, 12, 25]]


def test_a_view_transposed_in_place_is_still_a_view() -> None:
    x = matrix()
    y = x * 1
    view = y[:, 1:]
    view.t_()
    assert view._base is y
    view.mul_(torch.tensor([[1.0, 2], [3, 4]]))
    assert y.tolist() == [[0, 1, 6], [3, 8, 20]]
    y.sum().backward()
    assert x.grad.tolist() == [[1, 1, 3], [1, 2, 4]]


def test_a_view_that_reaches_beyond_the_view_it_was_taken_of() -> None:
    x = leaf(1, 2)
    y = x * 1
    both = y[0].as_strided((2,), (1,), 0)
    both.mul_(3)
    y.sum().backward()
    assert x.grad.tolist() == [3, 3]


def test_leaves_are_not_reshaped_in_place() -> None:
    x = matrix()
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        x.t_()
    with torch.no_grad():
        x.unsqueeze_(0)
    x.sum().backward()
    assert x.grad.shape == (1, 2, 3)


def test_what_was_kept_for_backward_may_not_be_reshaped() -> None:
    x = matrix()
    y = x.exp()
    y.t_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


# -- what is kept for backward --------------------------------------------------------------------


def test_an_operation_in_place_keeps_the_memory_that_it_wrote() -> None:
    x = leaf(1, 2)
    y = (x * 1).exp_()
    y.sum().backward()
    assert x.grad.tolist() == y.tolist()
    for change in (lambda y: y.mul_(2), lambda y: y[0].zero_(), lambda y: y.detach().add_(1)):
        y = (x * 1).sigmoid_()
        change(y)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            y.sum().backward()


def test_gradients_of_gradients_of_what_was_computed_in_place() -> None:
    x = leaf(1, 2)
    y = x * 1
    y[0].exp_()
    (g,) = OURS.autograd.grad(y.square().sum(), x, create_graph=True)
    (h,) = OURS.autograd.grad(g.sum(), x)
    assert torch.allclose(h, torch.stack([4 * (2 * x[0]).exp(), torch.full_like(x[1], 2)]))


# -- several elements at one place ----------------------------------------------------------------


def test_stretched_tensors_can_be_filled() -> None:
    x = torch.zeros(2, 1)
    stretched = x.expand(2, 3)
    stretched.fill_(2)
    assert x.tolist() == [[2], [2]]
    stretched.zero_()
    assert x.tolist() == [[0], [0]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's, that this is deprecated
        stretched.masked_fill_(torch.tensor([True, False, False]), 3)
        assert x.tolist() == [[3], [3]]
        stretched[torch.tensor([[True, False, True], [False] * 3])] = 4
        assert x.tolist() == [[4], [3]]
    for change in (lambda t: t.add_(1), lambda t: t.copy_(torch.ones(2, 3)), lambda t: t.exp_()):
        with pytest.raises(RuntimeError, match="single memory location"):
            change(stretched)


@better_than_torch
def test_the_gradient_of_what_was_filled_is_zero_stretched_or_not() -> None:
    x = leaf(1, 2)
    y = x * 3
    y[:1].expand(4).zero_()
    (y * y).sum().backward()
    assert x.grad.tolist() == [0, 36]


@better_than_torch
def test_windows_that_overlap_cannot_be_computed_in_place() -> None:
    x = torch.arange(5.0)
    windows = x.unfold(0, 3, 1)
    with pytest.raises(RuntimeError, match="single memory location"):
        windows.add_(1)
    assert x.tolist() == [0, 1, 2, 3, 4]
    windows.zero_()
    assert x.tolist() == [0, 0, 0, 0, 0]


def test_what_is_read_may_not_lie_in_part_where_is_written() -> None:
    x = torch.arange(4.0)
    square = x.view(2, 2)
    for change in (
        lambda: x[1:].add_(x[:-1]),
        lambda: x[1:].copy_(x[:-1]),
        lambda: square.mul_(square.t()),
        lambda: x.__setitem__(slice(1, 4), x[:3]),
    ):
        with pytest.raises(RuntimeError, match="refer to a single memory location"):
            change()
    assert x.tolist() == [0, 1, 2, 3]
    x.add_(x)
    x[1] += x[2]
    x[:2] = x[2:]
    assert x.tolist() == [4, 6, 4, 6]


# -- views and what they require ------------------------------------------------------------------


def test_a_view_requires_grad_as_its_base_does() -> None:
    x = torch.ones(2, 3)
    view = x[0]
    x.requires_grad_()
    assert view.requires_grad
    assert view.is_leaf
    assert (view * 2).requires_grad
    x.requires_grad_(False)
    assert not view.requires_grad

    y = matrix() * 1
    with torch.no_grad():
        view = y[0]
    assert (view.requires_grad, view.is_leaf, view._base is y) == (True, True, True)


def test_what_a_view_outside_the_graph_is_given_leads_nowhere() -> None:
    x = matrix()
    with torch.no_grad():
        view = x[0]
    (view * 2).sum().backward()
    assert (view.grad, x.grad) == (None, None)
    before = view * 2
    view.requires_grad_()
    (before + view).sum().backward()
    assert view.grad.tolist() == [1, 1, 1]


def test_a_view_that_is_a_leaf_itself() -> None:
    x = torch.ones(2, 3)
    view = x[0].requires_grad_()
    x.add_(1)
    assert (x.requires_grad, view.requires_grad, view.is_leaf) == (False, True, True)
    with pytest.raises(RuntimeError, match="a view of a leaf Variable"):
        view.add_(1)


def test_a_changed_view_keeps_its_past_when_the_base_is_detached() -> None:
    x = leaf(1, 1, 1)
    base = x * 2
    view = base[:2]
    view.mul_(3)
    base.detach_()
    view.sum().backward()
    assert x.grad.tolist() == [6, 6, 0]


def test_a_leaf_that_is_none_any_more() -> None:
    x, factor = leaf(1, 2), leaf(3)
    y = x * 2
    x.requires_grad_(False)
    x.mul_(factor)
    with pytest.raises(RuntimeError, match="moved into the graph interior"):
        y.sum().backward()


@pytest.mark.parametrize("change", [lambda y: y.mul_(2), lambda y: y.detach().mul_(2)])
def test_several_views_of_one_operation_cannot_follow_a_change(change: Any) -> None:
    y = matrix() * 1
    first, _ = y.unbind()
    change(y)
    assert first.requires_grad
    with pytest.raises(RuntimeError, match="modified inplace"):
        first * 2
    with pytest.raises(RuntimeError, match=r"(is being|been) modified inplace"):
        first.mul_(2)


def test_bytes_read_as_another_dtype_have_no_gradient() -> None:
    x = leaf(1, 2)
    seen = x.view(torch.int64)
    assert (seen.requires_grad, seen._is_view()) == (False, False)
    assert seen.data_ptr() == x.data_ptr()
    with torch.no_grad():
        x.add_(1)
    assert seen._version == 1
