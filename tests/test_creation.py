"""Tensors from data, from a shape and a rule, and refilled with random numbers."""

from __future__ import annotations

import array
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import autograd
from autograd.random import Generator, fork_rng

f16, f32, f64 = autograd.float16, autograd.float32, autograd.float64
i8, i32, i64, u8, boolean = (
    autograd.int8,
    autograd.int32,
    autograd.int64,
    autograd.uint8,
    autograd.bool,
)


@pytest.fixture(autouse=True)
def undisturbed() -> Iterator[None]:
    with fork_rng():
        yield


def is_like(made: Any, values: Any, dtype: autograd.dtype) -> bool:
    return made.dtype == dtype and made.tolist() == values and made.is_leaf


# -- tensor ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "values", "dtype"),
    [
        (3, 3, i64),
        (2.5, 2.5, f32),
        (True, True, boolean),
        ([1, 2], [1, 2], i64),
        ([1, 2.5], [1, 2.5], f32),
        ([True, 2], [1, 2], i64),
        ([True, 2.5], [1, 2.5], f32),
        ([], [], f32),
        ([[], []], [[], []], f32),
        ([[1, 2], (3, 4)], [[1, 2], [3, 4]], i64),
        (range(3), [0, 1, 2], i64),
        (deque([1, 2]), [1, 2], i64),
        (bytearray(b"ab"), [97, 98], i64),
        pytest.param(memoryview(b"ab"), [97, 98], i64, id="memoryview"),  # its repr has an address
        (array.array("d", [1, 2]), [1, 2], f32),
        (np.arange(3), [0, 1, 2], i64),
        (np.arange(3.0), [0, 1, 2], f64),
        (np.arange(3)[::-1], [2, 1, 0], i64),
        (np.float64(3), 3, f64),
        (np.float32(3), 3, f32),
        ([np.float64(3)], [3], f64),
        ([np.float32(3), 1.5], [3, 1.5], f32),
        ([np.int32(3), 1], [3, 1], i64),
        ([np.array([1.0, 2.0]), [3, 4]], [[1, 2], [3, 4]], f64),
        ([autograd.tensor(1.0), autograd.tensor(2)], [1, 2], f32),
        ([autograd.tensor([1.0]), 2], [1, 2], f32),
        ([autograd.tensor(1.0, dtype=f64), 2.0], [1, 2], f64),
        (-(2**63), -(2**63), i64),
    ],
    ids=repr,
)
def test_tensor(data: Any, values: Any, dtype: autograd.dtype) -> None:
    assert is_like(autograd.tensor(data), values, dtype)


@pytest.mark.parametrize(
    ("data", "dtype", "values"),
    [
        ([1, 2], f64, [1, 2]),
        ([1, 2], float, [1, 2]),
        ([1.5, -1.5], i64, [1, -1]),
        ([0.0, 2.0], bool, [False, True]),
        (np.array([1.5]), i32, [1]),
        ([-1], u8, [255]),
        (2**63, f32, 2.0**63),
        ([1e40], f16, [np.inf]),
    ],
)
def test_tensor_of_a_given_dtype(data: Any, dtype: Any, values: Any) -> None:
    made = autograd.tensor(data, dtype=dtype)
    assert made.tolist() == values
    if isinstance(dtype, autograd.dtype):
        assert made.dtype == dtype


