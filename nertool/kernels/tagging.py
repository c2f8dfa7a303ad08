"""Kernels of the tagger: sums of rows over a window, and the scores computed from them."""

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
    """Check that C code, which has no bounds checks, does not read outside an array of the given length.

    around: how far before and after each index the code reads. Errors: IndexError.
    """
    if len(indices) and (indices.min() - around < 0 or indices.max() + around >= length):
        raise IndexError(
            f"found indices from {indices.min()} to {indices.max()} and {around} around them, "
            f"expected them within 0 and {length - 1}"
        )


class SideTerms(NamedTuple):
    """The parts of z of n tokens that come from side inputs and contexts. A part that is not used is None.

    group (n,): a token's group, −1 for none; sums (G, H), share (G,): of the groups. document (n,): a token's
    row of documents (D, H). opinion (n,): the number of a token's opinion, −1 for none; opinions (M, H) has
    only the opinions of the tokens of one call, beginning with the number first_opinion of the call.
    context: for each row number of a word, its row of contexts (k, C, H).
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
    """A matrix M (H, K) of float32 in the form of the kernels: struct matrix of products.h."""

    def __init__(self, M: Array) -> None:
        H, K = M.shape
        # Each row begins at a cache line.
        self._rows = empty_lines((H, -(-K // _LINE) * _LINE), np.float32)
        self._rows[:, :K] = M
        self._columns = np.array(M.T, dtype=np.float32, order="C")
        self.struct = _Matrix(
            address_of(self._rows, np.float32),
            address_of(self._columns, np.float32),
            *(H, K, self._rows.shape[1]),
        )
        self.shape = H, K


_LINE = 16  # numbers of float32 in a cache line
_TOGETHER = 16  # tokens that tagging.c computes together


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


# A function (start, n, first_opinion), see window_sums. It looks up the arrays' addresses only once, since
# each look-up takes a microsecond.
WindowSums = Callable[[int, int, int], None]


def _checked_terms(
    T: Array, rows: Int32s, centres: Int64s, C: int, side: SideTerms
) -> list[int | None]:
    """Check all row numbers, and return the addresses of the side inputs' arrays. Errors: IndexError."""
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
    """Return a function (start, n, first_opinion) that writes to z[i], for i < n and the token t = start + i,

        Σ_c T[rows[p], c] + contexts[context[p], c]                             p = centres[t] + c − C/2
        + share[g] (sums[g] − T[rows[centres[t] − 1], −2] − T[rows[centres[t] + 1], −1])    g = group[t]
        + documents[document[t]] + opinions[opinion[t] − first_opinion]

    With `positive`, negative values become 0. z (n or more, H), T (rows, C or more, H); side.opinions: at
    least as many rows as the n tokens have opinions. Return None without the kernel. It needs float32, and
    at most MOST_POSITIONS words in a window.
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
    """Write max(z, 0) @ outputs to s (n, K), or with `add` add it to s.

    z (n, H): the sums of window_sums for all tokens; outputs (H, K). The opinions are values @ opinions, with
    values (M, e) and opinions (e, H); the first row has the number first_opinion. side.opinions is not used.
    Return False if nothing was done, as in window_sums.
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
    """Check that the tokens' opinions are numbered consecutively and have values. Errors: IndexError."""
    numbers = opinion[opinion >= 0]
    if values is None or opinions is None or opinions.shape != (values.shape[1], H):
        raise IndexError("found opinions without values, or of another width than their matrix")
    if not np.array_equal(numbers, np.arange(first, first + len(values), dtype=np.int32)):
        raise IndexError(f"found other opinions than {first} to {first + len(values) - 1}")
