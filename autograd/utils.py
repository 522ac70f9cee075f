"""``torch.utils``: ``torch.utils.data`` is ``nn.data``, ``torch.utils.checkpoint`` is
``autograd.checkpoint``."""

from __future__ import annotations

import importlib
from typing import Any

_MODULES = {"checkpoint": "autograd.checkpoint", "data": "nn.data"}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(_MODULES[name])
    raise AttributeError(f"module 'autograd.utils' has no attribute '{name}'")
