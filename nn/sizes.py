"""Sizes that may be given once for all dimensions: 3 means (3, 3)."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["spread"]


def spread(value: int | Iterable[int], dims: int) -> tuple[int, ...]:
    """`value` for each of `dims` dimensions; ValueError if it is a sequence of another length."""
    if not isinstance(value, Iterable):
        return (value,) * dims
    sizes = tuple(value)
    if len(sizes) != dims:
        raise ValueError(f"expected one int or {dims} of them, but got {sizes}")
    return sizes
