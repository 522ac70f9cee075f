"""Gives Tensor its operators and methods: the operations of the book, under the names they have as
methods."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from autograd import engine, ops
from autograd.grad_mode import recording
from autograd.inplace import in_place, touch, write
from autograd.ops.indexing import assign, index_put_values, is_basic_index
from autograd.ops.parts import _replace
from autograd.tensor import Tensor, memory

# -- operators -------------------------------------------------------------------------------------

# The operators are the bare two-input operations: nothing stands between x * y and MulBackward.
_SAME = {"_add": "__add__", "_sub": "__sub__", "mul": "__mul__", "_div": "__truediv__"}
_SAME |= {
    "neg": "__neg__",
    "abs": "__abs__",
    "matmul": "__matmul__",
    "pow": "__pow__",
    "positive": "__pos__",
}
_SAME |= {"floor_divide": "__floordiv__", "remainder": "__mod__"}
_SAME |= {name: f"__{name}__" for name in ("eq", "ne", "lt", "le", "gt", "ge")}
_SAME |= {"bitwise_and": "__and__", "bitwise_or": "__or__", "bitwise_xor": "__xor__"}
_SAME |= {"bitwise_left_shift": "__lshift__", "bitwise_right_shift": "__rshift__"}

_REFLECTED = {
    "_add": "__radd__",
    "_sub": "__rsub__",
    "mul": "__rmul__",
    "_div": "__rtruediv__",
    "matmul": "__rmatmul__",
}
_REFLECTED |= {"pow": "__rpow__", "floor_divide": "__rfloordiv__", "remainder": "__rmod__"}
_REFLECTED |= {"bitwise_and": "__rand__", "bitwise_or": "__ror__", "bitwise_xor": "__rxor__"}

_AUGMENTED = {
    "_add": "__iadd__",
    "_sub": "__isub__",
    "mul": "__imul__",
    "_div": "__itruediv__",
    "pow": "__ipow__",
}
_AUGMENTED |= {"floor_divide": "__ifloordiv__", "remainder": "__imod__"}
_AUGMENTED |= {"bitwise_and": "__iand__", "bitwise_or": "__ior__", "bitwise_xor": "__ixor__"}


def _reflected(function: Any) -> Any:
    """other * self, for an ``other`` that is no tensor."""
    if hasattr(function, "op") and hasattr(function.op, "reflected"):
        return function.op.reflected
    return lambda self, other: function(other, self)


# -- methods ---------------------------------------------------------------------------------------

METHODS = """
    add sub subtract mul multiply div divide true_divide neg negative positive reciprocal pow
    float_power square abs absolute sign sgn sqrt rsqrt floor_divide remainder fmod addcmul
    addcdiv lerp exp exp2 expm1 log log1p log2 log10 sin cos tan asin acos atan arcsin arccos
    arctan atan2 arctan2 sinh cosh tanh asinh acosh atanh arcsinh arccosh arctanh sigmoid logit
    erf erfc erfinv round floor ceil trunc fix frac clamp clip clamp_min clamp_max maximum
    minimum fmax fmin hypot logaddexp logaddexp2 xlogy lgamma digamma deg2rad rad2deg nan_to_num
    sinc heaviside copysign eq ne lt le gt ge not_equal less less_equal greater greater_equal
    isclose allclose equal isnan isinf isfinite isposinf isneginf isreal signbit logical_and
    logical_or logical_not logical_xor bitwise_and bitwise_or bitwise_xor bitwise_not view
    view_as reshape reshape_as flatten unflatten ravel squeeze unsqueeze transpose swapaxes
    swapdims t permute movedim moveaxis expand expand_as broadcast_to repeat tile
    repeat_interleave flip fliplr flipud roll rot90 narrow select diagonal diag diag_embed
    diagflat tril triu unfold as_strided sum_to_size clone contiguous split split_with_sizes
    tensor_split chunk unbind hsplit vsplit dsplit sum nansum mean nanmean prod var std max min
    amax amin aminmax argmax argmin all any logsumexp norm count_nonzero median nanmedian mode
    kthvalue quantile nanquantile cumsum cumprod cummax cummin logcumsumexp diff sort argsort
    topk msort unique unique_consecutive bincount histc __getitem__ index_select gather scatter
    scatter_add scatter_reduce index_add index_copy index_fill index_put masked_fill
    masked_select masked_scatter take take_along_dim nonzero argwhere select_scatter
    slice_scatter diagonal_scatter matmul mm bmm mv dot vdot inner outer ger addmm addmv addbmm
    baddbmm addr kron trace cross matrix_power inverse det logdet slogdet cholesky pinverse relu
    prelu softmax log_softmax hardshrink
