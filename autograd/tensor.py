"""What a tensor is: an array, a gradient, and the operation it came from.

The numbers live in ``_array``. A tensor that was computed from others remembers the node of that
computation in ``_node`` (``grad_fn``); one that the user made is a leaf. Beside these stand two
things that in-place operations need: the *memory* it shares with its views and aliases, which
counts its changes, and, for a view, *how it was taken* from its base. Everything else a tensor can
do is an operation, and is given to it in ``methods.py``.
"""

from __future__ import annotations

import sys
import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np

from autograd import dtypes
from autograd.device import cpu, device
from autograd.formatting import format_tensor
from autograd.grad_mode import (
    INFERENCE,
    Off,
    forward_levels,
    inferring,
    recording,
    set_recording,
)
from autograd.layout import layout_of
from autograd.memory_order import contiguous_format, memory_format, strided
from autograd.node import (
    AccumulateGrad,
    HookDict,
    Node,
    RemovableHandle,
    measure_again,
    name_of,
    place_of,
    users_frame,
    where,
)

_new = object.__new__


class Size(tuple[int, ...]):
    """A tensor's shape: a tuple that prints as ``torch.Size([2, 3])`` and can count its
    elements."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"torch.Size({list(self)})"

    def numel(self) -> int:
        """The number of elements of a tensor of this shape."""
        count = 1
        for length in self:
            count *= length
        return count

    def __getitem__(self, key: Any) -> Any:
        part = super().__getitem__(key)
        return Size(part) if isinstance(key, slice) else part

    def __add__(self, other: Any) -> Size:
        return Size(super().__add__(tuple(other)))

    def __mul__(self, times: SupportsIndex) -> Size:
        return Size(super().__mul__(times))

    __rmul__ = __mul__


class View:
    """That a tensor is a view: of which base. How it lies in the memory of the base is all that is
    needed to take it again (see layout.py).

    ``origin`` is "one" for the output of an operation that can be taken again. Any other view may
    be looked at but not changed where operations are recorded (see ``inplace.check_in_place``): it
    is one of "several" outputs, as of split and unbind; it was taken in "no_grad" or "inference"
    mode; it came out of a user's "function"; or it is what has entered a "level" (see levels.py).
    """

    __slots__ = ("base", "origin", "own", "version")

    def __init__(self, base: Tensor, version: int, origin: str) -> None:
        self.base = base
        self.version = version  # of the memory, when this view's node was made
        self.origin = origin
        self.own = False  # whether requires_grad_() was called on the view itself


class Cut:
    """Where a chain of operations left the graph, and by what: told when somebody asks for
    gradients in vain. ``lost`` says that there was a gradient to lose: a step has none."""

    __slots__ = ("by", "code", "lasti", "lost")

    def __init__(self, by: str | Off, lost: bool = True) -> None:
        frame = users_frame(sys._getframe(1))
        self.by, self.lost, self.code, self.lasti = by, lost, frame.f_code, frame.f_lasti

    def __str__(self) -> str:
        return f"{self.by} at {where(self.code, self.lasti)}"


class Tensor:
    """An n-dimensional array that remembers how it was computed.

    ``Tensor(data)`` makes a tensor of the default dtype from numbers, ``Tensor(2, 3)`` one of zeros
    of that shape (PyTorch's is uninitialized); ``autograd.tensor`` infers the dtype and is usually
    what you want.
    """

    # _array: np.ndarray, or the NumPy scalar that a computation returned for a 0-d result. NumPy
    #     computes with its scalars six times faster than with 0-d arrays; `memory()` makes the
    #     array when somebody needs its memory.
    # _node, _slot: the node that computed it, and which of its outputs it is.
    # _view: of which base it is a view; None for most.
    # _storage: None, or [number of in-place changes, the last of them (changes.Change)], one list
    #     for all tensors on this memory.
    # _accumulator: set when a leaf is first used: a weak reference to its AccumulateGrad.
    __slots__ = (
        *("_array", "_requires_grad", "_node", "_slot", "_view", "_storage", "_grad"),
        *("_accumulator", "__dict__", "__weakref__"),
    )

    _array: Any
    _requires_grad: bool
    _node: Node | None
    _slot: int
    _view: View | None
    _storage: list[Any] | None
    _grad: Tensor | None
    _accumulator: weakref.ref[AccumulateGrad]

    # Rare, so kept in the instance's __dict__ when there at all:
    _leaf_hooks: HookDict | None = None
    _post_accumulate_hooks: HookDict | None = None
    _cut: Cut | None = None  # why there is no graph, where an input did require grad
    name: str | None = None

    __array_priority__ = 1000  # array * tensor is computed by the tensor

    def __new__(cls, *args: Any, device: Any = None) -> Any:  # noqa: D102
        if device is not None:
            _device(device)
        if len(args) == 1 and isinstance(args[0], Tensor):
            return args[0].as_subclass(cls)
        if len(args) == 1 and not isinstance(args[0], (int, Size)):
            array = np.array(args[0], dtype=dtypes.get_default_dtype().numpy)
        else:
            shape = args[0] if args and isinstance(args[0], Size) else args
            array = np.zeros(shape if args else (0,), dtype=dtypes.get_default_dtype().numpy)
        return wrap(array, cls)

    # -- what it is made of ------------------------------------------------------------------------

    @property
    def shape(self) -> Size:
        """The lengths of its dimensions."""
        return Size(self._array.shape)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the length of one dimension."""
        if dim is None:
            return Size(self._array.shape)
        return self._array.shape[_dimension(dim, self._array.ndim)]

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self._array.ndim

    def dim(self) -> int:
        """The number of dimensions."""
        return self._array.ndim

    ndimension = dim

    def numel(self) -> int:
        """The number of elements."""
        return self._array.size

    nelement = numel

    @property
    def dtype(self) -> dtypes.dtype:
        """The type of its elements."""
        return dtypes.of_array(self._array)

    @property
    def device(self) -> device:
        """``device(type='cpu')``."""
        return cpu

    def cpu(self, memory_format: Any = None) -> Tensor:
        """Itself: it is on the CPU already."""
        return self

    def get_device(self) -> int:
        """-1, as PyTorch answers for the CPU."""
        return -1

    is_cuda = is_sparse = is_quantized = is_meta = is_mkldnn = False
    is_cpu = True

    @property
    def itemsize(self) -> int:
        """Bytes an element takes."""
        return self._array.itemsize

    def element_size(self) -> int:
        """Bytes an element takes."""
        return self._array.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes all elements take."""
        return self._array.nbytes

    def is_floating_point(self) -> bool:
        """Whether its dtype is float16, float32 or float64."""
        return self._array.dtype.kind == "f"

    def is_complex(self) -> bool:
        """False: there are no complex tensors here."""
        return False

    def is_signed(self) -> bool:
        """Whether its dtype can hold negative numbers."""
        return self._array.dtype.kind in "if"

    def stride(self, dim: int | None = None) -> Any:
        """Steps in memory, counted in elements, from one element to the next along each dimension
        (or along ``dim``)."""
        strides = tuple(step // self._array.itemsize for step in self._array.strides)
        return strides if dim is None else strides[_dimension(dim, len(strides))]

    def storage_offset(self) -> int:
        """Where in its memory the first element lies, counted in elements."""
        return layout_of(memory(self)).offset

    def is_contiguous(self, memory_format: memory_format = contiguous_format) -> bool:
        """Whether its elements lie in memory in order, without gaps."""
        return memory_format.holds(self._array)

    layout = strided

    def data_ptr(self) -> int:
        """The address of the first element."""
        return memory(self).ctypes.data

    # -- its place in the graph --------------------------------------------------------------------

    @property
    def requires_grad(self) -> bool:
        """Whether gradients are computed for it: set by the user on leaves, inherited by what is
        computed from them and by all views of either."""
        view = self._view
        if view is None:
            return self._requires_grad
        return self._node is not None or view.own or view.base._requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def is_inference(self) -> bool:
        """Whether it was made in ``inference_mode()``."""
        return type(self._storage) is Uncounted

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Switch gradients for this leaf on or off, in place.

        Raises RuntimeError for integer and bool tensors, and for switching off what was computed
        from leaves."""
        if not isinstance(requires_grad, (bool, np.bool_)):
            raise TypeError(f"requires_grad must be a bool, but got {type(requires_grad).__name__}")
        if not self.is_leaf:
            if not requires_grad:
                raise RuntimeError(
                    "you can only change requires_grad flags of leaf variables. If you want to use "
                    "a computed variable in a subgraph that doesn't require differentiation use "
                    "var_no_grad = var.detach()."
                )
            return self
        if requires_grad and self._array.dtype.kind != "f":
            raise RuntimeError(
                "only Tensors of floating point dtype can require gradients, but this one is "
                f"{self.dtype}. Convert it with .float(), or make it from floats: "
                "torch.tensor([1., 2.])."
            )
        if requires_grad and self.is_inference() and recording() is not INFERENCE:
            raise RuntimeError(
                "Setting requires_grad=True on inference tensor outside InferenceMode is not "
                "allowed. Clone it: x.clone().requires_grad_()."
            )
        self._requires_grad = bool(requires_grad)
        if self._view is not None:
            self._view.own = bool(requires_grad)
        return self

    @property
    def grad_fn(self) -> Node | None:
        """The node of the operation that computed it; None for a leaf. RuntimeError for a view
        whose base has been changed, and that cannot be taken again."""
        if self._view is not None:
            refresh(self, asked=True)
        return self._node

    @property
    def output_nr(self) -> int:
        """Which output of ``grad_fn`` it is."""
        return self._slot

    @property
    def is_leaf(self) -> bool:
        """Whether the user made it: it has no ``grad_fn``."""
        if self._view is not None and self._view.origin == "one":
            refresh(self)
        return self._node is None

    @property
    def _base(self) -> Tensor | None:
        return None if self._view is None else self._view.base

    def _is_view(self) -> bool:
        return self._view is not None

    @property
    def _version(self) -> int:
        """How often the memory was changed in place."""
        if self.is_inference():
            raise RuntimeError(
                "Inference tensors do not track version counter: this one was made in "
                "inference_mode()."
            )
        return 0 if self._storage is None else self._storage[0]

    @property
    def grad(self) -> Tensor | None:
        """The gradient that ``backward()`` left here, None before; it accumulates over several
        backwards.

        Kept for leaves, and for others after ``retain_grad()``."""
        if self._grad is None and self._node is not None and not self.retains_grad:
            warnings.warn(
                "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its "
                ".grad attribute won't be populated during backward(). It was computed at "
                f"{place_of(self._node)}. If you want its gradient, call .retain_grad() on it "
                "before backward(); if you meant a leaf, access that one.",
                stacklevel=2,
            )
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            _check_grad(self, value)
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    @property
    def retains_grad(self) -> bool:
        """Whether a non-leaf keeps its gradient; False for leaves, whose gradient is kept
        anyway."""
        node = self._node
        if node is None or node._hooks is None:
            return False
        kept = node._hooks.retain.get(self._slot)
        return kept is not None and kept() is self

    def retain_grad(self) -> None:
        """Keep the gradient of this intermediate result in ``.grad`` too."""
        node = self.grad_fn
        if not self._requires_grad:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if node is not None:
            node._hook_table().retain[self._slot] = weakref.ref(self)

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
        """``hook(grad)`` is called when this tensor's gradient has been computed; what it returns
        replaces it."""
        node = self.grad_fn
        if not self._requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if node is not None:
            return RemovableHandle(node._hook_table().tensor, (self._slot, hook))
        if self._leaf_hooks is None:
            self._leaf_hooks = HookDict()
        return RemovableHandle(self._leaf_hooks, hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> RemovableHandle:
        """``hook(tensor)`` is called after the gradient of this leaf has been added to
        ``.grad``."""
        if not self._requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if self._node is not None:
            raise RuntimeError(
                "post accumulate grad hooks cannot be registered on non-leaf tensors"
            )
        if self._post_accumulate_hooks is None:
            self._post_accumulate_hooks = HookDict()
        return RemovableHandle(self._post_accumulate_hooks, hook)

    def detach(self) -> Tensor:
        """The same numbers in the same memory, outside the graph."""
        same = alias(self)
        same._cut = Cut("detach()") if self._requires_grad else self._cut
        return same

    @property
    def data(self) -> Tensor:
        """The same numbers outside the graph; changes made through it are not counted (``detach()``
        is the safe way)."""
        return wrap(memory(self))

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
        if self._requires_grad and value._array.dtype.kind != "f":
            raise RuntimeError(
                "data set to a tensor that requires gradients must be floating point or complex "
                f"dtype, but got {value.dtype}"
            )
        # A 0-d result that nobody else holds (this parameter and the call's two references apart)
        # can stay a NumPy scalar. From Python 3.14 on the count does not tell.
        alone = sys.version_info < (3, 14) and sys.getrefcount(value) <= 3
        self._array = value._array if alone else memory(value)
        measure_again(self)

    # -- out of the graph --------------------------------------------------------------------------

    def numpy(self, *, force: bool = False) -> np.ndarray:
        """Its memory as a NumPy array (shared, not copied). A tensor that requires grad refuses
        where operations are recorded, unless ``force``."""
        if not force and self.requires_grad and recording():
            raise RuntimeError(
                "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() "
                "instead."
            )
        return memory(self)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        array = self.numpy()
        return np.array(array, dtype=dtype, copy=copy)

    def __dlpack__(self, **options: Any) -> Any:
        if self.requires_grad:
            raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
        return memory(self).__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return memory(self).__dlpack_device__()

    def item(self) -> Any:
        """The value of a one-element tensor as a Python number. RuntimeError for any other."""
        if self._array.size != 1:
            raise RuntimeError(
                f"a Tensor with {self._array.size} elements cannot be converted to Scalar"
            )
        return self._array.item()

    def tolist(self) -> Any:
        """Its elements as nested lists of Python numbers."""
        return self._array.tolist()

    def __float__(self) -> float:
        return float(self._number())

    def __int__(self) -> int:
        return int(self._number())

    def __complex__(self) -> complex:
        return complex(self._number())

    def _number(self) -> Any:
        if self._array.size != 1:
            raise ValueError(
                "only one element tensors can be converted to Python scalars, but this one has "
                f"shape {tuple(self._array.shape)}. Take an element, or tolist()."
            )
        return self._array.item()

    def __index__(self) -> int:
        if self._array.dtype.kind == "f" or self._array.size != 1:
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self.item())

    def __bool__(self) -> bool:
        if self._array.size != 1:
            raise RuntimeError(
                "Boolean value of Tensor with "
                f"{'more than one value' if self._array.size else 'no values'} is ambiguous"
            )
        return bool(self._array.item())

    def __len__(self) -> int:
        if not self._array.ndim:
            raise TypeError("len() of a 0-d tensor")
        return len(self._array)

    def __iter__(self) -> Iterator[Tensor]:
        if not self._array.ndim:
            raise TypeError("iteration over a 0-d tensor")
        return iter(self.unbind(0))

    __hash__ = object.__hash__  # equality is elementwise, identity is what a dictionary wants

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        try:
            node = self.grad_fn
            grad_fn = None if node is None else name_of(node)
        except RuntimeError:  # a view that is out of date
            grad_fn = "Invalid"
        tangents = [level.tangent_of(self) for level in forward_levels]
        return format_tensor(
            np.asarray(self._array),
            grad_fn=grad_fn,
            requires_grad=self._requires_grad,
            tangent=next((t for t in tangents if t is not None), None),
        )

    def __format__(self, spec: str) -> str:
        if not self._array.ndim and type(self) is Tensor:
            return format(self.item(), spec)  # as the number it is
        return object.__format__(self, spec)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if not self.is_leaf:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy "
                "protocol at the moment. Copy the numbers with tensor.detach().clone()."
            )
        from copy import deepcopy  # which is what called this

        if id(self) in memo:
            return memo[id(self)]
        copy = memo[id(self)] = wrap(memory(self).copy(), type(self))
        copy._requires_grad = self._requires_grad
        copy.__dict__.update(deepcopy(self._notes(), memo))
        if self._grad is not None:
            copy._grad = self._grad.__deepcopy__(memo)
        return copy

    def _notes(self) -> dict[str, Any]:
        """What the user stored on this tensor, under names of their own."""
        return {name: value for name, value in self.__dict__.items() if name not in _INTERNAL}

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        # (The history of one that was computed is left behind.)
        return _rebuild, (type(self), memory(self), self.requires_grad, self._notes())

    def as_subclass(self, cls: type) -> Any:
        """The same numbers in the same memory and graph, as a ``cls``."""
        same = alias(self, cls)
        if self.requires_grad and recording():
            seen = self.view_as(self)
            same._node, same._view, same._requires_grad = seen._node, seen._view, True
        return same

    @staticmethod
    def _make_subclass(cls: type, data: Tensor, require_grad: bool = False) -> Any:
        made = wrap(memory(data), cls)
        made._storage = storage(data)
        made.requires_grad_(require_grad)
        return made

    # The operators and methods come from methods.py; this tells type checkers that they are there.
    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...
        def __getitem__(self, index: Any) -> Tensor: ...
        def __setitem__(self, index: Any, value: Any) -> None: ...
        def __neg__(self) -> Tensor: ...
        def __pos__(self) -> Tensor: ...
        def __abs__(self) -> Tensor: ...
        def __invert__(self) -> Tensor: ...
        def __eq__(self, other: Any) -> Tensor: ...  # type: ignore[override]
        def __ne__(self, other: Any) -> Tensor: ...  # type: ignore[override]
        def __add__(self, other: Any) -> Tensor: ...
        def __radd__(self, other: Any) -> Tensor: ...
        def __sub__(self, other: Any) -> Tensor: ...
        def __rsub__(self, other: Any) -> Tensor: ...
        def __mul__(self, other: Any) -> Tensor: ...
        def __rmul__(self, other: Any) -> Tensor: ...
        def __truediv__(self, other: Any) -> Tensor: ...
        def __rtruediv__(self, other: Any) -> Tensor: ...
        def __matmul__(self, other: Any) -> Tensor: ...
        def __rmatmul__(self, other: Any) -> Tensor: ...
        def __pow__(self, other: Any) -> Tensor: ...
        def __rpow__(self, other: Any) -> Tensor: ...
        def __mod__(self, other: Any) -> Tensor: ...
        def __rmod__(self, other: Any) -> Tensor: ...
        def __floordiv__(self, other: Any) -> Tensor: ...
        def __rfloordiv__(self, other: Any) -> Tensor: ...
        def __and__(self, other: Any) -> Tensor: ...
        def __rand__(self, other: Any) -> Tensor: ...
        def __or__(self, other: Any) -> Tensor: ...
        def __ror__(self, other: Any) -> Tensor: ...
        def __xor__(self, other: Any) -> Tensor: ...
        def __rxor__(self, other: Any) -> Tensor: ...
        def __lt__(self, other: Any) -> Tensor: ...
        def __le__(self, other: Any) -> Tensor: ...
        def __gt__(self, other: Any) -> Tensor: ...
        def __ge__(self, other: Any) -> Tensor: ...
        def __iadd__(self, other: Any) -> Tensor: ...
        def __isub__(self, other: Any) -> Tensor: ...
        def __imul__(self, other: Any) -> Tensor: ...
        def __itruediv__(self, other: Any) -> Tensor: ...
        def __ipow__(self, other: Any) -> Tensor: ...


