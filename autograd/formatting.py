"""How a tensor is printed: PyTorch's ``repr``, character for character.

Three decisions make the picture. *How is a number written?* In one format for the whole tensor,
chosen from the numbers that will be shown: ``3.`` if all are whole, ``0.1250`` if their magnitudes
are close, ``1.2500e-05`` if they are not. *Which numbers are shown?* All of up to 1000; of more,
the three at each end of every dimension. *Where do lines break?* Where 80 columns are full.

It works on NumPy arrays, so that it can be read and tested without knowing what a Tensor is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import dtypes

_options: dict[str, Any] = {
    "precision": 4,  # digits after the point
    "threshold": 1000,  # more elements than this are summarized
    "edgeitems": 3,  # elements shown at each end of a summarized dimension
    "linewidth": 80,
    "sci_mode": None,  # scientific notation always, never, or as the numbers need it
}
_PROFILES = {
    "default": _options,
    "short": _options | {"precision": 2, "edgeitems": 2},
    "full": _options | {"threshold": math.inf},
}


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors are printed. What is not given stays as it is, except ``sci_mode``.

    precision: digits after the point (4). threshold: more elements are summarized (1000).
    edgeitems: elements then kept at each end (3). linewidth: columns (80). sci_mode: scientific
    notation always, never, or (None) where the numbers need it. profile: start from the settings
    named 'default', 'short' or 'full'; ValueError for any other name.
    """
    global _options
    if profile is not None and profile not in _PROFILES:
        raise ValueError(f"profile must be 'default', 'short' or 'full', but got {profile!r}")
    wanted = {
        "precision": precision,
        "threshold": threshold,
        "edgeitems": edgeitems,
        "linewidth": linewidth,
    }
    given: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
    start = _options if profile is None else _PROFILES[profile]
    _options = start | given | {"sci_mode": sci_mode}


def get_printoptions() -> dict[str, Any]:
    """The settings in force, by name; ``set_printoptions(**get_printoptions())`` changes none."""
    return dict(_options)


def format_tensor(
    array: np.ndarray,
    *,
    grad_fn: str | None = None,
    requires_grad: bool = False,
    tangent: Any = None,
    prefix: str = "tensor(",
) -> str:
    """``tensor([1., 2.], grad_fn=<AddBackward>)``: the numbers, then what they do not tell.

    They tell a default dtype from the way they are written (``1.``, ``1``, ``True``), and the shape
    from the brackets; ``dtype=`` and ``size=`` are added where that fails. ``grad_fn`` is the name
    of the tensor's node, or None for a leaf; ``tangent`` the tangent of a dual tensor.
    """
    told_dtypes = [dtypes.get_default_dtype().numpy]
    if array.size:
        contents = format_array(array, indent=len(prefix))
        told_dtypes += [dtypes.int64.numpy, dtypes.bool_.numpy]
        shape_is_told = _options["edgeitems"] > 0
    else:
        contents = "[]"
        shape_is_told = array.ndim == 1
    suffixes = []
    if not shape_is_told:
        suffixes.append(f"size={array.shape}")
    if array.dtype not in told_dtypes:
        suffixes.append(f"dtype=torch.{array.dtype}")
    if grad_fn is not None:
        suffixes.append(f"grad_fn=<{grad_fn}>")
    elif requires_grad:
        suffixes.append("requires_grad=True")
    if tangent is not None:
        suffixes.append(f"tangent={tangent!r}")
    return _append(prefix + contents, suffixes, indent=len(prefix)) + ")"


def format_array(array: np.ndarray, indent: int = 0) -> str:
    """The nested brackets of ``array``; lines after the first are indented by ``indent``."""
    if array.ndim == 0:
        return _choose_format(array)(array.item())
    edge = _options["edgeitems"] if array.size > _options["threshold"] else None
    if edge == 0:
        return "[...]"
    form = _choose_format(array if edge is None else _corners(array, edge))
    return _brackets(array, form, indent, edge)


# -- how a number is written -----------------------------------------------------------------------


class _Format:
    """How to write a number, and the width that lines its column up."""

    def __init__(self, write: Callable[[Any], str], width: int) -> None:
        self.write, self.width = write, width

    def __call__(self, value: Any) -> str:
        return self.write(value).rjust(self.width)


def _choose_format(shown: np.ndarray) -> _Format:
    """The one format for all the numbers of ``shown``."""
    if shown.dtype.kind != "f":
        return _wide_enough(str, shown.ravel().tolist())
    # Zeros, infinities and nans have no say, neither in the notation nor in the width.
    telling = shown[np.isfinite(shown) & (shown != 0)].tolist()
    magnitudes = [abs(value) for value in telling] or [1.0]
    largest, smallest = max(magnitudes), min(magnitudes)
    precision, scientific = _options["precision"], _options["sci_mode"] and bool(telling)
    if scientific is None:
        scientific = largest / smallest > 1000 or largest > 1e8 or smallest < 1e-4
    if scientific:
        return _wide_enough(f"{{:.{precision}e}}".format, telling)
    if all(value == math.floor(value) for value in telling):
        return _wide_enough(_write_whole, telling)
    return _wide_enough(f"{{:.{precision}f}}".format, telling)


def _wide_enough(write: Callable[[Any], str], values: list[Any]) -> _Format:
    return _Format(write, max((len(write(value)) for value in values), default=1))


def _write_whole(value: float) -> str:
    return f"{value:.0f}." if math.isfinite(value) else f"{value}"


# -- which numbers are shown, and where lines break ------------------------------------------------


def _corners(array: np.ndarray, edge: int) -> np.ndarray:
    """The part of ``array`` that its summary shows."""
    kept = [np.r_[:edge, n - edge : n] if n > 2 * edge else np.arange(n) for n in array.shape]
    corners: np.ndarray = array[np.ix_(*kept)]
    return corners


def _brackets(array: np.ndarray, form: _Format, indent: int, edge: int | None) -> str:
    """``[a, b, ..., y, z]``, each a number or, of more than one dimension, brackets again."""
    inner = indent + 1
    if array.ndim == 1:
        items = _ends(array, edge, form, " ...")
        per_line = max(1, (_options["linewidth"] - indent) // (form.width + 2))
        lines = [", ".join(items[i : i + per_line]) for i in range(0, len(items), per_line)]
        gap = 1
    else:
        lines = _ends(array, edge, lambda row: _brackets(row, form, inner, edge), "...")
        gap = array.ndim - 1  # an empty line for every bracket beyond the first sets blocks apart
    return "[" + ("," + "\n" * gap + " " * inner).join(lines) + "]"


def _ends(
    array: np.ndarray, edge: int | None, write: Callable[[Any], str], ellipsis: str
) -> list[str]:
    """Each entry of ``array`` written; of a long one those at the ends, an ellipsis between."""
    if edge is None or len(array) <= 2 * edge:
        return [write(entry) for entry in array]
    head, tail = array[:edge], array[len(array) - edge :]
    return [*(write(entry) for entry in head), ellipsis, *(write(entry) for entry in tail)]


def _append(text: str, suffixes: list[str], indent: int) -> str:
    """``text, suffix, suffix``: on the same line while they fit, then on lines of their own."""
    column = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        column += len(suffix) + 2
        if column <= _options["linewidth"]:
            text += f", {suffix}"
        else:
            text += f",\n{'':{indent}}{suffix}"
            column = indent + len(suffix)
    return text
