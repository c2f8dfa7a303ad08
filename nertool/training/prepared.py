"""Stage 1's results, and how they are kept: with the hashes of what they were made from.

prepared/ in a run folder holds
prepared.json       hashes and settings of the inputs, classes, schemes
arrays.safetensors  the starting L and each part's arrays
vocabulary.txt, train.words.txt, dev.words.txt
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nertool.config import Config, config_to_dict
from nertool.corpus.columnar import Ids, Offsets
from nertool.embeddings.features import FEATURES
from nertool.errors import ModelError, StaleError
from nertool.files import replacing_folder, restore_interrupted
from nertool.network.activations import Array
from nertool.tagging.storage import (
    map_arrays,
    read_json,
    read_words,
    write_arrays,
    write_json,
    write_words,
)


@dataclass(frozen=True)
class Part:
    """One part of the corpus, encoded.

    words: its distinct word forms; type_ids (2 + types, F) int32: row numbers in the tables, the
    two paddings first; word_ids, tag_ids (N,) int32, tag_ids into the network's tags; gold_ids
    (N,) int32 into gold_tags, as the file has them; sentence_starts, document_starts as in Corpus.
    """

    words: list[str]
    type_ids: NDArray[np.int32]
    word_ids: Ids
    tag_ids: Ids
    gold_ids: Ids
    gold_tags: list[str]
    scheme: str
    sentence_starts: Offsets
    document_starts: Offsets


@dataclass(frozen=True)
class Prepared:
    """Everything that training starts from: L (V, d) float32 is the starting table of word vectors."""

    labels: list[str]
    tags: list[str]
    train: Part
    dev: Part | None
    vocabulary: list[str]
    L: Array
    inputs: dict[str, Any]


_PART_ARRAYS = ("type_ids", "word_ids", "tag_ids", "gold_ids", "sentence_starts", "document_starts")


def features_of(config: Config) -> list[str]:
    """Name the features that the config gives a width, in FEATURES' order."""
    return [name for name in FEATURES if getattr(config.features, name)]


def input_hashes(config: Config) -> dict[str, Any]:
    """Return the settings that the prepared inputs depend on, and the hash of every file."""
    settings = config_to_dict(config)
    paths = (config.corpus.train, config.corpus.dev, config.vectors.path)
    keep: dict[str, Any] = {
        "corpus": {key: value for key, value in settings["corpus"].items() if key != "test"},
        "vectors": {key: value for key, value in settings["vectors"].items() if key != "fine_tune"},
        "features": features_of(config),
        "decoding.scheme": config.decoding.scheme,
        "seed": config.seed,
    }
    # By hash, not by path: a run folder goes on working when its inputs are moved.
    for section, key in (("corpus", "train"), ("corpus", "dev"), ("vectors", "path")):
        keep[section].pop(key)
    return {**keep, "sha256": [path and file_hash(path) for path in paths]}


def file_hash(path: Path) -> str | None:
    """Return a file's SHA-256; None where there is no file, which its reader reports better."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def save_prepared(prepared: Prepared, folder: Path) -> None:
    """Write stage 1's results into a run folder's prepared/."""
    parts = {"train": prepared.train, "dev": prepared.dev}
    with replacing_folder(folder) as aside:
        arrays = {"L": prepared.L}
        schemes: dict[str, Any] = {}
        for name, part in parts.items():
            if part is None:
                continue
            for key in _PART_ARRAYS:
                arrays[f"{name}.{key}"] = getattr(part, key)
            write_words(aside / f"{name}.words.txt", part.words)
            schemes[name] = {
                "scheme": part.scheme,
                "gold_tags": part.gold_tags,
                "words": len(part.words),
            }
        write_arrays(aside / "arrays.safetensors", arrays)
        write_words(aside / "vocabulary.txt", prepared.vocabulary)
        write_json(
            aside / "prepared.json",
            {
                "labels": prepared.labels,
                "tags": prepared.tags,
                "parts": schemes,
                "vocabulary": len(prepared.vocabulary),
                "inputs": prepared.inputs,
            },
        )


def load_prepared(folder: Path, config: Config, rebuild: str) -> Prepared:
    """Read stage 1's results, refusing those made from other inputs than the config names now.

    rebuild: the command that makes them anew, for the message. Errors: ModelError.
    """
    restore_interrupted(folder)
    header = read_json(folder / "prepared.json")
    try:
        _refuse_stale(header["inputs"], input_hashes(config), folder, rebuild)
        arrays = map_arrays(folder / "arrays.safetensors")
        parts: dict[str, Part] = {}
        for name, entry in header["parts"].items():
            columns = {key: arrays[f"{name}.{key}"] for key in _PART_ARRAYS}
            parts[name] = Part(
                words=read_words(folder / f"{name}.words.txt", entry["words"]),
                gold_tags=entry["gold_tags"],
                scheme=entry["scheme"],
                **columns,
            )
        return Prepared(
            labels=header["labels"],
            tags=header["tags"],
            train=parts["train"],
            dev=parts.get("dev"),
            vocabulary=read_words(folder / "vocabulary.txt", header["vocabulary"]),
            L=arrays["L"],
            inputs=header["inputs"],
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ModelError(f"{folder}: damaged ({error!r}); make it again with: {rebuild}") from None


def _refuse_stale(then: dict[str, Any], now: dict[str, Any], folder: Path, rebuild: str) -> None:
    if then == now:
        return
    names = ("corpus.train", "corpus.dev", "vectors.path")
    changed = [
        name for name, a, b in zip(names, then["sha256"], now["sha256"], strict=True) if a != b
    ] or [key for key in now if then.get(key) != now[key]]
    raise StaleError(
        f"{folder}: stale: made from other inputs ({', '.join(changed)} changed since); "
        f"make it again with: {rebuild}"
    )
