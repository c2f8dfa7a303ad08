"""Compact files of word vectors: safetensors files that are read through a memory map.

The arrays of a file, for V words and vectors of width d:

    matrix (V, d)  float32, float16 or int8
    scale (V,)     float32, only with int8: a row is matrix[i] × scale[i]
    words          the words as UTF-8, each followed by a line end
    subwords.0 …   the rows of parts of words (subwords.py), if any, with the dtype of the matrix

The metadata name the origin of the vectors: {"format": "nertool vectors 1", "source": a file's name,
"sha256": that file's hash, "subwords": how words are cut}. A safetensors file contains numbers and text, and
no code.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from nertool.errors import VectorsError
from nertool.files.output import open_binary_output
from nertool.files.safe import need_regular
from nertool.vectors.rows.compressed_rows import quantise
from nertool.vectors.rows.rows import arrays_of
from nertool.vectors.subwords import Subwords, subword_arrays, subword_notes, subwords_in

FORMAT = "nertool vectors 1"
DTYPES = ("float32", "float16", "int8")
_NUMPY = {"F32": "<f4", "F16": "<f2", "I8": "i1", "U8": "u1", "I32": "<i4"}
_REMEDY = "download or copy it again, or make it anew with nertool vectors prune"


class CompactVectors(NamedTuple):
    """The content of a compact file.

    words: V words. matrix (V, d): float32, float16 or int8, a read-only memory map. scale (V,): float32, or
    None. metadata: of the file. subwords: the rows of parts of words, or None.
    """

    words: list[str]
    matrix: NDArray[Any]
    scale: NDArray[np.float32] | None
    metadata: dict[str, str]
    subwords: Subwords | None = None

    def rows(self, count: int | None = None) -> NDArray[np.float32]:
        """Return the first `count` vectors (default: all) as float32, (count, d)."""
        rows = self.matrix[:count].astype(np.float32)
        if self.scale is not None:
            rows *= self.scale[:count, None]
        return rows


def write_compact(
    path: Path,
    words: Sequence[str],
    matrix: NDArray[np.float32],
    dtype: str = "float32",
    notes: Mapping[str, str] | None = None,
    subwords: Subwords | None = None,
) -> None:
    """Write words and their vectors (V, d) as a compact file, which gets its name when it is complete.

    dtype: one of DTYPES. notes: further metadata. Errors: VectorsError for a word with a line end, for NaN or
    infinity, and for a value that is too large for float16.
    """
    if not np.isfinite(matrix).all():
        raise VectorsError(f"{path}: found NaN or infinity in the vectors, expected finite values")
    if subwords is not None and not np.isfinite(np.asarray(subwords.rows[:]).sum(dtype=np.float64)):
        raise VectorsError(
            f"{path}: found NaN or infinity in the parts of words, expected finite values"
        )
    if odd := next((word for word in words if "\n" in word), None):
        raise VectorsError(f"{path}: found the word {odd!r}, expected words without a line end")
    arrays: dict[str, NDArray[Any]] = {}
    if dtype == "int8":
        arrays["matrix"], arrays["scale"] = quantise(matrix)
    else:
        with np.errstate(over="ignore"):  # values too large for float16 are refused below
            arrays["matrix"] = np.ascontiguousarray(matrix, dtype=dtype)
        if not np.isfinite(arrays["matrix"]).all():
            raise VectorsError(
                f"{path}: found a value above 65504, expected smaller ones for float16; take float32 or int8"
            )
    text = "".join(f"{word}\n" for word in words).encode("utf-8", "surrogatepass")
    arrays["words"] = np.frombuffer(text, dtype=np.uint8)
    notes = dict(notes or {})
    if subwords is not None:
        kept = subwords if dtype == "float32" else subwords.stored_as(dtype)
        arrays |= {name: np.ascontiguousarray(own) for name, own in subword_arrays([kept]).items()}
        notes["subwords"] = json.dumps(subword_notes([kept]))
    with open_binary_output(path) as stream:
        stream.write(_header(arrays, {"format": FORMAT, **notes}))
        for array in arrays.values():
            stream.write(array.data)


def _header(arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]) -> bytes:
    """Return a safetensors header: its length, then JSON with each array's type, shape and bytes.

    It is not written by the safetensors library because that copies all arrays in memory, and writes the
    metadata in random order.
    """
    names = {dtype: name for name, dtype in _NUMPY.items()}
    entries: dict[str, Any] = {"__metadata__": dict(sorted(metadata.items()))}
    end = 0
    for name, array in arrays.items():
        begin, end = end, end + array.nbytes
        kind = names[array.dtype.str.replace("|", "")]
        entries[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [begin, end]}
    text = json.dumps(entries).encode()
    text += b" " * (-len(text) % 8)  # so that the arrays begin at a multiple of 8 bytes
    return len(text).to_bytes(8, "little") + text


def is_compact(path: Path) -> bool:
    """Tell from its content whether a file is a compact file. Errors: VectorsError for a pipe."""
    need_regular(path, VectorsError, "vectors are read more than once")
    try:
        with open(path, "rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            return length < 1 << 20 and FORMAT.encode() in stream.read(length)
    except OSError:
        return False


def read_compact(path: Path) -> CompactVectors:
    """Read a compact file through a memory map. Errors: VectorsError for a damaged or another file."""
    try:
        with safe_open(path, framework="numpy"):  # checks that the header fits the file's length
            pass
        with open(path, "rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            header = json.loads(stream.read(length))
        metadata = header.pop("__metadata__")
        arrays = {name: _mapped(path, 8 + length, entry) for name, entry in header.items()}
        words = bytes(arrays["words"]).decode("utf-8", "surrogatepass").split("\n")[:-1]
        matrix, scale = arrays["matrix"], arrays.get("scale")
        if metadata["format"] != FORMAT or matrix.ndim != 2 or len(words) != len(matrix):
            raise ValueError(f"{len(words):,} words for vectors {matrix.shape}")
        if (scale is not None and scale.shape != (len(matrix),)) or len(set(words)) < len(words):
            raise ValueError("the scale has another length, or a word stands twice")
        cut = json.loads(metadata["subwords"]) if "subwords" in metadata else []
        subwords = next(iter(subwords_in(arrays, cut)), None)
        if subwords is not None and subwords.width != matrix.shape[1]:
            raise ValueError("the rows of parts of words have another width")
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise VectorsError(
            f"{path}: damaged, or no file of vectors ({' '.join(str(error).split())[:120]}); {_REMEDY}"
        ) from None
    rows = [] if subwords is None else arrays_of("", subwords.rows).values()
    if not all(map(_finite, [scale if scale is not None else matrix, *rows])):
        raise VectorsError(f"{path}: found NaN or infinity, expected finite values; {_REMEDY}")
    return CompactVectors(words, matrix, scale, metadata, subwords)


def _mapped(path: Path, start: int, entry: Mapping[str, Any]) -> NDArray[Any]:
    shape, (begin, _) = tuple(entry["shape"]), entry["data_offsets"]
    if 0 in shape:
        return np.zeros(shape, dtype=_NUMPY[entry["dtype"]])
    kind = _NUMPY[entry["dtype"]]
    return np.asarray(np.memmap(path, dtype=kind, mode="r", offset=start + begin, shape=shape))


def _finite(values: NDArray[Any]) -> bool:
    # A sum is NaN or infinite if any value is. It needs no temporary array as large as the values.
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(values.sum(dtype=np.float64)))


def file_size(path: Path) -> int:
    """Return a file's size in bytes."""
    return os.stat(path).st_size
