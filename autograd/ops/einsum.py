"""Einstein's summation, and what it says in one line.

An einsum is worked out two operands at a time, each pair as one product of matrices: the dimensions
that both have are a batch if the result has them too, and summed over if not. Its derivatives are
einsums again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.op import op
from autograd.ops.arithmetic import array_of
from autograd.ops.broadcasting import _expand
from autograd.ops.dimensions import ndim_of, several
from autograd.ops.linear_algebra import product
from autograd.ops.parts import _diagonal
from autograd.ops.reduction import sum
from autograd.ops.shape import _permute
from autograd.tensor import Tensor

__all__ = ["bilinear", "einsum", "inner", "tensordot"]


@op(
    da=lambda dy, b, la, lb, ly, a_shape: _stretched(_einsum(dy, b, ly, lb, la), a_shape),
    db=lambda dy, a, la, lb, ly, b_shape: _stretched(_einsum(dy, a, ly, la, lb), b_shape),
)
def _einsum(a, b, la, lb, ly):
    """Σ a b, where the dimensions have the labels ``la`` and ``lb``: those that both have and
    ``ly`` lacks are summed over.

    Every label of ``a`` is in ``b`` or ``ly`` and the other way round, so that the derivatives are
    contractions again."""
    batch = [label for label in la if label in lb and label in ly]
    inner = [label for label in la if label in lb and label not in ly]
    left = [label for label in la if label not in lb]
    right = [label for label in lb if label not in la]
    a = a.transpose([la.index(label) for label in batch + left + inner])
    b = b.transpose([lb.index(label) for label in batch + inner + right])
    k, m, n = len(batch), len(left), len(inner)
    a, b = _matched(a, b, (*range(k), *range(k + m, k + m + n)), range(k + n))
    shape = a.shape[: k + m] + b.shape[k + n :]
    if inner:
        rows, depth, columns = map(
            math.prod, (shape[k : k + m], b.shape[k : k + n], shape[k + m :])
        )
        blocks = product(a.reshape(*shape[:k], rows, depth), b.reshape(*shape[:k], depth, columns))
        y = blocks.reshape(shape)
    else:
        y = a.reshape(a.shape + (1,) * len(right)) * b.reshape(shape[:k] + (1,) * m + b.shape[k:])
    return y.transpose([(batch + left + right).index(label) for label in ly])


def _stretched(g: Any, shape: tuple[int, ...]) -> Any:
    """The gradient ``g`` of an operand of this shape whose dimensions met some of length 1: these
    hand it to all."""
    if g.shape == shape:
        return g
    return _expand(g, tuple([m if n == 1 else n for n, m in zip(g.shape, shape, strict=True)]))


def _matched(
    a: np.ndarray, b: np.ndarray, dims_a: Sequence[int], dims_b: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """``a`` and ``b`` with the lengths of corresponding dimensions made equal, by stretching those
    that are 1."""
    shape_a, shape_b = list(a.shape), list(b.shape)
    for i, j in zip(dims_a, dims_b, strict=True):
        shape_a[i] = shape_b[j] = shape_b[j] if shape_a[i] == 1 else shape_a[i]
    if tuple(shape_a) == a.shape and tuple(shape_b) == b.shape:
        return a, b
    return np.broadcast_to(a, shape_a), np.broadcast_to(b, shape_b)


def _contracted(a: Any, b: Any, la: list[Any], lb: list[Any], ly: list[Any]) -> Any:
    """:func:`_einsum`, which refuses to add up products of different dtypes."""
    kinds = array_of(a).dtype, array_of(b).dtype
    summed = any(label in lb and label not in ly for label in la)
    if summed and kinds[0] != kinds[1] and "f" in (kinds[0].kind, kinds[1].kind):
        raise RuntimeError(
            f"expected both operands to have the same dtype, but got {kinds[0]} and {kinds[1]}. "
            "Convert one: y.to(x.dtype)"
        )
    return _einsum(a, b, la, lb, ly)


def einsum(*args: Any) -> Any:
    """Einstein's summation: ``einsum('ij,jk->ik', a, b)`` names the dimensions of each operand and
    of the result; products are summed over the names that the result lacks.

    Without ``->`` the result has the names that occur once, in alphabetical order. A name repeated
    in one operand takes its diagonal; ``...`` stands for further dimensions, which broadcast. The
    sublist form ``einsum(a, [0, 1], b, [1, 2])`` is understood too. Raises RuntimeError for names
    and shapes that do not fit, ValueError for too few arguments."""
    if len(args) < 2:
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, or at least one "
            "operand and its subscripts list"
        )
    equation, *operands = args
    if not isinstance(equation, str):
        terms, output, operands = _sublists(args)
    else:
        if len(operands) == 1 and isinstance(operands[0], (tuple, list)):
            operands = list(operands[0])
        terms, output = _parse(equation)
    if len(terms) != len(operands):
        few = "fewer" if len(operands) < len(terms) else "more"
        raise RuntimeError(
            f"einsum(): {few} operands were provided than specified in the equation: "
            f"{len(operands)} for {len(terms)} terms"
        )
    labels = [
        _without_ellipsis(term, ndim_of(x), i)
        for i, (term, x) in enumerate(zip(terms, operands, strict=True))
    ]
    result = _output(labels, output)
    _check_sizes(labels, operands)
    xs = list(operands)
    for i in range(len(xs)):
        xs[i], labels[i] = _diagonals(xs[i], labels[i])
        needed = {*result, *(label for other in labels[:i] + labels[i + 1 :] for label in other)}
        xs[i], labels[i] = _summed(xs[i], labels[i], needed)
    while len(xs) > 1:
        needed = {*result, *(label for other in labels[2:] for label in other)}
        kept = [label for label in dict.fromkeys(labels[0] + labels[1]) if label in needed]
        kept = result if len(xs) == 2 else kept
        xs[:2] = [_contracted(xs[0], xs[1], labels[0], labels[1], kept)]
        labels[:2] = [kept]
    if labels[0] == result:
        return xs[0]
    return _permute(xs[0], tuple([labels[0].index(label) for label in result]))


_ELLIPSIS = "..."


def _parse(equation: str) -> tuple[list[list[Any]], list[Any] | None]:
    """The names in each term of an equation, and in its output (None if it does not say)."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = [_names(term) for term in left.split(",")]
    return terms, _names(right) if arrow else None


