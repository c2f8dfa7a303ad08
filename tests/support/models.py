"""Helpers for the tests of storage: models with random arrays, and how to compare models."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nertool.config.inputs import FeaturesConfig
from nertool.files.arrays import Array, arrays_in
from nertool.model.model import Member, Model
from nertool.vectors.rows.rows import Rows, arrays_of
from tests.support.helpers import random_model

# Words that a careless reader would cut, strip or merge. Only LF ends a line of the vocabulary.
WORDS = [
    "the",
    "a b",
    " ",
    "",
    "é",
    "e\u0301",
    "\u2028",
    "\x85",
    "\r",
    "\x0c",
    "\ufeff",
    "😀",
    "\t",
]
FILES = ["gazetteers.txt", "memory.txt", "model.json", "model.safetensors"]
FILES += [f"vectors.{i}.safetensors" for i in (0, 1)] + [f"vocabulary.{i}.txt" for i in (0, 1)]
SIMPLE = ["model.json", "model.safetensors", "vectors.0.safetensors", "vocabulary.0.txt"]


def make_model(words: list[str] = WORDS, seed: int = 0, scheme: str = "bioes") -> Model:
    """Make a model with random arrays and everything that a model can have.

    That is two stages, three members on two tables of vectors, and a memory; K = 9 tags, or 1 for IO.
    """
    return random_model(
        files=[words, ["Paris", *words[:3]]],
        remembered=[*words[::2], "Paris"],
        labels=["LOC", "MISC-Ü"] if scheme == "bioes" else ["LOC"],
        seed=seed,
        vectors={"path": Path("/v/é.bin"), "more": (Path("/v/b.bin"),)},
        decoding={"scheme": scheme, "consistency": 0.25},
    )


def make_simple(seed: int = 0) -> Model:
    """Make a model of one network without any feature, with random arrays."""
    features = FeaturesConfig(caps=0)
    return random_model(features, files=[WORDS], widths=[4], members=1, folds=0, seed=seed)


MODELS = {
    "everything": make_model,
    "one-output": lambda: make_model(scheme="io"),
    "simple": make_simple,
    "float64": lambda: random_model(dtype=np.float64),
    "subwords": lambda: random_model(subwords=40, vectors={"path": Path("/v/ft.vectors")}),
    "first-stage-window": lambda: random_model(first_stage={"window": 5, "members": 2}),
    "first-stage-max": lambda: random_model(first_stage={"max_pooling": True}),
    "both": lambda: random_model(subwords=40, vectors={"fine_tune": "both"}),
}


def networks(model: Model) -> list[Member]:
    return [*model.first_stage, *model.members]


def arrays_of_file(path: Path) -> dict[str, Array]:
    """Read the arrays of a safetensors file."""
    return arrays_in(path.read_bytes(), path)


def assert_same_array(a: np.ndarray, b: np.ndarray) -> None:
    assert (a.shape, a.dtype) == (b.shape, b.dtype)
    assert a.tobytes() == b.tobytes()


def assert_same_rows(a: Rows, b: Rows) -> None:
    """Compare tables that may be compressed, as assert_same_array does."""
    one, other = arrays_of("", a), arrays_of("", b)
    assert one.keys() == other.keys()
    for name, array in one.items():
        assert_same_array(array, other[name])


def assert_same(a: Model, b: Model) -> None:
    assert (a.config, a.labels, a.tags) == (b.config, b.labels, b.tags)
    assert (a.corpus_scheme, a.provenance) == (b.corpus_scheme, b.provenance)
    assert (len(a.first_stage), len(a.members)) == (len(b.first_stage), len(b.members))
    # Which networks share an encoder, and so the tagger's work for each word type.
    shared = [[[m.encoder is n.encoder for m in networks(x)] for n in networks(x)] for x in (a, b)]
    assert shared[0] == shared[1]
    for one, other in zip(networks(a), networks(b), strict=True):
        for name in ("words", "features", "remembered"):
            assert getattr(one.encoder, name) == getattr(other.encoder, name)
        assert_same_rows(one.L, other.L)
        assert_same_array(one.rows, other.rows)
        assert list(one.parameters) == list(other.parameters)
        for name, array in one.parameters.items():
            assert_same_rows(array, other.parameters[name])


def tree(folder: Path) -> dict[str, bytes | None]:
    """Return every path below a folder, also hidden ones, with its bytes (None for a folder)."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }
