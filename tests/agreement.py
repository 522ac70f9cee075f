"""One expression, evaluated here and by PyTorch: the same numbers, dtypes, gradients and gradients
of gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from compare import OURS, THEIRS, array, assert_close, differentiate, dtype_name, tensors_in

needs_torch = pytest.mark.skipif(THEIRS is None, reason="PyTorch is not installed")


def agree(
    expression: str, order: int = 2, fixed: str = "", rtol: float | None = None, **inputs: Any
) -> None:
    """`expression` in the named inputs; those of floats that are not named in `fixed` are
    differentiated."""
    arrays = {name: np.asarray(value) for name, value in inputs.items()}
    moving = [
        name for name, a in arrays.items() if a.dtype.kind == "f" and name not in fixed.split()
    ]
    leaves = [{name: library.leaf(a) for name, a in arrays.items()} for library in (OURS, THEIRS)]
    ours, theirs = (
        tensors_in(library.evaluate(expression, x))
        for library, x in zip((OURS, THEIRS), leaves, strict=True)
    )
    assert theirs
    assert len(ours) == len(theirs)
    for y, expected in zip(ours, theirs, strict=True):
        assert dtype_name(y) == dtype_name(expected), expression
        assert_close(array(y), array(expected), expression, rtol)
    if not (moving and order):
        return
    actual, expected = (
        differentiate(library, expression, arrays, moving, order) for library in (OURS, THEIRS)
    )
    for which in ("first", "second")[:order]:
        for name, gradient in getattr(expected, which).items():
            found = getattr(actual, which)[name]
            what = f"{which} gradient of {expression} by {name}"
            if gradient is None or found is None:
                assert not np.any(gradient), what
                assert not np.any(found), what
            else:
                assert_close(found, gradient, what, rtol)


def refuses(expression: str, **inputs: Any) -> None:
    """Both raise: we the same type as PyTorch, or a more specific one."""
    errors = []
    for library in (OURS, THEIRS):
        with pytest.raises(Exception) as caught:  # noqa: PT011
            library.evaluate(
                expression,
                {name: library.leaf(np.asarray(value)) for name, value in inputs.items()},
            )
        errors.append(caught.value)
    ours, theirs = errors
    assert isinstance(ours, type(theirs)), (
        f"{type(ours).__name__}: {ours}\nPyTorch {type(theirs).__name__}: {theirs}"
    )
