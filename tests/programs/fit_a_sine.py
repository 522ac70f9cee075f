"""sin(x) by a cubic, in four ways: by hand, by autograd, by a Function, by a module."""

import math

import torch

torch.manual_seed(1)
x = torch.linspace(-math.pi, math.pi, 200, dtype=torch.float64)
y = torch.sin(x)

# By hand.
a, b, c, d = (torch.randn((), dtype=torch.float64) for _ in range(4))
for t in range(300):
    y_pred = a + b * x + c * x**2 + d * x**3
    loss = (y_pred - y).pow(2).sum().item()
    grad_y_pred = 2.0 * (y_pred - y)
    a -= 1e-5 * grad_y_pred.sum()
    b -= 1e-5 * (grad_y_pred * x).sum()
    c -= 1e-5 * (grad_y_pred * x**2).sum()
    d -= 1e-5 * (grad_y_pred * x**3).sum()
print(
    f"{loss:.6f}: y = {a.item():.4f} + {b.item():.4f} x + {c.item():.4f} x^2 + {d.item():.4f} x^3"
)

# By autograd.
weights = [torch.randn((), dtype=torch.float64, requires_grad=True) for _ in range(4)]
for t in range(300):
    y_pred = sum(w * x**n for n, w in enumerate(weights))
    loss = (y_pred - y).pow(2).sum()
    loss.backward()
    with torch.no_grad():
        for w in weights:
            w -= 1e-5 * w.grad
            w.grad = None
print(f"{loss.item():.6f}", [f"{w.item():.4f}" for w in weights])


# By a Function of one's own.
class LegendrePolynomial3(torch.autograd.Function):
    """P3(x) = (5x^3 - 3x) / 2."""

    @staticmethod
    def forward(ctx, input):
        ctx.save_for_backward(input)
        return 0.5 * (5 * input**3 - 3 * input)

    @staticmethod
    def backward(ctx, grad_output):
        (input,) = ctx.saved_tensors
        return grad_output * 1.5 * (5 * input**2 - 1)


weights = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (0, -1, 0, 0.3)]
for t in range(300):
    a, b, c, d = weights
    loss = (a + b * LegendrePolynomial3.apply(c + d * x) - y).pow(2).sum()
    loss.backward()
    with torch.no_grad():
        for w in weights:
            w -= 5e-6 * w.grad
            w.grad = None
print(f"{loss.item():.6f}", [f"{w.item():.4f}" for w in weights])

# By a module and an optimizer.
powers = x.unsqueeze(-1).pow(torch.tensor([1, 2, 3]))
model = torch.nn.Sequential(torch.nn.Linear(3, 1), torch.nn.Flatten(0, 1)).double()
loss_fn = torch.nn.MSELoss(reduction="sum")
optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
for t in range(300):
    loss = loss_fn(model(powers), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(
    f"{loss.item():.6f}", model[0].weight.shape, [f"{w:.4f}" for w in model[0].weight[0].tolist()]
)
print(model)
