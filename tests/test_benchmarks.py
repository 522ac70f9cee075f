"""The benchmarks run: every work does a step, and the runner prints what it measured."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import autograd
from benchmarks.work import Work, seconds
from benchmarks.works import WORKS

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("work", WORKS.values(), ids=WORKS)
def test_a_step(work: Work) -> None:
    step = work.prepare(autograd, **(work.small or {}))
    assert all(spent > 0 for spent in seconds(step, times=1).values())


def run(*arguments: str) -> str:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=100
    ).stdout


def test_table() -> None:
    header, line = run(
        "op add 16x16", "--repeat", "2", "--libraries", *["autograd"] * 2
    ).splitlines()
    assert header.split()[:4] == ["ours", "against", "theirs", "ratio"]
    assert line.startswith("op add 16x16 ")


def test_json() -> None:
    words = ["scalar mlp", "784-256-128-10, batch 64"]
    libraries = ["--libraries", "autograd", "autograd"]
    rows: list[dict[str, Any]] = json.loads(run(*words, "--json", "--repeat", "2", *libraries))
    assert [(row["work"], row["unit"]) for row in rows] == [
        ("scalar mlp", "s"),
        ("mlp 784-256-128-10, batch 64", "s"),
        ("mlp 784-256-128-10, batch 64, peak memory", "B"),
    ]
    assert all(row["ratio"] > 0 for row in rows)


def test_unknown_work() -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        run("tea")
    assert "no work has tea in its name; --list tells the names" in caught.value.stderr
