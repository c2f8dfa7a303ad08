"""Stage 2: epochs of mini-batches. Yields a record per epoch; prints nothing, writes nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nertool.config import Config
from nertool.corpus.columnar import Ids
from nertool.embeddings.encoder import SPECIAL_ROWS, Encoder
from nertool.embeddings.features import FEATURES, feature_columns
from nertool.embeddings.windows import (
    PaddedText,
    WindowBatch,
    pad,
    sentence_windows,
    single_windows,
)
from nertool.errors import TrainingError
from nertool.evaluation.scores import Scores
from nertool.network.activations import Array
from nertool.network.lookup import row_width
from nertool.network.objective import (
    Batch,
    Masks,
    Objective,
    Parameters,
    dropout_mask,
    initial_weights,
    loss_and_gradients,
    tables_of,
)
from nertool.network.optimizers import Optimizer
from nertool.tagging.decode import lattice
from nertool.tagging.evaluate import score_predictions
from nertool.tagging.model import Model, decode, outputs, score_tokens
from nertool.training.prepared import Part, Prepared, features_of


@dataclass
class State:
    """Training at the end of an epoch: all that is needed to go on as if nothing had happened.

    parameters: of the working tables (see working_rows), changed in place; best: a copy of the
    parameters of the best epoch so far; recent: of the last epochs, for their mean.
    """

    parameters: Parameters
    optimizer: Optimizer
    rng: np.random.Generator
    epoch: int = 0
    recent: list[Parameters] = field(default_factory=list)
    best: Parameters = field(default_factory=dict)
    best_epoch: int = 0
    best_f1: float = -1.0


@dataclass(frozen=True)
class EpochRecord:
    """What an epoch came to. loss: mean J of its batches; dev: None without a dev part."""

    epoch: int
    loss: float
    dev: Scores | None
    alpha: float
    seconds: float
    tokens_per_second: float
    best: bool


def objective_of(config: Config) -> Objective:
    """Say what J is under this config."""
    return Objective(
        activation=config.network.activation,
        output=config.network.output,
        l2=config.training.l2,
        frozen=() if config.vectors.fine_tune else ("L",),
        columns=feature_columns(features_of(config)),
    )


def working_rows(prepared: Prepared) -> NDArray[np.int64]:
    """Return the rows of L that training can meet, ascending: the special ones and the parts' words.

    Training works on these alone, so that memory and checkpoints grow with the corpus and not
    with the vectors' file.
    """
    parts = [part.type_ids[:, 0] for part in (prepared.train, prepared.dev) if part]
    return np.unique(np.concatenate([np.arange(SPECIAL_ROWS), *parts]))


def initial_state(
    config: Config, prepared: Prepared, dtype: type[np.floating] = np.float32
) -> State:
    """Start training: vectors as prepared, all else drawn from the seed."""
    rng = np.random.default_rng([config.seed, 1])
    L = np.array(prepared.L[working_rows(prepared)], dtype=dtype)
    parameters: Parameters = {"L": L}
    for name in features_of(config):
        shape = (FEATURES[name].size, getattr(config.features, name))
        parameters[f"E.{name}"] = (0.1 * rng.standard_normal(shape)).astype(dtype)
    d = row_width(list(parameters.values()), feature_columns(features_of(config)))
    K = outputs(prepared.tags, config)
    weights = initial_weights(rng, config.windows.size * d, config.network.hidden, K, dtype)
    parameters.update(weights._asdict())
    optimizer = Optimizer(config.training.optimizer, parameters, config.training.momentum)
    return State(parameters, optimizer, rng)


def train(
    config: Config,
    prepared: Prepared,
    state: State,
    on_batch: Callable[[int, float], None] = lambda windows, loss: None,
) -> Iterator[EpochRecord]:
    """Train from `state` on, changing it; yield a record after each epoch, until done or out of patience.

    on_batch gets the number of windows and J of each mini-batch.
    Errors: TrainingError if J is no longer a finite number.
    """
    settings = config.training
    objective = objective_of(config)
    rows = working_rows(prepared)
    m = config.windows.size // 2
    text = pad(prepared.train.word_ids, prepared.train.sentence_starts, m)
    type_ids = working_ids(prepared.train, rows)
    targets = one_hot(prepared.train.tag_ids, len(prepared.tags), outputs(prepared.tags, config))
    dtype = state.parameters["W"].dtype.type
    d = row_width(list(tables_of(state.parameters).values()), objective.columns)

    while state.epoch < settings.epochs and not _out_of_patience(config, state):
        started = time.perf_counter()
        state.epoch += 1
        alpha = settings.alpha / (1.0 + settings.decay * (state.epoch - 1))
        total = 0.0
        for drawn in batches(text, settings.shuffle, settings.batch_size, state.rng):
            batch = Batch(
                ids=type_ids[drawn.types],
                windows=drawn.windows,
                y=targets(drawn.tokens).astype(dtype),
            )
            n, B = len(batch.ids), len(batch.windows)
            masks = Masks(
                dropout_mask(state.rng, (n, d), settings.dropout_input, dtype),
                dropout_mask(state.rng, (B, config.network.hidden), settings.dropout_hidden, dtype),
            )
            # A number too large is caught below, by J: no need for numpy to warn of it first.
            with np.errstate(over="ignore", invalid="ignore"):
                J, gradients = loss_and_gradients(objective, state.parameters, batch, masks)
            if not np.isfinite(J):
                raise TrainingError(
                    f"the loss became {J} in epoch {state.epoch} after "
                    f"{state.optimizer.t} batches at training.alpha = {alpha:g}; set a smaller one"
                )
            state.optimizer.update(state.parameters, gradients, alpha)
            total += J * B
            on_batch(B, J)
        seconds = time.perf_counter() - started
        state.recent = [*state.recent, _copy(state.parameters)][-settings.average :]
        averaged = mean_parameters(state.recent)
        dev = evaluate_part(config, prepared, averaged, prepared.dev) if prepared.dev else None
        # Without a dev part there is nothing to choose by: the last epoch is the best.
        best = dev is None or dev.f1 > state.best_f1
        if best:
            state.best = averaged
            state.best_epoch, state.best_f1 = state.epoch, dev.f1 if dev else 0.0
        N = len(text.centres)
        yield EpochRecord(state.epoch, total / N, dev, alpha, seconds, N / seconds, best)


def batches(
    text: PaddedText, shuffle: str, batch_size: int, rng: np.random.Generator
) -> Iterator[WindowBatch]:
    """Yield an epoch's mini-batches in random order.

    windows: single windows from anywhere, batch_size at a time. sentences: whole sentences, each
    batch as many as it takes to reach batch_size windows; neighbouring windows share their words,
    which is cheaper, and dropout hits a word in all its windows alike.
    """
    if shuffle == "windows":
        order = rng.permutation(len(text.centres))
        for start in range(0, len(order), batch_size):
            yield single_windows(text, order[start : start + batch_size])
        return
    order = rng.permutation(len(text.sentence_starts) - 1)
    ends = np.cumsum(np.diff(text.sentence_starts)[order])
    first = 0
    while first < len(order):
        done = ends[first - 1] if first else 0
        last = int(np.searchsorted(ends, done + batch_size)) + 1
        yield sentence_windows(text, order[first:last])
        first = last


def mean_parameters(recent: list[Parameters]) -> Parameters:
    """Return the mean of the last epochs' parameters: steadier than any one of them."""
    if len(recent) == 1:
        return recent[0]
    dtype = recent[0]["W"].dtype
    return {
        name: np.mean([parameters[name] for parameters in recent], axis=0, dtype=np.float64).astype(
            dtype
        )
        for name in recent[0]
    }


