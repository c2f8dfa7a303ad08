"""Annotate a corpus with the entities that a model predicts, and with optional details."""

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
from nertool.decoding.decoded import Decoded
from nertool.decoding.nbest import n_best
from nertool.decoding.probabilities import Sums, tag_probabilities
from nertool.errors import LimitError
from nertool.inputs.text import DOCUMENT_TOKENS, Text
from nertool.network.activations import Array
from nertool.tagging.analyse import analyse
from nertool.tagging.compiled import CompiledTagger

_LEAST_SHOWN = 0.001  # marginals do not list tags that are less probable than this
_MOST_WAYS = 100_000_000  # limit for n-best: tokens × tags × n of a sentence, each of 8 bytes


@dataclass(frozen=True)
class Details:
    """The details to compute in addition to the entities.

    probabilities: the probability of each entity; thresholds: the least probability of an entity by label,
    where the key "" is for all other labels; n_best: the number of tag sequences for each sentence, 1 for
    only the best one; marginals: each token's distribution over the tags; entropy: the entropy of each
    token's tag, in each sentence's extras as an array (tokens,) float32 in nats. Only programs use the
    entropy; no writer writes it.
    """

    probabilities: bool = False
    thresholds: Mapping[str, float] = field(default_factory=dict)
    n_best: int = 1
    marginals: bool = False
    entropy: bool = False

    @property
    def needed(self) -> bool:
        """Whether any details are needed."""
        return bool(self.probabilities or self.thresholds or self.of_sentences or self.entropy)

    @property
    def of_sentences(self) -> bool:
        """Whether details are needed for every sentence, also for those without entities."""
        return self.n_best > 1 or self.marginals


def text_of_corpus(corpus: Corpus, document_tokens: int = DOCUMENT_TOKENS) -> Text:
    """Return a corpus as a Text, which the tagger reads."""
    return Text(
        corpus.words,
        corpus.word_ids,
        corpus.sentence_starts,
        np.unique(corpus.document_starts),
        document_tokens,
    )


def annotate(tagger: CompiledTagger, corpus: Corpus, details: Details, ledger: Ledger) -> Annotated:
    """Return a corpus with the predicted entities, which replace its own.

    Entities below their threshold are left out, and counted in the ledger as refused. Errors: LimitError for
    n-best of a sentence that is too long.
    """
    analysis = analyse(tagger, text_of_corpus(corpus, tagger.document_tokens))
    if not details.needed:
        return Annotated(corpus, analysis.spans)
    tags = tagger.model.tags
    extras: list[dict[str, Any]] | None = None
    if details.of_sentences or details.entropy:
        sums = analysis.sums()
        extras = [{} for _ in range(corpus.sentences)]
        if details.entropy:
            _add_entropy(extras, tag_probabilities(sums), corpus.sentence_starts)
        if details.marginals:
            _add_marginals(extras, tag_probabilities(sums), corpus.sentence_starts, tags)
        if details.n_best > 1:
            _check_n_best(corpus, details.n_best, len(tags))
            _add_n_best(extras, analysis, sums, details.n_best, tags)
    spans, probabilities = analysis.spans, analysis.probabilities()
    if details.thresholds:
        spans, probabilities = _above_threshold(
            corpus, spans, probabilities, details.thresholds, ledger
        )
    return Annotated(corpus, spans, probabilities, extras)


def _add_entropy(extras: list[dict[str, Any]], p: Array, starts: Offsets) -> None:
    """Add the entropy of each token's distribution p (N, T) over the tags to its sentence's details."""
    H = -(p * np.log(np.maximum(p, 1e-300))).sum(axis=1).astype(np.float32)
    for i, (a, b) in enumerate(pairwise(starts.tolist())):
        extras[i]["entropy"] = H[a:b]


def _add_marginals(
    extras: list[dict[str, Any]], p: Array, starts: Offsets, tags: list[str]
) -> None:
    """Add each token's distribution p (N, T) over the tags to its sentence's details."""
    for i, (a, b) in enumerate(pairwise(starts.tolist())):
        extras[i]["marginals"] = [
            {tags[k]: round(float(row[k]), 6) for k in np.argsort(-row) if row[k] >= _LEAST_SHOWN}
            for row in p[a:b]
        ]


def _check_n_best(corpus: Corpus, n: int, T: int) -> None:
    """Refuse a sentence for which n-best would take too much memory. Errors: LimitError."""
    lengths = np.diff(corpus.sentence_starts)
    longest = int(lengths.max(initial=0))
    if longest * n * T > _MOST_WAYS:
        place = corpus.place(int(corpus.sentence_starts[int(lengths.argmax())]))
        raise LimitError(
            f"{place}: found a sentence of {longest:,} tokens, for which the {n:,} best of {T} tags take "
            f"{longest * n * T * 8 / 1e9:.1f} GB, expected at most {_MOST_WAYS * 8 / 1e9:.1f} GB; break the "
            "sentence, or ask for fewer by --n-best"
        )


def _add_n_best(
    extras: list[dict[str, Any]], analysis: Decoded, sums: Sums, n: int, tags: list[str]
) -> None:
    """Add the n best tag sequences of each sentence to its details."""
    scores = analysis.calibrated_scores
    for i, (a, b) in enumerate(pairwise(analysis.sentence_starts.tolist())):
        extras[i]["n_best"] = [
            _alternative(tag_ids, tags, float(np.exp(score - sums.log_Z[i])))
            for score, tag_ids in n_best(scores[a:b], analysis.lattice, n)
        ]


def _alternative(tag_ids: Ids, tags: list[str], probability: float) -> dict[str, Any]:
    """Return one tag sequence of a sentence as its entities, in tokens of the sentence."""
    spans = spans_of(tag_ids, tags, np.array([0, len(tag_ids)], dtype=np.int64))
    entities = [
        {"token_start": s.start, "token_end": s.end, "label": s.label} for s in spans.as_list()
    ]
    return {"probability": round(probability, 6), "entities": entities}


def _above_threshold(
    corpus: Corpus,
    spans: TagSpans,
    p: NDArray[np.float64],
    thresholds: Mapping[str, float],
    ledger: Ledger,
) -> tuple[TagSpans, NDArray[np.float64]]:
    """Remove the entities whose probability p (n,) is below their label's threshold, and count them."""
    general = thresholds.get("", 0.0)
    bars = np.array([thresholds.get(name, general) for name in spans.label_names] or [0.0])
    keep = p >= bars[spans.labels]
    for i in np.flatnonzero(~keep).tolist():
        start, end = int(spans.starts[i]), int(spans.ends[i])
        text = " ".join(corpus.words[w] for w in corpus.word_ids[start:end])
        detail = f'"{text}" ({spans.label_names[spans.labels[i]]}, {p[i]:.3f})'
        ledger.refuse(corpus.place(start), "entities found below --min-probability", detail)
    kept = TagSpans(spans.starts[keep], spans.ends[keep], spans.labels[keep], spans.label_names)
    return kept, p[keep]
