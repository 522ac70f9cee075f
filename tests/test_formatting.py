"""A tensor prints as PyTorch prints it, character for character."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import autograd
from autograd.formatting import format_tensor

nan, inf = np.nan, np.inf


@pytest.fixture(autouse=True)
def default_options() -> Iterator[None]:
    autograd.set_printoptions(profile="default")
    yield
    autograd.set_printoptions(profile="default")


def f32(*values: Any) -> np.ndarray:
    return np.array(values, np.float32)


def lines(*text: str) -> str:
    return "\n".join(text)


@pytest.mark.parametrize(
    ("array", "printed"),
    [
        (np.float32(3), "tensor(3.)"),
        (np.float32(0.1), "tensor(0.1000)"),
        (np.int64(3), "tensor(3)"),
        (np.bool_(True), "tensor(True)"),
        (f32(1, 2, 3), "tensor([1., 2., 3.])"),
        (f32(1, 2.5), "tensor([1.0000, 2.5000])"),
        (f32(1, -2.5), "tensor([ 1.0000, -2.5000])"),
        (f32(1, 1e-5), "tensor([1.0000e+00, 1.0000e-05])"),
        (f32(1.5, 2e4), "tensor([1.5000e+00, 2.0000e+04])"),
        (f32(1, 1e9), "tensor([1.0000e+00, 1.0000e+09])"),
        (f32(0, 0), "tensor([0., 0.])"),
        (f32(-0.0, 0), "tensor([-0., 0.])"),
        (f32(nan, 1), "tensor([nan, 1.])"),
        (f32(nan, 1.5, -inf), "tensor([   nan, 1.5000,   -inf])"),
        (f32(nan, 0), "tensor([nan, 0.])"),
        (np.array([1, -20, 300]), "tensor([  1, -20, 300])"),
        (np.array([True, False]), "tensor([ True, False])"),
        (np.array([1.5]), "tensor([1.5000], dtype=torch.float64)"),
        (np.array([1, 2], np.int32), "tensor([1, 2], dtype=torch.int32)"),
        (np.array([1, 2], np.uint8), "tensor([1, 2], dtype=torch.uint8)"),
        (np.array([0.1], np.float16), "tensor([0.1000], dtype=torch.float16)"),
        (np.empty(0, np.float32), "tensor([])"),
        (np.empty(0, np.int64), "tensor([], dtype=torch.int64)"),
        (np.empty((0, 3), np.float32), "tensor([], size=(0, 3))"),
        (np.empty((2, 0)), "tensor([], size=(2, 0), dtype=torch.float64)"),
    ],
)
def test_one_line(array: np.ndarray, printed: str) -> None:
    assert format_tensor(np.asarray(array)) == printed


def test_rows_are_aligned_and_blocks_set_apart() -> None:
    assert format_tensor(np.arange(8).reshape(2, 2, 2) * 5) == lines(
        "tensor([[[ 0,  5],",
        "         [10, 15]],",
        "",
        "        [[20, 25],",
        "         [30, 35]]])",
    )


def test_lines_break_at_80_columns() -> None:
    assert format_tensor(np.arange(30)) == lines(
        "tensor([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16, 17,",
        "        18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29])",
    )


def test_large_tensors_are_summarized() -> None:
    assert format_tensor(np.arange(1001)) == "tensor([   0,    1,    2,  ...,  998,  999, 1000])"
    assert format_tensor(np.zeros((500, 3), np.float32)) == lines(
        "tensor([[0., 0., 0.],",
        "        [0., 0., 0.],",
        "        [0., 0., 0.],",
        "        ...,",
        "        [0., 0., 0.],",
        "        [0., 0., 0.],",
        "        [0., 0., 0.]])",
    )


def test_only_what_is_shown_chooses_the_format() -> None:
    array = np.ones(2000, np.float32)
    array[1000] = 1e-9
    assert format_tensor(array) == "tensor([1., 1., 1.,  ..., 1., 1., 1.])"


def test_suffixes_share_the_last_line_while_they_fit() -> None:
    array = np.ones(12)
    assert format_tensor(array, grad_fn="AddBackward") == lines(
        "tensor([1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1.], dtype=torch.float64,",
        "       grad_fn=<AddBackward>)",
    )
    assert format_tensor(f32(1), requires_grad=True) == "tensor([1.], requires_grad=True)"


def test_grad_fn_is_shown_instead_of_requires_grad() -> None:
    printed = format_tensor(f32(1), grad_fn="MulBackward", requires_grad=True)
    assert printed == "tensor([1.], grad_fn=<MulBackward>)"


def test_the_default_dtype_needs_no_mention() -> None:
    autograd.set_default_dtype(autograd.float64)
    try:
        assert format_tensor(np.array([1.5])) == "tensor([1.5000])"
        assert format_tensor(f32(1.5)) == "tensor([1.5000], dtype=torch.float32)"
    finally:
        autograd.set_default_dtype(autograd.float32)


def test_the_repr_of_tensors() -> None:
    x = autograd.tensor([1.0, 2.0], requires_grad=True)
    assert repr(x) == str(x) == "tensor([1., 2.], requires_grad=True)"
    assert repr(x + x) == "tensor([2., 4.], grad_fn=<AddBackward>)"


def test_print_options() -> None:
    array = f32(1.23456, 200)
    autograd.set_printoptions(precision=2)
    assert format_tensor(array) == "tensor([  1.23, 200.00])"
    autograd.set_printoptions(sci_mode=True)
    assert format_tensor(array) == "tensor([1.23e+00, 2.00e+02])"
    autograd.set_printoptions(profile="short", threshold=1, linewidth=20)
    assert format_tensor(np.arange(9)) == lines("tensor([0, 1,  ..., 7,", "        8])")
    autograd.set_printoptions(profile="full")
    assert "..." not in format_tensor(np.zeros(5000))


def test_print_options_are_read_back() -> None:
    autograd.set_printoptions(precision=7, edgeitems=1)
    options = autograd.get_printoptions()
    assert options == {
        "precision": 7,
        "threshold": 1000,
        "edgeitems": 1,
        "linewidth": 80,
        "sci_mode": None,
    }
    autograd.set_printoptions(profile="default")
    autograd.set_printoptions(**options)
    assert autograd.get_printoptions() == options


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'default', 'short' or 'full', but got 'long'"):
        autograd.set_printoptions(profile="long")


# -- beside PyTorch --------------------------------------------------------------------------------

SPECIAL = [nan, inf, -inf, 0.0, -0.0]
DTYPES = [np.float32] * 4 + [np.float64, np.float16, np.int64, np.int32, np.int8, np.uint8, bool]


def any_shape(rng: np.random.Generator) -> tuple[int, ...]:
    ndim = int(rng.integers(6))
    lengths = [0, 1, 2, 3, 5, 12, 40, 200] if ndim < 3 else [0, 1, 1, 2, 3, 5, 7, 8]
    return tuple(int(n) for n in rng.choice(lengths, ndim))


def any_array(rng: np.random.Generator) -> np.ndarray:
    """Numbers of one magnitude or many, whole or not, with or without nan and inf."""
    shape, dtype = any_shape(rng), np.dtype(DTYPES[rng.integers(len(DTYPES))])
    x = rng.standard_normal(shape)
    x = [
        x,
        np.abs(x),
        x * 10 ** rng.uniform(-8, 10),
        np.round(x * 10 ** rng.uniform(0, 5)),
        x * 10 ** rng.uniform(-5, 5, shape),
        np.where(rng.random(shape) < 0.3, rng.choice(SPECIAL, shape), x),
        np.where(rng.random(shape) < 0.6, rng.choice(SPECIAL, shape), np.round(x * 3)),
        np.zeros(shape),
    ][rng.integers(8)]
    if dtype.kind in "iu":
        x = np.clip(np.nan_to_num(x * 10), np.iinfo(dtype).min / 2, np.iinfo(dtype).max / 2)
    with np.errstate(all="ignore"):
        return np.asarray(x).astype(dtype)


def any_options(rng: np.random.Generator) -> dict[str, Any]:
    choices: dict[str, list[Any]] = {
        "profile": ["default", "short", "full"],
        "precision": [None, 0, 1, 3, 8],
        "threshold": [None, 0, 10, 100],
        "edgeitems": [None, 0, 1, 2, 5],
        "linewidth": [None, 10, 40, 120],
        "sci_mode": [None, True, False],
    }
    return {name: values[rng.integers(len(values))] for name, values in choices.items()}


@pytest.mark.parametrize("seed", range(8))
def test_as_pytorch_prints(torch: ModuleType, seed: int) -> None:
    rng = np.random.default_rng(seed)
    try:
        for _ in range(60):
            array = any_array(rng)
            options = any_options(rng) if rng.random() < 0.4 else {"profile": "default"}
            autograd.set_printoptions(**options)
            torch.set_printoptions(**options)
            theirs = torch.from_numpy(array.copy())
            suffix: dict[str, Any] = {}
            if array.dtype.kind == "f" and rng.random() < 0.6:
                theirs, suffix = theirs.requires_grad_(), {"requires_grad": True}
                if rng.random() < 0.5:
                    theirs, suffix = theirs * 1, {"grad_fn": "MulBackward0"}
            assert format_tensor(array, **suffix) == repr(theirs), options
    finally:
        torch.set_printoptions(profile="default")
