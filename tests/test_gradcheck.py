"""gradcheck and gradgradcheck: what is right passes, and of what is wrong they say what it is.

Written in PyTorch's words; `SUBJECT=torch pytest` shows that PyTorch decides alike. The reasons are
given in our own words.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from compare import OURS, SUBJECT

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")  # PyTorch's own

torch, autograd = OURS.torch, OURS.autograd
gradcheck, gradgradcheck = autograd.gradcheck, autograd.gradgradcheck

GradcheckError = import_module(gradcheck.__module__).GradcheckError


def leaf(values: Any, dtype: Any = torch.float64) -> Any:
    return torch.tensor(values, dtype=dtype, requires_grad=True)


def says(words: str) -> str | None:
    """A pattern for our message; PyTorch's has other words."""
    return None if SUBJECT == "torch" else words


def square(slope: float = 2, detached: bool = False, noise: float = 0, offset: float = 0) -> Any:
    """x², whose backward can be made wrong in several ways."""

    class Square(autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            (x,) = ctx.saved_tensors
            if detached:
                x = x.detach()
            return slope * x * dy + offset + noise * dy * torch.rand(x.shape, dtype=torch.float64)

    return Square.apply


# What is right ------------------------------------------------------------------------------------

matrix = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.float64)
RIGHT: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "one input": (lambda x: x.sin() * x, (leaf([1.0, 2.0]),)),
    "a number": (lambda x: x * x, (leaf(2.0),)),
    "nothing": (lambda x: x * x, (leaf([]),)),
    "a matrix, transposed": (lambda x: x @ x, (matrix.t().requires_grad_(),)),
    "two inputs": (lambda x, y: x * y, (leaf([1.0, 2.0]), leaf([[3.0], [4.0]]))),
    "inputs that need no gradient": (lambda x, m, n: x @ m * n, (leaf([1.0, 2.0]), matrix, 3)),
    "an input that is not used": (lambda x, y: x * x, (leaf([1.0, 2.0]), leaf([3.0]))),
    "two outputs": (lambda x: (x * x, x.exp()), (leaf([1.0, 2.0]),)),
    "a view": (lambda x: x.view(-1), (leaf([[1.0, 2.0]]),)),
    "the input itself": (lambda x: x, (leaf([1.0, 2.0]),)),
    "an intermediate result as input": (lambda x: x * x, (leaf([1.0, 2.0]) * 3,)),
    "a kink, but not there": (lambda x: x.relu(), (leaf([-1.0, 2.0]),)),
    "whole numbers": (lambda x: x.argmax(), (leaf([1.0, 2.0]),)),
    "changed in place": (lambda x: x.clone().mul_(3), (leaf([1.0, 2.0]),)),
    "a rule of one's own": (square(), (leaf([1.0, 2.0]),)),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_right(name: str) -> None:
    function, inputs = RIGHT[name]
    tensors = [x for x in inputs if isinstance(x, torch.Tensor)]
    before = [x.tolist() for x in tensors]
    assert gradcheck(function, inputs) is True
    assert [x.tolist() for x in tensors] == before  # the inputs are as they were
    assert all(x.grad is None for x in tensors if x.is_leaf)


@pytest.mark.parametrize("name", [name for name in RIGHT if name != "whole numbers"])
def test_right_twice(name: str) -> None:
    assert gradgradcheck(*RIGHT[name]) is True


def test_one_tensor_need_not_be_in_a_tuple() -> None:
    assert gradcheck(lambda x: x * x, leaf([1.0]))
    assert gradcheck(lambda x, y: x * y, [leaf([1.0]), leaf([1.0])])


# What is wrong ------------------------------------------------------------------------------------


def test_a_wrong_rule() -> None:
    with pytest.raises(GradcheckError, match="Jacobian mismatch for output 0") as caught:
        gradcheck(square(slope=2.5), leaf([1.3, 2.0]))
    if SUBJECT != "torch":
        assert str(caught.value) == (
            "Jacobian mismatch for output 0 with respect to input 0: d output[0] / d input[0] is "
            "3.25 by backward and 2.6 by central differences (2 of 4 elements differ). The input "
            "there is 1.3."
        )
    assert gradcheck(square(slope=2.5), leaf([1.3]), raise_exception=False) is False
    assert gradcheck(square(slope=2.5), leaf([1.3]), atol=1)


