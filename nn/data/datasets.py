"""Datasets that come with other packages, so that nothing has to be downloaded."""

from __future__ import annotations

import autograd

from .dataset import TensorDataset

__all__ = ["Digits"]


class Digits(TensorDataset):
    """1797 real handwritten digits of 8 x 8 pixels, which scikit-learn carries.

    Images are float32 of shape (1, 8, 8) between 0 and 1, targets int64. Every fifth picture is for
    testing: there are 1438 to learn from (`train=True`) and 359 to be tested on. ImportError
    without scikit-learn.

    Alpaydin and Kaynak, "Optical Recognition of Handwritten Digits" (1998).
    """

    classes = tuple("0123456789")

    def __init__(self, train: bool = True) -> None:
        try:
            from sklearn.datasets import load_digits  # heavy, and needed by nobody else
        except ImportError as error:
            raise ImportError(
                'the digits are part of scikit-learn: pip install "gradbook[lessons]"'
            ) from error
        digits = load_digits()
        images = autograd.tensor(digits.images / 16.0, dtype=autograd.float32).unsqueeze(1)
        targets = autograd.tensor(digits.target, dtype=autograd.int64)
        for_testing = autograd.arange(len(targets)) % 5 == 4
        chosen = ~for_testing if train else for_testing
        super().__init__(images[chosen], targets[chosen])

    @property
    def images(self) -> autograd.Tensor:
        """All pictures, (N, 1, 8, 8)."""
        return self.tensors[0]

    @property
    def targets(self) -> autograd.Tensor:
        """What they show, (N)."""
        return self.tensors[1]
