"""From the arguments of a call to the arrays an operation computes on, or to words why not."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import dtypes
from autograd.rules import Op
from autograd.tensor import Tensor

_constants: dict[tuple[float, np.dtype], np.ndarray] = {}


def constant(number: float, x: Any) -> Any:
    """``number``, to be combined with ``x``: beside an array as a 0-d array of its dtype, which
    NumPy takes in half the time of a Python number. The last thousand are remembered."""
    if type(x) is not np.ndarray or not number:
        return number  # a zero has a sign, and 0.0 == -0.0
    key = (number, x.dtype)
    known = _constants.get(key)
    if known is None:
        if len(_constants) >= 1000:
            _constants.clear()
        known = _constants[key] = np.array(number, x.dtype)
    return known


ARRAYS = (np.ndarray, np.generic)
NUMBERS = (bool, int, float)

_MISSING = object()
_FIRST_TWO = ("input", "other")  # what PyTorch calls the first two tensors of any operation
_ALIASES = {"axis": "dim", "keepdims": "keepdim"}  # NumPy's words, which PyTorch takes too


def bind(op: Op, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """The values of all parameters in order, from positional and keyword arguments and defaults."""
    names = op.parameters
    if len(args) > len(names):
        raise TypeError(
            f"{op.name}() takes {len(names)} arguments ({', '.join(names)}) but {len(args)} were "
            "given"
        )
    values = list(args) + [_MISSING] * (len(names) - len(args))
    for name, value in kwargs.items():
        position = _position(op, name)
        if position is None:
            raise TypeError(
                f"{op.name}() got an unexpected keyword argument '{name}'; it takes "
                f"{', '.join(names)}"
            )
        if values[position] is not _MISSING:
            raise TypeError(f"{op.name}() got multiple values for argument '{names[position]}'")
        values[position] = value
    for position, value in enumerate(values):
        if value is _MISSING:
            if names[position] not in op.defaults:
                raise TypeError(f"{op.name}() missing required argument '{names[position]}'")
            values[position] = op.defaults[names[position]]
    return tuple(values)


def _position(op: Op, name: str) -> int | None:
    """Which parameter a keyword means."""
    name = _ALIASES.get(name, name)
    if name in op.parameters:
        return op.parameters.index(name)
    return _FIRST_TWO.index(name) if name in _FIRST_TWO else None


def promote(op: Op, *operands: Any) -> list[Any]:
    """The operands in their common dtype. Python numbers stay what they are: NumPy fits them to the
    arrays."""
    check_operands(op, operands)
    present = [x for x in operands if x is not None]
    common = dtypes.result_dtype(*present)
    if not op.bools:
        refused = [x.dtype for x in present if isinstance(x, ARRAYS) and x.dtype.kind == "b"]
        if refused:
            raise not_implemented(op, refused[0])
    if op.kinds and common.kind not in op.kinds:
        raise not_implemented(op, common)
    if op.floats and common.kind != "f":
        common = dtypes.get_default_dtype().numpy
    return [x.astype(common, copy=False) if isinstance(x, ARRAYS) else x for x in operands]


def check_operands(op: Op, operands: tuple[Any, ...]) -> None:
    """Raise TypeError for what is neither array nor number (a list, say, which NumPy would take and
    Python would add to another in its own way), for a number where only a tensor has a meaning, and
    where there is no tensor at all."""
    tensors = 0
    for position, x in enumerate(operands):
        if isinstance(x, ARRAYS):
            tensors += 1
        elif x is not None and not (type(x) in NUMBERS and op.takes_number[position]):
            raise _no_tensor(op, operands, position)
    if not tensors:
        raise _no_tensor(op, operands, 0)


def _no_tensor(op: Op, operands: tuple[Any, ...], position: int) -> TypeError:
    return TypeError(
        f"{op.name}(): argument '{(*_FIRST_TWO, *op.parameters[2:])[position]}' (position "
        f"{position + 1}) must be Tensor, not {type(operands[position]).__name__}"
    )


def as_float(x: Any) -> Any:
    """An array of integers as one of floats, of the default dtype."""
    return x if x.dtype.kind == "f" else x.astype(dtypes.get_default_dtype().numpy)


def array_argument(op: Op, x: Any) -> Any:
    """``x`` if it is an array; TypeError for anything else that is no tensor."""
    if isinstance(x, ARRAYS):
        return x
    raise TypeError(
        f"{op.name}(): argument 'input' (position 1) must be Tensor, not {type(x).__name__}"
    )


def not_implemented(op: Op, dtype: np.dtype) -> NotImplementedError:
    """What to raise for a dtype that an operation makes no sense of (or PyTorch none)."""
    kinds = op.kinds or "iuf"
    names = {"b": "bool", "i": "integer", "f": "floating-point"}
    return NotImplementedError(
        f"\"{op.name}\" not implemented for '{dtypes.of_array(np.empty(0, dtype))._title}': it "
        f"takes {' and '.join(names[kind] for kind in names if kind in kinds)} tensors. Convert "
        f"this {dtype} one first, with {'x.float()' if 'f' in kinds else 'x.long()'} for example"
        + (
            ", or compute with it as a mask: ~x, x & y, torch.where(x, a, b)."
            if dtype.kind == "b"
            else "."
        )
    )


def does_not_fit(op: Op, tensors: Any, error: ValueError) -> Exception:
    """What to raise for a ValueError of NumPy: for shapes that do not broadcast, PyTorch's words
    and all the shapes."""
    shapes = [t._array.shape if isinstance(t, Tensor) else np.shape(t) for t in tensors]
    if "broadcast" not in str(error) or len(shapes) < 2:
        return error
    ndim = max(map(len, shapes))
    padded = [(1,) * (ndim - len(shape)) + tuple(shape) for shape in shapes]
    for dim in reversed(range(ndim)):
        lengths = {shape[dim] for shape in padded} - {1}
        if len(lengths) > 1:
            a, b = (
                padded[0][dim],
                next(s[dim] for s in padded[1:] if s[dim] not in (1, padded[0][dim])),
            )
            return RuntimeError(
                f"The size of tensor a ({a}) must match the size of tensor b ({b}) at "
                f"non-singleton dimension {dim}: {op.name} of shapes "
                f"{' and '.join(str(tuple(s)) for s in shapes)} does not broadcast. Lengths, "
                "counted from the last dimension, must be equal or 1; unsqueeze, reshape or "
                "transpose one of them."
            )
    return error
