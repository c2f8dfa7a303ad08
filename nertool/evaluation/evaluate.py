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
from nertool.inputs.text import Setting
from nertool.model.calibrate import calibration, tagged, temperature_of
from nertool.model.model import Model
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
    tagger = CompiledTagger(model)
    setting = Setting(corpus.words, corpus.word_ids, starts, corpus.document_starts)
    scores = tagger.scores(setting)
    tag_ids = tagger.decode(scores, starts)
    found = tagged(model, scores, tag_ids, starts, gold)
    return (
        score_predictions(tag_ids, model.tags, corpus.tag_ids, corpus.tags, scheme, starts),
        calibration(found, tagger.lattice, temperature_of(model)),
    )
