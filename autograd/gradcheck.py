"""A second opinion: derivatives by central differences, held against those of the rules.

    df/dx  ~  (f(x + eps) - f(x - eps)) / 2 eps        with an error of order eps^2

In float64 with eps = 1e-6 the two agree to about nine digits, unless a rule is wrong or the
function has a kink there.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.differentiation import grad
from autograd.jacobians import (
    beside,
    by_backward,
    by_differences,
    by_forward,
    kink,
    pulled_back,
    pushed_forward,
)
from autograd.tensor import Tensor, memory, wrap


class GradcheckError(RuntimeError):
    """The analytic and the numerical gradient differ; the message says where and by how much."""


def gradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Whether backward through ``func`` agrees with central differences, for every element of every
    input that requires grad and every element of every output: |analytic - numerical| <= atol +
    rtol |numerical|.

    ``inputs`` should be float64. Returns True; raises GradcheckError, or returns False if
    ``raise_exception`` is off, for a wrong derivative, for a function or a backward that gives two
    answers (further apart than ``nondet_tol``), for a result that was cut off from its inputs, and,
    with ``check_undefined_grad``, for a backward that makes something of nothing; with
    ``check_grad_dtypes`` also for a gradient of another dtype, with ``check_batched_grad`` for one
    that changes when ``is_grads_batched``. ``fast_mode`` compares one random slope instead of every
    element. ``masked`` concerns sparse tensors, of which there are none. Warns of inputs that are
    not float64. Raises ValueError if no input requires grad, RuntimeError for one whose elements
    share memory.

    ``check_forward_ad`` checks forward mode, too, or, with ``check_backward_ad=False``, alone;
    ``check_batched_forward_grad`` also under ``vmap``."""
    _demand(check_forward_ad or check_backward_ad, "check_forward_ad or check_backward_ad")
    _demand(check_backward_ad, "check_backward_ad", check_batched_grad, "check_batched_grad=True")
    _demand(
        check_forward_ad,
        "check_forward_ad",
        check_batched_forward_grad,
        "check_batched_forward_grad=True",
    )
    args = _arguments(inputs)
    check = _Check(func, args, eps, atol, rtol, nondet_tol)
    compare = check.slope if fast_mode else check.elements
    try:
        outputs = _outputs(func, args)
        _check_repeatable(outputs, _outputs(func, args), nondet_tol)
        differentiable = [(i, y) for i, y in enumerate(outputs) if y.requires_grad]
        for index, x in _requiring_grad(args):
            for number, y in differentiable or enumerate(outputs):
                for forward in (False,) * check_backward_ad + (True,) * check_forward_ad:
                    compare(index, x, number, y, forward)
        if check_batched_forward_grad:
            check.batched_forward()
        if check_grad_dtypes and check_backward_ad:
            _check_dtypes(args, [y for _, y in differentiable])
        if check_batched_grad:
            _check_batched(args, [y for _, y in differentiable])
        if check_undefined_grad and check_backward_ad and differentiable:
            _check_zero(args, [y for _, y in differentiable])
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    grad_outputs: Tensor | Sequence[Tensor] | None = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """:func:`gradcheck` of the gradient: whether second derivatives are right, also with respect to
    ``grad_outputs`` (drawn at random if not given). Parameters and errors as there."""
    _demand(check_fwd_over_rev or check_rev_over_rev, "check_fwd_over_rev or check_rev_over_rev")
    for given, name in (
        (check_undefined_grad, "check_undefined_grad=True"),
        (check_batched_grad, "check_batched_grad=True"),
    ):
        _demand(check_rev_over_rev, "check_rev_over_rev", given, name)
    args = _arguments(inputs)
    if grad_outputs is None:
        outputs = [y for y in _outputs(func, args) if y.requires_grad]
        weights = [_random_like(y, gen_non_contig_grad_outputs) for y in outputs]
    else:
        weights = [grad_outputs] if isinstance(grad_outputs, Tensor) else list(grad_outputs)
    count = len(args)

    def gradients(*both: Any) -> tuple[Tensor, ...]:
        xs, vs = both[:count], both[count:]
        ys = [y for y in _outputs(func, xs) if y.requires_grad]
        wanted = [x for _, x in _requiring_grad(xs)]
        found = grad(ys, wanted, vs, create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None and g.requires_grad)

    return gradcheck(
        gradients,
        (*args, *weights),
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad,
        check_grad_dtypes=check_grad_dtypes,
        check_batched_grad=check_batched_grad,
        fast_mode=fast_mode,
        check_forward_ad=check_fwd_over_rev,
        check_backward_ad=check_rev_over_rev,
        masked=masked,
    )


