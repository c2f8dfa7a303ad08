"""What x is made of: the words of a window with their shares of z, and other words tried in their place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nertool.config.records import Config
from nertool.corpus.schemes import split_tag
from nertool.explain.steps import Steps, gradient_times_input, parts_of_z, probabilities
from nertool.inputs.encoder import PAD_LEFT, PAD_RIGHT, SPECIAL_ROWS, UNKNOWN
from nertool.inputs.layout import STARTING, VECTORS, keeps_starting, table_columns
from nertool.model.model import Member, starting_vectors
from nertool.network.activations import ACTIVATIONS, Array
from nertool.network.lookup import embed
from nertool.network.objective import tables_of
from nertool.vectors.lookup import SUBWORDS

_CANDIDATES = 4000  # words that are tried in a word's place: the first ones, so the frequent ones

_NEIGHBOURS = 5

_PADDING, _COMPOSED = "padding", "composed of its parts"


class Neighbour(NamedTuple):
    """A word of the training vocabulary, and the cosine of its vector with the word's."""

    word: str
    cosine: float


class Flip(NamedTuple):
    """The likest word that, put in the place of a window's word, changes the class; None: no word of
    those that were tried does."""

    word: str
    cosine: float
    tag: str
    p: float


class Piece(NamedTuple):
    """A piece of x: a word of the window, or what stands beside it.

    offset: −m … m, None for what stands beside; vector: which row of L it got, in words; share (H,):
    its exact part of z; attribution: gradient × input for s_k.
    """

    text: str
    offset: int | None
    vector: str
    width: int
    share: Array
    attribution: float
    neighbours: tuple[Neighbour, ...]
    flip: Flip | None

    @property
    def flippable(self) -> bool:
        """Whether it is a word, in whose place another can be put."""
        return self.offset is not None and not self.vector.startswith(_PADDING)


def tag_scores(s: Array) -> Array:
    """Return a score for every tag (…, T): a single output (K = 1) has none for O, which is 0."""
    return np.concatenate([np.zeros_like(s), s], axis=-1) if s.shape[-1] == 1 else s


def tag_probabilities(s: Array, output: str) -> Array:
    """Return p for every tag (…, T): with a single output, O's is what is left of it."""
    p = probabilities(s, output)
    return np.asarray(np.concatenate([1.0 - p, p], axis=-1) if s.shape[-1] == 1 else p)


def pieces_of(
    network: Member,
    config: Config,
    steps: Steps,
    R: Array,
    ids: Array,
    side: Array | None,
    words: Sequence[str],
    at: int,
    tags: Sequence[str],
) -> tuple[tuple[Piece, ...], int]:
    """Take the window apart: its words, and what stands beside it."""
    (C, d), m = R.shape, config.windows.size // 2
    widths = [d] * C + ([] if side is None else [len(side)])
    parts = parts_of_z(steps.weights.W, steps.weights.b, steps.x, widths)
    attributions = gradient_times_input(steps, widths)
    vocabulary = _Vocabulary(network, config)
    pieces = []
    for c in range(C):
        place = at + c - m
        inside = 0 <= place < len(words)
        text = words[place] if inside else ("⟨before⟩" if place < 0 else "⟨after⟩")
        row = network.encoder.vector_row(text) if inside else (PAD_LEFT if place < 0 else PAD_RIGHT)
        composed = inside and row == UNKNOWN and network.encoder.step_of(text) == SUBWORDS
        vector = R[c, : network.L.shape[1]]
        flip = None
        if inside:
            flip = _flip(network, config, steps, parts, c, ids[c], text, vector, vocabulary, tags)
        pieces.append(
            Piece(
                text,
                c - m,
                _COMPOSED if composed else _row_name(network, row, text),
                d,
                parts[c],
                float(attributions[c]),
                vocabulary.nearest(vector, row) if inside and (composed or row != UNKNOWN) else (),
                flip,
            )
        )
    if side is not None:
        of_given = float(attributions[C])
        pieces.append(Piece("⟨document⟩", None, "", len(side), parts[C], of_given, (), None))
    return tuple(pieces), len(vocabulary.tried)


