"""Whole programs as people write them for PyTorch: with only the import lines changed they print
here what they print there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from agreement import needs_torch

PROGRAMS = sorted(Path(__file__).parent.joinpath("programs").glob("*.py"))
ROOT = Path(__file__).parent.parent

# README's table "From PyTorch to here", for import lines: the first that fits.
MODULES = {
    "torch.utils.data": "nn.data",
    "torch.utils.checkpoint": "autograd.checkpoint",
    "torch.optim": "nn.optim",
    "torch.nn": "nn",
    "torch.autograd": "autograd",
    "torch.": "autograd.",
}
NUMBER = re.compile(r"-?\d+(?:\.\d*)?(?:e[+-]?\d+)?")


def with_our_imports(program: str) -> str:
    """The program, its import lines changed."""
    lines = []
    for line in program.splitlines():
        if line == "import torch":
            line = "import autograd as torch"
        elif line.startswith(("import torch.", "from torch.")):
            theirs = next(name for name in MODULES if f" {name}" in line)
            line = line.replace(theirs, MODULES[theirs], 1)
        elif line.startswith("from torch import"):
            line = line.replace("torch", "autograd", 1)
        lines.append(line)
    return "\n".join(lines) + "\n"


def output(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert not done.returncode, done.stderr
    return done.stdout


@needs_torch
@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_prints_the_same(path: Path) -> None:
    """Words exactly, numbers to the third digit or so: training in float32 is sensitive."""
    program = path.read_text()
    ours, theirs = output(with_our_imports(program)), output(program)
    assert NUMBER.sub("#", ours) == NUMBER.sub("#", theirs)
    numbers = [[float(n) for n in NUMBER.findall(text)] for text in (ours, theirs)]
    assert numbers[0] == pytest.approx(numbers[1], rel=2e-3, abs=2e-4)
    assert theirs
