"""Max pooling undone, as far as can be: every value is put back to where it stood, among zeros.

The indices that ``max_pool(..., return_indices=True)`` found say where. The adjoint picks what
stands there.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.ops.arithmetic import array_of
from autograd.ops.gathering import put_along
from autograd.ops.shape import reshape
from autograd.ops.windows import Sizes, per_axis, require_tensor

__all__: list[str] = []  # nn.functional.max_unpool1d, ...


def max_unpool1d(
    input: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0,
    output_size: Any = None,
) -> Any:  # fmt: skip
    """Signals (N, C, L) or (C, L) whose maxima were ``input``. See :func:`max_unpool2d`."""
    return _max_unpooling(1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0,
    output_size: Any = None,
) -> Any:  # fmt: skip
    """Images (N, C, H, W) or (C, H, W) whose maxima were ``input``, at ``indices`` of H·W (int64,
    of the shape of the input), and zeros elsewhere; where several go to one place, the last stays.

    The height is (h - 1) ``stride`` - 2 ``padding`` + ``kernel_size``, the width likewise.
    ``output_size`` may say another that pools to the same, alone or with N and C before it.
    ValueError for a size that does not, RuntimeError for other shapes and for indices that are
    none, NotImplementedError for integers."""
    return _max_unpooling(2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    input: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0,
    output_size: Any = None,
) -> Any:  # fmt: skip
    """Volumes (N, C, D, H, W) or (C, D, H, W) whose maxima were ``input``.

    See :func:`max_unpool2d`."""
    return _max_unpooling(3, input, indices, kernel_size, stride, padding, output_size)


def _max_unpooling(
    dims: int, input: Any, indices: Any, kernel: Any, stride: Any, padding: Any, output_size: Any
) -> Any:
    function = f"max_unpool{dims}d"
    require_tensor(input, function)
    require_tensor(indices, function, "indices")
    if input.ndim not in (dims + 1, dims + 2) or 0 in input.shape[-dims - 1 :]:
        raise RuntimeError(
            f"Input to {function} should be a {dims + 1}d or {dims + 2}d Tensor, empty at most in "
            f"the dimension of the batch, but has shape {tuple(input.shape)}"
        )
    lengths = tuple(input.shape[-dims:])
    size = _unpooled_size(function, lengths, kernel, stride, padding, output_size)
    places = array_of(indices)
    _check_places(places, tuple(input.shape), size)
    if array_of(input).dtype.kind != "f":
        raise NotImplementedError(
            f"{function} is not implemented for {input.dtype}: unpool x.float()"
        )
    others = tuple(input.shape[:-dims])
    flat = (*others, int(np.prod(lengths)))
    room = (*others, int(np.prod(size)))
    y = put_along(reshape(input, flat), room, len(others), places.reshape(flat).copy())
    return reshape(y, (*others, *size))


def _unpooled_size(
    function: str, lengths: Sizes, kernel: Any, stride: Any, padding: Any, output_size: Any
) -> Sizes:
    dims = len(lengths)
    taps, steps, pads = (
        per_axis(value, dims, name, function)
        for name, value in (
            ("kernel_size", kernel),
            ("stride", kernel if stride is None else stride),
            ("padding", padding),
        )
    )
    usual = [(n - 1) * s + k - 2 * p for n, k, s, p in zip(lengths, taps, steps, pads, strict=True)]
    size = usual if output_size is None else list(output_size)
    if len(size) == dims + 2:
        size = size[2:]
    if len(size) != dims:
        raise ValueError(
            f"output_size should be a sequence containing {dims} or {dims + 2} elements, but it "
            f"has a length of '{len(size)}'"
        )
    for dim, (n, expected, step) in enumerate(zip(size, usual, steps, strict=True)):
        if output_size is not None and not expected - step < n < expected + step:
            raise ValueError(
                f'invalid output_size "{output_size}" (dim {dim} must be between '
                f"{expected - step} and {expected + step})"
            )
        if n < 0:
            raise ValueError(
                "max_unpooling: output_size must contain non-negative spatial dimensions, but got "
                f"output_size[{dim}]={n}"
            )
    return tuple(size)


def _check_places(places: np.ndarray, shape: Sizes, size: Sizes) -> None:
    if places.dtype != np.int64:
        raise RuntimeError(f"elements in indices should be type int64 but got: {places.dtype}")
    if places.shape != shape:
        raise RuntimeError(
            f"Expected shape of indices to be same as that of the input tensor ({list(shape)}) but "
            f"got indices tensor with shape: {list(places.shape)}"
        )
    wrong = places[(places < 0) | (places >= np.prod(size))]
    if wrong.size:
        raise RuntimeError(
            f"Found an invalid max index: {wrong[0]} (output volumes are of size "
            f"{'x'.join(map(str, size))})"
        )
