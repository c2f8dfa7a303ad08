"""Lay out prepared inputs for one network: its working tables, and the texts as inputs."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.config.records import Config
from nertool.corpus.columnar import Ids, Offsets
from nertool.corpus.invisible import normal_form
from nertool.corpus.schemes import TagSpans, spans_of
from nertool.files.arrays import release
from nertool.files.scratch import OF_TOKENS, set_aside
from nertool.inputs.assemble import Inputs, Numbers, lay_out, narrow
from nertool.inputs.encoder import SPECIAL_ROWS
from nertool.inputs.layout import (
    MEMORY,
    STARTING,
    feature_table_shapes,
    id_slices,
    layout_of,
    table_columns,
)
from nertool.inputs.memory import UNMET, Memory, remember
from nertool.inputs.side import side_inputs
from nertool.inputs.text import BLOCK_TOKENS, Text
from nertool.model.model import Model, outputs
from nertool.network.activations import Array
from nertool.network.lookup import Rows
from nertool.network.objective import Parameters, initial_weights
from nertool.training.preparation.augment import Casings, casings_of, exchange_entities, recase
from nertool.training.preparation.store import Part, Prepared, encoder_of
from nertool.training.preparation.warm_start import remembered_counts


class FirstStage(NamedTuple):
    """The first stage's probabilities for every token.

    train (N, T): from networks that have not seen the token's document. dev (N', T): from a network that has
    seen all of train, or None without a dev part.
    """

    train: Array
    dev: Array | None


class Working(NamedTuple):
    """What a network is trained on.

    - vectors: the number of its table of vectors.
    - rows (r,): the rows of L that training can meet, ascending: the special rows and the parts' words.
      Training works on these alone, so memory and checkpoints grow with the corpus and not with the file of
      vectors.
    - casings: the training part's word types, and their forms from augmentation.
    - type_ids: arrays (2 + word types, ·) side by side: the row among the working rows (·, 1), the rows in
      the features' tables and, if there is a memory, the row in it (·, 1).
    - memory: None if the config has none.
    - opinion: the first stage's probabilities for the training part.
    - dev: the inputs of dev, or None.
    """

    vectors: int
    rows: NDArray[np.int64]
    casings: Casings
    type_ids: tuple[Numbers, ...]
    memory: Memory | None
    opinion: Array | None
    dev: Inputs | None


def working_inputs(
    config: Config,
    prepared: Prepared,
    vectors: int = 0,
    first_stage: FirstStage | None = None,
    start: Model | None = None,
) -> Working:
    """Lay the parts out for a network with the table of vectors of this number.

    start: the model that training starts from. Its memory's counts are added to those of the training part.
    """
    train, dev = prepared.train, prepared.dev
    casings = Casings(train.words, *np.arange(2 * len(train.words), dtype=np.int32).reshape(2, -1))
    type_ids = train.type_ids[vectors]
    if config.training.recase:
        casings = casings_of(train.words)
        encoder = encoder_of(config, prepared.vectors[vectors])
        added = encoder.encode(casings.words[len(train.words) :]).ids
        type_ids = np.concatenate([type_ids, added])
    met = [type_ids[:, 0], *([dev.type_ids[vectors, :, 0]] if dev else [])]
    rows = np.unique(np.concatenate([np.arange(SPECIAL_ROWS), *met]))
    memory = None
    if config.features.memory:
        labels = prepared.labels
        earlier = remembered_counts(start, train.words, labels) if start else None
        memory = remember(train.text, classes_of(train, labels), len(labels), earlier)

    def local(type_ids: Rows, words: list[str]) -> tuple[Numbers, ...]:
        own_rows = np.searchsorted(rows, type_ids[:, 0]).astype(np.int32)
        remembered = [memory_rows(words, train.words)[:, None]] if memory is not None else []
        return (own_rows[:, None], narrow(type_ids[:, 1:]), *remembered)

    dev_inputs = None
    if dev:
        L, own_rows = prepared.vectors[vectors].L, dev.type_ids[vectors, 2:, 0]
        opinion = first_stage and first_stage.dev
        side = side_inputs(
            config.features,
            dev.text,
            lambda ids: L[own_rows[ids]],
            opinion,
            config.first_stage,
        )
        own_ids = local(dev.type_ids[vectors], dev.words)
        dev_inputs = lay_out(own_ids, dev.text, config, side, prepared.gazetteers)
    own_ids = local(type_ids, casings.words)
    release(train.type_ids)  # replaced by the working rows
    return Working(
        vectors=vectors,
        rows=rows,
        casings=casings,
        type_ids=own_ids,
        memory=memory,
        opinion=first_stage and first_stage.train,
        dev=dev_inputs,
    )


class TrainingText(NamedTuple):
    """The training part as an epoch reads it.

    inputs: the network's inputs. tag_ids (N,): each token's tag. targets (N, T): in distillation, each
    token's target distribution over the tags.
    """

    inputs: Inputs
    tag_ids: Ids
    targets: NDArray[np.float16] | None = None


def training_text(config: Config, prepared: Prepared, working: Working) -> TrainingText:
    """Lay the training part out unchanged."""
    train = prepared.train
    return _lay_out_train(config, prepared, working, train.word_ids, None, train.sentence_starts)


def augmented_text(
    config: Config,
    prepared: Prepared,
    working: Working,
    sentences: NDArray[np.int64],
    rng: np.random.Generator,
) -> TrainingText:
    """Lay the training part out with entities replaced and letter case changed, as the config says.

    sentences: the sentences that are trained on; new entities come from these alone. A token that replaces
    another one brings along its own memory row and first-stage probabilities.
    """
    train, settings = prepared.train, config.training
    source, starts = np.arange(len(train.word_ids)), train.sentence_starts
    if settings.replace_entities:
        spans = spans_of(train.gold_ids, train.gold_tags, starts)
        of_spans = np.searchsorted(starts, spans.starts, side="right") - 1
        own = np.isin(of_spans, sentences)
        spans = TagSpans(spans.starts[own], spans.ends[own], spans.labels[own], spans.label_names)
        source, starts = exchange_entities(spans, starts, settings.replace_entities, rng)
    word_ids = train.word_ids[source]
    if settings.recase:
        word_ids = recase(word_ids, starts, working.casings, settings.recase, rng)
    return _lay_out_train(config, prepared, working, word_ids, source, starts)


def _lay_out_train(
    config: Config,
    prepared: Prepared,
    working: Working,
    word_ids: Ids,
    source: NDArray[np.int64] | None,
    sentence_starts: Offsets,
) -> TrainingText:
    """Lay out the training part's tokens `source` (N,) with the word types word_ids (N,).

    source None means all tokens in order.
    """
    train = prepared.train
    text = Text(working.casings.words, word_ids, sentence_starts, train.document_starts)
    L = prepared.vectors[working.vectors].L
    opinion, tag_ids, targets = working.opinion, train.tag_ids, train.targets
    if source is not None:
        opinion = None if opinion is None else opinion[source]
        tag_ids = tag_ids[source]
        targets = None if targets is None else targets[source]
    form_rows = working.rows[working.type_ids[0][2:, 0]]
    side = side_inputs(
        config.features, text, lambda ids: L[form_rows[ids]], opinion, config.first_stage
    )
    inputs = lay_out(working.type_ids, text, config, side, prepared.gazetteers)
    if working.memory:
        # A token's memory row leaves out its own document, unless its letter case was changed.
        column = id_slices(config)[MEMORY].start
        types = inputs.padded.types
        own = np.empty(len(types), dtype=np.int32)
        for start in range(0, len(types), BLOCK_TOKENS):
            block = slice(start, start + BLOCK_TOKENS)
            own[block] = working.type_ids[-1][types[block], 0]
        for start in range(0, len(word_ids), BLOCK_TOKENS):
            tokens = np.arange(start, min(start + BLOCK_TOKENS, len(word_ids)))
            from_token = tokens if source is None else source[tokens]
            kept = word_ids[tokens] == train.word_ids[from_token]
            centres = inputs.padded.centres_of(tokens[kept])
            own[centres] = working.memory.rows[from_token[kept]]
        ids = replace(inputs.ids, own={**inputs.ids.own, column: set_aside(own, OF_TOKENS)})
        inputs = inputs._replace(ids=ids)
    return TrainingText(inputs, tag_ids, targets)


def memory_rows(words: list[str], remembered: list[str]) -> Ids:
    """Return the memory's rows (2 + n,) of the two paddings and of each word type."""
    row = {normal_form(word): 1 + i for i, word in enumerate(remembered)}
    found = (row.get(normal_form(word), UNMET) for word in words)
    return np.array([UNMET, UNMET, *found], dtype=np.int32)


