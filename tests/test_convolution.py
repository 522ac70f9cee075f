"""Convolution in any number of dimensions, its adjoint, and its gradients of every order."""

from __future__ import annotations

import itertools
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from agreement import agree, needs_torch, refuses
from compare import OURS, THEIRS, array, dtype_name
from hypothesis import given, settings

from autograd.ops import convolution

torch, F, grad = OURS.torch, OURS.functional, OURS.autograd.grad
random = np.random.default_rng(12)

# What it is ---------------------------------------------------------------------------------------


def by_definition(
    x: np.ndarray, w: np.ndarray, stride: int, padding: int, dilation: int, groups: int
) -> np.ndarray:
    """y[n, o, q] = Σ_c Σ_t w[o, c, t] x[n, c, s q + d t − p], place by place."""
    dims = w.ndim - 2
    x = np.pad(x, [(0, 0), (0, 0), *[(padding, padding)] * dims])
    covers = [dilation * (k - 1) + 1 for k in w.shape[2:]]
    places = [(n - c) // stride + 1 for n, c in zip(x.shape[2:], covers, strict=True)]
    y = np.zeros((len(x), len(w), *places))
    inputs, outputs = x.shape[1] // groups, len(w) // groups
    for o, *place in np.ndindex(*y.shape[1:]):
        first = o // outputs * inputs
        window = [
            slice(stride * q, stride * q + c, dilation) for q, c in zip(place, covers, strict=True)
        ]
        seen = x[(slice(None), slice(first, first + inputs), *window)]
        y[(slice(None), o, *place)] = (seen * w[o]).sum(tuple(range(1, dims + 2)))
    return y


@st.composite
def convolutions(draw: Any) -> tuple[np.ndarray, np.ndarray, dict[str, int]]:
    """Signals, images or volumes, and filters that fit."""
    number = lambda least, most: draw(st.integers(least, most))  # noqa: E731
    dims, groups = number(1, 3), number(1, 2)
    kernel = [number(1, 3) for _ in range(dims)]
    stride, padding, dilation = number(1, 3), number(0, 2), number(1, 2)
    least = [max(dilation * (k - 1) + 1 - 2 * padding, 1) for k in kernel]
    lengths = [number(n, n + 3) for n in least]
    values = np.random.default_rng(number(0, 999))
    x = values.normal(size=(number(0, 3), groups * number(1, 2), *lengths))
    w = values.normal(size=(groups * number(1, 2), x.shape[1] // groups, *kernel))
    return x, w, {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}


def conv(x: Any, w: Any, **settings: Any) -> Any:
    return getattr(F, f"conv{w.ndim - 2}d")(x, w, **settings)


@given(convolutions(), st.sampled_from([1, 300, 1 << 20]))
def test_definition_and_adjoints(
    given_: tuple[np.ndarray, np.ndarray, dict[str, int]], block: int
) -> None:
    """As defined, and ⟨dy, conv(x, w)⟩ = ⟨dx, x⟩ = ⟨dw, w⟩, in blocks of whatever size."""
    x, w, settings_ = given_
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(convolution, "_BLOCK", block)
        patch.setattr(convolution, "_ROWS", 1)
        inputs = OURS.leaf(x, True), OURS.leaf(w, True)
        y = conv(*inputs, **settings_)
        np.testing.assert_allclose(array(y), by_definition(x, w, **settings_), 1e-12, 1e-12)
        dy = np.random.default_rng(0).normal(size=y.shape)
        gradients = grad(y, inputs, OURS.leaf(dy))
    for value, gradient in zip((x, w), gradients, strict=True):
        np.testing.assert_allclose(
            (array(gradient) * value).sum(), (dy * array(y)).sum(), 1e-9, 1e-9
        )


def test_a_convolution_is_the_product_with_the_unfolded_image() -> None:
    x, w = (OURS.leaf(random.normal(size=s)) for s in ((2, 3, 6, 5), (4, 3, 3, 2)))
    product = w.flatten(1) @ F.unfold(x, (3, 2))
    np.testing.assert_allclose(array(product.unflatten(-1, (4, 4))), array(F.conv2d(x, w)), 1e-12)


def test_same_padding_keeps_the_size_and_puts_the_odd_one_behind() -> None:
    x, w = OURS.leaf(np.ones((1, 1, 4, 3))), OURS.leaf(np.ones((1, 1, 2, 3)))
    expected = [[4, 6, 4], [4, 6, 4], [4, 6, 4], [2, 3, 2]]
    np.testing.assert_array_equal(array(F.conv2d(x, w, padding="same"))[0, 0], expected)


@settings(max_examples=25)
@given(st.integers(1, 3), st.integers(1, 3), st.integers(0, 2), st.integers(1, 2), st.data())
def test_transposing_leads_back_to_the_size(
    kernel: int, stride: int, padding: int, dilation: int, data: Any
) -> None:
    """The output padding says which of the sizes that have so many places is meant."""
    cover = dilation * (kernel - 1) + 1
    length = data.draw(st.integers(max(cover - 2 * padding, 1), 9))
    w = OURS.leaf(np.ones((1, 1, kernel)))
    settings_ = {"stride": stride, "padding": padding, "dilation": dilation}
    y = F.conv1d(OURS.leaf(np.ones((1, 1, length))), w, **settings_)
    rest = (length + 2 * padding - cover) % stride
    assert F.conv_transpose1d(y, w, output_padding=rest, **settings_).shape[-1] == length


# As PyTorch ---------------------------------------------------------------------------------------

SETTINGS = [
    *itertools.product((1, 2, 3), (0, 1, (2, 1)), (1, (1, 2)), (1, 2)),
    ((2, 1), (0, 2), (2, 1), 1),
]


@needs_torch
@pytest.mark.parametrize(("stride", "padding", "dilation", "groups"), SETTINGS)
@pytest.mark.parametrize("bias", ["", ", b"])
def test_conv2d(stride: Any, padding: Any, dilation: Any, groups: int, bias: str) -> None:
    agree(
        f"F.conv2d(x, w{bias or ', None'}, {stride}, {padding}, {dilation}, {groups})",
        x=random.normal(size=(2, 4, 7, 6)),
        w=random.normal(size=(6, 4 // groups, 3, 2)),
        **({"b": random.normal(size=6)} if bias else {}),
    )


@needs_torch
@pytest.mark.parametrize(("stride", "padding", "dilation", "groups"), SETTINGS)
def test_conv_transpose2d(stride: Any, padding: Any, dilation: Any, groups: int) -> None:
    more = 1 if stride != 1 and stride != (2, 1) else 0
    agree(
        f"F.conv_transpose2d(x, w, b, {stride}, {padding}, {more}, {groups}, {dilation})",
        x=random.normal(size=(2, 4, 4, 4)),
        w=random.normal(size=(4, 3, 3, 3)),
        b=random.normal(size=3 * groups),
    )


@needs_torch
@pytest.mark.parametrize("settings_", ["", ", stride=2, padding=1", ", dilation=2", ", groups=2"])
@pytest.mark.parametrize("dims", [1, 3])
def test_other_dimensions(dims: int, settings_: str) -> None:
    channels = 1 if "groups" in settings_ else 2
    x, w = (
        random.normal(size=(2, 2, *[6, 5, 5][:dims])),
        random.normal(size=(2, channels, *[2] * dims)),
    )
    agree(f"F.conv{dims}d(x, w, b{settings_})", x=x, w=w, b=random.normal(size=2))
    agree(f"F.conv{dims}d(x, w{settings_})", x=x[0], w=w)
    agree(f"F.conv_transpose{dims}d(x, w{settings_})", x=x, w=w)
    agree(f"F.conv_transpose{dims}d(x, w{settings_})", x=x[1], w=w)


@needs_torch
@pytest.mark.parametrize("kernel", [(1, 1), (4, 5), (1, 3)])
@pytest.mark.parametrize("batch", [(), (1,), (0,), (3,)])
def test_shapes_at_the_edge(batch: tuple[int, ...], kernel: tuple[int, int]) -> None:
    """One tap, a filter as large as the image, one row; one image, none, one without a batch."""
    x, w = random.normal(size=(*batch, 2, 4, 5)), random.normal(size=(3, 2, *kernel))
    agree("F.conv2d(x, w, b)", x=x, w=w, b=random.normal(size=3))


@needs_torch
@pytest.mark.parametrize("stride", [1, 2])
def test_images_that_take_several_blocks(stride: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convolution, "_BLOCK", 4000)
    x, w = random.normal(size=(2, 3, 40, 11)), random.normal(size=(4, 3, 3, 3))
    agree(f"F.conv2d(x, w, stride={stride}, padding=1)", x=x, w=w)
    agree(f"F.conv_transpose2d(x, w, stride={stride})", x=x, w=w[:3])


@needs_torch
@pytest.mark.parametrize("name", ["conv2d", "conv_transpose2d"])
def test_third_derivatives(name: str) -> None:
    """conv, its transpose and the gradient by the weight are each other's gradients for ever."""
    x, w = random.normal(size=(1, 2, 5, 4)), random.normal(size=(2, 2, 3, 3))

    def third(library: Any) -> np.ndarray:
        leaves = library.leaf(x, True), library.leaf(w, True)
        grad = library.autograd.grad
        y = (getattr(library.functional, name)(*leaves, stride=2, padding=1) ** 3).sum()
        (by_w,) = grad(y, leaves[1], create_graph=True)
        (by_w_x,) = grad((by_w**2).sum(), leaves[0], create_graph=True)
        return array(grad((by_w_x**2).sum(), leaves[1])[0])

    np.testing.assert_allclose(third(OURS), third(THEIRS), 1e-10)


# dtypes and memory --------------------------------------------------------------------------------


@needs_torch
def test_dtypes() -> None:
    """Whole numbers come out exactly, in every dtype."""
    x, w = random.integers(-9, 9, (2, 3, 5, 5)), random.integers(-9, 9, (3, 3, 2, 2))
    for dtype in ("i4", "i8", "f2", "f4", "f8"):
        given_ = {"x": x.astype(dtype), "w": w.astype(dtype)}
        agree("F.conv2d(x, w, padding=1)", order=0, rtol=0, **given_)
        if dtype != "i4":  # which PyTorch does not transpose
            agree("F.conv_transpose2d(x, w, stride=2)", order=0, rtol=0, **given_)


def test_float16_is_rounded_once() -> None:
    x, w = random.normal(size=(2, 3, 6, 6)), random.normal(size=(4, 3, 3, 3))
    x, w = x.astype("f2"), w.astype("f2")
    y = F.conv2d(OURS.leaf(x), OURS.leaf(w))
    assert dtype_name(y) == "float16"
    exact = array(F.conv2d(OURS.leaf(x.astype("f4")), OURS.leaf(w.astype("f4"))))
    np.testing.assert_array_equal(array(y), exact.astype("f2"))
    leaf = OURS.leaf(x, True)
    F.conv2d(leaf, OURS.leaf(w)).sum().backward()
    assert dtype_name(leaf.grad) == "float16"


@needs_torch
@pytest.mark.parametrize(
    "x", ["x.transpose(2, 3)", "x[:, ::2, 1::2]", "x.flip(0)", "x[:1].expand(3, 4, 6, 6)"]
)
def test_any_strides(x: str) -> None:
    agree(
        f"F.conv2d({x}, w[:, :{x}.shape[1]].transpose(2, 3), padding=1).transpose(0, 1)",
        x=random.normal(size=(2, 4, 6, 6)),
        w=random.normal(size=(2, 4, 2, 3)),
    )


def test_the_input_gets_no_gradient_unless_it_needs_one(monkeypatch: pytest.MonkeyPatch) -> None:
    x, w = OURS.leaf(np.ones((1, 1, 4, 4))), OURS.leaf(np.ones((1, 1, 2, 2)), True)
    y = F.conv2d(x, w)
    monkeypatch.delattr(convolution, "_give_back")
    y.sum().backward()
    np.testing.assert_array_equal(array(w.grad), np.full((1, 1, 2, 2), 9.0))


def test_names_of_nodes() -> None:
    x, w = OURS.leaf(np.ones((1, 1, 4, 4)), True), OURS.leaf(np.ones((1, 1, 2, 2)))
    assert F.conv2d(x, w).grad_fn.name() == "Conv2dBackward"
    assert F.conv1d(x[:, 0], w.repeat(1, 4, 1, 1)[:, :, 0]).grad_fn.name() == "Conv1dBackward"
    assert F.conv_transpose2d(x, w).grad_fn.name() == "ConvTransposeBackward"


# What cannot be convolved -------------------------------------------------------------------------

IMAGE, FILTERS = np.zeros((2, 3, 5, 5)), np.zeros((4, 3, 3, 3))
REFUSED: dict[str, dict[str, np.ndarray]] = {
    "F.conv2d(x, w)": {"x": IMAGE, "w": np.zeros((4, 2, 3, 3))},
    " F.conv2d(x, w)": {"x": np.zeros((3, 5)), "w": FILTERS},
    "  F.conv2d(x, w)": {"x": np.zeros((2, 3, 2, 2)), "w": FILTERS},
    "   F.conv2d(x, w)": {"x": IMAGE.astype("f4"), "w": FILTERS},
    "    F.conv2d(x, w)": {"x": np.zeros((2, 3, 5, 5), "i8"), "w": FILTERS},
    "     F.conv2d(x, w)": {"x": np.zeros((2, 3, 5, 5), bool), "w": np.zeros((4, 3, 3, 3), bool)},
    "      F.conv2d(x, w)": {"x": IMAGE, "w": np.zeros((4, 3, 3))},
    "F.conv2d(x, w, w[0, 0, 0])": {"x": IMAGE, "w": FILTERS},
    "F.conv2d(x, w, w[:, 0, :1, 0])": {"x": IMAGE, "w": FILTERS},
    "F.conv2d(x, w, w[:, 0, 0, 0].float())": {"x": IMAGE, "w": FILTERS},
    "F.conv2d(x, w, groups=2)": {"x": IMAGE, "w": FILTERS},
    "F.conv2d(x, w, groups=0)": {"x": IMAGE, "w": FILTERS},
    "F.conv2d(x, w[:3, :2], groups=2)": {"x": np.zeros((2, 4, 5, 5)), "w": FILTERS},
    "F.conv2d(x, w[:0])": {"x": IMAGE, "w": FILTERS},
    "F.conv2d(x, w, stride=0)": {"x": IMAGE, "w": FILTERS},
    "F.conv2d(x, w, stride=(1, 2, 3))": {"x": IMAGE, "w": FILTERS},
    "F.conv2d(x, w, stride=1.5)": {"x": IMAGE, "w": FILTERS},
    "F.conv2d(x, w, dilation=0)": {"x": IMAGE, "w": FILTERS},
    "F.conv2d(x, w, padding=-1)": {"x": IMAGE, "w": FILTERS},
    "F.conv2d(x, w, padding='full')": {"x": IMAGE, "w": FILTERS},
    "F.conv2d(x, w, padding='same', stride=2)": {"x": IMAGE, "w": FILTERS},
    "F.conv2d(x[:, :, :0], w, padding=2)": {"x": IMAGE, "w": FILTERS},
    "F.conv2d('x', w)": {"w": FILTERS},
    "F.conv2d(x, [1])": {"x": IMAGE},
    "F.conv1d(x, w)": {"x": np.zeros(5), "w": FILTERS[0]},
    "F.conv_transpose2d(x, w)": {"x": IMAGE, "w": FILTERS},
    "F.conv_transpose2d(x, w, output_padding=1)": {"x": IMAGE, "w": FILTERS[:3]},
    "F.conv_transpose2d(x, w, output_padding=-1)": {"x": IMAGE, "w": FILTERS[:3]},
    "F.conv_transpose2d(x, w, padding='same')": {"x": IMAGE, "w": FILTERS[:3]},
    "F.conv_transpose2d(x, w, padding=4)": {"x": IMAGE, "w": FILTERS[:3]},
    "F.conv_transpose2d(x, w, groups=2)": {"x": IMAGE, "w": FILTERS[:3]},
    "F.conv_transpose2d(x, w, w[0, 0, 0, :2])": {"x": IMAGE, "w": FILTERS[:3]},
}


@needs_torch
@pytest.mark.parametrize("expression", REFUSED)
def test_refused(expression: str) -> None:
    refuses(expression.strip(), **REFUSED[expression])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x, w: F.conv2d(x[:, :2], w), r"\[4, 3, 3, 3\].*\[2, 2, 5, 5\] to have 3 channels"),
        (lambda x, w: F.conv2d(x[..., :2], w), r"\(5 x 2\).*\(3 x 3\).*larger input"),
        (lambda x, w: F.conv2d(x, w, w[0, 0, 0]), r"bias.* 4 elements.*\[3\]"),
        (lambda x, w: F.conv2d(x, w.float()), r"float64.*float32.*\.to\(dtype\)"),
        (lambda x, w: F.conv2d(x, w, padding="same", stride=2), r"stride=\[2, 2\].*in numbers"),
        (lambda x, w: F.conv2d(x, w, stride=(1, 2, 3)), r"list of 2 values.*\[1, 2, 3\]"),
        (lambda x, w: F.conv_transpose2d(x, w[:3], output_padding=1), r"output_padding=\[1, 1\]"),
    ],
)  # fmt: skip
def test_messages_name_what_was_given_and_what_was_expected(call: Any, words: str) -> None:
    with pytest.raises(RuntimeError, match=words):
        call(OURS.leaf(IMAGE), OURS.leaf(FILTERS))
