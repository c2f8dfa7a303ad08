"""G g: the share of the side inputs in z, without a row of inputs for every token.

Of the neighbours of a word's other occurrences in the document g has the means, left and right: over
the n − 1 others of its group, so of a group's sum less the token's own. And so with G g, G = [G_l, G_r]:

    (Σ_u G_l l_u + G_r r_u − G_l l_t − G_r r_t) / (n − 1)

The first is one product for a group; the others stand in the word table (wordtables.py), in the rows
of the words to the left and right of the token.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.config.inputs import FeaturesConfig
from nertool.corpus.columnar import Ids
from nertool.inputs.layout import DOCUMENT, FIRST_STAGE, FIRST_STAGE_WINDOW, LEFT, RIGHT
from nertool.inputs.means import document_means, neighbour_sums
from nertool.inputs.side import first_stage_means, write_window
from nertool.inputs.text import Booleans, Text
from nertool.kernels.tagging import SideTerms
from nertool.network.activations import Array
from nertool.tagging.slices import Slices
from nertool.tagging.wordtables import Stretch

Vectors = Callable[[NDArray[np.int64]], Array]


class Places(NamedTuple):
    """Which side inputs each token of a text gets; None: no such input.

    group (N,) int32: its group, −1 for none; share (G,): 1 / (n − 1) for a group of n; documents (N,) int32.
    """

    group: Ids | None
    share: NDArray[np.float64] | None
    documents: Ids | None


class SideInputs(NamedTuple):
    """Side inputs of a text, for networks with the same vectors; None: no such input.

    neighbours (G, 2v): the sums over the groups; document (D, v): the mean vector of each.
    """

    neighbours: Array | None
    document: Array | None


class Opinions(NamedTuple):
    """The first stage's mean opinion of a word's other occurrences, and that there are any: values (M, T + 1)
    for the M tokens of groups in the text's order; tokens (M,); row (N,) int32: each token's, −1 for none.

    window: how many words around a token it is also given the opinions of, 0 for none; where there are some,
    every token has a row (M = N). first_stage (N, T): the opinions; first (N,): whether a token is the first
    of its sentence.
    """

    values: Array
    tokens: NDArray[np.int64]
    row: Ids
    window: int
    first_stage: Array
    first: Booleans

    def of_rows(self, a: int, b: int) -> Array:
        """Return the side inputs (b − a, T + 1 + C T) of the a-th row to the one before the b-th."""
        values = self.values[a:b]
        if not self.window:
            return values
        e = values.shape[1]
        T = self.first_stage.shape[1]
        out = np.zeros((b - a, e + self.window * T), dtype=values.dtype)
        out[:, :e] = values
        write_window(out[:, e:], self.first_stage, self.first, np.arange(a, b))
        return out


def places_of(text: Text, features: FeaturesConfig) -> Places:
    """Return which side inputs each token gets."""
    group = share = documents = None
    if features.neighbours:
        members, of_members, sizes = text.groups
        group = np.full(len(text.word_ids), -1, dtype=np.int32)
        group[members] = of_members
        share = 1.0 / (sizes - 1)
    if features.document_vector:
        documents = text.documents.astype(np.int32)
    return Places(group, share, documents)


def side_inputs_of(
    text: Text, features: FeaturesConfig, vectors: Sequence[Vectors]
) -> list[SideInputs]:
    """Compute the side inputs once for each kind of vectors: functions from words, numbered as in the text,
    to their starting vectors (n, v)."""
    if not (features.neighbours or features.document_vector):
        return [SideInputs(None, None)] * len(vectors)
    # Vectors of the words that the text has, not of all that its list knows; place (N,): each token's.
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


def opinions_of(text: Text, first_stage: Array, window: int = 0) -> Opinions:
    """Return what the first stage's probabilities (N, T) say of the words' other occurrences, and of the
    words of a window; window: as in Opinions."""
    N, members = len(text.word_ids), text.groups.members
    means = first_stage_means(first_stage, text)
    if window:
        values = np.zeros((N, means.shape[1]), dtype=means.dtype)
        values[members] = means
        every = np.arange(N)
        return Opinions(values, every, every.astype(np.int32), window, first_stage, text.first)
    order = np.argsort(members, kind="stable")
    tokens = members[order]
    row = np.full(N, -1, dtype=np.int32)
    row[tokens] = np.arange(len(tokens), dtype=np.int32)
    return Opinions(means[order], tokens, row, window, first_stage, text.first)


class SideSum:
    """G g of a network for the tokens of a text, block by block."""

    def __init__(
        self, slices: Slices, places: Places, side: SideInputs, opinions: Opinions | None
    ) -> None:
        """opinions: the first stage's; None for its own networks, and where there is none."""
        dtype = slices.G.dtype
        G, columns_of = slices.G, slices.layout.side
        self.terms = SideTerms()
        self._opinions = opinions
        if side.neighbours is not None and places.share is not None:
            columns = slice(columns_of[LEFT].start, columns_of[RIGHT].stop)
            self.terms = self.terms._replace(
                group=places.group,
                sums=np.asarray(side.neighbours @ G[:, columns].T, dtype=dtype),  # (G, H)
                share=places.share.astype(dtype),
            )
        if side.document is not None:
            products = side.document @ G[:, columns_of[DOCUMENT]].T  # (D, H)
            self.terms = self.terms._replace(
                document=places.documents, documents=np.asarray(products, dtype=dtype)
            )
        if opinions is not None:
            last = columns_of[FIRST_STAGE_WINDOW if opinions.window else FIRST_STAGE]
            self._G_opinions = G[:, columns_of[FIRST_STAGE].start : last.stop]

    @property
    def adds(self) -> bool:
        """Whether there is anything to add."""
        return self._opinions is not None or any(term is not None for term in self.terms)

    def of_stretch(self, tokens: slice, room: Array) -> SideTerms:
        """Return the terms of a stretch's tokens; room (n or more, H): for the opinions of a block of n."""
        terms = self.terms
        if terms.group is not None:
            terms = terms._replace(group=terms.group[tokens])
        if terms.document is not None:
            terms = terms._replace(document=terms.document[tokens])
        if self._opinions is not None:
            terms = terms._replace(opinion=self._opinions.row[tokens], opinions=room)
        return terms

    def opinion_bounds(self, starts: NDArray[np.int64]) -> list[int]:
        """Return how many tokens before each of `starts` have an opinion."""
        if self._opinions is None:
            return [0] * len(starts)
        bounds: list[int] = np.searchsorted(self._opinions.tokens, starts).tolist()
        return bounds

    def multiply_opinions(self, a: int, b: int, room: Array) -> None:
        """Write G g of the opinions from the a-th to the b-th into room (b − a or more, H)."""
        if self._opinions is not None:
            np.matmul(self._opinions.of_rows(a, b), self._G_opinions.T, out=room[: b - a])


def add_terms(
    terms: SideTerms, z: Array, T: Array, stretch: Stretch, start: int, first_opinion: int
) -> None:
    """Add the terms to z (n, H), for n tokens of a stretch from its start-th on: as the kernel of
    kernels/tagging.py does it."""
    own = slice(start, start + len(z))
    rows, centres = stretch.rows, stretch.centres[own]
    if terms.group is not None and terms.sums is not None and terms.share is not None:
        group = terms.group[own]
        tokens = np.flatnonzero(group >= 0)
        g, at = group[tokens], centres[tokens]
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
