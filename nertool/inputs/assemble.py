"""The inputs of a whole text: the row numbers of every word and padding, and the side inputs.

layout.py says which columns belong to what. Both are made for the words that are asked for: for a long text
they would take far more memory than the text itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.config.records import Config
from nertool.corpus.columnar import Ids
from nertool.inputs.context import CONTEXTS
from nertool.inputs.gazetteers import Gazetteers
from nertool.inputs.layout import contexts_of, keeps_starting
from nertool.inputs.side import SideRows
from nertool.inputs.text import Text, blocks_of
from nertool.inputs.windows import PaddedText, pad


@dataclass(frozen=True)
class RowNumbers:
    """The row numbers (P, F) of a padded text's words in every table: `numbers[positions]` makes those of
    some positions.

    types (P,): each word's type; of_types (V, F_1): the numbers of each type, for the first columns; own: by
    column, the numbers (P,) of those that are not the type's. Every column from F_1 on is there.
    """

    types: Ids
    of_types: Ids
    own: Mapping[int, NDArray[np.integer[Any]]]

    @property
    def shape(self) -> tuple[int, int]:
        """(P, F)."""
        return len(self.types), max([self.of_types.shape[1], *(1 + column for column in self.own)])

    def __len__(self) -> int:
        return len(self.types)

    def __getitem__(self, positions: slice | NDArray[np.integer[Any]]) -> Ids:
        """Return the numbers (n, F) of some positions (n,)."""
        types = self.types[positions]
        numbers = self.of_types.take(types, axis=0)
        more = self.shape[1] - numbers.shape[1]
        if more:
            numbers = np.concatenate([numbers, np.empty((len(types), more), np.int32)], axis=1)
        for column, values in self.own.items():
            numbers[:, column] = values[positions]
        return numbers

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self[:].astype(dtype or np.int32, copy=False)


class Inputs(NamedTuple):
    """A text as the network reads it.

    padded: its words and paddings, P in all; ids (P, F): their row numbers in every table; side (N, e): each
    token's side inputs, or None.
    """

    padded: PaddedText
    ids: RowNumbers
    side: SideRows | None


def lay_out(
    type_ids: Ids,
    text: Text,
    config: Config,
    side: SideRows | None = None,
    gazetteers: Gazetteers | None = None,
) -> Inputs:
    """Give every word of a text its row numbers: type_ids (2 + word types, F_1) of the two paddings and of
    each word type, then those of the gazetteers' marks and of its context (0 for the paddings). Where a row
    has the starting vector, too, its number is that of the vector."""
    padded = pad(text.word_ids, text.sentence_starts, config.windows.size // 2)
    P, names = len(padded.types), contexts_of(config)
    marks = [np.zeros(P, dtype=np.int32) for _ in (gazetteers.names if gazetteers else ())]
    contexts = [np.zeros(P, dtype=np.min_scalar_type(CONTEXTS[name].size)) for name in names]
    for block in blocks_of(text) if marks or contexts else ():
        centres = padded.centres_of(np.arange(block.tokens.start, block.tokens.stop))
        if gazetteers:
            for column, found in zip(marks, gazetteers.rows(block.text).T, strict=True):
                column[centres] = found
        for column, name in zip(contexts, names, strict=True):
            column[centres] = CONTEXTS[name].of(block.text)
    if keeps_starting(config):
        type_ids = np.concatenate([type_ids[:, :1], type_ids], axis=1)
    own = dict(enumerate([*marks, *contexts], type_ids.shape[1]))
    return Inputs(padded, RowNumbers(padded.types, type_ids, own), side)
