"""Multi-head attention: several attentions side by side, each in a space of its own.

Queries, keys and values are projected, their E features split into heads, every head attends, and
what the heads say is put side by side again and projected once more (Vaswani et al., 2017).
Inside, tensors are (N, heads, length, E / heads), and all masks one, which is added to the scores.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from autograd.ops.arithmetic import array_of
from autograd.ops.attention import scaled_dot_product_attention
from autograd.ops.broadcasting import expand
from autograd.ops.comparison import where
from autograd.ops.dropout import dropout
from autograd.ops.joining import cat, chunk
from autograd.ops.linear_algebra import linear, matmul
from autograd.ops.padding import pad
from autograd.ops.reduction import mean
from autograd.ops.shape import mt, permute, reshape, squeeze, unsqueeze
from autograd.ops.softmax import softmax

__all__: list[str] = []  # nn.functional.multi_head_attention_forward


def multi_head_attention_forward(
    query: Any,
    key: Any,
    value: Any,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Any,
    in_proj_bias: Any,
    bias_k: Any,
    bias_v: Any,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Any,
    out_proj_bias: Any,
    training: bool = True,
    key_padding_mask: Any = None,
    need_weights: bool = True,
    attn_mask: Any = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Any = None,
    k_proj_weight: Any = None,
    v_proj_weight: Any = None,
    static_k: Any = None,
    static_v: Any = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Any, Any]:
    """The output (L, N, E), and the weights (N, L, S), averaged over the heads (or not: (N, heads,
    L, S)), or None unless ``need_weights``. Shapes: ``query`` (L, N, E), ``key`` and ``value`` (S,
    N, E), all without N for a single sample, and then so is the result.

    ``in_proj_weight`` (3 E, E) holds the projections of queries, keys and values, unless they are
    given separately. ``bias_k`` and ``bias_v`` (1, 1, E) are one more key and value; zeros are
    another if ``add_zero_attn``; ``static_k`` and ``static_v`` (N heads, S, E / heads) replace the
    projected ones. ``attn_mask`` (L, S) or (N heads, L, S) and ``key_padding_mask`` (N, S) are True
    where a query may *not* ask a key, or are added. ``is_causal`` says that ``attn_mask`` is the
    causal one. Dropout is of the weights, in ``training``.
    Raises AssertionError for shapes that do not fit together, RuntimeError for those of a mask."""
    batched = _check_dims(query, key, value, key_padding_mask, attn_mask, num_heads)
    if is_causal and attn_mask is None:
        raise RuntimeError(
            "Need attn_mask if specifying the is_causal hint: it says that the mask is the causal "
            "one. nn.Transformer.generate_square_subsequent_mask makes it."
        )
    length, width = query.shape[0], query.shape[-1]
    _check_width(width, embed_dim_to_check, num_heads)
    if use_separate_proj_weight:
        weights = (q_proj_weight, k_proj_weight, v_proj_weight)
        projected = _separately_projected(query, key, value, weights, in_proj_bias)
    else:
        projected = _jointly_projected(query, key, value, in_proj_weight, in_proj_bias)
    q, k, v = (x if batched else unsqueeze(x, 1) for x in projected)
    samples = q.shape[1]
    if is_causal and key_padding_mask is None and not need_weights:
        mask = None  # attention makes its own
    else:
        mask = _joint_mask(attn_mask, key_padding_mask, q, num_heads, key.shape[0])
        is_causal = False

    static = (static_k, static_v)
    k, v = _with_biases(k, v, bias_k, bias_v, static)
    q, k, v = (_heads(x, num_heads) for x in (q, k, v))
    k, v = (_static_or(x, s, k.shape) for x, s in zip((k, v), static, strict=True))
    if add_zero_attn:
        k, v = pad(k, (0, 0, 0, 1)), pad(v, (0, 0, 0, 1))
    if mask is not None:
        mask = pad(mask, (0, k.shape[2] - mask.shape[3]))  # whoever was added may be asked

    p = dropout_p if training else 0.0
    shares = None
    if need_weights:
        scores = matmul(q * math.sqrt(1 / q.shape[-1]), mt(k))
        shares = dropout(softmax(scores if mask is None else scores + mask, -1), p)
        y = matmul(shares, v)
        shares = mean(shares, 1) if average_attn_weights else shares
    else:
        y = scaled_dot_product_attention(q, k, v, mask, p, is_causal)
    side_by_side = reshape(permute(y, (2, 0, 1, 3)), (length, samples, width))
    y = linear(side_by_side, out_proj_weight, out_proj_bias)
    if batched:
        return y, shares
    return squeeze(y, 1), None if shares is None else squeeze(shares, 0)


def _heads(x: Any, heads: int) -> Any:
    """(length, N, E) as (N, heads, length, E / heads)"""
    length, samples, width = x.shape
    return permute(reshape(x, (length, samples, heads, width // heads)), (1, 2, 0, 3))


def _with_biases(
    k: Any, v: Any, bias_k: Any, bias_v: Any, static: tuple[Any, Any]
) -> tuple[Any, Any]:
    """The keys and values (S, N, E), and one more of each that has been learned."""
    if bias_k is None and bias_v is None:
        return k, v
    if bias_k is None or bias_v is None:
        raise AssertionError("bias_k and bias_v are one key and its value: give both or none")
    if static != (None, None):
        raise AssertionError("bias cannot be added to static keys and values")
    return tuple(cat((x, expand(b, (1, *x.shape[1:])))) for x, b in ((k, bias_k), (v, bias_v)))


def _static_or(x: Any, static: Any, shape: Any) -> Any:
    """The keys or values (N, heads, S, E / heads), or the static ones in their place."""
    if static is None:
        return x
    samples, heads, _, width = shape
    if static.ndim != 3 or (static.shape[0], static.shape[2]) != (samples * heads, width):
        raise AssertionError(
            f"expecting static keys and values of shape ({samples * heads}, S, {width}), but got "
            f"{tuple(static.shape)}"
        )
    return reshape(static, (samples, heads, -1, width))


# -- projections -----------------------------------------------------------------------------------


def _jointly_projected(query: Any, key: Any, value: Any, weight: Any, bias: Any) -> Any:
    """Queries, keys and values, projected by the three parts of one weight; what are the same
    tensors, together."""
    if key.shape != value.shape:
        raise AssertionError(
            f"key shape {tuple(key.shape)} does not match value shape {tuple(value.shape)}"
        )
    if weight is None:
        raise AssertionError("use_separate_proj_weight is False but in_proj_weight is None")
    if query is key and key is value:
        return chunk(linear(query, weight, bias), 3, -1)
    weights = chunk(weight, 3)
    biases = (None,) * 3 if bias is None else chunk(bias, 3)
    return tuple(map(linear, (query, key, value), weights, biases))


def _separately_projected(query: Any, key: Any, value: Any, weights: Any, bias: Any) -> Any:
    width = query.shape[-1]
    if key.shape[:-1] != value.shape[:-1]:
        raise AssertionError(
            f"key's sequence and batch dims {tuple(key.shape[:-1])} do not match value's "
            f"{tuple(value.shape[:-1])}"
        )
    for name, x, weight in zip("qkv", (query, key, value), weights, strict=True):
        if weight is None:
            raise AssertionError(f"use_separate_proj_weight is True but {name}_proj_weight is None")
        if tuple(weight.shape) != (width, x.shape[-1]):
            raise AssertionError(
                f"expecting {name}_proj_weight of shape {(width, x.shape[-1])}, but got "
                f"{tuple(weight.shape)}"
            )
    biases = (None,) * 3 if bias is None else chunk(bias, 3)
    return tuple(map(linear, (query, key, value), weights, biases))


# -- masks -----------------------------------------------------------------------------------------


def _joint_mask(mask: Any, padding: Any, q: Any, heads: int, keys: int) -> Any:
    """What both masks add to the scores, (N or 1, heads or 1, L or 1, S); None for nothing."""
    length, samples = q.shape[:2]
    added = None
    if mask is not None:
        expected = (length, keys) if mask.ndim == 2 else (samples * heads, length, keys)
        if tuple(mask.shape) != expected:
            raise RuntimeError(
                f"The shape of the {mask.ndim}D attn_mask is {tuple(mask.shape)}, but should be "
                f"{expected}."
            )
        by_head = (1, 1, *expected) if mask.ndim == 2 else (samples, heads, length, keys)
        added = reshape(_added("attn_mask", mask, q), by_head)
    if padding is None:
        return added
    if mask is not None and mask.dtype != padding.dtype:
        warnings.warn(
            "Support for mismatched key_padding_mask and attn_mask is deprecated. Use same type "
            "for both instead.",
            stacklevel=3,
        )
    if tuple(padding.shape)[-2:] != (samples, keys)[-padding.ndim :]:
        raise AssertionError(
            f"Expected key_padding_mask of shape {(samples, keys)}, but got {tuple(padding.shape)}"
        )
    padding = reshape(_added("key_padding_mask", padding, q), (samples, 1, 1, keys))
    return padding if added is None else added + padding


def _added(name: str, mask: Any, like: Any) -> Any:
    """A mask that is added: -∞ where a bool one is True."""
    if array_of(mask).dtype.kind == "f":
        return mask
    if array_of(mask).dtype.kind != "b":
        raise AssertionError(
            f"only bool and floating types of {name} are supported, but got {mask.dtype}"
        )
    return where(mask, array_of(like).dtype.type(-np.inf), array_of(like).dtype.type(0))


# -- what fits together ----------------------------------------------------------------------------


def _check_dims(
    query: Any, key: Any, value: Any, key_padding_mask: Any, attn_mask: Any, heads: int
) -> bool:
    """Whether there is a dimension of samples."""
    ndim = query.ndim
    if ndim not in (2, 3):
        raise AssertionError(
            f"query should be unbatched 2D or batched 3D tensor but received {ndim}-D query tensor"
        )
    for name, x in (("key", key), ("value", value)):
        if x.ndim != ndim:
            raise AssertionError(
                f"For a {ndim}-D query, expected key and value to be {ndim}-D, but found a "
                f"{x.ndim}-D {name}"
            )
    if key_padding_mask is not None and key_padding_mask.ndim != ndim - 1:
        raise AssertionError(
            f"For a {ndim}-D query, expected key_padding_mask to be None or {ndim - 1}-D, but "
            f"found {key_padding_mask.ndim}-D tensor instead"
        )
    if attn_mask is not None and attn_mask.ndim not in (2, 3):
        raise AssertionError(
            f"expected attn_mask to be None, 2-D or 3-D, but found {attn_mask.ndim}-D tensor"
        )
    if ndim == 2 and attn_mask is not None and attn_mask.ndim == 3:
        expected = (heads, query.shape[0], key.shape[0])
        if tuple(attn_mask.shape) != expected:
            raise AssertionError(
                f"Expected attn_mask shape to be {expected} but got {tuple(attn_mask.shape)}"
            )
    return ndim == 3


def _check_width(width: int, expected: int, heads: int) -> None:
    if width != expected:
        raise AssertionError(f"was expecting embedding dimension of {expected}, but got {width}")
    if width % heads:
        raise AssertionError(f"embed_dim {width} not divisible by num_heads {heads}")
