"""Datasets, samplers and loaders: PyTorch's batches in PyTorch's order, and bad input.

Written in PyTorch's words; `SUBJECT=torch pytest` shows that PyTorch says the same.
"""

from __future__ import annotations

import re
import sys
from collections import namedtuple
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from compare import OURS, SUBJECT, THEIRS, array, is_tensor

torch = OURS.torch
data = torch.utils.data
against_torch = pytest.mark.skipif(THEIRS is None, reason="PyTorch is not installed")
only_ours = pytest.mark.skipif(SUBJECT == "torch", reason="PyTorch has nothing like it")


def plain(batch: Any) -> Any:
    """A batch without tensors, to be compared with `==`."""
    if is_tensor(batch):
        return str(batch.dtype), batch.tolist()
    if isinstance(batch, dict):
        return {key: plain(value) for key, value in batch.items()}
    if isinstance(batch, (list, tuple)):
        return [plain(entry) for entry in batch]
    return batch


class Squares(data.Dataset):
    """A dataset as users write them."""

    def __init__(self, size: int = 10) -> None:
        self.size = size

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> Any:
        return torch.tensor([float(index)]), index * index


class Stream(data.IterableDataset):
    def __iter__(self) -> Iterator[int]:
        return iter(range(7))


# --- datasets -------------------------------------------------------------------------------------


def test_tensor_dataset() -> None:
    x, y = torch.arange(6.0).reshape(3, 2), torch.tensor([5, 6, 7])
    dataset = data.TensorDataset(x, y)
    assert len(dataset) == 3
    assert plain(dataset[1]) == plain((x[1], y[1]))
    assert plain(dataset[-1]) == plain((x[2], y[2]))
    assert plain(dataset[:2]) == plain((x[:2], y[:2]))
    with pytest.raises(IndexError):
        dataset[3]
    with pytest.raises(AssertionError, match="Size mismatch between tensors"):
        data.TensorDataset(x, y[:2])


def test_datasets_one_after_the_other() -> None:
    both = Squares(2) + Squares(3)
    assert isinstance(both, data.ConcatDataset)
    assert [sample[1] for sample in map(both.__getitem__, range(5))] == [0, 1, 0, 1, 4]
    assert both[-1][1] == 4
    assert both.cumulative_sizes == [2, 5]
    with pytest.raises(ValueError, match="should not exceed dataset length"):
        both[-6]
    with pytest.raises(AssertionError, match="should not be an empty iterable"):
        data.ConcatDataset([])
    with pytest.raises(AssertionError, match="does not support IterableDataset"):
        data.ConcatDataset([Stream()])


def test_subset() -> None:
    subset = data.Subset(Squares(), [2, 4, 8])
    assert len(subset) == 3
    assert subset[2][1] == 64
    assert next(iter(data.DataLoader(subset, 3)))[1].tolist() == [4, 16, 64]


def test_random_split() -> None:
    parts = data.random_split(range(10), [3, 7], generator=torch.Generator().manual_seed(1))
    assert [len(part) for part in parts] == [3, 7]
    assert sorted(i for part in parts for i in part) == list(range(10))
    assert [len(part) for part in data.random_split(range(10), [0.25, 0.25, 0.5])] == [3, 2, 5]
    with pytest.raises(ValueError, match="Sum of input lengths does not equal"):
        data.random_split(range(10), [3, 3])
    with pytest.raises(ValueError, match="Fraction at index 0 is not between 0 and 1"):
        data.random_split(range(10), [-0.5, 1.5])
    with pytest.warns(UserWarning, match="Length of split at index 1 is 0"):
        data.random_split(range(1), [1.0, 0.0])


@against_torch
def test_random_split_like_pytorchs() -> None:
    found = []
    for library in (OURS, THEIRS):
        generator = library.torch.Generator().manual_seed(42)
        split = library.torch.utils.data.random_split
        parts = split(range(30), [0.3, 0.3, 0.4], generator)
        library.torch.manual_seed(3)
        parts += split(range(5), [2, 3])
        found.append([list(part.indices) for part in parts])
    assert found[0] == found[1]


# --- the order of the samples ---------------------------------------------------------------------

SAMPLERS = [
    "SequentialSampler(range(5))",
    "RandomSampler(range(20))",
    "RandomSampler(range(5), num_samples=12)",
    "RandomSampler(range(5), replacement=True, num_samples=70)",
    "RandomSampler(range(9), generator=torch.Generator().manual_seed(3))",
    "SubsetRandomSampler([5, 3, 9, 11])",
    "WeightedRandomSampler([0.1, 0.9, 0.4, 0.7, 3.0, 0.6], 50)",
    "WeightedRandomSampler([0.1, 0.9, 0.4, 0.7, 3.0, 0.6], 5, replacement=False)",
    "BatchSampler(torch.utils.data.RandomSampler(range(10)), 3, False)",
    "BatchSampler(range(10), 3, True)",
    "BatchSampler(range(9), 3, False)",
]