def test_python_floats_are_of_the_default_dtype() -> None:
    autograd.set_default_dtype(f64)
    try:
        for made in (
            autograd.tensor(1.5),
            autograd.zeros(2),
            autograd.arange(1.5),
            autograd.rand(1),
        ):
            assert made.dtype == f64
        assert autograd.tensor(1).dtype == i64
    finally:
        autograd.set_default_dtype(f32)


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ([[1, 2], [3]], ValueError, r"expected sequence of length 2 at dim 1 \(got 1\): data\[1\]"),
        ([[[1], [2]], [[3], [4, 5]]], ValueError, r"length 1 at dim 2 \(got 2\): data\[1\]\[1\]"),
        ([[], [1]], ValueError, r"expected sequence of length 0 at dim 1 \(got 1\)"),
        ([[1, 2], 3], TypeError, r"not a sequence: data\[1\] is 3"),
        ([1, [2, 3]], TypeError, r"expected a number, but data\[1\] is \[2, 3\]"),
        ("abc", TypeError, "invalid data type 'str': data is 'abc'"),
        ([[1, 2], [3, "b"]], TypeError, r"invalid data type 'str': data\[1\]\[1\] is 'b'"),
        (b"ab", TypeError, "invalid data type 'bytes'"),
        (None, RuntimeError, "Could not infer dtype of NoneType"),
        ([1, None], RuntimeError, r"Could not infer dtype of NoneType: data\[1\]"),
        ({1: 2}, RuntimeError, "Could not infer dtype of dict"),
        (1j, RuntimeError, "Could not infer dtype of complex"),
        (2**63, ValueError, "Overflow"),
        (np.array(["a"]), TypeError, "can't convert a NumPy array of dtype <U1"),
        (np.array([None]), TypeError, "can't convert a NumPy array of dtype object"),
        ([autograd.zeros(2), autograd.zeros(2)], ValueError, "one element.*torch.stack"),
    ],
    ids=repr,
)
def test_tensor_refuses(data: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        autograd.tensor(data)


def test_a_list_that_contains_itself_is_refused() -> None:
    data: list[Any] = []
    data.append(data)
    with pytest.raises(ValueError, match="too many dimensions"):
        autograd.tensor(data)


@pytest.mark.parametrize(
    ("data", "dtype"), [(1000, i8), ([300], u8), (float("nan"), i64), (float("inf"), i32)]
)
def test_numbers_that_a_dtype_does_not_hold(data: Any, dtype: autograd.dtype) -> None:
    with pytest.raises(RuntimeError, match=r"cannot be converted to type .* without overflow"):
        autograd.tensor(data, dtype=dtype)


def test_tensor_copies_and_requires_grad() -> None:
    source = np.zeros(2)
    made = autograd.tensor(source, requires_grad=True)
    source[0] = 1
    assert made.tolist() == [0, 0]
    assert made.requires_grad
    with pytest.raises(RuntimeError, match="floating point"):
        autograd.tensor([1, 2], requires_grad=True)
    with pytest.raises(TypeError, match="bool"):
        autograd.tensor([1.0], requires_grad=1)  # type: ignore[arg-type]


def test_tensor_of_a_tensor_warns() -> None:
    source = autograd.tensor([1.0], requires_grad=True)
    with pytest.warns(UserWarning, match=r"sourceTensor\.detach\(\)\.clone\(\)"):
        made = autograd.tensor(source)
    assert is_like(made, [1], f32)
    assert not made.requires_grad


@pytest.mark.parametrize("create", [autograd.tensor, autograd.as_tensor, autograd.zeros])
def test_the_cpu_is_the_only_device(create: Callable[..., Any]) -> None:
    assert create([1, 2], device="cpu").device == autograd.device("cpu")
    with pytest.raises(RuntimeError, match="device 'cuda' is not available"):
        create([1, 2], device="cuda")


# -- sharing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "share", [autograd.from_numpy, autograd.as_tensor, autograd.asarray, autograd.from_dlpack]
)
def test_sharing_memory_with_numpy(share: Callable[[np.ndarray], Any]) -> None:
    source = np.zeros(3)
    made = share(source)
    source[1] = 5
    assert is_like(made, [0, 5, 0], f64)
    assert np.shares_memory(made.numpy(), source)


def test_as_tensor_keeps_what_it_can() -> None:
    x = autograd.tensor([1.0], requires_grad=True)
    assert autograd.as_tensor(x) is x
    assert autograd.as_tensor(x, dtype=f64).requires_grad
    assert is_like(autograd.as_tensor([1, 2], dtype=f64), [1, 2], f64)
    source = np.zeros(2)
    assert not np.shares_memory(autograd.as_tensor(source, dtype=f32).numpy(), source)


def test_asarray_copies_as_told() -> None:
    source = np.zeros(2)
    assert not np.shares_memory(autograd.asarray(source, copy=True).numpy(), source)
    with pytest.raises(ValueError, match="can't alias list"):
        autograd.asarray([1], copy=False)
    with pytest.raises(ValueError, match=r"can't alias ndarray as a tensor of torch\.float32"):
        autograd.asarray(source, dtype=f32, copy=False)
    x = autograd.tensor([1.0], requires_grad=True)
    assert autograd.asarray(x) is x
    outside = autograd.asarray(x, requires_grad=False)
    assert not outside.requires_grad
    assert outside.data_ptr() == x.data_ptr()
    assert autograd.asarray([1.0], requires_grad=True).requires_grad


