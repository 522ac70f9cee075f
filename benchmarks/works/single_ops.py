"""Twenty common ops, forward and backward, where the call costs (16) and where the numbers do."""

from typing import Any

from benchmarks.work import Step, Work

#: Of the library and two positive square matrices.
OPS: dict[str, Any] = {
    "add": lambda torch, x, w: x + w,
    "sub": lambda torch, x, w: x - w,
    "mul": lambda torch, x, w: x * w,
    "div": lambda torch, x, w: x / w,
    "square": lambda torch, x, w: x**2,
    "exp": lambda torch, x, w: x.exp(),
    "log": lambda torch, x, w: x.log(),
    "tanh": lambda torch, x, w: x.tanh(),
    "sigmoid": lambda torch, x, w: x.sigmoid(),
    "relu": lambda torch, x, w: x.relu(),
    "sum": lambda torch, x, w: x.sum(dim=1),
    "mean": lambda torch, x, w: x.mean(),
    "amax": lambda torch, x, w: x.amax(dim=1),
    "softmax": lambda torch, x, w: x.softmax(dim=1),
    "log_softmax": lambda torch, x, w: x.log_softmax(dim=1),
    "matmul": lambda torch, x, w: x @ w,
    "transpose": lambda torch, x, w: x.transpose(0, 1) * w,
    "slice": lambda torch, x, w: x[1:, ::2],
    "cat": lambda torch, x, w: torch.cat([x, w]),
    "where": lambda torch, x, w: torch.where(x > w, x, w),
}


def single_op(torch: Any, op: str, size: int) -> Step:
    """One op on size x size matrices, both of which want a gradient."""
    torch.manual_seed(0)
    x = (torch.rand((size, size)) + 0.5).requires_grad_()
    w = (torch.rand((size, size)) + 0.5).requires_grad_()
    apply = OPS[op]
    dy = torch.ones_like(apply(torch, x, w)).detach()

    def step() -> None:
        apply(torch, x, w).backward(dy)
        x.grad = w.grad = None

    return step


WORKS = [
    Work(f"op {op} {size}x{size}", single_op, {"op": op, "size": size})
    for op in OPS
    for size in (16, 256)
]
