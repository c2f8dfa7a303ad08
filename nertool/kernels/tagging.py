"""Kernels of the tagger: sums over a window, and the scores that they give."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.kernels import library
from nertool.kernels.library import (
    MOST_POSITIONS,
    Array,
    Int32s,
    Int64s,
    address_of,
    empty_lines,
    rows_of,
)


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
    context: for each of the rows of words its row of contexts (k, C, H).
    """

    group: Int32s | None = None
    sums: Array | None = None
    share: Array | None = None
    document: Int32s | None = None
    documents: Array | None = None
    opinion: Int32s | None = None
    opinions: Array | None = None
    context: Int32s | None = None
    contexts: Array | None = None


class _Side(ctypes.Structure):
    """struct side of tagging.c."""

    _fields_ = [
        *((name, library.POINTER) for name in SideTerms._fields),
        ("first_opinion", library.INT),
    ]


class Matrix:
    """A matrix M (H, K) of float32 as the kernels multiply rows with it: struct matrix of products.h."""

    def __init__(self, M: Array) -> None:
        H, K = M.shape
        # Each row begins a line of the cache.
        self._rows = empty_lines((H, -(-K // _LINE) * _LINE), np.float32)
        self._rows[:, :K] = M
        self._columns = np.array(M.T, dtype=np.float32, order="C")
        self.struct = _Matrix(
            address_of(self._rows, np.float32),
            address_of(self._columns, np.float32),
            *(H, K, self._rows.shape[1]),
        )
        self.shape = H, K


_LINE = 16  # numbers of float32 in a line of the cache
_TOGETHER = 16  # tokens whose z lie side by side in tagging.c


class _Matrix(ctypes.Structure):
    _fields_ = [
        *((name, library.POINTER) for name in ("rows", "columns")),
        *((name, library.INT) for name in ("H", "K", "apart")),
    ]


class _Scores(ctypes.Structure):
    """struct scores of tagging.c."""

    _fields_ = [
        *((name, library.POINTER) for name in ("s", "z", "room", "values")),
        *((name, _Matrix) for name in ("outputs", "opinions")),
        *((name, library.INT) for name in ("stride", "add", "positive")),
    ]


# Finds its arrays once, and is called with a stretch of tokens: where an array begins takes numpy a
# microsecond to say. A function of (start, n, first_opinion), as below.
WindowSums = Callable[[int, int, int], None]


def _checked_terms(
    T: Array, rows: Int32s, centres: Int64s, C: int, side: SideTerms
) -> list[int | None]:
    """Return where the side inputs' arrays begin, once all numbers are known to name rows that are there."""
    check_indices(rows, len(T))
    check_indices(centres, len(rows), max(C // 2, int(side.group is not None)))
    if side.group is not None and side.sums is not None:
        check_indices(side.group + 1, 1 + len(side.sums))
    if side.document is not None and side.documents is not None:
        check_indices(side.document, len(side.documents))
    if side.context is not None and side.contexts is not None:
        check_indices(side.context, len(side.contexts))
        if len(side.context) != len(rows) or side.contexts.shape[1:] != (C, T.shape[2]):
            raise IndexError(f"found {len(side.context)} contexts, expected {len(rows)}")
    return [None if array is None else address_of(array, array.dtype.type) for array in side]


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

        Σ_c T[rows[p], c] + contexts[context[p], c]                             p = centres[t] + c − C/2
        + share[g] (sums[g] − T[rows[centres[t] − 1], −2] − T[rows[centres[t] + 1], −1])    g = group[t]
        + documents[document[t]] + opinions[opinion[t] − first_opinion]

    or 0 where that is negative if z is to be positive; z (n or more, H), T (rows, C or more, H).
    opinions: as many rows as there may be opinions among the n tokens. None: there is no kernel for it.
    """
    _, slices, H = T.shape
    if library.loaded is None or T.dtype != np.float32 or C > MOST_POSITIONS:
        return None
    terms = _checked_terms(T, rows, centres, C, side)
    kernel, keep = library.loaded.window_sums, (z, T, rows, centres, *side)
    fixed = (*(address_of(array, np.float32) for array in (z, T)), address_of(rows, np.int32))
    first = address_of(centres, np.int64)
    per_token = [SideTerms._fields.index(name) for name in ("group", "document", "opinion")]

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


def window_scores(
    s: Array,
    T: Array,
    rows: Int32s,
    centres: Int64s,
    C: int,
    outputs: Matrix,
    side: SideTerms = SideTerms(),  # noqa: B008
    values: Array | None = None,
    opinions: Matrix | None = None,
    first_opinion: int = 0,
    add: bool = False,
) -> bool:
    """Write max(z, 0) outputs to s (n, K), or add it to s; tell whether it was done.

    z (n, H): as window_sums has it, of all tokens; outputs (H, K). The opinions are values @ opinions, values
    (M, e), opinions (e, H), of which the first is of the opinion first_opinion; side.opinions is not used.
    """
    _, slices, H = T.shape
    if library.loaded is None or T.dtype != np.float32 or C > MOST_POSITIONS:
        return False
    if not len(centres):
        return True
    own = rows_of(s, np.float32)
    if own is None or s.shape != (len(centres), outputs.shape[1]) or outputs.shape[0] != H:
        return False
    terms = _checked_terms(T, rows, centres, C, side._replace(opinions=None))
    z, room = empty_lines((2, _TOGETHER, H), np.float32)
    if side.opinion is not None:
        _check_opinions(side.opinion, values, opinions, first_opinion, H)
    to = _Scores(
        *(own[0], address_of(z, np.float32), address_of(room, np.float32)),
        None if values is None else address_of(values, np.float32),
        outputs.struct,
        _Matrix() if opinions is None else opinions.struct,
        *(own[1], int(add), 1),
    )
    library.loaded.window_scores(
        ctypes.byref(to),
        *(address_of(T, np.float32), address_of(rows, np.int32), address_of(centres, np.int64)),
        *(len(centres), C, slices, H, ctypes.byref(_Side(*terms, first_opinion))),
    )
    return True


def _check_opinions(
    opinion: Int32s, values: Array | None, opinions: Matrix | None, first: int, H: int
) -> None:
    """Make sure that the tokens' opinions are numbered one after the other, and that each has its values."""
    numbers = opinion[opinion >= 0]
    if values is None or opinions is None or opinions.shape != (values.shape[1], H):
        raise IndexError("found opinions without values, or of another width than their matrix")
    if not np.array_equal(numbers, np.arange(first, first + len(values), dtype=np.int32)):
        raise IndexError(f"found other opinions than {first} to {first + len(values) - 1}")
