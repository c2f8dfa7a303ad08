"""The tagger's fast path: the hidden layer multiplied once per distinct word, not once per token.

A word's row r depends on its form, and on the few features of its context, of which there are not
many combinations; and z is linear in the window's rows:

    z = W x + b = b + Σ_c W_c r(w_c) + Σ_c V_c k(w_c) + G g

    W_c (H, d_1), V_c (H, d_2): the slices of W for the word form's and the context's part of the row
    at window position c; G (H, e): that for the centre's given inputs g

So with T_c = r W_cᵀ + k V_cᵀ made once for each distinct word (a form in a combination of contexts),
a token costs C row additions, one f and the K × H product. The tables grow with the words met, up
to a limit of memory; then they start anew.

Each member of an ensemble has tables of its own; where all of them together would take too much memory,
they take turns.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.config import Config
from nertool.corpus.columnar import Ids, Offsets
from nertool.corpus.schemes import TagSpans, spans_of
from nertool.embeddings.context import CONTEXTS, Setting, context_ids
from nertool.embeddings.inputs import Part, contexts_of, given_parts, table_columns
from nertool.embeddings.windows import PaddedText, pad
from nertool.embeddings.wordforms import WordForms
from nertool.kernels.library import window_sums
from nertool.network.activations import ACTIVATIONS, Array
from nertool.network.lookup import embed
from nertool.network.objective import weights_of
from nertool.tagging.adjust import adjust, softmax
from nertool.tagging.decode import decode
from nertool.tagging.model import Member, Model, word_vectors

_BLOCK_BYTES = 1 << 18  # of z at a time: it and one gathered table stay in the processor's cache
_FILLED = 512  # rows that are made at a time
_START = 4096  # forms that the list of places begins with
_PLACES_BYTES = 32 << 20  # of the list of where each word stands in a table; it bounds the forms
_MOST_FORMS = 1 << 19  # word forms that are remembered
TABLE_BYTES = 256 << 20


class CompiledTagger:
    """A model with its pre-multiplied tables. Not for several threads at once: the tables grow."""

    def __init__(self, model: Model, table_bytes: int = TABLE_BYTES) -> None:
        self.model = model
        self.lattice = model.lattice()
        members = (*model.first_stage, *model.members)
        forms = {id(m.encoder): _Forms(m, model.config) for m in members}
        self._first, self._members = (
            [_Network(m, model.config, forms[id(m.encoder)], table_bytes) for m in stage]
            for stage in (model.first_stage, model.members)
        )
        self._table_bytes = table_bytes

    def scores(self, setting: Setting) -> Array:
        """Score every token of a text for every tag: (N, T), ready to choose tags by."""
        text = _lay_out(setting, self.model.config)
        opinion = softmax(self._mean(self._first, text, None)) if self._first else None
        scores = self._mean(self._members, text, opinion)
        return adjust(scores, setting, self.model.config.decoding)

    def _mean(self, networks: Sequence[_Network], text: _Text, first_stage: Array | None) -> Array:
        """Return the mean of the networks' scores, (N, T)."""
        total: Array | None = None
        given: dict[int, list[Part]] = {}  # by the vectors that it is made of
        for network in networks:
            forms = network.forms
            if id(forms) not in given:
                given[id(forms)] = forms.given(text.setting, self.model.config, first_stage)
            others = [other for other in (*self._first, *self._members) if other is not network]
            if network.bytes + sum(other.bytes for other in others) > self._table_bytes:
                for other in others:  # one at a time, then: each makes its own anew for every text
                    other.forget_rows()
            s = network.scores(text, given[id(forms)])
            total = s if total is None else np.add(total, s, out=total)
        assert total is not None
        if len(networks) > 1:
            total /= total.dtype.type(len(networks))
        return total

    def decode(self, scores: Array, sentence_starts: Offsets) -> Ids:
        """Choose each sentence's tags, as the config says: (N,) int32 into the model's tags."""
        return decode(scores, sentence_starts, self.model.config.decoding.method, self.lattice)

    def spans(self, setting: Setting) -> TagSpans:
        """Find the entities of a text."""
        tag_ids = self.decode(self.scores(setting), setting.sentence_starts)
        return spans_of(tag_ids, self.model.tags, setting.sentence_starts)


