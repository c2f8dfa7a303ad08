"""The inputs of a whole text: the row numbers of every word and padding, and the side inputs.

layout.py says which columns belong to what.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nertool.config.records import Config
from nertool.corpus.columnar import Ids
from nertool.inputs.context import context_ids
from nertool.inputs.gazetteers import Gazetteers
from nertool.inputs.layout import contexts_of
from nertool.inputs.means import Values
from nertool.inputs.text import Text
from nertool.inputs.windows import PaddedText, pad


class Inputs(NamedTuple):
    """A text as the network reads it.

    padded: its words and paddings, P in all; ids (P, F): their row numbers in every table; side (N, e): each
    token's side inputs, or None.
    """

    padded: PaddedText
    ids: Ids
    side: Values | None


def lay_out(
    type_ids: Ids,
    text: Text,
    config: Config,
    side: Values | None = None,
    gazetteers: Gazetteers | None = None,
) -> Inputs:
    """Give every word of a text its row numbers: type_ids (2 + word types, F_1) of the two paddings and of
    each word type, then those of the gazetteers' marks and of its context (0 for the paddings)."""
    padded = pad(text.word_ids, text.sentence_starts, config.windows.size // 2)
    contexts = context_ids(contexts_of(config), text)
    if gazetteers is not None:
        contexts = np.concatenate([gazetteers.rows(text), contexts], axis=1)
    around = np.zeros((len(padded.types), contexts.shape[1]), dtype=np.int32)
    around[padded.centres] = contexts
    return Inputs(padded, np.concatenate([type_ids[padded.types], around], axis=1), side)
