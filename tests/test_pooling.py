"""Pooling, windows as columns, and padding."""

from __future__ import annotations

import itertools
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from agreement import agree, needs_torch, refuses
from compare import OURS, THEIRS, array, dtype_name
from hypothesis import given

torch, F, grad = OURS.torch, OURS.functional, OURS.autograd.grad
random = np.random.default_rng(21)
inf, nan = np.inf, np.nan

SETTINGS = [
    *itertools.product(("2", "3", "(2, 3)"), ("None", "1", "(3, 2)"), ("0", "1"), (False, True)),
    ("(1, 2)", "1", "(0, 1)", False),
]


def distinct(*shape: int) -> np.ndarray:
    return random.permutation(float(np.prod(shape)) * np.arange(np.prod(shape))).reshape(shape)


# The largest --------------------------------------------------------------------------------------


@needs_torch
@pytest.mark.parametrize(("kernel", "stride", "padding", "ceil"), SETTINGS)
def test_max_pool2d(kernel: str, stride: str, padding: str, ceil: bool) -> None:
    call = f"F.max_pool2d(x, {kernel}, {stride}, {padding}, 1, {ceil}, True)"
    agree(call, x=random.normal(size=(2, 3, 7, 6)))
    agree(call, x=random.integers(0, 3, (2, 3, 7, 6)).astype(float))  # ties


@needs_torch
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_max_pool_in_any_dimension(dims: int) -> None:
    x = random.normal(size=(2, 2, 5, 6, 5)[: dims + 2])
    agree(f"F.max_pool{dims}d(x, 2, 1, 1, 2, return_indices=True)", x=x)
    agree(f"F.max_pool{dims}d(x, 3, 2)", x=x)
    agree(f"F.max_pool{dims}d(x, [2])", x=x[0])
    agree(f"F.max_pool{dims}d(x, 2)", x=x[:0])


@needs_torch
@pytest.mark.parametrize("kernel", ["2", "3, 1, 1", "2, 1", "17, 1, 8"])
def test_max_pool_of_special_values(kernel: str) -> None:
    """Windows full of −∞ have their maximum inside the image; the last nan wins."""
    x = random.choice([-inf, -inf, -inf, 0.0, nan], (2, 3, 17, 18))
    agree(f"F.max_pool2d(x, {kernel}, return_indices=True)", order=1, x=x)
    agree(
        f"F.max_pool2d(x, {kernel}, return_indices=True)", order=1, x=np.full((1, 1, 17, 17), -inf)
    )


def test_an_infinite_gradient_reaches_the_winner_alone() -> None:
    x = OURS.leaf(np.array([[[[1.0, 4.0], [3.0, 2.0]]]]), True)
    for stride in (1, 2):
        (dx,) = grad(F.max_pool2d(x, 2, stride), x, OURS.leaf(np.full((1, 1, 1, 1), inf)))
        np.testing.assert_array_equal(array(dx)[0, 0], [[0, inf], [0, 0]])


@needs_torch
def test_max_pool_of_dtypes_and_strides() -> None:
    x = random.integers(0, 99, (2, 3, 6, 6))
    for dtype in ("u1", "i2", "i8", "f2", "f4"):
        agree("F.max_pool2d(x, 2, return_indices=True)", x=x.astype(dtype))
        agree("F.max_pool2d(x, 3, 1, 1)", order=0, x=x.astype(dtype))
    agree("F.max_pool2d(x.transpose(1, 2)[..., ::2], 2)", x=random.normal(size=(2, 3, 6, 6)))
    agree("F.max_pool2d(x[:, :1].expand(2, 3, 6, 6), 2)", x=random.normal(size=(2, 3, 6, 6)))


def test_what_max_pool_keeps() -> None:
    """A byte for each window, and the input not at all: it may be changed."""
    x = OURS.leaf(distinct(4, 8, 16, 16).astype("f4"), True)
    y = F.max_pool2d(x * 1, 2)
    assert y.grad_fn.name() == "MaxPoolBackward"
    y.relu_()
    y.sum().backward()
    assert x.grad.sum() == y.numel()
    with torch.no_grad():
        assert F.max_pool2d(x, 2).grad_fn is None


