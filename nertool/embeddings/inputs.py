"""All that the network is given of a text, put together by the config's features.

A token's row is [its form's vector; its form's features; its memory; its context's features]: that
much every word of a window has. Beside the window stand the centre's own given inputs, which come
from its document: [its neighbours elsewhere; the document's mean; the first stage's opinion].
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.config import Config, FeaturesConfig
from nertool.corpus.columnar import Ids
from nertool.embeddings.context import (
    CONTEXTS,
    Setting,
    Values,
    context_ids,
    document_means,
    neighbour_means,
    others_mean,
)
from nertool.embeddings.features import FEATURES
from nertool.embeddings.windows import PaddedText, pad

MEMORY = "M"  # the memory's table; it is counted, not trained


class Inputs(NamedTuple):
    """ids (P, F): the row numbers, in every table, of each word and padding of the padded text;
    given (N, e): what stands beside each token's window, or None."""

    text: PaddedText
    ids: Ids
    given: Values | None


def features_of(config: Config) -> list[str]:
    """Name the features of word forms that the config gives a width, in FEATURES' order."""
    return [name for name in FEATURES if getattr(config.features, name)]


def contexts_of(config: Config) -> list[str]:
    """Name the features of contexts that the config gives a width, in CONTEXTS' order."""
    return [name for name in CONTEXTS if getattr(config.features, name)]


def table_columns(config: Config) -> dict[str, int]:
    """Return how many row numbers a word has in each table, by the table's name, in a row's order."""
    return {
        "L": 1,
        **{f"E.{name}": FEATURES[name].columns for name in features_of(config)},
        **({MEMORY: 1} if config.features.memory else {}),
        **{f"E.{name}": 1 for name in contexts_of(config)},
    }


def feature_table_shapes(config: Config) -> dict[str, tuple[int, int]]:
    """Return the shapes of the trained features' tables, in a row's order."""
    sizes = [(name, FEATURES[name].size) for name in features_of(config)]
    sizes += [(name, CONTEXTS[name].size) for name in contexts_of(config)]
    return {f"E.{name}": (size, getattr(config.features, name)) for name, size in sizes}


def needs_documents(config: Config) -> bool:
    """Tell whether a token's tags depend on other sentences of its document."""
    features = config.features
    return bool(
        features.sentence
        or features.document
        or features.neighbours
        or features.document_vector
        or config.first_stage.folds
        or config.decoding.consistency
    )


def lay_out(type_ids: Ids, setting: Setting, config: Config, given: Values | None = None) -> Inputs:
    """Give every word of a text its row numbers: type_ids (2 + forms, F_1) of the two paddings and of
    each word form, then those of its context (0 for the paddings)."""
    text = pad(setting.word_ids, setting.sentence_starts, config.windows.size // 2)
    contexts = context_ids(contexts_of(config), setting)
    around = np.zeros((len(text.types), contexts.shape[1]), dtype=np.int32)
    around[text.centres] = contexts
    return Inputs(text, np.concatenate([type_ids[text.types], around], axis=1), given)


class Part(NamedTuple):
    """Some columns of what stands beside the windows. tokens (n,), ascending: those that it is not 0
    for, values (n, e_i) theirs; or None, and values (D, e_i) those of each document."""

    tokens: NDArray[np.int64] | None
    values: Values


def given_parts(
    features: FeaturesConfig,
    setting: Setting,
    vectors: Callable[[Ids], Values],
    first_stage: Values | None = None,
) -> list[Part]:
    """Return what stands beside each token's window in parts, in the order of its columns."""
    parts = []
    members = setting.groups.members if features.neighbours or first_stage is not None else None
    order = np.argsort(members, kind="stable") if members is not None else np.empty(0, np.int64)
    if features.neighbours or features.document_vector:
        own = vectors(setting.word_ids)
        if features.neighbours and members is not None:
            parts.append(Part(members[order], neighbour_means(setting, own)[order]))
        if features.document_vector:
            parts.append(Part(None, document_means(setting, own)))
    if first_stage is not None and members is not None:
        # The mean opinion of the others, and that there are any.
        means = others_mean(first_stage, setting.groups)[order]
        there = np.ones((len(means), 1), dtype=means.dtype)
        parts.append(Part(members[order], np.concatenate([means, there], axis=1)))
    return parts


def given_inputs(
    features: FeaturesConfig,
    setting: Setting,
    vectors: Callable[[Ids], Values],
    first_stage: Values | None = None,
) -> Values | None:
    """Return what stands beside each token's window, (N, e), or None where the config asks for nothing.

    vectors: returns the starting vectors (n, v) of words (n,), numbered as in setting, if they are needed;
    first_stage (N, T): the class probabilities of each token, of which a token gets the mean over
    the word's other occurrences.
    """
    columns = []
    for tokens, values in given_parts(features, setting, vectors, first_stage):
        if tokens is None:
            columns.append(values[setting.documents])
            continue
        column = np.zeros((len(setting.word_ids), values.shape[1]), dtype=values.dtype)
        column[tokens] = values
        columns.append(column)
    return np.concatenate(columns, axis=1) if columns else None


def given_width(config: Config, v: int, T: int, first_stage: bool) -> int:
    """Return e, for vectors of width v and T tags."""
    features = config.features
    return (
        2 * v * features.neighbours
        + v * features.document_vector
        + (T + 1) * (first_stage and config.first_stage.folds > 0)
    )
