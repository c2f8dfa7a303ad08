"""Side inputs: what stands beside a token's window, found in its document."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.config.records import Config, FeaturesConfig
from nertool.corpus.columnar import Ids
from nertool.inputs.means import Values, document_means, neighbour_means, others_mean
from nertool.inputs.text import Text


class SideBlock(NamedTuple):
    """Some columns of what stands beside the windows. tokens (n,), ascending: those that it is not 0
    for, values (n, e_i) theirs; or None, and values (D, e_i) those of each document."""

    tokens: NDArray[np.int64] | None
    values: Values


def side_blocks(
    features: FeaturesConfig,
    text: Text,
    vectors: Callable[[Ids], Values],
    first_stage: Values | None = None,
) -> list[SideBlock]:
    """Return what stands beside each token's window in parts, in the order of its columns."""
    parts = []
    members = text.groups.members if features.neighbours or first_stage is not None else None
    order = np.argsort(members, kind="stable") if members is not None else np.empty(0, np.int64)
    if features.neighbours or features.document_vector:
        own = vectors(text.word_ids)
        if features.neighbours and members is not None:
            parts.append(SideBlock(members[order], neighbour_means(text, own)[order]))
        if features.document_vector:
            parts.append(SideBlock(None, document_means(text, own)))
    if first_stage is not None and members is not None:
        # The mean opinion of the others, and that there are any.
        means = others_mean(first_stage, text.groups)[order]
        there = np.ones((len(means), 1), dtype=means.dtype)
        parts.append(SideBlock(members[order], np.concatenate([means, there], axis=1)))
    return parts


def side_inputs(
    features: FeaturesConfig,
    text: Text,
    vectors: Callable[[Ids], Values],
    first_stage: Values | None = None,
) -> Values | None:
    """Return what stands beside each token's window, (N, e), or None where the config asks for nothing.

    vectors: returns the starting vectors (n, v) of words (n,), numbered as in text, if they are needed;
    first_stage (N, T): the class probabilities of each token, of which a token gets the mean over
    the word's other occurrences.
    """
    columns = []
    for tokens, values in side_blocks(features, text, vectors, first_stage):
        if tokens is None:
            columns.append(values[text.documents])
            continue
        column = np.zeros((len(text.word_ids), values.shape[1]), dtype=values.dtype)
        column[tokens] = values
        columns.append(column)
    return np.concatenate(columns, axis=1) if columns else None


def side_width(config: Config, v: int, T: int, first_stage: bool) -> int:
    """Return e, for vectors of width v and T tags."""
    features = config.features
    return (
        2 * v * features.neighbours
        + v * features.document_vector
        + (T + 1) * (first_stage and config.first_stage.folds > 0)
    )
