"""The tagger's fast path: the hidden layer multiplied once per distinct word, not once per token.

A word's row r depends on its form, and on the few features of its context, of which there are not
many combinations; and z is linear in the window's rows:

    z = W x + b = b + Σ_c W_c r(w_c) + Σ_c V_c k(w_c) + G g

    W_c (H, d_1), V_c (H, d_2): the slices of W for the word type's and the context's part of the row
    at window position c; G (H, e): that for the centre's side inputs g

So with T_c = r W_cᵀ + k V_cᵀ made once for each distinct word (wordtables.py), a token costs C row
additions, one f and the K × H product; G g is in side.py.

Each member of an ensemble has a table of its own; where all of them together would take too much memory,
they take turns. There a text's words cost more than its tokens, so that rows are of forms alone, with
another C additions for their contexts.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Sequence
from typing import NamedTuple
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

from nertool.config.records import Config
from nertool.corpus.columnar import Ids, Offsets
from nertool.decoding.adjust import adjust, softmax
from nertool.inputs.context import context_ids
from nertool.inputs.gazetteers import Gazetteers
from nertool.inputs.layout import contexts_of
from nertool.inputs.text import DOCUMENT_TOKENS, Text
from nertool.inputs.windows import pad
from nertool.kernels.tagging import window_sums
from nertool.model.model import Member, Model
from nertool.network.activations import ACTIVATIONS, Array
from nertool.tagging.rules import Rules
from nertool.tagging.side import SideInputs, SideSum, Stretch, side_inputs_of
from nertool.tagging.wordtables import (
    FIRST_LISTED,
    MOST_FORMS,
    Forms,
    Slices,
    WordTable,
    combinations_of,
)

_BLOCK_BYTES = 1 << 18  # of z at a time: it and one gathered table stay in the processor's cache
TABLE_BYTES = 256 << 20


class CompiledTagger:
    """A model with its pre-multiplied tables, which grow with the words that it meets.

    Threads may share a tagger: a lock lets one at a time score a text. A process that is forked
    meanwhile gets tables that are whole.
    """

    def __init__(
        self,
        model: Model,
        table_bytes: int = TABLE_BYTES,
        most_forms: int = MOST_FORMS,
        first_listed: int = FIRST_LISTED,
        document_tokens: int = DOCUMENT_TOKENS,
    ) -> None:
        """table_bytes: the most memory for the tables; most_forms: the word types that are remembered;
        first_listed: the word types that lists start with; document_tokens: as in Text."""
        self.model = model
        self.rules: Rules | None = None  # phrases that are always, or never, an entity
        self.document_tokens = document_tokens
        self._lock = threading.RLock()
        _TAGGERS.add(self)
        self.lattice = model.lattice()
        members = (*model.first_stage, *model.members)
        contexts = math.prod(combinations_of(contexts_of(model.config)))
        forms = {id(m.encoder): Forms(m, contexts, most_forms) for m in members}
        self.most_forms = min(own.most for own in forms.values())
        self._first, self._members = (
            [
                _Network(m, model, forms[id(m.encoder)], table_bytes, first_listed, second)
                for m in stage
            ]
            for stage, second in (
                (model.first_stage, False),
                (model.members, bool(model.first_stage)),
            )
        )
        self._table_bytes = table_bytes
        self._tables = [network.table for network in (*self._first, *self._members)]
        self._shared: NDArray[np.uint8] | None = None  # the memory of tables that take turns

    def scores(self, text: Text) -> Array:
        """Score every token of a text for every tag: (N, T), ready to choose tags by."""
        with self._lock:
            scores = self._scores(text)
        return adjust(scores, text, self.model.config.decoding)

    def _scores(self, text: Text) -> Array:
        """Return the members' mean scores, (N, T)."""
        read = CompiledText(text, self.model.config, self.model.members[0].encoder.gazetteers)
        opinion = softmax(self._mean(self._first, read, None)) if self._first else None
        return self._mean(self._members, read, opinion)

    def _mean(
        self, networks: Sequence[_Network], text: CompiledText, first_stage: Array | None
    ) -> Array:
        """Return the mean of the networks' scores, (N, T)."""
        total: Array | None = None
        known: dict[int, SideInputs] = {}  # by the vectors that it is made of
        for network in networks:
            forms = network.table.forms
            if id(forms) not in known:
                known[id(forms)] = side_inputs_of(text.text, self.model.config, forms, first_stage)
            if self._shared is None and self._too_large():
                # One at a time from here on: each makes its rows anew for every text, all in one place.
                size = max(table.T.nbytes for table in self._tables)
                shared = np.empty(size, dtype=np.uint8)
                for table in self._tables:
                    table.forget_rows(shared)
                self._shared = shared
            if self._shared is not None:
                network.table.forget_rows()
            s = network.scores(text, known[id(forms)])
            total = s if total is None else np.add(total, s, out=total)
        assert total is not None
        if len(networks) > 1:
            total /= total.dtype.type(len(networks))
        return total

    def _too_large(self) -> bool:
        """Tell whether the rows of several tables take more memory than there may be."""
        return len(self._tables) > 1 and sum(t.bytes for t in self._tables) > self._table_bytes


