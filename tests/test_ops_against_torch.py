"""Every line of `cases.py`, held against PyTorch and against finite differences."""

from __future__ import annotations

import contextlib
import itertools
import re
from typing import Any

import numpy as np
import pytest
from cases import CASES, REFUSED, Case, Input
from compare import (
    OURS,
    THEIRS,
    Derivatives,
    array,
    assert_close,
    cotangents,
    differentiate,
    dtype_name,
    is_tensor,
    plain,
    tensors_in,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore:reduction. 'mean' divides the total loss"),
    pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel"),
]
every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.spellings[0])
against_torch = pytest.mark.skipif(THEIRS is None, reason="PyTorch is not installed")


def wanted(sample: dict[str, Input]) -> list[str]:
    """The inputs to differentiate: floating-point, and not marked as fixed."""
    return [name for name, given in sample.items() if given.differentiable]


def peer(
    expression: str, arrays: dict[str, np.ndarray], track: list[str], order: int
) -> Derivatives:
    """PyTorch's derivatives; none where it has none itself, and finite differences must do."""
    with contextlib.suppress(NotImplementedError):
        try:
            return differentiate(THEIRS, expression, arrays, track, order)
        except RuntimeError as error:
            if "is not implemented" not in str(error):
                raise
    return Derivatives({}, {})


def floating(names: list[str], arrays: dict[str, np.ndarray]) -> list[str]:
    return [name for name in names if arrays[name].dtype.kind == "f"]


def leaves(
    library: Any, arrays: dict[str, np.ndarray], differentiable: list[str]
) -> dict[str, Any]:
    return {name: library.leaf(value, name in differentiable) for name, value in arrays.items()}


def assert_same_result(ours: Any, theirs: Any, what: str, **tolerance: float) -> None:
    """The same nesting, shapes, dtypes, `requires_grad` and numbers."""
    assert plain(ours) == plain(theirs), what
    for actual, expected in zip(tensors_in(ours), tensors_in(theirs), strict=True):
        assert_close(array(actual), array(expected), what, **tolerance)


def assert_same_gradients(
    ours: dict[str, Any], theirs: dict[str, Any], what: str, **tolerance: float
) -> None:
    """Nothing flowing is as good as zeros flowing: None in one library may be 0 in the other."""
    assert ours.keys() == theirs.keys(), what
    for name, expected in theirs.items():
        actual, where = ours[name], f"{what}, by {name}"
        if actual is None or expected is None:
            assert all(g is None or not np.any(g) for g in (actual, expected)), where
        else:
            assert_close(actual, expected, where, **tolerance)


def better_than_nan(actual: np.ndarray | None, expected: np.ndarray | None) -> np.ndarray | None:
    """Where PyTorch's rule for the gradient of a gradient comes to 0 · ∞, a number is welcome."""
    if actual is None or expected is None:
        return actual
    return np.where(np.isnan(expected), expected, actual)


def describe(expression: str, arrays: dict[str, np.ndarray]) -> str:
    return f"{expression} with " + ", ".join(
        f"{n}: {a.dtype}{list(a.shape)}" for n, a in arrays.items()
    )


@against_torch
@every_case
def test_values(case: Case) -> None:
    """Values, dtypes, shapes and requires_grad of every spelling."""
    for sample in case.samples:
        arrays = case.arrays(sample)
        track = floating(wanted(sample), arrays)
        expected = THEIRS.evaluate(case.spellings[0], leaves(THEIRS, arrays, track))
        for spelling in case.spellings:
            inputs = leaves(OURS, arrays, track)
            assert_same_result(
                OURS.evaluate(spelling, inputs), expected, describe(spelling, arrays)
            )
            for name, before in arrays.items():  # an op may only change what it says it changes
                if name in track:
                    np.testing.assert_array_equal(array(inputs[name]), before)


@against_torch
@every_case
def test_gradients(case: Case) -> None:
    """First gradients of every spelling, second gradients of the first one."""
    for sample in case.samples:
        arrays = case.arrays(sample)
        track = floating(wanted(sample), arrays)
        for spelling in case.spellings if track else ():
            theirs = peer(spelling, arrays, track, order=1)
            if theirs.first:
                ours = differentiate(OURS, spelling, arrays, track, order=1)
                assert_same_gradients(ours.first, theirs.first, describe(spelling, arrays))


