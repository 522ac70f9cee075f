"""Memory for time: ``y = checkpoint(function, x)`` keeps nothing of what ``function`` computes on
the way, and computes it again when backward needs it.

Everything that an operation inside would keep goes through a pack hook (see ``saved``) that puts a
number in its place. When backward asks for the first of these numbers, the function is run once
more, and its operations pack the same things in the same order: that is how number and tensor meet
again.
"""

from __future__ import annotations

import sys
import warnings
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import partial
from types import ModuleType
from typing import Any

from autograd.engine import Walk, current_walk
from autograd.grad_mode import enable_grad, recording
from autograd.graph import saved_tensors_hooks
from autograd.random import fork_rng, get_rng_state, set_rng_state
from autograd.saved import keep, packed, unpack_tensor
from autograd.tensor import Tensor

__all__ = ["CheckpointError", "checkpoint", "checkpoint_sequential", "set_checkpoint_early_stop"]


class CheckpointError(RuntimeError):
    """The second run of a checkpointed function was not like the first."""


class _Enough(BaseException):
    """Ends the second run when all that was kept has been computed again. No ``Exception``: the
    function might catch that."""


def _nothing() -> tuple[AbstractContextManager[Any], AbstractContextManager[Any]]:
    return nullcontext(), nullcontext()


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable[[], tuple[Any, Any]] = _nothing,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    preserve_rng_state: bool = True,
    **kwargs: Any,
) -> Any:
    """``function(*args, **kwargs)``, whose intermediate results are not kept for backward but
    computed again when backward comes through.

    The second run draws the same random numbers (unless ``preserve_rng_state=False``), runs inside
    the second of the contexts that ``context_fn()`` returns (the first is for the first run), and
    ends as soon as all that is needed is there (unless ``early_stop=False``). It must keep the same
    tensors as the first, which is checked by number, shape and dtype: a difference raises
    CheckpointError (by number alone with ``determinism_check="none"``; ``debug=True`` lists all).

    ``use_reentrant=False`` is what PyTorch recommends, and what happens here in either case; with
    True or None PyTorch takes neither keyword arguments nor ``context_fn`` nor ``debug``, and that
    raises ValueError here as well.
    """
    if use_reentrant is None:
        warnings.warn(
            "checkpoint: the use_reentrant parameter should be passed explicitly, as PyTorch "
            "demands. use_reentrant=False is recommended.",
            UserWarning,
            stacklevel=2,
        )
    if use_reentrant is not False:
        if kwargs:
            raise ValueError(
                f"Unexpected keyword arguments: {', '.join(kwargs)}. Pass use_reentrant=False to "
                "give keyword arguments to the function."
            )
        if context_fn is not _nothing or debug:
            raise ValueError(
                "Passing `context_fn` or `debug` is only supported when use_reentrant=False."
            )
    if determinism_check not in ("default", "none"):
        raise ValueError(
            f"determinism_check should be one of ['default', 'none'], but got {determinism_check}"
        )
    first, second = context_fn()
    if not recording():
        return function(*args, **kwargs)
    region = _Region(function, args, kwargs, second)
    region.state = get_rng_state() if preserve_rng_state else None
    region.early_stop = early_stop if _early_stop is None else _early_stop
    region.compared, region.debug = determinism_check == "default", debug
    with saved_tensors_hooks(region.pack, region.unpack), first:
        result = function(*args, **kwargs)
    region.complete = True
    return result


_early_stop: bool | None = None


@contextmanager
def set_checkpoint_early_stop(enable: bool) -> Iterator[None]:
    """What is checkpointed in this block stops early or not, whatever its own ``early_stop``."""
    global _early_stop
    before, _early_stop = _early_stop, enable
    try:
        yield
    finally:
        _early_stop = before


class _Number:
    """What is kept in place of a tensor: the how-manieth it was."""

    __slots__ = ("__weakref__", "value")

    def __init__(self, value: int) -> None:
        self.value = value


