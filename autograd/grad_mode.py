"""Whether operations are recorded: ``no_grad``, ``enable_grad``, ``inference_mode``.

One flag a thread (a context variable, the quickest kind of flag to read that threads and tasks do
not share). An operation looks at it only when one of its inputs requires grad.
"""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Iterable
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
INFERENCE = Off("inference_mode()")

# One entry for each inference_mode block that is open, in whatever thread: a look at whether there
# is any is all that they cost while there are none.
inferring: list[None] = []

# Differentiations in forward mode that are under way (see tangents.py).
forward_levels: list[Any] = []


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


def is_inference_mode_enabled() -> bool:
    """Whether this is inside an ``inference_mode()`` block of this thread."""
    return recording() is INFERENCE


def carrying(tensors: Iterable[Any]) -> bool:
    """Whether this is no_grad(), and a tensor carries a tangent, which must not be lost. (Inside
    the forward of a Function it is not: that has a derivative as a whole.)"""
    return recording() in (False, INFERENCE) and any(
        level.depends(t)
        for level in forward_levels
        for t in tensors
        if getattr(t, "_requires_grad", False)
    )


def check_not_carrying(t: Any) -> None:
    """RuntimeError where no_grad() would lose a tangent."""
    if forward_levels and carrying([t]):
        raise RuntimeError(
            "inside no_grad(), an in-place operation on or with a tensor that carries a tangent. "
            "The change is not recorded, so the tangent would be lost without a word. Leave out "
            "no_grad(), use the out-of-place form, or detach() what you mean as a constant."
        )


class _Switch:
    """Sets the flag for a ``with`` block or, as a decorator, for each call of a function."""

    def __init__(self, value: bool | Off) -> None:
        self.mode = value if isinstance(value, bool) else True
        self._value = value
        self._before: list[bool | Off] = []  # the flag at each entrance: blocks may be nested

    def __enter__(self) -> None:
        still = recording() is INFERENCE and not self._value  # no_grad() inside inference_mode()
        self._before.append(set_recording(INFERENCE if still else self._value))

    def __exit__(self, *exception: object) -> None:
        set_recording(self._before.pop())

    def clone(self) -> Any:
        """Another switch that does the same."""
        return type(self)(self.mode)

    def _again(self) -> _Switch:
        """A fresh switch to the same value: calls of a decorated function may overlap, in threads
        and generators."""
        return _Switch(self._value)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """``function``, with the flag set for each of its calls."""
        if inspect.isclass(function):
            warnings.warn(
                "Decorating classes is deprecated: it concerns only the making of instances. "
                "Decorate the methods.",
                FutureWarning,
                stacklevel=2,
            )
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

    def clone(self) -> Any:
        """Another switch that does the same."""
        return type(self)()


class enable_grad(no_grad):
    """Records again inside a ``no_grad`` block. A context manager and a decorator."""

    _mode = True


class inference_mode(_Switch):
    """As :class:`no_grad`, for good: what is made inside is an *inference tensor*, whose changes
    are not counted. So outside it can neither be kept for backward nor be changed in place (both
    raise RuntimeError); a ``clone()`` of it can. ``inference_mode(False)`` is ``enable_grad``.

    A context manager and a decorator. It costs what ``no_grad`` costs; PyTorch's costs less."""

    def __new__(cls, mode: bool | Callable[..., Any] = True) -> Any:  # noqa: D102
        return cls()(mode) if callable(mode) else super().__new__(cls)

    def __init__(self, mode: bool | Callable[..., Any] = True) -> None:
        super().__init__(INFERENCE if mode else True)
        self.mode = bool(mode)

    def __enter__(self) -> None:
        super().__enter__()
        if self.mode:
            inferring.append(None)

    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)
        if self.mode:
            inferring.pop()

    def _again(self) -> _Switch:
        return self.clone()


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


_multithreading: ContextVar[bool] = ContextVar("multithreading", default=True)
is_multithreading_enabled = _multithreading.get


class set_multithreading_enabled:
    """Accepted and remembered, but without effect: a backward runs in the thread that called it."""

    def __init__(self, mode: bool) -> None:
        self.mode = mode
        self._before = _multithreading.get()
        _multithreading.set(mode)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        _multithreading.set(self._before)

    def clone(self) -> set_multithreading_enabled:
        """Another one that does the same."""
        return set_multithreading_enabled(self.mode)
