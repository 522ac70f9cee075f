"""Gives Tensor its operators and methods: the operations of the book, under the names they have as
methods."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np

from autograd import differentiation, ops, queries
from autograd.changes import check_apart, check_changeable, opened, touch
from autograd.creation import shape_of
from autograd.grad_mode import check_not_carrying, recording
from autograd.inplace import check_in_place, in_place, reshape_in_place, write
from autograd.node import Node
from autograd.ops.activation import _relu
from autograd.ops.arithmetic import _add, _div, _sub, array_of
from autograd.ops.indexing import (
    assign,
    check_masked_fill,
    index_put_values,
    is_basic_index,
)
from autograd.ops.parts import _replace, check_single, overwrite
from autograd.record import binary
from autograd.tensor import Tensor, memory

# -- operators -------------------------------------------------------------------------------------

# The operators are the bare two-input operations: nothing stands between x * y and MulBackward.
OPERATORS = {
    "__add__": _add, "__sub__": _sub, "__mul__": ops.mul, "__truediv__": _div,
    "__floordiv__": ops.floor_divide, "__mod__": ops.remainder, "__pow__": ops.pow,
    "__matmul__": ops.matmul, "__neg__": ops.neg, "__pos__": ops.positive, "__abs__": ops.abs,
    "__eq__": ops.eq, "__ne__": ops.ne, "__lt__": ops.lt, "__le__": ops.le, "__gt__": ops.gt,
    "__ge__": ops.ge, "__and__": ops.bitwise_and, "__or__": ops.bitwise_or,
    "__xor__": ops.bitwise_xor, "__lshift__": ops.bitwise_left_shift,
    "__rshift__": ops.bitwise_right_shift,
}  # fmt: skip

# other * self, for an other that is no tensor.
REFLECTED = {
    "__radd__": _add, "__rsub__": _sub, "__rmul__": ops.mul, "__rtruediv__": _div,
    "__rfloordiv__": ops.floor_divide, "__rmod__": ops.remainder, "__rpow__": ops.pow,
    "__rmatmul__": ops.matmul, "__rand__": ops.bitwise_and, "__ror__": ops.bitwise_or,
    "__rxor__": ops.bitwise_xor, "__rlshift__": ops.bitwise_left_shift,
    "__rrshift__": ops.bitwise_right_shift, "__rdiv__": _div,
}  # fmt: skip

# self *= other, in place.
AUGMENTED = {
    "__iadd__": _add, "__isub__": _sub, "__imul__": ops.mul, "__itruediv__": _div,
    "__ifloordiv__": ops.floor_divide, "__imod__": ops.remainder, "__ipow__": ops.pow,
    "__iand__": ops.bitwise_and, "__ior__": ops.bitwise_or, "__ixor__": ops.bitwise_xor,
    "__ilshift__": ops.bitwise_left_shift, "__irshift__": ops.bitwise_right_shift,
}  # fmt: skip


def _operator(function: Any) -> Any:
    """self * other, as Python asks for it: another kind of operand may be declined."""
    if hasattr(function, "op") and hasattr(function.op, "reflected"):
        return binary(function.op, is_operator=True)
    return function


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
    logical_or logical_not logical_xor bitwise_and bitwise_or bitwise_xor bitwise_not
    bitwise_left_shift bitwise_right_shift view view_as reshape reshape_as flatten unflatten
    ravel squeeze unsqueeze transpose swapaxes swapdims t permute movedim moveaxis expand
    expand_as broadcast_to repeat tile repeat_interleave flip fliplr flipud roll rot90 narrow
    select diagonal diag diag_embed diagflat tril triu unfold sum_to_size clone contiguous split
    split_with_sizes tensor_split chunk unbind hsplit vsplit dsplit sum nansum mean nanmean prod
    var std max min amax amin aminmax argmax argmin all any logsumexp norm count_nonzero median
    nanmedian mode kthvalue quantile nanquantile cumsum cumprod cummax cummin logcumsumexp diff
    sort argsort topk msort unique unique_consecutive bincount histc histogram angle conj
    conj_physical is_conj is_neg resolve_conj resolve_neg frexp gcd lcm ldexp nextafter
    __getitem__ index_select gather scatter scatter_add scatter_reduce index_add index_copy
    index_fill index_put masked_fill masked_select masked_scatter take take_along_dim nonzero
    nonzero_static put index_reduce narrow_copy
    argwhere select_scatter slice_scatter diagonal_scatter as_strided as_strided_scatter matmul
    mm bmm mv dot vdot inner outer ger addmm addmv addbmm baddbmm addr kron trace cross
    matrix_power inverse det logdet slogdet cholesky pinverse relu prelu softmax log_softmax
    hardshrink dist cholesky_inverse cholesky_solve corrcoef cov geqrf lu lu_solve matrix_exp
    orgqr ormqr qr renorm svd triangular_solve i0 igamma igammac mvlgamma adjoint
"""

