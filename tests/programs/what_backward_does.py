"""Leaves, grad_fn, accumulation, hooks, retain_grad, no_grad, detach: the words of autograd."""

import torch

a = torch.tensor([2.0, 3.0], requires_grad=True)
b = torch.tensor([6.0, 4.0], requires_grad=True)
Q = 3 * a**3 - b**2
Q.backward(gradient=torch.tensor([1.0, 1.0]))
print(9 * a**2 == a.grad, -2 * b == b.grad)

x = torch.ones(5)
y = torch.zeros(3)
torch.manual_seed(0)
w = torch.randn(5, 3, requires_grad=True)
b = torch.randn(3, requires_grad=True)
z = torch.matmul(x, w) + b
loss = torch.nn.functional.binary_cross_entropy_with_logits(z, y)
loss.backward()
print(w.grad, b.grad, sep="\n")
print(z.requires_grad, z.detach().requires_grad)
with torch.no_grad():
    z = torch.matmul(x, w) + b
print(z.requires_grad)

inp = torch.eye(4, 5, requires_grad=True)
out = (inp + 1).pow(2).t()
out.backward(torch.ones_like(out), retain_graph=True)
print(inp.grad)
out.backward(torch.ones_like(out), retain_graph=True)
print("again:", inp.grad)
inp.grad.zero_()
out.backward(torch.ones_like(out))
print("zeroed:", inp.grad)

x = torch.tensor([1.0, 2.0], requires_grad=True)
h = x * 2
h.retain_grad()
h.register_hook(lambda grad: print("arrives at h:", grad))
doubled = x.register_hook(lambda grad: grad * 2)
(h**2).sum().backward()
print(x.grad, h.grad, h.is_leaf, x.is_leaf)
doubled.remove()
x.grad = None
(x**2).sum().backward()
print(x.grad)

try:
    h.sum().backward()
except RuntimeError as error:
    print(type(error).__name__, "does not" in str(error) or "second time" in str(error))

x = torch.tensor(3.0, requires_grad=True)
(first,) = torch.autograd.grad(x**4, x, create_graph=True)
(second,) = torch.autograd.grad(first, x, create_graph=True)
(third,) = torch.autograd.grad(second, x)
print(first.item(), second.item(), third.item())

linear = torch.nn.Linear(3, 2)
for p in linear.parameters():
    p.requires_grad = False
print(linear(torch.ones(1, 3)).requires_grad)

v = torch.zeros(3, requires_grad=True)
u = v.clone()
u[0] = 5 * v[1]
u[1:].mul_(3)
u.sum().backward()
print(v.grad)
