"""From a word's softmax to the probability that predict shows: one number at a time."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from nertool.corpus.columnar import Span
from nertool.decoding.adjust import softmax
from nertool.decoding.decoded import Decoded
from nertool.decoding.probabilities import tag_probabilities


class Certainty(NamedTuple):
    """How sure the whole model is of the tag that it gives a word, and of the entity the word is in.

    word: softmax of the word's scores as the decoder gets them (the mean of all networks, with the
    decoder's corrections), divided by the temperature. sentence: the tag's share of all tag sequences that
    the scheme allows in the sentence. entity: in tokens of the sentence, None outside all entities;
    probability: that just this entity stands there, which predict shows.
    """

    tag: str
    temperature: float
    word: float
    sentence: float
    entity: Span | None
    text: str
    probability: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        entity = None if self.entity is None else {**self.entity._asdict(), "text": self.text}
        return {**self._asdict(), "entity": entity}

    def lines(self) -> list[str]:
        """Say how each number follows from the one before."""
        out = [
            f"{self.word:.4f}  {self.tag} for the word alone: softmax of the whole model's scores "
            f"divided by the temperature {self.temperature:.2f}",
            f"{self.sentence:.4f}  {self.tag} in the sentence: marginal over all allowed tag sequences",
        ]
        if self.entity is not None:
            out.append(
                f'{self.probability:.4f}  "{self.text}" is exactly one {self.entity.label} entity: the '
                "probability that predict shows"
            )
        return out


def certainty_of(
    decoded: Decoded, tags: list[str], words: list[str], token: int, first: int
) -> Certainty:
    """Return how sure a model is of a token's tag. words: the text's tokens; first: where the token's
    sentence begins."""
    tag = int(decoded.tag_ids[token])
    scores = decoded.calibrated_scores[token : token + 1].astype(np.float64)
    marginal = tag_probabilities(decoded.sums())[token, tag]
    spans = decoded.spans
    inside = np.flatnonzero((spans.starts <= token) & (token < spans.ends))
    entity, text, probability = None, "", None
    if len(inside):
        start, end, label = spans.as_list()[int(inside[0])]
        entity = Span(start - first, end - first, label)
        text = " ".join(words[start:end])
        probability = float(decoded.probabilities()[inside[0]])
    return Certainty(
        tags[tag],
        decoded.temperature,
        float(softmax(scores)[0, tag]),
        float(marginal),
        entity,
        text,
        probability,
    )