@against_torch
@pytest.mark.parametrize("expression", SAMPLERS)
def test_samplers_like_pytorchs(expression: str) -> None:
    found = []
    for library in (OURS, THEIRS):
        library.torch.manual_seed(7)
        sampler = library.evaluate("torch.utils.data." + expression, {})
        # Two passes, and a number drawn after them.
        found.append((list(sampler), list(sampler), len(sampler), library.torch.rand(1).item()))
    assert found[0] == found[1]


LOADERS = [
    "batch_size=4",
    "batch_size=4, drop_last=True",
    "batch_size=5, shuffle=True",
    "batch_size=None",
    "shuffle=True, generator=torch.Generator().manual_seed(9)",
    "batch_size=3, sampler=[3, 1, 4, 1, 5]",
    "batch_sampler=[[1, 2], [3], [9, 8, 7]]",
    "batch_size=3, collate_fn=lambda batch: [label for _, label in batch]",
]


@against_torch
@pytest.mark.parametrize("settings", LOADERS)
def test_loaders_like_pytorchs(settings: str) -> None:
    found = []
    for library in (OURS, THEIRS):
        library.torch.manual_seed(7)
        x = library.torch.arange(20.0).reshape(10, 2)
        dataset = library.torch.utils.data.TensorDataset(x, library.torch.arange(10))
        expression = f"torch.utils.data.DataLoader(dataset, {settings})"
        loader = library.evaluate(expression, {"dataset": dataset})
        epochs = [plain(list(loader)), plain(list(loader))]
        found.append((epochs, len(loader), library.torch.rand(1).item()))
    assert found[0] == found[1]


def test_every_epoch_has_an_order_of_its_own() -> None:
    torch.manual_seed(0)
    loader = data.DataLoader(range(60), batch_size=8, shuffle=True)
    epochs = [[batch.tolist() for batch in loader] for _ in range(2)]
    assert [len(batch) for batch in epochs[0]] == [8] * 7 + [4]
    assert len(loader) == 8
    first, second = ([i for batch in epoch for i in batch] for epoch in epochs)
    assert first != second
    assert sorted(first) == sorted(second) == list(range(60))
    torch.manual_seed(0)
    assert [batch.tolist() for batch in loader] == epochs[0]


def test_two_passes_at_once_do_not_disturb_each_other() -> None:
    loader = data.DataLoader(range(4), batch_size=2)
    assert [(a.tolist(), b.tolist()) for a in loader for b in loader][1] == ([0, 1], [2, 3])


def test_a_loader_of_ones_own_dataset() -> None:
    x, y = next(iter(data.DataLoader(Squares(), batch_size=3)))
    assert plain(x) == ("torch.float32", [[0.0], [1.0], [2.0]])
    assert plain(y) == ("torch.int64", [0, 1, 4])


def test_streams() -> None:
    loader = data.DataLoader(Stream(), batch_size=3)
    assert [batch.tolist() for batch in loader] == [[0, 1, 2], [3, 4, 5], [6]]
    loader = data.DataLoader(Stream(), batch_size=3, drop_last=True)
    assert [batch.tolist() for batch in loader] == [[0, 1, 2], [3, 4, 5]]
    assert list(data.DataLoader(Stream(), batch_size=None)) == list(range(7))
    with pytest.raises(TypeError):
        len(loader)


@only_ours
def test_batches_of_tensors_are_taken_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def collected(batch: Any) -> Any:
        raise AssertionError("sample by sample")

    monkeypatch.setattr("nn.data.collate.autograd.stack", collected)
    dataset = data.TensorDataset(torch.arange(10.0), torch.arange(10))
    part = data.Subset(dataset, [9, 8, 7])
    assert [plain(batch) for batch in data.DataLoader(part, batch_size=2)] == [
        [("torch.float32", [9.0, 8.0]), ("torch.int64", [9, 8])],
        [("torch.float32", [7.0]), ("torch.int64", [7])],
    ]
    x, _ = next(iter(data.DataLoader(dataset, batch_size=3)))
    x[0] = 55.0
    assert dataset.tensors[0][0].item() == 0.0, "a batch is a copy"


def test_samples_of_ones_own_are_asked_for() -> None:
    class Doubled(data.TensorDataset):
        def __getitem__(self, index: Any) -> Any:
            (x,) = super().__getitem__(index)
            return 2 * x

    loader = data.DataLoader(data.Subset(Doubled(torch.arange(4)), [3, 1]), batch_size=2)
    assert [batch.tolist() for batch in loader] == [[6, 2]]


@only_ours
def test_workers_are_not_needed() -> None:
    with pytest.warns(UserWarning, match="num_workers=2: samples are loaded in the main process"):
        loader = data.DataLoader(
            range(4), 2, num_workers=2, persistent_workers=True, prefetch_factor=4
        )
    assert [batch.tolist() for batch in loader] == [[0, 1], [2, 3]]


# --- collating ------------------------------------------------------------------------------------

Point = namedtuple("Point", ["x", "y"])

