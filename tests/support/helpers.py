"""Helpers that several tests share: configs with some keys changed, whole runs, random models."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from nertool.config.inputs import FeaturesConfig, WindowsConfig
from nertool.config.learning import FirstStageConfig, NetworkConfig
from nertool.config.records import Config
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading
from nertool.corpus.schemes import tag_names
from nertool.evaluation.evaluate import evaluate_with_calibration
from nertool.evaluation.tables import as_dict
from nertool.formats.opening import open_stream
from nertool.formats.read import read_corpus
from nertool.inputs.encoder import PAD_LEFT, PAD_RIGHT, SPECIAL_ROWS, UNKNOWN, Encoder
from nertool.inputs.gazetteers import Gazetteers
from nertool.inputs.layout import feature_table_shapes, features_of, layout_of, table_columns
from nertool.inputs.text import DOCUMENT_TOKENS, Text, text_of
from nertool.model.model import Member, Model, outputs
from nertool.predict.output import joined_texts
from nertool.predict.request import PredictRequest
from nertool.predict.tag import tag_input
from nertool.predict.workers import Workers
from nertool.tagging.compiled import CompiledTagger
from nertool.training import run
from nertool.training.parallel.team import Threads
from nertool.vectors.clusters import COLUMNS, NONE, PADDING, SIZE
from nertool.vectors.subwords import FASTTEXT, Composer, Parts, Subwords


def tag_text(
    tagger: CompiledTagger,
    text: str | bytes | BinaryIO,
    ledger: Ledger | None = None,
    **how: Any,
) -> Iterator[str]:
    """Yield a text's tagged pieces as `nertool predict` does. how: as in PredictRequest."""
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    stream: Any = io.BytesIO(raw) if isinstance(raw, bytes) else raw
    request, ledger = PredictRequest(**how), ledger or Ledger()
    reading = replace(request.reading, comment=tagger.model.config.corpus.comment)
    opened = open_stream(stream, "x", request.format_name, reading)
    with Workers(tagger, request.workers) as pool:
        tagged = tag_input(opened, request, pool, ledger, lambda line: None)
        yield from joined_texts(iter([tagged]), ledger)


VOLATILE = ("seconds", "tokens_per_second")


class Death(BaseException):
    """The process ends here."""


def change(config: Config, **sections: dict) -> Config:
    """Return the config with some keys changed: change(config, training={"epochs": 2})."""
    return replace(
        config, **{name: replace(getattr(config, name), **keys) for name, keys in sections.items()}
    )


def run_training(
    config: Config, run_dir: Path, resume: bool = False, threads: Threads | None = None
) -> list:
    """Train into a run folder as `nertool train` does; return the epochs' records."""
    if not resume:
        run.check_free(run_dir, overwrite=False)
    prepared = run.prepared_for(config, run_dir, "nertool prepare", lambda line: None)
    if not resume:
        run.begin_run(config, run_dir)
    records = run.run_training(config, prepared, run_dir, workers=1, threads=threads or Threads())
    return [record for _, record in records]


def outcome(run_dir: Path) -> dict:
    """Return what two equal trainings must agree on: arrays byte for byte, and the log without times."""
    arrays = {
        f"{name}/{kind}": (run_dir / name / f"{kind}.safetensors").read_bytes()
        for name, kind in (("best", "model"), ("last", "state"))
    }
    log = [json.loads(line) for line in (run_dir / "log.jsonl").read_text().splitlines()]
    state = json.loads((run_dir / "last" / "state.json").read_text())
    return {
        **arrays,
        "state": state,
        "log": [{key: entry[key] for key in entry if key not in VOLATILE} for entry in log],
    }


def measures_of(model: Model, path: Path) -> dict:
    """Return a model's scores on a labelled text, in the form of its provenance."""
    corpus = read_corpus(path, "conll", Reading(), Ledger())
    return as_dict(evaluate_with_calibration(model, corpus)[0])


EVERYTHING = FeaturesConfig(
    caps=2, affixes=1, clusters=2, memory=True, sentence=2, document=3, neighbours=True, document_vector=True,
    gazetteers={"CITY": (Path("/v/c.txt"),), "B": (Path("/v/b.txt"), Path("/v/d.txt"))},
)  # fmt: skip


GAZETTEERS = {"CITY": ["london", "New York", "Paris"], "B": ["Ada met", "paris", "a"]}


