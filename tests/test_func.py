"""`autograd.func`, held against PyTorch: derivatives of functions, nested in all ways, and vmap."""

from __future__ import annotations

import gc
import warnings
import weakref
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest
from compare import OURS, THEIRS, Library, array, assert_close, is_tensor
from tables import better_than_torch, lines

# PyTorch compiles its forward-mode formulas when they are first used, and warns of that itself.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script`:DeprecationWarning")
needs_torch = pytest.mark.skipif(THEIRS is None, reason="PyTorch is not installed")

torch, nn, F = OURS.torch, OURS.nn, OURS.functional
func = torch.func

ARRAYS = {
    "x": np.array([1.0, 2.0, 3.0]),
    "y": np.array([0.5, -1.0, 2.0]),
    "v": np.array([1.0, 0.5, -2.0]),
    "m": np.arange(6.0).reshape(2, 3) - 2,
    "s": np.array(0.7),
    "i": np.array([1, 2, 3]),
    "e": np.zeros((0, 3)),
}


def evaluate(library: Library, expression: str) -> Any:
    """The result, or the exception. `w` is a leaf that requires grad."""
    names = {name: getattr(library.torch.func, name) for name in func.__all__}
    names |= {name: library.leaf(a) for name, a in ARRAYS.items()}
    names |= {"torch": library.torch, "w": library.leaf(ARRAYS["y"], requires_grad=True)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return eval(expression, names)
        except Exception as error:
            return error


def assert_same(ours: Any, theirs: Any, what: str) -> None:
    if isinstance(theirs, Exception) or isinstance(ours, Exception):
        assert isinstance(ours, type(theirs)), f"{what}: {ours!r}, not {theirs!r}"
    elif is_tensor(theirs):
        assert_close(array(ours), array(theirs), what, 1e-9, 1e-11)
        assert ours.requires_grad == theirs.requires_grad, f"{what}: {ours!r}, not {theirs!r}"
    elif isinstance(theirs, dict):
        assert list(ours) == list(theirs), what
        assert_same(tuple(ours.values()), tuple(theirs.values()), what)
    elif isinstance(theirs, tuple | list):
        assert isinstance(ours, tuple | list), what
        assert isinstance(ours, tuple) == isinstance(theirs, tuple), what
        assert len(ours) == len(theirs), what
        for our, their in zip(ours, theirs, strict=True):
            assert_same(our, their, what)
    else:
        assert ours == theirs, what


AGREE = lines("""
    grad(lambda x: (x ** 3).sum())(x)
    grad(lambda x: (x ** 3).sum())(x.float())
    grad(lambda x: x.square().mean(), argnums=0)(m)
    grad(lambda x, y: (x * y ** 2).sum(), argnums=1)(x, y)
    grad(lambda x, y: (x * y ** 2).sum(), argnums=-1)(x, y)
    grad(lambda x, y: (x * y ** 2).sum(), argnums=(1, 0))(x, y)
    grad(lambda x, y: (x * y ** 2).sum(), argnums=(0,))(x, y)
    grad(lambda x, k: (x ** k).sum())(x, 2)
    grad(lambda x, *, k: (x ** k).sum())(x, k=3)
    grad(lambda p: (p["a"] * p["b"][0]).sum() * p["b"][1])({"a": x, "b": [y, s]})
    grad(lambda p, q: (p[0] * q["a"]).sum(), argnums=(0, 1))((x, s), {"a": y})
    grad(lambda x: torch.ones(()))(x)
    grad(lambda x: x.detach().sum())(x)
    grad(lambda x: x)(s)
    grad(lambda x: (x.sum(), x * 2), has_aux=True)(x)
    grad_and_value(lambda x: (x ** 3).sum())(x)
    grad_and_value(lambda x: (x.sum(), {"a": [x * 2]}), has_aux=True)(x)
    vjp(lambda x: x.sin(), x)[1](v)
    vjp(lambda x, y: (x * y, {"a": x.sum()}), x, y)[1]((v, {"a": s}))
    vjp(lambda x, y: (x * y, [x.sum()]), x, y)[0]
    vjp(lambda x: (x.sin(), x.cos()), x, has_aux=True)[2]
    vjp(lambda p: p["a"] * 2, {"a": x, "b": y})[1](v)
    vjp(lambda x: torch.ones(2, dtype=x.dtype), x)[1](torch.ones(2, dtype=x.dtype))
    [vjp(lambda x: x.sin(), x)[1](v * k) for k in (1, 2)]
    jvp(lambda x: x.sin() * x.sum(), (x,), (v,))
    jvp(lambda x, y: (x * y, {"a": x.sum()}), (x, y), (v, y))
    jvp(lambda p: p["a"] * p["b"], ({"a": x, "b": y},), ({"a": v, "b": x},))
    jvp(lambda x: (x * 3, x * 2), (x,), (v,), has_aux=True)
    jvp(lambda x: torch.ones(2), (x,), (v,))
    jvp(lambda x: (x, x.detach()), (x,), (v,))
    jvp(lambda x: x.cumsum(0).softmax(0).log(), (x,), (v,))
    jvp(lambda m: torch.linalg.det(m @ m.T + torch.eye(2, dtype=m.dtype)), (m,), (m.cos(),))
    linearize(lambda x: x.sin() * x, x)[0]
    linearize(lambda x: x.sin() * x, x)[1](v)
    linearize(lambda x, y: (x * y).sum(), x, y)[1](v, x)
    jacrev(lambda x: x.sin() * x.sum())(x)
    jacfwd(lambda x: x.sin() * x.sum())(x)
    jacrev(lambda x, y: (x.outer(y), x.sum()), argnums=(0, 1))(x, y)
    jacfwd(lambda x, y: (x.outer(y), x.sum()), argnums=(0, 1))(x, y)
    jacrev(lambda x, y: x.outer(y), argnums=1)(x, y)
    jacfwd(lambda x, y: x.outer(y), argnums=(1,))(x, y)
    jacrev(lambda p: {"c": p["a"] * p["b"][0]})({"a": x, "b": (y,)})
    jacfwd(lambda p: {"c": p["a"] * p["b"][0]})({"a": x, "b": (y,)})
    jacrev(lambda x: (x.sin(), {"n": x.sum()}), has_aux=True)(x)
    jacfwd(lambda x: (x.sin(), {"n": x.sum()}), has_aux=True)(x)
    jacrev(lambda m: m.sum(0), chunk_size=2)(m)
    jacfwd(lambda m: m.sum(0), randomness="same")(m)
    jacrev(lambda x: torch.ones(2, dtype=x.dtype))(x)
    jacfwd(lambda x: torch.ones(2, dtype=x.dtype))(x)
    jacrev(lambda x: x)(s)
    hessian(lambda x: (x ** 3).sum() * x.prod())(x)
    hessian(lambda x, y: (x * y).prod(), argnums=(0, 1))(x, y)
    hessian(lambda p: (p["a"] ** 2).sum() * p["b"].sum())({"a": x, "b": s})
    # nested: to any order, and over variables of the closure
    grad(grad(lambda x: x ** 4))(s)
    grad(grad(grad(lambda x: x.sin() * x ** 4)))(s)
    grad(lambda x: x * grad(lambda y: x * y)(x))(s)
    grad(lambda x: x * grad(lambda y: x * y * y)(torch.ones_like(x)))(s)
    grad(lambda x: grad(lambda y: x ** 2 + y ** 2)(x) * x)(s)
    jvp(lambda x: x * jvp(lambda y: x * y, (s * 2,), (s * 3,))[1], (s,), (s,))
    jvp(lambda x: jvp(lambda y: (x * y).sin(), (x,), (x,))[1], (s,), (torch.ones_like(s),))
    jvp(grad(lambda x: (x ** 3).sum() * x.prod()), (x,), (v,))
    grad(lambda x: jvp(lambda y: (y ** 3).sum(), (x,), (v,))[1])(x)
    grad(lambda x: jvp(lambda y: (x * y ** 2).sum(), (x,), (x,))[1])(x)
    grad(lambda t: jvp(lambda y: (y ** 3).sum(), (x,), (t,))[1])(v)
    vjp(grad(lambda x: (x ** 3).sum()), x)[1](v)
    grad(lambda x: vjp(lambda y: x * y ** 2, x)[1](v)[0].sum())(x)
    jacfwd(jacrev(lambda x: (x ** 3).sum() * x.prod()))(x)
    jacrev(jacfwd(lambda x: (x ** 3).sum() * x.prod()))(x)
    jacrev(jacrev(lambda x: x ** 3))(x)
    jacfwd(jacfwd(lambda x: x ** 3 * x.sum()))(x)
    jacfwd(jacfwd(jacrev(lambda x: (x ** 4).sum())))(x)
    jacfwd(lambda x: hessian(lambda y: (y ** 3).sum() * x.sum())(x))(x)
    linearize(grad(lambda x: (x ** 3).sum()), x)[1](v)
    # what the user's own graph leads to stays connected, and nothing else
    grad(lambda x: (x * w).sum())(x)
    grad(lambda x: (x * x + w).sum())(x)
    grad(lambda x: (x ** 2).sum())(w)
    torch.autograd.grad(grad(lambda x: (x ** 3 * w).sum())(w).sum(), w)
    torch.autograd.grad(jvp(lambda x: x ** 3, (w,), (v,))[1].sum(), w)
    torch.autograd.grad(vjp(lambda x: x ** 3, x)[1](w)[0].sum(), w)
    torch.autograd.grad(jacrev(lambda x: x ** 3)(w).sum(), w)
    torch.autograd.grad(jacfwd(lambda x: x ** 3)(w).sum(), w)
    vjp(lambda x: x * 2, w)[0]
    jvp(lambda x: x ** 2, (w,), (v,))
    torch.no_grad()(grad(lambda x: (x ** 2).sum()))(w)
    torch.no_grad()(lambda: jvp(lambda x: (x ** 2).sum(), (w,), (v,)))()
    torch.no_grad()(hessian(lambda x: (x ** 3).sum()))(w)
    grad(lambda x: (x ** 2 - torch.no_grad()(lambda: x ** 2)()).sum())(x)
    # no_grad concerns gradients, not tangents
    jvp(lambda x: x ** 3 - torch.no_grad()(lambda: x ** 2)(), (x,), (v,))
    jacfwd(lambda x: x ** 3 - torch.no_grad()(lambda: x ** 2)())(x)
    jacfwd(jacrev(lambda x: x ** 3 - torch.no_grad()(lambda: x ** 2)()))(x)
    jacrev(jacfwd(lambda x: x ** 3 - torch.no_grad()(lambda: x ** 2)()))(x)
    jacfwd(jacfwd(lambda x: x ** 3 - torch.no_grad()(lambda: x ** 2)()))(x)
    jvp(lambda x: torch.no_grad()(lambda: jvp(lambda y: y ** 3, (x,), (x,))[1])(), (x,), (v,))
    grad(lambda x: (x * torch.no_grad()(lambda: jvp(lambda y: y ** 3, (x,), (x,))[1])()).sum())(x)
    jvp(torch.no_grad()(grad(lambda x: (x ** 3).sum())), (x,), (v,))
    grad(lambda x: (x * torch.no_grad()(grad(lambda y: (y ** 3).sum()))(x)).sum())(x)
    jvp(lambda x: torch.no_grad()(lambda: vjp(lambda y: y ** 3, x)[1](x)[0])(), (x,), (v,))
    # vmap
    vmap(lambda x: x * 2)(m)
    vmap(lambda x: x.sum(), in_dims=1)(m)
    vmap(lambda x: x.sum(), in_dims=-1, out_dims=-1)(m)
    vmap(lambda x: x.outer(x), out_dims=1)(m)
    vmap(lambda x: x.outer(x), out_dims=-1)(m)
    vmap(torch.dot, in_dims=(0, None))(m, y)
    vmap(vmap(lambda x, y: x * y, (None, 0)), (0, None))(x, y)
    vmap(lambda x, k: x * k, (0, None))(m, 3)
    vmap(lambda x, k=1: x * k)(m, k=m)
    vmap(lambda p: p["a"] * p["b"][0], in_dims=({"a": 0, "b": (None,)},))({"a": m, "b": (y,)})
    vmap(lambda p: p["a"] * p["b"][0])({"a": m, "b": (m,)})
    vmap(lambda p, y: p[0] * p[1] + y, in_dims=([0, 1], None))([m, m.T], y)
    vmap(lambda x: (x, [x, x.sum()]), out_dims=(0, [1, 0]))(m)
    vmap(lambda x: {"a": x}, out_dims={"a": 1})(m)
    vmap(lambda x: (x, x), out_dims=1)(m)
    vmap(lambda x: x, out_dims=(1,))(m)
    vmap(lambda x: (x, None), out_dims=(0, None))(m)
    vmap(lambda x: y)(m)
    vmap(lambda x: y * 2, out_dims=None)(m)
    vmap(lambda x: x.max(0))(m)
    vmap(lambda x: x * 2, chunk_size=1)(m)
    vmap(lambda x: (x.sum(), x))(e)
    vmap(grad(lambda x: (x ** 3).sum()))(m)
    vmap(grad(lambda p, x: (p * x).sum() ** 2), in_dims=(None, 0))(y, m)
    grad(lambda x: vmap(lambda r: (r * x).sum() ** 2)(m).sum())(x)
    jvp(vmap(lambda r: r.sin() * r.sum()), (m,), (m,))
    jacrev(vmap(lambda r: r.sin().sum()))(m)
    vmap(jacfwd(lambda r: r.sin() * r.sum()))(m)
    vmap(vjp(lambda x: x ** 2, x)[1])(torch.eye(3, dtype=x.dtype))
    vmap(lambda x: x.sin())(m * w)
    torch.vmap(lambda x: x + 1)(m)
    # refused
    grad(lambda x: x)(x)
    grad(lambda x: 1.0)(x)
    grad(lambda x: x.sum().item())(x)
    grad(lambda x: (x.sum(),))(x)
    grad(lambda x: x.sum(), argnums=1)(x)
    grad(lambda x: x.sum(), argnums=-2)(x)
    grad(lambda x: x.sum(), argnums=(0, 0))(x)
    grad(lambda x: x.sum(), argnums=(0, -1))(x)
    grad(lambda x: x.sum(), argnums="x")(x)
    grad(lambda x: x.sum(), argnums=())(x)
    grad(lambda x: x.sum())(1.0)
    grad(lambda x: x.float().sum())(i)
    grad(lambda x: x.sum(), has_aux=True)(x)
    grad(lambda x: x.mul_(2).sum())(x.clone())
    vjp(lambda x: (x, 2.0), x)
    vjp(lambda x: (x, x), x)[1](v)
    vjp(lambda x: (x, x), x)[1](v, v)
    vjp(lambda x: {"a": x}, x)[1]({"b": v})
    vjp(lambda x: x, x)[1](v[:2])
    jvp(lambda x: x, x, v)
    jvp(lambda x: x, (x,), (v, v))
    jvp(lambda x: x, (x,), (v[:2],))
    jvp(lambda x: x, (x,), (i,))
    jvp(lambda x: x, (i,), (v,))
    jvp(lambda x: x, (1.0,), (v,))
    jvp(lambda: x, (), ())
    jvp(lambda x: (x, 1.0), (x,), (v,))
    jvp(lambda x: y * 2, (x,), (v,), strict=True)
    linearize(lambda x: x * 2, x)[1](v, v)
    linearize(lambda x: x * 2, x)[1](v[:2])
    linearize(lambda x: x * 2, x)[1](v.float())
    jacrev(lambda x: 1.0)(x)
    jacfwd(lambda x: 1.0)(x)
    jacrev(lambda x: x * 2, chunk_size=0)(x)
    jacrev(lambda x: x * 2, argnums=3)(x)
    jacfwd(lambda x: x * 2, randomness="some")(x)
    jacrev(lambda x: x * 2)(i)
    jacfwd(lambda x: x * 2)(i)
    vmap(lambda x: x)(1.0)
    vmap(lambda: x)()
    vmap(lambda x: x, in_dims=2)(m)
    vmap(lambda x: x, in_dims=None)(m)
    vmap(lambda x: x, in_dims=(None,))(m)
    vmap(lambda x: x, in_dims="a")(m)
    vmap(lambda x: x, in_dims=[0])(m)
    vmap(lambda x: x, in_dims=())(m)
    vmap(lambda x, y: x, in_dims=(0,))(m, m)
    vmap(lambda x: x, in_dims=([0],))([m, m])
    vmap(lambda x, y: x * y)(m, x)
    vmap(lambda x: x)(s)
    vmap(lambda x: x, out_dims=5)(m)
    vmap(lambda x: x, out_dims="a")(m)
    vmap(lambda x: (x, x), out_dims=(0,))(m)
    vmap(lambda x: x, out_dims=(0, None))(m)
    vmap(lambda x: x, out_dims=None)(m)
    vmap(lambda x: (x, 2))(m)
    vmap(lambda x: None)(m)
    vmap(lambda x: x.shape)(m)
    vmap(lambda x: x[x > 0])(m)
    vmap(lambda x: x, chunk_size=0)(m)
    vmap(lambda x: x, randomness="some")(m)
    vmap(lambda x: x + torch.rand(3))(m)
""")


@needs_torch
@pytest.mark.parametrize("expression", AGREE)
def test_like_pytorch(expression: str) -> None:
    ours, theirs = (evaluate(library, expression) for library in (OURS, THEIRS))
    assert_same(ours, theirs, expression)
    if isinstance(ours, Exception):
        assert len(str(ours)) > 10


def program(random: Random, names: list[str], depth: int) -> str:
    """An expression in the variables ``names``, with derivatives nested ``depth`` deep at most."""
    if not depth:
        return random.choice(names)
    smaller = lambda names=names: program(random, names, depth - 1)  # noqa: E731
    one, other = random.choice(names), random.choice(names)
    bound = f"y{depth}{random.randrange(100)}"
    body = (
        f"lambda {bound}: {random.choice([*names, bound])} * ({smaller([*names, bound])}) * {one}"
    )
    at = f"({smaller()} * {other})"
    return random.choice(
        [
            *(f"({smaller()} * {smaller()} + {one})", f"torch.sin({one} * {smaller()})"),
            *(f"torch.no_grad()(lambda: {one} * {smaller()})()", f"({smaller()}.detach() * {one})"),
            *(f"grad({body})({at})", f"jvp({body}, ({at},), ({one} * 1.0,))[1]"),
            *(f"jacfwd({body})({at})", f"vjp({body}, {at})[1]({one} * 1.0)[0]"),
            *(f"jacrev({body})({at})", f"jvp({body}, ({at},), ({one} * 1.0,))[0]"),
            f"vmap({body})(torch.stack([{at}, {one} * 1.0])).sum()",
        ]
    )


OUTER = [
    *("grad({f})(s)", "jacfwd({f})(s)", "jvp({f}, (s,), (s * 2,))", "hessian({f})(s)"),
    *("grad(grad({f}))(s)", "jacfwd(grad({f}))(s)", "({f})(s)"),
    *("torch.autograd.grad(({f})(w[0]), w)", "torch.autograd.functional.hvp({f}, s, s)"),
]


@needs_torch
@pytest.mark.parametrize("seed", range(100))
def test_random_nestings(seed: int) -> None:
    """No derivative is taken for another, however they are nested."""
    random = Random(seed)
    expression = f"lambda x: 0.5 * x * ({program(random, ['x'], 3)})"
    expression = random.choice(OUTER).format(f=expression)
    ours, theirs = (evaluate(library, expression) for library in (OURS, THEIRS))
    assert_same(ours, theirs, expression)


@needs_torch
@pytest.mark.parametrize("randomness", ["same", "different"])
def test_randomness(randomness: str) -> None:
    expression = f"vmap(lambda r: r * 0 + torch.rand(3), randomness={randomness!r})(m.float())"
    results = []
    for library in (OURS, THEIRS):
        library.torch.manual_seed(0)
        results.append(evaluate(library, expression))
    ours, theirs = results
    assert_same(ours, theirs, expression)
    assert (array(ours)[0] == array(ours)[1]).all() == (randomness == "same")


@better_than_torch
def test_vmap_of_what_only_python_can_do() -> None:
    """Branches, numbers, NumPy: refused by PyTorch."""

    def function(r: Any) -> Any:
        if r.sum() > 0:
            return torch.tensor(np.sort(array(r)))
        return r * r.max().item()

    m = torch.tensor([[1.0, -3.0], [4.0, 2.0]])
    assert func.vmap(function)(m).tolist() == [[1.0, -3.0], [2.0, 4.0]]


@better_than_torch
def test_linearize_can_be_differentiated() -> None:
    """PyTorch's answer is uninitialized memory."""
    x = torch.tensor(ARRAYS["x"])
    slopes = func.grad(lambda x: func.linearize(lambda y: y**2, x)[1](x).sum())(x)
    np.testing.assert_allclose(array(slopes), 4 * ARRAYS["x"])


def test_vmap_in_place_reaches_the_batch() -> None:
    m = torch.zeros(2, 3)
    func.vmap(lambda r, k: r.add_(k))(m, torch.tensor([1.0, 2.0]))
    assert m.tolist() == [[1.0] * 3, [2.0] * 3]


def test_names_and_docstrings_are_kept() -> None:
    def loss(x: Any) -> Any:
        """What to minimize."""
        return x.sum()

    for transform in (func.grad, func.jacrev, func.jacfwd, func.vmap):
        assert transform(loss).__name__ == "loss"
        assert transform(loss).__doc__ == "What to minimize."


@pytest.mark.skipif(OURS is THEIRS, reason="PyTorch's graphs are not Python's")
@pytest.mark.parametrize(
    "expression",
    [
        *("grad(f)(x)", "hessian(f)(x)", "jvp(f, (x,), (x,))", "jacfwd(grad(f))(x)"),
        *("vjp(f, x)[1](x.sum())", "linearize(f, x)[1](x)", "vmap(grad(f))(torch.stack([x, x]))"),
        *(
            "jvp(lambda x: torch.no_grad()(f)(x), (x,), (x,))",
            "grad(lambda x: jvp(f, (x,), (x,))[1])(x)",
        ),
    ],
)
def test_no_graph_outlives_its_derivative(expression: str) -> None:
    """With the garbage collector off: there are no reference cycles."""
    seen = []

    def f(x: Any) -> Any:
        y = (x.exp() * x).sum()
        seen.extend([weakref.ref(x.grad_fn), weakref.ref(y.grad_fn)])
        return y * y

    names = {name: getattr(func, name) for name in func.__all__}
    gc.disable()
    try:
        eval(expression, {**names, "f": f, "x": torch.tensor([1.0, 2.0]), "torch": torch})
        assert seen
        assert all(node() is None for node in seen)
    finally:
        gc.enable()


def test_nothing_is_left_behind_by_an_error() -> None:
    x = torch.tensor([1.0, 2.0])

    def fails(x: Any) -> Any:
        raise KeyError("oops")

    for transform in (func.grad(fails), func.jacfwd(fails), lambda x: func.jvp(fails, (x,), (x,))):
        with pytest.raises(KeyError):
            transform(x)
    w = x.clone().requires_grad_()
    with torch.no_grad():
        assert not (w * 2).requires_grad


# Modules ------------------------------------------------------------------------------------------


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Linear(2, 2, bias=False)
        self.b = nn.Linear(2, 2, bias=False)
        self.b.weight = self.a.weight

    def forward(self, x: Any) -> Any:
        return self.b(self.a(x))


class Counter(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("count", torch.zeros(()))

    def forward(self, x: Any) -> Any:
        self.count.add_(1)
        return x + self.count


def test_functional_call() -> None:
    model = nn.Linear(3, 2)
    before = model.weight
    zero = {"weight": torch.zeros(2, 3), "bias": torch.ones(2)}
    x = torch.ones(4, 3)
    assert func.functional_call(model, zero, x).tolist() == [[1.0, 1.0]] * 4
    halves = [{"weight": zero["weight"]}, {"bias": zero["bias"]}]
    assert func.functional_call(model, halves, (x,)).tolist() == [[1.0, 1.0]] * 4
    assert func.functional_call(model, zero, None, {"input": x}).shape == (4, 2)
    assert model.weight is before
    with pytest.raises(RuntimeError):
        func.functional_call(model, zero, torch.ones(4, 5))
    assert model.weight is before


def test_functional_call_with_ties_and_buffers() -> None:
    tied, x = Tied(), torch.ones(1, 2)
    two = 2 * torch.eye(2)
    assert func.functional_call(tied, {"a.weight": two}, x).tolist() == [[4.0, 4.0]]
    both = {"a.weight": two, "b.weight": torch.eye(2)}
    assert func.functional_call(tied, both, x, tie_weights=False).tolist() == [[2.0, 2.0]]
    with pytest.raises(ValueError, match="tied"):
        func.functional_call(tied, both, x)
    counter, count = Counter(), torch.tensor(5.0)
    assert func.functional_call(counter, {"count": count}, x).tolist() == [[7.0, 7.0]]
    assert count.item() == 6
    assert counter.count.item() == 0


def test_functional_call_refuses() -> None:
    model, x = nn.Linear(3, 2), torch.ones(1, 3)
    weight = {"weight": torch.zeros(2, 3)}
    func.functional_call(model, {**weight, "wieght": x}, x)  # as in PyTorch, unless strict
    with pytest.raises(RuntimeError, match=r"Missing key\(s\): 'bias'"):
        func.functional_call(model, weight, x, strict=True)
    with pytest.raises(RuntimeError, match=r"Unexpected key\(s\): 'more'"):
        func.functional_call(model, {**weight, "bias": torch.ones(2), "more": x}, x, strict=True)
    with pytest.raises(ValueError, match="multiple dictionaries"):
        func.functional_call(model, [weight, weight], x)
    with pytest.raises(ValueError, match="to be a dict"):
        func.functional_call(model, 3, x)
    with pytest.raises(TypeError, match="not an instance"):
        func.functional_call(model, {"weight": 1}, x)


def test_stack_module_state() -> None:
    models = [nn.BatchNorm1d(2) for _ in range(3)]
    parameters, buffers = func.stack_module_state(models)
    assert parameters["weight"].shape == (3, 2)
    assert parameters["weight"].requires_grad
    assert parameters["weight"].is_leaf
    assert buffers["running_mean"].shape == (3, 2)
    with pytest.raises(RuntimeError, match="at least one model"):
        func.stack_module_state([])
    with pytest.raises(RuntimeError, match="same class"):
        func.stack_module_state([nn.ReLU(), nn.Tanh()])
    with pytest.raises(RuntimeError, match="training/eval mode"):
        func.stack_module_state([nn.ReLU(), nn.ReLU().eval()])


# Functions of one's own ---------------------------------------------------------------------------


class Sort(OURS.autograd.Function):
    """By NumPy, as the tutorial does it."""

    @staticmethod
    def forward(x: Any) -> Any:
        order = np.argsort(x.cpu().numpy())
        return torch.tensor(x.cpu().numpy()[order]), torch.tensor(order)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.mark_non_differentiable(output[1])
        ctx.save_for_backward(output[1])

    @staticmethod
    def backward(ctx: Any, dy: Any, _: Any) -> Any:
        (order,) = ctx.saved_tensors
        return dy[order.argsort()]


class Cube(OURS.autograd.Function):
    """Which returns its slope too, to be saved; with everything that it may bring along."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Any) -> Any:
        return x**3, 3 * x**2

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(inputs[0], output[1])
        ctx.save_for_forward(inputs[0], output[1])

    @staticmethod
    def backward(ctx: Any, dy: Any, dslope: Any) -> Any:
        x, slope = ctx.saved_tensors
        return dy * slope + dslope * 6 * x

    @staticmethod
    def jvp(ctx: Any, tangent: Any) -> Any:
        x, slope = ctx.saved_tensors
        return tangent * slope, 6 * x * tangent


def test_functions_of_ones_own() -> None:
    x = torch.tensor(ARRAYS["x"][::-1].copy())
    by_sort = func.grad(lambda x: (Sort.apply(x)[0] * x).sum())(x)
    np.testing.assert_allclose(array(by_sort), [2, 4, 6])
    cube = lambda x: Cube.apply(x)[0]  # noqa: E731
    first, second = np.diag(3 * array(x) ** 2), np.diag(6 * array(x))
    np.testing.assert_allclose(array(func.jacrev(cube)(x)), first)
    np.testing.assert_allclose(array(func.jacfwd(cube)(x)), first)
    np.testing.assert_allclose(array(func.vmap(func.grad(cube))(x)), np.diag(first))
    np.testing.assert_allclose(array(func.jvp(cube, (x,), (x,))[1]), np.diag(first) * array(x))
    total = lambda x: cube(x).sum()  # noqa: E731
    np.testing.assert_allclose(array(func.hessian(total)(x)), second)
    np.testing.assert_allclose(array(func.jacrev(func.grad(total))(x)), second)


@better_than_torch
def test_a_jvp_of_ones_own_can_be_nested() -> None:
    """PyTorch's answer is zero."""
    x = torch.tensor(ARRAYS["x"])
    nested = func.jacfwd(func.jacfwd(lambda x: Cube.apply(x)[0]))(x)
    np.testing.assert_allclose(array(nested).sum((1, 2)), 6 * ARRAYS["x"])


# The tutorials ------------------------------------------------------------------------------------


def network() -> Any:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)).double()


