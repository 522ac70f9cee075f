"""The profiler: what is counted, once and as what; and that looking on leaves nothing behind."""

from __future__ import annotations

import threading
import time
import weakref
from typing import Any

import numpy as np
import pytest

import autograd as torch
from autograd import observe
from autograd.op import OPS
from autograd.profiler import Row, profile, record_function
from autograd.rules import as_operator


def leaf(*shape: int) -> Any:
    return torch.ones(shape, dtype=torch.float64, requires_grad=True)


def counts(p: profile) -> dict[str, tuple[int, int]]:
    return {row.name: (row.calls, row.backward_calls) for row in p.rows}


def row_of(p: profile, name: str) -> Row:
    (row,) = (row for row in p.rows if row.name == name)
    return row


class Slow(torch.autograd.Function):
    """x + 1, taking its time."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        time.sleep(0.02)
        ctx.save_for_backward(x)
        return x + 1

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        time.sleep(0.03)
        return dy * 2


# What is counted ----------------------------------------------------------------------------------


def test_each_operation_forward_and_backward() -> None:
    x = leaf(3)
    with torch.autograd.profile() as p:
        y = torch.tanh(x) * torch.tanh(x)
        y.sum().backward()
    assert counts(p) == {"tanh": (2, 2), "mul": (1, 1), "sum": (1, 1)}
    assert all(row.forward > 0 and row.backward > 0 for row in p.rows)
    assert sum(row.total for row in p.rows) < p.seconds


def test_what_an_operation_calls_is_part_of_it() -> None:
    x = leaf(3)
    with torch.autograd.profile() as p:
        torch.softmax(x, 0).std().backward()  # whose rules call sum, and others
    assert counts(p) == {"softmax": (1, 1), "std": (1, 1)}


def test_without_gradients() -> None:
    with torch.autograd.profile() as p, torch.no_grad():
        leaf(3).exp()
        torch.zeros(2).exp()
    assert counts(p) == {"exp": (2, 0)}
    assert row_of(p, "exp").kept == 0


def test_the_graph_of_a_gradient() -> None:
    x = leaf(3)
    y = torch.tanh(x)
    with torch.autograd.profile() as p:
        torch.autograd.grad(y.sum(), x, create_graph=True)
    assert counts(p)["tanh"] == (0, 1)
    assert counts(p)["mul"][0] > 0  # the rule of tanh, recorded


def test_a_function_and_the_operations_in_it() -> None:
    x = leaf(3)
    with torch.autograd.profile() as p:
        Slow.apply(x).sum().backward()
    assert counts(p)["Slow"] == (1, 1)
    assert counts(p)["add"] == (1, 0)
    assert counts(p)["mul"] == (1, 0)
    slow = row_of(p, "Slow")
    assert 0.02 < slow.forward < slow.backward
    assert row_of(p, "add").forward < 0.02  # to each its own time


def test_only_the_gradients_that_are_wanted() -> None:
    x, w = leaf(3), leaf(3)
    with torch.autograd.profile() as p:
        torch.autograd.grad((torch.sin(w) * torch.exp(x)).sum(), x)
    assert counts(p) == {"sin": (1, 0), "exp": (1, 1), "mul": (1, 1), "sum": (1, 1)}


def test_all_threads() -> None:
    with torch.autograd.profile() as p:
        thread = threading.Thread(target=lambda: leaf(3).exp().sum().backward())
        thread.start()
        thread.join()
    assert counts(p) == {"exp": (1, 1), "sum": (1, 1)}


# What is kept -------------------------------------------------------------------------------------


def test_memory_kept_for_backward() -> None:
    x = leaf(1000)
    with torch.autograd.profile() as p:
        y = x.exp()  # keeps y
        z = y.sin()  # keeps y, which is kept already
        w = z.tanh()  # keeps w
        w.sum()  # keeps no array
        z[10:20] * z[10:20].detach()  # keeps the part of z that is a part of z
    kept = {row.name: row.kept for row in p.rows}
    assert (kept["exp"], kept["sin"], kept["tanh"], kept["sum"]) == (8000, 0, 8000, 0)
    assert kept["mul"] == 8000
    assert p.total_average().kept == 24000


def test_memory_of_another_round_counts_again() -> None:
    x = leaf(1000)
    with torch.autograd.profile() as p:
        for _ in range(3):
            x.exp().sum().backward()
    assert row_of(p, "exp").kept == 3 * 8000


def test_nothing_is_kept_alive() -> None:
    x = leaf(4)
    with torch.autograd.profile():
        y = x.exp()
        array = weakref.ref(y.detach().numpy())
        assert array() is not None
        del y
        assert array() is None


# The table ----------------------------------------------------------------------------------------


def profiled() -> profile:
    x = leaf(100)
    with torch.autograd.profile() as p:
        with record_function("curves"):
            y = x.exp() + x.sin()
        y.sum().backward()
    return p


def test_the_table() -> None:
    p = profiled()
    head, *lines, total, seconds = str(p).split("\n")
    assert head.split() == ["operation", "calls", "forward", "backward", "kept"]
    assert {line.split()[0] for line in lines} == {"exp", "sin", "add", "sum", "curves"}
    assert total.split()[:2] == ["all", "4"]
    assert seconds.endswith("in all")
    assert p._repr_html_().count("<tr>") == 7


def test_sorted_and_cut() -> None:
    p = profiled()
    by_name = p.table(sort_by="name", row_limit=2).split("\n")
    assert [line.split()[0] for line in by_name[1:]] == ["add", "curves", "...", "all"]
    assert "3 more" in by_name[3]
    assert p.key_averages().table(sort_by="kept").split("\n")[1].split()[0] in ("exp", "sin")
    for order in ("cpu_time_total", "self_cpu_time_total", "count", "cpu_memory_usage"):
        assert p.key_averages().table(sort_by=order, row_limit=-1).count("\n") == 6
    with pytest.raises(ValueError, match="sort_by is one of total"):
        p.table(sort_by="speed")


def test_rows_are_plain_data() -> None:
    row = row_of(profiled(), "exp")
    assert (row.key, row.count) == ("exp", 2)
    assert row.cpu_time_total == pytest.approx(1e6 * (row.forward + row.backward))
    assert row.cpu_time == pytest.approx(row.cpu_time_total / 2)
    assert row.self_cpu_time_total == row.cpu_time_total


def test_labels() -> None:
    @record_function("steps")
    def step() -> None:
        time.sleep(0.001)

    with profile() as p:
        for _ in range(3):
            step()
        with record_function("outer"), record_function("inner"):
            leaf(2).exp()
    assert counts(p) == {"steps": (3, 0), "outer": (1, 0), "inner": (1, 0), "exp": (1, 0)}
    assert row_of(p, "steps").forward > 0.003
    assert row_of(p, "outer").forward > row_of(p, "inner").forward > row_of(p, "exp").forward
    assert p.total_average().calls == 1  # labels are no operations
    with record_function("outside"):
        pass
    assert "outside" not in counts(p)


def test_pytorchs_other_way_to_say_it() -> None:
    with torch.profiler.profile(
        activities=[torch.profiler.ProfilerActivity.CPU], record_shapes=True
    ) as prof:
        leaf(2).exp()
    assert "exp" in prof.key_averages().table(sort_by="cpu_time_total", row_limit=10)


def test_disabled() -> None:
    with profile(enabled=False) as p:
        assert not observe.observers
        leaf(2).exp()
    assert p.rows == []


def test_used_twice() -> None:
    p = profile()
    for n in (1, 2):
        with p:
            for _ in range(n):
                leaf(2).exp()
    assert counts(p) == {"exp": (2, 0)}


def test_one_inside_another() -> None:
    with profile() as outer:
        leaf(2).exp()
        with profile() as inner:
            leaf(2).exp()
    assert counts(outer) == {"exp": (2, 0)}
    assert counts(inner) == {"exp": (1, 0)}


# Nothing is left behind ---------------------------------------------------------------------------


def test_afterwards_all_is_as_before() -> None:
    def fail() -> None:
        assert OPS["exp"].forward is not as_operator(torch.exp.__wrapped__)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), profile():
        fail()
    assert not observe.observers
    for op in OPS.values():
        assert op.forward is as_operator(op.apply.__wrapped__), op.name


def test_an_operation_declared_meanwhile() -> None:
    from autograd.op import elementwise

    with profile() as p:

        @elementwise(dx=lambda dy: dy)
        def same(x):  # type: ignore[no-untyped-def]
            return +x

        same(leaf(2))
    assert counts(p) == {"same": (1, 0)}
    assert OPS.pop("same").forward is as_operator(same.__wrapped__)


def test_results_are_the_same() -> None:
    x, y = leaf(3), leaf(3)
    a = (torch.cumsum(x, 0) / x.norm()).sigmoid().prod()
    a.backward()
    with profile():
        b = (torch.cumsum(y, 0) / y.norm()).sigmoid().prod()
        b.backward()
        assert isinstance(torch.exp(np.zeros(2)), np.ndarray)  # arrays in, array out
    assert a.item() == b.item()
    assert x.grad.tolist() == y.grad.tolist()


def test_errors_pass() -> None:
    with profile() as p, pytest.raises(RuntimeError, match="must match"):
        torch.zeros(2) + torch.zeros(3)
    assert counts(p) == {}
    x = leaf(2)
    y = x.exp().sum()
    y.backward()
    with profile(), pytest.raises(RuntimeError, match="second time"):
        y.backward()


def test_one_profile_is_not_entered_twice() -> None:
    p = profile()
    with p, pytest.raises(RuntimeError, match="measures already"), p:
        pass
    assert observe.observers == []
