"""What is saved comes back as it was; what is damaged does not come back at all."""

from __future__ import annotations

import errno
import io
import json
import os
import pickle
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import autograd
from autograd.serialization import CheckpointError, load, save

DTYPES = ["float16", "float32", "float64", "uint8", "int8", "int16", "int32", "int64", "bool"]


def written(obj: Any) -> bytes:
    file = io.BytesIO()
    save(obj, file)
    return file.getvalue()


def read(data: bytes) -> Any:
    return load(io.BytesIO(data))


def same(a: Any, b: Any) -> bool:
    """Equal in structure, types, keys, dtypes and numbers."""
    if isinstance(a, autograd.Tensor):
        return (
            isinstance(b, autograd.Tensor)
            and a.dtype == b.dtype
            and a.shape == b.shape
            and a.tolist() == b.tolist()
        )
    if isinstance(a, dict):
        return (
            isinstance(b, dict)
            and [(type(k), k) for k in a] == [(type(k), k) for k in b]
            and all(same(a[key], b[key]) for key in a)
        )
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


# -- there and back --------------------------------------------------------------------------------

STATE = {
    "conv.weight": autograd.tensor([[1.5, -2.0], [0.0, 3.0]]),
    "a.running_mean": autograd.zeros(3, dtype=autograd.float64),
    "steps": autograd.tensor(7),
}
OPTIMIZER = {
    "state": {
        0: {"step": autograd.tensor(3.0), "exp_avg": autograd.ones(2, 2), "max": None},
        1: {},
    },
    "param_groups": [
        {"lr": 1e-3, "betas": (0.9, 0.999), "amsgrad": False, "name": "größe", "params": [0, 1]}
    ],
}


@pytest.mark.parametrize(
    "obj",
    [
        STATE,
        OPTIMIZER,
        {},
        [],
        None,
        3,
        2.5,
        float("inf"),
        "text",
        autograd.ones(2),
        [autograd.ones(1), (autograd.zeros(1), [None, True, -(2**70)])],
        {(1, "a"): 1, None: 2, 2.5: 3, True: 4, "": autograd.ones(1)},
        {"a.b": autograd.ones(1), "a": {"b": autograd.zeros(1)}},
        {"__metadata__": autograd.ones(1), "dict": {"tensor": "x", "tuple": [1]}},
    ],
    ids=str,
)
def test_there_and_back(obj: Any, tmp_path: Path) -> None:
    assert same(read(written(obj)), obj)
    for path in (tmp_path / "by_path", str(tmp_path / "by_name")):
        save(obj, path)
        assert same(load(path), obj)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (2, 0, 3), (3,), (2, 3)])
def test_every_dtype_and_shape(dtype: str, shape: tuple[int, ...]) -> None:
    x = autograd.from_numpy(np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype))
    assert same(read(written({"x": x})), {"x": x})


def test_views_and_shared_memory() -> None:
    whole = autograd.from_numpy(np.arange(24.0).reshape(4, 6))
    parts = {
        "whole": whole,
        "again": whole,
        "transposed": autograd.from_numpy(whole.numpy().T),
        "strided": autograd.from_numpy(whole.numpy()[::2, ::3]),
        "backwards": autograd.from_numpy(whole.numpy()[::-1]),
        "expanded": autograd.from_numpy(np.broadcast_to(np.float32(3), (2, 2))),
    }
    assert same(read(written(parts)), parts)


def test_what_is_loaded_is_the_readers_own() -> None:
    x = autograd.ones(3, requires_grad=True)
    loaded = read(written({"x": x * 2}))["x"]
    assert not loaded.requires_grad
    loaded.fill_(5)
    assert x.tolist() == [1, 1, 1]


def test_a_file_object_is_read_from_where_it_stands(tmp_path: Path) -> None:
    with open(tmp_path / "two", "w+b") as file:
        file.write(b"before")
        save(1, file)
        file.seek(6)
        assert load(file) == 1
        with pytest.raises(CheckpointError, match=r"two is empty, or .*seek\(0\)"):
            load(file)


def test_the_arguments_of_torch_load(tmp_path: Path) -> None:
    save(3, tmp_path / "x")
    for where in (None, "cpu", autograd.device("cpu")):
        assert load(tmp_path / "x", where, weights_only=True, mmap=True) == 3
    with pytest.raises(RuntimeError, match="'cuda' is not available"):
        load(tmp_path / "x", map_location="cuda")


# -- other programs --------------------------------------------------------------------------------


