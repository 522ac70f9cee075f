"""Where a tensor lives. Gradbook computes with NumPy, so the one device is the CPU; others are
refused in words."""

from __future__ import annotations

from typing import Any


class device:
    """``torch.device("cpu")``. Any other device type raises RuntimeError, so that a script written
    for a GPU says at its first line what to change."""

    __slots__ = ("index", "type")

    type: str
    index: int | None

    def __init__(self, type: Any = "cpu", index: int | None = None) -> None:
        if isinstance(type, device):
            type, index = type.type, type.index
        if not isinstance(type, str):
            raise TypeError(f"device() takes a device name such as 'cpu', but got {type!r}")
        kind, _, number = type.partition(":")
        if number:
            if not number.isdigit():
                raise RuntimeError(f"Invalid device string: '{type}'. Write 'cpu'.")
            index = int(number)
        if kind not in _KNOWN:
            raise RuntimeError(
                f"Expected one of {', '.join(_KNOWN)} device type at start of device string: {kind}"
            )
        if kind != "cpu" or index not in (None, 0):
            raise RuntimeError(
                f"device '{type}' is not available: tensors here are NumPy arrays on the CPU. Use "
                "device='cpu', or choose it as PyTorch scripts do: device = 'cuda' if "
                "torch.cuda.is_available() else 'cpu'."
            )
        self.type = kind
        self.index = index

    def __repr__(self) -> str:
        return (
            f"device(type='{self.type}')"
            if self.index is None
            else f"device(type='{self.type}', index={self.index})"
        )

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))


_KNOWN = ("cpu", "cuda", "mps", "xpu", "meta")
cpu = device("cpu")


def check_device(wanted: Any) -> None:
    """Raise unless ``wanted`` is None or means the CPU."""
    if wanted is not None and wanted is not cpu:
        device(wanted)
