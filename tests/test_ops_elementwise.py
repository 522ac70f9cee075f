"""Elementwise operations beside the great table: rarer ones, special values, dtypes, kinks, in
place."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from agreement import agree, needs_torch, refuses
from compare import OURS, THEIRS, array

torch = OURS.torch
random = np.random.default_rng(7)
X, Y = random.normal(size=(3, 4)), random.normal(size=(4,))
POSITIVE = random.uniform(0.5, 3.0, (3, 4))
SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 1e-30])
LEFT, RIGHT = SPECIAL[:, None], SPECIAL

# fmt: off
UNARY = [
    "arcsinh", "arctan", "deg2rad", "digamma", "fix", "isneginf", "isposinf", "isreal", "lgamma",
    "nan_to_num", "negative", "positive", "rad2deg", "sgn", "signbit", "sinc",
]
BINARY = [
    "arctan2", "copysign", "fmax", "fmin", "greater", "heaviside", "less_equal", "logaddexp2",
    "not_equal", "xlogy",
]
ACTIVATIONS = [
    "elu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "mish", "relu6", "silu",
    "softplus", "softshrink",
]
OF_ANY_DTYPE = [
    "torch.neg(x)", "torch.positive(x)", "torch.abs(x)", "torch.frac(x)", "torch.round(x)",
    "torch.sgn(x)", "torch.lgamma(x)", "torch.erf(x)", "torch.sinc(x)", "torch.clamp(x, 0, 1)",
    "torch.hypot(x, x)", "torch.xlogy(x, x)", "torch.fmax(x, x)", "torch.lerp(x, x, x)",
    "torch.addcmul(x, x, x)", "torch.heaviside(x, x)", "torch.floor_divide(x, x)",
    "F.softsign(x)", "F.tanhshrink(x)", "x << 1", "x & x",
]
# fmt: on


@needs_torch
@pytest.mark.parametrize("name", UNARY)
def test_unary(name: str) -> None:
    rtol = 1e-7 if "gamma" in name else None  # PyTorch's trigamma has no more digits
    for x in (X, POSITIVE[0], np.array(0.7), np.zeros((0, 3))):
        agree(f"torch.{name}(x)", rtol=rtol, x=x)
    agree(f"torch.{name}(x)", x=np.arange(1, 5))


@needs_torch
@pytest.mark.parametrize(
    "name", ["deg2rad", "sgn", "nan_to_num", "isposinf", "signbit", "abs", "sign", "relu", "square"]
)
def test_unary_on_special_values(name: str) -> None:
    agree(f"torch.{name}(x)", order=1, x=SPECIAL)


@needs_torch
@pytest.mark.parametrize("name", BINARY)
def test_binary(name: str) -> None:
    fixed = "x y" if name == "heaviside" else ""  # PyTorch's has no derivative by y
    for a, b in ((X, Y), (np.array(0.3), X), (Y, np.array(1.5))):
        agree(f"torch.{name}(x, y)", x=a, y=b, fixed=fixed)
    agree(f"torch.{name}(x, y)", order=0, x=LEFT, y=RIGHT)
    if name != "logaddexp2":
        agree(f"torch.{name}(x, y)", order=0, x=np.arange(4), y=np.array([[2], [0]]))


@needs_torch
@pytest.mark.parametrize("name", ["fmax", "fmin", "maximum", "minimum"])
def test_gradients_of_winners_and_ties(name: str) -> None:
    agree(f"torch.{name}(x, y)", order=1, x=LEFT, y=RIGHT)


@needs_torch
def test_powers() -> None:
    agree("torch.float_power(x, 3)", x=X)
    agree("torch.float_power(x, 2)", x=np.arange(4))
    agree("torch.float_power(x, y)", x=POSITIVE, y=Y)
    agree(
        "torch.pow(x, y)", x=np.array([-2, -1, 0, 1, 3])[:, None], y=np.array([-2, -1, 0, 1, 2, 3])
    )
    agree("torch.pow(2, y)", y=np.array([0, 1, 5]))
    agree("x ** 2.0", x=np.arange(4))
    agree("x ** 3", x=np.array([-np.inf, -2.0, -0.0, 0.0, np.nan]), order=1)
    agree("x ** -0.5", x=np.array([-np.inf, -2.0, 0.0, 4.0, np.inf]), order=1)
    refuses("x ** -1", x=np.arange(3))
    refuses("x ** x", x=np.array([True]))


@needs_torch
@pytest.mark.parametrize("mode", ["None", "'trunc'", "'floor'"])
def test_division_and_its_roundings(mode: str) -> None:
    agree(f"torch.div(x, y, rounding_mode={mode})", order=1, x=LEFT, y=RIGHT)
    agree(
        f"torch.div(x, y, rounding_mode={mode})",
        x=np.array([7, -7, 6, -6]),
        y=np.array([[2], [-4]]),
    )
    if mode != "None":
        refuses(f"torch.div(x, 0, rounding_mode={mode})", x=np.arange(3))


@needs_torch
def test_integers_divided_by_zero_are_refused() -> None:
    for expression in ("x // 0", "x % 0", "torch.fmod(x, 0)"):
        refuses(expression, x=np.arange(3))
    agree("x // 0", order=0, x=SPECIAL)
    agree("x % y", order=1, x=LEFT, y=RIGHT[3:])


@needs_torch
def test_alpha_and_value() -> None:
    agree("torch.sub(x, y, alpha=3)", x=X, y=Y)
    agree("torch.add(x, y, alpha=0.5)", x=Y, y=np.arange(4))
    agree("torch.rsub(x, y, alpha=2)", x=X, y=Y)
    agree("torch.addcmul(x, x, y, value=2)", x=X, y=Y)
    agree("torch.addcdiv(y, y, x, value=-0.5)", x=POSITIVE, y=Y)
    agree("torch.lerp(x, y, z)", x=X, y=Y, z=POSITIVE)
    refuses("torch.add(x, x, alpha=0.5)", x=np.arange(3))
    refuses("torch.addcdiv(x, x, x)", x=np.arange(1, 3))


@needs_torch
def test_logit_and_round() -> None:
    inside = random.uniform(0.05, 0.95, (3, 4))
    agree("torch.logit(x)", x=inside)
    agree("torch.logit(x, eps=0.2)", x=inside)
    agree("torch.round(x, decimals=2)", order=1, x=X)
    agree("torch.round(x, decimals=-1)", order=1, x=X * 30)
    agree("torch.polygamma(2, x)", x=POSITIVE, rtol=1e-7)
    agree("torch.polygamma(1, x)", x=POSITIVE, rtol=1e-7)


@needs_torch
def test_clamp_with_tensors_and_numbers() -> None:
    agree("torch.clamp(x, min=y)", order=1, x=X, y=Y)
    low, high = np.full((10, 10), -0.5), np.full((10, 10), 0.5)
    agree("torch.clamp(x, y, z)", order=1, x=LEFT + 0 * low, y=RIGHT + 0 * low, z=high)
    agree("torch.clamp(x, y, z)", order=1, x=LEFT + 0 * low, y=low, z=RIGHT + 0 * low)
    agree("torch.clamp(x, 0.5, 2.5)", x=np.arange(5))
    agree("torch.clamp(x, 1)", x=np.arange(5))
    agree("torch.clamp_max(x, y)", x=X, y=Y)
    refuses("torch.clamp(x)", x=X)


@needs_torch
def test_where_takes_numbers_and_lets_nothing_leak() -> None:
    mask = X > 0
    agree("torch.where(m, x, 1)", m=mask, x=X)
    agree("torch.where(m, 1., 2.)", m=mask)
    agree("torch.where(m, 1, 2)", m=mask)
    agree("torch.where(m, x, 2.5)", m=mask, x=np.arange(4))
    agree("torch.where(m, x, y)", m=mask, x=np.float32(X), y=Y)
    agree("torch.where(m)", m=mask)
    agree("torch.where(m)", m=np.array(True))
    agree("torch.where(m, torch.log(x), 0.)", order=1, m=X > 0, x=X)
    agree(
        "torch.where(m, x, y)",
        m=random.random((80, 80)) > 0.5,
        x=random.normal(size=(80, 80)),
        y=random.normal(size=80),
    )
    refuses("torch.where(x, x, x)", x=X)


@needs_torch
def test_comparisons_with_numbers() -> None:
    agree("x == 0.1", x=np.array([0.1, 0.2], np.float32))
    agree("x < 1.5", x=np.arange(3))
    agree("x >= True", x=np.arange(3))
    agree("x == y", x=np.arange(3), y=np.array([0.0, 1.5, 2.0]))
    for sign in ("<<", ">>"):
        agree(f"x {sign} 2", x=np.array([1, -5, 100]))
    refuses("x << 1", x=X)
    refuses("torch.isclose(x, y)", x=X, y=np.float32(X))
    refuses("torch.allclose(x, x, rtol=-1.)", x=X)


@needs_torch
def test_equal_and_allclose_are_python_bools() -> None:
    for library in (OURS, THEIRS):
        x = library.leaf(X)
        assert library.torch.equal(x, x) is True
        assert library.torch.equal(x, x[0]) is False
        assert library.torch.allclose(x, x + 1e-12) is True
        assert library.torch.allclose(x, library.leaf(X * np.nan)) is False


@needs_torch
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_kinks_and_settings_of_activations(name: str) -> None:
    kinks = np.array([-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0, 6.0, 25.0])
    rtol = 1e-7 if name == "hardsigmoid" else None  # PyTorch's 1 / 6 is one of float32
    agree(f"F.{name}(x)", order=1, rtol=rtol, x=kinks)
    order = 1 if name == "hardsigmoid" else 2
    agree(f"F.{name}(x)", order, rtol=rtol, x=X)
    agree(f"F.{name}(x)", order, rtol=rtol, x=X.T[::2])


@needs_torch
def test_activations_with_settings() -> None:
    agree("F.threshold(x, 0.1, -2)", x=X)
    agree("F.leaky_relu(x, 0.)", order=1, x=SPECIAL)
    agree("F.leaky_relu(x, 2.)", x=X)
    agree("F.celu(x, 0.5)", x=X)
    agree("F.softshrink(x, 0.2)", x=X)
    agree("F.prelu(x, w)", x=random.normal(size=(2, 3, 4)), w=random.normal(size=3))
    agree("F.prelu(x, w)", x=Y, w=np.array([0.3]))
    agree("F.glu(x, 0)", x=random.normal(size=(4, 3)))
    agree("F.softmin(x, dim=1, dtype=torch.float64)", order=0, x=np.float32(X))
    refuses("F.softshrink(x, -1)", x=X)
    refuses("F.hardtanh(x, 1, -1)", x=X)
    refuses("F.celu(x, 0)", x=X)
    refuses("F.prelu(x, w)", x=X, w=np.ones(3))
    refuses("F.softmax(x, 2)", x=X)
    refuses("F.elu(x)", x=np.arange(3))


def test_activations_in_place() -> None:
    for name in (
        "relu",
        "relu6",
        "elu",
        "selu",
        "celu",
        "silu",
        "mish",
        "hardtanh",
        "hardswish",
        "hardsigmoid",
        "leaky_relu",
    ):
        function = getattr(OURS.functional, name)
        leaf = OURS.leaf(X, requires_grad=True)
        x = leaf * 1
        y = function(x, inplace=True)
        assert y is x
        np.testing.assert_array_equal(array(x), array(function(leaf)))
        y.sum().backward()
        again = OURS.leaf(X, requires_grad=True)
        function(again).sum().backward()
        np.testing.assert_array_equal(array(leaf.grad), array(again.grad))


def test_softmax_without_dim_warns() -> None:
    with pytest.warns(UserWarning, match="Implicit dimension choice for softmax"):
        y = OURS.functional.softmax(OURS.leaf(X))
    np.testing.assert_allclose(array(y).sum(1), 1)


def test_gumbel_softmax_samples_the_distribution() -> None:
    torch.manual_seed(0)
    logits = OURS.leaf(np.log(np.tile([0.7, 0.2, 0.1], (4000, 1))), requires_grad=True)
    y = OURS.functional.gumbel_softmax(logits, hard=True)
    np.testing.assert_allclose(array(y).mean(0), [0.7, 0.2, 0.1], atol=0.03)
    assert set(np.unique(np.round(array(y), 9))) == {0.0, 1.0}
    y[:, 0].sum().backward()
    assert np.abs(array(logits.grad)).sum() > 0


def test_results_have_memory_of_their_own() -> None:
    expressions = [f"torch.{name}(x)" for name in [*UNARY, "square", "abs", "round", "floor"]]
    expressions += ["torch.clamp(x, -5, 5)", "F.relu(x)", "F.leaky_relu(x)", "F.hardshrink(x)"]
    for expression in expressions:
        for x in (np.ones(3), np.array(2.0)):
            leaf = OURS.leaf(x)
            y = OURS.evaluate(expression, {"x": leaf})
            assert y is leaf or not np.shares_memory(array(leaf), array(y)), expression


def test_arrays_in_array_out() -> None:
    for y in (
        torch.square(X),
        torch.add(X, Y, alpha=2),
        torch.where(X > 0, X, 0.0),
        OURS.functional.softmax(X, 1),
    ):
        assert type(y) is np.ndarray


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float16", "float32", "bool"])
@needs_torch
def test_results_have_the_dtypes_of_torch(dtype: str) -> None:
    x = np.ones(3, dtype)
    for expression in OF_ANY_DTYPE:
        try:
            THEIRS.evaluate(expression, {"x": THEIRS.leaf(x)})
        except RuntimeError:
            refuses(expression, x=x)
        else:
            agree(expression, order=0, x=x)


def test_scipy_is_imported_when_it_is_needed() -> None:
    code = "import sys, autograd; print('scipy' in sys.modules)"
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert printed.strip() == "False"
