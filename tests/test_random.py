"""Random numbers: equal seeds give equal numbers, and they are PyTorch's."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import sampling
from autograd.random import Generator, fork_rng

FLOAT16, FLOAT32, FLOAT64 = (np.dtype(name) for name in ("float16", "float32", "float64"))


@pytest.fixture(autouse=True)
def undisturbed() -> Iterator[None]:
    with fork_rng():
        yield


def seeded(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


# -- the generator ---------------------------------------------------------------------------------


def test_the_mersenne_twister_is_the_standard_one() -> None:
    words = seeded(5489).draw32(10_000)
    assert words[0] == 3499211612
    assert words[-1] == 4123659995  # which the C++ standard asks of std::mt19937


def test_double_words_are_pairs_high_half_first() -> None:
    words = seeded().draw32(2000).astype(np.uint64)
    assert (seeded().draw64(1000) == (words[::2] << np.uint64(32) | words[1::2])).all()


def test_equal_seeds_give_equal_numbers() -> None:
    assert autograd.manual_seed(3) is autograd.default_generator
    first = autograd.rand(5)
    assert autograd.rand(5).tolist() != first.tolist()
    autograd.manual_seed(3)
    assert autograd.rand(5).tolist() == first.tolist()
    assert autograd.rand(5, generator=seeded(3)).tolist() == first.tolist()


def test_seeds_are_remembered() -> None:
    assert Generator().initial_seed() == 67280421310721
    assert seeded(7).initial_seed() == 7
    assert seeded(-1).initial_seed() == 2**64 - 1
    assert seeded(np.int64(5)).initial_seed() == 5
    autograd.manual_seed(11)
    assert autograd.initial_seed() == 11
    assert autograd.seed() == autograd.initial_seed() != 11
    assert Generator().seed() != Generator().seed()


def test_only_the_low_32_bits_of_a_seed_count() -> None:
    assert seeded(2**40 + 5).draw32(1) == seeded(5).draw32(1)


@pytest.mark.parametrize("seed", [1.5, "1", True, None])
def test_a_seed_is_an_int(seed: Any) -> None:
    with pytest.raises(RuntimeError, match=f"expected a long, but got {type(seed).__name__}"):
        Generator().manual_seed(seed)


@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1])
def test_a_seed_has_64_bits(seed: int) -> None:
    with pytest.raises(ValueError, match="between"):
        Generator().manual_seed(seed)


def test_states_are_saved_and_restored() -> None:
    g = seeded()
    sampling.normal(3, FLOAT32, generator=g)  # leaves a spare
    state = g.get_state()
    assert state.dtype == autograd.uint8
    assert state.shape == (5056,)
    ahead = [sampling.normal(3, FLOAT32, generator=g), g.draw32(700)]
    for other in (g.set_state(state), Generator().set_state(state)):
        assert (sampling.normal(3, FLOAT32, generator=other) == ahead[0]).all()
        assert (other.draw32(700) == ahead[1]).all()
        assert other.initial_seed() == 0


def test_states_of_the_default_generator() -> None:
    state = autograd.get_rng_state()
    first = autograd.randn(3)
    autograd.set_rng_state(state)
    assert autograd.randn(3).tolist() == first.tolist()


@pytest.mark.parametrize(
    "duplicate",
    [copy.deepcopy, Generator.clone_state, lambda g: pickle.loads(pickle.dumps(g))],
    ids=["deepcopy", "clone_state", "pickle"],
)
def test_copies_go_on_alike(duplicate: Callable[[Generator], Generator]) -> None:
    g = seeded()
    g.draw32(5)
    assert (duplicate(g).draw32(5) == g.draw32(5)).all()


@pytest.mark.parametrize(
    ("state", "error", "message"),
    [
        (3, TypeError, "ByteTensor, but got int"),
        (autograd.zeros(5056), TypeError, "ByteTensor, but got torch.float32"),
        (autograd.zeros(5, dtype=autograd.uint8), RuntimeError, "5056 bytes, but got 5"),
        (autograd.zeros(5056, dtype=autograd.uint8), RuntimeError, "Invalid mt19937 state"),
    ],
)
def test_states_that_are_none(state: Any, error: type[Exception], message: str) -> None:
    g = seeded()
    with pytest.raises(error, match=message):
        g.set_state(state)
    assert g.draw32(1) == seeded().draw32(1)


def test_fork_rng_leaves_no_trace() -> None:
    autograd.manual_seed(0)
    with fork_rng():
        autograd.manual_seed(5)
        autograd.rand(10)
    unmoved = autograd.rand(1).item()
    assert unmoved == autograd.rand(1, generator=seeded()).item()


def test_fork_rng_holds_when_the_block_fails() -> None:
    state = autograd.get_rng_state().tolist()
    with suppress(ZeroDivisionError), fork_rng():
        autograd.rand(10)
        raise ZeroDivisionError
    assert autograd.get_rng_state().tolist() == state


def test_fork_rng_can_be_switched_off() -> None:
    state = autograd.get_rng_state().tolist()
    with fork_rng(enabled=False):
        autograd.rand(10)
    assert autograd.get_rng_state().tolist() != state


def test_devices_other_than_the_cpu_are_refused() -> None:
    assert str(Generator("cpu").device) == "cpu"
    with pytest.raises(RuntimeError, match="cuda"):
        Generator("cuda")
    with pytest.raises(RuntimeError, match="cuda"), fork_rng(devices=["cuda"]):
        pass


def test_a_generator_must_be_one() -> None:
    with pytest.raises(TypeError, match=r"torch\.Generator or None, but got int"):
        autograd.rand(3, generator=5)


# -- the numbers -----------------------------------------------------------------------------------

# What PyTorch draws after manual_seed(0).
KNOWN: dict[str, tuple[Callable[[Generator], np.ndarray], list[Any]]] = {
    "uniform float32": (
        lambda g: sampling.uniform(4, FLOAT32, generator=g),
        [0.49625658988952637, 0.7682217955589294, 0.08847743272781372, 0.13203048706054688],
    ),
    "uniform float64": (
        lambda g: sampling.uniform(3, FLOAT64, generator=g),
        [0.9700530018065531, 0.707819864399788, 0.45938294312745087],
    ),
    "uniform on [-1, 1)": (
        lambda g: sampling.uniform(3, FLOAT32, -1, 1, g),
        [-0.007486820220947266, 0.5364435911178589, -0.8230451345443726],
    ),
    "normal": (
        lambda g: sampling.normal(3, FLOAT32, generator=g),
        [1.5409960746765137, -0.293428897857666, -2.1787893772125244],
    ),
    "log normal": (
        lambda g: sampling.log_normal(3, FLOAT32, generator=g),
        [59.2634162902832, 1.5115599632263184, 0.03481946140527725],
    ),
    "exponential": (
        lambda g: sampling.exponential(3, FLOAT32, 2, g),
        [1.754163146018982, 0.6151923537254333, 0.3075220584869385],
    ),
    "cauchy": (
        lambda g: sampling.cauchy(3, FLOAT32, 1, 2, g),
        [22.195459365844727, 2.5295345783233643, 0.743401288986206],
    ),
    "geometric": (lambda g: sampling.geometric(6, FLOAT32, 0.3, g), [1, 1, 3, 1, 2, 1]),
    "bernoulli of a number": (
        lambda g: sampling.bernoulli(12, FLOAT32, 0.3, g),
        [0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1],
    ),
    "bernoulli of an array": (
        lambda g: sampling.bernoulli(12, FLOAT32, np.full(12, 0.3, FLOAT32), g),
        [0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0],
    ),
    "integers": (
        lambda g: sampling.integers(8, np.dtype("int64"), 0, 100, g),
        [44, 39, 33, 60, 63, 79, 27, 3],
    ),
    "many integers": (
        lambda g: sampling.integers(3, np.dtype("int64"), -(2**40), 2**40, g),
        [-358231004625, -593374360384, 291447657211],
    ),
    "any int64": (
        lambda g: sampling.any_integers(3, np.dtype("int64"), g),
        [900450186894289455, 3969543146641149120, 1895649597198586619],
    ),
    "any int8": (lambda g: sampling.any_integers(3, np.dtype("int8"), g), [44, 47, 117]),
    "permutation": (lambda g: sampling.permutation(10, g), [4, 1, 7, 5, 3, 9, 0, 8, 6, 2]),
    "multinomial without replacement": (
        lambda g: sampling.multinomial(np.array([[0.1, 0.2, 0.3, 0.4]], FLOAT32), 3, False, g),
        [[2, 1, 3]],
    ),
    "multinomial with replacement": (
        lambda g: sampling.multinomial(
            np.array([[0.1, 0.2, 0.3, 0.4], [1, 0, 0, 1]], FLOAT32), 5, True, g
        ),
        [[3, 3, 2, 3, 3], [3, 0, 0, 3, 0]],
    ),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_numbers(name: str) -> None:
    draw, expected = KNOWN[name]
    drawn = draw(seeded())
    assert (drawn == np.array(expected, drawn.dtype)).all()


def test_known_normal_numbers_in_blocks() -> None:
    expected = [
        -1.1258,
        -1.1524,
        -0.2506,
        -0.4339,
        0.5988,
        -1.5551,
        -0.3414,
        1.8530,
        0.4681,
        -0.1577,
    ]
    expected += [1.4437, 0.2660, 1.3894, 1.5863, 0.9463, -0.8437, 0.9318, 1.2590, 2.0050, 0.0537]
    drawn = sampling.normal(20, FLOAT32, generator=seeded())
    assert np.allclose(drawn, expected, rtol=0, atol=5e-5)


def test_the_spare_normal_number_waits() -> None:
    together = sampling.normal(6, FLOAT64, generator=seeded())
    g = seeded()
    apart = [sampling.normal(n, FLOAT64, generator=g) for n in (1, 2, 0, 3)]
    assert (np.concatenate(apart) == together).all()


@pytest.mark.parametrize(
    ("draw", "mean", "variance"),
    [
        (lambda n, g: sampling.uniform(n, FLOAT32, -1, 3, g), 1, 16 / 12),
        (lambda n, g: sampling.normal(n, FLOAT32, 2, 3, g), 2, 9),
        (lambda n, g: sampling.normal_in_pairs(n, FLOAT32, 2, 3, g), 2, 9),
        (lambda n, g: sampling.exponential(n, FLOAT32, 4, g), 1 / 4, 1 / 16),
        (lambda n, g: sampling.geometric(n, FLOAT32, 0.4, g), 1 / 0.4, 0.6 / 0.16),
        (lambda n, g: sampling.bernoulli(n, FLOAT32, 0.3, g), 0.3, 0.21),
        (lambda n, g: sampling.integers(n, FLOAT32, 0, 10, g), 4.5, 99 / 12),
        (lambda n, g: sampling.multinomial(np.array([[1.0, 0, 3]]), n, True, g)[0], 1.5, 0.75),
    ],
)
def test_moments(
    draw: Callable[[int, Generator], np.ndarray], mean: float, variance: float
) -> None:
    n = 200_000
    drawn = draw(n, seeded()).astype(np.float64)
    assert abs(drawn.mean() - mean) < 5 * np.sqrt(variance / n)
    assert abs(drawn.var() / variance - 1) < 0.03


@pytest.mark.parametrize("n", [0, 1, 2, 3, 1000])
def test_permutations_are_permutations(n: int) -> None:
    assert (np.sort(sampling.permutation(n, seeded())) == np.arange(n)).all()


def test_all_permutations_are_equally_likely() -> None:
    g = seeded()
    orders, counts = np.unique(
        [sampling.permutation(3, g) for _ in range(6000)], axis=0, return_counts=True
    )
    assert len(orders) == 6
    assert abs(counts - 1000).max() < 5 * np.sqrt(1000)


def test_the_upper_bound_is_never_reached() -> None:
    just_above = float(np.nextafter(np.float32(1), np.float32(2)))
    assert (sampling.uniform(1000, FLOAT32, 1, just_above, seeded()) < just_above).all()
    assert (sampling.uniform(50_000, FLOAT16, generator=seeded()) < 1).all()


def test_drawing_without_replacement_repeats_nothing() -> None:
    drawn = sampling.multinomial(np.ones((5, 20)), 20, False, seeded())
    assert (np.sort(drawn) == np.arange(20)).all()


# -- beside PyTorch --------------------------------------------------------------------------------

SIZES = [0, 1, 2, 3, 15, 16, 17, 24, 31, 33, 100, 640]

# How far the last bits may differ: in units in the last place of numbers of this size.
Beside = tuple[Callable[..., Any], Callable[..., np.ndarray], float]
BESIDE: dict[str, Beside] = {
    "uniform": (
        lambda x, a, b, g: x.uniform_(a, b, generator=g),
        lambda n, d, a, b, g: sampling.uniform(n, d, a, b, g),
        0,
    ),
    "rand": (
        lambda x, a, b, g: x.uniform_(generator=g),
        lambda n, d, a, b, g: sampling.uniform(n, d, generator=g),
        0,
    ),
    "normal": (
        lambda x, a, b, g: x.normal_(a, b - a, generator=g),
        lambda n, d, a, b, g: sampling.normal(n, d, a, b - a, g),
        8,
    ),
    "exponential": (
        lambda x, a, b, g: x.exponential_(b - a, generator=g),
        lambda n, d, a, b, g: sampling.exponential(n, d, b - a, g),
        0,
    ),
    "geometric": (
        lambda x, a, b, g: x.geometric_(0.3, generator=g),
        lambda n, d, a, b, g: sampling.geometric(n, d, 0.3, g),
        0,
    ),
    "bernoulli": (
        lambda x, a, b, g: x.bernoulli_(0.3, generator=g),
        lambda n, d, a, b, g: sampling.bernoulli(n, d, 0.3, g),
        0,
    ),
    "random": (
        lambda x, a, b, g: x.random_(generator=g),
        lambda n, d, a, b, g: sampling.any_integers(n, d, g),
        0,
    ),
    "integers": (
        lambda x, a, b, g: x.random_(-5, 1000, generator=g),
        lambda n, d, a, b, g: sampling.integers(n, d, -5, 1000, g),
        0,
    ),
}


def on_intel() -> bool:
    """There PyTorch takes Bernoulli and exponential numbers from MKL's generator."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return "GenuineIntel" in file.read()
    except OSError:
        return False


