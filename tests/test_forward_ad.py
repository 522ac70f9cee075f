"""Forward mode: dual tensors, and for every operation that J and J' are each other's transposes."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
import pytest
from cases import CASES, Case
from compare import OURS, THEIRS, array, tensors_in
from tables import better_than_torch

# PyTorch compiles its forward-mode formulas when they are first used, and warns of that itself.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script`:DeprecationWarning")

torch, nn = OURS.torch, OURS.nn
fwAD = OURS.autograd.forward_ad
Function = OURS.autograd.Function


def tensor(*shape: int, seed: int = 0) -> Any:
    return torch.tensor(np.asarray(np.random.default_rng(seed).normal(size=shape)))


def pushed(function: Any, *pairs: Any) -> Any:
    """The tangent of ``function`` at primals with tangents."""
    with fwAD.dual_level():
        return fwAD.unpack_dual(function(*(fwAD.make_dual(x, t) for x, t in pairs))).tangent


def assert_equal(actual: Any, expected: Any) -> None:
    np.testing.assert_allclose(array(actual), array(expected), 1e-10, 1e-12)


# Every operation ----------------------------------------------------------------------------------


@pytest.mark.skipif(OURS is THEIRS, reason="about our own rules")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.spellings[0])
def test_jvp_is_the_transpose_of_vjp(case: Case) -> None:
    """⟨v, J t⟩ = ⟨J'v, t⟩; recorded or not, J t is the same; and central differences agree."""
    from autograd.func import jvp, vjp

    for sample in case.samples:
        arrays = case.arrays(sample)
        moving = [n for n, x in sample.items() if x.differentiable and arrays[n].dtype.kind == "f"]
        fixed = {name: torch.tensor(a) for name, a in arrays.items() if name not in moving}

        def function(*xs: Any, moving: Any = moving, fixed: Any = fixed) -> Any:
            torch.manual_seed(0)
            inputs = {**fixed, **dict(zip(moving, xs, strict=True))}
            found = tensors_in(OURS.evaluate(case.spellings[0], inputs))
            return tuple(y for y in found if y.is_floating_point())

        if not moving:
            continue
        random = np.random.default_rng(0)
        like = lambda x, random=random: torch.tensor(  # noqa: E731
            np.asarray(random.normal(size=x.shape), array(x).dtype)
        )
        xs = tuple(torch.tensor(arrays[name]) for name in moving)
        ts = tuple(map(like, xs))
        ys, us = jvp(function, xs, ts)
        vs = tuple(map(like, ys))
        gs = vjp(function, *xs)[1](vs)
        forms = [(tuple(y.shape), y.dtype) for y in ys]
        assert [(tuple(u.shape), u.dtype) for u in us] == forms
        leaves = tuple(x.clone().requires_grad_() for x in xs)
        for u, recorded in zip(us, jvp(function, leaves, ts)[1], strict=True):
            np.testing.assert_allclose(array(recorded), array(u), 1e-10, 1e-12)
        if not case.smooth:
            continue  # inf - inf, and slopes that backward takes for zero
        forward, backward = inner(vs, us), inner(gs, ts)
        precision = 1e-9 if all(array(y).dtype == np.float64 for y in ys) else 1e-3
        assert forward == pytest.approx(backward, precision, precision)
        if precision == 1e-9:
            eps = 1e-6
            before, after = (
                function(*(x + step * t for x, t in zip(xs, ts, strict=True)))
                for step in (-eps, eps)
            )
            slope = (inner(vs, after) - inner(vs, before)) / (2 * eps)
            assert forward == pytest.approx(slope, 1e-4, 1e-5)


def inner(a: Any, b: Any) -> float:
    return float(sum(np.sum(array(x) * array(y)) for x, y in zip(a, b, strict=True)))


# Dual tensors -------------------------------------------------------------------------------------


