"""Tables with a row for each distinct word met so far: its share of z in each place around a token.

A row of T (slices, H): for each window position c what the word adds to z where it stands there; and,
for networks with the neighbours of a word's other occurrences as side inputs (side.py), what its
starting vector gives there as a left and as a right one. Words are distinguished by their forms,
T_c = r W_cᵀ; or by form and combination of contexts, half as many rows again, T_c = r W_cᵀ + V_c, so
that nothing is left to add for a token. V (combinations, C, H) is V_c = k V_cᵀ, with b in the centre's.

Tables grow with the words met, up to a limit of memory; then they start anew.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nertool.config.records import Config
from nertool.corpus.columnar import Ids
from nertool.inputs.context import CONTEXTS
from nertool.inputs.layout import LEFT, RIGHT, VECTORS, contexts_of, layout_of, table_columns
from nertool.inputs.word_types import WordTypes
from nertool.kernels.rows import embed
from nertool.model.model import Member, starting_vectors, word_vectors
from nertool.network.activations import Array

_PADDINGS = 2  # the forms 0 and 1: what stands before a sentence, and after it
_FILLED = 512  # rows that are made at a time
FIRST_LISTED = 4096  # forms that the list of rows begins with
_LISTED_BYTES = 32 << 20  # of the list of each word's row; it bounds the forms
MOST_FORMS = 1 << 19  # word types that are remembered


def combinations_of(contexts: Sequence[str]) -> list[int]:
    """Return how many numbers each context has: as many combinations as their product are there."""
    return [CONTEXTS[name].size for name in contexts]


class Forms:
    """The word types that an encoder has met, each with a number; 0 and 1 are the paddings'. With each
    combination of gazetteers' marks that it has, a word type is a form of its own.

    ids (forms, F) int32: their row numbers in the lookup tables. age: how often all were forgotten.
    most: how many are remembered, if no list of words is longer.

    Whatever can fail happens before the first change. A change that is interrupted all the same (by
    Ctrl-C, or for lack of memory) leaves a mark, and the next call starts with nothing remembered.
    """

    def __init__(self, member: Member, contexts: int, most: int = MOST_FORMS) -> None:
        """contexts: in how many combinations of contexts a form may be distinguished."""
        self._encoder, self._member = member.encoder, member
        self._lists = len(member.encoder.gazetteers.names) if member.encoder.gazetteers else 0
        self.most = min(most, _LISTED_BYTES // (4 * contexts))
        self.age = -1
        self._forget()

    def _forget(self) -> None:
        self._changing = True
        self.age += 1
        self._numbers: dict[str, int] = {}
        self._marked: dict[tuple[str, bytes], int] = {}
        self.ids = self._unmarked(self._encoder.padding)
        self._last: tuple[WordTypes | None, Ids] = (None, np.empty(0, dtype=np.int32))
        self._changing = False

    def numbers_of(self, words: Sequence[str]) -> Ids:
        """Return each word type's number, (n,) int32, adding those not met before."""
        if self._changing:
            self._forget()
        # A list that only grew since it was last asked about: what is new in it is enough.
        grown = words is self._last[0]
        begun = self._last[1] if grown else np.empty(0, dtype=np.int32)
        added = words[len(begun) :]
        new = list(dict.fromkeys(word for word in added if word not in self._numbers))
        # While a list grows, nothing is forgotten: all of it would have to be met again.
        if not grown and self._numbers and len(self.ids) + len(new) - _PADDINGS > self.most:
            self._forget()
            new = list(dict.fromkeys(added))
        first = len(self.ids)
        new_numbers = dict(zip(new, range(first, first + len(new)), strict=True))
        ids = self.ids
        if new:
            ids = np.concatenate([ids, self._unmarked(self._encoder.encode(new))])
        known = self._numbers
        numbers = np.array(
            [known[w] if w in known else new_numbers[w] for w in added]
            if new
            else [known[w] for w in added],
            dtype=np.int32,
        )
        numbers = np.concatenate([begun, numbers])
        last = (words if isinstance(words, WordTypes) else None, numbers)

        self._changing = True
        known.update(new_numbers)
        self.ids, self._last = ids, last
        self._changing = False
        return numbers

    def _unmarked(self, ids: Ids) -> Ids:
        """Return an encoder's row numbers (n, F') with those of the gazetteers' marks: none."""
        return np.pad(ids, ((0, 0), (0, self._lists))) if self._lists else ids

    def numbers_of_marked(self, words: Sequence[str], marks: Ids) -> Ids:
        """Return the numbers (n,) of word types that gazetteers mark, adding those not met before.

        marks (n, lists): as Gazetteers.rows has them. To be called after numbers_of: it forgets nothing.
        """
        keys = [(word, own.tobytes()) for word, own in zip(words, marks, strict=True)]
        new = [i for i, key in enumerate(keys) if key not in self._marked]
        if new:
            ids = self._unmarked(self._encoder.encode([words[i] for i in new]))
            ids[:, -self._lists :] = marks[new]
            numbers = range(len(self.ids), len(self.ids) + len(new))
            all_ids = np.concatenate([self.ids, ids])

            self._changing = True
            self._marked.update(zip((keys[i] for i in new), numbers, strict=True))
            self.ids = all_ids
            self._changing = False
        return np.array([self._marked[key] for key in keys], dtype=np.int32)

    def starting_vectors(self, numbers: Ids) -> Array:
        """Return the vectors (n, v) that training began with, of forms by their numbers (n,)."""
        return starting_vectors(self._member, self.ids[numbers, 0])


