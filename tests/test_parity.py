"""Every operator of PyTorch's own table, on the first of its samples (all of them with --slow).

The page PARITY.md is what `python -m tests.parity` found with all samples.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from agreement import needs_torch
from compare import OURS, THEIRS

if THEIRS is None:
    pytest.skip("PyTorch is not installed", allow_module_level=True)
pytest.importorskip("expecttest", reason="PyTorch's table of operators needs it")

import parity

FEW = 3  # samples of each kind, where time is short
present = [op for op in parity.operators() if parity.ours_of(op) is not None]


@needs_torch
@pytest.mark.parametrize("op", present, ids=parity.label)
def test_parity(op: Any, request: pytest.FixtureRequest) -> None:
    """No difference but those that are on purpose."""
    most = None if request.config.getoption("--slow") else FEW
    verdict = parity.judge(op, most)
    unknown = [said for aspect, said in verdict.failures if not parity.on_purpose(verdict, aspect)]
    assert not unknown, "\n".join(unknown)


@pytest.mark.skipif(OURS is THEIRS, reason="the page is about us")
def test_the_page_names_every_operator() -> None:
    rows = re.findall(r"^\| ([^|]+?) \|", parity.PAGE.read_text(), re.MULTILINE)
    assert rows[0] == "operator"
    assert sorted(rows[1:]) == sorted(map(parity.label, present)), (
        "run `python -m tests.parity` to make the page anew"
    )
