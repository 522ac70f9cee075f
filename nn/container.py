"""Containers: rows and dictionaries of modules and parameters that their owner can find."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from itertools import groupby
from typing import Any, Self

from autograd import Tensor

from .module import Module
from .parameter import Parameter
from .printing import bracket

__all__ = ["ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Sequential"]


class _Row(Module):
    """Modules in a row, named by their places: "0", "1", ..."""

    _modules: dict[str, Module]  # type: ignore[assignment]  # here without None

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def __getitem__(self, idx: Any) -> Any:
        return self._modules[self._name_at(idx)]

    def __setitem__(self, idx: int, module: Module) -> None:
        setattr(self, self._name_at(idx), _check_module(module))

    def __delitem__(self, idx: int | slice) -> None:
        modules = list(self)
        if not isinstance(idx, slice):
            self._name_at(idx)
        del modules[idx]
        self._renumber(modules)

    def _name_at(self, idx: Any) -> str:
        place = operator.index(idx)
        if not -len(self) <= place < len(self):
            raise IndexError(f"index {idx} is out of range: there are {len(self)} modules")
        return list(self._modules)[place]

    def _renumber(self, modules: Iterable[Module]) -> None:
        self._modules = {str(i): module for i, module in enumerate(modules)}

    def append(self, module: Module) -> Self:
        """Add a module at the end."""
        self.add_module(str(len(self)), _check_module(module))
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add modules at the end, one after the other."""
        if not isinstance(modules, Iterable):
            raise TypeError(
                f"{self._get_name()}.extend should be called with an iterable, but got "
                f"{type(modules).__name__}"
            )
        for module in tuple(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Self:
        """Add a module before the one at `index`; those after it move up by one."""
        if not -len(self) <= index <= len(self):
            raise IndexError(f"Index out of range: {index}; there are {len(self)} modules")
        modules = list(self)
        modules.insert(index, _check_module(module))
        self._renumber(modules)
        return self

    def pop(self, key: int | slice) -> Any:
        """Take the module at `key` out and return it."""
        taken = self[key]
        del self[key]
        return taken

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.isdigit()]


