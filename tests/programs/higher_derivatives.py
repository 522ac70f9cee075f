"""Jacobians, Hessians and their products; forward mode; per-sample gradients; tangent kernels."""

from functools import partial

import torch
import torch.autograd.forward_ad as fwAD
import torch.nn as nn
import torch.nn.functional as F
from torch.autograd.functional import hessian, hvp, jacobian, vjp
from torch.func import functional_call, grad, jacfwd, jacrev, jvp, vmap
from torch.func import hessian as fhessian
from torch.func import vjp as fvjp

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)
D = 5
weight, bias, x = torch.randn(D, D), torch.randn(D), torch.randn(D)


def predict(weight, bias, x):
    return F.linear(x, weight, bias).tanh()


unit_vectors = torch.eye(D)
xp = x.clone().requires_grad_()
rows = [torch.autograd.grad(predict(weight, bias, xp), xp, v)[0] for v in unit_vectors]
by_rows = torch.stack(rows)
_, vjp_fn = fvjp(partial(predict, weight, bias), x)
(by_vmap,) = vmap(vjp_fn)(unit_vectors)
print(torch.allclose(by_rows, by_vmap))
print(torch.allclose(jacrev(predict, argnums=2)(weight, bias, x), by_rows))
print(torch.allclose(jacfwd(predict, argnums=2)(weight, bias, x), by_rows))
print(torch.allclose(jacobian(partial(predict, weight, bias), x), by_rows))
H = fhessian(predict, argnums=2)(weight, bias, x)
print(H.shape, torch.allclose(H, jacfwd(jacrev(predict, 2), 2)(weight, bias, x)))
J = jacrev(predict, argnums=(0, 2))(weight, bias, x)
print([tuple(j.shape) for j in J])

f = lambda t: (t**3).sum()  # noqa: E731
print(torch.allclose(hessian(f, x), torch.diag(6 * x)))
print(torch.allclose(hvp(f, x, torch.ones(D))[1], 6 * x))
print(torch.allclose(vjp(lambda t: t**2, x, torch.ones(D))[1], 2 * x))
print(grad(grad(torch.sin))(torch.tensor(1.0)))
out, tangent = jvp(torch.sin, (x,), (torch.ones(D),))
print(torch.allclose(tangent, x.cos()))

primal, direction = torch.randn(4, 4), torch.randn(4, 4)
fn = lambda a, b: a**2 + b**2  # noqa: E731
with fwAD.dual_level():
    dual = fwAD.make_dual(primal, direction)
    print(fwAD.unpack_dual(dual).tangent.equal(direction))
    result = fwAD.unpack_dual(fn(dual, torch.ones(4, 4)))
    print(torch.allclose(result.tangent, 2 * primal * direction))

net = nn.Linear(4, 3)
with fwAD.dual_level():
    params = {name: p for name, p in net.named_parameters()}
    tangents = {name: torch.rand_like(p) for name, p in params.items()}
    duals = {name: fwAD.make_dual(p, tangents[name]) for name, p in params.items()}
    jvp1 = fwAD.unpack_dual(functional_call(net, duals, torch.ones(2, 4))).tangent
print(torch.allclose(jvp1, torch.ones(2, 4) @ tangents["weight"].T + tangents["bias"]))


def compute_loss(params, sample, target):
    prediction = functional_call(net, params, (sample.unsqueeze(0),))
    return F.cross_entropy(prediction, target.unsqueeze(0))


params = {k: v.detach() for k, v in net.named_parameters()}
samples, targets = torch.randn(6, 4), torch.randint(0, 3, (6,))
per_sample = vmap(grad(compute_loss), in_dims=(None, 0, 0))(params, samples, targets)
print({k: tuple(v.shape) for k, v in per_sample.items()})
loss = F.cross_entropy(net(samples), targets)
loss.backward()
print(torch.allclose(per_sample["weight"].mean(0), net.weight.grad))


def fnet_single(params, x):
    return functional_call(net, params, (x.unsqueeze(0),)).squeeze(0)


def kernel(x1, x2):
    jac1 = vmap(jacrev(fnet_single), (None, 0))(params, x1)
    jac2 = vmap(jacrev(fnet_single), (None, 0))(params, x2)
    both = zip([j.flatten(2) for j in jac1.values()], [j.flatten(2) for j in jac2.values()])
    return torch.stack([torch.einsum("Naf,Mbf->NMab", j1, j2) for j1, j2 in both]).sum(0)


print(kernel(samples[:2], samples).shape)