def test_any_safetensors_reader_reads_it(tmp_path: Path) -> None:
    numpy_reader = pytest.importorskip("safetensors.numpy")
    save(STATE, tmp_path / "state.safetensors")
    arrays = numpy_reader.load_file(tmp_path / "state.safetensors")
    assert set(arrays) == set(STATE)
    for name, array in arrays.items():
        assert array.dtype == STATE[name].numpy().dtype
        assert (array == STATE[name].numpy()).all()


def test_files_of_other_programs_are_read(tmp_path: Path) -> None:
    numpy_writer = pytest.importorskip("safetensors.numpy")
    arrays = {"b": np.ones(2, np.float32), "a": np.arange(3)}
    numpy_writer.save_file(arrays, tmp_path / "theirs.safetensors", {"by": "another"})
    loaded = load(tmp_path / "theirs.safetensors")
    assert {name: x.tolist() for name, x in loaded.items()} == {"b": [1, 1], "a": [0, 1, 2]}


def test_dtypes_that_no_tensor_has_are_named(tmp_path: Path) -> None:
    numpy_writer = pytest.importorskip("safetensors.numpy")
    numpy_writer.save_file({"x": np.ones(2, np.uint16)}, tmp_path / "u16")
    with pytest.raises(CheckpointError, match=r"u16 holds U16 numbers \('x'\).*Convert"):
        load(tmp_path / "u16")


def test_pytorch_reads_and_writes_the_same_files(torch: ModuleType, tmp_path: Path) -> None:
    theirs = pytest.importorskip("safetensors.torch")
    save(STATE, tmp_path / "ours")
    for name, x in theirs.load_file(tmp_path / "ours").items():
        assert x.tolist() == STATE[name].tolist()
    linear = torch.nn.Linear(3, 2)
    theirs.save_file(linear.state_dict(), tmp_path / "theirs")
    assert load(tmp_path / "theirs")["weight"].tolist() == linear.weight.tolist()


