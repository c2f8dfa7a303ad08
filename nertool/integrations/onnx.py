"""Export a model as an ONNX graph: from row numbers of words to scores of tags. Needs the extra `onnx`.

The graph contains all tables and networks: the lookup of rows, the windows, the side inputs (means over a
document), the first stage, the mean over an ensemble, and the score adjustments of config.decoding. Not in
the graph are tokenisation, the row numbers of a word type (`feeds` computes them), and the decoding of a tag
sequence. docs/onnx.md describes the inputs and the metadata.

The letters are those of network/scorer.py: N tokens, P words and paddings, C words in a window, T tags.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from nertool.config.records import Config
from nertool.errors import ModelError
from nertool.inputs.assemble import lay_out
from nertool.inputs.layout import id_slices, table_columns
from nertool.inputs.text import Text
from nertool.integrations.onnx_graph.builder import GraphBuilder
from nertool.integrations.onnx_graph.inputs import (
    COMPOSED,
    DOCUMENT,
    GROUP,
    WINDOWS,
    all_members,
    composed_names,
    encoders_of,
    ids_names,
    member_of,
    needs_groups,
    weights_of,
)
from nertool.integrations.onnx_graph.layers import Shared, adjusted_scores, member_scores
from nertool.model.calibrate import temperature_of
from nertool.model.model import Model

if TYPE_CHECKING:
    from onnx import ModelProto

MOST_BYTES = 1_900_000_000  # a protobuf message can't be larger than 2 GB


def export(model: Model) -> ModelProto:
    """Return a model as an ONNX model.

    Errors: ModelError if it is too large, or has windows of one word together with side inputs from
    neighbouring words; ImportError without the package onnx.
    """
    _check(model)
    graph = GraphBuilder(weights_of(model.members[0]).W.dtype)
    shared = Shared(graph, model)
    scores = adjusted_scores(graph, model, shared, member_scores(graph, model, shared))
    inputs: dict[str, tuple[Any, list[int | str]]] = {
        name: (np.int64, ["P", _columns(model.config)]) for name in ids_names(model)
    }
    inputs[WINDOWS] = (np.int64, ["N", model.config.windows.size])
    for name, encoder in zip(composed_names(model), encoders_of(model), strict=True):
        if encoder.composer is not None:
            width = member_of(model, encoder).L.shape[1]
            inputs[name] = (graph.dtype, [f"Q_{name}" if name != COMPOSED else "Q", width])
    if needs_groups(model):
        inputs[GROUP] = (np.int64, ["N"])
    if model.config.features.document_vector:
        inputs[DOCUMENT] = (np.int64, ["N"])
    return graph.finished(inputs, scores, len(model.tags), metadata(model))


def feeds(model: Model, text: Text) -> dict[str, np.ndarray[Any, Any]]:
    """Return the graph's inputs for a text, as arrays by name.

    - ids (P, F): the row numbers of each word and padding. There is one such input for each table of vectors.
    - windows (N, C): the words around each token, as rows of ids.
    - group (N,): numbers from 1 for the tokens of a document that share their word; 0 for words that occur
      once.
    - document (N,): each token's document, from 0.
    - composed (Q, v), with at least one row: for words without a vector whose vector is composed from
      subwords, the rows beyond the table.
    """
    found: dict[str, np.ndarray[Any, Any]] = {}
    dtype = weights_of(model.members[0]).W.dtype
    names = zip(ids_names(model), composed_names(model), encoders_of(model), strict=True)
    for name, of_composed, encoder in names:
        encoded = encoder.encode(text.words)
        type_ids = np.concatenate([encoder.padding, encoded.ids])
        if encoder.composer is not None:  # at least one row, since the graph always looks one up
            none = np.zeros((1, len(encoder.composer.base)), dtype=dtype)
            vectors = encoded.composed if len(encoded.composed) else none
            found[of_composed] = vectors.astype(dtype)
        padded, ids, _ = lay_out(type_ids, text, model.config, gazetteers=encoder.gazetteers)
        found[name] = ids[:].astype(np.int64)
        found[WINDOWS] = padded.centres[:, None] + np.arange(-padded.m, padded.m + 1)
    if needs_groups(model):
        members, group, _ = text.groups
        found[GROUP] = np.zeros(len(text.word_ids), dtype=np.int64)
        found[GROUP][members] = group + 1
    if model.config.features.document_vector:
        found[DOCUMENT] = text.documents.astype(np.int64)
    return found


def metadata(model: Model) -> dict[str, str]:
    """Return the graph's metadata for programs that run it. Lists and numbers are written as JSON."""
    allowed = model.lattice()
    known = {
        "tags": model.tags,
        "labels": model.labels,
        "scheme": model.config.decoding.scheme,
        "decoding": model.config.decoding.method,
        "temperature": temperature_of(model),
        "window": model.config.windows.size,
        "columns": {name: [cut.start, cut.stop] for name, cut in id_slices(model.config).items()},
        "may_start": allowed.start.astype(int).tolist(),
        "may_follow": allowed.step.astype(int).tolist(),
        "may_end": allowed.end.astype(int).tolist(),
        "nertool": model.provenance.get("nertool"),
    }
    return {f"nertool.{key}": json.dumps(value, ensure_ascii=False) for key, value in known.items()}


def _check(model: Model) -> None:
    config = model.config
    around = config.features.neighbours or (model.first_stage and config.first_stage.window > 1)
    if around and config.windows.size == 1:
        key = "features.neighbours" if config.features.neighbours else "first_stage.window"
        raise ModelError(
            f"found windows of one word together with {key}, which the graph can't tell the neighbours of; "
            "expected windows.size of 3 or more"
        )
    values = sum(
        len(encoder.words) * member_of(model, encoder).L.shape[1] for encoder in encoders_of(model)
    )
    values += sum(
        int(np.prod(array.shape))
        for member in all_members(model)
        for array in member.parameters.values()
    )
    size = values * weights_of(model.members[0]).W.itemsize
    if size > MOST_BYTES:
        raise ModelError(
            f"found {size / 1e9:.1f} GB of weights and word vectors, expected at most "
            f"{MOST_BYTES / 1e9:.1f} GB in an ONNX file; train with fewer vectors (vectors.limit, or nertool "
            "vectors prune)"
        )


def _columns(config: Config) -> int:
    return sum(abs(n) for n in table_columns(config).values())
