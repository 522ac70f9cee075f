"""Module: a function that owns its parameters.

A module is a tree. Each node of it keeps three tables: its parameters (what training changes), its
buffers (what it remembers beside them) and its child modules. Assigning an attribute sorts the
value into its table, reading an attribute finds it there, and all else - counting, casting, saving,
moving between training and evaluation - is a walk over the tree.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, Self

import autograd
from autograd import Tensor, no_grad

from .hooks import Hooks, RemovableHandle
from .parameter import Buffer, Parameter
from .paths import join, name_the_place
from .printing import bracket
from .state import IncompatibleKeys, load_state, save_state

__all__ = ["Module"]


class _Kind(NamedTuple):
    """One of the three kinds of things a module owns."""

    table: str
    noun: str
    role: str
    registers: type  # assigning one of these puts it into the table
    accepts: type  # what may stand in the table
    expected: str  # the same in words


class Module:
    """Base class of layers and networks: subclass it, build in `__init__`, compute in `forward`.

    >>> class Net(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.fc = nn.Linear(2, 1)
    ...
    ...     def forward(self, x):
    ...         return self.fc(x)
    """

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _non_persistent_buffers_set: set[str]
    _hooks: Hooks | None

    def __init__(self) -> None:
        # Straight into __dict__: our own __setattr__ needs the tables to be there.
        self.__dict__.update(
            training=True,
            _parameters={},
            _buffers={},
            _modules={},
            _non_persistent_buffers_set=set(),
            _hooks=None,
        )

    # --- calling ----------------------------------------------------------------------------------

    def forward(self, *input: Any) -> Any:
        """What the module computes; every subclass defines its own."""
        raise NotImplementedError(
            f'Module [{self._get_name()}] is missing the required "forward" function: '
            f"write `def forward(self, x)` in the class {self._get_name()}"
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute `forward`, with the hooks that are attached."""
        try:
            if self._hooks is None:
                return self.forward(*args, **kwargs)
            return self._hooks.call(self, args, kwargs)
        except Exception as error:
            name_the_place(error, self)
            raise

    # --- attributes -------------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        for kind in _KINDS:
            if isinstance(value, kind.registers):
                self._own(kind, name, value)
                return
            if name in self.__dict__.get(kind.table, ()):
                self._replace(kind, name, value)
                return
        object.__setattr__(self, name, value)

    def _own(self, kind: _Kind, name: str, value: Any) -> None:
        """Put a value into the table of its kind and take the name out of all others."""
        table = self._table(kind)
        if name not in table:
            self._forget(name)
        table[name] = value
        if kind is _BUFFER:
            self._set_persistence(name, value.persistent)

    def _replace(self, kind: _Kind, name: str, value: Any) -> None:
        """Assign a value that registers nothing by itself to a name that stands in a table."""
        if not (value is None or isinstance(value, kind.accepts)):
            raise TypeError(
                f"cannot assign '{type(value).__name__}' as {kind.role} '{name}' ({kind.expected} "
                f"expected). To make it an ordinary attribute, delete the {kind.noun} first: del "
                f"module.{name}"
            )
        self._table(kind)[name] = value

    def __getattr__(self, name: str) -> Any:
        # Python comes here only when the ordinary lookup has failed.
        for kind in _KINDS:
            table = self.__dict__.get(kind.table, ())
            if name in table:
                return table[name]
        raise AttributeError(
            f"'{self._get_name()}' object has no attribute '{name}'{self._suggest(name)}",
            name=name,
            obj=self,
        )

    def __delattr__(self, name: str) -> None:
        if self._kind_of(name) is None:
            object.__delattr__(self, name)
        else:
            self._forget(name)

    def __dir__(self) -> list[str]:
        owned = (name for kind in _KINDS for name in self.__dict__.get(kind.table, ()))
        return sorted({*super().__dir__(), *owned})

    def _suggest(self, name: str) -> str:
        """The end of the sentence "no attribute 'wieght'": a repair, where one comes to mind."""
        if name.startswith("_"):
            return ""
        if _PARAMETER.table not in self.__dict__:
            return ": call super().__init__() first in its __init__"
        public = [known for known in dir(self) if not known.startswith("_")]
        close = difflib.get_close_matches(name, public, n=1)
        return f". Did you mean: '{close[0]}'?" if close else ""

    # --- the tables -------------------------------------------------------------------------------

    def _table(self, kind: _Kind) -> dict[str, Any]:
        try:
            return self.__dict__[kind.table]
        except KeyError:
            raise AttributeError(
                f"cannot assign {kind.noun}s before Module.__init__() call: start "
                f"{type(self).__name__}.__init__ with super().__init__()"
            ) from None

    def _kind_of(self, name: str) -> _Kind | None:
        """Which table has this name, if any."""
        for kind in _KINDS:
            if name in self.__dict__.get(kind.table, ()):
                return kind
        return None

    def _has(self, name: str) -> bool:
        """What `hasattr` says, without the search for a suggestion."""
        return name in self.__dict__ or hasattr(type(self), name) or self._kind_of(name) is not None

    def _forget(self, name: str) -> None:
        self.__dict__.pop(name, None)
        for kind in _KINDS:
            self.__dict__[kind.table].pop(name, None)
        self._non_persistent_buffers_set.discard(name)

    def _register(self, kind: _Kind, name: str, value: Any) -> None:
        """Add by name, refusing what would hide something else or could not be saved."""
        table = self._table(kind)
        if not isinstance(name, str):
            raise TypeError(f"{kind.noun} name should be a string. Got {type(name).__name__}")
        if "." in name:
            raise KeyError(f'{kind.noun} name can\'t contain ".", got: {name}')
        if name == "":
            raise KeyError(f'{kind.noun} name can\'t be empty string ""')
        if name not in table and self._has(name):
            raise KeyError(f"attribute '{name}' already exists")
        if not (value is None or isinstance(value, kind.accepts)):
            raise TypeError(
                f"cannot assign '{type(value).__name__}' object to {kind.noun} '{name}' "
                f"({kind.expected} required)"
            )
        table[name] = value

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter under `name`; None reserves the name (a layer made without bias)."""
        if isinstance(param, Parameter) and param.grad_fn is not None:
            raise ValueError(
                f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be "
                f"created explicitly. To express '{name}' as a function of another Tensor, compute "
                "the value in the forward() method."
            )
        self._register(_PARAMETER, name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that belongs to the module's state but is not trained.

        Buffers follow `to()` and `double()`; persistent ones are part of the `state_dict`.
        """
        self._register(_BUFFER, name, tensor)
        self._set_persistence(name, persistent)

    def _set_persistence(self, name: str, persistent: bool) -> None:
        change = self._non_persistent_buffers_set
        (change.discard if persistent else change.add)(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a child module under `name`."""
        self._register(_MODULE, name, module)

    def register_module(self, name: str, module: Module | None) -> None:
        """The same as `add_module`."""
        self.add_module(name, module)

    # --- walks over the tree ----------------------------------------------------------------------

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The direct children with their names, each once."""
        seen: set[Module] = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """The direct children, each once."""
        return (module for _, module in self.named_children())

    def named_modules(
        self,
        memo: set[Module] | None = None,
        prefix: str = "",
        remove_duplicate: bool = True,
    ) -> Iterator[tuple[str, Module]]:
        """This module and all below it, parents first, with dotted paths ("" for itself)."""
        memo = set() if memo is None else memo
        if remove_duplicate:
            if self in memo:
                return
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(memo, join(prefix, name), remove_duplicate)

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """This module and all below it, parents first."""
        return (module for _, module in self.named_modules(remove_duplicate=remove_duplicate))

    def _named_members(
        self, kind: _Kind, prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        places = (
            self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
            if recurse
            else [(prefix, self)]
        )
        for path, module in places:
            for name, member in module._table(kind).items():
                if member is None or id(member) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(member))
                yield join(path, name), member

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """All parameters with dotted names; a shared one once, under its first name."""
        return self._named_members(_PARAMETER, prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """All parameters: what to hand to an optimizer."""
        return (param for _, param in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """All buffers with dotted names."""
        return self._named_members(_BUFFER, prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """All buffers."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def get_submodule(self, target: str) -> Module:
        """The module at a dotted path, as "features.0"; AttributeError where there is none."""
        module: Any = self
        for name in target.split(".") if target else ():
            if not module._has(name):
                raise AttributeError(
                    f"{module._get_name()} has no attribute `{name}`{module._suggest(name)}"
                )
            module = getattr(module, name)
            if not isinstance(module, Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
        return module

    def _get_member(self, kind: _Kind, target: str) -> Any:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if name in module._table(kind):
            return module._table(kind)[name]
        if module._has(name):
            raise AttributeError(f"`{name}` is not a {kind.noun}: expected {kind.expected}")
        raise AttributeError(
            f"{module._get_name()} has no attribute `{name}`{module._suggest(name)}"
        )

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a dotted path, as "features.0.weight"."""
        return self._get_member(_PARAMETER, target)

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a dotted path, as "norm.running_mean"."""
        return self._get_member(_BUFFER, target)

    def apply(self, fn: Callable[[Module], None]) -> Self:
        """Call `fn` on every module below this one, then on itself: the place to initialize."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    # --- modes ------------------------------------------------------------------------------------

    def train(self, mode: bool = True) -> Self:
        """Training mode for the whole tree: dropout drops, batch norm uses its batch."""
        if not isinstance(mode, bool):
            raise ValueError(f"training mode is expected to be boolean, got {mode!r}")
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Evaluation mode: the same as `train(False)`."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Let all parameters take part in training, or freeze them."""
        for param in self.parameters():
            param.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or fill them with zeros."""
        for param in self.parameters():
            if set_to_none:
                param.grad = None
            elif param.grad is not None:
                param.grad.detach_().zero_()

    # --- casting ----------------------------------------------------------------------------------

    def _convert(self, fn: Callable[[Tensor], Tensor]) -> Self:
        """Replace the contents of every parameter, gradient and buffer by `fn` of them.

        A parameter stays the same object, so that an optimizer that holds it need not know.
        """
        with no_grad():
            for module in self.modules():
                for param in module._parameters.values():
                    if param is not None:
                        grad = param.grad
                        param.grad = None
                        param.data = fn(param.data)
                        param.grad = None if grad is None else fn(grad)
                for name, buffer in module._buffers.items():
                    if buffer is not None:
                        module._buffers[name] = fn(buffer)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Cast floating-point parameters and buffers: `to(dtype)`, `to(device)`, `to(tensor)`.

        Works in place. The only device is "cpu". TypeError for a dtype that is not floating-point.
        """
        for value in (*args, *kwargs.values()):
            dtype = getattr(value, "dtype", value)
            if isinstance(dtype, autograd.dtype) and not dtype.is_floating_point:
                raise TypeError(
                    "nn.Module.to only accepts floating point dtypes, but got desired "
                    f"dtype={dtype}"
                )
        return self._convert(lambda t: t.to(*args, **kwargs) if t.is_floating_point() else t)

    def float(self) -> Self:
        """Cast floating-point parameters and buffers to float32."""
        return self.to(autograd.float32)

    def double(self) -> Self:
        """Cast floating-point parameters and buffers to float64."""
        return self.to(autograd.float64)

    def half(self) -> Self:
        """Cast floating-point parameters and buffers to float16."""
        return self.to(autograd.float16)

    def cpu(self) -> Self:
        """All tensors live on the CPU already; here so that scripts run unchanged."""
        return self

    # --- saving -----------------------------------------------------------------------------------

    def state_dict(
        self,
        *,
        destination: dict[str, Any] | None = None,
        prefix: str = "",
        keep_vars: bool = False,
    ) -> dict[str, Any]:
        """All parameters and persistent buffers by their dotted names.

        The tensors share memory with the module's own; `keep_vars=True` gives these themselves,
        with `requires_grad` as it is.
        """
        return save_state(self, {} if destination is None else destination, prefix, keep_vars)

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copy values from `state_dict` into this module; `assign=True` takes the tensors over.

        Returns the missing and the unexpected keys. RuntimeError lists every key that is missing
        or unexpected (if `strict`) and every shape that does not fit (always).
        """
        return load_state(self, state_dict, strict, assign)

    # --- hooks ------------------------------------------------------------------------------------

    def _ensure_hooks(self) -> Hooks:
        if self._hooks is None:
            self._hooks = Hooks()
        return self._hooks

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args)` before `forward`; what it returns replaces the arguments.

        With `with_kwargs`, `hook(module, args, kwargs)` may return `(args, kwargs)`.
        """
        hooks = self._ensure_hooks()
        return hooks.add(hooks.forward_pre, (hook, with_kwargs), prepend)

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args, output)` after `forward`; what it returns replaces the output.

        With `with_kwargs`, the call is `hook(module, args, kwargs, output)`.
        """
        hooks = self._ensure_hooks()
        return hooks.add(hooks.forward, (hook, with_kwargs), prepend)

    def register_full_backward_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, grad_output)` when the gradient of the output has come.

        `grad_output` is a tuple; what the hook returns replaces it.
        """
        hooks = self._ensure_hooks()
        return hooks.add(hooks.backward_pre, hook, prepend)

    def register_full_backward_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` when the input's gradients are there.

        Both are tuples; what the hook returns replaces `grad_input`.
        """
        hooks = self._ensure_hooks()
        return hooks.add(hooks.backward, hook, prepend)

    # --- printing ---------------------------------------------------------------------------------

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What stands between the parentheses of the repr: the settings of the layer."""
        return ""

    def __repr__(self) -> str:
        children = [f"({name}): {module!r}" for name, module in self._modules.items()]
        return bracket(self._get_name(), self.extra_repr().splitlines(), children)


_PARAMETER = _Kind(
    "_parameters", "parameter", "parameter", Parameter, Parameter, "nn.Parameter or None"
)
_MODULE = _Kind("_modules", "module", "child module", Module, Module, "nn.Module or None")
_BUFFER = _Kind("_buffers", "buffer", "buffer", Buffer, Tensor, "nn.Buffer, Tensor or None")
_KINDS = (_PARAMETER, _MODULE, _BUFFER)
