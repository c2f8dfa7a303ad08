"""Checkpoints: what training writes to disk after every epoch, and how it resumes from there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from nertool.errors import ModelError
from nertool.evaluation.tables import as_dict
from nertool.files.arrays import Array, release, write_arrays
from nertool.files.folders import present, replacing_folder
from nertool.files.output import naming
from nertool.files.scratch import Stored
from nertool.files.sealed import SealedFolder, write_header
from nertool.network.objective import Parameters
from nertool.training.trainer import EpochRecord, State, set_parameters_aside

HEADER, ARRAYS = "state.json", "state.safetensors"


def write_log(record: EpochRecord, network_dir: Path) -> None:
    """Append an epoch to a network's log.jsonl."""
    entry: dict[str, Any] = {
        "epoch": record.epoch,
        "loss": record.loss,
        "alpha": record.alpha,
        "seconds": round(record.seconds, 3),
        "tokens_per_second": round(record.tokens_per_second),
        "best": record.best,
        "dev": as_dict(record.dev) if record.dev else None,
    }
    if record.audits:
        entry["audits"] = [audit._asdict() for audit in record.audits]
    path = network_dir / "log.jsonl"
    with naming(path), open(path, "a", encoding="utf-8") as log:
        log.write(json.dumps(entry) + "\n")


def save_state(state: State, folder: Path) -> None:
    """Write the state of training, whole or not at all.

    Of the parameters only the trained ones are written. The frozen ones follow from the inputs.
    """
    trained = state.optimizer.memory.keys()
    arrays = {f"theta/{name}": state.parameters[name] for name in trained}
    for name, memory in state.optimizer.memory.items():
        arrays |= {f"memory/{i}/{name}": array for i, array in enumerate(memory)}
    for i, parameters in enumerate(state.recent[:-1]):  # the last of them are theta itself
        arrays |= {f"recent/{i}/{name}": _mapped(parameters[name]) for name in trained}
    arrays |= {f"best/{name}": state.best[name] for name in trained}
    with replacing_folder(folder) as aside:
        sums = {ARRAYS: write_arrays(aside / ARRAYS, arrays)}
        write_header(
            aside / HEADER,
            {
                "epoch": state.epoch,
                "step": state.optimizer.t,
                "recent": len(state.recent),
                "best_epoch": state.best_epoch,
                "best_f1": state.best_f1,
                "generator": state.rng.bit_generator.state,
            },
            sums,
        )
    for parameters in state.recent:
        for array in parameters.values():
            if isinstance(array, Stored):
                array.release()
    for name in trained:
        release(state.best[name])


def _mapped(array: Array | Stored) -> Array:
    return array.array if isinstance(array, Stored) else array


def load_state(state: State, network_dir: Path) -> State:
    """Load the state after the last finished epoch into `state`, and return it. Without one, it is unchanged.

    log.jsonl is cut back to that epoch, since the process may have ended between writing the two files.
    Errors: ModelError for a damaged state.
    """
    folder = present(network_dir / "last")
    if folder.is_dir():
        with SealedFolder(folder) as opened:
            header, arrays = opened.header(HEADER), opened.arrays(ARRAYS)
        trained = state.optimizer.memory
        frozen = state.parameters.keys() - trained.keys()
        try:
            for name, remembered in trained.items():
                found, expected = arrays[f"theta/{name}"], state.parameters[name]
                if found.shape != expected.shape:
                    raise ModelError(
                        f"{folder}: found {name} of shape {found.shape}, expected {expected.shape}: another "
                        "version of nertool left it; go on with that version, or start the run again with "
                        "train --overwrite"
                    )
                expected[...] = found
                for i, memory in enumerate(remembered):
                    memory[...] = arrays[f"memory/{i}/{name}"]

            def kept(under: str) -> Parameters:
                return {
                    name: array if name in frozen else arrays[f"{under}/{name}"]
                    for name, array in state.parameters.items()
                }

            state.best = kept("best")
            state.best |= {name: np.array(state.best[name]) for name in trained}
            state.recent = [
                set_parameters_aside(kept(f"recent/{i}"), frozen)
                for i in range(header["recent"] - 1)
            ]
            state.recent.append(set_parameters_aside(state.kept, frozen))
            state.epoch, state.optimizer.t = header["epoch"], header["step"]
            state.best_epoch, state.best_f1 = header["best_epoch"], header["best_f1"]
            state.rng.bit_generator.state = header["generator"]
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"{folder}: damaged ({error}); start the run again with train --overwrite"
            ) from None
    log_path = network_dir / "log.jsonl"
    if log_path.exists():
        lines = log_path.read_text(encoding="utf-8").splitlines(keepends=True)
        aside = log_path.with_name(".log.jsonl.new")
        with naming(log_path):
            aside.write_text("".join(lines[: state.epoch]), encoding="utf-8")
            aside.rename(log_path)
    return state