class _Region:
    """One call of a checkpointed function: all that is needed to do it again."""

    state: Tensor | None  # of the random numbers
    early_stop: bool
    compared: bool
    debug: bool

    def __init__(self, function: Any, args: Any, kwargs: Any, context: Any) -> None:
        self.function, self.context = function, context
        self.complete = False  # until then a backward inside the function may want what is there
        self.inputs = _Inputs(args, kwargs)
        self.looks: list[str] = []  # of the tensors that were kept, in order
        # What was computed again, for the walk that asked for it. A walk takes each thing once.
        self.again: weakref.WeakKeyDictionary[Walk, dict[int, Tensor]] = weakref.WeakKeyDictionary()

    def pack(self, t: Tensor) -> _Number:
        self.looks.append(_look(t))
        return _Number(len(self.looks) - 1)

    def unpack(self, number: _Number) -> Tensor:
        try:
            walk = current_walk()
        except LookupError:  # somebody is curious, outside of a backward
            return self._run_again()[number.value]
        if walk not in self.again:
            self.again[walk] = self._run_again()
        if number.value not in self.again[walk]:
            raise CheckpointError(
                "torch.utils.checkpoint: Unpack is being triggered for a tensor that was already "
                "unpacked once. If you are calling ctx.saved_tensors in backward, make sure to do "
                "so only once."
            )
        return self.again[walk].pop(number.value)

    def _run_again(self) -> dict[int, Tensor]:
        found: list[Tensor] = []
        expected = len(self.looks)

        def pack(t: Tensor) -> Tensor:
            if len(found) == expected:
                if not self.complete:
                    return t
                raise CheckpointError(
                    "torch.utils.checkpoint: trying to save more tensors during recomputation than "
                    "during the original forward pass." + self._both_runs(found)
                )
            found.append(t.detach() if t.requires_grad else t)
            if len(found) == expected and self.early_stop:
                raise _Enough
            return found[-1]

        args, kwargs = self.inputs.unpacked()
        hooks = saved_tensors_hooks(pack, lambda t: t)
        with fork_rng(enabled=self.state is not None), suppress(_Enough):
            if self.state is not None:
                set_rng_state(self.state)
            with enable_grad(), hooks, self.context:
                self.function(*args, **kwargs)
        self._check(found)
        return dict(enumerate(found))

    def _check(self, found: list[Tensor]) -> None:
        if len(found) != len(self.looks):
            raise CheckpointError(
                "torch.utils.checkpoint: A different number of tensors was saved during the "
                "original forward and recomputation. Number of tensors saved during forward: "
                f"{len(self.looks)}, during recomputation: {len(found)}. The function must do the "
                "same both times." + self._both_runs(found)
            )
        differing = [i for i, t in enumerate(found) if self.looks[i] != _look(t)]
        if differing and self.compared:
            raise CheckpointError(
                "torch.utils.checkpoint: Recomputed values for the following tensors have "
                "different metadata than during the forward pass: "
                + "; ".join(
                    f"tensor {i} was {self.looks[i]} and is {_look(found[i])}" for i in differing
                )
                + ". The function must do the same both times."
                + self._both_runs(found)
            )

    def _both_runs(self, found: list[Tensor]) -> str:
        if not self.debug:
            return " Pass debug=True to see all tensors of both runs."
        runs = (self.looks, list(map(_look, found)))
        first, second = ("".join(f"\n  {i}: {look}" for i, look in enumerate(run)) for run in runs)
        return (
            "\nYou are seeing this error because you passed `debug=True` to checkpoint.\n"
            f"Kept in the first run:{first}\nKept in the second run:{second}"
        )


class _Inputs:
    """The arguments of a region, kept as an operation keeps its inputs: a change in place is
    noticed, and a region around this one may keep a number instead."""

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.args = [packed(keep(value)) for value in args]
        self.kwargs = {name: packed(keep(value)) for name, value in kwargs.items()}

    def unpacked(self) -> tuple[list[Any], dict[str, Any]]:
        """The arguments, provided that they are still what they were."""
        return (
            [unpack_tensor(kept, None) for kept in self.args],
            {name: unpack_tensor(kept, None) for name, kept in self.kwargs.items()},
        )


def _look(t: Tensor) -> str:
    return f"{t.dtype} {list(t.shape)}"


# -- a chain of modules ----------------------------------------------------------------------------


def checkpoint_sequential(
    functions: Any,
    segments: int,
    input: Any,
    use_reentrant: bool | None = None,
    *,
    preserve_rng_state: bool = True,
) -> Any:
    """The output of a chain of functions (a list of them, or an ``nn.Sequential``), cut into
    ``segments``, each of which but the last is checkpointed."""
    chain = list(functions)
    length = len(chain) // segments
    for start in range(0, length * (segments - 1), length):
        segment = partial(_run, chain[start : start + length])
        input = checkpoint(
            segment, input, use_reentrant=use_reentrant, preserve_rng_state=preserve_rng_state
        )
    return _run(chain[length * (segments - 1) :], input)


def _run(chain: list[Callable[[Any], Any]], input: Any) -> Any:
    for function in chain:
        input = function(input)
    return input


# -- the module itself can be called ---------------------------------------------------------------


class _CallableModule(ModuleType):
    """``torch.utils.checkpoint`` is a module and ``checkpoint`` the function in it, and here both
    are called ``autograd.checkpoint``: so the module passes a call on to its function."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return checkpoint(*args, **kwargs)


sys.modules[__name__].__class__ = _CallableModule
