"""The tagger's fast path: the hidden layer multiplied once per distinct word, not once per token.

A word's row r depends on its form, and on the few features of its context, of which there are not
many combinations; and z is linear in the window's rows:

    z = W x + b = b + Σ_c W_c r(w_c) + Σ_c V_c k(w_c) + G g

    W_c (H, d_1), V_c (H, d_2): the slices of W for the word form's and the context's part of the row
    at window position c; G (H, e): that for the centre's given inputs g

So with T_c = r W_cᵀ + k V_cᵀ made once for each distinct word (a form in a combination of contexts),
a token costs C row additions, one f and the K × H product. The tables grow with the words met, up
to a limit of memory; then they start anew.

The mean score of k networks is one network, k times as wide: their hidden units side by side, and
s = Σ_i (1/k) U_i f(W_i x_i + b_i). So the members of an ensemble need no code of their own here:
each fills its columns of the same tables.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import DTypeLike

from nertool.config import Config
from nertool.corpus.columnar import Ids, Offsets
from nertool.corpus.schemes import TagSpans, spans_of
from nertool.embeddings.context import CONTEXTS, Setting, context_ids
from nertool.embeddings.inputs import contexts_of, given_inputs, table_columns
from nertool.embeddings.windows import FIRST_TYPE, pad
from nertool.embeddings.wordforms import WordForms
from nertool.network.activations import ACTIVATIONS, Array
from nertool.network.lookup import embed
from nertool.network.objective import weights_of
from nertool.tagging.adjust import adjust, softmax
from nertool.tagging.decode import decode
from nertool.tagging.model import Member, Model, word_vectors

_BLOCK_BYTES = 1 << 18  # of z at a time: it and one gathered table stay in the processor's cache
_PIECE = 1 << 14  # tokens whose words are looked up together: so many rows the tables always hold
_START = 4096  # rows that the tables have room for at first
_PLACES_BYTES = 64 << 20  # of the list of where each word stands in the tables
TABLE_BYTES = 256 << 20


class CompiledTagger:
    """A model with its pre-multiplied tables. Not for several threads at once: the tables grow."""

    def __init__(self, model: Model, table_bytes: int = TABLE_BYTES) -> None:
        self.model = model
        self.lattice = model.lattice()
        stages = 1 + bool(model.first_stage)
        self._stage = _Stage(model.config, model.members, table_bytes // stages)
        self._first = (
            _Stage(model.config, model.first_stage, table_bytes // stages)
            if model.first_stage
            else None
        )

    def scores(self, setting: Setting) -> Array:
        """Score every token of a text for every tag: (N, T), ready to choose tags by."""
        opinion = softmax(self._first.scores(setting)) if self._first else None
        return adjust(self._stage.scores(setting, opinion), setting, self.model.config.decoding)

    def decode(self, scores: Array, sentence_starts: Offsets) -> Ids:
        """Choose each sentence's tags, as the config says: (N,) int32 into the model's tags."""
        return decode(scores, sentence_starts, self.model.config.decoding.method, self.lattice)

    def spans(self, setting: Setting) -> TagSpans:
        """Find the entities of a text."""
        tag_ids = self.decode(self.scores(setting), setting.sentence_starts)
        return spans_of(tag_ids, self.model.tags, setting.sentence_starts)


class _Stage:
    """Networks side by side, folded into one."""

    def __init__(self, config: Config, members: Sequence[Member], table_bytes: int) -> None:
        self.config = config
        self.members = [_Slices(member, config) for member in members]
        self._encoders = list({id(m.encoder): (m.encoder, m.L) for m in members}.values())
        dtype = members[0].parameters["W"].dtype
        ends = np.cumsum([len(member.weights.b) for member in self.members]).tolist()
        self._units = [slice(a, b) for a, b in zip([0, *ends], ends, strict=False)]
        # (K, ΣH): the mean over the members is taken into U.
        U = np.concatenate([member.weights.U for member in self.members], axis=1)
        self._U = U / dtype.type(len(members))
        self._contexts = contexts_of(config)
        self._sizes = [CONTEXTS[name].size for name in self._contexts]
        self._combinations = math.prod(self._sizes)
        C, H = config.windows.size, ends[-1]
        # (C, combinations, ΣH): V_c k for each combination of contexts
        self._V = self._context_tables(C, H, dtype) if self._contexts else None
        self._T = np.empty((C, _START, H), dtype=dtype)  # (C, rows, ΣH)
        self._limit = max(_PIECE + C + 1, table_bytes // (C * H * dtype.itemsize))
        self._most_forms = _PLACES_BYTES // (4 * self._combinations)
        self._forget_forms()

    def scores(self, setting: Setting, first_stage: Array | None = None) -> Array:
        """Return s (N, T); first_stage (N, T): the probabilities that the members are given."""
        forms = self._forms_of(setting.words)
        m = self.config.windows.size // 2
        text = pad(setting.word_ids, setting.sentence_starts, m)
        words = np.concatenate([[0, 1], forms])[text.types] * self._combinations
        if self._contexts:
            numbers = context_ids(self._contexts, setting)
            words[text.centres] += np.ravel_multi_index(tuple(numbers.T), self._sizes)
        given = self._given(setting, forms, first_stage)
        N, K = len(text.centres), len(self._U)
        # A single output: O's score is 0, and e^s are the odds against it. A column lies in one
        # piece: what follows goes through the tags one by one, over all tokens.
        s = np.zeros((N, max(2, K)), dtype=self._T.dtype, order="F")
        for start in range(0, N, _PIECE):
            centres = text.centres[start : start + _PIECE]
            first, end = centres[0] - m, centres[-1] + m + 1
            rows = self._rows_of(words[first:end])
            own = {i: g[start : start + _PIECE] for i, g in given.items()}
            self._score(rows, centres - first, own, s[start : start + _PIECE, -K:])
        return s

    def _score(self, rows: Ids, centres: Offsets, given: dict[int, Array], s: Array) -> None:
        """Write s (n, K): for each token, add up its window's rows of the tables; then f, then U."""
        C, _, H = self._T.shape
        m = C // 2
        f = ACTIVATIONS[self.config.network.activation].f
        size = max(1, _BLOCK_BYTES // (H * self._T.itemsize))
        buffers = np.empty((2, min(len(s), size), H), dtype=self._T.dtype)
        out = np.empty((buffers.shape[1], len(self._U)), dtype=self._T.dtype)
        for start in range(0, len(s), size):
            block = slice(start, start + size)
            own = centres[block]
            z, share = buffers[:, : len(own)]
            for c in range(C):
                # mode="clip" spares take a copy: without it, `out` is buffered in case an index
                # is bad.
                target = share if c else z
                np.take(self._T[c], rows[own + (c - m)], axis=0, out=target, mode="clip")
                if c:
                    z += share
            for member, units in zip(self.members, self._units, strict=True):
                if given:
                    z[:, units] += given[id(member.encoder)][block] @ member.G.T
            f(z, out=z)
            s[block] = np.matmul(z, self._U.T, out=out[: len(own)])

    def _given(self, setting: Setting, forms: Ids, first_stage: Array | None) -> dict[int, Array]:
        """Return what stands beside the windows, (N, e), by the encoder that it depends on."""
        given = {}
        for (encoder, L), ids in zip(self._encoders, self._ids, strict=True):
            g = given_inputs(
                self.config.features, setting, partial(_vectors, L, ids, forms), first_stage
            )
            if g is not None:
                given[id(encoder)] = g
        return given

    def _forget_forms(self) -> None:
        """Begin anew with the paddings alone."""
        self._forms: dict[str, int] = {}
        self._last: tuple[WordForms | None, Ids] = (None, np.empty(0, dtype=np.int32))
        # For each encoder (forms, F), the forms' row numbers in its tables; the paddings' first.
        self._ids = [encoder.padding for encoder, _ in self._encoders]
        self._forget_rows()

    def _forget_rows(self) -> None:
        # Where each form stands in the tables, in each combination of contexts; −1 for nowhere.
        self._places = np.full((max(_START, len(self._ids[0])), self._combinations), -1, np.int32)
        self._used = 0

    def _forms_of(self, words: Sequence[str]) -> Ids:
        """Return each word form's number, (n,) int32, adding those not met before."""
        # A list that only grew since it was last asked about: what is new in it is enough.
        same = words is self._last[0]
        begun = self._last[1] if same else np.empty(0, dtype=np.int32)
        added = words[len(begun) :]
        known = self._forms
        new = [word for word in added if word not in known]
        if len(known) + len(new) > self._most_forms and known:
            self._forget_forms()
            known, begun, added, new = self._forms, begun[:0], words, list(words)
        if new:
            first = FIRST_TYPE + len(known)
            known.update(zip(new, range(first, first + len(new)), strict=True))
            ids = [encoder.encode(new) for encoder, _ in self._encoders]
            self._ids = [np.concatenate(pair) for pair in zip(self._ids, ids, strict=True)]
            room = len(self._places)
            if first + len(new) > room:
                more = max(room, first + len(new) - room)
                self._places = np.pad(self._places, ((0, more), (0, 0)), constant_values=-1)
        numbers = np.array([known[word] for word in added], dtype=np.int32)
        numbers = np.concatenate([begun, numbers])
        self._last = (words if isinstance(words, WordForms) else None, numbers)
        return numbers

    def _rows_of(self, words: Ids) -> Ids:
        """Return the row of the tables for each word (n,), given as its form's number · combinations +
        its combination; words not met before get one."""
        places = self._places.ravel()
        rows = places[words]
        if rows.min(initial=0) < 0:
            new = _distinct(words[rows < 0])
            if self._used + len(new) > self._limit:
                self._forget_rows()
                places = self._places.ravel()
                new = _distinct(words)
            places[new] = np.arange(self._used, self._used + len(new))
            self._fill(new)
            rows = places[words]
        return rows

    def _fill(self, words: Ids) -> None:
        """Write T_c = r W_cᵀ + k V_cᵀ for words, as in _rows_of, making room if there is none."""
        C, room, H = self._T.shape
        first, after = self._used, self._used + len(words)
        if after > room:
            grown = np.empty((C, min(max(2 * room, after), self._limit), H), dtype=self._T.dtype)
            grown[:, :first] = self._T[:, :first]
            self._T = grown
        self._used = after
        forms, combinations = np.divmod(words, self._combinations)
        ids = {
            id(encoder): own[forms]
            for (encoder, _), own in zip(self._encoders, self._ids, strict=True)
        }
        for member, units in zip(self.members, self._units, strict=True):
            R = member.form_rows(ids[id(member.encoder)])  # (n, d_1)
            for c in range(C):
                T_c = self._T[c, first:after, units]
                np.matmul(R, member.W[c].T, out=T_c)
                if c == C // 2:
                    T_c += member.weights.b
        if self._V is not None:
            self._T[:, first:after] += self._V[:, combinations]

    def _context_tables(self, C: int, H: int, dtype: DTypeLike) -> Array:
        numbers = np.indices(self._sizes, np.int32).reshape(len(self._sizes), -1).T
        V = np.empty((C, len(numbers), H), dtype=dtype)
        for member, units in zip(self.members, self._units, strict=True):
            k = embed([member.parameters[f"E.{name}"] for name in self._contexts], numbers)
            for c in range(C):
                np.matmul(k, member.V[c].T, out=V[c, :, units])
        return V


def _distinct(numbers: Ids) -> Ids:
    """Return the distinct ones (n,) in order: as np.unique, which first loads numpy's masked arrays."""
    numbers = np.sort(numbers)
    return numbers[np.diff(numbers, prepend=-1) > 0]


def _vectors(L: Array, ids: Ids, forms: Ids, words: Ids) -> Array:
    """Return the starting vectors (n, v) of words (n,), which point into the forms' numbers."""
    return np.asarray(L[ids[forms[words], 0]])


class _Slices:
    """A member with its W cut up: W (C, H, d_1), V (C, H, d_2), G (H, e), as at the head of this file."""

    def __init__(self, member: Member, config: Config) -> None:
        self.encoder, self._member = member.encoder, member
        self.parameters = member.parameters
        self.weights = weights_of(member.parameters)
        columns = table_columns(config)
        width = {name: n * self.parameters[name].shape[1] for name, n in columns.items()}
        contexts = {f"E.{name}" for name in contexts_of(config)}
        self._features = {name: n for name, n in columns.items() if name not in {"L", *contexts}}
        C, d = config.windows.size, sum(width.values())
        d_1 = d - sum(width[name] for name in contexts)
        H, W = len(self.weights.b), self.weights.W
        in_window = W[:, : C * d].reshape(H, C, d).transpose(1, 0, 2)
        self.W, self.V, self.G = in_window[:, :, :d_1], in_window[:, :, d_1:], W[:, C * d :]

    def form_rows(self, ids: Ids) -> Array:
        """Return the part of a row that the word form decides, (n, d_1), from its row numbers."""
        vectors = word_vectors(self._member, ids[:, 0])
        if not self._features:
            return vectors
        tables = [self.parameters[name] for name in self._features]
        looks = embed(tables, ids[:, 1:], list(self._features.values()))
        return np.concatenate([vectors, looks], axis=1)
