"""Read and write arrays in safetensors files.

Files are byte for byte those of the safetensors library. They are read through a memory map. A file contains
numbers and a header in JSON, and no code.
"""

from __future__ import annotations

import json
import math
import mmap
import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from nertool.errors import ModelError
from nertool.files.output import OutputFile

Array = NDArray[Any]

KINDS = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I8": "|i1",
    "U16": "<u2",
    "U8": "|u1",
    "BOOL": "|b1",
}
_NAMES = {np.dtype(kind): name for name, kind in KINDS.items()}
_LONGEST_HEADER = 100_000_000  # bytes; the format's own limit
# Bytes of a memory-mapped array that may stay in memory while it is copied to another file.
_MAPPED = 1 << 25
_BLOCK = 1 << 22  # bytes written at a time


def write_arrays(
    path: Path, arrays: Mapping[str, Array], metadata: Mapping[str, str] | None = None
) -> str:
    """Write arrays; return the file's SHA-256. Errors: OutputError; KeyError for an unknown dtype."""
    # The library's order: wide types first, then by name, so that every array is aligned to its type.
    order = sorted(arrays, key=lambda name: (-arrays[name].dtype.itemsize, name))
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    begin = 0
    for name in order:
        end = begin + arrays[name].nbytes
        kind = _NAMES[arrays[name].dtype.newbyteorder("=")]
        header[name] = {
            "dtype": kind,
            "shape": list(arrays[name].shape),
            "data_offsets": [begin, end],
        }
        begin = end
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    digest = sha256()
    with OutputFile(path, path) as file:
        for part in (len(text).to_bytes(8, "little"), text):
            digest.update(part)
            _write_all(file, part)
        for name in order:
            array = arrays[name]
            little = array.astype(array.dtype.newbyteorder("<"), copy=False)
            raw: memoryview = np.ascontiguousarray(little).reshape(-1).view(np.uint8).data
            for start in range(0, len(raw), _BLOCK):
                digest.update(raw[start : start + _BLOCK])
                _write_all(file, raw[start : start + _BLOCK])
                if start % _MAPPED == 0:
                    release(array)
            release(array)
    return digest.hexdigest()


def _write_all(file: OutputFile, data: bytes | memoryview) -> None:
    rest = memoryview(data)
    while len(rest):
        rest = rest[file.write(rest) :]


def map_file(file: BinaryIO) -> mmap.mmap | bytes:
    """Return a read-only memory map of a file; b"" for an empty file."""
    if not os.fstat(file.fileno()).st_size:
        return b""
    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def arrays_in(raw: mmap.mmap | bytes | memoryview, path: Path) -> dict[str, Array]:
    """Return the arrays in the bytes of a safetensors file, as read-only views of these bytes.

    path: the file's name in messages. Errors: ModelError for bytes that are not a complete safetensors file.
    """
    try:
        return _arrays_in(raw)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(
            f"{path}: cut short or damaged ({' '.join(str(error).split())}); copy or train the model again"
        ) from None


def _arrays_in(raw: mmap.mmap | bytes | memoryview) -> dict[str, Array]:
    length = int.from_bytes(raw[:8], "little")
    if len(raw) < 8 or length > min(len(raw) - 8, _LONGEST_HEADER):
        raise ValueError("the header is longer than the file")
    entries = json.loads(bytes(raw[8 : 8 + length]).decode("utf-8"))
    entries.pop("__metadata__", None)
    arrays: dict[str, Array] = {}
    end = 0
    for name, entry in sorted(entries.items(), key=lambda item: item[1]["data_offsets"]):
        kind, shape = np.dtype(KINDS[entry["dtype"]]), tuple(entry["shape"])
        start, stop = entry["data_offsets"]
        whole = all(type(n) is int and n >= 0 for n in (*shape, start, stop))
        count = math.prod(shape)
        if not whole or start != end or stop - start != count * kind.itemsize:
            raise ValueError(f"{name}: its place, shape and type don't agree")
        end = stop
        if 8 + length + end > len(raw):
            raise ValueError(f"{name}: it ends after the file")
        array = np.frombuffer(raw, kind, count, 8 + length + start).reshape(shape)
        if not array.flags.aligned:  # in a file inside another file, such as a zip
            array = array.copy()
            array.setflags(write=False)
        arrays[name] = array
    if 8 + length + end != len(raw):
        raise ValueError("the file goes on after its last array")
    return arrays


def release(array: Array) -> None:
    """Release the memory of the mapped file that an array is a view of. The system reads the data again when
    they are used again. An array in memory is not changed."""
    owner: Any = array
    while isinstance(owner, np.ndarray):
        owner = owner.base
    if isinstance(owner, memoryview):
        owner = owner.obj
    if isinstance(owner, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        owner.madvise(mmap.MADV_DONTNEED)


def all_finite(array: Array) -> bool:
    """Tell whether all numbers of an array are finite. It works in blocks that fit in the CPU's cache."""
    if array.dtype.kind != "f":
        return True
    flat = array.reshape(-1)
    step = 1 << 17
    return all(bool(np.isfinite(flat[i : i + step]).all()) for i in range(0, len(flat), step))
