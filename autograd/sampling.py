"""From random words to random numbers: the distributions.

Each function takes the words that PyTorch takes for the same request and computes with them what it
computes, so that equal seeds give equal tensors. The recipes are old and short. A word scaled to
[0, 1) is a *uniform* number u. A distribution function run backwards turns u into anything else, as
-log(1 - u) turns it into an exponential number. And Box and Muller's trick makes normal ones.

*Which results are equal?* To the last bit: uniform, Bernoulli and geometric numbers, integers,
permutations, multinomial draws, and all that is rounded from float64 to float32. Where a float64
result needs log, cos or tan, the last bits may differ. So they may for 16 and more normal numbers
in float32, which PyTorch makes of approximations of its own: six in seven are equal, the others
differ by up to 3 units in the last place. (PyTorch differs as much from itself between processors;
on Intel's it even takes Bernoulli and exponential numbers from another generator, MKL's. What it
does elsewhere is followed here.)

Functions take the shape and the dtype first, the generator last, and return arrays.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.random import Generator, default_generator

Shape = int | tuple[int, ...]
_FLOAT64 = np.dtype(np.float64)

# -- uniform ---------------------------------------------------------------------------------------


def unit(shape: Shape, dtype: np.dtype, generator: Generator | None = None) -> np.ndarray:
    """Uniform in [0, 1): as many bits as the significand holds, over their power of two.

    float32 (and, to start with, float16): 24 bits of one word. float64: 53 bits of two.
    """
    if dtype == np.float64:
        bits, significant = _words(shape, True, generator), 53
    else:
        bits, significant = _words(shape, False, generator), 24
    bits &= 2**significant - 1
    u = bits.astype(np.promote_types(dtype, np.float32))
    u *= 2.0**-significant
    return u


def uniform(
    shape: Shape,
    dtype: np.dtype,
    low: float = 0,
    high: float = 1,
    generator: Generator | None = None,
) -> np.ndarray:
    """Uniform in [low, high): u (high - low) + low. What rounds up to ``high`` becomes ``low``."""
    _check_floating("uniform", dtype)
    if not low <= high:
        raise RuntimeError(
            f"uniform_ expects to return a [from, to) range, but found from={low} > to={high}"
        )
    if not high - low <= np.finfo(dtype).max:
        raise RuntimeError(
            f"uniform_ expects a range that {dtype} holds, but found from={low}, to={high}"
        )
    x = unit(shape, dtype, generator)
    if (low, high) != (0, 1):
        low, high = x.dtype.type(low), x.dtype.type(high)
        x = fused(x, high - low, low)
    x = x.astype(dtype, copy=False)
    x[x >= dtype.type(high)] = low
    return x


def fused(x: np.ndarray, scale: float, shift: float) -> np.ndarray:
    """x scale + shift rounded once, as processors with a fused multiply-add do it.

    float32 is computed in float64, which holds the product. In float64 what rounding the product
    and the sum took away is computed too (but for powers of two, of which products are exact).
    """
    if x.dtype == np.float32:
        return (x.astype(np.float64) * np.float64(scale) + np.float64(shift)).astype(np.float32)
    scale, shift = np.float64(scale), np.float64(shift)
    if abs(math.frexp(scale)[0]) == 0.5 or not abs(scale) < 2.0**900:
        return x * scale + shift
    y = np.empty_like(x)
    source, target = x.reshape(-1), y.reshape(-1)
    for start in range(0, x.size, 4096):  # pieces that stay in the cache
        piece = slice(start, start + 4096)
        target[piece] = _fused_by_errors(source[piece], scale, shift)
    return y


def _fused_by_errors(x: np.ndarray, scale: np.float64, shift: np.float64) -> np.ndarray:
    """Each operation's error is a float64 too (Dekker, 1971; Knuth): that of a product of the
    products of its factors' halves, that of a sum of what comes back on subtraction."""
    product = x * scale
    (high, low), (scale_high, scale_low) = _halves(x), _halves(scale)
    error = ((high * scale_high - product) + high * scale_low + low * scale_high) + low * scale_low
    y = product + shift
    rounded = y - product  # the shift, as far as it got in
    error += (product - (y - rounded)) + (shift - rounded)
    return y + error


