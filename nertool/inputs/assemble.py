"""The inputs of a whole text: the row numbers of every word and padding, and the side inputs.

layout.py defines their columns. Row numbers and side inputs are computed only for the words of a batch. For
a whole long text, they would take far more memory than the text itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.config.records import Config
from nertool.corpus.columnar import Ids
from nertool.files.scratch import OF_TOKENS, Stored, set_aside
from nertool.inputs.context import CONTEXTS
from nertool.inputs.gazetteers import Gazetteers
from nertool.inputs.layout import contexts_of, keeps_starting
from nertool.inputs.side import SideRows
from nertool.inputs.text import Text, blocks_of
from nertool.inputs.windows import PaddedText, pad

Numbers = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class RowNumbers:
    """The row numbers (P, F) of a padded text's words in every table.

    `numbers[positions]` computes those of some positions. types (P,): each word's type; of_types (V, ·): the
    first F_1 columns, which depend on the word type only, in one array or in several side by side; own: for
    each other column (F_1 … F − 1) its numbers (P,).
    """

    types: Ids | Stored
    of_types: Sequence[Numbers]
    own: Mapping[int, Numbers | Stored]

    @property
    def shape(self) -> tuple[int, int]:
        """The shape (P, F)."""
        widths = (block.shape[1] for block in self.of_types)
        return len(self.types), max([sum(widths), *(1 + column for column in self.own)])

    def __len__(self) -> int:
        return len(self.types)

    def __getitem__(self, positions: slice | NDArray[np.integer[Any]]) -> Ids:
        """Return the numbers (n, F) of some positions (n,)."""
        types = self.types[positions]
        numbers = np.empty((len(types), self.shape[1]), dtype=np.int32)
        at = 0
        for block in self.of_types:
            end = at + block.shape[1]
            numbers[:, at:end] = block.take(types, axis=0)
            at = end
        for column, values in self.own.items():
            numbers[:, column] = values[positions]
        return numbers

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self[:].astype(dtype or np.int32, copy=False)


def narrow(numbers: Numbers) -> Numbers:
    """Return non-negative integers in the smallest dtype that can hold them."""
    return numbers.astype(np.min_scalar_type(int(numbers.max(initial=0))), copy=False)


class Inputs(NamedTuple):
    """A text in the form that the network reads.

    padded: the text's words and paddings, P in all; ids (P, F): their row numbers in every table;
    side (N, e): each token's side inputs, or None.
    """

    padded: PaddedText
    ids: RowNumbers
    side: SideRows | None


def lay_out(
    type_ids: Ids | Sequence[Numbers],
    text: Text,
    config: Config,
    side: SideRows | None = None,
    gazetteers: Gazetteers | None = None,
) -> Inputs:
    """Return the inputs of a text, with the row numbers of every word.

    type_ids (2 + word types, F_1): the row numbers of the two paddings and of each word type, in one array or
    in several side by side. The columns of the gazetteers' marks and of the context features follow; they
    are 0 for the paddings. If the network also gets the vectors before training, their row numbers are
    those of the trained vectors. Errors: OutputError if a temporary file can't be written.
    """
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
    of_types: list[Numbers] = [type_ids] if isinstance(type_ids, np.ndarray) else list(type_ids)
    if keeps_starting(config):
        of_types.insert(0, of_types[0][:, :1])
    columns = [set_aside(column, OF_TOKENS) for column in (*marks, *contexts)]
    own = dict(enumerate(columns, sum(block.shape[1] for block in of_types)))
    padded = replace(padded, types=set_aside(padded.types[:], OF_TOKENS))
    return Inputs(padded, RowNumbers(padded.types, of_types, own), side)
