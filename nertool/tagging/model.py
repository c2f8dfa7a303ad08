"""A trained model: everything that tagging needs, in one record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nertool.config import Config
from nertool.corpus.columnar import Ids, Offsets
from nertool.corpus.schemes import TagSpans, spans_of
from nertool.embeddings.encoder import Encoder
from nertool.embeddings.features import feature_columns
from nertool.embeddings.windows import PaddedText, pad
from nertool.network.activations import Array
from nertool.network.lookup import Rows, embed
from nertool.network.objective import Parameters, tables_of, weights_of
from nertool.network.scorer import scores
from nertool.tagging.decode import Lattice, argmax, lattice, viterbi

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

    def tag_scores(self, words: Sequence[str], word_ids: Ids, sentence_starts: Offsets) -> Array:
        """Score every token for every tag: (N, T). The text is columnar, as in Corpus."""
        text = pad(word_ids, sentence_starts, self.m)
        return score_tokens(self.parameters, self.config, self.type_ids(words), text)

    def decode(self, tag_scores: Array, sentence_starts: Offsets) -> Ids:
        """Choose each sentence's tags, as the config says: (N,) int32 into tags."""
        return decode(tag_scores, sentence_starts, self.config, self.lattice())

    def spans(self, words: Sequence[str], word_ids: Ids, sentence_starts: Offsets) -> TagSpans:
        """Find the entities of a text."""
        tag_ids = self.decode(self.tag_scores(words, word_ids, sentence_starts), sentence_starts)
        return spans_of(tag_ids, self.tags, sentence_starts)


def score_tokens(
    parameters: Parameters, config: Config, type_ids: Rows, text: PaddedText
) -> Array:
    """Score every token of a text for every tag: (N, T).

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
    if config.decoding.method == "argmax":
        return argmax(tag_scores)
    return viterbi(tag_scores, sentence_starts, allowed)
