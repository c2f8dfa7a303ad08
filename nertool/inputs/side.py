"""Side inputs: values from a token's document that the network gets in addition to the window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nertool.config.inputs import FeaturesConfig
from nertool.config.learning import FirstStageConfig
from nertool.corpus.columnar import Ids, Offsets
from nertool.files.scratch import OF_TOKENS, Spill, Stored
from nertool.inputs.layout import (
    DOCUMENT,
    FIRST_STAGE,
    FIRST_STAGE_MAX,
    FIRST_STAGE_WINDOW,
    LEFT,
    RIGHT,
    side_slices,
)
from nertool.inputs.means import (
    Values,
    document_means,
    group_maxima,
    group_totals,
    maxima_without_own,
    neighbour_sums,
    others_mean,
    without_own,
)
from nertool.inputs.text import Booleans, Text, blocks_of, cut_documents

Vectors = Callable[[Ids], Values]


@dataclass(frozen=True)
class SideRows:
    """The side inputs (N, e) of a text's tokens, with the columns of layout.py.

    `side[tokens]` computes the side inputs of some tokens. Only sums that several tokens share are stored.

    group (N,): each token's group of text.groups, −1 if it is in none; sizes (G,): the size of each group;
    neighbours (G, 2v): the sums of the left and right neighbours of a group's members; documents (D, v): the
    mean vector of each document; document_starts (D,): the first token of each document; first_stage (N, T):
    the first stage's probabilities; opinions (G, T): their sum in each group; maxima (G, 2T): the greatest
    and the second greatest of them. An input that is not used is None. FIRST_STAGE_WINDOW is computed from
    first_stage itself.
    """

    columns: dict[str, slice]
    dtype: np.dtype[Any]
    word_ids: Ids
    first: Booleans
    vectors: Vectors
    group: Ids | Stored
    sizes: NDArray[np.int64]
    neighbours: Values | Stored | None
    document_starts: Offsets
    documents: Values | None
    first_stage: Values | None
    opinions: Values | Stored | None
    maxima: Values | Stored | None

    @property
    def shape(self) -> tuple[int, int]:
        """The shape (N, e)."""
        return len(self.word_ids), max(own.stop for own in self.columns.values())

    def __len__(self) -> int:
        return len(self.word_ids)

    def __getitem__(self, key: slice | int | NDArray[np.integer[Any]]) -> Values:
        """Return the side inputs (n, e) of some tokens, or (e,) of one token."""
        if isinstance(key, slice):
            tokens = np.arange(*key.indices(len(self)))
        elif np.ndim(key) == 0:
            row: Values = self[np.array([key])][0]
            return row
        else:
            tokens = np.asarray(key)
        out = np.zeros((len(tokens), self.shape[1]), dtype=self.dtype)
        own_group = self.group[tokens]
        at = np.flatnonzero(own_group >= 0)
        group, members = own_group[at], tokens[at]
        if self.neighbours is not None:
            columns = slice(self.columns[LEFT].start, self.columns[RIGHT].stop)
            out[at, columns] = self._neighbours(members, group)
        if self.documents is not None:
            of = np.searchsorted(self.document_starts, tokens, side="right") - 1
            out[:, self.columns[DOCUMENT]] = self.documents[of]
        if self.opinions is not None:
            assert self.first_stage is not None
            own = self.first_stage[members]
            means = without_own(self.opinions[group], own, self.sizes[group])
            columns = self.columns[FIRST_STAGE]
            out[at, columns.start : columns.stop - 1] = means
            out[at, columns.stop - 1] = 1
            if self.maxima is not None:
                columns = self.columns[FIRST_STAGE_MAX]
                out[at, columns] = maxima_without_own(self.maxima[group], own)
        if FIRST_STAGE_WINDOW in self.columns:
            assert self.first_stage is not None
            own = out[:, self.columns[FIRST_STAGE_WINDOW]]
            write_window(own, self.first_stage, self.first, tokens)
        return out

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self[:].astype(dtype or self.dtype, copy=False)

    def _neighbours(self, members: NDArray[np.int64], group: Ids) -> Values:
        """Return the mean vectors (n, 2v) of the left and right neighbours of a word's other occurrences."""
        assert self.neighbours is not None
        v = self.neighbours.shape[1] // 2
        around = np.zeros((len(members), 2 * v), dtype=self.neighbours.dtype)
        before = np.flatnonzero(~self.first[members])
        around[before, :v] = self.vectors(self.word_ids[members[before] - 1])
        follows = np.minimum(members + 1, len(self) - 1)
        after = np.flatnonzero(~self.first[follows] & (members + 1 < len(self)))
        around[after, v:] = self.vectors(self.word_ids[members[after] + 1])
        return without_own(self.neighbours[group], around, self.sizes[group])


