"""G g: the share of the side inputs in z, without a row of inputs for every token.

Of the neighbours of a word's other occurrences in the document g has the means, left and right: over
the n − 1 others of its group, so of a group's sum less the token's own. And so with G g, G = [G_l, G_r]:

    (Σ_u G_l l_u + G_r r_u − G_l l_t − G_r r_t) / (n − 1)

The first is one product for a group; the others stand in the word table (wordtables.py), in the rows
of the words to the left and right of the token.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.config.records import Config
from nertool.corpus.columnar import Ids, Offsets
from nertool.inputs.layout import DOCUMENT, FIRST_STAGE, LEFT, RIGHT
from nertool.inputs.means import document_means, neighbour_sums
from nertool.inputs.side import first_stage_means
from nertool.inputs.text import Text
from nertool.kernels.network import add_rows
from nertool.kernels.tagging import add_others, add_picked
from nertool.network.activations import Array
from nertool.tagging.wordtables import Forms, Slices

# A function of (start, n, room) that adds something to z[:n], for n tokens from start on; room (n, H).
Addition = Callable[[int, int, Array], None]


class SideInputs(NamedTuple):
    """The side inputs of a text's tokens, for networks with the same vectors; None: no such input.

    neighbours (G, 2v): the sums over the groups; document (D, v): the mean vector of each; opinions
    (M, T + 1): the first stage's mean opinion of a word's other occurrences, and that there are any,
    for the members (M,) of groups in the text's order.
    """

    neighbours: Array | None
    document: Array | None
    opinions: Array | None
    members: NDArray[np.int64] | None


def side_inputs_of(
    text: Text, config: Config, forms: Forms, first_stage: Array | None
) -> SideInputs:
    """Compute the side inputs of networks with the forms' vectors; first_stage (N, T): its probabilities."""
    features = config.features
    neighbours = document = opinions = members = None
    if features.neighbours or features.document_vector:
        own = forms.starting_vectors(forms.numbers_of(text.words)[text.word_ids])
        if features.document_vector:
            document = document_means(text, own)
        if features.neighbours:
            beyond = np.zeros((1, own.shape[1]), dtype=own.dtype)
            neighbours = neighbour_sums(text, np.concatenate([own, beyond]))
    if first_stage is not None:
        order = np.argsort(text.groups.members, kind="stable")
        members = text.groups.members[order]
        opinions = first_stage_means(first_stage, text)[order]
    return SideInputs(neighbours, document, opinions, members)


class Stretch(NamedTuple):
    """A stretch of a text: its first token; rows and contexts (n + …,), the numbers of its words' rows
    of T and V, with the paddings' among them; centres (n,): where its tokens stand in these."""

    first: int
    rows: Ids
    contexts: Ids
    centres: Offsets


class SideSum:
    """G g of a network for the tokens of a text."""

    def __init__(self, slices: Slices, side: SideInputs, text: Text) -> None:
        self._side = side
        dtype = slices.G.dtype
        neighbours, document = side.neighbours, side.document
        G, columns_of = slices.G, slices.layout.side
        if neighbours is not None:
            columns = slice(columns_of[LEFT].start, columns_of[RIGHT].stop)
            self._sums = np.asarray(neighbours @ G[:, columns].T, dtype=dtype)  # (G, H)
            members, group, sizes = text.groups
            self._group = np.full(len(text.word_ids), -1, dtype=np.int32)
            self._group[members] = group
            self._share = (1.0 / (sizes - 1)).astype(dtype)
        if document is not None:
            self._of_documents = np.asarray(
                document @ G[:, columns_of[DOCUMENT]].T, dtype=dtype
            )  # (D, H)
            self._documents = text.documents.astype(np.int32)
        if side.opinions is not None:
            self._G_opinions = G[:, columns_of[FIRST_STAGE]]

    def adding_to(self, z: Array, T: Array, stretch: Stretch) -> Addition | None:
        """Return a function of (start, n, room) that adds G g to z (n or more, H), for n tokens of a stretch
        from its start-th on; T: its rows; room (n, H). None: there is nothing to add."""
        additions = [
            self._add_neighbours(z, T, stretch),
            self._add_document(z, stretch.first),
            self._add_opinions(z, stretch.first),
        ]
        needed = [addition for addition in additions if addition]

        def add(start: int, n: int, room: Array) -> None:
            for addition in needed:
                addition(start, n, room)

        return add if needed else None

    def _add_neighbours(self, z: Array, T: Array, stretch: Stretch) -> Addition | None:
        if self._side.neighbours is None:
            return None
        first, rows, _, centres = stretch
        group, sums, share = self._group[first : first + len(centres)], self._sums, self._share
        kernel = add_others(z, T, rows, centres, group, sums, share)

        def add(start: int, n: int, room: Array) -> None:
            if kernel:
                kernel(start, n)
                return
            tokens = np.flatnonzero(group[start : start + n] >= 0)
            own, at = group[start + tokens], centres[start + tokens]
            others = np.take(sums, own, axis=0, out=room[: len(own)], mode="clip")
            others -= T[rows[at - 1], -2]
            others -= T[rows[at + 1], -1]
            others *= share[own][:, None]
            z[tokens] += others

        return add

    def _add_document(self, z: Array, first: int) -> Addition | None:
        if self._side.document is None:
            return None
        documents, products = self._documents[first:], self._of_documents
        kernel = add_picked(z, products, documents)

        def add(start: int, n: int, room: Array) -> None:
            if kernel:
                kernel(start, n)
                return
            own = documents[start : start + n]
            z[:n] += np.take(products, own, axis=0, out=room, mode="clip")

        return add

    def _add_opinions(self, z: Array, first: int) -> Addition | None:
        opinions, members = self._side.opinions, self._side.members
        if opinions is None or members is None:
            return None

        def add(start: int, n: int, room: Array) -> None:
            a, b = np.searchsorted(members, (first + start, first + start + n))
            own = np.matmul(opinions[a:b], self._G_opinions.T, out=room[: b - a])
            places = (members[a:b] - (first + start)).astype(np.int32)
            if not add_rows(z, places, own):
                z[places] += own

        return add