_INTERNAL = ("_leaf_hooks", "_post_accumulate_hooks", "_cut")


# -- making tensors --------------------------------------------------------------------------------


def wrap(array: Any, cls: type = Tensor) -> Any:
    """A leaf around ``array``, without copying."""
    t: Any = _new(cls)
    t._array = array
    t._requires_grad = False
    t._node = None
    t._slot = 0
    t._view = None
    t._storage = _storage_of_inference() if inferring else None
    t._grad = None
    return t


class Uncounted(list[Any]):
    """In place of the count of changes: the memory of an inference tensor, whose changes nobody
    counts."""

    __slots__ = ()


def _storage_of_inference() -> Uncounted | None:
    return Uncounted([0, None]) if recording() is INFERENCE else None


def wrap_new(array: Any) -> Any:
    """A leaf around an array that nobody else has. A single number becomes a NumPy scalar."""
    return wrap(array if array.ndim else array[()])


def alias(t: Tensor, cls: type = Tensor) -> Any:
    """Another tensor on the same memory, outside the graph; changes made through either are counted
    for both."""
    other = wrap(memory(t), cls)
    other._storage = storage(t)
    return other


def memory(t: Tensor) -> np.ndarray:
    """The array of ``t``: for a 0-d result that is still a NumPy scalar, the array is made now, to
    stay."""
    if type(t._array) is not np.ndarray:
        t._array = np.asarray(t._array)
    return t._array