# A fork copies the tables as they are: it waits until no other thread is changing them.
_TAGGERS: WeakSet[CompiledTagger] = WeakSet()
_held: list[CompiledTagger] = []
_forking = threading.RLock()


def _before_fork() -> None:
    _forking.acquire()
    for tagger in list(_TAGGERS):
        tagger._lock.acquire()
        _held.append(tagger)


def _after_fork_in_parent() -> None:
    while _held:
        _held.pop()._lock.release()
    _forking.release()


def _after_fork_in_child() -> None:
    global _forking
    _forking = threading.RLock()
    while _held:
        _held.pop()._lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )


class Marked(NamedTuple):
    """The tokens that gazetteers mark: tokens (n,); of_pair (n,): which pair of a word and its marks each is;
    words, marks (pairs, lists): the distinct pairs."""

    tokens: NDArray[np.int64]
    of_pair: NDArray[np.int64]
    words: list[str]
    marks: Ids


def _marked(text: Text, rows: Ids) -> Marked | None:
    """Gather the tokens with marks in rows (N, lists), as Gazetteers.rows has them; None if none has."""
    tokens = np.flatnonzero(rows.any(axis=1))
    if not len(tokens):
        return None
    keys = np.concatenate([text.word_ids[tokens, None], rows[tokens]], axis=1)
    order = np.lexsort(keys.T[::-1])
    first = np.append(True, (np.diff(keys[order], axis=0) != 0).any(axis=1))
    of_pair = np.empty(len(tokens), dtype=np.int64)
    of_pair[order] = np.cumsum(first) - 1
    pairs = keys[order[first]]
    return Marked(tokens, of_pair, [text.words[i] for i in pairs[:, 0].tolist()], pairs[:, 1:])


