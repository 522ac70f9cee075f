"""Matrix products, einsum, norms and decompositions: values, gradients, refusals as PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest
from compare import OURS, THEIRS, array
from tables import assert_agreement, better_than_torch, lines

random = np.random.default_rng(0)
INPUTS = {
    "x": random.normal(size=(3, 4)),
    "y": random.normal(size=(4, 2)),
    "s": random.normal(size=(3, 3)),
    "v": random.normal(size=4),
    "u": random.normal(size=3),
    "z": random.normal(size=()),
    "b": random.normal(size=(2, 3, 4)),
    "c": random.normal(size=(2, 4, 2)),
    "d": random.normal(size=(5, 1, 3, 4)),
    "i": np.arange(12).reshape(3, 4),
    "o": np.array([[0.0, 0.0], [3.0, -3.0]]),
    "r": np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [0.5, -1.0, 2.0]]),
}

PRODUCTS = """
x @ y
x @ v
u @ x
v @ v
b @ c
b @ y
x @ c
b @ v
u @ b
d @ c
d @ y
c.mT @ b.mT
x.t() @ x
x[:, ::2] @ y[::2]
i @ i.t()
i @ i[0]
x.float() @ y.float()
x.matmul(y)
torch.matmul(input=x, other=y)
x.half() @ y.half()
x[:0] @ y
x[:, :0] @ y[:0]
x.mm(y)
b.bmm(c)
x.mv(v)
v.dot(v)
torch.vdot(v, v)
x.inner(x)
x.inner(v)
z.inner(v)
u.outer(v)
torch.ger(u, v)
torch.addmm(z, x, y)
torch.addmm(x[:, :2], x, y, beta=0.5, alpha=2)
torch.addmm(x.detach()[:, :2] * float('nan'), x, y, beta=0)
u.addmv(x, v, alpha=3)
x.addr(u, v)
torch.baddbmm(x[:, :2], b, c, beta=2)
x[:, :2].addbmm(b, c)
torch.tensordot(x, y, 1)
torch.tensordot(x, y, dims=0)
torch.tensordot(b, x, dims=([1, 2], [0, 1]))
torch.tensordot(b, c, ([2], [1]))
torch.tensordot(x, x)
torch.kron(x, y)
torch.kron(x, v)
s.trace()
x.trace()
i.trace()
b.adjoint()
torch.adjoint(v)
torch.block_diag(x, v, z, y)
torch.block_diag()
torch.block_diag(i, x[:0])
torch.vander(v)
torch.vander(i[0], 3, increasing=True)
torch.linalg.vander(x)
torch.linalg.vander(z, N=3)
torch.linalg.vander(i, N=2)
torch.cross(s, s.flip(0))
torch.cross(s, s.t(), dim=1)
torch.linalg.cross(s, s[:1])
torch.chain_matmul(x, y, y.t())
torch.linalg.multi_dot([u, x, y])
torch.linalg.multi_dot([x, y, y.t(), v])
torch.linalg.multi_dot([s, s, s])
torch.linalg.matmul(x, y)
torch.linalg.vecdot(x, v)
torch.linalg.diagonal(b)
F.linear(x, y.t())
F.linear(b, y.t(), y[0])
F.linear(v, x, u)
F.linear(x, v)
F.linear(x, y.t(), z)
F.linear(d, x, u)
F.linear(x[:0], y.t(), y[0])
F.linear(x.float(), y.t().float(), y[0].float())
F.linear(x.mT, s, u)
F.bilinear(x, s, b[:, :1].expand(2, 4, 4)[..., :3], y[0])
torch.linalg.multi_dot([x])
torch.linalg.multi_dot([b, y])
torch.linalg.multi_dot([s, u, s])
torch.linalg.multi_dot(s)
torch.linalg.vecdot(i, i)
torch.addmm(x.float()[:, :2], x, y)
torch.baddbmm(x.float()[:, :2], b, c)
(x > 0).trace()
torch.linalg.solve(s, 2.0)
torch.linalg.norm(x, 2, dim=(0, 1, 2))
torch.linalg.norm(x, dtype=torch.float32)
torch.norm(x, dtype=torch.int64)
torch.linalg.vector_norm(x[:0], -1)
torch.block_diag(x, b)
torch.vander(x)
torch.linalg.vander(x > 0)
torch.linalg.vander(x, N=1)
x @ x
x @ u
u @ y
v @ u
b @ b
b @ u
b @ x
b @ c[[0, 1, 1]]
z @ v
v @ z
x @ 2
x @ y.float()
i @ y
(x > 0) @ (y > 0)
b.mm(y)
x.mm(v)
x.bmm(y)
b.bmm(b)
b.bmm(c[[0, 1, 1]])
x.mv(u)
v.mv(v)
v.dot(u)
x.dot(v)
v.dot(v.float())
x.inner(u)
x.outer(v)
torch.addmm(u, x, y)
torch.addmm(y, x, x)
torch.tensordot(x, y, dims=([0], [0]))
torch.tensordot(x, y, dims=5)
v.trace()
torch.cross(x, x, dim=1)
torch.cross(s, u)
torch.cross(y, y)
F.linear(x, y)
F.linear(x, y.t(), u)
F.linear(z, x)
F.linear(x, y.t().float())
"""

EINSUM = """
torch.einsum('ij,jk->ik', x, y)
torch.einsum('ij,jk', x, y)
torch.einsum('ij,jk->', x, y)
torch.einsum('ij,jk->ki', x, y)
torch.einsum('ij,ij->ij', x, x)
torch.einsum('ij,ij->i', x, x)
torch.einsum('i,j->ij', u, v)
torch.einsum('i,j->', u, v)
torch.einsum('ij->ji', x)
torch.einsum('ij->', x)
torch.einsum('ij->j', x)
torch.einsum('ba', x)
torch.einsum('ii', s)
torch.einsum('ii->i', s)
torch.einsum('iij->ij', s[:, :, None] * v)
torch.einsum('ii,ij->j', s, x)
torch.einsum('bij,bjk->bik', b, c)
torch.einsum('bij,bjk->kib', b, c)
torch.einsum('...ij,...jk->...ik', d, c)
torch.einsum('...i,i', b, v)
torch.einsum('...->...', b)
torch.einsum('...i->i...', b)
torch.einsum('...i->i', b)
torch.einsum('b...,b...->b', b, b)
torch.einsum('i...,j...', x, x[:2])
torch.einsum('ij,jk,kl->il', x, y, y.t())
torch.einsum('i,ij,j', u, x, v)
torch.einsum('ij,ik,il->jkl', x, x, x)
torch.einsum('aB,Bc', x, y)
torch.einsum(' i j , j k -> i k ', x, y)
torch.einsum('ij,jk', [x, y])
torch.einsum('->', z)
torch.einsum(',ij->ij', z, x)
torch.einsum('ij,jk->ik', x[:, :1], y)
torch.einsum(x, [0, 1], y, [1, 2])
torch.einsum(x, [0, 1], y, [1, 2], [2, 0])
torch.einsum(b, [..., 1], v, [1], [...])
torch.einsum('ij,jk', i, i.t())
torch.einsum('i,j->ij', u.float(), v)
torch.einsum('->', z.detach())
torch.einsum('ij')
torch.einsum('ii', x[:1])
torch.einsum(x, [0, 52])
torch.tensordot(x, y, 1.5)
torch.tensordot(x, y.float(), 1)
torch.einsum('ij,jk', x, x)
torch.einsum('ij,jk', x)
torch.einsum('ij', x, y)
torch.einsum('i->ij', v)
torch.einsum('ij->ii', s)
torch.einsum('i1', x)
torch.einsum('ij', v)
torch.einsum('ijk', x)
torch.einsum('ij,jk', x, y.float())
"""

NORMS = """
x.norm()
x.norm(1)
x.norm(3, 0)
x.norm(0.5, dim=1, keepdim=True)
b.norm(2, (0, 2))
b.norm(dim=(0, 1), keepdim=True)
x.norm('fro')
x.norm('fro', 1)
x.norm(p=None)
x.norm('nuc')
b.norm('nuc', (1, 2), True)
x.norm(float('inf'))
x.norm(-float('inf'), 1)
x.norm(-1)
x.norm(0)
z.norm()
z.norm(1)
v.norm(dtype=torch.float64)
x.float().norm()
torch.norm(x, 2, dim=-1)
torch.dist(x, x.flip(0), 3)
torch.linalg.norm(x)
torch.linalg.norm(b)
torch.linalg.norm(x, 2)
torch.linalg.norm(x, -2)
torch.linalg.norm(x, 1)
torch.linalg.norm(x, float('inf'))
torch.linalg.norm(x, 'nuc')
torch.linalg.norm(v, 3)
torch.linalg.norm(b, 2, dim=(1, 2))
torch.linalg.norm(b, -1, dim=1)
torch.linalg.vector_norm(x, 1.5, dim=0, keepdim=True)
torch.linalg.matrix_norm(b)
torch.linalg.matrix_norm(b, 1, keepdim=True)
torch.linalg.matrix_norm(b, -float('inf'), (0, 1))
torch.linalg.matrix_norm(b, 2, dim=(2, 0), keepdim=True)
torch.linalg.matrix_norm(x.detach()[:, :0], 1)
torch.linalg.matrix_norm(x.detach()[:0], float('inf'))
torch.linalg.matrix_norm(x.detach()[:0], 2)
(1e3 * x.detach().half()).norm()
(20 * x.detach().half()).norm(4)
torch.renorm(x, 2, 0, 1.5)
b.renorm(1, -1, 2.0)
b.clone().renorm_(3, 1, 0.5)
x.renorm(float('inf'), 1, 0.5)
v.renorm(2, 0, 1.0)
x.renorm(-1, 0, 1.0)
x.renorm(2, 0, -1.0)
torch.linalg.matrix_norm(x[:0], -2)
i.norm()
x.norm('max')
b.norm('nuc')
torch.linalg.norm(b, 2)
torch.linalg.matrix_norm(x, 3)
torch.linalg.matrix_norm(v)
torch.linalg.vector_norm(x[:0], float('inf'))
"""

AT_ZERO = [
    f"{x}.norm({p})"
    for x in ("o", "o[0]", "o[1]")
    for p in (0.5, 1, 1.5, 2, 3, "inf", "-inf", -1, -2)
]

DECOMPOSITIONS = """
torch.linalg.inv(s)
torch.inverse(s + torch.eye(3).double() * b[:, :, :3])
torch.linalg.solve(s, u)
torch.linalg.solve(s, x)
torch.linalg.solve(s, b)
torch.linalg.solve(s, x.t(), left=False)
torch.linalg.solve_triangular(s, x, upper=True)
torch.linalg.solve_triangular(s.t(), x, upper=False, unitriangular=True)
torch.linalg.solve_triangular(s, x.t(), upper=True, left=False)
torch.linalg.det(s)
torch.det(b @ b.mT + torch.eye(3).double())
torch.linalg.slogdet(s)
torch.logdet(s @ s.t())
torch.logdet(-torch.eye(3))
torch.linalg.cholesky(s @ s.t() + 1.5 * torch.eye(3).double())
torch.cholesky(s @ s.t() + torch.eye(3).double(), upper=True)
torch.linalg.qr(x.t()).R.abs()
torch.linalg.qr(x).R.abs()
torch.linalg.qr(x)[0] ** 2
torch.linalg.qr(b.mT)[0] ** 2
torch.linalg.qr(x.detach().t(), 'r').R.abs()
torch.linalg.eigh(s + s.t()).eigenvalues
torch.linalg.eigh(s + s.t()).eigenvectors ** 2
torch.linalg.eigvalsh(s @ s.t())
torch.linalg.eigh(s)[1] ** 2
torch.linalg.eigh(s, UPLO='U')[1] ** 2
torch.linalg.eigvalsh(s, UPLO='U')
torch.linalg.svd(x, full_matrices=False).S
torch.linalg.svd(x, full_matrices=False).U ** 2
torch.linalg.svd(x.t(), full_matrices=False)[0] ** 2
torch.linalg.svd(x, full_matrices=False).Vh ** 2
torch.linalg.svdvals(b)
torch.svd(x)[1]
torch.linalg.pinv(x)
torch.linalg.pinv(b.mT)
torch.pinverse(x.t())
torch.matrix_power(s, 3)
torch.linalg.matrix_power(s, -2)
torch.matrix_power(s.detach(), 0)
torch.linalg.matrix_power(b[:, :, :3], 5)
torch.linalg.matrix_rank(r.detach())
torch.linalg.matrix_rank(x.detach(), rtol=0.9)
torch.linalg.inv_ex(s)
torch.linalg.inv_ex(s + torch.eye(3).double() * b[:, :, :3]).info
torch.linalg.inv_ex(torch.ones(2, 2)).info
torch.linalg.solve_ex(s, u)
torch.linalg.solve_ex(s, x.t(), left=False)
torch.linalg.solve_ex(torch.ones(2, 2), torch.ones(2)).info
torch.linalg.solve_triangular(r.detach() * 0, x, upper=True)
torch.triangular_solve(x, s, upper=False)
x.triangular_solve(s, transpose=True, unitriangular=True).solution
torch.linalg.tensorinv(b.reshape(3, 8)[:, :3].reshape(1, 3, 3), ind=2)
torch.linalg.tensorsolve((s @ s.t())[:, None], x[:, :1])
torch.linalg.tensorsolve(s.t()[None], u, dims=(0, 2))
torch.linalg.matrix_exp(s)
torch.matrix_exp(b[:, :, :3])
torch.matrix_exp(s[:0, :0])
torch.linalg.cholesky_ex(s @ s.t() + torch.eye(3).double())
torch.linalg.cholesky_ex(-torch.eye(2)).info
torch.cholesky_solve(x, s)
x.cholesky_solve(s, upper=True)
torch.cholesky_inverse(s.tril())
s.cholesky_inverse(True)
torch.linalg.lu(s)
torch.linalg.lu(x)
torch.linalg.lu(b.mT)
torch.linalg.lu_factor(s)
torch.linalg.lu_factor_ex(r.detach())[0].triu()
torch.linalg.lu_solve(*torch.linalg.lu_factor(s), x)
torch.linalg.lu_solve(*torch.linalg.lu_factor(s), x.t(), left=False)
torch.linalg.lu_solve(*torch.linalg.lu_factor(s), x, adjoint=True)
x.lu_solve(*s.lu())
torch.lu(s, get_infos=True)[2]
torch.lu_unpack(*torch.lu(s.detach()), unpack_data=False)
torch.lu_unpack(*torch.lu(x), unpack_pivots=False)
torch.linalg.householder_product(x.t(), u)
torch.orgqr(x.t(), u[:2])
torch.geqrf(x.detach())
torch.ormqr(x.t(), u, x.t())
torch.ormqr(x.t(), u, x, left=False)
torch.ormqr(x.t(), u, x.t(), transpose=True)
torch.linalg.ldl_factor(r.detach())
torch.linalg.ldl_solve(*torch.linalg.ldl_factor(r.detach()), x.detach())
torch.qr(x.t()).R.abs()
x.qr()[0] ** 2
torch.svd(x, compute_uv=False)
torch.linalg.pinv(x, rtol=0.5)
torch.linalg.pinv(x, 0.5)
torch.linalg.pinv(r.detach(), atol=0.1)
torch.linalg.pinv(s + s.t() + 3 * torch.eye(3).double(), hermitian=True)
torch.linalg.pinv(b.detach(), rtol=torch.tensor([0.1, 0.9]))
torch.linalg.matrix_rank(x.detach(), 0.9)
torch.linalg.matrix_rank(r.detach(), hermitian=True)
torch.linalg.matrix_rank(b.detach(), rtol=torch.tensor([0.1, 0.9]))
torch.linalg.lstsq(x.t(), b[0].t()).solution
torch.linalg.lstsq(x, u).solution
torch.linalg.lstsq(b, x[None, :, :2] + b[..., :2]).solution
torch.linalg.lstsq(x.t(), v[:, None], driver='gelsd')
torch.linalg.lstsq(x.t().detach(), v.detach(), driver='gelsy')
torch.linalg.lstsq(x.t(), v, driver='gels').residuals
torch.linalg.cond(x)
torch.linalg.cond(s, 1)
torch.linalg.cond(x, -2)
torch.linalg.cond(s, 'nuc')
torch.linalg.cond(torch.zeros(2, 2), 1)
torch.linalg.inv_ex(torch.ones(2, 2), check_errors=True)
torch.linalg.inv(x)
torch.linalg.inv(torch.ones(2, 2))
torch.linalg.inv(torch.eye(2).half())
torch.linalg.solve(s, x.float())
torch.linalg.solve(s, u, left=False)
torch.linalg.solve_triangular(s, u, upper=True)
torch.linalg.solve_triangular(s, v[:, None], upper=True)
torch.linalg.tensorinv(x)
torch.linalg.tensorinv(x, ind=0)
torch.linalg.tensorsolve(x, u)
torch.linalg.matrix_exp(x)
torch.cholesky_solve(u, s)
torch.linalg.cholesky_ex(-torch.eye(2), check_errors=True)
torch.linalg.lu(s, pivot=False)
torch.linalg.lu_factor(torch.ones(2, 2))
torch.lu_unpack(s, u)
torch.linalg.householder_product(x, u)
torch.linalg.lstsq(x, v)
torch.linalg.lstsq(x, u.float())
torch.linalg.lstsq(x, u, driver='fast')
torch.linalg.cond(x, 1)
torch.linalg.cond(s, 3)
torch.linalg.eigh(s, 'x')
torch.linalg.svd(x, driver='gesvd')
torch.linalg.inv(i[:, :3])
torch.linalg.inv(v)
torch.linalg.det(x)
torch.linalg.solve(torch.ones(2, 2), torch.ones(2))
torch.linalg.solve(s, v)
torch.linalg.cholesky(-torch.eye(2))
torch.linalg.cholesky(torch.full((2, 2), float('nan')))
torch.linalg.cholesky_ex(torch.full((2, 2), float('nan')), check_errors=True)
torch.linalg.svdvals(torch.full((2, 2), float('nan')))
torch.linalg.pinv(torch.full((2, 2), float('nan')))
torch.linalg.matrix_rank(torch.full((2, 2), float('nan')))
torch.lu_unpack(s, torch.tensor([1, 2, 9], dtype=torch.int32))
torch.lu_unpack(s, torch.zeros(3, dtype=torch.int32))
torch.linalg.ldl_solve(s, torch.ones(3), s)
torch.linalg.ldl_solve(s, torch.ones(2, dtype=torch.int32), s)
torch.linalg.qr(x, 'full')
torch.matrix_power(x, 2)
"""

STATISTICS = """
torch.cov(x)
x.cov(correction=0)
torch.cov(v)
torch.cov(x[:1])
torch.cov(z)
torch.cov(i)
torch.cov(x, fweights=i[0])
torch.cov(x, aweights=v ** 2)
torch.cov(x, fweights=i[0], aweights=v ** 2, correction=2)
torch.cov(x[:, :1])
torch.corrcoef(x)
x.mT.corrcoef()
torch.corrcoef(v)
torch.corrcoef(z)
torch.corrcoef(i)
torch.cov(b)
torch.cov(x > 0)
torch.cov(x, fweights=v)
torch.cov(x, aweights=i[0])
torch.cov(x, fweights=i[0, :2])
torch.cov(x, fweights=-i[0])
torch.cov(x, fweights=i)
torch.corrcoef(b)
"""

pytestmark = pytest.mark.skipif(THEIRS is None, reason="PyTorch is not installed")


@pytest.mark.parametrize("expression", lines(PRODUCTS))
def test_products(expression: str) -> None:
    assert_agreement(expression, INPUTS)


@pytest.mark.parametrize("expression", lines(EINSUM))
def test_einsum(expression: str) -> None:
    assert_agreement(expression, INPUTS, strides=False)


@pytest.mark.parametrize("expression", lines(NORMS))
def test_norms(expression: str) -> None:
    assert_agreement(expression, INPUTS)


@pytest.mark.parametrize("expression", AT_ZERO)
def test_norms_at_zero(expression: str) -> None:
    """At their kinks norms have the gradients that PyTorch gives them, and no nan."""
    assert_agreement(expression, INPUTS, second=False)


@pytest.mark.parametrize("expression", lines(DECOMPOSITIONS))
def test_decompositions(expression: str) -> None:
    assert_agreement(expression, INPUTS, strides=False)


@pytest.mark.parametrize("expression", lines(STATISTICS))
def test_statistics(expression: str) -> None:
    assert_agreement(expression, INPUTS, strides=False)


@better_than_torch  # which follows them out of the matrix
@pytest.mark.parametrize("pivots", [[1, 2, 4], [0, 2, 3], [-9, -9, 3], [-1, 2, 3], [1, 2, -3]])
def test_pivots_that_no_factorization_gives(pivots: list[int]) -> None:
    torch = OURS.torch
    with pytest.raises(RuntimeError, match="rows from 1 to 3"):
        torch.linalg.ldl_solve(torch.eye(3), torch.tensor(pivots, dtype=torch.int32), torch.eye(3))


def test_largest_singular_values_in_a_random_subspace() -> None:
    """Exact for matrices of lower rank, wide, tall and in batches."""
    torch = OURS.torch
    for a in (INPUTS["x"], INPUTS["b"], INPUTS["b"].swapaxes(1, 2)):
        a = torch.tensor(a)
        u, s, v = torch.svd_lowrank(a, q=3)
        np.testing.assert_allclose(array(u * s[..., None, :] @ v.mT), array(a), atol=1e-12)
        u, s, v = torch.pca_lowrank(a)
        np.testing.assert_allclose(
            array(u * s[..., None, :] @ v.mT), array(a - a.mean(-2, keepdim=True)), atol=1e-12
        )
    for wrong in ({"q": 5}, {"niter": -1}):
        with pytest.raises(ValueError, match="must be non-negative"):
            torch.pca_lowrank(a, **wrong)
    a.requires_grad_()
    assert OURS.autograd.gradcheck(lambda a: torch.svd_lowrank(a, q=3)[1], (a,), nondet_tol=1e-10)


def test_which_of_a_batch_has_no_inverse() -> None:
    torch = OURS.torch
    a = torch.stack((torch.eye(2), torch.ones(2, 2)))
    for solve in (torch.linalg.inv, lambda a: torch.linalg.solve(a, torch.ones(2, 2, 1))):
        with pytest.raises(torch.linalg.LinAlgError, match="Batch element 1"):
            solve(a)
    with pytest.raises(torch.linalg.LinAlgError, match="minor of order 2"):
        torch.linalg.cholesky(torch.ones(2, 2))


def test_qr_without_q_has_no_derivative() -> None:
    torch = OURS.torch
    r = torch.linalg.qr(torch.ones(2, 2, requires_grad=True), "r").R
    with pytest.raises(RuntimeError, match="depends on Q"):
        r.sum().backward()


@better_than_torch
def test_determinant_of_a_singular_matrix() -> None:
    """The gradient is the matrix of cofactors, and the second derivative exists."""
    torch = OURS.torch
    for rank in (0, 1, 2):
        a = torch.tensor(INPUTS["s"][:, :rank] @ INPUTS["s"][:rank], requires_grad=True)
        assert OURS.autograd.gradcheck(torch.det, (a,))
        zero = torch.tensor(np.diag([1.0] * rank + [0.0] * (3 - rank)), requires_grad=True)
        assert OURS.autograd.gradcheck(torch.det, (zero,))
        assert OURS.autograd.gradgradcheck(torch.det, (zero,))


@better_than_torch
def test_linear_explains_what_does_not_fit() -> None:
    torch = OURS.torch
    with pytest.raises(
        RuntimeError,
        match=r"mat1 and mat2 shapes cannot be multiplied \(2x3 and 5x4\).*in_features",
    ):
        OURS.functional.linear(torch.ones(2, 3), torch.ones(4, 5))
    with pytest.raises(
        RuntimeError, match=r"mat1 and mat2 shapes cannot be multiplied \(2x3 and 4x5\)"
    ):
        torch.ones(2, 3) @ torch.ones(4, 5)