def test_make_and_unpack() -> None:
    x, t = tensor(3), tensor(3, seed=1)
    with fwAD.dual_level() as level:
        assert level == 0
        dual = fwAD.make_dual(x, t)
        assert_equal(dual, x)
        unpacked = fwAD.unpack_dual(dual)
        primal, tangent = unpacked
        assert primal is unpacked.primal
        assert tangent is unpacked.tangent
        assert tangent is t
        assert_equal(primal, x)
        assert fwAD.unpack_dual(primal).tangent is None
        assert fwAD.unpack_dual(x).tangent is None
        result = fwAD.unpack_dual(torch.sin(dual) * x)
        assert_equal(result.tangent, torch.cos(x) * t * x)
        assert not result.primal.requires_grad
        assert not result.tangent.requires_grad
    assert fwAD.unpack_dual(dual).tangent is None


def test_levels() -> None:
    x = tensor(2)
    with pytest.raises(RuntimeError, match="no level exists"):
        fwAD.make_dual(x, x)
    with pytest.raises(RuntimeError):
        fwAD.exit_dual_level()
    with fwAD.dual_level():
        with pytest.raises(RuntimeError, match="Nested forward mode AD is not supported"):
            fwAD.enter_dual_level()
        with pytest.raises(RuntimeError, match="not the last one"):
            fwAD.exit_dual_level(level=3)
    level = fwAD.enter_dual_level()
    fwAD.exit_dual_level(level=level)
    with pytest.raises(KeyError), fwAD.dual_level():
        raise KeyError
    with fwAD.dual_level():
        pass


def test_bad_duals() -> None:
    x, whole = tensor(3), torch.tensor([1, 2, 3])
    with fwAD.dual_level():
        with pytest.raises(ValueError, match="Expected primal to be floating point"):
            fwAD.make_dual(whole, x)
        with pytest.raises((TypeError, AttributeError), match="float"):
            fwAD.make_dual(x, 1.0)
        with pytest.raises(ValueError, match="Expected tangent to be floating point"):
            fwAD.make_dual(x, whole)
        with pytest.raises(RuntimeError, match="different size"):
            fwAD.make_dual(x, tensor(1))
        dual = fwAD.make_dual(x, x)
        with pytest.raises(RuntimeError, match="already has a forward gradient"):
            fwAD.make_dual(dual, x)
        with pytest.raises(RuntimeError, match="forward gradient at the same level"):
            fwAD.make_dual(x, dual)
        with pytest.raises(TypeError):
            fwAD.unpack_dual(1.0)


def test_detach_has_no_tangent_and_integers_have_none() -> None:
    with fwAD.dual_level():
        dual = fwAD.make_dual(tensor(3), tensor(3))
        for t in (dual.detach(), dual.argmax(), dual > 0, dual.long(), torch.zeros_like(dual)):
            assert fwAD.unpack_dual(t).tangent is None
        assert_equal(fwAD.unpack_dual(dual * dual.detach()).tangent, tensor(3) * tensor(3))


def test_broadcasting_and_promotion() -> None:
    x, t, y = tensor(3, 1), tensor(3, 1, seed=1), tensor(2)
    tangent = pushed(lambda x: x.float() * y + x, (x, t))
    assert tangent.shape == (3, 2)
    assert tangent.dtype == torch.float64
    np.testing.assert_allclose(array(tangent), array(t * y + t), 1e-6)


def test_several_outputs() -> None:
    x, t = tensor(4), tensor(4, seed=1)
    with fwAD.dual_level():
        values, indices = fwAD.make_dual(x, t).sort()
        first, *_ = values.split(2)
        assert fwAD.unpack_dual(indices).tangent is None
        assert_equal(fwAD.unpack_dual(first).tangent, t[x.sort().indices][:2])


def test_in_place_and_views() -> None:
    x, t = tensor(4), tensor(4, seed=1)
    with fwAD.dual_level():
        dual = fwAD.make_dual(x.clone(), t.clone())
        y = dual.clone()
        y[0] = 5.0
        y[1:].mul_(dual[1:])
        expected = 2 * x * t
        expected[0] = 0
        assert_equal(fwAD.unpack_dual(y).tangent, expected)
        plain = torch.zeros_like(x)
        part = plain[2:]
        part.copy_(dual[2:])
        assert_equal(fwAD.unpack_dual(part).tangent, t[2:])
        assert_equal(fwAD.unpack_dual(plain).tangent, torch.cat([torch.zeros_like(t[:2]), t[2:]]))
        dual.mul_(3)
        assert_equal(fwAD.unpack_dual(dual).tangent, 3 * t)


