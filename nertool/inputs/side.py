"""Side inputs: what the network is given for a token beside its window, found in its document."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nertool.config.records import FeaturesConfig
from nertool.corpus.columnar import Ids
from nertool.inputs.layout import DOCUMENT, FIRST_STAGE, LEFT, RIGHT, side_slices
from nertool.inputs.means import Values, document_means, neighbour_means, others_mean
from nertool.inputs.text import Text


def side_inputs(
    features: FeaturesConfig,
    text: Text,
    vectors: Callable[[Ids], Values],
    first_stage: Values | None = None,
) -> Values | None:
    """Return the side inputs of each token, (N, e), in layout.py's columns; None where there are none.

    vectors: returns the starting vectors (n, v) of words (n,), numbered as in text; it is called only if
    they are needed. first_stage (N, T): the class probabilities of each token, of which a token gets the
    mean over its word's other occurrences in the document.
    """
    values: dict[str, Values] = {}  # of the members of groups, or of documents
    v = T = 0
    if features.neighbours or features.document_vector:
        own = vectors(text.word_ids)
        v = own.shape[1]
        if features.neighbours:
            means = neighbour_means(text, own)
            values[LEFT], values[RIGHT] = means[:, :v], means[:, v:]
        if features.document_vector:
            values[DOCUMENT] = document_means(text, own)
    if first_stage is not None:
        T = first_stage.shape[1]
        values[FIRST_STAGE] = first_stage_means(first_stage, text)
    if not values:
        return None
    columns = side_slices(features, v, T, first_stage is not None)
    e = max(own.stop for own in columns.values())
    out = np.zeros((len(text.word_ids), e), dtype=np.result_type(*values.values()))
    for name, own_columns in columns.items():
        if name == DOCUMENT:
            out[:, own_columns] = values[name][text.documents]
        else:
            out[text.groups.members, own_columns] = values[name]
    return out


def first_stage_means(first_stage: Values, text: Text) -> Values:
    """Return (M, T + 1) for the members of text.groups: the mean of first_stage (N, T) over the word's other
    occurrences in the document, and a 1, which tokens without another occurrence do not have."""
    means = others_mean(first_stage, text.groups)
    return np.concatenate([means, np.ones((len(means), 1), dtype=means.dtype)], axis=1)