def _demand(holds: bool, what: str, given: bool = True, by: str = "") -> None:
    """Raise what PyTorch raises for options that contradict each other."""
    if given and not holds:
        told = f"Setting {by} requires {what}" if by else f"Expected at least one of {what}"
        raise AssertionError(f"{told} to be True")


def _random_like(y: Tensor, non_contiguous: bool) -> Tensor:
    drawn = np.random.default_rng(0).standard_normal((*y.shape, 2))
    values = drawn[..., 0] if non_contiguous else drawn[..., 0].copy()
    return wrap(np.asarray(values, memory(y).dtype)).requires_grad_()


# -- what goes in and what comes out ---------------------------------------------------------------


def _arguments(inputs: Any) -> tuple[Any, ...]:
    args = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    if not _requiring_grad(args):
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them "
            "have requires_grad=True."
        )
    for index, x in _requiring_grad(args):
        if memory(x).dtype != np.float64:
            warnings.warn(
                f"Input #{index} requires gradient and is not a double precision floating point or "
                f"complex tensor, but {x.dtype}. This check will likely fail: use float64.",
                stacklevel=3,
            )
        if any(not step and n > 1 for step, n in zip(x.stride(), x.shape, strict=True)):
            raise RuntimeError(
                f"gradcheck changes one element of an input at a time, but input {index} has "
                "several elements in one memory location (made by expand). Call .contiguous() on "
                "it first."
            )
    return args


def _requiring_grad(args: Sequence[Any]) -> list[tuple[int, Tensor]]:
    return [(i, x) for i, x in enumerate(args) if isinstance(x, Tensor) and x.requires_grad]


def _outputs(func: Callable[..., Any], args: Sequence[Any]) -> list[Tensor]:
    result = func(*args)
    outputs = list(result) if isinstance(result, (tuple, list)) else [result]
    return [y for y in outputs if isinstance(y, Tensor) and y.is_floating_point()]


# -- derivatives compared --------------------------------------------------------------------------


