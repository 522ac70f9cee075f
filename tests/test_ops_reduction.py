"""Sums, extremes, running sums, sorts: values, dtypes, gradients at kinks and zeros, and refusals
as PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from compare import OURS, THEIRS
from tables import assert_agreement, better_than_torch, lines

import autograd

nan, inf = np.nan, np.inf
random = np.random.default_rng(0)
INPUTS = {
    "x": random.permutation(24).reshape(2, 3, 4) * 0.1 - 1,
    "v": np.array([0.5, -1.5, 2.0, 1.0]),
    "z": np.array(0.7),
    "e": np.zeros((3, 0)),
    "o": np.array([1.5]),
    "t": np.array([[2.0, 1.0, 2.0], [0.0, 0.0, -1.0], [3.0, 3.0, 3.0]]),
    "n": np.array([[1.0, nan, 2.0], [nan, nan, nan], [3.0, 5.0, 4.0]]),
    "h": np.array([[inf, 1.0], [-inf, -inf], [inf, inf], [0.0, -inf]]),
    "p": np.array(
        [[2.0, 0.0, 3.0, 4.0], [0.0, 2.0, 0.0, 5.0], [0.5, -2.0, 3.0, 1.5], [0.0, 0.0, 0.0, 7.0]]
    ),
    "i": np.array([[3, 1, 3], [2, 2, 0]]),
    "b": np.array([[True, False, True], [True, True, True]]),
    "u": np.array([200, 100, 0], np.uint8),
}

SUMS = """
x.sum()
x.sum(1)
x.sum((0, -1), True)
x.sum([])
x.sum(dim=None)
x.sum(axis=1, keepdims=True)
torch.sum(x, 0, dtype=torch.float32)
i.sum()
i.sum(0, dtype=torch.float32)
b.sum(1)
u.sum()
z.sum()
z.sum(-1)
e.sum()
e.sum(1)
e.sum(0)
x.half().sum()
x.mT.sum(2)
x.sum(3)
x.sum((0, 0))
x.sum('a')
torch.sum([1.0])
x.mean()
x.mean((0, 1))
x.mean(-1, keepdim=True)
x.float().mean(dtype=torch.float64)
i.mean(dtype=torch.float64)
z.mean(0)
e.mean()
e.mean(0)
e.mean(1)
o.mean()
i.mean()
b.mean(0)
n.nansum()
n.nansum(1)
n.nansum(0, keepdim=True)
i.nansum()
n.nanmean()
n.nanmean(1)
n.nanmean(0, True)
i.nanmean()
x.logsumexp(1)
x.logsumexp((0, 2), keepdim=True)
h.logsumexp(1)
n.logsumexp(1)
z.logsumexp(0)
i.logsumexp(0)
e.logsumexp(1)
x.logsumexp()
p.prod()
p.prod(1)
p.prod(0, True)
p[2].prod()
t.prod()
i.prod()
i.prod(1)
b.prod()
u.prod()
z.prod()
e.prod()
e.prod(1)
n.prod(1)
x.prod(dtype=torch.float32)
p.prod((0, 1))
x.var()
x.var(1)
x.var((0, 2), keepdim=True)
x.var(0, unbiased=False)
x.var(False)
x.var(unbiased=False)
x.var(correction=0)
x.var(dim=-1, correction=2)
o.detach().var()
o.var(correction=0)
e.var()
v.detach().var(correction=5)
i.var()
x.std()
x.std((1, 2))
x.std(1, False)
x.std(1, unbiased=True, keepdim=True)
torch.std(x, dim=0, correction=0)
o.std()
n.std(1)
torch.var_mean(x, 1)
torch.std_mean(x, (0, 1), keepdim=True)
torch.var_mean(x, unbiased=False)
x.std(3)
torch.trapezoid(v)
torch.trapezoid(x, dim=1)
torch.trapezoid(v, torch.tensor([0.0, 1.0, 1.5, 4.0]))
torch.trapz(x, dx=0.5)
torch.trapezoid(x, torch.ones(4).cumsum(0))
torch.trapezoid(o)
torch.cumulative_trapezoid(v, dx=2)
"""

EXTREMES = """
x.max()
x.min()
t.max()
t.min()
n.max()
n[1].max()
h.max()
x.max(1)
x.min(-1, keepdim=True)
t.max(1)
t.min(0)
n.max(1)
x.max(dim=0).indices
torch.max(x, 1, True)[0]
x.max(torch.ones(4) * 0.3)
torch.min(x, other=x.flip(0))
z.max()
z.max(0)
z.min(0, True)
i.max()
b.max()
b.max(1)
i.min(1)
e.max()
e.max(1)
e.max(0)
x.max((0, 1))
x.max(3)
x.amax()
x.amax(1)
x.amin((0, 2))
x.amax((0, -1), True)
t.amax(1)
t.amin()
n.amax(1)
h.amin(1)
z.amax()
z.amin(0)
i.amax(0)
b.amin()
e.amax()
e.amax(1)
torch.aminmax(x)
torch.aminmax(t, dim=1)
x.aminmax(dim=0, keepdim=True)
x.argmax()
x.argmax(1)
x.argmin(-1, keepdim=True)
x.argmax(keepdim=True)
t.argmax()
n.argmax(1)
t.argmin(0)
z.argmax()
e.argmax()
e.argmax(1)
x.all()
p.all(1)
b.all()
b.any(0, keepdim=True)
u.all()
u.any(0)
e.all()
e.any(1)
torch.all(b, dim=(0, 1))
torch.any(p, 1)
p.count_nonzero()
torch.count_nonzero(p, dim=0)
torch.count_nonzero(x, (0, 1))
"""

RUNNING = """
x.cumsum(0)
x.cumsum(-1)
i.cumsum(1)
b.cumsum(0)
i.cumsum(0, dtype=torch.float32)
z.cumsum(0)
e.cumsum(1)
x.cumsum(3)
x.cumsum()
p.cumprod(0)
p.cumprod(1)
v.cumprod(0)
i.cumprod(1)
z.cumprod(0)
x.cummax(1)
x.cummin(0)
t.cummax(1)
t.cummin(-1)
n.cummax(1)
z.cummax(0)
i.cummin(1)
x.logcumsumexp(1)
x.logcumsumexp(-1)
(x * 30).logcumsumexp(0)
z.logcumsumexp(0)
x.diff()
x.diff(2, 1)
x.diff(dim=0, prepend=x[:1])
v.diff(append=v)
i.diff()
b.diff()
o.diff()
v.diff(9)
z.diff()
"""

SORTS = """
x.sort()
x.sort(0)
x.sort(1, descending=True)
x.sort(-1, True)
x.sort(stable=True)
v.sort(dim=0, descending=True, stable=True)
n.sort(1)
n.sort(1, True)
z.sort()
i.sort(stable=True)
b.sort(stable=True)
e.sort()
x.argsort()
x.argsort(1, descending=True)
t.argsort(dim=1, stable=True)
x.msort()
x.topk(2)
x.topk(2, 1)
x.topk(3, largest=False)
x.topk(0)
n[2].topk(2)
z.topk(1)
x.topk(5)
x.median()
x.median(1)
x.median(-1, keepdim=True)
t.median()
n.median()
n.median(1).values
n[1:].median(1)
n.nanmedian()
n[2].nanmedian(0)
n[1].nanmedian()
z.median()
z.median(0)
i.median()
e.median()
e.median(1)
v.mode()
t.mode(0).values
i.mode()
i.mode(0, True)
x.mode(1)
x.kthvalue(2)
x.kthvalue(1, 1, True)
z.kthvalue(1)
x.kthvalue(0)
x.kthvalue(5)
x.quantile(0.3)
x.quantile(0.3, 1)
x.quantile(0.3, dim=-1, keepdim=True)
x.quantile(0.3, keepdim=True)
x.quantile(torch.tensor([0.1, 0.5, 1.0], dtype=torch.float64), 1)
x.quantile(torch.tensor([0.1, 0.9], dtype=torch.float64), keepdim=True)
x.quantile(0.4, 1, interpolation='lower')
x.quantile(0.4, 1, interpolation='higher')
x.quantile(0.4, 1, interpolation='nearest')
x.quantile(0.4, 1, interpolation='midpoint')
n.quantile(0.4, 1)
n.nanquantile(0.4, 1)
n.nanquantile(0.5)
n[2:].nanquantile(0.25, dim=1, keepdim=True)
i.quantile(0.5)
x.quantile(1.5)
x.quantile(0.5, interpolation='cubic')
x.quantile(torch.tensor([[0.5]], dtype=torch.float64))
torch.unique(i)
torch.unique(i, return_inverse=True, return_counts=True)
torch.unique(i, dim=0)
i.unique(dim=1).contiguous()
torch.unique(n.detach())
torch.unique_consecutive(torch.tensor([1, 1, 2, 2, 1]), return_inverse=True, return_counts=True)
torch.unique_consecutive(torch.tensor([[1, 2], [1, 2], [0, 1]]), dim=0, return_counts=True)
torch.unique_consecutive(i)
torch.bincount(i[0])
torch.bincount(i[0], minlength=6)
torch.bincount(i[0], weights=torch.tensor([0.5, 1.0, 2.0]))
torch.bincount(i)
torch.bincount(-i[0])
torch.bincount(v.detach())
torch.searchsorted(v.detach().sort().values, x.detach())
torch.searchsorted(torch.tensor([1, 2, 2, 3]), torch.tensor([2, 5, 0]), right=True)
torch.searchsorted(torch.tensor([1, 2, 2, 3]), torch.tensor([2]), side='right', out_int32=True)
torch.searchsorted(torch.tensor([[1, 3], [0, 5]]), torch.tensor([[2, 3], [4, 9]]))
torch.searchsorted(torch.tensor([3, 1, 2]), torch.tensor([2]), sorter=torch.tensor([1, 2, 0]))
torch.searchsorted(torch.ones(2, 3), torch.ones(3, 3))
torch.bucketize(x.detach(), torch.tensor([-0.5, 0.0, 0.5], dtype=torch.float64))
torch.bucketize(i, torch.tensor([1, 2]), right=True)
torch.histc(v.detach(), 4)
torch.histc(v.detach(), bins=3, min=-1, max=1)
torch.histc(torch.ones(2), 2)
torch.histc(v.detach(), 0)
"""

pytestmark = pytest.mark.skipif(THEIRS is None, reason="PyTorch is not installed")


@pytest.mark.parametrize("expression", lines(SUMS))
def test_sums(expression: str) -> None:
    assert_agreement(expression, INPUTS)


@pytest.mark.parametrize("expression", lines(EXTREMES))
def test_extremes(expression: str) -> None:
    assert_agreement(expression, INPUTS)


@pytest.mark.parametrize("expression", lines(RUNNING))
def test_running(expression: str) -> None:
    assert_agreement(expression, INPUTS)


@pytest.mark.parametrize("expression", lines(SORTS))
def test_sorts(expression: str) -> None:
    assert_agreement(expression, INPUTS)


@pytest.mark.parametrize("zeros", [(), (1,), (1, 3), (0, 1, 2, 3)])
def test_products_with_zeros_to_the_third_order(zeros: tuple[int, ...]) -> None:
    """d³(x₁x₂x₃x₄) / dx₁dx₂dx₃ = x₄, zeros or no zeros."""
    torch = OURS.torch
    numbers = np.array([2.0, 3.0, 5.0, 7.0])
    numbers[list(zeros)] = 0
    for product in (lambda x: x.prod(), lambda x: x.prod(0), lambda x: x.cumprod(0)[-1]):
        x = torch.tensor(numbers, requires_grad=True)
        y = product(x)
        for k in range(3):
            y = OURS.autograd.grad(y, x, create_graph=True)[0][k]
        assert y.item() == numbers[3]


@better_than_torch
def test_std_of_equal_numbers_has_no_gradient() -> None:
    """0, as in PyTorch; and so are the second derivatives, which PyTorch calls nan."""
    assert_agreement("x.std(1, correction=0)", {"x": np.full((2, 3), 2.0)}, second=False)
    x = OURS.torch.tensor([2.0, 2.0], requires_grad=True)
    (slope,) = OURS.autograd.grad(x.std(), x, create_graph=True)
    assert OURS.autograd.grad(slope.sum(), x)[0].tolist() == [0, 0]


def test_named_results_show_their_names() -> None:
    torch = OURS.torch
    result = torch.tensor([1.0, 3.0, 2.0]).max(0)
    assert repr(result) == "torch.return_types.max(\nvalues=tensor(3.),\nindices=tensor(1))"
    values, indices = result
    assert values is result.values
    assert indices.dtype is torch.int64


@pytest.mark.parametrize(
    "pick",
    [
        lambda x: x.max(1),
        lambda x: x.min(1),
        lambda x: x.sort(1),
        lambda x: x.topk(2, 1),
        lambda x: x.median(1),
        lambda x: x.mode(1),
        lambda x: x.kthvalue(2, 1),
        lambda x: x.cummax(1),
    ],
)
def test_changing_the_indices_does_not_change_the_gradient(pick: Any) -> None:
    gradients = []
    for changed in (False, True):
        x = autograd.tensor([[1.0, 5.0, 3.0], [9.0, 2.0, 4.0]], requires_grad=True)
        values, indices = pick(x)
        if changed:
            indices.zero_()
        values.sum().backward()
        gradients.append(x.grad.tolist())
    assert gradients[0] == gradients[1]