def _halves(x: Any) -> tuple[Any, Any]:
    """Two numbers of 26 bits that add up to x: their products are exact."""
    wide = x * 134217729.0  # 2**27 + 1
    high = wide - (wide - x)
    return high, x - high


# -- normal ----------------------------------------------------------------------------------------


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
    _check_normal(dtype, std)
    work = np.promote_types(dtype, np.float32)
    whole = n - n % 16
    u = unit(whole if dtype == np.float16 else n, work, generator)
    z = np.empty(n, work)
    z[:whole] = _box_muller(u[:whole])
    if whole < n:
        z[-16:] = _box_muller(unit(16, work, generator))
    if (mean, std) != (0, 1):
        z = fused(z, std, mean)
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
    shape: Shape,
    dtype: np.dtype,
    mean: float = 0,
    std: float = 1,
    generator: Generator | None = None,
) -> np.ndarray:
    """Normal, made in float64 two at a time; of an odd number the last waits for the next call."""
    _check_normal(dtype, std)
    source = _source(generator)
    n = _count(shape)
    pairs = (n - source.spare.size + 1) // 2
    u1, u2 = unit((pairs, 2), _FLOAT64, source).T
    radius, angle = np.sqrt(-2 * np.log1p(-u2)), 2 * np.pi * u1
    fresh = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).ravel()
    z = np.concatenate([source.spare, fresh])
    source.spare = z[n:]
    return fused(z[:n], std, mean).astype(dtype).reshape(shape)


def log_normal(
    shape: Shape,
    dtype: np.dtype,
    mean: float = 1,
    std: float = 2,
    generator: Generator | None = None,
) -> np.ndarray:
    """exp of a normal number."""
    _check_floating("log_normal", dtype)
    if not std > 0:
        raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std}")
    return np.exp(normal_in_pairs(shape, _FLOAT64, mean, std, generator)).astype(dtype)


def _check_normal(dtype: np.dtype, std: float) -> None:
    _check_floating("normal", dtype)
    if not std >= 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std}")


# -- what a distribution function run backwards makes of u -----------------------------------------


def exponential(
    shape: Shape, dtype: np.dtype, lambd: float = 1, generator: Generator | None = None
) -> np.ndarray:
    """-log(1 - u) / lambd, of which P(x > t) = exp(-lambd t)."""
    _check_floating("exponential", dtype)
    if not lambd > 0:
        raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd}")
    return (-1 / lambd * np.log1p(-unit(shape, _FLOAT64, generator))).astype(dtype)


def cauchy(
    shape: Shape,
    dtype: np.dtype,
    median: float = 0,
    sigma: float = 1,
    generator: Generator | None = None,
) -> np.ndarray:
    """median + sigma tan(π(u - 1/2)): where a ray of uniform direction meets a line."""
    _check_floating("cauchy", dtype)
    if not sigma > 0:
        raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma}")
    u = unit(shape, _FLOAT64, generator)
    return (median + sigma * np.tan(np.pi * (u - 0.5))).astype(dtype)


def geometric(
    shape: Shape, dtype: np.dtype, p: float, generator: Generator | None = None
) -> np.ndarray:
    """How many trials until the first success of probability p: ⌈log u / log(1 - p)⌉."""
    if not 0 < p < 1:
        raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p}")
    return np.ceil(np.log(unit(shape, _FLOAT64, generator)) / np.log1p(-p)).astype(dtype)


def bernoulli(
    shape: Shape, dtype: np.dtype, p: Any, generator: Generator | None = None
) -> np.ndarray:
    """1 with probability ``p`` (a number, or an array of that shape), else 0: u < p.

    u has the precision of the array, float64 for a number.
    """
    chances = np.asarray(p, _FLOAT64) if isinstance(p, (int, float)) else p
    _check_floating("bernoulli", chances.dtype)
    if not ((chances >= 0) & (chances <= 1)).all():
        raise RuntimeError(f"bernoulli expects p to be in [0, 1], but got p={p}")
    return (unit(shape, chances.dtype, generator) < chances).astype(dtype, copy=False)


