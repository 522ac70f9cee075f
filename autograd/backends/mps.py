"""Apple's GPUs, which are not used here: ``torch.backends.mps``."""

from __future__ import annotations


def is_available() -> bool:
    """False."""
    return False


def is_built() -> bool:
    """False."""
    return False
