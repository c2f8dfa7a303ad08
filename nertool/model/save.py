"""Write a model, as a folder or as one file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nertool.config.records import config_to_dict
from nertool.files.arrays import Array, write_arrays
from nertool.files.folders import replacing_folder
from nertool.files.output import scratch_folder
from nertool.files.sealed import PACKED, sums_in, write_header, write_words
from nertool.inputs.encoder import Encoder
from nertool.model.files import (
    ARRAYS,
    FORMAT,
    HEADER,
    ONE_FILE,
    REMEMBERED,
    STAGES,
    VERSION,
    WITH_COMPRESSED,
    file_sum,
    link_or_copy,
    pack_model,
    vectors_name,
    vocabulary_name,
)
from nertool.model.gazetteers import PHRASES, sizes_of, write_gazetteers
from nertool.model.model import Member, Model
from nertool.vectors.clusters import cluster_arrays
from nertool.vectors.rows.rows import COMPRESSED, arrays_of
from nertool.vectors.subwords import Subwords, subword_arrays, subword_notes


def save_model(
    model: Model, path: Path, vectors_dir: Path | None = None, vectors_header: str = HEADER
) -> None:
    """Write a model folder. An existing one is replaced, so that a complete model exists at every moment.

    A path with the file extension .nertool becomes one file. vectors_dir: a folder that already has the files
    of vectors, vocabularies and gazetteers, under the same names; the new folder links to them, or has copies
    if the file system has no links. vectors_header: the header of vectors_dir, from which their SHA-256 are
    taken if it has them. Errors: OutputError.
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
                kept |= cluster_arrays(member.encoder.clusters)
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
            "version": WITH_COMPRESSED if packed else VERSION,
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
