"""What must hold for all shapes, all indices and all programs, tried on many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
from compare import OURS, THEIRS, Library, array, dtype_name
from hypothesis import given, settings

torch, grad = OURS.torch, OURS.autograd.grad

some = settings(max_examples=60)
shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
full_shapes = hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4)
seeds = st.integers(0, 2**32 - 1)


def numbers(seed: int, *shape: int) -> np.ndarray:
    return np.asarray(np.random.default_rng(seed).normal(size=shape))


def leaf(values: np.ndarray) -> Any:
    return OURS.leaf(values, requires_grad=True)


def inner(a: Any, b: Any) -> float:
    return float(np.sum(np.asarray(a, np.float64) * np.asarray(b, np.float64)))


def unbroadcast(gradient: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The sum over all places that one element of `shape` was broadcast to."""
    gradient = gradient.sum(tuple(range(gradient.ndim - len(shape))))
    stretched = tuple(i for i, n in enumerate(shape) if n == 1 and gradient.shape[i] != 1)
    return gradient.sum(stretched, keepdims=True)


# Broadcasting -------------------------------------------------------------------------------------

BINARY: dict[str, tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]] = {
    "x + y": (np.add, lambda x, y: 1, lambda x, y: 1),
    "x - y": (np.subtract, lambda x, y: 1, lambda x, y: -1),
    "x * y": (np.multiply, lambda x, y: y, lambda x, y: x),
    "x / y": (np.divide, lambda x, y: 1 / y, lambda x, y: -x / y**2),
    "torch.atan2(x, y)": (
        np.arctan2,
        lambda x, y: y / (x * x + y * y),
        lambda x, y: -x / (x * x + y * y),
    ),
    "torch.maximum(x, y)": (np.maximum, lambda x, y: x > y, lambda x, y: y > x),
}


@pytest.mark.parametrize("expression", BINARY)
@some
@given(hnp.mutually_broadcastable_shapes(num_shapes=2, min_side=0, max_side=4, max_dims=4), seeds)
def test_broadcasting(expression: str, found: Any, seed: int) -> None:
    """Values as NumPy's; gradients in the shape of the input, summed where it was stretched."""
    function, by_x, by_y = BINARY[expression]
    x, y = (numbers(seed + i, *shape) for i, shape in enumerate(found.input_shapes))
    if expression == "x / y":
        y = y + np.sign(y)
    tensors = {"x": leaf(x), "y": leaf(y)}
    result = OURS.evaluate(expression, tensors)
    np.testing.assert_allclose(array(result), function(x, y), 1e-14)
    dy = numbers(seed + 2, *found.result_shape)
    dx_, dy_ = grad(result, (tensors["x"], tensors["y"]), OURS.leaf(dy))
    np.testing.assert_allclose(array(dx_), unbroadcast(dy * by_x(x, y), x.shape), 1e-12, 1e-13)
    np.testing.assert_allclose(array(dy_), unbroadcast(dy * by_y(x, y), y.shape), 1e-12, 1e-13)


@some
@given(hnp.mutually_broadcastable_shapes(num_shapes=3, min_side=0, max_side=4, max_dims=3), seeds)
def test_where_broadcasts_three_ways(found: Any, seed: int) -> None:
    condition, x, y = (numbers(seed + i, *shape) for i, shape in enumerate(found.input_shapes))
    a, b = leaf(x), leaf(y)
    result = torch.where(OURS.leaf(condition > 0), a, b)
    np.testing.assert_array_equal(array(result), np.where(condition > 0, x, y))
    ones = np.ones(found.result_shape)
    by_a, by_b = grad(result.sum(), (a, b))
    np.testing.assert_array_equal(array(by_a), unbroadcast(ones * (condition > 0), x.shape))
    np.testing.assert_array_equal(array(by_b), unbroadcast(ones * (condition <= 0), y.shape))


@some
@given(
    hnp.mutually_broadcastable_shapes(
        signature="(m,k),(k,n)->(m,n)", min_side=0, max_side=3, max_dims=3
    ),
    seeds,
)
def test_matmul_broadcasts_its_batches(found: Any, seed: int) -> None:
    x, y = (numbers(seed + i, *shape) for i, shape in enumerate(found.input_shapes))
    a, b = leaf(x), leaf(y)
    result = a @ b
    np.testing.assert_allclose(array(result), x @ y, 1e-12, 1e-13)
    dy = numbers(seed + 2, *result.shape)
    by_a, by_b = grad(result, (a, b), OURS.leaf(dy))
    np.testing.assert_allclose(
        array(by_a), unbroadcast(dy @ y.swapaxes(-1, -2), x.shape), 1e-12, 1e-12
    )
    np.testing.assert_allclose(
        array(by_b), unbroadcast(x.swapaxes(-1, -2) @ dy, y.shape), 1e-12, 1e-12
    )