def _names(term: str) -> list[str]:
    before, dots, after = term.partition(_ELLIPSIS)
    for name in before + after:
        if not (name.isascii() and name.isalpha()):
            raise RuntimeError(
                f"einsum(): invalid subscript given in the term '{term}': '{name}'; subscripts "
                "must be in [a-zA-Z]"
            )
    return [*before, *([_ELLIPSIS] if dots else []), *after]


def _sublists(
    arguments: tuple[Any, ...],
) -> tuple[list[list[Any]], list[Any] | None, list[Any]]:
    """The form einsum(a, [0, 1], b, [1, 2], [0, 2]): numbers for names."""
    pairs = len(arguments) // 2
    terms = [_numbers(arguments[2 * i + 1]) for i in range(pairs)]
    output = _numbers(arguments[-1]) if len(arguments) % 2 else None
    return terms, output, list(arguments[0 : 2 * pairs : 2])


def _numbers(sublist: Sequence[Any]) -> list[Any]:
    for label in sublist:
        if label is not ... and not 0 <= label < 52:
            raise ValueError(
                f"einsum(): {label} in a subscript list is not within the valid range [0, 52)"
            )
    return [_ELLIPSIS if label is ... else label for label in sublist]


def _without_ellipsis(term: list[Any], ndim: int, i: int) -> list[Any]:
    """The names of a term with an ellipsis replaced by names (-1,) for the last dimension it stands
    for, (-2,), ..."""
    hidden = ndim - len(term) + 1 if _ELLIPSIS in term else ndim - len(term)
    if hidden < 0 or (hidden and _ELLIPSIS not in term):
        raise RuntimeError(
            f"einsum(): the number of subscripts in the equation ({len(term)}) does not match the "
            f"number of dimensions ({ndim}) "
            f"for operand {i}" + ("" if _ELLIPSIS in term else " and no ellipsis was given")
        )
    if _ELLIPSIS not in term:
        return list(term)
    at = term.index(_ELLIPSIS)
    return term[:at] + [(k,) for k in range(-hidden, 0)] + term[at + 1 :]