@pytest.mark.parametrize("dtype", [FLOAT32, FLOAT64, FLOAT16], ids=str)
@pytest.mark.parametrize("name", BESIDE)
def test_as_pytorch_draws(torch: ModuleType, name: str, dtype: np.dtype) -> None:
    if name in ("bernoulli", "exponential") and on_intel():
        pytest.skip("PyTorch draws these from another generator on Intel's processors")
    theirs, ours, ulps = BESIDE[name]
    rng = np.random.default_rng(0)
    for seed in (0, 1, 2**40 + 3):
        g, h = torch.Generator().manual_seed(seed), seeded(seed)
        for n in SIZES:
            low, high = np.sort(rng.normal(size=2))
            x = torch.empty(n, dtype=getattr(torch, str(dtype)))
            expected = theirs(x, low, high, g).numpy()
            drawn = ours(n, dtype, low, high, h)
            assert drawn.dtype == expected.dtype
            # float64 is computed in float64: rounding may differ by an ulp wherever it occurs.
            tolerance = max(ulps, 2 if dtype == FLOAT64 and name != "bernoulli" else 0)
            size = np.spacing(np.maximum(np.abs(expected), 1).astype(dtype))
            assert (np.abs(drawn.astype(float) - expected) <= tolerance * size).all(), (seed, n)
            assert same_place(g, h)


