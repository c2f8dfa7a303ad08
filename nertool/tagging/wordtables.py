"""Tables with a row for each distinct word met so far: its share of z in each place around a token.

A row of T (slices, H): for each window position c what the word adds to z where it stands there,
T_c = r W_cᵀ; and, for networks with the neighbours of a word's other occurrences as side inputs (side.py),
what its starting vector gives there as a left and as a right one. V (combinations, C, H) has the same for the
combinations of contexts, V_c = k V_cᵀ, with b in the centre's.

All networks of a model number their rows alike, so that a text's words are looked up once for all of them.
Rows are of two kinds:

    kept     the words met first: made once, and there from then on, until memory is given back
    passing  the words for which no room was left: made anew for each stretch of text, one network after
             the other, all in the same place

A text's frequent words are met early, so that most tokens find their rows made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.columnar import Ids, Offsets
from nertool.inputs.windows import FIRST_TYPE, pad
from nertool.kernels.documents import lay_out_words
from nertool.kernels.keys import Keys
from nertool.kernels.library import CACHE_LINE, empty_lines
from nertool.tagging.forms import PADDINGS, Forms
from nertool.tagging.slices import Slices

_FILLED = 512  # rows that are made at a time
# One byte in so many is for passing rows. They are few: what they are made for is rare words, most of which
# stand in one stretch alone, so that little is made twice where a text is cut into more stretches.
_PASSING_SHARE = 16
_PATIENCE = 4  # kept rows are forgotten once so many times as many passing ones were made


class Stretch(NamedTuple):
    """A stretch of a text: its tokens; rows and contexts (n + …,), of its words with the paddings among them,
    the rows numbered as in WordRows; centres (n,): where its tokens stand in these; passing (p,): the words
    with a row for this stretch alone."""

    tokens: slice
    rows: Ids
    contexts: Ids
    centres: Offsets
    passing: Offsets


class WordTable:
    """The rows T (…, slices, H) of one network, and its V.

    first_passing: the number of the first passing row in T; the kept ones come before.
    """

    def __init__(self, slices: Slices, forms: Forms, encoder: int) -> None:
        """encoder: the number of the network's encoder among the forms'."""
        self._slices, self._forms, self._encoder = slices, forms, encoder
        self.V = slices.context_table()
        slots, H = slices.row_shape
        self.row_bytes: int = slots * H * slices.W.itemsize
        self.T = np.empty((0, slots, H), dtype=slices.W.dtype)
        self.first_passing = 0

    def place(self, room: NDArray[np.uint8], first_passing: int) -> None:
        """Take the memory (bytes,) for the rows."""
        self.first_passing = first_passing
        self.T = room.view(self.T.dtype).reshape(-1, *self.T.shape[1:])

    def fill(self, words: Offsets, first: int) -> None:
        """Write the rows of words, as numbered in WordRows, into those of T from `first` on."""
        sides, forms = self._slices.sides, self._forms
        _, C, H = self.V.shape
        W = self._slices.W.reshape(C * H, -1)
        for start in range(0, len(words), _FILLED):
            own = words[start : start + _FILLED]
            T = self.T[first + start : first + start + len(own)].reshape(len(own), -1)
            vector_rows = forms.vector_rows(self._encoder)[own]
            composed = forms.composed(self._encoder)
            R = self._slices.form_rows(forms.ids[own], vector_rows, composed)  # (n, d_1)
            np.matmul(R, W.T, out=T[:, : C * H])
            if sides is not None:
                L = self._slices.starting_vectors(vector_rows, composed)  # (n, v)
                L[own < PADDINGS] = 0.0  # nothing stands beyond a sentence's ends
                np.matmul(L, sides.reshape(2 * H, -1).T, out=T[:, C * H :])


class WordRows:
    """The numbers of the words' rows, the same for all tables: 0 … kept − 1, then the passing ones.

    Changes are made as in Forms: what can fail comes first.
    """

    def __init__(
        self,
        tables: Sequence[WordTable],
        forms: Forms,
        table_bytes: int,
    ) -> None:
        """table_bytes: the most memory for the rows of all tables, but for a window's words, which always
        have room."""
        self._tables, self._forms = tables, forms
        sizes = [table.row_bytes for table in tables]
        window = tables[0].V.shape[1] + 2
        self.passing = max(window, table_bytes // _PASSING_SHARE // max(sizes))
        self.kept = max(0, table_bytes - self.passing * max(sizes)) // sum(sizes)
        _share_memory(tables, self.kept, self.passing)
        self._kept_words = Keys()  # the words of the kept rows
        self._passed = 0  # passing rows made since the kept ones were forgotten
        self._age = forms.age
        self._changing = False

    def _forget(self) -> None:
        self._changing = True
        self._kept_words.clear()
        self._passed, self._age = 0, self._forms.age
        self._changing = False

    def stretches(
        self, numbers: Ids, ids: Ids, contexts: Ids, sentence_starts: Offsets, m: int
    ) -> list[Stretch]:
        """Lay a text out with m paddings before and after each sentence; cut it into stretches with few
        enough words that have no row yet, and make the kept rows.

        numbers[ids] (N,): the tokens' forms; contexts (N,): the numbers of their combinations of contexts.
        What is returned holds until the next call.
        """
        # The same numbers mean other forms after they were forgotten. And what was met first is no longer
        # what is frequent, if there is much that has to pass.
        outdated = self._age != self._forms.age or self._passed > _PATIENCE * self.kept
        kept = self._kept_words
        if self._changing or (outdated and len(kept)):
            self._forget()
        self._age = self._forms.age
        laid = lay_out_words(numbers, ids, contexts, sentence_starts, m)
        if laid is None:
            padded = pad(numbers[ids] - np.int32(FIRST_TYPE), sentence_starts, m)
            around = np.zeros(len(padded.types), dtype=np.int32)
            around[padded.centres] = contexts
            laid = padded.types[:].astype(np.int64), around, padded.centres
        words, _, centres = laid
        rows = kept.find(words)
        missing = np.flatnonzero(rows < 0)
        if len(missing) and len(kept) < self.kept:
            self._keep(_distinct(words[missing])[: self.kept - len(kept)])
            rows[missing] = kept.find(words[missing])
        return list(self._cut(*laid, rows, m, slice(0, len(centres)))) if len(centres) else []

    def _keep(self, words: Offsets) -> None:
        """Make the rows of words that are not kept yet, in all tables."""
        if not len(words):
            return
        for table in self._tables:
            table.fill(words, len(self._kept_words))
        self._kept_words.make_room(len(words))

        self._changing = True
        self._kept_words.add(words)
        self._changing = False

    def _cut(
        self, words: Offsets, contexts: Ids, centres: Offsets, rows: Ids, m: int, tokens: slice
    ) -> list[Stretch]:
        """Return some tokens as one stretch, or, with too many words that have no row, as several."""
        of_tokens = centres[tokens]
        if not len(of_tokens):
            return []
        own = slice(int(of_tokens[0]) - m, int(of_tokens[-1]) + m + 1)
        stretch_rows = rows[own]
        missing = np.flatnonzero(stretch_rows < 0)
        passing = _distinct(words[own][missing])
        if len(passing) > self.passing:
            half = (tokens.start + tokens.stop) // 2
            parts = slice(tokens.start, half), slice(half, tokens.stop)
            cut = [self._cut(words, contexts, centres, rows, m, part) for part in parts]
            return [stretch for stretches in cut for stretch in stretches]
        if len(passing):
            stretch_rows = stretch_rows.copy()
            place = np.searchsorted(passing, words[own][missing])
            stretch_rows[missing] = self.kept + place
            self._passed += len(passing)
        return [Stretch(tokens, stretch_rows, contexts[own], of_tokens - own.start, passing)]

    def rows_in(self, table: WordTable, stretch: Stretch) -> Ids:
        """Return the rows of T, (n + …,), of a stretch's words; those that pass are made."""
        if not len(stretch.passing):
            return stretch.rows
        table.fill(stretch.passing, table.first_passing)
        shift = np.int32(table.first_passing - self.kept)
        return np.where(stretch.rows >= self.kept, stretch.rows + shift, stretch.rows)


def _share_memory(tables: Sequence[WordTable], kept: int, passing: int) -> None:
    """Give each table memory for its kept rows, and to all the same for the passing ones.

    A table's rows are as long as its network is wide, and lie in one array: so a few bytes are left between
    the last kept row and the first passing one, to begin this where the others' begin, too.
    """
    starts: list[int] = []  # where each table begins, counted back from the first passing row
    before = 0
    for table in tables:
        before = table.row_bytes * -(-(before + kept * table.row_bytes) // table.row_bytes)
        starts.append(before)
    # All at once: the system gives memory to those rows alone that are written.
    needed = before + passing * max(t.row_bytes for t in tables)
    lead = -before % CACHE_LINE  # so that the first passing row begins a line
    room = empty_lines((lead + needed,), np.uint8)[lead:]
    for table, start in zip(tables, starts, strict=True):
        first = before - start
        own = room[first : first + start + passing * table.row_bytes]
        table.place(own, start // table.row_bytes)


def _distinct(numbers: Offsets) -> Offsets:
    """Return the distinct ones (n,) in order: as np.unique, which first loads numpy's masked arrays."""
    numbers = np.sort(numbers)
    return numbers[np.diff(numbers, prepend=-1) > 0]