def side_inputs(
    features: FeaturesConfig,
    text: Text,
    vectors: Vectors,
    first_stage: Values | None = None,
    of_first_stage: FirstStageConfig = FirstStageConfig(),  # noqa: B008 (it cannot be changed)
) -> SideRows | None:
    """Return the side inputs (N, e) of a text, with the columns of layout.py; None if the config has none.

    vectors: returns the vectors before training (n, v) of words (n,), numbered as in text. It is called only
    if the config needs it. first_stage (N, T): the first stage's probabilities of each token. A token gets
    their mean over the other occurrences of its word in the document. of_first_stage says whether it also
    gets the greatest of these, and the probabilities of the words in a window around it.
    """
    if not (features.neighbours or features.document_vector or first_stage is not None):
        return None
    groups = Spill(OF_TOKENS)
    sizes: list[NDArray[np.int64]] = []
    sums, totals, maxima = Spill(), Spill(), Spill()
    documents: list[Values] = []
    v = T = G = 0
    kinds: list[np.dtype[Any]] = []
    if first_stage is not None:
        T = first_stage.shape[1]
        kinds.append(first_stage.dtype)
    for block in blocks_of(text):
        part = block.text
        if features.neighbours or features.document_vector:
            words, place = np.unique(part.word_ids, return_inverse=True)
            own = vectors(words)
            v = own.shape[1]
            kinds.append(own.dtype)
            if features.document_vector:
                documents.append(document_means(part, own, place))
            if features.neighbours:
                sums.add(neighbour_sums(part, own, place))
        group = np.full(len(part.word_ids), -1, dtype=np.int32)
        if features.neighbours or first_stage is not None:
            members, own_group, own_sizes = part.groups
            group[members] = G + own_group
            sizes.append(own_sizes)
            G += len(own_sizes)
        groups.add(group)
        if first_stage is not None:
            totals.add(group_totals(first_stage[block.tokens], part.groups))
            if of_first_stage.max_pooling:
                maxima.add(group_maxima(first_stage[block.tokens], part.groups))
    starts = cut_documents(text.sentence_starts, text.document_starts, text.document_tokens)
    return SideRows(
        columns=side_slices(features, v, T, None if first_stage is None else of_first_stage),
        dtype=np.result_type(*kinds),
        word_ids=text.word_ids,
        first=text.first,
        vectors=vectors,
        group=groups.whole(),
        sizes=np.concatenate([*sizes, np.empty(0, np.int64)]),
        neighbours=sums.whole() if features.neighbours else None,
        document_starts=text.sentence_starts[starts[:-1]],
        documents=np.concatenate(documents) if features.document_vector else None,
        first_stage=first_stage,
        opinions=None if first_stage is None else totals.whole(),
        maxima=maxima.whole() if first_stage is not None and of_first_stage.max_pooling else None,
    )


def first_stage_elsewhere(first_stage: Values, text: Text, max_pooling: bool) -> Values:
    """Return the first stage's inputs (M, T + 1) for the M members of text.groups.

    They are the mean of first_stage (N, T) over the word's other occurrences in the document, and a 1, which
    marks that there are other occurrences. With max_pooling, the greatest probabilities over these
    occurrences follow, (M, 2T + 1).
    """
    members, group, _ = text.groups
    means = others_mean(first_stage, text.groups)
    parts = [means, np.ones((len(means), 1), dtype=means.dtype)]
    if max_pooling:
        maxima = group_maxima(first_stage, text.groups)
        parts.append(maxima_without_own(maxima[group], first_stage[members]))
    return np.concatenate(parts, axis=1)


def write_window(
    out: Values, first_stage: Values, first: Booleans, tokens: NDArray[np.int64]
) -> None:
    """Write first_stage (N, T) of the words of each token's window side by side into out (n, C T).

    tokens (n,): the centres of the windows; first (N,): whether a token is the first of its sentence. For
    positions of a window beyond the sentence, out keeps its zeros.
    """
    N, T = first_stage.shape
    m = out.shape[1] // T // 2
    out[:, m * T : (m + 1) * T] = first_stage[tokens]
    before = after = np.arange(len(tokens))  # tokens whose sentence has a k-th word before or after
    for k in range(1, m + 1):
        before = before[~first[tokens[before] - (k - 1)]]
        out[before, (m - k) * T : (m - k + 1) * T] = first_stage[tokens[before] - k]
        after = after[tokens[after] + k < N]
        after = after[~first[tokens[after] + k]]
        out[after, (m + k) * T : (m + k + 1) * T] = first_stage[tokens[after] + k]