"""

IN_PLACE = """
    add sub subtract mul multiply div divide true_divide neg negative reciprocal pow float_power
    square abs absolute sign sgn sqrt rsqrt floor_divide remainder fmod addcmul addcdiv lerp exp
    exp2 expm1 log log1p log2 log10 sin cos tan asin acos atan arcsin arccos arctan atan2
    arctan2 sinh cosh tanh asinh acosh atanh arcsinh arccosh arctanh sigmoid logit erf erfc
    erfinv round floor ceil trunc fix frac clamp clip clamp_min clamp_max hypot xlogy lgamma
    digamma deg2rad rad2deg nan_to_num sinc heaviside copysign eq ne lt le gt ge logical_and
    logical_or logical_not logical_xor bitwise_and bitwise_or bitwise_xor bitwise_not tril triu
    cumsum cumprod scatter scatter_add scatter_reduce index_add index_copy index_fill index_put
    masked_fill masked_scatter addmm addmv addbmm baddbmm addr relu
"""


def _attach() -> None:
    def have(names: Any) -> Any:  # while chapters are being written
        return [n for n in names if hasattr(ops, n)]

    for name in have(_SAME):
        setattr(Tensor, _SAME[name], getattr(ops, name))
    for name in have(_REFLECTED):
        setattr(Tensor, _REFLECTED[name], _reflected(getattr(ops, name)))
    for name in have(_AUGMENTED):
        setattr(Tensor, _AUGMENTED[name], in_place(getattr(ops, name), _AUGMENTED[name]))
    for name in have(METHODS.split()):
        setattr(Tensor, name, getattr(ops, name))
    for name, function in ops.CONVERSIONS.items():
        setattr(Tensor, name, function)
    for name, function in ops.TRANSPOSES.items():
        setattr(Tensor, name, property(function))
    setattr(Tensor, "_stack", staticmethod(ops.stack))  # noqa: B010 (declared nowhere else)
    for name in have(IN_PLACE.split()):
        setattr(Tensor, name + "_", in_place(getattr(ops, name), name + "_"))


def __invert__(self: Tensor) -> Tensor:
    """``~x``: ``bitwise_not``, but a TypeError for floats, as Python's own ``~``."""
    if self.is_floating_point():
        raise TypeError(
            "~ (operator.invert) is only implemented on integer and Boolean-type tensors, but this "
            f"one is {self.dtype}. Make a mask of it first: ~(x > 0)"
        )
    return ops.bitwise_not(self)


def where(self: Tensor, condition: Any, other: Any) -> Any:
    """``self`` where ``condition`` holds, ``other`` elsewhere: see :func:`autograd.where`."""
    return ops.where(condition, self, other)


# -- backward, and changes of contents -------------------------------------------------------------


def backward(
    self: Tensor,
    gradient: Tensor | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Compute the gradients of this tensor and add them to the ``.grad`` of the leaves it was
    computed from.

    ``gradient`` is the gradient to start from (1 for a scalar). See :func:`autograd.backward`."""
    engine.backward(self, gradient, retain_graph, create_graph, inputs)


def copy_(self: Tensor, src: Any, non_blocking: bool = False) -> Tensor:
    """Replace the contents by those of ``src`` (broadcast and converted), recorded: the gradient
    goes to ``src``."""
    name = "copy_"
    return write(self, lambda old: _replaced(old, src), name, sys._getframe(1))


def _replaced(old: Tensor, src: Any) -> Tensor:
    """The new value of ``old`` when all of it is replaced by ``src``: nothing of it is left, so its
    gradient is zero."""
    _check_assignable(old, src)
    return _replace(old, src, ...)


def _check_assignable(t: Tensor, value: Any) -> None:
    if not isinstance(value, (Tensor, int, float, np.generic)):
        raise TypeError(
            f"can't assign a {type(value).__name__} to a torch.{t.dtype._title}Tensor: give a "
            "tensor or a number"
        )


def fill_(self: Tensor, value: Any) -> Tensor:
    """Set every element to ``value``, a number or a 0-d tensor."""
    if isinstance(value, Tensor) and value.dim():
        raise RuntimeError(
            f"fill_ only supports 0-dimension value tensor but got tensor with {value.dim()} "
            "dimensions. Use copy_()."
        )
    return write(self, lambda old: _replaced(old, value), "fill_", sys._getframe(1))


def zero_(self: Tensor) -> Tensor:
    """Set every element to zero."""
    return write(self, lambda old: _replaced(old, 0), "zero_", sys._getframe(1))


def detach_(self: Tensor) -> Tensor:
    """Take this tensor out of its graph: it becomes a leaf. Refused for views."""
    if self._view is not None:
        raise RuntimeError("Can't detach views in-place. Use detach() instead.")
    self._node, self._slot, self._requires_grad = None, 0, False
    return self


def __setitem__(self: Tensor, index: Any, value: Any) -> None:
    """``x[index] = value``: recorded, like every in-place operation."""
    frame = sys._getframe(1)
    _check_assignable(self, value)
    base = self if self._view is None else self._view.base
    due = self.requires_grad or base._requires_grad or getattr(value, "requires_grad", False)
    if not (due and recording()) and memory(self).flags.writeable:
        assign(self, index, value)
        touch(self, "__setitem__", frame)
    elif is_basic_index(index):
        write(self[index], lambda old: _replaced(old, value), "__setitem__", frame)
    else:
        write(self, lambda old: index_put_values(old, index, value), "__setitem__", frame)


for _function in (__invert__, where, backward, copy_, fill_, zero_, detach_, __setitem__):
    setattr(Tensor, _function.__name__, _function)

_attach()