@against_torch
@every_case
def test_second_gradients(case: Case) -> None:
    for sample in case.samples:
        arrays = case.arrays(sample)
        track = floating(wanted(sample), arrays)
        if track:
            theirs = peer(case.spellings[0], arrays, track, order=2)
            if not theirs.first:
                continue
            ours = differentiate(OURS, case.spellings[0], arrays, track, order=2)
            what = describe(case.spellings[0], arrays)
            assert_same_gradients(ours.first, theirs.first, f"create_graph: {what}")
            better = {n: better_than_nan(g, theirs.second[n]) for n, g in ours.second.items()}
            assert_same_gradients(better, theirs.second, f"second order: {what}")


@against_torch
@every_case
def test_float32(case: Case) -> None:
    """In single precision the results and the gradients are single precision, and as right."""
    for sample in case.samples:
        exact = case.arrays(sample)
        arrays = {n: a.astype(np.float32) if a.dtype == np.float64 else a for n, a in exact.items()}
        track = floating(wanted(sample), arrays)
        what = f"float32: {describe(case.spellings[0], arrays)}"
        ours, theirs = (
            it.evaluate(case.spellings[0], leaves(it, arrays, track)) for it in (OURS, THEIRS)
        )
        assert_same_result(ours, theirs, what, rtol=2e-4, atol=2e-5)
        derivatives = peer(case.spellings[0], arrays, track, order=1)
        if derivatives.first:
            ours = differentiate(OURS, case.spellings[0], arrays, track, order=1)
            assert_same_gradients(ours.first, derivatives.first, what, rtol=2e-3, atol=2e-4)


@against_torch
@every_case
def test_strided_inputs(case: Case) -> None:
    """Inputs and incoming gradients that lie scattered in memory change nothing."""

    def scattered(a: np.ndarray) -> np.ndarray:
        """The same numbers, every second one of a larger array, last axis first."""
        room = np.full([2 * n for n in reversed(a.shape)], 7, a.dtype)
        view = room[(..., *(slice(None, None, 2) for _ in a.shape))].T
        view[...] = a
        return view

    for sample in case.samples:
        arrays = case.arrays(sample)
        track = floating(wanted(sample), arrays)
        outcomes = []
        for library in (OURS, THEIRS):
            inputs = {n: library.torch.from_numpy(scattered(a)) for n, a in arrays.items()}
            for name in track:
                inputs[name].requires_grad_()
            try:
                result = library.evaluate(case.spellings[0], inputs)
            except RuntimeError as refusal:  # view() of what has no such view
                outcomes.append((type(refusal), {}))
                continue
            outputs = [y for y in tensors_in(result) if y.requires_grad]
            if outputs:
                seeds = [
                    library.torch.from_numpy(scattered(g)) for g in cotangents(outputs, seed=1)
                ]
                library.autograd.backward(outputs, seeds)
            grads = {name: inputs[name].grad for name in track}
            outcomes.append(
                (result, {n: None if g is None else array(g) for n, g in grads.items()})
            )
        (ours, our_grads), (theirs, their_grads) = outcomes
        what = describe(case.spellings[0], arrays)
        if isinstance(theirs, type):
            assert isinstance(ours, type), what
            assert issubclass(ours, theirs), what
            continue
        assert_same_result(ours, theirs, what)
        assert_same_gradients(our_grads, their_grads, what)


