"""Stage 2: epochs of mini-batches. Yields a record per epoch; prints nothing, writes nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nertool.config import Config
from nertool.corpus.columnar import Ids
from nertool.corpus.schemes import split_tag
from nertool.embeddings.inputs import MEMORY, Inputs, table_columns
from nertool.embeddings.windows import (
    PaddedText,
    WindowBatch,
    ranges,
    sentence_windows,
    single_windows,
)
from nertool.evaluation.scores import Scores
from nertool.network.activations import Array
from nertool.network.dropout import dropout_mask
from nertool.network.lookup import row_width
from nertool.network.objective import (
    PART,
    Batch,
    Masks,
    Objective,
    Parameters,
    shares_of,
    summed,
    tables_of,
)
from nertool.network.optimizers import Optimizer
from nertool.tagging.adjust import adjust
from nertool.tagging.decode import decode, lattice
from nertool.tagging.evaluate import score_predictions
from nertool.tagging.model import outputs, score_tokens
from nertool.training.audit import Audit, NonFiniteError, Snapshot, audit, copy_met, is_finite
from nertool.training.prepared import Part, Prepared
from nertool.training.team import Team, blas_threads
from nertool.training.working import (
    TrainingText,
    Working,
    augmented_text,
    starting_parameters,
    training_text,
)


@dataclass
class State:
    """Training at the end of an epoch: all that is needed to go on as if nothing had happened.

    parameters: changed in place; best: a copy of the parameters of the best epoch so far; recent:
    of the last epochs, for their mean.
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
    """What an epoch came to. loss: mean J of its batches; dev: None without a dev part; audits: of
    every training.audit_every-th batch."""

    epoch: int
    loss: float
    dev: Scores | None
    alpha: float
    seconds: float
    tokens_per_second: float
    best: bool
    audits: tuple[Audit, ...] = ()


def objective_of(config: Config) -> Objective:
    """Say what J is under this config."""
    counted = (MEMORY,) if config.features.memory else ()
    return Objective(
        activation=config.network.activation,
        output=config.network.output,
        l2=config.training.l2,
        frozen=counted if config.vectors.fine_tune else ("L", *counted),
        columns=tuple(table_columns(config).values()),
    )


FIRST_MEMBER = (1, 0)


def initial_state(
    config: Config, prepared: Prepared, working: Working, stream: Sequence[int] = FIRST_MEMBER
) -> State:
    """Start a training; stream: the numbers that, with the seed, give it random numbers of its own."""
    rng = np.random.default_rng([config.seed, *stream])
    parameters = starting_parameters(config, prepared, working, rng)
    frozen = objective_of(config).frozen
    trained = {name: array for name, array in parameters.items() if name not in frozen}
    optimizer = Optimizer(config.training.optimizer, trained, config.training.momentum)
    return State(parameters, optimizer, rng)


def train(
    config: Config,
    prepared: Prepared,
    working: Working,
    state: State,
    sentences: NDArray[np.int64] | None = None,
    on_batch: Callable[[int, float], None] = lambda windows, loss: None,
) -> Iterator[EpochRecord]:
    """Train from `state` on, changing it; yield a record after each epoch, until done or out of patience.

    sentences: those of the training part to train on, None for all. on_batch gets the number of
    windows and J of each mini-batch. Errors: NonFiniteError if J or a gradient is no longer finite.
    """
    settings = config.training
    if sentences is None:
        sentences = np.arange(len(prepared.train.sentence_starts) - 1)
    augmented = settings.recase or settings.replace_entities
    epoch_text = None if augmented else training_text(config, prepared, working)
    # More threads than a batch has parts would mostly wait.
    parts = max(1, round(settings.batch_size / PART))
    with Team(min(parts, blas_threads())) as team:
        while state.epoch < settings.epochs and not _out_of_patience(config, state):
            started = time.perf_counter()
            state.epoch += 1
            text = epoch_text or augmented_text(config, prepared, working, sentences, state.rng)
            with team.alone():
                loss, audits = _epoch(config, prepared, text, sentences, state, team, on_batch)
                seconds = time.perf_counter() - started
                state.recent = [*state.recent, _copy(state.parameters)][-settings.average :]
                averaged = mean_parameters(state.recent)
                dev = None
                if working.dev and prepared.dev:
                    dev = evaluate_part(config, prepared.tags, averaged, working.dev, prepared.dev)
            # Without a dev part there is nothing to choose by: the last epoch is the best.
            best = dev is None or dev.f1 > state.best_f1
            if best:
                state.best = averaged
                state.best_epoch, state.best_f1 = state.epoch, dev.f1 if dev else 0.0
            N = int(np.diff(text.inputs.text.sentence_starts)[sentences].sum())
            alpha = _alpha(config, state.epoch)
            yield EpochRecord(state.epoch, loss, dev, alpha, seconds, N / seconds, best, audits)


