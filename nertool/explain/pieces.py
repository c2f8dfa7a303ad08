"""The pieces of x: the words of a window, their parts of z, and replacement words that change the answer."""

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

_CANDIDATES = 4000  # words tried as replacements: the first ones, which are the most frequent

_NEIGHBOURS = 5

_PADDING, _COMPOSED = "padding", "composed of its parts"


class Neighbour(NamedTuple):
    """A word of the training vocabulary, and the cosine of its vector with the word's."""

    word: str
    cosine: float


class Flip(NamedTuple):
    """The most similar replacement of a word in the window that changes the predicted class.

    word: the replacement. cosine: its similarity. tag, p: the tag then predicted, and its probability.
    """

    word: str
    cosine: float
    tag: str
    p: float


class Piece(NamedTuple):
    """A piece of x: a word of the window, or the side inputs.

    offset: −m … m for a word, None for the side inputs. vector: the name of its row in L. width: the number
    of values. share (H,): its exact part of z. attribution: gradient × input for the explained score.
    neighbours: words with similar vectors. flip: None if no word tried changes the class.
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
        """Whether the piece is a word, which can be replaced by another word."""
        return self.offset is not None and not self.vector.startswith(_PADDING)


def tag_scores(s: Array) -> Array:
    """Return a score for every tag, (…, T). With one output (K = 1), the score of O is 0."""
    return np.concatenate([np.zeros_like(s), s], axis=-1) if s.shape[-1] == 1 else s


def tag_probabilities(s: Array, output: str) -> Array:
    """Return p for every tag, (…, T). With one output, the probability of O is 1 − p."""
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
    """Return the pieces of x, and the number of words tried as replacements.

    steps: for the token at index `at` of the sentence `words`. R (C, d), ids (C, F), side: the parts of x, as
    returned by explanation.input_of. tags: all tags of the network.
    """
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
    """The words of the training text, with their trained vectors, scaled to length 1."""

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
        """Return the cosine of a vector (v,) with the vector of every word, (V,)."""
        return np.asarray(self.unit @ (vector / max(float(np.linalg.norm(vector)), 1e-12)))

    def nearest(self, vector: Array, row: int) -> tuple[Neighbour, ...]:
        """Return the words with the highest cosine to `vector`, without the word of row `row` in L."""
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
    """Try other words, with the same capitalisation, in place of word c of the window.

    Returns the most similar one that changes the class; None if none does.
    """
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
    """Return `word` with the capitalisation of `text`."""
    if text.isupper() and len(text) > 1:
        return word.upper()
    return word[:1].upper() + word[1:] if text[:1].isupper() else word