def _output(labels: list[list[Any]], output: list[Any] | None) -> list[Any]:
    """The names of the result, ellipsis replaced as in the operands."""
    everything = [label for term in labels for label in term]
    hidden = sorted({label for label in everything if isinstance(label, tuple)})
    if output is None:
        once = [
            label
            for label in everything
            if not isinstance(label, tuple) and everything.count(label) == 1
        ]
        return hidden + sorted(once)
    result: list[Any] = []
    for label in output:
        if label != _ELLIPSIS and label not in everything:
            raise RuntimeError(
                f"einsum(): output subscript {label} does not appear in the equation for any input "
                "operand"
            )
        if label in result:
            raise RuntimeError(
                f"einsum(): output subscript {label} appears more than once in the output"
            )
        result += hidden if label == _ELLIPSIS else [label]
    return result


def _check_sizes(labels: list[list[Any]], operands: Sequence[Any]) -> None:
    sizes: dict[Any, int] = {}
    for i, (term, x) in enumerate(zip(labels, operands, strict=True)):
        own: dict[Any, int] = {}
        for label, n in zip(term, x.shape, strict=True):
            if own.setdefault(label, n) != n:
                raise RuntimeError(
                    f"einsum(): subscript {label} is repeated for operand {i} but the sizes don't "
                    f"match, {n} != {own[label]}"
                )
            known = sizes.get(label, 1)
            if n != known and 1 not in (n, known):
                raise RuntimeError(
                    f"einsum(): subscript {label} has size {n} for operand {i} which does not "
                    f"broadcast with previously seen size {known}"
                )
            sizes[label] = n if known == 1 else known


def _diagonals(x: Any, labels: list[Any]) -> tuple[Any, list[Any]]:
    """``x`` with the diagonal taken of dimensions that have the same label."""
    for label in dict.fromkeys(labels):
        while labels.count(label) > 1:
            first = labels.index(label)
            second = labels.index(label, first + 1)
            x = _diagonal(x, 0, first, second)
            labels = [other for i, other in enumerate(labels) if i not in (first, second)] + [label]
    return x, labels


def _summed(x: Any, labels: list[Any], needed: set[Any]) -> tuple[Any, list[Any]]:
    """``x`` summed over the labels that nobody else needs."""
    dims = [i for i, label in enumerate(labels) if label not in needed]
    return (sum(x, dims), [label for label in labels if label in needed]) if dims else (x, labels)


def tensordot(a: Any, b: Any, dims: Any = 2) -> Any:
    """Σ a b over pairs of dimensions: the last ``dims`` of ``a`` and the first ``dims`` of ``b``,
    or, for a pair of lists, those listed. The others, first those of ``a``, are the result's."""
    ndim_a, ndim_b = ndim_of(a), ndim_of(b)
    if isinstance(dims, Tensor):
        dims = dims.tolist()
    if isinstance(dims, int):
        if not 0 <= dims <= min(ndim_a, ndim_b):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        dims = (range(ndim_a - dims, ndim_a), range(dims))
    if not isinstance(dims, (tuple, list)) or len(dims) != 2:
        raise RuntimeError(
            f"tensordot expects dims to be an int or two lists of ints, but got {dims!r}"
        )
    summed_a, summed_b = several(tuple(dims[0]), ndim_a), several(tuple(dims[1]), ndim_b)
    if len(summed_a) != len(summed_b):
        raise RuntimeError("both dimension lists should have same length")
    labels_a = list(range(ndim_a))
    labels_b = list(range(ndim_a, ndim_a + ndim_b))
    for i, j in zip(summed_a, summed_b, strict=True):
        if a.shape[i] != b.shape[j] and 1 not in (a.shape[i], b.shape[j]):
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {a.shape[i]} in dim {i} "
                f"and second has size {b.shape[j]} in dim {j}"
            )
        labels_b[j] = labels_a[i]
    result = [label for label in labels_a if label not in labels_b]
    return _contracted(
        a, b, labels_a, labels_b, result + [label for label in labels_b if label not in labels_a]
    )


# -- special cases ---------------------------------------------------------------------------------


def inner(input: Any, other: Any) -> Any:
    """Σ x yᵢ over the last dimension of both; a 0-d tensor multiplies."""
    if not ndim_of(input) or not ndim_of(other):
        return input * other
    if input.shape[-1] != other.shape[-1]:
        raise RuntimeError(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{list(input.shape)} and {list(other.shape)}"
        )
    return tensordot(input, other, ([-1], [-1]))


def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    """yₒ = x₁ᵀ Wₒ x₂ + bₒ: (..., in1) and (..., in2) to (..., out), for a weight of shape (out,
    in1, in2)."""
    y = einsum("...i,oij,...j->...o", input1, weight, input2)
    return y if bias is None else y + bias
