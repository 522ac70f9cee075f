"""NVIDIA's kernels for neural networks, which are not here: ``torch.backends.cudnn``."""

from __future__ import annotations

# Scripts set these at their beginning, to repeat their results. On NumPy they repeat anyway.
enabled = True
benchmark = False
deterministic = False
allow_tf32 = True


def is_available() -> bool:
    """False."""
    return False


def version() -> None:
    """None: there is none."""
