"""Parity, operator by operator: PyTorch's own table of operators, its own samples, both libraries.

    python -m tests.parity                     every operator; rewrites tests/PARITY.md
    python -m tests.parity tanh linalg.solve   these only, and every difference in full

PyTorch carries a table of its operators with samples of their inputs, made for its own tests. Here
each sample goes through PyTorch and through us: the same values, gradients and gradients of
gradients in float64, the same dtypes for every dtype the operator takes, the same spelling as
method and in place, and an error where PyTorch documents one. What is random is drawn from the same
seed. The table says which operators there are; nothing is listed twice.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import sys
import types
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

if __package__:  # run as a program: this folder's other files are its neighbors
    sys.path.insert(0, str(Path(__file__).parent))
from compare import OURS, THEIRS, array, assert_close, gradients, tensors_in

PAGE = Path(__file__).with_name("PARITY.md")
ASPECTS = (
    *("value", "gradient", "second gradient", "dtype"),
    *("method", "in place", "out=", "error"),
)
DTYPES = ["float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"]
# What PyTorch leaves undefined, so that two runs of PyTorch itself may differ.
UNDEFINED_VALUES = {
    "empty",
    "empty_like",
    "empty_permuted",
    "new_empty",
    "empty_strided",
    "new_empty_strided",
}

# Where we differ from PyTorch on purpose, or where two right answers may differ: by operator the
# aspects, and why.
TIES = "which of several equal elements comes first is open; here it is the first"
OVERLAP = "out= may be an operand here, or be converted: the result is computed first"
NUMBER = "the reflected operator of a number, which has its own"
POLE = "inf at a pole, where PyTorch has a large number"
SIGNS = "out= is compared without what makes the signs of eigenvectors equal"
SCIPY = "SciPy's digits, where PyTorch's approximation has fewer"
ZERO = "a number in second gradients at zero, where PyTorch has nan"
DIMENSION = "an IndexError for a dimension out of range, as everywhere"
HALF = "computed in single precision, where PyTorch rounds or overflows on the way"
DIFFERENT: dict[str, tuple[str, str]] = {
    **dict.fromkeys(("argsort", "kthvalue", "sort", "topk"), ("dtype, error", TIES)),
    **dict.fromkeys(
        ("aminmax", "cat", "gather", "index_select", "masked_select", "take"), ("error", OVERLAP)
    ),
    **dict.fromkeys(
        ("__radd__", "__rand__", "__rdiv__", "__rmul__", "__ror__", "__rxor__"), ("error", NUMBER)
    ),
    **dict.fromkeys(("polygamma", "special.polygamma"), ("dtype", POLE)),
    **dict.fromkeys(("linalg.eigh", "linalg.svd", "svd"), ("out=", SIGNS)),
    **dict.fromkeys(
        ("special.bessel_j0", "special.bessel_j1", "special.bessel_y1"),
        ("value, out=, dtype", SCIPY),
    ),
    **dict.fromkeys(
        ("matrix_exp", "nn.functional.grid_sample", "nn.functional.soft_margin_loss"),
        ("dtype", HALF),
    ),
    "addbmm": ("in place", "an operation in place does not change the shape"),
    "as_strided_scatter": ("gradient", "PyTorch's goes to the elements that were replaced"),
    "narrow_copy": ("error", DIMENSION),
    "nn.functional.linear": ("out=", "PyTorch does not document it"),
    "rot90": ("error", DIMENSION),
    "linalg.norm": ("second gradient", ZERO),
    "nn.functional.linear_cross_entropy": ("second gradient", "PyTorch has none when chunked"),
}


def on_purpose(verdict: Verdict, aspect: str) -> bool:
    """Whether a difference is one that DIFFERENT accounts for."""
    aspects, _ = DIFFERENT.get(verdict.operator, ("", ""))
    return aspect in aspects.split(", ")


def operators() -> list[Any]:
    """PyTorch's table: one entry an operator and variant (needs the package expecttest)."""
    from torch.testing._internal.common_methods_invocations import op_db

    return list(op_db)


def label(op: Any) -> str:
    return f"{op.name} ({op.variant_test_name})" if op.variant_test_name else op.name


# -- the same call, here ---------------------------------------------------------------------------


