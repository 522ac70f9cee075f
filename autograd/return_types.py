"""The tuples with named fields that operations with several results return, as ``torch.max(x,
dim).indices``."""

from __future__ import annotations

import operator
from typing import Any


class Result(tuple[Any, ...]):
    """A tuple whose elements have names too. (A namedtuple takes five times as long to define.)"""

    __slots__ = ()
    _fields: tuple[str, ...] = ()

    def __new__(cls, *values: Any) -> Result:  # noqa: D102
        return super().__new__(cls, values)

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self)

    def __repr__(self) -> str:
        parts = ",\n".join(
            f"{field}={value!r}" for field, value in zip(self._fields, self, strict=True)
        )
        return f"torch.return_types.{type(self).__name__}(\n{parts})"


def _declare(name: str, fields: str) -> Any:
    names = tuple(fields.split())
    contents: dict[str, Any] = {"__slots__": (), "__module__": __name__, "_fields": names}
    for i, field in enumerate(names):
        contents[field] = property(operator.itemgetter(i))
    return type(name, (Result,), contents)


aminmax = _declare("aminmax", "min max")
cummax = _declare("cummax", "values indices")
cummin = _declare("cummin", "values indices")
frexp = _declare("frexp", "mantissa exponent")
histogram = _declare("histogram", "hist bin_edges")
histogramdd = _declare("histogramdd", "hist bin_edges")
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
linalg_inv_ex = _declare("linalg_inv_ex", "inverse info")
linalg_ldl_factor = _declare("linalg_ldl_factor", "LD pivots")
linalg_ldl_factor_ex = _declare("linalg_ldl_factor_ex", "LD pivots info")
linalg_lstsq = _declare("linalg_lstsq", "solution residuals rank singular_values")
linalg_lu = _declare("linalg_lu", "P L U")
linalg_lu_factor = _declare("linalg_lu_factor", "LU pivots")
linalg_lu_factor_ex = _declare("linalg_lu_factor_ex", "LU pivots info")
linalg_qr = _declare("linalg_qr", "Q R")
linalg_slogdet = _declare("linalg_slogdet", "sign logabsdet")
linalg_solve_ex = _declare("linalg_solve_ex", "result info")
linalg_svd = _declare("linalg_svd", "U S Vh")
geqrf = _declare("geqrf", "a tau")
lu_unpack = _declare("lu_unpack", "P L U")
qr = _declare("qr", "Q R")
slogdet = _declare("slogdet", "sign logabsdet")
svd = _declare("svd", "U S V")
triangular_solve = _declare("triangular_solve", "solution cloned_coefficient")
