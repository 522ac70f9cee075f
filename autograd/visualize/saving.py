"""What both command lines have in common: the files that were asked for, made and opened."""

from __future__ import annotations

import argparse
import sys
import webbrowser
from pathlib import Path

from .graph import Graph

# By option, what it writes. Each takes a path.
FILES = {
    "--svg": "the picture as SVG (the default: graph.svg)",
    "--png": "the picture as PNG",
    "--pdf": "the picture as PDF",
    "--html": "the stepper, a page that goes forward and backward one operation at a time",
    "--steps": "the steps: .svg, a moving picture; .pdf, a strip; .html, the stepper; .txt, words",
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for files to a command line."""
    for option, told in FILES.items():
        parser.add_argument(option, metavar="PATH", help=told)
    parser.add_argument("--open", action="store_true", help="show what was written")


def save(graph: Graph, options: argparse.Namespace) -> int:
    """Write the files that `options` ask for and say where they are; 1 if one cannot be written."""
    wanted = {option: vars(options)[option.strip("-")] for option in FILES}
    paths = {option: Path(path) for option, path in wanted.items() if path is not None}
    for option, path in (paths or {"--svg": Path("graph.svg")}).items():
        try:
            if option == "--steps":
                graph.steps().write(path)
            else:
                graph.write(path)
        except (OSError, RuntimeError, ValueError) as error:
            print(f"error: no picture: {error}", file=sys.stderr)
            return 1
        print(f"The {'steps are' if option == '--steps' else 'graph is'} in {path}")
        if options.open:
            webbrowser.open(path.absolute().as_uri())
    return 0
