"""The prepared inputs, and how they are stored: with the hashes of the files that they were made from.

prepared/ in a run folder holds

  prepared.json                             hashes and settings of the inputs, classes, schemes
  arrays.safetensors                        each part's arrays
  vectors.N.safetensors, vocabulary.N.txt   the starting L of the N-th table of vectors, and its words
  train.words.txt, dev.words.txt            each part's word types
  gazetteers.txt                            the gazetteers' phrases, if there are any
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.config.records import Config, config_to_dict
from nertool.corpus.columnar import Ids, Offsets
from nertool.errors import CorpusError, ModelError, StaleError, VectorsError
from nertool.files.arrays import release, write_arrays
from nertool.files.folders import present, replacing_folder
from nertool.files.safe import need_regular
from nertool.files.scratch import trim_memory
from nertool.files.sealed import SealedFolder, write_header, write_words
from nertool.formats.paths import file_hash, inputs_of, texts_hash
from nertool.inputs.encoder import UNKNOWN, Encoder
from nertool.inputs.gazetteers import Gazetteers
from nertool.inputs.layout import features_of
from nertool.inputs.text import Text
from nertool.model.files import HEADER as MODEL_HEADER
from nertool.model.files import open_model, vectors_name, vocabulary_name
from nertool.model.gazetteers import PHRASES, read_gazetteers, sizes_of, write_gazetteers
from nertool.network.activations import Array
from nertool.vectors.clusters import cluster_arrays, clusters_in
from nertool.vectors.lookup import SPELLINGS, SUBWORDS
from nertool.vectors.subwords import Composer, Subwords, subword_arrays, subword_notes, subwords_in


@dataclass(frozen=True)
class Part:
    """One part of the corpus, encoded.

    words: its distinct word types. type_ids (tables of vectors, 2 + word types, F) int32: for each table of
    vectors, row numbers in the lookup tables, the two paddings first. word_ids, tag_ids (N,) int32; tag_ids
    index the network's tags. gold_ids (N,) int32 index gold_tags, the tags of the file. scheme: the
    file's tag scheme. Where a model added entities to the training part (training.start, distillation), its
    gold_tags are IOB2 instead. sentence_starts, document_starts: as in Corpus. targets (N, T) float16: in
    distillation, each token's target distribution over the tags; None if the tag alone is the target.
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
    targets: NDArray[np.float16] | None = None

    @cached_property
    def text(self) -> Text:
        """The part's text."""
        return Text(self.words, self.word_ids, self.sentence_starts, self.document_starts)


class Vectors(NamedTuple):
    """A table of vectors to start from.

    words: its words. L: (special rows + words, v) float32. subwords: the subword rows of the files that have
    them. clusters: (special rows + words, COLUMNS), each row's clusters, or None if they are no feature.
    own: the number of words at the end that have no vector and start from random rows; it is not stored.
    """

    words: Sequence[str]
    L: Array
    subwords: tuple[Subwords, ...] = ()
    clusters: NDArray[np.uint16] | None = None
    own: int = 0


@dataclass(frozen=True)
class Prepared:
    """Everything that training starts from.

    coverage: for each table of vectors and each part, the number of tokens that each step of the lookup
    found, and of unknown ones.
    """

    labels: list[str]
    tags: list[str]
    train: Part
    dev: Part | None
    vectors: list[Vectors]
    inputs: dict[str, Any]
    gazetteers: Gazetteers | None = None
    coverage: list[dict[str, dict[str, int]]] = field(default_factory=list)


def release_prepared(prepared: Prepared) -> None:
    """Return memory to the system: of arrays that are mapped from files, of cached texts, and freed memory.

    The files are read again when the arrays are used.
    """
    for part in (prepared.train, prepared.dev):
        if part is not None:
            vars(part).pop("text", None)
    for array in (prepared.train.word_ids, *(own.L for own in prepared.vectors)):
        release(array)
    trim_memory()


def encoder_of(
    config: Config,
    vectors: Vectors,
    remembered: Sequence[str] | None = None,
    gazetteers: Gazetteers | None = None,
) -> Encoder:
    """Return the encoder for a table of vectors. remembered, gazetteers: as in Encoder."""
    composer = Composer(vectors.L[UNKNOWN], vectors.subwords) if vectors.subwords else None
    steps = config.vectors.lookup
    return Encoder(
        vectors.words,
        features_of(config),
        remembered,
        gazetteers,
        steps,
        composer,
        vectors.clusters,
    )


_PART_ARRAYS = ("type_ids", "word_ids", "tag_ids", "gold_ids", "sentence_starts", "document_starts")
_TARGETS = "targets"


_OF_NETWORKS = ("fine_tune", "more_for")  # keys of vectors that prepared inputs do not depend on

HEADER, _ARRAYS = "prepared.json", "arrays.safetensors"