def storage(t: Tensor) -> list[Any]:
    """The record of changes of the memory of ``t``, made when first needed: [count, the last]."""
    if t._storage is None:
        t._storage = [0, None]
    return t._storage


def refresh(t: Tensor, asked: bool = False) -> None:
    """Bring the node of a view up to date: after a change to the shared memory, it is a view of the
    base's new value. And a view of what requires grad requires grad.

    Raises RuntimeError for a view that cannot be taken again, where its node matters: operations
    are recorded, or the user ``asked``."""
    view, changes = t._view, t._storage
    assert view is not None
    assert changes is not None
    base = view.base
    if view.version != changes[0] and (t._node is not None or base._requires_grad):
        if view.origin == "one":
            view.version = changes[0]
            take_again(t, base)
        elif asked or recording():
            source = "A tensor" if t._node is None else f"Output {t._slot} of {name_of(t._node)}"
            raise RuntimeError(_OUT_OF_DATE[view.origin].format(source))
    if t._node is None:
        t._requires_grad = view.own or base._requires_grad


def take_again(t: Tensor, base: Tensor) -> None:
    """Make ``t``, a view of what ``base`` was, a view of what ``base`` is. If that requires no grad
    any more, as after ``detach_()``, no gradient goes further than to there."""
    place = layout_of(memory(t))
    recorded, required = set_recording(True), base._requires_grad
    base._requires_grad = True
    try:
        again = base.as_strided(*place)
    finally:
        base._requires_grad = required
        set_recording(recorded)
    move(t, again._node, again._slot)


