"""A second opinion: derivatives by central differences, held against those of the rules.

    df/dx  ~  (f(x + eps) - f(x - eps)) / 2 eps        with an error of order eps^2

In float64 with eps = 1e-6 the two agree to about nine digits, unless a rule is wrong or the
function has a kink there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.engine import grad
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
    ``raise_exception`` is off. Raises ValueError if no input requires grad."""
    args = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    _check_inputs(args)
    try:
        outputs = _outputs(func, args)
        for index, x in enumerate(args):
            if isinstance(x, Tensor) and x.requires_grad:
                for number, y in enumerate(outputs):
                    _compare(func, args, index, x, number, y, eps, atol, rtol)
        _check_repeatable(func, args, outputs, nondet_tol)
        if check_undefined_grad:
            _check_zero(args, outputs)
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
    args = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    _check_inputs(args)
    outputs = _outputs(func, args)
    if grad_outputs is None:
        weights = [_random_like(y, gen_non_contig_grad_outputs) for y in outputs]
    else:
        weights = [grad_outputs] if isinstance(grad_outputs, Tensor) else list(grad_outputs)
    count = len(args)

    def gradients(*both: Any) -> tuple[Tensor, ...]:
        xs, vs = both[:count], both[count:]
        wanted = [x for x in xs if isinstance(x, Tensor) and x.requires_grad]
        found = grad(_outputs(func, xs), wanted, vs, create_graph=True, allow_unused=True)
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


def _check_inputs(args: tuple[Any, ...]) -> None:
    requiring = [x for x in args if isinstance(x, Tensor) and x.requires_grad]
    if not requiring:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them "
            "have requires_grad=True."
        )
    for x in requiring:
        if memory(x).strides and 0 in x.stride() and x.numel() > 1 and x._view is not None:
            raise RuntimeError(
                "gradcheck changes one element of an input at a time, but an input has several "
                "elements in one memory "
                "location (made by expand). Call .contiguous() on it first."
            )


def _outputs(func: Callable[..., Any], args: Sequence[Any]) -> list[Tensor]:
    result = func(*args)
    outputs = list(result) if isinstance(result, (tuple, list)) else [result]
    return [y for y in outputs if isinstance(y, Tensor) and y.requires_grad]


def _compare(
    func: Any,
    args: tuple[Any, ...],
    index: int,
    x: Tensor,
    number: int,
    y: Tensor,
    eps: float,
    atol: float,
    rtol: float,
) -> None:
    numerical = _numerical(func, args, x, number, y, eps)
    analytic = _analytic(x, y)
    wrong = ~np.isclose(analytic, numerical, rtol=rtol, atol=atol, equal_nan=True)
    if wrong.any():
        row, column = (int(i) for i in np.argwhere(wrong)[0])
        raise GradcheckError(
            _words(x, y, index, number, row, column, analytic, numerical, int(wrong.sum()), eps)
        )


def _numerical(
    func: Any, args: tuple[Any, ...], x: Tensor, number: int, y: Tensor, eps: float
) -> np.ndarray:
    """The Jacobian by central differences: one row an element of the output, one column an element
    of the input."""
    jacobian = np.zeros((y.numel(), x.numel()))
    values = memory(x)
    for column, place in enumerate(np.ndindex(*values.shape)):
        before = values[place]
        sides = []
        for step in (eps, -eps):
            values[place] = before + step
            try:
                sides.append(
                    np.array(_outputs(func, args)[number]._array, dtype=np.float64).reshape(-1)
                )
            finally:
                values[place] = before
        jacobian[:, column] = (sides[0] - sides[1]) / (2 * eps)
    return jacobian


def _analytic(x: Tensor, y: Tensor) -> np.ndarray:
    """The same Jacobian by backpropagation, one row at a time."""
    jacobian = np.zeros((y.numel(), x.numel()))
    for row in range(y.numel()):
        one = np.zeros(y.numel(), memory(y).dtype)
        one[row] = 1
        (gradient,) = grad(y, x, wrap(one.reshape(y.shape)), retain_graph=True, allow_unused=True)
        if gradient is not None:
            if gradient.dtype is not x.dtype or gradient.shape != x.shape:
                raise GradcheckError(
                    f"the gradient has dtype {gradient.dtype} and shape {tuple(gradient.shape)}, "
                    "but its input has "
                    f"{x.dtype} and {tuple(x.shape)}"
                )
            jacobian[row] = memory(gradient).reshape(-1)
    return jacobian


def _check_repeatable(
    func: Any, args: tuple[Any, ...], outputs: list[Tensor], tolerance: float
) -> None:
    for first, second in zip(outputs, _outputs(func, args), strict=True):
        if first.shape == second.shape and not np.allclose(
            first._array, second._array, rtol=0, atol=tolerance, equal_nan=True
        ):
            raise GradcheckError(
                "the function gives different values for the same input: it draws random numbers "
                "(dropout?) or changes "
                "something. Seed it inside the function, or pass nondet_tol."
            )


def _check_zero(args: tuple[Any, ...], outputs: list[Tensor]) -> None:
    """A gradient of zero must come back as zero (or as None)."""
    xs = [x for x in args if isinstance(x, Tensor) and x.requires_grad]
    if not outputs:
        return
    zeros = [wrap(np.zeros(y.shape, memory(y).dtype)) for y in outputs]
    for x, gradient in zip(
        xs, grad(outputs, xs, zeros, retain_graph=True, allow_unused=True), strict=True
    ):
        if gradient is not None and np.any(gradient._array != 0) and np.all(np.isfinite(x._array)):
            raise GradcheckError(
                "backward is not linear in the incoming gradient: a gradient of zero did not come "
                "back as zero"
            )


def _random_like(y: Tensor, non_contiguous: bool) -> Tensor:
    rng = np.random.default_rng(0)
    shape = tuple(y.shape)
    values = (
        rng.standard_normal((*shape, 2))[..., 0] if non_contiguous else rng.standard_normal(shape)
    )
    return wrap(np.asarray(values, memory(y).dtype)).requires_grad_()


def _words(
    x: Tensor,
    y: Tensor,
    index: int,
    number: int,
    row: int,
    column: int,
    analytic: Any,
    numerical: Any,
    count: int,
    eps: float,
) -> str:
    place_x = tuple(int(i) for i in np.unravel_index(column, x.shape)) if x.ndim else ()
    place_y = tuple(int(i) for i in np.unravel_index(row, y.shape)) if y.ndim else ()
    text = (
        f"Jacobian mismatch for output {number} with respect to input {index}: d "
        f"output{list(place_y)} / d input{list(place_x)} "
        f"is {analytic[row, column]:.10g} by backward and {numerical[row, column]:.10g} by central "
        f"differences with step {eps:g} "
        f"({count} of {analytic.size} elements differ). The input there is "
        f"{memory(x)[place_x]:.10g}."
    )
    if memory(x).dtype != np.float64:
        text += f" The input is {x.dtype}: use float64, differences in {x.dtype} are too coarse."
    elif (
        memory(x).size
        and abs(float(memory(x)[place_x]) - round(float(memory(x)[place_x]))) < 10 * eps
    ):
        text += (
            " This looks like a kink (a corner of the function, as of relu at 0): "
            "move the input away from it."
        )
    return text