def ours_of(op: Any) -> Callable[..., Any] | None:
    """Our function of the same name, or method; None if there is none. Where the table has a
    function of its own that calls PyTorch, the same function with our modules in place of
    PyTorch's."""
    if isinstance(op.op, types.FunctionType) and op.op.__module__.startswith("torch.testing"):
        return with_our_modules(op.op) if _named(op.name) or _named(f"{op.name}_") else None
    return _named(op.name)


def _named(name: str) -> Callable[..., Any] | None:
    *modules, last = name.split(".")
    place: Any = OURS.torch
    try:
        for module in modules:
            place = getattr(place, module)
        return getattr(place, last)
    except AttributeError:
        return getattr(OURS.torch.Tensor, last, None) if not modules else None


def with_our_modules(function: Any) -> Any:
    """A function of PyTorch's test tables, looking up ``torch`` here."""
    if not isinstance(function, types.FunctionType):
        return function
    names = dict(function.__globals__)
    for name, value in function.__globals__.items():
        if value is THEIRS.torch:
            names[name] = OURS.torch
        elif value is THEIRS.functional:
            names[name] = OURS.functional
        elif name == "wrapper_set_seed":
            names[name] = _seeded
    cells = tuple(
        types.CellType(with_our_modules(cell.cell_contents)) for cell in function.__closure__ or ()
    )
    again = types.FunctionType(
        function.__code__, names, function.__name__, function.__defaults__, cells or None
    )
    again.__kwdefaults__ = function.__kwdefaults__
    return again