def test_what_is_printed() -> None:
    with fwAD.dual_level():
        dual = fwAD.make_dual(torch.ones(1), torch.ones(1) * 2)
        assert "tangent=tensor([2.])" in str(dual)
        assert "tangent=" not in str(fwAD.unpack_dual(dual).primal)
        assert "tangent=tensor([4.])" in repr(dual * 2)
    assert "tangent=" not in str(dual)


def test_out_is_refused() -> None:
    with fwAD.dual_level():
        dual = fwAD.make_dual(tensor(2), tensor(2))
        for operands, out in (((tensor(2), tensor(2)), dual), ((dual, tensor(2)), tensor(2))):
            with pytest.raises(RuntimeError, match="out="):
                torch.add(*operands, out=out)


def test_a_tangent_lives_as_long_as_its_dual() -> None:
    with fwAD.dual_level():
        tangent = tensor(3)
        seen = weakref.ref(tangent)
        dual = fwAD.make_dual(tensor(3), tangent)
        del tangent
        assert seen() is not None
        del dual
        assert seen() is None


def test_a_dual_of_what_requires_grad_is_not_changed_in_place() -> None:
    with fwAD.dual_level():
        dual = fwAD.make_dual(tensor(3).requires_grad_(), tensor(3))
        with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
            dual.mul_(2)


def test_reverse_over_forward() -> None:
    """The tangent can be differentiated: by the primal, and by the tangent that was given."""
    x, t = tensor(3).requires_grad_(), tensor(3, seed=1).requires_grad_()
    with fwAD.dual_level():
        y = fwAD.make_dual(x, t) ** 3
        primal, tangent = fwAD.unpack_dual(y)
        by_x, by_t = torch.autograd.grad(tangent.sum(), (x, t))
        (of_primal,) = torch.autograd.grad(primal.sum(), x)
    assert_equal(by_x, 6 * x * t)
    assert_equal(by_t, 3 * x**2)
    assert_equal(of_primal, 3 * x**2)


@pytest.mark.parametrize("create_graph", [False, True])
def test_forward_over_reverse(create_graph: bool) -> None:
    """Gradients computed inside the level carry tangents: a Hessian-vector product."""
    x, v = tensor(3).requires_grad_(), tensor(3, seed=1)
    with fwAD.dual_level():
        dual = fwAD.make_dual(x, v)
        y = (dual**3).sum() + dual.prod()
        (gradient,) = torch.autograd.grad(y, dual, create_graph=create_graph)
        tangent = fwAD.unpack_dual(gradient).tangent
    f = lambda x: (x**3).sum() + x.prod()  # noqa: E731
    assert_equal(tangent, torch.autograd.functional.hvp(f, x, v)[1])


def test_gradients_of_what_has_no_tangent_have_no_graph() -> None:
    x, w = tensor(3), tensor(3, seed=1).requires_grad_()
    with fwAD.dual_level():
        dual = fwAD.make_dual(x, x)
        assert not torch.autograd.grad((w * w).sum(), w)[0].requires_grad
        (gradient,) = torch.autograd.grad(w * w, w, dual)  # it comes with the gradient
        assert_equal(fwAD.unpack_dual(gradient).tangent, 2 * w * x)


def test_backward_inside_the_level() -> None:
    x = tensor(3).requires_grad_()
    with fwAD.dual_level():
        (fwAD.make_dual(x, tensor(3)) ** 2).sum().backward()
    assert_equal(x.grad, 2 * x)


def test_around_the_level_no_grad_is_harmless() -> None:
    x, t, w = tensor(3), tensor(3, seed=1), tensor(3, seed=2).requires_grad_()
    with torch.no_grad():
        tangent = pushed(lambda x: (x * w).exp(), (x, t))
    assert_equal(tangent, (x * w).exp() * w * t)
    assert not tangent.requires_grad


