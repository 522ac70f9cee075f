"""Tensors from data: Python's numbers and lists of them, NumPy's arrays, other tensors.

What decides about the dtype is where the numbers come from. NumPy's have one and keep it. Python's
have none: floats become the default dtype, ints int64, bools bool, and a list what holds them all.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np

from autograd import dtypes
from autograd.device import check_device
from autograd.ops.conversion import cast, clone
from autograd.tensor import Tensor, alias, memory, wrap, wrap_new


def tensor(
    data: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A new leaf tensor with a copy of ``data``: a number, nested sequences of numbers, an array.

    Raises ValueError for sequences of unequal length and for ints beyond int64, TypeError for text
    and for sequences of unequal depth, RuntimeError for anything else that is no number, and for a
    number that an integer ``dtype`` does not hold.
    """
    check_device(device)
    if isinstance(data, Tensor):
        warnings.warn(
            "To copy construct from a tensor, it is recommended to use "
            "sourceTensor.detach().clone() or sourceTensor.detach().clone().requires_grad_(True), "
            "rather than torch.tensor(sourceTensor).",
            stacklevel=2,
        )
    made: Tensor = wrap_new(_array_of(data, dtype, copy=True))
    return made if requires_grad is False else made.requires_grad_(requires_grad)


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """``data`` as a tensor, copied only where it must be.

    A tensor is returned itself (converted, in its graph, if ``dtype`` is another one); of an array
    the memory is shared. Raises as ``tensor``.
    """
    check_device(device)
    made: Tensor = data if isinstance(data, Tensor) else wrap(_array_of(data, dtype, copy=False))
    return made if dtype is None else cast(made, dtype)


def asarray(
    obj: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    copy: bool | None = None,
    requires_grad: bool | None = None,
) -> Tensor:
    """``obj`` as a tensor, copied where it must be (None), always (``copy=True``) or never (False).

    ``requires_grad=False`` takes it out of its graph. Raises ValueError where it must not be copied
    but cannot be shared, and otherwise as ``tensor``.
    """
    made = as_tensor(obj, dtype, device)
    source = memory(obj) if isinstance(obj, Tensor) else obj
    shared = isinstance(source, np.ndarray) and np.shares_memory(source, memory(made))
    if copy and shared:
        made = clone(made)
    if copy is False and not shared:
        raise ValueError(
            f"can't alias {type(obj).__name__} as a tensor of {made.dtype}: leave copy out, or "
            "give an array or a tensor of that dtype"
        )
    if requires_grad is None:
        return made
    made = alias(made) if made.requires_grad and not requires_grad else made
    return made.requires_grad_(requires_grad)