COLLATED = {
    "[torch.ones(2), torch.zeros(2)]": ("torch.float32", [[1.0, 1.0], [0.0, 0.0]]),
    "[1, 2]": ("torch.int64", [1, 2]),
    "[True, False]": ("torch.bool", [True, False]),
    "[1.5, 2.0]": ("torch.float64", [1.5, 2.0]),
    "[np.float32(1.5), np.float32(2)]": ("torch.float32", [1.5, 2.0]),
    "[np.arange(2), np.arange(2)]": ("torch.int64", [[0, 1], [0, 1]]),
    "['a', 'b']": ["a", "b"],
    "[(1, 'a'), (2, 'b')]": [("torch.int64", [1, 2]), ["a", "b"]],
    "[[1, 2.0], [3, 4.0]]": [("torch.int64", [1, 3]), ("torch.float64", [2.0, 4.0])],
    "[{'k': 1}, {'k': 2}]": {"k": ("torch.int64", [1, 2])},
    "[Point(1, 2), Point(3, 4)]": [("torch.int64", [1, 3]), ("torch.int64", [2, 4])],
}


@pytest.mark.parametrize("samples", COLLATED)
def test_collate(samples: str) -> None:
    batch = data.default_collate(OURS.evaluate(samples, {"Point": Point}))
    assert plain(batch) == COLLATED[samples]
    assert isinstance(batch, Point) == samples.startswith("[Point")


# --- bad input ------------------------------------------------------------------------------------

REFUSED = {
    "DataLoader(xs, num_workers=-1)": (ValueError, "num_workers option should be non-negative"),
    "DataLoader(xs, timeout=-1)": (ValueError, "timeout option should be non-negative"),
    "DataLoader(xs, prefetch_factor=2)": (ValueError, "prefetch_factor option could only"),
    "DataLoader(xs, persistent_workers=True)": (ValueError, "persistent_workers option needs"),
    "DataLoader(xs, shuffle=True, sampler=[1])": (ValueError, "mutually exclusive with shuffle"),
    "DataLoader(xs, 2, batch_sampler=[[1]])": (ValueError, "mutually exclusive with batch_size"),
    "DataLoader(xs, batch_size=None, drop_last=True)": (ValueError, "batch_size=None option"),
    "DataLoader(xs, batch_size=0)": (ValueError, "positive integer value, but got batch_size=0"),
    "DataLoader(xs, batch_size=2.5)": (
        ValueError,
        "positive integer value, but got batch_size=2.5",
    ),
    "DataLoader(stream, shuffle=True)": (ValueError, "expected unspecified shuffle option"),
    "DataLoader(stream, sampler=[1])": (ValueError, "expected unspecified sampler option"),
    "BatchSampler(xs, 2, 'no')": (ValueError, "drop_last should be a boolean"),
    "RandomSampler(xs, 'no')": (TypeError, "replacement should be a boolean"),
    "RandomSampler(xs, num_samples=0)": (ValueError, "num_samples should be a positive integer"),
    "RandomSampler([])": (ValueError, "num_samples should be a positive integer"),
    "WeightedRandomSampler([1.0], 0)": (ValueError, "num_samples should be a positive integer"),
    "WeightedRandomSampler([[1.0]], 1)": (ValueError, "weights should be a 1d sequence"),
    "WeightedRandomSampler([1.0], 1, 'no')": (ValueError, "replacement should be a boolean"),
    "default_collate([object()])": (TypeError, "batch must contain tensors"),
    "default_collate([[1, 2], [3]])": (RuntimeError, "should be of equal size"),
}


@pytest.mark.parametrize("expression", REFUSED)
def test_refuses(expression: str) -> None:
    error, words = REFUSED[expression]
    given = {"xs": range(4), "stream": Stream(), "object": object}
    with pytest.raises(error, match=re.escape(words)):
        OURS.evaluate("torch.utils.data." + expression, given)


def test_datasets_define_their_samples() -> None:
    with pytest.raises(NotImplementedError):
        data.Dataset()[0]


# --- the digits -----------------------------------------------------------------------------------


@only_ours
def test_digits() -> None:
    pytest.importorskip("sklearn")
    learn, test = data.datasets.Digits(), data.datasets.Digits(train=False)
    assert (len(learn), len(test)) == (1437, 360)
    image, target = learn[0]
    assert tuple(image.shape) == (1, 8, 8)
    assert str(image.dtype) == "torch.float32"
    assert target.item() in range(10)
    pixels = array(learn.images)
    assert (pixels.min(), pixels.max()) == (0.0, 1.0)
    assert set(np.unique(array(test.targets))) == set(range(10))
    assert len(learn.classes) == 10
    large = data.datasets.Digits(size=16).images
    assert tuple(large.shape) == (1437, 1, 16, 16)
    np.testing.assert_array_equal(array(large)[:, :, 1::2, ::2], pixels)
    with pytest.raises(ValueError, match="size must be 8 or a multiple of it, but got 12"):
        data.datasets.Digits(size=12)


@only_ours
def test_digits_without_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=re.escape('pip install "gradbook[lessons]"')):
        data.datasets.Digits()
