"""A model against a labelled text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nertool.corpus.columnar import Corpus, Ids, Offsets
from nertool.corpus.ledger import counted
from nertool.corpus.schemes import find_scheme, spans_of, tag_names, tags_of
from nertool.embeddings.context import Setting
from nertool.errors import did_you_mean
from nertool.evaluation.scores import Scores, score_tags
from nertool.tagging.calibrate import calibration, tagged, temperature_of
from nertool.tagging.compiled import CompiledTagger
from nertool.tagging.model import Model


def score_predictions(
    tag_ids: Ids,
    tags: Sequence[str],
    gold_ids: Ids,
    gold_tags: Sequence[str],
    scheme: str,
    sentence_starts: Offsets,
) -> Scores:
    """Compare the network's tags with gold ones, written in the gold's own scheme first."""
    spans = spans_of(tag_ids, tags, sentence_starts)
    written_as = tag_names(spans.label_names, scheme)
    written = tags_of(spans, sentence_starts, written_as, scheme)
    return score_tags(gold_ids, gold_tags, written, written_as, sentence_starts)


def evaluate_with_calibration(
    model: Model, corpus: Corpus, report: Callable[[str], None] = lambda line: None
) -> tuple[Scores, dict[str, Any]]:
    """Tag a labelled text, score it, and measure the probabilities (see tagging/calibrate.py).

    Labels that the model can't know are reported, and count as missed.
    """
    scheme = find_scheme(corpus.tag_ids, corpus.tags, corpus.sentence_starts)
    starts = corpus.sentence_starts
    report(
        f"{corpus.source}: {counted(corpus.tokens, 'tokens')}, "
        f"{counted(corpus.sentences, 'sentences')} "
        f"({corpus.layout}), tag scheme {scheme}"
    )
    gold = spans_of(corpus.tag_ids, corpus.tags, starts)
    for i, label in enumerate(gold.label_names):
        if label not in model.labels and (gold.labels == i).any():
            first = int(gold.starts[np.flatnonzero(gold.labels == i)[0]])
            report(
                f'WARNING: {corpus.place(first)}: the model does not know the label "{label}"; '
                f"missed for it: {counted(int((gold.labels == i).sum()), 'entities')}"
                f"{did_you_mean(label, model.labels)}"
            )
    tagger = CompiledTagger(model)
    setting = Setting(corpus.words, corpus.word_ids, starts, corpus.document_starts)
    scores = tagger.scores(setting)
    tag_ids = tagger.decode(scores, starts)
    found = tagged(model, scores, tag_ids, starts, gold)
    return (
        score_predictions(tag_ids, model.tags, corpus.tag_ids, corpus.tags, scheme, starts),
        calibration(found, tagger.lattice, temperature_of(model)),
    )