def _row_name(network: Member, row: int, text: str) -> str:
    if row < SPECIAL_ROWS:
        return {UNKNOWN: "unknown", PAD_LEFT: f"{_PADDING} before", PAD_RIGHT: f"{_PADDING} after"}[
            row
        ]
    return network.encoder.words[row - SPECIAL_ROWS]


class _Vocabulary:
    """The words that training met, with their vectors as training left them, of length 1."""

    def __init__(self, network: Member, config: Config) -> None:
        own = network.rows >= SPECIAL_ROWS
        self.rows = network.rows[own]
        self.local = np.flatnonzero(own)
        self.words = [network.encoder.words[row - SPECIAL_ROWS] for row in self.rows.tolist()]
        self.tried = self.words[:_CANDIDATES]
        tables = network.expanded()
        if keeps_starting(config):
            starting = starting_vectors(network, network.rows)
            tables = {VECTORS: tables.pop(VECTORS), STARTING: starting, **tables}
        self.tables = list(tables_of(tables).values())
        L = np.asarray(self.tables[0], dtype=np.float64)[own]
        self.unit = L / np.maximum(np.linalg.norm(L, axis=1, keepdims=True), 1e-12)

    def cosines(self, vector: Array) -> Array:
        """Return the cosine of a vector (v,) with every word's."""
        return np.asarray(self.unit @ (vector / max(float(np.linalg.norm(vector)), 1e-12)))

    def nearest(self, vector: Array, row: int) -> tuple[Neighbour, ...]:
        """Return the words whose vectors point most nearly the same way as that of a row of L."""
        cosines = self.cosines(vector)
        cosines[self.rows == row] = -np.inf
        best = np.argsort(-cosines, kind="stable")[:_NEIGHBOURS]
        return tuple(
            Neighbour(self.words[i], float(cosines[i])) for i in best if np.isfinite(cosines[i])
        )


def _flip(
    network: Member,
    config: Config,
    steps: Steps,
    parts: Array,
    c: int,
    ids: Array,
    text: str,
    vector: Array,
    vocabulary: _Vocabulary,
    tags: Sequence[str],
) -> Flip | None:
    """Put other words in the place of the c-th of the window, all else as it was, in the same letters;
    return the likest one that changes the class."""
    if not vocabulary.tried:
        return None
    n = len(vocabulary.tried)
    forms = [in_letters_of(text, word) for word in vocabulary.tried]
    encoded = network.encoder.encode(forms).ids  # (n, F of a word form)
    encoded[:, 0] = vocabulary.local[:n]
    if keeps_starting(config):
        encoded = np.concatenate([encoded[:, :1], encoded], axis=1)
    around = np.broadcast_to(ids[encoded.shape[1] :], (n, len(ids) - encoded.shape[1]))
    ids = np.concatenate([encoded, around], axis=1)
    R = embed(vocabulary.tables, ids, list(table_columns(config).values()))
    W, _, U = steps.weights
    d = R.shape[1]
    z = steps.z - parts[c] + R.astype(np.float64) @ W[:, c * d : (c + 1) * d].T  # (n, H)
    s = ACTIVATIONS[steps.activation].f(z) @ U.T  # (n, K)
    own = split_tag(tags[int(tag_scores(steps.s).argmax())])[1]
    chosen = tag_scores(s).argmax(axis=1)
    labels = np.array([split_tag(name)[1] for name in tags])
    changed = labels[chosen] != own
    if not changed.any():
        return None
    cosines = vocabulary.cosines(vector)[:n]
    i = int(np.where(changed, cosines, -np.inf).argmax())
    p = tag_probabilities(s[i], steps.output)[chosen[i]]
    return Flip(forms[i], float(cosines[i]), tags[int(chosen[i])], float(p))


def in_letters_of(text: str, word: str) -> str:
    """Write a word with capitals as another one has them."""
    if text.isupper() and len(text) > 1:
        return word.upper()
    return word[:1].upper() + word[1:] if text[:1].isupper() else word