RAW_TEXTS = "vectors.raw_text"  # the key of the raw texts' hashes in the result of input_hashes
INPUT_FILES = (("corpus", "train"), ("corpus", "dev"), ("vectors", "path"), ("vectors", "more"))


def vector_paths(config: Config) -> tuple[Path | None, ...]:
    """Return the files of vectors, in order; None stands for random vectors."""
    return (config.vectors.path, *(config.vectors.more or ()))


def vector_groups(config: Config) -> tuple[tuple[Path, ...], ...]:
    """Return the files of each table of vectors. An empty group stands for random vectors, or for raw
    text."""
    files = tuple(path for path in vector_paths(config) if path)
    if config.vectors.side_by_side or not files:
        return (files,)
    return tuple((path,) for path in files)


def need_regular_inputs(config: Config) -> None:
    """Refuse texts and vectors that are not regular files.

    Training reads them more than once: it hashes them, and reads them again when a run is resumed. Errors:
    CorpusError, VectorsError.
    """
    corpus, raw = config.corpus, config.vectors.raw_text or ()
    labelled: list[Path] = []
    for name in ("train", "dev", "test"):
        try:
            labelled += inputs_of(getattr(corpus, name) or (), corpus.format)
        except CorpusError as error:
            raise CorpusError(f"{error} (corpus.{name})") from None
    for text in (*labelled, *(config.distillation.texts or ()), *raw):
        need_regular(text, why="training reads it more than once")
    for vectors in vector_paths(config):
        if vectors is not None:
            need_regular(vectors, VectorsError, "training reads it more than once")


def input_hashes(config: Config) -> dict[str, Any]:
    """Return the settings that the prepared inputs depend on, and the hash of every file."""
    need_regular_inputs(config)
    settings = config_to_dict(config)
    texts = (config.corpus.train, config.corpus.dev)
    keep: dict[str, Any] = {
        "corpus": {key: value for key, value in settings["corpus"].items() if key != "test"},
        "vectors": {k: v for k, v in settings["vectors"].items() if k not in _OF_NETWORKS},
        "features": features_of(config),
        "decoding.scheme": config.decoding.scheme,
        "seed": config.seed,
    }
    teacher = config.distillation.teacher
    if teacher:
        raw_texts = config.distillation.texts or ()
        keep["distillation"] = {
            "share": config.distillation.share,
            "sha256": [model_hash(teacher), *map(file_hash, raw_texts)],
        }
    if config.training.start:
        keep["training.start"] = model_hash(config.training.start)
    if config.features.gazetteers:
        lists = config.features.gazetteers.items()
        keep["features.gazetteers"] = [[name, [file_hash(p) for p in own]] for name, own in lists]
    # By hash, not by path: a run folder stays valid when its inputs are moved.
    for section, key in INPUT_FILES:
        keep[section].pop(key)
    raw = keep["vectors"].pop("raw_text")
    if raw:
        keep[RAW_TEXTS] = [file_hash(path) for path in config.vectors.raw_text or ()]
    # Keys that have their defaults are left out, so that what an older nertool prepared stays valid.
    if not keep["vectors"].get("side_by_side"):
        keep["vectors"].pop("side_by_side")
    steps = keep["vectors"].pop("lookup")
    if [step for step in steps if step != SUBWORDS] != list(SPELLINGS):
        keep["vectors.lookup"] = steps
    if config.features.clusters:
        keep["features.clusters"] = True
    if config.model.vocabulary != "all":
        keep["model.vocabulary"] = config.model.vocabulary
    form = config.corpus.format
    hashes = [texts_hash(paths, form) if paths else None for paths in texts]
    vectors = [file_hash(path) if path else None for path in vector_paths(config)]
    return {**keep, "sha256": [*hashes, *vectors]}


def model_hash(path: Path) -> str | None:
    """Return the SHA-256 of a model's header, which contains the hashes of its other files."""
    with open_model(path, verify=False) as opened:
        return hashlib.sha256(opened.read(MODEL_HEADER)).hexdigest()