class Sequential(_Row):
    """Modules applied one after the other: Sequential(f, g)(x) = g(f(x)).

    Takes the modules, or one OrderedDict of names and modules.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        named = len(args) == 1 and isinstance(args[0], OrderedDict)
        for name, module in args[0].items() if named else enumerate(args):
            self.add_module(str(name), _check_module(module))

    def __getitem__(self, idx: Any) -> Any:
        if isinstance(idx, slice):
            return type(self)(OrderedDict(list(self._modules.items())[idx]))
        return super().__getitem__(idx)

    def forward(self, input: Any) -> Any:
        """Apply all modules in their order."""
        for module in self._modules.values():
            input = module(input)
        return input

    def __add__(self, other: Sequential) -> Sequential:
        return Sequential(*self, *self._check_sequential(other))

    def __iadd__(self, other: Sequential) -> Self:
        return self.extend(self._check_sequential(other))

    def __mul__(self, times: int) -> Sequential:
        return Sequential(*list(self) * self._check_factor(times))

    __rmul__ = __mul__

    def __imul__(self, times: int) -> Self:
        return self.extend(list(self) * (self._check_factor(times) - 1))

    @staticmethod
    def _check_sequential(other: Any) -> Sequential:
        if not isinstance(other, Sequential):
            raise ValueError(
                f"add operator supports only objects of Sequential class, but {type(other)} is "
                "given. Use append or extend for other modules."
            )
        return other

    def _check_factor(self, times: Any) -> int:
        if not isinstance(times, int):
            raise TypeError(f"unsupported operand type(s) for *: {type(self)} and {type(times)}")
        if times <= 0:
            raise ValueError(f"Non-positive multiplication factor {times} for {type(self)}")
        return times


class ModuleList(_Row):
    """A list of modules; unlike in a plain list, their parameters belong to the network."""

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        self.extend(() if modules is None else modules)

    def __getitem__(self, idx: Any) -> Any:
        if isinstance(idx, slice):
            return type(self)(list(self)[idx])
        return super().__getitem__(idx)

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *other])

    def __iadd__(self, other: Iterable[Module]) -> Self:
        return self.extend(other)

    def __repr__(self) -> str:
        # Equal neighbors are shown once: "(0-2): 3 x Linear(...)".
        children = []
        for text, run in groupby(enumerate(map(repr, self)), key=operator.itemgetter(1)):
            places = [place for place, _ in run]
            first, last = places[0], places[-1]
            if first == last:
                children.append(f"({first}): {text}")
            else:
                children.append(f"({first}-{last}): {len(places)} x {text}")
        return bracket(self._get_name(), [], children)


class _Dict(Module, MutableMapping[str, Any]):
    """What a dictionary of modules has in common with one of parameters.

    MutableMapping makes `keys`, `items`, `values`, `get`, `pop`, `update` and the like.
    """

    # A dictionary compares by its contents and cannot be hashed; a module is only itself.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __contains__(self, key: object) -> bool:
        return any(key == name for name in self)

    def clear(self) -> None:
        """Take all entries out."""
        for key in tuple(self):
            del self[key]


class ModuleDict(_Dict):
    """A dictionary of modules; unlike in a plain dict, their parameters belong to the network."""

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        super().__init__()
        self.update({} if modules is None else modules)

    def __getitem__(self, key: str) -> Module:
        return self._modules[key]  # type: ignore[return-value]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, _check_module(module))

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)


class ParameterList(Module):
    """A list of parameters. Tensors put into it become parameters; others stay the same."""

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        self.extend(() if values is None else values)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, idx: Any) -> Any:
        if isinstance(idx, slice):
            return type(self)(self[i] for i in range(len(self))[idx])
        return getattr(self, self._name_at(idx))

    def __setitem__(self, idx: int, param: Any) -> None:
        setattr(self, self._name_at(idx), _as_parameter(param))

    def _name_at(self, idx: Any) -> str:
        place = operator.index(idx)
        if not -len(self) <= place < len(self):
            raise IndexError(f"index {idx} is out of range: there are {len(self)} entries")
        return str(place % len(self))

    def append(self, value: Any) -> Self:
        """Add a value at the end."""
        self._size += 1
        self[-1] = value
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Add values at the end, one after the other."""
        if isinstance(values, Tensor) or not isinstance(values, Iterable):
            raise TypeError(
                "ParameterList.extend should be called with an iterable, but got "
                f"{type(values).__name__}"
            )
        for value in tuple(values):
            self.append(value)
        return self

    def __iadd__(self, values: Iterable[Any]) -> Self:
        return self.extend(values)

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.isdigit()]

    def extra_repr(self) -> str:
        """One line for each entry."""
        return "\n".join(_entry(i, value, lambda p: repr(p.dtype)) for i, value in enumerate(self))


class ParameterDict(_Dict):
    """A dictionary of parameters. Tensors put into it become parameters; others stay the same."""

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._keys: dict[
            str, None
        ] = {}  # in the order of insertion, values that are no tensors too
        self.update({} if parameters is None else parameters)

    def __getitem__(self, key: str) -> Any:
        if key not in self._keys:
            raise KeyError(key)
        return getattr(self, key)

    def __setitem__(self, key: str, value: Any) -> None:
        if not isinstance(key, str):
            raise TypeError(
                "Index given to ParameterDict cannot be used as a key as it is not a string (type "
                f"is '{type(key).__name__}')."
            )
        if key not in self._keys and self._has(key):
            raise KeyError(f"attribute '{key}' already exists")
        self._keys[key] = None
        setattr(self, key, _as_parameter(value))

    def __delitem__(self, key: str) -> None:
        del self._keys[key]
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __reversed__(self) -> Iterator[str]:
        return reversed(list(self))

    def popitem(self) -> tuple[str, Any]:
        """Take the last entry out and return it, as a dict does."""
        key = next(reversed(self))
        return key, self.pop(key)

    def extra_repr(self) -> str:
        """One line for each entry."""
        return "\n".join(_entry(key, value, lambda p: p.type()) for key, value in self.items())


def _check_module(module: Any) -> Any:
    if not isinstance(module, Module):
        raise TypeError(
            f"{type(module).__name__} is not a Module subclass. To put a function into a network, "
            "wrap it in a Module of your own."
        )
    return module


def _as_parameter(value: Any) -> Any:
    plain_tensor = isinstance(value, Tensor) and not isinstance(value, Parameter)
    return Parameter(value) if plain_tensor else value


def _entry(key: Any, value: Any, describe: Callable[[Tensor], str]) -> str:
    if not isinstance(value, Tensor):
        return f"  ({key}): Object of type: {type(value).__name__}"
    size = "x".join(map(str, value.shape))
    return f"  ({key}): Parameter containing: [{describe(value)} of size {size}]"