class _Text(NamedTuple):
    """A text as all networks read it: combinations (P,) int64, the number of each word's combination of
    contexts, 0 for the paddings'; padded and its setting as they are."""

    setting: Setting
    padded: PaddedText
    combinations: NDArray[np.int64]


def _lay_out(setting: Setting, config: Config) -> _Text:
    padded = pad(setting.word_ids, setting.sentence_starts, config.windows.size // 2)
    combinations = np.zeros(len(padded.types), dtype=np.int64)
    names = contexts_of(config)
    if names:
        numbers = context_ids(names, setting)
        combinations[padded.centres] = np.ravel_multi_index(tuple(numbers.T), _sizes(names))
    return _Text(setting, padded, combinations)


def _sizes(contexts: Sequence[str]) -> list[int]:
    return [CONTEXTS[name].size for name in contexts]


class _Forms:
    """The word forms that an encoder has met, each with a number; 0 and 1 are the paddings'.

    ids (forms, F): their row numbers in the tables. age: how often all were forgotten.
    """

    def __init__(self, member: Member, config: Config) -> None:
        self._encoder, self._L = member.encoder, member.L
        per_form = 4 * math.prod(_sizes(contexts_of(config)))
        self._most = min(_MOST_FORMS, _PLACES_BYTES // per_form)
        self.age = -1
        self._forget()

    def _forget(self) -> None:
        self._numbers: dict[str, int] = {}
        self.ids = self._encoder.padding
        self._last: tuple[WordForms | None, Ids] = (None, np.empty(0, dtype=np.int32))
        self.age += 1

    def numbers_of(self, words: Sequence[str]) -> Ids:
        """Return each word form's number, (n,) int32, adding those not met before."""
        # A list that only grew since it was last asked about: what is new in it is enough.
        begun = self._last[1] if words is self._last[0] else np.empty(0, dtype=np.int32)
        added = words[len(begun) :]
        known = self._numbers
        new = [word for word in added if word not in known]
        if known and len(known) + len(new) > self._most:
            self._forget()
            known, begun, added, new = self._numbers, begun[:0], words, list(words)
        if new:
            first = len(self.ids)
            known.update(zip(new, range(first, first + len(new)), strict=True))
            self.ids = np.concatenate([self.ids, self._encoder.encode(new)])
        numbers = np.array([known[word] for word in added], dtype=np.int32)
        numbers = np.concatenate([begun, numbers])
        self._last = (words if isinstance(words, WordForms) else None, numbers)
        return numbers

    def given(self, setting: Setting, config: Config, first_stage: Array | None) -> list[Part]:
        """Return what stands beside the windows, for networks with this encoder's vectors."""
        numbers = self.numbers_of(setting.words)

        def vectors(words: Ids) -> Array:
            return np.asarray(self._L[self.ids[numbers[words], 0]])

        return given_parts(config.features, setting, vectors, first_stage)


class _Network:
    """A member's weights, and the rows T_c of the words met so far."""

    def __init__(self, member: Member, config: Config, forms: _Forms, table_bytes: int) -> None:
        self.forms = forms
        self._slices = _Slices(member, config)
        self._U = self._slices.weights.U
        self._f = ACTIVATIONS[config.network.activation].f
        self._contexts = contexts_of(config)
        self._combinations = math.prod(_sizes(self._contexts))
        C, H = config.windows.size, len(self._slices.weights.b)
        # (combinations, C, H): V_c k for each combination of contexts
        self._V = self._slices.context_tables(self._contexts) if self._contexts else None
        self._shape, self._dtype = (C, H), self._U.dtype
        self._limit = max(C + 2, table_bytes // (C * H * self._dtype.itemsize))
        self._age = forms.age
        self.forget_rows()

    @property
    def bytes(self) -> int:
        """The memory that its rows take."""
        C, H = self._shape
        return self._used * C * H * self._dtype.itemsize

    def forget_rows(self) -> None:
        """Begin anew with no row."""
        # (rows, C, H): what a word gives to the windows around it stands together. All rows at once:
        # the system gives memory to those alone that are written.
        self._T = np.empty((self._limit, *self._shape), dtype=self._dtype)
        # Where each form stands in T, in each combination of contexts; −1 for nowhere.
        self._places = np.full((0, self._combinations), -1, dtype=np.int32)
        self._used = 0

    def scores(self, text: _Text, given: Sequence[Part]) -> Array:
        """Return s (N, T); given: what stands beside the windows."""
        setting, padded = text.setting, text.padded
        numbers = self.forms.numbers_of(setting.words)
        if self._age != self.forms.age:  # its numbers mean other forms now
            self._age = self.forms.age
            self.forget_rows()
        words = np.concatenate([[0, 1], numbers])[padded.types] * self._combinations
        words += text.combinations
        beside = _Beside(self._slices.G, given, setting)
        N, K = len(padded.centres), len(self._U)
        # A single output: O's score is 0, and e^s are the odds against it. A column lies in one
        # piece: what follows goes through the tags one by one, over all tokens.
        s = np.zeros((N, max(2, K)), dtype=self._dtype, order="F")
        self._score(words, padded.centres, 0, beside, s[:, -K:])
        return s

    def _score(self, words: Ids, centres: Offsets, first: int, beside: _Beside, s: Array) -> None:
        """Write s (n, K) of the tokens from `first` on, whose words stand at centres (n,) in words."""
        if not len(centres):
            return
        m = self._shape[0] // 2
        begin, end = centres[0] - m, centres[-1] + m + 1
        rows = self._rows_of(words[begin:end])
        if rows is None:  # too many words at once: half of the text at a time
            half = len(centres) // 2
            self._score(words, centres[:half], first, beside, s[:half])
            self._score(words, centres[half:], first + half, beside, s[half:])
            return
        self._add_up(rows, centres - begin, first, beside, s)

    def _add_up(self, rows: Ids, centres: Offsets, first: int, beside: _Beside, s: Array) -> None:
        """For each token, add up its window's rows of T, and what stands beside it; then f, then U."""
        C, H = self._shape
        flat = self._T.reshape(-1, H)
        size = max(1, _BLOCK_BYTES // (H * self._dtype.itemsize))
        buffers = np.empty((2, min(len(s), size), H), dtype=self._dtype)
        out = np.empty((buffers.shape[1], len(self._U)), dtype=self._dtype)
        for start in range(0, len(s), size):
            own = centres[start : start + size]
            z, share = buffers[:, : len(own)]
            if not window_sums(self._T, rows, own, z):
                for c in range(C):
                    at = rows[own + (c - C // 2)] * np.int64(C) + c
                    # mode="clip" spares take a copy: without it, `out` is buffered in case an index
                    # is bad.
                    np.take(flat, at, axis=0, out=share if c else z, mode="clip")
                    if c:
                        z += share
            beside.add_to(z, first + start, share)
            self._f(z, out=z)
            s[start : start + size] = np.matmul(z, self._U.T, out=out[: len(own)])

    def _rows_of(self, words: Ids) -> Ids | None:
        """Return the row of T for each word (n,), given as its form's number · combinations + its
        combination; words not met before get one. None if they are more than there may be rows."""
        forms = len(self.forms.ids)
        if forms > len(self._places):
            more = max(_START, forms - len(self._places), len(self._places) // 2)
            self._places = np.pad(self._places, ((0, more), (0, 0)), constant_values=-1)
        places = self._places.ravel()
        rows = places[words]
        if rows.min() >= 0:
            return rows
        new = _distinct(words[rows < 0])
        if self._used + len(new) > self._limit:
            new = _distinct(words)
            if len(new) > self._limit and len(words) > self._shape[0]:
                return None
            self.forget_rows()
            return self._rows_of(words)
        places[new] = np.arange(self._used, self._used + len(new))
        self._fill(new)
        return np.asarray(places[words])

    def _fill(self, words: Ids) -> None:
        """Write T_c = r W_cᵀ + k V_cᵀ for words, as in _rows_of, into the rows that come next."""
        first, (_, C, H) = self._used, self._T.shape
        self._used += len(words)
        W = self._slices.W.reshape(C * H, -1)
        for start in range(0, len(words), _FILLED):
            forms, combinations = np.divmod(words[start : start + _FILLED], self._combinations)
            R = self._slices.form_rows(self.forms.ids[forms])  # (n, d_1)
            T = self._T[first + start : first + start + len(R)]
            np.matmul(R, W.T, out=T.reshape(-1, C * H))
            T[:, C // 2] += self._slices.weights.b
            if self._V is not None:
                T += self._V[combinations]


class _Beside:
    """G g, without a product for what is 0, and with one for all tokens of a document."""

    def __init__(self, G: Array, parts: Sequence[Part], setting: Setting) -> None:
        """G (H, e): the slice of W for the given inputs, which come in parts of its columns."""
        self._documents = setting.documents
        self._rows: list[tuple[NDArray[np.int64], Array, Array]] = []
        self._of_documents: list[Array] = []
        at = 0
        for tokens, values in parts:
            G_i = G[:, at : at + values.shape[1]].T
            at += values.shape[1]
            if tokens is None:
                self._of_documents.append(values @ G_i)  # (D, H)
            else:
                self._rows.append((tokens, values, G_i))

    def add_to(self, z: Array, first: int, share: Array) -> None:
        """Add G g to z (n, H) of the tokens from `first` on; share: room for as much."""
        n = len(z)
        for products in self._of_documents:
            np.take(products, self._documents[first : first + n], axis=0, out=share, mode="clip")
            z += share
        for tokens, values, G_i in self._rows:
            a, b = np.searchsorted(tokens, (first, first + n))
            z[tokens[a:b] - first] += np.matmul(values[a:b], G_i, out=share[: b - a])


def _distinct(numbers: Ids) -> Ids:
    """Return the distinct ones (n,) in order: as np.unique, which first loads numpy's masked arrays."""
    numbers = np.sort(numbers)
    return numbers[np.diff(numbers, prepend=-1) > 0]


class _Slices:
    """A member with its W cut up: W (C, H, d_1), V (C, H, d_2), G (H, e), as at the head of this file."""

    def __init__(self, member: Member, config: Config) -> None:
        self._member = member
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
        self.W = np.ascontiguousarray(in_window[:, :, :d_1])
        self.V, self.G = in_window[:, :, d_1:], W[:, C * d :]

    def form_rows(self, ids: Ids) -> Array:
        """Return the part of a row that the word form decides, (n, d_1), from its row numbers."""
        vectors = word_vectors(self._member, ids[:, 0])
        if not self._features:
            return vectors
        tables = [self.parameters[name] for name in self._features]
        looks = embed(tables, ids[:, 1:], list(self._features.values()))
        return np.concatenate([vectors, looks], axis=1)

    def context_tables(self, contexts: Sequence[str]) -> Array:
        """Return V_c k for each combination k of the contexts' numbers, (combinations, C, H)."""
        numbers = np.indices(_sizes(contexts), np.int32).reshape(len(contexts), -1).T
        k = embed([self.parameters[f"E.{name}"] for name in contexts], numbers)
        return np.stack([k @ V_c.T for V_c in self.V], axis=1)
