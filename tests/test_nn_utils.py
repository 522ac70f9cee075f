"""Clipping gradients, and parameters as one vector.

Written in PyTorch's words; `SUBJECT=torch pytest` shows that PyTorch says the same.
"""

from __future__ import annotations

import math

import pytest
from compare import OURS

torch, nn = OURS.torch, OURS.nn
utils = nn.utils
inf = float("inf")


def with_grad(*values: float) -> object:
    param = nn.Parameter(torch.zeros(len(values)))
    param.grad = torch.tensor(values)
    return param


def test_clip_grad_norm_scales_all_together() -> None:
    params = [with_grad(3.0, 0.0), with_grad(0.0, 4.0), nn.Parameter(torch.zeros(2))]
    total = utils.clip_grad_norm_(params, max_norm=1.0)
    assert total.item() == 5.0
    assert math.isclose(params[0].grad[0].item(), 0.6, rel_tol=1e-5)
    assert math.isclose(params[1].grad[1].item(), 0.8, rel_tol=1e-5)
    assert params[2].grad is None


def test_clip_grad_norm_leaves_small_gradients_alone() -> None:
    param = with_grad(3.0, 4.0)
    assert utils.clip_grad_norm_(param, max_norm=10.0).item() == 5.0
    assert param.grad.tolist() == [3.0, 4.0]


def test_other_norms() -> None:
    assert utils.clip_grad_norm_([with_grad(3.0, -4.0)], 1.0, norm_type=inf).item() == 4.0
    assert utils.clip_grad_norm_([with_grad(3.0, -4.0)], 1.0, norm_type=1).item() == 7.0
    assert utils.get_total_norm([torch.tensor([3.0]), torch.tensor([4.0])]).item() == 5.0
    assert utils.clip_grad_norm_([], 1.0).item() == 0.0


def test_clip_in_two_steps() -> None:
    param = with_grad(30.0)
    utils.clip_grads_with_norm_([param], 3.0, torch.tensor(30.0))
    assert math.isclose(param.grad.item(), 3.0, rel_tol=1e-5)


def test_a_norm_that_is_not_finite_can_be_an_error() -> None:
    with pytest.raises(RuntimeError, match="is non-finite, so it cannot be clipped"):
        utils.clip_grad_norm_([with_grad(inf)], 1.0, error_if_nonfinite=True)


def test_clip_grad_value() -> None:
    param = with_grad(-5.0, 0.5, 5.0)
    utils.clip_grad_value_([param, nn.Parameter(torch.zeros(1))], 1.0)
    assert param.grad.tolist() == [-1.0, 0.5, 1.0]


def test_parameters_to_vector_and_back() -> None:
    net = nn.Linear(2, 2)
    vector = utils.parameters_to_vector(net.parameters())
    assert tuple(vector.shape) == (6,)
    assert vector.requires_grad
    utils.vector_to_parameters(torch.arange(6.0), net.parameters())
    assert net.weight.tolist() == [[0, 1], [2, 3]]
    assert net.bias.tolist() == [4, 5]
    assert net.bias.requires_grad
    with pytest.raises(TypeError, match=r"expected|Tensor"):
        utils.vector_to_parameters([1.0], net.parameters())
