"""Random programs, in PyTorch and in ours: views of views, changes in place, hooks, detached parts.

A program is a list of lines of Python. Each line is run by both libraries, and either both refuse
it, or both take it; afterwards everything that can be seen is the same: values, shapes, versions,
what is a leaf or a view and what requires grad, which tensors share memory; and at the end the
gradients, of the first and of the second order. A program that fails is shown as lines to run.
"""

from __future__ import annotations

import itertools
import os
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from compare import OURS, THEIRS, Library
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.skipif(THEIRS is None, reason="PyTorch is not installed")

PROGRAMS = int(os.environ.get("PROGRAMS", "150"))

# -- the grammar ----------------------------------------------------------------------------------
#
# {x} and {y} are tensors that are there already, {same} is one that broadcasts to {x} (or a
# number), {dim} and {other} are dimensions of {x}, {i} is an index into the first, {slice} a slice,
# {shape} another shape for as many elements, {mask} a mask and {rows} indices for {x}.

COMPUTE = """
{x}.sin()
{x}.tanh()
{x}.sigmoid()
{x} * 2
1 - {x}
{x}.clone()
{x}.square()
{x}.abs()
{x}.relu()
{x} + {same}
{x} * {same}
{x} - {same}
{x} * {y}
{x} + {y}
torch.maximum({x}, {same})
{x} / (1 + {same} * {same})
torch.where({mask}, {x}, {same})
{x}.sum({dim})
{x}.sum()
{x}.mean({dim}, keepdim=True)
{x}.prod({dim})
{x}.amax({dim})
{x}.max({dim})[0]
{x}.cumsum({dim})
{x}.flip({dim})
{x}.roll(1, {dim})
{x} @ {y}
{x} @ {x}.mT
torch.cat([{x}, {x}], {dim})
torch.stack([{x}, {x}.cos()], {dim})
{x}.masked_fill({mask}, 0.5)
{x}[{mask}]
{x}[{rows}]
{x}.index_select({dim}, torch.tensor([0, 0]))
{x}.reshape({shape})
{x}.flatten()
{x}.tril()
{x}.detach().requires_grad_()
"""

VIEWS = """
{x}[{i}]
{x}[{slice}]
{x}[..., {slice}]
{x}[None]
{x}[..., 0]
{x}.select({dim}, 0)
{x}.narrow({dim}, 0, 1)
{x}.transpose({dim}, {other})
{x}.mT
{x}.view({shape})
{x}.view(-1)
{x}.view_as({x})
{x}.reshape({shape})
{x}.squeeze({dim})
{x}.unsqueeze({dim})
{x}.expand(2, *{x}.shape)
{x}.expand_as({y})
{x}.diagonal(0, {dim}, {other})
{x}.movedim({dim}, {other})
{x}.permute(*reversed(range({x}.ndim)))
{x}.unfold({dim}, 1, 1)
{x}.unfold({dim}, 2, 1)
{x}.unbind({dim})[0]
{x}.split(1, {dim})[-1]
{x}.chunk(2, {dim})[0]
{x}.tensor_split(2, {dim})[0]
{x}.detach()
{x}.contiguous().as_strided((2,), (1,))
{x}.contiguous().as_strided((2, 2), (1, 2))
"""

