"""The fast tagger: the products of the hidden layer are computed once per distinct word, not per token.

The first part r of a word's row depends on the word type only. The second part k depends on the word's
context features, of which there are few combinations. z is linear in the rows of the window:

    z = W x + b = b + Σ_c W_c r(w_c) + Σ_c V_c k(w_c) + G g

    W_c (H, d_1), V_c (H, d_2): the columns of W for r and for k at window position c
    G (H, e): the columns of W for the side inputs g of the centre

r W_cᵀ is computed once for each distinct word, and k V_cᵀ for each combination of contexts (wordtables.py).
Then a token costs 2 C additions of rows, one f and the K × H product. side.py computes G g.

Steps that do not depend on a network's weights are shared by all networks: looking up words and features,
the contexts and the side inputs.
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
    """A model with tables of precomputed products, which grow with the words of the texts.

    Threads may share a tagger: a lock allows one thread at a time to score a text. A fork waits for the
    lock, so that the new process gets complete tables.
    """

    def __init__(
        self,
        model: Model,
        table_bytes: int | None = None,
        most_forms: int = MOST_FORMS,
        document_tokens: int = DOCUMENT_TOKENS,
        chunk_tokens: int = CHUNK_TOKENS,
    ) -> None:
        """Prepare a tagger.

        table_bytes: the most memory for the tables, by default TABLE_BYTES for one network and
        ENSEMBLE_BYTES for several; most_forms: the number of word types to cache; document_tokens: as in
        Text; chunk_tokens: as in chunks_of.
        """
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
        # For each encoder, the slices of a network that has its vectors.
        self._slices: list[Slices] = [
            next(n.slices for n in networks if n.encoder == i) for i in range(len(encoders))
        ]

    def scores(self, text: Text) -> Array:
        """Return the scores (N, T) of every token for every tag, after the adjustments for decoding."""
        with self._lock:
            scores = self._scores(text)
        return adjust(scores, text, self.model.config.decoding, spent=True)

    def _scores(self, text: Text) -> Array:
        """Return the members' mean scores, (N, T)."""
        config, forms = self.model.config, self._forms
        numbers = forms.numbers_of(text.words)
        ids, m = text.word_ids, max(1, config.windows.size // 2)  # at least 1, for the neighbours
        gazetteers = self.model.members[0].encoder.gazetteers
        marked = None if gazetteers is None else marked_tokens(text, gazetteers.rows(text))
        of_ids = numbers
        if marked:
            # With gazetteers' marks, a word type may have several forms.
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
            # numpy loops over the tags, with all tokens at once; the kernels loop over the tokens.
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
    """Return a number for each token's combination of context features, (N,)."""
    numbers = np.zeros(len(text.word_ids), dtype=np.int32)
    names = contexts_of(config)
    for name, size in zip(names, combinations_of(names), strict=True):
        numbers *= np.int32(size)
        numbers += CONTEXTS[name].of(text)
    return numbers


# A fork copies the tables in their present state, so it waits until no other thread is changing them.
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