class _Check:
    """A function and its arguments, and how closely its derivatives are looked at."""

    def __init__(
        self, func: Any, args: tuple[Any, ...], eps: float, atol: float, rtol: float, nondet: float
    ) -> None:
        self.func, self.args, self.eps, self.nondet = func, args, eps, nondet
        self.tolerances: dict[str, Any] = {"rtol": rtol, "atol": atol, "equal_nan": True}

    def elements(self, index: int, x: Tensor, number: int, y: Tensor, forward: bool) -> None:
        """Compare every element of the derivative of output ``number``, ``y``, by input ``index``,
        ``x``: by forward mode or by backward."""
        numerical = by_differences(self._outputs, self.args, x, number, y, self.eps)
        if forward:
            analytic = by_forward(self._outputs, self.args, x, number, y)
        elif y.requires_grad:
            analytic = by_backward(x, y)
            _check_same(analytic, by_backward(x, y), self.nondet)
        else:
            analytic = np.zeros_like(numerical)
        wrong = ~np.isclose(analytic, numerical, **self.tolerances)
        if wrong.any():
            raise GradcheckError(
                f"Jacobian mismatch for output {number} with respect to input {index}: "
                + _difference(x, y, analytic, numerical, wrong, _BY[forward])
                + self._suspicion(x, number, y, wrong)
            )

    def slope(self, index: int, x: Tensor, number: int, y: Tensor, forward: bool) -> None:
        """Compare one number instead: v'J u, how fast a random mixture of the outputs changes along
        a random direction of the input. If that is off, some element is, and is looked for."""
        random = np.random.default_rng(0)
        u, v = (_unit(random, t) for t in (x, y))
        right, left = (
            beside(self._outputs, self.args, x, ..., side * u, number)
            for side in (self.eps, -self.eps)
        )
        numerical = float(v.reshape(-1) @ (right - left)) / (2 * self.eps)
        analytic = 0.0
        if forward:
            direction = u.astype(memory(x).dtype)
            pushed = pushed_forward(self._outputs, self.args, x, direction, number)
            analytic = 0.0 if pushed is None else float(np.sum(pushed * v))
        elif y.requires_grad:
            analytic = float(np.sum(pulled_back(x, y, v.astype(memory(y).dtype)) * u))
        if not np.isclose(analytic, numerical, **self.tolerances):
            self.elements(index, x, number, y, forward)
            raise GradcheckError(
                f"Jacobian mismatch for output {number} with respect to input {index}: the slope "
                f"along a random direction is {analytic:.10g} by {_BY[forward]} and "
                f"{numerical:.10g} by central differences, though no element is off by more than "
                "the tolerance."
            )

    def batched_forward(self) -> None:
        """A batch of directions pushed forward by vmap must be each of them pushed forward."""
        from autograd.func import jvp, vmap  # rarely needed

        random = np.random.default_rng(0)
        for index, x in _requiring_grad(self.args):

            def slopes(u: Tensor, x: Tensor = x, index: int = index) -> Any:
                def function(moving: Tensor) -> tuple[Tensor, ...]:
                    args = (*self.args[:index], moving, *self.args[index + 1 :])
                    return tuple(self._outputs(args))

                return jvp(function, (x,), (u,))[1]

            batch = wrap(random.standard_normal((2, *x.shape)).astype(memory(x).dtype))
            together, one_by_one = vmap(slopes)(batch), [slopes(u) for u in batch]
            for number, both in enumerate(together):
                single = np.stack([memory(each[number]) for each in one_by_one])
                if not np.allclose(memory(both), single, equal_nan=True):
                    raise GradcheckError(
                        f"For output {number} and input {index}: the forward gradients under vmap "
                        "are not those of each direction by itself."
                    )

    def _outputs(self, args: tuple[Any, ...]) -> list[Tensor]:
        return _outputs(self.func, args)

    def _suspicion(self, x: Tensor, number: int, y: Tensor, wrong: Any) -> str:
        """What may be amiss other than the rule."""
        if not y.requires_grad:
            return (
                " The output does not require grad, though it depends on the input: somewhere it "
                "was cut off, by detach(), no_grad() or a way through NumPy."
            )
        if memory(x).dtype != np.float64:
            return f" The input is {x.dtype}: use float64, differences in {x.dtype} are too coarse."
        row, column = np.argwhere(wrong)[0]
        place = np.unravel_index(column, x.shape)
        left, here, right = (
            beside(self._outputs, self.args, x, place, step, number)[row]
            for step in (-self.eps, 0, self.eps)
        )
        amiss = kink(left, here, right, self.eps)
        return f" {amiss}" if amiss else ""


_BY = ("backward", "forward mode")


def _check_same(first: np.ndarray, again: np.ndarray, tolerance: float) -> None:
    if not np.allclose(first, again, rtol=0, atol=tolerance, equal_nan=True):
        raise GradcheckError(
            "Backward is not reentrant: running it twice with the same gradient gives different "
            "values. It draws random numbers or changes something. Make it repeatable, or pass "
            "nondet_tol."
        )


