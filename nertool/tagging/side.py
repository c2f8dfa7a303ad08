"""G g: the part of z that comes from the side inputs, computed without a row of side inputs for every token.

g contains the mean vectors of the left and right neighbours of a word's other occurrences in the document.
They are means over the n − 1 other tokens u of the token's group: the group's sum minus the token's own
neighbours l_t and r_t, divided by n − 1. The same holds for G g, with G = [G_l, G_r]:

    (Σ_u G_l l_u + G_r r_u − G_l l_t − G_r r_t) / (n − 1)

Here Σ_u is over all tokens of the group, and needs one product for a group. The terms with l_t and r_t are in
the word table (wordtables.py), in the rows of the words to the left and right of the token.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.config.inputs import FeaturesConfig
from nertool.config.learning import FirstStageConfig
from nertool.corpus.columnar import Ids
from nertool.inputs.layout import DOCUMENT, FIRST_STAGE, LEFT, RIGHT
from nertool.inputs.means import document_means, neighbour_sums
from nertool.inputs.side import first_stage_elsewhere, write_window
from nertool.inputs.text import Booleans, Text
from nertool.kernels.library import empty_lines
from nertool.kernels.tagging import Matrix, SideTerms
from nertool.network.activations import Array
from nertool.tagging.chunks import Chunk
from nertool.tagging.slices import Slices

Vectors = Callable[[NDArray[np.int64]], Array]


class SideInputs(NamedTuple):
    """Side inputs of a text for networks with the same vectors. An input that is not used is None.

    neighbours (G, 2v): the sums of the neighbours' vectors in each group; document (D, v): the mean vector of
    each document.
    """

    neighbours: Array | None
    document: Array | None


class Opinions(NamedTuple):
    """The inputs from the first stage ("opinions").

    values (M, e_1): the result of first_stage_elsewhere for the M tokens in groups, in the order of the text;
    tokens (M,): these tokens; row (N,) int32: the row of each token, −1 if it has none; window: the number of
    words in the window of first-stage probabilities, 0 without such a window (with one, every token has a
    row, M = N); first_stage (N, T): the first stage's probabilities; first (N,): whether a token is the
    first of its sentence.
    """

    values: Array
    tokens: NDArray[np.int64]
    row: Ids
    window: int
    first_stage: Array
    first: Booleans

    def of_rows(self, a: int, b: int) -> Array:
        """Return the side inputs (b − a, e_1 + C T) of the rows from a to b − 1."""
        values = self.values[a:b]
        if not self.window:
            return values
        e = values.shape[1]
        T = self.first_stage.shape[1]
        out = np.zeros((b - a, e + self.window * T), dtype=values.dtype)
        out[:, :e] = values
        write_window(out[:, e:], self.first_stage, self.first, np.arange(a, b))
        return out


def side_inputs_of(
    text: Text, features: FeaturesConfig, vectors: Sequence[Vectors]
) -> list[SideInputs]:
    """Return the side inputs of a text for each kind of vectors.

    vectors: functions from words, numbered as in the text, to their vectors before training (n, v).
    """
    if not (features.neighbours or features.document_vector):
        return [SideInputs(None, None)] * len(vectors)
    # Only words that occur in the text need vectors: its list may have more. place (N,): each token's row.
    met = np.zeros(len(text.words), dtype=bool)
    met[text.word_ids] = True
    words = np.flatnonzero(met)
    slot = np.empty(len(text.words), dtype=np.int64)
    slot[words] = np.arange(len(words))
    place = slot[text.word_ids]
    sides = []
    for vectors_of in vectors:
        own = vectors_of(words)
        neighbours = document = None
        if features.document_vector:
            document = document_means(text, own, place)
        if features.neighbours:
            neighbours = neighbour_sums(text, own, place)
        sides.append(SideInputs(neighbours, document))
    return sides


def opinions_of(text: Text, first_stage: Array, settings: FirstStageConfig) -> Opinions:
    """Return the inputs from the first stage's probabilities (N, T).

    They come from the words' other occurrences, and if settings.window is set also from a window.
    """
    N, members, window = len(text.word_ids), text.groups.members, settings.window
    elsewhere = first_stage_elsewhere(first_stage, text, settings.max_pooling)
    if window:
        values = np.zeros((N, elsewhere.shape[1]), dtype=elsewhere.dtype)
        values[members] = elsewhere
        every = np.arange(N)
        return Opinions(values, every, every.astype(np.int32), window, first_stage, text.first)
    order = np.argsort(members, kind="stable")
    tokens = members[order]
    row = np.full(N, -1, dtype=np.int32)
    row[tokens] = np.arange(len(tokens), dtype=np.int32)
    return Opinions(elsewhere[order], tokens, row, window, first_stage, text.first)


class SideSum:
    """G g of a network for the tokens of a text, chunk by chunk."""

    def __init__(self, slices: Slices, side: SideInputs, opinions: Opinions | None) -> None:
        """Prepare the sums. opinions: None for networks of the first stage, and for models without one."""
        G, columns_of = slices.G, slices.layout.side
        self._dtype = G.dtype
        self._neighbours, self._document, self._opinions = side.neighbours, side.document, opinions
        if side.neighbours is not None:
            self._G_neighbours = G[:, columns_of[LEFT].start : columns_of[RIGHT].stop]
        if side.document is not None:
            self._G_document = G[:, columns_of[DOCUMENT]]
        if opinions is not None:
            self._G_opinions = G[:, columns_of[FIRST_STAGE].start :]  # the last side inputs
            self._matrix = Matrix(self._G_opinions.T)

    def of_chunk(self, chunk: Chunk) -> SideTerms:
        """Return the terms of a chunk's tokens. Their `opinions` are not set, only the row numbers."""
        terms = SideTerms()
        if self._neighbours is not None and chunk.share is not None:
            terms = terms._replace(
                group=chunk.group,
                sums=self._product(self._neighbours[chunk.groups], self._G_neighbours),
                share=chunk.share.astype(self._dtype),
            )
        if self._document is not None:
            terms = terms._replace(
                document=chunk.document,
                documents=self._product(self._document[chunk.documents], self._G_document),
            )
        if self._opinions is not None:
            terms = terms._replace(opinion=self._opinions.row[chunk.tokens])
        return terms

    def _product(self, inputs: Array, columns: Array) -> Array:
        """Return G g (n, H) for side inputs (n, ·) and the columns of G for them."""
        dtype = np.result_type(inputs, columns)
        out = empty_lines((len(inputs), len(columns)), dtype)
        return np.matmul(inputs, columns.T, out=out).astype(self._dtype, copy=False)

    def opinions(self, a: int, b: int) -> tuple[Array | None, Matrix | None]:
        """Return the opinions a to b − 1, (b − a, e), and their part of Gᵀ, (e, H)."""
        if self._opinions is None:
            return None, None
        return self._opinions.of_rows(a, b), self._matrix

    def opinion_bounds(self, starts: NDArray[np.int64] | list[int]) -> list[int]:
        """Return the number of tokens with an opinion before each of `starts`."""
        if self._opinions is None:
            return [0] * len(starts)
        bounds: list[int] = np.searchsorted(self._opinions.tokens, starts).tolist()
        return bounds

    def multiply_opinions(self, a: int, b: int, room: Array) -> None:
        """Write G g of the opinions a to b − 1 into room (b − a or more, H)."""
        if self._opinions is not None:
            np.matmul(self._opinions.of_rows(a, b), self._G_opinions.T, out=room[: b - a])


def add_terms(
    terms: SideTerms,
    z: Array,
    T: Array,
    rows: Ids,
    centres: NDArray[np.int64],
    start: int,
    first_opinion: int,
) -> None:
    """Add the terms to z (n, H) in numpy. It does the same as the kernel, except for the contexts.

    The n tokens begin with the start-th of `centres`, which are indices into rows. first_opinion: the number
    of the first row in terms.opinions.
    """
    own = slice(start, start + len(z))
    if terms.group is not None and terms.sums is not None and terms.share is not None:
        group = terms.group[own]
        tokens = np.flatnonzero(group >= 0)
        g, at = group[tokens], centres[own][tokens]
        others = terms.sums[g]
        others -= T[rows[at - 1], -2]
        others -= T[rows[at + 1], -1]
        others *= terms.share[g][:, None]
        z[tokens] += others
    if terms.document is not None and terms.documents is not None:
        z += terms.documents[terms.document[own]]
    if terms.opinion is not None and terms.opinions is not None:
        row = terms.opinion[own]
        tokens = np.flatnonzero(row >= 0)
        z[tokens] += terms.opinions[row[tokens] - first_opinion]
