"""Compute, step by step, the probability that `predict` shows, starting from a word's softmax."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from nertool.corpus.columnar import Span
from nertool.decoding.adjust import softmax
from nertool.decoding.decoded import Decoded
from nertool.decoding.probabilities import tag_probabilities


class Certainty(NamedTuple):
    """The whole model's probabilities of a word's tag, and of the entity that contains the word.

    word: softmax of the word's scores, divided by the temperature. These are the decoder's input: the mean of
    all networks, with the decoder's adjustments. sentence: the marginal probability of the tag over all tag
    sequences that the scheme allows. entity, text: the entity, in tokens of the sentence, and its words; None
    and "" for a word in no entity. probability: of exactly this entity, which `predict` shows.
    """

    tag: str
    temperature: float
    word: float
    sentence: float
    entity: Span | None
    text: str
    probability: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary for JSON."""
        entity = None if self.entity is None else {**self.entity._asdict(), "text": self.text}
        return {**self._asdict(), "entity": entity}

    def lines(self) -> list[str]:
        """Return a line for each probability, which says how it is computed."""
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
    """Return the probabilities of a token's decoded tag.

    words: the tokens of the text. first: the first token of the token's sentence.
    """
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
