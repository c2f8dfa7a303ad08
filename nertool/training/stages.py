"""The pieces of a training: the networks of the first stage, and the members of the ensemble.

Each piece reads its inputs from the run folder and writes its result there. So pieces can run in parallel,
and finished ones are kept if the run is interrupted.

Why folds: a first-stage network is more confident on its own training text than on any other text. So the
second stage is trained on first-stage probabilities from a network that was trained without the token's
document (a jackknife over blocks of documents).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.config.learning import FirstStageConfig
from nertool.config.records import Config
from nertool.decoding.adjust import softmax
from nertool.errors import TrainingError
from nertool.evaluation.scores import Scores, score_predictions
from nertool.evaluation.tables import as_dict
from nertool.files.arrays import Array, write_arrays
from nertool.files.folders import present, replacing_folder
from nertool.files.sealed import SealedFolder, write_header
from nertool.gradcheck.audit import BROKEN, keeping_batch
from nertool.inputs.encoder import Encoder
from nertool.inputs.layout import MEMORY, STARTING, table_columns
from nertool.model.model import Member, Model, score_tokens
from nertool.model.save import save_model
from nertool.network.objective import WEIGHTS, Parameters
from nertool.tagging.analyse import analyse
from nertool.tagging.compiled import CompiledTagger
from nertool.training.batches import objective_of
from nertool.training.checkpoint import load_state, save_state, write_log
from nertool.training.parallel.team import Threads
from nertool.training.preparation.store import HEADER as PREPARED_HEADER
from nertool.training.preparation.store import RAW_TEXTS, Part, Prepared, encoder_of
from nertool.training.preparation.warm_start import continued, load_start
from nertool.training.preparation.working import FirstStage, Working, training_text, working_inputs
from nertool.training.trainer import EpochRecord, State, initial_state, mean_parameters, train
from nertool.version import __version__

_MEMBER, _FOLD = 1, 2  # each piece has its own stream of random numbers
_ARRAYS, _HEADER = "arrays.safetensors", "fold.json"

OnBatch = Callable[[int, float], None]


def first_stage_config(config: Config) -> Config:
    """Return the config of a first-stage network: its own width and epochs, the rest as for the members."""
    first = config.first_stage
    return replace(
        config,
        network=replace(config.network, hidden=first.hidden, members=1),
        training=replace(config.training, epochs=first.epochs, patience=0),
        first_stage=replace(first, folds=0, members=1, window=0, max_pooling=False),
    )


class FoldOf(NamedTuple):
    """A network of the first stage.

    member: which member of the stage it belongs to, from 0. fold: the fold that it is trained without, from
    1. Fold 0 means that it is trained on the whole training part, and that the model keeps it.
    """

    member: int
    fold: int

    def __str__(self) -> str:
        """Return a name for the progress of training."""
        stage = f"first stage {self.member + 1}" if self.member else "first stage"
        return f"{stage}, fold {self.fold}" if self.fold else stage


def folds_of(config: Config) -> list[FoldOf]:
    """List all networks of the first stage; an empty list if the config has no first stage."""
    first = config.first_stage
    if not first.folds:
        return []
    lowest = 1 if first.keep == "folds" else 0
    return [
        FoldOf(j, fold) for j in range(first.members) for fold in range(lowest, first.folds + 1)
    ]


def _dev_key(own: FoldOf) -> str:
    """Return the name of the array with a network's probabilities on dev.

    A fold's array "p" is of the tokens that it was not trained on; in the whole text's network it is of dev.
    """
    return "dev_p" if own.fold else "p"


def _is_kept(config: Config, own: FoldOf) -> bool:
    """Tell whether a model keeps a network of the first stage."""
    return config.first_stage.keep == "folds" or own.fold == 0


def fold_dir(run_dir: Path, own: FoldOf) -> Path:
    """Return the folder for the result of a network of the first stage."""
    name = f"fold.{own.fold}" if own.fold else "whole"
    return run_dir / "first_stage" / (f"{name}.{own.member + 1}" if own.member else name)


def member_dir(config: Config, run_dir: Path, i: int) -> Path:
    """Return the folder of a member's log and state: for a single network, the run folder itself."""
    return run_dir if config.network.members == 1 else run_dir / "members" / str(i + 1)