def _alpha(config: Config, epoch: int) -> float:
    return config.training.alpha / (1.0 + config.training.decay * (epoch - 1))


def _epoch(
    config: Config,
    prepared: Prepared,
    text: TrainingText,
    sentences: NDArray[np.int64],
    state: State,
    team: Team,
    on_batch: Callable[[int, float], None],
) -> tuple[float, tuple[Audit, ...]]:
    """Go through the text once; return the mean J of its windows, and the audits."""
    settings, objective, parameters = config.training, objective_of(config), state.parameters
    alpha = _alpha(config, state.epoch)
    total, windows = 0.0, 0
    audits = []
    source = masked_batches(config, prepared, text, sentences, parameters, state.rng)
    drawn = next(source, None)
    while drawn:
        batch, masks = drawn
        # A number too large is caught below, by J: no need for numpy to warn of it first.
        with np.errstate(over="ignore", invalid="ignore"):
            shares = shares_of(objective, parameters, batch, masks, team.each)
            # Only this draws from state.rng, one batch after the other: what is drawn doesn't depend on
            # when.
            following = team.begin(lambda: next(source, None))
            J, gradients = summed(objective, parameters, shares, team.each)
        step = state.optimizer.t + 1
        where = {"epoch": state.epoch, "step": step, "alpha": alpha}
        snapshot = Snapshot(where, objective, parameters, batch, masks)
        if not is_finite(J, gradients):
            became = "a gradient became infinite" if np.isfinite(J) else f"the loss became {J}"
            raise NonFiniteError(
                f"{became} in epoch {state.epoch} after "
                f"{state.optimizer.t} batches at training.alpha = {alpha:g}; set a smaller one",
                snapshot,
            )
        due = settings.audit_every and step % settings.audit_every == 0
        before = copy_met(parameters, gradients) if due else {}
        state.optimizer.update(parameters, gradients, alpha, team.each)
        if due:
            audits.append(audit(snapshot, J, gradients, before, parameters))
        B = len(batch.windows)
        total, windows = total + J * B, windows + B
        on_batch(B, J)
        drawn = following()
    return total / windows, tuple(audits)


def masked_batches(
    config: Config,
    prepared: Prepared,
    text: TrainingText,
    sentences: NDArray[np.int64],
    parameters: Parameters,
    rng: np.random.Generator,
) -> Iterator[tuple[Batch, Masks]]:
    """Yield an epoch's mini-batches of the given sentences, as the network takes them, and their
    dropout masks."""
    settings, (padded, ids, given), tag_ids = config.training, *text
    weights = token_weights(config, prepared)
    targets = one_hot(tag_ids, len(prepared.tags), outputs(prepared.tags, config))
    d = row_width(list(tables_of(parameters).values()), objective_of(config).columns)
    dtype = parameters["W"].dtype.type
    for drawn in batches(padded, sentences, settings.shuffle, settings.batch_size, rng):
        batch = Batch(
            ids=ids.take(drawn.positions, axis=0),
            windows=drawn.windows,
            y=targets(drawn.tokens).astype(dtype),
            given=None if given is None else given[drawn.tokens],
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


def token_weights(config: Config, prepared: Prepared) -> Array | None:
    """Return how much a token of each tag weighs in J, (T,); None where all weigh alike.

    With training.class_balance c the words of a class weigh (those of the most frequent class / its
    own)^c; O weighs 1.
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

    windows: single windows from anywhere, batch_size at a time. sentences: whole sentences, each
    batch as many as it takes to reach batch_size windows; neighbouring windows share their words,
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


def evaluate_part(
    config: Config, tags: list[str], parameters: Parameters, inputs: Inputs, part: Part
) -> Scores:
    """Tag a part with working parameters, and score it against its gold tags, in its own scheme."""
    raw = score_tokens(parameters, config, inputs)
    tag_scores = adjust(raw, part.setting, config.decoding)
    allowed = lattice(tags, config.decoding.scheme)
    tag_ids = decode(tag_scores, part.sentence_starts, config.decoding.method, allowed)
    return score_predictions(
        tag_ids, tags, part.gold_ids, part.gold_tags, part.scheme, part.sentence_starts
    )


def _out_of_patience(config: Config, state: State) -> bool:
    patience = config.training.patience
    return patience > 0 and state.epoch - state.best_epoch >= patience and state.epoch > 0
