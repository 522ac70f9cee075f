"""Every operation as a line: its spellings, and the inputs on which PyTorch must agree with us.

    case("torch.add(x, y, alpha=2)", "x.add(y, alpha=2)", x=(3, 4), y=[(4,), ()])

An input is a shape (standard normal numbers, differentiated),
                     one of the makers below (`positive(3, 4)`,
`ints(5, high=3)`, `exact([0., nan])`, `fixed((3,))` for what takes no gradient),
      or a list of them: one sample each,
lists going in step. Numbers are drawn from a seed that depends on the line alone.

`smooth=False` says that finite differences have nothing to say here: kinks, ties, jumps,
    infinities.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

inf, nan = np.inf, np.nan


@dataclass(frozen=True)
class Input:
    """How to make one array, and whether it is differentiated."""

    make: Callable[[np.random.Generator], np.ndarray]
    differentiable: bool = True


@dataclass(frozen=True)
class Case:
    """Spellings of one operation, which must agree, and the samples they are tried on."""

    spellings: tuple[str, ...]
    samples: tuple[dict[str, Input], ...]
    smooth: bool

    def arrays(self, sample: dict[str, Input]) -> dict[str, np.ndarray]:
        """The numbers of one sample, the same in every run."""
        seed = zlib.crc32(self.spellings[0].encode())
        return {
            name: np.asarray(given.make(np.random.default_rng((seed, i))))
            for i, (name, given) in enumerate(sample.items())
        }


# Makers of inputs ---------------------------------------------------------------------------------


def real(*shape: int) -> Input:
    return Input(lambda random: random.normal(size=shape))


def uniform(*shape: int, low: float, high: float) -> Input:
    return Input(lambda random: random.uniform(low, high, shape))


def positive(*shape: int) -> Input:
    return uniform(*shape, low=0.3, high=2.5)


def unit(*shape: int) -> Input:
    return uniform(*shape, low=-0.9, high=0.9)


def chance(*shape: int) -> Input:
    return uniform(*shape, low=0.1, high=0.9)


def distinct(*shape: int) -> Input:
    """Numbers at least 0.1 apart, so that no maximum is disputed within a finite difference."""
    return Input(
        lambda random: random.permutation(np.prod(shape, dtype=int)).reshape(shape) * 0.1 - 0.7
    )


def ties(*shape: int) -> Input:
    return Input(lambda random: np.float64(random.integers(0, 3, shape)))


def exact(numbers: Any) -> Input:
    return Input(lambda random: np.array(numbers))


def fixed(given: Any) -> Input:
    return replace(as_input(given), differentiable=False)


def ints(*shape: int, low: int = -5, high: int = 6) -> Input:
    return Input(lambda random: random.integers(low, high, shape), differentiable=False)


def index(*shape: int, of: int) -> Input:
    """Valid indices into an axis of length `of`."""
    return ints(*shape, low=0, high=of)


def bools(*shape: int) -> Input:
    return Input(lambda random: random.random(shape) < 0.5, differentiable=False)


def distribution(*shape: int) -> Input:
    """Probabilities along axis 1."""

    def make(random: np.random.Generator) -> np.ndarray:
        p = random.uniform(0.1, 1.0, shape)
        return p / p.sum(1, keepdims=True)

    return Input(make)


def as_input(given: Any) -> Input:
    return given if isinstance(given, Input) else real(*given)


# Makers of cases ----------------------------------------------------------------------------------

CASES: list[Case] = []

# The rest of the file is a table, laid out by hand.
# fmt: off

SHAPES = [(3, 4), (), (5,), (2, 1, 3), (0,), (2, 0, 3)]
LEFT = [(3, 4), (3, 4), (4,), (3, 1), (3, 4), (), (), (2, 1, 3), (0, 3), (1,), (2, 3, 1)]
RIGHT = [(3, 4), (4,), (3, 4), (1, 4), (), (3, 4), (), (4, 1), (3,), (2, 2), (2, 1, 1)]
SPECIAL = exact([nan, inf, -inf, 0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.5, 1e-30, -1e30, 800.0, -800.0])
SPECIAL_ACTIVATION = exact([0.0, -0.0, 1.0, -1.0, 2.5, 1e-30, 30.0, -30.0, 1e3, -1e3])
SPECIAL_LEFT = exact([[nan], [inf], [-inf], [0.0], [-0.0], [1.0], [-2.0], [2.5], [3.0]])
SPECIAL_RIGHT = exact([nan, inf, -inf, 0.0, -0.0, 1.0, -2.0, 2.5, 3.0])


def case(*spellings: str, smooth: bool = True, **inputs: Any) -> None:
    """Enter one line into the table."""
    count = max([len(given) for given in inputs.values() if isinstance(given, list)], default=1)
    columns = {
        name: [as_input(item) for item in (given if isinstance(given, list) else [given] * count)]
        for name, given in inputs.items()
    }
    samples = [
        dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
    ]
    CASES.append(Case(spellings, tuple(samples), smooth))


def elementwise(name: str, domain: Callable[..., Input] = real, smooth: bool = True,
                method: bool = True,
                integers: bool = True) -> None:
    """torch.name(x) and x.name(), or F.name(x): every shape, special values, integers."""
    spellings = (f"torch.{name}(x)", f"x.{name}()") if method else (f"F.{name}(x)",)
    case(*spellings, smooth=smooth, x=[domain(*shape) for shape in SHAPES])
    case(spellings[-1], smooth=False, x=SPECIAL if method else SPECIAL_ACTIVATION)
    if method and integers:
        case(spellings[0], x=[ints(3, 4), ints()])
    if not method:  # at nan PyTorch's gradients differ between its own kernels
        case(spellings[0], x=fixed(exact([nan, 1.0])))


def binary(name: str, operator: str, x: Callable[..., Input] = real, y: Callable[..., Input] = real,
           smooth: bool = True, numbers: bool = True, reflected: bool = True) -> None:
    """torch.name(x, y), x.name(y) and `x operator y`: all broadcasts, numbers, special values."""
    spellings = (f"torch.{name}(x, y)", f"x.{name}(y)") + ((f"x {operator} y",) if operator else ())
    case(*spellings, smooth=smooth, x=[x(*s) for s in LEFT], y=[y(*s) for s in RIGHT])
    case(spellings[-1], smooth=False, x=SPECIAL_LEFT, y=SPECIAL_RIGHT)
    case(spellings[0], x=ints(3, 4), y=ints(4, low=1))
    case(spellings[0], x=[ints(3, 4), x(3, 4)], y=[fixed(y(3, 4)), ints(4, low=1)], smooth=False)
    if numbers:
        case(f"torch.{name}(x, 2.5)", f"x.{name}(2.5)", x=[x(3, 4), x(), ints(3)], smooth=smooth)
    if operator:
        case(f"x {operator} 3", x=[x(3, 4), ints(3)], smooth=smooth)
    if operator and reflected:
        case(f"3 {operator} x", x=[y(3, 4), ints(3, low=1)], smooth=smooth)


def compare(name: str, operator: str) -> None:
    case(f"torch.{name}(x, y)", f"x.{name}(y)", f"x {operator} y",
         x=[ties(3, 4), ints(3, 1), bools(3), (0,)],
         y=[ties(4), ties(4), bools(3), ()])
    case(f"x {operator} 1", f"torch.{name}(x, 1)", x=[ties(3, 4), ints(5), ties()])
    case(f"x {operator} y", x=SPECIAL_LEFT, y=SPECIAL_RIGHT)


def reduction(name: str, domain: Callable[..., Input] = real, dims: Sequence[Any] = (0, 1, -1),
              whole: bool = True,
              smooth: bool = True) -> None:
    """torch.name(x), and over each of `dims`, with and without keepdim."""
    if whole:
        case(f"torch.{name}(x)", f"x.{name}()", smooth=smooth,
             x=[domain(*s) for s in [(3, 4), (), (2, 3, 2), (1, 1)]])
    for dim in dims:
        case(f"torch.{name}(x, {dim})", f"x.{name}(dim={dim})", smooth=smooth, x=domain(2, 3, 4))
        case(f"torch.{name}(x, dim={dim}, keepdim=True)", f"x.{name}({dim}, True)", smooth=smooth,
             x=domain(2, 3, 4))


# Arithmetic ---------------------------------------------------------------------------------------

binary("add", "+")
binary("sub", "-")
binary("mul", "*")
binary("div", "/", y=positive)
binary("pow", "**", x=positive)
binary("remainder", "%", y=positive, smooth=False, reflected=False)
binary("fmod", "", y=positive, smooth=False)
binary("maximum", "", numbers=False)
binary("minimum", "", numbers=False)
binary("atan2", "", numbers=False)
case("torch.true_divide(x, y)", "torch.divide(x, y)", "x.divide(y)", x=(3, 4), y=positive(4))
case("torch.multiply(x, y)", "torch.subtract(x, x - y) * x", "x.multiply(y)", x=exact([2.0, 3.0]),
     y=exact([4.0, 5.0]))
case("torch.add(x, y, alpha=2.5)", "x.add(y, alpha=2.5)", x=LEFT, y=RIGHT)
case("torch.sub(x, y, alpha=2)", "x.sub(y, alpha=2)", x=[(3, 4), ints(3)], y=[(4,), ints(3)])
case("torch.div(x, y, rounding_mode='floor')", "x.div(y, rounding_mode='floor')", smooth=False,
     x=[(3, 4), ints(3, 4), SPECIAL_LEFT], y=[positive(4), ints(4, low=1), SPECIAL_RIGHT])
case("torch.div(x, y, rounding_mode='trunc')", smooth=False,
     x=[(3, 4), ints(3, 4)], y=[positive(4), ints(4, low=1)])
case("torch.add(2, 3)", "torch.sub(7, 2)")
case("torch.mul(2, 1.5)", "torch.div(6, 2)", "torch.div(9, 3)")
case("torch.sum(x)", "torch.sum(x, (0, 1))", "x.sum(1).sum()", x=[(3, 1500), (1100, 3)])
case("torch.mean(x, 1, True)", x=[(3, 1500), (700, 5), (2, 5000)])
case("torch.logaddexp(x, y)", "torch.logaddexp(y, x)", x=exact([inf, 2.0, -inf, 800.0]),
     y=fixed(exact([1.0, 2.0, 3.0, -800.0])), smooth=False)
case("torch.rsub(x, y)", "y - x", "x.__rsub__(y)", x=(3, 4), y=(4,))
case("x.__radd__(y)", "y + x", x=(3, 4), y=(4,))
case("x.__rpow__(y)", "y ** x", x=(3, 4), y=positive(4))
case("x.__rdiv__(y)", "y / x", x=positive(3, 4), y=(4,))
case("x.__rdiv__(2)", "2 / x", x=[positive(3, 4), ints(3, low=1)])
case("2 << x", "x.__rlshift__(2)", x=ints(3, low=0))
case("64 >> x", "x.__rrshift__(64)", x=ints(3, low=0))
case("x + True", "True + x", x=[(3,), ints(3), bools(3)])
case("x * True", x=[(3,), ints(3), bools(3)])
case("x + x * x", x=SHAPES)
case("x - x", "0 * x", x=(3,))
case("+x", "x", x=[(3,), ints(3)])
elementwise("neg")
case("-x", x=[(3, 4), ints(3)])
elementwise("reciprocal", positive)
elementwise("abs")
elementwise("sign", smooth=False)
elementwise("square")
elementwise("sqrt", positive)
elementwise("rsqrt", positive)
case("abs(x)", "torch.absolute(x)", "x.abs()", x=[(3,), exact([0.0, -2.0, 0.0])], smooth=False)
for exponent in ("0", "1", "2", "3", "-1", "-2", "0.5", "1.5", "2.0", "0.0"):
    case(f"x ** {exponent}", f"torch.pow(x, {exponent})", f"x.pow({exponent})",
         x=[positive(3, 4), positive()])
    case(f"x ** {exponent}", smooth=False, x=exact([0.0, -0.0, -1.5, 2.0, inf, -inf, nan]))
case("x ** 2", "x * x", x=[ints(4), (3, 4), real()])
case("x ** 3", x=[ints(4), (3, 4), exact([0.0, -2.0])], smooth=False)
case("2 ** x", "torch.pow(2, x)", x=[(3, 4), ints(4, low=0), ()])
case("0.0 ** x", "torch.pow(0., x)", x=exact([0.0, 1.0, 2.5, -1.0]), smooth=False)
case("(-2.0) ** x", x=exact([0.0, 1.0, 3.0, -2.0]), smooth=False)
case("x ** y", x=exact([[0.0], [-1.5], [2.0]]), y=exact([0.0, 1.0, 2.0, 3.0, -1.0]), smooth=False)
case("torch.floor_divide(x, y)", "x.floor_divide(y)", "x // y", x=[fixed(s) for s in LEFT],
     y=[fixed(positive(*s)) for s in RIGHT])
case("x // y", x=[ints(9), fixed(SPECIAL_LEFT)], y=[ints(9, low=1), fixed(SPECIAL_RIGHT)])
case("x // 3", "torch.floor_divide(x, 3)", x=[fixed((3, 4)), ints(9)])
case("7 // x", x=[fixed(positive(3, 4)), ints(9, low=1)])
case("x // y", x=fixed(exact([7.0, -7.0, 6.0])), y=fixed(exact([2.0, 2.0, -4.0])))
case("x % y", "torch.remainder(x, y)", x=exact([7.5, -7.5, 6.0]), y=exact([2.0, 2.0, -4.0]),
     smooth=False)
case("torch.fmod(x, y)", x=exact([7.5, -7.5, 6.0]), y=exact([2.0, 2.0, -4.0]), smooth=False)
case("torch.maximum(x, y)", x=exact([1.0, 2.0, nan, 3.0]), y=exact([1.0, 5.0, 0.0, nan]),
     smooth=False)
case("torch.minimum(x, y)", x=exact([1.0, 2.0, nan, 3.0]), y=exact([1.0, 5.0, 0.0, nan]),
     smooth=False)

# In place: the result, and the gradient through it, of a changed copy -----------------------------

for inplace in ("add", "sub", "mul", "div"):
    case(f"x.clone().{inplace}_(y)", f"x.{inplace}(y)", x=[(3, 4), (3, 4), (2, 3)],
         y=[positive(3, 4), positive(4), positive()])
    case(f"x.clone().{inplace}_(2.5)", x=[(3,), ()])
case("x.clone().add_(y, alpha=3)", x=(3, 4), y=(4,))
for inplace in ("exp", "sin", "cos", "tanh", "sigmoid", "neg", "abs", "square", "relu", "floor",
                "round", "sign", "zero"):
    case(f"x.clone().{inplace}_()", x=[(3, 4), ()],
         smooth=inplace in ("exp", "sin", "cos", "tanh", "sigmoid", "neg", "square"))
for inplace in ("sqrt", "log", "reciprocal", "rsqrt"):
    case(f"x.clone().{inplace}_()", f"x.{inplace}()", x=positive(3, 4))
case("x.clone().pow_(3)", x=positive(3))
case("x.clone().clamp_(-0.5, 0.5)", "x.clamp(-0.5, 0.5)", x=(3, 4))
case("x.clone().fill_(2.)", x=(3, 4))
case("x.clone().copy_(y)", x=(3, 4), y=[(3, 4)])
case("x.clone().masked_fill_(m, 2.)", x=(3, 4), m=bools(3, 4))
case("x.clone().mul_(y).add_(y).sin_()", x=(3, 4), y=(3, 4))

# Comparison and logic -----------------------------------------------------------------------------

for comparison, operator in (("eq", "=="), ("ne", "!="), ("lt", "<"), ("le", "<="), ("gt", ">"),
                             ("ge", ">=")):
    compare(comparison, operator)
for logic in ("logical_and", "logical_or", "logical_xor"):
    case(f"torch.{logic}(x, y)", f"x.{logic}(y)", x=[bools(3, 4), ties(3, 4), ints(4)],
         y=[bools(4), bools(4), ints(4)])
case("torch.logical_not(x)", "x.logical_not()", x=[bools(3), ties(4), ints(5)])
case("torch.isnan(x)", "x.isnan()", "x != x", x=[SPECIAL, ints(3), (0,)])
case("torch.isinf(x)", "x.isinf()", x=[SPECIAL, ints(3)])
case("torch.isfinite(x)", "x.isfinite()", x=[SPECIAL, ints(3)])
case("x & y", x=[bools(3, 4), ints(3)], y=[bools(4), ints(3)])
case("x | y", x=[bools(3, 4), ints(3)], y=[bools(4), ints(3)])
case("x ^ y", x=[bools(3, 4), ints(3)], y=[bools(4), ints(3)])
case("~x", x=[bools(3, 4), ints(3)])
case("torch.isclose(x, y)", x=exact([1.0, 1.0, nan, inf]), y=exact([1.0 + 1e-9, 1.1, nan, inf]))
case("torch.isclose(x, y, rtol=0., atol=.2, equal_nan=True)", x=exact([1.0, 1.0, nan]),
     y=exact([1.1, 1.3, nan]))
case("torch.allclose(x, y)", "x.allclose(y)", x=[exact([1.0, 2.0]), exact([1.0])],
     y=[exact([1.0, 2.0 + 1e-9]), exact([2.0])])
case("torch.equal(x, y)", "x.equal(y)", x=[exact([1.0, 2.0]), exact([1.0])],
     y=[exact([1.0, 2.0]), exact([1.0, 1.0])])
case("torch.where(m, x, y)", x=[(3, 4), (3, 1), ()], y=[(3, 4), (4,), (4,)],
     m=[bools(3, 4), bools(3, 4), bools(4)])
case("torch.where(m, x, 0.)", "x.where(m, 0.)", x=(3, 4), m=bools(4))
case("torch.where(m, 1., x)", x=(3, 4), m=bools(4))
case("torch.where(x > 0, x, y * 2)", x=(3, 4), y=(4,))

# Elementary functions -----------------------------------------------------------------------------

for smooth_everywhere in ("exp", "expm1", "exp2", "sin", "cos", "atan", "sinh", "cosh", "tanh",
                          "sigmoid", "erf", "erfc"):
    elementwise(smooth_everywhere)
for of_positive in ("log", "log2", "log10", "log1p"):
    elementwise(of_positive, positive)
for of_unit in ("tan", "asin", "acos", "atanh"):
    elementwise(of_unit, unit)
elementwise("asinh")
elementwise("acosh", lambda *shape: uniform(*shape, low=1.2, high=3.0))
for jump in ("round", "floor", "ceil", "trunc"):
    elementwise(jump, smooth=False)
elementwise("frac", smooth=False, integers=False)
case("torch.round(x)", x=exact([0.5, 1.5, 2.5, -0.5, -1.5]), smooth=False)
case("torch.clamp(x, -0.5, 0.7)", "x.clamp(min=-0.5, max=0.7)", "torch.clip(x, -0.5, 0.7)",
     x=[*SHAPES, ints(3)])
case("torch.clamp(x, min=0.1)", "x.clamp(0.1)", "x.clamp_min(0.1)", x=[*SHAPES])
case("torch.clamp(x, max=0.1)", "x.clamp(max=0.1)", "x.clamp_max(0.1)", x=[*SHAPES])
case("torch.clamp(x, -1, 1)", x=[exact([-1.0, 1.0, nan, 0.0, inf, -3.0]), ints(6)], smooth=False)
case("torch.clamp(x, low, high)", x=(3, 4), low=uniform(4, low=-0.9, high=-0.1),
     high=uniform(3, 1, low=0.1, high=0.5))
case("torch.clamp(x, 1, -1)", x=(4,), smooth=False)
case("torch.erfinv(x)", "x.erfinv()", x=unit(3, 4))
case("torch.lerp(x, y, 0.3)", x=(3, 4), y=(3, 4))
case("torch.logaddexp(x, y)", x=[(3, 4), (4,)], y=[(4,), ()])
case("torch.hypot(x, y)", x=(3, 4), y=(4,))
case("torch.addcmul(x, y, z, value=0.5)", x=(3, 4), y=(3, 4), z=(4,))
case("torch.addcdiv(x, y, z, value=0.5)", x=(3, 4), y=(3, 4), z=positive(4))
case("torch.nan_to_num(x)", x=exact([nan, inf, -inf, 2.0]), smooth=False)
for turning in ("deg2rad", "rad2deg"):
    elementwise(turning)
case("torch.sinc(x)", "x.sinc()", x=[*SHAPES, fixed(SPECIAL)])
case("torch.lgamma(x)", "x.lgamma()", x=[fixed(positive(*s)) for s in SHAPES])
case("torch.logit(x)", "x.logit()", x=[chance(3, 4), chance()])
case("torch.logit(x, eps=0.2)", x=chance(3, 4))
case("torch.copysign(x, y)", x=(3, 4), y=(4,))
case("torch.fmax(x, y)", x=[(3, 4), exact([1.0, nan])], y=[(4,), exact([nan, 2.0])], smooth=False)
case("torch.fmin(x, y)", x=[(3, 4), exact([1.0, nan])], y=[(4,), exact([nan, 2.0])], smooth=False)
case("torch.logaddexp2(x, y)", x=(3, 4), y=(4,))
case("torch.xlogy(x, y)", x=[(3, 4), exact([0.0, 0.0])], y=[positive(4), exact([0.0, 2.0])],
     smooth=False)
case("torch.heaviside(x, y)", x=fixed(exact([-1.0, 0.0, 2.0])), y=fixed((3,)))

# Reductions ---------------------------------------------------------------------------------------

DIMS = (0, 1, -1, (0, 2), (-1, 0))
reduction("sum", dims=DIMS)
reduction("mean", dims=DIMS)
reduction("logsumexp", dims=DIMS, whole=False)
reduction("amax", distinct, dims=DIMS)
reduction("amin", distinct, dims=DIMS)
reduction("amax", ties, dims=(1, (0, 2)), smooth=False)
reduction("amin", ties, dims=(1, (0, 2)), smooth=False)
reduction("max", distinct)
reduction("min", distinct)
reduction("max", ties, smooth=False)
reduction("min", ties, smooth=False)
reduction("prod")
reduction("argmax", ties, smooth=False)
reduction("argmin", ties, smooth=False)
reduction("all", bools)
reduction("any", bools)
case("torch.sum(x)", "x.sum()", x=[ints(3, 4), bools(5), (0,), (2, 0, 3), exact([nan, inf])],
     smooth=False)
case("torch.sum(x, 1)", x=[ints(3, 4), bools(3, 5), (2, 0, 3), (3, 0)])
case("torch.sum(x, 0)", "x.sum(-1)", x=[(), ints()])
case("torch.sum(x, dim=())", x=(3, 4))
case("torch.sum(x, dtype=torch.float32)", x=[ints(3, 4)])
case("torch.mean(x)", x=[fixed((0,)), exact([1.0, inf]), exact([nan])], smooth=False)
case("torch.mean(x, dtype=torch.float64)", x=ints(3, 4))
case("torch.prod(x)", x=[ints(4), exact([2.0, 0.0, 3.0]), exact([0.0, 2.0, 0.0]), exact(0.0),
     (0,)], smooth=False)
case("torch.prod(x, 1)", "x.prod(1)", x=exact([[2.0, 0.0, 3.0], [0.0, 0.0, 1.0], [1.0, 2.0, 3.0]]),
     smooth=False)
case("torch.prod(x, 0, keepdim=True)", x=exact([[2.0, 0.0, 3.0], [0.0, 0.0, 1.0]]), smooth=False)
for spread in ("var", "std"):
    case(f"torch.{spread}(x)", f"x.{spread}()", x=[(3, 4), (2,), (2, 1, 3)])
    case(f"torch.{spread}(x, 1)", f"x.{spread}(dim=1)", f"x.{spread}(-2)", x=(2, 3, 4))
    case(f"torch.{spread}(x, (0, 2), keepdim=True)", x=(2, 3, 4))
    case(f"torch.{spread}(x, dim=1, correction=0)", f"torch.{spread}(x, 1, unbiased=False)",
         x=(2, 3, 4))
    case(f"torch.{spread}(x, unbiased=False)", f"x.{spread}(unbiased=False)", x=(3, 4))
    case(f"torch.{spread}(x, correction=0)", x=[exact([2.0, 2.0, 2.0]), (1,)], smooth=False)
    case(f"torch.{spread}_mean(x, 1)", x=(2, 3, 4))
    case(f"torch.{spread}_mean(x, (0, 1), keepdim=True, correction=0)", x=(2, 3, 4))
case("torch.max(x, y)", "x.max(y)", "torch.maximum(x, y)", x=(3, 4), y=(4,))
case("torch.min(x, y)", "x.min(y)", "torch.minimum(x, y)", x=(3, 4), y=(4,))
case("torch.max(x, 0).values", "x.max(0)[0]", "x.amax(0)", x=distinct(3, 4))
case("torch.min(x, 1).indices", "x.argmin(1)", x=ties(3, 4))
case("torch.max(x, 1)", x=[ints(3, 4), exact([[nan, 1.0], [2.0, nan]])], smooth=False)
case("torch.max(x)", "x.max()", x=[ints(3, 4), exact([2.0, 2.0, 1.0, 2.0]), exact([1.0, nan])],
     smooth=False)
case("torch.amax(x)", x=[exact([2.0, 2.0, 1.0, 2.0]), exact([1.0, nan]), ()], smooth=False)
case("torch.argmax(x)", "x.argmax()", x=[ties(3, 4), ints(5), ties(), exact([1.0, nan, 3.0])])
case("torch.argmax(x, dim=1, keepdim=True)", x=ties(3, 4))
case("torch.aminmax(x, dim=1)", x=distinct(3, 4))
case("torch.all(x)", "x.all()", x=[ints(3), ties(4), (0,)])
case("torch.any(x)", "x.any()", x=[ints(3), ties(4), (0,)])
case("torch.norm(x)", "x.norm()", x=[(3, 4), (5,), ()])
for p in (1, 2, 3, 0.5, inf, -inf, 0):
    case(f"torch.norm(x, {p})", f"x.norm({p})", x=[(3, 4)], smooth=p != 0)
    case(f"torch.norm(x, {p}, dim=1)", f"x.norm({p}, 1)", x=(2, 3, 4), smooth=p != 0)
    case(f"torch.norm(x, p={p}, dim=(0, 2), keepdim=True)", x=(2, 3, 4), smooth=p != 0)
for p in (1, 2, 3, inf):
    case(f"torch.norm(x, {p})", x=[exact([0.0, 0.0]), exact([3.0, 0.0, -3.0])], smooth=False)
case("torch.norm(x, 'fro')", "x.norm(p='fro')", x=(3, 4))
case("torch.linalg.norm(x)", "torch.linalg.vector_norm(x)", x=(3, 4))
case("torch.linalg.vector_norm(x, 3, 1)", x=(3, 4))
case("torch.logsumexp(x, 1)", x=[exact([[1000.0, 1000.0]]), exact([[-inf, -inf]]),
     exact([[inf, 0.0]])], smooth=False)
case("torch.cumsum(x, 0)", "x.cumsum(dim=0)", x=[(3, 4), (5,), ints(4), bools(4), (), (0, 2)])
case("torch.cumsum(x, -1)", x=(2, 3, 4))
case("torch.cumprod(x, 1)", "x.cumprod(1)", x=[(2, 3), positive(2, 4), ints(2, 3)])
case("torch.cumprod(x, 0)", x=[exact([2.0, 0.0, 3.0, 4.0]), exact([0.0, 2.0, 0.0, 5.0]),
     exact([3.0, 2.0, 0.0])], smooth=False)
case("torch.logcumsumexp(x, 1)", x=(2, 3))
case("torch.cummax(x, 1)", x=distinct(2, 4))
case("torch.cummin(x, 1)", x=distinct(2, 4))
case("torch.nansum(x)", x=exact([1.0, nan, 2.0]), smooth=False)
case("torch.nanmean(x, 1)", x=exact([[1.0, nan, 2.0], [nan, 3.0, 5.0]]), smooth=False)
case("torch.kthvalue(x, 2, dim=1)", x=distinct(3, 4))
case("torch.median(x, dim=1)", x=distinct(3, 5))
case("torch.quantile(x, 0.3)", x=distinct(7))
case("torch.quantile(x, q)", x=distinct(7), q=exact([0.1, 0.4, 0.95]))
case("torch.nanquantile(x, q, dim=1)", x=exact([[0.1, nan, 0.5], [0.3, 0.2, -0.4]]),
     q=fixed(exact([0.3, 0.8])), smooth=False)
case("torch.count_nonzero(x)", x=[ties(3, 4), ints(5)])
case("torch.trace(x)", "x.trace()", x=[(3, 3), (2, 4)])
case("torch.median(x)", x=[distinct(5), distinct(2, 3)])
case("torch.diff(x)", x=[(5,), (2, 4)])
case("torch.diff(x, 0)", x=(3,))
case("torch.diff(x, prepend=y)", x=(2, 4), y=(2, 1))
case("torch.gradient(x)", x=[(4, 5), ints(4, 3), (2,)])
case("torch.gradient(x, spacing=0.5, dim=1, edge_order=2)", x=(4, 5))
case("torch.gradient(x, spacing=(2., 0.5), edge_order=2)", x=(3, 4))
case("torch.gradient(x, spacing=[y], dim=0)", x=(4, 2), y=fixed(exact([0.0, 1.0, 1.5, 4.0])))
case("torch.gradient(x, spacing=[y], dim=-1, edge_order=2)", x=(2, 4),
     y=exact([0.0, 1.0, 1.5, 4.0]))
case("torch.trapezoid(x, y)", x=(3, 4), y=[(4,), (3, 4)])
case("torch.cumulative_trapezoid(x, dx=0.5)", x=[(3, 4), ints(4)])

# Linear algebra -----------------------------------------------------------------------------------

MATMUL_X = [(3, 4), (4,), (3, 4), (4,), (2, 3, 4), (2, 3, 4), (3, 4), (4,), (2, 3, 4),
            (5, 1, 3, 4), (1, 3, 4), (3, 0), (2, 0, 4), (0,)]
MATMUL_Y = [(4, 2), (4,), (4,), (4, 2), (2, 4, 5), (4, 5), (2, 4, 5), (2, 4, 5), (4,), (2, 4, 2),
            (2, 4, 2), (0, 2), (4, 3), (0,)]
case("torch.matmul(x, y)", "x.matmul(y)", "x @ y", x=MATMUL_X, y=MATMUL_Y)
case("x @ y", x=[ints(3, 4), ints(4)], y=[ints(4, 2), ints(4)])
case("x.t() @ y.t()", "x.T @ y.T", "x.mT @ y.mT", x=(4, 3), y=(2, 4))
case("x @ x.mT @ x", x=(2, 3, 3))
case("torch.mm(x, y)", "x.mm(y)", x=[(3, 4), (1, 1), (0, 3)], y=[(4, 2), (1, 1), (3, 2)])
case("torch.bmm(x, y)", "x.bmm(y)", x=(2, 3, 4), y=(2, 4, 2))
case("torch.mv(x, y)", "x.mv(y)", x=(3, 4), y=(4,))
case("torch.dot(x, y)", "x.dot(y)", "torch.inner(x, y)", x=[(4,), (0,)], y=[(4,), (0,)])
case("torch.outer(x, y)", "x.outer(y)", "torch.ger(x, y)", x=(3,), y=(4,))
case("torch.addmm(b, x, y)", "b.addmm(x, y)", b=[(3, 2), (2,), ()], x=(3, 4), y=(4, 2))
case("torch.addmm(b, x, y, beta=0.5, alpha=2)", b=(3, 2), x=(3, 4), y=(4, 2))
case("torch.baddbmm(b, x, y)", b=(2, 3, 2), x=(2, 3, 4), y=(2, 4, 2))
case("torch.addmv(b, x, y)", b=(3,), x=(3, 4), y=(4,))
case("F.linear(x, w, b)", x=[(3, 4), (4,), (2, 3, 4), (0, 4)], w=(5, 4), b=(5,))
case("F.linear(x, w)", "x @ w.T", x=[(3, 4), (4,), (2, 3, 4)], w=(5, 4))
case("F.linear(x, w)", x=(3, 4), w=(4,))
case("F.bilinear(x, y, w, b)", x=(2, 3), y=(2, 4), w=(5, 3, 4), b=(5,))
SIZE = {"b": 2, "i": 3, "j": 4, "k": 2}
for equation in ("ij,jk->ik", "ij,jk", "ij,kj->ik", "bij,bjk->bik", "i,i->", "i,j->ij", "ij,ij->i",
                 "bij,jk->bik", "...ij,jk->...ik"):
    left, right = equation.replace("...", "").partition("->")[0].split(",")
    case(f"torch.einsum('{equation}', x, y)", x=tuple(SIZE[axis] for axis in left),
         y=tuple(SIZE[axis] for axis in right))
case("torch.einsum('ii->', x)", "torch.trace(x)", x=(3, 3))
case("torch.einsum('ii->i', x)", "torch.diagonal(x)", x=(3, 3))
case("torch.einsum('ij->ji', x)", "x.T", x=(3, 4))
case("torch.einsum('ij->j', x)", "x.sum(0)", x=(3, 4))
case("torch.einsum('ij->', x)", x=(3, 4))
case("torch.einsum('ij,jk,kl->il', x, y, z)", x=(2, 3), y=(3, 4), z=(4, 2))
case("torch.einsum('i,ij,j', x, y, z)", x=(3,), y=(3, 4), z=(4,))
case("torch.einsum('bhqd,bhkd->bhqk', x, y)", x=(2, 2, 3, 2), y=(2, 2, 4, 2))
case("torch.tensordot(x, y, 1)", x=(3, 4), y=(4, 2))
case("torch.tensordot(x, y, dims=([1], [0]))", x=(3, 4), y=(4, 2, 2))
case("torch.kron(x, y)", x=(2, 3), y=(3, 2))
for of_square in ("det", "inv", "pinv", "svdvals"):
    case(f"torch.linalg.{of_square}(x)", x=[(3, 3), (2, 3, 3)])
case("torch.linalg.slogdet(x)", x=(3, 3))
case("torch.linalg.solve(x, y)", x=(3, 3), y=[(3, 2), (3,)])
case("torch.linalg.cholesky(x @ x.mT + torch.eye(3).double())", x=(3, 3))
case("torch.linalg.eigvalsh(x + x.mT)", x=(3, 3))
case("torch.linalg.matrix_power(x, 3)", x=(3, 3))

for factor in ("linalg.lu(x).L", "linalg.lu(x).U", "linalg.pinv(x)"):
    case(f"torch.{factor}", x=[(3, 3), (2, 4), (4, 2), (2, 3, 2)])
case("torch.linalg.qr(x)", x=[(3, 3), (4, 2), (2, 4), (2, 3, 2)])
case("torch.linalg.lu_factor(x)[0]", x=[(3, 3), (2, 2, 4)])
case("torch.linalg.lu_solve(*torch.linalg.lu_factor(x), y)", x=(3, 3), y=(3, 2))
case("torch.linalg.lstsq(x, y).solution", x=[(4, 2), (2, 4, 2)], y=[(4, 3), (2, 4)])
case("torch.linalg.solve_triangular(x, y, upper=True)", x=[(3, 3), (2, 3, 3)], y=(3, 2))
case("torch.cholesky_solve(y, (x @ x.mT + torch.eye(3).to(x.dtype)).tril())", x=(3, 3), y=(3, 2))
case("torch.cholesky_inverse((x @ x.mT + torch.eye(3).to(x.dtype)).tril())", x=(3, 3))
case("torch.linalg.householder_product(x, y)", "torch.orgqr(x, y)", x=[(4, 3), (2, 3, 3)],
     y=[(2,), (2, 3)])
case("torch.ormqr(x, y, z)", "x.ormqr(y, z)", x=(4, 3), y=(3,), z=(4, 2))
case("torch.linalg.matrix_exp(x)", "torch.matrix_exp(x)", "x.matrix_exp()",
     x=[(3, 3), (2, 3, 3), (1, 1)])
case("torch.linalg.cond(x)", x=[(3, 3), (2, 4, 3)])
case("torch.linalg.cond(x, 'fro')", x=[fixed((3, 3)), fixed((2, 3, 3))])
case("torch.linalg.tensorinv(x, 1)", x=(4, 2, 2))
case("torch.linalg.tensorsolve(x, y)", x=(2, 2, 4), y=(2, 2))
case("torch.linalg.vander(x)", x=[(3,), (2, 4)])
case("torch.vander(x, 4)", x=fixed((3,)))
case("torch.block_diag(x, y, z)", x=(2, 3), y=(2,), z=())
case("torch.cov(x)", "x.cov()", x=[(3, 4), (5,)])
case("torch.corrcoef(x)", "x.corrcoef()", x=(3, 4))
case("torch.renorm(x, 3, 0, 1.5)", "x.renorm(3, 0, 1.5)", x=[(3, 4), (2, 3, 4)])

# Special functions --------------------------------------------------------------------------------
for name in ("i0e", "i1", "i1e", "ndtr", "log_ndtr", "erfcx"):
    case(f"torch.special.{name}(x)", x=[(3, 4), (), ints(4)])
for name, domain in {"ndtri": chance, "entr": positive, "expit": real, "erfinv": unit,
                     "exp2": real, "expm1": real}.items():
    case(f"torch.special.{name}(x)", x=[domain(3, 4), domain()])
for name in ("modified_bessel_k0", "scaled_modified_bessel_k1", "bessel_j0", "bessel_y1",
             "modified_bessel_i1", "spherical_bessel_j0", "airy_ai"):
    case(f"torch.special.{name}(x)", x=[fixed(positive(3, 4)), ints(5, low=1)])
for name in ("chebyshev_polynomial_t", "chebyshev_polynomial_u", "chebyshev_polynomial_v",
             "chebyshev_polynomial_w", "hermite_polynomial_h", "hermite_polynomial_he",
             "laguerre_polynomial_l", "legendre_polynomial_p", "shifted_chebyshev_polynomial_t",
             "shifted_chebyshev_polynomial_u", "shifted_chebyshev_polynomial_v",
             "shifted_chebyshev_polynomial_w"):
    case(f"torch.special.{name}(x, n)", x=[fixed((3, 1)), fixed(unit(5)), ints(4)],
         n=[ints(5, low=-1, high=9), ints(1, low=7, high=12), ints(4, low=0)])
    case(f"torch.special.{name}(x, 3)", f"torch.special.{name}(x, 3.9)", x=fixed((4,)))
case("torch.i0(x)", "x.i0()", "torch.special.i0(x)", x=[(3, 4), (), ints(4)])
case("torch.igamma(a, x)", "a.igamma(x)", "torch.special.gammainc(a, x)",
     a=fixed(positive(3, 1)), x=positive(4))
case("torch.igammac(a, x)", "a.igammac(x)", "torch.special.gammaincc(a, x)",
     a=fixed(positive(3, 1)), x=positive(4))
case("torch.mvlgamma(x, 3)", "x.mvlgamma(3)", "torch.special.multigammaln(x, 3)",
     x=[fixed(uniform(3, 2, low=1.5, high=4.0)), ints(4, low=2)])
case("torch.special.psi(x)", "torch.digamma(x)", x=fixed(positive(3, 4)))
case("torch.special.gammaln(x)", x=[fixed(positive(3, 4)), fixed(SPECIAL)])
case("torch.polygamma(2, x)", "x.polygamma(2)", "x.clone().polygamma_(2)", x=positive(3, 4))
case("torch.special.xlog1py(x, y)", x=[(3, 4), ints(4)], y=[positive(4), positive(3, 1)])
case("torch.special.xlog1py(x, 2)", x=(3,))
case("torch.xlogy(x, 2)", "torch.xlogy(x, 2.0)", x=(3,))
case("torch.xlogy(x, 0)", x=exact([0.0, 2.0]), smooth=False)
case("torch.special.xlog1py(x, -2)", x=exact([0.0, 2.0]), smooth=False)
case("torch.xlogy(x, y)", "torch.special.xlogy(x, y)", x=exact([0.0, 0.0, 2.0, nan]),
     y=exact([0.0, -1.0, 3.0, 1.0]), smooth=False)
case("torch.special.xlog1py(x, y)", x=exact([0.0, 0.0, 2.0, nan]), y=exact([-1.0, -2.0, 3.0, 1.0]),
     smooth=False)
case("torch.xlogy(2, x)", x=positive(3))
case("torch.special.zeta(s, x)", s=fixed(uniform(3, 1, low=1.5, high=5.0)), x=positive(4))
case("torch.special.zeta(3, x)", x=positive(4))
case("torch.special.logit(x, eps=0.2)", x=chance(4), smooth=False)
case("torch.special.softmax(x, 0)", x=(3, 4))

# Shape --------------------------------------------------------------------------------------------

case("torch.reshape(x, (4, 3))", "x.reshape(4, 3)", "x.view(4, 3)", "x.view((4, 3))",
     "x.reshape((-1, 3))", x=[(3, 4), ints(3, 4)])
case("x.view(-1)", "x.flatten()", "torch.flatten(x)", "x.reshape(-1)", "torch.ravel(x)",
     x=[(3, 4), (2, 0), (2, 3, 2)])
case("x.reshape(())", "x.view(())", "x.squeeze()", x=[(1,), (1, 1)])
case("x.reshape(1, -1)", x=[(), (3,)])
case("x.t().reshape(-1)", "x.t().flatten()", x=(3, 4))
case("x.view_as(y)", "x.reshape_as(y)", x=(3, 4), y=fixed((2, 6)))
case("torch.flatten(x, 1)", "x.flatten(1)", "x.flatten(start_dim=1)", "x.flatten(1, -1)",
     x=(2, 3, 4))
case("x.flatten(0, 1)", x=(2, 3, 4))
case("torch.flatten(x)", x=())
case("torch.unflatten(x, 1, (2, 2))", "x.unflatten(1, (2, -1))", x=(3, 4))
case("torch.transpose(x, 0, 1)", "x.transpose(1, 0)", "x.transpose(-2, -1)", "x.t()", "x.T",
     "x.mT", "torch.t(x)", "x.swapaxes(0, 1)", x=(3, 4))
case("x.transpose(0, 2)", "torch.transpose(x, -1, 0)", x=(2, 3, 4))
case("torch.t(x)", x=[(3,), ()])
case("torch.permute(x, (2, 0, 1))", "x.permute(2, 0, 1)", "x.permute((2, 0, 1))",
     "x.permute(-1, 0, 1)", x=(2, 3, 4))
case("torch.movedim(x, 0, 2)", "x.movedim(0, -1)", "torch.moveaxis(x, 0, 2)", x=(2, 3, 4))
case("torch.movedim(x, (0, 1), (1, 2))", x=(2, 3, 4))
case("torch.squeeze(x)", "x.squeeze()", x=[(1, 3, 1), (3,), (1,), ()])
case("torch.squeeze(x, 0)", "x.squeeze(0)", "x.squeeze(-3)", x=[(1, 3, 1), (2, 3, 1)])
case("torch.squeeze(x, (0, 2))", x=(1, 3, 1))
case("torch.unsqueeze(x, 1)", "x.unsqueeze(1)", "x[:, None]", x=(3, 4))
case("torch.unsqueeze(x, -1)", "x.unsqueeze(-1)", "x[..., None]", x=[(3, 4), ()])
case("x.expand(2, 3, 4)", "x.expand((2, 3, 4))", "torch.broadcast_to(x, (2, 3, 4))",
     "x.expand(2, -1, 4)", x=[(3, 4), (3, 1)])
case("x.expand(2, 3)", x=[(), (1,), (3,), (2, 1)])
case("x.expand_as(y)", x=(3, 1), y=fixed((3, 4)))
case("torch.broadcast_tensors(x, y)", x=(3, 1), y=(4,))
case("torch.cat((x, y))", "torch.cat([x, y], 0)", "torch.cat([x, y], dim=-2)",
     "torch.concat((x, y))", x=(2, 3), y=(4, 3))
case("torch.cat((x, y, x), dim=1)", x=(2, 3), y=[(2, 1)])
case("torch.cat((x, y))", x=[(0,), ints(2), (3,)], y=[(3,), (2,), (0,)])
case("torch.stack((x, y))", "torch.stack([x, y], dim=0)", x=[(2, 3), ()], y=[(2, 3), ()])
case("torch.stack((x, y), -1)", "torch.stack((x, y), 2)", x=(2, 3), y=(2, 3))
case("torch.hstack((x, y))", x=[(2, 3), (2,)], y=[(2, 1), (3,)])
case("torch.vstack((x, y))", x=[(2, 3), (3,)], y=[(1, 3), (3,)])
case("torch.split(x, 2)", "x.split(2)", x=[(5,), (4, 3)])
case("torch.split(x, [1, 3], dim=1)", "x.split([1, 3], 1)", x=(2, 4))
case("torch.split(x, 2, dim=1)[1]", x=(2, 5))
case("torch.chunk(x, 3)", "x.chunk(3)", x=[(7,), (4, 2)])
case("torch.chunk(x, 2, dim=1)", "x.chunk(2, 1)", x=(2, 5))
case("torch.unbind(x)", "x.unbind()", "tuple(x)", x=[(3,), (2, 3)])
case("torch.unbind(x, 1)", "x.unbind(dim=1)", x=(2, 3))
case("x.repeat(2, 3)", "x.repeat((2, 3))", "torch.tile(x, (2, 3))", x=[(2, 2), (3,)])
case("x.repeat(2, 1, 2)", x=[(3,), (2, 3)])
case("torch.repeat_interleave(x, 2)", "x.repeat_interleave(2)", x=[(3,), (2, 2)])
case("torch.repeat_interleave(x, 2, dim=1)", x=(2, 3))
case("torch.flip(x, (0,))", "x.flip(0)", "x.flip([0])", "torch.flipud(x)", x=(3, 4))
case("torch.flip(x, [0, -1])", "x.flip(0, 1)", x=(3, 4))
case("torch.roll(x, 1, 0)", "x.roll(1, 0)", x=(3, 4))
case("torch.roll(x, 2)", x=(3, 4))
case("x.index_fill(1, i, y)", "x.clone().index_fill_(1, i, y)", x=(3, 4), y=(),
     i=exact([1, 1, 3]))  # each place counts once
case("torch.scatter_reduce(x, 0, i, y, 'prod')", x=exact([0.0, 2.0, 0.0]),
     y=exact([0.0, 3.0, 0.0]), i=exact([0, 0, 2]), smooth=False)  # two zeros at one place
case("torch.take_along_dim(x, i, 1)", x=(3, 4), i=exact([[0, -1], [-4, 2], [1, 1]]))
case("torch.gather(x, 0, i)", x=(5,), i=ints(2, 0))
case("x.sub(0.5, alpha=2)", "x.clone().sub_(0.5, alpha=2)", x=(3,))
case("torch.add(x, 2, alpha=3)", x=[(3,), ints(3)])
case("torch.narrow_copy(x, 1, 1, 2)", "x.narrow_copy(1, 1, 2)", x=(3, 4))
case("torch.view_copy(x, (4, 3))", "x.view(4, 3)", x=(3, 4))
case("torch.unbind_copy(x, 1)", "x.unbind(1)", x=(3, 4))
case("torch.split_copy(x, 3, 1)", "x.split(3, 1)", x=(3, 4))
case("torch.slice_copy(x, 1, 1, None, 2)", "x[:, 1::2]", x=(3, 4))
case("torch.put(x, i, y)", "x.put(i, y)", "x.clone().put_(i, y)", x=(3, 4), y=(2, 2),
     i=exact([[5, -1], [0, 3]]))
case("torch.put(x, i, y, accumulate=True)", "x.put(i, y, True)", x=[(3, 4), ()], y=(3,),
     i=[exact([5, 5, -12]), exact([0, -1, 0])])
case("torch.unravel_index(i, (3, 4))", i=exact([[0, 5], [11, 7]]))
case("torch.unravel_index(i, 12)", i=exact(7))
case("torch.nonzero_static(i, size=4)", "i.nonzero_static(size=4)", i=exact([[0, 5], [0, 7]]))
case("torch.nonzero_static(i, size=1, fill_value=9)", i=exact([[0, 5], [0, 7]]))
case("x.clone().fill_diagonal_(2.5)", x=[(3, 4), (4, 2), (2, 2, 2)])
case("x.clone().fill_diagonal_(2.5, wrap=True)", "x.clone().fill_diagonal_(2.5, True)",
     x=[(7, 3), (3, 7)])
case("torch.narrow(x, 1, 1, 2)", "x.narrow(1, 1, 2)", "x[:, 1:3]", x=(3, 4))
case("torch.select(x, 1, 2)", "x.select(1, 2)", "x.select(-1, -2)", "x[:, 2]", x=(3, 4))
case("torch.tril(x)", "x.tril()", x=[(3, 4), (2, 3, 3)])
case("torch.triu(x, 1)", "x.triu(diagonal=1)", x=[(3, 4), ints(3, 3)])
case("torch.tril(x, -1)", x=(4, 3))
case("torch.diagonal(x)", "x.diagonal()", x=[(3, 4), (3, 3)])
case("torch.diagonal(x, 1, 0, 2)", "x.diagonal(offset=1, dim1=0, dim2=2)", x=(3, 2, 4))
case("torch.diagonal(x, -1)", x=(3, 4))
case("torch.diag(x)", "x.diag()", x=[(3,), (3, 3), (2, 3)])
case("torch.diag(x, 1)", x=[(2,), (3, 3)])
case("torch.diag_embed(x)", x=[(3,), (2, 3)])
case("torch.meshgrid(x, y, indexing='ij')", x=(2,), y=(3,))
case("torch.atleast_2d(x)", x=[(), (3,), (2, 3)])
case("x.clone()", "torch.clone(x)", "x.contiguous()", "x + 0", x=SHAPES)
case("x.t().contiguous()", "x.t()", x=(3, 4))
case("x.to(torch.float32)", "x.float()", "x.type(torch.float32)", x=[(3, 4), ints(3), bools(3)])
case("x.double() * 2", "x.to(torch.float64) * 2", x=[(3, 4)])
case("x.float().double().sum()", x=(3, 4), smooth=False)
case("x.long()", "x.to(torch.int64)", x=[exact([1.7, -1.7, 0.2]), bools(3)])
case("x.bool()", "x != 0", x=[ties(4), ints(4)])
case("x.int()", x=exact([1.7, -1.7]))
case("x.half()", x=(3,), smooth=False)
case("x.unfold(0, 3, 2)", x=(7,))
case("x.detach() * y", x=(3,), y=(3,), smooth=False)

# Indexing -----------------------------------------------------------------------------------------

for item in ("0", "-1", "1:", ":2", "::2", "1:3:2", "...", "None", ":, None", "..., 0", "0, 1",
             "1:, ::2", ":, -1", "..., None, 0", "0:0", "5:",
             "[0, 2]", "[2, 0, 0]", ":, [1, 0]", "[0, 1], [2, 3]", "True", "None, ..., 1:, None",
                 "(0, slice(None))", "-2:"):
    case(f"x[{item}]", x=(3, 4))
for item in ("0", "0, 1, 2", "..., 1", "0, ..., 1", ":, 1, None", "[0, 1], :, [2, 3]", "[0, 1], 1",
             "0, :, [1, 2]", ":, [0, 2], None", "None, [1, 0]",
             "[0, 1], None, [1, 2]", ":, 0:2, [3, 0]", "[[0], [1]], [0, 2]", "..., [0, 3]",
                 ":, [1], [2]", "1:, ::2, ::3"):
    case(f"x[{item}]", x=(2, 3, 4))
case("x[i]", x=[(5,), (5, 2), ints(5)], i=[index(3, of=5), index(2, 2, of=5), index(3, of=5)])
case("x[:, i]", x=(2, 5), i=index(3, of=5))
case("x[i, j]", x=(4, 5), i=index(3, of=4), j=index(3, of=5))
case("x[i, j]", x=(4, 5, 2), i=index(3, 1, of=4), j=index(2, of=5))
case("x[i, :, j]", x=(4, 2, 5), i=index(3, of=4), j=index(3, of=5))
case("x[i]", x=(4, 2), i=index(of=4))
case("x[-1 - i]", x=(4, 2), i=index(3, of=4))
case("x[m]", x=[(5,), (5, 2), (2, 3)], m=[bools(5), bools(5), bools(2, 3)])
case("x[:, m]", x=(2, 5), m=bools(5))
case("x[m, 0]", x=(5, 2), m=bools(5))
case("x[x > 0]", x=(3, 4))
case("x[i > 2]", x=(5,), i=index(5, of=5))
for item in ("0", "-1", "1:", "::2", "...", ":, 1", "0, 1", "[0, 2]", ":, [1, 3]",
             "[0, 1], [2, 3]", "1:, None, ::2", "[2, 1]"):
    case(f"put(x, s_[{item}], 2.5)", x=(3, 4))
    case(f"put(x, s_[{item}], y)", x=(3, 4), y=())
case("put(x, s_[0], y)", x=(3, 4), y=[(4,), (1,), ()])
case("put(x, s_[1:, ::2], y)", x=(3, 4), y=[(2, 2), (2,), (2, 1)])
case("put(x, s_[:, 1], y)", x=(3, 4), y=(3,))
case("put(x, i, y)", x=(5, 2), i=fixed(exact([0, 3])), y=[(2, 2), (2,), ()])
case("put(x, s_[:, [3, 0]], y)", x=(2, 4), y=(2, 2))
case("put(x, m, y)", x=[(5,), (5, 2)], m=bools(5), y=[(), ()])
case("put(x, x > 0, 0.)", x=(3, 4))
case("put(x, s_[...], y)", x=(3, 4), y=[(3, 4), (4,)])
case("put(x, s_[0], y)", x=[ints(3, 4), (3, 4)], y=[ints(4), ints(4)])
case("torch.gather(x, 1, i)", "x.gather(1, i)", x=(3, 4), i=[index(3, 2, of=4), index(2, 4, of=4)])
case("torch.gather(x, 0, i)", x=[(3, 4), (5,)], i=[index(2, 4, of=3), index(7, of=5)])
case("torch.take_along_dim(x, i, 1)", x=(3, 4), i=index(3, 2, of=4))
case("torch.scatter(x, 1, i, y)", "x.scatter(1, i, y)", x=(3, 4),
     i=fixed(exact([[0, 2], [1, 3], [3, 0]])), y=[(3, 2)])
case("torch.scatter(x, 1, i, 2.5)", "x.scatter(1, i, 2.5)", x=(3, 4), i=index(3, 2, of=4))
case("torch.scatter_add(x, 0, i, y)", "x.scatter_add(0, i, y)", x=(3, 4), i=index(5, 4, of=3),
     y=(5, 4))
case("torch.index_select(x, 1, i)", "x.index_select(1, i)", x=(3, 4), i=index(6, of=4))
case("torch.index_add(x, 0, i, y)", "x.index_add(0, i, y)", x=(3, 4), i=index(5, of=3), y=(5, 4))
case("torch.index_add(x, 0, i, y, alpha=2)", x=(3, 4), i=index(5, of=3), y=(5, 4))
case("torch.masked_fill(x, m, 2.5)", "x.masked_fill(m, 2.5)", x=[(3, 4), (4,)],
     m=[bools(4), bools(3, 4)])
case("x.masked_fill(m, y)", x=(3, 4), m=bools(3, 4), y=())
case("torch.masked_select(x, m)", "x.masked_select(m)", x=(3, 4), m=[bools(3, 4)])
case("torch.nonzero(x)", "x.nonzero()", x=[ties(3, 4), bools(5), ints()])
case("torch.sort(x, 1)", "x.sort(1)", x=distinct(3, 4))
case("torch.sort(x, descending=True)", x=[distinct(5), distinct(2, 4)])
case("torch.argsort(x)", "x.argsort()", x=distinct(3, 4))
case("torch.topk(x, 2)", "x.topk(2)", x=distinct(3, 4))
for way in ("sum", "prod", "mean", "amax", "amin"):
    case(f"torch.scatter_reduce(x, 0, i, y, '{way}')", x=distinct(3, 2), i=index(4, 2, of=3),
         y=positive(4, 2), smooth=False)
case("torch.index_copy(x, 0, i, y)", x=(4, 2), i=fixed(exact([2, 0])), y=(2, 2))
case("torch.index_fill(x, 0, i, 2.5)", x=(4, 2), i=fixed(exact([2, 0])))
case("torch.take(x, i)", x=(3, 4), i=index(5, of=12))
case("x.index_put((i,), y, accumulate=True)", x=(4,), i=index(6, of=4), y=(6,))
case("torch.select_scatter(x, y, 1, 2)", x=(3, 4), y=(3,))
case("torch.slice_scatter(x, y, 0, 1)", x=(3, 4), y=(2, 4))
case("torch.diagonal_scatter(x, y)", x=(3, 3), y=(3,))
case("torch.unique(x)", x=[ints(10), fixed(ties(8))])
case("torch.bincount(x)", x=index(9, of=5))
case("torch.unique(x, return_inverse=True, return_counts=True)", x=[ints(), ints(2, 3), ints(0)])
case("torch.unique_consecutive(x, return_inverse=True, return_counts=True)",
     x=[ints(), ints(9, high=-2), ints(0)])
case("torch.isin(x, y)", "torch.isin(x, y, assume_unique=False)", x=[ints(3, 4), ints(3)],
     y=ints(4))
case("torch.isin(x, 2, invert=True)", x=ints(9))
case("torch.isin(2, x)", x=ints(9))
case("torch.isin(x, y)", x=fixed(exact([nan, 1.0])), y=fixed(exact([nan, 1.0])))
case("torch.histogram(x, 4)", "x.histogram(4)", x=[fixed((9,)), fixed((2, 3)), fixed(exact([1.0]))])
case("torch.histogram(x, 3, range=(-1., 1.), density=True)", x=fixed((20,)))
case("torch.histogram(x, y, weight=w)", x=fixed((9,)), y=fixed(exact([-1.0, 0.0, 0.5, 2.0])),
     w=fixed((9,)))
case("torch.histogramdd(x, [2, 3])[0]", "torch.histogramdd(x, [2, 3]).hist", x=fixed((9, 2)))
case("torch.combinations(x)", x=[(4,), ints(3), (1,)])
case("torch.combinations(x, 3, True)", x=(3,))
case("torch.combinations(x, 0)", x=ints(3))

# How numbers are written --------------------------------------------------------------------------

case("torch.frexp(x)", "x.frexp()", x=[(3, 4), (), (0,)])
case("torch.frexp(x)", x=fixed(exact([0.0, 1.0, -8.0, inf, nan, 1e-310])))
case("torch.ldexp(x, y)", "x.ldexp(y)", x=[(3, 4), (4,), ints(4)],
     y=[ints(4, low=0), (4,), ints(4)])  # (PyTorch's gradient for negative whole numbers is 0)
case("torch.nextafter(x, y)", "x.nextafter(y)", x=(3, 4), y=(4,), smooth=False)
case("torch.gcd(x, y)", "x.gcd(y)", x=ints(3, 4), y=ints(4))
case("torch.lcm(x, y)", "x.lcm(y)", x=ints(3, 4), y=ints(4))
case("torch.angle(x)", "x.angle()", x=[(3, 4), ints(4), fixed(exact([nan, 0.0, -0.0, -inf]))],
     smooth=False)
case("x", "x.conj()", "torch.real(x)", "x.real", "torch.resolve_conj(x)", x=[(3,), ints(2)])
case("x.contiguous(memory_format=torch.channels_last)", "x.to(memory_format=torch.channels_last)",
     "x.clone(memory_format=torch.channels_last)", "x.double(memory_format=torch.channels_last)",
     x=(2, 3, 4, 2))
case("x.clone(memory_format=torch.preserve_format)", x=(2, 3))
case("torch.zeros_like(x.clone(), memory_format=torch.channels_last).stride()", x=(2, 3, 4, 2))
case("torch.zeros_like(x.t(), memory_format=torch.preserve_format).stride()", x=(2, 3))
case("torch.zeros_like(x.t(), memory_format=torch.contiguous_format).stride()", x=(2, 3))
case("x.contiguous(memory_format=torch.channels_last).stride()", x=(2, 3, 4, 2))
case("x.contiguous(memory_format=torch.channels_last).is_contiguous()", x=(2, 3, 4, 2))
case("x.permute(0, 3, 1, 2).is_contiguous(memory_format=torch.channels_last)", x=(2, 3, 4, 2))
case("torch.empty_strided((2, 3), (1, 4)).stride()", "x.new_empty_strided((2, 3), (1, 4)).stride()",
     x=(1,))
case("torch.empty_permuted((2, 3, 4), (1, 0, 2)).stride()")
case("x.clone().resize_(2, 2)", "x.clone().resize_((2, 2))", x=fixed((2, 3)))
case("x.clone().resize_as_(y)", x=fixed((2, 3)), y=fixed((3, 1)))
case("x.clone().resize_(4, 2).shape", x=fixed((2, 3)))
case("x.clone().fill_diagonal_(2.5)", x=[(3, 3), (2, 4), (3, 3, 3), ints(3, 3)])
case("x.clone().fill_diagonal_(1, wrap=True)", x=(7, 3))
case("torch.fill(x, 2.5)", x=[(3, 4), ints(3)])
case("torch.fill(x, y)", x=(3, 4), y=())
case("torch.exp_(x.clone())", "x.exp()", x=(3, 4))

# Activations --------------------------------------------------------------------------------------

for activation in ("relu", "leaky_relu", "elu", "selu", "silu", "softplus", "hardtanh", "relu6",
                   "mish", "gelu", "celu",
                   "softsign", "logsigmoid", "hardswish", "tanhshrink", "hardshrink", "softshrink",
                       "tanh", "sigmoid"):
    elementwise(activation, method=False)
case("torch.relu(x)", "x.relu()", "F.relu(x)", "F.relu(x, inplace=False)",
     x=[exact([-1.0, 0.0, 2.0, -0.0]), (3, 4), ints(4)], smooth=False)
case("F.leaky_relu(x, 0.2)", "F.leaky_relu(x, negative_slope=0.2)", x=(3, 4))
case("F.elu(x, 0.5)", "F.elu(x, alpha=0.5)", x=(3, 4))
case("F.gelu(x, approximate='tanh')", x=[(3, 4), SPECIAL], smooth=False)
case("F.gelu(x, approximate='tanh')", x=(3, 4))
case("F.softplus(x, beta=2, threshold=1)", x=(3, 4))
case("F.softplus(x)", x=exact([19.0, 19.9, 21.0, -50.0]), smooth=False)
case("F.hardtanh(x, -0.5, 0.7)", x=(3, 4))
case("F.hardtanh(x)", x=exact([-1.0, 1.0, 0.0]), smooth=False)
case("F.relu6(x)", x=exact([0.0, 6.0, 7.0, 3.0]), smooth=False)
case("F.threshold(x, 0.1, 20.)", x=(3, 4), smooth=False)
case("F.prelu(x, a)", x=[(2, 3), (2, 3, 4)], a=[(1,), (3,)])
case("F.glu(x)", x=(3, 4))
for softmax in ("softmax", "log_softmax"):
    case(f"F.{softmax}(x, 1)", f"torch.{softmax}(x, dim=1)", f"x.{softmax}(-2)", x=(2, 3, 4))
    case(f"F.{softmax}(x, dim=-1)", x=[(3, 4), (5,), (2, 0)])
    case(f"F.{softmax}(x, 0)", x=[(3, 4), ()])
    case(f"F.{softmax}(x, 0)", x=[exact([1000.0, 0.0, -1000.0]), exact([-inf, 0.0, 1.0]),
         exact([inf, 0.0])], smooth=False)
    case(f"F.{softmax}(x, 0, dtype=torch.float64)", x=ints(4))
case("F.softmin(x, dim=1)", x=(2, 3))

# Convolution, pooling, patches --------------------------------------------------------------------

case("F.conv2d(x, w, b)", "torch.conv2d(x, w, b)", x=[(2, 3, 6, 5), (1, 3, 3, 3)], w=(4, 3, 3, 2),
     b=(4,))
case("F.conv2d(x, w)", x=[(2, 3, 5, 5), (3, 5, 5)], w=(2, 3, 3, 3))
case("F.conv2d(x, w, b, stride=2)", x=(2, 2, 7, 6), w=(3, 2, 3, 3), b=(3,))
case("F.conv2d(x, w, b, padding=1)", x=(2, 2, 4, 5), w=(3, 2, 3, 3), b=(3,))
case("F.conv2d(x, w, b, stride=(2, 3), padding=(2, 1))", x=(2, 2, 6, 7), w=(3, 2, 3, 4), b=(3,))
case("F.conv2d(x, w, dilation=2)", x=(1, 2, 7, 6), w=(3, 2, 3, 2))
case("F.conv2d(x, w, b, stride=2, padding=2, dilation=(2, 1))", x=(2, 2, 6, 5), w=(2, 2, 3, 3),
     b=(2,))
case("F.conv2d(x, w, b, padding='same')", x=[(2, 2, 5, 4), (2, 2, 5, 4)],
     w=[(3, 2, 3, 3), (3, 2, 2, 4)], b=(3,))
case("F.conv2d(x, w, padding='same', dilation=2)", x=(1, 2, 5, 6), w=(2, 2, 3, 2))
case("F.conv2d(x, w, padding='valid')", x=(1, 2, 5, 4), w=(2, 2, 3, 2))
case("F.conv2d(x, w, b, groups=2, padding=1)", x=(2, 4, 4, 4), w=(6, 2, 3, 3), b=(6,))
case("F.conv2d(x, w, groups=3)", x=(2, 3, 4, 4), w=(6, 1, 2, 2))
case("F.conv2d(x, w, b, stride=2, padding=1, dilation=2, groups=2)", x=(2, 4, 7, 7),
     w=(4, 2, 3, 2), b=(4,))
case("F.conv2d(x, w, b)", x=(2, 3, 4, 4), w=(5, 3, 1, 1), b=(5,))
case("F.conv2d(x, w, stride=3)", x=(2, 1, 7, 8), w=(2, 1, 1, 2))
case("F.conv2d(x, w, b, padding=1)", x=(0, 2, 4, 4), w=(3, 2, 3, 3), b=(3,))
case("F.conv_transpose2d(x, w, b)", "torch.conv_transpose2d(x, w, b)", x=(2, 3, 3, 4),
     w=(3, 2, 3, 2), b=(2,))
case("F.conv_transpose2d(x, w, b, stride=2)", x=(2, 2, 3, 3), w=(2, 3, 3, 3), b=(3,))
case("F.conv_transpose2d(x, w, b, stride=2, padding=1, output_padding=1)", x=(2, 2, 3, 3),
     w=(2, 3, 3, 3), b=(3,))
case("F.conv_transpose2d(x, w, stride=(2, 3), padding=(1, 0), output_padding=(0, 2), dilation=2)",
     x=(1, 2, 3, 3), w=(2, 2, 3, 2))
case("F.conv_transpose2d(x, w, b, groups=2)", x=(2, 4, 3, 3), w=(4, 2, 2, 3), b=(4,))
case("F.conv_transpose2d(x, w, stride=2, padding=1, groups=2)", x=(4, 3, 3), w=(4, 1, 3, 3))
case("F.conv1d(x, w, b, stride=2, padding=1)", x=(2, 3, 7), w=(4, 3, 3), b=(4,))
case("F.conv1d(x, w, padding='same')", x=(2, 2, 5), w=(3, 2, 3))
case("F.conv3d(x, w, b, stride=2, padding=1)", x=(1, 2, 4, 3, 5), w=(2, 2, 3, 3, 2), b=(2,))
for pool in ("max_pool2d", "avg_pool2d"):
    case(f"F.{pool}(x, 2)", f"F.{pool}(x, [2, 2])", f"F.{pool}(x, kernel_size=(2, 2))",
         x=[distinct(2, 2, 4, 4), distinct(1, 5, 5), distinct(1, 1, 2, 2)])
    case(f"F.{pool}(x, 3, stride=2)", x=distinct(2, 2, 7, 6))
    case(f"F.{pool}(x, 3, 1)", x=distinct(1, 2, 5, 4))
    case(f"F.{pool}(x, (2, 3), stride=(1, 2), padding=(1, 1))", x=distinct(2, 1, 4, 5))
    case(f"F.{pool}(x, 2, ceil_mode=True)", x=distinct(1, 2, 5, 5))
    case(f"F.{pool}(x, 3, stride=2, padding=1, ceil_mode=True)", x=distinct(1, 2, 6, 7))
    case(f"F.{pool}(x, 2, 3)", x=distinct(1, 1, 7, 8))
case("F.max_pool2d(x, 2)", x=[ties(2, 2, 4, 4), exact(np.full((1, 1, 4, 4), 5.0)),
     exact(np.full((1, 1, 2, 2), -inf)),
                              exact([[[[1.0, nan], [2.0, 3.0]]]])], smooth=False)
case("F.max_pool2d(x, 3, stride=1, padding=1)", x=ties(2, 2, 4, 4), smooth=False)
case("F.max_pool2d(x, 2, dilation=2)", x=distinct(1, 2, 5, 6))
case("F.max_pool2d(x, 2, stride=1, return_indices=True)", x=distinct(1, 2, 4, 3))
case("F.avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False)", x=(1, 2, 5, 5))
case("F.avg_pool2d(x, 2, divisor_override=3)", x=(1, 2, 4, 4))
case("F.adaptive_avg_pool2d(x, (2, 3))", "F.adaptive_avg_pool2d(x, [2, 3])", x=(1, 2, 5, 7))
case("F.max_pool1d(x, 2)", x=distinct(2, 2, 6))
case("F.avg_pool1d(x, 2)", x=(2, 2, 6))
case("F.unfold(x, 2)", "F.unfold(x, kernel_size=(2, 2))", x=[(2, 3, 4, 4), (1, 1, 2, 2)])
case("F.unfold(x, (3, 2), stride=2, padding=1, dilation=(1, 2))", x=(2, 2, 5, 6))
case("F.fold(x, (4, 5), (2, 2))", x=(2, 8, 12))
case("F.fold(x, output_size=(5, 6), kernel_size=(3, 2), stride=2, padding=1, dilation=(1, 2))",
     x=(2, 12, 9))
case("F.pad(x, (1, 2))", "F.pad(x, [1, 2], 'constant', 0)", x=[(3, 4), (5,), (2, 2, 3)])
case("F.pad(x, (1, 0, 2, 1), value=2.5)", x=[(3, 4), ints(2, 3)])
case("F.pad(x, (-1, 1, 0, -1))", x=(3, 4))
for mode in ("replicate", "reflect", "circular"):
    case(f"F.pad(x, (1, 2), mode='{mode}')",
         x=[(2, 3, 4), (2, 5)] if mode != "circular" else [(2, 3, 4)])
    case(f"F.pad(x, (2, 1, 0, 2), mode='{mode}')",
         x=[(2, 3, 4, 4), (3, 4, 4)] if mode != "circular" else [(2, 3, 4, 4)])

# Losses -------------------------------------------------------------------------------------------

for reduction_name in ("mean", "sum", "none"):
    settings = f"reduction='{reduction_name}'"
    case(f"F.nll_loss(x, t, {settings})", x=(4, 3), t=index(4, of=3))
    case(f"F.nll_loss(x, t, w, ignore_index=1, {settings})", x=(5, 3), t=index(5, of=3),
         w=fixed(positive(3)))
    case(f"F.cross_entropy(x, t, {settings})", x=[(4, 3), (2, 3, 4), (2, 3, 2, 2)],
         t=[index(4, of=3), index(2, 4, of=3), index(2, 2, 2, of=3)])
    case(f"F.cross_entropy(x, t, weight=w, {settings})", x=[(4, 3), (2, 3, 4)],
         t=[index(4, of=3), index(2, 4, of=3)], w=fixed(positive(3)))
    case(f"F.cross_entropy(x, t, ignore_index=0, {settings})", x=(6, 3),
         t=fixed(exact([0, 1, 2, 0, 1, 1])))
    case(f"F.cross_entropy(x, t, label_smoothing=0.1, {settings})", x=[(4, 3), (2, 3, 4)],
         t=[index(4, of=3), index(2, 4, of=3)])
    case(f"F.cross_entropy(x, t, w, ignore_index=0, label_smoothing=0.2, {settings})", x=(6, 3),
         t=fixed(exact([0, 1, 2, 0, 1, 1])), w=fixed(positive(3)))
    case(f"F.cross_entropy(x, p, {settings})", x=[(4, 3), (2, 3, 4)],
         p=[distribution(4, 3), distribution(2, 3, 4)])
    case(f"F.cross_entropy(x, p, w, label_smoothing=0.1, {settings})", x=[(4, 3), (2, 3, 4)],
         p=[fixed(distribution(4, 3)), distribution(2, 3, 4)], w=fixed(positive(3)))
    case(f"F.mse_loss(x, y, {settings})", x=[(3, 4), ()], y=[(3, 4), ()])
    case(f"F.l1_loss(x, y, {settings})", x=(3, 4), y=(3, 4))
    case(f"F.smooth_l1_loss(x, y, {settings})", x=(3, 4), y=(3, 4))
    case(f"F.huber_loss(x, y, {settings})", x=(3, 4), y=(3, 4))
    case(f"F.binary_cross_entropy(x, y, {settings})", x=chance(3, 4), y=[chance(3, 4)])
    case(f"F.binary_cross_entropy(x, y, w, {settings})", x=chance(3, 4), y=fixed(chance(3, 4)),
         w=fixed(positive(4)))
    case(f"F.binary_cross_entropy_with_logits(x, y, {settings})", x=(3, 4), y=[chance(3, 4)])
    case(f"F.binary_cross_entropy_with_logits(x, y, w, pos_weight=q, {settings})", x=(3, 4),
         y=fixed(chance(3, 4)), w=fixed(positive(4)), q=fixed(positive(4)))
    case(f"F.kl_div(x, y, {settings})", x=(3, 4), y=fixed(distribution(3, 4)))
case("F.cross_entropy(x, t)", x=[(3,), exact([[1000.0, -1000.0], [-1000.0, 1000.0]])],
     t=[index(of=3), fixed(exact([1, 1]))])
case("F.cross_entropy(x, p)", x=(3,), p=fixed(exact([0.2, 0.5, 0.3])))
case("F.cross_entropy(x, t)", x=(2, 3), t=fixed(exact([-100, -100])), smooth=False)
case("F.cross_entropy(x, t)", "F.nll_loss(F.log_softmax(x, 1), t)",
     "F.nll_loss(x.log_softmax(dim=1), t)", x=(4, 3), t=index(4, of=3))
case("F.nll_loss(x, t)", x=[(2, 3, 4), (3,)], t=[index(2, 4, of=3), index(of=3)])
case("F.binary_cross_entropy(x, y)", smooth=False, x=[exact([0.0, 1.0]), fixed(exact([0.0, 1.0]))],
     y=[fixed(exact([0.0, 1.0])), fixed(exact([1.0, 0.0]))])
case("F.binary_cross_entropy_with_logits(x, y)", x=exact([800.0, -800.0, 0.0]),
     y=fixed(exact([1.0, 1.0, 0.0])), smooth=False)

# Embedding, dropout, normalization --------------------------------------------------------------

case("F.embedding(i, w)", i=[index(4, of=5), index(2, 3, of=5), index(of=5)], w=(5, 3))
case("F.embedding(i, w, padding_idx=1)", i=fixed(exact([1, 0, 1, 4])), w=(5, 3), smooth=False)
case("F.one_hot(i, 5)", i=[index(4, of=5), index(2, 3, of=5)])
case("F.batch_norm(x, m, v)", x=[(4, 3), (2, 3, 4, 4)], m=fixed((3,)), v=fixed(positive(3)))
case("F.batch_norm(x, m, v, w, b)", x=[(4, 3), (2, 3, 4)], m=fixed((3,)), v=fixed(positive(3)),
     w=(3,), b=(3,))
case("F.batch_norm(x, None, None, w, b, training=True)", x=[(4, 3), (2, 3, 2, 2)], w=(3,), b=(3,))
case("F.batch_norm(x, None, None, training=True, eps=1e-3)", x=[(4, 3), (2, 3, 2, 2)])
case("(F.batch_norm(x, m, v, w, b, True, 0.3), m, v)", x=[(4, 3), (2, 3, 2, 2)], m=fixed((3,)),
     v=fixed(positive(3)), w=(3,), b=(3,))
case("F.layer_norm(x, (4,))", "F.layer_norm(x, [4])", x=[(3, 4), (2, 3, 4)])
case("F.layer_norm(x, (3, 4), w, b)", x=(2, 3, 4), w=(3, 4), b=(3, 4))
case("F.layer_norm(x, (4,), w, b, 1e-2)", x=(3, 4), w=(4,), b=(4,))
case("F.layer_norm(x, (4,), weight=w)", x=(3, 4), w=(4,))
case("F.layer_norm(x, (0,))", x=(2, 0))
case("F.dropout(x, 0.5, training=False)", "F.dropout(x, 0.)", "x", x=(3, 4))
case("F.dropout(x, 1.)", "torch.dropout(x, 1., True)", x=(3, 4))
case("F.normalize(x)", "F.normalize(x, dim=1)", x=(3, 4))
case("F.cosine_similarity(x, y)", x=(3, 4), y=(3, 4))
case("F.group_norm(x, 2, w, b)", x=(2, 4, 3), w=(4,), b=(4,))

# Distances, attention, images ---------------------------------------------------------------------

for p in (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, inf):
    case(f"torch.cdist(x, y, p={p})", x=[(4, 3), (2, 1, 2, 3)], y=[(5, 3), (3, 3, 3)])
    case(f"F.pdist(x, p={p})", f"torch.pdist(x, {p})", x=[(4, 3), (1, 3), (3, 0)])
    if p != inf:  # where PyTorch gives the whole gradient to each of several largest differences
        case(f"torch.cdist(x, x, p={p})", x=ties(4, 3), smooth=False)
    case(f"torch.cdist(x, y, p={p})", x=[(2, 0), (0, 3), (2, 0, 3)], y=[(4, 0), (4, 3), (2, 4, 3)])
case("torch.cdist(x, y)", x=[(26, 2), (2, 3, 4)], y=[(3, 2), (1, 30, 4)])
case("torch.cdist(x, y, 2, 'donot_use_mm_for_euclid_dist')", x=(26, 2), y=(3, 2))
case("F.cosine_similarity(x, y, dim=-2)", x=(1, 2, 3), y=(2, 1, 3))
case("F.pixel_shuffle(x, 2)", "torch.pixel_shuffle(x, 2)", x=[(1, 8, 2, 3), (4, 2, 1),
     fixed((0, 4, 1, 1))])
case("F.pixel_unshuffle(x, 2)", "torch.pixel_unshuffle(x, 2)", x=[(1, 2, 4, 6), (3, 2, 2)])
case("F.channel_shuffle(x, 3)", "torch.channel_shuffle(x, 3)", x=[(2, 6, 4), (1, 3, 2, 2)])
for mode in ("sum", "mean", "max"):
    case(f"F.embedding_bag(i, w, o, mode='{mode}')", i=[index(6, of=5), index(0, of=5)], w=(5, 3),
         o=[fixed(exact([0, 2, 2, 6])), fixed(exact([0, 0]))])
    case(f"F.embedding_bag(i, w, mode='{mode}', padding_idx=-2)", i=index(3, 4, of=5), w=(5, 3))
    case(f"F.embedding_bag(i, w, o, mode='{mode}', include_last_offset=True)", i=index(5, of=4),
         w=(4, 2), o=fixed(exact([0, 1, 5])))
case("F.embedding_bag(i, w, mode='max')", i=index(2, 3, of=4), w=ties(4, 5), smooth=False)
case("F.embedding_bag(i, w, o, mode='sum', per_sample_weights=s, padding_idx=1)",
     i=index(6, of=5), w=(5, 3), o=fixed(exact([0, 2, 2])), s=(6,))
case("F.embedding_bag(i, w, mode='sum', per_sample_weights=s)", i=index(2, 4, of=5), w=(5, 3),
     s=(2, 4))
case("F.embedding_bag(i, w.clone(), max_norm=1.0)", i=index(2, 3, of=4), w=fixed((4, 3)))
case("F.scaled_dot_product_attention(q, k, v)", q=[(2, 3, 4), (4, 3), (2, 1, 2, 3), (2, 0, 3)],
     k=[(2, 5, 4), (2, 3), (2, 1, 4, 3), (2, 4, 3)], v=[(2, 5, 2), (2, 3), (2, 1, 4, 3), (2, 4, 2)])
case("F.scaled_dot_product_attention(q, k, v, is_causal=True)", q=[(2, 3, 4), (3, 2)],
     k=[(2, 5, 4), (2, 2)], v=[(2, 5, 2), (2, 4)])
case("F.scaled_dot_product_attention(q, k, v, m)", "F.scaled_dot_product_attention(q, k, v, "
     "attn_mask=m, scale=3**-0.5)", q=(2, 4, 3), k=(2, 5, 3), v=(2, 5, 2),
     m=[bools(4, 5), (4, 5), (2, 4, 1), (2, 1, 5), fixed((1, 5)), bools(4, 1)])
case("F.scaled_dot_product_attention(q, k, v, scale=2.0)", q=(2, 4), k=(3, 4), v=(3, 2))
case("F.scaled_dot_product_attention(q, k, v, enable_gqa=True)", q=(2, 4, 3, 2), k=(2, 2, 5, 2),
     v=(2, 2, 5, 3))
case("F.scaled_dot_product_attention(q, k, v)", q=[(2, 3, 4), (3, 4), (2, 1, 3, 4)],
     k=[(1, 5, 4), (2, 5, 4), (3, 5, 4)], v=[(2, 5, 2), (2, 5, 2), (2, 3, 5, 2)])
case("F.scaled_dot_product_attention(q, k, v, dropout_p=1.0)", q=(2, 3, 4), k=(2, 5, 4),
     v=(2, 5, 2))
case("F.scaled_dot_product_attention(q, k, v)", q=fixed((2, 3, 4)), k=fixed((2, 0, 4)),
     v=fixed((2, 0, 3)), smooth=False)
for mode in ("nearest", "nearest-exact", "area"):
    case(f"F.interpolate(x, 5, mode='{mode}')", f"F.interpolate(input=x, size=5, mode='{mode}')",
         x=[(1, 2, 3), (2, 1, 3, 7), (1, 1, 2, 5, 6)])
    case(f"F.interpolate(x, scale_factor=(1.7, 0.6), mode='{mode}')", x=(1, 2, 3, 5))
for mode, shape in (("linear", (2, 2, 4)), ("bilinear", (1, 2, 4, 3)), ("bicubic", (1, 2, 4, 3)),
                    ("trilinear", (1, 1, 3, 2, 4))):
    case(f"F.interpolate(x, 6, mode='{mode}')",
         f"F.interpolate(x, 6, mode='{mode}', align_corners=False)", x=shape)
    case(f"F.interpolate(x, 3, mode='{mode}', align_corners=True)", x=shape)
    case(f"F.interpolate(x, scale_factor=1.6, mode='{mode}')", x=shape)
    case(f"F.interpolate(x, scale_factor=0.7, mode='{mode}', recompute_scale_factor=True)", x=shape)
for mode in ("bilinear", "bicubic"):
    case(f"F.interpolate(x, (3, 9), mode='{mode}', antialias=True)", x=(1, 2, 7, 5))
    case(f"F.interpolate(x, (5, 2), mode='{mode}', align_corners=True, antialias=True)",
         x=(1, 1, 4, 7))
    case(f"F.interpolate(x.to(torch.uint8), (5, 6), mode='{mode}')",
         f"F.interpolate(x.to(torch.uint8), (5, 6), None, '{mode}')",
         x=[ints(1, 2, 3, 4, low=0, high=256), ints(1, 3, 7, 9, low=0, high=256)])
    case(f"F.interpolate(x.to(torch.uint8), (5, 6), mode='{mode}', antialias=True)",
         x=[ints(1, 2, 3, 4, low=0, high=256), ints(1, 3, 7, 9, low=0, high=256)])
case("F.interpolate(x, (2, 3), mode='lanczos', antialias=True)", x=(1, 1, 7, 5))
case("F.interpolate(x.to(torch.uint8), 5)", x=ints(1, 2, 3, 4, low=0, high=256))
elementwise("rrelu", smooth=False, method=False)
case("F.rrelu(x, 0.1, 0.4)", "F.rrelu(x, lower=0.1, upper=0.4, training=False)",
     "F.rrelu_(x.clone(), 0.1, 0.4)", x=(3, 4))
case("F.rrelu(x, 0.2, 0.2, training=True)", "F.rrelu(x.clone(), 0.2, 0.2, True, True)", x=(3, 4))
for name in ("relu", "elu", "celu", "selu", "leaky_relu", "hardtanh"):
    case(f"F.{name}(x)", f"F.{name}_(x.clone())", f"F.{name}(x.clone(), inplace=True)", x=(3, 4))
case("F.threshold(x, 0.3, 2.0)", "F.threshold_(x.clone(), 0.3, 2.0)", x=(3, 4))
for norm in ("1.0", "2.0", "3", "inf", "-inf"):
    case(f"F.lp_pool1d(x, {norm}, 3)", f"F.lp_pool1d(x, {norm}, 3, stride=3)", x=positive(1, 2, 7))
    case(f"F.lp_pool2d(x, {norm}, (2, 3), 1, ceil_mode=True)", x=positive(1, 2, 4, 4))
case("F.lp_pool3d(x, 2, 2)", x=positive(1, 1, 2, 4, 3))
case("F.lp_pool2d(x, 2, 2)", x=[exact(np.zeros((1, 1, 2, 4))), (1, 1, 2, 4)], smooth=False)
for mode in ("bilinear", "nearest", "bicubic"):
    for edge in ("zeros", "border", "reflection"):
        for align in (False, True):
            settings = f"mode='{mode}', padding_mode='{edge}', align_corners={align}"
            case(f"F.grid_sample(x, g, {settings})", x=(1, 1, 3, 2),
                 g=uniform(1, 2, 1, 2, low=-1.7, high=1.7), smooth=mode != "nearest")
            if mode != "bicubic":
                case(f"F.grid_sample(x, g, {settings})", x=(1, 1, 2, 1, 2),
                     g=uniform(1, 1, 1, 2, 3, low=-3.5, high=3.5), smooth=mode != "nearest")
case("F.grid_sample(x, g, align_corners=True)", x=[fixed((1, 0, 2, 2)), fixed((0, 1, 2, 2)),
     fixed((1, 1, 2, 2))], g=[fixed((1, 2, 2, 2)), fixed((0, 2, 2, 2)), fixed((1, 0, 2, 2))])
for align in (False, True):
    case(f"F.affine_grid(x, (2, 1, 3, 4), align_corners={align})", x=(2, 2, 3))
    case(f"F.affine_grid(x, [1, 3, 2, 3, 2], {align})", x=(1, 3, 4))
case("F.linear_cross_entropy(x, w, t)", "F.cross_entropy(F.linear(x, w), t)", x=[(3, 4), (4,)],
     w=(5, 4), t=[index(3, of=5), index(of=5)])
case("F.linear_cross_entropy(x, w, t, linear_bias=b, weight=v, ignore_index=1, reduction='sum', "
     "label_smoothing=0.1)", x=(3, 4), w=(5, 2, 4), t=index(3, 2, of=5), b=(5, 2),
     v=fixed(positive(5)))
case("F.linear_cross_entropy(x, w, t, reduction='none')", x=(3, 4), w=(5, 4), t=distribution(3, 5))
case("F.multi_margin_loss(x, t, reduction='none')", x=[(4,), (4,), (), (0, 3)], smooth=False,
     t=[index(of=4), index(1, of=4), index(of=1), index(0, of=3)])
case("F.multilabel_margin_loss(x, t, reduction='none')", smooth=False, x=[(2, 4), (4,), (), (0, 3)],
     t=[fixed(exact([[1, 1, 2, -1], [-1, 0, 1, 2]])), fixed(exact([3, 0, -1, 0])),
        fixed(exact(0)), index(0, 3, of=3)])
case("F.margin_ranking_loss(x.to(torch.uint8), x.to(torch.uint8) * 3, x.to(torch.uint8))",
     x=ints(4, low=1, high=200))
case("F.softmin(x.to(torch.uint8), 0, dtype=torch.float64)", x=ints(4, low=0, high=200))
case("F.local_response_norm(x, 3)", "F.local_response_norm(x, 3, 1e-4, 0.75, 1.0)",
     x=[(2, 5, 3), (1, 2, 3, 2)])
case("F.local_response_norm(x, 2, alpha=0.5)", x=ints(1, 4, 3))
case("F.rms_norm(x, (4,))", "F.rms_norm(x, [4], None, None)", x=[(3, 4), (2, 3, 4)])
case("F.batch_norm(x, m, m + 1, training=True)", x=fixed((0,)), m=fixed((0,)))
case("F.batch_norm(x, m, m + 1)", "F.batch_norm(x, m, m + 1, training=True)", x=fixed((0, 3)),
     m=fixed((3,)))
case("F.margin_ranking_loss(x, x.detach(), y)", "F.margin_ranking_loss(x, x.detach(), y, 0.0)",
     x=(3,), y=fixed((3,)), smooth=False)
case("F.hinge_embedding_loss(x, y, margin=2.0)", x=exact([2.0, 1.0, 3.0]), smooth=False,
     y=fixed(exact([-1.0, -1.0, 1.0])))
case("F.triplet_margin_loss(x, x.detach(), y, margin=5.0, eps=0.0)", x=exact([[0.0, 0.0]]),
     y=exact([[3.0, 4.0]]), smooth=False)
case("F.multi_margin_loss(x, t)", x=exact([[1.0, 2.0, 1.5]]), t=fixed(exact([1])), smooth=False)

# What both must refuse ----------------------------------------------------------------------------
# (expression, inputs): it raises in PyTorch, and here with the same type or a subclass of it

REFUSED: list[tuple[str, dict[str, Input]]] = []


def refused(expression: str, **inputs: Any) -> None:
    REFUSED.append((expression, {name: as_input(given) for name, given in inputs.items()}))


refused("x + y", x=(3, 4), y=(3,))
refused("torch.mul(x, y)", x=(2,), y=(3,))
refused("x + 'a'", x=(2,))
refused("x.index_copy(0, torch.tensor([-1]), y)", x=(3,), y=(1,))
refused("x.index_fill(0, torch.tensor([-4]), 1)", x=(3,))
refused("x.index_fill(0, torch.tensor([3]), 1)", x=(3,))
refused("torch.bincount(torch.tensor([1]), minlength=-1)")
refused("torch.kthvalue(x, 1)", x=(0,))
refused("torch.trapezoid(x, y)", x=(3,), y=(2,))
refused("F.cosine_embedding_loss(x, x, y)", x=(2, 3), y=(3,))
refused("F.hinge_embedding_loss(x, y)", x=(2,), y=(3,))
refused("x + None", x=(2,))
refused("x @ y", x=(3, 4), y=(3, 4))
refused("x @ y", x=(), y=(3,))
refused("x @ 2.0", x=(2, 2))
for pointwise in ("atan2", "maximum", "minimum", "fmax", "fmin", "hypot", "logaddexp", "logaddexp2",
                  "logical_and", "logical_or", "logical_xor", "heaviside", "isclose"):
    refused(f"torch.{pointwise}(x, 2)", x=(2,))  # two tensors
for pointwise in ("fmod", "copysign", "eq", "ne", "lt", "le", "gt", "ge", "clamp_min", "rsub"):
    refused(f"torch.{pointwise}(2, x)", x=(2,))  # first a tensor
for pointwise in ("pow", "remainder", "xlogy", "bitwise_and", "float_power"):
    refused(f"torch.{pointwise}(2, 3)")  # at least one tensor
refused("torch.Tensor.__radd__(2, x)", x=(2,))
refused("torch.imag(x)", x=(2,))
refused("x.requires_grad_().resize_(3)", x=(2,))
refused("x.resize_(-1)", x=(2,))
refused("x.fill_diagonal_(1)", x=(2,))
refused("x.fill_diagonal_(1)", x=(2, 2, 3))
refused("x.contiguous(memory_format=torch.channels_last)", x=(2, 3))
refused("torch.empty_permuted((2, 3), (0,))")
refused("torch.empty_permuted((2, 3), (0, 0))")
refused("torch.empty_strided((2, 3), (1,))")
refused("torch.quantile(x, x.float())", x=chance(3))
refused("torch.arange(0, 5, 0.5, out=x)", x=ints(3))
refused("torch.linspace(x, 1, 3)", x=(2,))
refused("torch.multinomial(x, 1, out=x.clone())", x=chance(1))
refused("torch.isin(2, 3)")
refused("torch.gcd(x, x)", x=(2,))
refused("torch.frexp(x)", x=ints(2))
refused("torch.fill(x, y)", x=(2,), y=(1,))
refused("torch.fill(x, 'a')", x=(2,))
refused("torch.gradient(x)", x=(1,))
refused("torch.gradient(x, edge_order=3)", x=(4,))
refused("torch.gradient(x, spacing=[1., 2.])", x=(4,))
refused("torch.gradient(x.byte())", x=ints(4, low=0))
refused("torch.combinations(x)", x=(2, 2))
refused("torch.combinations(x, -1)", x=(2,))
refused("torch.histogram(x, 0)", x=(2,))
refused("torch.histogram(x, 2)", x=ints(2))
refused("torch.histogram(x, 2, range=(1., 0.))", x=(2,))
refused("torch.histogram(x, 2, weight=x[:1])", x=(2,))
refused("torch.histogramdd(x, [2])", x=(2, 2))
refused("torch.histogramdd(x, [2])", x=(2,))
refused("torch.mm(x, y)", x=(2, 3, 4), y=(4, 2))
refused("torch.mm(x, y)", x=(2, 3), y=(4, 2))
refused("torch.bmm(x, y)", x=(2, 3, 4), y=(3, 4, 2))
refused("torch.dot(x, y)", x=(3,), y=(4,))
refused("torch.dot(x, y)", x=(3, 1), y=(3, 1))
refused("torch.mv(x, y)", x=(3, 4), y=(3,))
refused("torch.outer(x, y)", x=(3, 1), y=(3,))
refused("x @ y", x=ints(2, 2), y=(2, 2))
refused("torch.einsum('ij,jk', x, y)", x=(2, 3), y=(4, 2))
refused("torch.einsum('ijk,jk', x, y)", x=(2, 3), y=(3, 2))
refused("x.view(5)", x=(3, 4))
refused("x.view(-1, -1)", x=(3, 4))
refused("x.reshape(-1, 5)", x=(3, 4))
refused("x.t().view(-1)", x=(3, 4))
refused("x.t()", x=(2, 3, 4))
refused("x.permute(0, 0)", x=(3, 4))
refused("x.permute(0)", x=(3, 4))
refused("x.transpose(0, 2)", x=(3, 4))
refused("x.unsqueeze(4)", x=(3, 4))
refused("x.squeeze(2)", x=(3, 4))
refused("x.expand(3, 5)", x=(3, 4))
refused("x.expand(4)", x=(3, 4))
refused("x.expand(-1, 3, 4)", x=(3, 4))
refused("torch.cat((x, y))", x=(2, 3), y=(2, 4))
refused("torch.cat((x, y), 1)", x=(2, 3), y=(3,))
refused("torch.cat(())")
refused("torch.cat((x, y), 2)", x=(2, 3), y=(2, 3))
refused("torch.stack((x, y))", x=(2, 3), y=(3, 2))
refused("torch.stack(())")
refused("x.split([1, 1])", x=(3,))
refused("x.chunk(0)", x=(3,))
refused("x.put(i, y)", x=(4,), y=(2,), i=exact([0]))
refused("x.put(i, y)", x=(4,), y=(1,), i=exact([4]))
refused("x.put(i, y)", x=(4,), y=(1,), i=exact([0.0]))
refused("torch.unravel_index(x, (2, 2))", x=(3,))
refused("torch.unravel_index(i, (2, -2))", i=exact([0]))
refused("torch.nonzero_static(x, size=-1)", x=(4,))
refused("x.fill_diagonal_(1.0)", x=(3,))
refused("torch.hstack([])")
refused("x.narrow(0, i, 1)", x=(3,), i=exact([0, 1]))
refused("x.fill_diagonal_(1.0)", x=(2, 2, 3))
refused("x.narrow(0, 2, 5)", x=(4,))
refused("x.repeat(2)", x=(3, 4))
refused("x.sum(2)", x=(3, 4))
refused("x.sum((0, 0))", x=(3, 4))
refused("x.mean()", x=ints(3))
refused("x.var()", x=ints(3))
refused("x.max(3)", x=(3, 4))
refused("x.max()", x=(0,))
refused("x.amax(1)", x=(3, 0))
refused("x.argmax()", x=(0,))
refused("x.max(1)", x=(3, 0))
refused("x.softmax(2)", x=(3, 4))
refused("x.softmax(0)", x=ints(3))
refused("x[3]", x=(3,))
refused("x[0, 0]", x=(3,))
refused("x[i]", x=(3,), i=fixed(exact([0, 3])))
refused("x[i]", x=(3,), i=fixed(exact([0.0, 1.0])))
refused("x[m]", x=(3,), m=bools(4))
refused("x[1.5]", x=(3,))
refused("x['a']", x=(3,))
refused("x[::-1]", x=(3,))
refused("x[[0, 1], [0, 1, 2]]", x=(3, 4))
refused("x[0]", x=())
refused("put(x, s_[0], y)", x=(3, 4), y=(3,))
refused("put(x, s_[5], 1.)", x=(3,))
refused("x.gather(1, i)", x=(3, 4), i=fixed(exact([[4]])))
refused("x.gather(1, i)", x=(3, 4), i=index(3, of=4))
refused("x.gather(1, i)", x=(3, 4), i=(3, 4))
refused("x.index_select(0, i)", x=(3,), i=fixed(exact([3])))
refused("x.scatter_add(0, i, x)", x=(3,), i=fixed(exact([0, 1, 3])))
refused("x.masked_fill(m, 1.)", x=(3,), m=ints(3))
refused("torch.where(m, x, x)", x=(3,), m=(3,))
refused("len(x)", x=())
refused("iter(x)", x=())
refused("float(x)", x=(2,))
refused("x.item()", x=(2,))
refused("bool(x)", x=(2,))
refused("bool(x)", x=(0,))
refused("int(x)", x=(2, 2))
refused("x.clone().add_(y)", x=(3,), y=(2, 3))
refused("x.add_(y)", x=ints(3), y=(3,))
refused("x.div_(2)", x=ints(3))
refused("x ** -1", x=ints(3))
refused("torch.clamp(x)", x=(3,))
refused("torch.add(x)", x=(3,))
refused("torch.exp(x, 1)", x=(3,))
refused("torch.exp(1.0)")
refused("torch.sum([1., 2.])")
refused("torch.tensor('a')")
refused("torch.tensor([[1, 2], [3]])")
refused("torch.tensor(None)")
refused("torch.polygamma(-1, x)", x=(3,))
refused("torch.mvlgamma(x, 0)", x=(3,))
refused("torch.igamma(x, x)", x=ints(3))
refused("torch.igamma(x.requires_grad_(), x).sum().backward()", x=positive(3))
refused("torch.special.zeta(x.requires_grad_(), x).sum().backward()", x=positive(3))
refused("torch.special.bessel_j0(x.requires_grad_()).sum().backward()", x=positive(3))
refused("~x", x=(3,))
refused("x & y", x=(3,), y=(3,))
refused("-x", x=bools(3))
refused("x - y", x=bools(3), y=bools(3))
refused("1 - x", x=bools(3))
refused("torch.div(x, 2, rounding_mode='up')", x=(3,))
refused("F.linear(x, w)", x=(3, 4), w=(5, 3))
refused("F.linear(x, w, b)", x=(3, 4), w=(5, 4), b=(4,))
refused("F.conv2d(x, w)", x=(2, 3, 5, 5), w=(4, 2, 3, 3))
refused("F.conv2d(x, w)", x=(3, 5), w=(4, 3, 3, 3))
refused("F.conv2d(x, w)", x=(2, 3, 2, 2), w=(4, 3, 3, 3))
refused("F.conv2d(x, w, b)", x=(2, 3, 5, 5), w=(4, 3, 3, 3), b=(3,))
refused("F.conv2d(x, w, stride=0)", x=(2, 3, 5, 5), w=(4, 3, 3, 3))
refused("F.conv2d(x, w, padding=-1)", x=(2, 3, 5, 5), w=(4, 3, 3, 3))
refused("F.conv2d(x, w, padding='same', stride=2)", x=(2, 3, 5, 5), w=(4, 3, 3, 3))
refused("F.conv2d(x, w, padding='full')", x=(2, 3, 5, 5), w=(4, 3, 3, 3))
refused("F.conv2d(x, w, groups=2)", x=(2, 3, 5, 5), w=(4, 3, 3, 3))
refused("F.conv_transpose2d(x, w)", x=(2, 3, 5, 5), w=(4, 3, 3, 3))
refused("F.conv_transpose2d(x, w, output_padding=1)", x=(2, 3, 5, 5), w=(3, 3, 3, 3))
refused("F.max_pool2d(x, 3)", x=(1, 1, 2, 2))
refused("F.max_pool2d(x, 2)", x=(3,))
refused("F.max_pool2d(x, 2, padding=2)", x=(1, 1, 4, 4))
refused("F.avg_pool2d(x, 3)", x=(1, 1, 2, 2))
refused("F.unfold(x, 5)", x=(1, 1, 4, 4))
refused("F.fold(x, (4, 5), (2, 2))", x=(2, 8, 11))
refused("F.pad(x, (1,))", x=(3, 4))
refused("F.pad(x, (1, 1, 1, 1, 1, 1))", x=(3, 4))
refused("F.pad(x, (4, 4), mode='reflect')", x=(1, 3, 4))
refused("F.pad(x, (1, 1), mode='mirror')", x=(1, 3, 4))
refused("F.cross_entropy(x, t)", x=(4, 3), t=index(5, of=3))
refused("F.cross_entropy(x, t)", x=(4, 3), t=fixed(exact([0, 1, 2, 3])))
refused("F.cross_entropy(x, t)", x=(4, 3), t=fixed(exact([0.0, 1.0, 2.0, 1.0])))
refused("F.cross_entropy(x, t, reduction='total')", x=(4, 3), t=index(4, of=3))
refused("F.cross_entropy(x, t, w)", x=(4, 3), t=index(4, of=3), w=fixed(positive(4)))
refused("F.nll_loss(x, t)", x=(4, 3), t=fixed(exact([0, 1, 2, -1])))
refused("F.nll_loss(x, t)", x=(4, 3), t=(4,))
refused("F.mse_loss(x, y)", x=(4, 3), y=(5, 3))
refused("F.mse_loss(x, y, reduction='total')", x=(4,), y=(4,))
refused("F.binary_cross_entropy(x, y)", x=chance(4), y=fixed(chance(3)))
refused("F.binary_cross_entropy(x, y)", x=exact([1.5]), y=fixed(exact([1.0])))
refused("F.binary_cross_entropy_with_logits(x, y)", x=(4,), y=(3,))
refused("F.embedding(i, w)", i=fixed(exact([5])), w=(5, 3))
refused("F.embedding(i, w)", i=fixed((3,)), w=(5, 3))
refused("F.batch_norm(x, None, None, training=True)", x=(1, 3))
refused("F.batch_norm(x, None, None)", x=(2, 3))
refused("F.layer_norm(x, (3,))", x=(2, 4))
refused("F.dropout(x, 1.5)", x=(3,))
refused("F.gelu(x, approximate='yes')", x=(3,))
refused("F.glu(x)", x=(3,))
refused("torch.cdist(x, y)", x=(3, 4), y=(5, 3))
refused("torch.cdist(x, y)", x=(4,), y=(5, 4))
refused("torch.cdist(x, y)", x=ints(3, 4), y=(5, 4))
refused("torch.cdist(x, y.float())", x=(3, 4), y=(5, 4))
refused("torch.cdist(x, x, p=-1.0)", x=(3, 4))
refused("torch.cdist(x, x, compute_mode='mm')", x=(3, 4))
refused("F.pdist(x)", x=(3,))
refused("F.pdist(x)", x=ints(3, 4))
refused("F.pixel_shuffle(x, 3)", x=(1, 8, 2, 2))
refused("F.pixel_shuffle(x, 0)", x=(1, 8, 2, 2))
refused("F.pixel_shuffle(x, 1.5)", x=(1, 8, 2, 2))
refused("F.pixel_unshuffle(x, 2)", x=(1, 2, 4, 3))
refused("F.pixel_unshuffle(x, 2)", x=(4, 4))
refused("F.channel_shuffle(x, 4)", x=(1, 6, 2))
refused("F.channel_shuffle(x, 0)", x=(1, 6, 2))
refused("F.channel_shuffle(x, 2)", x=(4, 6))
refused("F.embedding_bag(i, w)", i=index(4, of=5), w=(5, 3))
refused("F.embedding_bag(i, w, o)", i=index(2, 3, of=5), w=(5, 3), o=ints(1, low=0, high=1))
refused("F.embedding_bag(i, w, o)", i=index(4, of=5), w=(5, 3), o=fixed(exact([1, 2])))
refused("F.embedding_bag(i, w, o)", i=index(4, of=5), w=(5, 3), o=fixed(exact([0, 5])))
refused("F.embedding_bag(i, w, o)", i=index(4, of=5), w=(5, 3), o=fixed(exact([0.0, 2.0])))
refused("F.embedding_bag(i, w, o, include_last_offset=True)", i=index(4, of=5), w=(5, 3),
        o=ints(0))
refused("F.embedding_bag(i, w)", i=fixed(exact([[0, 5]])), w=(5, 3))
refused("F.embedding_bag(i, w, mode='middle')", i=index(2, 2, of=5), w=(5, 3))
refused("F.embedding_bag(i, w, mode='max', scale_grad_by_freq=True)", i=index(2, 2, of=5), w=(5, 3))
refused("F.embedding_bag(i, w, per_sample_weights=s)", i=index(2, 2, of=5), w=(5, 3), s=(2, 2))
refused("F.embedding_bag(i, w, mode='sum', per_sample_weights=s)", i=index(2, 2, of=5), w=(5, 3),
        s=(4,))
refused("F.embedding_bag(i, w, padding_idx=7)", i=index(2, 2, of=5), w=(5, 3))
refused("F.embedding_bag(i, w)", i=index(2, 2, of=5), w=ints(5, 3))
refused("F.scaled_dot_product_attention(q, k, k)", q=(2, 3), k=(4, 5))
refused("F.scaled_dot_product_attention(q, k, v)", q=(2, 3), k=(4, 3), v=(5, 3))
refused("F.scaled_dot_product_attention(q, k, k)", q=(2, 4, 3), k=(3, 4, 3))
refused("F.scaled_dot_product_attention(q, q, q)", q=(3,))
refused("F.scaled_dot_product_attention(q, q, q)", q=ints(2, 3))
refused("F.scaled_dot_product_attention(q, q.float(), q)", q=(2, 3))
refused("F.scaled_dot_product_attention(q, q, q, m)", q=(2, 3), m=(2, 3))
refused("F.scaled_dot_product_attention(q, q, q, m)", q=(2, 3), m=ints(2, 2))
refused("F.scaled_dot_product_attention(q, q, q, m, is_causal=True)", q=(2, 3), m=(2, 2))
refused("F.scaled_dot_product_attention(q, k, k, enable_gqa=True)", q=(4, 2, 3), k=(3, 2, 3))
refused("F.scaled_dot_product_attention(q, q, q, dropout_p=1.5)", q=(2, 3))
refused("F.interpolate(x)", x=(1, 2, 3))
refused("F.interpolate(x, 4, 2.0)", x=(1, 2, 3))
refused("F.interpolate(x, (4, 5))", x=(1, 2, 3))
refused("F.interpolate(x, 4.5)", x=(1, 2, 3))
refused("F.interpolate(x, scale_factor=0.1)", x=(1, 2, 3))
refused("F.interpolate(x, 4)", x=(2, 3))
refused("F.interpolate(x, 4)", x=ints(1, 2, 3))
refused("F.interpolate(x, 4)", x=(1, 0, 3))
refused("F.interpolate(x, 4, mode='cubic')", x=(1, 2, 3))
refused("F.interpolate(x, 4, mode='bilinear')", x=(1, 2, 3))
refused("F.interpolate(x, 4, align_corners=True)", x=(1, 2, 3))
refused("F.interpolate(x, 4, recompute_scale_factor=True)", x=(1, 2, 3))
refused("F.interpolate(x, 4, antialias=True)", x=(1, 2, 3, 4))
refused("F.interpolate(x, 4, mode='lanczos')", x=(1, 2, 3, 4))
refused("F.rrelu(x, 0.5, 0.2)", x=(3,))
refused("F.rrelu(x, 0.5, inf, True)", x=(3,))
refused("F.rrelu(x)", x=ints(3))
refused("F.elu_(x.requires_grad_())", x=(3,))
refused("F.max_unpool1d(x, i, 2, output_size=(12,))", x=(1, 2, 4), i=ints(1, 2, 4, low=0, high=8))
refused("F.max_unpool1d(x, i, 2, output_size=(1, 8))", x=(1, 2, 4), i=ints(1, 2, 4, low=0, high=8))
refused("F.max_unpool1d(x, i, 2, padding=9)", x=(1, 2, 4), i=ints(1, 2, 4, low=0, high=8))
refused("F.max_unpool1d(x, i, 2)", x=(1, 2, 4), i=ints(1, 2, 3, low=0, high=8))
refused("F.max_unpool1d(x, i, 2)", x=(1, 2, 4), i=ints(1, 2, 4, low=8, high=9))
refused("F.max_unpool1d(x, i, 2)", x=(1, 2, 4), i=(1, 2, 4))
refused("F.max_unpool1d(x, i, 2)", x=(4,), i=ints(4, low=0, high=8))
refused("F.max_unpool2d(x, i, 2)", x=ints(1, 2, 4), i=ints(1, 2, 4, low=0, high=8))
refused("F.lp_pool2d(x, 2, 5)", x=(1, 1, 4, 4))
refused("F.grid_sample(x, g, 'linear', align_corners=True)", x=(1, 1, 3, 3), g=(1, 2, 2, 2))
refused("F.grid_sample(x, g, padding_mode='one', align_corners=True)", x=(1, 1, 3, 3),
        g=(1, 2, 2, 2))
refused("F.grid_sample(x, g, align_corners=True)", x=(1, 1, 3, 3), g=(2, 2, 2, 2))
refused("F.grid_sample(x, g, align_corners=True)", x=(1, 1, 3, 3), g=(1, 2, 2, 3))
refused("F.grid_sample(x, g, align_corners=True)", x=(1, 1, 3, 3, 3), g=(1, 2, 2, 2))
refused("F.grid_sample(x, g, align_corners=True)", x=(1, 1, 0, 3), g=(1, 2, 2, 2))
refused("F.grid_sample(x, g, align_corners=True)", x=ints(1, 1, 3, 3), g=ints(1, 2, 2, 2))
refused("F.grid_sample(x, g.float(), align_corners=True)", x=(1, 1, 3, 3), g=(1, 2, 2, 2))
refused("F.grid_sample(x, g, 'bicubic', align_corners=True)", x=(1, 1, 2, 2, 2), g=(1, 2, 2, 2, 3))
refused("F.affine_grid(x, (1, 1, 2, 2), align_corners=True)", x=ints(1, 2, 3))
refused("F.affine_grid(x, (1, 1, 2), align_corners=True)", x=(1, 2, 3))
refused("F.affine_grid(x, (1, 1, 2, 2, 2), align_corners=True)", x=(1, 2, 3))
refused("F.affine_grid(x, (1, 1, 0, 2), align_corners=True)", x=(1, 2, 3))
refused("F.affine_grid(x, (2, 1, 2, 2), align_corners=True)", x=(1, 2, 3))
refused("F.linear_cross_entropy(x, w, t)", x=(3, 4), w=(5, 3), t=index(3, of=5))
refused("F.linear_cross_entropy(x, w, t)", x=(4,), w=(5, 2, 4), t=index(2, of=5))
refused("F.linear_cross_entropy(x, w, t, linear_bias=x)", x=(3, 4), w=(5, 4), t=index(3, of=5))
refused("F.linear_cross_entropy(x, w, t, ignore_index=1)", x=(3, 4), w=(5, 4), t=distribution(3, 5))
refused("F.multi_margin_loss(x, t)", x=(3, 4), t=fixed(exact([0, 1, 4])))
refused("F.multi_margin_loss(x, t)", x=(3, 4), t=index(2, of=4))
refused("F.multi_margin_loss(x, t.int())", x=(3, 4), t=index(3, of=4))
refused("F.multi_margin_loss(x, t, p=3)", x=(3, 4), t=index(3, of=4))
refused("F.multi_margin_loss(x, t, weight=x[0, :2])", x=(3, 4), t=index(3, of=4))
refused("F.multi_margin_loss(x, t)", x=(2, 3, 4), t=index(2, of=4))
refused("F.multilabel_margin_loss(x, t)", x=(3, 4), t=index(2, 4, of=4))
refused("F.multilabel_margin_loss(x, t)", x=(4,), t=fixed(exact([1, 4, -1, 0])))
refused("F.multilabel_margin_loss(x, t)", x=(4,), t=fixed((4,)))
refused("F.triplet_margin_loss(x, x, x, margin=0.0)", x=(3, 4))
refused("F.kl_div(x, y)", x=ints(3), y=(3,))
refused("F.gaussian_nll_loss(x, x, v)", x=(3,), v=ints(3, low=1, high=2))
refused("F.glu(x)", x=ints(4))
refused("F.layer_norm(x, (4,))", x=ints(3, 4))
refused("F.layer_norm(x, (4,), w.float())", x=(3, 4), w=(4,))
refused("F.batch_norm(x, m, m)", x=ints(3, 4), m=(4,))
refused("F.group_norm(x, 2)", x=ints(3, 4))
refused("F.rms_norm(x, (4,))", x=ints(3, 4))
refused("F.pad(x > 0, (1, 1), mode='reflect')", x=(1, 3))
refused("F.adaptive_avg_pool2d(x, (2, 2))", x=(2, 2))
