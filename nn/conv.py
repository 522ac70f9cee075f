"""Convolution layers: the same small filter looks at every place of the signal or image."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import autograd
from autograd import Tensor

from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter
from .sizes import spread

__all__ = ["Conv1d", "Conv2d", "ConvTranspose1d", "ConvTranspose2d"]

Size = int | Sequence[int]

_PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class _ConvNd(Module):
    """What all convolutions share: settings, weight and bias, and how these start and print."""

    dims: int
    transposed = False
    bias: Parameter | None
    padding: Any  # a size for each dimension, or "same" or "valid"

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size,
        padding: str | Size,
        dilation: Size,
        output_padding: Size,
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any,
        dtype: Any,
    ) -> None:
        super().__init__()
        _check_groups(groups, in_channels, out_channels)
        _check_padding_mode(padding_mode, ("zeros",) if self.transposed else _PADDING_MODES)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = spread(kernel_size, self.dims)
        self.stride = spread(stride, self.dims)
        self.padding = self._check_padding(padding)
        self.dilation = spread(dilation, self.dims)
        self.output_padding = spread(output_padding, self.dims)
        self.groups = groups
        self.padding_mode = padding_mode

        sides = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        shape = (sides[0], sides[1] // groups, *self.kernel_size)
        new = {"device": device, "dtype": dtype}
        self.weight = Parameter(autograd.empty(shape, **new))
        self.register_parameter(
            "bias", Parameter(autograd.empty(out_channels, **new)) if bias else None
        )
        self.reset_parameters()

    def _check_padding(self, padding: str | Size) -> str | tuple[int, ...]:
        if not isinstance(padding, str):
            return spread(padding, self.dims)
        if padding not in ("same", "valid"):
            raise ValueError(
                f"Invalid padding string {padding!r}, should be one of 'valid', 'same', or numbers"
            )
        if padding == "same" and any(step != 1 for step in self.stride):
            raise ValueError(
                "padding='same' is not supported for strided convolutions: stride is "
                f"{self.stride}, give the padding in numbers"
            )
        return padding

    def reset_parameters(self) -> None:
        """Draw weight and bias anew, uniform in ±1/√fan_in (fan_in: inputs that an output sees)."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in = self.weight[0].numel()
            bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        """The settings, those at their defaults left out."""
        text = (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}"
        )
        if isinstance(self.padding, str) or any(self.padding):
            text += f", padding={self.padding}"
        if any(step != 1 for step in self.dilation):
            text += f", dilation={self.dilation}"
        if any(self.output_padding):
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text


class _Convolution(_ConvNd):
    """Convolution proper, in any number of dimensions."""

    convolve: Callable[..., Tensor]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: str | Size = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            0,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def forward(self, input: Tensor) -> Tensor:
        """Convolve every group of input channels with its filters."""
        padding = self.padding
        if self.padding_mode != "zeros":
            input, padding = F.pad(input, self._pad_widths(), mode=self.padding_mode), 0
        return self.convolve(
            input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups
        )

    def _pad_widths(self) -> list[int]:
        """Before and after each dimension, the last dimension first, as `F.pad` wants it."""
        widths: list[int] = []
        for i in reversed(range(self.dims)):
            if self.padding == "valid":
                before = after = 0
            elif self.padding == "same":
                both = self.dilation[i] * (self.kernel_size[i] - 1)
                before, after = both // 2, both - both // 2
            else:
                before = after = self.padding[i]
            widths += [before, after]
        return widths


class Conv1d(_Convolution):
    """Convolution of signals: (N, C_in, L) to (N, C_out, L').

    L' = ⌊(L + 2·padding − dilation·(kernel_size − 1) − 1) / stride⌋ + 1. `weight` is
    (C_out, C_in/groups, kernel_size). ValueError for channels that `groups` does not divide.
    """

    dims = 1
    convolve = staticmethod(F.conv1d)


class Conv2d(_Convolution):
    """Convolution of images: (N, C_in, H, W) to (N, C_out, H', W').

    H' = ⌊(H + 2·padding − dilation·(kernel_size − 1) − 1) / stride⌋ + 1, and W' likewise. `weight`
    is (C_out, C_in/groups, kH, kW). `padding` may be "same" (H' = H) or "valid" (none);
    `padding_mode` says what stands outside the image: "zeros", "reflect", "replicate" (its edge) or
    "circular". ValueError for channels that `groups` does not divide.
    """

    dims = 2
    convolve = staticmethod(F.conv2d)


class _TransposedConvolution(_ConvNd):
    """The adjoint of convolution, in any number of dimensions."""

    transposed = True
    convolve: Callable[..., Tensor]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size = 0,
        output_padding: Size = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Size = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            output_padding,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """Spread every input over its filter's window; `output_size` picks among possible sizes."""
        padding = self.output_padding
        if output_size is not None:
            padding = self._padding_for(tuple(input.shape[-self.dims :]), tuple(output_size))
        return self.convolve(
            input,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            padding,
            self.groups,
            self.dilation,
        )

    def _padding_for(self, size: tuple[int, ...], wanted: tuple[int, ...]) -> tuple[int, ...]:
        """The output padding that gives the size `wanted`."""
        wanted = wanted[-self.dims :]
        smallest = tuple(
            (n - 1) * s - 2 * p + d * (k - 1) + 1
            for n, s, p, d, k in zip(
                size, self.stride, self.padding, self.dilation, self.kernel_size, strict=True
            )
        )
        largest = tuple(n + s - 1 for n, s in zip(smallest, self.stride, strict=True))
        if len(wanted) != self.dims or not all(
            low <= n <= high for low, n, high in zip(smallest, wanted, largest, strict=True)
        ):
            raise ValueError(
                f"requested an output size of {list(wanted)}, but valid sizes range from "
                f"{list(smallest)} to {list(largest)} (for an input of {list(size)})"
            )
        return tuple(n - low for n, low in zip(wanted, smallest, strict=True))


class ConvTranspose1d(_TransposedConvolution):
    """The adjoint of `Conv1d`: (N, C_in, L) to (N, C_out, L').

    L' = (L − 1)·stride − 2·padding + dilation·(kernel_size − 1) + output_padding + 1. `weight` is
    (C_in, C_out/groups, kernel_size).
    """

    dims = 1
    convolve = staticmethod(F.conv_transpose1d)


class ConvTranspose2d(_TransposedConvolution):
    """The adjoint of `Conv2d`: (N, C_in, H, W) to (N, C_out, H', W').

    H' = (H − 1)·stride − 2·padding + dilation·(kernel_size − 1) + output_padding + 1, and W'
    likewise. `weight` is (C_in, C_out/groups, kH, kW).
    """

    dims = 2
    convolve = staticmethod(F.conv_transpose2d)


def _check_groups(groups: int, in_channels: int, out_channels: int) -> None:
    if groups <= 0:
        raise ValueError(f"groups must be a positive integer, but got {groups}")
    for name, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
        if channels % groups != 0:
            raise ValueError(f"{name} must be divisible by groups, but got {channels} and {groups}")


def _check_padding_mode(mode: str, allowed: tuple[str, ...]) -> None:
    if mode not in allowed:
        raise ValueError(
            f"padding_mode must be one of {', '.join(map(repr, allowed))}, but got "
            f"padding_mode={mode!r}"
        )