def classes_of(part: Part, labels: list[str]) -> Ids:
    """Return each token's class, (N,): 0 outside of entities, 1 + its label's index inside."""
    spans = spans_of(part.gold_ids, part.gold_tags, part.sentence_starts)
    number = np.array([1 + labels.index(name) for name in spans.label_names], dtype=np.int32)
    steps = np.zeros(len(part.word_ids) + 1, dtype=np.int32)
    # Spans don't overlap: add the class at a span's start, and subtract it at its end.
    np.add.at(steps, spans.starts, number[spans.labels])
    np.add.at(steps, spans.ends, -number[spans.labels])
    return np.cumsum(steps, dtype=np.int32, out=steps)[:-1]


def has_starting_rows(config: Config) -> bool:
    """Tell whether L holds every row twice during training.

    Behind the trained rows stand the same rows as before training, for words that word dropout makes unknown
    (batches.py).
    """
    return bool(config.training.word_dropout and config.vectors.path and config.vectors.fine_tune)


def starting_parameters(
    config: Config,
    prepared: Prepared,
    working: Working,
    rng: np.random.Generator,
    dtype: type[np.floating] = np.float32,
) -> Parameters:
    """Return a network's parameters before training: vectors as prepared, all other weights drawn.

    L (r, v) has the working rows; it is (2r, v) if it has starting rows.
    """
    starting = prepared.vectors[working.vectors].L
    L = np.array(starting[working.rows], dtype=dtype)
    release(starting)
    tables: Parameters = {"L": L}
    shapes = feature_table_shapes(config)
    pooled = {name for name, columns in table_columns(config).items() if columns < 0}
    for name in table_columns(config):
        if name == MEMORY:
            assert working.memory is not None
            tables[name] = working.memory.table.astype(dtype, copy=False)  # it is not trained
        elif name == STARTING:
            tables[name] = L.copy()
        elif name in pooled:
            tables[name] = np.zeros(shapes[name], dtype=dtype)
        elif name != "L":
            tables[name] = (0.1 * rng.standard_normal(shapes[name])).astype(dtype)
    if has_starting_rows(config):
        tables["L"] = np.concatenate([L, L])
    widths = {name: table.shape[1] for name, table in tables.items()}
    T, second = len(prepared.tags), working.opinion is not None
    D = layout_of(config, widths, L.shape[1], T, second).D
    K = outputs(prepared.tags, config)
    return {**tables, **initial_weights(rng, D, config.network.hidden, K, dtype)._asdict()}
