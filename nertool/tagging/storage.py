"""A model as a folder that stands alone and can be copied.

model.json         format and version, the resolved config, classes and tags, provenance
model.safetensors  the arrays; read through a memory map, and unable to run code
vocabulary.txt     the words of L's rows (after the special ones), one a line

Everything is written into a folder aside, flushed to disk, and then put in place by renaming.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from nertool.config import config_from_dict, config_to_dict
from nertool.corpus.schemes import SCHEMES, tag_names
from nertool.embeddings.encoder import SPECIAL_ROWS, Encoder
from nertool.embeddings.features import FEATURES, feature_columns
from nertool.errors import ConfigError, ModelError
from nertool.files import current_umask, replacing_folder, restore_interrupted
from nertool.network.activations import Array
from nertool.tagging.model import Model, outputs

FORMAT, VERSION = "nertool model", 1
HEADER, ARRAYS, VOCABULARY = "model.json", "model.safetensors", "vocabulary.txt"


def save_model(model: Model, path: Path) -> None:
    """Write a model folder, replacing one that is there; at every moment there is a whole one.

    Errors: OSError as it comes.
    """
    with replacing_folder(path) as aside:
        write_arrays(aside / ARRAYS, model.parameters)
        write_words(aside / VOCABULARY, model.encoder.words)
        header = {
            "format": FORMAT,
            "version": VERSION,
            "labels": model.labels,
            "tags": model.tags,
            "corpus_scheme": model.corpus_scheme,
            "features": model.encoder.features,
            "arrays": {name: list(array.shape) for name, array in model.parameters.items()},
            "config": config_to_dict(model.config),
            "provenance": model.provenance,
        }
        write_json(aside / HEADER, header)


def load_model(path: Path) -> Model:
    """Read a model folder, or the best model of a run folder; arrays stay on disk until they are used.

    Errors: ModelError for anything that is not a whole model of this format.
    """
    folder = model_folder(path)
    header = read_json(folder / HEADER)
    if header.get("format") != FORMAT:
        raise ModelError(
            f"{folder / HEADER}: found no nertool model, expected a folder from nertool train"
        )
    if header.get("version") != VERSION:
        raise ModelError(
            f"{folder / HEADER}: found model version {header.get('version')}, expected {VERSION}; "
            "train it again, or use the nertool release that made it"
        )
    arrays = map_arrays(folder / ARRAYS)
    try:
        shapes = {name: tuple(shape) for name, shape in header["arrays"].items()}
        if {name: array.shape for name, array in arrays.items()} != shapes:
            raise ModelError(
                f"{folder}: {ARRAYS} and {HEADER} don't belong together; copy the whole folder"
            )
        words = read_words(folder / VOCABULARY, len(arrays["L"]) - SPECIAL_ROWS)
        model = Model(
            config=config_from_dict(header["config"], str(folder / HEADER)),
            labels=list(header["labels"]),
            tags=list(header["tags"]),
            corpus_scheme=str(header["corpus_scheme"]),
            encoder=Encoder(words, header["features"]),
            parameters={name: arrays[name] for name in shapes},
            provenance=dict(header["provenance"]),
        )
        fitting = _shapes(model)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ModelError(
            f"{folder / HEADER}: damaged ({error!r}); copy or train the model again"
        ) from None
    except ConfigError as error:
        raise ModelError(str(error)) from None
    if model.tags != tag_names(model.labels, model.config.decoding.scheme):
        raise ModelError(
            f"{folder / HEADER}: damaged: tags and labels don't agree; train the model again"
        )
    if shapes != fitting or model.corpus_scheme not in SCHEMES:
        raise ModelError(
            f"{folder / HEADER}: damaged: config and arrays don't agree; copy or train the model again"
        )
    return model


def _shapes(model: Model) -> dict[str, tuple[int, ...]]:
    """Return the shapes that a model's arrays should have by its config, words and tags.

    Errors: KeyError for a feature that there isn't.
    """
    config = model.config
    rows = SPECIAL_ROWS + len(model.encoder.words)
    tables = {"L": (rows, *model.parameters["L"].shape[1:])}
    for name in model.encoder.features:
        tables[f"E.{name}"] = (FEATURES[name].size, getattr(config.features, name))
    columns = feature_columns(model.encoder.features)
    d = sum(c * shape[-1] for c, shape in zip(columns, tables.values(), strict=True))
    D, H = config.windows.size * d, config.network.hidden
    return {**tables, "W": (H, D), "b": (H,), "U": (outputs(model.tags, config), H)}


def model_folder(path: Path) -> Path:
    """Return the folder that holds the model itself: `path`, or the best model of a run folder."""
    restore_interrupted(path / "best")
    for folder in (path, path / "best"):
        if (folder / HEADER).is_file():
            return folder
    if not path.exists():
        raise ModelError(
            f"{path}: no such folder, expected a model or a run folder (nertool train makes one)"
        )
    if not path.is_dir():
        raise ModelError(
            f"{path}: found a file, expected a model or run folder (nertool train makes one)"
        )
    unfinished = (path / "last").is_dir() or (path / "prepared").is_dir()
    hint = "training has not finished an epoch yet" if unfinished else "nertool train makes one"
    raise ModelError(f"{path}: found no {HEADER} in it or in its best/, expected a model; {hint}")


def write_arrays(path: Path, arrays: Mapping[str, Array]) -> None:
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)
    os.chmod(path, 0o666 & ~current_umask())  # save_file keeps others from reading it


def map_arrays(path: Path) -> dict[str, Array]:
    """Open a safetensors file's arrays as read-only memory maps.

    Errors: ModelError for a file that is missing, cut short or of another kind.
    """
    kinds = {"F64": "<f8", "F32": "<f4", "I64": "<i8", "I32": "<i4", "BOOL": "?"}
    try:
        # The library checks that the header and the file's length agree; it has no memory map for numpy.
        with safe_open(path, framework="numpy"):
            pass
        with open(path, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(length))
        header.pop("__metadata__", None)
        arrays = {}
        for name, entry in header.items():
            kind, shape, begin = (
                kinds[entry["dtype"]],
                tuple(entry["shape"]),
                entry["data_offsets"][0],
            )
            if 0 in shape:
                arrays[name] = np.zeros(shape, dtype=kind)
                continue
            mapped = np.memmap(path, dtype=kind, mode="r", offset=8 + length + begin, shape=shape)
            arrays[name] = np.asarray(mapped)
        return arrays
    except FileNotFoundError:
        raise ModelError(f"{path}: missing; copy or train the model again") from None
    except (SafetensorError, ValueError, KeyError) as error:
        raise ModelError(
            f"{path}: cut short or damaged ({' '.join(str(error).split())}); copy or train the model again"
        ) from None


def write_words(path: Path, words: Sequence[str]) -> None:
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{word}\n" for word in words)


def read_words(path: Path, expected: int) -> list[str]:
    """Read a word a line. Errors: ModelError unless there are just as many as expected."""
    try:
        words = path.read_bytes().decode("utf-8").split("\n")[:-1]
    except FileNotFoundError:
        raise ModelError(f"{path}: missing; copy or train the model again") from None
    except UnicodeDecodeError:
        raise ModelError(f"{path}: damaged, not UTF-8; copy or train the model again") from None
    if len(words) != expected:
        raise ModelError(
            f"{path}: found {len(words):,} words, expected {expected:,}; copy or train the model again"
        )
    return words


def write_json(path: Path, value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=1) + "\n"
    # A path that is not UTF-8 holds lone surrogates: \udcff is how JSON, too, writes them.
    path.write_text(text, encoding="utf-8", errors="backslashreplace")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object. Errors: ModelError for a file that is missing or isn't one."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"{path}: missing; copy or train the model again") from None
    except (ValueError, RecursionError) as error:
        raise ModelError(
            f"{path}: damaged, not JSON ({error}); copy or train the model again"
        ) from None
    if not isinstance(value, dict):
        raise ModelError(f"{path}: damaged, expected a JSON object; copy or train the model again")
    return value
