"""Kernels of the tagger: sums over a window, over a document's other occurrences."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.kernels import library
from nertool.kernels.library import MOST_POSITIONS, Array, Int32s, Int64s, address_of


def check_indices(indices: NDArray[np.signedinteger[Any]], length: int, around: int = 0) -> None:
    """Make sure that C code, which does not look, reads no row outside an array of some length.

    around: how far before and after each index it reads, too. Errors: IndexError.
    """
    if len(indices) and (indices.min() - around < 0 or indices.max() + around >= length):
        raise IndexError(
            f"found indices from {indices.min()} to {indices.max()} and {around} around them, "
            f"expected them within 0 and {length - 1}"
        )


class SideTerms(NamedTuple):
    """What the side inputs of n tokens add to their z; None: no such part.

    group (n,): a token's group g, −1 for none; sums (G, H), share (G,): of the groups. document (n,): a
    token's row of documents (D, H). opinion (n,): a token's row of opinions (M, H), −1 for none; of these
    rows just those of the tokens at hand lie in `opinions`, beginning with the one that is named in the call.
    window (n,): a token's row of windows (w, H).
    """

    group: Int32s | None = None
    sums: Array | None = None
    share: Array | None = None
    document: Int32s | None = None
    documents: Array | None = None
    opinion: Int32s | None = None
    opinions: Array | None = None
    window: Int32s | None = None
    windows: Array | None = None


class _Side(ctypes.Structure):
    """struct side of tagging.c."""

    _fields_ = [
        *((name, library.POINTER) for name in SideTerms._fields),
        ("first_opinion", library.INT),
    ]


# Finds its arrays once, and is called with a stretch of tokens: where an array begins takes numpy a
# microsecond to say. A function of (start, n, first_opinion), as below.
WindowSums = Callable[[int, int, int], None]


def window_sums(
    z: Array,
    T: Array,
    rows: Int32s,
    centres: Int64s,
    C: int,
    positive: bool = False,
    side: SideTerms = SideTerms(),  # noqa: B008
) -> WindowSums | None:
    """Return a function of (start, n, first_opinion) that writes to z[i], i < n, for the token t = start + i

        Σ_c T[rows[p], c] + windows[window[t]]                                  p = centres[t] + c − C/2
        + share[g] (sums[g] − T[rows[centres[t] − 1], −2] − T[rows[centres[t] + 1], −1])    g = group[t]
        + documents[document[t]] + opinions[opinion[t] − first_opinion]

    or 0 where that is negative if z is to be positive; z (n or more, H), T (rows, C or more, H).
    opinions: as many rows as there may be opinions among the n tokens. None: there is no kernel for it.
    """
    _, slices, H = T.shape
    if library.loaded is None or T.dtype != np.float32 or C > MOST_POSITIONS:
        return None
    check_indices(rows, len(T))
    check_indices(centres, len(rows), max(C // 2, int(side.group is not None)))
    if side.group is not None and side.sums is not None:
        check_indices(side.group + 1, 1 + len(side.sums))
    if side.document is not None and side.documents is not None:
        check_indices(side.document, len(side.documents))
    if side.window is not None and side.windows is not None:
        check_indices(side.window, len(side.windows))
    kernel, keep = library.loaded.window_sums, (z, T, rows, centres, *side)
    fixed = (*(address_of(array, np.float32) for array in (z, T)), address_of(rows, np.int32))
    first = address_of(centres, np.int64)
    terms = [None if array is None else address_of(array, array.dtype.type) for array in side]
    per_token = [
        SideTerms._fields.index(name) for name in ("group", "document", "opinion", "window")
    ]

    def stretch(
        start: int, n: int, first_opinion: int, arrays: tuple[Array | None, ...] = keep
    ) -> None:
        own = list(terms)
        for i in per_token:
            if (beginning := own[i]) is not None:
                own[i] = beginning + 4 * start
        kernel(
            *fixed,
            first + 8 * start,
            *(n, C, slices, H, positive),
            ctypes.byref(_Side(*own, first_opinion)),
        )

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