class Slices:
    """A member with its W cut up: W (C, H, d_1), V (C, H, d_2), G (H, e), as at the head of compiled.py."""

    def __init__(self, member: Member, config: Config, tags: int, first_stage: bool) -> None:
        """tags: how many there are; first_stage: whether the member is given a first stage's scores."""
        self._member = member
        # The vectors stay as they are, compressed or on disk: rows are read as words are met.
        self.parameters = member.expanded(but=VECTORS)
        self.weights = member.weights
        self.contexts = contexts_of(config)
        columns = table_columns(config)
        widths = {name: member.parameters[name].shape[1] for name in columns}
        self.layout = layout = layout_of(config, widths, member.L.shape[1], tags, first_stage)
        contexts = {f"E.{name}" for name in self.contexts}
        self._features = {n: c for n, c in columns.items() if n not in {VECTORS, *contexts}}
        C, d, d_1 = layout.window, layout.d, layout.d_1
        H, W = len(self.weights.b), self.weights.W
        in_window = W[:, : C * d].reshape(H, C, d).transpose(1, 0, 2)
        self.W = np.ascontiguousarray(in_window[:, :, :d_1])
        self.V, self.G = in_window[:, :, d_1:], W[:, C * d :]
        # (2, H, v): the columns of G for the left and for the right neighbours' means.
        sides = [self.G[:, layout.side[name]] for name in (LEFT, RIGHT) if name in layout.side]
        self.sides = np.stack(sides) if sides else None

    def form_rows(self, ids: Ids) -> Array:
        """Return the part of a row that the word type decides, (n, d_1), from its row numbers."""
        vectors = word_vectors(self._member, ids[:, 0])
        if not self._features:
            return vectors
        tables = [self.parameters[name] for name in self._features]
        looks = embed(tables, ids[:, 1:], list(self._features.values()))
        return np.concatenate([vectors, looks], axis=1)

    def context_table(self) -> Array:
        """Return V (combinations, C, H): V_c k for each combination k of the contexts' numbers, and b."""
        sizes = combinations_of(self.contexts)
        C, H, _ = self.W.shape
        V = np.zeros((math.prod(sizes), C, H), dtype=self.W.dtype)
        V[:, C // 2] = self.weights.b
        if self.contexts:
            numbers = np.indices(sizes, np.int32).reshape(len(sizes), -1).T
            k = embed([self.parameters[f"E.{name}"] for name in self.contexts], numbers)
            V += np.stack([k @ V_c.T for V_c in self.V], axis=1)
        return V


class WordTable:
    """The rows T (rows, slices, H) of a network, C slices or C + 2, and its V.

    by_context: whether T's rows are of forms in a combination of contexts, or of forms alone. Changes
    are made as in Forms: what can fail comes first.
    """

    def __init__(
        self,
        slices: Slices,
        forms: Forms,
        table_bytes: int,
        by_context: bool,
        first_listed: int = FIRST_LISTED,
    ) -> None:
        """table_bytes: the most memory for T; first_listed: forms that the list of rows starts with."""
        self.forms, self.by_context = forms, by_context
        self._slices, self._first_listed = slices, first_listed
        self.V = slices.context_table()
        self._contexts = len(self.V) if by_context else 1
        _, C, H = self.V.shape
        shape = (C + (0 if slices.sides is None else 2), H)
        self._row_bytes: int = math.prod(shape) * slices.W.itemsize
        self._limit = max(C + 2, table_bytes // self._row_bytes)
        # All rows at once: the system gives memory to those alone that are written.
        self.T = np.empty((self._limit, *shape), dtype=slices.W.dtype)
        self._of = np.empty(self._limit, dtype=np.int32)  # the word of each row
        self._rows = np.empty(0, dtype=np.int32)  # the row of each word; −1 for none
        self._used = 0
        self._age = forms.age
        self._changing = False

    @property
    def bytes(self) -> int:
        """The memory that its rows take."""
        return self._used * self._row_bytes

    def forget_rows(self, room: NDArray[np.uint8] | None = None) -> None:
        """Start anew without rows; room: the memory for rows from here on."""
        T = self.T
        if room is not None:
            T = room[: T.nbytes].view(T.dtype).reshape(T.shape)
        self._changing = True
        self._rows[self._of[: self._used]] = -1
        self._used, self.T = 0, T
        self._changing = False

    def _recover(self) -> None:
        """Start anew after a change that was interrupted, when rows and words may disagree."""
        rows = np.full_like(self._rows, -1)
        self._rows, self._used, self._changing = rows, 0, False

    def rows_of(self, forms: Ids, contexts: Ids) -> Ids | None:
        """Return the row of T for each word (n,), given the number of its form and of its combination of
        contexts; those not met before get one. None if they are more than there may be rows, of which
        a window's words always have enough."""
        if self._changing:
            self._recover()
        if self._age != self.forms.age:  # the same numbers mean other forms now
            self.forget_rows()
            self._age = self.forms.age
        words = forms * np.int32(self._contexts) + contexts if self.by_context else forms
        listed, known = len(self._rows), self._contexts * len(self.forms.ids)
        if known > listed:
            more = max(self._first_listed * self._contexts, known - listed, listed // 2)
            self._rows = np.pad(self._rows, (0, more), constant_values=-1)
        rows = self._rows[words]
        if rows.min() >= 0:
            return rows
        new = _distinct(words[rows < 0])
        if self._used + len(new) > self._limit:
            new = _distinct(words)
            if len(new) > self._limit:
                return None
            self.forget_rows()
        self._fill(new)
        after = self._used + len(new)
        numbers = np.arange(self._used, after, dtype=np.int32)

        self._changing = True
        self._of[self._used : after] = new
        self._rows[new] = numbers
        self._used = after
        self._changing = False
        return np.asarray(self._rows[words])

    def _fill(self, words: Ids) -> None:
        """Write the rows of words, as numbered in rows_of, into those after the ones in use."""
        _, C, H = self.V.shape
        W, sides = self._slices.W.reshape(C * H, -1), self._slices.sides
        for start in range(0, len(words), _FILLED):
            forms, contexts = np.divmod(words[start : start + _FILLED], self._contexts)
            first = self._used + start
            T = self.T[first : first + len(forms)].reshape(len(forms), -1)
            R = self._slices.form_rows(self.forms.ids[forms])  # (n, d_1)
            np.matmul(R, W.T, out=T[:, : C * H])
            if self.by_context:
                T[:, : C * H] += self.V[contexts].reshape(-1, C * H)
            if sides is not None:
                L = self.forms.starting_vectors(forms)  # (n, v)
                L[forms < _PADDINGS] = 0.0  # nothing stands beyond a sentence's ends
                np.matmul(L, sides.reshape(2 * H, -1).T, out=T[:, C * H :])


def _distinct(numbers: Ids) -> Ids:
    """Return the distinct ones (n,) in order: as np.unique, which first loads numpy's masked arrays."""
    numbers = np.sort(numbers)
    return numbers[np.diff(numbers, prepend=-1) > 0]
