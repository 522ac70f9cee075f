"""Tensors made in `inference_mode()` stay outside of graphs for good."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from compare import OURS

torch, autograd, nn = OURS.torch, OURS.autograd, OURS.nn


def leaf(values: Any) -> Any:
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def inference_tensor() -> Any:
    with torch.inference_mode():
        return torch.ones(2, dtype=torch.float64)


def test_what_is_made_inside_is_an_inference_tensor() -> None:
    x, plain = leaf([1.0, 2.0]), torch.ones(2)
    with torch.inference_mode():
        assert torch.is_inference_mode_enabled()
        assert not torch.is_grad_enabled()
        made = torch.zeros(2, requires_grad=True)
        assert made.requires_grad
        assert made.is_inference()
        assert (x * 2).is_inference()
        assert not (x * 2).requires_grad
        assert made.view(2, 1).is_inference()
        assert not plain.view(2, 1).is_inference()  # memory made outside
        assert not plain.detach().is_inference()
        with torch.inference_mode(False):
            assert torch.is_grad_enabled()
            assert not torch.ones(2).is_inference()
        with torch.no_grad():
            assert torch.ones(2).is_inference()
    assert not torch.is_inference_mode_enabled()
    assert not torch.ones(2).is_inference()


def test_computing_with_it_outside() -> None:
    a, x = inference_tensor(), leaf([1.0, 2.0])
    assert not (a * 2).is_inference()
    assert not a.clone().is_inference()
    assert a.view(2, 1).is_inference()
    assert a.detach().is_inference()
    (a + x).sum().backward()  # a sum keeps nothing
    assert x.grad.tolist() == [1, 1]
    (a.clone() * x).sum().backward()
    assert x.grad.tolist() == [2, 2]


@pytest.mark.parametrize(
    "use",
    [
        lambda a, x: a * x,
        lambda a, x: x @ a,
        lambda a, x: x.clone().mul_(a),
        lambda a, x: torch.where(a > 0, x, x) * a,
        lambda a, x: nn.functional.linear(a, x.reshape(1, 2)),
    ],
)
def test_it_cannot_be_kept_for_backward(use: Any) -> None:
    with pytest.raises(RuntimeError, match="Inference tensors cannot be saved for backward"):
        use(inference_tensor(), leaf([1.0, 2.0]))


def test_it_cannot_be_changed_outside() -> None:
    a = inference_tensor()
    with torch.inference_mode():
        a.add_(1)[0] = 5
    changes = (
        a.zero_,
        a.view(2, 1).exp_,
        lambda: a.__setitem__(0, 1.0),
        lambda: a.unsqueeze_(0),
        lambda: torch.exp(torch.ones(2, dtype=torch.float64), out=a),
    )
    for change in changes:
        with pytest.raises(RuntimeError, match="Inplace update to inference tensor outside"):
            change()


def test_a_view_taken_inside_of_what_was_made_outside() -> None:
    base = leaf([1.0, 2.0]) * 1
    with torch.inference_mode():
        view = base.view(2, 1)
    with pytest.raises(RuntimeError, match="created in inference mode and is being modified"):
        view.add_(1)
    base.add_(1)
    with pytest.raises(RuntimeError, match="created in inference mode and its base or another"):
        _ = view.grad_fn


def test_its_changes_are_not_counted() -> None:
    a, plain = inference_tensor(), torch.ones(2)
    with pytest.raises(RuntimeError, match="do not track version counter"):
        _ = a._version
    with torch.inference_mode():
        plain.add_(1)
    assert plain._version == 1
    autograd.graph.increment_version(a)


def test_it_cannot_become_a_parameter_outside() -> None:
    a = inference_tensor()
    with pytest.raises(RuntimeError, match="requires_grad=True on inference tensor outside"):
        a.requires_grad_()
    assert a.clone().requires_grad_().requires_grad


def test_a_graph_made_before_goes_on() -> None:
    x = leaf([1.0, 2.0])
    y = x * x
    with torch.inference_mode():
        z = y.sum()
    assert not z.requires_grad
    y.sum().backward()
    assert x.grad.tolist() == [2, 4]


def test_each_thread_infers_for_itself() -> None:
    found = []
    with torch.inference_mode():
        thread = threading.Thread(target=lambda: found.append(torch.ones(1).is_inference()))
        thread.start()
        thread.join()
    assert found == [False]


def test_layers_in_inference_mode() -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.ReLU())
    with torch.inference_mode():
        y = net(torch.ones(4, 2))
    assert y.is_inference()
    assert not y.requires_grad
    with pytest.raises(RuntimeError, match="does not require grad"):
        y.sum().backward()


def test_switches_can_be_cloned() -> None:
    for switch in (torch.no_grad(), torch.enable_grad(), torch.inference_mode()):
        with switch:
            inside = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
        again = switch.clone()
        with again:
            assert (torch.is_grad_enabled(), torch.is_inference_mode_enabled()) == inside
        assert type(again) is type(switch)


def test_classes_should_not_be_decorated() -> None:
    with pytest.warns(FutureWarning, match="Decorating classes is deprecated"):

        @torch.no_grad()
        class Made:
            def __init__(self) -> None:
                self.recorded = torch.is_grad_enabled()

    assert Made().recorded is False
    assert torch.is_grad_enabled()
