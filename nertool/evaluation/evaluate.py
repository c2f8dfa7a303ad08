"""A model against a labelled text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nertool.corpus.columnar import Corpus
from nertool.corpus.ledger import counted
from nertool.corpus.schemes import find_scheme, spans_of
from nertool.errors import did_you_mean
from nertool.evaluation.scores import Scores, score_predictions
from nertool.model.calibrate import calibration, correct_entities
from nertool.model.model import Model
from nertool.tagging.analyse import analyse
from nertool.tagging.annotate import text_of_corpus
from nertool.tagging.compiled import CompiledTagger


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
    analysis = analyse(CompiledTagger(model), text_of_corpus(corpus))
    correct = correct_entities(analysis.spans, gold)
    return (
        score_predictions(
            analysis.tag_ids, model.tags, corpus.tag_ids, corpus.tags, scheme, starts
        ),
        calibration(analysis, correct, analysis.temperature),
    )
