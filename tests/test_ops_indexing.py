"""x[...] in every form, x[...] = v, gather and scatter: results, views, gradients and refusals as
PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest
from compare import OURS, THEIRS
from tables import assert_agreement, better_than_torch, lines

pytestmark = pytest.mark.skipif(THEIRS is None, reason="PyTorch is not installed")

random = np.random.default_rng(0)
INPUTS = {
    "x": random.normal(size=(2, 3, 4)),
    "v": random.normal(size=3),
    "z": random.normal(size=()),
    "w": random.normal(size=(2, 3)),
    "i": np.array([[1, 0], [2, 2]]),
    "j": np.array([2, 0, 2, 1]),
    "k": np.arange(6).reshape(2, 3),
    "m": np.array([[True, False, True], [False, True, True]]),
}

INDEXING = """
x[0]
x[-1]
x[0, 1]
x[0, 1, 2]
x[...]
x[()]
x[:]
x[1:]
x[:, 1:]
x[..., 1]
x[..., ::2]
x[0, ..., 1]
x[None]
x[..., None]
x[:, None, 1:, None]
x[1:0]
x[0:5]
x[:, -2:]
x[0:1][0]
x[0][1:, 2]
x[torch.tensor(1)]
x[torch.tensor(1, dtype=torch.int32)]
x[torch.tensor(0):torch.tensor(1)]
x[np.int64(1)]
z[...]
z[()]
z[None]
z[None, None]
x[[0, 1]]
x[[1, 1, 0]]
x[[0, -1], 1:]
x[([0, 1],)]
x[[]]
x[(),]
x[[True, False]]
x[[0, 1], [2, 1]]
x[[0, 1], :, [2, 1]]
x[[0, 1], 1]
x[1, :, [0, 1]]
x[:, 1, [0, 1]]
x[[0, 1], 1, [0, 1]]
x[None, [0, 1], None, [2, 1]]
x[:, None, [2, 1]]
x[[0, 1], None, 0]
x[0:1, [0, 1]]
x[..., [0, 1]]
x[:, :, [[0, 1]]]
x[:, [2, 0]]
x[:, [2, 0], 1:]
x[1:, [2, 0], [1, 2]]
x[torch.tensor([[0, 1]]), [0, 1]]
x[torch.tensor([1, 0], dtype=torch.int32)]
x[torch.tensor([1, 0], dtype=torch.uint8)]
x[np.array([0, 1])]
x[np.array([True, False])]
x[range(2)]
x[:, i]
x[:, i, i]
x[:, j]
x[m]
x[m, 1]
x[m, [0, 1, 2, 3]]
x[:, m[0]]
x[m[:, 0]]
x[x > 0]
x[True]
x[False]
x[0, True]
x[True, 0]
x[True, [0, 1]]
x[torch.tensor(True)]
z[True]
z[z > -9]
w[w > 0] * 2
v[j][j]
x[[0, slice(None)]]
x[[[0, 1], [1, 0]]]
x[5]
x[-3]
x[0, 5]
x[0, 0, 0, 0]
x[:, [0, 5]]
x[:, [-4]]
x[torch.tensor([True])]
x[:, torch.tensor([True])]
x[[0, 1], [0, 1, 2]]
x[1.5]
x['a']
x[torch.tensor([0., 1.])]
x[::-1]
x[::0]
x[1:5.0]
z[0]
z[[0]]
"""

ASSIGNMENT = """
put(x, 0, 2.5)
put(x, 0, z)
put(x, 0, torch.tensor(1))
put(x, 0, torch.tensor([1, 2, 3, 4]))
put(x, (0, 1), v[:1])
put(x, s_[:, 1], x[0, 0])
put(x, s_[..., 0], w)
put(x, s_[1:, :, ::2], 0.)
put(x, s_[:, None], x[:, :1].detach()[:, None])
put(x, 0, x[:1])
put(x, ..., z)
put(x, (), 1.)
put(x, [0, 1], z)
put(x, [0, 1], x.flip(0))
put(x, [0, 1], x[0, 0])
put(x, s_[:, [2, 0]], 1.)
put(x, s_[:, [2, 0]], w[:, :1, None])
put(x, s_[0, :, [0, 1]], v[:, None])
put(x, s_[[0, 1], [1, 2]], x[:, 0])
put(x, m, z)
put(x, m, x[0, 0])
put(x, x > 0, 0.)
put(x, True, 1.)
put(w, m, v[:1])
put(v, j[:2], v[1:])
put(z, (), 1.)
put(z, ..., 2)
put(j, 0, 1.5)
put(j, [0], 1.5)
put(x, 5, 1.)
put(x, [5], 1.)
put(x, [0, 1], torch.tensor(1))
put(x, [0, 1], torch.tensor([1., 2.]))
put(x, m, v)
put(x, 0, torch.ones(2, 3, 4, dtype=torch.float64))
put(x, 0, [1, 2, 3, 4])
put(x, 0, 'a')
put(x, 0, None)
put(z, 0, 1.)
"""

GATHERING = """
x.gather(1, k[:, :, None])
w.gather(1, i)
w.gather(1, k % 3)
w.gather(0, k % 2)
w.gather(-1, torch.tensor([[0]], dtype=torch.int32))
v.gather(0, j)
v.gather(0, torch.tensor(0))
z.gather(0, torch.tensor(0))
z.gather(0, torch.tensor([0, 0]))
torch.take_along_dim(w, i, 1)
torch.take_along_dim(x, torch.tensor([[[0]]]), 1)
torch.take_along_dim(w, k)
w.scatter(1, i[:, :1], w)
w.scatter(1, i, 2.)
w.scatter(1, torch.tensor([[0, 2], [1, 0]]), w)
w.scatter(0, torch.tensor([[1, 0]]), w)
v.scatter(0, torch.tensor(0), z)
w.scatter(1, i, 2., reduce='add')
w.scatter(1, i, 2., reduce='multiply')
w.scatter(1, i, w, reduce='add')
w.scatter_add(1, i, w)
w.scatter_add(1, k % 3, w * w)
v.scatter_add(0, j, torch.cat((v, z[None])))
x.index_reduce(2, j, x.sin(), 'prod')
x.index_reduce(2, j, x.sin(), 'mean')
x.index_reduce(2, j, x.sin(), 'mean', include_self=False)
x.index_reduce(-1, j, x.sin(), 'amax')
x.index_reduce(2, j, x.sin(), 'amin', include_self=False)
x.clone().index_reduce_(2, j, x.sin(), 'prod', include_self=False)
torch.index_reduce(v, 0, j, torch.cat((v, z[None])), 'prod')
v.index_reduce(0, j, v, 'prod')
v.index_reduce(0, j, torch.cat((v, z[None])), 'sum')
w.scatter_reduce(1, i, w, 'sum')
w.scatter_reduce(1, i, w, 'sum', include_self=False)
w.scatter_reduce(1, i, w, 'mean')
w.scatter_reduce(1, i, w, 'mean', include_self=False)
v.scatter_reduce(0, j, torch.cat((v, z[None])), 'mean')
w.scatter_reduce(1, k % 2, w, 'prod')
w.scatter_reduce(1, i, w, 'prod', include_self=False)
w.scatter_reduce(1, i, w, 'amax')
w.scatter_reduce(1, i, w, 'amin', include_self=False)
w.scatter_reduce(1, k % 2, torch.ones_like(w), 'amax')
torch.tensor([7, 8]).scatter_reduce(0, torch.tensor([0, 0]), torch.tensor([2, 2]), 'mean')
x.index_select(1, j)
x.index_select(-1, torch.tensor([3, 0, 0]))
v.index_select(0, torch.tensor(1))
z.index_select(0, torch.tensor([0]))
v.index_add(0, j[:3], v * v)
x.index_add(1, torch.tensor([0, 0]), x[:, 1:])
x.index_add(1, torch.tensor([0, 0]), x[:, 1:], alpha=2.5)
x.index_copy(1, torch.tensor([2, 0]), x[:, 1:])
x.index_fill(1, torch.tensor([2, 0]), 3.)
x.index_fill(1, torch.tensor([2, -3]), z)
v.index_put((j[:2],), z)
v.index_put((j,), torch.cat((v, z[None])), accumulate=True)
x.index_put((torch.tensor([0, 0]), torch.tensor([1, 1])), x[:, 0], accumulate=True)
w.index_put((m,), z)
w.masked_fill(m, 7.)
v.masked_fill(m, z)
j.masked_fill(j > 1, 7.5)
w.masked_select(m)
v.masked_select(m)
w.masked_scatter(m, x)
w.masked_scatter(m, w * w)
x.take(torch.tensor([[0, 23], [-1, 0]]))
w.nonzero()
z.nonzero()
m.nonzero(as_tuple=True)
z.nonzero(as_tuple=True)
torch.argwhere(m)
v.repeat_interleave(2)
w.repeat_interleave(2)
w.repeat_interleave(3, 1)
w.repeat_interleave(torch.tensor([1, 0, 2]), 1)
w.repeat_interleave(torch.tensor([2]), 1)
w.repeat_interleave(torch.tensor([2, 1]), dim=0)
torch.repeat_interleave(torch.tensor([1, 0, 2]))
w.select_scatter(v, 0, 1)
w.select_scatter(v, 0, -1)
w.slice_scatter(w[:, :2] * 2, 1, 1, 3)
w.slice_scatter(w[:, :1] * 2, 1, 0, 4, 3)
w.diagonal_scatter(v[:2])
w.gather(1, torch.tensor([[0, 3]]))
w.gather(1, torch.tensor([[0, -1]]))
w.gather(1, j)
w.gather(1, i.float())
w.gather(1, torch.zeros(3, 1, dtype=torch.int64))
torch.take_along_dim(w, j, 1)
w.scatter(1, torch.tensor([[5]]), w)
w.scatter(0, torch.zeros(2, 4, dtype=torch.int64), w)
w.scatter(1, i, w.float())
w.scatter(1, i, w, reduce='x')
w.scatter_add(1, i, 2.)
w.scatter_reduce(1, i, w, 'x')
v.index_select(0, torch.tensor([[0]]))
v.index_select(0, torch.tensor([3]))
v.index_select(0, torch.tensor([-1]))
v.index_select(0, torch.tensor([1.]))
v.index_add(0, j, v)
v.index_add(0, torch.tensor([0, 5, 1]), v)
v.index_add(0, torch.tensor([0, 1, 2]), j[:3])
v.index_copy(0, torch.tensor([0, 1]), v)
v.index_fill(0, torch.tensor([5]), 1.)
v.masked_fill(torch.tensor([1, 0, 1]), 1.)
v.masked_fill(v > 0, v)
v.masked_select(torch.tensor([True, False]))
v.masked_select(torch.tensor([1, 0, 0]))
w.masked_scatter(m, v[:2])
x.take(torch.tensor([24]))
w.repeat_interleave(-2)
w.repeat_interleave(torch.tensor([1, 2]), 1)
w.select_scatter(w, 0, 1)
"""


@pytest.mark.parametrize("expression", lines(INDEXING + ASSIGNMENT))
def test_indexing(expression: str) -> None:
    assert_agreement(expression, INPUTS)


@pytest.mark.parametrize("expression", lines(GATHERING))
def test_gathering(expression: str) -> None:
    assert_agreement(expression, INPUTS)


@better_than_torch
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(), (3,), (2, 2)])
@pytest.mark.parametrize("count", [4, 20_000])
def test_adding_rows(dtype: type, shape: tuple[int, ...], count: int) -> None:
    """However many rows there are to add up, the sum is the same, and so is the dtype."""
    torch = OURS.torch
    index = random.integers(-5, 5, count)
    x = torch.tensor(np.ones((5, *shape), dtype), requires_grad=True)
    x[torch.tensor(index)].sum().backward()
    expected = np.broadcast_to(
        np.bincount(index % 5, minlength=5).reshape(-1, *(1,) * len(shape)), x.shape
    )
    assert x.grad.dtype == x.dtype
    np.testing.assert_allclose(x.grad.numpy(), expected, rtol=1e-2 if dtype is np.float16 else 1e-6)


@better_than_torch
def test_index_is_remembered_as_it_was() -> None:
    """Changing the index tensor afterwards changes no gradient."""
    torch = OURS.torch
    x, index = torch.ones(3, requires_grad=True), torch.tensor([0, 0])
    y = x[index]
    index += 1
    y.sum().backward()
    assert x.grad.tolist() == [2, 0, 0]
