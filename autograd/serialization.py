"""Saving and loading: ``torch.save(model.state_dict(), "model.safetensors")``.

A checkpoint is a safetensors file: a header in JSON that says where each tensor lies, then the
bytes of all of them. Reading it cannot run code, as unpickling can, and every safetensors library
reads it. In the header stands also how the tensors were arranged (in dicts, lists and tuples) and
what was between them (numbers, strings, None), so that ``load`` returns what ``save`` was given.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from autograd.device import check_device
from autograd.tensor import Tensor, memory, wrap

_NOTE = "gradbook"  # the arrangement's name in the header
_DTYPES = {
    "BOOL": np.bool_,
    "U8": np.uint8,
    "I8": np.int8,
    "I16": np.int16,
    "I32": np.int32,
    "I64": np.int64,
    "F16": np.float16,
    "F32": np.float32,
    "F64": np.float64,
}
_CONVERT = (
    "Unpickling can run code, so it is not done here. Convert the file where PyTorch is installed: "
    "safetensors.torch.save_file(torch.load(path, weights_only=True), 'model.safetensors')"
)
_FOREIGN = {  # how files of other kinds begin
    b"PK": f"a zip archive, as PyTorch's own files are. {_CONVERT}",
    b"\x80": f"a pickle, as PyTorch's old files are. {_CONVERT}",
    b"\x89HDF": "an HDF5 file. Read it with h5py",
    b"\x93NUMPY": "a NumPy file. Read it with np.load",
    b"\x1f\x8b": "compressed by gzip. Decompress it first",
}


class CheckpointError(RuntimeError):
    """Raised for a file that is no checkpoint, or no longer."""


def save(obj: Any, f: Any) -> None:
    """Write ``obj`` to ``f``, a path or a file open for writing bytes.

    ``obj`` is a tensor, or numbers, strings, bools, None and tensors in dicts, lists and tuples. Of
    a tensor its elements are saved (all, even if it shares them with another), not its graph.

    At a path, the file appears all at once or not at all: whatever fails, what was there before is
    untouched. Raises TypeError for what cannot be saved and ValueError for what contains itself,
    before anything is written, and OSError if the file cannot be written.
    """
    data = _to_bytes(obj)
    if hasattr(f, "write"):
        f.write(data)
    else:
        _write_at_once(_path(f, "write"), data)


def load(
    f: Any,
    map_location: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
) -> Any:
    """Read what ``save`` wrote, from ``f``: a path or a file open for reading bytes.

    A safetensors file of another program gives a dict of tensors by name. Nothing in a file is ever
    run, whatever ``weights_only`` says. Raises FileNotFoundError or another OSError if the file
    cannot be read, CheckpointError (a RuntimeError) if it is cut off, altered or of another kind,
    and RuntimeError for a ``map_location`` other than the CPU.
    """
    check_device(map_location)
    if hasattr(f, "read"):
        name, data = str(getattr(f, "name", "the file")), f.read()
        if isinstance(data, str):
            raise TypeError(f"{name} is open for text. Open it for bytes: open(..., 'rb')")
    else:
        path = _path(f, "read")
        try:
            name, data = str(path), path.read_bytes()
        except OSError as error:
            advice = f"{error.strerror}; give the path of a file that torch.save wrote"
            raise OSError(error.errno, advice, str(path)) from None
    return _from_bytes(data, name)


def _path(f: Any, verb: str) -> Path:
    if not isinstance(f, (str, os.PathLike)):
        raise AttributeError(
            f"expected 'f' to be string, path, or a file-like object with a '{verb}' attribute, "
            f"but got {type(f).__name__}"
        )
    return Path(os.fsdecode(f))


def _write_at_once(path: Path, data: bytes) -> None:
    """Write a file beside ``path``, then give it that name: it replaces an old one in one step."""
    target = Path(os.path.realpath(path))
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, "Is a directory")
        if not target.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, f"There is no directory {target.parent}")
        with open(beside, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # it must be on the disk before it gets the name
        os.replace(beside, target)
    except OSError as error:
        result = f"{error.strerror}; nothing was saved, and what was there is unchanged"
        raise OSError(error.errno, result, str(path)) from error
    finally:
        with suppress(OSError):
            beside.unlink()  # it is still there only if something failed


# -- writing ---------------------------------------------------------------------------------------


def _to_bytes(obj: Any) -> bytes:
    from safetensors.numpy import save as to_safetensors

    arrays: dict[str, np.ndarray] = {}
    try:
        arrangement = _describe(obj, (), arrays)
    except RecursionError:
        raise ValueError("cannot save what contains itself, or is nested so deeply") from None
    note = json.dumps({"arrangement": arrangement, "crc32": _checksum(arrangement, arrays)})
    return to_safetensors(arrays, {"format": "pt", _NOTE: note})


def _describe(value: Any, path: tuple[Any, ...], arrays: dict[str, np.ndarray]) -> Any:
    """``value`` in JSON's terms. Its tensors go into ``arrays``, named by the keys to them."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, list):
        return [_describe(item, (*path, i), arrays) for i, item in enumerate(value)]
    if isinstance(value, tuple):
        return {"tuple": _describe(list(value), path, arrays)}
    if isinstance(value, dict):
        items = value.items()
        return {"dict": [[_key(k, path), _describe(item, (*path, k), arrays)] for k, item in items]}
    if isinstance(value, Tensor):
        name = ".".join(map(str, path)) or "tensor"
        while name in arrays or name == "__metadata__":
            name += "_"
        arrays[name] = np.asarray(memory(value), order="C")
        return {"tensor": name}
    raise TypeError(
        f"cannot save {_place(path)}, of type {type(value).__name__}. A checkpoint holds tensors, "
        "numbers, strings, bools and None, in dicts, lists and tuples. Of a module or an optimizer "
        "save its state_dict(); of an array torch.from_numpy(array); of a NumPy number its item()."
    )