IN_PLACE = """
    add sub subtract mul multiply div divide true_divide neg negative reciprocal pow float_power
    square abs absolute sign sgn sqrt rsqrt floor_divide remainder fmod addcmul addcdiv lerp exp
    exp2 expm1 log log1p log2 log10 sin cos tan asin acos atan arcsin arccos arctan atan2
    arctan2 sinh cosh tanh asinh acosh atanh arcsinh arccosh arctanh sigmoid logit erf erfc
    erfinv round floor ceil trunc fix frac clamp clip clamp_min clamp_max hypot xlogy lgamma
    digamma deg2rad rad2deg nan_to_num sinc heaviside copysign eq ne lt le gt ge not_equal less
    less_equal greater greater_equal logical_and logical_or logical_not logical_xor bitwise_and
    bitwise_or bitwise_xor bitwise_not bitwise_left_shift bitwise_right_shift conj_physical gcd
    lcm ldexp nextafter tril triu cumsum cumprod scatter scatter_add scatter_reduce index_add
    index_copy index_fill index_put index_reduce put masked_scatter addmm addmv
    addbmm baddbmm addr relu renorm i0 igamma igammac mvlgamma
"""

# Those that are functions too: torch.relu_(x).
IN_PLACE_FUNCTIONS = """
    abs_ acos_ acosh_ addmv_ arccos_ arccosh_ arcsin_ arcsinh_ arctan_ arctanh_ as_strided_
    asin_ asinh_ atan_ atanh_ ceil_ clamp_ clamp_max_ clamp_min_ clip_ conj_physical_ cos_ cosh_
    deg2rad_ detach_ erf_ erfc_ exp2_ exp_ expm1_ fill_ fix_ floor_ frac_ gcd_ i0_ index_put_
    lcm_ ldexp_ log10_ log1p_ log2_ log_ logit_ nan_to_num_ neg_ negative_ rad2deg_ reciprocal_
    relu_ resize_as_ round_ rsqrt_ sigmoid_ sin_ sinc_ sinh_ sqrt_ square_ tan_ tanh_ trunc_
    xlogy_ zero_
"""

# These change the shape and the strides of the tensor itself, and leave the memory as it is.
RESHAPED_IN_PLACE = "squeeze unsqueeze transpose swapaxes swapdims t as_strided"


