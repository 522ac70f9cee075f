"""How weights start: random, but neither too large nor too small.

A layer multiplies variances by about fan_in · var(w) on the way forward and by fan_out · var(w) on
the way back. Glorot and Bengio (2010) keep both near 1 with var(w) = 2 / (fan_in + fan_out); He et
al. (2015) take gain² / fan_in, where the gain makes up for what the activation takes away.

All functions fill their tensor in place, outside the graph, and return it.
"""

from __future__ import annotations

import math
import warnings

import autograd
from autograd import Generator, Tensor, no_grad

__all__ = [
    "calculate_gain",
    "constant_",
    "dirac_",
    "eye_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "sparse_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

_PLAIN = {"linear", "conv1d", "conv2d", "conv3d", "sigmoid"} | {
    f"conv_transpose{dims}d" for dims in (1, 2, 3)
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """By how much to widen the weights before an activation; `param` is leaky_relu's slope.

    linear, conv, sigmoid: 1; tanh: 5/3; relu: √2; leaky_relu: √(2 / (1 + slope²)); selu: 3/4.
    ValueError for any other name.
    """
    if nonlinearity in _PLAIN:
        return 1.0
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ValueError(f"negative_slope {slope} not a valid number")
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity == "selu":
        return 3.0 / 4
    known = ", ".join(sorted(_PLAIN | {"tanh", "relu", "leaky_relu", "selu"}))
    raise ValueError(f"Unsupported nonlinearity {nonlinearity}: choose one of {known}")


@no_grad()
def uniform_(
    tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Fill with uniform values from [a, b)."""
    return tensor.uniform_(a, b, generator=generator)


@no_grad()
def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Fill with normal values N(mean, std²)."""
    return tensor.normal_(mean, std, generator=generator)


@no_grad()
def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one value."""
    return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with 1."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with 0."""
    return constant_(tensor, 0.0)


@no_grad()
def eye_(tensor: Tensor) -> Tensor:
    """Fill a matrix with the identity. ValueError for other than 2 dimensions."""
    _check_dims(tensor, tensor.ndim == 2, "2 dimensions")
    return tensor.copy_(autograd.eye(*tensor.shape))


@no_grad()
def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fill the weight of a convolution so that it passes its input channels on unchanged.

    ValueError for other than 3, 4 or 5 dimensions, or if `groups` does not divide the first.
    """
    _check_dims(tensor, tensor.ndim in (3, 4, 5), "3, 4, or 5 dimensions")
    filters, channels, *window = tensor.shape
    if filters % groups != 0:
        raise ValueError(f"dim 0 must be divisible by groups, but got {filters} and {groups}")
    in_group = filters // groups
    center = tuple(size // 2 for size in window)
    tensor.zero_()
    for group in range(groups):
        for channel in range(min(in_group, channels)):
            tensor[(group * in_group + channel, channel, *center)] = 1
    return tensor


def xavier_uniform_(
    tensor: Tensor, gain: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Uniform in ±gain·√(6 / (fan_in + fan_out))."""
    bound = math.sqrt(3.0) * _xavier_std(tensor, gain)
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normal with std = gain·√(2 / (fan_in + fan_out))."""
    return normal_(tensor, 0.0, _xavier_std(tensor, gain), generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Uniform in ±gain·√(3 / fan), where `a` is leaky_relu's slope."""
    if _is_empty(tensor):
        return tensor
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Normal with std = gain / √fan, where `a` is leaky_relu's slope."""
    if _is_empty(tensor):
        return tensor
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


@no_grad()
def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Normal values N(mean, std²), drawn again until they lie in [a, b]."""
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of "
            "values may be incorrect.",
            stacklevel=2,
        )
    inside = _normal_cdf((b - mean) / std) - _normal_cdf((a - mean) / std)
    draw = _draw_and_reject if inside > 0.3 else _draw_uniform_and_reject
    return draw(tensor, mean, std, a, b, generator)


def _draw_and_reject(
    tensor: Tensor, mean: float, std: float, a: float, b: float, generator: Generator | None
) -> Tensor:
    """Draw normal values until all lie in [a, b]: quick if most of them do."""
    tensor.normal_(mean, std, generator=generator)
    while (outside := (tensor < a) | (tensor > b)).any():
        again = autograd.empty_like(tensor).normal_(mean, std, generator=generator)
        tensor.copy_(autograd.where(outside, again, tensor))
    return tensor


def _draw_uniform_and_reject(
    tensor: Tensor, mean: float, std: float, a: float, b: float, generator: Generator | None
) -> Tensor:
    """Draw from [a, b], keep each value with probability density / (largest density there)."""
    nearest = max(a, min(mean, b))
    log_peak = -0.5 * ((nearest - mean) / std) ** 2
    pending = autograd.ones_like(tensor, dtype=autograd.bool)
    while pending.any():
        drawn = autograd.empty_like(tensor).uniform_(a, b, generator=generator)
        tensor.copy_(autograd.where(pending, drawn, tensor))
        log_density = -0.5 * ((drawn - mean) / std) ** 2 - log_peak
        chance = autograd.empty_like(tensor).uniform_(generator=generator)
        pending = pending & (chance.log() > log_density)
    return tensor


@no_grad()
def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """Fill with gain times a random matrix whose rows, or columns, are orthonormal.

    Saxe et al. (2013). More than two dimensions count as rows × everything else. ValueError for
    fewer.
    """
    _check_dims(tensor, tensor.ndim >= 2, "2 or more dimensions")
    if tensor.numel() == 0:
        return tensor
    rows = tensor.shape[0]
    normal = autograd.empty(rows, tensor.numel() // rows, dtype=tensor.dtype)
    normal.normal_(0, 1, generator=generator)
    wide = normal.shape[0] < normal.shape[1]
    q, r = autograd.linalg.qr(normal.T if wide else normal)
    # QR leaves the signs open; these make q uniform over the orthogonal group (Mezzadri 2007).
    q = q * autograd.diagonal(r).sign()
    return tensor.copy_((gain * (q.T if wide else q)).reshape(tensor.shape))


@no_grad()
def sparse_(
    tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None
) -> Tensor:
    """Fill a matrix with N(0, std²), then set a fraction `sparsity` of each column to zero.

    Martens (2010). ValueError for other than 2 dimensions.
    """
    _check_dims(tensor, tensor.ndim == 2, "2 dimensions")
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    tensor.normal_(0, std, generator=generator)
    for column in range(columns):
        tensor[autograd.randperm(rows)[:zeros], column] = 0
    return tensor


def _fans(tensor: Tensor) -> tuple[int, int]:
    """How many inputs an output of this weight sees, and how many outputs see an input."""
    if tensor.ndim < 2:
        raise ValueError(
            "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions: got "
            f"shape {tensor.shape}"
        )
    outputs, inputs, *window = tensor.shape
    return inputs * math.prod(window), outputs * math.prod(window)


def _xavier_std(tensor: Tensor, gain: float) -> float:
    return gain * math.sqrt(2.0 / float(sum(_fans(tensor))))


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    modes = ("fan_in", "fan_out")
    if mode not in modes:
        raise ValueError(f"Mode {mode} not supported, please use one of {modes}")
    fan = _fans(tensor)[modes.index(mode)]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def _is_empty(tensor: Tensor) -> bool:
    if 0 in tensor.shape:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=3)
        return True
    return False


def _normal_cdf(x: float) -> float:
    return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0


def _check_dims(tensor: Tensor, fits: bool, expected: str) -> None:
    if not fits:
        raise ValueError(
            f"Only tensors with {expected} are supported, but got shape {tensor.shape}"
        )
