"""First weights: PyTorch's numbers for the same seed, and the formulas behind them."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
from compare import OURS, THEIRS, array

torch, nn = OURS.torch, OURS.nn
init = nn.init
against_torch = pytest.mark.skipif(THEIRS is None, reason="PyTorch is not installed")

DRAWS = [
    "uniform_(w)",
    "uniform_(w, -2.0, 3.0)",
    "normal_(w)",
    "normal_(w, 1.0, 0.1)",
    "constant_(w, 0.5)",
    "ones_(w)",
    "zeros_(w)",
    "xavier_uniform_(w, gain=2.0)",
    "xavier_normal_(w)",
    "kaiming_uniform_(w, a=0.3)",
    "kaiming_uniform_(w, mode='fan_out', nonlinearity='relu')",
    "kaiming_normal_(w, nonlinearity='tanh')",
    "kaiming_normal_(w, mode='fan_out')",
    "trunc_normal_(w)",
    "trunc_normal_(w, 0.5, 2.0, -1.0, 1.0)",
    "trunc_normal_(w, 0.0, 1.0, 2.0, 4.0)",
]
SHAPES = [(5, 3), (4, 2, 3), (6, 3, 5, 5), (40, 30)]


@against_torch
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("expression", DRAWS)
def test_draws_pytorchs_numbers(expression: str, shape: tuple[int, ...]) -> None:
    drawn = []
    for library in (OURS, THEIRS):
        library.torch.manual_seed(1)
        w = library.torch.empty(shape)
        assert library.evaluate("nn.init." + expression, {"w": w}) is w
        # One more number: as many were drawn in both, or the next layer would start elsewhere.
        drawn.append((array(w), library.torch.rand(1).item()))
    # Normal numbers agree but for the last bits, uniform ones entirely.
    tolerance = 1e-6 * ("normal" in expression)
    np.testing.assert_allclose(drawn[0][0], drawn[1][0], rtol=tolerance, atol=tolerance)
    assert drawn[0][1] == drawn[1][1]


@against_torch
def test_draws_from_its_own_generator() -> None:
    drawn = []
    for library in (OURS, THEIRS):
        generator = library.torch.Generator().manual_seed(5)
        w = library.torch.empty(4, 3)
        library.nn.init.xavier_uniform_(w, generator=generator)
        drawn.append(array(w))
    np.testing.assert_array_equal(*drawn)


@against_torch
@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 2, 3)], ids=str)
def test_orthogonal_like_pytorchs(shape: tuple[int, ...]) -> None:
    drawn = []
    for library in (OURS, THEIRS):
        library.torch.manual_seed(1)
        drawn.append(array(library.nn.init.orthogonal_(library.torch.empty(shape), gain=1.5)))
    np.testing.assert_allclose(*drawn, atol=1e-5)


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4), (2, 3, 4)], ids=str)
def test_orthogonal_is_orthogonal(shape: tuple[int, ...]) -> None:
    w = array(init.orthogonal_(torch.empty(shape, dtype=torch.float64), gain=2.0))
    w = w.reshape(len(w), -1)
    gram = w @ w.T if len(w) < w.shape[1] else w.T @ w
    np.testing.assert_allclose(gram, 4 * np.eye(len(gram)), atol=1e-12)


def test_eye_and_dirac_pass_on_what_they_get() -> None:
    assert init.eye_(torch.empty(2, 3)).tolist() == [[1, 0, 0], [0, 1, 0]]
    layer = nn.Conv2d(2, 2, 3, padding=1, bias=False)
    init.dirac_(layer.weight)
    x = torch.randn(1, 2, 4, 4)
    np.testing.assert_array_equal(array(layer(x)), array(x))
    grouped = init.dirac_(torch.empty(4, 2, 3), groups=2)
    assert array(grouped).sum() == 4


@against_torch
@pytest.mark.parametrize("shape", [(4, 2, 3), (4, 5, 3, 4), (2, 2, 3, 3, 3)], ids=str)
def test_dirac_like_pytorchs(shape: tuple[int, ...]) -> None:
    ours, theirs = (lib.nn.init.dirac_(lib.torch.empty(shape), groups=2) for lib in (OURS, THEIRS))
    np.testing.assert_array_equal(array(ours), array(theirs))


@against_torch
def test_sparse_like_pytorchs() -> None:
    drawn = []
    for library in (OURS, THEIRS):
        library.torch.manual_seed(1)
        drawn.append(array(library.nn.init.sparse_(library.torch.empty(10, 4), sparsity=0.3)))
    np.testing.assert_allclose(*drawn, rtol=1e-6)
    assert ((drawn[0] == 0).sum(axis=0) == 3).all()


GAINS = {
    ("linear", None): 1.0,
    ("conv2d", None): 1.0,
    ("conv_transpose1d", None): 1.0,
    ("sigmoid", None): 1.0,
    ("tanh", None): 5 / 3,
    ("relu", None): math.sqrt(2),
    ("leaky_relu", None): math.sqrt(2 / (1 + 0.01**2)),
    ("leaky_relu", 1.0): 1.0,
    ("selu", None): 0.75,
}


@pytest.mark.parametrize(("arguments", "gain"), GAINS.items(), ids=str)
def test_gains(arguments: tuple[Any, ...], gain: float) -> None:
    assert init.calculate_gain(*arguments) == gain


def test_bounds_are_the_formulas() -> None:
    torch.manual_seed(0)
    w = array(init.xavier_uniform_(torch.empty(50, 150)))
    bound = math.sqrt(6 / 200)
    assert bound * 0.98 < np.abs(w).max() <= bound
    w = array(init.kaiming_normal_(torch.empty(100, 10, 3, 3), nonlinearity="relu"))
    assert abs(w.std() / math.sqrt(2 / 90) - 1) < 0.02
    w = array(init.trunc_normal_(torch.empty(1000), a=-0.5, b=1.0))
    assert w.min() >= -0.5
    assert w.max() <= 1.0


def test_works_on_parameters_and_leaves_no_trace() -> None:
    w = nn.Parameter(torch.empty(2, 2))
    init.normal_(w)
    assert w.is_leaf
    assert w.requires_grad


REFUSED = {
    "nn.init.calculate_gain('swoosh')": (ValueError, "Unsupported nonlinearity swoosh"),
    "nn.init.calculate_gain('leaky_relu', True)": (ValueError, "negative_slope True not a valid"),
    "nn.init.xavier_uniform_(torch.empty(3))": (ValueError, "fewer than 2 dimensions"),
    "nn.init.kaiming_uniform_(torch.empty(3))": (ValueError, "fewer than 2 dimensions"),
    "nn.init.kaiming_uniform_(torch.empty(3, 3), mode='fan')": (
        ValueError,
        "Mode fan not supported",
    ),
    "nn.init.eye_(torch.empty(3))": (ValueError, "Only tensors with 2 dimensions"),
    "nn.init.dirac_(torch.empty(3, 3))": (ValueError, "Only tensors with 3, 4, or 5 dimensions"),
    "nn.init.dirac_(torch.empty(3, 3, 3), groups=2)": (ValueError, "must be divisible by groups"),
    "nn.init.orthogonal_(torch.empty(3))": (ValueError, "2 or more dimensions"),
    "nn.init.sparse_(torch.empty(3), 0.1)": (ValueError, "Only tensors with 2 dimensions"),
}


@pytest.mark.parametrize("expression", REFUSED)
def test_refuses(expression: str) -> None:
    error, words = REFUSED[expression]
    with pytest.raises(error, match=re.escape(words)):
        OURS.evaluate(expression, {})


def test_warnings() -> None:
    with pytest.warns(UserWarning, match="more than 2 std"):
        init.trunc_normal_(torch.empty(3), mean=10.0, a=6.0, b=7.5)
    with pytest.warns(UserWarning, match="zero-element tensors is a no-op"):
        nn.Linear(0, 3)