def save_prepared(prepared: Prepared, folder: Path) -> None:
    """Write the prepared inputs into a run folder's prepared/."""
    parts = {"train": prepared.train, "dev": prepared.dev}
    with replacing_folder(folder) as aside:
        sums: dict[str, str] = {}
        arrays = {}
        schemes: dict[str, Any] = {}
        for name, part in parts.items():
            if part is None:
                continue
            for key in _PART_ARRAYS:
                arrays[f"{name}.{key}"] = getattr(part, key)
            if part.targets is not None:
                arrays[f"{name}.{_TARGETS}"] = part.targets
            file = f"{name}.words.txt"
            sums[file] = write_words(aside / file, part.words)
            schemes[name] = {
                "scheme": part.scheme,
                "gold_tags": part.gold_tags,
                "words": len(part.words),
            }
        sums[_ARRAYS] = write_arrays(aside / _ARRAYS, arrays)
        for i, (words, L, subwords, clusters, _) in enumerate(prepared.vectors):
            arrays = {"L": L, **subword_arrays(subwords), **cluster_arrays(clusters)}
            sums[vectors_name(i)] = write_arrays(aside / vectors_name(i), arrays)
            sums[vocabulary_name(i)] = write_words(aside / vocabulary_name(i), words)
        lists = None
        if prepared.gazetteers:
            sums[PHRASES] = write_gazetteers(aside / PHRASES, prepared.gazetteers)
            lists = sizes_of(prepared.gazetteers)
        write_header(
            aside / HEADER,
            {
                "labels": prepared.labels,
                "tags": prepared.tags,
                "parts": schemes,
                "vectors": [len(own.words) for own in prepared.vectors],
                "subwords": [subword_notes(own.subwords) for own in prepared.vectors],
                "coverage": prepared.coverage,
                "inputs": prepared.inputs,
                **({"gazetteers": lists} if lists else {}),
            },
            sums,
        )


def load_prepared(folder: Path, config: Config | None, rebuild: str) -> Prepared:
    """Read the prepared inputs, and refuse those that were made from other inputs than the config names now.

    config: None skips this check. rebuild: the command that prepares them again, for the message. Errors:
    ModelError.
    """
    with SealedFolder(present(folder)) as opened:
        return _read_prepared(opened, config, rebuild)


def _read_prepared(opened: SealedFolder, config: Config | None, rebuild: str) -> Prepared:
    folder = opened.path
    header = opened.header(HEADER)
    try:
        if config is not None:
            refuse_stale(header["inputs"], input_hashes(config), folder, rebuild)
        arrays = opened.arrays(_ARRAYS)
        parts: dict[str, Part] = {}
        for name, entry in header["parts"].items():
            columns = {key: arrays[f"{name}.{key}"] for key in _PART_ARRAYS}
            parts[name] = Part(
                words=list(opened.words(f"{name}.words.txt", entry["words"])),
                gold_tags=entry["gold_tags"],
                scheme=entry["scheme"],
                targets=arrays.get(f"{name}.{_TARGETS}"),
                **columns,
            )
        return Prepared(
            labels=header["labels"],
            tags=header["tags"],
            train=parts["train"],
            dev=parts.get("dev"),
            vectors=_read_vectors(opened, header),
            inputs=header["inputs"],
            gazetteers=read_gazetteers(opened, PHRASES, header.get("gazetteers")),
            coverage=header.get("coverage", []),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ModelError(f"{folder}: damaged ({error!r}); make it again with: {rebuild}") from None


def _read_vectors(opened: SealedFolder, header: dict[str, Any]) -> list[Vectors]:
    found = []
    for i, count in enumerate(header["vectors"]):
        arrays = opened.arrays(vectors_name(i))
        notes = header["subwords"][i] if "subwords" in header else []
        words = opened.words(vocabulary_name(i), count)
        subwords = tuple(subwords_in(arrays, notes))
        found.append(Vectors(words, arrays["L"], subwords, clusters_in(arrays, len(arrays["L"]))))
    expected = "features.clusters" in header["inputs"]
    if any((own.clusters is not None) != expected for own in found):
        raise ValueError("settings and clusters don't agree")
    return found


_SECTIONS = ("corpus", "vectors")  # sections of the config, each stored as a dictionary of its keys


def refuse_stale(then: dict[str, Any], now: dict[str, Any], folder: Path, rebuild: str) -> None:
    """Refuse prepared inputs that were made from other inputs. then, now: results of input_hashes.

    rebuild: the command that prepares them again. Errors: StaleError naming what changed.
    """
    changed = _changed(_completed(then, now), now)
    if changed:
        raise StaleError(
            f"{folder}: stale: made from other inputs ({', '.join(changed)} changed since); "
            f"make it again with: {rebuild}"
        )


def _changed(then: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return the names of the files and keys whose values differ."""
    hashes = zip_longest(then["sha256"], now["sha256"])
    changed = [".".join(INPUT_FILES[min(i, 3)]) for i, (a, b) in enumerate(hashes) if a != b]
    for key in (key for key in {**now, **then} if key != "sha256"):
        if key in _SECTIONS:
            a, b = then[key], now[key]
            changed += [f"{key}.{own}" for own in {**b, **a} if a.get(own) != b.get(own)]
        elif then.get(key) != now.get(key):
            changed.append(key)
    return list(dict.fromkeys(changed))


def _completed(then: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """Return an older result of input_hashes with the keys that are compared now.

    Keys that an older nertool did not know get their defaults. A key that a newer nertool leaves out is
    removed.
    """
    defaults = config_to_dict(Config())
    full = dict(then)
    for section in _SECTIONS:
        full[section] = {key: defaults[section][key] for key in now[section]} | then[section]
    full["vectors"].pop("more_for", None)
    return full