def test_a_wrong_rule_of_the_second_of_two() -> None:
    with pytest.raises(GradcheckError, match="for output 1 with respect to input 1") as caught:
        gradcheck(
            lambda x, y: (x * x, x * square(slope=1)(y)), (leaf([[1.0, 2.0]]), leaf([0.0, 3.0]))
        )
    if SUBJECT != "torch":
        assert r"d output[0, 1] / d input[1] is 6 by backward and 12" in str(caught.value)


def test_a_rule_that_makes_something_of_nothing() -> None:
    with pytest.raises(GradcheckError):
        gradcheck(square(offset=1e-6), leaf([1.0, 2.0]), atol=1e-3)
    if SUBJECT != "torch":
        with pytest.raises(GradcheckError, match="a gradient of zero did not come back as zero"):
            gradcheck(square(offset=1e-6), leaf([1.0, 2.0]), atol=1e-3)
        assert gradcheck(
            square(offset=1e-6), leaf([1.0, 2.0]), atol=1e-3, check_undefined_grad=False
        )


def test_a_kink() -> None:
    words = says("It is a kink: the slope is 0 on its left and 1 on its right. Move the input away")
    with pytest.raises(GradcheckError, match=words):
        gradcheck(lambda x: x.relu(), leaf([2.0, 0.0]))


def test_the_edge_of_a_domain() -> None:
    with pytest.raises(GradcheckError, match=says("not finite there: move the input")):
        gradcheck(lambda x: x.sqrt(), leaf([0.0]))


@pytest.mark.filterwarnings("ignore:Input #0 requires gradient and is not a double precision")
def test_float32_is_too_coarse() -> None:
    words = says("The input is torch.float32: use float64")
    with pytest.raises(GradcheckError, match=words):
        gradcheck(lambda x: x * 2, leaf([1.0, 2.0], torch.float32))


def test_a_function_that_is_not_repeatable() -> None:
    words = says("gives different values for the same input: it draws random numbers")
    with pytest.raises(GradcheckError, match=words):
        gradcheck(lambda x: x * torch.rand(2, dtype=torch.float64), leaf([1.0, 2.0]))


def test_a_backward_that_is_not_repeatable() -> None:
    with pytest.raises(GradcheckError, match="Backward is not reentrant"):
        gradcheck(square(noise=1e-7), leaf([1.0, 2.0]))
    assert gradcheck(
        square(noise=1e-7), leaf([1.0, 2.0]), nondet_tol=1e-6, check_undefined_grad=False
    )


def test_a_result_that_was_cut_off() -> None:
    words = says("does not require grad, though it depends on the input: somewhere it was cut off")
    with pytest.raises(GradcheckError, match=words):
        gradcheck(lambda x: x.detach() * 2, leaf([1.0, 2.0]))


def test_inputs_without_gradient() -> None:
    with pytest.raises(ValueError, match="expects at least one input tensor to require gradient"):
        gradcheck(lambda x: x, torch.tensor([1.0]))
    with pytest.raises(ValueError, match="expects at least one input tensor to require gradient"):
        gradgradcheck(lambda x, n: x, (torch.tensor([1.0]), 3))


@pytest.mark.parametrize("check", [gradcheck, gradgradcheck])
def test_inputs_that_share_memory(check: Any) -> None:
    stretched = torch.tensor([1.0], dtype=torch.float64).expand(3).requires_grad_()
    with pytest.raises(RuntimeError, match="contiguous"):
        check(lambda x: x * 2, stretched)


# Second derivatives -------------------------------------------------------------------------------


def test_a_rule_that_forgets_its_graph() -> None:
    assert gradcheck(square(detached=True), leaf([1.0, 2.0]))
    with pytest.raises(GradcheckError, match="Jacobian mismatch"):
        gradgradcheck(square(detached=True), leaf([1.0, 2.0]))
    assert gradgradcheck(square(detached=True), leaf([1.0]), raise_exception=False) is False


def test_weights_may_be_given() -> None:
    x = leaf([1.0, 2.0])
    assert gradgradcheck(lambda x: x**3, x, leaf([0.5, 2.0]))
    assert gradgradcheck(lambda x: x**3, x, [torch.tensor([0.5, 2.0], dtype=torch.float64)])
    assert gradgradcheck(lambda x: x**3, x, gen_non_contig_grad_outputs=True)


