"""Optimizers and learning-rate schedules: PyTorch's numbers step by step, their state, bad input.

Written in PyTorch's words; `SUBJECT=torch pytest` shows that PyTorch says the same.
"""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from compare import OURS, SUBJECT, THEIRS, array

torch, nn = OURS.torch, OURS.nn
optim = torch.optim
lr_scheduler = optim.lr_scheduler
against_torch = pytest.mark.skipif(THEIRS is None, reason="PyTorch is not installed")

METHODS = [
    "SGD(params, lr=0.1)",
    "SGD(params)",
    "SGD(params, lr=0.1, momentum=0.9)",
    "SGD(params, lr=0.1, momentum=0.9, dampening=0.3)",
    "SGD(params, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1)",
    "SGD(params, lr=0.01, maximize=True, weight_decay=0.1)",
    "Adam(params, lr=0.1)",
    "Adam(params, lr=0.1, betas=(0.5, 0.7), eps=1e-3, weight_decay=0.1)",
    "Adam(params, lr=0.1, amsgrad=True)",
    "Adam(params, lr=0.01, amsgrad=True, maximize=True)",
    "Adam(params, lr=0.1, weight_decay=0.1, decoupled_weight_decay=True)",
    "AdamW(params, lr=0.1)",
    "AdamW(params, lr=0.1, weight_decay=0.3, amsgrad=True)",
    "RMSprop(params)",
    "RMSprop(params, lr=0.1, alpha=0.8, eps=1e-3, weight_decay=0.1)",
    "RMSprop(params, lr=0.1, momentum=0.9)",
    "RMSprop(params, lr=0.1, momentum=0.5, centered=True, maximize=True)",
    "Adagrad(params)",
    "Adagrad(params, lr=0.5, lr_decay=0.1, weight_decay=0.1, initial_accumulator_value=0.2)",
    "Adagrad(params, maximize=True)",
    "SGD([{'params': params[0], 'lr': 0.3}, {'params': params[1:]}], lr=0.1, momentum=0.5)",
]
every_method = pytest.mark.parametrize("expression", METHODS)

# A matrix, a vector, a number, and one larger than the blocks that updates work in.
SHAPES = [(3, 4), (5,), (), (300, 257)]


def start(library: Any, dtype: str = "float64") -> list[Any]:
    random = np.random.default_rng(0)
    return [library.leaf(random.normal(size=s).astype(dtype), requires_grad=True) for s in SHAPES]


def make(library: Any, expression: str, params: list[Any]) -> Any:
    return library.evaluate("torch.optim." + expression, {"params": params})


def descend(library: Any, optimizer: Any, params: list[Any], steps: int) -> None:
    """Steps on a bowl with steep and flat directions."""
    for _ in range(steps):
        optimizer.zero_grad()
        loss = 0.0
        for param in params:
            steepness = library.leaf(np.linspace(0.1, 3.0, param.numel()).reshape(param.shape))
            loss = loss + (steepness.to(param.dtype) * param * param).sum()
        loss.backward()
        optimizer.step()


@against_torch
@every_method
@pytest.mark.parametrize(
    ("dtype", "steps", "tolerance"), [("float64", 20, 1e-12), ("float32", 5, 1e-4)]
)
def test_steps_like_pytorchs(expression: str, dtype: str, steps: int, tolerance: float) -> None:
    ends = []
    for library in (OURS, THEIRS):
        params = start(library, dtype)
        optimizer = make(library, expression, params)
        descend(library, optimizer, params, steps)
        ends.append((params, optimizer.state_dict()["state"]))
    (ours, our_state), (theirs, their_state) = ends
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(array(a), array(b), rtol=tolerance, atol=tolerance)
    assert {k: set(v) for k, v in our_state.items()} == {k: set(v) for k, v in their_state.items()}
    for key, state in their_state.items():
        for name, value in state.items():
            ours_too = our_state[key][name]
            assert str(ours_too.dtype) == str(value.dtype)
            np.testing.assert_allclose(array(ours_too), array(value), tolerance, tolerance)