def same_place(g: Any, h: Generator) -> bool:
    """Whether both generators will go on alike; the spare normal number may differ by rounding."""
    theirs = Generator().set_state(autograd.from_numpy(g.get_state().numpy()))
    return bool(
        np.allclose(theirs.spare, h.spare, rtol=1e-12)
        and theirs.draw32(1) == h.clone_state().draw32(1)
    )


def test_integers_permutations_and_multinomial_as_pytorch_draws(torch: ModuleType) -> None:
    rng = np.random.default_rng(0)
    for seed in range(20):
        g, h = torch.Generator().manual_seed(seed), seeded(seed)
        for n in (0, 1, 2, 3, 10, 100):
            assert (sampling.permutation(n, h) == torch.randperm(n, generator=g).numpy()).all()
        for bits in (1, 8, 27, 28, 29, 31, 32, 33, 62):
            low, high = -(2**bits) // 3, 2**bits
            expected = torch.randint(low, high, (50,), generator=g).numpy()
            assert (sampling.integers(50, np.dtype("int64"), low, high, h) == expected).all()
        for replacement in (True, False) if not on_intel() else (True,):
            w = rng.random((3, 12), dtype=np.float32)
            expected = torch.multinomial(torch.from_numpy(w), 5, replacement, generator=g).numpy()
            assert (sampling.multinomial(w, 5, replacement, h) == expected).all()
        assert same_place(g, h)


