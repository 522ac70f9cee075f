"""What scripts ask and set at their beginning: true answers, and switches that change nothing."""

from __future__ import annotations

from typing import Any

import pytest
from compare import OURS

torch = OURS.torch


def test_the_device_a_script_chooses_is_the_cpu() -> None:
    if torch.cuda.is_available() or torch.backends.mps.is_available():
        pytest.skip("a machine with a GPU, and the library that uses it")
    found = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else "cpu"
    x = torch.ones(2, device=found).cpu()
    assert x.device.type == "cpu"
    assert torch.get_default_device() == torch.device("cpu")
    assert torch.accelerator.device_count() == 0
    with pytest.raises((RuntimeError, AssertionError)):
        x.cuda()


def test_switches_may_be_set() -> None:
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.set_default_device("cpu")
    torch.use_deterministic_algorithms(True)
    assert torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(False)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    assert torch.get_num_threads() == 1
    torch.set_num_threads(before)
    torch.set_float32_matmul_precision("high")
    assert torch.get_float32_matmul_precision() == "high"
    torch.set_float32_matmul_precision("highest")


def test_senseless_settings_are_refused() -> None:
    with pytest.raises(RuntimeError):
        torch.set_num_threads(0)
    with pytest.warns(UserWarning, match="is not one of"):
        torch.set_float32_matmul_precision("low")
    assert torch.get_float32_matmul_precision() == "highest"


@pytest.mark.skipif(torch.__name__ == "torch", reason="PyTorch's takes a compiler to try")
def test_compiling_is_optional() -> None:
    def double(x: Any) -> Any:
        return 2 * x

    assert torch.compile(double) is double
    assert torch.compile(mode="reduce-overhead")(double) is double


def test_questions_are_functions_too() -> None:
    x = torch.ones(2, requires_grad=True)
    assert torch.is_signed(x)
    assert torch.get_device(x) == -1
    assert not torch.detach(x).requires_grad
    assert torch.is_same_size(x, x)
    assert not torch.is_same_size(x, torch.ones(3))
