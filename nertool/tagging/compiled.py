"""The tagger's fast path: the hidden layer multiplied once per word form, not once per token.

A word's row r(w) depends on the word alone, but for the few features of its context, of which there
are not many combinations; and z is linear in the window's rows:

    z = W x + b = b + Σ_c W_c r(w_c) + Σ_c V_c k(w_c) + G g

    W_c (H, d_1), V_c (H, d_2): the slices of W for the word form's and the context's part of the row
    at window position c; G (H, e): that for the centre's given inputs g

So with T_c = r W_cᵀ made once for each distinct word form (and k V_cᵀ once for each combination of
contexts), a token costs C row additions, one f and the K × H product. Tables grow with the words
met, up to a limit of memory; then they start anew.

The mean score of k networks is one network, k times as wide: their hidden units side by side, and
s = Σ_i (1/k) U_i f(W_i x_i + b_i). So the members of an ensemble need no code of their own here:
each fills its columns of the same tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from nertool.config import Config
from nertool.corpus.columnar import Ids, Offsets
from nertool.corpus.schemes import TagSpans, spans_of
from nertool.embeddings.context import CONTEXTS, Setting, context_ids
from nertool.embeddings.inputs import contexts_of, given_inputs, table_columns
from nertool.embeddings.windows import FIRST_TYPE, PaddedText, pad
from nertool.network.activations import ACTIVATIONS, Array
from nertool.network.lookup import embed
from nertool.network.objective import weights_of
from nertool.tagging.adjust import adjust, softmax
from nertool.tagging.decode import decode
from nertool.tagging.model import Member, Model, word_vectors

_BLOCK = 1024  # tokens at a time: z and one gathered table stay in the processor's cache
_START = 4096  # word forms that the tables have room for at first
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
        C, H = config.windows.size, ends[-1]
        self._limit = max(_START, table_bytes // (C * H * dtype.itemsize))
        self._slots: dict[str, int] = {}
        self._T = np.empty((C, _START, H), dtype=dtype)  # (C, forms, ΣH)
        self._rows = np.zeros((len(self._encoders), _START), dtype=np.int32)  # each form's row of L
        self._fill(0, [encoder.padding for encoder, _ in self._encoders])
        self._contexts = contexts_of(config)
        self._V = self._context_tables() if self._contexts else None  # (C, combinations, ΣH)

    def scores(self, setting: Setting, first_stage: Array | None = None) -> Array:
        """Return s (N, T); first_stage (N, T): the probabilities that the members are given."""
        slots = self._slots_of(setting.words)
        m = self.config.windows.size // 2
        text = pad(slots[setting.word_ids] - FIRST_TYPE, setting.sentence_starts, m)
        gathered = [(self._T, text.types)]
        if self._V is not None:
            around = np.zeros(len(text.types), dtype=np.int32)
            around[text.centres] = self._combinations(context_ids(self._contexts, setting))
            gathered.append((self._V, around))
        s = self._score(gathered, text, self._given(setting, slots, first_stage))
        if s.shape[1] == 1:  # a single output: O's score is 0, and e^s are the odds against it
            s = np.concatenate([np.zeros_like(s), s], axis=1)
        return s

    def _score(
        self, gathered: list[tuple[Array, Ids]], text: PaddedText, given: dict[int, Array]
    ) -> Array:
        """Return s (N, K): for each token, add up its window's rows of the tables; then f, then U."""
        C, _, H = self._T.shape
        N = len(text.centres)
        f = ACTIVATIONS[self.config.network.activation].f
        s = np.empty((N, len(self._U)), dtype=self._T.dtype)
        buffers = np.empty((2, min(N, _BLOCK), H), dtype=self._T.dtype)
        for start in range(0, N, _BLOCK):
            centres = text.centres[start : start + _BLOCK]
            z, share = buffers[:, : len(centres)]
            target = z
            for table, rows in gathered:
                for c in range(C):
                    # mode="clip" spares take a copy: without it, `out` is buffered in case an index
                    # is bad.
                    np.take(table[c], rows[centres + (c - text.m)], axis=0, out=target, mode="clip")
                    if target is share:
                        z += share
                    target = share
            for member, units in zip(self.members, self._units, strict=True):
                if given:
                    g = given[id(member.encoder)][start : start + len(centres)]
                    z[:, units] += g @ member.G.T
            f(z, out=z)
            np.matmul(z, self._U.T, out=s[start : start + len(centres)])
        return s

    def _given(self, setting: Setting, slots: Ids, first_stage: Array | None) -> dict[int, Array]:
        """Return what stands beside the windows, (N, e), by the encoder that it depends on."""
        given = {}
        for (encoder, L), rows in zip(self._encoders, self._rows, strict=True):
            g = given_inputs(
                self.config.features, setting, partial(L.__getitem__, rows[slots]), first_stage
            )
            if g is not None:
                given[id(encoder)] = g
        return given

    def _slots_of(self, words: Sequence[str]) -> Ids:
        """Return each word form's place in the tables, (n,) int32, adding those not met before."""
        known = self._slots
        new = [word for word in words if word not in known]
        if new:
            if FIRST_TYPE + len(known) + len(new) > self._limit:
                known.clear()
                new = list(words)
            first = FIRST_TYPE + len(known)
            self._fill(first, [encoder.encode(new) for encoder, _ in self._encoders])
            known.update(zip(new, range(first, first + len(new)), strict=True))
        return np.array([known[word] for word in words], dtype=np.int32)

    def _fill(self, first: int, ids: Sequence[Ids]) -> None:
        """Write T_c = r W_cᵀ for word forms from place `first` on, making room if there is none; ids:
        for each encoder (n, F), the forms' row numbers in its tables."""
        C, room, H = self._T.shape
        after = first + len(ids[0])
        if after > room:
            grown = np.empty((C, max(2 * room, after), H), dtype=self._T.dtype)
            grown[:, :first] = self._T[:, :first]
            rows = np.zeros((len(ids), grown.shape[1]), dtype=np.int32)
            rows[:, :first] = self._rows[:, :first]
            self._T, self._rows = grown, rows
        by_encoder = {}
        for i, (encoder, _) in enumerate(self._encoders):
            self._rows[i, first:after] = ids[i][:, 0]
            by_encoder[id(encoder)] = ids[i]
        for member, units in zip(self.members, self._units, strict=True):
            R = member.form_rows(by_encoder[id(member.encoder)])  # (n, d_1)
            for c in range(C):
                T_c = self._T[c, first:after, units]
                np.matmul(R, member.W[c].T, out=T_c)
                if c == C // 2:
                    T_c += member.weights.b

    def _context_tables(self) -> Array:
        """Return V_c k for each combination k of the contexts' numbers, (C, combinations, ΣH)."""
        sizes = [CONTEXTS[name].size for name in self._contexts]
        numbers = np.indices(sizes, np.int32).reshape(len(sizes), -1).T  # (combinations, contexts)
        C, _, H = self._T.shape
        V = np.empty((C, len(numbers), H), dtype=self._T.dtype)
        for member, units in zip(self.members, self._units, strict=True):
            k = embed([member.parameters[f"E.{name}"] for name in self._contexts], numbers)
            for c in range(C):
                np.matmul(k, member.V[c].T, out=V[c, :, units])
        return V

    def _combinations(self, ids: Ids) -> Ids:
        """Return the place of each token's contexts (N, contexts) in their tables, (N,)."""
        sizes = [CONTEXTS[name].size for name in self._contexts]
        return np.asarray(np.ravel_multi_index(tuple(ids.T), sizes), dtype=np.int32)


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
