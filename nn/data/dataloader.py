"""DataLoader: a dataset in batches."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import autograd
from autograd import Generator

from .collate import default_collate
from .dataset import Dataset, IterableDataset, Subset, TensorDataset
from .sampler import BatchSampler, RandomSampler, SequentialSampler, random_seed

__all__ = ["DataLoader"]


class DataLoader:
    """Batches of a dataset, one pass for each `for` loop over it.

    dataset: anything with `__getitem__` and `__len__`, or an `IterableDataset`.
    batch_size: samples in a batch; None gives single samples, not collated.
    shuffle: a new random order on every pass, from `generator` or the default one; the orders are
        PyTorch's for the same seed. Or give a `sampler`, or a `batch_sampler` of index lists.
    collate_fn: makes a batch of a list of samples; `default_collate` stacks them.
    drop_last: leave a last, smaller batch out.

    Samples are loaded in this process, so `num_workers`, `pin_memory` and the like are accepted and
    change nothing. ValueError for arguments that exclude each other.
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[int] | None = None,
        batch_sampler: Iterable[list[int]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
        self.dataset = dataset
        self.num_workers = num_workers
        self.pin_memory = pin_memory
        self.generator = generator
        self._check_order(batch_size, shuffle, sampler, batch_sampler, drop_last)

        if batch_sampler is not None:
            batch_size, drop_last = None, False
        if sampler is None and not self._streams:
            sampler = (
                RandomSampler(dataset, generator=generator)
                if shuffle
                else SequentialSampler(dataset)
            )
        if batch_size is not None and not self._streams:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)  # type: ignore[arg-type]
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        in_batches = batch_size is not None or batch_sampler is not None
        self.collate_fn = collate_fn or (default_collate if in_batches else _as_it_is)

    @property
    def _streams(self) -> bool:
        return isinstance(self.dataset, IterableDataset)

    def _check_order(
        self, batch_size: Any, shuffle: Any, sampler: Any, batch_sampler: Any, drop_last: bool
    ) -> None:
        """At most one of the arguments may say in which order and in which batches samples come."""
        if self._streams:
            given = {"shuffle": shuffle or None, "sampler": sampler, "batch_sampler": batch_sampler}
            for name, value in given.items():
                if value is not None:
                    raise ValueError(
                        f"DataLoader with IterableDataset: expected unspecified {name} option, but "
                        f"got {name}={value}: a stream has its own order"
                    )
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None and (batch_size != 1 or shuffle or sampler or drop_last):
            raise ValueError(
                "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and "
                "drop_last"
            )
        if batch_size is None and drop_last:
            raise ValueError(
                "batch_size=None option disables auto-batching and is mutually exclusive with "
                "drop_last"
            )

    def __len__(self) -> int:
        """Batches in a pass. TypeError for a stream whose length is not known."""
        if not self._streams:
            return len(self.sampler if self.batch_sampler is None else self.batch_sampler)  # type: ignore[arg-type]
        samples = len(self.dataset)
        if self.batch_size is None:
            return samples
        full, rest = divmod(samples, self.batch_size)
        return full + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[Any]:
        # PyTorch draws a seed for its workers when a pass begins, even without any; drawing it too
        # keeps all later random numbers, and so the order of the samples, equal to PyTorch's.
        random_seed(self.generator)
        if self._streams:
            return self._stream()
        if self.batch_sampler is None:
            return (self.collate_fn(self.dataset[i]) for i in self.sampler)  # type: ignore[union-attr]
        return map(self._fetch, self.batch_sampler)

    def _fetch(self, indices: list[int]) -> Any:
        if self.collate_fn is default_collate:
            return _take(self.dataset, indices)
        return self.collate_fn([self.dataset[i] for i in indices])

    def _stream(self) -> Iterator[Any]:
        samples = iter(self.dataset)
        if self.batch_size is None:
            yield from map(self.collate_fn, samples)
            return
        while batch := list(islice(samples, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield self.collate_fn(batch)


def _take(dataset: Any, indices: Sequence[int]) -> Any:
    """The samples at `indices`, collated; those of tensors by one indexing for each tensor."""
    if _is_just(Subset, dataset):
        return _take(dataset.dataset, [dataset.indices[i] for i in indices])
    if _is_just(TensorDataset, dataset):
        where = autograd.tensor(indices, dtype=autograd.int64)
        return [tensor[where] for tensor in dataset.tensors]
    return default_collate([dataset[i] for i in indices])


def _is_just(kind: type[Dataset], dataset: Any) -> bool:
    """Whether this dataset gives its samples as `kind` does, and not in a way of its own."""
    return isinstance(dataset, kind) and type(dataset).__getitem__ is kind.__getitem__


def _as_it_is(sample: Any) -> Any:
    return sample


def _check_workers(
    num_workers: int, timeout: float, prefetch_factor: int | None, persistent_workers: bool
) -> None:
    if num_workers < 0:
        raise ValueError(
            "num_workers option should be non-negative; use num_workers=0, but got "
            f"num_workers={num_workers}"
        )
    if timeout < 0:
        raise ValueError(f"timeout option should be non-negative, but got {timeout}")
    if num_workers == 0 and prefetch_factor is not None:
        raise ValueError(
            "prefetch_factor option could only be specified in multiprocessing: set "
            "prefetch_factor to None"
        )
    if num_workers == 0 and persistent_workers:
        raise ValueError("persistent_workers option needs num_workers > 0")
    if num_workers > 0:
        warnings.warn(
            f"num_workers={num_workers}: samples are loaded in the main process here, which gives "
            "the same batches. Use num_workers=0 to say so.",
            stacklevel=3,
        )