def _copy(parameters: Parameters) -> Parameters:
    return {name: array.copy() for name, array in parameters.items()}


def one_hot(tag_ids: Ids, T: int, K: int) -> Callable[[NDArray[np.int64]], Array]:
    """Return a function tokens (B,) → targets y (B, K): a 1 for the token's tag.

    With a single output (K = 1) that is 1 for the tag beside O, and 0 for O.
    """
    rows = np.eye(T, dtype=np.float32)[:, T - K :]
    return lambda tokens: rows[tag_ids[tokens]]


def evaluate_part(config: Config, prepared: Prepared, parameters: Parameters, part: Part) -> Scores:
    """Tag a part with working parameters, and score it against its gold tags, in its own scheme."""
    text = pad(part.word_ids, part.sentence_starts, config.windows.size // 2)
    type_ids = working_ids(part, working_rows(prepared))
    tag_scores = score_tokens(parameters, config, type_ids, text)
    allowed = lattice(prepared.tags, config.decoding.scheme)
    tag_ids = decode(tag_scores, part.sentence_starts, config, allowed)
    return score_predictions(
        tag_ids, prepared.tags, part.gold_ids, part.gold_tags, part.scheme, part.sentence_starts
    )


def best_model(
    config: Config, prepared: Prepared, state: State, provenance: dict[str, Any]
) -> Model:
    """Return the best epoch's model: the working rows put back into the whole of L."""
    L = np.array(prepared.L, dtype=np.float32)
    L[working_rows(prepared)] = state.best["L"]
    return Model(
        config=config,
        labels=prepared.labels,
        tags=prepared.tags,
        corpus_scheme=prepared.train.scheme,
        encoder=Encoder(prepared.vocabulary, features_of(config)),
        parameters={**state.best, "L": L},
        provenance=provenance,
    )


def working_ids(part: Part, rows: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return a part's type_ids with L's row numbers turned into places among the working rows."""
    type_ids = np.array(part.type_ids)
    type_ids[:, 0] = np.searchsorted(rows, type_ids[:, 0])
    return type_ids


def _out_of_patience(config: Config, state: State) -> bool:
    patience = config.training.patience
    return patience > 0 and state.epoch - state.best_epoch >= patience and state.epoch > 0