@every_method
def test_a_saved_optimizer_goes_on_where_it_was(expression: str) -> None:
    params, again = start(OURS), start(OURS)
    optimizer = make(OURS, expression, params)
    descend(OURS, optimizer, params, 3)
    state = copy.deepcopy(optimizer.state_dict())
    with torch.no_grad():
        for copied, param in zip(again, params, strict=True):
            copied.copy_(param)
    resumed = make(OURS, expression, again)
    resumed.load_state_dict(state)
    descend(OURS, optimizer, params, 3)
    descend(OURS, resumed, again, 3)
    for a, b in zip(params, again, strict=True):
        np.testing.assert_array_equal(array(a), array(b))


@against_torch
def test_takes_pytorchs_state_over() -> None:
    params = start(THEIRS)
    theirs = make(THEIRS, "Adam(params, lr=0.1)", params)
    descend(THEIRS, theirs, params, 3)
    saved = theirs.state_dict()
    saved["state"] = {
        key: {name: OURS.leaf(array(value)) for name, value in state.items()}
        for key, state in saved["state"].items()
    }
    ours = [OURS.leaf(array(param).copy(), requires_grad=True) for param in params]
    optimizer = make(OURS, "Adam(params)", ours)
    optimizer.load_state_dict(saved)
    descend(THEIRS, theirs, params, 3)
    descend(OURS, optimizer, ours, 3)
    for a, b in zip(ours, params, strict=True):
        np.testing.assert_allclose(array(a), array(b), rtol=1e-12, atol=1e-12)


def one(value: float = 1.0) -> Any:
    return torch.tensor([value], requires_grad=True)


def test_sgd_by_hand() -> None:
    w = one(1.0)
    optimizer = optim.SGD([w], lr=0.1, momentum=0.5)
    for expected in (0.8, 0.54):  # v: 2, then .5*2 + 1.6
        optimizer.zero_grad()
        (w * w).backward()
        optimizer.step()
        assert math.isclose(w.item(), expected, rel_tol=1e-6)


def test_first_step_of_adam_is_the_learning_rate() -> None:
    w = one(5.0)
    w.grad = torch.tensor([1234.5])
    optim.Adam([w], lr=0.1).step()
    assert math.isclose(w.item(), 4.9, rel_tol=1e-6)


def test_updates_are_in_place_and_counted() -> None:
    w = one(3.0)
    alias = w.detach()
    optimizer = optim.SGD([w], lr=1.0)
    y = (w * w).sum()
    w.grad = torch.ones(1)
    optimizer.step()
    assert alias.tolist() == [2.0]
    assert w.is_leaf
    assert w.requires_grad
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()  # would use the value after the step


def test_parameters_without_gradient_stay() -> None:
    moved, still = one(), one()
    moved.grad = torch.ones(1)
    optim.SGD([moved, still], lr=0.5, weight_decay=0.1).step()
    assert still.tolist() == [1.0]
    assert moved.tolist() != [1.0]


def test_gradients_are_not_changed() -> None:
    for expression in METHODS:
        params = start(OURS)
        optimizer = make(OURS, expression, params)
        for param in params:
            param.grad = torch.full(param.shape, 0.5, dtype=torch.float64)
        optimizer.step()
        assert all((array(param.grad) == 0.5).all() for param in params), expression


def test_parameters_that_are_transposed_views_of_memory() -> None:
    """Their memory is not contiguous; updates must reach it all the same."""
    for library in filter(None, (OURS, THEIRS)):
        w = library.torch.zeros(300, 200).t().requires_grad_()
        w.grad = library.torch.ones(200, 300)
        library.torch.optim.Adam([w], lr=0.5).step()
        np.testing.assert_allclose(array(w), -0.5, rtol=1e-5)


def test_the_learning_rate_may_be_a_tensor() -> None:
    for make_optimizer in (optim.SGD, optim.Adam, optim.AdamW, optim.RMSprop, optim.Adagrad):
        ends = []
        for lr in (0.25, torch.tensor(0.25)):
            w = one(1.0)
            w.grad = torch.ones(1)
            make_optimizer([w], lr=lr).step()
            ends.append(w.item())
        assert math.isclose(*ends, rel_tol=1e-6)


