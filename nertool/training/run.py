"""A run folder: everything that a training writes. A run can be resumed after any interruption.

config.yaml   the resolved config: training with it again repeats the run
prepared/     the corpus and the vectors, read and encoded
first_stage/  the first stage's networks and probabilities, if there is a first stage
log.jsonl     a record per epoch
last/         the state after the last epoch: parameters, optimiser, generator, best so far
members/N/    the networks of an ensemble, each with its own log.jsonl and last/
best/         the model of the best epoch, chosen on dev
refit/        the final fit on train and dev, if the config asks for one: a run folder of its own
broken_batch.safetensors   the batch that ended a training because a value was no longer finite
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from nertool.config.file import load_config, read_config_file
from nertool.config.paths import with_paths
from nertool.config.records import Config, config_to_dict
from nertool.config.values import build_config
from nertool.corpus.ledger import Ledger
from nertool.errors import ConfigError, ModelError
from nertool.files.folders import clear_unfinished, locked
from nertool.files.output import naming
from nertool.files.scratch import trim_memory
from nertool.gradcheck.audit import BROKEN
from nertool.model.load import load_model
from nertool.training.parallel.pool import Piece, Send, run_pieces
from nertool.training.parallel.team import Threads
from nertool.training.preparation.encode import Report, prepare
from nertool.training.preparation.store import (
    Prepared,
    load_prepared,
    release_prepared,
    save_prepared,
)
from nertool.training.preparation.working import has_starting_rows
from nertool.training.refit import REFIT, keep_refit, prepare_refit, with_name
from nertool.training.stages import (
    FoldOf,
    OnBatch,
    fold_dir,
    folds_of,
    member_dir,
    save_ensemble,
    train_fold,
    train_member,
)
from nertool.training.temperature import calibrate_run
from nertool.training.trainer import EpochRecord

_LONG = 1 << 20  # tokens: the arrays of a longer text are read from the file after it is prepared


def prepare_run(
    config: Config, run_dir: Path, report: Report, ledger: Ledger | None = None
) -> Prepared:
    """Prepare the inputs in a run folder, replacing prepared inputs that are there."""
    prepared = prepare(config, report, ledger)
    save_prepared(prepared, run_dir / "prepared")
    if len(prepared.train.word_ids) <= _LONG:
        return prepared
    del prepared  # a long text's arrays are read from the file when they are needed
    trim_memory()
    return load_prepared(run_dir / "prepared", None, "nertool prepare")


def prepared_for(
    config: Config,
    run_dir: Path,
    rebuild: str,
    report: Report,
    overwrite: bool = False,
    ledger: Ledger | None = None,
) -> Prepared:
    """Return the prepared inputs of the run folder, or prepare them if there are none.

    rebuild: the command that prepares them again, for the message. Errors: StaleError if they were made from
    other inputs, ModelError if they are damaged. With overwrite they are prepared again instead.
    """
    folder = run_dir / "prepared"
    if not (folder / "prepared.json").is_file():
        return prepare_run(config, run_dir, report, ledger)
    try:
        prepared = load_prepared(folder, config, rebuild)
    except ModelError:  # stale, or damaged
        if not overwrite:
            raise
        return prepare_run(config, run_dir, report, ledger)
    report(f"prepared inputs: from {folder}")
    return prepared


@contextmanager
def writing_run(run_dir: Path) -> Iterator[None]:
    """Hold a run folder's lock: one process at a time prepares or trains in it.

    First remove the unfinished files that a killed process left in the folder. Errors: BusyError.
    """
    with locked(run_dir):
        with naming(run_dir):
            for folder in (
                run_dir,
                run_dir / REFIT,
                run_dir / "first_stage",
                *run_dir.glob("members/*"),
            ):
                clear_unfinished(folder)
        yield


_ORPHAN = 30.0  # seconds that a network's process may take to notice that its parent was killed

_RESULTS = ("best", "last", "log.jsonl", "members", "first_stage", REFIT)
_OWN = (*_RESULTS, BROKEN, "prepared", "config.yaml")


def check_free(run_dir: Path, overwrite: bool) -> None:
    """Check, before any long work, that a run folder can take a new training.

    Prepared inputs may be there. Errors: ModelError if the folder holds a training or unknown files, or can't
    be written to.
    """
    found = [name for name in _RESULTS if (run_dir / name).exists()]
    if found and not overwrite:
        raise ModelError(
            f"{run_dir}: found a run ({', '.join(found)}), expected a new folder; continue it with "
            "train --resume, replace it with train --overwrite, or choose another --run-dir"
        )
    check_folder(run_dir)
    entries = sorted(path.name for path in run_dir.iterdir()) if run_dir.is_dir() else []
    strangers = [name for name in entries if name not in _OWN and not name.startswith(".")]
    if strangers:
        raise ModelError(
            f"{run_dir}: found {strangers[0]} in it, expected an empty folder or a run; "
            "choose another --run-dir"
        )


def check_folder(run_dir: Path) -> None:
    """Check, before any long work, that a folder can be written to or created. Errors: ModelError."""
    nearest = next(path for path in (run_dir, *run_dir.absolute().parents) if path.exists())
    if not nearest.is_dir():
        raise ModelError(f"{nearest}: found a file, expected a folder; choose another --run-dir")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise ModelError(f"{nearest}: no permission to write; choose another --run-dir")


def begin_run(config: Config, run_dir: Path) -> None:
    """Remove an earlier run from its folder, all but the prepared inputs, and write the config.

    Unfinished files of an interrupted run are removed, too, so that they are not taken for the new run's.
    """
    with naming(run_dir):
        clear_unfinished(run_dir)
        for path in (run_dir / name for name in (*_RESULTS, BROKEN)):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        run_dir.mkdir(parents=True, exist_ok=True)
    write_config(config, run_dir / "config.yaml")


def write_config(config: Config, path: Path) -> None:
    """Write the resolved config with absolute paths, so that it can be used from any working folder."""
    tree = config_to_dict(with_paths(config, lambda named: Path(os.path.abspath(named))))
    aside = path.with_name(f".{path.name}.new")
    with naming(path):
        aside.write_text(
            yaml.safe_dump(tree, sort_keys=False, allow_unicode=True), encoding="utf-8"
        )
        aside.rename(path)


def config_of(model: Path) -> Config:
    """Return the config that a model was trained with, to train another model with it.

    In a run folder, vectors and gazetteers are named by absolute paths, so that they are found from any
    working folder.

    Errors: ModelError, ConfigError.
    """
    config = load_model(model).config
    for folder in (model, model.parent):
        if (folder / "best").is_dir() and (folder / "config.yaml").is_file():
            own = load_config(folder / "config.yaml")
            return replace(config, vectors=own.vectors, features=own.features)
    return config


def check_same_config(config: Config, run_dir: Path) -> None:
    """Refuse to resume a run with another config, or a run of an older nertool with another word dropout.

    _comparable lists the keys that may differ, such as training.epochs and training.patience.

    Errors: ModelError naming the keys that differ.
    """
    path = run_dir / "config.yaml"
    if not path.is_file():
        raise ModelError(
            f"{run_dir}: found no config.yaml, expected a run to resume; leave out --resume"
        )
    try:
        raw = read_config_file(path)
        then = build_config(raw)
    except ConfigError as error:
        raise ModelError(f"{error} (the run's own config; it can't be resumed)") from None
    differing = []
    now_tree, then_tree = config_to_dict(_comparable(config)), config_to_dict(_comparable(then))
    for section, value in now_tree.items():
        if isinstance(value, dict):
            differing += [f"{section}.{k}" for k in value if value[k] != then_tree[section][k]]
        elif value != then_tree[section]:
            differing.append(section)
    if differing:
        raise ModelError(
            f"{run_dir}: the run was started with another {', '.join(differing)}; resume it with the config "
            f"that it was started with ({path}), or start a new one in another --run-dir"
        )
    # A run's config has every key. One without features.clusters predates the starting vectors of dropped
    # words.
    if has_starting_rows(config) and "features.clusters" not in raw:
        raise ModelError(
            f"{run_dir}: an older nertool started the run, whose training.word_dropout left words their "
            "trained vectors; resume it with that version, or start it again with train --overwrite"
        )


def _comparable(config: Config) -> Config:
    """Blank the keys that may differ when a run is resumed: paths (their hashes are compared) and when to
    stop."""
    return replace(
        config,
        corpus=replace(config.corpus, train=None, dev=None, test=None),
        vectors=replace(
            config.vectors,
            path=config.vectors.path and Path(),
            more=config.vectors.more and (Path(),) * len(config.vectors.more),
            raw_text=config.vectors.raw_text and (Path(),) * len(config.vectors.raw_text),
        ),
        features=replace(
            config.features,
            gazetteers=config.features.gazetteers and dict.fromkeys(config.features.gazetteers, ()),
        ),
        training=replace(config.training, epochs=1, patience=0, audit_every=0, start=None),
        recipe="plain",
        budget="2m",
        distillation=replace(config.distillation, teacher=None, texts=None),
    )


def run_training(
    config: Config,
    prepared: Prepared,
    run_dir: Path,
    workers: int,
    on_batch: OnBatch = lambda windows, loss: None,
    threads: Threads = Threads(),  # noqa: B008 (it cannot be changed)
) -> Iterator[tuple[str, EpochRecord]]:
    """Train into a run folder, from its last checkpoint on; yield (network's name, record) after each epoch.

    A single network has the name "" and is trained in this process; on_batch is called for its batches.
    Several networks are trained `workers` at a time, each in its own process.
    """
    yield from _train_networks(config, prepared, run_dir, workers, on_batch, threads)
    if "refit" in load_model(run_dir).provenance:
        return  # A finished run was resumed. Its final model has seen dev, so dev can't measure it.
    calibrate_run(prepared, run_dir)
    if config.training.refit and prepared.dev:
        release_prepared(prepared)
        yield from _train_final(config, run_dir, workers, on_batch, threads)


def _train_networks(
    config: Config,
    prepared: Prepared,
    run_dir: Path,
    workers: int,
    on_batch: OnBatch,
    threads: Threads,
) -> Iterator[tuple[str, EpochRecord]]:
    """Train the first stage and the members, and write the model of their best epochs to best/."""
    folds = folds_of(config)
    path = run_dir / "config.yaml"
    # The pieces read the config from there. A resumed run may have another number of epochs.
    if folds or config.network.members > 1 or _end_moved(config, path):
        write_config(config, path)
    if folds:
        missing = [own for own in folds if not fold_dir(run_dir, own).is_dir()]
        yield from run_pieces([Piece(str(own), _fold, (run_dir, own)) for own in missing], workers)
    if config.network.members == 1:
        for record in train_member(config, prepared, run_dir, 0, on_batch, threads):
            yield "", record
        return
    members = range(config.network.members)
    yield from run_pieces(
        [Piece(f"member {i + 1}", _member, (run_dir, i)) for i in members], workers
    )
    save_ensemble(config, prepared, run_dir)


def _end_moved(config: Config, path: Path) -> bool:
    """Tell whether the training section (such as the number of epochs) differs from the run's own config."""
    return path.is_file() and load_config(path).training != config.training


def _train_final(
    config: Config, run_dir: Path, workers: int, on_batch: OnBatch, threads: Threads
) -> Iterator[tuple[str, EpochRecord]]:
    """Train once more on train and dev, and replace the best model by the result."""
    final = prepare_refit(config, run_dir)
    folder = run_dir / REFIT
    trim_memory()
    together = load_prepared(folder / "prepared", None, "nertool train")
    yield from with_name(_train_networks(final, together, folder, workers, on_batch, threads))
    keep_refit(run_dir, len(together.train.word_ids))


def _fold(run_dir: Path, own: FoldOf, send: Send) -> None:
    config, prepared = _read_run(run_dir)
    for record in train_fold(config, prepared, run_dir, own):
        send(record)


def _member(run_dir: Path, i: int, send: Send) -> None:
    config, prepared = _read_run(run_dir)
    with locked(member_dir(config, run_dir, i), _ORPHAN):
        for record in train_member(config, prepared, run_dir, i):
            send(record)


def _read_run(run_dir: Path) -> tuple[Config, Prepared]:
    """Read a run's config and prepared inputs. The process that began the run has checked them."""
    config = load_config(run_dir / "config.yaml")
    return config, load_prepared(run_dir / "prepared", None, "nertool prepare")


def last_best(run_dir: Path) -> tuple[int | list[int], dict[str, Any] | None]:
    """Return the epoch of a run's best model (a list for an ensemble), and its scores on dev.

    Without a dev part the scores are None.
    """
    provenance = load_model(run_dir).provenance
    return provenance["epoch"], provenance["dev"]