def batch(n: int) -> tuple[Any, Any]:
    random = np.random.default_rng(0)
    return torch.tensor(random.normal(size=(n, 4))), torch.tensor(random.integers(0, 3, n))


def test_per_sample_gradients() -> None:
    model = network()
    data, targets = batch(6)
    parameters = {name: p.detach() for name, p in model.named_parameters()}

    def loss(parameters: Any, sample: Any, target: Any) -> Any:
        prediction = func.functional_call(model, parameters, (sample.unsqueeze(0),))
        return F.cross_entropy(prediction, target.unsqueeze(0))

    gradients = func.vmap(func.grad(loss), in_dims=(None, 0, 0))(parameters, data, targets)
    for k in range(6):
        model.zero_grad()
        F.cross_entropy(model(data[k : k + 1]), targets[k : k + 1]).backward()
        for name, p in model.named_parameters():
            np.testing.assert_allclose(array(gradients[name][k]), array(p.grad), 1e-10)
            assert not gradients[name].requires_grad


def test_model_ensembling() -> None:
    models = [network() for _ in range(3)]
    for k, model in enumerate(models):
        with torch.no_grad():
            for p in model.parameters():
                p.mul_(k + 1)
    data, _ = batch(2)
    parameters, buffers = func.stack_module_state(models)

    def call(parameters: Any, buffers: Any, x: Any) -> Any:
        return func.functional_call(models[0], (parameters, buffers), (x,))

    together = func.vmap(call, in_dims=(0, 0, None))(parameters, buffers, data)
    for k, model in enumerate(models):
        np.testing.assert_allclose(array(together[k]), array(model(data)), 1e-10)
    together.sum().backward()
    models[1](data).sum().backward()
    expected = array(models[1][0].weight.grad)
    np.testing.assert_allclose(array(parameters["0.weight"].grad)[1], expected, 1e-10)


