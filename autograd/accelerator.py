"""Whatever is faster than the CPU: nothing, here. ``torch.accelerator`` says so."""

from __future__ import annotations

from typing import Any


def is_available() -> bool:
    """False."""
    return False


def device_count() -> int:
    """0."""
    return 0


def current_accelerator(check_available: bool = False) -> Any:
    """None: there is none."""
    return None


def synchronize(device: Any = None) -> None:
    """Nothing to wait for: every operation is done when it returns."""