def move(t: Tensor, node: Node | None, slot: int) -> None:
    """``t`` is now output ``slot`` of ``node``. If it retains its gradient, it is the new value's
    that it retains."""
    before = t._node
    retains = t.retains_grad
    if before is not None and before._hooks is not None and retains:
        del before._hooks.retain[t._slot]
    t._node, t._slot, t._requires_grad = node, slot, True
    if node is not None and retains:
        node._hook_table().retain[slot] = weakref.ref(t)


_OUT_OF_DATE = {
    "several": "{} is a view, and its base or another view of its base has been modified inplace "
    "since. It came out of a function that returns several views, which cannot be taken again one "
    "by one. Take it by an index instead (x[0] for x.unbind()[0]), or change the base before.",
    "no_grad": "A view was created in no_grad mode and its base or another view of its base has "
    "been modified inplace since. Whether it should follow the change is not known. Take the view "
    "and make the change both inside no_grad(), or both outside.",
    "inference": "A view was created in inference mode and its base or another view of its base "
    "has been modified inplace since. Whether it should follow the change is not known. Take the "
    "view and make the change both inside inference_mode(), or both outside.",
    "function": "{} is the output of a custom Function that shares memory with its input (it is a "
    "view, or the input itself), and that memory has been modified inplace since. The function's "
    "backward knows nothing of the change. Return a copy from forward: output.clone().",
    "level": "{} is an input of a function being differentiated (or the primal of a dual tensor), "
    "and that memory has been modified inplace since. The derivative is the one at the value it "
    "had. Change a copy: y = x.clone().",
}