def test_neural_tangent_kernels() -> None:
    """Two ways to the same matrix: by contracting Jacobians, and by jvp of vjp."""
    model = network()
    parameters = {name: p.detach() for name, p in model.named_parameters()}
    one, other = batch(2)[0], batch(3)[0] * 0.5
    of_sample = lambda p, x: func.functional_call(model, p, (x.unsqueeze(0),)).squeeze(0)  # noqa: E731

    def by_jacobians(x1: Any, x2: Any) -> Any:
        j1, j2 = (
            [
                j.flatten(2)
                for j in func.vmap(func.jacrev(of_sample), (None, 0))(parameters, x).values()
            ]
            for x in (x1, x2)
        )
        return sum(torch.einsum("Naf,Mbf->NMab", a, b) for a, b in zip(j1, j2, strict=True))

    def by_products(x1: Any, x2: Any) -> Any:
        def entry(x1: Any, x2: Any) -> Any:
            output, vjp_fn = func.vjp(lambda p: of_sample(p, x1), parameters)
            column = lambda v: func.jvp(lambda p: of_sample(p, x2), (parameters,), vjp_fn(v))[1]  # noqa: E731
            return func.vmap(column)(torch.eye(output.numel(), dtype=output.dtype))

        return func.vmap(func.vmap(entry, (None, 0)), (0, None))(x1, x2)

    np.testing.assert_allclose(
        array(by_jacobians(one, other)), array(by_products(one, other)), 1e-8, 1e-12
    )