# Indexing -----------------------------------------------------------------------------------------


def forward_only(index: Any) -> bool:
    """PyTorch has no slices with a negative step."""
    parts = index if isinstance(index, tuple) else (index,)
    return not any(isinstance(part, slice) and (part.step or 1) < 0 for part in parts)


@st.composite
def basic(draw: Any) -> tuple[tuple[int, ...], Any]:
    shape = draw(full_shapes)
    index = draw(hnp.basic_indices(shape, allow_newaxis=True, max_dims=6).filter(forward_only))
    return shape, index


@st.composite
def advanced(draw: Any) -> tuple[tuple[int, ...], Any]:
    """Integer arrays that broadcast, or a mask, for the first axes; slices may surround them."""
    shape = draw(full_shapes)
    if draw(st.booleans()):
        covered = draw(st.integers(1, len(shape)))
        return shape, draw(hnp.arrays(bool, shape[:covered]))
    first = draw(st.integers(0, len(shape) - 1))
    count = draw(st.integers(1, len(shape) - first))
    covered = shape[first : first + count]
    places = draw(
        hnp.integer_array_indices(
            covered, result_shape=hnp.array_shapes(min_dims=1, max_dims=2, max_side=4)
        )
    )
    return shape, (*[slice(None)] * first, *places)


def as_ours(index: Any) -> Any:
    """The same index with tensors in place of arrays."""
    convert = lambda part: OURS.leaf(part) if isinstance(part, np.ndarray) else part  # noqa: E731
    return tuple(map(convert, index)) if isinstance(index, tuple) else convert(index)


def check_index(x: np.ndarray, index: Any, seed: int) -> Any:
    """x[index], its gradient, and x[index] = v with both of its gradients, all against NumPy."""
    a = leaf(x)
    part = a[as_ours(index)]
    np.testing.assert_array_equal(array(part), x[index])
    assert tuple(part.shape) == np.shape(x[index])
    dy = numbers(seed, *part.shape)
    expected = np.zeros_like(x)
    np.add.at(expected, index, dy)
    np.testing.assert_allclose(array(grad(part, a, OURS.leaf(dy))[0]), expected, 1e-12, 1e-13)

    a, v = leaf(x), leaf(numbers(seed + 1, *part.shape))
    changed, wanted = a * 1, x.copy()
    changed[as_ours(index)] = v
    places = np.full(x.shape, -1)
    order = np.arange(array(v).size).reshape(part.shape)
    places[index] = order
    unique = (
        len(np.unique(places[places >= 0])) == order.size
    )  # else it is undefined which value stays
    if unique:
        wanted[index] = array(v)
        np.testing.assert_array_equal(array(changed), wanted)
        dy = numbers(seed + 2, *x.shape)
        by_a, by_v = grad(changed, (a, v), OURS.leaf(dy))
        np.testing.assert_array_equal(array(by_a), np.where(places < 0, dy, 0))
        np.testing.assert_array_equal(array(by_v), dy[index])
    return part


@some
@given(basic(), seeds)
def test_basic_indexing(case: Any, seed: int) -> None:
    shape, index = case
    check_index(numbers(seed, *shape), index, seed)
    base = OURS.leaf(numbers(seed, *shape))
    view = base[index]
    if array(view).size:
        assert np.shares_memory(array(view), array(base))


@some
@given(advanced(), seeds)
def test_advanced_indexing(case: Any, seed: int) -> None:
    shape, index = case
    check_index(numbers(seed, *shape), index, seed)


@st.composite
def mixed(draw: Any) -> tuple[tuple[int, ...], list[Any]]:
    """Any mixture of ints, slices, None, an ellipsis, integer arrays, lists and masks."""
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4))
    length = draw(st.integers(1, 3))
    parts: list[Any] = []
    axis = 0
    while axis < len(shape):
        n = shape[axis]
        kind = draw(st.sampled_from(["int", "slice", "none", "array", "list", "mask", "all"]))
        if kind == "int":
            parts.append(draw(st.integers(-n, n - 1)))
        elif kind in ("array", "list"):
            places = draw(st.lists(st.integers(-n, n - 1), min_size=length, max_size=length))
            parts.append(places if kind == "list" else np.array(places))
        elif kind == "mask":
            mask = np.zeros(n, bool)
            mask[
                draw(
                    st.lists(
                        st.integers(0, n - 1),
                        min_size=min(length, n),
                        max_size=min(length, n),
                        unique=True,
                    )
                )
            ] = True
            parts.append(mask)
        elif kind == "none":
            parts.append(None)
            continue
        else:
            parts.append(
                slice(None)
                if kind == "all"
                else slice(draw(st.integers(-n, n)), None, draw(st.integers(1, 2)))
            )
        axis += 1
    if draw(st.booleans()):
        cut = draw(st.integers(0, len(parts)))
        parts = [*parts[:cut], Ellipsis, *parts[cut:]]
    return shape, parts


