"""Sums, products, quotients and powers."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.op import bilinear, elementwise, linear, op

# -- the four operations ----------------------------------------------------------------------------------------------


@elementwise(da=lambda dy: dy, db=lambda dy: dy)
def _add(a, b):
    """a + b"""
    return a + b


@elementwise(da=lambda dy: dy, db=lambda dy: -dy)
def _sub(a, b):
    """a - b"""
    return a - b


@bilinear(da=lambda dy, b: dy * b, db=lambda dy, a: dy * a)
def mul(a, b):
    """a * b, elementwise. Also ``*``."""
    return a * b


@elementwise(da=lambda dy, b: dy / b, db=lambda dy, b, y: -dy * y / b, floats=True)
def _div(a, b):
    """a / b"""
    return a / b


@elementwise(dx=lambda dy: -dy)
def neg(x):
    """-x, elementwise."""
    return -x


@elementwise(dx=lambda dy, y: dy * (1 - y * y), floats=True)
def tanh(x):
    return np.tanh(x)


@elementwise(dx=lambda dy, y: dy * (y > 0))
def relu(x):
    return np.maximum(x, 0)
