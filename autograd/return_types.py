"""The tuples with named fields that operations with several results return, as ``torch.max(x,
dim).indices``."""

from __future__ import annotations

import functools
from collections import namedtuple
from typing import Any


@functools.cache  # many have the same fields, and making a namedtuple takes its time
def _fields(names: str) -> Any:
    return namedtuple("fields", names)


def _declare(name: str, fields: str) -> Any:
    def show(self: Any) -> str:
        parts = ",\n".join(
            f"{field}={value!r}" for field, value in zip(self._fields, self, strict=True)
        )
        return f"torch.return_types.{name}(\n{parts})"

    base = _fields(fields)
    return type(name, (base,), {"__slots__": (), "__repr__": show, "__module__": __name__})


aminmax = _declare("aminmax", "min max")
cummax = _declare("cummax", "values indices")
cummin = _declare("cummin", "values indices")
kthvalue = _declare("kthvalue", "values indices")
max = _declare("max", "values indices")
median = _declare("median", "values indices")
min = _declare("min", "values indices")
mode = _declare("mode", "values indices")
nanmedian = _declare("nanmedian", "values indices")
sort = _declare("sort", "values indices")
topk = _declare("topk", "values indices")

linalg_cholesky_ex = _declare("linalg_cholesky_ex", "L info")
linalg_eigh = _declare("linalg_eigh", "eigenvalues eigenvectors")
linalg_qr = _declare("linalg_qr", "Q R")
linalg_slogdet = _declare("linalg_slogdet", "sign logabsdet")
linalg_svd = _declare("linalg_svd", "U S Vh")
slogdet = _declare("slogdet", "sign logabsdet")
