"""The same numbers in another dtype, or in other memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import dtypes
from autograd.device import device
from autograd.memory_order import contiguous_format, memory_format
from autograd.op import linear, op
from autograd.tensor import Tensor

__all__ = [
    "clone",
    "contiguous",
]  # the rest are methods only: their names are dtypes and Python's own

# -- dtypes ----------------------------------------------------------------------------------------


@linear(dx=lambda dy, x_dtype: _cast(dy, x_dtype))
def _cast(x, dtype):
    """The numbers of ``x`` as a floating dtype (a NumPy one). Its adjoint converts the gradient
    back."""
    return x.astype(dtype)


@op()
def _round_to(x, dtype):
    """The numbers of ``x`` as an integer or bool dtype: floats lose what is behind the point, and
    the gradient ends."""
    return x.astype(dtype)


def cast(x: Any, dtype: Any) -> Any:
    """``x`` as ``dtype`` (a torch.dtype, or what means one); ``x`` itself if it is that already."""
    wanted = dtypes.to_numpy(dtype)
    if (x._array if isinstance(x, Tensor) else x).dtype == wanted:
        return x
    return _cast(x, wanted) if wanted.kind == "f" else _round_to(x, wanted)


def to(input: Any, *args: Any, **kwargs: Any) -> Any:
    """``input`` as another dtype and on another device: ``to(dtype)``, ``to(device, dtype)`` or
    ``to(other_tensor)``.

    ``input`` itself if nothing changes, unless ``copy=True``. The gradient is converted back;
    integers have none. Raises TypeError for what is neither a dtype, a device nor a tensor, and
    RuntimeError for any device but the CPU."""
    copy = kwargs.pop("copy", False)
    kwargs.pop("non_blocking", None)
    order = kwargs.pop("memory_format", None)
    dtype = kwargs.pop("dtype", None)
    where = kwargs.pop("device", None)
    if "other" in kwargs:
        args += (kwargs.pop("other"),)
    if kwargs:
        raise TypeError(
            f"to() got an unexpected keyword argument '{next(iter(kwargs))}'; it takes device, "
            "dtype, copy"
        )
    for argument in args:
        if isinstance(argument, Tensor):
            dtype = argument.dtype
        elif isinstance(argument, (str, device)):
            where = argument
        elif isinstance(argument, bool):  # non_blocking and copy, by position
            copy = argument
        elif argument is not None:
            dtype = argument
    if where is not None:
        device(where)
    out = input if dtype is None else cast(input, dtype)
    out = out if order is None else _in_order(out, order)
    return clone(input) if copy and out is input else out


def cpu(input: Any, memory_format: Any = None) -> Any:
    """``input``, which is on the CPU already."""
    return input if memory_format is None else _in_order(input, memory_format)


def cuda(input: Any, device: Any = "cuda", *settings: Any, **options: Any) -> Any:
    """Raises RuntimeError: there is no GPU here."""
    return to(input, "cuda")


def type_as(input: Any, other: Any) -> Any:
    """``input`` as the dtype of ``other``."""
    return cast(input, other.dtype)


def type_of(input: Any, dtype: Any = None) -> Any:
    """``Tensor.type``: ``input`` as ``dtype``; without one, the name of the type it has,
    ``'torch.FloatTensor'``."""
    if dtype is None:
        return f"torch.{input.dtype._title}Tensor"
    return cast(input, dtype)


def _conversion(name: str, dtype: dtypes.dtype) -> Callable[..., Any]:
    def convert(input: Any, memory_format: Any = None) -> Any:
        converted = cast(input, dtype)
        return converted if memory_format is None else _in_order(converted, memory_format)

    convert.__name__ = convert.__qualname__ = name
    convert.__doc__ = f"``input`` as {dtype}; itself if it is that already."
    return convert


METHODS = {
    "to": to,
    "cpu": cpu,
    "cuda": cuda,
    "type": type_of,
    "type_as": type_as,
    "_cast": _cast,
    **{
        name: _conversion(name, dtype)
        for name, dtype in {
            "half": dtypes.float16,
            "float": dtypes.float32,
            "double": dtypes.float64,
            "byte": dtypes.uint8,
            "char": dtypes.int8,
            "short": dtypes.int16,
            "int": dtypes.int32,
            "long": dtypes.int64,
            "bool": dtypes.bool_,
        }.items()
    },
}

# -- memory ----------------------------------------------------------------------------------------


@linear(dx=lambda dy: dy)
def _clone(x):
    """A copy of ``x``, laid out in memory as it is, unless elements lie on top of each other."""
    if isinstance(x, np.ndarray):
        return x.copy(order="C" if 0 in x.strides else "K")
    return x  # a NumPy scalar, which nobody can change


def clone(input: Any, *, memory_format: Any = None) -> Any:
    """A copy of ``input``, in memory of its own and in the graph: the gradient passes through.

    The strides of a dense tensor are kept (a transposed one stays transposed), unless
    ``memory_format`` asks for contiguous memory."""
    copy = _clone(input)
    return copy if memory_format is None else _in_order(copy, memory_format)


@linear(dx=lambda dy: dy)
def _contiguous(x, order):
    """``x`` with its elements in that order in memory."""
    return order.arranged(x)


def contiguous(input: Any, memory_format: memory_format = contiguous_format) -> Any:
    """``input`` with its elements in order in memory, the last dimension first (or as
    ``memory_format`` says); ``input`` itself if they are already."""
    return _in_order(input, memory_format)


def _in_order(input: Any, order: memory_format) -> Any:
    array = input._array if isinstance(input, Tensor) else input
    return input if order.holds(array) else _contiguous(input, order)