def test_from_numpy_takes_arrays_only() -> None:
    for other in ([1], np.float32(3)):
        with pytest.raises(TypeError, match=r"expected np\.ndarray"):
            autograd.from_numpy(other)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="dtype complex128"):
        autograd.from_numpy(np.zeros(2, complex))


# -- from a shape and a rule -----------------------------------------------------------------------


def test_the_forms_of_a_size() -> None:
    sizes: list[Any] = [(2, 3), ((2, 3),), ([2, 3],), (autograd.zeros(2, 3).shape,)]
    sizes += [(np.int64(2), autograd.tensor(3))]
    for size in sizes:
        assert autograd.zeros(*size).shape == (2, 3)
    assert autograd.zeros(size=(2, 3)).shape == (2, 3)
    assert autograd.zeros(()).shape == ()


@pytest.mark.parametrize(
    ("size", "error", "message"),
    [
        ((), TypeError, "missing 1 required positional argument: 'size'"),
        ((2.0,), TypeError, "must be int, not float"),
        ((True,), TypeError, "must be int, not bool"),
        (("a",), TypeError, "must be int, not str"),
        ((2, [3]), TypeError, "must be int, not list"),
        ((autograd.tensor([2, 3]),), TypeError, "must be int, not Tensor"),
        ((2, -1), RuntimeError, "non-negative"),
    ],
)
def test_sizes_that_are_none(size: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        autograd.zeros(*size)


@pytest.mark.parametrize(
    ("made", "values", "dtype"),
    [
        (lambda t: t.zeros(2), [0, 0], f32),
        (lambda t: t.ones(2, dtype=t.int64), [1, 1], i64),
        (lambda t: t.ones(2, dtype=int), [1, 1], i64),
        (lambda t: t.full((2,), 3), [3, 3], i64),
        (lambda t: t.full((2,), 3.0), [3, 3], f32),
        (lambda t: t.full((2,), True), [True, True], boolean),
        (lambda t: t.full((2,), 2.7, dtype=t.int32), [2, 2], i32),
        (lambda t: t.full((), t.tensor(3)), 3, i64),
        (lambda t: t.eye(2), [[1, 0], [0, 1]], f32),
        (lambda t: t.eye(1, 2, dtype=t.int64), [[1, 0]], i64),
        (lambda t: t.scalar_tensor(3), 3, f32),
        (lambda t: t.arange(3), [0, 1, 2], i64),
        (lambda t: t.arange(3.0), [0, 1, 2], f32),
        (lambda t: t.arange(1, 4), [1, 2, 3], i64),
        (lambda t: t.arange(1, 2, 0.5), [1, 1.5], f32),
        (lambda t: t.arange(5, 1, -2), [5, 3], i64),
        (lambda t: t.arange(end=2), [0, 1], i64),
        (lambda t: t.arange(start=1, end=5, step=2), [1, 3], i64),
        (lambda t: t.arange(3, 3), [], i64),
        (lambda t: t.arange(t.tensor(2.0)), [0, 1], f32),
        (lambda t: t.arange(-2.5, 2.5, dtype=t.int64), [-2, -1, 0, 1], i64),
        (lambda t: t.arange(2**62, 2**62 + 2), [2**62, 2**62 + 1], i64),
        (lambda t: t.linspace(0, 1, 5), [0, 0.25, 0.5, 0.75, 1], f32),
        (lambda t: t.linspace(0, 1, steps=1), [0], f32),
        (lambda t: t.linspace(0, 1, 0), [], f32),
        (lambda t: t.linspace(10, 0, 4, dtype=t.int64), [10, 6, 3, 0], i64),
        (lambda t: t.linspace(t.tensor(0.0), 1, 3), [0, 0.5, 1], f32),
        (lambda t: t.logspace(0, 2, 3), [1, 10, 100], f32),
        (lambda t: t.logspace(0, 2, 3, 2), [1, 2, 4], f32),
        (lambda t: t.tril_indices(2, 3), [[0, 1, 1], [0, 0, 1]], i64),
        (lambda t: t.triu_indices(2, 3, 1, dtype=t.int32), [[0, 0, 1], [1, 2, 2]], i32),
        (lambda t: t.zeros_like(t.arange(2)), [0, 0], i64),
        (lambda t: t.ones_like(t.arange(2), dtype=t.float64), [1, 1], f64),
        (lambda t: t.full_like(t.arange(2), 2.5), [2, 2], i64),
        (lambda t: t.zeros(2).new_zeros(3), [0, 0, 0], f32),
        (lambda t: t.arange(2).new_ones((2,)), [1, 1], i64),
        (lambda t: t.arange(2).new_full((1,), 2.5), [2], i64),
        (lambda t: t.arange(2).new_tensor([1.5]), [1], i64),
        (lambda t: t.arange(2).new_tensor([1.5], dtype=t.float32), [1.5], f32),
    ],
)
def test_made_by_a_rule(made: Callable[[Any], Any], values: Any, dtype: autograd.dtype) -> None:
    assert is_like(made(autograd), values, dtype)


@pytest.mark.parametrize(
    ("action", "error", "message"),
    [
        (lambda t: t.full((2,), "a"), TypeError, "must be Number, not str"),
        (lambda t: t.full(2, 3), TypeError, "must be tuple of ints, not int"),
        (lambda t: t.full((2,), 300, dtype=t.uint8), RuntimeError, "without overflow"),
        (lambda t: t.full((2,), 1e300), RuntimeError, "without overflow"),
        (lambda t: t.arange(), TypeError, "'end'"),
        (lambda t: t.arange("a"), TypeError, "'end' must be Number, not str"),
        (lambda t: t.arange(1, 5, 0), RuntimeError, "step must be nonzero"),
        (lambda t: t.arange(5, 1), RuntimeError, "inconsistent with step sign"),
        (lambda t: t.arange(float("inf")), RuntimeError, "unsupported range: 0 -> inf"),
        (lambda t: t.arange(2, dtype=t.bool), NotImplementedError, "arange"),
        (lambda t: t.linspace(0, 1, -1), RuntimeError, "non-negative"),
        (lambda t: t.linspace(0, 1, 2.0), TypeError, "'steps' must be int, not float"),
        (lambda t: t.eye(-1), RuntimeError, "non-negative"),
        (lambda t: t.zeros_like([1]), TypeError, "must be Tensor, not list"),
        (lambda t: t.zeros(2, dtype="text"), TypeError, "dtype"),
        (lambda t: t.zeros(2, foo=1), TypeError, "foo"),
        (lambda t: t.zeros(2, dtype=int, requires_grad=True), RuntimeError, "floating point"),
    ],
)
def test_rules_refuse(action: Callable[[Any], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        action(autograd)


def test_like_keeps_the_order_in_memory() -> None:
    x = autograd.from_numpy(np.zeros((2, 3)).T)
    for create in (autograd.empty_like, autograd.zeros_like, autograd.rand_like):
        assert create(x).stride() == (1, 3)


def test_requires_grad() -> None:
    for made in (autograd.zeros(2, requires_grad=True), autograd.rand(2, requires_grad=True)):
        assert made.requires_grad
        assert made.is_leaf
    assert not autograd.zeros_like(made).requires_grad
    assert autograd.zeros_like(made, requires_grad=True).requires_grad


def test_out() -> None:
    out = autograd.ones(2)
    assert autograd.zeros(2, out=out) is out
    assert out.tolist() == [0, 0]
    with pytest.warns(UserWarning, match="resized"):
        assert autograd.arange(3, out=out).tolist() == [0, 1, 2]
    assert out.dtype == f32
    with pytest.raises(RuntimeError, match="does not match dtype of out"):
        autograd.zeros(2, out=out, dtype=f64)
    with pytest.raises(RuntimeError, match="automatic differentiation"):
        autograd.zeros(2, out=autograd.ones(2, requires_grad=True))


def test_linspace_meets_both_ends() -> None:
    for steps in range(2, 60):
        made = autograd.linspace(0.1, 0.7, steps).tolist()
        assert (made[0], made[-1]) == tuple(autograd.tensor([0.1, 0.7]).tolist())


# -- random ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "error", "message"),
    [
        (lambda t: t.rand(2, dtype=t.int64), NotImplementedError, "not implemented for int64"),
        (lambda t: t.randn_like(t.arange(2)), NotImplementedError, "not implemented for int64"),
        (lambda t: t.randint(5, 5, (2,)), RuntimeError, "from=5 >= to=5"),
        (lambda t: t.randint(0, 300, (2,), dtype=t.int8), RuntimeError, "out of bounds for int8"),
        (lambda t: t.randint(-1, 3, (2,), dtype=t.uint8), RuntimeError, "out of bounds for uint8"),
        (lambda t: t.randint(5.0, (2,)), TypeError, "'high' must be int, not float"),
        (lambda t: t.randint(0, 5, 3), TypeError, "tuple of ints, not int"),
        (lambda t: t.randperm(-1), RuntimeError, "non-negative"),
        (lambda t: t.randperm(300, dtype=t.int8), RuntimeError, "without overflow"),
        (lambda t: t.normal(0, -1, (2,)), RuntimeError, "std >= 0.0, but found std -1"),
        (lambda t: t.normal(t.zeros(2), -t.ones(2)), RuntimeError, "std >= 0.0"),
        (lambda t: t.normal(t.zeros(2), t.ones(3)), RuntimeError, "broadcast"),
        (lambda t: t.normal(0, 1), TypeError, "size"),
        (lambda t: t.bernoulli(t.tensor([2.0])), RuntimeError, r"p to be in \[0, 1\]"),
        (lambda t: t.bernoulli(t.tensor([1])), NotImplementedError, "int64"),
        (lambda t: t.multinomial([0.5], 1), TypeError, "must be Tensor, not list"),
        (lambda t: t.multinomial(t.ones(2, 2, 2), 1), RuntimeError, "1 or 2 dim"),
        (lambda t: t.multinomial(t.tensor([1, 2]), 1), RuntimeError, "got: int64"),
        (lambda t: t.multinomial(t.ones(2), 0), RuntimeError, "<= 0 samples"),
        (lambda t: t.multinomial(t.ones(2), 3), RuntimeError, "without replacement"),
        (lambda t: t.multinomial(t.tensor([1.0, -1.0]), 1), RuntimeError, "element < 0"),
        (lambda t: t.multinomial(t.zeros(2), 1), RuntimeError, "sum of probabilities <= 0"),
        (lambda t: t.zeros(2).uniform_(2, 1), RuntimeError, "from=2 > to=1"),
        (lambda t: t.zeros(2).uniform_(0, float("inf")), RuntimeError, "to=inf"),
        (lambda t: t.zeros(2).normal_(0, -1), RuntimeError, "std >= 0.0"),
        (lambda t: t.zeros(2).log_normal_(0, 0), RuntimeError, "std > 0.0"),
        (lambda t: t.zeros(2).exponential_(0), RuntimeError, "lambda > 0.0"),
        (lambda t: t.zeros(2).cauchy_(0, 0), RuntimeError, "sigma > 0.0"),
        (lambda t: t.zeros(2).geometric_(1.0), RuntimeError, r"p to be in \(0, 1\)"),
        (lambda t: t.zeros(2).bernoulli_(1.5), RuntimeError, r"p to be in \[0, 1\]"),
        (lambda t: t.zeros(2).bernoulli_(t.ones(3)), RuntimeError, r"\(2\).*\(3\)"),
        (lambda t: t.zeros(2).random_(5, 3), RuntimeError, "from=5 >= to=3"),
        (lambda t: t.zeros(2).random_(5.0), TypeError, "must be int, not float"),
        (lambda t: t.zeros(2, dtype=int).normal_(), NotImplementedError, "int64"),
        (lambda t: t.zeros(2, requires_grad=True).uniform_(), RuntimeError, "leaf Variable"),
    ],
)
def test_random_refuses(action: Callable[[Any], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        action(autograd)


def test_refilling_happens_in_place() -> None:
    x = autograd.zeros(3, 4)
    version, view = x._version, x.view(12)
    assert x.uniform_(1, 2) is x
    assert x._version == version + 1
    assert ((x >= 1) & (x < 2)).all()
    assert view.tolist() == x.flatten().tolist()


def test_refilling_ends_the_past() -> None:
    x = autograd.ones(3, requires_grad=True)
    y = x * 2
    y.normal_()
    y.sum().backward()
    assert x.grad.tolist() == [0, 0, 0]


def test_a_parameter_is_refilled_outside_the_graph() -> None:
    x = autograd.ones(3, requires_grad=True)
    with autograd.no_grad():
        x.uniform_()
    assert x.is_leaf
    assert x.requires_grad


# -- beside PyTorch --------------------------------------------------------------------------------

ALIKE: list[Callable[[Any, Any], Any]] = [
    lambda t, g: t.rand(2, 3, generator=g),
    lambda t, g: t.randn(3, generator=g),
    lambda t, g: t.randint(10, (5,), generator=g),
    lambda t, g: t.randint(-3, 10, (5,), generator=g, dtype=t.float32),
    lambda t, g: t.randint(high=10, size=(5,), generator=g, dtype=t.uint8),
    lambda t, g: t.randperm(20, generator=g),
    lambda t, g: t.randperm(20, generator=g, dtype=t.int32),
    lambda t, g: t.rand(5, dtype=t.float64, generator=g),
    lambda t, g: t.normal(1.0, 2.0, (5,), generator=g),
    lambda t, g: t.normal(t.arange(4.0), t.arange(4.0), generator=g),
    lambda t, g: t.normal(t.arange(4.0), 3.0, generator=g),
    lambda t, g: t.normal(2.0, t.arange(4.0), generator=g),
    lambda t, g: t.normal(t.zeros(2, 1), t.ones(3), generator=g),
    lambda t, g: t.bernoulli(t.linspace(0, 1, 9), generator=g),
    lambda t, g: t.zeros(4).log_normal_(0, 1, generator=g),
    lambda t, g: t.zeros(4).cauchy_(generator=g),
    lambda t, g: t.zeros(4, dtype=t.int64).geometric_(0.2, generator=g),
    lambda t, g: t.zeros(4).random_(generator=g),
    lambda t, g: t.zeros(4).random_(7, generator=g),
    lambda t, g: t.zeros(4).random_(2, to=7, generator=g),
    lambda t, g: t.zeros(2, 3).bernoulli_(t.tensor([0.0, 0.5, 1.0]), generator=g),
    # in the order of memory, which is not that of the elements
    lambda t, g: t.from_numpy(np.zeros((4, 8)).T).uniform_(generator=g),
    lambda t, g: t.from_numpy(np.zeros((4, 8), np.float32).T).normal_(generator=g),
    lambda t, g: t.from_numpy(np.zeros((8, 8))[:, ::2]).normal_(generator=g),
    lambda t, g: t.bernoulli(t.from_numpy(np.linspace(0, 1, 12).reshape(3, 4).T), generator=g),
    # ranges
    lambda t, g: t.linspace(0.1, 0.7, 77),
    lambda t, g: t.linspace(0.1, 0.7, 77, dtype=t.float64),
    lambda t, g: t.linspace(0.1, 0.7, 77, dtype=t.float16),
    lambda t, g: t.arange(300, dtype=t.int8),
    lambda t, g: t.arange(-10, 10, 3, dtype=t.float64),
    lambda t, g: t.triu_indices(5, 4, -2),
    lambda t, g: t.tril_indices(5, 4, 2),
]


@pytest.mark.parametrize("number", range(len(ALIKE)))
def test_as_pytorch(torch: ModuleType, number: int) -> None:
    make = ALIKE[number]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = make(torch, torch.Generator().manual_seed(5)).numpy()
    ours = make(autograd, Generator().manual_seed(5)).numpy()
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    if ours.dtype == np.float64:
        assert np.allclose(ours, theirs, rtol=1e-15, atol=0)
    else:
        assert (ours == theirs).all()


def test_ranges_are_pytorchs_to_the_last_place(torch: ModuleType) -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        start, step = rng.normal() * 10, rng.normal()
        end = start + step * rng.uniform(1, 100)
        for name in ("float32", "float64"):
            ours = autograd.arange(start, end, step, dtype=getattr(autograd, name)).numpy()
            theirs = torch.arange(start, end, step, dtype=getattr(torch, name)).numpy()
            assert ours.shape == theirs.shape
            ulp = np.spacing(np.abs([start, end]).max().astype(name))
            assert np.abs(ours - theirs).max() <= 2 * ulp
