"""The losses, as modules: every setting against PyTorch, some numbers by hand, bad input."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
from compare import OURS, THEIRS, array, assert_close

torch, nn = OURS.torch, OURS.nn
against_torch = pytest.mark.skipif(THEIRS is None, reason="PyTorch is not installed")

random = np.random.default_rng(0)
SCORES = random.normal(size=(4, 3))
PICTURES = random.normal(size=(2, 3, 2, 2))
CHANCES = random.uniform(0.05, 0.95, size=(4, 3))
CLASSES = np.array([2, 0, 1, 2])
PIXELS = random.integers(0, 3, size=(2, 2, 2))
SHARES = CHANCES / CHANCES.sum(axis=1, keepdims=True)
WEIGHT = np.array([0.5, 2.0, 1.0])

# Loss, input, target. `w` in an expression is WEIGHT.
LOSSES: dict[str, tuple[np.ndarray, np.ndarray]] = {
    "nn.L1Loss()": (SCORES, CHANCES),
    "nn.L1Loss(reduction='sum')": (SCORES, CHANCES),
    "nn.MSELoss()": (SCORES, CHANCES),
    "nn.MSELoss(reduction='none')": (SCORES, CHANCES),
    "nn.SmoothL1Loss(beta=0.5)": (SCORES, CHANCES),
    "nn.HuberLoss(delta=0.7)": (SCORES, CHANCES),
    "nn.HuberLoss('sum')": (SCORES, CHANCES),
    "nn.NLLLoss()": (SCORES, CLASSES),
    "nn.NLLLoss(w, ignore_index=1)": (SCORES, CLASSES),
    "nn.NLLLoss(w, reduction='none')": (SCORES, CLASSES),
    "nn.NLLLoss(w)": (PICTURES, PIXELS),
    "nn.CrossEntropyLoss()": (SCORES, CLASSES),
    "nn.CrossEntropyLoss(reduction='sum')": (SCORES, CLASSES),
    "nn.CrossEntropyLoss(w, ignore_index=0)": (SCORES, CLASSES),
    "nn.CrossEntropyLoss(w, label_smoothing=0.2)": (SCORES, CLASSES),
    "nn.CrossEntropyLoss(label_smoothing=0.1, ignore_index=2, reduction='none')": (SCORES, CLASSES),
    "nn.CrossEntropyLoss(w)": (SCORES, SHARES),
    "nn.CrossEntropyLoss(label_smoothing=0.3)": (SCORES, SHARES),
    "nn.CrossEntropyLoss(w, reduction='none')": (PICTURES, PIXELS),
    "nn.BCELoss()": (CHANCES, SHARES),
    "nn.BCELoss(w, reduction='sum')": (CHANCES, SHARES),
    "nn.BCEWithLogitsLoss()": (SCORES, SHARES),
    "nn.BCEWithLogitsLoss(w, pos_weight=w, reduction='none')": (SCORES, SHARES),
    "nn.KLDivLoss(reduction='batchmean')": (SCORES, SHARES),
    "nn.KLDivLoss(reduction='sum', log_target=True)": (SCORES, CHANCES),
}
every_loss = pytest.mark.parametrize("expression", LOSSES)


def evaluate(library: Any, expression: str) -> tuple[Any, np.ndarray, np.ndarray]:
    """The loss module, its value and the gradient of its input."""
    given, wanted = LOSSES[expression]
    loss = library.evaluate(expression, {"w": library.leaf(WEIGHT)})
    x = library.leaf(given, requires_grad=True)
    value = loss(x, library.leaf(wanted))
    value.sum().backward()
    return loss, array(value), array(x.grad)


@against_torch
@every_loss
def test_like_pytorchs(expression: str) -> None:
    loss, value, grad = evaluate(OURS, expression)
    expected_loss, expected, expected_grad = evaluate(THEIRS, expression)
    assert_close(value, expected, expression)
    assert_close(grad, expected_grad, f"gradient of {expression}")
    assert repr(loss) == repr(expected_loss)
    assert list(loss.state_dict()) == list(expected_loss.state_dict())


def test_numbers_by_hand() -> None:
    x = torch.tensor([[0.0, 0.0]])
    assert math.isclose(
        nn.CrossEntropyLoss()(x, torch.tensor([1])).item(), math.log(2), rel_tol=1e-6
    )
    three, one = torch.tensor([3.0]), torch.tensor([1.0])
    assert nn.MSELoss()(three, one).item() == 4.0
    assert nn.L1Loss()(three, one).item() == 2.0
    assert nn.HuberLoss(delta=0.5)(three, one).item() == 0.5 * (2 - 0.25)
    assert nn.SmoothL1Loss()(three, one).item() == 1.5
    assert math.isclose(nn.BCELoss()(torch.tensor([0.5]), one).item(), math.log(2), rel_tol=1e-6)
    assert nn.BCELoss()(torch.tensor([0.0]), one).item() == 100.0
    assert nn.BCEWithLogitsLoss()(torch.tensor([-1000.0]), one).item() == 1000.0


def test_arguments_of_old() -> None:
    x, y = torch.tensor([1.0, 2.0]), torch.tensor([0.0, 0.0])
    with pytest.warns(UserWarning, match="reduction='sum'"):
        assert nn.MSELoss(size_average=False)(x, y).item() == 5.0
    with pytest.warns(UserWarning, match="reduction='none'"):
        assert nn.MSELoss(reduce=False)(x, y).tolist() == [1.0, 4.0]
    with pytest.warns(UserWarning, match="reduction='mean'"):
        assert nn.MSELoss(True)(x, y).item() == 2.5


def test_comparing_shapes_that_only_broadcast_is_warned_of() -> None:
    with pytest.warns(UserWarning, match="target size"):
        nn.MSELoss()(torch.zeros(3, 1), torch.zeros(3))


REFUSED = {
    "nn.MSELoss(reduction='men')(torch.zeros(2), torch.zeros(2))": (ValueError, "reduction"),
    "nn.CrossEntropyLoss(reduction='men')(torch.zeros(2, 3), torch.tensor([0, 1]))": (
        ValueError,
        "reduction",
    ),
    "nn.CrossEntropyLoss()(torch.zeros(2, 3), torch.tensor([0, 3]))": (IndexError, "3"),
    "nn.CrossEntropyLoss()(torch.zeros(2, 3), torch.tensor([0, 1, 2]))": (ValueError, "batch_size"),
    "nn.BCELoss()(torch.zeros(2), torch.zeros(3))": (ValueError, "target size"),
    "nn.BCELoss()(torch.full((2,), 1.5), torch.zeros(2))": (RuntimeError, "between 0 and 1"),
    "nn.BCEWithLogitsLoss()(torch.zeros(2), torch.zeros(3))": (ValueError, "Target size"),
}


@pytest.mark.parametrize("expression", REFUSED)
def test_refuses(expression: str) -> None:
    error, words = REFUSED[expression]
    with pytest.raises(error, match=re.escape(words)):
        OURS.evaluate(expression, {})