def test_states_are_pytorchs(torch: ModuleType) -> None:
    g, h = torch.Generator().manual_seed(3), seeded(3)
    for n in (0, 1, 15, 700):
        torch.empty(n).normal_(generator=g)
        sampling.normal(n, FLOAT32, generator=h)
        theirs, ours = g.get_state().numpy(), h.get_state().numpy()
        assert (theirs[:5024] == ours[:5024]).all()
        assert np.allclose(theirs[5024:5032].view(float), ours[5024:5032].view(float), rtol=1e-12)
        assert (theirs[5032:] == ours[5032:]).all()
    g.set_state(torch.from_numpy(h.get_state().numpy()))
    assert (
        torch.rand(700, generator=g).numpy() == sampling.uniform(700, FLOAT32, generator=h)
    ).all()


@pytest.mark.parametrize(("scale", "shift"), [(2.0, -1.0), (0.3, -0.7), (-7.1, 1e-3), (3.0, 1e9)])
def test_a_fused_multiply_add_is_rounded_once(scale: float, shift: float) -> None:
    x = np.random.default_rng(0).random(5000)
    exact = [float(Fraction(u) * Fraction(scale) + Fraction(shift)) for u in x.tolist()]
    assert sampling.fused(x, scale, shift).tolist() == exact


# -- chance has no slope ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "draw",
    [
        lambda p: autograd.bernoulli(p),
        lambda p: p.bernoulli(),
        lambda p: autograd.normal(p, 1.0),
        lambda p: autograd.normal(0.0, p),
        lambda p: autograd.normal(p, p),
    ],
)
def test_what_is_drawn_has_a_gradient_of_zero(draw: Callable[[Any], Any]) -> None:
    p = autograd.tensor([0.2, 0.7], requires_grad=True)
    draw(p).sum().backward()
    assert p.grad.tolist() == [0.0, 0.0]


def test_draws_are_methods_too() -> None:
    p = autograd.tensor([0.0, 1.0])
    assert p.bernoulli().tolist() == [0.0, 1.0]
    assert p.bernoulli(1.0).tolist() == [1.0, 1.0]
    assert p.multinomial(3, replacement=True).tolist() == [1, 1, 1]
