"""Tensors from a shape and a rule: constants, ranges, random numbers.

Below, a creation function is its rule and nothing else: a NumPy function that is told a dtype. What
is the same for all of them - dtype, device, requires_grad, out - the decorators at the top add.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import dtypes, sampling
from autograd.device import check_device
from autograd.from_data import fit, tensor
from autograd.memory_order import check_layout, memory_format, preserve_format
from autograd.op import elementwise
from autograd.ops.arithmetic import no_slope
from autograd.ops.broadcasting import broadcast_shapes
from autograd.out import into
from autograd.random import Generator
from autograd.tensor import Tensor, memory, wrap, wrap_new

__all__ = [
    "arange",
    "bernoulli",
    "empty",
    "empty_like",
    "empty_permuted",
    "empty_strided",
    "eye",
    "full",
    "full_like",
    "linspace",
    "logspace",
    "multinomial",
    "normal",
    "ones",
    "ones_like",
    "rand",
    "rand_like",
    "randint",
    "randint_like",
    "randn",
    "randn_like",
    "randperm",
    "scalar_tensor",
    "tril_indices",
    "triu_indices",
    "zeros",
    "zeros_like",
]

Shape = tuple[int, ...]

# -- what all of them share ------------------------------------------------------------------------


def creates(rule: Callable[..., np.ndarray]) -> Callable[..., Tensor]:
    """Make of ``rule(..., dtype=...)``, which returns an array, a function that returns a tensor.

    Where no dtype is given, the rule's own default holds; if it has none, the default dtype.
    ``pin_memory`` is accepted: there is nothing to pin.
    """
    own_default = inspect.signature(rule).parameters["dtype"].default

    @functools.wraps(rule)
    def create(
        *args: Any,
        out: Tensor | None = None,
        dtype: Any = None,
        layout: Any = None,
        device: Any = None,
        pin_memory: bool = False,
        requires_grad: bool = False,
        memory_format: memory_format = preserve_format,
        **settings: Any,
    ) -> Tensor:
        check_device(device)
        check_layout(layout)
        if out is not None:
            dtype = _dtype_of_out(out, dtype, requires_grad)
        elif dtype is None:
            no_default = own_default is inspect.Parameter.empty
            dtype = dtypes.get_default_dtype() if no_default else own_default
        numpy_dtype = None if dtype is None else dtypes.to_numpy(dtype)
        made: Tensor = wrap_new(memory_format.arranged(rule(*args, dtype=numpy_dtype, **settings)))
        if out is not None:
            return into(out, rule.__name__, made)
        return made if requires_grad is False else made.requires_grad_(requires_grad)

    return create


def sized(rule: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """Let the size that ``rule`` begins with be written out: ``zeros(2, 3)``, ``zeros((2, 3))``."""

    @functools.wraps(rule)
    def call(*size: Any, **settings: Any) -> np.ndarray:
        if "size" in settings:
            size = settings.pop("size")
        elif len(size) == 1 and isinstance(size[0], (tuple, list)):
            (size,) = size
        elif not size:
            raise TypeError(f"{rule.__name__}() missing 1 required positional argument: 'size'")
        return rule(shape_of(size), **settings)

    return call


def creates_like(rule: Callable[..., object]) -> Callable[..., Tensor]:
    """Make of ``rule(array, ...)``, which fills an array, a function of the tensor to be like.

    The result has that tensor's shape, its order in memory unless ``memory_format`` asks for
    another, and its dtype unless one is given.
    """

    @functools.wraps(rule)
    def create(
        input: Tensor,
        *args: Any,
        dtype: Any = None,
        layout: Any = None,
        device: Any = None,
        pin_memory: bool = False,
        requires_grad: bool = False,
        memory_format: Any = None,
        **settings: Any,
    ) -> Tensor:
        check_device(device)
        check_layout(layout)
        numpy_dtype = None if dtype is None else dtypes.to_numpy(dtype)
        array = np.empty_like(_array(input, rule.__name__), numpy_dtype)
        array = (memory_format or preserve_format).arranged(array)
        rule(array, *args, **settings)
        made: Tensor = wrap(array)
        return made if requires_grad is False else made.requires_grad_(requires_grad)

    return create


def shape_of(size: Any) -> Shape:
    """``size`` as a tuple of ints. TypeError if it is none, RuntimeError for negative lengths."""
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"argument 'size' must be tuple of ints, not {type(size).__name__}")
    shape = tuple([integer(length, "size") for length in size])
    if any(length < 0 for length in shape):
        raise RuntimeError(f"Dimension size must be non-negative, but got size {list(shape)}")
    return shape


def integer(value: Any, name: str) -> int:
    """``value`` as an int: one of Python, of NumPy, or in a 0-d tensor. TypeError for any other."""
    is_no_int = isinstance(value, bool) or (isinstance(value, Tensor) and value._array.ndim)
    if is_no_int or not hasattr(value, "__index__"):
        raise TypeError(f"argument '{name}' must be int, not {type(value).__name__}")
    return int(value.__index__())


def _number(value: Any, name: str) -> Any:
    """A Python number; one that comes as a 0-d tensor or a NumPy scalar is taken out."""
    if isinstance(value, Tensor) and value._array.ndim:
        raise TypeError(
            f"argument '{name}' must be Number, not Tensor with {value._array.ndim} dimension(s)"
        )
    if isinstance(value, (Tensor, np.generic)):
        value = value.item()
    if not isinstance(value, (bool, int, float)):
        raise TypeError(f"argument '{name}' must be Number, not {type(value).__name__}")
    return value


def _filled_with(value: Any, dtype: np.dtype) -> np.ndarray:
    """``value`` as ``dtype``, 0-d. RuntimeError if it does not fit."""
    number = fit(np.asarray(_number(value, "fill_value")), dtype)
    if np.isinf(number) and not np.isinf(value):
        raise RuntimeError(f"value cannot be converted to type {dtype} without overflow: {value}")
    return number


def _dtype_of_out(out: Tensor, dtype: Any, requires_grad: bool) -> dtypes.dtype:
    """The dtype to compute in for ``out=``, which must not need gradients."""
    if out.requires_grad or requires_grad:
        raise RuntimeError(
            "functions with out=... arguments don't support automatic differentiation, but one of "
            "the arguments requires grad. Leave out= away, or pass a tensor that does not."
        )
    if dtype is not None and dtypes.to_numpy(dtype) != out.dtype.numpy:
        raise RuntimeError(f"dtype {dtype} does not match dtype of out parameter ({out.dtype})")
    return out.dtype


# -- constants -------------------------------------------------------------------------------------


@creates
@sized
def empty(size: Shape, *, dtype: np.dtype) -> np.ndarray:
    """A tensor whose elements are whatever the memory held: for filling."""
    return np.empty(size, dtype)


@creates
@sized
def zeros(size: Shape, *, dtype: np.dtype) -> np.ndarray:
    """A tensor of zeros: ``zeros(2, 3)`` or ``zeros((2, 3))``."""
    return np.zeros(size, dtype)


@creates
@sized
def ones(size: Shape, *, dtype: np.dtype) -> np.ndarray:
    """A tensor of ones."""
    return np.ones(size, dtype)


@creates
def full(size: Shape, fill_value: Any, *, dtype: np.dtype | None = None) -> np.ndarray:
    """A tensor with ``fill_value`` everywhere; by default of the dtype the value asks for."""
    value = _number(fill_value, "fill_value")
    dtype = dtype or tensor(value).dtype.numpy
    return np.full(shape_of(size), _filled_with(value, dtype), dtype)


@creates
def eye(n: int, m: int | None = None, *, dtype: np.dtype) -> np.ndarray:
    """The n × m matrix (m = n if not given) with ones on the diagonal, zeros elsewhere."""
    shape = shape_of((n, n if m is None else m))
    return np.eye(*shape, dtype=dtype)


@creates
def scalar_tensor(s: Any, *, dtype: np.dtype) -> np.ndarray:
    """A 0-d tensor holding the number ``s``, of the default dtype unless another is given."""
    return _filled_with(s, dtype)


@creates
def empty_strided(size: Shape, stride: Shape, *, dtype: np.dtype) -> np.ndarray:
    """A tensor of that shape, whatever the memory held, with so many elements between one and the
    next along each dimension."""
    size, stride = shape_of(size), shape_of(stride)
    if len(size) != len(stride):
        raise RuntimeError(f"size {list(size)} and stride {list(stride)} must be of equal length")
    reach = sum((n - 1) * step for n, step in zip(size, stride, strict=True)) + 1
    room = np.empty(0 if 0 in size else reach, dtype)
    return np.ndarray(size, dtype, room, 0, [step * dtype.itemsize for step in stride])


@creates
def empty_permuted(size: Shape, physical_layout: Shape, *, dtype: np.dtype) -> np.ndarray:
    """A tensor of that shape, whatever the memory held, in which the last of the dimensions in
    ``physical_layout`` varies fastest."""
    size = shape_of(size)
    if sorted(physical_layout) != list(range(len(size))):
        raise RuntimeError(
            f"physical_layout must name each of the {len(size)} dimensions of size {list(size)} "
            f"once, but got {list(physical_layout)}"
        )
    return np.empty([size[dim] for dim in physical_layout], dtype).transpose(
        np.argsort(physical_layout)
    )


@creates_like
def empty_like(array: np.ndarray) -> None:
    """A tensor like ``input`` whose elements are whatever the memory held."""


@creates_like
def zeros_like(array: np.ndarray) -> None:
    """A tensor like ``input``, of zeros."""
    array.fill(0)


@creates_like
def ones_like(array: np.ndarray) -> None:
    """A tensor like ``input``, of ones."""
    array.fill(1)


@creates_like
def full_like(array: np.ndarray, fill_value: Any) -> None:
    """A tensor like ``input`` with ``fill_value`` everywhere, cut to its dtype."""
    array.fill(_filled_with(fill_value, array.dtype)[()])


# -- ranges ----------------------------------------------------------------------------------------


@creates
def arange(
    start: Any = None, end: Any = None, step: Any = 1, *, dtype: np.dtype | None = None
) -> np.ndarray:
    """start, start + step, ... up to but not including end: ⌈(end - start) / step⌉ numbers.

    ``arange(end)`` starts at 0. int64 if all three are ints, else the default dtype. Raises
    RuntimeError if ``step`` is 0 or leads away from ``end``, or if a bound is not finite.
    """
    if end is None:
        start, end = None, start
    if end is None:
        raise TypeError("arange() missing 1 required argument: 'end'")
    given = {"start": 0 if start is None else start, "end": end, "step": step}
    bounds = [_number(value, name) for name, value in given.items()]
    if dtype is None:
        floats = any(isinstance(bound, float) for bound in bounds)
        dtype = (dtypes.get_default_dtype() if floats else dtypes.int64).numpy
    if dtype.kind == "b":
        raise NotImplementedError("arange not implemented for bool. Give an integer dtype.")
    start, end, step = bounds
    if not (math.isfinite(start) and math.isfinite(end)):
        raise RuntimeError(f"unsupported range: {start} -> {end}")
    if dtype.kind in "iu":
        start, end, step = int(start), int(end), int(step)
    if not abs(step) > 0:
        cut = bounds[2] != 0  # to a whole number
        raise (ValueError if cut else RuntimeError)(f"step must be nonzero, but got {bounds[2]}")
    if (end - start) * step < 0:
        raise RuntimeError(
            f"upper bound and lower bound inconsistent with step sign: from {start} to {end} in "
            f"steps of {step}"
        )
    if dtype.kind in "iu":
        return np.arange(start, end, step, dtype=np.int64).astype(dtype)
    count = math.ceil((end - start) / step)
    return (start + step * np.arange(count, dtype=np.float64)).astype(dtype)


@creates
def linspace(start: Any, end: Any, steps: int, *, dtype: np.dtype) -> np.ndarray:
    """``steps`` numbers at equal distances, the first ``start``, the last ``end``."""
    count = integer(steps, "steps")
    if count < 0:
        raise RuntimeError(f"number of steps must be non-negative, but got {count}")
    work = dtype if dtype.kind == "f" else np.dtype(np.float64)
    first, last = work.type(_bound(start, "start")), work.type(_bound(end, "end"))
    if count < 2:
        return np.full(count, first).astype(dtype)
    step = (last - first) / work.type(count - 1)
    # The second half is counted from the end, so that both ends are met exactly.
    half = count // 2
    ahead = np.arange(half, dtype=work)
    back = np.arange(count - half, dtype=work)[::-1]
    if work == np.float16:
        return np.concatenate([first + step * ahead, last - step * back])
    parts = [sampling.fused(ahead, step, first), sampling.fused(back, -step, last)]
    return np.concatenate(parts).astype(dtype)


def _bound(value: Any, name: str) -> Any:
    if isinstance(value, Tensor) and value._array.ndim:
        raise RuntimeError(
            "linspace and logspace only support 0-dimensional start and end tensors, but got "
            f"{name} with {value._array.ndim} dimension(s)"
        )
    return _number(value, name)


@creates
def logspace(
    start: Any, end: Any, steps: int, base: float = 10.0, *, dtype: np.dtype
) -> np.ndarray:
    """base**x for ``steps`` exponents x from ``start`` to ``end`` at equal distances."""
    exponents = linspace(start, end, steps, dtype=dtypes.float64)
    return np.power(base, memory(exponents)).astype(dtype)


@creates
def tril_indices(row: int, col: int, offset: int = 0, *, dtype: Any = dtypes.int64) -> np.ndarray:
    """The indices (2 × n) of a row × col matrix on and below its diagonal number ``offset``."""
    return np.stack(np.tril_indices(*_rows_and_columns(row, offset, col))).astype(dtype)


@creates
def triu_indices(row: int, col: int, offset: int = 0, *, dtype: Any = dtypes.int64) -> np.ndarray:
    """The indices (2 × n) of a row × col matrix on and above its diagonal number ``offset``."""
    return np.stack(np.triu_indices(*_rows_and_columns(row, offset, col))).astype(dtype)


def _rows_and_columns(row: int, offset: int, col: int) -> tuple[int, int, int]:
    """As NumPy wants them: n, k, m."""
    rows, columns = shape_of((row, col))
    return rows, integer(offset, "offset"), columns


# -- random numbers --------------------------------------------------------------------------------
# How they are made, and which of them equal PyTorch's to the last bit, is told in sampling.py.


@creates
@sized
def rand(size: Shape, *, generator: Generator | None = None, dtype: np.dtype) -> np.ndarray:
    """Uniform in [0, 1)."""
    return sampling.uniform(size, dtype, generator=generator)


@creates
@sized
def randn(size: Shape, *, generator: Generator | None = None, dtype: np.dtype) -> np.ndarray:
    """Normal, of mean 0 and variance 1."""
    return sampling.normal(size, dtype, generator=generator)


@creates
def randint(
    low: Any = None,
    high: Any = None,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Any = dtypes.int64,
) -> np.ndarray:
    """Uniform on low, ..., high - 1: ``randint(high, size)`` or ``randint(low, high, size)``.

    Raises RuntimeError if low >= high, or if ``dtype`` does not reach them.
    """
    if size is None:
        low, high, size = None, low, high
    elif high is None:
        low, high = None, low
    low = 0 if low is None else integer(low, "low")
    return sampling.integers(shape_of(size), dtype, low, integer(high, "high"), generator)


@creates
def randperm(
    n: int, *, generator: Generator | None = None, dtype: Any = dtypes.int64
) -> np.ndarray:
    """0, ..., n - 1 in random order."""
    (n,) = shape_of((n,))
    fit(np.asarray(max(n - 1, 0)), dtype)
    return sampling.permutation(n, generator).astype(dtype)


@creates_like
def rand_like(array: np.ndarray, *, generator: Generator | None = None) -> None:
    """A tensor like ``input``, uniform in [0, 1)."""
    sampling.fill(array, sampling.uniform, 0, 1, generator)


@creates_like
def randn_like(array: np.ndarray, *, generator: Generator | None = None) -> None:
    """A tensor like ``input``, normal of mean 0 and variance 1."""
    sampling.fill(array, sampling.normal_for(array), 0, 1, generator)


@creates_like
def randint_like(
    array: np.ndarray, low: Any = None, high: Any = None, *, generator: Generator | None = None
) -> None:
    """A tensor like ``input``, uniform on low, ..., high - 1; a single bound is ``high``."""
    low, high = (0, low) if high is None else (0 if low is None else low, high)
    sampling.fill(array, sampling.integers, integer(low, "low"), integer(high, "high"), generator)


def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
    **options: Any,
) -> Tensor:
    """Normal numbers. Give ``size`` if ``mean`` and ``std`` are numbers, as in the other functions.

    If either is a tensor, each element has a mean and a standard deviation of its own. They are
    broadcast; their gradient is zero. Raises RuntimeError for a negative ``std``.
    """
    tensors = [memory(x) for x in (mean, std) if isinstance(x, Tensor)]
    if not tensors:
        return _normal_of_size(size, mean, std, generator=generator, out=out, **options)
    means, stds = (memory(x) if isinstance(x, Tensor) else x for x in (mean, std))
    if not np.all(stds >= 0):
        raise RuntimeError("normal expects all elements of std >= 0.0")
    shape = broadcast_shapes(*(x.shape for x in tensors))
    dtype = tensors[0].dtype
    z = sampling.normal(shape, dtype, generator=generator)
    made: Tensor = _normal(mean, std, (z * stds + means).astype(dtype, copy=False))
    return made if out is None else into(out, "normal", made)


@elementwise(dmean=no_slope, dstd=no_slope)
def _normal(mean, std, drawn):
    """What was drawn: chance has no slope."""
    return drawn


@creates
def _normal_of_size(
    size: Any, mean: Any, std: Any, *, generator: Any, dtype: np.dtype
) -> np.ndarray:
    mean, std = _number(mean, "mean"), _number(std, "std")
    return sampling.normal(shape_of(size), dtype, mean, std, generator)


def bernoulli(
    input: Tensor,
    p: float | None = None,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """1 with probability ``input``, each element its own, else 0; or all with probability ``p``.

    The result has its shape and dtype; the gradient is zero. Raises RuntimeError for what is
    outside [0, 1], NotImplementedError for probabilities that are not of a floating dtype.
    """
    array = _array(input, "bernoulli")
    chances = array if p is None else p
    drawn = sampling.bernoulli(array.shape, array.dtype, chances, generator)
    made: Tensor = _bernoulli(input, drawn)
    return made if out is None else into(out, "bernoulli", made)


@elementwise(dx=no_slope)
def _bernoulli(x, drawn):
    """What was drawn."""
    return drawn


def multinomial(
    input: Tensor,
    num_samples: int,
    replacement: bool = False,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Indices drawn in proportion to ``input``, a vector of weights or a matrix of them by rows.

    The result (int64) has ``num_samples`` of them, or a row of them for each row. Raises
    RuntimeError if there are not as many to draw from, or if the weights cannot be probabilities:
    negative, not finite, all zero, or not of a floating dtype.
    """
    weights = _array(input, "multinomial")
    if weights.ndim not in (1, 2):
        raise RuntimeError(f"prob_dist must be 1 or 2 dim, but got {weights.ndim} dimensions")
    if weights.dtype.kind != "f":
        raise RuntimeError(
            f"multinomial only supports floating-point dtypes for input, got: {weights.dtype}"
        )
    if out is not None and out.dtype is not dtypes.int64:
        raise RuntimeError(f"multinomial expects Long tensor out, got: {out.dtype}")
    n = integer(num_samples, "num_samples")
    if n <= 0:
        raise RuntimeError(f"cannot sample n_sample <= 0 samples, but got {n}")
    if not replacement and n > weights.shape[-1]:
        raise RuntimeError(
            f"cannot sample n_sample > prob_dist.size(-1) samples without replacement: {n} of "
            f"{weights.shape[-1]}. Pass replacement=True to draw an index more than once."
        )
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
    if not (weights.sum(axis=-1) > 0).all():
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
    drawn = sampling.multinomial(np.atleast_2d(weights), n, replacement, generator)
    made: Tensor = wrap(drawn.reshape(*weights.shape[:-1], n))
    return made if out is None else into(out, "multinomial", made)


def _array(input: Any, name: str) -> np.ndarray:
    if not isinstance(input, Tensor):
        raise TypeError(
            f"{name}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}"
        )
    return memory(input)


# -- methods ---------------------------------------------------------------------------------------


def _new(create: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The method ``x.new_zeros`` of ``zeros``: the dtype of x is the default."""

    def method(self: Tensor, *args: Any, dtype: Any = None, **options: Any) -> Tensor:
        return create(*args, dtype=self.dtype if dtype is None else dtype, **options)

    method.__name__ = method.__qualname__ = f"new_{create.__name__}"
    method.__doc__ = f"``torch.{create.__name__}``, of this tensor's dtype unless one is given."
    return method


for _create in (empty, empty_strided, zeros, ones, full, tensor):
    _method = _new(_create)
    setattr(Tensor, _method.__name__, _method)
for _method in (bernoulli, multinomial):
    setattr(Tensor, _method.__name__, _method)