@pytest.mark.parametrize(
    "operation",
    [
        *(
            "x * 2",
            "2 - x",
            "x * w",
            "x.exp()",
            "x.sum()",
            "x.reshape(3, 1) * 1",
            "torch.cat([x, x])[2:]",
        ),
        *("x.sort()[0]", "x.softmax(0)", "x.float()", "Double.apply(x)"),
        *("(x * w).clone().mul_(2)", "x[1:] * x.detach()[1:]", "torch.stack([x, w.exp()])"),
    ],
)
def test_no_grad_concerns_gradients_and_not_tangents(operation: str) -> None:
    x, t, w = tensor(3).requires_grad_(), tensor(3, seed=1), tensor(3, seed=2).requires_grad_()
    names = {"torch": torch, "Double": Double, "w": w}
    expected = pushed(lambda x: eval(operation, {**names, "x": x}), (x.detach(), t))
    with fwAD.dual_level():
        dual = fwAD.make_dual(x, t)
        with torch.no_grad():
            y = eval(operation.replace(".clone().mul_(2)", " * 2"), {**names, "x": dual})
        primal, tangent = fwAD.unpack_dual(y)
        assert_equal(tangent, expected)
        assert not primal.requires_grad
        assert not tangent.requires_grad
        mixed = fwAD.unpack_dual((dual * w).sum() + y.sum()).tangent
        gradients = torch.autograd.grad(mixed, (x, w), allow_unused=True, materialize_grads=True)
        assert_equal(gradients[0], torch.zeros(3))
        assert_equal(gradients[1], t)
        (gradient,) = torch.autograd.grad((dual * w).sum() + y.sum(), w)
        assert_equal(gradient, x)


@pytest.mark.skipif(OURS is THEIRS, reason="PyTorch follows here too")
def test_in_place_changes_in_no_grad_are_refused() -> None:
    """They would lose the tangent without a word."""
    plain = torch.zeros(3).double()
    with fwAD.dual_level():
        dual = fwAD.make_dual(tensor(3), tensor(3))
        with torch.no_grad():
            for change in (
                lambda: dual.mul_(2),
                lambda: plain.add_(dual),
                lambda: plain.__setitem__(0, dual[0]),
                lambda: plain[1:].copy_(dual[1:]),
            ):
                with pytest.raises(RuntimeError, match=r"in-place operation .* carries a tangent"):
                    change()
            plain.mul_(2)
            plain[0] = dual.detach()[0]


def test_modules() -> None:
    """The model of the tutorial: parameters become duals."""
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.BatchNorm1d(4), nn.Linear(4, 2)).double()
    x = tensor(5, 3)
    tangents = {name: torch.ones_like(p) for name, p in model.named_parameters()}
    parameters = dict(model.named_parameters())

    def loss(step: float) -> Any:
        moved = {n: (p + step * tangents[n]).detach() for n, p in parameters.items()}
        return torch.func.functional_call(model, moved, (x,)).square().sum()

    with fwAD.dual_level():
        for name, p in parameters.items():
            owner = model.get_submodule(name.rpartition(".")[0])
            delattr(owner, name.rpartition(".")[2])
            setattr(owner, name.rpartition(".")[2], fwAD.make_dual(p, tangents[name]))
        tangent = fwAD.unpack_dual(model(x).square().sum()).tangent
    for name, p in parameters.items():
        owner = model.get_submodule(name.rpartition(".")[0])
        delattr(owner, name.rpartition(".")[2])
        owner.register_parameter(name.rpartition(".")[2], p)
    slope = (loss(1e-6) - loss(-1e-6)).item() / 2e-6
    assert tangent.item() == pytest.approx(slope, 1e-5)


def test_long_graphs() -> None:
    tangent = pushed(lambda x: chain(x, 20_000), (torch.tensor(1.0), torch.tensor(1.0)))
    assert tangent.item() == pytest.approx(1.0001**20_000, 1e-2)


def chain(x: Any, n: int) -> Any:
    for _ in range(n):
        x = x * 1.0001
    return x


@better_than_torch
def test_what_was_overwritten_is_refused() -> None:
    """PyTorch, whose tangents are computed at once, need not."""
    with fwAD.dual_level():
        dual = fwAD.make_dual(tensor(3), tensor(3))
        w = tensor(3)
        y = dual * w
        w.zero_()
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            fwAD.unpack_dual(y)


# Functions ----------------------------------------------------------------------------------------