def outcome(library: Library, x: np.ndarray, index: list[Any]) -> Any:
    """x[index] and its gradient, and x[index] = 1 and its gradient; or the kind of refusal."""
    convert = lambda part: library.leaf(part) if isinstance(part, np.ndarray) else part  # noqa: E731
    parts = tuple(map(convert, index))
    a = library.leaf(x, True)
    try:
        part = a[parts]
        changed = a * 1
        changed[parts] = 1.0
    except (IndexError, RuntimeError) as refusal:
        return type(refusal)
    (by_part,) = library.autograd.grad((part * part).sum(), a)
    (by_changed,) = library.autograd.grad((changed * 3).sum(), a)
    return [array(t) for t in (part, by_part, changed, by_changed)]


@pytest.mark.skipif(THEIRS is None, reason="PyTorch is not installed")
@settings(some, max_examples=200)
@given(mixed(), seeds)
def test_mixed_indexing_is_pytorchs(case: Any, seed: int) -> None:
    """Mixing ints and arrays, NumPy and PyTorch order axes differently: PyTorch's way counts."""
    shape, index = case
    x = numbers(seed, *shape)
    ours, theirs = outcome(OURS, x, index), outcome(THEIRS, x, index)
    if isinstance(theirs, type):
        assert isinstance(ours, type)
        assert issubclass(ours, theirs)
        return
    for actual, expected in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(actual, expected, 1e-12, 1e-13)


# Shapes -------------------------------------------------------------------------------------------


@some
@given(full_shapes.flatmap(lambda s: st.tuples(st.just(s), st.permutations(range(len(s))))), seeds)
def test_permutations_undo_each_other(case: Any, seed: int) -> None:
    shape, order = case
    x = leaf(numbers(seed, *shape))
    there = x.permute(*order)
    back = there.permute(*np.argsort(order).tolist())
    assert tuple(there.shape) == tuple(shape[i] for i in order)
    np.testing.assert_array_equal(array(back), array(x))
    dy = numbers(seed + 1, *shape)
    np.testing.assert_array_equal(array(grad(back, x, OURS.leaf(dy))[0]), dy)


@some
@given(full_shapes, st.data(), seeds)
def test_reshapes_undo_each_other(shape: tuple[int, ...], data: Any, seed: int) -> None:
    size = int(np.prod(shape))
    divisors = [n for n in range(1, size + 1) if size % n == 0]
    first = data.draw(st.sampled_from(divisors))
    other = (first, -1) if data.draw(st.booleans()) else (first, size // first)
    x = leaf(numbers(seed, *shape))
    there = x.reshape(other)
    np.testing.assert_array_equal(array(there), array(x).reshape(other))
    dy = numbers(seed + 1, *shape)
    np.testing.assert_array_equal(array(grad(there.view(shape), x, OURS.leaf(dy))[0]), dy)


@some
@given(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=6), st.data(), seeds)
def test_what_is_split_can_be_joined(shape: tuple[int, ...], data: Any, seed: int) -> None:
    dim = data.draw(st.integers(-len(shape), len(shape) - 1))
    size = data.draw(st.integers(1, 7))
    x = leaf(numbers(seed, *shape))
    dy = OURS.leaf(numbers(seed + 1, *shape))
    for parts, join in (
        (x.split(size, dim), torch.cat),
        (x.chunk(size, dim), torch.cat),
        (x.unbind(dim), torch.stack),
    ):
        whole = join(parts, dim)
        np.testing.assert_array_equal(array(whole), array(x))
        np.testing.assert_array_equal(array(grad(whole, x, dy, retain_graph=True)[0]), array(dy))


# Linear operations: <Lx, y> = <x, L'y>, and L' knows nothing of x ---------------------------------

