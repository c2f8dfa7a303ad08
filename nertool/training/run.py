"""A run folder: the whole of a training, resumable after any interruption.

config.yaml   the resolved config: training it again repeats the run
prepared/     stage 1's results
log.jsonl     a record per epoch
last/         the state at the end of the last epoch: parameters, optimiser, generator, best so far
best/         the model of the best epoch, chosen on dev
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

import nertool
from nertool.config import Config, config_to_dict, load_config
from nertool.errors import ConfigError, ModelError
from nertool.evaluation.report import as_dict
from nertool.files import replacing_folder, restore_interrupted
from nertool.tagging.storage import (
    load_model,
    map_arrays,
    read_json,
    save_model,
    write_arrays,
    write_json,
)
from nertool.training.prepare import Report, prepare
from nertool.training.prepared import Prepared, load_prepared, save_prepared
from nertool.training.trainer import EpochRecord, State, best_model, initial_state, train


def prepare_run(config: Config, run_dir: Path, report: Report) -> Prepared:
    """Do stage 1 into a run folder, replacing what stage 1 left there before."""
    prepared = prepare(config, report)
    save_prepared(prepared, run_dir / "prepared")
    return prepared


def prepared_for(
    config: Config, run_dir: Path, rebuild: str, report: Report, overwrite: bool = False
) -> Prepared:
    """Return stage 1's results: those in the run folder, or new ones if there are none.

    rebuild: the command that makes them anew, for the message. Errors: StaleError if those that
    are there were made from other inputs, ModelError if they are damaged; neither if the run is
    to be overwritten.
    """
    folder = run_dir / "prepared"
    if not (folder / "prepared.json").is_file():
        return prepare_run(config, run_dir, report)
    try:
        prepared = load_prepared(folder, config, rebuild)
    except ModelError:  # stale, or damaged
        if not overwrite:
            raise
        return prepare_run(config, run_dir, report)
    report(f"prepared inputs: from {folder}")
    return prepared


_OWN = ("best", "last", "log.jsonl", "prepared", "config.yaml")


def check_free(run_dir: Path, overwrite: bool) -> None:
    """Make sure, before any long work, that a run folder can take a new training.

    Prepared inputs may be there. Errors: ModelError if a training already is, or strange files,
    or if the folder can't be written to.
    """
    found = [name for name in ("best", "last", "log.jsonl") if (run_dir / name).exists()]
    if found and not overwrite:
        raise ModelError(
            f"{run_dir}: found a run ({', '.join(found)}), expected a new folder; go on with it by "
            "--resume, replace it by --overwrite, or choose another --run-dir"
        )
    if run_dir.exists() and not run_dir.is_dir():
        raise ModelError(f"{run_dir}: found a file, expected a folder; choose another --run-dir")
    entries = sorted(path.name for path in run_dir.iterdir()) if run_dir.is_dir() else []
    strangers = [name for name in entries if name not in _OWN and not name.startswith(".")]
    if strangers:
        raise ModelError(
            f"{run_dir}: found {strangers[0]} in it, expected an empty folder or a run; "
            "choose another --run-dir"
        )
    nearest = next(folder for folder in (run_dir, *run_dir.absolute().parents) if folder.exists())
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise ModelError(f"{nearest}: no permission to write; choose another --run-dir")


def begin_run(config: Config, run_dir: Path) -> None:
    """Clear a former run out of its folder, all but the prepared inputs, and write the config.

    What an interrupted run left aside goes, too: it must not be taken for the new run's.
    """
    aside = [path for name in ("best", "last") for path in run_dir.glob(f".{name}.*")]
    for path in [*(run_dir / name for name in ("best", "last", "log.jsonl")), *aside]:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    run_dir.mkdir(parents=True, exist_ok=True)
    write_config(config, run_dir / "config.yaml")


_PATHS = (("corpus", "train"), ("corpus", "dev"), ("corpus", "test"), ("vectors", "path"))


def write_config(config: Config, path: Path) -> None:
    """Write the resolved config, with absolute paths, so that it means the same from anywhere."""
    tree = config_to_dict(config)
    for section, key in _PATHS:
        if tree[section][key] is not None:
            tree[section][key] = os.path.abspath(tree[section][key])
    aside = path.with_name(f".{path.name}.new")
    aside.write_text(yaml.safe_dump(tree, sort_keys=False, allow_unicode=True), encoding="utf-8")
    aside.rename(path)


def check_same_config(config: Config, run_dir: Path) -> None:
    """Refuse to resume a run under another config; only training.epochs and patience may change.

    Errors: ModelError naming the keys that differ.
    """
    path = run_dir / "config.yaml"
    if not path.is_file():
        raise ModelError(
            f"{run_dir}: found no config.yaml, expected a run to resume; leave out --resume"
        )
    try:
        then = load_config(path)
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


def _comparable(config: Config) -> Config:
    """Blank what may differ when a run is resumed: places of files (hashes are compared) and the end."""
    return replace(
        config,
        corpus=replace(config.corpus, train=None, dev=None, test=None),
        vectors=replace(config.vectors, path=config.vectors.path and Path()),
        training=replace(config.training, epochs=1, patience=0),
    )


def run_epochs(
    config: Config,
    prepared: Prepared,
    run_dir: Path,
    resume: bool,
    on_batch: Callable[[int, float], None] = lambda windows, loss: None,
) -> Iterator[EpochRecord]:
    """Train into a run folder; yield each epoch's record once it is on disk."""
    state = load_state(config, prepared, run_dir) if resume else initial_state(config, prepared)
    for record in train(config, prepared, state, on_batch):
        if record.best:
            save_model(
                best_model(config, prepared, state, provenance_of(prepared, config, record)),
                run_dir / "best",
            )
        # The log first: should the process end in between, resuming cuts it back to the state.
        with open(run_dir / "log.jsonl", "a", encoding="utf-8") as log:
            log.write(json.dumps(log_entry(record)) + "\n")
        save_state(state, run_dir / "last")
        yield record


