"""A hundred ops in a row, forward and backward: what one op costs, from scalars to matrices."""

from typing import Any

from benchmarks.work import Step, Work


def op_chain(torch: Any, shape: tuple[int, ...]) -> Step:
    """Ten rounds of ten ops on two leaves; every value stays between -3 and 3."""
    torch.manual_seed(0)
    x = torch.rand(shape).requires_grad_()
    w = torch.rand(shape).requires_grad_()

    def step() -> None:
        y = x
        for _ in range(10):
            y = y * w
            y = y + x
            y = y.tanh()
            y = y - w
            y = y.relu()
            y = y * 0.5
            y = y + 1
            y = y / 2.0
            y = -y
            y = y.sigmoid()
        y.sum().backward()
        x.grad = w.grad = None

    return step


WORKS = [
    Work(f"op chain {shape}", op_chain, {"shape": shape}, {"torch": aim})
    for shape, aim in [((), 0.7), ((16,), 0.7), ((64, 64), 1.0), ((256, 256), 1.3)]
]