def test_closure() -> None:
    w = one(1.0)
    optimizer = optim.SGD([w], lr=0.1)

    def closure() -> Any:
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    with torch.no_grad():  # step() records the closure all the same
        assert optimizer.step(closure).item() == 1.0
    assert math.isclose(w.item(), 0.8, rel_tol=1e-6)
    assert optim.SGD([w], lr=0.1).step() is None


def test_zero_grad() -> None:
    w = one()
    w.grad = torch.ones(1)
    optimizer = optim.SGD([w], lr=0.1)
    optimizer.zero_grad(set_to_none=False)
    assert w.grad.tolist() == [0.0]
    optimizer.zero_grad()
    assert w.grad is None


def test_groups() -> None:
    a, b, c = one(), one(), one()
    optimizer = optim.SGD([{"params": [a]}, {"params": b, "lr": 0.5}], lr=0.1)
    optimizer.add_param_group({"params": [c], "momentum": 0.9})
    settings = [(group["lr"], group["momentum"]) for group in optimizer.param_groups]
    assert settings == [(0.1, 0), (0.5, 0), (0.1, 0.9)]
    assert [group["params"] for group in optimizer.state_dict()["param_groups"]] == [[0], [1], [2]]
    assert optimizer.param_groups[1]["params"][0] is b


def test_named_parameters() -> None:
    net = nn.Linear(2, 1)
    optimizer = optim.SGD(net.named_parameters(), lr=0.1)
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
    assert optimizer.param_groups[0]["params"][1] is net.bias


def test_a_generator_of_parameters_is_used_up_once() -> None:
    optimizer = optim.Adam(param for param in [one(), one()])
    assert len(optimizer.param_groups[0]["params"]) == 2


def test_repr() -> None:
    text = repr(optim.SGD([one()], lr=0.1, momentum=0.9))
    assert text.startswith("SGD (\nParameter Group 0\n    dampening: 0\n")
    assert "\n    lr: 0.1\n" in text
    assert text.endswith(")")


REFUSED = {
    "SGD(w, lr=0.1)": (TypeError, "should be an iterable of Tensors or dicts"),
    "SGD([], lr=0.1)": (ValueError, "optimizer got an empty parameter list"),
    "SGD([3], lr=0.1)": (TypeError, "can only optimize Tensors, but one of the params is int"),
    "SGD([w * 1], lr=0.1)": (ValueError, "can't optimize a non-leaf Tensor"),
    "SGD([{'params': {w}}], lr=0.1)": (TypeError, "need to be organized in ordered collections"),
    "SGD([{'params': [w]}, {'params': [w]}], lr=0.1)": (
        ValueError,
        "more than one parameter group",
    ),
    "SGD([('a', w), v], lr=0.1)": (ValueError, "with/without names"),
    "SGD([w], lr=0.1).add_param_group(3)": (TypeError, "param_group must be a dict"),
    "SGD([w], lr=-1)": (ValueError, "Invalid learning rate: -1"),
    "SGD([w], momentum=-1)": (ValueError, "Invalid momentum value: -1"),
    "SGD([w], weight_decay=-1)": (ValueError, "Invalid weight_decay value: -1"),
    "SGD([w], nesterov=True)": (ValueError, "Nesterov momentum requires a momentum"),
    "Adam([w], betas=(1.0, 0.9))": (ValueError, "Invalid beta parameter at index 0: 1.0"),
    "Adam([w], betas=(0.9, -1))": (ValueError, "Invalid beta parameter at index 1: -1"),
    "Adam([w], eps=-1)": (ValueError, "Invalid epsilon value: -1"),
    "AdamW([w], lr=-1)": (ValueError, "Invalid learning rate: -1"),
    "RMSprop([w], alpha=-1)": (ValueError, "Invalid alpha value: -1"),
    "RMSprop([w], momentum=-1)": (ValueError, "Invalid momentum value: -1"),
    "Adagrad([w], lr_decay=-1)": (ValueError, "Invalid lr_decay value: -1"),
    "SGD([w]).load_state_dict(torch.optim.SGD([w, v]).state_dict())": (
        ValueError,
        "doesn't match the size of optimizer's group",
    ),
    "SGD([w]).load_state_dict(torch.optim.SGD([{'params': [w]}, {'params': [v]}]).state_dict())": (
        ValueError,
        "different number of parameter groups",
    ),
}


