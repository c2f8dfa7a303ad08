"""The order in which training reads the text, and how the text is cut into batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from nertool.config.records import Config
from nertool.corpus.columnar import Ids, ranges
from nertool.corpus.schemes import split_tag
from nertool.inputs.encoder import UNKNOWN
from nertool.inputs.layout import (
    MEMORY,
    STARTING,
    VECTORS,
    id_slices,
    keeps_starting,
    table_columns,
)
from nertool.inputs.memory import UNMET
from nertool.inputs.windows import PaddedText, WindowBatch, sentence_windows, single_windows
from nertool.model.model import outputs
from nertool.network.activations import Array
from nertool.network.dropout import dropout_mask
from nertool.network.lookup import row_width
from nertool.network.objective import Batch, Masks, Objective, Parameters, tables_of
from nertool.training.preparation.store import Prepared
from nertool.training.preparation.working import TrainingText, has_starting_rows


def objective_of(config: Config) -> Objective:
    """Return the objective J that a config asks for."""
    counted = (MEMORY,) if config.features.memory else ()
    if keeps_starting(config):
        counted = (STARTING, *counted)
    return Objective(
        activation=config.network.activation,
        output=config.network.output,
        l2=config.training.l2,
        frozen=counted if config.vectors.fine_tune else ("L", *counted),
        columns=tuple(table_columns(config).values()),
    )


def masked_batches(
    config: Config,
    prepared: Prepared,
    text: TrainingText,
    sentences: NDArray[np.int64],
    parameters: Parameters,
    rng: np.random.Generator,
) -> Iterator[tuple[Batch, Masks]]:
    """Yield an epoch's mini-batches of the given sentences, each with its dropout masks."""
    settings, tag_ids = config.training, text.tag_ids
    padded, ids, side = text.inputs
    weights = token_weights(config, prepared)
    K = outputs(prepared.tags, config)
    if text.targets is None:
        targets = one_hot(tag_ids, len(prepared.tags), K)
    else:
        targets = distributions(text.targets, K)
    d = row_width(list(tables_of(parameters).values()), objective_of(config).columns)
    dtype = parameters["W"].dtype.type
    starting_rows = len(parameters["L"]) // 2 if has_starting_rows(config) else 0
    dropped = word_dropout(config, prepared, starting_rows)
    for drawn in batches(padded, sentences, settings.shuffle, settings.batch_size, rng):
        batch = Batch(
            ids=dropped(ids[drawn.positions], padded.types[drawn.positions], rng),
            windows=drawn.windows,
            y=targets(drawn.tokens).astype(dtype),
            side=None if side is None else side[drawn.tokens],
            weights=None if weights is None else weights[tag_ids[drawn.tokens]].astype(dtype),
        )
        n, B = len(batch.ids), len(batch.windows)
        yield (
            batch,
            Masks(
                dropout_mask(rng, (n, d), settings.dropout_input, dtype),
                dropout_mask(rng, (B, config.network.hidden), settings.dropout_hidden, dtype),
            ),
        )


def word_dropout(
    config: Config, prepared: Prepared, starting_rows: int
) -> Callable[[Ids, Ids, np.random.Generator], Ids]:
    """Return a function (ids (n, F), types (n,), rng) → ids that makes some words unknown (word dropout).

    starting_rows: the distance in L from a word's row to its starting vector; 0 if L has no starting rows.

    A dropped word gets the memory's row for words that were never met. Without vectors it also gets the
    unknown word's row of L. With vectors it gets its starting vector, the one from before training: a word of
    other text that training never met has its starting vector, too. With training.word_dropout a, an
    occurrence of a word that the training part has n times is dropped with probability a / (a + n)
    (Kiperwasser and Goldberg 2016), because the unknown words of other text resemble the rare words of the
    training text.
    """
    a = config.training.word_dropout
    if not a:
        return lambda ids, types, rng: ids
    counts = np.bincount(prepared.train.word_ids, minlength=len(prepared.train.words))
    share = np.zeros(2 + len(counts))  # as in PaddedText.types: the two paddings come first
    share[2:] = a / (a + counts)
    slices = id_slices(config)
    unknown = {slices[MEMORY].start: UNMET} if config.features.memory else {}
    if (
        config.vectors.path is None
    ):  # every training word has a row: the unknown word's row would not be trained otherwise
        unknown |= {slices[name].start: UNKNOWN for name in (VECTORS, STARTING) if name in slices}

    def drop(ids: Ids, types: Ids, rng: np.random.Generator) -> Ids:
        # Word types that augmentation added come after the training part's. They are never dropped.
        known = np.where(types < len(share), types, 0)
        lost = rng.random(len(types)) < share[known]
        for column, row in unknown.items():
            ids[lost, column] = row
        if starting_rows:
            ids[lost, slices[VECTORS].start] += starting_rows
        return ids

    return drop


def token_weights(config: Config, prepared: Prepared) -> Array | None:
    """Return the weight in J of a token of each tag, (T,), or None if all weigh the same.

    With training.class_balance c, the weight of a class is (tokens of the most frequent class / tokens of
    this class)^c. O weighs 1.
    """
    balance = config.training.class_balance
    if not balance:
        return None
    labels = [split_tag(tag)[1] for tag in prepared.tags]
    counts = np.bincount(prepared.train.tag_ids, minlength=len(labels))
    of_label = {name: int(counts[[own == name for own in labels]].sum()) for name in labels}
    most = max(count for name, count in of_label.items() if name)
    return np.array([(most / of_label[name]) ** balance if name else 1.0 for name in labels])


def batches(
    text: PaddedText,
    sentences: NDArray[np.int64],
    shuffle: str,
    batch_size: int,
    rng: np.random.Generator,
) -> Iterator[WindowBatch]:
    """Yield an epoch's mini-batches of the given sentences, in random order.

    shuffle "windows": a batch is batch_size single windows from anywhere. "sentences": a batch is as many
    whole sentences as it takes to reach batch_size windows. Neighbouring windows then share their words,
    which is cheaper, and dropout hits a word in all its windows alike.
    """
    if shuffle == "windows":
        starts, ends = text.sentence_starts[sentences], text.sentence_starts[sentences + 1]
        order = rng.permutation(ranges(starts, ends - starts))
        for start in range(0, len(order), batch_size):
            yield single_windows(text, order[start : start + batch_size])
        return
    order = rng.permutation(sentences)
    ends = np.cumsum(np.diff(text.sentence_starts)[order])
    first = 0
    while first < len(order):
        done = ends[first - 1] if first else 0
        last = int(np.searchsorted(ends, done + batch_size)) + 1
        yield sentence_windows(text, order[first:last])
        first = last


def one_hot(tag_ids: Ids, T: int, K: int) -> Callable[[NDArray[np.int64]], Array]:
    """Return a function tokens (B,) → targets y (B, K), with a 1 for the token's tag.

    With a single output (K = 1) the target is 1 for the tag other than O, and 0 for O.
    """
    rows = np.eye(T, dtype=np.float32)[:, T - K :]
    return lambda tokens: rows[tag_ids[tokens]]


def distributions(q: NDArray[np.float16], K: int) -> Callable[[NDArray[np.int64]], Array]:
    """Return a function tokens (B,) → targets y (B, K): the token's row of the distributions q (N, T).

    Rows are scaled to add up to 1 again after the rounding to float16. With a single output (K = 1) the
    target is the probability of the tag other than O.
    """

    def rows(tokens: NDArray[np.int64]) -> Array:
        y = q[tokens].astype(np.float32)
        y /= y.sum(axis=1, keepdims=True)
        return y[:, y.shape[1] - K :]

    return rows
