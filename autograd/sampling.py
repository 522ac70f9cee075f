"""From random words to random numbers: the distributions.

Each function takes the words that PyTorch takes for the same request and computes with them what it
computes, so that equal seeds give equal tensors. The recipes are old and short. A word scaled to
[0, 1) is a *uniform* number u. A distribution function run backwards turns u into anything else, as
-log(1 - u) turns it into an exponential number. And Box and Muller's trick makes normal ones.

*Which results are equal?* To the last bit: uniform, Bernoulli and geometric numbers, integers,
permutations, multinomial draws, and all that is rounded from float64 to float32. Where a float64
result needs log, cos or tan, or a product rounded together with a sum, the last bits may differ.
So they may for 16 and more normal numbers in float32, which PyTorch makes of approximations of its
own: six in seven are equal, the others differ by up to 3 units in the last place. (PyTorch differs
as much from itself between processors; on Intel's it even takes Bernoulli and exponential numbers
from another generator, MKL's. What it does elsewhere is followed here.)

Functions take the shape first and the generator last, and return arrays.
"""

from __future__ import annotations

import math

import numpy as np

from autograd.random import Generator, default_generator

Shape = int | tuple[int, ...]


def unit(shape: Shape, dtype: np.dtype, generator: Generator | None = None) -> np.ndarray:
    """Uniform in [0, 1): as many bits as the significand holds, over their power of two.

    float32 (and, to start with, float16): 24 bits of one word. float64: 53 bits of two.
    """
    generator = generator or default_generator
    if dtype == np.float64:
        bits, significant = generator.draw64(_count(shape)), 53
    else:
        bits, significant = generator.draw32(_count(shape)), 24
    bits &= bits.dtype.type(2**significant - 1)
    u = bits.astype(_at_least_float32(dtype))
    u *= 2.0**-significant
    return u.reshape(shape)


def uniform(
    shape: Shape,
    dtype: np.dtype,
    low: float = 0,
    high: float = 1,
    generator: Generator | None = None,
) -> np.ndarray:
    """Uniform in [low, high): u (high - low) + low. What rounds up to ``high`` becomes ``low``."""
    x = unit(shape, dtype, generator)
    if (low, high) != (0, 1):
        low, high = x.dtype.type(low), x.dtype.type(high)
        x = _fused(x, high - low, low)
    x = x.astype(dtype, copy=False)
    x[x >= dtype.type(high)] = low
    return x


def normal(
    shape: Shape,
    dtype: np.dtype,
    mean: float = 0,
    std: float = 1,
    generator: Generator | None = None,
) -> np.ndarray:
    """Normal with the given mean and standard deviation.

    Fewer than 16 are made in pairs; more in blocks of 16, in which 8 and 8 belong together. A last
    block that is not full is made of the 16 last numbers, anew.
    """
    n = _count(shape)
    if n < 16:
        return normal_in_pairs(shape, dtype, mean, std, generator)
    work = _at_least_float32(dtype)
    whole = n - n % 16
    u = unit(whole if dtype == np.float16 else n, work, generator)
    z = np.empty(n, work)
    z[:whole] = _box_muller(u[:whole])
    if whole < n:
        z[-16:] = _box_muller(unit(16, work, generator))
    if (mean, std) != (0, 1):
        z = _fused(z, std, mean)
    return z.astype(dtype, copy=False).reshape(shape)


def _box_muller(u: np.ndarray) -> np.ndarray:
    """Independent normal numbers from independent uniform ones, in blocks (Box and Muller, 1958).

    A point whose coordinates are normal lies in a uniformly random direction, and the square of its
    distance from the origin is twice an exponential number. So: take a direction 2πu₂, a distance
    √(-2 log(1 - u₁)), and read off the coordinates.
    """
    u1, u2 = u.reshape(-1, 2, 8).swapaxes(0, 1).reshape(2, -1)  # in long rows NumPy is fast
    radius, angle = np.sqrt(-2 * np.log(1 - u1)), 2 * np.pi * u2
    z = np.stack([radius * np.cos(angle), radius * np.sin(angle)])
    return z.reshape(2, -1, 8).swapaxes(0, 1).ravel()


def normal_in_pairs(
    shape: Shape, dtype: np.dtype, mean: float, std: float, generator: Generator | None = None
) -> np.ndarray:
    """Normal, one by one in float64: two at a time, of which the second waits for the next call."""
    generator = generator or default_generator
    n = _count(shape)
    pairs = (n - generator.spare.size + 1) // 2
    u1, u2 = unit((pairs, 2), np.dtype(np.float64), generator).T
    radius, angle = np.sqrt(-2 * np.log1p(-u2)), 2 * np.pi * u1
    fresh = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).ravel()
    z = np.concatenate([generator.spare, fresh])
    generator.spare = z[n:]
    return _fused(z[:n], std, mean).astype(dtype).reshape(shape)


def log_normal(
    shape: Shape, dtype: np.dtype, mean: float, std: float, generator: Generator | None = None
) -> np.ndarray:
    """exp of a normal number."""
    z = normal_in_pairs(shape, np.dtype(np.float64), mean, std, generator)
    return np.exp(z).astype(dtype)