@pytest.mark.parametrize("expression", REFUSED)
def test_refuses(expression: str) -> None:
    error, words = REFUSED[expression]
    with pytest.raises(error, match=re.escape(words)):
        OURS.evaluate("torch.optim." + expression, {"w": one(), "v": one()})


def test_duplicates_are_warned_of() -> None:
    w = one()
    with pytest.warns(UserWarning, match="duplicate parameters"):
        optim.SGD([w, w], lr=0.1)


def test_a_method_of_ones_own() -> None:
    class SignDescent(optim.Optimizer):
        def __init__(self, params: Any, lr: float) -> None:
            super().__init__(params, {"lr": lr})

        @torch.no_grad()
        def step(self, closure: Any = None) -> None:
            for group in self.param_groups:
                for param in group["params"]:
                    param.sub_(group["lr"] * param.grad.sign())

    w = one(1.0)
    w.grad = torch.full((1,), 55.0)
    optimizer = SignDescent([w], lr=0.25)
    schedule = lr_scheduler.ExponentialLR(optimizer, 0.5)
    optimizer.step()
    schedule.step()  # without a warning
    assert w.tolist() == [0.75]


# --- schedules ------------------------------------------------------------------------------------

SCHEDULES = [
    "StepLR(optimizer, 3)",
    "StepLR(optimizer, step_size=2, gamma=0.5)",
    "MultiStepLR(optimizer, [2, 5, 5], gamma=0.3)",
    "ExponentialLR(optimizer, 0.9)",
    "CosineAnnealingLR(optimizer, 5)",
    "CosineAnnealingLR(optimizer, T_max=4, eta_min=0.01)",
    "LambdaLR(optimizer, lambda epoch: 0.9**epoch)",
    "LambdaLR(optimizer, [lambda epoch: 0.5, lambda epoch: 1 / (epoch + 1)])",
]


def two_groups(library: Any) -> Any:
    a, b = library.torch.zeros(1), library.torch.zeros(1)
    return library.torch.optim.SGD([{"params": [a]}, {"params": [b], "lr": 0.5}], lr=0.1)


def rates(library: Any, expression: str, epochs: int) -> Iterator[list[float]]:
    optimizer = two_groups(library)
    words = {"optimizer": optimizer}
    schedule = library.evaluate("torch.optim.lr_scheduler." + expression, words)
    for _ in range(epochs):
        yield [group["lr"] for group in optimizer.param_groups]
        assert schedule.get_last_lr() == [group["lr"] for group in optimizer.param_groups]
        optimizer.step()
        schedule.step()


@against_torch
@pytest.mark.parametrize("expression", SCHEDULES)
def test_schedules_like_pytorchs(expression: str) -> None:
    ours, theirs = (list(rates(library, expression, 15)) for library in (OURS, THEIRS))
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-15)


def test_rates_by_hand() -> None:
    first = [rate for rate, _ in rates(OURS, "StepLR(optimizer, 2, gamma=0.5)", 5)]
    assert first == [0.1, 0.1, 0.05, 0.05, 0.025]
    first = [rate for rate, _ in rates(OURS, "CosineAnnealingLR(optimizer, 2)", 3)]
    np.testing.assert_allclose(first, [0.1, 0.05, 0.0], atol=1e-15)