# Options ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RIGHT)
def test_right_in_fast_mode_and_in_batches(name: str) -> None:
    assert gradcheck(*RIGHT[name], fast_mode=True)
    assert gradcheck(*RIGHT[name], check_grad_dtypes=True, masked=True)


def test_right_twice_in_fast_mode() -> None:
    assert gradgradcheck(lambda x: x.sin() * x, leaf([1.0, 2.0]), fast_mode=True)
    assert gradgradcheck(lambda x: x.sin() * x, leaf([1.0, 2.0]), check_grad_dtypes=True)


@pytest.mark.skipif(SUBJECT == "torch", reason="PyTorch batches by vmap, which knows no Function")
@pytest.mark.parametrize("name", RIGHT)
def test_right_in_batches(name: str) -> None:
    assert gradcheck(*RIGHT[name], check_batched_grad=True)


OWN = "a rule of one's own"  # which has none for forward mode


@pytest.mark.parametrize("name", [name for name in RIGHT if name != OWN])
def test_right_by_forward_mode(name: str) -> None:
    function, inputs = RIGHT[name]
    assert gradcheck(function, inputs, check_forward_ad=True)
    assert gradcheck(function, inputs, check_forward_ad=True, fast_mode=True)
    alone = {"check_forward_ad": True, "check_backward_ad": False, "check_undefined_grad": False}
    assert gradcheck(function, inputs, **alone)


@pytest.mark.skipif(SUBJECT == "torch", reason="PyTorch batches by vmap, which has its limits")
@pytest.mark.parametrize("name", ["one input", "two inputs", "two outputs", "a number"])
def test_right_by_forward_mode_in_batches(name: str) -> None:
    assert gradcheck(*RIGHT[name], check_forward_ad=True, check_batched_forward_grad=True)


def test_right_twice_by_forward_mode() -> None:
    function = lambda x, y: (x.sin() * y, x.exp())  # noqa: E731
    inputs = leaf([1.0, 2.0]), leaf([[3.0], [4.0]])
    assert gradgradcheck(function, inputs, check_fwd_over_rev=True)
    assert gradgradcheck(
        function,
        inputs,
        check_fwd_over_rev=True,
        check_rev_over_rev=False,
        check_undefined_grad=False,
    )


def test_wrong_by_forward_mode() -> None:
    class Twice(autograd.Function):
        @staticmethod
        def forward(x: Any) -> Any:
            return x * 2

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            pass

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return dy * 2

        @staticmethod
        def jvp(ctx: Any, t: Any) -> Any:
            return t * 3

    x = leaf([1.0, 2.0])
    assert gradcheck(Twice.apply, x)
    with pytest.raises(GradcheckError, match="mismatch") as caught:
        gradcheck(Twice.apply, x, check_forward_ad=True)
    if SUBJECT != "torch":
        assert "is 3 by forward mode and 2 by central differences" in str(caught.value)
    assert not gradcheck(
        Twice.apply, x, check_forward_ad=True, fast_mode=True, raise_exception=False
    )


def test_wrong_in_fast_mode() -> None:
    with pytest.raises(GradcheckError, match="mismatch") as caught:
        gradcheck(square(slope=2.5), leaf([1.3, 2.0]), fast_mode=True)
    if SUBJECT != "torch":
        assert "d output[0] / d input[0] is 3.25 by backward and 2.6" in str(caught.value)
    with pytest.raises(GradcheckError):
        gradgradcheck(square(detached=True), leaf([1.0, 2.0]), fast_mode=True)
    assert not gradcheck(square(slope=3), leaf([1.0]), fast_mode=True, raise_exception=False)


def test_options_that_contradict_each_other() -> None:
    x = leaf([1.0])
    for options in (
        {"check_backward_ad": False},
        {"check_batched_grad": True, "check_backward_ad": False, "check_forward_ad": True},
        {"check_batched_forward_grad": True},
    ):
        with pytest.raises(AssertionError, match="to be True"):
            gradcheck(lambda x: x * 2, x, **options)
    for options in (
        {"check_rev_over_rev": False},
        {"check_rev_over_rev": False, "check_fwd_over_rev": True},
    ):
        with pytest.raises(AssertionError, match="to be True"):
            gradgradcheck(lambda x: x * 2, x, **options)


