"""A trained model: everything that tagging needs, in one record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nertool.config import Config
from nertool.corpus.columnar import Ids, Offsets
from nertool.embeddings.encoder import Encoder
from nertool.embeddings.features import feature_columns
from nertool.embeddings.windows import PaddedText, ranges
from nertool.network.activations import Array
from nertool.network.lookup import Rows, embed
from nertool.network.objective import Parameters, tables_of, weights_of
from nertool.network.scorer import scores
from nertool.tagging.decode import Lattice, argmax, lattice, valid_sentences, viterbi

_BLOCK = 4096  # tokens scored at a time: bounds memory, and keeps x in the processor's cache


@dataclass(frozen=True)
class Model:
    """labels: the classes; tags: what the network tells apart, O first; corpus_scheme: how the
    training text was tagged, and so how predictions are written; provenance: where it comes from."""

    config: Config
    labels: list[str]
    tags: list[str]
    corpus_scheme: str
    encoder: Encoder
    parameters: Parameters
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def m(self) -> int:
        """How many words a window has on either side of its centre."""
        return self.config.windows.size // 2

    def lattice(self) -> Lattice:
        return lattice(self.tags, self.config.decoding.scheme)

    def type_ids(self, words: Sequence[str]) -> Rows:
        """Return (2 + n, F) row numbers: of the two paddings, then of each word form."""
        return np.concatenate([self.encoder.padding, self.encoder.encode(words)])


def score_tokens(
    parameters: Parameters, config: Config, type_ids: Rows, text: PaddedText
) -> Array:
    """Score every token of a text for every tag: (N, T), by the scorer's own forward pass.

    Both outputs' scores add up along a sentence: s_k is log p_k but for a constant of the token,
    with the softmax as with logistic outputs of which just one is to be on.

    type_ids (types, F): the row numbers of each type that the text points to.
    """
    tables = tables_of(parameters)
    features = [name.removeprefix("E.") for name in tables if name != "L"]
    R = embed(list(tables.values()), type_ids, feature_columns(features))  # (types, d), once per type
    weights = weights_of(parameters)
    around = np.arange(-text.m, text.m + 1)
    N, K = len(text.centres), len(weights.U)
    # A single output tells two tags apart: O has no u of its own, its score is 0, and e^s are the
    # odds against it.
    implied = int(K == 1)
    out = np.zeros((N, implied + K), dtype=weights.U.dtype)
    for start in range(0, N, _BLOCK):
        windows = text.centres[start : start + _BLOCK, None] + around   # (B, C)
        x = R[text.types[windows]].reshape(len(windows), -1)            # (B, D)
        out[start : start + _BLOCK, implied:] = scores(
            weights, config.network.activation, x
        )
    return out


def outputs(tags: Sequence[str], config: Config) -> int:
    """Return K: one output for each tag; but one logistic output is enough to tell O from one other."""
    return 1 if config.network.output == "logistic" and len(tags) == 2 else len(tags)


def decode(tag_scores: Array, sentence_starts: Offsets, config: Config, allowed: Lattice) -> Ids:
    """Choose tags by config.decoding.method: (N,) int32."""
    best = argmax(tag_scores)
    if config.decoding.method == "argmax":
        return best
    # The best tag of each token, where that is an allowed sequence, is the best sequence: only the
    # other sentences need the search.
    open_ones = np.flatnonzero(~valid_sentences(best, sentence_starts, allowed))
    starts, lengths = sentence_starts[open_ones], np.diff(sentence_starts)[open_ones]
    tokens = ranges(starts, lengths)
    own_starts = np.concatenate([[0], np.cumsum(lengths)])
    best[tokens] = viterbi(tag_scores[tokens], own_starts, allowed)
    return best
