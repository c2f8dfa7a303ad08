"""A hash table of integers, which finds the index of a number in a list."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nertool.kernels import library
from nertool.kernels.library import Int32s, Int64s, address_of

_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_FIRST_BITS = 12  # the first table has 2^12 places


class Keys:
    """A list of distinct non-negative integers that grows at its end, with a hash table of their indices."""

    def __init__(self) -> None:
        self._count = 0
        # The numbers, with room for more; and the hash table of their indices in the list, −1 if empty.
        self._held: tuple[Int64s, Int32s] = (
            np.empty(1 << (_FIRST_BITS - 1), dtype=np.int64),
            np.full(1 << _FIRST_BITS, -1, dtype=np.int32),
        )

    def __len__(self) -> int:
        return self._count

    def clear(self) -> None:
        """Remove all numbers."""
        self._held[1].fill(-1)
        self._count = 0

    def make_room(self, more: int) -> None:
        """Reserve memory for `more` further numbers, so that a call of `add` needs none."""
        keys, count = self._held[0], self._count
        most = count + more
        if most <= len(keys):
            return
        most = max(most, 2 * len(keys))
        more_keys = np.empty(most, dtype=np.int64)
        more_keys[:count] = keys[:count]
        table = np.full(1 << (2 * most).bit_length(), -1, dtype=np.int32)
        _enter(more_keys, 0, count, table)
        self._held = more_keys, table

    def add(self, more: Int64s) -> None:
        """Add distinct numbers (n,) that are not in the list."""
        self.make_room(len(more))
        keys, table = self._held
        after = self._count + len(more)
        keys[self._count : after] = more
        _enter(keys, self._count, after, table)
        self._count = after

    def find(self, others: Int64s) -> Int32s:
        """Return the index in the list of each of other numbers (n,), or −1 if it is not in the list."""
        keys, table = self._held
        numbers = np.empty(len(others), dtype=np.int32)
        bits = _bits(table)
        if library.loaded is not None:
            library.loaded.find_keys(
                *(address_of(others, np.int64), len(others), address_of(keys, np.int64)),
                *(address_of(table, np.int32), bits, address_of(numbers, np.int32)),
            )
            return numbers
        at = np.arange(len(others))
        places = _places(others, bits)
        while len(at):
            found = table[places]
            numbers[at] = found
            on = (found >= 0) & (keys[found] != others[at])
            at, places = at[on], (places[on] + 1) & (len(table) - 1)
        return numbers


def _bits(table: Int32s) -> int:
    return len(table).bit_length() - 1


def _places(keys: Int64s, bits: int) -> NDArray[np.int64]:
    return (keys.astype(np.uint64) * _FACTOR >> np.uint64(64 - bits)).astype(np.int64)


def _enter(keys: Int64s, first: int, after: int, table: Int32s) -> None:
    """Enter keys[first:after] into a table that has more places than keys."""
    if library.loaded is not None:
        library.loaded.enter_keys(
            address_of(keys, np.int64), first, after, address_of(table, np.int32), _bits(table)
        )
        return
    numbers = np.arange(first, after, dtype=np.int32)
    places = _places(keys[first:after], _bits(table))
    while len(numbers):
        free = table[places] < 0
        table[places[free]] = numbers[free]  # if several have the same place, only one is stored
        on = table[places] != numbers
        numbers, places = numbers[on], (places[on] + 1) & (len(table) - 1)