class Double(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return 2 * x

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        return 2 * dy

    @staticmethod
    def jvp(ctx: Any, tangent: Any) -> Any:
        return 2 * tangent


class Product(Function):
    """With everything that jvp may meet."""

    @staticmethod
    def forward(ctx: Any, x: Any, n: Any, y: Any) -> Any:
        ctx.save_for_backward(x, y)
        ctx.save_for_forward(x, y)
        ctx.n = n
        return n * x * y, x + y

    @staticmethod
    def backward(ctx: Any, d: Any, e: Any) -> Any:
        x, y = ctx.saved_tensors
        return ctx.n * d * y + e, None, ctx.n * d * x + e

    @staticmethod
    def jvp(ctx: Any, tx: Any, tn: Any, ty: Any) -> Any:
        x, y = ctx.saved_tensors
        assert tn is None
        return ctx.n * (tx * y + x * ty), tx + ty


def test_a_function_with_jvp() -> None:
    x, y, t = tensor(3), tensor(3, seed=1), tensor(3, seed=2)
    with fwAD.dual_level():
        a, b = Product.apply(fwAD.make_dual(x, t), 3, y)  # y has no tangent: jvp is given zeros
        assert_equal(fwAD.unpack_dual(a).tangent, 3 * t * y)
        assert_equal(fwAD.unpack_dual(b).tangent, t)
    leaf = x.clone().requires_grad_()
    with fwAD.dual_level():
        a, _ = Product.apply(fwAD.make_dual(leaf, t), 3, fwAD.make_dual(y, t))
        tangent = fwAD.unpack_dual(a).tangent
        (gradient,) = torch.autograd.grad(tangent.sum(), leaf)
    assert_equal(tangent, 3 * t * (x + y))
    assert_equal(gradient, 3 * t)


def test_jvp_may_use_what_forward_left_on_ctx_once() -> None:
    """As the tutorial does, to free memory."""

    class Exp(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.result = torch.exp(x)
            return ctx.result

        @staticmethod
        def jvp(ctx: Any, tangent: Any) -> Any:
            pushed = tangent * ctx.result
            del ctx.result
            return pushed

    x, t = tensor(3), tensor(3, seed=1)
    with fwAD.dual_level():
        y = Exp.apply(fwAD.make_dual(x, t))
        assert_equal(fwAD.unpack_dual(y).tangent, t * torch.exp(x))
        assert_equal(fwAD.unpack_dual(2 * y).tangent, 2 * t * torch.exp(x))


def test_set_materialize_grads_is_about_tangents_too() -> None:
    class Sum(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            ctx.set_materialize_grads(False)
            return x + y

        @staticmethod
        def jvp(ctx: Any, tx: Any, ty: Any) -> Any:
            assert ty is None
            return tx.clone()

    assert_equal(pushed(lambda x: Sum.apply(x, tensor(3)), (tensor(3), tensor(3))), tensor(3))


def test_a_jvp_that_does_not_fit() -> None:
    class Bad(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def jvp(ctx: Any, tangent: Any) -> Any:
            return tangent[:2]

    with pytest.raises(RuntimeError):
        pushed(Bad.apply, (tensor(3), tensor(3)))


@better_than_torch
def test_a_function_without_jvp_is_transposed() -> None:
    class Cube(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            (x,) = ctx.saved_tensors
            return 3 * x**2 * dy

    x, t = tensor(3), tensor(3, seed=1)
    assert_equal(pushed(Cube.apply, (x, t)), 3 * x**2 * t)


@better_than_torch
@pytest.mark.parametrize(
    "backward",
    [lambda dy: dy.clamp(-0.1, 0.1), lambda dy: torch.tensor(array(dy)), lambda dy: dy.data],
)
def test_but_not_if_its_backward_is_not_linear_or_not_recorded(backward: Any) -> None:
    class Strange(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return backward(dy)

    with pytest.raises(NotImplementedError, match="must implement the jvp function"):
        pushed(Strange.apply, (tensor(3), tensor(3)))


def test_a_function_that_can_do_nothing() -> None:
    class Nothing(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

    with pytest.raises(NotImplementedError):
        pushed(Nothing.apply, (tensor(3), tensor(3)))
