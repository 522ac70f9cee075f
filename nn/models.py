"""Networks that the lessons, the command line and the benchmarks share."""

from __future__ import annotations

from autograd import Tensor

from . import functional as F
from .conv import Conv2d
from .linear import Linear
from .module import Module
from .pooling import AvgPool2d, MaxPool2d

__all__ = ["ConvNet"]


class ConvNet(Module):
    """The textbook CNN: Conv-ReLU-MaxPool-Conv-ReLU-AvgPool-Linear-ReLU-Linear.

    As it stands in the book it looks at color pictures of 32 x 32 pixels and has 50,774 parameters.
    Images (N, in_channels, image_size, image_size) become scores (N, classes).
    """

    def __init__(
        self,
        in_channels: int = 3,
        image_size: int = 32,
        widths: tuple[int, int] = (3, 16),
        kernel_size: int = 5,
        padding: int = 0,
        hidden: int = 120,
        classes: int = 10,
    ) -> None:
        super().__init__()
        side = image_size
        for _ in widths:  # what convolution and pooling leave of it
            side = (side + 2 * padding - kernel_size + 1) // 2
        self.conv1 = Conv2d(in_channels, widths[0], kernel_size, padding=padding)
        self.pool1 = MaxPool2d(2, 2)
        self.conv2 = Conv2d(widths[0], widths[1], kernel_size, padding=padding)
        self.pool2 = AvgPool2d(2, 2)
        self.fc1 = Linear(widths[1] * side * side, hidden)
        self.fc2 = Linear(hidden, classes)

    @classmethod
    def for_digits(cls) -> ConvNet:
        """The same, sized for `Digits(size=16)`: gray pictures of 16 x 16 pixels."""
        return cls(in_channels=1, image_size=16, widths=(16, 32), padding=2)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of all classes."""
        x = self.pool1(F.relu(self.conv1(x)))
        x = self.pool2(F.relu(self.conv2(x)))
        x = F.relu(self.fc1(x.flatten(1)))
        return self.fc2(x)
