"""Parameter and Buffer: tensors that a module takes for its own when they are assigned to it."""

from __future__ import annotations

from typing import Any

import autograd
from autograd import Tensor

__all__ = ["Buffer", "Parameter"]


class Parameter(Tensor):
    """A tensor to be trained: `module.weight = Parameter(data)` registers it.

    It shares the memory of `data` and starts with `requires_grad=True`. TypeError if `data` is not
    a Tensor; RuntimeError if its dtype is not floating-point and `requires_grad` is asked for.
    """

    __slots__ = ()

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Any:
        """Adopt `data`."""
        return _adopt(cls, data).requires_grad_(requires_grad)

    def __repr__(self) -> str:  # type: ignore[override]
        return "Parameter containing:\n" + super().__repr__()


class Buffer(Tensor):
    """A tensor to be remembered, not trained: `module.mean = Buffer(data)` registers it.

    With `persistent=False` it is left out of the `state_dict`.
    """

    persistent = True

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Any:
        """Adopt `data`."""
        buffer = _adopt(cls, data)
        buffer.persistent = persistent
        return buffer

    def __repr__(self) -> str:  # type: ignore[override]
        return "Buffer containing:\n" + super().__repr__()


def _adopt(cls: type, data: Tensor | None) -> Any:
    """The same memory as a leaf of type `cls`."""
    if data is None:
        data = autograd.empty(0)
    if not isinstance(data, Tensor):
        raise TypeError(
            f"{cls.__name__} takes a Tensor, but got {type(data).__name__}: write "
            f"{cls.__name__}(torch.tensor(...))"
        )
    return data.detach().as_subclass(cls)
