"""Attention: every query asks all keys, and gets a mean of the values, weighted by how well their
keys answer (Vaswani et al., 2017).

    S = q kᵀ / √E + mask        P = softmax(S)        y = P v

With dP = dy vᵀ the gradients are

    dS = P ∘ (dP - rows of Σ dP ∘ P)        dq = dS k / √E        dk = dSᵀ q / √E        dv = Pᵀ dy

P is as large as all pairs of queries and keys, so it is not kept for backward but computed anew;
and not the rows of P are divided by their sums, but y and dy, which are smaller. Both are ideas of
FlashAttention (Dao et al., 2022).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd import dtypes, sampling
from autograd.function import Function
from autograd.grad_mode import recording
from autograd.ops.arithmetic import array_of
from autograd.ops.comparison import masked, where
from autograd.ops.dropout import _dropout
from autograd.ops.gathering import repeat_interleave
from autograd.ops.linear_algebra import matmul
from autograd.ops.shape import mt
from autograd.ops.softmax import softmax, through_softmax
from autograd.ops.windows import require_tensor
from autograd.tensor import Tensor, wrap

__all__: list[str] = []  # nn.functional.scaled_dot_product_attention


def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    """softmax(q kᵀ · ``scale`` + mask) v, for queries (..., L, E), keys (..., S, E) and values
    (..., S, D): (..., L, D). ``scale`` is 1 / √E by default.

    ``attn_mask`` broadcasts to (..., L, S). A bool mask is True where a query may ask a key, any
    other is added; a query that may ask no key gets zeros. ``is_causal`` lets query i ask the keys
    0 to i. ``dropout_p`` is the probability with which a weight is dropped, whatever the mode.
    ``enable_gqa`` repeats the heads, dimension -3, of keys and values until they are as many as
    those of the queries.
    Raises RuntimeError for shapes, dtypes and settings that do not fit together."""
    _check_operands(query, key, value, attn_mask, is_causal)
    if enable_gqa:
        key, value = (_repeated_heads(x, query) for x in (key, value))
    shape = _shape_of_weights(query, key, value)
    if attn_mask is not None:
        _check_mask(attn_mask, query, shape)
    if is_causal:
        attn_mask = np.tri(*shape[-2:], dtype=bool)
    kept = None
    if dropout_p > 0:
        if dropout_p > 1:
            raise RuntimeError(
                f"dropout probability has to be between 0 and 1, but got {dropout_p}"
            )
        kept = sampling.bernoulli(shape, np.dtype(np.bool_), 1 - dropout_p)
    if scale is None:
        scale = 1 / math.sqrt(query.shape[-1] or 1)
    return ScaledDotProductAttention.apply(query, key, value, attn_mask, kept, dropout_p, scale)


class ScaledDotProductAttention(Function):
    """Scaled dot-product attention, in one node."""

    @staticmethod
    def forward(
        ctx: Any, q: Any, k: Any, v: Any, mask: Any, kept: Any, dropout: float, scale: float
    ) -> Any:
        """softmax(q kᵀ scale + mask) v"""
        scores = _scores(q, k, mask, scale)
        largest = np.maximum.reduce(scores, -1, keepdims=True, initial=-np.inf)
        largest[largest == -np.inf] = 0  # of queries that may ask no key
        exponentials = _exponentials(scores, largest)
        total = np.einsum("...s->...", exponentials)[..., None]
        total[total == 0] = 1
        y = matmul(_dropped(exponentials, kept, dropout), _single(v))
        y /= total
        y = y.astype(array_of(q).dtype, copy=False)
        if not isinstance(q, Tensor):
            return y
        ctx.save_for_backward(q, k, v, mask if isinstance(mask, Tensor) else None)
        ctx.causal = None if isinstance(mask, Tensor) else mask
        ctx.largest, ctx.total = largest, total
        ctx.kept, ctx.dropout, ctx.scale = kept, dropout, scale
        return wrap(y)

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        """The gradients of q, k, v and the mask"""
        q, k, v, mask = ctx.saved_tensors
        mask = ctx.causal if mask is None else mask
        if recording():
            gradients = _recorded_gradients(ctx, dy, q, k, v, mask)
        else:
            a, b, c, share = map(_single, (q, k, v, dy))
            share = share / ctx.total
            p = _exponentials(_scores(q, k, mask, ctx.scale), ctx.largest)
            dv = matmul(mt(_dropped(p, ctx.kept, ctx.dropout)), share)
            dscores = _dropped(matmul(share, mt(c)), ctx.kept, ctx.dropout)
            dscores -= np.vecdot(dscores, p)[..., None] / ctx.total
            dscores *= p
            dq, dk = matmul(dscores, b) * ctx.scale, matmul(mt(dscores), a) * ctx.scale
            gradients = wrap(dq), wrap(dk), wrap(dv), wrap(dscores)
        dq, dk, dv, dmask = gradients
        return dq, dk, dv, dmask if ctx.needs_input_grad[3] else None, None, None, None


def _scores(q: Any, k: Any, mask: Any, scale: float) -> np.ndarray:
    """S = q kᵀ scale + mask, where a bool mask is -∞ where it does not hold"""
    scores: np.ndarray = matmul(_single(q) * scale, mt(_single(k)))
    if mask is not None:
        m = array_of(mask)
        scores += np.where(m, scores.dtype.type(0), -np.inf) if m.dtype.kind == "b" else m
    return scores


def _exponentials(scores: np.ndarray, largest: np.ndarray) -> np.ndarray:
    """P, times the sum of each row that it lacks; in the memory of S"""
    scores -= largest
    return np.exp(scores, out=scores)


def _single(x: Any) -> np.ndarray:
    """The array of a tensor, in single precision if it had less."""
    array: np.ndarray = array_of(x)
    return array.astype(np.float32) if array.dtype == np.float16 else array


def _dropped(weights: Any, kept: Any, dropout: float) -> Any:
    """The weights that are kept, scaled up; the others 0."""
    if kept is None:
        return weights
    return _dropout(weights, kept, 1 / (1 - dropout) if dropout < 1 else 0.0)


def _recorded_gradients(ctx: Any, dy: Any, q: Any, k: Any, v: Any, mask: Any) -> tuple[Any, ...]:
    """The gradients in operations, to be differentiated again."""
    scores = matmul(q * ctx.scale, mt(k))
    if mask is not None:
        is_bool = array_of(mask).dtype.kind == "b"
        scores = where(mask, scores, -math.inf) if is_bool else scores + mask
    asks = np.isfinite(array_of(scores)).any(-1, keepdims=True)
    weights = masked(softmax(where(wrap(asks), scores, 0.0), -1), asks)
    dv = matmul(mt(_dropped(weights, ctx.kept, ctx.dropout)), dy)
    dweights = _dropped(matmul(dy, mt(v)), ctx.kept, ctx.dropout)
    dscores = through_softmax(dweights, weights, -1)
    return matmul(dscores, k) * ctx.scale, matmul(mt(dscores), q) * ctx.scale, dv, dscores


# -- what fits together ----------------------------------------------------------------------------


def _check_operands(query: Any, key: Any, value: Any, mask: Any, is_causal: bool) -> None:
    for name, x in (("query", query), ("key", key), ("value", value)):
        require_tensor(x, "scaled_dot_product_attention", name)
    found = [array_of(x).dtype for x in (query, key, value)]
    if len(set(found)) > 1:
        raise RuntimeError(
            "Expected query, key, and value to have the same dtype, but got query.dtype: "
            f"{found[0]} key.dtype: {found[1]} and value.dtype: {found[2]} instead."
        )
    if found[0].kind != "f":
        raise RuntimeError(
            f"expected scalar type Float but found {dtypes.of_array(array_of(query))._title}: "
            "attention is computed in floating point. Convert the tensors with .float()"
        )
    if min(query.ndim, key.ndim, value.ndim) < 2:
        raise RuntimeError(
            "Expected query, key, and value to all be at least 2 dimensional, but got query.dim: "
            f"{query.ndim} key.dim: {key.ndim} and value.dim: {value.ndim} instead."
        )
    if is_causal and mask is not None:
        raise RuntimeError(
            "Explicit attn_mask should not be set when is_causal=True: leave one of them out"
        )


def _repeated_heads(x: Any, query: Any) -> Any:
    if min(x.ndim, query.ndim) < 3:
        raise IndexError(
            "enable_gqa needs heads, dimension -3 of queries, keys and values, but got shapes "
            f"{tuple(query.shape)} and {tuple(x.shape)}"
        )
    heads, given = query.shape[-3], x.shape[-3]
    if not given or heads % given:
        raise RuntimeError(
            "Number of heads in key and value must divide the number of heads in query, but got "
            f"{given} and {heads}"
        )
    return repeat_interleave(x, heads // given, -3)


def _shape_of_weights(query: Any, key: Any, value: Any) -> tuple[int, ...]:
    """(..., L, S)"""
    shapes = [tuple(x.shape) for x in (query, key, value)]
    try:
        batch = np.broadcast_shapes(*[shape[:-2] for shape in shapes])
    except ValueError:
        batch = None
    if batch is None or query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        raise RuntimeError(
            "scaled_dot_product_attention takes queries (..., L, E), keys (..., S, E) and values "
            f"(..., S, D), where ... broadcasts, but got shapes {shapes[0]}, {shapes[1]} and "
            f"{shapes[2]}"
        )
    return (*batch, query.shape[-2], key.shape[-2])


def _check_mask(mask: Any, query: Any, shape: tuple[int, ...]) -> None:
    require_tensor(mask, "scaled_dot_product_attention", "attn_mask")
    found, expected = array_of(mask).dtype, array_of(query).dtype
    if found not in (np.bool_, expected):
        raise RuntimeError(
            "Expected attn_mask dtype to be bool or to match query dtype, but got "
            f"attn_mask.dtype: {found} and query.dtype: {expected} instead."
        )
    lengths = tuple(mask.shape)
    if len(lengths) > len(shape) or any(
        n not in (1, m) for n, m in zip(lengths[::-1], shape[::-1], strict=False)
    ):
        raise RuntimeError(
            f"attn_mask of shape {lengths} does not broadcast to that of the weights, {shape}: "
            "(..., queries, keys)"
        )