# fmt: off
LINEAR = [
    ("x.sum()", (3, 4)), ("x.sum(1)", (2, 3, 4)), ("x.sum((0, 2), keepdim=True)", (2, 3, 4)),
     ("x.mean(-1)", (3, 4)), ("x.cumsum(1)", (3, 4)),
    ("x.t()", (3, 4)), ("x.permute(2, 0, 1)", (2, 3, 4)), ("x.reshape(4, 3)", (3, 4)),
     ("x.expand(5, 3, 4)", (3, 1)), ("x.repeat(2, 3)", (2, 2)),
    ("x.flip(0)", (3, 4)), ("x.tril()", (3, 4)), ("x.triu(1)", (3, 4)), ("x.diagonal()", (3, 4)),
     ("x[1:, ::2]", (3, 4)), ("x[[0, 0, 2]]", (3, 4)),
    ("torch.cat((x, 2 * x))", (3, 4)), ("torch.stack((x, -x), 1)", (3, 4)),
     ("x.unsqueeze(1)", (3, 4)), ("x.narrow(1, 1, 2)", (3, 4)),
    ("x.gather(1, torch.tensor([[0, 0], [3, 1]]))", (3, 4)),
     ("x.index_select(1, torch.tensor([3, 3, 0]))", (3, 4)),
    ("F.pad(x, (1, 2, 0, 1))", (3, 4)), ("F.pad(x, (1, 2), mode='replicate')", (2, 3, 4)),
     ("F.pad(x, (2, 1), mode='reflect')", (2, 3, 4)),
    ("F.unfold(x, 2, stride=2, padding=1)", (1, 2, 4, 5)), ("F.fold(x, (4, 5), 2)", (1, 8, 12)),
     ("F.avg_pool2d(x, 2, 1)", (1, 2, 4, 5)),
    ("F.conv2d(x, torch.arange(36.).double().view(2, 2, 3, 3), stride=2, padding=1)", (1, 2, 5, 6)),
    ("F.conv2d(torch.arange(60.).double().view(1, 2, 5, 6), x, padding=1, dilation=2)",
     (3, 2, 3, 3)),
    ("F.conv_transpose2d(x, torch.arange(36.).double().view(2, 2, 3, 3), stride=2, padding=1)",
     (1, 2, 3, 4)),
    ("x @ torch.arange(8.).double().view(4, 2)", (3, 4)),
     ("torch.einsum('ij,kj->ik', x, torch.ones(2, 4).double())", (3, 4)),
    ("x.masked_fill(torch.eye(3, 4) > 0, 0.)", (3, 4)),
     ("torch.where(torch.eye(3, 4) > 0, x, 0. * x)", (3, 4)), ("-x / 3", (3, 4)),
    ("F.linear(x, torch.arange(8.).double().view(2, 4))", (3, 4)),
     ("F.embedding(torch.tensor([1, 1, 0]), x)", (3, 4)), ("x.movedim(0, 2)", (2, 3, 4)),
]
# fmt: on


@pytest.mark.parametrize(("expression", "shape"), LINEAR, ids=[row[0] for row in LINEAR])
def test_adjoint_of_a_linear_operation(expression: str, shape: tuple[int, ...]) -> None:
    apply = lambda t: OURS.evaluate(expression, {"x": t})  # noqa: E731
    for seed in range(3):
        x, z = leaf(numbers(seed, *shape)), leaf(numbers(seed + 10, *shape))
        lx, lz = apply(x), apply(z)
        y = numbers(seed + 20, *lx.shape)
        adjoint = array(grad(lx, x, OURS.leaf(y))[0])
        assert inner(array(lx), y) == pytest.approx(inner(array(x), adjoint), rel=1e-11, abs=1e-11)
        np.testing.assert_allclose(
            array(apply(x * 2 - z * 3)), 2 * array(lx) - 3 * array(lz), 1e-10, 1e-11
        )
        np.testing.assert_array_equal(adjoint, array(grad(lz, z, OURS.leaf(y))[0]))


# Dtypes -------------------------------------------------------------------------------------------

# fmt: off
FLOATING = ["x * x", "x + 1", "2.5 * x", "x / 3", "x ** 2", "x.exp()", "x.sum()", "x.mean()",
            "x.std()", "x.norm()", "x @ x.t()", "x.softmax(1)",
            "x[0]", "x[[0, 0]]", "x.t().reshape(-1)", "torch.cat((x, x))", "x.relu()", "F.gelu(x)",
                "x.clamp(-1, 1)", "x.max(1)[0]", "x.amax()",
            "torch.where(x > 0, x, 0.)", "put(x, 0, 1.)", "x.prod()", "x.logsumexp(0)",
                "x.cumsum(0)", "x.sigmoid()", "F.softplus(x)", "x.abs()",
            "F.layer_norm(x, (3,))", "F.mse_loss(x, x.flip(0))",
                "F.cross_entropy(x, torch.tensor([0, 2]))", "x.var(0)",
                "x - x.mean(1, keepdim=True)",
            "x.expand(4, 2, 3)", "F.linear(x, x)", "F.pad(x, (1, 1))", "x.masked_fill(x > 1, 0.)",
                "torch.stack((x, x))", "F.log_softmax(x, 0)"]
# fmt: on


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("expression", FLOATING)
def test_a_dtype_is_kept_all_the_way(expression: str, dtype: str) -> None:
    x = leaf(np.array([[0.5, -1.5, 2.0], [0.25, 1.0, -0.75]], dtype))
    y = OURS.evaluate(expression, {"x": x})
    assert dtype_name(y) == dtype
    y.sum().backward()
    assert dtype_name(x.grad) == dtype
    assert x.grad.shape == x.shape
