"""A model as a folder that stands alone and can be copied.

model.json             format and version, the resolved config, classes and tags, provenance
model.safetensors      the networks' arrays; read through a memory map, and unable to run code
vectors.N.safetensors  the N-th file of vectors, as training started from it
vocabulary.N.txt       its words (after the special rows), one a line
memory.txt             the words of the memory's rows, where there is a memory

The vectors are kept once for all networks that share them; of each network only the rows that
training could meet are kept besides.

Everything is written into a folder aside, flushed to disk, and then put in place by renaming.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from nertool.config.records import Config, config_to_dict
from nertool.config.values import config_from_dict
from nertool.corpus.schemes import SCHEMES, tag_names
from nertool.errors import ConfigError, ModelError
from nertool.files.safe import current_umask, replacing_folder, restore_interrupted
from nertool.inputs.encoder import SPECIAL_ROWS, Encoder
from nertool.inputs.layout import MEMORY, feature_table_shapes, features_of, layout_of
from nertool.model.model import Member, Model, outputs
from nertool.network.activations import Array

FORMAT, VERSION = "nertool model", 2
HEADER, ARRAYS, REMEMBERED = "model.json", "model.safetensors", "memory.txt"
STAGES = ("first_stage", "members")


def vectors_name(i: int) -> str:
    """Name the file of the i-th vectors."""
    return f"vectors.{i}.safetensors"


def vocabulary_name(i: int) -> str:
    """Name the file with the words of the i-th vectors."""
    return f"vocabulary.{i}.txt"


def save_model(model: Model, path: Path, vectors_dir: Path | None = None) -> None:
    """Write a model folder, replacing one that is there; at every moment there is a whole one.

    vectors_dir: a folder that has the vectors' and vocabularies' files already, under the same
    names; they are linked to, or copied where the file system has no links. Errors: OSError as it comes.
    """
    stages = {stage: getattr(model, stage) for stage in STAGES}
    everyone = [member for members in stages.values() for member in members]
    encoders = list({id(member.encoder): member for member in everyone}.values())
    number = {id(member.encoder): i for i, member in enumerate(encoders)}
    arrays = {}
    for stage, members in stages.items():
        for i, member in enumerate(members):
            arrays[f"{stage}.{i}.rows"] = member.rows
            arrays |= {f"{stage}.{i}.{name}": array for name, array in member.parameters.items()}
    with replacing_folder(path) as aside:
        write_arrays(aside / ARRAYS, arrays)
        for i, member in enumerate(encoders):
            if vectors_dir:
                for name in (vectors_name(i), vocabulary_name(i)):
                    link_or_copy(vectors_dir / name, aside / name)
            else:
                write_arrays(aside / vectors_name(i), {"L": member.L})
                write_words(aside / vocabulary_name(i), member.encoder.words)
        if model.config.features.memory:
            write_words(aside / REMEMBERED, encoders[0].encoder.remembered or [])
        header = {
            "format": FORMAT,
            "version": VERSION,
            "labels": model.labels,
            "tags": model.tags,
            "corpus_scheme": model.corpus_scheme,
            "networks": {
                stage: [number[id(member.encoder)] for member in members]
                for stage, members in stages.items()
            },
            "arrays": {name: list(array.shape) for name, array in arrays.items()},
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
    damaged = f"{folder / HEADER}: damaged"
    try:
        shapes = {name: tuple(shape) for name, shape in header["arrays"].items()}
        if {name: array.shape for name, array in arrays.items()} != shapes:
            raise ModelError(
                f"{folder}: {ARRAYS} and {HEADER} don't belong together; copy the whole folder"
            )
        arrays = {name: arrays[name] for name in shapes}  # in the order of a row's parts
        config = config_from_dict(header["config"], str(folder / HEADER))
        vectors = _read_vectors(folder, max(sum(header["networks"].values(), [0])) + 1)
        encoders = _read_encoders(folder, vectors, arrays, config)
        stages = {
            stage: tuple(
                _member(arrays, f"{stage}.{i}.", encoders[v], vectors[v])
                for i, v in enumerate(header["networks"][stage])
            )
            for stage in STAGES
        }
        model = Model(
            config=config,
            labels=list(header["labels"]),
            tags=list(header["tags"]),
            corpus_scheme=str(header["corpus_scheme"]),
            provenance=dict(header["provenance"]),
            **stages,
        )
        fits = _fits(model)
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        raise ModelError(f"{damaged} ({error!r}); copy or train the model again") from None
    except ConfigError as error:
        raise ModelError(str(error)) from None
    if model.tags != tag_names(model.labels, model.config.decoding.scheme):
        raise ModelError(f"{damaged}: tags and labels don't agree; train the model again")
    if not fits or model.corpus_scheme not in SCHEMES:
        raise ModelError(f"{damaged}: config and arrays don't agree; copy or train the model again")
    return model


def _read_vectors(folder: Path, count: int) -> list[Array]:
    return [map_arrays(folder / vectors_name(i))["L"] for i in range(count)]


def _read_encoders(
    folder: Path, vectors: Sequence[Array], arrays: Mapping[str, Array], config: Config
) -> list[Encoder]:
    """Read the vocabularies, and make an encoder for each; all share one memory."""
    remembered = None
    if config.features.memory:
        remembered = read_words(folder / REMEMBERED, len(arrays[f"members.0.{MEMORY}"]) - 1)
    return [
        Encoder(
            read_words(folder / vocabulary_name(i), len(L) - SPECIAL_ROWS),
            features_of(config),
            remembered,
        )
        for i, L in enumerate(vectors)
    ]


def _member(arrays: Mapping[str, Array], prefix: str, encoder: Encoder, L: Array) -> Member:
    own = {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }
    return Member(encoder, L, own.pop("rows"), own)


def _fits(model: Model) -> bool:
    """Tell whether a model's arrays are those that its config asks for, in number and shape.

    Errors: KeyError for an array that is missing.
    """
    config = model.config
    first = model.first_stage
    return (
        len(model.members) == config.network.members
        and bool(first) == (config.first_stage.folds > 0)
        and all(_member_fits(member, model, False, config.first_stage.hidden) for member in first)
        and all(
            _member_fits(member, model, bool(first), config.network.hidden)
            for member in model.members
        )
    )


def _member_fits(member: Member, model: Model, has_first_stage: bool, H: int) -> bool:
    config, v, T, rows = model.config, member.L.shape[1], len(model.tags), member.rows
    if rows.ndim != 1 or rows.dtype.kind != "i":
        return False
    tables = {"L": (len(rows), v), **feature_table_shapes(config)}
    if config.features.memory:
        tables[MEMORY] = (1 + len(member.encoder.remembered or []), len(model.labels) + 2)
    widths = {name: width for name, (_, width) in tables.items()}
    D = layout_of(config, widths, v, T, has_first_stage).D
    expected = {**tables, "W": (H, D), "b": (H,), "U": (outputs(model.tags, config), H)}
    inside = not len(rows) or (rows[0] >= 0 and rows[-1] < len(member.L))
    return {name: array.shape for name, array in member.parameters.items()} == expected and bool(
        inside and (np.diff(rows) > 0).all()
    )


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
    """Write arrays as safetensors, readable by whom the umask lets. Errors: OSError."""
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


def link_or_copy(source: Path, target: Path) -> None:
    """Give a file a second name, or copy it where the file system cannot link."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def write_words(path: Path, words: Sequence[str]) -> None:
    """Write words, one a line, as UTF-8. Errors: OSError."""
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


def set_provenance(folder: Path, key: str, value: Any) -> None:
    """Write an entry of provenance into a saved model's header; at every moment there is a whole one."""
    path = model_folder(folder) / HEADER
    header = read_json(path)
    header["provenance"][key] = value
    aside = path.with_name(f".{HEADER}.new")
    write_json(aside, header)
    aside.replace(path)


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON, as UTF-8. Errors: OSError."""
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
