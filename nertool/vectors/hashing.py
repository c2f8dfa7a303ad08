"""The hash functions of fastText and floret for the parts of words, vectorised over many strings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_U64 = np.uint64
_MASK = _U64(0xFFFFFFFFFFFFFFFF)
_C1, _C2 = _U64(0x87C37B91114253D5), _U64(0x4CF5AD432745937F)


def fnv1a(strings: Sequence[bytes]) -> NDArray[np.uint32]:
    """Return fastText's hash of each string, (n,): 32-bit FNV-1a, computed with signed bytes.

    >>> [int(h) for h in fnv1a([b"", b"a"])]
    [2166136261, 3826002220]
    """
    values, lengths = _bytes_of(strings)
    h = np.full(len(strings), 2166136261, dtype=np.uint32)
    signed = values.view(np.int8).astype(np.int32).view(np.uint32)
    for i in range(values.shape[1]):
        inside = i < lengths
        h[inside] = (h[inside] ^ signed[inside, i]) * np.uint32(16777619)
    return h


def murmur3(strings: Sequence[bytes], seed: int) -> NDArray[np.uint32]:
    """Return floret's four hashes of each string, (n, 4): MurmurHash3_x64_128 (Appleby 2011)."""
    values, lengths = _bytes_of(strings)
    blocks = -(-max(1, values.shape[1]) // 16)
    padded = np.zeros((len(strings), 16 * blocks), dtype=np.uint8)
    padded[:, : values.shape[1]] = values
    words = padded.view("<u8").astype(_U64)
    h1 = np.full(len(strings), seed, dtype=_U64)
    h2 = h1.copy()
    for i in range(blocks):
        k1, k2 = words[:, 2 * i], words[:, 2 * i + 1]
        whole = 16 * (i + 1) <= lengths
        # An incomplete block is the tail. Zeros replace its missing bytes, and do not change the hash.
        h1 ^= _mixed(k1, _C1, 31, _C2)
        h1 = np.where(whole, (_rotated(h1, 27) + h2) * _U64(5) + _U64(0x52DCE729), h1)
        h2 ^= _mixed(k2, _C2, 33, _C1)
        h2 = np.where(whole, (_rotated(h2, 31) + h1) * _U64(5) + _U64(0x38495AB5), h2)
    size = lengths.astype(_U64)
    h1, h2 = h1 ^ size, h2 ^ size
    h1 = h1 + h2
    h2 = h2 + h1
    h1, h2 = _finished(h1), _finished(h2)
    h1 = h1 + h2
    h2 = h2 + h1
    low = _U64(0xFFFFFFFF)
    four = [h1 & low, h1 >> _U64(32), h2 & low, h2 >> _U64(32)]
    return np.stack(four, axis=1).astype(np.uint32)


def _bytes_of(strings: Sequence[bytes]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the bytes of strings (n, longest), padded with zeros, and their lengths (n,)."""
    lengths = np.array([len(string) for string in strings], dtype=np.int64)
    longest = int(lengths.max(initial=0))
    joined = b"".join(string.ljust(longest, b"\0") for string in strings)
    values = np.frombuffer(joined, dtype=np.uint8).reshape(len(strings), longest)
    return values, lengths


def _rotated(x: NDArray[np.uint64], bits: int) -> NDArray[np.uint64]:
    return (x << _U64(bits)) | (x >> _U64(64 - bits))


def _mixed(k: NDArray[np.uint64], a: np.uint64, bits: int, b: np.uint64) -> NDArray[np.uint64]:
    return _rotated(k * a, bits) * b


def _finished(h: NDArray[np.uint64]) -> NDArray[np.uint64]:
    h = (h ^ (h >> _U64(33))) * _U64(0xFF51AFD7ED558CCD)
    h = (h ^ (h >> _U64(33))) * _U64(0xC4CEB9FE1A85EC53)
    return h ^ (h >> _U64(33))
