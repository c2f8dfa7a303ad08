"""Arrays in safetensors files: written as the library writes them, byte for byte, and read through a
memory map. A file holds numbers, and a header in JSON: there is nothing in it that could run."""

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
_LONGEST_HEADER = 100_000_000  # bytes; the format's own bound
# Bytes of a mapped file that are kept in memory while they are written to another.
_MAPPED = 1 << 25
_BLOCK = 1 << 22  # bytes written, or entries looked at, at a time


def write_arrays(
    path: Path, arrays: Mapping[str, Array], metadata: Mapping[str, str] | None = None
) -> str:
    """Write arrays; return the file's SHA-256. Errors: OutputError; KeyError for an unknown dtype."""
    # As the library does: wide types first, then by name, so that every array begins at its multiple.
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
    """Return a file's bytes through a read-only memory map (no bytes for an empty file)."""
    if not os.fstat(file.fileno()).st_size:
        return b""
    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def arrays_in(raw: mmap.mmap | bytes | memoryview, path: Path) -> dict[str, Array]:
    """Return the arrays in a safetensors file's bytes, which they point into, read-only.

    path: for messages. Errors: ModelError for bytes that are not a whole file of the format.
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
        if not array.flags.aligned:  # in a file within another, such as a zip
            array = array.copy()
            array.setflags(write=False)
        arrays[name] = array
    if 8 + length + end != len(raw):
        raise ValueError("the file goes on after its last array")
    return arrays


def release(array: Array) -> None:
    """Give back to the system the memory of a mapped file that an array lies in: what is needed again is read
    again. Nothing happens to an array in memory."""
    owner: Any = array
    while isinstance(owner, np.ndarray):
        owner = owner.base
    if isinstance(owner, memoryview):
        owner = owner.obj
    if isinstance(owner, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        owner.madvise(mmap.MADV_DONTNEED)


def all_finite(array: Array) -> bool:
    """Tell whether no number of an array is NaN or infinite: block by block, within the processor's cache."""
    if array.dtype.kind != "f":
        return True
    flat = array.reshape(-1)
    step = 1 << 17
    return all(bool(np.isfinite(flat[i : i + step]).all()) for i in range(0, len(flat), step))
