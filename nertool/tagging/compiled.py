"""The tagger's fast path: the hidden layer multiplied once per distinct word, not once per token.

A word's row r depends on its form, and on the few features of its context, of which there are not
many combinations; and z is linear in the window's rows:

    z = W x + b = b + Σ_c W_c r(w_c) + Σ_c V_c k(w_c) + G g

    W_c (H, d_1), V_c (H, d_2): the slices of W for the word type's and the context's part of the row
    at window position c; G (H, e): that for the centre's side inputs g

So with r W_cᵀ made once for each distinct word and k V_cᵀ for each combination of contexts (wordtables.py),
a token costs 2 C row additions, one f and the K × H product; G g is in side.py.

What does not depend on the network is done once for all: looking up words and features, the contexts, the
side inputs.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from functools import partial
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

from nertool.config.records import Config
from nertool.corpus.columnar import Ids
from nertool.decoding.adjust import adjust, softmax
from nertool.inputs.context import CONTEXTS
from nertool.inputs.layout import contexts_of
from nertool.inputs.text import DOCUMENT_TOKENS, Text
from nertool.kernels.library import compiled
from nertool.model.model import Model
from nertool.network.activations import Array
from nertool.tagging.chunks import CHUNK_TOKENS, chunks_of
from nertool.tagging.forms import MOST_FORMS, Forms, marked_tokens
from nertool.tagging.members import Network
from nertool.tagging.rules import Rules
from nertool.tagging.side import SideSum, opinions_of, side_inputs_of
from nertool.tagging.slices import Slices, combinations_of
from nertool.tagging.wordtables import WordRows

TABLE_BYTES, ENSEMBLE_BYTES = 256 << 20, 512 << 20


class CompiledTagger:
    """A model with its pre-multiplied tables, which grow with the words that it meets.

    Threads may share a tagger: a lock lets one at a time score a text. A process that is forked
    meanwhile gets tables that are whole.
    """

    def __init__(
        self,
        model: Model,
        table_bytes: int | None = None,
        most_forms: int = MOST_FORMS,
        document_tokens: int = DOCUMENT_TOKENS,
        chunk_tokens: int = CHUNK_TOKENS,
    ) -> None:
        """table_bytes: the most memory for the tables, TABLE_BYTES, or for several networks ENSEMBLE_BYTES;
        most_forms: the word types that are remembered; document_tokens: as in
        Text; chunk_tokens: as in chunks_of."""
        self.model = model
        self.rules: Rules | None = None  # phrases that are always, or never, an entity
        self.document_tokens, self._chunk_tokens = document_tokens, chunk_tokens
        self._lock = threading.RLock()
        _TAGGERS.add(self)
        self.lattice = model.lattice()
        members = (*model.first_stage, *model.members)
        encoders = list({id(m.encoder): m.encoder for m in members}.values())
        number = {id(encoder): i for i, encoder in enumerate(encoders)}
        self._forms = Forms(encoders, most_forms)
        self.most_forms = self._forms.most
        self._first, self._members = (
            [Network(m, model, self._forms, number[id(m.encoder)], second) for m in stage]
            for stage, second in (
                (model.first_stage, False),
                (model.members, bool(model.first_stage)),
            )
        )
        networks = (*self._first, *self._members)
        if table_bytes is None:
            table_bytes = TABLE_BYTES if len(networks) == 1 else ENSEMBLE_BYTES
        self._rows = WordRows([network.table for network in networks], self._forms, table_bytes)
        # For each encoder a network that has its vectors.
        self._slices: list[Slices] = [
            next(n.slices for n in networks if n.encoder == i) for i in range(len(encoders))
        ]

    def scores(self, text: Text) -> Array:
        """Score every token of a text for every tag: (N, T), ready to choose tags by."""
        with self._lock:
            scores = self._scores(text)
        return adjust(scores, text, self.model.config.decoding, spent=True)

    def _scores(self, text: Text) -> Array:
        """Return the members' mean scores, (N, T)."""
        config, forms = self.model.config, self._forms
        numbers = forms.numbers_of(text.words)
        ids, m = text.word_ids, max(1, config.windows.size // 2)  # a padding, for neighbours
        gazetteers = self.model.members[0].encoder.gazetteers
        marked = None if gazetteers is None else marked_tokens(text, gazetteers.rows(text))
        of_ids = numbers
        if marked:
            # With marks, tokens of one word are several forms.
            of_pairs = forms.numbers_of_marked(marked.words, marked.marks)
            of_ids, ids = numbers[ids], np.arange(len(ids), dtype=np.int32)
            of_ids[marked.tokens] = of_pairs[marked.of_pair]
        contexts = _context_combinations(text, config)
        stretches = self._rows.stretches(of_ids, ids, contexts, text.sentence_starts, m)
        chunks = chunks_of(text, config, self._chunk_tokens)

        def vectors(slices: Slices, encoder: int, words: NDArray[np.int64]) -> Array:
            rows = forms.vector_rows(encoder)[numbers[words]]
            return slices.starting_vectors(rows, forms.composed(encoder))

        sides = side_inputs_of(
            text, config.features, [partial(vectors, s, i) for i, s in enumerate(self._slices)]
        )

        def mean(networks: Sequence[Network], opinion: Array | None) -> Array:
            """Return the mean of the networks' scores, (N, T)."""
            opinions = None
            if opinion is not None:
                opinions = opinions_of(text, opinion, config.first_stage)
            # numpy goes through the tags one by one, over all tokens; the kernels through the tokens.
            total = np.zeros(
                (len(text.word_ids), max(2, networks[0].outputs)),
                networks[0].dtype,
                order="C" if compiled() else "F",
            )
            for network in networks:
                side = SideSum(network.slices, sides[network.encoder], opinions)
                first = network is networks[0]
                network.add_scores(total, stretches, chunks, self._rows, side, first)
            if len(networks) > 1:
                total /= total.dtype.type(len(networks))
            return total

        return mean(self._members, softmax(mean(self._first, None)) if self._first else None)


def _context_combinations(text: Text, config: Config) -> Ids:
    """Return the number of each token's combination of contexts, (N,)."""
    numbers = np.zeros(len(text.word_ids), dtype=np.int32)
    names = contexts_of(config)
    for name, size in zip(names, combinations_of(names), strict=True):
        numbers *= np.int32(size)
        numbers += CONTEXTS[name].of(text)
    return numbers


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
