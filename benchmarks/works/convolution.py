"""conv2d forward and backward (input, weight and bias) at eight shapes from real networks."""

from typing import Any

from benchmarks.work import Step, Work


def conv2d(
    torch: Any, images: tuple[int, ...], out: int, kernel: int, groups: int = 1, **settings: int
) -> Step:
    """`images` is (batch, channels, height, width); the filters are square."""
    torch.manual_seed(0)
    x = torch.randn(images).requires_grad_()
    weight = torch.randn((out, images[1] // groups, kernel, kernel)).requires_grad_()
    bias = torch.randn((out,)).requires_grad_()

    def forward() -> Any:
        return torch.nn.functional.conv2d(x, weight, bias, groups=groups, **settings)

    dy = torch.ones_like(forward()).detach()

    def step() -> None:
        forward().backward(dy)
        x.grad = weight.grad = bias.grad = None

    return step


SHAPES: dict[str, dict[str, Any]] = {
    "5x5, 3 to 3": {"images": (128, 3, 32, 32), "out": 3, "kernel": 5},
    "3x3, 1 to 32": {"images": (64, 1, 28, 28), "out": 32, "kernel": 3},
    "3x3, 32 to 64": {"images": (64, 32, 13, 13), "out": 64, "kernel": 3},
    "3x3 pad": {"images": (16, 64, 32, 32), "out": 64, "kernel": 3, "padding": 1},
    "3x3 stride": {"images": (16, 64, 32, 32), "out": 128, "kernel": 3, "stride": 2, "padding": 1},
    "3x3 dilate": {"images": (16, 32, 32, 32), "out": 32, "kernel": 3, "dilation": 2, "padding": 2},
    "3x3 depthwise": {"images": (16, 64, 32, 32), "out": 64, "kernel": 3, "groups": 64},
    "1x1": {"images": (16, 128, 16, 16), "out": 128, "kernel": 1},
}

WORKS = [
    Work(f"conv2d {name}", conv2d, settings, small={"images": (1, *settings["images"][1:])})
    for name, settings in SHAPES.items()
]