# The mean -----------------------------------------------------------------------------------------


@needs_torch
@pytest.mark.parametrize("include", [True, False])
@pytest.mark.parametrize(("kernel", "stride", "padding", "ceil"), SETTINGS)
def test_avg_pool2d(kernel: str, stride: str, padding: str, ceil: bool, include: bool) -> None:
    call = f"F.avg_pool2d(x, {kernel}, {stride}, {padding}, {ceil}, {include})"
    agree(call, x=random.normal(size=(2, 3, 7, 6)))


@needs_torch
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_avg_pool_in_any_dimension(dims: int) -> None:
    x = random.normal(size=(2, 2, 5, 6, 5)[: dims + 2])
    agree(f"F.avg_pool{dims}d(x, 3, 2, 1)", x=x)
    agree(f"F.avg_pool{dims}d(x, [2])", x=x[0])
    agree(f"F.avg_pool{dims}d(x, 2)", x=x[:0])
    if dims > 1:
        agree(f"F.avg_pool{dims}d(x, 2, divisor_override=-3)", x=x)


@needs_torch
def test_avg_pool_of_dtypes() -> None:
    x = random.integers(-99, 99, (2, 3, 6, 6))
    for dtype in ("i8", "f2", "f4"):
        agree("F.avg_pool2d(x, (3, 2))", rtol=1e-3, x=x.astype(dtype))


# Windows that share out the image -----------------------------------------------------------------


@needs_torch
@pytest.mark.parametrize("kind", ["avg", "max"])
@pytest.mark.parametrize("size", ["1", "(2, 3)", "(7, 6)", "(None, 4)", "(9, 1)", "(5, 5)"])
def test_adaptive_pool2d(kind: str, size: str) -> None:
    agree(f"F.adaptive_{kind}_pool2d(x, {size})", x=random.normal(size=(2, 3, 7, 6)))
    agree(f"F.adaptive_{kind}_pool2d(x, {size})", x=random.normal(size=(3, 7, 6)).astype("f4"))


@needs_torch
@pytest.mark.parametrize("dims", [1, 3])
def test_adaptive_pool_in_other_dimensions(dims: int) -> None:
    x = random.normal(size=(2, 2, 5, 4, 7)[: dims + 2])
    agree(f"F.adaptive_avg_pool{dims}d(x, 3)", x=x)
    agree(f"F.adaptive_max_pool{dims}d(x, 3, True)", x=x)


# Windows as columns -------------------------------------------------------------------------------


@needs_torch
@pytest.mark.parametrize(
    "settings_", ["2", "(3, 2), (1, 2), 1, 2", "kernel_size=(1, 3), padding=(0, 2)"]
)
def test_unfold(settings_: str) -> None:
    agree(f"F.unfold(x, {settings_})", x=random.normal(size=(2, 3, 5, 6)))
    agree(f"F.unfold(x, {settings_})", x=random.normal(size=(3, 5, 6)).astype("f4"))
    agree(
        f"F.fold(F.unfold(x, {settings_}), (5, 6), {settings_})", x=random.normal(size=(2, 3, 5, 6))
    )


@needs_torch
def test_fold() -> None:
    agree("F.fold(x, (4, 5), (2, 2))", x=random.normal(size=(2, 8, 12)))
    agree("F.fold(x, (4, 5), 2)", x=random.normal(size=(8, 12)))
    agree("F.unfold(x, 2)", x=random.normal(size=(1, 1, 3, 3)) > 0)


# Padding ------------------------------------------------------------------------------------------


@st.composite
def paddings(draw: Any) -> tuple[tuple[int, ...], list[int], str]:
    dims = draw(st.integers(1, 3))
    mode = draw(st.sampled_from(["constant", "reflect", "replicate", "circular"]))
    lengths = draw(st.lists(st.integers(2, 4), min_size=dims, max_size=dims))
    widths = [draw(st.integers(0, n - 1)) for n in reversed(lengths) for _ in range(2)]
    if draw(st.booleans()):
        widths[draw(st.integers(0, 2 * dims - 1))] = -1
    return (*[2] * draw(st.integers(1, 2)), *lengths), widths, mode


