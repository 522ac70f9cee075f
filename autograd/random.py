"""Random numbers that are the same every time: the generator behind ``torch.manual_seed``.

It is a Mersenne Twister (Matsumoto and Nishimura, 1998). Its state is 624 words of 32 bits. A draw
takes the next word and stirs its bits ("tempering"); when all words have been taken, 624 new ones
are computed, each from three old ones by shifts and exclusive ors. That is a linear recurrence over
bits, and its constants are chosen so that it comes back to where it began only after 2**19937 - 1
steps.

PyTorch draws from the same twister, seeded in the same way, on the CPU. So ``torch.manual_seed(0)``
is followed here by the numbers that follow it there: ``sampling.py`` tells how words become them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy as np

from autograd.device import device as Device
from autograd.tensor import Tensor, memory, wrap

_WORDS = 624
_DEFAULT_SEED = 67280421310721  # of a new Generator, as PyTorch's

# A generator's state as bytes, laid out as PyTorch's: each of the two reads what the other saved.
_STATE = np.dtype(
    [
        ("seed", "<u8"),
        ("left", "<i4"),  # words to take before new ones are computed, plus one
        ("seeded", "<i4"),
        ("next", "<u8"),  # the word to take next
        ("words", "<u8", _WORDS),
        ("normal_x", "<f8"),
        ("normal_y", "<f8"),  # the spare normal number
        ("normal_rho", "<f8"),
        ("normal_is_valid", "<i4"),  # whether there is a spare
        ("float_normal", "<f4"),
        ("float_normal_is_valid", "?"),
    ],
    align=True,
)


class Generator:
    """A source of random numbers with a state of its own: ``torch.Generator().manual_seed(0)``.

    Give it as ``generator=`` to any random function; the others share ``torch.default_generator``.
    """

    def __init__(self, device: Any = "cpu") -> None:
        self.device = Device(device)
        self.manual_seed(_DEFAULT_SEED)

    def manual_seed(self, seed: int) -> Generator:
        """Start again from ``seed``, between -2**63 and 2**64 - 1; returns the generator.

        Raises RuntimeError for what is not an int, ValueError for one outside these bounds. Only
        the lowest 32 bits count.
        """
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
            raise RuntimeError(f"manual_seed expected a long, but got {type(seed).__name__}")
        if not -(2**63) <= seed < 2**64:
            raise ValueError(f"a seed lies between -2**63 and 2**64 - 1, but got {seed}")
        self._seed = int(seed) % 2**64
        # Normal numbers are made two at a time; one that nobody has asked for yet is kept here.
        self.spare = np.empty(0)
        self.__dict__.pop("_twister", None)
        return self

    @cached_property
    def _twister(self) -> np.random.MT19937:
        """Made from the seed when first asked for: NumPy's twister takes a while to import."""
        # A linear congruential generator, with a multiplier from Knuth's The Art of Computer
        # Programming, spreads the seed over the state. The low bits of a product depend on low bits
        # only, hence the shift that brings the high ones down.
        words = [self._seed & 0xFFFFFFFF]
        for i in range(1, _WORDS):
            words.append((1812433253 * (words[-1] ^ (words[-1] >> 30)) + i) & 0xFFFFFFFF)
        return _twister_at(np.array(words), position=_WORDS)

    def seed(self) -> int:
        """Start again from a seed that nobody can guess, and return it."""
        return self.manual_seed(int.from_bytes(os.urandom(8))).initial_seed()

    def initial_seed(self) -> int:
        """The seed that it was last started from."""
        return self._seed

    def get_state(self) -> Tensor:
        """Where it stands, as a tensor of 5056 bytes (uint8); PyTorch reads them too."""
        twister = self._twister.state["state"]
        record = np.zeros((), _STATE)
        record["seed"] = self._seed
        record["left"] = _WORDS + 1 - twister["pos"]
        record["seeded"] = True
        record["next"] = twister["pos"] % _WORDS
        record["words"] = twister["key"]
        record["normal_is_valid"] = self.spare.size
        record["normal_y"] = self.spare.sum()
        return wrap(record.reshape(1).view(np.uint8))

    def set_state(self, new_state: Tensor) -> Generator:
        """Continue from a state of ``get_state()``, here or of PyTorch; returns the generator.

        Raises TypeError if it is not a uint8 tensor, RuntimeError if it is not such a state.
        """
        if not isinstance(new_state, Tensor) or memory(new_state).dtype != np.uint8:
            found = getattr(new_state, "dtype", type(new_state).__name__)
            raise TypeError(f"RNG state must be a torch.ByteTensor, but got {found}")
        data = np.ascontiguousarray(memory(new_state)).ravel()
        if data.size != _STATE.itemsize:
            raise RuntimeError(
                f"a generator's state has {_STATE.itemsize} bytes, but got {data.size}. Pass what "
                "get_state() returned."
            )
        record = data.view(_STATE)[0]
        if not (record["seeded"] and 1 <= record["left"] <= _WORDS and record["words"].any()):
            raise RuntimeError(
                "Invalid mt19937 state: these bytes are not a generator's. Pass what get_state() "
                "returned."
            )
        self._seed = int(record["seed"])
        self._twister = _twister_at(record["words"], position=_WORDS + 1 - int(record["left"]))
        self.spare = np.array([record["normal_y"]] if record["normal_is_valid"] else [])
        return self

    def clone_state(self) -> Generator:
        """Another generator that will draw the same numbers."""
        return Generator().set_state(self.get_state())

    def draw32(self, n: int) -> np.ndarray:
        """The next ``n`` words of 32 bits."""
        return self._twister.random_raw(n).astype(np.uint32)

    def draw64(self, n: int) -> np.ndarray:
        """The next ``n`` words of 64 bits, each made of two, the high one first."""
        words = self._twister.random_raw(2 * n)
        pairs = words[::2] << 32
        pairs |= words[1::2]
        return pairs


def _twister_at(words: np.ndarray, position: int) -> np.random.MT19937:
    """A twister in the state of these words, ``position`` of which have been taken."""
    twister = np.random.MT19937(0)
    twister.state = {
        "bit_generator": "MT19937",
        "state": {"key": words.astype(np.uint32), "pos": position},
    }
    return twister


default_generator = Generator()


def manual_seed(seed: int) -> Generator:
    """Start the default generator from ``seed``; returns it."""
    return default_generator.manual_seed(int(seed))


def seed() -> int:
    """Start the default generator from a seed that nobody can guess, and return that seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed that the default generator was last started from."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """The state of the default generator: see ``Generator.get_state``."""
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Put the default generator into a state: see ``Generator.set_state``."""
    default_generator.set_state(new_state)


@contextmanager
def fork_rng(devices: Iterable[Any] = (), enabled: bool = True) -> Iterator[None]:
    """After the block the default generator goes on as if nothing had been drawn or seeded in it.

    ``devices`` other than the CPU raise RuntimeError; ``enabled=False`` makes it do nothing.
    """
    for name in devices or ():
        Device(name)
    state = get_rng_state()
    try:
        yield
    finally:
        if enabled:
            set_rng_state(state)


seed()
