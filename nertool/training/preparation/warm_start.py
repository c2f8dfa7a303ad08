"""Start a training from a model: `nertool train --start MODEL`, the config key training.start.

The new network has the model's architecture. Each parameter starts from the model's parameter for the same
word, class or feature. What the model lacks, such as the weights of a new class, starts from random numbers.
The words that the model knows stay known, although the new text may lack them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nertool.config.records import Config
from nertool.corpus.columnar import Corpus, Interner
from nertool.corpus.invisible import normal_form
from nertool.errors import ModelError
from nertool.inputs.encoder import SPECIAL_ROWS
from nertool.inputs.layout import FIRST_STAGE, MEMORY, STARTING, VECTORS, Layout, layout_of
from nertool.inputs.memory import counts_of
from nertool.model.load import load_model
from nertool.model.model import Member, Model, outputs, word_vectors
from nertool.network.activations import Array
from nertool.network.objective import Parameters, tables_of
from nertool.training.preparation.store import RAW_TEXTS

# Keys that decide the network's architecture. A model can only be continued with the same architecture.
_FORM = (
    ("windows", "size"),
    ("network", "hidden"),
    ("network", "activation"),
    ("network", "output"),
    ("decoding", "scheme"),
    ("features", "caps"),
    ("features", "shape"),
    ("features", "affixes"),
    ("features", "ngrams"),
    ("features", "clusters"),
    ("features", "memory"),
    ("features", "gazetteer_width"),
    ("features", "sentence"),
    ("features", "document"),
    ("features", "neighbours"),
    ("features", "document_vector"),
)
_TWO_STAGES = (
    *(("first_stage", key) for key in ("hidden", "members", "window", "max_pooling")),
    ("vectors", "more_for"),
)


def load_start(config: Config) -> Model | None:
    """Read the model that training starts from, if the config names one, and check that it fits.

    Errors: ModelError naming the first key that differs.
    """
    path = config.training.start
    if path is None:
        return None
    model = load_model(path)
    stages = bool(model.first_stage), bool(config.first_stage.folds)
    if stages[0] != stages[1]:
        names = ["a first stage" if own else "no first stage" for own in stages]
        raise ModelError(
            f"{path}: training.start: found a model with {names[0]}, expected {names[1]} as in the config; "
            "a model can only be trained further in the form that it has"
        )
    for section, key in (*_FORM, *(_TWO_STAGES if stages[0] else ())):
        own, theirs = (getattr(getattr(c, section), key) for c in (config, model.config))
        if own != theirs:
            raise ModelError(
                f"{path}: training.start: found a model with {section}.{key}: {theirs}, expected {own} as "
                "in the config; a model can only be trained further in the form that it has"
            )
    own, theirs = (c.vectors.fine_tune for c in (config, model.config))
    if own != theirs and "both" in (own, theirs):
        raise ModelError(
            f"{path}: training.start: found a model with vectors.fine_tune: {theirs}, expected {own} as in "
            "the config; a model can only be trained further in the form that it has"
        )
    own, theirs = (list(c.features.gazetteers or ()) for c in (config, model.config))
    if own != theirs:
        raise ModelError(
            f"{path}: training.start: found a model with the gazetteers {', '.join(theirs) or 'none'}, "
            f"expected {', '.join(own) or 'none'} as in the config; the phrases may differ, the lists may not"
        )
    return model


def check_vectors(
    path: Path,
    config: Config,
    model: Model,
    hashes: Sequence[str | None],
    raw: Sequence[str | None],
) -> None:
    """Check that the vectors and clusters are those that the model was trained with.

    hashes: of each file, None for random vectors. raw: of each raw text. Errors: ModelError.
    """
    before = model.provenance.get("sha256", {})
    vectors, texts = before.get("vectors"), before.get(RAW_TEXTS)
    if vectors is not None and list(vectors) != list(hashes):
        raise ModelError(
            f"{path}: training.start: found a model that was trained with other vectors, expected those of "
            "vectors.path and vectors.more; name the files that the model was trained with"
        )
    # A model of an older nertool does not record the raw texts that it was trained with.
    known = [None] * len(model.config.vectors.raw_text or ()) if texts is None else list(texts)
    if len(known) != len(raw) or (texts is not None and known != list(raw)):
        found, expected, advice = (
            ("other", "those of vectors.raw_text", "name the raw texts that it was trained with")
            if known
            else ("no", "some, as in the config", "leave out vectors.raw_text")
        )
        raise ModelError(
            f"{path}: training.start: found a model that was trained with {found} vectors of raw text, "
            f"expected {expected}; {advice}"
        )
    for section, key in _of_vectors(config):
        own, theirs = (_value(c, section, key) for c in (config, model.config))
        if own != theirs:
            name = f"{section}.{key}" if section else key
            raise ModelError(
                f"{path}: training.start: found a model with {name}: {_shown(theirs)}, expected "
                f"{_shown(own)} as in the config; with another one its vectors"
                f"{' and clusters' if config.features.clusters else ''} would be others"
            )


def _of_vectors(config: Config) -> list[tuple[str, str]]:
    """Return the keys, other than the files, that decide which vectors and clusters a network reads."""
    vectors = config.vectors
    keys = [("vectors", "side_by_side")] if vectors.more else []
    if vectors.raw_text:
        keys += [("vectors", "width"), ("corpus", "language"), ("", "seed")]
    elif not vectors.path:
        keys.append(("vectors", "width"))
    if config.features.clusters and vectors.path:
        keys.append(("vectors", "limit"))
    return keys


def _value(config: Config, section: str, key: str) -> object:
    return getattr(getattr(config, section) if section else config, key)


def _shown(value: object) -> str:
    """Format a key's value as in YAML."""
    return "none" if value is None else str(value).lower()


