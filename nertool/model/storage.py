"""A model as a folder that stands alone and can be copied, or as one file with the folder in it.

model.json             format and version, the resolved config, classes and tags, provenance; the
                       SHA-256 of every other file, and its own
model.safetensors      the networks' arrays; read through a memory map, and unable to run code
vectors.N.safetensors  the N-th file of vectors, as training started from it
vocabulary.N.txt       its words (after the special rows), one a line
memory.txt             the words of the memory's rows, where there is a memory
gazetteers.txt         the phrases of the gazetteers, list after list, where there are any

The vectors are kept once for all networks that share them; of each network only the rows that
training could meet are kept besides. Rows may be compressed (vectors/rows.py): then a table is several
arrays, and word lists are packed, as vocabulary.N.txt.gz.

x.nertool is an uncompressed zip file of such a folder, and is read in place.

Everything is written into a folder aside, flushed to disk, and then put in place by renaming.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nertool.config.records import Config, config_to_dict
from nertool.config.values import config_from_dict
from nertool.corpus.schemes import SCHEMES, tag_names
from nertool.errors import ConfigError, ModelError
from nertool.files.arrays import Array, all_finite, write_arrays
from nertool.files.folders import present, replacing_folder
from nertool.files.output import scratch_folder
from nertool.files.sealed import (
    AGAIN,
    PACKED,
    Bytes,
    SealedFolder,
    rewrite_header,
    rewritten_header,
    sums_in,
    write_header,
    write_words,
)
from nertool.files.sealed_zip import SealedZip, is_zip, write_sealed_zip
from nertool.inputs.encoder import SPECIAL_ROWS, UNKNOWN, Encoder
from nertool.inputs.gazetteers import Gazetteers
from nertool.inputs.layout import (
    MEMORY,
    STARTING,
    feature_table_shapes,
    features_of,
    layout_of,
)
from nertool.model.gazetteers import PHRASES, read_gazetteers, sizes_of, write_gazetteers
from nertool.model.model import Member, Model, outputs
from nertool.vectors.lookup import SPELLINGS
from nertool.vectors.rows.rows import COMPRESSED, Rows, arrays_of, tables_in
from nertool.vectors.subwords import (
    Composer,
    Subwords,
    subword_arrays,
    subword_notes,
    subwords_in,
)

FORMAT, VERSION = "nertool model", 3
_WITHOUT_SUMS = 2  # the version before there were sums: still read
_COMPRESSED = 4  # the version with compressed rows, which older releases cannot read
HEADER, ARRAYS, REMEMBERED = "model.json", "model.safetensors", "memory.txt"
STAGES = ("first_stage", "members")
ONE_FILE = ".nertool"  # ends the name of a model in one file


_OTHERS = re.compile(r"vectors\.\d+\.safetensors|(vocabulary\.\d+|memory|gazetteers)\.txt(\.gz)?")


def vectors_name(i: int) -> str:
    """Name the file of the i-th vectors."""
    return f"vectors.{i}.safetensors"


def vocabulary_name(i: int) -> str:
    """Name the file with the words of the i-th vectors."""
    return f"vocabulary.{i}.txt"


def save_model(
    model: Model, path: Path, vectors_dir: Path | None = None, vectors_header: str = HEADER
) -> None:
    """Write a model folder, replacing one that is there; at every moment there is a whole one.

    vectors_dir: a folder that has the vectors', vocabularies' and gazetteers' files already, under the same
    names; they are linked to, or copied where the file system has no links. vectors_header: its header,
    whose sums are taken over. A path that ends in .nertool becomes one file. Errors: OutputError.
    """
    if path.suffix == ONE_FILE:
        with scratch_folder() as aside:
            save_model(model, aside / "model", vectors_dir, vectors_header)
            pack_model(aside / "model", path)
        return
    stages = {stage: getattr(model, stage) for stage in STAGES}
    everyone = [member for members in stages.values() for member in members]
    encoders = list({id(member.encoder): member for member in everyone}.values())
    number = {id(member.encoder): i for i, member in enumerate(encoders)}
    arrays: dict[str, Array] = {}
    for stage, members in stages.items():
        for i, member in enumerate(members):
            arrays[f"{stage}.{i}.rows"] = member.rows
            for name, table in member.parameters.items():
                arrays |= arrays_of(f"{stage}.{i}.{name}", table)
    packed = PACKED if _is_compressed(everyone) else ""
    known = sums_in(vectors_dir / vectors_header) if vectors_dir else {}
    with replacing_folder(path) as aside:
        sums = {ARRAYS: write_arrays(aside / ARRAYS, arrays)}
        for i, member in enumerate(encoders):
            if vectors_dir:
                for name in (vectors_name(i), vocabulary_name(i)):
                    link_or_copy(vectors_dir / name, aside / name)
                    sums[name] = known.get(name) or file_sum(aside / name)
            else:
                name = vectors_name(i)
                tables = _subwords_of(member.encoder)
                kept = arrays_of("L", member.L) | subword_arrays(tables)
                sums[name] = write_arrays(aside / name, kept)
                name = vocabulary_name(i) + packed
                sums[name] = write_words(aside / name, member.encoder.words)
        if model.config.features.memory:
            name = REMEMBERED + packed
            sums[name] = write_words(aside / name, encoders[0].encoder.remembered or [])
        gazetteers = encoders[0].encoder.gazetteers
        if gazetteers and vectors_dir:
            link_or_copy(vectors_dir / PHRASES, aside / PHRASES)
            sums[PHRASES] = known.get(PHRASES) or file_sum(aside / PHRASES)
        elif gazetteers:
            name = PHRASES + packed
            sums[name] = write_gazetteers(aside / name, gazetteers)
        header = {
            "format": FORMAT,
            "version": _COMPRESSED if packed else VERSION,
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
        if gazetteers:
            header["gazetteers"] = sizes_of(gazetteers)
        subwords = [subword_notes(_subwords_of(member.encoder)) for member in encoders]
        if any(subwords):
            header["subwords"] = subwords
        write_header(aside / HEADER, header, sums)


def _subwords_of(encoder: Encoder) -> tuple[Subwords, ...]:
    return encoder.composer.tables if encoder.composer else ()


def _is_compressed(members: Sequence[Member]) -> bool:
    tables = [table for member in members for table in (member.L, *member.parameters.values())]
    return any(isinstance(table, COMPRESSED) for table in tables)


def file_sum(path: Path) -> str:
    """Return a file's SHA-256."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


