"""``vmap``: a function of one sample, made a function of a batch.

The function is called once for each sample and its results are stacked. That is the definition, and
for a library on NumPy it is also the right way: what f does is not known before it has done it (it
may branch on its values, write in place, call a Function or NumPy), and a call on the whole batch
at once would need a batching rule for every operation and every way of indexing. So ``vmap`` is as
general as Python here, and no faster than a loop; whoever wants speed writes the batch dimension.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograd.ops.joining import stack
from autograd.ops.parts import select
from autograd.pytree import flatten, spread, unflatten
from autograd.random import default_generator
from autograd.tensor import Tensor, memory, wrap

__all__ = ["vmap"]


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """``func`` over a batch: each of its tensors is taken apart along a dimension of the arguments,
    its results are stacked along a new one.

    ``in_dims``: an int for all arguments, or a tree like the arguments, in which one int may stand
    for a whole subtree and None means that all samples share the argument. ``out_dims`` the same
    for the results; None returns what does not depend on the sample, once. ``randomness`` says what
    random operations in ``func`` do: "error" raises RuntimeError, "different" draws for each sample
    anew, "same" gives all samples the same numbers. ``chunk_size`` spares memory in PyTorch; here
    samples come one by one anyway.

    Keyword arguments are shared by all samples. ValueError if ``in_dims`` or
    ``out_dims`` do not fit, or the sizes of the batch differ."""
    check_randomness(randomness)
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")
    name = f"vmap({getattr(func, '__name__', func)}"
    if not all(map(_is_dim, flatten(out_dims)[0])):
        raise ValueError(
            f"{name}, ..., out_dims={out_dims}): `out_dims` must be an int, None or a python "
            "collection of ints representing where in the outputs the vmapped dimension should "
            "appear."
        )

    @functools.wraps(func)
    def batched(*args: Any, **kwargs: Any) -> Any:
        leaves, structure = flatten((args, kwargs))
        dims = _input_dims(f"{name}, in_dims={in_dims}, ...)(<inputs>)", in_dims, args, leaves)
        sizes = {x.shape[dim] for x, dim in zip(leaves, dims, strict=True) if dim is not None}
        if len(sizes) != 1:
            raise ValueError(
                "vmap: Expected all tensors to have the same size in the mapped dimension, got "
                f"sizes {sorted(sizes)} for the mapped dimension"
                if sizes
                else f"{name})(<inputs>): at least one input must be mapped, but in_dims is None "
                "for all of them"
            )
        (size,) = sizes

        def call(i: int | None) -> Any:
            sample = [
                x if dim is None else _zeros(x, dim) if i is None else select(x, dim, i)
                for x, dim in zip(leaves, dims, strict=True)
            ]
            its_args, its_kwargs = unflatten(sample, structure)
            return func(*its_args, **its_kwargs)

        if not size:  # one call on zeros tells what the results are like
            return _joined(name, [call(None)], out_dims, empty=True)
        results = [(result := call(i), _places(result)) for i in _samples(size, randomness)]
        seen = [place for _, places in results for place in places]
        if len({place for place, _ in seen}) < len(set(seen)):
            raise RuntimeError(
                f"{name}, ...): the function changes in place what it returned for an earlier "
                "sample: a tensor that all samples share. Return a copy of it: y.clone()"
            )
        return _joined(name, [result for result, _ in results], out_dims)

    return batched


def check_randomness(randomness: str) -> None:
    """RuntimeError unless it is one of the three that :func:`vmap` knows."""
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(
            "Only allowed values for randomness are 'error', 'different', or 'same'. Got "
            f"{randomness}"
        )


def _samples(size: int, randomness: str) -> Iterator[int]:
    """The numbers of the samples. Between them the default generator is looked after."""
    before = default_generator.get_state()
    for i in range(size):
        if randomness == "same":
            default_generator.set_state(before)
        yield i
    after = default_generator.get_state()
    if randomness == "error" and not np.array_equal(memory(before), memory(after)):
        raise RuntimeError(
            "vmap: called random operation while in randomness error mode. Please either use the "
            "'same' or 'different' randomness flags on vmap or perform the randomness operation "
            "out of vmap"
        )


def _places(result: Any) -> list[tuple[int, int]]:
    """Of each tensor of a result where it lies in memory, and how often that was changed."""
    tensors = [leaf for leaf in flatten(result)[0] if isinstance(leaf, Tensor) and leaf.numel()]
    return [(t.data_ptr(), t._version) for t in tensors]


def _zeros(x: Tensor, dim: int) -> Tensor:
    """A sample of an empty batch."""
    shape = list(x.shape)
    del shape[dim]
    return wrap(np.zeros(shape, memory(x).dtype))


# -- dimensions ------------------------------------------------------------------------------------


def _is_dim(dim: Any) -> bool:
    return dim is None or isinstance(dim, int)


def _input_dims(
    name: str, in_dims: Any, args: tuple[Any, ...], leaves: list[Any]
) -> list[int | None]:
    """The dimension along which each tensor is mapped."""
    if not isinstance(in_dims, (int, tuple)):
        raise ValueError(
            f"{name}: expected `in_dims` to be int or a (potentially nested) tuple matching the "
            f"structure of inputs, got: {type(in_dims)}."
        )
    if not leaves:
        raise ValueError(
            f"{name}: got no inputs. Maybe you forgot to add inputs, or you are trying to vmap "
            "over a function with no inputs. The latter is unsupported."
        )
    dims = spread(in_dims, args, _is_dim)
    if dims is None:
        raise ValueError(
            f"{name}: in_dims is not compatible with the structure of `inputs`. in_dims has "
            f"structure {flatten(in_dims)[1]} but inputs has structure {flatten(args)[1]}."
        )
    dims += [None] * (len(leaves) - len(dims))  # keyword arguments
    for x, dim in zip(leaves, dims, strict=True):
        if not _is_dim(dim):
            raise ValueError(f"{name}: Got in_dim={dim}, but in_dim must be an int or None.")
        if dim is None:
            continue
        if not isinstance(x, Tensor):
            raise ValueError(
                f"{name}: Got in_dim={dim} for an input but the input is of type {type(x)}. We "
                "cannot vmap over non-Tensor arguments, please use None as the respective in_dim"
            )
        if not -x.dim() <= dim < x.dim():
            raise ValueError(
                f"{name}: Got in_dim={dim} for some input, but that input is a Tensor of "
                f"dimensionality {x.dim()} so expected in_dim to satisfy -{x.dim()} <= in_dim < "
                f"{x.dim()}."
            )
    return dims


def _joined(name: str, results: list[Any], out_dims: Any, empty: bool = False) -> Any:
    """The results of the samples, stacked leaf by leaf."""
    columns, structures = zip(*map(flatten, results), strict=True)
    structure = structures[0]
    if any(other != structure for other in structures):
        raise ValueError(
            f"{name}, ...): the function returned {structure} for one sample and something else "
            "for another"
        )
    if structure.kind is None and isinstance(out_dims, tuple) and len(out_dims) == 1:
        out_dims = out_dims[0]
    dims = spread(out_dims, results[0], _is_dim)
    if dims is None:
        raise ValueError(
            f"{name}, ..., out_dims={out_dims})(<inputs>): out_dims is not compatible with the "
            f"structure of `outputs`. out_dims has structure {flatten(out_dims)[1]} but outputs "
            f"has structure {structure}."
        )
    join = [
        _shared(name, parts) if dim is None else _stacked(name, parts, dim, empty)
        for parts, dim in zip(zip(*columns, strict=True), dims, strict=True)
    ]
    return unflatten(join, structure)


def _stacked(name: str, parts: tuple[Any, ...], dim: int, empty: bool) -> Tensor:
    for part in parts:
        if not isinstance(part, Tensor):
            raise ValueError(
                f"{name}, ...): the function must only return Tensors, got type {type(part)}. Did "
                "you mean to set out_dims= to None for output?"
            )
    stacked = stack(list(parts), dim)
    return stacked.narrow(dim, 0, 0) if empty else stacked


def _shared(name: str, parts: tuple[Any, ...]) -> Any:
    """What is the same for all samples."""
    first = parts[0]
    for part in parts[1:]:
        if part is first:
            continue
        if not isinstance(part, Tensor) or not np.array_equal(
            memory(part), memory(first), equal_nan=part.is_floating_point()
        ):
            raise ValueError(
                f"{name}, ...): the function can not return a BatchedTensor when out_dim is None: "
                "this result differs from sample to sample"
            )
    return first
