"""Train a network: epochs of mini-batches. It yields a record per epoch; it prints nothing, writes
nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from nertool.config.records import Config
from nertool.decoding.adjust import adjust
from nertool.decoding.viterbi import decode, lattice
from nertool.evaluation.scores import Scores, score_predictions
from nertool.files.scratch import Stored, set_aside
from nertool.gradcheck.audit import Audit, NonFiniteError, Snapshot, audit, copy_met, is_finite
from nertool.inputs.assemble import Inputs
from nertool.inputs.text import blocks_of
from nertool.model.model import score_tokens
from nertool.network.activations import Array
from nertool.network.lookup import RowGradient
from nertool.network.objective import ParameterGradients, Parameters
from nertool.network.optimizers import Optimizer
from nertool.network.shards import (
    add_shards,
    cut_batch,
    shard_count,
    shard_gradients,
    shared_blocks,
)
from nertool.training.batches import masked_batches, objective_of
from nertool.training.parallel.team import Team, Threads, blas_threads
from nertool.training.preparation.store import Part, Prepared, release_prepared
from nertool.training.preparation.working import (
    TrainingText,
    Working,
    augmented_text,
    starting_parameters,
    training_text,
)

# A copy of the parameters after an epoch. Large arrays are in temporary files.
EpochParameters = dict[str, Array | Stored]


@dataclass
class State:
    """The state of training at the end of an epoch, from which training continues as if never interrupted.

    parameters: training changes them in place. best: a copy of the best epoch's parameters so far. recent:
    the parameters of the last epochs, for their mean. Frozen tables are the same arrays in all of these.
    rows: how many rows of L are trained. L may have starting rows behind them, which best and recent lack.
    """

    parameters: Parameters
    optimizer: Optimizer
    rng: np.random.Generator
    rows: int
    epoch: int = 0
    recent: list[EpochParameters] = field(default_factory=list)
    best: Parameters = field(default_factory=dict)
    best_epoch: int = 0
    best_f1: float = -1.0

    @property
    def kept(self) -> Parameters:
        """The parameters without the starting rows."""
        L = self.parameters["L"]
        return self.parameters if len(L) == self.rows else {**self.parameters, "L": L[: self.rows]}


@dataclass(frozen=True)
class EpochRecord:
    """The result of an epoch.

    - loss: the mean of J over its windows.
    - dev: the scores on dev, or None without a dev part.
    - alpha: the learning rate.
    - seconds: wall-clock time, without the evaluation on dev.
    - best: whether this is the best epoch so far.
    - audits: the gradient checks of every training.audit_every-th batch.
    """

    epoch: int
    loss: float
    dev: Scores | None
    alpha: float
    seconds: float
    tokens_per_second: float
    best: bool
    audits: tuple[Audit, ...] = ()


FIRST_MEMBER = (1, 0)
_RELEASED = 1 << 17  # after this many windows, the memory of files that were read is given back


def initial_state(
    config: Config, prepared: Prepared, working: Working, stream: Sequence[int] = FIRST_MEMBER
) -> State:
    """Return the state before training.

    stream: numbers that, with the seed, start the random number generator of this training.
    """
    rng = np.random.default_rng([config.seed, *stream])
    parameters = starting_parameters(config, prepared, working, rng)
    frozen = objective_of(config).frozen
    trained = {name: array for name, array in parameters.items() if name not in frozen}
    optimizer = Optimizer(config.training.optimizer, trained, config.training.momentum)
    return State(parameters, optimizer, rng, len(working.rows))


def train(
    config: Config,
    prepared: Prepared,
    working: Working,
    state: State,
    sentences: NDArray[np.int64] | None = None,
    on_batch: Callable[[int, float], None] = lambda windows, loss: None,
    threads: Threads = Threads(),  # noqa: B008 (it cannot be changed)
) -> Iterator[EpochRecord]:
    """Train from `state` on and change it; yield a record after each epoch, until done or out of patience.

    sentences: numbers of the training part's sentences to train on; None means all. on_batch: called with the
    number of windows and J of each mini-batch. threads: how the work of a step is divided. Errors:
    NonFiniteError if J or a gradient is no longer finite.
    """
    settings = config.training
    if sentences is None:
        sentences = np.arange(len(prepared.train.sentence_starts) - 1)
    augmented = settings.recase or settings.replace_entities
    epoch_text = None if augmented else training_text(config, prepared, working)
    # The arrays that the layout was computed from are not needed during the epoch.
    release_prepared(prepared)
    # More threads than a batch has shards would mostly wait.
    most = shard_count(settings.batch_size, threads.shard_size)
    with Team(min(most, threads.workers or blas_threads())) as team:
        if settings.start and not state.epoch:
            # One pass without a step fills the optimiser's accumulators. Otherwise its first steps would be
            # as large as those of an untrained network.
            text = epoch_text or augmented_text(config, prepared, working, sentences, state.rng)
            with team.alone():
                size = threads.shard_size
                _epoch(config, prepared, text, sentences, state, team, _unseen, size, alpha=0.0)
        while state.epoch < settings.epochs and not _out_of_patience(config, state):
            started = time.perf_counter()
            state.epoch += 1
            text = epoch_text or augmented_text(config, prepared, working, sentences, state.rng)
            with team.alone():
                loss, audits = _epoch(
                    config,
                    prepared,
                    text,
                    sentences,
                    state,
                    team,
                    on_batch,
                    threads.shard_size,
                    _alpha(config, state.epoch),
                )
                seconds = time.perf_counter() - started
                release_prepared(prepared)
                frozen = objective_of(config).frozen
                now = set_parameters_aside(state.kept, frozen)
                state.recent = [*state.recent, now][-settings.average :]
                averaged = mean_parameters(state.recent, frozen)
                dev = None
                if working.dev and prepared.dev:
                    dev = evaluate_part(config, prepared.tags, averaged, working.dev, prepared.dev)
            # Without a dev part there is nothing to choose by: the last epoch is the best.
            best = dev is None or dev.f1 > state.best_f1
            if best:
                state.best = set_best_aside(averaged, frozen)
                state.best_epoch, state.best_f1 = state.epoch, dev.f1 if dev else 0.0
            N = int(np.diff(text.inputs.padded.sentence_starts)[sentences].sum())
            alpha = _alpha(config, state.epoch)
            yield EpochRecord(state.epoch, loss, dev, alpha, seconds, N / seconds, best, audits)


def _unseen(windows: int, loss: float) -> None:
    """Ignore a batch: the default for a progress bar's callback."""


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
    shard_size: int,
    alpha: float,
) -> tuple[float, tuple[Audit, ...]]:
    """Train on the text once; return the mean J over its windows, and the audits."""
    settings, objective, parameters = config.training, objective_of(config), state.parameters
    total, windows = 0.0, 0
    audits = []
    source = masked_batches(config, prepared, text, sentences, parameters, state.rng)
    drawn = next(source, None)
    while drawn:
        batch, masks = drawn
        # An overflow shows in J and is refused below, so numpy need not warn of it first.
        with np.errstate(over="ignore", invalid="ignore"):
            shards = cut_batch(batch, masks, shard_size)
            blocks = shared_blocks(objective, parameters, shards)
            back = partial(shard_gradients, objective, parameters, blocks=blocks)
            computed = list(team.parallel_map(back, shards))
            # Only this function draws from state.rng, one batch after the other. So the random numbers do not
            # depend on when a thread runs it.
            following = team.begin(lambda: next(source, None))
            J, gradients = add_shards(objective, parameters, shards, computed, team.parallel_map)
        gradients = of_trained_rows(gradients, state.rows)
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
        state.optimizer.update(parameters, gradients, alpha, team.parallel_map)
        if due:
            audits.append(audit(snapshot, J, gradients, before, parameters))
        B = len(batch.windows)
        total, windows = total + J * B, windows + B
        on_batch(B, J)
        if windows // _RELEASED != (windows - B) // _RELEASED:
            release_prepared(prepared)
        drawn = following()
    return total / windows, tuple(audits)