IN_PLACE = """
{x}.add_({same})
{x}.mul_({same})
{x}.sub_({same}, alpha=2)
{x} += {same}
{x} *= {same}
{x} -= 1
{x}.div_(2)
{x}.neg_()
{x}.sin_()
{x}.tanh_()
{x}.sigmoid_()
{x}.square_()
{x}.relu_()
{x}.abs_()
{x}.clamp_(-0.5, 0.5)
{x}.copy_({same})
{x}.fill_(0.5)
{x}.fill_({x}.mean())
{x}.zero_()
{x}.masked_fill_({mask}, 0.25)
{x}.addcmul_({same}, {same})
{x}.lerp_({same}, 0.3)
{x}.cumsum_({dim})
{x}.tril_()
{x}.index_fill_({dim}, torch.tensor([0]), 0.5)
{x}.index_add_({dim}, torch.tensor([0]), {x}.narrow({dim}, 0, 1) * 2)
{x}.index_put_((torch.tensor([0, 0]),), torch.tensor(0.5, dtype=torch.float64), accumulate=True)
{x}[{i}] = {same}
{x}[{slice}] = {same}
{x}[{slice}] *= 2
{x}[{i}] += {same}
{x}[..., {slice}] += {same}
{x}[{mask}] = 0.5
{x}[{mask}] *= 2
{x}[{rows}] = 0.75
{x}[{rows}] += 1
{x}.t_()
{x}.transpose_({dim}, {other})
{x}.squeeze_({dim})
{x}.unsqueeze_({dim})
{x}.requires_grad_()
{x}.retain_grad()
{x}.register_hook(lambda g: g * 2)
{x}.detach_()
"""

NAMES = [
    f"{letter}{number}" for number in ("", "1", "2") for letter in "abcdefghijklmnopqrstuvwxyz"
]


class Writer:
    """Writes a program, a line at a time, and runs it in PyTorch to know what the tensors are."""

    def __init__(self, below: Callable[[int], int]) -> None:
        self.below = below  # draws a number from 0 to n - 1
        self.lines: list[str] = []
        self.run = Run(THEIRS)

    def pick(self, choices: Any) -> Any:
        choices = list(choices)
        return choices[self.below(len(choices))]

    def write(self, line: str) -> None:
        error = self.run.step(line)
        if "refer to a single memory" not in str(error):  # (where that is refused, is taste)
            self.lines.append(line)

    def leaf(self) -> None:
        shape = tuple(self.pick((1, 2, 3, 2)) for _ in range(self.pick((1, 2, 2, 3, 0))))
        random = np.random.default_rng(len(self.lines))
        numbers = random.uniform(-1, 1, shape).round(2).tolist()
        grad = ", requires_grad=True" if self.pick((True, True, False)) else ""
        name = self.new_name()
        self.write(f"{name} = torch.tensor({numbers}, dtype=torch.float64{grad})")

    def statement(self) -> None:
        kind = self.pick((COMPUTE, VIEWS, VIEWS, IN_PLACE, IN_PLACE, IN_PLACE))
        template = self.pick(kind.strip().splitlines())
        tensors = self.run.tensors()
        x = self.pick(tensors)
        words = self.words(x, tensors)
        line = template.format_map(words)
        operands = (self.run.names.get(words[name]) for name in ("x", "y", "same"))
        if kind is COMPUTE and not all(t is None or t.is_contiguous() for t in operands):
            # In what order the result of that lies in memory, other tests look at.
            line = f"({line}).clone(memory_format=torch.contiguous_format)"
        silent = self.pick((False,) * 5 + (True,))
        if any(self.undefined(kind, template, words, silent)):
            return
        # Until it is asked, PyTorch takes a view whose base has just got a graph for a leaf.
        line = f"{x}.grad_fn; {line}" if kind is IN_PLACE else f"{self.new_name()} = {line}"
        self.write(f"with torch.no_grad(): {line}" if silent else line)

    def undefined(
        self, kind: str, template: str, words: dict[str, Any], silent: bool
    ) -> Iterator[bool]:
        """Whether a line does what PyTorch does in a way of its own, or in none that makes sense.
        (Of most of these, test_inplace.py says what we do.)"""
        x, y, same = (self.run.names.get(words[name]) for name in ("x", "y", "same"))
        reshaped = any(name + "_(" in template for name in ("t", "transpose", "squeeze"))
        # Of several elements at one place, and of what is read there too, any may be written last.
        yield kind is IN_PLACE and overlaps(x)
        if kind is IN_PLACE and "{same}" in template and same is not None and same is not x:
            yield same.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
            # Halfway through, PyTorch takes {x} for a leaf.
            yield "= {same}" in template and same.requires_grad and not x.requires_grad
        # It keeps copies, and counts changes that nobody asked for.
        yield "@" in template and (x.ndim, y.ndim) != (2, 2)
        # Whether it is a view, and what becomes of its own views, PyTorch alone knows.
        others = self.run.names.values()
        viewed = any(t._base is x for t in others)
        yield "detach_" in template and (viewed or not x.ndim or x.retains_grad)
        # They would require grad but not be part of any graph.
        viewing = kind is VIEWS or "reshape" in template or "flatten" in template
        yield viewing and silent and x.requires_grad
        yield "requires_grad_" in template and viewed
        # The gradient is expected to have the shape that the tensor had once.
        yield reshaped and (silent or x.retains_grad) and x.requires_grad
        # Views have hooks up to the first change in place, and then none.
        yield "hook" in template and x._is_view()

    def words(self, x: str, tensors: dict[str, Any]) -> dict[str, Any]:
        """What may stand for each placeholder, beside the tensor ``x``."""
        t = tensors[x]
        ndim, length = max(t.ndim, 1), (t.shape[0] if t.ndim else 1)
        start = self.pick(range(2))
        fitting = [name for name, other in tensors.items() if broadcasts(other.shape, t.shape)]
        shapes = [(-1,), (1, -1), tuple(reversed(t.shape)), (-1, length), (*t.shape, 1)]
        return {
            "x": x,
            "y": self.pick(tensors),
            "same": self.pick([*fitting, *fitting, "0.5"]),
            "dim": self.pick(range(-ndim, ndim)),
            "other": self.pick(range(ndim)),
            "i": self.pick(range(-length, length)) if length else 0,
            "slice": f"{start}:{self.pick((start + 1, '', '-1', ''))}{self.pick(('', '', ':2'))}",
            "shape": self.pick(shapes),
            "mask": f"{x} > {self.pick((-0.0371, 0.2113))}",  # far from what rounding may decide
            "rows": self.pick(([0], [0, 0], [-1, 0])),
        }

    def new_name(self) -> str:
        return next(name for name in NAMES if name not in self.run.names)


