"""A corpus in, its entities out, with whatever else is asked for: probabilities, alternatives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.annotated import Annotated
from nertool.corpus.columnar import Corpus, Ids, Offsets
from nertool.corpus.ledger import Ledger
from nertool.corpus.schemes import TagSpans, spans_of
from nertool.decoding.nbest import n_best
from nertool.decoding.probabilities import (
    Sums,
    shorter,
    span_probabilities,
    sums,
    tag_probabilities,
)
from nertool.inputs.text import Setting
from nertool.model.calibrate import temperature_of
from nertool.network.activations import Array
from nertool.tagging.compiled import CompiledTagger

_TOKENS = 1 << 15
_SHOWN = 0.001  # of a token's distribution, tags less likely than this are left out


@dataclass(frozen=True)
class Asked:
    """What is to be said of a text beside its entities.

    least: for each class the probability that an entity must have, "" for all others. n_best: how many
    sequences of tags, 1 for the best alone. marginals: each token's distribution over the tags.
    """

    probabilities: bool = False
    least: Mapping[str, float] = field(default_factory=dict)
    n_best: int = 1
    marginals: bool = False

    @property
    def plain(self) -> bool:
        """Nothing but the entities."""
        return not (self.probabilities or self.least or self.n_best > 1 or self.marginals)


def score_corpus(tagger: CompiledTagger, corpus: Corpus) -> Array:
    """Score every token of a corpus for every tag, (N, T), calibrated."""
    setting = Setting(
        corpus.words, corpus.word_ids, corpus.sentence_starts, np.unique(corpus.document_starts)
    )
    scores = tagger.scores(setting)
    return np.asarray(scores / np.asarray(temperature_of(tagger.model), dtype=scores.dtype))


def annotate(tagger: CompiledTagger, corpus: Corpus, asked: Asked, ledger: Ledger) -> Annotated:
    """Find the entities of a corpus, in place of any that it bears."""
    starts = corpus.sentence_starts
    scores = score_corpus(tagger, corpus)
    tag_ids = tagger.decode(scores, starts)
    spans = spans_of(tag_ids, tagger.model.tags, starts)
    if asked.plain:
        return Annotated(corpus, spans)
    lattice = tagger.lattice
    # Only sentences with an entity need sums, unless all tokens are asked about.
    whole = asked.marginals or asked.n_best > 1
    parts, probabilities = _probabilities(tagger, scores, tag_ids, starts, spans, whole)
    extras: list[dict[str, Any]] | None = None
    if whole:
        assert parts is not None
        extras = [{} for _ in range(corpus.sentences)]
        if asked.marginals:
            _add_marginals(extras, tag_probabilities(parts), starts, tagger.model.tags)
        if asked.n_best > 1:
            for i, (a, b) in enumerate(pairwise(starts.tolist())):
                found = n_best(scores[a:b], lattice, asked.n_best)
                extras[i]["n_best"] = [
                    _alternative(tagger, tags, float(np.exp(score - parts.log_Z[i])))
                    for score, tags in found
                ]
    if asked.least:
        spans, probabilities = _likely_enough(corpus, spans, probabilities, asked.least, ledger)
    return Annotated(corpus, spans, probabilities, extras)


def _probabilities(
    tagger: CompiledTagger,
    scores: Array,
    tag_ids: Ids,
    starts: Offsets,
    spans: TagSpans,
    whole: bool,
) -> tuple[Sums | None, NDArray[np.float64]]:
    if whole:
        parts = sums(scores, starts, tagger.lattice)
        return parts, span_probabilities(spans, tag_ids, parts, starts, tagger.lattice)
    # Some sentences at a time: the sums of more would not stay in the processor's cache.
    starts = shorter(scores, starts)
    sentence = np.searchsorted(starts, spans.starts, side="right") - 1
    groups = np.searchsorted(starts, np.arange(0, len(scores) + _TOKENS, _TOKENS))
    bounds = np.searchsorted(sentence, groups)
    found = [
        _own_probabilities(tagger, scores, tag_ids, starts, _slice(spans, a, b), sentence[a:b])
        for a, b in pairwise(bounds.tolist())
        if a < b
    ]
    return None, np.concatenate([np.zeros(0), *found])


def _slice(spans: TagSpans, a: int, b: int) -> TagSpans:
    return TagSpans(spans.starts[a:b], spans.ends[a:b], spans.labels[a:b], spans.label_names)


def _own_probabilities(
    tagger: CompiledTagger,
    scores: Array,
    tag_ids: Ids,
    starts: Offsets,
    spans: TagSpans,
    sentence: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return the probabilities of entities (n,) from their own sentences (n,) alone."""
    filled = np.unique(sentence)
    lengths = np.diff(starts)[filled]
    own_starts = np.concatenate([[0], np.cumsum(lengths)])
    rows = np.repeat(starts[filled] - own_starts[:-1], lengths) + np.arange(own_starts[-1])
    shift = (starts[filled] - own_starts[:-1])[np.searchsorted(filled, sentence)]
    own = TagSpans(spans.starts - shift, spans.ends - shift, spans.labels, spans.label_names)
    parts = sums(scores[rows], own_starts, tagger.lattice)
    return span_probabilities(own, tag_ids[rows], parts, own_starts, tagger.lattice)


def _add_marginals(
    extras: list[dict[str, Any]], p: Array, starts: Offsets, tags: list[str]
) -> None:
    for i, (a, b) in enumerate(pairwise(starts.tolist())):
        extras[i]["marginals"] = [
            {tags[k]: round(float(row[k]), 6) for k in np.argsort(-row) if row[k] >= _SHOWN}
            for row in p[a:b]
        ]


def _alternative(tagger: CompiledTagger, tags: Ids, probability: float) -> dict[str, Any]:
    """Return one of a sentence's sequences as its entities, in tokens of the sentence."""
    spans = spans_of(tags, tagger.model.tags, np.array([0, len(tags)], dtype=np.int64))
    entities = [
        {"token_start": s.start, "token_end": s.end, "label": s.label} for s in spans.as_list()
    ]
    return {"probability": round(probability, 6), "entities": entities}


def _likely_enough(
    corpus: Corpus,
    spans: TagSpans,
    p: NDArray[np.float64],
    least: Mapping[str, float],
    ledger: Ledger,
) -> tuple[TagSpans, NDArray[np.float64]]:
    """Leave out the entities that are less likely than their class must be, and count them."""
    usual = least.get("", 0.0)
    bars = np.array([least.get(name, usual) for name in spans.label_names] or [0.0])
    keep = p >= bars[spans.labels]
    for i in np.flatnonzero(~keep).tolist():
        start, end = int(spans.starts[i]), int(spans.ends[i])
        text = " ".join(corpus.words[w] for w in corpus.word_ids[start:end])
        detail = f'"{text}" ({spans.label_names[spans.labels[i]]}, {p[i]:.3f})'
        ledger.refuse(corpus.place(start), "entities found below --min-probability", detail)
    kept = TagSpans(spans.starts[keep], spans.ends[keep], spans.labels[keep], spans.label_names)
    return kept, p[keep]
