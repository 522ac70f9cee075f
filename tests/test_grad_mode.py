"""Whether operations are recorded: switched for a block, a function, a generator, a thread.

Written in PyTorch's words; `SUBJECT=torch pytest` shows that PyTorch switches alike.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from compare import OURS, SUBJECT

torch, autograd = OURS.torch, OURS.autograd
no_grad, enable_grad, set_grad_enabled = torch.no_grad, torch.enable_grad, torch.set_grad_enabled


def recording() -> bool:
    """What the flag says, and what an operation does: the same, it is hoped."""
    recorded = (torch.ones(1, requires_grad=True) * 2).requires_grad
    assert torch.is_grad_enabled() is recorded
    return recorded


@pytest.fixture(autouse=True)
def _no_trace() -> Iterator[None]:
    assert recording()
    yield
    assert recording(), "the mode was not restored"


SWITCHES: dict[str, tuple[Callable[[], Any], bool]] = {
    "no_grad": (no_grad, False),
    "enable_grad": (enable_grad, True),
    "set_grad_enabled(False)": (lambda: set_grad_enabled(False), False),
    "set_grad_enabled(True)": (lambda: set_grad_enabled(True), True),
}
each_switch = pytest.mark.parametrize("name", SWITCHES)


# Blocks -------------------------------------------------------------------------------------------


@each_switch
@pytest.mark.parametrize("outer", [True, False])
def test_a_block(name: str, outer: bool) -> None:
    make, value = SWITCHES[name]
    with enable_grad() if outer else no_grad():
        with make():
            assert recording() is value
        assert recording() is outer


@each_switch
def test_exceptions_restore_and_pass(name: str) -> None:
    make, value = SWITCHES[name]
    with no_grad():
        with pytest.raises(ZeroDivisionError), make():  # noqa: PT012
            assert recording() is value
            _ = 1 / 0
        assert not recording()


@each_switch
def test_returning_from_a_block_restores(name: str) -> None:
    make, value = SWITCHES[name]

    def early() -> bool:
        with make():
            return recording()

    assert early() is value


@pytest.mark.parametrize("name", ["no_grad", "enable_grad"])
def test_one_switch_within_itself(name: str) -> None:
    make, value = SWITCHES[name]
    switch = make()
    with no_grad():
        with switch:
            with switch:
                assert recording() is value
            assert recording() is value
        if SUBJECT != "torch":  # which, asked twice, remembers the second time only
            assert not recording()


def test_inference_mode() -> None:
    with torch.inference_mode():
        assert not recording()
        with torch.inference_mode(False):
            assert recording()
        assert not recording()
    assert torch.inference_mode(recording)() is False
    assert torch.inference_mode()(recording)() is False


def test_set_at_once() -> None:
    set_grad_enabled(False)
    assert not recording()
    set_grad_enabled(True)
    assert recording()


def test_what_exists_keeps_its_flag() -> None:
    x = torch.ones(2, requires_grad=True)
    y = x * 2
    with no_grad():
        assert x.requires_grad
        assert y.requires_grad
        assert y.grad_fn is not None
        assert torch.ones(2, requires_grad=True).requires_grad
        assert not (x + y).requires_grad
        x += 1  # a leaf may be changed here
    y.sum().backward()
    assert x.grad.tolist() == [2, 2]


@pytest.mark.parametrize("mode", [1, None, "False"])
def test_modes_are_bools(mode: Any) -> None:
    with pytest.raises(TypeError, match=r"bool|True or False"):
        set_grad_enabled(mode)


# Functions ----------------------------------------------------------------------------------------


@each_switch
def test_a_decorated_function(name: str) -> None:
    make, value = SWITCHES[name]
    calls = []

    @make()
    def function(a: int, *, b: int = 2) -> tuple[int, int, bool]:
        """What it does."""
        calls.append(recording())
        return a, b, recording()

    assert recording()  # decorating switches nothing
    assert function(1) == (1, 2, value)
    with no_grad():
        assert function(1, b=3) == (1, 3, value)
        assert not recording()
    assert calls == [value, value]
    assert function.__name__ == "function"
    assert function.__doc__ == "What it does."
    assert list(inspect.signature(function).parameters) == ["a", "b"]


@pytest.mark.parametrize("name", ["no_grad", "enable_grad"])
def test_decorators_need_no_brackets(name: str) -> None:
    make, value = SWITCHES[name]
    function: Any = make(recording)  # type: ignore[call-arg]
    assert function() is value


@each_switch
def test_a_decorated_function_that_raises(name: str) -> None:
    @SWITCHES[name][0]()
    def function() -> None:
        raise KeyError

    with pytest.raises(KeyError):
        function()
    assert recording()


def test_a_recursive_function() -> None:
    @no_grad()
    def depth(n: int) -> list[bool]:
        if not n:
            return [recording()]
        with enable_grad():
            inner = depth(n - 1)
            return [*inner, recording()]

    assert depth(3) == [False, True, True, True]


def test_a_decorated_method() -> None:
    class Model:
        @no_grad()
        def predict(self, x: int) -> tuple[bool, int]:
            return recording(), x

    assert Model().predict(3) == (False, 3)


# Generators: their body runs in slices between their caller's -------------------------------------


@each_switch
def test_a_generator_switches_in_its_own_slices(name: str) -> None:
    make, value = SWITCHES[name]

    @make()
    def generator(n: int) -> Iterator[bool]:
        for _ in range(n):
            yield recording()

    assert inspect.isgeneratorfunction(generator) or SUBJECT == "torch"
    for outer in (True, False):
        with enable_grad() if outer else no_grad():
            for inner in generator(3):
                assert inner is value
                assert recording() is outer


def test_what_is_sent_and_thrown_into_a_generator_arrives() -> None:
    seen: list[Any] = []

    @no_grad()
    def generator() -> Any:
        seen.append((yield recording()))
        try:
            yield recording()
        except KeyError as error:
            seen.append((error, recording()))
            yield "caught"
        return "the end"

    running = generator()
    assert next(running) is False
    assert running.send("hello") is False
    error = KeyError("thrown")
    assert running.throw(error) == "caught"
    assert recording()
    with pytest.raises(StopIteration) as stop:
        next(running)
    assert stop.value.value == "the end"
    assert seen == ["hello", (error, False)]


def test_what_a_generator_does_not_catch_comes_out() -> None:
    @no_grad()
    def generator() -> Iterator[None]:
        yield

    running = generator()
    next(running)
    with pytest.raises(KeyError):
        running.throw(KeyError)  # type: ignore[attr-defined]
    assert recording()


@pytest.mark.parametrize("end", ["close", "delete"])
def test_a_generator_cleans_up_in_its_own_mode(end: str) -> None:
    seen = []

    @no_grad()
    def generator() -> Iterator[None]:
        try:
            yield
        finally:
            seen.append(recording())

    running = generator()
    next(running)
    if end == "close":
        running.close()  # type: ignore[attr-defined]
    else:
        del running
    assert seen == [False]
    assert recording()


def test_a_generator_delegates() -> None:
    @no_grad()
    def inner() -> Any:
        yield recording()
        return recording()

    def outer() -> Any:
        yield recording()
        result = yield from inner()
        yield (result, recording())

    assert list(outer()) == [True, False, (False, True)]


def test_a_switch_inside_a_generator_stays_there() -> None:
    @no_grad()
    def generator() -> Iterator[bool]:
        yield recording()
        with enable_grad():
            yield recording()
        yield recording()

    assert list(generator()) == [False, True, False] or SUBJECT == "torch"


# Threads and tasks --------------------------------------------------------------------------------


def test_a_new_thread_records() -> None:
    found = []
    with no_grad():
        thread = threading.Thread(target=lambda: found.append(recording()))
        thread.start()
        thread.join()
        assert not recording()
    assert found == [True]


def test_threads_do_not_see_each_other() -> None:
    turns = threading.Barrier(4)

    def work(i: int) -> bool:
        right = True
        for _ in range(100):
            with no_grad() if i % 2 else enable_grad():
                turns.wait(10)
                right &= recording() is (i % 2 == 0)
        return right

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, range(4))) == [True] * 4


@pytest.mark.skipif(SUBJECT == "torch", reason="PyTorch's tasks share the mode of their thread")
def test_tasks_do_not_see_each_other() -> None:
    async def work(i: int) -> bool:
        right = True
        for _ in range(10):
            with no_grad() if i % 2 else enable_grad():
                await asyncio.sleep(0)
                right &= recording() is (i % 2 == 0)
        return right

    async def all_of_them() -> list[bool]:
        return await asyncio.gather(*map(work, range(4)))

    assert asyncio.run(all_of_them()) == [True] * 4


# Backward -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("outer", [True, False])
@pytest.mark.parametrize("create_graph", [True, False])
def test_backward_records_if_asked_and_restores(outer: bool, create_graph: bool) -> None:
    x = torch.ones(1, requires_grad=True)
    y = (x * x).sum()
    seen = []
    y.register_hook(lambda g: seen.append(recording()))
    with enable_grad() if outer else no_grad():
        (g,) = autograd.grad(y, x, create_graph=create_graph)
        assert recording() is outer
    assert seen == [create_graph]
    assert g.requires_grad is create_graph


def test_an_error_in_backward_restores() -> None:
    x = torch.ones(1, requires_grad=True)
    y = x * 1

    def hook(g: Any) -> None:
        raise KeyError

    y.register_hook(hook)
    for mode in (enable_grad, no_grad):
        with mode():
            with pytest.raises(KeyError):
                y.backward(retain_graph=True)
            assert recording() is (mode is enable_grad)