@needs_torch
@given(paddings())
def test_pad(given_: tuple[tuple[int, ...], list[int], str]) -> None:
    shape, widths, mode = given_
    x = np.random.default_rng(3).normal(size=shape)
    try:
        THEIRS.functional.pad(THEIRS.leaf(x), widths, mode)
    except RuntimeError:
        refuses(f"F.pad(x, {widths}, {mode!r})", x=x)
        return
    agree(f"F.pad(x, {widths}, {mode!r})", x=x)


@needs_torch
def test_pad_with_a_value() -> None:
    x = random.normal(size=(3, 4))
    agree("F.pad(x, (1, 0, 2, 1), value=2.5)", x=x)
    agree("F.pad(x, (-2, 3))", x=x)
    agree("F.pad(x, (-2, -2))", x=x)
    agree("F.pad(x, ())", x=x)
    agree("F.pad(x, (1, 1), value=2.5)", x=np.arange(3))
    agree("F.pad(x, (1, 1), value=2.5)", x=np.array([True, False]))
    agree("F.pad(x, (1, 1), 'reflect')", x=np.arange(3)[None].astype("f2"))


def test_pad_in_words() -> None:
    x = OURS.leaf(np.array([[1, 2, 3, 4]]))
    for mode, expected in {
        "constant": [0, 0, 1, 2, 3, 4, 0],
        "replicate": [1, 1, 1, 2, 3, 4, 4],
        "reflect": [3, 2, 1, 2, 3, 4, 3],
        "circular": [3, 4, 1, 2, 3, 4, 1],
    }.items():
        assert F.pad(x, (2, 1), mode)[0].tolist() == expected


# What is refused ----------------------------------------------------------------------------------