def overlaps(t: Any) -> bool:
    places = np.zeros(tuple(t.shape), np.int64)
    for dim, step in enumerate(t.stride()):
        places += (np.arange(t.shape[dim]) * step).reshape([-1] + [1] * (t.ndim - dim - 1))
    return np.unique(places).size < places.size


def broadcasts(shape: Any, to: Any) -> bool:
    try:
        return np.broadcast_shapes(tuple(shape), tuple(to)) == tuple(to)
    except ValueError:
        return False


def program(below: Callable[[int], int]) -> list[str]:
    writer = Writer(below)
    for _ in range(2 + below(2)):
        writer.leaf()
    for _ in range(5 + below(26)):
        writer.statement()
    return writer.lines


@st.composite
def programs(draw: Callable[[Any], Any]) -> list[str]:
    return program(lambda n: draw(st.integers(0, n - 1)))


# -- running it, and looking ----------------------------------------------------------------------


class Run:
    """A program on its way in one library."""

    def __init__(self, library: Library) -> None:
        self.torch = library.torch
        self.names: dict[str, Any] = {}

    def step(self, line: str) -> Exception | None:
        """Run a line; return what it raised."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                exec(line, {"torch": self.torch}, self.names)
            except Exception as error:
                return error
        return None

    def tensors(self) -> dict[str, Any]:
        """Those of a size that makes sense, by their names."""
        return {name: t for name, t in self.names.items() if 0 < t.numel() <= 200}

    def gradients(self, second: bool) -> list[Any]:
        """What arrives of a weighted sum of all at each tensor that keeps it; or the refusal."""
        leaves: list[Any] = []
        try:
            ends = [t for t in self.names.values() if t.requires_grad]
            total: Any = sum((t * weights(t, self.torch)).sum() for t in ends)
            leaves = [t for t in ends if t.is_leaf]
            if second and leaves:
                grads = self.torch.autograd.grad(
                    total, leaves, create_graph=True, allow_unused=True
                )
                total = sum(
                    (g * weights(g, self.torch)).sum()
                    for g in grads
                    if g is not None and g.requires_grad
                )
            if isinstance(total, self.torch.Tensor) and total.requires_grad:
                total.backward()
        except RuntimeError as error:
            return [error]
        kept = self.names.values() if not second else leaves  # on their way, both orders meet
        return [array(t.grad) for t in kept]


def weights(t: Any, torch: Any) -> Any:
    """Some numbers, different for each element."""
    count = t.numel()
    return (torch.arange(count, dtype=torch.float64).reshape(t.shape) - count / 3) / (count + 1)


def array(t: Any) -> Any:
    return None if t is None else t.numpy(force=True)


def seen(t: Any) -> tuple[Any, ...]:
    """What can be seen of a tensor, or why not."""
    try:
        t.grad_fn  # noqa: B018 (PyTorch brings what it says of a view up to date when asked this)
    except RuntimeError:
        return "out of date", tuple(t.shape), t._version
    return t.requires_grad, t.is_leaf, t.retains_grad, tuple(t.shape), t._version


def memories(tensors: dict[str, Any]) -> set[tuple[str, str]]:
    """The pairs that share memory."""
    arrays = {name: array(t) for name, t in tensors.items()}
    pairs = itertools.combinations(sorted(arrays), 2)
    return {(a, b) for a, b in pairs if np.shares_memory(arrays[a], arrays[b])}


def check(lines: list[str], look: bool, second: bool) -> None:
    """Run a program in both libraries; with ``look``, compare after every line."""
    ours, theirs = Run(OURS), Run(THEIRS)
    for line in lines:
        errors = ours.step(line), theirs.step(line)
        if None in errors:  # (of what type they are, other tests look at)
            assert errors == (None, None), f"{line}\nours: {errors[0]!r}\nPyTorch: {errors[1]!r}"
        if look or line is lines[-1]:
            compare(ours, theirs, line)
    found, expected = ours.gradients(second), theirs.gradients(second)
    if "detached in-place" in str(expected):
        return  # (PyTorch needs the past of a saved tensor even where there is none)
    refused = [bool(g) and isinstance(g[0], Exception) for g in (found, expected)]
    assert refused[0] == refused[1], f"ours: {found}\nPyTorch: {expected}"
    if refused[0]:
        return
    for mine, true in zip(found, expected, strict=True):
        if second and (mine is None or true is None):  # no gradient is as good as zero
            mine, true = (0 if g is None else g for g in (mine, true))
        assert (mine is None) == (true is None), f"gradients {found}, not {expected}"
        if true is not None:
            np.testing.assert_allclose(mine, true, 1e-6, 1e-9, err_msg="a gradient")


def compare(ours: Run, theirs: Run, line: str) -> None:
    assert list(ours.names) == list(theirs.names)
    for name, true in theirs.names.items():
        mine = ours.names[name]
        assert seen(mine) == seen(true), f"{name} after {line}"
        np.testing.assert_allclose(array(mine), array(true), 1e-7, 1e-9, err_msg=name)
    assert memories(ours.names) == memories(theirs.names), f"shared memory after {line}"


def fuzz(count: int) -> Callable[[], None]:
    @settings(
        max_examples=count,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(programs(), st.booleans(), st.booleans())
    def run(lines: list[str], look: bool, second: bool) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                check(lines, look, second)
            except BaseException:
                note("\n".join(["import torch", *lines]))
                raise

    return run


def test_random_programs() -> None:
    fuzz(PROGRAMS)()


@pytest.mark.slow
def test_many_random_programs() -> None:
    fuzz(50 * PROGRAMS)()
