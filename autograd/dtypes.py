"""The kinds of number a tensor holds, and which kind an operation on two of them gives.

A :class:`dtype` is PyTorch's name for a NumPy dtype. Promotion follows PyTorch, not NumPy, in three
places: an integer meeting a float takes the float's width (int64 with float32 is float32); a 0-d
tensor, and after it a Python number, changes the result only if it is of a higher *category* (bool
< integer < float); and Python floats are of the default dtype, float32.
"""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np


class dtype:
    """A tensor's element type: ``torch.float32`` and its siblings. One object a type, compared by
    identity."""

    __slots__ = ("_title", "category", "name", "numpy")

    def __init__(self, name: str, title: str) -> None:
        self.name = name
        self.numpy = np.dtype(name)
        self.category = {"b": 0, "u": 1, "i": 1, "f": 3}[self.numpy.kind]  # bool < integer < float
        self._title = title  # the word PyTorch's messages use: "Float", "Long"

    def __repr__(self) -> str:
        return f"torch.{self.name}"  # as users know it: the package is imported as `torch`

    def __reduce__(self) -> str:
        return "bool_" if self.name == "bool" else self.name

    @property
    def is_floating_point(self) -> builtins.bool:
        """Whether it is float16, float32 or float64."""
        return self.category == 3

    @property
    def is_complex(self) -> builtins.bool:
        """False: there are no complex tensors here."""
        return False

    @property
    def is_signed(self) -> builtins.bool:
        """Whether it can hold negative numbers."""
        return self.numpy.kind in "if"

    @property
    def itemsize(self) -> builtins.int:
        """Bytes an element takes."""
        return self.numpy.itemsize


float16 = half = dtype("float16", "Half")
float32 = float = dtype("float32", "Float")
float64 = double = dtype("float64", "Double")
uint8 = dtype("uint8", "Byte")
int8 = dtype("int8", "Char")
int16 = short = dtype("int16", "Short")
int32 = int = dtype("int32", "Int")
int64 = long = dtype("int64", "Long")
bool_ = dtype("bool", "Bool")
bool = bool_

_OF_NUMPY = {
    d.numpy: d for d in (float16, float32, float64, uint8, int8, int16, int32, int64, bool_)
}
_OF_PYTHON = {builtins.bool: bool_, builtins.int: int64, builtins.float: float64}

_default = float32


def get_default_dtype() -> dtype:
    """The dtype of tensors made from Python floats, and of the results of float functions of
    integers."""
    return _default


def set_default_dtype(d: dtype) -> None:
    """Make ``d`` (a floating dtype) the default. Raises TypeError for any other."""
    global _default
    if not (isinstance(d, dtype) and d.is_floating_point):
        raise TypeError(
            f"only floating-point types are supported as the default type, but got {d!r}"
        )
    _default = d


def of_array(array: Any) -> dtype:
    """The dtype of a NumPy array or scalar. Raises TypeError for what no tensor can hold (text,
    dates, ...)."""
    try:
        return _OF_NUMPY[array.dtype]
    except KeyError:
        raise TypeError(
            f"can't convert a NumPy array of dtype {array.dtype} to a tensor. The supported types "
            "are: "
            + ", ".join(d.name for d in _OF_NUMPY.values())
            + ". Convert it first with array.astype(...)."
        ) from None


def of_numpy(d: np.dtype) -> dtype:
    """The dtype of that NumPy dtype, one of those that tensors can hold."""
    return _OF_NUMPY[d]


def to_numpy(d: Any) -> np.dtype:
    """The NumPy dtype meant by ``d``: a :class:`dtype`, a NumPy dtype or type, or Python's float,
    int, bool."""
    if isinstance(d, dtype):
        return d.numpy
    if d in _OF_PYTHON:
        return _OF_PYTHON[d].numpy
    try:
        numpy_dtype = np.dtype(d)
    except TypeError:
        numpy_dtype = None
    if numpy_dtype not in _OF_NUMPY:
        raise TypeError(f"dtype must be a torch.dtype such as torch.float32, but got {d!r}")
    return numpy_dtype


def promote_types(type1: dtype, type2: dtype) -> dtype:
    """The smallest dtype that both can be cast to, as ``torch.promote_types``."""
    return of_numpy(_promote(type1.numpy, type2.numpy))


def can_cast(from_: dtype, to: dtype) -> builtins.bool:
    """Whether an in-place operation may write a ``from_`` result into a ``to`` tensor: the category
    may not fall."""
    return from_.category <= to.category


def result_dtype(*operands: Any) -> np.dtype:
    """The dtype of an elementwise operation on ``operands``: arrays, NumPy scalars (both tensors'
    contents) and Python numbers, which are ranked in this order. A lower rank counts only if its
    category is higher."""
    result = None
    for rank in _ranked(operands):
        if rank is not None and (result is None or _category(rank) > _category(result)):
            result = rank if result is None else _promote(result, rank)
    assert result is not None
    return result


def _ranked(operands: tuple[Any, ...]) -> list[np.dtype | None]:
    ranks: list[np.dtype | None] = [None, None, None]
    for x in operands:
        if isinstance(x, (np.ndarray, np.generic)):
            rank, d = (0 if x.ndim else 1), x.dtype
        else:
            rank, d = 2, _of_number(x)
        known = ranks[rank]
        ranks[rank] = d if known is None else _promote(known, d)
    return ranks


def _of_number(x: Any) -> np.dtype:
    d = _OF_PYTHON[type(x)]
    return _default.numpy if d is float64 else d.numpy


def _category(d: np.dtype) -> builtins.int:
    return _OF_NUMPY[d].category


def _promote(a: np.dtype, b: np.dtype) -> np.dtype:
    if a is b:
        return a
    difference = _category(a) - _category(b)
    return np.promote_types(a, b) if not difference else a if difference > 0 else b


class finfo:
    """The limits of a floating dtype, as ``torch.finfo``: eps, max, min, tiny, smallest_normal,
    resolution, bits."""

    def __init__(self, type: dtype | None = None) -> None:
        d = type or _default
        if not (isinstance(d, dtype) and d.is_floating_point):
            raise TypeError(
                f"finfo takes a floating dtype, but got {d!r}; integers have torch.iinfo"
            )
        limits = np.finfo(d.numpy)
        self.dtype = d.name
        self.bits = limits.bits
        self.eps = builtins.float(limits.eps)
        self.max = builtins.float(limits.max)
        self.min = builtins.float(limits.min)
        self.tiny = self.smallest_normal = builtins.float(limits.tiny)
        self.resolution = builtins.float(limits.resolution)

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, "
            f"eps={self.eps:g}, smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, "
            f"dtype={self.dtype})"
        )


class iinfo:
    """The limits of an integer dtype, as ``torch.iinfo``: min, max, bits."""

    def __init__(self, type: dtype) -> None:
        if not (isinstance(type, dtype) and type.category == 1):
            raise TypeError(
                f"iinfo takes an integer dtype, but got {type!r}; floats have torch.finfo"
            )
        limits = np.iinfo(type.numpy)
        self.dtype = type.name
        self.bits = limits.bits
        self.min = builtins.int(limits.min)
        self.max = builtins.int(limits.max)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"
