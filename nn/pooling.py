"""Pooling layers: every window of the image becomes its largest or its mean value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd import Tensor

from . import functional as F
from .module import Module
from .sizes import spread

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AvgPool1d",
    "AvgPool2d",
    "MaxPool1d",
    "MaxPool2d",
]

Size = int | Sequence[int]


class _MaxPool(Module):
    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def _settings(self) -> dict[str, Any]:
        return {
            "kernel_size": self.kernel_size,
            "stride": self.stride,
            "padding": self.padding,
            "dilation": self.dilation,
            "ceil_mode": self.ceil_mode,
        }

    def extra_repr(self) -> str:
        """The settings."""
        return ", ".join(f"{name}={value}" for name, value in self._settings().items())


class MaxPool1d(_MaxPool):
    """The largest value of every window: (N, C, L) to (N, C, L').

    L' = ⌊(L + 2·padding − dilation·(kernel_size − 1) − 1) / stride⌋ + 1; `ceil_mode` rounds up.
    With `return_indices` also says where in L each stood. `stride` is `kernel_size` by default.
    """

    def forward(self, input: Tensor) -> Any:
        """Pool."""
        return F.max_pool1d(input, **self._settings(), return_indices=self.return_indices)


class MaxPool2d(_MaxPool):
    """The largest value of every window: (N, C, H, W) to (N, C, H', W').

    H' = ⌊(H + 2·padding − dilation·(kernel_size − 1) − 1) / stride⌋ + 1, W' likewise; `ceil_mode`
    rounds up. With `return_indices` also says where in H·W each stood. `stride` is `kernel_size` by
    default.
    """

    def forward(self, input: Tensor) -> Any:
        """Pool."""
        return F.max_pool2d(input, **self._settings(), return_indices=self.return_indices)


class AvgPool1d(Module):
    """The mean of every window: (N, C, L) to (N, C, L').

    L' = ⌊(L + 2·padding − kernel_size) / stride⌋ + 1; `ceil_mode` rounds up.
    `count_include_pad` counts the zeros of the padding. `stride` is `kernel_size` by default.
    """

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = spread(kernel_size, 1)
        self.stride = spread(kernel_size if stride is None else stride, 1)
        self.padding = spread(padding, 1)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        """Pool."""
        return F.avg_pool1d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
        )

    def extra_repr(self) -> str:
        """The settings."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool2d(Module):
    """The mean of every window: (N, C, H, W) to (N, C, H', W').

    H' = ⌊(H + 2·padding − kernel_size) / stride⌋ + 1, W' likewise; `ceil_mode` rounds up.
    `count_include_pad` counts the zeros of the padding; `divisor_override` divides by another
    number. `stride` is `kernel_size` by default.
    """

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        """Pool."""
        return F.avg_pool2d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )

    def extra_repr(self) -> str:
        """The settings."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class _AdaptivePool(Module):
    def __init__(self, output_size: int | Sequence[int | None] | None) -> None:
        super().__init__()
        self.output_size = output_size

    def extra_repr(self) -> str:
        """The settings."""
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptivePool):
    """The means of windows that cover the signal: (N, C, L) to (N, C, output_size)."""

    def forward(self, input: Tensor) -> Tensor:
        """Pool."""
        return F.adaptive_avg_pool1d(input, self.output_size)


class AdaptiveAvgPool2d(_AdaptivePool):
    """The means of windows that cover the image: (N, C, H, W) to (N, C, *output_size).

    None in `output_size` keeps the size of that dimension.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Pool."""
        return F.adaptive_avg_pool2d(input, self.output_size)


class _AdaptiveMaxPool(_AdaptivePool):
    def __init__(
        self, output_size: int | Sequence[int | None] | None, return_indices: bool = False
    ) -> None:
        super().__init__(output_size)
        self.return_indices = return_indices


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """The maxima of windows that cover the signal: (N, C, L) to (N, C, output_size)."""

    def forward(self, input: Tensor) -> Any:
        """Pool."""
        return F.adaptive_max_pool1d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """The maxima of windows that cover the image: (N, C, H, W) to (N, C, *output_size)."""

    def forward(self, input: Tensor) -> Any:
        """Pool."""
        return F.adaptive_max_pool2d(input, self.output_size, self.return_indices)