def random_model(
    features: FeaturesConfig = EVERYTHING,
    files: Sequence[Sequence[str]] = (("the", "london", "ada", "met"), ("paris", "the", "Ada")),
    widths: Sequence[int] = (4, 3),
    members: int = 3,
    folds: int = 2,
    remembered: Sequence[str] = ("Ada", "met", "Paris"),
    labels: Sequence[str] = ("LOC", "PER"),
    seed: int = 0,
    dtype: type[np.floating] = np.float32,
    subwords: int = 0,
    **sections: dict,
) -> Model:
    """Make a model with random arrays.

    The members take turns with tables of vectors of the given words and widths, and are trained on every
    second row of them. subwords: the number of rows for subwords, in all but the first of two columns.
    """
    rng = np.random.default_rng(seed)
    config = change(
        Config(
            windows=WindowsConfig(3),
            features=features,
            network=NetworkConfig(hidden=5, members=members),
            first_stage=FirstStageConfig(folds=folds, hidden=4),
        ),
        **sections,
    )
    tags = tag_names(list(labels), config.decoding.scheme)
    memory = list(remembered) if features.memory else None
    lists = Gazetteers(GAZETTEERS) if features.gazetteers else None
    tables = [
        rng.standard_normal((SPECIAL_ROWS + len(words), width)).astype(np.float32)
        for words, width in zip(files, widths, strict=True)
    ]
    steps = config.vectors.lookup
    encoders = [
        Encoder(
            list(words),
            features_of(config),
            memory,
            lists,
            steps,
            random_composer(L, subwords),
            random_clusters(len(L), rng) if features.clusters else None,
        )
        for words, L in zip(files, tables, strict=True)
    ]
    M = rng.random((1 + len(remembered), len(labels) + 2))
    M[0] = 0.0

    def member(i: int, H: int, second: bool) -> Member:
        L = tables[i]
        rows = np.arange(0, len(L), 2)
        shapes = {"L": (len(rows), L.shape[1]), **feature_table_shapes(config), "M": M.shape}
        columns = table_columns(config)
        parameters = {name: rng.standard_normal(shapes[name]) for name in columns if name != "L0"}
        if "M" in columns:
            parameters["M"] = M
        row_widths = {name: shapes["L" if name == "L0" else name][1] for name in columns}
        D = layout_of(config, row_widths, L.shape[1], len(tags), second).D
        K = outputs(tags, config)
        parameters |= {"W": rng.standard_normal((H, D)) / np.sqrt(D), "b": rng.standard_normal(H)}
        parameters["U"] = rng.standard_normal((K, H))
        return Member(encoders[i], L, rows, {n: a.astype(dtype) for n, a in parameters.items()})

    return Model(
        config=config,
        labels=list(labels),
        tags=tags,
        corpus_scheme="iob1",
        members=tuple(
            member(i % len(files), config.network.hidden, folds > 0) for i in range(members)
        ),
        first_stage=tuple(
            member(j % len(files), config.first_stage.hidden, False)
            for j in range(config.first_stage.members if folds else 0)
        ),
        provenance={"seed": 1, "sha256": {"dev": None}, "dev": {"f1": 1 / 3}, "é": [1, "ü"]},
    )


def random_composer(L: np.ndarray, rows: int) -> Composer | None:
    """Make fastText vectors of subwords that fill the columns of L from the second one on."""
    if not rows:
        return None
    rng = np.random.default_rng(rows)
    values = rng.standard_normal((rows, L.shape[1] - 1)).astype(np.float32)
    parts = Parts(FASTTEXT, 2, 3, 2 * rows)
    numbers = rng.permutation(2 * rows)[:rows].astype(np.int32)
    return Composer(L[UNKNOWN], [Subwords(values, numbers, parts, start=1, scale=0.5)])


def random_clusters(rows: int, rng: np.random.Generator) -> np.ndarray:
    """Draw the clusters of `rows` rows of L. The unknown word's row and the paddings have none."""
    numbers = rng.integers(2, SIZE, (rows, COLUMNS)).astype(np.uint16)
    numbers[[UNKNOWN, PAD_LEFT, PAD_RIGHT]] = np.array([[NONE], [PADDING], [PADDING]])
    return numbers


def document_text(*documents: Sequence[str], at_most: int = DOCUMENT_TOKENS) -> Text:
    """Lay out documents of sentences, each written as words separated by blanks.

    at_most: the maximum number of tokens in a part of a document.
    """
    sentences = [sentence.split() for document in documents for sentence in document]
    starts = np.cumsum([0, *map(len, documents)])
    return text_of(sentences, starts, at_most)