def test_pytorchs_own_files_are_refused(torch: ModuleType, tmp_path: Path) -> None:
    torch.save({"w": torch.ones(2)}, tmp_path / "model.pt")
    with pytest.raises(CheckpointError, match=r"model\.pt is a zip archive.*run code.*save_file"):
        load(tmp_path / "model.pt")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (pickle.dumps({"w": [1.0]}), r"is a pickle.*Unpickling can run code.*Convert"),
        (b"PK\x03\x04" + bytes(60), r"is a zip archive, as PyTorch's own files are"),
        (b"\x89HDF\r\n\x1a\n" + bytes(60), "is an HDF5 file"),
        (b"\x93NUMPY\x01\x00v\x00", r"is a NumPy file.*np\.load"),
        (b"\x1f\x8b" + bytes(60), "is compressed by gzip"),
        (b"epoch,loss\n1,0.5\n", r"is not a safetensors file: it begins with b'epoch,los'"),
        (b"", "is empty"),
    ],
)
def test_files_of_other_kinds(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.bin"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"checkpoint\.bin " + message):
        load(path)


# -- damage ----------------------------------------------------------------------------------------


def test_no_shorter_file_is_accepted() -> None:
    data = written({"w": autograd.ones(2, 3), "more": [1, (2.5, None)]})
    for length in range(len(data)):
        with pytest.raises(CheckpointError, match=r"cut off|empty|damaged"):
            read(data[:length])
    with pytest.raises(CheckpointError, match="damaged"):
        read(data + b"\0")


def test_no_changed_bit_is_accepted() -> None:
    original = {"w": autograd.ones(2), "more": [1, (2.5, None)]}
    data = written(original)
    name = data.index(b"gradbook")  # renamed, our note is that of another program
    for i in range(len(data)):
        for bit in range(8) if not name <= i < name + 8 else ():
            changed = bytearray(data)
            changed[i] ^= 1 << bit
            with suppress(CheckpointError):
                assert same(read(bytes(changed)), original)  # it was only padding


def test_random_damage_raises_nothing_else() -> None:
    rng = random.Random(0)
    data = written(OPTIMIZER)
    for _ in range(2000):
        changed = bytearray(data)
        for _ in range(rng.randint(1, 6)):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        with suppress(CheckpointError):
            read(bytes(changed))


@pytest.mark.parametrize(
    "note",
    [
        "",
        "null",
        "[1]",
        "{}",
        '{"arrangement": {"tensor": "missing"}, "crc32": 0}',
        '{"arrangement": {"dict": [[[1], 2]]}, "crc32": 0}',
        '{"arrangement": {"dict": 3}, "crc32": 0}',
        '{"arrangement": {"run": "me"}, "crc32": 0}',
        '{"arrangement": {}, "crc32": 0}',
        '{"arrangement": 1, "crc32": 0}',
        '{"arrangement": ' + "[" * 100_000 + "]" * 100_000 + ', "crc32": 0}',
    ],
    ids=range(11),
)
def test_notes_that_make_no_sense(note: str) -> None:
    safetensors = pytest.importorskip("safetensors.numpy")
    data = safetensors.save({"w": np.ones(2)}, {"gradbook": note})
    with pytest.raises(CheckpointError, match="damaged"):
        read(data)


@pytest.mark.parametrize("header", [b"{}", b"{", b'{"w": 3}', b'{"w": {"data_offsets": "no"}}'])
def test_headers_that_make_no_sense(header: bytes) -> None:
    data = len(header).to_bytes(8, "little") + header
    if header == b"{}":
        assert read(data) == {}
    else:
        with pytest.raises(CheckpointError, match="damaged"):
            read(data)


def test_reading_runs_nothing() -> None:
    header = json.dumps({"__metadata__": {"gradbook": "__import__('os').abort()"}}).encode()
    with pytest.raises(CheckpointError):
        read(len(header).to_bytes(8, "little") + header)


# -- paths -----------------------------------------------------------------------------------------


def test_missing_files_and_directories(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"that torch.save wrote: '.*nowhere'"):
        load(tmp_path / "nowhere")
    with pytest.raises(OSError, match="give the path of a file"):
        load(tmp_path)
    with pytest.raises(IsADirectoryError, match="nothing was saved"):
        save({}, tmp_path)
    with pytest.raises(FileNotFoundError, match=r"There is no directory .*nowhere"):
        save({}, tmp_path / "nowhere" / "x")
    assert list(tmp_path.iterdir()) == []


def test_permission_denied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise PermissionError(errno.EACCES, "Permission denied")

    path = tmp_path / "secret"
    save(1, path)
    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(PermissionError, match=r"Permission denied; nothing was saved.*'.*secret'"):
        save(2, path)
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(PermissionError, match=r"Permission denied; .*'.*secret'"):
        load(path)


@pytest.mark.parametrize("use", [lambda f: save(1, f), load])
@pytest.mark.parametrize("f", [3, None, b"bytes"])
def test_what_is_neither_path_nor_file(use: Callable[[Any], Any], f: Any) -> None:
    with pytest.raises(AttributeError, match=f"path, or a file-like object.*{type(f).__name__}"):
        use(f)


def test_files_open_for_text() -> None:
    with pytest.raises(TypeError, match="'rb'"):
        load(io.StringIO("text"))
    with pytest.raises(TypeError):
        save(1, io.StringIO())


# -- all or nothing --------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize(
    "failure", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()], ids=repr
)
def test_a_failed_save_changes_nothing(
    step: str, failure: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.safetensors"
    save({"w": autograd.ones(2)}, path)
    before = path.read_bytes()

    def fail(*args: Any) -> None:
        raise failure

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(type(failure)) as caught:
        save({"w": autograd.zeros(5)}, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    if isinstance(failure, OSError):
        assert "nothing was saved" in str(caught.value)
        assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("obj", "error", "message"),
    [
        ({"a": [1, object()]}, TypeError, r"obj\['a'\]\[1\], of type object.*state_dict\(\)"),
        ({"a": np.ones(2)}, TypeError, r"obj\['a'\], of type ndarray.*from_numpy"),
        ({object(): 1}, TypeError, "of type object"),
        ({autograd.ones(1): 1}, TypeError, "a key of that dict holds a tensor"),
        ({"a": {1, 2}}, TypeError, "of type set"),
        (1j, TypeError, "obj, of type complex"),
    ],
)
def test_what_cannot_be_saved(
    obj: Any, error: type[Exception], message: str, tmp_path: Path
) -> None:
    path = tmp_path / "x"
    save(1, path)
    with pytest.raises(error, match=message):
        save(obj, path)
    assert load(path) == 1


def test_what_contains_itself_cannot_be_saved() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(ValueError, match="contains itself"):
        written(loop)


@pytest.mark.skipif(os.name == "nt", reason="Windows asks for a privilege to make links")
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    path, link = tmp_path / "run7", tmp_path / "latest"
    path.write_bytes(b"")
    link.symlink_to(path)
    save(7, link)
    assert link.is_symlink()
    assert load(path) == 7


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    save(1, tmp_path / "saved")
    modes = {(tmp_path / name).stat().st_mode for name in ("plain", "saved")}
    assert len(modes) == 1