def of_trained_rows(gradients: ParameterGradients, rows: int) -> ParameterGradients:
    """Return the gradients without those of L's rows from `rows` on: starting rows are not trained."""
    of_L = gradients.get("L")
    if not isinstance(of_L, RowGradient) or not len(of_L.rows) or of_L.rows[-1] < rows:
        return gradients
    n = int(np.searchsorted(of_L.rows, rows))
    return {**gradients, "L": RowGradient(of_L.rows[:n], of_L.values[:n])}


def mean_parameters(recent: list[EpochParameters], frozen: Container[str] = ()) -> Parameters:
    """Return the mean of the last epochs' parameters, which is steadier than those of one epoch.

    frozen: names of the tables that are the same in all of them.
    """
    return {
        name: in_memory(array)
        if name in frozen or len(recent) == 1
        else _mean([parameters[name] for parameters in recent])
        for name, array in recent[-1].items()
    }


def in_memory(array: Array | Stored) -> Array:
    """Return an array, read from its file if it is stored in one."""
    return array[:] if isinstance(array, Stored) else array


_ROWS = 1 << 14  # that _mean averages at a time


def _mean(arrays: list[Array | Stored]) -> Array:
    """Return the mean of arrays, accumulated in float64, in their own dtype."""
    out = np.empty(arrays[0].shape, dtype=arrays[0].dtype)
    for start in range(0, len(out), _ROWS):
        rows = slice(start, start + _ROWS)
        out[rows] = np.mean([array[rows] for array in arrays], axis=0, dtype=np.float64)
    return out


_KEPT = 1 << 24  # bytes: a copy of a larger array goes to a temporary file


def set_parameters_aside(
    parameters: Mapping[str, Array], frozen: Container[str]
) -> EpochParameters:
    """Copy the arrays that training changes. Frozen arrays are not copied.

    Errors: OutputError if a temporary file can't be written.
    """
    return {n: a if n in frozen else set_aside(a, _KEPT) for n, a in parameters.items()}


def set_best_aside(parameters: Parameters, frozen: Container[str]) -> Parameters:
    """Copy the arrays that training changes, the large ones into temporary files that are mapped as arrays.

    Errors: OutputError if such a file can't be written.
    """
    aside = set_parameters_aside(parameters, frozen)
    return {n: a.array if isinstance(a, Stored) else a for n, a in aside.items()}


def evaluate_part(
    config: Config, tags: list[str], parameters: Parameters, inputs: Inputs, part: Part
) -> Scores:
    """Tag a part with the parameters in training, and score it against its gold tags, in its own scheme."""
    raw = score_tokens(parameters, config, inputs)
    allowed = lattice(tags, config.decoding.scheme)
    tag_ids = np.empty(len(raw), dtype=np.int32)
    for block in blocks_of(
        part.text
    ):  # in blocks, because decoding takes several times the memory of the scores
        tag_scores = adjust(raw[block.tokens], block.text, config.decoding)
        starts = block.text.sentence_starts
        tag_ids[block.tokens] = decode(tag_scores, starts, config.decoding.method, allowed)
    return score_predictions(
        tag_ids, tags, part.gold_ids, part.gold_tags, part.scheme, part.sentence_starts
    )


def _out_of_patience(config: Config, state: State) -> bool:
    patience = config.training.patience
    return patience > 0 and state.epoch - state.best_epoch >= patience and state.epoch > 0
