"""``torch.utils``: ``torch.utils.data`` is ``nn.data``."""

from __future__ import annotations

import importlib
from typing import Any


def __getattr__(name: str) -> Any:
    if name == "data":
        return importlib.import_module("nn.data")
    raise AttributeError(f"module 'autograd.utils' has no attribute '{name}'")
