"""The constructors of PyTorch's first years, one a dtype, which textbooks still use.

``torch.LongTensor([1, 2])`` is ``torch.tensor([1, 2], dtype=torch.int64)``, and
``torch.LongTensor(2, 3)`` a tensor of that shape. ``isinstance(t, torch.LongTensor)`` asks for the
dtype.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import dtypes
from autograd.from_data import tensor
from autograd.tensor import Size, Tensor, alias, wrap

__all__ = [
    "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor", "HalfTensor",
    "IntTensor", "LongTensor", "ShortTensor", "Variable",
]  # fmt: skip


class _OfOneDtype(type):
    """Calling such a class makes a plain Tensor; its instances are the tensors of its dtype."""

    dtype: dtypes.dtype

    def __call__(cls, *args: Any) -> Any:
        if len(args) == 1 and not isinstance(args[0], (int, Size)):
            return tensor(args[0], dtype=cls.dtype)
        shape = args[0] if args and isinstance(args[0], Size) else args or (0,)
        return wrap(np.zeros(shape, cls.dtype.numpy))

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor) and instance.dtype is cls.dtype


def _constructor(name: str, dtype: dtypes.dtype) -> Any:
    doc = f"Makes a tensor of dtype {dtype} from numbers or of a shape, as ``torch.{name}`` does."
    return _OfOneDtype(name, (), {"dtype": dtype, "__doc__": doc})


FloatTensor = _constructor("FloatTensor", dtypes.float32)
DoubleTensor = _constructor("DoubleTensor", dtypes.float64)
HalfTensor = _constructor("HalfTensor", dtypes.float16)
LongTensor = _constructor("LongTensor", dtypes.int64)
IntTensor = _constructor("IntTensor", dtypes.int32)
ShortTensor = _constructor("ShortTensor", dtypes.int16)
CharTensor = _constructor("CharTensor", dtypes.int8)
ByteTensor = _constructor("ByteTensor", dtypes.uint8)
BoolTensor = _constructor("BoolTensor", dtypes.bool)


class _Variables(type):
    """Calling ``Variable`` makes a plain Tensor; every tensor is an instance of it."""

    def __call__(cls, data: Any, requires_grad: bool = False) -> Tensor:
        if not isinstance(data, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(data).__name__}")
        return alias(data).requires_grad_(requires_grad)

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor)


class Variable(metaclass=_Variables):
    """What a tensor with a gradient was called before version 0.4 of PyTorch."""
