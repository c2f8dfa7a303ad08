"""The kernels of network/tiles.py: cut windows into tiles, and compute weighted sums of parts."""

from __future__ import annotations

import math
from threading import local
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.kernels import library
from nertool.kernels.library import Array, Bytes, Int32s, address_of, beginning

MOST_PARTS = library.MOST_POSITIONS  # the most summands: the size of the arrays in tiles.c


class Places(NamedTuple):
    """The places of the parts of n items in rows (m, d): part p of item t is the row at[t] + p.

    at (n,): strictly ascending; missing (n,): the number of an item's last parts that do not exist, and
    count as zeros; reach: the largest at − missing.
    """

    at: Int32s
    missing: Bytes
    reach: int


def tile(windows: NDArray[np.integer], most: int) -> tuple[Places, Places] | None:
    """Cut consecutive windows (B, C) into tiles of `most` windows, from the first one on.

    Returns the places of the tiles' windows, and of the words of these windows. At the end of consecutive
    windows, a tile may have fewer windows. Return None if a window is not C consecutive words, or does not
    begin after the window before it.
    """
    B, C = windows.shape
    if library.loaded is not None and windows.dtype == np.int32:
        first, start = np.empty(B, dtype=np.int32), np.empty(B, dtype=np.int32)
        missing = np.empty(B, dtype=np.uint8)
        made = address_of(first, np.int32), address_of(start, np.int32), beginning(missing)
        count = library.loaded.tile_windows(address_of(windows, np.int32), B, C, most, *made)
        if count < 0:
            return None
        first, start, missing = first[:count], start[:count], missing[:count]
    else:
        begins = windows[:, 0].astype(np.int32)
        steps = np.diff(begins)
        following = begins[:, None] + np.arange(C, dtype=np.int32)
        if (steps < 1).any() or not np.array_equal(windows, following):
            return None
        follows = np.concatenate([[False], steps == 1])
        index = np.arange(B, dtype=np.int32)
        place = index - np.maximum.accumulate(np.where(follows, 0, index))
        first = index[place % most == 0]
        start = begins[first]
        missing = (most - np.diff(np.append(first, B))).astype(np.uint8)
    return _places(first, missing), _places(start, missing)


def _places(at: Int32s, missing: Bytes) -> Places:
    return Places(at, missing, int((at - missing).max()) if len(at) else 0)


_kept = local()


def scratch(name: str, shape: tuple[int, ...], dtype: Any) -> Array:
    """Return an uninitialised array in memory that this thread reuses under a name.

    Earlier arrays of the same name are overwritten. New memory in every batch would cost a third of the time
    of the products.
    """
    size, buffers = math.prod(shape), vars(_kept)
    if name not in buffers or buffers[name].size < size or buffers[name].dtype != dtype:
        buffers[name] = np.empty(size, dtype=dtype)
    array: Array = buffers[name][:size].reshape(shape)
    return array


def mix(
    out: Array, parts: Array, factors: Array, places: Places | None = None, add: bool = False
) -> None:
    """Set out[o] = Σ_i factors[o, i] · parts[i] for each of n items; with `add`, add this to out.

    out (O, n, d), parts (I, n, d), factors (O, I), all of one dtype, I at most MOST_PARTS. With places, out
    or parts is rows (m, d), and places says which rows are the parts. Errors: ValueError for arrays that
    don't fit together.
    """
    _must_fit(out, parts, factors, places)
    if library.loaded is None or out.dtype != np.float32 or parts.dtype != np.float32:
        _mix(out, parts, factors, places, add)
        return
    _, n, d = out.shape if out.ndim == 3 else parts.shape
    at, missing = (None, None)
    if places:
        at, missing = address_of(places.at, np.int32), address_of(places.missing, np.uint8)
    library.loaded.mix_parts(
        *_parts_of(out, at, len(factors)),
        *_parts_of(parts, at, factors.shape[1]),
        *(address_of(factors, np.float32), missing, add, n, d),
    )


def _parts_of(array: Array, at: int | None, count: int) -> tuple[int, int | None, int, int, int]:
    """Return the arguments of tiles.c for an array.

    They are its address, its places, the steps from item to item and from part to part, and the number of
    parts.
    """
    size, steps = array.itemsize, array.strides
    if steps[-1] != size:
        raise ValueError(f"found rows in steps of {steps[-1]} bytes, expected {size}")
    if len(steps) == 3:
        return beginning(array), None, steps[1] // size, steps[0] // size, count
    return beginning(array), at, 0, steps[0] // size, count


def _must_fit(out: Array, parts: Array, factors: Array, places: Places | None) -> None:
    rows, shaped = (out, parts) if out.ndim == 2 else (parts, out)
    ours, theirs = factors.shape
    count, n, d = shaped.shape
    if rows.ndim == 3:
        fits = (count, *rows.shape) == (ours, theirs, n, d)
    else:
        assert places is not None
        at, missing, reach = places
        others = ours if rows is out else theirs
        fits = count == ours + theirs - others and rows.shape[1] == d
        fits = fits and len(at) == len(missing) == n > 0
        fits = fits and at[0] >= 0 and reach + others <= len(rows)
    if not fits or theirs > MOST_PARTS:
        raise ValueError(
            f"found {parts.shape} parts, expected those of {out.shape}, {factors.shape}"
        )


def _mix(out: Array, parts: Array, factors: Array, places: Places | None, add: bool) -> None:
    """Do the same as mix in numpy, with the same result to the bit."""
    if parts.ndim == 2:
        assert places is not None
        of_item = [_rows_of(places, i, factors.shape[1]) for i in range(factors.shape[1])]
        rows, parts = parts, np.zeros((len(of_item), len(places.at), parts.shape[1]), parts.dtype)
        for part, (own, numbers) in zip(parts, of_item, strict=True):
            part[own] = rows[numbers]
    # If several items share a row, their sums are added in the order of the items. The later the item, the
    # smaller the index of the part that the row is. So the loop runs from the last part to the first.
    for o in reversed(range(len(factors))):
        if out.ndim == 3:
            _add_up(out[o], parts, factors[o], add)
            continue
        assert places is not None
        own, numbers = _rows_of(places, o, len(factors))
        to = out[numbers]
        _add_up(to, parts[:, own], factors[o], add)
        out[numbers] = to


def _rows_of(places: Places, part: int, count: int) -> tuple[NDArray[np.int64], Int32s]:
    """Return the items that have the given part (of `count`), and the row of this part in each."""
    own = np.flatnonzero(places.missing < count - part)
    return own, places.at[own] + part


def _add_up(to: Array, parts: Array, factors: Array, add: bool) -> None:
    """Write Σ_i factors[i] · parts[i] to `to` (n, d), added up in order; with `add`, add it to `to`."""
    term = np.empty_like(to)  # once, since new memory for each term takes longer than the sums
    begun = add
    for part, factor in zip(parts, factors, strict=True):
        if not factor:
            continue
        if begun:
            to += np.multiply(part, factor, out=term)
        else:
            np.multiply(part, factor, out=to)
        begun = True
    if not begun:
        to[:] = 0
