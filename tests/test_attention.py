"""Multi-head attention, all its options, beside PyTorch; attention that keeps little memory."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from agreement import agree, needs_torch, refuses
from compare import OURS, array
from tables import better_than_torch

torch, F = OURS.torch, OURS.functional
random = np.random.default_rng(5)
L, S, N, E, HEADS = 3, 4, 2, 6, 2
WEIGHTS = {
    "w": random.normal(size=(3 * E, E)),
    "b": random.normal(size=3 * E),
    "wo": random.normal(size=(E, E)),
    "bo": random.normal(size=E),
}


def call(query: str = "q, k, v", bias: str = "None, None", zero: bool = False, **more: Any) -> str:
    settings = "".join([f", {name}={value}" for name, value in more.items()])
    return (
        f"F.multi_head_attention_forward({query}, {E}, {HEADS}, w, b, {bias}, {zero}, 0.0, wo, bo"
        f"{settings})"
    )


def inputs(*batch: int) -> dict[str, np.ndarray]:
    lengths = {"q": L, "k": S, "v": S}
    return {name: random.normal(size=(n, *batch, E)) for name, n in lengths.items()}


MASKS = {
    "none": {},
    "bool": {"attn_mask": random.random((L, S)) < 0.3},
    "added": {"attn_mask": random.normal(size=(L, S))},
    "by head": {"attn_mask": random.normal(size=(N * HEADS, L, S))},
    "padding": {"key_padding_mask": np.array([[False, False, True, False], [False] * 4])},
    "both": {
        "attn_mask": random.normal(size=(L, S)),
        "key_padding_mask": np.array([[0.5, 0.0, -np.inf, 0.0], [0.0, 0.0, 0.0, 1.0]]),
    },
}


@needs_torch
@pytest.mark.parametrize("masks", MASKS)
@pytest.mark.parametrize("need_weights", [True, False])
def test_masks(masks: str, need_weights: bool) -> None:
    """With and without weights; with one more key learned, and one of zeros."""
    given = MASKS[masks]
    for bias, zero in itertools.product(("None, None", "bk, bv"), (False, True)):
        learned = {name: random.normal(size=(1, 1, E)) for name in ("bk", "bv")}
        agree(
            call(bias=bias, zero=zero, need_weights=need_weights, **{name: name for name in given}),
            order=2 if need_weights else 1,  # PyTorch's has no second derivative without
            fixed="key_padding_mask",
            **inputs(N),
            **WEIGHTS,
            **given,
            **learned,
        )


@needs_torch
def test_one_sample_and_one_tensor() -> None:
    mask = {"attn_mask": random.random((L, S)) < 0.3}
    padding = {"key_padding_mask": np.array([False, True, False, False])}
    agree(call(attn_mask="attn_mask"), **inputs(), **WEIGHTS, **mask)
    agree(call(key_padding_mask="key_padding_mask"), **inputs(), **WEIGHTS, **padding)
    agree(call(average_attn_weights=False), **inputs(N), **WEIGHTS)
    agree(call(average_attn_weights=False), **inputs(), **WEIGHTS)
    agree(call("q, q, q"), q=inputs(N)["q"], **WEIGHTS)
    agree(call("q, k, k"), **{n: x for n, x in inputs(N).items() if n != "v"}, **WEIGHTS)
    causal = {"attn_mask": np.triu(np.full((L, L), -np.inf), 1)}
    for need_weights in (True, False):
        settings = {"attn_mask": "attn_mask", "need_weights": need_weights, "is_causal": True}
        expression = call("q, q, q", **settings)
        order = 2 if need_weights else 1
        agree(expression, order, fixed="attn_mask", q=inputs(N)["q"], **WEIGHTS, **causal)


@needs_torch
def test_separate_projections_and_static_keys() -> None:
    separate = "use_separate_proj_weight=True, q_proj_weight=wq, k_proj_weight=wk, v_proj_weight=wv"
    names = call().replace(", w, ", ", None, ")[:-1]
    widths = {"wq": (E, E), "wk": (E, 5), "wv": (E, 3)}
    given = {name: random.normal(size=shape) for name, shape in widths.items()}
    given["q"] = random.normal(size=(L, N, E))
    given["k"], given["v"] = random.normal(size=(S, N, 5)), random.normal(size=(S, N, 3))
    rest = {name: WEIGHTS[name] for name in ("b", "wo", "bo")}
    agree(f"{names}, {separate})", **given, **rest)
    static = {name: random.normal(size=(N * HEADS, 5, E // HEADS)) for name in ("sk", "sv")}
    agree(call(static_k="sk", static_v="sv"), **inputs(N), **WEIGHTS, **static)


@needs_torch
def test_refusals() -> None:
    x = inputs(N)
    for wrong in (
        call(is_causal=True),
        call(attn_mask="q"),
        call(attn_mask="q[0, :1]"),
        call(attn_mask="q[:, 0, :4].long()"),
        call(key_padding_mask="q"),
        call(key_padding_mask="q[:2, 0]"),
        call(bias="q, None"),
        call("q, k, k[:2]"),
        call("q[0], k, v"),
        call("q[0, 0], k, v"),
        call(use_separate_proj_weight=True),
        call(static_k="q"),
        call().replace(f"{E}, {HEADS}", f"{E}, 4"),
        call().replace(f"{E}, {HEADS}", f"{E + 1}, {HEADS}"),
    ):
        refuses(wrong, **x, **WEIGHTS)


@better_than_torch  # which, with a mask that requires grad, keeps all weights
def test_attention_keeps_no_weights() -> None:
    """What is kept for backward grows with the queries, not with the pairs of queries and keys."""
    q = torch.zeros(1, 100, 4, requires_grad=True)
    mask = torch.zeros(100, 1, requires_grad=True)
    node = F.scaled_dot_product_attention(q, q, q, mask).grad_fn
    kept = [value for value in vars(node).values() if isinstance(value, np.ndarray)]
    assert kept
    assert sum(value.size for value in kept) <= 2 * 100


def test_a_query_that_may_ask_nobody() -> None:
    q = torch.randn(2, 3, requires_grad=True)
    mask = torch.tensor([[True, True], [False, False]])
    y = F.scaled_dot_product_attention(q, q, q, mask)
    np.testing.assert_array_equal(array(y)[1], np.zeros(3))
    y.sum().backward()
    assert np.isfinite(array(q.grad)).all()