def fold_of_sentences(part: Part, folds: int) -> NDArray[np.int64]:
    """Return the fold of each sentence, (S,) in 1 … folds.

    Folds are blocks of documents, or of sentences if there are fewer documents than folds. Errors:
    TrainingError if there are also fewer sentences than folds, since a fold would be empty.
    """
    S, D = len(part.sentence_starts) - 1, len(part.document_starts) - 1
    if folds > S:
        raise TrainingError(
            f"first_stage.folds: found {folds}, expected at most {S}, the sentences of the training part"
        )
    if folds > D:
        return 1 + np.arange(S) * folds // S
    return 1 + np.repeat(np.arange(D) * folds // D, np.diff(part.document_starts))


def _continue_from(
    start: Model,
    network: Member,
    second: bool,
    config: Config,
    prepared: Prepared,
    working: Working,
    state: State,
) -> None:
    """Let a training start from a network of a model. second: whether it belongs to the second stage."""
    words = prepared.vectors[working.vectors].words
    fresh, tags, labels = state.parameters, prepared.tags, prepared.labels
    state.parameters = continued(
        fresh, config, tags, labels, words, working.rows, start, network, second
    )


def _place(first: FirstStageConfig, own: FoldOf) -> int:
    """Return the index of the model's first-stage network that a new one continues."""
    each = first.networks // first.members  # one for the whole text, or one for each fold
    return own.member * each + max(own.fold - 1, 0) % each


def train_fold(
    config: Config, prepared: Prepared, run_dir: Path, own: FoldOf
) -> Iterator[EpochRecord]:
    """Train a first-stage network without one fold, and store its probabilities for that fold's tokens.

    For a network that the model keeps, also store the network itself and its probabilities for dev.
    """
    first, (j, fold) = first_stage_config(config), own
    vectors = j % len(prepared.vectors)
    # The folds' networks must be alike, so dev chooses no epoch: all of them take the last one.
    of_sentences = fold_of_sentences(prepared.train, config.first_stage.folds)
    without_dev = replace(prepared, dev=None)
    kept = _is_kept(config, own)
    start = load_start(config)
    working = working_inputs(first, prepared if kept else without_dev, vectors, start=start)
    state = initial_state(first, prepared, working, (_FOLD, fold, *((j,) if j else ())))
    if start is not None:
        network = start.first_stage[_place(start.config.first_stage, own)]
        _continue_from(start, network, False, first, prepared, working, state)
    sentences = np.flatnonzero(of_sentences != fold)
    records = train(first, without_dev if fold else prepared, working, state, sentences)
    yield from keeping_batch(records, run_dir / BROKEN)

    parameters = mean_parameters(state.recent, objective_of(first).frozen)
    arrays: dict[str, Array] = {}
    if fold:
        left_out = np.repeat(of_sentences == fold, np.diff(prepared.train.sentence_starts))
        inputs = training_text(first, prepared, working).inputs
        p = softmax(score_tokens(parameters, first, inputs))[left_out]
        arrays = {"tokens": np.flatnonzero(left_out), "p": p}
    if kept:
        arrays |= {"rows": working.rows, **_kept(parameters, len(prepared.train.words))}
        if working.dev:
            arrays[_dev_key(own)] = softmax(score_tokens(parameters, first, working.dev))
    with replacing_folder(fold_dir(run_dir, own)) as aside:
        sums = {_ARRAYS: write_arrays(aside / _ARRAYS, arrays)}
        write_header(aside / _HEADER, {"fold": fold}, sums)


def _read_fold(run_dir: Path, own: FoldOf) -> dict[str, Array]:
    """Read the arrays that train_fold stored. Errors: ModelError for damage."""
    with SealedFolder(present(fold_dir(run_dir, own))) as opened:
        if (opened.path / _HEADER).exists():  # an older nertool wrote none
            opened.header(_HEADER)
        return opened.arrays(_ARRAYS)


def read_first_stage(config: Config, prepared: Prepared, run_dir: Path) -> FirstStage | None:
    """Assemble the folds' probabilities, and average them over the members of the stage.

    Return None if the config has no first stage.
    """
    if not config.first_stage.folds:
        return None
    shape = len(prepared.train.word_ids), len(prepared.tags)
    train_p = [np.empty(shape, dtype=np.float32) for _ in range(config.first_stage.members)]
    dev_p: list[Array] = []
    for own in folds_of(config):
        found = _read_fold(run_dir, own)
        if own.fold:
            train_p[own.member][found["tokens"]] = found["p"]
        if _is_kept(config, own) and prepared.dev:
            dev_p.append(np.array(found[_dev_key(own)]))
    return FirstStage(mean_opinion(train_p), mean_opinion(dev_p) if dev_p else None)


def mean_opinion(p: Sequence[Array]) -> Array:
    """Return the probabilities (N, T) of the averaged scores of several networks, from those of each.

    A model averages its networks in the same way.
    """
    if len(p) == 1:
        return p[0]
    smallest = np.finfo(np.float32).tiny
    total = np.zeros_like(p[0])
    for own in p:
        total += np.log(np.maximum(own, smallest))
    return softmax(total / np.float32(len(p)))


def first_stage_members(
    config: Config, prepared: Prepared, run_dir: Path, encoders: list[Encoder]
) -> tuple[Member, ...]:
    """Return the first stage's networks, as a model keeps them; an empty tuple without a first stage."""
    members = []
    for own in folds_of(config):
        if not _is_kept(config, own):
            continue
        arrays = _read_fold(run_dir, own)
        parameters = {name: arrays[name] for name in [*table_columns(config), *WEIGHTS]}
        parameters.pop(STARTING, None)
        i = own.member % len(encoders)
        members.append(Member(encoders[i], prepared.vectors[i].L, arrays["rows"], parameters))
    return tuple(members)


def train_member(
    config: Config,
    prepared: Prepared,
    run_dir: Path,
    i: int,
    on_batch: OnBatch = lambda windows, loss: None,
    threads: Threads = Threads(),  # noqa: B008 (it cannot be changed)
) -> Iterator[EpochRecord]:
    """Train the i-th network from its last checkpoint on; yield each epoch's record once it is on disk.

    For a single network, every new best epoch writes a model to best/.
    """
    folder = member_dir(config, run_dir, i)
    folder.mkdir(parents=True, exist_ok=True)
    working, state = member_start(config, prepared, run_dir, i)
    state = load_state(state, folder)
    encoders: list[Encoder] = []
    records = train(config, prepared, working, state, on_batch=on_batch, threads=threads)
    for record in keeping_batch(records, folder / BROKEN):
        if record.best and config.network.members == 1:
            encoders = encoders or encoders_of(config, prepared)
            member = member_of(prepared, working, state, encoders)
            _save_best(config, prepared, run_dir, (member,), encoders, record.epoch, record.dev)
        # The log is written first: if the process ends in between, resuming cuts the log back to the state.
        write_log(record, folder)
        save_state(state, folder / "last")
        yield record


def member_start(
    config: Config, prepared: Prepared, run_dir: Path, i: int
) -> tuple[Working, State]:
    """Return the working inputs of the i-th network, and its state before training."""
    vectors = 0 if config.vectors.more_for == "first_stage" else i % len(prepared.vectors)
    first = read_first_stage(config, prepared, run_dir)
    start = load_start(config)
    working = working_inputs(config, prepared, vectors, first, start)
    state = initial_state(config, prepared, working, (_MEMBER, i))
    if start is not None:
        network, second = start.members[i % len(start.members)], first is not None
        _continue_from(start, network, second, config, prepared, working, state)
    return working, state


def save_ensemble(config: Config, prepared: Prepared, run_dir: Path) -> Scores | None:
    """Combine the members, each at its best epoch, into one model in best/; return its scores on dev."""
    encoders = encoders_of(config, prepared)
    members, epochs = [], []
    for i in range(config.network.members):
        working, state = member_start(config, prepared, run_dir, i)
        state = load_state(state, member_dir(config, run_dir, i))
        members.append(member_of(prepared, working, state, encoders))
        epochs.append(state.best_epoch)
    model = _model(config, prepared, run_dir, tuple(members), encoders)
    dev = prepared.dev
    scores = None
    if dev:
        tag_ids = analyse(CompiledTagger(model), dev.text).tag_ids
        scores = score_predictions(
            tag_ids, model.tags, dev.gold_ids, dev.gold_tags, dev.scheme, dev.sentence_starts
        )
    _save_best(config, prepared, run_dir, tuple(members), encoders, epochs, scores)
    return scores


def member_of(
    prepared: Prepared, working: Working, state: State, encoders: list[Encoder]
) -> Member:
    """Return a network at its best epoch, as a model keeps it."""
    vectors = working.vectors
    parameters = _kept(state.best, len(prepared.train.words))
    return Member(encoders[vectors], prepared.vectors[vectors].L, working.rows, parameters)


def encoders_of(config: Config, prepared: Prepared) -> list[Encoder]:
    """Return one encoder for each table of vectors."""
    remembered = prepared.train.words if config.features.memory else None
    return [
        encoder_of(config, vectors, remembered, prepared.gazetteers) for vectors in prepared.vectors
    ]


def _kept(parameters: Parameters, words: int) -> Parameters:
    """Leave out the starting vectors, which the model's L holds, and the memory's rows for training alone."""
    parameters = {name: array for name, array in parameters.items() if name != STARTING}
    if MEMORY not in parameters:
        return parameters
    return {**parameters, MEMORY: parameters[MEMORY][: 1 + words]}


def _model(
    config: Config,
    prepared: Prepared,
    run_dir: Path,
    members: tuple[Member, ...],
    encoders: list[Encoder],
    provenance: dict[str, Any] | None = None,
) -> Model:
    return Model(
        config=config,
        labels=prepared.labels,
        tags=prepared.tags,
        corpus_scheme=prepared.train.scheme,
        members=members,
        first_stage=first_stage_members(config, prepared, run_dir, encoders),
        provenance=provenance or {},
    )


def _save_best(
    config: Config,
    prepared: Prepared,
    run_dir: Path,
    members: tuple[Member, ...],
    encoders: list[Encoder],
    epoch: int | list[int],
    dev: Scores | None,
) -> None:
    provenance = {
        "nertool": __version__,
        "numpy": np.__version__,
        "seed": config.seed,
        "epoch": epoch,
        "sha256": hashes_of(prepared),
        "dev": as_dict(dev) if dev else None,
    }
    if prepared.coverage:
        provenance["coverage"] = prepared.coverage
    model = _model(config, prepared, run_dir, members, encoders, provenance)
    save_model(model, run_dir / "best", run_dir / "prepared", PREPARED_HEADER)


def hashes_of(prepared: Prepared) -> dict[str, Any]:
    """Return the SHA-256 of the files that a model was made from."""
    train_hash, dev_hash, *vectors = prepared.inputs["sha256"]
    found = {"corpus.train": train_hash, "corpus.dev": dev_hash, "vectors": vectors}
    if RAW_TEXTS in prepared.inputs:
        found[RAW_TEXTS] = prepared.inputs[RAW_TEXTS]
    return found