def test_inputs_that_are_not_float64_are_warned_of() -> None:
    with pytest.warns(UserWarning, match="Input #0 requires gradient and is not a double"):
        gradcheck(lambda x: x * 2, leaf([1.0], torch.float32), atol=1)


# One element --------------------------------------------------------------------------------------

ours = pytest.mark.skipif(SUBJECT == "torch", reason="PyTorch has no gradcheck_at")


@ours
def test_one_element() -> None:
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    found = autograd.gradcheck_at(lambda x: (x**3).sum(), x, (1, -1))
    assert found
    assert found.index == (1, 1)
    assert found.at == 4
    assert found.step == 1e-6
    assert found.analytic == 48
    assert found.numerical == pytest.approx(48, rel=1e-8)
    assert found.difference < 1e-8
    assert str(found).split("\n")[0] == "d loss / d x[1, 1], at x[1, 1] =  4"
    assert "they agree" in str(found)
    assert x.tolist() == [[1, 2], [3, 4]]
    assert x.grad is None


@ours
def test_one_element_of_a_number_and_of_a_parameter() -> None:
    x = leaf(2.0)
    assert autograd.gradcheck_at(lambda x: x * x, x).analytic == 4
    weight = leaf([1.0, 2.0])
    assert autograd.gradcheck_at(lambda _: (weight * weight).sum(), weight, 1).analytic == 4
    assert autograd.gradcheck_at(lambda x: x.sin(), x, eps=0.5).numerical == pytest.approx(
        -0.4161 * 0.9589, abs=1e-4
    )


@ours
def test_the_delta_method_of_a_network() -> None:
    """The third layer of a textbook's network, by a step that leaves all numbers whole."""
    w1, w2 = leaf([[2.0, -3.0, 0.0], [-1.0, 1.0, 2.0]]), leaf([[1.0, 2.0], [2.0, -2.0]])
    last, x = torch.tensor([-1.0, 2.0], dtype=torch.float64), torch.tensor([3.0, 1.0, 2.0]).double()
    out = lambda _: last @ (w2 @ (w1 @ x).relu()).relu()  # noqa: E731
    found = autograd.gradcheck_at(out, w1, (1, 1), eps=0.5)
    assert (found.analytic, found.numerical, found.left, found.right) == (-6, -6, -6, -6)


@ours
def test_what_is_amiss_at_one_element() -> None:
    at = autograd.gradcheck_at
    kink = at(lambda x: x.relu().sum(), leaf([1.0, 0.0]), 1)
    assert not kink
    assert (kink.left, kink.right) == pytest.approx((0, 1))
    assert "This looks like a kink: the slope is 0 on its left and 1 on its right" in str(kink)
    coarse = at(lambda x: (x * 1e6 + square(slope=1)(x)).sum() * 1e3, leaf([1.0], torch.float32), 0)
    assert coarse or "use float64" in coarse.note
    single = at(lambda x: square(slope=2.5)(x.double()).sum(), leaf([1.0], torch.float32), 0)
    assert "x is float32: use float64" in str(single)
    wrong = at(lambda x: square(slope=2.5)(x).sum(), leaf([1.0]), 0)
    assert "smooth there: the rule of some operation is wrong" in str(wrong)
    assert wrong.difference == pytest.approx(0.2)
    cut = at(lambda x: x.detach().sum(), leaf([1.0]), 0)
    assert "somewhere it was cut off" in str(cut)
    assert "not finite there" in str(at(lambda x: x.sqrt().sum(), leaf([0.0]), 0))
    assert at(lambda x: (x * x).sum(), leaf([3.0], torch.float32), 0)


@ours
def test_one_element_refused() -> None:
    x = leaf([1.0, 2.0])
    for index in (2, (0, 0), (), "a", 1.0):
        with pytest.raises(IndexError, match=r"not the index of an element of a tensor"):
            autograd.gradcheck_at(lambda x: x.sum(), x, index)
    with pytest.raises(RuntimeError, match=r"one number, but returned shape \(2,\)"):
        autograd.gradcheck_at(lambda x: x * 2, x, 0)
    with pytest.raises(RuntimeError, match="needs an x that requires grad"):
        autograd.gradcheck_at(lambda x: x.sum(), torch.ones(2), 0)
