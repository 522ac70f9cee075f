"""`python -m nn`: what it prints, what it leaves behind, and that it learns."""

from __future__ import annotations

import builtins
import contextlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")

import autograd as torch
from nn.__main__ import evaluate, main
from nn.data.datasets import Digits
from nn.models import ConvNet

ROOT = Path(__file__).parent.parent


def numbers(path: Path) -> dict[str, np.ndarray]:
    return {name: tensor.numpy() for name, tensor in torch.load(path).items()}


def test_a_short_run_from_outside(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "nn", "--epochs", "1", "--out", str(tmp_path / "new" / "folder")],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert "1437 digits to learn from, 360 to be tested on" in run.stdout
    assert "(conv1): Conv2d(1, 16, kernel_size=(5, 5)" in run.stdout
    assert re.search(r"epoch  1  loss \d\.\d{4}  test accuracy \d\d\.\d\d%", run.stdout)
    assert not run.stderr  # no terminal, no progress bar
    checkpoint = tmp_path / "new" / "folder" / "digits.safetensors"
    model = ConvNet.for_digits()
    model.load_state_dict(torch.load(checkpoint))
    printed = re.findall(r"test accuracy (\d+\.\d+)%", run.stdout)[-1]
    assert f"{evaluate(model, Digits(train=False, size=16)):.2%}" == printed + "%"


def test_a_terminal_shows_a_progress_bar(tmp_path: Path) -> None:
    pty = pytest.importorskip("pty", reason="terminals as Unix has them")
    termios = pytest.importorskip("termios")
    screen, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 80))
    run = subprocess.Popen(
        [sys.executable, "-m", "nn", "--epochs", "1", "--out", str(tmp_path)],
        stdout=subprocess.DEVNULL,
        stderr=terminal,
        cwd=ROOT,
    )
    os.close(terminal)
    shown = b""
    with contextlib.suppress(OSError):  # how Linux says that the other end is closed
        while part := os.read(screen, 1024):
            shown += part
    os.close(screen)
    assert run.wait() == 0
    assert b"epoch 1" in shown
    assert b"loss=" in shown


def test_the_same_seed_gives_the_same_result(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder, seed in (("a", "3"), ("b", "3"), ("c", "4")):
        arguments = ["--epochs", "1", "--seed", seed, "--out", str(tmp_path / folder), "--quiet"]
        main(arguments)
    a, b, c = (numbers(tmp_path / folder / "digits.safetensors") for folder in "abc")
    assert all((a[name] == b[name]).all() for name in a)
    assert any((a[name] != c[name]).any() for name in a)
    printed = capsys.readouterr()
    assert printed.out == printed.err == "", "--quiet prints nothing"


@pytest.mark.slow
def test_it_learns_the_digits(tmp_path: Path) -> None:
    assert main(["--out", str(tmp_path), "--quiet"]) >= 0.98
    assert (tmp_path / "loss.svg").read_text(encoding="utf-8").lstrip().startswith("<?xml")


def test_without_matplotlib_it_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    really_import = builtins.__import__

    def without_matplotlib(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return really_import(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without_matplotlib)
    main(["--epochs", "1", "--out", str(tmp_path)])
    assert 'matplotlib is missing (pip install "gradbook[lessons]")' in capsys.readouterr().out
    assert (tmp_path / "digits.safetensors").exists()
    assert not (tmp_path / "loss.svg").exists()


def test_without_scikit_learn_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(SystemExit, match=re.escape('pip install "gradbook[lessons]"')):
        main([])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--epochs", "none"], "invalid int value: 'none'"),
        (["--epochs", "0"], "must be positive, but got 0"),
        (["--lr", "-1"], "must be positive, but got -1"),
        (["--speed", "9"], "unrecognized arguments: --speed 9"),
    ],
)
def test_refuses(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert words in capsys.readouterr().err


def test_the_textbooks_own_size() -> None:
    model = ConvNet()
    sizes = [sum(p.numel() for p in part.parameters()) for part in model.children()]
    assert sizes == [228, 0, 1216, 0, 48120, 1210]
    assert tuple(model(torch.zeros(2, 3, 32, 32)).shape) == (2, 10)