def _attach() -> None:
    given: dict[str, Any] = {name: _operator(function) for name, function in OPERATORS.items()}
    given |= {name: _reflected(function) for name, function in REFLECTED.items()}
    given |= {name: in_place(function, name) for name, function in AUGMENTED.items()}
    given |= {name: getattr(ops, name) for name in METHODS.split()}
    given |= {name + "_": in_place(getattr(ops, name), name + "_") for name in IN_PLACE.split()}
    given |= {
        name + "_": reshape_in_place(getattr(ops, name), name + "_")
        for name in RESHAPED_IN_PLACE.split()
    }
    given |= ops.CONVERSIONS
    given |= {name: property(function) for name, function in ops.TRANSPOSES.items()}
    given |= {name: property(getattr(ops, name)) for name in ("real", "imag")}
    given |= {name: getattr(queries, name) for name in ("is_nonzero", "is_same_size")}
    given["relu"] = _relu  # without the choice that nn.functional.relu offers
    given["_stack"] = staticmethod(ops.stack)  # for the engine, which knows no operations
    given |= {function.__name__: function for function in OTHERS}
    given["polygamma_"] = in_place(polygamma, "polygamma_")
    for name, function in given.items():
        setattr(Tensor, name, function)
    Node.__call__ = differentiation.call  # type: ignore[method-assign]


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


def polygamma(self: Tensor, n: int) -> Any:
    """The derivative of order ``n`` of the digamma function: see :func:`autograd.polygamma`."""
    return ops.polygamma(n, self)


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
    differentiation.backward(self, gradient, retain_graph, create_graph, inputs=inputs)


def copy_(self: Tensor, src: Any, non_blocking: bool = False) -> Tensor:
    """Replace the contents by those of ``src`` (broadcast and converted), recorded: the gradient
    goes to ``src``."""
    if src is self:
        if recording() and self.requires_grad:
            check_in_place(self, "copy_")
        touch(self, "copy_", sys._getframe(1))
        return self
    if getattr(src, "ndim", 0) > self.dim():
        raise RuntimeError(
            f"output with shape {list(self.shape)} doesn't match the broadcast shape "
            f"{list(src.shape)}: a copy has no room for further dimensions. Use src.squeeze()."
        )
    return _overwritten(self, src, "copy_", sys._getframe(1))


def fill_(self: Tensor, value: Any) -> Tensor:
    """Set every element to ``value``, a number or a 0-d tensor."""
    check_single(value)
    return _overwritten(self, value, "fill_", sys._getframe(1), uniform=True)


def zero_(self: Tensor) -> Tensor:
    """Set every element to zero."""
    return _overwritten(self, 0, "zero_", sys._getframe(1), uniform=True)


def _same_place(part: Tensor, value: Tensor) -> bool:
    """Whether the two are one piece of memory, read in one way, and views of one base."""
    if value._view is None or part._view is None or value._view.base is not part._view.base:
        return False
    a, b = part._array, value._array
    return (
        a.strides == b.strides
        and a.shape == b.shape
        and a.__array_interface__["data"] == b.__array_interface__["data"]
    )


def masked_fill_(self: Tensor, mask: Any, value: Any) -> Tensor:
    """Set the elements where ``mask`` is True to ``value``, a number or a 0-d tensor."""
    frame = sys._getframe(1)
    if recording() and (self.requires_grad or getattr(value, "requires_grad", False)):
        change = lambda old: ops.masked_fill(old, mask, value)  # noqa: E731
        return write(self, change, "masked_fill_", frame, keeps=False)
    check_masked_fill(mask, value)
    target, where = opened(memory(self), uniform=True), array_of(mask)
    try:
        np.copyto(target, array_of(value), where=where, casting="unsafe")
    except ValueError:
        raise RuntimeError(
            f"masked_fill_: the mask of shape {list(where.shape)} does not broadcast to the "
            f"tensor, whose shape is {list(self.shape)}"
        ) from None
    touch(self, "masked_fill_", frame)
    return self


def _overwritten(t: Tensor, value: Any, name: str, frame: Any, uniform: bool = False) -> Tensor:
    """``t`` with all of it replaced by ``value``. Nothing of the old value is left, so its gradient
    is zero."""
    check_changeable(t)
    _check_assignable(t, value)
    check_apart(t, (value,), name)
    if recording() and (t.requires_grad or getattr(value, "requires_grad", False)):
        constant = uniform and not getattr(value, "requires_grad", False)
        return write(
            t, lambda old: _replace(old, value, ...), name, frame, keeps=False, uniform=constant
        )
    overwrite(opened(memory(t), uniform), ..., array_of(value))
    touch(t, name, frame)
    return t