_TRIES = 20  # to read a folder that others take the place of meanwhile


def load_model(path: Path, verify: bool = True) -> Model:
    """Read a model folder, a model in one file, or the best model of a run folder; arrays stay on disk until
    they are used.

    verify: compare every file with its SHA-256 in the header. A model of an older nertool has none, and is
    read without. Errors: ModelError for anything that is not a whole model of this format.
    """
    for attempt in range(_TRIES):
        folder = open_model(path, verify)
        try:
            with folder:
                return _read_model(folder)
        except ModelError:
            if attempt == _TRIES - 1 or folder.is_current():
                raise
            # A training has put a new model in the place of this one: its files went while they were read.
    raise AssertionError("the last try returns or raises")


def open_model(path: Path, verify: bool = True) -> SealedFolder:
    """Open the files of a model folder, of a run's best model, or of a model in one file; use it in a `with`.

    Errors: ModelError where there is no model.
    """
    if path.is_file() and (path.suffix == ONE_FILE or is_zip(path)):
        return SealedZip(path, HEADER, verify)
    return SealedFolder(model_folder(path), verify)


def pack_model(path: Path, target: Path) -> None:
    """Copy a model's files into one file, as they are. Errors: ModelError, OutputError."""
    with open_model(path) as opened:
        write_sealed_zip(target, _files_of(opened, opened.header(HEADER)))


