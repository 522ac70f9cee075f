"""A second opinion: derivatives by central differences, held against those of the rules.

    df/dx  ~  (f(x + eps) - f(x - eps)) / 2 eps        with an error of order eps^2

In float64 with eps = 1e-6 the two agree to about nine digits, unless a rule is wrong or the
function has a kink there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.differentiation import grad
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
) -> bool:
    """Whether backward through ``func`` agrees with central differences, for every element of every
    input that requires grad and every element of every output: |analytic - numerical| <= atol +
    rtol |numerical|.

    ``inputs`` should be float64. Returns True; raises GradcheckError, or returns False if
    ``raise_exception`` is off, for a wrong derivative, for a function or a backward that gives two
    answers (further apart than ``nondet_tol``), for a result that was cut off from its inputs, and,
    with ``check_undefined_grad``, for a backward that makes something of nothing. Raises ValueError
    if no input requires grad, RuntimeError for one whose elements share memory."""
    args = _arguments(inputs)
    try:
        outputs = _outputs(func, args)
        _check_repeatable(outputs, _outputs(func, args), nondet_tol)
        differentiable = [(i, y) for i, y in enumerate(outputs) if y.requires_grad]
        for index, x in _requiring_grad(args):
            for number, y in differentiable or enumerate(outputs):
                numerical = _numerical(func, args, x, number, y, eps)
                if differentiable:
                    analytic = _analytic(x, y, nondet_tol)
                else:
                    analytic = np.zeros_like(numerical)
                wrong = ~np.isclose(analytic, numerical, rtol=rtol, atol=atol, equal_nan=True)
                if wrong.any():
                    raise GradcheckError(
                        f"Jacobian mismatch for output {number} with respect to input {index}: "
                        + _difference(x, y, analytic, numerical, wrong)
                        + _suspicion(func, args, x, number, y, wrong, eps)
                    )
        if check_undefined_grad and differentiable:
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
) -> bool:
    """:func:`gradcheck` of the gradient: whether second derivatives are right, also with respect to
    ``grad_outputs`` (drawn at random if not given). Parameters and errors as there."""
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
    )


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


# -- the Jacobian twice: a row for each element of the output, a column for each of the input ------


def _numerical(
    func: Any, args: tuple[Any, ...], x: Tensor, number: int, y: Tensor, eps: float
) -> np.ndarray:
    """By central differences, one column at a time."""
    jacobian = np.zeros((y.numel(), x.numel()))
    for column in range(x.numel()):
        right = _output_beside(func, args, x, column, eps, number)
        left = _output_beside(func, args, x, column, -eps, number)
        jacobian[:, column] = (right - left) / (2 * eps)
    return jacobian


def _output_beside(
    func: Any, args: tuple[Any, ...], x: Tensor, column: int, step: float, number: int
) -> np.ndarray:
    """Output ``number``, flattened, for an ``x`` of which one element is moved by ``step``."""
    values, place = memory(x), np.unravel_index(column, x.shape)
    before = values[place]
    values[place] = before + step
    try:
        return np.array(_outputs(func, args)[number]._array, np.float64).reshape(-1)
    finally:
        values[place] = before


def _analytic(x: Tensor, y: Tensor, tolerance: float) -> np.ndarray:
    """By backpropagation, one row at a time, and each of them twice."""
    jacobians = np.zeros((2, y.numel(), x.numel()))
    for row in range(y.numel()):
        one = np.zeros(y.numel(), memory(y).dtype)
        one[row] = 1
        for jacobian in jacobians:
            start = wrap(one.reshape(y.shape))
            (gradient,) = grad(y, x, start, retain_graph=True, allow_unused=True)
            if gradient is not None:
                jacobian[row] = memory(gradient).reshape(-1)
    first, again = jacobians
    if not np.allclose(first, again, rtol=0, atol=tolerance, equal_nan=True):
        raise GradcheckError(
            "Backward is not reentrant: running it twice with the same gradient gives different "
            "values. It draws random numbers or changes something. Make it repeatable, or pass "
            "nondet_tol."
        )
    return first


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


# -- how it is told --------------------------------------------------------------------------------


def _difference(x: Tensor, y: Tensor, analytic: Any, numerical: Any, wrong: Any) -> str:
    """The first of the elements that differ."""
    row, column = np.argwhere(wrong)[0]
    return (
        f"d output{_place(row, y)} / d input{_place(column, x)} is {analytic[row, column]:.10g} by "
        f"backward and {numerical[row, column]:.10g} by central differences ({wrong.sum()} of "
        f"{wrong.size} elements differ). The input there is {memory(x).reshape(-1)[column]:.10g}."
    )


def _place(flat: int, t: Tensor) -> list[int]:
    return [int(i) for i in np.unravel_index(flat, t.shape)]


def _suspicion(
    func: Any, args: tuple[Any, ...], x: Tensor, number: int, y: Tensor, wrong: Any, eps: float
) -> str:
    """What may be amiss other than the rule."""
    if not y.requires_grad:
        return (
            " The output does not require grad, though it depends on the input: somewhere it was "
            "cut off, by detach(), no_grad() or a way through NumPy."
        )
    if memory(x).dtype != np.float64:
        return f" The input is {x.dtype}: use float64, differences in {x.dtype} are too coarse."
    row, column = np.argwhere(wrong)[0]
    left, here, right = (
        _output_beside(func, args, x, column, step, number)[row] for step in (-eps, 0, eps)
    )
    if not np.isfinite([left, here, right]).all():
        return " The function is not finite there: move the input to where it is."
    before, after = (here - left) / eps, (right - here) / eps
    if abs(after - before) > 0.01 * max(abs(before), abs(after)):
        return (
            f" It is a kink: the slope is {before:.4g} on its left and {after:.4g} on its right. "
            "Move the input away from it."
        )
    return ""
