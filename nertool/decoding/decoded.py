"""A decoded text: its scores, tags and entities, and the probability of each entity."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.columnar import Ids, Offsets
from nertool.corpus.schemes import TagSpans
from nertool.decoding.probabilities import Sums, shorter, span_probabilities, sums
from nertool.decoding.viterbi import Lattice
from nertool.network.activations import Array

GROUP_TOKENS = 1 << 15  # tokens in a group of sentences whose sums are computed together


@dataclass(frozen=True)
class Decoded:
    """A text of N tokens and S sentences after decoding into T tags.

    scores (N, T): the scores from which the tags were chosen, O first. tag_ids (N,) int32: the chosen tags.
    sentence_starts (S+1,) int64. spans: the n entities that the tags encode, in tokens of the text.
    lattice: the tag sequences that the scheme allows. temperature: probabilities are computed from
    scores / temperature (see model/calibrate.py).
    """

    scores: Array
    tag_ids: Ids
    sentence_starts: Offsets
    spans: TagSpans
    lattice: Lattice
    temperature: float = 1.0

    @cached_property
    def calibrated_scores(self) -> Array:
        """The scores divided by the temperature, (N, T), in their own dtype."""
        if self.temperature == 1:
            return self.scores
        return np.asarray(self.scores / np.asarray(self.temperature, dtype=self.scores.dtype))

    def sums(self) -> Sums:
        """Return the sums over all tag sequences of each sentence, for all tokens."""
        return sums(self.calibrated_scores, self.sentence_starts, self.lattice)

    def probabilities(self) -> NDArray[np.float64]:
        """Return the probability of each entity, (n,) float64.

        The sums are computed only for sentences with an entity, for about GROUP_TOKENS tokens at a time, so
        that they stay in the processor's cache.
        """
        scores, spans = self.calibrated_scores, self.spans
        if not len(spans):
            return np.zeros(0)
        starts = shorter(scores, self.sentence_starts)
        # Remove cuts inside an entity. `shorter` may cut an entity of thousands of tokens, or one that
        # does not come from these scores.
        last = np.searchsorted(spans.starts, starts) - 1
        starts = starts[(last < 0) | (spans.ends[last] <= starts)]
        sentences = np.searchsorted(starts, spans.starts, side="right") - 1
        steps = np.arange(0, len(scores) + GROUP_TOKENS, GROUP_TOKENS)
        bounds = np.searchsorted(sentences, np.searchsorted(starts, steps))
        parts = [
            self._probabilities_of(slice(a, b), scores, starts, sentences[a:b])
            for a, b in pairwise(bounds.tolist())
            if a < b
        ]
        return np.concatenate([np.zeros(0), *parts])

    def _probabilities_of(
        self, chosen: slice, scores: Array, starts: Offsets, sentences: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return the probabilities (n,) of the chosen spans. sentences (n,): the sentence of each."""
        filled = np.unique(sentences)
        lengths = np.diff(starts)[filled]
        new_starts = np.concatenate([[0], np.cumsum(lengths)])
        shifts = starts[filled] - new_starts[:-1]
        rows = np.repeat(shifts, lengths) + np.arange(new_starts[-1])
        shift = shifts[np.searchsorted(filled, sentences)]
        spans = self.spans
        moved = TagSpans(
            spans.starts[chosen] - shift,
            spans.ends[chosen] - shift,
            spans.labels[chosen],
            spans.label_names,
        )
        total = sums(scores[rows], new_starts, self.lattice)
        return span_probabilities(moved, self.tag_ids[rows], total, new_starts, self.lattice)