def _check_assignable(t: Tensor, value: Any) -> None:
    check_not_carrying(value)
    if not isinstance(value, (Tensor, int, float, np.generic)):
        raise TypeError(
            f"can't assign a {type(value).__name__} to a torch.{t.dtype._title}Tensor: give a "
            "tensor or a number"
        )


def resize_(self: Tensor, *size: Any, memory_format: Any = None) -> Tensor:
    """Give this tensor another shape, of its first elements in memory; where it becomes larger, the
    new ones are zeros, in new memory. RuntimeError if it requires grad."""
    if self.requires_grad:
        raise RuntimeError(
            "cannot resize variables that require grad. Take x.detach(), or make a new tensor with "
            "torch.cat or x[:n]."
        )
    shape = shape_of(size[0] if isinstance(size[0], (tuple, list)) else size)
    elements = memory(self).ravel("K")
    count = math.prod(shape)
    if count > elements.size:
        elements = np.concatenate([elements, np.zeros(count - elements.size, elements.dtype)])
    self._array = elements[:count].reshape(shape)
    touch(self, "resize_", sys._getframe(1))
    return self


def resize_as_(self: Tensor, the_template: Tensor, memory_format: Any = None) -> Tensor:
    """``resize_`` to the shape of another tensor."""
    return resize_(self, the_template.shape)


def detach_(self: Tensor) -> Tensor:
    """Take this tensor out of its graph: it becomes a leaf. Refused for views."""
    if self._view is not None:
        raise RuntimeError("Can't detach views in-place. Use detach() instead.")
    self._node, self._slot, self._requires_grad = None, 0, False
    return self


def __setitem__(self: Tensor, index: Any, value: Any) -> None:
    """``x[index] = value``: recorded, like every in-place operation."""
    frame = sys._getframe(1)
    check_changeable(self)
    _check_assignable(self, value)
    due = self.requires_grad or getattr(value, "requires_grad", False)
    if not (due and recording()):
        assign(self, index, value)
        touch(self, "__setitem__", frame)
    elif is_basic_index(index):
        part = self[index]
        if isinstance(value, Tensor) and _same_place(part, value):
            # What x[i] += y comes to: the change has been made, and recorded, when it is assigned.
            check_in_place(part, "__setitem__")
            touch(self, "__setitem__", frame)
        else:
            _overwritten(part, value, "__setitem__", frame)
    else:
        change = lambda old: index_put_values(old, index, value)  # noqa: E731
        write(self, change, "__setitem__", frame, keeps=False)


def fill_diagonal_(self: Tensor, fill_value: float, wrap: bool = False) -> Tensor:
    """Set the main diagonal to ``fill_value``: all elements whose indices are equal. With ``wrap``
    it begins anew below the end of a tall matrix, a row further down.

    RuntimeError below two dimensions, and beyond them unless all have the same length."""
    shape = self.shape
    if len(shape) < 2 or (len(shape) > 2 and len(set(shape)) > 1):
        raise RuntimeError(
            "fill_diagonal_: the tensor must be a matrix, or have more dimensions of one length, "
            f"but has shape {list(shape)}"
        )
    below = shape[1] + 1 if wrap and len(shape) == 2 else shape[0] or 1
    for start in range(0, shape[0], below):
        part = self[start:]
        part.as_strided((min(part.shape),), (sum(self.stride()),)).fill_(fill_value)
    return self


OTHERS = (
    __invert__,
    where,
    polygamma,
    backward,
    copy_,
    fill_,
    zero_,
    masked_fill_,
    detach_,
    __setitem__,
    fill_diagonal_,
    resize_,
    resize_as_,
)

_attach()
