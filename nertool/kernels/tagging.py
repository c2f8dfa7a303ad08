"""Kernels of the tagger: sums over a window, over a document's other occurrences."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nertool.kernels import library
from nertool.kernels.library import MOST_POSITIONS, Array, Int32s, Int64s, address_of

# Those of tagging's inner loop find their arrays once, and are called with a stretch of tokens: where
# an array begins takes numpy a microsecond to say.
Stretch = Callable[[int, int], None]


def check_indices(indices: Int32s | Int64s, length: int, around: int = 0) -> None:
    """Make sure that C code, which does not look, reads no row outside an array of some length.

    around: how far before and after each index it reads, too. Errors: IndexError.
    """
    if len(indices) and (indices.min() - around < 0 or indices.max() + around >= length):
        raise IndexError(
            f"found indices from {indices.min()} to {indices.max()} and {around} around them, "
            f"expected them within 0 and {length - 1}"
        )


def window_sums(
    z: Array,
    T: Array,
    V: Array | None,
    rows: Int32s,
    contexts: Int32s,
    centres: Int64s,
    C: int,
    positive: bool = False,
) -> Stretch | None:
    """Return a function of (start, n) that writes z[i] = Σ_c T[rows[p], c] + V[contexts[p], c] for i < n,
    p = centres[start + i] + c − C/2, or 0 where that is negative if z is to be positive; z (n or more, H),
    T (rows, C or more, H), V (contexts, C, H) or None. None: there is no kernel for it."""
    _, slices, H = T.shape
    if library.loaded is None or T.dtype != np.float32 or C > MOST_POSITIONS:
        return None
    check_indices(rows, len(T))
    if V is not None:
        check_indices(contexts, len(V))
    check_indices(centres, len(rows), C // 2)
    kernel, keep = library.loaded.window_sums, (z, T, V, rows, contexts, centres)
    floats = [None if array is None else address_of(array, np.float32) for array in (z, T, V)]
    in_text = [address_of(array, np.int32) for array in (rows, contexts)]
    first = address_of(centres, np.int64)

    def stretch(start: int, n: int, arrays: tuple[Array | None, ...] = keep) -> None:
        kernel(*floats, *in_text, first + 8 * start, n, C, slices, H, positive)

    return stretch


def add_picked(z: Array, values: Array, rows: Int32s) -> Stretch | None:
    """Return a function of (start, n) that adds values[rows[start + i]] to z[i] for i < n; z (n or more, H),
    values (…, H). None: there is no kernel for it."""
    if library.loaded is None or z.dtype != np.float32:
        return None
    check_indices(rows, len(values))
    kernel, keep, H = library.loaded.add_rows, (z, values, rows), z.shape[1]
    out, table, first = (
        address_of(z, np.float32),
        address_of(values, np.float32),
        address_of(rows, np.int32),
    )

    def stretch(start: int, n: int, arrays: tuple[Array, ...] = keep) -> None:
        kernel(out, None, table, H, first + 4 * start, n, H)

    return stretch


def add_others(
    z: Array, T: Array, rows: Int32s, centres: Int64s, group: Int32s, sums: Array, share: Array
) -> Stretch | None:
    """Return a function of (start, n) that adds
    share[g] (sums[g] − T[rows[centres[t] − 1], −2] − T[rows[centres[t] + 1], −1]), t = start + i, to z[i]
    for each token of a group g = group[t], −1 for none; i < n; z (n or more, H), sums (G, H), share (G,).
    None: there is no kernel for it."""
    _, slices, H = T.shape
    if library.loaded is None or T.dtype != np.float32:
        return None
    check_indices(rows, len(T))
    check_indices(centres, len(rows), 1)
    check_indices(group + 1, 1 + len(sums))
    kernel, keep = library.loaded.add_others, (z, T, rows, centres, group, sums, share)
    floats, in_text = (
        [address_of(array, np.float32) for array in keep[:2]],
        address_of(rows, np.int32),
    )
    first, groups = address_of(centres, np.int64), address_of(group, np.int32)
    of_groups = [address_of(array, np.float32) for array in keep[5:]]

    def stretch(start: int, n: int, arrays: tuple[Array, ...] = keep) -> None:
        where = (in_text, first + 8 * start, groups + 4 * start)
        kernel(*floats, *where, *of_groups, n, slices, H)

    return stretch


def blend_groups(p: Array, members: Int64s, sizes: Int64s, a: float) -> bool:
    """Write p[t] ← (1 − a) p[t] + a (Σ p − p[t]) / (n − 1) for each member t of a group of n, Σ over
    its group. p (N, T) in Fortran's order; members (M,): group by group, sizes (G,) of each."""
    if library.loaded is None or p.dtype != np.float32:
        return False
    check_indices(members, len(p))
    if int(sizes.sum()) != len(members):
        raise IndexError(f"found groups of {sizes.sum()} tokens, expected {len(members)}")
    groups = address_of(members, np.int64), address_of(sizes, np.int64), len(sizes)
    library.loaded.blend_groups(address_of(p, np.float32, columns=True), *p.shape, *groups, a)
    return True