def _rebuild(cls: type, array: np.ndarray, requires_grad: bool, notes: dict[str, Any]) -> Any:
    t = wrap(array, cls)
    t._requires_grad = requires_grad
    t.__dict__.update(notes)
    return t


def _device(d: Any) -> device:
    return device(d)


def _dimension(dim: int, ndim: int) -> int:
    """``dim`` counted from the front. IndexError outside [-ndim, ndim - 1], as PyTorch words it."""
    reach = max(ndim, 1)
    if not -reach <= dim < reach:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-reach}, {reach - 1}], but got "
            f"{dim})"
        )
    return dim % reach


def _check_grad(t: Tensor, value: Any) -> None:
    if not isinstance(value, Tensor):
        raise TypeError(
            "assigned grad expected to be a Tensor or None but got grad of type "
            f"{type(value).__name__}"
        )
    if value is t:
        raise RuntimeError("can't assign Variable as its own grad")
    if value._array.dtype != t._array.dtype:
        raise RuntimeError(
            f"attempting to assign a gradient with dtype '{value.dtype}' to a tensor with dtype "
            f"'{t.dtype}'. Please ensure that the gradient and the tensor have the same dtype"
        )
    if value._array.shape != t._array.shape:
        raise RuntimeError(
            f"attempting to assign a gradient of size '{list(value.shape)}' to a tensor of size "
            f"'{list(t.shape)}'. Please ensure that the gradient and the tensor are the same size"
        )
