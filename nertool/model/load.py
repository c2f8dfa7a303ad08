"""Read a model, and refuse files that are damaged or not a complete model of this format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nertool.config.records import Config
from nertool.config.values import config_from_dict
from nertool.corpus.schemes import SCHEMES, tag_names
from nertool.errors import ConfigError, ModelError
from nertool.files.arrays import Array, all_finite
from nertool.files.sealed import AGAIN, PACKED, SealedFolder
from nertool.inputs.encoder import SPECIAL_ROWS, UNKNOWN, Encoder
from nertool.inputs.gazetteers import Gazetteers
from nertool.inputs.layout import MEMORY, STARTING, feature_table_shapes, features_of, layout_of
from nertool.model.files import (
    ARRAYS,
    FORMAT,
    HEADER,
    REMEMBERED,
    STAGES,
    VERSION,
    WITH_COMPRESSED,
    WITHOUT_SUMS,
    open_model,
    vectors_name,
    vocabulary_name,
)
from nertool.model.gazetteers import PHRASES, read_gazetteers
from nertool.model.model import Member, Model, outputs
from nertool.vectors.clusters import clusters_in
from nertool.vectors.lookup import SPELLINGS
from nertool.vectors.rows.rows import COMPRESSED, Rows, tables_in
from nertool.vectors.subwords import Composer, Subwords, subwords_in

_TRIES = 20  # attempts to read a folder that another process may replace at the same time


def load_model(path: Path, verify: bool = True) -> Model:
    """Read a model folder, a model in one file, or the best model of a run folder.

    Arrays stay on disk until they are used. verify: compare every file with its SHA-256 in the header. A
    model of an old nertool has no SHA-256, and is read without this check. Errors: ModelError for anything
    that is not a complete model of this format.
    """
    for attempt in range(_TRIES):
        folder = open_model(path, verify)
        try:
            with folder:
                return _read_model(folder)
        except ModelError:
            if attempt == _TRIES - 1 or folder.is_current():
                raise
            # A training replaced this model by a new one while its files were read.
    raise AssertionError("the last try returns or raises")


def _read_model(opened: SealedFolder) -> Model:
    folder = opened.path
    header = opened.header(HEADER)
    if header.get("format") != FORMAT:
        raise ModelError(
            f"{folder / HEADER}: found no nertool model, expected a folder from nertool train"
        )
    version = header.get("version")
    if version not in (WITH_COMPRESSED, VERSION, WITHOUT_SUMS):
        raise ModelError(
            f"{folder / HEADER}: found model version {version}, expected at most {WITH_COMPRESSED}; "
            "train it again, or use the nertool release that made it"
        )
    if opened.verify and version != WITHOUT_SUMS and not opened.summed:
        raise ModelError(f"{folder / HEADER}: damaged: it has no SHA-256 of the files; {AGAIN}")
    arrays = opened.arrays(ARRAYS)
    damaged = f"{folder / HEADER}: damaged"
    try:
        shapes = {name: tuple(shape) for name, shape in header["arrays"].items()}
        if {name: array.shape for name, array in arrays.items()} != shapes:
            raise ModelError(
                f"{folder}: {ARRAYS} and {HEADER} don't belong together; copy the whole folder"
            )
        arrays = {name: arrays[name] for name in shapes}  # in the order of a word's row
        tables = tables_in(arrays)
        # An old model's config has no key `lookup`: words were looked up by their spellings only.
        header["config"]["vectors"].setdefault("lookup", list(SPELLINGS))
        config = config_from_dict(header["config"], str(folder / HEADER))
        kept = _read_vectors(opened, max(sum(header["networks"].values(), [0])) + 1)
        vectors = [tables_in(own)["L"] for own in kept]
        packed = PACKED if version == WITH_COMPRESSED else ""
        gazetteers = read_gazetteers(opened, PHRASES + packed, header.get("gazetteers"))
        if (gazetteers.names if gazetteers else []) != list(config.features.gazetteers or ()):
            raise ModelError(f"{damaged}: config and gazetteers don't agree; {AGAIN}")
        notes = header.get("subwords") or [[]] * len(kept)
        subwords = [subwords_in(own, note) for own, note in zip(kept, notes, strict=True)]
        clusters = [clusters_in(own, len(L)) for own, L in zip(kept, vectors, strict=True)]
        if any((own is not None) != bool(config.features.clusters) for own in clusters):
            raise ModelError(f"{damaged}: config and clusters don't agree; {AGAIN}")
        parts = zip(vectors, subwords, clusters, strict=True)
        encoders = _read_encoders(opened, list(parts), tables, config, packed, gazetteers)
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
    """Refuse arrays with NaN or infinity. Errors: ModelError."""
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
    parts: Sequence[tuple[Rows, Sequence[Subwords], NDArray[np.uint16] | None]],
    tables: Mapping[str, Rows],
    config: Config,
    packed: str,
    gazetteers: Gazetteers | None,
) -> list[Encoder]:
    """Read the vocabularies, and return an encoder for each. All share one memory and the gazetteers.

    parts: for each file of vectors L, the vectors of its subwords, and its clusters.
    """
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
            clusters,
        )
        for i, (L, own, clusters) in enumerate(parts)
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
    """Return whether the number and the shapes of a model's arrays are those that its config requires.

    Errors: KeyError for a missing array.
    """
    config = model.config
    first = model.first_stage
    return (
        len(model.members) == config.network.members
        and len(first) == config.first_stage.networks
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
