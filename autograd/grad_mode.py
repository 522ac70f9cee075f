"""Whether operations are recorded: ``no_grad``, ``enable_grad``, ``set_grad_enabled``.

One flag a thread (a context variable, the quickest kind of flag to read that threads and tasks do
not share). An operation looks at it only when one of its inputs requires grad.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any


class Off:
    """A False that says why nothing is recorded."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        return self.reason


_mode: ContextVar[bool | Off] = ContextVar("grad mode", default=True)
recording = _mode.get  # whether operations are recorded now
_NO_GRAD = Off("no_grad()")


def set_recording(value: bool | Off) -> bool | Off:
    """Set the flag, and return what it was."""
    previous = _mode.get()
    _mode.set(value)
    return previous


def is_grad_enabled() -> bool:
    """Whether operations on tensors that require grad are being recorded in this thread."""
    return bool(recording())


def why_not() -> Off:
    """What keeps operations from being recorded."""
    mode = recording()
    return mode if isinstance(mode, Off) else _NO_GRAD


class _Switch:
    """Sets the flag for a ``with`` block or, as a decorator, for each call of a function."""

    def __init__(self, value: bool) -> None:
        self._value = value
        self._before: list[bool | Off] = []  # the flag at each entrance: blocks may be nested

    def __enter__(self) -> None:
        self._before.append(set_recording(self._value))

    def __exit__(self, *exception: object) -> None:
        set_recording(self._before.pop())

    def _again(self) -> _Switch:
        """A fresh switch to the same value: calls of a decorated function may overlap, in threads
        and generators."""
        return _Switch(self._value)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """``function``, with the flag set for each of its calls."""
        if inspect.isgeneratorfunction(function):
            return self._decorate_generator(function)

        @functools.wraps(function)
        def switched(*args: Any, **kwargs: Any) -> Any:
            with self._again():
                return function(*args, **kwargs)

        return switched

    def _decorate_generator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        # The body of a generator runs in slices between its caller's; the flag must change hands at
        # each.
        @functools.wraps(function)
        def switched(*args: Any, **kwargs: Any) -> Any:
            with self._again():
                generator = function(*args, **kwargs)
                resume, value = generator.send, None
            while True:
                try:
                    with self._again():
                        produced = resume(value)
                except StopIteration as stop:
                    return stop.value
                try:
                    resume, value = generator.send, (yield produced)
                except GeneratorExit:
                    with self._again():
                        generator.close()
                    raise
                except BaseException as error:
                    # Thrown in by the caller: the generator may catch it.
                    resume, value = generator.throw, error

        return switched


class no_grad(_Switch):
    """Nothing is recorded inside: results have ``requires_grad=False``. Existing tensors keep their
    own flag.

    A context manager and a decorator: ``with torch.no_grad(): ...`` or ``@torch.no_grad()``,
    where the brackets may be left out."""

    _mode = False

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:  # noqa: D102
        return super().__new__(cls) if function is None else cls()(function)

    def __init__(self, function: Callable[..., Any] | None = None) -> None:
        super().__init__(self._mode)


class enable_grad(no_grad):
    """Records again inside a ``no_grad`` block. A context manager and a decorator."""

    _mode = True


class inference_mode(_Switch):
    """As :class:`no_grad` (and, with ``mode=False``, as :class:`enable_grad`). PyTorch's saves some
    bookkeeping besides, at the price that what is computed inside can never be used in a graph;
    here it can."""

    def __new__(cls, mode: bool | Callable[..., Any] = True) -> Any:  # noqa: D102
        return cls()(mode) if callable(mode) else super().__new__(cls)

    def __init__(self, mode: bool | Callable[..., Any] = True) -> None:
        super().__init__(not mode)


class set_grad_enabled(_Switch):
    """Sets recording on or off: at once as a plain call, until the end of the block as a context
    manager."""

    def __init__(self, mode: bool) -> None:
        if not isinstance(mode, bool):
            raise TypeError(f"set_grad_enabled takes True or False, but got {type(mode).__name__}")
        super().__init__(mode)
        self._at_first = set_recording(mode)

    def __enter__(self) -> None:
        super().__enter__()
        if len(self._before) == 1:
            self._before = [self._at_first]

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """``function``, with the flag set for each of its calls."""
        # As a decorator it changes nothing until the function is called.
        set_recording(self._at_first)
        return super().__call__(function)