@every_case
def test_gradcheck(case: Case) -> None:
    """Finite differences confirm the gradients of smooth samples, and the second of a small one."""
    if not case.smooth:
        return
    checked_twice = False
    for sample in case.samples:
        arrays = case.arrays(sample)
        track = floating(wanted(sample), arrays)
        if not track:
            continue
        still = leaves(OURS, {n: a for n, a in arrays.items() if n not in track}, [])

        def function(
            *moving: Any, track: list[str] = track, still: dict[str, Any] = still
        ) -> tuple[Any, ...]:
            result = OURS.evaluate(
                case.spellings[0], {**still, **dict(zip(track, moving, strict=True))}
            )
            return tuple(
                y for y in tensors_in(result) if y.requires_grad and dtype_name(y) == "float64"
            )

        if any(arrays[name].size == 0 for name in track):
            continue
        inputs = tuple(OURS.leaf(arrays[name], True) for name in track)
        outputs = function(*inputs)
        if not outputs:
            continue
        assert OURS.autograd.gradcheck(function, inputs)
        numbers = sum(array(t).size for t in inputs) * sum(array(y).size for y in outputs)
        if not checked_twice and 0 < numbers <= 600:
            checked_twice = True
            seeds = [OURS.leaf(g, True) for g in cotangents(outputs, 1)]
            found = OURS.autograd.grad(outputs, inputs, seeds, create_graph=True, allow_unused=True)
            if all(g is not None and g.requires_grad for g in found):
                try:
                    assert OURS.autograd.gradgradcheck(function, inputs)
                except RuntimeError as error:  # there is more here than PyTorch has
                    if OURS is not THEIRS or "not implemented" not in str(error):
                        raise


CALL_ON_INPUTS = re.compile(r"(torch|F)\.\w+\((?!.*\b[a-z]\.)(?!.*torch\.\w+\b.*dtype)")
array_cases = [case for case in CASES if CALL_ON_INPUTS.match(case.spellings[0])]


@pytest.mark.parametrize("case", array_cases, ids=lambda case: case.spellings[0])
def test_arrays_in_array_out(case: Case) -> None:
    """An op on bare arrays is a NumPy function: the same numbers, no Tensor, no graph."""
    if OURS is THEIRS:
        pytest.skip("PyTorch's functions take tensors only")
    for sample in case.samples:
        arrays = case.arrays(sample)
        if not floating(list(arrays), arrays):
            continue  # of integers NumPy makes float64, a tensor float32
        from_arrays = OURS.evaluate(case.spellings[0], arrays)
        from_tensors = OURS.evaluate(case.spellings[0], leaves(OURS, case.arrays(sample), []))
        what = describe(case.spellings[0], arrays)
        assert not tensors_in(from_arrays), what
        flat = list(from_arrays) if isinstance(from_arrays, tuple | list) else [from_arrays]
        for bare, tensor in zip(
            flat, tensors_in(from_tensors), strict=bool(tensors_in(from_tensors))
        ):
            np.testing.assert_allclose(np.asarray(bare), array(tensor), 1e-12, 1e-14, err_msg=what)


# Dtypes -------------------------------------------------------------------------------------------

DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64")
# fmt: off
PROMOTING = ("x + y", "x - y", "x * y", "x / y", "x // y", "x % y", "x ** y",
             "torch.maximum(x, y)", "torch.atan2(x, y)",
             "torch.cat((x.reshape(-1), y.reshape(-1)))", "torch.where(x > 0, x, y)", "x == y",
                 "x < y",
             "torch.fmod(x, y)", "torch.stack((x.sum(), y.sum()))", "torch.result_type(x, y)")
WITH_NUMBERS = ("x + {n}", "{n} - x", "x * {n}", "x / {n}", "{n} / x", "x // {n}", "x % {n}",
                "x ** {n}", "{n} ** x", "x < {n}",
                "torch.where(x > 0, x, {n})", "torch.clamp(x, {n})", "torch.result_type(x, {n})",
                    "torch.maximum(x, torch.tensor({n}))")
REDUCING = ("sum()", "mean()", "prod()", "cumsum(0)", "max()", "std()", "sqrt()", "sigmoid()",
            "floor()", "sign()", "abs()", "neg()",
            "relu()", "square()", "all()", "exp()", "round()", "reciprocal()", "logsumexp(0)",
                "softmax(0)", "norm()")
# fmt: on


def outcome(library: Any, expression: str, inputs: dict[str, np.ndarray]) -> Any:
    """What comes out: dtype and shape of a tensor, or that it was refused."""
    try:
        result = library.evaluate(expression, leaves(library, inputs, []))
    except (RuntimeError, TypeError, IndexError, ValueError):
        return "refused"
    return (
        (dtype_name(result), tuple(result.shape))
        if is_tensor(result)
        else str(result).rpartition(".")[2]
    )