def test_hessian_vector_products() -> None:
    x, v = torch.tensor(ARRAYS["x"]), torch.tensor(ARRAYS["v"])
    f = lambda x: x.sin().sum() * x.prod()  # noqa: E731
    expected = array(func.hessian(f)(x)) @ array(v)
    ways: dict[str, Callable[[], Any]] = {
        "forward over reverse": lambda: func.jvp(func.grad(f), (x,), (v,))[1],
        "reverse over reverse": lambda: func.vjp(func.grad(f), x)[1](v)[0],
        "reverse over forward": lambda: func.grad(lambda x: func.jvp(f, (x,), (v,))[1])(x),
    }
    for name, way in ways.items():
        np.testing.assert_allclose(array(way()), expected, 1e-9, err_msg=name)


def test_learning_to_learn() -> None:
    """MAML: the gradient of the loss after a step of gradient descent."""
    model = network()
    data, targets = batch(4)
    parameters = {name: p.detach() for name, p in model.named_parameters()}

    def loss(p: Any) -> Any:
        return F.cross_entropy(func.functional_call(model, p, (data,)), targets)

    def after_a_step(p: Any) -> Any:
        slopes = func.grad(loss)(p)
        return loss({name: p[name] - 0.1 * slopes[name] for name in p})

    slopes = func.grad(after_a_step)(parameters)
    eps = 1e-6
    for name, p in parameters.items():
        values = []
        for step in (eps, -eps):
            moved = p.clone()
            moved.view(-1)[0] += step
            values.append(after_a_step({**parameters, name: moved}).item())
        slope = (values[0] - values[1]) / (2 * eps)
        assert slopes[name].view(-1)[0].item() == pytest.approx(slope, 1e-5, 1e-9)


def test_vmap_does_not_return_what_later_samples_change() -> None:
    y = torch.zeros(2)
    with pytest.raises(RuntimeError):
        torch.func.vmap(lambda x: y.add_(x))(torch.ones(3, 2))