def with_words(corpus: Corpus, model: Model) -> Corpus:
    """Return a text with the word types that the model was trained on appended to its own."""
    known = Interner({word: i for i, word in enumerate(corpus.words)})
    for member in model.members:
        for row in member.rows[member.rows >= SPECIAL_ROWS].tolist():
            known[member.encoder.words[row - SPECIAL_ROWS]]
        for word in member.encoder.remembered or ():
            known[word]
    return replace(corpus, words=list(known))


def remembered_counts(
    model: Model, words: Sequence[str], labels: Sequence[str]
) -> NDArray[np.float64]:
    """Return how often the model met each word type in each class, (words, K + 1), O first.

    The counts are computed from the model's memory. A row's shares are counts / (n + 1), with n their sum, so
    n = Σ shares / (1 − Σ shares).
    """
    counts = np.zeros((len(words), 1 + len(labels)))
    member = model.members[0]
    assert member.encoder.remembered is not None
    row_of = {normal_form(word): 1 + i for i, word in enumerate(member.encoder.remembered)}
    own = np.array([row_of.get(normal_form(word), 0) for word in words], dtype=np.int64)
    earlier = counts_of(np.asarray(member.parameters[MEMORY], dtype=np.float64)[own])
    columns = [0, *(1 + labels.index(label) for label in model.labels)]
    counts[:, columns] = earlier
    return counts


def continued(
    fresh: Parameters,
    config: Config,
    tags: Sequence[str],
    labels: Sequence[str],
    words: Sequence[str],
    rows: NDArray[np.int64],
    model: Model,
    member: Member,
    second: bool,
) -> Parameters:
    """Return the parameters that a network starts from; member: the network of the model that it continues.

    fresh: the parameters that it would start from without a model. tags, labels: the new network's. words:
    its vocabulary. rows (r,): the rows of the vocabulary's table that it works on. second: whether its inputs
    include first-stage probabilities.
    """
    old = member.expanded()
    parameters = dict(fresh)
    for name, table in tables_of(fresh).items():
        if name == VECTORS:
            parameters[name] = _vectors(table, words, rows, member)
        elif name not in (
            MEMORY,
            STARTING,
        ):  # the memory was counted, the model's own counts included
            parameters[name] = np.array(old[name], dtype=table.dtype)
    new_layout = _layout(config, fresh, tags, second)
    old_layout = _layout(model.config, old, model.tags, second)
    to = _columns(new_layout, labels, tags)
    of = _columns(old_layout, model.labels, model.tags)
    shared = [key for key in to if key in of]
    W = fresh["W"].copy()
    W[:, [to[key] for key in shared]] = old["W"][:, [of[key] for key in shared]]
    parameters["W"], parameters["b"] = W, np.array(old["b"], dtype=W.dtype)
    parameters["U"] = _outputs(fresh["U"], config, tags, member, model)
    return parameters


def _vectors(L: Array, words: Sequence[str], rows: NDArray[np.int64], member: Member) -> Array:
    """Return L (r or more, v) with the model's vectors for the words that it has.

    The first r rows are those of `rows` (r,). The rows behind them stay as they are.
    """
    found = member.encoder.rows
    old = np.array(
        [
            row if row < SPECIAL_ROWS else found.get(words[row - SPECIAL_ROWS], -1)
            for row in rows.tolist()
        ],
        dtype=np.int64,
    )
    known = old >= 0
    L = L.copy()
    L[: len(rows)][known] = word_vectors(member, old[known])
    return L


def _layout(config: Config, parameters: Parameters, tags: Sequence[str], second: bool) -> Layout:
    widths = {name: table.shape[1] for name, table in tables_of(parameters).items()}
    widths[STARTING] = widths[VECTORS]
    return layout_of(config, widths, parameters[VECTORS].shape[1], len(tags), second)


def _side_meaning(name: str, k: int, tags: Sequence[str]) -> tuple[object, ...]:
    """Return what the k-th column of a side input means.

    For a first stage that is a tag, and the token whose probability of the tag it is. The column behind the
    tags says whether there are other occurrences.
    """
    if not name.startswith(FIRST_STAGE):
        return (k,)
    T = len(tags)
    return ("any",) if name == FIRST_STAGE and k == T else (k // T, tags[k % T])


def _columns(
    layout: Layout, labels: Sequence[str], tags: Sequence[str]
) -> dict[tuple[object, ...], int]:
    """Return the column of x of each input, by what it means.

    The meaning is the place in the window, the table, and the number in the table. For the memory that number
    is a class. For a first stage it is a tag, and the token whose probability of the tag it is.
    """
    classes = ["", *labels, "met"]
    columns: dict[tuple[object, ...], int] = {}
    for place in range(layout.window):
        for name, own in layout.row.items():
            for k, column in enumerate(range(own.start, own.stop)):
                meaning = classes[k] if name == MEMORY else k
                columns[place, name, meaning] = place * layout.d + column
    for name, own in layout.side.items():
        for k, column in enumerate(range(own.start, own.stop)):
            columns["side", name, *_side_meaning(name, k, tags)] = layout.window * layout.d + column
    return columns


def _outputs(U: Array, config: Config, tags: Sequence[str], member: Member, model: Model) -> Array:
    """Return U (K, H) with the model's rows for the tags that it has.

    A model with one output distinguishes two tags: its row is that of the tag, and its negative that of O.
    """
    K, old = outputs(tags, config), member.weights.U
    of_tag = dict(zip(model.tags[len(model.tags) - len(old) :], old, strict=True))
    if len(old) == 1 and K > 1:
        of_tag[model.tags[0]] = -old[0]
    U = U.copy()
    for k, tag in enumerate(tags[len(tags) - K :]):
        if tag in of_tag:
            U[k] = of_tag[tag]
    return U