def _seeded(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What PyTorch's tables draw random numbers with."""
    OURS.torch.manual_seed(42)
    return function(*args, **kwargs)


def spelled(variant: Any) -> Callable[..., Any]:
    """Our form of a method, or of a function with ``inplace=True``."""
    if isinstance(variant, functools.partial):
        name = f"nn.functional.{variant.func.__name__}"
        return functools.partial(_named(name), *variant.args, **variant.keywords)
    if isinstance(variant, types.FunctionType) and variant.__module__.startswith("torch.testing"):
        return with_our_modules(variant)
    return getattr(OURS.torch.Tensor, variant.__name__)


def translated(value: Any) -> Any:
    """An argument as it would be written here: tensors, dtypes and their like, at any depth."""
    torch = THEIRS.torch
    if isinstance(value, torch.Tensor):
        return _our_tensor(value)
    if isinstance(value, torch.dtype):
        return getattr(OURS.torch, str(value).rpartition(".")[2])
    if isinstance(value, torch.Size):
        return tuple(value)
    if value is torch.strided:
        return OURS.torch.strided
    if isinstance(value, torch.memory_format):
        return getattr(OURS.torch, str(value).rpartition(".")[2], value)
    if isinstance(value, torch.nn.Module):
        return getattr(OURS.nn, type(value).__name__, lambda: value)()
    if isinstance(value, torch.device):
        return OURS.torch.device(value.type)
    if isinstance(value, list | tuple) and type(value) in (list, tuple):
        return type(value)(map(translated, value))
    if isinstance(value, dict):
        return {key: translated(item) for key, item in value.items()}
    if isinstance(value, slice):
        return slice(*map(translated, (value.start, value.stop, value.step)))
    return value


def _our_tensor(t: Any) -> Any:
    """The same numbers in the same memory layout (elements that share memory do so here too)."""
    flat = t.detach()
    storage = np.array(
        flat.as_strided((flat.untyped_storage().nbytes() // flat.element_size(),), (1,), 0)
    )
    strides = [step * flat.element_size() for step in flat.stride()]
    laid_out = np.ndarray(
        flat.shape, storage.dtype, storage, flat.storage_offset() * flat.element_size(), strides
    )
    ours = OURS.torch.from_numpy(laid_out)
    return ours.requires_grad_() if t.requires_grad else ours


# -- one sample ------------------------------------------------------------------------------------


class Different(AssertionError):
    """The two libraries disagree."""


@dataclass
class Call:
    """A sample's arguments in one library."""

    input: Any
    args: Any
    kwargs: Any
    after: Callable[[Any], Any]  # makes a result comparable: of an SVD, say, what has no free sign

    def leaves(self) -> list[Any]:
        found = tensors_in([self.input, *self.args, *self.kwargs.values()])
        return [t for t in found if t.requires_grad]

    def run(self, function: Callable[..., Any], library: Any) -> Any:
        library.torch.manual_seed(0)
        return function(self.input, *self.args, **self.kwargs)


def calls(sample: Any) -> tuple[Call, Call]:
    """The sample as it is, and translated."""
    theirs = Call(sample.input, sample.args, dict(sample.kwargs), sample.output_process_fn_grad)
    ours = Call(
        translated(sample.input),
        translated(tuple(sample.args)),
        translated(dict(sample.kwargs)),
        with_our_modules(sample.output_process_fn_grad),
    )
    return ours, theirs


def compare_values(ours: Any, theirs: Any, what: str, numbers: bool = True) -> None:
    """Tensors of equal shapes, dtypes and values; equal anything else."""
    mine, expected = list(_parts(ours)), list(_parts(theirs))
    if len(mine) != len(expected):
        raise Different(f"{what}: {len(mine)} results, not {len(expected)}")
    for a, b in zip(mine, expected, strict=True):
        if hasattr(b, "requires_grad"):
            if not hasattr(a, "requires_grad"):
                raise Different(f"{what}: a {type(a).__name__}, not a tensor")
            if numbers:
                assert_close(array(a), array(b), what, *_tolerance(array(b)))
            elif (array(a).shape, array(a).dtype) != (array(b).shape, array(b).dtype):
                raise Different(
                    f"{what}: {array(a).shape} {array(a).dtype}, not {array(b).shape}"
                    f" {array(b).dtype}"
                )
        elif str(a) != str(b) and not (a != a and b != b):
            raise Different(f"{what}: {a!r}, not {b!r}")


def _tolerance(expected: np.ndarray) -> tuple[float, float]:
    """Relative and absolute: sums of float16 and float32 numbers are rounded in another order."""
    name = expected.dtype.name
    rtol, atol = {"float64": (1e-7, 1e-9), "float32": (1e-4, 1e-5), "float16": (5e-3, 1e-3)}.get(
        name, (0, 0)
    )
    finite = np.abs(expected[np.isfinite(expected)]) if rtol else ()
    return rtol, atol * max(1, *map(float, finite), 1)


def _parts(result: Any) -> Iterator[Any]:
    if isinstance(result, list | tuple):
        for item in result:
            yield from _parts(item)
    else:
        yield result


def derivatives(call: Call, result: Any, library: Any, order: int) -> list[Sequence[Any]]:
    """The first and, for ``order`` 2, the second gradients with fixed random cotangents; None where
    nothing flows."""
    leaves = call.leaves()
    outputs = [y for y in tensors_in(call.after(result)) if y.requires_grad]
    if not leaves or not outputs:
        return []
    first, second = gradients(library, outputs, leaves, order)
    return [first, second] if any(g is not None for g in second) else [first]


def compare_gradients(ours: Sequence[Any], theirs: Sequence[Any], what: str) -> None:
    for a, b in zip(ours, theirs, strict=True):
        if a is None or b is None:
            other = b if a is None else a
            if other is not None and np.any(array(other) != 0):
                raise Different(f"{what}: {'none' if a is None else 'some'} where PyTorch differs")
        else:
            rtol, atol = _tolerance(array(b))
            assert_close(array(a), array(b), what, 10 * rtol, 10 * atol)


# -- one operator ----------------------------------------------------------------------------------


@dataclass
class Verdict:
    """What was found of one operator: how many checks of each aspect, and what failed."""

    name: str
    missing: bool = False
    checked: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[str, str]] = field(default_factory=list)

    @property
    def operator(self) -> str:
        """The name without the variant."""
        return self.name.partition(" (")[0]

    def failed(self, aspect: str) -> int:
        return sum(where == aspect for where, _ in self.failures)

    def check(self, aspect: str, sample: Any, test: Callable[[], None]) -> bool:
        self.checked[aspect] += 1
        try:
            test()
        except Exception as error:
            said = f"{type(error).__name__}: {error}".strip().replace("\n", "\n        ")
            self.failures.append((aspect, f"{said}\n      {described(sample)}"))
            return False
        return True


def described(sample: Any) -> str:
    """A sample in a line."""

    def word(value: Any) -> str:
        if isinstance(value, THEIRS.torch.Tensor):
            return f"{str(value.dtype)[6:]}{list(value.shape)}"
        if isinstance(value, list | tuple):
            return f"[{', '.join(map(word, value))}]"
        return repr(value)[:60]

    given = [word(sample.input), *map(word, sample.args)]
    given += [f"{name}={word(value)}" for name, value in sample.kwargs.items()]
    return f"({', '.join(given)})"


def judge(op: Any, most: int | None = None) -> Verdict:
    """Compare one operator, on at most so many samples of each kind."""
    verdict = Verdict(label(op))
    function = ours_of(op)
    if function is None:
        verdict.missing = True
        return verdict
    torch = THEIRS.torch
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        supported = {str(t)[6:] for t in op.supported_dtypes("cpu")}
        exact = getattr(torch, "float64" if "float64" in supported else "float32")
        if str(exact)[6:] in supported:
            backward = op.supports_autograd and exact in op.supported_backward_dtypes("cpu")
            samples = op.sample_inputs("cpu", exact, requires_grad=backward)
            for sample in itertools.islice(samples, most):
                _judge_sample(op, function, sample, verdict)
                if op.supports_out:
                    _judge_out(op, function, sample, verdict)
        for dtype in DTYPES:
            if dtype in supported:
                few = itertools.islice(op.sample_inputs("cpu", getattr(torch, dtype)), 3)
                for sample in few:
                    _judge_dtype(op, function, sample, verdict)
        _judge_errors(op, function, verdict, most)
    return verdict


def _judge_sample(op: Any, function: Any, sample: Any, verdict: Verdict) -> None:
    ours, theirs = calls(sample)
    expected = theirs.run(op.op, THEIRS)
    result: list[Any] = []

    def value() -> None:
        result.append(ours.run(function, OURS))
        compare_values(
            ours.after(result[0]), theirs.after(expected), "value", op.name not in UNDEFINED_VALUES
        )

    if not verdict.check("value", sample, value):
        return
    order = 2 if op.supports_gradgrad else 1
    expected_gradients: list[Sequence[Any]] = []
    while op.supports_autograd and order:
        try:
            expected_gradients = derivatives(theirs, theirs.run(op.op, THEIRS), THEIRS, order)
            break
        except RuntimeError:  # PyTorch has no such derivative itself
            order -= 1
    if expected_gradients:
        found: list[Any] = []

        def first() -> None:
            found.extend(derivatives(ours, result[0], OURS, order))
            if not found:
                raise Different("no gradient")
            compare_gradients(found[0], expected_gradients[0], "gradient")

        if verdict.check("gradient", sample, first) and len(expected_gradients) > 1:

            def second() -> None:
                if len(found) < 2:
                    if any(g is not None and np.any(array(g)) for g in expected_gradients[1]):
                        raise Different("no second gradient")
                    return
                compare_gradients(found[1], expected_gradients[1], "second gradient")

            verdict.check("second gradient", sample, second)
    _judge_spellings(op, sample, expected, verdict)


def _judge_spellings(op: Any, sample: Any, expected: Any, verdict: Verdict) -> None:
    """The method, and the method in place."""
    method = op.method_variant
    if method is not None:

        def as_method() -> None:
            ours, theirs = calls(sample)
            mine = spelled(method)
            compare_values(
                ours.after(ours.run(mine, OURS)),
                theirs.after(theirs.run(method, THEIRS)),
                "method",
                op.name not in UNDEFINED_VALUES,
            )

        verdict.check("method", sample, as_method)
    inplace = op.inplace_variant
    if inplace is not None and isinstance(sample.input, THEIRS.torch.Tensor):
        ours, theirs = calls(sample)
        theirs.input = theirs.input.detach().clone()
        try:
            changed = theirs.run(inplace, THEIRS)
        except Exception:
            return  # this sample does not fit in place

        def in_place() -> None:
            mine = spelled(inplace)
            ours.input = ours.input.detach().clone()
            compare_values(ours.run(mine, OURS), changed, "in place")

        verdict.check("in place", sample, in_place)


def _judge_out(op: Any, function: Any, sample: Any, verdict: Verdict) -> None:
    """The result written into a tensor that is there already."""
    ours, theirs = calls(sample)
    if "out" in theirs.kwargs or sample.input is None:
        return
    results: list[Any] = []
    for call, run, library in ((theirs, op.op, THEIRS), (ours, function, OURS)):

        def write(call: Call = call, run: Any = run, library: Any = library) -> None:
            with library.torch.no_grad():
                plain = call.run(run, library)
                several = isinstance(plain, tuple | list)
                empty = [library.torch.empty((0,), dtype=y.dtype) for y in _parts(plain)]
                call.kwargs["out"] = tuple(empty) if several else empty[0]
                results.append(list(_parts(call.run(run, library))))
                if not all(y is out for y, out in zip(results[-1], empty, strict=True)):
                    raise Different("out= is not what is returned")

        if library is THEIRS:
            try:
                write()
            except Exception:
                return  # not a sample that can be written so
        else:
            if verdict.check("out=", sample, write):
                verdict.check(
                    "out=",
                    sample,
                    lambda: compare_values(
                        results[1], results[0], "out", op.name not in UNDEFINED_VALUES
                    ),
                )


def _judge_dtype(op: Any, function: Any, sample: Any, verdict: Verdict) -> None:
    ours, theirs = calls(sample)
    expected = theirs.run(op.op, THEIRS)
    verdict.check(
        "dtype",
        sample,
        lambda: compare_values(
            ours.after(ours.run(function, OURS)),
            theirs.after(expected),
            "value",
            op.name not in UNDEFINED_VALUES,
        ),
    )


def _judge_errors(op: Any, function: Any, verdict: Verdict, most: int | None) -> None:
    if op.error_inputs_func is None:
        return
    for wrong in itertools.islice(op.error_inputs("cpu"), most):
        sample = wrong.sample_input
        try:
            ours, theirs = calls(sample)
        except Exception:
            continue  # something that cannot even be written here: a sparse or complex tensor
        try:
            theirs.run(op.op, THEIRS)
            continue
        except Exception as error:
            kind = type(error)

        def refused(ours: Call = ours, kind: type = kind) -> None:
            try:
                ours.run(function, OURS)
            except Exception as error:
                expected = RuntimeError if issubclass(kind, RuntimeError) else kind
                if not isinstance(error, expected):
                    raise Different(
                        f"{type(error).__name__} ({error}), not {kind.__name__}"
                    ) from None
            else:
                raise Different(f"accepted; PyTorch raises {kind.__name__}")

        verdict.check("error", sample, refused)


# -- the page --------------------------------------------------------------------------------------


def page(verdicts: Iterable[Verdict]) -> str:
    """The table of all operators, in Markdown."""
    present = sorted((v for v in verdicts if not v.missing), key=lambda v: v.name)
    whole = sum(not v.failures for v in present)
    known = {
        name: why for name, why in DIFFERENT.items() if any(name == v.operator for v in present)
    }
    lines = [
        "# Parity with PyTorch, operator by operator",
        "",
        f"Made by `python -m tests.parity` against PyTorch {THEIRS.torch.__version__}: the samples",
        "of PyTorch's own operator table through both libraries. A cell counts the checks that",
        "agree, of those made; empty: PyTorch has nothing to compare with.",
        "",
        f"{len(present)} entries, {whole} of them without any difference;"
        f" {sum(sum(v.checked.values()) for v in present)} checks.",
        "",
        "| operator | " + " | ".join(ASPECTS) + " |",
        "|---" * (len(ASPECTS) + 1) + "|",
    ]
    for v in present:
        cells = [
            f"{v.checked[a] - v.failed(a)}" + (f" of {v.checked[a]}" if v.failed(a) else "")
            if v.checked[a]
            else ""
            for a in ASPECTS
        ]
        lines.append(f"| {v.name} | " + " | ".join(cells) + " |")
    lines += ["", "Different on purpose, or where more than one answer is right:", ""]
    lines += [f"- {name} ({aspects}): {why}." for name, (aspects, why) in sorted(known.items())]
    return "\n".join(lines) + "\n"


def distinct(failures: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """One failure of each kind and first line."""
    kinds = {(aspect, said.partition("\n")[0]): (aspect, said) for aspect, said in failures}
    return list(kinds.values())


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.parity", description=__doc__)
    parser.add_argument("names", nargs="*", help="operators, as PyTorch's table calls them")
    parser.add_argument("--most", type=int, help="so many samples of each at most")
    given = parser.parse_args()
    sys.argv[1:] = []  # the table's module reads the command line too
    verdicts = []
    for op in operators():
        if given.names and op.name not in given.names:
            continue
        verdict = judge(op, given.most)
        verdicts.append(verdict)
        if given.names or (verdict.failures and not verdict.missing):
            counts = ", ".join(
                f"{a} {verdict.checked[a] - verdict.failed(a)}/{n}"
                for a, n in verdict.checked.items()
            )
            print(f"{verdict.name}: {'missing' if verdict.missing else counts}", flush=True)
            for aspect, said in distinct(verdict.failures)[: None if given.names else 3]:
                print(f"    {aspect}: {said}", flush=True)
    if not given.names:
        PAGE.write_text(page(verdicts))


if __name__ == "__main__":
    main()