# -- integers --------------------------------------------------------------------------------------


def integers(
    shape: Shape, dtype: np.dtype, low: int, high: int, generator: Generator | None = None
) -> np.ndarray:
    """Uniform on low, ..., high - 1: the remainder of a word divided by their number.

    Remainders favor small numbers; two words at a time keep that slight from 2**28 numbers on.
    """
    if not low < high:
        raise RuntimeError(
            f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}"
        )
    smallest, largest = _range(dtype)
    for name, bound in (("from", low), ("to - 1", high - 1)):
        if not smallest <= bound <= largest:
            raise RuntimeError(f"{name} is out of bounds for {dtype}: {bound}")
    span = high - low
    return (_below(shape, span, span >= 2**28, generator) + low).astype(dtype)


def any_integers(shape: Shape, dtype: np.dtype, generator: Generator | None = None) -> np.ndarray:
    """Uniform on the whole numbers from 0 to the largest of ``dtype``.

    Of a floating dtype, to the largest up to which it holds every one: 2**24 for float32.
    """
    last = 2 ** (np.finfo(dtype).nmant + 1) if dtype.kind == "f" else _range(dtype)[1]
    return _below(shape, last + 1, dtype.itemsize == 8, generator).astype(dtype)


def _below(shape: Shape, span: int, wide: bool, generator: Generator | None) -> np.ndarray:
    words = _words(shape, wide, generator)
    if span < 2**64:
        words %= span
    return words.astype(np.int64)


def _range(dtype: np.dtype) -> tuple[int, int]:
    """The whole numbers that ``dtype`` reaches, as far as int64 does."""
    if dtype.kind == "b":
        return 0, 1
    limits = np.iinfo(np.int64) if dtype.kind == "f" else np.iinfo(dtype)
    return int(limits.min), int(limits.max)


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
    words = _words(n - 1, False, generator)
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
        u = unit((len(weights), n), _FLOAT64, generator)
        rows = [np.searchsorted(row, x) for row, x in zip(reached, u, strict=True)]
        return np.reshape(rows, u.shape).astype(np.int64)
    speed = weights / exponential(weights.shape, weights.dtype, 1, generator)
    return np.argsort(-speed, axis=1, kind="stable")[:, :n]


# -- into memory -----------------------------------------------------------------------------------


def fill(array: np.ndarray, draw: Callable[..., np.ndarray], *settings: Any) -> np.ndarray:
    """Fill a dense array, in the order of its memory as PyTorch does, and return it."""
    array.ravel("K")[...] = draw(array.size, array.dtype, *settings)
    return array


def in_order_of(array: np.ndarray, values: np.ndarray) -> np.ndarray:
    """``values``, broadcast to the shape of ``array``, as a row in the order of its memory."""
    arranged = np.empty_like(array, values.dtype)
    arranged[...] = values
    return arranged.ravel("K")


def normal_for(array: np.ndarray) -> Callable[..., np.ndarray]:
    """The function that PyTorch fills ``array`` with: blocks need contiguous memory."""
    return normal if array.flags.c_contiguous else normal_in_pairs


# -- helpers ---------------------------------------------------------------------------------------


def _source(generator: Generator | None) -> Generator:
    if generator is None:
        return default_generator
    if not isinstance(generator, Generator):
        raise TypeError(
            f"generator must be a torch.Generator or None, but got {type(generator).__name__}. "
            "Write torch.Generator().manual_seed(...)."
        )
    return generator


def _words(shape: Shape, wide: bool, generator: Generator | None) -> np.ndarray:
    source = _source(generator)
    return (source.draw64 if wide else source.draw32)(_count(shape)).reshape(shape)


def _count(shape: Shape) -> int:
    return shape if isinstance(shape, int) else math.prod(shape)


def _check_floating(name: str, dtype: np.dtype) -> None:
    if dtype.kind != "f":
        raise NotImplementedError(
            f"'{name}' not implemented for {dtype}: its numbers are not whole. Give a floating "
            "dtype, such as torch.float32."
        )