def differences(expression: str, samples: list[dict[str, np.ndarray]]) -> list[str]:
    ours, theirs = (
        [outcome(it, expression, sample) for sample in samples] for it in (OURS, THEIRS)
    )
    return [
        f"{describe(expression, sample)}: {actual}, PyTorch {expected}"
        for sample, actual, expected in zip(samples, ours, theirs, strict=True)
        if actual != expected
    ]


@against_torch
@pytest.mark.parametrize("expression", PROMOTING)
def test_promotion_between_tensors(expression: str) -> None:
    """All dtypes and ranks: a 0-d tensor does not promote a dimensioned one of its kind."""
    samples = [
        {"x": np.ones(left, a), "y": np.ones(right, b)}
        for a, b in itertools.product(DTYPES, DTYPES)
        for left, right in itertools.product([(2,), ()], [(2,), ()])
    ]
    assert differences(expression, samples) == []


@against_torch
@pytest.mark.parametrize("number", ["True", "2", "2.5"])
@pytest.mark.parametrize("template", WITH_NUMBERS)
def test_promotion_with_numbers(template: str, number: str) -> None:
    if number == "True" and template in ("{n} - x", "x ** {n}", "torch.clamp(x, {n})"):
        pytest.skip("PyTorch's refusals of True as a number follow no rule")
    samples = [{"x": np.ones(shape, dtype)} for dtype in DTYPES for shape in [(2,), ()]]
    assert differences(template.format(n=number), samples) == []


@against_torch
@pytest.mark.parametrize("method", REDUCING)
def test_result_dtypes(method: str) -> None:
    samples = [{"x": np.ones(3, dtype)} for dtype in DTYPES]
    assert differences(f"x.{method}", samples) == []


@against_torch
def test_gradient_keeps_the_dtype_of_its_input() -> None:
    """Each operand of a mixed expression receives a gradient of its own dtype."""
    for library in (OURS, THEIRS):
        leaves_ = [
            library.leaf(np.ones((2, 3), dtype), True)
            for dtype in ("float16", "float32", "float64")
        ]
        a, b, c = leaves_
        ((a * b).sum() * c + (a @ b.t().to(a.dtype)).sum()).sum().backward()
        assert [dtype_name(t.grad) for t in leaves_] == ["float16", "float32", "float64"]


# Refusals -----------------------------------------------------------------------------------------


@against_torch
@pytest.mark.parametrize(
    "row", range(len(REFUSED)), ids=[f"{e}-{i}" for i, (e, _) in enumerate(REFUSED)]
)
def test_refused(row: int) -> None:
    """What PyTorch refuses we refuse, with its exception type or a more specific one, in words."""
    expression, inputs = REFUSED[row]
    arrays = Case((expression,), (inputs,), False).arrays(inputs)

    def error(library: Any) -> Exception:
        with pytest.raises(Exception) as caught:  # noqa: PT011 (any: it is what we ask)
            library.evaluate(expression, leaves(library, arrays, []))
        return caught.value

    ours, theirs = error(OURS), error(THEIRS)
    assert isinstance(ours, type(theirs)), (
        f"{type(ours).__name__}: {ours}\nPyTorch {type(theirs).__name__}: {theirs}"
    )
    assert len(str(ours)) > 10, "say what was given and what was expected"


# Chance -------------------------------------------------------------------------------------------


def test_dropout_keeps_the_expectation() -> None:
    """A share p becomes 0, the rest is scaled by 1 / (1 - p), and the gradient is the mask."""
    torch = OURS.torch
    torch.manual_seed(0)
    x = torch.ones(200, 500, requires_grad=True)
    y = OURS.functional.dropout(x, 0.3)
    numbers = array(y)
    assert set(np.unique(numbers)) == {np.float32(0), np.float32(1 / 0.7)}
    assert abs((numbers == 0).mean() - 0.3) < 0.01
    y.sum().backward()
    np.testing.assert_array_equal(array(x.grad), numbers)


def test_dropout_draws_anew_and_repeats_with_the_seed() -> None:
    torch, dropout = OURS.torch, OURS.functional.dropout
    x = torch.ones(1000)
    torch.manual_seed(1)
    first, second = array(dropout(x)), array(dropout(x))
    torch.manual_seed(1)
    assert (first != second).any()
    np.testing.assert_array_equal(array(dropout(x)), first)