def last_best(run_dir: Path) -> tuple[int, dict[str, Any] | None]:
    """Return the epoch of a run's best model, and its measures on dev (None without a dev part)."""
    provenance = load_model(run_dir).provenance
    return provenance["epoch"], provenance["dev"]


def provenance_of(prepared: Prepared, config: Config, record: EpochRecord) -> dict[str, Any]:
    """Say what a model was made from: files by hash, seed, epoch, versions and measures on dev."""
    train_hash, dev_hash, vectors_hash = prepared.inputs["sha256"]
    return {
        "nertool": nertool.__version__,
        "numpy": np.__version__,
        "seed": config.seed,
        "epoch": record.epoch,
        "sha256": {
            "corpus.train": train_hash,
            "corpus.dev": dev_hash,
            "vectors.path": vectors_hash,
        },
        "dev": as_dict(record.dev) if record.dev else None,
    }


def log_entry(record: EpochRecord) -> dict[str, Any]:
    return {
        "epoch": record.epoch,
        "loss": record.loss,
        "alpha": record.alpha,
        "seconds": round(record.seconds, 3),
        "tokens_per_second": round(record.tokens_per_second),
        "best": record.best,
        "dev": as_dict(record.dev) if record.dev else None,
    }


def save_state(state: State, folder: Path) -> None:
    """Write a training's state, whole or not at all."""
    arrays = {f"theta/{name}": array for name, array in state.parameters.items()}
    for name, memory in state.optimizer.memory.items():
        arrays |= {f"memory/{i}/{name}": array for i, array in enumerate(memory)}
    for i, parameters in enumerate(state.recent[:-1]):  # the last are theta themselves
        arrays |= {f"recent/{i}/{name}": array for name, array in parameters.items()}
    arrays |= {f"best/{name}": array for name, array in state.best.items()}
    with replacing_folder(folder) as aside:
        write_arrays(aside / "state.safetensors", arrays)
        write_json(
            aside / "state.json",
            {
                "epoch": state.epoch,
                "step": state.optimizer.t,
                "recent": len(state.recent),
                "best_epoch": state.best_epoch,
                "best_f1": state.best_f1,
                "generator": state.rng.bit_generator.state,
            },
        )


def load_state(config: Config, prepared: Prepared, run_dir: Path) -> State:
    """Read the state that a run ended with; a run that ended before its first epoch starts anew.

    log.jsonl is cut back to that epoch, since the process may have ended between the two files.
    Errors: ModelError for a damaged state.
    """
    folder = run_dir / "last"
    restore_interrupted(folder)
    state = initial_state(config, prepared)
    if folder.is_dir():
        header, arrays = read_json(folder / "state.json"), map_arrays(folder / "state.safetensors")
        try:
            for name, array in state.parameters.items():
                array[...] = arrays[f"theta/{name}"]
                state.best[name] = np.array(arrays[f"best/{name}"])
                for i, memory in enumerate(state.optimizer.memory[name]):
                    memory[...] = arrays[f"memory/{i}/{name}"]
            state.recent = [
                {name: np.array(arrays[f"recent/{i}/{name}"]) for name in state.parameters}
                for i in range(header["recent"] - 1)
            ] + [{name: array.copy() for name, array in state.parameters.items()}]
            state.epoch, state.optimizer.t = header["epoch"], header["step"]
            state.best_epoch, state.best_f1 = header["best_epoch"], header["best_f1"]
            state.rng.bit_generator.state = header["generator"]
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"{folder}: damaged ({error}); start the run again with --overwrite"
            ) from None
    log_path = run_dir / "log.jsonl"
    if log_path.exists():
        lines = log_path.read_text(encoding="utf-8").splitlines(keepends=True)
        aside = log_path.with_name(".log.jsonl.new")
        aside.write_text("".join(lines[: state.epoch]), encoding="utf-8")
        aside.rename(log_path)
    return state
