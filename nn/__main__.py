"""`python -m nn`: train the textbook CNN on real handwritten digits.

Prints loss and accuracy after every epoch and leaves two files behind: the trained weights
(`digits.safetensors`) and the curve of the losses (`loss.svg`).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tqdm import tqdm

import autograd
from autograd import Tensor

from . import functional as F
from .data import DataLoader
from .data.datasets import Digits
from .models import ConvNet
from .module import Module
from .optim import Adam
from .optim.lr_scheduler import CosineAnnealingLR


def main(arguments: list[str] | None = None) -> float:
    """Train as the command line says; returns the accuracy on the test set."""
    options = _parse(arguments)
    say: Callable[..., None] = _be_quiet if options.quiet else print
    autograd.manual_seed(options.seed)
    model = ConvNet.for_digits()
    try:
        learn, test = Digits(train=True, size=16), Digits(train=False, size=16)
    except ImportError as error:
        raise SystemExit(f"python -m nn: {error}") from error
    say(f"{len(learn)} digits to learn from, {len(test)} to be tested on")
    say(model)

    with _one_thread():
        losses = train(model, learn, test, options, say)
        accuracy = evaluate(model, test)
    say(f"test accuracy {accuracy:.2%}")

    options.out.mkdir(parents=True, exist_ok=True)
    autograd.save(model.state_dict(), options.out / "digits.safetensors")
    say(f"wrote {options.out / 'digits.safetensors'}")
    say(_draw(losses, options.epochs, options.out / "loss.svg"))
    return accuracy


def train(
    model: Module,
    learn: Digits,
    test: Digits,
    options: argparse.Namespace,
    say: Callable[..., None],
) -> list[float]:
    """All epochs; returns the loss of every step."""
    loader = DataLoader(learn, batch_size=options.batch_size, shuffle=True)
    optimizer = Adam(model.parameters(), lr=options.lr)
    schedule = CosineAnnealingLR(optimizer, T_max=options.epochs)
    losses: list[float] = []
    for epoch in range(1, options.epochs + 1):
        model.train()
        # Where there is no terminal, `None` means no bar.
        bar = tqdm(loader, f"epoch {epoch}", leave=False, disable=options.quiet or None)
        for images, targets in bar:
            loss = F.cross_entropy(model(images), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            bar.set_postfix(loss=f"{losses[-1]:.3f}")
        schedule.step()
        mean = sum(losses[-len(loader) :]) / len(loader)
        say(f"epoch {epoch:2}  loss {mean:.4f}  test accuracy {evaluate(model, test):.2%}")
    return losses


@autograd.no_grad()
def evaluate(model: Module, dataset: Digits) -> float:
    """The fraction of the pictures that the model recognizes."""
    model.eval()
    guesses: Tensor = model(dataset.images).argmax(dim=1)
    return (guesses == dataset.targets).float().mean().item()


def _one_thread() -> Any:
    """The context in which NumPy multiplies matrices in a single thread.

    With matrices this small a second one costs more than it gives, and with one every sum is taken
    in the same order on every machine.
    """
    from threadpoolctl import threadpool_limits  # comes with scikit-learn, as the digits do

    return threadpool_limits(1, "blas")


def _draw(losses: list[float], epochs: int, path: Path) -> str:
    """Draw the loss of every step, and its mean over every epoch; returns what to tell the user."""
    try:
        from matplotlib.figure import Figure  # heavy, and the training does not need it
    except ImportError:
        return 'no loss curve: matplotlib is missing (pip install "gradbook[lessons]")'
    figure = Figure(figsize=(6, 3.5), layout="constrained")
    axes = figure.subplots()
    steps = len(losses) // epochs
    means = [sum(losses[i : i + steps]) / steps for i in range(0, len(losses), steps)]
    middles = [epoch + 0.5 for epoch in range(epochs)]
    axes.plot([i / steps for i in range(len(losses))], losses, "#b9c7dc", label="each step")
    axes.plot(middles, means, "o-", color="#3b5b8c", label="mean of the epoch")
    axes.set(xlabel="epoch", ylabel="cross-entropy", yscale="log", title="Learning the digits")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.savefig(path)
    return f"wrote {path}"


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m nn", description="Train the textbook CNN on real handwritten digits."
    )
    parser.add_argument("--epochs", type=_positive(int), default=15, help="passes over the data")
    parser.add_argument("--batch-size", type=_positive(int), default=32, help="pictures in a step")
    parser.add_argument("--lr", type=_positive(float), default=4e-3, help="learning rate")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same result")
    parser.add_argument("--out", type=Path, default=Path(), help="directory for the files")
    parser.add_argument("--quiet", action="store_true", help="print nothing")
    return parser.parse_args(arguments)


def _positive(number: type) -> Callable[[str], Any]:
    def convert(text: str) -> Any:
        value = number(text)
        if value <= 0:
            raise argparse.ArgumentTypeError(f"must be positive, but got {text}")
        return value

    convert.__name__ = number.__name__  # argparse names it in "invalid int value"
    return convert


def _be_quiet(*words: object) -> None:
    pass


if __name__ == "__main__":
    main(sys.argv[1:])
