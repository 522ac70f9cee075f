"""Anomaly mode: backward stops where the first nan is born, and tells what made it.

A nan spreads: once it is in one gradient it is soon in all of them, and the weights are lost. While
this mode is on, each operation is looked at as it is computed, and each gradient as it is made. The
message names the operation, underlines it in the user's line, and shows the first element that is
nan with the numbers it was made from; and where the nan came from the forward pass, where it was
born there.
"""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any
from weakref import WeakKeyDictionary

from autograd import observe
from autograd.node import Node, name_of, users_files, users_frame
from autograd.reading import source
from autograd.reading.nan import Birth, Place, as_floats, birth, has_nan, message
from autograd.rules import Op

__all__ = [
    "detect_anomaly",
    "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled",
    "set_anomaly_enabled",
    "set_detect_anomaly",
]


@dataclass(frozen=True, slots=True)
class _Past:
    """How a node came to be."""

    name: str
    calls: tuple[Place, ...]  # the user's, the outermost first
    induced_by: _Past | None  # it belongs to the gradient of that one


_CHOICES = ("where", "masked_fill")  # operations that give some elements a gradient of 0
_pasts: WeakKeyDictionary[Node, _Past] = WeakKeyDictionary()
_births: WeakKeyDictionary[Node, Birth] = WeakKeyDictionary()


class _Lookout(observe.Observer):
    """Looks at all that is computed while the mode is on."""

    def __init__(self, check_nan: bool) -> None:
        self.check_nan = check_nan
        self._just_born = threading.local()
        # Nodes whose gradient has come through a where(), and its place.
        self._chosen: WeakKeyDictionary[Node, Place] = WeakKeyDictionary()

    def computed(self, what: Any, inputs: Sequence[Any], y: Any, seconds: float) -> None:
        self._just_born.birth = None
        if self.check_nan and isinstance(what, Op):
            frame = users_frame(sys._getframe(2))
            just_born = birth(what, inputs, y, (frame.f_code, frame.f_lasti))
            self._just_born.birth = just_born
            if just_born is not None and just_born.is_nan:
                if observe.node_at_work() is None:
                    _warn(f"There is a nan in the forward pass. {just_born}", just_born.place)
                else:
                    self._just_born.in_backward = just_born

    def recorded(self, node: Node) -> None:
        parent = observe.node_at_work()
        induced_by = None if parent is None else _past(parent)
        _pasts[node] = _Past(name_of(node), tuple(_calls(sys._getframe(2)))[::-1], induced_by)
        just_born = getattr(self._just_born, "birth", None)
        if just_born is not None and node._op is not None and node._op.name == just_born.op:
            _births[node] = just_born

    def pulled(self, node: Node, dy: Any, gradients: Sequence[Any], seconds: float) -> None:
        if not self.check_nan:
            return
        inside = getattr(self._just_born, "in_backward", None)
        self._just_born.in_backward = None
        choice = self._chosen.get(node)
        if node._op is not None and node._op.name in _CHOICES:
            choice = node._data[5:7]
        if choice is not None:
            self._chosen.update((n, choice) for n in node._inputs if n is not None)
        for i, gradient in enumerate(gradients):
            if node._inputs[i] is not None and has_nan(gradient):
                told = message(node, dy, i, as_floats(gradient), _births, choice, inside)
                error = RuntimeError(told)
                self.failed(node, error)
                raise error

    def failed(self, node: Node, error: Exception) -> None:
        for told in _traceback(node):
            try:
                _warn(told, node._data[5:7])
            except Warning:  # turned into an error, which must not hide the one it tells of
                print(told, file=sys.stderr)


# -- the switch ------------------------------------------------------------------------------------

_lookout: _Lookout | None = None
_check_nan = True


def set_anomaly_enabled(mode: bool, check_nan: bool = True) -> None:
    """Switch anomaly mode on or off, for all threads."""
    global _lookout, _check_nan  # the switch is one for the whole process, as PyTorch's is
    if _lookout is not None:
        observe.leave(_lookout)
        _lookout = None
    _check_nan = check_nan
    if mode:
        _lookout = _Lookout(check_nan)
        observe.enter(_lookout)


def is_anomaly_enabled() -> bool:
    """Whether anomaly mode is on."""
    return _lookout is not None


def is_anomaly_check_nan_enabled() -> bool:
    """Whether anomaly mode, when it is on, raises an error for a nan that backward makes."""
    return _check_nan


class set_detect_anomaly:
    """Switches anomaly mode on or off: at once as a plain call, until the end of the block as a
    context manager. See :class:`detect_anomaly`."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._before = is_anomaly_enabled(), is_anomaly_check_nan_enabled()
        set_anomaly_enabled(mode, check_nan)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        set_anomaly_enabled(*self._before)


class detect_anomaly:
    """Inside this block, a backward that makes a nan raises RuntimeError (unless ``check_nan`` is
    False), and any error in backward is accompanied by a warning with the traceback of the forward
    call that it belongs to. A nan that the forward pass makes is warned of. It takes time: each
    array is looked at. Warns on entering, as PyTorch does.

    >>> with torch.autograd.detect_anomaly():
    ...     loss = model(x)
    ...     loss.backward()
    """

    def __init__(self, check_nan: bool = True) -> None:
        self._check_nan = check_nan
        self._before: list[tuple[bool, bool]] = []  # a stack: the block may be entered again
        warnings.warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should "
            "only be enabled for debugging.",
            stacklevel=2,
        )

    def __enter__(self) -> None:
        self._before.append((is_anomaly_enabled(), is_anomaly_check_nan_enabled()))
        set_anomaly_enabled(True, self._check_nan)

    def __exit__(self, *exception: object) -> None:
        set_anomaly_enabled(*self._before.pop())


# -- how it came about -----------------------------------------------------------------------------


def _calls(frame: FrameType | None) -> Iterator[Place]:
    """The user's calls that led to ``frame``, the innermost first."""
    while frame is not None:
        users_frame(frame)  # sorts its file among the user's or ours
        if frame.f_code.co_filename in users_files:
            yield frame.f_code, frame.f_lasti
        frame = frame.f_back


def _warn(told: str, place: Place) -> None:
    code, lasti = place
    warnings.warn_explicit(told, UserWarning, code.co_filename, source.line(code, lasti))


def _past(node: Node) -> _Past:
    """What is known of how ``node`` came to be, though it may be just the place."""
    return _pasts.get(node) or _Past(name_of(node), (node._data[5:7],), None)


def _traceback(node: Node) -> Iterator[str]:
    """For each warning that goes with an error in the backward of ``node``: its text."""
    past: _Past | None = _past(node)
    if node in _pasts:
        told = f"Error detected in {name_of(node)}. Traceback of forward call that caused the error"
    else:
        told = (
            f"Error detected in {name_of(node)}. No forward pass information available on the "
            "calls that led there: enable anomaly detection during the forward pass as well. "
            "The operation"
        )
    while past is not None:
        yield f"{told}:\n" + "\n".join([source.underlined(*call) for call in past.calls])
        past = past.induced_by
        if past is not None:
            told = (
                f"Traceback of forward call that induced the previous calculation, by {past.name}"
            )