def exponential(
    shape: Shape, dtype: np.dtype, lambd: float, generator: Generator | None = None
) -> np.ndarray:
    """-log(1 - u) / lambd, of which P(x > t) = exp(-lambd t)."""
    return (-1 / lambd * np.log1p(-_unit64(shape, generator))).astype(dtype)


def cauchy(
    shape: Shape, dtype: np.dtype, median: float, sigma: float, generator: Generator | None = None
) -> np.ndarray:
    """median + sigma tan(π(u - 1/2)): where a ray of uniform direction meets a line."""
    return (median + sigma * np.tan(np.pi * (_unit64(shape, generator) - 0.5))).astype(dtype)


def geometric(
    shape: Shape, dtype: np.dtype, p: float, generator: Generator | None = None
) -> np.ndarray:
    """How many trials until the first success of probability p: ⌈log u / log(1 - p)⌉."""
    return np.ceil(np.log(_unit64(shape, generator)) / np.log1p(-p)).astype(dtype)


def bernoulli(
    shape: Shape, p: float | np.ndarray, generator: Generator | None = None
) -> np.ndarray:
    """True with probability ``p`` (a number, or an array of that shape): u < p in its precision."""
    dtype = p.dtype if isinstance(p, np.ndarray) else np.dtype(np.float64)
    return unit(shape, dtype, generator) < p


def integers(shape: Shape, low: int, high: int, generator: Generator | None = None) -> np.ndarray:
    """Uniform on low, ..., high - 1 (int64): the remainder of a word divided by their number.

    Remainders favor small numbers; two words at a time keep that slight from 2**28 numbers on.
    """
    span = high - low
    return _below(shape, span, span >= 2**28, generator) + low


def any_value(shape: Shape, dtype: np.dtype, generator: Generator | None = None) -> np.ndarray:
    """Uniform on the whole numbers from 0 up to the largest of ``dtype``.

    Of a floating dtype, up to the largest below which it holds every whole number."""
    if dtype.kind == "f":
        last = 2 ** (np.finfo(dtype).nmant + 1)
    else:
        last = 1 if dtype.kind == "b" else int(np.iinfo(dtype).max)
    return _below(shape, last + 1, dtype.itemsize == 8, generator).astype(dtype)


def _below(shape: Shape, span: int, wide: bool, generator: Generator | None) -> np.ndarray:
    generator = generator or default_generator
    draw = generator.draw64 if wide else generator.draw32
    words = draw(_count(shape))
    if span < 2**64:
        words %= words.dtype.type(span)
    return words.astype(np.int64).reshape(shape)


def permutation(n: int, generator: Generator | None = None) -> np.ndarray:
    """0, ..., n - 1 in random order (int64), by Fisher and Yates's shuffle (1938).

    Go through the places in order and exchange each number with one that stands there or later:
    every order comes about in exactly one way. A loop over exchanges is slow in Python, but LAPACK
    has it: ``laswp`` exchanges rows as the pivots of an LU decomposition say.
    """
    from scipy.linalg.lapack import dlaswp  # takes a while to import, and few programs shuffle

    if n < 2:
        return np.arange(n)
    place = np.arange(n - 1)
    words = (generator or default_generator).draw32(n - 1)
    rows = np.arange(n, dtype=np.float64)[:, None]
    return dlaswp(rows, place + words % (n - place))[:, 0].astype(np.int64)


def multinomial(
    weights: np.ndarray, n: int, replacement: bool, generator: Generator | None = None
) -> np.ndarray:
    """For each row of ``weights``, ``n`` indices (int64), drawn in proportion to the weights.

    With replacement: where u falls in the cumulated weights. Without, or for a single one: a race.
    If each index takes an exponential time divided by its weight, it arrives first with probability
    weight / sum of weights, and so on for those left (Efraimidis and Spirakis, 2006).
    """
    if replacement and n > 1:
        reached = np.cumsum(weights, axis=1)
        reached /= reached[:, -1:]
        u = _unit64((len(weights), n), generator)
        return np.stack([np.searchsorted(row, x) for row, x in zip(reached, u, strict=True)])
    speed = weights / exponential(weights.shape, weights.dtype, 1, generator)
    return np.argsort(-speed, axis=1, kind="stable")[:, :n]


def _fused(x: np.ndarray, scale: float, shift: float) -> np.ndarray:
    """x scale + shift rounded once, as processors with a fused multiply-add do it.

    It is done in the next wider type, where that holds the product (for float64 it comes close)."""
    wide = np.float64 if x.dtype == np.float32 else np.longdouble
    return (x.astype(wide) * wide(scale) + wide(shift)).astype(x.dtype)


def _at_least_float32(dtype: np.dtype) -> np.dtype:
    return np.promote_types(dtype, np.float32)


def _unit64(shape: Shape, generator: Generator | None) -> np.ndarray:
    return unit(shape, np.dtype(np.float64), generator)


def _count(shape: Shape) -> int:
    return shape if isinstance(shape, int) else math.prod(shape)
