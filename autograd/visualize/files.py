"""Into a file, in the format that its suffix names."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path


def write(path: str | os.PathLike[str], makers: Mapping[str, Callable[[], str | bytes]]) -> Path:
    """Save what the maker for the suffix of `path` makes, and return the path.

    Raises ValueError for a suffix without a maker. Nothing is written unless all could be made.
    """
    file = Path(path)
    suffix = file.suffix.lower()
    if suffix not in makers:
        raise ValueError(
            f"cannot tell the format of {str(path)!r}: the suffix must be one of "
            f"{', '.join(makers)}"
        )
    made = makers[suffix]()
    file.write_bytes(made if isinstance(made, bytes) else made.encode())
    return file