def from_numpy(ndarray: np.ndarray) -> Tensor:
    """A tensor on the memory of ``ndarray``: a change of either is seen in both.

    Raises TypeError for what is no array, or has a dtype that no tensor has.
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(
            f"expected np.ndarray (got {type(ndarray).__name__}). Other data go through "
            "torch.tensor or torch.as_tensor."
        )
    return as_tensor(ndarray)


def from_dlpack(ext_tensor: Any) -> Tensor:
    """A tensor on the memory of an array on the CPU that speaks the DLPack protocol."""
    return from_numpy(np.from_dlpack(ext_tensor))


def _array_of(data: Any, dtype: Any, copy: bool) -> np.ndarray:
    """``data`` as an array, in memory of its own if ``copy`` or if the dtype changes."""
    wanted = None if dtype is None else dtypes.to_numpy(dtype)
    if isinstance(data, Tensor):
        data = memory(data)
    if not isinstance(data, (np.ndarray, np.generic)):
        if not hasattr(data, "__array__"):
            return _array_of_numbers(data, wanted)
        data = np.asarray(data)
    dtypes.of_array(data)  # refuses what no tensor holds
    return np.asarray(data).astype(wanted or data.dtype, copy=copy)


# -- Python's numbers ------------------------------------------------------------------------------


def _array_of_numbers(data: Any, wanted: np.dtype | None) -> np.ndarray:
    """A number, or sequences of numbers in sequences, as an array."""
    shape = _shape(data)
    numbers: list[Any] = []
    _collect(data, shape, 0, "data", numbers)
    kinds = set(map(type, numbers))
    if any(issubclass(kind, (Tensor, np.ndarray)) for kind in kinds):
        numbers = [_scalar(number) for number in numbers]
        kinds = set(map(type, numbers))
    found = [_dtype_of(kind, numbers, shape) for kind in kinds] or [dtypes.get_default_dtype()]
    inferred = reduce(dtypes.promote_types, found).numpy
    if wanted is None:
        wanted = inferred
    # Read at full width first: only then is it known whether they fit.
    width = np.float64 if "f" in (inferred.kind, wanted.kind) else inferred
    try:
        read = np.array(numbers, width).reshape(shape)
    except OverflowError:
        raise ValueError("Overflow when unpacking long long: an int lies beyond int64") from None
    return fit(read, wanted)


def _is_sequence(x: Any) -> bool:
    if isinstance(x, (list, tuple)):
        return True
    if isinstance(x, np.ndarray):
        return x.ndim > 0
    return isinstance(x, Sequence) and not isinstance(x, (str, bytes))


def _shape(data: Any) -> tuple[int, ...]:
    """The shape that the first element of each level announces."""
    shape: list[int] = []
    while _is_sequence(data):
        shape.append(len(data))
        if len(shape) > 64:
            raise ValueError(
                "too many dimensions: sequences in sequences, more than 64 levels deep"
            )
        if not len(data):
            break
        data = data[0]
    return tuple(shape)


def _collect(data: Any, shape: tuple[int, ...], dim: int, place: str, numbers: list[Any]) -> None:
    """Append all numbers in order; raise where ``data`` is not of the announced shape."""
    if dim == len(shape):
        numbers.append(data)
        return
    if not _is_sequence(data):
        raise TypeError(
            f"not a sequence: {place} is {data!r}, but what stands before it is a sequence of "
            f"length {shape[dim]}"
        )
    if len(data) != shape[dim]:
        raise ValueError(
            f"expected sequence of length {shape[dim]} at dim {dim} (got {len(data)}): {place} is "
            "not as long as what stands before it"
        )
    if dim == len(shape) - 1:
        numbers.extend(data)
        return
    for i, row in enumerate(data):
        _collect(row, shape, dim + 1, f"{place}[{i}]", numbers)


def _scalar(number: Any) -> Any:
    """A tensor or array of one element as a NumPy scalar; other numbers as they are."""
    if not isinstance(number, (Tensor, np.ndarray)):
        return number
    array = memory(number) if isinstance(number, Tensor) else number
    if array.size != 1:
        raise ValueError(
            "only one element tensors can be converted to Python scalars: a list holds a tensor of "
            f"shape {array.shape}. To join tensors, use torch.stack or torch.cat."
        )
    return array.reshape(())[()]


def _dtype_of(kind: type, numbers: list[Any], shape: tuple[int, ...]) -> dtypes.dtype:
    """The dtype that Python's or NumPy's numbers of type ``kind`` ask for."""
    if issubclass(kind, np.generic):
        return dtypes.of_array(kind())
    if issubclass(kind, bool):
        return dtypes.bool_
    if issubclass(kind, int):
        return dtypes.int64
    if issubclass(kind, float):
        return dtypes.get_default_dtype()
    first = next(i for i, number in enumerate(numbers) if type(number) is kind)
    place = "data" + "".join(f"[{i}]" for i in np.unravel_index(first, shape))
    if issubclass(kind, (str, bytes)):
        raise TypeError(
            f"new(): invalid data type '{kind.__name__}': {place} is {numbers[first]!r}"
        )
    if issubclass(kind, Sequence):
        raise TypeError(f"expected a number, but {place} is {numbers[first]!r}")
    raise RuntimeError(
        f"Could not infer dtype of {kind.__name__}: {place} must be a bool, an int or a float"
    )


def fit(numbers: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """``numbers`` as ``dtype``. Floats lose what is behind the point; RuntimeError for overflow."""
    if dtype.kind not in "iu":
        return numbers.astype(dtype)
    limits = np.iinfo(dtype)
    low = limits.min or -limits.max  # PyTorch lets negative numbers wrap around
    if not ((numbers >= low) & (numbers <= limits.max)).all():
        raise RuntimeError(
            f"value cannot be converted to type {dtype} without overflow: it holds {limits.min} to "
            f"{limits.max}"
        )
    return numbers.astype(np.int64).astype(dtype)
