"""The kernels of tiles of windows: cut windows into tiles, and add parts up, each with a factor."""

from __future__ import annotations

import math
from threading import local
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.kernels import library
from nertool.kernels.library import Array, Bytes, Int32s, address_of, beginning

MOST_PARTS = library.MOST_POSITIONS  # so many are added up at most: tiles.c has room for them


class Places(NamedTuple):
    """Where the parts of n items lie in rows (m, d): part p of item t is the row at[t] + p.

    at (n,): ascending, none twice; missing (n,): how many of its last parts an item lacks, which count as
    zeros; reach: the largest at − missing.
    """

    at: Int32s
    missing: Bytes
    reach: int


def tile(windows: NDArray[np.integer], most: int) -> tuple[Places, Places] | None:
    """Cut windows (B, C) that follow one another into tiles of `most` of them, from the first one on.

    Returns where the tiles' windows lie, and where the words of these windows lie. A tile that other windows
    don't follow may lack some. None where a window is not C words that follow one another, or begins no later
    than the one before.
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
    """Return an array to write to, in memory that this thread keeps under a name: what was there is gone.

    New memory for arrays of this size, in every batch, would take as long as a third of the products.
    """
    size, buffers = math.prod(shape), vars(_kept)
    if name not in buffers or buffers[name].size < size or buffers[name].dtype != dtype:
        buffers[name] = np.empty(size, dtype=dtype)
    array: Array = buffers[name][:size].reshape(shape)
    return array


def mix(
    out: Array, parts: Array, factors: Array, places: Places | None = None, add: bool = False
) -> None:
    """Let part o of each of n items be Σ_i factors[o, i] · its part i; with add, add that to it.

    out (O, n, d), parts (I, n, d), factors (O, I), all of one dtype, I at most MOST_PARTS. With places, one
    of out and parts is rows (m, d) in which its parts lie. Errors: ValueError for arrays that don't fit
    together.
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
    """Return what tiles.c wants to know of out and of parts: beginning, places, steps from item to item and
    from part to part, number of parts."""
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
    """Do what mix does, and to the bit."""
    if parts.ndim == 2:
        assert places is not None
        of_item = [_rows_of(places, i, factors.shape[1]) for i in range(factors.shape[1])]
        rows, parts = parts, np.zeros((len(of_item), len(places.at), parts.shape[1]), parts.dtype)
        for part, (own, numbers) in zip(parts, of_item, strict=True):
            part[own] = rows[numbers]
    # A row that several items have gets what each adds in the items' order: the later the item, the earlier
    # the part of it that the row is.
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
    """Return which items have this one of `count` parts, and in which row each has it."""
    own = np.flatnonzero(places.missing < count - part)
    return own, places.at[own] + part


def _add_up(to: Array, parts: Array, factors: Array, add: bool) -> None:
    """Add up parts (I, n, d), each with its factor, one after the other, in `to` (n, d)."""
    term = np.empty_like(to)  # made once: new memory for each would take longer than the sums
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
