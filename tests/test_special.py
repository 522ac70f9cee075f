"""The names of torch.special and torch.signal.windows, and what the table of cases cannot say of
them: derivatives where PyTorch's have fewer digits, corners, windows."""

from __future__ import annotations

import numpy as np
import pytest
from compare import OURS, THEIRS
from tables import assert_agreement, better_than_torch, lines

torch = OURS.torch
special = torch.special
INPUTS = {
    "x": np.array([0.0, -0.0, 1.0, -1.0, 0.3, 2.5, np.nan]),
    "p": np.array([0.5, 1.0, 2.5, 40.0]),
    "i": np.arange(4),
}


@better_than_torch
@pytest.mark.parametrize(
    "function",
    [
        special.psi,
        special.gammaln,
        lambda x: torch.polygamma(3, x),
        lambda x: torch.mvlgamma(x + 1, 3),
        lambda x: torch.igamma(torch.tensor([0.5, 3.0]).double(), x),
        lambda x: special.gammaincc(torch.tensor([0.5, 3.0]).double(), x),
    ],
)
def test_derivatives_of_the_gamma_functions(function: object) -> None:
    x = torch.tensor([0.7, 2.3], dtype=torch.float64, requires_grad=True)
    assert OURS.autograd.gradcheck(function, (x,))
    assert OURS.autograd.gradgradcheck(function, (x,))


CORNERS = """
torch.i0(x)
torch.special.i1(x[:6])
torch.special.i0e(x)
torch.special.i1e(x[:6])
torch.special.ndtr(x)
torch.special.ndtri(x.abs())
torch.special.log_ndtr(x * 30)
torch.special.erfcx(x * 20)
torch.special.entr(x)
torch.special.xlog1py(x, x)
torch.special.xlog1py(x * 0, x - 1)
torch.special.zeta(x.detach(), 2.0)
torch.special.modified_bessel_k0(x)
torch.special.bessel_y0(x)
torch.special.spherical_bessel_j0(x)
torch.polygamma(2, x[:3])
torch.igamma(p.detach(), p.detach() * 0)
torch.igammac(x.detach(), 0 * x.detach())
torch.special.expit(i)
torch.special.zeta(2, i)
torch.special.chebyshev_polynomial_t(i, i)
torch.special.hermite_polynomial_h(0.5, i)
torch.mvlgamma(i + 3, 2)
torch.igamma(i, i)
torch.mvlgamma(p, 0)
"""


@pytest.mark.skipif(THEIRS is None, reason="PyTorch is not installed")
@pytest.mark.parametrize("expression", lines(CORNERS))
def test_corners(expression: str) -> None:
    assert_agreement(expression, INPUTS, second=False)


def test_what_has_no_closed_derivative_is_refused() -> None:
    a, x = (torch.ones(2, requires_grad=True) for _ in range(2))
    for y in (torch.igamma(a, x), torch.igammac(a, x), special.zeta(a + 1, x)):
        (dx,) = OURS.autograd.grad(y.sum(), x, retain_graph=True)  # by the other input there is one
        assert dx.shape == x.shape
        with pytest.raises(NotImplementedError, match="derivative for"):
            y.sum().backward()


def test_values_without_derivatives() -> None:
    x = torch.ones(2, requires_grad=True)
    assert not special.bessel_j0(x).requires_grad
    assert not special.legendre_polynomial_p(x, 2).requires_grad


@pytest.mark.skipif(THEIRS is None, reason="PyTorch is not installed")
def test_every_name() -> None:
    theirs = {name for name in dir(THEIRS.torch.special) if not name.startswith("_")}
    helpers = {"Tensor", "torch", "common_args", "multi_dim_common"}
    assert theirs - helpers == {name for name in special.__all__ if hasattr(special, name)}


WINDOWS = """
torch.signal.windows.{window}(6{more})
torch.signal.windows.{window}(7, sym=False{more})
torch.signal.windows.{window}(2, dtype=torch.float64{more})
torch.signal.windows.{window}(1{more})
torch.signal.windows.{window}(0{more})
torch.signal.windows.{window}(-1{more})
torch.signal.windows.{window}(3, dtype=torch.int64{more})
"""
SETTINGS = {
    "general_cosine": ", a=[0.5, 0.3, 0.2]",
    "gaussian": ", std=0.7",
    "kaiser": ", beta=3.0",
}
NAMES = """
bartlett blackman cosine exponential gaussian general_cosine general_hamming hamming hann kaiser
nuttall
"""


@pytest.mark.skipif(THEIRS is None, reason="PyTorch is not installed")
@pytest.mark.parametrize("window", NAMES.split())
def test_windows(window: str) -> None:
    more = SETTINGS.get(window, "")
    for expression in lines(WINDOWS.format(window=window, more=more)):
        assert_agreement(expression, {})


OTHER_WINDOWS = """
torch.signal.windows.exponential(5, center=1, tau=2.0, sym=False)
torch.signal.windows.exponential(5, center=1)
torch.signal.windows.exponential(5, tau=0)
torch.signal.windows.gaussian(5, std=-1)
torch.signal.windows.kaiser(5, beta=-1)
torch.signal.windows.general_cosine(5, a=[])
torch.signal.windows.general_cosine(5, a=1)
torch.signal.windows.general_hamming(5, alpha=0.7)
torch.hann_window(5)
torch.hann_window(4, False, dtype=torch.float64)
torch.hann_window(1)
torch.hann_window(0)
torch.hamming_window(5, True, 0.6, 0.4)
torch.bartlett_window(6)
torch.blackman_window(6, periodic=False)
torch.kaiser_window(6, True, 4.0)
torch.hann_window(-1)
torch.hann_window(2.5)
torch.hann_window(5, dtype=torch.int64)
"""


@pytest.mark.skipif(THEIRS is None, reason="PyTorch is not installed")
@pytest.mark.parametrize("expression", lines(OTHER_WINDOWS))
def test_other_windows(expression: str) -> None:
    assert_agreement(expression, {})


def test_a_window_may_be_learned() -> None:
    assert torch.hann_window(4, requires_grad=True).requires_grad
