"""Datasets that come with other packages, so that nothing has to be downloaded."""

from __future__ import annotations

import autograd
from autograd import Generator

from .dataset import TensorDataset

__all__ = ["Digits"]


class Digits(TensorDataset):
    """1797 real handwritten digits of 8 x 8 pixels, which scikit-learn carries.

    Images are float32 of shape (1, size, size) between 0 and 1, where `size` is 8 or a multiple:
    each pixel is repeated. Targets are int64. Shuffled once and for all, 360 pictures are for
    testing, the other 1437 to learn from (`train=True`). ValueError for another size, ImportError
    without scikit-learn.

    Alpaydin and Kaynak, "Optical Recognition of Handwritten Digits" (1998).
    """

    classes = tuple("0123456789")
    tests = 360

    def __init__(self, train: bool = True, size: int = 8) -> None:
        if size < 8 or size % 8:
            raise ValueError(f"size must be 8 or a multiple of it, but got {size}")
        try:
            from sklearn.datasets import load_digits  # heavy, and needed by nobody else
        except ImportError as error:
            raise ImportError(
                'the digits are part of scikit-learn: pip install "gradbook[lessons]"'
            ) from error
        digits = load_digits()
        pixels = (digits.images / 16.0).repeat(size // 8, axis=1).repeat(size // 8, axis=2)
        images = autograd.tensor(pixels, dtype=autograd.float32).unsqueeze(1)
        targets = autograd.tensor(digits.target, dtype=autograd.int64)
        order = autograd.randperm(len(targets), generator=Generator().manual_seed(0))
        chosen = order[self.tests :] if train else order[: self.tests]
        super().__init__(images[chosen], targets[chosen])

    @property
    def images(self) -> autograd.Tensor:
        """All pictures, (N, 1, size, size)."""
        return self.tensors[0]

    @property
    def targets(self) -> autograd.Tensor:
        """What they show, (N)."""
        return self.tensors[1]
