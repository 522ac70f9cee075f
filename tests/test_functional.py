"""`autograd.functional`, held against PyTorch: every function, every option, every refusal."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from compare import OURS, THEIRS, Library, array, assert_close, is_tensor
from tables import better_than_torch

torch = OURS.torch
functional = OURS.autograd.functional
needs_torch = pytest.mark.skipif(THEIRS is None, reason="PyTorch is not installed")
X, Y, V = np.array([1.0, 2.0, 3.0]), np.array([[0.5, -1.0, 2.0]]), np.array([1.0, 0.5, -2.0])

# Functions of x, and of x and y; `torch` stands for either library.
OF_X = {
    "a number": "lambda x: (x ** 3).sum()",
    "linear": "lambda x: (2 * x).sum()",
    "a vector": "lambda x: x.exp() * x.sum()",
    "a matrix": "lambda x: x.outer(x.sin())",
    "a constant": "lambda x: torch.ones(3, dtype=torch.float64)",
    "a constant number": "lambda x: torch.ones((), dtype=torch.float64)",
    "detached": "lambda x: x.detach().sum()",
    "a tuple": "lambda x: (x.prod(),)",
    "several": "lambda x: (x.prod(), x.square())",
    "one of two": "lambda x: (x.prod(), x.detach())",
    "a list": "lambda x: [x.sum()]",
    "a float": "lambda x: 1.0",
    "a tuple with a float": "lambda x: (x.sum(), 1.0)",
}
OF_X_AND_Y = {
    "a number": "lambda x, y: (x * y).sum() * x.prod()",
    "one input": "lambda x, y: (x ** 2).sum()",
    "linear in one": "lambda x, y: (x ** 2).sum() + y.sum()",
    "several": "lambda x, y: (x * y, (x ** 2).sum())",
}
OPTIONS = [{"create_graph": c, "strict": s} for c in (False, True) for s in (False, True)]


def result(library: Library, call: str, requires_grad: bool, **options: Any) -> Any:
    """What comes of it, or the exception."""
    names = {
        "torch": library.torch,
        "F": library.autograd.functional,
        "options": options,
        "x": library.leaf(X, requires_grad),
        "y": library.leaf(Y, requires_grad),
        "v": library.leaf(V),
        "w": library.leaf(Y[:, ::-1].copy()),
        "one": library.leaf(np.array(2.0)),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return eval(call, names)
        except Exception as error:
            return error


def assert_same(ours: Any, theirs: Any, what: str) -> None:
    if isinstance(theirs, Exception):
        assert isinstance(ours, type(theirs)), f"{what}: {ours!r}, not {theirs!r}"
        assert ("strict" in str(ours)) == ("strict" in str(theirs)), f"{what}: {ours!r}"
    elif is_tensor(theirs):
        assert_close(array(ours), array(theirs), what, 1e-9, 1e-10)
    else:
        assert isinstance(ours, tuple), f"{what}: {ours!r}"
        assert len(ours) == len(theirs), what
        for our, their in zip(ours, theirs, strict=True):
            assert_same(our, their, what)


CALLS = [
    *(f"F.{name}({f}, x, **options)" for name in ("jacobian", "hessian") for f in OF_X.values()),
    *(f"F.jacobian({f}, (x, y), **options)" for f in OF_X_AND_Y.values()),
    *(f"F.hessian({f}, (x, y), **options)" for f in OF_X_AND_Y.values()),
    *(
        f"F.{name}({f}, x, {v}, **options)"
        for name in ("vjp", "jvp", "vhp", "hvp")
        for f in OF_X.values()
        for v in ("None", "v", "one", "(v,)", "(v, v)", "1.0", "v[:2]")
    ),
    *(
        f"F.{name}({f}, (x, y), {v}, **options)"
        for name in ("vjp", "jvp", "vhp", "hvp")
        for f in OF_X_AND_Y.values()
        for v in ("None", "one", "(v, w)", "(v,)", "(w, one)", "(v, w, v)")
    ),
    *(f"F.{name}(lambda x: x * x, one, **options)" for name in ("vjp", "jvp", "vhp", "hvp")),
    *(f"F.{n}(lambda x: x.sum(), {x}, **options)" for n in ("jacobian", "hessian", "vjp")
      for x in ("[x]", "(x, 1.0)", "1.0", "x.long()")),
]  # fmt: skip


@needs_torch
@pytest.mark.parametrize("call", CALLS)
def test_like_pytorch(call: str) -> None:
    for options in OPTIONS:
        for requires_grad in (False, True):
            ours, theirs = (
                result(library, call, requires_grad, **options) for library in (OURS, THEIRS)
            )
            assert_same(ours, theirs, f"{call} {options}")


@needs_torch
@pytest.mark.parametrize("vectorize", [False, True])
@pytest.mark.parametrize("strategy", ["forward-mode", "reverse-mode", "sideways"])
@pytest.mark.filterwarnings("ignore:`torch.jit.script`:DeprecationWarning")
def test_strategies(strategy: str, vectorize: bool) -> None:
    calls = [
        *(f"F.jacobian({f}, x, strategy={strategy!r}, **options)" for f in list(OF_X.values())[:4]),
        f"F.hessian({OF_X['a number']}, x, outer_jacobian_strategy={strategy!r}, **options)",
    ]
    for call in calls:
        for options in OPTIONS:
            ours, theirs = (
                result(library, call, False, vectorize=vectorize, **options)
                for library in (OURS, THEIRS)
            )
            assert_same(ours, theirs, f"{call} {options}")


@pytest.mark.parametrize("name", ["vjp", "jvp", "vhp", "hvp"])
def test_products_agree_with_the_matrices(name: str) -> None:
    x, v = torch.tensor(X), torch.tensor(V)
    if name in ("vjp", "jvp"):
        f = lambda x: x.exp() * x.sum()  # noqa: E731
        matrix = functional.jacobian(f, x)
    else:
        f = lambda x: (x**3).sum() * x.prod()  # noqa: E731
        matrix = functional.hessian(f, x)
    output, product = getattr(functional, name)(f, x, v)
    expected = v @ matrix if name[0] == "v" else matrix @ v
    np.testing.assert_allclose(array(product), array(expected), 1e-10)
    np.testing.assert_allclose(array(output), array(f(x)), 1e-10)


@pytest.mark.parametrize("name", ["jacobian", "hessian", "vjp", "jvp", "vhp", "hvp"])
def test_create_graph(name: str) -> None:
    """Gradients flow back to the inputs that were given, and to v; without it, nowhere."""
    function = getattr(functional, name)

    def of(x: Any, *v: Any) -> Any:
        found = function(lambda x: (x**4).sum(), x, *v, create_graph=True)
        return found if is_tensor(found) else found[1]

    x = torch.tensor(X, requires_grad=True)
    vs = {"vjp": (np.array(2.0),), "jacobian": (), "hessian": ()}.get(name, (V,))
    inputs = (x, *(torch.tensor(v, requires_grad=True) for v in vs))
    assert torch.autograd.gradcheck(of, inputs)
    free = function(lambda x: (x**4).sum(), *inputs)
    for t in (free,) if is_tensor(free) else free:
        assert not t.requires_grad


@better_than_torch
def test_nothing_has_an_empty_jacobian() -> None:
    assert functional.jacobian(lambda x: x[:0], torch.tensor(X)).shape == (0, 3)


def test_inside_no_grad() -> None:
    x = torch.tensor(X, requires_grad=True)
    with torch.no_grad():
        jacobian = functional.jacobian(lambda x: x**2, x, create_graph=True)
        assert not functional.jacobian(lambda x: x**2, x).requires_grad
    assert jacobian.requires_grad
    np.testing.assert_allclose(array(jacobian), np.diag(2 * X))


def test_a_variable_of_the_closure_is_a_constant() -> None:
    x = torch.tensor(X, requires_grad=True)
    jacobian = functional.jacobian(lambda z: z * x, x)
    np.testing.assert_allclose(array(jacobian), np.diag(X))