def _files_of(opened: SealedFolder, header: Mapping[str, Any]) -> dict[str, Bytes]:
    """Return the bytes of the files that belong to a model, the header first; checked if they have sums."""
    names = [HEADER, *sorted(name for name in opened.sizes() if _belongs(name) and name != HEADER)]
    return {name: opened.checked(name) if name != HEADER else opened.read(name) for name in names}


def _belongs(name: str) -> bool:
    return name in (HEADER, ARRAYS) or bool(_OTHERS.fullmatch(name))


def _read_model(opened: SealedFolder) -> Model:
    folder = opened.path
    header = opened.header(HEADER)
    if header.get("format") != FORMAT:
        raise ModelError(
            f"{folder / HEADER}: found no nertool model, expected a folder from nertool train"
        )
    version = header.get("version")
    if version not in (_COMPRESSED, VERSION, _WITHOUT_SUMS):
        raise ModelError(
            f"{folder / HEADER}: found model version {version}, expected at most {_COMPRESSED}; "
            "train it again, or use the nertool release that made it"
        )
    if opened.verify and version != _WITHOUT_SUMS and not opened.summed:
        raise ModelError(f"{folder / HEADER}: damaged: it has no SHA-256 of the files; {AGAIN}")
    arrays = opened.arrays(ARRAYS)
    damaged = f"{folder / HEADER}: damaged"
    try:
        shapes = {name: tuple(shape) for name, shape in header["arrays"].items()}
        if {name: array.shape for name, array in arrays.items()} != shapes:
            raise ModelError(
                f"{folder}: {ARRAYS} and {HEADER} don't belong together; copy the whole folder"
            )
        arrays = {name: arrays[name] for name in shapes}  # in the order of a row's parts
        tables = tables_in(arrays)
        # A model that does not say how words are looked up is from before there was a choice.
        header["config"]["vectors"].setdefault("lookup", list(SPELLINGS))
        config = config_from_dict(header["config"], str(folder / HEADER))
        kept = _read_vectors(opened, max(sum(header["networks"].values(), [0])) + 1)
        vectors = [tables_in(own)["L"] for own in kept]
        packed = PACKED if version == _COMPRESSED else ""
        gazetteers = read_gazetteers(opened, PHRASES + packed, header.get("gazetteers"))
        if (gazetteers.names if gazetteers else []) != list(config.features.gazetteers or ()):
            raise ModelError(f"{damaged}: config and gazetteers don't agree; {AGAIN}")
        notes = header.get("subwords") or [[]] * len(kept)
        subwords = [subwords_in(own, note) for own, note in zip(kept, notes, strict=True)]
        encoders = _read_encoders(opened, vectors, subwords, tables, config, packed, gazetteers)
        stages = {
            stage: tuple(
                _member(tables, f"{stage}.{i}.", encoders[v], vectors[v])
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
        raise ModelError(f"{damaged} ({error!r}); {AGAIN}") from None
    except ConfigError as error:
        raise ModelError(str(error)) from None
    if model.tags != tag_names(model.labels, model.config.decoding.scheme):
        raise ModelError(f"{damaged}: tags and labels don't agree; train the model again")
    if not fits or model.corpus_scheme not in SCHEMES:
        raise ModelError(f"{damaged}: config and arrays don't agree; {AGAIN}")
    _refuse_numbers(folder, arrays, [] if opened.summed else kept)
    return model


def _refuse_numbers(
    folder: Path, arrays: Mapping[str, Array], vectors: Sequence[Mapping[str, Array]]
) -> None:
    """Refuse numbers that no training leaves. Errors: ModelError."""
    named = [(ARRAYS, name, array) for name, array in arrays.items()]
    for i, own in enumerate(vectors):
        named += [(vectors_name(i), name, array) for name, array in own.items()]
    for file, name, array in named:
        if not all_finite(array):
            raise ModelError(
                f"{folder / file}: damaged: {name} holds NaN or infinity, expected finite numbers; {AGAIN}"
            )


def _read_vectors(folder: SealedFolder, count: int) -> list[dict[str, Array]]:
    return [folder.arrays(vectors_name(i)) for i in range(count)]


def _read_encoders(
    folder: SealedFolder,
    vectors: Sequence[Rows],
    subwords: Sequence[Sequence[Subwords]],
    tables: Mapping[str, Rows],
    config: Config,
    packed: str,
    gazetteers: Gazetteers | None,
) -> list[Encoder]:
    """Read the vocabularies, and make an encoder for each; all share one memory and the gazetteers."""
    remembered = None
    if config.features.memory:
        remembered = folder.words(REMEMBERED + packed, len(tables[f"members.0.{MEMORY}"]) - 1)
    return [
        Encoder(
            folder.words(vocabulary_name(i) + packed, len(L) - SPECIAL_ROWS),
            features_of(config),
            remembered,
            gazetteers,
            config.vectors.lookup,
            Composer(L[np.array([UNKNOWN])][0], own) if own else None,
        )
        for i, (L, own) in enumerate(zip(vectors, subwords, strict=True))
    ]


def _member(tables: Mapping[str, Rows], prefix: str, encoder: Encoder, L: Rows) -> Member:
    own = {
        name.removeprefix(prefix): table
        for name, table in tables.items()
        if name.startswith(prefix)
    }
    rows = own.pop("rows")
    if isinstance(rows, COMPRESSED):
        raise ValueError("row numbers can't be compressed")
    return Member(encoder, L, rows, own)


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
    widths = {STARTING: v, **{name: width for name, (_, width) in tables.items()}}
    D = layout_of(config, widths, v, T, has_first_stage).D
    expected = {**tables, "W": (H, D), "b": (H,), "U": (outputs(model.tags, config), H)}
    kind = member.parameters["W"].dtype
    tables_kept = member.parameters.values()
    plain = [table for table in tables_kept if not isinstance(table, COMPRESSED)]
    if kind.kind != "f" or any(table.dtype != kind for table in plain):
        return False
    if member.L.dtype.kind != "f":
        return False
    inside = not len(rows) or (rows[0] >= 0 and rows[-1] < len(member.L))
    return {name: array.shape for name, array in member.parameters.items()} == expected and bool(
        inside and (np.diff(rows) > 0).all()
    )


def model_folder(path: Path) -> Path:
    """Return the folder that holds the model itself: `path`, or the best model of a run folder."""
    for folder in (present(path), present(path / "best")):
        if (folder / HEADER).is_file():
            return folder
    if not path.exists():
        raise ModelError(
            f"{path}: no such folder, expected a model or a run folder (nertool train makes one)"
        )
    if not path.is_dir():
        raise ModelError(
            f"{path}: found a file, expected a model or run folder (nertool train makes one), or a model in "
            f"one file ({ONE_FILE}; nertool pack makes one)"
        )
    unfinished = (path / "last").is_dir() or (path / "prepared").is_dir()
    hint = "training has not finished an epoch yet" if unfinished else "nertool train makes one"
    raise ModelError(f"{path}: found no {HEADER} in it or in its best/, expected a model; {hint}")


def link_or_copy(source: Path, target: Path) -> None:
    """Give a file a second name, or copy it where the file system cannot link."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def set_provenance(path: Path, key: str, value: Any) -> None:
    """Write an entry of provenance into a saved model's header; at every moment there is a whole one."""
    with open_model(path) as opened:
        header = opened.header(HEADER)
        header["provenance"][key] = value
        if isinstance(opened, SealedZip):
            files = _files_of(opened, header)
            write_sealed_zip(path, {**files, HEADER: rewritten_header(header)})
            return
    rewrite_header(opened.path / HEADER, header)