SMALL, IMAGES = np.zeros((1, 1, 2, 2)), np.zeros((1, 1, 4, 4))
REFUSED: list[tuple[str, np.ndarray]] = [
    ("F.max_pool2d(x, 3)", SMALL),
    ("F.max_pool2d(x, 2)", np.zeros(3)),
    ("F.max_pool2d(x, 2)", np.zeros((3, 4))),
    ("F.max_pool2d(x, 2)", np.zeros((1, 0, 4, 4))),
    ("F.max_pool2d(x, 2)", np.zeros((1, 1, 0, 4))),
    ("F.max_pool2d(x, 2)", IMAGES > 0),
    ("F.max_pool2d(x, 2, padding=2)", IMAGES),
    ("F.max_pool2d(x, 2, padding=-1)", IMAGES),
    ("F.max_pool2d(x, 0)", IMAGES),
    ("F.max_pool2d(x, 2, 0)", IMAGES),
    ("F.max_pool2d(x, 2, dilation=0)", IMAGES),
    ("F.max_pool2d(x, (2, 2, 2))", IMAGES),
    ("F.max_pool2d(x, 2.0)", IMAGES),
    ("F.max_pool2d([1], 2)", IMAGES),
    ("F.max_pool1d(x, 3)", np.zeros((1, 2))),
    ("F.max_pool1d(x, 2)", np.zeros(2)),
    ("F.max_pool1d(x, (2, 2))", np.zeros((1, 1, 4))),
    ("F.avg_pool2d(x, 3)", SMALL),
    ("F.avg_pool2d(x, 2, padding=2)", IMAGES),
    ("F.avg_pool2d(x, 0)", IMAGES),
    ("F.avg_pool2d(x, 2, divisor_override=0)", IMAGES),
    ("F.avg_pool1d(x, 2)", np.zeros(4)),
    ("F.adaptive_avg_pool1d(x, (3, 2))", np.zeros((1, 1, 4))),
    ("F.adaptive_avg_pool1d(x, None)", np.zeros((1, 1, 4))),
    ("F.adaptive_avg_pool2d(x, -1)", IMAGES),
    ("F.adaptive_avg_pool2d(x, (1, 2, 3))", IMAGES),
    ("F.adaptive_avg_pool2d(x, 2)", np.zeros((4, 4))),
    ("F.adaptive_avg_pool2d(x, 2)", np.zeros((1, 1, 4, 4), "i8")),
    ("F.adaptive_max_pool2d(x, 2)", np.zeros((1, 1, 4, 4), "i8")),
    ("F.unfold(x, 5)", IMAGES),
    ("F.unfold(x, 2, stride=0)", IMAGES),
    ("F.unfold(x, 2, padding=-1)", IMAGES),
    ("F.unfold(x, 0)", IMAGES),
    ("F.unfold(x, (2, 2, 2))", IMAGES),
    ("F.unfold(x, 2)", np.zeros((1, 0, 4, 4))),
    ("F.unfold(x, 2)", np.zeros((1, 1, 4, 4), "i8")),
    ("F.fold(x, (4, 5), (2, 2))", np.zeros((2, 8, 11))),
    ("F.fold(x, (4, 5), (2, 2))", np.zeros((2, 7, 12))),
    ("F.fold(x, (4, 5), (2, 2))", np.zeros((2, 8, 12, 1))),
    ("F.fold(x, (4, 5, 6), (2, 2))", np.zeros((2, 8, 12))),
    ("F.fold(x, (1, 1), (2, 2))", np.zeros((2, 8, 12))),
    ("F.pad(x, (1,))", SMALL[0, 0]),
    ("F.pad(x, (1, 1, 1, 1, 1, 1))", SMALL[0, 0]),
    ("F.pad(x, (-3, 1))", SMALL),
    ("F.pad(x, 2)", SMALL),
    ("F.pad(x, (1.0, 1))", SMALL),
    ("F.pad(x, (4, 4), mode='reflect')", np.zeros((1, 3, 4))),
    ("F.pad(x, (5, 4), mode='circular')", np.zeros((1, 3, 4))),
    ("F.pad(x, (1, 1), mode='replicate')", np.zeros((1, 3, 0))),
    ("F.pad(x, (-3, -2), mode='replicate')", np.zeros((1, 3, 4))),
    ("F.pad(x, (1, 1), mode='mirror')", np.zeros((1, 3, 4))),
    ("F.pad(x, (1, 1), mode='reflect', value=1.0)", np.zeros((1, 3, 4))),
    ("F.pad(x, (1, 1), mode='reflect')", np.zeros(4)),
    ("F.pad(x, (1, 1, 1, 1), mode='reflect')", np.zeros((3, 4))),
]


@needs_torch
@pytest.mark.parametrize(("expression", "x"), REFUSED)
def test_refused(expression: str, x: np.ndarray) -> None:
    refuses(expression, x=x)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: F.max_pool2d(x, 5), RuntimeError, r"\(1x4x4\).*\(1x0x0\).*larger input"),
        (lambda x: F.max_pool2d(x, 2, padding=2), RuntimeError, "half.*pad=2.*kernel_size=2"),
        (lambda x: F.max_pool2d(x[0, 0], 2), RuntimeError, r"3D or 4D.*\[4, 4\]"),
        (lambda x: F.max_pool2d(x > 0, 2), NotImplementedError, r"bool.*float\(\)"),
        (lambda x: F.unfold(x, 5), RuntimeError, r"spatial size \(4, 4\).*\(0, 0\)"),
        (lambda x: F.fold(x[0], (4, 4), 2), RuntimeError, r"3 \* 3 = 9.*size\(2\)=4"),
        (lambda x: F.pad(x[0], (4, 0), "reflect"), RuntimeError, r"\(4, 0\) at dimension 2"),
        (lambda x: F.pad(x, (1, 1), "wrap"), NotImplementedError, "constant, reflect, replicate"),
    ],
)  # fmt: skip
def test_messages(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call(OURS.leaf(IMAGES))


def test_gradients_have_the_dtype_of_their_input() -> None:
    for call in (
        lambda x: F.max_pool2d(x, 2),
        lambda x: F.avg_pool2d(x, 3, 1),
        lambda x: F.unfold(x, 2),
    ):
        x = OURS.leaf(np.ones((1, 1, 4, 4), "f2"), True)
        call(x).sum().backward()
        assert dtype_name(x.grad) == "float16"