MEASURED = [5.0, 4.0, 4.1, 4.0, 3.9999, 4.2, 4.1, 4.3, 3.0, 3.1, 3.2, 3.3, 3.4, 3.5, 3.6]
PLATEAUS = [
    "patience=1",
    "patience=0, factor=0.5, cooldown=2",
    "patience=1, threshold=0.5, threshold_mode='abs'",
    "mode='max', patience=2, factor=0.3",
    "mode='max', patience=1, threshold_mode='abs', min_lr=[0.05, 0.2]",
    "patience=0, min_lr=0.04, eps=0.02",
]


@against_torch
@pytest.mark.parametrize("settings", PLATEAUS)
def test_plateaus_like_pytorchs(settings: str) -> None:
    found = []
    for library in (OURS, THEIRS):
        optimizer = two_groups(library)
        expression = f"torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, {settings})"
        schedule = library.evaluate(expression, {"optimizer": optimizer})
        for value in MEASURED:
            schedule.step(library.torch.tensor(value))
            found.append((schedule.get_last_lr(), schedule.num_bad_epochs, schedule.best))
    assert found[: len(MEASURED)] == found[len(MEASURED) :]


@pytest.mark.parametrize("expression", SCHEDULES[:6])
def test_a_saved_schedule_goes_on_where_it_was(expression: str) -> None:
    def make_schedule() -> tuple[Any, Any]:
        optimizer = two_groups(OURS)
        words = {"optimizer": optimizer}
        return optimizer, OURS.evaluate("torch.optim.lr_scheduler." + expression, words)

    optimizer, schedule = make_schedule()
    for _ in range(4):
        optimizer.step()
        schedule.step()
    other_optimizer, other = make_schedule()
    other_optimizer.load_state_dict(optimizer.state_dict())
    other.load_state_dict(schedule.state_dict())
    for _ in range(4):
        for o, s in ((optimizer, schedule), (other_optimizer, other)):
            o.step()
            s.step()
        assert other.get_last_lr() == schedule.get_last_lr()
    assert "optimizer" not in schedule.state_dict()


def test_two_schedules_act_together() -> None:
    optimizer = two_groups(OURS)
    one_schedule = lr_scheduler.ExponentialLR(optimizer, 0.5)
    other = lr_scheduler.StepLR(optimizer, 1, gamma=0.1)
    optimizer.step()
    one_schedule.step()
    other.step()
    assert math.isclose(optimizer.param_groups[0]["lr"], 0.1 * 0.5 * 0.1)


def test_a_step_too_early_is_warned_of() -> None:
    schedule = lr_scheduler.StepLR(two_groups(OURS), 3)
    with pytest.warns(
        UserWarning, match=re.escape("`lr_scheduler.step()` before `optimizer.step()`")
    ):
        schedule.step()


SCHEDULES_REFUSED = {
    "StepLR(3, 3)": (TypeError, "int is not an Optimizer"),
    "LambdaLR(optimizer, [len])": (ValueError, "Expected 2 lr_lambdas, but got 1"),
    "ReduceLROnPlateau(optimizer, mode='x')": (ValueError, "mode x is unknown!"),
    "ReduceLROnPlateau(optimizer, threshold_mode='x')": (
        ValueError,
        "threshold mode x is unknown!",
    ),
    "ReduceLROnPlateau(optimizer, factor=1.0)": (ValueError, "Factor should be < 1.0"),
    "ReduceLROnPlateau(optimizer, min_lr=[1])": (ValueError, "expected 2 min_lrs, got 1"),
    "StepLR(optimizer, 3, last_epoch=4)": (KeyError, "param 'initial_lr' is not specified"),
}


@pytest.mark.parametrize("expression", SCHEDULES_REFUSED)
def test_schedules_refuse(expression: str) -> None:
    error, words = SCHEDULES_REFUSED[expression]
    with pytest.raises(error, match=re.escape(words)):
        OURS.evaluate("torch.optim.lr_scheduler." + expression, {"optimizer": two_groups(OURS)})


@pytest.mark.skipif(SUBJECT == "torch", reason="PyTorch has its own such method")
def test_optimizers_accept_the_choice_of_an_implementation() -> None:
    assert optim.AdamW([one()], fused=True, foreach=False).defaults["fused"] is True
