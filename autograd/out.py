"""``out=``: results written into tensors that are there already.

The operation is computed as ever, and what comes out is copied; so ``out`` may be one of the
operands too. A tensor of another shape gets new memory (with a warning, unless it was empty), one
of another dtype a converted result, if the category does not fall: no floats into integers. There
is no gradient through a tensor that was given, and where one would be due, it is refused.

The operations of one and two tensors, and all others that ``@op`` makes, know ``out`` themselves
(record.py), where it costs them nothing. Functions written in Python around them are given it here,
under their public names: methods, and the book itself, never need it.
"""

from __future__ import annotations

import functools
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.changes import check_changeable, fill, touch
from autograd.dtypes import can_cast, of_array
from autograd.grad_mode import recording
from autograd.return_types import Result
from autograd.tensor import Tensor, memory

# The functions of the package that are given it here.
NAMES = """
    addbmm addmm addmv addr all amax amin aminmax any argmax argmin argsort as_strided_copy
    baddbmm bmm bucketize cat chain_matmul cholesky cholesky_inverse cholesky_solve clamp
    clamp_max clamp_min clip column_stack concat concatenate conj_physical cross cummax
    cummin cumprod cumsum diag diagonal_copy diff dot dstack expand_copy float_power frexp
    gather geqrf ger hardshrink histc histogram hstack index_add index_copy index_reduce
    index_select inner inverse isin kron kthvalue ldexp log_softmax logcumsumexp logit
    logsumexp lu lu_solve lu_unpack masked_select matrix_power max mean median min mm mode
    msort mv mvlgamma nanmean nanmedian nanquantile nansum narrow_copy nonzero norm orgqr
    ormqr outer permute_copy polygamma prod qr quantile renorm round row_stack scatter
    scatter_add scatter_reduce searchsorted select_copy slice_copy slice_scatter slogdet
    softmax sort split_copy split_with_sizes_copy squeeze_copy stack std std_mean sum svd
    t_copy take take_along_dim tensordot threshold topk transpose_copy triangular_solve tril
    triu unbind_copy unfold_copy unsqueeze_copy var var_mean vdot view_copy vstack where
"""


def takes_out(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` with a further keyword argument ``out``: a tensor, or a tuple of them for
    several results."""

    @functools.wraps(function)
    def call(*args: Any, out: Any = None, **kwargs: Any) -> Any:
        if out is None:
            return function(*args, **kwargs)
        return into(out, function.__name__, function(*args, **kwargs))

    return call


def into(out: Any, name: str, result: Any) -> Any:
    """Write ``result``, what the operation ``name`` returned, into ``out``; returns ``out``.

    Raises TypeError for what is no tensor, RuntimeError where gradients are due and for a dtype
    that cannot hold the result."""
    several = isinstance(result, tuple)
    outs, results = (out, result) if several else ((out,), (result,))
    if not isinstance(outs, (tuple, list)) or len(outs) != len(results):
        raise TypeError(
            f"{name}(): argument 'out' must be tuple of {len(results)} Tensors, not "
            f"{type(out).__name__}"
        )
    for target, value in zip(outs, results, strict=True):
        _check(target, name, value)
    frame = sys._getframe(1)
    for target, value in zip(outs, results, strict=True):
        _write(target, name, value._array if isinstance(value, Tensor) else value, frame)
    if not several:
        return out
    return type(result)(*outs) if isinstance(result, Result) else tuple(outs)


def _check(out: Any, name: str, value: Any) -> None:
    if not isinstance(out, Tensor):
        raise TypeError(f"{name}(): argument 'out' must be Tensor, not {type(out).__name__}")
    if recording() and (out.requires_grad or getattr(value, "requires_grad", False)):
        raise RuntimeError(
            f"{name}(): functions with out=... arguments don't support automatic differentiation, "
            "but one of the arguments requires grad. Leave out= away, or compute inside "
            "torch.no_grad()."
        )
    dtype = of_array(value._array if isinstance(value, Tensor) else value)
    if not can_cast(dtype, out.dtype):
        raise RuntimeError(
            f"result type {dtype._title} can't be cast to the desired output type "
            f"{out.dtype._title}: out must be a tensor of {dtype}"
        )


def _write(out: Tensor, name: str, values: Any, frame: Any) -> None:
    check_changeable(out)
    target = memory(out)
    if target.shape == values.shape:
        fill(target, values)
    else:
        if target.size:
            warnings.warn(
                "An output with one or more elements was resized since it had shape "
                f"{list(target.shape)}, which does not match the required output shape "
                f"{list(values.shape)}. This behavior is deprecated, and in a future release "
                "outputs will not be resized unless they have zero elements. Give a tensor of "
                f"that shape, or torch.empty(0). ({name})",
                stacklevel=4,
            )
        out._array = np.array(values, target.dtype, order="C")
        out._view = None  # of nothing any more
    touch(out, name, frame)