class CompiledText:
    """A text as all networks read it: contexts (P,) int32, the number of each word's combination of
    contexts, 0 for the paddings'; padded and the text itself; marked: what gazetteers mark in it."""

    def __init__(self, text: Text, config: Config, gazetteers: Gazetteers | None = None) -> None:
        self.text = text
        self.marked = None if gazetteers is None else _marked(text, gazetteers.rows(text))
        # A padding at least, so that each word has neighbours.
        m = max(1, config.windows.size // 2)
        self.padded = pad(text.word_ids, text.sentence_starts, m)
        self.contexts = np.zeros(len(self.padded.types), dtype=np.int32)
        names = contexts_of(config)
        if names:
            numbers = context_ids(names, text)
            of_tokens = np.ravel_multi_index(tuple(numbers.T), combinations_of(names))
            self.contexts[self.padded.centres] = of_tokens


class _Network:
    """A member, and the rows of the words that it has met so far."""

    def __init__(
        self,
        member: Member,
        model: Model,
        forms: Forms,
        table_bytes: int,
        first_listed: int,
        second: bool,
    ) -> None:
        self._slices = Slices(member, model.config, len(model.tags), second)
        alone = len(model.first_stage) + len(model.members) == 1
        self.table = WordTable(self._slices, forms, table_bytes, alone, first_listed)
        self._UT = np.ascontiguousarray(self._slices.weights.U.T)  # (H, K)
        activation = ACTIVATIONS[model.config.network.activation]
        self._f, self._rectifier = activation.f, activation.rectifier

    def scores(self, text: CompiledText, side: SideInputs) -> Array:
        """Return s (N, T); side: its side inputs."""
        words, padded = text.text.words, text.padded
        numbers = self.table.forms.numbers_of(words)
        forms = np.concatenate([np.array([0, 1], dtype=np.int32), numbers])[padded.types]
        if marked := text.marked:
            of_pairs = self.table.forms.numbers_of_marked(marked.words, marked.marks)
            forms[padded.centres[marked.tokens]] = of_pairs[marked.of_pair]
        side_sum = SideSum(self._slices, side, text.text)
        N, K = len(padded.centres), self._UT.shape[1]
        # A single output: O's score is 0, and e^s are the odds against it. A column lies in one
        # piece: what follows goes through the tags one by one, over all tokens.
        s = np.zeros((N, max(2, K)), dtype=self._UT.dtype, order="F")
        self._score(text, forms, slice(0, N), side_sum, s[:, -K:])
        return s

    def _score(
        self, text: CompiledText, forms: Ids, tokens: slice, side_sum: SideSum, s: Array
    ) -> None:
        """Write s (n, K) of a stretch of tokens; forms (P,): the numbers of the padded text's forms."""
        centres, m = text.padded.centres[tokens], text.padded.m
        if not len(centres):
            return
        words = slice(centres[0] - m, centres[-1] + m + 1)
        rows = self.table.rows_of(forms[words], text.contexts[words])
        if rows is None:  # too many words at once: half of the text at a time
            half = len(centres) // 2
            cut = tokens.start + half
            self._score(text, forms, slice(tokens.start, cut), side_sum, s[:half])
            self._score(text, forms, slice(cut, tokens.stop), side_sum, s[half:])
            return
        stretch = Stretch(tokens.start, rows, text.contexts[words], centres - words.start)
        self._add_up(stretch, side_sum, s)

    def _add_up(self, stretch: Stretch, side_sum: SideSum, s: Array) -> None:
        """For each token, add up its window's rows, and its side inputs' share; then f, then U."""
        T, (_, rows, contexts, centres) = self.table.T, stretch
        H, (_, C, _) = T.shape[-1], self.table.V.shape
        V = None if self.table.by_context else self.table.V
        size = max(1, _BLOCK_BYTES // (H * T.itemsize))
        buffers = np.empty((2, min(len(s), size), H), dtype=T.dtype)
        out = np.empty((buffers.shape[1], self._UT.shape[1]), dtype=T.dtype)
        add_side = side_sum.adding_to(buffers[0], T, stretch)
        rectified = self._rectifier and add_side is None  # f can be had with the sums
        gather = window_sums(buffers[0], T, V, rows, contexts, centres, C, rectified)
        for start in range(0, len(s), size):
            own = centres[start : start + size]
            z, share = buffers[:, : len(own)]
            if gather:
                gather(start, len(own))
            else:
                z[:] = 0.0
                _add_windows(z, T, rows, own, C, share)
                if V is not None:
                    _add_windows(z, V, contexts, own, C, share)
            if add_side:
                add_side(start, len(own), share)
            if not (gather and rectified):
                self._f(z, out=z)
            s[start : start + size] = np.matmul(z, self._UT, out=out[: len(own)])


def _add_windows(z: Array, T: Array, rows: Ids, centres: Offsets, C: int, room: Array) -> None:
    """Add Σ_c T[rows[centres[i] + c − C/2], c] to z[i], (n, H); room (n, H)."""
    _, slices, H = T.shape
    for c in range(C):
        at = rows[centres + (c - C // 2)] * np.int64(slices) + c
        # mode="clip" spares take a copy: without it, `out` is buffered in case an index is bad.
        z += np.take(T.reshape(-1, H), at, axis=0, out=room, mode="clip")
