"""Small questions about tensors: ``is_tensor``, ``numel``, ``result_type`` and their like."""

from __future__ import annotations

from typing import Any

from autograd import dtypes
from autograd.tensor import Tensor

__all__ = [
    "detach", "get_device", "is_complex", "is_floating_point", "is_inference", "is_nonzero",
    "is_same_size", "is_signed", "is_tensor", "numel", "result_type",
]  # fmt: skip


def is_inference(input: Tensor) -> bool:
    """Whether a tensor was made in ``inference_mode()``."""
    return input.is_inference()


def is_tensor(obj: Any) -> bool:
    """Whether ``obj`` is a Tensor."""
    return isinstance(obj, Tensor)


def numel(input: Tensor) -> int:
    """The number of elements."""
    return input.numel()


def is_floating_point(input: Tensor) -> bool:
    """Whether its dtype is float16, float32 or float64."""
    return input.is_floating_point()


def is_complex(input: Tensor) -> bool:
    """False: there are no complex tensors here."""
    return input.is_complex()


def is_nonzero(input: Tensor) -> bool:
    """Whether a one-element tensor is not zero. RuntimeError for any other number of elements."""
    return bool(input)


def is_signed(input: Tensor) -> bool:
    """Whether its dtype can hold negative numbers."""
    return input.is_signed()


def get_device(input: Tensor) -> int:
    """-1, as PyTorch answers for the CPU."""
    return input.get_device()


def detach(input: Tensor) -> Tensor:
    """The same numbers in the same memory, outside the graph."""
    return input.detach()


def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape."""
    return input.shape == other.shape


def result_type(tensor1: Any, tensor2: Any) -> dtypes.dtype:
    """The dtype that an elementwise operation on the two (tensors or Python numbers) gives."""
    operands = [x._array if isinstance(x, Tensor) else x for x in (tensor1, tensor2)]
    return dtypes.of_numpy(dtypes.result_dtype(*operands))