def _unit(random: np.random.Generator, t: Tensor) -> np.ndarray:
    """A random direction, of length 1."""
    drawn = random.standard_normal(t.shape)
    return drawn / max(float(np.linalg.norm(drawn)), 1e-12)


# -- what else can be wrong ------------------------------------------------------------------------


def _check_repeatable(first: list[Tensor], second: list[Tensor], tolerance: float) -> None:
    for y, again in zip(first, second, strict=True):
        if y.shape == again.shape and not np.allclose(
            y._array, again._array, rtol=0, atol=tolerance, equal_nan=True
        ):
            raise GradcheckError(
                "the function gives different values for the same input: it draws random numbers "
                "(dropout?) or changes something. Seed it inside the function, or pass nondet_tol."
            )


def _check_zero(args: tuple[Any, ...], outputs: list[Tensor]) -> None:
    """A gradient of zero must come back as zero (or as None)."""
    xs = [x for _, x in _requiring_grad(args)]
    zeros = [wrap(np.zeros(y.shape, memory(y).dtype)) for y in outputs]
    found = grad(outputs, xs, zeros, retain_graph=True, allow_unused=True)
    for x, gradient in zip(xs, found, strict=True):
        if gradient is not None and np.any(gradient._array != 0) and np.all(np.isfinite(x._array)):
            raise GradcheckError(
                "backward is not linear in the incoming gradient: a gradient of zero did not come "
                "back as zero"
            )


def _check_dtypes(args: tuple[Any, ...], outputs: list[Tensor]) -> None:
    """A gradient must have the dtype of what it is the gradient of."""
    xs = [x for _, x in _requiring_grad(args)]
    ones = [wrap(np.ones(y.shape, memory(y).dtype)) for y in outputs]
    found = grad(outputs, xs, ones, retain_graph=True, allow_unused=True) if outputs else ()
    for x, gradient in zip(xs, found, strict=False):
        if gradient is not None and gradient.dtype != x.dtype:
            raise GradcheckError(
                f"Gradient has dtype mismatch: the input is {x.dtype}, its gradient is "
                f"{gradient.dtype}"
            )


def _check_batched(args: tuple[Any, ...], outputs: list[Tensor]) -> None:
    """Gradients with a batch of weights are those with each of them."""
    xs = [x for _, x in _requiring_grad(args)]
    random = np.random.default_rng(0)
    for number, y in enumerate(outputs):
        weights = random.standard_normal((2, *y.shape)).astype(memory(y).dtype)
        rows = [grad(y, xs, wrap(w), retain_graph=True, allow_unused=True) for w in weights]
        batch = grad(
            y, xs, wrap(weights), retain_graph=True, allow_unused=True, is_grads_batched=True
        )
        for index, (together, *one_by_one) in enumerate(zip(batch, *rows, strict=True)):
            zero = np.zeros(xs[index].shape)
            single = [zero if g is None else memory(g) for g in one_by_one]
            both = np.stack([zero, zero]) if together is None else memory(together)
            if not np.allclose(both, np.stack(single), equal_nan=True):
                raise GradcheckError(
                    f"For output {number} and input {index}: the gradients with is_grads_batched "
                    "are not those of each weight by itself."
                )


# -- how it is told --------------------------------------------------------------------------------


def _difference(x: Tensor, y: Tensor, analytic: Any, numerical: Any, wrong: Any, way: str) -> str:
    """The first of the elements that differ."""
    row, column = np.argwhere(wrong)[0]
    return (
        f"d output{_place(row, y)} / d input{_place(column, x)} is {analytic[row, column]:.10g} by "
        f"{way} and {numerical[row, column]:.10g} by central differences ({wrong.sum()} of "
        f"{wrong.size} elements differ). The input there is {memory(x).reshape(-1)[column]:.10g}."
    )


def _place(flat: int, t: Tensor) -> list[int]:
    return [int(i) for i in np.unravel_index(flat, t.shape)]