def _key(key: Any, path: tuple[Any, ...]) -> Any:
    tensors: dict[str, np.ndarray] = {}
    described = _describe(key, (*path, key), tensors)
    if tensors:
        raise TypeError(f"cannot save {_place(path)}: a key of that dict holds a tensor")
    return described


def _place(path: tuple[Any, ...]) -> str:
    return "obj" + "".join(f"[{key!r}]" for key in path)


# -- reading ---------------------------------------------------------------------------------------


def _from_bytes(data: bytes, name: str) -> Any:
    from safetensors import SafetensorError, deserialize

    header = _header(data, name)
    arrays: dict[str, np.ndarray] = {}
    try:
        for key, entry in deserialize(data):
            if entry["dtype"] not in _DTYPES:
                raise CheckpointError(
                    f"{name} holds {entry['dtype']} numbers ('{key}'), and there is no such dtype "
                    f"here. Convert them to one of {', '.join(_DTYPES)} where it was made."
                )
            arrays[key] = np.frombuffer(entry["data"], _DTYPES[entry["dtype"]])
            arrays[key] = arrays[key].reshape(entry["shape"])
    except SafetensorError as error:
        raise _damaged(name, str(error)) from error
    note = header.get("__metadata__", {}).get(_NOTE)
    tensors = {key: wrap(arrays[key]) for key in header if key != "__metadata__"}
    if note is None:
        return tensors
    try:
        content = json.loads(note)
        intact = content["crc32"] == _checksum(content["arrangement"], arrays)
        arranged = _rebuild(content["arrangement"], tensors)
    except (LookupError, TypeError, ValueError, RecursionError) as error:
        raise _damaged(name, "its tensors are not arranged as its header says") from error
    if not intact:
        raise _damaged(name, "its content is not what was saved (the checksum differs)")
    return arranged


def _header(data: bytes, name: str) -> dict[str, Any]:
    """The header, which must be there and promise just as many bytes as follow."""
    if not data:
        raise CheckpointError(
            f"{name} is empty, or was read to its end already: then go back with f.seek(0)."
        )
    if data[8:9] not in (b"{", b""):
        for beginning, kind in _FOREIGN.items():
            if data.startswith(beginning):
                raise CheckpointError(f"{name} is {kind}.")
        raise CheckpointError(
            f"{name} is not a safetensors file: it begins with {data[:9]!r}. Load a file that "
            "torch.save of this library wrote, or another program that writes safetensors."
        )
    size = 8 + int.from_bytes(data[:8], "little")
    if len(data) < size:
        raise _cut_off(name, len(data), size)
    try:
        header: dict[str, Any] = json.loads(data[8:size])
        ends = [entry["data_offsets"][1] for key, entry in header.items() if key != "__metadata__"]
        size += max(ends, default=0)
    except (LookupError, AttributeError, TypeError, ValueError, RecursionError) as error:
        raise _damaged(name, "its header is unreadable") from error
    if len(data) < size:
        raise _cut_off(name, len(data), size)
    return header


def _cut_off(name: str, found: int, expected: int) -> CheckpointError:
    return CheckpointError(
        f"{name} is cut off: {found} bytes of at least {expected}. It was not written or copied to "
        "its end; copy or download it again, or load an earlier checkpoint."
    )


def _damaged(name: str, what: str) -> CheckpointError:
    return CheckpointError(
        f"{name} is damaged: {what}. Copy or download it again, or load an earlier checkpoint."
    )


def _rebuild(described: Any, tensors: dict[str, Tensor]) -> Any:
    """What ``_describe`` described."""
    if isinstance(described, list):
        return [_rebuild(item, tensors) for item in described]
    if not isinstance(described, dict):
        return described
    ((kind, content),) = described.items()
    if kind == "tensor":
        return tensors[content]
    if kind == "tuple":
        return tuple(_rebuild(content, tensors))
    if kind == "dict":
        return {_rebuild(key, tensors): _rebuild(item, tensors) for key, item in content}
    raise ValueError(f"unknown kind {kind!r}")


def _checksum(arrangement: Any, arrays: dict[str, np.ndarray]) -> int:
    """A number that changes if any bit of the content does."""
    total = zlib.crc32(json.dumps(arrangement).encode())
    for name, array in sorted(arrays.items()):
        total = zlib.crc32(f"{name}{array.dtype}{array.shape}".encode(), total)
        total = zlib.crc32(array.data, total)
    return total
