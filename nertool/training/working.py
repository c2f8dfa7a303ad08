"""From prepared inputs to what one network trains on: its working tables, and the texts laid out in them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.config import Config
from nertool.corpus.columnar import Ids
from nertool.corpus.schemes import spans_of
from nertool.embeddings.encoder import SPECIAL_ROWS
from nertool.embeddings.inputs import (
    MEMORY,
    Inputs,
    feature_table_shapes,
    given_inputs,
    lay_out,
    table_columns,
)
from nertool.embeddings.memory import UNMET, remember
from nertool.network.activations import Array
from nertool.network.lookup import row_width
from nertool.network.objective import Parameters, initial_weights
from nertool.tagging.model import outputs
from nertool.training.prepared import Part, Prepared


class FirstStage(NamedTuple):
    """The first stage's probabilities for every token: train (N, T) by networks that have not seen
    its document, dev (N', T) by one that has seen all of train; None without a dev part."""

    train: Array
    dev: Array | None


class Working(NamedTuple):
    """What a network is trained on.

    vectors: which file of vectors it has; rows (r,): the rows of L that training can meet,
    ascending: the special ones and the parts' words. Training works on these alone, so that memory
    and checkpoints grow with the corpus and not with the vectors' file. memory: the memory's table,
    None if the config has none; forms: how many of its rows are a model's.
    """

    vectors: int
    rows: NDArray[np.int64]
    memory: Array | None
    forms: int
    train: Inputs
    dev: Inputs | None


def working_inputs(
    config: Config, prepared: Prepared, vectors: int = 0, first_stage: FirstStage | None = None
) -> Working:
    """Lay the parts out for a network with the given file of vectors, by number."""
    train, dev = prepared.train, prepared.dev
    of_parts = [part.type_ids[vectors, :, 0] for part in (train, dev) if part]
    rows = np.unique(np.concatenate([np.arange(SPECIAL_ROWS), *of_parts]))
    memory = None
    if config.features.memory:
        memory = remember(train.setting, classes_of(train, prepared.labels), len(prepared.labels))

    def laid_out(part: Part, opinion: Array | None) -> Inputs:
        type_ids = np.array(part.type_ids[vectors])
        L = prepared.vectors[vectors].L
        given = given_inputs(
            config.features, part.setting, lambda: L[part.type_ids[vectors, 2:, 0]], opinion
        )
        type_ids[:, 0] = np.searchsorted(rows, type_ids[:, 0])
        if memory:
            found = memory_rows(part.words, train.words)
            type_ids = np.concatenate([type_ids, found[:, None]], axis=1)
        inputs = lay_out(type_ids, part.setting, config, given)
        if memory and part is train:
            # Each token is shown what is remembered without its own document.
            inputs.ids[inputs.text.centres, type_ids.shape[1] - 1] = memory.rows
        return inputs

    return Working(
        vectors=vectors,
        rows=rows,
        memory=memory and memory.table,
        forms=1 + len(train.words),
        train=laid_out(train, first_stage and first_stage.train),
        dev=laid_out(dev, first_stage and first_stage.dev) if dev else None,
    )


def memory_rows(words: list[str], remembered: list[str]) -> Ids:
    """Return the memory's rows (2 + n,) of the two paddings and of each word form."""
    row = {word: 1 + i for i, word in enumerate(remembered)}
    return np.array([UNMET, UNMET, *(row.get(word, UNMET) for word in words)], dtype=np.int32)


def classes_of(part: Part, labels: list[str]) -> NDArray[np.int64]:
    """Return each token's class, (N,): 0 outside of entities, 1 + its label's number inside."""
    spans = spans_of(part.gold_ids, part.gold_tags, part.sentence_starts)
    number = np.array([1 + labels.index(name) for name in spans.label_names], dtype=np.int64)
    steps = np.zeros(len(part.word_ids) + 1, dtype=np.int64)
    # Spans don't overlap: up by the class where one starts, down again where it ends.
    np.add.at(steps, spans.starts, number[spans.labels])
    np.add.at(steps, spans.ends, -number[spans.labels])
    return np.cumsum(steps)[:-1]


def starting_parameters(
    config: Config,
    prepared: Prepared,
    working: Working,
    rng: np.random.Generator,
    dtype: type[np.floating] = np.float32,
) -> Parameters:
    """Return a network's parameters before training: vectors as prepared, all else drawn."""
    L = np.array(prepared.vectors[working.vectors].L[working.rows], dtype=dtype)
    tables: Parameters = {"L": L}
    shapes = feature_table_shapes(config)
    for name in table_columns(config):
        if name == MEMORY:
            assert working.memory is not None
            tables[name] = working.memory.astype(dtype)
        elif name != "L":
            tables[name] = (0.1 * rng.standard_normal(shapes[name])).astype(dtype)
    d = row_width(list(tables.values()), list(table_columns(config).values()))
    e = 0 if working.train.given is None else working.train.given.shape[1]
    D = config.windows.size * d + e
    K = outputs(prepared.tags, config)
    return {**tables, **initial_weights(rng, D, config.network.hidden, K, dtype)._asdict()}
