"""``python -m autograd.visualize train.py:loss``: draws what a function of yours returns.

The script is run up to its end, but not as the main program, so that what stands under
``if __name__ == "__main__":`` is left alone; then the function is called, without arguments. What
it returns is drawn: a tensor, or several. A network that it returns as well, or that the script has
among its names, gives the picture its modules.
"""

from __future__ import annotations

import argparse
import difflib
import runpy
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from autograd.tensor import Tensor

from . import saving
from .dot import DETAILS
from .draw import VIEWS, draw
from .graph import Graph
from .style import THEMES
from .watch import watch


class UsageError(Exception):
    """What was asked for cannot be found."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit status is 0, 1 (no picture) or 2 (not understood)."""
    parser = argparse.ArgumentParser(
        prog="python -m autograd.visualize",
        description="Draw the graph behind what a function returns.",
    )
    parser.add_argument("function", metavar="SCRIPT.py:FUNCTION", help="for example train.py:loss")
    parser.add_argument("--view", choices=VIEWS, default="both")
    parser.add_argument("--detail", choices=(*DETAILS, "auto"), default="auto")
    parser.add_argument("--depth", type=int, help="close the modules at this depth")
    parser.add_argument("--theme", choices=tuple(THEMES), default="light")
    parser.add_argument("--title")
    saving.add_options(parser)
    options = parser.parse_args(argv)
    try:
        function, names = find(options.function)
        with watch():
            returned = function()
        graph = picture(returned, names, options)
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if graph.note:
        print(graph.note)
    return saving.save(graph, options)


def find(target: str) -> tuple[Callable[[], Any], dict[str, Any]]:
    """Return the function that ``train.py:loss`` means, and all names of its script."""
    path, colon, name = target.rpartition(":")
    if not colon or not name.isidentifier():
        raise UsageError(f"expected SCRIPT.py:FUNCTION, as in train.py:loss, but got {target!r}")
    if not Path(path).is_file():
        raise UsageError(f"there is no file {path!r}")
    sys.path.insert(0, str(Path(path).absolute().parent))  # as when a script is run
    names = runpy.run_path(path, run_name=Path(path).stem)
    function = names.get(name)
    if not callable(function):
        functions = [known for known, value in names.items() if callable(value)]
        near = difflib.get_close_matches(name, functions, n=1)
        advice = f"; did you mean {near[0]}?" if near else ""
        raise UsageError(f"{path} has no function {name!r}{advice}")
    return function, names


def picture(returned: Any, names: dict[str, Any], options: argparse.Namespace) -> Graph:
    """Draw what a function has returned, with gradients, if need be worked out for the picture."""
    parts = list(returned) if isinstance(returned, (tuple, list)) else [returned]
    outputs = [part for part in parts if isinstance(part, Tensor) and part.requires_grad]
    networks = [part for part in parts if hasattr(part, "named_modules")]
    if not outputs:
        kinds = ", ".join(type(part).__name__ for part in parts)
        raise UsageError(
            "the function should return a tensor that was computed from something that requires "
            f"grad, but it returned {kinds}"
        )
    settings: dict[str, Any] = {
        "params": networks[0] if networks else None,
        "names": names,
        "view": options.view,
        "detail": options.detail,
        "depth": options.depth,
        "theme": options.theme,
        "title": options.title,
    }
    try:
        graph = draw(*outputs, **settings)
        has_gradients = any(tensor.grad is not None for tensor in graph.data.tensors)
        if has_gradients or options.view == "forward":
            return graph
        return draw(*outputs, **settings, grad=True)
    except (RuntimeError, ValueError) as error:
        raise UsageError(str(error)) from None


if __name__ == "__main__":
    sys.exit(main())
