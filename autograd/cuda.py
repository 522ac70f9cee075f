"""There is no GPU here. Scripts that ask first, as they should, get a true answer and go on with
the CPU."""

from __future__ import annotations


def is_available() -> bool:
    """False."""
    return False


def device_count() -> int:
    """0."""
    return 0


def manual_seed(seed: int) -> None:
    """Nothing to seed: there is no GPU."""


def manual_seed_all(seed: int) -> None:
    """Nothing to seed: there is no GPU."""


def synchronize() -> None:
    """Nothing to wait for: every operation is done when it returns."""


def empty_cache() -> None:
    """Nothing is cached."""
